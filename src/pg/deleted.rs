//! Rows that the transaction has deleted from tracked tables, by a hash each. Maintenance of partitions moves rows by
//! deleting them and inserting them again. Such a row is known again also if nothing was recorded of it.

use super::memory;
use pgrx::pg_sys::{self, SubTransactionId};
use std::cell::RefCell;
use std::collections::HashMap;

/// The most rows that are remembered. The rows beyond are taken for new ones, unless their primary key is known.
const MOST: usize = 1_000_000;

/// How often a row was deleted, and in which subtransaction last.
type Deletions = HashMap<(i32, i64), (u32, SubTransactionId)>;

thread_local! {
    /// By source and hash.
    static DELETED: RefCell<Deletions> = RefCell::new(Deletions::new());
}

/// Remembers a row until the transaction ends.
pub fn note(source: i32, hash: i64) {
    DELETED.with_borrow_mut(|deleted| {
        if deleted.len() >= MOST {
            return;
        }
        // SAFETY: reads a variable.
        let here = unsafe { pg_sys::GetCurrentSubTransactionId() };
        let times = deleted.get(&(source, hash)).map_or(0, |(times, _)| *times);
        memory::insert(deleted, (source, hash), (times + 1, here));
    });
}

/// True if this row has been deleted, and not been asked for as often since.
pub fn take(source: i32, hash: i64) -> bool {
    DELETED.with_borrow_mut(|deleted| match deleted.get_mut(&(source, hash)) {
        Some((times, _)) if *times > 0 => {
            *times -= 1;
            if *times == 0 {
                deleted.remove(&(source, hash));
            }
            true
        }
        _ => false,
    })
}

/// True if no row is remembered.
pub fn is_empty() -> bool {
    DELETED.with_borrow(HashMap::is_empty)
}

/// Forgets all rows; of a subtransaction that is rolled back, those deleted in it.
pub(super) fn forget(rolled_back: Option<SubTransactionId>) {
    DELETED.with(|deleted| {
        let Ok(mut deleted) = deleted.try_borrow_mut() else { return };
        match rolled_back {
            // Those below it have higher numbers.
            Some(from) => deleted.retain(|_, (_, within)| *within < from),
            None if deleted.capacity() > 0 => *deleted = Deletions::new(),
            None => {}
        }
    });
}
