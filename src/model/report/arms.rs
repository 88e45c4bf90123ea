//! Who is who: one look (number, colour, line) per variant, the same in every table and chart of the page.

use super::data::{Report, Words};

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

/// The compared variants in their order, then those only the curve knows.
pub fn arms(report: &Report) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    let compared = report.variants.iter().map(|v| (&v.variant, is_control(v.is_control, &v.variant)));
    let curves = report.curve.iter().map(|p| (&p.variant, is_control(p.is_control, &p.variant)));
    let mut number = 0;
    for (variant, control) in compared.chain(curves) {
        if arms.iter().any(|a| a.control == control && (control || a.variant == *variant)) {
            continue;
        }
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

impl Arm {
    /// CSS class that carries the arm's colour and line.
    pub fn class(&self) -> String {
        self.colour.map_or("vc".into(), |c| format!("v{c}"))
    }
}
