//! How long a trigger waits for a lock on a table of the extension.
//!
//! An application's UPDATE is not to wait until the VACUUM FULL of a table that it knows nothing of has ended, nor behind one that is itself
//! waiting for a long transaction. A trigger asks for a lock without queueing for it, for `pg_goals.lock_wait` at most, and then leaves what
//! it was about to record unrecorded; goals.health() says so. Calls of our functions wait as any statement does.

use super::relation::Relation;
use super::{errors, guc, relation};
use pgrx::pg_sys::{self, LOCKMODE, Oid};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Looked at for every row. A backend has one thread, and these are cheaper than variables of a thread.
static IN_TRIGGER: AtomicBool = AtomicBool::new(false);
/// The first relation that the running trigger did not get, if it has not been told yet; 0: none.
static REFUSED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// What has been waited for in vain, until it is found free: nothing waits for it again.
    static BUSY: RefCell<Vec<Oid>> = const { RefCell::new(Vec::new()) };
}

/// What is being run on behalf of whom: put back when it ends, also by an error.
struct Running(bool);

impl Running {
    fn begin(in_trigger: bool) -> Running {
        let before = IN_TRIGGER.load(Relaxed);
        IN_TRIGGER.store(in_trigger, Relaxed);
        Running(before)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        IN_TRIGGER.store(self.0, Relaxed);
    }
}

/// Runs the body of a trigger. The answer is the name of what it gave up waiting for, once per relation and backend until that is free.
pub fn in_trigger(body: impl FnOnce()) -> Option<String> {
    let _running = Running::begin(true);
    body();
    if REFUSED.load(Relaxed) == 0 {
        return None;
    }
    Some(relation::qualified_name(Oid::from_u32(REFUSED.swap(0, Relaxed))))
}

/// Runs the body of a call of one of our functions, which a trigger of the application's may have made while one of ours runs.
pub fn in_call<T>(body: impl FnOnce() -> T) -> T {
    let _running = Running::begin(false);
    body()
}

/// Opens a relation of the extension under a lock that is kept to the end of the transaction; None if it does not exist (any more), or if
/// a trigger has waited long enough.
pub(super) fn open(relid: Oid, mode: LOCKMODE) -> Option<Relation> {
    lock(relid, mode).then(|| Relation::open_locked(relid, pg_sys::NoLock as LOCKMODE))?
}

/// As [`open`], with a lock that is given back when the relation is closed.
pub(super) fn open_for_a_look(relid: Oid, mode: LOCKMODE) -> Option<Relation> {
    if !lock(relid, mode) {
        return None;
    }
    let opened = Relation::open_locked(relid, mode);
    if opened.is_none() {
        // SAFETY: taken just before.
        unsafe { pg_sys::UnlockRelationOid(relid, mode) };
    }
    opened
}

/// Takes a lock to the end of the transaction; false if a trigger has waited long enough.
pub(super) fn lock(relid: Oid, mode: LOCKMODE) -> bool {
    if !IN_TRIGGER.load(Relaxed) || guc::lock_wait().is_none() {
        // SAFETY: any oid may be locked; the lock goes with the transaction.
        unsafe { pg_sys::LockRelationOid(relid, mode) };
        return true;
    }
    // SAFETY: any oid may be locked; the lock goes with the transaction.
    let is_free = || unsafe { pg_sys::ConditionalLockRelationOid(relid, mode) };
    if is_free() || wait_for(relid, is_free) {
        BUSY.with_borrow_mut(|busy| busy.retain(|b| *b != relid));
        return true;
    }
    false
}

#[cold]
fn wait_for(relid: Oid, is_free: impl Fn() -> bool) -> bool {
    if BUSY.with_borrow(|busy| busy.contains(&relid)) {
        return false;
    }
    // SAFETY: reads a setting.
    let statement_timeout = u64::try_from(unsafe { pg_sys::StatementTimeout }).ok().filter(|t| *t > 0);
    let patience = guc::lock_wait().unwrap_or(Duration::MAX);
    // The statement has to end in time with all else that it does.
    let patience = statement_timeout.map_or(patience, |t| patience.min(Duration::from_millis(t / 2)));
    let began = Instant::now();
    while began.elapsed() < patience {
        pgrx::check_for_interrupts!();
        std::thread::sleep(Duration::from_millis(2));
        if is_free() {
            return true;
        }
    }
    BUSY.with_borrow_mut(|busy| busy.push(relid));
    // (the first one)
    let _ = REFUSED.compare_exchange(0, relid.to_u32(), Relaxed, Relaxed);
    errors::log(format!(
        "pg_goals: {} is locked: a change, event or send is not recorded",
        relation::qualified_name(relid)
    ));
    false
}
