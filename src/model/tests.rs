//! Everything a goal is made of, against a second implementation: slow, plain, and independent of the first.

use super::array::parse_array;
use super::attribute::Attribute;
use super::condition::Condition;
use super::decimal::Decimal;
use super::interval::canonical;
use super::operator::{Needs, Operator};
use super::text::Exact;
use super::time_limit::TimeLimit;
use super::value::{Kind, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A value as the reference describes it; numbers are in tenths.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Unknown,
    Text(&'static str),
    Number(i64),
    NotANumber,
    Boolean(bool),
    Moment,
    List(Vec<Plain>),
    EmptyObject,
    Object,
}

fn value(plain: &Plain) -> Value<'_> {
    match plain {
        Plain::Unknown => Value::Unknown,
        Plain::Text(text) => Value::text(text.as_bytes()),
        Plain::Number(tenths) => Value::Number(Decimal::scaled(*tenths, 1)),
        Plain::NotANumber => Value::Number(Decimal::nan()),
        Plain::Boolean(boolean) => Value::Boolean(*boolean),
        Plain::Moment => Value::Moment,
        Plain::List(items) => Value::List(items.iter().map(value).collect()),
        Plain::EmptyObject => Value::EmptyObject,
        Plain::Object => Value::Document,
    }
}

const TEXTS: [&str; 14] =
    ["", "1", "1.0", "-0", "0", "2.5", "-3", "true", "OFF", "y", "Pro plan", "pro", "PLAN", "ÉTÉ pro"];

fn tenths(text: &str) -> Option<i64> {
    ["0|0", "-0|0", "1|10", "1.0|10", "2.5|25", "-3|-30"]
        .iter()
        .find_map(|pair| pair.strip_prefix(text)?.strip_prefix('|')?.parse().ok())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "y" => Some(true),
        "0" | "OFF" => Some(false),
        _ => None,
    }
}

fn scalar() -> impl Strategy<Value = Plain> {
    prop_oneof![
        Just(Plain::Unknown),
        select(&TEXTS[..]).prop_map(Plain::Text),
        select(vec![-30i64, -1, 0, 1, 10, 11, 25, 26, 35]).prop_map(Plain::Number),
        Just(Plain::NotANumber),
        any::<bool>().prop_map(Plain::Boolean),
        Just(Plain::Moment),
        Just(Plain::EmptyObject),
        Just(Plain::Object),
    ]
}

fn any_value() -> impl Strategy<Value = Plain> {
    prop_oneof![4 => scalar(), 1 => vec(scalar(), 0..4).prop_map(Plain::List)]
}

/// The operators, as in the table of the reference.
fn holds(operator: &str, operands: &[&str], old: &Plain, new: &Plain) -> bool {
    let equals = |found: &Plain| {
        operands.iter().any(|wanted| match found {
            Plain::Text(text) => text == wanted,
            Plain::Number(number) => tenths(wanted) == Some(*number),
            Plain::Boolean(found) => boolean(wanted) == Some(*found),
            _ => false,
        })
    };
    let limit = operands.first().and_then(|o| tenths(o)).unwrap_or(0);
    let lower = |text: &str| text.to_lowercase();
    let wanted = lower(operands.first().unwrap_or(&""));
    let nothing = |value: &Plain| match value {
        Plain::Unknown | Plain::Text("") | Plain::EmptyObject => true,
        Plain::List(items) => items.is_empty(),
        _ => false,
    };
    let comparing =
        ["greater than", "less than", "at least", "at most", "is increased", "is decreased", "is increased by"];
    if comparing.contains(&operator) {
        // a text that is a number is that number here
        let read = |value: &Plain| match value {
            Plain::Text(text) => tenths(text).map_or(Plain::Text(text), Plain::Number),
            other => other.clone(),
        };
        return match (operator, read(old), read(new)) {
            ("greater than", _, Plain::Number(number)) => number > limit,
            ("less than", _, Plain::Number(number)) => number < limit,
            ("at least", _, Plain::Number(number)) => number >= limit,
            ("at most", _, Plain::Number(number)) => number <= limit,
            ("is increased", Plain::Unknown, Plain::Number(number)) => number > 0,
            ("is increased", Plain::Number(old), Plain::Number(number)) => number > old,
            ("is decreased", Plain::Number(old), Plain::Number(number)) => number < old,
            // whether the gain is enough is checked separately
            ("is increased by", _, Plain::Number(_)) => true,
            _ => false,
        };
    }
    match (operator, new) {
        ("is changed", _) => true,
        ("is unknown", new) => nothing(new) && !nothing(old),
        ("has any value", new) => !nothing(new),
        ("is", Plain::Text(_) | Plain::Number(_) | Plain::NotANumber | Plain::Boolean(_)) => equals(new),
        ("is not", Plain::Text(_) | Plain::Number(_) | Plain::NotANumber | Plain::Boolean(_)) => !equals(new),
        ("is any of", Plain::Text(_) | Plain::Number(_)) => equals(new),
        ("contains", Plain::Text(text)) => lower(text).contains(&wanted),
        ("does not contain", Plain::Text(text)) => !lower(text).contains(&wanted),
        ("starts with", Plain::Text(text)) => lower(text).starts_with(&wanted),
        ("ends with", Plain::Text(text)) => lower(text).ends_with(&wanted),
        ("contains", Plain::List(items)) => items.iter().any(equals),
        ("does not contain", Plain::List(items)) => !items.iter().any(equals),
        _ => false,
    }
}

/// Whether a json goal with this operator takes these values.
fn accepted(operator: &str, operands: &[&str]) -> bool {
    let numbers: Vec<_> = operands.iter().filter_map(|o| tenths(o)).collect();
    match operator {
        "greater than" | "less than" | "at least" | "at most" => numbers.len() == 1,
        "is increased by" => numbers.len() == 1 && numbers[0] > 0,
        _ => true,
    }
}

fn literal(elements: &[&str]) -> String {
    let quoted: Vec<_> = elements.iter().map(|e| format!("\"{e}\"")).collect();
    format!("{{{}}}", quoted.join(","))
}

/// Reads `column.key.key` one character at a time.
fn attribute(text: &str) -> Option<Vec<String>> {
    let mut names = vec![String::new()];
    let (mut quoted, mut closed, mut chars) = (false, false, text.chars().peekable());
    let mut begun = false;
    while let Some(c) = chars.next() {
        let name = names.last_mut()?;
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                name.push('"');
            }
            (true, '"') => (quoted, closed) = (false, true),
            (true, c) => name.push(c),
            (false, '"') if !begun => (quoted, begun) = (true, true),
            (false, '"') => return None,
            (false, '.') if begun => {
                names.push(String::new());
                (begun, closed) = (false, false);
            }
            (false, '.') => return None,
            (false, _) if closed => return None,
            (false, c) => {
                name.push(c);
                begun = true;
            }
        }
    }
    (begun && !quoted && !names[0].is_empty()).then_some(names)
}

/// Reads an array literal without bounds, as a state machine.
fn array(text: &str) -> Option<Vec<Option<String>>> {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        Start,
        Bare,
        Quoted,
        Closed,
    }
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0B' | '\x0C');
    let body = text.trim_matches(blank).strip_prefix('{')?.strip_suffix('}')?;
    if body.trim_matches(blank).is_empty() {
        return Some(Vec::new());
    }
    let (mut elements, mut at) = (Vec::new(), At::Start);
    // the characters of the element, and whether each was escaped
    let mut element: Vec<(char, bool)> = Vec::new();
    let mut chars = body.chars();
    loop {
        let c = chars.next();
        match (at, c) {
            (At::Quoted, None) => return None,
            (At::Quoted, Some('"')) => at = At::Closed,
            (_, None | Some(',')) if at != At::Quoted => {
                if at == At::Bare {
                    while element.last().is_some_and(|(c, escaped)| blank(*c) && !escaped) {
                        element.pop();
                    }
                }
                let text: String = element.iter().map(|(c, _)| c).collect();
                let plain = at == At::Bare && element.iter().all(|(_, escaped)| !escaped);
                match at {
                    At::Start => return None,
                    _ if plain && text.eq_ignore_ascii_case("null") => elements.push(None),
                    _ => elements.push(Some(text)),
                }
                if c.is_none() {
                    return Some(elements);
                }
                (element, at) = (Vec::new(), At::Start);
            }
            (At::Start | At::Closed, Some(c)) if blank(c) => {}
            (At::Closed, _) => return None,
            (At::Start, Some('"')) => at = At::Quoted,
            (At::Start | At::Bare, Some('"' | '{' | '}')) => return None,
            (_, Some('\\')) => {
                element.push((chars.next()?, true));
                at = if at == At::Quoted { at } else { At::Bare };
            }
            (_, Some(c)) => {
                element.push((c, false));
                at = if at == At::Quoted { at } else { At::Bare };
            }
            (_, None) => return None,
        }
    }
}

/// A decimal number: whether it is negative, its digits, and how many of them are behind the point. `None` if it is no
/// number.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((mantissa.starts_with('-'), all, fraction.len() as i64 - i64::from(exponent)))
}

/// The shortest way to write it: without zeros that say nothing, without an exponent.
fn plain_text((negative, digits, scale): (bool, String, i64)) -> String {
    let padded = match scale {
        ..0 => format!("{digits}{}", "0".repeat(scale.unsigned_abs() as usize)),
        _ => format!("{}{digits}", "0".repeat(scale as usize)),
    };
    let (whole, fraction) = padded.split_at(padded.len() - scale.max(0) as usize);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[test]
fn numbers_beyond_what_a_double_holds_are_compared_exactly() {
    let value = |text: &str| Value::Number(Decimal::parse(text).unwrap());
    for (operator, limit, new, old) in [
        ("greater than", "9007199254740992", "9007199254740993", "0"),
        ("less than", "9223372036854775807", "9223372036854775806", "0"),
        ("at least", "0.30000000000000000001", "0.30000000000000000001", "0"),
        ("is not", "9007199254740992", "9007199254740993", "0"),
        ("is increased", "", "123456789012345678901.1", "123456789012345678901"),
        ("is decreased", "", "9007199254740992", "9007199254740993"),
    ] {
        let limit = Some(limit).filter(|l| !l.is_empty());
        let condition = Condition::new(Kind::Number, "numeric", Operator::parse(operator).unwrap(), limit).unwrap();
        assert!(condition.holds(&value(old), &value(new), &Exact), "{operator}");
    }
    for (operator, limit, new) in [
        ("at least", "9007199254740993", "9007199254740992"),
        ("at most", "0.3", "0.30000000000000000001"),
        ("is", "9007199254740992", "9007199254740993"),
    ] {
        let condition =
            Condition::new(Kind::Number, "numeric", Operator::parse(operator).unwrap(), Some(limit)).unwrap();
        assert!(!condition.holds(&Value::Unknown, &value(new), &Exact), "{operator}");
    }
    let by = Condition::new(Kind::Number, "numeric", Operator::IsIncreasedBy, Some("1")).unwrap();
    let start = Decimal::parse("9007199254740992");
    assert!(
        by.gained(start.as_ref(), &value("9007199254740993"))
            && !by.gained(start.as_ref(), &value("9007199254740992.9999"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_goal_holds_when_the_reference_says_so(
        operator in select(&Operator::ALL[..]),
        operands in vec(select(&TEXTS[..]), 1..4),
        old in any_value(),
        new in any_value(),
    ) {
        let operands = &operands[..if operator.needs() == Needs::List { operands.len() } else { 1 }];
        let given = match operator.needs() {
            Needs::None => None,
            Needs::One => Some(operands[0].to_owned()),
            Needs::List => Some(literal(operands)),
        };
        let condition = Condition::new(Kind::Json, "jsonb", operator, given.as_deref());
        prop_assert_eq!(condition.is_ok(), accepted(operator.name(), operands), "{:?}", condition);
        if let Ok(condition) = condition {
            let expected = holds(operator.name(), operands, &old, &new);
            prop_assert_eq!(condition.holds(&value(&old), &value(&new), &Exact), expected);
            let change = operator.name().starts_with("is increased") || ["is decreased", "is changed"].contains(&operator.name());
            // of what was there before, a state that holds now says nothing
            let before = if operator == Operator::IsUnknown { Plain::Number(1) } else { Plain::Unknown };
            let expected = !change && holds(operator.name(), operands, &before, &new);
            prop_assert_eq!(condition.already(&value(&new), &Exact), expected);
        }
    }

    #[test]
    fn an_operator_is_its_words(name in "( |_|\t|is|Is|not|any|of|by|increased|CHANGED|unknown|x){0,6}") {
        let words = name.replace(['_', '\t'], " ").to_lowercase();
        let words = words.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        let expected = Operator::ALL.into_iter().find(|o| o.name() == words);
        prop_assert_eq!(Operator::parse(&name).ok(), expected);
    }

    #[test]
    fn an_attribute_is_its_names(text in r#"("a"|"|\.|a|b c|é|""){0,7}"#) {
        let read = Attribute::parse(&text).ok().map(|a| [vec![a.column], a.path].concat());
        prop_assert_eq!(read, attribute(&text));
    }

    #[test]
    fn a_list_is_its_elements(body in r#"[",a \\1é]{0,10}|(null|NULL|"|,| |\\|a|\{|\}|nul){0,7}"#, around in " ?") {
        let text = format!("{around}{{{body}}}{around}");
        prop_assert_eq!(parse_array(&text), array(&text));
    }

    #[test]
    fn a_number_is_its_digits(text in r"[-+]?[0-9]{0,12}(\.[0-9]{0,12})?([eE][-+]?[0-9]{1,2})?|[-+.e0-9]{0,6}") {
        prop_assert_eq!(Decimal::parse(&text).map(|n| n.to_string()), digits(&text).map(plain_text));
    }

    #[test]
    fn a_time_limit_is_its_microseconds(
        months in prop_oneof![9 => Just(0), 1 => any::<i32>()],
        days in prop_oneof![3 => -3i32..3_660, 1 => any::<i32>()],
        micros in prop_oneof![-200_000_000_000i64..200_000_000_000, any::<i64>()],
    ) {
        let total = i128::from(days) * 24 * 60 * 60 * 1_000_000 + i128::from(micros);
        let expected = (months == 0 && total > 0 && total <= 3_650 * 24 * 60 * 60 * 1_000_000).then_some(total);
        prop_assert_eq!(TimeLimit::from_interval(months, days, micros).ok().map(|l| i128::from(l.micros())), expected);
    }

    #[test]
    fn intervals_have_one_text_exactly_if_they_are_equal(
        a in (-2i32..3, -61i32..61, -200_000_000_000i64..200_000_000_000),
        days in -61i32..61,
        off in prop_oneof![2 => Just(0i128), 1 => -2i128..2],
    ) {
        let length = |(m, d, us): (i32, i32, i64)| (i128::from(m) * 30 + i128::from(d)) * 86_400_000_000 + i128::from(us);
        let b = (0, days, i64::try_from(length(a) - length((0, days, 0)) + off).unwrap());
        prop_assert_eq!(canonical(a.0, a.1, a.2) == canonical(b.0, b.1, b.2), off == 0);
    }
}
