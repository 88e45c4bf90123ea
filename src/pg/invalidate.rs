//! Notices when the cached set-up or a table's columns are out of date. A change of the set-up sends a relcache
//! invalidation for goals.revision. It is transactional, and every backend sees it at the next lock it takes. The
//! callbacks only set flags, which users of the cache check.

use super::kept_open::RolledBack;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    /// The relations whose invalidation makes the set-up, the look-up of the extension's tables and indexes, and a
    /// table's columns stale.
    static SETUP: Cell<pg_sys::Oid> = const { Cell::new(pg_sys::InvalidOid) };
    static OURS: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static TABLES: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static SETUP_STALE: Cell<bool> = const { Cell::new(true) };
    static INDEXES_STALE: Cell<bool> = const { Cell::new(true) };
    static TABLES_STALE: Cell<bool> = const { Cell::new(true) };
    /// True if this transaction has changed the set-up: what it reads of it may be rolled back.
    static CHANGED_HERE: Cell<bool> = const { Cell::new(false) };
    /// True if an object of the extension is missing: any relation created or changed next may be it.
    static MISSING: Cell<bool> = const { Cell::new(false) };
    /// True while the set-up is being read: an error leaves it incomplete.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Announces a change of the set-up: to this backend at once, even within the statement; to the others when this
/// transaction commits.
pub fn announce(revision: super::own_tables::Table) {
    register();
    CHANGED_HERE.set(true);
    SETUP_STALE.set(true);
    // SAFETY: the table exists; this queues a message for the end of the transaction.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(revision.oid()) }
}

/// Notes that what is kept with the set-up was written by this transaction, and is to be forgotten if it is rolled back.
pub fn may_be_rolled_back() {
    register();
    CHANGED_HERE.set(true);
}

/// Processes the invalidations that other backends have sent so far. Cheap if there are none.
#[inline]
pub fn listen() {
    // SAFETY: as at every lock that a statement takes; relations in use are rebuilt in place.
    unsafe { pg_sys::AcceptInvalidationMessages() }
}

/// True if the cached set-up is out of date.
pub fn setup_is_stale() -> bool {
    SETUP_STALE.get()
}

/// True if the cached columns of tables are out of date.
pub fn tables_are_stale() -> bool {
    TABLES_STALE.get()
}

/// True if a table or an index of the extension may have been changed or replaced (REINDEX CONCURRENTLY). VACUUM and
/// ANALYZE of these tables set it too.
pub fn indexes_are_stale() -> bool {
    INDEXES_STALE.get()
}

/// Records that the indexes are about to be looked up again.
pub fn indexes_are_read() {
    INDEXES_STALE.set(false);
}

/// Records that the tables of the set-up are about to be looked up.
pub fn setup_is_looked_for() {
    register();
    MISSING.set(true);
}

/// Records that the set-up is about to be read: invalidations from now on make it stale again.
pub fn setup_is_being_read(revision: super::own_tables::Table, all: &[pg_sys::Oid]) {
    SETUP.set(revision.oid());
    OURS.with_borrow_mut(|s| *s = all.to_vec());
    SETUP_STALE.set(false);
    INDEXES_STALE.set(false);
    READING.set(true);
}

/// Records that the set-up has been read completely.
pub fn setup_is_read() {
    MISSING.set(false);
    READING.set(false);
}

/// Records that the set-up could not be read. If a table is locked, the next call tries again; if an object is missing,
/// after any relation has been created or changed.
pub fn setup_is_not_read(locked: bool) {
    READING.set(false);
    // An invalidation during the look-up may have been of the missing object.
    SETUP_STALE.set(locked || !MISSING.get());
    INDEXES_STALE.set(false);
    if locked {
        MISSING.set(false);
    }
}

/// Records that the cached columns have been discarded; tables are added by [`table_is_kept`].
pub fn tables_are_read() {
    register();
    TABLES.with_borrow_mut(Vec::clear);
    TABLES_STALE.set(false);
}

/// True if columns of this table are cached.
pub fn table_is_known(relid: pg_sys::Oid) -> bool {
    TABLES.with_borrow(|t| t.contains(&relid))
}

/// Records that columns of this table are cached from now on.
pub fn table_is_kept(relid: pg_sys::Oid) {
    TABLES.with_borrow_mut(|t| {
        if !t.contains(&relid) {
            t.push(relid);
        }
    });
}

fn register() {
    if REGISTERED.replace(true) {
        return;
    }
    // SAFETY: callbacks that stay valid for the life of the backend, as the library is never unloaded.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(on_relcache), pg_sys::Datum::from(0usize));
        let schemas = pg_sys::SysCacheIdentifier::NAMESPACEOID as core::ffi::c_int;
        pg_sys::CacheRegisterSyscacheCallback(schemas, Some(on_schema), pg_sys::Datum::from(0usize));
        let labels = pg_sys::SysCacheIdentifier::ENUMOID as core::ffi::c_int;
        pg_sys::CacheRegisterSyscacheCallback(labels, Some(on_label), pg_sys::Datum::from(0usize));
        pg_sys::RegisterXactCallback(Some(on_transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(on_subtransaction), std::ptr::null_mut());
    }
}

fn everything_is_stale() {
    MISSING.set(false);
    SETUP_STALE.set(true);
    INDEXES_STALE.set(true);
    TABLES_STALE.set(true);
}

unsafe extern "C-unwind" fn on_relcache(_arg: pg_sys::Datum, relid: pg_sys::Oid) {
    if MISSING.replace(false) {
        SETUP_STALE.set(true);
    }
    if relid == pg_sys::InvalidOid {
        return everything_is_stale();
    }
    // A list is borrowed only if this callback interrupts a change of it; then assume a hit.
    let hits = |list: &'static std::thread::LocalKey<RefCell<Vec<pg_sys::Oid>>>| {
        list.with(|l| l.try_borrow().map_or(true, |l| l.contains(&relid)))
    };
    if SETUP.get() == relid {
        SETUP_STALE.set(true);
    }
    if hits(&OURS) {
        INDEXES_STALE.set(true);
    }
    if hits(&TABLES) {
        TABLES_STALE.set(true);
    }
}

/// Handles a label of an enum that was added or renamed: a goal may ask for it.
unsafe extern "C-unwind" fn on_label(_arg: pg_sys::Datum, _cache: core::ffi::c_int, _hash: u32) {
    TABLES_STALE.set(true);
}

/// Handles a schema that was created or renamed: it may be the missing one.
unsafe extern "C-unwind" fn on_schema(_arg: pg_sys::Datum, _cache: core::ffi::c_int, _hash: u32) {
    if MISSING.replace(false) {
        SETUP_STALE.set(true);
    }
}

/// Discards what was read inside a transaction that changed the set-up and is rolled back. For a table's columns the
/// server does it: it replays the invalidations that the transaction would have sent.
fn forget_what_may_never_be(rolled_back: RolledBack) {
    super::kept_open::forget(rolled_back);
    let interrupted = READING.replace(false);
    if interrupted || CHANGED_HERE.get() {
        everything_is_stale();
    }
}

unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _arg: *mut core::ffi::c_void) {
    match event {
        pg_sys::XactEvent::XACT_EVENT_PRE_COMMIT | pg_sys::XactEvent::XACT_EVENT_PRE_PREPARE => {
            return super::at_commit::settle();
        }
        pg_sys::XactEvent::XACT_EVENT_ABORT => super::patience::on_end(true, true),
        pg_sys::XactEvent::XACT_EVENT_COMMIT => super::patience::on_end(false, true),
        _ => {}
    }
    match event {
        pg_sys::XactEvent::XACT_EVENT_ABORT => forget_what_may_never_be(RolledBack::Transaction),
        // After PREPARE the changes are invisible, and a later rollback calls no callback here.
        pg_sys::XactEvent::XACT_EVENT_PREPARE if CHANGED_HERE.get() => everything_is_stale(),
        pg_sys::XactEvent::XACT_EVENT_COMMIT | pg_sys::XactEvent::XACT_EVENT_PREPARE => {}
        _ => return,
    }
    CHANGED_HERE.set(false);
    super::pause::on_end(None);
    super::at_commit::forget(None);
    super::deleted::forget(None);
    super::command::forget();
}

unsafe extern "C-unwind" fn on_subtransaction(
    event: pg_sys::SubXactEvent::Type,
    id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut core::ffi::c_void,
) {
    use pg_sys::SubXactEvent::{SUBXACT_EVENT_ABORT_SUB, SUBXACT_EVENT_COMMIT_SUB};
    if matches!(event, SUBXACT_EVENT_ABORT_SUB | SUBXACT_EVENT_COMMIT_SUB) {
        super::pause::on_end(Some(id));
    }
    if event == SUBXACT_EVENT_ABORT_SUB {
        super::patience::on_end(true, false);
        forget_what_may_never_be(RolledBack::Subtransaction);
        super::at_commit::forget(Some(id));
        super::deleted::forget(Some(id));
    }
}

/// Marks the set-up stale: a user of the cache has met something that is not in it.
pub fn setup_is_outdated() {
    SETUP_STALE.set(true);
}
