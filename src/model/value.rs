//! The value of an attribute, as far as an operator can tell values apart.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::text::{Exact, TextEquality};

/// The kind of an attribute. It decides which operators apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// text, varchar, char, citext, enum, uuid.
    Text,
    /// integers, numeric, floats, money.
    Number,
    /// boolean.
    Boolean,
    /// date, time, timestamp with and without time zone.
    Moment,
    /// array.
    List,
    /// json and jsonb, whose values are judged by the kind found.
    Json,
}

impl Kind {
    /// The name shown to people: "date or time".
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Moment => "date or time",
            Kind::List => "list",
            Kind::Json => "json value",
        }
    }
}

/// The value of an attribute in one version of a row.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// SQL NULL, a json null, or a key that is not there.
    Unknown,
    /// Text in the database's encoding: bytes that are UTF-8 as a rule, but need not be.
    Text(Cow<'a, [u8]>),
    /// A number of any numeric type.
    Number(Decimal),
    /// A boolean.
    Boolean(bool),
    /// A known date or time; which one does not matter to any operator.
    Moment,
    /// The elements of an array, which may be unknown.
    List(Vec<Value<'a>>),
    /// A json object without keys.
    EmptyObject,
    /// A known value that can only be known, unknown or changed: a json object, an opaque type.
    Document,
}

/// In bytes. A value is not read if its text has to be made for a goal (converted, unescaped, written by an output
/// function, put in lower case) and is longer. That text could be larger than PostgreSQL's values may be.
pub const LONGEST_TEXT: usize = 64 << 20;

/// Longer lists are only compared for change. Each element takes many times the memory it has in the row, and an
/// application's update must not run out of memory.
pub const MOST_ELEMENTS: usize = 1_000_000;

/// A text longer than this many bytes is cut in the match log.
pub const LOGGED_TEXT: usize = 1_000;
/// A list or object whose JSON is longer than this many bytes is logged as text, and cut.
const LOGGED_LIST: usize = 2_000;

impl<'a> Value<'a> {
    /// Text from borrowed bytes.
    pub fn text(bytes: &'a [u8]) -> Self {
        Value::Text(Cow::Borrowed(bytes))
    }

    /// Whether there is nothing: an unknown value, or an empty text, list or object. `text` says which texts are empty.
    pub fn is_nothing(&self, text: &dyn TextEquality) -> bool {
        match self {
            Value::Unknown | Value::EmptyObject => true,
            Value::Text(found) => text.is_empty(found),
            Value::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The number; also that of a text that is a plain decimal number.
    pub fn number(&self) -> Option<Cow<'_, Decimal>> {
        match self {
            Value::Number(number) => Some(Cow::Borrowed(number)),
            Value::Text(text) => Decimal::parse_plain(text).map(Cow::Owned),
            _ => None,
        }
    }

    /// Equality of the type. `text` says when texts are equal. Numbers are equal by value, NaN equals NaN, unknown
    /// equals unknown. Elements of lists are compared by bytes. Two moments or documents always differ here: compare
    /// what they were read from.
    pub fn same(&self, other: &Value, text: &dyn TextEquality) -> bool {
        match (self, other) {
            (Value::Unknown, Value::Unknown) => true,
            (Value::Text(a), Value::Text(b)) => text.equal(a, b),
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b, &Exact)),
            _ => false,
        }
    }

    /// The value as JSON text for the match log, at most a few kilobytes; `None` for unknown, moments and documents.
    ///
    /// NaN and the infinities are strings, as in PostgreSQL. Long texts are cut and have '…' at the end. So has the
    /// JSON of a long list or number, which then is a string. Bytes that are not UTF-8 pass through. NUL is dropped.
    pub fn to_json(&self) -> Option<Vec<u8>> {
        self.to_json_cut(Cut::Utf8)
    }

    /// [`Value::to_json`] for a database whose encoding is not UTF-8. It cuts only between ASCII characters and marks a
    /// cut with "...", so that no multibyte character of any server encoding is broken.
    pub fn to_json_other_encoding(&self) -> Option<Vec<u8>> {
        self.to_json_cut(Cut::Ascii)
    }

    /// [`Value::to_json`] for the encoding that this cut is for.
    pub(super) fn to_json_cut(&self, cut: Cut) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Value::Unknown | Value::Moment | Value::EmptyObject | Value::Document => return None,
            Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Text(text) => write_string(&mut out, text, cut),
            Value::Number(number) => {
                let text = number.to_string();
                if number.is_finite() && text.len() <= LOGGED_TEXT {
                    out.extend_from_slice(text.as_bytes());
                } else {
                    write_string(&mut out, text.as_bytes(), cut);
                }
            }
            Value::List(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    out.extend(item.to_json_cut(cut).unwrap_or_else(|| b"null".to_vec()));
                    // the rest would be cut away
                    if is_long(&out) {
                        break;
                    }
                }
                out.push(b']');
                return Some(bounded(out, cut));
            }
        }
        Some(out)
    }
}

/// Where a text may be cut, and how the cut is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Between any two characters; marked with '…'.
    Utf8,
    /// For an encoding that is not UTF-8: only between ASCII characters; marked with "...".
    Ascii,
}

/// Whether the JSON of a list or object is so long that it is logged as text and cut.
pub fn is_long(json: &[u8]) -> bool {
    json.len() > LOGGED_LIST
}

/// The JSON of a list or object for the match log: as it is, or a string of its beginning.
pub fn bounded(json: Vec<u8>, cut: Cut) -> Vec<u8> {
    if !is_long(&json) {
        return json;
    }
    let mut out = Vec::new();
    write_string(&mut out, &json, cut);
    out
}

/// A text as a JSON string, cut where it is long.
pub(super) fn write_string(out: &mut Vec<u8>, text: &[u8], cut: Cut) {
    let (kept, end) = if text.len() <= LOGGED_TEXT {
        (text, "")
    } else {
        match cut {
            Cut::Utf8 => (&text[..utf8_boundary(text, LOGGED_TEXT)], "…"),
            Cut::Ascii => (&text[..ascii_boundary(text, LOGGED_TEXT)], "..."),
        }
    };
    out.push(b'"');
    for byte in kept {
        match byte {
            // PostgreSQL's jsonb cannot hold NUL
            0 => {}
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0x01..=0x1F => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
    out.extend_from_slice(end.as_bytes());
    out.push(b'"');
}

/// The last character boundary at or before `at`; a character has at most three bytes after its first.
fn utf8_boundary(text: &[u8], at: usize) -> usize {
    let continued = text[..=at].iter().rev().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
    at - continued
}

/// The last place at or before `at` that follows an ASCII character or precedes one.
fn ascii_boundary(text: &[u8], at: usize) -> usize {
    if text[at].is_ascii() {
        return at;
    }
    text[..at].iter().rposition(u8::is_ascii).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests;
