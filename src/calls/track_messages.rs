//! Tracking tables of campaigns, whose rows are messages.

use super::columns::{check_key, column, conditions, id_column};
use super::track::{Columns, Wanted, attach, lock_to_read, trackable};
use crate::matching::campaigns::{Logs, Reader, Seen};
use crate::matching::records;
use crate::model::error::{Error, Result};
use crate::model::options::Options;
use crate::pg::append::Appender;
use crate::pg::call::{Args, Out};
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::pg::spi::{self, Arg};
use crate::pg::{encoding, errors, invalidate, scan, user_lookup};
use crate::setup::cache::required_setup;
use crate::setup::campaigns::TOO_MANY;
use crate::setup::definitions::{Message, Setup, Source};
use pgrx::pg_sys::{self, Oid};
use std::ops::ControlFlow;
use std::rc::Rc;

/// An error for a message whose goals campaigns cannot share.
fn check_like(name: &str, like: &Message, users: Option<&Source>) -> Result<()> {
    let refused = |message: String, hint: &str| Err(Error::InvalidArgument { message, hint: hint.into() });
    if like.is_programme {
        return refused(
            format!("message \"{name}\" is a programme"),
            "Pass a message that is part_of it in like_message: the rows are then part of the programme too.",
        );
    }
    if like.like.is_some() {
        return refused(
            format!("message \"{name}\" is a row of a table of campaigns itself"),
            "Pass a message that was created with goals.create_message() in like_message.",
        );
    }
    match users.filter(|users| users.id != like.users) {
        Some(users) => refused(
            format!("message \"{name}\" is for the users of another table than {}", users.name()),
            "Leave out users: the rows are for the users of like_message.",
        ),
        None => Ok(()),
    }
}

/// goals.track_messages(relation, id, name, like_message, channel, only, users)
pub fn track_messages(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let id = column(&table, &args.name(1).ok_or(Error::NullArgument { name: "id" })?)?;
    id_column(&table, &id.name)?;
    check_key(&table, &id)?;
    let name = args.name(2).map(|name| id_column(&table, &name)).transpose()?;
    let channel = args.name(4).map(|name| id_column(&table, &name)).transpose()?;
    let (_, given) = conditions(args, 5, &table)?;
    let setup = required_setup()?;
    let named = args.relation(6).map(|users| setup.tracked_users_table(Some(users))).transpose()?;
    let like = match args.text(3) {
        None => None,
        Some(like) => {
            let message = setup.message(&like)?;
            check_like(&like, &message, named.as_deref())?;
            Some(message)
        }
    };
    let users = match (&like, &named) {
        (Some(like), _) => like.users,
        (None, Some(named)) => named.id,
        (None, None) => setup.tracked_users_table(None)?.id,
    };
    let options = Options { id: Some(id.name.clone()), name, channel, ..Options::default() };
    let columns =
        Columns { key: id.name, options: options.written(given.as_deref(), None, None), ..Columns::default() };
    let may_repeat = table.kind() != pg_sys::RELKIND_PARTITIONED_TABLE && !user_lookup::is_key(relid, &columns.key);
    attach(table, "messages", Some(users), &columns, Wanted::INSERTS_AND_UPDATES)?;
    if may_repeat {
        errors::warning(
            format!(
                "several rows of {} may have one \"{}\": they are one message",
                relation::qualified_name(relid),
                columns.key
            ),
            Some("Name a column that has a unique index of its own."),
        );
    }
    let source = setup.tables.as_owner(|| {
        let source = spi::number(
            "SELECT source_id FROM goals.source WHERE relation = $1 AND kind = 'messages'",
            &[Arg::Oid(relid)],
        );
        let source = source.and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
        share(&setup, source, users, like.map_or_else(|| of_no_goals(source, users), |like| like.id));
        source
    });
    // Without writers no row is missed, and none is seen twice.
    lock_to_read(relid)?;
    see_rows(relid, source)
}

/// The message that the campaigns of a source are like where they share the goals of no other one.
fn of_no_goals(source: i32, users: i32) -> i32 {
    let of_source = [Arg::Integer(Some(source)), Arg::Integer(Some(users))];
    let known = spi::number(
        "SELECT message_id FROM goals.message WHERE source_id = $1 AND row_key IS NULL AND users_source_id = $2",
        &of_source,
    );
    let make = || {
        let made = spi::number(
            "INSERT INTO goals.message (kind, users_source_id, source_id) VALUES ('ongoing', $2, $1) RETURNING message_id",
            &of_source,
        );
        let message = [Arg::Integer(made.and_then(|id| i32::try_from(id).ok()))];
        spi::run("INSERT INTO goals.revision (message_id, goal_ids) VALUES ($1, '{}')", &message);
        made
    };
    known.or_else(make).and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
}

/// Notes which message later campaigns are like.
fn share(setup: &Setup, source: i32, users: i32, like: i32) {
    spi::run(
        "UPDATE goals.source SET options = options || jsonb_build_object('like_message', $2) \
         WHERE source_id = $1 AND users_source_id = $3",
        &[Arg::Integer(Some(source)), Arg::Integer(Some(like)), Arg::Integer(Some(users))],
    );
    invalidate::announce(setup.tables.revision);
}

/// Makes messages of the rows that are there.
fn see_rows(relid: Oid, source: i32) -> Result<Out> {
    let setup = required_setup()?;
    let not_recorded = super::not_recorded;
    let source: Rc<Source> = setup.source(source).cloned().ok_or_else(not_recorded)?;
    let tables = &setup.tables;
    let open = |table| Appender::open(table).map(Appender::that_raises);
    let messages = open(tables.message).ok_or_else(not_recorded)?;
    let names = tables.message_name.and_then(open).ok_or_else(not_recorded)?;
    let scratch = Scratch::new();
    let leaves = Relation::open(relid, Lock::Share).map(|table| table.leaves(false)).unwrap_or_default();
    for leaf in leaves {
        let Some(leaf) = Relation::open(leaf, Lock::Share) else { continue };
        let reader = Reader::of_table(&source, &leaf).filter(|_| leaf.kind() == pg_sys::RELKIND_RELATION);
        let Some(reader) = reader else { continue };
        let mut seen = Seen::Done;
        scan::visit_all(&leaf, |row| {
            check_for_interrupts();
            let write = |row| {
                let logs = || Logs { messages: &messages, names: &names };
                reader.see(&setup, row, |write| Some(write(logs()))).unwrap_or(Seen::Done)
            };
            seen = scratch.run(|| write(row));
            if seen == Seen::TooMany { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if seen == Seen::TooMany {
            if let Some(mut notes) = tables.ignored.search(tables.ignored_source_idx, 1) {
                let name = source.name();
                records::note(&mut notes, tables.ignored, source.id, TOO_MANY, &encoding::from_string(&name));
            }
            break;
        }
    }
    Ok(Out::Null)
}
