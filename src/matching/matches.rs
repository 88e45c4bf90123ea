//! From satisfied goals to matches: one row is appended per receipt of the user that is in the goal's window.

use super::engagements;
use super::person::Person;
use super::records::{self, Match, Receipt};
use super::retry::Outcome;
use crate::model::decimal::Decimal;
use crate::model::time_limit::TimeLimit;
use crate::pg::command::{self, Command};
use crate::pg::datum;
use crate::pg::kept_open::{self, Probes, Statement};
use crate::pg::memory;
use crate::pg::own_tables::OwnTables;
use crate::pg::patience;
use crate::pg::scratch::Scratch;
use crate::setup::cache;
use crate::setup::definitions::{Anchor, Goal, Reach, Revision, Setup};
use pgrx::pg_sys::Datum;
use smallvec::SmallVec;

/// What satisfies goals: a difference between two rows, or an event. Only the goals named by a receipt are looked up,
/// and the values only if there is a match.
pub trait Evidence {
    /// How old a receipt can be for one of the satisfied goals to count.
    fn reach(&self) -> Reach;
    /// The goal of this id, if it is satisfied.
    fn goal(&self, goal_id: i32) -> Option<&Goal>;
    /// For `is increased by`: true if the gain since `baseline` is enough (None: unknown, taken as zero). True for
    /// every other goal.
    fn gained(&self, goal_id: i32, baseline: Option<&Decimal>) -> bool;
    /// The value before, as jsonb.
    fn old_value(&self, goal_id: i32) -> Option<Datum>;
    fn new_value(&self, goal_id: i32) -> Option<Datum>;
    fn worth(&self, goal_id: i32) -> Option<Decimal>;
}

/// When something happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Its own time.
    Own(i64),
    /// An event without a time of its own happens by the clock, before what later commands report.
    OfEvent,
    /// A change happens by the clock, before the changes of later commands.
    OfChange,
}

/// Whose change or event it is, and when it happened.
#[derive(Clone, Copy)]
pub struct Happening<'a> {
    /// The source of the users.
    pub users: i32,
    pub key: &'a [u8],
    pub at: Time,
    /// Of the statement that made the change or reported the event.
    pub command: Command,
    /// The reference of the event, by which it is known again.
    pub cause: Option<i64>,
    /// True if the first one on record counts, whatever the time of another with this reference.
    pub once: bool,
}

/// Records a match per receipt of the user and goal that counts for it. Returns Outdated if a receipt was made under
/// goals that this backend has not read yet, or an index has been replaced.
///
/// A receipt counts if it was recorded before the change: by another transaction, which the clock decides, or by an
/// earlier command of this one. What a statement records itself is not before what it changes.
pub fn record_matches(statement: Statement, happening: Happening, evidence: &dyn Evidence) -> Outcome {
    let Some(setup) = cache::setup() else { return Outcome::Done };
    let now = match happening.at {
        Time::Own(at) => at,
        Time::OfEvent => command::time_of(happening.command),
        Time::OfChange => datum::clock(),
    };
    if happening.at != Time::OfChange {
        command::happened(happening.command, now);
    }
    let recorded = kept_open::with_probes(statement, &setup.tables, |probes| {
        let receipts = pending(probes, happening, now, evidence.reach())?;
        if receipts.is_empty() {
            return Some(());
        }
        let matches = matches(&setup, probes, &receipts, happening, now, evidence)?;
        record(&setup, probes, evidence, &matches);
        Some(())
    });
    if recorded.is_some() || patience::is_refused() { Outcome::Done } else { Outcome::Outdated }
}

type Matches = SmallVec<[Match; 4]>;

/// The matches to record; None if this backend does not know a receipt's revision, or the match log has changed.
fn matches(
    setup: &Setup,
    probes: &mut Probes,
    receipts: &[Receipt],
    happening: Happening,
    now: i64,
    evidence: &dyn Evidence,
) -> Option<Matches> {
    let mut matches = Matches::new();
    for receipt in receipts {
        let revision = setup.revisions.get(&receipt.revision)?;
        let t = if let Time::Own(at) = happening.at {
            at
        } else {
            // If the clock was set back, what happened must not precede the sending of the message.
            before_its_reports(setup, probes, receipt, happening, now.max(receipt.sent_at))?
        };
        for goal in revision.goals.iter().filter_map(|id| evidence.goal(*id)) {
            let t = if happening.at == Time::OfChange {
                before_later_steps(probes, goal, receipt, happening, t)?
            } else {
                t
            };
            if !receipt.already.contains(&goal.id)
                && in_window(setup, probes, goal, receipt, t, happening.command)?
                && evidence.gained(goal.id, baseline(revision, receipt, goal.id).as_ref())
                && !is_recorded(probes, &setup.tables, goal, receipt.id, (t, happening))?
            {
                memory::room_in_small(&mut matches);
                matches.push(Match { goal_id: goal.id, receipt_id: receipt.id, at: t, cause: happening.cause });
            }
        }
    }
    Some(matches)
}

/// The time of a change or event: `t`, or just before the opens that its statement, or one nested in it, has reported.
/// None if the index of engagements has been replaced.
fn before_its_reports(
    setup: &Setup,
    probes: &mut Probes,
    receipt: &Receipt,
    happening: Happening,
    t: i64,
) -> Option<i64> {
    if !command::has_reported() {
        return Some(t);
    }
    let (log, tables) = (probes.engagements()?, &setup.tables);
    let reports = engagements::first_engagement_with(log, tables, receipt.id, happening.command);
    Some(reports.map_or(t, |at| (at - 1).max(receipt.sent_at).min(t)))
}

/// The time of a change: `t`, or just before the hits of nested statements that changed the row after it. Their
/// triggers have fired first. None if the match log has changed.
fn before_later_steps(
    probes: &mut Probes,
    goal: &Goal,
    receipt: &Receipt,
    happening: Happening,
    t: i64,
) -> Option<i64> {
    if Command::current() == happening.command {
        return Some(t);
    }
    let later = records::first_hit_of_a_later_command(probes.match_log()?, receipt.id, goal.id, happening.command);
    Some(later.map_or(t, |later| (later - 1).max(receipt.sent_at).min(t)))
}

/// The receipts of the person, as known before the change, for which one of the goals may still count; None if an index
/// has been replaced.
fn pending(probes: &mut Probes, of: Happening, now: i64, reach: Reach) -> Option<SmallVec<[Receipt; 2]>> {
    let mut receipts: SmallVec<[Receipt; 2]> = SmallVec::new();
    let since = if reach.by_sending { now.saturating_sub(reach.longest) } else { i64::MIN };
    let person = Person::of(probes, of.users, of.key, Some(of.command))?;
    records::visit_receipts_since(probes.receipts()?, of.users, &person, since, |row| {
        memory::check();
        let receipt = Receipt::read(row);
        if receipt.command.is_none_or(|recorded| recorded < of.command) {
            memory::room_in_small(&mut receipts);
            receipts.push(receipt);
        }
    });
    if person.only_key().is_none() {
        receipts.sort_unstable_by_key(|receipt| (receipt.sent_at, receipt.id));
    }
    Some(receipts)
}

/// True if `t` is in the goal's window for the receipt; None if the index of engagements has been replaced.
fn in_window(
    setup: &Setup,
    probes: &mut Probes,
    goal: &Goal,
    receipt: &Receipt,
    t: i64,
    command: Command,
) -> Option<bool> {
    let anchor = match goal.after {
        Anchor::Sent => Some(receipt.sent_at),
        after => {
            let (log, clicked) = (probes.engagements()?, after == Anchor::Clicked);
            engagements::first_engagement(log, &setup.tables, receipt.id, clicked, command)
        }
    };
    let Ok(limit) = TimeLimit::from_interval(0, 0, goal.time_limit) else { return Some(false) };
    Some(anchor.is_some_and(|anchor| limit.covers(anchor, t)))
}

fn baseline(revision: &Revision, receipt: &Receipt, goal: i32) -> Option<Decimal> {
    let i = revision.baselines.binary_search(&goal).ok()?;
    Decimal::from_numeric(receipt.baseline.get(i)?.as_deref()?)
}

/// The most earlier hits that are counted. For a goal with higher `times` every hit in its window is recorded: that
/// costs one row per event, while counting would cost `times` reads per event.
const COUNTED: i32 = 100;

/// True if the event has been recorded before, or the goal already has as many earlier hits as it needs. This hit can
/// then never be the match, and is not recorded: a counter that rises all day must not fill the log. Later hits are not
/// counted, because events may arrive newest first.
fn is_recorded(
    probes: &mut Probes,
    tables: &OwnTables,
    goal: &Goal,
    receipt_id: i64,
    (t, happening): (i64, Happening),
) -> Option<bool> {
    let log = probes.match_log()?;
    // A goal on the first event has it already, wherever the same one stands.
    let again = happening.cause.filter(|_| goal.times > 1 || happening.once);
    if again.is_some_and(|cause| records::has_hit_of(log, tables, receipt_id, goal.id, t, cause, COUNTED)) {
        return Some(true);
    }
    if goal.times > COUNTED {
        return Some(false);
    }
    Some(records::has_hits(log, receipt_id, goal.id, t, goal.times))
}

fn record(setup: &Setup, probes: &mut Probes, evidence: &dyn Evidence, matches: &Matches) {
    // The values are the same for every receipt and may be large: they are made once per goal.
    let mut made: SmallVec<[(i32, [Option<Datum>; 3]); 2]> = SmallVec::new();
    for &Match { goal_id, .. } in matches {
        if !made.iter().any(|(of, _)| *of == goal_id) {
            let worth = evidence.worth(goal_id).and_then(|worth| datum::numeric(&worth.to_string()));
            memory::room_in_small(&mut made);
            made.push((goal_id, [evidence.old_value(goal_id), evidence.new_value(goal_id), worth]));
        }
    }
    let mut append = |found: Match| {
        let Some(log) = probes.match_log() else { return };
        let kept = made.iter().find(|(of, _)| *of == found.goal_id).map_or([None; 3], |(_, values)| *values);
        records::append_match(log, &setup.tables, found, kept);
    };
    if let [only] = matches.as_slice() {
        return append(*only);
    }
    let scratch = Scratch::new();
    for of_receipt in matches {
        scratch.run(|| append(*of_receipt));
    }
}
