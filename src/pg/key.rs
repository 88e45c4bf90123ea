//! The key of a users table: its types, and the text form that identifies a user.

use super::subtransaction::guarded;
use super::{citext, datum, encoding, memory, uuid};
use pgrx::pg_sys::{self, Datum};

/// The type of a users table's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    SmallInt,
    Integer,
    BigInt,
    Uuid,
    Text,
    PaddedText,
    /// citext, of the extension of that name. Kept in lower case.
    CaseInsensitive,
}

/// The types of key columns, for hints.
pub const KEY_TYPES: &str = "smallint, integer, bigint, uuid, text, varchar, char(n) or citext";

/// In bytes, after compression as in an index. A longer key does not fit into an index of goals.receipt, and inserting
/// it would fail.
const LONGEST_KEY: usize = 2600;

/// In bytes. No method compresses a longer key to [`LONGEST_KEY`].
pub const LONGEST_TO_COMPRESS: usize = 1 << 20;

impl KeyType {
    /// The key type of a column's type; None if it cannot be a key.
    pub fn of(type_oid: pg_sys::Oid) -> Option<KeyType> {
        // SAFETY: a catalog lookup by the oid of a column's type.
        let base = unsafe { pg_sys::getBaseType(type_oid) };
        match base {
            pg_sys::INT2OID => Some(KeyType::SmallInt),
            pg_sys::INT4OID => Some(KeyType::Integer),
            pg_sys::INT8OID => Some(KeyType::BigInt),
            pg_sys::UUIDOID => Some(KeyType::Uuid),
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Some(KeyType::Text),
            pg_sys::BPCHAROID => Some(KeyType::PaddedText),
            _ => citext::is_type(base).then_some(KeyType::CaseInsensitive),
        }
    }

    /// True if a user has the same key in the text form of both types.
    pub fn is_written_as(self, other: KeyType) -> bool {
        use KeyType::{BigInt, CaseInsensitive, Integer, PaddedText, SmallInt, Text, Uuid};
        match self {
            SmallInt | Integer | BigInt => matches!(other, SmallInt | Integer | BigInt),
            Uuid => other == Uuid,
            Text | PaddedText => matches!(other, Text | PaddedText),
            CaseInsensitive => other == CaseInsensitive,
        }
    }

    /// The key's text form in the server's encoding.
    pub fn text(self, value: Datum) -> Vec<u8> {
        // SAFETY: the datum is of this type, from a row that is alive.
        unsafe {
            match self {
                KeyType::SmallInt => (value.value() as i16).to_string().into_bytes(),
                KeyType::Integer => (value.value() as i32).to_string().into_bytes(),
                KeyType::BigInt => (value.value() as i64).to_string().into_bytes(),
                KeyType::Uuid => uuid::format(&*value.cast_mut_ptr::<[u8; 16]>()),
                KeyType::Text => memory::copied(datum::varlena_bytes(value)),
                KeyType::PaddedText => memory::copied(trim_end_blanks(datum::varlena_bytes(value))),
                KeyType::CaseInsensitive => encoding::lower(datum::varlena_bytes(value)),
            }
        }
    }

    /// True if the stored bytes of two keys differ. Equal keys may differ so where one is compressed.
    #[inline]
    pub fn bytes_differ(self, old: Datum, new: Datum) -> bool {
        let (len, by_value) = match self {
            KeyType::SmallInt => (2, true),
            KeyType::Integer => (4, true),
            KeyType::BigInt => (8, true),
            KeyType::Uuid => (16, false),
            KeyType::Text | KeyType::PaddedText | KeyType::CaseInsensitive => (-1, false),
        };
        // SAFETY: both are of this type, from rows that are alive.
        !unsafe { datum::same_bytes(old, new, len, by_value) }
    }

    /// The text form as [`KeyType::text`] writes it; None if the text is not a key of this type or is too long.
    pub fn canonical(self, text: &[u8]) -> Option<Vec<u8>> {
        if self == KeyType::CaseInsensitive && text.len() < LONGEST_TO_COMPRESS {
            return Some(encoding::lower(text)).filter(|lower| fits(lower));
        }
        self.parse(text).filter(|_| fits(text)).map(|key| match key {
            Parsed::Number(n) => n.to_string().into_bytes(),
            Parsed::Uuid(bytes) => uuid::format(&bytes),
            Parsed::Text if self == KeyType::PaddedText => trim_end_blanks(text).to_vec(),
            Parsed::Text => text.to_vec(),
        })
    }

    pub(super) fn parse(self, text: &[u8]) -> Option<Parsed> {
        let number = || std::str::from_utf8(text).ok()?.trim().parse::<i64>().ok();
        match self {
            KeyType::SmallInt => number().filter(|n| i16::try_from(*n).is_ok()).map(Parsed::Number),
            KeyType::Integer => number().filter(|n| i32::try_from(*n).is_ok()).map(Parsed::Number),
            KeyType::BigInt => number().map(Parsed::Number),
            KeyType::Uuid => uuid::parse(text).map(Parsed::Uuid),
            KeyType::Text | KeyType::PaddedText | KeyType::CaseInsensitive => Some(Parsed::Text),
        }
    }

    /// The equality function of the type, one of the server's; None for citext.
    pub(super) fn equality(self) -> Option<u32> {
        Some(match self {
            KeyType::SmallInt => pg_sys::F_INT2EQ,
            KeyType::Integer => pg_sys::F_INT4EQ,
            KeyType::BigInt => pg_sys::F_INT8EQ,
            KeyType::Uuid => pg_sys::F_UUID_EQ,
            KeyType::Text => pg_sys::F_TEXTEQ,
            KeyType::PaddedText => pg_sys::F_BPCHAREQ,
            KeyType::CaseInsensitive => return None,
        })
    }

    pub(super) fn datum(self, parsed: &Parsed, text: &[u8]) -> Datum {
        match parsed {
            Parsed::Number(n) => Datum::from(*n),
            // SAFETY: sixteen bytes are copied into a fresh allocation of that size.
            Parsed::Uuid(bytes) => unsafe {
                let copy = pg_sys::palloc(16).cast::<u8>();
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, 16);
                copy.into()
            },
            Parsed::Text => datum::text(text),
        }
    }
}

/// A key, read from its text form.
pub(super) enum Parsed {
    Number(i64),
    Uuid([u8; 16]),
    Text,
}

/// True if the key is short enough to be indexed, by every compression method: a session or a restore may use any.
pub fn fits(key: &[u8]) -> bool {
    key.len() <= LONGEST_KEY
        || key.len() < LONGEST_TO_COMPRESS
            && [b'p', b'l']
                .into_iter()
                .filter(|method| *method == b'p' || has_lz4())
                .all(|method| datum::compressed_size(key, method).is_some_and(|size| size <= LONGEST_KEY))
}

/// True if the server is built with lz4.
fn has_lz4() -> bool {
    static HAS_LZ4: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *HAS_LZ4.get_or_init(|| guarded(|| datum::compressed_size(&[b'x'; 100], b'l')).is_some())
}

/// The text without trailing blanks (spaces only), which char(n) ignores.
pub(super) fn trim_end_blanks(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|b| *b != b' ').map_or(0, |i| i + 1);
    &text[..end]
}

/// How many characters of a key an error shows.
const LONGEST_SHOWN: usize = 60;

/// A key for a message; only the beginning if it is long.
pub fn shown(key: &[u8]) -> String {
    // A character has at most four bytes, so one that is cut here is not among those shown.
    let text = encoding::to_string(&key[..key.len().min(4 * LONGEST_SHOWN + 4)]);
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
