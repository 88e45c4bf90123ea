//! Reporting what was sent, and assigning the variant beforehand.

use super::{not_recorded, reported_time};
use crate::matching::judge::look_up;
use crate::matching::send::Sender;
use crate::model::error::Result;
use crate::pg::append;
use crate::pg::call::{Args, Out};
use crate::pg::errors;
use crate::pg::kept_open::Statement;
use crate::pg::key::KeyType;
use crate::pg::memory;
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::setup::cache::required_setup;
use crate::setup::definitions::Variant;

fn send_one(args: &Args, variant: Option<String>, sent_at: Option<i64>) -> Result<(i64, Option<Variant>, bool)> {
    let (name, key) = (args.text_required(0, "message")?, args.user_key(1)?);
    append::begin();
    let setup = required_setup()?;
    let message = setup.message(&name)?;
    let given = variant.map(|v| message.variant(&v)).transpose()?;
    let sent_at = reported_time(sent_at, "sent_at")?;
    let source = setup.users(message.users)?;
    let (key, judgement) = look_up(&setup, message, source, &mut source.open()?, &key)
        .ok_or_else(|| source.gone())?
        .ok_or_else(|| source.unknown(&key))?;
    let variant = given.or_else(|| message.assigned(&key));
    let id = Sender::with(Statement::of_call(), &setup, message, |sender| {
        sender.send(&key, variant, sent_at, &judgement, None)
    })
    .flatten()
    .ok_or_else(not_recorded)?;
    Ok((id, variant.cloned(), message.is_control(variant.map(|v| v.id))))
}

/// goals.record_sent(message, user_key, variant, sent_at)
pub fn record_sent(args: &Args) -> Result<Out> {
    send_one(args, args.text(2), args.bigint(3)).map(|(id, ..)| Out::Bigint(id))
}

/// goals.deliver(message, user_key, sent_at): records a receipt; returns its id, the variant, and whether to send.
pub fn deliver(args: &Args) -> Result<Out> {
    let (id, variant, control) = send_one(args, None, args.bigint(2))?;
    Ok(Out::Record(vec![
        Out::Bigint(id),
        variant.map_or(Out::Null, |v| Out::Text(v.name)),
        Out::Boolean(!control),
        Out::Boolean(false),
    ]))
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

fn send_many(
    args: &Args,
    variant: Option<String>,
    sent_at: Option<i64>,
    mut sent: impl FnMut(&[u8], i64, Option<&Variant>, bool),
) -> Result<i64> {
    let name = args.text_required(0, "message")?;
    let keys = args.user_keys(1)?;
    append::begin();
    let setup = required_setup()?;
    let message = setup.message(&name)?;
    let given = variant.map(|v| message.variant(&v)).transpose()?;
    let sent_at = reported_time(sent_at, "sent_at")?;
    let source = setup.users(message.users)?;
    let (keys, mut unknown) = distinct(keys, source.key_type()?);
    let mut users = source.open()?;
    let count = Sender::with(Statement::of_call(), &setup, message, |sender| {
        let scratch = Scratch::new();
        let mut count = 0;
        for key in &keys {
            check_for_interrupts();
            let receipt = scratch.run(|| {
                let (stored, judgement) = look_up(&setup, message, source, &mut users, key)??;
                let variant = given.or_else(|| message.assigned(&stored));
                Some((stored.clone(), sender.send(&stored, variant, sent_at, &judgement, None), variant.map(|v| v.id)))
            });
            match receipt {
                Some((stored, id, variant)) => {
                    let id = id.ok_or_else(not_recorded)?;
                    count += 1;
                    let variant = message.arms().find(|v| Some(v.id) == variant);
                    sent(&stored, id, variant, message.is_control(variant.map(|v| v.id)));
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
    send_many(args, args.text(2), args.bigint(3), |_, _, _, _| ()).map(Out::Bigint)
}

/// goals.deliver(message, user_keys[], sent_at): as for one user, one row per user.
pub fn deliver_array(args: &Args) -> Result<Out> {
    let mut rows = Vec::new();
    send_many(args, None, args.bigint(2), |key, id, variant, control| {
        memory::room(&mut rows, 1);
        rows.push(vec![
            Out::Raw(key.to_vec()),
            Out::Bigint(id),
            variant.map_or(Out::Null, |v| Out::Text(v.name.clone())),
            Out::Boolean(!control),
            Out::Boolean(false),
        ]);
    })?;
    Ok(Out::Rows(rows))
}

/// goals.assign(message, user_key): the variant or control; NULL for a message without variants and control group.
pub fn assign(args: &Args) -> Result<Out> {
    let (name, key) = (args.text_required(0, "message")?, args.user_key(1)?);
    let setup = required_setup()?;
    let message = setup.message(&name)?;
    let users = setup.users(message.users)?;
    users.refuse_list(&key)?;
    let key = users.key_type()?.canonical(&key).unwrap_or(key);
    Ok(message.assigned(&key).map_or(Out::Null, |v| Out::Text(v.name.clone())))
}
