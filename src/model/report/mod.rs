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

/// The whole page for one message, `<!doctype html>` to `</html>`.
///
/// Never fails: whatever is missing from `data` is missing from the page, which then says so in words.
pub fn render(data: &Report) -> String {
    page::render(data)
}
