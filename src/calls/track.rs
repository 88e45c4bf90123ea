//! Tracking the application's tables: the checks, and the trigger. DDL never queues for its lock.

use crate::model::error::{Error, Result};
use crate::pg::call::{Args, Out};

use crate::pg::own_tables::columns::source;
use crate::pg::relation::{self, Lock, Relation, TriggerChange};
use crate::pg::spi::{self, Arg};
use crate::pg::triggers::{self, Attached, Events};
use crate::pg::{invalidate, rights};
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Setup, Source, in_one_place};
use pgrx::pg_sys::{self, Oid};
use std::rc::Rc;

/// Opens a table; an error if this caller cannot track it.
pub(super) fn trackable(relid: Oid) -> Result<Relation> {
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
    if !rights::owns(relid) {
        return Err(Error::NotOwner { relation: table.qualified_name() });
    }
    in_one_place(relid)?;
    Ok(table)
}

/// An error if a trigger on the table would be cloned onto a partition whose owner has not granted TRIGGER.
fn may_be_cloned(relid: Oid) -> Result<()> {
    match Relation::open(relid, Lock::Share).and_then(|table| rights::without_trigger_right(&table)) {
        Some(below) => {
            Err(Error::NoTriggerRight { relation: relation::qualified_name(below), owner: rights::owner_name(relid) })
        }
        None => Ok(()),
    }
}

/// What goals.source keeps of a tracked table.
#[derive(Default)]
pub(super) struct Columns {
    pub key: String,
    pub event: Option<String>,
    pub message: Option<String>,
    pub variant: Option<String>,
    pub properties: Option<String>,
    pub occurred: Option<String>,
    pub opened: Option<String>,
    pub clicked: Option<String>,
    /// As JSON.
    pub options: Option<String>,
    /// What tells it apart from others of its kind on the same table.
    pub way: Option<String>,
}

/// True if one table may be tracked for both kinds. A table of sends may say what happened to each.
fn may_be_both(kind: &str, other: &str) -> bool {
    let either = |of: &[&str]| of.contains(&kind) || of.contains(&other);
    !either(&["users", "messages"]) && (!either(&["receipts"]) || either(&["engagements"]))
}

/// The trigger's function for this kind of table.
fn function_of(kind: &str) -> &'static str {
    match kind {
        "users" => "capture",
        "events" => "capture_event",
        "messages" => "capture_message",
        "attributes" => "capture_attributes",
        "membership" => "capture_membership",
        "engagements" => "capture_engagement",
        _ => "capture_receipt",
    }
}

/// Records the table as a source and creates the trigger on it. For a tracked table it updates the columns.
pub(super) fn attach(
    table: Relation,
    kind: &str,
    users: Option<i32>,
    columns: &Columns,
    wanted: Wanted,
) -> Result<Out> {
    let setup = required_setup()?;
    let relid = table.oid();
    let function = function_of(kind);
    // An update that moves a row between partitions is a delete and an insert.
    let is_partitioned = table.kind() == pg_sys::RELKIND_PARTITIONED_TABLE;
    let events = wanted.events(is_partitioned);
    let mut others = setup.sources.iter().filter(|s| s.relation == relid && s.attached && s.kind != kind);
    if let Some(other) = others.find(|s| !may_be_both(kind, &s.kind)) {
        return Err(Error::AlreadyTracked { relation: table.qualified_name(), kind: other.kind.clone() });
    }
    refuse_covered(&setup, &table, kind, columns.way.as_deref())?;
    setup.tables.as_owner(|| {
        let users_column = setup.tables.users_column();
        let has_options = setup.tables.source.places().of(source::options) != 0;
        let known = || {
            if !has_options {
                return spi::number("SELECT source_id FROM goals.source WHERE relation = $1", &[Arg::Oid(relid)]);
            }
            spi::number(
                "SELECT source_id FROM goals.source WHERE relation = $1 AND kind = $2 \
                 AND coalesce(options ->> 'named', options ->> 'engagement', '') = coalesce($3, '')",
                &[Arg::Oid(relid), Arg::Text(Some(kind)), Arg::Text(columns.way.as_deref())],
            )
        };
        let insert = || {
            let mut values = vec![
                Arg::Text(Some(kind)),
                Arg::Oid(relid),
                Arg::Integer(users),
                Arg::Text(Some(&columns.key)),
                Arg::Text(columns.event.as_deref()),
                Arg::Text(columns.message.as_deref()),
            ];
            if has_options {
                values.push(Arg::Text(columns.options.as_deref()));
                return spi::number(
                    "INSERT INTO goals.source (source_id, kind, relation, users_source_id, key_column, event_column, \
                     message_column, options) SELECT s, $1, $2, coalesce($3, s), $4::name, $5::name, $6::name, \
                     $7::jsonb FROM nextval('goals.source_source_id_seq') s ON CONFLICT DO NOTHING RETURNING source_id",
                    &values,
                );
            }
            spi::number(
                &format!(
                    "INSERT INTO goals.source (source_id, kind, relation, {users_column}, key_column, event_column, \
                     message_column) SELECT s, $1, $2, coalesce($3, s), $4::name, $5::name, $6::name \
                     FROM nextval('goals.source_source_id_seq') s RETURNING source_id"
                ),
                &values,
            )
        };
        // Another session may have made it since.
        let id = known().or_else(insert).or_else(known);
        let id = id.ok_or_else(|| Error::LockNotAvailable { relation: relation::qualified_name(relid) })?;
        spi::run(
            &format!(
                "UPDATE goals.source SET {users_column} = coalesce($2, source_id), key_column = $3::name, \
                 event_column = $4::name, message_column = $5::name, variant_column = $6::name, \
                 properties_column = $7::name, occurred_column = $8::name, opened_column = $9::name, \
                 clicked_column = $10::name, attached = true \
                 WHERE source_id = $1 AND ({users_column}, key_column, event_column, message_column, variant_column, \
                 properties_column, occurred_column, opened_column, clicked_column, attached) IS DISTINCT FROM \
                 (coalesce($2, source_id), $3::name, $4::name, $5::name, $6::name, $7::name, $8::name, $9::name, \
                 $10::name, true)"
            ),
            &[
                Arg::Integer(i32::try_from(id).ok()),
                Arg::Integer(users),
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
        note_options(&setup, id, columns.options.as_deref());
        note_name(&setup, i32::try_from(id).unwrap_or(0));
        forget_ignored(i32::try_from(id).unwrap_or(0));
        // DDL needs the table to be closed.
        drop(table);
        attach_trigger(relid, is_partitioned, function, events, id)?;
        invalidate::announce(setup.tables.revision);
        Ok(Out::Null)
    })
}

/// The changes of a row that a kind of table is tracked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Wanted {
    pub const UPDATES: Wanted = Wanted { insert: false, update: true, delete: false };
    pub const INSERTS: Wanted = Wanted { insert: true, update: false, delete: false };
    pub const INSERTS_AND_UPDATES: Wanted = Wanted { insert: true, update: true, delete: false };

    /// The events of the trigger. An update that moves a row between partitions is a delete and an insert.
    pub fn events(self, is_partitioned: bool) -> Events {
        Events { insert: self.insert || is_partitioned, update: self.update, delete: self.delete || is_partitioned }
    }
}

/// Earlier versions of the extension's SQL have no column for options, and no parameters that set them.
fn note_options(setup: &Setup, source_id: i64, options: Option<&str>) {
    if setup.tables.source.places().of(source::options) == 0 {
        return;
    }
    spi::run(
        "UPDATE goals.source SET options = $2::jsonb WHERE source_id = $1 AND options IS DISTINCT FROM $2::jsonb",
        &[Arg::Integer(i32::try_from(source_id).ok()), Arg::Text(options)],
    );
}

/// An error for a partition of a table that is tracked as this kind in the same way.
pub(super) fn refuse_covered(setup: &Setup, table: &Relation, kind: &str, way: Option<&str>) -> Result<()> {
    let is_one = |s: &Source| s.attached && s.kind == kind && s.options.way() == way;
    let is_tracked = setup.sources.iter().any(|s| s.relation == table.oid() && is_one(s));
    if is_tracked || !table.is_partition() {
        return Ok(());
    }
    let above = relation::ancestors(table.oid());
    match setup.sources.iter().find(|s| is_one(s) && above.contains(&s.relation)) {
        Some(source) => {
            Err(Error::Covered { relation: table.qualified_name(), parent: relation::qualified_name(source.relation) })
        }
        None => Ok(()),
    }
}

/// Notes what the table of a source is called: it is missed if another one gets that name. Earlier versions of the
/// extension's SQL have no columns for it.
pub(super) fn note_name(setup: &Setup, source_id: i32) {
    if setup.tables.source.places().of(source::table_name) == 0 {
        return;
    }
    spi::run(
        "UPDATE goals.source s SET schema_name = n.nspname, table_name = c.relname \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE s.source_id = $1 AND c.oid = s.relation \
         AND (s.schema_name, s.table_name) IS DISTINCT FROM (n.nspname, c.relname)",
        &[Arg::Integer(Some(source_id))],
    );
}

/// Creates the trigger of this source on the table, unless it exists. Its name contains the source's id: a partition
/// may have its own trigger and a clone of its parent's. While the extension is at version 0.1.0, whose `health()`
/// looks for the name `pg_goals`, it gets that name.
pub(super) fn attach_trigger(relid: Oid, is_partitioned: bool, function: &str, events: Events, id: i64) -> Result<()> {
    let wanted = match function {
        _ if extension_is_of_0_1_0() => "pg_goals".to_owned(),
        // Triggers fire in the order of their names: a row is a receipt first, where it is both.
        "capture_engagement" => format!("pg_goals_e{id}"),
        _ => format!("pg_goals_{id}"),
    };
    if is_partitioned {
        let_partitions_clone(&format!("goals.{function}"));
    }
    let signature = format!("goals.{function}()");
    let function = spi::one("SELECT $1::regprocedure::oid", &[Arg::Text(Some(&signature))]);
    let function = function.and_then(|oid| oid.parse().ok()).map(Oid::from_u32).ok_or(Error::NoUsersTable)?;
    let beside = other_sources(relid, id);
    let id = id.to_string();
    // One that was made for fewer changes of a row is replaced.
    let serves = |t: &Attached| t.function == function && t.argument.as_deref() == Some(&id) && t.fires_after(events);
    let is_of_another = |t: &Attached| t.argument.as_ref().is_some_and(|id| beside.contains(id));
    let of_source = || {
        let own = |all: Vec<Attached>| all.into_iter().filter(|t| !is_of_another(t)).partition::<Vec<_>, _>(serves);
        attached_to(relid).map(own)
    };
    let create = || triggers::create(relid, &triggers::free_name(relid, &wanted), function, events, &id);
    if !of_source()?.1.is_empty() {
        // From a restore into a database where the table has another source id.
        lock_briefly(TriggerChange::Drop, relid)?;
        of_source()?.1.into_iter().for_each(Attached::drop);
    }
    if of_source()?.0.is_empty() {
        may_be_cloned(relid)?;
        lock_briefly(TriggerChange::Create, relid)?;
        if of_source()?.0.is_empty() {
            create();
        }
        return Ok(());
    }
    // Up to 0.1.0 all triggers had the same name. Any name works, so the rename can wait until the table is free.
    let has_old_name = |t: &Attached| t.name == "pg_goals" && t.name != wanted && t.is_as_created;
    if matches!(of_source()?.0.as_slice(), [old] if has_old_name(old))
        && may_be_cloned(relid).is_ok()
        && relation::lock_for(TriggerChange::Drop, relid, std::time::Duration::ZERO)
    {
        of_source()?.0.into_iter().for_each(Attached::drop);
        create();
    }
    Ok(())
}

/// The other sources of which the rows of a table are.
fn other_sources(relid: Oid, id: i64) -> Vec<String> {
    let rows = spi::run(
        "SELECT source_id::text FROM goals.source WHERE relation = $1 AND attached AND source_id <> $2",
        &[Arg::Oid(relid), Arg::Integer(i32::try_from(id).ok())],
    );
    rows.into_iter().flatten().flatten().collect()
}

/// The extension's triggers on a table; the lock keeps the table from being dropped.
fn attached_to(relid: Oid) -> Result<Vec<Attached>> {
    triggers::of_table(relid)
        .ok_or_else(|| Error::WrongRelation { relation: relation::qualified_name(relid), why: "does not exist".into() })
}

/// True if [`attached_to`] would return any. Takes no lock, so a table without triggers is not locked.
fn has_triggers(relid: Oid) -> bool {
    spi::one(
        "SELECT true FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
         WHERE t.tgrelid = $1 AND t.tgparentid = 0 AND p.pronamespace = 'goals'::regnamespace LIMIT 1",
        &[Arg::Oid(relid)],
    )
    .is_some()
}

/// Deletes the notes of ignored rows of the table: its set-up has changed, so what is still ignored is noted again.
pub(super) fn forget_ignored(source_id: i32) {
    spi::run("DELETE FROM goals.ignored WHERE source_id = $1", &[Arg::Integer(Some(source_id))]);
}

fn extension_is_of_0_1_0() -> bool {
    spi::one("SELECT true FROM pg_extension WHERE extname = 'pg_goals' AND extversion = '0.1.0'", &[]).is_some()
}

/// Grants EXECUTE on a trigger function to PUBLIC: creating or attaching a partition needs it for every trigger that is
/// cloned. A grant to the table's owner would be lost with a change of ownership and would block DROP ROLE. Calling the
/// function needs USAGE on the schema, and a trigger on a table that is not tracked does nothing.
fn let_partitions_clone(function: &str) {
    let function = format!("{function}()");
    let args = [Arg::Text(Some(&function))];
    if spi::one("SELECT true WHERE NOT has_function_privilege('public', $1::regprocedure, 'EXECUTE')", &args).is_some()
    {
        spi::run(&format!("GRANT EXECUTE ON FUNCTION {function} TO PUBLIC"), &[]);
    }
}

/// Takes the lock for DDL on the application's table without queueing: behind a long transaction it would block all
/// other sessions.
fn lock_briefly(change: TriggerChange, relid: Oid) -> Result<()> {
    if relation::lock_for(change, relid, std::time::Duration::from_secs(2)) {
        Ok(())
    } else {
        Err(Error::LockNotAvailable { relation: relation::qualified_name(relid) })
    }
}

/// Keeps writers from a table until the transaction ends, so that its rows can be read as they are.
pub(super) fn lock_to_read(relid: Oid) -> Result<()> {
    lock_briefly(TriggerChange::Create, relid)
}

/// Drops the triggers of a source on its table.
pub(super) fn drop_triggers(source: &Source) -> Result<()> {
    if has_triggers(source.relation) {
        lock_briefly(TriggerChange::Drop, source.relation)?;
        // Dropped with its table since it was looked up.
        let own = triggers::of_table(source.relation).unwrap_or_default();
        let id = source.id.to_string();
        own.into_iter().filter(|t| t.argument.as_deref() == Some(&id)).for_each(Attached::drop);
    }
    Ok(())
}

fn detach(setup: &Setup, source: &Source) -> Result<()> {
    setup.tables.as_owner(|| {
        drop_triggers(source)?;
        spi::run("UPDATE goals.source SET attached = false WHERE source_id = $1", &[Arg::Integer(Some(source.id))]);
        forget_ignored(source.id);
        invalidate::announce(setup.tables.revision);
        Ok(())
    })
}

/// goals.untrack(relation)
pub fn untrack(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let setup = required_setup()?;
    let name = relation::qualified_name(relid);
    let of_table: Vec<&Rc<Source>> = setup.sources.iter().filter(|s| s.relation == relid).collect();
    if of_table.is_empty() {
        return Err(Error::NotTracked { relation: name });
    }
    if relation::exists(relid) && !rights::owns(relid) {
        return Err(Error::NotOwner { relation: name });
    }
    for source in of_table {
        detach(&setup, source)?;
    }
    Ok(Out::Null)
}

/// goals.untrack_all()
pub fn untrack_all(_args: &Args) -> Result<Out> {
    let setup = required_setup()?;
    let attached: Vec<&Rc<Source>> = setup.sources.iter().filter(|s| s.attached).collect();
    if let Some(source) = attached.iter().find(|s| relation::exists(s.relation) && !rights::owns(s.relation)) {
        return Err(Error::NotOwner { relation: relation::qualified_name(source.relation) });
    }
    for source in attached {
        detach(&setup, source)?;
    }
    Ok(Out::Null)
}
