//! The goals as they were set, and what the numbers mean.

use super::super::arms::Arm;
use super::super::data::{Goal, Report};
use super::super::text::{count, decimal, duration, escape, goal_words, moment, name, round_percent};
use super::goal_name;

pub fn small_print(report: &Report, arms: &[Arm]) -> String {
    let goals: String = report.goals.iter().map(goal).collect();
    let notes: String =
        notes(report, arms).iter().map(|(term, said)| format!("<div><dt>{term}</dt><dd>{said}</dd></div>\n")).collect();
    format!(
        "<section class=\"small\" aria-labelledby=\"small\">\n<h2 id=\"small\">Small print</h2>\n{goals}\
         <dl class=\"meaning\">\n{notes}</dl>\n</section>\n"
    )
}

fn goal(goal: &Goal) -> String {
    let anchor = match goal.after.get() {
        Some("opened") => "from the first open",
        Some("clicked") => "from the first click",
        _ => "from sending",
    };
    let limit = goal.time_limit.get().map(|t| format!("{}, {anchor}; a day is 24 hours", escape(&duration(t))));
    let stopped = goal.stopped.get().filter(|_| goal.is_stopped()).map(|s| match s {
        "true" => "yes".to_owned(),
        time => escape(&moment(time)),
    });
    let facts = [
        ("Goal", Some(goal_words(goal))),
        ("Name", Some(goal_name(goal))),
        ("Time limit", limit),
        ("Version", goal.version.finite().map(|v| decimal(v, 0))),
        ("Stopped", stopped),
        ("Already there when sent", goal.already_matched.finite().map(|_| count(goal.already_matched))),
    ];
    let facts: String = facts
        .into_iter()
        .filter_map(|(term, said)| Some(format!("<div><dt>{term}</dt><dd>{}</dd></div>", said?)))
        .collect();
    format!("<dl class=\"terms\">{facts}</dl>\n")
}

fn notes(report: &Report, arms: &[Arm]) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(time) = report.as_of.get() {
        notes.push((
            "As of",
            format!(
                "All figures were read on {}. Time limits that were running then may still add to them.",
                escape(&moment(time))
            ),
        ));
    }
    if !report.goals.is_empty() {
        notes.push((
            "Receipts and people",
            "The bar, the funnel and the days since sending count receipts, one for each time the message was sent to somebody. \
            Comparisons count people, each once, whatever the number of receipts."
                .into(),
        ));
        notes.push((
            "Already there",
            "Who already met the goal when the receipt was recorded is never counted as having reached it, whatever \
            happens later, and is left out of comparisons."
                .into(),
        ));
        notes.push(("Versions", "Each receipt is judged by the goal as it was when the receipt was recorded.".into()));
    }
    if report.totals.control.count() > 0.0 || arms.iter().any(|a| a.control) {
        notes.push((
            "Control group",
            "People picked at random who were sent nothing. What they do is what would have happened anyway; \
            they are in no other count on this page."
                .into(),
        ));
    }
    if report.variants.len() > 1 {
        if let Some(arm) = arms.iter().find(|a| a.baseline) {
            let against =
                if arm.control { "the control group".to_owned() } else { format!("“{}”", name(&arm.name, 80)) };
            notes.push(("Baseline", format!("Differences and lifts are against {against}.")));
        }
        let sure = round_percent(report.confidence());
        let running = if report.running_included {
            "No time limit has passed yet, so everybody is counted as far as they have come."
        } else {
            "Receipts whose time limit still runs are left out."
        };
        notes.push((
            "Interval",
            format!(
                "Where the true figure may well lie: intervals made this way hold it {sure} of the time. {running}"
            ),
        ));
        notes.push(("Safe every day", "The thin interval stays honest however often it is looked at while figures come in; the thick one, and p, \
            are meant for one look at the end. A variant is called better or worse by either, each at its proper time.".into()));
        notes.push((
            "Chance it is better",
            "How likely the variant’s true rate is above the baseline’s, given these figures. It is no reason to \
            stop early."
                .into(),
        ));
        notes.push((
            "p, adjusted",
            "How often chance alone would show as large a difference, made stricter for several variants (Holm)."
                .into(),
        ));
    }
    notes
}
