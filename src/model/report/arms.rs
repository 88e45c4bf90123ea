//! Who is who: one look (number, colour, line) per variant, the same in every table and chart of the page.

use super::data::{Report, Words};
use std::collections::{HashMap, HashSet};

/// Colours in the palette; the ninth variant looks like the first but keeps its own number.
pub const PALETTE: usize = 8;

#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// as SQL knows it
    pub variant: Words,
    pub control: bool,
    pub baseline: bool,
    /// for people, not escaped
    pub name: String,
    /// what stands for the name where there is no room: `C` for the control group, else a number
    pub key: String,
    /// place in the palette; none for the control group
    pub colour: Option<usize>,
}

fn is_control(flag: Option<bool>, variant: &Words) -> bool {
    flag.unwrap_or(variant.get() == Some("control"))
}

/// What tells arms apart: the control group is one, whatever it is called.
type Identity<'a> = Option<&'a Words>;

fn identity(flag: Option<bool>, variant: &Words) -> Identity<'_> {
    (!is_control(flag, variant)).then_some(variant)
}

/// All that the page has a row or a point of, in its order, each once.
fn distinct(report: &Report) -> Vec<(&Words, bool)> {
    let compared = report.variants.iter().map(|v| (&v.variant, v.is_control));
    let curves = report.curve.iter().map(|p| (&p.variant, p.is_control));
    let mut seen = HashSet::new();
    let all = compared.chain(curves).filter(|(variant, flag)| seen.insert(identity(*flag, variant)));
    all.map(|(variant, flag)| (variant, is_control(flag, variant))).collect()
}

/// How many arms there are.
pub fn count(report: &Report) -> usize {
    distinct(report).len()
}

/// The compared variants in their order, then those only the curve knows.
pub fn arms(report: &Report) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    let mut number = 0;
    for (variant, control) in distinct(report) {
        number += usize::from(!control);
        let named = variant.get().unwrap_or("The message");
        arms.push(Arm {
            variant: variant.clone(),
            control,
            baseline: false,
            name: if control { "Control group".into() } else { named.to_owned() },
            key: if control { "C".into() } else { number.to_string() },
            colour: (!control).then(|| (number - 1) % PALETTE),
        });
    }
    if let Some(at) = baseline(report, &arms) {
        arms[at].baseline = true;
    }
    arms
}

fn baseline(report: &Report, arms: &[Arm]) -> Option<usize> {
    if report.variants.len() < 2 {
        return None;
    }
    let named = report
        .baseline
        .get()
        .and_then(|b| arms.iter().position(|a| a.variant.get() == Some(b) || (a.control && b == "control")));
    let control = arms.iter().position(|a| a.control);
    let uncompared = || {
        let row = report.variants.iter().find(|v| v.lift.0.is_none() && v.verdict.get().is_none())?;
        find(arms, &row.variant, row.is_control)
    };
    named.or(control).or_else(uncompared)
}

/// The place of the arm a row or a point of the curve belongs to.
pub fn find(arms: &[Arm], variant: &Words, flag: Option<bool>) -> Option<usize> {
    let control = is_control(flag, variant);
    arms.iter().position(|a| a.control == control && (control || a.variant == *variant))
}

/// The places of all arms, for the many points of a curve.
pub struct Places<'a>(HashMap<Identity<'a>, usize>);

impl<'a> Places<'a> {
    pub fn of(arms: &'a [Arm]) -> Places<'a> {
        Places(arms.iter().enumerate().map(|(i, a)| ((!a.control).then_some(&a.variant), i)).collect())
    }

    pub fn find(&self, variant: &Words, flag: Option<bool>) -> Option<usize> {
        self.0.get(&identity(flag, variant)).copied()
    }
}

impl Arm {
    /// CSS class that carries the arm's colour and line.
    pub fn class(&self) -> String {
        self.colour.map_or("vc".into(), |c| format!("v{c}"))
    }
}
