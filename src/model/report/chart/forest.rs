//! Estimates with their intervals, one lane per variant. The name is above the lane, so names of any length have room.

use super::super::data::{Compared, Report};
use super::super::groups::Group;
use super::super::text::{MISSING, percent, range, round_percent, round_signed_percent, signed_percent, width};
use super::{Axis, Columns, SMALL, TEXT, WIDTH, badge, chart, dot, line, polygon, text};
use maud::{Markup, html};

const ROW: f64 = 54.0;
/// Margin of the axis at either side, so that the labels of its ends stay on the sheet.
const SIDE: f64 = 20.0;
const AXIS: f64 = 22.0;

struct Lane<'a> {
    group: &'a Group<'a>,
    /// estimate and interval in words
    value: String,
    interval: String,
    estimate: Option<f64>,
    inner: Option<(f64, f64)>,
    /// the interval that is safe to look at every day
    outer: Option<(f64, f64)>,
}

/// The rate of every variant with its interval; the baseline's rate runs through all lanes. `None` without any rate.
pub fn rates(report: &Report, groups: &[Group]) -> Option<Markup> {
    let lanes: Vec<Lane> = report.variants.iter().zip(groups).map(|(row, group)| Lane::of_rate(row, group)).collect();
    let ends = || lanes.iter().flat_map(|l| [l.inner.map(|i| i.0), l.inner.map(|i| i.1), l.estimate]).flatten();
    let low = ends().reduce(f64::min)?.max(0.0);
    let high = ends().fold(low, f64::max).min(1.0);
    let span = (high - low).max(high * 0.05).max(1e-6);
    // detail is worth more than the zero of the scale, unless zero is near
    let low = if low < span { 0.0 } else { low - span * 0.08 };
    let reference = lanes.iter().find(|l| l.group.baseline).and_then(|l| l.estimate);
    let domain = (low, (high + span * 0.08).min(1.0));
    Some(forest("Share of people who reached the goal", &lanes, domain, reference, round_percent))
}

/// The lift of every variant with its interval, and thinner the anytime interval. `None` without any lift.
pub fn lifts(report: &Report, groups: &[Group]) -> Option<Markup> {
    let baseline = groups.iter().find(|a| a.baseline)?;
    let lanes: Vec<Lane> = report.variants.iter().zip(groups).map(|(row, group)| Lane::of_lift(row, group)).collect();
    if !lanes.iter().any(|l| !l.group.baseline && (l.estimate.is_some() || l.inner.is_some())) {
        return None;
    }
    // an interval with an infinite or very far end must not press the others flat: past the edge it is an arrow
    let estimates = || lanes.iter().filter_map(|l| l.estimate).filter(|e| e.is_finite());
    let ends = |of: fn(&Lane) -> Option<(f64, f64)>| lanes.iter().filter_map(of).flat_map(|(low, high)| [low, high]);
    let far = |far: f64, e: f64| far.max(e.abs());
    let farthest = estimates().fold(0.0, far);
    let widest = ends(|l| l.inner).filter(|e| e.is_finite()).fold(farthest, far);
    let edge = widest.min((farthest * 5.0).max(1.5)).max(0.02) * 1.1;
    let all = || ends(|l| l.inner).chain(ends(|l| l.outer)).chain(estimates());
    let low = all().fold(0.0, f64::min).max(-edge).max(-1.0);
    let high = all().fold(0.0, f64::max).min(edge);
    let pad = (high - low).max(0.01) * 0.06;
    let label = format!("Lift against {}", baseline.name.clean());
    Some(forest(&label, &lanes, (low - pad, high + pad), Some(0.0), round_signed_percent))
}

fn forest(label: &str, lanes: &[Lane], domain: (f64, f64), reference: Option<f64>, show: fn(f64) -> String) -> Markup {
    let said: Vec<String> =
        lanes.iter().map(|l| format!("{} {} ({})", l.group.name.clean(), l.value, l.interval)).collect();
    let bottom = lanes.len() as f64 * ROW;
    let columns = Columns::of(lanes.iter().map(|l| (l.value.as_str(), l.interval.as_str())));
    let axis = Axis::new(domain, (SIDE, WIDTH - SIDE));
    let ticks = axis.labelled(6, show);
    let marks = html! {
        @for (top, lane) in lanes.iter().enumerate().map(|(i, lane)| (i as f64 * ROW, lane)) {
            @for (x, _) in &ticks { (line("grid", &[(*x, top + 24.0), (*x, top + 44.0)], 1.0)) }
            @if let Some(x) = reference.map(|r| axis.at(r)) { (line("reference", &[(x, top + 22.0), (x, top + 46.0)], 1.5)) }
            (badge(lane.group, (8.0, top + 10.0)))
            (text("name", (22.0, top + 10.0), "start", TEXT, &lane.group.name.fit(columns.room(22.0), TEXT)))
            (columns.figures(top + 10.0, &lane.value, &lane.interval))
            (lane.marks(&axis, top + 34.0))
        }
        @for (x, words) in &ticks {
            @let half = width(words, SMALL) / 2.0;
            (text("note", (x.clamp(half, WIDTH - half), bottom + 8.0), "middle", SMALL, words))
        }
    };
    chart(bottom + AXIS, &format!("{label}. {}.", said.join("; ")), &marks)
}

impl<'a> Lane<'a> {
    fn of_rate(row: &Compared, group: &'a Group<'a>) -> Lane<'a> {
        Lane {
            group,
            value: row.rate.finite().map_or(MISSING.into(), percent),
            interval: range(row.rate_low, row.rate_high, percent).unwrap_or_default(),
            estimate: row.rate.finite(),
            inner: row.rate_low.finite().zip(row.rate_high.finite()),
            outer: None,
        }
    }

    fn of_lift(row: &Compared, group: &'a Group<'a>) -> Lane<'a> {
        if group.baseline {
            let (value, interval) = ("0%".into(), "baseline".into());
            return Lane { group, value, interval, estimate: Some(0.0), inner: None, outer: None };
        }
        Lane {
            group,
            value: row.lift.0.map_or(MISSING.into(), signed_percent),
            interval: range(row.lift_low, row.lift_high, signed_percent).unwrap_or_default(),
            estimate: row.lift.0,
            inner: row.lift_low.0.zip(row.lift_high.0),
            outer: row.anytime_lift_low.0.zip(row.anytime_lift_high.0),
        }
    }

    fn marks(&self, axis: &Axis, y: f64) -> Markup {
        let class = &self.group.class;
        html! {
            @if let Some(ends) = self.outer { (whisker(class, axis, ends, y, 1.25)) }
            @if let Some(ends) = self.inner { (whisker(class, axis, ends, y, 4.0)) }
            @if let Some(x) = self.estimate.filter(|e| e.is_finite()).map(|e| axis.at(e)) {
                (dot(class, (x, y), 6.0))
                @if self.group.baseline { (dot("surface", (x, y), 3.5)) }
            }
        }
    }
}

/// A line between two values; an end past the axis is an arrow.
fn whisker(class: &str, axis: &Axis, (low, high): (f64, f64), y: f64, stroke: f64) -> Markup {
    if low > axis.high || high < axis.low {
        return html! {};
    }
    let ends = [(low < axis.low, axis.at(low), -8.0), (high > axis.high, axis.at(high), 8.0)];
    html! {
        (line(&format!("{class} solid"), &[(axis.at(low), y), (axis.at(high), y)], stroke))
        @for (_, x, out) in ends.into_iter().filter(|(past, ..)| *past) {
            (polygon(class, &[(x + out, y), (x, y - 5.0), (x, y + 5.0)]))
        }
    }
}
