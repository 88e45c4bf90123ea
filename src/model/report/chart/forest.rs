//! Estimates with their intervals, one lane per variant, its name above the lane so that names of any length have room.

use super::super::arms::{Arm, find};
use super::super::data::{Figure, Report, Variant};
use super::super::text::{MISSING, fit, percent, range, round_percent, round_signed_percent, signed_percent, width};
use super::{Axis, Canvas, Columns, Hang, SMALL, TEXT, WIDTH, draw};

const ROW: f64 = 54.0;
/// Of the axis at either side, so that the labels of its ends stay on the sheet.
const SIDE: f64 = 20.0;
const AXIS: f64 = 22.0;

struct Lane<'a> {
    arm: &'a Arm,
    /// estimate and interval in words
    value: String,
    interval: String,
    estimate: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    /// the interval that is safe to look at every day
    outer: Option<(f64, f64)>,
}

struct Forest<'a> {
    label: String,
    lanes: Vec<Lane<'a>>,
    domain: (f64, f64),
    reference: Option<f64>,
    show: fn(f64) -> String,
}

/// The rate of every variant with its interval, the baseline's rate running through all lanes.
pub fn rates(report: &Report, arms: &[Arm]) -> Option<String> {
    let lanes = lanes(report, arms, |row, _| {
        let value = row.rate.finite().map_or(MISSING.into(), percent);
        ((value, range(row.rate_low, row.rate_high, percent)), row.rate, row.rate_low, row.rate_high, None)
    });
    let known: Vec<f64> = lanes.iter().flat_map(|l| [l.estimate, l.low, l.high]).flatten().collect();
    let low = known.iter().copied().reduce(f64::min)?.max(0.0);
    let high = known.iter().copied().fold(low, f64::max).min(1.0);
    let span = (high - low).max(high * 0.05).max(1e-6);
    // a part of the scale is worth more than its zero, unless zero is near
    let low = if low < span { 0.0 } else { low - span * 0.08 };
    let reference = lanes.iter().find(|l| l.arm.baseline).and_then(|l| l.estimate);
    let domain = (low, (high + span * 0.08).min(1.0));
    Some(forest(Forest {
        label: "Share of people who reached the goal".into(),
        lanes,
        domain,
        reference,
        show: round_percent,
    }))
}

/// The lift of every variant over the baseline with its interval, and thinner the anytime interval.
pub fn lifts(report: &Report, arms: &[Arm]) -> Option<String> {
    let baseline = arms.iter().find(|a| a.baseline)?;
    let lanes = lanes(report, arms, |row, arm| {
        let outer = row.anytime_lift_low.0.zip(row.anytime_lift_high.0);
        let (value, lift) = match row.lift.0 {
            Some(lift) => (signed_percent(lift), row.lift),
            None if arm.baseline => ("0%".into(), Figure(Some(0.0))),
            None => (MISSING.into(), row.lift),
        };
        let interval =
            if arm.baseline { Some("baseline".into()) } else { range(row.lift_low, row.lift_high, signed_percent) };
        ((value, interval), lift, row.lift_low, row.lift_high, outer)
    });
    let estimates: Vec<f64> = lanes.iter().filter_map(|l| l.estimate).filter(|e| e.is_finite()).collect();
    if !lanes.iter().any(|l| !l.arm.baseline && (l.estimate.is_some() || l.low.is_some())) {
        return None;
    }
    // an interval without end, or nearly so, must not press the others flat: past the edge it ends in an arrow
    let farthest = estimates.iter().fold(0.0_f64, |far, e| far.max(e.abs()));
    let widest = lanes
        .iter()
        .flat_map(|l| [l.low, l.high])
        .flatten()
        .filter(|e| e.is_finite())
        .fold(farthest, |w, e| w.max(e.abs()));
    let edge = widest.min((farthest * 5.0).max(1.5)).max(0.02) * 1.1;
    let ends = || lanes.iter().flat_map(|l| [l.low, l.high, l.outer.map(|o| o.0), l.outer.map(|o| o.1)]).flatten();
    let low = ends().chain(estimates.iter().copied()).fold(0.0, f64::min).max(-edge).max(-1.0);
    let high = ends().chain(estimates.iter().copied()).fold(0.0, f64::max).min(edge);
    let pad = (high - low).max(0.01) * 0.06;
    let label = format!("Lift against {}", baseline.name);
    Some(forest(Forest {
        label,
        lanes,
        domain: (low - pad, high + pad),
        reference: Some(0.0),
        show: round_signed_percent,
    }))
}

type Values = ((String, Option<String>), Figure, Figure, Figure, Option<(f64, f64)>);

fn lanes<'a>(report: &Report, arms: &'a [Arm], values: impl Fn(&Variant, &Arm) -> Values) -> Vec<Lane<'a>> {
    report
        .variants
        .iter()
        .filter_map(|row| {
            let arm = &arms[find(arms, &row.variant, row.is_control)?];
            let ((value, interval), estimate, low, high, outer) = values(row, arm);
            Some(Lane {
                arm,
                value,
                interval: interval.unwrap_or_default(),
                estimate: estimate.0,
                low: low.0,
                high: high.0,
                outer,
            })
        })
        .collect()
}

fn forest(forest: Forest) -> String {
    let Forest { label, lanes, domain, reference, show } = forest;
    let said: Vec<String> = lanes.iter().map(|l| format!("{} {} ({})", l.arm.name, l.value, l.interval)).collect();
    let bottom = lanes.len() as f64 * ROW;
    let columns = Columns::of(lanes.iter().map(|l| (l.value.as_str(), l.interval.as_str())));
    draw(bottom + AXIS, &format!("{label}. {}.", said.join("; ")), |canvas| {
        let axis = Axis::new(domain, (SIDE, WIDTH - SIDE));
        let ticks = axis.labelled(6, show);
        for (at, lane) in lanes.iter().enumerate() {
            let top = at as f64 * ROW;
            let y = top + 34.0;
            for (x, _) in &ticks {
                canvas.line("s grid", &[(*x, y - 10.0), (*x, y + 10.0)], 1.0);
            }
            if let Some(reference) = reference {
                canvas.line("s reference", &[(axis.at(reference), y - 12.0), (axis.at(reference), y + 12.0)], 1.5);
            }
            canvas.badge(&lane.arm.class(), (8.0, top + 10.0), &lane.arm.key);
            canvas.text("name", (22.0, top + 10.0), Hang::Start, TEXT, &fit(&lane.arm.name, columns.room(22.0), TEXT));
            canvas.figures(top + 10.0, &columns, &lane.value, &lane.interval);
            lane.draw(canvas, &axis, y);
        }
        for (x, words) in &ticks {
            let half = width(words, SMALL) / 2.0;
            let x = x.clamp(half, WIDTH - half);
            canvas.text("note", (x, bottom + 8.0), Hang::Middle, SMALL, words);
        }
    })
}

impl Lane<'_> {
    fn draw(&self, canvas: &mut Canvas, axis: &Axis, y: f64) {
        let class = self.arm.class();
        if let Some((low, high)) = self.outer {
            whisker(canvas, &class, axis, (low, high), y, 1.25);
        }
        if let (Some(low), Some(high)) = (self.low, self.high) {
            whisker(canvas, &class, axis, (low, high), y, 4.0);
        }
        if let Some(estimate) = self.estimate.filter(|e| e.is_finite()) {
            canvas.dot(&format!("f {class}"), (axis.at(estimate), y), 6.0);
            if self.arm.baseline {
                canvas.dot("f surface", (axis.at(estimate), y), 3.5);
            }
        }
    }
}

/// A line between two values; an end past the axis is an arrow.
fn whisker(canvas: &mut Canvas, class: &str, axis: &Axis, (low, high): (f64, f64), y: f64, stroke: f64) {
    if low > axis.high || high < axis.low {
        return;
    }
    canvas.line(&format!("s {class} solid"), &[(axis.at(low), y), (axis.at(high), y)], stroke);
    for (past, x, out) in [(low < axis.low, axis.at(low), -1.0), (high > axis.high, axis.at(high), 1.0)] {
        if past {
            canvas.polygon(&format!("f {class}"), &[(x + out * 8.0, y), (x, y - 5.0), (x, y + 5.0)]);
        }
    }
}
