//! Appending rows to our own tables, without SQL: no plan, no snapshot, no privileges to switch, nothing to wait for.

use super::datum::Row;
use super::relation::{Lock, Relation};
use super::scan::{Key, Probe};
use pgrx::pg_sys::{self, Datum};
use std::ops::ControlFlow;

/// A table opened for appending, with its indexes.
pub struct Appender {
    table: Relation,
    indexes: pg_sys::CatalogIndexState,
}

impl Appender {
    /// Opens the table; None if it is gone.
    pub fn open(table: pg_sys::Oid) -> Option<Appender> {
        let table = Relation::open(table, Lock::RowExclusive)?;
        // SAFETY: the table is open; its indexes are on plain columns and not unique, as this way of inserting requires.
        let indexes = unsafe { pg_sys::CatalogOpenIndexes(table.raw()) };
        Some(Appender { table, indexes })
    }

    /// Appends a row; one value a column, None for NULL.
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N]) {
        let mut values = row.map(|v| v.unwrap_or(Datum::from(0usize)));
        let mut nulls = row.map(|v| v.is_none());
        // SAFETY: the callers pass one value of the right type for each column of our own table; the tuple is ours to free.
        unsafe {
            debug_assert_eq!(N, (*self.table.desc()).natts as usize);
            let tuple = pg_sys::heap_form_tuple(self.table.desc(), values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::CatalogTupleInsertWithInfo(self.table.raw(), tuple, self.indexes);
            pg_sys::heap_freetuple(tuple);
        }
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: opened by us, closed once.
            unsafe { pg_sys::CatalogCloseIndexes(self.indexes) }
        }
    }
}

/// A table of ours that is searched by one of its indexes and appended to, opened once for both.
pub struct Log {
    // Before the table and its indexes, which it scans: fields are dropped in this order.
    probe: Probe<'static>,
    appender: Appender,
}

impl Log {
    /// Opens the table; None if it, or the index to search it by, is gone.
    pub fn open(table: pg_sys::Oid, index: pg_sys::Oid, keys: usize) -> Option<Log> {
        let appender = Appender::open(table)?;
        // SAFETY: the state holds all indexes of the table open and locked until the appender is dropped, after the probe.
        let probe: Probe<'static> = unsafe {
            let state = &*appender.indexes;
            let indexes = (0..state.ri_NumIndices as usize).map(|i| *state.ri_IndexRelationDescs.add(i));
            let index = Relation::borrowed(indexes.into_iter().find(|i| (**i).rd_id == index)?);
            let table = Relation::borrowed(appender.table.raw());
            std::mem::transmute::<Probe<'_>, Probe<'static>>(Probe::new(&table, &index, keys))
        };
        Some(Log { probe, appender })
    }

    /// As [`Probe::visit`], forwards.
    pub fn visit(&mut self, keys: &[Key], row: impl FnMut(&Row) -> ControlFlow<()>) {
        self.probe.visit(keys, false, row);
    }

    /// As [`Appender::append`].
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N]) {
        self.appender.append(row);
    }
}

/// On a standby and in a read-only transaction: the error that an INSERT would give.
pub fn refuse_if_read_only() {
    // SAFETY: checks of the transaction's state, which raise.
    unsafe {
        pg_sys::PreventCommandIfReadOnly(c"reporting to pg_goals".as_ptr());
        pg_sys::PreventCommandDuringRecovery(c"reporting to pg_goals".as_ptr());
    }
}

/// To be called before the set-up is read that something is recorded under: gives the transaction its id. goals.roll_up() relies
/// on it, twice: an id drawn by a transaction without one could be committed below a watermark already passed; and goals
/// that have been replaced are forgotten when every transaction has ended that could still record something under them.
pub fn begin() {
    refuse_if_read_only();
    // SAFETY: assigns an id where there is none.
    unsafe { pg_sys::GetTopTransactionId() };
}

/// The next id of a sequence of ours.
pub fn next_id(sequence: pg_sys::Oid) -> i64 {
    unsafe extern "C-unwind" {
        fn nextval_internal(relid: pg_sys::Oid, check_permissions: bool) -> i64;
    }
    begin();
    // SAFETY: declared as in commands/sequence.h; the oid is that of a sequence of ours.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| nextval_internal(sequence, false)) }
}
