//! The backend's copy of the set-up: sources, messages, goals, and per table which columns have a goal.
//!
//! Read as it is now, kept until an invalidation says otherwise. Nothing is borrowed across a call into the server: users of
//! the cache hold counted references to immutable snapshots of it.

use crate::model::operator::Operator;
use crate::pg::datum::{Columns, KeptJsonb, Row};
use crate::pg::memory;
use crate::pg::ours::Ours;
use crate::pg::relation::{Lock, Relation};
use crate::pg::trigger::Trigger;
use crate::pg::users::KeyType;
use crate::pg::{invalidate, relation, scan};
use crate::watch::{self, Reach, Watch};
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

/// A tracked table.
#[derive(Debug)]
pub struct Source {
    pub id: i32,
    pub kind: String,
    pub relation: Oid,
    pub users_id: i32,
    pub key: String,
    pub event: Option<String>,
    pub message: Option<String>,
    pub variant: Option<String>,
    pub properties: Option<String>,
    pub occurred: Option<String>,
    pub opened: Option<String>,
    pub clicked: Option<String>,
    pub attached: bool,
}

/// What a time limit is counted from.
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
    /// Microseconds.
    pub time_limit: i64,
    pub after: Anchor,
    pub value_from: Option<String>,
    /// Can it still count? Not one that has been stopped, nor one that no revision has any more.
    pub live: bool,
}

/// A variant; for the control group the weight is its share.
#[derive(Clone, Debug)]
pub struct Variant {
    pub id: i32,
    pub name: String,
    pub weight: f64,
}

/// A message.
#[derive(Debug)]
pub struct Message {
    pub id: i32,
    pub name: String,
    pub users_id: i32,
    /// In the order in which they were added.
    pub variants: Vec<Variant>,
    pub control: Option<Variant>,
    /// The goals in force for receipts made now.
    pub revision: Rc<Revision>,
}

/// The goals in force over some time.
#[derive(Debug)]
pub struct Revision {
    pub id: i32,
    pub message_id: i32,
    /// Ascending.
    pub goals: Vec<i32>,
    /// Those of them that compare with the value at the time of sending, in the order of receipt.baseline.
    pub baselines: Vec<i32>,
}

/// The whole set-up.
pub struct Setup {
    pub ours: Ours,
    pub sources: Vec<Rc<Source>>,
    pub messages: HashMap<String, Rc<Message>>,
    pub goals: HashMap<i32, Rc<Goal>>,
    pub revisions: HashMap<i32, Rc<Revision>>,
    users_of_message: HashMap<i32, i32>,
    /// By users table and event name, the goals that wait for it.
    events: HashMap<i32, HashMap<String, Vec<Awaited>>>,
}

/// Goals that wait for the same event with the same properties.
pub struct Awaited {
    pub properties: Option<KeptJsonb>,
    /// By id, ascending.
    pub goals: Vec<Rc<Goal>>,
    pub reach: Reach,
}

impl Setup {
    /// The tracked table of this id.
    pub fn source(&self, id: i32) -> Option<&Rc<Source>> {
        self.sources.iter().find(|s| s.id == id)
    }

    /// The live goals that wait for this event of users of this table.
    pub fn event_goals(&self, users_id: i32, event: &str) -> &[Awaited] {
        self.events.get(&users_id).and_then(|events| events.get(event)).map_or(&[], Vec::as_slice)
    }

    /// Is anything waiting for events of these users at all?
    pub fn waits_for_events(&self, users_id: i32) -> bool {
        self.events.contains_key(&users_id)
    }

    /// By id, ascending.
    pub fn attribute_goals(&self, users_id: i32) -> Vec<&Rc<Goal>> {
        let live = |g: &&Rc<Goal>| {
            g.attribute.is_some() && g.live && self.users_of_message.get(&g.message_id) == Some(&users_id)
        };
        let mut goals: Vec<_> = self.goals.values().filter(live).collect();
        goals.sort_unstable_by_key(|g| g.id);
        goals
    }
}

#[derive(Default)]
struct Cache {
    setup: Option<Rc<Setup>>,
    /// By table and source: a partition may be tracked by itself besides the table above it.
    by_table: HashMap<(Oid, i32), Option<Rc<Watch>>>,
    /// By source and columns: the partitions of a table share what is watched, for they have the same columns as a rule.
    by_columns: Vec<(i32, Columns, Option<Rc<Watch>>)>,
    by_trigger: HashMap<Oid, Option<Rc<Watch>>>,
    key_types: HashMap<i32, Option<KeyType>>,
    /// The trigger that fired last: a statement changes many rows of one table.
    last: Option<(Oid, Option<Rc<Watch>>)>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::new(Cache::default());
}

/// The set-up as it is now; None while the extension is not installed.
pub fn setup() -> Option<Rc<Setup>> {
    invalidate::listen();
    if !invalidate::setup_is_stale() && (!invalidate::indexes_are_stale() || indexes_are_the_same()) {
        return CACHE.with_borrow(|c| c.setup.clone());
    }
    let fresh = read_setup().map(Rc::new);
    CACHE.with_borrow_mut(|c| *c = Cache { setup: fresh.clone(), ..Cache::default() });
    if fresh.is_some() {
        invalidate::setup_is_read();
    }
    fresh
}

/// Are the tables and indexes of the set-up still those that exist?
#[cold]
fn indexes_are_the_same() -> bool {
    invalidate::indexes_are_read();
    let known = CACHE.with_borrow(|c| c.setup.as_ref().map(|s| s.ours));
    known.is_some() && known == Ours::find().ok()
}

/// Forgets everything read so far.
pub fn reset() {
    invalidate::setup_is_outdated();
}

/// What to watch on behalf of a trigger; None if its table is not tracked by the source the trigger names.
#[inline]
pub fn watch_for(trigger: &Trigger) -> Option<Rc<Watch>> {
    invalidate::listen();
    if !invalidate::setup_is_stale() && !invalidate::tables_are_stale() {
        let last = CACHE.with_borrow(|c| match &c.last {
            Some((oid, watch)) if *oid == trigger.oid() => Some(watch.clone()),
            _ => None,
        });
        if let Some(watch) = last {
            return watch;
        }
    }
    find_watch(trigger)
}

#[cold]
fn find_watch(trigger: &Trigger) -> Option<Rc<Watch>> {
    let setup = setup()?;
    refresh_tables();
    let known = CACHE.with_borrow(|c| c.by_trigger.get(&trigger.oid()).cloned());
    let watch = known.unwrap_or_else(|| {
        let source = trigger_source(&setup, trigger, "users")?;
        table_watch(&setup, &trigger.relation(), source)
    });
    CACHE.with_borrow_mut(|c| {
        memory::insert(&mut c.by_trigger, trigger.oid(), watch.clone());
        c.last = Some((trigger.oid(), watch.clone()));
    });
    watch
}

/// The tracked table that a trigger serves: it names one, and is on that table or on a partition of it. A trigger that
/// somebody else put on a table of his own serves none.
pub fn trigger_source<'a>(setup: &'a Setup, trigger: &Trigger, kind: &str) -> Option<&'a Rc<Source>> {
    let source = setup.source(trigger.argument()?.parse().ok()?)?;
    let relation = trigger.relation();
    let tracked = source.relation == relation.oid()
        || (relation.is_partition() && relation::ancestors(relation.oid()).contains(&source.relation));
    (tracked && source.attached && source.kind == kind).then_some(source)
}

/// What to watch in a row of this table or partition of a users table.
pub fn table_watch(setup: &Setup, table: &Relation, users: &Source) -> Option<Rc<Watch>> {
    refresh_tables();
    // A caller may still work with a set-up that has been replaced since: what is built from that one is not kept.
    let current = || CACHE.with_borrow(|c| c.setup.as_deref().is_some_and(|s| std::ptr::eq(s, setup)));
    if current()
        && let Some(known) = CACHE.with_borrow(|c| c.by_table.get(&(table.oid(), users.id)).cloned())
    {
        return known;
    }
    invalidate::table_is_kept(table.oid());
    let alike = |(source, columns, _): &&(i32, Columns, _)| *source == users.id && columns.are_those_of(table);
    let shared = |c: &Cache| c.by_columns.iter().find(alike).map(|(.., watch)| watch.clone());
    if current()
        && let Some(watch) = CACHE.with_borrow(shared)
    {
        keep_watch(table, users, watch.clone());
        return watch;
    }
    let watch = watch::build(setup, table, users).map(Rc::new);
    memory::check();
    if current() {
        let columns = Columns::of(table);
        CACHE.with_borrow_mut(|c| {
            memory::push(&mut c.by_columns, (users.id, columns, watch.clone()));
        });
        keep_watch(table, users, watch.clone());
    }
    watch
}

fn keep_watch(table: &Relation, users: &Source, watch: Option<Rc<Watch>>) {
    CACHE.with_borrow_mut(|c| memory::insert(&mut c.by_table, (table.oid(), users.id), watch));
}

fn refresh_tables() {
    if invalidate::tables_are_stale() {
        invalidate::tables_are_read();
        CACHE.with_borrow_mut(|c| {
            c.by_table.clear();
            c.by_columns.clear();
            c.by_trigger.clear();
            c.key_types.clear();
            c.last = None;
        });
    }
}

fn anchor(name: &str) -> Anchor {
    match name {
        "opened" => Anchor::Opened,
        "clicked" => Anchor::Clicked,
        _ => Anchor::Sent,
    }
}

/// Visits all rows of a table of the set-up.
fn each(table: Oid, mut row: impl FnMut(&Row)) {
    if let Some(table) = Relation::open(table, Lock::Share) {
        scan::visit_all(&table, |r| {
            memory::check();
            row(r);
            ControlFlow::Continue(())
        });
    }
}

// The column numbers below are those of the CREATE TABLE statements in sql/10_tables.sql.
fn read_setup() -> Option<Setup> {
    let ours = Ours::find().ok()?;
    invalidate::setup_is_being_read(ours.revision, &[ours.receipt, ours.match_log, ours.engagement, ours.ignored]);

    let mut sources = Vec::new();
    each(ours.source, |r| {
        memory::room(&mut sources, 1);
        sources.push(Rc::new(Source {
            id: r.integer(1).unwrap_or(0),
            kind: r.string(2).unwrap_or_default(),
            relation: Oid::from_u32(r.integer(3).unwrap_or(0) as u32),
            users_id: r.integer(4).unwrap_or(0),
            key: r.name(5).unwrap_or_default(),
            event: r.name(6),
            message: r.name(7),
            variant: r.name(8),
            properties: r.name(9),
            occurred: r.name(10),
            opened: r.name(11),
            clicked: r.name(12),
            attached: r.byte(13) != 0,
        }));
    });

    let mut stopped = Vec::new();
    each(ours.goal_stop, |r| stopped.extend(r.integer(1)));
    stopped.sort_unstable();
    let mut given: Vec<(i32, i32, Vec<i32>)> = Vec::new();
    each(ours.revision, |r| {
        let mut ids = r.integers(3);
        ids.sort_unstable();
        memory::room(&mut given, 1);
        given.push((r.integer(1).unwrap_or(0), r.integer(2).unwrap_or(0), ids));
    });
    memory::ensure(given.iter().map(|(_, _, goals)| 4 * size_of::<i32>() * goals.len()).sum());
    let judged: HashSet<i32> = given.iter().flat_map(|(_, _, goals)| goals).copied().collect();
    let mut goals = HashMap::new();
    each(ours.goal, |r| {
        let id = r.integer(1).unwrap_or(0);
        memory::insert(
            &mut goals,
            id,
            Rc::new(Goal {
                id,
                message_id: r.integer(2).unwrap_or(0),
                name: r.string(3).unwrap_or_default(),
                version: r.integer(4).unwrap_or(0),
                attribute: r.string(5),
                attribute_type: r.string(6),
                operator: r.string(7).and_then(|o| Operator::parse(&o).ok()),
                value: r.string(8),
                event: r.string(9),
                times: r.integer(10).unwrap_or(1),
                properties: KeptJsonb::of(r, 11),
                time_limit: r.bigint(12),
                after: anchor(&r.string(13).unwrap_or_default()),
                value_from: r.string(14),
                live: judged.contains(&id) && stopped.binary_search(&id).is_err(),
            }),
        );
    });

    // (of each message the newest)
    memory::ensure(given.len() * 4 * size_of::<(i32, Rc<Revision>)>());
    let mut revisions: HashMap<i32, Rc<Revision>> = HashMap::new();
    let mut current: HashMap<i32, Rc<Revision>> = HashMap::new();
    for (id, message_id, ids) in given {
        let by_gain = |id: &i32| goals.get(id).is_some_and(|g: &Rc<Goal>| g.operator == Some(Operator::IsIncreasedBy));
        let baselines = ids.iter().copied().filter(by_gain).collect();
        let revision = Rc::new(Revision { id, message_id, goals: ids, baselines });
        let newest = current.entry(revision.message_id).or_insert_with(|| revision.clone());
        if newest.id < revision.id {
            *newest = revision.clone();
        }
        memory::insert(&mut revisions, revision.id, revision);
    }

    let mut variants: HashMap<i32, Vec<(Variant, bool)>> = HashMap::new();
    each(ours.variant, |r| {
        let variant = Variant {
            id: r.integer(1).unwrap_or(0),
            name: r.string(3).unwrap_or_default(),
            weight: r.double(4).unwrap_or(0.0),
        };
        variants.entry(r.integer(2).unwrap_or(0)).or_default().push((variant, r.byte(5) != 0));
    });

    let mut messages = HashMap::new();
    let mut users_of_message = HashMap::new();
    each(ours.message, |r| {
        let id = r.integer(1).unwrap_or(0);
        let users_id = r.integer(5).unwrap_or(0);
        memory::insert(&mut users_of_message, id, users_id);
        let Some(revision) = current.get(&id) else { return };
        let mut all = variants.remove(&id).unwrap_or_default();
        all.sort_by_key(|(v, _)| v.id);
        let name = r.string(2).unwrap_or_default();
        let message = Message {
            id,
            name: name.clone(),
            users_id,
            control: all.iter().find(|(_, control)| *control).map(|(v, _)| v.clone()),
            variants: all.into_iter().filter(|(_, control)| !control).map(|(v, _)| v).collect(),
            revision: revision.clone(),
        };
        memory::insert(&mut messages, name, Rc::new(message));
    });

    // What is made of the goals by name is no larger than they are.
    memory::ensure(goals.len() * size_of::<(Goal, Awaited)>());
    let mut waiting: Vec<&Rc<Goal>> = goals.values().filter(|g| g.event.is_some() && g.live).collect();
    waiting.sort_unstable_by_key(|g| g.id);
    let mut events: HashMap<i32, HashMap<String, Vec<Awaited>>> = HashMap::new();
    for goal in waiting {
        if let (Some(event), Some(users)) = (&goal.event, users_of_message.get(&goal.message_id)) {
            let awaited = events.entry(*users).or_default().entry(event.clone()).or_default();
            match awaited.iter_mut().find(|a| a.properties == goal.properties) {
                Some(same) => {
                    same.reach = same.reach.and(goal);
                    same.goals.push(goal.clone());
                }
                None => awaited.push(Awaited {
                    properties: goal.properties.clone(),
                    goals: vec![goal.clone()],
                    reach: Reach::NONE.and(goal),
                }),
            }
        }
    }
    Some(Setup { ours, sources, messages, goals, revisions, users_of_message, events })
}

/// Has nothing about this table's columns changed since it was last asked about? From the first question on, changes are noticed.
pub fn tables_are_fresh(relid: Oid) -> bool {
    let fresh = !invalidate::tables_are_stale() && invalidate::table_is_known(relid);
    refresh_tables();
    invalidate::table_is_kept(relid);
    fresh
}

/// The type of a users table's key, None if the table or its key is gone.
pub fn key_type_of(users: &Source) -> Option<KeyType> {
    if !invalidate::tables_are_stale()
        && let Some(known) = CACHE.with_borrow(|c| c.key_types.get(&users.id).copied())
    {
        return known;
    }
    // By the catalog alone: no lock is needed to know the type of a column.
    let key_type = relation::column_type(users.relation, &users.key).and_then(KeyType::of);
    invalidate::table_is_kept(users.relation);
    CACHE.with_borrow_mut(|c| c.key_types.insert(users.id, key_type));
    key_type
}
