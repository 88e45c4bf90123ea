use super::*;
use crate::model::text::Exact;
use proptest::prelude::*;

fn found(text: &str, path: &[&str]) -> Option<Option<String>> {
    let document = parse(text.as_bytes()).unwrap();
    let node = document.root().path(path)?;
    Some(node.value().to_json().map(|json| String::from_utf8(json).unwrap()))
}

fn same(a: &str, b: &str) -> bool {
    parse(a.as_bytes()).unwrap().root().same(&parse(b.as_bytes()).unwrap().root())
}

#[test]
fn a_path_finds_a_key() {
    let text = r#"{"plan":"pro","company":{"size":1.50,"":true},"tags":["a",1,null,[2],{}],"none":null}"#;
    assert_eq!(found(text, &["plan"]), Some(Some("\"pro\"".into())));
    assert_eq!(found(text, &["company", "size"]), Some(Some("1.5".into())));
    assert_eq!(found(text, &["company", ""]), Some(Some("true".into())));
    assert_eq!(found(text, &["tags"]), Some(Some("[\"a\",1,null,null,null]".into())));
    assert_eq!(found(text, &["none"]), Some(None));
    assert_eq!(found(text, &["company"]), Some(None));
    for missing in [&["nothing"][..], &["plan", "x"], &["tags", "0"], &["none", "x"], &["company", "size", "x"]] {
        assert_eq!(found(text, missing), None, "{missing:?}");
    }
    assert_eq!(found("7", &[]), Some(Some("7".into())));
}

#[test]
fn a_list_or_object_is_logged_whole_or_its_beginning() {
    let logged = |text: &str, cut| {
        let document = parse(text.as_bytes()).unwrap();
        assert!(document.root().is_container());
        String::from_utf8(document.root().to_json(cut)).unwrap()
    };
    for text in ["{}", "[]", r#"{"a":{"b":[1.50,null,true,false,"x\"y"]},"c":[]}"#, r#"[{},[[]],"é"]"#] {
        assert_eq!(logged(text, Cut::Utf8), text);
    }
    // what jsonb does not take: a NUL, a number beyond numeric
    assert_eq!(logged(r#"{"a\u0000b":"c\u0000d","n":1e999999}"#, Cut::Utf8), r#"{"ab":"cd","n":"1e+999999"}"#);
    // what has more digits after the point than numeric counts, though its value has not
    assert_eq!(logged("[1.0e2,0e-20000,2E+1]", Cut::Utf8), "[100,0,20]");
    assert_eq!(logged("[1.0e-16383]", Cut::Utf8).len(), 1_005);
    let long = format!("[{}0]", r#"{"é":1},"#.repeat(1_000));
    for (cut, end) in [(Cut::Utf8, "…\""), (Cut::Ascii, "...\"")] {
        let text = logged(&long, cut);
        assert!(text.starts_with(r#""[{\"é\":1},{\"#) && text.ends_with(end) && text.len() < 2_000, "{text}");
        assert!(parse(text.as_bytes()).is_some());
    }
    assert!(!parse(b"7").unwrap().root().is_container());
}

#[test]
fn null_is_unknown_and_objects_are_documents() {
    let value = |text: &str| format!("{:?}", parse(text.as_bytes()).unwrap().root().value());
    assert_eq!(value("null"), "Unknown");
    assert_eq!(value("{}"), "Document");
    assert_eq!(value("[[1],{}]"), "List([Document, Document])");
    assert_eq!(value("false"), "Boolean(false)");
    // a number that no numeric holds is known, but cannot be compared
    assert_eq!(value("1e999999"), "Document");
}

#[test]
fn what_is_no_json_is_no_document() {
    for text in ["", "{", "nope", "1 2", "{\"a\":}", "NaN"] {
        assert!(parse(text.as_bytes()).is_none(), "{text}");
    }
    assert!(parse("[".repeat(200_000).as_bytes()).is_none());
    assert!(parse(format!("{}{}", "[".repeat(200), "]".repeat(200)).as_bytes()).is_none());
}

#[test]
fn the_last_of_repeated_keys_counts() {
    assert_eq!(found(r#"{"a":1,"a":2}"#, &["a"]), Some(Some("2".into())));
}

#[test]
fn the_order_of_keys_and_the_form_of_numbers_make_no_difference() {
    assert!(same(r#"{"a":1.0,"b":[true,null,"x"]}"#, r#" {"b" : [true, null, "\u0078"], "a":1.00}"#));
    assert!(same("1e2", "100") && !same("1e2", "101") && same("1e999999", "1e999999") && !same("1e999999", "2e999999"));
    assert!(!same("1e999999", "1") && !same("1", "1e999999"));
    assert!(!same("[1,2]", "[2,1]") && !same("[1]", "[1,1]"));
    assert!(
        !same(r#"{"a":1}"#, r#"{"a":1,"b":1}"#)
            && !same(r#"{"a":1}"#, r#"{"b":1}"#)
            && !same(r#"{"a":1}"#, r#"{"a":2}"#)
    );
    assert!(!same("1", "\"1\"") && !same("null", "false") && !same("[]", "{}") && !same("true", "false"));
    assert!(same("null", "null") && same("true", "true") && same("{}", "{}"));
}

#[test]
fn a_text_in_another_encoding_keeps_its_bytes() {
    let document = parse(b"{\"caf\xE9\":\"\xE9t\xE9 \\u00e9\\u20ac\"}").unwrap();
    let node = document.root().key(b"caf\xE9").unwrap();
    assert!(node.value().same(&Value::text(b"\xE9t\xE9 \xE9\xE2\x82\xAC"), &Exact));
    assert!(document.root().key("café".as_bytes()).is_none());
    assert!(document.root().same(&document.root()));
    assert!(parse(b"{\"a\":1}").unwrap().root().key(b"\xE9").is_none());
    // the same bytes are the same, even where one document happens to be UTF-8
    let (other, utf8) = (parse(b"[\"\xC3\xA9\",\"\xE9\"]").unwrap(), parse(b"[\"\xC3\xA9\",\"x\"]").unwrap());
    let (Value::List(a), Value::List(b)) = (other.root().value(), utf8.root().value()) else { panic!() };
    assert!(a[0].same(&b[0], &Exact) && !a[1].same(&b[1], &Exact));
    assert!(!other.root().same(&utf8.root()));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..20), text in r#"[\[\]{}":,1ae.\\]{0,16}"#) {
        for text in [&bytes[..], text.as_bytes()] {
            if let Some(document) = parse(text) {
                let _ = document.root().value();
                prop_assert!(document.root().same(&document.root()));
            }
        }
    }
}
