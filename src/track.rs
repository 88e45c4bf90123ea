//! Tracking the application's tables: checking that it can be done, and the trigger. DDL never queues for its lock.

use crate::cache::{self, Source};
use crate::events::tracked_users_table;
use crate::model::error::{Error, Result};
use crate::model::value::Kind;
use crate::pg::call::{Args, Out};
use crate::pg::relation::{self, Lock, Relation, TriggerChange};
use crate::pg::spi::{self, Arg, as_owner};
use crate::pg::users::{KEY_TYPES, KeyType};
use crate::pg::{invalidate, types};
use crate::setup::{number, setup};
use pgrx::pg_sys::{self, Oid};
use std::rc::Rc;

/// Opens a table that can be tracked by this caller.
fn trackable(relid: Oid) -> Result<Relation> {
    let wrong = |why: &str| Error::WrongRelation { relation: relation::qualified_name(relid), why: why.into() };
    let table = Relation::open(relid, Lock::Share).ok_or_else(|| wrong("does not exist"))?;
    if !matches!(table.kind(), pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE) {
        return Err(wrong("is not a table or partitioned table"));
    }
    if table.is_catalog() {
        return Err(wrong("is a system catalog"));
    }
    if table.is_temporary() {
        return Err(wrong("is a temporary table"));
    }
    if relation::in_schema(relid, "goals") {
        return Err(wrong("belongs to pg_goals"));
    }
    if !relation::owned(relid) {
        return Err(Error::NotOwner { relation: table.qualified_name() });
    }
    Ok(table)
}

fn column(table: &Relation, name: &str) -> Result<relation::Column> {
    table.column(name).ok_or_else(|| Error::UnknownColumn {
        relation: table.qualified_name(),
        name: name.into(),
        columns: table.column_names(),
    })
}

fn check_key(table: &Relation, key: &relation::Column) -> Result<()> {
    KeyType::of(key.type_oid).map(|_| ()).ok_or_else(|| Error::KeyType {
        relation: table.qualified_name(),
        column: key.name.clone(),
        type_name: types::type_name(key.type_oid),
        types: KEY_TYPES,
    })
}

/// The columns of goals.source that differ between kinds of sources.
#[derive(Default)]
struct Columns {
    key: String,
    event: Option<String>,
    message: Option<String>,
    variant: Option<String>,
    properties: Option<String>,
    occurred: Option<String>,
    opened: Option<String>,
    clicked: Option<String>,
}

/// Records the table as a source and puts the trigger on it. Asked again with the same columns it changes nothing; with others
/// it changes the columns.
fn attach(table: &Relation, kind: &str, users_id: Option<i32>, columns: &Columns) -> Result<Out> {
    let setup = setup()?;
    let relid = table.oid();
    let function = match kind {
        "users" => "goals.capture",
        "events" => "goals.capture_event",
        _ => "goals.capture_receipt",
    };
    let events = match (kind, table.kind() == pg_sys::RELKIND_PARTITIONED_TABLE) {
        // An update that moves a row between partitions is a delete and an insert.
        ("users", true) => "INSERT OR UPDATE OR DELETE",
        ("users", false) => "UPDATE",
        ("events", true) => "INSERT OR DELETE",
        ("events", false) => "INSERT",
        (_, true) => "INSERT OR UPDATE OR DELETE",
        (_, false) => "INSERT OR UPDATE",
    };
    if let Some(other) = setup.sources.iter().find(|s| s.relation == relid && s.kind != kind) {
        return Err(Error::AlreadyTracked { relation: table.qualified_name(), kind: other.kind.clone() });
    }
    let is_tracked = setup.sources.iter().any(|s| s.relation == relid && s.attached);
    if !is_tracked && table.is_partition() {
        let above = relation::ancestors(relid);
        if let Some(source) = setup.sources.iter().find(|s| s.attached && s.kind == kind && above.contains(&s.relation))
        {
            let parent = relation::qualified_name(source.relation);
            return Err(Error::Covered { relation: table.qualified_name(), parent });
        }
    }
    as_owner(setup.ours.revision, || {
        let known = number(spi::one("SELECT source_id FROM goals.source WHERE relation = $1", &[Arg::Oid(relid)]));
        let id = match known {
            Some(id) => id,
            None => number(spi::one(
                "INSERT INTO goals.source (source_id, kind, relation, users_id, key_column, event_column, message_column) \
                 SELECT s, $1, $2, coalesce($3, s), $4::name, $5::name, $6::name \
                 FROM nextval('goals.source_source_id_seq') s RETURNING source_id",
                &[
                    Arg::Text(Some(kind)),
                    Arg::Oid(relid),
                    Arg::Integer(users_id),
                    Arg::Text(Some(&columns.key)),
                    Arg::Text(columns.event.as_deref()),
                    Arg::Text(columns.message.as_deref()),
                ],
            ))
            .unwrap_or(0),
        };
        spi::run(
            "UPDATE goals.source SET users_id = coalesce($2, source_id), key_column = $3::name, event_column = $4::name, \
             message_column = $5::name, variant_column = $6::name, properties_column = $7::name, \
             occurred_column = $8::name, opened_column = $9::name, clicked_column = $10::name, attached = true \
             WHERE source_id = $1 AND (users_id, key_column, event_column, message_column, variant_column, \
             properties_column, occurred_column, opened_column, clicked_column, attached) IS DISTINCT FROM \
             (coalesce($2, source_id), $3::name, $4::name, $5::name, $6::name, $7::name, $8::name, $9::name, $10::name, true)",
            &[
                Arg::Integer(i32::try_from(id).ok()),
                Arg::Integer(users_id),
                Arg::Text(Some(&columns.key)),
                Arg::Text(columns.event.as_deref()),
                Arg::Text(columns.message.as_deref()),
                Arg::Text(columns.variant.as_deref()),
                Arg::Text(columns.properties.as_deref()),
                Arg::Text(columns.occurred.as_deref()),
                Arg::Text(columns.opened.as_deref()),
                Arg::Text(columns.clicked.as_deref()),
            ],
        );
        forget_ignored(i32::try_from(id).unwrap_or(0));
        attach_trigger(table, function, events, id)?;
        invalidate::announce(setup.ours.revision);
        Ok(Out::Null)
    })
}

/// Puts the trigger of this source on the table, unless it is there. Its name carries the source's id: a partition may be tracked
/// by itself and be given a clone of the trigger of the table above it. Where the extension is still of 0.1.0, whose `health()`
/// looks for the one name that its triggers have, it is given that.
fn attach_trigger(table: &Relation, function: &str, events: &str, id: i64) -> Result<()> {
    let (relid, on) = (table.oid(), table.qualified_name());
    let wanted = if extension_is_of_0_1_0() { "pg_goals".to_owned() } else { format!("pg_goals_{id}") };
    if table.kind() == pg_sys::RELKIND_PARTITIONED_TABLE {
        let_clone(function);
    }
    let (ours, others): (Vec<_>, Vec<_>) = triggers(relid).into_iter().partition(|t| t.serves(function, id));
    if !others.is_empty() {
        // Left by a restore into a database where the table has another source id.
        with_short_lock(TriggerChange::Drop, relid, || others.iter().for_each(|t| t.drop_from(&on)))?;
    }
    if ours.is_empty() {
        return with_short_lock(TriggerChange::Create, relid, || {
            spi::run(
                &format!(
                    "CREATE TRIGGER {wanted} AFTER {events} ON {on} FOR EACH ROW EXECUTE FUNCTION {function}('{id}')"
                ),
                &[],
            );
        });
    }
    // Up to 0.1.0 all had the same name. It works under any; the right one can wait until the table is free.
    if let [old] = ours.as_slice()
        && old.name == "pg_goals"
        && old.name != wanted
        && relation::lock_for(TriggerChange::Drop, relid, std::time::Duration::ZERO)
    {
        spi::run(&format!("ALTER TRIGGER pg_goals ON {on} RENAME TO {wanted}"), &[]);
    }
    Ok(())
}

/// What rows of the table asked for in vain is noted anew from now on: somebody has looked after it.
fn forget_ignored(source_id: i32) {
    spi::run("DELETE FROM goals.ignored WHERE source_id = $1", &[Arg::Integer(Some(source_id))]);
}

fn extension_is_of_0_1_0() -> bool {
    spi::one("SELECT true FROM pg_extension WHERE extname = 'pg_goals' AND extversion = '0.1.0'", &[]).is_some()
}

/// Whoever creates or attaches a partition needs the right to execute the function of every trigger that is cloned onto it.
/// Given to everybody: a right of the owner's would end with his ownership, and would be in the way when he is dropped. Nobody
/// can name the function without a right on the schema, and a trigger on a table that is not tracked does nothing.
fn let_clone(function: &str) {
    let function = format!("{function}()");
    let args = [Arg::Text(Some(&function))];
    if spi::one("SELECT true WHERE NOT has_function_privilege('public', $1::regprocedure, 'EXECUTE')", &args).is_some()
    {
        spi::run(&format!("GRANT EXECUTE ON FUNCTION {function} TO PUBLIC"), &[]);
    }
}

/// A trigger of ours, whatever its name.
struct Attached {
    name: String,
    function: String,
    argument: Option<String>,
}

impl Attached {
    fn serves(&self, function: &str, id: i64) -> bool {
        self.function == function && self.argument.as_deref() == Some(&id.to_string())
    }

    fn drop_from(&self, table: &str) {
        let name = spi::quoted(&self.name);
        spi::run(&format!("DROP TRIGGER {name} ON {table}"), &[]);
    }
}

/// Our triggers on a table, without the clones of those of a table above it.
fn triggers(relid: Oid) -> Vec<Attached> {
    let rows = spi::run(
        "SELECT t.tgname, 'goals.' || p.proname, encode(t.tgargs, 'escape') \
         FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
         WHERE t.tgrelid = $1 AND t.tgparentid = 0 AND p.pronamespace = 'goals'::regnamespace ORDER BY t.tgname",
        &[Arg::Oid(relid)],
    );
    rows.into_iter()
        .filter_map(|row| {
            let [name, function, arguments] = <[Option<String>; 3]>::try_from(row).ok()?;
            let argument = arguments.and_then(|a| a.strip_suffix("\\000").map(str::to_owned));
            Some(Attached { name: name?, function: function?, argument })
        })
        .collect()
}

/// Runs DDL on the application's table without queueing behind a long transaction, where it would make everybody else wait.
fn with_short_lock(change: TriggerChange, relid: Oid, ddl: impl FnOnce()) -> Result<()> {
    if !relation::lock_for(change, relid, std::time::Duration::from_secs(2)) {
        return Err(Error::LockNotAvailable { relation: relation::qualified_name(relid) });
    }
    ddl();
    Ok(())
}

/// goals.track_users(relation, key)
pub fn track_users(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let key = match args.name(1) {
        Some(name) => column(&table, &name)?,
        None => table.single_column_key().map_err(|why| Error::NoKey { relation: table.qualified_name(), why })?,
    };
    check_key(&table, &key)?;
    attach(&table, "users", None, &Columns { key: key.name, ..Columns::default() })
}

/// goals.track_events(relation, user_key, event, occurred_at, properties, users)
pub fn track_events(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let key = column(&table, &args.name(1).ok_or(Error::NullArgument { name: "user_key" })?)?;
    check_key(&table, &key)?;
    let event = column(&table, &args.name(2).ok_or(Error::NullArgument { name: "event" })?)?;
    must_be(&table, &event, "a text, varchar, char(n), name or enum", is_text)?;
    let occurred = args.name(3).map(|n| time_column(&table, &n)).transpose()?;
    let properties = args.name(4).map(|n| column(&table, &n)).transpose()?;
    if let Some(properties) = &properties {
        must_be(&table, properties, "a jsonb", |oid| base(oid) == pg_sys::JSONBOID)?;
    }
    let known = setup()?;
    let users = tracked_users_table(&known, args.relation(5))?;
    attach(
        &table,
        "events",
        Some(users.id),
        &Columns {
            key: key.name,
            event: Some(event.name),
            occurred,
            properties: properties.map(|c| c.name),
            ..Columns::default()
        },
    )
}

/// goals.track_receipts(relation, message, user_key, sent_at, opened_at, clicked_at, variant)
pub fn track_receipts(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let message = column(&table, &args.name(1).ok_or(Error::NullArgument { name: "message" })?)?;
    must_be(&table, &message, "a text, varchar, char(n), name or enum", is_text)?;
    let key = column(&table, &args.name(2).ok_or(Error::NullArgument { name: "user_key" })?)?;
    check_key(&table, &key)?;
    let time = |i: usize| args.name(i).map(|n| time_column(&table, &n)).transpose();
    let variant = args.name(6).map(|n| column(&table, &n)).transpose()?;
    if let Some(variant) = &variant {
        must_be(&table, variant, "a text, varchar, char(n), name or enum", is_text)?;
    }
    // Which users a row is about follows from its message; any users table will do to begin with.
    let setup = setup()?;
    let users = setup.sources.iter().find(|s| s.kind == "users" && s.attached).ok_or(Error::NoUsersTable)?;
    attach(
        &table,
        "receipts",
        Some(users.id),
        &Columns {
            key: key.name,
            message: Some(message.name),
            occurred: time(3)?,
            opened: time(4)?,
            clicked: time(5)?,
            variant: variant.map(|c| c.name),
            ..Columns::default()
        },
    )
}

fn base(type_oid: Oid) -> Oid {
    types::ColumnType::resolve(type_oid, Oid::INVALID).type_oid()
}

fn is_text(type_oid: Oid) -> bool {
    let resolved = types::ColumnType::resolve(type_oid, Oid::INVALID);
    resolved.kind() == Kind::Text && !resolved.is_other()
}

fn time_column(table: &Relation, name: &str) -> Result<String> {
    let found = column(table, name)?;
    let is_time = |oid| matches!(base(oid), pg_sys::TIMESTAMPTZOID | pg_sys::TIMESTAMPOID | pg_sys::DATEOID);
    must_be(table, &found, "a timestamptz, timestamp or date", is_time)?;
    Ok(found.name)
}

fn must_be(table: &Relation, column: &relation::Column, what: &str, is: impl Fn(Oid) -> bool) -> Result<()> {
    if is(column.type_oid) && !column.is_virtual {
        return Ok(());
    }
    Err(Error::InvalidArgument {
        message: format!(
            "column \"{}\" of {} is of type {}",
            column.name,
            table.qualified_name(),
            types::type_name(column.type_oid)
        ),
        hint: format!("Name {what} column."),
    })
}

fn detach(setup: &cache::Setup, source: &Source) -> Result<()> {
    as_owner(setup.ours.revision, || {
        let ours: Vec<_> = triggers(source.relation)
            .into_iter()
            .filter(|t| t.argument.as_deref() == Some(&source.id.to_string()))
            .collect();
        if !ours.is_empty() {
            let name = relation::qualified_name(source.relation);
            with_short_lock(TriggerChange::Drop, source.relation, || ours.iter().for_each(|t| t.drop_from(&name)))?;
        }
        spi::run("UPDATE goals.source SET attached = false WHERE source_id = $1", &[Arg::Integer(Some(source.id))]);
        forget_ignored(source.id);
        invalidate::announce(setup.ours.revision);
        Ok(())
    })
}

/// goals.untrack(relation)
pub fn untrack(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let setup = setup()?;
    let name = relation::qualified_name(relid);
    let source = setup
        .sources
        .iter()
        .find(|s| s.relation == relid)
        .ok_or_else(|| Error::NotTracked { relation: name.clone() })?;
    if relation::exists(relid) && !relation::owned(relid) {
        return Err(Error::NotOwner { relation: name });
    }
    detach(&setup, source)?;
    Ok(Out::Null)
}

/// goals.untrack_all()
pub fn untrack_all(_args: &Args) -> Result<Out> {
    let setup = setup()?;
    let attached: Vec<&Rc<Source>> = setup.sources.iter().filter(|s| s.attached).collect();
    if let Some(source) = attached.iter().find(|s| relation::exists(s.relation) && !relation::owned(s.relation)) {
        return Err(Error::NotOwner { relation: relation::qualified_name(source.relation) });
    }
    for source in attached {
        detach(&setup, source)?;
    }
    Ok(Out::Null)
}

/// goals.source_problem(source_id): what keeps the rows of a tracked table from being read, NULL if nothing does.
pub fn source_problem(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "source_id" })?;
    let setup = setup()?;
    let problem = || {
        let source = setup.source(id)?;
        let table = Relation::open(source.relation, Lock::Share)?;
        let named = [
            Some(&source.key),
            source.event.as_ref(),
            source.message.as_ref(),
            source.variant.as_ref(),
            source.properties.as_ref(),
            source.occurred.as_ref(),
            source.opened.as_ref(),
            source.clicked.as_ref(),
        ];
        if let Some(gone) = named.into_iter().flatten().find(|name| table.column(name).is_none()) {
            return Some(format!("column \"{gone}\" is no longer in {}", table.qualified_name()));
        }
        let key = table.column(&source.key)?;
        KeyType::of(key.type_oid)
            .is_none()
            .then(|| format!("key column \"{}\" is now of type {}", key.name, types::type_name(key.type_oid)))
    };
    Ok(problem().map_or(Out::Null, Out::Text))
}
