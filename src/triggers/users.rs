//! The trigger on a users table: matches the difference between OLD and NEW against the goals pending for the user. It
//! raises no error, runs no SQL and takes no snapshot. Its steps, each needed less often than the one before: compare
//! the bytes of the columns that have a goal, evaluate the conditions, read the user's receipts, append a match.

use super::{is_on, partition_moves};
use crate::matching::hand_over;
use crate::matching::matches::{self, Evidence, Happening, Time};
use crate::matching::retry::{Outcome, with_current_setup};
use crate::model::condition;
use crate::model::decimal::Decimal;
use crate::model::value::Value;
use crate::pg::append;
use crate::pg::command::Command;
use crate::pg::datum::Row;
use crate::pg::document::Document;
use crate::pg::kept_open;
use crate::pg::moved::KeptRow;
use crate::pg::patience;
use crate::pg::trigger::{Change, Trigger};
use crate::setup::cache;
use crate::setup::definitions::{Goal, Reach};
use crate::setup::watch::{ConditionPlace, Watch, WatchedAttribute, WatchedColumn, WatchedGoal, with_value};
use pgrx::pg_sys::Datum;
use smallvec::SmallVec;

/// Handles a change of a row of a tracked users table.
pub fn on_change(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    match trigger.change() {
        Change::Update(old, new) => match_update(trigger, &old, &new),
        Change::MovedAway => partition_moves::begin(trigger, cache::watch_for(trigger).is_some()),
        Change::Insert(new) => {
            if let Some(mut old) = partition_moves::finish(trigger) {
                match_move(trigger, &mut old, &new);
            }
        }
        Change::Delete(_) => {}
    }
}

fn match_update(trigger: &Trigger, old: &Row, new: &Row) {
    let mut key_differs = false;
    with_current_setup(|| {
        let Some(watch) = cache::watch_for(trigger) else { return Outcome::Done };
        key_differs = watch.key_differs(&watch, old, new);
        // Receipts carry the key that the user had before this change.
        match_difference(trigger, (&watch, old), (&watch, new), || watch.key_of(old))
    });
    if key_differs {
        with_current_setup(|| {
            let Some(watch) = cache::watch_for(trigger) else { return Outcome::Done };
            follow_key(trigger, &watch, old, &watch, new)
        });
    }
}

/// Hands the receipts of the user over if the key has changed. After the change has been matched: receipts carry the
/// key that the user had before.
#[cold]
fn follow_key(trigger: &Trigger, before: &Watch, old: &Row, after: &Watch, new: &Row) -> Outcome {
    let (Some(was), Some(is)) = (before.key_of(old), after.key_of(new)) else { return Outcome::Done };
    let Some(setup) = cache::setup().filter(|_| was != is) else { return Outcome::Done };
    let followed = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        hand_over::key_changed(probes, after.users, &was, &is, Command::of_change(trigger))
    });
    if followed.is_some() || patience::is_refused() { Outcome::Done } else { Outcome::Outdated }
}

/// Matches an update that moved the row to another partition, whose columns may be in another order.
fn match_move(trigger: &Trigger, old: &mut KeptRow, new: &Row) {
    with_current_setup(|| {
        let Some(setup) = cache::setup() else { return Outcome::Done };
        let Some(after) = cache::watch_for(trigger) else { return Outcome::Done };
        let Some(source) = cache::trigger_source(&setup, trigger, "users") else { return Outcome::Done };
        let mut outcome = Outcome::Done;
        old.show(|partition, old| {
            if let Some(before) = cache::table_watch(&setup, partition, source) {
                let same_user = before.key_of(old).is_some_and(|key| after.key_of(new) == Some(key));
                if partition_moves::belongs(trigger, source.relation, same_user) {
                    outcome = match_difference(trigger, (&before, old), (&after, new), || before.key_of(old));
                    if outcome == Outcome::Done && after.key_differs(&before, old, new) {
                        outcome = follow_key(trigger, &before, old, &after, new);
                    }
                }
            }
        });
        outcome
    });
}

/// A user's row before and after a change, and the conditions that the change satisfies.
struct Difference<'a> {
    before: &'a Watch,
    old: &'a Row<'a>,
    after: &'a Watch,
    new: &'a Row<'a>,
    holding: SmallVec<[ConditionPlace; 8]>,
    reach: Reach,
    /// By place, the json columns in which a condition holds: opened once, also for the values stored with a match.
    documents: SmallVec<[(usize, Document<'a>, Document<'a>); 1]>,
}

/// Records matches for the difference between two rows of the user with this key.
pub(super) fn match_difference(
    trigger: &Trigger,
    (before, old): (&Watch, &Row),
    (after, new): (&Watch, &Row),
    key: impl FnOnce() -> Option<Vec<u8>>,
) -> Outcome {
    if after.columns.is_empty() {
        return Outcome::Done;
    }
    let mut difference = Difference {
        before,
        old,
        after,
        new,
        holding: SmallVec::new(),
        reach: Reach::NONE,
        documents: SmallVec::new(),
    };
    difference.find();
    if difference.holding.is_empty() {
        return Outcome::Done;
    }
    let Some(key) = key() else { return Outcome::Done };
    let (at, command) = (Time::OfChange, Command::of_change(trigger));
    let happening = Happening { users: after.users, key: &key, at, command, cause: None, once: false };
    matches::record_matches(trigger.statement(), happening, &difference)
}

impl<'a> Difference<'a> {
    #[inline]
    fn find(&mut self) {
        let (mut olds, mut news) = (self.old.walk(&self.before.layout), self.new.walk(&self.after.layout));
        for &i in &self.after.by_number {
            let is = &self.after.columns[i];
            let Some(was) = self.column_before(i) else { continue };
            let new = news.get(is.number);
            // Another partition may have its columns in another order.
            let old = if std::ptr::eq(was, is) { olds.get(was.number) } else { self.old.get(was.number) };
            if is.column_type.is_json() {
                if is.column_type.bytes_differ(old, new) {
                    self.find_keys(i, was, is);
                }
            } else if is.column_type.differs(old, new) {
                self.find_values(i, was, is);
            }
        }
    }

    /// The column in the table that the row was in before; None if that partition has no such column.
    #[inline]
    fn column_before(&self, i: usize) -> Option<&'a WatchedColumn> {
        if std::ptr::eq(self.before, self.after) {
            return self.before.columns.get(i);
        }
        let name = &self.after.columns[i].name;
        self.before.columns.iter().find(|c| c.name == *name)
    }

    fn find_values(&mut self, i: usize, was: &WatchedColumn, is: &WatchedColumn) {
        let new = is.column_type.value(self.new, is.number);
        let old = was.column_type.old_value(self.old, was.number, &new);
        for (j, attribute) in is.attributes.iter().enumerate() {
            self.find_holding((i, j), is, attribute, (&old, &new));
        }
    }

    fn find_keys(&mut self, i: usize, was: &WatchedColumn, is: &WatchedColumn) {
        let (old, new) = (is.open_as(&was.column_type, self.old, was.number), is.open(self.new));
        let before = self.holding.len();
        for (j, attribute) in is.attributes.iter().enumerate() {
            let path = (j, attribute.path.as_slice());
            if new.differs(&old, path) {
                self.find_holding((i, j), is, attribute, (&old.number(path), &new.value(path)));
            }
        }
        if self.holding.len() > before {
            self.documents.push((i, old, new));
        }
    }

    /// The old and the new document in the column of this place.
    fn documents(&self, place: ConditionPlace) -> Option<(&Document<'a>, &Document<'a>)> {
        self.documents.iter().find(|(i, ..)| *i == place.0 as usize).map(|(_, old, new)| (old, new))
    }

    fn find_holding(
        &mut self,
        (i, j): (usize, usize),
        column: &WatchedColumn,
        attribute: &WatchedAttribute,
        (old, new): (&Value, &Value),
    ) {
        let (holding, reach) = (&mut self.holding, &mut self.reach);
        attribute.conditions.holding(old, new, column.column_type.text_equality(), |k| {
            holding.push((i as u32, j as u32, k));
            *reach = reach.or(attribute.reach[k as usize]);
        });
    }

    fn watched(&self, goal_id: i32) -> Option<&'a WatchedGoal> {
        self.after.goals.get(&goal_id)
    }
}

impl Evidence for Difference<'_> {
    fn reach(&self) -> Reach {
        self.reach
    }

    fn goal(&self, goal_id: i32) -> Option<&Goal> {
        let watched = self.watched(goal_id)?;
        self.holding.contains(&watched.place).then_some(&*watched.goal)
    }

    fn gained(&self, goal_id: i32, baseline: Option<&Decimal>) -> bool {
        self.watched(goal_id).is_some_and(|watched| {
            let (is, attribute, condition) = self.after.condition(watched);
            match self.documents(watched.place) {
                Some((_, new)) => condition.gained(baseline, &new.number((watched.place.1 as usize, &attribute.path))),
                None => condition.gained(baseline, &is.column_type.value(self.new, is.number)),
            }
        })
    }

    fn old_value(&self, goal_id: i32) -> Option<Datum> {
        let watched = self.watched(goal_id)?;
        if let Some((old, _)) = self.documents(watched.place) {
            return old.logged((watched.place.1 as usize, &self.after.condition(watched).1.path));
        }
        let was = self.column_before(watched.place.0 as usize)?;
        was.column_type.logged(self.old.get(was.number)?)
    }

    fn new_value(&self, goal_id: i32) -> Option<Datum> {
        let watched = self.watched(goal_id)?;
        let (is, attribute, _) = self.after.condition(watched);
        match self.documents(watched.place) {
            Some((_, new)) => new.logged((watched.place.1 as usize, &attribute.path)),
            None => is.column_type.logged(self.new.get(is.number)?),
        }
    }

    fn worth(&self, goal_id: i32) -> Option<Decimal> {
        let after = self.watched(goal_id)?.worth.as_ref()?;
        let before = self.before.goals.get(&goal_id)?.worth.as_ref()?;
        with_value(self.old, before.parts(), |old| with_value(self.new, after.parts(), |new| condition::gain(old, new)))
    }
}
