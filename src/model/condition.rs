//! Decides whether a change satisfies a goal. Live matching, "already matched" and `explain` share this one evaluator.

use std::borrow::Cow;

use super::array::parse_array;
use super::decimal::{Arithmetic, Decimal, Recast, trim};
use super::error::{Error, Result};
use super::operator::{Describes, Needs, Operator};
use super::text::{self, Exact, TextEquality};
use super::value::{Kind, Value};

/// An operator and the values it compares with, checked against the attribute's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    operator: Operator,
    /// Empty, one value, or all values of `is any of`.
    operands: Vec<Operand>,
    arithmetic: Arithmetic,
    /// The change of type since values at the time of sending were read, if it changes numbers.
    recast: Option<Recast>,
}

/// A value as the goal's author wrote it, in every kind it can be read as: a json attribute may hold any of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Operand {
    pub(super) text: Vec<u8>,
    /// The text in lower case, for the operators that ignore case.
    pub(super) folded: Vec<u8>,
    pub(super) number: Option<Decimal>,
    pub(super) boolean: Option<bool>,
}

/// The numbers that a column can hold.
#[derive(Clone, Debug)]
pub struct Range {
    /// The least one.
    pub least: Decimal,
    /// The greatest one.
    pub most: Decimal,
    /// Whether NaN and the infinities are among them.
    pub infinite: bool,
}

impl Range {
    /// True if the number is one of them.
    pub fn has(&self, number: &Decimal) -> bool {
        if number.is_finite() { self.least <= *number && *number <= self.most } else { self.infinite }
    }
}

impl Operand {
    fn new(value: &str) -> Self {
        Self {
            text: value.as_bytes().to_vec(),
            folded: text::fold(value.as_bytes()),
            number: Decimal::parse(value),
            boolean: parse_boolean(value),
        }
    }

    fn is(&self, value: &Value, eq: &dyn TextEquality) -> bool {
        match value {
            Value::Text(text) => eq.equal(text, &self.text),
            Value::Number(number) => self.number.as_ref() == Some(number),
            Value::Boolean(boolean) => self.boolean == Some(*boolean),
            _ => false,
        }
    }
}

impl Condition {
    /// Checks an operator and its value against an attribute's kind. `type_name` is the type as the user knows it.
    ///
    /// `value` is NULL (`None`) for the operators that take none. For `is any of` it is a text array literal; its NULL
    /// elements are ignored.
    ///
    /// Errors: [`Error::OperatorNotForType`], [`Error::ValueMissing`], [`Error::ValueUnexpected`],
    /// [`Error::InvalidValue`], [`Error::InvalidArray`], and [`Error::InvalidArgument`] for a comparison with NaN or a
    /// gain that is not positive and finite.
    pub fn new(kind: Kind, type_name: &str, operator: Operator, value: Option<&str>) -> Result<Self> {
        let name = operator.name();
        if !operator.applies_to(kind) {
            return Err(Error::OperatorNotForType { operator: name, type_name: type_name.to_owned(), kind });
        }
        let operands = match (operator.needs(), value) {
            (Needs::None, None) => Vec::new(),
            (Needs::None, Some(_)) => return Err(Error::ValueUnexpected { operator: name }),
            (_, None) => return Err(Error::ValueMissing { operator: name }),
            (Needs::One, Some(value)) => vec![operand(kind, type_name, operator, value)?],
            (Needs::List, Some(value)) => {
                let elements = parse_array(value).unwrap_or_default();
                let operands: Vec<_> =
                    elements.iter().flatten().map(|e| operand(kind, type_name, operator, e)).collect::<Result<_>>()?;
                if operands.is_empty() {
                    return Err(Error::InvalidArray { value: value.to_owned() });
                }
                operands
            }
        };
        Ok(Self { operator, operands, arithmetic: Arithmetic::Exact, recast: None })
    }

    /// Checks that a column of this range can hold the numbers it compares with, or change by them.
    ///
    /// Errors: [`Error::OutOfRange`].
    pub fn check(&self, range: &Range, type_name: &str) -> Result<()> {
        let gain = Range { least: Decimal::zero(), most: range.most.sub(&range.least), infinite: false };
        let holds = if self.operator == Operator::IsIncreasedBy { &gain } else { range };
        match self.operands.iter().find(|operand| operand.number.as_ref().is_some_and(|number| !holds.has(number))) {
            None => Ok(()),
            Some(operand) => Err(Error::OutOfRange {
                value: String::from_utf8_lossy(&operand.text).into_owned(),
                type_name: type_name.to_owned(),
                range: [range.least.shown(), range.most.shown()],
            }),
        }
    }

    /// Whether both ask the same of an attribute of this kind, however their values are written.
    pub fn means_the_same(&self, other: &Condition, kind: Kind) -> bool {
        let only_numbers = !self.operator.applies_to(Kind::Text);
        let same = |a: &Operand, b: &Operand| match kind {
            Kind::Boolean => a.boolean == b.boolean,
            Kind::Number => a.number == b.number,
            Kind::Json if only_numbers => a.number == b.number,
            _ => a.text == b.text,
        };
        let within = |these: &[Operand], those: &[Operand]| these.iter().all(|a| those.iter().any(|b| same(a, b)));
        self.operator == other.operator
            && within(&self.operands, &other.operands)
            && within(&other.operands, &self.operands)
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values it compares with.
    pub(super) fn operands(&self) -> &[Operand] {
        &self.operands
    }

    /// The number it compares with; `None` if there is none.
    pub fn threshold(&self) -> Option<&Decimal> {
        self.operands.first()?.number.as_ref()
    }

    /// Brings it to a type that computes like this. The numbers it compares with become those of the type; a gain stays
    /// as written.
    pub fn compute_as(&mut self, arithmetic: Arithmetic) {
        self.arithmetic = arithmetic;
        if self.operator != Operator::IsIncreasedBy {
            for operand in &mut self.operands {
                operand.number = operand.number.take().map(|number| arithmetic.round(number));
            }
        }
    }

    /// Takes a value at the time of sending as it was read, or as the change of its type since has made it.
    pub fn recast(&mut self, recast: Option<Recast>) {
        self.recast = recast;
    }

    /// Rewrites the texts it compares with, for a database whose texts are not in UTF-8.
    pub fn map_texts(&mut self, f: &dyn for<'a> Fn(&'a str) -> Cow<'a, [u8]>) {
        for operand in &mut self.operands {
            for text in [&mut operand.text, &mut operand.folded] {
                if let Ok(written) = std::str::from_utf8(text) {
                    *text = f(written).into_owned();
                }
            }
        }
    }

    /// Whether the step from `old` to `new` satisfies the goal. `eq` is the type's equality of texts.
    ///
    /// The caller has made sure that the attribute changed (rule 1). For `is increased by`, true means only that `new`
    /// is a number that could satisfy it: [`Condition::gained`] decides, with the value at the time of sending.
    pub fn holds(&self, old: &Value, new: &Value, eq: &dyn TextEquality) -> bool {
        use Operator::*;
        match self.operator {
            // from nothing to nothing is no change for it
            IsUnknown => return new.is_nothing(eq) && !old.is_nothing(eq),
            IsChanged => return true,
            HasAnyValue => return !new.is_nothing(eq),
            _ => {}
        }
        // a json value has the operators of the kind found, so each kind answers only for its own
        match new {
            Value::Text(text) => match self.operator {
                Is | IsAnyOf => self.is(new, eq),
                IsNot => !self.is(new, eq),
                Contains => self.folded(|needle| text::contains(text, needle)),
                DoesNotContain => !self.folded(|needle| text::contains(text, needle)),
                StartsWith => self.folded(|needle| text::starts_with(text, needle)),
                EndsWith => self.folded(|needle| text::ends_with(text, needle)),
                // of json strings
                _ => Decimal::parse_plain(text).is_some_and(|number| self.compares(old, &number)),
            },
            Value::Number(number) => match self.operator {
                Is | IsAnyOf => self.is(new, eq),
                IsNot => !self.is(new, eq),
                _ => self.compares(old, number),
            },
            Value::Boolean(_) => match self.operator {
                Is => self.is(new, eq),
                IsNot => !self.is(new, eq),
                _ => false,
            },
            Value::List(elements) => match self.operator {
                Contains => elements.iter().any(|element| self.is(element, &Exact)),
                DoesNotContain => !elements.iter().any(|element| self.is(element, &Exact)),
                _ => false,
            },
            Value::Unknown | Value::Moment | Value::EmptyObject | Value::Document => false,
        }
    }

    /// [`Condition::holds`] for the operators that only numbers have.
    fn compares(&self, old: &Value, number: &Decimal) -> bool {
        use Operator::*;
        match self.operator {
            _ if number.is_nan() => false,
            GreaterThan => self.number(|n| number > n),
            LessThan => self.number(|n| number < n),
            AtLeast => self.number(|n| number >= n),
            AtMost => self.number(|n| number <= n),
            IsIncreased if matches!(old, Value::Unknown) => *number > Decimal::zero(),
            IsIncreased => old.number().is_some_and(|old| !old.is_nan() && *number > *old),
            IsDecreased => old.number().is_some_and(|old| !old.is_nan() && *number < *old),
            IsIncreasedBy => true,
            _ => false,
        }
    }

    /// Whether the user had already matched when the row was `now` (rule 2). False for operators that describe a
    /// change.
    pub fn already(&self, now: &Value, eq: &dyn TextEquality) -> bool {
        match self.operator {
            Operator::IsUnknown => now.is_nothing(eq),
            operator => operator.describes() == Describes::State && self.holds(&Value::Unknown, now, eq),
        }
    }

    /// For `is increased by n`: whether `new` is at least n above `baseline`, the value at the time of sending: their
    /// difference is at least n, or `new` is at least the sum that the type computes. An unknown baseline (`None`) is
    /// zero. True for every other operator, which has no baseline.
    pub fn gained(&self, baseline: Option<&Decimal>, new: &Value) -> bool {
        if self.operator != Operator::IsIncreasedBy {
            return true;
        }
        let Some(new) = new.number() else {
            return false;
        };
        let zero = Decimal::zero();
        let baseline = baseline.unwrap_or(&zero);
        let recast = self.recast.map(|recast| recast.of(baseline));
        [Some(baseline), recast.as_ref()].into_iter().flatten().any(|baseline| self.gains(baseline, &new))
    }

    fn gains(&self, baseline: &Decimal, new: &Decimal) -> bool {
        let gain = new.sub(baseline);
        // a sum may be rounded to the baseline itself
        let reaches =
            |n: &Decimal| new > baseline && self.arithmetic.rounded_sum(baseline, n).is_some_and(|sum| *new >= sum);
        !gain.is_nan() && self.number(|n| gain >= *n || reaches(n))
    }

    fn is(&self, value: &Value, eq: &dyn TextEquality) -> bool {
        self.operands.iter().any(|operand| operand.is(value, eq))
    }

    fn folded(&self, test: impl Fn(&[u8]) -> bool) -> bool {
        self.operands.iter().any(|operand| test(&operand.folded))
    }

    fn number(&self, test: impl Fn(&Decimal) -> bool) -> bool {
        self.operands.iter().filter_map(|operand| operand.number.as_ref()).any(test)
    }
}

/// NEW − OLD as the worth of a match; an unknown old value is zero. `None` unless both are finite numbers or texts of
/// such, and where the difference is too large to be summed.
pub fn gain(old: &Value, new: &Value) -> Option<Decimal> {
    let new = new.number()?;
    let gain = match old {
        Value::Unknown => new.into_owned(),
        old => new.sub(&*old.number()?),
    };
    gain.is_summable().then_some(gain)
}

/// Reads one value and checks it against the kind.
fn operand(kind: Kind, type_name: &str, operator: Operator, value: &str) -> Result<Operand> {
    use Operator::*;
    let operand = Operand::new(value);
    let compares = matches!(operator, GreaterThan | LessThan | AtLeast | AtMost | IsIncreasedBy);
    let invalid =
        |type_name: &str| Err(Error::InvalidValue { value: value.to_owned(), type_name: type_name.to_owned() });
    match (kind, &operand.number) {
        (Kind::Boolean, _) if operand.boolean.is_none() => return invalid(type_name),
        (Kind::Number, None) => return invalid(type_name),
        // a whole number can be above 1.5, but never equal to it
        (Kind::Number, Some(number)) if !compares && is_integer_type(type_name) && !number.is_integer() => {
            return invalid(type_name);
        }
        (Kind::Json, None) if compares => return invalid("numeric"),
        (_, Some(number)) if operator == IsIncreasedBy && (!number.is_finite() || *number <= Decimal::zero()) => {
            return Err(Error::InvalidArgument {
                message: format!("operator \"{}\" needs a finite number greater than zero", operator.name()),
                hint: "Pass by how much the attribute must grow, for example value => '5'.".to_owned(),
            });
        }
        (_, Some(number)) if compares && number.is_nan() => {
            return Err(Error::InvalidArgument {
                message: format!("operator \"{}\" cannot compare with NaN", operator.name()),
                hint: "NaN is neither greater nor less than anything; pass a number.".to_owned(),
            });
        }
        _ => {}
    }
    Ok(operand)
}

fn is_integer_type(type_name: &str) -> bool {
    matches!(type_name, "smallint" | "integer" | "bigint" | "int2" | "int4" | "int8")
}

/// Reads PostgreSQL's spellings of a boolean: a unique beginning of true, false, yes, no, on, off, or 1 and 0.
fn parse_boolean(text: &str) -> Option<bool> {
    let word = trim(text.as_bytes()).to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.as_bytes().starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == b"1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == b"0" {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
