//! Starting again with what there is now, where goals were set or an index was replaced while something was matched.

use crate::setup::cache;

/// Has the set-up changed while it was used? Then nothing has been recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Outdated,
}

/// Runs `work` until it is done, each time after the set-up has been read again; three times at most.
pub fn with_current_setup(mut work: impl FnMut() -> Outcome) {
    const ATTEMPTS: usize = 3;
    for _ in 0..ATTEMPTS {
        if work() == Outcome::Done {
            return;
        }
        cache::reset();
    }
}
