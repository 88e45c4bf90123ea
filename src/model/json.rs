//! Reads the text of a json column: the same questions as for jsonb, answered from a parse of the whole text.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::decimal::Decimal;
use super::value::{self, Cut, Value};

/// A parsed json text.
#[derive(Clone, Debug)]
pub struct Document {
    json: Json,
    encoding: Encoding,
}

/// How the parsed strings give the bytes of the database's encoding back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// The text was no UTF-8: each byte was read as the character of that number.
    Bytes,
}

/// A value inside a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    json: &'a Json,
    encoding: Encoding,
}

/// Parses a json text in the database's encoding; `None` if it is no json, or nested more than 128 deep. Of a repeated
/// key the last value counts, as in PostgreSQL.
pub fn parse(text: &[u8]) -> Option<Document> {
    let (text, encoding) = match std::str::from_utf8(text) {
        Ok(text) => (Cow::Borrowed(text), Encoding::Utf8),
        Err(_) => (text.iter().copied().map(char::from).collect(), Encoding::Bytes),
    };
    Some(Document { json: serde_json::from_str(&text).ok()?, encoding })
}

impl Document {
    /// The whole value.
    pub fn root(&self) -> Node<'_> {
        Node { json: &self.json, encoding: self.encoding }
    }
}

impl<'a> Node<'a> {
    /// The value under a key of an object; `None` where there is none.
    pub fn key(&self, key: &[u8]) -> Option<Node<'a>> {
        let key = match self.encoding {
            Encoding::Utf8 => Cow::Borrowed(std::str::from_utf8(key).ok()?),
            Encoding::Bytes => key.iter().copied().map(char::from).collect(),
        };
        self.json.as_object()?.get(key.as_ref()).map(|json| self.inner(json))
    }

    /// The value at the end of a path of keys; `None` where a key is missing. The empty path is the value itself.
    pub fn path<K: AsRef<[u8]>>(&self, keys: &[K]) -> Option<Node<'a>> {
        keys.iter().try_fold(*self, |node, key| node.key(key.as_ref()))
    }

    /// The value for an operator: null is unknown, objects (and whatever a list nests) are documents.
    pub fn value(&self) -> Value<'a> {
        match self.json {
            Json::Array(items) => Value::List(items.iter().map(|json| self.inner(json).plain_value()).collect()),
            _ => self.plain_value(),
        }
    }

    /// A list or an object.
    pub fn is_container(&self) -> bool {
        self.json.is_array() || self.json.is_object()
    }

    /// A list or object as JSON text that jsonb takes, for the match log: bounded, as [`Value::to_json`] bounds a list. A number that no
    /// numeric holds is a string.
    pub fn to_json(&self, cut: Cut) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, cut);
        value::bounded(out, cut)
    }

    fn write(&self, out: &mut Vec<u8>, cut: Cut) {
        // the rest would be cut away
        if value::is_long(out) {
            return;
        }
        match self.json {
            Json::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    out.extend_from_slice(if i > 0 { b"," } else { b"" });
                    self.inner(item).write(out, cut);
                }
                out.push(b']');
            }
            Json::Object(pairs) => {
                out.push(b'{');
                for (i, (key, item)) in pairs.iter().enumerate() {
                    out.extend_from_slice(if i > 0 { b"," } else { b"" });
                    value::write_string(out, &self.bytes(key), cut);
                    out.push(b':');
                    self.inner(item).write(out, cut);
                }
                out.push(b'}');
            }
            // With an exponent, the digits that numeric would count are not those that are written.
            Json::Number(number) => match Decimal::parse(number.as_str()) {
                Some(value) if number.as_str().contains(['e', 'E']) => {
                    out.extend_from_slice(value.to_string().as_bytes())
                }
                Some(_) => out.extend_from_slice(number.as_str().as_bytes()),
                None => value::write_string(out, number.as_str().as_bytes(), cut),
            },
            Json::String(text) => value::write_string(out, &self.bytes(text), cut),
            Json::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Json::Null => out.extend_from_slice(b"null"),
        }
    }

    fn plain_value(&self) -> Value<'a> {
        match self.json {
            Json::Null => Value::Unknown,
            Json::Bool(value) => Value::Boolean(*value),
            Json::String(text) => Value::Text(self.bytes(text)),
            Json::Number(number) => Decimal::parse(number.as_str()).map_or(Value::Document, Value::Number),
            Json::Array(_) | Json::Object(_) => Value::Document,
        }
    }

    fn bytes(&self, text: &'a str) -> Cow<'a, [u8]> {
        match self.encoding {
            Encoding::Utf8 => Cow::Borrowed(text.as_bytes()),
            // an escape for a character that no byte stands for stays as UTF-8
            Encoding::Bytes => text
                .chars()
                .fold(Vec::new(), |mut bytes, c| {
                    match u8::try_from(c) {
                        Ok(byte) => bytes.push(byte),
                        Err(_) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                    bytes
                })
                .into(),
        }
    }

    /// Equality of the whole values: numbers by value (1.0 is 1.00), objects without regard to the order of keys.
    /// Its recursion is bounded by the parser, which refuses deeper texts.
    pub fn same(&self, other: &Node) -> bool {
        match (self.json, other.json) {
            (Json::Number(a), Json::Number(b)) => {
                a.as_str() == b.as_str()
                    || matches!((Decimal::parse(a.as_str()), Decimal::parse(b.as_str())), (Some(a), Some(b)) if a == b)
            }
            (Json::String(a), Json::String(b)) => self.bytes(a) == other.bytes(b),
            (Json::Array(a), Json::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.inner(a).same(&other.inner(b)))
            }
            (Json::Object(a), Json::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, a)| other.key(&self.bytes(key)).is_some_and(|b| self.inner(a).same(&b)))
            }
            (a, b) => a == b,
        }
    }

    fn inner(&self, json: &'a Json) -> Node<'a> {
        Node { json, encoding: self.encoding }
    }
}

#[cfg(test)]
mod tests;
