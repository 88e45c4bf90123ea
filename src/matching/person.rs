//! The receipts of a person: those under the user's key, and those handed over when a key changed or people were merged.
//! A row of goals.hand_over says that receipts recorded under from_key with ids up to its bound are now those of
//! into_key. The receipt of an id belongs to the into_key of the row with the smallest bound not below that id, of those
//! with the same bound the newest; without such a row, to the key it was recorded under. So each bound of a key ends a
//! spell. Rows name the person of now: when a person's key changes, every spell of that person is handed over again.

use super::records;
use crate::pg::append;
use crate::pg::command::{self, Command};
use crate::pg::datum::{self, Row};
use crate::pg::kept_open::Probes;
use crate::pg::own_tables::columns::hand_over;
use crate::pg::scan::{self, Key};
use crate::pg::{key, memory};
use pgrx::pg_sys::{self, Oid};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// The bound of a merge: later receipts belong to the other person too.
const FOR_GOOD: i64 = i64::MAX;

/// The receipts that were recorded under a key with ids above `after` and up to `up_to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell<'a> {
    pub key: Cow<'a, [u8]>,
    pub after: i64,
    pub up_to: i64,
}

/// Which receipts are those of a person.
pub struct Person<'a> {
    /// The key by which receipts are handed over to the person.
    pub key: Cow<'a, [u8]>,
    /// In the order of their keys, then of their bounds.
    pub spells: SmallVec<[Spell<'a>; 1]>,
}

impl<'a> Person<'a> {
    /// A person to whom nothing was ever handed over.
    fn alone(key: &'a [u8]) -> Person<'a> {
        let spell = Spell { key: Cow::Borrowed(key), after: 0, up_to: FOR_GOOD };
        Person { key: Cow::Borrowed(key), spells: smallvec![spell] }
    }

    /// The person who has this key, by the hand-overs that were recorded before a command (None: by all). None if the
    /// hand-overs cannot be read now.
    pub fn of(probes: &mut Probes, users: i32, key: &'a [u8], before: Option<Command>) -> Option<Person<'a>> {
        if !probes.has_hand_overs()? {
            return Some(Person::alone(key));
        }
        Person::followed(probes, users, key, before)
    }

    #[cold]
    fn followed(probes: &mut Probes, users: i32, key: &'a [u8], before: Option<Command>) -> Option<Person<'a>> {
        let from_key = Lane::of(probes, users, key, before)?;
        let person = match from_key.merged_into(key) {
            Some(other) => Cow::Owned(memory::copied(other)),
            None => Cow::Borrowed(key),
        };
        let own = if *person == *key { from_key } else { Lane::of(probes, users, &person, before)? };
        let mut spells = SmallVec::new();
        if own.merged_into(&person).is_none() {
            let after = own.last_finite();
            push(&mut spells, Spell { key: person.clone(), after, up_to: FOR_GOOD });
        }
        for from in givers(probes, users, &person, before)? {
            let lane = if *from == *person {
                Cow::Borrowed(&own)
            } else {
                Cow::Owned(Lane::of(probes, users, &from, before)?)
            };
            let mut after = 0;
            for end in &lane.ends {
                let is_own = end.bound == FOR_GOOD && *from == *person;
                if *end.into == *person && !is_own {
                    push(&mut spells, Spell { key: Cow::Owned(memory::copied(&from)), after, up_to: end.bound });
                }
                after = end.bound;
            }
        }
        spells.sort_by(|a, b| (&a.key, a.after).cmp(&(&b.key, b.after)));
        Some(Person { key: person, spells: joined(spells) })
    }

    /// True if the receipt of this key and id is one of the person's.
    pub fn has(&self, key: &[u8], id: i64) -> bool {
        self.spells.iter().any(|spell| spell.after < id && id <= spell.up_to && *spell.key == *key)
    }

    /// The keys under which receipts of the person may have been recorded.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let first_of_key = |i: &usize| *i == 0 || self.spells[*i - 1].key != self.spells[*i].key;
        (0..self.spells.len()).filter(first_of_key).map(|i| &*self.spells[i].key)
    }

    /// The only key of the person; None if there are several.
    pub fn only_key(&self) -> Option<&[u8]> {
        let mut keys = self.keys();
        keys.next().filter(|_| keys.next().is_none())
    }

    /// True if every receipt under the person's only key is one of the person's.
    pub fn is_alone(&self) -> bool {
        matches!(self.spells.as_slice(), [Spell { after: 0, up_to: FOR_GOOD, .. }])
    }
}

fn push<T>(items: &mut SmallVec<[T; 1]>, item: T) {
    memory::room_in_small(items);
    items.push(item);
}

/// Spells of one key that follow each other, as one.
fn joined<'a>(spells: SmallVec<[Spell<'a>; 1]>) -> SmallVec<[Spell<'a>; 1]> {
    let mut all: SmallVec<[Spell<'a>; 1]> = SmallVec::new();
    for spell in spells {
        match all.last_mut() {
            Some(last) if last.key == spell.key && last.up_to == spell.after => last.up_to = spell.up_to,
            _ => push(&mut all, spell),
        }
    }
    all
}

/// A row of goals.hand_over.
#[derive(Clone)]
struct HandOver {
    id: i64,
    from: Vec<u8>,
    into: Vec<u8>,
    bound: i64,
    /// The command that recorded it, if it was one of this transaction.
    command: Option<Command>,
}

impl HandOver {
    fn read(row: &Row) -> HandOver {
        let bytes = |column| memory::copied(row.bytes(column).unwrap_or_default());
        HandOver {
            id: row.bigint(hand_over::hand_over_id),
            from: bytes(hand_over::from_key),
            into: bytes(hand_over::into_key),
            bound: row.bigint(hand_over::receipt_id),
            command: command::of_row(row),
        }
    }

    fn was_before(&self, command: Option<Command>) -> bool {
        command.is_none_or(|command| self.command.is_none_or(|recorded| recorded < command))
    }
}

/// A column of goals.hand_over by which rows are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    From,
    Into,
}

/// The hand-overs from or into a key; None if they cannot be read now.
fn hand_overs(probes: &mut Probes, users: i32, by: By, key: &[u8]) -> Option<Vec<HandOver>> {
    let mut found = Vec::new();
    let is_indexed = match by {
        By::From => probes.tables().hand_over_from_idx.is_some(),
        By::Into => probes.tables().hand_over_into_idx.is_some(),
    };
    if !is_indexed {
        let column = if by == By::From { hand_over::from_key } else { hand_over::into_key };
        scan::visit_all(probes.hand_over()?, |row| {
            if row.integer(hand_over::users_source_id) == Some(users) && row.bytes(column) == Some(key) {
                memory::push(&mut found, HandOver::read(row));
            }
            ControlFlow::Continue(())
        });
        return Some(found);
    }
    let index = if by == By::From { probes.hand_overs_from()? } else { probes.hand_overs_into()? };
    let conditions = [
        Key {
            attribute: 1,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_INT4EQ,
            value: users.into(),
            collation: Oid::INVALID,
        },
        Key {
            attribute: 2,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_TEXTEQ,
            value: datum::text(key),
            collation: pg_sys::C_COLLATION_OID,
        },
    ];
    index.visit(&conditions, false, |row| {
        memory::push(&mut found, HandOver::read(row));
        ControlFlow::Continue(())
    });
    Some(found)
}

/// The end of a spell, and whose the spell is.
#[derive(Clone)]
struct End {
    bound: i64,
    into: Vec<u8>,
}

/// The spells of one key, in order.
#[derive(Clone)]
struct Lane {
    ends: Vec<End>,
}

impl Lane {
    fn of(probes: &mut Probes, users: i32, key: &[u8], before: Option<Command>) -> Option<Lane> {
        let mut rows = hand_overs(probes, users, By::From, key)?;
        rows.retain(|row| row.was_before(before));
        Some(Lane::of_rows(rows))
    }

    /// Of the rows with the same bound the newest counts.
    fn of_rows(mut rows: Vec<HandOver>) -> Lane {
        rows.sort_unstable_by_key(|row| (row.bound, std::cmp::Reverse(row.id)));
        rows.dedup_by_key(|row| row.bound);
        Lane { ends: rows.into_iter().map(|row| End { bound: row.bound, into: row.into }).collect() }
    }

    /// The person that this key was merged into; None if it is a person's own.
    fn merged_into(&self, key: &[u8]) -> Option<&[u8]> {
        self.ends.last().filter(|end| end.bound == FOR_GOOD && end.into != key).map(|end| end.into.as_slice())
    }

    /// The last bound but for that of a merge; 0 if there is none.
    fn last_finite(&self) -> i64 {
        self.ends.iter().rev().map(|end| end.bound).find(|bound| *bound != FOR_GOOD).unwrap_or(0)
    }

    fn whose(&self, bound: i64) -> Option<&[u8]> {
        self.ends.iter().find(|end| end.bound == bound).map(|end| end.into.as_slice())
    }
}

/// The keys of which something was handed over to a person, each once.
fn givers(probes: &mut Probes, users: i32, person: &[u8], before: Option<Command>) -> Option<Vec<Vec<u8>>> {
    let mut rows = hand_overs(probes, users, By::Into, person)?;
    rows.retain(|row| row.was_before(before));
    let mut keys: Vec<Vec<u8>> = rows.into_iter().map(|row| row.from).collect();
    keys.sort_unstable();
    keys.dedup();
    Some(keys)
}

/// A hand-over to be appended: from, into, bound.
type Planned = (Vec<u8>, Vec<u8>, i64);

/// Appends hand-overs; None if the table did not take them.
fn append(probes: &mut Probes, users: i32, planned: Vec<Planned>) -> Option<()> {
    let ids = probes.tables().hand_over_id_seq?;
    for (from, into, bound) in planned {
        let row = hand_over::New {
            hand_over_id: Some(append::next_id(ids)?.into()),
            users_source_id: Some(users.into()),
            from_key: Some(datum::text(&from)),
            into_key: Some(datum::text(&into)),
            receipt_id: Some(bound.into()),
            at: Some(datum::clock().into()),
        };
        if !probes.hand_over_log()?.append(row.values(), &[]) {
            return None;
        }
    }
    Some(())
}

/// Opens everything that is written to, so that nothing is handed over in part.
fn open_logs(probes: &mut Probes) -> Option<()> {
    probes.tables().hand_over_id_seq?;
    probes.receipts()?;
    probes.hand_over_log()?;
    probes.has_hand_overs().map(|_| ())
}

/// How many receipts of a key are looked at to find one that has not been handed over. Beyond that there is taken to be
/// one: then a hand-over of nothing is recorded.
const LOOKED_AT: usize = 1000;

/// True if receipts of this key have been recorded with ids above `after`.
fn has_receipts(probes: &mut Probes, users: i32, key: &[u8], after: i64) -> Option<bool> {
    let (mut found, mut seen) = (false, 0);
    records::visit_key_until(probes.receipts()?, users, key, i64::MAX, |row| {
        seen += 1;
        found = records::id_of(row) > after || seen == LOOKED_AT;
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    Some(found)
}

/// Hands the receipts of a person whose key has changed over to the new key. `change`: the command that changed it.
/// None if the hand-overs cannot be read or written now. Nothing is recorded where there is nothing to hand over.
///
/// All rows of one statement change at once, but are seen one after the other. What the same statement has handed over
/// to the old key was handed to another person, whose new key it is.
pub fn key_changed(probes: &mut Probes, users: i32, old: &[u8], new: &[u8], change: Command) -> Option<()> {
    if probes.tables().hand_over.is_none() || !key::fits(old) || !key::fits(new) {
        return Some(());
    }
    if !probes.has_hand_overs()? {
        if !has_receipts(probes, users, old, 0)? {
            return Some(());
        }
        open_logs(probes)?;
        let bound = append::next_id(probes.tables().receipt_id_seq)?;
        return append(probes, users, vec![(old.to_vec(), new.to_vec(), bound)]);
    }
    let taken_back = take_back(probes, users, new, change)?;
    if !taken_back.is_empty() {
        open_logs(probes)?;
        append(probes, users, taken_back)?;
    }
    let mut planned = Vec::new();
    let of_old = hand_overs(probes, users, By::From, old)?;
    let mut before = of_old.clone();
    before.retain(|row| row.was_before(Some(change)));
    match Lane::of_rows(before).merged_into(old) {
        Some(person) => follow_merge(probes, users, (person, Lane::of_rows(of_old)), (old, new), &mut planned)?,
        None => hand_over_all(probes, users, (old, new), change, &mut planned)?,
    }
    if planned.is_empty() {
        return Some(());
    }
    open_logs(probes)?;
    append(probes, users, planned)
}

/// If the new key is one that was merged away, it is a person's own from now on: the receipts so far stay where they
/// are.
fn take_back(probes: &mut Probes, users: i32, new: &[u8], change: Command) -> Option<Vec<Planned>> {
    let rows = hand_overs(probes, users, By::From, new)?;
    let mut before = rows.clone();
    before.retain(|row| row.was_before(Some(change)));
    let (before, now) = (Lane::of_rows(before), Lane::of_rows(rows));
    let Some(person) = before.merged_into(new) else { return Some(Vec::new()) };
    let bound = append::next_id(probes.tables().receipt_id_seq)?;
    let mut planned = vec![(new.to_vec(), person.to_vec(), bound)];
    // The person's own key may have been changed by the same statement already.
    if let Some(renamed) = now.merged_into(new).filter(|renamed| *renamed != person) {
        planned.push((new.to_vec(), renamed.to_vec(), bound));
    }
    planned.push((new.to_vec(), new.to_vec(), FOR_GOOD));
    Some(planned)
}

/// The key of a row that was merged into a person has changed: the new key is the person's too.
fn follow_merge(
    probes: &mut Probes,
    users: i32,
    (person, of_old): (&[u8], Lane),
    (old, new): (&[u8], &[u8]),
    planned: &mut Vec<Planned>,
) -> Option<()> {
    // The person's own key may have been changed by the same statement already, and the old key taken by another.
    let taken = of_old.whose(FOR_GOOD) == Some(old);
    let last = if taken { of_old.last_finite() } else { FOR_GOOD };
    let now = of_old.whose(last).unwrap_or(person);
    planned.push((new.to_vec(), person.to_vec(), FOR_GOOD));
    if now != person {
        planned.push((new.to_vec(), now.to_vec(), FOR_GOOD));
    }
    // What was handed to an earlier user of the new key goes with it.
    for from in givers(probes, users, new, None)? {
        for end in Lane::of(probes, users, &from, None)?.ends {
            if *end.into == *new && now != new && !(from == new && end.bound == FOR_GOOD) {
                planned.push((from.clone(), now.to_vec(), end.bound));
            }
        }
    }
    Some(())
}

/// Every spell of the person goes to the new key.
fn hand_over_all(
    probes: &mut Probes,
    users: i32,
    (old, new): (&[u8], &[u8]),
    change: Command,
    planned: &mut Vec<Planned>,
) -> Option<()> {
    let own = Lane::of(probes, users, old, Some(change))?;
    if has_receipts(probes, users, old, own.last_finite())? {
        planned.push((old.to_vec(), new.to_vec(), append::next_id(probes.tables().receipt_id_seq)?));
    }
    for from in givers(probes, users, old, None)? {
        memory::check();
        let mut rows = hand_overs(probes, users, By::From, &from)?;
        rows.sort_unstable_by_key(|row| (row.bound, row.id));
        let was_merged = rows
            .iter()
            .rev()
            .find(|row| row.was_before(Some(change)))
            .is_some_and(|row| row.bound == FOR_GOOD && row.into != from);
        for of_bound in rows.chunk_by(|a, b| a.bound == b.bound) {
            let bound = of_bound[0].bound;
            let of_own_key = |row: &HandOver| row.bound == FOR_GOOD && row.into == from;
            let is_of_this = |row: &HandOver| !row.was_before(Some(change));
            let takes_back = |row: &HandOver| was_merged && is_of_this(row) && of_own_key(row);
            let is_taken_back = rows.iter().any(takes_back);
            let known = of_bound.iter().rev().find(|row| !is_of_this(row)).filter(|row| !of_own_key(row));
            // Of this statement: the first row of a key that goes with a merged one, or of a key that was taken back, names
            // the person as before the statement.
            let whose = match of_bound.iter().position(takes_back) {
                Some(taken_back) => of_bound.get(taken_back + 1),
                None if bound == FOR_GOOD || is_taken_back => {
                    known.or_else(|| of_bound.iter().find(|row| is_of_this(row)))
                }
                None => known,
            };
            if whose.is_some_and(|row| row.into == old) {
                planned.push((from.clone(), new.to_vec(), bound));
            }
        }
    }
    Some(())
}

/// Makes two people one, by hand-overs of all that is `from`'s, for good; false if they are one already. None if the
/// hand-overs cannot be read or written now.
pub fn merge(probes: &mut Probes, users: i32, from: &Person, into: &Person) -> Option<()> {
    let mut planned: Vec<Planned> = vec![(from.key.to_vec(), into.key.to_vec(), FOR_GOOD)];
    for giver in givers(probes, users, &from.key, None)? {
        for end in Lane::of(probes, users, &giver, None)?.ends {
            let is_own = end.bound == FOR_GOOD && giver == *from.key;
            if *end.into == *from.key && !is_own {
                planned.push((giver.clone(), into.key.to_vec(), end.bound));
            }
        }
    }
    open_logs(probes)?;
    append(probes, users, planned)
}
