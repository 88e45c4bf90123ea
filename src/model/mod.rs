//! What a goal means, without a database: values, operators, conditions and time limits.
//!
//! Nothing here touches PostgreSQL's memory, raises, or allocates more than its input warrants. So the trigger may call
//! any of it on any value.
#![forbid(unsafe_code)]

pub mod array;
pub mod assignment;
pub mod attribute;
pub mod condition;
pub mod condition_index;
pub mod decimal;
pub mod epoch;
pub mod error;
pub mod family;
pub mod inference;
pub mod interval;
pub mod json;
pub mod jsonb;
pub mod nearest;
pub mod only;
pub mod operator;
pub mod options;
pub mod people;
pub mod reference;
pub mod report;
pub mod reports;
pub mod room;
pub mod skipped;
pub mod text;
pub mod time_limit;
pub mod untyped;
pub mod value;

#[cfg(test)]
mod tests;
