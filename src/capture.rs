//! The trigger on a users table: the difference between OLD and NEW against the goals pending for that user.
//!
//! It raises nothing of its own, runs no SQL and takes no snapshot; what it does is ordered by how often it is needed: bytes
//! of the columns that have a goal, then pure evaluation, then the user's receipts, then a match.

use crate::cache::{self, Goal};
use crate::model::condition;
use crate::model::decimal::Decimal;
use crate::model::value::Value;
use crate::moves;
use crate::pg::append;
use crate::pg::datum::Row;
use crate::pg::document::Document;
use crate::pg::guc;
use crate::pg::moved::KeptRow;
use crate::pg::trigger::{Change, Trigger};
use crate::settle::{self, Evidence};
use crate::watch::{ConditionPlace, Place, Reach, Watch, WatchedAttribute, WatchedColumn, WatchedGoal};
use pgrx::pg_sys::Datum;
use smallvec::SmallVec;

/// A row of a tracked users table has changed.
pub fn on_change(trigger: &Trigger) {
    if !guc::enabled() || append::is_read_only() {
        return moves::pass_over(trigger);
    }
    match trigger.change() {
        Change::Update(old, new) => match_update(trigger, &old, &new),
        Change::MovedAway => {
            moves::begin(trigger, cache::watch_for(trigger).is_some_and(|w| !w.columns.is_empty()));
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
        if settle_difference(trigger, &watch, old, &watch, new) {
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
                let same_user = before.key_of(old).is_some_and(|key| after.key_of(new) == Some(key));
                done = !moves::belongs(trigger, source.relation, same_user)
                    || settle_difference(trigger, &before, old, &after, new);
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

/// A user's row before and after, and the conditions that the difference satisfies.
struct Difference<'a> {
    before: &'a Watch,
    old: &'a Row<'a>,
    after: &'a Watch,
    new: &'a Row<'a>,
    holding: SmallVec<[ConditionPlace; 8]>,
    reach: Reach,
}

/// Matches what differs between two rows of one user; false: goals have been set meanwhile, start again.
fn settle_difference(trigger: &Trigger, before: &Watch, old: &Row, after: &Watch, new: &Row) -> bool {
    if after.columns.is_empty() {
        return true;
    }
    let mut difference = Difference { before, old, after, new, holding: SmallVec::new(), reach: Reach::NONE };
    difference.find();
    if difference.holding.is_empty() {
        return true;
    }
    // Receipts were made out to the key that the user had before this change.
    let Some(key) = before.key_of(old) else { return true };
    settle::settle(trigger.statement(), after.users_id, &key, None, &difference)
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

    /// The column as it was: of the same table as a rule. None where it is broken in the partition that the row has left.
    #[inline]
    fn column_before(&self, i: usize) -> Option<&'a WatchedColumn> {
        if std::ptr::eq(self.before, self.after) {
            return self.before.columns.get(i);
        }
        let name = &self.after.columns[i].name;
        self.before.columns.iter().find(|c| c.name == *name)
    }

    fn find_values(&mut self, i: usize, was: &WatchedColumn, is: &WatchedColumn) {
        let old = was.column_type.value(self.old, was.number);
        let new = is.column_type.value(self.new, is.number);
        for (j, attribute) in is.attributes.iter().enumerate() {
            self.find_holding((i, j), is, attribute, (&old, &new));
        }
    }

    fn find_keys(&mut self, i: usize, was: &WatchedColumn, is: &WatchedColumn) {
        let old = Document::open(self.old.get(was.number), &was.column_type);
        let new = Document::open(self.new.get(is.number), &is.column_type);
        for (j, attribute) in is.attributes.iter().enumerate() {
            if new.differs(&old, &attribute.path) {
                let values = (&old.value(&attribute.path), &new.value(&attribute.path));
                self.find_holding((i, j), is, attribute, values);
            }
        }
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

/// A value as it is kept with the match.
fn logged(row: &Row, column: &WatchedColumn, path: &[Vec<u8>]) -> Option<Datum> {
    let value = row.get(column.number)?;
    if column.column_type.is_json() {
        Document::open(Some(value), &column.column_type).logged(value, path)
    } else {
        column.column_type.logged(value)
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
            let place = (is.number, &is.column_type, attribute.path.as_slice());
            with_value(self.new, place, |new| condition.gained(baseline, new))
        })
    }

    fn old_value(&self, goal_id: i32) -> Option<Datum> {
        let (_, attribute, _) = self.after.condition(self.watched(goal_id)?);
        let was = self.column_before(self.watched(goal_id)?.place.0 as usize)?;
        logged(self.old, was, &attribute.path)
    }

    fn new_value(&self, goal_id: i32) -> Option<Datum> {
        let (is, attribute, _) = self.after.condition(self.watched(goal_id)?);
        logged(self.new, is, &attribute.path)
    }

    fn worth(&self, goal_id: i32) -> Option<Decimal> {
        let after = self.watched(goal_id)?.worth.as_ref()?;
        let before = self.before.goals.get(&goal_id)?.worth.as_ref()?;
        with_value(self.old, before.parts(), |old| with_value(self.new, after.parts(), |new| condition::gain(old, new)))
    }
}
