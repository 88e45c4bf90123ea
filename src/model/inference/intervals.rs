//! Intervals for one rate, for the difference of two and for their ratio. All three are score intervals: they stay
//! inside the possible range and keep their meaning at 0 and at n conversions, where the textbook ±1.96 standard errors
//! do not.

use super::input::{Counts, Invalid, check_open_fraction};
use super::numeric::{boundary, two_sided_quantile};

/// An interval that includes both ends. `high` is `+∞` only for a ratio whose denominator may be zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The interval for a rate: Wilson's score interval.
///
/// A fraction within [0, 1]. The low end is exactly 0 at x = 0, the high end exactly 1 at x = n, and x / n is always
/// inside.
/// Errors: x outside 0..n, n < 1, confidence outside (0, 1).
/// Source: Wilson 1927; Brown, Cai & DasGupta, Statistical Science 16 (2001).
pub fn rate_interval(x: i64, n: i64, confidence: f64) -> Result<Interval, Invalid> {
    let counts = Counts::new(x, n)?;
    check_open_fraction("confidence", confidence)?;
    Ok(wilson(counts, two_sided_quantile(confidence)))
}

fn wilson(counts: Counts, z: f64) -> Interval {
    let (n, p) = (counts.n(), counts.rate());
    let zz = z * z / n;
    let high_scaled = p + zz / 2.0 + (zz * (p * (counts.missed() / n) + zz / 4.0)).sqrt();
    // The ends are the roots of a quadratic with product p² / (1 + zz): in that form the lower one does not cancel.
    let low = if counts.x == 0 { 0.0 } else { p * p / high_scaled };
    let high = if counts.x == counts.n { 1.0 } else { high_scaled / (1.0 + zz) };
    Interval { low: low.min(p), high: high.clamp(p, 1.0) }
}

/// The interval for the difference of two rates, p1 − p2: Newcombe's hybrid score interval (method 10).
///
/// A fraction within [−1, 1] that always contains p1 − p2. Errors: x outside 0..n, n < 1, confidence outside (0, 1).
/// Source: Newcombe, Statistics in Medicine 17 (1998) 873–890.
pub fn difference_interval(x1: i64, n1: i64, x2: i64, n2: i64, confidence: f64) -> Result<Interval, Invalid> {
    let (one, two) = (Counts::new(x1, n1)?, Counts::new(x2, n2)?);
    check_open_fraction("confidence", confidence)?;
    let z = two_sided_quantile(confidence);
    let (i1, i2) = (wilson(one, z), wilson(two, z));
    let (p1, p2, difference) = (one.rate(), two.rate(), one.rate_difference(two));
    Ok(Interval {
        low: (difference - (p1 - i1.low).hypot(i2.high - p2)).max(-1.0),
        high: (difference + (i1.high - p1).hypot(p2 - i2.low)).min(1.0),
    })
}

/// The interval for the ratio of two rates, p1 / p2: Koopman's score interval.
///
/// The ends are from 0 to `+∞`: the low end is exactly 0 at x1 = 0, the high end `+∞` at x2 = 0. Without any conversion
/// it is [0, ∞]. The lift is this minus 1. Each end is bracketed, then bisected on the logarithm of the ratio to the
/// last bit. The error that remains, below 1e-13 of the value, is that of the score itself.
/// Errors: x outside 0..n, n < 1, confidence outside (0, 1).
/// Source: Koopman, Biometrics 40 (1984) 513–517.
pub fn ratio_interval(x1: i64, n1: i64, x2: i64, n2: i64, confidence: f64) -> Result<Interval, Invalid> {
    let (one, two) = (Counts::new(x1, n1)?, Counts::new(x2, n2)?);
    check_open_fraction("confidence", confidence)?;
    let score = RatioScore { one, two, centre: ratio_centre(one, two) };
    let z = two_sided_quantile(confidence);
    Ok(Interval {
        low: if x1 == 0 { 0.0 } else { score.end(-1.0, z) },
        high: if x2 == 0 { f64::INFINITY } else { score.end(1.0, z) },
    })
}

/// The observed ratio, from which the search starts. A count of zero is taken as a half.
fn ratio_centre(one: Counts, two: Counts) -> f64 {
    (one.x().max(0.5) / one.n()) / (two.x().max(0.5) / two.n())
}

struct RatioScore {
    one: Counts,
    two: Counts,
    centre: f64,
}

impl RatioScore {
    /// The ratio at which the score leaves z, below (`direction` −1) or above (+1) the observed ratio.
    fn end(&self, direction: f64, z: f64) -> f64 {
        let is_outside = |t: f64| direction * self.at(t) > z;
        if is_outside(0.0) {
            // Only where a count is zero: the starting place itself is outside, so search back towards the other side.
            return self.centre * boundary(-direction, LOG_LIMIT, |t| !is_outside(t)).exp();
        }
        self.centre * boundary(0.1 * direction, LOG_LIMIT, is_outside).exp()
    }

    /// The signed score statistic (θ p2 − p1) / √variance at θ = centre · eᵗ. It increases with t.
    fn at(&self, t: f64) -> f64 {
        let ratio = self.centre * t.exp();
        let (p1, p2) = (self.one.rate(), self.two.rate());
        // With conversions on both sides centre · p2 = p1. The difference is then p1 (eᵗ − 1): no cancellation near the
        // middle.
        let distance = if self.one.x > 0 && self.two.x > 0 { p1 * t.exp_m1() } else { ratio * p2 - p1 };
        let variance = self.variance(ratio);
        if distance == 0.0 { 0.0 } else { distance / variance.sqrt() }
    }

    /// p̃1 (1 − p̃1) / n1 + θ² p̃2 (1 − p̃2) / n2, where p̃ are the most likely rates with ratio θ.
    ///
    /// Koopman's quadratic A p² + B p + C is solved so that neither p̃ nor 1 − p̃ comes from a difference of nearly
    /// equal numbers. B² − 4AC is (θ(n1 + x2) − (n2 + x1))² + 4θ(n1 − x1)(n2 − x2), a sum of two positive terms. The
    /// quadratics for 1 − p̃2 and 1 − p̃1 have the same discriminant.
    fn variance(&self, ratio: f64) -> f64 {
        let (one, two) = (self.one, self.two);
        let (n1, n2, x1, x2) = (one.n(), two.n(), one.x(), two.x());
        let (missed1, missed2) = (one.missed(), two.missed());
        let total = n1 + n2;
        let left = ratio * (n1 + x2);
        let right = n2 + x1;
        let root = ((left - right) * (left - right) + 4.0 * ratio * missed1 * missed2).sqrt();
        let p2 = 2.0 * (x1 + x2) / (left + right + root);
        let p1 = ratio * p2;
        let q2 = larger_root(ratio * total, ratio * (total + missed2) - right, missed2 * (ratio - 1.0), root);
        let q1 = larger_root(total, total + missed1 - left, missed1 * (1.0 - ratio), root);
        p1 * q1 / n1 + ratio * p1 * q2 / n2
    }
}

/// The larger root of a q² − b q + c, given √(b² − 4ac), as a probability.
fn larger_root(a: f64, b: f64, c: f64, root: f64) -> f64 {
    let q = if b >= 0.0 { (b + root) / (2.0 * a) } else { 2.0 * c / (b - root) };
    q.clamp(0.0, 1.0)
}

/// How far from the observed ratio an end is searched, in powers of e. Floats reach no further.
const LOG_LIMIT: f64 = 700.0;

#[cfg(test)]
mod tests {
    use super::super::numeric::assert_close;
    use super::*;

    fn wilson_95(x: i64, n: i64) -> (f64, f64) {
        let i = rate_interval(x, n, 0.95).unwrap();
        (i.low, i.high)
    }
    fn newcombe(x1: i64, n1: i64, x2: i64, n2: i64) -> (f64, f64) {
        let i = difference_interval(x1, n1, x2, n2, 0.95).unwrap();
        (i.low, i.high)
    }
    fn koopman(x1: i64, n1: i64, x2: i64, n2: i64) -> (f64, f64) {
        let i = ratio_interval(x1, n1, x2, n2, 0.95).unwrap();
        (i.low, i.high)
    }
    #[track_caller]
    fn printed(actual: (f64, f64), low: f64, high: f64, unit: f64) {
        assert!((actual.0 - low).abs() <= 0.5001 * unit && (actual.1 - high).abs() <= 0.5001 * unit, "{actual:?}");
    }
    #[track_caller]
    fn close(actual: (f64, f64), low: f64, high: f64, relative: f64) {
        assert_close(actual.0, low, relative);
        assert_close(actual.1, high, relative);
    }

    #[test]
    fn wilson_gives_the_published_values() {
        printed(wilson_95(15, 148), 0.0624, 0.1605, 1e-4);
        printed(wilson_95(0, 20), 0.0, 0.1611, 1e-4);
        close(wilson_95(18, 20), 0.6989663547715128, 0.972133518786232, 1e-14);
        close(wilson_95(190, 200), 0.910421851861224, 0.972617354399236, 1e-14);
    }

    #[test]
    fn wilson_is_right_from_one_user_to_the_end_of_bigint() {
        // mpmath, the formula with 40 digits
        assert_eq!(wilson_95(0, 1).0, 0.0);
        assert_close(wilson_95(0, 1).1, 0.7934506856227627, 1e-14);
        close(wilson_95(1, 1), 0.2065493143772374, 1.0, 1e-14);
        close(wilson_95(1, 1_000_000_000), 1.7652455495696314e-10, 5.664934243297439e-09, 1e-14);
        close(wilson_95(999_999_999, 1_000_000_000), 0.9999999943350658, 0.9999999998234754, 1e-15);
        close(wilson_95(500_000_000, 1_000_000_000), 0.4999690102484443, 0.5000309897515557, 1e-15);
        let i = rate_interval(1, 10, 0.999999).unwrap();
        close((i.low, i.high), 0.0038764790492149537, 0.7603309584719133, 1e-10);
        let (low, high) = wilson_95(i64::MAX, i64::MAX);
        assert!((1.0 - 1e-15..=1.0).contains(&low) && high == 1.0);
    }

    #[test]
    fn a_rate_interval_holds_its_rate_and_never_leaves_zero_and_one() {
        for n in [1, 2, 3, 7, 20, 1000, 1_000_000_007, i64::MAX] {
            for x in [0, 1, n / 3, n / 2, n - 1, n] {
                for confidence in [1e-300, 0.01, 0.5, 0.95, 0.999, 1.0 - f64::EPSILON / 2.0] {
                    let i = rate_interval(x, n, confidence).unwrap();
                    let p = x as f64 / n as f64;
                    assert!(
                        0.0 <= i.low && i.low <= p && p <= i.high && i.high <= 1.0,
                        "{x}/{n} at {confidence}: {i:?}"
                    );
                    assert!(x > 0 || i.low == 0.0);
                    assert!(x < n || i.high == 1.0);
                }
            }
        }
    }

    #[test]
    fn newcombe_gives_the_published_values() {
        close(newcombe(56, 70, 48, 80), 0.05243147240236488, 0.33387265403690597, 1e-13);
        printed(newcombe(6, 7, 2, 7), 0.0582, 0.8062, 1e-4);
        printed(newcombe(5, 56, 0, 29), -0.0381, 0.1926, 1e-4);
        printed(newcombe(0, 10, 0, 20), -0.1611, 0.2775, 1e-4);
        printed(newcombe(10, 10, 0, 10), 0.6075, 1.0, 1e-4);
        printed(newcombe(7, 34, 1, 34), 0.018921444, 0.340368690, 1e-8);
        assert_eq!(newcombe(10, 10, 0, 10).1, 1.0);
    }

    #[test]
    fn newcombe_is_right_from_one_user_to_the_end_of_bigint() {
        // mpmath
        close(newcombe(1, 1, 0, 1), -0.12210872068194183, 1.0, 1e-13);
        let billion = 1_000_000_000;
        close(
            newcombe(100_030_000, billion, 100_000_000, billion),
            3.7025707960934776e-06,
            5.629742933060784e-5,
            1e-10,
        );
        assert_eq!(newcombe(0, i64::MAX, i64::MAX, i64::MAX).0, -1.0);
        for (x1, n1, x2, n2) in
            [(1, 2, 1, 2), (0, 1, 0, i64::MAX), (i64::MAX, i64::MAX, 1, 1), (3, 1000, i64::MAX / 7, i64::MAX)]
        {
            let (low, high) = newcombe(x1, n1, x2, n2);
            let (low_swapped, high_swapped) = newcombe(x2, n2, x1, n1);
            assert!(-1.0 <= low && low <= high && high <= 1.0);
            assert_eq!((low, high), (-high_swapped, -low_swapped));
        }
    }

    #[test]
    fn koopman_gives_the_published_values() {
        printed(koopman(7, 34, 1, 34), 1.220853, 42.575718, 1e-6);
        // statsmodels confint_proportions_2indep(36, 40, 16, 80, method='score', compare='ratio', correction=False);
        // mpmath
        close(koopman(36, 40, 16, 80), 2.939569192214994, 7.15222343486603, 1e-13);
        close(koopman(200, 1000, 10, 1000), 10.792614431736464, 37.19168708065977, 1e-13);
        let i = ratio_interval(200, 1000, 10, 1000, 0.999).unwrap();
        close((i.low, i.high), 7.317354021943373, 55.18743422112476, 1e-13);
    }

    #[test]
    fn koopman_is_right_at_none_and_all() {
        // mpmath; for n of n against m of m the high end is 1 + z²/m
        assert_eq!(koopman(0, 10, 0, 20), (0.0, f64::INFINITY));
        close(koopman(0, 10, 3, 10), 0.0, 1.0822597947049055, 1e-13);
        close(koopman(3, 10, 0, 10), 0.9239925615759062, f64::INFINITY, 1e-13);
        close(koopman(1, 1, 0, 1), 0.5206355432540113, f64::INFINITY, 1e-13);
        close(koopman(1, 1, 1, 1), 0.2065493143772374, 4.841458820694126, 1e-13);
        close(koopman(10, 10, 20, 20), 0.7224672001371107, 1.1920729410347064, 1e-13);
    }

    #[test]
    fn koopman_is_right_where_the_interval_does_not_reach_the_place_it_is_searched_from() {
        // mpmath: bisection of the score at the likeliest rates
        let ends = |x1, n1, x2, n2, confidence| {
            let i = ratio_interval(x1, n1, x2, n2, confidence).unwrap();
            (i.low, i.high)
        };
        close(ends(0, 1000, 500, 1000, 0.5), 0.0, 0.0009094592883117053, 1e-13);
        close(ends(500, 1000, 0, 1000, 0.5), 1099.5544416907017, f64::INFINITY, 1e-13);
        close(ends(0, 10, 3, 10, 0.01), 0.0, 5.236179679331316e-05, 1e-11);
    }

    #[test]
    fn koopman_is_right_from_one_user_to_the_end_of_bigint() {
        // mpmath
        let billion = 1_000_000_000;
        close(koopman(100_030_000, billion, 100_000_000, billion), 1.000037020840533, 1.0005630483155856, 1e-15);
        close(koopman(1, billion, 3, billion), 0.04776472376683713, 2.3262169701772777, 1e-13);
        close(koopman(billion - 2, billion, billion - 5, billion), 0.9999999971637711, 1.0000000099306998, 1e-15);
        close(koopman(1, 1, 1, 1_000_000_000_000_000_000), 1.1516866119210557e+17, 5.664934265758973e18, 1e-13);
        for (x1, n1, x2, n2) in [
            (i64::MAX, i64::MAX, i64::MAX, i64::MAX),
            (1, i64::MAX, 1, 1),
            (0, i64::MAX, 1, i64::MAX),
            (1, 1, 0, i64::MAX),
        ] {
            let (low, high) = koopman(x1, n1, x2, n2);
            assert!(0.0 <= low && low <= high, "{low} {high}");
        }
    }

    #[test]
    fn a_ratio_interval_turned_over_is_that_of_the_ratio_turned_over() {
        for (x1, n1, x2, n2) in [(7, 34, 1, 34), (0, 10, 3, 10), (5, 5, 2, 9), (1, 1_000_000, 40, 90)] {
            for confidence in [0.01, 0.8, 0.95, 0.9999, 1.0 - f64::EPSILON / 2.0] {
                let a = ratio_interval(x1, n1, x2, n2, confidence).unwrap();
                let b = ratio_interval(x2, n2, x1, n1, confidence).unwrap();
                close((a.low, a.high), 1.0 / b.high, 1.0 / b.low, 1e-12);
            }
        }
    }

    #[test]
    fn intervals_refuse_impossible_input() {
        assert!(rate_interval(3, 2, 0.95).is_err() && rate_interval(1, 2, 1.0).is_err());
        for interval in [difference_interval, ratio_interval] {
            assert!(interval(3, 2, 1, 2, 0.95).is_err());
            assert!(interval(1, 2, 1, 0, 0.95).is_err());
            assert!(interval(1, 2, 1, 2, f64::NAN).is_err());
        }
    }

    /// The probability of each count of conversions. Coverage sums these over every possible outcome: no simulation.
    fn binomial(n: i64, p: f64) -> Vec<f64> {
        let mut ln_choose = 0.0_f64;
        (0..=n)
            .map(|x| {
                if x > 0 {
                    ln_choose += ((n - x + 1) as f64 / x as f64).ln();
                }
                (ln_choose + x as f64 * p.ln() + (n - x) as f64 * (1.0 - p).ln()).exp()
            })
            .collect()
    }
    fn coverage_of_two(n1: i64, n2: i64, p1: f64, p2: f64, holds: impl Fn(i64, i64) -> bool) -> f64 {
        let (b1, b2) = (binomial(n1, p1), binomial(n2, p2));
        let mut total = 0.0;
        for (x1, w1) in (0..).zip(&b1) {
            for (x2, w2) in (0..).zip(&b2) {
                if holds(x1, x2) {
                    total += w1 * w2;
                }
            }
        }
        total
    }

    #[test]
    fn wilson_covers_at_its_published_rate() {
        let coverage = |n, p: f64| -> f64 {
            let held = |x: i64| rate_interval(x, n, 0.95).is_ok_and(|i| i.low <= p && p <= i.high);
            (0..).zip(binomial(n, p)).filter(|(x, _)| held(*x)).map(|(_, w)| w).sum()
        };
        // scipy: sum(binom.pmf(x, n, p) for x if proportion_confint(x, n, method='wilson') holds p)
        assert_close(coverage(50, 0.1), 0.9703082890880887, 1e-9);
        assert_close(coverage(20, 0.5), 0.9586105346679689, 1e-9);
        assert_close(coverage(200, 0.03), 0.9436239596114571, 1e-9);
        // Brown, Cai & DasGupta 2001: on average at the nominal rate, even for small n.
        let average = (1..200).map(|k| coverage(50, k as f64 / 200.0)).sum::<f64>() / 199.0;
        assert!((average - 0.95).abs() < 0.005, "{average}");
    }

    #[test]
    fn newcombe_covers_at_its_published_rate() {
        let coverage = |n1, n2, p1: f64, p2: f64| {
            coverage_of_two(n1, n2, p1, p2, |x1, x2| {
                difference_interval(x1, n1, x2, n2, 0.95).is_ok_and(|i| i.low <= p1 - p2 && p1 - p2 <= i.high)
            })
        };
        // scipy and statsmodels confint_proportions_2indep(method='newcomb', compare='diff'), the same enumeration
        for (setting, expected) in [
            ((30, 30, 0.2, 0.2), 0.9546930025772182),
            ((40, 25, 0.3, 0.1), 0.9567413048861408),
            ((50, 20, 0.6, 0.5), 0.9472699267751334),
            ((60, 60, 0.1, 0.05), 0.9648720775261159),
        ] {
            let (n1, n2, p1, p2) = setting;
            let actual = coverage(n1, n2, p1, p2);
            assert_close(actual, expected, 1e-9);
            assert!((actual - 0.95).abs() < 0.025, "{actual}");
        }
    }

    #[test]
    fn koopman_covers_at_its_published_rate() {
        let coverage = |n1, n2, p1: f64, p2: f64| {
            coverage_of_two(n1, n2, p1, p2, |x1, x2| {
                ratio_interval(x1, n1, x2, n2, 0.95).is_ok_and(|i| i.low <= p1 / p2 && p1 / p2 <= i.high)
            })
        };
        // Python: the same enumeration by the inequality itself, (p1 - θ p2)² <= z² variance(θ)
        for (setting, expected) in [
            ((30, 30, 0.2, 0.2), 0.9510325288501229),
            ((40, 25, 0.3, 0.1), 0.9569249976700045),
            ((50, 20, 0.6, 0.5), 0.9457522967730958),
            ((60, 60, 0.1, 0.05), 0.9591169969805504),
        ] {
            let (n1, n2, p1, p2) = setting;
            let actual = coverage(n1, n2, p1, p2);
            assert_close(actual, expected, 1e-9);
            assert!((actual - 0.95).abs() < 0.025, "{actual}");
        }
    }
}
