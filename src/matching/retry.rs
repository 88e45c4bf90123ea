//! Retries matching when goals were set or an index was replaced in the middle of it.

use crate::setup::cache;

/// Outdated: the set-up has changed while it was used, and nothing has been recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Outdated,
}

/// Runs `work` until it is done, at most three times; before each retry the set-up is read again.
pub fn with_current_setup(mut work: impl FnMut() -> Outcome) {
    const ATTEMPTS: usize = 3;
    for _ in 0..ATTEMPTS {
        if work() == Outcome::Done {
            return;
        }
        cache::reset();
    }
}
