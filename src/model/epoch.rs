//! Times as seconds since 1970, as most senders of mail report them.

#![forbid(unsafe_code)]

/// 2000-01-01 00:00 UTC, where the server's times begin, in seconds since 1970.
const SERVERS: i64 = 946_684_800;
const MICROS: i64 = 1_000_000;

/// The time in microseconds since 2000, of a plain decimal number of seconds since 1970: `-?[0-9]+(\.[0-9]+)?`. What is
/// smaller than a microsecond is cut off. `None` for anything else, and for a time that 64 bits do not hold.
pub fn from_seconds(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !fraction.is_none_or(is_number) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let micros: i64 = format!("{:0<6}", &fraction[..fraction.len().min(6)]).parse().ok()?;
    let after = whole.parse::<i64>().ok()?.checked_mul(MICROS)?.checked_add(micros)?;
    (if negative { -after } else { after }).checked_sub(SERVERS * MICROS)
}

/// True if a time, in microseconds since 2000, may have been cut to whole seconds.
pub fn is_whole_second(time: i64) -> bool {
    time % MICROS == 0
}

/// The last moment that a time cut to whole seconds may mean; any other time itself.
pub fn last_moment(time: i64) -> i64 {
    if is_whole_second(time) { time.saturating_add(MICROS - 1) } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_since_1970() {
        let of = |seconds: i64, micros| Some((seconds - SERVERS) * MICROS + micros);
        for (text, time) in [
            ("946684800", of(SERVERS, 0)),
            ("0", of(0, 0)),
            ("-1", of(-1, 0)),
            ("-0.5", of(0, -500_000)),
            ("1521472262.908181", of(1_521_472_262, 908_181)),
            ("1521472262.9", of(1_521_472_262, 900_000)),
            ("1521472262.9081819", of(1_521_472_262, 908_181)),
            ("1521472262.000000", of(1_521_472_262, 0)),
        ] {
            assert_eq!(from_seconds(text), time, "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "-", "1.", ".5", "1.5.5", "+1", "1e9", "now", " 1", "１", "--1", "1.5x"] {
            assert_eq!(from_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn times_too_far_away_are_none() {
        assert_eq!(from_seconds("9223372036854.775807"), Some(i64::MAX - SERVERS * MICROS));
        for text in
            ["9223372036854.775808", "9223372036855", "99999999999999999999", "-9223372036854.775807", "-9223372036855"]
        {
            assert_eq!(from_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_whole_second_lasts_a_second() {
        assert_eq!(last_moment(7 * MICROS), 8 * MICROS - 1);
        assert_eq!(last_moment(-7 * MICROS), -6 * MICROS - 1);
        assert_eq!(last_moment(7 * MICROS + 1), 7 * MICROS + 1);
        assert_eq!(last_moment(i64::MAX), i64::MAX);
    }
}
