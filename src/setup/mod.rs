//! What has been set up: tracked tables, messages, goals. Each backend keeps a copy; triggers and calls read it from here.

pub mod cache;
pub mod definitions;
mod read;
pub mod watch;
