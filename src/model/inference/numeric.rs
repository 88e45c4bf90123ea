//! Functions that keep their digits where the textbook form loses them: tails, nearly equal numbers, a billion users.

use statrs::function::erf::{erf_inv, erfc_inv};
use statrs::function::gamma::gamma_ur;
use std::f64::consts::SQRT_2;

/// P(|Z| > |z|) of the standard normal. It is the tail itself, never `1 - cdf`, so it is right down to 1e-300.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    // Not statrs's erfc: it is off by 1e-10 of its value (0.18.0); its incomplete gamma function is good to 1e-13.
    chi_square_tail(z * z, 1)
}

/// The z with P(|Z| <= z) = `confidence`, i.e. the normal quantile at (1 + confidence) / 2.
pub(super) fn two_sided_quantile(confidence: f64) -> f64 {
    if confidence < 0.5 { SQRT_2 * erf_inv(confidence) } else { SQRT_2 * erfc_inv(1.0 - confidence) }
}

/// The z with P(Z <= z) = `p`.
pub(super) fn normal_quantile(p: f64) -> f64 {
    if p < 0.5 { -SQRT_2 * erfc_inv(2.0 * p) } else { SQRT_2 * erfc_inv(2.0 * (1.0 - p)) }
}

/// P(X > chi_square) for the chi-square distribution with `degrees` > 0 degrees of freedom.
pub(super) fn chi_square_tail(chi_square: f64, degrees: usize) -> f64 {
    if chi_square <= 0.0 {
        1.0
    } else if chi_square == f64::INFINITY {
        0.0
    } else {
        gamma_ur(degrees as f64 / 2.0, chi_square / 2.0)
    }
}

/// `a * b - c * d` for counts. Exact before it is rounded, unless a product leaves `i128` (three arms of 1e18 users).
pub(super) fn difference_of_products(a: i128, b: i128, c: i128, d: i128) -> f64 {
    match (a.checked_mul(b), c.checked_mul(d)) {
        (Some(ab), Some(cd)) => (ab - cd) as f64,
        _ => {
            let (a, b, c, d) = (a as f64, b as f64, c as f64, d as f64);
            // Kahan: adds back the rounding error of c * d.
            let cd = c * d;
            a.mul_add(b, -cd) + (-c).mul_add(d, cd)
        }
    }
}

/// `e - ln(1 + e)` for e > -1. Never negative, and about e²/2 near zero, where the plain difference is rounding noise.
pub(super) fn ln_1p_deficit(e: f64) -> f64 {
    if e.abs() > 0.5 {
        return e - e.ln_1p();
    }
    // ln(1 + e) = 2 atanh(r), r = e / (2 + e), and e - 2r = e r.
    let r = e / (2.0 + e);
    let r2 = r * r;
    let mut power = 1.0;
    let mut series = 0.0;
    let mut odd = 3.0;
    loop {
        let term = power / odd;
        series += term;
        if term <= f64::EPSILON * 0.1 * series {
            break;
        }
        power *= r2;
        odd += 2.0;
    }
    e * r - 2.0 * r2 * r * series
}

/// a ln(p̂ / p) + b ln(q̂ / q), for p̂ = a / (a + b), q̂ = b / (a + b) and the p whose log odds lie `t` above those of
/// p̂. It says how much less likely `a` successes and `b` failures are under p than under p̂. Never negative, 0 at t =
/// 0, about ½ (ab / (a + b)) t² near it.
pub(super) fn binomial_divergence(a: f64, b: f64, t: f64) -> f64 {
    let (fitted_p, fitted_q) = (a / (a + b), b / (a + b));
    // With w = p̂ / p or q̂ / q the sum is a ln w + b ln w'. As a(1 / w − 1) + b(1 / w' − 1) = 0, these may be added.
    // Each part is then the deficit of a ln(1 + e), e = 1 / w − 1: never negative, and nothing is left to cancel.
    let part = |mine: f64, others: f64, t: f64| {
        let w_less_1 = others * t.exp_m1();
        let e = -w_less_1 / (1.0 + w_less_1);
        if e.abs() <= 0.5 {
            return ln_1p_deficit(e);
        }
        // Far from the middle w may be too near 0 to be written as 1 plus something.
        let w = mine + others * t.exp();
        1.0 / w - 1.0 + w.ln()
    };
    a * part(fitted_p, fitted_q, -t) + b * part(fitted_q, fitted_p, t)
}

/// What Stirling's formula leaves out: ln Γ(a) - [(a - ½) ln a - a + ½ ln 2π], for a > 0.
///
/// Differences of ln Γ at a billion cancel to nothing in floating point (ln Γ(1e9) ≈ 2e10, spacing 4e-6). So the
/// callers combine the large terms by hand and leave only this, which is at most 1/12a.
pub(super) fn stirling_correction(mut a: f64) -> f64 {
    let mut shifted = 0.0;
    while a < 12.0 {
        shifted += (a + 0.5) * (a.ln_1p() - a.ln()) - 1.0;
        a += 1.0;
    }
    // Bernoulli series; the first term left out is below 1e-16 from a = 12.
    let i2 = 1.0 / (a * a);
    let series = 1.0 / 12.0
        - i2 * (1.0 / 360.0
            - i2 * (1.0 / 1260.0 - i2 * (1.0 / 1680.0 - i2 * (1.0 / 1188.0 - i2 * (691.0 / 360_360.0)))));
    shifted + series / a
}

/// The distance from 0, in the direction of `step`, at which `is_outside` becomes true; `±∞` if it does not within
/// `limit`. Once true, `is_outside` must stay true; it is never called for 0. The step is doubled until it brackets the
/// place, then halved until the two ends are neighbouring floats: the tolerance is the last bit.
pub(super) fn boundary(step: f64, limit: f64, is_outside: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut outside) = (0.0, step);
    while !is_outside(outside) {
        inside = outside;
        outside *= 2.0;
        if outside.abs() > limit {
            return step * f64::INFINITY;
        }
    }
    loop {
        let middle = 0.5 * (inside + outside);
        if middle == inside || middle == outside {
            return outside;
        }
        if is_outside(middle) {
            outside = middle;
        } else {
            inside = middle;
        }
    }
}

/// Test helper: asserts equality within `relative` of the expected value.
#[cfg(test)]
#[track_caller]
pub(super) fn assert_close(actual: f64, expected: f64, relative: f64) {
    let close = actual == expected || (actual - expected).abs() <= relative * expected.abs();
    assert!(close, "{actual:e} is not {expected:e} within {relative:e}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_tails_are_right_down_to_1e_300() {
        // mpmath: erfc(sqrt(1400 / 2)), erfc(sqrt(40 / 2))
        assert_close(normal_two_sided(1400_f64.sqrt()), 2.1010145162642176e-306, 1e-12);
        assert_close(normal_two_sided(-(40_f64.sqrt())), 2.539628589470865e-10, 1e-14);
        assert_eq!(normal_two_sided(1e300), 0.0);
        assert_eq!(normal_two_sided(0.0), 1.0);
    }

    #[test]
    fn quantiles_are_right_at_every_confidence() {
        // mpmath: sqrt(2) * erfinv(c)
        assert_close(two_sided_quantile(0.95), 1.9599639845400543, 1e-15);
        assert_close(two_sided_quantile(0.99), 2.575829303548901, 1e-15);
        assert_close(two_sided_quantile(1.0 - 2_f64.powi(-53)), 8.292361075813595, 1e-15);
        assert_close(two_sided_quantile(2_f64.powi(-30)), 1.1672397491666492e-09, 1e-15);
        assert_close(normal_quantile(0.8), 0.8416212335729143, 1e-15);
        assert_close(normal_quantile(0.2), -0.8416212335729143, 1e-15);
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_close(two_sided_quantile(1e-20), 1.2533141373155003e-20, 1e-15);
        assert_close(normal_quantile(1e-20), -9.262340089798408, 1e-14);
    }

    #[test]
    fn chi_square_tails_are_right_down_to_1e_300() {
        // mpmath: gammainc(df / 2, x / 2, inf, regularized=True)
        for (x, df, tail) in [
            (40.0, 1, 2.539628589470865e-10),
            (40.0, 2, 2.061153622438558e-09),
            (40.0, 3, 1.0655090334255861e-08),
            (40.0, 19, 0.003272317118779751),
            (690.0, 3, 3.093117370532075e-149),
            (690.0, 7, 9.874715462442045e-145),
            (1400.0, 1, 2.1010145162642176e-306),
            (1400.0, 2, 9.85967654375977e-305),
            (1400.0, 7, 3.859963181237336e-298),
        ] {
            assert_close(chi_square_tail(x, df), tail, 1e-12);
        }
        assert_eq!(chi_square_tail(0.0, 3), 1.0);
        assert_eq!(chi_square_tail(f64::INFINITY, 3), 0.0);
        assert_eq!(chi_square_tail(1e6, 3), 0.0);
    }

    #[test]
    fn a_difference_of_products_is_exact_or_nearly_so() {
        let max = i128::from(i64::MAX);
        assert_eq!(difference_of_products(max, max, max, max - 1), max as f64);
        let wide = i128::from(u64::MAX) * 3;
        assert_close(difference_of_products(wide, wide, wide, wide / 2), (wide as f64).powi(2) / 2.0, 1e-15);
        // (2^100 + 2^48)² and 2^100 (2^100 + 2^49) differ by 2^96. Neither product fits into an i128.
        let (side, length, width) = ((1 << 100) + (1 << 48), 1 << 100, (1 << 100) + (1 << 49));
        assert_eq!(difference_of_products(side, side, length, width), 2_f64.powi(96));
        assert_eq!(difference_of_products(length, width, side, side), -2_f64.powi(96));
    }

    #[test]
    fn the_deficit_of_ln_1p_keeps_its_digits() {
        // mpmath: e - log1p(e)
        for (e, deficit) in [
            (1e-9, 4.999999996666666e-19),
            (-1e-5, 5.000033333583335e-11),
            (0.1, 0.004689820195675139),
            (0.5, 0.09453489189183562),
            (-0.5, 0.19314718055994531),
            (-0.75, 0.6362943611198906),
            (3.0, 1.6137056388801092),
        ] {
            assert_close(ln_1p_deficit(e), deficit, 1e-15);
        }
        assert_eq!(ln_1p_deficit(0.0), 0.0);
    }

    #[test]
    fn the_divergence_keeps_its_digits_near_and_far() {
        // mpmath: a log(ph/p) + b log(qh/q), p = 1/(1 + exp(-(log(a/b) + t)))
        for (a, b, t, divergence) in [
            (0.5, 1e9, -60.0, 29.499999999875),
            (0.5, 1e9, 3.0, 8.04276841606162),
            (1e9, 0.5, 40.0, 19.499999999875),
            (1e9, 2e9, 1e-6, 0.00033333337037036106),
            (3.0, 7.0, 0.5, 0.27825113937635637),
            (3.0, 7.0, -700.0, 2096.4332505606126),
            (1.5, 9e18, 43.0, 5.229744415450031e+18),
        ] {
            assert_close(binomial_divergence(a, b, t), divergence, 1e-13);
            assert_close(binomial_divergence(b, a, -t), divergence, 1e-13);
        }
        assert_eq!(binomial_divergence(3.0, 4.0, 0.0), 0.0);
    }

    #[test]
    fn the_stirling_correction_is_right_from_tiny_to_huge() {
        // mpmath: loggamma(a) - (a - 1/2) log a + a - log(2 pi) / 2
        for (a, correction) in [
            (1e-10, 10.593986934110418),
            (0.5, 0.15342640972002733),
            (1.0, 0.08106146679532726),
            (7.25, 0.011487002684428697),
            (12.0, 0.00694284010720953),
            (1e9, 8.333333333333333e-11),
        ] {
            assert!((stirling_correction(a) - correction).abs() < 1e-14 * correction.max(1.0), "{a}");
        }
        assert!(stirling_correction(5e-324).is_finite());
    }

    #[test]
    fn a_boundary_is_found_to_the_last_bit_in_either_direction() {
        assert_close(boundary(1e-3, 1e3, |t| t >= 2.0_f64.sqrt()), 2.0_f64.sqrt(), 1e-16);
        assert_close(boundary(-8.0, 1e3, |t| t <= -1e-9), -1e-9, 1e-15);
        assert_eq!(boundary(1.0, 1e3, |_| false), f64::INFINITY);
        assert_eq!(boundary(-1.0, 1e3, |_| false), f64::NEG_INFINITY);
    }
}
