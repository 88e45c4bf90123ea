//! How long a trigger waits for a lock on a table of the extension. An application's UPDATE must not wait for a VACUUM
//! FULL of a table it does not know, nor queue behind one that waits for a long transaction. A trigger tries to get a
//! lock without queueing, for at most `pg_goals.lock_wait`. Then it gives up without recording, and goals.health()
//! shows that. Calls of the extension's functions wait like any statement.

use super::relation::Relation;
use super::{errors, guc, relation};
use pgrx::pg_sys::{self, LOCKMODE, Oid};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Read for every row. A backend has one thread, and atomics are cheaper than thread-local variables.
static IN_TRIGGER: AtomicBool = AtomicBool::new(false);
/// True if something was not recorded and has not yet been noted for goals.health().
static UNNOTED: AtomicBool = AtomicBool::new(false);
/// True if no lock is waited for, as in goals.health().
static ONLY_LOOKING: AtomicBool = AtomicBool::new(false);

/// A relation of the extension that was locked, or that refused a row.
struct Busy {
    relid: Oid,
    reason: &'static str,
    /// True if the lock has been granted since.
    free: bool,
    noted: bool,
}

thread_local! {
    /// The relations that were not free after the wait. While one is not free, no lock is waited for: one wait per
    /// backend, not per row or table.
    static BUSY: RefCell<Vec<Busy>> = const { RefCell::new(Vec::new()) };
}

/// Restores `IN_TRIGGER` when the body ends, also by an error.
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

/// Runs the body of a trigger. Returns what it or an earlier one could not record, as reasons and names of relations,
/// until it is [`noted`].
pub fn in_trigger(body: impl FnOnce()) -> Vec<(&'static str, String)> {
    let _running = Running::begin(true);
    body();
    if !UNNOTED.load(Relaxed) {
        return Vec::new();
    }
    BUSY.with_borrow(|busy| {
        busy.iter().filter(|b| !b.noted).map(|b| (b.reason, relation::qualified_name(b.relid))).collect()
    })
}

/// Records that a table refused a row because of an added column or index.
#[cold]
pub(super) fn refused(relid: Oid) {
    let name = relation::qualified_name(relid);
    errors::log(format!(
        "pg_goals: {name} did not take a row, for a default, an index or a column that has been added to it"
    ));
    BUSY.with_borrow_mut(|busy| {
        if !busy.iter().any(|b| b.relid == relid && b.reason == REFUSED) {
            busy.push(Busy { relid, reason: REFUSED, free: true, noted: false });
            UNNOTED.store(true, Relaxed);
        }
    });
}

/// Records that a table of the application was locked in which a user had to be looked up.
#[cold]
pub fn unread(relid: Oid) {
    BUSY.with_borrow_mut(|busy| {
        if !busy.iter().any(|b| b.relid == relid && b.reason == LOCKED) {
            busy.push(Busy { relid, reason: LOCKED, free: true, noted: false });
            UNNOTED.store(true, Relaxed);
        }
    });
}

const REFUSED: &str = "refused row";
const LOCKED: &str = "locked table";

/// Records that the unrecorded work has been noted in this transaction.
pub fn noted() {
    UNNOTED.store(false, Relaxed);
    // Kept until the transaction ends, because the note may be rolled back.
    BUSY.with_borrow_mut(|busy| busy.iter_mut().for_each(|b| b.noted = true));
}

/// Handles the end of a transaction or subtransaction. A note that was rolled back is written again.
pub(super) fn on_end(rolled_back: bool, of_all: bool) {
    if rolled_back {
        let again = BUSY.with(|busy| {
            busy.try_borrow_mut().is_ok_and(|mut busy| {
                busy.iter_mut().for_each(|b| b.noted = false);
                !busy.is_empty()
            })
        });
        UNNOTED.store(again, Relaxed);
    } else if of_all {
        BUSY.with(|busy| {
            if let Ok(mut busy) = busy.try_borrow_mut() {
                busy.retain(|b| !(b.free && b.noted));
            }
        });
    }
}

/// Runs `look` without waiting for locks: [`open_for_a_look`] returns None for a locked relation, which does not count
/// as unrecorded.
pub(super) fn without_waiting<T>(look: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ONLY_LOOKING.store(self.0, Relaxed);
        }
    }
    let _restore = Restore(ONLY_LOOKING.swap(true, Relaxed));
    look()
}

/// Runs the body of a call of the extension's functions, also if it is made inside a trigger of the extension.
pub fn in_call<T>(body: impl FnOnce() -> T) -> T {
    let _running = Running::begin(false);
    body()
}

/// True if a relation is still locked after the wait. Then a retry would fail in the same way.
#[cold]
pub fn is_refused() -> bool {
    BUSY.with_borrow(|busy| busy.iter().any(|b| !b.free))
}

/// Opens a relation of the extension under a lock that is kept to the end of the transaction; None if it does not exist
/// or a trigger has waited long enough.
pub(super) fn open(relid: Oid, mode: LOCKMODE) -> Option<Relation> {
    lock(relid, mode).then(|| Relation::open_locked(relid, pg_sys::NoLock as LOCKMODE))?
}

/// [`open`] with a lock that is released when the relation is closed.
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
    // SAFETY: any oid may be locked; the lock goes with the transaction.
    let is_free = || unsafe { pg_sys::ConditionalLockRelationOid(relid, mode) };
    if ONLY_LOOKING.load(Relaxed) {
        return is_free();
    }
    if !IN_TRIGGER.load(Relaxed) || guc::lock_wait().is_none() {
        // SAFETY: any oid may be locked; the lock goes with the transaction.
        unsafe { pg_sys::LockRelationOid(relid, mode) };
        return true;
    }
    if is_free() || wait_for(relid, is_free) {
        if BUSY.with_borrow(|busy| !busy.is_empty()) {
            BUSY.with_borrow_mut(|busy| busy.iter_mut().filter(|b| b.relid == relid).for_each(|b| b.free = true));
        }
        return true;
    }
    false
}

#[cold]
fn wait_for(relid: Oid, is_free: impl Fn() -> bool) -> bool {
    let known = BUSY.with_borrow(|busy| busy.iter().any(|b| b.relid == relid && !b.free));
    let another = BUSY.with_borrow(|busy| busy.iter().any(|b| !b.free));
    // Remembered before the wait: after an error such as a timeout, the next statement must not wait again.
    BUSY.with_borrow_mut(|busy| {
        busy.retain(|b| b.relid != relid || !b.free);
        if !known {
            busy.push(Busy { relid, reason: LOCKED, free: false, noted: false });
        }
    });
    if !another {
        let (began, patience) = (Instant::now(), patience());
        while began.elapsed() < patience {
            pgrx::check_for_interrupts!();
            std::thread::sleep(Duration::from_millis(2));
            if is_free() {
                BUSY.with_borrow_mut(|busy| busy.retain(|b| b.relid != relid));
                return true;
            }
        }
    }
    if !known {
        UNNOTED.store(true, Relaxed);
        let name = relation::qualified_name(relid);
        errors::log(format!("pg_goals: {name} is locked: a change, event or send is not recorded"));
    }
    false
}

/// pg_goals.lock_wait, limited by the session's lock_timeout and by a quarter of what is left of its statement_timeout,
/// because the statement has other work to finish.
fn patience() -> Duration {
    let mut patience = guc::lock_wait().unwrap_or(Duration::MAX);
    // SAFETY: reads settings and clocks.
    let (lock_timeout, statement_timeout, so_far) = unsafe {
        let so_far = pg_sys::GetCurrentTimestamp().saturating_sub(pg_sys::GetCurrentStatementStartTimestamp());
        (pg_sys::LockTimeout, pg_sys::StatementTimeout, so_far)
    };
    if let Some(lock_timeout) = u64::try_from(lock_timeout).ok().filter(|t| *t > 0) {
        patience = patience.min(Duration::from_millis(lock_timeout));
    }
    if statement_timeout > 0 {
        let left = i64::from(statement_timeout).saturating_mul(1000).saturating_sub(so_far);
        patience = patience.min(Duration::from_micros(u64::try_from(left).unwrap_or(0) / 4));
    }
    patience
}
