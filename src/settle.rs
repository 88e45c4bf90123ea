//! From a change that satisfies goals to matches: the receipts of that user that are in their window, one append each.

use crate::cache::{self, Anchor, Goal, Setup};
use crate::model::decimal::Decimal;
use crate::model::time_limit::TimeLimit;
use crate::pg::append;
use crate::pg::datum::{self, Row};
use crate::pg::memory;
use crate::pg::patience;
use crate::pg::scan::Key;
use crate::pg::scratch::Scratch;
use crate::pg::statement::{self, Probes, Statement};
use crate::watch::Reach;
use pgrx::pg_sys::{self, Datum, Oid};
use smallvec::SmallVec;
use std::ops::ControlFlow;

/// What satisfied goals: a difference between two rows, or an event. A receipt names the few goals it is judged by; only those
/// are asked for, and the rest only where there is a match.
pub trait Evidence {
    /// How far back the receipts can lie for which one of the goals counts.
    fn reach(&self) -> Reach;
    /// The goal of this id, if this satisfies it.
    fn goal(&self, goal_id: i32) -> Option<&Goal>;
    /// `is increased by`: is the gain since this value (None: unknown, zero) enough? True for every other goal.
    fn gained(&self, goal_id: i32, baseline: Option<&Decimal>) -> bool;
    /// As jsonb.
    fn old_value(&self, goal_id: i32) -> Option<Datum>;
    fn new_value(&self, goal_id: i32) -> Option<Datum>;
    fn worth(&self, goal_id: i32) -> Option<Decimal>;
}

/// A receipt as the probe sees it.
struct Receipt {
    id: i64,
    sent_at: i64,
    revision: i32,
    already: Vec<i32>,
    baseline: Vec<Option<Vec<u8>>>,
}

impl Receipt {
    // The column numbers are those of goals.receipt.
    fn of(row: &Row) -> Receipt {
        Receipt {
            id: row.bigint(1),
            sent_at: row.bigint(2),
            revision: row.integer(4).unwrap_or(0),
            already: row.integers(7),
            baseline: row.numerics(8),
        }
    }
}

/// Records a match for every receipt of the user for which one of the goals counts. `at`: when it happened, None for now.
/// False: a receipt was made under goals that this backend has not read yet, or an index has been replaced: start again with
/// what there is now.
pub fn settle(statement: Statement, users_id: i32, key: &[u8], at: Option<i64>, evidence: &dyn Evidence) -> bool {
    let Some(setup) = cache::setup() else { return true };
    let now = at.unwrap_or_else(datum::clock);
    let settled = statement::with_probes(statement, &setup.ours, |probes| {
        let receipts = pending(probes, users_id, key, now, evidence.reach())?;
        if receipts.is_empty() {
            return Some(());
        }
        let matches = matches(&setup, probes, &receipts, at, now, evidence)?;
        record(&setup, probes, evidence, &matches);
        Some(())
    });
    settled.is_some() || patience::is_refused()
}

/// A goal, the receipt it is a match for, and when.
type Matches = SmallVec<[(i32, i64, i64); 4]>;

/// None: a receipt's revision is not known to this backend, or the match log not as it knows it.
fn matches(
    setup: &Setup,
    probes: &mut Probes,
    receipts: &[Receipt],
    at: Option<i64>,
    now: i64,
    evidence: &dyn Evidence,
) -> Option<Matches> {
    let mut matches = Matches::new();
    for receipt in receipts {
        let revision = setup.revisions.get(&receipt.revision)?;
        // A clock that was set back must not put a change before the message that is already there.
        let t = if at.is_none() { now.max(receipt.sent_at) } else { now };
        for goal in revision.goals.iter().filter_map(|id| evidence.goal(*id)) {
            if !receipt.already.contains(&goal.id)
                && in_window(probes, goal, receipt, t)?
                && evidence.gained(goal.id, baseline(revision, receipt, goal.id).as_ref())
                && !is_recorded(probes, goal, receipt.id, t)?
            {
                memory::room_in_small(&mut matches);
                matches.push((goal.id, receipt.id, t));
            }
        }
    }
    Some(matches)
}

/// None: the index of the receipts is not the one that this backend knows.
fn pending(probes: &mut Probes, users_id: i32, key: &[u8], now: i64, reach: Reach) -> Option<SmallVec<[Receipt; 2]>> {
    let mut receipts = SmallVec::new();
    let since = if reach.by_sending { now.saturating_sub(reach.longest) } else { i64::MIN };
    probes.receipts()?.visit(&user_keys(users_id, key, since), false, |row| {
        memory::check();
        memory::room_in_small(&mut receipts);
        receipts.push(Receipt::of(row));
        ControlFlow::Continue(())
    });
    Some(receipts)
}

/// The receipts of a user from a time on, in the index receipt_user_idx.
pub fn user_keys(users_id: i32, key: &[u8], since: i64) -> [Key; 3] {
    [
        Key {
            attribute: 1,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_INT4EQ,
            value: users_id.into(),
            collation: Oid::INVALID,
        },
        Key {
            attribute: 2,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_TEXTEQ,
            value: datum::text(key),
            collation: pg_sys::C_COLLATION_OID,
        },
        Key {
            attribute: 3,
            strategy: pg_sys::BTGreaterEqualStrategyNumber,
            function: pg_sys::F_TIMESTAMPTZ_GE,
            value: since.into(),
            collation: Oid::INVALID,
        },
    ]
}

/// The rows of a fact table that belong to a receipt.
pub fn receipt_key(receipt_id: i64) -> [Key; 1] {
    [Key {
        attribute: 1,
        strategy: pg_sys::BTEqualStrategyNumber,
        function: pg_sys::F_INT8EQ,
        value: receipt_id.into(),
        collation: Oid::INVALID,
    }]
}

/// The hits of a receipt for a goal up to a time, in the index match_log_receipt_idx.
fn hit_keys(receipt_id: i64, goal_id: i32, until: i64) -> [Key; 3] {
    let [receipt] = receipt_key(receipt_id);
    [
        receipt,
        Key {
            attribute: 2,
            strategy: pg_sys::BTEqualStrategyNumber,
            function: pg_sys::F_INT4EQ,
            value: goal_id.into(),
            collation: Oid::INVALID,
        },
        Key {
            attribute: 3,
            strategy: pg_sys::BTLessEqualStrategyNumber,
            function: pg_sys::F_TIMESTAMPTZ_LE,
            value: until.into(),
            collation: Oid::INVALID,
        },
    ]
}

/// None: the index of the engagements is not the one that this backend knows.
fn in_window(probes: &mut Probes, goal: &Goal, receipt: &Receipt, t: i64) -> Option<bool> {
    let anchor = match goal.after {
        Anchor::Sent => Some(receipt.sent_at),
        after => first_engagement(probes, receipt.id, after == Anchor::Clicked)?,
    };
    let Ok(limit) = TimeLimit::from_interval(0, 0, goal.time_limit) else { return Some(false) };
    Some(anchor.is_some_and(|anchor| limit.covers(anchor, t)))
}

/// When the message was first opened (or clicked), as far as it is known now; None within if it was not.
fn first_engagement(probes: &mut Probes, receipt_id: i64, clicked: bool) -> Option<Option<i64>> {
    let mut first: Option<i64> = None;
    probes.engagements()?.visit(&receipt_key(receipt_id), false, |row| {
        // The column numbers are those of goals.engagement. A click is also an open.
        if !clicked || row.byte(4) == b'c' {
            let at = row.bigint(3);
            first = Some(first.map_or(at, |f| f.min(at)));
        }
        ControlFlow::Continue(())
    });
    Some(first)
}

fn baseline(revision: &cache::Revision, receipt: &Receipt, goal: i32) -> Option<Decimal> {
    let i = revision.baselines.binary_search(&goal).ok()?;
    Decimal::from_numeric(receipt.baseline.get(i)?.as_deref()?)
}

/// How many earlier hits are looked at. Of a goal that needs more, every hit in its window is recorded: that costs a row per event, where
/// counting would cost as many reads per event as the goal has `times`.
const COUNTED: i32 = 100;

/// Are there already as many earlier hits as the goal needs? Then this one can never be the match, and a counter that goes up
/// all day does not fill the log. What is seen here lives at least as long as we do: it is committed, or our own.
///
/// The hits after this one are not looked at, however many there are: events may arrive newest first.
fn is_recorded(probes: &mut Probes, goal: &Goal, receipt_id: i64, t: i64) -> Option<bool> {
    if goal.times > COUNTED {
        return Some(false);
    }
    let log = probes.match_log()?;
    let mut earlier = 0;
    log.visit(&hit_keys(receipt_id, goal.id, t), |_| {
        earlier += 1;
        if earlier >= goal.times { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    Some(earlier >= goal.times)
}

fn record(setup: &Setup, probes: &mut Probes, evidence: &dyn Evidence, matches: &Matches) {
    // What is kept is the same for every receipt, and may be large: it is made once per goal.
    let mut made: SmallVec<[(i32, [Option<Datum>; 3]); 2]> = SmallVec::new();
    for &(goal_id, ..) in matches {
        if !made.iter().any(|(of, _)| *of == goal_id) {
            let worth = evidence.worth(goal_id).and_then(|worth| datum::numeric(&worth.to_string()));
            memory::room_in_small(&mut made);
            made.push((goal_id, [evidence.old_value(goal_id), evidence.new_value(goal_id), worth]));
        }
    }
    let mut append = |(goal_id, receipt_id, t): (i32, i64, i64)| {
        let Some(log) = probes.match_log() else { return };
        let Some(id) = append::next_id(setup.ours.match_id_seq) else { return };
        let [old_value, new_value, worth] =
            made.iter().find(|(of, _)| *of == goal_id).map_or([None; 3], |(_, values)| *values);
        log.append([
            Some(id.into()),
            Some(receipt_id.into()),
            Some(t.into()),
            Some(goal_id.into()),
            old_value,
            new_value,
            worth,
        ]);
    };
    if let [only] = matches.as_slice() {
        return append(*only);
    }
    let scratch = Scratch::new();
    for of_receipt in matches {
        scratch.run(|| append(*of_receipt));
    }
}
