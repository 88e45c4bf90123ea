//! The trigger on the application's table of sends: an INSERT makes a receipt, a time set later an open or a click. The
//! receipt remembers the primary key of its row, by its reference. A row that is deleted and inserted again, as
//! maintenance of partitions and retries do, is the same send. Two transactions cannot both see themselves as the first:
//! the primary key lets the second insert only after the first has committed, and then its receipt is seen.

use super::mirrored::{Name, Reading, is_same, reading, user_key};
use super::{is_on, partition_moves};
use crate::matching::engagements::{self, Engagement, Report};
use crate::matching::judge::{Judgement, look_up};
use crate::matching::person::Person;
use crate::matching::records::{self, LOOKED_AT, Sent};
use crate::matching::send::{self, Delivery, Fate, Sender, arm_of_sent};
use crate::pg::datum::Row;
use crate::pg::encoding;
use crate::pg::kept_open;
use crate::pg::scan::OwnedProbe;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::user_lookup::Users;
use crate::pg::{append, datum};
use crate::setup::definitions::{Arm, Message, Revision, Setup};
use std::cell::LazyCell;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Handles a row of a tracked table of sends.
pub fn on_receipt(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return partition_moves::pass_over(trigger);
    }
    let Some((setup, reading)) = reading(trigger, "receipts") else { return };
    match trigger.change() {
        Change::Insert(new) => {
            let left = partition_moves::finish(trigger);
            match left.and_then(|mut left| is_same(trigger, &reading, &new, &mut left).then_some(left)) {
                None if reading.is_moved(&new) => mirror_moved(trigger, &setup, &reading, &new),
                None => mirror_insert(trigger, &setup, &reading, &new),
                Some(mut left) => left.show(|partition, old| {
                    if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                        mirror_update(trigger, &setup, (&before, old), (&reading, &new));
                    }
                }),
            }
        }
        Change::Update(old, new) => mirror_update(trigger, &setup, (&reading, &old), (&reading, &new)),
        Change::MovedAway => partition_moves::begin(trigger, true),
        Change::Delete(old) => {
            let name = reading.message.as_ref().and_then(|f| f.name(&old));
            if name.as_ref().and_then(Name::as_str).is_some_and(|name| setup.message_of_row(name).is_some()) {
                reading.deleted(&old);
            }
        }
    }
}

/// A row that the transaction has deleted and inserts again is no new send, whether or not it has a receipt. Its opens
/// and clicks may have been made earlier.
fn mirror_moved(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let Some(message) = message_of(trigger, setup, reading, row) else { return };
    let Some(key) = user_key(setup, reading, message.users, row) else { return };
    let Some(reference) = reading.reference(row) else { return };
    let known = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        records::find_by_reference(probes, setup, message, &key, reference)
    });
    if let Some(sent) = known.filter(|sent| !message.is_control(sent.variant)) {
        engage_as_inserted(trigger, setup, message, (reading, row), sent, true);
    }
}

fn message_of<'a>(trigger: &Trigger, setup: &'a Setup, reading: &Reading, row: &Row) -> Option<&'a Rc<Message>> {
    let name = reading.message.as_ref()?.name(row)?;
    let message = name.as_str().and_then(|name| setup.message_of_row(name));
    if message.is_none() {
        ignore(trigger, setup, reading, "unknown message", name.shown());
    }
    message
}

fn mirror_insert(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let Some(message) = message_of(trigger, setup, reading, row) else { return };
    let Some(users) = setup.source(message.users) else { return };
    let clock = datum::clock();
    let Some(key) = user_key(setup, reading, message.users, row) else {
        return ignore(trigger, setup, reading, "unknown user", &message.name);
    };
    // Does not wait for a lock: if the table is locked, nothing is known about the user.
    let known = |revision: &Revision| {
        Users::open(users.relation, &users.key, false)
            .and_then(|mut table| look_up(setup, revision, users, &mut table, &key))
    };
    let (stored, judgement) = match known(&message.revision) {
        None => (key.clone(), Judgement::unknown(&message.revision)),
        Some(Some(found)) => found,
        Some(None) => return ignore(trigger, setup, reading, "unknown user", &message.name),
    };
    let reference = reading.reference(row);
    if let Some(sent) = reference.and_then(|of_row| {
        kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
            records::find_by_reference(probes, setup, message, &stored, of_row)
        })
    }) {
        if !message.is_control(sent.variant) {
            engage_as_inserted(trigger, setup, message, (reading, row), sent, true);
        }
        return;
    }
    let mut fate = Fate::Sent;
    let arm = match reading.variant.as_ref().and_then(|f| f.name(row)) {
        Some(name) if name.as_str().is_some_and(|name| send::says_held_out(message, name)) => {
            fate = Fate::HeldOut;
            Arm::default()
        }
        Some(name) => {
            let found = message.arms().find(|v| Some(v.name.as_str()) == name.as_str());
            if found.is_none() {
                let shown = format!("{}: {}", message.name, name.shown());
                return ignore(trigger, setup, reading, "unknown variant", &shown);
            }
            found.into()
        }
        None if reading.source.variant.is_some() => Arm::default(),
        None => arm_of_sent(setup, message, &send::first_known(trigger.statement(), setup, message, &stored)),
    };
    if message.is_control(arm.variant.map(|v| v.id)) {
        fate = Fate::Assigned;
    }
    let sent_at = reading.occurred.as_ref().and_then(|f| f.time(row)).map_or(clock, |t| t.min(clock));
    let delivery = Delivery { key: &stored, arm, fate, sent_at, judgement: &judgement };
    let mut judge = |revision: &Revision| {
        known(revision).flatten().map_or_else(|| Judgement::unknown(revision), |(_, judgement)| judgement)
    };
    let send = |sender: &mut Sender| sender.record(&delivery, reference, &mut judge);
    let Some(made) = Sender::of_rows(trigger.statement(), setup, message, send).flatten() else { return };
    if let Some(id) = made.receipt_id.filter(|_| fate == Fate::Sent && !made.repeated) {
        let (users, revision, variant, held_out) = (message.users, message.revision.id, made.variant, made.held_out);
        let (row_ref, is_entry) = (reference, message.is_programme);
        let sent = Sent { id, sent_at, users, revision, variant, message: None, row_ref, held_out, is_entry };
        engage_as_inserted(trigger, setup, message, (reading, row), sent, false);
    }
}

/// Records the opens and clicks that an inserted row has from the start, on its receipt. Of a row that is inserted
/// again, only those that are earlier than what is recorded.
fn engage_as_inserted(
    trigger: &Trigger,
    setup: &Setup,
    message: &Message,
    (reading, row): (&Reading, &Row),
    sent: Sent,
    again: bool,
) {
    if sent.is_entry {
        return;
    }
    let clock = datum::clock();
    for (field, kind) in [(&reading.opened, Engagement::Opened), (&reading.clicked, Engagement::Clicked)] {
        let Some(at) = field.as_ref().and_then(|f| f.time(row)).map(|at| at.min(clock)) else { continue };
        let (report, tables) = (Report::of(kind, at), &setup.tables);
        kept_open::with_probes(trigger.statement(), tables, |probes| {
            let machine = report.is_of_machine(Some(message), sent);
            let earliest = |log| engagements::earliest(log, tables, sent.id, kind, machine);
            let known = if again { earliest(probes.engagements()?) } else { None };
            if known.is_none_or(|known| report.time(sent) < known) {
                engagements::engage(probes.engagement_log()?, tables, Some(message), sent, report);
            }
            Some(())
        });
    }
}

/// The receipt of a row whose primary key changes is known by the new one as well: by the references of both.
fn follow_key(trigger: &Trigger, setup: &Setup, (before, old): (&Reading, &Row), (was, is): (i64, i64)) {
    let name = before.message.as_ref().and_then(|f| f.name(old));
    let message = name.as_ref().and_then(Name::as_str).and_then(|name| setup.message_of_old_row(name));
    let Some((message, key)) = message.and_then(|m| Some((m, user_key(setup, before, m.users, old)?))) else { return };
    kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        let sent = records::find_by_reference(probes, setup, message, &key, was)?;
        records::keep_reference(probes.reference_log()?, sent.id, is, None);
        Some(())
    });
}

fn mirror_update(trigger: &Trigger, setup: &Setup, (before, old): (&Reading, &Row), (after, new): (&Reading, &Row)) {
    // Most updates need no reference.
    let reference = LazyCell::new(|| before.reference(old));
    if !after.has_key_of(new, before, old)
        && let (Some(was), Some(is)) = (*reference, after.reference(new))
        && was != is
    {
        follow_key(trigger, setup, (before, old), (was, is));
    }
    let fields =
        [(&before.opened, &after.opened, Engagement::Opened), (&before.clicked, &after.clicked, Engagement::Clicked)];
    for (was, is, kind) in fields {
        let (Some(was), Some(is)) = (was, is) else { continue };
        let Some(at) = is.time(new) else { continue };
        // When the time is first set, or corrected to an earlier one: a later correction is not a second open, unless
        // the earlier time was that of a machine.
        let known = was.time(old);
        let is_earlier = known.is_some_and(|known| at + precision(at) < known);
        let instead_of = known.filter(|known| !is_earlier && at > *known);
        if is_earlier || instead_of.is_some() || old.get(was.number).is_none() {
            let sent_at = |reading: &Reading, row| reading.occurred.as_ref().and_then(|f| f.time(row));
            let sent_at = sent_at(before, old).or_else(|| sent_at(after, new));
            let report = Report::of(kind, at.min(datum::clock()));
            mirror_engagement(trigger, setup, (before, old), (*reference, sent_at), report, instead_of);
        }
    }
}

/// Records the engagement on the receipt of the row. Where none was made from its primary key, it is found by the row's
/// old values, because the receipt was made from them. An application that writes whole rows may write back a rounded
/// time. `instead_of`: an earlier time that the row had before; the new one counts only if that was a machine's.
fn mirror_engagement(
    trigger: &Trigger,
    setup: &Setup,
    (reading, row): (&Reading, &Row),
    (reference, sent_at): (Option<i64>, Option<i64>),
    report: Report,
    instead_of: Option<i64>,
) {
    // A row may still carry the name that the message had when it was sent.
    let name = reading.message.as_ref().and_then(|f| f.name(row));
    let Some(message) = name.as_ref().and_then(Name::as_str).and_then(|name| setup.message_of_old_row(name)) else {
        return;
    };
    if message.is_programme || instead_of.is_some() && message.engagement_after.is_none() {
        return;
    }
    let Some(key) = user_key(setup, reading, message.users, row) else { return };
    let tables = &setup.tables;
    let of_machine = |at, sent| Report { at, ..report }.is_of_machine(Some(message), sent);
    let counts = |sent: &Sent| instead_of.is_none_or(|was| of_machine(was, *sent) && !of_machine(report.at, *sent));
    kept_open::with_probes(trigger.statement(), tables, |probes| {
        let of_row = reference.and_then(|r| records::find_by_reference(probes, setup, message, &key, r));
        if let Some(sent) = of_row {
            if !message.is_control(sent.variant) && counts(&sent) {
                engagements::engage(probes.engagement_log()?, tables, Some(message), sent, report);
            }
            return Some(());
        }
        let person = Person::of(probes, message.users, &key, None)?;
        let (receipts, engagements) = probes.receipts_and_engagements()?;
        let mut search = Search { setup, message, person: &person, kind: report.kind, receipts, engagements };
        let receipt = match sent_at {
            Some(sent_at) => search.mirrored(sent_at.min(datum::clock())),
            None => search.latest(report.at.max(datum::clock())),
        };
        let sent = receipt.filter(counts)?;
        engagements::engage(probes.engagement_log()?, tables, Some(message), sent, report);
        Some(())
    });
}

/// By how much a time of sending may differ from that of its receipt, because an application rounded it: almost a
/// second for whole seconds, almost a millisecond for whole milliseconds, else nothing.
fn precision(sent_at: i64) -> i64 {
    [1_000_000, 1_000].into_iter().find(|unit| sent_at % unit == 0).map_or(0, |unit| unit - 1)
}

/// Tells whether a receipt has an engagement of some kind.
type IsEngaged<'a> = &'a mut dyn FnMut(i64, Engagement) -> bool;

/// A search for the receipt that a row's open or click belongs to.
struct Search<'a, 'p> {
    setup: &'a Setup,
    message: &'a Message,
    person: &'a Person<'p>,
    kind: Engagement,
    receipts: &'a mut OwnedProbe,
    engagements: &'a mut OwnedProbe,
}

impl Search<'_, '_> {
    /// The receipt made for a row with this time of sending, or nearest to it; of several, one without such an
    /// engagement. If there is none, the time was set after the insert: then the newest receipt up to it. None if there
    /// is no receipt, or if it is of the control group, which is sent nothing.
    fn mirrored(&mut self, sent_at: i64) -> Option<Sent> {
        let (about, kind) = (precision(sent_at), self.kind);
        let mut best: Option<((bool, bool, u64), Option<Sent>)> = None;
        self.visit(sent_at.saturating_add(about), |is_engaged, sent, control| {
            if sent.sent_at < sent_at.saturating_sub(about) {
                return ControlFlow::Break(());
            }
            let off = sent.sent_at.abs_diff(sent_at);
            let rank = (off > 0, is_engaged(sent.id, kind), off);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, (!control).then_some(sent)));
            }
            // No receipt ranks higher.
            if rank == (false, false, 0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match best {
            Some((_, made)) => made,
            None => self.latest(sent_at),
        }
    }

    /// The newest receipt up to a time that has no such engagement yet and is not withdrawn, else the newest that has
    /// one.
    fn latest(&mut self, until: i64) -> Option<Sent> {
        let (mut newest, mut free, kind) = (None, None, self.kind);
        self.visit(until, |is_engaged, sent, control| {
            if control {
                return ControlFlow::Continue(());
            }
            if is_engaged(sent.id, kind) {
                newest = newest.or(Some(sent));
                return ControlFlow::Continue(());
            }
            if is_engaged(sent.id, Engagement::Withdrawn) {
                return ControlFlow::Continue(());
            }
            free = Some(sent);
            ControlFlow::Break(())
        });
        free.or(newest)
    }

    /// Calls `see` with the receipts up to a time, newest first, until it stops. `see` gets a function that tells
    /// whether a receipt has an engagement of some kind, the receipt, and whether it is of the control group.
    fn visit(&mut self, until: i64, mut see: impl FnMut(IsEngaged, Sent, bool) -> ControlFlow<()>) {
        let Search { setup, message, person, receipts, engagements: log, .. } = self;
        let mut left = LOOKED_AT;
        let mut is_engaged = |receipt_id, kind| match kind {
            Engagement::Withdrawn => engagements::is_withdrawn(log, receipt_id),
            _ => engagements::is_engaged(log, &setup.tables, receipt_id, kind),
        };
        records::visit_receipts_until(receipts, setup, message, person, until, |sent| {
            left -= 1;
            let seen = see(&mut is_engaged, sent, message.is_control(sent.variant));
            if left == 0 { ControlFlow::Break(()) } else { seen }
        });
    }
}

/// Notes once, for goals.health(), that a row was ignored. `name` is at most as long as the names of a message and a
/// variant.
fn ignore(trigger: &Trigger, setup: &Setup, reading: &Reading, reason: &'static str, name: &str) {
    let (source, name) = (reading.source.id, encoding::from_string(name));
    kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        let Some((ignored, known)) = probes.ignored() else { return };
        let this = (source, reason, Some(name.to_vec()));
        let enough = (source, reason, None);
        if known.contains(&this) || known.contains(&enough) {
            return;
        }
        known.insert(if records::note(ignored, setup.tables.ignored, source, reason, &name) { this } else { enough });
    });
}
