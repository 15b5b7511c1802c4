//! `gatehouse usage latency` and `usage failures`: how fast and how well backends answered.

use control::Core;
use control::view::{
    LatencyGroupBy, LatencyPart, LatencyPartView, UsageFailuresView, UsageLatencyQuery,
    UsageLatencyView,
};

use super::period::PeriodArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_count};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};
use crate::word::word;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LatencyArguments {
    #[command(flatten)]
    period: PeriodArguments,
    /// One row per part of these
    #[arg(long, default_value = "backend", value_parser = word::<LatencyGroupBy>())]
    by: LatencyGroupBy,
}

pub(super) async fn run(
    wanted: &LatencyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let period = wanted.period.query(console.now())?;
    let chosen = [
        (LatencyGroupBy::Backend, &period.filter.backend),
        (LatencyGroupBy::Model, &period.filter.model),
        (LatencyGroupBy::Route, &period.filter.route),
    ];
    let mut chosen = chosen.into_iter().filter_map(|(by, name)| Some((by, name.clone()?)));
    let (first, more) = (chosen.next(), chosen.next());
    let filter = &period.filter;
    if more.is_some()
        || [&filter.client, &filter.credential, &filter.project].into_iter().any(Option::is_some)
    {
        return Err(CommandError::new(
            Exit::Usage,
            "latencies are kept by backend, model or route: choose one of them",
        ));
    }
    let (group_by, name) = match first {
        Some((by, name)) => (by, Some(name)),
        None => (wanted.by, None),
    };
    let (range, zone, from, to) = (period.range, period.zone, period.from, period.to);
    let query = UsageLatencyQuery { range, zone, from, to, group_by, name };
    let latency = control::usage_latency(core, query).await?;
    console.print_view(&latency, text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn text(latency: &UsageLatencyView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &latency.finding);
    if latency.parts.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Name"),
        Column::Left("Part"),
        Column::Right("Requests").hidden_at_rank(1),
        Column::Right("p50"),
        Column::Right("p95"),
        Column::Right("p99"),
        Column::Right("Longest").hidden_at_rank(2),
    ]);
    let mut rows = |name: &str, parts: &[LatencyPartView]| {
        for part in parts {
            table.row([
                name.into(),
                part_name(part.part).into(),
                format_count(part.count).into(),
                format_ms(part.p50_ms).into(),
                format_ms(part.p95_ms).into(),
                format_ms(part.p99_ms).into(),
                format_ms(part.max_ms).into(),
            ]);
        }
    };
    rows("All", &latency.parts);
    latency.groups.iter().for_each(|group| rows(&group.label, &group.parts));
    text.end().table(&table);
    text
}

const fn part_name(part: LatencyPart) -> &'static str {
    match part {
        LatencyPart::Queue => "queue",
        LatencyPart::Connect => "first byte",
        LatencyPart::FirstToken => "first token",
        LatencyPart::Total => "total",
    }
}

fn format_ms(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        ..1_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1_000.0),
    }
}

pub(super) async fn run_failures(
    wanted: &PeriodArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let failures = control::usage_failures(core, wanted.query(console.now())?).await?;
    console.print_view(&failures, failures_text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn failures_text(failures: &UsageFailuresView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &failures.finding);
    if failures.classes.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Class"),
        Column::Right("Attempts"),
        Column::Right("Of all"),
        Column::Right("Cost"),
        Column::Left("Backends").hidden_at_rank(1),
    ]);
    for class in &failures.classes {
        let backends: Vec<&str> = class.backends.iter().map(|it| it.label.as_str()).collect();
        table.row([
            class.class.as_str().into(),
            format_count(class.attempts).into(),
            format!("{:.2} %", class.percent_of_attempts).into(),
            CostSum::from(class).text().into(),
            backends.join(", ").into(),
        ]);
    }
    text.end().table(&table);
    text
}
