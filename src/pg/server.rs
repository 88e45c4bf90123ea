//! Functions of the server that pgrx does not bind, each with its header. All exist from PostgreSQL 14 to 18 with these
//! declarations. One that may raise is called through `pg_guard_ffi_boundary`.

use pgrx::pg_sys::{self, Datum};
use std::ffi::{c_char, c_int};

/// The beginning of struct lconv of locale.h on every platform: ten strings, then these two.
#[repr(C)]
pub struct Lconv {
    strings: [*const c_char; 10],
    int_frac_digits: c_char,
    pub frac_digits: c_char,
}

unsafe extern "C-unwind" {
    // utils/datum.h
    pub fn datumCopy(value: Datum, by_value: bool, len: c_int) -> Datum;
    // commands/sequence.h
    pub fn nextval_internal(relid: pg_sys::Oid, check_permissions: bool) -> i64;
    // access/toast_internals.h
    pub fn toast_compress_datum(value: Datum, method: c_char) -> Datum;
    // catalog/pg_inherits.h
    pub fn find_all_inheritors(
        parent: pg_sys::Oid,
        lock: pg_sys::LOCKMODE,
        parents: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
    // catalog/partition.h
    pub fn get_partition_ancestors(relid: pg_sys::Oid) -> *mut pg_sys::List;
    // utils/formatting.h
    pub fn str_tolower(text: *const c_char, length: usize, collation: pg_sys::Oid) -> *mut c_char;
    // utils/timestamp.h
    pub fn timestamp2timestamptz_opt_overflow(timestamp: i64, overflow: *mut c_int) -> i64;
    // utils/date.h
    pub fn date2timestamptz_opt_overflow(date: i32, overflow: *mut c_int) -> i64;
    // utils/pg_locale.h
    pub fn PGLC_localeconv() -> *const Lconv;
    // tcop/tcopprot.h; called by a signal, and so not guarded
    pub fn die(signal: c_int);
    // utils/elog.h; called where there is no memory, and so not guarded
    pub fn geterrcode() -> c_int;
    pub fn errstart(level: c_int, domain: *const c_char) -> bool;
    pub fn errcode(code: c_int) -> c_int;
    pub fn errmsg(format: *const c_char, ...) -> c_int;
    pub fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
}
