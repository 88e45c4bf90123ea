//! PostgreSQL's intervals as text that can be compared.
//!
//! Not the server's `interval_out`: its text depends on the session's IntervalStyle, and differs for equal intervals.

const MONTH: i128 = 30 * DAY;
const DAY: i128 = 86_400_000_000;

/// The text of an interval, the same for equal intervals and in every IntervalStyle: `30 days`, `-1 days -02:00:00.5`.
///
/// Takes the three fields of the type. Equality is that of PostgreSQL's `=`: a month is 30 days and a day 24 hours
/// (`interval_cmp_value` in utils/adt/timestamp.c), so 1 day is 24 hours.
pub fn canonical(months: i32, days: i32, micros: i64) -> String {
    let span = i128::from(months) * MONTH + i128::from(days) * DAY + i128::from(micros);
    let sign = if span < 0 { "-" } else { "" };
    let (days, rest) = (span.unsigned_abs() / DAY.unsigned_abs(), span.unsigned_abs() % DAY.unsigned_abs());
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let mut clock = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction > 0 {
        clock.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    match (days, rest) {
        (0, _) => clock,
        (_, 0) => format!("{sign}{days} days"),
        _ => format!("{sign}{days} days {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn equal_intervals_have_one_text() {
        assert_eq!(canonical(0, 1, 0), "1 days");
        assert_eq!(canonical(0, 0, 24 * HOUR), "1 days");
        assert_eq!(canonical(1, 0, 0), canonical(0, 30, 0));
        assert_eq!(canonical(1, -30, 0), "00:00:00");
        assert_eq!(canonical(12, 0, 0), "360 days");
    }

    #[test]
    fn different_intervals_have_different_texts() {
        assert_eq!(canonical(0, 0, 0), "00:00:00");
        assert_eq!(canonical(0, 0, 1), "00:00:00.000001");
        assert_eq!(canonical(0, 0, -1), "-00:00:00.000001");
        assert_eq!(canonical(0, 1, 1), "1 days 00:00:00.000001");
        assert_eq!(canonical(0, -1, -HOUR), "-1 days -01:00:00");
        assert_eq!(canonical(0, 0, 61 * 1_000_000 + 500_000), "00:01:01.5");
        assert_eq!(canonical(0, 0, 25 * HOUR - 1_000_000), "1 days 00:59:59");
    }

    #[test]
    fn the_longest_and_shortest_interval_have_a_text() {
        assert_eq!(canonical(i32::MAX, i32::MAX, i64::MAX), "66678745048 days 04:00:54.775807");
        assert_eq!(canonical(i32::MIN, i32::MIN, i64::MIN), "-66678745079 days -04:00:54.775808");
    }
}
