//! Receipts, matches and notes, read and appended by the names of their columns.

use super::person::{self, Person};
use crate::pg::append::{self, Appender, Log};
use crate::pg::command::{self, Command};
use crate::pg::datum::{self, Row};
use crate::pg::kept_open::Probes;
use crate::pg::memory;
use crate::pg::own_tables::columns::{ignored, match_log, receipt, reference};
use crate::pg::own_tables::{OwnTables, Places, Table};
use crate::pg::scan::{Key, OwnedProbe};
use crate::setup::definitions::{Message, Setup};
use pgrx::pg_sys::{self, Datum, Oid};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::ControlFlow;

/// A receipt as matching needs it.
pub struct Receipt {
    pub id: i64,
    pub sent_at: i64,
    pub revision: i32,
    pub already: Vec<i32>,
    pub baseline: Vec<Option<Vec<u8>>>,
    /// The command that recorded it, if it was one of this transaction.
    pub command: Option<Command>,
}

impl Receipt {
    /// From its row in goals.receipt.
    pub fn read(row: &Row) -> Receipt {
        Receipt {
            id: row.bigint(receipt::receipt_id),
            sent_at: row.bigint(receipt::sent_at),
            revision: row.integer(receipt::revision_id).unwrap_or(0),
            already: row.integers(receipt::already),
            baseline: row.numerics(receipt::baseline),
            command: command::of_row(row),
        }
    }
}

/// A receipt as reports about it need it.
#[derive(Clone, Copy)]
pub struct Sent {
    pub id: i64,
    pub sent_at: i64,
    /// The source of the users.
    pub users: i32,
    pub revision: i32,
    pub variant: Option<i32>,
    /// The message, where it is not the revision's.
    pub message: Option<i32>,
    /// What it was made from.
    pub row_ref: Option<i64>,
    /// True if it was sent although held out.
    pub held_out: bool,
    /// True for an entry into a programme: nothing was sent.
    pub is_entry: bool,
}

impl Sent {
    /// From its row in goals.receipt.
    pub fn read(row: &Row, places: &Places) -> Sent {
        Sent {
            id: row.bigint(receipt::receipt_id),
            sent_at: row.bigint(receipt::sent_at),
            users: row.integer(receipt::users_source_id).unwrap_or(0),
            revision: row.integer(receipt::revision_id).unwrap_or(0),
            variant: row.integer(receipt::variant_id),
            message: row.integer(places.of(receipt::message_id)),
            row_ref: row.known_bigint(places.of(receipt::row_ref)),
            held_out: row.smallint(places.of(receipt::flags)) & HELD_OUT != 0,
            is_entry: row.smallint(places.of(receipt::flags)) & ENTRY != 0,
        }
    }

    /// True if the receipt of this row is one of a person among the users of a message.
    fn is_of_person(&self, row: &Row, message: &Message, person: &Person) -> bool {
        self.users == message.users && row.bytes(receipt::user_key).is_some_and(|key| person.has(key, self.id))
    }

    /// The id of its message; None if this backend does not know the revision.
    pub fn message_id(&self, setup: &Setup) -> Option<i32> {
        self.message.or_else(|| Some(setup.revisions.get(&self.revision)?.message_id))
    }

    /// True if it is a receipt of this message. A revision unknown to this backend belongs to another message, or its
    /// receipt has only just become visible.
    pub fn is_of(&self, setup: &Setup, message: &Message) -> bool {
        self.message_id(setup) == Some(message.id)
    }
}

/// The id of a receipt.
pub fn id_of(row: &Row) -> i64 {
    row.bigint(receipt::receipt_id)
}

/// The first receipt of a person for a message, in the order of sending and of recording, of those that count; `key`
/// is one of the person's. `counts` may search the engagements.
/// (Of several sent at the same time the index has them in the order of their places in the table.)
pub fn first_receipt(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    mut counts: impl FnMut(&mut OwnedProbe, Sent) -> bool,
) -> Option<Sent> {
    let person = Person::of(probes, message.users, key, None)?;
    let (receipts, engagements) = probes.receipts_and_engagements()?;
    let mut first: Option<Sent> = None;
    for key in person.keys() {
        receipts.visit(&of_user(message.users, key, Bound::Since(i64::MIN)), false, |row| {
            let sent = Sent::read(row, setup.tables.receipt.places());
            if first.is_some_and(|first| first.sent_at < sent.sent_at) {
                return ControlFlow::Break(());
            }
            if (person.is_alone() || person.has(key, sent.id))
                && first.is_none_or(|first| (sent.sent_at, sent.id) < (first.sent_at, first.id))
                && sent.is_of(setup, message)
                && counts(engagements, sent)
            {
                first = Some(sent);
            }
            ControlFlow::Continue(())
        });
    }
    first
}

/// Calls `see` with the receipts of a person that were sent at or after a time; those of one key in the order of
/// sending.
pub fn visit_receipts_since(
    receipts: &mut OwnedProbe,
    users: i32,
    person: &Person,
    since: i64,
    mut see: impl FnMut(&Row),
) {
    for key in person.keys() {
        receipts.visit(&of_user(users, key, Bound::Since(since)), false, |row| {
            if person.is_alone() || person.has(key, id_of(row)) {
                see(row);
            }
            ControlFlow::Continue(())
        });
    }
}

/// Calls `see` with the receipts under one key sent up to a time, newest first, until it stops.
pub fn visit_key_until(
    receipts: &mut OwnedProbe,
    users: i32,
    key: &[u8],
    until: i64,
    see: impl FnMut(&Row) -> ControlFlow<()>,
) {
    receipts.visit(&of_user(users, key, Bound::Until(until)), true, see);
}

/// The key under which a person was first known, that of the first receipt on record: users are assigned by it, whatever
/// happens to their keys. `key` is one of the person's. None if the hand-overs or receipts cannot be read now.
pub fn first_known<'a>(probes: &mut Probes, users: i32, key: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let person = Person::of(probes, users, key, None)?;
    if person.is_alone() {
        return Some(person.key);
    }
    let mut first: Option<(i64, Vec<u8>)> = None;
    for key in person.keys() {
        visit_key_until(probes.receipts()?, users, key, i64::MAX, |row| {
            memory::check();
            let id = id_of(row);
            if person.has(key, id) && first.as_ref().is_none_or(|(least, _)| id < *least) {
                first = Some((id, memory::copied(key)));
            }
            ControlFlow::Continue(())
        });
    }
    Some(first.map_or(person.key, |(_, key)| Cow::Owned(key)))
}

/// Calls `see` with the receipts of a person for a message sent up to a time, newest first, until it stops. Of up to
/// [`LOOKED_AT`] sent at the same time the one recorded last comes first. (The index has these in the order of their
/// places in the table, and a backward scan shows those of one entry forwards.) Of a person with several keys, with at
/// most as many per key.
pub fn visit_receipts_until(
    receipts: &mut OwnedProbe,
    setup: &Setup,
    message: &Message,
    person: &Person,
    until: i64,
    mut see: impl FnMut(Sent) -> ControlFlow<()>,
) {
    let mut visit = |key: &[u8], see: &mut dyn FnMut(Sent) -> ControlFlow<()>| {
        let mut at_one_time: SmallVec<[Sent; 4]> = SmallVec::new();
        let mut see_last_recorded_first = |of_a_time: &mut SmallVec<[Sent; 4]>| {
            of_a_time.sort_unstable_by_key(|sent| Reverse(sent.id));
            of_a_time.drain(..).try_for_each(&mut *see)
        };
        visit_key_until(receipts, message.users, key, until, |row| {
            let sent = Sent::read(row, setup.tables.receipt.places());
            let earlier = at_one_time.last().is_some_and(|later| sent.sent_at < later.sent_at);
            if earlier || at_one_time.len() == LOOKED_AT {
                see_last_recorded_first(&mut at_one_time)?;
            }
            if (person.is_alone() || person.has(key, sent.id)) && sent.is_of(setup, message) {
                memory::room_in_small(&mut at_one_time);
                at_one_time.push(sent);
            }
            ControlFlow::Continue(())
        });
        let _ = see_last_recorded_first(&mut at_one_time);
    };
    if let Some(key) = person.only_key() {
        return visit(key, &mut see);
    }
    let mut newest: Vec<Sent> = Vec::new();
    for key in person.keys() {
        let mut left = LOOKED_AT;
        visit(key, &mut |sent| {
            memory::push(&mut newest, sent);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    newest.sort_unstable_by_key(|sent| Reverse((sent.sent_at, sent.id)));
    let _ = newest.into_iter().try_for_each(see);
}

/// The receipts of a user for a message that were made from what has this reference, in the order in which they were
/// recorded; None if the receipts cannot be searched.
pub fn all_by_reference(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    reference: i64,
) -> Option<SmallVec<[Sent; 1]>> {
    by_reference(probes, setup, message, (key, false), reference)
}

/// `of_row`: true also for the receipts under this very key, whose person has got another one since.
fn by_reference(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    (key, of_row): (&[u8], bool),
    reference: i64,
) -> Option<SmallVec<[Sent; 1]>> {
    let mut found = SmallVec::new();
    if setup.tables.receipt.places().of(receipt::row_ref) == 0 {
        return Some(found);
    }
    let person = Person::of(probes, message.users, key, None)?;
    let mut see = |sent: Sent| {
        memory::room_in_small(&mut found);
        found.push(sent);
    };
    if let Some(receipts) = probes.receipts_by_row() {
        receipts.visit(&[of_bigint(reference)], false, |row| {
            let sent = Sent::read(row, setup.tables.receipt.places());
            let is_same = of_row && sent.users == message.users && row.bytes(receipt::user_key) == Some(key);
            if (is_same || sent.is_of_person(row, message, &person)) && sent.is_of(setup, message) {
                see(sent);
            }
            ControlFlow::Continue(())
        });
        if found.is_empty() {
            found.extend(find_by_later_reference(probes, setup, message, (&person, of_row.then_some(key)), reference));
        }
    } else {
        // Without its index it is looked for among the user's last receipts.
        let mut left = LOOKED_AT;
        visit_receipts_until(probes.receipts()?, setup, message, &person, i64::MAX, |sent| {
            if sent.row_ref == Some(reference) {
                see(sent);
            }
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    found.sort_unstable_by_key(|sent| sent.id);
    Some(found)
}

/// Who a row of a table of sends names: a message, and the key of one of its users. Without a key, every user.
pub type Named<'a> = (&'a Message, Option<&'a [u8]>);

/// The receipts that were made from the row with this reference, in the order in which they were recorded: those of what
/// the row names or has named, else those that are kept for it, whatever it names now.
pub fn all_of_row(probes: &mut Probes, setup: &Setup, reference: i64, named: &[Named]) -> SmallVec<[Sent; 1]> {
    let mut made: SmallVec<[Sent; 1]> = SmallVec::new();
    for &(message, key) in named {
        let Some(found) = (match key {
            Some(key) => by_reference(probes, setup, message, (key, true), reference),
            None => Some(all_by_row(probes, setup, reference, |sent| sent.is_of(setup, message))),
        }) else {
            continue;
        };
        for sent in found {
            if !made.iter().any(|known| known.id == sent.id) {
                memory::room_in_small(&mut made);
                made.push(sent);
            }
        }
    }
    if made.is_empty() {
        made = kept_for_row(probes, setup, reference);
    }
    made.sort_unstable_by_key(|sent| sent.id);
    made
}

/// The receipts that were made from the row with this reference, whatever it named.
pub fn all_by_row(
    probes: &mut Probes,
    setup: &Setup,
    reference: i64,
    counts: impl Fn(&Sent) -> bool,
) -> SmallVec<[Sent; 1]> {
    let mut found: SmallVec<[Sent; 1]> = SmallVec::new();
    if setup.tables.receipt.places().of(receipt::row_ref) != 0
        && let Some(receipts) = probes.receipts_by_row()
    {
        receipts.visit(&[of_bigint(reference)], false, |row| {
            let sent = Sent::read(row, setup.tables.receipt.places());
            if counts(&sent) {
                memory::room_in_small(&mut found);
                found.push(sent);
            }
            ControlFlow::Continue(())
        });
    }
    found.sort_unstable_by_key(|sent| sent.id);
    found
}

/// The receipts that are known by this reference too, because their row has got another primary key, message or user.
pub fn kept_for_row(probes: &mut Probes, setup: &Setup, reference: i64) -> SmallVec<[Sent; 1]> {
    let (mut ids, mut found): (SmallVec<[i64; 1]>, SmallVec<[Sent; 1]>) = (SmallVec::new(), SmallVec::new());
    if let Some(references) = probes.references_by_row() {
        references.visit(&[of_bigint(reference)], false, |row| {
            let id = row.bigint(reference::receipt_id);
            if !ids.contains(&id) {
                memory::room_in_small(&mut ids);
                ids.push(id);
            }
            ControlFlow::Continue(())
        });
    }
    if ids.is_empty() {
        return found;
    }
    let Some(mut receipts) = receipts_by_id(&setup.tables) else { return found };
    for id in ids {
        receipts.visit(&[of_receipt(id)], false, |row| {
            memory::room_in_small(&mut found);
            found.push(Sent::read(row, setup.tables.receipt.places()));
            ControlFlow::Break(())
        });
    }
    found
}

/// The receipt whose row has got this reference since, with another primary key.
fn find_by_later_reference(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    (person, key): (&Person, Option<&[u8]>),
    reference: i64,
) -> Option<Sent> {
    let mut known: Option<i64> = None;
    probes.references_by_row()?.visit(&[of_bigint(reference)], false, |row| {
        let id = row.bigint(reference::receipt_id);
        known = Some(known.map_or(id, |first| first.min(id)));
        ControlFlow::Continue(())
    });
    let mut receipts = setup.tables.receipt.search(setup.tables.receipt_id_idx, 1)?;
    let mut found = None;
    receipts.visit(&[of_receipt(known?)], false, |row| {
        let sent = Sent::read(row, setup.tables.receipt.places());
        let is_same = key.is_some() && sent.users == message.users && row.bytes(receipt::user_key) == key;
        let fits = is_same || sent.is_of_person(row, message, person);
        found = Some(sent).filter(|sent| fits && sent.is_of(setup, message));
        ControlFlow::Break(())
    });
    found
}

/// At most this many receipts of a user and message are read to find the one that is meant.
pub const LOOKED_AT: usize = 100;

/// The receipts, to be searched by id; None if the table or its index cannot be used.
pub fn receipts_by_id(tables: &OwnTables) -> Option<OwnedProbe> {
    // If the known index has been replaced, the new one is looked up.
    let open = |tables: &OwnTables| tables.receipt.search(tables.receipt_id_idx, 1);
    open(tables).or_else(|| open(&OwnTables::find().ok()?))
}

/// The receipt of this id, and the key of its user; None if there is none. `receipts`: see [`receipts_by_id`].
pub fn receipt_and_key(receipts: &mut OwnedProbe, tables: &OwnTables, receipt_id: i64) -> Option<(Sent, Vec<u8>)> {
    let mut found = None;
    receipts.visit(&[of_receipt(receipt_id)], false, |row| {
        let key = row.bytes(receipt::user_key).unwrap_or_default();
        found = Some((Sent::read(row, tables.receipt.places()), memory::copied(key)));
        ControlFlow::Break(())
    });
    found
}

/// The receipt of this id; `Some(None)` if there is none; None if the table or its index cannot be used.
pub fn find_receipt(tables: &OwnTables, receipt_id: i64) -> Option<Option<Sent>> {
    let mut receipts = receipts_by_id(tables)?;
    Some(receipt_and_key(&mut receipts, tables, receipt_id).map(|(sent, _)| sent))
}

/// Calls `see` with the ids of the receipts for which a caller has given this ref, until it stops. `reference`: its
/// hash, `name`: in the server's encoding. None if the table or its index cannot be used.
pub fn visit_given(
    probes: &mut Probes,
    reference: i64,
    name: &[u8],
    mut see: impl FnMut(i64) -> ControlFlow<()>,
) -> Option<()> {
    probes.references_by_row()?.visit(&[of_bigint(reference)], false, |row| {
        if row.bytes(reference::name) == Some(name) {
            see(row.bigint(reference::receipt_id))
        } else {
            ControlFlow::Continue(())
        }
    });
    Some(())
}

/// A match: the goal, the receipt and the time.
#[derive(Clone, Copy)]
pub struct Match {
    pub goal_id: i32,
    pub receipt_id: i64,
    pub at: i64,
    /// The reference of the event.
    pub cause: Option<i64>,
}

/// Appends a match with the old value, the new value and the worth.
pub fn append_match(log: &Log, tables: &OwnTables, found: Match, [old_value, new_value, worth]: [Option<Datum>; 3]) {
    let Some(id) = append::next_id(tables.match_id_seq) else { return };
    let row = match_log::New {
        match_id: Some(id.into()),
        receipt_id: Some(found.receipt_id.into()),
        matched_at: Some(found.at.into()),
        goal_id: Some(found.goal_id.into()),
        old_value,
        new_value,
        worth,
    };
    let cause = (tables.match_log.places().of(match_log::cause_ref), found.cause.map(Into::into));
    log.append(row.values(), &[cause]);
}

/// True if a receipt has a hit of this cause for a goal: at this time, or among its first `most`.
pub fn has_hit_of(
    log: &mut Log,
    tables: &OwnTables,
    receipt_id: i64,
    goal_id: i32,
    at: i64,
    cause: i64,
    most: i32,
) -> bool {
    let place = tables.match_log.places().of(match_log::cause_ref);
    let mut found = false;
    let mut see = |row: &Row, enough: bool| {
        found |= row.known_bigint(place) == Some(cause);
        if found || enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    log.visit(&of_hits(receipt_id, goal_id, Bound::Since(at)), |row| see(row, row.bigint(match_log::matched_at) > at));
    let mut seen = 0;
    log.visit(&of_hits(receipt_id, goal_id, Bound::Since(i64::MIN)), |row| {
        seen += 1;
        see(row, seen >= most)
    });
    found
}

/// True if a receipt has at least `wanted` hits for a goal up to a time. The hits seen cannot disappear before the
/// caller's own: they are committed, or of the same transaction.
pub fn has_hits(log: &mut Log, receipt_id: i64, goal_id: i32, until: i64, wanted: i32) -> bool {
    let mut hits = 0;
    log.visit(&of_hits(receipt_id, goal_id, Bound::Until(until)), |_| {
        hits += 1;
        if hits >= wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    hits >= wanted
}

/// When a receipt has its first hit for a goal that a later command of this transaction has recorded: a later step of
/// nested statements, whose trigger fired first.
pub fn first_hit_of_a_later_command(log: &mut Log, receipt_id: i64, goal_id: i32, command: Command) -> Option<i64> {
    let mut first = None;
    log.visit(&of_hits(receipt_id, goal_id, Bound::Since(i64::MIN)), |row| {
        if command::of_row(row).is_some_and(|recorded| recorded > command) {
            first = Some(row.bigint(match_log::matched_at));
        }
        if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    first
}

/// The bits of receipt.flags: sent although held out, and entry into a programme.
const HELD_OUT: i16 = 1;
const ENTRY: i16 = 2;

/// A receipt to be appended.
pub struct NewReceipt<'a> {
    pub sent_at: i64,
    pub users: i32,
    pub revision: i32,
    /// The message, where it is not the revision's.
    pub message: Option<i32>,
    pub variant: Option<i32>,
    /// See [`crate::setup::definitions::Arm`].
    pub held_out: bool,
    /// True if it is the entry into a programme.
    pub entry: bool,
    pub user_key: &'a [u8],
    pub already: &'a [i32],
    pub baseline: &'a [Option<String>],
    /// What it is made from.
    pub row_ref: Option<i64>,
}

impl NewReceipt<'_> {
    /// Appends the receipt and returns its id; None if the table refused it.
    pub fn append(&self, receipts: &Appender, tables: &OwnTables) -> Option<i64> {
        let id = append::next_id(tables.receipt_id_seq)?;
        let has_baselines = self.baseline.iter().any(Option::is_some);
        let row = receipt::New {
            receipt_id: Some(id.into()),
            sent_at: Some(self.sent_at.into()),
            users_source_id: Some(self.users.into()),
            revision_id: Some(self.revision.into()),
            variant_id: self.variant.map(Into::into),
            user_key: Some(datum::text(self.user_key)),
            already: (!self.already.is_empty()).then(|| datum::integer_array(self.already)),
            baseline: has_baselines.then(|| datum::numeric_array(self.baseline)),
        };
        let places = tables.receipt.places();
        let flags = if self.held_out { HELD_OUT } else { 0 } | if self.entry { ENTRY } else { 0 };
        let later = [
            (places.of(receipt::message_id), self.message.map(Into::into)),
            (places.of(receipt::row_ref), self.row_ref.map(Into::into)),
            (places.of(receipt::flags), (flags != 0).then(|| flags.into())),
        ];
        receipts.append(row.values(), &later).then_some(id)
    }
}

/// Appends what else a receipt is known by: `name` is the ref that a caller gave. False if the table refused it.
pub fn keep_reference(references: &Appender, receipt_id: i64, reference: i64, name: Option<&[u8]>) -> bool {
    let row = reference::New {
        receipt_id: Some(receipt_id.into()),
        row_ref: Some(reference.into()),
        name: name.map(datum::text),
    };
    references.append(row.values(), &[])
}

/// Adds a note for goals.health(), unless it exists; false if it does not and there are already `KEPT` notes for this
/// reason.
pub fn note(notes: &mut OwnedProbe, table: Table, source: i32, reason: &str, name: &[u8]) -> bool {
    // Enough per reason to see what is wrong; a different name in every row must not fill the table.
    const KEPT: usize = 100;
    let of_source = Key {
        attribute: 1,
        strategy: pg_sys::BTEqualStrategyNumber,
        function: pg_sys::F_INT4EQ,
        value: source.into(),
        collation: Oid::INVALID,
    };
    let (mut there, mut kept) = (false, 0);
    notes.visit(&[of_source], false, |row| {
        if row.bytes(ignored::reason) == Some(reason.as_bytes()) {
            kept += 1;
            there |= row.size(ignored::name) == Some(name.len()) && row.bytes(ignored::name) == Some(name);
        }
        if there { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if !there && kept >= KEPT {
        return false;
    }
    if !there && let Some(log) = Appender::open(table) {
        let row = ignored::New {
            source_id: Some(source.into()),
            reason: Some(datum::text(reason.as_bytes())),
            name: Some(datum::text(name)),
            first_at: Some(datum::clock().into()),
        };
        log.append(row.values(), &[]);
    }
    true
}

/// The first or the last time.
enum Bound {
    Since(i64),
    Until(i64),
}

impl Bound {
    /// The condition for a column of times.
    fn of(self, attribute: i16) -> Key {
        let (strategy, function, time) = match self {
            Bound::Since(time) => (pg_sys::BTGreaterEqualStrategyNumber, pg_sys::F_TIMESTAMPTZ_GE, time),
            Bound::Until(time) => (pg_sys::BTLessEqualStrategyNumber, pg_sys::F_TIMESTAMPTZ_LE, time),
        };
        Key { attribute, strategy, function, value: time.into(), collation: Oid::INVALID }
    }
}

/// The conditions for the receipts of a user in the index receipt_user_idx.
fn of_user(users: i32, key: &[u8], bound: Bound) -> [Key; 3] {
    let [of_source, of_key] = person::of_key(users, key);
    [of_source, of_key, bound.of(3)]
}

/// The conditions for the hits of a receipt and goal in the index match_log_receipt_idx.
fn of_hits(receipt_id: i64, goal_id: i32, bound: Bound) -> [Key; 3] {
    let of_goal = Key {
        attribute: 2,
        strategy: pg_sys::BTEqualStrategyNumber,
        function: pg_sys::F_INT4EQ,
        value: goal_id.into(),
        collation: Oid::INVALID,
    };
    [of_receipt(receipt_id), of_goal, bound.of(3)]
}

/// The condition for the rows of a receipt in an index that begins with its id.
pub(super) fn of_receipt(receipt_id: i64) -> Key {
    of_bigint(receipt_id)
}

/// The condition for the first column of an index, a bigint.
fn of_bigint(value: i64) -> Key {
    Key {
        attribute: 1,
        strategy: pg_sys::BTEqualStrategyNumber,
        function: pg_sys::F_INT8EQ,
        value: value.into(),
        collation: Oid::INVALID,
    }
}
