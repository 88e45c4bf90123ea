use super::*;
use crate::text::CaseFolded;
use proptest::prelude::*;

mod accepted;

const KINDS: [Kind; 6] = [Kind::Text, Kind::Number, Kind::Boolean, Kind::Moment, Kind::List, Kind::Json];

fn number(text: &str) -> Value<'static> {
    Value::Number(Decimal::parse(text).unwrap())
}

fn text(text: &'static str) -> Value<'static> {
    Value::text(text.as_bytes())
}

fn list(items: &[&'static str]) -> Value<'static> {
    Value::List(items.iter().map(|item| text(item)).collect())
}

fn try_new(kind: Kind, operator: &str, value: Option<&str>) -> Result<Condition> {
    let type_name = match kind {
        Kind::Number => "numeric",
        kind => kind.name(),
    };
    Condition::new(kind, type_name, Operator::parse(operator)?, value)
}

fn condition(kind: Kind, operator: &str, value: &str) -> Condition {
    let value = Some(value).filter(|value| !value.is_empty());
    try_new(kind, operator, value).unwrap()
}

fn holds(kind: Kind, operator: &str, value: &str, old: Value, new: Value) -> bool {
    condition(kind, operator, value).holds(&old, &new, &Exact)
}

fn becomes(kind: Kind, operator: &str, value: &str, new: Value) -> bool {
    holds(kind, operator, value, Value::Unknown, new)
}

/// A value that the operator accepts for any kind.
fn some_value(kind: Kind, operator: Operator) -> Option<&'static str> {
    match (operator.needs(), kind) {
        (Needs::None, _) => None,
        (Needs::List, _) => Some("{1}"),
        (Needs::One, _) => Some("1"),
    }
}

#[test]
fn text_operators_are_those_of_the_reference() {
    let t = |operator, value, new| becomes(Kind::Text, operator, value, text(new));
    assert!(t("is", "pro", "pro") && !t("is", "pro", "Pro") && !t("is", "pro", "pro "));
    assert!(!t("is not", "pro", "pro") && t("is not", "pro", "Pro"));
    assert!(t("contains", "RO", "Pro") && !t("contains", "rx", "Pro"));
    assert!(!t("does not contain", "RO", "Pro") && t("does not contain", "rx", "Pro"));
    assert!(t("starts with", "PR", "pro") && !t("starts with", "ro", "pro"));
    assert!(t("ends with", "RO", "pro") && !t("ends with", "pr", "pro"));
    // a text that looks like a number is still a text
    assert!(!t("is", "1.0", "1.00") && !t("is", "true", "t"));
}

#[test]
fn equality_of_texts_is_the_types() {
    let is = condition(Kind::Text, "is", "pro");
    assert!(is.holds(&Value::Unknown, &text("PRO"), &CaseFolded));
    let is_not = condition(Kind::Text, "is not", "pro");
    assert!(!is_not.holds(&Value::Unknown, &text("PRO"), &CaseFolded));
}

#[test]
fn number_operators_are_those_of_the_reference() {
    let n = |operator, value, new| becomes(Kind::Number, operator, value, number(new));
    assert!(n("is", "5", "5.00") && !n("is", "5", "5.01"));
    assert!(!n("is not", "5", "5.00") && n("is not", "5", "5.01"));
    for (new, results) in [
        ("4.99", [false, true, false, true]),
        ("5", [false, false, true, true]),
        ("5.01", [true, false, true, false]),
        ("inf", [true, false, true, false]),
        ("-inf", [false, true, false, true]),
        ("NaN", [false, false, false, false]),
    ] {
        let actual = ["greater than", "less than", "at least", "at most"].map(|operator| n(operator, "5.0", new));
        assert_eq!(actual, results, "{new}");
    }
    assert!(n("is", "NaN", "NaN") && n("is not", "5", "NaN") && !n("is not", "NaN", "NaN"));
}

#[test]
fn increased_and_decreased_compare_old_and_new() {
    let step = |operator, old: &str, new: &str| holds(Kind::Number, operator, "", number(old), number(new));
    assert!(step("is increased", "1", "1.01") && !step("is increased", "1", "1.00") && !step("is increased", "1", "0"));
    assert!(step("is decreased", "1", "0.99") && !step("is decreased", "1", "1.00") && !step("is decreased", "1", "2"));
    assert!(step("is increased", "1", "inf") && step("is decreased", "1", "-inf"));
    for operator in ["is increased", "is decreased"] {
        for (old, new) in [("NaN", "1"), ("1", "NaN"), ("NaN", "NaN")] {
            assert!(!step(operator, old, new), "{operator} {old} {new}");
        }
    }
}

#[test]
fn an_unknown_old_value_is_zero_for_increased_only() {
    assert!(becomes(Kind::Number, "is increased", "", number("1")));
    assert!(!becomes(Kind::Number, "is increased", "", number("0")));
    assert!(!becomes(Kind::Number, "is increased", "", number("-1")));
    assert!(!becomes(Kind::Number, "is increased", "", number("NaN")));
    assert!(!becomes(Kind::Number, "is decreased", "", number("-1")));
    // a json text that became a number has not increased
    assert!(!holds(Kind::Json, "is increased", "", text("none"), number("5")));
    assert!(!holds(Kind::Json, "is increased", "", text(""), number("5")));
    assert!(!holds(Kind::Json, "is decreased", "", text("many"), number("5")));
}

#[test]
fn increased_by_is_decided_by_the_gain_since_sending() {
    let by = condition(Kind::Number, "is increased by", "5");
    assert!(by.holds(&number("1"), &number("2"), &Exact));
    assert!(!by.holds(&number("1"), &number("NaN"), &Exact));
    assert!(!by.holds(&number("1"), &Value::Unknown, &Exact));
    let gained = |baseline: &str, new| by.gained(Some(&Decimal::parse(baseline).unwrap()), &number(new));
    assert!(gained("10", "15") && gained("10", "15.1") && !gained("10", "14.999"));
    assert!(by.gained(None, &number("5")) && !by.gained(None, &number("4.9")));
    assert!(gained("10", "inf") && gained("-inf", "0") && !gained("inf", "inf") && !gained("inf", "0"));
    assert!(!gained("NaN", "100") && !gained("1", "NaN") && !by.gained(None, &number("NaN")));
    assert!(!by.gained(None, &Value::Unknown) && !by.gained(None, &text("nine")));
    assert!(condition(Kind::Number, "is increased", "").gained(None, &Value::Unknown));
}

#[test]
fn a_gain_of_a_binary_number_is_what_the_type_computes() {
    let by = |n: &str, arithmetic| {
        let mut condition = condition(Kind::Number, "is increased by", n);
        condition.compute_as(arithmetic);
        condition
    };
    let double = |n: &str, baseline: f64, new: f64| {
        by(n, Arithmetic::Double).gained(Some(&Decimal::from_f64(baseline)), &Value::Number(Decimal::from_f64(new)))
    };
    // 0.7 + 0.1 is below 0.8, 0.1 + 0.2 is above 0.3: both the sum and the difference that are written count
    assert!(double("0.1", 0.7, 0.7 + 0.1) && double("0.1", 0.7, 0.8) && double("0.2", 0.1, 0.3));
    assert!(!double("0.1", 0.7, 0.799) && !double("0.1", 0.7, 0.7));
    assert!(
        !by("0.1", Arithmetic::Exact)
            .gained(Some(&Decimal::from_f64(0.7)), &Value::Number(Decimal::from_f64(0.7 + 0.1)))
    );
    // 1e20 + 1 is 1e20, and so no gain
    assert!(!double("1", 1e20, 1e20) && double("1", 1e20, 2e20));
    assert!(double("1", f64::MIN, f64::INFINITY) && !double("1e308", f64::MAX, f64::MAX));
    let single = |n: &str, baseline: f32, new: f32| {
        by(n, Arithmetic::Single).gained(Some(&Decimal::from_f32(baseline)), &Value::Number(Decimal::from_f32(new)))
    };
    assert!(single("0.1", 0.2, 0.2 + 0.1) && single("0.1", 0.2, (f64::from(0.2f32) + 0.1) as f32));
    assert!(!single("0.1", 0.2, 0.29));
}

#[test]
fn a_gain_goes_by_the_value_that_a_change_of_type_has_made() {
    let gained = |then: &str, now: Arithmetic, by: &str, baseline: Decimal, new: Decimal| {
        let mut condition = condition(Kind::Number, "is increased by", by);
        condition.compute_as(now);
        condition.recast(Recast::between(then, now));
        condition.gained(Some(&baseline), &Value::Number(new))
    };
    let (single, double) = (0.7f32, 0.1 + 0.2);
    let (of_single, of_double) = (Decimal::from_f32(single), Decimal::from_f64(double));
    let exact = |text| Decimal::parse(text).unwrap();
    // the real 0.7 is the double precision 0.699999988079071
    let new = Decimal::from_f64(f64::from(single) + 0.1);
    assert!(gained("real", Arithmetic::Double, "0.1", of_single.clone(), new.clone()));
    assert!(!gained("double precision", Arithmetic::Double, "0.1", of_single.clone(), new));
    // as numeric, six digits of a real and fifteen of a double precision are left
    assert!(gained("real", Arithmetic::Exact, "1", Decimal::from_f32(0.123_456_7), exact("1.123457")));
    assert!(gained("double precision", Arithmetic::Exact, "0.1", of_double.clone(), exact("0.4")));
    assert!(!gained("numeric", Arithmetic::Exact, "0.1", of_double, exact("0.4")));
    assert!(!gained("double precision", Arithmetic::Exact, "0.1", of_single, exact("0.79")));
    for then in ["real", "double precision"] {
        assert!(!gained(then, Arithmetic::Exact, "0.1", Decimal::nan(), exact("5")));
        assert!(!gained(then, Arithmetic::Exact, "0.1", Decimal::infinity(), exact("5")));
        assert!(gained(then, Arithmetic::Exact, "0.1", Decimal::negative_infinity(), exact("5")));
    }
}

#[test]
fn boolean_operators_are_those_of_the_reference() {
    assert!(becomes(Kind::Boolean, "is", "yes", Value::Boolean(true)));
    assert!(!becomes(Kind::Boolean, "is", "no", Value::Boolean(true)));
    assert!(becomes(Kind::Boolean, "is not", "true", Value::Boolean(false)));
    assert!(!becomes(Kind::Boolean, "is not", "true", Value::Boolean(true)));
}

#[test]
fn booleans_are_spelled_as_postgresql_reads_them() {
    for yes in ["t", "tr", "tru", "true", "TRUE", "y", "ye", "yes", "on", "1", " true \n", "On"] {
        assert_eq!(parse_boolean(yes), Some(true), "{yes}");
    }
    for no in ["f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0", "OFF"] {
        assert_eq!(parse_boolean(no), Some(false), "{no}");
    }
    for other in ["", "o", "truee", "yess", "onn", "offf", "10", "00", "2", "x", "nope", "null"] {
        assert_eq!(parse_boolean(other), None, "{other}");
    }
}

#[test]
fn list_operators_look_for_an_equal_element() {
    let c = |value, new| becomes(Kind::List, "contains", value, new);
    assert!(c("b", list(&["a", "b"])) && !c("B", list(&["a", "b"])) && !c("a", list(&[])));
    assert!(c("2.0", Value::List(vec![Value::Unknown, number("2")])));
    assert!(c("true", Value::List(vec![Value::Boolean(true)])) && !c("false", Value::List(vec![Value::Boolean(true)])));
    assert!(!c("1", Value::List(vec![Value::Document, Value::Moment, Value::Unknown])));
    assert!(becomes(Kind::List, "does not contain", "c", list(&["a", "b"])));
    assert!(!becomes(Kind::List, "does not contain", "a", list(&["a", "b"])));
    assert!(becomes(Kind::List, "does not contain", "a", list(&[])));
    // elements are compared by bytes, whatever the text equality
    assert!(!condition(Kind::List, "contains", "B").holds(&Value::Unknown, &list(&["b"]), &CaseFolded));
}

#[test]
fn a_json_value_has_the_operators_of_the_kind_found() {
    let samples = [
        (Some(Kind::Text), text("1")),
        (Some(Kind::Number), number("1")),
        (Some(Kind::Boolean), Value::Boolean(true)),
        (Some(Kind::Moment), Value::Moment),
        (Some(Kind::List), list(&["1"])),
        (None, Value::Document),
    ];
    for operator in Operator::ALL {
        for (kind, new) in &samples {
            let has = match kind {
                None => operator == Operator::HasAnyValue,
                // the text of a number
                Some(Kind::Text) => operator.applies_to(Kind::Text) || operator.applies_to(Kind::Number),
                Some(kind) => operator.applies_to(*kind),
            };
            // between the value and its negation, one must hold where the operator exists
            let holds = |value: &str, old: &Value| {
                let value = match operator.needs() {
                    Needs::None => None,
                    Needs::One => Some(value.to_owned()),
                    Needs::List => Some(format!("{{{value}}}")),
                };
                Condition::new(Kind::Json, "jsonb", operator, value.as_deref()).unwrap().holds(old, new, &Exact)
            };
            let any = ["1", "0.5", "2"].iter().any(|value| holds(value, &Value::Unknown) || holds(value, &number("3")));
            let expected = match operator {
                Operator::IsChanged => true,
                Operator::IsUnknown => false,
                _ => has,
            };
            assert_eq!(any, expected, "{operator:?} on {new:?}");
        }
    }
}

#[test]
fn on_an_unknown_new_value_only_unknown_and_changed_hold() {
    for operator in Operator::ALL {
        let condition = Condition::new(Kind::Json, "jsonb", operator, some_value(Kind::Json, operator)).unwrap();
        let expected = matches!(operator, Operator::IsUnknown | Operator::IsChanged);
        for old in [number("0"), text("a"), list(&["a"]), Value::Boolean(false)] {
            assert_eq!(condition.holds(&old, &Value::Unknown, &Exact), expected, "{operator:?}");
        }
    }
}

#[test]
fn empty_is_no_value_for_the_two_operators_that_ask_for_one() {
    let nothing = [Value::Unknown, text(""), list(&[]), Value::EmptyObject];
    let something =
        [number("0"), number("NaN"), text(" "), list(&[""]), Value::Boolean(false), Value::Moment, Value::Document];
    let (any, unknown) = (condition(Kind::Json, "has any value", ""), condition(Kind::Json, "is unknown", ""));
    let step = |condition: &Condition, old: &Value, new: &Value| condition.holds(old, new, &Exact);
    for a in &nothing {
        assert!(unknown.already(a, &Exact) && !any.already(a, &Exact), "{a:?}");
        for b in &something {
            assert!(!unknown.already(b, &Exact) && any.already(b, &Exact), "{b:?}");
            assert!(step(&any, a, b) && !step(&unknown, a, b), "{a:?} -> {b:?}");
            assert!(!step(&any, b, a) && step(&unknown, b, a), "{b:?} -> {a:?}");
        }
        for b in &nothing {
            assert!(!step(&any, a, b) && !step(&unknown, a, b), "{a:?} -> {b:?}");
        }
    }
    for a in &something {
        assert!(something.iter().all(|b| step(&any, a, b) && !step(&unknown, a, b)), "{a:?}");
    }
    // for every other operator they are the values that they are
    assert!(becomes(Kind::Text, "is not", "pro", text("")) && becomes(Kind::List, "does not contain", "a", list(&[])));
    assert!(becomes(Kind::Json, "is changed", "", Value::EmptyObject));
    assert!(becomes(Kind::Moment, "has any value", "", Value::Moment));
    assert!(!becomes(Kind::Moment, "has any value", "", Value::Unknown));
}

#[test]
fn the_type_says_which_text_is_empty() {
    /// Ranges: their empty value has a text.
    struct Ranges;
    impl TextEquality for Ranges {
        fn equal(&self, a: &[u8], b: &[u8]) -> bool {
            a == b
        }
        fn is_empty(&self, text: &[u8]) -> bool {
            text == b"empty"
        }
    }
    let any = condition(Kind::Text, "has any value", "");
    assert!(any.already(&text("[1,2)"), &Ranges) && !any.already(&text("empty"), &Ranges));
    assert!(any.already(&text("empty"), &Exact) && !any.already(&text(""), &CaseFolded));
    assert!(condition(Kind::Text, "is", "empty").already(&text("empty"), &Ranges));
}

#[test]
fn the_operators_of_numbers_read_numbers_in_json_strings() {
    let step = |operator, value, old, new| holds(Kind::Json, operator, value, old, new);
    for (operator, value) in [("greater than", "5"), ("at least", "5.5"), ("less than", "6"), ("at most", "5.5")] {
        assert!(step(operator, value, Value::Unknown, text("5.50")), "{operator}");
    }
    assert!(!step("greater than", "5", Value::Unknown, text("5.0")));
    assert!(!step("less than", "5", Value::Unknown, text("10")));
    for (old, new) in [(text("9"), text("10")), (number("9"), text("10")), (text("9"), number("10"))] {
        assert!(
            step("is increased", "", old.clone(), new.clone()) && !step("is decreased", "", old.clone(), new.clone())
        );
        assert!(!step("is increased", "", new.clone(), old.clone()) && step("is decreased", "", new, old));
    }
    assert!(step("is increased", "", Value::Unknown, text("1")) && !step("is increased", "", text("5"), number("5.0")));
    let by = condition(Kind::Json, "is increased by", "5");
    assert!(by.holds(&text("1"), &text("9"), &Exact) && !by.holds(&text("1"), &text("nine"), &Exact));
    let one = Decimal::from(1);
    assert!(by.gained(Some(&one), &text("6")) && !by.gained(Some(&one), &text("5.99")));
    // every other operator compares texts
    assert!(!becomes(Kind::Json, "is", "5", text("5.0")) && becomes(Kind::Json, "is not", "5", text("5.0")));
    assert!(!becomes(Kind::Json, "is any of", "{5,6}", text("5.0")) && becomes(Kind::Json, "is", "5.0", text("5.0")));
    // no number in plain notation
    for other in ["", "+5", "5.", ".5", "5e1", " 5", "5 ", "1,000", "0x5", "NaN", "Infinity", "-", "5.5.5", "€5", "--5"]
    {
        assert!(!becomes(Kind::Json, "greater than", "-10", text(other)), "{other:?}");
        assert!(!becomes(Kind::Json, "less than", "10", text(other)), "{other:?}");
        assert!(!becomes(Kind::Json, "is increased", "", text(other)), "{other:?}");
    }
}

#[test]
fn only_a_state_can_have_matched_already() {
    for operator in Operator::ALL {
        let condition = Condition::new(Kind::Json, "jsonb", operator, some_value(Kind::Json, operator)).unwrap();
        for now in
            [Value::Unknown, number("1"), number("2"), text("1"), list(&["1"]), Value::Boolean(true), Value::Document]
        {
            let before = if operator == Operator::IsUnknown { number("0") } else { Value::Unknown };
            let expected = operator.describes() == Describes::State && condition.holds(&before, &now, &Exact);
            assert_eq!(condition.already(&now, &Exact), expected, "{operator:?} {now:?}");
        }
    }
    assert!(condition(Kind::Text, "is not", "pro").already(&text("free"), &Exact));
    assert!(condition(Kind::Text, "is", "pro").already(&text("PRO"), &CaseFolded));
    assert!(condition(Kind::Text, "is unknown", "").already(&Value::Unknown, &Exact));
    assert!(!condition(Kind::Number, "is increased", "").already(&number("1"), &Exact));
    assert!(!condition(Kind::Number, "is increased by", "1").already(&number("1"), &Exact));
    assert!(!condition(Kind::Number, "is changed", "").already(&number("1"), &Exact));
}

#[test]
fn the_worth_of_a_change_is_new_less_old() {
    assert_eq!(gain(&number("19.99"), &number("49.99")), Decimal::parse("30"));
    assert_eq!(gain(&number("50"), &number("20")), Decimal::parse("-30"));
    assert_eq!(gain(&Value::Unknown, &number("5")), Decimal::parse("5"));
    assert_eq!(gain(&text("19.99"), &text("49.99")), Decimal::parse("30"));
    assert_eq!(gain(&Value::Unknown, &text("-5")), Decimal::parse("-5"));
    for (old, new) in [
        (number("1"), Value::Unknown),
        (number("1"), text("two")),
        (text("one"), number("2")),
        (text(""), number("2")),
        (number("NaN"), number("1")),
        (number("1"), number("NaN")),
        (number("inf"), number("1")),
        (Value::Unknown, number("inf")),
    ] {
        assert_eq!(gain(&old, &new), None, "{old:?} {new:?}");
    }
}

#[test]
fn operands_can_be_brought_to_the_columns_form() {
    let mut is = condition(Kind::Number, "is", "0.1000000001");
    is.compute_as(Arithmetic::Single);
    assert!(is.holds(&Value::Unknown, &Value::Number(Decimal::from_f32(0.1)), &Exact));
    let mut by = condition(Kind::Number, "is increased by", "0.5");
    by.compute_as(Arithmetic::Double);
    assert!(!by.gained(None, &number("0.4")) && by.gained(None, &number("0.5")));
    let mut double = condition(Kind::Number, "is", "9007199254740993");
    double.compute_as(Arithmetic::Double);
    assert!(double.holds(&Value::Unknown, &Value::Number(Decimal::from_f64(9007199254740992.0)), &Exact));
    let mut text_only = condition(Kind::Json, "is", "abc");
    text_only.compute_as(Arithmetic::Exact);
    assert!(!text_only.holds(&Value::Unknown, &number("1"), &Exact));
}

#[test]
fn a_number_that_the_type_cannot_hold_is_refused() {
    let range = |least: i64, most: i64, infinite| Range { least: least.into(), most: most.into(), infinite };
    let checked =
        |operator: &str, value: &str, range: Range| condition(Kind::Number, operator, value).check(&range, "t");
    let small = || range(-10, 10, false);
    for operator in ["is", "is not", "greater than", "less than", "at least", "at most"] {
        for value in ["-10", "10", "0", "9.99"] {
            assert_eq!(checked(operator, value, small()), Ok(()), "{operator} {value}");
        }
        for value in ["-11", "10.01", "1e30", "Infinity", "-Infinity"] {
            let error = checked(operator, value, small()).unwrap_err();
            assert_eq!((error.sqlstate(), error.hint().unwrap()), ("22P02", "It holds numbers from -10 to 10.".into()));
            assert_eq!(error.message(), format!("value \"{value}\" is out of range for type t"));
        }
    }
    assert_eq!(checked("is any of", "{1,2}", small()), Ok(()));
    assert!(checked("is any of", "{1,11}", small()).unwrap_err().message().contains("\"11\""));
    // a gain may be as large as the range
    assert_eq!(checked("is increased by", "20", small()), Ok(()));
    assert!(checked("is increased by", "20.1", small()).is_err());
    let binary = || range(-10, 10, true);
    for value in ["Infinity", "-Infinity", "NaN", "10"] {
        assert_eq!(checked("is", value, binary()), Ok(()), "{value}");
    }
    assert!(checked("is", "11", binary()).is_err());
    // values that are no numbers have no range
    assert_eq!(condition(Kind::Number, "has any value", "").check(&small(), "t"), Ok(()));
    assert_eq!(condition(Kind::Text, "is", "abc").check(&small(), "t"), Ok(()));
}

#[test]
fn conditions_mean_the_same_however_their_values_are_written() {
    let same = |kind, operator, values: [&str; 2]| {
        let [a, b] = values.map(|value| condition(kind, operator, value));
        assert_eq!(a.means_the_same(&b, kind), b.means_the_same(&a, kind), "{kind:?} {operator} {values:?}");
        a.means_the_same(&b, kind)
    };
    assert!(same(Kind::Number, "at least", ["5", " 5.0"]) && !same(Kind::Number, "is", ["5", "5.1"]));
    assert!(same(Kind::Boolean, "is", ["yes", "t"]) && !same(Kind::Boolean, "is", ["yes", "no"]));
    assert!(same(Kind::Text, "is", ["pro", "pro"]) && !same(Kind::Text, "is", ["5", "5.0"]));
    assert!(same(Kind::Json, "at least", ["5", "5.0"]) && !same(Kind::Json, "at least", ["5", "5.1"]));
    assert!(!same(Kind::Json, "is", ["5", "5.0"]) && !same(Kind::List, "contains", ["5", "5.0"]));
    assert!(same(Kind::Text, "is any of", ["{a,b}", "{b,a,a}"]) && !same(Kind::Text, "is any of", ["{a,b}", "{a,c}"]));
    assert!(!same(Kind::Text, "is any of", ["{a,b}", "{a}"]));
    assert!(same(Kind::Number, "is increased", ["", ""]));
    let [is, is_not] = ["is", "is not"].map(|operator| condition(Kind::Text, operator, "pro"));
    assert!(!is.means_the_same(&is_not, Kind::Text));
}

#[test]
fn operands_can_be_brought_to_the_databases_encoding() {
    // é as LATIN1 stores it: a byte that is not UTF-8
    let latin1 = |t: &str| t.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let stored = |bytes: &[u8]| Value::Text(bytes.to_vec().into());
    for (operator, value, new, holds) in [
        ("is", "caf\u{e9}", &b"caf\xe9"[..], true),
        ("is", "caf\u{e9}", "caf\u{e9}".as_bytes(), false),
        ("is not", "caf\u{e9}", b"caf\xe9", false),
        ("contains", "f\u{e9}", b"caf\xe9 au lait", true),
        ("starts with", "\u{e9}t", b"\xe9toile", true),
        ("contains", "plain", b"plain text", true),
    ] {
        let mut condition = condition(Kind::Text, operator, value);
        condition.map_texts(&|t| latin1(t).into());
        // text that is no longer UTF-8 stays as it is
        condition.map_texts(&|t| latin1(t).into());
        assert_eq!(condition.holds(&Value::Unknown, &stored(new), &Exact), holds, "{operator} {value}");
    }
}

proptest! {
    #[test]
    fn comparisons_agree_with_integers(new in -20i64..20, operand in -20i64..20, old in proptest::option::of(-20i64..20)) {
        let value = operand.to_string();
        let old_value = old.map_or(Value::Unknown, |old| Value::Number(old.into()));
        let h = |operator, value: &str| holds(Kind::Number, operator, value, old_value.clone(), Value::Number(new.into()));
        prop_assert_eq!(h("is", &value), new == operand);
        prop_assert_eq!(h("is not", &value), new != operand);
        prop_assert_eq!(h("greater than", &value), new > operand);
        prop_assert_eq!(h("less than", &value), new < operand);
        prop_assert_eq!(h("at least", &value), new >= operand);
        prop_assert_eq!(h("at most", &value), new <= operand);
        prop_assert_eq!(h("is increased", ""), new > old.unwrap_or(0));
        prop_assert_eq!(h("is decreased", ""), old.is_some_and(|old| new < old));
        if operand > 0 {
            let by = condition(Kind::Number, "is increased by", &value);
            let baseline = old.map(Decimal::from);
            prop_assert_eq!(by.gained(baseline.as_ref(), &Value::Number(new.into())), new - old.unwrap_or(0) >= operand);
        }
    }

    #[test]
    fn any_goal_is_answered(value: String, operator in 0usize..17, kind in 0usize..6) {
        let _ = Condition::new(KINDS[kind], "any", Operator::ALL[operator], Some(&value));
    }
}
