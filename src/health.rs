//! What keeps tables, indexes and sequences of the extension from being used, for goals.health().

use crate::model::error::Result;
use crate::pg::call::{Args, Out};
use crate::pg::ours::{Fault, Lacking, Ours};

/// goals_internal.unusable(): one row per object that cannot be used, or is not safe: problem, object, detail, hint, and whether it keeps everything
/// else from being looked at.
pub fn unusable(_: &Args) -> Result<Out> {
    let lacking = Ours::lacking().into_iter().map(|lacking| {
        let blocks = lacking.blocks();
        let Told { problem, detail, hint } = told(&lacking);
        row(problem, lacking.name, detail, hint, blocks)
    });
    let unlogged = Ours::unlogged().into_iter().map(|name| {
        let hint = format!("ALTER TABLE goals.{name} SET LOGGED");
        row("unlogged table".into(), name, "a crash of the server empties it".into(), hint, false)
    });
    Ok(Out::Rows(lacking.chain(unlogged).collect()))
}

fn row(problem: String, name: &str, detail: String, hint: String, blocks: bool) -> Vec<Out> {
    let object = format!("goals.{name}");
    vec![Out::Text(problem), Out::Text(object), Out::Text(detail), Out::Text(hint), Out::Boolean(blocks)]
}

/// What comes of something that is there and cannot be used.
const UNRECORDED: &str = "nothing is recorded until that is mended, and what is missed meanwhile never counts";

struct Told {
    problem: String,
    detail: String,
    hint: String,
}

fn told(lacking: &Lacking) -> Told {
    let Lacking { kind, name, .. } = lacking;
    let harm = lacking.harm();
    match &lacking.fault {
        Fault::Missing => {
            let again = lacking.definition().map(|definition| {
                format!(", or make it again: CREATE INDEX CONCURRENTLY {name} ON goals.{definition}")
            });
            Told {
                problem: format!("missing {kind}"),
                detail: harm.into(),
                hint: format!(
                    "Give it back its name (ALTER {} ... RENAME TO {name}){}",
                    kind.to_uppercase(),
                    again.unwrap_or_default()
                ),
            }
        }
        Fault::Unfit(unfit) => Told {
            problem: format!("unusable {kind}"),
            detail: format!("{}: {}", unfit.why, if lacking.stops_recording() { UNRECORDED } else { harm }),
            hint: unfit.mend.clone(),
        },
        Fault::Locked => Told {
            problem: format!("locked {kind}"),
            detail: "it is locked by another session".into(),
            hint: "Look again when that has ended; pg_locks says which it is.".into(),
        },
    }
}
