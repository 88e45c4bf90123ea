//! The functions that SQL calls, one file per group of the reference.

mod columns;
pub mod engagement_sets;
pub mod engagements;
pub mod events;
pub mod goals;
pub mod health;
pub mod messages;
pub mod move_users;
pub mod pause;
pub mod people;
pub mod people_totals;
pub mod receipts;
pub mod sql;
pub mod statistics;
pub mod track;
pub mod track_attributes;
pub mod track_engagements;
pub mod track_membership;
pub mod track_messages;
pub mod track_tables;

use crate::model::error::{Error, Result};
use crate::pg::datum;
use crate::pg::relation::Relation;

/// How far a reported time may be ahead of the server's clock: five minutes, in microseconds.
const AHEAD: i64 = 5 * 60 * 1_000_000;

/// A time reported by a caller, in microseconds. A time up to `AHEAD` in the future comes from another clock and is
/// taken as now, so that no message is sent after what follows it. A later time is an error.
pub fn reported_time(time: Option<i64>, what: &'static str) -> Result<i64> {
    let time = time.ok_or(Error::NullArgument { name: what })?;
    let now = datum::clock();
    if time > now.saturating_add(AHEAD) {
        return Err(Error::FutureTime { what });
    }
    if time == i64::MIN {
        return Err(Error::InvalidArgument {
            message: format!("{what} cannot be infinite"),
            hint: "Pass the time at which it happened.".into(),
        });
    }
    Ok(time.min(now))
}

/// What a caller knows something again by; an error if it is empty, as that of a client that has none.
fn not_empty(id: Vec<u8>, what: &'static str) -> Result<Vec<u8>> {
    if !id.is_empty() {
        return Ok(id);
    }
    Err(Error::InvalidArgument {
        message: format!("{what} is empty: everything without one would be the same"),
        hint: format!("Leave {what} out, or pass NULL."),
    })
}

/// The error if a table of the extension does not accept a row.
fn not_recorded() -> Error {
    Error::InvalidArgument {
        message: "a table of pg_goals has been changed: nothing is recorded".into(),
        hint: "See goals.health() or the server's log for the cause.".into(),
    }
}

/// The error for a column whose values no trigger sees.
fn is_virtual(table: &Relation, name: &str) -> Error {
    Error::InvalidArgument {
        message: format!("column \"{name}\" of {} is a virtual generated column", table.qualified_name()),
        hint: "No trigger sees its values. Name a column that it is computed from, or make it STORED.".into(),
    }
}
