//! Receipts, engagements, matches and notes, read and appended by the names of their columns.

use crate::pg::append::{self, Appender, Log};
use crate::pg::command::{self, Command};
use crate::pg::datum::{self, Row};
use crate::pg::kept_open::Probes;
use crate::pg::own_tables::columns::{engagement, ignored, match_log, receipt, reference};
use crate::pg::own_tables::{OwnTables, Places, Table};
use crate::pg::scan::{Key, OwnedProbe};
use crate::setup::definitions::{Message, Setup};
use pgrx::pg_sys::{self, Datum, Oid};
use smallvec::SmallVec;
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

/// A receipt as opens and clicks need it.
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
        }
    }

    /// True if it is a receipt of this message. A revision unknown to this backend belongs to another message, or its
    /// receipt has only just become visible.
    pub fn is_of(&self, setup: &Setup, message: &Message) -> bool {
        self.message.or_else(|| Some(setup.revisions.get(&self.revision)?.message_id)) == Some(message.id)
    }
}

/// The first receipt of a user for a message, in the order of sending, of those that count. Of several sent at the same
/// time it is the one recorded first. (The index has these in the order of their places in the table.)
pub fn first_receipt(
    receipts: &mut OwnedProbe,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    mut counts: impl FnMut(Sent) -> bool,
) -> Option<Sent> {
    let mut first: Option<Sent> = None;
    receipts.visit(&of_user(message.users, key, Bound::Since(i64::MIN)), false, |row| {
        let sent = Sent::read(row, setup.tables.receipt.places());
        if first.is_some_and(|first| first.sent_at < sent.sent_at) {
            return ControlFlow::Break(());
        }
        if first.is_none_or(|first| sent.id < first.id) && sent.is_of(setup, message) && counts(sent) {
            first = Some(sent);
        }
        ControlFlow::Continue(())
    });
    first
}

/// Calls `see` with the receipts of a user that were sent at or after a time.
pub fn visit_receipts_since(receipts: &mut OwnedProbe, users: i32, key: &[u8], since: i64, mut see: impl FnMut(&Row)) {
    receipts.visit(&of_user(users, key, Bound::Since(since)), false, |row| {
        see(row);
        ControlFlow::Continue(())
    });
}

/// Calls `see` with the receipts of a user for a message sent up to a time, newest first, until it stops. Of up to
/// LOOKED_AT sent at the same time the one recorded last comes first. (The index has these in the order of their places
/// in the table, and a backward scan shows those of one entry forwards.)
pub fn visit_receipts_until(
    receipts: &mut OwnedProbe,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    until: i64,
    mut see: impl FnMut(Sent) -> ControlFlow<()>,
) {
    let mut at_one_time: SmallVec<[Sent; 4]> = SmallVec::new();
    let mut see_last_recorded_first = |of_a_time: &mut SmallVec<[Sent; 4]>| {
        of_a_time.sort_unstable_by_key(|sent| Reverse(sent.id));
        of_a_time.drain(..).try_for_each(&mut see)
    };
    receipts.visit(&of_user(message.users, key, Bound::Until(until)), true, |row| {
        let sent = Sent::read(row, setup.tables.receipt.places());
        let earlier = at_one_time.last().is_some_and(|later| sent.sent_at < later.sent_at);
        if earlier || at_one_time.len() == LOOKED_AT {
            see_last_recorded_first(&mut at_one_time)?;
        }
        if sent.is_of(setup, message) {
            at_one_time.push(sent);
        }
        ControlFlow::Continue(())
    });
    let _ = see_last_recorded_first(&mut at_one_time);
}

/// The receipt of a user for a message that was made from what has this reference; of several, the first.
pub fn find_by_reference(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    reference: i64,
) -> Option<Sent> {
    if setup.tables.receipt.places().of(receipt::row_ref) == 0 {
        return None;
    }
    let mut found: Option<Sent> = None;
    let mut see = |sent: Sent| {
        if sent.row_ref == Some(reference) && found.is_none_or(|first| sent.id < first.id) {
            found = Some(sent);
        }
    };
    if let Some(receipts) = probes.receipts_by_row() {
        receipts.visit(&[of_bigint(reference)], false, |row| {
            let sent = Sent::read(row, setup.tables.receipt.places());
            if sent.users == message.users && row.bytes(receipt::user_key) == Some(key) && sent.is_of(setup, message) {
                see(sent);
            }
            ControlFlow::Continue(())
        });
        return found.or_else(|| find_by_later_reference(probes, setup, message, key, reference));
    }
    // Without its index it is looked for among the user's last receipts.
    let mut left = LOOKED_AT;
    visit_receipts_until(probes.receipts()?, setup, message, key, i64::MAX, |sent| {
        see(sent);
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// The receipt whose row has got this reference since, with another primary key.
fn find_by_later_reference(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    key: &[u8],
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
        let fits = sent.users == message.users && row.bytes(receipt::user_key) == Some(key);
        found = Some(sent).filter(|sent| fits && sent.is_of(setup, message));
        ControlFlow::Break(())
    });
    found
}

/// At most this many receipts of a user and message are read to find the one that is meant.
pub const LOOKED_AT: usize = 100;

/// The receipt of this id; `Some(None)` if there is none; None if the table or its index cannot be used.
pub fn find_receipt(tables: &OwnTables, receipt_id: i64) -> Option<Option<Sent>> {
    // If the known index has been replaced, the new one is looked up.
    let open = |tables: &OwnTables| tables.receipt.search(tables.receipt_id_idx, 1);
    let mut receipts = open(tables).or_else(|| open(&OwnTables::find().ok()?))?;
    let mut found = None;
    receipts.visit(&[of_receipt(receipt_id)], false, |row| {
        found = Some(Sent::read(row, tables.receipt.places()));
        ControlFlow::Break(())
    });
    Some(found)
}

/// What a user did with a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engagement {
    Opened,
    Clicked,
}

impl Engagement {
    /// The value of engagement.kind.
    fn kind(self) -> u8 {
        match self {
            Engagement::Opened => b'o',
            Engagement::Clicked => b'c',
        }
    }
}

/// Appends an engagement; false if the table refused it. A time before the sending is recorded as the time of sending:
/// it comes from a clock that is behind, or from a column without the hour.
pub fn engage(engagements: &Appender, tables: &OwnTables, sent: Sent, kind: Engagement, at: i64) -> bool {
    command::reported(at);
    append::next_id(tables.engagement_id_seq).is_some_and(|id| {
        let row = engagement::New {
            engagement_id: Some(id.into()),
            receipt_id: Some(sent.id.into()),
            at: Some(at.max(sent.sent_at).into()),
            kind: Some(Datum::from(kind.kind())),
        };
        engagements.append(row.values(), &[])
    })
}

/// When the message was first opened or clicked, by what is recorded so far; None if it was not. A click is also an
/// open. `command`: of the change; what it or a later command has reported does not come before it.
pub fn first_engagement(engagements: &mut OwnedProbe, receipt_id: i64, clicked: bool, command: Command) -> Option<i64> {
    first(engagements, receipt_id, |row| {
        let kind = row.byte(engagement::kind);
        let is_it = kind == Engagement::Clicked.kind() || !clicked && kind == Engagement::Opened.kind();
        is_it && !came_with(row, command)
    })
}

/// The earliest of the engagements of a receipt that the command of a change or a later one has reported.
pub fn first_engagement_with(engagements: &mut OwnedProbe, receipt_id: i64, command: Command) -> Option<i64> {
    first(engagements, receipt_id, |row| came_with(row, command))
}

/// True if the command of a change, or a later one, has reported this engagement. One with a time before the statement
/// was reported late: it came before.
fn came_with(row: &Row, command: Command) -> bool {
    command::of_row(row).is_some_and(|recorded| recorded >= command)
        && row.bigint(engagement::at) >= datum::statement_start()
}

/// The earliest time of the engagements of a receipt for which `counts` is true.
fn first(engagements: &mut OwnedProbe, receipt_id: i64, counts: impl Fn(&Row) -> bool) -> Option<i64> {
    let mut first: Option<i64> = None;
    engagements.visit(&[of_receipt(receipt_id)], false, |row| {
        if counts(row) {
            let at = row.bigint(engagement::at);
            first = Some(first.map_or(at, |f| f.min(at)));
        }
        ControlFlow::Continue(())
    });
    first
}

/// The earliest engagement of this kind that has been recorded for the receipt.
pub fn earliest(engagements: &mut OwnedProbe, receipt_id: i64, kind: Engagement) -> Option<i64> {
    first(engagements, receipt_id, |row| row.byte(engagement::kind) == kind.kind())
}

/// True if an engagement of this kind has been recorded for the receipt.
pub fn is_engaged(engagements: &mut OwnedProbe, receipt_id: i64, kind: Engagement) -> bool {
    let mut engaged = false;
    engagements.visit(&[of_receipt(receipt_id)], false, |row| {
        engaged = row.byte(engagement::kind) == kind.kind();
        if engaged { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    engaged
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

/// The bit of receipt.flags for a receipt that was sent although held out.
const HELD_OUT: i16 = 1;

/// A receipt to be appended.
pub struct NewReceipt<'a> {
    pub sent_at: i64,
    pub users: i32,
    pub revision: i32,
    pub variant: Option<i32>,
    /// See [`crate::setup::definitions::Arm`].
    pub held_out: bool,
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
        let later = [
            (places.of(receipt::row_ref), self.row_ref.map(Into::into)),
            (places.of(receipt::flags), self.held_out.then(|| HELD_OUT.into())),
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
    [
        Key {
            attribute: 1,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_INT4EQ,
            value: users.into(),
            collation: Oid::INVALID,
        },
        Key {
            attribute: 2,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_TEXTEQ,
            value: datum::text(key),
            collation: pg_sys::C_COLLATION_OID,
        },
        bound.of(3),
    ]
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
fn of_receipt(receipt_id: i64) -> Key {
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
