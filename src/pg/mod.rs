//! Calls of the server. Every `unsafe` block of the crate is in this module, with the reason why it is sound. What the
//! module exports is safe to use. Errors of the server cross this module as panics: pgrx turns `ereport(ERROR)` into an
//! unwinding panic and back. A drop that runs during unwinding must not call the server again; the resource owner then
//! releases locks, pins and scans.
#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod additions;
pub mod append;
pub mod at_commit;
pub mod call;
mod citext;
pub mod citus;
pub mod command;
mod contained;
pub mod datum;
pub mod deleted;
pub mod document;
pub mod encoding;
pub mod errors;
pub mod export;
pub mod guc;
pub mod invalidate;
pub mod kept_open;
pub mod key;
pub mod later_versions;
pub mod literal;
pub mod memory;
pub mod moved;
pub mod numeric;
pub mod own_tables;
pub mod partition;
pub mod patience;
pub mod pause;
pub mod relation;
pub mod rights;
mod role;
pub mod scan;
mod schema;
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
pub mod zone;
