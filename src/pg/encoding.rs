//! Converts text between the server's encoding and the model's. Never raises an error. A text has three forms:
//!
//! - the server's bytes;
//! - the model's bytes: UTF-8, except that in SQL_ASCII, where text has no encoding, they are the server's bytes;
//! - a Rust string, for names, which go back to the server byte for byte.
//!
//! In a string, a byte that is not valid in its encoding is a private-use character, U+10FF80 to U+10FFFF.

use super::{memory, server};
use crate::model::json;
use crate::model::value::{Cut, LONGEST_TEXT};
use pgrx::pg_sys;
use std::borrow::Cow;
use std::ffi::CStr;

fn encoding() -> i32 {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetDatabaseEncoding() }
}

const SQL_ASCII: i32 = pg_sys::pg_enc::PG_SQL_ASCII as i32;
const UTF8: i32 = pg_sys::pg_enc::PG_UTF8 as i32;

/// True if the database's encoding is UTF-8, so that text needs no conversion.
pub fn is_utf8() -> bool {
    encoding() == UTF8
}

/// How a text for the server may be cut.
pub fn cut() -> Cut {
    if is_utf8() { Cut::Utf8 } else { Cut::Ascii }
}

/// How many bytes are converted at a time. It bounds the buffer.
const PIECE: usize = 8192;

/// The server's conversion for these bytes; None if there is nothing to convert.
fn conversion(bytes: &[u8], from: i32, to: i32) -> Option<pg_sys::Oid> {
    if bytes.is_ascii() || from == to || from == SQL_ASCII || to == SQL_ASCII {
        return None;
    }
    // SAFETY: catalog lookup by value; answers InvalidOid where there is no conversion.
    let procedure = unsafe { pg_sys::FindDefaultConversionProc(from, to) };
    (procedure != pg_sys::InvalidOid).then_some(procedure)
}

/// Passes the converted text to `out` in pieces. If a character has no equivalent, `missing` gets the text from there
/// on, passes a replacement to `out`, and returns how many bytes it replaced.
fn convert(
    bytes: &[u8],
    (procedure, from, to): (pg_sys::Oid, i32, i32),
    out: &mut dyn FnMut(&[u8]),
    mut missing: impl FnMut(&[u8], &mut dyn FnMut(&[u8])) -> usize,
) {
    // A character has at most four bytes in any encoding.
    let mut buffer = vec![0u8; bytes.len().min(PIECE) * 4 + 1];
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(PIECE)];
        // SAFETY: the source is only read for its length, the destination is written for at most its own, both of which
        // fit an int; no_error = true makes the conversion stop at what it cannot convert instead of raising.
        let used = unsafe {
            pg_sys::pg_do_encoding_conversion_buf(
                procedure,
                from,
                to,
                piece.as_ptr().cast_mut(),
                piece.len() as core::ffi::c_int,
                buffer.as_mut_ptr(),
                buffer.len() as core::ffi::c_int,
                true,
            )
        };
        let used = usize::try_from(used).unwrap_or(0).min(piece.len());
        if used == 0 {
            rest = &rest[missing(rest, out).clamp(1, rest.len())..];
            continue;
        }
        // The converted text is terminated by a zero byte, which no text contains.
        out(&buffer[..buffer.iter().position(|b| *b == 0).unwrap_or(buffer.len())]);
        rest = &rest[used..];
    }
}

/// The private-use character of byte 0x80, minus 0x80.
const PRIVATE: u32 = 0x10FF00;

/// The private-use character for a byte above 0x7F.
fn private(byte: u8) -> char {
    char::from_u32(PRIVATE + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a private-use character stands for.
fn byte_of(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).wrapping_sub(PRIVATE)).ok().filter(|b| *b >= 0x80)
}

/// The first character and its length in bytes.
fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let chunk = bytes.utf8_chunks().next()?.valid();
    chunk.chars().next().map(|c| (c, c.len_utf8()))
}

/// Server text for the model.
pub fn to_model(bytes: &[u8]) -> Cow<'_, [u8]> {
    if conversion(bytes, encoding(), UTF8).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut converted = memory::vec(bytes.len());
    to_model_in_pieces(bytes, &mut |piece| {
        memory::room(&mut converted, piece.len());
        converted.extend_from_slice(piece);
    });
    Cow::Owned(converted)
}

/// [`to_model`], a piece at a time.
fn to_model_in_pieces(bytes: &[u8], out: &mut dyn FnMut(&[u8])) {
    match conversion(bytes, encoding(), UTF8) {
        None => out(bytes),
        Some(procedure) => convert(bytes, (procedure, encoding(), UTF8), out, |rest, out| {
            out(private(rest[0]).encode_utf8(&mut [0; 4]).as_bytes());
            1
        }),
    }
}

/// How the text of a json document is converted for the model.
pub fn of_documents() -> json::Encoding {
    match encoding() {
        UTF8 => json::Encoding::UTF8,
        SQL_ASCII => json::Encoding { convert: None, any_bytes: true },
        _ => json::Encoding { convert: Some(to_model_in_pieces), any_bytes: false },
    }
}

/// True if a text of this many bytes needs conversion for the model and is too long for it.
pub fn is_too_long(bytes: &[u8]) -> bool {
    bytes.len() > LONGEST_TEXT && !is_utf8() && encoding() != SQL_ASCII && !bytes.is_ascii()
}

/// The model's text for the server, with `?` for characters that its encoding lacks.
pub fn to_server(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(procedure) = conversion(bytes, UTF8, encoding()) else { return Cow::Borrowed(bytes) };
    let mut raw = false;
    let mut server = memory::vec(bytes.len());
    let mut out = |piece: &[u8]| {
        memory::room(&mut server, piece.len());
        server.extend_from_slice(piece);
    };
    convert(bytes, (procedure, UTF8, encoding()), &mut out, |rest, out| {
        let (c, length) = first_char(&rest[..rest.len().min(4)]).unwrap_or((' ', 1));
        let byte = byte_of(c);
        raw |= byte.is_some();
        out(&[byte.unwrap_or(b'?')]);
        length
    });
    // The json text had a private-use character as an escape.
    if raw && !is_valid(&server) {
        server.iter_mut().filter(|b| !b.is_ascii()).for_each(|b| *b = b'?');
    }
    Cow::Owned(server)
}

fn is_valid(bytes: &[u8]) -> bool {
    // SAFETY: the text is only read for its length, which came from a text of the server; no error is raised.
    unsafe { pg_sys::pg_verify_mbstr(encoding(), bytes.as_ptr().cast(), bytes.len() as core::ffi::c_int, true) }
}

/// The model's text as a string.
pub fn model_to_string(bytes: &[u8]) -> String {
    if encoding() != SQL_ASCII
        && let Ok(text) = String::from_utf8(memory::copied(bytes))
    {
        return text;
    }
    // A byte becomes at most four.
    memory::ensure(4 * bytes.len());
    if encoding() != SQL_ASCII {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if byte_of(c).is_some() {
                // Otherwise this character would be converted back to the byte it stands for.
                out.extend(c.encode_utf8(&mut [0; 4]).bytes().map(private));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().copied().map(private));
    }
    out
}

/// A string as the model's text.
pub fn string_to_model(text: &str) -> Cow<'_, [u8]> {
    if encoding() != SQL_ASCII || !text.chars().any(|c| byte_of(c).is_some()) {
        return Cow::Borrowed(text.as_bytes());
    }
    // The result is no longer than the text.
    let mut out = memory::vec(text.len());
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(out)
}

/// Server text as a string.
pub fn to_string(bytes: &[u8]) -> String {
    model_to_string(&to_model(bytes))
}

/// A string as server text: the bytes it was made of.
pub fn from_string(text: &str) -> Cow<'_, [u8]> {
    match string_to_model(text) {
        Cow::Borrowed(bytes) => to_server(bytes),
        Cow::Owned(bytes) => Cow::Owned(to_server(&bytes).into_owned()),
    }
}

/// The string for display only, with U+FFFD for bytes that are not valid text.
pub fn readable(text: String) -> String {
    if is_utf8() || !text.chars().any(|c| byte_of(c).is_some()) {
        return text;
    }
    memory::ensure(2 * text.len());
    text.chars().map(|c| if byte_of(c).is_some() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The text in lower case, by the database's locale.
pub fn lower(text: &[u8]) -> Vec<u8> {
    lower_in(text, pg_sys::DEFAULT_COLLATION_OID)
}

/// The text in lower case, as the server's lower() makes it with this collation.
pub(super) fn lower_in(text: &[u8], collation: pg_sys::Oid) -> Vec<u8> {
    // SAFETY: the text is read for its length, the answer is a palloc'd string.
    unsafe {
        let lower =
            pg_sys::ffi::pg_guard_ffi_boundary(|| server::str_tolower(text.as_ptr().cast(), text.len(), collation));
        let copy = memory::copied(CStr::from_ptr(lower).to_bytes());
        pg_sys::pfree(lower.cast());
        copy
    }
}
