//! From sent to the goal: one bar per step, the goal's split by how far the receipt had come before it.

use super::super::data::{Count, GoalFigures, Kind, Report, Words};
use super::super::text::{count, decimal, of_judged, percent, shortest_count, width};
use super::{Columns, SMALL, TEXT, WIDTH, block, chart, text};
use maud::{Markup, html};

const BAR: f64 = 18.0;
/// Height of a note beneath the bar.
const LINE: f64 = 16.0;

struct Step {
    name: Words,
    number: Count,
    /// of what was sent; of a programme, of those who entered; for a goal, of what it judges
    share: Option<f64>,
    /// what the share is of, if that is not all that was sent
    of: Option<String>,
    /// class, words and count of each part of the bar
    parts: Vec<(&'static str, &'static str, f64)>,
}

impl Step {
    fn of_totals(name: &str, number: Count, sent: Count) -> Step {
        let parts = vec![("bar", "", number.0)];
        Step { name: Words(name.into()), number, share: number.share_of(sent), of: None, parts }
    }

    fn of_goal(goal: &GoalFigures, report: &Report) -> Step {
        let matched = goal.matched.0;
        let opened = goal.matched_after_open.0.min(matched);
        let clicked = goal.matched_after_click.0.min(opened);
        Step {
            name: Words(if report.only_primary() {
                "Reached the goal".into()
            } else {
                format!("Goal: {}", goal.name.0)
            }),
            number: goal.matched,
            share: goal.matched.share_of(goal.sent),
            of: of_judged(goal, report.totals.sent),
            // opens that were never reported are not known
            parts: if goal.opened.is_some() && goal.matched.is_some() {
                vec![
                    ("part3", "after a click", clicked),
                    ("part2", "opened only", opened - clicked),
                    ("part1", "unopened", matched - opened),
                ]
            } else {
                vec![("part3", "", matched)]
            },
        }
    }

    /// The notes beneath the bar, one per line.
    fn notes(&self) -> Vec<String> {
        let line = |shown: fn(f64) -> String| {
            self.parts.iter().map(|(_, word, n)| format!("{word} {}", shown(*n))).collect::<Vec<_>>().join(" · ")
        };
        let exact = line(|n| decimal(n, 0));
        let fitting = if width(&exact, SMALL) <= WIDTH { exact } else { line(shortest_count) };
        self.of.clone().into_iter().chain((self.parts.len() > 1).then_some(fitting)).collect()
    }

    /// The text for screen readers.
    fn said(&self) -> String {
        let share = self.share.map(percent).into_iter().chain(self.of.clone()).collect::<Vec<_>>().join(" ");
        format!("{} {}, {share}", self.name.clean(), count(self.number))
    }

    fn bar(&self, y: f64) -> Markup {
        let full = self.share.unwrap_or(0.0).min(1.0) * WIDTH;
        let whole = self.number.0.max(1.0);
        let mut left = 0.0;
        let parts = self.parts.iter().map(|(class, _, n)| {
            let from = left;
            left += full * n / whole;
            block(class, (from, y), (left, y + BAR))
        });
        html! { (block("track", (0.0, y), (WIDTH, y + BAR))) @for part in parts { (part) } }
    }
}

/// The steps before the goals that the figures know: name and count.
pub fn steps(report: &Report) -> Vec<(&'static str, Count)> {
    let totals = &report.totals;
    // people open the messages of a programme, seldom the programme itself
    let shown = |number: &Count| report.message.kind != Kind::Programme || number.is_some();
    [
        (report.words("Sent", "Entered"), Some(totals.sent)),
        ("Delivered", totals.known_delivered()),
        ("Opened", Some(totals.opened).filter(shown)),
        ("Clicked", Some(totals.clicked).filter(shown)),
    ]
    .into_iter()
    .filter_map(|(name, number)| Some((name, number?)))
    .collect()
}

/// The chart, and what its percentages are of. `None` while nothing has been sent.
pub fn funnel(report: &Report) -> Option<(Markup, &'static str)> {
    let sent = report.totals.sent;
    let totals = steps(report).into_iter().map(|(name, n)| Step::of_totals(name, n, sent));
    let steps: Vec<Step> = totals.chain(report.goals.iter().map(|goal| Step::of_goal(goal, report))).collect();
    if !sent.is_some() {
        return None;
    }
    let caption = if steps.iter().any(|s| s.of.is_some()) {
        report.words(
            "Receipts. Percentages are of those sent; a goal’s are of the receipts it judges.",
            "People. Percentages are of those who entered; a goal’s are of those it judges.",
        )
    } else {
        report.words("Receipts. Percentages are of those sent.", "People. Percentages are of those who entered.")
    };
    let figures: Vec<(String, String)> =
        steps.iter().map(|s| (count(s.number), s.share.map_or(String::new(), percent))).collect();
    let columns = Columns::of(figures.iter().map(|(number, share)| (number.as_str(), share.as_str())));
    let mut top = 0.0;
    let mut marks = Vec::new();
    for (step, (number, share)) in steps.iter().zip(&figures) {
        let notes = step.notes();
        marks.push(html! {
            (text("name", (0.0, top + 9.0), "start", TEXT, &step.name.fit(columns.room(0.0), TEXT)))
            (columns.figures(top + 9.0, number, share))
            (step.bar(top + 22.0))
            @for (i, note) in notes.iter().enumerate() {
                (text("note", (0.0, top + 35.0 + BAR + LINE * i as f64), "start", SMALL, note))
            }
        });
        top += 58.0 + LINE * notes.len() as f64;
    }
    let said: Vec<String> = steps.iter().map(Step::said).collect();
    let marks = html! { @for step in &marks { (step) } };
    Some((chart(top - 8.0, &format!("Funnel. {}.", said.join("; ")), &marks), caption))
}
