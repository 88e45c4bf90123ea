//! Setting up: which tables are tracked, messages, goals, variants. SQL under the rights of the extension's owner, after the
//! caller's own right to the table has been checked; every change is announced to the other backends' caches.

use crate::cache::{self, Source};
use crate::events::users_table;
use crate::model::error::{Error, Result};
use crate::model::inference::Invalid;
use crate::model::names::nearest;
use crate::model::operator::Operator;
use crate::model::window::{TimeLimit, TimeLimitProblem};
use crate::pg::call::{Args, Out};
use crate::pg::relation::{self, Lock, Relation, TriggerChange};
use crate::pg::spi::{self, Arg, as_owner};
use crate::pg::users::{KEY_TYPES, KeyType};
use crate::pg::{invalidate, types};
use crate::receipts;
use pgrx::pg_sys::{self, Oid};
use std::rc::Rc;

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Error {
        Error::InvalidArgument { message: invalid.message, hint: invalid.hint }
    }
}

fn setup() -> Result<Rc<cache::Setup>> {
    receipts::setup()
}

fn number(text: Option<String>) -> Option<i64> {
    text?.parse().ok()
}

// Tables ---------------------------------------------------------------------------------------------------------------

/// Opens a table that can be tracked by this caller.
fn trackable(relid: Oid) -> Result<Relation> {
    let wrong = |why: &str| Error::WrongRelation { relation: relation::qualified_name(relid), why: why.into() };
    let table = Relation::open(relid, Lock::Share).ok_or_else(|| wrong("it does not exist"))?;
    if !matches!(table.kind(), pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE) {
        return Err(wrong("it is not a table or partitioned table"));
    }
    if table.is_catalog() {
        return Err(wrong("it is a system catalog"));
    }
    if table.is_temporary() {
        return Err(wrong("it is a temporary table"));
    }
    if relation::in_schema(relid, "goals") {
        return Err(wrong("it belongs to pg_goals"));
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
    KeyType::of(key.type_oid).map(|_| ()).ok_or_else(|| Error::NoKey {
        relation: table.qualified_name(),
        why: format!(
            "column \"{}\" of type {} cannot be a user key, which is {KEY_TYPES}",
            key.name,
            types::type_name(key.type_oid)
        ),
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
        ("events", _) => "INSERT",
        _ => "INSERT OR UPDATE",
    };
    if let Some(other) = setup.sources.iter().find(|s| s.relation == relid && s.kind != kind) {
        return Err(Error::WrongRelation {
            relation: table.qualified_name(),
            why: format!("it is already tracked for {}", other.kind),
        });
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
        let name = table.qualified_name();
        let present = has_trigger(relid, None);
        if present && !has_trigger(relid, Some((function, id))) {
            // Left by a restore into a database where the table has another source id.
            with_short_lock(TriggerChange::Drop, relid, || {
                spi::run(&format!("DROP TRIGGER pg_goals ON {name}"), &[]);
            })?;
        }
        if !has_trigger(relid, Some((function, id))) {
            with_short_lock(TriggerChange::Create, relid, || {
                spi::run(
                    &format!(
                        "CREATE TRIGGER pg_goals AFTER {events} ON {name} FOR EACH ROW EXECUTE FUNCTION {function}('{id}')"
                    ),
                    &[],
                );
            })?;
        }
        invalidate::announce(setup.ours.revision);
        Ok(Out::Null)
    })
}

/// Has the table a trigger of ours; with `wanted`, one that calls this function for this source?
fn has_trigger(relid: Oid, wanted: Option<(&str, i64)>) -> bool {
    let (function, id) = wanted.map_or((None, None), |(f, id)| (Some(f), Some(id.to_string())));
    spi::one(
        "SELECT true FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
         WHERE t.tgrelid = $1 AND t.tgname = 'pg_goals' AND p.pronamespace = 'goals'::regnamespace \
         AND ($2 IS NULL OR 'goals.' || p.proname = $2 AND t.tgargs = convert_to($3, 'UTF8') || '\\x00'::bytea)",
        &[Arg::Oid(relid), Arg::Text(function), Arg::Text(id.as_deref())],
    )
    .is_some()
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
        must_be(&table, properties, "jsonb", |oid| base(oid) == pg_sys::JSONBOID)?;
    }
    let known = setup()?;
    let users = users_table(&known, args.relation(5))?;
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
    resolved.kind() == crate::model::value::Kind::Text && !resolved.is_other()
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
        if relation::exists(source.relation)
            && spi::one(
                "SELECT true FROM pg_trigger WHERE tgrelid = $1 AND tgname = 'pg_goals' AND tgparentid = 0",
                &[Arg::Oid(source.relation)],
            )
            .is_some()
        {
            let name = relation::qualified_name(source.relation);
            with_short_lock(TriggerChange::Drop, source.relation, || {
                spi::run(&format!("DROP TRIGGER pg_goals ON {name}"), &[]);
            })?;
        }
        spi::run("UPDATE goals.source SET attached = false WHERE source_id = $1", &[Arg::Integer(Some(source.id))]);
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

// Messages -------------------------------------------------------------------------------------------------------------

fn name_given(name: String, what: &str) -> Result<String> {
    if name.trim().is_empty() || name.len() > 1000 {
        return Err(Error::InvalidArgument {
            message: format!("a {what} needs a name of 1 to 1000 bytes"),
            hint: format!("Give the {what} a name that people recognise."),
        });
    }
    Ok(name)
}

/// goals.create_message(message, kind, channel, users)
pub fn create_message(args: &Args) -> Result<Out> {
    let name = name_given(args.text_required(0, "message")?, "message")?;
    let kind = args.text_required(1, "kind")?;
    let kind = kind.trim().to_lowercase().replace([' ', '-'], "_");
    if !matches!(kind.as_str(), "ongoing" | "one_off") {
        return Err(Error::InvalidArgument {
            message: format!("\"{kind}\" is not a kind of message"),
            hint: "A message is ongoing or one_off.".into(),
        });
    }
    let setup = setup()?;
    let users = users_table(&setup, args.relation(3))?;
    as_owner(setup.ours.revision, || {
        let id = spi::one(
            "INSERT INTO goals.message (name, kind, channel, users_id) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO NOTHING RETURNING message_id",
            &[
                Arg::Text(Some(&name)),
                Arg::Text(Some(&kind)),
                Arg::Text(args.text(2).as_deref()),
                Arg::Integer(Some(users.id)),
            ],
        );
        let id = number(id).ok_or_else(|| Error::NameTaken { what: "message", name: name.clone() })?;
        spi::run(
            "INSERT INTO goals.revision (message_id, goal_ids) VALUES ($1, '{}')",
            &[Arg::Integer(i32::try_from(id).ok())],
        );
        invalidate::announce(setup.ours.revision);
        Ok(Out::Bigint(id))
    })
}

/// Finds a message and keeps other set-up of it out until the transaction ends. Nobody else takes this lock.
fn lock_message(setup: &cache::Setup, name: &str) -> Result<i32> {
    number(spi::one("SELECT message_id FROM goals.message WHERE name = $1 FOR UPDATE", &[Arg::Text(Some(name))]))
        .and_then(|id| i32::try_from(id).ok())
        .ok_or_else(|| Error::UnknownMessage {
            name: name.into(),
            nearest: nearest(name, &setup.messages.keys().collect::<Vec<_>>()),
        })
}

/// Starts a revision: the goals in force are those of the newest one, less the other versions of `goal`, plus `added`.
fn revise(message_id: i32, goal: &str, added: Option<i32>) {
    spi::run(
        "INSERT INTO goals.revision (message_id, goal_ids) \
         SELECT $1, coalesce((SELECT array_agg(g.goal_id ORDER BY g.goal_id) FROM goals.goal g \
         WHERE g.goal_id = $3 OR (g.name <> $2 AND g.goal_id = ANY (r.goal_ids))), '{}') \
         FROM goals.revision r WHERE r.message_id = $1 ORDER BY r.revision_id DESC LIMIT 1",
        &[Arg::Integer(Some(message_id)), Arg::Text(Some(goal)), Arg::Integer(added)],
    );
}

/// goals.set_goal(message, attribute, operator, value, time_limit, event, times, properties, after, goal, value_from)
pub fn set_goal(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let (attribute, event) = (args.text(1), args.text(5));
    let setup = setup()?;
    let known = setup.message(&message)?;
    if attribute.is_some() == event.is_some() {
        return Err(Error::AttributeAndEvent { both: attribute.is_some() });
    }
    let limit = args.interval(4).ok_or(Error::TimeLimit { problem: TimeLimitProblem::Missing })?;
    let limit = TimeLimit::from_interval(limit.months, limit.days, limit.micros)?;
    let goal = name_given(args.text_required(9, "goal")?, "goal")?;
    let after = args.text_required(8, "after")?.trim().to_lowercase();
    let after = after.strip_prefix("after ").unwrap_or(&after).to_owned();
    if !matches!(after.as_str(), "sent" | "opened" | "clicked") {
        return Err(Error::InvalidArgument {
            message: format!("a time limit cannot be counted after \"{after}\""),
            hint: "It is counted after the message was sent, opened or clicked.".into(),
        });
    }
    let times = args.integer(6).unwrap_or(1);
    let value_from = args.text(10);
    let spec = match (&attribute, &event) {
        (Some(attribute), _) => {
            event_options_absent(times, args.jsonb(7).is_some())?;
            attribute_goal(&setup, known.users_id, attribute, args.text(2), args.text(3), value_from.as_deref())?
        }
        (None, event) => {
            attribute_options_absent(args.text(2).is_some(), args.text(3).is_some())?;
            name_given(event.clone().unwrap_or_default(), "event")?;
            if !(1..=1_000_000).contains(&times) {
                return Err(Error::InvalidArgument {
                    message: format!("an event cannot be asked for {times} times"),
                    hint: "Pass times => 1 or more.".into(),
                });
            }
            Spec::default()
        }
    };
    as_owner(setup.ours.revision, || {
        let message_id = lock_message(&setup, &message)?;
        let id = number(spi::one(
            "INSERT INTO goals.goal (message_id, name, version, attribute, attribute_type, operator, value, event, times, \
             properties, time_limit_us, after, value_from) \
             SELECT $1, $2, 1 + coalesce(max(version), 0), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 \
             FROM goals.goal WHERE message_id = $1 AND name = $2 RETURNING goal_id",
            &[
                Arg::Integer(Some(message_id)),
                Arg::Text(Some(&goal)),
                Arg::Text(attribute.as_deref()),
                Arg::Text(spec.type_name.as_deref()),
                Arg::Text(spec.operator),
                Arg::Text(spec.value.as_deref()),
                Arg::Text(event.as_deref()),
                Arg::Integer(Some(times)),
                Arg::Jsonb(args.jsonb(7)),
                Arg::Bigint(limit.micros()),
                Arg::Text(Some(&after)),
                Arg::Text(value_from.as_deref()),
            ],
        ))
        .unwrap_or(0);
        revise(message_id, &goal, i32::try_from(id).ok());
        invalidate::announce(setup.ours.revision);
        Ok(Out::Bigint(id))
    })
}

fn event_options_absent(times: i32, properties: bool) -> Result<()> {
    if times == 1 && !properties {
        return Ok(());
    }
    Err(Error::InvalidArgument {
        message: "times and properties are for goals on events".into(),
        hint: "Leave them out, or name an event instead of an attribute.".into(),
    })
}

fn attribute_options_absent(operator: bool, value: bool) -> Result<()> {
    if !operator && !value {
        return Ok(());
    }
    Err(Error::InvalidArgument {
        message: "operator and value are for goals on attributes".into(),
        hint: "Leave them out; narrow an event down with properties and times.".into(),
    })
}

/// What set_goal works out about an attribute.
#[derive(Default)]
struct Spec {
    type_name: Option<String>,
    operator: Option<&'static str>,
    value: Option<String>,
}

fn attribute_goal(
    setup: &cache::Setup,
    users_id: i32,
    attribute: &str,
    operator: Option<String>,
    value: Option<String>,
    value_from: Option<&str>,
) -> Result<Spec> {
    let users = setup.users(users_id)?;
    let table = Relation::open(users.relation, Lock::Share).ok_or(Error::NoUsersTable)?;
    let missing = |name: &str| Error::UnknownColumn {
        relation: table.qualified_name(),
        name: name.into(),
        columns: table.column_names(),
    };
    let operator = Operator::parse(&operator.ok_or_else(|| Error::InvalidArgument {
        message: "a goal on an attribute needs an operator".into(),
        hint: format!(
            "The operators are {}.",
            Operator::ALL.iter().map(|o| format!("\"{}\"", o.name())).collect::<Vec<_>>().join(", ")
        ),
    })?)?;
    let (_, place) = cache::find_place(&table, attribute).ok_or_else(|| missing(attribute))?;
    if let Some(from) = value_from {
        let (_, worth) = cache::find_place(&table, from).ok_or_else(|| missing(from))?;
        let kind = worth.column_type.kind();
        if worth.path.is_empty() && kind != crate::model::value::Kind::Number {
            return Err(Error::InvalidArgument {
                message: format!("value_from \"{from}\" is of type {}", worth.column_type.name()),
                hint: "The worth of a match is the gain of an attribute that is a number.".into(),
            });
        }
    }
    // Checks operator and value against the type, then writes the value as the type itself would.
    cache::condition(&place, operator, value.as_deref())?;
    let value = match value {
        Some(value) if place.path.is_empty() => Some(place.column_type.canonical_value(operator, &value)?),
        other => other,
    };
    Ok(Spec { type_name: Some(place.column_type.name()), operator: Some(operator.name()), value })
}

/// goals.stop_goal(message, goal)
pub fn stop_goal(args: &Args) -> Result<Out> {
    let (message, goal) = (args.text_required(0, "message")?, args.text_required(1, "goal")?);
    let setup = setup()?;
    as_owner(setup.ours.revision, || {
        let message_id = lock_message(&setup, &message)?;
        let names: Vec<String> =
            spi::run("SELECT DISTINCT name FROM goals.goal WHERE message_id = $1", &[Arg::Integer(Some(message_id))])
                .into_iter()
                .filter_map(|row| row.into_iter().next()?)
                .collect();
        if !names.contains(&goal) {
            return Err(Error::UnknownGoal {
                message: message.clone(),
                nearest: nearest(&goal, &names),
                name: goal.clone(),
            });
        }
        spi::run(
            "INSERT INTO goals.goal_stop (goal_id) SELECT goal_id FROM goals.goal \
             WHERE message_id = $1 AND name = $2 ON CONFLICT DO NOTHING",
            &[Arg::Integer(Some(message_id)), Arg::Text(Some(&goal))],
        );
        revise(message_id, &goal, None);
        invalidate::announce(setup.ours.revision);
        Ok(Out::Null)
    })
}

// Variants -------------------------------------------------------------------------------------------------------------

/// Finds a message whose variants may still be changed.
fn lock_unfrozen(setup: &cache::Setup, message: &str) -> Result<i32> {
    let id = lock_message(setup, message)?;
    let used = spi::one(
        "SELECT true FROM goals.revision v WHERE v.message_id = $1 \
         AND EXISTS (SELECT FROM goals.receipt r WHERE r.revision_id = v.revision_id) \
         UNION ALL SELECT true FROM goals.total WHERE message_id = $1 LIMIT 1",
        &[Arg::Integer(Some(id))],
    );
    if used.is_some() { Err(Error::Frozen { message: message.into() }) } else { Ok(id) }
}

/// goals.add_variant(message, variant, weight)
pub fn add_variant(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let variant = name_given(args.text_required(1, "variant")?, "variant")?;
    let weight = args.double(2).ok_or(Error::NullArgument { name: "weight" })?;
    if variant == "control" {
        return Err(Error::InvalidArgument {
            message: "\"control\" is the name of the group held back".into(),
            hint: "Use goals.set_control_group(message, share).".into(),
        });
    }
    if !(weight.is_finite() && weight > 0.0) {
        return Err(Error::InvalidArgument {
            message: format!("weight {weight} is out of range"),
            hint: "A weight is a number above 0; variants share users in proportion to their weights.".into(),
        });
    }
    let setup = setup()?;
    as_owner(setup.ours.revision, || {
        let id = lock_unfrozen(&setup, &message)?;
        spi::one(
            "INSERT INTO goals.variant (message_id, name, weight) VALUES ($1, $2, $3) \
             ON CONFLICT (message_id, name) DO NOTHING RETURNING variant_id",
            &[Arg::Integer(Some(id)), Arg::Text(Some(&variant)), Arg::Double(weight)],
        )
        .ok_or_else(|| Error::NameTaken { what: "variant", name: variant.clone() })?;
        invalidate::announce(setup.ours.revision);
        Ok(Out::Null)
    })
}

/// goals.set_control_group(message, share)
pub fn set_control_group(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let share = args.double(1).ok_or(Error::NullArgument { name: "share" })?;
    if !(0.0..1.0).contains(&share) {
        return Err(Error::InvalidArgument {
            message: format!("share {share} is out of range"),
            hint: "The share of users held back is from 0 up to, not including, 1; 0.1 holds back a tenth.".into(),
        });
    }
    let setup = setup()?;
    as_owner(setup.ours.revision, || {
        let id = lock_unfrozen(&setup, &message)?;
        spi::run("DELETE FROM goals.variant WHERE message_id = $1 AND is_control", &[Arg::Integer(Some(id))]);
        if share > 0.0 {
            spi::run(
                "INSERT INTO goals.variant (message_id, name, weight, is_control) VALUES ($1, 'control', $2, true)",
                &[Arg::Integer(Some(id)), Arg::Double(share)],
            );
        }
        invalidate::announce(setup.ours.revision);
        Ok(Out::Null)
    })
}

// Health ---------------------------------------------------------------------------------------------------------------

/// goals.goal_problem(goal_id): what keeps a goal from being evaluated, NULL if nothing does.
pub fn goal_problem(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "goal_id" })?;
    let setup = setup()?;
    let problem = || {
        let goal = setup.goals.get(&id).filter(|g| g.attribute.is_some())?;
        let users = setup.messages.values().find(|m| m.id == goal.message_id).and_then(|m| setup.source(m.users_id))?;
        let Some(table) = Relation::open(users.relation, Lock::Share) else {
            return Some("the users table no longer exists".to_owned());
        };
        if let Err(problem) = cache::resolve(&table, goal) {
            return Some(problem);
        }
        let worth = goal.value_from.as_deref()?;
        cache::find_place(&table, worth)
            .is_none()
            .then(|| format!("value_from \"{worth}\" is no longer in {}", table.qualified_name()))
    };
    Ok(problem().map_or(Out::Null, Out::Text))
}

/// goals.nearest(name, known): the known name most like it, NULL if none is.
pub fn nearest_name(args: &Args) -> Result<Out> {
    let (Some(name), Some(known)) = (args.text(0), args.texts(1)) else { return Ok(Out::Null) };
    Ok(nearest(&name, &known).map_or(Out::Null, Out::Text))
}

/// goals.stored_key(source_id, user_key): the key as it is stored, NULL if no user can have it.
pub fn stored_key(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "source_id" })?;
    let Some(key) = args.raw_text(1) else { return Ok(Out::Null) };
    let key_type = setup()?.users(id)?.key_type();
    // The table may be gone; what was recorded about its users is not.
    let stored = key_type.map_or(Some(key.clone()), |t| t.canonical(&key));
    Ok(stored.map_or(Out::Null, Out::Raw))
}
