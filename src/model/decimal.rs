//! Exact decimal numbers with PostgreSQL's order: every number a users table can hold, compared without rounding.
//!
//! Not `bigdecimal`: it has no NaN and no infinities, cannot read or write numeric's stored form, and allocates per
//! number.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Write};

use smallvec::SmallVec;

/// Base-10000 digits, most significant first; eight of them fit without an allocation.
type Digits = SmallVec<[i16; 8]>;

const BASE: i16 = 10_000;
/// Decimal digits in one base-10000 digit.
const GROUP: i64 = 4;
/// The most digits before the decimal point in PostgreSQL's numeric.
const MAX_BEFORE_POINT: i64 = 131_072;
/// The most digits after the decimal point in PostgreSQL's numeric.
const MAX_AFTER_POINT: i64 = 16_383;
/// In bytes. No numeric holds a longer number in plain notation, unless it has thousands of zeros at an end.
pub(super) const LONGEST_PLAIN: usize = 150_000;
/// A number with fewer digits before the point can be summed over any number of rows.
const SUMMABLE: i64 = 1_000;

/// A decimal number of any size, NaN or an infinity.
///
/// Always normalised (no zero digit at either end, no negative zero), so `==` is equality of the numbers: 1.0 = 1.00,
/// -0 = 0, NaN = NaN. The order is PostgreSQL's: NaN is equal to itself and greater than everything else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    NegativeInfinity,
    /// A whole number that an i64 holds: what most columns hold, compared in one step.
    Whole(i64),
    /// Any other number: `sum(digits[i] * 10000^(weight - i))`, as in PostgreSQL's numeric.
    Finite {
        negative: bool,
        weight: i32,
        digits: Digits,
    },
    Infinity,
    NaN,
}

impl Decimal {
    /// Zero.
    pub fn zero() -> Self {
        Self::from(0)
    }

    /// Not a number.
    pub fn nan() -> Self {
        Self(Repr::NaN)
    }

    /// Positive infinity.
    pub fn infinity() -> Self {
        Self(Repr::Infinity)
    }

    /// Negative infinity.
    pub fn negative_infinity() -> Self {
        Self(Repr::NegativeInfinity)
    }

    /// Whether this is NaN.
    pub fn is_nan(&self) -> bool {
        self.0 == Repr::NaN
    }

    /// Whether this is neither NaN nor an infinity.
    pub fn is_finite(&self) -> bool {
        matches!(self.0, Repr::Whole(_) | Repr::Finite { .. })
    }

    /// Whether this is finite and has no fraction.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Whole(_) => true,
            Repr::Finite { weight, digits, .. } => digits.len() as i64 <= i64::from(*weight) + 1,
            _ => false,
        }
    }

    /// True if finite and below 10^1000, so that a sum of many stays within numeric.
    pub fn is_summable(&self) -> bool {
        match &self.0 {
            Repr::Whole(_) => true,
            Repr::Finite { weight, .. } => (i64::from(*weight) + 1) * GROUP <= SUMMABLE,
            _ => false,
        }
    }

    /// The number as an i64; `None` if it is not whole or does not fit.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Whole(value) => Some(value),
            _ => None,
        }
    }

    /// `units * 10^-scale`: 1999 at scale 2 is 19.99 (the type money).
    pub fn scaled(units: i64, scale: u32) -> Self {
        let mut text = Short::default();
        // an i64 always fits
        let _ = write!(text, "{}", units.unsigned_abs());
        let digits = text.as_bytes();
        Self::from_digits(units < 0, digits, digits.len() as i64 - i64::from(scale))
    }

    /// The shortest decimal that reads back as this float; -0 is 0.
    pub fn from_f64(value: f64) -> Self {
        Self::from_float(value)
    }

    /// The shortest decimal that reads back as this float; -0 is 0.
    pub fn from_f32(value: f32) -> Self {
        Self::from_float(value)
    }

    /// The number for a message: in plain notation, or with an exponent if that is much shorter.
    pub fn shown(&self) -> String {
        const LONG: usize = 40;
        let plain = self.to_string();
        let float = self.to_f64();
        if plain.len() > LONG && float.is_finite() { format!("{float:e}") } else { plain }
    }

    /// The nearest float.
    fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The nearest float.
    fn to_f32(&self) -> f32 {
        self.to_string().parse().unwrap_or(f32::NAN)
    }

    fn from_float(value: impl fmt::LowerExp) -> Self {
        let mut text = Short::default();
        // at most 17 digits, a sign, a point and an exponent; or NaN, inf, -inf, which parse as such
        let _ = write!(text, "{value:e}");
        Self::parse_bytes(text.as_bytes()).unwrap_or_else(Self::nan)
    }

    /// Reads PostgreSQL's numeric input in decimal: blanks around it, a sign, an exponent, `NaN`, `Infinity` and `inf`
    /// in any case. `None` for anything else, and for a number outside numeric's range.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// Reads a plain decimal number, as texts hold it: `-?[0-9]+(\.[0-9]+)?`. `None` for anything else, and for a
    /// number outside numeric's range.
    pub fn parse_plain(text: &[u8]) -> Option<Self> {
        let (whole, rest) = split_digits(text.strip_prefix(b"-").unwrap_or(text));
        let is_plain = !whole.is_empty()
            && match rest {
                [] => true,
                [b'.', fraction @ ..] => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
                _ => false,
            };
        if is_plain && text.len() <= LONGEST_PLAIN { Self::parse_bytes(text) } else { None }
    }

    fn parse_bytes(text: &[u8]) -> Option<Self> {
        let text = trim(text);
        // PostgreSQL takes a sign before an infinity, but not before NaN
        if text.eq_ignore_ascii_case(b"nan") {
            return Some(Self::nan());
        }
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case(b"infinity") || rest.eq_ignore_ascii_case(b"inf") {
            return Some(if negative { Self::negative_infinity() } else { Self::infinity() });
        }
        let (whole, rest) = split_digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            _ => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return None,
        };
        let mut digits = SmallVec::<[u8; 32]>::from_slice(whole);
        digits.extend_from_slice(fraction);
        let point = whole.len() as i64 + exponent;
        let result = Self::from_digits(negative, &digits, point);
        result.fits_numeric().then_some(result)
    }

    fn fits_numeric(&self) -> bool {
        !matches!(&self.0, Repr::Finite { weight, digits, .. } if {
            let weight = i64::from(*weight);
            let zeros = digits.last().map_or(0, |last| [1_000, 100, 10].iter().filter(|ten| last % **ten == 0).count());
            let after = (digits.len() as i64 - 1 - weight) * GROUP - zeros as i64;
            (weight + 1) * GROUP > MAX_BEFORE_POINT || after > MAX_AFTER_POINT
        })
    }

    /// `0.DIGITS * 10^point`, with the digits in ASCII.
    fn from_digits(negative: bool, digits: &[u8], point: i64) -> Self {
        let leading = digits.iter().take_while(|d| **d == b'0').count();
        let significant = &digits[leading..];
        // the power of ten of the first digit that is not zero
        let exponent = point - leading as i64 - 1;
        let weight = exponent.div_euclid(GROUP);
        let mut groups = Digits::new();
        let mut group = 0i16;
        let mut room = exponent.rem_euclid(GROUP) + 1;
        for digit in significant {
            group = group * 10 + i16::from(digit - b'0');
            room -= 1;
            if room == 0 {
                groups.push(group);
                (group, room) = (0, GROUP);
            }
        }
        if room < GROUP {
            for _ in 0..room {
                group *= 10;
            }
            groups.push(group);
        }
        // `parse_exponent` keeps the exponent far inside an i32
        Self::finite(negative, weight as i32, groups)
    }

    /// Normalises. Every finite number is made here.
    fn finite(negative: bool, weight: i32, mut digits: Digits) -> Self {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let leading = digits.iter().take_while(|d| **d == 0).count();
        digits.drain(..leading);
        if digits.is_empty() {
            return Self(Repr::Whole(0));
        }
        let weight = weight - leading as i32;
        match whole(negative, weight, &digits) {
            Some(value) => Self(Repr::Whole(value)),
            None => Self(Repr::Finite { negative, weight, digits }),
        }
    }

    /// Sign, weight and digits of a finite number.
    fn finite_parts(&self) -> Option<(bool, i32, Cow<'_, Digits>)> {
        match &self.0 {
            Repr::Whole(value) => {
                let mut rest = value.unsigned_abs();
                let mut digits = Digits::new();
                while rest > 0 {
                    // the remainder is below 10000
                    digits.push((rest % BASE as u64) as i16);
                    rest /= BASE as u64;
                }
                digits.reverse();
                Some((*value < 0, digits.len() as i32 - 1, Cow::Owned(digits)))
            }
            Repr::Finite { negative, weight, digits } => Some((*negative, *weight, Cow::Borrowed(digits))),
            _ => None,
        }
    }

    /// Reads PostgreSQL's stored numeric: the bytes after the varlena header, in this machine's byte order. `None` for
    /// bytes that are not a numeric; never panics.
    pub fn from_numeric(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = split_u16(bytes)?;
        let (negative, weight, rest) = match header & 0xC000 {
            0xC000 => {
                return match header & 0xF000 {
                    0xC000 => Some(Self::nan()),
                    0xD000 => Some(Self::infinity()),
                    0xF000 => Some(Self::negative_infinity()),
                    _ => None,
                };
            }
            0x8000 => {
                let sign_extension = if header & 0x0040 == 0 { 0 } else { !0x3F };
                (header & 0x2000 != 0, sign_extension | i32::from(header & 0x003F), rest)
            }
            sign => {
                let (weight, rest) = split_u16(rest)?;
                (sign == 0x4000, i32::from(weight as i16), rest)
            }
        };
        if rest.len() % 2 != 0 {
            return None;
        }
        let mut digits = Digits::with_capacity(rest.len() / 2);
        for pair in rest.chunks_exact(2) {
            let digit = i16::from_ne_bytes([pair[0], pair[1]]);
            if !(0..BASE).contains(&digit) {
                return None;
            }
            digits.push(digit);
        }
        Some(Self::finite(negative, weight, digits))
    }

    /// `self - other`, exact. NaN where PostgreSQL has it: for a NaN operand, and for an infinity minus itself.
    pub fn sub(&self, other: &Self) -> Self {
        use Repr::*;
        if let (Whole(a), Whole(b)) = (&self.0, &other.0)
            && let Some(difference) = a.checked_sub(*b)
        {
            return Self(Whole(difference));
        }
        if let (Some((n1, w1, d1)), Some((n2, w2, d2))) = (self.finite_parts(), other.finite_parts()) {
            if n1 != n2 {
                let (weight, digits) = add_magnitudes((w1, &d1), (w2, &d2));
                return Self::finite(n1, weight, digits);
            }
            let (larger, smaller, negative) = match compare_magnitudes((w1, &d1), (w2, &d2)) {
                Ordering::Less => ((w2, &*d2), (w1, &*d1), !n1),
                _ => ((w1, &*d1), (w2, &*d2), n1),
            };
            let (weight, digits) = subtract_magnitudes(larger, smaller);
            return Self::finite(negative, weight, digits);
        }
        match (&self.0, &other.0) {
            (NaN, _) | (_, NaN) | (Infinity, Infinity) | (NegativeInfinity, NegativeInfinity) => Self::nan(),
            (Infinity, _) | (_, NegativeInfinity) => Self::infinity(),
            _ => Self::negative_infinity(),
        }
    }
}

type Magnitude<'a> = (i32, &'a Digits);

fn compare_magnitudes((w1, d1): Magnitude, (w2, d2): Magnitude) -> Ordering {
    // the weight of zero says nothing about its size
    match (d1.is_empty(), d2.is_empty()) {
        (false, false) => w1.cmp(&w2).then_with(|| d1.cmp(d2)),
        (empty1, empty2) => empty2.cmp(&empty1),
    }
}

/// The digit of weight `weight`; zero outside the number.
fn digit_at((top, digits): Magnitude, weight: i32) -> i16 {
    usize::try_from(top - weight).ok().and_then(|i| digits.get(i)).copied().unwrap_or(0)
}

/// The highest and the lowest weight at which either number has a digit.
fn span((w1, d1): Magnitude, (w2, d2): Magnitude) -> (i32, i32) {
    (w1.max(w2), (w1 + 1 - d1.len() as i32).min(w2 + 1 - d2.len() as i32))
}

fn add_magnitudes(a: Magnitude, b: Magnitude) -> (i32, Digits) {
    let (top, bottom) = span(a, b);
    let mut carry = 0;
    let mut digits = Digits::new();
    for weight in bottom..=top + 1 {
        let sum = digit_at(a, weight) + digit_at(b, weight) + carry;
        carry = sum / BASE;
        digits.push(sum % BASE);
    }
    digits.reverse();
    (top + 1, digits)
}

/// `a - b` for `a >= b`.
fn subtract_magnitudes(a: Magnitude, b: Magnitude) -> (i32, Digits) {
    let (top, bottom) = span(a, b);
    let mut borrow = 0;
    let mut digits = Digits::new();
    for weight in bottom..=top {
        let difference = digit_at(a, weight) - digit_at(b, weight) - borrow;
        borrow = i16::from(difference < 0);
        digits.push(difference + borrow * BASE);
    }
    digits.reverse();
    (top, digits)
}

/// The number as an i64; `None` if it is not whole or does not fit. The digits are not empty, and neither end is zero.
fn whole(negative: bool, weight: i32, digits: &Digits) -> Option<i64> {
    // 10000^5 is beyond an i64
    if !(0..5).contains(&weight) || digits.len() as i32 > weight + 1 {
        return None;
    }
    let magnitude =
        (0..=weight).rev().fold(0i128, |m, w| m * i128::from(BASE) + i128::from(digit_at((weight, digits), w)));
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

impl From<i64> for Decimal {
    #[inline]
    fn from(value: i64) -> Self {
        Self(Repr::Whole(value))
    }
}

/// How the numbers of a type are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// As exact decimals.
    Exact,
    /// As binary numbers of single precision: real.
    Single,
    /// As binary numbers of double precision.
    Double,
}

impl Arithmetic {
    /// The number as the type holds it: in single precision, 0.1 is the nearest number of that precision.
    pub fn round(self, number: Decimal) -> Decimal {
        match self {
            Arithmetic::Exact => number,
            Arithmetic::Single => Decimal::from_f32(number.to_f32()),
            Arithmetic::Double => Decimal::from_f64(number.to_f64()),
        }
    }

    /// The sum as the type computes it; `None` where that is the exact one. In single precision the smaller one of two:
    /// PostgreSQL adds a `real` in single precision, and a literal such as 0.1 in double precision.
    pub fn rounded_sum(self, a: &Decimal, b: &Decimal) -> Option<Decimal> {
        match self {
            Arithmetic::Exact => None,
            Arithmetic::Single => {
                let in_single = a.to_f32() + b.to_f32();
                let in_double = f64::from(a.to_f32()) + b.to_f64();
                Some(Decimal::from_f32(in_single.min(in_double as f32)))
            }
            Arithmetic::Double => Some(Decimal::from_f64(a.to_f64() + b.to_f64())),
        }
    }
}

/// A change of a type whose cast changes numbers: a value read earlier is no longer the one in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recast {
    /// real to double precision.
    SingleToDouble,
    /// real to numeric: six digits are kept.
    SingleToExact,
    /// double precision to numeric: fifteen digits are kept.
    DoubleToExact,
}

impl Recast {
    /// The cast from the type of this name, as `format_type` writes it, to a type that computes like this; `None` if it
    /// changes no number, or the type rounds them anyway.
    pub fn between(then: &str, now: Arithmetic) -> Option<Self> {
        match (then, now) {
            ("real", Arithmetic::Double) => Some(Recast::SingleToDouble),
            ("real", Arithmetic::Exact) => Some(Recast::SingleToExact),
            ("double precision", Arithmetic::Exact) => Some(Recast::DoubleToExact),
            _ => None,
        }
    }

    /// The number as the cast makes it.
    pub fn of(self, number: &Decimal) -> Decimal {
        let read = |text: String| Decimal::parse(&text).unwrap_or_else(Decimal::nan);
        match self {
            Recast::SingleToDouble => Decimal::from_f64(number.to_f32().into()),
            Recast::SingleToExact => read(format!("{:.5e}", number.to_f32())),
            Recast::DoubleToExact => read(format!("{:.14e}", number.to_f64())),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        use Repr::*;
        if let (Whole(a), Whole(b)) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        if let (Some((n1, w1, d1)), Some((n2, w2, d2))) = (self.finite_parts(), other.finite_parts()) {
            let magnitudes = compare_magnitudes((w1, &d1), (w2, &d2));
            return match (n1, n2) {
                (false, false) => magnitudes,
                (true, true) => magnitudes.reverse(),
                (n1, n2) => n2.cmp(&n1),
            };
        }
        let rank = |repr: &Repr| match repr {
            NegativeInfinity => 0,
            Whole(_) | Finite { .. } => 1,
            Infinity => 2,
            NaN => 3,
        };
        rank(&self.0).cmp(&rank(&other.0))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes plain notation without an exponent, in a form that PostgreSQL's numeric input and (if finite) JSON accept.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, weight, digits) = match &self.0 {
            Repr::NaN => return f.write_str("NaN"),
            Repr::Infinity => return f.write_str("Infinity"),
            Repr::NegativeInfinity => return f.write_str("-Infinity"),
            Repr::Whole(value) => return write!(f, "{value}"),
            Repr::Finite { negative, weight, digits } => (*negative, *weight, digits),
        };
        if negative {
            f.write_char('-')?;
        }
        if weight < 0 {
            f.write_char('0')?;
        }
        for w in (0..=weight).rev() {
            let digit = digit_at((weight, digits), w);
            if w == weight { write!(f, "{digit}")? } else { write!(f, "{digit:04}")? }
        }
        let lowest = weight + 1 - digits.len() as i32;
        if lowest < 0 {
            f.write_char('.')?;
            for w in (lowest + 1..0).rev() {
                write!(f, "{:04}", digit_at((weight, digits), w))?;
            }
            // the last group is not zero: without its trailing zeros the text is the shortest
            let mut last = digit_at((weight, digits), lowest);
            let mut width = GROUP as usize;
            while last % 10 == 0 {
                last /= 10;
                width -= 1;
            }
            write!(f, "{last:0width$}")?;
        }
        Ok(())
    }
}

/// A buffer on the stack for a number's text.
#[derive(Default)]
struct Short(SmallVec<[u8; 32]>);

impl Short {
    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// C's `isspace`, which PostgreSQL's input functions use: it has the vertical tab, Rust's does not.
pub(super) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0B
}

pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|b| b.is_ascii_digit()).count())
}

/// Reads an exponent. `None` without digits, or if no numeric can have it.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (digits, []) = split_digits(rest) else {
        return None;
    };
    if digits.is_empty() {
        return None;
    }
    // saturating, so that a long run of digits cannot wrap into a small number
    let value = digits.iter().fold(0i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')));
    (value <= 1_000_000_000).then_some(if negative { -value } else { value })
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_ne_bytes(*head), rest))
}

#[cfg(test)]
mod tests;
