//! Text for people: escaping, cutting to a width, numbers, times, a goal in words.

use super::data::{Figure, Goal};
use chrono::DateTime;

/// Shown where SQL gave NULL.
pub const MISSING: &str = "–";

/// Names are for reading: no control characters, and none that reorder the text around them.
fn clean(raw: &str) -> String {
    raw.chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

/// For element content and quoted attribute values alike.
pub fn escape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 8);
    for c in clean(raw).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// HTML in ASCII alone, every other character by its number.
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

/// A mark that belongs to the character before it, which a cut must not part from it.
fn joins_previous(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{93c}' | '\u{93e}'..='\u{94d}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// The longest beginning whose characters together weigh at most `room`, with an ellipsis where something was cut.
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

/// A name as HTML of at most `most` characters, kept apart from the direction of the text around it; the whole of a cut
/// name is its title.
pub fn name(raw: &str, most: usize) -> String {
    let whole = clean(raw);
    let shown = cut(&whole, most as f64, |_| 1.0);
    if shown == whole {
        format!("<bdi>{}</bdi>", escape(&whole))
    } else {
        let title = cut(&whole, 1000.0, |_| 1.0);
        format!("<bdi title=\"{}\">{}</bdi>", escape(&title), escape(&shown))
    }
}

/// Advance of a character in em, on the wide side of what the usual sans-serif fonts have: the page cannot measure.
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

/// A name cut to a width, inside isolates so that a right-to-left one starts where it should. Not escaped: the drawing
/// library does that.
pub fn fit(raw: &str, room: f64, size: f64) -> String {
    format!("\u{2068}{}\u{2069}", cut(&clean(raw), room, |c| advance(c) * size))
}

fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(w, r)| (w, Some(r)));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    rest.map_or(out.clone(), |r| format!("{out}.{r}"))
}

/// A number with thousands separators and a true minus.
pub fn decimal(n: f64, places: usize) -> String {
    if n.is_infinite() {
        return if n > 0.0 { "∞".into() } else { "−∞".into() };
    }
    let digits = grouped(&format!("{:.places$}", n.abs()));
    let minus = n < 0.0 && digits.bytes().any(|b| b.is_ascii_digit() && b != b'0');
    if minus { format!("−{digits}") } else { digits }
}

pub fn count(n: Figure) -> String {
    n.0.map_or(MISSING.into(), |n| decimal(n, 0))
}

/// "of 3 judged by this goal", where that is fewer than were sent: a goal judges the receipts recorded while it was in
/// force.
pub fn of_judged(goal: &Goal, sent: Figure) -> Option<String> {
    let judged = goal.sent.finite()?.max(0.0);
    (judged < sent.finite()?).then(|| format!("of {} judged by this goal", decimal(judged, 0)))
}

/// A count in few characters: 12,345 · 1.2M.
pub fn short_count(n: f64) -> String {
    match n {
        n if n >= 1e12 => format!("{}T", decimal(n / 1e12, 1)),
        n if n >= 1e9 => format!("{}B", decimal(n / 1e9, 1)),
        n if n >= 1e6 => format!("{}M", decimal(n / 1e6, 1)),
        n => decimal(n, 0),
    }
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

/// Money or whatever the worth is: no decimals where there are none.
pub fn worth(n: f64) -> String {
    decimal(n, if n.fract() == 0.0 { 0 } else { 2 })
}

/// Decimals that keep a percentage to about three digits.
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
    let digits = if p.is_finite() && p >= 1e6 { short_count(p) } else { decimal(p, percent_places(p)) };
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

/// The same of a lift.
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
    let unit = if n.is_finite() { unit } else { "" };
    let zero = shown.bytes().all(|b| !b.is_ascii_digit() || b == b'0') && n.is_finite();
    if n > 0.0 && !zero { format!("+{shown}{unit}") } else { format!("{shown}{unit}") }
}

/// "a to b", or nothing unless both ends are known.
pub fn range(low: Figure, high: Figure, show: impl Fn(f64) -> String) -> Option<String> {
    Some(format!("{} to {}", show(low.0?), show(high.0?)))
}

pub fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".into() } else { format!("{p:.3}") }
}

/// A probability that is never shown as certain.
pub fn chance(p: f64) -> String {
    match p {
        p if p > 0.999 => ">99.9%".into(),
        p if p < 0.001 => "<0.1%".into(),
        p => format!("{:.1}%", p * 100.0),
    }
}

/// `23 November 2025, 17:56 UTC`; a text that is no RFC 3339 time is shown as it is.
pub fn moment(raw: &str) -> String {
    // PostgreSQL's own output has a space for the T and may have an offset of hours only
    let mut candidate = raw.trim().replacen(' ', "T", 1);
    if matches!(candidate.as_bytes(), [.., b'+' | b'-', h, i] if h.is_ascii_digit() && i.is_ascii_digit()) {
        candidate.push_str(":00");
    }
    let Ok(time) = DateTime::parse_from_rfc3339(&candidate) else { return raw.to_owned() };
    let zone = if time.offset().local_minus_utc() == 0 { "UTC".to_owned() } else { format!("UTC{}", time.offset()) };
    format!("{} {zone}", time.format("%-d %B %Y, %H:%M"))
}

/// Days, hours and minutes of an interval: a number of seconds, or the text of any intervalstyle without months.
pub fn duration(raw: &str) -> String {
    let Some(seconds) = seconds(raw.trim()).filter(|s| *s > 0.0 && s.is_finite()) else { return raw.to_owned() };
    let units = [(86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units {
        let n = (rest / size).floor();
        rest -= n * size;
        if n > 0.0 {
            parts.push(format!("{} {unit}{}", decimal(n, 0), if n == 1.0 { "" } else { "s" }));
        }
    }
    if parts.is_empty() { raw.to_owned() } else { parts.join(" ") }
}

fn seconds(raw: &str) -> Option<f64> {
    if let Ok(seconds) = raw.parse() {
        return Some(seconds);
    }
    if let Some(iso) = raw.strip_prefix('P') {
        return iso_seconds(iso);
    }
    let mut total = 0.0;
    let mut words = raw.split_whitespace().filter(|w| *w != "@");
    while let Some(word) = words.next() {
        if word.contains(':') {
            let mut size = 3_600.0;
            for part in word.split(':') {
                total += part.parse::<f64>().ok()? * size;
                size /= 60.0;
            }
            continue;
        }
        let n: f64 = word.parse().ok()?;
        let unit = words.next()?;
        total += n * unit_seconds(unit)?;
    }
    Some(total)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit.trim_end_matches('s') {
        "week" => Some(604_800.0),
        "day" => Some(86_400.0),
        "hour" => Some(3_600.0),
        "min" | "minute" => Some(60.0),
        "sec" | "second" => Some(1.0),
        _ => None,
    }
}

fn iso_seconds(iso: &str) -> Option<f64> {
    let (mut total, mut number, mut in_time) = (0.0, String::new(), false);
    for c in iso.chars() {
        let size = match (c, in_time) {
            ('T', _) => {
                in_time = true;
                continue;
            }
            ('W', _) => 604_800.0,
            ('D', _) => 86_400.0,
            ('H', true) => 3_600.0,
            ('M', true) => 60.0,
            ('S', true) => 1.0,
            ('0'..='9' | '.', _) => {
                number.push(c);
                continue;
            }
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * size;
        number.clear();
    }
    Some(total)
}

/// What the goal wants, in words, escaped.
pub fn goal_words(goal: &Goal) -> String {
    if let Some(words) = goal.description.get() {
        return name(words, 240);
    }
    if let Some(event) = goal.event.get() {
        let times = match goal.times.finite() {
            Some(n) if n > 1.0 => format!(", at least {} times", decimal(n, 0)),
            _ => String::new(),
        };
        let with = goal.properties.get().filter(|p| *p != "{}");
        let with = with.map_or(String::new(), |p| format!(", with {}", name(p, 160)));
        return format!("the event “{}” happens{times}{with}", name(event, 120));
    }
    let Some(attribute) = goal.attribute.get() else { return "not described".into() };
    let operator = goal.operator.get().unwrap_or("is").replace('_', " ").to_lowercase();
    let value = goal.value.get().map_or(String::new(), |v| match operator.as_str() {
        "is any of" => {
            format!(" {}", array_items(v).iter().map(|i| format!("“{}”", name(i, 60))).collect::<Vec<_>>().join(", "))
        }
        _ => format!(" “{}”", name(v, 120)),
    });
    format!("{} {}{value}", name(attribute, 120), escape(&operator))
}

/// The elements of a text array literal such as `{pro,"two words"}`; anything else is one element.
fn array_items(literal: &str) -> Vec<String> {
    let Some(inside) = literal.trim().strip_prefix('{').and_then(|l| l.strip_suffix('}')) else {
        return vec![literal.to_owned()];
    };
    let (mut items, mut item, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in inside.chars() {
        match c {
            c if escaped => {
                item.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    items.push(item);
    items
}
