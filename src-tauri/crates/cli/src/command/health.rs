//! `gatehouse health`: how backends have served.

pub(super) mod local;

use control::Core;
use control::view::{BackendHealthView, HealthReportView, LatencyChange, ScoreConfidence, UnixMs};

use super::health_tree;
use super::services::append_services;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_distance;
use crate::sign::{Mark, Sign, Tone};
use crate::text::{Column, StyledText, TextTable};

const TIMELINE_HOURS: u32 = 24;
/// Days of the strip that fit beside the other columns.
const STRIP_DAYS_SHOWN: usize = 30;

#[derive(Debug, clap::Args)]
pub(crate) struct HealthArguments {
    /// Only this backend, with its days and the parts of its score
    backend: Option<String>,
    /// Show what answers depend on, as a tree: network, providers, backends, keys, models
    #[arg(long, conflicts_with = "backend")]
    tree: bool,
    /// Show when the network, the gateway and each backend were not up
    #[arg(long, conflicts_with_all = ["backend", "tree"])]
    timeline: bool,
    /// Hours that the time line goes back, at most 720
    #[arg(long, value_name = "HOURS", default_value_t = TIMELINE_HOURS, requires = "timeline")]
    hours: u32,
    /// Show what Gatehouse and this machine use, and recent start times
    #[arg(long, conflicts_with_all = ["backend", "tree", "timeline"])]
    local: bool,
}

pub(crate) async fn run(
    wanted: HealthArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if wanted.tree {
        return health_tree::run_tree(core, console).await;
    }
    if wanted.timeline {
        return health_tree::run_timeline(wanted.hours, core, console).await;
    }
    if wanted.local {
        let (local, now) = (control::local_health(core).await?, console.now());
        console.print_view(&local, |it| local::render_local(it, now))?;
        return Ok(Exit::Success);
    }
    let (mut report, now) = (control::health(core).await?, console.now());
    let Some(id) = wanted.backend else {
        console.print_view(&report, |it| render_health(it, now))?;
        return Ok(Exit::Success);
    };
    report.backends.retain(|backend| backend.id == id);
    let Some(backend) = report.backends.first() else {
        let message = format!("there is no backend {id:?}; `gatehouse health` lists them");
        return Err(control::ApiError::not_found(message).into());
    };
    console.print_view(backend, |it| render_backend_health(it, now))?;
    Ok(Exit::Success)
}

/// The tables of backends, the worst first, and of services.
pub(super) fn render_health(report: &HealthReportView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &report.finding);
    if !report.backends.is_empty() {
        append_backends(&mut text, &report.backends, now);
    }
    if !report.services.services.is_empty() {
        text.end().line(Tone::Strong, &report.services.finding);
        append_services(&mut text, &report.services.services, now);
    }
    text
}

fn append_backends(text: &mut StyledText, backends: &[BackendHealthView], now: UnixMs) {
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("State"),
        Column::Right("Score"),
        Column::Left("24 hours"),
        Column::Left("90 days").hidden_at_rank(1),
        Column::Right("First token p50 / p95"),
        Column::Left("Since").hidden_at_rank(2),
    ]);
    for backend in backends {
        let share = |place: usize| backend.availability.get(place).map(|it| it.sentence.clone());
        table.row([
            backend.label.as_str().into(),
            Sign::from(backend.health.state).into(),
            score_text(backend).into(),
            share(0).unwrap_or_default().into(),
            share(2).unwrap_or_default().into(),
            first_token_text(backend).into(),
            backend.health.since.map(|at| format_distance(now, at)).unwrap_or_default().into(),
        ]);
    }
    text.table(&table);
}

fn score_text(backend: &BackendHealthView) -> String {
    match (backend.score.points, backend.score.confidence) {
        (None, _) => "–".to_owned(),
        (Some(points), ScoreConfidence::Low) => format!("{points} (low confidence)"),
        (Some(points), _) => points.to_string(),
    }
}

fn first_token_text(backend: &BackendHealthView) -> String {
    match &backend.first_token {
        Some(found) => {
            let is_slower = found.changes.iter().any(|it| it.change == LatencyChange::Slower);
            let mark = if is_slower {
                format!(" {}", Mark::Attention.before("slower"))
            } else {
                String::new()
            };
            format!("{:.0} / {:.0} ms{mark}", found.p50_ms, found.p95_ms)
        }
        None => "–".to_owned(),
    }
}

/// A backend with its days and the parts of its score.
pub(super) fn render_backend_health(backend: &BackendHealthView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    let sign = Sign::from(backend.health.state).text();
    text.line(Tone::Strong, &format!("{}: {sign}, {}", backend.label, backend.health.reason));
    if let Some(since) = backend.health.since {
        text.line(Tone::Plain, &format!("Since {}", format_distance(now, since)));
    }
    for share in &backend.availability {
        text.line(Tone::Plain, &format!("{}: {}", share.period, share.sentence));
    }
    for change in backend.first_token.iter().flat_map(|found| &found.changes) {
        let tone = if change.change == LatencyChange::Slower { Tone::Warn } else { Tone::Plain };
        text.line(tone, &format!("First tokens: {}", change.sentence));
    }
    let skipped = backend.strip.len().saturating_sub(STRIP_DAYS_SHOWN);
    let cells: String =
        backend.strip.iter().skip(skipped).map(|day| Sign::from(day.cell).shape.symbol()).collect();
    text.line(Tone::Plain, &format!("Last {STRIP_DAYS_SHOWN} days: {cells}"));
    text.line(Tone::Strong, &format!("Score: {}", score_text(backend)));
    let mut table = TextTable::new(&[
        Column::Left("Part"),
        Column::Right("Points"),
        Column::Left("What it measures").hidden_at_rank(1),
    ]);
    for part in &backend.score.parts {
        let points = match part.points {
            Some(points) => format!("{points:.1} of {}", part.points_max),
            None => "not measured".to_owned(),
        };
        table.row([part.part.word().into(), points.into(), part.meaning.as_str().into()]);
    }
    text.table(&table);
    if let Some(cap) = &backend.score.cap_sentence {
        text.line(Tone::Warn, cap);
    }
    text
}
