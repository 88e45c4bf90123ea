//! The figures from SQL: the object that `goals.report_data()` returns. Fields that the page does not show are ignored.

use crate::inference::Verdict;
use chrono::{DateTime, FixedOffset};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// Beyond this a number has no place in a chart, and its digits mean nothing.
const FAR: f64 = 1e15;

/// A count of receipts, people or days: finite, and at least zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Count(pub f64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        Ok(Count(number.as_f64().unwrap_or(FAR).clamp(0.0, FAR)))
    }
}

impl Count {
    pub fn is_some(self) -> bool {
        self.0 > 0.0
    }

    /// `self / whole`; `None` if `whole` is zero.
    pub fn share_of(self, whole: Count) -> Option<f64> {
        whole.is_some().then(|| self.0 / whole.0)
    }
}

/// Any number, including `"Infinity"` and `"-Infinity"`. Null and NaN are `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure(pub Option<f64>);

impl<'de> Deserialize<'de> for Figure {
    // by way of Value: with serde_json's arbitrary_precision a number reaches a visitor as a map
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Null => None,
            Value::Number(n) => n.as_f64(),
            Value::String(s) => Some(s.parse().map_err(|_| D::Error::custom(format!("{s:?} is no number")))?),
            other => return Err(D::Error::custom(format!("{other} is no number"))),
        };
        let number = number.filter(|n: &f64| !n.is_nan());
        Ok(Figure(number.map(|n| if n.abs() > FAR { n.signum() * f64::INFINITY } else { n })))
    }
}

impl Figure {
    /// The value; `None` if it is missing or infinite.
    pub fn finite(self) -> Option<f64> {
        self.0.filter(|n| n.is_finite())
    }
}

/// Text that people gave. It gets into a page only through the functions of [`super::text`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
pub struct Words(pub String);

/// A time as `to_jsonb(timestamptz)` writes it, in the session's time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment(pub DateTime<FixedOffset>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text).map(Moment).map_err(|_| D::Error::custom(format!("{text:?} is no time")))
    }
}

/// JSON as its text, not as a value: properties may be nested more deeply than a value can be built.
fn json_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Words>, D::Error> {
    Ok(Option::<Box<RawValue>>::deserialize(deserializer)?.map(|json| Words(json.get().into())))
}

fn verdict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Verdict>, D::Error> {
    let words = Option::<String>::deserialize(deserializer)?;
    words.map(|words| words.parse().map_err(D::Error::custom)).transpose()
}

/// A list; null is empty, as `jsonb_agg` over no rows gives null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    pub message: MessageFacts,
    /// when the figures were read
    pub as_of: Moment,
    /// confidence of the intervals, as a fraction
    pub confidence: f64,
    /// no time limit had run out, so `variants` counts receipts whose time limit still runs
    pub running_included: bool,
    /// `variants` and `curve` are about the first
    #[serde(deserialize_with = "list")]
    pub goals: Vec<GoalFigures>,
    pub totals: Totals,
    #[serde(deserialize_with = "list")]
    pub variants: Vec<Compared>,
    /// by variant and day
    #[serde(deserialize_with = "list")]
    pub curve: Vec<CurvePoint>,
    /// receipts that were withdrawn: `variants` and `curve` count them, nothing else does
    pub withdrawn: Count,
    /// the messages of a programme
    #[serde(deserialize_with = "list")]
    pub parts: Vec<Part>,
}

impl Report {
    /// The words for a programme, or those for a message.
    pub fn words(&self, message: &'static str, programme: &'static str) -> &'static str {
        if self.message.kind == Kind::Programme { programme } else { message }
    }

    /// True if the only goal has its default name; it then need not be named.
    pub fn only_primary(&self) -> bool {
        matches!(self.goals.as_slice(), [only] if only.name.0 == "primary")
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct MessageFacts {
    pub name: Words,
    pub kind: Kind,
    pub channel: Option<Words>,
    pub created_at: Moment,
    /// the programme it is part of
    pub part_of: Option<Words>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Ongoing,
    OneOff,
    Programme,
}

/// What the time limit runs from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum After {
    Sent,
    Opened,
    Clicked,
}

/// A goal and its counts of receipts, without those of the control group.
#[derive(Clone, Debug, Deserialize)]
pub struct GoalFigures {
    pub name: Words,
    pub attribute: Option<Words>,
    pub operator: Option<Words>,
    pub value: Option<Words>,
    pub event: Option<Words>,
    pub times: Count,
    #[serde(deserialize_with = "json_text")]
    pub properties: Option<Words>,
    pub after: After,
    /// in seconds
    pub time_limit: Count,
    pub version: Count,
    pub sent: Count,
    pub opened: Count,
    pub already_matched: Count,
    pub matched: Count,
    pub matched_after_open: Count,
    pub matched_after_click: Count,
    /// unmatched receipts whose time limit still runs
    pub in_progress: Count,
    pub delivered: Count,
    pub worth: Figure,
    /// when it was stopped
    pub stopped: Option<Moment>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Totals {
    /// of a programme: the people who entered
    pub sent: Count,
    /// if no delivery is reported, what did not bounce
    pub delivered: Count,
    pub deliveries_reported: bool,
    pub bounced: Count,
    pub complained: Count,
    pub unsubscribed: Count,
    pub opened: Count,
    pub clicked: Count,
    pub opened_by_machine: Count,
    pub clicked_by_machine: Count,
    /// receipts of the control group
    pub control: Count,
}

impl Totals {
    /// What was delivered; `None` unless a delivery or a bounce is known.
    pub fn known_delivered(&self) -> Option<Count> {
        (self.deliveries_reported || self.delivered < self.sent).then_some(self.delivered)
    }
}

/// A message or programme that is part of a programme.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    pub name: Words,
    pub kind: Kind,
    pub sent: Count,
    pub delivered: Count,
    pub opened: Count,
    pub clicked: Count,
    /// of its primary goal; None: it has none
    pub matched: Option<Count>,
}

/// A row of `goals.compare`. Counts are of people, rates and lifts are fractions.
#[derive(Clone, Debug, Deserialize)]
pub struct Compared {
    /// None: the message has no variants
    pub variant: Option<Words>,
    pub users: Count,
    pub matched: Count,
    pub rate: Figure,
    pub rate_low: Figure,
    pub rate_high: Figure,
    pub difference: Figure,
    pub difference_low: Figure,
    pub difference_high: Figure,
    pub lift: Figure,
    pub lift_low: Figure,
    pub lift_high: Figure,
    pub p_adjusted: Figure,
    pub probability_better: Figure,
    pub anytime_p: Figure,
    pub anytime_lift_low: Figure,
    pub anytime_lift_high: Figure,
    pub worth_per_user: Figure,
    pub split_p: Figure,
    /// None on the baseline's row
    #[serde(deserialize_with = "verdict")]
    pub verdict: Option<Verdict>,
}

/// By the end of `day` times 24 hours since sending, `matched_cumulative` of `eligible` had reached the goal.
#[derive(Clone, Debug, Deserialize)]
pub struct CurvePoint {
    pub variant: Option<Words>,
    pub day: Count,
    pub matched_cumulative: Count,
    pub eligible: Count,
}
