//! The trigger on a users table: the difference between OLD and NEW against the goals pending for that user.
//!
//! It raises nothing of its own, runs no SQL and takes no snapshot; what it does is ordered by how often it is needed: bytes
//! of the columns that have a goal, then pure evaluation, then the user's receipts, then a match.

use crate::cache::{self, Goal, Place, Watch, WatchedColumn, WatchedGoal};
use crate::model::condition;
use crate::model::decimal::Decimal;
use crate::model::value::Value;
use crate::moves;
use crate::pg::datum::Row;
use crate::pg::document::Document;
use crate::pg::guc;
use crate::pg::trigger::{Change, KeptRow, Trigger};
use crate::settle::{self, Evidence};
use smallvec::SmallVec;

/// A row of a tracked users table has changed.
pub fn on_change(trigger: &Trigger) {
    if !guc::enabled() {
        return;
    }
    match trigger.change() {
        Change::Update(old, new) => match_update(trigger, &old, &new),
        Change::MovedAway => {
            if cache::watch_for(trigger).is_some_and(|w| !w.columns.is_empty()) {
                moves::begin(trigger);
            }
        }
        Change::Insert(new) => {
            if let Some(mut old) = moves::finish(trigger) {
                match_move(trigger, &mut old, &new);
            }
        }
        Change::Delete => {}
    }
}

/// How often to start again because goals were set while we looked.
const ATTEMPTS: usize = 3;

fn match_update(trigger: &Trigger, old: &Row, new: &Row) {
    for _ in 0..ATTEMPTS {
        let Some(watch) = cache::watch_for(trigger) else { return };
        if settle_difference(&watch, old, &watch, new) {
            return;
        }
        cache::reset();
    }
}

/// The two halves of an update that moved the row: one user, in two partitions whose columns may be ordered differently.
fn match_move(trigger: &Trigger, old: &mut KeptRow, new: &Row) {
    for _ in 0..ATTEMPTS {
        let Some(setup) = cache::setup() else { return };
        let Some(after) = cache::watch_for(trigger) else { return };
        let Some(source) = cache::trigger_source(&setup, trigger, "users") else { return };
        let mut done = true;
        old.show(|partition, old| {
            if let Some(before) = cache::table_watch(&setup, partition, source) {
                // A BEFORE trigger may have prevented the insert that belongs to this row; then the next row is another user's.
                let same_user = before.key_of(old).is_some_and(|key| after.key_of(new) == Some(key));
                let related = same_user || !trigger.insert_may_be_prevented();
                done = !related || settle_difference(&before, old, &after, new);
            }
        });
        if done {
            return;
        }
        cache::reset();
    }
}

impl Watch {
    /// The user's key in its text form and the server's encoding.
    pub fn key_of(&self, row: &Row) -> Option<Vec<u8>> {
        row.get(self.key).map(|d| self.key_type.text(d))
    }
}

/// A user's row before and after, and the goals (by column and place in it) that the difference satisfies.
struct Difference<'a> {
    before: &'a Watch,
    old: &'a Row<'a>,
    after: &'a Watch,
    new: &'a Row<'a>,
    hits: SmallVec<[(u32, u32); 8]>,
}

/// Matches what differs between two rows of one user; false: goals have been set meanwhile, start again.
fn settle_difference(before: &Watch, old: &Row, after: &Watch, new: &Row) -> bool {
    if after.columns.is_empty() {
        return true;
    }
    // A column that is broken in one of the partitions only: the two do not line up, and health() says so.
    if before.columns.len() != after.columns.len() {
        return true;
    }
    let mut difference = Difference { before, old, after, new, hits: SmallVec::new() };
    difference.find();
    if difference.hits.is_empty() {
        return true;
    }
    // Receipts were made out to the key that the user had before this change.
    let Some(key) = before.key_of(old) else { return true };
    settle::settle(after.users_id, &key, None, &difference)
}

impl<'a> Difference<'a> {
    #[inline]
    fn find(&mut self) {
        let (olds, news) = (self.old.first(&self.before.layout), self.new.first(&self.after.layout));
        for (i, (was, is)) in self.before.columns.iter().zip(&self.after.columns).enumerate() {
            let (old, new) = (olds[was.number as usize - 1], news[is.number as usize - 1]);
            if is.column_type.is_json() {
                if is.column_type.bytes_differ(old, new) {
                    self.find_keys(i, was, is);
                }
            } else if is.column_type.differs(old, new) {
                self.find_values(i, was, is);
            }
        }
    }

    fn find_values(&mut self, i: usize, was: &WatchedColumn, is: &WatchedColumn) {
        let old = was.column_type.value(self.old, was.number);
        let new = is.column_type.value(self.new, is.number);
        let equality = is.column_type.text_equality();
        for (j, goal) in is.goals.iter().enumerate() {
            if goal.condition.holds(&old, &new, equality) {
                self.hits.push((i as u32, j as u32));
            }
        }
    }

    fn find_keys(&mut self, i: usize, was: &WatchedColumn, is: &WatchedColumn) {
        let old = Document::open(self.old.get(was.number), &was.column_type);
        let new = Document::open(self.new.get(is.number), &is.column_type);
        let equality = is.column_type.text_equality();
        for (j, goal) in is.goals.iter().enumerate() {
            if new.differs(&old, &goal.path)
                && goal.condition.holds(&old.value(&goal.path), &new.value(&goal.path), equality)
            {
                self.hits.push((i as u32, j as u32));
            }
        }
    }

    fn watched(&self, hit: usize) -> (&'a WatchedColumn, &'a WatchedColumn, &'a WatchedGoal) {
        let (i, j) = self.hits[hit];
        let (was, is) = (&self.before.columns[i as usize], &self.after.columns[i as usize]);
        (was, is, &is.goals[j as usize])
    }
}

/// Shows the value at a place of a row.
pub fn with_value<T>(
    row: &Row,
    place: (i16, &crate::pg::types::ColumnType, &[Vec<u8>]),
    see: impl FnOnce(&Value) -> T,
) -> T {
    let (number, column_type, path) = place;
    if column_type.is_json() {
        see(&Document::open(row.get(number), column_type).value(path))
    } else {
        see(&column_type.value(row, number))
    }
}

impl Place {
    /// As with_value takes it.
    pub fn parts(&self) -> (i16, &crate::pg::types::ColumnType, &[Vec<u8>]) {
        (self.number, &self.column_type, &self.path)
    }
}

impl WatchedColumn {
    /// The place of one of the column's goals, as with_value takes it.
    pub fn place<'a>(&'a self, goal: &'a WatchedGoal) -> (i16, &'a crate::pg::types::ColumnType, &'a [Vec<u8>]) {
        (self.number, &self.column_type, &goal.path)
    }
}

/// A value as it is kept with the match.
fn logged(row: &Row, column: &WatchedColumn, goal: &WatchedGoal) -> Option<Vec<u8>> {
    if column.column_type.is_json() {
        with_value(row, column.place(goal), settle::as_json)
    } else {
        row.get(column.number).and_then(|value| column.column_type.logged(value))
    }
}

impl Evidence for Difference<'_> {
    fn len(&self) -> usize {
        self.hits.len()
    }

    fn goal(&self, hit: usize) -> &Goal {
        &self.watched(hit).2.goal
    }

    fn gained(&self, hit: usize, baseline: Option<&Decimal>) -> bool {
        let (_, is, goal) = self.watched(hit);
        with_value(self.new, is.place(goal), |new| goal.condition.gained(baseline, new))
    }

    fn old_value(&self, hit: usize) -> Option<Vec<u8>> {
        let (was, _, goal) = self.watched(hit);
        logged(self.old, was, goal)
    }

    fn new_value(&self, hit: usize) -> Option<Vec<u8>> {
        let (_, is, goal) = self.watched(hit);
        logged(self.new, is, goal)
    }

    fn worth(&self, hit: usize) -> Option<Decimal> {
        let place = self.watched(hit).2.worth.as_ref()?;
        let (i, j) = self.hits[hit];
        let before = self.before.columns[i as usize].goals[j as usize].worth.as_ref()?;
        with_value(self.old, before.parts(), |old| with_value(self.new, place.parts(), |new| condition::gain(old, new)))
    }
}
