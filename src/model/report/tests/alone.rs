//! Small reports: one group, nothing matched yet, a baseline that is not the control group.

use super::*;
use crate::report::chart::Axis;

fn one_group(curve: Value) -> String {
    page(&json!({"goals": [{"sent": 90, "matched": 30}], "totals": {"sent": 90},
                 "variants": [{"users": 90, "matched": 30, "rate": 0.333, "rate_low": 0.2, "rate_high": 0.4}], "curve": curve}))
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
    let html = page(&json!({"goals": [{}], "totals": {"sent": 3}, "variants": [{}]}));
    assert!(html.contains("Everyone who was counted") && !html.contains("<h3>Reached the goal"));
    assert_eq!(headline(&html), "Sent, with no figures for the goal yet");
}

#[test]
fn without_a_goal_the_page_shows_what_is_known_and_speaks_of_no_goal() {
    let titles = |kind: &str, totals: Value| {
        let html = page(&json!({"message": {"kind": kind}, "totals": totals}));
        let body = html.split("</style>").nth(1).unwrap().to_owned();
        assert!(!body.contains("to the goal"), "{body}");
        html.split("<h3>").skip(1).map(|rest| rest.split("</h3>").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("ongoing", json!({"sent": 9, "opened": 3})), ["From sent to clicked"]);
    assert_eq!(titles("programme", json!({"sent": 9})), ["Who entered"]);
}

#[test]
fn with_a_control_group_that_is_not_recorded_the_page_says_what_to_record() {
    let of = |kind: &str, totals: Value| {
        let rows = json!([{"users": 90, "matched": 30, "rate": 0.333, "verdict": "too early"},
                          {"variant": "control", "is_control": true}]);
        page(
            &json!({"message": {"kind": kind}, "goals": [{"sent": 90, "matched": 30}], "totals": totals, "variants": rows}),
        )
    };
    let html = of("ongoing", json!({"sent": 90}));
    assert_eq!(headline(&html), "There is nothing to compare with");
    assert!(html.contains("<code>variant =&gt; 'control'</code>"), "{html}");
    assert!(of("programme", json!({"sent": 90})).contains("<code>variant =&gt; 'held out'</code>"));
    assert_eq!(headline(&of("ongoing", json!({"sent": 90, "control": 1}))), "Too early to tell");
}

#[test]
fn the_baseline_is_the_row_that_was_compared_with_nothing() {
    // here without a verdict: a row without conversions may have a verdict and no lift
    let rows = json!([{"variant": "A", "users": 50, "rate": 0.0, "verdict": "too early"}, {"variant": "B", "users": 50, "rate": 0.0}]);
    let html = page(&json!({"goals": [{}], "totals": {"sent": 100}, "variants": rows, "running_included": true}));
    assert!(html.contains("Differences and lifts are against “<bdi>B</bdi>”."));
    assert!(
        html.contains("No time limit has passed yet")
            && !html.contains("Receipts whose time limit still runs are left out.")
    );
    assert!(!html.contains("<h3>Lift"), "there is no lift to draw");
    assert_eq!(headline(&html), "Too early to tell");
}

#[test]
fn the_baseline_may_stand_anywhere() {
    let row = |name: &str, lift: Value, verdict: Value| json!({"variant": name, "users": 50, "rate": 0.2, "lift": lift, "verdict": verdict});
    let html = compared(json!([row("A", json!(0.5), json!("better")), row("B", Value::Null, Value::Null)]));
    assert!(html.contains("Differences and lifts are against “<bdi>B</bdi>”."));
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
    assert_eq!(
        against(control(), &["better", "better", "worse", "worse", "too early"]),
        "2 of 5 variants beat the control group, 2 do worse"
    );
    let html = compared(
        json!([plain(), {"variant": "v0", "users": 100, "rate": 0.2, "lift": 1.0, "verdict": "no difference shown"}]),
    );
    assert!(html.contains("too few people to tell whether “<bdi>v0</bdi>” differs from “<bdi>A</bdi>”"));
}

#[test]
fn a_difference_without_rates_is_still_named() {
    let html = compared(
        json!([{"variant": "control"}, {"variant": "A", "verdict": "worse"}, {"variant": "B", "verdict": "worse"}]),
    );
    assert_eq!(headline(&html), "Both variants do worse than the control group");
    assert!(html.contains("<p><bdi>A</bdi>: worse than the control group.</p>"));
    assert!(html.contains("“<bdi>B</bdi>”: worse</li>"));
    let html = compared(json!([{"variant": "control"}, {"variant": "A", "verdict": "worse"}]));
    assert_eq!(headline(&html), "It does harm: fewer reached the goal than in the control group");
}

#[test]
fn a_control_group_with_nobody_to_compare_it_with_says_so() {
    let rows = json!([{"users": 0, "verdict": "split is unsound"}, {"variant": "control", "users": 5, "rate": 0.2}]);
    let html = page(&json!({"goals": [{}], "totals": {"control": 5}, "variants": rows}));
    assert_eq!(headline(&html), "Only the control group so far");
    assert!(html.contains("5 people were held back") && html.contains("20.0% of them reached the goal."));
    let html = page(&json!({"goals": [{}], "totals": {"control": 1}}));
    assert!(html.contains("1 person was held back"));
    let html = page(&json!({"goals": [{"sent": 9, "in_progress": 1}], "totals": {"sent": 9}}));
    assert!(html.contains("1 receipt is still within the time limit"));
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
    let html = page(&json!({"goals": [{}], "variants": rows}));
    assert!(html.contains(">101</b>") && html.contains(">101</text>"));
}

#[test]
fn a_stopped_goal_says_so_and_since_when() {
    let stopped = |at: Value| page(&json!({"goals": [{"sent": 9, "stopped": at}], "totals": {"sent": 9}}));
    let html = stopped(json!("2025-03-20T06:00:00+00:00"));
    assert!(html.contains("This goal has been stopped.") && html.contains("<span class=\"note\">stopped</span>"));
    assert!(html.contains("<dt>Stopped</dt><dd>20 March 2025, 06:00 UTC</dd>"));
    assert!(!stopped(Value::Null).contains("topped"));
}
