//! From sent to the goal: one bar per step, the goal's split by how far the receipt had come before it.

use super::super::data::{Figure, Goal, Report};
use super::super::text::{decimal, fit, of_judged, percent, short_count, shortest_count, width};
use super::{Columns, Hang, SMALL, TEXT, WIDTH, draw};

const BAR: f64 = 18.0;
/// Height of a note beneath it.
const LINE: f64 = 16.0;

struct Step {
    name: String,
    count: f64,
    goal: bool,
    /// of what was sent; a goal's of what is judged by it
    share: Option<f64>,
    /// of what that is, where it is not all that was sent
    of: Option<String>,
    /// how much of it came after a click, after an open only, without either; empty where opens are not known
    parts: Vec<Part>,
}

/// class, words, count
type Part = (&'static str, &'static str, f64);

fn step(name: &str, n: Figure, sent: Figure) -> Option<Step> {
    let count = n.finite()?.max(0.0);
    Some(Step { name: name.to_owned(), count, goal: false, share: n.of(sent), of: None, parts: Vec::new() })
}

fn parts(goal: &Goal) -> Option<Vec<Part>> {
    let matched = goal.matched.finite()?;
    let opened = goal.matched_after_open.finite()?.clamp(0.0, matched.max(0.0));
    let clicked = goal.matched_after_click.count().min(opened);
    let known = matched > 0.0 && goal.opened.count() > 0.0;
    known.then(|| {
        vec![
            ("part3", "after a click", clicked),
            ("part2", "opened only", opened - clicked),
            ("part1", "unopened", matched - opened),
        ]
    })
}

impl Step {
    /// What stands beneath the bar, a line each.
    fn notes(&self) -> Vec<String> {
        let parts = (!self.parts.is_empty()).then(|| in_words(&self.parts));
        self.of.clone().into_iter().chain(parts).collect()
    }

    /// For those who hear the page.
    fn said(&self) -> String {
        let share = self.share.map(percent).into_iter().chain(self.of.clone()).collect::<Vec<_>>().join(" ");
        let comma = if share.is_empty() { "" } else { ", " };
        format!("{} {}{comma}{share}", self.name, decimal(self.count, 0))
    }
}

/// On one line, with counts as exact as there is room for.
fn in_words(parts: &[Part]) -> String {
    let line = |shown: fn(f64) -> String| {
        parts.iter().map(|(_, word, n)| format!("{word} {}", shown(*n))).collect::<Vec<_>>().join(" · ")
    };
    let exact = line(short_count);
    if width(&exact, SMALL) <= WIDTH { exact } else { line(shortest_count) }
}

fn steps(report: &Report) -> Vec<Step> {
    let sent = report.totals.sent;
    let mut steps: Vec<Step> = [("Sent", sent), ("Opened", report.totals.opened), ("Clicked", report.totals.clicked)]
        .into_iter()
        .filter_map(|(name, n)| step(name, n, sent))
        .collect();
    for goal in &report.goals {
        let name = if report.only_primary() {
            "Reached the goal".to_owned()
        } else {
            format!("Goal: {}", goal.name.get().unwrap_or("primary"))
        };
        if let Some(mut step) = step(&name, goal.matched, goal.sent) {
            step.goal = true;
            step.of = of_judged(goal, sent);
            step.parts = parts(goal).unwrap_or_default();
            steps.push(step);
        }
    }
    steps
}

/// What the percentages of the funnel are of.
pub fn caption(report: &Report) -> &'static str {
    if steps(report).iter().any(|s| s.of.is_some()) {
        "Receipts; percentages are of those sent, a goal’s of the receipts it judges."
    } else {
        "Receipts; percentages are of those sent."
    }
}

/// Nothing while nothing has been sent.
pub fn funnel(report: &Report) -> Option<String> {
    let steps = steps(report);
    let whole = steps.iter().map(|s| s.count).fold(0.0, f64::max);
    if whole == 0.0 || report.totals.sent.count() == 0.0 {
        return None;
    }
    let notes: Vec<Vec<String>> = steps.iter().map(Step::notes).collect();
    let heights: Vec<f64> = notes.iter().map(|notes| 58.0 + LINE * notes.len() as f64).collect();
    let said: Vec<String> = steps.iter().map(Step::said).collect();
    let shares: Vec<String> = steps.iter().map(|s| s.share.map_or(String::new(), percent)).collect();
    let counts: Vec<String> = steps.iter().map(|s| decimal(s.count, 0)).collect();
    let columns = Columns::of(counts.iter().map(String::as_str).zip(shares.iter().map(String::as_str)));
    let svg = draw(heights.iter().sum::<f64>() - 8.0, &format!("Funnel. {}.", said.join("; ")), |canvas| {
        let mut top = 0.0;
        for (at, (step, height)) in steps.iter().zip(&heights).enumerate() {
            canvas.text("name", (0.0, top + 9.0), Hang::Start, TEXT, &fit(&step.name, columns.room(0.0), TEXT));
            canvas.figures(top + 9.0, &columns, &counts[at], &shares[at]);
            let share = step.share.unwrap_or(0.0).clamp(0.0, 1.0);
            let (y, full) = (top + 22.0, share * WIDTH);
            canvas.block("f track", (0.0, y), (WIDTH, y + BAR));
            if step.parts.is_empty() {
                let class = if step.goal { "f part3" } else { "f bar" };
                canvas.block(class, (0.0, y), (full, y + BAR));
            }
            let mut left = 0.0;
            for (class, _, n) in &step.parts {
                let right = left + full * n / step.count;
                canvas.block(&format!("f {class}"), (left, y), (right, y + BAR));
                left = right;
            }
            for (line, note) in notes[at].iter().enumerate() {
                let y = y + BAR + 13.0 + LINE * line as f64;
                canvas.text("note", (0.0, y), Hang::Start, SMALL, note);
            }
            top += height;
        }
    });
    Some(svg)
}
