//! The trigger on a table of memberships: rows (user, list) that come and go, or change their status. A row that becomes
//! a membership is the event `joined <list>`, one that no longer is, `left <list>`. Each step is an event of its own.
//!
//! A row that is deleted has left when the transaction commits. Until then the same membership may be inserted again:
//! applications replace all rows of a user. Then it is no step.

use super::mirrored::{Reading, is_same, reading, user_key};
use super::own_columns::OwnColumns;
use super::same_person::key_of_same;
use super::{is_on, note, partition_moves};
use crate::matching::event::{Kept, occurred};
use crate::matching::matches::{Happening, Time};
use crate::pg::at_commit::{self, Work};
use crate::pg::command::{self, Command};
use crate::pg::datum::Row;
use crate::pg::kept_open::Statement;
use crate::pg::relation::Relation;
use crate::pg::scratch::Scratch;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::{append, memory, patience};
use crate::setup::definitions::Setup;
use pgrx::pg_sys::SubTransactionId;
use std::cell::RefCell;
use std::collections::HashMap;

/// Handles a row of a tracked table of memberships.
pub fn on_change(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    let change = trigger.change();
    let left = match change {
        Change::MovedAway => return partition_moves::begin(trigger, true),
        Change::Insert(_) => partition_moves::finish(trigger),
        _ => None,
    };
    let Some((setup, reading)) = reading(trigger, "membership") else { return };
    if !setup.waits_for_events(reading.source.users) {
        return;
    }
    let relation = trigger.relation();
    let here = |row| Side { reading: &reading, table: &relation, row };
    match &change {
        Change::Insert(new) => {
            match left.and_then(|mut left| is_same(trigger, &reading, new, &mut left).then_some(left)) {
                Some(mut left) => left.show(|partition, old| {
                    if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                        let before = Side { reading: &before, table: partition, row: old };
                        on_update(trigger, &setup, &before, &here(new));
                    }
                }),
                None => {
                    if let Some(list) = here(new).membership()
                        && let Some(key) = here(new).key(&setup)
                    {
                        here(new).joined(trigger, &setup, &list, &key);
                    }
                }
            }
        }
        Change::Update(old, new) => on_update(trigger, &setup, &here(old), &here(new)),
        Change::Delete(old) => {
            if let Some(list) = here(old).membership() {
                here(old).deleted(trigger, &setup, list);
            }
        }
        Change::MovedAway => {}
    }
}

/// A change to another user or list is a leave and a join.
fn on_update(trigger: &Trigger, setup: &Setup, before: &Side, after: &Side) {
    let (was, is) = (before.membership(), after.membership());
    if was.is_none() && is.is_none() {
        return;
    }
    let has_same_key = before.reading.key(before.row) == after.reading.key(after.row);
    let person = if has_same_key { None } else { same_person(trigger, setup, before, after) };
    if was == is && (has_same_key || person.is_some()) {
        return;
    }
    if let Some(list) = was
        && let Some(key) = person.clone().or_else(|| before.key(setup))
    {
        before.left(trigger, setup, &list, &key);
    }
    if let Some(list) = is
        && let Some(key) = person.or_else(|| after.key(setup))
    {
        after.joined(trigger, setup, &list, &key);
    }
}

/// [`key_of_same`] of a row whose key has changed.
fn same_person(trigger: &Trigger, setup: &Setup, before: &Side, after: &Side) -> Option<Vec<u8>> {
    let (was, is) = (before.key(setup)?, after.key(setup)?);
    key_of_same(trigger, setup, after.reading.source.users, &was, &is)
}

/// A row as it was or is, and how its table or partition is read.
struct Side<'a> {
    reading: &'a Reading,
    table: &'a Relation,
    row: &'a Row<'a>,
}

impl Side<'_> {
    /// The list that the row is a membership of.
    fn membership(&self) -> Option<String> {
        self.reading.membership(self.row)?.known()
    }

    fn key(&self, setup: &Setup) -> Option<Vec<u8>> {
        user_key(setup, self.reading, self.reading.source.users, self.row)
    }

    fn own_columns(&self) -> OwnColumns<'_> {
        OwnColumns { places: &self.reading.places, table: self.table, row: self.row }
    }

    fn is_awaited(&self, setup: &Setup, event: &str) -> bool {
        !setup.event_goals(self.reading.source.users, event).is_empty()
    }

    fn occurred(&self, trigger: &Trigger, key: &[u8], event: &str) {
        let happening = happening(self.reading.source.users, key, Time::OfEvent, Command::of_change(trigger));
        occurred(trigger.statement(), happening, event, Some(&self.own_columns()));
    }

    fn joined(&self, trigger: &Trigger, setup: &Setup, list: &str, key: &[u8]) {
        let event = joined(list);
        let is_awaited = self.is_awaited(setup, &event);
        if !is_awaited && none_is_leaving() {
            return;
        }
        if !is_back(self.reading.source.id, key, list) && is_awaited {
            self.occurred(trigger, key, &event);
        }
    }

    fn left(&self, trigger: &Trigger, setup: &Setup, list: &str, key: &[u8]) {
        let event = left(list);
        if self.is_awaited(setup, &event) {
            self.occurred(trigger, key, &event);
        }
    }

    /// Has the event wait for the end of the transaction.
    fn deleted(&self, trigger: &Trigger, setup: &Setup, list: String) {
        let event = left(&list);
        let is_awaited = self.is_awaited(setup, &event);
        if !is_awaited && !self.is_awaited(setup, &joined(&list)) {
            return;
        }
        let Some(key) = self.key(setup) else { return };
        let users = self.reading.source.users;
        let kept = Kept::of(setup, users, &event, Some(&self.own_columns()));
        let command = Command::of_change(trigger);
        let at = command::time_of(command);
        command::happened(command, at);
        let leaving = Leaving { users, at, command, within: at_commit::here(), back: None, kept };
        if !is_kept((self.reading.source.id, key.clone(), list), leaving) && is_awaited {
            self.occurred(trigger, &key, &event);
        }
    }
}

fn joined(list: &str) -> String {
    format!("joined {list}")
}

fn left(list: &str) -> String {
    format!("left {list}")
}

fn happening(users: i32, key: &[u8], at: Time, command: Command) -> Happening<'_> {
    Happening { users, key, at, command, cause: None, once: false }
}

/// The most deleted rows that wait. Those beyond have left at once.
const MOST: usize = 100_000;

/// A source, a user and a list.
type Membership = (i32, Vec<u8>, String);

/// A membership whose row has been deleted.
struct Leaving {
    users: i32,
    at: i64,
    command: Command,
    /// The subtransaction that has deleted it, and the one that has inserted it again.
    within: SubTransactionId,
    back: Option<SubTransactionId>,
    /// None if no goal waits for it.
    kept: Option<Kept>,
}

thread_local! {
    static LEAVING: RefCell<HashMap<Membership, Vec<Leaving>>> = RefCell::new(HashMap::new());
}

fn none_is_leaving() -> bool {
    LEAVING.with_borrow(HashMap::is_empty)
}

/// False if too many wait already.
fn is_kept(membership: Membership, step: Leaving) -> bool {
    at_commit::expect(Work { settle, forget });
    LEAVING.with_borrow_mut(|leaving| {
        if leaving.len() >= MOST {
            return false;
        }
        memory::room_in(leaving);
        memory::push(leaving.entry(membership).or_default(), step);
        true
    })
}

/// True if the transaction has deleted this membership: then it is no step that it is there again.
fn is_back(source: i32, key: &[u8], list: &str) -> bool {
    if none_is_leaving() {
        return false;
    }
    let membership = (source, memory::copied(key), list.to_owned());
    LEAVING.with_borrow_mut(|leaving| {
        let steps = leaving.get_mut(&membership).map_or(&mut [][..], Vec::as_mut_slice);
        match steps.iter_mut().rev().find(|step| step.back.is_none()) {
            Some(step) => {
                step.back = Some(at_commit::here());
                true
            }
            None => false,
        }
    })
}

/// Records the steps of the rows that have not been inserted again.
fn settle() {
    let leaving = LEAVING.take();
    let mut steps: Vec<_> =
        leaving.into_iter().flat_map(|(of, steps)| steps.into_iter().map(move |s| (of.clone(), s))).collect();
    steps.retain(|(_, step)| step.back.is_none() && step.kept.is_some());
    let Some(((source, ..), _)) = steps.first() else { return };
    let source = *source;
    steps.sort_by_key(|(_, step)| (step.at, step.command));
    let scratch = Scratch::new();
    let unrecorded = patience::in_trigger(|| {
        for ((_, key, _), step) in &steps {
            scratch.run(|| {
                if let Some(kept) = &step.kept {
                    kept.occurred(Statement::none(), happening(step.users, key, Time::Own(step.at), step.command));
                }
            });
        }
    });
    if !unrecorded.is_empty() {
        patience::in_trigger(|| note(Some(source), &unrecorded));
    }
}

/// Forgets what was deleted, and what was inserted again, in a subtransaction that is rolled back; or everything.
fn forget(rolled_back: Option<SubTransactionId>) {
    LEAVING.with(|leaving| {
        let Ok(mut leaving) = leaving.try_borrow_mut() else { return };
        let Some(from) = rolled_back else {
            *leaving = HashMap::new();
            return;
        };
        leaving.retain(|_, steps| {
            steps.retain_mut(|step| {
                step.back = step.back.filter(|back| *back < from);
                step.within < from
            });
            !steps.is_empty()
        });
    });
}
