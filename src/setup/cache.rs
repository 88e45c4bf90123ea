//! The backend's cache of the set-up: sources, messages, goals, and per table the columns that have a goal. It holds
//! the newest committed state until an invalidation arrives. Nothing is borrowed across a call into the server: callers
//! hold counted references to immutable snapshots.

use super::definitions::{Setup, Source};
use super::read::{Unread, read_setup};
use super::watch::{self, Watch};
use crate::model::error::{Error, Result};
use crate::pg::datum::Columns;
use crate::pg::key::KeyType;
use crate::pg::own_tables::{Fault, Lacking, OwnTables};
use crate::pg::relation::Relation;
use crate::pg::trigger::Trigger;
use crate::pg::{invalidate, memory, relation};
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

#[derive(Default)]
struct Cache {
    setup: Option<Rc<Setup>>,
    /// By table and source: a partition may be tracked in addition to its parent.
    by_table: HashMap<(Oid, i32), Option<Rc<Watch>>>,
    /// By source and columns: partitions usually have the same columns, and then share one watch.
    by_columns: Vec<(i32, Columns, Option<Rc<Watch>>)>,
    by_trigger: HashMap<Oid, Option<Rc<Watch>>>,
    key_types: HashMap<i32, Option<KeyType>>,
    /// The trigger that fired last, because a statement changes many rows of one table.
    last: Option<(Oid, Option<Rc<Watch>>)>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::new(Cache::default());
}

/// The current set-up; None if the extension is not installed or one of its tables cannot be used.
pub fn setup() -> Option<Rc<Setup>> {
    invalidate::listen();
    if !invalidate::setup_is_stale() && (!invalidate::indexes_are_stale() || indexes_are_the_same()) {
        return CACHE.with_borrow(|c| c.setup.clone());
    }
    invalidate::setup_is_looked_for();
    let fresh = read_setup().map(Rc::new);
    CACHE.with_borrow_mut(|c| *c = Cache { setup: fresh.as_ref().ok().cloned(), ..Cache::default() });
    match &fresh {
        Ok(_) => invalidate::setup_is_read(),
        Err(unread) => invalidate::setup_is_not_read(*unread == Unread::Locked),
    }
    fresh.ok()
}

/// The current set-up; an error if one of the extension's tables is missing or cannot be used.
pub fn required_setup() -> Result<Rc<Setup>> {
    if let Some(setup) = setup() {
        return Ok(setup);
    }
    let found = OwnTables::find();
    if found.is_ok() {
        // Mended by what sends no invalidation: setval().
        reset();
        if let Some(setup) = setup() {
            return Ok(setup);
        }
    }
    Err(match found {
        Err(Lacking { name, fault: Fault::Unfit(unfit), .. }) => Error::InvalidArgument {
            message: format!("nothing is recorded: goals.{name} cannot be used, {}", unfit.why),
            hint: format!("{}; see goals.health().", unfit.mend),
        },
        found => Error::InvalidArgument {
            message: format!(
                "goals.{} is missing: nothing is recorded without it",
                found.err().map_or("source", |lacking| lacking.name)
            ),
            hint: "Rename it back, or recreate it as a new installation has it; see goals.health().".into(),
        },
    })
}

/// True if the tables and indexes of the cached set-up are still those that exist.
#[cold]
fn indexes_are_the_same() -> bool {
    invalidate::indexes_are_read();
    let known = CACHE.with_borrow(|c| c.setup.as_ref().map(|s| s.tables));
    known.is_some() && known == OwnTables::find().ok()
}

/// Discards the cached set-up; the next call reads it again.
pub fn reset() {
    invalidate::setup_is_outdated();
}

/// What to watch for a trigger; None if its table is not tracked by the source that the trigger names.
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
        let of_kind = |kind| trigger_source(&setup, trigger, kind);
        let source = of_kind("users").or_else(|| of_kind("attributes"))?;
        table_watch(&setup, &trigger.relation(), source)
    });
    CACHE.with_borrow_mut(|c| {
        memory::insert(&mut c.by_trigger, trigger.oid(), watch.clone());
        c.last = Some((trigger.oid(), watch.clone()));
    });
    watch
}

/// The source that a trigger names; None unless the trigger is on its table or on a partition of it.
pub fn trigger_source<'a>(setup: &'a Setup, trigger: &Trigger, kind: &str) -> Option<&'a Rc<Source>> {
    let source = setup.source(trigger.argument()?.parse().ok()?)?;
    let relation = trigger.relation();
    let tracked = source.relation == relation.oid()
        || (relation.is_partition() && relation::ancestors(relation.oid()).contains(&source.relation));
    (tracked && source.attached && source.kind == kind).then_some(source)
}

/// What to watch in a row of a table of users, or of attributes beside them, or of one of its partitions.
pub fn table_watch(setup: &Setup, table: &Relation, users: &Source) -> Option<Rc<Watch>> {
    refresh_tables();
    // A caller may work with a set-up that has since been replaced; a watch built from it is not cached.
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

/// True if the columns are unchanged since the last call; the first call starts watching and answers false.
pub fn tables_are_fresh(relid: Oid) -> bool {
    let fresh = !invalidate::tables_are_stale() && invalidate::table_is_known(relid);
    refresh_tables();
    invalidate::table_is_kept(relid);
    fresh
}

/// The type of a users table's key; None if the table or its key is gone.
pub fn key_type_of(users: &Source) -> Option<KeyType> {
    if !invalidate::tables_are_stale()
        && let Some(known) = CACHE.with_borrow(|c| c.key_types.get(&users.id).copied())
    {
        return known;
    }
    // From the catalog, which needs no lock on the table.
    let key_type = relation::column_type(users.relation, &users.key).and_then(KeyType::of);
    invalidate::table_is_kept(users.relation);
    CACHE.with_borrow_mut(|c| c.key_types.insert(users.id, key_type));
    key_type
}
