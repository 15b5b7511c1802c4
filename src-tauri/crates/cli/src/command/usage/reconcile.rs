//! `gatehouse usage reconcile` and `gatehouse usage drift`: what providers billed, beside what was
//! computed.

use std::path::PathBuf;

use clap::ValueHint;
use control::view::{
    BillingFetch, BillingImport, BillingProgressView, BillingProvider, BillingReportView,
    DriftDayView, DriftQuery, DriftView, NanoDollars, StatedDriftView,
};
use control::{Core, CoreEvents, PanelEvent};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count, format_counted_noun, format_money};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};
use crate::word::word;

/// Width of a progress bar in characters.
const BAR_CELLS: usize = 24;

/// Problems of a file that are listed.
const PROBLEMS_SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct ReconcileArguments {
    /// The provider that billed
    #[arg(long, value_parser = word::<BillingProvider>())]
    provider: BillingProvider,
    /// Read this file, which the provider's console exported, instead of asking the provider
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "days")]
    csv: Option<PathBuf>,
    /// Days back, without today
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DriftArguments {
    /// One provider
    #[arg(long, value_parser = word::<BillingProvider>())]
    provider: Option<BillingProvider>,
    /// Days back, today included
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=90))]
    days: u32,
}

pub(super) async fn reconcile(
    wanted: &ReconcileArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let report = match &wanted.csv {
        Some(file) => {
            let file_name = file.display().to_string();
            let bytes = std::fs::read(file).map_err(|error| {
                CommandError::new(Exit::Usage, format!("{file_name} could not be read: {error}"))
            })?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let import = BillingImport { provider: wanted.provider, file_name, text };
            control::billing_import(core, import).await?
        }
        None => {
            let fetch = BillingFetch { provider: wanted.provider, days: wanted.days };
            follow_fetch(fetch, core, console).await?
        }
    };
    console.print_view(&report, render_report)?;
    Ok(if report.days.0 > 0 && report.problems.is_empty() { Exit::Success } else { Exit::Negative })
}

/// Fetches a report and shows how far it is, until it ends or Ctrl+C cancels it.
async fn follow_fetch(
    fetch: BillingFetch,
    core: &Core,
    console: &mut Console,
) -> Result<BillingReportView, CommandError> {
    let is_live = console.shows_progress();
    let mut events = CoreEvents::subscribe(core).await?;
    let fetching = control::billing_fetch(core, fetch);
    tokio::pin!(fetching);
    loop {
        tokio::select! {
            report = &mut fetching => return Ok(report?),
            event = events.next() => match event {
                Some(PanelEvent::BillingProgress { progress }) if is_live => {
                    show_progress(&progress, console);
                }
                Some(_) => {}
                // The call tells why the core is gone.
                None => return Ok(fetching.await?),
            },
            _ = tokio::signal::ctrl_c() => {
                control::billing_cancel(core).await?;
                return Err(CommandError::new(Exit::Negative, "the fetch was cancelled")
                    .with_hint("Nothing was stored."));
            }
        }
    }
}

/// Writes over the line of the progress before.
fn show_progress(progress: &BillingProgressView, console: &mut Console) {
    let mut text = StyledText::new();
    text.rewrite_line();
    if progress.is_running {
        let done = bar_cells(progress.days_read.0, progress.days.0);
        let bar = format!("{}{}", "█".repeat(done), "░".repeat(BAR_CELLS - done));
        text.piece(Tone::Muted, &format!("{bar} {}", progress.sentence));
    }
    console.print_remark(&text);
}

/// Filled cells of a bar.
fn bar_cells(done: u64, whole: u64) -> usize {
    let cells = BAR_CELLS as u64 * done.min(whole);
    usize::try_from(cells.checked_div(whole).unwrap_or_default()).unwrap_or_default()
}

pub(super) async fn drift(
    wanted: &DriftArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let query = DriftQuery { days: wanted.days, provider: wanted.provider };
    let drift = control::billing_drift(core, query).await?;
    console.print_view(&drift, render_drift)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn render_report(report: &BillingReportView) -> StyledText {
    let mut text = StyledText::new();
    let tone = if report.problems.is_empty() { Tone::Good } else { Tone::Warn };
    text.line(tone, &report.finding);
    for problem in report.problems.iter().take(PROBLEMS_SHOWN) {
        let field = match problem.field.as_str() {
            "" => String::new(),
            field => format!("{field}: "),
        };
        let place = format!("{}:{}: ", problem.file, problem.line.0);
        text.piece(Tone::Muted, &place).line(Tone::Plain, &format!("{field}{}", problem.problem));
    }
    let hidden = report.problems.len().saturating_sub(PROBLEMS_SHOWN) as u64;
    if hidden > 0 {
        text.line(Tone::Muted, &format!("and {}", format_counted_noun(hidden.into(), "more")));
    }
    text.line(Tone::Muted, "`gatehouse usage drift` compares it with the computed cost.");
    text
}

pub(in crate::command) fn render_drift(drift: &DriftView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &drift.finding);
    match drift.days.is_empty() {
        true => {
            let hint = "`gatehouse usage reconcile --provider NAME` reads a cost report.";
            text.line(Tone::Muted, hint);
        }
        false => {
            text.end().table(&days_table(&drift.days));
        }
    }
    if let Some(finding) = &drift.stated_finding {
        text.end().line(Tone::Strong, finding).end().table(&stated_table(&drift.stated));
    }
    if !drift.days.is_empty() || !drift.stated.is_empty() {
        text.end().line(Tone::Muted, &drift.levels);
    }
    text
}

fn stated_table(stated: &[StatedDriftView]) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("Model"),
        Column::Right("Answers"),
        Column::Right("Compared").hidden_at_rank(2),
        Column::Right("Stated"),
        Column::Right("Computed"),
        Column::Right("Difference").hidden_at_rank(1),
    ]);
    let money =
        |amount: Option<NanoDollars>| amount.map_or_else(|| UNKNOWN.to_owned(), format_money);
    for row in stated {
        table.row([
            row.backend.as_str().into(),
            row.model.as_str().into(),
            format_count(row.answers).into(),
            format_count(row.compared).into(),
            money(row.stated_nano_usd).into(),
            money(row.computed_nano_usd).into(),
            difference_cell(row.difference_nano_usd, row.difference_percent, row.is_marked),
        ]);
    }
    table
}

fn days_table(days: &[DriftDayView]) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Left("Day (UTC)"),
        Column::Left("Provider"),
        Column::Right("Computed"),
        Column::Right("Priced").hidden_at_rank(3),
        Column::Right("Billed"),
        Column::Right("Difference"),
        Column::Right("Requests").hidden_at_rank(2),
        Column::Left("Why").hidden_at_rank(1),
    ]);
    for day in days {
        table.row(day_row(day));
    }
    table
}

/// `-$0.40 (-9.8 %)`, with `!` if it is marked.
fn difference_cell(
    amount: Option<NanoDollars>,
    percent: Option<f64>,
    is_marked: bool,
) -> TableCell {
    let difference = match (amount, percent) {
        (None, _) => UNKNOWN.to_owned(),
        (Some(amount), None) => format_money(amount),
        (Some(amount), Some(percent)) => format!("{} ({percent:+.1} %)", format_money(amount)),
    };
    match is_marked {
        true => TableCell::styled(Tone::Warn, &format!("{difference} !")),
        false => difference.into(),
    }
}

fn day_row(day: &DriftDayView) -> [TableCell; 8] {
    [
        day.day.as_str().into(),
        day.provider.name().into(),
        format_money(day.computed_nano_usd).into(),
        day.priced_percent.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{share} %")).into(),
        match day.billed_nano_usd {
            Some(billed) => format_money(billed).into(),
            None => TableCell::styled(Tone::Muted, "not reconciled"),
        },
        difference_cell(day.difference_nano_usd, day.difference_percent, day.is_marked),
        format_count(day.requests).into(),
        day.reasons.join("; ").into(),
    ]
}
