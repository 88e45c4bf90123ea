//! Appending rows to our own tables, without SQL: no plan, no snapshot, no privileges to switch, nothing to wait for.

use super::additions::Additions;
use super::datum::Row;
use super::ours;
use super::relation::{Lock, Relation};
use super::scan::{Key, Probe};
use super::{datum, errors, shape, spi, version};
use pgrx::pg_sys::{self, Datum};
use smallvec::SmallVec;
use std::ops::ControlFlow;

/// A table opened for appending, with its indexes.
pub struct Appender {
    table: Relation,
    indexes: pg_sys::CatalogIndexState,
    additions: Additions,
    /// The owner of the table, as whom more than columns is evaluated for an index.
    evaluates: Option<pg_sys::Oid>,
}

impl Appender {
    /// Opens the table; None if it is gone, is not what it was made as, or is locked for longer than a trigger waits.
    pub fn open(of: ours::Table) -> Option<Appender> {
        let table = of.open_to_append()?;
        let additions = Additions::of(&table, of).ok()?;
        // SAFETY: the table is open; the state is fresh.
        let open = || unsafe { pg_sys::CatalogOpenIndexes(table.raw()) };
        let indexes =
            if simplify_expressions(&table, of.owner())? { spi::as_table_owner(of.owner(), open) } else { open() };
        let mut appender = Appender { indexes, table, additions, evaluates: None };
        // SAFETY: as many indexes are described, and their relations are open until the appender is dropped.
        let (evaluates, lets_in) = unsafe {
            let more_than_columns = appender.infos().any(|i| {
                let index = &*i;
                !(index.ii_Expressions.is_null() && index.ii_Predicate.is_null() && index.ii_ExclusionOps.is_null())
            });
            let evaluates = more_than_columns || appender.indexes().any(|i| may_lack_room(i));
            (evaluates, of.lets_in(appender.indexes().map(|i| (*i).rd_id)))
        };
        appender.evaluates = evaluates.then(|| of.owner());
        lets_in.then_some(appender)
    }

    fn count(&self) -> usize {
        // SAFETY: the state lives as long as we do.
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

    /// Appends a row; one value per column, None for NULL. Columns that have been added get their defaults. Nothing is appended where a default
    /// or an index's expression fails that the row cannot do without; the server's log says so.
    /// The answer is whether it is.
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N]) -> bool {
        // SAFETY: the callers pass one value of the right type for each column of our own table, and a column that has been added
        // comes after them, and counts for ever; the tuple is ours to free.
        unsafe {
            let columns = (*self.table.desc()).natts as usize;
            debug_assert!(N <= columns);
            let mut values: SmallVec<[Datum; 8]> = row.iter().map(|v| v.unwrap_or(Datum::from(0usize))).collect();
            let mut nulls: SmallVec<[bool; 8]> = row.iter().map(Option::is_none).collect();
            values.resize(columns.max(N), Datum::from(0usize));
            nulls.resize(columns.max(N), true);
            if !self.additions.fill(&self.table, &mut values, &mut nulls) {
                return false;
            }
            let tuple = pg_sys::heap_form_tuple(self.table.desc(), values.as_mut_ptr(), nulls.as_mut_ptr());
            let inserted = match self.evaluates {
                Some(owner) => self.insert_by_executor(tuple, owner),
                None => {
                    pg_sys::CatalogTupleInsertWithInfo(self.table.raw(), tuple, self.indexes);
                    true
                }
            };
            pg_sys::heap_freetuple(tuple);
            inserted
        }
    }

    /// With an executor, which an index on an expression and a partial one need. What they evaluate may raise, so it is tried first, in a
    /// subtransaction that writes nothing; then it is evaluated once more, for the same values.
    ///
    /// # Safety
    /// `tuple` is one of this table.
    #[cold]
    unsafe fn insert_by_executor(&self, tuple: pg_sys::HeapTuple, owner: pg_sys::Oid) -> bool {
        // SAFETY: the table and its indexes are open; what the executor prepares for the indexes is forgotten with it.
        unsafe {
            let executor = pg_sys::CreateExecutorState();
            let slot = pg_sys::MakeSingleTupleTableSlot(self.table.desc(), &raw const pg_sys::TTSOpsHeapTuple);
            pg_sys::ExecStoreHeapTuple(tuple, slot, false);
            let tried = super::guarded(|| spi::as_table_owner(owner, || self.evaluate(slot, executor)));
            self.forget_what_is_prepared();
            let fits = tried == Some(true);
            if fits {
                pg_sys::simple_heap_insert(self.table.raw(), tuple);
                (*slot).tts_tid = (*tuple).t_self;
                spi::as_table_owner(owner, || version::insert_index_tuples(self.indexes, slot, executor));
                self.forget_what_is_prepared();
            } else {
                errors::log(format!(
                    "pg_goals: an index of {} does not take a row, which is not recorded",
                    self.table.qualified_name()
                ));
            }
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::FreeExecutorState(executor);
            fits
        }
    }

    /// Evaluates what the indexes ask for of a row; false if one has no room for it.
    ///
    /// # Safety
    /// `slot` holds a row of this table.
    unsafe fn evaluate(&self, slot: *mut pg_sys::TupleTableSlot, executor: *mut pg_sys::EState) -> bool {
        // SAFETY: the indexes are those of the table; the arrays are as long as an index can have columns.
        unsafe {
            let context = pg_sys::MakePerTupleExprContext(executor);
            (*context).ecxt_scantuple = slot;
            let mut values = [Datum::from(0usize); pg_sys::INDEX_MAX_KEYS as usize];
            let mut nulls = [false; pg_sys::INDEX_MAX_KEYS as usize];
            for (index, relation) in self.infos().zip(self.indexes()).filter(|(i, _)| (**i).ii_ReadyForInserts) {
                let predicate = (*index).ii_Predicate;
                if predicate.is_null() || pg_sys::ExecQual(pg_sys::ExecPrepareQual(predicate, executor), context) {
                    pg_sys::FormIndexDatum(index, slot, executor, values.as_mut_ptr(), nulls.as_mut_ptr());
                    if may_lack_room(relation) && stored_size(relation, &values, &nulls) > LARGEST_ENTRY {
                        return false;
                    }
                }
            }
            true
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

/// The server simplifies the expressions and predicates of a table's indexes when it first looks at them, and runs functions in them that are
/// called with constants. It keeps the outcome; so that is done beforehand, as the owner of the table, and in a subtransaction. False:
/// there are none. None: that has failed.
fn simplify_expressions(table: &Relation, owner: pg_sys::Oid) -> Option<bool> {
    let open = |oid| Relation::open(oid, Lock::RowExclusive);
    let of_interest = |oid: &pg_sys::Oid| open(*oid).is_some_and(|index| index.has_expressions());
    let indexes: SmallVec<[pg_sys::Oid; 4]> = table.indexes().into_iter().filter(of_interest).collect();
    if indexes.is_empty() {
        return Some(false);
    }
    let simplify = || {
        for index in indexes.iter().filter_map(|oid| open(*oid)) {
            // SAFETY: an open index.
            unsafe {
                pg_sys::RelationGetIndexExpressions(index.raw());
                pg_sys::RelationGetIndexPredicate(index.raw());
            }
        }
    };
    super::guarded(|| spi::as_table_owner(owner, simplify)).map(|()| true)
}

/// In bytes, uncompressed: less than what an index of any kind has room for.
const LARGEST_ENTRY: usize = 2600;

/// Is it an index of somebody's own with a column of variable length?
///
/// # Safety
/// `index` is open.
unsafe fn may_lack_room(index: pg_sys::Relation) -> bool {
    // SAFETY: an open index has a descriptor with as many columns as it says.
    unsafe {
        let desc = (*index).rd_att;
        let varies = (0..(*desc).natts as usize).any(|i| version::attribute(desc, i).attlen == -1);
        varies && !shape::is_searched((&*(*index).rd_rel).relname.data.as_ptr())
    }
}

/// How much room the columns of variable length take.
///
/// # Safety
/// `index` is open, and the arrays hold its columns for a row.
unsafe fn stored_size(index: pg_sys::Relation, values: &[Datum], nulls: &[bool]) -> usize {
    // SAFETY: as the caller guarantees: a column of variable length that is not NULL is a varlena.
    unsafe {
        let desc = (*index).rd_att;
        let varying = |i: &usize| !nulls[*i] && version::attribute(desc, *i).attlen == -1;
        (0..(*desc).natts as usize).filter(varying).map(|i| datum::stored_size(values[i])).sum()
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
    /// Opens the table; None if it, or the index to search it by, cannot be used.
    pub fn open(table: ours::Table, by: ours::Index, keys: usize) -> Option<Log> {
        let appender = Appender::open(table)?;
        // SAFETY: the state holds all indexes of the table open and locked until the appender is dropped, after the probe.
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

    /// As [`Probe::visit`], forwards.
    pub fn visit(&mut self, keys: &[Key], row: impl FnMut(&Row) -> ControlFlow<()>) {
        self.probe.visit(keys, false, row);
    }

    /// As [`Appender::append`].
    pub fn append<const N: usize>(&self, row: [Option<Datum>; N]) -> bool {
        self.appender.append(row)
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

/// The next id of a sequence of ours; None if it is locked for longer than a trigger waits.
pub fn next_id(sequence: ours::Sequence) -> Option<i64> {
    unsafe extern "C-unwind" {
        fn nextval_internal(relid: pg_sys::Oid, check_permissions: bool) -> i64;
    }
    let sequence = sequence.lock()?;
    begin();
    // SAFETY: declared as in commands/sequence.h; the oid is that of a sequence of ours.
    Some(unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| nextval_internal(sequence, false)) })
}
