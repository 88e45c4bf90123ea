//! Goals for messages, inside PostgreSQL: which of the people you wrote to then did what you asked for.
//!
//! The rooms, from above to below; none imports from one above it, and `calls` and `triggers` do not know each other:
//!
//! | room | what happens there |
//! |---|---|
//! | `entry` | the symbols that SQL calls, and the function behind each |
//! | `calls` | what SQL calls: tracking tables, setting goals, reporting sends, opens and events, statistics |
//! | `triggers` | what the application's statements fire: rows of users, events and sends |
//! | `matching` | satisfied goals against the receipts in their window; what is on record |
//! | `setup` | what messages and goals are, the backend's copy of them, and per table what to watch |
//! | `pg` | the server: the only place with `unsafe` |
//! | `model` | what a goal means, without a server: a crate of its own, `cargo test -p pg_goals_model` |
#![deny(unsafe_code)]

mod calls;
mod entry;
mod matching;
mod pg;
mod setup;
mod triggers;

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
