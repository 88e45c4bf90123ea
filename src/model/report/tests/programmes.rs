//! What else happens to a message, and programmes of messages.

use super::*;

fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    html.split(start).nth(1).unwrap_or_else(|| panic!("{start} missing")).split(end).next().unwrap()
}

/// The names of the funnel's steps, with their figures.
fn funnel(html: &str) -> &str {
    between(html, "aria-label=\"Funnel. ", "\"")
}

fn labels(html: &str) -> Vec<&str> {
    let tiles = between(html, "<ul class=\"stats\"", "</ul>");
    tiles.split("<span class=\"label\">").skip(1).map(|tile| tile.split("</span>").next().unwrap()).collect()
}

fn programme(given: Value) -> Value {
    let mut data = json!({"message": {"name": "onboarding", "kind": "programme"}});
    put(&mut data, &given);
    data
}

#[test]
fn delivered_is_a_step_where_a_delivery_or_a_bounce_is_known() {
    let of = |totals: Value| page(&json!({"totals": totals, "goals": [{"sent": 10, "delivered": 8, "matched": 4}]}));
    let unknown = of(json!({"sent": 10}));
    assert_eq!(funnel(&unknown), "Sent 10, 100%; Opened 0, 0%; Clicked 0, 0%; Reached the goal 4, 40.0%.");
    assert_eq!(labels(&unknown), ["Sent", "Opened", "Clicked", "Reached the goal"]);
    assert!(!unknown.contains("elivered"));
    let bounced = of(json!({"sent": 10, "delivered": 8, "bounced": 2}));
    assert_eq!(
        funnel(&bounced),
        "Sent 10, 100%; Delivered 8, 80.0%; Opened 0, 0%; Clicked 0, 0%; Reached the goal 4, 40.0%."
    );
    assert_eq!(labels(&bounced), ["Sent", "Delivered", "Opened", "Clicked", "Reached the goal"]);
    assert!(bounced.contains("<span class=\"note\">50.0% of those delivered</span>"));
    assert!(bounced.contains("what did not bounce is taken as delivered."));
    let reported = of(json!({"sent": 10, "delivered": 10, "deliveries_reported": true}));
    assert!(funnel(&reported).contains("; Delivered 10, 100%; "));
    assert!(reported.contains("<dt>Delivered</dt><dd>As reported. "));
    let none = page(
        &json!({"totals": {"sent": 10, "delivered": 0, "deliveries_reported": true}, "goals": [{"sent": 10, "delivered": 0}]}),
    );
    assert!(!none.contains("of those delivered"), "there is nothing to divide by");
}

#[test]
fn what_else_happened_is_a_table_of_what_there_is() {
    let of = |totals: Value| page(&json!({"totals": totals}));
    assert!(!of(json!({"sent": 200})).contains("Of what was sent"));
    let all = json!({"sent": 200, "delivered": 190, "bounced": 10, "complained": 1, "unsubscribed": 2, "opened_by_machine": 50,
                     "clicked_by_machine": 3});
    let html = of(all);
    for (name, number, share) in [
        ("Bounced", 10, "5.0%"),
        ("Complained", 1, "0.50%"),
        ("Unsubscribed", 2, "1.0%"),
        ("Opened by machines", 50, "25.0%"),
        ("Clicked by machines", 3, "1.5%"),
    ] {
        let cell = format!("<td role=\"cell\" data-of=\"{name}\">{number}<small>{share}</small></td>");
        assert!(html.contains(&cell), "{cell}");
    }
    assert!(html.contains("Machines’ opens and clicks are in no other figure.</caption>"));
    let one = of(json!({"sent": 200, "unsubscribed": 2}));
    assert_eq!(one.matches("role=\"cell\"").count(), 1);
    // it is there without a goal, and without anything sent
    assert!(of(json!({"sent": 0, "bounced": 1})).contains("data-of=\"Bounced\">1</td>"));
}

#[test]
fn withdrawn_receipts_are_explained_where_they_count() {
    let of = |withdrawn: i64| page(&json!({"withdrawn": withdrawn, "totals": {"sent": 5}, "goals": [{"sent": 5}]}));
    assert!(of(1).contains("<dt>Withdrawn</dt><dd>1 receipt was withdrawn: the message was not sent after all. "));
    assert!(of(2).contains("<dd>2 receipts were withdrawn: "));
    assert!(of(2).contains("Comparisons and the days since sending still count them."));
    assert!(!of(0).contains("ithdrawn"));
}

#[test]
fn a_message_names_the_programme_it_is_part_of() {
    let html = page(&json!({"message": {"part_of": "onboarding"}}));
    assert!(html.contains("<li>Ongoing message</li><li>Part of “<bdi>onboarding</bdi>”</li>"));
    assert!(!page(&json!({})).contains("Part of"));
}

#[test]
fn a_programme_shows_its_messages_as_steps() {
    let parts = json!([
        {"name": "day 1", "kind": "one_off", "sent": 80, "delivered": 76, "opened": 40, "clicked": 8, "matched": 12},
        {"name": "news", "kind": "ongoing", "sent": 300, "delivered": 300},
        {"name": "win back", "kind": "programme", "sent": 20, "delivered": 20, "matched": 3},
    ]);
    let html = page(&programme(json!({"totals": {"sent": 100}, "parts": parts})));
    let section = between(&html, "<h2 id=\"parts\">Messages of the programme</h2>", "</section>");
    let rows: Vec<Vec<&str>> = (section.split("<tr role=\"row\">").skip(2))
        .map(|row| {
            let cells = row.split("</t").filter(|cell| cell.contains("<th") || cell.contains("<td"));
            cells.map(|cell| cell.rsplit("<t").next().unwrap().split_once('>').unwrap().1).collect()
        })
        .collect();
    assert_eq!(
        rows,
        [
            [
                "<bdi>day 1</bdi>",
                "One-off message",
                "80<small>80.0%</small>",
                "76<small>95.0%</small>",
                "40<small>50.0%</small>",
                "8<small>10.0%</small>",
                "12"
            ],
            [
                "<bdi>news</bdi>",
                "Ongoing message",
                "300<small>300%</small>",
                "300<small>100%</small>",
                "0<small>0%</small>",
                "0<small>0%</small>",
                "–"
            ],
            ["<bdi>win back</bdi>", "Programme", "20<small>20.0%</small>", "–", "–", "–", "3"],
        ]
    );
    assert!(!page(&programme(json!({}))).contains("Messages of the programme"));
}

#[test]
fn a_programme_is_entered_and_not_sent() {
    let html = page(&programme(json!({
        "totals": {"sent": 100, "control": 40},
        "goals": [{"sent": 100, "matched": 30, "in_progress": 1}, {"name": "second", "sent": 60}],
        "variants": [{"variant": "control", "users": 40, "rate": 0.1},
                     {"variant": "A", "users": 100, "rate": 0.3, "lift": 2.0, "difference": 0.2, "verdict": "better"}],
        "curve": [{"variant": "A", "day": 1, "matched_cumulative": 30, "eligible": 100}],
        "withdrawn": 0,
    })));
    assert_eq!(labels(&html)[0], "Entered");
    assert!(funnel(&html).starts_with("Entered 100, 100%; Goal: primary 30, 30.0%; "), "{}", funnel(&html));
    for said in [
        "<title>onboarding · programme report</title>",
        "<p class=\"eyebrow\">Programme report</p>",
        "<li>Programme</li>",
        " within 7 days of entering</p>",
        "Of every 100 people in the programme, about <b>30</b> reached the goal",
        "1 person is still within the time limit",
        "<span class=\"unseen\"> of those who entered</span>",
        "held out, sent none of it",
        "From entering to the goal",
        "People. Percentages are of those who entered; a goal’s are of those it judges.",
        "<h3>Days since entering</h3><p>Share of people who had reached the goal",
        ">days since entering</text>",
        "The goals of this programme, counted in people.</caption>",
        "data-of=\"Entered\"",
        "from entering; a day is 24 hours",
        "<dt>Already there when entering</dt>",
        "Each is counted once, as of the first entry.",
        "People who already met the goal when they entered",
        "Each entry is judged by the goal",
        "who are sent none of its messages",
    ] {
        assert!(html.contains(said), "{said}");
    }
    for said in ["Opened", "Clicked", "sending"] {
        assert!(!html.split("</style>").nth(1).unwrap().contains(said), "{said}");
    }
    // what is reported of the programme itself is shown
    let opened = page(&programme(json!({"totals": {"sent": 100, "opened": 7, "clicked": 1}})));
    assert_eq!(labels(&opened), ["Entered", "Opened", "Clicked"]);
    assert!(opened.contains("<p>People. Percentages are of those who entered.</p>"));
    let bounced = page(&programme(json!({"totals": {"sent": 100, "complained": 1}})));
    assert!(bounced.contains("Of those who entered"));
}

#[test]
fn a_programme_with_nothing_to_judge_says_so() {
    let of = |data: Value| page(&programme(data));
    let html = of(json!({"totals": {"sent": 5}}));
    assert_eq!(headline(&html), "This programme has no goal yet");
    assert!(html.contains("Who enters is counted. ") && html.contains("It applies to those who enter from then on."));
    let html = of(json!({"goals": [{}]}));
    assert_eq!(headline(&html), "No one has entered yet");
    assert!(html.contains("The figures appear here as people enter."));
    assert_eq!(
        headline(&of(json!({"goals": [{}], "totals": {"sent": 9}}))),
        "Entered, with no figures for the goal yet"
    );
    let html = of(
        json!({"goals": [{"sent": 200, "matched": 30}], "totals": {"sent": 200}, "variants": [{"users": 9, "rate": 0.1}]}),
    );
    assert!(html.contains("what happened after the programme, not because of it."));
    assert!(html.contains("<bdi>The programme</bdi>"));
    let rows = json!([{"users": 0}, {"variant": "control", "users": 5, "rate": 0.2}]);
    let html = of(json!({"goals": [{}], "totals": {"control": 5}, "variants": rows}));
    assert!(html.contains("5 people were held out and no one has entered, so there is nothing to compare yet."));
    assert!(html.contains("Without the programme, 20.0% of them reached the goal."));
    let rows = json!([{"variant": "control", "users": 90, "rate": 0.1}, {"users": 90, "rate": 0.1, "verdict": "no difference shown"}]);
    let html = of(json!({"goals": [{"sent": 90}], "totals": {"sent": 90}, "variants": rows}));
    assert!(html.contains("whether the programme makes a difference."));
    let rows = json!([{"variant": "A", "users": 90, "rate": 0.1}, {"variant": "B", "users": 90, "rate": 0.3, "verdict": "better"},
                      {"variant": "C", "users": 90, "rate": 0.2, "verdict": "better"}]);
    let html = of(json!({"goals": [{"sent": 90}], "totals": {"sent": 90}, "variants": rows}));
    assert!(html.contains("Of every 100 people in “<bdi>B</bdi>”, about "));
}

#[test]
fn tiles_of_a_programme_fill_their_rows() {
    for goals in 1..20 {
        let goals: Vec<Value> = (0..goals).map(|g| json!({"name": format!("g{g}"), "sent": 9, "matched": 1})).collect();
        let html = page(&programme(json!({"totals": {"sent": 9}, "goals": goals})));
        let spans: Vec<usize> =
            html.split("--span:").skip(1).map(|s| s.split(';').next().unwrap().parse().unwrap()).collect();
        let mut rows = &spans[..];
        while let [first, ..] = *rows {
            let row = 60 / first;
            assert!(rows[..row].iter().all(|span| span == &first), "{spans:?}");
            rows = &rows[row..];
        }
    }
}
