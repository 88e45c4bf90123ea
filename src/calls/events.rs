//! Reporting events.

use super::{not_empty, reported_time};
use crate::matching::event::{Document, Properties, occurred};
use crate::matching::matches::{Happening, Time};
use crate::model::error::Result;
use crate::model::reference::{GIVEN, reference};
use crate::pg::call::{Args, Out};
use crate::pg::command::Command;
use crate::pg::kept_open::Statement;
use crate::pg::{append, encoding};
use crate::setup::cache::required_setup;

/// goals.record_event(user_key, event, properties, occurred_at, users, event_id)
pub fn record_event(args: &Args) -> Result<Out> {
    let (key, event) = (args.user_key(0)?, args.text_required(1, "event")?);
    let at = Time::Own(reported_time(args.bigint(3), "occurred_at")?);
    let event_id = args.raw_text(5).map(|id| not_empty(id, "event_id")).transpose()?;
    let cause = event_id.map(|id| reference(GIVEN, [&*encoding::to_model(&id)]));
    // Checked even if no goal waits for the event: the error must not depend on the goals.
    append::refuse_if_read_only();
    let setup = required_setup()?;
    let users = setup.users_table(args.relation(4))?;
    users.refuse_list(&key)?;
    // A key that no user can have has no receipts: ignored, like an event of an unknown user.
    if let Some(key) = users.key_type()?.canonical(&key) {
        let bytes = args.jsonb_bytes(2);
        let properties = args.jsonb(2).zip(bytes.as_deref()).map(|(whole, bytes)| Document { whole, bytes });
        let properties = properties.as_ref().map(|given| given as &dyn Properties);
        let command = Command::current();
        let happening = Happening { users: users.id, key: &key, at, command, cause, once: false };
        occurred(Statement::of_call(), happening, &event, properties);
    }
    Ok(Out::Null)
}
