//! The trigger on the application's table of events: an INSERT is an event.

use super::mirrored::{Name, is_same, reading, user_key};
use super::{is_on, partition_moves};
use crate::matching::event::occurred;
use crate::matching::matches::{Happening, Time};
use crate::pg::command::Command;
use crate::pg::datum::Row;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::{append, datum};

/// Handles a row of a tracked events table.
pub fn on_event(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    let row = match trigger.change() {
        Change::Insert(row) => row,
        Change::MovedAway => return partition_moves::begin(trigger, true),
        Change::Delete(row) => return note_deleted(trigger, &row),
        Change::Update(..) => return,
    };
    let left = partition_moves::finish(trigger);
    let Some((setup, reading)) = reading(trigger, "events") else { return };
    if !reading.counts(&row) {
        return;
    }
    // An event that moves to another partition does not happen again.
    if left.is_some_and(|mut left| is_same(trigger, &reading, &row, &mut left)) {
        return;
    }
    // Neither does one that the transaction has deleted and inserts again.
    if reading.is_moved(&row) {
        return;
    }
    let Some(event) = &reading.event else { return };
    if !setup.waits_for_events(reading.source.users) {
        return;
    }
    let Some(Name::Of(name)) = event.name(&row) else { return };
    if setup.event_goals(reading.source.users, &name).is_empty() {
        return;
    }
    let Some(key) = user_key(&setup, &reading, reading.source.users, &row) else { return };
    // A late event counts by its own time; a future time is taken as now.
    let own = reading.occurred.as_ref().and_then(|f| f.time(&row));
    let at = own.map_or(Time::OfEvent, |t| Time::Own(t.min(datum::clock())));
    let properties = reading.properties.as_ref().and_then(|f| row.get(f.number).map(|d| (d, f.number)));
    let properties = properties.map(|(value, number)| (value, row.bytes(number).unwrap_or_default()));
    let happening = Happening {
        users: reading.source.users,
        key: &key,
        at,
        command: Command::of_change(trigger),
        cause: reading.reference(&row),
    };
    occurred(trigger.statement(), happening, &name, properties);
}

/// Remembers an event that is deleted, if a goal waits for such.
fn note_deleted(trigger: &Trigger, row: &Row) {
    let Some((setup, reading)) = reading(trigger, "events") else { return };
    if setup.waits_for_events(reading.source.users)
        && let Some(Name::Of(name)) = reading.event.as_ref().and_then(|f| f.name(row))
        && !setup.event_goals(reading.source.users, &name).is_empty()
    {
        reading.deleted(row);
    }
}
