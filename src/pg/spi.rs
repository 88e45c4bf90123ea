//! SQL for setting up: fixed statements, run with the rights of the extension's owner and a fixed search path. Never used
//! by a trigger.

use super::strings;
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
    /// A jsonb datum as the caller passed it.
    Jsonb(Option<Datum>),
}

impl Arg<'_> {
    fn parts(&self) -> (pg_sys::Oid, Option<Datum>) {
        match self {
            Arg::Text(text) => (pg_sys::TEXTOID, text.map(|t| super::datum::text(&strings::from_string(t)))),
            Arg::Bigint(n) => (pg_sys::INT8OID, Some((*n).into())),
            Arg::Integer(n) => (pg_sys::INT4OID, n.map(Into::into)),
            Arg::Double(x) => (pg_sys::FLOAT8OID, Some(Datum::from(x.to_bits() as usize))),
            Arg::Oid(oid) => (pg_sys::REGCLASSOID, Some((*oid).into())),
            Arg::Integers(values) => (pg_sys::INT4ARRAYOID, Some(super::datum::integer_array(values))),
            Arg::Jsonb(value) => (pg_sys::JSONBOID, *value),
        }
    }
}

/// A result: the columns' text forms.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs `work` as the owner of the extension's tables, with nothing but the system's schema on the search path.
pub fn as_owner<T>(revision: super::ours::Table, work: impl FnOnce() -> T) -> T {
    as_extension_owner(revision.owner(), work)
}

/// As [`as_owner`], where nothing is known of the tables.
pub(super) fn as_extension_owner<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    as_role(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_NOFORCE_RLS, work)
}

/// Runs `work` as the owner of a table, as the server does where it may come to run what the owner has written: nothing of that can change
/// the session, its settings or its user.
pub(super) fn as_table_owner<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    as_role(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION, work)
}

fn as_role<T>(role: pg_sys::Oid, security: u32, work: impl FnOnce() -> T) -> T {
    let (mut user, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: as ri_triggers.c does around its queries, and index builds around index expressions. If `work` raises, the end of the
    // (sub)transaction restores user and settings.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
        let level = pg_sys::NewGUCNestLevel();
        set(c"search_path", c"pg_catalog, pg_temp");
        pg_sys::SetUserIdAndSecContext(role, context | security as core::ffi::c_int);
        let result = work();
        pg_sys::AtEOXact_GUC(false, level);
        pg_sys::SetUserIdAndSecContext(user, context);
        result
    }
}

/// Runs `work` with the settings under which every session writes a value in the same way, as postgres_fdw does.
pub fn with_portable_output<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: settings of the session with valid values; if `work` raises, the end of the (sub)transaction restores them.
    unsafe {
        let level = pg_sys::NewGUCNestLevel();
        set(c"datestyle", c"ISO, YMD");
        set(c"timezone", c"UTC");
        set(c"intervalstyle", c"postgres");
        set(c"extra_float_digits", c"1");
        set(c"bytea_output", c"hex");
        set(c"search_path", c"pg_catalog, pg_temp");
        let result = work();
        pg_sys::AtEOXact_GUC(true, level);
        result
    }
}

unsafe fn set(name: &CStr, value: &CStr) {
    // SAFETY: a valid name and value, saved on the current nest level.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}

/// Runs one statement. Errors of the server go on to the caller.
pub fn run(statement: &str, args: &[Arg]) -> Rows {
    let statement = CString::new(strings::from_string(statement).into_owned()).unwrap_or_default();
    let mut types = Vec::with_capacity(args.len());
    let mut values = Vec::with_capacity(args.len());
    let mut nulls = Vec::with_capacity(args.len());
    for arg in args {
        let (type_oid, value) = arg.parts();
        types.push(type_oid);
        nulls.push(if value.is_some() { b' ' } else { b'n' } as core::ffi::c_char);
        values.push(value.unwrap_or(Datum::from(0usize)));
    }
    // SAFETY: the arrays have one entry a parameter and live through the call; results are copied before SPI_finish frees
    // them; an error leaves through a panic, after which the transaction's end closes the SPI connection.
    unsafe {
        pg_sys::SPI_connect();
        let code = pg_sys::SPI_execute_with_args(
            statement.as_ptr(),
            args.len() as core::ffi::c_int,
            types.as_mut_ptr(),
            values.as_mut_ptr(),
            nulls.as_ptr(),
            false,
            0,
        );
        assert!(code >= 0, "SPI_execute_with_args: {code}");
        let table = pg_sys::SPI_tuptable;
        let mut rows = Rows::new();
        if !table.is_null() {
            let desc = (*table).tupdesc;
            for i in 0..(*table).numvals as usize {
                let tuple = *(*table).vals.add(i);
                rows.push(
                    (1..=(*desc).natts)
                        .map(|column| {
                            let text = pg_sys::SPI_getvalue(tuple, desc, column);
                            (!text.is_null()).then(|| strings::to_string(CStr::from_ptr(text).to_bytes()))
                        })
                        .collect(),
                );
            }
        }
        pg_sys::SPI_finish();
        rows
    }
}

/// The first column of the first row.
pub fn one(statement: &str, args: &[Arg]) -> Option<String> {
    run(statement, args).into_iter().next()?.into_iter().next()?
}
