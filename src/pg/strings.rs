//! Text between the server's encoding and ours, without ever raising. A text has three forms:
//!
//! - the server's bytes;
//! - the model's bytes: UTF-8, except that in SQL_ASCII, where text has no encoding, they are the server's bytes;
//! - a Rust string, for names, which the server gets back byte for byte as it gave them.
//!
//! A byte that is no text in its encoding stands in a string as a character for private use, U+10FF80 to U+10FFFF.

use crate::model::value::Cut;
use pgrx::pg_sys;
use std::borrow::Cow;
use std::ffi::CStr;

fn encoding() -> i32 {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetDatabaseEncoding() }
}

const SQL_ASCII: i32 = pg_sys::pg_enc::PG_SQL_ASCII as i32;
const UTF8: i32 = pg_sys::pg_enc::PG_UTF8 as i32;

/// Is the database's encoding UTF-8, so that text needs no conversion?
pub fn is_utf8() -> bool {
    encoding() == UTF8
}

/// Where a text may be cut that goes to the server.
pub fn cut() -> Cut {
    if is_utf8() { Cut::Utf8 } else { Cut::Ascii }
}

/// How much is converted at a time: bounds the buffer, whatever the length of the text.
const PIECE: usize = 8192;

/// None: there is nothing to convert. `missing` is shown the rest of a text where its first character has no equivalent, adds
/// what stands for it and says how many bytes it was.
fn convert(bytes: &[u8], from: i32, to: i32, mut missing: impl FnMut(&[u8], &mut Vec<u8>) -> usize) -> Option<Vec<u8>> {
    if bytes.is_ascii() || from == to || from == SQL_ASCII || to == SQL_ASCII {
        return None;
    }
    // SAFETY: catalog lookup by value; answers InvalidOid where there is no conversion.
    let procedure = unsafe { pg_sys::FindDefaultConversionProc(from, to) };
    if procedure == pg_sys::InvalidOid {
        return None;
    }
    // Four bytes is the longest character of any encoding.
    let mut buffer = vec![0u8; bytes.len().min(PIECE) * 4 + 1];
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(PIECE)];
        // SAFETY: the source is only read for its length, the destination is written for at most its own, both of which fit
        // an int; no_error = true makes the conversion stop at what it cannot convert instead of raising.
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
            rest = &rest[missing(rest, &mut out).clamp(1, rest.len())..];
            continue;
        }
        // What was converted ends in a zero byte, which no text contains.
        out.extend(buffer.iter().take_while(|b| **b != 0));
        rest = &rest[used..];
    }
    Some(out)
}

/// The first byte of the private characters' numbers, less 0x80.
const PRIVATE: u32 = 0x10FF00;

/// The character that stands for a byte beyond ASCII.
fn private(byte: u8) -> char {
    char::from_u32(PRIVATE + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a private character stands for.
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
    let converted = convert(bytes, encoding(), UTF8, |rest, out| {
        out.extend_from_slice(private(rest[0]).encode_utf8(&mut [0; 4]).as_bytes());
        1
    });
    converted.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// The model's text for the server; `?` stands for what its encoding lacks.
pub fn to_server(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut raw = false;
    let converted = convert(bytes, UTF8, encoding(), |rest, out| {
        let (c, length) = first_char(&rest[..rest.len().min(4)]).unwrap_or((' ', 1));
        let byte = byte_of(c);
        raw |= byte.is_some();
        out.push(byte.unwrap_or(b'?'));
        length
    });
    let Some(mut server) = converted else { return Cow::Borrowed(bytes) };
    // A private character that somebody wrote himself, in the escapes of a json text.
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
    if encoding() != SQL_ASCII {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if byte_of(c).is_some() {
                // Or this character would come back as the byte it stands for.
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
    let mut out = Vec::with_capacity(text.len());
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

/// A string for the server: the bytes it was made of.
pub fn from_string(text: &str) -> Cow<'_, [u8]> {
    match string_to_model(text) {
        Cow::Borrowed(bytes) => to_server(bytes),
        Cow::Owned(bytes) => Cow::Owned(to_server(&bytes).into_owned()),
    }
}

/// For reading only: what is no text is shown as such.
pub fn readable(text: String) -> String {
    if is_utf8() || !text.chars().any(|c| byte_of(c).is_some()) {
        return text;
    }
    text.chars().map(|c| if byte_of(c).is_some() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// In lower case by the database's locale.
pub fn lower(text: &[u8]) -> Vec<u8> {
    unsafe extern "C-unwind" {
        fn str_tolower(text: *const core::ffi::c_char, length: usize, collation: pg_sys::Oid)
        -> *mut core::ffi::c_char;
    }
    // SAFETY: declared as in utils/formatting.h; the text is read for its length, the answer is a palloc'd string.
    unsafe {
        let lower = pg_sys::ffi::pg_guard_ffi_boundary(|| {
            str_tolower(text.as_ptr().cast(), text.len(), pg_sys::DEFAULT_COLLATION_OID)
        });
        let copy = CStr::from_ptr(lower).to_bytes().to_vec();
        pg_sys::pfree(lower.cast());
        copy
    }
}
