//! The goals as they were set, and what the numbers mean.

use super::super::data::{GoalFigures, Report};
use super::super::groups::Group;
use super::super::text::{count, duration, moment, plural, round_percent};
use maud::{Markup, html};

pub fn small_print(report: &Report, groups: &[Group]) -> Markup {
    html! {
        section.small aria-labelledby="small" {
            h2 #small { "Small print" }
            @for goal in &report.goals { (terms(goal, report)) }
            dl.meaning { (notes(report, groups)) }
        }
    }
}

fn terms(goal: &GoalFigures, report: &Report) -> Markup {
    html! {
        dl.terms {
            (entry("Goal", goal.in_words()))
            (entry("Name", goal.name.html(60)))
            (entry("Time limit", html! { (duration(goal.time_limit)) ", from " (goal.start(report)) "; a day is 24 hours" }))
            (entry("Version", html! { (count(goal.version)) }))
            @if let Some(time) = goal.stopped { (entry("Stopped", html! { (moment(time)) })) }
            (entry(report.words("Already there when sent", "Already there when entering"), html! { (count(goal.already_matched)) }))
        }
    }
}

fn entry(term: &str, said: Markup) -> Markup {
    html! { div { dt { (term) } dd { (said) } } "\n" }
}

fn notes(report: &Report, groups: &[Group]) -> Markup {
    let note = |term: &str, said: &str| entry(term, html! { (said) });
    html! {
        (entry("As of", html! {
            "All figures were read on " (moment(report.as_of))
            ". Receipts whose time limit was running then may still add to them."
        }))
        @if !report.goals.is_empty() {
            (note("Receipts and people", report.words(
                "The tiles, the funnel and the days since sending count receipts: one for each \
                time the message was sent to a person. Comparisons count each person once, however many receipts \
                they have.",
                "People enter with the first message of the programme that they are sent. Each is counted once, as of \
                the first entry. The table of messages counts receipts: one for each time a message was sent.")))
            @if report.withdrawn.is_some() {
                (entry("Withdrawn", html! {
                    (plural(report.withdrawn, "receipt was", "receipts were"))
                    " withdrawn: the message was not sent after all. Comparisons and the days since sending still count \
                    them. Only a message that was to be sent can fail to be, so without them the groups would no longer \
                    be alike. No other figure counts them."
                }))
            }
            (note("Already there", report.words(
                "People who already met the goal when their receipt was recorded are never counted as having \
                reached it, and are left out of comparisons.",
                "People who already met the goal when they entered are never counted as having reached it, and are left \
                out of comparisons.")))
            (note("Versions", report.words(
                "Each receipt is judged by the goal as it was when the receipt was recorded.",
                "Each entry is judged by the goal as it was when the entry was recorded.")))
        }
        @if report.totals.known_delivered().is_some() {
            (note("Delivered", if report.totals.deliveries_reported {
                "As reported. What has neither been reported as delivered nor as bounced is not known."
            } else {
                "No deliveries are reported for this message: what did not bounce is taken as delivered."
            }))
        }
        @if report.totals.control.is_some() || groups.iter().any(|g| g.control) {
            (note("Control group", report.words(
                "People picked at random who were sent nothing. They show what happens without the \
                message. They are in no other count on this page.",
                "People picked at random who are sent none of its messages. They show what happens without the \
                programme. They are in no other count on this page.")))
        }
        @if let Some(base) = groups.iter().find(|g| g.baseline) {
            (entry("Baseline", html! { "Differences and lifts are against " (base.in_words()) "." }))
            (entry("Interval", html! {
                "The range in which the true figure probably lies: intervals made this way contain it "
                (round_percent(report.confidence)) " of the time. "
                @if report.running_included {
                    "No time limit has passed yet, so everyone is counted with what they have done so far."
                } @else {
                    "Receipts whose time limit still runs are left out."
                }
            }))
            (note("Safe every day", "The thin interval stays valid however often you look at it while figures come in. \
                The thick interval and p are valid for one look at the end. A variant is called better or worse by \
                the one that is valid at the time."))
            (note("Chance it is better", "How likely the variant’s true rate is above the baseline’s, given these \
                figures. Do not stop early because of it."))
            (note("p, adjusted", "How often chance alone would show a difference at least this large, adjusted for the \
                number of variants (Holm)."))
        }
    }
}
