//! Knowing when cached goals or a table's columns are out of date.
//!
//! A change of goals sends a relcache invalidation for goals.revision: transactional, and seen by every backend at the next
//! lock it takes. The callbacks only set flags; whoever uses the cache looks at them.

use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    /// The relations whose invalidation makes the goals stale, and those that make a table's columns stale.
    static SETUP: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static TABLES: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static SETUP_STALE: Cell<bool> = const { Cell::new(true) };
    static TABLES_STALE: Cell<bool> = const { Cell::new(true) };
}

/// Tells every backend, when and if this transaction commits, that set-up has changed.
pub fn announce(revision_table: pg_sys::Oid) {
    // SAFETY: the table exists; this queues a message for the end of the transaction.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(revision_table) }
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

/// The goals are about to be read again: what comes in from now on makes them stale once more.
pub fn setup_is_read(depends_on: &[pg_sys::Oid]) {
    register();
    SETUP.with_borrow_mut(|s| *s = depends_on.to_vec());
    SETUP_STALE.set(false);
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
    // SAFETY: three callbacks that stay valid for the life of the backend, as the library is never unloaded.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(on_relcache), pg_sys::Datum::from(0usize));
        pg_sys::RegisterXactCallback(Some(on_transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(on_subtransaction), std::ptr::null_mut());
    }
}

fn everything_is_stale() {
    SETUP_STALE.set(true);
    TABLES_STALE.set(true);
}

unsafe extern "C-unwind" fn on_relcache(_arg: pg_sys::Datum, relid: pg_sys::Oid) {
    if relid == pg_sys::InvalidOid {
        return everything_is_stale();
    }
    // A borrow can only be held here if we are called in the middle of changing the lists: then be careful.
    let hits = |list: &'static std::thread::LocalKey<RefCell<Vec<pg_sys::Oid>>>| {
        list.with(|l| l.try_borrow().map_or(true, |l| l.contains(&relid)))
    };
    if hits(&SETUP) {
        SETUP_STALE.set(true);
    }
    if hits(&TABLES) {
        TABLES_STALE.set(true);
    }
}

// What was read inside a transaction that is rolled back may never have been.
unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _arg: *mut core::ffi::c_void) {
    if event == pg_sys::XactEvent::XACT_EVENT_ABORT {
        super::statement::forget();
        everything_is_stale();
    }
}

unsafe extern "C-unwind" fn on_subtransaction(
    event: pg_sys::SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _arg: *mut core::ffi::c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        super::statement::forget();
        everything_is_stale();
    }
}

/// For a user of the cache who has met something it does not know.
pub fn setup_is_outdated() {
    SETUP_STALE.set(true);
}
