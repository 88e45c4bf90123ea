use super::*;
use crate::text::Exact;
use proptest::prelude::*;

fn node<'a>(text: &'a [u8], path: &[&str]) -> Option<Node<'a>> {
    find(text, Encoding::UTF8, &[path])[0]
}

fn whole(text: &str) -> Node<'_> {
    node(text.as_bytes(), &[]).unwrap()
}

fn found(text: &str, path: &[&str]) -> Option<Option<String>> {
    let value = node(text.as_bytes(), path)?.value().unwrap();
    Some(value.to_json().map(|json| String::from_utf8(json).unwrap()))
}

fn same(a: &str, b: &str) -> bool {
    let answer = whole(a).same(&whole(b)).unwrap();
    assert_eq!(whole(b).same(&whole(a)), Ok(answer), "{a} {b}");
    answer
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
        assert!(whole(text).is_container());
        String::from_utf8(whole(text).to_json(cut).unwrap()).unwrap()
    };
    for text in ["{}", "[]", r#"{"a":{"b":[1.50,null,true,false,"x\"y"]},"c":[]}"#, r#"[{},[[]],"é"]"#] {
        assert_eq!(logged(text, Cut::Utf8), text);
    }
    // jsonb does not take a NUL or a number beyond numeric
    assert_eq!(logged(r#"{"a\u0000b":"c\u0000d","n":1e999999}"#, Cut::Utf8), r#"{"ab":"cd","n":"1e999999"}"#);
    // written with more digits after the point than numeric counts, while the value has fewer
    assert_eq!(logged("[1.0e2,0e-20000,2E+1]", Cut::Utf8), "[100,0,20]");
    assert_eq!(logged("[1.0e-16383]", Cut::Utf8).len(), 1_005);
    let long = format!("[{}0]", r#"{"é":1},"#.repeat(1_000));
    for (cut, end) in [(Cut::Utf8, "…\""), (Cut::Ascii, "...\"")] {
        let text = logged(&long, cut);
        assert!(text.starts_with(r#""[{\"é\":1},{\"#) && text.ends_with(end) && text.len() < 2_000, "{text}");
        assert!(serde_json::from_str::<String>(&text).is_ok());
    }
    assert!(!whole("7").is_container());
}

#[test]
fn null_is_unknown_and_objects_are_documents() {
    let value = |text: &str| format!("{:?}", whole(text).value().unwrap());
    assert_eq!(value("null"), "Unknown");
    assert_eq!(value(r#"{"a":1}"#), "Document");
    assert_eq!(value(r#"[[1],{"a":1}]"#), "List([Document, Document])");
    assert_eq!(value("false"), "Boolean(false)");
    // a number that no numeric holds is known, but cannot be compared
    assert_eq!(value("1e999999"), "Document");
}

#[test]
fn what_a_comparison_reads_is_a_number_or_nothing() {
    let shown = |text: &str| format!("{:?}", whole(text).number());
    let of = |text: &str| format!("{:?}", Value::Number(Decimal::parse(text).unwrap()));
    for (text, number) in [("5.50", "5.5"), (r#""5.50""#, "5.5"), (r#""-007""#, "-7"), (r#""\u0031\u002e5""#, "1.5")] {
        assert_eq!(shown(text), of(number), "{text}");
    }
    assert_eq!(shown("null"), "Unknown");
    assert_eq!(shown(r#""""#), r#"Text([])"#);
    for (text, empty) in [("[]", "List([])"), ("[ \n]", "List([])"), ("{}", "EmptyObject"), ("{ \t}", "EmptyObject")] {
        assert_eq!(
            (shown(text), format!("{:?}", whole(text).value().unwrap())),
            (empty.into(), empty.into()),
            "{text}"
        );
    }
    for other in
        [r#"" ""#, r#""5e1""#, r#""\u0041""#, r#""\n""#, "true", "false", "[1]", "[[]]", r#"{"a":{}}"#, "[\"\"]"]
    {
        assert_eq!(shown(other), "Document", "{other}");
    }
    // a string that cannot be a number is not decoded
    let long = format!("\"{}\\u0031\"", "1".repeat(6 * LONGEST_PLAIN));
    assert_eq!(shown(&long), "Document");
    let digits = format!("\"{}\"", "1".repeat(LONGEST_PLAIN + 1));
    assert_eq!(shown(&digits), "Document");
}

#[test]
fn what_is_no_json_is_answered() {
    for text in ["", "{", "[", "\"", "\"\\", "{\"a\":", "{\"a\"", "{1:2}", "{\"a\" 1}", "{]", "]", ":"] {
        assert!(node(text.as_bytes(), &["a"]).is_none(), "{text}");
    }
    for text in ["nope", "tru", "\"\\", "[1", "1 2", "{\"a\":}", "NaN", "[}", "[\"a"] {
        if let Some(node) = node(text.as_bytes(), &[]) {
            let _ = (node.value(), node.same(&node), node.same(&whole("[2]")), node.to_json(Cut::Utf8), node.number());
        }
    }
    // a text that stops too early has no digest
    let cut = |text: &'static str| Node { text: text.as_bytes(), ..whole("0") };
    assert_eq!(cut("{\"a\":1").same(&cut("{\"b\":1")), Ok(false));
}

#[test]
fn nesting_has_no_end() {
    let nested = |inside: &str, n| format!("{}{inside}{}", "[".repeat(n), "]".repeat(n));
    let objects = |inside: &str, n| format!("{}{inside}{}", "{\"a\":".repeat(n), "}".repeat(n));
    for n in [129, 10_000, 1_000_000] {
        let text = format!("{{\"x\":{},\"plan\":\"pro\"}}", nested("1", n));
        assert_eq!(found(&text, &["plan"]), Some(Some("\"pro\"".into())));
        assert!(same(&nested("1", n), &nested("1.0", n)) && !same(&nested("1", n), &nested("2", n)));
    }
    assert!(
        same(&objects("1", 10_000), &objects("1.0", 10_000)) && !same(&objects("1", 10_000), &objects("2", 10_000))
    );
    let path = vec!["a"; 10_000];
    assert_eq!(found(&objects("1", 10_000), &path), Some(Some("1".into())));
    assert_eq!(whole(&nested("1", 10_000)).to_json(Cut::Utf8).unwrap().len(), 1_005);
}

#[test]
fn the_last_of_repeated_keys_counts() {
    assert_eq!(found(r#"{"a":1,"a":2}"#, &["a"]), Some(Some("2".into())));
    assert_eq!(found(r#"{"a":{"b":1},"a":{"c":2}}"#, &["a", "b"]), None);
    assert_eq!(found(r#"{"a":{"b":1},"a":7}"#, &["a", "b"]), None);
    assert_eq!(found(r#"{"a":7,"\u0061":{"b":1,"b":2}}"#, &["a", "b"]), Some(Some("2".into())));
    assert!(same(r#"{"a":1,"a":2,"b":0}"#, r#"{"b":0,"a":2}"#) && !same(r#"{"a":1,"a":2}"#, r#"{"a":1}"#));
    assert!(!same(r#"{"a":2,"a":1}"#, r#"{"a":1,"a":2}"#));
}

#[test]
fn many_paths_are_found_in_one_walk() {
    let text = r#"{"a":{"b":1,"c":{"d":2},"":3},"a.b":4,"caf\u00e9":{"é":5},"z":[{"b":6}],"aa":7}"#;
    let paths: Vec<&[&str]> = vec![
        &[],
        &["a"],
        &["a", ""],
        &["a", "b"],
        &["a", "c"],
        &["a", "c", "d"],
        &["a", "c", "d", "e"],
        &["a", "x"],
        &["a.b"],
        &["aa"],
        &["café", "é"],
        &["z", "b"],
    ];
    assert!(paths.is_sorted());
    let together = find(text.as_bytes(), Encoding::UTF8, &paths);
    let text_of = |node: Option<Node>| node.map(|n| String::from_utf8(n.text.to_vec()).unwrap());
    for (path, one) in paths.iter().zip(&together) {
        assert_eq!(text_of(*one), text_of(node(text.as_bytes(), path)), "{path:?}");
    }
    let there: Vec<_> = together.iter().map(|node| text_of(*node).unwrap_or_default()).collect();
    assert_eq!(there[2..], ["3", "1", r#"{"d":2}"#, "2", "", "", "4", "7", "5", ""]);
    assert_eq!((there[0].as_str(), there[1].as_str()), (text, r#"{"b":1,"c":{"d":2},"":3}"#));
    assert!(find::<&str>(text.as_bytes(), Encoding::UTF8, &[]).is_empty());
}

#[test]
fn escapes_stand_for_their_characters() {
    let text = r#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00""#;
    assert!(whole(text).value().unwrap().same(&Value::text("\"\\/\u{8}\u{C}\n\r\tAé€😀".as_bytes()), &Exact));
    // half of a surrogate pair stands for nothing
    for half in [r"\ud83d", r"\ude00", r"\ud83dx", r"\ud83d\u0041"] {
        let text = format!("\"{half}\"");
        let expected = half.replace(r"\u0041", "A");
        assert!(whole(&text).value().unwrap().same(&Value::text(expected.as_bytes()), &Exact), "{half}");
    }
    assert!(same(r#""\u00e9""#, "\"é\"") && !same(r#""\u00e9""#, "\"e\"") && !same(r#""\ud83d""#, r#""\ud83e""#));
    assert!(same(r#"{"\u00e9":"\n"}"#, "{\"é\":\"\\u000a\"}"));
}

#[test]
fn numbers_of_any_length_are_answered() {
    let long = format!("1{}", "0".repeat(100_000));
    assert!(same(&long, &format!("{long}.0")) && !same(&long, &format!("{long}.1")));
    assert_eq!(whole(&long).number().to_json().unwrap().len(), 1_005);
    // a number that no numeric holds
    let longer = "9".repeat(10_000_000);
    assert_eq!(format!("{:?}", whole(&longer).value()), "Ok(Document)");
    assert!(same(&longer, &longer) && !same(&longer, "1"));
    assert_eq!(whole(&format!("[{longer}]")).to_json(Cut::Utf8).unwrap().len(), 1_007);
}

#[test]
fn large_parts_are_compared_and_read_within_a_bound() {
    let object = |order: &mut dyn Iterator<Item = usize>| {
        let pairs: Vec<_> = order.map(|i| format!("\"k{i}\":{i}")).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let few = compare::MOST_OPEN - 2;
    assert!(same(&object(&mut (0..few)), &object(&mut (0..few).rev())));
    // above it the order of keys counts; how the text is written does not
    let many = compare::MOST_OPEN + 2;
    assert!(!same(&object(&mut (0..many)), &object(&mut (0..many).rev())));
    assert!(same(&object(&mut (0..many)), &object(&mut (0..many)).replace(',', " , ").replace(":7,", ":7.0,")));
    // a list of any number of objects is not large in this sense
    let list = |of: &str| format!("[{of}{}]", ",{\"a\":1,\"b\":[2]}".repeat(200_000));
    assert!(same(&list(r#"{"x":1,"y":2}"#), &list(r#"{"y":2,"x":1}"#)));
    assert!(!same(&list(r#"{"x":1,"y":2}"#), &list(r#"{"y":2,"x":2}"#)));

    let elements = |n: usize| format!("[{}1]", "1,".repeat(n - 1));
    assert!(matches!(whole(&elements(MOST_ELEMENTS)).value(), Ok(Value::List(l)) if l.len() == MOST_ELEMENTS));
    assert!(matches!(whole(&elements(MOST_ELEMENTS + 1)).value(), Ok(Value::Document)));
    let escaped = |n: usize| format!("\"{}\\n\"", "x".repeat(n - 2));
    assert!(matches!(whole(&escaped(LONGEST_TEXT)).value(), Ok(Value::Text(t)) if t.len() == LONGEST_TEXT - 1));
    assert!(matches!(whole(&escaped(LONGEST_TEXT + 1)).value(), Ok(Value::Document)));
    let plain = format!("\"{}\"", "x".repeat(LONGEST_TEXT + 1));
    assert!(matches!(whole(&plain).value(), Ok(Value::Text(Cow::Borrowed(_)))));
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
    assert!(!same("[{}]", "[[]]"));
    assert!(same(r#"{"a":{"b":1,"d":2},"c":1}"#, r#"{"a":{"d":2,"b":1},"c":1.0}"#));
    assert!(!same(r#"{"a":{"b":1},"c":1}"#, r#"{"a":{"b":1},"c":2}"#));
}

#[test]
fn a_text_in_another_encoding_keeps_its_bytes() {
    let bytes = Encoding { convert: None, any_bytes: true };
    let at = |text: &'static [u8], path: &[&[u8]]| find(text, bytes, &[path])[0];
    let text = b"{\"caf\xE9\":\"\xE9t\xE9 \\u00e9\\u20ac\"}";
    let node = at(text, &[b"caf\xE9"]).unwrap();
    assert!(node.value().unwrap().same(&Value::text(b"\xE9t\xE9 \xE9\xE2\x82\xAC"), &Exact));
    assert!(at(text, &["café".as_bytes()]).is_none());
    assert!(at(b"{\"a\":1}", &[b"\xE9"]).is_none());
    assert!(
        at(b"{\"\xC3\xA9\":\"\\u00e9\"}", &["é".as_bytes()])
            .unwrap()
            .value()
            .unwrap()
            .same(&Value::text("é".as_bytes()), &Exact)
    );
}

#[test]
fn a_text_is_converted_piece_by_piece() {
    // as for LATIN1
    let convert: Convert = |raw, out| raw.iter().for_each(|b| out(char::from(*b).encode_utf8(&mut [0; 4]).as_bytes()));
    let latin1 = Encoding { convert: Some(convert), any_bytes: false };
    let text = b"{\"gr\xF6\\u00dfe\":\"\xE9\\n\\u00e9\",\"o\":[\"\xE9\",{\"\xE9\":1}]}";
    let found = find(text, latin1, &[&["größe"][..], &["o"]]);
    assert!(found[0].unwrap().value().unwrap().same(&Value::text("é\né".as_bytes()), &Exact));
    assert_eq!(found[1].unwrap().to_json(Cut::Ascii).unwrap(), "[\"é\",{\"é\":1}]".as_bytes());
    let (a, b) = (find(b"[\"\xE9\"]", latin1, &[&[""; 0][..]]), find(b"[\"\\u00e9\"]", latin1, &[&[""; 0][..]]));
    assert_eq!(a[0].unwrap().same(&b[0].unwrap()), Ok(true));
}

/// Equality as in PostgreSQL's jsonb, by a tree.
fn same_trees(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => Decimal::parse(a.as_str()) == Decimal::parse(b.as_str()),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_trees(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_trees(a, b)))
        }
        (a, b) => a == b,
    }
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "null|true|false",
        "-?[0-2](\\.[05]0?)?(e1)?",
        r#""([ab]|\\u0061|\\n|é|\\u00e9)?""#,
        r#""([ab]|\\u0061|\\n|é|\\u00e9)?""#,
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = r#""([ab]|\\u0062|\\u00e9|é)""#;
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" ,"))),
            proptest::collection::vec((key, inner), 0..4).prop_map(|pairs| {
                let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{ {}}}", pairs.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn values_and_equality_are_those_of_a_tree(a in any_json(), b in any_json(), path in proptest::collection::vec("[abé]", 0..3)) {
        let trees: Vec<serde_json::Value> = [&a, &b].map(|text| serde_json::from_str(text).unwrap()).into();
        prop_assert_eq!(same(&a, &b), same_trees(&trees[0], &trees[1]));
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        for (text, tree) in [&a, &b].into_iter().zip(&trees) {
            let expected = path.iter().try_fold(tree, |tree, key| tree.get(key));
            let found = node(text.as_bytes(), &path);
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                let again = serde_json::to_string(expected).unwrap();
                prop_assert_eq!(found.same(&whole(&again)), Ok(true));
                prop_assert_eq!(format!("{:?}", found.value()), format!("{:?}", whole(&again).value()));
                let logged = found.to_json(Cut::Utf8).map(|json| serde_json::from_slice::<serde_json::Value>(&json).unwrap());
                prop_assert!(logged.is_none_or(|logged| same_trees(&logged, expected)));
                prop_assert_eq!(found.is_unknown(), expected.is_null());
            }
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..20), text in r#"[\[\]{}":,1aeu.\\]{0,16}"#) {
        for text in [&bytes[..], text.as_bytes()] {
            for path in [&[][..], &["a"], &["a", "1"]] {
                if let Some(node) = node(text, path) {
                    let _ = (node.value(), node.number(), node.to_json(Cut::Ascii), node.is_container());
                    prop_assert_eq!(node.same(&node), Ok(true));
                    let _ = node.same(&whole("[{\"a\":[1]}]"));
                }
            }
        }
    }
}
