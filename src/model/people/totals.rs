//! The totals that people are added to.

use super::{Counted, Goal, Sheet, Step, Worth, steps};
use crate::room::{NoRoom, asked};
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;
use std::hash::Hash;

/// Of what a total is. Goal 0: of the message's receipts, whatever their goals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Of {
    pub message: i32,
    pub goal: i32,
    pub variant: i32,
}

/// By day of sending.
#[derive(Clone, Debug, PartialEq)]
pub struct DayTotal<N> {
    pub sent: i64,
    pub opened: i64,
    pub clicked: i64,
    pub already_matched: i64,
    pub matched: i64,
    pub matched_after_open: i64,
    pub matched_after_click: i64,
    pub worth: N,
    pub deliveries: i64,
    pub bounced: i64,
    pub complained: i64,
    pub unsubscribed: i64,
    pub opened_by_machine: i64,
    pub clicked_by_machine: i64,
    pub held_out: i64,
    pub eligible: i64,
    pub withdrawn: i64,
    pub assigned: i64,
    pub mixed: i64,
    pub of_people: OfPeople<N>,
}

/// By time of sending. Goals only.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotTotal<N> {
    pub sent: i64,
    pub already_matched: i64,
    pub matched: i64,
    pub eligible: i64,
    pub of_people: OfPeople<N>,
}

/// People who are compared, and what they are worth.
#[derive(Clone, Debug, PartialEq)]
pub struct OfPeople<N> {
    pub users: i64,
    pub converters: i64,
    pub worth: N,
    pub counted_worth: N,
    pub counted_worth_squares: N,
}

/// By day and age. Goals only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgeTotal {
    pub opened: i64,
    pub clicked: i64,
    pub matched: i64,
    pub matched_eligible: i64,
}

impl AgeTotal {
    /// True if everything that was added has been taken away.
    pub fn is_zero(&self) -> bool {
        *self == AgeTotal::default()
    }
}

impl<N: Worth> Default for OfPeople<N> {
    fn default() -> OfPeople<N> {
        let nothing = N::nothing;
        let (worth, counted_worth, counted_worth_squares) = (nothing(), nothing(), nothing());
        OfPeople { users: 0, converters: 0, worth, counted_worth, counted_worth_squares }
    }
}

impl<N: Worth> Default for SlotTotal<N> {
    fn default() -> SlotTotal<N> {
        SlotTotal { sent: 0, already_matched: 0, matched: 0, eligible: 0, of_people: OfPeople::default() }
    }
}

impl<N: Worth> Default for DayTotal<N> {
    fn default() -> DayTotal<N> {
        DayTotal {
            sent: 0,
            opened: 0,
            clicked: 0,
            already_matched: 0,
            matched: 0,
            matched_after_open: 0,
            matched_after_click: 0,
            worth: N::nothing(),
            deliveries: 0,
            bounced: 0,
            complained: 0,
            unsubscribed: 0,
            opened_by_machine: 0,
            clicked_by_machine: 0,
            held_out: 0,
            eligible: 0,
            withdrawn: 0,
            assigned: 0,
            mixed: 0,
            of_people: OfPeople::default(),
        }
    }
}

impl<N: Worth> OfPeople<N> {
    fn is_zero(&self) -> bool {
        let worths = [&self.worth, &self.counted_worth, &self.counted_worth_squares];
        self.users == 0 && self.converters == 0 && worths.into_iter().all(is_zero)
    }
}

impl<N: Worth> SlotTotal<N> {
    /// True if everything that was added has been taken away.
    pub fn is_zero(&self) -> bool {
        [self.sent, self.already_matched, self.matched, self.eligible] == [0; 4] && self.of_people.is_zero()
    }
}

impl<N: Worth> DayTotal<N> {
    /// True if everything that was added has been taken away.
    pub fn is_zero(&self) -> bool {
        let counts = [
            self.sent,
            self.opened,
            self.clicked,
            self.already_matched,
            self.matched,
            self.matched_after_open,
            self.matched_after_click,
            self.deliveries,
            self.bounced,
            self.complained,
            self.unsubscribed,
            self.opened_by_machine,
            self.clicked_by_machine,
            self.held_out,
            self.eligible,
            self.withdrawn,
            self.assigned,
            self.mixed,
        ];
        counts == [0; 18] && is_zero(&self.worth) && self.of_people.is_zero()
    }
}

fn is_zero<N: Worth>(worth: &N) -> bool {
    worth.is_nothing() || !worth.is_above(&N::nothing()) && !N::nothing().is_above(worth)
}

/// Whether what is known at a mark is added or taken away.
#[derive(Clone, Copy)]
enum Sign {
    Plus,
    Minus,
}

impl Sign {
    fn times(self, is: bool) -> i64 {
        match self {
            Sign::Plus => i64::from(is),
            Sign::Minus => -i64::from(is),
        }
    }

    fn add<N: Worth>(self, to: &mut N, worth: &N) {
        if !worth.is_nothing() {
            *to = match self {
                Sign::Plus => to.plus(worth),
                Sign::Minus => to.minus(worth),
            };
        }
    }
}

impl<N: Worth> OfPeople<N> {
    fn add(&mut self, sign: Sign, step: &Step<N>) {
        self.converters += sign.times(step.is_conversion);
        sign.add(&mut self.worth, &step.worth);
        sign.add(&mut self.counted_worth, &step.counted);
        sign.add(&mut self.counted_worth_squares, &step.squares);
    }
}

type Map<K, V> = HashMap<K, V, FxBuildHasher>;

/// The entry of a key.
fn entry<K: Eq + Hash, V: Default>(map: &mut Map<K, V>, key: K) -> Result<&mut V, NoRoom> {
    if map.len() == map.capacity() {
        asked(|| map.try_reserve(1))?;
    }
    Ok(map.entry(key).or_default())
}

const DAY: i64 = 86_400_000_000;
const SLOT: i64 = 600_000_000;

/// The UTC day of a time.
pub fn day_of(time: i64) -> i32 {
    time.div_euclid(DAY) as i32
}

/// The beginning of the ten minutes that a time is in.
fn slot_of(time: i64) -> i64 {
    time - time.rem_euclid(SLOT)
}

/// Whole days from the sending to a later time.
fn age(sent_at: i64, at: i64) -> i32 {
    day_of(at.saturating_sub(sent_at))
}

/// The totals.
pub struct Totals<N> {
    /// By day.
    pub days: Map<(Of, i32), DayTotal<N>>,
    /// By slot, or by time of sending where these are asked for exactly.
    pub slots: Map<(Of, i64), SlotTotal<N>>,
    /// By day and age.
    pub ages: Map<(Of, i32, i32), AgeTotal>,
    /// By message, name of the goal, variant and two days: how many matched receipts of a person follow each other.
    pub pairs: Map<(i32, u32, i32, i32, i32), i64>,
    exactly: bool,
}

impl<N: Worth> Totals<N> {
    /// Without anything. `exactly`: the times of sending instead of slots.
    pub fn new(exactly: bool) -> Totals<N> {
        Totals { days: Map::default(), slots: Map::default(), ages: Map::default(), pairs: Map::default(), exactly }
    }

    /// Takes away what a person amounted to, and adds what the person amounts to now.
    pub(super) fn change(
        &mut self,
        message: i32,
        goals: &[Goal<N>],
        then: &Sheet<N>,
        now: &Sheet<N>,
    ) -> Result<(), NoRoom> {
        let (mut old, mut new) = (then.counted.iter().peekable(), now.counted.iter().peekable());
        loop {
            // Of the same receipt and goal, or those that come first.
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(one), None) | (None, Some(one)) => one.order(),
                (Some(one), Some(other)) => one.order().min(other.order()),
            };
            let is_next = |counted: &&Counted<N>| counted.order() == order;
            let (old, new) = (old.next_if(is_next), new.next_if(is_next));
            if old != new {
                old.map_or(Ok(()), |old| self.count(Sign::Minus, message, old))?;
                new.map_or(Ok(()), |new| self.count(Sign::Plus, message, new))?;
            }
        }
        if then.turns != now.turns {
            self.convert(Sign::Minus, message, goals, then)?;
            self.convert(Sign::Plus, message, goals, now)?;
        }
        if then.pairs != now.pairs {
            self.pair(Sign::Minus, message, then)?;
            self.pair(Sign::Plus, message, now)?;
        }
        Ok(())
    }

    fn slot(&self, sent_at: i64) -> i64 {
        if self.exactly { sent_at } else { slot_of(sent_at) }
    }

    fn count(&mut self, sign: Sign, message: i32, counted: &Counted<N>) -> Result<(), NoRoom> {
        let (is, sent_at) = (&counted.is, counted.sent_at);
        let of = Of { message, goal: counted.goal, variant: counted.variant };
        let total = entry(&mut self.days, (of, day_of(sent_at)))?;
        total.sent += sign.times(is.sent);
        total.opened += sign.times(is.opened);
        total.clicked += sign.times(is.clicked);
        total.already_matched += sign.times(is.already_matched);
        total.matched += sign.times(is.matched);
        total.matched_after_open += sign.times(is.matched_after_open);
        total.matched_after_click += sign.times(is.matched_after_click);
        total.deliveries += sign.times(is.delivered);
        total.bounced += sign.times(is.bounced);
        total.complained += sign.times(is.complained);
        total.unsubscribed += sign.times(is.unsubscribed);
        total.opened_by_machine += sign.times(is.opened_by_machine);
        total.clicked_by_machine += sign.times(is.clicked_by_machine);
        total.held_out += sign.times(is.held_out);
        total.eligible += sign.times(is.eligible);
        total.withdrawn += sign.times(is.withdrawn);
        total.assigned += sign.times(is.assigned);
        total.mixed += sign.times(is.mixed);
        total.of_people.users += sign.times(is.user);
        if let Some(worth) = counted.found.filter(|_| is.matched).and_then(|found| found.worth.as_ref()) {
            sign.add(&mut total.worth, worth);
        }
        if counted.name.is_none() {
            return Ok(());
        }
        if is.sent || is.eligible {
            let slot = self.slot(sent_at);
            let total = entry(&mut self.slots, (of, slot))?;
            total.sent += sign.times(is.sent);
            total.already_matched += sign.times(is.already_matched);
            total.matched += sign.times(is.matched);
            total.eligible += sign.times(is.eligible);
            total.of_people.users += sign.times(is.user);
        }
        let mut at_age = |at: i64, add: &dyn Fn(&mut AgeTotal)| {
            entry(&mut self.ages, (of, day_of(sent_at), age(sent_at, at))).map(add)
        };
        if let Some(at) = counted.opened_at.filter(|_| is.opened) {
            at_age(at, &|total| total.opened += sign.times(true))?;
        }
        if let Some(at) = counted.clicked_at.filter(|_| is.clicked) {
            at_age(at, &|total| total.clicked += sign.times(true))?;
        }
        if let Some(found) = counted.found {
            at_age(found.at, &|total| {
                total.matched += sign.times(is.matched);
                total.matched_eligible += sign.times(is.eligible);
            })?;
        }
        Ok(())
    }

    fn convert(&mut self, sign: Sign, message: i32, goals: &[Goal<N>], sheet: &Sheet<N>) -> Result<(), NoRoom> {
        let name = |goal: u32| goals[goal as usize].name;
        for of_name in sheet.turns.chunk_by(|one, other| name(one.goal) == name(other.goal)) {
            steps(goals, of_name, |step| {
                let of = Of { message, goal: step.goal, variant: step.variant };
                entry(&mut self.days, (of, day_of(step.sent_at)))?.of_people.add(sign, &step);
                let slot = self.slot(step.sent_at);
                entry(&mut self.slots, (of, slot))?.of_people.add(sign, &step);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn pair(&mut self, sign: Sign, message: i32, sheet: &Sheet<N>) -> Result<(), NoRoom> {
        for pair in &sheet.pairs {
            let of = (message, pair.name, pair.variant, pair.first_day, pair.second_day);
            *entry(&mut self.pairs, of)? += sign.times(true);
        }
        Ok(())
    }
}
