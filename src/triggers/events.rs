//! The trigger on the application's table of events. A row is an event when it is inserted; or, if a column or a
//! condition decides, when it becomes complete, by an INSERT or UPDATE. With a primary key the first time that is on
//! record counts: the match remembers the reference of the row.

use super::mirrored::{Reading, is_same, reading, user_key};
use super::own_columns::OwnColumns;
use super::{is_on, partition_moves};
use crate::matching::event::{Document, Properties, occurred};
use crate::matching::matches::{Happening, Time};
use crate::pg::command::Command;
use crate::pg::datum::Row;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::{append, datum};
use crate::setup::definitions::Setup;
use std::borrow::Cow;

/// Handles a row of a tracked events table.
pub fn on_event(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    let change = trigger.change();
    let left = match change {
        Change::MovedAway => return partition_moves::begin(trigger, true),
        Change::Insert(_) => partition_moves::finish(trigger),
        _ => None,
    };
    let Some((setup, reading)) = reading(trigger, "events") else { return };
    match change {
        Change::Insert(row) => {
            match left.and_then(|mut left| is_same(trigger, &reading, &row, &mut left).then_some(left)) {
                Some(mut left) => left.show(|partition, old| {
                    if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                        on_update(trigger, &setup, (&before, old), (&reading, &row));
                    }
                }),
                None if reading.is_complete(&row) => happened(trigger, &setup, &reading, &row),
                None => {}
            }
        }
        Change::Update(old, new) => on_update(trigger, &setup, (&reading, &old), (&reading, &new)),
        Change::Delete(row) => note_deleted(&setup, &reading, &row),
        Change::MovedAway => {}
    }
}

/// A row that was no event, and has become one by an update that may have moved it to another partition.
fn on_update(trigger: &Trigger, setup: &Setup, (before, old): (&Reading, &Row), (after, new): (&Reading, &Row)) {
    if after.is_awaited() && after.is_complete(new) && !before.is_complete(old) {
        happened(trigger, setup, after, new);
    }
}

/// The name of the event in a row, if a goal waits for it.
fn awaited_name<'a>(setup: &Setup, reading: &'a Reading, row: &Row) -> Option<Cow<'a, str>> {
    let users = reading.source.users;
    if !setup.waits_for_events(users) {
        return None;
    }
    let name = match (&reading.source.options.named, &reading.event) {
        (Some(name), _) => Cow::Borrowed(name.as_str()),
        (None, event) => Cow::Owned(event.as_ref()?.name(row)?.known()?),
    };
    (!setup.event_goals(users, &name).is_empty()).then_some(name)
}

/// Records the event of a row.
fn happened(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let Some(name) = awaited_name(setup, reading, row) else { return };
    // An event that the transaction has deleted and inserts again does not happen again.
    if reading.is_moved(row) {
        return;
    }
    let Some(key) = user_key(setup, reading, reading.source.users, row) else { return };
    // A late event counts by its own time; a future time is taken as now.
    let own = reading.time_of_event(row);
    let at = own.map_or(Time::OfEvent, |t| Time::Own(t.min(datum::clock())));
    let happening = Happening {
        users: reading.source.users,
        key: &key,
        at,
        command: Command::of_change(trigger),
        cause: reading.reference(row),
        once: reading.is_awaited(),
    };
    if reading.source.properties.is_none() {
        let own = OwnColumns { places: &reading.places, table: &trigger.relation(), row };
        return occurred(trigger.statement(), happening, &name, Some(&own));
    }
    let given = reading.properties.as_ref().and_then(|field| {
        Some(Document { whole: row.get(field.number)?, bytes: row.bytes(field.number).unwrap_or_default() })
    });
    occurred(trigger.statement(), happening, &name, given.as_ref().map(|given| given as &dyn Properties));
}

/// Remembers an event that is deleted, if a goal waits for such.
fn note_deleted(setup: &Setup, reading: &Reading, row: &Row) {
    if reading.is_complete(row) && awaited_name(setup, reading, row).is_some() {
        reading.deleted(row);
    }
}
