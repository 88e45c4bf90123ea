//! Recording receipts of one message.

use super::judge::Judgement;
use super::records::NewReceipt;
use crate::pg::append::Appender;
use crate::pg::kept_open::{self, Statement};
use crate::setup::definitions::{Message, Setup, Variant};

/// Makes receipts of one message.
pub struct Sender<'a> {
    setup: &'a Setup,
    message: &'a Message,
    receipts: &'a Appender,
}

impl Sender<'_> {
    /// Runs `work` with a sender; None if the table of receipts is gone.
    pub fn with<T>(
        statement: Statement,
        setup: &Setup,
        message: &Message,
        work: impl FnOnce(&Sender) -> T,
    ) -> Option<T> {
        kept_open::with_probes(statement, &setup.tables, |probes| {
            let receipts = probes.receipt_log()?;
            Some(work(&Sender { setup, message, receipts }))
        })
    }

    /// Appends a receipt made from what has this reference, if any, and returns its id; None if the table refused it.
    pub fn send(
        &self,
        key: &[u8],
        variant: Option<&Variant>,
        sent_at: i64,
        judgement: &Judgement,
        row_ref: Option<i64>,
    ) -> Option<i64> {
        let receipt = NewReceipt {
            sent_at,
            users: self.message.users,
            revision: self.message.revision.id,
            variant: variant.map(|v| v.id),
            user_key: key,
            already: &judgement.already,
            baseline: &judgement.baseline,
            row_ref,
        };
        receipt.append(self.receipts, &self.setup.tables)
    }
}
