//! From a change or an event that satisfies goals to matches, and what is known of a user when a receipt is made.

pub mod event;
pub mod judge;
pub mod matches;
pub mod records;
pub mod retry;
pub mod send;
