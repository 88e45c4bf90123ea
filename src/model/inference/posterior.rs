//! The probability that one rate is above another, given the figures.

use super::input::{Counts, Invalid};
use super::numeric::binomial_divergence;

/// P(p1 > p2), with Beta(½ + x, ½ + n − x) posteriors (Jeffreys priors).
///
/// A fraction, exactly ½ for equal figures. Small values keep their relative accuracy (1e-12, at a billion users 1e-10)
/// down to 1e-300. It is not a stopping rule: looked at every day until it is high, it finds winners that are none.
/// Errors: x outside 0..n, n < 1.
///
/// By quadrature. On the logarithm of the odds, Y = ln(p / (1 − p)), a beta density is smooth, has one peak and falls
/// off at least exponentially. So the plain trapezoidal rule converges faster than any power of its step. The density
/// of Y1 − Y2 is one such integral, the tail of that density the second. No incomplete beta function is used: at a
/// billion users its series lose their digits, or do not terminate.
pub fn probability_better(x1: i64, n1: i64, x2: i64, n2: i64) -> Result<f64, Invalid> {
    let (one, two) = (Counts::new(x1, n1)?, Counts::new(x2, n2)?);
    if one == two {
        return Ok(0.5);
    }
    let (lead, first, second) = (log_odds_lead(one, two), LogOdds::new(one), LogOdds::new(two));
    // Always the smaller side: a sum of small positive terms, not one minus something.
    Ok(if lead <= 0.0 { tail(&first, &second, -lead) } else { 1.0 - tail(&second, &first, lead) })
}

/// ln odds1 − ln odds2 of the posteriors' modes, (½ + x) : (½ + n − x).
fn log_odds_lead(one: Counts, two: Counts) -> f64 {
    let (a1, b1, a2, b2) = (one.x() + 0.5, one.missed() + 0.5, two.x() + 0.5, two.missed() + 0.5);
    let wide = |count: i64| i128::from(count);
    let (missed1, missed2) = (wide(one.n) - wide(one.x), wide(two.n) - wide(two.x));
    // a1 b2 − a2 b1, exact: its parts may agree in more digits than a float has.
    let product = (wide(one.x) * missed2 - wide(two.x) * missed1) as f64;
    let halves = (wide(one.x) + missed2 - wide(two.x) - missed1) as f64;
    let relative = (product + 0.5 * halves) / (a2 * b1);
    if relative.abs() < 0.5 { relative.ln_1p() } else { (a1 / b1).ln() - (a2 / b2).ln() }
}

/// The posterior of ln(p / (1 − p)), measured from its mode a : b.
struct LogOdds {
    a: f64,
    b: f64,
    /// a / (a + b) and b / (a + b), the rates at the mode.
    p: f64,
    q: f64,
    /// ln of the integral of the density that is 1 at its mode.
    ln_norm: f64,
}

impl LogOdds {
    fn new(counts: Counts) -> Self {
        let (a, b) = (counts.x() + 0.5, counts.missed() + 0.5);
        let mut density = Self { a, b, p: a / (a + b), q: b / (a + b), ln_norm: 0.0 };
        density.ln_norm = ln_integral(0.0, step(density.curvature(0.0)), |t| density.ln(t));
        density
    }

    /// ln density at distance t from the mode.
    fn ln(&self, t: f64) -> f64 {
        -binomial_divergence(self.a, self.b, t) - self.ln_norm
    }

    /// The derivative of [`Self::ln`]; it decreases with t.
    fn slope(&self, t: f64) -> f64 {
        -self.a * self.q * t.exp_m1() / (self.q + self.p * t.exp())
    }

    /// Minus the second derivative of [`Self::ln`].
    fn curvature(&self, t: f64) -> f64 {
        let scale = 1.0 / (self.q + self.p * t.exp());
        self.a * self.q * t.exp() * scale * scale
    }
}

/// Step of the trapezoidal rule. Its error is of the order exp(−2π² / (step² curvature)) for a normal peak, and
/// exp(−π² / step) for the exponential flanks, whose singularities lie π/2 to π off the real line.
fn step(curvature: f64) -> f64 {
    (0.7 / curvature.sqrt()).min(0.2)
}

/// P(Y1 > Y2), where the mode of Y1 lies `behind` >= 0 below that of Y2.
fn tail(first: &LogOdds, second: &LogOdds, behind: f64) -> f64 {
    let pair = Pair::new(first, second);
    let ln_start = pair.ln_density(behind);
    if ln_start == f64::NEG_INFINITY {
        return 0.0;
    }
    // The scale on which the density falls from here: its width, or the inverse of its slope in its tail.
    let width = (1.0 / first.curvature(0.0) + 1.0 / second.curvature(0.0)).sqrt();
    let scale = 1.0 / (1.0 / width + pair.slope(behind));
    // ∫ over gap = behind + scale · exp(t − exp(−t)): double exponential rule, half line with an exponential tail.
    let mut sum = 0.0;
    for k in OUTER_STEPS {
        let t = f64::from(k) * OUTER_STEP;
        let distance = (t - (-t).exp()).exp();
        let term = (pair.ln_density(behind + scale * distance) - ln_start).exp() * distance * (1.0 + (-t).exp());
        sum += term;
        if k > 0 && term <= NEGLIGIBLE * sum {
            break;
        }
    }
    (ln_start + (OUTER_STEP * scale * sum).ln()).exp()
}

/// Y1 and Y2, told apart by which is sharper. Places are measured from the mode of the sharper one, so that they keep
/// their digits on its scale.
struct Pair<'a> {
    sharp: &'a LogOdds,
    wide: &'a LogOdds,
    /// +1 where Y1, the one asked to be above, is the wide one; −1 where it is the sharp one.
    sign: f64,
}

impl<'a> Pair<'a> {
    fn new(first: &'a LogOdds, second: &'a LogOdds) -> Self {
        if first.curvature(0.0) > second.curvature(0.0) {
            Self { sharp: first, wide: second, sign: -1.0 }
        } else {
            Self { sharp: second, wide: first, sign: 1.0 }
        }
    }

    /// ln of the density of Y1 − Y2 at `gap` above the difference of the modes.
    fn ln_density(&self, gap: f64) -> f64 {
        let shift = self.sign * gap;
        let centre = self.peak(shift);
        ln_integral(centre, self.step(centre, shift), |t| self.sharp.ln(t) + self.wide.ln(t + shift))
    }

    /// How fast that density falls there, in powers of e. At the peak of the product both factors fall equally fast, in
    /// opposite directions.
    fn slope(&self, gap: f64) -> f64 {
        let shift = self.sign * gap;
        self.wide.slope(self.peak(shift) + shift).abs()
    }

    fn step(&self, t: f64, shift: f64) -> f64 {
        step(self.sharp.curvature(t) + self.wide.curvature(t + shift))
    }

    /// Where the product of the two densities peaks: between their modes, 0 and −shift.
    fn peak(&self, shift: f64) -> f64 {
        let (mut low, mut high) = (0.0_f64.min(-shift), 0.0_f64.max(-shift));
        // Sixty-four halvings reach the last bit; more than ten are hardly ever needed.
        for _ in 0..64 {
            let middle = 0.5 * (low + high);
            // The trapezoidal rule needs the peak only roughly, measured by its own step.
            if high - low <= 0.1 * self.step(middle, shift) {
                break;
            }
            if self.sharp.slope(middle) + self.wide.slope(middle + shift) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}

/// ln ∫ exp(ln_density) for a density with one peak, near `centre`; −∞ where that is below every float.
fn ln_integral(centre: f64, step: f64, ln_density: impl Fn(f64) -> f64) -> f64 {
    let ln_centre = ln_density(centre);
    // Further down the logarithms are too large to subtract.
    if ln_centre < -900.0 {
        return f64::NEG_INFINITY;
    }
    let mut sum = 1.0;
    for direction in [-step, step] {
        for k in 1..MOST_INNER_STEPS {
            let term = (ln_density(centre + f64::from(k) * direction) - ln_centre).exp();
            sum += term;
            if term <= NEGLIGIBLE * sum {
                break;
            }
        }
    }
    ln_centre + (step * sum).ln()
}

/// The sum stops at a term this small, in a tail that at least halves within a few steps.
const NEGLIGIBLE: f64 = 1e-18;
const OUTER_STEP: f64 = 1.0 / 12.0;
/// At t = −4 the distance from the start is e^−58 of the scale, at t = 8 it is e^8; the sum stops long before.
const OUTER_STEPS: std::ops::Range<i32> = -48..96;
/// The slowest flank, that of a = ½, takes about 420.
const MOST_INNER_STEPS: u32 = 2000;

#[cfg(test)]
mod tests {
    use super::super::numeric::assert_close;
    use super::*;

    fn p(x1: i64, n1: i64, x2: i64, n2: i64) -> f64 {
        probability_better(x1, n1, x2, n2).unwrap()
    }

    #[test]
    fn the_probability_gives_the_reference_values() {
        assert_close(p(500, 1009, 42, 104), 0.9629065409848538, 1e-13);
        assert_close(p(50, 100, 4, 10), 0.7253010670123681, 1e-13);
    }

    #[test]
    fn the_probability_is_right_with_none_all_and_one_user() {
        // mpmath: quad of the beta density times betainc, in log odds, 30 digits
        assert_close(p(0, 10, 0, 20), 0.6062922773317911, 1e-13);
        assert_close(p(1, 1, 0, 1), 0.9052847345693511, 1e-13);
        assert_close(p(0, 1, 1, 1), 0.09471526543064891, 1e-12);
        assert_close(p(0, 10, 10, 10), 1.6053075831798746e-07, 1e-11);
        assert_close(p(10, 1000, 200, 1000), 2.0656711276179925e-52, 1e-11);
        assert_close(p(0, 1000, 1, 1), 7.5624137409802484e-06, 1e-11);
        assert_close(p(3, 100, 0, 7), 0.503502165530687, 1e-12);
        assert_eq!(p(200, 1000, 10, 1000), 1.0);
    }

    #[test]
    fn the_probability_is_right_at_a_billion_and_at_the_end_of_bigint() {
        // mpmath, 50 digits: the density of the difference of the log odds integrated by Gauss-Legendre
        let billion = 1_000_000_000;
        assert_close(p(100_030_000, billion, 100_000_000, billion), 0.9873214588655284, 1e-13);
        assert_close(p(100_000_000, billion, 100_030_000, billion), 0.01267854113447161, 1e-12);
        assert_close(p(100_000_000, billion, 100_300_000, billion), 6.633410898798809e-111, 1e-10);
        let (less, more) = (4_617_187_900_000_000_000, 4_617_187_904_617_187_904);
        assert_close(p(less, i64::MAX, more, i64::MAX), 0.015775740991792422, 1e-9);
    }

    #[test]
    fn the_probability_of_better_and_of_worse_sum_to_one() {
        for (x1, n1, x2, n2) in
            [(3, 100, 0, 7), (1, 2, 2, 3), (0, 1, 0, 1_000_000_000), (i64::MAX / 2, i64::MAX, 1, 3), (7, 7, 9, 9)]
        {
            assert!((p(x1, n1, x2, n2) + p(x2, n2, x1, n1) - 1.0).abs() < 1e-12, "{x1}/{n1} {x2}/{n2}");
            // and by counting the users who did not convert
            assert!((p(x1, n1, x2, n2) - p(n2 - x2, n2, n1 - x1, n1)).abs() < 1e-12, "{x1}/{n1} {x2}/{n2}");
        }
        for (x, n) in [(0, 1), (5, 9), (i64::MAX, i64::MAX)] {
            assert_eq!(p(x, n, x, n), 0.5);
        }
    }

    #[test]
    fn the_probability_is_a_probability_whatever_the_counts() {
        let counts = [
            (0, 1),
            (1, 1),
            (0, 1_000_000_000),
            (999_999_999, 1_000_000_000),
            (1, i64::MAX),
            (i64::MAX - 1, i64::MAX),
            (3, 8),
        ];
        for (x1, n1) in counts {
            for (x2, n2) in counts {
                assert!((0.0..=1.0).contains(&p(x1, n1, x2, n2)), "{x1}/{n1} {x2}/{n2}");
            }
        }
        assert!(probability_better(2, 1, 0, 1).is_err() && probability_better(0, 1, 0, 0).is_err());
    }
}
