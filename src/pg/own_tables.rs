//! The extension's own tables, indexes and sequences, found by name and checked before use.

use super::datum::Row;
use super::patience;
use super::relation::{self, Lock, Relation};
use super::role;
use super::scan::{self, OwnedProbe};
use super::schema;
pub use super::shape::Places;
use super::shape::{self, IndexShape, MESSAGE_IDS, TableShape, Unfit};
use pgrx::pg_sys::{self, Oid};
use std::ffi::CString;
use std::ops::ControlFlow;

/// Per table a module with the numbers of its columns and a row to be appended.
pub mod columns {
    pub use crate::pg::schema::{
        column_note, engagement, goal, goal_stop, hand_over, ignored, match_log, message, message_name, receipt,
        reference, revision, source, variant,
    };
}

/// A table of the extension.
#[derive(Clone, Copy)]
pub struct Table {
    oid: Oid,
    owner: Oid,
    shape: &'static TableShape,
    places: Places,
}

/// An index of a table of the extension.
#[derive(Clone, Copy)]
pub struct Index {
    oid: Oid,
    shape: &'static IndexShape,
}

/// A sequence of the extension that ids come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    oid: Oid,
}

impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        self.oid == other.oid && self.places == other.places
    }
}

impl PartialEq for Index {
    fn eq(&self, other: &Index) -> bool {
        self.oid == other.oid
    }
}

impl Table {
    /// Its oid.
    pub fn oid(self) -> Oid {
        self.oid
    }

    /// Where the columns are that later versions have added.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// How many columns are the first ones in every version.
    pub(super) fn width(self) -> usize {
        self.shape.width()
    }

    /// Opens the table to be searched by an index with `keys` conditions; None if either cannot be used.
    pub fn search(self, by: Index, keys: usize) -> Option<OwnedProbe> {
        let table = self.open_to_read()?;
        let index = by.open(&table)?;
        Some(OwnedProbe::new(table, index, keys))
    }

    /// Calls `see` with the rows of these ids, found by an index that begins with the id, as the query sees them that
    /// calls the function: where the id is in the list, and the row. The ids are ascending, each once. None if the table
    /// or the index cannot be used. Locked as for a query.
    pub fn visit_ids(self, by: Index, ids: &[i64], see: impl FnMut(usize, &Row)) -> Option<()> {
        let table = self.fitting(patience::open_for_a_look(self.oid, Lock::Share.mode())?)?;
        let index = by.open(&table)?;
        scan::visit_ids(&table, &index, ids, see);
        Some(())
    }

    /// Opens the table to append; None if it is gone, has been changed, or is locked for longer than a trigger waits.
    /// The lock is kept to the end of the transaction.
    pub(super) fn open_to_append(self) -> Option<Relation> {
        self.fitting(patience::open(self.oid, Lock::RowExclusive.mode())?)
    }

    /// Opens the table to read; None as for [`Table::open_to_append`]. The lock is released when it is closed. A table
    /// that is also appended to is locked as for appending: a transaction that took the weaker lock first would
    /// deadlock with a REINDEX.
    pub fn open_to_read(self) -> Option<Relation> {
        let lock = if self.shape.is_fact() { Lock::RowExclusive } else { Lock::Share };
        self.fitting(patience::open_for_a_look(self.oid, lock.mode())?)
    }

    fn fitting(self, table: Relation) -> Option<Relation> {
        (self.shape.fits(&table, self.owner).ok()? == self.places).then_some(table)
    }

    /// True if no index of the table can refuse a row.
    pub(super) fn lets_in(self, indexes: impl IntoIterator<Item = Oid>) -> bool {
        indexes.into_iter().all(|index| self.shape.lets_in(index).is_ok())
    }
}

impl Index {
    /// Its oid.
    pub(super) fn oid(self) -> Oid {
        self.oid
    }

    /// Opens the index to search; None as for a table.
    pub(super) fn open(self, table: &Relation) -> Option<Relation> {
        let index = patience::open_for_a_look(self.oid, Lock::Share.mode())?;
        self.fits(&index, table).then_some(index)
    }

    /// True if the index can be searched as the extension does.
    pub(super) fn fits(self, index: &Relation, table: &Relation) -> bool {
        self.shape.fits(index, table).is_ok()
    }
}

impl Sequence {
    /// The oid of the sequence, locked against ALTER SEQUENCE; None as for a table.
    pub(super) fn lock(self) -> Option<Oid> {
        patience::lock(self.oid, Lock::RowExclusive.mode()).then_some(self.oid)
    }
}

/// The tables, indexes and sequences that triggers and calls read and write.
#[derive(Clone, Copy, PartialEq)]
pub struct OwnTables {
    pub source: Table,
    pub message: Table,
    pub variant: Table,
    pub goal: Table,
    pub goal_stop: Table,
    pub revision: Table,
    pub receipt: Table,
    pub receipt_user_idx: Index,
    pub receipt_id_idx: Index,
    /// None where it is missing: then receipts are found by their user, more slowly.
    pub receipt_row_idx: Option<Index>,
    pub receipt_id_seq: Sequence,
    pub engagement: Table,
    pub engagement_receipt_idx: Index,
    pub engagement_id_seq: Sequence,
    pub match_log: Table,
    pub match_log_receipt_idx: Index,
    pub match_id_seq: Sequence,
    /// None before 0.3.0.
    pub reference: Option<Table>,
    pub reference_row_idx: Option<Index>,
    pub message_name: Option<Table>,
    /// None where they are missing: then the whole table is read.
    pub message_pkey: Option<Index>,
    pub message_source_idx: Option<Index>,
    pub message_name_message_idx: Option<Index>,
    pub message_name_name_idx: Option<Index>,
    /// None where they are missing: then rows of campaigns tables make no messages.
    pub message_id_seq: Option<Sequence>,
    pub message_name_id_seq: Option<Sequence>,
    pub column_note: Option<Table>,
    pub hand_over: Option<Table>,
    /// None where they are missing: then the whole table is read.
    pub hand_over_from_idx: Option<Index>,
    pub hand_over_into_idx: Option<Index>,
    /// None where it is missing: then nothing is handed over.
    pub hand_over_id_seq: Option<Sequence>,
    pub ignored: Table,
    pub ignored_source_idx: Index,
}

/// The facts about receipts, to be read by the ids of these. Found without a subtransaction, which a parallel query cannot
/// start.
#[derive(Clone, Copy)]
pub struct Facts {
    pub receipt: (Table, Index),
    pub engagement: (Table, Index),
    pub match_log: (Table, Index),
    owner: Oid,
}

impl Facts {
    /// Finds and checks them.
    pub fn find() -> Result<Facts, Lacking> {
        let here = Here::look();
        let found = |table, index| Ok((here.readable(table)?.0, here.index(index)?));
        Ok(Facts {
            receipt: found(&schema::RECEIPT, &schema::RECEIPT_ID)?,
            engagement: found(&schema::ENGAGEMENT, &schema::ENGAGEMENT_RECEIPT)?,
            match_log: found(&schema::MATCH_LOG, &schema::MATCH_LOG_RECEIPT)?,
            owner: here.owner,
        })
    }

    /// [`OwnTables::as_owner`].
    pub fn as_owner<T>(&self, work: impl FnOnce() -> T) -> T {
        role::as_extension_owner(self.owner, work)
    }
}

/// Why an object of the extension cannot be used.
#[derive(Debug)]
pub enum Fault {
    /// There is no object of this name.
    Missing,
    /// It is not as the extension created it.
    Unfit(Unfit),
    /// An index as an earlier version created it, without the columns added since; the statements that replace it.
    Older(String),
    /// It is locked for longer than a trigger waits.
    Locked,
}

/// An object of the extension that cannot be used.
#[derive(Debug)]
pub struct Lacking {
    /// `table`, `index` or `sequence`.
    pub kind: &'static str,
    pub name: &'static str,
    pub fault: Fault,
}

/// Before 0.3.0 without its second column: an upgrade does not replace it, for that reads the whole table.
const MATCH_LOG_ID: &str = "match_log_id_idx";
/// Before 0.3.0 without the time of sending, and under another name.
const RECEIPT_SENT: &str = "receipt_sent_idx";
const RECEIPT_REVISION: &str = "receipt_revision_idx";
/// The days of which goals.slot_total has rows.
const DAY_SPLIT: &str = "day_total_split_idx";
/// Indexes that triggers do not use: goals.roll_up() finds the newest facts by them, and figures are read by them.
const OTHER_INDEXES: [(&str, &str); 4] = [
    ("revision_message_idx", "revision (message_id, revision_id)"),
    ("total_message_idx", "total (message_id)"),
    ("engagement_id_idx", "engagement USING brin (engagement_id) WITH (pages_per_range=16)"),
    (MATCH_LOG_ID, "match_log USING brin (match_id, matched_at) WITH (pages_per_range=16)"),
];

impl Lacking {
    /// True if nothing is recorded without it.
    pub fn stops_recording(&self) -> bool {
        let notes = [schema::IGNORED.name, schema::IGNORED_SOURCE.name];
        let is_note = notes.contains(&self.name) && !matches!(self.fault, Fault::Missing);
        !is_note
            && OF_SQL.iter().chain(&ADDED).all(|table| table.name != self.name)
            && ADDED_INDEX.iter().all(|index| index.name != self.name)
            && !ADDED_SEQUENCES.contains(&self.name)
            && OTHER_INDEXES.iter().chain(&OTHER_ADDED_INDEXES).all(|(name, _)| *name != self.name)
            && KEYS_OF_TOTALS.iter().all(|(name, ..)| *name != self.name)
            && self.name != RECEIPT_REVISION
    }

    /// True if goals.health() cannot check anything else without it.
    pub fn blocks(&self) -> bool {
        self.stops_recording() || OF_SQL.iter().chain(&ADDED).any(|table| table.name == self.name)
    }

    /// The consequence, for goals.health().
    pub fn harm(&self) -> &'static str {
        if matches!(self.fault, Fault::Older(_)) {
            "it is that of an earlier version: the figures of a period are read more slowly with it"
        } else if self.stops_recording() {
            "the triggers of new sessions do nothing without it; what is missed until it is back never counts"
        } else if self.name.starts_with("ignored") {
            "without it goals.health() does not show what the triggers ignore"
        } else if self.name == schema::RECEIPT_ROW.name {
            "rows of tracked tables of sends are recorded more slowly without it"
        } else if [MESSAGE_IDS, MESSAGE_NAME_IDS].contains(&self.name) {
            "new rows of campaigns tables make no messages without it"
        } else if self.kind == "index"
            && ["message_pkey", "message_source_idx", "message_name_name_idx"].contains(&self.name)
        {
            "the messages of campaigns tables are found more slowly without it"
        } else if self.name == HAND_OVER_IDS {
            "the receipts of users whose key changes are not handed over without it"
        } else if [schema::HAND_OVER_FROM.name, schema::HAND_OVER_INTO.name].contains(&self.name) {
            "where keys have changed or people were merged, matching is slow without it"
        } else if self.name == schema::REFERENCE_ROW.name {
            "a row of a tracked table of sends whose primary key changes is not known again without it"
        } else if self.name == DAY_SPLIT {
            "goals.roll_up() is slower without it"
        } else if self.kind == "index" && OTHER_ADDED_INDEXES.iter().any(|(name, _)| *name == self.name)
            || self.name.starts_with("receipt_")
            || self.name.ends_with("_message_idx")
        {
            "reading figures is slow without it"
        } else {
            "goals.roll_up() fails without it"
        }
    }

    /// For an index, the table and columns as in CREATE INDEX.
    pub fn definition(&self) -> Option<&'static str> {
        let searched = INDEXES.iter().chain(&ADDED_INDEX).map(|shape| (shape.name, shape.definition));
        searched
            .chain(OTHER_INDEXES)
            .chain(OTHER_ADDED_INDEXES)
            .find(|(name, _)| *name == self.name)
            .map(|(_, definition)| definition)
    }

    /// True if it is only locked, so that it may be found later.
    pub fn is_locked(&self) -> bool {
        matches!(self.fault, Fault::Locked)
    }
}

const TABLES: [&TableShape; 10] = [
    &schema::SOURCE,
    &schema::MESSAGE,
    &schema::VARIANT,
    &schema::GOAL,
    &schema::GOAL_STOP,
    &schema::REVISION,
    &schema::RECEIPT,
    &schema::ENGAGEMENT,
    &schema::MATCH_LOG,
    &schema::IGNORED,
];
const OF_SQL: [&TableShape; 3] = [&schema::TOTAL, &schema::WATERMARK, &schema::NEXT_WATERMARK];
/// Tables, indexes and a sequence that earlier versions of the extension's SQL do not have.
const ADDED: [&TableShape; 10] = [
    &schema::REFERENCE,
    &schema::MESSAGE_NAME,
    &schema::COLUMN_NOTE,
    &schema::REPLAY,
    &schema::HAND_OVER,
    &schema::FEED,
    &schema::DAY_TOTAL,
    &schema::SLOT_TOTAL,
    &schema::AGE_TOTAL,
    &schema::PAIR_TOTAL,
];
const ADDED_INDEX: [&IndexShape; 8] = [
    &schema::RECEIPT_ROW,
    &schema::REFERENCE_ROW,
    &schema::HAND_OVER_FROM,
    &schema::HAND_OVER_INTO,
    &schema::MESSAGE_ID,
    &schema::MESSAGE_SOURCE,
    &schema::MESSAGE_NAME_MESSAGE,
    &schema::MESSAGE_NAME_NAME,
];
const HAND_OVER_IDS: &str = "hand_over_id_seq";
const MESSAGE_NAME_IDS: &str = "message_name_message_name_id_seq";
const ADDED_SEQUENCES: [&str; 3] = [HAND_OVER_IDS, MESSAGE_IDS, MESSAGE_NAME_IDS];
const OTHER_ADDED_INDEXES: [(&str, &str); 5] = [
    (RECEIPT_SENT, "receipt (revision_id, sent_at)"),
    ("reference_receipt_idx", "reference (receipt_id)"),
    ("feed_place_idx", "feed (place)"),
    ("feed_receipt_idx", "feed (receipt_id)"),
    (DAY_SPLIT, "day_total (day) WHERE is_split"),
];
/// The keys by which goals.roll_up() adds to what is there.
const KEYS_OF_TOTALS: [(&str, &str, &str); 5] = [
    ("watermark_pkey", "watermark", "only_row"),
    ("day_total_pkey", "day_total", "message_id, goal_id, variant_id, day"),
    ("slot_total_pkey", "slot_total", "message_id, goal_id, slot, variant_id"),
    ("age_total_pkey", "age_total", "message_id, goal_id, variant_id, day, age"),
    ("pair_total_pkey", "pair_total", "message_id, goal, variant_id, first_day, second_day"),
];
const INDEXES: [&IndexShape; 5] = [
    &schema::RECEIPT_USER,
    &schema::RECEIPT_ID,
    &schema::ENGAGEMENT_RECEIPT,
    &schema::MATCH_LOG_RECEIPT,
    &schema::IGNORED_SOURCE,
];
const SEQUENCES: [&str; 3] = ["receipt_id_seq", "engagement_id_seq", "match_id_seq"];

impl OwnTables {
    /// Looks up all objects; Err is the first that cannot be used. If the extension is not installed, all are missing.
    pub fn find() -> Result<OwnTables, Lacking> {
        let here = Here::look();
        let table = |shape| here.table(shape);
        let index = |shape| here.index(shape);
        let sequence = |name| here.sequence(name);
        Ok(OwnTables {
            source: table(&schema::SOURCE)?,
            message: table(&schema::MESSAGE)?,
            variant: table(&schema::VARIANT)?,
            goal: table(&schema::GOAL)?,
            goal_stop: table(&schema::GOAL_STOP)?,
            revision: table(&schema::REVISION)?,
            receipt: table(&schema::RECEIPT)?,
            receipt_user_idx: index(&schema::RECEIPT_USER)?,
            receipt_id_idx: index(&schema::RECEIPT_ID)?,
            receipt_row_idx: index(&schema::RECEIPT_ROW).ok(),
            receipt_id_seq: sequence(SEQUENCES[0])?,
            engagement: table(&schema::ENGAGEMENT)?,
            engagement_receipt_idx: index(&schema::ENGAGEMENT_RECEIPT)?,
            engagement_id_seq: sequence(SEQUENCES[1])?,
            match_log: table(&schema::MATCH_LOG)?,
            match_log_receipt_idx: index(&schema::MATCH_LOG_RECEIPT)?,
            match_id_seq: sequence(SEQUENCES[2])?,
            reference: table(&schema::REFERENCE).ok(),
            reference_row_idx: index(&schema::REFERENCE_ROW).ok(),
            message_name: table(&schema::MESSAGE_NAME).ok(),
            column_note: table(&schema::COLUMN_NOTE).ok(),
            hand_over: unless_locked(table(&schema::HAND_OVER))?,
            hand_over_from_idx: unless_locked(index(&schema::HAND_OVER_FROM))?,
            hand_over_into_idx: unless_locked(index(&schema::HAND_OVER_INTO))?,
            hand_over_id_seq: unless_locked(sequence(HAND_OVER_IDS))?,
            message_pkey: unless_locked(index(&schema::MESSAGE_ID))?,
            message_source_idx: unless_locked(index(&schema::MESSAGE_SOURCE))?,
            message_name_message_idx: unless_locked(index(&schema::MESSAGE_NAME_MESSAGE))?,
            message_name_name_idx: unless_locked(index(&schema::MESSAGE_NAME_NAME))?,
            message_id_seq: unless_locked(sequence(MESSAGE_IDS))?,
            message_name_id_seq: unless_locked(sequence(MESSAGE_NAME_IDS))?,
            // Only notes are lost without these: they are checked when a note is written.
            ignored: here.found(&schema::IGNORED)?,
            ignored_source_idx: Index {
                oid: here.oid("index", schema::IGNORED_SOURCE.name)?,
                shape: &schema::IGNORED_SOURCE,
            },
        })
    }

    /// The name of the column that says of which users table a message or a source is: earlier versions of the
    /// extension's SQL, which this library serves as well, call it otherwise.
    pub fn users_column(&self) -> &'static str {
        let is_current = |table: Relation| table.column("users_source_id").is_some();
        if self.message.open_to_read().is_some_and(is_current) { "users_source_id" } else { "users_id" }
    }

    /// Runs `work` as the owner of the extension, with only `pg_catalog` on the search path.
    pub fn as_owner<T>(&self, work: impl FnOnce() -> T) -> T {
        role::as_extension_owner(self.revision.owner, work)
    }

    /// The table of notes for goals.health() and its index, even if other objects cannot be used.
    pub fn notes() -> Option<(Table, Index)> {
        let here = Here::look();
        here.table(&schema::IGNORED).ok().zip(here.index(&schema::IGNORED_SOURCE).ok())
    }

    /// All objects that cannot be used. Waits for no lock.
    pub fn lacking() -> Vec<Lacking> {
        patience::without_waiting(OwnTables::look_at_all)
    }

    fn look_at_all() -> Vec<Lacking> {
        let here = Here::look();
        let is_current = here.table(&schema::RECEIPT).is_ok_and(|receipts| receipts.places != Places::default());
        let added = ADDED.into_iter().filter(|_| is_current);
        let tables = TABLES.into_iter().chain(OF_SQL).chain(added).filter_map(|shape| here.table(shape).err());
        let added = ADDED_INDEX.into_iter().filter(|_| is_current);
        let indexes = INDEXES.into_iter().chain(added).filter_map(|shape| here.index(shape).err());
        let sequences = SEQUENCES
            .into_iter()
            .chain(ADDED_SEQUENCES.into_iter().filter(|_| is_current))
            .filter_map(|name| here.sequence(name).err());
        // An index is not reported if its table cannot be used.
        let mut found: Vec<Lacking> = tables.collect();
        let of_those = |name: &str| {
            INDEXES.iter().chain(&ADDED_INDEX).any(|i| i.name == name && found.iter().any(|t| t.name == i.table))
        };
        let indexes: Vec<Lacking> = indexes.filter(|i| i.kind == "index" && !of_those(i.name)).collect();
        found.extend(indexes);
        found.extend(
            OTHER_INDEXES
                .into_iter()
                .chain(OTHER_ADDED_INDEXES.into_iter().filter(|_| is_current))
                .filter_map(|(name, definition)| here.other_index(name, definition).err())
                .map(|lacking| here.or_older(lacking)),
        );
        found.extend(is_current.then(|| here.older_index()).flatten());
        let keys =
            KEYS_OF_TOTALS.into_iter().filter(|(_, table, _)| is_current && found.iter().all(|t| t.name != *table));
        let keys: Vec<Lacking> =
            keys.filter_map(|(name, table, columns)| here.missing_key(name, table, columns)).collect();
        found.extend(keys);
        found.extend(sequences);
        found
    }

    /// The unlogged tables, which a crash of the server empties.
    pub fn unlogged() -> Vec<&'static str> {
        let here = Here::look();
        let is_unlogged = |shape: &&TableShape| {
            let oid = here.oid("table", shape.name).ok();
            oid.and_then(|oid| patience::open_for_a_look(oid, Lock::Share.mode())).is_some_and(|t| t.is_unlogged())
        };
        patience::without_waiting(|| {
            TABLES.into_iter().chain(OF_SQL).chain(ADDED).filter(is_unlogged).map(|shape| shape.name).collect()
        })
    }

    /// The oids of all objects: a change of one makes the look-up stale.
    pub fn oids(&self) -> [Oid; 28] {
        let tables = [
            self.source,
            self.message,
            self.variant,
            self.goal,
            self.goal_stop,
            self.revision,
            self.receipt,
            self.engagement,
            self.match_log,
            self.ignored,
        ];
        let indexes = [
            self.receipt_user_idx,
            self.receipt_id_idx,
            self.engagement_receipt_idx,
            self.match_log_receipt_idx,
            self.ignored_source_idx,
        ];
        let sequences = [self.receipt_id_seq, self.engagement_id_seq, self.match_id_seq];
        let mut all = [Oid::INVALID; 28];
        let added = [
            self.hand_over.map(|t| t.oid),
            self.hand_over_from_idx.map(|i| i.oid),
            self.hand_over_into_idx.map(|i| i.oid),
            self.hand_over_id_seq.map(|s| s.oid),
            self.message_pkey.map(|i| i.oid),
            self.message_source_idx.map(|i| i.oid),
            self.message_name_message_idx.map(|i| i.oid),
            self.message_name_name_idx.map(|i| i.oid),
            self.message_id_seq.map(|s| s.oid),
            self.message_name_id_seq.map(|s| s.oid),
        ];
        let found = tables.map(|t| t.oid).into_iter().chain(indexes.map(|i| i.oid)).chain(sequences.map(|s| s.oid));
        let found = found.chain(added.into_iter().flatten());
        all.iter_mut().zip(found).for_each(|(to, oid)| *to = oid);
        all
    }
}

/// What can be done without; Err if it is only locked: a person must not be taken for another one because of that.
fn unless_locked<T>(found: Result<T, Lacking>) -> Result<Option<T>, Lacking> {
    match found {
        Err(lacking) if lacking.is_locked() => Err(lacking),
        found => Ok(found.ok()),
    }
}

/// The schema in which the extension's objects are looked up.
struct Here {
    schema: Oid,
    owner: Oid,
}

impl Here {
    fn look() -> Here {
        // SAFETY: a catalog lookup by name that returns InvalidOid if there is none.
        let schema = unsafe { pg_sys::get_namespace_oid(c"goals".as_ptr(), true) };
        Here { schema, owner: extension_owner() }
    }

    fn oid(&self, kind: &'static str, name: &'static str) -> Result<Oid, Lacking> {
        let c_name = CString::new(name).unwrap_or_default();
        // SAFETY: as above.
        let oid = unsafe { pg_sys::get_relname_relid(c_name.as_ptr(), self.schema) };
        if oid == Oid::INVALID { Err(Lacking { kind, name, fault: Fault::Missing }) } else { Ok(oid) }
    }

    fn found(&self, shape: &'static TableShape) -> Result<Table, Lacking> {
        Ok(Table { oid: self.oid("table", shape.name)?, owner: self.owner, shape, places: Places::default() })
    }

    /// A table whose columns are where they are read.
    fn readable(&self, shape: &'static TableShape) -> Result<(Table, Relation), Lacking> {
        let lacking = |fault| Lacking { kind: "table", name: shape.name, fault };
        let mut found = self.found(shape)?;
        let oid = found.oid;
        let table = patience::open_for_a_look(oid, Lock::Share.mode()).ok_or_else(|| lacking(not_opened(oid)))?;
        found.places = shape.fits(&table, self.owner).map_err(|unfit| lacking(Fault::Unfit(unfit)))?;
        Ok((found, table))
    }

    fn table(&self, shape: &'static TableShape) -> Result<Table, Lacking> {
        let lacking = |fault| Lacking { kind: "table", name: shape.name, fault };
        let (found, table) = self.readable(shape)?;
        for index in table.indexes() {
            shape.lets_in(index).map_err(|unfit| lacking(Fault::Unfit(unfit)))?;
        }
        if shape.width() > 0 {
            super::additions::Additions::of(&table, shape.width(), &found.places)
                .map_err(|unfit| lacking(Fault::Unfit(unfit)))?;
        }
        Ok(found)
    }

    fn index(&self, shape: &'static IndexShape) -> Result<Index, Lacking> {
        let lacking = |fault| Lacking { kind: "index", name: shape.name, fault };
        let oid = self.oid("index", shape.name)?;
        let of = self.oid("table", shape.table)?;
        let table = patience::open_for_a_look(of, Lock::Share.mode()).ok_or_else(|| lacking(not_opened(of)))?;
        let index = patience::open_for_a_look(oid, Lock::Share.mode()).ok_or_else(|| lacking(not_opened(oid)))?;
        shape.fits(&index, &table).map_err(|unfit| lacking(Fault::Unfit(unfit)))?;
        Ok(Index { oid, shape })
    }

    fn other_index(&self, name: &'static str, definition: &'static str) -> Result<(), Lacking> {
        let oid = self.oid("index", name)?;
        let fits = patience::open_for_a_look(oid, Lock::Share.mode()).is_none_or(|index| {
            index.kind() == pg_sys::RELKIND_INDEX
                && (index.access_method() == pg_sys::BRIN_AM_OID) == definition.contains("USING brin")
                && index.index_form().indisvalid
        });
        if fits {
            return Ok(());
        }
        let unfit = Unfit {
            why: "it is not the index that the extension creates, or it is invalid".into(),
            mend: format!(
                "DROP INDEX CONCURRENTLY goals.{name}, then CREATE INDEX CONCURRENTLY {name} ON goals.{definition}"
            ),
        };
        Err(Lacking { kind: "index", name, fault: Fault::Unfit(unfit) })
    }

    /// The index of match ids, if it is that of an earlier version. It is renamed before it is dropped, because
    /// goals.roll_up() asks for the name.
    fn older_index(&self) -> Option<Lacking> {
        let index = patience::open_for_a_look(self.oid("index", MATCH_LOG_ID).ok()?, Lock::Share.mode())?;
        let is_older = index.kind() == pg_sys::RELKIND_INDEX
            && index.access_method() == pg_sys::BRIN_AM_OID
            && index.index_form().indnatts == 1;
        let (_, definition) = OTHER_INDEXES.iter().find(|(name, _)| *name == MATCH_LOG_ID)?;
        let mend = format!(
            "CREATE INDEX CONCURRENTLY match_log_id_new ON goals.{definition}; \
             ALTER INDEX goals.{MATCH_LOG_ID} RENAME TO match_log_id_old; \
             ALTER INDEX goals.match_log_id_new RENAME TO {MATCH_LOG_ID}; \
             DROP INDEX CONCURRENTLY goals.match_log_id_old"
        );
        is_older.then_some(Lacking { kind: "index", name: MATCH_LOG_ID, fault: Fault::Older(mend) })
    }

    /// A key that has been dropped.
    fn missing_key(&self, name: &'static str, table: &str, columns: &str) -> Option<Lacking> {
        let unfit = Unfit {
            why: "it is missing".into(),
            mend: format!("ALTER TABLE goals.{table} ADD CONSTRAINT {name} PRIMARY KEY ({columns})"),
        };
        self.oid("index", name).err().map(|_| Lacking { kind: "index", name, fault: Fault::Unfit(unfit) })
    }

    /// A missing index, or the one of an earlier version that stands in for it.
    fn or_older(&self, lacking: Lacking) -> Lacking {
        let is_sent = lacking.name == RECEIPT_SENT && matches!(lacking.fault, Fault::Missing);
        let Some(definition) = lacking.definition().filter(|_| is_sent && self.oid("index", RECEIPT_REVISION).is_ok())
        else {
            return lacking;
        };
        let mend = format!(
            "CREATE INDEX CONCURRENTLY {RECEIPT_SENT} ON goals.{definition}; \
             DROP INDEX CONCURRENTLY goals.{RECEIPT_REVISION}"
        );
        Lacking { kind: "index", name: RECEIPT_REVISION, fault: Fault::Older(mend) }
    }

    fn sequence(&self, name: &'static str) -> Result<Sequence, Lacking> {
        let oid = self.oid("sequence", name)?;
        let lacking = |fault| Lacking { kind: "sequence", name, fault };
        shape::sequence_fits(name, oid).map_err(|unfit| lacking(Fault::Unfit(unfit)))?;
        let last = self.last_id(name);
        let sequence = patience::open_for_a_look(oid, Lock::Share.mode()).ok_or_else(|| lacking(not_opened(oid)))?;
        shape::sequence_goes_on(name, &sequence, last).map_err(|unfit| lacking(Fault::Unfit(unfit)))?;
        Ok(Sequence { oid })
    }

    /// The highest id of a sequence that is known to be in use: that of the newest receipt, or the watermark of the
    /// totals.
    fn last_id(&self, sequence: &str) -> i64 {
        let mut last = 0;
        let column = match sequence {
            "receipt_id_seq" => "receipt_id",
            "engagement_id_seq" => "engagement_id",
            "match_id_seq" => "match_id",
            MESSAGE_IDS => return self.last_message_id(),
            _ => return last,
        };
        let marks = self.oid("table", schema::WATERMARK.name).ok();
        let look = |oid| patience::without_waiting(|| patience::open_for_a_look(oid, Lock::Share.mode()));
        let marks = marks.and_then(look);
        if let Some(marks) =
            marks.filter(|m| m.kind() == pg_sys::RELKIND_RELATION && m.access_method() == pg_sys::HEAP_TABLE_AM_OID)
            && let Some(column) = marks.column(column).filter(|c| c.type_oid == pg_sys::INT8OID)
        {
            scan::visit_all(&marks, |row| {
                last = last.max(row.bigint(column.number));
                ControlFlow::Continue(())
            });
        }
        if column == "receipt_id"
            && let (Ok(table), Ok(index)) = (self.table(&schema::RECEIPT), self.index(&schema::RECEIPT_ID))
            && let Some(mut receipts) = table.search(index, 1)
        {
            let above = scan::Key {
                attribute: 1,
                strategy: pg_sys::BTGreaterEqualStrategyNumber,
                function: pg_sys::F_INT8GE,
                value: last.into(),
                collation: Oid::INVALID,
            };
            receipts.visit(&[above], true, |row| {
                last = last.max(row.bigint(1));
                ControlFlow::Break(())
            });
        }
        last
    }
}

impl Here {
    /// The highest id of a message.
    fn last_message_id(&self) -> i64 {
        let mut last = 0;
        let (table, index) = (self.table(&schema::MESSAGE), self.index(&schema::MESSAGE_ID));
        if let Some(mut messages) = table.ok().zip(index.ok()).and_then(|(table, index)| table.search(index, 0)) {
            messages.visit(&[], true, |row| {
                last = row.integer(schema::message::message_id).unwrap_or(0).into();
                ControlFlow::Break(())
            });
        }
        last
    }
}

fn not_opened(oid: Oid) -> Fault {
    if relation::exists(oid) { Fault::Locked } else { Fault::Missing }
}

/// The owner of the extension; InvalidOid if it is not installed.
pub(super) fn extension_owner() -> Oid {
    let mut owner = Oid::INVALID;
    let Some(extensions) = Relation::open(pg_sys::ExtensionRelationId, Lock::Share) else { return owner };
    let number = |name: &str| extensions.column(name).map(|c| c.number);
    if let (Some(name), Some(of)) = (number("extname"), number("extowner")) {
        scan::visit_all(&extensions, |row| {
            if row.name(name).as_deref() == Some("pg_goals") {
                owner = row.integer(of).map_or(Oid::INVALID, |o| Oid::from_u32(o as u32));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
    }
    owner
}
