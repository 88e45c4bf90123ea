//! The one place that touches the server: every `unsafe` block of the crate is below this module, each with the reason why
//! it holds. What leaves this module is safe to use and owns or borrows properly.
//!
//! Errors of the server cross this module as panics (pgrx turns `ereport(ERROR)` into an unwinding panic and back), so a
//! drop that runs during unwinding must not call the server again: the resource owner releases locks, pins and scans then.
#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod additions;
pub mod append;
pub mod call;
pub mod citus;
pub mod datum;
pub mod document;
pub mod encoding;
pub mod errors;
pub mod export;
pub mod guc;
pub mod invalidate;
pub mod kept_open;
pub mod key;
pub mod literal;
pub mod memory;
pub mod moved;
pub mod own_tables;
pub mod partition;
pub mod patience;
pub mod relation;
pub mod rights;
mod role;
pub mod scan;
pub mod scratch;
mod server;
mod shape;
pub mod spi;
mod subtransaction;
pub mod trigger;
pub mod triggers;
pub mod types;
pub mod user_lookup;
mod uuid;
pub mod version;
pub mod worker;
