//! The set-up: tracked tables, messages and goals. Each backend keeps a cache of it, which triggers and calls read.

pub mod cache;
pub mod campaigns;
pub mod definitions;
mod read;
pub mod watch;
