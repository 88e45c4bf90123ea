//! Memory for one row at a time, freed after each.

use pgrx::pg_sys;

/// A memory context that is current while a row is worked on.
pub struct Scratch {
    context: pg_sys::MemoryContext,
}

impl Scratch {
    /// A child of the current context.
    pub fn new() -> Scratch {
        // SAFETY: creates a context below the current one, which outlives it; the name is static.
        let context = unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                c"pg_goals row".as_ptr(),
                0,
                8 * 1024,
                8 * 1024 * 1024,
            )
        };
        Scratch { context }
    }

    /// Runs `work` and frees what the server allocated for it. The result is owned, so nothing points there afterwards.
    pub fn run<T: 'static>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: a context of this struct; if `work` raises, the end of the transaction makes another context current.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(self.context);
            let result = work();
            pg_sys::MemoryContextSwitchTo(before);
            pg_sys::MemoryContextReset(self.context);
            result
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: a context of this struct, deleted once.
            unsafe { pg_sys::MemoryContextDelete(self.context) }
        }
    }
}

/// Lets a cancel, or a lack of memory, take effect in a long loop.
pub fn check_for_interrupts() {
    super::memory::check();
    pgrx::check_for_interrupts!();
}
