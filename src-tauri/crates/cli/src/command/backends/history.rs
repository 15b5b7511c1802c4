//! `gatehouse backends timeline` and `backtest`: the history of a circuit breaker, and the result
//! of other thresholds on it.

use control::Core;
use control::view::{
    BACKTEST_DAYS_MAX, BacktestQuery, BacktestView, BreakerTimelineQuery, BreakerTimelineView,
    TIMELINE_HOURS_MAX, UnixMs,
};

use crate::command::completers;
use crate::console::Console;
use crate::exit::CommandError;
use crate::quantity::{UNKNOWN, format_distance};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TextTable, render_sentence};

/// A backend's recent past.
#[derive(Debug, clap::Args)]
pub(crate) struct TimelineArguments {
    /// The backend
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: String,
    /// How far back
    #[arg(long, value_name = "N", default_value_t = 24,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(TIMELINE_HOURS_MAX)))]
    hours: u32,
}

/// Thresholds to try; those that are not named stay as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct BacktestArguments {
    /// The backend; by default all of them
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// How far back
    #[arg(long, value_name = "N", default_value_t = 7,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(BACKTEST_DAYS_MAX)))]
    days: u32,
    /// Failures in a row that trip the breaker
    #[arg(long, value_name = "N")]
    consecutive_failures: Option<u32>,
    /// Percentage of failed calls that trips it
    #[arg(long, value_name = "PERCENT")]
    failure_percent: Option<u8>,
    /// Calls needed before the percentage counts
    #[arg(long, value_name = "N")]
    window_calls_min: Option<u32>,
    /// Seconds the breaker stays tripped the first time
    #[arg(long, value_name = "SECS")]
    open_secs: Option<u32>,
}

pub(super) async fn timeline(
    wanted: TimelineArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let TimelineArguments { backend, hours } = wanted;
    let view = control::breaker_timeline(core, BreakerTimelineQuery { backend, hours }).await?;
    let now = console.now();
    console.print_view(&view, |view| render_timeline(view, now))
}

pub(super) async fn backtest(
    wanted: BacktestArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let query = BacktestQuery {
        backend: wanted.backend,
        days: wanted.days,
        consecutive_failures: wanted.consecutive_failures,
        failure_percent: wanted.failure_percent,
        window_calls_min: wanted.window_calls_min,
        open_secs: wanted.open_secs,
    };
    let view = control::breaker_backtest(core, query).await?;
    console.print_view(&view, |view: &BacktestView| render_sentence(&view.sentence))
}

fn render_timeline(view: &BreakerTimelineView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &view.finding);
    if view.transitions.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("When"),
        Column::Left("Key").hidden_at_rank(1),
        Column::Left("From").hidden_at_rank(2),
        Column::Left("To"),
        Column::Left("Reason"),
    ]);
    for change in &view.transitions {
        table.row([
            format_distance(now, change.at).into(),
            change.credential.as_deref().unwrap_or(UNKNOWN).into(),
            Sign::from(change.from).into(),
            Sign::from(change.to).into(),
            change.rule.as_str().into(),
        ]);
    }
    text.end().table(&table);
    text
}
