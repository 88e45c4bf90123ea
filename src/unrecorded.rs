//! What a trigger could not record, because a table of the extension was locked for longer than it waits: noted for goals.health().

use crate::pg::ours::Ours;
use crate::pg::patience;
use crate::pg::scan::OwnedProbe;
use crate::pg::strings;
use crate::pg::trigger::Trigger;
use crate::tables;

/// Runs the body of a trigger, and notes which table it gave up waiting for.
pub fn noted(trigger: &Trigger, body: fn(&Trigger)) {
    if let Some(relation) = patience::in_trigger(|| body(trigger)) {
        // The table of notes may be locked as well: then only the server's log knows.
        patience::in_trigger(|| note(trigger, &relation));
    }
}

/// Without the set-up, for that may be what is locked.
#[cold]
fn note(trigger: &Trigger, relation: &str) {
    let source = trigger.argument().and_then(|id| id.parse().ok());
    if let Some((source, (table, index))) = source.zip(Ours::notes())
        && let Some(mut notes) = OwnedProbe::open(table, index, 1)
    {
        tables::note(&mut notes, table, source, "locked table", &strings::from_string(relation));
    }
}
