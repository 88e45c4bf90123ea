//! Updates that move a row to another partition: they fire a delete trigger there and an insert trigger here. Only the
//! two halves of one move may be joined. The same command can insert other rows (MERGE, WITH), and the insert of a move
//! can be prevented by a trigger or fire no trigger of the extension.

use crate::pg::moved::{self, KeptRow};
use crate::pg::trigger::Trigger;
use pgrx::pg_sys::Oid;

/// Handles a row that has left its partition. `awaited`: true if its insert matters.
pub fn begin(trigger: &Trigger, awaited: bool) {
    if awaited {
        moved::keep(trigger);
    } else {
        moved::forget(trigger);
    }
}

/// For a row that has been inserted: the row that the same statement has just moved out of a partition. [`belongs`]
/// says whether it is the same row.
pub fn finish(trigger: &Trigger) -> Option<KeptRow> {
    moved::take(trigger)
}

/// For a trigger that is switched off: no row waits for its insert any more.
pub fn pass_over(trigger: &Trigger) {
    moved::forget(trigger);
}

/// True if the two halves are one move. They are if both have the same user (`alike`). If the move has changed the user
/// too, they are only if no insert can have been missed.
pub fn belongs(trigger: &Trigger, tracked: Oid, alike: bool) -> bool {
    alike || moved::every_insert_is_seen(trigger, tracked)
}
