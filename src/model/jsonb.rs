//! Reads PostgreSQL's stored jsonb in place: a key is found without decoding the rest.
//!
//! A container is a header (`JB_*` flags and the number of elements), one entry per element (for an object, keys and
//! then values), and the data they point to (postgres `src/include/utils/jsonb.h`). Numbers and containers inside the
//! data are aligned to four bytes. All integers are in the machine's byte order. Malformed bytes give `None`, never a
//! panic. Nothing recurses.
//!
//! Not the server's reader (`findJsonbValueFromContainer`): it trusts the bytes, allocates what it returns and can
//! raise. It could be neither tested without a server nor fuzzed.

use std::cmp::Ordering;

use super::decimal::Decimal;
use super::room::room;
use super::value::{MOST_ELEMENTS, Value};

const COUNT: u32 = 0x0FFF_FFFF;
const SCALAR: u32 = 0x1000_0000;
const OBJECT: u32 = 0x2000_0000;
const ARRAY: u32 = 0x4000_0000;

const HAS_OFFSET: u32 = 0x8000_0000;
const TYPE: u32 = 0x7000_0000;
const STRING: u32 = 0x0000_0000;
const NUMERIC: u32 = 0x1000_0000;
const FALSE: u32 = 0x2000_0000;
const TRUE: u32 = 0x3000_0000;
const NULL: u32 = 0x4000_0000;
const CONTAINER: u32 = 0x5000_0000;

/// A value inside a jsonb.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a>(Inner<'a>);

#[derive(Clone, Copy, Debug)]
enum Inner<'a> {
    Null,
    Boolean(bool),
    String(&'a [u8]),
    /// The stored numeric without its varlena header.
    Number(&'a [u8]),
    Array(Container<'a>),
    Object(Container<'a>),
}

#[derive(Clone, Copy, Debug)]
struct Container<'a> {
    /// The whole container, header included.
    raw: &'a [u8],
    /// The number of elements of an array, or of pairs of an object.
    count: usize,
    entries: &'a [u8],
    data: &'a [u8],
}

/// The value of a whole jsonb, given the bytes after its varlena header; `None` if they are not jsonb.
pub fn root(bytes: &[u8]) -> Option<Node<'_>> {
    let node = container(bytes)?;
    match node {
        Inner::Array(array) if word(bytes, 0)? & SCALAR != 0 => array.element(0),
        _ => Some(Node(node)),
    }
}

fn container(raw: &[u8]) -> Option<Inner<'_>> {
    let header = word(raw, 0)?;
    let count = (header & COUNT) as usize;
    let object = match header & (OBJECT | ARRAY) {
        OBJECT => true,
        ARRAY => false,
        _ => return None,
    };
    let length = 4 * count * if object { 2 } else { 1 };
    let (entries, data) = raw[4..].split_at_checked(length)?;
    let container = Container { raw, count, entries, data };
    Some(if object { Inner::Object(container) } else { Inner::Array(container) })
}

impl<'a> Container<'a> {
    /// Where the data of entry `index` starts. Most entries hold a length, some the offset of their end.
    fn offset(&self, index: usize) -> Option<usize> {
        let mut offset = 0usize;
        for before in (0..index).rev() {
            let entry = word(self.entries, before)?;
            offset = offset.checked_add((entry & COUNT) as usize)?;
            if entry & HAS_OFFSET != 0 {
                break;
            }
        }
        Some(offset)
    }

    /// Entry `index`: its type, where its data starts, and its data.
    fn entry(&self, index: usize) -> Option<(u32, usize, &'a [u8])> {
        let entry = word(self.entries, index)?;
        let start = self.offset(index)?;
        let end = match entry & HAS_OFFSET {
            0 => start.checked_add((entry & COUNT) as usize)?,
            _ => (entry & COUNT) as usize,
        };
        Some((entry & TYPE, start, self.data.get(start..end)?))
    }

    fn element(&self, index: usize) -> Option<Node<'a>> {
        let (kind, start, bytes) = self.entry(index)?;
        // padding follows a string of odd length
        let aligned = || bytes.get(start.next_multiple_of(4) - start..);
        Some(Node(match kind {
            NULL => Inner::Null,
            FALSE => Inner::Boolean(false),
            TRUE => Inner::Boolean(true),
            STRING => Inner::String(bytes),
            NUMERIC => Inner::Number(numeric(aligned()?)?),
            CONTAINER => container(aligned()?)?,
            _ => return None,
        }))
    }

    fn key(&self, index: usize) -> Option<&'a [u8]> {
        let (kind, _, bytes) = self.entry(index)?;
        (kind == STRING).then_some(bytes)
    }

    /// The value under a key. Keys are sorted by length, then by bytes.
    fn find(&self, wanted: &[u8]) -> Option<Node<'a>> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let key = self.key(middle)?;
            match key.len().cmp(&wanted.len()).then_with(|| key.cmp(wanted)) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.element(self.count + middle),
            }
        }
        None
    }
}

/// The content of a stored numeric, whose header of four bytes holds its length.
fn numeric(bytes: &[u8]) -> Option<&[u8]> {
    let header = word(bytes, 0)?;
    let length = if cfg!(target_endian = "little") { header >> 2 } else { header & 0x3FFF_FFFF };
    if length as usize != bytes.len() {
        return None;
    }
    bytes.get(4..)
}

fn word(bytes: &[u8], index: usize) -> Option<u32> {
    let bytes = bytes.get(index.checked_mul(4)?..)?.first_chunk::<4>()?;
    Some(u32::from_ne_bytes(*bytes))
}

impl<'a> Node<'a> {
    /// The value under a key of an object; `None` where there is none.
    pub fn key(&self, key: &[u8]) -> Option<Node<'a>> {
        match self.0 {
            Inner::Object(object) => object.find(key),
            _ => None,
        }
    }

    /// The value at the end of a path of keys; `None` where a key is missing. The empty path is the value itself.
    pub fn path<K: AsRef<[u8]>>(&self, keys: &[K]) -> Option<Node<'a>> {
        keys.iter().try_fold(*self, |node, key| node.key(key.as_ref()))
    }

    /// The elements of a list, up to a malformed one; `None` for anything else.
    pub fn elements(&self) -> Option<impl Iterator<Item = Node<'a>> + use<'a>> {
        let Inner::Array(array) = self.0 else {
            return None;
        };
        Some((0..array.count).map_while(move |i| array.element(i)))
    }

    /// The keys of an object with their values, up to a malformed one; `None` for anything else.
    pub fn entries(&self) -> Option<impl Iterator<Item = (&'a [u8], Node<'a>)> + use<'a>> {
        let Inner::Object(object) = self.0 else {
            return None;
        };
        Some((0..object.count).map_while(move |i| Some((object.key(i)?, object.element(object.count + i)?))))
    }

    /// True for an object.
    pub fn is_object(&self) -> bool {
        matches!(self.0, Inner::Object(_))
    }

    /// The bytes of a list or an object, which are those of a jsonb of its own; `None` for anything else.
    pub fn container(&self) -> Option<&'a [u8]> {
        match self.0 {
            Inner::Array(container) | Inner::Object(container) => Some(container.raw),
            _ => None,
        }
    }

    /// True for a list or an object.
    pub fn is_container(&self) -> bool {
        matches!(self.0, Inner::Array(_) | Inner::Object(_))
    }

    /// True for null.
    pub fn is_unknown(&self) -> bool {
        matches!(self.0, Inner::Null)
    }

    /// The value for an operator. Null is unknown. Objects with keys, lists inside a list, and lists of more than
    /// [`MOST_ELEMENTS`] are documents.
    pub fn value(&self) -> Value<'a> {
        let Inner::Array(array) = self.0 else {
            return self.plain_value();
        };
        if array.count > MOST_ELEMENTS {
            return Value::Document;
        }
        let element = |i| array.element(i).map_or(Value::Document, |node| node.plain_value());
        with_room(array.count).map_or(Value::Document, |mut items| {
            items.extend((0..array.count).map(element));
            Value::List(items)
        })
    }

    fn plain_value(&self) -> Value<'a> {
        match self.0 {
            Inner::Null => Value::Unknown,
            Inner::Boolean(value) => Value::Boolean(value),
            Inner::String(bytes) => Value::text(bytes),
            Inner::Number(bytes) => Decimal::from_numeric(bytes).map_or(Value::Document, Value::Number),
            Inner::Object(object) if object.count == 0 => Value::EmptyObject,
            Inner::Array(_) | Inner::Object(_) => Value::Document,
        }
    }

    /// The value as far as it is a number or nothing: a number, also that of a string; null, an empty string, list or
    /// object. Anything else is a document.
    pub fn number(&self) -> Value<'a> {
        match self.0 {
            Inner::Array(Container { count: 0, .. }) => Value::List(Vec::new()),
            Inner::String(bytes) if !bytes.is_empty() => {
                Decimal::parse_plain(bytes).map_or(Value::Document, Value::Number)
            }
            Inner::Boolean(_) => Value::Document,
            _ => self.plain_value(),
        }
    }

    /// Equality of the whole values, as jsonb's `=`: 1.0 is 1.00. Malformed values are the same only if their bytes
    /// are.
    pub fn same(&self, other: &Node) -> bool {
        // pairs of containers of one size, and how far they have been compared
        let mut open = Vec::new();
        let mut next = Some((*self, *other));
        loop {
            match next.take().map_or(Compared::Same, |(a, b)| compare(a, b)) {
                Compared::Same => {}
                Compared::Different => return false,
                Compared::Inside(a, b) => open.push((a, b, 0)),
            }
            let Some((a, b, at)) = open.last_mut() else {
                return true;
            };
            if *at == a.entries.len() / 4 {
                open.pop();
                continue;
            }
            next = match (a.element(*at), b.element(*at)) {
                (Some(a), Some(b)) => Some((a, b)),
                _ => return false,
            };
            *at += 1;
        }
    }
}

/// Room for so many items. `None` where there is none: an allocation that fails would stop the whole server.
fn with_room<T>(count: usize) -> Option<Vec<T>> {
    let mut items = Vec::new();
    room(&mut items, count).ok().map(|()| items)
}

/// The result of comparing two values without looking at their elements.
enum Compared<'a, 'b> {
    Same,
    Different,
    /// Two containers of one kind and size: their elements decide.
    Inside(Container<'a>, Container<'b>),
}

fn compare<'a, 'b>(a: Node<'a>, b: Node<'b>) -> Compared<'a, 'b> {
    let same = match (a.0, b.0) {
        (Inner::Null, Inner::Null) => true,
        (Inner::Boolean(a), Inner::Boolean(b)) => a == b,
        (Inner::String(a), Inner::String(b)) => a == b,
        (Inner::Number(a), Inner::Number(b)) => a == b || same_number(a, b),
        (Inner::Array(a), Inner::Array(b)) | (Inner::Object(a), Inner::Object(b)) => {
            if a.raw != b.raw && a.count == b.count {
                return Compared::Inside(a, b);
            }
            a.raw == b.raw
        }
        _ => false,
    };
    if same { Compared::Same } else { Compared::Different }
}

fn same_number(a: &[u8], b: &[u8]) -> bool {
    matches!((Decimal::from_numeric(a), Decimal::from_numeric(b)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::write as written;
