//! `gatehouse health` and `gatehouse slo`: how backends have served, and which objectives are kept.

use control::Core;
use control::view::{
    BackendHealthView, HealthReportView, LevelIndicator, ScoreConfidence, ServiceLevelKind,
    ServiceLevelView, ServiceLevelsView, StripCell, UnixMs,
};

use super::keys::render_sentence;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_distance;
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TextTable};

/// Days of the strip that fit beside the other columns.
const STRIP_DAYS_SHOWN: usize = 30;

#[derive(Debug, clap::Args)]
pub(crate) struct HealthArguments {
    /// Only this backend, with its days and the parts of its score
    backend: Option<String>,
}

pub(crate) async fn run(
    wanted: HealthArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
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

pub(crate) async fn run_service_levels(
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let (levels, now) = (control::service_levels(core).await?, console.now());
    console.print_view(&levels, |it| render_service_levels(it, now))?;
    Ok(Exit::Success)
}

/// The table of backends, the worst first.
pub(super) fn render_health(report: &HealthReportView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &report.finding);
    if report.backends.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("State"),
        Column::Right("Score"),
        Column::Left("24 hours"),
        Column::Left("90 days").hidden_at_rank(1),
        Column::Right("First token p50 / p95"),
        Column::Left("Since").hidden_at_rank(2),
    ]);
    for backend in &report.backends {
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
    text
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
        Some(found) => format!("{:.0} / {:.0} ms", found.p50_ms, found.p95_ms),
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
    let skipped = backend.strip.len().saturating_sub(STRIP_DAYS_SHOWN);
    let cells: String = backend.strip.iter().skip(skipped).map(|day| cell(day.cell)).collect();
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

const fn cell(cell: StripCell) -> char {
    match cell {
        StripCell::Good => '●',
        StripCell::Partial => '◐',
        StripCell::Bad => '▬',
        StripCell::NotObserved => '·',
    }
}

/// The table of objectives.
pub(super) fn render_service_levels(levels: &ServiceLevelsView, now: UnixMs) -> StyledText {
    if levels.levels.is_empty() {
        return render_sentence(&levels.finding);
    }
    let mut text = StyledText::new();
    text.line(Tone::Strong, &levels.finding);
    let mut table = TextTable::new(&[
        Column::Left("Of"),
        Column::Left("Objective"),
        Column::Left("State"),
        Column::Right("Budget left"),
        Column::Right("Failed"),
        Column::Left("Used up").hidden_at_rank(1),
    ]);
    for level in &levels.levels {
        table.row([
            subject(level).into(),
            level.objective.as_str().into(),
            Sign::from(level.state).into(),
            level
                .budget_left_percent
                .map_or_else(|| "–".to_owned(), |left| format!("{left:.0} %"))
                .into(),
            format!("{} of {}", level.bad.0, level.valid.0).into(),
            level.exhausted_at.map(|at| format_distance(now, at)).unwrap_or_default().into(),
        ]);
    }
    text.table(&table);
    let advised = levels.levels.iter().filter(|level| !level.advice.is_empty());
    for level in advised {
        text.line(Tone::Plain, &format!("{}: {}", subject(level), level.advice));
    }
    text
}

fn subject(level: &ServiceLevelView) -> String {
    let name = match level.kind {
        ServiceLevelKind::Gateway => level.label.clone(),
        kind => format!("{} {}", kind.word(), level.label),
    };
    match level.indicator {
        LevelIndicator::Requests => name,
        LevelIndicator::FirstToken => format!("{name}, first token"),
    }
}
