//! Switching off for a while, and starting over.

use crate::model::error::{Error, Result};
use crate::pg::call::{Args, Out};
use crate::pg::{append, errors, invalidate, pause, relation, rights, spi};
use crate::setup::cache::required_setup;

/// goals.pause()
pub fn pause(_args: &Args) -> Result<Out> {
    invalidate::listen();
    pause::begin();
    if pause::ends_at_once() {
        errors::warning(
            "goals.pause() has no effect outside of a transaction".into(),
            Some("The pause ends with this statement. Begin a transaction first, and make the changes in it."),
        );
    }
    Ok(Out::Null)
}

/// What is recorded, in the order in which it is deleted. The totals are locked first.
const RECORDS: [&str; 14] = [
    "match_log",
    "engagement",
    "feed",
    "reference",
    "receipt",
    "hand_over",
    "ignored",
    "total",
    "day_total",
    "slot_total",
    "age_total",
    "pair_total",
    "next_watermark",
    "watermark",
];

/// goals.reset(): deletes what has been recorded. The set-up stays.
pub fn reset(_args: &Args) -> Result<Out> {
    append::refuse_if_read_only();
    let setup = required_setup()?;
    let users = || setup.sources.iter().filter(|s| s.kind == "users" && relation::exists(s.relation));
    if !rights::is_superuser() {
        if let Some(of_another) = users().find(|s| !rights::owns(s.relation)) {
            return Err(Error::NotOwner { relation: of_another.name() });
        }
        // Of tables that have been dropped it is not known who owned them.
        if users().next().is_none() {
            return Err(Error::NoUsersTable);
        }
    }
    setup.tables.as_owner(|| {
        spi::run("SELECT goals_internal.lock_totals(true)", &[]);
        for table in RECORDS {
            spi::run(&format!("DELETE FROM goals.{table}"), &[]);
        }
        Ok(Out::Null)
    })
}
