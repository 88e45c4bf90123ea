//! Corner cases of the statistics that no published figure covers.

use super::{Arm, compare, probability_better};

#[test]
fn a_baseline_of_weight_zero_has_nothing_to_say_at_any_time() {
    let arm = |weight, n| Arm {
        variant: String::new(),
        weight,
        users: n,
        matched: n / 5,
        converters_all: n / 5,
        assigned_users: Some(n),
        worth: None,
    };
    let rows = compare(&[arm(0.0, 0), arm(1.0, 100)], 0, 0.95, true).unwrap();
    assert_eq!((rows[1].anytime_p, rows[1].anytime_lift_low, rows[1].anytime_lift_high), (None, None, None));
}

#[test]
fn the_probability_is_found_however_many_people_there_are() {
    // mirrored arms: each is exactly as likely as the other, and the two sides of a difference sum to one
    for n in [1, 10, 1_000_000, 1_000_000_000_000, i64::MAX] {
        let even = probability_better(n / 2, n, n / 2, n).unwrap();
        assert!((even - 0.5).abs() < 1e-9, "{n}: {even}");
        for (x1, x2) in [(0, n), (n / 3, n / 2), (1, 0)] {
            let (p, q) = (probability_better(x1, n, x2, n).unwrap(), probability_better(x2, n, x1, n).unwrap());
            assert!((p + q - 1.0).abs() < 1e-9, "{x1} {x2} of {n}: {p} {q}");
        }
    }
}
