//! The application's own tables of events and of sends: their inserts are events and receipts without a line changed.

use crate::cache::{self, Message, Setup, Source};
use crate::events;
use crate::model::value::Value;
use crate::moves;
use crate::pg::append::{self, Appender};
use crate::pg::datum::{self, Row};
use crate::pg::guc;
use crate::pg::moved::KeptRow;
use crate::pg::ours;
use crate::pg::relation::{self, Relation};
use crate::pg::scan::{Key, OwnedProbe};
use crate::pg::statement;
use crate::pg::strings;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::types::ColumnType;
use crate::pg::users::{self, KeyType, Users};
use crate::receipts::{self, Engagement, Sender, Sent};
use pgrx::pg_sys::{self, Datum, Oid};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

/// In bytes. Nothing has a longer name: create_message, add_variant and set_goal refuse it.
const LONGEST_NAME: usize = 1000;

/// What a row calls a message, a variant or an event.
#[derive(PartialEq, Eq)]
enum Name {
    Of(String),
    TooLong,
}

impl Name {
    fn as_str(&self) -> Option<&str> {
        match self {
            Name::Of(name) => Some(name),
            Name::TooLong => None,
        }
    }

    /// As goals.health() shows it: one for all that are too long, whatever they are.
    fn shown(&self) -> &str {
        self.as_str().unwrap_or("(a name of more than 1000 bytes)")
    }
}

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

    /// What the row calls something; None for NULL. One that is too long to be a name is not fetched.
    fn name(&self, row: &Row) -> Option<Name> {
        if self.column_type.is_longer(row, self.number, LONGEST_NAME) {
            return Some(Name::TooLong);
        }
        match self.column_type.value(row, self.number) {
            Value::Text(text) => {
                let text = strings::model_to_string(&text);
                let long = strings::from_string(&text).len() > LONGEST_NAME;
                Some(if long { Name::TooLong } else { Name::Of(text) })
            }
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

    /// The key as the row has it; None for NULL, and for one that is too long to be a user's, which is not fetched.
    fn key(&self, row: &Row) -> Option<Vec<u8>> {
        let key = row.get(self.key.number)?;
        (!self.key.column_type.is_longer(row, self.key.number, users::LONGEST_TO_COMPRESS))
            .then(|| self.key_type.text(key))
    }

    /// Is the row that has left its partition the one that has come here (`old` by the partition's columns)? By whom it is about, and
    /// what it calls itself.
    fn is_alike(&self, row: &Row, partition: &Relation, old: &Row) -> bool {
        let Some(before) = Reading::of_table(self.source.clone(), partition) else { return false };
        let name = |reading: &Reading, row| {
            let field = reading.event.as_ref().or(reading.message.as_ref());
            field.and_then(|f| f.name(row))
        };
        self.key(row) == before.key(old) && name(self, row) == name(&before, old)
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
        return moves::pass_over(trigger);
    }
    let row = match trigger.change() {
        Change::Insert(row) => row,
        Change::MovedAway => return moves::begin(trigger, true),
        _ => return,
    };
    let left = moves::finish(trigger);
    let Some((setup, reading)) = reading(trigger, "events") else { return };
    // An event that moves to another partition does not happen again.
    if left.is_some_and(|mut left| is_same(trigger, &reading, &row, &mut left)) {
        return;
    }
    let Some(event) = &reading.event else { return };
    if !setup.waits_for_events(reading.source.users_id) {
        return;
    }
    let Some(Name::Of(name)) = event.name(&row) else { return };
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

/// Is the row that left its partition right before the one that has been inserted here?
fn is_same(trigger: &Trigger, reading: &Reading, row: &Row, left: &mut KeptRow) -> bool {
    let mut alike = false;
    left.show(|partition, old| alike = reading.is_alike(row, partition, old));
    moves::belongs(trigger, reading.source.relation, alike)
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
        return moves::pass_over(trigger);
    }
    let Some((setup, reading)) = reading(trigger, "receipts") else { return };
    match trigger.change() {
        Change::Insert(new) => {
            let left = moves::finish(trigger);
            match left.and_then(|mut left| is_same(trigger, &reading, &new, &mut left).then_some(left)) {
                None => mirror_insert(trigger, &setup, &reading, &new),
                Some(mut left) => left.show(|partition, old| {
                    if let Some(before) = Reading::of_table(reading.source.clone(), partition) {
                        mirror_update(trigger, &setup, (&before, old), (&reading, &new));
                    }
                }),
            }
        }
        Change::Update(old, new) => mirror_update(trigger, &setup, (&reading, &old), (&reading, &new)),
        Change::MovedAway => moves::begin(trigger, true),
        Change::Delete => {}
    }
}

fn message_of<'a>(trigger: &Trigger, setup: &'a Setup, reading: &Reading, row: &Row) -> Option<&'a Rc<Message>> {
    let name = reading.message.as_ref()?.name(row)?;
    let message = name.as_str().and_then(|name| setup.messages.get(name));
    if message.is_none() {
        ignore(trigger, setup, reading, "unknown message", name.shown());
    }
    message
}

fn mirror_insert(trigger: &Trigger, setup: &Setup, reading: &Reading, row: &Row) {
    let Some(message) = message_of(trigger, setup, reading, row) else { return };
    let Some(users) = setup.source(message.users_id) else { return };
    let clock = datum::clock();
    let Some(key) = user_key(setup, reading, message.users_id, row) else {
        return ignore(trigger, setup, reading, "unknown user", &message.name);
    };
    // Opened without a lock that would have to be waited for; where the table is locked, nothing is known about the user.
    let known = Users::open(users.relation, &users.key, false)
        .and_then(|mut table| receipts::look_up(setup, message, users, &mut table, &key));
    let (stored, judgement) = match known {
        None => (key, receipts::Judgement::unknown(&message.revision)),
        Some(Some(found)) => found,
        Some(None) => return ignore(trigger, setup, reading, "unknown user", &message.name),
    };
    let variant = match reading.variant.as_ref().and_then(|f| f.name(row)) {
        Some(name) => {
            let found =
                message.variants.iter().chain(&message.control).find(|v| Some(v.name.as_str()) == name.as_str());
            if found.is_none() {
                let shown = format!("{}: {}", message.name, name.shown());
                return ignore(trigger, setup, reading, "unknown variant", &shown);
            }
            found
        }
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
            statement::with_probes(trigger.statement(), &setup.ours, |probes| {
                if let Some(engagements) = probes.opens() {
                    receipts::engage(engagements, setup, (id, sent_at), kind, at.min(clock));
                }
            });
        }
    }
}

fn mirror_update(trigger: &Trigger, setup: &Setup, (before, old): (&Reading, &Row), (after, new): (&Reading, &Row)) {
    let fields =
        [(&before.opened, &after.opened, Engagement::Opened), (&before.clicked, &after.clicked, Engagement::Clicked)];
    for (was, is, kind) in fields {
        let (Some(was), Some(is)) = (was, is) else { continue };
        // The first time only: a later correction of the time is not a second open.
        if let (None, Some(at)) = (old.get(was.number), is.time(new)) {
            let sent_at = |reading: &Reading, row| reading.occurred.as_ref().and_then(|f| f.time(row));
            let sent_at = sent_at(before, old).or_else(|| sent_at(after, new));
            mirror_engagement(trigger, setup, (before, old), sent_at, kind, at.min(datum::clock()));
        }
    }
}

/// The receipt is looked for by what the row said before this update, for by that it was made: an application that writes whole rows
/// may bring back a time that it has rounded.
fn mirror_engagement(
    trigger: &Trigger,
    setup: &Setup,
    (reading, row): (&Reading, &Row),
    sent_at: Option<i64>,
    kind: Engagement,
    at: i64,
) {
    let Some(message) = message_of(trigger, setup, reading, row) else { return };
    let Some(key) = user_key(setup, reading, message.users_id, row) else { return };
    statement::with_probes(trigger.statement(), &setup.ours, |probes| {
        let (receipts, engagements) = probes.receipts_and_engagements()?;
        let mut search = Search { setup, message, key: &key, kind, receipts, engagements };
        let receipt = match sent_at {
            Some(sent_at) => search.mirrored(sent_at.min(datum::clock())),
            None => search.latest(at.max(datum::clock())),
        };
        receipts::engage(probes.opens()?, setup, receipt?, kind, at);
        Some(())
    });
}

/// By how much a time of sending may differ from that of its receipt, having lost its last digits on the way through an application:
/// one of whole seconds by a second, one of whole milliseconds by that.
fn precision(sent_at: i64) -> i64 {
    [1_000_000, 1_000].into_iter().find(|unit| sent_at % unit == 0).map_or(0, |unit| unit - 1)
}

/// How many receipts of one user and message are looked at, at most, to find the one that was opened or clicked.
const LOOKED_AT: usize = 100;

/// Looks for the receipt of a user and message that a row's open or click belongs to.
struct Search<'a> {
    setup: &'a Setup,
    message: &'a Message,
    key: &'a [u8],
    kind: Engagement,
    receipts: &'a mut OwnedProbe,
    engagements: &'a mut OwnedProbe,
}

impl Search<'_> {
    /// The receipt that was made for a row with this time of sending, or about it; of several, one that has no such engagement yet. Where
    /// there is none, the time has been filled in after the insert: then the newest up to it. None: there is none (any more), or it is
    /// one of the control group, who is sent nothing.
    fn mirrored(&mut self, sent_at: i64) -> Option<Sent> {
        let about = precision(sent_at);
        let mut best: Option<((bool, bool, u64), Option<Sent>)> = None;
        self.visit(sent_at.saturating_add(about), |is_engaged, sent, control| {
            if sent.1 < sent_at.saturating_sub(about) {
                return ControlFlow::Break(());
            }
            let off = sent.1.abs_diff(sent_at);
            let rank = (off > 0, is_engaged(sent.0), off);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, (!control).then_some(sent)));
            }
            // There is none better.
            if rank == (false, false, 0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match best {
            Some((_, made)) => made,
            None => self.latest(sent_at),
        }
    }

    /// The newest receipt up to a time that has no such engagement yet, else the newest: a row is opened once.
    fn latest(&mut self, until: i64) -> Option<Sent> {
        let (mut newest, mut free) = (None, None);
        self.visit(until, |is_engaged, sent, control| {
            if control {
                return ControlFlow::Continue(());
            }
            newest = newest.or(Some(sent));
            if is_engaged(sent.0) {
                return ControlFlow::Continue(());
            }
            free = Some(sent);
            ControlFlow::Break(())
        });
        free.or(newest)
    }

    /// Shows the receipts up to a time, newest first, and whether each is of the control group, until told to stop, with a way to ask
    /// whether one has such an engagement.
    fn visit(&mut self, until: i64, mut see: impl FnMut(&mut dyn FnMut(i64) -> bool, Sent, bool) -> ControlFlow<()>) {
        let Search { setup, message, key, kind, receipts, engagements } = self;
        let (kind, mut left) = (*kind, LOOKED_AT);
        let mut is_engaged = |receipt_id| receipts::is_engaged(engagements, receipt_id, kind);
        receipts::visit_receipts(receipts, setup, message, key, until, |sent, variant| {
            left -= 1;
            let seen = see(&mut is_engaged, sent, message.is_control(variant));
            if left == 0 { ControlFlow::Break(()) } else { seen }
        });
    }
}

/// Remembers, once, that a row was left out, for goals.health(). `name`: at most as long as the names of a message and a variant.
fn ignore(trigger: &Trigger, setup: &Setup, reading: &Reading, reason: &'static str, name: &str) {
    let (source, name) = (reading.source.id, strings::from_string(name));
    statement::with_probes(trigger.statement(), &setup.ours, |probes| {
        let Some((ignored, known)) = probes.ignored() else { return };
        let this = (source, reason, Some(name.to_vec()));
        let enough = (source, reason, None);
        if known.contains(&this) || known.contains(&enough) {
            return;
        }
        known.insert(if note(ignored, setup.ours.ignored, source, reason, &name) { this } else { enough });
    });
}

/// Adds a note for goals.health(), unless it is there; false: there are enough of this reason, and it is not.
pub fn note(notes: &mut OwnedProbe, table: ours::Table, source: i32, reason: &str, name: &[u8]) -> bool {
    // Of each reason enough to see what is wrong; a name made up for every row must not fill the table.
    const KEPT: usize = 100;
    let key = Key {
        attribute: 1,
        strategy: pg_sys::BTEqualStrategyNumber,
        function: pg_sys::F_INT4EQ,
        value: source.into(),
        collation: Oid::INVALID,
    };
    let (mut there, mut kept) = (false, 0);
    notes.visit(&[key], false, |row| {
        if row.bytes(2) == Some(reason.as_bytes()) {
            kept += 1;
            there |= row.size(3) == Some(name.len()) && row.bytes(3) == Some(name);
        }
        if there { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if !there && kept >= KEPT {
        return false;
    }
    if !there && let Some(log) = Appender::open(table) {
        let text = |text: &[u8]| -> Option<Datum> { Some(datum::text(text)) };
        log.append([Some(source.into()), text(reason.as_bytes()), text(name), Some(datum::clock().into())]);
    }
    true
}
