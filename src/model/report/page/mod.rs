//! The page itself: from the verdict down to the small print. Sections without figures are left out.

mod small_print;
mod tables;

use super::arms::{Arm, arms};
use super::chart::{BOLD, curve, forest, funnel};
use super::data::{Figure, Goal, Report, Words};
use super::text::{
    MISSING, count, duration, escape, goal_words, moment, name, of_judged, percent, round_percent, width, worth,
};
use super::verdict::verdict;
use small_print::small_print;
use tables::{curve_table, goals_table, variants_table};

const STYLE: &str = include_str!("style.css");
/// Nothing is fetched and nothing runs, whatever slipped through.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

pub fn render(report: &Report) -> String {
    let arms = arms(report);
    let title = name(message_name(report), 120);
    let plain_title = escape(&message_name(report).chars().take(120).collect::<String>());
    let body = [
        header(report, &title),
        judgement(report, &arms),
        stats(report),
        path(report, &arms),
        comparison(report, &arms),
        small_print(report, &arms),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{plain_title} · message report</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn message_name(report: &Report) -> &str {
    report.message.name.get().unwrap_or("Unnamed message")
}

/// What a goal is called among others.
fn goal_name(goal: &Goal) -> String {
    name(goal.name.get().unwrap_or("primary"), 60)
}

fn header(report: &Report, title: &str) -> String {
    let kind = report.message.kind.get().map(|k| match k {
        "one_off" => "One-off message".to_owned(),
        "ongoing" => "Ongoing message".to_owned(),
        other => name(other, 40),
    });
    let channel = report.message.channel.get().map(|c| format!("via {}", name(c, 40)));
    let created = dated("Created", &report.message.created_at);
    let as_of = dated("As of", &report.as_of);
    let facts: Vec<String> =
        [kind, channel, created, as_of].into_iter().flatten().map(|f| format!("<li>{f}</li>")).collect();
    format!(
        "<header>\n<p class=\"eyebrow\">Message report</p>\n<h1>{title}</h1>\n<ul class=\"facts\">{}</ul>\n</header>\n",
        facts.concat()
    )
}

fn dated(what: &str, time: &Words) -> Option<String> {
    time.get().map(|t| format!("{what} <time>{}</time>", escape(&moment(t))))
}

/// "within 7 days of sending"
fn within(goal: &Goal) -> String {
    let anchor = match goal.after.get() {
        Some("opened") => "the first open",
        Some("clicked") => "the first click",
        _ => "sending",
    };
    goal.time_limit.get().map_or(String::new(), |t| format!(" within {} of {anchor}", escape(&duration(t))))
}

fn judgement(report: &Report, arms: &[Arm]) -> String {
    let verdict = verdict(report, arms);
    let (class, mark) = verdict.tone.class_and_mark();
    let goal = report
        .compared_goal()
        .map_or(String::new(), |g| format!("<p class=\"aim\"><span>Goal</span> {}{}</p>\n", goal_words(g), within(g)));
    let details: String = verdict
        .details
        .iter()
        .map(|d| if d.starts_with("<ul>") { d.clone() } else { format!("<p>{d}</p>\n") })
        .collect();
    let notes: String = verdict.notes.iter().map(|n| format!("<p class=\"notes\">{n}</p>\n")).collect();
    format!(
        "<section class=\"verdict {class}\" aria-labelledby=\"verdict\">\n<span class=\"mark\" aria-hidden=\"true\">{mark}</span>\n\
         <div>\n{goal}<h2 id=\"verdict\">{}</h2>\n{details}{notes}</div>\n</section>\n",
        verdict.headline
    )
}

struct Tile<'a> {
    class: &'a str,
    label: String,
    number: Figure,
    share: Option<f64>,
    /// what the share is of, for those who hear the page
    whole: &'a str,
    notes: Vec<String>,
}

fn stats(report: &Report) -> String {
    let totals = &report.totals;
    let plain = |label: &str, n: Figure, share: Option<f64>| Tile {
        class: "",
        label: label.into(),
        number: n,
        share,
        whole: "sent",
        notes: vec![],
    };
    let mut tiles = vec![
        plain("Sent", totals.sent, None),
        plain("Opened", totals.opened, totals.opened.of(totals.sent)),
        plain("Clicked", totals.clicked, totals.clicked.of(totals.sent)),
    ];
    for goal in &report.goals {
        let label =
            if report.only_primary() { "Reached the goal".to_owned() } else { format!("Goal: {}", goal_name(goal)) };
        let judged = of_judged(goal, totals.sent);
        let whole = if judged.is_some() { "those judged by this goal" } else { "sent" };
        let mut notes = Vec::from_iter(judged);
        if goal.already_matched.count() > 0.0 {
            notes.push(format!("{} met it already", count(goal.already_matched)));
        }
        if let Some(w) = goal.worth.finite().filter(|w| *w != 0.0) {
            notes.push(format!("worth {}", worth(w)));
        }
        if goal.is_stopped() {
            notes.push("stopped".into());
        }
        let share = goal.matched.of(goal.sent);
        tiles.push(Tile { class: "goal", label, number: goal.matched, share, whole, notes });
    }
    if totals.control.count() > 0.0 {
        let notes = vec!["held back, sent nothing".into()];
        tiles.push(Tile {
            class: "control",
            label: "Control group".into(),
            number: totals.control,
            share: None,
            whole: "",
            notes,
        });
    }
    let widest = tiles.iter().map(|t| width(&count(t.number), BOLD)).fold(1.0, f64::max);
    let (wide, narrow) = (rows(tiles.len(), 6), rows(tiles.len(), 4));
    let most = |rows: &[usize]| rows.iter().copied().max().unwrap_or(1);
    let style = format!("--widest:{widest:.2};--most:{};--most-narrow:{}", most(&wide), most(&narrow));
    let tiles: String = tiles.iter().zip(wide.iter().zip(&narrow)).map(|(t, (w, n))| tile(t, *w, *n)).collect();
    format!(
        "<section class=\"counts\" aria-label=\"Counts\">\n<ul class=\"stats\" style=\"{style}\">\n{tiles}</ul>\n</section>\n"
    )
}

/// For each tile, how many stand in its row. Where one row of `most` does not hold them, what was sent, opened and
/// clicked has the first, and the others share theirs evenly, so that every row is full.
fn rows(tiles: usize, most: usize) -> Vec<usize> {
    if tiles <= most {
        return vec![tiles; tiles];
    }
    let others = tiles - 3;
    let lines = others.div_ceil(most);
    let others = (0..lines).map(|line| others / lines + usize::from(line < others % lines));
    [3].into_iter().chain(others).flat_map(|n| vec![n; n]).collect()
}

/// Of 60 columns; `wide` and `narrow` are how many tiles stand in its row on a wide and on a narrow screen.
fn tile(tile: &Tile, wide: usize, narrow: usize) -> String {
    let share = tile.share.map_or(String::new(), |s| {
        let wide = (s * 100.0).clamp(0.0, 100.0);
        format!(
            "<span class=\"share\">{}<span class=\"unseen\"> of {}</span></span>\
             <span class=\"meter\" aria-hidden=\"true\">{}</span>",
            escape(&percent(s)),
            tile.whole,
            if wide > 0.0 { format!("<i style=\"width:{wide:.2}%\"></i>") } else { String::new() }
        )
    });
    let notes = if tile.notes.is_empty() {
        String::new()
    } else {
        format!("<span class=\"note\">{}</span>", tile.notes.join(" · "))
    };
    format!(
        "<li class=\"{}\" style=\"--span:{};--span-narrow:{}\"><span class=\"label\">{}</span>\
         <span class=\"number\">{}</span>{share}{notes}</li>\n",
        tile.class,
        60 / wide,
        60 / narrow,
        tile.label,
        count(tile.number)
    )
}

/// What became of what was sent: the funnel, and the curve over the days.
fn path(report: &Report, arms: &[Arm]) -> String {
    let funnel = funnel::funnel(report).map(|svg| figure("From sent to the goal", funnel::caption(report), "", &svg));
    let curve = curve::curve(report, arms).map(|svg| {
        let drawn = curve::drawn(report, arms);
        let legend = if drawn.len() > 1 { legend(&drawn) } else { String::new() };
        let table = curve_table(report, arms, &drawn);
        let said = "Share of receipts that had reached the goal by the end of each day. Once some time limits have passed, \
                    those still running are left out.";
        figure("Days since sending", said, &legend, &format!("{svg}{table}"))
    });
    let charts: String = [funnel, curve].into_iter().flatten().collect();
    let table = goals_table(report);
    if charts.is_empty() && table.is_empty() {
        return String::new();
    }
    format!(
        "<section aria-label=\"From sent to the goal\">\n<div class=\"charts\">\n{charts}</div>\n{table}</section>\n"
    )
}

fn figure(title: &str, said: &str, before: &str, chart: &str) -> String {
    format!("<figure>\n<figcaption><h3>{title}</h3><p>{said}</p></figcaption>\n<div>{before}{chart}</div></figure>\n")
}

/// A sample of the arm's line, its badge's number and its name.
fn legend(arms: &[&Arm]) -> String {
    let items: String = arms
        .iter()
        .map(|arm| {
            format!(
                "<li class=\"{}\">{}<i class=\"line\" aria-hidden=\"true\"></i>{}</li>",
                arm.class(),
                badge(arm),
                name(&arm.name, 48)
            )
        })
        .collect();
    format!("<ul class=\"legend\">{items}</ul>\n")
}

fn badge(arm: &Arm) -> String {
    format!("<b class=\"badge {}\" aria-hidden=\"true\">{}</b>", arm.class(), arm.key)
}

fn comparison(report: &Report, arms: &[Arm]) -> String {
    if report.variants.is_empty() {
        return String::new();
    }
    let sure = round_percent(report.confidence());
    let line = if arms.iter().any(|a| a.baseline) { " The dashed line is the baseline’s." } else { "" };
    let rates = forest::rates(report, arms)
        .map(|svg| figure("Reached the goal", &format!("Share of people, with its {sure} interval.{line}"), "", &svg));
    let lifts = forest::lifts(report, arms).map(|svg| {
        let said =
            format!("Against the baseline. Thick: {sure} interval; thin: the one that is safe to look at every day.");
        figure("Lift", &said, "", &svg)
    });
    let charts: String = [rates, lifts].into_iter().flatten().collect();
    let charts = if charts.is_empty() { charts } else { format!("<div class=\"charts\">\n{charts}</div>\n") };
    let title = if report.variants.len() > 1 { "Variants compared" } else { "Everyone who was counted" };
    format!(
        "<section aria-labelledby=\"variants\">\n<h2 id=\"variants\">{title}</h2>\n{charts}{}</section>\n",
        variants_table(report, arms)
    )
}

fn or_missing(shown: Option<String>) -> String {
    shown.map_or(MISSING.into(), |s| escape(&s))
}
