//! Row triggers on the tracked tables. They never raise an error and run no SQL.

pub mod attributes;
pub mod campaigns;
pub mod engagements;
pub mod events;
pub mod membership;
mod mirrored;
mod own_columns;
mod partition_moves;
mod same_person;
pub mod sends;
pub mod users;

use crate::matching::records;
use crate::pg::encoding;
use crate::pg::own_tables::OwnTables;
use crate::pg::patience;
use crate::pg::trigger::Trigger;
use crate::pg::{guc, pause};

/// True unless the triggers are switched off.
#[inline]
fn is_on() -> bool {
    guc::enabled() && !pause::is_paused()
}

/// Runs the body of a trigger, and notes what it or an earlier one could not record.
pub fn noted(trigger: &Trigger, body: fn(&Trigger)) {
    let unrecorded = patience::in_trigger(|| body(trigger));
    if !unrecorded.is_empty() {
        // The table of notes may be locked too; the next trigger of this session then tries again.
        let source = trigger.argument().and_then(|id| id.parse().ok());
        patience::in_trigger(|| note(source, &unrecorded));
    }
}

/// Writes the notes. Does not read the set-up: its tables may be what is locked.
#[cold]
fn note(source: Option<i32>, unrecorded: &[(&'static str, String)]) {
    if let Some((source, (table, index))) = source.zip(OwnTables::notes())
        && let Some(mut notes) = table.search(index, 1)
    {
        for (reason, relation) in unrecorded {
            records::note(&mut notes, table, source, reason, &encoding::from_string(relation));
        }
        patience::noted();
    }
}
