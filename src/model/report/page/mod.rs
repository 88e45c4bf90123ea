//! The page, from the verdict down to the small print. Sections without figures are left out.

mod small_print;
mod tables;

use super::chart::{BOLD, curve, forest, funnel};
use super::data::{Count, GoalFigures, Report};
use super::groups::{Group, groups};
use super::text::{count, duration, moment, of_judged, percent, round_percent, width, worth};
use super::verdict::{class_and_mark, conclusion};
use curve::Line;
use maud::{Markup, PreEscaped, html};
use small_print::small_print;
use tables::{besides_table, curve_table, goals_table, parts_table, variants_table};

const STYLE: &str = include_str!("style.css");
/// Nothing is fetched and nothing runs, even if markup slipped through.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

pub fn render(report: &Report) -> Markup {
    let groups = groups(report);
    let title: String = report.message.name.clean().chars().take(120).collect();
    html! {
        (PreEscaped("<!doctype html>\n"))
        html lang="en" dir="ltr" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                // empty, so that a browser requests none
                link rel="icon" href="data:,";
                title { (title) (report.words(" · message report", " · programme report")) }
                style { "\n" (PreEscaped(STYLE)) }
            }
            "\n"
            body {
                main {
                    (header(report)) "\n"
                    (verdict(report, &groups)) "\n"
                    (tiles(report)) "\n"
                    (path(report, &groups)) "\n"
                    (parts(report)) "\n"
                    (comparison(report, &groups)) "\n"
                    (small_print(report, &groups)) "\n"
                }
            }
        }
        "\n"
    }
}

fn header(report: &Report) -> Markup {
    let message = &report.message;
    html! {
        header {
            p.eyebrow { (report.words("Message report", "Programme report")) }
            h1 { (message.name.html(120)) }
            ul.facts {
                li { (message.kind.in_words()) }
                @if let Some(programme) = &message.part_of { li { "Part of “" (programme.html(80)) "”" } }
                @if let Some(channel) = &message.channel { li { "via " (channel.html(40)) } }
                li { "Created " time { (moment(message.created_at)) } }
                li { "As of " time { (moment(report.as_of)) } }
            }
        }
    }
}

fn verdict(report: &Report, groups: &[Group]) -> Markup {
    let conclusion = conclusion(report, groups);
    let (class, mark) = class_and_mark(conclusion.verdict);
    html! {
        section.{"verdict " (class)} aria-labelledby="verdict" {
            span.mark aria-hidden="true" { (mark) }
            div {
                @if let Some(goal) = report.goals.first() {
                    p.aim {
                        span { "Goal" } " " (goal.in_words())
                        " within " (duration(goal.time_limit)) " of " (goal.start(report))
                    }
                }
                h2 #verdict { (conclusion.headline) }
                @for detail in &conclusion.details { p { (detail) } }
                @if let Some(others) = &conclusion.others { (others) }
                @for note in &conclusion.notes { p.notes { (note) } }
            }
        }
    }
}

/// A count, its share, and what belongs to it.
struct Tile<'a> {
    class: &'a str,
    label: Markup,
    number: Count,
    share: Option<f64>,
    /// what the share is of, for screen readers
    whole: &'a str,
    notes: Vec<String>,
}

impl<'a> Tile<'a> {
    fn new(class: &'a str, label: &str, number: Count, share: Option<f64>, report: &Report) -> Tile<'a> {
        let whole = report.words("sent", "those who entered");
        Tile { class, label: html! { (label) }, number, share, whole, notes: Vec::new() }
    }

    fn of_goal(goal: &GoalFigures, report: &Report) -> Tile<'a> {
        let judged = of_judged(goal, report.totals.sent);
        let mut tile = Tile::new("goal", "Reached the goal", goal.matched, goal.matched.share_of(goal.sent), report);
        if !report.only_primary() {
            tile.label = html! { "Goal: " (goal.name.html(60)) };
        }
        if judged.is_some() {
            tile.whole = "those judged by this goal";
        }
        tile.notes.extend(judged);
        let of_delivered = report.totals.known_delivered().and_then(|_| goal.matched.share_of(goal.delivered));
        tile.notes.extend(of_delivered.map(|share| format!("{} of those delivered", percent(share))));
        if goal.already_matched.is_some() {
            tile.notes.push(format!("{} met it already", count(goal.already_matched)));
        }
        tile.notes.extend(goal.worth.finite().filter(|w| *w != 0.0).map(|w| format!("worth {}", worth(w))));
        tile.notes.extend(goal.stopped.as_ref().map(|_| "stopped".to_owned()));
        tile
    }

    /// The tile, in 60 columns. `wide` and `narrow` are how many tiles its row has on a wide and on a narrow screen.
    fn html(&self, wide: usize, narrow: usize) -> Markup {
        html! {
            li.(self.class) style={"--span:" (60 / wide) ";--span-narrow:" (60 / narrow)} {
                span.label { (self.label) }
                span.number { (count(self.number)) }
                @if let Some(share) = self.share {
                    span.share { (percent(share)) span.unseen { " of " (self.whole) } }
                    span.meter aria-hidden="true" {
                        @if share > 0.0 { i style={"width:" (format!("{:.2}", share.min(1.0) * 100.0)) "%"} {} }
                    }
                }
                @if !self.notes.is_empty() { span.note { (self.notes.join(" · ")) } }
            }
        }
    }
}

fn tiles(report: &Report) -> Markup {
    let totals = &report.totals;
    let steps = funnel::steps(report);
    let of_sent = |at: usize, number: Count| number.share_of(totals.sent).filter(|_| at > 0);
    let mut tiles: Vec<Tile> = (steps.iter().enumerate())
        .map(|(at, (name, number))| Tile::new("", name, *number, of_sent(at, *number), report))
        .collect();
    tiles.extend(report.goals.iter().map(|goal| Tile::of_goal(goal, report)));
    if totals.control.is_some() {
        let mut tile = Tile::new("control", "Control group", totals.control, None, report);
        tile.notes.push(report.words("held back, sent nothing", "held out, sent none of it").into());
        tiles.push(tile);
    }
    let widest = tiles.iter().map(|t| width(&count(t.number), BOLD)).fold(1.0, f64::max);
    let (wide, narrow) = (rows(tiles.len(), 6, steps.len()), rows(tiles.len(), 4, steps.len()));
    let most = |rows: &[usize]| rows.iter().copied().max().unwrap_or(1);
    let style = format!("--widest:{widest:.2};--most:{};--most-narrow:{}", most(&wide), most(&narrow));
    html! {
        section.counts aria-label="Counts" {
            ul.stats style=(style) {
                @for (tile, (wide, narrow)) in tiles.iter().zip(wide.iter().zip(&narrow)) { (tile.html(*wide, *narrow)) }
            }
        }
    }
}

/// Per tile, the number of tiles in its row. If one row of `most` does not hold them, the first row has the steps from
/// sent to clicked. The others share theirs evenly, so that every row is full.
fn rows(tiles: usize, most: usize, steps: usize) -> Vec<usize> {
    if tiles <= most {
        return vec![tiles; tiles];
    }
    let others = tiles - steps;
    let lines = others.div_ceil(most);
    let others = (0..lines).map(|line| others / lines + usize::from(line < others % lines));
    [steps].into_iter().chain(others).flat_map(|n| vec![n; n]).collect()
}

/// The section on what became of what was sent: the funnel, and the curve over the days.
fn path(report: &Report, groups: &[Group]) -> Markup {
    let lines = curve::lines(report, groups);
    let title = if report.goals.is_empty() {
        report.words("From sent to clicked", "Who entered")
    } else {
        report.words("From sent to the goal", "From entering to the goal")
    };
    let funnel = funnel::funnel(report).map(|(chart, said)| figure(title, html! { (said) }, html! {}, chart));
    let curve = curve::curve(report, &lines).map(|chart| {
        let said = html! {
            "Share of " (report.words("receipts that", "people who")) " had reached the goal by the end of each day. Once some time limits have passed, \
             those still running are left out."
        };
        figure(report.words("Days since sending", "Days since entering"), said, legend(&lines), html! { (chart) (curve_table(&lines)) })
    });
    let besides = besides_table(report);
    let goals = goals_table(report);
    if funnel.is_none() && curve.is_none() && besides.is_none() && goals.is_none() {
        return html! {};
    }
    html! {
        section aria-label=(title) {
            div.charts { @for chart in funnel.iter().chain(&curve) { (chart) } }
            @for table in besides.iter().chain(&goals) { (table) }
        }
    }
}

/// The section on the messages of a programme.
fn parts(report: &Report) -> Markup {
    if report.parts.is_empty() {
        return html! {};
    }
    html! { section aria-labelledby="parts" { h2 #parts { "Messages of the programme" } (parts_table(report)) } }
}

fn figure(title: &str, said: Markup, before: Markup, chart: Markup) -> Markup {
    html! { figure { figcaption { h3 { (title) } p { (said) } } div { (before) (chart) } } "\n" }
}

/// The legend: a sample of each line, its badge and its name. Empty for fewer than two lines.
fn legend(lines: &[Line]) -> Markup {
    html! {
        @if lines.len() > 1 {
            ul.legend {
                @for group in lines.iter().map(|line| line.group) {
                    li.(group.class) { (group.badge()) i.line aria-hidden="true" {} (group.name.html(48)) }
                }
            }
        }
    }
}

fn comparison(report: &Report, groups: &[Group]) -> Markup {
    if report.variants.is_empty() {
        return html! {};
    }
    let sure = round_percent(report.confidence);
    let rates = forest::rates(report, groups).map(|chart| {
        let said = html! {
            "Share of people, with its " (sure) " interval."
            @if groups.iter().any(|g| g.baseline) { " The dashed line is the baseline’s." }
        };
        figure("Reached the goal", said, html! {}, chart)
    });
    let lifts = forest::lifts(report, groups).map(|chart| {
        let said = html! {
            "Against the baseline. Thick: " (sure) " interval; thin: the one that is safe to look at every day."
        };
        figure("Lift", said, html! {}, chart)
    });
    html! {
        section aria-labelledby="variants" {
            h2 #variants { (if report.variants.len() > 1 { "Variants compared" } else { "Everyone who was counted" }) }
            @if rates.is_some() || lifts.is_some() {
                div.charts { @for chart in rates.iter().chain(&lifts) { (chart) } }
            }
            (variants_table(report, groups))
        }
    }
}
