//! What receipts, and the people they are of, amount to in the totals by day and of people.
//!
//! A person is one per message, and judged per name of a goal, as goals.compare() has it:
//!   - Receipts sent although held out do not count, nor entries into a programme that are not the first. Withdrawn ones
//!     do: only who was to be sent something can fail to get it.
//!   - Who has receipts of two variants is in no comparison.
//!   - Who had matched before the first of the receipts is not eligible. The others are users from when that one matures.
//!   - They are converters from when a matched receipt matures too; one that was opened or clicked too late to mature
//!     with the others does not count as matched. A change that is a match for several receipts is worth something once.
//!
//! Whatever of this begins with one receipt is added by that one's goal and time of sending, so that sums over these tell
//! when. Who could not be compared before the first receipt is mature is not before then: what a receipt adds that
//! matures no later than the first one is added by the goal and time of the first one.
//!
//! Besides the people, every receipt is counted: by day, by time of sending, and by the age at which it was opened,
//! clicked and matched. Nothing here depends on the clock, and nothing on the order in which people are added.
#![forbid(unsafe_code)]

pub mod known;
pub mod totals;

use super::room::{NoRoom, asked, room};
use smallvec::SmallVec;
use totals::{Totals, day_of};

/// What a match is worth: numbers of any size, added without loss.
pub trait Worth: Clone + PartialEq {
    /// Zero, without anything that was added.
    fn nothing() -> Self;
    /// True for [`Worth::nothing`]. A zero that was calculated may be another.
    fn is_nothing(&self) -> bool;
    fn plus(&self, other: &Self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    fn times(&self, other: &Self) -> Self;
    fn is_above(&self, other: &Self) -> bool;
}

/// What the time in which a goal can be reached begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Sent,
    Opened,
    Clicked,
}

impl After {
    /// As goals.goal has it.
    pub fn of(name: &[u8]) -> After {
        match name {
            b"opened" => After::Opened,
            b"clicked" => After::Clicked,
            _ => After::Sent,
        }
    }
}

/// A version of a goal. Times are in microseconds.
#[derive(Clone, Debug)]
pub struct Goal<N> {
    pub id: i32,
    /// The number of its name: versions of one goal have the same.
    pub name: u32,
    /// The number of the attribute or event that it is about.
    pub about: u32,
    /// Which hit is the match.
    pub times: i32,
    pub after: After,
    /// How long after the sending an open or a click still counts in comparisons, where the goal begins with it.
    pub opens_within: i64,
    /// How long after the sending a receipt is compared: opened or not, so that an open changes nobody's turn.
    pub matures_in: i64,
    pub cap: Option<N>,
}

/// The match of a receipt and a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Match<N> {
    pub at: i64,
    /// The row or id of the event, where that is known.
    pub cause: Option<i64>,
    pub worth: Option<N>,
}

/// A goal of a receipt.
#[derive(Clone, Debug)]
pub struct OfGoal<N> {
    /// Which of the goals it is.
    pub goal: u32,
    /// True if it held when the receipt was made. Then nothing matches.
    pub already: bool,
    hits: i32,
    // Few have one.
    found: Option<Box<Match<N>>>,
}

impl<N> OfGoal<N> {
    /// A goal without a hit so far.
    pub fn new(goal: u32, already: bool) -> OfGoal<N> {
        OfGoal { goal, already, hits: 0, found: None }
    }

    /// Adds the next hit in the order of time; `found` is called for the one that is the match.
    pub fn hit(&mut self, times: i32, found: impl FnOnce() -> Match<N>) {
        self.hits = self.hits.saturating_add(1);
        if self.hits == times && !self.already {
            self.found = Some(Box::new(found()));
        }
    }
}

/// What became of a receipt, but for its goals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Had {
    pub opened_at: Option<i64>,
    pub clicked_at: Option<i64>,
    bits: u16,
}

// As in goals_internal.ledger.
const DELIVERED: u16 = 1;
const BOUNCED: u16 = 2;
const COMPLAINED: u16 = 4;
const UNSUBSCRIBED: u16 = 8;
const OPENED_BY_MACHINE: u16 = 16;
const CLICKED_BY_MACHINE: u16 = 32;
const WITHDRAWN: u16 = 64;
const ENTERED_BEFORE: u16 = 128;

impl Had {
    /// Adds a report: `kind` as in goals.engagement. What a machine did is no open and no click; a click is an open.
    pub fn report(&mut self, kind: u8, by_machine: bool, at: i64) {
        let earlier = |known: Option<i64>| Some(known.map_or(at, |known| known.min(at)));
        self.bits |= match (kind, by_machine) {
            (b'o' | b'c', false) => {
                self.opened_at = earlier(self.opened_at);
                if kind == b'c' {
                    self.clicked_at = earlier(self.clicked_at);
                }
                0
            }
            (b'o', true) => OPENED_BY_MACHINE,
            (b'c', true) => OPENED_BY_MACHINE | CLICKED_BY_MACHINE,
            (b'd', _) => DELIVERED,
            (b'b', _) => BOUNCED,
            (b'p', _) => COMPLAINED,
            (b'u', _) => UNSUBSCRIBED,
            (b'w', _) => WITHDRAWN,
            (b'm', _) => ENTERED_BEFORE,
            _ => 0,
        };
    }

    /// Notes that it is an entry into a programme that the same person had entered before.
    pub fn entered_before(&mut self) {
        self.bits |= ENTERED_BEFORE;
    }

    fn is(&self, bits: u16) -> bool {
        self.bits & bits != 0
    }
}

/// A receipt at a mark.
#[derive(Debug)]
pub struct Receipt<'a, N> {
    pub id: i64,
    pub sent_at: i64,
    /// 0: none.
    pub variant: i32,
    /// Sent although held out.
    pub held_out: bool,
    pub had: Had,
    pub goals: &'a [OfGoal<N>],
}

impl<N> Receipt<'_, N> {
    /// True if the person is compared by it.
    fn is_compared(&self) -> bool {
        !self.held_out && !self.had.is(ENTERED_BEFORE)
    }

    /// True if it counts as sent.
    fn counts(&self) -> bool {
        !self.had.is(WITHDRAWN | ENTERED_BEFORE)
    }
}

/// What happened to a receipt, and by it, for a goal or whatever its goals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Is {
    sent: bool,
    opened: bool,
    clicked: bool,
    already_matched: bool,
    matched: bool,
    matched_after_open: bool,
    matched_after_click: bool,
    delivered: bool,
    bounced: bool,
    complained: bool,
    unsubscribed: bool,
    opened_by_machine: bool,
    clicked_by_machine: bool,
    held_out: bool,
    eligible: bool,
    withdrawn: bool,
    /// The first one of a person in one variant; only whatever its goals.
    assigned: bool,
    /// The first one of another person; only whatever its goals.
    mixed: bool,
    /// The person is a user from when it matures.
    user: bool,
}

/// A receipt as it is counted for a goal, or, with the goal 0, whatever its goals.
#[derive(Debug, PartialEq)]
struct Counted<'a, N> {
    /// The goal's; None for the goal 0.
    name: Option<u32>,
    id: i64,
    goal: i32,
    variant: i32,
    sent_at: i64,
    opened_at: Option<i64>,
    clicked_at: Option<i64>,
    found: Option<&'a Match<N>>,
    is: Is,
}

impl<'a, N> Counted<'a, N> {
    /// Whatever its goals.
    fn of(receipt: &Receipt<'a, N>) -> Counted<'a, N> {
        let (had, counts) = (&receipt.had, receipt.counts());
        let is = Is {
            sent: counts,
            opened: counts && had.opened_at.is_some(),
            clicked: counts && had.clicked_at.is_some(),
            delivered: counts && had.is(DELIVERED),
            bounced: counts && had.is(BOUNCED),
            complained: counts && had.is(COMPLAINED),
            unsubscribed: counts && had.is(UNSUBSCRIBED),
            opened_by_machine: counts && had.is(OPENED_BY_MACHINE),
            clicked_by_machine: counts && had.is(CLICKED_BY_MACHINE),
            held_out: receipt.held_out && !had.is(ENTERED_BEFORE),
            eligible: receipt.is_compared(),
            withdrawn: receipt.is_compared() && !counts,
            ..Is::default()
        };
        Counted {
            name: None,
            id: receipt.id,
            goal: 0,
            variant: receipt.variant,
            sent_at: receipt.sent_at,
            opened_at: had.opened_at,
            clicked_at: had.clicked_at,
            found: None,
            is,
        }
    }

    /// For one of its goals.
    fn of_goal(receipt: &Receipt<'a, N>, of_goal: &'a OfGoal<N>, goal: &Goal<N>) -> Counted<'a, N> {
        let (found, mut counted) = (of_goal.found.as_deref(), Counted::of(receipt));
        let matched_by = |at: Option<i64>| found.is_some_and(|found| at.is_some_and(|at| at <= found.at));
        let is = &mut counted.is;
        is.already_matched = is.sent && of_goal.already;
        is.matched = is.sent && found.is_some();
        is.matched_after_open = is.sent && matched_by(counted.opened_at);
        is.matched_after_click = is.sent && matched_by(counted.clicked_at);
        is.eligible &= !of_goal.already;
        is.withdrawn &= !of_goal.already;
        Counted { name: Some(goal.name), goal: goal.id, found, ..counted }
    }

    /// In which order they are.
    fn order(&self) -> (Option<u32>, i64, i64) {
        (self.name, self.sent_at, self.id)
    }
}

/// A matched receipt by which a person is a converter.
#[derive(Debug, PartialEq)]
struct Turn<N> {
    /// The place of its goal among the goals.
    goal: u32,
    variant: i32,
    sent_at: i64,
    /// When it matures.
    closes: i64,
    id: i64,
    change: Change,
    /// True if it is the first with its change to mature: then the change is worth something here.
    is_entry: bool,
    /// The most that its change is worth, in the first.
    gain: N,
    first: First,
}

/// The first receipt of a person for a goal of one name.
#[derive(Clone, Copy, Debug, PartialEq)]
struct First {
    /// The place of its goal among the goals.
    goal: u32,
    sent_at: i64,
    closes: i64,
}

/// What was a match: its time, and the event's row, or the attribute or event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change(i64, Cause);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Row(i64),
    About(u32),
}

impl<N: Worth> Turn<N> {
    /// The turn of a receipt of a user; None if it makes nobody a converter.
    fn of(receipt: &Receipt<N>, of_goal: &OfGoal<N>, goal: &Goal<N>, first: First) -> Option<Turn<N>> {
        let found = of_goal.found.as_ref().filter(|_| receipt.is_compared())?;
        let begun = match goal.after {
            After::Sent => None,
            After::Opened => Some(receipt.had.opened_at),
            After::Clicked => Some(receipt.had.clicked_at),
        };
        let in_time = |at: i64| at <= receipt.sent_at.saturating_add(goal.opens_within);
        if begun.is_some_and(|at| !at.is_some_and(in_time)) {
            return None;
        }
        Some(Turn {
            goal: of_goal.goal,
            variant: receipt.variant,
            sent_at: receipt.sent_at,
            closes: closes(receipt, goal),
            id: receipt.id,
            change: Change(found.at, found.cause.map_or(Cause::About(goal.about), Cause::Row)),
            is_entry: true,
            gain: found.worth.clone().unwrap_or_else(N::nothing),
            first,
        })
    }

    /// Takes in what another one with the same change is worth.
    fn take_in(&mut self, other: &mut Turn<N>) {
        other.is_entry = false;
        if other.gain.is_above(&self.gain) {
            self.gain = other.gain.clone();
        }
    }
}

/// Puts the turns of a person for the goals of one name into their order, and finds those that are worth something.
fn put_in_order<N: Worth>(turns: &mut [Turn<N>]) {
    if turns.len() < 2 {
        return;
    }
    turns.sort_unstable_by_key(|turn| (turn.change, turn.closes, turn.id));
    for of_change in turns.chunk_by_mut(|one, other| one.change == other.change) {
        let (entry, others) = of_change.split_at_mut(1);
        others.iter_mut().for_each(|other| entry[0].take_in(other));
    }
    turns.sort_unstable_by_key(|turn| (turn.closes, turn.id));
}

/// By what a person becomes a converter, or worth more.
struct Step<N> {
    /// The goal, and the time of sending, by which it is added.
    goal: i32,
    sent_at: i64,
    variant: i32,
    is_conversion: bool,
    worth: N,
    counted: N,
    squares: N,
}

/// Calls `see` with the steps that turns amount to: those of a person for the goals of one name, in their order.
fn steps<N: Worth>(
    goals: &[Goal<N>],
    turns: &[Turn<N>],
    mut see: impl FnMut(Step<N>) -> Result<(), NoRoom>,
) -> Result<(), NoRoom> {
    let mut so_far = N::nothing();
    for (i, turn) in turns.iter().enumerate().filter(|(_, turn)| turn.is_entry) {
        let cap = goals[turn.first.goal as usize].cap.as_ref();
        let before = so_far.clone();
        so_far = so_far.plus(&turn.gain);
        let (now, then) = (capped(&so_far, cap), capped(&before, cap));
        let counted = now.minus(&then);
        let squares = counted.times(&now.plus(&then));
        // Who could not be compared before the first receipt is mature is not before then.
        let is_later = turn.closes > turn.first.closes;
        let (goal, sent_at) = if is_later { (turn.goal, turn.sent_at) } else { (turn.first.goal, turn.first.sent_at) };
        see(Step {
            goal: goals[goal as usize].id,
            sent_at,
            variant: turn.variant,
            is_conversion: i == 0,
            worth: turn.gain.clone(),
            counted,
            squares,
        })?;
    }
    Ok(())
}

/// When a receipt matures.
fn closes<N>(receipt: &Receipt<N>, goal: &Goal<N>) -> i64 {
    receipt.sent_at.saturating_add(goal.matures_in)
}

/// What counts of a worth.
fn capped<N: Worth>(worth: &N, cap: Option<&N>) -> N {
    cap.filter(|cap| worth.is_above(cap)).unwrap_or(worth).clone()
}

/// Two matched receipts of a person that follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair {
    name: u32,
    variant: i32,
    first_day: i32,
    second_day: i32,
}

/// A receipt and one of its goals, by their places, in the order of names, of sending and of ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    name: u32,
    receipt: u32,
    goal: u32,
}

/// What the receipts of a person for a message amount to at a mark.
struct Sheet<'a, N> {
    /// In their order.
    counted: Vec<Counted<'a, N>>,
    /// By names of goals, those of each in their order.
    turns: Vec<Turn<N>>,
    pairs: Vec<Pair>,
}

/// Judges people one after the other.
pub struct Judge<'a, N> {
    goals: &'a [Goal<N>],
    only: Option<u32>,
    // Kept for the next person.
    places: Vec<Place>,
    then: Sheet<'a, N>,
    now: Sheet<'a, N>,
}

impl<'a, N: Worth> Judge<'a, N> {
    /// By these goals. `only`: of goals with this name, and of the receipts themselves.
    pub fn new(goals: &'a [Goal<N>], only: Option<u32>) -> Judge<'a, N> {
        let sheet = || Sheet { counted: Vec::new(), turns: Vec::new(), pairs: Vec::new() };
        Judge { goals, only, places: Vec::new(), then: sheet(), now: sheet() }
    }

    /// Takes away what the receipts of a person for a message amounted to at a mark, and adds what they amount to at
    /// another one. What is the same at both touches no total.
    pub fn change(
        &mut self,
        totals: &mut Totals<N>,
        message: i32,
        then: &mut [Receipt<'a, N>],
        now: &mut [Receipt<'a, N>],
    ) -> Result<(), NoRoom> {
        self.then.fill(self.goals, self.only, &mut self.places, then)?;
        self.now.fill(self.goals, self.only, &mut self.places, now)?;
        totals.change(message, self.goals, &self.then, &self.now)
    }
}

impl<'a, N: Worth> Sheet<'a, N> {
    fn fill(
        &mut self,
        goals: &'a [Goal<N>],
        only: Option<u32>,
        places: &mut Vec<Place>,
        receipts: &mut [Receipt<'a, N>],
    ) -> Result<(), NoRoom> {
        self.counted.clear();
        self.turns.clear();
        self.pairs.clear();
        places.clear();
        receipts.sort_unstable_by_key(|receipt| (receipt.sent_at, receipt.id));
        let compared = |receipt: &&Receipt<N>| receipt.is_compared();
        let first = receipts.iter().position(|receipt| receipt.is_compared());
        let variant = first.map_or(0, |first| receipts[first].variant);
        let is_mixed = receipts.iter().filter(compared).any(|receipt| receipt.variant != variant);
        for (i, receipt) in receipts.iter().enumerate() {
            let mut counted = Counted::of(receipt);
            counted.is.assigned = first == Some(i) && !is_mixed;
            counted.is.mixed = first == Some(i) && is_mixed;
            push(&mut self.counted, counted)?;
            for (j, of_goal) in receipt.goals.iter().enumerate() {
                let name = goals[of_goal.goal as usize].name;
                if only.is_none_or(|only| only == name) {
                    push(places, Place { name, receipt: i as u32, goal: j as u32 })?;
                }
            }
        }
        places.sort_unstable();
        for of_name in places.chunk_by(|one, other| one.name == other.name) {
            self.fill_goal(goals, receipts, of_name, is_mixed)?;
        }
        Ok(())
    }

    /// For the goals of one name. `is_mixed`: the person has receipts of two variants.
    fn fill_goal(
        &mut self,
        goals: &'a [Goal<N>],
        receipts: &[Receipt<'a, N>],
        places: &[Place],
        is_mixed: bool,
    ) -> Result<(), NoRoom> {
        let at = |place: &Place| {
            let receipt = &receipts[place.receipt as usize];
            let of_goal = &receipt.goals[place.goal as usize];
            (receipt, of_goal, &goals[of_goal.goal as usize])
        };
        let compared = places.iter().position(|place| at(place).0.is_compared());
        let (first, of_first, goal) = at(&places[compared.unwrap_or(0)]);
        let is_in = !of_first.already && !is_mixed;
        let first = First { goal: of_first.goal, sent_at: first.sent_at, closes: closes(first, goal) };
        let turns = self.turns.len();
        // The last day of a matched receipt per variant; there are few variants.
        let mut last: SmallVec<[(i32, i32); 2]> = SmallVec::new();
        for (i, place) in places.iter().enumerate() {
            let (receipt, of_goal, goal) = at(place);
            let mut counted = Counted::of_goal(receipt, of_goal, goal);
            counted.is.user = is_in && compared == Some(i);
            if counted.is.matched {
                let (name, variant, day) = (goal.name, receipt.variant, day_of(receipt.sent_at));
                if let Some((_, last)) = last.iter_mut().find(|(of, _)| *of == variant) {
                    push(&mut self.pairs, Pair { name, variant, first_day: *last, second_day: day })?;
                    *last = day;
                } else {
                    if last.len() == last.capacity() {
                        asked(|| last.try_reserve(1))?;
                    }
                    last.push((variant, day));
                }
            }
            push(&mut self.counted, counted)?;
            if is_in && let Some(turn) = Turn::of(receipt, of_goal, goal, first) {
                push(&mut self.turns, turn)?;
            }
        }
        put_in_order(&mut self.turns[turns..]);
        Ok(())
    }
}

fn push<T>(items: &mut Vec<T>, item: T) -> Result<(), NoRoom> {
    if items.len() == items.capacity() {
        room(items, 1)?;
    }
    items.push(item);
    Ok(())
}

#[cfg(test)]
mod tests;
