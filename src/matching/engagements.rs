//! Engagements: what happened to a message after it was sent, read and appended by the names of their columns. Every
//! report is kept; which of several counts is decided when reading. Those of a machine never count as opens or clicks.

use super::person::Person;
use super::records::{Sent, of_receipt, visit_receipts_until};
use crate::model::epoch;
use crate::pg::append::{self, Appender};
use crate::pg::command::{self, Command};
use crate::pg::datum::{self, Row};
use crate::pg::kept_open::Probes;
use crate::pg::own_tables::OwnTables;
use crate::pg::own_tables::columns::engagement;
use crate::pg::scan::OwnedProbe;
use crate::setup::definitions::{Message, Setup};
use pgrx::pg_sys::Datum;
use std::ops::ControlFlow;

/// What can happen to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engagement {
    Delivered,
    Bounced,
    Opened,
    Clicked,
    Complained,
    Unsubscribed,
    /// It was never sent.
    Withdrawn,
    /// An entry into a programme of a person who had entered before, under another key.
    EnteredBefore,
}

/// What can be reported, and what it is called.
pub const KINDS: [(&str, Engagement); 6] = [
    ("delivered", Engagement::Delivered),
    ("bounced", Engagement::Bounced),
    ("opened", Engagement::Opened),
    ("clicked", Engagement::Clicked),
    ("complained", Engagement::Complained),
    ("unsubscribed", Engagement::Unsubscribed),
];

impl Engagement {
    /// What is called by this name.
    pub fn named(name: &str) -> Option<Engagement> {
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The value of engagement.kind.
    fn kind(self) -> u8 {
        match self {
            Engagement::Delivered => b'd',
            Engagement::Bounced => b'b',
            Engagement::Opened => b'o',
            Engagement::Clicked => b'c',
            Engagement::Complained => b'p',
            Engagement::Unsubscribed => b'u',
            Engagement::Withdrawn => b'w',
            Engagement::EnteredBefore => b'm',
        }
    }

    /// True if a program can do it as well as a person.
    fn can_be_a_machines(self) -> bool {
        matches!(self, Engagement::Opened | Engagement::Clicked)
    }
}

/// A report about a receipt.
#[derive(Clone, Copy)]
pub struct Report {
    pub kind: Engagement,
    /// A time before the sending is taken as the time of sending: it comes from a clock that is behind, or from a column
    /// without the hour.
    pub at: i64,
    /// True if the caller knows that a program did it.
    pub machine: bool,
}

impl Report {
    /// A report of a person.
    pub fn of(kind: Engagement, at: i64) -> Report {
        Report { kind, at, machine: false }
    }

    /// When it happened to this receipt.
    pub fn time(self, sent: Sent) -> i64 {
        self.at.max(sent.sent_at)
    }

    /// True if a program did it: the caller says so, or it came too soon after the sending. `message`: of the receipt.
    pub fn is_of_machine(self, message: Option<&Message>, sent: Sent) -> bool {
        let soon = |wait| self.time(sent) < sent.sent_at.saturating_add(wait);
        self.kind.can_be_a_machines()
            && (self.machine || message.and_then(|message| message.engagement_after).is_some_and(soon))
    }
}

/// Appends an engagement; false if the table refused it. `message`: of the receipt, if it is known.
pub fn engage(
    engagements: &Appender,
    tables: &OwnTables,
    message: Option<&Message>,
    sent: Sent,
    report: Report,
) -> bool {
    command::reported(report.at);
    append::next_id(tables.engagement_id_seq).is_some_and(|id| {
        let row = engagement::New {
            engagement_id: Some(id.into()),
            receipt_id: Some(sent.id.into()),
            at: Some(report.time(sent).into()),
            kind: Some(Datum::from(report.kind.kind())),
        };
        let machine = report.is_of_machine(message, sent).then(|| true.into());
        engagements.append(row.values(), &[(tables.engagement.places().of(engagement::machine), machine)])
    })
}

/// True if the engagement is that of a machine.
fn is_of_machine(row: &Row, tables: &OwnTables) -> bool {
    row.byte(tables.engagement.places().of(engagement::machine)) != 0
}

/// True if a person opened the message; a click is also an open. `clicked`: true if only a click counts.
fn is_open(row: &Row, tables: &OwnTables, clicked: bool) -> bool {
    let kind = row.byte(engagement::kind);
    let is_it = kind == Engagement::Clicked.kind() || !clicked && kind == Engagement::Opened.kind();
    is_it && !is_of_machine(row, tables)
}

/// When the message was first opened or clicked, by what is recorded so far; None if it was not. A click is also an
/// open. `command`: of the change; what it or a later command has reported does not come before it.
pub fn first_engagement(
    engagements: &mut OwnedProbe,
    tables: &OwnTables,
    receipt_id: i64,
    clicked: bool,
    command: Command,
) -> Option<i64> {
    first(engagements, receipt_id, |row| {
        let is_it = is_open(row, tables, clicked);
        is_it && !came_with(row, command)
    })
}

/// The earliest of the opens and clicks of a receipt that the command of a change or a later one has reported.
pub fn first_engagement_with(
    engagements: &mut OwnedProbe,
    tables: &OwnTables,
    receipt_id: i64,
    command: Command,
) -> Option<i64> {
    first(engagements, receipt_id, |row| is_open(row, tables, false) && came_with(row, command))
}

/// True if the command of a change, or a later one, has reported this engagement. One with a time before the statement
/// was reported late: it came before.
fn came_with(row: &Row, command: Command) -> bool {
    command::of_row(row).is_some_and(|recorded| recorded >= command)
        && row.bigint(engagement::at) >= datum::statement_start()
}

/// The earliest time of the engagements of a receipt for which `counts` is true.
fn first(engagements: &mut OwnedProbe, receipt_id: i64, counts: impl Fn(&Row) -> bool) -> Option<i64> {
    let mut first: Option<i64> = None;
    engagements.visit(&[of_receipt(receipt_id)], false, |row| {
        if counts(row) {
            let at = row.bigint(engagement::at);
            first = Some(first.map_or(at, |f| f.min(at)));
        }
        ControlFlow::Continue(())
    });
    first
}

/// The earliest engagement of this kind that has been recorded for the receipt, of those of machines or of the others.
pub fn earliest(
    engagements: &mut OwnedProbe,
    tables: &OwnTables,
    receipt_id: i64,
    kind: Engagement,
    machine: bool,
) -> Option<i64> {
    first(engagements, receipt_id, |row| {
        row.byte(engagement::kind) == kind.kind() && is_of_machine(row, tables) == machine
    })
}

/// True if an engagement of this kind, not of a machine, has been recorded for the receipt.
pub fn is_engaged(engagements: &mut OwnedProbe, tables: &OwnTables, receipt_id: i64, kind: Engagement) -> bool {
    let mut engaged = false;
    engagements.visit(&[of_receipt(receipt_id)], false, |row| {
        engaged = row.byte(engagement::kind) == kind.kind() && !is_of_machine(row, tables);
        if engaged { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    engaged
}

/// How many engagements of a receipt are read at most to see whether it is withdrawn: of the oldest, and of the newest.
/// What was never sent has few.
const LOOKED_AT: usize = 10;

/// True if it is recorded that the message of the receipt was never sent.
pub fn is_withdrawn(engagements: &mut OwnedProbe, receipt_id: i64) -> bool {
    let mut withdrawn = false;
    for backwards in [false, true] {
        let mut left = LOOKED_AT;
        engagements.visit(&[of_receipt(receipt_id)], backwards, |row| {
            withdrawn = row.byte(engagement::kind) == Engagement::Withdrawn.kind();
            left -= 1;
            if withdrawn || left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // Otherwise all have been read.
        if withdrawn || left > 0 {
            break;
        }
    }
    withdrawn
}

/// Of the receipts of a row, the one that counts: the last that is not withdrawn, else the last.
pub fn current(probes: &mut Probes, made: &[Sent]) -> Option<Sent> {
    match made {
        [] => None,
        [one] => Some(*one),
        [.., last] => Some(last_sent(probes, made).unwrap_or(*last)),
    }
}

/// The last of these receipts that is not withdrawn.
pub fn last_sent(probes: &mut Probes, made: &[Sent]) -> Option<Sent> {
    let engagements = probes.engagements()?;
    made.iter().rev().find(|sent| !is_withdrawn(engagements, sent.id)).copied()
}

/// The receipt that a report about a message and a user belongs to.
pub enum Latest {
    Of(Sent),
    /// There are only receipts of the control group, and withdrawn ones; the id of the latest of the control group.
    Control(i64),
    /// There are withdrawn receipts only; the id of the latest.
    Withdrawn(i64),
    None,
}

/// The latest receipt of a user for a message that was sent at or before a time and not withdrawn. A time without a
/// fraction of a second may have been cut: then the latest sent in that second. `withdrawn` tells whether a receipt is
/// withdrawn. None if a table cannot be used.
pub fn latest(
    probes: &mut Probes,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    at: i64,
    withdrawn: &mut dyn FnMut(&mut OwnedProbe, i64) -> bool,
) -> Option<Latest> {
    let mut latest = Latest::None;
    let person = Person::of(probes, message.users, key, None)?;
    let (receipts, engagements) = probes.receipts_and_engagements()?;
    visit_receipts_until(receipts, setup, message, &person, epoch::last_moment(at), |sent| {
        if message.is_control(sent.variant) {
            if let Latest::None | Latest::Withdrawn(_) = latest {
                latest = Latest::Control(sent.id);
            }
            return ControlFlow::Continue(());
        }
        if withdrawn(engagements, sent.id) {
            if let Latest::None = latest {
                latest = Latest::Withdrawn(sent.id);
            }
            return ControlFlow::Continue(());
        }
        latest = Latest::Of(sent);
        ControlFlow::Break(())
    });
    Some(latest)
}
