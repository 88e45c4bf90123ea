//! The input that the statistics accept, and the errors for the rest.

use super::super::error::Error;
use super::numeric::difference_of_products;

/// Input that no figure can be computed from. The SQL layer reports it as SQLSTATE 22023.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong, in PostgreSQL's style: lower case, no full stop.
    pub message: String,
    /// What to do about it: a full sentence.
    pub hint: String,
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Error {
        Error::InvalidArgument { message: invalid.message, hint: invalid.hint }
    }
}

impl Invalid {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.hint)
    }
}

impl std::error::Error for Invalid {}

/// Conversions out of users: `0 <= x <= n`, `n >= 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub x: i64,
    pub n: i64,
}

impl Counts {
    pub fn new(x: i64, n: i64) -> Result<Self, Invalid> {
        if n <= 0 {
            return Err(Invalid::new(
                format!("the number of users must be positive, not {n}"),
                "A rate needs at least one user: leave out variants without users.",
            ));
        }
        if x < 0 {
            return Err(Invalid::new(
                format!("the number of conversions must not be negative, but is {x}"),
                "Pass the number of users who matched, between 0 and the number of users.",
            ));
        }
        if x > n {
            return Err(Invalid::new(
                format!("{x} conversions of {n} users is more than all of them"),
                "Count users, not events or receipts: a user converts at most once. Conversions come first, then users.",
            ));
        }
        Ok(Self { x, n })
    }

    /// One [`Counts`] per place of two arrays of the same length; there are at least two.
    pub fn of_arms(x: &[i64], n: &[i64]) -> Result<Vec<Self>, Invalid> {
        same_length("x", x.len(), "n", n.len())?;
        x.iter().zip(n).map(|(&x, &n)| Self::new(x, n)).collect()
    }

    /// Conversions, as a float.
    pub fn x(self) -> f64 {
        self.x as f64
    }

    /// Users, as a float.
    pub fn n(self) -> f64 {
        self.n as f64
    }

    /// Users who did not convert; exact before it is rounded.
    pub fn missed(self) -> f64 {
        (self.n - self.x) as f64
    }

    pub fn rate(self) -> f64 {
        self.x() / self.n()
    }

    /// `self.rate() - other.rate()`, without losing digits where the rates are nearly equal.
    pub fn rate_difference(self, other: Self) -> f64 {
        difference_of_products(self.x.into(), other.n.into(), other.x.into(), self.n.into()) / (self.n() * other.n())
    }
}

pub(super) fn same_length(a: &str, a_len: usize, b: &str, b_len: usize) -> Result<(), Invalid> {
    if a_len != b_len {
        return Err(Invalid::new(
            format!("{a} has {a_len} elements but {b} has {b_len}"),
            "Pass arrays of the same length, one element per variant, in the same order.",
        ));
    }
    if a_len < 2 {
        return Err(Invalid::new(
            format!("there is nothing to compare: {a} has {a_len} elements"),
            "Pass at least two variants.",
        ));
    }
    Ok(())
}

pub(super) fn check_count(what: &str, count: i64) -> Result<(), Invalid> {
    if count < 0 {
        return Err(Invalid::new(
            format!("{what} must not be negative, but is {count}"),
            "Pass how many users there are: zero or more.",
        ));
    }
    Ok(())
}

/// Accepts a probability strictly between 0 and 1, such as a confidence.
pub(super) fn check_open_fraction(what: &str, value: f64) -> Result<(), Invalid> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Invalid::new(
        format!("{what} must lie between 0 and 1, both excluded, but is {value}"),
        format!("Write {what} as a fraction, not as a percentage: 0.95, not 95."),
    ))
}

/// Accepts a probability from 0 to 1, such as a rate or a p-value.
pub(super) fn check_fraction(what: &str, value: f64) -> Result<(), Invalid> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Invalid::new(
        format!("{what} must lie between 0 and 1, but is {value}"),
        format!("Write {what} as a fraction, not as a percentage: 0.05, not 5."),
    ))
}

/// The least share relative to the largest: a smaller one is lost when the two are added.
const LEAST_SHARE: f64 = 1e-12;

/// The assignment weights scaled to sum to 1. Positive ones are raised to at least 10^-12 of the largest.
/// Errors: a negative or non-finite weight, fewer than two positive ones.
pub(super) fn shares(weight: &[f64]) -> Result<Vec<f64>, Invalid> {
    if let Some(bad) = weight.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        return Err(Invalid::new(
            format!("a weight must be a finite number of at least zero, but one is {bad}"),
            "Pass the weights the variants were assigned with, such as 1 and 1 for an even split.",
        ));
    }
    // Scaled by the largest first, so that the sum cannot overflow.
    let largest = weight.iter().copied().fold(0.0, f64::max);
    let scaled = |w: &f64| if *w > 0.0 { (w / largest).max(LEAST_SHARE) } else { 0.0 };
    let shares: Vec<f64> = weight.iter().map(scaled).collect();
    if shares.iter().filter(|share| **share > 0.0).count() < 2 {
        return Err(Invalid::new(
            "fewer than two variants have a positive weight",
            "A comparison needs two variants to which users were assigned.",
        ));
    }
    let total: f64 = shares.iter().sum();
    Ok(shares.iter().map(|share| share / total).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_counts_are_refused_with_a_hint() {
        for (x, n) in [(0, 0), (0, -1), (-1, 5), (6, 5), (1, 0), (i64::MIN, i64::MAX)] {
            let invalid = Counts::new(x, n).unwrap_err();
            assert!(!invalid.message.is_empty() && invalid.hint.ends_with('.'), "{invalid}");
        }
        assert!(Counts::new(i64::MAX, i64::MAX).is_ok());
    }

    #[test]
    fn a_confidence_outside_zero_and_one_is_refused() {
        for value in [0.0, 1.0, -0.1, 95.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(check_open_fraction("confidence", value).is_err());
        }
        assert!(check_fraction("rate", f64::NAN).is_err() && check_fraction("rate", 1.1).is_err());
        assert!(check_fraction("rate", 0.0).is_ok() && check_fraction("rate", 1.0).is_ok());
    }

    #[test]
    fn weights_are_scaled_to_one_and_bad_ones_refused() {
        assert_eq!(shares(&[1.0, 3.0]).unwrap(), [0.25, 0.75]);
        assert_eq!(shares(&[f64::MAX, f64::MAX]).unwrap(), [0.5, 0.5]);
        assert_eq!(shares(&[5e-324, 5e-324, 0.0]).unwrap(), [0.5, 0.5, 0.0]);
        assert_eq!(shares(&[1e-320, 1e300]).unwrap(), [LEAST_SHARE / (1.0 + LEAST_SHARE), 1.0 / (1.0 + LEAST_SHARE)]);
        for bad in [&[1.0, -1.0][..], &[1.0, f64::NAN], &[f64::INFINITY, 1.0], &[0.0, 0.0], &[1.0, 0.0], &[1.0], &[]] {
            assert!(shares(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn arrays_of_different_length_are_refused() {
        let message = |x: &[i64], n: &[i64]| Counts::of_arms(x, n).unwrap_err().message;
        assert_eq!(message(&[1, 2], &[3]), "x has 2 elements but n has 1");
        assert!(message(&[1], &[3]).starts_with("there is nothing to compare"));
        assert!(message(&[1, 9], &[3, 4]).contains("9 conversions of 4 users"));
    }
}
