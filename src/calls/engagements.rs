//! Reporting what happened to a message after it was sent, by message and user or by receipt.

use super::{not_recorded, reported_time};
use crate::matching::engagements::{Engagement, Latest, Report, engage, is_withdrawn, latest};
use crate::matching::records::{Sent, find_receipt};
use crate::matching::send::{self, Assigned};
use crate::model::error::{Error, Result};
use crate::model::untyped;
use crate::pg::append;
use crate::pg::call::{Args, Out};
use crate::pg::datum;
use crate::pg::kept_open::{self, Statement};
use crate::pg::{encoding, key, literal};
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Message, Setup, Source, in_one_place};
use std::rc::Rc;

/// The name of the parameter that holds the time.
fn time_name(kind: Engagement) -> &'static str {
    match kind {
        Engagement::Delivered => "delivered_at",
        Engagement::Bounced => "bounced_at",
        Engagement::Opened => "opened_at",
        Engagement::Clicked => "clicked_at",
        Engagement::Complained => "complained_at",
        Engagement::Unsubscribed => "unsubscribed_at",
        Engagement::Withdrawn | Engagement::EnteredBefore => "at",
    }
}

fn call_name(kind: Engagement) -> &'static str {
    match kind {
        Engagement::Delivered => "goals.record_delivered",
        Engagement::Bounced => "goals.record_bounced",
        Engagement::Opened => "goals.record_opened",
        Engagement::Clicked => "goals.record_clicked",
        Engagement::Complained => "goals.record_complained",
        Engagement::Unsubscribed => "goals.record_unsubscribed",
        Engagement::Withdrawn => "goals.withdraw",
        Engagement::EnteredBefore => "goals.merge_users",
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
    let machine = args.boolean(3) == Some(true);
    let setup = required_setup()?;
    let message = &match setup.message(&name) {
        Ok(message) => message,
        Err(unknown) => {
            let Some(receipt_id) = untyped::receipt_id(&name) else { return Err(unknown) };
            return match time_meant(&setup, &given) {
                Some(at) => {
                    let at = reported_time(Some(at), time_name(kind))?;
                    engage_receipt(&setup, receipt_id, Report { kind, at, machine })
                }
                None => Err(Error::UnknownMessageOrReceipt { name, call: call_name(kind) }),
            };
        }
    };
    if message.is_programme {
        return Err(Error::InvalidArgument {
            message: format!("message \"{name}\" is a programme, which is not sent itself"),
            hint: "Report what happens to the messages that are part of it.".into(),
        });
    }
    let source = setup.users(message.users)?;
    let key = source.key_type()?.canonical(&given).ok_or_else(|| source.unknown(&given))?;
    let latest = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        let latest = latest(probes, &setup, message, &key, at, &mut is_withdrawn)?;
        if let Latest::Of(sent) = latest {
            let (log, report) = (probes.engagement_log()?, Report { kind, at, machine });
            engage(log, &setup.tables, Some(message), sent, report).then_some(())?;
        }
        Some(latest)
    });
    match latest.ok_or_else(not_recorded)? {
        Latest::Of(_) => Ok(Out::Null),
        Latest::Control(receipt_id) => Err(Error::ControlReceipt { receipt_id }),
        _ if source.open()?.find(&key, |_, _, _| ()) == Some(false) => Err(source.unknown(&given)),
        Latest::Withdrawn(receipt_id) => {
            let (key, call) = (key::shown(&key), call_name(kind));
            Err(Error::WithdrawnReceipt { message: name, key, receipt_id, call })
        }
        Latest::None => {
            let shown = key::shown(&key);
            Err(match send::assigned(Statement::of_call(), &setup, message, &key) {
                Assigned::HeldOut => Error::NoReceiptOfHeldOut { message: name, key: shown },
                Assigned::Arm(_) => Error::NoReceipt { message: name, key: shown },
            })
        }
    }
}

fn engaged_receipt(args: &Args, kind: Engagement) -> Result<Out> {
    let receipt_id = args.bigint(0).ok_or(Error::NullArgument { name: "receipt_id" })?;
    let at = reported_time(args.bigint(1), time_name(kind))?;
    let setup = required_setup()?;
    engage_receipt(&setup, receipt_id, Report::of(kind, at))
}

/// The receipt of this id, of a user who was sent the message, and its message; an error if there is none.
fn receipt_sent(setup: &Setup, receipt_id: i64) -> Result<(Sent, Option<Rc<Message>>)> {
    let found = find_receipt(&setup.tables, receipt_id).ok_or_else(not_recorded)?;
    let sent = found
        .filter(|sent| !setup.is_dropped(sent.revision, sent.message))
        .ok_or(Error::UnknownReceipt { receipt_id })?;
    if let Some(users) = setup.source(sent.users) {
        in_one_place(users.relation)?;
    }
    if setup.messages.values().any(|m| m.is_control(sent.variant)) {
        return Err(Error::ControlReceipt { receipt_id });
    }
    let message = sent.message_id(setup).and_then(|id| setup.message_by_id(id));
    Ok((sent, message))
}

fn engage_receipt(setup: &Setup, receipt_id: i64, report: Report) -> Result<Out> {
    let (sent, message) = receipt_sent(setup, receipt_id)?;
    if sent.is_entry {
        return Err(Error::EntryReceipt { receipt_id });
    }
    let engaged = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        let log = probes.engagement_log();
        log.is_some_and(|log| engage(log, &setup.tables, message.as_deref(), sent, report))
    });
    if engaged { Ok(Out::Null) } else { Err(not_recorded()) }
}

/// goals.withdraw(receipt_id): that the message was never sent. A second call records nothing.
pub fn withdraw(args: &Args) -> Result<Out> {
    let receipt_id = args.bigint(0).ok_or(Error::NullArgument { name: "receipt_id" })?;
    append::refuse_if_read_only();
    let setup = required_setup()?;
    let (sent, _) = receipt_sent(&setup, receipt_id)?;
    if sent.is_entry {
        return Err(Error::EntryReceipt { receipt_id });
    }
    let withdrawn = kept_open::with_probes(Statement::of_call(), &setup.tables, |probes| {
        if is_withdrawn(probes.engagements()?, receipt_id) {
            return Some(());
        }
        let report = Report::of(Engagement::Withdrawn, datum::clock());
        engage(probes.engagement_log()?, &setup.tables, None, sent, report).then_some(())
    });
    withdrawn.map(|()| Out::Null).ok_or_else(not_recorded)
}

/// goals.record_delivered(message, user_key, delivered_at)
pub fn record_delivered(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Delivered)
}

/// goals.record_bounced(message, user_key, bounced_at)
pub fn record_bounced(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Bounced)
}

/// goals.record_opened(message, user_key, opened_at, machine)
pub fn record_opened(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Opened)
}

/// goals.record_clicked(message, user_key, clicked_at, machine)
pub fn record_clicked(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Clicked)
}

/// goals.record_complained(message, user_key, complained_at)
pub fn record_complained(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Complained)
}

/// goals.record_unsubscribed(message, user_key, unsubscribed_at)
pub fn record_unsubscribed(args: &Args) -> Result<Out> {
    engaged(args, Engagement::Unsubscribed)
}

/// goals.record_delivered(receipt_id, delivered_at)
pub fn record_delivered_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Delivered)
}

/// goals.record_bounced(receipt_id, bounced_at)
pub fn record_bounced_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Bounced)
}

/// goals.record_opened(receipt_id, opened_at)
pub fn record_opened_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Opened)
}

/// goals.record_clicked(receipt_id, clicked_at)
pub fn record_clicked_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Clicked)
}

/// goals.record_complained(receipt_id, complained_at)
pub fn record_complained_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Complained)
}

/// goals.record_unsubscribed(receipt_id, unsubscribed_at)
pub fn record_unsubscribed_receipt(args: &Args) -> Result<Out> {
    engaged_receipt(args, Engagement::Unsubscribed)
}
