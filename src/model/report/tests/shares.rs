//! What shares are of: a goal judges the receipts recorded while it was in force, which may be fewer than were sent.

use super::*;

/// The page after two were sent, the goal `big` was set and `judged` more were sent, of whom `matched` reach it.
fn set_meanwhile(judged: Value, matched: Value) -> String {
    let of_all = judged.as_f64().map_or(json!(2), |n| json!(n + 2.0));
    page(
        &json!({"totals": {"sent": of_all, "opened": 2, "clicked": 0}, "goals": [{"name": "big", "sent": judged, "matched": matched}]}),
    )
}

fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    html.split(start).nth(1).unwrap_or_else(|| panic!("{start} missing")).split(end).next().unwrap()
}

fn tiles(html: &str) -> &str {
    between(html, "<ul class=\"stats\"", "</ul>")
}

fn goals_tile(html: &str) -> &str {
    between(tiles(html), "<li class=\"goal\"", "</li>")
}

fn funnel(html: &str) -> &str {
    between(html, "<h3>From sent to the goal", "</figure>")
}

/// The notes beneath the bars, from the top down.
fn notes(funnel: &str) -> Vec<String> {
    let boxes = text_boxes(between(funnel, "<svg", "</svg>"));
    boxes.into_iter().filter(|b| b.left < 1.0 && !b.words.starts_with('\u{2068}')).map(|b| b.words).collect()
}

const OF_SENT: &str = "<p>Receipts. Percentages are of those sent.</p>";
const OF_JUDGED: &str = "<p>Receipts. Percentages are of those sent; a goal’s are of the receipts it judges.</p>";

#[test]
fn a_goal_that_judges_fewer_than_were_sent_says_of_how_many_its_share_is() {
    let html = set_meanwhile(json!(3), json!(3));
    let tile = goals_tile(&html);
    assert!(
        tile.contains("<span class=\"share\">100%<span class=\"unseen\"> of those judged by this goal</span></span>")
    );
    assert!(tile.contains("<span class=\"note\">of 3 judged by this goal</span>"), "{tile}");
    let funnel = funnel(&html);
    assert!(funnel.contains(OF_JUDGED), "{funnel}");
    assert!(funnel.contains("; Goal: big 3, 100% of 3 judged by this goal.\""), "{funnel}");
    assert_eq!(notes(funnel), ["of 3 judged by this goal"]);
    // opens and clicks are of what was sent
    assert_eq!(tiles(&html).matches("<span class=\"unseen\"> of sent</span>").count(), 2);
    assert!(funnel.contains("Sent 5, 100%; Opened 2, 40.0%; Clicked 0, 0%; "), "{funnel}");
}

#[test]
fn a_goal_that_judges_all_that_was_sent_has_a_share_of_it() {
    // a goal cannot judge more than was sent
    for judged in [5, 6] {
        let html = page(&json!({"totals": {"sent": 5}, "goals": [{"name": "big", "sent": judged, "matched": 3}]}));
        assert!(!html.contains("judged by this goal") && funnel(&html).contains(OF_SENT), "{judged}");
        assert!(goals_tile(&html).contains("<span class=\"unseen\"> of sent</span>"));
    }
}

#[test]
fn a_goal_that_judges_nothing_yet_says_so() {
    let html = set_meanwhile(json!(0), json!(0));
    assert!(
        goals_tile(&html)
            .contains("<span class=\"number\">0</span><span class=\"note\">of 0 judged by this goal</span>")
    );
    assert!(funnel(&html).contains("; Goal: big 0, of 0 judged by this goal.\""), "{html}");
}

#[test]
fn each_goal_is_judged_by_itself_and_the_caption_speaks_of_those_shown() {
    let with = |matched: i64, later: i64| {
        page(&json!({"totals": {"sent": 12345}, "goals": [
            {"name": "first", "sent": 12345, "matched": 5000, "opened": 9000, "matched_after_open": 3000, "matched_after_click": 1000},
            {"name": "later", "sent": later, "matched": matched, "already_matched": 12, "opened": 8000, "matched_after_open": 300}]}))
    };
    let html = with(500, 9876);
    assert_eq!(tiles(&html).matches("judged by this goal").count(), 2, "seen and unseen, of one goal");
    assert!(tiles(&html).contains("<span class=\"note\">of 9,876 judged by this goal · 12 met it already</span>"));
    assert!(funnel(&html).contains("Goal: first 5,000, 40.5%; Goal: later 500, 5.1% of 9,876 judged by this goal."));
    assert_eq!(
        notes(funnel(&html)),
        [
            "after a click 1,000 · opened only 2,000 · unopened 2,000",
            "of 9,876 judged by this goal",
            "after a click 0 · opened only 300 · unopened 200"
        ]
    );
    assert!(funnel(&with(500, 12345)).contains(OF_SENT));
}

#[test]
fn what_a_goal_judges_has_room_in_the_funnel_whatever_the_number() {
    for judged in [0_i64, 7, 8_888_888, 999_999_999_999_999] {
        for opened in [0, judged] {
            let goal = json!({"name": "x".repeat(90), "sent": judged, "matched": judged, "opened": opened, "matched_after_open": opened / 2});
            let html = page(&json!({"totals": {"sent": 1e15}, "goals": [goal, goal]}));
            let svg = between(funnel(&html), "<svg", "</svg>");
            let height = attribute(svg, "viewBox").rsplit(' ').next().unwrap().parse::<f64>().unwrap();
            assert!(text_boxes(svg).iter().all(|b| b.bottom <= height), "{judged} leaves the chart");
            assert_eq!(svg.matches(">of ").count(), 2);
        }
    }
}

#[test]
fn the_small_print_says_that_a_receipt_is_judged_when_it_is_recorded() {
    let html = page(&sample());
    let small = between(&html, ">Small print</h2>", "</section>");
    assert!(small.contains("<dd>Each receipt is judged by the goal as it was when the receipt was recorded.</dd>"));
    assert!(small.contains(
        "<dd>People who already met the goal when their receipt was recorded are never counted as having reached it"
    ));
}
