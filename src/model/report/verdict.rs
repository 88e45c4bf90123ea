//! The comparison in sentences for a marketer.

use super::data::{Compared, GoalFigures, Report};
use super::groups::Group;
use super::text::{decimal, p_value, percent, plural, range, round_percent, signed_percent};
use crate::inference::Verdict;
use maud::{Markup, html};

/// The conclusion that the page shows above all figures.
pub struct Conclusion {
    /// for the colour and mark; None is neutral
    pub verdict: Option<Verdict>,
    pub headline: Markup,
    pub details: Vec<Markup>,
    /// the differences found in addition to the one in `details`
    pub others: Option<Markup>,
    /// what to bear in mind, less prominent
    pub notes: Vec<Markup>,
}

impl Conclusion {
    fn neutral(headline: &str, detail: Markup) -> Conclusion {
        let headline = html! { (headline) };
        Conclusion { verdict: None, headline, details: vec![detail], others: None, notes: Vec::new() }
    }
}

/// The CSS class, and a mark that says the same without the colour.
pub fn class_and_mark(verdict: Option<Verdict>) -> (&'static str, &'static str) {
    match verdict {
        Some(Verdict::SplitIsUnsound) => ("caution", "!"),
        Some(Verdict::Better) => ("better", "▲"),
        Some(Verdict::Worse) => ("worse", "▼"),
        Some(Verdict::TooEarly | Verdict::NoDifferenceShown) | None => ("neutral", "○"),
    }
}

/// A row of the comparison, and its group.
type Row<'a> = (&'a Compared, &'a Group<'a>);

pub fn conclusion(report: &Report, groups: &[Group]) -> Conclusion {
    let Some(goal) = report.goals.first() else {
        let said = html! {
            (report.words("What is sent, opened and clicked is counted", "Who enters is counted"))
            ". To see whether it works, set a goal with " code { "goals.set_goal(…)" } ". It applies to "
            (report.words("what is sent", "those who enter")) " from then on."
        };
        return Conclusion::neutral(
            report.words("This message has no goal yet", "This programme has no goal yet"),
            said,
        );
    };
    let rows: Vec<Row> = report.variants.iter().zip(groups).collect();
    let control = report.totals.control;
    let mut conclusion = if report.totals.sent.is_some() {
        match rows.iter().find(|row| row.1.baseline) {
            Some(base) => compared(report, *base, &rows),
            None => uncompared(report, goal),
        }
    } else if control.is_some() {
        let rate = rows.iter().find(|row| row.1.control).and_then(|row| row.0.rate.finite());
        let said = html! {
            (plural(control, "person was", "people were"))
            (report.words(" held back and no one has been sent the message", " held out and no one has entered"))
            ", so there is nothing to compare yet."
            @if let Some(rate) = rate { " Without the " (report.words("message", "programme")) ", " (percent(rate)) " of them reached the goal." }
        };
        Conclusion::neutral("Only the control group so far", said)
    } else {
        let said = html! {
            "The goal is set. The figures appear here as " (report.words("receipts are recorded", "people enter")) "."
        };
        return Conclusion::neutral(report.words("Nothing has been sent yet", "No one has entered yet"), said);
    };
    if goal.in_progress.is_some() {
        conclusion.notes.push(html! {
            (plural(goal.in_progress, report.words("receipt is", "person is"), report.words("receipts are", "people are")))
            " still within the time limit, so these figures will change."
        });
    }
    if goal.stopped.is_some() {
        conclusion.notes.push(html! { "This goal has been stopped. Its matches stay; none are added." });
    }
    conclusion
}

fn uncompared(report: &Report, goal: &GoalFigures) -> Conclusion {
    let share = goal.matched.share_of(goal.sent).map(percent);
    let unknown = report.words("Sent, with no figures for the goal yet", "Entered, with no figures for the goal yet");
    let headline = share.map_or(unknown.into(), |s| format!("{s} reached the goal"));
    let what = report.words("message", "programme");
    let said = html! {
        "Without a control group or a second variant, this shows what happened after the " (what)
        ", not because of it. To find that out, call " code { "goals.set_control_group(…)" }
        " before the first send of the next " (what) "."
    };
    Conclusion::neutral(&headline, said)
}

fn compared(report: &Report, (base_row, base): Row, rows: &[Row]) -> Conclusion {
    let against = base.in_words();
    let with = |verdict| rows.iter().filter(|row| row.0.verdict == Some(verdict)).copied().collect::<Vec<Row>>();
    if let [(row, _), ..] = with(Verdict::SplitIsUnsound)[..] {
        let said = html! {
            "The groups do not have the sizes they were meant to have (p " (p_value(row.split_p.0.unwrap_or(0.0))) "). \
             Something other than chance decides who is counted: look for users lost before they were recorded, or sent to \
             without " code { "goals.assign" } "."
        };
        let neutral = Conclusion::neutral("The split is unsound, so there is no verdict", said);
        return Conclusion { verdict: row.verdict, ..neutral };
    }
    // Then SQL compares nothing with it.
    if base.control && !base_row.users.is_some() && !report.totals.control.is_some() {
        let said = html! {
            "Nothing is recorded of the control group. Record the users who are held back as well, with "
            code { "goals.deliver(…)" } " for everyone, or with "
            code { (report.words("variant => 'control'", "variant => 'held out'")) } "."
        };
        return Conclusion::neutral("There is nothing to compare with", said);
    }
    let (mut better, mut worse) = (with(Verdict::Better), with(Verdict::Worse));
    let (open, early) = (with(Verdict::NoDifferenceShown), with(Verdict::TooEarly));
    for found in [&mut better, &mut worse] {
        found.sort_by(|a, b| b.0.rate.0.unwrap_or(0.0).total_cmp(&a.0.rate.0.unwrap_or(0.0)));
    }
    let all = better.len() + worse.len() + open.len() + early.len();
    let alone = all == 1;
    let message = alone && base.control;
    let headline = match (better.as_slice(), worse.as_slice()) {
        ([one], _) if message => html! { "It works: " (how_much(one.0)) " than in " (against) },
        ([one], _) => html! { (one.1.quoted()) " beats " (against) ": " (how_much(one.0)) },
        ([_, ..], worse) => html! {
            (how_many(better.len(), all)) " beat " (against)
            @if !worse.is_empty() { ", " (worse.len()) (if worse.len() == 1 { " does worse" } else { " do worse" }) }
        },
        ([], [one]) if message => html! { "It does harm: " (how_much(one.0)) " than in " (against) },
        ([], [one]) => html! { (one.1.quoted()) " does worse than " (against) ": " (how_much(one.0)) },
        ([], [_, ..]) => html! { (how_many(worse.len(), all)) " do worse than " (against) },
        ([], []) if open.is_empty() => html! { "Too early to tell" },
        ([], []) => html! { "No difference shown so far" },
    };
    let found = [better.as_slice(), &worse].concat();
    let base_rate = base_row.rate.finite();
    let apart = found.iter().filter_map(|row| Some((row.0.rate.finite()? - base_rate?).abs()));
    let out_of = apart.map(round_number).fold(100.0, f64::max);
    let scene = Scene { base, base_rate, report, out_of };
    let mut details: Vec<Markup> = found.first().map(|first| scene.sentence(*first, alone)).into_iter().collect();
    let others = (found.len() > 1).then(|| scene.list(&found[1..]));
    let mut notes = Vec::new();
    let any_day = |row: &Row| row.0.anytime_p.finite().is_some_and(|p| p < 1.0 - report.confidence);
    if !found.is_empty() && found.iter().all(any_day) {
        notes.push(html! { "This holds however often you look at the figures." });
    }
    if better.len() > 1 {
        notes.push(html! { "Each was compared with " (against) ", not with the others." });
    }
    let plain = if found.is_empty() { &mut details } else { &mut notes };
    if !open.is_empty() {
        let message = message.then(|| report.words("message", "programme"));
        plain.push(not_shown(&open, message, &against));
    }
    if !early.is_empty() {
        plain.push(html! {
            @if alone { "A verdict" } @else { "Too early for " (called(&early)) ": a verdict" }
            " needs at least 10 people who reached the goal on each side."
        });
    }
    Conclusion { verdict: found.first().and_then(|row| row.0.verdict), headline, details, others, notes }
}

fn how_many(some: usize, all: usize) -> String {
    match (some, all) {
        (2, 2) => "Both variants".into(),
        (some, all) if some == all => format!("All {all} variants"),
        _ => format!("{some} of {all} variants"),
    }
}

/// The lift in words: "72.1% more reached the goal".
fn how_much(row: &Compared) -> String {
    let by = row.lift.finite().map_or(String::new(), |l| format!("{} ", percent(l.abs())));
    let fewer = row.difference.0.map_or(row.verdict == Some(Verdict::Worse), |d| d < 0.0);
    format!("{by}{} reached the goal", if fewer { "fewer" } else { "more" })
}

/// What a difference found is compared with.
struct Scene<'a> {
    base: &'a Group<'a>,
    base_rate: Option<f64>,
    report: &'a Report,
    /// people: the same number for every variant, so that they can be compared
    out_of: f64,
}

impl Scene<'_> {
    fn people(&self, rate: f64) -> f64 {
        (rate * self.out_of).round()
    }

    /// The difference, as people out of a round number of them.
    fn sentence(&self, (row, group): Row, alone: bool) -> Markup {
        let Some((rate, base)) = row.rate.finite().zip(self.base_rate) else {
            return html! { (group.name.html(60)) ": " (words(row)) " than " (self.base.in_words()) "." };
        };
        html! {
            "Of every " (decimal(self.out_of, 0)) (self.report.words(" people sent ", " people in "))
            @if alone { "the " (self.report.words("message", "programme")) } @else { (group.quoted()) }
            ", about " b { (decimal(self.people(rate), 0)) } " reached the goal, against "
            b { (decimal(self.people(base), 0)) } (if self.base.control { " in " } else { " with " })
            (self.base.in_words()) ": " b { (self.difference(rate, base)) }
            (self.between(row, &format!("{} interval: ", round_percent(self.report.confidence)))) "."
        }
    }

    /// The other differences found, one per line.
    fn list(&self, others: &[Row]) -> Markup {
        html! {
            ul {
                @for (row, group) in others {
                    li {
                        span aria-hidden="true" { (class_and_mark(row.verdict).1) } " " (group.quoted()) ": "
                        @if let Some((rate, base)) = row.rate.finite().zip(self.base_rate) {
                            b { (self.difference(rate, base)) } " of every " (decimal(self.out_of, 0)) (self.between(row, ""))
                        } @else {
                            (words(row))
                        }
                    }
                }
            }
        }
    }

    /// "77 more": the difference of the two numbers of people as they are shown, so that they add up.
    fn difference(&self, rate: f64, base: f64) -> String {
        let apart = self.people(rate) - self.people(base);
        format!("{} {}", decimal(apart.abs(), 0), if rate < base { "fewer" } else { "more" })
    }

    /// The interval of the difference in people, in the direction of the difference. Empty if it does not exclude zero:
    /// then the anytime test decided, and the table has its interval.
    fn between(&self, row: &Compared, named: &str) -> String {
        let ends = row.difference_low.finite().zip(row.difference_high.finite());
        let (low, high) = match ends {
            Some((low, high)) if low > 0.0 => (low, high),
            Some((low, high)) if high < 0.0 => (-high, -low),
            _ => return String::new(),
        };
        format!(" ({named}{} to {})", decimal(low * self.out_of, 0), decimal(high * self.out_of, 0))
    }
}

/// The round number of people of whom a difference of rates is at least ten.
fn round_number(apart: f64) -> f64 {
    [100.0, 1_000.0, 10_000.0, 100_000.0].into_iter().find(|n| n * apart >= 10.0).unwrap_or(1_000_000.0)
}

fn words(row: &Compared) -> &'static str {
    row.verdict.map_or("", Verdict::as_str)
}

/// One group by its name, several by their number: the table has the names.
fn called(rows: &[Row]) -> Markup {
    match rows {
        [one] => one.1.quoted(),
        several => html! { (several.len()) " variants" },
    }
}

fn not_shown(open: &[Row], message: Option<&str>, against: &Markup) -> Markup {
    let lift = match open {
        [one] => range(one.0.lift_low, one.0.lift_high, signed_percent),
        _ => None,
    };
    html! {
        "There are too few people to tell whether "
        @if let Some(message) = message { "the " (message) " makes a difference" }
        @else { (called(open)) (if open.len() == 1 { " differs" } else { " differ" }) " from " (against) }
        ". This does not show that there is no difference."
        @if let Some(lift) = lift { " The true lift may be anything from " (lift) "." }
    }
}
