//! Reads the text of a json column in place. One walk finds all the keys that are asked for. No tree is built, so the
//! memory it takes does not depend on the length of the text.
//!
//! The text is one that the server has accepted. Any other text gives some answer too, without a panic. Nothing
//! recurses. Of a repeated key the last value counts, as in jsonb.
//!
//! Not `serde_json`: it needs UTF-8, recurses, and decodes every value before the one it is asked for.

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::decimal::{Decimal, LONGEST_PLAIN};
use super::room::{NoRoom, room};
use super::value::{self, Cut, LONGEST_TEXT, MOST_ELEMENTS, Value};

mod compare;
mod token;

use token::{Cursor, Token, decode};

/// How the text of a document becomes the model's text.
#[derive(Clone, Copy)]
pub struct Encoding {
    /// Converts a text and passes it on in pieces. `None`: the document's texts already are the model's.
    pub convert: Option<Convert>,
    /// True if text may be of any bytes, so that it need not be UTF-8. An escape for a character below U+0100 is then a
    /// byte.
    pub any_bytes: bool,
}

/// Converts a text and passes it on in pieces.
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

/// The value at the end of each of these paths of keys, in one walk over the text; `None` where a key is missing. The
/// empty path is the whole value. The paths must be distinct and ascending, and their keys the model's text.
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
    /// The most bytes in which a key of a path can be written.
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
    /// The paths that lead to it: those up to `inside` stop here, the others go on.
    paths: (usize, usize),
    inside: usize,
}

impl<'a, K: AsRef<[u8]>> Walk<'a, '_, K> {
    /// Walks over the text. `None` if it is not json.
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

    /// Reads a value to which these paths lead, by `depth` keys each. `None` if it is not json.
    fn value(&mut self, paths: (usize, usize), depth: usize) -> Option<()> {
        // an earlier value of the same key does not count
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

/// Whether this text between quotes is the model's as it stands.
fn is_plain(raw: &[u8], encoding: Encoding) -> bool {
    !raw.contains(&b'\\') && (encoding.convert.is_none() || raw.is_ascii())
}

impl<'a> Node<'a> {
    /// True for a list or an object.
    pub fn is_container(&self) -> bool {
        matches!(self.text.first(), Some(b'{' | b'['))
    }

    /// The value for an operator. Null is unknown. Objects with keys, and lists inside a list, are documents. So are a
    /// list of more than [`MOST_ELEMENTS`], a number that no numeric holds, and a text longer than [`LONGEST_TEXT`]
    /// that must be decoded.
    /// Errors: [`NoRoom`] where there is no memory for the value.
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

    /// The value as far as it is a number or nothing: a number, also that of a string; null, an empty string, list or
    /// object. Anything else is a document.
    pub fn number(&self) -> Value<'a> {
        match self.text {
            [b'n', ..] => Value::Unknown,
            [b'-' | b'0'..=b'9', ..] => self.decimal().map_or(Value::Document, Value::Number),
            [b'"', b'"'] => Value::text(b""),
            [b'"', raw @ .., b'"'] => self.number_in_string(raw).map_or(Value::Document, Value::Number),
            [b'[', ..] if self.is_empty_container() => Value::List(Vec::new()),
            [b'{', ..] if self.is_empty_container() => Value::EmptyObject,
            _ => Value::Document,
        }
    }

    fn number_in_string(&self, raw: &[u8]) -> Option<Decimal> {
        if is_plain(raw, self.encoding) {
            return Decimal::parse_plain(raw);
        }
        // an escape of six bytes may stand for a digit
        let decoded = (raw.len() <= 6 * LONGEST_PLAIN).then(|| self.decoded(raw).ok()).flatten()?;
        Decimal::parse_plain(&decoded)
    }

    fn is_empty_container(&self) -> bool {
        let mut cursor = Cursor::new(self.text);
        cursor.next();
        cursor.next() == Some(Token::Close)
    }

    /// True for null.
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
            [b'{', ..] if self.is_empty_container() => Value::EmptyObject,
            _ => Value::Document,
        })
    }

    fn decoded(&self, raw: &[u8]) -> Result<Vec<u8>, NoRoom> {
        let mut text = Vec::new();
        // no escape stands for more bytes than are written for it
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

    /// The value as JSON text that jsonb takes, for the match log, bounded as in [`Value::to_json`]; `None` for null.
    /// In lists and objects a number that no numeric holds is a string; by itself it is not logged.
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
                // With an exponent, numeric would count other digits than those written.
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

/// The number; `None` if no numeric holds it.
fn decimal(word: &[u8]) -> Option<Decimal> {
    let is_number = matches!(word.first(), Some(b'-' | b'0'..=b'9')) && word.len() <= LONGEST_PLAIN;
    Decimal::parse(std::str::from_utf8(word).ok().filter(|_| is_number)?)
}

#[cfg(test)]
mod tests;
