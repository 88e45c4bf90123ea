//! Literals: the value of a goal, read and written by the type of its column.

use super::relation::{Lock, Relation};
use super::subtransaction::guarded;
use super::types::{ColumnType, Shape, is_built_in, output_text};
use super::{encoding, errors, role, uuid};
use crate::model::array;
use crate::model::decimal::Decimal;
use crate::model::error::{Error, Result};
use crate::model::operator::Operator;
use crate::model::value::Kind;
use pgrx::PgTryBuilder;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, Datum, Oid};
use std::ffi::CString;
use std::panic::AssertUnwindSafe;

/// Reads a literal by a type's input function.
type Read = fn(&ColumnType, &str) -> Result<Datum>;

impl ColumnType {
    /// A goal's value as the type writes it, so that comparing texts compares values; an error if it is not a value of
    /// the type. Only the server's own input functions are run, with the rights of the caller of set_goal. A value of a
    /// type that may run other code is returned unchanged, and must be given as the type writes it.
    pub fn canonical_value(&self, operator: Operator, value: &str) -> Result<String> {
        self.canonical_by(operator, value, ColumnType::input)
    }

    /// The text form of the value that this text means, see [`ColumnType::text_form`]: an error if it is not a value of
    /// the type. A value of a type that may run other code is returned unchanged.
    pub fn form_of(&self, value: &str) -> Result<String> {
        let written = |bytes: Vec<u8>| encoding::model_to_string(&bytes);
        match &self.shape {
            Shape::Array { .. } if !is_read_by_the_server(self.type_oid()) => Ok(value.to_owned()),
            Shape::Moment | Shape::Array { .. } | Shape::Jsonb => {
                let read = self.input(value)?;
                self.text_form(read).map(written).ok_or_else(|| self.invalid(value))
            }
            _ => self.canonical(value, ColumnType::input),
        }
    }

    /// [`ColumnType::canonical_value`] of a value that another type has written: the column's type has been changed
    /// since. It is the same in every session, and an error is caught: a trigger may call it.
    pub fn rewritten_value(&self, operator: Operator, value: &str) -> Result<String> {
        self.canonical_by(operator, value, ColumnType::guarded_input)
    }

    fn canonical_by(&self, operator: Operator, value: &str, read: Read) -> Result<String> {
        match operator {
            Operator::Is | Operator::IsNot => self.canonical(value, read),
            Operator::Contains | Operator::DoesNotContain => match &self.shape {
                Shape::Array { element } => element.canonical_element(value, read),
                _ => Ok(value.to_owned()),
            },
            Operator::IsAnyOf => {
                let items = array::parse_array(value).unwrap_or_default();
                let quoted = items.into_iter().flatten().map(|item| {
                    let item = self.canonical(&item, read)?;
                    Ok(format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")))
                });
                Ok(format!("{{{}}}", quoted.collect::<Result<Vec<_>>>()?.join(",")))
            }
            _ => Ok(value.to_owned()),
        }
    }

    /// The value as an element of a list is written.
    fn canonical_element(&self, value: &str, read: Read) -> Result<String> {
        match self.kind() {
            Kind::Number => Decimal::parse(value).map(|_| value.to_owned()).ok_or_else(|| self.invalid(value)),
            Kind::Moment => Ok(String::from_utf8_lossy(&self.moment_by_value(read(self, value)?)).into_owned()),
            _ => self.canonical(value, read),
        }
    }

    fn invalid(&self, value: &str) -> Error {
        Error::InvalidValue { value: value.to_owned(), type_name: self.name() }
    }

    /// Reads a literal by the type's input function. Its error for an invalid value becomes an error with a hint. The
    /// statement fails either way, which cleans up after the function.
    fn input(&self, value: &str) -> Result<Datum> {
        let literal = self.literal(value)?;
        PgTryBuilder::new(AssertUnwindSafe(|| Some(self.call_input(&literal))))
            .catch_others(|caught| match &caught {
                CaughtError::PostgresError(report) if errors::is_of_the_value(report.sql_error_code()) => None,
                _ => caught.rethrow(),
            })
            .execute()
            .ok_or_else(|| self.invalid(value))
    }

    /// [`ColumnType::input`] in a subtransaction, and under settings that are the same in every session.
    fn guarded_input(&self, value: &str) -> Result<Datum> {
        let literal = self.literal(value)?;
        guarded(|| role::with_portable_output(|| self.call_input(&literal))).ok_or_else(|| self.invalid(value))
    }

    fn literal(&self, value: &str) -> Result<CString> {
        CString::new(encoding::from_string(value).into_owned()).map_err(|_| self.invalid(value))
    }

    fn call_input(&self, literal: &CString) -> Datum {
        // SAFETY: the input function of a type that is_read_by_the_server(), with a typmod that asks for nothing.
        unsafe {
            let (mut input, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
            pg_sys::getTypeInputInfo(self.type_oid(), &mut input, &mut parameter);
            pg_sys::OidInputFunctionCall(input, literal.as_ptr().cast_mut(), parameter, -1)
        }
    }

    fn canonical(&self, value: &str, read: Read) -> Result<String> {
        let invalid = || self.invalid(value);
        match &self.shape {
            Shape::Uuid => {
                let bytes = uuid::parse(value.as_bytes()).ok_or_else(invalid)?;
                Ok(String::from_utf8_lossy(&uuid::format(&bytes)).into_owned())
            }
            Shape::PaddedText => Ok(value.trim_end_matches(' ').to_owned()),
            Shape::Enum => has_label(self.type_oid(), value).then(|| value.to_owned()).ok_or_else(invalid),
            Shape::Other { output, .. } if is_read_by_the_server(self.type_oid()) => {
                let text = output_text(self.type_oid(), *output, read(self, value)?).ok_or_else(invalid)?;
                Ok(encoding::model_to_string(&text))
            }
            _ => Ok(value.to_owned()),
        }
    }
}

/// A time in microseconds, read as a timestamptz by the session's settings; None if the text is none.
pub fn time(text: &str) -> Option<i64> {
    ColumnType::resolve(pg_sys::TIMESTAMPTZOID, Oid::INVALID).input(text).ok().map(|time| time.value() as i64)
}

/// [`time`] in a subtransaction: the caller can go on where the text is none.
pub fn time_if_valid(text: &str) -> Option<i64> {
    // The server reads no longer one.
    const LONGEST: usize = 128;
    let moment = ColumnType::resolve(pg_sys::TIMESTAMPTZOID, Oid::INVALID);
    let literal = moment.literal(text).ok().filter(|literal| literal.count_bytes() <= LONGEST)?;
    guarded(|| moment.call_input(&literal)).map(|time| time.value() as i64)
}

/// True if only the server's own code reads a literal of this type. The input functions of composite types, ranges and
/// arrays call those of the types they are made of; that of a domain runs its CHECK; an extension's type has its own.
fn is_read_by_the_server(type_oid: Oid) -> bool {
    if is_built_in(type_oid) {
        return true;
    }
    // SAFETY: catalog lookups by the oid of a type that exists; they answer InvalidOid for a type of another sort.
    let (sort, element, row, range) = unsafe {
        (
            pg_sys::get_typtype(type_oid) as u8,
            pg_sys::get_element_type(type_oid),
            pg_sys::get_typ_typrelid(type_oid),
            pg_sys::get_multirange_range(type_oid),
        )
    };
    match sort {
        pg_sys::TYPTYPE_ENUM => true,
        pg_sys::TYPTYPE_BASE => element != pg_sys::InvalidOid && is_read_by_the_server(element),
        // The lock is kept to the end of the transaction, so that no column can be added.
        pg_sys::TYPTYPE_COMPOSITE => Relation::open(row, Lock::Share)
            .is_some_and(|row| row.columns().iter().all(|column| is_read_by_the_server(column.type_oid))),
        pg_sys::TYPTYPE_RANGE => bounds(type_oid).is_some_and(is_read_by_the_server),
        pg_sys::TYPTYPE_MULTIRANGE => range != pg_sys::InvalidOid && is_read_by_the_server(range),
        _ => false,
    }
}

/// The type of a range's bounds, if only the server's own code compares them and makes the range canonical.
fn bounds(range: Oid) -> Option<Oid> {
    // SAFETY: the type cache keeps entries for ever, and has these of a range; the functions are looked up, not called.
    unsafe {
        let entry = &*pg_sys::lookup_type_cache(range, pg_sys::TYPECACHE_RANGE_INFO as i32);
        let by_the_server =
            is_built_in(entry.rng_cmp_proc_finfo.fn_oid) && is_built_in(entry.rng_canonical_finfo.fn_oid);
        let bounds = entry.rngelemtype.as_ref()?.type_id;
        by_the_server.then_some(bounds)
    }
}

fn has_label(enum_type: pg_sys::Oid, text: &str) -> bool {
    let server = encoding::from_string(text);
    if server.len() >= pg_sys::NAMEDATALEN as usize || encoding::to_string(&server) != text {
        return false;
    }
    let Ok(text) = std::ffi::CString::new(server.into_owned()) else { return false };
    // SAFETY: a syscache lookup by type and label; the row is released.
    unsafe {
        let row = pg_sys::SearchSysCache2(
            pg_sys::SysCacheIdentifier::ENUMTYPOIDNAME as i32,
            enum_type.into(),
            text.as_ptr().into(),
        );
        if row.is_null() {
            return false;
        }
        pg_sys::ReleaseSysCache(row);
        true
    }
}
