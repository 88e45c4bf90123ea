//! Charts as inline SVG. Each mark has a CSS class for its colour and line, so that it follows the page.

pub mod curve;
pub mod forest;
pub mod funnel;

use super::groups::Group;
use super::text::width;
use maud::{Markup, html};

/// Width of every chart in its own units; it is shown at about the same number of CSS pixels.
pub const WIDTH: f64 = 360.0;
/// Size of text in the same units.
pub const TEXT: f64 = 12.5;
pub const SMALL: f64 = 11.5;
/// How much wider bold text is.
pub const BOLD: f64 = 1.06;

type Point = (f64, f64);

/// A coordinate to a hundredth of a unit.
fn at(units: f64) -> String {
    format!("{}", (units * 100.0).round() / 100.0)
}

/// A chart of [`WIDTH`] by `height` units, with a label for screen readers.
fn chart(height: f64, label: &str, marks: &Markup) -> Markup {
    html! { svg viewBox={"0 0 " (at(WIDTH)) " " (at(height))} role="img" aria-label=(label) { (marks) } }
}

fn corners(points: &[Point]) -> String {
    points.iter().map(|(x, y)| format!("{},{}", at(*x), at(*y))).collect::<Vec<_>>().join(" ")
}

fn line(class: &str, points: &[Point], stroke: f64) -> Markup {
    html! { polyline.{"s " (class)} stroke-width=(stroke) points=(corners(points)) {} }
}

fn polygon(class: &str, points: &[Point]) -> Markup {
    html! { polygon.{"f " (class)} points=(corners(points)) {} }
}

fn block(class: &str, (left, top): Point, (right, bottom): Point) -> Markup {
    html! { rect.{"f " (class)} x=(at(left)) y=(at(top)) width=(at(right - left)) height=(at(bottom - top)) {} }
}

fn dot(class: &str, (x, y): Point, radius: f64) -> Markup {
    html! { circle.{"f " (class)} cx=(at(x)) cy=(at(y)) r=(radius) {} }
}

/// Text centred on `y`. `anchor` says which part of it is at `x`: start, middle or end.
fn text(class: &str, (x, y): Point, anchor: &str, size: f64, words: &str) -> Markup {
    html! { text.(class) x=(at(x)) y=(at(y)) dy=".5ex" text-anchor=(anchor) font-size=(size) { (words) } }
}

/// The small badge that stands for a group.
fn badge(group: &Group, at: Point) -> Markup {
    let size = if group.key.len() > 2 { 7.5 } else { 10.0 };
    html! { (dot(&group.class, at, 8.0)) (text("on", at, "middle", size, &group.key)) }
}

/// Two columns of figures at the right edge of a chart, as wide as their widest entries.
struct Columns {
    /// width of the second column, with the gap before it
    aside: f64,
    /// width of both columns
    both: f64,
}

impl Columns {
    fn of<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Columns {
        let (mut figure, mut aside) = (0.0_f64, 0.0_f64);
        for (f, a) in rows {
            figure = figure.max(width(f, TEXT) * BOLD);
            aside = aside.max(width(a, SMALL) + if a.is_empty() { 0.0 } else { 10.0 });
        }
        Columns { aside, both: figure + aside }
    }

    /// The room for a name that starts at `left`.
    fn room(&self, left: f64) -> f64 {
        WIDTH - self.both - 10.0 - left
    }

    /// A figure and, lighter, what belongs to it, each flush with the right edge of its column.
    fn figures(&self, y: f64, figure: &str, aside: &str) -> Markup {
        html! {
            (text("figure", (WIDTH - self.aside, y), "end", TEXT, figure))
            @if !aside.is_empty() { (text("note", (WIDTH, y), "end", SMALL, aside)) }
        }
    }
}

/// An axis from `low` to `high` over `left..right`, with round ticks.
pub struct Axis {
    low: f64,
    high: f64,
    left: f64,
    right: f64,
}

impl Axis {
    pub fn new((low, high): (f64, f64), (left, right): (f64, f64)) -> Axis {
        let high = if high > low { high } else { low + 1.0 };
        Axis { low, high, left, right }
    }

    pub fn at(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        self.left + share * (self.right - self.left)
    }

    /// Round values, at most `most` of them, in the steps 1, 2, 5, 10, ...
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let span = self.high - self.low;
        // so near each other, the ends have no round values between them that their digits could tell apart
        if span <= self.low.abs().max(self.high.abs()) * 1e-9 || span < 1e-12 {
            return Vec::new();
        }
        let tens = 10_f64.powi((span / most as f64).log10().floor() as i32);
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0].map(|n| n * tens);
        let marks = steps.into_iter().find_map(|step| {
            let first = (self.low / step).ceil();
            let count = (self.high / step).floor() - first + 1.0;
            (count <= most as f64).then(|| (0..count as usize).map(|i| (first + i as f64) * step).collect())
        });
        marks.unwrap_or_default()
    }

    /// As many ticks as fit with their labels side by side.
    fn labelled(&self, most: usize, show: impl Fn(f64) -> String) -> Vec<(f64, String)> {
        for most in (1..=most).rev() {
            let ticks: Vec<_> = self.ticks(most).into_iter().map(|t| (self.at(t), show(t))).collect();
            let fits =
                ticks.windows(2).all(|w| w[1].0 - w[0].0 > (width(&w[0].1, SMALL) + width(&w[1].1, SMALL)) / 2.0 + 6.0);
            if fits {
                return ticks;
            }
        }
        Vec::new()
    }
}
