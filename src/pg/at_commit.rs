//! Work that waits for the transaction to commit: only then it is known what it has come to. It is done as the server
//! fires deferred triggers, before the transaction becomes visible to others.

use super::memory;
use pgrx::pg_sys::{self, SubTransactionId};
use std::cell::Cell;

/// What waits, and what to forget.
#[derive(Clone, Copy)]
pub struct Work {
    pub settle: fn(),
    /// Forgets what a subtransaction that is rolled back, and those below it, has left; None for everything.
    pub forget: fn(Option<SubTransactionId>),
}

thread_local! {
    static WORK: Cell<Option<Work>> = const { Cell::new(None) };
}

/// Has the work done before the transaction commits.
pub fn expect(work: Work) {
    WORK.set(Some(work));
}

/// The current subtransaction. Those below it have higher numbers.
pub fn here() -> SubTransactionId {
    // SAFETY: reads a variable.
    unsafe { pg_sys::GetCurrentSubTransactionId() }
}

/// Does the work.
pub(super) fn settle() {
    let Some(work) = WORK.get() else { return };
    let body = move || {
        // SAFETY: the transaction is still in progress, and has written what the work is about; so it may still write,
        // also if it has been set read-only since. The snapshot, as for deferred triggers, is only for what reads
        // values stored out of line; it is released here, or with the transaction if the work raises.
        let read_only = unsafe {
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let read_only = pg_sys::XactReadOnly;
            pg_sys::XactReadOnly = false;
            read_only
        };
        memory::with_parachute(work.settle);
        // SAFETY: pushed above, and a variable that is put back.
        unsafe {
            pg_sys::XactReadOnly = read_only;
            pg_sys::PopActiveSnapshot();
        }
    };
    // SAFETY: what #[pg_guard] expands to: a panic becomes an error of the server, before anything is committed.
    unsafe { pg_sys::panic::pgrx_extern_c_guard(body) }
}

/// Forgets what waits.
pub(super) fn forget(rolled_back: Option<SubTransactionId>) {
    if let Some(work) = WORK.get() {
        (work.forget)(rolled_back);
    }
    if rolled_back.is_none() {
        WORK.set(None);
    }
}
