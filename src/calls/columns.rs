//! The columns that a caller of `track_*` names: whether the table has them, and whether they can be read.

use super::goals::may_read;
use super::is_virtual;
use crate::model::decimal::Decimal;
use crate::model::error::{Error, Result};
use crate::model::jsonb;
use crate::model::only::{Condition, Only};
use crate::model::operator::Operator;
use crate::model::value::Kind;
use crate::pg::call::Args;
use crate::pg::key::{KEY_TYPES, KeyType};
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::types::{self, ColumnType};
use crate::pg::zone::Zone;
use crate::pg::{encoding, errors, user_lookup};
use crate::setup::definitions::Source;
use pgrx::pg_sys::Oid;
use std::rc::Rc;

/// The column of this name.
pub(super) fn column(table: &Relation, name: &str) -> Result<relation::Column> {
    let column = table.column(name).ok_or_else(|| Error::UnknownColumn {
        relation: table.qualified_name(),
        name: name.into(),
        columns: table.column_names(),
    })?;
    if column.is_virtual { Err(is_virtual(table, name)) } else { Ok(column) }
}

/// An error for a column that cannot be a key.
pub(super) fn check_key(table: &Relation, key: &relation::Column) -> Result<()> {
    KeyType::of(key.type_oid).map(|_| ()).ok_or_else(|| Error::KeyType {
        relation: table.qualified_name(),
        column: key.name.clone(),
        type_name: types::type_name(key.type_oid),
        types: KEY_TYPES,
    })
}

fn resolved(type_oid: Oid) -> ColumnType {
    ColumnType::resolve(type_oid, Oid::INVALID)
}

fn must_be(table: &Relation, column: &relation::Column, what: &str, is: fn(&ColumnType) -> bool) -> Result<()> {
    if is(&resolved(column.type_oid)) {
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

/// A column with the ids or names of messages, events or variants.
pub(super) fn id_column(table: &Relation, name: &str) -> Result<String> {
    let found = column(table, name)?;
    must_be(
        table,
        &found,
        "a text, varchar, char(n), name, enum, smallint, integer, bigint or uuid",
        ColumnType::is_of_ids,
    )?;
    Ok(found.name)
}

/// A jsonb column.
pub(super) fn jsonb_column(table: &Relation, name: &str) -> Result<String> {
    let found = column(table, name)?;
    must_be(table, &found, "a jsonb", ColumnType::is_jsonb)?;
    Ok(found.name)
}

/// The columns with times of one table, and how those without a zone are read.
pub(super) struct Times<'a> {
    table: &'a Relation,
    zone: Option<String>,
    without_zone: Vec<String>,
}

impl<'a> Times<'a> {
    /// `zone`: the name of a time zone.
    pub(super) fn of(table: &'a Relation, zone: Option<String>) -> Result<Times<'a>> {
        if let Some(name) = &zone
            && Zone::named(name).is_none()
        {
            return Err(Error::InvalidArgument {
                message: format!("time zone \"{name}\" is not known"),
                hint: "pg_timezone_names has the names: 'UTC', 'Europe/Berlin'.".into(),
            });
        }
        Ok(Times { table, zone, without_zone: Vec::new() })
    }

    /// A column with times.
    pub(super) fn column(&mut self, name: &str) -> Result<String> {
        let found = column(self.table, name)?;
        must_be(self.table, &found, "a timestamptz, timestamp or date", ColumnType::is_of_times)?;
        if resolved(found.type_oid).lacks_zone() && !self.without_zone.contains(&found.name) {
            self.without_zone.push(found.name.clone());
        }
        Ok(found.name)
    }

    /// A column of any type, perhaps with times.
    pub(super) fn any_column(&mut self, name: &str) -> Result<String> {
        let found = column(self.table, name)?;
        if resolved(found.type_oid).is_of_times() { self.column(name) } else { Ok(found.name) }
    }

    /// The name of the zone. Sends a NOTICE if it is needed and not given.
    pub(super) fn zone(self) -> Option<String> {
        if self.zone.is_none()
            && let Some(first) = self.without_zone.first()
        {
            let others = match self.without_zone.len() {
                1 => "has".to_owned(),
                more => format!("and {} more have", more - 1),
            };
            errors::notice(
                format!("column \"{first}\" of {} {others} no time zone", self.table.qualified_name()),
                Some(
                    "It is read in the time zone of the session that writes it. Give time_zone => 'UTC' if the application writes UTC.",
                ),
            );
        }
        self.zone
    }
}

/// The column of a users table by which rows name users, if the caller gives one, and the sources of the users whom it
/// may name: those that have the column, with a unique index, and that the caller may read. An error if there are none.
pub(super) fn user_by<'a>(
    args: &Args,
    i: usize,
    tables: impl IntoIterator<Item = &'a Rc<Source>>,
) -> Result<(Option<String>, Vec<i32>)> {
    let Some(name) = args.name(i) else { return Ok((None, Vec::new())) };
    let (mut may_name, mut refused) = (Vec::new(), None);
    for users in tables {
        let table = Relation::open(users.relation, Lock::Share).ok_or(Error::UsersTableDropped)?;
        let check = || {
            let found = column(&table, &name)?;
            check_key(&table, &found)?;
            if !user_lookup::names_one(users.relation, &name) {
                return Err(Error::NotUnique { relation: table.qualified_name(), column: name.clone() });
            }
            // Receipts and matches reveal which user has a value.
            may_read(&table, &name, found.number)
        };
        match check() {
            Ok(()) => may_name.push(users.id),
            Err(error @ (Error::NotUnique { .. } | Error::NoSelect { .. } | Error::RowSecurity { .. })) => {
                refused = Some(error);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    if may_name.is_empty() { Err(refused.unwrap_or(Error::NoUsersTable)) } else { Ok((Some(name), may_name)) }
}

/// The conditions that a caller gives for rows, as they are and as JSON.
pub(super) fn conditions(args: &Args, i: usize, table: &Relation) -> Result<(Only, Option<String>)> {
    conditions_named(args, i, table, "only")
}

/// [`conditions`] in a parameter of this name.
pub(super) fn conditions_named(args: &Args, i: usize, table: &Relation, name: &str) -> Result<(Only, Option<String>)> {
    let renamed = |error| match error {
        Error::InvalidArgument { message, hint } => {
            Error::InvalidArgument { message: message.replacen("\"only\"", &format!("\"{name}\""), 1), hint }
        }
        other => other,
    };
    let Some(bytes) = args.jsonb_bytes(i) else { return Ok((Only::default(), None)) };
    let only = match jsonb::root(&bytes) {
        Some(node) => Only::read(&node, &encoding::to_string).map_err(renamed)?,
        None => return Ok((Only::default(), None)),
    };
    let type_of = |name: &str| column(table, name).map(|found| ColumnType::resolve(found.type_oid, found.collation));
    // As the columns write them: texts are compared.
    let only = only.written(|name, text| type_of(name)?.form_of(text))?;
    for condition in only.conditions() {
        let found = column(table, &condition.column)?;
        if let Some(value) = never(&found, condition) {
            return Err(Error::InvalidValue { value, type_name: type_of(&condition.column)?.name() });
        }
    }
    let json = only.json();
    Ok((only, Some(json)))
}

/// The first of the values of a condition that this column never has.
pub(super) fn never(column: &relation::Column, condition: &Condition) -> Option<String> {
    let column_type = ColumnType::resolve(column.type_oid, column.collation);
    if column_type.is_enum() {
        let is_label = |text: &String| column_type.canonical_value(Operator::Is, text).is_ok();
        return condition.texts().find(|text| !is_label(text));
    }
    let written_otherwise = |text: &String| column_type.form_of(text).ok().as_ref() != Some(text);
    let range = column_type.range(column);
    let is_no_number = |text: &String| {
        let Some(number) = Decimal::parse(text) else { return true };
        range.as_ref().is_some_and(|range| !range.has(&number)) || column_type.is_of_ids() && number.as_i64().is_none()
    };
    match column_type.kind() {
        Kind::Number => condition.never(Kind::Number).or_else(|| condition.texts().find(is_no_number)),
        Kind::Boolean => condition.never(Kind::Boolean),
        _ => condition.texts().find(written_otherwise),
    }
}

/// The columns that may say what a row with this key is about: `user_type` beside `user_id`, as Rails and Laravel name
/// them, `userType` of Prisma, `content_type_id` of Django, `model` of Odoo.
fn saying_what(key: &str) -> Vec<String> {
    let of_stem = |id, of| key.strip_suffix(id).map(|stem| format!("{stem}{of}"));
    let of_id = match key {
        "object_id" => &["content_type_id", "content_type"][..],
        "res_id" => &["model", "res_model"],
        _ => &[],
    };
    let stems = [of_stem("_id", "_type"), of_stem("Id", "Type")].into_iter().flatten();
    stems.chain(of_id.iter().map(|name| (*name).to_owned())).collect()
}

/// Sends a WARNING if rows may be about other things than users: `user_id` with `user_type` beside it, which no
/// condition names.
pub(super) fn warn_of_other_owners(table: &Relation, key: &str, only: &Only) {
    for of_type in saying_what(key) {
        let Some(found) = table.column(&of_type).filter(|_| !only.names(&of_type)) else { continue };
        let value = if resolved(found.type_oid).kind() == Kind::Number { "7" } else { "\"User\"" };
        errors::warning(
            format!(
                "rows of {} are about what \"{of_type}\" says, and all are read as about users",
                table.qualified_name()
            ),
            Some(&format!("Give \"only\" => '{{\"{of_type}\": {value}}}', with the value that stands for users.")),
        );
        return;
    }
}

/// Sends a WARNING if the foreign key of the column says that its values are no keys of these users.
pub(super) fn warn_of_other_keys<'a>(table: &Relation, key: &str, users: impl IntoIterator<Item = &'a Rc<Source>>) {
    let users: Vec<&Rc<Source>> = users.into_iter().collect();
    let referred = referred_to(table, key);
    let Some((oid, column)) = referred.first() else { return };
    if referred.iter().any(|to| are_keys(&users, to, MOST_STEPS)) {
        return;
    }
    let to = relation::qualified_name(*oid);
    errors::warning(
        format!(
            "column \"{key}\" of {} refers to \"{column}\" of {to}, and is read as the key of users",
            table.qualified_name()
        ),
        Some("Name the column with the key that goals.track_users() was given, or say with user_by what it holds."),
    );
}

/// How many foreign keys are followed: that of a profile refers to the user.
const MOST_STEPS: usize = 4;

fn referred_to(table: &Relation, column: &str) -> Vec<(Oid, String)> {
    table.column(column).map_or_else(Vec::new, |found| table.referred_to_by(found.number))
}

/// True if the values of this column are keys of these users.
fn are_keys(users: &[&Rc<Source>], to: &(Oid, String), steps: usize) -> bool {
    let (oid, column) = to;
    let above = relation::ancestors(*oid);
    let is_key = |s: &&Rc<Source>| (s.relation == *oid || above.contains(&s.relation)) && s.key == *column;
    users.iter().any(is_key)
        || steps > 0
            && Relation::open(*oid, Lock::Share)
                .is_some_and(|table| referred_to(&table, column).iter().any(|to| are_keys(users, to, steps - 1)))
}
