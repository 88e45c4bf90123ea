//! Appending rows to our own tables, without SQL: no plan, no snapshot, no privileges to switch, nothing to wait for.

use super::datum::Row;
use super::relation::{Lock, Relation};
use super::scan::{Key, Probe};
use super::version;
use pgrx::pg_sys::{self, Datum};
use smallvec::SmallVec;
use std::ops::ControlFlow;

/// A table opened for appending, with its indexes.
pub struct Appender {
    table: Relation,
    indexes: pg_sys::CatalogIndexState,
    /// There is an index of somebody's own that more is evaluated for than columns.
    evaluates: bool,
}

impl Appender {
    /// Opens the table; None if it is gone.
    pub fn open(table: pg_sys::Oid) -> Option<Appender> {
        let table = Relation::open(table, Lock::RowExclusive)?;
        // SAFETY: the table is open; the state is fresh, and describes as many indexes as it says.
        let (indexes, evaluates) = unsafe {
            let indexes = pg_sys::CatalogOpenIndexes(table.raw());
            let evaluates = |i| {
                let index = &**(*indexes).ri_IndexRelationInfo.add(i);
                !(index.ii_Expressions.is_null() && index.ii_Predicate.is_null() && index.ii_ExclusionOps.is_null())
            };
            (indexes, (0..(*indexes).ri_NumIndices as usize).any(evaluates))
        };
        Some(Appender { table, indexes, evaluates })
    }

    /// Appends a row; one value a column, None for NULL. Columns that somebody has added are NULL.
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N]) {
        // SAFETY: the callers pass one value of the right type for each column of our own table, and a column that has been added
        // comes after them, and counts for ever; the tuple is ours to free.
        unsafe {
            let columns = (*self.table.desc()).natts as usize;
            debug_assert!(N <= columns);
            let mut values: SmallVec<[Datum; 8]> = row.iter().map(|v| v.unwrap_or(Datum::from(0usize))).collect();
            let mut nulls: SmallVec<[bool; 8]> = row.iter().map(Option::is_none).collect();
            values.resize(columns.max(N), Datum::from(0usize));
            nulls.resize(columns.max(N), true);
            let tuple = pg_sys::heap_form_tuple(self.table.desc(), values.as_mut_ptr(), nulls.as_mut_ptr());
            if self.evaluates {
                self.insert_by_executor(tuple);
            } else {
                pg_sys::CatalogTupleInsertWithInfo(self.table.raw(), tuple, self.indexes);
            }
            pg_sys::heap_freetuple(tuple);
        }
    }

    /// With an executor, which an index on an expression and a partial one need.
    ///
    /// # Safety
    /// `tuple` is one of this table.
    #[cold]
    unsafe fn insert_by_executor(&self, tuple: pg_sys::HeapTuple) {
        // SAFETY: the table and its indexes are open; what the executor prepares for the indexes is forgotten with it.
        unsafe {
            let executor = pg_sys::CreateExecutorState();
            let slot = pg_sys::MakeSingleTupleTableSlot(self.table.desc(), &raw const pg_sys::TTSOpsHeapTuple);
            pg_sys::simple_heap_insert(self.table.raw(), tuple);
            pg_sys::ExecStoreHeapTuple(tuple, slot, false);
            version::insert_index_tuples(self.indexes, slot, executor);
            for i in 0..(*self.indexes).ri_NumIndices as usize {
                let index = &mut **(*self.indexes).ri_IndexRelationInfo.add(i);
                index.ii_ExpressionsState = std::ptr::null_mut();
                index.ii_PredicateState = std::ptr::null_mut();
            }
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::FreeExecutorState(executor);
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

/// Has somebody declared the transaction read-only, in the middle of a statement that writes? A trigger then records nothing.
pub fn is_read_only() -> bool {
    // SAFETY: reads a variable.
    unsafe { pg_sys::XactReadOnly }
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
