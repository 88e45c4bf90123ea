//! What SQL calls, one file per group of the reference.

pub mod engagements;
pub mod events;
pub mod goals;
pub mod health;
pub mod receipts;
pub mod sql;
pub mod statistics;
pub mod track;

use crate::model::error::{Error, Result};
use crate::pg::datum;
use crate::pg::relation::Relation;

/// Five minutes: how far a reported time may be ahead of our clock.
const AHEAD: i64 = 5 * 60 * 1_000_000;

/// A time reported by a caller, in microseconds. One a little ahead of our clock comes from another's, and is taken as now: so a
/// message is never sent after what it is followed by. Further in the future it is refused.
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

/// The error where a table of the extension does not take a row.
fn not_recorded() -> Error {
    Error::InvalidArgument {
        message: "a table of pg_goals has been changed: nothing is recorded".into(),
        hint: "goals.health() says what is the matter; so does the server's log.".into(),
    }
}

/// The error for a column whose values no trigger sees.
fn is_virtual(table: &Relation, name: &str) -> Error {
    Error::InvalidArgument {
        message: format!("column \"{name}\" of {} is a virtual generated column", table.qualified_name()),
        hint: "No trigger sees its values. Name a column that it is computed from, or make it STORED.".into(),
    }
}
