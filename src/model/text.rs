//! Compares text as bytes: databases in LATIN1 or SQL_ASCII hold text that is not UTF-8.
//!
//! Case is folded character by character while the text is read. A folded copy (`bstr::to_lowercase`, `memchr::memmem`)
//! would need as much memory as the text, which may be hundreds of megabytes.

use smallvec::SmallVec;

use super::room::{NoRoom, asked};

/// Equality of texts: the type's own `=`.
pub trait TextEquality {
    /// Whether the two texts are equal for the type.
    fn equal(&self, a: &[u8], b: &[u8]) -> bool;

    /// Whether only equal bytes are equal. A text may then be looked up.
    fn is_exact(&self) -> bool {
        false
    }

    /// Whether this is the type's value with nothing in it.
    fn is_empty(&self, text: &[u8]) -> bool {
        text.is_empty()
    }
}

/// Equal bytes: text under a deterministic collation, uuid, enum labels, json strings.
#[derive(Clone, Copy, Debug)]
pub struct Exact;

impl TextEquality for Exact {
    fn equal(&self, a: &[u8], b: &[u8]) -> bool {
        a == b
    }

    fn is_exact(&self) -> bool {
        true
    }
}

/// Equality ignoring case, as citext has it.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub struct CaseFolded;

#[cfg(test)]
impl TextEquality for CaseFolded {
    fn equal(&self, a: &[u8], b: &[u8]) -> bool {
        a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && Folded::new(a).eq(Folded::new(b)))
    }
}

/// The text in lower case by Unicode. Bytes that are not UTF-8 stay as they are. Needles are folded once, with this.
pub fn fold(text: &[u8]) -> Vec<u8> {
    if text.is_ascii() { text.to_ascii_lowercase() } else { Folded::new(text).collect() }
}

/// The bytes of a text as [`fold`] returns them, one at a time and without an allocation.
pub fn folded(text: &[u8]) -> impl Iterator<Item = u8> {
    Folded::new(text)
}

/// Whether `text` contains the folded `needle`, ignoring case. It takes one pass, whatever repeats in either (Knuth,
/// Morris and Pratt). Allocates only for a long needle. Where there is no memory for that, each place is tried.
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    if text.is_ascii() {
        holds(text.iter().map(u8::to_ascii_lowercase), needle)
    } else {
        holds(Folded::new(text), needle)
    }
}

fn holds(text: impl Iterator<Item = u8> + Clone, needle: &[u8]) -> bool {
    if needle.is_empty() {
        return true;
    }
    let mut fallback = SmallVec::<[usize; 32]>::new();
    match asked(|| fallback.try_reserve(needle.len())) {
        Ok(()) => holds_in_one_pass(text, needle, fallback),
        Err(NoRoom) => holds_at_some_place(text, needle),
    }
}

fn holds_at_some_place(mut text: impl Iterator<Item = u8> + Clone, needle: &[u8]) -> bool {
    loop {
        let mut from_here = text.clone();
        if needle.iter().all(|byte| from_here.next() == Some(*byte)) {
            return true;
        }
        if text.next().is_none() {
            return false;
        }
    }
}

fn holds_in_one_pass(text: impl Iterator<Item = u8>, needle: &[u8], mut fallback: SmallVec<[usize; 32]>) -> bool {
    // per beginning of the needle, the length of the longest shorter one at its end
    fallback.push(0);
    let advance = |fallback: &[usize], mut matched: usize, byte: u8| {
        while matched > 0 && needle[matched] != byte {
            matched = fallback[matched - 1];
        }
        matched + usize::from(needle[matched] == byte)
    };
    for i in 1..needle.len() {
        let next = advance(&fallback, fallback[i - 1], needle[i]);
        fallback.push(next);
    }
    let mut matched = 0;
    for byte in text {
        matched = advance(&fallback, matched, byte);
        if matched == needle.len() {
            return true;
        }
    }
    false
}

/// Whether `text` starts with the folded `needle`, ignoring case. Allocates nothing.
pub fn starts_with(text: &[u8], needle: &[u8]) -> bool {
    begins(Folded::new(text), needle)
}

/// Whether `text` ends with the folded `needle`, ignoring case. Allocates nothing.
pub fn ends_with(text: &[u8], needle: &[u8]) -> bool {
    if text.is_ascii() {
        return text.len() >= needle.len() && text[text.len() - needle.len()..].eq_ignore_ascii_case(needle);
    }
    // a character's lower case may have another length, so the end must be counted out
    let length = Folded::new(text).count();
    length >= needle.len() && Folded::new(text).skip(length - needle.len()).eq(needle.iter().copied())
}

fn begins(mut text: Folded, needle: &[u8]) -> bool {
    needle.iter().all(|byte| text.next() == Some(*byte))
}

/// The bytes of a text in lower case, one at a time.
#[derive(Clone)]
struct Folded<'a> {
    rest: &'a [u8],
    /// The lower case of the last character read, of which `ready[at..len]` is still to come.
    ready: [u8; 12],
    at: usize,
    len: usize,
}

impl<'a> Folded<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { rest: text, ready: [0; 12], at: 0, len: 0 }
    }
}

impl Iterator for Folded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.at < self.len {
            self.at += 1;
            return Some(self.ready[self.at - 1]);
        }
        let (&first, rest) = self.rest.split_first()?;
        let Some((c, length)) = leading_char(self.rest).filter(|(c, _)| !c.is_ascii()) else {
            self.rest = rest;
            return Some(first.to_ascii_lowercase());
        };
        self.rest = &self.rest[length..];
        // one character becomes at most three
        self.len = 0;
        for lower in c.to_lowercase() {
            self.len += lower.encode_utf8(&mut self.ready[self.len..]).len();
        }
        self.at = 1;
        Some(self.ready[0])
    }
}

/// The character at the start and its length in bytes; `None` for bytes that are not UTF-8.
fn leading_char(bytes: &[u8]) -> Option<(char, usize)> {
    // the first byte says how long the character is, if it is one
    let length = match bytes.first()? {
        0x00..=0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    text.chars().next().map(|c| (c, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has(text: &str, needle: &str) -> (bool, bool, bool) {
        let needle = fold(needle.as_bytes());
        let text = text.as_bytes();
        (contains(text, &needle), starts_with(text, &needle), ends_with(text, &needle))
    }

    #[test]
    fn contains_starts_and_ends_ignore_case() {
        assert_eq!(has("Pro Plan", "PRO"), (true, true, false));
        assert_eq!(has("Pro Plan", "pLAN"), (true, false, true));
        assert_eq!(has("Pro Plan", "o p"), (true, false, false));
        assert_eq!(has("Pro Plan", "Team"), (false, false, false));
        assert_eq!(has("Pro", "Pro Plan"), (false, false, false));
        assert_eq!(has("ÉTÉ à Zürich", "été"), (true, true, false));
        assert_eq!(has("été à ZÜRICH", "Zürich"), (true, false, true));
        assert_eq!(has("ΔΡΟΜΟΣ", "δρομο"), (true, true, false));
        assert_eq!(has("日本", "本語"), (false, false, false));
    }

    #[test]
    fn a_needle_that_repeats_itself_is_found_wherever_it_begins() {
        for (text, needle, found) in [
            ("aaab", "aab", true),
            ("abababc", "ababc", true),
            ("abababd", "ababc", false),
            ("xaabaabaac", "aabaac", true),
            ("éaéaéb", "éaéb", true),
            ("éaéaé", "éaéb", false),
        ] {
            assert_eq!(has(text, needle).0, found, "{needle} in {text}");
        }
    }

    #[test]
    fn without_memory_every_place_is_tried() {
        let at_some_place = |text: &str| holds_at_some_place(text.bytes(), b"ab");
        assert_eq!((at_some_place("aab"), at_some_place("aba"), at_some_place("ba")), (true, true, false));
    }

    proptest! {
        #[test]
        fn contains_is_that_of_the_folded_texts(text in "[aAbéÉ]{0,12}", needle in "[aAbéÉ]{0,4}") {
            let (text, needle) = (text.to_lowercase(), needle.to_lowercase());
            prop_assert_eq!(has(&text.to_uppercase(), &needle).0, text.contains(&needle));
            if !needle.is_empty() {
                let folded = Folded::new(text.as_bytes());
                prop_assert_eq!(holds_at_some_place(folded, needle.as_bytes()), text.contains(&needle));
            }
        }
    }

    #[test]
    fn a_long_text_is_searched_in_one_pass() {
        // a second pass for every place would be a thousand times as many steps
        let text = format!("é{}", "a".repeat(5_000_000));
        let needle = format!("{}b", "a".repeat(1_000));
        assert_eq!(has(&text, &needle), (false, false, false));
    }

    #[test]
    fn the_empty_needle_is_in_every_text() {
        assert_eq!(has("", ""), (true, true, true));
        assert_eq!(has("a", ""), (true, true, true));
        assert_eq!(has("é", ""), (true, true, true));
        assert_eq!(has("", "a"), (false, false, false));
        assert_eq!(has("é", "éa"), (false, false, false));
    }

    #[test]
    fn a_lower_case_of_another_length_is_followed() {
        // one character becomes two (i and a dot above), three bytes become one (Kelvin)
        assert_eq!(has("İstanbul", "i̇s"), (true, true, false));
        assert_eq!(has("10 \u{212A}", "k"), (true, false, true));
        assert_eq!(fold("İ".as_bytes()), "i̇".as_bytes());
    }

    #[test]
    fn bytes_that_are_no_utf8_are_compared_as_they_are() {
        let needle = fold(b"CAF\xC9");
        assert_eq!(needle, b"caf\xC9");
        assert!(contains(b"le Caf\xC9 noir", &needle));
        assert!(starts_with(b"CAf\xC9", &needle));
        assert!(ends_with(b"au caf\xC9", &needle));
        assert!(!contains(b"caf\xE9", &needle));
        // a cut character, a stray continuation, an overlong form, a surrogate
        for broken in [&b"\xE2\x82"[..], b"\x80", b"\xC0\x80", b"\xED\xA0\x80", b"\xF5\x80\x80\x80", b"\xFF"] {
            assert_eq!(fold(broken), broken);
            assert!(contains(broken, broken));
        }
    }

    #[test]
    fn citext_is_equal_ignoring_case_and_text_is_not() {
        assert!(CaseFolded.equal(b"Pro", b"pRO"));
        assert!(CaseFolded.equal("ÉTÉ".as_bytes(), "été".as_bytes()));
        assert!(!CaseFolded.equal("ÉTÉ".as_bytes(), b"ete"));
        assert!(CaseFolded.equal("\u{212A}".as_bytes(), b"k"));
        assert!(CaseFolded.equal(b"k", "\u{212A}".as_bytes()));
        assert!(!CaseFolded.equal(b"a", b"ab"));
        assert!(!Exact.equal(b"Pro", b"pro"));
        assert!(Exact.equal(b"Pro", b"Pro"));
    }

    proptest! {
        #[test]
        fn folding_is_unicode_lower_case_character_by_character(text: String) {
            let expected: String = text.chars().flat_map(char::to_lowercase).collect();
            prop_assert_eq!(fold(text.as_bytes()), expected.as_bytes());
        }

        #[test]
        fn searching_is_searching_in_the_folded_text(text in "[aAbBéÉİ]{0,6}", needle in "[aAbBéÉİ]{0,3}") {
            let (t, n) = (String::from_utf8(fold(text.as_bytes())).unwrap(), String::from_utf8(fold(needle.as_bytes())).unwrap());
            prop_assert_eq!(has(&text, &needle), (t.contains(&n), t.starts_with(&n), t.ends_with(&n)));
            prop_assert_eq!(CaseFolded.equal(text.as_bytes(), needle.as_bytes()), t == n);
        }

        #[test]
        fn any_bytes_are_accepted(text: Vec<u8>, needle: Vec<u8>) {
            let folded = fold(&needle);
            prop_assert!(contains(&[&text[..], &needle[..]].concat(), &[]));
            contains(&text, &folded);
            starts_with(&text, &folded);
            ends_with(&text, &folded);
        }
    }
}
