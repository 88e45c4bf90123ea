use super::known::*;
use super::totals::*;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

impl Worth for i64 {
    fn nothing() -> i64 {
        0
    }
    fn is_nothing(&self) -> bool {
        *self == 0
    }
    fn plus(&self, other: &i64) -> i64 {
        self + other
    }
    fn minus(&self, other: &i64) -> i64 {
        self - other
    }
    fn times(&self, other: &i64) -> i64 {
        self * other
    }
    fn is_above(&self, other: &i64) -> bool {
        self > other
    }
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
const MESSAGE: i32 = 7;

/// A receipt with what it owns. Times are in hours.
#[derive(Clone, Debug)]
struct Given {
    id: i64,
    sent_at: i64,
    variant: i32,
    held_out: bool,
    reports: Vec<(u8, bool, i64)>,
    /// Per goal: whether it held, and the match.
    goals: Vec<(u32, bool, Option<Match<i64>>)>,
}

fn sent(id: i64, sent_at: i64) -> Given {
    Given { id, sent_at, variant: 1, held_out: false, reports: vec![], goals: vec![(0, false, None)] }
}

impl Given {
    fn matched(mut self, at: i64, worth: i64) -> Given {
        self.goals[0].2 = Some(Match { at: at * HOUR, cause: Some(at), worth: Some(worth) });
        self
    }

    fn reported(mut self, kind: u8, at: i64) -> Given {
        self.reports.push((kind, false, at));
        self
    }

    fn had(&self) -> Had {
        let mut had = Had::default();
        self.reports.iter().for_each(|(kind, by_machine, at)| had.report(*kind, *by_machine, at * HOUR));
        had
    }

    fn receipt<'a>(&self, goals: &'a [OfGoal<i64>]) -> Receipt<'a, i64> {
        let (sent_at, variant, held_out) = (self.sent_at * HOUR, self.variant, self.held_out);
        Receipt { id: self.id, sent_at, variant, held_out, had: self.had(), goals }
    }

    fn of_goals(&self) -> Vec<OfGoal<i64>> {
        let of_goal = |(goal, already, found): &(u32, bool, Option<Match<i64>>)| {
            let mut of_goal = OfGoal::new(*goal, *already);
            if let Some(found) = found {
                of_goal.hit(1, || found.clone());
            }
            of_goal
        };
        self.goals.iter().map(of_goal).collect()
    }
}

fn goal(id: i32, name: u32, after: After, days: i64, cap: Option<i64>) -> Goal<i64> {
    let until_open = if after == After::Sent { 0 } else { days * DAY };
    let (opens_within, matures_in) = (days * DAY, days * DAY + until_open);
    Goal { id, name, about: name, times: 1, after, opens_within, matures_in, cap }
}

/// Changes totals from what receipts of a person amounted to to what some amount to.
fn change(totals: &mut Totals<i64>, goals: &[Goal<i64>], only: Option<u32>, then: &[Given], now: &[Given]) {
    let of_goals = [then, now].map(|given| given.iter().map(Given::of_goals).collect::<Vec<_>>());
    let [mut then, mut now] = [0, 1].map(|i| {
        let given = [then, now][i];
        given.iter().zip(&of_goals[i]).map(|(given, goals)| given.receipt(goals)).collect::<Vec<_>>()
    });
    Judge::new(goals, only).change(totals, MESSAGE, &mut then, &mut now).unwrap();
}

fn totals(goals: &[Goal<i64>], given: &[Given]) -> Totals<i64> {
    let mut totals = Totals::new(false);
    change(&mut totals, goals, None, &[], given);
    totals
}

fn week() -> Vec<Goal<i64>> {
    vec![goal(1, 0, After::Sent, 7, None)]
}

impl Totals<i64> {
    /// The total of a goal and day of sending, for the first variant.
    fn day(&self, goal: i32, day: i32) -> DayTotal<i64> {
        self.days.get(&(Of { message: MESSAGE, goal, variant: 1 }, day)).cloned().unwrap_or_default()
    }

    fn is_zero(&self) -> bool {
        self.days.values().all(DayTotal::is_zero)
            && self.slots.values().all(SlotTotal::is_zero)
            && self.ages.values().all(|total| *total == AgeTotal::default())
            && self.pairs.values().all(|pairs| *pairs == 0)
    }
}

fn people(total: &DayTotal<i64>) -> [i64; 5] {
    let of = &total.of_people;
    [of.users, of.converters, of.worth, of.counted_worth, of.counted_worth_squares]
}

#[test]
fn a_receipt_that_matched_is_a_converter_by_the_day_of_sending() {
    let totals = totals(&week(), &[sent(1, 3).reported(b'c', 5).matched(30, 12)]);
    let (of_goal, of_message) = (totals.day(1, 0), totals.day(0, 0));
    assert_eq!(people(&of_goal), [1, 1, 12, 12, 144]);
    assert_eq!([of_goal.sent, of_goal.opened, of_goal.clicked, of_goal.matched, of_goal.worth], [1, 1, 1, 1, 12]);
    assert_eq!([of_goal.matched_after_open, of_goal.matched_after_click, of_goal.eligible], [1, 1, 1]);
    assert_eq!([of_message.sent, of_message.matched, of_message.assigned, of_message.mixed], [1, 0, 1, 0]);
    assert_eq!(people(&of_message), [0; 5]);
    let of = Of { message: MESSAGE, goal: 1, variant: 1 };
    assert_eq!(totals.slots[&(of, 3 * HOUR)].of_people.converters, 1);
    assert_eq!(totals.ages[&(of, 0, 0)], AgeTotal { opened: 1, clicked: 1, matched: 0, matched_eligible: 0 });
    assert_eq!(totals.ages[&(of, 0, 1)], AgeTotal { opened: 0, clicked: 0, matched: 1, matched_eligible: 1 });
}

#[test]
fn who_matches_by_a_later_receipt_is_a_converter_when_that_one_matures() {
    let totals = totals(&week(), &[sent(1, 0), sent(2, 24).matched(30, 5), sent(3, 48).matched(50, 4)]);
    assert_eq!(people(&totals.day(1, 0)), [1, 0, 0, 0, 0]);
    assert_eq!(people(&totals.day(1, 1)), [0, 1, 5, 5, 25]);
    assert_eq!(people(&totals.day(1, 2)), [0, 0, 4, 4, 81 - 25]);
    assert_eq!(totals.pairs.into_iter().collect::<Vec<_>>(), [((MESSAGE, 0, 1, 1, 2), 1)]);
}

#[test]
fn what_matures_before_the_first_receipt_is_added_with_the_first() {
    let goals = vec![goal(1, 0, After::Sent, 7, None), goal(2, 0, After::Sent, 1, None)];
    let mut later = sent(2, 24).matched(30, 5);
    later.goals[0].0 = 1;
    let totals = totals(&goals, &[sent(1, 0), later]);
    assert_eq!(people(&totals.day(1, 0)), [1, 1, 5, 5, 25]);
    assert_eq!(people(&totals.day(2, 1)), [0; 5]);
    assert_eq!(totals.day(2, 1).matched, 1);
}

#[test]
fn a_change_that_is_a_match_for_several_receipts_is_worth_something_once() {
    let totals = totals(&week(), &[sent(1, 0).matched(30, 5), sent(2, 24).matched(30, 8)]);
    assert_eq!(people(&totals.day(1, 0)), [1, 1, 8, 8, 64]);
    assert_eq!(people(&totals.day(1, 1)), [0; 5]);
    assert_eq!([totals.day(1, 0).worth, totals.day(1, 1).worth], [5, 8]);
}

#[test]
fn a_cap_is_of_a_person() {
    let goals = vec![goal(1, 0, After::Sent, 7, Some(10))];
    let totals = totals(&goals, &[sent(1, 0).matched(1, 8), sent(2, 24).matched(30, 7), sent(3, 48).matched(60, 1)]);
    let counted =
        |day| (totals.day(1, day).of_people.counted_worth, totals.day(1, day).of_people.counted_worth_squares);
    assert_eq!([counted(0), counted(1), counted(2)], [(8, 64), (2, 36), (0, 0)]);
}

#[test]
fn who_has_receipts_of_two_variants_is_in_no_comparison() {
    let other = Given { variant: 2, ..sent(2, 24).matched(30, 8) };
    let of_both = totals(&week(), &[sent(1, 0).matched(10, 5), other.clone()]);
    assert_eq!([of_both.day(0, 0).assigned, of_both.day(0, 0).mixed], [0, 1]);
    assert!(of_both.days.values().all(|total| people(total) == [0; 5]));
    assert_eq!(of_both.day(1, 0).matched, 1);
    // Sent although held out: not compared.
    let of_one = totals(&week(), &[sent(1, 0).matched(10, 5), Given { held_out: true, ..other }]);
    assert_eq!([of_one.day(0, 0).assigned, of_one.day(0, 0).mixed], [1, 0]);
    assert_eq!(people(&of_one.day(1, 0)), [1, 1, 5, 5, 25]);
}

#[test]
fn who_had_matched_before_the_first_receipt_is_no_user() {
    let mut first = sent(1, 0);
    first.goals[0].1 = true;
    let totals = totals(&week(), &[first, sent(2, 24).matched(30, 8)]);
    assert!(totals.days.values().all(|total| people(total) == [0; 5]));
    assert_eq!([totals.day(1, 0).already_matched, totals.day(1, 0).eligible, totals.day(1, 1).eligible], [1, 0, 1]);
}

#[test]
fn withdrawn_receipts_are_compared_and_not_counted() {
    let totals = totals(&week(), &[sent(1, 0).reported(b'o', 1).matched(10, 5).reported(b'w', 2)]);
    let total = totals.day(1, 0);
    assert_eq!([total.sent, total.opened, total.matched, total.worth, total.withdrawn], [0, 0, 0, 0, 1]);
    assert_eq!(people(&total), [1, 1, 5, 5, 25]);
}

#[test]
fn later_entries_are_neither_compared_nor_counted() {
    let totals = totals(&week(), &[sent(1, 0), sent(2, 24).matched(30, 5).reported(b'm', 40)]);
    assert_eq!(totals.day(1, 1), DayTotal::default());
    assert_eq!(people(&totals.day(1, 0)), [1, 0, 0, 0, 0]);
}

#[test]
fn what_was_opened_too_late_counts_as_a_match_and_not_in_comparisons() {
    let goals = vec![goal(1, 0, After::Opened, 1, None)];
    let [late, in_time] = [25, 24].map(|hours| totals(&goals, &[sent(1, 0).reported(b'o', hours).matched(26, 5)]));
    assert_eq!([late.day(1, 0).matched, late.day(1, 0).of_people.converters], [1, 0]);
    assert_eq!([in_time.day(1, 0).matched, in_time.day(1, 0).of_people.converters], [1, 1]);
}

#[test]
fn the_match_is_the_hit_of_that_number() {
    let found = |at| Match { at, cause: None, worth: None::<i64> };
    let mut of_goal = OfGoal::new(0, false);
    [5, 6, 7].into_iter().for_each(|at| of_goal.hit(2, || found(at)));
    assert_eq!(of_goal.found.map(|found| found.at), Some(6));
    let mut already = OfGoal::new(0, true);
    already.hit(1, || found(5));
    assert!(already.found.is_none());
}

#[test]
fn people_are_numbered_by_message_and_key() {
    let mut people = People::default();
    let numbers = [(1, "a"), (1, "b"), (2, "a"), (1, "a"), (2, "a")].map(|(m, key)| people.number(m, key.as_bytes()));
    assert_eq!(numbers.map(Result::unwrap), [0, 1, 2, 0, 2]);
    assert_eq!([people.message(0), people.message(2)], [1, 2]);
}

#[test]
fn people_with_one_hash_are_told_apart() {
    let mut people = People::default();
    let of_one_hash = [(1, "a"), (1, "b"), (2, "a"), (1, "b"), (2, "a"), (1, "a")];
    let numbers = of_one_hash.map(|(message, key)| people.numbered(9, message, key.as_bytes()).unwrap());
    assert_eq!(numbers, [0, 1, 2, 1, 2, 0]);
}

/// A number that knows whether anything was added to it.
#[derive(Clone, Debug, PartialEq)]
struct Sum(i64, bool);

impl Worth for Sum {
    fn nothing() -> Sum {
        Sum(0, false)
    }
    fn is_nothing(&self) -> bool {
        !self.1
    }
    fn plus(&self, other: &Sum) -> Sum {
        Sum(self.0 + other.0, true)
    }
    fn minus(&self, other: &Sum) -> Sum {
        Sum(self.0 - other.0, true)
    }
    fn times(&self, other: &Sum) -> Sum {
        Sum(self.0 * other.0, true)
    }
    fn is_above(&self, other: &Sum) -> bool {
        self.0 > other.0
    }
}

#[test]
fn a_total_is_zero_when_each_of_its_sums_is() {
    let (one, zero) = (Sum(2, true).minus(&Sum(1, true)), Sum(1, true).minus(&Sum(1, true)));
    let of_people = [
        OfPeople { users: 1, ..OfPeople::default() },
        OfPeople { converters: -1, ..OfPeople::default() },
        OfPeople { worth: one.clone(), ..OfPeople::default() },
        OfPeople { counted_worth: zero.minus(&one), ..OfPeople::default() },
        OfPeople { counted_worth_squares: one.times(&one), ..OfPeople::default() },
    ];
    for of_people in of_people {
        assert!(!DayTotal { of_people: of_people.clone(), ..DayTotal::default() }.is_zero());
        assert!(!SlotTotal { of_people, ..SlotTotal::default() }.is_zero());
    }
    assert!(!DayTotal { worth: one.plus(&one), ..DayTotal::default() }.is_zero());
    assert!(!DayTotal::<Sum> { mixed: 1, ..DayTotal::default() }.is_zero());
    assert!(!SlotTotal::<Sum> { matched: 1, ..SlotTotal::default() }.is_zero());
    // A zero that was calculated is one.
    let worth = zero.clone();
    assert!(
        DayTotal { worth, of_people: OfPeople { worth: zero, ..OfPeople::default() }, ..DayTotal::default() }.is_zero()
    );
    assert!(SlotTotal::<Sum>::default().is_zero() && AgeTotal::default().is_zero());
}

/// The same in the manner of the queries by which it was first made: a row per receipt and goal, and per row what the
/// window functions say.
#[derive(Default)]
struct Plain {
    days: BTreeMap<(Of, i32), DayTotal<i64>>,
    slots: BTreeMap<(Of, i64), SlotTotal<i64>>,
    ages: BTreeMap<(Of, i32, i32), AgeTotal>,
    pairs: BTreeMap<(i32, u32, i32, i32, i32), i64>,
}

struct PlainRow<'a> {
    given: &'a Given,
    goal: Option<&'a Goal<i64>>,
    already: bool,
    found: Option<&'a Match<i64>>,
    counts: bool,
    compared: bool,
    closes: i64,
}

fn plain(goals: &[Goal<i64>], given: &[Given]) -> Plain {
    let mut plain = Plain::default();
    let has = |given: &Given, kind: u8| given.reports.iter().any(|report| report.0 == kind);
    let first_by = |given: &Given, kinds: &[u8]| {
        given.reports.iter().filter(|(kind, machine, _)| kinds.contains(kind) && !machine).map(|r| r.2 * HOUR).min()
    };
    let by_machine = |given: &Given, kinds: &[u8]| given.reports.iter().any(|(kind, m, _)| kinds.contains(kind) && *m);
    let mut rows = Vec::new();
    for given in given {
        let (counts, compared) = (!has(given, b'w') && !has(given, b'm'), !given.held_out && !has(given, b'm'));
        let row = PlainRow { given, goal: None, already: false, found: None, counts, compared, closes: 0 };
        rows.push(row);
        for (goal, already, found) in &given.goals {
            let goal = &goals[*goal as usize];
            let found = found.as_ref().filter(|_| !already);
            let closes = given.sent_at * HOUR + goal.matures_in;
            rows.push(PlainRow { given, goal: Some(goal), already: *already, found, counts, compared, closes });
        }
    }
    let same_goal = |a: &PlainRow, b: &PlainRow| a.goal.map(|g| g.name) == b.goal.map(|g| g.name);
    let order = |row: &PlainRow| (!row.compared, row.given.sent_at, row.given.id);
    let variants: Vec<i32> = rows.iter().filter(|row| row.compared).map(|row| row.given.variant).collect();
    let mixed = variants.iter().any(|variant| *variant != variants[0]);
    // True if the row makes the person a converter, or is one of several that do.
    let converts = |row: &PlainRow| {
        let first = rows.iter().filter(|r| same_goal(r, row)).min_by_key(|r| order(r)).unwrap();
        let in_time = row.goal.is_some_and(|goal| {
            let by = row.given.sent_at * HOUR + goal.opens_within;
            match goal.after {
                After::Sent => true,
                After::Opened => first_by(row.given, b"oc").is_some_and(|at| at <= by),
                After::Clicked => first_by(row.given, b"c").is_some_and(|at| at <= by),
            }
        });
        row.found.is_some() && row.compared && !mixed && !first.already && in_time
    };
    let change = |row: &PlainRow| (row.found.unwrap().at, row.found.unwrap().cause, row.goal.map(|goal| goal.about));
    let same_change = |a: &PlainRow, b: &PlainRow| {
        let (a, b) = (change(a), change(b));
        a.0 == b.0 && a.1 == b.1 && (a.1.is_some() || a.2 == b.2)
    };
    for row in &rows {
        let of = Of { message: MESSAGE, goal: row.goal.map_or(0, |goal| goal.id), variant: row.given.variant };
        let (sent_at, n) = (row.given.sent_at * HOUR, i64::from);
        let (opened, clicked) = (first_by(row.given, b"oc"), first_by(row.given, b"c"));
        let first = rows.iter().filter(|r| same_goal(r, row)).min_by_key(|r| order(r)).unwrap();
        let is_first = row.compared && std::ptr::eq(first, row);
        let (counts, eligible) = (row.counts, row.compared && !row.already);
        let is_user = is_first && row.goal.is_some() && !mixed && !row.already;
        let matched_by = |at: Option<i64>| at.is_some_and(|at| row.found.is_some_and(|found| at <= found.at));
        let day = plain.days.entry((of, day_of(sent_at))).or_default();
        day.sent += n(counts);
        day.opened += n(counts && opened.is_some());
        day.clicked += n(counts && clicked.is_some());
        day.already_matched += n(counts && row.already);
        day.matched += n(counts && row.found.is_some());
        day.matched_after_open += n(counts && matched_by(opened));
        day.matched_after_click += n(counts && matched_by(clicked));
        day.worth += n(counts) * row.found.and_then(|found| found.worth).unwrap_or(0);
        day.deliveries += n(counts && has(row.given, b'd'));
        day.bounced += n(counts && has(row.given, b'b'));
        day.complained += n(counts && has(row.given, b'p'));
        day.unsubscribed += n(counts && has(row.given, b'u'));
        day.opened_by_machine += n(counts && by_machine(row.given, b"oc"));
        day.clicked_by_machine += n(counts && by_machine(row.given, b"c"));
        day.held_out += n(row.given.held_out && !has(row.given, b'm'));
        day.eligible += n(eligible);
        day.withdrawn += n(eligible && !counts);
        day.assigned += n(is_first && row.goal.is_none() && !mixed);
        day.mixed += n(is_first && row.goal.is_none() && mixed);
        day.of_people.users += n(is_user);
        let Some(goal) = row.goal else { continue };
        let slot = plain.slots.entry((of, (sent_at.div_euclid(HOUR / 6) * (HOUR / 6)))).or_default();
        slot.sent += n(counts);
        slot.already_matched += n(counts && row.already);
        slot.matched += n(counts && row.found.is_some());
        slot.eligible += n(eligible);
        slot.of_people.users += n(is_user);
        let mut at_age = |at: Option<i64>, [opened, clicked, matched, matched_eligible]: [bool; 4]| {
            let Some(at) = at else { return };
            let total = plain.ages.entry((of, day_of(sent_at), ((at - sent_at) as f64 / DAY as f64).floor() as i32));
            let total = total.or_default();
            total.opened += n(opened);
            total.clicked += n(clicked);
            total.matched += n(matched);
            total.matched_eligible += n(matched_eligible);
        };
        at_age(opened, [counts, false, false, false]);
        at_age(clicked, [false, counts, false, false]);
        at_age(row.found.map(|found| found.at), [false, false, counts, eligible]);
        if counts && row.found.is_some() {
            let before = rows.iter().filter(|r| same_goal(r, row) && r.counts && r.found.is_some());
            let before = before.filter(|r| r.given.variant == row.given.variant);
            let before = before.filter(|r| (r.given.sent_at, r.given.id) < (row.given.sent_at, row.given.id));
            if let Some(before) = before.max_by_key(|r| (r.given.sent_at, r.given.id)) {
                let days = (day_of(before.given.sent_at * HOUR), day_of(sent_at));
                *plain.pairs.entry((MESSAGE, goal.name, row.given.variant, days.0, days.1)).or_default() += 1;
            }
        }
        if !converts(row) {
            continue;
        }
        let turns: Vec<&PlainRow> = rows.iter().filter(|r| same_goal(r, row) && converts(r)).collect();
        let turn = |row: &PlainRow| (row.closes, row.given.id);
        let is_entry = |row: &PlainRow| turns.iter().all(|r| turn(r) >= turn(row) || !same_change(r, row));
        let gain = |row: &PlainRow| {
            let of_change = turns.iter().filter(|r| same_change(r, row));
            of_change.map(|r| r.found.unwrap().worth.unwrap_or(0)).max().unwrap()
        };
        if !is_entry(row) {
            continue;
        }
        let so_far: i64 = turns.iter().filter(|r| is_entry(r) && turn(r) <= turn(row)).map(|r| gain(r)).sum();
        let cap = first.goal.unwrap().cap.unwrap_or(i64::MAX);
        let (now, then) = (so_far.min(cap), (so_far - gain(row)).min(cap));
        let by = if row.closes > first.closes { row } else { first };
        let (of, sent_at) = (Of { goal: by.goal.unwrap().id, ..of }, by.given.sent_at * HOUR);
        let day = &mut plain.days.entry((of, day_of(sent_at))).or_default().of_people;
        let slot = &mut plain.slots.entry((of, (sent_at.div_euclid(HOUR / 6) * (HOUR / 6)))).or_default().of_people;
        for total in [day, slot] {
            total.converters += n(turns.iter().all(|r| turn(r) >= turn(row)));
            total.worth += gain(row);
            total.counted_worth += now - then;
            total.counted_worth_squares += (now - then) * (now + then);
        }
    }
    plain.days.retain(|_, total| !total.is_zero());
    plain.slots.retain(|_, total| !total.is_zero());
    plain.ages.retain(|_, total| *total != AgeTotal::default());
    plain
}

/// Two versions of one goal, and two others.
fn some_goals() -> Vec<Goal<i64>> {
    vec![
        goal(1, 0, After::Sent, 2, Some(9)),
        goal(2, 0, After::Opened, 1, None),
        goal(3, 1, After::Clicked, 1, None),
        Goal { about: 0, ..goal(4, 2, After::Sent, 3, Some(-2)) },
    ]
}

fn a_receipt() -> impl Strategy<Value = Given> {
    let found = (0i64..8, prop::option::of(0i64..2), prop::option::of(-4i64..9));
    let found = found.prop_map(|(at, cause, worth)| Match { at: at * 12 * HOUR, cause, worth });
    let of_goal = (prop::bool::weighted(0.2), prop::option::weighted(0.6, found));
    let report = (select(b"dbocpuwm".to_vec()), prop::bool::weighted(0.2), 0i64..120);
    let held_out = prop::bool::weighted(0.1);
    let variant = prop_oneof![8 => Just(1), 1 => Just(0), 1 => Just(2)];
    (0i64..40, variant, held_out, vec(report, 0..4), vec(of_goal, 3), any::<bool>()).prop_map(
        |(sent_at, variant, held_out, reports, of_goals, is_older)| {
            let goals = [if is_older { 0 } else { 1 }, 2, 3];
            let goals =
                goals.into_iter().zip(of_goals).map(|(goal, (already, found))| (goal, already, found)).collect();
            Given { id: 0, sent_at: sent_at * 3, variant, held_out, reports, goals }
        },
    )
}

fn a_person() -> impl Strategy<Value = Vec<Given>> {
    vec(a_receipt(), 1..6).prop_map(|mut receipts| {
        receipts.iter_mut().enumerate().for_each(|(i, receipt)| receipt.id = i as i64 + 1);
        receipts
    })
}

/// Without what is zero.
fn sorted(totals: Totals<i64>) -> Plain {
    Plain {
        days: totals.days.into_iter().filter(|(_, total)| !total.is_zero()).collect(),
        slots: totals.slots.into_iter().filter(|(_, total)| !total.is_zero()).collect(),
        ages: totals.ages.into_iter().filter(|(_, total)| *total != AgeTotal::default()).collect(),
        pairs: totals.pairs.into_iter().filter(|(_, pairs)| *pairs != 0).collect(),
    }
}

proptest! {
    #[test]
    fn a_person_amounts_to_what_the_plain_way_says(person in a_person(), reversed in any::<bool>()) {
        let (expected, mut person) = (plain(&some_goals(), &person), person);
        if reversed {
            person.reverse();
        }
        let found = sorted(totals(&some_goals(), &person));
        prop_assert_eq!(found.days, expected.days);
        prop_assert_eq!(found.slots, expected.slots);
        prop_assert_eq!(found.ages, expected.ages);
        prop_assert_eq!(found.pairs, expected.pairs);
    }

    #[test]
    fn what_is_taken_away_again_leaves_nothing(one in a_person(), other in a_person()) {
        let mut totals = totals(&some_goals(), &one);
        change(&mut totals, &some_goals(), None, &[], &other);
        change(&mut totals, &some_goals(), None, &one, &[]);
        change(&mut totals, &some_goals(), None, &other, &[]);
        prop_assert!(totals.is_zero());
    }

    #[test]
    fn a_change_leads_from_one_state_to_the_other(then in a_person(), changed in a_person(), kept in vec(any::<bool>(), 6)) {
        let mut now = then.clone();
        for (i, receipt) in changed.iter().enumerate().filter(|(i, _)| !kept[*i]) {
            match now.get_mut(i) {
                // The same receipt, to which more has happened.
                Some(known) => *known = Given { id: known.id, sent_at: known.sent_at, ..receipt.clone() },
                None => now.push(receipt.clone()),
            }
        }
        let mut moved = totals(&some_goals(), &then);
        change(&mut moved, &some_goals(), None, &then, &now);
        let (moved, expected) = (sorted(moved), sorted(totals(&some_goals(), &now)));
        prop_assert_eq!(moved.days, expected.days);
        prop_assert_eq!(moved.slots, expected.slots);
        prop_assert_eq!(moved.ages, expected.ages);
        prop_assert_eq!(moved.pairs, expected.pairs);
        // What stays the same is not touched.
        let mut untouched = Totals::new(false);
        change(&mut untouched, &some_goals(), None, &then, &then);
        prop_assert!(untouched.days.is_empty() && untouched.slots.is_empty() && untouched.ages.is_empty());
    }

    #[test]
    fn of_one_goal_is_what_all_say_of_it(person in a_person(), only in 0u32..4) {
        let mut of_one = Totals::new(true);
        change(&mut of_one, &some_goals(), Some(only), &[], &person);
        let goals = some_goals();
        let is_asked = |of: &Of| of.goal == 0 || goals.iter().any(|goal| goal.id == of.goal && goal.name == only);
        let all = sorted(totals(&goals, &person));
        let of_one = sorted(of_one);
        prop_assert_eq!(of_one.days, all.days.into_iter().filter(|((of, _), _)| is_asked(of)).collect::<BTreeMap<_, _>>());
        prop_assert_eq!(of_one.ages, all.ages.into_iter().filter(|((of, ..), _)| is_asked(of)).collect::<BTreeMap<_, _>>());
        prop_assert!(of_one.slots.keys().all(|(of, at)| is_asked(of) && person.iter().any(|r| r.sent_at * HOUR == *at)));
        prop_assert!(of_one.pairs.keys().all(|(_, name, ..)| *name == only));
    }
}
