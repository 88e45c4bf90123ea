//! From sent to the goal: one bar per step, the goal's split by how far the receipt had come before it.

use super::super::data::{Figure, Goal, Report};
use super::super::text::{decimal, fit, percent, short_count, shortest_count, width};
use super::{Columns, Hang, SMALL, TEXT, WIDTH, draw};

const BAR: f64 = 18.0;

struct Step {
    name: String,
    count: f64,
    goal: bool,
    /// of what was sent
    share: Option<f64>,
    /// how much of it came after a click, after an open only, without either; empty where opens are not known
    parts: Vec<Part>,
}

/// class, words, count
type Part = (&'static str, &'static str, f64);

fn step(name: &str, n: Figure, sent: Figure) -> Option<Step> {
    let count = n.finite()?.max(0.0);
    Some(Step { name: name.to_owned(), count, goal: false, share: n.of(sent), parts: Vec::new() })
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
            step.parts = parts(goal).unwrap_or_default();
            steps.push(step);
        }
    }
    steps
}

/// Nothing while nothing has been sent.
pub fn funnel(report: &Report) -> Option<String> {
    let steps = steps(report);
    let whole = steps.iter().map(|s| s.count).fold(0.0, f64::max);
    if whole == 0.0 || report.totals.sent.count() == 0.0 {
        return None;
    }
    let heights: Vec<f64> = steps.iter().map(|s| if s.parts.is_empty() { 58.0 } else { 74.0 }).collect();
    let said: Vec<String> = steps
        .iter()
        .map(|s| {
            format!(
                "{} {}{}",
                s.name,
                decimal(s.count, 0),
                s.share.map_or(String::new(), |s| format!(", {}", percent(s)))
            )
        })
        .collect();
    let shares: Vec<String> = steps.iter().map(|s| s.share.map_or(String::new(), percent)).collect();
    let counts: Vec<String> = steps.iter().map(|s| decimal(s.count, 0)).collect();
    let columns = Columns::of(counts.iter().map(String::as_str).zip(shares.iter().map(String::as_str)));
    let svg = draw(heights.iter().sum::<f64>() - 8.0, &format!("Funnel. {}.", said.join("; ")), |canvas| {
        let mut top = 0.0;
        for (at, (step, height)) in steps.iter().zip(&heights).enumerate() {
            canvas.text("name", (0.0, top + 9.0), Hang::Start, TEXT, &fit(&step.name, columns.room(0.0), TEXT));
            canvas.figures(top + 9.0, &columns, &counts[at], &shares[at]);
            // a goal's share is of what was judged by it
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
            if !step.parts.is_empty() {
                canvas.text("note", (0.0, y + BAR + 13.0), Hang::Start, SMALL, &in_words(&step.parts));
            }
            top += height;
        }
    });
    Some(svg)
}
