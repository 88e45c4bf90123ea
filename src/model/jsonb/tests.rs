use super::super::json;
use super::*;
use crate::text::Exact;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Writes jsonb as PostgreSQL's `convertToJsonb` does.
pub(crate) fn write(json: &Json) -> Vec<u8> {
    match json {
        Json::Array(_) | Json::Object(_) => write_container(json),
        scalar => write_items(ARRAY | SCALAR | 1, std::slice::from_ref(scalar)),
    }
}

fn write_container(json: &Json) -> Vec<u8> {
    match json {
        Json::Object(object) => {
            let mut pairs: Vec<_> = object.iter().collect();
            pairs.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then(a.cmp(b)));
            let items: Vec<_> = pairs
                .iter()
                .map(|(key, _)| Json::from(key.as_str()))
                .chain(pairs.iter().map(|(_, v)| (*v).clone()))
                .collect();
            write_items(OBJECT | pairs.len() as u32, &items)
        }
        other => {
            let items = other.as_array().unwrap();
            write_items(ARRAY | items.len() as u32, items)
        }
    }
}

fn write_items(header: u32, items: &[Json]) -> Vec<u8> {
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (i, item) in items.iter().enumerate() {
        let start = data.len();
        let mut pad = |bytes: &[u8]| {
            data.resize(data.len().next_multiple_of(4), 0);
            data.extend_from_slice(bytes);
        };
        let kind = match item {
            Json::Null => NULL,
            Json::Bool(false) => FALSE,
            Json::Bool(true) => TRUE,
            Json::Number(number) => {
                pad(&write_number(number.as_str()));
                NUMERIC
            }
            Json::String(text) => {
                data.extend_from_slice(text.as_bytes());
                STRING
            }
            container => {
                pad(&write_container(container));
                CONTAINER
            }
        };
        let entry = if i % 32 == 0 { HAS_OFFSET | data.len() as u32 } else { (data.len() - start) as u32 };
        entries.extend_from_slice(&(kind | entry).to_ne_bytes());
    }
    [&header.to_ne_bytes()[..], &entries, &data].concat()
}

/// A decimal below 10000 with up to four digits after the point, and its trailing zeros as its scale.
fn write_number(text: &str) -> Vec<u8> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (negative, whole) = whole.strip_prefix('-').map_or((0, whole), |whole| (0x2000, whole));
    let mut words = vec![0x8000u16 | negative | (fraction.len() as u16) << 7, whole.parse().unwrap()];
    // stored without zeros at the end
    if fraction.contains(|digit| digit != '0') {
        words.push(format!("{fraction:0<4}").parse().unwrap());
    }
    let length = 4 + 2 * words.len() as u32;
    let header = if cfg!(target_endian = "little") { length << 2 } else { length };
    header.to_ne_bytes().into_iter().chain(words.into_iter().flat_map(u16::to_ne_bytes)).collect()
}

fn number(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn shown(node: Node) -> String {
    format!("{:?}", node.value())
}

fn same(a: &Json, b: &Json) -> bool {
    root(&write(a)).unwrap().same(&root(&write(b)).unwrap())
}

#[cfg(target_endian = "little")]
fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// What PostgreSQL 15 stores (pageinspect, without the varlena header), little endian.
#[cfg(target_endian = "little")]
#[test]
fn stored_jsonb_is_what_the_tests_write() {
    for (hex, json) in [
        ("01000050000000c0", json!(null)),
        ("01000050000000b0", json!(true)),
        ("01000050000000a0", json!(false)),
        ("01000050080000902000000000800100", json!(1)),
        ("010000500a00009028000000008101008813", number("1.50")),
        ("0100005002000080c3a9", json!("é")),
        ("00000040", json!([])),
        ("00000020", json!({})),
        (
            "070000400800009001000000000000400000003000000020130000501800005020000000008001006100000001000040080000902000000000800200\
          01000020010000800b0000106b0000002000000000800300",
            json!([1, "a", null, true, false, [2], {"k": 3}]),
        ),
        (
            "01000020010000802f00005061000000020000400800009018000050200000008080010001000020010000800b0000106200000020000000\
          00810200",
            json!({"a": [number("1.0"), {"b": number("2.00")}]}),
        ),
        ("01000040040000d000000040", json!([[]])),
        ("010000200000008000000000", json!({"": ""})),
    ] {
        assert_eq!(write(&json), unhex(hex), "{json}");
    }
}

#[test]
fn a_list_has_elements() {
    let of = |json: &Json| {
        let bytes = write(json);
        root(&bytes).unwrap().elements().map(|elements| elements.map(shown).collect::<Vec<_>>())
    };
    let seven = format!("{:?}", Value::Number(7.into()));
    assert_eq!(of(&json!([7, null, {"a": 7}])), Some(vec![seven, "Unknown".into(), "Document".into()]));
    assert_eq!(of(&json!([])), Some(vec![]));
    for other in [json!({"a": 7}), json!("a"), json!(7), json!(null)] {
        assert_eq!(of(&other), None, "{other}");
    }
    let is_object = |json: &Json| root(&write(json)).unwrap().is_object();
    assert!(is_object(&json!({})) && !is_object(&json!([])) && !is_object(&json!("{}")));
}

#[test]
fn a_path_finds_a_key() {
    let bytes = write(
        &json!({"plan": "pro", "company": {"size": 42, "name": "x"}, "é": null, "tags": ["a", 1, null, [2], {}]}),
    );
    let node = root(&bytes).unwrap();
    let found = |path: &[&str]| node.path(path).map(shown);
    assert_eq!(found(&["company", "size"]).unwrap(), format!("{:?}", Value::Number(42.into())));
    assert!(node.path(&["plan"]).unwrap().value().same(&Value::text(b"pro"), &Exact));
    assert_eq!(found(&["é"]).unwrap(), "Unknown");
    assert_eq!(found(&["company"]).unwrap(), "Document");
    assert_eq!(node.key(b"tags").unwrap().value().to_json().unwrap(), br#"["a",1,null,null,null]"#);
    assert_eq!(found(&[]).unwrap(), "Document");
    for missing in
        [&["x"][..], &["plan", "x"], &["tags", "0"], &["é", "x"], &["company", "siz"], &["plbn"], &["zzzzzzzzzz"]]
    {
        assert_eq!(found(missing), None, "{missing:?}");
    }
}

#[test]
fn every_key_of_a_large_object_is_found() {
    let object: serde_json::Map<_, _> = (0..500).map(|i| (format!("key{i}"), json!(i))).collect();
    let bytes = write(&Json::Object(object));
    for i in 0..500i64 {
        let node = root(&bytes).unwrap().key(format!("key{i}").as_bytes()).unwrap();
        assert!(node.value().same(&Value::Number(i.into()), &Exact), "{i}");
    }
    assert!(root(&bytes).unwrap().key(b"key500").is_none());
}

#[test]
fn a_value_alone_is_read() {
    assert_eq!(shown(root(&write(&json!(null))).unwrap()), "Unknown");
    assert_eq!(shown(root(&write(&json!(true))).unwrap()), "Boolean(true)");
    assert_eq!(shown(root(&write(&json!(false))).unwrap()), "Boolean(false)");
    assert_eq!(shown(root(&write(&json!([]))).unwrap()), "List([])");
    assert!(root(&write(&json!("x"))).unwrap().value().same(&Value::text(b"x"), &Exact));
    assert!(root(&write(&json!("x"))).unwrap().key(b"x").is_none());
}

#[test]
fn what_a_comparison_reads_is_a_number_or_nothing() {
    let read = |json: &Json| format!("{:?}", root(&write(json)).unwrap().number());
    for (json, plain) in [(number("5.50"), "5.5"), (json!("5.50"), "5.5"), (json!("-007"), "-7")] {
        assert_eq!(read(&json), format!("{:?}", Value::Number(Decimal::parse(plain).unwrap())), "{json}");
    }
    for (json, nothing) in
        [(json!(null), "Unknown"), (json!(""), "Text([])"), (json!([]), "List([])"), (json!({}), "EmptyObject")]
    {
        assert_eq!((read(&json), shown(root(&write(&json)).unwrap())), (nothing.to_owned(), nothing.to_owned()));
    }
    for other in [json!(" "), json!("5e1"), json!(true), json!([null]), json!([[]]), json!({"a": {}})] {
        assert_eq!(read(&other), "Document", "{other}");
    }
}

#[test]
fn equality_is_jsonbs() {
    let (a, b) = (
        json!({"a": [number("1.0"), {"b": number("2.00")}], "c": "x"}),
        json!({"c": "x", "a": [number("1.00"), {"b": number("2.0")}]}),
    );
    assert_ne!(write(&a), write(&b));
    assert!(same(&a, &b) && same(&a, &a));
    for (x, y) in [
        (json!([1, 2]), json!([2, 1])),
        (json!([1]), json!([1, 1])),
        (json!([]), json!({})),
        (json!({"a": 1}), json!({"b": 1})),
        (json!({"a": 1}), json!({"a": 2})),
        (json!("1"), json!(1)),
        (json!(null), json!(false)),
        (json!(true), json!(false)),
        (json!([[1], [2, [3]]]), json!([[1], [2, [4]]])),
        (json!([number("1.0"), "a"]), json!([number("1.00"), "b"])),
        (json!("a"), json!("b")),
        (json!([1]), json!(1)),
    ] {
        assert!(!same(&x, &y) && !same(&y, &x), "{x} {y}");
    }
    assert!(same(&json!(null), &json!(null)) && same(&json!(true), &json!(true)) && same(&json!("a"), &json!("a")));
    assert!(same(&number("1.0"), &number("1.00")) && same(&number("-0.5"), &number("-0.50")));
}

#[test]
fn any_depth_is_compared_without_recursion() {
    let deep = |innermost: &str| {
        let mut bytes = write(&json!([number(innermost)]));
        for _ in 0..20_000 {
            let length = bytes.len() as u32;
            bytes = [&(ARRAY | 1).to_ne_bytes()[..], &(CONTAINER | HAS_OFFSET | length).to_ne_bytes(), &bytes].concat();
        }
        bytes
    };
    let (a, b, c) = (deep("1.0"), deep("1.00"), deep("2.00"));
    assert!(root(&a).unwrap().same(&root(&b).unwrap()));
    assert!(!root(&a).unwrap().same(&root(&c).unwrap()));
    assert_eq!(shown(root(&a).unwrap()), "List([Document])");
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

#[test]
fn a_list_without_room_is_no_crash() {
    assert!(with_room::<Value>(usize::MAX).is_none());
    assert!(with_room::<Value>(3).is_some_and(|items| items.is_empty()));
    // one null more than is read
    let mut list = vec![0x4000_0000 | (MOST_ELEMENTS as u32 + 1)];
    list.resize(MOST_ELEMENTS + 2, 0x4000_0000);
    assert!(matches!(root(&words(&list)).unwrap().value(), Value::Document));
}

#[test]
fn damaged_bytes_are_refused() {
    assert!(root(&[]).is_none());
    assert!(root(&[0; 3]).is_none());
    assert!(root(&write(&json!(1))[..5]).is_none());
    // neither array nor object, or both
    assert!(root(&words(&[0])).is_none());
    assert!(root(&words(&[ARRAY | OBJECT])).is_none());
    // fewer entries than promised
    assert!(root(&words(&[ARRAY | 1])).is_none());
    assert!(root(&words(&[OBJECT | 1, 0])).is_none());
    assert!(root(&words(&[ARRAY | COUNT])).is_none());
    // a scalar that is not there, or of an unknown type
    assert!(root(&words(&[ARRAY | SCALAR])).is_none());
    assert!(root(&words(&[ARRAY | SCALAR | 1, 0x6000_0000])).is_none());
    assert!(root(&words(&[ARRAY | SCALAR | 1, STRING | 1])).is_none());
    // a number without a header, with another length, without digits; a container without a header
    assert!(root(&words(&[ARRAY | SCALAR | 1, NUMERIC])).is_none());
    assert!(root(&words(&[ARRAY | SCALAR | 1, NUMERIC | 8, 0, 0])).is_none());
    assert!(root(&words(&[ARRAY | SCALAR | 1, CONTAINER])).is_none());
    let header = if cfg!(target_endian = "little") { 4 << 2 } else { 4 };
    let empty_number = words(&[ARRAY | SCALAR | 1, NUMERIC | 4, header]);
    assert_eq!(shown(root(&empty_number).unwrap()), "Document");
    assert!(root(&empty_number).unwrap().same(&root(&empty_number).unwrap()));
    assert!(!root(&empty_number).unwrap().same(&root(&write(&json!(1))).unwrap()));
}

#[test]
fn a_damaged_part_is_unequal_and_not_found() {
    // an end before its start
    let backwards = words(&[ARRAY | 2, STRING | HAS_OFFSET | 4, STRING | HAS_OFFSET | 2, 0]);
    let node = root(&backwards).unwrap();
    assert!(shown(node).ends_with("Document])"));
    assert!(node.same(&node), "the same bytes are the same");
    let mut other = backwards.clone();
    other[12] ^= 1;
    assert!(!root(&other).unwrap().same(&node));
    // a key that is no string, whatever its length; a value out of bounds
    let bad_key = words(&[OBJECT | 1, NULL, NULL]);
    assert!(root(&bad_key).unwrap().key(b"").is_none());
    let bad_value = words(&[OBJECT | 1, STRING, STRING | 9]);
    assert!(root(&bad_value).unwrap().key(b"").is_none());
    // the padding of an aligned value runs over its end
    let misaligned = [words(&[ARRAY | 2, STRING | 1, CONTAINER | 1]), vec![0; 2]].concat();
    assert!(shown(root(&misaligned).unwrap()).ends_with("Document])"));
}

fn any_json() -> impl Strategy<Value = Json> {
    let number = (-9999i32..10_000, 0u32..10_000, 0usize..5).prop_map(|(whole, fraction, scale)| {
        let fraction = format!("{fraction:04}");
        number(&if scale == 0 { whole.to_string() } else { format!("{whole}.{}", &fraction[..scale]) })
    });
    let leaf =
        prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), number, "[ab]{0,3}".prop_map(Json::from)];
    leaf.prop_recursive(4, 80, 40, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..40).prop_map(Json::from),
            proptest::collection::btree_map("[abc]{0,3}", inner, 0..40)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reading_agrees_with_json(json in any_json(), other in any_json(), key in "[abc]{0,3}") {
        let bytes = write(&json);
        let node = root(&bytes).unwrap();
        let (text, other_text) = (json.to_string(), other.to_string());
        let find = |text, path: &[&str]| json::find(text, json::Encoding::UTF8, &[path])[0];
        let document: json::Node = find(text.as_bytes(), &[]).unwrap();
        prop_assert_eq!(shown(node), format!("{:?}", document.value().unwrap()));
        let expected = find(text.as_bytes(), &[&key]).map(|node| format!("{:?}", node.value().unwrap()));
        prop_assert_eq!(node.key(key.as_bytes()).map(shown), expected);
        let other_document = find(other_text.as_bytes(), &[]).unwrap();
        prop_assert_eq!(Ok(node.same(&root(&write(&other)).unwrap())), document.same(&other_document));
        prop_assert!(node.same(&node));
    }

    #[test]
    fn the_entries_of_an_object_are_its_keys_and_values(json in any_json()) {
        let bytes = write(&json);
        let node = root(&bytes).unwrap();
        let entries: Option<Vec<_>> = node.entries().map(Iterator::collect);
        prop_assert_eq!(entries.as_ref().map(Vec::len), json.as_object().map(serde_json::Map::len));
        for (key, value) in entries.unwrap_or_default() {
            prop_assert_eq!(node.key(key).map(shown), Some(shown(value)));
        }
    }

    #[test]
    fn the_bytes_of_a_list_or_an_object_are_a_jsonb(json in any_json()) {
        let outer = write(&serde_json::json!({ "a": json }));
        let inner = root(&outer).unwrap().key(b"a").unwrap();
        prop_assert_eq!(inner.container().is_some(), json.is_array() || json.is_object());
        if let Some(bytes) = inner.container() {
            prop_assert!(root(bytes).unwrap().same(&root(&write(&json)).unwrap()));
        }
    }

    #[test]
    fn a_damaged_jsonb_never_panics(json in any_json(), damage in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..4), cut: u16) {
        let whole = write(&json);
        let mut bytes = whole.clone();
        for (at, byte) in damage {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(usize::from(cut % 8)));
        if let Some(node) = root(&bytes) {
            let _ = (node.value(), node.key(b"a"), node.same(&root(&whole).unwrap()));
            let _ = node.entries().map(Iterator::count);
        }
    }

    #[test]
    fn any_bytes_are_answered(words_ in proptest::collection::vec(any::<u32>(), 0..12)) {
        if let Some(node) = root(&words(&words_)) {
            let _ = (node.value(), node.key(b"a"));
        }
    }
}
