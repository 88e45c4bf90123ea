//! Column types: the kind of their values, the equality of two values, and how to read one. Equality is PostgreSQL's:
//! equal bytes are equal values, and if bytes differ, the type's equality function decides, if it is the server's own.
//! Functions of users or of other extensions are not called; values of such types are compared by their text.

use super::datum::{self, Elements, Row};
use super::key::{KeyType, trim_end_blanks};
use super::relation::Column;
use super::subtransaction::guarded;
use super::zone::Zone;
use super::{citext, encoding, memory, role, server, uuid};
use crate::model::condition::Range;
use crate::model::decimal::{Arithmetic, Decimal};
use crate::model::interval;
use crate::model::only::{Condition, Found};
use crate::model::text::{Exact, TextEquality};
use crate::model::value::{self, Kind, LONGEST_TEXT, MOST_ELEMENTS, Value};
use pgrx::pg_sys::{self, Datum};
use std::borrow::Cow;
use std::ffi::CStr;

/// How a type's values are read.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    SmallInt,
    Integer,
    BigInt,
    Oid,
    Real,
    Double,
    Numeric,
    Money,
    Boolean,
    Text,
    PaddedText,
    CaseInsensitiveText,
    Name,
    Enum,
    Uuid,
    Moment,
    Jsonb,
    Json,
    Array {
        element: Box<ColumnType>,
    },
    /// Any other type, read as text.
    Other {
        output: pg_sys::Oid,
        /// The text of the value with nothing in it.
        empty: &'static [u8],
    },
}

/// In bytes, in any encoding.
const LONGEST_CHARACTER: usize = 4;

/// A column's type, prepared for comparing and reading its values.
#[derive(Clone, Debug)]
pub struct ColumnType {
    pub(super) shape: Shape,
    type_oid: pg_sys::Oid,
    len: i16,
    by_value: bool,
    collation: pg_sys::Oid,
    /// The type's equality function, a built-in one; None if texts are compared.
    equality: Option<pg_sys::RegProcedure>,
    deterministic: bool,
}

pub(super) fn is_built_in(oid: pg_sys::Oid) -> bool {
    oid.to_u32() < pg_sys::FirstNormalObjectId
}

impl ColumnType {
    /// Resolves a type; a domain to its base type, so that no CHECK of a user is run.
    pub fn resolve(type_oid: pg_sys::Oid, collation: pg_sys::Oid) -> ColumnType {
        // SAFETY: catalog lookups by oid of a column's type, which exists while the table is open.
        let (base, len, by_value, category, element) = unsafe {
            let base = pg_sys::getBaseType(type_oid);
            let (mut len, mut by_value) = (0i16, false);
            pg_sys::get_typlenbyval(base, &mut len, &mut by_value);
            (base, len, by_value, pg_sys::get_typtype(base) as u8, pg_sys::get_element_type(base))
        };
        let shape = match base {
            pg_sys::INT2OID => Shape::SmallInt,
            pg_sys::INT4OID => Shape::Integer,
            pg_sys::INT8OID => Shape::BigInt,
            pg_sys::OIDOID => Shape::Oid,
            pg_sys::FLOAT4OID => Shape::Real,
            pg_sys::FLOAT8OID => Shape::Double,
            pg_sys::NUMERICOID => Shape::Numeric,
            pg_sys::MONEYOID => Shape::Money,
            pg_sys::BOOLOID => Shape::Boolean,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Shape::Text,
            pg_sys::BPCHAROID => Shape::PaddedText,
            pg_sys::NAMEOID => Shape::Name,
            pg_sys::UUIDOID => Shape::Uuid,
            pg_sys::DATEOID
            | pg_sys::TIMEOID
            | pg_sys::TIMETZOID
            | pg_sys::TIMESTAMPOID
            | pg_sys::TIMESTAMPTZOID
            | pg_sys::INTERVALOID => Shape::Moment,
            pg_sys::JSONBOID => Shape::Jsonb,
            pg_sys::JSONOID => Shape::Json,
            _ if category == pg_sys::TYPTYPE_ENUM => Shape::Enum,
            _ if element != pg_sys::InvalidOid && len == -1 => {
                Shape::Array { element: Box::new(ColumnType::resolve(element, collation)) }
            }
            // The owner of the extension could add another type to it, but not a base type: only superusers create
            // those.
            _ if category == pg_sys::TYPTYPE_BASE && citext::is_type(base) => Shape::CaseInsensitiveText,
            _ => {
                let (mut output, mut varlena) = (pg_sys::InvalidOid, false);
                // SAFETY: the type exists; both results are set.
                unsafe { pg_sys::getTypeOutputInfo(base, &mut output, &mut varlena) };
                Shape::Other { output, empty: empty_text(base, category) }
            }
        };
        let equality = equality_of(base, &shape);
        let deterministic =
            // SAFETY: a catalog lookup by the column's collation.
            collation == pg_sys::InvalidOid || unsafe { pg_sys::get_collation_isdeterministic(collation) };
        ColumnType { shape, type_oid: base, len, by_value, collation, equality, deterministic }
    }

    /// The kind of value, which decides the operators a goal may use.
    pub fn kind(&self) -> Kind {
        match &self.shape {
            Shape::SmallInt
            | Shape::Integer
            | Shape::BigInt
            | Shape::Oid
            | Shape::Real
            | Shape::Double
            | Shape::Numeric
            | Shape::Money => Kind::Number,
            Shape::Boolean => Kind::Boolean,
            Shape::Moment => Kind::Moment,
            Shape::Jsonb | Shape::Json => Kind::Json,
            Shape::Array { .. } => Kind::List,
            _ => Kind::Text,
        }
    }

    /// True for json and jsonb: an attribute may name a key inside.
    pub fn is_json(&self) -> bool {
        matches!(self.shape, Shape::Jsonb | Shape::Json)
    }

    /// True for text, varchar, char(n) and citext.
    pub fn is_text(&self) -> bool {
        matches!(self.shape, Shape::Text | Shape::PaddedText | Shape::CaseInsensitiveText)
    }

    /// True for an enum, whose labels may be renamed.
    pub fn is_enum(&self) -> bool {
        matches!(self.shape, Shape::Enum)
    }

    /// True if its values can be names of messages, variants and events.
    pub fn is_of_names(&self) -> bool {
        self.kind() == Kind::Text && !self.is_other()
    }

    /// True if its values can be the ids or names of messages, variants and events.
    pub fn is_of_ids(&self) -> bool {
        self.is_of_names() || matches!(self.shape, Shape::SmallInt | Shape::Integer | Shape::BigInt)
    }

    /// True if its values are uuids or whole numbers, which compare as such.
    pub fn is_of_exact_ids(&self) -> bool {
        matches!(self.shape, Shape::SmallInt | Shape::Integer | Shape::BigInt | Shape::Uuid)
    }

    /// True for a date or time without time zone, which means another moment in every zone.
    pub fn lacks_zone(&self) -> bool {
        matches!(self.type_oid, pg_sys::TIMESTAMPOID | pg_sys::DATEOID)
    }

    /// True if [`ColumnType::time`] reads its values.
    pub fn is_of_times(&self) -> bool {
        matches!(self.type_oid, pg_sys::TIMESTAMPTZOID | pg_sys::TIMESTAMPOID | pg_sys::DATEOID)
    }

    /// True for jsonb.
    pub fn is_jsonb(&self) -> bool {
        matches!(self.shape, Shape::Jsonb)
    }

    /// The name of the type, as PostgreSQL writes it.
    pub fn name(&self) -> String {
        type_name(self.type_oid)
    }

    /// The name of the type, independent of the search path; stored with a goal.
    pub fn identity(&self) -> String {
        // SAFETY: the type of an existing column; the answer is a palloc'd string.
        unsafe {
            let name =
                pg_sys::format_type_extended(self.type_oid, -1, pg_sys::FORMAT_TYPE_FORCE_QUALIFY as pg_sys::bits16);
            encoding::to_string(CStr::from_ptr(name).to_bytes())
        }
    }

    /// How the type computes: for a column of type real, 0.1 means the real 0.1.
    pub fn arithmetic(&self) -> Arithmetic {
        match self.shape {
            Shape::Real => Arithmetic::Single,
            Shape::Double => Arithmetic::Double,
            _ => Arithmetic::Exact,
        }
    }

    /// The numbers that this column, which is of this type, can hold; None if it holds any, or no numbers.
    pub fn range(&self, column: &Column) -> Option<Range> {
        let exact = |least: Decimal, most: Decimal| Some(Range { least, most, infinite: false });
        let binary = |least: Decimal, most: Decimal| Some(Range { least, most, infinite: true });
        match self.shape {
            Shape::SmallInt => exact(i64::from(i16::MIN).into(), i64::from(i16::MAX).into()),
            Shape::Integer => exact(i64::from(i32::MIN).into(), i64::from(i32::MAX).into()),
            Shape::BigInt => exact(i64::MIN.into(), i64::MAX.into()),
            Shape::Oid => exact(0.into(), i64::from(u32::MAX).into()),
            Shape::Money => exact(Decimal::scaled(i64::MIN, money_digits()), Decimal::scaled(i64::MAX, money_digits())),
            Shape::Real => binary(Decimal::from_f32(f32::MIN), Decimal::from_f32(f32::MAX)),
            Shape::Double => binary(Decimal::from_f64(f64::MIN), Decimal::from_f64(f64::MAX)),
            Shape::Numeric => numeric_range(column),
            _ => None,
        }
    }

    /// True if the type's text can spell one value in several ways; then the type itself rewrites a goal's value.
    pub fn is_other(&self) -> bool {
        matches!(self.shape, Shape::Other { .. })
    }

    /// True for a date or time that is infinite.
    pub fn is_infinite(&self, value: Datum) -> bool {
        match self.type_oid {
            pg_sys::TIMESTAMPTZOID | pg_sys::TIMESTAMPOID => matches!(value.value() as i64, i64::MIN | i64::MAX),
            pg_sys::DATEOID => matches!(value.value() as i32, i32::MIN | i32::MAX),
            _ => false,
        }
    }

    /// A time in microseconds since 2000; None if it is infinite. A date is its first moment. What has no time zone is in
    /// this one, or in the session's.
    pub fn time(&self, value: Datum, zone: Option<Zone>) -> Option<i64> {
        if let Some(zone) = zone.filter(|_| self.lacks_zone()) {
            return zone.time(self.local_time(value)?);
        }
        let mut overflow = 0;
        // SAFETY: with an overflow argument they do not raise.
        let time = unsafe {
            match self.type_oid {
                pg_sys::TIMESTAMPTZOID => value.value() as i64,
                pg_sys::TIMESTAMPOID => pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    server::timestamp2timestamptz_opt_overflow(value.value() as i64, &mut overflow)
                }),
                pg_sys::DATEOID => pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    server::date2timestamptz_opt_overflow(value.value() as i32, &mut overflow)
                }),
                _ => return None,
            }
        };
        (overflow == 0 && time != i64::MIN && time != i64::MAX).then_some(time)
    }

    /// The microseconds from the beginning of 2000 to a date or time without time zone, on the same clock.
    fn local_time(&self, value: Datum) -> Option<i64> {
        let local = match self.type_oid {
            pg_sys::DATEOID => i64::from(value.value() as i32).checked_mul(86_400_000_000)?,
            _ => value.value() as i64,
        };
        (local != i64::MIN && local != i64::MAX).then_some(local)
    }

    /// Reads an element of a list. Dates and times are in a text form that is equal for equal values.
    fn read_element<'a>(&self, value: Datum) -> Value<'a> {
        match self.shape {
            Shape::Moment => Value::Text(Cow::Owned(self.moment_by_value(value))),
            _ => self.read(value),
        }
    }

    /// A date or time in ISO 8601, an interval as the session writes it.
    fn moment(&self, value: Datum) -> Option<Vec<u8>> {
        if self.type_oid == pg_sys::INTERVALOID {
            return output_text(self.type_oid, pg_sys::Oid::from_u32(pg_sys::F_INTERVAL_OUT), value);
        }
        Some(self.encode_moment(value, std::ptr::null()))
    }

    /// A date or time in ISO 8601 and UTC, whatever the session's settings; an interval by its length.
    pub(super) fn moment_by_value(&self, value: Datum) -> Vec<u8> {
        if self.type_oid == pg_sys::INTERVALOID {
            // SAFETY: a datum of this type points to an Interval.
            let interval = unsafe { &*value.cast_mut_ptr::<pg_sys::Interval>() };
            return interval::canonical(interval.month, interval.day, interval.time).into_bytes();
        }
        self.encode_moment(value, &0)
    }

    /// `offset`: seconds west of Greenwich for a time with time zone, null for the session's zone.
    fn encode_moment(&self, value: Datum, offset: *const core::ffi::c_int) -> Vec<u8> {
        // Only timestamptz has no zone of its own.
        let offset = if self.type_oid == pg_sys::TIMESTAMPTZOID { offset } else { std::ptr::null() };
        let mut buffer = [0 as core::ffi::c_char; pg_sys::MAXDATELEN as usize + 1];
        // SAFETY: the buffer has the size that the function asks for, the type is one of the five it knows; it writes a
        // zero-terminated string.
        let text =
            unsafe { CStr::from_ptr(pg_sys::JsonEncodeDateTime(buffer.as_mut_ptr(), value, self.type_oid, offset)) };
        text.to_bytes().to_vec()
    }

    /// The value as jsonb, for the match log.
    pub fn logged(&self, value: Datum) -> Option<Datum> {
        match self.shape {
            Shape::Text | Shape::CaseInsensitiveText => {
                // SAFETY: a text datum, from a row that is alive. Only its beginning is stored.
                let beginning = unsafe { datum::beginning(value, LONGEST_CHARACTER * (value::LOGGED_TEXT + 1)) };
                datum::as_json(&Value::Text(encoding::to_model(beginning)))
            }
            Shape::Moment => datum::as_json(&Value::Text(Cow::Owned(self.moment(value)?))),
            _ => datum::as_json(&self.read(value)),
        }
    }

    /// The key type; None if the type cannot be a key.
    pub fn key_type(&self) -> Option<KeyType> {
        KeyType::of(self.type_oid)
    }

    /// The oid of the type; for a domain, of its base type.
    pub fn type_oid(&self) -> pg_sys::Oid {
        self.type_oid
    }

    /// True if the stored bytes differ. Used for json, where only some keys may matter.
    #[inline]
    pub fn bytes_differ(&self, old: Option<Datum>, new: Option<Datum>) -> bool {
        match (old, new) {
            (None, None) => false,
            // SAFETY: both are values of this type, from rows that the caller keeps.
            (Some(old), Some(new)) => !unsafe { datum::same_bytes(old, new, self.len, self.by_value) },
            _ => true,
        }
    }

    /// True if the value changed. Compares bytes first; NULL differs from every value but not from NULL.
    #[inline]
    pub fn differs(&self, old: Option<Datum>, new: Option<Datum>) -> bool {
        self.bytes_differ(old, new)
            && match (old, new) {
                (Some(old), Some(new)) => !self.equal(old, new),
                _ => true,
            }
    }

    /// Equality of two values whose bytes differ.
    #[cold]
    fn equal(&self, old: Datum, new: Datum) -> bool {
        if let Some(function) = self.equality {
            // SAFETY: a built-in equality function of this type, called with two values of it.
            return unsafe { pg_sys::OidFunctionCall2Coll(function, self.collation, old, new) }.value() != 0;
        }
        match self.shape {
            // These have one form per value.
            Shape::SmallInt | Shape::Integer | Shape::BigInt | Shape::Oid | Shape::Boolean => false,
            Shape::Uuid | Shape::Enum | Shape::Name => false,
            _ => {
                let (old, new) = (self.read(old), self.read(new));
                old.same(&new, self.text_equality())
            }
        }
    }

    /// How texts of this type are compared.
    pub fn text_equality(&self) -> &dyn TextEquality {
        match self.shape {
            Shape::CaseInsensitiveText => self,
            Shape::Other { empty, .. } if !empty.is_empty() => self,
            Shape::Text | Shape::PaddedText | Shape::Array { .. } if !self.deterministic => self,
            _ => &Exact,
        }
    }

    /// The value before a change, of which conditions use only a number and, if there is nothing `after` the change,
    /// whether there was anything.
    pub fn old_value<'a>(&self, row: &'a Row<'a>, column: i16, after: &Value) -> Value<'a> {
        match row.get(column) {
            Some(value) if self.kind() == Kind::Number => self.read(value),
            Some(value) if after.is_nothing(self.text_equality()) && self.is_nothing(value) => Value::Unknown,
            value => value.map_or(Value::Unknown, |_| Value::Document),
        }
    }

    /// True if there is nothing in the value: an empty text or list.
    fn is_nothing(&self, value: Datum) -> bool {
        match &self.shape {
            // SAFETY: a text datum, from a row that is alive.
            Shape::Text | Shape::CaseInsensitiveText => unsafe { datum::stored_size(value) == size_of::<u32>() },
            // SAFETY: a datum of this array type.
            Shape::Array { element } => unsafe { Elements::up_to(value, element.type_oid, 0) }.is_some(),
            _ => self.read(value).is_nothing(self.text_equality()),
        }
    }

    /// True if this column of a row is a text of more than `bytes` bytes. The value is not fetched. False for types not
    /// stored as they are shown, char(n) among them.
    pub fn is_longer(&self, row: &Row, column: i16, bytes: usize) -> bool {
        matches!(self.shape, Shape::Text | Shape::CaseInsensitiveText)
            && row.size(column).is_some_and(|size| size > bytes)
    }

    /// The text form of a value by which a row is known again, the same in every session; None for a text that is too
    /// long to be read.
    pub fn text_form(&self, value: Datum) -> Option<Vec<u8>> {
        match &self.shape {
            Shape::Moment => Some(self.moment_by_value(value)),
            Shape::Array { .. } => output_text(self.type_oid, pg_sys::Oid::from_u32(pg_sys::F_ARRAY_OUT), value),
            Shape::Jsonb => Some(datum::jsonb_text(value)),
            // SAFETY: a json datum is a text, copied before the row goes.
            Shape::Json => Some(encoding::to_model(unsafe { datum::varlena_bytes(value) }).into_owned()),
            _ => match self.read(value) {
                Value::Number(number) => Some(number.to_string().into_bytes()),
                Value::Boolean(known) => Some(known.to_string().into_bytes()),
                Value::Text(text) => Some(memory::copied(&text)),
                _ => None,
            },
        }
    }

    /// True if the value of a column of a row fulfils a condition.
    pub fn fulfils(&self, row: &Row, column: i16, condition: &Condition) -> bool {
        let Some(value) = row.get(column) else { return condition.holds(&Found::Unknown) };
        if matches!(self.kind(), Kind::Boolean | Kind::Number) {
            return match self.read(value) {
                Value::Boolean(value) => condition.holds(&Found::Boolean(value)),
                Value::Number(number) => condition.holds(&Found::Number(&number)),
                _ => false,
            };
        }
        // A character may take more bytes in the server's encoding than in UTF-8, but not four times as many.
        let longest = condition.longest().saturating_mul(4);
        !self.is_longer(row, column, longest)
            && self.text_form(value).is_some_and(|text| condition.holds(&Found::Text(&text)))
    }

    /// The value of a column of a row.
    pub fn value<'a>(&self, row: &'a Row<'a>, column: i16) -> Value<'a> {
        row.get(column).map_or(Value::Unknown, |d| self.read(d))
    }

    /// Reads a value. It borrows from the row the datum came from, or from a copy in the current memory context.
    pub fn read<'a>(&self, value: Datum) -> Value<'a> {
        // SAFETY: the datum is a value of this type; pointers go to the row or to fresh copies, both of which live
        // until the trigger call or statement ends, which no Value outlives.
        unsafe {
            match &self.shape {
                Shape::SmallInt => Value::Number(i64::from(value.value() as i16).into()),
                Shape::Integer => Value::Number(i64::from(value.value() as i32).into()),
                Shape::BigInt => Value::Number((value.value() as i64).into()),
                Shape::Oid => Value::Number(i64::from(value.value() as u32).into()),
                Shape::Real => Value::Number(Decimal::from_f32(f32::from_bits(value.value() as u32))),
                Shape::Double => Value::Number(Decimal::from_f64(f64::from_bits(value.value() as u64))),
                Shape::Numeric => {
                    Decimal::from_numeric(datum::varlena_bytes(value)).map_or(Value::Unknown, Value::Number)
                }
                // Read each time, because the session can change lc_monetary.
                Shape::Money => Value::Number(Decimal::scaled(value.value() as i64, money_digits())),
                Shape::Boolean => Value::Boolean(value.value() as u8 != 0),
                Shape::Text | Shape::CaseInsensitiveText => text(datum::varlena_bytes(value)),
                Shape::PaddedText => text(trim_end_blanks(datum::varlena_bytes(value))),
                Shape::Name => Value::Text(encoding::to_model(CStr::from_ptr(value.cast_mut_ptr()).to_bytes())),
                Shape::Enum => label(value).map_or(Value::Unknown, |l| Value::Text(Cow::Owned(l))),
                Shape::Uuid => Value::Text(Cow::Owned(uuid::format(&*value.cast_mut_ptr::<[u8; 16]>()))),
                Shape::Moment => Value::Moment,
                // Documents are opened by pg::document, which knows the keys.
                Shape::Jsonb | Shape::Json => Value::Document,
                Shape::Array { element } => match Elements::up_to(value, element.type_oid, MOST_ELEMENTS) {
                    None => Value::Document,
                    Some(elements) => {
                        let mut items = memory::vec(elements.len());
                        for e in elements.iter() {
                            memory::check();
                            items.push(e.map_or(Value::Unknown, |d| element.read_element(d)));
                        }
                        Value::List(items)
                    }
                },
                Shape::Other { .. } if self.len == -1 && datum::stored_size(value) > LONGEST_TEXT => Value::Document,
                Shape::Other { output, .. } => {
                    output_text(self.type_oid, *output, value).map_or(Value::Unknown, |t| Value::Text(Cow::Owned(t)))
                }
            }
        }
    }
}

impl TextEquality for ColumnType {
    /// Compares by the column's collation, which may treat different bytes as equal; citext as its own equality does.
    fn equal(&self, a: &[u8], b: &[u8]) -> bool {
        if a == b {
            return true;
        }
        if a.len().max(b.len()) > LONGEST_TEXT || matches!(self.shape, Shape::Other { .. }) {
            return false;
        }
        let (a, b) = (encoding::to_server(a), encoding::to_server(b));
        if matches!(self.shape, Shape::CaseInsensitiveText) {
            return encoding::lower(&a) == encoding::lower(&b);
        }
        let (a, b) = (datum::text(&a), datum::text(&b));
        // SAFETY: two text datums and an existing collation.
        unsafe { pg_sys::OidFunctionCall2Coll(pg_sys::Oid::from_u32(pg_sys::F_TEXTEQ), self.collation, a, b) }.value()
            != 0
    }

    fn is_exact(&self) -> bool {
        matches!(self.shape, Shape::Other { .. })
    }

    fn is_empty(&self, text: &[u8]) -> bool {
        match self.shape {
            Shape::Other { empty, .. } => text == empty,
            _ => text.is_empty(),
        }
    }
}

/// How a type that is read as text writes the value with nothing in it: a bytea of no bytes, a range of no points.
fn empty_text(type_oid: pg_sys::Oid, category: u8) -> &'static [u8] {
    match category {
        pg_sys::TYPTYPE_RANGE => b"empty",
        pg_sys::TYPTYPE_MULTIRANGE => b"{}",
        _ if type_oid == pg_sys::BYTEAOID => b"\\x",
        _ => b"",
    }
}

/// The numbers of a numeric column of limited precision.
fn numeric_range(column: &Column) -> Option<Range> {
    const HEADER: i32 = 4;
    let mut modifier = column.type_modifier;
    // SAFETY: a catalog lookup by the oid of a column's type; for a domain it sets the modifier of its base type.
    unsafe { pg_sys::getBaseTypeAndTypmod(column.type_oid, &mut modifier) };
    let packed = modifier - HEADER;
    if packed < 0 {
        return None;
    }
    // As numeric_typmod_precision and numeric_typmod_scale: the scale has 11 bits and a sign.
    let (precision, scale) = (packed >> 16, ((packed & 0x7FF) ^ 1024) - 1024);
    let most = Decimal::parse(&format!("{}e{}", "9".repeat(precision as usize), -scale))?;
    Some(Range { least: Decimal::zero().sub(&most), most, infinite: false })
}

/// A text of the server as a value.
fn text(bytes: &[u8]) -> Value<'_> {
    if encoding::is_too_long(bytes) { Value::Document } else { Value::Text(encoding::to_model(bytes)) }
}

/// The type's default equality function, if it runs only the server's own code.
fn equality_of(base: pg_sys::Oid, shape: &Shape) -> Option<pg_sys::RegProcedure> {
    if !is_built_in(base) {
        return None;
    }
    match shape {
        Shape::Array { element } if element.equality.is_none() && !element.has_one_form() => return None,
        Shape::Json => return None,
        _ => {}
    }
    // SAFETY: the type cache keeps entries for ever; the operator is looked up, not called.
    let operator = unsafe { (*pg_sys::lookup_type_cache(base, pg_sys::TYPECACHE_EQ_OPR as i32)).eq_opr };
    if operator == pg_sys::InvalidOid {
        return None;
    }
    // SAFETY: a catalog lookup by oid.
    let function = unsafe { pg_sys::get_opcode(operator) };
    (function != pg_sys::InvalidOid && is_built_in(function)).then_some(function)
}

impl ColumnType {
    fn has_one_form(&self) -> bool {
        matches!(self.shape, Shape::Enum)
    }
}

pub fn type_name(oid: pg_sys::Oid) -> String {
    // SAFETY: takes any oid and answers a palloc'd string.
    unsafe { encoding::to_string(CStr::from_ptr(pg_sys::format_type_be(oid)).to_bytes()) }
}

/// The number of decimal places of money, by lc_monetary as in cash_out.
fn money_digits() -> u32 {
    // SAFETY: never null; the struct begins as it is declared.
    let digits = unsafe { (*pg_sys::ffi::pg_guard_ffi_boundary(|| server::PGLC_localeconv())).frac_digits };
    if (0..=10).contains(&digits) { digits as u32 } else { 2 }
}

/// The label of an enum value; None if it has been removed.
fn label(value: Datum) -> Option<Vec<u8>> {
    // SAFETY: a syscache lookup by the value's oid; the row is released after the label is copied.
    unsafe {
        let row = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::ENUMOID as i32, value);
        if row.is_null() {
            return None;
        }
        let form = pg_sys::GETSTRUCT(row).cast::<pg_sys::FormData_pg_enum>();
        let label = encoding::to_model(super::relation::name_bytes(&(*form).enumlabel)).into_owned();
        pg_sys::ReleaseSysCache(row);
        Some(label)
    }
}

/// The text of a value by its type's output function, the same in every session; None if that raised an error. A
/// function that is not the server's own, or calls such (for a range or a row of a user's type), runs in a
/// subtransaction. That costs no transaction id, as nothing is written.
pub(super) fn output_text(type_oid: pg_sys::Oid, function: pg_sys::Oid, value: Datum) -> Option<Vec<u8>> {
    let write = || {
        // SAFETY: the output function of the value's type; it answers a palloc'd string.
        unsafe {
            let text = CStr::from_ptr(pg_sys::OidOutputFunctionCall(function, value));
            match encoding::to_model(text.to_bytes()) {
                Cow::Borrowed(text) => memory::copied(text),
                Cow::Owned(text) => text,
            }
        }
    };
    let call = || if depends_on_settings(function) { role::with_portable_output(write) } else { write() };
    if is_built_in(function) && is_built_in(type_oid) { Some(call()) } else { guarded(call) }
}

/// True if the output of this function may depend on the session's settings: for some of the server's own, and for all
/// others.
fn depends_on_settings(function: pg_sys::Oid) -> bool {
    !is_built_in(function)
        || matches!(
            function.to_u32(),
            pg_sys::F_ARRAY_OUT
                | pg_sys::F_BYTEAOUT
                | pg_sys::F_REGCLASSOUT
                | pg_sys::F_REGTYPEOUT
                | pg_sys::F_REGPROCOUT
                | pg_sys::F_REGPROCEDUREOUT
                | pg_sys::F_REGOPEROUT
                | pg_sys::F_REGOPERATOROUT
                | pg_sys::F_REGCOLLATIONOUT
                | pg_sys::F_REGCONFIGOUT
                | pg_sys::F_REGDICTIONARYOUT
                | pg_sys::F_RANGE_OUT
                | pg_sys::F_MULTIRANGE_OUT
                | pg_sys::F_RECORD_OUT
                | pg_sys::F_POINT_OUT
                | pg_sys::F_LSEG_OUT
                | pg_sys::F_LINE_OUT
                | pg_sys::F_BOX_OUT
                | pg_sys::F_PATH_OUT
                | pg_sys::F_POLY_OUT
                | pg_sys::F_CIRCLE_OUT
        )
}
