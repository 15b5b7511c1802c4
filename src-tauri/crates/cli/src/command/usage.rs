//! `gatehouse usage`: prints the totals of a period as a table, JSON or CSV.

use clap::ValueEnum;
use control::Core;
use control::view::{
    CostBasis, Count, GroupBy, UnpricedModelView, UsageGroupView, UsagePeriodQuery,
    UsagePreviousView, UsageReportQuery, UsageTotalsView, UsageView,
};

use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_count, format_counted_noun};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};
use crate::word::word;

pub(super) mod advice;
pub(super) mod anomalies;
pub(super) mod cross;
pub(super) mod day;
pub(super) mod efficiency;
pub(super) mod expensive;
pub(super) mod forecast;
pub(super) mod heatmap;
pub(super) mod latency;
pub(super) mod meter;
mod period;
pub(super) mod plans;
pub(super) mod recent;
pub(in crate::command) mod reconcile;
pub(crate) mod session_logs;
mod statement;

pub(super) use period::PeriodArgument;

/// What to add up.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct UsageArguments {
    #[command(subcommand)]
    pub(crate) command: Option<UsageCommand>,
    #[command(flatten)]
    period: period::PeriodArguments,
    /// One row per model, backend, client, key, project, route, day or meter
    #[arg(long, value_enum, default_value_t = GroupByArgument::Model)]
    by: GroupByArgument,
    /// One column for each of these, too: the costs of two dimensions crossed
    #[arg(long, value_enum, value_name = "BY", conflicts_with = "compare")]
    across: Option<GroupByArgument>,
    /// Also show the change from the period before
    #[arg(long)]
    compare: bool,
    /// Which costs to sum up
    #[arg(long, default_value = "known", value_parser = word::<CostBasis>())]
    basis: CostBasis,
    /// Output format
    #[arg(long, value_enum)]
    format: Option<UsageFormat>,
}

/// What is shown besides sums.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum UsageCommand {
    #[command(flatten)]
    SessionLogs(session_logs::SessionLogsCommand),
    /// Show what is left of the plans that coding tools are signed in to
    ///
    /// Codex CLI writes down how much of a plan's windows is used; the other tools do not. Usage
    /// from imported session logs is shown with what it would have cost at list prices.
    Plans,
    /// Write what a month cost, by day, backend and model, as a page to print, CSV or JSON
    Statement(statement::StatementArguments),
    /// List the most expensive requests, and count how many cost how much
    Expensive(period::PeriodArguments),
    /// Forecast what this month costs
    Forecast(period::UsageFilterArguments),
    /// Show percentiles of the time until the first token and the end
    ///
    /// The time of a backend or model begins with the attempt that it answered.
    Latency(latency::LatencyArguments),
    /// Count failed attempts by class
    Failures(period::PeriodArguments),
    /// Show the last hour: requests and tokens a minute, failures, the cache
    Recent,
    /// Show costs by weekday and hour
    Heatmap(period::PeriodArguments),
    /// Suggest what to change to spend less, from the last 30 days
    Advice(anomalies::ZoneArguments),
    /// Show what was unusual, and why
    Anomalies(anomalies::AnomaliesArguments),
    /// Show what the caches saved, by route, model or client
    Savings(efficiency::SavingsArguments),
    /// Show what failed requests, retries, health measurements and checks cost
    Waste(period::PeriodArguments),
    /// Read what a provider billed, from its cost report or from a file of its console
    ///
    /// A cost report needs an admin key (`gatehouse keys add NAME --billing openai`), which is
    /// used for nothing else. What was read of a day before is replaced.
    Reconcile(reconcile::ReconcileArguments),
    /// Compare what providers billed with what was computed, by UTC day
    Drift(reconcile::DriftArguments),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GroupByArgument {
    Model,
    Backend,
    Client,
    Key,
    /// One row per project
    Project,
    Route,
    /// One row per day, or per hour for up to two days
    Day,
    /// One row per meter: what the invoice counts, tokens by kind and calls of server tools
    Meter,
}

impl GroupByArgument {
    /// `None` for what the bars and the meters answer.
    const fn dimension(self) -> Option<GroupBy> {
        Some(match self {
            Self::Model => GroupBy::Model,
            Self::Backend => GroupBy::Backend,
            Self::Client => GroupBy::Client,
            Self::Key => GroupBy::Credential,
            Self::Project => GroupBy::Project,
            Self::Route => GroupBy::Route,
            Self::Day | Self::Meter => return None,
        })
    }
}

/// How sums are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum UsageFormat {
    Table,
    Json,
    Csv,
}

pub(crate) async fn run(
    wanted: &UsageArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match &wanted.command {
        Some(UsageCommand::SessionLogs(command)) => {
            return session_logs::run(command, core, console).await;
        }
        Some(UsageCommand::Reconcile(wanted)) => {
            return reconcile::reconcile(wanted, core, console).await;
        }
        Some(UsageCommand::Drift(wanted)) => return reconcile::drift(wanted, core, console).await,
        Some(UsageCommand::Statement(wanted)) => {
            return statement::run(wanted, core, console).await;
        }
        Some(UsageCommand::Expensive(wanted)) => {
            return expensive::run(wanted, core, console).await;
        }
        Some(UsageCommand::Forecast(wanted)) => return forecast::run(wanted, core, console).await,
        Some(UsageCommand::Latency(wanted)) => return latency::run(wanted, core, console).await,
        Some(UsageCommand::Failures(wanted)) => {
            return latency::run_failures(wanted, core, console).await;
        }
        Some(UsageCommand::Plans) => return plans::run(core, console).await,
        Some(UsageCommand::Recent) => return recent::run(core, console).await,
        Some(UsageCommand::Heatmap(wanted)) => return heatmap::run(wanted, core, console).await,
        Some(UsageCommand::Advice(wanted)) => return advice::run(*wanted, core, console).await,
        Some(UsageCommand::Anomalies(wanted)) => {
            return anomalies::run(wanted.clone(), core, console).await;
        }
        Some(UsageCommand::Savings(wanted)) => {
            return efficiency::run_savings(wanted, core, console).await;
        }
        Some(UsageCommand::Waste(wanted)) => {
            return efficiency::run_waste(wanted, core, console).await;
        }
        None => {}
    }
    let format = choose_usage_format(wanted.format, console.format)?;
    let period = wanted.period.query(console.now())?;
    if let Some(across) = wanted.across {
        return cross::run((wanted.by, across), period, wanted.basis, format, core, console).await;
    }
    if matches!(wanted.by, GroupByArgument::Meter) {
        meter::check(&period.filter, wanted.basis)?;
    }
    let UsagePeriodQuery { range, zone, from, to, filter } = period;
    let group_by = wanted.by.dimension().unwrap_or(GroupBy::Model);
    let compare = wanted.compare;
    let basis = wanted.basis;
    let query = UsageReportQuery { range, group_by, zone, from, to, filter, compare, basis };
    let usage = control::usage(core, query).await?;
    let answer = match format {
        UsageFormat::Table if matches!(wanted.by, GroupByArgument::Day) => {
            day::table(&usage).to_string()
        }
        UsageFormat::Table if matches!(wanted.by, GroupByArgument::Meter) => {
            meter::table(&usage).to_string()
        }
        UsageFormat::Table => table(&usage).to_string(),
        UsageFormat::Json => console.render_json(&usage)?,
        UsageFormat::Csv if matches!(wanted.by, GroupByArgument::Meter) => meter::csv(&usage)?,
        UsageFormat::Csv if matches!(wanted.by, GroupByArgument::Day) => day::csv(&usage)?,
        UsageFormat::Csv => render_csv(&usage)?,
    };
    console.print(&answer)?;
    Ok(Exit::Success)
}

/// `--json` means `--format json` and conflicts with the other formats.
pub(super) fn choose_usage_format(
    named: Option<UsageFormat>,
    global: ConsoleFormat,
) -> Result<UsageFormat, CommandError> {
    match (named, global) {
        (None | Some(UsageFormat::Json), ConsoleFormat::Json) => Ok(UsageFormat::Json),
        (Some(_), ConsoleFormat::Json) => {
            Err(CommandError::new(Exit::Usage, "--json and --format cannot be combined")
                .with_hint("Use one of them."))
        }
        (named, ConsoleFormat::Text) => Ok(named.unwrap_or(UsageFormat::Table)),
    }
}

pub(super) fn table(usage: &UsageView) -> StyledText {
    let mut text = StyledText::new();
    append_finding(&mut text, usage);
    if usage.groups.is_empty() {
        return text;
    }
    if let Some(previous) = &usage.previous {
        text.line(Tone::Muted, &previous_sentence(previous, usage.cost_basis));
    }
    let change = usage.previous.as_ref().map(|_| Column::Right("Change"));
    let columns = [Column::Left("Name"), Column::Right("Cost")].into_iter().chain(change);
    let columns = columns.chain([
        Column::Right("Share").hidden_at_rank(3),
        Column::Right("Requests"),
        Column::Right("Failed").hidden_at_rank(1),
        Column::Right("Tokens in").hidden_at_rank(2),
        Column::Right("Cached").hidden_at_rank(4),
        Column::Right("Tokens out").hidden_at_rank(2),
    ]);
    let mut table = TextTable::new(&columns.collect::<Vec<_>>());
    for group in &usage.groups {
        let share = group.cost_share_percent.map_or_else(String::new, |share| format!("{share} %"));
        let change = group.previous.map(|before| format_change(group.cost_change_percent, &before));
        let name = TableCell::from(&group.label);
        table.row_of(totals_row(name, change, share, &group.totals, usage.cost_basis));
    }
    if usage.groups.len() > 1 {
        let change = usage
            .previous
            .as_ref()
            .map(|previous| format_change(previous.cost_change_percent, &previous.totals));
        let name = TableCell::styled(Tone::Strong, "Total");
        table.row_of(totals_row(name, change, String::new(), &usage.totals, usage.cost_basis));
    }
    text.end().table(&table);
    append_unpriced(&mut text, &usage.unpriced);
    text
}

/// What has no price, and why. A price is advised only where one would help.
fn append_unpriced(text: &mut StyledText, models: &[UnpricedModelView]) {
    let is_helped =
        |row: &&UnpricedModelView| row.why.as_ref().is_some_and(|why| why.missing.is_some());
    let (helped, others): (Vec<_>, Vec<_>) = models.iter().partition(is_helped);
    let advice = "Without a price (set one with `gatehouse prices set`):";
    for (title, rows) in [(advice, helped), ("Of unknown cost:", others)] {
        if rows.is_empty() {
            continue;
        }
        text.end().line(Tone::Muted, title);
        for UnpricedModelView { model, backend_label, requests, why, .. } in rows {
            let at = backend_label.as_ref().map(|label| format!(" at {label}")).unwrap_or_default();
            let why = why.as_ref().map(|why| format!(". {}", why.sentence)).unwrap_or_default();
            let requests = format_counted_noun(*requests, "request");
            text.line(Tone::Plain, &format!("{model}{at}: {requests}{why}"));
        }
    }
}

/// What the sums say, and the exchange rate that they are shown with.
pub(super) fn append_finding(text: &mut StyledText, usage: &UsageView) {
    text.line(Tone::Strong, &usage.finding);
    if usage.totals.requests.0 > 0 {
        text.line(Tone::Muted, &usage.basis);
    }
    if let Some(rate) = &usage.currency.finding {
        text.line(Tone::Muted, rate);
    }
}

/// `$1.20 for 3 requests in the 7 days before`
fn previous_sentence(previous: &UsagePreviousView, basis: CostBasis) -> String {
    let UsagePreviousView { totals, label, .. } = previous;
    let cost = CostSum::from(totals).text_on(basis);
    format!("{cost} for {} in {label}", format_counted_noun(totals.requests, "request"))
}

/// `+12 %`; `new` where there were no requests before.
fn format_change(percent: Option<i32>, before: &UsageTotalsView) -> String {
    match percent {
        Some(percent) => format!("{percent:+} %"),
        None if before.requests.0 == 0 => "new".to_owned(),
        None => String::new(),
    }
}

fn totals_row(
    name: TableCell,
    change: Option<String>,
    share: String,
    totals: &UsageTotalsView,
    basis: CostBasis,
) -> Vec<TableCell> {
    let cost = CostSum::from(totals).text_on(basis);
    let known = [name, cost.into()].into_iter().chain(change.map(TableCell::from));
    let rest = [
        share.into(),
        format_count(totals.requests).into(),
        failed_cell(totals.failed_requests),
        format_count(totals.input_tokens).into(),
        format_count(totals.cache_read_tokens).into(),
        format_count(totals.output_tokens).into(),
    ];
    known.chain(rest).collect()
}

fn failed_cell(count: Count) -> TableCell {
    let tone = if count.0 == 0 { Tone::Plain } else { Tone::Bad };
    TableCell::styled(tone, &format_count(count))
}

/// The column names, which programs rely on.
const CSV_COLUMNS: [&str; 12] = [
    "key",
    "label",
    "cost_usd",
    "requests",
    "unpriced_requests",
    "failed_requests",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_share_percent",
    "kind",
];

pub(super) fn render_csv(usage: &UsageView) -> Result<String, CommandError> {
    write_csv(CSV_COLUMNS, usage.groups.iter().map(csv_row))
}

/// A header and the rows.
fn write_csv<const COLUMNS: usize>(
    columns: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> Result<String, CommandError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| CommandError::internal(&error);
    writer.write_record(columns).map_err(broken)?;
    for row in rows {
        writer.write_record(row).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| CommandError::internal(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn csv_row(group: &UsageGroupView) -> [String; 12] {
    let totals = &group.totals;
    let number = |count: Count| count.0.to_string();
    [
        escape_csv_cell(&group.key),
        escape_csv_cell(&group.label),
        CostSum::from(totals).exact_dollars(),
        number(totals.requests),
        number(totals.unpriced_requests),
        number(totals.failed_requests),
        number(totals.input_tokens),
        number(totals.cache_read_tokens),
        number(totals.output_tokens),
        number(totals.reasoning_tokens),
        group.cost_share_percent.map_or_else(String::new, |share| share.to_string()),
        // A group of the name `other` is not all others together.
        group.kind.word().to_owned(),
    ]
}

/// Makes a cell safe for spreadsheets, which would run it as a formula (OWASP, "CSV injection"),
/// and for terminals. Model names are untrusted.
fn escape_csv_cell(text: &str) -> String {
    crate::escape::escape(&control::guard_formula(text)).to_string()
}
