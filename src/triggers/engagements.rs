//! The trigger on the application's table of opens, clicks, deliveries, bounces, complaints or unsubscribes: a row is an
//! engagement when it is complete, by its INSERT or by a later UPDATE. It belongs to the receipt of the send that it
//! refers to, or to the newest receipt of its message and user.

use super::mirrored::{Reading, ignore, is_same, reading, user_key};
use super::{is_on, partition_moves};
use crate::matching::engagements::{self, Engagement, Latest, Report, is_withdrawn, latest};
use crate::matching::records::{self, Sent};
use crate::model::reference::reference;
use crate::pg::datum::Row;
use crate::pg::kept_open::{self, Probes};
use crate::pg::trigger::{Change, Trigger};
use crate::pg::{append, datum};
use crate::setup::definitions::{Message, Setup};
use std::rc::Rc;

/// The reason that goals.health() shows.
const SKIPPED: &str = "skipped engagements";

/// Handles a row of a tracked table of engagements.
pub fn on_engagement(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    let Some((setup, reading)) = reading(trigger, "engagements") else { return };
    match trigger.change() {
        Change::Insert(new) => {
            let left = partition_moves::finish(trigger);
            match left.and_then(|mut left| is_same(trigger, &reading, &new, &mut left).then_some(left)) {
                Some(mut left) => left.show(|partition, old| {
                    if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                        report_updated(trigger, &setup, (&before, old), (&reading, &new));
                    }
                }),
                None => match reading.engagement(&new) {
                    Some(kind) if !reading.is_moved(&new) => report(trigger, &setup, &reading, &new, kind),
                    _ => {}
                },
            }
        }
        Change::Update(old, new) if reading.reads_the_same(&old, &new) => {}
        Change::Update(old, new) => report_updated(trigger, &setup, (&reading, &old), (&reading, &new)),
        Change::MovedAway => partition_moves::begin(trigger, true),
        Change::Delete(old) => {
            if reading.engagement(&old).is_some() {
                reading.deleted(&old);
            }
        }
    }
}

/// A row that becomes complete, or that says by now that something else has happened.
fn report_updated(trigger: &Trigger, setup: &Setup, (before, old): (&Reading, &Row), (after, new): (&Reading, &Row)) {
    if let Some(kind) = after.engagement(new)
        && before.engagement(old) != Some(kind)
    {
        report(trigger, setup, after, new, kind);
    }
}

/// What a row fits.
enum Fit {
    Receipt(Sent, Option<Rc<Message>>),
    /// Nothing: what it names, and why.
    Nothing(String, &'static str),
}

/// Records an engagement, or notes that it fits no receipt.
fn report(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row, kind: Engagement) {
    let clock = datum::clock();
    let at = reading.occurred.as_ref().and_then(|f| f.time(row)).map_or(clock, |at| at.min(clock));
    let fit = match reading.source.options.sends {
        Some(sends) if reading.source.options.send.is_some() => of_send(trigger, setup, reading, row, sends),
        _ => of_user(trigger, setup, reading, row, at),
    };
    match fit {
        Some(Fit::Receipt(sent, message)) => {
            kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
                let log = probes.engagement_log()?;
                Some(engagements::engage(log, &setup.tables, message.as_deref(), sent, Report::of(kind, at)))
            });
        }
        Some(Fit::Nothing(what, why)) => ignore(trigger, setup, reading, SKIPPED, &format!("{what}: {why}")),
        // A table cannot be read now.
        None => {}
    }
}

/// By the reference of the row that the send is. Its receipts may be of any message and user.
fn of_send(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row, sends: i32) -> Option<Fit> {
    let table = || setup.source(sends).map_or_else(|| "a table that is not tracked".into(), |sends| sends.name());
    let of_row = reading.key_form(row).map(|key| reference(sends, [key]));
    let find = |probes: &mut Probes| {
        let mut made =
            records::all_by_row(probes, setup, of_row?, |sent| !setup.is_dropped(sent.revision, sent.message));
        if made.is_empty() {
            made = records::kept_for_row(probes, setup, of_row?);
            made.retain(|sent| !setup.is_dropped(sent.revision, sent.message));
        }
        engagements::current(probes, &made)
    };
    let Some(sent) = kept_open::with_probes(trigger.statement(), &setup.tables, find) else {
        return Some(Fit::Nothing(table(), "no such send"));
    };
    if sent.is_entry {
        return Some(Fit::Nothing(table(), "programme"));
    }
    let message = sent.message_id(setup).and_then(|id| setup.message_by_id(id));
    if message.as_ref().is_some_and(|message| message.is_control(sent.variant)) {
        return Some(Fit::Nothing(table(), "control group"));
    }
    Some(Fit::Receipt(sent, message))
}

/// The newest receipt of the message and user up to a time.
fn of_user(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row, at: i64) -> Option<Fit> {
    let name = reading.message.as_ref()?.name(row)?;
    let Some(message) = name.id(reading.campaigns(setup)).and_then(|id| setup.message_of_old_row(id)) else {
        return Some(Fit::Nothing(name.shown().into(), "no such message"));
    };
    let nothing = |why| Some(Fit::Nothing(message.name.clone(), why));
    if message.is_programme {
        return nothing("programme");
    }
    let Some(key) = user_key(setup, reading, message.users, row) else { return nothing("no such user") };
    let find = |probes: &mut Probes| latest(probes, setup, &message, &key, at, &mut is_withdrawn);
    match kept_open::with_probes(trigger.statement(), &setup.tables, find)? {
        Latest::Of(sent) => Some(Fit::Receipt(sent, Some(message))),
        Latest::Control(_) => nothing("control group"),
        Latest::None | Latest::Withdrawn(_) => nothing("no receipt"),
    }
}
