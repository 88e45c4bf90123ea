//! The reference by which a row, an event or a send is known again: a hash of what identifies it.
//!
//! XXH64 (seed 0) over the number of the tracked table in decimal, and for each column of its primary key, in the order of
//! the key, one zero byte and the text form of the value (in UTF-8). For a ref or an event id given in a call, the number is
//! 0 and the text is the only value. PostgreSQL's text holds no zero byte, so no two rows hash the same bytes. The 64 bits
//! are read as a signed number.
//!
//! Text forms: numbers in decimal, without exponent and without trailing zeros; uuids in lower case with hyphens; `true` and
//! `false`; dates and times in ISO 8601, those with time zone in UTC; anything else as its type writes it.
//!
//! A reference is compared among the receipts of one user and message, and among the hits of one receipt and goal. Two that
//! collide there are as likely as one in 2⁶⁴. This definition is frozen: references are stored.
//!
//! | table | key | reference |
//! |---|---|---|
//! | 2 | `17` | -8414261712111671535 |
//! | 2 | `17`, `2026-11-30` | -8982439297771170717 |
//! | 0 | `order-17` | -8547949588234969838 |

#![forbid(unsafe_code)]

use xxhash_rust::xxh64::Xxh64;

/// The number of the table for what is given in a call.
pub const GIVEN: i32 = 0;

/// The reference of a row with these values of its primary key. Bytes are UTF-8. No errors.
pub fn reference<T: AsRef<[u8]>>(table: i32, key: impl IntoIterator<Item = T>) -> i64 {
    let mut hash = Xxh64::new(0);
    hash.update(table.to_string().as_bytes());
    for value in key {
        hash.update(&[0]);
        hash.update(value.as_ref());
    }
    hash.digest() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh64::xxh64;

    #[test]
    fn is_the_published_hash() {
        assert_eq!(reference(2, ["17"]), xxh64(b"2\x0017", 0) as i64);
        assert_eq!(reference(2, ["17", "2026-11-30"]), xxh64(b"2\x0017\x002026-11-30", 0) as i64);
        assert_eq!(reference(GIVEN, ["order-17"]), xxh64(b"0\x00order-17", 0) as i64);
    }

    #[test]
    fn tells_tables_and_keys_apart() {
        assert_ne!(reference(2, ["17"]), reference(21, ["7"]));
        assert_ne!(reference(2, ["1", "7"]), reference(2, ["17"]));
        assert_ne!(reference(2, ["1", "7"]), reference(2, ["7", "1"]));
    }

    /// The values in the documentation: they are stored, so they can never change.
    #[test]
    fn never_changes() {
        assert_eq!(reference(2, ["17"]), -8_414_261_712_111_671_535);
        assert_eq!(reference(2, ["17", "2026-11-30"]), -8_982_439_297_771_170_717);
        assert_eq!(reference(GIVEN, ["order-17"]), -8_547_949_588_234_969_838);
    }
}
