//! What SQL hands over: one jsonb value. Every field may be absent or null; unknown fields are ignored.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A number as SQL gives it: a JSON number, a number in a string (numeric), "Infinity" or "-Infinity". Null, NaN and
/// whatever else is no number are `None`; beyond 10^15 all is infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figure(pub Option<f64>);

impl<'de> Deserialize<'de> for Figure {
    // by way of Value: with serde_json's arbitrary_precision a number reaches a visitor as a map
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(n) => n.as_f64(),
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|n: &f64| !n.is_nan());
        // so far out, a number has no place in a chart and its digits mean nothing
        Ok(Figure(number.map(|n| if n.abs() > 1e15 { n.signum() * f64::INFINITY } else { n })))
    }
}

impl Figure {
    /// The value when it is neither missing nor infinite.
    pub fn finite(self) -> Option<f64> {
        self.0.filter(|n| n.is_finite())
    }

    /// A count: finite and not negative; zero when missing.
    pub fn count(self) -> f64 {
        self.finite().unwrap_or(0.0).max(0.0)
    }

    /// `self / whole`, where both are known and the whole is not zero.
    pub fn of(self, whole: Figure) -> Option<f64> {
        let whole = whole.finite().filter(|n| *n > 0.0)?;
        self.finite().map(|n| n / whole)
    }
}

/// A share of a whole, from 0 to 1; whatever else is given is `None`.
fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Figure, D::Error> {
    let figure = Figure::deserialize(deserializer)?;
    Ok(Figure(figure.0.filter(|n| (0.0..=1.0).contains(n))))
}

/// Text as SQL gives it: a string; any other scalar or a json value by its JSON text; null is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Words(pub Option<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // its text and not a Value: properties may be nested more deeply than one is built
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Words(match json.get() {
            "null" => None,
            text if text.starts_with('"') => Some(serde_json::from_str(text).map_err(D::Error::custom)?),
            text => Some(text.into()),
        }))
    }
}

impl Words {
    /// The text when there is one and it is not blank.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|s| !s.trim().is_empty())
    }
}

/// `jsonb_agg` over no rows is NULL: the same as an empty list, as a missing object is an empty one.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Report {
    #[serde(deserialize_with = "or_default")]
    pub message: Message,
    /// when the figures were read, RFC 3339 as `to_jsonb(timestamptz)` writes it
    pub as_of: Words,
    /// the goal that `variants` and `curve` are about; missing: `primary`, else the first goal
    pub goal: Words,
    /// the variant the others were compared with; missing: the control group, else the first row without a lift
    pub baseline: Words,
    /// of the intervals; missing: 0.95
    pub confidence: Figure,
    /// no time limit had run out, so that `variants` counts receipts whose time limit still runs; missing: they are left out
    #[serde(deserialize_with = "or_default")]
    pub running_included: bool,
    #[serde(deserialize_with = "or_default")]
    pub goals: Vec<Goal>,
    #[serde(deserialize_with = "or_default")]
    pub totals: Totals,
    /// rows of `goals.compare`
    #[serde(deserialize_with = "or_default")]
    pub variants: Vec<Variant>,
    #[serde(deserialize_with = "or_default")]
    pub curve: Vec<CurvePoint>,
}

impl Report {
    /// The goal the comparison and the curve are about.
    pub fn compared_goal(&self) -> Option<&Goal> {
        let wanted = self.goal.get().unwrap_or("primary");
        self.goals.iter().find(|g| g.name.get() == Some(wanted)).or(self.goals.first())
    }

    /// One goal under its default name: no need to call it by name.
    pub fn only_primary(&self) -> bool {
        matches!(self.goals.as_slice(), [only] if only.name.get().unwrap_or("primary") == "primary")
    }

    /// As a fraction, strictly between 0 and 1.
    pub fn confidence(&self) -> f64 {
        self.confidence.0.filter(|c| *c > 0.0 && *c < 1.0).unwrap_or(0.95)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    pub name: Words,
    /// `ongoing` or `one_off`
    pub kind: Words,
    pub channel: Words,
    pub created_at: Words,
}

/// Counts of receipts, the control group's never among them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Goal {
    pub name: Words,
    /// the goal in words; missing: made of the fields attribute to properties
    pub description: Words,
    pub attribute: Words,
    pub operator: Words,
    pub value: Words,
    pub event: Words,
    pub times: Figure,
    pub properties: Words,
    /// `sent`, `opened` or `clicked`: what the time limit runs from
    pub after: Words,
    /// an interval's text (any intervalstyle) or a number of seconds
    pub time_limit: Words,
    pub version: Figure,
    pub sent: Figure,
    pub opened: Figure,
    pub clicked: Figure,
    pub already_matched: Figure,
    pub matched: Figure,
    pub matched_after_open: Figure,
    pub matched_after_click: Figure,
    /// unmatched receipts whose time limit still runs
    pub in_progress: Figure,
    pub worth: Figure,
    /// a boolean, or when it was stopped
    pub stopped: Words,
}

impl Goal {
    pub fn is_stopped(&self) -> bool {
        self.stopped.get().is_some_and(|s| s != "false")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Totals {
    pub sent: Figure,
    pub opened: Figure,
    pub clicked: Figure,
    /// receipts of the control group
    pub control: Figure,
}

/// A row of `goals.compare`. Counts are of users, rates and lifts are fractions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Variant {
    /// null: the message has no variants
    pub variant: Words,
    /// missing: true of the name `control`
    #[serde(deserialize_with = "or_default")]
    pub is_control: Option<bool>,
    pub users: Figure,
    pub matched: Figure,
    #[serde(deserialize_with = "share")]
    pub rate: Figure,
    #[serde(deserialize_with = "share")]
    pub rate_low: Figure,
    #[serde(deserialize_with = "share")]
    pub rate_high: Figure,
    pub difference: Figure,
    pub difference_low: Figure,
    pub difference_high: Figure,
    pub lift: Figure,
    pub lift_low: Figure,
    pub lift_high: Figure,
    #[serde(deserialize_with = "share")]
    pub p_value: Figure,
    #[serde(deserialize_with = "share")]
    pub p_adjusted: Figure,
    #[serde(deserialize_with = "share")]
    pub probability_better: Figure,
    #[serde(deserialize_with = "share")]
    pub anytime_p: Figure,
    pub anytime_lift_low: Figure,
    pub anytime_lift_high: Figure,
    pub worth_per_user: Figure,
    #[serde(deserialize_with = "share")]
    pub split_p: Figure,
    pub verdict: Words,
}

/// By the end of `day` times 24 hours since sending, `matched_cumulative` of `eligible` had reached the goal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CurvePoint {
    pub variant: Words,
    #[serde(deserialize_with = "or_default")]
    pub is_control: Option<bool>,
    pub day: Figure,
    pub matched_cumulative: Figure,
    pub eligible: Figure,
}
