//! What functions written in SQL ask for, so that a rule and an error exist once.

use crate::model::error::{Error, Result};
use crate::pg::call::{Args, Out};
use crate::setup::cache::required_setup;

/// goals_internal.raise(code, VARIADIC arguments): raises an error of the extension. The codes are those of
/// [`Error::from_sql`].
pub fn raise(args: &Args) -> Result<Out> {
    let code = args.text_required(0, "code")?;
    let arguments = args.texts(1).unwrap_or_default();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Err(Error::from_sql(&code, &arguments).unwrap_or_else(|| Error::InvalidArgument {
        message: format!("there is no error \"{code}\" with {} arguments", arguments.len()),
        hint: "This is a bug of pg_goals: please report it.".into(),
    }))
}

/// goals_internal.refuse_list(source_id, user_key): an error for a list of keys where one is taken, unless a user can
/// have it as a key.
pub fn refuse_list(args: &Args) -> Result<Out> {
    let (Some(id), Some(key)) = (args.integer(0), args.raw_text(1)) else { return Ok(Out::Null) };
    // The table and its row in goals.source may be gone; what was recorded about its users is still there.
    let setup = required_setup()?;
    let Some(users) = setup.source(id) else { return Ok(Out::Null) };
    users.refuse_list(&key)?;
    Ok(Out::Null)
}

/// goals_internal.users_table(users): the source_id of the users table given, or of the only one. Its rows may be in
/// shards of Citus, unlike for other calls: a person in it can be forgotten.
pub fn users_table(args: &Args) -> Result<Out> {
    required_setup()?.one_users_table(args.relation(0)).map(|users| Out::Integer(users.id))
}
