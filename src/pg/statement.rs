//! What a trigger keeps open from row to row of one statement.
//!
//! Opening a table, an index and a scan costs more than finding a row. A statement's memory context lives exactly as long as
//! the statement and calls us back when it goes; the relations are closed then, on behalf of the resource owner that they were
//! opened for. If the transaction is rolled back the owner has already released them, and what we hold is only forgotten.

use super::append::Log;
use super::ours::Ours;
use super::scan::OwnedProbe;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CStr;

/// What the matching of one change needs.
pub struct Probes {
    /// receipt by users_id, user_key, sent_at
    pub receipts: OwnedProbe,
    /// match_log by receipt_id, once a receipt is found
    log: Option<Log>,
    ours: Ours,
    home: Home,
}

/// Where what is opened lives, and on whose behalf.
#[derive(Clone, Copy)]
struct Home {
    context: pg_sys::MemoryContext,
    owner: pg_sys::ResourceOwner,
    subtransaction: pg_sys::SubTransactionId,
}

impl Probes {
    /// The match log, to be searched by receipt and appended to; None if it is gone.
    pub fn match_log(&mut self) -> Option<&mut Log> {
        if self.log.is_none() {
            let (log, index) = (self.ours.match_log, self.ours.match_log_receipt_idx);
            self.log = self.home.open(|| Log::open(log, index, 1));
        }
        self.log.as_mut()
    }
}

impl Home {
    /// Are we working for the same statement, and in the same subtransaction?
    fn is_here(&self) -> bool {
        // SAFETY: variables and the state of the running transaction.
        unsafe {
            self.owner == pg_sys::CurrentResourceOwner && self.subtransaction == pg_sys::GetCurrentSubTransactionId()
        }
    }

    /// Opens something there.
    fn open<T>(self, open: impl FnOnce() -> T) -> T {
        if self.context.is_null() {
            return open();
        }
        // SAFETY: context and owner are those of the running statement.
        unsafe {
            let (context, owner) = (pg_sys::MemoryContextSwitchTo(self.context), pg_sys::CurrentResourceOwner);
            pg_sys::CurrentResourceOwner = self.owner;
            let opened = open();
            pg_sys::CurrentResourceOwner = owner;
            pg_sys::MemoryContextSwitchTo(context);
            opened
        }
    }
}

thread_local! {
    /// The innermost statement's last.
    static KEPT: RefCell<Vec<Box<Probes>>> = const { RefCell::new(Vec::new()) };
}

/// Lends the scans to `work`; None if our tables are gone. They are out of the cell meanwhile, so that nothing is borrowed.
///
/// What a statement around this one has opened is not used: an index may keep pages pinned from one insert to the next, on behalf of
/// whoever made the first, and he may be rolled back or end before that statement does.
pub fn with_probes<T>(ours: &Ours, work: impl FnOnce(&mut Probes) -> T) -> Option<T> {
    let fits = |k: &Probes| k.home.is_here() && k.ours == *ours;
    let kept = KEPT.with_borrow_mut(|k| k.iter().rposition(|k| fits(k)).map(|i| k.remove(i)));
    let mut probes = match kept {
        Some(kept) => kept,
        None => open(ours)?,
    };
    let result = work(&mut probes);
    if !probes.home.context.is_null() {
        KEPT.with_borrow_mut(|k| k.push(probes));
    }
    Some(result)
}

fn open(ours: &Ours) -> Option<Box<Probes>> {
    // SAFETY: the current context and owner are valid; what is allocated in the statement's context lives as long as it.
    unsafe {
        let home = Home {
            context: statement_context(),
            owner: pg_sys::CurrentResourceOwner,
            subtransaction: pg_sys::GetCurrentSubTransactionId(),
        };
        let receipts = home.open(|| OwnedProbe::open(ours.receipt, ours.receipt_user_idx, 3))?;
        if !home.context.is_null() {
            let callback = pg_sys::MemoryContextAllocZero(home.context, size_of::<pg_sys::MemoryContextCallback>());
            let callback = callback.cast::<pg_sys::MemoryContextCallback>();
            (*callback).func = Some(on_end);
            (*callback).arg = home.context.cast();
            pg_sys::MemoryContextRegisterResetCallback(home.context, callback);
        }
        Some(Box::new(Probes { receipts, log: None, ours: *ours, home }))
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
    let close = move || {
        let ended = |k: &Probes| k.home.context.cast() == context;
        while let Some(kept) = KEPT.with_borrow_mut(|k| k.iter().position(|k| ended(k)).map(|i| k.remove(i))) {
            // SAFETY: the statement has ended well: its resource owner still holds the relations, and they are closed for it.
            unsafe {
                let before = pg_sys::CurrentResourceOwner;
                pg_sys::CurrentResourceOwner = kept.home.owner;
                drop(kept);
                pg_sys::CurrentResourceOwner = before;
            }
        }
    };
    // SAFETY: what #[pg_guard] expands to: an error while closing is one of the server, not the end of it.
    unsafe { pg_sys::panic::pgrx_extern_c_guard(close) }
}

/// This subtransaction, or with None the transaction, is being rolled back: the resource owner releases what was opened in it,
/// and the memory goes with its context. What a statement around it has opened stays.
pub(super) fn forget(rolled_back: Option<pg_sys::SubTransactionId>) {
    // The ids of what was begun inside it are greater.
    let inside = |kept: &Probes| rolled_back.is_none_or(|id| kept.home.subtransaction >= id);
    while let Some(kept) = KEPT.with_borrow_mut(|k| k.iter().position(|k| inside(k)).map(|i| k.remove(i))) {
        std::mem::forget(kept);
    }
}
