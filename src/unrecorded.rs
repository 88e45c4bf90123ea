//! What a trigger could not record, because a table of the extension was locked for longer than it waits: noted for goals.health().

use crate::cache;
use crate::pg::patience;
use crate::pg::trigger::Trigger;
use crate::tables;

/// Runs the body of a trigger, and notes which table it gave up waiting for.
pub fn noted(trigger: &Trigger, body: fn(&Trigger)) {
    if let Some(relation) = patience::in_trigger(|| body(trigger)) {
        // The table of notes may be locked as well: then only the server's log knows.
        patience::in_trigger(|| note(trigger, &relation));
    }
}

#[cold]
fn note(trigger: &Trigger, relation: &str) {
    let Some(setup) = cache::setup() else { return };
    let source = trigger.argument().and_then(|id| id.parse().ok()).and_then(|id| setup.source(id));
    if let Some(source) = source {
        tables::note(&setup, source.id, "locked table", relation);
    }
}
