//! The tokens of a json text, and the text that the escapes of its strings stand for.

use super::Encoding;

/// A token of a json text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// The bracket.
    Open(u8),
    Close,
    Comma,
    Colon,
    /// The bytes between the quotes.
    String(&'a [u8]),
    /// A number, true, false or null.
    Word(&'a [u8]),
}

/// A place in a json text.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Cursor { text, at: 0 }
    }

    /// The byte that the next token begins with; `None` at the end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.at = self.start();
        self.text.get(self.at).copied()
    }

    /// Where the next token begins.
    pub(super) fn start(&self) -> usize {
        let rest = &self.text[self.at..];
        self.at + rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(rest.len())
    }

    /// The text from a place to the end of the last token.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The last byte of the last token.
    pub(super) fn last(&self) -> u8 {
        self.at.checked_sub(1).map_or(0, |i| self.text[i])
    }

    /// The next token. `None` at the end, and in a string that is not closed.
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        let (byte, start) = (self.peek()?, self.at);
        self.at += 1;
        Some(match byte {
            b'{' | b'[' => Token::Open(byte),
            b'}' | b']' => Token::Close,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => {
                self.end_of_string()?;
                Token::String(&self.text[start + 1..self.at - 1])
            }
            _ => {
                let ends =
                    |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b']' | b'}' | b'[' | b'{' | b'"');
                let rest = &self.text[self.at..];
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
                Token::Word(self.since(start))
            }
        })
    }

    /// Passes a whole value, whatever is in it. `None` if it is not complete.
    pub(super) fn skip(&mut self) -> Option<()> {
        match self.next()? {
            Token::Open(_) => {}
            Token::String(_) | Token::Word(_) => return Some(()),
            _ => return None,
        }
        let mut depth = 1usize;
        while depth > 0 {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => self.end_of_string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        Some(())
    }

    /// Moves from after the opening quote to after the closing one. `None` if there is no closing one.
    fn end_of_string(&mut self) -> Option<()> {
        loop {
            let rest = self.text.get(self.at..)?;
            let found = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
            self.at += found + 1;
            if rest[found] == b'"' {
                return Some(());
            }
            // the escaped byte, if any
            self.at += 1;
        }
    }
}

/// Passes on, in pieces, the content of a string as the model's text. Half a surrogate pair stands for nothing and
/// stays as it is written.
pub(super) fn decode(raw: &[u8], encoding: Encoding, out: &mut dyn FnMut(&[u8])) {
    let mut rest = raw;
    loop {
        let plain = rest.iter().position(|b| *b == b'\\').unwrap_or(rest.len());
        match encoding.convert {
            Some(convert) => convert(&rest[..plain], out),
            None => out(&rest[..plain]),
        }
        rest = &rest[plain..];
        let Some(escaped) = rest.get(1) else { return };
        let mut length = 2;
        match escaped {
            b'b' => out(b"\x08"),
            b'f' => out(b"\x0C"),
            b'n' => out(b"\n"),
            b'r' => out(b"\r"),
            b't' => out(b"\t"),
            b'u' => {
                let (code, used) = code_point(rest);
                length = used;
                match code.and_then(char::from_u32) {
                    Some(c @ '\u{80}'..='\u{FF}') if encoding.any_bytes && std::str::from_utf8(raw).is_err() => {
                        out(&[c as u8]);
                    }
                    Some(c) => out(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    None => out(&rest[..length]),
                }
            }
            other => out(&[*other]),
        }
        rest = &rest[length..];
    }
}

/// The character that a numeric escape, or a pair of them, stands for, and the number of bytes written for it.
fn code_point(text: &[u8]) -> (Option<u32>, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
            (Some(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12)
        }
        (code, _) => (code, text.len().min(6)),
    }
}
