//! Setting up messages, goals and variants. The SQL runs with the rights of the extension's owner, after the caller's
//! right to the table has been checked. Every change invalidates the caches of the other backends.

use super::is_virtual;
use crate::matching::send::HELD_OUT;
use crate::model::attribute::Attribute;
use crate::model::error::{Error, Result};
use crate::model::jsonb;
use crate::model::nearest::nearest;
use crate::model::operator::Operator;
use crate::model::time_limit::{TimeLimit, TimeLimitProblem};
use crate::pg::call::{Args, Out};
use crate::pg::invalidate;
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::spi::{self, Arg};
use crate::pg::{encoding, errors, rights};
use crate::setup::cache::{self, required_setup};
use crate::setup::definitions::{Anchor, ColumnNote, Goal, Message, Setup, Source, table_beside};
use crate::setup::watch::{self, Attributes};
use std::rc::Rc;

// Messages --------------------------------------------------------------------------------------------------------

pub(super) fn name_given(name: String, what: &str) -> Result<String> {
    if name.trim().is_empty() || encoding::from_string(&name).len() > 1000 {
        return Err(Error::InvalidArgument {
            message: format!("{what} needs a name of 1 to 1000 bytes"),
            hint: "Pass a name of 1 to 1000 bytes.".into(),
        });
    }
    Ok(name)
}

/// The programme that a new message is to be part of.
fn programme(setup: &Setup, name: &str, kind: &str, users: &Source) -> Result<Rc<Message>> {
    let refused = |message: String, hint: &str| Err(Error::InvalidArgument { message, hint: hint.into() });
    let programme = setup.message(name).map_err(|unknown| match unknown {
        Error::UnknownMessage { name, nearest: None } => Error::InvalidArgument {
            message: format!("programme \"{name}\" does not exist"),
            hint: format!(
                "Create it first: goals.create_message('{}', kind => 'programme').",
                name.replace('\'', "''")
            ),
        },
        other => other,
    })?;
    if !programme.is_programme {
        return refused(
            format!("message \"{name}\" is not a programme"),
            "Pass part_of => a message that was created with kind => 'programme'.",
        );
    }
    if programme.users != users.id {
        return refused(
            format!("programme \"{name}\" is for the users of another table than {}", users.name()),
            "Pass the same users for a programme and its messages.",
        );
    }
    if kind == "programme" && programme.parent.is_some() {
        return refused(
            format!("programme \"{name}\" is part of another programme itself"),
            "A message can be part of a programme, and that of one more.",
        );
    }
    Ok(programme)
}

/// The error for an id by which another message is known already.
fn known_as_taken(setup: &Setup, known_as: &str) -> Option<Error> {
    let message = setup.known_as(known_as)?.name.clone();
    Some(Error::KnownAsTaken { known_as: known_as.into(), message })
}

/// The message that is there already, where the caller wants none made then.
fn left_alone(name: &str, id: i64) -> Out {
    errors::notice(format!("message \"{name}\" already exists, and is left as it is"), None);
    Out::Bigint(id)
}

/// goals.create_message(message, kind, channel, users, part_of, engagement_after, known_as, if_not_exists)
pub fn create_message(args: &Args) -> Result<Out> {
    let name = name_given(args.text_required(0, "message")?, "a message")?;
    let kind = args.text_required(1, "kind")?;
    let kind = kind.trim().to_lowercase().replace([' ', '-'], "_");
    if !matches!(kind.as_str(), "ongoing" | "one_off" | "programme") {
        return Err(Error::InvalidArgument {
            message: format!("\"{kind}\" is not a kind of message"),
            hint: "Pass kind => 'ongoing', 'one_off' or 'programme'.".into(),
        });
    }
    let setup = required_setup()?;
    let users = setup.tracked_users_table(args.relation(3))?;
    let if_not_exists = args.boolean(7) == Some(true);
    if let Some(known) = setup.message_named(&name) {
        let taken = Error::NameTaken { what: "message", name: name.clone() };
        return if if_not_exists { Ok(left_alone(&name, known.id.into())) } else { Err(taken) };
    }
    let known_as = args.text(6).map(|id| name_given(id, "known_as")).transpose()?;
    if let Some(taken) = known_as.as_deref().and_then(|id| known_as_taken(&setup, id)) {
        return Err(taken);
    }
    let part_of = args.text(4).map(|of| programme(&setup, &of, &kind, &users).map(|p| p.id)).transpose()?;
    let wait = args.interval(5).map(|wait| TimeLimit::from_interval(wait.months, wait.days, wait.micros));
    let engagement_after = wait.transpose().map_err(|_| Error::InvalidArgument {
        message: "engagement_after is not a length of time that can be waited for".into(),
        hint: "Pass a length greater than zero and without months, such as '10 seconds'.".into(),
    })?;
    let engagement_after = engagement_after.map(TimeLimit::micros);
    setup.tables.as_owner(|| {
        let users_column = setup.tables.users_column();
        let channel = args.text(2);
        let mut values = vec![
            Arg::Text(Some(&name)),
            Arg::Text(Some(&kind)),
            Arg::Text(channel.as_deref()),
            Arg::Integer(Some(users.id)),
        ];
        let id = match known_as.as_deref() {
            // Earlier versions of the extension's SQL have neither the parameter nor the column.
            Some(known_as) => {
                values.push(Arg::Text(Some(known_as)));
                spi::number(
                    "INSERT INTO goals.message (name, kind, channel, users_source_id, known_as) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING message_id",
                    &values,
                )
            }
            None => spi::number(
                &format!(
                    "INSERT INTO goals.message (name, kind, channel, {users_column}) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (name) DO NOTHING RETURNING message_id"
                ),
                &values,
            ),
        };
        let Some(id) = id else {
            // Created by another session since the set-up was read.
            let known = spi::number("SELECT message_id FROM goals.message WHERE name = $1", &[Arg::Text(Some(&name))]);
            cache::reset();
            return match known.filter(|_| if_not_exists) {
                Some(known) => Ok(left_alone(&name, known)),
                None => Err(known_as
                    .as_deref()
                    .filter(|_| known.is_none())
                    .and_then(|id| known_as_taken(&*required_setup().ok()?, id))
                    .unwrap_or_else(|| Error::NameTaken { what: "message", name: name.clone() })),
            };
        };
        let message = || Arg::Integer(i32::try_from(id).ok());
        // Earlier versions of the extension's SQL have neither these parameters nor these columns.
        if part_of.is_some() {
            spi::run(
                "UPDATE goals.message SET parent_id = $2 WHERE message_id = $1",
                &[message(), Arg::Integer(part_of)],
            );
        }
        if let Some(wait) = engagement_after {
            spi::run(
                "UPDATE goals.message SET engagement_after_us = $2 WHERE message_id = $1",
                &[message(), Arg::Bigint(wait)],
            );
        }
        spi::run("INSERT INTO goals.revision (message_id, goal_ids) VALUES ($1, '{}')", &[message()]);
        for of_rows in [Some(&name), known_as.as_ref()].into_iter().flatten() {
            spi::run(
                "DELETE FROM goals.ignored WHERE reason = 'unknown message' AND name = $1",
                &[Arg::Text(Some(of_rows))],
            );
        }
        invalidate::announce(setup.tables.revision);
        Ok(Out::Bigint(id))
    })
}

/// Finds a message and locks it against other set-up calls until the transaction ends. Then reads the set-up again, so
/// that the changes of the previous holder are seen at every isolation level. Only set-up calls take this lock.
pub(super) fn lock_message(message: &str) -> Result<(Rc<Setup>, Rc<Message>)> {
    let id = required_setup()?.message(message)?.id;
    spi::run("SELECT FROM goals.message WHERE message_id = $1 FOR UPDATE", &[Arg::Integer(Some(id))]);
    cache::reset();
    let fresh = required_setup()?;
    let message = fresh.message(message)?;
    Ok((fresh, message))
}

/// Starts a revision. Its goals are those of the newest revision, without the other versions of `goal`, plus `added`.
fn revise(setup: &Setup, message: &Message, goal: &str, added: Option<i32>) {
    // A goal that is set on a campaign replaces those that it shares.
    let others = |id: &&i32| setup.goals.get(id).is_some_and(|g| g.name != goal && g.message_id == message.id);
    let goals: Vec<i32> = message.revision.goals.iter().filter(others).copied().chain(added).collect();
    spi::run(
        "INSERT INTO goals.revision (message_id, goal_ids) VALUES ($1, $2)",
        &[Arg::Integer(Some(message.id)), Arg::Integers(&goals)],
    );
}

/// goals.set_goal(message, attribute, operator, value, time_limit, event, times, properties, after, goal, value_from)
pub fn set_goal(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let (attribute, event) = (args.text(1), args.text(5));
    let setup = required_setup()?;
    let known = setup.message(&message)?;
    if attribute.is_some() == event.is_some() {
        return Err(Error::AttributeAndEvent { both: attribute.is_some() });
    }
    let limit = args.interval(4).ok_or(Error::TimeLimit { problem: TimeLimitProblem::Missing })?;
    let limit = TimeLimit::from_interval(limit.months, limit.days, limit.micros)?;
    let goal = name_given(args.text_required(9, "goal")?, "a goal")?;
    let after = args.text_required(8, "after")?.trim().to_lowercase();
    let after = after.strip_prefix("after ").unwrap_or(&after).to_owned();
    if !matches!(after.as_str(), "sent" | "opened" | "clicked") {
        return Err(Error::InvalidArgument {
            message: format!("a time limit cannot be counted after \"{after}\""),
            hint: "Pass after => 'sent', 'opened' or 'clicked'.".into(),
        });
    }
    if known.is_programme && after != "sent" {
        return Err(Error::InvalidArgument {
            message: format!("message \"{message}\" is a programme, which is never {after}"),
            hint: "Pass after => 'sent': the time limit of a programme begins when it is entered.".into(),
        });
    }
    let times = args.integer(6).unwrap_or(1);
    let value_from = args.text(10);
    let spec = match (&attribute, &event) {
        (Some(attribute), _) => {
            event_options_absent(times, args.jsonb(7).is_some())?;
            attribute_goal(&setup, known.users, attribute, args.text(2), args.text(3), value_from.as_deref())?
        }
        (None, event) => {
            attribute_options_absent(args.text(2).is_some(), args.text(3).is_some())?;
            if !relation::exists(setup.users(known.users)?.relation) {
                return Err(Error::UsersTableDropped);
            }
            let event = name_given(event.clone().unwrap_or_default(), "an event")?;
            may_ask_for_events(&setup, known.users, &event, args.jsonb_bytes(7).as_deref(), value_from.as_deref())?;
            if !(1..=1_000_000).contains(&times) {
                return Err(Error::InvalidArgument {
                    message: format!("times {times} is out of range"),
                    hint: "times is a number from 1 to 1000000.".into(),
                });
            }
            Spec::default()
        }
    };
    setup.tables.as_owner(|| {
        let (setup, message) = lock_message(&message)?;
        let versions = setup.goals.values().filter(|g| g.message_id == message.id && g.name == goal).map(|g| g.version);
        let id = spi::number(
            "INSERT INTO goals.goal (message_id, name, version, attribute, attribute_type, operator, value, event, \
             times, properties, time_limit_us, after, value_from) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING goal_id",
            &[
                Arg::Integer(Some(message.id)),
                Arg::Text(Some(&goal)),
                Arg::Integer(Some(1 + versions.max().unwrap_or(0))),
                Arg::Text(spec.attribute.as_deref()),
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
        )
        .unwrap_or(0);
        revise(&setup, &message, &goal, i32::try_from(id).ok());
        if let (Some(attribute), Ok(users)) = (&spec.attribute, setup.users(message.users)) {
            write_notes(&setup, users, [attribute.as_str()].into_iter().chain(value_from.as_deref()));
        }
        invalidate::announce(setup.tables.revision);
        if message.control.is_some() && after != "sent" {
            warn_of_control(&goal);
        }
        Ok(Out::Bigint(id))
    })
}

/// Notes which columns of a users table these attributes mean now. True if there was anything to write.
fn write_notes<'a>(setup: &Setup, users: &Source, attributes: impl Iterator<Item = &'a str>) -> bool {
    if setup.tables.column_note.is_none() {
        return false;
    }
    let now = |attribute: &str| {
        if let Some((source, attribute)) = table_beside(&setup.sources, users.id, attribute) {
            return ColumnNote::of(source, &attribute.column);
        }
        ColumnNote::of(users, attribute).or_else(|| ColumnNote::of(users, &Attribute::parse(attribute).ok()?.column))
    };
    let mut notes: Vec<ColumnNote> = attributes.filter_map(now).collect();
    notes.sort_by(|a, b| (a.source, &a.name).cmp(&(b.source, &b.name)));
    notes.dedup();
    notes.retain(|note| !setup.source(note.source).is_some_and(|source| setup.notes_of(source, &note.name).eq([note])));
    for note in &notes {
        let (source, name) = (Arg::Integer(Some(note.source)), Arg::Text(Some(&note.name)));
        spi::run("DELETE FROM goals.column_note WHERE source_id = $1 AND name = $2::name", &[source, name]);
        spi::run(
            "INSERT INTO goals.column_note (source_id, name, relation, number, type_oid) VALUES ($1, $2, $3, $4, $5)",
            &[
                Arg::Integer(Some(note.source)),
                Arg::Text(Some(&note.name)),
                Arg::Oid(note.relation),
                Arg::Integer(Some(note.number.into())),
                Arg::Oid(note.type_oid),
            ],
        );
    }
    !notes.is_empty()
}

/// goals_internal.note_columns(): notes which columns all goals mean, as far as there are columns of these names.
pub fn note_columns(_: &Args) -> Result<Out> {
    let Some(setup) = cache::setup() else { return Ok(Out::Null) };
    setup.tables.as_owner(|| {
        let mut written = false;
        for users in setup.sources.iter().filter(|source| source.kind == "users") {
            let goals = setup.attribute_goals(users.id);
            let attributes = goals.iter().flat_map(|goal| goal.attribute.iter().chain(&goal.value_from));
            written |= write_notes(&setup, users, attributes.map(String::as_str));
        }
        if written {
            invalidate::announce(setup.tables.revision);
        }
        Ok(Out::Null)
    })
}

fn warn_of_control(goal: &str) {
    errors::notice(
        format!("control users have no opens or clicks, so they cannot reach goal \"{goal}\""),
        Some("To compare with control, use a goal with after => 'sent'."),
    );
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

/// The columns of goals.goal that describe an attribute.
#[derive(Default)]
struct Spec {
    attribute: Option<String>,
    type_name: Option<String>,
    operator: Option<&'static str>,
    value: Option<String>,
}

/// Checks the rights that a SELECT of the column would need: a goal reveals whether a value holds for a user, and
/// matches() shows the values.
pub(super) fn may_read(table: &Relation, column: &str, number: i16) -> Result<()> {
    let relation = || table.qualified_name();
    if let Some(schema) = rights::closed_schema(table.oid()) {
        return Err(Error::NoUsage { schema, user: rights::user_name() });
    }
    if !rights::may_read(table.oid(), number) {
        return Err(Error::NoSelect { relation: relation(), column: column.into(), user: rights::user_name() });
    }
    if rights::rows_are_restricted(table.oid()) {
        return Err(Error::RowSecurity { relation: relation(), user: rights::user_name() });
    }
    Ok(())
}

/// Checks the same rights on the tables of events of these users: what decides that a row is an event, and what the goal
/// asks of it. A table tracked later needs no check: its owner tracks it.
fn may_ask_for_events(
    setup: &Setup,
    users: i32,
    event: &str,
    properties: Option<&[u8]>,
    value_from: Option<&str>,
) -> Result<()> {
    let may_have = |source: &&Rc<Source>| match source.kind.as_str() {
        "events" => source.options.named.as_deref().is_none_or(|name| name == event),
        "membership" => event.starts_with("joined ") || event.starts_with("left "),
        _ => false,
    };
    let entries = properties.and_then(jsonb::root).and_then(|root| root.entries());
    let asked: Vec<String> = entries.into_iter().flatten().map(|(name, _)| encoding::to_string(name)).collect();
    for source in setup.sources.iter().filter(may_have).filter(|s| s.attached && s.users == users) {
        let Some(table) = Relation::open(source.relation, Lock::Share) else { continue };
        let options = &source.options;
        let deciding = options.only.conditions().iter().chain(options.member.conditions()).map(|c| &c.column);
        let whole = source.properties.as_ref().filter(|_| properties.is_some() || value_from.is_some());
        for name in source.event.iter().chain(options.columns()).chain(deciding).chain(whole) {
            if let Some(column) = table.column(name) {
                may_read(&table, name, column.number)?;
            }
        }
        if source.properties.is_some() {
            continue;
        }
        let whole = asked.iter().filter_map(|name| Some((name.clone(), watch::find_whole(&table, name)?)));
        let part = value_from.and_then(|from| watch::find_place(&table, from));
        for (name, place) in whole.chain(part) {
            may_read(&table, &name, place.number)?;
        }
    }
    Ok(())
}

/// The attributes in tables beside a users table, as they are listed in a hint.
fn attributes_beside(setup: &Setup, users: i32) -> impl Iterator<Item = String> {
    let beside = setup.sources.iter().filter(move |s| s.kind == "attributes" && s.attached && s.users == users);
    beside.filter_map(|s| s.options.prefix.as_ref()).map(|prefix| format!("{prefix}.*"))
}

fn attribute_goal(
    setup: &Setup,
    users: i32,
    attribute: &str,
    operator: Option<String>,
    value: Option<String>,
    value_from: Option<&str>,
) -> Result<Spec> {
    let users = setup.users(users)?;
    let beside = table_beside(&setup.sources, users.id, attribute).map(|(source, _)| source);
    let source = beside.unwrap_or(users);
    let table = Relation::open(source.relation, Lock::Share).ok_or(Error::UsersTableDropped)?;
    let attributes = Attributes::new(setup, &table, source);
    let missing = |name: &str| match table.column(name) {
        Some(column) if column.is_virtual => is_virtual(&table, name),
        _ => Error::UnknownColumn {
            relation: table.qualified_name(),
            name: name.into(),
            columns: table.column_names().into_iter().chain(attributes_beside(setup, users.id)).collect(),
        },
    };
    let operator = Operator::parse(&operator.ok_or_else(|| Error::InvalidArgument {
        message: "a goal on an attribute needs an operator".into(),
        hint: format!(
            "The operators are {}.",
            Operator::ALL.iter().map(|o| format!("\"{}\"", o.name())).collect::<Vec<_>>().join(", ")
        ),
    })?)?;
    let (column, place) = attributes.find_as_named(attribute).ok_or_else(|| missing(attribute))?;
    may_read(&table, &column, place.number)?;
    if let Some(from) = value_from {
        let (column, worth) = attributes.find_as_named(from).ok_or_else(|| missing(from))?;
        may_read(&table, &column, worth.number)?;
        if !worth.has_worth() {
            return Err(Error::InvalidArgument {
                message: format!("value_from \"{from}\" is of type {}", worth.column_type.name()),
                hint: "Name a number, text or json attribute in value_from.".into(),
            });
        }
    }
    // Checks operator and value against the type; below the value is stored as the type writes it.
    watch::condition(&place, operator, value.as_deref())?;
    if let Some(column) = table.column(&column) {
        watch::check_range(&place, &column, operator, value.as_deref())?;
    }
    let value = match value {
        Some(value) if place.path.is_empty() => Some(place.column_type.canonical_value(operator, &value)?),
        other => other,
    };
    // One spelling per attribute, however its keys were quoted.
    let is_plain = place.path.is_empty() && beside.is_none();
    let attribute = if is_plain { attribute.to_owned() } else { Attribute::parse(attribute)?.to_string() };
    Ok(Spec {
        attribute: Some(attribute),
        type_name: Some(place.column_type.identity()),
        operator: Some(operator.name()),
        value,
    })
}

/// goals.stop_goal(message, goal)
pub fn stop_goal(args: &Args) -> Result<Out> {
    let (message, goal) = (args.text_required(0, "message")?, args.text_required(1, "goal")?);
    let setup = required_setup()?;
    setup.tables.as_owner(|| {
        let (setup, message) = lock_message(&message)?;
        let goals: Vec<&Rc<Goal>> = setup.goals.values().filter(|g| g.message_id == message.id).collect();
        let shared = message.like.filter(|_| !goals.iter().any(|g| g.name == goal)).and_then(|like| {
            let shares = |id: &i32| setup.goals.get(id).is_some_and(|g| g.message_id == like && g.name == goal);
            setup.by_id.get(&like).filter(|_| message.revision.goals.iter().any(shares))
        });
        if let Some(like) = shared {
            return Err(Error::InvalidArgument {
                message: format!(
                    "goal \"{goal}\" of message \"{}\" is that of message \"{}\"",
                    message.name, like.name
                ),
                hint: "Stop it there, or set goals on this message: they replace those that it shares.".into(),
            });
        }
        if !goals.iter().any(|g| g.name == goal) {
            let names: Vec<&str> = goals.iter().map(|g| g.name.as_str()).collect();
            return Err(Error::UnknownGoal {
                message: message.name.clone(),
                nearest: nearest(&goal, &names),
                name: goal.clone(),
            });
        }
        for running in goals.iter().filter(|g| g.name == goal && g.live) {
            spi::run("INSERT INTO goals.goal_stop (goal_id) VALUES ($1)", &[Arg::Integer(Some(running.id))]);
        }
        revise(&setup, &message, &goal, None);
        invalidate::announce(setup.tables.revision);
        Ok(Out::Null)
    })
}

// Variants --------------------------------------------------------------------------------------------------------

/// Locks a message whose variants may still be changed and returns its id.
fn lock_unfrozen(message: &str) -> Result<i32> {
    let (setup, message) = lock_message(message)?;
    let id = message.id;
    if let Some(like) = message.like {
        let like = setup.by_id.get(&like).map_or("", |like| &like.name);
        return Err(Error::InvalidArgument {
            message: format!("message \"{}\" is a row of a table of campaigns", message.name),
            hint: match like {
                "" => "Track the table with like_message: its rows have the variants of that message.".into(),
                like => format!("It has the variants and the control group of message \"{like}\"."),
            },
        });
    }
    // Campaigns with goals of their own have the variants of this message too.
    let of_message = [Arg::Integer(Some(id))];
    let used = match setup.tables.message_name {
        Some(_) => spi::one(
            "SELECT true FROM goals.revision v JOIN goals.message m ON m.message_id = v.message_id \
             WHERE $1 IN (m.message_id, m.like_message_id) \
             AND EXISTS (SELECT FROM goals.receipt r WHERE r.revision_id = v.revision_id) \
             UNION ALL SELECT true FROM goals.total WHERE message_id = $1 LIMIT 1",
            &of_message,
        ),
        None => spi::one(
            "SELECT true FROM goals.revision v WHERE v.message_id = $1 \
             AND EXISTS (SELECT FROM goals.receipt r WHERE r.revision_id = v.revision_id) \
             UNION ALL SELECT true FROM goals.total WHERE message_id = $1 LIMIT 1",
            &of_message,
        ),
    };
    if used.is_some() { Err(Error::Frozen { message: message.name.clone() }) } else { Ok(id) }
}

/// goals.add_variant(message, variant, weight)
pub fn add_variant(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let variant = name_given(args.text_required(1, "variant")?, "a variant")?;
    let weight = args.double(2).ok_or(Error::NullArgument { name: "weight" })?;
    if variant == "control" {
        return Err(Error::InvalidArgument {
            message: "\"control\" is the name of the group held back".into(),
            hint: "Use goals.set_control_group(message, share).".into(),
        });
    }
    if variant == HELD_OUT {
        return Err(Error::InvalidArgument {
            message: "\"held out\" is said of users whom a programme holds back".into(),
            hint: "Pass another name.".into(),
        });
    }
    // In this range a sum of weights is finite and loses none of them to rounding.
    if !(1e-6..=1e6).contains(&weight) {
        return Err(Error::InvalidArgument {
            message: format!("weight {weight} is out of range"),
            hint: "A weight is a number from 1e-6 to 1e6; variants share users in proportion to their weights.".into(),
        });
    }
    let setup = required_setup()?;
    setup.tables.as_owner(|| {
        let id = lock_unfrozen(&message)?;
        spi::one(
            "INSERT INTO goals.variant (message_id, name, weight) VALUES ($1, $2, $3) \
             ON CONFLICT (message_id, name) DO NOTHING RETURNING variant_id",
            &[Arg::Integer(Some(id)), Arg::Text(Some(&variant)), Arg::Double(weight)],
        )
        .ok_or_else(|| Error::NameTaken { what: "variant", name: variant.clone() })?;
        invalidate::announce(setup.tables.revision);
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
            hint: "Pass a share of at least 0 and below 1; 0.1 holds back a tenth of the users.".into(),
        });
    }
    let setup = required_setup()?;
    setup.tables.as_owner(|| {
        let id = lock_unfrozen(&message)?;
        spi::run("DELETE FROM goals.variant WHERE message_id = $1 AND is_control", &[Arg::Integer(Some(id))]);
        if share > 0.0 {
            spi::run(
                "INSERT INTO goals.variant (message_id, name, weight, is_control) VALUES ($1, 'control', $2, true)",
                &[Arg::Integer(Some(id)), Arg::Double(share)],
            );
            let late = |g: &&Rc<Goal>| g.message_id == id && g.live && g.after != Anchor::Sent;
            if let Some(name) = setup.goals.values().filter(late).map(|g| &g.name).min() {
                warn_of_control(name);
            }
        }
        invalidate::announce(setup.tables.revision);
        Ok(Out::Null)
    })
}

/// goals_internal.announce(): tells every backend that the set-up has changed.
pub fn announce(_: &Args) -> Result<Out> {
    invalidate::announce(required_setup()?.tables.revision);
    Ok(Out::Null)
}
