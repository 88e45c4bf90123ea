//! The trigger on the application's table of sends. A row becomes a receipt the first time it is complete, by an INSERT or
//! a later UPDATE; a time set later is an open, a click or what else can happen. A time of failing withdraws the receipt;
//! where it is NULL again, the row is a send again, with a receipt of its own. The receipt remembers the primary key of its
//! row, by its reference. A row that is deleted and inserted again, as maintenance of partitions and retries do, is the
//! same send. Two transactions cannot both see themselves as the first: the primary key lets the second insert only after
//! the first has committed, and the lock on the row lets the second update only then; its receipt is then seen.

use super::mirrored::{Field, Reading, ignore, is_same, reading, user_key};
use super::{is_on, partition_moves};
use crate::matching::engagements::{self, Engagement, Report, is_withdrawn};
use crate::matching::judge::{Judgement, look_up};
use crate::matching::person::Person;
use crate::matching::records::{self, LOOKED_AT, Sent};
use crate::matching::send::{self, Delivery, Fate, Sender, arm_of_sent};
use crate::pg::datum::Row;
use crate::pg::kept_open::{self, Probes};
use crate::pg::scan::OwnedProbe;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::user_lookup::Users;
use crate::pg::{append, datum, later_versions};
use crate::setup::definitions::{Arm, Message, Revision, Setup};
use smallvec::SmallVec;
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
                None => {
                    mirror_insert(trigger, &setup, &reading, &new);
                    later_versions::visit(trigger, |old, new| {
                        mirror_update(trigger, &setup, (&reading, old), (&reading, new));
                    });
                }
                Some(mut left) => left.show(|partition, old| {
                    if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                        mirror_update(trigger, &setup, (&before, old), (&reading, &new));
                    }
                }),
            }
        }
        // Most updates of such a table are about other columns.
        Change::Update(old, new) if reading.reads_the_same(&old, &new) => {}
        Change::Update(old, new) => mirror_update(trigger, &setup, (&reading, &old), (&reading, &new)),
        Change::MovedAway => partition_moves::begin(trigger, true),
        Change::Delete(old) => {
            let name = reading.message.as_ref().and_then(|f| f.name(&old));
            let id = name.as_ref().and_then(|name| name.id(reading.campaigns(&setup)));
            if is_sent(&setup, &reading, &old) && id.is_some_and(|id| setup.message_of_row(id).is_some()) {
                reading.deleted(&old);
            }
        }
    }
}

/// A row of a table, and how it is read.
type Place<'a> = (&'a Reading, &'a Row<'a>);

/// True if the row says that a message was sent to a user: it names both, has a time of sending where there is a column
/// for it, has not failed, and is one of those that count. In the SQL of 0.2 the time of sending may be unknown.
fn is_sent(setup: &Setup, reading: &Reading, row: &Row) -> bool {
    let is_known = |field: &Field| row.get(field.number).is_some();
    reading.is_named(row)
        && (reading.dated.as_ref().is_none_or(is_known) || !send::is_current(&setup.tables))
        && !reading.failed.as_ref().is_some_and(is_known)
        && reading.counts(row)
}

fn mirror_insert(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let (is_moved, is_sent) = (reading.is_moved(row), is_sent(setup, reading, row));
    if is_sent && is_moved {
        engage_known(trigger, setup, reading, row);
    } else if is_sent {
        mirror_sent(trigger, setup, (reading, row), None);
    } else if reading.failed.as_ref().is_some_and(|f| row.get(f.number).is_some()) {
        // One that was sent before, under the same primary key.
        let made = made_of(trigger, setup, reading.reference(row), &[(reading, row)]);
        withdraw(trigger, setup, &made);
    } else if times_of(reading).iter().any(|(field, _)| field.is_some_and(|f| row.get(f.number).is_some())) {
        engage_known(trigger, setup, reading, row);
    }
}

/// What happened to the send of a row that is inserted again. It is no new send, whether or not it has a receipt.
fn engage_known(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let Some(message) = message_once(setup, (reading, row)) else { return };
    let made = made_of(trigger, setup, reading.reference(row), &[(reading, row)]);
    let sent = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| engagements::current(probes, &made));
    if let Some(sent) = sent.filter(|sent| !message.is_control(sent.variant)) {
        engage_as_inserted(trigger, setup, &message, (reading, row), sent, true);
    }
}

fn message_of(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) -> Option<Rc<Message>> {
    let name = reading.message.as_ref()?.name(row)?;
    let message = name.id(reading.campaigns(setup)).and_then(|id| setup.message_of_row(id));
    if message.is_none() {
        ignore(trigger, setup, reading, "unknown message", name.shown());
    }
    message
}

/// The message that the row names, perhaps by the name that it had when the row was written.
fn message_once(setup: &Setup, (reading, row): Place) -> Option<Rc<Message>> {
    let name = reading.message.as_ref()?.name(row)?;
    setup.message_of_old_row(name.id(reading.campaigns(setup))?)
}

/// The message that a row names, and the key of its user, if it is known.
type NamedByRow = (Rc<Message>, Option<Vec<u8>>);

/// The receipts that were made from the row with this reference, oldest first. `places`: what it names or has named.
fn made_of(trigger: &Trigger, setup: &Setup, reference: Option<i64>, places: &[Place]) -> SmallVec<[Sent; 1]> {
    let Some(reference) = reference else { return SmallVec::new() };
    let named: SmallVec<[NamedByRow; 2]> = places
        .iter()
        .filter_map(|(reading, row)| {
            let message = message_once(setup, (reading, row))?;
            let key = user_key(setup, reading, message.users, row);
            // Who is named by another column may have got another value of it since.
            (key.is_some() || reading.source.options.user_by.is_some()).then_some((message, key))
        })
        .collect();
    let named: SmallVec<[records::Named; 2]> =
        named.iter().map(|(message, key)| (&**message, key.as_deref())).collect();
    kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        records::all_of_row(probes, setup, reference, &named)
    })
}

/// Makes a receipt of a row that has been sent. `known`: its receipts, where they have been looked for; all of them are
/// withdrawn.
fn mirror_sent(trigger: &Trigger, setup: &Setup, (reading, row): Place, known: Option<&[Sent]>) {
    let Some(message) = &message_of(trigger, setup, reading, row) else { return };
    let Some(users) = setup.source(message.users) else { return };
    let clock = datum::clock();
    let Some(key) = user_key(setup, reading, message.users, row) else {
        return ignore(trigger, setup, reading, "unknown user", &message.name);
    };
    // Does not wait for a lock: if the table is locked, nothing is known about the user.
    let look = |revision: &Revision| {
        Users::open(users.relation, &users.key, false)
            .and_then(|mut table| look_up(setup, revision, users, &mut table, &key))
    };
    let (stored, judgement) = match look(&message.revision) {
        None => (key.clone(), Judgement::unknown(&message.revision)),
        Some(Some(found)) => found,
        Some(None) => return ignore(trigger, setup, reading, "unknown user", &message.name),
    };
    let reference = reading.reference(row);
    if let Some(of_row) = reference.filter(|_| known.is_none())
        && let Some(sent) = kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
            let made = records::all_of_row(probes, setup, of_row, &[(message, Some(&stored))]);
            // Inserted again, it may be sent again after it has failed.
            if reading.failed.is_some() {
                engagements::last_sent(probes, &made)
            } else {
                engagements::current(probes, &made)
            }
        })
    {
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
        look(revision).flatten().map_or_else(|| Judgement::unknown(revision), |(_, judgement)| judgement)
    };
    let send = |sender: &mut Sender| sender.record(&delivery, reference, &mut judge);
    let Some(made) = Sender::of_rows(trigger.statement(), setup, message, send).flatten() else { return };
    if let Some(id) = made.receipt_id.filter(|_| fate == Fate::Sent && !made.repeated) {
        let (users, revision, variant, held_out) = (message.users, message.revision.id, made.variant, made.held_out);
        let (row_ref, is_entry, of_message) = (reference, message.is_programme, message.id_in_receipts());
        let sent = Sent { id, sent_at, users, revision, variant, message: of_message, row_ref, held_out, is_entry };
        engage_as_inserted(trigger, setup, message, (reading, row), sent, false);
    }
}

/// Records that the messages of these receipts were not sent, as goals.withdraw() does.
fn withdraw(trigger: &Trigger, setup: &Setup, made: &[Sent]) {
    let report = Report::of(Engagement::Withdrawn, datum::clock());
    kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        for sent in made {
            // Who is in a control group was sent nothing, and an entry is no message.
            let message = sent.message_id(setup).and_then(|id| setup.message_by_id(id));
            let is_control = message.is_some_and(|message| message.is_control(sent.variant));
            if !sent.is_entry && !is_control && !is_withdrawn(probes.engagements()?, sent.id) {
                engagements::engage(probes.engagement_log()?, &setup.tables, None, *sent, report);
            }
        }
        Some(())
    });
}

/// A send that has failed: withdraws the receipts of its row. A receipt that was not made from a primary key is found by
/// what the row was until now.
fn mirror_failure(trigger: &Trigger, setup: &Setup, before: Place, after: Place, reference: Option<i64>) {
    let mut made = made_of(trigger, setup, reference, &[before, after]);
    let (reading, row) = before;
    if made.is_empty()
        && is_sent(setup, reading, row)
        && let Some(message) = &message_once(setup, before)
        && let Some(key) = user_key(setup, reading, message.users, row)
    {
        let sent_at = reading.occurred.as_ref().and_then(|f| f.time(row));
        made.extend(kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
            let person = Person::of(probes, message.users, &key, None)?;
            let (receipts, engagements) = probes.receipts_and_engagements()?;
            let kind = Engagement::Withdrawn;
            Search { setup, message, person: &person, kind, receipts, engagements }.made_at(sent_at)
        }));
    }
    withdraw(trigger, setup, &made);
}

/// The columns with the times of what can happen to a send.
fn times_of(reading: &Reading) -> [(Option<&Field>, Engagement); 6] {
    [
        (reading.delivered.as_ref(), Engagement::Delivered),
        (reading.bounced.as_ref(), Engagement::Bounced),
        (reading.opened.as_ref(), Engagement::Opened),
        (reading.clicked.as_ref(), Engagement::Clicked),
        (reading.complained.as_ref(), Engagement::Complained),
        (reading.unsubscribed.as_ref(), Engagement::Unsubscribed),
    ]
}

/// Records what has happened to a row when it becomes a receipt, on its receipt. Of a row that is inserted again, only
/// what is earlier than what is recorded.
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
    for (field, kind) in times_of(reading) {
        let Some(at) = field.and_then(|f| f.time(row)).map(|at| at.min(clock)) else { continue };
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

/// The receipt of a row whose primary key changes is known by the new one as well: by the references of both. So is that
/// of a row that names another message or user, by the same reference.
fn follow(trigger: &Trigger, setup: &Setup, before: Place, (was, is): (i64, i64)) {
    let made = made_of(trigger, setup, Some(was), &[before]);
    kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
        let sent = engagements::current(probes, &made)?;
        if records::kept_for_row(probes, setup, is).iter().all(|kept| kept.id != sent.id) {
            records::keep_reference(probes.reference_log()?, sent.id, is, None);
        }
        Some(())
    });
}

fn mirror_update(trigger: &Trigger, setup: &Setup, (before, old): Place, (after, new): Place) {
    // Most updates need no reference.
    let reference = LazyCell::new(|| before.reference(old));
    let is_renamed = after.names_another(new, before, old);
    if (is_renamed || !after.has_key_of(new, before, old))
        && let (Some(was), Some(is)) = (*reference, after.reference(new))
        && (was != is || is_renamed)
    {
        follow(trigger, setup, (before, old), (was, is));
    }
    let has_failed =
        |reading: &Reading, row: &Row| reading.failed.as_ref().is_some_and(|f| row.get(f.number).is_some());
    if has_failed(after, new) && !has_failed(before, old) {
        mirror_failure(trigger, setup, (before, old), (after, new), *reference);
    }
    let was_sent = is_sent(setup, before, old);
    if !was_sent && is_sent(setup, after, new) {
        let names: &[Place] = if is_renamed { &[(before, old), (after, new)] } else { &[(before, old)] };
        let made = made_of(trigger, setup, *reference, names);
        let last = |probes: &mut Probes| engagements::last_sent(probes, &made);
        if made.is_empty() || kept_open::with_probes(trigger.statement(), &setup.tables, last).is_none() {
            return mirror_sent(trigger, setup, (after, new), Some(&made));
        }
    }
    for ((was, kind), (is, _)) in times_of(before).into_iter().zip(times_of(after)) {
        let (Some(was), Some(is)) = (was, is) else { continue };
        let Some(at) = is.time(new) else { continue };
        // When the time is first set, or corrected to an earlier one: a later correction is not a second open, unless
        // the earlier time was that of a machine.
        let known = was.time(old);
        let is_earlier = known.is_some_and(|known| at + precision(at) < known);
        let instead_of = known.filter(|known| !is_earlier && at > *known);
        if is_earlier || instead_of.is_some() || !was.is_set(old) {
            let report = Report::of(kind, at.min(datum::clock()));
            let sent_at = was_sent.then(|| {
                let sent_at = |reading: &Reading, row| reading.occurred.as_ref().and_then(|f| f.time(row));
                sent_at(before, old).or_else(|| sent_at(after, new))
            });
            mirror_engagement(trigger, setup, (before, old), (*reference, sent_at), report, instead_of);
        }
    }
}

/// Records the engagement on the receipt of the row. Where none was made from its primary key, it is found by the row's
/// old values, because the receipt was made from them. An application that writes whole rows may write back a rounded
/// time. `sent_at`: when the row was sent, if it was sent before this update and if that is known. `instead_of`: an
/// earlier time that the row had before; the new one counts only if that was a machine's.
fn mirror_engagement(
    trigger: &Trigger,
    setup: &Setup,
    place: Place,
    (reference, sent_at): (Option<i64>, Option<Option<i64>>),
    report: Report,
    instead_of: Option<i64>,
) {
    let message = message_once(setup, place);
    if message.as_ref().is_some_and(|m| m.is_programme || instead_of.is_some() && m.engagement_after.is_none()) {
        return;
    }
    let tables = &setup.tables;
    let made = made_of(trigger, setup, reference, &[place]);
    kept_open::with_probes(trigger.statement(), tables, |probes| {
        if let Some(sent) = engagements::current(probes, &made) {
            // The message of its receipt, whatever the row names now.
            let of_receipt = sent.message_id(setup).and_then(|id| setup.message_by_id(id));
            let message = of_receipt.as_deref();
            let is_control = message.is_some_and(|message| message.is_control(sent.variant));
            if !sent.is_entry && !is_control && counts(report, instead_of, message, &sent) {
                engagements::engage(probes.engagement_log()?, tables, message, sent, report);
            }
            return Some(());
        }
        let (message, (reading, row)) = (message.as_deref()?, place);
        let key = user_key(setup, reading, message.users, row)?;
        let person = Person::of(probes, message.users, &key, None)?;
        let (receipts, engagements) = probes.receipts_and_engagements()?;
        let mut search = Search { setup, message, person: &person, kind: report.kind, receipts, engagements };
        let receipt = match sent_at? {
            Some(sent_at) => search.mirrored(sent_at.min(datum::clock())),
            None => search.latest(report.at.max(datum::clock())),
        };
        let sent = receipt.filter(|sent| counts(report, instead_of, Some(message), sent))?;
        engagements::engage(probes.engagement_log()?, tables, Some(message), sent, report);
        Some(())
    });
}

/// True if a report counts that takes the place of an earlier time, if any: only that of a person does, after a
/// machine's.
fn counts(report: Report, instead_of: Option<i64>, message: Option<&Message>, sent: &Sent) -> bool {
    let of_machine = |at| Report { at, ..report }.is_of_machine(message, *sent);
    instead_of.is_none_or(|was| of_machine(was) && !of_machine(report.at))
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

    /// The receipt of a row without primary key with this time of sending, or nearest to it; without a time, the newest.
    /// None if that is withdrawn, or was made from a row with a primary key.
    fn made_at(&mut self, sent_at: Option<i64>) -> Option<Sent> {
        let clock = datum::clock();
        let about = sent_at.map_or(0, precision);
        let sent_at = sent_at.map(|at| at.min(clock));
        let mut best: Option<(u64, Sent)> = None;
        self.visit(sent_at.unwrap_or(clock).saturating_add(about), |is_engaged, sent, control| {
            let off = sent_at.map_or(0, |at| sent.sent_at.abs_diff(at));
            if sent_at.is_some_and(|at| sent.sent_at < at.saturating_sub(about)) {
                return ControlFlow::Break(());
            }
            let fits = !control && sent.row_ref.is_none() && best.is_none_or(|(least, _)| off < least);
            if fits && !is_engaged(sent.id, Engagement::Withdrawn) {
                best = Some((off, sent));
            }
            if best.is_some_and(|(least, _)| least == 0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        best.map(|(_, sent)| sent)
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
