//! Reporting opens and clicks, by message and user or by receipt.

use super::{not_recorded, reported_time};
use crate::matching::person::Person;
use crate::matching::records::{Engagement, engage, find_receipt, visit_receipts_until};
use crate::model::error::{Error, Result};
use crate::model::untyped;
use crate::pg::call::{Args, Out};
use crate::pg::kept_open::{self, Statement};
use crate::pg::{encoding, key, literal};
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Setup, Source, in_one_place};
use std::ops::ControlFlow;
use std::rc::Rc;

/// The name of the parameter that holds the time.
fn time_name(kind: Engagement) -> &'static str {
    match kind {
        Engagement::Opened => "opened_at",
        Engagement::Clicked => "clicked_at",
    }
}

fn call_name(kind: Engagement) -> &'static str {
    match kind {
        Engagement::Opened => "goals.record_opened",
        Engagement::Clicked => "goals.record_clicked",
    }
}

/// The time that a parameter without a type means where PostgreSQL took it as a user's key; None if it is no time as
/// drivers write it, or if a user has this key.
fn time_meant(setup: &Setup, key: &[u8]) -> Option<i64> {
    let text = encoding::to_string(key);
    let time = untyped::begins_with_a_date(&text).then(|| literal::time(&text)).flatten()?;
    let is_user = |source: &&Rc<Source>| {
        let known = source.kind == "users" && source.key_type().is_ok_and(|t| t.canonical(key).is_some());
        known && source.open().is_ok_and(|mut users| users.find(key, |_, _, _| ()) != Some(false))
    };
    setup.sources.iter().find(is_user).is_none().then_some(time)
}

fn engaged(args: &Args, kind: Engagement) -> Result<Out> {
    let (name, given) = (args.text_required(0, "message")?, args.user_key(1)?);
    let at = reported_time(args.bigint(2), time_name(kind))?;
    let setup = required_setup()?;
    let message = match setup.message(&name) {
        Ok(message) => message,
        Err(unknown) => {
            let Some(receipt_id) = untyped::receipt_id(&name) else { return Err(unknown) };
            return match time_meant(&setup, &given) {
                Some(at) => engage_receipt(&setup, receipt_id, reported_time(Some(at), time_name(kind))?, kind),
                None => Err(Error::UnknownMessageOrReceipt { name, call: call_name(kind) }),
            };
        }
    };
    let source = setup.users(message.users)?;
    let key = source.key_type()?.canonical(&given).ok_or_else(|| source.unknown(&given))?;
    let (mut receipt, mut control) = (None, None);
    let engaged = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        let person = Person::of(probes, message.users, &key, None)?;
        visit_receipts_until(probes.receipts()?, &setup, message, &person, at, |sent| {
            if message.is_control(sent.variant) {
                control = control.or(Some(sent.id));
                return ControlFlow::Continue(());
            }
            receipt = Some(sent);
            ControlFlow::Break(())
        });
        Some(engage(probes.engagement_log()?, &setup.tables, receipt?, kind, at))
    })
    .unwrap_or(false);
    match (receipt, control) {
        (Some(_), _) if engaged => Ok(Out::Null),
        (Some(_), _) => Err(not_recorded()),
        (None, Some(receipt_id)) => Err(Error::ControlReceipt { receipt_id }),
        (None, None) if source.open()?.find(&key, |_, _, _| ()) == Some(false) => Err(source.unknown(&given)),
        (None, None) => Err(Error::NoReceipt { message: name, key: key::shown(&key) }),
    }
}

fn engaged_receipt(args: &Args, kind: Engagement) -> Result<Out> {
    let receipt_id = args.bigint(0).ok_or(Error::NullArgument { name: "receipt_id" })?;
    let at = reported_time(args.bigint(1), time_name(kind))?;
    let setup = required_setup()?;
    engage_receipt(&setup, receipt_id, at, kind)
}

fn engage_receipt(setup: &Setup, receipt_id: i64, at: i64, kind: Engagement) -> Result<Out> {
    let found = find_receipt(&setup.tables, receipt_id).ok_or_else(not_recorded)?;
    let sent = found.filter(|sent| !setup.is_dropped(sent.revision)).ok_or(Error::UnknownReceipt { receipt_id })?;
    if let Some(users) = setup.source(sent.users) {
        in_one_place(users.relation)?;
    }
    if setup.messages.values().any(|m| m.is_control(sent.variant)) {
        return Err(Error::ControlReceipt { receipt_id });
    }
    let engaged = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        probes.engagement_log().is_some_and(|engagements| engage(engagements, &setup.tables, sent, kind, at))
    });
    if engaged { Ok(Out::Null) } else { Err(not_recorded()) }
}

/// goals.record_opened(message, user_key, opened_at)
pub fn record_opened(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Opened)
}

/// goals.record_clicked(message, user_key, clicked_at)
pub fn record_clicked(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Clicked)
}

/// goals.record_opened(receipt_id, opened_at)
pub fn record_opened_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Opened)
}

/// goals.record_clicked(receipt_id, clicked_at)
pub fn record_clicked_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Clicked)
}
