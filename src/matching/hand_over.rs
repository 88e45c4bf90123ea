//! Handing receipts over: when the key of a user changes, and when two users turn out to be one person. See
//! [`super::person`].

use super::person::{By, FOR_GOOD, HandOver, Lane, Person, givers, hand_overs};
use super::records;
use crate::pg::append;
use crate::pg::command::Command;
use crate::pg::datum;
use crate::pg::kept_open::Probes;
use crate::pg::own_tables::columns::hand_over;
use crate::pg::{key, memory};
use std::ops::ControlFlow;

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
    let before = Lane::of_rows(before);
    match before.merged_into(old) {
        Some(person) => follow_merge(probes, users, (person, Lane::of_rows(of_old)), (old, new), &mut planned)?,
        None => hand_over_all(probes, users, (old, new), (before.last_finite(), change), &mut planned)?,
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

/// Every spell of the person goes to the new key. `handed_over`: the last receipt under the old key that has been
/// handed over before.
fn hand_over_all(
    probes: &mut Probes,
    users: i32,
    (old, new): (&[u8], &[u8]),
    (handed_over, change): (i64, Command),
    planned: &mut Vec<Planned>,
) -> Option<()> {
    if has_receipts(probes, users, old, handed_over)? {
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
            // Of this statement: the first row of a key that goes with a merged one, or of a key that was taken back,
            // names the person as before the statement.
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

/// Makes two people one, by hand-overs of all that is `from`'s, for good. None if the hand-overs cannot be read or
/// written now.
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
