//! Rows of the application's tables of campaigns: each is a message, known by its table and id. One row of goals.message
//! is appended when it is first seen, and one of goals.message_name per name that it gets. No unique index is asked:
//! the message has an id of a sequence, and the application's own key keeps a row from being inserted twice.

use crate::model::only::Condition;
use crate::pg::append::{self, Appender};
use crate::pg::datum::{self, Row};
use crate::pg::encoding;
use crate::pg::own_tables::OwnTables;
use crate::pg::own_tables::columns::{message, message_name};
use crate::pg::relation::{self, Relation};
use crate::pg::types::ColumnType;
use crate::setup::campaigns::Campaign;
use crate::setup::definitions::{Setup, Source};
use pgrx::pg_sys::Oid;

/// In bytes. Longer names are not read, as a message cannot have one.
const LONGEST_NAME: usize = 1000;

struct Column {
    number: i16,
    column_type: ColumnType,
}

impl Column {
    fn find(table: &Relation, name: &str) -> Option<Column> {
        let column = table.column(name)?;
        Some(Column { number: column.number, column_type: ColumnType::resolve(column.type_oid, column.collation) })
    }

    /// The text form of the value; None for NULL, for nothing but blanks, and for one that is too long for a name.
    fn text(&self, row: &Row) -> Option<String> {
        if self.column_type.is_longer(row, self.number, LONGEST_NAME) {
            return None;
        }
        let text = encoding::model_to_string(&self.column_type.text_form(row.get(self.number)?)?);
        Some(text).filter(|text| !text.trim().is_empty() && encoding::from_string(text).len() <= LONGEST_NAME)
    }

    fn differs(&self, old: &Row, new: &Row) -> bool {
        self.column_type.bytes_differ(old.get(self.number), new.get(self.number))
    }
}

/// How a table of campaigns, or a partition of it, is read.
pub struct Reader {
    source: i32,
    users: i32,
    like: i32,
    table: Oid,
    id: Column,
    name: Option<Column>,
    channel: Option<Column>,
    only: Vec<(Column, Condition)>,
}

/// Where messages and their names are appended.
pub struct Logs<'a> {
    pub messages: &'a Appender,
    pub names: &'a Appender,
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The row is a message, or none that counts.
    Done,
    /// The table has as many messages as it can have.
    TooMany,
}

impl Reader {
    /// None if the table lacks one of the columns.
    pub fn of_table(source: &Source, table: &Relation) -> Option<Reader> {
        let options = &source.options;
        let optional = |name: &Option<String>| match name {
            Some(name) => Column::find(table, name).map(Some),
            None => Some(None),
        };
        let only = options.only.conditions().iter();
        Some(Reader {
            source: source.id,
            users: source.users,
            like: options.like_message?,
            table: source.relation,
            id: Column::find(table, &source.key)?,
            name: optional(&options.name)?,
            channel: optional(&options.channel)?,
            only: only.map(|c| Some((Column::find(table, &c.column)?, c.clone()))).collect::<Option<_>>()?,
        })
    }

    /// True if the change of a row can make it a message or give it another name.
    pub fn concerns(&self, old: &Row, new: &Row) -> bool {
        let deciding = self.only.iter().map(|(column, _)| column);
        deciding.chain(&self.name).chain(Some(&self.id)).any(|column| column.differs(old, new))
    }

    fn counts(&self, row: &Row) -> bool {
        self.only.iter().all(|(column, condition)| column.column_type.fulfils(row, column.number, condition))
    }

    /// Makes the row a message, if it is none and fulfils the conditions; gives the message the row's name. `with_logs`
    /// opens the tables. None if they cannot be read or appended to.
    pub fn see(
        &self,
        setup: &Setup,
        row: &Row,
        with_logs: impl FnOnce(&dyn Fn(Logs) -> Seen) -> Option<Seen>,
    ) -> Option<Seen> {
        let Some(row_key) = self.id.text(row) else { return Some(Seen::Done) };
        let name = self.name.as_ref().and_then(|column| column.text(row)).unwrap_or_else(|| row_key.clone());
        let known = Campaign::of_row(&setup.tables, self.source, &row_key)?;
        match &known {
            Some(campaign) if campaign.is_dropped || campaign.name(&setup.tables) == name => return Some(Seen::Done),
            None if !self.counts(row) => return Some(Seen::Done),
            _ => (),
        }
        with_logs(&|logs| match &known {
            Some(campaign) => append_name(&setup.tables, &logs, campaign.id, &name),
            None => self.make(setup, row, &logs, (&row_key, &name)),
        })
    }

    fn make(&self, setup: &Setup, row: &Row, logs: &Logs, (row_key, name): (&str, &str)) -> Seen {
        let tables = &setup.tables;
        let (Some(like), Some(sequence)) = (setup.by_id.get(&self.like), tables.message_id_seq) else {
            return Seen::Done;
        };
        let Some(id) = append::next_id(sequence).and_then(|id| i32::try_from(id).ok()) else { return Seen::Done };
        if !setup.has_room_for_campaign(self.source, id) {
            return Seen::TooMany;
        }
        let text = |text: &str| Some(datum::text(&encoding::from_string(text)));
        let channel = self.channel.as_ref().and_then(|column| column.text(row));
        // The application's users are assigned by this: each campaign holds back others.
        let seed = format!("{} {row_key}", relation::qualified_name(self.table));
        let new = message::New {
            message_id: Some(id.into()),
            name: None,
            kind: text(if like.one_off { "one_off" } else { "ongoing" }),
            channel: channel.as_deref().and_then(text),
            users_source_id: Some(self.users.into()),
            created_at: Some(datum::clock().into()),
        };
        let places = tables.message.places();
        let later = [
            (places.of(message::seed), text(&seed)),
            (places.of(message::parent_id), like.parent.map(Into::into)),
            (places.of(message::source_id), Some(self.source.into())),
            (places.of(message::row_key), text(row_key)),
            (places.of(message::like_message_id), Some(self.like.into())),
        ];
        if logs.messages.append(new.values(), &later) { append_name(tables, logs, id, name) } else { Seen::Done }
    }
}

fn append_name(tables: &OwnTables, logs: &Logs, message_id: i32, name: &str) -> Seen {
    if let Some(id) = tables.message_name_id_seq.and_then(append::next_id) {
        let row = message_name::New {
            message_name_id: Some(id.into()),
            message_id: Some(message_id.into()),
            name: Some(datum::text(&encoding::from_string(name))),
            named_at: Some(datum::clock().into()),
        };
        logs.names.append(row.values(), &[]);
    }
    Seen::Done
}
