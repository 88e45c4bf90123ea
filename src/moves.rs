//! Updates that move a row to another partition, which fire as a delete there and an insert here.

use crate::pg::trigger::{KeptRow, Trigger};
use pgrx::pg_sys::{CommandId, TransactionId};
use std::cell::RefCell;

/// The first half of a move: which command did it, for which tracked table, and the row as it was.
struct Half {
    command: (TransactionId, CommandId),
    source: Option<String>,
    row: KeptRow,
}

/// How many first halves are kept: more than triggers nest. One whose insert a BEFORE trigger prevented is never asked for.
const KEPT: usize = 32;

thread_local! {
    static HALVES: RefCell<Vec<Half>> = const { RefCell::new(Vec::new()) };
}

/// A row has left its partition.
pub fn begin(trigger: &Trigger) {
    let half = Half { command: trigger.command(), source: trigger.argument(), row: KeptRow::of(trigger) };
    HALVES.with_borrow_mut(|halves| {
        halves.retain(|h| h.command.0 == half.command.0);
        if halves.len() == KEPT {
            halves.remove(0);
        }
        halves.push(half);
    });
}

/// A row has been inserted: the row that it was before, if the same command moved it here.
pub fn finish(trigger: &Trigger) -> Option<KeptRow> {
    if HALVES.with_borrow(Vec::is_empty) {
        return None;
    }
    let (command, source) = (trigger.command(), trigger.argument());
    HALVES.with_borrow_mut(|halves| {
        let i = halves.iter().rposition(|h| h.command == command && h.source == source)?;
        Some(halves.remove(i).row)
    })
}
