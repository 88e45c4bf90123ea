//! What a parameter means that a driver sent without a type. PostgreSQL takes it as text where a function has a form
//! with text, whatever else the caller may have meant.

/// True if the text begins with a date, as drivers write a time: `2026-11-29T23:32:42Z`.
pub fn begins_with_a_date(text: &str) -> bool {
    let begin = text.trim_start().as_bytes();
    begin.len() >= 10
        && begin[..10].iter().enumerate().all(|(i, byte)| match i {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// The id of a receipt, as drivers write a bigint.
pub fn receipt_id(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// True if the text reads as a list of keys: an array literal, or keys with commas between them and no blanks, which is
/// how JavaScript writes an array as text.
pub fn is_list_of_keys(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let is_key = |part: &[u8]| part.first().is_some_and(|byte| !byte.is_ascii_whitespace());
    matches!(text, [b'{', .., b'}']) || text.contains(&b',') && text.split(|byte| *byte == b',').all(is_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_begins_with_a_date() {
        for time in ["2026-11-29T23:32:42Z", "2026-11-29 23:32:42.123+01", " 2026-11-29"] {
            assert!(begins_with_a_date(time), "{time}");
        }
        for other in ["", "now", "20261129", "2026-11-2", "50-50", "2026-11-xx 00:00", "２026-11-29"] {
            assert!(!begins_with_a_date(other), "{other}");
        }
    }

    #[test]
    fn a_receipt_is_digits() {
        assert_eq!(receipt_id("216"), Some(216));
        assert_eq!(receipt_id("9223372036854775807"), Some(i64::MAX));
        for other in ["", "+216", "-1", " 216", "216.0", "9223372036854775808", "welcome"] {
            assert_eq!(receipt_id(other), None, "{other}");
        }
    }

    #[test]
    fn lists_are_array_literals_and_what_javascript_writes() {
        for list in ["{77,78}", "{}", "{\"a b\",c}", "77,78", "anna,b c", " {7} "] {
            assert!(is_list_of_keys(list.as_bytes()), "{list}");
        }
        for one in ["", "77", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "Smith, John", "7,", ",", "{77", "{", "{a}b"] {
            assert!(!is_list_of_keys(one.as_bytes()), "{one}");
        }
    }
}
