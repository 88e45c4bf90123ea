//! How the share of people who reached the goal grows with the days since sending.

use super::super::data::Report;
use super::super::groups::Group;
use super::super::text::{decimal, percent, round_percent, width};
use super::{Axis, Point, SMALL, WIDTH, badge, chart, line, text};
use maud::{Markup, html};
use std::collections::HashMap;

const TOP: f64 = 10.0;
const PLOT: f64 = 214.0;
/// Room at the right for the badges at the line ends.
const ENDS: f64 = 32.0;
const BADGE: f64 = 18.0;

pub struct Line<'a> {
    pub group: &'a Group<'a>,
    /// (day, share), in the order of days, from (0, 0)
    pub points: Vec<Point>,
}

/// The line of each group that has one.
pub fn lines<'a>(report: &Report, groups: &'a [Group]) -> Vec<Line<'a>> {
    let mut lines: Vec<Line> = groups.iter().map(|group| Line { group, points: vec![(0.0, 0.0)] }).collect();
    let places: HashMap<_, _> = groups.iter().enumerate().map(|(place, group)| (group.variant, place)).collect();
    for point in &report.curve {
        if let Some(share) = point.matched_cumulative.share_of(point.eligible) {
            lines[places[&point.variant.as_ref()]].points.push((point.day.0, share.min(1.0)));
        }
    }
    lines.retain(|line| line.points.len() > 1);
    lines
}

/// The chart of these lines; `None` without lines.
pub fn curve(report: &Report, lines: &[Line]) -> Option<Markup> {
    let ends: Vec<Point> = lines.iter().filter_map(|line| line.points.last().copied()).collect();
    let (days, most) =
        lines.iter().flat_map(|l| &l.points).fold((0.0_f64, 0.0_f64), |m, p| (m.0.max(p.0), m.1.max(p.1)));
    if days == 0.0 {
        return None;
    }
    let said = |(line, end): (&Line, &Point)| {
        format!("{} {} by day {}", line.group.name.clean(), percent(end.1), decimal(end.0, 0))
    };
    let said: Vec<String> = lines.iter().zip(&ends).map(said).collect();
    let floor = TOP + PLOT.max(lines.len() as f64 * BADGE);
    let up = Axis::new((0.0, if most > 0.0 { (most * 1.08).min(1.0) } else { 0.01 }), (floor, TOP));
    let levels: Vec<(f64, String)> = up.ticks(5).into_iter().map(|t| (up.at(t), round_percent(t))).collect();
    let left = levels.iter().map(|l| width(&l.1, SMALL)).fold(0.0, f64::max) + 8.0;
    let right = WIDTH - if lines.len() > 1 { ENDS } else { 8.0 };
    let along = Axis::new((0.0, days), (left, right));
    let at = |point: &Point| (along.at(point.0), up.at(point.1));
    let day = |d: f64| if d.fract() == 0.0 { decimal(d, 0) } else { String::new() };
    let days_since = report.words("days since sending", "days since entering");
    let marks = html! {
        @for (y, words) in &levels {
            (line("grid", &[(left, *y), (right, *y)], 1.0))
            (text("note", (left - 8.0, *y), "end", SMALL, words))
        }
        @for (x, words) in along.labelled(9, day).into_iter().filter(|(_, words)| !words.is_empty()) {
            (text("note", (x.min(WIDTH - width(&words, SMALL) / 2.0), floor + 12.0), "middle", SMALL, &words))
        }
        (text("note", ((left + right) / 2.0, floor + 31.0), "middle", SMALL, days_since))
        @for l in lines { (line(&format!("{} dash", l.group.class), &l.points.iter().map(at).collect::<Vec<_>>(), 2.5)) }
        @if lines.len() > 1 { (end_badges(lines, &ends.iter().map(at).collect::<Vec<_>>(), floor)) }
    };
    let whose = report.words("receipts that", "people who");
    let label = format!("Share of {whose} reached the goal, by {days_since}. {}.", said.join("; "));
    Some(chart(floor + 40.0, &label, &marks))
}

fn end_badges(lines: &[Line], ends: &[Point], floor: f64) -> Markup {
    let x = WIDTH - BADGE / 2.0;
    let heights = spread(&ends.iter().map(|end| end.1).collect::<Vec<_>>(), TOP, floor);
    html! {
        @for ((Line { group, .. }, end), y) in lines.iter().zip(ends).zip(heights) {
            (line(&format!("{} leader", group.class), &[*end, (x - 9.0, y)], 1.0))
            (badge(group, (x, y)))
        }
    }
}

/// Moves heights at least a badge apart, as near to where they were as the order allows.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut places = wanted.to_vec();
    let mut least = top;
    for at in &order {
        places[*at] = wanted[*at].max(least);
        least = places[*at] + BADGE;
    }
    let mut most = bottom;
    for at in order.iter().rev() {
        places[*at] = places[*at].min(most);
        most = places[*at] - BADGE;
    }
    places
}
