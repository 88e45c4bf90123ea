//! Asks for memory whose size comes from data. An allocation that fails without being asked for stops the whole server.

use std::sync::atomic::{AtomicBool, Ordering};

/// There is no memory for what had to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Makes room for so many more items.
/// Errors: [`NoRoom`].
pub fn room<T>(items: &mut Vec<T>, more: usize) -> Result<(), NoRoom> {
    asked(|| items.try_reserve(more))
}

/// Runs `ask`, which asks for memory and can do without. [`is_asked`] is true while it runs.
pub fn asked<E>(ask: impl FnOnce() -> Result<(), E>) -> Result<(), NoRoom> {
    ASKED.store(true, Ordering::Relaxed);
    let answer = ask();
    ASKED.store(false, Ordering::Relaxed);
    answer.map_err(|_| NoRoom)
}

/// Whether there is memory for so many bytes now. For use before work that does not ask.
pub fn is_free(bytes: usize) -> bool {
    let mut memory = Vec::<u8>::new();
    let answer = room(&mut memory, bytes);
    // a compiler may remove an unused allocation and assume that it succeeds
    std::hint::black_box(&memory);
    answer.is_ok()
}

/// Whether the caller takes a refusal. The allocator reads it.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_there_is_not_is_not_free() {
        assert!(is_free(0) && is_free(1 << 20) && !is_free(usize::MAX / 2));
    }

    #[test]
    fn room_that_there_is_not_is_refused() {
        let mut items = vec![0u64];
        assert_eq!(room(&mut items, 10), Ok(()));
        assert!(items.capacity() >= 11);
        assert_eq!(room(&mut items, usize::MAX / 16), Err(NoRoom));
        assert_eq!(items, [0]);
    }
}
