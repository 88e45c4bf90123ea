//! A json or jsonb column, opened once for all the keys that goals use.

use super::types::ColumnType;
use super::{datum, encoding, memory};
use crate::model::value::{Value, bounded, is_long};
use crate::model::{json, jsonb};
use pgrx::pg_sys::Datum;
use smallvec::SmallVec;
use std::borrow::Cow;

/// A path that a document was opened for: its index, and its keys.
pub type Path<'a> = (usize, &'a [Vec<u8>]);

/// An opened document.
pub struct Document<'a> {
    /// None for NULL.
    whole: Option<Datum>,
    content: Content<'a>,
}

enum Content<'a> {
    /// A jsonb, in which a key is found without reading the rest; None if it is empty.
    Binary(Option<jsonb::Node<'a>>),
    /// The nodes at the paths of a json text.
    Text(SmallVec<[Option<json::Node<'a>>; 4]>),
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Absent,
    Binary(jsonb::Node<'a>),
    Text(json::Node<'a>),
}

impl<'a> Document<'a> {
    /// Opens a value of a json or jsonb column. The caller keeps the row alive. A text is parsed once for all paths,
    /// which are distinct and ascending.
    pub fn open(value: Option<Datum>, column_type: &ColumnType, paths: &[&[Vec<u8>]]) -> Document<'a> {
        let Some(whole) = value else { return Document { whole: None, content: Content::Binary(None) } };
        // SAFETY: a json or jsonb datum of a row that is alive; a fetched copy lives as long as the call or statement.
        let bytes: &'a [u8] = unsafe { datum::varlena_bytes(whole) };
        let content = if column_type.is_jsonb() {
            Content::Binary(jsonb::root(bytes))
        } else {
            Content::Text(json::find(bytes, encoding::of_documents(), paths))
        };
        Document { whole: Some(whole), content }
    }

    fn part(&self, (number, keys): Path) -> Part<'a> {
        match &self.content {
            Content::Binary(root) => root.and_then(|root| find(&root, keys)).map_or(Part::Absent, Part::Binary),
            Content::Text(found) => found[number].map_or(Part::Absent, Part::Text),
        }
    }

    /// The value at a path.
    pub fn value(&self, path: Path) -> Value<'a> {
        match self.part(path) {
            Part::Absent => Value::Unknown,
            Part::Binary(node) => value(&node),
            Part::Text(node) => memory::made(node.value()),
        }
    }

    /// The value at a path if only numbers, those in strings too, and what is empty matter: any other known value is
    /// returned as a document.
    pub fn number(&self, path: Path) -> Value<'a> {
        match self.part(path) {
            Part::Absent => Value::Unknown,
            Part::Binary(node) => node.number(),
            Part::Text(node) => node.number(),
        }
    }

    /// The value at a path for the match log, bounded in length.
    pub fn logged(&self, path: Path) -> Option<Datum> {
        match self.part(path) {
            Part::Absent => None,
            Part::Binary(node) if node.is_container() => inside(self.whole?, path.1),
            Part::Binary(node) => datum::as_json(&value(&node)),
            Part::Text(node) => datum::jsonb(&encoding::to_server(&node.to_json(encoding::cut())?)),
        }
    }

    /// True if the values at a path differ, as jsonb compares them. A missing key and a json null are both unknown, and
    /// do not differ.
    pub fn differs(&self, other: &Document, path: Path) -> bool {
        let (this, other) = (self.part(path), other.part(path));
        if this.is_unknown() || other.is_unknown() {
            return this.is_unknown() != other.is_unknown();
        }
        match (this, other) {
            (Part::Binary(a), Part::Binary(b)) => !a.same(&b),
            (Part::Text(a), Part::Text(b)) => !memory::made(a.same(&b)),
            _ => true,
        }
    }
}

impl Part<'_> {
    fn is_unknown(&self) -> bool {
        match self {
            Part::Absent => true,
            Part::Binary(node) => node.is_unknown(),
            Part::Text(node) => node.is_unknown(),
        }
    }
}

/// The node at these keys of a goal. The keys are UTF-8; those of a jsonb document are in the server's encoding.
pub fn find<'a, K: AsRef<[u8]>>(root: &jsonb::Node<'a>, path: &[K]) -> Option<jsonb::Node<'a>> {
    if encoding::is_utf8() {
        return root.path(path);
    }
    let path: Vec<_> = path.iter().map(|key| encoding::to_server(key.as_ref())).collect();
    root.path(&path)
}

/// The value of a node, with texts in the model's encoding.
pub fn value<'a>(node: &jsonb::Node<'a>) -> Value<'a> {
    let value = node.value();
    if encoding::is_utf8() { value } else { to_model(value) }
}

/// In bytes. A larger part of a document is not stored with a match: its whole text would have to be made before it is
/// cut.
const LARGEST_PART: usize = 1 << 20;

/// The list or object at these keys of a jsonb: unchanged, or as a string with the beginning of its text.
fn inside(whole: Datum, path: &[Vec<u8>]) -> Option<Datum> {
    let keys: Vec<_> = path.iter().map(|key| encoding::to_server(key)).collect();
    let part = datum::jsonb_part(whole, &keys)?;
    // SAFETY: a jsonb, just made.
    if unsafe { datum::stored_size(part) } > LARGEST_PART {
        return None;
    }
    let text = datum::jsonb_text(part);
    if !is_long(&text) {
        return Some(part);
    }
    datum::jsonb(&bounded(text, encoding::cut()))
}

fn to_model(value: Value) -> Value {
    match value {
        Value::Text(text) if encoding::is_too_long(&text) => Value::Document,
        Value::Text(text) => match encoding::to_model(&text) {
            Cow::Borrowed(_) => Value::Text(text),
            Cow::Owned(converted) => Value::Text(Cow::Owned(converted)),
        },
        Value::List(mut items) => {
            for item in &mut items {
                memory::check();
                *item = to_model(std::mem::replace(item, Value::Unknown));
            }
            Value::List(items)
        }
        other => other,
    }
}
