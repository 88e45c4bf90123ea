//! How many users a test needs.

use super::input::{Invalid, check_fraction, check_open_fraction};
use super::numeric::{normal_quantile, two_sided_quantile};

/// Users needed per arm, not rounded, for the pooled two-sided test to tell rates p1 and p2 apart with probability
/// `power`.
///
/// Never negative: 0 if chance alone gives that power. It is for one look at the end; the anytime columns need more.
/// Errors: a rate outside [0, 1], equal rates, power or confidence outside (0, 1).
/// Source: Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, without continuity correction; R's
/// `power.prop.test`.
pub fn sample_size(p1: f64, p2: f64, power: f64, confidence: f64) -> Result<f64, Invalid> {
    check_fraction("a rate", p1)?;
    check_fraction("a rate", p2)?;
    check_open_fraction("power", power)?;
    check_open_fraction("confidence", confidence)?;
    if p1 == p2 {
        return Err(Invalid::new(
            format!("no number of users tells {p1} from {p2}"),
            "Pass the rate expected now and the rate worth noticing.",
        ));
    }
    let mean = (p1 + p2) / 2.0;
    let null = two_sided_quantile(confidence) * (2.0 * mean * (1.0 - mean)).sqrt();
    let alternative = normal_quantile(power) * (p1 * (1.0 - p1) + p2 * (1.0 - p2)).sqrt();
    Ok(((null + alternative).max(0.0) / (p1 - p2)).powi(2))
}

#[cfg(test)]
mod tests {
    use super::super::numeric::assert_close;
    use super::*;

    #[test]
    fn the_sample_size_gives_the_published_values() {
        // mpmath; the printed 76.70692 and 1093.739 are these, cut off
        assert_close(sample_size(0.50, 0.75, 0.9, 0.95).unwrap(), 76.70692845177744, 1e-13);
        assert_close(sample_size(0.20, 0.25, 0.8, 0.95).unwrap(), 1093.739045766165, 1e-13);
        assert_close(sample_size(0.001, 0.0011, 0.8, 0.95).unwrap(), 1646532.8872945895, 1e-12);
        assert_close(sample_size(0.01, 0.011, 0.99, 0.95).unwrap(), 381765.7410978243, 1e-12);
    }

    #[test]
    fn the_sample_size_does_not_depend_on_the_order_of_the_rates() {
        assert_eq!(sample_size(0.2, 0.25, 0.8, 0.95), sample_size(0.25, 0.2, 0.8, 0.95));
        assert!(sample_size(0.0, 1.0, 0.8, 0.95).unwrap() > 0.0);
        assert_eq!(sample_size(0.2, 0.25, 0.001, 0.95), Ok(0.0));
    }

    #[test]
    fn the_sample_size_refuses_impossible_input() {
        for (p1, p2, power, confidence) in [
            (0.2, 0.2, 0.8, 0.95),
            (-0.1, 0.2, 0.8, 0.95),
            (0.1, f64::NAN, 0.8, 0.95),
            (0.1, 0.2, 1.0, 0.95),
            (0.1, 0.2, 0.8, 95.0),
        ] {
            assert!(sample_size(p1, p2, power, confidence).is_err());
        }
    }
}
