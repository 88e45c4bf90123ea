//! The tables. On a phone each row becomes a card, so every cell carries its column's name and every element its role,
//! which `display: block` would take from it.

use super::super::arms::{Arm, Places, find};
use super::super::data::{Report, Variant};
use super::super::text::{
    chance, count, decimal, escape, name, p_value, percent, points, range, signed_percent, worth,
};
use super::super::verdict::{Finding, people};
use super::{badge, goal_name, or_missing};
use std::collections::HashMap;

struct Cell {
    html: String,
    class: &'static str,
}

fn cell(html: String) -> Cell {
    Cell { html, class: "" }
}

/// A figure with its interval, or what else belongs to it, beneath.
fn with_interval(figure: String, beneath: Option<String>) -> Cell {
    let beneath = beneath.map_or(String::new(), |i| format!("<small>{}</small>", escape(&i)));
    cell(format!("{figure}{beneath}"))
}

fn table(caption: &str, columns: &[&str], rows: &[(Cell, Vec<Cell>)]) -> String {
    let heads: String = columns.iter().map(|c| format!("<th scope=\"col\" role=\"columnheader\">{c}</th>")).collect();
    let body: String = rows
        .iter()
        .map(|(head, cells)| {
            let cells: String = cells
                .iter()
                .zip(&columns[1..])
                .map(|(c, column)| {
                    format!("<td role=\"cell\" class=\"{}\" data-of=\"{column}\">{}</td>", c.class, c.html)
                })
                .collect();
            format!("<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{}</th>{cells}</tr>\n", head.html)
        })
        .collect();
    format!(
        "<table role=\"table\">\n<caption>{caption}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">{heads}</tr></thead>\n\
         <tbody role=\"rowgroup\">\n{body}</tbody>\n</table>\n"
    )
}

pub fn variants_table(report: &Report, arms: &[Arm]) -> String {
    let worths = report.variants.iter().any(|v| v.worth_per_user.finite().is_some());
    let compared = arms.iter().any(|a| a.baseline);
    let mut columns = vec![if compared { "Variant" } else { "Who" }, "People", "Reached goal", "Rate"];
    if compared {
        columns.extend(["Difference", "Lift", "Chance it is better"]);
    }
    if worths {
        columns.push("Worth per person");
    }
    if compared {
        columns.push("Verdict");
    }
    let rows: Vec<_> = report
        .variants
        .iter()
        .filter_map(|row| {
            find(arms, &row.variant, row.is_control).map(|i| variant_row(row, &arms[i], compared, worths))
        })
        .collect();
    let against = if compared {
        " The difference is in percentage points; difference and lift are against the baseline."
    } else {
        ""
    };
    let caption = format!("People counted: {}, each once.{against}", people(report));
    table(&caption, &columns, &rows)
}

fn variant_row(row: &Variant, arm: &Arm, compared: bool, worths: bool) -> (Cell, Vec<Cell>) {
    let head = cell(format!("<span class=\"who\">{}{}</span>", badge(arm), name(&arm.name, 80)));
    let mut cells = vec![
        cell(count(row.users)),
        cell(count(row.matched)),
        with_interval(or_missing(row.rate.finite().map(percent)), range(row.rate_low, row.rate_high, percent)),
    ];
    if compared {
        cells.extend([
            with_interval(
                or_missing(row.difference.0.map(points)),
                range(row.difference_low, row.difference_high, points),
            ),
            with_interval(
                or_missing(row.lift.0.map(signed_percent)),
                range(row.lift_low, row.lift_high, signed_percent),
            ),
            with_interval(
                or_missing(row.probability_better.finite().map(chance)),
                row.p_adjusted.finite().or(row.p_value.finite()).map(|p| format!("p {}", p_value(p))),
            ),
        ]);
    }
    if worths {
        cells.push(cell(or_missing(row.worth_per_user.finite().map(worth))));
    }
    if compared {
        cells.push(verdict_cell(row, arm));
    }
    (head, cells)
}

fn verdict_cell(row: &Variant, arm: &Arm) -> Cell {
    let html = match Finding::of(row) {
        _ if arm.baseline => "<span class=\"pill\">baseline</span>".into(),
        Some(finding) => {
            let (class, mark) = finding.tone().class_and_mark();
            format!("<span class=\"pill {class}\"><span aria-hidden=\"true\">{mark}</span>{}</span>", finding.words())
        }
        None => or_missing(row.verdict.get().map(str::to_owned)),
    };
    Cell { html, class: "judged" }
}

/// Only for several goals: a single one is all in the bar above.
pub fn goals_table(report: &Report) -> String {
    if report.goals.len() < 2 {
        return String::new();
    }
    let columns = [
        "Goal",
        "Sent",
        "Already there",
        "Reached",
        "Rate",
        "Of those who could",
        "After an open",
        "After a click",
        "Worth",
    ];
    let rows: Vec<_> = report
        .goals
        .iter()
        .map(|g| {
            let could = g.sent.finite().map(|s| s - g.already_matched.count()).filter(|n| *n > 0.0);
            let eligible = g.matched.finite().zip(could).map(|(m, c)| percent(m / c));
            let cells = vec![
                cell(count(g.sent)),
                cell(count(g.already_matched)),
                cell(count(g.matched)),
                cell(or_missing(g.matched.of(g.sent).map(percent))),
                cell(or_missing(eligible)),
                cell(count(g.matched_after_open)),
                cell(count(g.matched_after_click)),
                cell(or_missing(g.worth.finite().map(worth))),
            ];
            (cell(goal_name(g)), cells)
        })
        .collect();
    table("The goals of this message, counted in receipts.", &columns, &rows)
}

/// The curve as figures: at most about forty rows, the last day always among them.
pub fn curve_table(report: &Report, arms: &[Arm], drawn: &[&Arm]) -> String {
    let mut days: Vec<f64> = report.curve.iter().filter_map(|p| p.day.finite()).filter(|d| *d >= 0.0).collect();
    days.sort_by(f64::total_cmp);
    days.dedup();
    let step = days.len().div_ceil(40).max(1);
    let kept = days.iter().rev().step_by(step).rev();
    let places = Places::of(arms);
    // the first of two points of a day, as in the chart
    let mut shares: HashMap<(usize, u64), f64> = HashMap::new();
    for point in &report.curve {
        let share = point.matched_cumulative.of(point.eligible);
        if let (Some(i), Some(day), Some(share)) =
            (places.find(&point.variant, point.is_control), point.day.finite(), share)
        {
            shares.entry((i, day.to_bits())).or_insert(share);
        }
    }
    let heads: String = drawn
        .iter()
        .map(|a| format!("<th scope=\"col\">{}<span class=\"unseen\">{}</span></th>", badge(a), name(&a.name, 48)))
        .collect();
    let rows: String = kept
        .map(|day| {
            let share =
                |arm: &&Arm| places.find(&arm.variant, Some(arm.control)).and_then(|i| shares.get(&(i, day.to_bits())));
            let cells: String = drawn
                .iter()
                .map(|arm| format!("<td>{}</td>", or_missing(share(arm).map(|share| percent(*share)))))
                .collect();
            format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", decimal(*day, usize::from(day.fract() != 0.0)))
        })
        .collect();
    format!(
        "<details>\n<summary>The curve in figures</summary>\n<div class=\"plain\"><table>\n<thead><tr><th scope=\"col\">Day</th>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</details>\n"
    )
}
