//! The groups: one name, number, colour and line per variant, the same in every table and chart of the page.

use super::data::{Report, Words};
use maud::{Markup, html};
use std::collections::HashSet;

/// Colours in the palette; the ninth variant looks like the first but keeps its own number.
const PALETTE: usize = 8;

#[derive(Clone, Debug, PartialEq)]
pub struct Group<'a> {
    /// as SQL knows it; None: the message has no variants
    pub variant: Option<&'a Words>,
    pub control: bool,
    /// true for the group that the others were compared with
    pub baseline: bool,
    pub name: Words,
    /// stands for the name where there is no room: `C` for the control group, else a number
    pub key: String,
    /// CSS class that carries the group's colour and line
    pub class: String,
}

/// The group of each row of the comparison, in their order, then the groups that only the curve has.
pub fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut variants: Vec<_> = report.variants.iter().map(|row| row.variant.as_ref()).collect();
    let mut seen: HashSet<_> = variants.iter().copied().collect();
    variants.extend(report.curve.iter().map(|point| point.variant.as_ref()).filter(|variant| seen.insert(*variant)));
    let baseline = report.variants.iter().position(|row| row.verdict.is_none()).filter(|_| report.variants.len() > 1);
    let mut groups: Vec<Group> = Vec::new();
    let mut number = 0;
    for (place, variant) in variants.into_iter().enumerate() {
        let control = variant.is_some_and(|v| v.0 == "control");
        number += usize::from(!control);
        groups.push(Group {
            variant,
            control,
            baseline: Some(place) == baseline,
            name: match variant {
                _ if control => Words("Control group".into()),
                Some(name) => name.clone(),
                None => Words(report.words("The message", "The programme").into()),
            },
            key: if control { "C".into() } else { number.to_string() },
            class: if control { "vc".into() } else { format!("v{}", (number - 1) % PALETTE) },
        });
    }
    groups
}

impl Group<'_> {
    /// The badge that stands for the group beside its name.
    pub fn badge(&self) -> Markup {
        html! { b.{"badge " (self.class)} aria-hidden="true" { (self.key) } }
    }

    /// The name, for the middle of a sentence.
    pub fn in_words(&self) -> Markup {
        if self.control {
            html! { "the control group" }
        } else {
            self.quoted()
        }
    }

    pub fn quoted(&self) -> Markup {
        html! { "“" (self.name.html(60)) "”" }
    }
}
