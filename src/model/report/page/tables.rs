//! The tables. On a phone each row becomes a card. So every cell carries its column's name, and every element its role,
//! which `display: block` would remove.

use super::super::chart::curve::Line;
use super::super::data::{Compared, Count, GoalFigures, Kind, Part, Report, Totals};
use super::super::groups::Group;
use super::super::text::{MISSING, chance, count, decimal, p_value, percent, points, range, signed_percent, worth};
use super::super::verdict::class_and_mark;
use maud::{Markup, html};

/// A figure, or a sign where there is none.
fn shown(figure: Option<String>) -> Markup {
    html! { (figure.as_deref().unwrap_or(MISSING)) }
}

fn plain(figure: String) -> Markup {
    html! { (figure) }
}

/// A figure, and beneath it its interval or what else belongs to it.
fn with(figure: Option<String>, beneath: Option<String>) -> Markup {
    html! { (shown(figure)) @if let Some(beneath) = &beneath { small { (beneath) } } }
}

/// A column's name, and its cell for a row.
type Column<T> = (&'static str, fn(&T) -> Markup);

fn table<T>(caption: &str, first: &str, columns: &[Column<T>], rows: &[(Markup, &T)]) -> Markup {
    let head = |name: &str| html! { th scope="col" role="columnheader" { (name) } };
    html! {
        table role="table" {
            caption { (caption) }
            thead role="rowgroup" { tr role="row" { (head(first)) @for (name, _) in columns { (head(name)) } } }
            tbody role="rowgroup" {
                @for (who, row) in rows {
                    "\n"
                    tr role="row" {
                        th scope="row" role="rowheader" { (who) }
                        @for (name, cell) in columns { td role="cell" data-of=(name) { (cell(row)) } }
                    }
                }
            }
        }
    }
}

pub fn variants_table(report: &Report, groups: &[Group]) -> Markup {
    let compared = groups.iter().any(|group| group.baseline);
    let mut columns: Vec<Column<Compared>> = vec![
        ("People", |v| plain(count(v.users))),
        ("Reached goal", |v| plain(count(v.matched))),
        ("Rate", |v| with(v.rate.finite().map(percent), range(v.rate_low, v.rate_high, percent))),
    ];
    if compared {
        columns.push(("Difference", |v| {
            with(v.difference.0.map(points), range(v.difference_low, v.difference_high, points))
        }));
        columns.push(("Lift", |v| with(v.lift.0.map(signed_percent), range(v.lift_low, v.lift_high, signed_percent))));
        columns.push(("Chance it is better", |v| {
            let p = v.p_adjusted.finite().map(|p| format!("p {}", p_value(p)));
            with(v.probability_better.finite().map(chance), p)
        }));
    }
    if report.variants.iter().any(|v| v.worth_per_user.finite().is_some()) {
        columns.push(("Worth per person", |v| shown(v.worth_per_user.finite().map(worth))));
    }
    if compared {
        columns.push(("Verdict", pill));
    }
    let who = |group: &Group| html! { span.who { (group.badge()) (group.name.html(80)) } };
    let rows: Vec<_> = groups.iter().map(who).zip(&report.variants).collect();
    let (first, against) = if compared {
        ("Variant", " The difference is in percentage points; difference and lift are against the baseline.")
    } else {
        ("Who", "")
    };
    let people: f64 = report.variants.iter().map(|v| v.users.0).sum();
    let caption = format!("People counted: {}, each once.{against}", decimal(people, 0));
    table(&caption, first, &columns, &rows)
}

fn pill(row: &Compared) -> Markup {
    let Some(verdict) = row.verdict else { return html! { span.pill { "baseline" } } };
    let (class, mark) = class_and_mark(row.verdict);
    html! { span.{"pill " (class)} { span aria-hidden="true" { (mark) } (verdict.as_str()) } }
}

/// The goals; `None` for a single goal, which the tiles above show completely.
pub fn goals_table(report: &Report) -> Option<Markup> {
    if report.goals.len() < 2 {
        return None;
    }
    let columns: [Column<GoalFigures>; 8] = [
        (report.words("Sent", "Entered"), |g| plain(count(g.sent))),
        ("Already there", |g| plain(count(g.already_matched))),
        ("Reached", |g| plain(count(g.matched))),
        ("Rate", |g| shown(g.matched.share_of(g.sent).map(percent))),
        ("Of those who could", |g| shown(g.matched.share_of(Count(g.sent.0 - g.already_matched.0)).map(percent))),
        ("After an open", |g| plain(count(g.matched_after_open))),
        ("After a click", |g| plain(count(g.matched_after_click))),
        ("Worth", |g| shown(g.worth.finite().map(worth))),
    ];
    let rows: Vec<_> = report.goals.iter().map(|goal| (goal.name.html(60), goal)).collect();
    let caption = report
        .words("The goals of this message, counted in receipts.", "The goals of this programme, counted in people.");
    Some(table(caption, "Goal", &columns, &rows))
}

/// What else became of what was sent; `None` if nothing else did.
pub fn besides_table(report: &Report) -> Option<Markup> {
    let totals = &report.totals;
    let columns: [(Column<Totals>, Count); 5] = [
        (("Bounced", |t| share(t.bounced, t.sent)), totals.bounced),
        (("Complained", |t| share(t.complained, t.sent)), totals.complained),
        (("Unsubscribed", |t| share(t.unsubscribed, t.sent)), totals.unsubscribed),
        (("Opened by machines", |t| share(t.opened_by_machine, t.sent)), totals.opened_by_machine),
        (("Clicked by machines", |t| share(t.clicked_by_machine, t.sent)), totals.clicked_by_machine),
    ];
    let columns: Vec<_> = columns.into_iter().filter(|(_, n)| n.is_some()).map(|(column, _)| column).collect();
    let whole = report.words("Of what was sent", "Of those who entered");
    let caption = "What else is known. Machines’ opens and clicks are in no other figure.";
    (!columns.is_empty()).then(|| table(caption, "Receipts", &columns, &[(html! { (whole) }, totals)]))
}

/// A count, and beneath it its share of `whole`.
fn share(number: Count, whole: Count) -> Markup {
    with(Some(count(number)), number.share_of(whole).map(percent))
}

/// The messages of a programme, in the order in which they were created.
pub fn parts_table(report: &Report) -> Markup {
    /// Of a programme within the programme there are entries only.
    fn of_sent(part: &Part, number: Count) -> Markup {
        if part.kind == Kind::Programme { shown(None) } else { share(number, part.sent) }
    }
    let columns: [Column<(&Part, Count)>; 6] = [
        ("Kind", |(part, _)| plain(part.kind.in_words().into())),
        ("Sent", |(part, entered)| share(part.sent, *entered)),
        ("Delivered", |(part, _)| of_sent(part, part.delivered)),
        ("Opened", |(part, _)| of_sent(part, part.opened)),
        ("Clicked", |(part, _)| of_sent(part, part.clicked)),
        ("Reached its goal", |(part, _)| shown(part.matched.map(count))),
    ];
    let parts: Vec<_> = report.parts.iter().map(|part| (part, report.totals.sent)).collect();
    let rows: Vec<_> = parts.iter().map(|row| (row.0.name.html(80), row)).collect();
    let caption = "Shares of what was sent are of those who entered, the others of what was sent. Of a programme, sent \
                   is how many entered it. The goal is each message’s primary one.";
    table(caption, "Message", &columns, &rows)
}

/// The curve as figures, in at most about forty rows; the last day is always among them.
pub fn curve_table(lines: &[Line]) -> Markup {
    let mut days: Vec<f64> = lines.iter().flat_map(|line| line.points[1..].iter().map(|point| point.0)).collect();
    days.sort_by(f64::total_cmp);
    days.dedup();
    let kept = days.iter().rev().step_by(days.len().div_ceil(40).max(1)).rev();
    let share = |line: &Line, day: f64| {
        let point = line.points.binary_search_by(|point| point.0.total_cmp(&day)).ok()?;
        Some(percent(line.points[point].1))
    };
    html! {
        details {
            summary { "The curve in figures" }
            div.plain {
                table {
                    thead {
                        tr {
                            th scope="col" { "Day" }
                            @for group in lines.iter().map(|line| line.group) {
                                th scope="col" { (group.badge()) span.unseen { (group.name.html(48)) } }
                            }
                        }
                    }
                    tbody {
                        @for day in kept {
                            "\n"
                            tr {
                                th scope="row" { (decimal(*day, 0)) }
                                @for line in lines { td { (shown(share(line, *day))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
