//! `gatehouse usage savings` and `usage waste`: what the caches saved, and what gave nothing.

use clap::ValueEnum;
use control::Core;
use control::view::UsageEfficiencyView;

use super::period::PeriodArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_count, format_duration, format_money};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SavingsArguments {
    #[command(flatten)]
    period: PeriodArguments,
    /// One row per part of these
    #[arg(long, value_enum, default_value_t = SavingsGroupBy::Route)]
    by: SavingsGroupBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::command) enum SavingsGroupBy {
    Route,
    Model,
    Client,
}

pub(super) async fn run_savings(
    wanted: &SavingsArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    print(&wanted.period, core, console, |found| savings_text(found, wanted.by)).await
}

pub(super) async fn run_waste(
    wanted: &PeriodArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    print(wanted, core, console, waste_text).await
}

async fn print(
    period: &PeriodArguments,
    core: &Core,
    console: &mut Console,
    text: impl Fn(&UsageEfficiencyView) -> StyledText,
) -> Result<Exit, CommandError> {
    let found = control::usage_efficiency(core, period.query(console.now())?).await?;
    console.print_view(&found, text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn savings_text(
    found: &UsageEfficiencyView,
    by: SavingsGroupBy,
) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &found.finding);
    let paid = CostSum::from(found);
    let without = CostSum { cost: found.without_cache_nano_usd, ..paid };
    let sentence = format!("{} with the cache, {} without it.", paid.text(), without.text());
    text.line(Tone::Muted, &sentence);
    if let Some(percent) = found.provider_cache_read_percent {
        let sentence = format!("Providers read {percent:.1} % of the input from their own caches.");
        text.line(Tone::Muted, &sentence);
    }
    let (name, rows) = match by {
        SavingsGroupBy::Route => ("Route", &found.cache_savings),
        SavingsGroupBy::Model => ("Model", &found.cache_savings_by_model),
        SavingsGroupBy::Client => ("Client", &found.cache_savings_by_client),
    };
    if rows.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left(name),
        Column::Right("Saved"),
        Column::Right("From cache"),
        Column::Right("Looked up").hidden_at_rank(1),
        Column::Right("Time saved").hidden_at_rank(2),
    ]);
    for row in rows {
        table.row([
            row.label.as_str().into(),
            format_money(row.saved_nano_usd).into(),
            format_count(row.hits).into(),
            format_count(row.eligible_requests).into(),
            format_duration(row.saved_ms.0 as f64).into(),
        ]);
    }
    text.end().table(&table);
    text
}

pub(in crate::command) fn waste_text(found: &UsageEfficiencyView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &found.finding);
    let mut table = TextTable::new(&[
        Column::Left("Kind"),
        Column::Right("Cost"),
        Column::Right("Requests"),
        Column::Right("Unpriced").hidden_at_rank(1),
    ]);
    for row in &found.waste {
        table.row([
            row.label.as_str().into(),
            CostSum::from(row).text().into(),
            format_count(row.requests).into(),
            format_count(row.unpriced).into(),
        ]);
    }
    text.end().table(&table);
    text
}
