//! `gatehouse usage`: sums of a period, as a table, as JSON, or as CSV for a spreadsheet.

use clap::ValueEnum;
use control::Core;
use control::view::{
    Count, UsageGroupBy, UsageGroupView, UsageQuery, UsageRange, UsageTotalsView, UsageView,
    ZoneChoice,
};

use crate::console::{Console, Format};
use crate::exit::{Exit, Failure};
use crate::quantity::{cost, exact_dollars, grouped};
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// What to add up.
#[derive(Debug, clap::Args)]
pub(crate) struct Usage {
    /// The period, up to now
    #[arg(long, value_enum, default_value_t = Since::Week)]
    since: Since,
    /// One row for each
    #[arg(long, value_enum, default_value_t = By::Model)]
    by: By,
    /// Let days begin at UTC's midnight, as provider pages count, instead of this machine's
    #[arg(long)]
    utc: bool,
    /// How to answer
    #[arg(long, value_enum)]
    format: Option<UsageFormat>,
}

/// A period, up to now.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Since {
    /// Since midnight
    Today,
    /// 24 hours
    #[value(name = "24h")]
    Day,
    /// 7 days
    #[value(name = "7d")]
    Week,
    /// 30 days
    #[value(name = "30d")]
    Month,
}

impl Since {
    /// The same for the core.
    pub(super) const fn range(self) -> UsageRange {
        match self {
            Self::Today => UsageRange::Today,
            Self::Day => UsageRange::LastDay,
            Self::Week => UsageRange::LastWeek,
            Self::Month => UsageRange::LastMonth,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Model,
    Backend,
    Client,
    Key,
}

/// How sums are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum UsageFormat {
    Table,
    Json,
    Csv,
}

/// Answers with the sums.
pub(crate) async fn run(
    wanted: &Usage,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let format = chosen(wanted.format, console.format)?;
    let query = UsageQuery {
        range: wanted.since.range(),
        group_by: match wanted.by {
            By::Model => UsageGroupBy::Model,
            By::Backend => UsageGroupBy::Backend,
            By::Client => UsageGroupBy::Client,
            By::Key => UsageGroupBy::Credential,
        },
        zone: if wanted.utc { ZoneChoice::Utc } else { ZoneChoice::Local },
    };
    let usage = control::usage(core, query).await?;
    let answer = match format {
        UsageFormat::Table => table(&usage).to_string(),
        UsageFormat::Json => console.json(&usage)?,
        UsageFormat::Csv => csv(&usage)?,
    };
    console.print(&answer)?;
    Ok(Exit::Fine)
}

/// `--json` says the same as `--format json` and contradicts the others.
pub(super) fn chosen(named: Option<UsageFormat>, global: Format) -> Result<UsageFormat, Failure> {
    match (named, global) {
        (None | Some(UsageFormat::Json), Format::Json) => Ok(UsageFormat::Json),
        (Some(_), Format::Json) => {
            Err(Failure::new(Exit::Usage, "--json and --format contradict each other")
                .with_hint("Leave out one of them."))
        }
        (named, Format::Text) => Ok(named.unwrap_or(UsageFormat::Table)),
    }
}

pub(super) fn table(usage: &UsageView) -> Text {
    let mut text = Text::new();
    text.line(Tone::Strong, &usage.finding);
    if usage.groups.is_empty() {
        return text;
    }
    let mut table = Table::new(&[
        Column::Left("Name"),
        Column::Right("Cost"),
        Column::Right("Share"),
        Column::Right("Requests"),
        Column::Right("Failed"),
        Column::Right("Tokens in"),
        Column::Right("from cache"),
        Column::Right("Tokens out"),
    ]);
    for group in &usage.groups {
        let share = group.cost_share_percent.map_or_else(String::new, |share| format!("{share} %"));
        table.row(row(Piece::from(&group.label), share, &group.totals));
    }
    if usage.groups.len() > 1 {
        table.row(row(Piece::toned(Tone::Strong, "All"), String::new(), &usage.totals));
    }
    text.end().table(&table);
    text
}

fn row(name: Piece, share: String, totals: &UsageTotalsView) -> [Piece; 8] {
    [
        name,
        cost(totals.cost, totals.requests, totals.unpriced_requests).into(),
        share.into(),
        grouped(totals.requests).into(),
        failed(totals.failed_requests),
        grouped(totals.input_tokens).into(),
        grouped(totals.cache_read_tokens).into(),
        grouped(totals.output_tokens).into(),
    ]
}

fn failed(count: Count) -> Piece {
    let tone = if count.0 == 0 { Tone::Plain } else { Tone::Bad };
    Piece::toned(tone, &grouped(count))
}

/// The names of the columns, which programs rely on.
const CSV_COLUMNS: [&str; 11] = [
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
];

pub(super) fn csv(usage: &UsageView) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| Failure::fault(&error);
    writer.write_record(CSV_COLUMNS).map_err(broken)?;
    for group in &usage.groups {
        writer.write_record(csv_row(group)).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::fault(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn csv_row(group: &UsageGroupView) -> [String; 11] {
    let totals = &group.totals;
    let number = |count: Count| count.0.to_string();
    [
        harmless(&group.key),
        harmless(&group.label),
        known_dollars(totals),
        number(totals.requests),
        number(totals.unpriced_requests),
        number(totals.failed_requests),
        number(totals.input_tokens),
        number(totals.cache_read_tokens),
        number(totals.output_tokens),
        number(totals.reasoning_tokens),
        group.cost_share_percent.map_or_else(String::new, |share| share.to_string()),
    ]
}

/// Nothing where no request had a price: an unknown cost is not zero.
fn known_dollars(totals: &UsageTotalsView) -> String {
    let none_known = totals.requests.0 > 0 && totals.requests == totals.unpriced_requests;
    if none_known { String::new() } else { exact_dollars(totals.cost) }
}

/// A cell that no spreadsheet takes for a formula (OWASP, "CSV injection"), and no terminal for an
/// order: names of models come from outside.
fn harmless(text: &str) -> String {
    let begins_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if begins_formula { "'" } else { "" };
    format!("{guard}{}", crate::escape::escape(text))
}
