//! The trigger on a table beside the users table, with one row per user: its columns are attributes of the user. An
//! INSERT is a change from unknown, a DELETE one to unknown.

use super::same_person::key_of_same;
use super::users::match_difference;
use super::{is_on, partition_moves};
use crate::matching::retry::{Outcome, with_current_setup};
use crate::pg::append;
use crate::pg::datum::Row;
use crate::pg::key;
use crate::pg::moved::KeptRow;
use crate::pg::trigger::{Change, Trigger};
use crate::setup::cache;
use crate::setup::watch::Watch;

/// Handles a change of a row of a tracked table of attributes.
pub fn on_change(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    let change = trigger.change();
    if let Change::MovedAway = change {
        return partition_moves::begin(trigger, cache::watch_for(trigger).is_some());
    }
    let mut moved = if let Change::Insert(_) = change { partition_moves::finish(trigger) } else { None };
    with_current_setup(|| {
        let Some(watch) = cache::watch_for(trigger) else { return Outcome::Done };
        match &change {
            Change::Insert(new) => match moved.as_mut() {
                Some(old) => match_move(trigger, old, (&watch, new)),
                None => match_rows(trigger, None, Some((&watch, new))),
            },
            Change::Update(old, new) => match_rows(trigger, Some((&watch, old)), Some((&watch, new))),
            Change::Delete(old) => match_rows(trigger, Some((&watch, old)), None),
            Change::MovedAway => Outcome::Done,
        }
    });
}

/// The key as the users table writes it.
fn user_key(watch: &Watch, row: &Row) -> Option<Vec<u8>> {
    let key = watch.key_of(row)?;
    let setup = cache::setup()?;
    match setup.source(watch.users).and_then(|users| cache::key_type_of(users)) {
        Some(of_users) if of_users != watch.key_type => of_users.canonical(&key),
        _ => Some(key).filter(|key| key::fits(key)),
    }
}

/// [`key_of_same`] of the users that two rows are of.
fn same_key(trigger: &Trigger, old: (&Watch, &Row), new: (&Watch, &Row)) -> Option<Vec<u8>> {
    let (was, is) = (user_key(old.0, old.1)?, user_key(new.0, new.1)?);
    key_of_same(trigger, &*cache::setup()?, new.0.users, &was, &is)
}

/// Matches the difference between two rows of one user. A row that passes to another user is unknown of the one and
/// becomes known of the other.
fn match_rows(trigger: &Trigger, old: Option<(&Watch, &Row)>, new: Option<(&Watch, &Row)>) -> Outcome {
    let missing = Row::missing();
    let key = |(watch, row): (&Watch, &Row)| user_key(watch, row);
    match (old, new) {
        (Some(old), Some(new)) if !new.0.key_differs(old.0, old.1, new.1) || key(old) == key(new) => {
            match_difference(trigger, old, new, || key(old))
        }
        (Some(old), Some(new)) if let Some(key) = same_key(trigger, old, new) => {
            match_difference(trigger, old, new, || Some(key))
        }
        (old, new) => {
            let left = old.map(|(watch, row)| {
                match_difference(trigger, (watch, row), (watch, &missing), || user_key(watch, row))
            });
            match left {
                Some(Outcome::Outdated) => Outcome::Outdated,
                _ => new.map_or(Outcome::Done, |(watch, row)| {
                    match_difference(trigger, (watch, &missing), (watch, row), || user_key(watch, row))
                }),
            }
        }
    }
}

/// Matches an update that moved the row to another partition, whose columns may be in another order.
fn match_move(trigger: &Trigger, old: &mut KeptRow, new: (&Watch, &Row)) -> Outcome {
    let Some(setup) = cache::setup() else { return Outcome::Done };
    let Some(source) = cache::trigger_source(&setup, trigger, "attributes") else { return Outcome::Done };
    let mut outcome = None;
    old.show(|partition, old| {
        if let Some(before) = cache::table_watch(&setup, partition, source) {
            let same_user = before.key_of(old).is_some_and(|key| new.0.key_of(new.1) == Some(key));
            if partition_moves::belongs(trigger, source.relation, same_user) {
                outcome = Some(match_rows(trigger, Some((&before, old)), Some(new)));
            }
        }
    });
    outcome.unwrap_or_else(|| match_rows(trigger, None, Some(new)))
}
