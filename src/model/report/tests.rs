//! What the page promises; each test is named after its promise. `sample.json` has the shape that SQL builds.

mod alone;
mod programmes;
mod shares;
mod words;

use super::chart::{Axis, BOLD, TEXT, WIDTH};
use super::data::{Count, Figure, GoalFigures, Moment, Report, Words};
use super::{read, render, text};
use proptest::prelude::*;
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("sample.json");

fn sample() -> Value {
    serde_json::from_str(SAMPLE).unwrap()
}

/// Replaces what `base` has by what `over` has, object by object.
fn put(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            over.iter().for_each(|(key, value)| put(base.entry(key).or_insert(Value::Null), value));
        }
        (base, over) => *base = over.clone(),
    }
}

/// A report of `given`; what it leaves out is empty.
fn complete(given: &Value) -> Value {
    let mut data = json!({
        "message": {"name": "m", "kind": "ongoing", "channel": null, "created_at": "2025-03-03T09:12:44.12+00:00",
                    "part_of": null},
        "as_of": "2025-03-24T06:00:00+00:00", "goal": null, "confidence": 0.95, "running_included": false,
        "goals": null, "totals": {"sent": 0, "opened": 0, "clicked": 0, "control": 0, "deliveries_reported": false,
                                  "bounced": 0, "complained": 0, "unsubscribed": 0, "opened_by_machine": 0,
                                  "clicked_by_machine": 0},
        "variants": null, "curve": null, "withdrawn": 0, "parts": null,
    });
    put(&mut data, given);
    // where nothing else is given, all that was sent was delivered
    let sent = data["totals"]["sent"].clone();
    data["totals"].as_object_mut().unwrap().entry("delivered").or_insert(sent);
    let sample = sample();
    let point = json!({"variant": null, "is_control": false, "day": 1, "matched_cumulative": 0, "eligible": 0});
    let part =
        json!({"name": "p", "kind": "ongoing", "sent": 0, "delivered": 0, "opened": 0, "clicked": 0, "matched": null});
    let empty_rows =
        [("goals", &goal(json!({}))), ("variants", &sample["variants"][0]), ("curve", &point), ("parts", &part)];
    for (list, empty) in empty_rows {
        for given in data[list].as_array_mut().into_iter().flatten() {
            let mut row = empty.clone();
            if list == "variants" {
                row.as_object_mut().unwrap().values_mut().for_each(|value| *value = Value::Null);
                put(&mut row, &json!({"is_control": false, "users": 0, "matched": 0}));
            }
            put(&mut row, given);
            *given = row;
        }
    }
    data
}

/// The goal `primary` with nothing sent, changed as `given`.
fn goal(given: Value) -> Value {
    let mut goal = json!({
        "name": "primary", "goal": "primary", "attribute": "plan", "operator": "is changed", "value": null, "event": null,
        "times": 1, "properties": null, "after": "sent", "version": 1, "time_limit": 604800.000000, "stopped": null,
        "sent": 0, "opened": 0, "clicked": 0, "already_matched": 0, "matched": 0, "matched_after_open": 0,
        "matched_after_click": 0, "worth": 0, "in_progress": 0, "delivered": 0, "bounced": 0, "complained": 0,
        "unsubscribed": 0, "opened_by_machine": 0, "clicked_by_machine": 0,
    });
    put(&mut goal, &given);
    goal
}

fn parsed(data: &Value) -> Report {
    read(&complete(data).to_string()).unwrap()
}

/// The page before it becomes ASCII.
fn page(data: &Value) -> String {
    let html = super::page::render(&parsed(data)).into_string();
    check_well_formed(&html);
    check_self_contained(&html);
    check_no_text_overlaps(&html);
    html
}

/// Checks that every tag that opens closes, in order, and that every attribute is quoted.
fn check_well_formed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, tail) = after.split_once('>').expect("a tag ends");
        rest = tail;
        if tag.starts_with('!') {
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap();
        match tag.starts_with('/') {
            true => assert_eq!(open.pop(), Some(name), "closes"),
            false if ["meta", "link"].contains(&name) => {}
            false => open.push(name),
        }
        if name == "style" && !tag.starts_with('/') {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    for junk in ["NaN", "inf%", ">inf", "\"inf", "None"] {
        assert!(!html.contains(junk), "{junk} in the page");
    }
}

fn check_self_contained(html: &str) {
    for outside in
        ["http:", "https:", "=\"//", "@import", "url(", "<script", "<iframe", "<img", " src=", "javascript:", "xmlns"]
    {
        assert!(!html.contains(outside), "{outside} in the page");
    }
    // the one link is the empty icon, so that a browser asks for none
    assert_eq!(html.matches("href=").count(), 1);
}

struct TextBox {
    words: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let from = tag.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name} of {tag}")) + name.len() + 3;
    tag[from..].split('"').next().unwrap()
}

/// The texts of each chart, in chart units, as wide as the widest usual font makes them.
fn text_boxes(svg: &str) -> Vec<TextBox> {
    svg.split("<text")
        .skip(1)
        .map(|part| {
            let (tag, rest) = part.split_once('>').unwrap();
            let words = rest.split("</text>").next().unwrap();
            let words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            let number = |name| attribute(tag, name).parse::<f64>().unwrap();
            let size = number("font-size");
            let bold = if attribute(tag, "class") == "figure" { BOLD } else { 1.0 };
            let wide = text::width(words.trim_matches(['\u{2068}', '\u{2069}']), size) * bold;
            let left = match attribute(tag, "text-anchor") {
                "start" => number("x"),
                "middle" => number("x") - wide / 2.0,
                _ => number("x") - wide,
            };
            let (top, bottom) = (number("y") - size * 0.5, number("y") + size * 0.5);
            TextBox { words, left, right: left + wide, top, bottom }
        })
        .collect()
}

fn check_no_text_overlaps(html: &str) {
    for svg in html.split("<svg").skip(1).map(|s| s.split("</svg>").next().unwrap()) {
        let boxes = text_boxes(svg);
        for (at, a) in boxes.iter().enumerate() {
            assert!(
                a.left >= -1.0 && a.right <= WIDTH + 1.0,
                "{:?} leaves the chart: {} to {}",
                a.words,
                a.left,
                a.right
            );
            for b in &boxes[at + 1..] {
                let apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
                assert!(apart, "{:?} overlaps {:?}", a.words, b.words);
            }
        }
    }
}

#[test]
fn the_sample_shows_every_section_in_order() {
    let html = page(&sample());
    let marks = [
        "<h1>",
        "class=\"verdict better\"",
        "class=\"stats\"",
        "From sent to the goal",
        "Days since sending",
        "Variants compared",
        "<h3>Reached the goal",
        "<h3>Lift",
        "<table role=\"table\"><caption>People counted",
        "Small print",
    ];
    let mut at = 0;
    for mark in marks {
        at += html[at..].find(mark).unwrap_or_else(|| panic!("{mark} missing or out of order"));
    }
    assert_eq!(html.matches("<svg").count(), 4);
}

#[test]
fn every_chart_speaks_and_every_table_has_heads_and_caption() {
    let html = page(&sample());
    assert_eq!(html.matches("<svg viewBox=\"0 0 360 ").count(), html.matches("role=\"img\" aria-label=\"").count());
    assert_eq!(html.matches("<table role=\"table\"><caption>").count(), 4);
    assert!(html.contains("scope=\"col\"") && html.contains("scope=\"row\"") && html.contains("lang=\"en\""));
    // the verdict of a row is a word and a mark, not a colour alone
    assert!(html.contains("<span class=\"pill worse\"><span aria-hidden=\"true\">▼</span>worse</span>"));
}

#[test]
fn charts_take_their_colours_from_the_page_in_both_schemes() {
    let html = page(&sample());
    for svg in html.split("<svg").skip(1).map(|s| s.split("</svg>").next().unwrap()) {
        for fixed in ["fill=\"", "stroke=\"", "font-family"] {
            assert!(!svg.contains(fixed), "{fixed} in a chart");
        }
    }
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("@media print"));
    assert!(html.contains("class=\"s vc dash\""), "the control group's line");
}

#[test]
fn every_arm_has_its_own_line_and_a_place_in_each_forest() {
    let html = page(&sample());
    let curve = html.split("<h3>Days since sending").nth(1).unwrap().split("</svg>").next().unwrap();
    assert_eq!(curve.matches(" dash\"").count(), 7);
    let lift = html.split("<h3>Lift").nth(1).unwrap().split("</svg>").next().unwrap();
    assert_eq!(lift.matches("class=\"name\"").count(), 7);
    // an infinite limit is an arrow and a word
    assert!(lift.contains("<polygon") && lift.contains("+29.3% to +∞<"));
}

#[test]
fn names_are_escaped_wherever_they_appear() {
    let nasty = "<script>alert('x')</script>\"'&<!-- ]]> </title></style></svg>";
    let mut data = sample();
    for path in [
        "/message/name",
        "/message/channel",
        "/goals/0/name",
        "/goals/0/attribute",
        "/goals/0/operator",
        "/goals/0/value",
        "/goals/1/event",
        "/goals/1/properties",
        "/variants/1/variant",
        "/message/part_of",
        "/parts/0/name",
    ] {
        *data.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = json!(nasty);
    }
    for point in data["curve"].as_array_mut().unwrap().iter_mut().skip(20) {
        point["variant"] = json!(nasty);
    }
    let html = page(&data);
    assert!(html.contains("&lt;script&gt;alert('x')&lt;/script&gt;"));
    assert_eq!(html.matches("</style>").count(), 1);
    page(&json!({"goals": [{"operator": "is any of", "value": nasty}, {"event": "e", "properties": {nasty: nasty}}]}));
}

#[test]
fn names_cannot_reorder_the_text_around_them() {
    let html = page(&json!({"message": {"name": "a\u{202e}b\u{2069}\u{0}\u{7}c\nd"}}));
    assert!(html.contains("<h1><bdi>abc d</bdi></h1>"));
}

#[test]
fn a_name_too_long_is_cut_and_whole_in_its_title() {
    let long = "Ж".repeat(300);
    let html = page(&json!({"message": {"name": long}}));
    assert!(html.contains(&format!("title=\"{long}\">{}…</bdi>", "Ж".repeat(119))));
}

#[test]
fn a_cut_never_splits_what_reads_as_one_character() {
    let family = "👩‍👩‍👧‍👦";
    for most in 1..12 {
        let cut = Words(format!("a{family}b{family}c")).html(most).into_string();
        let shown = cut.split('>').nth(1).unwrap().split('<').next().unwrap().trim_end_matches('…').replace(family, "");
        assert!(shown.chars().all(|c| c.is_ascii_lowercase()), "{shown:?}");
    }
}

#[test]
fn no_text_of_a_chart_overlaps_another_whatever_the_names_and_numbers() {
    for name in [
        "x".repeat(300),
        "WWWM ".repeat(60),
        "مرحبا بك ".repeat(30),
        "漢字仮名".repeat(75),
        "🚀".repeat(90),
        "﷽".repeat(9),
        "a\u{301}".repeat(200),
        String::new(),
    ] {
        for (lift, high) in [(0.0_f64, 0.0_f64), (1.5, 1e9), (-0.999, -0.5), (3e14, f64::INFINITY), (1e-9, 2e-9)] {
            let mut data = sample();
            for (at, row) in data["variants"].as_array_mut().unwrap().iter_mut().enumerate().skip(1) {
                row["variant"] = json!(format!("{name}{at}"));
                row["lift"] = json!(lift);
                row["lift_high"] = if high.is_finite() { json!(high) } else { json!("Infinity") };
                row["rate"] = json!(lift.clamp(0.0, 1.0));
            }
            for goal in data["goals"].as_array_mut().unwrap() {
                goal["name"] = json!(name);
                for count in ["sent", "opened", "matched", "matched_after_open"] {
                    goal[count] = json!(999_999_999_999_u64);
                }
            }
            data["totals"]["sent"] = json!(1e15);
            page(&data);
        }
    }
}

#[test]
fn twenty_variants_still_have_a_lane_and_a_badge_each() {
    let rows: Vec<Value> = (0..20).map(|i| json!({"variant": format!("v{i}"), "users": 100, "rate": 0.1, "lift": if i == 0 { None } else { Some(0.1) }, "verdict": if i == 0 { None } else { Some("better") }})).collect();
    let points: Vec<Value> = (0..20)
        .map(|i| json!({"variant": format!("v{i}"), "day": 1, "matched_cumulative": 10, "eligible": 100}))
        .collect();
    let html = page(&json!({"message": {"name": "m"}, "goals": [{"sent": 2000}], "variants": rows, "curve": points}));
    assert_eq!(html.matches("class=\"name\"").count(), 40);
}

/// A sample of few rows, for tests that make many pages: they show all that more rows would.
fn small_sample() -> Value {
    let mut data = sample();
    data["variants"].as_array_mut().unwrap().truncate(3);
    data["curve"] = data["curve"].as_array().unwrap().iter().step_by(9).take(4).cloned().collect();
    data
}

/// The path of every field; of lists, those of the first three elements.
fn paths(data: &Value) -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut at = 0;
    while at < paths.len() {
        let keys: Vec<String> = match data.pointer(&paths[at]).unwrap() {
            Value::Object(map) => map.keys().cloned().collect(),
            Value::Array(list) => (0..list.len().min(3)).map(|i| i.to_string()).collect(),
            _ => Vec::new(),
        };
        paths.extend(keys.iter().map(|key| format!("{}/{key}", paths[at])).collect::<Vec<_>>());
        at += 1;
    }
    paths
}

#[test]
fn a_page_is_made_of_any_figures_and_names_or_refused_in_words() {
    let data = small_sample();
    let odd =
        [json!(null), json!("nan"), json!("Infinity"), json!("-Infinity"), json!(0), json!(-1), json!(1e9), json!("")];
    let mut pages = 0;
    for path in paths(&data).iter().skip(1) {
        for value in &odd {
            let mut copy = data.clone();
            *copy.pointer_mut(path).unwrap() = value.clone();
            match read(&copy.to_string()) {
                Ok(report) => {
                    pages += 1;
                    let html = super::page::render(&report).into_string();
                    check_well_formed(&html);
                    check_no_text_overlaps(&html);
                }
                Err(why) => assert!(why.contains(" at line "), "{why}"),
            }
        }
    }
    assert!(pages > 400, "{pages}");
}

#[test]
fn a_field_that_is_missing_is_named() {
    let data = small_sample();
    let mut missing = 0;
    for path in paths(&data) {
        let (parent, key) = path.rsplit_once('/').unwrap_or_default();
        let mut copy = data.clone();
        if copy.pointer_mut(parent).and_then(Value::as_object_mut).is_some_and(|map| map.remove(key).is_some()) {
            missing +=
                read(&copy.to_string()).is_err_and(|why| why.contains(&format!("missing field `{key}`"))) as usize;
        }
    }
    assert!(missing > 80, "{missing}");
    for (odd, why) in [("{", "EOF"), ("[]", "invalid length"), ("7", "invalid type"), ("{}", "missing field `message`")]
    {
        assert!(read(odd).unwrap_err().starts_with(why), "{odd}: {:?}", read(odd));
    }
}

fn compared(rows: Value) -> String {
    page(&json!({"goals": [{"sent": 900}], "totals": {"sent": 900, "control": 900}, "variants": rows}))
}

fn headline(html: &str) -> &str {
    html.split("<h2 id=\"verdict\">").nth(1).unwrap().split("</h2>").next().unwrap()
}

#[test]
fn the_verdict_says_in_people_what_was_found() {
    let control = json!({"variant": "control", "is_control": true, "users": 21306, "rate": 0.10617});
    let row = |name: &str, verdict: &str| {
        json!({"variant": name, "users": 21307, "rate": 0.18276, "difference": 0.07659, "difference_low": 0.0699, "difference_high": 0.0832,
               "lift": 0.7214, "lift_low": 0.65, "lift_high": 0.79, "anytime_p": 1e-30, "split_p": 2e-10, "verdict": verdict})
    };
    let one = |verdict| compared(json!([control, row("mens", verdict)]));
    let html = one("better");
    assert_eq!(headline(&html), "It works: 72.1% more reached the goal than in the control group");
    assert!(html.contains("Of every 1,000 people sent the message, about <b>183</b> reached the goal, against <b>106</b> in the control group: <b>77 more</b> (95% interval: 70 to 83)."));
    assert!(html.contains("This holds however often you look at the figures."));
    let html = one("split is unsound");
    assert_eq!(headline(&html), "The split is unsound, so there is no verdict");
    assert!(html.contains("(p &lt;0.001)"));
    assert_eq!(headline(&one("too early")), "Too early to tell");
    let html = one("no difference shown");
    assert_eq!(headline(&html), "No difference shown so far");
    assert!(html.contains("The true lift may be anything from +65.0% to +79.0%."));
    assert!(html.contains("whether the message makes a difference. This does not show that there is no difference."));
    let two = |a, b| headline(&compared(json!([control, row("mens", a), row("womens", b)]))).to_owned();
    assert_eq!(two("better", "better"), "Both variants beat the control group");
    assert_eq!(two("worse", "worse"), "Both variants do worse than the control group");
    assert_eq!(two("too early", "better"), "“<bdi>womens</bdi>” beats the control group: 72.1% more reached the goal");
    // with one unsound split there is no other verdict
    assert_eq!(two("better", "split is unsound"), "The split is unsound, so there is no verdict");
}

#[test]
fn without_a_control_group_the_first_variant_is_the_baseline() {
    let html = compared(json!([{"variant": "A", "rate": 0.2, "users": 100},
        {"variant": "B", "rate": 0.1, "users": 100, "difference": -0.1, "difference_low": -0.2, "difference_high": -0.01, "lift": -0.5, "verdict": "worse"}]));
    assert_eq!(headline(&html), "“<bdi>B</bdi>” does worse than “<bdi>A</bdi>”: 50.0% fewer reached the goal");
    assert!(html.contains("<b>10 fewer</b> (95% interval: 1 to 20)"));
}

#[test]
fn the_page_says_so_when_there_is_nothing_to_judge() {
    let of = |data: Value| headline(&page(&data)).to_owned();
    assert_eq!(of(json!({"totals": {"sent": 5}})), "This message has no goal yet");
    assert_eq!(of(json!({"goals": [{}]})), "Nothing has been sent yet");
    let goal = json!([{"sent": 200, "matched": 30}]);
    assert_eq!(of(json!({"goals": goal, "totals": {"sent": 200}})), "15.0% reached the goal");
    let later = json!({"goals": [{}], "totals": {"sent": 200}});
    assert_eq!(of(later), "Sent, with no figures for the goal yet");
}

#[test]
fn a_chart_has_room_for_any_count() {
    for sent in [999_999, 12_345_678, 987_654_321, 999_499_999_999_i64] {
        let third = sent / 3;
        let html = page(&json!({"totals": {"sent": sent, "opened": sent, "clicked": sent},
            "goals": [{"sent": sent, "opened": sent, "matched": sent,
                       "matched_after_open": 2 * third, "matched_after_click": third}]}));
        assert!(html.contains("after a click"));
    }
}

/// The number of tiles in the row of each tile, from the number of the sixty columns it spans.
fn rows_of_tiles(goals: usize, span: &str) -> Vec<usize> {
    let goals: Vec<Value> = (0..goals).map(|g| json!({"name": format!("g{g}"), "sent": 9, "matched": 1})).collect();
    let html = page(&json!({"totals": {"sent": 9, "control": 1}, "goals": goals}));
    html.split(&format!("{span}:"))
        .skip(1)
        .map(|s| 60 / s.split([';', '"']).next().unwrap().parse::<usize>().unwrap())
        .collect()
}

#[test]
fn tiles_fill_their_rows() {
    assert_eq!(rows_of_tiles(1, "--span"), [5; 5]);
    assert_eq!(rows_of_tiles(1, "--span-narrow"), [3, 3, 3, 2, 2]);
    assert_eq!(rows_of_tiles(3, "--span"), [3, 3, 3, 4, 4, 4, 4]);
    for goals in 0..20 {
        for (span, most) in [("--span", 6), ("--span-narrow", 4)] {
            let mut rows = &rows_of_tiles(goals, span)[..];
            assert_eq!(rows.len(), goals + 4);
            while let [first, ..] = *rows {
                assert!(first <= most && rows[..first].iter().all(|n| *n == first), "{goals} goals, {span}");
                rows = &rows[first..];
            }
        }
    }
}

#[test]
fn the_page_is_ascii_and_says_the_same() {
    let mut data = sample();
    data["message"]["name"] = json!("Größe “日本” 🚀");
    let (html, whole) = (render(&parsed(&data)), page(&data));
    assert!(html.is_ascii() && !whole.is_ascii());
    let style = |html: &str| html.split_once("</style>").unwrap().0.split_once("<style>").unwrap().1.to_owned();
    // a style sheet would not read character references
    assert_eq!(style(&html), style(&whole));
    let read: String = html
        .split("&#")
        .enumerate()
        .map(|(i, part)| match part.split_once(';').map(|(n, rest)| (n.parse::<u32>(), rest)) {
            Some((Ok(n), rest)) if i > 0 && n > 127 => format!("{}{rest}", char::from_u32(n).unwrap()),
            _ => format!("{}{part}", if i > 0 { "&#" } else { "" }),
        })
        .collect();
    assert_eq!(read, whole);
}

#[test]
fn figures_that_cannot_be_never_loop() {
    for odd in
        [json!(5), json!(1e9), json!(1e15), json!(1e300), json!("Infinity"), json!(-1), json!(1e-320), json!("NaN")]
    {
        let mut data = sample();
        for variant in data["variants"].as_array_mut().unwrap() {
            for (_, figure) in variant.as_object_mut().unwrap().iter_mut().filter(|(_, v)| v.is_number()) {
                *figure = odd.clone();
            }
            put(variant, &json!({"users": 5, "matched": 7}));
        }
        render(&parsed(&data));
        if odd.is_number() {
            for point in data["curve"].as_array_mut().unwrap() {
                put(point, &json!({"day": odd, "matched_cumulative": odd}));
            }
            // labels of very large days need not fit
            render(&parsed(&data));
        }
    }
}

proptest! {
    #[test]
    fn an_axis_of_any_range_has_few_ticks(low in any::<f64>(), span in any::<f64>(), near: bool, most in 1usize..10) {
        prop_assume!(low.is_finite() && low.abs() < 1e16 && span.is_finite());
        let high = if near { low + span.abs() % 2.0 } else { low + span.abs() % 1e16 };
        prop_assert!(Axis::new((low, high), (0.0, 1.0)).ticks(most).len() <= most + 1);
    }
}

#[test]
fn a_chart_is_readable_on_a_phone() {
    // shown 316 px wide on a phone of 390
    const { assert!(TEXT * 316.0 / WIDTH > 10.9) };
}
