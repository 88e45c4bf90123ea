//! Reporting what happened to messages in sets. What cannot be placed is left out and named; it never fails the set.

use super::{not_recorded, reported_time};
use crate::matching::engagements::{KINDS, Latest, Report, engage, is_withdrawn, latest};
use crate::matching::person::{self, Person};
use crate::matching::records::{Sent, all_by_reference, receipt_and_key, receipts_by_id, visit_given};
use crate::model::epoch;
use crate::model::error::{Error, Result};
use crate::model::jsonb::{self, Node};
use crate::model::reference::{GIVEN, reference};
use crate::model::skipped::Skipped;
use crate::model::untyped;
use crate::model::value::Value;
use crate::pg::append;
use crate::pg::call::{Args, Out};
use crate::pg::datum;
use crate::pg::encoding;
use crate::pg::kept_open::{self, Probes, Statement};
use crate::pg::key::{self, KeyType};
use crate::pg::literal;
use crate::pg::memory;
use crate::pg::scan::OwnedProbe;
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::pg::user_lookup::Users;
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Message, Setup, in_one_place};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

/// The most receipts with one ref that are looked at to find the one that is meant.
const MOST_OF_A_REF: usize = 1_000;

/// Why an item is not recorded.
enum Fault {
    /// It is left out: the reason, and the text that it is about.
    Skipped(&'static str, Option<String>),
    /// The user has no receipt of the message; the key of its users table, and the user's key.
    NoReceipt(i32, Vec<u8>),
    /// The call fails.
    Raised(Error),
}

type Placed<T> = std::result::Result<T, Fault>;

fn skipped<T>(reason: &'static str, about: Option<&Node>) -> Placed<T> {
    Err(Fault::Skipped(reason, about.map(shown)))
}

/// A value for the caller to find the item by: the beginning of its text.
fn shown(node: &Node) -> String {
    match text(node) {
        Some(text) => key::shown(&text),
        None if node.is_object() => "{...}".into(),
        None if node.is_container() => "[...]".into(),
        None => match node.value() {
            Value::Boolean(value) => value.to_string(),
            _ => "null".into(),
        },
    }
}

/// A text, or the digits of a number, in the server's encoding; None for any other value.
fn text(node: &Node) -> Option<Vec<u8>> {
    match node.value() {
        Value::Text(text) => Some(memory::copied(&text)),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        _ => None,
    }
}

/// The value under a key of an item; None also for null.
fn given<'a>(item: &Node<'a>, key: &str) -> Option<Node<'a>> {
    item.key(key.as_bytes()).filter(|node| !node.is_unknown())
}

/// What an item reports, without its receipt.
fn report(item: &Node) -> Placed<Report> {
    let Some(kind) = given(item, "kind") else { return skipped("no kind", None) };
    let named = |kind: &Node| {
        let name = text(kind)?;
        KINDS.iter().find(|(known, _)| known.as_bytes() == &*name).map(|(_, kind)| *kind)
    };
    let Some(kind) = named(&kind) else { return skipped("unknown kind", Some(&kind)) };
    let machine = match given(item, "machine") {
        None => false,
        Some(node) => match node.value() {
            Value::Boolean(machine) => machine,
            _ => return skipped("invalid machine", Some(&node)),
        },
    };
    let at = match given(item, "at") {
        None => datum::clock(),
        Some(node) => match reported_time(time(&node), "at") {
            Ok(at) => at,
            Err(Error::FutureTime { .. }) => return skipped("future time", Some(&node)),
            Err(_) => return skipped("invalid time", Some(&node)),
        },
    };
    Ok(Report { kind, at, machine })
}

/// The time that a value means: seconds since 1970, or a time as text.
fn time(node: &Node) -> Option<i64> {
    let text = encoding::to_string(&text(node)?);
    epoch::from_seconds(&text).or_else(|| literal::time_if_valid(&text))
}

/// What a set of reports is placed by.
struct Set<'a> {
    setup: &'a Setup,
    probes: &'a mut Probes,
    /// By id.
    receipts: OwnedProbe,
    /// By the id of a users table; None where it has been dropped or has lost its key.
    key_types: HashMap<i32, Option<KeyType>>,
    users: HashMap<i32, Option<Users>>,
    /// Which receipts are withdrawn, of those looked at: a set may hold many reports about one.
    withdrawn: HashMap<i64, bool>,
}

impl<'a> Set<'a> {
    /// None if a table cannot be used. What is opened here lasts as long as the set.
    fn new(setup: &'a Setup, probes: &'a mut Probes) -> Option<Set<'a>> {
        probes.receipts_and_engagements()?;
        probes.engagement_log()?;
        probes.receipts_by_row();
        probes.references_by_row();
        probes.prepare_hand_overs();
        let receipts = receipts_by_id(&setup.tables)?;
        Some(Set {
            setup,
            probes,
            receipts,
            key_types: HashMap::new(),
            users: HashMap::new(),
            withdrawn: HashMap::new(),
        })
    }

    fn record(&mut self, item: &Node) -> Placed<()> {
        if !item.is_object() {
            return skipped("not an object", Some(item));
        }
        let report = report(item)?;
        let sent = self.place(item, report.at)?;
        let message = sent.message_id(self.setup).and_then(|id| self.setup.message_by_id(id));
        let log = self.probes.engagement_log().ok_or_else(|| Fault::Raised(not_recorded()))?;
        if engage(log, &self.setup.tables, message.as_deref(), sent, report) {
            Ok(())
        } else {
            Err(Fault::Raised(not_recorded()))
        }
    }

    /// The receipt that an item names.
    fn place(&mut self, item: &Node, at: i64) -> Placed<Sent> {
        let (message, user) = (given(item, "message"), given(item, "user"));
        let (sent, about) = match (given(item, "receipt"), given(item, "ref"), &message, &user) {
            (Some(receipt), ..) => (self.by_id(&receipt)?, receipt),
            (None, Some(name), ..) => (self.by_ref(&name, message.as_ref(), user.as_ref())?, name),
            (None, None, Some(message), Some(user)) => return self.latest(message, user, at),
            (None, None, Some(message), None) => return skipped("no user", Some(message)),
            (None, None, None, Some(user)) => return skipped("no message", Some(user)),
            (None, None, None, None) => return skipped("no receipt named", None),
        };
        self.key_type(sent.users, &about)?;
        if sent.is_entry {
            return skipped("programme", Some(&about));
        }
        let message = sent.message_id(self.setup).and_then(|id| self.setup.message_by_id(id));
        if message.is_some_and(|message| message.is_control(sent.variant)) {
            return skipped("control group", Some(&about));
        }
        Ok(sent)
    }

    fn by_id(&mut self, receipt: &Node) -> Placed<Sent> {
        let id = text(receipt).and_then(|digits| untyped::receipt_id(std::str::from_utf8(&digits).ok()?));
        let found = id.and_then(|id| receipt_and_key(&mut self.receipts, &self.setup.tables, id));
        match found {
            Some((sent, _)) if !self.setup.is_dropped(sent.revision, sent.message) => Ok(sent),
            _ => skipped("unknown receipt", Some(receipt)),
        }
    }

    /// The receipt for which a caller gave this ref; of several of one user and message the first that was sent.
    fn by_ref(&mut self, of: &Node, message: Option<&Node>, user: Option<&Node>) -> Placed<Sent> {
        let Some(name) = text(of) else { return skipped("unknown ref", Some(of)) };
        let reference = reference(GIVEN, [&*encoding::to_model(&name)]);
        let message = message.map(|message| self.message(message)).transpose()?;
        let candidates = match (&message, user) {
            (Some(message), Some(user)) => {
                let key = self.key(message.users, user)?;
                let made = all_by_reference(self.probes, self.setup, message, &key, reference);
                made.ok_or_else(|| Fault::Raised(not_recorded()))?.into_vec()
            }
            _ => self.given_for(of, (&name, reference), message.as_deref(), user)?,
        };
        let first = candidates.first().copied();
        let log = self.probes.engagements().ok_or_else(|| Fault::Raised(not_recorded()))?;
        let known = &mut self.withdrawn;
        let mut was_sent = |sent: &&Sent| candidates.len() == 1 || !is_known_withdrawn(known, log, sent.id);
        match candidates.iter().find(&mut was_sent).copied().or(first) {
            Some(sent) => Ok(sent),
            None => skipped("unknown ref", Some(of)),
        }
    }

    /// The receipts with a ref, in the order in which they were recorded: of this message and user, where they are
    /// given. Those of several users or messages are skipped.
    fn given_for(
        &mut self,
        of: &Node,
        (name, reference): (&[u8], i64),
        message: Option<&Message>,
        user: Option<&Node>,
    ) -> Placed<Vec<Sent>> {
        let mut ids = Vec::new();
        let visited = visit_given(self.probes, reference, name, |id| {
            memory::push(&mut ids, id);
            if ids.len() > MOST_OF_A_REF { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        visited.ok_or_else(|| Fault::Raised(not_recorded()))?;
        if ids.len() > MOST_OF_A_REF {
            return skipped("several receipts", Some(of));
        }
        ids.sort_unstable();
        let (mut found, mut is_known): (Vec<Sent>, bool) = (Vec::new(), false);
        let mut whose: Option<(i32, Vec<u8>)> = None;
        for id in ids {
            let Some((sent, key)) = receipt_and_key(&mut self.receipts, &self.setup.tables, id) else { continue };
            let is_of_message = message.is_none_or(|message| sent.is_of(self.setup, message));
            if self.setup.is_dropped(sent.revision, sent.message) {
                continue;
            }
            is_known = true;
            if !is_of_message {
                continue;
            }
            let unread = || Fault::Raised(not_recorded());
            let key = person::of_receipt(self.probes, sent.users, key, id).ok_or_else(unread)?;
            if let Some(user) = user {
                let Ok(given) = self.key(sent.users, user) else { continue };
                if Person::of(self.probes, sent.users, &given, None).ok_or_else(unread)?.key != key {
                    continue;
                }
            }
            let of_first = whose.get_or_insert_with(|| (sent.users, key.clone()));
            let is_other = |first: &Sent| first.message_id(self.setup) != sent.message_id(self.setup);
            if *of_first != (sent.users, key) || found.first().is_some_and(is_other) {
                return skipped("several receipts", Some(of));
            }
            memory::push(&mut found, sent);
        }
        if found.is_empty() && is_known {
            return skipped("ref of another message or user", Some(of));
        }
        Ok(found)
    }

    /// The latest receipt of a user and message.
    fn latest(&mut self, message: &Node, user: &Node, at: i64) -> Placed<Sent> {
        let about = message;
        let message = self.message(message)?;
        if message.is_programme {
            return skipped("programme", Some(about));
        }
        let key = self.key(message.users, user)?;
        let known = &mut self.withdrawn;
        let mut withdrawn = |log: &mut OwnedProbe, id| is_known_withdrawn(known, log, id);
        let latest = latest(self.probes, self.setup, &message, &key, at, &mut withdrawn);
        match latest.ok_or_else(|| Fault::Raised(not_recorded()))? {
            Latest::Of(sent) => Ok(sent),
            Latest::Control(_) => skipped("control group", Some(user)),
            Latest::None | Latest::Withdrawn(_) => Err(Fault::NoReceipt(message.users, key)),
        }
    }

    fn message(&self, named: &Node) -> Placed<Rc<Message>> {
        let name = text(named).map(|name| encoding::to_string(&name));
        match name.and_then(|name| self.setup.message_named(&name)) {
            Some(message) => Ok(message),
            None => skipped("unknown message", Some(named)),
        }
    }

    /// The key of a user in the spelling in which it is stored.
    fn key(&mut self, users: i32, user: &Node) -> Placed<Vec<u8>> {
        let Some(key_type) = self.key_type(users, user)? else { return skipped("users table dropped", Some(user)) };
        match text(user).and_then(|key| key_type.canonical(&key)) {
            Some(key) => Ok(key),
            None => skipped("unknown user", Some(user)),
        }
    }

    fn key_type(&mut self, users: i32, about: &Node) -> Placed<Option<KeyType>> {
        if let Some(known) = self.key_types.get(&users) {
            return Ok(*known);
        }
        let source = self.setup.source(users);
        if source.is_some_and(|source| in_one_place(source.relation).is_err()) {
            return skipped("users in shards", Some(about));
        }
        let key_type = source.and_then(|source| source.key_type().ok());
        memory::insert(&mut self.key_types, users, key_type);
        Ok(key_type)
    }

    /// Opens the table in which it is looked for users without a receipt.
    fn open_users(&mut self, users: i32) -> Option<&mut Users> {
        let setup = self.setup;
        let open = || setup.source(users).and_then(|source| source.open().ok());
        self.users.entry(users).or_insert_with(open).as_mut()
    }
}

/// True if the receipt is withdrawn; it is looked up once.
fn is_known_withdrawn(known: &mut HashMap<i64, bool>, engagements: &mut OwnedProbe, receipt_id: i64) -> bool {
    if let Some(withdrawn) = known.get(&receipt_id) {
        return *withdrawn;
    }
    let withdrawn = is_withdrawn(engagements, receipt_id);
    memory::insert(known, receipt_id, withdrawn);
    withdrawn
}

/// Records the items in the order given, and returns how many.
fn record_all<'a>(setup: &Setup, items: impl Iterator<Item = Node<'a>>, left_out: &mut Skipped) -> Result<i64> {
    let recorded = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        let mut set = Set::new(setup, probes)?;
        let scratch = Scratch::new();
        let mut recorded = 0;
        for (i, item) in items.enumerate() {
            check_for_interrupts();
            let (reason, value) = match scratch.run(|| set.record(&item)) {
                Ok(()) => {
                    recorded += 1;
                    continue;
                }
                Err(Fault::Raised(error)) => return Some(Err(error)),
                Err(Fault::Skipped(reason, value)) => (reason, value),
                Err(Fault::NoReceipt(users, key)) => {
                    // Opened here: the memory of an item is freed after it.
                    let there = set.open_users(users).map(|users| scratch.run(|| users.find(&key, |_, _, _| ())));
                    let is_unknown = there.flatten() == Some(false);
                    (if is_unknown { "unknown user" } else { "no receipt at that time" }, Some(key::shown(&key)))
                }
            };
            memory::made(left_out.add(Some(i), reason, value.as_deref()));
        }
        Some(Ok(recorded))
    });
    recorded.unwrap_or_else(|| Err(not_recorded()))
}

/// goals.record_engagements(items): how many were recorded, and those left out.
pub fn record_engagements(args: &Args) -> Result<Out> {
    append::refuse_if_read_only();
    let setup: Rc<Setup> = required_setup()?;
    let items = args.jsonb_bytes(0);
    let mut left_out = Skipped::default();
    let recorded = match items.as_deref().and_then(jsonb::root).and_then(|items| items.elements()) {
        Some(items) => record_all(&setup, items, &mut left_out)?,
        None => {
            memory::made(left_out.add(None, "not an array", None));
            0
        }
    };
    Ok(Out::Record(vec![Out::Bigint(recorded), Out::Jsonb(memory::made(left_out.into_json()))]))
}
