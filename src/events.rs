//! Events: reported by a call, or inserted into a table that the application has anyway.

use crate::cache::{self, Awaited, Goal};
use crate::model::attribute::Attribute;
use crate::model::decimal::Decimal;
use crate::model::error::{Error, Result};
use crate::model::jsonb;
use crate::model::value::Value;
use crate::pg::call::{Args, Out};
use crate::pg::statement::Statement;
use crate::pg::{append, datum, document, relation, strings};
use crate::receipts::{reported_time, setup};
use crate::settle::{self, Evidence};
use crate::track::in_one_place;
use crate::watch::Reach;
use pgrx::pg_sys::{Datum, Oid};
use smallvec::SmallVec;
use std::rc::Rc;

/// An event, and the goals whose name and properties it has.
struct Occurrence<'a> {
    awaited: SmallVec<[&'a Awaited; 4]>,
    properties: &'a [u8],
}

impl Evidence for Occurrence<'_> {
    fn reach(&self) -> Reach {
        self.awaited.iter().fold(Reach::NONE, |reach, awaited| reach.or(awaited.reach))
    }

    fn goal(&self, goal_id: i32) -> Option<&Goal> {
        self.awaited.iter().find_map(|awaited| {
            let at = awaited.goals.binary_search_by_key(&goal_id, |goal| goal.id).ok()?;
            Some(&*awaited.goals[at])
        })
    }

    fn gained(&self, _goal_id: i32, _baseline: Option<&Decimal>) -> bool {
        true
    }

    fn old_value(&self, _goal_id: i32) -> Option<Datum> {
        None
    }

    /// What was counted: the property the worth was taken from.
    fn new_value(&self, goal_id: i32) -> Option<Datum> {
        self.property(goal_id).and_then(|value| datum::as_json(&value))
    }

    fn worth(&self, goal_id: i32) -> Option<Decimal> {
        match self.property(goal_id)? {
            Value::Number(number) if number.is_summable() => Some(number),
            _ => None,
        }
    }
}

impl<'a> Occurrence<'a> {
    fn property(&self, goal_id: i32) -> Option<Value<'a>> {
        let name = self.goal(goal_id)?.value_from.as_deref()?;
        let model = strings::string_to_model;
        let root = jsonb::root(self.properties)?;
        let found = document::find(&root, &[model(name)]).or_else(|| {
            let parsed = Attribute::parse(name).ok()?;
            let path: Vec<_> = parsed.path.iter().map(|key| model(key)).collect();
            document::find(&document::find(&root, &[model(&parsed.column)])?, &path)
        });
        found.map(|node| document::value(&node))
    }
}

/// Matches an event against the goals that wait for it. `properties`: a jsonb datum and its payload, None for NULL.
pub fn occurred(
    statement: Statement,
    users_id: i32,
    key: &[u8],
    event: &str,
    properties: Option<(Datum, &[u8])>,
    at: i64,
) {
    for _ in 0..3 {
        let Some(setup) = cache::setup() else { return };
        let fits = |awaited: &&Awaited| match (&awaited.properties, properties) {
            (None, _) => true,
            (Some(wanted), Some((given, _))) => datum::jsonb_contains(given, wanted.datum()),
            (Some(_), None) => false,
        };
        let awaited: SmallVec<_> = setup.event_goals(users_id, event).iter().filter(fits).collect();
        if awaited.is_empty() {
            return;
        }
        let occurrence = Occurrence { awaited, properties: properties.map_or(&[], |(_, bytes)| bytes) };
        if settle::settle(statement, users_id, key, Some(at), &occurrence) {
            return;
        }
        cache::reset();
    }
}

/// [`users_table`], for what is set up from now on: a table that is not tracked any more is none.
pub fn tracked_users_table(setup: &cache::Setup, named: Option<Oid>) -> Result<Rc<cache::Source>> {
    let users = users_table(setup, named)?;
    if users.attached {
        Ok(users)
    } else {
        Err(Error::NotTracked { relation: relation::qualified_name(users.relation) })
    }
}

/// The users table named by the caller, or the only one there is; an error where Citus keeps its rows elsewhere.
pub fn users_table(setup: &cache::Setup, named: Option<Oid>) -> Result<Rc<cache::Source>> {
    let users = one_users_table(setup, named)?;
    in_one_place(users.relation)?;
    Ok(users)
}

fn one_users_table(setup: &cache::Setup, named: Option<Oid>) -> Result<Rc<cache::Source>> {
    let mut tables: Vec<&Rc<cache::Source>> = setup
        .sources
        .iter()
        .filter(|s| s.kind == "users" && (named.is_some() || s.attached && relation::exists(s.relation)))
        .collect();
    if let Some(named) = named {
        tables.retain(|s| s.relation == named);
        return tables
            .first()
            .map(|s| Rc::clone(s))
            .ok_or_else(|| Error::NotTracked { relation: relation::qualified_name(named) });
    }
    match tables.as_slice() {
        [] => Err(Error::NoUsersTable),
        [one] => Ok(Rc::clone(one)),
        many => Err(Error::SeveralUsersTables {
            relations: many.iter().map(|s| relation::qualified_name(s.relation)).collect(),
        }),
    }
}

/// goals.record_event(user_key, event, properties, occurred_at, users)
pub fn record_event(args: &Args) -> Result<Out> {
    let (key, event) = (args.user_key(0)?, args.text_required(1, "event")?);
    let at = reported_time(args.bigint(3), "occurred_at")?;
    // Also where nothing waits for the event: whether it is refused must not depend on that.
    append::refuse_if_read_only();
    let setup = setup()?;
    let users = users_table(&setup, args.relation(4))?;
    // A key that no user can have has no receipts: nothing to do, as for any event of a user we do not know.
    if let Some(key) = users.key_type()?.canonical(&key) {
        let bytes = args.jsonb_bytes(2);
        let properties = args.jsonb(2).zip(bytes.as_deref());
        occurred(Statement::of_call(), users.id, &key, &event, properties, at);
    }
    Ok(Out::Null)
}
