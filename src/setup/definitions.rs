//! Goals, messages and tracked tables, as read from the extension's set-up tables.

use crate::model::assignment::{self, Choice};
use crate::model::attribute::Attribute;
use crate::model::error::{Error, Result};
use crate::model::jsonb;
use crate::model::nearest::nearest;
use crate::model::operator::Operator;
use crate::model::options::Options;
use crate::model::untyped;
use crate::pg::datum::{KeptJsonb, Row};
use crate::pg::key::{self, KeyType};
use crate::pg::own_tables::columns::{column_note, goal, message, source, variant};
use crate::pg::own_tables::{OwnTables, Places};
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::user_lookup::Users;
use crate::pg::{citus, encoding};
use pgrx::pg_sys::Oid;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A tracked table.
#[derive(Debug, PartialEq)]
pub struct Source {
    pub id: i32,
    pub kind: String,
    pub relation: Oid,
    /// The id of the users table that its rows refer to; of a users table its own id.
    pub users: i32,
    pub key: String,
    pub event: Option<String>,
    pub message: Option<String>,
    pub variant: Option<String>,
    pub properties: Option<String>,
    pub occurred: Option<String>,
    pub opened: Option<String>,
    pub clicked: Option<String>,
    pub attached: bool,
    pub options: Options,
}

impl Source {
    /// True if the rows of its table are read as those of `other`, which may be a table above it.
    pub fn reads_as(&self, other: &Source) -> bool {
        self.kind == other.kind && self.options.way() == other.options.way()
    }
}

/// What a column was when a goal was set on it: it is followed when it is renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnNote {
    /// The source of the users.
    pub source: i32,
    pub name: String,
    pub relation: Oid,
    pub number: i16,
    pub type_oid: Oid,
}

/// The start of a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Sent,
    Opened,
    Clicked,
}

/// One version of a goal.
#[derive(Debug)]
pub struct Goal {
    pub id: i32,
    pub message_id: i32,
    pub name: String,
    pub version: i32,
    pub attribute: Option<String>,
    pub attribute_type: Option<String>,
    pub operator: Option<Operator>,
    pub value: Option<String>,
    pub event: Option<String>,
    pub times: i32,
    pub properties: Option<KeptJsonb>,
    /// In microseconds.
    pub time_limit: i64,
    pub after: Anchor,
    pub value_from: Option<String>,
    /// False if the goal can no longer count: it was stopped, or is in no revision.
    pub live: bool,
}

/// A variant or the control group, whose weight is its share.
#[derive(Clone, Debug)]
pub struct Variant {
    pub id: i32,
    pub name: String,
    pub weight: f64,
}

/// What a receipt is recorded as in an experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arm<'a> {
    pub variant: Option<&'a Variant>,
    /// True if the user was sent the message although the assignment says control.
    pub held_out: bool,
}

impl Arm<'_> {
    /// That of a user who was sent what a control group holds back.
    pub const HELD_OUT: Arm<'static> = Arm { variant: None, held_out: true };
}

impl<'a> From<Option<&'a Variant>> for Arm<'a> {
    fn from(variant: Option<&'a Variant>) -> Arm<'a> {
        Arm { variant, held_out: false }
    }
}

/// A message as its row has it.
#[derive(PartialEq)]
pub(super) struct GivenMessage {
    pub id: i32,
    /// None for the message that campaigns are like where they share the goals of no other one.
    pub name: Option<String>,
    pub seed: Option<String>,
    pub known_as: Option<String>,
    pub users: i32,
    pub one_off: bool,
    pub is_programme: bool,
    pub parent: Option<i32>,
    pub engagement_after: Option<i64>,
}

/// What a row of a tracked table says which message is meant.
#[derive(Clone, Copy)]
pub struct RowId<'a> {
    /// The id or name.
    pub text: &'a str,
    /// True for a uuid or a whole number, in its one spelling.
    pub is_exact: bool,
    /// The source of the table of campaigns that the row refers to.
    pub campaigns: Option<i32>,
}

/// A message.
#[derive(Debug)]
pub struct Message {
    pub id: i32,
    pub name: String,
    /// The name under which it was created: users are assigned by it.
    pub seed: String,
    /// What the application's own tables call it, where that is not its name.
    pub known_as: Option<String>,
    /// The id of its users table.
    pub users: i32,
    /// True if each user is to get it once.
    pub one_off: bool,
    /// True if it is a programme, which each user enters once.
    pub is_programme: bool,
    /// The id of the programme that it is part of.
    pub parent: Option<i32>,
    /// Opens and clicks sooner than this after the sending are those of machines. In microseconds.
    pub engagement_after: Option<i64>,
    /// In the order in which they were added.
    pub variants: Vec<Variant>,
    pub control: Option<Variant>,
    /// The goals of receipts made now.
    pub revision: Rc<Revision>,
    /// Of a campaign, the id of the message whose goals it shares.
    pub like: Option<i32>,
}

/// The goals of the receipts made until the next revision.
#[derive(Debug)]
pub struct Revision {
    pub id: i32,
    pub message_id: i32,
    /// Ascending.
    pub goals: Vec<i32>,
    /// The goals that compare with the value at the time of sending, in the order of receipt.baseline.
    pub baselines: Vec<i32>,
}

/// How old a receipt can be for goals to still count for it.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// The longest time limit, in microseconds.
    pub longest: i64,
    /// True if every window is counted from the sending. Otherwise a receipt of any age can count, because an open may
    /// come at any time.
    pub by_sending: bool,
}

/// Goals that wait for the same event with the same properties.
pub struct Awaited {
    pub properties: Option<KeptJsonb>,
    /// By id, ascending.
    pub goals: Vec<Rc<Goal>>,
    pub reach: Reach,
}

/// The campaigns that a backend has looked up.
#[derive(Default)]
pub(super) struct Campaigns {
    pub(super) by_row: HashMap<(i32, String), Rc<Message>>,
    pub(super) by_id: HashMap<i32, Rc<Message>>,
    /// Per source how many there were, and how many were made here since.
    pub(super) counted: HashMap<i32, (usize, usize)>,
}

/// The whole set-up.
pub struct Setup {
    pub tables: OwnTables,
    pub sources: Vec<Rc<Source>>,
    pub messages: HashMap<String, Rc<Message>>,
    pub goals: HashMap<i32, Rc<Goal>>,
    pub revisions: HashMap<i32, Rc<Revision>>,
    pub notes: Vec<ColumnNote>,
    /// The messages that have another name in the application's tables, by that.
    pub(super) known_as: HashMap<String, Rc<Message>>,
    /// The messages whose id there, or name, is a uuid or a whole number, by that in its one spelling.
    pub(super) exact_ids: HashMap<String, Rc<Message>>,
    /// The programmes, by id.
    pub(super) programmes: HashMap<i32, Rc<Message>>,
    /// All of them by id, with what campaigns without another message to be like are like, and the campaigns that have
    /// goals of their own.
    pub by_id: HashMap<i32, Rc<Message>>,
    pub(super) campaigns: RefCell<Campaigns>,
    pub(super) users_of_message: HashMap<i32, i32>,
    /// The goals on attributes in a second table, with its source.
    pub(super) beside: HashMap<i32, i32>,
    /// The goals that wait for an event, by users table and event name.
    pub(super) events: HashMap<i32, HashMap<String, Vec<Awaited>>>,
}

impl Setup {
    /// The tracked table of this id.
    pub fn source(&self, id: i32) -> Option<&Rc<Source>> {
        self.sources.iter().find(|s| s.id == id)
    }

    /// The message of this name, or the one that was created under it and has been renamed.
    pub fn message_once_named(&self, name: &str) -> Option<&Rc<Message>> {
        self.messages.get(name).or_else(|| self.messages.values().filter(|m| m.seed == name).max_by_key(|m| m.id))
    }

    /// The message that is known as this in the application's tables.
    pub fn known_as(&self, id: &str) -> Option<&Rc<Message>> {
        self.known_as.get(id)
    }

    /// The programmes that a message is part of, the outermost first.
    pub fn programmes_of(&self, message: &Message) -> SmallVec<[&Rc<Message>; 2]> {
        let by_id = |id: i32| self.programmes.get(&id).filter(|p| p.users == message.users);
        let mut programmes = SmallVec::new();
        let mut next = message.parent.and_then(by_id);
        // At most two are made. Whatever the table says, the chain has an end.
        while let Some(programme) = next.filter(|_| programmes.len() < 2) {
            programmes.insert(0, programme);
            next = programme.parent.and_then(by_id);
        }
        programmes
    }

    /// True if the receipts of this revision, or of the message that they name, are of one that has been dropped.
    pub fn is_dropped(&self, revision_id: i32, message: Option<i32>) -> bool {
        match message {
            Some(id) => self.message_by_id(id).is_none(),
            None => {
                self.revisions.get(&revision_id).is_some_and(|r| !self.users_of_message.contains_key(&r.message_id))
            }
        }
    }

    /// The users table of this id; an error if it was dropped or its rows are in shards of Citus.
    pub fn users(&self, users: i32) -> Result<&Rc<Source>> {
        // A dump leaves out the row of a dropped table.
        let users = self.source(users).ok_or(Error::UsersTableDropped)?;
        in_one_place(users.relation)?;
        Ok(users)
    }

    /// The users table named by the caller, or the only one; an error if its rows are in shards of Citus.
    pub fn users_table(&self, named: Option<Oid>) -> Result<Rc<Source>> {
        let users = self.one_users_table(named)?;
        in_one_place(users.relation)?;
        Ok(users)
    }

    /// [`Setup::users_table`] for new set-up: an error if the table is no longer tracked.
    pub fn tracked_users_table(&self, named: Option<Oid>) -> Result<Rc<Source>> {
        let users = self.users_table(named)?;
        if users.attached {
            Ok(users)
        } else {
            Err(Error::NotTracked { relation: relation::qualified_name(users.relation) })
        }
    }

    /// [`Setup::users_table`], wherever its rows are.
    pub fn one_users_table(&self, named: Option<Oid>) -> Result<Rc<Source>> {
        let tables: Vec<&Rc<Source>> = self
            .sources
            .iter()
            .filter(|s| s.kind == "users" && (named.is_some() || s.attached && relation::exists(s.relation)))
            .collect();
        if let Some(named) = named {
            let users = tables.iter().find(|s| s.relation == named);
            return users.map(|s| Rc::clone(s)).ok_or_else(|| {
                let relation = relation::qualified_name(named);
                match self.sources.iter().find(|s| s.relation == named && s.attached) {
                    Some(other) => {
                        let users = tables.iter().filter(|s| s.attached && relation::exists(s.relation));
                        let users = users.map(|s| relation::qualified_name(s.relation)).collect();
                        Error::NotUsersTable { relation, kind: other.kind.clone(), users }
                    }
                    None => Error::NotTracked { relation },
                }
            });
        }
        match tables.as_slice() {
            [] => Err(Error::NoUsersTable),
            [one] => Ok(Rc::clone(one)),
            many => Err(Error::SeveralUsersTables {
                relations: many.iter().map(|s| relation::qualified_name(s.relation)).collect(),
            }),
        }
    }

    /// The name that a column of a users table has now, if a goal was set on it when it had another one, which no
    /// column has any more.
    pub fn renamed(&self, users: &Source, name: &str) -> Option<String> {
        let mut notes = self.notes_of(users, name).filter(|note| note.relation == users.relation).peekable();
        if notes.peek().is_none() || relation::column_type(users.relation, name).is_some() {
            return None;
        }
        notes.find_map(|note| relation::column_name(users.relation, note.number))
    }

    /// What is noted of a column of a users table.
    pub fn notes_of<'a>(&'a self, users: &Source, name: &'a str) -> impl Iterator<Item = &'a ColumnNote> {
        let source = users.id;
        self.notes.iter().filter(move |note| note.source == source && note.name == name)
    }

    /// The live goals that wait for this event of the users of a table.
    pub fn event_goals(&self, users: i32, event: &str) -> &[Awaited] {
        self.events.get(&users).and_then(|events| events.get(event)).map_or(&[], Vec::as_slice)
    }

    /// The table beside the users table that has the attribute of this goal; None if it is the users table itself.
    pub fn beside(&self, goal_id: i32) -> Option<&Rc<Source>> {
        self.beside.get(&goal_id).and_then(|id| self.source(*id))
    }

    /// The tables beside a users table that have attributes of a revision's goals.
    pub fn tables_beside(&self, revision: &Revision) -> SmallVec<[&Rc<Source>; 1]> {
        let mut tables: SmallVec<[&Rc<Source>; 1]> = SmallVec::new();
        if self.beside.is_empty() {
            return tables;
        }
        for table in revision.goals.iter().filter_map(|goal| self.beside(*goal)) {
            if !tables.iter().any(|known| known.id == table.id) {
                tables.push(table);
            }
        }
        tables
    }

    /// True if a goal waits for any event of the users of this table.
    pub fn waits_for_events(&self, users: i32) -> bool {
        self.events.contains_key(&users)
    }

    /// The live goals on attributes of these users, by id, ascending.
    pub fn attribute_goals(&self, users: i32) -> Vec<&Rc<Goal>> {
        let live =
            |g: &&Rc<Goal>| g.attribute.is_some() && g.live && self.users_of_message.get(&g.message_id) == Some(&users);
        let mut goals: Vec<_> = self.goals.values().filter(live).collect();
        goals.sort_unstable_by_key(|g| g.id);
        goals
    }
}

/// The table of these with the attribute of this name, which begins with its prefix, and the attribute's name there.
pub fn table_beside<'a>(sources: &'a [Rc<Source>], users: i32, attribute: &str) -> Option<(&'a Rc<Source>, Attribute)> {
    let mut parsed = Attribute::parse(attribute).ok().filter(|parsed| !parsed.path.is_empty())?;
    let has_it = |s: &&Rc<Source>| {
        s.kind == "attributes" && s.attached && s.users == users && s.options.prefix.as_ref() == Some(&parsed.column)
    };
    let source = sources.iter().find(has_it)?;
    parsed.column = parsed.path.remove(0);
    Some((source, parsed))
}

/// An error for a table whose rows are in shards of Citus.
pub fn in_one_place(relid: Oid) -> Result<()> {
    match citus::kind(relid) {
        Some(kind) => Err(Error::OnManyNodes { relation: relation::qualified_name(relid), kind }),
        None => Ok(()),
    }
}

impl Source {
    /// From its row in goals.source.
    pub fn read(row: &Row, places: &Places) -> Source {
        let options = row.bytes(places.of(source::options)).and_then(jsonb::root);
        Source {
            id: row.integer(source::source_id).unwrap_or(0),
            kind: row.string(source::kind).unwrap_or_default(),
            relation: Oid::from_u32(row.integer(source::relation).unwrap_or(0) as u32),
            users: row.integer(source::users_source_id).unwrap_or(0),
            key: row.name(source::key_column).unwrap_or_default(),
            event: row.name(source::event_column),
            message: row.name(source::message_column),
            variant: row.name(source::variant_column),
            properties: row.name(source::properties_column),
            occurred: row.name(source::occurred_column),
            opened: row.name(source::opened_column),
            clicked: row.name(source::clicked_column),
            attached: row.byte(source::attached) != 0,
            options: options.map(|node| Options::read(&node, &encoding::to_string)).unwrap_or_default(),
        }
    }

    /// The table's name.
    pub fn name(&self) -> String {
        relation::qualified_name(self.relation)
    }

    /// The type of the key column; an error if the table or the column is gone.
    pub fn key_type(&self) -> Result<KeyType> {
        Relation::open(self.relation, Lock::Share)
            .and_then(|table| KeyType::of(table.column(&self.key)?.type_oid))
            .ok_or_else(|| self.gone())
    }

    /// The table, opened for looking up users.
    pub fn open(&self) -> Result<Users> {
        Users::open(self.relation, &self.key, true).ok_or_else(|| self.gone())
    }

    /// The error for a users table that is gone or has lost its key column.
    pub fn gone(&self) -> Error {
        if !relation::exists(self.relation) {
            return Error::UsersTableDropped;
        }
        Error::NoKey { relation: self.name(), why: format!("no longer has its key column \"{}\"", self.key) }
    }

    /// An error for a list of keys, as drivers write an array, that no user can have as a key.
    pub fn refuse_list(&self, key: &[u8]) -> Result<()> {
        let is_no_key = || self.key_type().is_ok_and(|key_type| key_type.canonical(key).is_none());
        if untyped::is_list_of_keys(key) && is_no_key() { Err(self.unknown(key)) } else { Ok(()) }
    }

    /// The error for a key that no user has.
    pub fn unknown(&self, key: &[u8]) -> Error {
        let (shown, relation) = (key::shown(key), self.name());
        if untyped::is_list_of_keys(key) {
            return Error::SeveralUsers { key: shown, relation };
        }
        Error::UnknownUser { key: shown, relation }
    }
}

impl ColumnNote {
    /// From its row in goals.column_note.
    pub fn read(row: &Row) -> ColumnNote {
        ColumnNote {
            source: row.integer(column_note::source_id).unwrap_or(0),
            name: row.name(column_note::name).unwrap_or_default(),
            relation: Oid::from_u32(row.integer(column_note::relation).unwrap_or(0) as u32),
            number: row.smallint(column_note::number),
            type_oid: Oid::from_u32(row.integer(column_note::type_oid).unwrap_or(0) as u32),
        }
    }

    /// What a column of a users table is now; None if there is none of this name.
    pub fn of(users: &Source, name: &str) -> Option<ColumnNote> {
        let (number, type_oid) = relation::column_number(users.relation, name)?;
        Some(ColumnNote { source: users.id, name: name.to_owned(), relation: users.relation, number, type_oid })
    }
}

impl Goal {
    /// From its row in goals.goal. `live` tells whether the goal of an id is live, which other tables determine.
    pub fn read(row: &Row, live: impl FnOnce(i32) -> bool) -> Goal {
        let id = row.integer(goal::goal_id).unwrap_or(0);
        Goal {
            id,
            message_id: row.integer(goal::message_id).unwrap_or(0),
            name: row.string(goal::name).unwrap_or_default(),
            version: row.integer(goal::version).unwrap_or(0),
            attribute: row.string(goal::attribute),
            attribute_type: row.string(goal::attribute_type),
            operator: row.string(goal::operator).and_then(|o| Operator::parse(&o).ok()),
            value: row.string(goal::value),
            event: row.string(goal::event),
            times: row.integer(goal::times).unwrap_or(1),
            properties: KeptJsonb::of(row, goal::properties),
            time_limit: row.bigint(goal::time_limit_us),
            after: Anchor::named(&row.string(goal::after).unwrap_or_default()),
            value_from: row.string(goal::value_from),
            live: live(id),
        }
    }
}

impl Anchor {
    fn named(name: &str) -> Anchor {
        match name {
            "opened" => Anchor::Opened,
            "clicked" => Anchor::Clicked,
            _ => Anchor::Sent,
        }
    }
}

impl Variant {
    /// From its row in goals.variant.
    pub fn read(row: &Row) -> Variant {
        Variant {
            id: row.integer(variant::variant_id).unwrap_or(0),
            name: row.string(variant::name).unwrap_or_default(),
            weight: row.double(variant::weight).unwrap_or(0.0),
        }
    }
}

impl GivenMessage {
    /// From its row in goals.message; None if the message has been dropped, or is a campaign.
    pub fn read(row: &Row, places: &Places) -> Option<GivenMessage> {
        if row.get(places.of(message::dropped_at)).is_some() || row.get(places.of(message::row_key)).is_some() {
            return None;
        }
        Some(GivenMessage {
            id: row.integer(message::message_id).unwrap_or(0),
            name: row.string(message::name),
            seed: row.string(places.of(message::seed)),
            known_as: row.string(places.of(message::known_as)),
            users: row.integer(message::users_source_id).unwrap_or(0),
            one_off: row.bytes(message::kind) == Some(b"one_off"),
            is_programme: row.bytes(message::kind) == Some(b"programme"),
            parent: row.integer(places.of(message::parent_id)),
            engagement_after: row.known_bigint(places.of(message::engagement_after_us)),
        })
    }
}

impl Message {
    /// The id that its receipts carry, where that is not the one of their revision.
    pub fn id_in_receipts(&self) -> Option<i32> {
        (self.revision.message_id != self.id).then_some(self.id)
    }

    /// The variant of the user with this key; fixed once the first receipt exists.
    pub fn assigned(&self, key: &[u8]) -> Option<&Variant> {
        if self.variants.is_empty() && self.control.is_none() {
            return None;
        }
        let u = assignment::unit_interval(&encoding::string_to_model(&self.seed), &encoding::to_model(key));
        let weights: Vec<f64> = self.variants.iter().map(|v| v.weight).collect();
        match assignment::choose(u, self.control.as_ref().map(|c| c.weight), &weights) {
            Choice::Control => self.control.as_ref(),
            Choice::Variant(i) => self.variants.get(i),
        }
    }

    /// The arm of a user who was sent the message, which the control group is not: where the assignment holds the user
    /// back, there is no variant.
    pub fn arm_of_sent(&self, key: &[u8]) -> Arm<'_> {
        let assigned = self.assigned(key);
        let held_out = self.is_control(assigned.map(|v| v.id));
        Arm { variant: assigned.filter(|_| !held_out), held_out }
    }

    /// Its variants, then the control group.
    pub fn arms(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().chain(&self.control)
    }

    /// The variant of this name.
    pub fn variant(&self, name: &str) -> Result<&Variant> {
        let all: Vec<&Variant> = self.arms().collect();
        all.iter().find(|v| v.name == name).copied().ok_or_else(|| Error::UnknownVariant {
            message: self.name.clone(),
            name: name.into(),
            nearest: nearest(name, &all.iter().map(|v| v.name.as_str()).collect::<Vec<_>>()),
        })
    }

    /// True if this variant is the control group.
    pub fn is_control(&self, variant_id: Option<i32>) -> bool {
        variant_id.is_some() && variant_id == self.control.as_ref().map(|c| c.id)
    }
}

impl Reach {
    /// The reach of no goals.
    pub const NONE: Reach = Reach { longest: 0, by_sending: true };

    /// The reach of these goals and one more.
    pub fn and(self, goal: &Goal) -> Reach {
        self.or(Reach { longest: goal.time_limit, by_sending: goal.after == Anchor::Sent })
    }

    /// The reach of the goals of both.
    pub fn or(self, other: Reach) -> Reach {
        Reach { longest: self.longest.max(other.longest), by_sending: self.by_sending && other.by_sending }
    }
}
