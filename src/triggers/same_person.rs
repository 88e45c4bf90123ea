//! A row of a table beside the users table that passes from one key to another: of one person whose key changes, or from
//! one person to another. With ON UPDATE CASCADE the row is changed by the statement that changes the key; its triggers
//! fire after those of the users table.

use crate::matching::person::{self, Person};
use crate::pg::trigger::Trigger;
use crate::pg::user_lookup::Users;
use crate::pg::{command, kept_open};
use crate::setup::definitions::Setup;

/// The key under which the receipts of a person are found, if both keys are those of one. None for two people. It is one:
///
/// - if the one was merged into the other;
/// - if no user has `was` any more, and the user who has `is` was handed its receipts or written by this transaction;
/// - if this transaction has handed receipts over to or from one of the keys, and has written the user who has `is`: keys
///   that are exchanged, or that all move on.
pub fn key_of_same(trigger: &Trigger, setup: &Setup, users: i32, was: &[u8], is: &[u8]) -> Option<Vec<u8>> {
    let (is_merged, is_given, is_exchanged) = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        let (before, after) = (Person::of(probes, users, was, None)?, Person::of(probes, users, is, None)?);
        let is_given = after.keys().any(|key| key == was);
        let is_exchanged =
            person::is_handed_over_now(probes, users, was)? || person::is_handed_over_now(probes, users, is)?;
        Some((before.key == after.key, is_given, is_exchanged))
    })?;
    if is_merged {
        return Some(is.to_vec());
    }
    let source = setup.source(users)?;
    // Does not wait for a lock.
    let mut table = Users::open(source.relation, &source.key, false)?;
    let mut is_written_now = false;
    if table.find(is, |_, row, _| is_written_now = command::of_row(row).is_some()) != Some(true) {
        return None;
    }
    if is_exchanged && is_written_now {
        return Some(is.to_vec());
    }
    if table.find(was, |_, _, _| ()) != Some(false) {
        return None;
    }
    match is_given {
        true => Some(is.to_vec()),
        false => is_written_now.then(|| was.to_vec()),
    }
}
