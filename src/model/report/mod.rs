//! One message's report: figures in, one self-contained HTML page out.
//!
//! ```text
//! data  →  groups  →  verdict  →  charts (funnel, curve, forest)  →  page
//! (json)   (who)      (words)     (SVG)                              (HTML)
//! ```
//!
//! Nothing is counted here: every figure comes from SQL. HTML and SVG are written by maud, which escapes all text, and
//! names are of a type that only [`text`] shows. The page holds no script and refers to nothing outside itself.
#![forbid(unsafe_code)]

mod chart;
mod data;
mod groups;
mod page;
mod text;
mod verdict;

#[cfg(test)]
mod tests;

pub use data::Report;

/// The most goals, groups, and messages of a programme on a page: its cost grows with their square.
const MOST: usize = 1_000;

/// Reads the JSON that `goals.report_data()` returns. The error says what is wrong with it.
pub fn read(figures: &str) -> Result<Report, String> {
    let report: Report = serde_json::from_str(figures).map_err(|e| e.to_string())?;
    let variants = groups::groups(&report).len();
    for (what, given) in [("goals", report.goals.len()), ("variants", variants), ("messages", report.parts.len())] {
        if given > MOST {
            return Err(format!("{given} {what}, of which a page takes {MOST}"));
        }
    }
    Ok(report)
}

/// The whole page for one message, `<!doctype html>` to `</html>`. It is ASCII, so it reads the same in every encoding.
pub fn render(report: &Report) -> String {
    text::ascii(&page::render(report).into_string())
}
