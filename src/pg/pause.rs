//! Triggers that are paused by a transaction or subtransaction, until it ends.

use pgrx::pg_sys::{self, SubTransactionId};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Read for every row. A backend has one thread, and atomics are cheaper than thread-local variables.
static PAUSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The transactions and subtransactions that have paused the triggers and have not ended.
    static BY: RefCell<Vec<SubTransactionId>> = const { RefCell::new(Vec::new()) };
}

/// Pauses the triggers of this session until the current transaction or subtransaction ends, which this backend has to
/// listen to.
pub fn begin() {
    // SAFETY: reads a variable.
    let current = unsafe { pg_sys::GetCurrentSubTransactionId() };
    BY.with_borrow_mut(|by| {
        if !by.contains(&current) {
            by.push(current);
        }
    });
    PAUSED.store(true, Relaxed);
}

/// True while the triggers are paused.
#[inline]
pub fn is_paused() -> bool {
    PAUSED.load(Relaxed)
}

/// Handles the end of a subtransaction, or, with None, of the transaction.
pub(super) fn on_end(of: Option<SubTransactionId>) {
    if is_paused() {
        let paused = BY.with(|by| {
            by.try_borrow_mut().is_ok_and(|mut by| {
                by.retain(|id| of.is_some_and(|of| *id != of));
                !by.is_empty()
            })
        });
        PAUSED.store(paused, Relaxed);
    }
}
