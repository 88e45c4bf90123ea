//! The application's own tables of events and of sends: their inserts are events and receipts without a line changed.

use crate::cache::{self, Message, Setup, Source};
use crate::events;
use crate::model::value::Value;
use crate::moves;
use crate::pg::append;
use crate::pg::datum::{self, Row};
use crate::pg::guc;
use crate::pg::relation::{self, Relation};
use crate::pg::strings;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::types::ColumnType;
use crate::pg::users::{self, KeyType, Users};
use crate::receipts::{self, Engagement, Sender, Sent};
use pgrx::pg_sys::{self, Datum, Oid};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

/// A column of a tracked table, as the table at hand has it.
struct Field {
    number: i16,
    column_type: ColumnType,
}

impl Field {
    fn find(table: &Relation, name: Option<&String>) -> Option<Field> {
        let column = table.column(name?)?;
        Some(Field { number: column.number, column_type: ColumnType::resolve(column.type_oid, column.collation) })
    }

    /// Text as a string; None for NULL.
    fn text(&self, row: &Row) -> Option<String> {
        match self.column_type.value(row, self.number) {
            Value::Text(text) => Some(strings::model_to_string(&text)),
            _ => None,
        }
    }

    /// Microseconds; None for NULL and for times that are not finite.
    fn time(&self, row: &Row) -> Option<i64> {
        row.get(self.number).and_then(|d| self.column_type.time(d))
    }
}

/// How a tracked table of events or sends is read.
struct Reading {
    source: Rc<Source>,
    key: Field,
    key_type: KeyType,
    event: Option<Field>,
    message: Option<Field>,
    variant: Option<Field>,
    properties: Option<Field>,
    occurred: Option<Field>,
    opened: Option<Field>,
    clicked: Option<Field>,
}

impl Reading {
    fn of(setup: &Setup, trigger: &Trigger, kind: &str) -> Option<Reading> {
        let source = cache::trigger_source(setup, trigger, kind)?.clone();
        if is_read_above(setup, trigger, &source) {
            return None;
        }
        Reading::of_table(source, &trigger.relation())
    }

    /// Of a table or partition of this source.
    fn of_table(source: Rc<Source>, table: &Relation) -> Option<Reading> {
        let key = Field::find(table, Some(&source.key))?;
        let key_type = key.column_type.key_type()?;
        let find = |name: &Option<String>| Field::find(table, name.as_ref());
        Some(Reading {
            key,
            key_type,
            event: find(&source.event),
            message: find(&source.message),
            variant: find(&source.variant),
            properties: find(&source.properties),
            occurred: find(&source.occurred),
            opened: find(&source.opened),
            clicked: find(&source.clicked),
            source,
        })
    }

    fn key(&self, row: &Row) -> Option<Vec<u8>> {
        row.get(self.key.number).map(|d| self.key_type.text(d))
    }
}

/// Was the table tracked before it became a partition of one that is tracked as well? Then a row is one event, or one send, all
/// the same: it is read for the table above.
fn is_read_above(setup: &Setup, trigger: &Trigger, source: &Source) -> bool {
    let siblings = trigger.siblings();
    let mut others = siblings.iter().filter_map(|id| setup.source(id.parse().ok()?));
    let same_users = |s: &Source| s.kind == "receipts" || s.users_id == source.users_id;
    others.any(|s| {
        s.attached
            && s.kind == source.kind
            && same_users(s)
            && relation::ancestors(source.relation).contains(&s.relation)
    })
}

thread_local! {
    /// How the table whose trigger fired last is read, under which set-up.
    static READING: RefCell<Option<(Oid, Rc<Setup>, Option<Rc<Reading>>)>> = const { RefCell::new(None) };
}

fn reading(trigger: &Trigger, kind: &str) -> Option<(Rc<Setup>, Rc<Reading>)> {
    let setup = cache::setup()?;
    let fresh = cache::tables_are_fresh(trigger.relid());
    let known = READING.with_borrow(|r| match r {
        Some((oid, under, reading)) if fresh && *oid == trigger.oid() && Rc::ptr_eq(under, &setup) => {
            Some(reading.clone())
        }
        _ => None,
    });
    let reading = known.unwrap_or_else(|| {
        let reading = Reading::of(&setup, trigger, kind).map(Rc::new);
        READING.with_borrow_mut(|r| *r = Some((trigger.oid(), setup.clone(), reading.clone())));
        reading
    });
    reading.map(|r| (setup, r))
}

/// A row of a tracked events table.
pub fn on_event(trigger: &Trigger) {
    if !guc::enabled() || append::is_read_only() {
        return;
    }
    let row = match trigger.change() {
        Change::Insert(row) => row,
        Change::MovedAway => return moves::begin(trigger),
        _ => return,
    };
    // An event that moves to another partition does not happen again.
    if moves::finish(trigger).is_some() {
        return;
    }
    let Some((setup, reading)) = reading(trigger, "events") else { return };
    let Some(event) = &reading.event else { return };
    if !setup.waits_for_events(reading.source.users_id) {
        return;
    }
    let Some(name) = event.text(&row) else { return };
    if setup.event_goals(reading.source.users_id, &name).is_empty() {
        return;
    }
    let Some(key) = user_key(&setup, &reading, reading.source.users_id, &row) else { return };
    let clock = datum::clock();
    // A late event counts by its own time; one from the future happened now at the latest.
    let at = reading.occurred.as_ref().and_then(|f| f.time(&row)).map_or(clock, |t| t.min(clock));
    let properties = reading.properties.as_ref().and_then(|f| row.get(f.number).map(|d| (d, f.number)));
    match properties {
        Some((value, number)) => {
            let bytes = row.bytes(number).unwrap_or_default();
            events::occurred(trigger.statement(), reading.source.users_id, &key, &name, Some((value, bytes)), at);
        }
        None => events::occurred(trigger.statement(), reading.source.users_id, &key, &name, None, at),
    }
}

/// The key as the users table spells it: the two tables' columns may be of different types.
fn user_key(setup: &Setup, reading: &Reading, users_id: i32, row: &Row) -> Option<Vec<u8>> {
    let key = reading.key(row)?;
    match setup.source(users_id).and_then(|u| cache::key_type_of(u)) {
        Some(key_type) if key_type != reading.key_type => key_type.canonical(&key),
        _ => Some(key).filter(|key| users::fits(key)),
    }
}

/// A row of a tracked table of sends.
pub fn on_receipt(trigger: &Trigger) {
    if !guc::enabled() || append::is_read_only() {
        return;
    }
    let Some((setup, reading)) = reading(trigger, "receipts") else { return };
    match trigger.change() {
        Change::Insert(new) => match moves::finish(trigger) {
            None => mirror_insert(trigger, &setup, &reading, &new),
            Some(mut old) => old.show(|partition, old| {
                if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                    mirror_update(&setup, (&before, old), (&reading, &new));
                }
            }),
        },
        Change::Update(old, new) => mirror_update(&setup, (&reading, &old), (&reading, &new)),
        Change::MovedAway => moves::begin(trigger),
        Change::Delete => {}
    }
}

fn message_of<'a>(setup: &'a Setup, reading: &Reading, row: &Row) -> Option<&'a Rc<Message>> {
    let name = reading.message.as_ref()?.text(row)?;
    let message = setup.messages.get(&name);
    if message.is_none() {
        ignore(setup, reading, "unknown message", &name);
    }
    message
}

fn mirror_insert(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let Some(message) = message_of(setup, reading, row) else { return };
    let Some(users) = setup.source(message.users_id) else { return };
    let clock = datum::clock();
    let Some(key) = user_key(setup, reading, message.users_id, row) else {
        return ignore(setup, reading, "unknown user", &message.name);
    };
    // Opened without a lock that would have to be waited for; where the table is locked, nothing is known about the user.
    let known = Users::open(users.relation, &users.key, false)
        .and_then(|mut table| receipts::look_up(setup, message, users, &mut table, &key));
    let (stored, judgement) = match known {
        None => (key, receipts::Judgement::unknown(&message.revision)),
        Some(Some(found)) => found,
        Some(None) => return ignore(setup, reading, "unknown user", &message.name),
    };
    let variant = match reading.variant.as_ref().and_then(|f| f.text(row)) {
        Some(name) => match message.variants.iter().chain(&message.control).find(|v| v.name == name) {
            None => return ignore(setup, reading, "unknown variant", &format!("{}: {name}", message.name)),
            found => found,
        },
        None if reading.variant.is_some() => None,
        None => message.assigned(&stored),
    };
    let sent_at = reading.occurred.as_ref().and_then(|f| f.time(row)).map_or(clock, |t| t.min(clock));
    let send = |sender: &Sender| sender.send(&stored, variant, sent_at, &judgement);
    let Some(id) = Sender::with(trigger.statement(), setup, message, send).flatten() else { return };
    if message.is_control(variant.map(|v| v.id)) {
        return;
    }
    for (field, kind) in [(&reading.opened, Engagement::Opened), (&reading.clicked, Engagement::Clicked)] {
        if let Some(at) = field.as_ref().and_then(|f| f.time(row)) {
            receipts::engage(setup, (id, sent_at), kind, at.min(clock));
        }
    }
}

fn mirror_update(setup: &Setup, (before, old): (&Reading, &Row), (after, new): (&Reading, &Row)) {
    let fields =
        [(&before.opened, &after.opened, Engagement::Opened), (&before.clicked, &after.clicked, Engagement::Clicked)];
    for (was, is, kind) in fields {
        let (Some(was), Some(is)) = (was, is) else { continue };
        // The first time only: a later correction of the time is not a second open.
        if let (None, Some(at)) = (old.get(was.number), is.time(new)) {
            let sent_at = |reading: &Reading, row| reading.occurred.as_ref().and_then(|f| f.time(row));
            let sent_at = sent_at(before, old).or_else(|| sent_at(after, new));
            mirror_engagement(setup, (before, old), sent_at, kind, at.min(datum::clock()));
        }
    }
}

/// The receipt is looked for by what the row said before this update, for by that it was made: an application that writes whole rows
/// may bring back a time that it has rounded.
fn mirror_engagement(setup: &Setup, (reading, row): (&Reading, &Row), sent_at: Option<i64>, kind: Engagement, at: i64) {
    let Some(message) = message_of(setup, reading, row) else { return };
    let Some(key) = user_key(setup, reading, message.users_id, row) else { return };
    let receipt = match sent_at {
        Some(sent_at) => mirrored_receipt(setup, message, &key, sent_at.min(datum::clock()), kind),
        None => latest_receipt(setup, message, &key, at.max(datum::clock()), kind),
    };
    if let Some(receipt) = receipt {
        receipts::engage(setup, receipt, kind, at);
    }
}

/// By how much a time of sending may differ from that of its receipt, having lost its last digits on the way through an application:
/// one of whole seconds by a second, one of whole milliseconds by that.
fn precision(sent_at: i64) -> i64 {
    [1_000_000, 1_000].into_iter().find(|unit| sent_at % unit == 0).map_or(0, |unit| unit - 1)
}

/// The receipt that was made for a row with this time of sending, or about it; of several, one that has no such engagement yet. Where
/// there is none, the time has been filled in after the insert: then the newest up to it. None: there is none (any more), or it is one
/// of the control group, who is sent nothing.
fn mirrored_receipt(setup: &Setup, message: &Message, key: &[u8], sent_at: i64, kind: Engagement) -> Option<Sent> {
    let about = precision(sent_at);
    let mut best: Option<((bool, bool, u64), Option<Sent>)> = None;
    receipts::visit_receipts(setup, message, key, sent_at.saturating_add(about), |sent, variant| {
        if sent.1 < sent_at.saturating_sub(about) {
            return ControlFlow::Break(());
        }
        let off = sent.1.abs_diff(sent_at);
        let rank = (off > 0, receipts::is_engaged(setup, sent.0, kind), off);
        if best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, (!message.is_control(variant)).then_some(sent)));
        }
        ControlFlow::Continue(())
    });
    if let Some((_, made)) = best {
        return made;
    }
    latest_receipt(setup, message, key, sent_at, kind)
}

/// The newest receipt up to a time that has no such engagement yet, else the newest: a row is opened once.
fn latest_receipt(setup: &Setup, message: &Message, key: &[u8], until: i64, kind: Engagement) -> Option<Sent> {
    let (mut newest, mut free) = (None, None);
    receipts::visit_receipts(setup, message, key, until, |sent, variant| {
        if message.is_control(variant) {
            return ControlFlow::Continue(());
        }
        newest = newest.or(Some(sent));
        if receipts::is_engaged(setup, sent.0, kind) {
            return ControlFlow::Continue(());
        }
        free = Some(sent);
        ControlFlow::Break(())
    });
    free.or(newest)
}

/// Remembers, once, that a row was left out, for goals.health().
fn ignore(setup: &Setup, reading: &Reading, reason: &str, name: &str) {
    note(setup, reading.source.id, reason, name);
}

/// Remembers, once, why something of a tracked table was not recorded, for goals.health().
pub fn note(setup: &Setup, source_id: i32, reason: &str, name: &str) {
    use crate::pg::append::Appender;
    use crate::pg::scan::{Key, OwnedProbe};
    let Some(mut probe) = OwnedProbe::open(setup.ours.ignored, setup.ours.ignored_source_idx, 1) else { return };
    let key = Key {
        attribute: 1,
        strategy: pg_sys::BTEqualStrategyNumber,
        function: pg_sys::F_INT4EQ,
        value: source_id.into(),
        collation: Oid::INVALID,
    };
    // Of each reason enough to see what is wrong; a name made up for every row must not fill the table.
    const KEPT: usize = 100;
    let (mut known, mut kept) = (false, 0);
    probe.visit(&[key], false, |row| {
        if row.string(2).as_deref() == Some(reason) {
            kept += 1;
            known |= row.string(3).as_deref() == Some(name);
        }
        if known { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if known || kept >= KEPT {
        return;
    }
    if let Some(log) = Appender::open(setup.ours.ignored) {
        let text = |t: &str| -> Option<Datum> { Some(datum::text(&strings::from_string(t))) };
        log.append([Some(source_id.into()), text(reason), text(name), Some(datum::clock().into())]);
    }
}
