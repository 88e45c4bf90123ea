//! The time limit of a goal: a fixed number of microseconds, whatever the session's time zone.

const DAY: i64 = 86_400_000_000;
/// The longest time limit, in days.
const MAX_DAYS: i64 = 3_650;

/// What is wrong with a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimitProblem {
    /// None was given.
    Missing,
    /// Zero or negative.
    NotPositive,
    /// PostgreSQL 17's infinite interval.
    Infinite,
    /// It has months or years, which have no fixed length.
    Months,
    /// Over 3650 days.
    TooLong,
}

impl TimeLimitProblem {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Missing => "a goal needs a time limit",
            Self::NotPositive => "the time limit must be greater than zero",
            Self::Infinite => "the time limit must be finite",
            Self::Months => "the time limit must not have months or years",
            Self::TooLong => "the time limit must not be over 3650 days",
        }
    }

    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Months => "Months differ in length; give days or hours, for example time_limit => '30 days'.",
            _ => "Give up to 3650 days, for example time_limit => '7 days'.",
        }
    }
}

/// How long after its anchor a change counts: more than zero, at most 3650 days of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeLimit(i64);

impl TimeLimit {
    /// Reads the three fields of PostgreSQL's interval; a day is 24 hours.
    ///
    /// Errors: zero, negative, infinite, over 3650 days, or with months.
    pub fn from_interval(months: i32, days: i32, micros: i64) -> Result<Self, TimeLimitProblem> {
        if matches!((months, days, micros), (i32::MAX, i32::MAX, i64::MAX) | (i32::MIN, i32::MIN, i64::MIN)) {
            return Err(TimeLimitProblem::Infinite);
        }
        if months != 0 {
            return Err(TimeLimitProblem::Months);
        }
        // wide enough for any interval
        let total = i128::from(days) * i128::from(DAY) + i128::from(micros);
        match i64::try_from(total) {
            _ if total <= 0 => Err(TimeLimitProblem::NotPositive),
            Ok(total) if total <= MAX_DAYS * DAY => Ok(Self(total)),
            _ => Err(TimeLimitProblem::TooLong),
        }
    }

    /// The length in microseconds.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whether `anchor <= t <= anchor + limit`, both in microseconds on PostgreSQL's clock.
    pub fn covers(self, anchor: i64, t: i64) -> bool {
        anchor <= t && t <= anchor.saturating_add(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(months: i32, days: i32, micros: i64) -> TimeLimitProblem {
        TimeLimit::from_interval(months, days, micros).expect_err("it is refused")
    }

    #[test]
    fn a_day_is_24_hours() {
        assert_eq!(TimeLimit::from_interval(0, 1, 0).unwrap().micros(), 24 * 3600 * 1_000_000);
        assert_eq!(TimeLimit::from_interval(0, 2, -1).unwrap().micros(), 2 * DAY - 1);
        assert_eq!(TimeLimit::from_interval(0, 0, 1).unwrap().micros(), 1);
    }

    #[test]
    fn out_of_range_is_refused_by_name() {
        assert_eq!(problem(0, 0, 0), TimeLimitProblem::NotPositive);
        assert_eq!(problem(0, 0, -1), TimeLimitProblem::NotPositive);
        assert_eq!(problem(0, -1, DAY), TimeLimitProblem::NotPositive);
        assert_eq!(problem(0, i32::MIN, i64::MIN), TimeLimitProblem::NotPositive);
        assert_eq!(problem(1, 0, 0), TimeLimitProblem::Months);
        assert_eq!(problem(-12, 400, 0), TimeLimitProblem::Months);
        assert_eq!(problem(i32::MAX, i32::MAX, i64::MAX - 1), TimeLimitProblem::Months);
        assert_eq!(problem(i32::MAX, i32::MAX, i64::MAX), TimeLimitProblem::Infinite);
        assert_eq!(problem(i32::MIN, i32::MIN, i64::MIN), TimeLimitProblem::Infinite);
        assert_eq!(problem(0, 3650, 1), TimeLimitProblem::TooLong);
        assert_eq!(problem(0, i32::MAX, i64::MAX), TimeLimitProblem::TooLong);
        assert_eq!(TimeLimit::from_interval(0, 3650, 0).unwrap().micros(), 3650 * DAY);
        assert_eq!(TimeLimit::from_interval(0, 3649, DAY - 1).unwrap().micros(), 3650 * DAY - 1);
    }

    #[test]
    fn both_ends_count_and_a_microsecond_outside_does_not() {
        let limit = TimeLimit::from_interval(0, 7, 0).unwrap();
        for anchor in [0, -1, 1, 700_000_000_000_000, -700_000_000_000_000] {
            let end = anchor + 7 * DAY;
            let covered: Vec<_> =
                [anchor - 1, anchor, anchor + 1, end - 1, end, end + 1].map(|t| limit.covers(anchor, t)).into();
            assert_eq!(covered, [false, true, true, true, true, false], "anchor {anchor}");
        }
    }

    #[test]
    fn the_ends_of_the_clock_do_not_overflow() {
        let limit = TimeLimit::from_interval(0, 3650, 0).unwrap();
        assert!(limit.covers(i64::MAX, i64::MAX));
        assert!(limit.covers(i64::MIN, i64::MIN));
        assert!(!limit.covers(i64::MIN, i64::MAX));
        assert!(!limit.covers(i64::MAX, i64::MIN));
    }

    proptest! {
        #[test]
        fn covers_is_the_inequality(anchor: i64, t: i64, days in 0i32..3650, micros in 1i64..DAY) {
            let limit = TimeLimit::from_interval(0, days, micros).unwrap();
            let (a, b, l) = (i128::from(anchor), i128::from(t), i128::from(limit.micros()));
            prop_assert_eq!(limit.covers(anchor, t), a <= b && b <= a + l);
        }
    }
}
