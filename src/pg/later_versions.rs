//! What a row has become since its INSERT. A trigger of the application that fires before one of the extension may
//! update the row that it fires for. The nested UPDATE fires its triggers first; then the trigger of the INSERT is passed
//! the row as it was inserted.

use super::datum::Row;
use super::trigger::Trigger;
use pgrx::pg_sys::{self, HeapTupleHeaderData};
use std::ptr;

/// Calls `see` with each update that this transaction has made of the inserted row, in order: the row before and after.
/// Only a heap links the versions of a row.
#[inline]
pub fn visit(trigger: &Trigger, see: impl FnMut(&Row, &Row)) {
    // SAFETY: the executor passes the inserted tuple, as read from its table.
    let is_last = unsafe {
        let tuple = &*trigger.data.tg_trigtuple;
        is_same(&(*tuple.t_data).t_ctid, &tuple.t_self)
    };
    if !is_last {
        follow(trigger, see);
    }
}

fn is_same(a: &pg_sys::ItemPointerData, b: &pg_sys::ItemPointerData) -> bool {
    (a.ip_blkid.bi_hi, a.ip_blkid.bi_lo, a.ip_posid) == (b.ip_blkid.bi_hi, b.ip_blkid.bi_lo, b.ip_posid)
}

/// True for the link of a row that has moved to another partition.
fn is_no_place(link: &pg_sys::ItemPointerData) -> bool {
    link.ip_blkid.bi_hi == u16::MAX && link.ip_blkid.bi_lo == u16::MAX
}

#[cold]
fn follow(trigger: &Trigger, mut see: impl FnMut(&Row, &Row)) {
    if trigger.is_of_foreign_table() {
        return;
    }
    // SAFETY: the relation is open, and its access method is that of heaps where the versions are followed. The slots are
    // made for it and dropped at the end; each holds its page while the other is filled. A link of a version that this
    // transaction has written can only have been set by this transaction; a version that has been rolled back is not
    // current.
    unsafe {
        let relation = trigger.data.tg_relation;
        let heap = pg_sys::GetHeapamTableAmRoutine();
        let Some(fetch) = (*heap).tuple_fetch_row_version.filter(|_| ptr::eq((*relation).rd_tableam, heap)) else {
            return;
        };
        let mut slots = [(); 2].map(|()| pg_sys::table_slot_create(relation, ptr::null_mut()));
        let mut at = (*trigger.data.tg_trigtuple).t_self;
        let snapshot = &raw mut pg_sys::SnapshotAnyData;
        let mut before: pg_sys::HeapTuple = ptr::null_mut();
        while fetch(relation, &raw mut at, snapshot, slots[1]) {
            let mut is_copy = false;
            let after = pg_sys::ExecFetchSlotHeapTuple(slots[1], false, &raw mut is_copy);
            let header: &HeapTupleHeaderData = &*(*after).t_data;
            if !pg_sys::TransactionIdIsCurrentTransactionId(header.t_choice.t_heap.t_xmin) {
                break;
            }
            if !before.is_null() {
                let desc = (*relation).rd_att;
                see(&Row::of_tuple(before, desc), &Row::of_tuple(after, desc));
            }
            if is_same(&header.t_ctid, &(*after).t_self) || is_no_place(&header.t_ctid) {
                break;
            }
            (before, at) = (after, header.t_ctid);
            slots.swap(0, 1);
        }
        for slot in slots {
            pg_sys::ExecDropSingleTupleTableSlot(slot);
        }
    }
}
