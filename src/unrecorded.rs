//! What a trigger could not record, because a table of the extension was locked or did not take a row: noted for goals.health().

use crate::pg::ours::Ours;
use crate::pg::patience;
use crate::pg::scan::OwnedProbe;
use crate::pg::strings;
use crate::pg::trigger::Trigger;
use crate::tables;

/// Runs the body of a trigger, and notes what it, or one before it, could not record.
pub fn noted(trigger: &Trigger, body: fn(&Trigger)) {
    let unrecorded = patience::in_trigger(|| body(trigger));
    if !unrecorded.is_empty() {
        // The table of notes may be locked as well: then the next trigger of this session tries again.
        patience::in_trigger(|| note(trigger, &unrecorded));
    }
}

/// Without the set-up, for that may be what is locked.
#[cold]
fn note(trigger: &Trigger, unrecorded: &[(&'static str, String)]) {
    let source = trigger.argument().and_then(|id| id.parse().ok());
    if let Some((source, (table, index))) = source.zip(Ours::notes())
        && let Some(mut notes) = OwnedProbe::open(table, index, 1)
    {
        for (reason, relation) in unrecorded {
            tables::note(&mut notes, table, source, reason, &strings::from_string(relation));
        }
        patience::noted();
    }
}
