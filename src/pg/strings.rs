//! Text between the server's encoding and UTF-8, without ever raising: what has no equivalent becomes U+FFFD or `?`.

use pgrx::pg_sys;
use std::borrow::Cow;

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

fn convert(bytes: &[u8], from: i32, to: i32) -> Option<Vec<u8>> {
    if bytes.is_ascii() || from == to || from == SQL_ASCII || to == SQL_ASCII {
        return None;
    }
    // SAFETY: catalog lookup by value; answers InvalidOid where there is no conversion.
    let procedure = unsafe { pg_sys::FindDefaultConversionProc(from, to) };
    if procedure == pg_sys::InvalidOid {
        return None;
    }
    // Four bytes is the longest character of any encoding.
    let room = bytes.len().checked_mul(4)?.checked_add(1)?;
    let mut out = vec![0u8; room];
    // SAFETY: the source is only read for its length, the destination is `room` long and written for at most that;
    // no_error = true makes the conversion stop at what it cannot convert instead of raising.
    let used = unsafe {
        pg_sys::pg_do_encoding_conversion_buf(
            procedure,
            from,
            to,
            bytes.as_ptr().cast_mut(),
            i32::try_from(bytes.len()).ok()?,
            out.as_mut_ptr(),
            i32::try_from(room).ok()?,
            true,
        )
    };
    if usize::try_from(used).ok()? < bytes.len() {
        return None;
    }
    let end = out.iter().position(|b| *b == 0)?;
    out.truncate(end);
    Some(out)
}

/// Server text as UTF-8 where it can be converted, else as it is: the model takes any bytes.
pub fn to_model(bytes: &[u8]) -> Cow<'_, [u8]> {
    convert(bytes, encoding(), UTF8).map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// The model's text in the server's encoding.
pub fn to_server(bytes: &[u8]) -> Cow<'_, [u8]> {
    convert(bytes, UTF8, encoding()).map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// Server text as a Rust string; invalid bytes become U+FFFD.
pub fn to_string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&to_model(bytes)).into_owned()
}
