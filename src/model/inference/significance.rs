//! Tests of equal rates, and of the split of the users. A p-value is the probability of figures at least this far apart
//! if there were no difference. Tails are computed as tails, so small ones are right down to 1e-300.

use super::input::{Counts, Invalid, check_count, check_fraction, same_length, shares};
use super::numeric::{chi_square_tail, difference_of_products, normal_two_sided};

/// A test by the standard normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZTest {
    /// Positive where p1 > p2.
    pub z: f64,
    /// Two-sided.
    pub p: f64,
}

/// A test by the chi-square distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquareTest {
    /// `+∞` where users are in a variant of weight 0.
    pub chi_square: f64,
    pub degrees_of_freedom: i32,
    pub p: f64,
}

impl ChiSquareTest {
    fn new(chi_square: f64, degrees: usize) -> Self {
        let degrees_of_freedom = i32::try_from(degrees).unwrap_or(i32::MAX);
        Self { chi_square, degrees_of_freedom, p: chi_square_tail(chi_square, degrees) }
    }
}

/// Test that two rates are equal, with the pooled variance.
///
/// If no user or every user converted, the rates are equal and nothing varies: z = 0, p = 1.
/// Errors: x outside 0..n, n < 1.
/// Source: any textbook; equals R's `prop.test(correct = FALSE)`, z² its statistic.
pub fn proportion_test(x1: i64, n1: i64, x2: i64, n2: i64) -> Result<ZTest, Invalid> {
    let (one, two) = (Counts::new(x1, n1)?, Counts::new(x2, n2)?);
    let (converted, missed) = (one.x() + two.x(), one.missed() + two.missed());
    if converted == 0.0 || missed == 0.0 {
        return Ok(ZTest { z: 0.0, p: 1.0 });
    }
    // (p1 - p2) / √(pq (1/n1 + 1/n2)) in whole numbers: exact where the rates are nearly equal.
    let difference = difference_of_products(x1.into(), n2.into(), x2.into(), n1.into());
    let z = difference / (one.n() * two.n() * converted * (missed / (one.n() + two.n()))).sqrt();
    Ok(ZTest { z, p: normal_two_sided(z) })
}

/// Test that k >= 2 rates are all equal (Pearson's chi-square with k − 1 degrees of freedom).
///
/// If no user or every user converted: chi-square 0, p = 1.
/// Errors: arrays of different length or of fewer than two, x outside 0..n, n < 1.
pub fn proportions_test(x: &[i64], n: &[i64]) -> Result<ChiSquareTest, Invalid> {
    let arms = Counts::of_arms(x, n)?;
    let converted: i128 = arms.iter().map(|arm| i128::from(arm.x)).sum();
    let users: i128 = arms.iter().map(|arm| i128::from(arm.n)).sum();
    if converted == 0 || converted == users {
        return Ok(ChiSquareTest::new(0.0, arms.len() - 1));
    }
    let variation = converted as f64 * (users - converted) as f64;
    let chi_square = arms
        .iter()
        .map(|arm| {
            let excess = difference_of_products(arm.x.into(), users, arm.n.into(), converted);
            excess * excess / (arm.n() * variation)
        })
        .sum();
    Ok(ChiSquareTest::new(chi_square, arms.len() - 1))
}

/// The p-values adjusted for their number, in the order given: the chance of even one false alarm stays below the
/// level.
///
/// Without p-values the result is empty.
/// Errors: a p-value outside [0, 1] or NaN.
/// Source: Holm, Scandinavian Journal of Statistics 6 (1979).
pub fn adjust_p(p: &[f64]) -> Result<Vec<f64>, Invalid> {
    p.iter().try_for_each(|&p| check_fraction("a p-value", p))?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest_so_far = 0.0_f64;
    for (rank, &place) in order.iter().enumerate() {
        largest_so_far = largest_so_far.max((p.len() - rank) as f64 * p[place]).min(1.0);
        adjusted[place] = largest_so_far;
    }
    Ok(adjusted)
}

/// Test that users were assigned in the proportions intended (sample ratio mismatch). A small p means that the split
/// itself is broken and nothing else in the comparison can be believed; the customary limit is 0.001.
///
/// `n` is the users assigned per variant, `weight` is on any scale. The degrees of freedom are the variants of positive
/// weight, minus one. Users in a variant of weight 0 are impossible: chi-square `+∞`, p 0.
/// Errors: arrays of different length, a negative count, no users at all, a negative or non-finite weight, fewer than
/// two positive weights.
/// Source: Fabijan et al., KDD 2019.
pub fn split_test(n: &[i64], weight: &[f64]) -> Result<ChiSquareTest, Invalid> {
    same_length("n", n.len(), "weight", weight.len())?;
    n.iter().try_for_each(|&n| check_count("the number of users", n))?;
    let shares = shares(weight)?;
    let users = n.iter().map(|&n| i128::from(n)).sum::<i128>() as f64;
    if users == 0.0 {
        return Err(Invalid::new(
            "there are no users whose split could be tested",
            "Test the split once users have been assigned.",
        ));
    }
    let mut chi_square = 0.0;
    let mut degrees = 0;
    for (&observed, &share) in n.iter().zip(&shares) {
        if share > 0.0 {
            let excess = users.mul_add(-share, observed as f64);
            chi_square += excess * excess / (users * share);
            degrees += 1;
        } else if observed > 0 {
            chi_square = f64::INFINITY;
        }
    }
    Ok(ChiSquareTest::new(chi_square, degrees - 1))
}

#[cfg(test)]
mod tests {
    use super::super::numeric::assert_close;
    use super::*;

    #[test]
    fn the_pooled_test_gives_the_published_values() {
        let t = proportion_test(5, 83, 12, 99).unwrap();
        assert_close(t.z, -1.4078304151258787, 1e-14);
        assert_close(t.p, 0.15918129181156992, 1e-13);
        let t = proportion_test(56, 70, 48, 80).unwrap();
        assert_close(t.z, 2.6501719512585327, 1e-14);
        assert_close(t.p, 0.008045081368196585, 1e-13);
    }

    #[test]
    fn the_pooled_test_is_right_in_the_far_tail_and_at_the_end_of_bigint() {
        // mpmath
        let t = proportion_test(25_000, 50_000, 20_500, 50_000).unwrap();
        assert_close(t.z, 28.57646895756136, 1e-14);
        assert_close(t.p, 1.3176459788352976e-179, 1e-12);
        let t = proportion_test(100_030_000, 1_000_000_000, 100_000_000, 1_000_000_000).unwrap();
        assert_close(t.z, 2.2359189240012793, 1e-14);
        assert_close(t.p, 0.025357082466905323, 1e-13);
        let t = proportion_test(4_617_187_904_617_187_904, i64::MAX, 4_617_187_900_000_000_000, i64::MAX).unwrap();
        assert_close(t.z, 2.1500471932244034, 1e-14);
        assert_close(t.p, 0.031551481983584845, 1e-13);
        let t = proportion_test(600_000_000, 1_000_000_000, 500_000_000, 1_000_000_000).unwrap();
        assert_eq!(t.p, 0.0);
    }

    #[test]
    fn with_none_or_all_converted_nothing_differs() {
        assert_eq!(proportion_test(0, 10, 0, 20).unwrap(), ZTest { z: 0.0, p: 1.0 });
        assert_eq!(proportion_test(10, 10, i64::MAX, i64::MAX).unwrap(), ZTest { z: 0.0, p: 1.0 });
        for x in [[0, 0, 0], [4, 5, 6]] {
            let t = proportions_test(&x, &[4, 5, 6]).unwrap();
            assert_eq!((t.chi_square, t.degrees_of_freedom, t.p), (0.0, 2, 1.0));
        }
    }

    #[test]
    fn several_rates_are_tested_together() {
        // scipy.stats.chi2_contingency([x, n - x], correction=False); the first is the example of R's prop.test
        for (x, n, chi_square, p) in [
            (&[83, 90, 129, 70][..], &[86, 93, 136, 82][..], 12.600411297127634, 0.005585476661627041),
            (&[15, 20, 25], &[100; 3], 3.125, 0.2096113871510978),
            (&[10, 12, 9, 14, 30], &[100; 5], 23.215686274509803, 0.00011466175256196062),
            (&[300_000, 290_000, 310_000, 305_000], &[1_000_000; 4], 1039.2001128274408, 5.639877456510152e-225),
        ] {
            let t = proportions_test(x, n).unwrap();
            assert_close(t.chi_square, chi_square, 1e-13);
            assert_close(t.p, p, 1e-11);
            assert_eq!(t.degrees_of_freedom, x.len() as i32 - 1);
        }
        let two = proportions_test(&[56, 48], &[70, 80]).unwrap();
        let z = proportion_test(56, 70, 48, 80).unwrap();
        assert_close(two.chi_square, z.z * z.z, 1e-14);
        assert_close(two.p, z.p, 1e-13);
        let wide =
            proportions_test(&[i64::MAX / 3, i64::MAX / 2, 5, 0], &[i64::MAX, i64::MAX, i64::MAX, i64::MAX]).unwrap();
        assert!(wide.chi_square.is_finite() && wide.p == 0.0);
    }

    #[test]
    fn holm_gives_the_published_values_in_any_order() {
        let p = [
            5.23656777208e-5,
            2.8140506198e-4,
            1.49877310796e-2,
            2.02732688798e-2,
            0.177096952723,
            0.642193923795,
            0.680845947633,
            0.71626938238,
            0.838541367553,
            0.967833824309,
        ];
        let adjusted = adjust_p(&p).unwrap();
        for (actual, printed) in adjusted.iter().zip([5.23656777e-4, 2.532645558e-3, 0.119901848637, 0.141912882159]) {
            assert_close(*actual, printed, 1e-9);
        }
        assert_eq!(adjusted[4..], [1.0; 6]);
        let reversed: Vec<f64> = p.iter().rev().copied().collect();
        let back: Vec<f64> = adjust_p(&reversed).unwrap().into_iter().rev().collect();
        assert_eq!(adjusted, back);
        // Never decreasing with p, equal for ties: statsmodels multipletests([.02, .02, .03], method='holm')
        assert_eq!(adjust_p(&[0.02, 0.02, 0.03]).unwrap(), [0.06, 0.06, 0.06]);
        assert_eq!(adjust_p(&[0.3]).unwrap(), [0.3]);
        assert!(adjust_p(&[]).unwrap().is_empty());
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(adjust_p(&[0.5, bad]).is_err());
        }
    }

    #[test]
    fn the_split_test_gives_the_published_values() {
        for (n, weight, chi_square, p, digits) in [
            (&[600, 400][..], &[1.0, 1.0][..], 40.0, 2.539628589470865e-10, 1e-13),
            (&[44_000, 45_000], &[1.0, 1.0], 11.235955056179774, 0.0008022781177678731, 1e-13),
            (&[10_000, 10_050], &[0.5, 0.5], 0.12468827930174564, 0.7240042702094154, 1e-13),
            // scipy.stats.chisquare([1050, 2900, 6050], [1000, 3000, 6000])
            (&[1050, 2900, 6050], &[1.0, 3.0, 6.0], 6.25, 0.04393693362340742, 1e-11),
            (&[52_000, 48_000], &[7.0, 7.0], 160.0, 1.1314837902432984e-36, 1e-13),
            (&[500_185_000, 499_815_000], &[1.0, 1.0], 136.9, 1.2681325480822134e-31, 1e-13),
        ] {
            let t = split_test(n, weight).unwrap();
            assert_close(t.chi_square, chi_square, digits);
            assert_close(t.p, p, digits);
            assert_eq!(t.degrees_of_freedom, n.len() as i32 - 1);
        }
    }

    #[test]
    fn a_variant_of_weight_zero_must_be_empty() {
        let t = split_test(&[600, 400, 0], &[1.0, 1.0, 0.0]).unwrap();
        assert_eq!((t.chi_square, t.degrees_of_freedom), (40.0, 1));
        let t = split_test(&[500, 500, 1], &[1.0, 1.0, 0.0]).unwrap();
        assert_eq!((t.chi_square, t.p), (f64::INFINITY, 0.0));
    }

    #[test]
    fn tests_refuse_impossible_input() {
        assert!(proportion_test(2, 1, 0, 1).is_err() && proportion_test(0, 1, 0, 0).is_err());
        assert!(proportions_test(&[1, 2], &[3]).is_err() && proportions_test(&[], &[]).is_err());
        assert!(split_test(&[1, 2], &[1.0]).is_err());
        assert!(split_test(&[1, -2], &[1.0, 1.0]).is_err());
        assert!(split_test(&[0, 0], &[1.0, 1.0]).is_err());
        assert!(split_test(&[1, 2], &[1.0, f64::NAN]).is_err());
    }
}
