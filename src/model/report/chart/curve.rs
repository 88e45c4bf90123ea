//! How the share of people who reached the goal grows with the days since sending.

use super::super::arms::{Arm, Places};
use super::super::data::Report;
use super::super::text::{decimal, percent, round_percent, width};
use super::{Axis, Hang, SMALL, WIDTH, draw};

const TOP: f64 = 10.0;
const PLOT: f64 = 214.0;
/// Room at the right for the badges at the ends of the lines.
const ENDS: f64 = 32.0;
const BADGE: f64 = 18.0;

struct Line<'a> {
    arm: &'a Arm,
    /// (day, share), by day, from (0, ...)
    points: Vec<(f64, f64)>,
}

fn lines<'a>(report: &Report, arms: &'a [Arm]) -> Vec<Line<'a>> {
    let mut lines: Vec<Line> = arms.iter().map(|arm| Line { arm, points: Vec::new() }).collect();
    let places = Places::of(arms);
    for point in &report.curve {
        let place = places.find(&point.variant, point.is_control);
        let day = point.day.finite().filter(|d| *d >= 0.0);
        let share = point.matched_cumulative.of(point.eligible).filter(|s| *s >= 0.0);
        if let (Some(place), Some(day), Some(share)) = (place, day, share) {
            lines[place].points.push((day, share.min(1.0)));
        }
    }
    lines.retain(|l| !l.points.is_empty());
    for line in &mut lines {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        line.points.dedup_by(|a, b| a.0 == b.0);
        if line.points[0].0 > 0.0 {
            line.points.insert(0, (0.0, 0.0));
        }
    }
    lines
}

/// The arms that have a line, in their order: for the legend.
pub fn drawn<'a>(report: &Report, arms: &'a [Arm]) -> Vec<&'a Arm> {
    lines(report, arms).into_iter().map(|l| l.arm).collect()
}

/// Nothing until a day has passed for somebody.
pub fn curve(report: &Report, arms: &[Arm]) -> Option<String> {
    let lines = lines(report, arms);
    let days = lines.iter().flat_map(|l| &l.points).map(|p| p.0).fold(0.0, f64::max);
    if days == 0.0 {
        return None;
    }
    let most = lines.iter().flat_map(|l| &l.points).map(|p| p.1).fold(0.0, f64::max);
    let said: Vec<String> = lines
        .iter()
        .filter_map(|l| l.points.last().map(|p| format!("{} {} by day {}", l.arm.name, percent(p.1), decimal(p.0, 0))))
        .collect();
    let plot = PLOT.max(lines.len() as f64 * BADGE);
    let floor = TOP + plot;
    let svg = draw(
        floor + 40.0,
        &format!("Share of receipts that reached the goal, by days since sending. {}.", said.join("; ")),
        |canvas| {
            let up = Axis::new((0.0, if most > 0.0 { (most * 1.08).min(1.0) } else { 0.01 }), (floor, TOP));
            let levels: Vec<(f64, String)> = up.ticks(5).into_iter().map(|t| (up.at(t), round_percent(t))).collect();
            let left = levels.iter().map(|l| width(&l.1, SMALL)).fold(0.0, f64::max) + 8.0;
            let right = WIDTH - if lines.len() > 1 { ENDS } else { 8.0 };
            let along = Axis::new((0.0, days), (left, right));
            for (y, words) in &levels {
                canvas.line("s grid", &[(left, *y), (right, *y)], 1.0);
                canvas.text("note", (left - 8.0, *y), Hang::End, SMALL, words);
            }
            for (x, words) in along.labelled(9, |d| if d.fract() == 0.0 { decimal(d, 0) } else { String::new() }) {
                let x = x.min(WIDTH - width(&words, SMALL) / 2.0);
                if !words.is_empty() {
                    canvas.text("note", (x, floor + 12.0), Hang::Middle, SMALL, &words);
                }
            }
            canvas.text("note", ((left + right) / 2.0, floor + 31.0), Hang::Middle, SMALL, "days since sending");
            for line in &lines {
                let points: Vec<_> = line.points.iter().map(|p| (along.at(p.0), up.at(p.1))).collect();
                canvas.line(&format!("s {} dash", line.arm.class()), &points, 2.5);
            }
            if lines.len() > 1 {
                let ends: Vec<(f64, f64)> =
                    lines.iter().filter_map(|l| l.points.last()).map(|p| (along.at(p.0), up.at(p.1))).collect();
                let places = spread(&ends.iter().map(|e| e.1).collect::<Vec<_>>(), TOP, floor);
                for ((line, end), y) in lines.iter().zip(&ends).zip(places) {
                    let class = line.arm.class();
                    let x = WIDTH - BADGE / 2.0;
                    canvas.line(&format!("s {class} leader"), &[*end, (x - 9.0, y)], 1.0);
                    canvas.badge(&class, (x, y), &line.arm.key);
                }
            }
        },
    );
    Some(svg)
}

/// Moves heights apart to at least a badge between any two, as near to where they were as the order allows.
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
