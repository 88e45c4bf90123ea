//! Charts: plotters draws them, this module makes what it draws follow the page.
//!
//! plotters writes integer coordinates, fixed sizes and fixed colours. So everything is drawn [`SCALE`] times larger
//! than the chart's own units, the root element gets a viewBox only, and each colour is a sentinel that stands for a CSS
//! class (`#0C0D00` + its number) and is replaced by that class when the drawing is done.

pub mod curve;
pub mod forest;
pub mod funnel;

use super::text::{escape, width};
use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SCALE: f64 = 8.0;
/// Width of every chart in its own units; it is shown at about the same number of CSS pixels.
pub const WIDTH: f64 = 360.0;
/// Size of text in the same units.
pub const TEXT: f64 = 12.5;
pub const SMALL: f64 = 11.5;
/// How much wider bold text is.
pub const BOLD: f64 = 1.06;

const SENTINEL: (u8, u8) = (0x0c, 0x0d);

/// Where text hangs at its x.
#[derive(Clone, Copy)]
pub enum Hang {
    Start,
    Middle,
    End,
}

/// A sheet in the chart's own units; every mark has a CSS class instead of a colour.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    classes: Vec<String>,
}

impl Canvas<'_> {
    fn colour(&mut self, class: &str) -> RGBColor {
        let at = self.classes.iter().position(|c| c == class).unwrap_or_else(|| {
            self.classes.push(class.to_owned());
            self.classes.len() - 1
        });
        RGBColor(SENTINEL.0, SENTINEL.1, at as u8)
    }

    // drawing into a String cannot fail
    pub fn line(&mut self, class: &str, points: &[(f64, f64)], stroke: f64) {
        let style = self.colour(class).stroke_width((stroke * SCALE) as u32);
        let points: Vec<_> = points.iter().map(|p| (px(p.0), px(p.1))).collect();
        let _ = self.area.draw(&PathElement::new(points, style));
    }

    pub fn block(&mut self, class: &str, (left, top): (f64, f64), (right, bottom): (f64, f64)) {
        let style = self.colour(class).filled();
        let _ = self.area.draw(&Rectangle::new([(px(left), px(top)), (px(right), px(bottom))], style));
    }

    pub fn dot(&mut self, class: &str, at: (f64, f64), radius: f64) {
        let style = self.colour(class).filled();
        let _ = self.area.draw(&Circle::new((px(at.0), px(at.1)), px(radius), style));
    }

    pub fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        let style = self.colour(class).filled();
        let points: Vec<_> = points.iter().map(|p| (px(p.0), px(p.1))).collect();
        let _ = self.area.draw(&Polygon::new(points, style));
    }

    /// Text centred on `y`.
    pub fn text(&mut self, class: &str, at: (f64, f64), hang: Hang, size: f64, text: &str) {
        let h = match hang {
            Hang::Start => HPos::Left,
            Hang::Middle => HPos::Center,
            Hang::End => HPos::Right,
        };
        // plotters' SVG divides the size by 1.24
        let colour = self.colour(class);
        let style = TextStyle::from(("sans-serif", size * SCALE * 1.24).into_font())
            .color(&colour)
            .pos(Pos::new(h, VPos::Center));
        let _ = self.area.draw(&Text::new(text.to_owned(), (px(at.0), px(at.1)), style));
    }

    /// A figure and, lighter, what belongs to it, each ending at its own column's edge.
    fn figures(&mut self, y: f64, columns: &Columns, figure: &str, aside: &str) {
        self.text("figure", (WIDTH - columns.aside, y), Hang::End, TEXT, figure);
        if !aside.is_empty() {
            self.text("note", (WIDTH, y), Hang::End, SMALL, aside);
        }
    }

    /// The small badge that stands for a variant.
    pub fn badge(&mut self, class: &str, at: (f64, f64), key: &str) {
        self.dot(&format!("f {class}"), at, 8.0);
        self.text("on", at, Hang::Middle, if key.len() > 2 { 7.5 } else { 10.0 }, key);
    }
}

/// Two columns of figures at the right edge of a chart, as wide as their widest entries.
struct Columns {
    /// of the second, with the gap before it
    aside: f64,
    /// of both
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

    /// For a name that starts at `left`.
    fn room(&self, left: f64) -> f64 {
        WIDTH - self.both - 10.0 - left
    }
}

fn px(units: f64) -> i32 {
    (units * SCALE).round() as i32
}

/// Draws a chart of [`WIDTH`] by `height` units and returns it as an inline SVG element named `label` for those who hear
/// the page.
pub fn draw(height: f64, label: &str, marks: impl FnOnce(&mut Canvas)) -> String {
    let mut svg = String::new();
    let classes = {
        let area = SVGBackend::with_string(&mut svg, (px(WIDTH) as u32, px(height) as u32)).into_drawing_area();
        let mut canvas = Canvas { area, classes: Vec::new() };
        marks(&mut canvas);
        let _ = canvas.area.present();
        canvas.classes
    };
    restyle(&svg, &classes, height, label)
}

fn restyle(svg: &str, classes: &[String], height: f64, label: &str) -> String {
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let mut body = body
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "")
        .replace(" fill=\"none\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(">\n", ">")
        .replace("\n</text>", "</text>");
    for (at, class) in classes.iter().enumerate() {
        let sentinel = format!("#{:02X}{:02X}{at:02X}", SENTINEL.0, SENTINEL.1);
        body = body
            .replace(&format!(" fill=\"{sentinel}\""), &format!(" class=\"{class}\""))
            .replace(&format!(" stroke=\"{sentinel}\""), &format!(" class=\"{class}\""));
    }
    format!("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{body}", px(WIDTH), px(height), escape(label))
}

/// An axis from `low` to `high` laid over `left..right`, with round ticks.
pub struct Axis {
    pub low: f64,
    pub high: f64,
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

    /// Round values, at most `most` of them.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        // plotters counts its steps, and for ever where one is lost in the rounding
        if self.high - self.low <= self.low.abs().max(self.high.abs()) * 1e-9 || self.high - self.low < 1e-12 {
            return Vec::new();
        }
        let coordinate: RangedCoordf64 = (self.low..self.high).into();
        coordinate.key_points(most)
    }

    /// As many ticks as have room for their labels side by side.
    pub fn labelled(&self, most: usize, show: impl Fn(f64) -> String) -> Vec<(f64, String)> {
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
