//! Who a person is: the receipts under the user's key, and those handed over when a key changed or people were merged.
//! A row of goals.hand_over says that receipts recorded under from_key with ids up to its bound are now those of
//! into_key. The receipt of an id belongs to the into_key of the row with the smallest bound not below that id, of those
//! with the same bound the newest; without such a row, to the key it was recorded under. So each bound of a key ends a
//! spell. Rows name the person of now: when a person's key changes, every spell of that person is handed over again.

use crate::pg::command::{self, Command};
use crate::pg::datum::{self, Row};
use crate::pg::kept_open::Probes;
use crate::pg::memory;
use crate::pg::own_tables::columns::hand_over;
use crate::pg::scan::{self, Key};
use pgrx::pg_sys::{self, Oid};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// The bound of a merge: later receipts belong to the other person too.
pub(super) const FOR_GOOD: i64 = i64::MAX;

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
pub(super) struct HandOver {
    pub id: i64,
    pub from: Vec<u8>,
    pub into: Vec<u8>,
    pub bound: i64,
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

    pub fn was_before(&self, command: Option<Command>) -> bool {
        command.is_none_or(|command| self.command.is_none_or(|recorded| recorded < command))
    }
}

/// A column of goals.hand_over by which rows are found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    From,
    Into,
}

/// The conditions for the rows of a user's key in an index that begins with the source of the users and the key.
pub(super) fn of_key(users: i32, key: &[u8]) -> [Key; 2] {
    [
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
    ]
}

/// The hand-overs from or into a key; None if they cannot be read now.
pub(super) fn hand_overs(probes: &mut Probes, users: i32, by: By, key: &[u8]) -> Option<Vec<HandOver>> {
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
    index.visit(&of_key(users, key), false, |row| {
        memory::push(&mut found, HandOver::read(row));
        ControlFlow::Continue(())
    });
    Some(found)
}

/// True if this transaction has handed receipts over to or from the key. None if the hand-overs cannot be read now.
pub fn is_handed_over_now(probes: &mut Probes, users: i32, key: &[u8]) -> Option<bool> {
    if !probes.has_hand_overs()? {
        return Some(false);
    }
    let is_new = |rows: Vec<HandOver>| rows.iter().any(|row| row.command.is_some());
    Some(is_new(hand_overs(probes, users, By::From, key)?) || is_new(hand_overs(probes, users, By::Into, key)?))
}

/// The end of a spell, and whose the spell is.
#[derive(Clone)]
pub(super) struct End {
    pub bound: i64,
    pub into: Vec<u8>,
}

/// The spells of one key, in order.
#[derive(Clone)]
pub(super) struct Lane {
    pub ends: Vec<End>,
}

impl Lane {
    pub fn of(probes: &mut Probes, users: i32, key: &[u8], before: Option<Command>) -> Option<Lane> {
        let mut rows = hand_overs(probes, users, By::From, key)?;
        rows.retain(|row| row.was_before(before));
        Some(Lane::of_rows(rows))
    }

    /// Of the rows with the same bound the newest counts.
    pub fn of_rows(mut rows: Vec<HandOver>) -> Lane {
        rows.sort_unstable_by_key(|row| (row.bound, std::cmp::Reverse(row.id)));
        rows.dedup_by_key(|row| row.bound);
        Lane { ends: rows.into_iter().map(|row| End { bound: row.bound, into: row.into }).collect() }
    }

    /// The person that this key was merged into; None if it is a person's own.
    pub fn merged_into(&self, key: &[u8]) -> Option<&[u8]> {
        self.ends.last().filter(|end| end.bound == FOR_GOOD && end.into != key).map(|end| end.into.as_slice())
    }

    /// The last bound but for that of a merge; 0 if there is none.
    pub fn last_finite(&self) -> i64 {
        self.ends.iter().rev().map(|end| end.bound).find(|bound| *bound != FOR_GOOD).unwrap_or(0)
    }

    pub fn whose(&self, bound: i64) -> Option<&[u8]> {
        self.ends.iter().find(|end| end.bound == bound).map(|end| end.into.as_slice())
    }
}

/// The keys of which something was handed over to a person, each once.
pub(super) fn givers(probes: &mut Probes, users: i32, person: &[u8], before: Option<Command>) -> Option<Vec<Vec<u8>>> {
    let mut rows = hand_overs(probes, users, By::Into, person)?;
    rows.retain(|row| row.was_before(before));
    let mut keys: Vec<Vec<u8>> = rows.into_iter().map(|row| row.from).collect();
    keys.sort_unstable();
    keys.dedup();
    Some(keys)
}

/// The key that the person of a receipt has now: of the receipt's key and id. None if the hand-overs cannot be read now.
pub fn of_receipt(probes: &mut Probes, users: i32, key: Vec<u8>, id: i64) -> Option<Vec<u8>> {
    if !probes.has_hand_overs()? {
        return Some(key);
    }
    let ends = Lane::of(probes, users, &key, None)?.ends;
    Some(ends.into_iter().find(|end| id <= end.bound).map_or(key, |end| end.into))
}
