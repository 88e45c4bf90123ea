//! Goals for messages, inside PostgreSQL: which of the people you wrote to then did what you asked for.
//!
//! The modules in the order in which data passes through them:
//!
//! | module | what happens there |
//! |---|---|
//! | `track` | the application's tables are tracked |
//! | `setup` | messages, goals and variants are set |
//! | `receipts` | what was sent, opened and clicked is appended; who already matches is judged |
//! | `capture` | a user's row changes: the difference between OLD and NEW, and the goals it satisfies |
//! | `events`, `tables` | an event happens; the application's own tables of events and sends |
//! | `moves` | an update that moves a row between partitions is put together again |
//! | `settle` | the receipts of that user in their windows, and a match appended for each |
//! | `statistics` | the SQL face of intervals, tests and verdicts; what is read is SQL, in `sql/` |
//! | `health` | what keeps the extension's own tables from being used |
//! | `unrecorded` | a note of what a trigger could not record because a table was locked |
//! | `cache` | the backend's copy of the set-up, which all of them read |
//! | `watch` | per table: which columns have a goal, and what it asks for |
//! | `model` | what a goal means, without a server: a crate of its own, `cargo test -p pg_goals_model` |
//! | `pg` | the server: the only place with `unsafe` |
#![deny(unsafe_code)]

mod cache;
mod capture;
mod events;
mod health;
mod moves;
mod pg;
mod receipts;
mod settle;
mod setup;
mod statistics;
mod tables;
mod track;
mod unrecorded;
mod watch;

use pg_goals_model as model;

pgrx::pg_module_magic!();

/// Runs when the server loads the library.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::memory::prepare();
    pg::errors::keep_backtraces_in_the_log();
    pg::guc::define();
    pg::worker::register();
}
