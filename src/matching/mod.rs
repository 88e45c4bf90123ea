//! Recording matches of changes and events, and receipts with the state of the user at the time of sending.

pub mod campaigns;
pub mod engagements;
pub mod event;
pub mod hand_over;
pub mod judge;
pub mod matches;
pub mod person;
pub mod records;
pub mod retry;
pub mod send;
