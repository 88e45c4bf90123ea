//! Functions behind goals.health(): own tables that cannot be used, goals that are not evaluated, sources that are not
//! read.

use super::columns::never;
use super::track_engagements::may_be;
use crate::model::error::{Error, Result};
use crate::model::jsonb;
use crate::model::nearest::nearest;
use crate::pg::call::{Args, Out};
use crate::pg::key::KeyType;
use crate::pg::own_tables::{Fault, Lacking, OwnTables};
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::types::ColumnType;
use crate::pg::{citus, encoding, types, user_lookup};
use crate::setup::cache::required_setup;
use crate::setup::definitions::Source;
use crate::setup::watch::{self, Attributes};
use std::rc::Rc;

/// goals_internal.unusable(): one row per object that cannot be used or is not safe: problem, object, detail, hint, and
/// whether it keeps goals.health() from checking anything else.
pub fn unusable(_: &Args) -> Result<Out> {
    let lacking = OwnTables::lacking().into_iter().map(|lacking| {
        let blocks = lacking.blocks();
        let Told { problem, detail, hint } = told(&lacking);
        row(problem, lacking.name, detail, hint, blocks)
    });
    let unlogged = OwnTables::unlogged().into_iter().map(|name| {
        let hint = format!("ALTER TABLE goals.{name} SET LOGGED");
        row("unlogged table".into(), name, "a crash of the server empties it".into(), hint, false)
    });
    Ok(Out::Rows(lacking.chain(unlogged).collect()))
}

fn row(problem: String, name: &str, detail: String, hint: String, blocks: bool) -> Vec<Out> {
    let object = format!("goals.{name}");
    vec![Out::Text(problem), Out::Text(object), Out::Text(detail), Out::Text(hint), Out::Boolean(blocks)]
}

/// The consequence of an object that exists but cannot be used.
const UNRECORDED: &str = "nothing is recorded until this is fixed; what is missed until then never counts";

struct Told {
    problem: String,
    detail: String,
    hint: String,
}

fn told(lacking: &Lacking) -> Told {
    let Lacking { kind, name, .. } = lacking;
    let harm = lacking.harm();
    match &lacking.fault {
        Fault::Missing => {
            let again = lacking.definition().map(|definition| {
                format!(", or recreate it with: CREATE INDEX CONCURRENTLY {name} ON goals.{definition}")
            });
            Told {
                problem: format!("missing {kind}"),
                detail: harm.into(),
                hint: format!(
                    "Rename it back with ALTER {} ... RENAME TO {name}{}",
                    kind.to_uppercase(),
                    again.unwrap_or_default()
                ),
            }
        }
        Fault::Unfit(unfit) => Told {
            problem: format!("unusable {kind}"),
            detail: format!("{}: {}", unfit.why, if lacking.stops_recording() { UNRECORDED } else { harm }),
            hint: unfit.mend.clone(),
        },
        Fault::Older(mend) => Told { problem: format!("older {kind}"), detail: harm.into(), hint: mend.clone() },
        Fault::Locked => Told {
            problem: format!("locked {kind}"),
            detail: "it is locked by another session".into(),
            hint: "Try again when that session has released the lock; pg_locks shows the session.".into(),
        },
    }
}

/// What is wrong with a goal.
enum Broken {
    /// It cannot be evaluated, or never holds.
    Goal(String),
    /// Its matches have no worth.
    Worth(String),
}

fn broken(goal_id: i32) -> Result<Option<Broken>> {
    let setup = required_setup()?;
    let problem = || {
        let goal = setup.goals.get(&goal_id).filter(|g| g.attribute.is_some())?;
        let message = setup.by_id.get(&goal.message_id)?;
        let source = setup.beside(goal_id).or_else(|| setup.source(message.users));
        let table = source.and_then(|u| Some((u, Relation::open(u.relation, Lock::Share)?)));
        let Some((users, table)) = table else {
            let what = if setup.beside(goal_id).is_some() { "table with its attribute" } else { "users table" };
            return Some(Broken::Goal(format!("the {what} no longer exists")));
        };
        if !users.attached {
            return Some(Broken::Goal(format!("{} is not tracked any more", table.qualified_name())));
        }
        let attributes = Attributes::new(&setup, &table, users);
        let (_, place, _) = match attributes.resolve(goal) {
            Ok(found) => found,
            Err(problem) => return Some(Broken::Goal(problem)),
        };
        if let Some(label) = goal.operator.zip(goal.value.as_deref()).and_then(|(o, v)| place.lost_label(o, v)) {
            let type_name = place.column_type.name();
            return Some(Broken::Goal(format!("\"{label}\" is no longer a value of type {type_name}")));
        }
        let worth = goal.value_from.as_deref()?;
        match attributes.find(worth) {
            None => Some(Broken::Worth(format!("value_from \"{worth}\" is no longer in {}", table.qualified_name()))),
            Some((_, place)) if !place.has_worth() => {
                Some(Broken::Worth(format!("value_from \"{worth}\" is now of type {}", place.column_type.name())))
            }
            Some(_) => None,
        }
    };
    Ok(problem())
}

/// Why an event goal asks for what no row can have: the events of this name are the rows of tables, whose own columns are
/// their properties, and none of these has a column that the goal asks for.
fn lacking_column(goal_id: i32) -> Result<Option<String>> {
    let setup = required_setup()?;
    let problem = || {
        let goal = setup.goals.get(&goal_id)?;
        let event = goal.event.as_deref()?;
        let users = setup.by_id.get(&goal.message_id)?.users;
        let is_of = |s: &&Rc<Source>| {
            s.kind == "events" && s.attached && s.users == users && s.options.named.as_deref() == Some(event)
        };
        let of_event: Vec<&Rc<Source>> = setup.sources.iter().filter(is_of).collect();
        if of_event.is_empty() || of_event.iter().any(|s| s.properties.is_some()) {
            return None;
        }
        let tables: Vec<Relation> = of_event.iter().filter_map(|s| Relation::open(s.relation, Lock::Share)).collect();
        let root = goal.properties.as_ref().and_then(|kept| jsonb::root(kept.payload()));
        let entries = root.as_ref().and_then(|root| root.entries());
        let mut asked = entries.into_iter().flatten().map(|(name, _)| encoding::to_string(name));
        let lacking = asked.find(|name| !tables.iter().any(|table| watch::find_whole(table, name).is_some()));
        let worth = goal.value_from.clone().filter(|from| !tables.iter().any(|t| watch::find_place(t, from).is_some()));
        let name = tables.first()?.qualified_name();
        lacking.or(worth).map(|column| format!("{name} has no column \"{column}\", which the goal asks for"))
    };
    Ok(problem())
}

/// goals_internal.goal_problem(goal_id): why a goal is not evaluated, or its matches have no worth; NULL if neither.
pub fn goal_problem(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "goal_id" })?;
    Ok(match broken(id)? {
        Some(Broken::Goal(problem) | Broken::Worth(problem)) => Out::Text(problem),
        None => lacking_column(id)?.map_or(Out::Null, Out::Text),
    })
}

/// goals_internal.is_broken(goal_id): whether a goal cannot match.
pub fn is_broken(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "goal_id" })?;
    Ok(Out::Boolean(matches!(broken(id)?, Some(Broken::Goal(_)))))
}

/// goals_internal.nearest(name, known): the known name most similar to it; NULL if none is similar.
pub fn nearest_name(args: &Args) -> Result<Out> {
    let (Some(name), Some(known)) = (args.text(0), args.texts(1)) else { return Ok(Out::Null) };
    Ok(nearest(&name, &known).map_or(Out::Null, Out::Text))
}

/// goals_internal.stored_key(source_id, user_key): the key as it is stored; NULL if no user can have it.
pub fn stored_key(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "source_id" })?;
    let Some(key) = args.raw_text(1) else { return Ok(Out::Null) };
    // The table and its row in goals.source may be gone; what was recorded about its users is still there.
    let key_type = required_setup()?.source(id).and_then(|s| s.key_type().ok());
    let stored = key_type.map_or(Some(key.clone()), |t| t.canonical(&key));
    Ok(stored.map_or(Out::Null, Out::Raw))
}

/// goals_internal.follower(source_id, schema_name, table_name): the table that has this name now, if it is another one
/// than the source's and may take its place. A view stands for the table that it was made of.
pub fn follower(args: &Args) -> Result<Out> {
    let setup = required_setup()?;
    let follower = || {
        let source = setup.source(args.integer(0)?)?;
        let oid = relation::table_named(&args.name(1)?, &args.name(2)?).filter(|oid| *oid != source.relation)?;
        let has_messages = |id: i32| setup.by_id.values().any(|m| m.users == id);
        let own = setup.sources.iter().find(|s| s.relation == oid && s.attached);
        let goes_its_own_way = own.is_some_and(|own| own.kind != "users" || has_messages(own.id));
        (!goes_its_own_way && citus::kind(oid).is_none()).then(|| Out::Text(relation::qualified_name(oid)))
    };
    Ok(follower().unwrap_or(Out::Null))
}

/// goals_internal.source_problem(source_id): why the rows of a tracked table are not read; NULL if they are.
pub fn source_problem(args: &Args) -> Result<Out> {
    let id = args.integer(0).ok_or(Error::NullArgument { name: "source_id" })?;
    let setup = required_setup()?;
    let problem = || {
        let source = setup.source(id)?;
        let table = Relation::open(source.relation, Lock::Share)?;
        if let Some(kind) = citus::kind(source.relation) {
            return Some(format!(
                "Citus keeps its rows in shards, where no trigger of pg_goals sees them: it is {kind}"
            ));
        }
        let names: fn(&ColumnType) -> bool = ColumnType::is_of_ids;
        let times: fn(&ColumnType) -> bool = ColumnType::is_of_times;
        let jsonb: fn(&ColumnType) -> bool = ColumnType::is_jsonb;
        let any: fn(&ColumnType) -> bool = |_| true;
        let named = [
            (Some(&source.key), any),
            (source.event.as_ref(), names),
            (source.message.as_ref(), names),
            (source.variant.as_ref(), names),
            (source.properties.as_ref(), jsonb),
            (source.occurred.as_ref(), times),
            (source.opened.as_ref(), times),
            (source.clicked.as_ref(), times),
        ];
        let options = &source.options;
        let of_options = options.columns().map(|name| (Some(name), any));
        let of_times = [&options.delivered_at, &options.bounced_at, &options.complained_at, &options.unsubscribed_at];
        let of_options = of_options.chain(of_times.into_iter().map(|name| (name.as_ref(), times)));
        let of_options = of_options.chain([(options.kind_column.as_ref(), names)]);
        let deciding = source.options.only.conditions().iter().chain(source.options.member.conditions());
        let deciding = deciding.map(|condition| (Some(&condition.column), any));
        let all = named.into_iter().chain(of_options).chain(deciding);
        for (name, fits) in all.filter_map(|(name, fits)| Some((name?, fits))) {
            match table.column(name) {
                None => return Some(format!("column \"{name}\" is no longer in {}", table.qualified_name())),
                Some(column) if column.is_virtual => {
                    return Some(format!(
                        "column \"{name}\" is now a virtual generated column, whose values no trigger sees"
                    ));
                }
                Some(column) if !fits(&ColumnType::resolve(column.type_oid, column.collation)) => {
                    let type_name = types::type_name(column.type_oid);
                    return Some(format!("column \"{name}\" is now of type {type_name}, and is not read"));
                }
                _ => (),
            }
        }
        let deciding = options.only.conditions().iter().chain(options.member.conditions());
        for (condition, column) in deciding.filter_map(|c| Some((c, table.column(&c.column)?))) {
            if let Some(value) = never(&column, condition) {
                return Some(format!("\"{value}\" is no longer a value of column \"{}\"", column.name));
            }
        }
        let of_kind = options.kind_column.as_ref().and_then(|name| table.column(name));
        let of_kind = of_kind.map(|column| ColumnType::resolve(column.type_oid, column.collation));
        if let Some((value, _)) = options.kinds.iter().find(|(v, _)| of_kind.as_ref().is_some_and(|t| !may_be(t, v))) {
            return Some(format!("\"{value}\" is no longer a value of column \"{}\"", options.kind_column.as_deref()?));
        }
        if source.kind == "attributes" && !user_lookup::is_key(source.relation, &source.key) {
            return Some(format!("no unique index is on column \"{}\" alone any more", source.key));
        }
        if let Some(column) = &source.options.user_by {
            // The message of a send decides whose users it is about.
            let is_of = |s: &Source| {
                s.id == source.users || matches!(source.kind.as_str(), "receipts" | "engagements") && s.kind == "users"
            };
            if !setup.sources.iter().any(|s| is_of(s) && user_lookup::names_one(s.relation, column)) {
                let users = setup.source(source.users).map_or_else(String::new, |users| users.name());
                return Some(format!("no unique index of {users} names one user by column \"{column}\" any more"));
            }
        }
        let key = table.column(&source.key)?;
        KeyType::of(key.type_oid)
            .is_none()
            .then(|| format!("key column \"{}\" is now of type {}", key.name, types::type_name(key.type_oid)))
    };
    Ok(problem().map_or(Out::Null, Out::Text))
}
