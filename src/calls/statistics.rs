//! Statistics: each function of [`crate::model::inference`] under its own name.

use crate::model::error::{Error, Result};
use crate::model::inference as stats;
use crate::model::report;
use crate::pg::call::{Args, Out};
use crate::pg::encoding;

fn bigint(args: &Args, i: usize, name: &'static str) -> Result<i64> {
    args.bigint(i).ok_or(Error::NullArgument { name })
}

fn double(args: &Args, i: usize, name: &'static str) -> Result<f64> {
    args.double(i).ok_or(Error::NullArgument { name })
}

fn bigints(args: &Args, i: usize, name: &'static str) -> Result<Vec<i64>> {
    args.bigints(i).and_then(|v| v.into_iter().collect()).ok_or(Error::NullArgument { name })
}

fn doubles(args: &Args, i: usize, name: &'static str) -> Result<Vec<f64>> {
    args.doubles(i).and_then(|v| v.into_iter().collect()).ok_or(Error::NullArgument { name })
}

fn interval(interval: stats::Interval) -> Out {
    Out::Record(vec![Out::Double(interval.low), Out::Double(interval.high)])
}

/// The arguments x1, n1, x2, n2.
fn two_arms(args: &Args) -> Result<(i64, i64, i64, i64)> {
    Ok((bigint(args, 0, "x1")?, bigint(args, 1, "n1")?, bigint(args, 2, "x2")?, bigint(args, 3, "n2")?))
}

/// goals.rate_interval(x, n, confidence)
pub fn rate_interval(args: &Args) -> Result<Out> {
    let (x, n) = (bigint(args, 0, "x")?, bigint(args, 1, "n")?);
    Ok(interval(stats::rate_interval(x, n, double(args, 2, "confidence")?)?))
}

/// goals.difference_interval(x1, n1, x2, n2, confidence)
pub fn difference_interval(args: &Args) -> Result<Out> {
    let (x1, n1, x2, n2) = two_arms(args)?;
    Ok(interval(stats::difference_interval(x1, n1, x2, n2, double(args, 4, "confidence")?)?))
}

/// goals.ratio_interval(x1, n1, x2, n2, confidence)
pub fn ratio_interval(args: &Args) -> Result<Out> {
    let (x1, n1, x2, n2) = two_arms(args)?;
    Ok(interval(stats::ratio_interval(x1, n1, x2, n2, double(args, 4, "confidence")?)?))
}

/// goals.proportion_test(x1, n1, x2, n2)
pub fn proportion_test(args: &Args) -> Result<Out> {
    let (x1, n1, x2, n2) = two_arms(args)?;
    let test = stats::proportion_test(x1, n1, x2, n2)?;
    Ok(Out::Record(vec![Out::Double(test.z), Out::Double(test.p)]))
}

/// goals.proportions_test(x, n)
pub fn proportions_test(args: &Args) -> Result<Out> {
    let test = stats::proportions_test(&bigints(args, 0, "x")?, &bigints(args, 1, "n")?)?;
    Ok(Out::Record(vec![
        Out::Double(test.chi_square),
        Out::Integer(test.degrees_of_freedom as i32),
        Out::Double(test.p),
    ]))
}

/// goals.adjust_p(p)
pub fn adjust_p(args: &Args) -> Result<Out> {
    Ok(Out::Doubles(stats::adjust_p(&doubles(args, 0, "p")?)?))
}

/// goals.probability_better(x1, n1, x2, n2)
pub fn probability_better(args: &Args) -> Result<Out> {
    let (x1, n1, x2, n2) = two_arms(args)?;
    Ok(Out::Double(stats::probability_better(x1, n1, x2, n2)?))
}

/// goals.anytime_test(x, weight, concentration)
pub fn anytime_test(args: &Args) -> Result<Out> {
    let (x, weight) = (bigints(args, 0, "x")?, doubles(args, 1, "weight")?);
    Ok(Out::Double(stats::anytime_test(&x, &weight, double(args, 2, "concentration")?)?))
}

/// goals.anytime_ratio_interval(x1, x2, weight1, weight2, confidence)
pub fn anytime_ratio_interval(args: &Args) -> Result<Out> {
    let (x1, x2) = (bigint(args, 0, "x1")?, bigint(args, 1, "x2")?);
    let (weight1, weight2) = (double(args, 2, "weight1")?, double(args, 3, "weight2")?);
    Ok(interval(stats::anytime_ratio_interval(x1, x2, weight1, weight2, double(args, 4, "confidence")?)?))
}

/// goals.split_test(n, weight)
pub fn split_test(args: &Args) -> Result<Out> {
    let test = stats::split_test(&bigints(args, 0, "n")?, &doubles(args, 1, "weight")?)?;
    Ok(Out::Record(vec![Out::Double(test.chi_square), Out::Double(test.p)]))
}

/// goals.sample_size(p1, p2, power, confidence)
pub fn sample_size(args: &Args) -> Result<Out> {
    let (p1, p2) = (double(args, 0, "p1")?, double(args, 1, "p2")?);
    Ok(Out::Double(stats::sample_size(p1, p2, double(args, 2, "power")?, double(args, 3, "confidence")?)?))
}

fn maybe(value: Option<f64>) -> Out {
    value.map_or(Out::Null, Out::Double)
}

/// goals_internal.compare_arms(variant, weight, users, matched, converters_all, assigned_users, worth, baseline,
/// confidence, all_matured)
pub fn compare_arms(args: &Args) -> Result<Out> {
    let variants = args.texts(0).ok_or(Error::NullArgument { name: "variant" })?;
    let weights = doubles(args, 1, "weight")?;
    let (users, matched) = (bigints(args, 2, "users")?, bigints(args, 3, "matched")?);
    let converters = bigints(args, 4, "converters_all")?;
    // NULL: no receipt of that arm is recorded.
    let assigned = args.bigints(5).ok_or(Error::NullArgument { name: "assigned_users" })?;
    let worths = args.doubles(6).ok_or(Error::NullArgument { name: "worth" })?;
    let baseline = args.integer(7).ok_or(Error::NullArgument { name: "baseline" })?;
    let confidence = double(args, 8, "confidence")?;
    let n = variants.len();
    let lengths = [weights.len(), users.len(), matched.len(), converters.len(), assigned.len(), worths.len()];
    let base = usize::try_from(baseline).ok().filter(|b| (1..=n).contains(b));
    let (true, Some(base)) = (lengths.iter().all(|l| *l == n), base) else {
        return Err(Error::InvalidArgument {
            message: "the arrays have different lengths, or the baseline is not one of the arms".into(),
            hint: "Pass one element per arm in every array, and count the baseline from 1.".into(),
        });
    };
    let arms: Vec<stats::Arm> = (0..n)
        .map(|i| stats::Arm {
            variant: variants[i].clone(),
            weight: weights[i],
            users: users[i],
            matched: matched[i],
            converters_all: converters[i],
            assigned_users: assigned[i],
            worth: worths[i],
        })
        .collect();
    let rows = stats::compare(&arms, base - 1, confidence, args.boolean(9).unwrap_or(false))?;
    Ok(Out::Rows(rows.into_iter().enumerate().map(|(i, row)| compared(i, row)).collect()))
}

fn compared(i: usize, row: stats::Row) -> Vec<Out> {
    vec![
        Out::Integer(i as i32 + 1),
        Out::Bigint(row.users),
        Out::Bigint(row.matched),
        maybe(row.rate),
        maybe(row.rate_low),
        maybe(row.rate_high),
        maybe(row.difference),
        maybe(row.difference_low),
        maybe(row.difference_high),
        maybe(row.lift),
        maybe(row.lift_low),
        maybe(row.lift_high),
        maybe(row.p_value),
        maybe(row.p_adjusted),
        maybe(row.probability_better),
        maybe(row.anytime_p),
        maybe(row.anytime_lift_low),
        maybe(row.anytime_lift_high),
        maybe(row.worth_per_user),
        maybe(row.split_p),
        row.verdict.map_or(Out::Null, |v| Out::Text(v.as_str().into())),
    ]
}

/// goals_internal.report_page(figures)
pub fn report_page(args: &Args) -> Result<Out> {
    let figures = encoding::readable(args.text_required(0, "figures")?);
    let report = report::read(&figures).map_err(|why| Error::InvalidArgument {
        message: format!("the figures of the report cannot be read: {why}"),
        hint: "Pass what goals.report_data() returns.".into(),
    })?;
    Ok(Out::Text(report::render(&report)))
}
