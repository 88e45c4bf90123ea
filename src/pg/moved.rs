//! Rows that have left their partition, kept until the insert that completes the move. A move fires a delete trigger on
//! one partition and an insert trigger on another. The same executor queues both, one right after the other, and fires
//! them in that order. So a row waits only for the next insert of its executor into the same tracked table. It is freed
//! with that executor, so no row of another statement waits.

use super::datum::Row;
use super::relation::{self, Relation};
use super::trigger::Trigger;
use pgrx::pg_sys::{self, CommandId, TransactionId};
use std::cell::RefCell;

/// The last row that an executor has moved out of a partition of a tracked table.
struct Left {
    /// The memory context of the executor.
    executor: pg_sys::MemoryContext,
    /// The first argument of the trigger.
    source: Option<String>,
    /// None after its insert.
    row: Option<(KeptRow, (TransactionId, CommandId))>,
    /// The result of [`every_insert_is_seen`]; None if not computed yet.
    every_insert_is_seen: Option<bool>,
}

thread_local! {
    /// At most one per executor and tracked table.
    static LEFT: RefCell<Vec<Left>> = const { RefCell::new(Vec::new()) };
}

fn with_left<T>(executor: pg_sys::MemoryContext, trigger: &Trigger, see: impl FnOnce(&mut Left) -> T) -> Option<T> {
    if executor.is_null() || LEFT.with_borrow(|left| left.iter().all(|l| l.executor != executor)) {
        return None;
    }
    let source = trigger.argument();
    LEFT.with_borrow_mut(|left| left.iter_mut().find(|l| l.executor == executor && l.source == source).map(see))
}

/// Keeps the old row of a MovedAway change until its insert, in place of one kept before.
pub fn keep(trigger: &Trigger) {
    let executor = trigger.executor();
    if executor.is_null() {
        return;
    }
    if with_left(executor, trigger, |_| ()).is_none() {
        let listens = LEFT.with_borrow(|left| left.iter().any(|l| l.executor == executor));
        if !listens {
            // SAFETY: the context is that of a running executor, and what is allocated in it lives as long.
            unsafe {
                let callback = pg_sys::MemoryContextAllocZero(executor, size_of::<pg_sys::MemoryContextCallback>());
                let callback = callback.cast::<pg_sys::MemoryContextCallback>();
                (*callback).func = Some(on_end);
                (*callback).arg = executor.cast();
                pg_sys::MemoryContextRegisterResetCallback(executor, callback);
            }
        }
        let source = trigger.argument();
        LEFT.with_borrow_mut(|left| left.push(Left { executor, source, row: None, every_insert_is_seen: None }));
    }
    let row = (KeptRow::of(trigger), trigger.command());
    with_left(executor, trigger, |left| left.row = Some(row));
}

/// Forgets the row kept for this executor and table.
pub fn forget(trigger: &Trigger) {
    with_left(trigger.slot_context(), trigger, |left| left.row = None);
}

/// For an inserted row: the row that was waiting for it, if any.
pub fn take(trigger: &Trigger) -> Option<KeptRow> {
    let (row, command) = with_left(trigger.slot_context(), trigger, |left| left.row.take()).flatten()?;
    // The action of a foreign key may have moved a row for the same executor by another command.
    (trigger.is_of_foreign_table() || command == trigger.command()).then_some(row)
}

/// True if every row that leaves a partition of this tracked table is followed by an insert that fires the trigger.
/// Then the next insert is the other half of the move, even if the row has changed. Computed once per statement,
/// because it opens all partitions.
pub fn every_insert_is_seen(trigger: &Trigger, tracked: pg_sys::Oid) -> bool {
    let executor = trigger.slot_context();
    let known = with_left(executor, trigger, |left| left.every_insert_is_seen).flatten();
    known.unwrap_or_else(|| {
        let seen = look_at_partitions(trigger, tracked);
        with_left(executor, trigger, |left| left.every_insert_is_seen = Some(seen));
        seen
    })
}

/// Opens the partitions one at a time, without waiting for locks.
fn look_at_partitions(trigger: &Trigger, tracked: pg_sys::Oid) -> bool {
    let Some(root) = Relation::open_if_free(tracked) else { return false };
    // A row may move to a partition of the parent.
    if root.is_partition() || !relation::ancestors(tracked).is_empty() {
        return false;
    }
    root.leaves(false).into_iter().filter(|oid| *oid != tracked).all(|oid| {
        Relation::open_if_free(oid).is_some_and(|table| match table.kind() {
            pg_sys::RELKIND_PARTITIONED_TABLE => true,
            pg_sys::RELKIND_RELATION => trigger.fires_for_every_insert_into(&table),
            _ => false,
        })
    })
}

unsafe extern "C-unwind" fn on_end(executor: *mut core::ffi::c_void) {
    // The cell is never borrowed across a call into the server, so it is free here.
    LEFT.with(|left| {
        if let Ok(mut left) = left.try_borrow_mut() {
            left.retain(|l| l.executor.cast() != executor);
        }
    });
}

/// A copy of a row that outlives the trigger call: at most a page, in memory of its own.
pub struct KeptRow {
    relid: pg_sys::Oid,
    /// The tuple with its header, in words for its alignment.
    words: Vec<u64>,
    len: u32,
}

impl KeptRow {
    /// Copies the old row of a MovedAway change.
    pub fn of(trigger: &Trigger) -> KeptRow {
        // SAFETY: the tuple is valid for t_len bytes; the copy has room for them.
        unsafe {
            let tuple = &*trigger.data.tg_trigtuple;
            let mut words = vec![0u64; (tuple.t_len as usize).div_ceil(8)];
            std::ptr::copy_nonoverlapping(
                tuple.t_data.cast::<u8>(),
                words.as_mut_ptr().cast::<u8>(),
                tuple.t_len as usize,
            );
            KeptRow { relid: trigger.relid(), words, len: tuple.t_len }
        }
    }

    /// Calls `see` with the row and the partition it left, which the statement holds locked.
    pub fn show(&mut self, see: impl FnOnce(&Relation, &Row)) {
        let Some(partition) = Relation::open(self.relid, relation::Lock::Share) else { return };
        let mut tuple = pg_sys::HeapTupleData {
            t_len: self.len,
            t_tableOid: self.relid,
            t_data: self.words.as_mut_ptr().cast(),
            ..Default::default()
        };
        // SAFETY: a whole tuple of this partition, read by its descriptor; both live until `see` has returned.
        see(&partition, &unsafe { Row::of_tuple(&mut tuple, partition.desc()) });
    }
}
