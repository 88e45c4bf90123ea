//! Judges many conditions on one attribute together: a change costs about the same with ten thousand as with ten.
//!
//! Equal conditions are judged once. Numbers and whole texts are found by a binary search. Parts of texts are found by
//! one automaton (Aho and Corasick) in one pass over the text. It needs no copy of the text in lower case.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::nfa::noncontiguous;

use super::condition::{Condition, Operand};
use super::decimal::Decimal;
use super::operator::Operator;
use super::room;
use super::text::{self, TextEquality};
use super::value::Value;

/// The distinct conditions of the goals on one attribute. A condition's place is its number, from 0 in the order of
/// adding.
#[derive(Debug, Default)]
pub struct ConditionIndex {
    all: Vec<Condition>,
    /// The conditions that compare with one number, by that number.
    greater_than: Thresholds,
    at_least: Thresholds,
    less_than: Thresholds,
    at_most: Thresholds,
    /// `is` and `is any of`, by the values they compare with.
    equal: Operands,
    /// `contains` and `does not contain`, by the list elements they look for.
    elements: Operands,
    /// `does not contain`.
    negative: Vec<u32>,
    /// The conditions that look for a part of a text.
    searching: Vec<u32>,
    /// Built when a text is first looked at: not every session changes every attribute.
    search: OnceCell<Search>,
    /// All other conditions, which are judged one by one.
    rest: Vec<u32>,
    marks: Marks,
}

/// Numbers and the conditions that compare with them, in the order of the numbers.
type Thresholds = Vec<(Decimal, u32)>;

impl ConditionIndex {
    /// Takes the conditions in this order. Returns the index, and the place of each condition given.
    pub fn new(given: impl IntoIterator<Item = Condition>) -> (Self, Vec<u32>) {
        let mut index = Self::default();
        let mut known: HashMap<Condition, u32> = HashMap::new();
        let places = given.into_iter().map(|condition| {
            // more than four billion conditions do not fit into memory
            let next = index.all.len() as u32;
            let place = *known.entry(condition).or_insert_with_key(|condition| {
                index.all.push(condition.clone());
                next
            });
            if place == next {
                index.file(place);
            }
            place
        });
        let places = places.collect();
        for thresholds in [&mut index.greater_than, &mut index.at_least, &mut index.less_than, &mut index.at_most] {
            thresholds.sort_unstable();
        }
        index.equal.sort(&index.all);
        index.elements.sort(&index.all);
        index.marks = Marks::new(index.all.len());
        (index, places)
    }

    fn file(&mut self, place: u32) {
        let condition = &self.all[place as usize];
        let thresholds = match condition.operator() {
            Operator::GreaterThan => &mut self.greater_than,
            Operator::AtLeast => &mut self.at_least,
            Operator::LessThan => &mut self.less_than,
            Operator::AtMost => &mut self.at_most,
            Operator::Is | Operator::IsAnyOf => return self.equal.add(place, condition),
            Operator::Contains => {
                self.searching.push(place);
                return self.elements.add(place, condition);
            }
            Operator::DoesNotContain => {
                self.searching.push(place);
                self.negative.push(place);
                return self.elements.add(place, condition);
            }
            Operator::StartsWith | Operator::EndsWith => return self.searching.push(place),
            _ => return self.rest.push(place),
        };
        // without a number it never holds
        thresholds.extend(condition.threshold().map(|number| (number.clone(), place)));
    }

    /// The number of distinct conditions.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The condition at a place.
    pub fn get(&self, place: u32) -> &Condition {
        &self.all[place as usize]
    }

    /// Calls `see` once per condition that the step from `old` to `new` satisfies, with its place; see
    /// [`Condition::holds`].
    pub fn holding(&self, old: &Value, new: &Value, eq: &dyn TextEquality, mut see: impl FnMut(u32)) {
        match new {
            Value::Text(text) => self.holding_of_text(text, (old, new), eq, &mut see),
            Value::Number(number) => self.holding_of_number(number, &mut see),
            Value::Boolean(boolean) => {
                let is = |place: &&u32| self.get(**place).operator() == Operator::Is;
                self.equal.of_boolean(*boolean).filter(is).for_each(|place| see(*place));
            }
            Value::List(elements) => self.holding_of_list(elements, &mut see),
            Value::Unknown | Value::Moment | Value::EmptyObject | Value::Document => {}
        }
        for place in &self.rest {
            if self.get(*place).holds(old, new, eq) {
                see(*place);
            }
        }
    }

    fn holding_of_number(&self, number: &Decimal, see: &mut impl FnMut(u32)) {
        self.comparing(number, see);
        self.marks.clear();
        self.equal.of_number(&self.all, number).filter(|place| self.marks.set(*place)).for_each(see);
    }

    /// Whether any condition compares with one number.
    fn compares(&self) -> bool {
        [&self.greater_than, &self.at_least, &self.less_than, &self.at_most].iter().any(|known| !known.is_empty())
    }

    /// The conditions that compare so with a number.
    fn comparing(&self, number: &Decimal, see: &mut impl FnMut(u32)) {
        if !number.is_nan() {
            let below = |thresholds: &Thresholds| thresholds.partition_point(|(n, _)| n < number);
            let up_to = |thresholds: &Thresholds| thresholds.partition_point(|(n, _)| n <= number);
            self.greater_than[..below(&self.greater_than)].iter().for_each(|(_, place)| see(*place));
            self.at_least[..up_to(&self.at_least)].iter().for_each(|(_, place)| see(*place));
            self.less_than[up_to(&self.less_than)..].iter().for_each(|(_, place)| see(*place));
            self.at_most[below(&self.at_most)..].iter().for_each(|(_, place)| see(*place));
        }
    }

    fn holding_of_text(&self, text: &[u8], step: (&Value, &Value), eq: &dyn TextEquality, see: &mut impl FnMut(u32)) {
        if self.compares()
            && let Some(number) = Decimal::parse_plain(text)
        {
            self.comparing(&number, see);
        }
        self.marks.clear();
        if eq.is_exact() {
            self.equal.of_text(&self.all, text).filter(|place| self.marks.set(*place)).for_each(&mut *see);
        } else {
            let equal = self.equal.texts.iter().filter(|entry| eq.equal(text, &entry.operand(&self.all).text));
            equal.map(|entry| entry.place).filter(|place| self.marks.set(*place)).for_each(&mut *see);
        }
        let search = self.search.get_or_init(|| Search::new(&self.all, &self.searching));
        search.find(&self.all, text, |place| {
            if self.marks.set(place) && self.get(place).operator() != Operator::DoesNotContain {
                see(place);
            }
        });
        search.negative.iter().filter(|place| self.marks.set(**place)).for_each(|place| see(*place));
        for place in &search.alone {
            if self.get(*place).holds(step.0, step.1, eq) {
                see(*place);
            }
        }
    }

    fn holding_of_list(&self, elements: &[Value], see: &mut impl FnMut(u32)) {
        self.marks.clear();
        let mut found = |place: u32| {
            if self.marks.set(place) && self.get(place).operator() == Operator::Contains {
                see(place);
            }
        };
        for element in elements {
            match element {
                Value::Text(text) => self.elements.of_text(&self.all, text).for_each(&mut found),
                Value::Number(number) => self.elements.of_number(&self.all, number).for_each(&mut found),
                Value::Boolean(boolean) => self.elements.of_boolean(*boolean).for_each(|place| found(*place)),
                _ => {}
            }
        }
        self.negative.iter().filter(|place| self.marks.set(**place)).for_each(|place| see(*place));
    }
}

/// Values that conditions compare with for equality, each kind in its order.
#[derive(Debug, Default)]
struct Operands {
    texts: Vec<Entry>,
    numbers: Vec<Entry>,
    /// The conditions with a value that reads as false, and those with one that reads as true.
    booleans: [Vec<u32>; 2],
}

/// One value of a condition.
#[derive(Clone, Copy, Debug)]
struct Entry {
    place: u32,
    number: u32,
}

impl Entry {
    fn operand(self, all: &[Condition]) -> &Operand {
        &all[self.place as usize].operands()[self.number as usize]
    }
}

impl Operands {
    fn add(&mut self, place: u32, condition: &Condition) {
        for (number, operand) in condition.operands().iter().enumerate() {
            let entry = Entry { place, number: number as u32 };
            self.texts.push(entry);
            self.numbers.extend(operand.number.as_ref().map(|_| entry));
            if let Some(boolean) = operand.boolean {
                self.booleans[usize::from(boolean)].push(place);
            }
        }
    }

    fn sort(&mut self, all: &[Condition]) {
        self.texts.sort_unstable_by_key(|entry| &entry.operand(all).text);
        self.numbers.sort_unstable_by_key(|entry| &entry.operand(all).number);
    }

    /// The conditions with this text among their values. A condition may come twice.
    fn of_text(&self, all: &[Condition], text: &[u8]) -> impl Iterator<Item = u32> {
        let from = self.texts.partition_point(|entry| *entry.operand(all).text < *text);
        self.texts[from..].iter().take_while(move |entry| *entry.operand(all).text == *text).map(|entry| entry.place)
    }

    /// The conditions with this number among their values. A condition may come twice.
    fn of_number(&self, all: &[Condition], number: &Decimal) -> impl Iterator<Item = u32> {
        let from = self.numbers.partition_point(|entry| entry.operand(all).number.as_ref() < Some(number));
        let equal = move |entry: &&Entry| entry.operand(all).number.as_ref() == Some(number);
        self.numbers[from..].iter().take_while(equal).map(|entry| entry.place)
    }

    fn of_boolean(&self, boolean: bool) -> impl Iterator<Item = &u32> {
        self.booleans[usize::from(boolean)].iter()
    }
}

/// Marks the conditions met in the current change, without an allocation per change.
#[derive(Debug, Default)]
struct Marks {
    change: Cell<u32>,
    /// Per condition, the last change in which it was met.
    last: Vec<Cell<u32>>,
}

impl Marks {
    fn new(count: usize) -> Self {
        Self { change: Cell::new(0), last: vec![Cell::new(0); count] }
    }

    fn clear(&self) {
        self.change.set(self.change.get().wrapping_add(1));
        if self.change.get() == 0 {
            self.last.iter().for_each(|last| last.set(0));
            self.change.set(1);
        }
    }

    /// Marks a condition. True if it was not marked.
    fn set(&self, place: u32) -> bool {
        self.last[place as usize].replace(self.change.get()) != self.change.get()
    }
}

/// The conditions that look for a part of a text.
#[derive(Debug)]
struct Search {
    automaton: Option<(NFA, StateID)>,
    /// The conditions in the automaton, by pattern number.
    places: Vec<u32>,
    /// Those of them that hold unless their pattern is found.
    negative: Vec<u32>,
    /// The conditions that are judged one by one.
    alone: Vec<u32>,
}

impl Search {
    /// Up to this many are faster one by one.
    const FEW: usize = 4;
    /// The most bytes that all needles of an automaton have together. Needles beyond that are judged one by one.
    const MOST_BYTES: usize = 256 * 1024;
    /// States this near to the start have a table of all bytes. There are at most 257 of them.
    const DENSE: usize = 2;
    const DENSE_MEMORY: usize = 1 << 20;
    /// Each other state takes less than this while the automaton is built, and about a tenth of that afterwards.
    const STATE_MEMORY: usize = 128;

    fn new(all: &[Condition], searching: &[u32]) -> Self {
        Self::with_automaton(all, searching, room::is_free).unwrap_or_else(|| Self {
            automaton: None,
            places: Vec::new(),
            negative: Vec::new(),
            alone: searching.to_vec(),
        })
    }

    /// `None` for few conditions, and where there is not enough memory.
    fn with_automaton(all: &[Condition], searching: &[u32], is_free: fn(usize) -> bool) -> Option<Self> {
        let mut bytes = 0;
        let (places, alone): (Vec<u32>, Vec<u32>) = searching.iter().partition(|place| {
            let length = needle(all, **place).len();
            let fits = length > 0 && bytes + length <= Self::MOST_BYTES;
            bytes += if fits { length } else { 0 };
            fits
        });
        if places.len() <= Self::FEW || !is_free(bytes * Self::STATE_MEMORY + Self::DENSE_MEMORY) {
            return None;
        }
        let needles = places.iter().map(|place| needle(all, *place));
        let first = noncontiguous::NFA::builder().prefilter(false).dense_depth(Self::DENSE).build(needles).ok()?;
        let automaton = NFA::builder().dense_depth(Self::DENSE).build_from_noncontiguous(&first).ok()?;
        let start = automaton.start_state(Anchored::No).ok()?;
        let is_negative = |place: &u32| all[*place as usize].operator() == Operator::DoesNotContain;
        let negative = places.iter().copied().filter(is_negative).collect();
        Some(Self { automaton: Some((automaton, start)), places, negative, alone })
    }

    /// Calls `found` with each condition of the automaton whose part is at the place it is looked for. Some come
    /// repeatedly.
    fn find(&self, all: &[Condition], text: &[u8], found: impl FnMut(u32)) {
        if text.is_ascii() {
            self.walk(all, text.iter().map(u8::to_ascii_lowercase), found);
        } else {
            self.walk(all, text::folded(text), found);
        }
    }

    fn walk(&self, all: &[Condition], text: impl Iterator<Item = u8>, mut found: impl FnMut(u32)) {
        let Some((automaton, start)) = &self.automaton else { return };
        let mut state = *start;
        let mut length = 0;
        let places =
            |state| (0..automaton.match_len(state)).map(move |i| self.places[automaton.match_pattern(state, i)]);
        for byte in text {
            state = automaton.next_state(Anchored::No, state, byte);
            length += 1;
            if automaton.is_match(state) {
                for place in places(state) {
                    match all[place as usize].operator() {
                        Operator::EndsWith => {}
                        Operator::StartsWith if length > needle(all, place).len() => {}
                        _ => found(place),
                    }
                }
            }
        }
        if automaton.is_match(state) {
            let ends = |place: &u32| all[*place as usize].operator() == Operator::EndsWith;
            places(state).filter(ends).for_each(found);
        }
    }
}

/// The part of a text that a condition looks for, in lower case.
fn needle(all: &[Condition], place: u32) -> &[u8] {
    all[place as usize].operands().first().map_or(&[], |operand| &operand.folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{CaseFolded, Exact};
    use crate::value::Kind;
    use proptest::prelude::*;

    fn condition(operator: Operator, value: &str) -> Option<Condition> {
        use crate::operator::Needs;
        let list = format!("{{{value}}}");
        let value = match operator.needs() {
            Needs::None => None,
            Needs::One => Some(value),
            Needs::List => Some(list.as_str()),
        };
        Condition::new(Kind::Json, "jsonb", operator, value).ok()
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let value = prop_oneof!["-?[0-3](\\.[05]0?)?", "[aAb]{0,2}", "[aÉİ]{1,2}", "true|false", "Infinity|-Infinity"];
        (prop::sample::select(&Operator::ALL[..]), value).prop_filter_map("refused", |(o, v)| condition(o, &v))
    }

    fn any_element() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Unknown),
            any::<bool>().prop_map(Value::Boolean),
            "[0-3]".prop_map(|n| Value::Number(Decimal::parse(&n).unwrap())),
            "[aAb]".prop_map(|t| Value::Text(t.into_bytes().into())),
        ]
    }

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Unknown),
            Just(Value::Document),
            Just(Value::EmptyObject),
            any::<bool>().prop_map(Value::Boolean),
            prop_oneof!["-?[0-3](\\.[05]0?)?", "NaN|Infinity|-Infinity"]
                .prop_map(|n| Value::Number(Decimal::parse(&n).unwrap())),
            "[aAbéÉİ]{0,4}|-?[0-3](\\.[05]0?)?".prop_map(|t| Value::Text(t.into_bytes().into())),
            prop::collection::vec(any_element(), 0..3).prop_map(Value::List),
        ]
    }

    proptest! {
        #[test]
        fn together_they_hold_as_each_does_alone(
            given in prop::collection::vec(any_condition(), 0..40), old in any_value(), new in any_value(), fold: bool
        ) {
            let eq: &dyn TextEquality = if fold { &CaseFolded } else { &Exact };
            let (conditions, places) = ConditionIndex::new(given.clone());
            let mut held = Vec::new();
            conditions.holding(&old, &new, eq, |place| held.push(place));
            let seen = held.len();
            held.sort_unstable();
            held.dedup();
            prop_assert_eq!(seen, held.len(), "a condition was seen twice");
            for (condition, place) in given.iter().zip(&places) {
                prop_assert_eq!(conditions.get(*place), condition);
                prop_assert_eq!(held.binary_search(place).is_ok(), condition.holds(&old, &new, eq), "{:?}", condition);
            }
        }
    }

    fn holding(index: &ConditionIndex, text: &str) -> Vec<u32> {
        let mut held = Vec::new();
        index.holding(&Value::Unknown, &Value::text(text.as_bytes()), &Exact, |place| held.push(place));
        held.sort_unstable();
        held
    }

    fn looking_for(needles: &[&str]) -> ConditionIndex {
        let text = |needle: &&str| Condition::new(Kind::Text, "text", Operator::Contains, Some(*needle)).unwrap();
        ConditionIndex::new(needles.iter().map(text)).0
    }

    #[test]
    fn what_an_automaton_has_no_room_for_is_looked_for_all_the_same() {
        let long = "x".repeat(Search::MOST_BYTES);
        let index = looking_for(&["a", "ab", "abc", "b", "c", &long, ""]);
        assert_eq!(holding(&index, "an aB"), [0, 1, 3, 6]);
        assert_eq!(holding(&index, &format!("c{long}")), [4, 5, 6]);
        let search = Search::new(&index.all, &index.searching);
        assert_eq!((search.places, search.alone), (vec![0, 1, 2, 3, 4], vec![5, 6]));
        assert!(Search::with_automaton(&index.all, &index.searching, |_| false).is_none());
    }

    #[test]
    fn the_beginning_of_a_text_is_not_looked_for_behind_it() {
        let starts = |needle: &&str| condition(Operator::StartsWith, needle).unwrap();
        let (index, _) = ConditionIndex::new(["ab", "b", "bc", "abc", "bca", "x"].iter().map(starts));
        assert_eq!(holding(&index, "abcab"), [0, 3]);
        assert_eq!(holding(&index, "bcab"), [1, 2, 4]);
        assert!(Search::new(&index.all, &index.searching).automaton.is_some());
    }

    #[test]
    fn a_text_looked_for_and_its_opposite_are_found_in_any_script() {
        let looked_for = ["a", "b", "é", "d"].map(|needle| (Operator::Contains, needle));
        let conditions =
            [&looked_for[..], &[(Operator::DoesNotContain, "b"), (Operator::DoesNotContain, "x")]].concat();
        let held = |text: &str| held_by(&conditions, &Exact, &Value::text(text.as_bytes()));
        assert_eq!((held("AB"), held("dÉ"), held("x")), (vec![0, 1, 5], vec![2, 3, 4, 5], vec![4]));
    }

    #[test]
    fn few_texts_are_looked_for_one_by_one() {
        let index = looking_for(&["a", "b", "c", "d"]);
        assert_eq!(holding(&index, "BAD"), [0, 1, 3]);
        assert_eq!(Search::new(&index.all, &index.searching).alone, [0, 1, 2, 3]);
    }

    #[test]
    fn an_automaton_takes_less_memory_than_is_asked_for() {
        for needles in [
            (0..10_000).map(|i| format!("word{i}")).collect::<Vec<_>>(),
            (0..256u32).map(|i| char::from_u32(0x4E00 + 97 * i).unwrap().to_string()).collect(),
            (0..50).map(|i| format!("{}b", "a".repeat(i))).collect(),
        ] {
            let bytes = needles.iter().map(String::len).sum::<usize>();
            let index = looking_for(&needles.iter().map(String::as_str).collect::<Vec<_>>());
            let search = Search::new(&index.all, &index.searching);
            let memory = search.automaton.unwrap().0.memory_usage();
            assert!(memory * 4 < bytes * Search::STATE_MEMORY + Search::DENSE_MEMORY, "{memory} for {bytes}");
        }
    }

    #[test]
    fn marks_of_a_change_are_gone_in_the_next_even_after_four_billion() {
        let marks = Marks::new(2);
        marks.clear();
        assert!(marks.set(0) && !marks.set(0));
        marks.change.set(u32::MAX);
        assert!(marks.set(1));
        marks.clear();
        assert!(marks.set(0) && marks.set(1) && !marks.set(1));
    }

    fn held_by(conditions: &[(Operator, &str)], eq: &dyn TextEquality, new: &Value) -> Vec<u32> {
        let (index, _) =
            ConditionIndex::new(conditions.iter().map(|(operator, value)| condition(*operator, value).unwrap()));
        let mut held = Vec::new();
        index.holding(&Value::Unknown, new, eq, |place| held.push(place));
        held.sort_unstable();
        held
    }

    #[test]
    fn a_number_is_compared_with_every_threshold_and_nan_with_none() {
        let thresholds = [
            (Operator::GreaterThan, "1"),
            (Operator::AtLeast, "2"),
            (Operator::LessThan, "2"),
            (Operator::AtMost, "1"),
        ];
        let held = |number: &str| held_by(&thresholds, &Exact, &Value::Number(Decimal::parse(number).unwrap()));
        assert_eq!(held("1"), [2, 3]);
        assert_eq!(held("1.5"), [0, 2]);
        assert_eq!(held("2"), [0, 1]);
        assert_eq!(held("NaN"), [0u32; 0]);
    }

    #[test]
    fn a_change_is_seen_whatever_the_value() {
        let conditions = [(Operator::Is, "true"), (Operator::IsAnyOf, "true,1"), (Operator::HasAnyValue, "")];
        let held = |new: &Value| held_by(&conditions, &Exact, new);
        assert_eq!((held(&Value::Boolean(true)), held(&Value::Unknown)), (vec![0, 2], vec![]));
    }

    #[test]
    fn a_text_that_is_a_number_is_compared_as_one() {
        let held = |text: &str| {
            held_by(&[(Operator::GreaterThan, "1"), (Operator::Is, "2")], &Exact, &Value::text(text.as_bytes()))
        };
        assert_eq!((held("2"), held("3"), held("two")), (vec![0, 1], vec![0], vec![]));
    }

    #[test]
    fn a_text_equal_by_collation_is_found_once() {
        let conditions = [(Operator::Is, "Pro"), (Operator::IsAnyOf, "PRO,pro"), (Operator::Is, "free")];
        let pro = Value::text(b"pRO");
        assert_eq!((held_by(&conditions, &CaseFolded, &pro), held_by(&conditions, &Exact, &pro)), (vec![0, 1], vec![]));
    }

    #[test]
    fn equal_conditions_have_one_place() {
        let is = |value| condition(Operator::Is, value).unwrap();
        let (conditions, places) = ConditionIndex::new([is("1"), is("2"), is("1"), is("1.0")]);
        // equal as numbers, different as texts
        assert_eq!(places, [0, 1, 0, 2]);
        assert_eq!((conditions.count(), ConditionIndex::default().count()), (3, 0));
    }

    #[test]
    fn an_element_that_a_list_has_twice_is_seen_once() {
        let of = |operator| condition(operator, "a").unwrap();
        let (index, _) = ConditionIndex::new([of(Operator::Contains), of(Operator::DoesNotContain)]);
        let holding = |texts: &[&str]| {
            let list = texts.iter().map(|text| Value::text(text.as_bytes())).collect();
            let mut held = Vec::new();
            index.holding(&Value::Unknown, &Value::List(list), &Exact, |place| held.push(place));
            held
        };
        assert_eq!(holding(&["a", "b", "a"]), [0]);
        assert_eq!(holding(&["b", "b"]), [1]);
    }
}
