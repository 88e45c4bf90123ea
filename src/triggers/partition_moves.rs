//! Updates that move a row to another partition, which fire as a delete there and an insert here.
//!
//! The two halves are put together again, and nothing else: an insert that the same command makes of its own accord (MERGE, WITH) must
//! not become the second half of a move whose insert was prevented by a trigger or fires no trigger of the extension.

use crate::pg::moved::{self, KeptRow};
use crate::pg::trigger::Trigger;
use pgrx::pg_sys::Oid;

/// A row has left its partition. `awaited`: does its insert matter?
pub fn begin(trigger: &Trigger, awaited: bool) {
    if awaited {
        moved::keep(trigger);
    } else {
        moved::forget(trigger);
    }
}

/// A row has been inserted: the row that left its partition right before, by the same statement. Whether it is the same row remains to be
/// asked of [`belongs`].
pub fn finish(trigger: &Trigger) -> Option<KeptRow> {
    moved::take(trigger)
}

/// A trigger has nothing to do because it is switched off: what comes next is not what it would have waited for.
pub fn pass_over(trigger: &Trigger) {
    moved::forget(trigger);
}

/// Do the two halves belong together? They do where both say that they are of the same user (`alike`): the row is the one that left, or has
/// taken its place. Where they do not, because the move has changed that as well, only if no insert can have been missed.
pub fn belongs(trigger: &Trigger, tracked: Oid, alike: bool) -> bool {
    alike || moved::every_insert_is_seen(trigger, tracked)
}
