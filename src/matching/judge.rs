//! What is known of a user at the time of sending: the goals that hold already, and what goals on a gain start from.

use crate::model::value::Value;
use crate::pg::datum::Row;
use crate::pg::document::Document;
use crate::pg::user_lookup::Users;
use crate::setup::cache;
use crate::setup::definitions::{Message, Revision, Setup, Source};
use crate::setup::watch::Watch;
use smallvec::SmallVec;

/// What is known about a user when a receipt is made.
#[derive(Default)]
pub struct Judgement {
    pub already: Vec<i32>,
    pub baseline: Vec<Option<String>>,
}

/// A baseline from which nothing is a gain.
const NO_GAIN: &str = "NaN";

impl Judgement {
    /// Nothing is known about the user: no goal is taken to hold already, and no gain can be measured.
    pub fn unknown(revision: &Revision) -> Judgement {
        Judgement { already: Vec::new(), baseline: vec![Some(NO_GAIN.into()); revision.baselines.len()] }
    }
}

/// Which goals hold already, and what the goals on a gain start from: the same conditions that the trigger evaluates, on the
/// row as it is.
pub fn judge(watch: &Watch, revision: &Revision, row: &Row) -> Judgement {
    let mut judgement = Judgement { already: Vec::new(), baseline: vec![None; revision.baselines.len()] };
    // a json column is opened once for all its goals
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
            judgement.already.push(id);
        }
        if let Ok(i) = revision.baselines.binary_search(&id) {
            judgement.baseline[i] = match value {
                Value::Unknown => None,
                Value::Number(number) => Some(number.to_string()),
                _ => Some(NO_GAIN.into()),
            };
        }
    }
    judgement
}

/// Finds the user as the table has it now: the key as stored, and what is known about the goals in force; None within if there is no
/// such user. None: a table in which the user may be cannot be read.
pub fn look_up(
    setup: &Setup,
    message: &Message,
    source: &Source,
    users: &mut Users,
    key: &[u8],
) -> Option<Option<(Vec<u8>, Judgement)>> {
    let mut found = None;
    let there = users.find(key, |table, row, stored| {
        let judgement =
            cache::table_watch(setup, table, source).map(|w| judge(&w, &message.revision, row)).unwrap_or_default();
        found = Some((stored.to_vec(), judgement));
    });
    there.map(|_| found)
}
