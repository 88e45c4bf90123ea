//! Reporting what was sent, and assigning the variant beforehand.

use super::{not_empty, not_recorded, reported_time};
use crate::matching::judge::{Judgement, look_up};
use crate::matching::send::{self, Assigned, Delivered, Delivery, Fate, HELD_OUT, Ref, Sender, arm_of_sent};
use crate::model::error::{Error, Result};
use crate::pg::append;
use crate::pg::call::{Args, Out};
use crate::pg::errors;
use crate::pg::kept_open::Statement;
use crate::pg::key::KeyType;
use crate::pg::memory;
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::pg::user_lookup::Users;
use crate::setup::cache::required_setup;
use crate::setup::definitions::{Arm, Message, Revision, Setup, Source, Variant};

/// What a call says.
enum Call {
    /// record_sent(): the message was sent, in the variant of this name if there is one; control, held out: it was not.
    Sent(Option<String>),
    /// deliver(): it is to be sent, unless the user is held back.
    Deliver,
}

/// What decides the arm of a user.
#[derive(Clone, Copy)]
enum ArmBy<'a> {
    Name(&'a Variant),
    /// The assignment, of a user who may be held back.
    Assignment,
    /// The assignment, of a user who was sent the message.
    AssignmentOfSent,
    /// A programme holds the user out.
    HeldOut,
}

impl<'a> ArmBy<'a> {
    fn of(setup: &Setup, call: Call, message: &'a Message) -> Result<ArmBy<'a>> {
        Ok(match call {
            Call::Sent(Some(variant)) if send::says_held_out(message, &variant) => ArmBy::HeldOut,
            Call::Sent(Some(variant)) => ArmBy::Name(named(setup, message, &variant)?),
            Call::Sent(None) => ArmBy::AssignmentOfSent,
            Call::Deliver => ArmBy::Assignment,
        })
    }

    fn arm(self, setup: &Setup, message: &'a Message, key: &[u8]) -> Arm<'a> {
        match self {
            ArmBy::Name(variant) => Some(variant).into(),
            ArmBy::Assignment => message.assigned(key).into(),
            ArmBy::AssignmentOfSent => arm_of_sent(setup, message, key),
            ArmBy::HeldOut => Arm::default(),
        }
    }

    fn fate(self, message: &Message) -> Fate {
        match self {
            ArmBy::Name(variant) if message.is_control(Some(variant.id)) => Fate::Assigned,
            ArmBy::Name(_) | ArmBy::AssignmentOfSent => Fate::Sent,
            ArmBy::Assignment => Fate::Assigned,
            ArmBy::HeldOut => Fate::HeldOut,
        }
    }
}

/// The variant of this name. Who looks for the control group of a programme is told how to name it.
fn named<'a>(setup: &Setup, message: &'a Message, variant: &str) -> Result<&'a Variant> {
    message.variant(variant).map_err(|unknown| {
        let holds_back = setup.programmes_of(message).into_iter().find(|p| p.control.is_some());
        match holds_back.filter(|_| variant == "control") {
            Some(p) => Error::ControlOfProgramme { message: message.name.clone(), programme: p.name.clone() },
            None => unknown,
        }
    })
}

/// Judges the state of a user for the goals of other revisions.
fn judge<'a>(
    setup: &'a Setup,
    source: &'a Source,
    users: &'a mut Users,
    key: &'a [u8],
) -> impl FnMut(&Revision) -> Judgement + 'a {
    move |revision| {
        let known = look_up(setup, revision, source, users, key).flatten();
        known.map_or_else(|| Judgement::unknown(revision), |(_, judgement)| judgement)
    }
}

fn send_one<T>(
    args: &Args,
    call: Call,
    sent_at: Option<i64>,
    given: Option<Vec<u8>>,
    result: impl FnOnce(&Message, Delivered) -> T,
) -> Result<T> {
    let (name, key) = (args.text_required(0, "message")?, args.user_key(1)?);
    append::begin();
    let setup = required_setup()?;
    let message = setup.message(&name)?;
    let by = ArmBy::of(&setup, call, message)?;
    let sent_at = reported_time(sent_at, "sent_at")?;
    let source = setup.users(message.users)?;
    let mut users = source.open()?;
    let (key, judgement) = look_up(&setup, &message.revision, source, &mut users, &key)
        .ok_or_else(|| source.gone())?
        .ok_or_else(|| source.unknown(&key))?;
    let given = given.map(|name| not_empty(name, "ref").map(Ref::of)).transpose()?;
    let delivered = Sender::of_call(Statement::of_call(), &setup, message, |sender| {
        let (arm, fate) = (by.arm(&setup, message, &sender.first_known(&key)), by.fate(message));
        let delivery = Delivery { key: &key, arm, fate, sent_at, judgement: &judgement };
        sender.deliver(&delivery, given.as_ref(), &mut judge(&setup, source, &mut users, &key))
    })
    .flatten()
    .ok_or_else(not_recorded)?;
    Ok(result(message, delivered))
}

/// goals.record_sent(message, user_key, variant, sent_at, ref)
pub fn record_sent(args: &Args) -> Result<Out> {
    send_one(args, Call::Sent(args.text(2)), args.bigint(3), args.raw_text(4), |_, delivered| receipt_id(&delivered))
}

fn receipt_id(delivered: &Delivered) -> Out {
    delivered.receipt_id.map_or(Out::Null, Out::Bigint)
}

/// goals.deliver(message, user_key, sent_at, ref): records a receipt, unless the user has the one of this ref, or of a
/// message that is delivered once, or is held out of a programme; returns its id, the variant, whether to send, and
/// whether it was there already.
pub fn deliver(args: &Args) -> Result<Out> {
    send_one(args, Call::Deliver, args.bigint(2), args.raw_text(3), |message, delivered| {
        Out::Record(shown(message, &delivered).into())
    })
}

/// The columns of a result of deliver() but for the user's key.
fn shown(message: &Message, delivered: &Delivered) -> [Out; 4] {
    let variant = message.arms().find(|v| Some(v.id) == delivered.variant).map(|v| v.name.clone());
    let variant = if delivered.receipt_id.is_none() { Some(HELD_OUT.into()) } else { variant };
    // Who is held out of a programme is not sent what is part of it, whatever was sent before.
    let held_out = delivered.held_out && message.is_programme;
    let send = delivered.receipt_id.is_some() && !held_out && !message.is_control(delivered.variant);
    [receipt_id(delivered), variant.map_or(Out::Null, Out::Text), Out::Boolean(send), Out::Boolean(delivered.repeated)]
}

/// The distinct keys in their stored spelling, in the order of the look-up, and how many given keys no user can have.
fn distinct(keys: Vec<Option<Vec<u8>>>, key_type: KeyType) -> (Vec<Vec<u8>>, usize) {
    let given = keys.len();
    let mut valid: Vec<Vec<u8>> = memory::vec(given);
    valid.extend(keys.into_iter().flatten().filter_map(|k| key_type.canonical(&k)));
    let invalid = given - valid.len();
    valid.sort_unstable();
    valid.dedup();
    (valid, invalid)
}

/// Records receipts for several users and returns how many. `sent` is called for each user who has one now.
fn send_many(
    args: &Args,
    call: Call,
    sent_at: Option<i64>,
    mut sent: impl FnMut(&Message, &[u8], Delivered),
) -> Result<i64> {
    let name = args.text_required(0, "message")?;
    let keys = args.user_keys(1)?;
    append::begin();
    let setup = required_setup()?;
    let message = setup.message(&name)?;
    let by = ArmBy::of(&setup, call, message)?;
    let sent_at = reported_time(sent_at, "sent_at")?;
    let source = setup.users(message.users)?;
    let (keys, mut unknown) = distinct(keys, source.key_type()?);
    let fate = by.fate(message);
    let mut users = source.open()?;
    let count = Sender::of_call(Statement::of_call(), &setup, message, |sender| {
        let scratch = Scratch::new();
        let mut count = 0;
        for key in &keys {
            check_for_interrupts();
            let receipt = scratch.run(|| {
                let (stored, judgement) = look_up(&setup, &message.revision, source, &mut users, key)??;
                let arm = by.arm(&setup, message, &sender.first_known(&stored));
                let delivery = Delivery { key: &stored, arm, fate, sent_at, judgement: &judgement };
                let delivered = sender.deliver(&delivery, None, &mut judge(&setup, source, &mut users, &stored));
                Some((stored, delivered))
            });
            match receipt {
                Some((stored, delivered)) => {
                    let delivered = delivered.ok_or_else(not_recorded)?;
                    count += i64::from(delivered.receipt_id.is_some() && !delivered.repeated);
                    sent(message, &stored, delivered);
                }
                None => unknown += 1,
            }
        }
        Ok(count)
    })
    .unwrap_or_else(|| Err(not_recorded()))?;
    if unknown > 0 {
        let (keys, are, were) = if unknown == 1 { ("key", "is", "was") } else { ("keys", "are", "were") };
        errors::notice(format!("{unknown} user {keys} {are} not in {} and {were} left out", source.name()), None);
    }
    Ok(count)
}

/// goals.record_sent(message, user_keys[], variant, sent_at): records receipts; returns how many.
pub fn record_sent_array(args: &Args) -> Result<Out> {
    send_many(args, Call::Sent(args.text(2)), args.bigint(3), |_, _, _| ()).map(Out::Bigint)
}

/// goals.deliver(message, user_keys[], sent_at): as for one user, one row per user.
pub fn deliver_array(args: &Args) -> Result<Out> {
    let mut rows = Vec::new();
    send_many(args, Call::Deliver, args.bigint(2), |message, key, delivered| {
        memory::room(&mut rows, 1);
        let mut row = vec![Out::Raw(key.to_vec())];
        row.extend(shown(message, &delivered));
        rows.push(row);
    })?;
    Ok(Out::Rows(rows))
}

/// goals.assign(message, user_key): the variant, control or held out; NULL for a message without variants and control
/// group.
pub fn assign(args: &Args) -> Result<Out> {
    let (name, key) = (args.text_required(0, "message")?, args.user_key(1)?);
    let setup = required_setup()?;
    let message = setup.message(&name)?;
    let users = setup.users(message.users)?;
    users.refuse_list(&key)?;
    let key = users.key_type()?.canonical(&key).unwrap_or(key);
    Ok(match send::assigned(Statement::of_call(), &setup, message, &key) {
        Assigned::Arm(variant) => variant.map_or(Out::Null, |v| Out::Text(v.name.clone())),
        Assigned::HeldOut => Out::Text(HELD_OUT.into()),
    })
}
