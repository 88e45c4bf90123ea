//! The comparison in sentences a marketer understands. All of it is escaped HTML.

use super::arms::{Arm, find};
use super::data::{Figure, Goal, Report, Variant};
use super::text::{count, decimal, escape, name, p_value, percent, range, round_percent, signed_percent};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tone {
    Better,
    Worse,
    Caution,
    Neutral,
}

impl Tone {
    /// Class, and a mark that says the same without the colour.
    pub fn class_and_mark(self) -> (&'static str, &'static str) {
        match self {
            Tone::Better => ("better", "▲"),
            Tone::Worse => ("worse", "▼"),
            Tone::Caution => ("caution", "!"),
            Tone::Neutral => ("neutral", "○"),
        }
    }
}

#[derive(Debug)]
pub struct Verdict {
    pub tone: Tone,
    pub headline: String,
    pub details: Vec<String>,
    /// what to bear in mind, less loud
    pub notes: Vec<String>,
}

/// The verdict of one row of `goals.compare`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    Unsound,
    TooEarly,
    Better,
    Worse,
    NotShown,
}

impl Finding {
    pub fn of(row: &Variant) -> Option<Finding> {
        match row.verdict.get()? {
            "split is unsound" => Some(Finding::Unsound),
            "too early" => Some(Finding::TooEarly),
            "better" => Some(Finding::Better),
            "worse" => Some(Finding::Worse),
            "no difference shown" => Some(Finding::NotShown),
            _ => None,
        }
    }

    pub fn tone(self) -> Tone {
        match self {
            Finding::Unsound => Tone::Caution,
            Finding::Better => Tone::Better,
            Finding::Worse => Tone::Worse,
            Finding::TooEarly | Finding::NotShown => Tone::Neutral,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Finding::Unsound => "split is unsound",
            Finding::TooEarly => "too early",
            Finding::Better => "better",
            Finding::Worse => "worse",
            Finding::NotShown => "no difference shown",
        }
    }
}

/// A compared variant with what it is called.
struct Judged<'a> {
    arm: &'a Arm,
    row: &'a Variant,
    finding: Finding,
}

pub fn verdict(report: &Report, arms: &[Arm]) -> Verdict {
    let neutral = |headline: &str, details: Vec<String>| Verdict {
        tone: Tone::Neutral,
        headline: headline.into(),
        details,
        notes: vec![],
    };
    let Some(goal) = report.compared_goal() else {
        return neutral(
            "This message has no goal yet",
            vec!["It can be counted, but not judged. Give it a goal with <code>goals.set_goal(…)</code>; what is sent from then on is measured against it.".into()],
        );
    };
    let sent = goal.sent.count().max(report.totals.sent.count());
    let users = report.variants.iter().any(|v| v.users.count() > 0.0);
    if sent == 0.0 && report.totals.control.count() == 0.0 && !users {
        return neutral(
            "Nothing has been sent yet",
            vec!["The goal is set. This page fills itself as receipts are recorded.".into()],
        );
    }
    let judged: Vec<Judged> = report
        .variants
        .iter()
        .filter_map(|row| {
            let arm = &arms[find(arms, &row.variant, row.is_control)?];
            Some(Judged { arm, row, finding: Finding::of(row).filter(|_| !arm.baseline)? })
        })
        .collect();
    let mut verdict =
        if judged.is_empty() { uncompared(report, arms, goal, sent) } else { compared(report, arms, &judged) };
    let running = goal.in_progress.count();
    if running > 0.0 {
        verdict.notes.push(format!(
            "{} still inside the time limit: these figures will move.",
            plural(running, "receipt is", "receipts are")
        ));
    }
    if goal.is_stopped() {
        verdict.notes.push("This goal has been stopped: what was matched stays, nothing is added.".into());
    }
    verdict
}

fn plural(n: f64, one: &str, many: &str) -> String {
    format!("{} {}", decimal(n, 0), if n == 1.0 { one } else { many })
}

fn uncompared(report: &Report, arms: &[Arm], goal: &Goal, sent: f64) -> Verdict {
    let control =
        report.variants.iter().find(|v| find(arms, &v.variant, v.is_control).is_some_and(|i| arms[i].control));
    let (headline, detail) = if sent == 0.0 {
        let own = control
            .and_then(|c| c.rate.finite())
            .map_or(String::new(), |rate| format!(" On their own, {} of them reached the goal.", percent(rate)));
        (
            "Only the control group so far".to_owned(),
            format!(
                "{} held back and nobody has been sent the message, so there is nothing to compare yet.{own}",
                plural(report.totals.control.count(), "person is", "people are")
            ),
        )
    } else if arms.iter().filter(|a| !a.control).count() > 1 || control.is_some() || report.totals.control.count() > 0.0
    {
        ("Not compared yet".to_owned(), "There are no figures yet to set the variants against each other.".to_owned())
    } else {
        let rate = goal.matched.of(goal.sent);
        (rate.map_or("Sent, with no figures for the goal yet".to_owned(), |r| format!("{} reached the goal", percent(r))),
         "With no control group and no second variant, this says what happened after the message, not because of it. \
          <code>goals.set_control_group(…)</code> before the first send of the next message answers that.".to_owned())
    };
    Verdict { tone: Tone::Neutral, headline, details: vec![detail], notes: vec![] }
}

fn compared(report: &Report, arms: &[Arm], judged: &[Judged]) -> Verdict {
    let base_arm = arms.iter().find(|a| a.baseline);
    let base_row = report
        .variants
        .iter()
        .find(|v| base_arm.is_some() && find(arms, &v.variant, v.is_control).map(|i| &arms[i]) == base_arm);
    let against = match base_arm {
        Some(arm) if arm.control => "the control group".to_owned(),
        Some(arm) => format!("“{}”", name(&arm.name, 60)),
        None => "the baseline".to_owned(),
    };
    let in_base =
        if base_arm.is_some_and(|a| a.control) { "in the control group".into() } else { format!("with {against}") };
    let with = |finding| judged.iter().filter(|j| j.finding == finding).collect::<Vec<_>>();
    let unsound = with(Finding::Unsound);
    if let Some(first) = unsound.first() {
        let p = first.row.split_p.finite().map_or(String::new(), |p| format!(" (p {})", escape(&p_value(p))));
        return Verdict {
            tone: Tone::Caution,
            headline: "The split is unsound, so nothing is claimed".into(),
            details: vec![format!(
                "The groups are not of the sizes they were meant to be{p}. Something decides who is counted other than chance: \
                look for users lost before they were recorded, or sent outside <code>goals.assign</code>."
            )],
            notes: vec![],
        };
    }
    let alone = judged.len() == 1;
    let mut better = with(Finding::Better);
    let mut worse = with(Finding::Worse);
    let by_rate = |a: &&Judged, b: &&Judged| b.row.rate.count().total_cmp(&a.row.rate.count());
    better.sort_by(by_rate);
    worse.sort_by(by_rate);
    let (open, early) = (with(Finding::NotShown), with(Finding::TooEarly));
    let tone = if !better.is_empty() {
        Tone::Better
    } else if !worse.is_empty() {
        Tone::Worse
    } else {
        Tone::Neutral
    };
    let headline = match (better.as_slice(), worse.as_slice()) {
        ([one], _) if alone && base_arm.is_some_and(|a| a.control) => {
            format!("It works: {} than {in_base}", how_much(one.row))
        }
        ([one], _) => format!("“{}” beats {against}: {}", name(&one.arm.name, 60), how_much(one.row)),
        ([_, _, ..], worse) => {
            let but = match worse.len() {
                0 => String::new(),
                1 => ", 1 does worse".into(),
                n => format!(", {n} do worse"),
            };
            format!("{} beat {against}{but}", how_many(better.len(), judged.len()))
        }
        ([], [one]) if alone && base_arm.is_some_and(|a| a.control) => {
            format!("It does harm: {} than {in_base}", how_much(one.row))
        }
        ([], [one]) => format!("“{}” does worse than {against}: {}", name(&one.arm.name, 60), how_much(one.row)),
        ([], [_, _, ..]) => format!("{} do worse than {against}", how_many(worse.len(), judged.len())),
        ([], []) if open.is_empty() => "Too early to tell".into(),
        ([], []) => "No difference shown so far".into(),
    };
    let found: Vec<&Judged> = better.iter().chain(&worse).copied().collect();
    let base_rate = base_row.and_then(|b| b.rate.finite());
    let apart = found.iter().filter_map(|j| Some((j.row.rate.finite()? - base_rate?).abs()));
    let out_of = apart.map(round_number).fold(100.0, f64::max);
    let scene = Scene { base: base_rate, against: &against, in_base, confidence: report.confidence(), out_of };
    let mut details: Vec<String> = match found.as_slice() {
        [] => Vec::new(),
        [only] => vec![scene.sentence(only, alone)],
        [first, rest @ ..] => vec![scene.sentence(first, false), scene.list(rest)],
    };
    let mut notes = Vec::new();
    if !found.is_empty() && found.iter().all(|j| holds_any_day(j.row, report.confidence())) {
        notes.push("This holds however often you have looked.".into());
    }
    if better.len() > 1 {
        notes.push(format!("Each was compared with {against}, not with the others."));
    }
    let plain = if found.is_empty() { &mut details } else { &mut notes };
    if !open.is_empty() {
        plain.push(not_shown(&open, alone, &against));
    }
    if !early.is_empty() {
        let who = if alone { "A verdict".to_owned() } else { format!("Too early for {}: a verdict", called(&early)) };
        plain.push(format!("{who} needs at least 10 people who reached the goal on either side."));
    }
    Verdict { tone, headline, details, notes }
}

fn how_many(some: usize, all: usize) -> String {
    match (some, all) {
        (2, 2) => "Both variants".into(),
        (some, all) if some == all => format!("All {all} variants"),
        _ => format!("{some} of {all} variants"),
    }
}

/// "72.1% more reached the goal"
fn how_much(row: &Variant) -> String {
    let by = row.lift.finite().map_or(String::new(), |l| format!("{} ", percent(l.abs())));
    let more = if row.difference.finite().or(row.lift.finite()).unwrap_or(0.0) < 0.0 { "fewer" } else { "more" };
    format!("{by}{more} reached the goal")
}

fn holds_any_day(row: &Variant, confidence: f64) -> bool {
    row.anytime_p.finite().is_some_and(|p| p < 1.0 - confidence)
}

/// What a found difference is told against.
struct Scene<'a> {
    /// the baseline's rate
    base: Option<f64>,
    against: &'a str,
    in_base: String,
    confidence: f64,
    /// people: the same number for every variant, so that they compare
    out_of: f64,
}

impl Scene<'_> {
    /// The difference as people out of a round number of them.
    fn sentence(&self, judged: &Judged, alone: bool) -> String {
        let who =
            if alone { "sent the message".to_owned() } else { format!("sent “{}”", name(&judged.arm.name, 60)) };
        let (Some(rate), Some(base)) = (judged.row.rate.finite(), self.base) else {
            return format!("{}: {} than {}.", name(&judged.arm.name, 60), judged.finding.words(), self.against);
        };
        let people = |fraction: f64| decimal((fraction * self.out_of).round(), 0);
        format!(
            "Of every {} people {who}, about <b>{}</b> reached the goal, against <b>{}</b> {}: <b>{}</b>{}.",
            decimal(self.out_of, 0),
            people(rate),
            people(base),
            self.in_base,
            self.difference(rate, base),
            self.between(judged.row, true)
        )
    }

    /// The other differences found, a line each.
    fn list(&self, others: &[&Judged]) -> String {
        let lines: String = others
            .iter()
            .map(|j| {
                let (_, mark) = j.finding.tone().class_and_mark();
                let said = match (j.row.rate.finite(), self.base) {
                    (Some(rate), Some(base)) => format!(
                        "<b>{}</b> of every {}{}",
                        self.difference(rate, base),
                        decimal(self.out_of, 0),
                        self.between(j.row, false)
                    ),
                    _ => j.finding.words().to_owned(),
                };
                format!("<li><span aria-hidden=\"true\">{mark}</span> “{}”: {said}</li>", name(&j.arm.name, 60))
            })
            .collect();
        format!("<ul>{lines}</ul>")
    }

    /// "77 more": of the two numbers of people as they are shown, so that they add up.
    fn difference(&self, rate: f64, base: f64) -> String {
        let apart = (rate * self.out_of).round() - (base * self.out_of).round();
        format!("{} {}", decimal(apart.abs(), 0), if rate < base { "fewer" } else { "more" })
    }

    fn between(&self, row: &Variant, named: bool) -> String {
        let name = if named { format!("{} interval: ", round_percent(self.confidence)) } else { String::new() };
        interval(row, self.out_of)
            .map_or(String::new(), |(low, high)| format!(" ({name}{} to {})", decimal(low, 0), decimal(high, 0)))
    }
}

/// The round number of people that makes a difference of rates at least ten of them.
fn round_number(apart: f64) -> f64 {
    [100.0, 1_000.0, 10_000.0, 100_000.0].into_iter().find(|n| n * apart >= 10.0).unwrap_or(1_000_000.0)
}

/// The interval of the difference in people, in the direction of the difference; none where it does not exclude zero
/// (then the anytime test spoke, and the table has its interval).
fn interval(row: &Variant, out_of: f64) -> Option<(f64, f64)> {
    let (low, high) = (row.difference_low.finite()? * out_of, row.difference_high.finite()? * out_of);
    match (low > 0.0, high < 0.0) {
        (true, _) => Some((low, high)),
        (_, true) => Some((-high, -low)),
        _ => None,
    }
}

/// One by its name, several by their number: the table has the names.
fn called(judged: &[&Judged]) -> String {
    match judged {
        [one] => format!("“{}”", name(&one.arm.name, 60)),
        several => format!("{} variants", several.len()),
    }
}

fn not_shown(open: &[&Judged], alone: bool, against: &str) -> String {
    let may = if alone && against == "the control group" {
        "The message may make a difference or not".to_owned()
    } else {
        format!("{} may differ from {against} or not", called(open))
    };
    let could_be = match open {
        [one] => range(one.row.lift_low, one.row.lift_high, signed_percent)
            .map_or(String::new(), |r| format!(" The true lift may be anything from {}.", escape(&r))),
        _ => String::new(),
    };
    format!("{may}: this many people cannot tell.{could_be} No difference shown is not the same as none.")
}

/// How many people the comparison rests on, for the caption of the table.
pub fn people(report: &Report) -> String {
    let total: f64 = report.variants.iter().map(|v| v.users.count()).sum();
    count(Figure(Some(total)))
}
