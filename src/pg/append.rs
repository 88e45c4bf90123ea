//! Appending rows to the extension's tables without SQL: no plan, no snapshot, no switch of privileges, no waiting.

use super::additions::Additions;
use super::datum::Row;
use super::own_tables;
use super::relation::{Lock, Relation};
use super::scan::{Key, Probe};
use super::subtransaction::guarded;
use super::{patience, schema, server, version};
use pgrx::pg_sys::{self, Datum};
use smallvec::SmallVec;
use std::ops::ControlFlow;

/// A table opened for appending, with its indexes.
pub struct Appender {
    table: Relation,
    indexes: pg_sys::CatalogIndexState,
    additions: Additions,
    /// An index has an expression or a predicate to be evaluated.
    evaluates: bool,
    /// An added column or index may refuse a row.
    may_refuse: bool,
    /// The column whose values the last index holds, and no NULLs. Its predicate is looked at here.
    of_known: Option<i16>,
}

impl Appender {
    /// Opens the table; None if it is gone, has been changed, or is locked for longer than a trigger waits.
    pub fn open(of: own_tables::Table) -> Option<Appender> {
        let table = of.open_to_append()?;
        let additions = Additions::of(&table, of.width(), of.places()).ok()?;
        simplify_expressions(&table)?;
        // SAFETY: the table is open; the state is fresh.
        let indexes = unsafe { pg_sys::CatalogOpenIndexes(table.raw()) };
        let mut appender = Appender { indexes, table, additions, evaluates: false, may_refuse: false, of_known: None };
        appender.of_known = appender.put_index_of_known_last();
        // SAFETY: as many indexes are described, and their relations are open until the appender is dropped.
        let (evaluates, may_refuse, lets_in) = unsafe {
            let evaluates = appender.infos().any(|i| {
                let index = &*i;
                !(index.ii_Expressions.is_null() && index.ii_Predicate.is_null() && index.ii_ExclusionOps.is_null())
            });
            let may_refuse = appender.indexes().any(|i| may_refuse(&Relation::borrowed(i)));
            (evaluates, may_refuse, of.lets_in(appender.indexes().map(|i| (*i).rd_id)))
        };
        appender.evaluates = evaluates;
        appender.may_refuse = may_refuse || appender.additions.may_refuse();
        lets_in.then_some(appender)
    }

    /// The same for calls: what refuses a row raises its error.
    pub fn that_raises(self) -> Appender {
        let mut raising = self;
        raising.may_refuse = false;
        raising
    }

    fn count(&self) -> usize {
        // SAFETY: the state lives as long as the appender.
        unsafe { (*self.indexes).ri_NumIndices as usize }
    }

    fn indexes(&self) -> impl Iterator<Item = pg_sys::Relation> {
        // SAFETY: the state describes as many indexes as it says.
        unsafe { (0..self.count()).map(|i| *(*self.indexes).ri_IndexRelationDescs.add(i)) }
    }

    fn infos(&self) -> impl Iterator<Item = *mut pg_sys::IndexInfo> {
        // SAFETY: the state describes as many indexes as it says.
        unsafe { (0..self.count()).map(|i| *(*self.indexes).ri_IndexRelationInfo.add(i)) }
    }

    /// Appends a row: one value per column that every version has, None for NULL, and those of added columns by number;
    /// a number of 0 is of a column that the table lacks. Columns of others get their defaults. Returns false if such a
    /// column or an index refuses the row, which is not an error; goals.health() shows it.
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N], later: &[(i16, Option<Datum>)]) -> bool {
        // SAFETY: reads the descriptor of an open table.
        let columns = unsafe { (*self.table.desc()).natts as usize };
        debug_assert!(N <= columns);
        let mut values: SmallVec<[Datum; 16]> = row.iter().map(|v| v.unwrap_or(Datum::from(0usize))).collect();
        let mut nulls: SmallVec<[bool; 16]> = row.iter().map(Option::is_none).collect();
        values.resize(columns.max(N), Datum::from(0usize));
        nulls.resize(columns.max(N), true);
        for (number, value) in later {
            if let (Some(place), Some(value)) = (usize::from(number.unsigned_abs()).checked_sub(1), value) {
                values[place] = *value;
                nulls[place] = false;
            }
        }
        let filled = self.additions.fill(&self.table, &mut values, &mut nulls);
        if !self.may_refuse {
            self.insert(&mut values, &mut nulls);
            return true;
        }
        // Only such a table needs a subtransaction, which takes a transaction id: the refusal can be any error.
        let insert = || {
            self.insert(&mut values, &mut nulls);
            for (index, info) in self.indexes().zip(self.infos()) {
                // SAFETY: open, and described by the state. What it has pinned belongs to the subtransaction.
                unsafe { version::insert_cleanup(index, info) }
            }
        };
        let inserted = filled && guarded(insert).is_some();
        if !inserted {
            self.forget_what_is_prepared();
            for info in self.infos() {
                // SAFETY: described by the state; what is forgotten went with the subtransaction.
                unsafe { (*info).ii_AmCache = std::ptr::null_mut() }
            }
            patience::refused(self.table.oid());
        }
        inserted
    }

    /// Puts the index that holds only the rows with a value in some column behind the others, and takes its predicate
    /// away. Returns the column.
    fn put_index_of_known_last(&self) -> Option<i16> {
        let is_it = |index: pg_sys::Relation| {
            // SAFETY: the state holds the index open.
            let index = unsafe { Relation::borrowed(index) };
            index.name_bytes() == schema::RECEIPT_ROW.name.as_bytes()
                && schema::RECEIPT_ROW.fits(&index, &self.table).is_ok()
        };
        let at = self.indexes().position(is_it)?;
        let last = self.count() - 1;
        // SAFETY: both arrays have as many entries as there are indexes; the description is this appender's own.
        unsafe {
            let (relations, infos) = ((*self.indexes).ri_IndexRelationDescs, (*self.indexes).ri_IndexRelationInfo);
            std::ptr::swap(relations.add(at), relations.add(last));
            std::ptr::swap(infos.add(at), infos.add(last));
            (**infos.add(last)).ii_Predicate = std::ptr::null_mut();
        }
        schema::RECEIPT_ROW.named_in(&self.table)
    }

    fn insert(&self, values: &mut [Datum], nulls: &mut [bool]) {
        let is_left_out = |column: i16| nulls[usize::from(column.unsigned_abs()) - 1];
        let _without = self.of_known.is_some_and(is_left_out).then(|| Without::last_index(self.indexes));
        // SAFETY: the callers pass one value of the right type per column of the extension's table; added columns come
        // after them, and dropped ones still count. The tuple is made here and freed once.
        unsafe {
            let tuple = pg_sys::heap_form_tuple(self.table.desc(), values.as_mut_ptr(), nulls.as_mut_ptr());
            if self.evaluates {
                self.insert_by_executor(tuple);
            } else {
                pg_sys::CatalogTupleInsertWithInfo(self.table.raw(), tuple, self.indexes);
            }
            pg_sys::heap_freetuple(tuple);
        }
    }

    /// Inserts the tuple with an executor, which indexes with expressions or predicates need.
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
            self.forget_what_is_prepared();
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::FreeExecutorState(executor);
        }
    }

    fn forget_what_is_prepared(&self) {
        for index in self.infos() {
            // SAFETY: described by the state; what is forgotten is the executor's.
            unsafe {
                (*index).ii_ExpressionsState = std::ptr::null_mut();
                (*index).ii_PredicateState = std::ptr::null_mut();
            }
        }
    }
}

/// While it lives, the last index of a table gets no entries.
struct Without {
    indexes: pg_sys::CatalogIndexState,
}

impl Without {
    fn last_index(indexes: pg_sys::CatalogIndexState) -> Without {
        // SAFETY: the state of an appender, which outlives this; it describes at least one index.
        unsafe { (*indexes).ri_NumIndices -= 1 }
        Without { indexes }
    }
}

impl Drop for Without {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (*self.indexes).ri_NumIndices += 1 }
    }
}

/// Simplifies the expressions and predicates of a table's indexes in a subtransaction; None if that failed. The server
/// does it on first use, keeps the result, and thereby runs functions that are called with constants.
fn simplify_expressions(table: &Relation) -> Option<()> {
    let open = |oid| Relation::open(oid, Lock::RowExclusive);
    let is_known = |index: &Relation| {
        index.name_bytes() == schema::RECEIPT_ROW.name.as_bytes() && schema::RECEIPT_ROW.fits(index, table).is_ok()
    };
    let of_interest = |oid: &pg_sys::Oid| open(*oid).is_some_and(|index| index.has_expressions() && !is_known(&index));
    let indexes: SmallVec<[pg_sys::Oid; 4]> = table.indexes().into_iter().filter(of_interest).collect();
    if indexes.is_empty() {
        return Some(());
    }
    guarded(|| {
        for index in indexes.iter().filter_map(|oid| open(*oid)) {
            // SAFETY: an open index.
            unsafe {
                pg_sys::RelationGetIndexExpressions(index.raw());
                pg_sys::RelationGetIndexPredicate(index.raw());
            }
        }
    })
}

/// True if an index can refuse a row or have no room for it. False for the extension's own indexes and for plain ones
/// on columns of fixed length.
fn may_refuse(index: &Relation) -> bool {
    let form = index.index_form();
    let varies =
        || (1..=usize::from(form.indnatts.unsigned_abs())).any(|i| index.attribute(i).is_none_or(|a| a.attlen < 0));
    !schema::is_searched(index.name_bytes())
        && (form.indisunique
            || form.indisexclusion
            || index.access_method() != pg_sys::BTREE_AM_OID && index.access_method() != pg_sys::BRIN_AM_OID
            || index.has_expressions()
            || varies())
}

impl Drop for Appender {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: opened with the appender, closed once.
            unsafe { pg_sys::CatalogCloseIndexes(self.indexes) }
        }
    }
}

/// A table of the extension that is both searched by an index and appended to.
pub struct Log {
    // First, because fields are dropped in this order and it scans the table and its index.
    probe: Probe<'static>,
    appender: Appender,
}

impl Log {
    /// Opens the table; None if it, or the index to search it by, cannot be used.
    pub fn open(table: own_tables::Table, by: own_tables::Index, keys: usize) -> Option<Log> {
        let appender = Appender::open(table)?;
        // SAFETY: the state holds all indexes of the table open and locked until the appender is dropped, after the
        // probe.
        let probe: Probe<'static> = unsafe {
            let index = Relation::borrowed(appender.indexes().find(|i| (**i).rd_id == by.oid())?);
            if !by.fits(&index, &appender.table) {
                return None;
            }
            let table = Relation::borrowed(appender.table.raw());
            std::mem::transmute::<Probe<'_>, Probe<'static>>(Probe::new(&table, &index, keys))
        };
        Some(Log { probe, appender })
    }

    /// [`Probe::visit`], forwards.
    pub fn visit(&mut self, keys: &[Key], row: impl FnMut(&Row) -> ControlFlow<()>) {
        self.probe.visit(keys, false, row);
    }

    /// See [`Appender::append`].
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N], later: &[(i16, Option<Datum>)]) -> bool {
        self.appender.append(row, later)
    }
}

/// True if the transaction has become read-only in the middle of a statement that writes. A trigger then records
/// nothing.
pub fn is_read_only() -> bool {
    // SAFETY: reads a variable.
    unsafe { pg_sys::XactReadOnly }
}

/// Raises the error of an INSERT on a standby or in a read-only transaction.
pub fn refuse_if_read_only() {
    // SAFETY: checks of the transaction's state, which raise.
    unsafe {
        pg_sys::PreventCommandIfReadOnly(c"reporting to pg_goals".as_ptr());
        pg_sys::PreventCommandDuringRecovery(c"reporting to pg_goals".as_ptr());
    }
}

/// Gives the transaction its id. To be called before the set-up is read under which something is recorded.
/// goals.roll_up() relies on it twice. A row id drawn by a transaction without an id could be committed below a
/// watermark already passed. And replaced goals are dropped once all transactions that could still record under them
/// have ended.
pub fn begin() {
    refuse_if_read_only();
    // SAFETY: assigns an id where there is none.
    unsafe { pg_sys::GetTopTransactionId() };
}

/// The next id of a sequence of the extension; None if it is locked for longer than a trigger waits.
pub fn next_id(sequence: own_tables::Sequence) -> Option<i64> {
    let sequence = sequence.lock()?;
    begin();
    // SAFETY: the oid is that of a sequence of the extension.
    Some(unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| server::nextval_internal(sequence, false)) })
}
