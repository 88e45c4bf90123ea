//! Recording receipts of one message.

use super::judge::Judgement;
use super::records::{self, NewReceipt, Sent};
use crate::model::reference::{GIVEN, reference};
use crate::pg::encoding;
use crate::pg::kept_open::{self, Probes, Statement};
use crate::pg::own_tables::OwnTables;
use crate::pg::own_tables::columns::receipt;
use crate::setup::definitions::{Arm, Message, Setup};

/// Makes receipts of one message.
pub struct Sender<'a> {
    setup: &'a Setup,
    message: &'a Message,
    probes: &'a mut Probes,
    /// True if each user gets one receipt.
    once: bool,
}

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
    pub receipt_id: i64,
    /// The variant's id.
    pub variant: Option<i32>,
    /// True if the user had the receipt already.
    pub repeated: bool,
}

/// True if the SQL of the extension is of 0.3 or later. That of 0.2 keeps its rules: it has no column to tell a receipt
/// that was sent although held out, and no result to tell a repeated one.
fn is_current(tables: &OwnTables) -> bool {
    tables.receipt.places().of(receipt::flags) != 0
}

/// The arm of a user of whom it is only known that the message was sent.
pub fn arm_of_sent<'a>(setup: &Setup, message: &'a Message, key: &[u8]) -> Arm<'a> {
    if is_current(&setup.tables) { message.arm_of_sent(key) } else { message.assigned(key).into() }
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

    fn with<T>(
        statement: Statement,
        setup: &Setup,
        message: &Message,
        once: bool,
        work: impl FnOnce(&mut Sender) -> T,
    ) -> Option<T> {
        kept_open::with_probes(statement, &setup.tables, |probes| {
            // Opened here, because `work` may use a memory context that ends before the statement.
            probes.receipt_log()?;
            if once {
                probes.receipts()?;
                probes.prepare_hand_overs();
            }
            Some(work(&mut Sender { setup, message, probes, once }))
        })
    }

    /// Appends a receipt, unless the user has it: made from the same ref, or of a message that each user gets once. Then
    /// that, of several the one sent first. None if the table refused it. Two transactions that do so at the same moment
    /// do not see each other's receipt, and each append one.
    pub fn deliver(
        &mut self,
        key: &[u8],
        arm: Arm,
        sent_at: i64,
        judgement: &Judgement,
        given: Option<&Ref>,
    ) -> Option<Delivered> {
        if let Some(given) = given
            && let Some(known) = records::find_by_reference(self.probes, self.setup, self.message, key, given.reference)
        {
            return Some(Delivered { receipt_id: known.id, variant: known.variant, repeated: true });
        }
        if self.once {
            let counts = |_: Sent| true;
            if let Some(first) = records::first_receipt(self.probes, self.setup, self.message, key, counts) {
                return Some(Delivered { receipt_id: first.id, variant: first.variant, repeated: true });
            }
        }
        let receipt_id = self.send(key, arm, sent_at, judgement, given.map(|given| given.reference))?;
        // Not opened without need: the context may be that of one row.
        if let Some(given) = given
            && let Some(references) = self.probes.reference_log()
        {
            records::keep_reference(references, receipt_id, given.reference, Some(&given.name));
        }
        Some(Delivered { receipt_id, variant: arm.variant.map(|v| v.id), repeated: false })
    }

    /// Appends a receipt made from what has this reference, if any, and returns its id; None if the table refused it.
    pub fn send(
        &mut self,
        key: &[u8],
        arm: Arm,
        sent_at: i64,
        judgement: &Judgement,
        row_ref: Option<i64>,
    ) -> Option<i64> {
        let receipt = NewReceipt {
            sent_at,
            users: self.message.users,
            revision: self.message.revision.id,
            variant: arm.variant.map(|v| v.id),
            held_out: arm.held_out,
            user_key: key,
            already: &judgement.already,
            baseline: &judgement.baseline,
            row_ref,
        };
        receipt.append(self.probes.receipt_log()?, &self.setup.tables)
    }
}
