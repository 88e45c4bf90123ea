//! Goals for messages, inside PostgreSQL: which of the people you wrote to did what you asked for.
//!
//! The modules, top to bottom. None imports from one above it; `calls` and `triggers` do not import each other:
//!
//! | module | what it does |
//! |---|---|
//! | `entry` | the symbols that SQL calls, and the function behind each |
//! | `calls` | what SQL calls: tracking tables, setting goals, reporting sends, opens and events, statistics, health |
//! | `triggers` | what the application's statements fire: rows of users, events and sends |
//! | `matching` | matches satisfied goals with the receipts in their window; reads and appends records |
//! | `setup` | messages and goals, the backend's cache of them, and per table what to watch |
//! | `pg` | calls of the server: the only module with `unsafe` |
//! | `model` | what a goal means, without a server: a separate crate, `cargo test -p pg_goals_model` |
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
