//! Reading the newest state of tables without a snapshot: what is committed now, and the transaction's own rows. Such a
//! scan (SnapshotSelf) takes no predicate locks, so it does not affect the application's SERIALIZABLE transactions. It
//! finds what was committed after their snapshot. It is exact for rows that are inserted and deleted but never updated;
//! the extension's tables are designed for that. [`visit_ids`] alone reads as a query does.

use super::datum::Row;
use super::relation::Relation;
use super::scratch::check_for_interrupts;
use super::version;
use pgrx::pg_sys::{self, Datum};
use std::ops::ControlFlow;

/// One condition of an index scan: column `attribute` of the index compared with a value by a built-in function.
pub struct Key {
    pub attribute: i16,
    pub strategy: u32,
    pub function: u32,
    pub value: Datum,
    pub collation: pg_sys::Oid,
}

impl Key {
    /// The condition that a column is NULL.
    pub fn null(attribute: i16) -> Key {
        Key { attribute, strategy: 0, function: 0, value: Datum::from(0usize), collation: pg_sys::InvalidOid }
    }

    /// The condition that an integer column has this value.
    pub fn integer(attribute: i16, value: i32) -> Key {
        let (strategy, function) = (pg_sys::BTEqualStrategyNumber, pg_sys::F_INT4EQ);
        Key { attribute, strategy, function, value: value.into(), collation: pg_sys::InvalidOid }
    }

    /// The condition that a text column has this value, in the server's encoding.
    pub fn text(attribute: i16, value: &[u8]) -> Key {
        let (strategy, function) = (pg_sys::BTEqualStrategyNumber, pg_sys::F_TEXTEQ);
        Key { attribute, strategy, function, value: super::datum::text(value), collation: pg_sys::C_COLLATION_OID }
    }
}

fn newest() -> pg_sys::Snapshot {
    &raw mut pg_sys::SnapshotSelfData
}

/// A scan of one index, to be repeated with other keys.
pub struct Probe<'a> {
    scan: pg_sys::IndexScanDesc,
    slot: *mut pg_sys::TupleTableSlot,
    columns: core::ffi::c_int,
    keys: [pg_sys::ScanKeyData; 3],
    /// Attribute, strategy and function per key: if they are unchanged, only the values are set.
    made_for: [(i16, u32, u32); 3],
    /// The context of the scan: what the index allocates during it has to live as long.
    memory: pg_sys::MemoryContext,
    tables: std::marker::PhantomData<&'a Relation>,
}

impl<'a> Probe<'a> {
    /// A scan of `index` of `table` with `keys` conditions.
    pub fn new(table: &'a Relation, index: &'a Relation, keys: usize) -> Probe<'a> {
        // SAFETY: SnapshotSelf is static. A B-tree scan with such a snapshot keeps its page pinned, so a row's place is not
        // reused while it is read.
        unsafe { Probe::seeing(newest(), table, index, keys) }
    }

    /// # Safety
    /// The snapshot outlives the scan.
    unsafe fn seeing(snapshot: pg_sys::Snapshot, table: &'a Relation, index: &'a Relation, keys: usize) -> Probe<'a> {
        // SAFETY: both are open and locked, and are borrowed for the life of the scan, as the snapshot is valid for it.
        unsafe {
            let slot = pg_sys::table_slot_create(table.raw(), std::ptr::null_mut());
            let scan = version::index_beginscan(table.raw(), index.raw(), snapshot, keys as core::ffi::c_int);
            let memory = pg_sys::CurrentMemoryContext;
            Probe {
                scan,
                slot,
                columns: (*table.desc()).natts,
                keys: Default::default(),
                made_for: Default::default(),
                memory,
                tables: std::marker::PhantomData,
            }
        }
    }

    /// Calls `row` with the rows that satisfy the conditions, in index order or backwards, until it stops.
    pub fn visit(&mut self, keys: &[Key], backwards: bool, mut row: impl FnMut(&Row) -> ControlFlow<()>) {
        let direction = if backwards {
            pg_sys::ScanDirection::BackwardScanDirection
        } else {
            pg_sys::ScanDirection::ForwardScanDirection
        };
        // SAFETY: the scan was begun with this many keys; their functions are built-in comparison functions of the
        // index columns' types; each row is deformed completely before it is shown and not kept beyond the call.
        unsafe {
            let callers = pg_sys::MemoryContextSwitchTo(self.memory);
            for ((to, made_for), key) in self.keys.iter_mut().zip(&mut self.made_for).zip(keys) {
                let wanted = (key.attribute, key.strategy, key.function);
                if *made_for != wanted || to.sk_collation != key.collation {
                    let flags = if key.function == 0 { pg_sys::SK_ISNULL | pg_sys::SK_SEARCHNULL } else { 0 };
                    pg_sys::ScanKeyEntryInitialize(
                        to,
                        flags as core::ffi::c_int,
                        key.attribute,
                        key.strategy as pg_sys::StrategyNumber,
                        pg_sys::InvalidOid,
                        key.collation,
                        pg_sys::Oid::from_u32(key.function),
                        key.value,
                    );
                    *made_for = wanted;
                }
                to.sk_argument = key.value;
            }
            let count = keys.len() as core::ffi::c_int;
            pg_sys::index_rescan(self.scan, self.keys.as_mut_ptr(), count, std::ptr::null_mut(), 0);
            let (mut shown, mut stopped) = (false, false);
            while pg_sys::index_getnext_slot(self.scan, direction, self.slot) {
                pg_sys::slot_getsomeattrs_int(self.slot, self.columns);
                pg_sys::MemoryContextSwitchTo(callers);
                stopped = row(&Row::of_slot(self.slot)).is_break();
                shown = true;
                pg_sys::MemoryContextSwitchTo(self.memory);
                if stopped {
                    break;
                }
            }
            // No page stays pinned between visits: the next one may be for another statement. A scan that has reached
            // its end has already released the index.
            if shown {
                pg_sys::ExecClearTuple(self.slot);
            }
            if stopped {
                pg_sys::index_rescan(self.scan, std::ptr::null_mut(), count, std::ptr::null_mut(), 0);
            }
            pg_sys::MemoryContextSwitchTo(callers);
        }
    }
}

/// A scan together with the table and index it reads, which it keeps open.
pub struct OwnedProbe {
    // First, because fields are dropped in this order and it scans the relations.
    probe: Probe<'static>,
    table: Relation,
    _index: Relation,
}

impl OwnedProbe {
    /// A scan of `index` of `table` with `keys` conditions.
    pub fn new(table: Relation, index: Relation, keys: usize) -> OwnedProbe {
        // SAFETY: a probe refers to nothing but its scan, and is dropped before the relations are closed.
        let probe = unsafe { std::mem::transmute::<Probe<'_>, Probe<'static>>(Probe::new(&table, &index, keys)) };
        OwnedProbe { probe, table, _index: index }
    }

    /// See [`Probe::visit`].
    pub fn visit(&mut self, keys: &[Key], backwards: bool, row: impl FnMut(&Row) -> ControlFlow<()>) {
        self.probe.visit(keys, backwards, row);
    }

    /// [`Probe::visit`], which also passes the table.
    pub fn visit_with_table(&mut self, keys: &[Key], mut row: impl FnMut(&Relation, &Row)) {
        let table = &self.table;
        self.probe.visit(keys, false, |r| {
            row(table, r);
            ControlFlow::Continue(())
        });
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: begun by this probe, ended once.
            unsafe {
                pg_sys::index_endscan(self.scan);
                pg_sys::ExecDropSingleTupleTableSlot(self.slot);
            }
        }
    }
}

/// Ids that lie no further apart are found by one scan: to pass over entries of an index costs less than to look for the
/// next one from its root.
const APART: i64 = 8;

/// Calls `see` with the rows of these ids, as the query sees them that calls the function: where the id is in the list,
/// and the row. The ids are ascending, each once; `index` begins with the id, a bigint. The rows come in its order.
pub(super) fn visit_ids(table: &Relation, index: &Relation, ids: &[i64], mut see: impl FnMut(usize, &Row)) {
    // SAFETY: the snapshot of the query is active while the function runs, so longer than this scan.
    let mut probe = unsafe { Probe::seeing(pg_sys::GetActiveSnapshot(), table, index, 2) };
    let mut begin = 0;
    for near in ids.chunk_by(|one, other| other.saturating_sub(*one) <= APART) {
        probe.visit_some(near, |i, row| see(begin + i, row));
        begin += near.len();
    }
}

impl Probe<'_> {
    /// [`visit_ids`] by one scan from the first id to the last one. The rows of other ids are not fetched.
    fn visit_some(&mut self, ids: &[i64], mut see: impl FnMut(usize, &Row)) {
        let [Some(first), Some(last)] = [ids.first(), ids.last()] else { return };
        let bounds = [
            (pg_sys::BTGreaterEqualStrategyNumber, pg_sys::F_INT8GE, *first),
            (pg_sys::BTLessEqualStrategyNumber, pg_sys::F_INT8LE, *last),
        ];
        // SAFETY: as in visit(). The scan shows the entry of the index with each place that it finds: a header, a list of
        // NULLs if there are any, and the first column, which is none of them.
        unsafe {
            let callers = pg_sys::MemoryContextSwitchTo(self.memory);
            for (to, (strategy, function, value)) in self.keys.iter_mut().zip(bounds) {
                let (none, function) = (pg_sys::InvalidOid, pg_sys::Oid::from_u32(function));
                let strategy = strategy as pg_sys::StrategyNumber;
                pg_sys::ScanKeyEntryInitialize(to, 0, 1, strategy, none, none, function, value.into());
            }
            (*self.scan).xs_want_itup = true;
            pg_sys::index_rescan(self.scan, self.keys.as_mut_ptr(), 2, std::ptr::null_mut(), 0);
            let mut at = 0;
            while !pg_sys::index_getnext_tid(self.scan, pg_sys::ScanDirection::ForwardScanDirection).is_null() {
                check_for_interrupts();
                let entry = (*self.scan).xs_itup;
                let has_nulls = u32::from((*entry).t_info) & pg_sys::INDEX_NULL_MASK != 0;
                let id = entry.cast::<i64>().add(if has_nulls { 2 } else { 1 }).read_unaligned();
                at += ids[at..].iter().take_while(|known| **known < id).count();
                if ids.get(at) != Some(&id) || !pg_sys::index_fetch_heap(self.scan, self.slot) {
                    continue;
                }
                pg_sys::slot_getsomeattrs_int(self.slot, self.columns);
                pg_sys::MemoryContextSwitchTo(callers);
                see(at, &Row::of_slot(self.slot));
                pg_sys::MemoryContextSwitchTo(self.memory);
            }
            pg_sys::ExecClearTuple(self.slot);
            pg_sys::MemoryContextSwitchTo(callers);
        }
    }
}

/// Calls `row` with every row of a table in storage order, until it stops.
pub fn visit_all(table: &Relation, mut row: impl FnMut(&Row) -> ControlFlow<()>) {
    // SAFETY: as for an index scan: the table is open and locked throughout, the snapshot static.
    unsafe {
        let slot = pg_sys::table_slot_create(table.raw(), std::ptr::null_mut());
        let scan = pg_sys::table_beginscan(table.raw(), newest(), 0, std::ptr::null_mut());
        while pg_sys::table_scan_getnextslot(scan, pg_sys::ScanDirection::ForwardScanDirection, slot) {
            pg_sys::slot_getsomeattrs_int(slot, (*table.desc()).natts);
            if row(&Row::of_slot(slot)).is_break() {
                break;
            }
        }
        pg_sys::table_endscan(scan);
        pg_sys::ExecDropSingleTupleTableSlot(slot);
    }
}
