//! The input, and the words that it becomes.

use super::*;

#[test]
fn a_goal_reads_as_words() {
    let words = |given: Value| {
        let goal: GoalFigures = serde_json::from_str(&goal(given).to_string()).unwrap();
        goal.in_words().into_string()
    };
    let list = |value: &str| words(json!({"operator": "is any of", "value": value}));
    assert_eq!(
        list(r#"{pro,"two, \"words\"",NULL}"#),
        "<bdi>plan</bdi> is any of “<bdi>pro</bdi>”, “<bdi>two, &quot;words&quot;</bdi>”, “<bdi>NULL</bdi>”"
    );
    assert_eq!(list("{pro"), "<bdi>plan</bdi> is any of “<bdi>{pro</bdi>”");
    assert_eq!(
        words(json!({"attribute": "seats", "operator": "is increased by", "value": "5"})),
        "<bdi>seats</bdi> is increased by “<bdi>5</bdi>”"
    );
    assert_eq!(words(json!({})), "<bdi>plan</bdi> is changed");
    let event = |times: i64, properties: Value| {
        words(json!({"attribute": null, "operator": null, "event": "buy", "times": times, "properties": properties}))
    };
    assert_eq!(event(1, json!({})), "the event “<bdi>buy</bdi>” happens");
    assert_eq!(event(1, Value::Null), "the event “<bdi>buy</bdi>” happens");
    assert_eq!(
        event(2, json!({"kind": "book"})),
        "the event “<bdi>buy</bdi>” happens, at least 2 times, with <bdi>{&quot;kind&quot;:&quot;book&quot;}</bdi>"
    );
}

#[test]
fn a_time_limit_reads_as_days() {
    for (seconds, shown) in [
        (604_800.0, "7 days"),
        (131_400.0, "1 day 12 hours 30 minutes"),
        (90_061.0, "1 day 1 hour 1 minute 1 second"),
        (1.5, "1 second"),
        (0.25, "0.25 seconds"),
    ] {
        assert_eq!(text::duration(Count(seconds)), shown);
    }
}

#[test]
fn numbers_read_as_people_write_them() {
    assert_eq!(text::decimal(-1234567.5, 1), "−1,234,567.5");
    assert_eq!(text::decimal(-0.2, 0), "0");
    let counts = [(9_999.0, "9,999"), (12_345.0, "12K"), (999_600.0, "1.0M"), (2_340_000.0, "2.3M"), (25e12, "25T")];
    for (n, shown) in counts {
        assert_eq!(text::shortest_count(n), shown);
    }
    let percents =
        [(0.0, "0%"), (0.00001, "<0.01%"), (0.004, "0.40%"), (0.18276, "18.3%"), (1.0, "100%"), (-0.5, "−50.0%")];
    for (fraction, shown) in percents {
        assert_eq!(text::percent(fraction), shown);
    }
    assert_eq!(text::round_percent(0.95), "95%");
    assert_eq!(text::signed_percent(0.721), "+72.1%");
    assert_eq!(text::signed_percent(f64::INFINITY), "+∞");
    assert_eq!(text::points(-0.0766), "−7.7");
    assert_eq!((text::p_value(1e-300).as_str(), text::p_value(0.0421).as_str()), ("<0.001", "0.042"));
    assert_eq!((text::chance(1.0).as_str(), text::chance(0.0).as_str()), (">99.9%", "<0.1%"));
}

#[test]
fn times_read_as_dates_of_their_zone() {
    let moment = |json: &str| serde_json::from_str::<Moment>(json).map(text::moment).map_err(|e| e.to_string());
    assert_eq!(moment("\"2025-11-23T17:56:00.123+00:00\"").unwrap(), "23 November 2025, 17:56 UTC");
    assert_eq!(moment("\"2025-11-23T07:56:00+02:30\"").unwrap(), "23 November 2025, 07:56 UTC+02:30");
    assert_eq!(moment("\"soon\"").unwrap_err(), "\"soon\" is no time");
}

#[test]
fn figures_come_as_numbers_or_as_text() {
    let figure = |json: &str| serde_json::from_str::<Figure>(json).map(|f| f.0).map_err(|e| e.to_string());
    assert_eq!((figure("1.5"), figure("0.1")), (Ok(Some(1.5)), Ok(Some(0.1))));
    assert_eq!((figure("\"Infinity\""), figure("-1e300")), (Ok(Some(f64::INFINITY)), Ok(Some(f64::NEG_INFINITY))));
    assert_eq!((figure("\"NaN\""), figure("null"), figure("1e1000")), (Ok(None), Ok(None), Ok(None)));
    assert_eq!(figure("\"soon\"").unwrap_err(), "\"soon\" is no number");
    assert_eq!(figure("true").unwrap_err(), "true is no number");
    let count = |json: &str| serde_json::from_str::<Count>(json).map(|c| c.0).map_err(|e| e.to_string());
    assert_eq!((count("12"), count("-3"), count("1e1000")), (Ok(12.0), Ok(0.0), Ok(1e15)));
    assert!(count("null").unwrap_err().starts_with("invalid type: null, expected a JSON number"));
}

#[test]
fn more_than_a_page_holds_is_refused() {
    let variants =
        |n: usize| json!({"variants": (0..n).map(|i| json!({"variant": i.to_string()})).collect::<Vec<_>>()});
    let read = |given: Value| read(&complete(&given).to_string());
    assert!(read(variants(1000)).is_ok());
    assert_eq!(read(variants(1001)).unwrap_err(), "1001 variants, of which a page takes 1000");
    let curve: Vec<_> = (0..1001).map(|i| json!({"variant": i.to_string(), "day": 1})).collect();
    assert!(read(json!({"curve": curve})).is_err());
    assert!(read(json!({"goals": vec![json!({}); 1001]})).is_err());
    let parts = read(json!({"parts": vec![json!({}); 1001]}));
    assert_eq!(parts.unwrap_err(), "1001 messages, of which a page takes 1000");
}

#[test]
fn properties_may_be_nested_to_any_depth() {
    for depth in [1, 127, 128, 100_000] {
        let properties = format!("{{\"a\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let data = complete(&json!({"goals": [{"event": "e", "properties": "here"}], "more": "here"}));
        let report = read(&data.to_string().replace("\"here\"", &properties)).unwrap();
        assert_eq!(report.goals[0].properties, Some(Words(properties)));
        check_well_formed(&render(&report));
    }
}
