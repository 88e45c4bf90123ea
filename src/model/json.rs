//! Reads the text of a json column where it lies: one walk finds all the keys that are asked for, and no tree is built, so that the
//! memory it takes does not depend on the length of the text.
//!
//! The text is one that the server has accepted. Anything else is answered too, as something or other, and without a panic. Nothing
//! recurses. Not `serde_json`: it needs UTF-8, recurses, and decodes every value before it. Of a repeated key the last value counts, as in jsonb.

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::decimal::Decimal;
use super::room::{NoRoom, room};
use super::value::{self, Cut, LONGEST_TEXT, MOST_ELEMENTS, Value};

mod compare;
mod token;

use token::{Cursor, Token, decode};

/// In bytes. A longer number is one that no numeric holds, unless it ends in thousands of zeros.
const LONGEST_NUMBER: usize = 150_000;

/// How the text of a document becomes the model's.
#[derive(Clone, Copy)]
pub struct Encoding {
    /// Converts a text and hands it on in pieces; `None`: the document's texts are the model's.
    pub convert: Option<Convert>,
    /// Is text of any bytes, so that it may be no UTF-8? An escape for a character below U+0100 is a byte there.
    pub any_bytes: bool,
}

/// Hands a text on in pieces, converted.
pub type Convert = fn(&[u8], &mut dyn FnMut(&[u8]));

impl Encoding {
    /// Documents in UTF-8.
    pub const UTF8: Encoding = Encoding { convert: None, any_bytes: false };
}

/// A value inside a json text.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// Its own text.
    text: &'a [u8],
    encoding: Encoding,
}

/// The values at the end of each of these paths of keys, in one walk over the text; `None` where a key is missing. The empty path is
/// the whole value. The paths are distinct, ascending, and their keys the model's text.
pub fn find<'a, K: AsRef<[u8]>>(text: &'a [u8], encoding: Encoding, paths: &[&[K]]) -> SmallVec<[Option<Node<'a>>; 4]> {
    let keys = paths.iter().flat_map(|path| path.iter().map(|key| key.as_ref().len()));
    let mut walk = Walk {
        cursor: Cursor::new(text),
        encoding,
        paths,
        // an escape of six bytes stands for at least one byte
        longest_key: keys.max().unwrap_or(0).saturating_mul(6),
        found: smallvec![None; paths.len()],
        open: SmallVec::new(),
    };
    if walk.run().is_none() {
        walk.found.fill(None);
    }
    walk.found
}

struct Walk<'a, 'p, K> {
    cursor: Cursor<'a>,
    encoding: Encoding,
    paths: &'p [&'p [K]],
    /// No key written with more bytes than this is in a path.
    longest_key: usize,
    found: SmallVec<[Option<Node<'a>>; 4]>,
    open: SmallVec<[Object; 4]>,
}

/// An object that paths lead into.
struct Object {
    /// Where its text begins.
    start: usize,
    /// How many keys lead to it.
    depth: usize,
    /// The paths that lead to it: those up to `inside` end here, the others go on.
    paths: (usize, usize),
    inside: usize,
}

impl<'a, K: AsRef<[u8]>> Walk<'a, '_, K> {
    /// `None`: this is no json.
    fn run(&mut self) -> Option<()> {
        self.value((0, self.paths.len()), 0)?;
        while let Some(object) = self.open.last() {
            match self.cursor.next()? {
                Token::Comma => {}
                Token::Close => {
                    let Object { start, paths, inside, .. } = *object;
                    self.open.pop();
                    self.found((paths.0, inside), start);
                }
                Token::String(key) => {
                    let (paths, depth) = (self.matching(object, key), object.depth + 1);
                    (self.cursor.next()? == Token::Colon).then_some(())?;
                    if paths.0 == paths.1 {
                        self.cursor.skip()?;
                    } else {
                        self.value(paths, depth)?;
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// A value to which these paths lead, by so many keys each.
    fn value(&mut self, paths: (usize, usize), depth: usize) -> Option<()> {
        // what an earlier value of the same key had does not count
        self.found[paths.0..paths.1].fill(None);
        let ending = self.paths[paths.0..paths.1].partition_point(|path| path.len() == depth);
        let (start, inside) = (self.cursor.start(), paths.0 + ending);
        if inside < paths.1 && self.cursor.peek() == Some(b'{') {
            self.cursor.next()?;
            self.open.push(Object { start, depth, paths, inside });
            return Some(());
        }
        self.cursor.skip()?;
        self.found((paths.0, inside), start);
        Some(())
    }

    fn found(&mut self, paths: (usize, usize), start: usize) {
        let node = Node { text: self.cursor.since(start), encoding: self.encoding };
        self.found[paths.0..paths.1].fill(Some(node));
    }

    /// The paths that go on with this key.
    fn matching(&self, object: &Object, raw: &[u8]) -> (usize, usize) {
        if raw.len() > self.longest_key {
            return (0, 0);
        }
        let mut decoded = SmallVec::<[u8; 64]>::new();
        let key = if is_plain(raw, self.encoding) {
            raw
        } else {
            decode(raw, self.encoding, &mut |piece| decoded.extend_from_slice(piece));
            &decoded
        };
        let going_on = &self.paths[object.inside..object.paths.1];
        let at = |path: &&[K]| path[object.depth].as_ref().cmp(key);
        let from = going_on.partition_point(|path| at(path).is_lt());
        let until = going_on.partition_point(|path| at(path).is_le());
        (object.inside + from, object.inside + until)
    }
}

/// Is this text, between its quotes, the model's as it is?
fn is_plain(raw: &[u8], encoding: Encoding) -> bool {
    !raw.contains(&b'\\') && (encoding.convert.is_none() || raw.is_ascii())
}

impl<'a> Node<'a> {
    /// A list or an object.
    pub fn is_container(&self) -> bool {
        matches!(self.text.first(), Some(b'{' | b'['))
    }

    /// The value for an operator: null is unknown, objects (and whatever a list nests) are documents. So are a text whose escapes make
    /// it longer than [`LONGEST_TEXT`], a list of more than [`MOST_ELEMENTS`], and a number that no numeric holds.
    pub fn value(&self) -> Result<Value<'a>, NoRoom> {
        if self.text.first() != Some(&b'[') {
            return self.plain_value();
        }
        let mut items = Vec::new();
        for item in self.elements() {
            if items.len() == MOST_ELEMENTS {
                return Ok(Value::Document);
            }
            room(&mut items, 1)?;
            items.push(item.plain_value()?);
        }
        Ok(Value::List(items))
    }

    /// The value, where only what a number is compared with matters: whatever is no number and not unknown is a document.
    pub fn number(&self) -> Value<'a> {
        match self.text.first() {
            Some(b'n') => Value::Unknown,
            Some(b'-' | b'0'..=b'9') => self.decimal().map_or(Value::Document, Value::Number),
            _ => Value::Document,
        }
    }

    /// Null.
    pub fn is_unknown(&self) -> bool {
        self.text == b"null"
    }

    fn plain_value(&self) -> Result<Value<'a>, NoRoom> {
        Ok(match self.text {
            b"null" => Value::Unknown,
            b"true" => Value::Boolean(true),
            b"false" => Value::Boolean(false),
            [b'"', raw @ .., b'"'] if is_plain(raw, self.encoding) => Value::text(raw),
            [b'"', raw @ .., b'"'] if raw.len() <= LONGEST_TEXT => Value::Text(Cow::Owned(self.decoded(raw)?)),
            [b'-' | b'0'..=b'9', ..] => return Ok(self.number()),
            _ => Value::Document,
        })
    }

    fn decoded(&self, raw: &[u8]) -> Result<Vec<u8>, NoRoom> {
        let mut text = Vec::new();
        // no escape is longer than what is written for it
        room(&mut text, raw.len())?;
        let mut decoded = Ok(());
        decode(raw, self.encoding, &mut |piece| {
            decoded = decoded.and_then(|()| room(&mut text, piece.len())).map(|()| text.extend_from_slice(piece));
        });
        decoded.map(|()| text)
    }

    fn decimal(&self) -> Option<Decimal> {
        decimal(self.text)
    }

    fn elements(&self) -> impl Iterator<Item = Node<'a>> {
        let encoding = self.encoding;
        let mut cursor = Cursor::new(self.text.get(1..).unwrap_or_default());
        std::iter::from_fn(move || {
            if cursor.peek()? == b',' {
                cursor.next()?;
            }
            let start = cursor.start();
            cursor.skip()?;
            Some(Node { text: cursor.since(start), encoding })
        })
    }

    /// As JSON text that jsonb takes, for the match log: bounded, as [`Value::to_json`] bounds it; `None` for null. In lists and objects a
    /// number that no numeric holds is a string; by itself it is not logged.
    pub fn to_json(&self, cut: Cut) -> Option<Vec<u8>> {
        if matches!(self.text.first(), Some(b'n' | b'-' | b'0'..=b'9')) {
            return self.number().to_json_cut(cut);
        }
        let mut out = Vec::new();
        let mut cursor = Cursor::new(self.text);
        while let Some(token) = cursor.next() {
            match token {
                Token::Open(byte) => out.push(byte),
                Token::Close => out.push(cursor.last()),
                Token::Comma => out.push(b','),
                Token::Colon => out.push(b':'),
                Token::String(raw) => {
                    // more than is logged, however it is escaped
                    let beginning = &raw[..raw.len().min(8 * value::LOGGED_TEXT)];
                    let mut text = SmallVec::<[u8; 64]>::new();
                    decode(beginning, self.encoding, &mut |piece| text.extend_from_slice(piece));
                    value::write_string(&mut out, &text, cut);
                }
                // With an exponent, the digits that numeric would count are not those that are written.
                Token::Word(word) => match decimal(word) {
                    Some(number) if word.contains(&b'e') || word.contains(&b'E') => {
                        out.extend_from_slice(number.to_string().as_bytes());
                    }
                    None if !matches!(word, b"null" | b"true" | b"false") => value::write_string(&mut out, word, cut),
                    _ => out.extend_from_slice(word),
                },
            }
            // the rest would be cut away
            if value::is_long(&out) {
                break;
            }
        }
        Some(if self.is_container() { value::bounded(out, cut) } else { out })
    }
}

/// The number, if a numeric holds it.
fn decimal(word: &[u8]) -> Option<Decimal> {
    let is_number = matches!(word.first(), Some(b'-' | b'0'..=b'9')) && word.len() <= LONGEST_NUMBER;
    Decimal::parse(std::str::from_utf8(word).ok().filter(|_| is_number)?)
}

#[cfg(test)]
mod tests;
