//! Reading the set-up from its tables.

use super::definitions::{
    Awaited, ColumnNote, GivenMessage, Goal, Message, Reach, Revision, Setup, Source, Variant, table_beside,
};
use crate::model::operator::Operator;
use crate::pg::datum::Row;
use crate::pg::own_tables::columns::{goal_stop, revision, variant};
use crate::pg::own_tables::{OwnTables, Table};
use crate::pg::{invalidate, memory, scan};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

/// Why the set-up has not been read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// The extension is not installed, or one of its tables cannot be used.
    Lacking,
    /// A table is locked for longer than a trigger waits.
    Locked,
}

/// By id, or the newest by message.
type Revisions = HashMap<i32, Rc<Revision>>;
/// By message, each with whether it is the control group.
type Variants = HashMap<i32, Vec<(Variant, bool)>>;
/// By name.
type Messages = HashMap<String, Rc<Message>>;
/// By a message's id, the source of its users.
type UsersOfMessage = HashMap<i32, i32>;
/// By source of users and event name.
type Events = HashMap<i32, HashMap<String, Vec<Awaited>>>;

/// Reads the newest committed set-up.
pub fn read_setup() -> Result<Setup, Unread> {
    let tables =
        OwnTables::find().map_err(|lacking| if lacking.is_locked() { Unread::Locked } else { Unread::Lacking })?;
    invalidate::setup_is_being_read(tables.revision, &tables.oids());

    let sources = agreed(|| read_sources(tables.source))?;
    let stopped = read_stopped(tables.goal_stop)?;
    // Read before the goals: a goal is committed together with the revision that first names it.
    let given = read_revisions(tables.revision)?;
    let goals = read_goals(tables.goal, &stopped, &given)?;
    let (revisions, newest) = build_revisions(given, &goals);
    let variants = read_variants(tables.variant)?;
    let given = agreed(|| read_messages(tables.message))?;
    let (messages, users_of_message) = build_messages(given, &newest, variants);
    let events = build_events(&goals, &users_of_message);
    let beside = find_beside(&sources, &goals, &users_of_message);
    // Without it only renamed columns are not found.
    let notes = tables.column_note.and_then(|table| agreed(|| read_notes(table)).ok()).unwrap_or_default();
    let known_as = messages.values().filter_map(|m| Some((m.known_as.clone()?, m.clone()))).collect();
    let programmes = messages.values().filter(|m| m.is_programme).map(|m| (m.id, m.clone())).collect();
    Ok(Setup {
        tables,
        sources,
        messages,
        goals,
        revisions,
        notes,
        known_as,
        programmes,
        users_of_message,
        beside,
        events,
    })
}

/// Calls `row` with every row of a table of the set-up.
fn each(table: Table, mut row: impl FnMut(&Row)) -> Result<(), Unread> {
    let table = table.open_to_read().ok_or(Unread::Locked)?;
    scan::visit_all(&table, |r| {
        memory::check();
        row(r);
        ControlFlow::Continue(())
    });
    Ok(())
}

/// What a scan of goals.source, goals.message or goals.column_note shows. Their rows are updated, unlike those of the
/// other tables. A scan of the newest state can pass the new version before the update is committed and the old one
/// after it, and so show neither or both. It is repeated until two scans in a row agree: a commit during one scan is
/// seen by the next.
fn agreed<T: PartialEq>(scan: impl Fn() -> Result<T, Unread>) -> Result<T, Unread> {
    const AT_MOST: usize = 10;
    let mut shown = scan()?;
    for _ in 0..AT_MOST {
        let before = std::mem::replace(&mut shown, scan()?);
        if before == shown {
            break;
        }
    }
    Ok(shown)
}

fn read_sources(table: Table) -> Result<Vec<Rc<Source>>, Unread> {
    let mut sources = Vec::new();
    each(table, |row| {
        memory::room(&mut sources, 1);
        sources.push(Rc::new(Source::read(row, table.places())));
    })?;
    Ok(sources)
}

fn read_notes(table: Table) -> Result<Vec<ColumnNote>, Unread> {
    let mut notes = Vec::new();
    each(table, |row| {
        memory::room(&mut notes, 1);
        notes.push(ColumnNote::read(row));
    })?;
    Ok(notes)
}

/// A row of goals.revision: id, message id, and goal ids in ascending order.
type GivenRevision = (i32, i32, Vec<i32>);

fn read_revisions(table: Table) -> Result<Vec<GivenRevision>, Unread> {
    let mut given: Vec<GivenRevision> = Vec::new();
    each(table, |row| {
        let mut goals = row.integers(revision::goal_ids);
        goals.sort_unstable();
        memory::room(&mut given, 1);
        let id = row.integer(revision::revision_id).unwrap_or(0);
        given.push((id, row.integer(revision::message_id).unwrap_or(0), goals));
    })?;
    Ok(given)
}

/// The ids of goals that have been stopped, ascending.
fn read_stopped(table: Table) -> Result<Vec<i32>, Unread> {
    let mut stopped = Vec::new();
    each(table, |row| stopped.extend(row.integer(goal_stop::goal_id)))?;
    stopped.sort_unstable();
    Ok(stopped)
}

fn read_goals(table: Table, stopped: &[i32], revisions: &[GivenRevision]) -> Result<HashMap<i32, Rc<Goal>>, Unread> {
    memory::ensure(revisions.iter().map(|(_, _, goals)| 4 * size_of::<i32>() * goals.len()).sum());
    let judged: HashSet<i32> = revisions.iter().flat_map(|(_, _, goals)| goals).copied().collect();
    let mut goals = HashMap::new();
    each(table, |row| {
        let goal = Goal::read(row, |id| judged.contains(&id) && stopped.binary_search(&id).is_err());
        memory::insert(&mut goals, goal.id, Rc::new(goal));
    })?;
    Ok(goals)
}

/// All revisions by id, and the newest revision of each message by message id.
fn build_revisions(given: Vec<GivenRevision>, goals: &HashMap<i32, Rc<Goal>>) -> (Revisions, Revisions) {
    memory::ensure(given.len() * 4 * size_of::<(i32, Rc<Revision>)>());
    let mut revisions = Revisions::new();
    let mut newest = Revisions::new();
    for (id, message_id, ids) in given {
        let by_gain = |id: &i32| goals.get(id).is_some_and(|g| g.operator == Some(Operator::IsIncreasedBy));
        let baselines = ids.iter().copied().filter(by_gain).collect();
        let revision = Rc::new(Revision { id, message_id, goals: ids, baselines });
        let of_message = newest.entry(message_id).or_insert_with(|| revision.clone());
        if of_message.id < id {
            *of_message = revision.clone();
        }
        memory::insert(&mut revisions, id, revision);
    }
    (revisions, newest)
}

/// The variants by message id, each with whether it is the control group.
fn read_variants(table: Table) -> Result<Variants, Unread> {
    let mut variants = Variants::new();
    each(table, |row| {
        let of_message = variants.entry(row.integer(variant::message_id).unwrap_or(0)).or_default();
        of_message.push((Variant::read(row), row.byte(variant::is_control) != 0));
    })?;
    Ok(variants)
}

/// The messages that have not been dropped.
fn read_messages(table: Table) -> Result<Vec<GivenMessage>, Unread> {
    let mut given = Vec::new();
    each(table, |row| {
        if let Some(message) = GivenMessage::read(row, table.places()) {
            memory::room(&mut given, 1);
            given.push(message);
        }
    })?;
    Ok(given)
}

/// The messages by name, and the users table of each by message id.
fn build_messages(given: Vec<GivenMessage>, newest: &Revisions, mut variants: Variants) -> (Messages, UsersOfMessage) {
    let mut messages = HashMap::new();
    let mut users_of_message = HashMap::new();
    for GivenMessage { id, name, seed, known_as, users, one_off, is_programme, parent, engagement_after } in given {
        memory::insert(&mut users_of_message, id, users);
        let Some(revision) = newest.get(&id) else { continue };
        let mut all = variants.remove(&id).unwrap_or_default();
        all.sort_by_key(|(v, _)| v.id);
        let message = Message {
            id,
            name: name.clone(),
            seed: seed.unwrap_or_else(|| name.clone()),
            known_as,
            users,
            one_off,
            is_programme,
            parent,
            engagement_after,
            control: all.iter().find(|(_, control)| *control).map(|(v, _)| v.clone()),
            variants: all.into_iter().filter(|(_, control)| !control).map(|(v, _)| v).collect(),
            revision: revision.clone(),
        };
        memory::insert(&mut messages, name, Rc::new(message));
    }
    (messages, users_of_message)
}

/// The goals on attributes in a table beside the users table, with its source.
fn find_beside(
    sources: &[Rc<Source>],
    goals: &HashMap<i32, Rc<Goal>>,
    users_of_message: &UsersOfMessage,
) -> HashMap<i32, i32> {
    let mut beside = HashMap::new();
    if !sources.iter().any(|source| source.kind == "attributes") {
        return beside;
    }
    for goal in goals.values() {
        if let (Some(attribute), Some(users)) = (&goal.attribute, users_of_message.get(&goal.message_id))
            && let Some((source, _)) = table_beside(sources, *users, attribute)
        {
            memory::insert(&mut beside, goal.id, source.id);
        }
    }
    beside
}

/// The live goals on events by users table and event name, grouped by the properties they require.
fn build_events(goals: &HashMap<i32, Rc<Goal>>, users_of_message: &UsersOfMessage) -> Events {
    // The result is no larger than the goals.
    memory::ensure(goals.len() * size_of::<(Goal, Awaited)>());
    let mut waiting: Vec<&Rc<Goal>> = goals.values().filter(|g| g.event.is_some() && g.live).collect();
    waiting.sort_unstable_by_key(|g| g.id);
    let mut events: Events = HashMap::new();
    for goal in waiting {
        if let (Some(event), Some(users)) = (&goal.event, users_of_message.get(&goal.message_id)) {
            let awaited = events.entry(*users).or_default().entry(event.clone()).or_default();
            match awaited.iter_mut().find(|a| a.properties == goal.properties) {
                Some(same) => {
                    same.reach = same.reach.and(goal);
                    same.goals.push(goal.clone());
                }
                None => awaited.push(Awaited {
                    properties: goal.properties.clone(),
                    goals: vec![goal.clone()],
                    reach: Reach::NONE.and(goal),
                }),
            }
        }
    }
    events
}
