//! `gatehouse slo`: which objectives are kept, and what is promised.

use control::Core;
use control::view::{
    Count, LevelIndicator, ObjectiveTarget, ServiceGoal, ServiceLevelKind, ServiceLevelSet,
    ServiceLevelView, ServiceLevelsView, ServicePeriod, UnixMs,
};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_distance, format_length};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TextTable, render_sentence};
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(crate) struct SloArguments {
    #[command(subcommand)]
    command: Option<SloCommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum SloCommand {
    /// Set an objective: a target in percent over a period
    Set(SloSetArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SloSetArguments {
    /// What the objective is for
    #[arg(value_parser = word::<ObjectiveTarget>())]
    target: ObjectiveTarget,
    /// The route, backend or service to set it for; without one, the default for all
    name: Option<String>,
    /// Percentage of requests that are to succeed, or of the observed time of a service
    #[arg(long, value_name = "PERCENT", value_parser = word::<ServiceGoal>())]
    goal: Option<ServiceGoal>,
    /// Time over which it is counted
    #[arg(long, value_name = "TIME", value_parser = word::<ServicePeriod>())]
    period: Option<ServicePeriod>,
    /// Longest time to the first token that counts as good, in milliseconds
    #[arg(long, value_name = "MS")]
    max_ms: Option<u32>,
    /// Go back to the default
    #[arg(long = "default", conflicts_with_all = ["goal", "period", "max_ms"])]
    to_default: bool,
    /// Only say what it would allow, and who would miss it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(
    wanted: SloArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if let Some(SloCommand::Set(set)) = wanted.command {
        return run_set(set, core, console).await;
    }
    let (levels, now) = (control::service_levels(core).await?, console.now());
    console.print_view(&levels, |it| render_service_levels(it, now))?;
    Ok(Exit::Success)
}

async fn run_set(
    SloSetArguments { target, name, goal, period, max_ms, to_default, dry_run }: SloSetArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let request = ServiceLevelSet { target, name, goal, period, max_ms, to_default };
    let preview = control::service_level_preview(core, request.clone()).await?;
    if dry_run {
        console.print_view(&preview, |it| {
            render_sentence(&format!("{}. {}", it.consequence, it.effect))
        })?;
        return Ok(Exit::Success);
    }
    let levels = control::service_level_set(core, request).await?;
    let sentence = format!("Set: {}. {}", preview.consequence, preview.effect);
    console.print_view(&levels, |_| render_sentence(&sentence))?;
    Ok(Exit::Success)
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
        Column::Right("Failed or down"),
        Column::Right("Burn").hidden_at_rank(2),
        Column::Left("Used up").hidden_at_rank(1),
    ]);
    for level in &levels.levels {
        table.row([
            subject(level).into(),
            objective_text(level).into(),
            Sign::from(level.state).into(),
            left_text(level).into(),
            failed_text(level).into(),
            burn_text(level).into(),
            level.exhausted_at.map(|at| format_distance(now, at)).unwrap_or_default().into(),
        ]);
    }
    text.table(&table);
    for objective in &levels.objectives {
        let line = format!("{}: {}", objective.label, objective.consequence);
        text.line(Tone::Muted, &line);
    }
    let advised = levels.levels.iter().filter(|level| !level.advice.is_empty());
    for level in advised {
        text.line(Tone::Plain, &format!("{}: {}", subject(level), level.advice));
    }
    text
}

fn objective_text(level: &ServiceLevelView) -> String {
    let mark = if level.terms.is_own { " (own)" } else { "" };
    format!("{}{mark}", level.objective)
}

/// `40 %`; of a service `40 %, 4 min`.
fn left_text(level: &ServiceLevelView) -> String {
    let Some(left) = level.budget_left_percent else { return UNKNOWN.to_owned() };
    match &level.time {
        Some(time) => format!("{left:.0} %, {}", format_secs(time.left_secs)),
        None => format!("{left:.0} %"),
    }
}

/// `3 of 1000` requests; of a service `5 min of 30 h`, which were observed.
fn failed_text(level: &ServiceLevelView) -> String {
    match &level.time {
        Some(time) => {
            format!("{} of {}", format_secs(time.down_secs), format_secs(time.observed_secs))
        }
        None => format!("{} of {}", level.bad.0, level.valid.0),
    }
}

/// Up to three days in hours, since `1 d` would hide nearly half of the observed time.
fn format_secs(secs: Count) -> String {
    match secs.0 / 3_600 {
        hours @ 24..72 => format!("{hours} h"),
        _ => format_length(secs.0.saturating_mul(1_000)),
    }
}

/// The rate of the longer time: `1.8× in 24h`.
fn burn_text(level: &ServiceLevelView) -> String {
    let long = level.pace.as_ref().map(|pace| &pace.long);
    let known = long.and_then(|long| Some((long.rate?, long.window)));
    known.map_or_else(|| UNKNOWN.to_owned(), |(rate, window)| format!("{rate:.1}× in {window}"))
}

fn subject(level: &ServiceLevelView) -> String {
    let name = match level.kind {
        ServiceLevelKind::Gateway => level.label.clone(),
        kind => format!("{} {}", kind.word(), level.label),
    };
    match level.indicator {
        LevelIndicator::Requests | LevelIndicator::Availability => name,
        LevelIndicator::FirstToken => format!("{name}, first token"),
    }
}
