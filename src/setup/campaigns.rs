//! Messages that are rows of the application's tables of campaigns, known by (source, id of the row). The set-up holds
//! those only that have goals of their own. Any other is looked up by an index when it is named, in the newest state,
//! and remembered until the set-up is read again: as many as there are cost a backend nothing. What the goals, variants
//! and programme of one are is what they are for the message that it is like.

use super::definitions::{Message, Revision, RowId, Setup};
use crate::model::error::{Error, Result};
use crate::model::nearest::nearest;
use crate::pg::datum::Row;
use crate::pg::own_tables::columns::{message, message_name};
use crate::pg::own_tables::{Index, OwnTables, Table};
use crate::pg::scan::{self, Key};
use crate::pg::{command, encoding, invalidate, memory};
use std::ops::ControlFlow;
use std::rc::Rc;

/// More than these are not remembered.
const REMEMBERED: usize = 10_000;

/// The most messages of one table.
const MOST: usize = 100_000;

/// Why a row of a table of campaigns is no message.
pub const TOO_MANY: &str = "too many messages";

/// A campaign's row in goals.message.
pub struct Campaign {
    pub id: i32,
    pub source: i32,
    pub row_key: String,
    pub users: i32,
    pub like: i32,
    seed: Option<String>,
    pub is_dropped: bool,
    /// True if this transaction has written the row.
    is_new: bool,
}

impl Campaign {
    /// From its row in goals.message; None if that is another message.
    fn read(row: &Row, tables: &OwnTables) -> Option<Campaign> {
        let places = tables.message.places();
        Some(Campaign {
            id: row.integer(message::message_id)?,
            source: row.integer(places.of(message::source_id))?,
            row_key: row.string(places.of(message::row_key))?,
            users: row.integer(message::users_source_id)?,
            like: row.integer(places.of(message::like_message_id))?,
            seed: row.string(places.of(message::seed)),
            is_dropped: row.get(places.of(message::dropped_at)).is_some(),
            is_new: command::of_row(row).is_some(),
        })
    }

    /// The campaign of a row, also if it has been dropped; of several the first. `Some(None)` if there is none; None if the
    /// messages cannot be read.
    pub fn of_row(tables: &OwnTables, source: i32, row_key: &str) -> Option<Option<Campaign>> {
        let keys = [Key::integer(1, source), Key::text(2, &encoding::from_string(row_key))];
        let mut first: Option<Campaign> = None;
        visit(tables.message, tables.message_source_idx, &keys, |row| {
            let found = Campaign::read(row, tables).filter(|c| c.source == source && c.row_key == row_key);
            if let Some(found) = found.filter(|found| first.as_ref().is_none_or(|first| found.id < first.id)) {
                first = Some(found);
            }
            ControlFlow::Continue(())
        })?;
        Some(first)
    }

    /// The campaign with this id of a message, also if it has been dropped.
    pub fn with_id(tables: &OwnTables, id: i32) -> Option<Campaign> {
        let mut found = None;
        visit(tables.message, tables.message_pkey, &[Key::integer(1, id)], |row| {
            if row.integer(message::message_id) != Some(id) {
                return ControlFlow::Continue(());
            }
            found = Campaign::read(row, tables);
            ControlFlow::Break(())
        })?;
        found
    }

    /// The name that its row has, or had last; where there is none, the id.
    pub fn name(&self, tables: &OwnTables) -> String {
        newest_name(tables, self.id).unwrap_or_else(|| self.row_key.clone())
    }
}

/// Calls `see` with the rows that fit, by an index, or with all where that is missing. None if the table cannot be read.
fn visit(table: Table, by: Option<Index>, keys: &[Key], mut see: impl FnMut(&Row) -> ControlFlow<()>) -> Option<()> {
    if let Some(mut probe) = by.and_then(|by| table.search(by, keys.len())) {
        probe.visit(keys, false, see);
    } else {
        scan::visit_all(&table.open_to_read()?, |row| see(row));
    }
    Some(())
}

/// The name that was given last: the index is in the order of the names' ids.
fn newest_name(tables: &OwnTables, message_id: i32) -> Option<String> {
    let table = tables.message_name?;
    let mut newest: Option<(i64, String)> = None;
    let mut see = |row: &Row| {
        let id = row.bigint(message_name::message_name_id);
        let is_of = row.integer(message_name::message_id) == Some(message_id);
        if is_of && newest.as_ref().is_none_or(|(before, _)| *before < id) {
            newest = row.string(message_name::name).map(|name| (id, name));
        }
        is_of
    };
    if let Some(mut probe) = tables.message_name_message_idx.and_then(|by| table.search(by, 1)) {
        probe.visit(&[Key::integer(1, message_id)], true, |row| match see(row) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
    } else {
        scan::visit_all(&table.open_to_read()?, |row| {
            see(row);
            ControlFlow::Continue(())
        });
    }
    newest.map(|(_, name)| name)
}

/// Calls `see` with the ids of campaigns that have or had this name.
fn visit_named(tables: &OwnTables, name: &str, mut see: impl FnMut(i32) -> ControlFlow<()>) {
    let Some(table) = tables.message_name else { return };
    let wanted = encoding::from_string(name);
    let _ = visit(table, tables.message_name_name_idx, &[Key::text(1, &wanted)], |row| {
        match row.integer(message_name::message_id).filter(|_| row.bytes(message_name::name) == Some(&*wanted)) {
            Some(id) => see(id),
            None => ControlFlow::Continue(()),
        }
    });
}

/// The campaign of this id, if it is live and has this name.
fn live_with_name(tables: &OwnTables, id: i32, name: &str) -> Option<Campaign> {
    Campaign::with_id(tables, id).filter(|campaign| !campaign.is_dropped && campaign.name(tables) == name)
}

/// The live campaigns with this name, in the order of their ids.
fn named(tables: &OwnTables, name: &str) -> Vec<Campaign> {
    let mut ids = Vec::new();
    visit_named(tables, name, |id| {
        memory::push(&mut ids, id);
        ControlFlow::Continue(())
    });
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().filter_map(|id| live_with_name(tables, id, name)).collect()
}

/// `name (id)` in its two parts, in each way in which it can be read.
fn parts(name: &str) -> impl Iterator<Item = (&str, &str)> {
    let body = name.strip_suffix(')').unwrap_or_default();
    body.match_indices(" (").map(move |(i, between)| (&body[..i], &body[i + between.len()..]))
}

impl Setup {
    /// True if another message of this name comes first.
    fn is_named_before(&self, campaign: &Campaign, name: &str) -> bool {
        let mut is_named = self.messages.contains_key(name);
        if !is_named {
            visit_named(&self.tables, name, |id| {
                is_named = id < campaign.id && live_with_name(&self.tables, id, name).is_some();
                if is_named { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        }
        is_named
    }

    /// The message that a campaign is, with the goals of this revision, or those of the message that it is like. Its name
    /// is that of its row. Whether another message of this name comes first is only asked where a name is looked up: it
    /// may be that of many.
    pub(super) fn campaign(&self, campaign: &Campaign, own: Option<Rc<Revision>>) -> Option<Rc<Message>> {
        let like = self.by_id.get(&campaign.like)?;
        let name = campaign.name(&self.tables);
        Some(Rc::new(Message {
            id: campaign.id,
            seed: campaign.seed.clone().unwrap_or_else(|| name.clone()),
            name,
            known_as: None,
            users: campaign.users,
            one_off: like.one_off,
            is_programme: false,
            parent: like.parent,
            engagement_after: like.engagement_after,
            variants: like.variants.clone(),
            control: like.control.clone(),
            revision: own.unwrap_or_else(|| like.revision.clone()),
            like: Some(like.id),
        }))
    }

    /// The message of a campaign that has been looked up, remembered from now on.
    fn remembered(&self, campaign: &Campaign) -> Option<Rc<Message>> {
        if campaign.is_dropped {
            return None;
        }
        let message = match self.by_id.get(&campaign.id) {
            Some(held) => held.clone(),
            None => self.campaign(campaign, None)?,
        };
        if campaign.is_new {
            // It is forgotten where the transaction is rolled back.
            invalidate::may_be_rolled_back();
        }
        let mut known = self.campaigns.borrow_mut();
        if known.by_id.len() >= REMEMBERED {
            known.by_row.clear();
            known.by_id.clear();
        }
        memory::insert(&mut known.by_row, (campaign.source, campaign.row_key.clone()), message.clone());
        memory::insert(&mut known.by_id, campaign.id, message.clone());
        Some(message)
    }

    /// The message of a row of a table of campaigns.
    fn campaign_of_row(&self, source: i32, id: &str) -> Option<Rc<Message>> {
        let known = self.campaigns.borrow().by_row.get(&(source, id.to_owned())).cloned();
        known.or_else(|| self.remembered(&Campaign::of_row(&self.tables, source, id)??))
    }

    /// The message of this id.
    pub fn message_by_id(&self, id: i32) -> Option<Rc<Message>> {
        let known = self.by_id.get(&id).cloned().or_else(|| self.campaigns.borrow().by_id.get(&id).cloned());
        known.or_else(|| self.remembered(&Campaign::with_id(&self.tables, id)?))
    }

    /// The message that has this name now.
    pub fn message_named(&self, name: &str) -> Option<Rc<Message>> {
        if let Some(message) = self.messages.get(name) {
            return Some(message.clone());
        }
        if !self.has_campaigns() {
            return None;
        }
        if let Some(first) = named(&self.tables, name).first() {
            return self.remembered(first);
        }
        parts(name).find_map(|(name, id)| {
            let all = named(&self.tables, name);
            let of_id = all.iter().find(|campaign| campaign.row_key == id)?;
            if self.is_named_before(of_id, name) { self.remembered(of_id) } else { None }
        })
    }

    /// [`Setup::message_named`]; an error if there is none.
    pub fn message(&self, name: &str) -> Result<Rc<Message>> {
        self.message_named(name).ok_or_else(|| Error::UnknownMessage {
            // Only the beginning of a name that is too long for a message.
            name: name[..name.floor_char_boundary(1_000)].into(),
            nearest: nearest(name, &self.messages.keys().collect::<Vec<_>>()),
        })
    }

    /// True if a table of campaigns is or was tracked.
    fn has_campaigns(&self) -> bool {
        self.sources.iter().any(|source| source.kind == "messages")
    }

    /// The message that a row of a tracked table means by this id or name.
    pub fn message_of_row(&self, id: RowId) -> Option<Rc<Message>> {
        self.by_id_in_rows(id).or_else(|| self.messages.get(id.text).cloned())
    }

    /// [`Setup::message_of_row`] for a row that may carry the name that the message had when the row was written.
    pub fn message_of_old_row(&self, id: RowId) -> Option<Rc<Message>> {
        self.by_id_in_rows(id).or_else(|| self.message_once_named(id.text).cloned())
    }

    fn by_id_in_rows(&self, id: RowId) -> Option<Rc<Message>> {
        let campaign = id.campaigns.and_then(|source| self.campaign_of_row(source, id.text));
        campaign.or_else(|| {
            let ids = if id.is_exact { &self.exact_ids } else { &self.known_as };
            ids.get(id.text).cloned()
        })
    }

    /// True if a table of campaigns may have one more message, whose id this is. Ids begin at 1, so they are counted only
    /// where there are so many messages in all; again after every tenth, for other sessions make some too.
    pub fn has_room_for_campaign(&self, source: i32, id: i32) -> bool {
        if usize::try_from(id).is_ok_and(|id| id <= MOST) {
            return true;
        }
        let known = self.campaigns.borrow().counted.get(&source).copied();
        let (count, added) = known.filter(|(count, added)| *added < 1_000.max(count / 10)).unwrap_or_else(|| {
            let mut count = 0;
            let _ = visit(self.tables.message, self.tables.message_source_idx, &[Key::integer(1, source)], |row| {
                count += usize::from(Campaign::read(row, &self.tables).is_some_and(|c| c.source == source));
                if count < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            (count, 0)
        });
        let has_room = count + added < MOST;
        self.campaigns.borrow_mut().counted.insert(source, (count, added + usize::from(has_room)));
        has_room
    }
}
