//! What the totals by day and of people change by, from what is known of some receipts at one mark to what is known of
//! some at a later one. The receipts and what became of them are read once, and judged at both marks by the rules of
//! [`crate::model::people`]. All of it is read as the query sees it that calls the function: what is not older than a
//! mark is told by its id.

use super::not_recorded;
use crate::model::error::Result;
use crate::model::people::known::{People, hash_of};
use crate::model::people::totals::{OfPeople, Totals, day_of};
use crate::model::people::{self, After, Goal, Had, Judge, Match, OfGoal, Worth};
use crate::model::room::NoRoom;
use crate::pg::call::{Args, Out};
use crate::pg::datum::Row;
use crate::pg::memory;
use crate::pg::numeric::Numeric;
use crate::pg::own_tables::columns::{engagement, match_log, receipt};
use crate::pg::own_tables::{Facts, Index, Table};
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::pg::spi::{self, Arg};
use crate::setup::cache::required_setup;
use std::collections::HashMap;
use std::ops::Range;

/// About how many receipts are in memory at a time.
const PART: usize = 1 << 17;

/// What is known: what has an id up to these.
#[derive(Clone, Copy)]
struct Mark {
    receipt: i64,
    engagement: i64,
    hit: i64,
    hand_over: i64,
}

/// A mark, and the receipts that are judged there.
struct Side {
    mark: Mark,
    /// In ascending order, each once.
    ids: Vec<i64>,
}

impl Side {
    /// From the arguments of the call from `i` on.
    fn of(args: &Args, i: usize) -> Side {
        let given = args.bigints(i).unwrap_or_default();
        let mut ids = memory::vec(given.len());
        ids.extend(given.into_iter().flatten());
        ids.sort_unstable();
        ids.dedup();
        // Nothing has an id up to NULL.
        let up_to = |i| args.bigint(i).unwrap_or(i64::MIN);
        let mark = Mark { receipt: up_to(i + 1), engagement: up_to(i + 2), hit: up_to(i + 3), hand_over: up_to(i + 4) };
        Side { mark, ids }
    }
}

/// goals_internal.people_change(ids_then, after_receipt, after_engagement, after_match, after_hand_over, ids_now,
/// to_receipt, to_engagement, to_match, to_hand_over, of_goal, exactly).
pub fn people_change(args: &Args) -> Result<Out> {
    let sides = [Side::of(args, 0), Side::of(args, 5)];
    let ids = union(&sides[0].ids, &sides[1].ids);
    if ids.is_empty() {
        return Ok(Out::Rows(Vec::new()));
    }
    let mut reader = Reader::new()?;
    let only = args.raw_text(10).map(|name| reader.names.number(name));
    let mut totals = Totals::new(args.boolean(11).unwrap_or(false));
    if ids.len() <= PART {
        add(&mut reader, &mut totals, &ids, &sides, only)?;
    } else {
        let marks = [sides[0].mark, sides[1].mark];
        for of_part in parts(&mut reader, &ids, sides)? {
            let ids = union(&of_part[0], &of_part[1]);
            let [then, now] = of_part;
            let sides = [Side { mark: marks[0], ids: then }, Side { mark: marks[1], ids: now }];
            add(&mut reader, &mut totals, &ids, &sides, only)?;
        }
    }
    let names = reader.names;
    Ok(Out::EachRow(Box::new(move |put| put_rows(&totals, &names, put))))
}

/// Both lists as one, in ascending order, each id once.
fn union(one: &[i64], other: &[i64]) -> Vec<i64> {
    let mut both = memory::vec(one.len() + other.len());
    both.extend_from_slice(one);
    if one != other {
        both.extend_from_slice(other);
        both.sort_unstable();
        both.dedup();
    }
    both
}

/// Texts, numbered from 0 on in the order in which they are met.
#[derive(Default)]
struct Names {
    numbers: HashMap<Vec<u8>, u32>,
    names: Vec<Vec<u8>>,
}

impl Names {
    fn number(&mut self, name: Vec<u8>) -> u32 {
        if let Some(known) = self.numbers.get(&name) {
            return *known;
        }
        let number = self.names.len() as u32;
        memory::push(&mut self.names, memory::copied(&name));
        memory::insert(&mut self.numbers, name, number);
        number
    }
}

/// The goals in force for a message.
struct Revision {
    message: i32,
    /// By their ids and their places among the goals.
    goals: Vec<(i32, u32)>,
}

/// The receipts of a key up to this id are those of another one.
struct HandOver {
    up_to: i64,
    id: i64,
    into: Vec<u8>,
}

/// A receipt as it is stored.
struct Stored {
    id: i64,
    sent_at: i64,
    users: i32,
    revision: i32,
    message: i32,
    variant: i32,
    flags: i16,
    /// Its place among the keys.
    key: Range<u32>,
    /// Its place among the goals that held.
    already: Range<u32>,
}

/// The bits of goals.receipt.flags.
const HELD_OUT: i16 = 1;
const ENTRY: i16 = 2;

/// Some receipts.
#[derive(Default)]
struct Receipts {
    /// In the order of their ids.
    stored: Vec<Stored>,
    keys: Vec<u8>,
    already: Vec<i32>,
}

fn place(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

impl Receipts {
    fn key(&self, stored: &Stored) -> &[u8] {
        &self.keys[place(&stored.key)]
    }

    fn ids(&self) -> Vec<i64> {
        let mut ids = memory::vec(self.stored.len());
        ids.extend(self.stored.iter().map(|stored| stored.id));
        ids
    }
}

/// What became of some receipts, as it is known at both marks.
struct Became {
    had: [Vec<Had>; 2],
    /// The goals of all receipts, one after the other.
    goals: [Vec<OfGoal<Numeric>>; 2],
    /// Where those of each receipt begin, and where those of the last one end.
    begin: Vec<usize>,
}

/// What is read once for all receipts.
struct Reader {
    facts: Facts,
    scratch: Scratch,
    /// None for a revision that there is not.
    revisions: HashMap<i32, Option<Revision>>,
    goals: Vec<Goal<Numeric>>,
    /// The places of goals by their ids.
    places: HashMap<i32, u32>,
    names: Names,
    /// What goals are about.
    abouts: Names,
    has_hand_overs: bool,
    /// By users and key, those of each in the order of what they are about.
    hand_overs: HashMap<i32, HashMap<Vec<u8>, Vec<HandOver>>>,
}

fn found_facts() -> Result<Facts> {
    Facts::find().or_else(|_| {
        // Which says what is missing.
        required_setup()?;
        Err(not_recorded())
    })
}

impl Reader {
    fn new() -> Result<Reader> {
        let facts = found_facts()?;
        let mut has_hand_overs = false;
        facts.as_owner(|| {
            spi::read("SELECT FROM goals.hand_over LIMIT 1", &[], |_| has_hand_overs = true);
        });
        Ok(Reader {
            facts,
            scratch: Scratch::new(),
            revisions: HashMap::new(),
            goals: Vec::new(),
            places: HashMap::new(),
            names: Names::default(),
            abouts: Names::default(),
            has_hand_overs,
            hand_overs: HashMap::new(),
        })
    }

    /// Calls `see` with the rows of these ids. An index that has been replaced since it was looked up is looked up again.
    fn visit(&mut self, of: fn(&Facts) -> (Table, Index), ids: &[i64], mut see: impl FnMut(usize, &Row)) -> Result<()> {
        let (table, index) = of(&self.facts);
        if table.visit_ids(index, ids, &mut see).is_some() {
            return Ok(());
        }
        self.facts = found_facts()?;
        let (table, index) = of(&self.facts);
        table.visit_ids(index, ids, see).ok_or_else(not_recorded)
    }

    /// The receipts of these ids, but for those whose revision is gone.
    fn receipts(&mut self, ids: &[i64]) -> Result<Receipts> {
        let mut read = Receipts { stored: memory::vec(ids.len()), ..Receipts::default() };
        let (places, scratch) = (*self.facts.receipt.0.places(), Scratch::new());
        self.visit(
            |facts| facts.receipt,
            ids,
            |_, row| {
                let key = row.bytes(receipt::user_key).unwrap_or_default();
                let (begin, held) = (read.keys.len(), read.already.len());
                memory::room(&mut read.keys, key.len());
                read.keys.extend_from_slice(key);
                if row.get(receipt::already).is_some() {
                    let already = scratch.run(|| row.integers(receipt::already));
                    memory::room(&mut read.already, already.len());
                    read.already.extend(already);
                }
                let stored = Stored {
                    id: row.bigint(receipt::receipt_id),
                    sent_at: row.bigint(receipt::sent_at),
                    users: row.integer(receipt::users_source_id).unwrap_or(0),
                    revision: row.integer(receipt::revision_id).unwrap_or(0),
                    message: row.integer(places.of(receipt::message_id)).unwrap_or(0),
                    variant: row.integer(receipt::variant_id).unwrap_or(0),
                    flags: row.smallint(places.of(receipt::flags)),
                    key: begin as u32..read.keys.len() as u32,
                    already: held as u32..read.already.len() as u32,
                };
                memory::push(&mut read.stored, stored);
            },
        )?;
        self.read_revisions(&read.stored);
        read.stored.retain_mut(|stored| {
            let Some(Some(revision)) = self.revisions.get(&stored.revision) else { return false };
            if stored.message == 0 {
                stored.message = revision.message;
            }
            true
        });
        self.read_hand_overs(&read);
        Ok(read)
    }

    /// Reads the revisions that are not known yet, and their goals.
    fn read_revisions(&mut self, stored: &[Stored]) {
        let (mut wanted, mut last) = (Vec::new(), None);
        for stored in stored {
            if last != Some(stored.revision) && !self.revisions.contains_key(&stored.revision) {
                memory::push(&mut wanted, stored.revision);
                memory::insert(&mut self.revisions, stored.revision, None);
            }
            last = Some(stored.revision);
        }
        if wanted.is_empty() {
            return;
        }
        let facts = self.facts;
        facts.as_owner(|| self.read_goals(&wanted));
        let of_revisions = "SELECT v.revision_id, v.message_id, v.goal_ids FROM goals.revision v \
                            WHERE v.revision_id = ANY ($1)";
        facts.as_owner(|| {
            spi::read(of_revisions, &[Arg::Integers(&wanted)], |row| {
                let ids = row.integers(3);
                let mut goals = memory::vec(ids.len());
                goals.extend(ids.into_iter().filter_map(|id| Some((id, *self.places.get(&id)?))));
                let revision = Revision { message: row.integer(2).unwrap_or(0), goals };
                memory::insert(&mut self.revisions, row.integer(1).unwrap_or(0), Some(revision));
            });
        });
    }

    fn read_goals(&mut self, revisions: &[i32]) {
        let of_goals = "SELECT g.goal_id, g.name, g.attribute, g.event, g.times, g.after, g.time_limit_us, g.delay_us, \
                               g.opens_within_us, g.worth_cap \
                        FROM goals.goal g \
                        WHERE g.goal_id IN (SELECT u.goal_id \
                                            FROM goals.revision v, unnest(v.goal_ids) AS u (goal_id) \
                                            WHERE v.revision_id = ANY ($1))";
        spi::read(of_goals, &[Arg::Integers(revisions)], |row| {
            let id = row.integer(1).unwrap_or(0);
            if self.places.contains_key(&id) {
                return;
            }
            let text = |number| row.bytes(number).map(memory::copied);
            let about = |sort: u8, number| {
                text(number).map(|mut name| {
                    memory::push(&mut name, sort);
                    name
                })
            };
            let after = After::of(row.bytes(6).unwrap_or_default());
            let (time_limit, delay) = (row.bigint(7), row.bigint(8));
            let opens_within = row.known_bigint(9).unwrap_or(time_limit);
            let until_open = if after == After::Sent { 0 } else { opens_within };
            let goal = Goal {
                id,
                name: self.names.number(text(2).unwrap_or_default()),
                about: self.abouts.number(about(b'a', 3).or_else(|| about(b'e', 4)).unwrap_or_default()),
                times: row.integer(5).unwrap_or(1),
                after,
                opens_within,
                matures_in: time_limit.saturating_add(delay).saturating_add(until_open),
                cap: Numeric::of(row, 10),
            };
            memory::insert(&mut self.places, id, self.goals.len() as u32);
            memory::push(&mut self.goals, goal);
        });
    }

    /// Reads the hand-overs of the keys of these receipts.
    fn read_hand_overs(&mut self, receipts: &Receipts) {
        self.hand_overs.clear();
        if !self.has_hand_overs {
            return;
        }
        let (mut users, mut keys) = (memory::vec(receipts.stored.len()), memory::vec(receipts.stored.len()));
        users.extend(receipts.stored.iter().map(|stored| stored.users));
        users.sort_unstable();
        users.dedup();
        keys.extend(receipts.stored.iter().map(|stored| receipts.key(stored)));
        keys.sort_unstable();
        keys.dedup();
        let of_keys = "SELECT h.users_source_id, h.from_key, h.into_key, h.receipt_id, h.hand_over_id \
                       FROM unnest($2) AS k (key) \
                       JOIN goals.hand_over h ON h.from_key = k.key \
                       WHERE h.users_source_id = ANY ($1)";
        let (facts, hand_overs) = (self.facts, &mut self.hand_overs);
        self.scratch.run(|| {
            facts.as_owner(|| {
                spi::read(of_keys, &[Arg::Integers(&users), Arg::Texts(&keys)], |row| {
                    let users = row.integer(1).unwrap_or(0);
                    let text = |number| memory::copied(row.bytes(number).unwrap_or_default());
                    let hand_over = HandOver { up_to: row.bigint(4), id: row.bigint(5), into: text(3) };
                    memory::room_in(hand_overs);
                    let of_users = hand_overs.entry(users).or_default();
                    memory::room_in(of_users);
                    memory::push(of_users.entry(text(2)).or_default(), hand_over);
                });
            });
        });
        for of_key in hand_overs.values_mut().flat_map(HashMap::values_mut) {
            of_key.sort_unstable_by_key(|hand_over| (hand_over.up_to, std::cmp::Reverse(hand_over.id)));
        }
    }

    /// The key of the person whose receipt it is, as it is known at a mark.
    fn person<'a>(&'a self, receipts: &'a Receipts, stored: &Stored, mark: &Mark) -> &'a [u8] {
        let key = receipts.key(stored);
        let of_key = self.hand_overs.get(&stored.users).and_then(|of_users| of_users.get(key));
        let Some(of_key) = of_key else { return key };
        let begin = of_key.partition_point(|hand_over| hand_over.up_to < stored.id);
        of_key[begin..].iter().find(|hand_over| hand_over.id <= mark.hand_over).map_or(key, |found| &*found.into)
    }

    /// What became of the receipts.
    fn became(&mut self, receipts: &Receipts, marks: &[Mark; 2]) -> Result<Became> {
        let ids = receipts.ids();
        let (goals, begin) = self.of_goals(receipts);
        let mut had = [memory::vec(ids.len()), memory::vec(ids.len())];
        had.iter_mut().for_each(|had| had.resize(ids.len(), Had::default()));
        let machine = self.facts.engagement.0.places().of(engagement::machine);
        self.visit(
            |facts| facts.engagement,
            &ids,
            |i, row| {
                let id = row.bigint(engagement::engagement_id);
                for (had, mark) in had.iter_mut().zip(marks).filter(|(_, mark)| id <= mark.engagement) {
                    let _ = mark;
                    had[i].report(row.byte(engagement::kind), row.byte(machine) != 0, row.bigint(engagement::at));
                }
            },
        )?;
        self.supersede(receipts, marks, &mut had);
        let mut became = Became { had, goals, begin };
        self.read_hits(&ids, marks, &mut became)?;
        Ok(became)
    }

    /// The goals of the receipts without a hit, and where those of each begin.
    fn of_goals(&self, receipts: &Receipts) -> ([Vec<OfGoal<Numeric>>; 2], Vec<usize>) {
        let mut begin = memory::vec(receipts.stored.len() + 1);
        let mut goals = Vec::new();
        for stored in &receipts.stored {
            begin.push(goals.len());
            let Some(Some(revision)) = self.revisions.get(&stored.revision) else { continue };
            let already = &receipts.already[place(&stored.already)];
            memory::room(&mut goals, revision.goals.len());
            goals.extend(revision.goals.iter().map(|(id, place)| OfGoal::new(*place, already.contains(id))));
        }
        begin.push(goals.len());
        let mut others = memory::vec(goals.len());
        others.extend(goals.iter().cloned());
        ([goals, others], begin)
    }

    /// Notes which entries into programmes are not the first.
    fn supersede(&self, receipts: &Receipts, marks: &[Mark; 2], had: &mut [Vec<Had>; 2]) {
        let mut entries = Vec::new();
        for stored in receipts.stored.iter().filter(|stored| stored.flags & ENTRY != 0) {
            memory::push(&mut entries, stored.id);
        }
        if entries.is_empty() {
            return;
        }
        let superseded = "SELECT u.id, goals_internal.superseded_by(u.id) FROM unnest($1) AS u (id)";
        self.scratch.run(|| {
            self.facts.as_owner(|| {
                spi::read(superseded, &[Arg::Bigints(&entries)], |row| {
                    let Some(by) = row.known_bigint(2) else { return };
                    let Ok(i) = receipts.stored.binary_search_by_key(&row.bigint(1), |stored| stored.id) else {
                        return;
                    };
                    for (had, _) in had.iter_mut().zip(marks).filter(|(_, mark)| by <= mark.receipt) {
                        had[i].entered_before();
                    }
                });
            });
        });
    }

    /// Reads the hits, which the index has in the order of their goals, of time and of their ids.
    fn read_hits(&mut self, ids: &[i64], marks: &[Mark; 2], became: &mut Became) -> Result<()> {
        let cause = self.facts.match_log.0.places().of(match_log::cause_ref);
        let goals = std::mem::take(&mut self.goals);
        let read = self.visit(
            |facts| facts.match_log,
            ids,
            |i, row| {
                let (id, goal_id) = (row.bigint(match_log::match_id), row.integer(match_log::goal_id));
                let of_receipt = became.begin[i]..became.begin[i + 1];
                for (of_goals, _) in became.goals.iter_mut().zip(marks).filter(|(_, mark)| id <= mark.hit) {
                    for of_goal in &mut of_goals[of_receipt.clone()] {
                        let goal = &goals[of_goal.goal as usize];
                        if Some(goal.id) == goal_id {
                            of_goal.hit(goal.times, || Match {
                                at: row.bigint(match_log::matched_at),
                                cause: row.known_bigint(cause),
                                worth: Numeric::of(row, match_log::worth),
                            });
                        }
                    }
                }
            },
        );
        self.goals = goals;
        read
    }
}

/// Per part of the receipts the ids for both marks. A person's receipts are in one part, as the person is known at a
/// mark: what they amount to there is a sum that does not depend on the other mark.
fn parts(reader: &mut Reader, ids: &[i64], sides: [Side; 2]) -> Result<Vec<[Vec<i64>; 2]>> {
    let count = ids.len().div_ceil(PART) + 1;
    let mut parts = memory::vec(count);
    parts.resize_with(count, Default::default);
    let mut begin = [0, 0];
    for some in ids.chunks(PART) {
        let receipts = reader.receipts(some)?;
        for stored in &receipts.stored {
            check_for_interrupts();
            for (which, side) in sides.iter().enumerate() {
                begin[which] += side.ids[begin[which]..].iter().take_while(|id| **id < stored.id).count();
                if side.ids.get(begin[which]) == Some(&stored.id) && stored.id <= side.mark.receipt {
                    let hash = hash_of(stored.message, reader.person(&receipts, stored, &side.mark));
                    let part: &mut [Vec<i64>; 2] = &mut parts[(hash % count as u64) as usize];
                    memory::push(&mut part[which], stored.id);
                }
            }
        }
    }
    Ok(parts)
}

/// Adds by how much the totals change by the receipts of both sides; `ids` are those of both.
fn add(
    reader: &mut Reader,
    totals: &mut Totals<Numeric>,
    ids: &[i64],
    sides: &[Side; 2],
    only: Option<u32>,
) -> Result<()> {
    let receipts = reader.receipts(ids)?;
    let marks = [sides[0].mark, sides[1].mark];
    let became = reader.became(&receipts, &marks)?;
    let known = sides.each_ref().map(|side| known_at(&receipts, side));
    let state = State { goals: &reader.goals, only, receipts: &receipts, became: &became, known: &known };
    memory::made(if reader.hand_overs.is_empty() {
        state.add(totals, [true, true], |stored| receipts.key(stored))
    } else {
        // Who was two people at one mark may be one at the other.
        let at = |i: usize| {
            let (reader, receipts, mark) = (&*reader, &receipts, &marks[i]);
            move |stored: &Stored| reader.person(receipts, stored, mark)
        };
        state.add(totals, [true, false], at(0)).and_then(|()| state.add(totals, [false, true], at(1)))
    });
    Ok(())
}

/// Per receipt whether it is one of a side.
fn known_at(receipts: &Receipts, side: &Side) -> Vec<bool> {
    let mut known = memory::vec(receipts.stored.len());
    let mut ids = side.ids.iter().peekable();
    for stored in &receipts.stored {
        while ids.next_if(|id| **id < stored.id).is_some() {}
        known.push(ids.peek() == Some(&&stored.id) && stored.id <= side.mark.receipt);
    }
    known
}

/// What is known of some receipts on both sides.
struct State<'a> {
    goals: &'a [Goal<Numeric>],
    only: Option<u32>,
    receipts: &'a Receipts,
    became: &'a Became,
    known: &'a [Vec<bool>; 2],
}

impl<'a> State<'a> {
    /// Adds by how much the totals change by these of the two sides. `key`: that of the person.
    fn add<'k>(
        &self,
        totals: &mut Totals<Numeric>,
        sides: [bool; 2],
        key: impl Fn(&'k Stored) -> &'k [u8],
    ) -> std::result::Result<(), NoRoom>
    where
        'a: 'k,
    {
        let stored = &self.receipts.stored;
        let (mut people, mut receipts) = (People::default(), memory::vec(stored.len()));
        for (i, stored) in stored.iter().enumerate() {
            check_for_interrupts();
            receipts.push((people.number(stored.message, key(stored))?, i as u32));
        }
        receipts.sort_unstable();
        let mut judge = Judge::new(self.goals, self.only);
        let mut of_sides = [Vec::new(), Vec::new()];
        for of_person in receipts.chunk_by(|one, other| one.0 == other.0) {
            check_for_interrupts();
            for (which, of_side) in of_sides.iter_mut().enumerate().filter(|(which, _)| sides[*which]) {
                of_side.clear();
                memory::room(of_side, of_person.len());
                let places = of_person.iter().map(|(_, i)| *i as usize);
                of_side.extend(places.filter(|i| self.known[which][*i]).map(|i| self.receipt(which, i)));
            }
            let [then, now] = &mut of_sides;
            judge.change(totals, people.message(of_person[0].0), then, now)?;
        }
        Ok(())
    }

    fn receipt(&self, which: usize, i: usize) -> people::Receipt<'a, Numeric> {
        let (stored, became) = (&self.receipts.stored[i], self.became);
        people::Receipt {
            id: stored.id,
            sent_at: stored.sent_at,
            variant: stored.variant,
            held_out: stored.flags & HELD_OUT != 0,
            had: became.had[which][i],
            goals: &became.goals[which][became.begin[i]..became.begin[i + 1]],
        }
    }
}

/// The columns of the result.
const WIDTH: usize = 33;

/// Of what a row is. Columns of other kinds of rows are NULL.
fn line(kind: u8, message: i32, goal: Option<i32>, variant: i32, day: i32) -> [Out; WIDTH] {
    const ZERO: Out = Out::Bigint(0);
    let mut row = [ZERO; WIDTH];
    row[KIND] = Out::Char(kind);
    row[KIND + 1] = Out::Integer(message);
    row[KIND + 2] = goal.map_or(Out::Null, Out::Integer);
    row[NAME] = Out::Null;
    row[NAME + 1] = Out::Integer(variant);
    row[NAME + 2] = Out::Integer(day);
    row[AT] = Out::Null;
    row[AGE] = Out::Null;
    row[SECOND_DAY] = Out::Null;
    for worth in [WORTH, USERS_WORTH, USERS_WORTH + 1, USERS_WORTH + 2] {
        row[worth] = Out::Numeric(Numeric::nothing());
    }
    row
}

// The places of columns.
const KIND: usize = 0;
const NAME: usize = 3;
const AT: usize = 6;
const AGE: usize = 7;
const SECOND_DAY: usize = 8;
const SENT: usize = 9;
const OPENED: usize = 10;
const CLICKED: usize = 11;
const ALREADY_MATCHED: usize = 12;
const MATCHED: usize = 13;
const WORTH: usize = 16;
const DELIVERIES: usize = 17;
const ELIGIBLE: usize = 24;
const WITHDRAWN: usize = 25;
const USERS: usize = 28;
const USERS_WORTH: usize = 30;

fn set(row: &mut [Out], from: usize, counts: &[i64]) {
    row[from..].iter_mut().zip(counts).for_each(|(to, count)| *to = Out::Bigint(*count));
}

fn set_people(row: &mut [Out], of: &OfPeople<Numeric>) {
    set(row, USERS, &[of.users, of.converters]);
    let worths = [&of.worth, &of.counted_worth, &of.counted_worth_squares];
    row[USERS_WORTH..].iter_mut().zip(worths).for_each(|(to, worth)| *to = Out::Numeric(worth.clone()));
}

/// Makes the rows whose counters are not all zero.
fn put_rows(totals: &Totals<Numeric>, names: &Names, put: &mut dyn FnMut(&[Out])) {
    for ((of, day), t) in totals.days.iter().filter(|(_, t)| !t.is_zero()) {
        check_for_interrupts();
        let mut row = line(b'd', of.message, Some(of.goal), of.variant, *day);
        let matched = [t.matched, t.matched_after_open, t.matched_after_click];
        set(&mut row, SENT, &[t.sent, t.opened, t.clicked, t.already_matched]);
        set(&mut row, MATCHED, &matched);
        row[WORTH] = Out::Numeric(t.worth.clone());
        set(&mut row, DELIVERIES, &[t.deliveries, t.bounced, t.complained, t.unsubscribed]);
        set(&mut row, DELIVERIES + 4, &[t.opened_by_machine, t.clicked_by_machine, t.held_out]);
        set(&mut row, ELIGIBLE, &[t.eligible]);
        set(&mut row, WITHDRAWN, &[t.withdrawn, t.assigned, t.mixed]);
        set_people(&mut row, &t.of_people);
        put(&row);
    }
    for ((of, at), t) in totals.slots.iter().filter(|(_, t)| !t.is_zero()) {
        check_for_interrupts();
        let mut row = line(b's', of.message, Some(of.goal), of.variant, day_of(*at));
        row[AT] = Out::Bigint(*at);
        set(&mut row, SENT, &[t.sent]);
        set(&mut row, ALREADY_MATCHED, &[t.already_matched, t.matched]);
        set(&mut row, ELIGIBLE, &[t.eligible]);
        set_people(&mut row, &t.of_people);
        put(&row);
    }
    for ((of, day, age), t) in totals.ages.iter().filter(|(_, t)| !t.is_zero()) {
        check_for_interrupts();
        let mut row = line(b'a', of.message, Some(of.goal), of.variant, *day);
        row[AGE] = Out::Integer(*age);
        set(&mut row, OPENED, &[t.opened]);
        set(&mut row, CLICKED, &[t.clicked]);
        set(&mut row, MATCHED, &[t.matched]);
        set(&mut row, ELIGIBLE, &[t.matched_eligible]);
        put(&row);
    }
    for ((message, name, variant, day, second_day), pairs) in totals.pairs.iter().filter(|(_, pairs)| **pairs != 0) {
        check_for_interrupts();
        let mut row = line(b'p', *message, None, *variant, *day);
        row[NAME] = names.names.get(*name as usize).map_or(Out::Null, |name| Out::Raw(memory::copied(name)));
        row[SECOND_DAY] = Out::Integer(*second_day);
        set(&mut row, SENT, &[*pairs]);
        put(&row);
    }
}
