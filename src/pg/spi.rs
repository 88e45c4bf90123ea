//! SQL of the set-up functions and of totals: fixed statements, run as the extension's owner with a fixed search path.
//! Never used by a trigger.

use super::datum::Row;
use super::encoding;
use super::scratch::check_for_interrupts;
use pgrx::pg_sys::{self, Datum};
use std::ffi::{CStr, CString};

/// A parameter of a statement.
pub enum Arg<'a> {
    Text(Option<&'a str>),
    Bigint(i64),
    Integer(Option<i32>),
    Double(f64),
    Oid(pg_sys::Oid),
    Integers(&'a [i32]),
    Bigints(&'a [i64]),
    /// Texts in the server's encoding.
    Texts(&'a [&'a [u8]]),
    /// A jsonb datum as the caller passed it.
    Jsonb(Option<Datum>),
}

impl Arg<'_> {
    fn parts(&self) -> (pg_sys::Oid, Option<Datum>) {
        match self {
            Arg::Text(text) => (pg_sys::TEXTOID, text.map(|t| super::datum::text(&encoding::from_string(t)))),
            Arg::Bigint(n) => (pg_sys::INT8OID, Some((*n).into())),
            Arg::Integer(n) => (pg_sys::INT4OID, n.map(Into::into)),
            Arg::Double(x) => (pg_sys::FLOAT8OID, Some(Datum::from(x.to_bits() as usize))),
            Arg::Oid(oid) => (pg_sys::REGCLASSOID, Some((*oid).into())),
            Arg::Integers(values) => (pg_sys::INT4ARRAYOID, Some(super::datum::integer_array(values))),
            Arg::Bigints(values) => (pg_sys::INT8ARRAYOID, Some(super::datum::bigint_array(values))),
            Arg::Texts(values) => (pg_sys::TEXTARRAYOID, Some(super::datum::text_array(values))),
            Arg::Jsonb(value) => (pg_sys::JSONBOID, *value),
        }
    }
}

/// The rows of a result, as texts; None for NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs one statement. Errors of the server propagate.
pub fn run(statement: &str, args: &[Arg]) -> Rows {
    let mut rows = Rows::new();
    execute(statement, args, false, |tuple, desc| {
        // SAFETY: a row of the result and its descriptor, which has this many columns; the texts are copied.
        unsafe {
            rows.push(
                (1..=(*desc).natts)
                    .map(|column| {
                        let text = pg_sys::SPI_getvalue(tuple, desc, column);
                        (!text.is_null()).then(|| encoding::to_string(CStr::from_ptr(text).to_bytes()))
                    })
                    .collect(),
            );
        }
    });
    rows
}

/// Calls `see` with the rows of a statement that reads. It sees what the query sees that calls the function.
pub fn read(statement: &str, args: &[Arg], mut see: impl FnMut(&Row)) {
    execute(statement, args, true, |tuple, desc| {
        check_for_interrupts();
        // SAFETY: a row of the result and its descriptor, which are alive during the call.
        let row = unsafe { Row::of_tuple(tuple, desc) };
        see(&row);
    });
}

fn execute(statement: &str, args: &[Arg], read_only: bool, mut see: impl FnMut(pg_sys::HeapTuple, pg_sys::TupleDesc)) {
    let statement = CString::new(encoding::from_string(statement).into_owned()).unwrap_or_default();
    let mut types = Vec::with_capacity(args.len());
    let mut values = Vec::with_capacity(args.len());
    let mut nulls = Vec::with_capacity(args.len());
    for arg in args {
        let (type_oid, value) = arg.parts();
        types.push(type_oid);
        nulls.push(if value.is_some() { b' ' } else { b'n' } as core::ffi::c_char);
        values.push(value.unwrap_or(Datum::from(0usize)));
    }
    // SAFETY: the arrays have one entry per parameter and live through the call; results are seen before SPI_finish
    // frees them; an error leaves through a panic, after which the transaction's end closes the SPI connection.
    unsafe {
        pg_sys::SPI_connect();
        let code = pg_sys::SPI_execute_with_args(
            statement.as_ptr(),
            args.len() as core::ffi::c_int,
            types.as_mut_ptr(),
            values.as_mut_ptr(),
            nulls.as_ptr(),
            read_only,
            0,
        );
        assert!(code >= 0, "SPI_execute_with_args: {code}");
        let table = pg_sys::SPI_tuptable;
        if !table.is_null() {
            for i in 0..(*table).numvals as usize {
                see(*(*table).vals.add(i), (*table).tupdesc);
            }
        }
        pg_sys::SPI_finish();
    }
}

/// The first column of the first row.
pub fn one(statement: &str, args: &[Arg]) -> Option<String> {
    run(statement, args).into_iter().next()?.into_iter().next()?
}

/// [`one`] as an integer.
pub fn number(statement: &str, args: &[Arg]) -> Option<i64> {
    one(statement, args)?.parse().ok()
}
