//! Handing everything of a users table over to the table that has taken its place.

use super::{columns, track};
use crate::model::error::{Error, Result};
use crate::pg::call::{Args, Out};
use crate::pg::key::KeyType;
use crate::pg::relation::{self, Column, Relation};
use crate::pg::spi::{self, Arg};
use crate::pg::{invalidate, rights, types};
use crate::setup::cache::{self, required_setup};
use crate::setup::definitions::{Setup, Source};
use pgrx::pg_sys::{self, Oid};
use std::rc::Rc;

/// The source of a users table.
fn users_of(setup: &Setup, relid: Oid) -> Result<Rc<Source>> {
    let users = setup.sources.iter().find(|s| s.kind == "users" && s.relation == relid);
    users.cloned().ok_or_else(|| Error::InvalidArgument {
        message: format!("{} is not a tracked users table", relation::qualified_name(relid)),
        hint: "A table that has been handed over needs no second call; goals.health() shows which tables do.".into(),
    })
}

/// An error if keys of the successor are not written as those of the table; of a table that is gone nothing is known.
fn check_alike(from: &Source, into: &Relation, key: &Column) -> Result<()> {
    let (Ok(old), Some(new)) = (from.key_type(), KeyType::of(key.type_oid)) else { return Ok(()) };
    if old.is_written_as(new) {
        return Ok(());
    }
    Err(Error::InvalidArgument {
        message: format!(
            "column \"{}\" of {} is of type {}",
            key.name,
            into.qualified_name(),
            types::type_name(key.type_oid)
        ),
        hint: format!("The key of {} is another kind of value: its users would not be found.", from.name()),
    })
}

/// The source of the successor, if it is tracked; an error if it is tracked as something else or has messages.
fn own_source(setup: &Setup, into: &Relation) -> Result<Option<Rc<Source>>> {
    let mut of_table = setup.sources.iter().filter(|s| s.relation == into.oid());
    if let Some(other) = of_table.clone().find(|s| s.kind != "users" && s.attached) {
        return Err(Error::AlreadyTracked { relation: into.qualified_name(), kind: other.kind.clone() });
    }
    let Some(own) = of_table.find(|s| s.kind == "users") else { return Ok(None) };
    if setup.by_id.values().any(|m| m.users == own.id) {
        return Err(Error::HasMessages { relation: into.qualified_name() });
    }
    Ok(Some(own.clone()))
}

/// goals.move_users(from, into)
pub fn move_users(args: &Args) -> Result<Out> {
    let from = args.relation(0).ok_or(Error::NullArgument { name: "from" })?;
    let into = args.relation(1).ok_or(Error::NullArgument { name: "into" })?;
    let setup = required_setup()?;
    let known = users_of(&setup, from)?;
    if from == into {
        return Err(Error::InvalidArgument {
            message: format!("from and into are both {}", known.name()),
            hint: "Name the table that has taken its place in into.".into(),
        });
    }
    if !relation::exists(from) {
        if !rights::is_superuser() {
            return Err(Error::OwnerUnknown);
        }
    } else if !rights::owns(from) {
        return Err(Error::NotOwner { relation: known.name() });
    }
    let table = track::trackable(into)?;
    let key = columns::column(&table, &known.key)?;
    columns::check_key(&table, &key)?;
    check_alike(&known, &table, &key)?;
    own_source(&setup, &table)?;
    track::refuse_covered(&setup, &table, "users", None)?;
    setup.tables.as_owner(|| {
        // Against another call for these tables. What it has done is read again.
        spi::run("SELECT FROM goals.source WHERE relation IN ($1, $2) FOR UPDATE", &[Arg::Oid(from), Arg::Oid(into)]);
        cache::reset();
        let setup = required_setup()?;
        let source = users_of(&setup, from)?;
        let own = own_source(&setup, &table)?;
        track::drop_triggers(&source)?;
        if let Some(own) = &own {
            take_in(own.id, source.id);
        }
        let id = [Arg::Integer(Some(source.id)), Arg::Oid(into)];
        spi::run("UPDATE goals.source SET relation = $2, attached = true WHERE source_id = $1", &id);
        track::note_name(&setup, source.id);
        track::forget_ignored(source.id);
        spi::run("DELETE FROM goals.column_note WHERE source_id = $1", &id[..1]);
        let is_partitioned = table.kind() == pg_sys::RELKIND_PARTITIONED_TABLE;
        // DDL needs the table to be closed.
        drop(table);
        let events = track::Wanted::UPDATES.events(is_partitioned);
        track::attach_trigger(into, is_partitioned, "capture", events, source.id.into())?;
        invalidate::announce(setup.tables.revision);
        Ok(Out::Null)
    })
}

/// Gives the tables of events and sends of a source without messages to another one, and removes it.
fn take_in(own: i32, source: i32) {
    let ids = [Arg::Integer(Some(own)), Arg::Integer(Some(source))];
    spi::run("UPDATE goals.source SET users_source_id = $2 WHERE users_source_id = $1 AND source_id <> $1", &ids);
    track::forget_ignored(own);
    spi::run("DELETE FROM goals.column_note WHERE source_id = $1", &ids[..1]);
    spi::run("DELETE FROM goals.source WHERE source_id = $1", &ids[..1]);
}
