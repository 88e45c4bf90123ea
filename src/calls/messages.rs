//! Renaming and dropping messages.

use super::goals::{lock_message, name_given};
use crate::model::error::{Error, Result};
use crate::pg::call::{Args, Out};
use crate::pg::invalidate;
use crate::pg::spi::{self, Arg};
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Message, Setup, Source};
use std::rc::Rc;

/// Removes what goals.health() has noted about a message under a name that it loses: it is noted again where it goes on.
fn forget_notes(name: &str) {
    spi::run(
        "DELETE FROM goals.ignored WHERE reason = 'unknown user' AND name = $1 \
         OR reason = 'unknown variant' AND starts_with(name, $1 || ': ')",
        &[Arg::Text(Some(name))],
    );
}

/// goals.rename_message(message, new_name)
pub fn rename_message(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let new = name_given(args.text_required(1, "new_name")?, "a message")?;
    let setup = required_setup()?;
    if setup.message(&message)?.like.is_some() {
        return Err(Error::InvalidArgument {
            message: format!("message \"{message}\" is a row of a table of campaigns"),
            hint: "Change the name in its row.".into(),
        });
    }
    let taken = || Error::NameTaken { what: "message", name: new.clone() };
    setup.tables.as_owner(|| {
        let (setup, message) = lock_message(&message)?;
        if setup.message_named(&new).is_some() {
            return Err(taken());
        }
        // Waits for a session that gives another message this name, which UPDATE would do with an error of its own.
        let reserved = spi::number(
            "INSERT INTO goals.message (name, kind, users_source_id, dropped_at) \
             VALUES ($1, 'ongoing', 0, clock_timestamp()) ON CONFLICT (name) DO NOTHING RETURNING message_id",
            &[Arg::Text(Some(&new))],
        );
        let reserved = reserved.ok_or_else(taken)?;
        spi::run("DELETE FROM goals.message WHERE message_id = $1", &[Arg::Integer(i32::try_from(reserved).ok())]);
        spi::run(
            "UPDATE goals.message SET name = $2, seed = coalesce(seed, name) WHERE message_id = $1",
            &[Arg::Integer(Some(message.id)), Arg::Text(Some(&new))],
        );
        spi::run("DELETE FROM goals.ignored WHERE reason = 'unknown message' AND name = $1", &[Arg::Text(Some(&new))]);
        forget_notes(&message.name);
        invalidate::announce(setup.tables.revision);
        Ok(Out::Null)
    })
}

/// goals.drop_message(message)
pub fn drop_message(args: &Args) -> Result<Out> {
    let message = args.text_required(0, "message")?;
    let setup = required_setup()?;
    setup.message(&message)?;
    setup.tables.as_owner(|| {
        let (setup, message) = lock_message(&message)?;
        refuse_if_shared(&setup, &message)?;
        hide(&setup, &message);
        forget_notes(&message.name);
        invalidate::announce(setup.tables.revision);
        Ok(Out::Null)
    })
}

/// An error for a message whose goals campaigns share.
fn refuse_if_shared(setup: &Setup, message: &Message) -> Result<()> {
    let is_shared = |source: &&Rc<Source>| source.attached && source.options.like_message == Some(message.id);
    let of_rows = || {
        setup.tables.message_name.and_then(|_| {
            spi::one(
                "SELECT s.relation::text FROM goals.message m JOIN goals.source s ON s.source_id = m.source_id \
                 WHERE m.like_message_id = $1 AND m.dropped_at IS NULL LIMIT 1",
                &[Arg::Integer(Some(message.id))],
            )
        })
    };
    let table = setup.sources.iter().find(is_shared).map(|source| source.name()).or_else(of_rows);
    match table {
        Some(table) => Err(Error::InvalidArgument {
            message: format!("the rows of {table} are messages that share the goals of message \"{}\"", message.name),
            hint: "Stop its goals with goals.stop_goal() instead, or drop those messages first.".into(),
        }),
        None => Ok(()),
    }
}

/// Takes the message and its names out of the set-up. goals.roll_up() removes its records when every transaction has
/// ended that may not know the revision added here.
fn hide(setup: &Setup, message: &Message) {
    let id = [Arg::Integer(Some(message.id))];
    spi::run(
        "UPDATE goals.message SET dropped_at = clock_timestamp(), seed = coalesce(seed, name), name = NULL, \
         known_as = NULL WHERE message_id = $1",
        &id,
    );
    if setup.tables.message_name.is_some() {
        spi::run("DELETE FROM goals.message_name WHERE message_id = $1", &id);
    }
    if message.is_programme {
        // What holds out of the programme above holds out of its messages still.
        let parent = Arg::Integer(message.parent);
        spi::run(
            "UPDATE goals.message SET parent_id = $2 WHERE parent_id = $1",
            &[Arg::Integer(Some(message.id)), parent],
        );
    }
    spi::run("INSERT INTO goals.revision (message_id, goal_ids) VALUES ($1, '{}')", &id);
}
