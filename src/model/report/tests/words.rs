//! What is read, and the words that it becomes.

use super::*;

#[test]
fn a_goal_reads_as_words() {
    let words = |goal: Value| text::goal_words(&serde_json::from_value::<Goal>(goal).unwrap());
    assert_eq!(
        words(json!({"attribute": "plan", "operator": "IS_ANY_OF", "value": r#"{pro,"two, \"words\""}"#})),
        "<bdi>plan</bdi> is any of “<bdi>pro</bdi>”, “<bdi>two, &quot;words&quot;</bdi>”"
    );
    assert_eq!(
        words(json!({"attribute": "seats", "operator": "is increased by", "value": 5})),
        "<bdi>seats</bdi> is increased by “<bdi>5</bdi>”"
    );
    assert_eq!(
        words(json!({"event": "purchase", "times": 2, "properties": {"kind": "book"}})),
        "the event “<bdi>purchase</bdi>” happens, at least 2 times, with <bdi>{&quot;kind&quot;:&quot;book&quot;}</bdi>"
    );
    assert_eq!(words(json!({"description": "buys", "attribute": "x"})), "<bdi>buys</bdi>");
    assert_eq!(words(json!({})), "not described");
}

#[test]
fn a_time_limit_reads_as_days_whatever_the_intervalstyle() {
    for same in ["7 days", "168:00:00", "P7D", "PT168H", "604800", "@ 7 days", "1 week", "7 00:00:00 "] {
        let expected = if same.starts_with("7 0") { same } else { "7 days" };
        assert_eq!(text::duration(same), expected);
    }
    assert_eq!(text::duration("1 day 12:30:00"), "1 day 12 hours 30 minutes");
    assert_eq!(text::duration("P1DT1H1M1S"), "1 day 1 hour 1 minute 1 second");
    for odd in ["", "soon", "1 mon", "P1M", "-1 day", "P", "0"] {
        assert_eq!(text::duration(odd), odd);
    }
}

#[test]
fn numbers_read_as_people_write_them() {
    assert_eq!(text::decimal(-1234567.5, 1), "−1,234,567.5");
    assert_eq!(text::decimal(-0.2, 0), "0");
    assert_eq!(text::short_count(2_340_000.0), "2.3M");
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
    assert_eq!(text::moment("2025-11-23T17:56:00.123+00:00"), "23 November 2025, 17:56 UTC");
    assert_eq!(text::moment("2025-11-23 17:56:00+02"), "23 November 2025, 17:56 UTC+02:00");
    assert_eq!(text::moment("yesterday"), "yesterday");
}

#[test]
fn figures_come_as_numbers_or_as_text() {
    let figure = |value: Value| serde_json::from_value::<Figure>(value).unwrap().0;
    assert_eq!(figure(json!(1.5)), Some(1.5));
    assert_eq!(figure(json!("12.00")), Some(12.0));
    assert_eq!(figure(json!("Infinity")), Some(f64::INFINITY));
    assert_eq!(figure(json!("-Infinity")), Some(f64::NEG_INFINITY));
    assert_eq!((figure(json!("NaN")), figure(json!(null)), figure(json!(true))), (None, None, None));
    // straight from text too, where arbitrary_precision hands numbers over as maps
    assert_eq!(serde_json::from_str::<Figure>("0.1").unwrap().0, Some(0.1));
    assert_eq!(serde_json::from_str::<Words>("14").unwrap().get(), Some("14"));
}

#[test]
fn more_than_a_page_holds_is_refused() {
    let variants =
        |n: usize| json!({"variants": (0..n).map(|i| json!({"variant": i.to_string()})).collect::<Vec<_>>()});
    assert!(read(&variants(1000).to_string()).is_ok());
    assert_eq!(read(&variants(1001).to_string()).unwrap_err(), "1001 variants, of which a page takes 1000");
    let curve: Vec<_> = (0..1001).map(|i| json!({"variant": i.to_string(), "day": 1})).collect();
    assert!(read(&json!({"curve": curve}).to_string()).is_err());
    assert!(read(&json!({"goals": vec![json!({}); 1001]}).to_string()).is_err());
    assert!(read("{").is_err());
}

#[test]
fn properties_may_be_nested_to_any_depth() {
    for depth in [1, 127, 128, 100_000] {
        let properties = format!("{{\"a\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let data = format!(
            r#"{{"goals": [{{"name": "g", "event": "e", "properties": {properties}}}], "more": {properties}}}"#
        );
        let report = read(&data).unwrap();
        assert_eq!(report.goals[0].properties.get(), Some(properties.as_str()));
        check_well_formed(&render(&report));
    }
}
