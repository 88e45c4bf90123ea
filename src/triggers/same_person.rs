//! A row of a table beside the users table that passes from one key to another: of one person whose key changes, or from
//! one person to another. A foreign key with ON UPDATE CASCADE changes the row before the trigger of the users table
//! has seen the change.

use crate::matching::person::Person;
use crate::pg::trigger::Trigger;
use crate::pg::user_lookup::Users;
use crate::pg::{command, kept_open};
use crate::setup::definitions::Setup;

/// The key under which the receipts of a person are found, if both keys are those of one: the one was merged into the
/// other; or no user has `was` any more, and the user who has `is` was handed its receipts, or has been written by this
/// transaction. None for two people.
pub fn key_of_same(trigger: &Trigger, setup: &Setup, users: i32, was: &[u8], is: &[u8]) -> Option<Vec<u8>> {
    let merged = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        let (before, after) = (Person::of(probes, users, was, None)?, Person::of(probes, users, is, None)?);
        Some(before.key == after.key)
    });
    if merged == Some(true) {
        return Some(is.to_vec());
    }
    let source = setup.source(users)?;
    // Does not wait for a lock.
    let mut table = Users::open(source.relation, &source.key, false)?;
    let mut is_written_now = false;
    let is_there = table.find(is, |_, row, _| is_written_now = command::of_row(row).is_some());
    if is_there != Some(true) || table.find(was, |_, _, _| ()) != Some(false) {
        return None;
    }
    let handed_over = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        Some(Person::of(probes, users, is, None)?.keys().any(|key| key == was))
    });
    match handed_over {
        Some(true) => Some(is.to_vec()),
        _ => is_written_now.then(|| was.to_vec()),
    }
}
