//! Compares each variant with the baseline, and gives a verdict in words.

use super::anytime::{DEFAULT_CONCENTRATION, anytime_ratio_interval, anytime_test};
use super::input::{Counts, Invalid, check_count, check_open_fraction};
use super::intervals::{Interval, difference_interval, rate_interval, ratio_interval};
use super::posterior::probability_better;
use super::significance::{adjust_p, proportion_test, split_test};
use std::str::FromStr;

/// The figures of one variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    pub variant: String,
    /// Share of the assignment; the control group has one too. Only the proportions between arms matter.
    pub weight: f64,
    /// Users counted: by default those whose receipts have all matured.
    pub users: i64,
    /// The users among them that matched.
    pub matched: i64,
    /// Every converter so far, matured or not, for the anytime columns.
    pub converters_all: i64,
    /// Every user assigned so far, for the test of the split; `None` if receipts of this arm are not recorded at all. Then
    /// the split is judged among the others, and nothing is compared with it.
    pub assigned_users: Option<i64>,
    /// Sum of the worth of the matches of `users`; `None` if the goal keeps no worth.
    pub worth: Option<f64>,
}

/// One row of `goals.compare`. `None` is SQL NULL. Rates and p-values are fractions.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub variant: String,
    pub users: i64,
    pub matched: i64,
    /// matched / users, with Wilson's interval; `None` without users.
    pub rate: Option<f64>,
    pub rate_low: Option<f64>,
    pub rate_high: Option<f64>,
    /// Rate minus the baseline's, with Newcombe's interval. This and all later columns except worth and split are
    /// `None` on the baseline's own row. All of these but the anytime columns are also `None` where either arm has no
    /// users.
    pub difference: Option<f64>,
    pub difference_low: Option<f64>,
    pub difference_high: Option<f64>,
    /// Rate divided by the baseline's, minus 1; `None` where the baseline has no conversions. Koopman's interval is
    /// given even then, with `lift_high` = +∞.
    pub lift: Option<f64>,
    pub lift_low: Option<f64>,
    pub lift_high: Option<f64>,
    /// Pooled two-sided test against the baseline.
    pub p_value: Option<f64>,
    /// `p_value`, adjusted over the variants by Holm.
    pub p_adjusted: Option<f64>,
    /// P(this rate > the baseline's). It is not a stopping rule.
    pub probability_better: Option<f64>,
    /// Anytime p-value from every converter of this variant and the baseline, adjusted over the variants by Holm. The
    /// verdict goes by it. `None` where either weight is 0 or either arm is not recorded.
    pub anytime_p: Option<f64>,
    /// Anytime interval for the lift, each variant by itself (not adjusted over the variants).
    pub anytime_lift_low: Option<f64>,
    pub anytime_lift_high: Option<f64>,
    /// worth / users; `None` if either is missing.
    pub worth_per_user: Option<f64>,
    /// Test of the split among the arms that are recorded, the same on every row; `None` if there is nothing to test (no
    /// users, or one weight).
    pub split_p: Option<f64>,
    pub verdict: Option<Verdict>,
}

/// The claim that a variant's figures allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    SplitIsUnsound,
    TooEarly,
    Better,
    Worse,
    NoDifferenceShown,
}

impl Verdict {
    pub const ALL: [Verdict; 5] =
        [Self::SplitIsUnsound, Self::TooEarly, Self::Better, Self::Worse, Self::NoDifferenceShown];

    /// The verdict in the words shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SplitIsUnsound => "split is unsound",
            Self::TooEarly => "too early",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceShown => "no difference shown",
        }
    }
}

impl FromStr for Verdict {
    type Err = String;

    /// Reads the words shown.
    fn from_str(words: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|v| v.as_str() == words).ok_or_else(|| format!("{words:?} is no verdict"))
    }
}

/// A split with a p-value below this is unsound (Fabijan et al., KDD 2019).
const UNSOUND_SPLIT: f64 = 0.001;

/// With fewer converters than this in either arm it is too early.
const ENOUGH_CONVERTERS: i64 = 10;

/// Compares each arm with the one at index `baseline`. Returns one row per arm, in the order of the arms.
///
/// `all_matured` means that no receipt's time limit is still running, so that the fixed-sample test may decide.
///
/// With several variants the anytime columns are pairwise: they use the converters of a variant and of the baseline,
/// with their weights renormalised to the two. Given that a converter is in one of the two, under no difference it is
/// in the variant with exactly that share. So each pair is a valid anytime test, whatever the other arms do. Holm over
/// the pairs, at any moment of looking, keeps the chance of any false verdict below 1 − confidence.
///
/// An arm without users is not an error.
/// Errors: baseline out of range, a negative count, more matched than users, a negative or non-finite weight,
/// confidence outside (0, 1).
pub fn compare(arms: &[Arm], baseline: usize, confidence: f64, all_matured: bool) -> Result<Vec<Row>, Invalid> {
    check_open_fraction("confidence", confidence)?;
    let base = arms.get(baseline).ok_or_else(|| {
        Invalid::new("there is no such baseline", "Name one of the variants of the message as the baseline.")
    })?;
    arms.iter().try_for_each(check)?;
    let split_p = split_p(arms)?;
    let mut rows = Vec::with_capacity(arms.len());
    for (place, arm) in arms.iter().enumerate() {
        let mut row = alone(arm, split_p, confidence)?;
        if place != baseline {
            against(&mut row, arm, base, confidence)?;
        }
        rows.push(row);
    }
    adjust(&mut rows, |row| row.p_value, |row, p| row.p_adjusted = Some(p))?;
    adjust(&mut rows, |row| row.anytime_p, |row, p| row.anytime_p = Some(p))?;
    for (place, arm) in arms.iter().enumerate().filter(|(place, _)| *place != baseline) {
        rows[place].verdict = Some(verdict(&rows[place], arm, base, 1.0 - confidence, all_matured));
    }
    Ok(rows)
}

fn check(arm: &Arm) -> Result<(), Invalid> {
    check_count("the number of users", arm.users)?;
    check_count("the number of converters", arm.converters_all)?;
    check_count("the number of users", arm.assigned_users.unwrap_or(0))?;
    if arm.matched != 0 {
        Counts::new(arm.matched, arm.users)?;
    }
    if !(arm.weight >= 0.0 && arm.weight.is_finite()) {
        return Err(Invalid::new(
            format!("a weight must be a finite number of at least zero, but one is {}", arm.weight),
            "Pass the share of the users each variant was assigned.",
        ));
    }
    Ok(())
}

fn split_p(arms: &[Arm]) -> Result<Option<f64>, Invalid> {
    let (users, weights): (Vec<i64>, Vec<f64>) =
        arms.iter().filter_map(|arm| Some((arm.assigned_users?, arm.weight))).unzip();
    let testable = users.iter().any(|&n| n > 0) && weights.iter().filter(|w| **w > 0.0).count() >= 2;
    if testable { split_test(&users, &weights).map(|test| Some(test.p)) } else { Ok(None) }
}

/// The columns that an arm has by itself.
fn alone(arm: &Arm, split_p: Option<f64>, confidence: f64) -> Result<Row, Invalid> {
    let counted = arm.users > 0;
    let interval = if counted { Some(rate_interval(arm.matched, arm.users, confidence)?) } else { None };
    Ok(Row {
        variant: arm.variant.clone(),
        users: arm.users,
        matched: arm.matched,
        rate: counted.then(|| arm.matched as f64 / arm.users as f64),
        rate_low: interval.map(|i| i.low),
        rate_high: interval.map(|i| i.high),
        difference: None,
        difference_low: None,
        difference_high: None,
        lift: None,
        lift_low: None,
        lift_high: None,
        p_value: None,
        p_adjusted: None,
        probability_better: None,
        anytime_p: None,
        anytime_lift_low: None,
        anytime_lift_high: None,
        worth_per_user: arm.worth.filter(|_| counted).map(|worth| worth / arm.users as f64),
        split_p,
        verdict: None,
    })
}

/// Fills the columns that compare with the baseline; p-values are not yet adjusted.
fn against(row: &mut Row, arm: &Arm, base: &Arm, confidence: f64) -> Result<(), Invalid> {
    if arm.users > 0 && base.users > 0 {
        let (x1, n1, x2, n2) = (arm.matched, arm.users, base.matched, base.users);
        let (one, two) = (Counts::new(x1, n1)?, Counts::new(x2, n2)?);
        let difference = one.rate_difference(two);
        let interval = difference_interval(x1, n1, x2, n2, confidence)?;
        row.difference = Some(difference);
        row.difference_low = Some(interval.low);
        row.difference_high = Some(interval.high);
        // (p1 − p2) / p2: p1 / p2 − 1 would round to the digits of 1.
        row.lift = (x2 > 0).then(|| difference / two.rate());
        (row.lift_low, row.lift_high) = lift(ratio_interval(x1, n1, x2, n2, confidence)?);
        row.p_value = Some(proportion_test(x1, n1, x2, n2)?.p);
        row.probability_better = Some(probability_better(x1, n1, x2, n2)?);
    }
    let recorded = arm.assigned_users.is_some() && base.assigned_users.is_some();
    if recorded && arm.weight > 0.0 && base.weight > 0.0 {
        let converters = [arm.converters_all, base.converters_all];
        row.anytime_p = Some(anytime_test(&converters, &[arm.weight, base.weight], DEFAULT_CONCENTRATION)?);
        (row.anytime_lift_low, row.anytime_lift_high) =
            lift(anytime_ratio_interval(converters[0], converters[1], arm.weight, base.weight, confidence)?);
    }
    Ok(())
}

fn lift(ratio: Interval) -> (Option<f64>, Option<f64>) {
    (Some(ratio.low - 1.0), Some(ratio.high - 1.0))
}

/// Adjusts a p-value by Holm over the rows that have it.
fn adjust(rows: &mut [Row], get: impl Fn(&Row) -> Option<f64>, set: impl Fn(&mut Row, f64)) -> Result<(), Invalid> {
    let p: Vec<f64> = rows.iter().filter_map(&get).collect();
    let adjusted = adjust_p(&p)?;
    rows.iter_mut().filter(|row| get(row).is_some()).zip(adjusted).for_each(|(row, p)| set(row, p));
    Ok(())
}

/// The first verdict that applies, in this order. Every converter counts, so there may be one before the first user has
/// matured (`users` still 0). The fixed-sample test decides only when everything has matured, the anytime test always.
fn verdict(row: &Row, arm: &Arm, base: &Arm, level: f64, all_matured: bool) -> Verdict {
    let below = |p: Option<f64>| p.is_some_and(|p| p < level);
    let direction = |up: bool| if up { Verdict::Better } else { Verdict::Worse };
    if row.split_p.is_some_and(|p| p < UNSOUND_SPLIT) {
        Verdict::SplitIsUnsound
    } else if arm.converters_all.min(base.converters_all) < ENOUGH_CONVERTERS {
        Verdict::TooEarly
    } else if all_matured && below(row.p_adjusted) {
        direction(row.difference > Some(0.0))
    } else if below(row.anytime_p) {
        // Converters per share of the assignment: what the anytime test compares.
        direction(arm.converters_all as f64 / arm.weight > base.converters_all as f64 / base.weight)
    } else {
        Verdict::NoDifferenceShown
    }
}

#[cfg(test)]
mod tests {
    use super::super::numeric::assert_close;
    use super::*;

    fn arm(variant: &str, weight: f64, users: i64, matched: i64) -> Arm {
        let (converters_all, assigned_users) = (matched, Some(users));
        Arm { variant: variant.to_owned(), weight, users, matched, converters_all, assigned_users, worth: None }
    }
    /// The Hillstrom campaign, visits within two weeks.
    fn hillstrom() -> Vec<Arm> {
        let third = 1.0 / 3.0;
        vec![arm("control", third, 21_306, 2262), arm("mens", third, 21_307, 3894), arm("womens", third, 21_387, 3238)]
    }
    fn verdict_of(arms: &[Arm], all_matured: bool) -> Verdict {
        compare(arms, 0, 0.95, all_matured).unwrap()[1].verdict.unwrap()
    }

    #[test]
    fn the_hillstrom_campaign_gives_its_published_rates_and_both_mails_are_better() {
        let rows = compare(&hillstrom(), 0, 0.95, true).unwrap();
        let percent: Vec<String> = rows.iter().map(|row| format!("{:.3}", 100.0 * row.rate.unwrap())).collect();
        assert_eq!(percent, ["10.617", "18.276", "15.140"]);
        assert_eq!(
            rows.iter().map(|row| row.verdict).collect::<Vec<_>>(),
            [None, Some(Verdict::Better), Some(Verdict::Better)]
        );
        let (mens, womens) = (&rows[1], &rows[2]);
        assert_close(mens.difference.unwrap(), 3894.0 / 21_307.0 - 2262.0 / 21_306.0, 1e-13);
        assert_close(mens.lift.unwrap(), (3894.0 / 21_307.0) / (2262.0 / 21_306.0) - 1.0, 1e-13);
        // Holm: the smaller p twice, the larger once
        assert_eq!(mens.p_adjusted, mens.p_value.map(|p| 2.0 * p));
        assert_eq!(womens.p_adjusted, womens.p_value);
        assert_eq!(womens.p_value, Some(proportion_test(3238, 21_387, 2262, 21_306).unwrap().p));
        assert_eq!(mens.anytime_p, Some(2.0 * anytime_test(&[3894, 2262], &[1.0, 1.0], 100.0).unwrap()));
        assert_eq!(womens.anytime_p, Some(anytime_test(&[3238, 2262], &[1.0, 1.0], 100.0).unwrap()));
        let ratio = ratio_interval(3894, 21_307, 2262, 21_306, 0.95).unwrap();
        assert_eq!((mens.lift_low, mens.lift_high), (Some(ratio.low - 1.0), Some(ratio.high - 1.0)));
        let ratio = anytime_ratio_interval(3894, 2262, 1.0, 1.0, 0.95).unwrap();
        assert_eq!((mens.anytime_lift_low, mens.anytime_lift_high), (Some(ratio.low - 1.0), Some(ratio.high - 1.0)));
        let split = split_test(&[21_306, 21_307, 21_387], &[1.0, 1.0, 1.0]).unwrap().p;
        assert!(rows.iter().all(|row| row.split_p == Some(split)));
    }

    #[test]
    fn the_baseline_is_not_compared_with_itself() {
        let rows = compare(&hillstrom(), 1, 0.95, true).unwrap();
        let base = &rows[1];
        assert!(base.rate.is_some() && base.rate_low.is_some() && base.rate_high.is_some() && base.split_p.is_some());
        let comparing = [
            base.difference,
            base.difference_low,
            base.difference_high,
            base.lift,
            base.lift_low,
            base.lift_high,
            base.p_value,
            base.p_adjusted,
            base.probability_better,
            base.anytime_p,
            base.anytime_lift_low,
            base.anytime_lift_high,
        ];
        assert_eq!(comparing, [None; 12]);
        assert_eq!(base.verdict, None);
        assert_eq!((rows[0].verdict, rows[2].verdict), (Some(Verdict::Worse), Some(Verdict::Worse)));
    }

    #[test]
    fn without_baseline_conversions_there_is_no_lift_and_no_error() {
        let rows = compare(&[arm("control", 0.5, 500, 0), arm("a", 0.5, 500, 40)], 0, 0.95, true).unwrap();
        let a = &rows[1];
        assert_eq!(a.lift, None);
        assert_eq!((a.lift_high, a.anytime_lift_high), (Some(f64::INFINITY), Some(f64::INFINITY)));
        assert!(a.lift_low.is_some_and(|low| low > 0.0) && a.difference_low.is_some_and(|low| low > 0.0));
        assert_eq!(a.verdict, Some(Verdict::TooEarly));
    }

    #[test]
    fn an_arm_without_users_is_too_early_and_no_error() {
        for arms in [
            [arm("control", 0.5, 500, 50), arm("a", 0.5, 0, 0)],
            [arm("control", 0.5, 0, 0), arm("a", 0.5, 3, 3)],
            [arm("control", 0.5, 0, 0), arm("a", 0.5, 0, 0)],
            [arm("control", 1.0, 5, 0), arm("a", 0.0, 0, 0)],
        ] {
            let arms = arms.map(|arm| Arm { assigned_users: Some(0), worth: Some(7.0), ..arm });
            let rows = compare(&arms, 0, 0.95, true).unwrap();
            assert_eq!(rows[1].verdict, Some(Verdict::TooEarly));
            assert_eq!(
                (rows[1].difference, rows[1].p_value, rows[1].p_adjusted, rows[1].split_p),
                (None, None, None, None)
            );
            for (row, arm) in rows.iter().zip(&arms) {
                assert_eq!(
                    row.rate.is_none() && row.worth_per_user.is_none() && row.rate_low.is_none(),
                    arm.users == 0
                );
            }
        }
    }

    #[test]
    fn an_arm_without_users_does_not_weigh_on_the_others() {
        let three = [arm("control", 0.4, 400, 40), arm("a", 0.4, 400, 60), arm("empty", 0.2, 0, 0)];
        let rows = compare(&three, 0, 0.95, true).unwrap();
        assert_eq!(rows[1].p_adjusted, rows[1].p_value);
        assert_eq!(rows[2].verdict, Some(Verdict::SplitIsUnsound));
    }

    #[test]
    fn an_arm_that_is_not_recorded_is_in_no_comparison_and_not_in_the_split() {
        let unrecorded = Arm { assigned_users: None, ..arm("control", 0.5, 0, 0) };
        let rows =
            compare(&[unrecorded.clone(), arm("a", 0.25, 500, 200), arm("b", 0.25, 510, 200)], 0, 0.95, true).unwrap();
        assert_eq!(rows[0].split_p, Some(split_test(&[500, 510], &[1.0, 1.0]).unwrap().p));
        for row in &rows[1..] {
            assert_eq!((row.verdict, row.rate.is_some()), (Some(Verdict::TooEarly), true));
            assert_eq!((row.difference, row.p_value, row.anytime_p, row.anytime_lift_low), (None, None, None, None));
        }
        // The variants can be compared with each other as ever.
        let rows =
            compare(&[unrecorded.clone(), arm("a", 0.25, 500, 200), arm("b", 0.25, 510, 120)], 1, 0.95, true).unwrap();
        assert_eq!((rows[0].verdict, rows[2].verdict), (Some(Verdict::TooEarly), Some(Verdict::Worse)));
        assert_eq!(rows[2].anytime_p, Some(anytime_test(&[120, 200], &[1.0, 1.0], 100.0).unwrap()));
        // With one arm left there is no split.
        assert_eq!(compare(&[unrecorded, arm("", 0.5, 500, 200)], 0, 0.95, true).unwrap()[1].split_p, None);
    }

    #[test]
    fn nothing_is_claimed_on_an_unsound_split() {
        let mut arms = [arm("control", 0.5, 5000, 200), arm("a", 0.5, 5000, 900)];
        assert_eq!(verdict_of(&arms, true), Verdict::Better);
        arms[1].assigned_users = Some(6000);
        assert_eq!(verdict_of(&arms, true), Verdict::SplitIsUnsound);
    }

    #[test]
    fn fewer_than_ten_converters_in_either_arm_is_too_early() {
        assert_eq!(verdict_of(&[arm("control", 0.5, 900, 9), arm("a", 0.5, 900, 400)], true), Verdict::TooEarly);
        assert_eq!(verdict_of(&[arm("control", 0.5, 900, 400), arm("a", 0.5, 900, 9)], true), Verdict::TooEarly);
        assert_eq!(verdict_of(&[arm("control", 0.5, 900, 400), arm("a", 0.5, 900, 10)], true), Verdict::Worse);
    }

    #[test]
    fn the_fixed_sample_test_decides_only_once_everything_has_matured() {
        let arms = [arm("control", 0.5, 1000, 100), arm("a", 0.5, 1000, 132)];
        let row = &compare(&arms, 0, 0.95, false).unwrap()[1];
        assert!(row.p_adjusted.unwrap() < 0.05 && row.anytime_p.unwrap() > 0.05);
        assert_eq!(row.verdict, Some(Verdict::NoDifferenceShown));
        assert_eq!(verdict_of(&arms, true), Verdict::Better);
        let arms = [arm("control", 0.5, 1000, 132), arm("a", 0.5, 1000, 100)];
        assert_eq!(verdict_of(&arms, true), Verdict::Worse);
        assert_eq!(compare(&arms, 0, 0.99, true).unwrap()[1].verdict, Some(Verdict::NoDifferenceShown));
    }

    #[test]
    fn the_anytime_test_decides_at_any_moment_by_converters_per_share() {
        let running = |name, weight, converters_all, assigned_users| Arm {
            converters_all,
            assigned_users: Some(assigned_users),
            ..arm(name, weight, 0, 0)
        };
        // Nothing has matured: no rates yet, but every converter counts.
        let arms = [running("control", 0.8, 400, 8000), running("a", 0.2, 190, 2000)];
        let row = &compare(&arms, 0, 0.95, false).unwrap()[1];
        assert_eq!((row.rate, row.difference, row.verdict), (None, None, Some(Verdict::Better)));
        assert!(row.anytime_lift_low.unwrap() > 0.0);
        let arms = [running("control", 0.2, 190, 2000), running("a", 0.8, 400, 8000)];
        assert_eq!(verdict_of(&arms, false), Verdict::Worse);
    }

    #[test]
    fn other_arms_do_not_change_a_pair_except_through_holm() {
        let pair = compare(&[arm("control", 0.5, 900, 90), arm("a", 0.5, 900, 120)], 0, 0.95, true).unwrap();
        let three = [arm("control", 0.25, 900, 90), arm("a", 0.25, 900, 120), arm("b", 0.5, 1800, 180)];
        let three = compare(&three, 0, 0.95, true).unwrap();
        assert_eq!(three[1].anytime_p, pair[1].anytime_p.map(|p| (2.0 * p).min(1.0)));
        assert_eq!(three[1].p_adjusted, pair[1].p_value.map(|p| 2.0 * p));
        assert_eq!((three[1].p_value, three[1].anytime_lift_low), (pair[1].p_value, pair[1].anytime_lift_low));
    }

    #[test]
    fn worth_is_per_user_of_the_arm() {
        let arms = [Arm { worth: Some(250.0), ..arm("control", 0.5, 100, 5) }, arm("a", 0.5, 100, 5)];
        let rows = compare(&arms, 0, 0.95, true).unwrap();
        assert_eq!((rows[0].worth_per_user, rows[1].worth_per_user), (Some(2.5), None));
    }

    #[test]
    fn a_message_without_variants_is_one_row() {
        let rows = compare(&[arm("default", 1.0, 100, 5)], 0, 0.95, true).unwrap();
        assert_eq!((rows.len(), rows[0].rate, rows[0].split_p), (1, Some(0.05), None));
    }

    #[test]
    fn a_variant_of_weight_zero_has_no_anytime_columns() {
        let arms = [arm("control", 0.5, 100, 20), arm("a", 0.5, 100, 20), arm("forced", 0.0, 0, 0)];
        let rows = compare(&arms, 0, 0.95, true).unwrap();
        assert_eq!((rows[2].anytime_p, rows[2].anytime_lift_low), (None, None));
        assert!(rows[1].split_p.is_some_and(|p| p == 1.0));
    }

    #[test]
    fn the_verdicts_are_the_words_of_the_specification() {
        let words = ["split is unsound", "too early", "better", "worse", "no difference shown"];
        assert_eq!(Verdict::ALL.map(Verdict::as_str), words);
        assert_eq!(words.map(|words| words.parse::<Verdict>().unwrap()), Verdict::ALL);
        assert_eq!("Better".parse::<Verdict>().unwrap_err(), "\"Better\" is no verdict");
    }

    #[test]
    fn impossible_figures_are_refused() {
        let good = || arm("a", 0.5, 10, 5);
        assert!(compare(&[good()], 1, 0.95, true).is_err());
        assert!(compare(&[], 0, 0.95, true).is_err());
        assert!(compare(&[good(), good()], 0, 95.0, true).is_err());
        for bad in [
            Arm { matched: 11, ..good() },
            Arm { matched: -1, ..good() },
            Arm { users: -1, ..good() },
            Arm { users: 0, ..good() },
            Arm { converters_all: -1, ..good() },
            Arm { assigned_users: Some(-1), ..good() },
            Arm { weight: -0.1, ..good() },
            Arm { weight: f64::NAN, ..good() },
            Arm { weight: f64::INFINITY, ..good() },
        ] {
            assert!(compare(&[good(), bad], 0, 0.95, true).is_err());
        }
    }
}
