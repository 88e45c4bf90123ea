//! The trigger on the application's table of campaigns: a row is a message, made when it is inserted or begins to count,
//! and a change of its name is one of the message's. A row that is deleted keeps its message, and is the same message if
//! it is inserted again.

use super::is_on;
use super::mirrored::is_read_above;
use crate::matching::campaigns::{Logs, Reader, Seen};
use crate::matching::records;
use crate::pg::datum::Row;
use crate::pg::kept_open;
use crate::pg::trigger::{Change, Trigger};
use crate::pg::{append, encoding, later_versions, relation};
use crate::setup::cache;
use crate::setup::campaigns::TOO_MANY;
use crate::setup::definitions::Setup;
use pgrx::pg_sys::Oid;
use std::cell::RefCell;
use std::rc::Rc;

/// A trigger, the set-up, and how its table is read under that.
type LastReader = (Oid, Rc<Setup>, Option<Rc<Reader>>);

thread_local! {
    /// How the table whose trigger fired last is read, and under which set-up.
    static READER: RefCell<Option<LastReader>> = const { RefCell::new(None) };
}

/// Handles a row of a tracked table of campaigns.
pub fn on_message(trigger: &Trigger) {
    if !is_on() || append::is_read_only() {
        return;
    }
    let Some((setup, reader)) = reader(trigger) else { return };
    match trigger.change() {
        Change::Insert(new) => {
            see(trigger, &setup, &reader, &new);
            later_versions::visit(trigger, |_, new| see(trigger, &setup, &reader, new));
        }
        Change::Update(old, new) if reader.concerns(&old, &new) => see(trigger, &setup, &reader, &new),
        // A row that moves to another partition is inserted there.
        Change::Update(..) | Change::MovedAway | Change::Delete(_) => (),
    }
}

fn reader(trigger: &Trigger) -> Option<(Rc<Setup>, Rc<Reader>)> {
    let setup = cache::setup()?;
    let fresh = cache::tables_are_fresh(trigger.relid());
    let known = READER.with_borrow(|r| match r {
        Some((oid, under, reader)) if fresh && *oid == trigger.oid() && Rc::ptr_eq(under, &setup) => {
            Some(reader.clone())
        }
        _ => None,
    });
    let reader = known.unwrap_or_else(|| {
        let source = cache::trigger_source(&setup, trigger, "messages");
        let source = source.filter(|source| !is_read_above(&setup, trigger, source));
        let reader = source.and_then(|source| Reader::of_table(source, &trigger.relation())).map(Rc::new);
        READER.with_borrow_mut(|r| *r = Some((trigger.oid(), setup.clone(), reader.clone())));
        reader
    });
    reader.map(|reader| (setup, reader))
}

fn see(trigger: &Trigger, setup: &Setup, reader: &Reader, row: &Row) {
    let seen = reader.see(setup, row, |write| {
        kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
            let (messages, names) = probes.message_logs()?;
            Some(write(Logs { messages, names }))
        })
    });
    if seen == Some(Seen::TooMany)
        && let Some(source) = cache::trigger_source(setup, trigger, "messages")
    {
        let name = relation::qualified_name(source.relation);
        kept_open::with_probes(trigger.statement(), &setup.tables, |probes| {
            let (ignored, _) = probes.ignored()?;
            records::note(ignored, setup.tables.ignored, source.id, TOO_MANY, &encoding::from_string(&name));
            Some(())
        });
    }
}
