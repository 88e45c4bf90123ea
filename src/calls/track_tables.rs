//! Tracking the tables of users, events and sends.

use super::columns::{
    Times, check_key, column, conditions, id_column, jsonb_column, user_by, warn_of_other_keys, warn_of_other_owners,
};
use super::goals::name_given;
use super::track::{Columns, Wanted, attach, trackable};
use crate::model::error::{Error, Result};
use crate::model::options::Options;
use crate::pg::call::{Args, Out};
use crate::setup::cache::required_setup;

/// goals.track_users(relation, key)
pub fn track_users(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let key = match args.name(1) {
        Some(name) => column(&table, &name)?,
        None => table.single_column_key().map_err(|why| Error::NoKey { relation: table.qualified_name(), why })?,
    };
    check_key(&table, &key)?;
    attach(table, "users", None, &Columns { key: key.name, ..Columns::default() }, Wanted::UPDATES)
}

/// goals.track_events(relation, user_key, event, occurred_at, properties, users, named, on_column, only, user_by,
/// time_zone)
pub fn track_events(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let key = column(&table, &args.name(1).ok_or(Error::NullArgument { name: "user_key" })?)?;
    check_key(&table, &key)?;
    let event = args.name(2).map(|n| id_column(&table, &n)).transpose()?;
    let named = args.text(6).map(|name| name_given(name, "an event")).transpose()?;
    if event.is_some() == named.is_some() {
        return Err(Error::InvalidArgument {
            message: if named.is_some() { "\"event\" and \"named\" are both given" } else { "the events have no name" }
                .into(),
            hint: "Pass event, the column with the name, or named, the name of them all: named => 'order placed'."
                .into(),
        });
    }
    let mut times = Times::of(&table, args.text(10))?;
    let occurred = args.name(3).map(|n| times.column(&n)).transpose()?;
    let on_column = args.name(7).map(|n| times.any_column(&n)).transpose()?;
    let properties = args.name(4).map(|n| jsonb_column(&table, &n)).transpose()?;
    let (only, given) = conditions(args, 8, &table)?;
    warn_of_other_owners(&table, &key.name, &only);
    let becomes = on_column.is_some() || !only.conditions().is_empty();
    let users = required_setup()?.tracked_users_table(args.relation(5))?;
    let (user_by, users_by) = user_by(args, 9, [&users])?;
    if user_by.is_none() {
        warn_of_other_keys(&table, &key.name, [&users]);
    }
    let options = Options { named, on_column, user_by, users_by, time_zone: times.zone(), ..Options::default() };
    let way = options.way().map(str::to_owned);
    let columns = Columns {
        key: key.name,
        event,
        occurred,
        properties,
        options: options.written(given.as_deref(), None, None),
        way,
        ..Columns::default()
    };
    let wanted = if becomes { Wanted::INSERTS_AND_UPDATES } else { Wanted::INSERTS };
    attach(table, "events", Some(users.id), &columns, wanted)
}

/// goals.track_receipts(relation, message, user_key, sent_at, opened_at, clicked_at, variant, delivered_at, bounced_at,
/// complained_at, unsubscribed_at, failed_at, user_by, only, time_zone)
pub fn track_receipts(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let message = id_column(&table, &args.name(1).ok_or(Error::NullArgument { name: "message" })?)?;
    let key = column(&table, &args.name(2).ok_or(Error::NullArgument { name: "user_key" })?)?;
    check_key(&table, &key)?;
    let mut times = Times::of(&table, args.text(14))?;
    let mut time = |i: usize| args.name(i).map(|n| times.column(&n)).transpose();
    let [occurred, opened, clicked] = [time(3)?, time(4)?, time(5)?];
    let further = Options {
        delivered_at: time(7)?,
        bounced_at: time(8)?,
        complained_at: time(9)?,
        unsubscribed_at: time(10)?,
        failed_at: time(11)?,
        ..Options::default()
    };
    let variant = args.name(6).map(|n| id_column(&table, &n)).transpose()?;
    let (only, given) = conditions(args, 13, &table)?;
    warn_of_other_owners(&table, &key.name, &only);
    // The message of a row determines its users table; any one serves until then.
    let setup = required_setup()?;
    let all_users = || setup.sources.iter().filter(|s| s.kind == "users" && s.attached);
    let users = all_users().next().ok_or(Error::NoUsersTable)?;
    let (user_by, users_by) = user_by(args, 12, all_users())?;
    if user_by.is_none() {
        warn_of_other_keys(&table, &key.name, all_users());
    }
    let options = Options { user_by, users_by, time_zone: times.zone(), ..further };
    let columns = Columns {
        key: key.name,
        message: Some(message),
        occurred,
        opened,
        clicked,
        variant,
        options: options.written(given.as_deref(), None, None),
        ..Columns::default()
    };
    attach(table, "receipts", Some(users.id), &columns, Wanted::INSERTS_AND_UPDATES)
}
