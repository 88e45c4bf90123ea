//! Out of memory fails the statement with SQLSTATE 53200, as in the server, and never stops the server. Rust's
//! collections abort the process if an allocation fails, and the postmaster then restarts the whole cluster. So:
//! - allocations whose size depends on data are fallible ([`copied`], [`vec`], [`room`]) and raise 53200;
//! - all others are small. If the system refuses one, a reserve serves it, and the next safe point ([`check`]) raises
//!   53200;
//! - if the reserve is exhausted too, this session ends with a FATAL 53200. That should not happen.
//!
//! pgrx copies each error of the server that passes through Rust. A failure of that copy raises a second error at the
//! same place, and so on until the server stops. So memory for the copy is set aside and freed when an error is raised
//! ([`with_parachute`]).

use super::server;
use crate::model::room::{self, NoRoom};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};
use smallvec::SmallVec;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// A copy of these bytes.
pub fn copied(bytes: &[u8]) -> Vec<u8> {
    let mut copy = vec(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

/// An empty list with room for `count` items.
pub fn vec<T>(count: usize) -> Vec<T> {
    let mut items = Vec::new();
    if count > 0 {
        room(&mut items, count);
    }
    items
}

/// Makes room for more items.
#[inline]
pub fn room<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more && room::room(items, more).is_err() {
        raise(more.max(items.len()).saturating_mul(size_of::<T>()));
    }
}

/// Adds an item to a list whose length depends on data.
#[inline]
pub fn push<T>(items: &mut Vec<T>, item: T) {
    room(items, 1);
    items.push(item);
}

/// Makes room for one more item in a list that is usually short.
#[inline]
pub fn room_in_small<A: smallvec::Array>(items: &mut SmallVec<A>) {
    let length = items.len();
    if length == items.capacity() {
        let grow = || items.try_reserve(1);
        if room::asked(grow).is_err() {
            raise(length.saturating_mul(2 * size_of::<A::Item>()));
        }
    }
}

/// Puts an entry into a map whose size depends on data.
pub fn insert<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    room_in(map);
    map.insert(key, value);
}

/// Makes room for one more entry.
pub fn room_in<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.len() == map.capacity() && room::asked(|| map.try_reserve(1)).is_err() {
        raise(map.len().saturating_mul(2 * size_of::<(K, V)>()));
    }
}

/// The value; raises 53200 if there was no memory for it.
pub fn made<T>(made: Result<T, NoRoom>) -> T {
    made.unwrap_or_else(|NoRoom| raise(0))
}

/// Raises 53200 if about this many bytes are not free. For use before work on data of a known size whose allocations
/// are not fallible.
pub fn ensure(bytes: usize) {
    if bytes > BYTES / 8 && !is_free(bytes) {
        raise(bytes);
    }
}

/// Raises the server's error for out of memory.
#[cold]
fn raise(size: usize) -> ! {
    give_up_parachute();
    let mut report = ErrorReport::new(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, "out of memory", "pg_goals");
    if size > 0 {
        report = report.set_detail(format!("Failed on request of size {size}."));
    }
    report.report(PgLogLevel::ERROR);
    unreachable!("an error report of level ERROR does not return")
}

/// A safe point, where nothing is half done: raises 53200 if the reserve had to serve an allocation.
#[inline]
pub fn check() {
    if RESERVE.touched.load(Ordering::Relaxed) {
        recover();
    }
}

#[cold]
fn recover() {
    RESERVE.touched.store(false, Ordering::Relaxed);
    if !is_free(BYTES) || !pack_parachute() {
        // The next safe point checks again.
        RESERVE.touched.store(true, Ordering::Relaxed);
        raise(BYTES);
    }
}

/// Sets the reserve and the parachute aside, once, when the library is loaded. Each forked backend has its own copies.
pub fn prepare() {
    if RESERVE.start.load(Ordering::Relaxed) != 0 {
        return;
    }
    // SAFETY: the layout is not of size zero; the memory is never freed.
    let start = unsafe { System.alloc(WHOLE) };
    if start.is_null() || !pack_parachute() {
        raise(BYTES);
    }
    RESERVE.start.store(start.expose_provenance(), Ordering::Relaxed);
    let _ = LAST_RESORT.set(end_session);
}

/// Freed when an error is raised.
static PARACHUTE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
// SAFETY: a power of two, and a size that is a multiple of it. A memory context allocates at most a megabyte to have
// room for a few bytes, and the copy may need two contexts.
const CANOPY: Layout = unsafe { Layout::from_size_align_unchecked(5 << 19, 4096) };

/// Sets the parachute aside; false if there is no memory for it now.
fn pack_parachute() -> bool {
    if PARACHUTE.load(Ordering::Relaxed).is_null() {
        // SAFETY: the layout is not of size zero.
        PARACHUTE.store(unsafe { System.alloc(CANOPY) }, Ordering::Relaxed);
    }
    !PARACHUTE.load(Ordering::Relaxed).is_null()
}

fn give_up_parachute() {
    let canopy = PARACHUTE.swap(std::ptr::null_mut(), Ordering::Relaxed);
    if !canopy.is_null() {
        // SAFETY: allocated by the same, with the same layout; nothing has ever been in it.
        unsafe { System.dealloc(canopy, CANOPY) };
        RESERVE.touched.store(true, Ordering::Relaxed);
    }
}

/// Runs a call of the extension. An error raised inside finds memory for its copy.
#[inline]
pub fn with_parachute<T>(work: impl FnOnce() -> T) -> T {
    struct Popped(*mut pg_sys::ErrorContextCallback);
    impl Drop for Popped {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: restores a variable to its value before this call.
            unsafe { pg_sys::error_context_stack = self.0 }
        }
    }
    // SAFETY: the protocol of error context callbacks: this one is first on the stack while its memory is valid,
    // however the call ends.
    unsafe {
        let mut callback = pg_sys::ErrorContextCallback {
            previous: pg_sys::error_context_stack,
            callback: Some(on_error),
            arg: std::ptr::null_mut(),
        };
        let _popped = Popped(callback.previous);
        pg_sys::error_context_stack = &raw mut callback;
        check();
        let done = work();
        check();
        done
    }
}

/// Called for messages of every level; only errors need the memory.
unsafe extern "C-unwind" fn on_error(_arg: *mut core::ffi::c_void) {
    // SAFETY: a message is being made.
    let class = unsafe { server::geterrcode() } & 0xFFF;
    let [success, warning, no_data] = [0, 1 << 6, 2 << 6];
    if ![success, warning, no_data].contains(&class) {
        give_up_parachute();
    }
}

/// True if the system can allocate this many bytes now.
fn is_free(bytes: usize) -> bool {
    let Ok(layout) = Layout::from_size_align(bytes.max(1), 16) else { return false };
    // SAFETY: a valid layout; the memory is freed at once by the same allocator.
    unsafe {
        // The compiler may otherwise remove an allocation that is not used.
        let memory = std::hint::black_box(System.alloc(layout));
        if !memory.is_null() {
            System.dealloc(memory, layout);
        }
        !memory.is_null()
    }
}

/// The size of the reserve's blocks in bytes.
const BLOCK: usize = 256;
const BLOCKS: usize = 4096;
/// The size of the whole reserve. It is address space only until it is used.
const BYTES: usize = BLOCK * BLOCKS;
// SAFETY: a power of two, and a size that is a multiple of it.
const WHOLE: Layout = unsafe { Layout::from_size_align_unchecked(BYTES, BLOCK) };

struct Reserve {
    /// The address of its first byte; 0 if it is not set aside.
    start: AtomicUsize,
    /// True if something has been taken from it since the last safe point.
    touched: AtomicBool,
    locked: AtomicBool,
    /// True per taken block; accessed only under the lock.
    taken: UnsafeCell<[bool; BLOCKS]>,
}

// SAFETY: the one field that is not atomic is accessed only under the lock.
unsafe impl Sync for Reserve {}

static RESERVE: Reserve = Reserve {
    start: AtomicUsize::new(0),
    touched: AtomicBool::new(false),
    locked: AtomicBool::new(false),
    taken: UnsafeCell::new([false; BLOCKS]),
};

impl Reserve {
    /// True if the address is in the reserve. If it is not set aside, no address is that low.
    #[inline]
    fn holds(&self, memory: *const u8) -> bool {
        memory.addr().wrapping_sub(self.start.load(Ordering::Relaxed)) < BYTES
    }

    fn with_taken<T>(&self, work: impl FnOnce(&mut [bool; BLOCKS]) -> T) -> T {
        while self.locked.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: locked, and `work` neither allocates nor unwinds.
        let done = work(unsafe { &mut *self.taken.get() });
        self.locked.store(false, Ordering::Release);
        done
    }

    /// Takes blocks; null if not enough are free in a row.
    fn take(&self, layout: Layout) -> *mut u8 {
        let start = self.start.load(Ordering::Relaxed);
        if start == 0 || layout.align() > BLOCK || layout.size() > BYTES {
            return std::ptr::null_mut();
        }
        let count = layout.size().div_ceil(BLOCK).max(1);
        let first = self.with_taken(|taken| {
            let mut free = 0;
            let last = taken.iter().position(|is_taken| {
                free = if *is_taken { 0 } else { free + 1 };
                free == count
            })?;
            taken[last + 1 - count..=last].fill(true);
            Some(last + 1 - count)
        });
        self.touched.store(true, Ordering::Relaxed);
        first.map_or(std::ptr::null_mut(), |first| std::ptr::with_exposed_provenance_mut(start + first * BLOCK))
    }

    fn give_back(&self, memory: *mut u8, size: usize) {
        let first = (memory.addr() - self.start.load(Ordering::Relaxed)) / BLOCK;
        self.with_taken(|taken| taken[first..first + size.div_ceil(BLOCK).max(1)].fill(false));
    }
}

/// The allocator of this library.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

// SAFETY: memory is from the system's allocator, or a run of blocks of the reserve, aligned to a block and used by
// nothing else until it is freed. Nothing unwinds: a refusal that cannot be served ends the process.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator requires.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { refused(layout) } else { memory }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above; the reserve's blocks have room for this size.
        unsafe {
            let memory = System.alloc_zeroed(layout);
            if !memory.is_null() {
                return memory;
            }
            let memory = refused(layout);
            if !memory.is_null() {
                memory.write_bytes(0, layout.size());
            }
            memory
        }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if RESERVE.holds(memory) {
            return RESERVE.give_back(memory, layout.size());
        }
        // SAFETY: memory that is not from the reserve is from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !RESERVE.holds(memory) {
            // SAFETY: what is not from the reserve is from the system's allocator.
            let grown = unsafe { System.realloc(memory, layout, size) };
            if !grown.is_null() {
                return grown;
            }
        }
        // SAFETY: the caller's memory, of this layout, and a size that fits its alignment.
        unsafe { moved(self, memory, layout, size) }
    }
}

/// Reallocates by allocating, copying and freeing.
///
/// # Safety
/// Those of [`GlobalAlloc::realloc`].
#[cold]
unsafe fn moved(allocator: &Allocator, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: two allocations, each of at least the size that is copied; the old one is freed after the copy.
    unsafe {
        let grown = allocator.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !grown.is_null() {
            std::ptr::copy_nonoverlapping(memory, grown, layout.size().min(size));
            allocator.dealloc(memory, layout);
        }
        grown
    }
}

/// Handles a refusal of the system. Returns null if the caller checks for it.
#[cold]
#[inline(never)]
fn refused(layout: Layout) -> *mut u8 {
    if room::is_asked() {
        return std::ptr::null_mut();
    }
    let memory = RESERVE.take(layout);
    if memory.is_null()
        && let Some(end) = LAST_RESORT.get()
    {
        end();
    }
    memory
}

/// What to do if even the reserve has no memory; not set without a server.
static LAST_RESORT: OnceLock<fn()> = OnceLock::new();

/// Ends this session by FATAL instead of aborting the process, so that other sessions go on. Does not return or unwind.
fn end_session() {
    // SAFETY: called in its protocol: at FATAL errfinish does not return. No error can be raised on the way and jump
    // over the frames above: the server has set aside the memory it needs here, and no context is built.
    unsafe {
        pg_sys::error_context_stack = std::ptr::null_mut();
        if server::errstart(PgLogLevel::FATAL as core::ffi::c_int, std::ptr::null()) {
            server::errcode(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as core::ffi::c_int);
            server::errmsg(c"out of memory".as_ptr());
            server::errfinish(c"memory.rs".as_ptr(), 0, c"pg_goals".as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_hands_out_what_it_has_and_takes_it_back() {
        let mut place = vec![0u8; BYTES + BLOCK];
        let reserve = Reserve {
            start: AtomicUsize::new(0),
            touched: AtomicBool::new(false),
            locked: AtomicBool::new(false),
            taken: UnsafeCell::new([false; BLOCKS]),
        };
        let layout = |size, align| Layout::from_size_align(size, align).unwrap();
        assert!(reserve.take(layout(1, 1)).is_null() && !reserve.holds(place.as_ptr()));
        let start = place.as_mut_ptr().expose_provenance().next_multiple_of(BLOCK);
        reserve.start.store(start, Ordering::Relaxed);

        let (one, two) = (reserve.take(layout(1, 1)), reserve.take(layout(2 * BLOCK, 64)));
        assert_eq!((one.addr(), two.addr()), (start, start + BLOCK));
        assert!(reserve.holds(one) && reserve.holds(two) && reserve.touched.load(Ordering::Relaxed));
        assert!(
            reserve.take(layout(BYTES - 3 * BLOCK + 1, 1)).is_null() && reserve.take(layout(1, 2 * BLOCK)).is_null()
        );
        let rest = reserve.take(layout(BYTES - 3 * BLOCK, 1));
        assert_eq!(rest.addr(), start + 3 * BLOCK);
        assert!(reserve.take(layout(0, 1)).is_null());

        // A gap that is too short is skipped.
        reserve.give_back(one, 1);
        reserve.give_back(rest, BYTES - 3 * BLOCK);
        assert_eq!(reserve.take(layout(BLOCK + 1, 8)).addr(), start + 3 * BLOCK);
        reserve.give_back(two, 2 * BLOCK);
        assert_eq!(reserve.take(layout(3 * BLOCK, 8)).addr(), start);
        assert!(!reserve.holds(std::ptr::without_provenance(start + BYTES)) && !reserve.holds(std::ptr::null()));
    }
}
