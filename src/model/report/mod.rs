//! One message's report: figures in, one self-contained HTML page out.
//!
//! ```text
//! data  →  arms  →  verdict  →  charts (funnel, curve, forest)  →  page
//! (json)   (who is who)  (words)    (SVG by plotters)                (HTML)
//! ```
//!
//! Nothing is counted here: every figure comes from SQL, and a missing one is left out of the page. The page holds no
//! script and refers to nothing outside itself; all that people named (messages, goals, variants) is escaped in `text`.
#![forbid(unsafe_code)]

mod arms;
mod chart;
mod data;
mod page;
mod text;
mod verdict;

#[cfg(test)]
mod tests;

pub use data::Report;

/// The most goals, and the most variants, that a page takes: what it costs grows with their square.
const MOST: usize = 1_000;

/// Reads the figures; Err says in words why they are none.
pub fn read(figures: &str) -> Result<Report, String> {
    let report: Report = serde_json::from_str(figures).map_err(|e| e.to_string())?;
    for (what, given) in [("goals", report.goals.len()), ("variants", arms::count(&report))] {
        if given > MOST {
            return Err(format!("{given} {what}, of which a page takes {MOST}"));
        }
    }
    Ok(report)
}

/// The whole page for one message, `<!doctype html>` to `</html>`, in ASCII: it is what it says in whatever encoding it
/// reaches its reader.
///
/// Never fails: whatever is missing from `data` is missing from the page, which then says so in words.
pub fn render(data: &Report) -> String {
    text::ascii(&page::render(data))
}
