//! A test that stays valid when it is looked at every day.
//!
//! Take the converters in the order they convert. If the variants do equally well, each converter belongs to arm i with
//! probability ρ_i, its share of the assignment: a fixed die. The day, the season and the time people take to convert
//! do not matter. The test bets against that die by a Dirichlet(concentration · ρ) mixture. Its winnings E have
//! expectation one at any moment of stopping, so the chance that 1/E ever falls below α is at most α (Ville).
//!
//! Source: Lindon & Malek, NeurIPS 2022, arXiv 2011.03567.

use super::input::{Invalid, check_count, check_open_fraction, same_length, shares};
use super::intervals::Interval;
use super::numeric::{binomial_divergence, boundary, ln_1p_deficit, stirling_correction};

/// How strongly the bet expects small effects: as if this many converters, split as assigned, had come before the
/// first.
pub const DEFAULT_CONCENTRATION: f64 = 100.0;

/// The p-value, valid at any moment, of the hypothesis that converters fall on the arms as the assignment `weight`s
/// say.
///
/// `x` is converters per arm, `weight` is on any scale. p = min(1, 1/E): 1 without converters, 0 with a converter in an
/// arm of weight 0.
/// Errors: arrays of different length or of fewer than two, a negative count, a negative or non-finite weight, fewer
/// than two positive weights, a concentration not above 0 or not finite.
pub fn anytime_test(x: &[i64], weight: &[f64], concentration: f64) -> Result<f64, Invalid> {
    same_length("x", x.len(), "weight", weight.len())?;
    x.iter().try_for_each(|&x| check_count("the number of converters", x))?;
    let shares = shares(weight)?;
    if !(concentration > 0.0 && concentration.is_finite()) {
        return Err(Invalid::new(
            format!("the concentration must be a finite number above 0, but is {concentration}"),
            "Use 100 unless the plan for this test, made before the first user, says otherwise.",
        ));
    }
    Ok((-ln_evidence(x, &shares, concentration)).exp().min(1.0))
}

/// ln E. With α = concentration · ρ, A = α + S, written so that no large terms are left to cancel (Stirling, see
/// [`stirling_correction`]): Σ A_i ln(A_i / (ρ_i ΣA)) − ½ Σ ln(A_i / α_i) + ½ ln(ΣA / Σα) + corrections.
fn ln_evidence(x: &[i64], shares: &[f64], concentration: f64) -> f64 {
    let converters = x.iter().map(|&x| i128::from(x)).sum::<i128>() as f64;
    let mut divergence = 0.0;
    for (&x, &share) in x.iter().zip(shares) {
        let prior = concentration * share;
        if prior > 0.0 {
            let posterior = prior + x as f64;
            let excess = converters.mul_add(-share, x as f64);
            // The excesses sum to zero, so each arm may carry its own: then no term of the sum is negative.
            divergence += posterior * ln_1p_deficit(-excess / posterior);
        } else if x > 0 {
            return f64::INFINITY;
        }
    }
    divergence + mixture_cost(x, shares, concentration, converters)
}

/// The part of ln E that does not depend on where the null hypothesis lies.
fn mixture_cost(x: &[i64], shares: &[f64], concentration: f64, converters: f64) -> f64 {
    let half_ln_growth = |prior: f64, count: f64| {
        0.5 * (count / prior).ln_1p() - (stirling_correction(prior + count) - stirling_correction(prior))
    };
    let arms: f64 = x
        .iter()
        .zip(shares)
        .filter(|(_, share)| concentration * **share > 0.0)
        .map(|(&x, &share)| half_ln_growth(concentration * share, x as f64))
        .sum();
    half_ln_growth(concentration, converters) - arms
}

/// The interval for the ratio of two conversion rates, from the converters alone. It is valid at any moment: with
/// probability at least `confidence` it holds the ratio at every look.
///
/// x1, x2 are converters, weight1, weight2 the assignment weights on any scale. The ends are from 0 to `+∞`: low is 0
/// at x1 = 0, high is `+∞` at x2 = 0. It is wider than an interval for one look. It uses [`DEFAULT_CONCENTRATION`].
/// Each end is bisected to the last bit.
/// Errors: a negative count, a weight not above 0 or not finite, confidence outside (0, 1).
pub fn anytime_ratio_interval(
    x1: i64,
    x2: i64,
    weight1: f64,
    weight2: f64,
    confidence: f64,
) -> Result<Interval, Invalid> {
    let x = [x1, x2];
    x.iter().try_for_each(|&x| check_count("the number of converters", x))?;
    let shares = shares(&[weight1, weight2])?;
    check_open_fraction("confidence", confidence)?;
    let (s1, s2) = (x1 as f64, x2 as f64);
    // The most that the divergence of θ from the observed share may be before E(θ) exceeds 1 / (1 − confidence).
    let budget = -(-confidence).ln_1p() - ln_least_evidence(&x, &shares);
    let odds = shares[1] / shares[0];
    let is_outside = |t: f64| binomial_divergence(s1, s2, t) > budget;
    let end = |direction: f64| s1 / s2 * odds * boundary(0.01 * direction, LOG_LIMIT, is_outside).exp();
    Ok(match (x1, x2) {
        (0, 0) => Interval { low: 0.0, high: f64::INFINITY },
        // One-sided: θ^S1 or (1 − θ)^S2 alone has a closed form.
        (0, _) => Interval { low: 0.0, high: odds * (budget / s2).exp_m1() },
        (_, 0) => Interval { low: odds / (budget / s1).exp_m1(), high: f64::INFINITY },
        _ => Interval { low: end(-1.0), high: end(1.0) },
    })
}

/// ln E against the null hypothesis that fits best, θ = S1 / S; never above 0. The large terms
/// S_i ln(A_i / A) − S_i ln(S_i / S) are combined as S_i ln(1 + (α_i S − α S_i) / (A S_i)).
fn ln_least_evidence(x: &[i64; 2], shares: &[f64]) -> f64 {
    let c = DEFAULT_CONCENTRATION;
    let converters = x.iter().map(|&x| i128::from(x)).sum::<i128>() as f64;
    let total = c + converters;
    let mut fit = 0.0;
    for (&x, &share) in x.iter().zip(shares) {
        let x = x as f64;
        let excess = converters.mul_add(-share, x);
        if x > 0.0 {
            fit += x * (-c * excess / (total * x)).ln_1p();
        }
        fit += c * share * (excess / (total * share)).ln_1p();
    }
    fit + mixture_cost(x, shares, c, converters)
}

/// How far from the observed ratio an end is searched, in powers of e. Floats reach no further.
const LOG_LIMIT: f64 = 700.0;

#[cfg(test)]
mod tests {
    use super::super::numeric::assert_close;
    use super::*;

    fn p(x: &[i64], weight: &[f64]) -> f64 {
        anytime_test(x, weight, DEFAULT_CONCENTRATION).unwrap()
    }
    fn interval(x1: i64, x2: i64, weight1: f64, weight2: f64) -> (f64, f64) {
        let i = anytime_ratio_interval(x1, x2, weight1, weight2, 0.95).unwrap();
        (i.low, i.high)
    }
    #[track_caller]
    fn close(actual: (f64, f64), low: f64, high: f64, relative: f64) {
        assert_close(actual.0, low, relative);
        assert_close(actual.1, high, relative);
    }

    #[test]
    fn the_anytime_test_gives_the_reference_values() {
        assert_close(p(&[15, 82, 205], &[0.1, 0.3, 0.6]), 0.02717445313033833, 1e-12);
        assert_close(p(&[210, 150], &[0.5, 0.5]), 0.042095139821810415, 1e-12);
        assert_close(p(&[210, 150], &[1.0, 1.0]), 0.042095139821810415, 1e-12);
    }

    #[test]
    fn the_anytime_test_is_right_from_none_to_a_billion_converters() {
        // mpmath: lnB(c ρ + x) - lnB(c ρ) - Σ x log ρ
        assert_eq!(p(&[0, 0], &[1.0, 1.0]), 1.0);
        assert_close(p(&[400, 900, 4100], &[1.0, 2.0, 7.0]), 5.864684642175709e-20, 1e-12);
        assert_close(p(&[1000, 0], &[1.0, 1.0]), 2.2002288001330875e-243, 1e-12);
        assert_close(p(&[300_090_000, 699_910_000], &[3.0, 7.0]), 1.3372072606617514e-05, 1e-6);
        let ln_e = |x: &[i64], c: f64| ln_evidence(x, &[0.5, 0.5], c);
        assert!(ln_e(&[1, 0], 100.0).abs() < 1e-13);
        assert_close(ln_e(&[500_040_000, 499_960_000], 100.0), -4.861548146954125, 1e-12);
        assert_close(ln_e(&[500_060_000, 499_940_000], 100.0), -0.8615485290874237, 1e-12);
        assert_close(ln_e(&[210, 150], 1.0), -(0.156_631_681_830_836_3_f64.ln()), 1e-12);
        assert_close(ln_evidence(&[15, 82, 205], &[0.1, 0.3, 0.6], 0.5), -(1.973_843_862_886_692_f64.ln()), 1e-11);
        assert_eq!(p(&[i64::MAX, i64::MAX, 0], &[1.0, 1.0, 1.0]), 0.0);
        assert_eq!(p(&[i64::MAX, i64::MAX], &[1.0, 1.0]), 1.0);
        assert!(anytime_test(&[3, 9], &[1.0, 1.0], 1e-300).unwrap() <= 1.0);
    }

    #[test]
    fn the_order_of_the_arms_does_not_matter() {
        assert_close(p(&[205, 15, 82], &[6.0, 1.0, 3.0]), p(&[15, 82, 205], &[1.0, 3.0, 6.0]), 1e-13);
    }

    #[test]
    fn a_converter_where_nobody_was_assigned_cannot_be_chance() {
        assert_eq!(p(&[5, 5, 1], &[1.0, 1.0, 0.0]), 0.0);
        assert_eq!(p(&[5, 5, 0], &[1.0, 1.0, 0.0]), p(&[5, 5], &[1.0, 1.0]));
    }

    #[test]
    fn the_anytime_interval_gives_the_reference_values() {
        close(interval(210, 150, 0.5, 0.5), 1.005803358546244, 1.960766162327116, 1e-13);
        // mpmath, bisection on the inequality itself
        close(interval(15, 82, 1.0, 3.0), 0.21042349758285425, 1.2049210163584412, 1e-13);
        close(interval(0, 30, 1.0, 1.0), 0.0, 0.9739740657941738, 1e-13);
        close(interval(30, 0, 1.0, 1.0), 1.026721383165993, f64::INFINITY, 1e-13);
        close(interval(1, 1, 1.0, 1.0), 0.012692399708253223, 78.78730760029174, 1e-13);
        close(interval(1_000_000, 3, 1.0, 9.0), 9918.749941082986, 1.9629186451854212e+135, 1e-11);
        assert_eq!(interval(0, 0, 1.0, 1.0), (0.0, f64::INFINITY));
    }

    #[test]
    fn the_anytime_interval_is_right_at_a_billion_and_beyond() {
        // mpmath
        close(interval(500_040_000, 499_960_000, 1.0, 1.0), 0.9998625901359409, 1.000457523940866, 1e-14);
        close(interval(300_090_000, 699_910_000, 3.0, 7.0), 1.000104039240484, 1.0007533051371094, 1e-14);
        let (low, high) = interval(i64::MAX, i64::MAX, 1.0, 1.0);
        assert!(low < 1.0 && 1.0 < high && high - low < 1e-7);
        for (x1, x2, weight1, weight2) in [(i64::MAX, 1, 1.0, 1.0), (1, i64::MAX, 1e-9, 1.0), (i64::MAX, 0, 1.0, 1e9)] {
            let (low, high) = interval(x1, x2, weight1, weight2);
            assert!(0.0 <= low && low <= high);
        }
    }

    #[test]
    fn test_and_interval_agree() {
        for (x1, x2) in [(210, 150), (205, 155), (150, 210), (30, 0), (10, 10), (5_010_000, 5_000_000)] {
            let i = anytime_ratio_interval(x1, x2, 2.0, 3.0, 0.95).unwrap();
            let rejected = p(&[x1, x2], &[2.0, 3.0]) < 0.05;
            assert_eq!(rejected, i.low > 1.0 || i.high < 1.0, "{x1} {x2} {i:?}");
        }
    }

    #[test]
    fn the_anytime_functions_refuse_impossible_input() {
        assert!(anytime_test(&[1, 2], &[1.0], 100.0).is_err());
        assert!(anytime_test(&[1, -2], &[1.0, 1.0], 100.0).is_err());
        assert!(anytime_test(&[1, 2], &[1.0, f64::NAN], 100.0).is_err());
        for concentration in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(anytime_test(&[1, 2], &[1.0, 1.0], concentration).is_err());
        }
        assert!(anytime_ratio_interval(-1, 2, 1.0, 1.0, 0.95).is_err());
        assert!(anytime_ratio_interval(1, 2, 0.0, 1.0, 0.95).is_err());
        assert!(anytime_ratio_interval(1, 2, 1.0, 1.0, 1.0).is_err());
    }
}
