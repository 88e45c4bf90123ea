//! Tracking a table whose rows say who is a member of what.

use super::columns::{check_key, column, conditions_named, id_column, warn_of_other_keys, warn_of_other_owners};
use super::track::{Columns, Wanted, attach, trackable};
use crate::model::error::{Error, Result};
use crate::model::options::Options;
use crate::pg::call::{Args, Out};
use crate::setup::cache::required_setup;

/// goals.track_membership(relation, user_key, list, status, member, users)
pub fn track_membership(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let key = column(&table, &args.name(1).ok_or(Error::NullArgument { name: "user_key" })?)?;
    check_key(&table, &key)?;
    let list = id_column(&table, &args.name(2).ok_or(Error::NullArgument { name: "list" })?)?;
    let status = args.name(3).map(|n| column(&table, &n)).transpose()?.map(|column| column.name);
    let (member, given) = conditions_named(args, 4, &table, "member")?;
    warn_of_other_owners(&table, &key.name, &member);
    let users = required_setup()?.tracked_users_table(args.relation(5))?;
    warn_of_other_keys(&table, &key.name, [&users]);
    let options = Options { list: Some(list), status, ..Options::default() };
    let columns =
        Columns { key: key.name, options: options.written(None, given.as_deref(), None), ..Columns::default() };
    attach(table, "membership", Some(users.id), &columns, Wanted { insert: true, update: true, delete: true })
}
