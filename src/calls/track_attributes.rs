//! Tracking a table beside the users table, with one row per user.

use super::columns::{Times, check_key, column, warn_of_other_keys};
use super::track::{Columns, Wanted, attach, trackable};
use crate::model::error::{Error, Result};
use crate::model::options::Options;
use crate::pg::call::{Args, Out};
use crate::pg::relation;
use crate::pg::user_lookup;
use crate::setup::cache::required_setup;

/// goals.track_attributes(relation, user_key, prefix, users, time_zone)
pub fn track_attributes(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let key = column(&table, &args.name(1).ok_or(Error::NullArgument { name: "user_key" })?)?;
    check_key(&table, &key)?;
    if !user_lookup::is_key(relid, &key.name) {
        return Err(Error::SeveralRowsPerUser { relation: table.qualified_name(), column: key.name });
    }
    let zone = Times::of(&table, args.text(4))?.zone();
    let setup = required_setup()?;
    let users = setup.tracked_users_table(args.relation(3))?;
    warn_of_other_keys(&table, &key.name, [&users]);
    // A table that has been renamed since keeps the names of its attributes.
    let known = || setup.sources.iter().find(|s| s.kind == "attributes" && s.relation == relid)?.options.prefix.clone();
    let given = args.text(2).filter(|prefix| !prefix.is_empty());
    let prefix = given.or_else(known).unwrap_or_else(|| relation::name(relid));
    let refused = |message: String| Error::InvalidArgument {
        message,
        hint: "Pass another prefix => 'name': the attributes are then called name.column.".into(),
    };
    if relation::column_type(users.relation, &prefix).is_some() {
        return Err(refused(format!("relation \"{}\" has a column \"{prefix}\"", users.name())));
    }
    let has_prefix = |of: &Options| of.prefix.as_ref() == Some(&prefix);
    let others = || setup.sources.iter().filter(|s| s.kind == "attributes" && s.attached && s.relation != relid);
    if let Some(other) = others().find(|s| s.users == users.id && has_prefix(&s.options)) {
        return Err(refused(format!("the attributes of relation \"{}\" begin with \"{prefix}\"", other.name())));
    }
    let options = Options { prefix: Some(prefix), time_zone: zone, ..Options::default() };
    let columns = Columns { key: key.name, options: options.written(None, None, None), ..Columns::default() };
    attach(table, "attributes", Some(users.id), &columns, Wanted { insert: true, update: true, delete: true })
}
