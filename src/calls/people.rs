//! Two users that turn out to be one person, and which receipts are those of a person.

use super::not_recorded;
use crate::matching::engagements::{Engagement, Report, engage};
use crate::matching::hand_over;
use crate::matching::person::{Person, Spell};
use crate::matching::records::{self, Sent};
use crate::model::error::{Error, Result};
use crate::pg::call::{Args, Out};
use crate::pg::kept_open::{self, Probes, Statement};
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::pg::spi::{self, Arg};
use crate::pg::{append, datum, errors, key, memory};
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Setup, Source};
use std::collections::{BTreeSet, HashMap};

/// goals.merge_users(from_key, into_key, users): makes two users one person; returns how many receipts are handed over.
pub fn merge_users(args: &Args) -> Result<Out> {
    let named = |i, name| args.user_key(i).map_err(|_| Error::NullArgument { name });
    let (from_key, into_key) = (named(0, "from_key")?, named(1, "into_key")?);
    append::begin();
    let setup = required_setup()?;
    let users = setup.users_table(args.relation(2))?;
    let key_type = users.key_type()?;
    let canonical = |key: &[u8]| key_type.canonical(key).ok_or_else(|| users.unknown(key));
    let (from_key, into_key) = (canonical(&from_key)?, canonical(&into_key)?);
    must_be_there(&users, &into_key)?;
    // Merges of users of one table wait for each other: what two do at the same moment would not fit together.
    setup.tables.as_owner(|| {
        spi::run("SELECT FROM goals.source WHERE source_id = $1 FOR UPDATE", &[Arg::Integer(Some(users.id))]);
    });
    let merged = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        let from = Person::of(probes, users.id, &from_key, None)?;
        let into = Person::of(probes, users.id, &into_key, None)?;
        if from.key == into.key {
            return Some(Some((0, BTreeSet::new())));
        }
        let (of_from, of_into) = (arms_of(probes, &setup, users.id, &from)?, arms_of(probes, &setup, users.id, &into)?);
        let is_known = of_from.receipts > 0 || *from.key != *from_key || !from.is_alone();
        if !is_known && !is_there(&users, &from_key) {
            return Some(None);
        }
        hand_over::merge(probes, users.id, &from, &into)?;
        for entry in of_from.later_entries(&of_into) {
            let report = Report::of(Engagement::EnteredBefore, datum::clock());
            engage(probes.engagement_log()?, &setup.tables, None, entry, report).then_some(())?;
        }
        Some(Some((of_from.receipts, of_from.mixed_with(&of_into))))
    });
    let Some((receipts, mixed)) = merged.ok_or_else(not_recorded)? else {
        let shown = key::shown(&from_key);
        errors::notice(
            format!("nothing is known of user \"{shown}\", so there is nothing to merge"),
            Some("Name the account that is given up first, and the one that is left second."),
        );
        return Ok(Out::Bigint(0));
    };
    // A change of that key which was committed since has not handed over what is merged here.
    must_be_there(&users, &into_key)?;
    tell(&setup, &mixed);
    Ok(Out::Bigint(receipts))
}

fn must_be_there(users: &Source, key: &[u8]) -> Result<()> {
    if users.open()?.find(key, |_, _, _| ()) == Some(false) { Err(users.unknown(key)) } else { Ok(()) }
}

fn is_there(users: &Source, key: &[u8]) -> bool {
    must_be_there(users, key).is_ok()
}

/// The receipts of a person, per message the variants of those that are compared, and per programme the entries.
#[derive(Default)]
struct Arms {
    receipts: i64,
    variants: HashMap<i32, BTreeSet<Option<i32>>>,
    entries: HashMap<i32, Vec<Sent>>,
}

impl Arms {
    /// The entries into programmes that do not count once this person is one with another: of both, the first counts.
    fn later_entries(&self, other: &Arms) -> Vec<Sent> {
        let mut later = Vec::new();
        for (programme, own) in &self.entries {
            let Some(others) = other.entries.get(programme) else { continue };
            let mut both: Vec<Sent> = own.iter().chain(others).copied().collect();
            both.sort_unstable_by_key(|entry| (entry.sent_at, entry.id));
            later.extend(both.into_iter().skip(1));
        }
        later
    }

    /// The messages of which this person and another one were in one variant each, and not in the same.
    fn mixed_with(&self, other: &Arms) -> BTreeSet<i32> {
        let one = |variants: &BTreeSet<Option<i32>>| variants.first().copied().filter(|_| variants.len() == 1);
        let mixed = self.variants.iter().filter(|(message, own)| {
            let others = other.variants.get(message).and_then(one);
            one(own).zip(others).is_some_and(|(own, others)| own != others)
        });
        mixed.map(|(message, _)| *message).collect()
    }
}

fn arms_of(probes: &mut Probes, setup: &Setup, users: i32, person: &Person) -> Option<Arms> {
    let mut arms = Arms::default();
    let places = *setup.tables.receipt.places();
    records::visit_receipts_since(probes.receipts()?, users, person, i64::MIN, |row| {
        memory::check();
        let sent = Sent::read(row, &places);
        arms.receipts += 1;
        let Some(message) = sent.message_id(setup) else { return };
        if sent.is_entry {
            // Of both people's entries one counts, with its variant.
            memory::room_in(&mut arms.entries);
            memory::push(arms.entries.entry(message).or_default(), sent);
        } else if !sent.held_out {
            memory::room_in(&mut arms.variants);
            arms.variants.entry(message).or_default().insert(sent.variant);
        }
    });
    Some(arms)
}

/// How many messages a notice names.
const NAMED: usize = 5;

fn tell(setup: &Setup, mixed: &BTreeSet<i32>) {
    let mut names: Vec<String> =
        mixed.iter().filter_map(|id| setup.message_by_id(*id)).map(|message| message.name.clone()).collect();
    if names.is_empty() {
        return;
    }
    names.sort_unstable();
    let count = names.len();
    let (messages, those) = if count == 1 { ("message", "that message") } else { ("messages", "those messages") };
    names.truncate(NAMED);
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    errors::notice(
        format!(
            "the two users were in different variants of {count} {messages}: {}{more}; the comparisons of {those} \
             leave the person out",
            names.join(", ")
        ),
        None,
    );
}

/// goals_internal.spells(users_source_id, of_key): per row a key, and between which ids receipts under it are those of
/// the person who has the key given.
pub fn spells(args: &Args) -> Result<Out> {
    let users = args.integer(0).ok_or(Error::NullArgument { name: "users_source_id" })?;
    let key = args.raw_text(1).ok_or(Error::NullArgument { name: "of_key" })?;
    let setup = required_setup()?;
    let rows = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        let person = Person::of(probes, users, &key, None)?;
        let row =
            |spell: &Spell| vec![Out::Raw(spell.key.to_vec()), Out::Bigint(spell.after), Out::Bigint(spell.up_to)];
        Some(person.spells.iter().map(row).collect())
    });
    Ok(Out::Rows(rows.ok_or_else(not_recorded)?))
}

/// goals_internal.are_users(users_source_id, user_keys): per key whether a user has it.
pub fn are_users(args: &Args) -> Result<Out> {
    let source = args.integer(0).ok_or(Error::NullArgument { name: "users_source_id" })?;
    let keys = args.user_keys(1)?;
    let setup = required_setup()?;
    let mut users = setup.users(source)?.open()?;
    let mut rows = memory::vec(keys.len());
    let scratch = Scratch::new();
    for key in keys.into_iter().flatten() {
        check_for_interrupts();
        // What cannot be looked into may have the user.
        let is_user = scratch.run(|| users.find(&key, |_, _, _| ())) != Some(false);
        rows.push(vec![Out::Raw(key), Out::Boolean(is_user)]);
    }
    Ok(Out::Rows(rows))
}
