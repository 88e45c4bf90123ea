//! When the commands of a statement have reported something, to order what an earlier command did before it.

use super::room::{NoRoom, room};

/// The most reports that are kept.
const KEPT: usize = 2000;

/// What the commands of one client's statement have reported, each by its number and its time.
#[derive(Debug, Default)]
pub struct Reports {
    /// When the client's statement began.
    statement: i64,
    /// In the order of commands and of times. Of two reports the later command's replaces one that is not earlier.
    times: Vec<(u32, i64)>,
}

impl Reports {
    pub const fn new() -> Reports {
        Reports { statement: 0, times: Vec::new() }
    }

    /// The reports of the statement that began at this time; those of another one are forgotten.
    pub fn of(&mut self, statement: i64) -> &mut Reports {
        if self.statement != statement {
            self.statement = statement;
            self.times.clear();
        }
        self
    }

    /// Remembers that a command has reported something that happened at this time.
    /// Errors: [`NoRoom`].
    pub fn add(&mut self, command: u32, at: i64) -> Result<(), NoRoom> {
        let place = self.times.partition_point(|(of, _)| *of < command);
        if self.times.get(place).is_some_and(|(_, known)| *known <= at) {
            return Ok(());
        }
        let is_same = self.times.get(place).is_some_and(|(of, _)| *of == command);
        let kept = self.times[..place].partition_point(|(_, known)| *known < at);
        room(&mut self.times, 1)?;
        self.times.splice(kept..place + usize::from(is_same), [(command, at)]);
        // A statement that still runs is among the first, which have run the others, or among the last.
        if self.times.len() > KEPT {
            self.times.drain(KEPT / 4..KEPT / 2);
        }
        Ok(())
    }

    /// The earliest time that a later command has reported.
    pub fn first_after(&self, command: u32) -> Option<i64> {
        let place = self.times.partition_point(|(of, _)| *of <= command);
        self.times.get(place).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_report_of_a_later_command_is_found_in_whatever_order_they_come() {
        let given = [(5, 100), (7, 120), (6, 90), (3, 80), (7, 110), (9, 130), (8, 130), (9, 125), (2, 95), (4, 85)];
        let mut reports = Reports::new();
        for (n, (command, at)) in given.iter().enumerate() {
            reports.of(1).add(*command, *at).unwrap();
            for earlier in 0..10 {
                let later = given[..=n].iter().filter(|(of, _)| *of > earlier);
                assert_eq!(reports.first_after(earlier), later.map(|(_, at)| *at).min(), "{earlier} of {n}");
            }
        }
    }

    #[test]
    fn another_statement_has_its_own() {
        let mut reports = Reports::new();
        reports.of(1).add(5, 100).unwrap();
        assert_eq!(reports.of(1).first_after(4), Some(100));
        assert_eq!(reports.of(2).first_after(4), None);
    }

    #[test]
    fn of_very_many_the_first_and_the_last_are_kept() {
        let mut reports = Reports::new();
        for n in 0..100_000 {
            reports.of(1).add(n, i64::from(n)).unwrap();
            assert_eq!(reports.first_after(0), (n > 0).then_some(1));
            assert_eq!(reports.first_after(n.saturating_sub(2)), (n > 0).then(|| i64::from(n.max(2) - 1)));
        }
        assert!(reports.times.len() <= KEPT);
    }
}
