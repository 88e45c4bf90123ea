//! Tries out what the verdict promises: many tests, looked at all the time. The generator is seeded and defined here,
//! so each figure is always the same number and cannot flake.

use super::compare::Verdict;
use super::{Arm, anytime_ratio_interval, anytime_test, compare, proportion_test};

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const USERS: usize = 4000;
/// Users between two looks at the figures.
const LOOK_EVERY: usize = 20;

/// Users and converters of each arm at each look. There are 4,000 users. A season doubles and halves the rates.
/// Conversions come up to half the test's length late.
fn looks(random: &mut Random, weights: &[f64], rates: &[f64]) -> Vec<(Vec<i64>, Vec<i64>)> {
    let mut converting_at = vec![Vec::new(); USERS];
    let (mut users, mut converters) = (vec![0; rates.len()], vec![0; rates.len()]);
    let mut looks = Vec::with_capacity(USERS / LOOK_EVERY);
    for now in 0..USERS {
        let mut place = random.next();
        let arm = weights.iter().position(|weight| {
            place -= weight;
            place < 0.0
        });
        let arm = arm.unwrap_or(weights.len() - 1);
        users[arm] += 1;
        let season = 2.0_f64.powf((now as f64 / 300.0).sin());
        let (converts, delay) = (random.next() < rates[arm] * season, random.next().powi(3) * 2000.0);
        if converts && let Some(later) = converting_at.get_mut(now + delay as usize) {
            later.push(arm);
        }
        converting_at[now].iter().for_each(|&arm: &usize| converters[arm] += 1);
        if (now + 1) % LOOK_EVERY == 0 {
            looks.push((users.clone(), converters.clone()));
        }
    }
    looks
}

/// The verdicts of `compare` at a look before everything has matured, control first.
fn verdicts(weights: &[f64], users: &[i64], converters: &[i64]) -> Vec<Verdict> {
    let arms: Vec<Arm> = (0..weights.len())
        .map(|i| Arm {
            variant: i.to_string(),
            weight: weights[i],
            users: users[i],
            matched: converters[i],
            converters_all: converters[i],
            assigned_users: Some(users[i]),
            worth: None,
        })
        .collect();
    compare(&arms, 0, 0.95, false).unwrap().iter().filter_map(|row| row.verdict).collect()
}

/// The first verdict of better or worse at any look; `None` if there is none. `compare` is called only where some
/// pair's own p is below the level: Holm only raises it.
fn first_claim(weights: &[f64], looks: &[(Vec<i64>, Vec<i64>)]) -> Option<Verdict> {
    looks.iter().find_map(|(users, converters)| {
        let tempting = (1..weights.len())
            .any(|i| anytime_test(&[converters[i], converters[0]], &[weights[i], weights[0]], 100.0).unwrap() < 0.05);
        let verdicts = if tempting { verdicts(weights, users, converters) } else { Vec::new() };
        verdicts.into_iter().find(|verdict| matches!(verdict, Verdict::Better | Verdict::Worse))
    })
}

#[test]
fn watched_all_the_time_the_verdict_errs_in_at_most_5_percent_of_tests_and_a_z_test_in_a_third() {
    let mut random = Random(20_240_601);
    let weights = [0.5, 0.5];
    let (mut anytime_errors, mut naive_errors) = (0, 0);
    for _ in 0..1000 {
        let looks = looks(&mut random, &weights, &[0.1, 0.1]);
        anytime_errors += i32::from(first_claim(&weights, &looks).is_some());
        naive_errors += i32::from(looks.iter().any(|(users, converters)| {
            converters[0].min(converters[1]) >= 10
                && proportion_test(converters[0], users[0], converters[1], users[1]).unwrap().p < 0.05
        }));
    }
    println!("of 1000 A/A tests: anytime {anytime_errors}, z-test {naive_errors}");
    assert!(anytime_errors <= 50, "{anytime_errors}");
    assert!(naive_errors >= 250, "{naive_errors}");
}

#[test]
fn with_several_variants_any_false_verdict_at_all_comes_in_at_most_5_percent_of_tests() {
    let mut random = Random(7);
    let weights = [0.4, 0.1, 0.2, 0.3];
    let errors =
        (0..1000).filter(|_| first_claim(&weights, &looks(&mut random, &weights, &[0.12; 4])).is_some()).count();
    println!("of 1000 A/A/A/A tests: {errors}");
    assert!(errors <= 50, "{errors}");
}

#[test]
fn a_real_effect_is_found() {
    let mut random = Random(99);
    let weights = [0.5, 0.5];
    let mut claims = |rates: &[f64]| -> Vec<Option<Verdict>> {
        (0..200).map(|_| first_claim(&weights, &looks(&mut random, &weights, rates))).collect()
    };
    let count = |claims: &[Option<Verdict>], verdict| claims.iter().filter(|claim| **claim == Some(verdict)).count();
    let up = claims(&[0.08, 0.14]);
    let down = claims(&[0.14, 0.08]);
    println!("better {} worse {}", count(&up, Verdict::Better), count(&down, Verdict::Worse));
    assert!(count(&up, Verdict::Better) >= 190 && count(&up, Verdict::Worse) <= 2);
    assert!(count(&down, Verdict::Worse) >= 190 && count(&down, Verdict::Better) <= 2);
}

#[test]
fn the_anytime_interval_holds_the_true_ratio_at_every_look_in_95_percent_of_tests() {
    let mut random = Random(5);
    let weights = [0.3, 0.7];
    let held = (0..300)
        .filter(|_| {
            looks(&mut random, &weights, &[0.15, 0.1]).iter().step_by(4).all(|(_, converters)| {
                let i = anytime_ratio_interval(converters[0], converters[1], weights[0], weights[1], 0.95).unwrap();
                i.low <= 1.5 && 1.5 <= i.high
            })
        })
        .count();
    println!("of 300 tests the interval held {held}");
    assert!(held >= 285, "{held}");
}
