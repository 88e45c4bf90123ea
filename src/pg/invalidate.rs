//! Knowing when cached goals or a table's columns are out of date.
//!
//! A change of goals sends a relcache invalidation for goals.revision: transactional, and seen by every backend at the next
//! lock it takes. The callbacks only set flags; whoever uses the cache looks at them.

use super::kept_open::RolledBack;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    /// The relation whose invalidation makes the goals stale, those that make what we know of our own tables and indexes stale, and
    /// those that make a table's columns stale.
    static SETUP: Cell<pg_sys::Oid> = const { Cell::new(pg_sys::InvalidOid) };
    static OURS: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static TABLES: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static SETUP_STALE: Cell<bool> = const { Cell::new(true) };
    static INDEXES_STALE: Cell<bool> = const { Cell::new(true) };
    static TABLES_STALE: Cell<bool> = const { Cell::new(true) };
    /// Has this transaction changed the set-up, so that what it reads of it may never come to be?
    static CHANGED_HERE: Cell<bool> = const { Cell::new(false) };
    /// Is something of the extension missing? Whatever is made or changed next may be it.
    static MISSING: Cell<bool> = const { Cell::new(false) };
    /// Is the set-up being read? An error on the way leaves half of it.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Tells every backend, when and if this transaction commits, that set-up has changed; this one knows it at once, also within
/// the same statement.
pub fn announce(revision: super::own_tables::Table) {
    register();
    CHANGED_HERE.set(true);
    SETUP_STALE.set(true);
    // SAFETY: the table exists; this queues a message for the end of the transaction.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(revision.oid()) }
}

/// Takes in what other backends have announced so far. Cheap when nothing has.
#[inline]
pub fn listen() {
    // SAFETY: as at any lock that a statement takes; relations in use are rebuilt in place.
    unsafe { pg_sys::AcceptInvalidationMessages() }
}

/// Is the goals' cache out of date?
pub fn setup_is_stale() -> bool {
    SETUP_STALE.get()
}

/// Are the tables' columns out of date?
pub fn tables_are_stale() -> bool {
    TABLES_STALE.get()
}

/// May a table or an index of ours have been changed or replaced (REINDEX CONCURRENTLY)? VACUUM and ANALYZE of our tables say so too.
pub fn indexes_are_stale() -> bool {
    INDEXES_STALE.get()
}

/// The indexes are about to be looked up again.
pub fn indexes_are_read() {
    INDEXES_STALE.set(false);
}

/// The tables of the set-up are about to be looked for.
pub fn setup_is_looked_for() {
    register();
    MISSING.set(true);
}

/// The goals are about to be read again: what comes in from now on makes them stale once more.
pub fn setup_is_being_read(revision: super::own_tables::Table, all: &[pg_sys::Oid]) {
    SETUP.set(revision.oid());
    OURS.with_borrow_mut(|s| *s = all.to_vec());
    SETUP_STALE.set(false);
    INDEXES_STALE.set(false);
    READING.set(true);
}

/// The goals have been read to the end.
pub fn setup_is_read() {
    MISSING.set(false);
    READING.set(false);
}

/// The goals could not be read: something is locked, and they are looked for again soon; or something is missing, and they are looked for
/// again when any relation has been made or changed.
pub fn setup_is_not_read(locked: bool) {
    READING.set(false);
    // What has come in while we looked may have been it.
    SETUP_STALE.set(locked || !MISSING.get());
    INDEXES_STALE.set(false);
    if locked {
        MISSING.set(false);
    }
}

/// As setup_is_read, for the tables' columns; the tables are given one by one.
pub fn tables_are_read() {
    register();
    TABLES.with_borrow_mut(Vec::clear);
    TABLES_STALE.set(false);
}

/// Are columns of this table kept?
pub fn table_is_known(relid: pg_sys::Oid) -> bool {
    TABLES.with_borrow(|t| t.contains(&relid))
}

/// Columns of this table are kept from now on.
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
    // SAFETY: four callbacks that stay valid for the life of the backend, as the library is never unloaded.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(on_relcache), pg_sys::Datum::from(0usize));
        let schemas = pg_sys::SysCacheIdentifier::NAMESPACEOID as core::ffi::c_int;
        pg_sys::CacheRegisterSyscacheCallback(schemas, Some(on_schema), pg_sys::Datum::from(0usize));
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
    // A borrow can only be held here if we are called in the middle of changing the lists: then be careful.
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

/// A schema has been made or renamed: it may be the one that was missing.
unsafe extern "C-unwind" fn on_schema(_arg: pg_sys::Datum, _cache: core::ffi::c_int, _hash: u32) {
    if MISSING.replace(false) {
        SETUP_STALE.set(true);
    }
}

/// What was read inside a transaction that changed the set-up, and is rolled back, may never have been. Of a table's columns
/// the server itself says so: it replays to us what the transaction would have announced.
fn forget_what_may_never_be(rolled_back: RolledBack) {
    super::kept_open::forget(rolled_back);
    let interrupted = READING.replace(false);
    if interrupted || CHANGED_HERE.get() {
        everything_is_stale();
    }
}

unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _arg: *mut core::ffi::c_void) {
    match event {
        pg_sys::XactEvent::XACT_EVENT_ABORT => super::patience::on_end(true, true),
        pg_sys::XactEvent::XACT_EVENT_COMMIT => super::patience::on_end(false, true),
        _ => {}
    }
    match event {
        pg_sys::XactEvent::XACT_EVENT_ABORT => forget_what_may_never_be(RolledBack::Transaction),
        // What is prepared is not visible any more, and may be rolled back without a word.
        pg_sys::XactEvent::XACT_EVENT_PREPARE if CHANGED_HERE.get() => everything_is_stale(),
        pg_sys::XactEvent::XACT_EVENT_COMMIT | pg_sys::XactEvent::XACT_EVENT_PREPARE => {}
        _ => return,
    }
    CHANGED_HERE.set(false);
}

unsafe extern "C-unwind" fn on_subtransaction(
    event: pg_sys::SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut core::ffi::c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        super::patience::on_end(true, false);
        forget_what_may_never_be(RolledBack::Subtransaction);
    }
}

/// For a user of the cache who has met something it does not know.
pub fn setup_is_outdated() {
    SETUP_STALE.set(true);
}
