//! What the figures of a message allow one to say: intervals, tests, and a verdict that stays valid when looked at
//! every day.
//!
//! | file | idea |
//! |---|---|
//! | `numeric` | the few functions that must keep their digits where the textbook form loses them |
//! | `input` | what is accepted, and the refusal with its hint |
//! | `intervals` | Wilson, Newcombe, Koopman |
//! | `significance` | tests of equal rates, Holm, the split of the users |
//! | `anytime` | the test and interval that may be looked at as often as one likes |
//! | `posterior` | P(p1 > p2) |
//! | `power` | users needed |
//! | `compare` | all of it, one row per variant, and the verdict |
//!
//! Throughout, x is conversions and n is users, both whole numbers up to the end of `i64`. A rate, a p-value and a
//! confidence are fractions, never percentages. Every function returns [`Invalid`] for what it cannot take, and never
//! NaN.

#![forbid(unsafe_code)]

mod anytime;
mod compare;
mod input;
mod intervals;
mod numeric;
mod posterior;
mod power;
mod significance;

#[cfg(test)]
mod simulation;

pub use anytime::{anytime_ratio_interval, anytime_test};
pub use compare::{Arm, Row, Verdict, compare};
pub use input::Invalid;
pub use intervals::{Interval, difference_interval, rate_interval, ratio_interval};
pub use posterior::probability_better;
pub use power::sample_size;
pub use significance::{adjust_p, proportion_test, proportions_test, split_test};

#[cfg(test)]
mod tests;
