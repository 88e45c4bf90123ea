//! Text for readers: names, cut to a width, numbers, times, a goal in words.

use super::data::{After, Count, Figure, GoalFigures, Kind, Moment, Report, Words};
use crate::array::parse_array;
use maud::{Markup, html};

/// Shown where SQL gave NULL.
pub const MISSING: &str = "–";

impl Words {
    /// The name for reading: without control characters and without those that reorder the text around them.
    pub fn clean(&self) -> String {
        let keep = |c| match c {
            '\n' | '\r' | '\t' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            c if char::is_control(c) => None,
            c => Some(c),
        };
        self.0.chars().filter_map(keep).collect()
    }

    /// HTML of at most `most` characters, kept apart from the direction of the text around it. A cut name has the whole
    /// name as its title.
    pub fn html(&self, most: usize) -> Markup {
        let whole = self.clean();
        let shown = cut(&whole, most as f64, |_| 1.0);
        let title = (shown != whole).then(|| cut(&whole, 1000.0, |_| 1.0));
        html! { bdi title=[title] { (shown) } }
    }

    /// Text of at most the width `room`, inside isolates so that a right-to-left name starts in the right place.
    pub fn fit(&self, room: f64, size: f64) -> String {
        format!("\u{2068}{}\u{2069}", cut(&self.clean(), room, |c| advance(c) * size))
    }
}

/// HTML in ASCII alone; every other character is written by its number.
pub fn ascii(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    for c in html.chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}

/// True for a mark that belongs to the character before it: a cut must not part them.
fn joins_previous(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{93c}' | '\u{93e}'..='\u{94d}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// The longest beginning whose characters together weigh at most `room`. An ellipsis shows that something was cut.
fn cut(text: &str, room: f64, weight: impl Fn(char) -> f64) -> String {
    if text.chars().map(&weight).sum::<f64>() <= room {
        return text.to_owned();
    }
    let room = room - weight('…');
    let (mut used, mut end, mut previous) = (0.0, 0, None);
    for (at, c) in text.char_indices() {
        if !joins_previous(c) && previous != Some('\u{200d}') {
            end = at;
        }
        used += weight(c);
        if used > room {
            break;
        }
        previous = Some(c);
    }
    format!("{}…", text[..end].trim_end())
}

/// Advance of a character in em, on the wide side of the usual sans-serif fonts: the page cannot measure.
fn advance(c: char) -> f64 {
    match c {
        c if joins_previous(c) => 0.0,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '·' => 0.36,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '"' | '/' | '-' => 0.46,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' | '—' => 1.0,
        'A'..='Z' | '+' | '−' | '=' | '<' | '>' | '~' | '∞' | '#' | '&' => 0.84,
        '\0'..='\u{7f}' => 0.645,
        '–' => 0.5,
        '\u{fdfd}' => 12.0,
        '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => 1.4,
        '\u{12000}'..='\u{1254f}' => 5.0,
        '\u{80}'..='\u{24f}' => 0.8,
        '\u{250}'..='\u{10ff}' => 1.0,
        _ => 1.1,
    }
}

/// Upper estimate of a text's width, in the unit of `size`.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The digits of a whole number with thousands separators.
fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number with thousands separators and a true minus.
pub fn decimal(n: f64, places: usize) -> String {
    if n.is_infinite() {
        return if n > 0.0 { "∞".into() } else { "−∞".into() };
    }
    let digits = format!("{:.places$}", n.abs());
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let minus = if n < 0.0 && !is_zero(&digits) { "−" } else { "" };
    format!("{minus}{}{rest}", grouped(whole))
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|b| !b.is_ascii_digit() || b == b'0')
}

pub fn count(n: Count) -> String {
    decimal(n.0, 0)
}

/// "1 receipt", "3 receipts".
pub fn plural(n: Count, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n.0 == 1.0 { one } else { many })
}

/// "of 3 judged by this goal"; `None` unless fewer than were sent. A goal judges the receipts recorded while it was in
/// force.
pub fn of_judged(goal: &GoalFigures, sent: Count) -> Option<String> {
    (goal.sent < sent).then(|| format!("of {} judged by this goal", count(goal.sent)))
}

/// A count in at most five characters, up to trillions: 9,999 · 12K · 1.2M.
pub fn shortest_count(n: f64) -> String {
    let units = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")];
    // 999,600 is 1.0M, not 1,000K
    match units.into_iter().find(|(unit, _)| n >= unit * 0.9995) {
        Some((unit, letter)) if n > 9999.0 => {
            format!("{}{letter}", decimal(n / unit, usize::from(n < unit * 9.95)))
        }
        _ => decimal(n, 0),
    }
}

/// Money, or whatever the worth is; without decimals where it has none.
pub fn worth(n: f64) -> String {
    decimal(n, if n.fract() == 0.0 { 0 } else { 2 })
}

/// The decimals that keep a percentage to about three digits.
fn percent_places(percent: f64) -> usize {
    match percent.abs() {
        p if p == 0.0 || p >= 99.95 => 0,
        p if p < 0.995 => 2,
        _ => 1,
    }
}

/// A fraction as a percentage.
pub fn percent(fraction: f64) -> String {
    let p = fraction * 100.0;
    if p > 0.0 && p < 0.005 {
        return "<0.01%".into();
    }
    format!("{}%", decimal(p, percent_places(p)))
}

/// A lift: always with its sign.
pub fn signed_percent(fraction: f64) -> String {
    let p = fraction * 100.0;
    let digits = if p.is_finite() && p >= 1e6 { shortest_count(p) } else { decimal(p, percent_places(p)) };
    signed(p, digits, "%")
}

/// A difference of rates, in percentage points.
pub fn points(fraction: f64) -> String {
    let p = fraction * 100.0;
    signed(p, decimal(p, if p.abs() < 0.995 { 2 } else { 1 }), "")
}

/// A percentage without decimals that say nothing: 95%, 2.5%.
pub fn round_percent(fraction: f64) -> String {
    trim_zeros(percent(fraction))
}

/// A lift without decimals that say nothing.
pub fn round_signed_percent(fraction: f64) -> String {
    trim_zeros(signed_percent(fraction))
}

fn trim_zeros(shown: String) -> String {
    match shown.strip_suffix('%') {
        Some(digits) if digits.contains('.') => format!("{}%", digits.trim_end_matches('0').trim_end_matches('.')),
        _ => shown,
    }
}

fn signed(n: f64, shown: String, unit: &str) -> String {
    let plus = if n > 0.0 && !(n.is_finite() && is_zero(&shown)) { "+" } else { "" };
    format!("{plus}{shown}{}", if n.is_finite() { unit } else { "" })
}

/// "a to b"; `None` unless both ends are known.
pub fn range(low: Figure, high: Figure, show: impl Fn(f64) -> String) -> Option<String> {
    Some(format!("{} to {}", show(low.0?), show(high.0?)))
}

pub fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".into() } else { format!("{p:.3}") }
}

/// A probability, never shown as certain.
pub fn chance(p: f64) -> String {
    match p {
        p if p > 0.999 => ">99.9%".into(),
        p if p < 0.001 => "<0.1%".into(),
        p => format!("{:.1}%", p * 100.0),
    }
}

/// `23 November 2025, 17:56 UTC`
pub fn moment(Moment(time): Moment) -> String {
    let zone = if time.offset().local_minus_utc() == 0 { "UTC".to_owned() } else { format!("UTC{}", time.offset()) };
    format!("{} {zone}", time.format("%-d %B %Y, %H:%M"))
}

/// `1 day 12 hours`; a part of a second counts only if there is nothing else.
pub fn duration(seconds: Count) -> String {
    let mut rest = seconds.0;
    let mut parts = Vec::new();
    for (size, one, many) in
        [(86_400.0, "day", "days"), (3_600.0, "hour", "hours"), (60.0, "minute", "minutes"), (1.0, "second", "seconds")]
    {
        let n = (rest / size).floor();
        rest -= n * size;
        if n > 0.0 {
            parts.push(plural(Count(n), one, many));
        }
    }
    if parts.is_empty() { format!("{} seconds", seconds.0) } else { parts.join(" ") }
}

impl GoalFigures {
    /// The goal's condition in words.
    pub fn in_words(&self) -> Markup {
        if let Some(event) = &self.event {
            return html! {
                "the event “" (event.html(120)) "” happens"
                @if self.times.0 > 1.0 { ", at least " (count(self.times)) " times" }
                @for properties in self.properties.iter().filter(|p| p.0 != "{}") { ", with " (properties.html(160)) }
            };
        }
        let operator = self.operator.as_ref().map_or(String::new(), Words::clean);
        let values = match &self.value {
            Some(list) if operator == "is any of" => elements(list),
            value => value.iter().cloned().collect(),
        };
        html! {
            @if let Some(attribute) = &self.attribute { (attribute.html(120)) " " }
            (operator)
            @for (i, value) in values.iter().enumerate() {
                @if i > 0 { "," } " “" (value.html(if values.len() > 1 { 60 } else { 120 })) "”"
            }
        }
    }

    /// What the time limit runs from: "the first open".
    pub fn start(&self, report: &Report) -> &'static str {
        match self.after {
            After::Sent => report.words("sending", "entering"),
            After::Opened => "the first open",
            After::Clicked => "the first click",
        }
    }
}

impl Kind {
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::Ongoing => "Ongoing message",
            Kind::OneOff => "One-off message",
            Kind::Programme => "Programme",
        }
    }
}

/// The elements of a text array literal such as `{pro,"two words"}`; anything else is one element.
fn elements(literal: &Words) -> Vec<Words> {
    match parse_array(&literal.0) {
        Some(elements) => elements.into_iter().map(|e| Words(e.unwrap_or("NULL".into()))).collect(),
        None => vec![literal.clone()],
    }
}
