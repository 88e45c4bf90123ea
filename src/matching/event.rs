//! Matches an event, reported or read from a tracked table, against the goals that wait for it.

use super::matches::{self, Evidence, Happening};
use super::retry::{Outcome, with_current_setup};
use crate::model::attribute::Attribute;
use crate::model::decimal::Decimal;
use crate::model::jsonb;
use crate::model::value::Value;
use crate::pg::datum::KeptJsonb;
use crate::pg::kept_open::Statement;
use crate::pg::{datum, document, encoding};
use crate::setup::cache;
use crate::setup::definitions::{Awaited, Goal, Reach, Setup};
use pgrx::pg_sys::Datum;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::rc::Rc;

/// What is known of an event besides its name and user.
pub trait Properties {
    /// True if they contain this object, as jsonb's `@>`.
    fn contain(&self, wanted: &KeptJsonb) -> bool;
    /// The property of this name, or inside it; unknown if there is none.
    fn value(&self, name: &str) -> Value<'_>;
}

/// The properties of an event as a jsonb.
pub struct Document<'a> {
    pub whole: Datum,
    /// Its bytes after the header.
    pub bytes: &'a [u8],
}

impl Properties for Document<'_> {
    fn contain(&self, wanted: &KeptJsonb) -> bool {
        datum::jsonb_contains(self.whole, wanted.datum())
    }

    fn value(&self, name: &str) -> Value<'_> {
        let model = encoding::string_to_model;
        let Some(root) = jsonb::root(self.bytes) else { return Value::Unknown };
        let found = document::find(&root, &[model(name)]).or_else(|| {
            let parsed = Attribute::parse(name).ok()?;
            let path: Vec<_> = parsed.path.iter().map(|key| model(key)).collect();
            document::find(&document::find(&root, &[model(&parsed.column)])?, &path)
        });
        found.map_or(Value::Unknown, |node| document::value(&node))
    }
}

/// An event and the goals that wait for its name and properties.
struct Occurrence<'a> {
    awaited: SmallVec<[&'a Awaited; 4]>,
    properties: Option<&'a dyn Properties>,
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

    /// The property that the worth was taken from.
    fn new_value(&self, goal_id: i32) -> Option<Datum> {
        self.property(goal_id).and_then(|value| datum::as_json(&value))
    }

    fn worth(&self, goal_id: i32) -> Option<Decimal> {
        let property = self.property(goal_id)?;
        property.number().filter(|number| number.is_summable()).map(Cow::into_owned)
    }
}

impl Occurrence<'_> {
    fn property(&self, goal_id: i32) -> Option<Value<'_>> {
        let name = self.goal(goal_id)?.value_from.as_deref()?;
        Some(self.properties?.value(name))
    }
}

/// The goals that wait for an event of this name with these properties.
fn awaited<'a>(
    setup: &'a Setup,
    users: i32,
    event: &str,
    properties: Option<&dyn Properties>,
) -> SmallVec<[&'a Awaited; 4]> {
    let fits = |awaited: &&Awaited| match (&awaited.properties, properties) {
        (None, _) => true,
        (Some(wanted), Some(given)) => given.contain(wanted),
        (Some(_), None) => false,
    };
    setup.event_goals(users, event).iter().filter(fits).collect()
}

/// Records matches for an event. `properties`: None for NULL.
pub fn occurred(statement: Statement, happening: Happening, event: &str, properties: Option<&dyn Properties>) {
    with_current_setup(|| {
        let Some(setup) = cache::setup() else { return Outcome::Done };
        let awaited = awaited(&setup, happening.users, event, properties);
        if awaited.is_empty() {
            return Outcome::Done;
        }
        matches::record_matches(statement, happening, &Occurrence { awaited, properties })
    });
}

/// An event that is recorded later. What its goals ask for has been read.
pub struct Kept {
    goals: Vec<(Rc<Goal>, Option<KeptJsonb>, Option<Decimal>)>,
    reach: Reach,
}

impl Kept {
    /// None if no goal waits for the event.
    pub fn of(setup: &Setup, users: i32, event: &str, properties: Option<&dyn Properties>) -> Option<Kept> {
        let awaited = awaited(setup, users, event, properties);
        let occurrence = Occurrence { awaited, properties };
        let goals = occurrence.awaited.iter().flat_map(|awaited| &awaited.goals);
        let goals: Vec<_> = goals
            .map(|goal| {
                let value = occurrence.new_value(goal.id).map(KeptJsonb::of_datum);
                (goal.clone(), value, occurrence.worth(goal.id))
            })
            .collect();
        (!goals.is_empty()).then(|| Kept { goals, reach: occurrence.reach() })
    }

    /// Records matches for it.
    pub fn occurred(&self, statement: Statement, happening: Happening) {
        with_current_setup(|| matches::record_matches(statement, happening, self));
    }

    fn find(&self, goal_id: i32) -> Option<&(Rc<Goal>, Option<KeptJsonb>, Option<Decimal>)> {
        self.goals.iter().find(|(goal, ..)| goal.id == goal_id)
    }
}

impl Evidence for Kept {
    fn reach(&self) -> Reach {
        self.reach
    }

    fn goal(&self, goal_id: i32) -> Option<&Goal> {
        self.find(goal_id).map(|(goal, ..)| &**goal)
    }

    fn gained(&self, _goal_id: i32, _baseline: Option<&Decimal>) -> bool {
        true
    }

    fn old_value(&self, _goal_id: i32) -> Option<Datum> {
        None
    }

    fn new_value(&self, goal_id: i32) -> Option<Datum> {
        Some(self.find(goal_id)?.1.as_ref()?.datum())
    }

    fn worth(&self, goal_id: i32) -> Option<Decimal> {
        self.find(goal_id)?.2.clone()
    }
}
