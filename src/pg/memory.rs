//! Memory that cannot be had ends a statement as it would in the server, with SQLSTATE 53200, and never the server.
//!
//! Rust's collections end the process where an allocation fails, and the postmaster then restarts the whole cluster. So:
//!
//! - what has a size that comes from data is asked for ([`copied`], [`vec`], [`room`]), and a refusal raises 53200;
//! - everything else is small. Where the system refuses it, it comes from a reserve, and the next safe point ([`check`]) raises 53200;
//! - what is neither, or more than the reserve has, ends this one session by a FATAL 53200. That is not to happen.
//!
//! An error of the server that passes through Rust is copied by pgrx, in a place from which a second error leads back to the same place:
//! without memory for the copy the server would stop as well. So some is set aside for it, and given up when an error is raised
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

/// An empty list with room for so many items.
pub fn vec<T>(count: usize) -> Vec<T> {
    let mut items = Vec::new();
    if count > 0 {
        room(&mut items, count);
    }
    items
}

/// Makes room for so many more items.
#[inline]
pub fn room<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more && room::room(items, more).is_err() {
        raise(more.max(items.len()).saturating_mul(size_of::<T>()));
    }
}

/// Adds an item to a list that has as many as there are data.
#[inline]
pub fn push<T>(items: &mut Vec<T>, item: T) {
    room(items, 1);
    items.push(item);
}

/// Makes room for one more item of a list that is short as a rule.
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

/// Puts an entry into a map that has as many as there are data.
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

/// What has been made, if there was memory for it.
pub fn made<T>(made: Result<T, NoRoom>) -> T {
    made.unwrap_or_else(|NoRoom| raise(0))
}

/// Raises the error now if there is no room for about so many bytes: before work on data of a known size that asks for none of it.
pub fn ensure(bytes: usize) {
    if bytes > BYTES / 8 && !is_free(bytes) {
        raise(bytes);
    }
}

/// The server's own error where it has no memory.
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

/// A safe point: nothing is half done here, so an allocation that only the reserve could serve can be answered by the error.
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
        // the next one looks again
        RESERVE.touched.store(true, Ordering::Relaxed);
        raise(BYTES);
    }
}

/// Sets the reserve and the parachute aside: once, when the library is loaded. A backend that the postmaster forks has copies of its own.
pub fn prepare() {
    if RESERVE.start.load(Ordering::Relaxed) != 0 {
        return;
    }
    // SAFETY: the layout is not of size zero; the memory is never given back.
    let start = unsafe { System.alloc(WHOLE) };
    if start.is_null() || !pack_parachute() {
        raise(BYTES);
    }
    RESERVE.start.store(start.expose_provenance(), Ordering::Relaxed);
    let _ = LAST_RESORT.set(end_session);
}

/// Given up when an error is raised.
static PARACHUTE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
// SAFETY: a power of two, and a size that is a multiple of it. A memory context asks for a megabyte at the most to have room for a few
// bytes, and the copy and what is made of it may be in two.
const CANOPY: Layout = unsafe { Layout::from_size_align_unchecked(5 << 19, 4096) };

/// False: there is no memory for it now.
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

/// Runs a call of ours. An error that is raised meanwhile finds memory to be passed on in.
#[inline]
pub fn with_parachute<T>(work: impl FnOnce() -> T) -> T {
    struct Popped(*mut pg_sys::ErrorContextCallback);
    impl Drop for Popped {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: writes a variable: what it was before us.
            unsafe { pg_sys::error_context_stack = self.0 }
        }
    }
    // SAFETY: the protocol of error context callbacks: ours is first on the stack while its memory is valid, however we are left.
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

/// Called while a message of any level is made; what it is not for does not need the memory.
unsafe extern "C-unwind" fn on_error(_arg: *mut core::ffi::c_void) {
    // SAFETY: a message is being made.
    let class = unsafe { server::geterrcode() } & 0xFFF;
    let [success, warning, no_data] = [0, 1 << 6, 2 << 6];
    if ![success, warning, no_data].contains(&class) {
        give_up_parachute();
    }
}

/// Would the system give so much now?
fn is_free(bytes: usize) -> bool {
    let Ok(layout) = Layout::from_size_align(bytes.max(1), 16) else { return false };
    // SAFETY: a valid layout; what is allocated is given back at once, by the same.
    unsafe {
        // a compiler may leave out what is given back unused, and take it for granted
        let memory = std::hint::black_box(System.alloc(layout));
        if !memory.is_null() {
            System.dealloc(memory, layout);
        }
        !memory.is_null()
    }
}

/// The reserve is handed out in blocks of so many bytes.
const BLOCK: usize = 256;
const BLOCKS: usize = 4096;
/// Of the whole reserve. It is address space: until it is needed, it is not touched.
const BYTES: usize = BLOCK * BLOCKS;
// SAFETY: a power of two, and a size that is a multiple of it.
const WHOLE: Layout = unsafe { Layout::from_size_align_unchecked(BYTES, BLOCK) };

struct Reserve {
    /// The address of its first byte; 0: not set aside.
    start: AtomicUsize,
    /// Has something been taken from it since the last safe point?
    touched: AtomicBool,
    locked: AtomicBool,
    /// Which blocks are taken; read and written only while it is locked.
    taken: UnsafeCell<[bool; BLOCKS]>,
}

// SAFETY: the one field that is not atomic is used under the lock only.
unsafe impl Sync for Reserve {}

static RESERVE: Reserve = Reserve {
    start: AtomicUsize::new(0),
    touched: AtomicBool::new(false),
    locked: AtomicBool::new(false),
    taken: UnsafeCell::new([false; BLOCKS]),
};

impl Reserve {
    /// Is this a place in it? Where it is not set aside, no address is so low.
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

    /// Null: there is not as much left.
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

// SAFETY: everything is the system's allocator's, or a run of blocks of the reserve that nothing else has until it is given back,
// aligned to a block. Nothing unwinds: a refusal that cannot be answered ends the process.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { refused(layout) } else { memory }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above; what the reserve gives is of this size.
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
        // SAFETY: what is not from the reserve is from the system's allocator.
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

/// What cannot grow where it is.
///
/// # Safety
/// Those of [`GlobalAlloc::realloc`].
#[cold]
unsafe fn moved(allocator: &Allocator, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: two allocations, each of at least the size that is copied; the old one is given back once it has been copied.
    unsafe {
        let grown = allocator.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !grown.is_null() {
            std::ptr::copy_nonoverlapping(memory, grown, layout.size().min(size));
            allocator.dealloc(memory, layout);
        }
        grown
    }
}

/// The system has no such memory. Null where the caller has asked whether there is.
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

/// What is done where even the reserve has no memory; not set where there is no server.
static LAST_RESORT: OnceLock<fn()> = OnceLock::new();

/// Ends this session as the server does, instead of the process, so that no other session ends with it. Whoever called the allocator
/// is not returned to, nor unwound.
fn end_session() {
    // SAFETY: called in its protocol: at FATAL errfinish does not return. No error can be raised on the
    // way that would leap over the frames above, for what the server needs here it has set aside itself, and no context is asked for.
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

        // a gap that is too short is passed
        reserve.give_back(one, 1);
        reserve.give_back(rest, BYTES - 3 * BLOCK);
        assert_eq!(reserve.take(layout(BLOCK + 1, 8)).addr(), start + 3 * BLOCK);
        reserve.give_back(two, 2 * BLOCK);
        assert_eq!(reserve.take(layout(3 * BLOCK, 8)).addr(), start);
        assert!(!reserve.holds(std::ptr::without_provenance(start + BYTES)) && !reserve.holds(std::ptr::null()));
    }
}
