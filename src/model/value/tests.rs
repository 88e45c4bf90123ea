use super::*;
use crate::text::CaseFolded;
use proptest::prelude::*;

fn json(value: &Value) -> Option<String> {
    value.to_json().map(|bytes| String::from_utf8(bytes).unwrap())
}

fn number(text: &str) -> Value<'static> {
    Value::Number(Decimal::parse(text).unwrap())
}

fn one_of_each() -> Vec<Value<'static>> {
    vec![
        Value::Unknown,
        Value::text(b"1"),
        number("1"),
        Value::Boolean(true),
        Value::Moment,
        Value::List(vec![number("1")]),
        Value::EmptyObject,
        Value::Document,
    ]
}

#[test]
fn nothing_is_what_is_unknown_or_empty() {
    let nothing: Vec<_> = one_of_each().iter().map(|value| value.is_nothing(&Exact)).collect();
    assert_eq!(nothing, [true, false, false, false, false, false, true, false]);
    assert!(Value::text(b"").is_nothing(&Exact) && Value::List(vec![]).is_nothing(&Exact));
    assert!(!Value::text(b" ").is_nothing(&Exact) && !Value::List(vec![Value::Unknown]).is_nothing(&Exact));
}

#[test]
fn a_text_in_plain_notation_is_a_number() {
    let found: Vec<_> = one_of_each().iter().map(|value| value.number().map(|n| n.to_string())).collect();
    assert_eq!(found.iter().flatten().collect::<Vec<_>>(), ["1", "1"]);
    assert_eq!(Value::text(b"-007.50").number().unwrap().to_string(), "-7.5");
    assert!(Value::text(b"1e2").number().is_none() && Value::text(b"").number().is_none());
}

#[test]
fn same_is_the_types_equality() {
    let values = one_of_each();
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate() {
            let opaque = matches!(a, Value::Moment | Value::EmptyObject | Value::Document);
            assert_eq!(a.same(b, &Exact), i == j && !opaque, "{a:?} {b:?}");
        }
    }
    assert!(number("1.0").same(&number("1.00"), &Exact));
    assert!(number("NaN").same(&number("NaN"), &Exact));
    assert!(!number("1").same(&number("2"), &Exact));
    assert!(!Value::Boolean(true).same(&Value::Boolean(false), &Exact));
    assert!(Value::text(b"Pro").same(&Value::text(b"pro"), &CaseFolded));
    assert!(!Value::text(b"Pro").same(&Value::text(b"pro"), &Exact));
}

#[test]
fn lists_are_compared_element_by_element_and_by_bytes() {
    let list = |items: &[&'static str]| Value::List(items.iter().map(|i| Value::text(i.as_bytes())).collect());
    assert!(list(&["a", "b"]).same(&list(&["a", "b"]), &Exact));
    assert!(!list(&["a", "b"]).same(&list(&["b", "a"]), &Exact));
    assert!(!list(&["a"]).same(&list(&["a", "a"]), &Exact));
    assert!(!list(&["a"]).same(&list(&["A"]), &CaseFolded));
    assert!(list(&[]).same(&list(&[]), &Exact));
}

#[test]
fn the_log_gets_json() {
    assert_eq!(json(&Value::Unknown), None);
    assert_eq!(json(&Value::Moment), None);
    assert_eq!(json(&Value::Document), None);
    assert_eq!(json(&Value::EmptyObject), None);
    assert_eq!(json(&Value::Boolean(true)).unwrap(), "true");
    assert_eq!(json(&Value::Boolean(false)).unwrap(), "false");
    assert_eq!(json(&number("-1.50")).unwrap(), "-1.5");
    assert_eq!(json(&number("NaN")).unwrap(), "\"NaN\"");
    assert_eq!(json(&number("-inf")).unwrap(), "\"-Infinity\"");
    assert_eq!(
        json(&Value::text("a\"b\\c\n\u{1}\u{0}é\u{7f}".as_bytes())).unwrap(),
        "\"a\\\"b\\\\c\\u000a\\u0001é\u{7f}\""
    );
    let list =
        Value::List(vec![number("1"), Value::Unknown, Value::text(b"x"), Value::Document, Value::Boolean(false)]);
    assert_eq!(json(&list).unwrap(), r#"[1,null,"x",null,false]"#);
    assert_eq!(json(&Value::List(vec![])).unwrap(), "[]");
}

#[test]
fn bytes_that_are_no_utf8_pass_through() {
    assert_eq!(Value::text(b"caf\xE9").to_json().unwrap(), b"\"caf\xE9\"");
    assert_eq!(Value::text(b"caf\xE9").to_json_other_encoding().unwrap(), b"\"caf\xE9\"");
}

#[test]
fn a_long_text_is_cut_between_characters() {
    assert_eq!(json(&Value::text("x".repeat(1000).as_bytes())).unwrap(), format!("\"{}\"", "x".repeat(1000)));
    assert_eq!(json(&Value::text("x".repeat(1001).as_bytes())).unwrap(), format!("\"{}…\"", "x".repeat(1000)));
    for room in 0..4 {
        // a character of four bytes no longer fits
        let kept = "x".repeat(1000 - room);
        let text = format!("{kept}{}", "\u{1D11E}".repeat(9));
        assert_eq!(json(&Value::text(text.as_bytes())).unwrap(), format!("\"{kept}…\""));
    }
    let text = format!("{}{}", "x".repeat(997), "日".repeat(9));
    assert_eq!(json(&Value::text(text.as_bytes())).unwrap(), format!("\"{}日…\"", "x".repeat(997)));
}

#[test]
fn in_another_encoding_a_long_text_is_cut_at_ascii() {
    let cut = |text: &[u8]| Value::text(text).to_json_other_encoding().unwrap();
    assert_eq!(cut(&[b'x'; 1001]), [b"\"", &[b'x'; 1000][..], b"...\""].concat());
    let text = [&[b'x'; 990][..], &[0xE9; 20]].concat();
    assert_eq!(cut(&text), [b"\"", &[b'x'; 990][..], b"...\""].concat());
    assert_eq!(cut(&[0xE9; 1001]), b"\"...\"");
    let text = [&[0xE9; 1000][..], b"x"].concat();
    assert_eq!(cut(&text), [b"\"", &[0xE9; 1000][..], b"...\""].concat());
}

#[test]
fn a_long_list_or_number_is_logged_as_a_cut_string() {
    let long = json(&Value::List(vec![Value::text(b"abc"); 100_000])).unwrap();
    assert!(long.starts_with(r#""[\"abc\",\"abc\","#) && long.ends_with("…\"") && long.len() < 3000, "{long}");
    // 2 + 1998 bytes of output are still a list
    assert!(
        json(&Value::List(vec![Value::text(&[b'x'; 996]), Value::text(&[b'x'; 997])])).unwrap().starts_with("[\"x")
    );
    assert!(
        json(&Value::List(vec![Value::text(&[b'x'; 997]), Value::text(&[b'x'; 997])])).unwrap().starts_with("\"[\\\"x")
    );
    let digits = json(&number("1e1000")).unwrap();
    assert_eq!(digits, format!("\"1{}…\"", "0".repeat(999)));
    assert_eq!(json(&number("1e999")).unwrap(), format!("1{}", "0".repeat(999)));
}

#[test]
fn kinds_have_names_for_people() {
    let names = [Kind::Text, Kind::Number, Kind::Boolean, Kind::Moment, Kind::List, Kind::Json].map(Kind::name);
    assert_eq!(names, ["text", "number", "boolean", "date or time", "list", "json value"]);
}

proptest! {
    #[test]
    fn any_text_becomes_the_same_json_string(text: String) {
        let read: serde_json::Value = serde_json::from_slice(&Value::text(text.as_bytes()).to_json().unwrap()).unwrap();
        prop_assert_eq!(read.as_str().unwrap(), text.replace('\0', ""));
    }

    #[test]
    fn any_long_text_stays_json_and_short(text in "\\PC{900,1100}") {
        let json = Value::text(text.as_bytes()).to_json().unwrap();
        prop_assert!(json.len() <= 6 * 1000 + 5);
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        prop_assert!(text.starts_with(read.as_str().unwrap().trim_end_matches('…')));
    }
}
