//! The order of what one transaction has written: by command. A statement is a command, and so is each statement that a
//! function or a trigger runs within it. A later one has a higher number. What a statement writes itself has its number,
//! whenever it is written.

use super::datum::{self, Row};
use super::memory;
use super::trigger::Trigger;
use crate::model::reports::Reports;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

thread_local! {
    /// True if the transaction has reported an open or the like.
    static HAS_REPORTED: Cell<bool> = const { Cell::new(false) };
    /// The times by the clock that commands of the client's statement have reported.
    static REPORTS: RefCell<Reports> = const { RefCell::new(Reports::new()) };
}

/// Remembers until the transaction ends that it has reported an open or the like, at this time.
pub fn reported(at: i64) {
    HAS_REPORTED.set(true);
    happened(Command::current(), at);
}

/// Remembers when a command of the client's statement has made something happen. A time before the statement is no
/// time by the clock.
pub fn happened(command: Command, at: i64) {
    let statement = datum::statement_start();
    if at > statement {
        memory::made(REPORTS.with_borrow_mut(|reports| reports.of(statement).add(command.0, at)));
    }
}

/// The time by the clock of what a command did: now, or just before what later commands have reported. The trigger for
/// it may fire after theirs.
pub fn time_of(command: Command) -> i64 {
    let later = REPORTS.with_borrow_mut(|reports| reports.of(datum::statement_start()).first_after(command.0));
    let now = datum::clock();
    later.map_or(now, |at| now.min(at - 1))
}

/// True if the transaction has reported an open or the like.
pub fn has_reported() -> bool {
    HAS_REPORTED.get()
}

/// Forgets it at the end of the transaction.
pub(super) fn forget() {
    HAS_REPORTED.set(false);
    REPORTS.set(Reports::new());
}

/// A command of the current transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command(pg_sys::CommandId);

impl Command {
    /// The command that is running; what is written now is written by it.
    pub fn current() -> Command {
        // SAFETY: reads a variable; nothing is written yet.
        Command(unsafe { pg_sys::GetCurrentCommandId(false) })
    }

    /// The command that wrote the row that the trigger is called for: that of the insert, the update, or the move.
    pub fn of_change(trigger: &Trigger) -> Command {
        if !trigger.is_of_foreign_table() {
            return Command(trigger.command().1);
        }
        // The row does not say. The statement does, by the snapshot that its triggers are called with.
        // SAFETY: the active snapshot is valid while it is set.
        unsafe {
            if pg_sys::ActiveSnapshotSet() {
                Command((*pg_sys::GetActiveSnapshot()).curcid)
            } else {
                Command::current()
            }
        }
    }
}

/// The command of this transaction that wrote a row of one of the extension's tables; None if another transaction did.
pub fn of_row(row: &Row) -> Option<Command> {
    // SAFETY: the header is that of a row which is read; Cmin is asked only of rows that this transaction has written.
    unsafe {
        let header = row.header()?;
        let known = u32::from((*header).t_infomask) & pg_sys::HEAP_XMIN_COMMITTED != 0;
        if known || !pg_sys::TransactionIdIsCurrentTransactionId((*header).t_choice.t_heap.t_xmin) {
            return None;
        }
        Some(Command(pg_sys::HeapTupleHeaderGetCmin(header)))
    }
}
