//! `gatehouse slo`: which objectives are kept, and what is promised.

use control::Core;
use control::view::{
    LevelIndicator, ObjectiveTarget, ServiceGoal, ServiceLevelKind, ServiceLevelSet,
    ServiceLevelView, ServiceLevelsView, ServicePeriod, UnixMs,
};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_distance;
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
    /// Set what is promised: a goal in percent over a time
    Set(SloSetArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SloSetArguments {
    /// What it is promised of
    #[arg(value_parser = word::<ObjectiveTarget>())]
    target: ObjectiveTarget,
    /// Percentage of requests that are to succeed
    #[arg(long, value_name = "PERCENT", value_parser = word::<ServiceGoal>())]
    goal: Option<ServiceGoal>,
    /// Time over which it is counted
    #[arg(long, value_name = "TIME", value_parser = word::<ServicePeriod>())]
    period: Option<ServicePeriod>,
    /// Longest time to a first token that is in time, in milliseconds
    #[arg(long, value_name = "MS")]
    max_ms: Option<u32>,
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
    SloSetArguments { target, goal, period, max_ms, dry_run }: SloSetArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let request = ServiceLevelSet { target, goal, period, max_ms };
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
        Column::Right("Failed"),
        Column::Right("Burn").hidden_at_rank(2),
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

/// The rate of the longer time: `1.8× in 24h`.
fn burn_text(level: &ServiceLevelView) -> String {
    let long = level.pace.as_ref().map(|pace| &pace.long);
    let known = long.and_then(|long| Some((long.rate?, long.window)));
    known.map_or_else(|| "–".to_owned(), |(rate, window)| format!("{rate:.1}× in {window}"))
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
