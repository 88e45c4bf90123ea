//! Rows that have left their partition, until the insert comes that is the other half of the move.
//!
//! A move fires as a delete in the one partition and an insert in the other. Both are queued by the same executor, one right after
//! the other, and are fired in that order. So a row waits for the next insert of its executor into the same tracked table, and no
//! longer: nothing waits that belongs to another statement, for a row goes with the executor that has moved it.

use super::datum::Row;
use super::relation::{self, Relation};
use super::trigger::Trigger;
use pgrx::pg_sys::{self, CommandId, TransactionId};
use std::cell::RefCell;

/// What an executor has moved out of a tracked table last.
struct Left {
    /// Its memory context.
    executor: pg_sys::MemoryContext,
    /// The first argument of the trigger.
    source: Option<String>,
    /// None: its insert has come.
    row: Option<(KeptRow, (TransactionId, CommandId))>,
    /// Is every insert into the tree of partitions seen? None: nothing has been asked so far.
    every_insert_is_seen: Option<bool>,
}

thread_local! {
    /// At most one an executor and tracked table.
    static LEFT: RefCell<Vec<Left>> = const { RefCell::new(Vec::new()) };
}

fn with_left<T>(executor: pg_sys::MemoryContext, trigger: &Trigger, see: impl FnOnce(&mut Left) -> T) -> Option<T> {
    if executor.is_null() || LEFT.with_borrow(|left| left.iter().all(|l| l.executor != executor)) {
        return None;
    }
    let source = trigger.argument();
    LEFT.with_borrow_mut(|left| left.iter_mut().find(|l| l.executor == executor && l.source == source).map(see))
}

/// The old row of a MovedAway change waits for its insert, instead of one that waited before.
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

/// No row of this executor and table waits any more.
pub fn forget(trigger: &Trigger) {
    with_left(trigger.slot_context(), trigger, |left| left.row = None);
}

/// A row has been inserted: the row that was waiting for it, if one was.
pub fn take(trigger: &Trigger) -> Option<KeptRow> {
    let (row, command) = with_left(trigger.slot_context(), trigger, |left| left.row.take()).flatten()?;
    // A foreign key's action may have moved a row on behalf of the same executor by another command.
    (trigger.is_of_foreign_table() || command == trigger.command()).then_some(row)
}

/// Is it certain that every row which leaves a partition of this tracked table is followed by an insert that the trigger sees? Then
/// the next insert is the other half of the move, whatever has become of the row. Asked once per statement, for all partitions have
/// to be looked at.
pub fn every_insert_is_seen(trigger: &Trigger, tracked: pg_sys::Oid) -> bool {
    let executor = trigger.slot_context();
    let known = with_left(executor, trigger, |left| left.every_insert_is_seen).flatten();
    known.unwrap_or_else(|| {
        let seen = look_at_partitions(trigger, tracked);
        with_left(executor, trigger, |left| left.every_insert_is_seen = Some(seen));
        seen
    })
}

/// Each partition is closed before the next is opened, and none is waited for.
fn look_at_partitions(trigger: &Trigger, tracked: pg_sys::Oid) -> bool {
    let Some(root) = Relation::open_if_free(tracked) else { return false };
    // A row may move to a partition of the table above.
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
    // Nothing is borrowed across a call into the server, so that it is free here.
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

    /// Shows the row with the partition it came from, which the statement holds locked.
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
