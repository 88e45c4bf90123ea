//! How long a trigger waits for a lock on a table of the extension.
//!
//! An application's UPDATE is not to wait until the VACUUM FULL of a table that it knows nothing of has ended, nor behind one that is itself
//! waiting for a long transaction. A trigger asks for a lock without queueing for it, for `pg_goals.lock_wait` at most, and then leaves what
//! it was about to record unrecorded; goals.health() says so. Calls of our functions wait as any statement does.

use super::relation::Relation;
use super::{errors, guc, relation};
use pgrx::pg_sys::{self, LOCKMODE, Oid};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Looked at for every row. A backend has one thread, and these are cheaper than variables of a thread.
static IN_TRIGGER: AtomicBool = AtomicBool::new(false);
/// Is there something that has not been recorded, and not been noted for goals.health() either?
static UNNOTED: AtomicBool = AtomicBool::new(false);
/// Is nothing waited for, as goals.health() has it?
static ONLY_LOOKING: AtomicBool = AtomicBool::new(false);

/// A relation of the extension that a trigger did not get, or that did not take a row.
struct Busy {
    relid: Oid,
    reason: &'static str,
    /// Has the lock been got since?
    free: bool,
    noted: bool,
}

thread_local! {
    /// What has been waited for in vain. As long as one of them is not free, nothing is waited for: one wait per backend, not per row or table.
    static BUSY: RefCell<Vec<Busy>> = const { RefCell::new(Vec::new()) };
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

/// Runs the body of a trigger. The answer is for what reason it, or one before it, could not record something, and the name of the relation,
/// until that is [`noted`].
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

/// A table did not take a row, for something that has been added to it.
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

const REFUSED: &str = "refused row";

/// What was given up has been noted in this transaction.
pub fn noted() {
    UNNOTED.store(false, Relaxed);
    // They are kept until the end of the transaction: the note may be rolled back.
    BUSY.with_borrow_mut(|busy| busy.iter_mut().for_each(|b| b.noted = true));
}

/// A transaction or subtransaction has ended. A note may have been rolled back with it: then it is made again.
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

/// Looks at relations without waiting for any: [`open_for_a_look`] answers None for one that is locked, and nothing is lost by that.
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

/// Runs the body of a call of one of our functions, which a trigger of the application's may have made while one of ours runs.
pub fn in_call<T>(body: impl FnOnce() -> T) -> T {
    let _running = Running::begin(false);
    body()
}

/// Is a relation locked that has been waited for in vain? Then looking at everything again would find the same.
#[cold]
pub fn is_refused() -> bool {
    BUSY.with_borrow(|busy| busy.iter().any(|b| !b.free))
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
    // Remembered before it is waited for: an error on the way, such as a timeout, must not make the next statement wait as well.
    BUSY.with_borrow_mut(|busy| {
        busy.retain(|b| b.relid != relid || !b.free);
        if !known {
            busy.push(Busy { relid, reason: "locked table", free: false, noted: false });
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

/// pg_goals.lock_wait, but no longer than the session waits for locks of its own, and a quarter of what is left of its statement_timeout: the
/// statement has to end in time with all else that it does.
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
