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

/// True if a pause that begins here ends with the statement of a client that asks for nothing else: a SELECT outside of a
/// transaction block that names the function itself.
pub fn ends_at_once() -> bool {
    // SAFETY: reads variables; while a statement is executed, the active portal is that of the client's, and its text is
    // a valid string.
    unsafe {
        let portal = pg_sys::ActivePortal;
        if pg_sys::IsTransactionBlock() || portal.is_null() || (*portal).sourceText.is_null() {
            return false;
        }
        let text = std::ffi::CStr::from_ptr((*portal).sourceText).to_bytes();
        (*portal).strategy == pg_sys::PortalStrategy::PORTAL_ONE_SELECT
            && text.windows(12).any(|word| word.eq_ignore_ascii_case(b"goals.pause("))
    }
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
