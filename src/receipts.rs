//! What was sent, opened and clicked: receipts and engagements, appended as they are reported.

use crate::cache::{self, Message, Revision, Setup, Source, Variant};
use crate::model::assignment::{self, Choice};
use crate::model::error::{Error, Result};
use crate::model::nearest::nearest;
use crate::model::value::Value;
use crate::pg::append::{self, Appender};
use crate::pg::call::{Args, Out};
use crate::pg::datum::{self, Row};
use crate::pg::document::Document;
use crate::pg::errors;
use crate::pg::memory;
use crate::pg::ours::{Fault, Lacking, Ours};
use crate::pg::relation::{self, Lock, Relation};
use crate::pg::scan::OwnedProbe;
use crate::pg::scratch::{Scratch, check_for_interrupts};
use crate::pg::statement::{self, Statement};
use crate::pg::strings;
use crate::pg::users::{self, KeyType, Users};
use crate::settle::{receipt_key, user_keys};
use crate::track::in_one_place;
use crate::watch::Watch;
use pgrx::pg_sys;
use smallvec::SmallVec;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Five minutes: how far a reported time may be ahead of our clock.
const AHEAD: i64 = 5 * 60 * 1_000_000;

/// A time reported by a caller, in microseconds. One a little ahead of our clock comes from another's, and is taken as now: so a
/// message is never sent after what it is followed by. Further in the future it is refused.
pub fn reported_time(time: Option<i64>, what: &'static str) -> Result<i64> {
    let time = time.ok_or(Error::NullArgument { name: what })?;
    let now = datum::clock();
    if time > now.saturating_add(AHEAD) {
        return Err(Error::FutureTime { what });
    }
    if time == i64::MIN {
        return Err(Error::InvalidArgument {
            message: format!("{what} cannot be infinite"),
            hint: "Pass the time at which it happened.".into(),
        });
    }
    Ok(time.min(now))
}

/// The set-up; an error where the extension is only half there.
pub fn setup() -> Result<Rc<Setup>> {
    cache::setup().ok_or_else(|| match Ours::find() {
        Err(Lacking { name, fault: Fault::Unfit(unfit), .. }) => Error::InvalidArgument {
            message: format!("nothing is recorded: goals.{name} cannot be used, {}", unfit.why),
            hint: format!("{}; goals.health() says more.", unfit.mend),
        },
        found => Error::InvalidArgument {
            message: format!(
                "goals.{} is missing: nothing is recorded without it",
                found.err().map_or("source", |lacking| lacking.name)
            ),
            hint: "Give it back its name, or make it again as a fresh installation has it; goals.health() says more."
                .into(),
        },
    })
}

impl Setup {
    /// The message of this name.
    pub fn message(&self, name: &str) -> Result<&Rc<Message>> {
        self.messages.get(name).ok_or_else(|| Error::UnknownMessage {
            // of one that no message can have, the beginning
            name: name[..name.floor_char_boundary(1_000)].into(),
            nearest: nearest(name, &self.messages.keys().collect::<Vec<_>>()),
        })
    }

    /// The users table of a message; an error where Citus keeps its rows elsewhere.
    pub fn users(&self, users_id: i32) -> Result<&Rc<Source>> {
        // that of a dropped table is not in a dump
        let users = self.source(users_id).ok_or(Error::UsersTableDropped)?;
        in_one_place(users.relation)?;
        Ok(users)
    }
}

impl Source {
    fn name(&self) -> String {
        relation::qualified_name(self.relation)
    }

    /// The type of the key column; an error if the table or the column is gone.
    pub fn key_type(&self) -> Result<KeyType> {
        Relation::open(self.relation, Lock::Share)
            .and_then(|table| KeyType::of(table.column(&self.key)?.type_oid))
            .ok_or_else(|| self.gone())
    }

    /// The table, opened for looking up users.
    pub fn open(&self) -> Result<Users> {
        Users::open(self.relation, &self.key, true).ok_or_else(|| self.gone())
    }

    fn gone(&self) -> Error {
        if !relation::exists(self.relation) {
            return Error::UsersTableDropped;
        }
        Error::NoKey { relation: self.name(), why: format!("no longer has its key column \"{}\"", self.key) }
    }

    fn unknown(&self, key: &[u8]) -> Error {
        Error::UnknownUser { key: users::shown(key), relation: self.name() }
    }
}

impl Message {
    /// Which variant the user with this key gets; the answer never changes once the first receipt exists.
    pub fn assigned(&self, key: &[u8]) -> Option<&Variant> {
        if self.variants.is_empty() && self.control.is_none() {
            return None;
        }
        let u = assignment::unit_interval(&strings::string_to_model(&self.name), &strings::to_model(key));
        let weights: Vec<f64> = self.variants.iter().map(|v| v.weight).collect();
        match assignment::choose(u, self.control.as_ref().map(|c| c.weight), &weights) {
            Choice::Control => self.control.as_ref(),
            Choice::Variant(i) => self.variants.get(i),
        }
    }

    fn variant(&self, name: &str) -> Result<&Variant> {
        let all: Vec<&Variant> = self.variants.iter().chain(&self.control).collect();
        all.iter().find(|v| v.name == name).copied().ok_or_else(|| Error::UnknownVariant {
            message: self.name.clone(),
            name: name.into(),
            nearest: nearest(name, &all.iter().map(|v| v.name.as_str()).collect::<Vec<_>>()),
        })
    }

    /// Is this variant the group held back?
    pub fn is_control(&self, variant_id: Option<i32>) -> bool {
        variant_id.is_some() && variant_id == self.control.as_ref().map(|c| c.id)
    }
}

/// What is known about a user when a receipt is made.
#[derive(Default)]
pub struct Judgement {
    already: Vec<i32>,
    baseline: Vec<Option<String>>,
}

/// A baseline from which nothing is a gain.
const NO_GAIN: &str = "NaN";

impl Judgement {
    /// Nothing is known about the user: no goal is taken to hold already, and no gain can be measured.
    pub fn unknown(revision: &Revision) -> Judgement {
        Judgement { already: Vec::new(), baseline: vec![Some(NO_GAIN.into()); revision.baselines.len()] }
    }
}

/// Which goals hold already, and what the goals on a gain start from: the same conditions that the trigger evaluates, on the
/// row as it is.
pub fn judge(watch: &Watch, revision: &Revision, row: &Row) -> Judgement {
    let mut judgement = Judgement { already: Vec::new(), baseline: vec![None; revision.baselines.len()] };
    // a json column is opened once for all its goals
    let mut documents: SmallVec<[(u32, Document); 1]> = SmallVec::new();
    for (id, watched) in revision.goals.iter().filter_map(|id| Some((*id, watch.goals.get(id)?))) {
        let (column, attribute, condition) = watch.condition(watched);
        let (i, j, _) = watched.place;
        let value = if column.column_type.is_json() {
            let known = documents.iter().position(|(of, _)| *of == i).unwrap_or_else(|| {
                documents.push((i, column.open(row)));
                documents.len() - 1
            });
            documents[known].1.value((j as usize, &attribute.path))
        } else {
            column.column_type.value(row, column.number)
        };
        if condition.already(&value, column.column_type.text_equality()) {
            judgement.already.push(id);
        }
        if let Ok(i) = revision.baselines.binary_search(&id) {
            judgement.baseline[i] = match value {
                Value::Unknown => None,
                Value::Number(number) => Some(number.to_string()),
                _ => Some(NO_GAIN.into()),
            };
        }
    }
    judgement
}

/// Makes receipts of one message.
pub struct Sender<'a> {
    setup: &'a Setup,
    message: &'a Message,
    receipts: &'a Appender,
}

impl<'a> Sender<'a> {
    /// Hands a sender to `work`; None if the table of receipts is gone.
    pub fn with<T>(
        statement: Statement,
        setup: &Setup,
        message: &Message,
        work: impl FnOnce(&Sender) -> T,
    ) -> Option<T> {
        statement::with_probes(statement, &setup.ours, |probes| {
            let receipts = probes.sends()?;
            Some(work(&Sender { setup, message, receipts }))
        })
    }

    /// Appends a receipt and answers its id; None if the table would not take it.
    pub fn send(&self, key: &[u8], variant: Option<&Variant>, sent_at: i64, judgement: &Judgement) -> Option<i64> {
        let id = append::next_id(self.setup.ours.receipt_id_seq)?;
        let baselines = judgement.baseline.iter().any(Option::is_some);
        let taken = self.receipts.append([
            Some(id.into()),
            Some(sent_at.into()),
            Some(self.message.users_id.into()),
            Some(self.message.revision.id.into()),
            variant.map(|v| v.id.into()),
            Some(datum::text(key)),
            (!judgement.already.is_empty()).then(|| datum::integer_array(&judgement.already)),
            baselines.then(|| datum::numeric_array(&judgement.baseline)),
        ]);
        taken.then_some(id)
    }
}

/// Finds the user as the table has it now: the key as stored, and what is known about the goals in force; None within if there is no
/// such user. None: where he may be cannot be looked into.
pub fn look_up(
    setup: &Setup,
    message: &Message,
    source: &Source,
    users: &mut Users,
    key: &[u8],
) -> Option<Option<(Vec<u8>, Judgement)>> {
    let mut found = None;
    let there = users.find(key, |table, row, stored| {
        let judgement =
            cache::table_watch(setup, table, source).map(|w| judge(&w, &message.revision, row)).unwrap_or_default();
        found = Some((stored.to_vec(), judgement));
    });
    there.map(|_| found)
}

fn send_one(args: &Args, variant: Option<String>, sent_at: Option<i64>) -> Result<(i64, Option<Variant>, bool)> {
    let (name, key) = (args.text_required(0, "message")?, args.user_key(1)?);
    append::begin();
    let setup = setup()?;
    let message = setup.message(&name)?;
    let given = variant.map(|v| message.variant(&v)).transpose()?;
    let sent_at = reported_time(sent_at, "sent_at")?;
    let source = setup.users(message.users_id)?;
    let (key, judgement) = look_up(&setup, message, source, &mut source.open()?, &key)
        .ok_or_else(|| source.gone())?
        .ok_or_else(|| source.unknown(&key))?;
    let variant = given.or_else(|| message.assigned(&key));
    let id =
        Sender::with(Statement::of_call(), &setup, message, |sender| sender.send(&key, variant, sent_at, &judgement))
            .flatten()
            .ok_or_else(not_recorded)?;
    Ok((id, variant.cloned(), message.is_control(variant.map(|v| v.id))))
}

/// A table of ours that was there does not take a row.
fn not_recorded() -> Error {
    Error::InvalidArgument {
        message: "a table of pg_goals has been changed: nothing is recorded".into(),
        hint: "goals.health() says what is the matter; so does the server's log.".into(),
    }
}

/// goals.record_sent(message, user_key, variant, sent_at)
pub fn record_sent(args: &Args) -> Result<Out> {
    send_one(args, args.text(2), args.bigint(3)).map(|(id, ..)| Out::Bigint(id))
}

/// goals.deliver(message, user_key, sent_at): a receipt, the variant, and whether to send anything.
pub fn deliver(args: &Args) -> Result<Out> {
    let (id, variant, control) = send_one(args, None, args.bigint(2))?;
    Ok(Out::Record(vec![Out::Bigint(id), variant.map_or(Out::Null, |v| Out::Text(v.name)), Out::Boolean(!control)]))
}

/// Keys as given, in the spelling and order in which they are looked up: each once. Those that no user can have are left out.
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
    let keys = args.raw_texts(1).ok_or(Error::NullArgument { name: "user_keys" })?;
    append::begin();
    let setup = setup()?;
    let message = setup.message(&name)?;
    let given = variant.map(|v| message.variant(&v)).transpose()?;
    let sent_at = reported_time(sent_at, "sent_at")?;
    let source = setup.users(message.users_id)?;
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
                Some((stored.clone(), sender.send(&stored, variant, sent_at, &judgement), variant.map(|v| v.id)))
            });
            match receipt {
                Some((stored, id, variant)) => {
                    let id = id.ok_or_else(not_recorded)?;
                    count += 1;
                    let all = message.variants.iter().chain(&message.control);
                    let variant = all.into_iter().find(|v| Some(v.id) == variant);
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
        errors::notice(format!("{unknown} user {keys} {are} not in {} and {were} left out", source.name()));
    }
    Ok(count)
}

/// goals.record_sent(message, user_keys[], variant, sent_at): how many.
pub fn record_sent_array(args: &Args) -> Result<Out> {
    send_many(args, args.text(2), args.bigint(3), |_, _, _, _| ()).map(Out::Bigint)
}

/// goals.deliver(message, user_keys[], sent_at): a row a user.
pub fn deliver_array(args: &Args) -> Result<Out> {
    let mut rows = Vec::new();
    send_many(args, None, args.bigint(2), |key, id, variant, control| {
        memory::room(&mut rows, 1);
        rows.push(vec![
            Out::Raw(key.to_vec()),
            Out::Bigint(id),
            variant.map_or(Out::Null, |v| Out::Text(v.name.clone())),
            Out::Boolean(!control),
        ]);
    })?;
    Ok(Out::Rows(rows))
}

/// goals.assign(message, user_key): the variant, or control; NULL for a message without either.
pub fn assign(args: &Args) -> Result<Out> {
    let (name, key) = (args.text_required(0, "message")?, args.user_key(1)?);
    let setup = setup()?;
    let message = setup.message(&name)?;
    let key = setup.users(message.users_id)?.key_type()?.canonical(&key).unwrap_or(key);
    Ok(message.assigned(&key).map_or(Out::Null, |v| Out::Text(v.name.clone())))
}

/// What happened to a receipt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engagement {
    Opened,
    Clicked,
}

impl Engagement {
    fn time_name(self) -> &'static str {
        match self {
            Engagement::Opened => "opened_at",
            Engagement::Clicked => "clicked_at",
        }
    }

    /// The value of engagement.kind.
    pub fn kind(self) -> u8 {
        match self {
            Engagement::Opened => b'o',
            Engagement::Clicked => b'c',
        }
    }
}

/// A receipt: its id, and when it was sent.
pub type Sent = (i64, i64);

/// Appends an engagement. Nobody opens what has not been sent: a time before that, of a clock that is behind or of a column without
/// the hour, is taken as the time of sending.
/// False: the table would not take it.
pub fn engage(engagements: &Appender, setup: &Setup, (receipt_id, sent_at): Sent, kind: Engagement, at: i64) -> bool {
    append::next_id(setup.ours.engagement_id_seq).is_some_and(|id| {
        engagements.append([
            Some(id.into()),
            Some(receipt_id.into()),
            Some(at.max(sent_at).into()),
            Some(pg_sys::Datum::from(kind.kind())),
        ])
    })
}

/// The receipts of a user for a message up to a time, newest first, with their variants, until told to stop.
pub fn visit_receipts(
    receipts: &mut OwnedProbe,
    setup: &Setup,
    message: &Message,
    key: &[u8],
    until: i64,
    mut see: impl FnMut(Sent, Option<i32>) -> ControlFlow<()>,
) {
    let mut keys = user_keys(message.users_id, key, until);
    keys[2].strategy = pg_sys::BTLessEqualStrategyNumber;
    keys[2].function = pg_sys::F_TIMESTAMPTZ_LE;
    receipts.visit(&keys, true, |row| {
        let revision = row.integer(4).unwrap_or(0);
        // A revision unknown to this backend is another message's, or one whose receipt has only just become visible.
        if setup.revisions.get(&revision).is_some_and(|r| r.message_id == message.id) {
            return see((row.bigint(1), row.bigint(2)), row.integer(5));
        }
        ControlFlow::Continue(())
    });
}

fn engaged(args: &Args, kind: Engagement) -> Result<Out> {
    let (name, given) = (args.text_required(0, "message")?, args.user_key(1)?);
    let at = reported_time(args.bigint(2), kind.time_name())?;
    let setup = setup()?;
    let message = setup.message(&name)?;
    let source = setup.users(message.users_id)?;
    let key = source.key_type()?.canonical(&given).ok_or_else(|| source.unknown(&given))?;
    let (mut receipt, mut control) = (None, None);
    let engaged = statement::with_probes(Statement::of_call(), &setup.ours, |probes| {
        visit_receipts(probes.receipts()?, &setup, message, &key, at, |sent, variant| {
            if message.is_control(variant) {
                control = control.or(Some(sent.0));
                return ControlFlow::Continue(());
            }
            receipt = Some(sent);
            ControlFlow::Break(())
        });
        Some(engage(probes.opens()?, &setup, receipt?, kind, at))
    })
    .unwrap_or(false);
    match (receipt, control) {
        (Some(_), _) if engaged => Ok(Out::Null),
        (Some(_), _) => Err(not_recorded()),
        (None, Some(receipt_id)) => Err(Error::ControlReceipt { receipt_id }),
        (None, None) if source.open()?.find(&key, |_, _, _| ()) == Some(false) => Err(source.unknown(&given)),
        (None, None) => Err(Error::NoReceipt { message: name, key: users::shown(&key) }),
    }
}

fn engaged_receipt(args: &Args, kind: Engagement) -> Result<Out> {
    let receipt_id = args.bigint(0).ok_or(Error::NullArgument { name: "receipt_id" })?;
    let at = reported_time(args.bigint(1), kind.time_name())?;
    let setup = setup()?;
    let mut found = None;
    // (or by the index that has replaced the one that is known)
    let open = |ours: &Ours| OwnedProbe::open(ours.receipt, ours.receipt_id_idx, 1);
    let mut probe = open(&setup.ours).or_else(|| open(&Ours::find().ok()?)).ok_or_else(not_recorded)?;
    probe.visit(&receipt_key(receipt_id), false, |row| {
        found = Some((row.bigint(2), row.integer(3), row.integer(5)));
        ControlFlow::Break(())
    });
    let (sent_at, users_id, variant) = found.ok_or(Error::UnknownReceipt { receipt_id })?;
    if let Some(users) = users_id.and_then(|id| setup.source(id)) {
        in_one_place(users.relation)?;
    }
    if setup.messages.values().any(|m| m.is_control(variant)) {
        return Err(Error::ControlReceipt { receipt_id });
    }
    let engaged = statement::with_probes(Statement::of_call(), &setup.ours, |probes| {
        probes.opens().is_some_and(|engagements| engage(engagements, &setup, (receipt_id, sent_at), kind, at))
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

/// Has an engagement of this kind been recorded for the receipt?
pub fn is_engaged(engagements: &mut OwnedProbe, receipt_id: i64, kind: Engagement) -> bool {
    let mut engaged = false;
    engagements.visit(&receipt_key(receipt_id), false, |row| {
        engaged = row.byte(4) == kind.kind();
        if engaged { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    engaged
}
