//! Reports of few: one group, nothing matched yet, a baseline that is no control group.

use super::*;
use crate::report::chart::Axis;

fn one_group(curve: Value) -> String {
    page(
        &json!({"message": {"name": "m"}, "goals": [{"name": "primary", "attribute": "plan", "operator": "is changed", "sent": 90, "matched": 30}],
                 "variants": [{"users": 90, "matched": 30, "rate": 0.333, "rate_low": 0.2, "rate_high": 0.4}], "curve": curve}),
    )
}

#[test]
fn a_message_without_variants_is_compared_with_nobody() {
    let html = one_group(
        json!([{"day": 1, "matched_cumulative": 10, "eligible": 90}, {"day": 2, "matched_cumulative": 30, "eligible": 90}]),
    );
    assert!(
        html.contains(">Everyone who was counted</h2>") && html.contains("People counted: 90, each once.</caption>")
    );
    let body = html.split("</style>").nth(1).unwrap();
    for comparing in ["the baseline", "Lift", "Difference", "Chance it is better", "class=\"legend\"", "leader"] {
        assert!(!body.contains(comparing), "{comparing}");
    }
    assert!(html.contains("Days since sending") && html.contains("The message 33.3% by day 2"));
}

#[test]
fn a_curve_of_which_nothing_has_matched_lies_on_the_ground() {
    let html = one_group(
        json!([{"day": 1, "matched_cumulative": 0, "eligible": 90}, {"day": 2, "matched_cumulative": 0, "eligible": 90}]),
    );
    let curve = html.split("<h3>Days since sending").nth(1).unwrap().split("</svg>").next().unwrap();
    assert!(curve.contains("The message 0% by day 2") || curve.contains("The message 0.0% by day 2"), "{curve}");
    assert!(curve.contains(">1%<"), "the axis has a height: {curve}");
}

#[test]
fn a_group_of_which_nobody_was_counted_has_a_row_and_no_chart() {
    let html = page(&json!({"goals": [{"sent": 3}], "variants": [{"users": 0, "matched": 0}]}));
    assert!(html.contains("Everyone who was counted") && !html.contains("<svg"));
    assert_eq!(headline(&html), "Sent, with no figures for the goal yet");
}

#[test]
fn the_baseline_is_the_row_that_was_compared_with_nothing() {
    // without a verdict, that is: where nobody has converted a row may have a verdict and no lift
    let rows = json!([{"variant": "A", "users": 50, "rate": 0.0, "verdict": "too early"}, {"variant": "B", "users": 50, "rate": 0.0}]);
    let html = page(&json!({"goals": [{"sent": 100}], "variants": rows, "running_included": true}));
    assert!(html.contains("Differences and lifts are against “<bdi>B</bdi>”."));
    assert!(
        html.contains("No time limit has passed yet")
            && !html.contains("Receipts whose time limit still runs are left out.")
    );
    assert!(!html.contains("<h3>Lift"), "there is no lift to draw");
    assert_eq!(headline(&html), "Too early to tell");
}

#[test]
fn the_baseline_may_stand_anywhere_or_nowhere() {
    let row = |name: &str, lift: Value, verdict: Value| json!({"variant": name, "users": 50, "rate": 0.2, "lift": lift, "verdict": verdict});
    let html = compared(json!([row("A", json!(0.5), json!("better")), row("B", Value::Null, Value::Null)]));
    assert!(html.contains("Differences and lifts are against “<bdi>B</bdi>”."));
    let html = compared(json!([row("A", json!(0.5), json!("better")), row("B", json!(0.1), json!("too early"))]));
    assert!(html.contains("Variants compared") && !html.contains("Differences and lifts are against"));
}

fn against(baseline: Value, verdicts: &[&str]) -> String {
    let row = |name: String, verdict: &str| {
        let up = if verdict == "worse" { -1.0 } else { 1.0 };
        json!({"variant": name, "users": 100, "rate": 0.1 + 0.05 * up, "difference": 0.05 * up, "lift": 0.5 * up, "verdict": verdict})
    };
    let rows = verdicts.iter().enumerate().map(|(i, verdict)| row(format!("v{i}"), verdict));
    headline(&compared(std::iter::once(baseline).chain(rows).collect())).to_owned()
}

#[test]
fn the_headline_says_who_and_against_whom() {
    let control = || json!({"variant": "control", "is_control": true, "users": 100, "rate": 0.1});
    let plain = || json!({"variant": "A", "users": 100, "rate": 0.1});
    assert_eq!(against(control(), &["worse"]), "It does harm: 50.0% fewer reached the goal than in the control group");
    assert_eq!(against(plain(), &["better"]), "“<bdi>v0</bdi>” beats “<bdi>A</bdi>”: 50.0% more reached the goal");
    assert!(
        against(control(), &["worse", "too early"]).starts_with("“<bdi>v0</bdi>” does worse than the control group: ")
    );
    assert_eq!(against(control(), &["better"; 3]), "All 3 variants beat the control group");
    assert_eq!(
        against(control(), &["better", "better", "worse"]),
        "2 of 3 variants beat the control group, 1 does worse"
    );
    let html = compared(
        json!([plain(), {"variant": "v0", "users": 100, "rate": 0.2, "lift": 1.0, "verdict": "no difference shown"}]),
    );
    assert!(html.contains("“<bdi>v0</bdi>” may differ from “<bdi>A</bdi>” or not"));
}

#[test]
fn a_verdict_without_a_baseline_is_against_the_baseline() {
    let html = compared(json!([{"variant": "A", "users": 100, "rate": 0.2, "lift": 1.0, "verdict": "better"}]));
    assert_eq!(headline(&html), "“<bdi>A</bdi>” beats the baseline: 100% more reached the goal");
}

#[test]
fn people_counted_though_nothing_is_sent_are_not_nothing() {
    let html = page(
        &json!({"goals": [{"sent": 0}], "variants": [{"variant": "control", "is_control": true, "users": 5, "rate": 0.2}]}),
    );
    assert_eq!(headline(&html), "Only the control group so far");
    let html = page(&json!({"goals": [{"sent": 9, "in_progress": 1}]}));
    assert!(html.contains("1 receipt is still inside the time limit"));
}

#[test]
fn a_lift_of_nothing_without_an_interval_has_an_axis() {
    let html = compared(json!([{"variant": "control", "is_control": true, "users": 100, "rate": 0.1},
                               {"variant": "A", "users": 100, "rate": 0.1, "lift": 0, "verdict": "no difference shown"}]));
    assert!(html.contains("<h3>Lift"));
    let flat = Axis::new((2.0, 2.0), (0.0, 10.0));
    assert_eq!((flat.at(2.0), flat.at(3.0), flat.at(1.0)), (0.0, 10.0, 0.0));
}

#[test]
fn a_hundred_variants_have_badges_of_three_figures() {
    let rows: Vec<Value> = (0..101).map(|i| json!({"variant": format!("v{i}"), "users": 100, "rate": 0.1})).collect();
    let html = page(&json!({"goals": [{"sent": 10100}], "variants": rows}));
    assert!(html.contains(">101</b>") && html.contains(">101</text>"));
}

#[test]
fn times_that_are_none_are_shown_as_they_are() {
    for odd in ["2025-11-23 10:00:00+zz", "2025-11-23 10:00:00-1z", "soon"] {
        assert_eq!(text::moment(odd), odd);
    }
    assert_eq!(text::moment("2025-11-23 10:00:00+01"), "23 November 2025, 10:00 UTC+01:00");
    assert_eq!((text::duration("0.25"), text::duration("1.5")), ("0.25".to_owned(), "1 second".to_owned()));
}

#[test]
fn an_event_once_is_an_event() {
    let words = |times: Value| {
        let goal = serde_json::from_value::<Goal>(json!({"event": "buy", "times": times})).unwrap();
        text::goal_words(&goal)
    };
    assert_eq!(words(json!(1)), "the event “<bdi>buy</bdi>” happens");
    assert_eq!(words(json!(2)), "the event “<bdi>buy</bdi>” happens, at least 2 times");
}
