//! Tracking a table of opens, clicks, deliveries, bounces, complaints or unsubscribes.

use super::columns::{
    Times, check_key, column, conditions, id_column, user_by, warn_of_other_keys, warn_of_other_owners,
};
use super::track::{Columns, Wanted, attach, trackable};
use crate::matching::engagements::{Engagement, KINDS};
use crate::model::error::{Error, Result};
use crate::model::jsonb;
use crate::model::operator::Operator;
use crate::model::options::Options;
use crate::model::value::{Kind, Value};
use crate::pg::call::{Args, Out};
use crate::pg::key::KeyType;
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::spi::{self, Arg};
use crate::pg::types::{self, ColumnType};
use crate::pg::{datum, encoding};
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Setup, Source};

fn invalid<T>(message: impl Into<String>, hint: impl Into<String>) -> Result<T> {
    Err(Error::InvalidArgument { message: message.into(), hint: hint.into() })
}

/// The kinds, as they are listed in a hint.
fn all_kinds() -> String {
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// True if a column of ids of this type may have the value.
pub(super) fn may_be(column_type: &ColumnType, value: &str) -> bool {
    match column_type.kind() {
        Kind::Number => value.parse::<i64>().is_ok_and(|number| number.to_string() == value),
        _ if column_type.is_enum() => column_type.canonical_value(Operator::Is, value).is_ok(),
        _ => true,
    }
}

/// What the rows are: always the same, or what a column says.
fn kinds(args: &Args, table: &Relation) -> Result<(Options, Option<String>)> {
    let kind = args.text_required(1, "kind")?;
    let Some((given, bytes)) = args.jsonb(10).zip(args.jsonb_bytes(10)) else {
        if Engagement::named(&kind).is_some() {
            return Ok((Options { engagement: Some(kind), ..Options::default() }, None));
        }
        if table.column(&kind).is_some() {
            return invalid(
                format!("it is not said what the values of column \"{kind}\" mean"),
                r#"Give kinds => '{"open": "opened", "click": "clicked"}'."#,
            );
        }
        return invalid(
            format!("unknown kind \"{kind}\""),
            format!("It is one of {}, or a column whose values \"kinds\" maps.", all_kinds()),
        );
    };
    let column_name = id_column(table, &kind)?;
    let hint = || format!("Write an object of the column's values, each with one of {}.", all_kinds());
    let Some(entries) = jsonb::root(&bytes).as_ref().and_then(|root| root.entries()).map(Vec::from_iter) else {
        return invalid("invalid kinds: it is not an object", hint());
    };
    if entries.is_empty() {
        return invalid("invalid kinds: it is empty", hint());
    }
    let found = column(table, &column_name)?;
    let column_type = ColumnType::resolve(found.type_oid, found.collation);
    for (value, kind) in entries {
        let value = encoding::to_string(value);
        let is_one = match kind.value() {
            Value::Text(name) => Engagement::named(&encoding::to_string(&name)).is_some(),
            _ => false,
        };
        if !is_one {
            return invalid(format!("invalid kinds: what \"{value}\" means is no kind"), hint());
        }
        if !may_be(&column_type, &value) {
            return Err(Error::InvalidValue { value, type_name: column_type.name() });
        }
    }
    let given = encoding::to_string(&datum::jsonb_text(given));
    Ok((Options { kind_column: Some(column_name), ..Options::default() }, Some(given)))
}

/// The tracked table of sends that a foreign key of this column names, else the one that the caller names. Its primary
/// key is what the column refers to.
fn sends_of(
    setup: &Setup,
    table: &Relation,
    send: &str,
    named: Option<pgrx::pg_sys::Oid>,
) -> Result<(i32, Option<String>)> {
    let of_sends = |oid| setup.sources.iter().find(|s| s.kind == "receipts" && s.attached && s.relation == oid);
    let rows = setup.tables.as_owner(|| {
        spi::run(
            "SELECT c.confrelid::bigint, r.attname FROM pg_constraint c \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum] \
             JOIN pg_attribute r ON r.attrelid = c.confrelid AND c.confkey = ARRAY[r.attnum] \
             WHERE c.conrelid = $1 AND c.contype = 'f' AND a.attname = $2::name ORDER BY c.oid",
            &[Arg::Oid(table.oid()), Arg::Text(Some(send))],
        )
    });
    let mut by_key = None;
    for row in rows {
        let [Some(oid), Some(to)] = row.as_slice() else { continue };
        let Ok(oid) = oid.parse::<u32>().map(pgrx::pg_sys::Oid::from_u32) else { continue };
        let source = of_sends(oid).or_else(|| relation::ancestors(oid).into_iter().find_map(of_sends));
        by_key = by_key.or(source.map(|source| (source, to.clone())));
    }
    let given = match named {
        Some(oid) => Some(of_sends(oid).ok_or_else(|| not_of_sends(oid))?),
        None => None,
    };
    match (&by_key, given) {
        (Some((source, _)), Some(given)) if source.id != given.id => {
            return invalid(
                format!("column \"{send}\" refers to {}, not to {}", source.name(), given.name()),
                "Leave \"sends\" out.",
            );
        }
        (None, None) => {
            return invalid(
                format!("no foreign key of column \"{send}\" names a tracked table of sends"),
                "Track that table with goals.track_receipts() first, or name it: sends => 'emails'.",
            );
        }
        _ => {}
    }
    let (source, to) = match by_key {
        Some((source, to)) => (source, Some(to)),
        None => (given.ok_or(Error::NullArgument { name: "sends" })?, None),
    };
    Ok((source.id, check_reference(table, send, source, to.as_deref())?))
}

fn not_of_sends(oid: pgrx::pg_sys::Oid) -> Error {
    Error::InvalidArgument {
        message: format!("{} is not tracked as a table of sends", relation::qualified_name(oid)),
        hint: "Track it with goals.track_receipts() first.".into(),
    }
}

/// An error unless the column can hold the primary key of the table of sends. `to`: the column that its foreign key
/// names. Returns what the texts of the column are, see [`Options::send_is`].
fn check_reference(table: &Relation, send: &str, source: &Source, to: Option<&str>) -> Result<Option<String>> {
    let sends = Relation::open(source.relation, Lock::Share).ok_or_else(|| not_of_sends(source.relation))?;
    let key = sends.primary_key(source.relation);
    let [key] = key.as_slice() else {
        return invalid(
            match key.len() {
                0 => format!("{} has no primary key, by which a send is known", sends.qualified_name()),
                more => format!("the primary key of {} has {more} columns", sends.qualified_name()),
            },
            "Name the columns with the message and the user instead: message => ..., user_key => ...",
        );
    };
    if to.is_some_and(|to| to != key.name) {
        return invalid(
            format!("column \"{send}\" does not refer to the primary key of {}", sends.qualified_name()),
            "Name the columns with the message and the user instead: message => ..., user_key => ...",
        );
    }
    let column = column(table, send)?;
    let types = KeyType::of(column.type_oid).zip(KeyType::of(key.type_oid));
    if types.is_some_and(|(a, b)| a.is_written_as(b)) {
        return Ok(None);
    }
    if let Some((KeyType::Text, of_sends)) = types {
        let is = match of_sends {
            KeyType::SmallInt | KeyType::Integer | KeyType::BigInt => Some("number"),
            KeyType::Uuid => Some("uuid"),
            _ => None,
        };
        if let Some(is) = is {
            return Ok(Some(is.to_owned()));
        }
    }
    invalid(
        format!(
            "column \"{send}\" of {} is of type {}, and the primary key of {} of type {}",
            table.qualified_name(),
            types::type_name(column.type_oid),
            sends.qualified_name(),
            types::type_name(key.type_oid)
        ),
        "A send is referred to by a number, a uuid or a text, as its primary key is one.",
    )
}

/// goals.track_engagements(relation, kind, message, user_key, send, sends, at, only, user_by, time_zone, kinds)
pub fn track_engagements(args: &Args) -> Result<Out> {
    let relid = args.relation(0).ok_or(Error::NullArgument { name: "relation" })?;
    let table = trackable(relid)?;
    let (of_kinds, given_kinds) = kinds(args, &table)?;
    let setup = required_setup()?;
    let (send, (sends, send_is), message, key) = match (args.name(4), args.name(2), args.name(3)) {
        (Some(send), None, None) if args.name(8).is_none() => {
            let send = column(&table, &send)?.name;
            let sends = sends_of(&setup, &table, &send, args.relation(5))?;
            (Some(send.clone()), (Some(sends.0), sends.1), None, send)
        }
        (None, Some(message), Some(key)) if args.relation(5).is_none() => {
            let message = id_column(&table, &message)?;
            let key = column(&table, &key)?;
            check_key(&table, &key)?;
            (None, (None, None), Some(message), key.name)
        }
        _ => {
            return invalid(
                "a receipt is found by a send, or by message and user",
                "Pass send => 'email_id', or message => 'campaign_id', user_key => 'user_id'.",
            );
        }
    };
    let mut times = Times::of(&table, args.text(9))?;
    let occurred = args.name(6).map(|n| times.column(&n)).transpose()?;
    let (only, given) = conditions(args, 7, &table)?;
    if send.is_none() {
        warn_of_other_owners(&table, &key, &only);
    }
    // The message of a row determines its users table; any one serves until then.
    let all_users = || setup.sources.iter().filter(|s| s.kind == "users" && s.attached);
    let users = all_users().next().ok_or(Error::NoUsersTable)?;
    let (user_by, users_by) = user_by(args, 8, all_users())?;
    if send.is_none() && user_by.is_none() {
        warn_of_other_keys(&table, &key, all_users());
    }
    let options = Options { send, sends, send_is, user_by, users_by, time_zone: times.zone(), ..of_kinds };
    let way = options.way().map(str::to_owned);
    let columns = Columns {
        key,
        message,
        occurred,
        options: options.written(given.as_deref(), None, given_kinds.as_deref()),
        way,
        ..Columns::default()
    };
    attach(table, "engagements", Some(users.id), &columns, Wanted { insert: true, update: true, delete: true })
}
