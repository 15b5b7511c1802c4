//! `gatehouse usage`: prints the totals of a period as a table, JSON or CSV.

use clap::ValueEnum;
use control::Core;
use control::view::{
    Count, UnixMs, UsageGroupBy, UsageGroupView, UsageQuery, UsageRange, UsageTotalsView,
    UsageView, ZoneChoice,
};

use crate::console::{Console, Format};
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, cost, counted, exact_dollars, grouped};
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// What to add up.
#[derive(Debug, clap::Args)]
pub(crate) struct Usage {
    /// How far back: today, or a time span such as 90m, 12h, 7d or 4w
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: Period,
    /// One row per model, backend, client, key, project, route or day
    #[arg(long, value_enum, default_value_t = By::Model)]
    by: By,
    /// Days are in UTC, as on provider dashboards, instead of local time
    #[arg(long)]
    utc: bool,
    /// Output format
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
    /// One row per value of the header x-gatehouse-project
    Project,
    /// One row per route, from the requests that are still kept
    Route,
    /// One row per day, or per hour for up to two days
    Day,
}

/// A period up to now: a range that the panel offers too, or any span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Range(UsageRange),
    SpanMs(i64),
}

impl std::str::FromStr for Period {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "today" => Ok(Self::Range(UsageRange::Today)),
            "24h" | "1d" => Ok(Self::Range(UsageRange::LastDay)),
            "7d" => Ok(Self::Range(UsageRange::LastWeek)),
            "30d" => Ok(Self::Range(UsageRange::LastMonth)),
            other => span_ms(other).map(Self::SpanMs),
        }
    }
}

/// Parses a time span such as `90m`, `12h`, `7d` or `4w` into milliseconds.
pub(super) fn span_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not a time span; write it like 90m, 12h, 7d or 4w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| wrong())?;
    let ms = match unit {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'w' => 604_800_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(ms).filter(|span| *span > 0).ok_or_else(wrong)
}

/// How sums are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum UsageFormat {
    Table,
    Json,
    Csv,
}

pub(crate) async fn run(
    wanted: &Usage,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let format = chosen(wanted.format, console.format)?;
    let (range, from) = match wanted.since {
        Period::Range(range) => (range, None),
        Period::SpanMs(span) => (UsageRange::LastDay, Some(UnixMs(console.now().0 - span))),
    };
    let query = UsageQuery {
        range,
        from,
        group_by: match wanted.by {
            By::Model | By::Day => UsageGroupBy::Model,
            By::Backend => UsageGroupBy::Backend,
            By::Client => UsageGroupBy::Client,
            By::Key => UsageGroupBy::Credential,
            By::Project => UsageGroupBy::Project,
            By::Route => UsageGroupBy::Route,
        },
        zone: if wanted.utc { ZoneChoice::Utc } else { ZoneChoice::Local },
    };
    let usage = control::usage(core, query).await?;
    let answer = match format {
        UsageFormat::Table if matches!(wanted.by, By::Day) => by_day(&usage).to_string(),
        UsageFormat::Table => table(&usage).to_string(),
        UsageFormat::Json => console.json(&usage)?,
        UsageFormat::Csv => csv(&usage)?,
    };
    console.print(&answer)?;
    Ok(Exit::Fine)
}

/// `--json` means `--format json` and conflicts with the other formats.
pub(super) fn chosen(named: Option<UsageFormat>, global: Format) -> Result<UsageFormat, Failure> {
    match (named, global) {
        (None | Some(UsageFormat::Json), Format::Json) => Ok(UsageFormat::Json),
        (Some(_), Format::Json) => {
            Err(Failure::new(Exit::Usage, "--json and --format cannot be combined")
                .with_hint("Use one of them."))
        }
        (named, Format::Text) => Ok(named.unwrap_or(UsageFormat::Table)),
    }
}

/// One row for each time step, empty ones included.
fn by_day(usage: &UsageView) -> Text {
    let mut table = Table::new(&[
        Column::Left("When"),
        Column::Right("Cost"),
        Column::Right("Requests"),
        Column::Right("Tokens").minor(1),
    ]);
    let unpriced = usage.totals.unpriced_requests;
    for bucket in &usage.buckets {
        // It is unknown which days the unpriced requests fall on, so a sum of zero is not shown.
        let is_unknown = bucket.total.cost.0 == 0 && bucket.total.requests.0 > 0 && unpriced.0 > 0;
        let cost = if is_unknown { UNKNOWN.to_owned() } else { bucket.total.cost.to_string() };
        table.row([
            bucket.label.as_str().into(),
            cost.into(),
            grouped(bucket.total.requests).into(),
            grouped(bucket.total.tokens).into(),
        ]);
    }
    let mut text = Text::new();
    text.line(Tone::Strong, &usage.finding).end().table(&table);
    if unpriced.0 > 0 {
        let left_out = format!("Costs exclude {}.", counted(unpriced, "unpriced request"));
        text.line(Tone::Muted, &left_out);
    }
    text
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
        Column::Right("Share").minor(3),
        Column::Right("Requests"),
        Column::Right("Failed").minor(1),
        Column::Right("Tokens in").minor(2),
        Column::Right("Cached").minor(4),
        Column::Right("Tokens out").minor(2),
    ]);
    for group in &usage.groups {
        let share = group.cost_share_percent.map_or_else(String::new, |share| format!("{share} %"));
        table.row(row(Piece::from(&group.label), share, &group.totals));
    }
    if usage.groups.len() > 1 {
        table.row(row(Piece::toned(Tone::Strong, "Total"), String::new(), &usage.totals));
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

/// The column names, which programs rely on.
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

/// Empty if no request had a price: an unknown cost is not zero.
fn known_dollars(totals: &UsageTotalsView) -> String {
    let none_known = totals.requests.0 > 0 && totals.requests == totals.unpriced_requests;
    if none_known { String::new() } else { exact_dollars(totals.cost) }
}

/// Makes a cell safe for spreadsheets, which would run it as a formula (OWASP, "CSV injection"),
/// and for terminals. Model names are untrusted.
fn harmless(text: &str) -> String {
    let begins_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if begins_formula { "'" } else { "" };
    format!("{guard}{}", crate::escape::escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_span_of_time_is_understood() {
        let check = |typed: &str, wanted: Option<Period>| {
            assert_eq!(typed.parse().ok(), wanted, "{typed}");
        };
        check("today", Some(Period::Range(UsageRange::Today)));
        check("1d", Some(Period::Range(UsageRange::LastDay)));
        check("90m", Some(Period::SpanMs(5_400_000)));
        check("2w", Some(Period::SpanMs(1_209_600_000)));
        for wrong in ["", "d", "0h", "-1d", "1y", "9223372036854775807w", "1é"] {
            check(wrong, None);
        }
    }
}
