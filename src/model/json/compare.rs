//! Decides whether two json texts are the same value, as jsonb compares them, in bounded memory.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use super::super::room::{NoRoom, room};
use super::token::{Cursor, Token, decode};
use super::{Node, decimal};

/// The most pairs and levels that may be open at once. Beyond it the order of keys counts.
pub(super) const MOST_OPEN: usize = 50_000;

/// Keys that cannot be foreseen: different values have different digests.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Node<'_> {
    /// Equality of the whole values. Numbers are compared by value (1.0 is 1.00), objects without regard to the order
    /// of keys. Of a repeated key the last value counts. Beyond [`MOST_OPEN`] the order counts, and so do all repeated
    /// keys.
    /// Errors: [`NoRoom`] where there is no memory for the comparison.
    pub fn same(&self, other: &Node) -> Result<bool, NoRoom> {
        if self.text == other.text {
            return Ok(true);
        }
        if self.text.first() != other.text.first() && !(self.is_number() && other.is_number()) {
            return Ok(false);
        }
        match self.same_in_order(other) {
            Some(same) => Ok(same),
            None => Ok(matches!((self.digest()?, other.digest()?), (Some(a), Some(b)) if a == b)),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self.text.first(), Some(b'-' | b'0'..=b'9'))
    }

    /// Compares token by token. `None`: they differ inside an object, whose keys may only be in another order.
    fn same_in_order(&self, other: &Node) -> Option<bool> {
        let (mut a, mut b) = (Cursor::new(self.text), Cursor::new(other.text));
        // how many brackets are open, and the depth of the outermost one that is an object's
        let (mut depth, mut object) = (0usize, None);
        loop {
            let same = match (a.next(), b.next()) {
                (None, None) => return Some(true),
                (Some(Token::Open(x)), Some(Token::Open(y))) if x == y => {
                    if x == b'{' && object.is_none() {
                        object = Some(depth);
                    }
                    depth += 1;
                    true
                }
                (Some(Token::Close), Some(Token::Close)) => {
                    depth = depth.saturating_sub(1);
                    object = object.filter(|at| *at < depth);
                    true
                }
                (Some(Token::String(x)), Some(Token::String(y))) => self.same_string(x, y),
                (Some(Token::Word(x)), Some(Token::Word(y))) => same_word(x, y),
                (x, y) => x == y,
            };
            if !same {
                return object.is_none().then_some(false);
            }
        }
    }

    fn same_string(&self, a: &[u8], b: &[u8]) -> bool {
        let escapes = |raw: &[u8]| raw.contains(&b'\\');
        // without escapes, different bytes are different texts
        a == b || (escapes(a) || escapes(b)) && self.digest_of_string(a) == self.digest_of_string(b)
    }

    fn digest_of_string(&self, raw: &[u8]) -> u64 {
        let mut hasher = KEYS.build_hasher();
        decode(raw, self.encoding, &mut |piece| hasher.write(piece));
        hasher.finish()
    }

    /// A digest, the same for the same value. `None` beyond [`MOST_OPEN`], or if this is not json.
    fn digest(&self) -> Result<Option<u64>, NoRoom> {
        let mut cursor = Cursor::new(self.text);
        let mut open: Vec<Open> = Vec::new();
        // the pairs of all open objects
        let mut pairs: Vec<Pair> = Vec::new();
        while let Some(token) = cursor.next() {
            if open.len() + pairs.len() > MOST_OPEN {
                return Ok(None);
            }
            let value = match token {
                Token::Comma | Token::Colon => continue,
                Token::Open(bracket) => {
                    room(&mut open, 1)?;
                    open.push(Open { object: bracket == b'{', first: pairs.len(), key: None, elements: 0 });
                    continue;
                }
                Token::Close => match open.pop() {
                    Some(Open { object: true, first, .. }) => {
                        let digest = digest_of_object(&mut pairs[first..]);
                        pairs.truncate(first);
                        digest
                    }
                    Some(list) => digest_of(&(b'[', list.elements)),
                    None => return Ok(None),
                },
                Token::String(raw) => digest_of(&(b'"', self.digest_of_string(raw))),
                Token::Word(word) => match decimal(word) {
                    Some(number) => digest_of(&(b'0', number)),
                    None => digest_of(&(b'w', word)),
                },
            };
            match open.last_mut() {
                None => return Ok(Some(value)),
                Some(list @ Open { object: false, .. }) => list.elements = digest_of(&(list.elements, value)),
                Some(object) => match object.key.take() {
                    None => object.key = Some(value),
                    Some(key) => {
                        room(&mut pairs, 1)?;
                        pairs.push(Pair { key, place: pairs.len(), value });
                    }
                },
            }
        }
        Ok(None)
    }
}

/// A list or object that is not closed yet.
struct Open {
    object: bool,
    /// The index of its first pair.
    first: usize,
    /// The digest of the key whose value comes next.
    key: Option<u64>,
    /// The digest of the elements of a list so far.
    elements: u64,
}

/// Digests of a key and its value.
struct Pair {
    key: u64,
    place: usize,
    value: u64,
}

fn digest_of(what: &impl Hash) -> u64 {
    KEYS.hash_one(what)
}

/// The digest of an object; of a repeated key the last value counts.
fn digest_of_object(pairs: &mut [Pair]) -> u64 {
    pairs.sort_unstable_by_key(|pair| (pair.key, pair.place));
    let last = pairs.chunk_by(|a, b| a.key == b.key).filter_map(|same| same.last());
    last.fold(digest_of(&b'{'), |digest, pair| digest_of(&(digest, pair.key, pair.value)))
}

fn same_word(a: &[u8], b: &[u8]) -> bool {
    a == b || matches!((decimal(a), decimal(b)), (Some(a), Some(b)) if a == b)
}
