//! Recording receipts of one message, and the entries into the programmes that it is part of.
//!
//! A user enters a programme with the first message of it. The entry is a receipt of the programme: it has goals and an
//! arm of its own, and that arm stays. A session that sees no entry records one; of two that are recorded at the same
//! moment the earlier counts. A user who is in the control group of a programme gets nothing that is part of it.

use super::engagements::is_withdrawn;
use super::judge::Judgement;
use super::records::{self, NewReceipt, Sent};
use crate::model::reference::{GIVEN, reference};
use crate::pg::encoding;
use crate::pg::kept_open::{self, Probes, Statement};
use crate::pg::own_tables::OwnTables;
use crate::pg::own_tables::columns::receipt;
use crate::pg::scan::OwnedProbe;
use crate::setup::definitions::{Arm, Message, Revision, Setup, Variant};
use std::borrow::Cow;
use std::rc::Rc;

/// Makes receipts of one message.
pub struct Sender<'a> {
    setup: &'a Setup,
    message: &'a Message,
    /// The programmes that it is part of, the outermost first.
    programmes: &'a [&'a Rc<Message>],
    probes: &'a mut Probes,
    /// True if each user gets one receipt.
    once: bool,
}

/// A message to a user.
pub struct Delivery<'a> {
    /// The user's key as stored.
    pub key: &'a [u8],
    pub arm: Arm<'a>,
    pub fate: Fate,
    pub sent_at: i64,
    pub judgement: &'a Judgement,
}

/// What becomes of a message to a user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was sent.
    Sent,
    /// It is to be sent or held back, as the arm says, unless a programme holds the user out.
    Assigned,
    /// A programme holds the user out.
    HeldOut,
}

/// What is said of a user whom a programme holds out, where others have a variant.
pub const HELD_OUT: &str = "held out";

/// True if this is said of a user whom a programme above this message holds out, and is no variant.
pub fn says_held_out(message: &Message, variant: &str) -> bool {
    variant == HELD_OUT && message.parent.is_some() && message.arms().all(|v| v.name != HELD_OUT)
}

/// Judges the state of the user for the goals of another revision.
pub type Judge<'a> = &'a mut dyn FnMut(&Revision) -> Judgement;

/// A ref that a caller gives for a receipt.
pub struct Ref {
    name: Vec<u8>,
    reference: i64,
}

impl Ref {
    /// `name`: in the server's encoding.
    pub fn of(name: Vec<u8>) -> Ref {
        Ref { reference: reference(GIVEN, [&*encoding::to_model(&name)]), name }
    }
}

/// The receipt of a user.
pub struct Delivered {
    /// None if a programme holds the user out: there is no receipt.
    pub receipt_id: Option<i64>,
    /// The variant's id.
    pub variant: Option<i32>,
    /// True if it was sent although held out.
    pub held_out: bool,
    /// True if the user had the receipt already.
    pub repeated: bool,
}

impl Delivered {
    /// To a user whom a programme holds out.
    const NOTHING: Delivered = Delivered { receipt_id: None, variant: None, held_out: true, repeated: false };
}

impl From<Sent> for Delivered {
    /// The receipt that there is already.
    fn from(sent: Sent) -> Delivered {
        Delivered { receipt_id: Some(sent.id), variant: sent.variant, held_out: sent.held_out, repeated: true }
    }
}

/// True if the SQL of the extension is of 0.3 or later. That of 0.2 keeps its rules: it has no column to tell a receipt
/// that was sent although held out, and no result to tell a repeated one.
pub fn is_current(tables: &OwnTables) -> bool {
    tables.receipt.places().of(receipt::flags) != 0
}

/// The arm of a user of whom it is only known that the message was sent.
pub fn arm_of_sent<'a>(setup: &Setup, message: &'a Message, key: &[u8]) -> Arm<'a> {
    if is_current(&setup.tables) { message.arm_of_sent(key) } else { message.assigned(key).into() }
}

/// The key by which the user with this one is assigned: under which the person was first known. It is looked for only if
/// it matters.
pub fn first_known<'a>(statement: Statement, setup: &Setup, message: &Message, key: &'a [u8]) -> Cow<'a, [u8]> {
    if message.arms().next().is_none() {
        return Cow::Borrowed(key);
    }
    let first = |probes: &mut Probes| records::first_known(probes, message.users, key);
    kept_open::with_probes(statement, &setup.tables, first).unwrap_or(Cow::Borrowed(key))
}

/// The entry of a user into a programme.
fn entry(probes: &mut Probes, setup: &Setup, programme: &Message, key: &[u8]) -> Option<Sent> {
    records::first_receipt(probes, setup, programme, key, |_, _| true)
}

/// True if a user who entered a programme like this is held out of it. Who was sent something in spite of that is held
/// out still.
fn is_held_out(programme: &Message, variant: Option<i32>, although: bool) -> bool {
    although || programme.is_control(variant)
}

/// What goals.assign() says of a user.
pub enum Assigned<'a> {
    Arm(Option<&'a Variant>),
    /// The control group of a programme above holds the user out.
    HeldOut,
}

/// The arm that a user gets. In a programme it is that of the entry, if there is one.
pub fn assigned<'a>(statement: Statement, setup: &Setup, message: &'a Message, key: &[u8]) -> Assigned<'a> {
    if message.parent.is_none() && message.arms().next().is_none() {
        return Assigned::Arm(None);
    }
    let first_key = first_known(statement, setup, message, key);
    let by_assignment = message.assigned(&first_key);
    if message.parent.is_none() && !message.is_programme {
        return Assigned::Arm(by_assignment);
    }
    kept_open::with_probes(statement, &setup.tables, |probes| {
        let is_held_out = |programme: &&Rc<Message>| match entry(probes, setup, programme, key) {
            Some(entry) => is_held_out(programme, entry.variant, entry.held_out),
            None => {
                let first_key = records::first_known(probes, programme.users, key).unwrap_or(Cow::Borrowed(key));
                programme.is_control(programme.assigned(&first_key).map(|v| v.id))
            }
        };
        if setup.programmes_of(message).iter().any(is_held_out) {
            return Assigned::HeldOut;
        }
        let entry = if message.is_programme { entry(probes, setup, message, key) } else { None };
        match entry.filter(|entry| !entry.held_out) {
            Some(entry) => Assigned::Arm(message.arms().find(|v| Some(v.id) == entry.variant)),
            None => Assigned::Arm(by_assignment),
        }
    })
}

impl Sender<'_> {
    /// Runs `work` with a sender for the calls that record what they are told: a one_off message once per user. None if
    /// the table of receipts is gone.
    pub fn of_call<T>(
        statement: Statement,
        setup: &Setup,
        message: &Message,
        work: impl FnOnce(&mut Sender) -> T,
    ) -> Option<T> {
        Sender::with(statement, setup, message, message.one_off && is_current(&setup.tables), work)
    }

    /// Runs `work` with a sender for the rows of a table, each of which is a receipt. None if the table of receipts is
    /// gone.
    pub fn of_rows<T>(
        statement: Statement,
        setup: &Setup,
        message: &Message,
        work: impl FnOnce(&mut Sender) -> T,
    ) -> Option<T> {
        Sender::with(statement, setup, message, false, work)
    }

    /// A programme is entered once, whatever reports it.
    fn with<T>(
        statement: Statement,
        setup: &Setup,
        message: &Message,
        once: bool,
        work: impl FnOnce(&mut Sender) -> T,
    ) -> Option<T> {
        let (once, programmes) = (once || message.is_programme, setup.programmes_of(message));
        kept_open::with_probes(statement, &setup.tables, |probes| {
            // Opened here, because `work` may use a memory context that ends before the statement.
            probes.receipt_log()?;
            if once || !programmes.is_empty() || message.arms().next().is_some() {
                probes.prepare_hand_overs();
                if probes.has_hand_overs() == Some(true) {
                    probes.receipts()?;
                }
            }
            if once || !programmes.is_empty() {
                probes.receipts_and_engagements()?;
            }
            Some(work(&mut Sender { setup, message, programmes: &programmes, probes, once }))
        })
    }

    /// The key by which the user with this one is assigned.
    pub fn first_known<'k>(&mut self, key: &'k [u8]) -> Cow<'k, [u8]> {
        if self.message.arms().next().is_none() && self.programmes.is_empty() {
            return Cow::Borrowed(key);
        }
        records::first_known(self.probes, self.message.users, key).unwrap_or(Cow::Borrowed(key))
    }

    /// [`Sender::record`], unless the user has the receipt made from the same ref: then that. Two transactions that do
    /// so at the same moment do not see each other's receipt, and each append one.
    pub fn deliver(&mut self, delivery: &Delivery, given: Option<&Ref>, judge: Judge) -> Option<Delivered> {
        let Some(given) = given else { return self.record(delivery, None, judge) };
        let (key, reference) = (delivery.key, given.reference);
        if let Some(known) = self.of_reference(key, reference) {
            return Some(known.into());
        }
        let delivered = self.record(delivery, Some(reference), judge)?;
        // Not opened without need: the context may be that of one row.
        if let Some(receipt_id) = delivered.receipt_id.filter(|_| !delivered.repeated)
            && let Some(references) = self.probes.reference_log()
        {
            records::keep_reference(references, receipt_id, reference, Some(&given.name));
        }
        Some(delivered)
    }

    /// Enters the programmes above the message that the user has not entered, and appends a receipt of it made from what
    /// has this reference, if any. Where a user gets one receipt only: the one that there is, of several the one sent
    /// first. None if the table refused a receipt.
    pub fn record(&mut self, delivery: &Delivery, row_ref: Option<i64>, judge: Judge) -> Option<Delivered> {
        if self.once {
            let counts = |engagements: &mut OwnedProbe, sent: Sent| !is_withdrawn(engagements, sent.id);
            if let Some(first) = records::first_receipt(self.probes, self.setup, self.message, delivery.key, counts) {
                return Some(first.into());
            }
        }
        let held_out = !self.programmes.is_empty() && self.enter(delivery, judge)?;
        let arm = match delivery.fate {
            Fate::Sent if held_out => Arm::HELD_OUT,
            Fate::Assigned if held_out => return Some(Delivered::NOTHING),
            Fate::HeldOut => return Some(Delivered::NOTHING),
            _ => delivery.arm,
        };
        let receipt_id = self.append(self.message, delivery, arm, delivery.judgement, row_ref)?;
        let variant = arm.variant.map(|v| v.id);
        Some(Delivered { receipt_id: Some(receipt_id), variant, held_out: arm.held_out, repeated: false })
    }

    /// Enters the programmes above the message, the outermost first, unless the user has entered them: those below a
    /// control group only if the message was sent. True if one of them holds the user out.
    fn enter(&mut self, delivery: &Delivery, judge: Judge) -> Option<bool> {
        let (was_sent, mut held_out) = (delivery.fate == Fate::Sent, false);
        for programme in self.programmes {
            held_out |= match entry(self.probes, self.setup, programme, delivery.key) {
                Some(entry) => is_held_out(programme, entry.variant, entry.held_out),
                None => {
                    let key = self.first_known(delivery.key);
                    let arm = match was_sent {
                        true if held_out => Arm::HELD_OUT,
                        true => programme.arm_of_sent(&key),
                        false => programme.assigned(&key).into(),
                    };
                    self.append(programme, delivery, arm, &judge(&programme.revision), None)?;
                    is_held_out(programme, arm.variant.map(|v| v.id), arm.held_out)
                }
            };
            if held_out && !was_sent {
                break;
            }
        }
        Some(held_out)
    }

    /// The first receipt of a user that was made from what has this reference, of those that were sent.
    fn of_reference(&mut self, key: &[u8], reference: i64) -> Option<Sent> {
        let made = records::all_by_reference(self.probes, self.setup, self.message, key, reference)?;
        let mut was_sent = |sent: &Sent| self.probes.engagements().is_none_or(|log| !is_withdrawn(log, sent.id));
        made.into_iter().find(|sent| was_sent(sent))
    }

    /// Appends a receipt of this message and returns its id; None if the table refused it.
    fn append(
        &mut self,
        message: &Message,
        delivery: &Delivery,
        arm: Arm,
        judgement: &Judgement,
        row_ref: Option<i64>,
    ) -> Option<i64> {
        let receipt = NewReceipt {
            sent_at: delivery.sent_at,
            users: message.users,
            revision: message.revision.id,
            message: message.id_in_receipts(),
            variant: arm.variant.map(|v| v.id),
            held_out: arm.held_out,
            entry: message.is_programme,
            user_key: delivery.key,
            already: &judgement.already,
            baseline: &judgement.baseline,
            row_ref,
        };
        receipt.append(self.probes.receipt_log()?, &self.setup.tables)
    }
}
