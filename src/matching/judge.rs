//! The state of a user at the time of sending: the goals that hold already, and the baselines of goals on a gain.

use crate::model::value::Value;
use crate::pg::datum::Row;
use crate::pg::document::Document;
use crate::pg::relation::Relation;
use crate::pg::user_lookup::Users;
use crate::setup::cache;
use crate::setup::definitions::{Revision, Setup, Source};
use crate::setup::watch::Watch;
use smallvec::SmallVec;

/// The state of a user when a receipt is made.
#[derive(Default)]
pub struct Judgement {
    pub already: Vec<i32>,
    pub baseline: Vec<Option<String>>,
}

/// A baseline from which no value is a gain.
const NO_GAIN: &str = "NaN";

impl Judgement {
    /// For a user whose row cannot be read: no goal holds already, and no gain can be measured.
    pub fn unknown(revision: &Revision) -> Judgement {
        Judgement { already: Vec::new(), baseline: vec![Some(NO_GAIN.into()); revision.baselines.len()] }
    }
}

/// The goals that hold already in this row, by the conditions that the trigger evaluates, and the baselines.
pub fn judge(watch: &Watch, revision: &Revision, row: &Row) -> Judgement {
    // A goal that is not watched cannot be evaluated: if it is repaired, nothing is a gain for this receipt.
    let mut judgement = Judgement::unknown(revision);
    judgement.add(watch, revision, row);
    judgement
}

impl Judgement {
    /// Judges the goals of a revision that are watched in this table.
    fn add(&mut self, watch: &Watch, revision: &Revision, row: &Row) {
        // A json column is opened once for all its goals.
        let mut documents: SmallVec<[(u32, Document); 1]> = SmallVec::new();
        for (id, watched) in revision.goals.iter().filter_map(|id| Some((*id, watch.goals.get(id)?))) {
            let (column, attribute, condition) = watch.condition(watched);
            let (i, j, _) = watched.place;
            let value = if column.column_type.is_json() {
                let known = documents.iter().position(|(of, _)| *of == i).unwrap_or_else(|| {
                    documents.push((i, column.open(row)));
                    documents.len() - 1
                });
                documents[known].1.value((j as usize, &attribute.path))
            } else {
                column.column_type.value(row, column.number)
            };
            if condition.already(&value, column.column_type.text_equality()) {
                self.already.push(id);
            }
            if let Ok(i) = revision.baselines.binary_search(&id) {
                self.baseline[i] = match value {
                    Value::Unknown => None,
                    known => Some(known.number().map_or(NO_GAIN.into(), |number| number.to_string())),
                };
            }
        }
    }

    /// Judges the goals of a revision on attributes beside the users table, in the row of this user. Where the table
    /// cannot be read now, nothing is known of them. `wait`: true if locks are waited for.
    fn add_beside(&mut self, setup: &Setup, revision: &Revision, key: &[u8], wait: bool) {
        for source in setup.tables_beside(revision) {
            let Ok(mut table) = Users::open_named_by(source.relation, &source.key, &source.key, wait) else { continue };
            let mut judged = false;
            let there = table.find(key, |table, row, stored| {
                if stored == key
                    && let Some(watch) = cache::table_watch(setup, table, source)
                {
                    self.add(&watch, revision, row);
                    judged = true;
                }
            });
            if there == Some(false)
                && !judged
                && let Some(table) = Relation::open_if_free(source.relation)
                && let Some(watch) = cache::table_watch(setup, &table, source)
            {
                self.add(&watch, revision, &Row::missing());
            }
        }
        self.already.sort_unstable();
    }
}

/// The user's key as stored, and the state now for the goals of a revision; `Some(None)` if there is no such user; None
/// if a table or partition that may hold the user cannot be read.
pub fn look_up(
    setup: &Setup,
    revision: &Revision,
    source: &Source,
    users: &mut Users,
    key: &[u8],
) -> Option<Option<(Vec<u8>, Judgement)>> {
    let mut found = None;
    let there = users.find(key, |table, row, stored| {
        let judgement = cache::table_watch(setup, table, source)
            .map_or_else(|| Judgement::unknown(revision), |w| judge(&w, revision, row));
        found = Some((stored.to_vec(), judgement));
    });
    if let Some((stored, judgement)) = &mut found {
        judgement.add_beside(setup, revision, stored, users.waits());
    }
    there.map(|_| found)
}
