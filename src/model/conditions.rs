//! Many conditions on one attribute, judged together: equal ones once, thresholds of numbers by a search instead of one by one.

use std::collections::HashMap;

use super::condition::Condition;
use super::decimal::Decimal;
use super::operator::Operator;
use super::text::TextEquality;
use super::value::Value;

/// The distinct conditions of the goals on one attribute. A condition's place is its number, from 0 in the order of adding.
#[derive(Debug, Default)]
pub struct Conditions {
    all: Vec<Condition>,
    /// Those that compare with one number, by that number.
    greater_than: Thresholds,
    at_least: Thresholds,
    less_than: Thresholds,
    at_most: Thresholds,
    /// The others.
    rest: Vec<u32>,
}

/// Numbers compared with and the conditions that do, in the order of the numbers.
type Thresholds = Vec<(Decimal, u32)>;

impl Conditions {
    /// Takes conditions in this order; answers them, and for each of the given its place.
    pub fn new(given: impl IntoIterator<Item = Condition>) -> (Self, Vec<u32>) {
        let mut conditions = Self::default();
        let mut known: HashMap<Condition, u32> = HashMap::new();
        let places = given.into_iter().map(|condition| {
            // more than four billion conditions do not fit into memory
            let next = conditions.all.len() as u32;
            let place = *known.entry(condition).or_insert_with_key(|condition| {
                conditions.all.push(condition.clone());
                next
            });
            if place == next {
                conditions.file(place);
            }
            place
        });
        let places = places.collect();
        for thresholds in
            [&mut conditions.greater_than, &mut conditions.at_least, &mut conditions.less_than, &mut conditions.at_most]
        {
            thresholds.sort_unstable();
        }
        (conditions, places)
    }

    fn file(&mut self, place: u32) {
        let condition = &self.all[place as usize];
        let thresholds = match condition.operator() {
            Operator::GreaterThan => &mut self.greater_than,
            Operator::AtLeast => &mut self.at_least,
            Operator::LessThan => &mut self.less_than,
            Operator::AtMost => &mut self.at_most,
            _ => return self.rest.push(place),
        };
        // without a number it can never hold
        thresholds.extend(condition.threshold().map(|number| (number.clone(), place)));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The condition at a place.
    pub fn get(&self, place: u32) -> &Condition {
        &self.all[place as usize]
    }

    /// Calls `see` with the place of each condition that the step from `old` to `new` satisfies; see [`Condition::holds`].
    pub fn holding(&self, old: &Value, new: &Value, eq: &dyn TextEquality, mut see: impl FnMut(u32)) {
        if let Value::Number(number) = new
            && !number.is_nan()
        {
            let below = |thresholds: &Thresholds| thresholds.partition_point(|(n, _)| n < number);
            let up_to = |thresholds: &Thresholds| thresholds.partition_point(|(n, _)| n <= number);
            self.greater_than[..below(&self.greater_than)].iter().for_each(|(_, place)| see(*place));
            self.at_least[..up_to(&self.at_least)].iter().for_each(|(_, place)| see(*place));
            self.less_than[up_to(&self.less_than)..].iter().for_each(|(_, place)| see(*place));
            self.at_most[below(&self.at_most)..].iter().for_each(|(_, place)| see(*place));
        }
        for place in &self.rest {
            if self.all[*place as usize].holds(old, new, eq) {
                see(*place);
            }
        }
    }
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
        let value = prop_oneof!["-?[0-3](\\.[05]0?)?", "[aAb]{0,2}", "true|false", "Infinity|-Infinity"];
        (prop::sample::select(&Operator::ALL[..]), value).prop_filter_map("refused", |(o, v)| condition(o, &v))
    }

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Unknown),
            Just(Value::Document),
            any::<bool>().prop_map(Value::Boolean),
            prop_oneof!["-?[0-3](\\.[05]0?)?", "NaN|Infinity|-Infinity"]
                .prop_map(|n| Value::Number(Decimal::parse(&n).unwrap())),
            "[aAb]{0,2}".prop_map(|t| Value::Text(t.into_bytes().into())),
            prop::collection::vec("[aAb]", 0..3)
                .prop_map(|l| Value::List(l.into_iter().map(|t| Value::Text(t.into_bytes().into())).collect())),
        ]
    }

    proptest! {
        #[test]
        fn together_they_hold_as_each_does_alone(
            given in prop::collection::vec(any_condition(), 0..40), old in any_value(), new in any_value(), fold: bool
        ) {
            let eq: &dyn TextEquality = if fold { &CaseFolded } else { &Exact };
            let (conditions, places) = Conditions::new(given.clone());
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

    #[test]
    fn equal_conditions_have_one_place() {
        let is = |value| condition(Operator::Is, value).unwrap();
        let (conditions, places) = Conditions::new([is("1"), is("2"), is("1"), is("1.0")]);
        // the same number, but as a text another one
        assert_eq!(places, [0, 1, 0, 2]);
        assert_eq!((conditions.len(), Conditions::default().len()), (3, 0));
    }
}
