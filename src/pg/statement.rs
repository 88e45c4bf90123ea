//! What a trigger keeps open from row to row of one statement.
//!
//! Opening a table, an index and a scan costs more than finding a row. A statement's memory context lives exactly as long as
//! the statement and calls us back when it goes; the relations are closed then, on behalf of the resource owner that they were
//! opened for. If the transaction is rolled back the owner has already released them, and what we hold is only forgotten.

use super::ours::Ours;
use super::scan::OwnedProbe;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CStr;

/// The scans that the matching of one change needs.
pub struct Probes {
    /// receipt by users_id, user_key, sent_at
    pub receipts: OwnedProbe,
    /// match_log by receipt_id
    pub matches: OwnedProbe,
}

struct Kept {
    probes: Box<Probes>,
    context: pg_sys::MemoryContext,
    owner: pg_sys::ResourceOwner,
    receipt_table: pg_sys::Oid,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Lends the scans to `work`; None if our tables are gone. They are out of the cell meanwhile, so that nothing is borrowed.
pub fn with_probes<T>(ours: &Ours, work: impl FnOnce(&mut Probes) -> T) -> Option<T> {
    let kept = KEPT.with_borrow_mut(Option::take).filter(|k| k.receipt_table == ours.receipt);
    let mut kept = match kept {
        Some(kept) => kept,
        None => open(ours)?,
    };
    let result = work(&mut kept.probes);
    if kept.context.is_null() {
        drop(kept);
    } else {
        KEPT.with_borrow_mut(|k| *k = Some(kept));
    }
    Some(result)
}

fn open(ours: &Ours) -> Option<Kept> {
    // SAFETY: the current context and its parent are valid; what is allocated in the statement's context lives as long as it.
    unsafe {
        let statement = statement_context();
        let before = pg_sys::CurrentMemoryContext;
        if !statement.is_null() {
            pg_sys::MemoryContextSwitchTo(statement);
        }
        let probes = (|| {
            Some(Box::new(Probes {
                receipts: OwnedProbe::open(ours.receipt, ours.receipt_user_idx, 3)?,
                matches: OwnedProbe::open(ours.match_log, ours.match_log_receipt_idx, 1)?,
            }))
        })();
        if probes.is_some() && !statement.is_null() {
            let callback = pg_sys::palloc0(size_of::<pg_sys::MemoryContextCallback>());
            let callback = callback.cast::<pg_sys::MemoryContextCallback>();
            (*callback).func = Some(on_end);
            (*callback).arg = statement.cast();
            pg_sys::MemoryContextRegisterResetCallback(statement, callback);
        }
        pg_sys::MemoryContextSwitchTo(before);
        Some(Kept {
            probes: probes?,
            context: statement,
            owner: pg_sys::CurrentResourceOwner,
            receipt_table: ours.receipt,
        })
    }
}

/// The context of the statement that fires the trigger; null where the trigger is not fired by the executor (COPY), whose
/// contexts may outlive the resource owner.
///
/// # Safety
/// Called inside a trigger call, whose context is a child of the one that fires triggers.
unsafe fn statement_context() -> pg_sys::MemoryContext {
    // SAFETY: every context has a name; the top one has no parent.
    unsafe {
        let parent = (*pg_sys::CurrentMemoryContext).parent;
        if !parent.is_null() && CStr::from_ptr((*parent).name) == c"ExecutorState" {
            parent
        } else {
            std::ptr::null_mut()
        }
    }
}

unsafe extern "C-unwind" fn on_end(context: *mut core::ffi::c_void) {
    let ended = KEPT.with_borrow_mut(|k| k.take_if(|k| k.context.cast() == context));
    if let Some(kept) = ended {
        // SAFETY: the statement has ended well: its resource owner still holds the relations, and they are closed for it.
        unsafe {
            let before = pg_sys::CurrentResourceOwner;
            pg_sys::CurrentResourceOwner = kept.owner;
            drop(kept);
            pg_sys::CurrentResourceOwner = before;
        }
    }
}

/// The (sub)transaction is being rolled back: the resource owner releases what was opened, and the memory goes with its context.
pub(super) fn forget() {
    if let Some(kept) = KEPT.with_borrow_mut(Option::take) {
        std::mem::forget(kept);
    }
}
