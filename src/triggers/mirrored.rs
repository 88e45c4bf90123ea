//! Reading the rows of the application's tables of events and sends.

use super::own_columns::Places;
use super::partition_moves;
use crate::matching::engagements::Engagement;
use crate::matching::records;
use crate::model::only::Condition;
use crate::model::reference::reference;
use crate::model::value::Value;
use crate::pg::datum::{Layout, Row};
use crate::pg::deleted;
use crate::pg::encoding;
use crate::pg::kept_open;
use crate::pg::key::{self, KeyType};
use crate::pg::moved::KeptRow;
use crate::pg::patience;
use crate::pg::relation::{self, Relation};
use crate::pg::trigger::Trigger;
use crate::pg::types::ColumnType;
use crate::pg::user_lookup::{Unopened, Users};
use crate::pg::zone::Zone;
use crate::setup::cache;
use crate::setup::definitions::{RowId, Setup, Source};
use pgrx::pg_sys::Oid;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::rc::Rc;

/// In bytes. create_message, add_variant and set_goal refuse longer names.
const LONGEST_NAME: usize = 1000;

/// The name of a message, a variant or an event in a row.
#[derive(PartialEq, Eq)]
pub enum Name {
    Of(String),
    /// A uuid or a whole number.
    Exact(String),
    TooLong,
}

impl Name {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Name::Of(name) | Name::Exact(name) => Some(name),
            Name::TooLong => None,
        }
    }

    /// The name or id; None for one that is too long.
    pub fn known(self) -> Option<String> {
        match self {
            Name::Of(name) | Name::Exact(name) => Some(name),
            Name::TooLong => None,
        }
    }

    /// The message that is meant. `campaigns`: see [`Reading::campaigns`].
    pub fn id(&self, campaigns: Option<i32>) -> Option<RowId<'_>> {
        Some(RowId { text: self.as_str()?, is_exact: matches!(self, Name::Exact(_)), campaigns })
    }

    /// The name as goals.health() shows it; the same text for all that are too long.
    pub fn shown(&self) -> &str {
        self.as_str().unwrap_or("(a name of more than 1000 bytes)")
    }
}

/// A column of a tracked table or partition.
pub struct Field {
    pub number: i16,
    column_type: ColumnType,
    /// Of times without a zone; None for the session's.
    zone: Option<Zone>,
}

impl Field {
    fn find(table: &Relation, name: Option<&String>) -> Option<Field> {
        Some(Field::of(&table.column(name?)?))
    }

    fn of(column: &relation::Column) -> Field {
        let column_type = ColumnType::resolve(column.type_oid, column.collation);
        Field { number: column.number, column_type, zone: None }
    }

    /// The name or id in this column; None for NULL. A value too long for a name is not fetched.
    pub fn name(&self, row: &Row) -> Option<Name> {
        if self.column_type.is_longer(row, self.number, LONGEST_NAME) {
            return Some(Name::TooLong);
        }
        match self.column_type.value(row, self.number) {
            Value::Number(id) => Some(Name::Exact(id.to_string())),
            Value::Text(text) => {
                let text = encoding::model_to_string(&text);
                let long = encoding::from_string(&text).len() > LONGEST_NAME;
                Some(match self.column_type.is_of_exact_ids() {
                    true => Name::Exact(text),
                    false if long => Name::TooLong,
                    false => Name::Of(text),
                })
            }
            _ => None,
        }
    }

    /// True if the column has a value; an infinite time is none, as applications write "never".
    pub fn is_set(&self, row: &Row) -> bool {
        row.get(self.number).is_some_and(|value| !self.column_type.is_infinite(value))
    }

    /// The time in microseconds; None for NULL and for infinite times.
    pub fn time(&self, row: &Row) -> Option<i64> {
        row.get(self.number).and_then(|d| self.column_type.time(d, self.zone))
    }
}

/// A column that decides whether a row counts, and the values that it must have.
struct Deciding {
    field: Field,
    condition: Condition,
}

impl Deciding {
    fn find(table: &Relation, condition: &Condition) -> Option<Deciding> {
        Some(Deciding { field: Field::find(table, Some(&condition.column))?, condition: condition.clone() })
    }

    fn holds(&self, row: &Row) -> bool {
        self.field.column_type.fulfils(row, self.field.number, &self.condition)
    }
}

/// How a tracked table of events or sends is read.
pub struct Reading {
    pub source: Rc<Source>,
    pub key: Field,
    pub key_type: KeyType,
    pub event: Option<Field>,
    pub message: Option<Field>,
    pub variant: Option<Field>,
    pub properties: Option<Field>,
    pub occurred: Option<Field>,
    pub opened: Option<Field>,
    pub clicked: Option<Field>,
    /// The list that a row is a membership of.
    pub list: Option<Field>,
    status: Option<Field>,
    member: Vec<Deciding>,
    /// The column that becomes known when the event happens.
    on_column: Option<Field>,
    /// Where the properties are, for a table without a column of properties.
    pub(super) places: Places,
    pub delivered: Option<Field>,
    pub bounced: Option<Field>,
    pub complained: Option<Field>,
    pub unsubscribed: Option<Field>,
    pub failed: Option<Field>,
    /// The column with the time of the send or engagement, whatever its type is now.
    pub dated: Option<Field>,
    /// What every engagement of the table is.
    constant: Option<Engagement>,
    /// The column that says what it is, and what its values mean.
    kind: Option<Field>,
    kinds: Vec<(String, Engagement)>,
    /// The columns of the primary key; empty if the table has none.
    primary_key: Vec<Field>,
    only: Vec<Deciding>,
    /// The tables and columns that the column with messages refers to.
    refers_to: Vec<(Oid, String)>,
    read: Columns,
}

/// The columns of a table that are read, in the order of their numbers.
struct Columns {
    layout: Layout,
    fields: Vec<Field>,
}

impl Columns {
    fn of(table: &Relation, mut fields: Vec<Field>) -> Columns {
        fields.sort_unstable_by_key(|field| field.number);
        fields.dedup_by_key(|field| field.number);
        Columns { layout: Layout::up_to(table, fields.last().map_or(0, |field| field.number)), fields }
    }
}

impl Reading {
    fn of(setup: &Setup, trigger: &Trigger, kind: &str) -> Option<Reading> {
        let source = cache::trigger_source(setup, trigger, kind)?.clone();
        if is_read_above(setup, trigger, &source) {
            return None;
        }
        Reading::of_table(source, &trigger.relation())
    }

    /// How a table or partition of this source is read; None if its key column, or one that decides whether a row
    /// counts, is missing or of another kind.
    pub fn of_table(source: Rc<Source>, table: &Relation) -> Option<Reading> {
        let key = Field::find(table, Some(&source.key))?;
        let key_type = key.column_type.key_type()?;
        let options = &source.options;
        let zone = options.time_zone.as_deref().and_then(Zone::named);
        let only = options.only.conditions().iter().map(|c| Deciding::find(table, c)).collect::<Option<_>>()?;
        let member = options.member.conditions().iter().map(|c| Deciding::find(table, c)).collect::<Option<_>>()?;
        // The inner None: the column is missing.
        let required = |name: &Option<String>| match name {
            Some(name) => Field::find(table, Some(name)).map(Some),
            None => Some(None),
        };
        let on_column = required(&options.on_column)?.map(|field| Field { zone, ..field });
        let status = required(&options.status)?;
        // A column that has been given another type since is not read; goals.health() shows it.
        let find = |name: &Option<String>, fits: fn(&ColumnType) -> bool| {
            Field::find(table, name.as_ref()).filter(|field| fits(&field.column_type))
        };
        let message = find(&source.message, ColumnType::is_of_ids);
        let refers_to = message.as_ref().map_or_else(Vec::new, |field| table.referred_to_by(field.number));
        let time = |name| find(name, ColumnType::is_of_times).map(|field| Field { zone, ..field });
        // Without the columns that say whether a row is complete, no row counts.
        let completes = matches!(source.kind.as_str(), "receipts" | "engagements");
        let said = |name: &Option<String>| match name {
            Some(name) if completes => Field::find(table, Some(name)).map(Some),
            _ => Some(None),
        };
        let (dated, failed) = (said(&source.occurred)?, said(&options.failed_at)?);
        let kind = said(&options.kind_column)?.filter(|field| field.column_type.is_of_ids());
        let meant = |(value, kind): &(String, String)| Some((value.clone(), Engagement::named(kind)?));
        let primary_key: Vec<Field> = table.primary_key(source.relation).iter().map(Field::of).collect();
        let names = [&source.event, &source.message, &source.variant, &source.properties, &source.occurred];
        let names = names.into_iter().chain([&source.opened, &source.clicked]).flatten().chain(options.columns());
        let names = names.chain([&source.key]).chain(options.only.conditions().iter().map(|c| &c.column));
        let read = names.filter_map(|name| Field::find(table, Some(name)));
        let read = Columns::of(table, read.chain(table.primary_key(source.relation).iter().map(Field::of)).collect());
        Some(Reading {
            key,
            key_type,
            event: find(&source.event, ColumnType::is_of_ids),
            message,
            refers_to,
            variant: find(&source.variant, ColumnType::is_of_ids),
            properties: find(&source.properties, ColumnType::is_jsonb),
            occurred: time(&source.occurred),
            opened: time(&source.opened),
            clicked: time(&source.clicked),
            list: find(&options.list, ColumnType::is_of_ids),
            status,
            member,
            on_column,
            places: Places::default(),
            delivered: time(&options.delivered_at),
            bounced: time(&options.bounced_at),
            complained: time(&options.complained_at),
            unsubscribed: time(&options.unsubscribed_at),
            failed,
            dated,
            constant: options.engagement.as_deref().and_then(Engagement::named),
            kind,
            kinds: options.kinds.iter().filter_map(meant).collect(),
            primary_key,
            only,
            read,
            source,
        })
    }

    /// The key in the row; None for NULL and for a key too long to be a user's, which is not fetched.
    pub(super) fn key(&self, row: &Row) -> Option<Vec<u8>> {
        let key = row.get(self.key.number)?;
        (!self.key.column_type.is_longer(row, self.key.number, key::LONGEST_TO_COMPRESS))
            .then(|| self.key_type.text(key))
    }

    /// True if the row is one of those that count.
    pub fn counts(&self, row: &Row) -> bool {
        self.only.iter().all(|deciding| deciding.holds(row))
    }

    /// True if the rows of the table become events: when they are inserted, or by a later update.
    pub fn is_awaited(&self) -> bool {
        self.on_column.is_some() || !self.only.is_empty()
    }

    /// True if the row is an event of a user: it names both, its column is known, and it is one of those that count.
    pub fn is_complete(&self, row: &Row) -> bool {
        let is_known = |field: &Field| row.get(field.number).is_some();
        self.on_column.iter().chain([&self.key]).chain(&self.event).all(is_known) && self.counts(row)
    }

    /// The list that the row is a membership of; None if it is none.
    pub fn membership(&self, row: &Row) -> Option<Name> {
        row.get(self.key.number)?;
        let is_known = |field: &Field| row.get(field.number).is_some();
        let is_member = match self.member.as_slice() {
            [] => self.status.as_ref().is_none_or(is_known),
            member => member.iter().all(|deciding| deciding.holds(row)),
        };
        if is_member { self.list.as_ref()?.name(row) } else { None }
    }

    /// The time of the event in the row; None if it has none.
    pub fn time_of_event(&self, row: &Row) -> Option<i64> {
        self.occurred.iter().chain(&self.on_column).find_map(|field| field.time(row))
    }

    /// True if the row names a user and, in a table of messages, a message.
    pub fn is_named(&self, row: &Row) -> bool {
        let is_known = |field: &Field| row.get(field.number).is_some();
        is_known(&self.key) && self.message.as_ref().is_none_or(is_known)
    }

    /// What happened, if the row is a complete engagement: it names a message and user, or a send, and has a time where
    /// there is a column for it.
    pub fn engagement(&self, row: &Row) -> Option<Engagement> {
        let is_complete = self.is_named(row)
            && self.dated.as_ref().is_none_or(|field| row.get(field.number).is_some())
            && self.counts(row);
        if !is_complete {
            return None;
        }
        let Some(field) = &self.kind else { return self.constant };
        let name = field.name(row)?;
        self.kinds.iter().find(|(value, _)| name.as_str() == Some(value)).map(|(_, kind)| *kind)
    }

    /// The text form of the key in the row, by which a row of another table is found; None if it is too long.
    pub fn key_form(&self, row: &Row) -> Option<Vec<u8>> {
        let (number, column_type) = (self.key.number, &self.key.column_type);
        let is_long = column_type.is_longer(row, number, key::LONGEST_TO_COMPRESS);
        let form = row.get(number).filter(|_| !is_long).and_then(|value| column_type.text_form(value))?;
        match self.source.options.send_is.as_deref() {
            Some("number") => KeyType::BigInt.canonical(&form),
            Some("uuid") => KeyType::Uuid.canonical(&form),
            _ => Some(form),
        }
    }

    /// True if all columns that are read have the bytes that they had in `old`, a row of the same partition.
    pub fn reads_the_same(&self, old: &Row, row: &Row) -> bool {
        let Columns { layout, fields } = &self.read;
        let (mut was, mut is) = (old.walk(layout), row.walk(layout));
        fields.iter().all(|field| !field.column_type.bytes_differ(was.get(field.number), is.get(field.number)))
    }

    /// True if the row names another message or user than it did as `old`, in a partition that is read as `before`.
    pub fn names_another(&self, row: &Row, before: &Reading, old: &Row) -> bool {
        let differs = |is: &Field, was: &Field| {
            is.column_type.type_oid() != was.column_type.type_oid()
                || is.column_type.bytes_differ(old.get(was.number), row.get(is.number))
        };
        differs(&self.key, &before.key)
            || self.message.as_ref().zip(before.message.as_ref()).is_some_and(|(is, was)| differs(is, was))
    }

    /// The source of the table of campaigns whose ids the column with messages has: the one that its foreign key names;
    /// where it has none, the only one.
    pub fn campaigns(&self, setup: &Setup) -> Option<i32> {
        let mut tables = setup.sources.iter().filter(|source| source.kind == "messages");
        if !self.refers_to.is_empty() {
            let is_named = |source: &&Rc<Source>| {
                let refers = |(table, column): &(Oid, String)| *table == source.relation && *column == source.key;
                self.refers_to.iter().any(refers)
            };
            return tables.find(is_named).map(|source| source.id);
        }
        let mut attached = tables.filter(|source| source.attached);
        let first = attached.next()?;
        if attached.clone().next().is_none() {
            return Some(first.id);
        }
        // One that was dropped is in the way of none.
        let is_there = |source: &&Rc<Source>| relation::exists(source.relation);
        let mut there = std::iter::once(first).chain(attached).filter(is_there);
        let first = there.next()?;
        if there.clone().next().is_none() {
            return Some(first.id);
        }
        let mut of_users = std::iter::once(first).chain(there).filter(|source| source.users == self.source.users);
        of_users.next().filter(|_| of_users.next().is_none()).map(|source| source.id)
    }

    /// The reference of the row; None if its table has no primary key.
    pub fn reference(&self, row: &Row) -> Option<i64> {
        let value = |field: &Field| field.column_type.text_form(row.get(field.number)?);
        let key: SmallVec<[Vec<u8>; 2]> = self.primary_key.iter().map(value).collect::<Option<_>>()?;
        (!key.is_empty()).then(|| reference(self.source.id, key))
    }

    /// True if the row has, byte for byte, the primary key that it had as `old`, in a partition that is read as
    /// `before`.
    pub fn has_key_of(&self, row: &Row, before: &Reading, old: &Row) -> bool {
        self.primary_key.len() == before.primary_key.len()
            && self.primary_key.iter().zip(&before.primary_key).all(|(is, was)| {
                is.column_type.type_oid() == was.column_type.type_oid()
                    && !is.column_type.bytes_differ(old.get(was.number), row.get(is.number))
            })
    }

    /// A hash of what is read of the row and does not change when it is moved: its primary key, user and name, or
    /// everything.
    fn identity(&self, row: &Row) -> i64 {
        let named = [Some(&self.key), self.event.as_ref(), self.message.as_ref(), self.kind.as_ref()];
        let others = [&self.variant, &self.properties, &self.occurred, &self.opened, &self.clicked, &self.on_column];
        let later = [&self.delivered, &self.bounced, &self.complained, &self.unsubscribed, &self.failed];
        let others = others.into_iter().chain(later).map(Option::as_ref).filter(|_| self.primary_key.is_empty());
        let fields = self.primary_key.iter().chain(named.into_iter().chain(others).flatten());
        reference(
            self.source.id,
            fields.map(|field| {
                let value = row.get(field.number);
                let form = value.and_then(|v| field.column_type.text_form(v));
                let bytes = form.or_else(|| value.map(|_| row.bytes(field.number).unwrap_or_default().to_vec()));
                bytes.map_or_else(Vec::new, |mut bytes| {
                    bytes.push(1);
                    bytes
                })
            }),
        )
    }

    /// Remembers a row that is deleted: it may be inserted again.
    pub fn deleted(&self, row: &Row) {
        deleted::note(self.source.id, self.identity(row));
    }

    /// True if the transaction has deleted this row and inserts it again.
    pub fn is_moved(&self, row: &Row) -> bool {
        !deleted::is_empty() && deleted::take(self.source.id, self.identity(row))
    }

    /// True if `old`, which has left `partition`, has the same user and name as `row`: then they are the same row.
    fn is_alike(&self, row: &Row, partition: &Relation, old: &Row) -> bool {
        let Some(before) = Reading::of_table(self.source.clone(), partition) else { return false };
        let name = |reading: &Reading, row| {
            let field = reading.event.as_ref().or(reading.message.as_ref()).or(reading.list.as_ref());
            field.and_then(|f| f.name(row))
        };
        self.key(row) == before.key(old) && name(self, row) == name(&before, old)
    }
}

/// True if the table was tracked before it became a partition of a tracked table. The row is then read for the parent
/// only, so that it counts once.
pub fn is_read_above(setup: &Setup, trigger: &Trigger, source: &Source) -> bool {
    let siblings = trigger.siblings();
    let mut others = siblings.iter().filter_map(|id| setup.source(id.parse().ok()?));
    let same_users = |s: &Source| s.kind != "events" || s.users == source.users;
    others.any(|s| {
        s.attached && s.reads_as(source) && same_users(s) && relation::ancestors(source.relation).contains(&s.relation)
    })
}

/// A trigger, the set-up, and how its table is read under that.
type LastReading = (Oid, Rc<Setup>, Option<Rc<Reading>>);

/// How many tables are remembered.
const KEPT: usize = 8;

thread_local! {
    /// How the tables whose triggers fired last are read, and under which set-up: a table may have several triggers, and a
    /// partitioned one has some per partition.
    static READINGS: RefCell<Vec<LastReading>> = const { RefCell::new(Vec::new()) };
}

/// The set-up, and how the table of this trigger is read; None if it is not tracked as `kind` or is read for its
/// parent.
pub fn reading(trigger: &Trigger, kind: &str) -> Option<(Rc<Setup>, Rc<Reading>)> {
    let setup = cache::setup()?;
    let fresh = cache::tables_are_fresh(trigger.relid());
    let known = READINGS.with_borrow(|readings| {
        let found = readings.iter().find(|(oid, under, _)| *oid == trigger.oid() && Rc::ptr_eq(under, &setup));
        found.filter(|_| fresh).map(|(_, _, reading)| reading.clone())
    });
    let reading = known.unwrap_or_else(|| {
        let reading = Reading::of(&setup, trigger, kind).map(Rc::new);
        READINGS.with_borrow_mut(|readings| {
            readings.retain(|(oid, under, _)| fresh && *oid != trigger.oid() && Rc::ptr_eq(under, &setup));
            readings.truncate(KEPT - 1);
            readings.insert(0, (trigger.oid(), setup.clone(), reading.clone()));
        });
        reading
    });
    reading.map(|r| (setup, r))
}

/// True if the row that has just left its partition is the row inserted here.
pub fn is_same(trigger: &Trigger, reading: &Reading, row: &Row, left: &mut KeptRow) -> bool {
    let mut alike = false;
    left.show(|partition, old| alike = reading.is_alike(row, partition, old));
    partition_moves::belongs(trigger, reading.source.relation, alike)
}

/// The key of the user whose row has this value in a column that names one; None if there is no such user.
fn named_user(users: &Source, column: &str, value: &[u8]) -> Option<Vec<u8>> {
    let mut found = None;
    // Does not wait for a lock.
    let there = match Users::open_named_by(users.relation, column, &users.key, false) {
        Ok(mut table) => table.find(value, |_, _, key| found = Some(key.to_vec())),
        Err(Unopened::Locked) => None,
        // goals.health() shows that the index is gone.
        Err(Unopened::Lacking) => Some(false),
    };
    if there.is_none() {
        patience::unread(users.relation);
    }
    found.filter(|key| key::fits(key))
}

/// The key as the users table writes it: the columns of the two tables may have different types.
pub fn user_key(setup: &Setup, reading: &Reading, users: i32, row: &Row) -> Option<Vec<u8>> {
    let key = reading.key(row)?;
    let options = &reading.source.options;
    if let Some(column) = &options.user_by {
        return options.users_by.contains(&users).then(|| named_user(setup.source(users)?, column, &key)).flatten();
    }
    match setup.source(users).and_then(|u| cache::key_type_of(u)) {
        Some(key_type) if key_type != reading.key_type => key_type.canonical(&key),
        _ => Some(key).filter(|key| key::fits(key)),
    }
}

/// Notes once, for goals.health(), that a row was ignored. `name` is at most as long as the names of a message and a
/// variant.
pub fn ignore(trigger: &Trigger, setup: &Setup, reading: &Reading, reason: &'static str, name: &str) {
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
