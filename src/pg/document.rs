//! A json or jsonb column, opened once for all the keys that goals look at.

use super::types::ColumnType;
use super::{datum, strings};
use crate::model::value::{Value, bounded, is_long};
use crate::model::{json, jsonb};
use crate::settle;
use pgrx::pg_sys::Datum;
use std::borrow::Cow;

/// In bytes. A longer text of type json is not read: parsed it takes some sixty times the memory, and an application's update must
/// not end for want of it. jsonb is read where it lies.
const LONGEST_JSON: usize = 16 << 20;

/// An opened document.
pub enum Document<'a> {
    /// NULL, or not readable.
    Absent,
    Binary(jsonb::Node<'a>),
    Text(json::Document),
}

impl<'a> Document<'a> {
    /// Opens a value of a json or jsonb column of a row that the caller keeps.
    pub fn open(value: Option<Datum>, column_type: &ColumnType) -> Document<'a> {
        let Some(value) = value else { return Document::Absent };
        // SAFETY: a json or jsonb datum of a row that is alive; a fetched copy lives as long as the call or statement.
        let bytes: &'a [u8] = unsafe { datum::varlena_bytes(value) };
        let opened = if column_type.is_jsonb() {
            jsonb::root(bytes).map(Document::Binary)
        } else if bytes.len() > LONGEST_JSON {
            None
        } else {
            json::parse(&strings::to_model(bytes)).map(Document::Text)
        };
        opened.unwrap_or(Document::Absent)
    }

    /// The value behind these keys.
    pub fn value(&self, path: &[Vec<u8>]) -> Value<'_> {
        match self {
            Document::Absent => None,
            Document::Binary(root) => find(root, path).map(|n| value(&n)),
            Document::Text(document) => document.root().path(path).map(|n| n.value()),
        }
        .unwrap_or(Value::Unknown)
    }

    /// The value behind these keys for the match log, bounded in length; `whole` is the value that was opened.
    pub fn logged(&self, whole: Datum, path: &[Vec<u8>]) -> Option<Datum> {
        match self {
            Document::Absent => None,
            Document::Binary(root) => {
                let node = find(root, path)?;
                if node.is_container() { inside(whole, path) } else { settle::as_json(&value(&node)) }
            }
            Document::Text(document) => {
                let node = document.root().path(path)?;
                if node.is_container() {
                    datum::jsonb(&strings::to_server(&node.to_json(strings::cut())))
                } else {
                    settle::as_json(&node.value())
                }
            }
        }
    }

    /// Does the value behind these keys differ, as jsonb compares values? A missing key and a json null are the same unknown.
    pub fn differs(&self, other: &Document, path: &[Vec<u8>]) -> bool {
        if self.value_is_unknown(path) || other.value_is_unknown(path) {
            return self.value_is_unknown(path) != other.value_is_unknown(path);
        }
        match (self, other) {
            (Document::Binary(a), Document::Binary(b)) => match (find(a, path), find(b, path)) {
                (Some(a), Some(b)) => !a.same(&b),
                _ => true,
            },
            (Document::Text(a), Document::Text(b)) => match (a.root().path(path), b.root().path(path)) {
                (Some(a), Some(b)) => !a.same(&b),
                _ => true,
            },
            _ => true,
        }
    }

    fn value_is_unknown(&self, path: &[Vec<u8>]) -> bool {
        self.value(path).is_unknown()
    }
}

/// The node behind these keys of a goal, which are UTF-8: a jsonb document is in the server's encoding, keys and all.
pub fn find<'a, K: AsRef<[u8]>>(root: &jsonb::Node<'a>, path: &[K]) -> Option<jsonb::Node<'a>> {
    if strings::is_utf8() {
        return root.path(path);
    }
    let path: Vec<_> = path.iter().map(|key| strings::to_server(key.as_ref())).collect();
    root.path(&path)
}

/// The value of a node, its texts as the model takes them.
pub fn value<'a>(node: &jsonb::Node<'a>) -> Value<'a> {
    let value = node.value();
    if strings::is_utf8() { value } else { to_model(value) }
}

/// In bytes. A part of a document that is larger is not kept with a match, for its text would have to be made to be cut.
const LARGEST_PART: usize = 1 << 20;

/// The list or object behind these keys of a jsonb: as it is, or as a string of the beginning of its text.
fn inside(whole: Datum, path: &[Vec<u8>]) -> Option<Datum> {
    let keys: Vec<_> = path.iter().map(|key| strings::to_server(key)).collect();
    let part = datum::jsonb_part(whole, &keys)?;
    // SAFETY: a jsonb, just made.
    if unsafe { datum::stored_size(part) } > LARGEST_PART {
        return None;
    }
    let text = datum::jsonb_text(part);
    if !is_long(&text) {
        return Some(part);
    }
    datum::jsonb(&bounded(text, strings::cut()))
}

fn to_model(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(Cow::Owned(strings::to_model(&text).into_owned())),
        Value::List(items) => Value::List(items.into_iter().map(to_model).collect()),
        other => other,
    }
}
