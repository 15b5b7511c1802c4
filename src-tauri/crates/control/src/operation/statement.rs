//! Statements: what a month cost, by day, backend and model, as a page to print, CSV or JSON.
//!
//! All three write the same rows, and the total is their sum: amounts are exact, so that nothing is
//! lost to rounding.

mod csv;
mod html;

use std::collections::BTreeMap;

use domain::{NanoUsd, WallTime};
use engine::{Engine, backend_labels};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::{MeterTotals, StatementRow, UsageTotals};
use serde::{Serialize, Serializer};

use crate::ApiError;
use crate::moment::time_zone;
use crate::operation::invoice::meter_label;
use crate::operation::text_file;
use crate::operation::usage::period::{to_zoned, zone_name};
use crate::view::{SavedFile, StatementFormat, StatementQuery, TextFile};

/// Longest project name in a query, in characters, as the ledger keeps them.
const PROJECT_CHARS_MAX: usize = ledger::NAME_CHARS_MAX;

#[derive(Debug, Serialize)]
struct Statement {
    /// Year and month.
    month: String,
    /// `November 2026`.
    #[serde(skip)]
    month_name: String,
    /// None for all requests; empty for those without a project.
    project: Option<String>,
    /// The days' time zone: `Europe/Berlin`, `UTC`.
    time_zone: String,
    /// When it was made, RFC 3339.
    made_at: String,
    /// True if the month has not ended.
    is_partial: bool,
    /// In the order of days, then of backends and models.
    rows: Vec<StatementLine>,
    /// By meter. Empty for a project with very many requests, or with deleted ones.
    meters: Vec<MeterLine>,
    #[serde(serialize_with = "write_amounts")]
    total: UsageTotals,
}

#[derive(Debug, Serialize)]
struct StatementLine {
    day: String,
    backend: String,
    model: String,
    #[serde(flatten, serialize_with = "write_amounts")]
    amounts: UsageTotals,
}

/// Sums of a row or of the month, as JSON has them.
#[derive(Serialize)]
struct Amounts {
    requests: u64,
    /// Requests whose cost is not known, or only a part of it. What is not known is in no amount.
    unpriced_requests: u64,
    failed_requests: u64,
    input_tokens: u64,
    /// Of the input.
    cache_read_tokens: u64,
    output_tokens: u64,
    /// `null` if nothing is known of it.
    cost_nano_usd: Option<i64>,
}

#[derive(Debug, Serialize)]
struct MeterLine {
    meter: String,
    quantity: u64,
    /// The part without a rate, or of an attempt of unknown cost.
    unpriced_quantity: u64,
    /// `null` if nothing of it has a rate.
    cost_nano_usd: Option<i64>,
}

pub(crate) async fn statement(engine: &Engine, req: StatementQuery) -> Result<TextFile, ApiError> {
    let statement = make(engine, &req).await?;
    let text = match req.format {
        StatementFormat::Html => html::render(&statement),
        StatementFormat::Csv => csv::render(&statement)?,
        StatementFormat::Json => serde_json::to_string_pretty(&statement)
            .map_err(|error| ApiError::failed(error.to_string()))?,
    };
    Ok(TextFile {
        name: file_name(&statement, req.format),
        media_type: match req.format {
            StatementFormat::Html => "text/html;charset=utf-8",
            StatementFormat::Csv => text_file::CSV,
            StatementFormat::Json => text_file::JSON,
        }
        .to_owned(),
        text,
        requests: statement.total.requests.into(),
        unpriced_requests: statement.total.unpriced_requests.into(),
        cost_nano_usd: statement.total.cost.into(),
        is_cost_unknown: statement.total.is_cost_unknown(),
        is_whole: true,
    })
}

/// Writes the statement into the folder for downloads, beside what is there.
pub(crate) async fn statement_save(
    engine: &Engine,
    req: StatementQuery,
) -> Result<SavedFile, ApiError> {
    text_file::save(engine, statement(engine, req).await?).await
}

async fn make(engine: &Engine, req: &StatementQuery) -> Result<Statement, ApiError> {
    if req.project.as_ref().is_some_and(|name| name.chars().count() > PROJECT_CHARS_MAX) {
        return Err(ApiError::invalid("project", "this is longer than any project's name"));
    }
    let zone = time_zone(req.zone);
    let now = engine.clock().wall();
    let (month, from, to) = month_range(req.month.as_deref(), &zone, now)?;
    let rows = engine.ledger().statement_rows(from, to, req.project.clone()).await?;
    let meters = match req.project.clone() {
        None => Some(engine.ledger().meter_totals(from, to).await?),
        Some(project) => engine.ledger().project_meter_totals(from, to, project).await?,
    };
    let named = backend_labels(&engine.settings(), engine.mock_id());
    let label = |backend: &str| named.get(backend).cloned().unwrap_or_else(|| backend.to_owned());
    let rows = by_day(&rows, &zone, label);
    let mut total = UsageTotals::default();
    rows.iter().for_each(|row| total += row.amounts);
    Ok(Statement {
        month_name: month_name(&month),
        month,
        project: req.project.clone(),
        time_zone: zone_name(&zone),
        made_at: now.to_rfc3339(),
        is_partial: to > now,
        rows,
        meters: meters.iter().flatten().map(meter_line).collect(),
        total,
    })
}

/// The month's name, its start and its end in `zone`.
fn month_range(
    month: Option<&str>,
    zone: &TimeZone,
    now: WallTime,
) -> Result<(String, WallTime, WallTime), ApiError> {
    let invalid = |message: &str| ApiError::invalid("month", message);
    let wrong = || invalid("write it as year and month, such as 2026-11");
    let today = day_of(now, zone);
    let first: Date = match month.map(str::trim) {
        None => today.ok_or_else(wrong)?.first_of_month(),
        Some(text) if text.len() == 7 => format!("{text}-01").parse().map_err(|_| wrong())?,
        Some(_) => return Err(wrong()),
    };
    if today.is_some_and(|today| first > today) {
        return Err(invalid("this month has not begun"));
    }
    let start = |day: Date| {
        let at = day.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond();
        Some(WallTime::from_unix_ms(at))
    };
    let next = first.checked_add(1.month()).map_err(|_| wrong())?;
    let (from, to) = start(first).zip(start(next)).ok_or_else(wrong)?;
    Ok((first.strftime("%Y-%m").to_string(), from, to))
}

fn month_name(month: &str) -> String {
    let first = format!("{month}-01").parse::<Date>();
    first.map_or_else(|_| month.to_owned(), |first| first.strftime("%B %Y").to_string())
}

fn day_of(time: WallTime, zone: &TimeZone) -> Option<Date> {
    to_zoned(time, zone).map(|time| time.date())
}

fn by_day(
    rows: &[StatementRow],
    zone: &TimeZone,
    label: impl Fn(&str) -> String,
) -> Vec<StatementLine> {
    let mut days: BTreeMap<(Option<Date>, String, &str), UsageTotals> = BTreeMap::new();
    for row in rows {
        let key = (day_of(row.start, zone), label(&row.backend), row.model.as_str());
        *days.entry(key).or_default() += row.totals;
    }
    let lines = days.into_iter().map(|((day, backend, model), amounts)| StatementLine {
        day: day.map(|day| day.to_string()).unwrap_or_default(),
        backend,
        model: model.to_owned(),
        amounts,
    });
    lines.collect()
}

impl From<&UsageTotals> for Amounts {
    fn from(totals: &UsageTotals) -> Self {
        Self {
            requests: totals.requests,
            unpriced_requests: totals.unpriced_requests,
            failed_requests: totals.failed,
            input_tokens: totals.tokens.input(),
            cache_read_tokens: totals.tokens.cache_read,
            output_tokens: totals.tokens.output(),
            cost_nano_usd: totals.known_cost().map(NanoUsd::nanos),
        }
    }
}

fn write_amounts<S: Serializer>(it: &UsageTotals, serializer: S) -> Result<S::Ok, S::Error> {
    Amounts::from(it).serialize(serializer)
}

fn meter_line(total: &MeterTotals) -> MeterLine {
    MeterLine {
        meter: meter_label(total.meter),
        quantity: total.quantity,
        unpriced_quantity: total.unpriced_quantity,
        cost_nano_usd: total.known_cost().map(NanoUsd::nanos),
    }
}

/// Letters, digits and hyphens of the project's name, so that it suits every file system.
fn file_name(statement: &Statement, format: StatementFormat) -> String {
    let project = match statement.project.as_deref() {
        None => String::new(),
        Some("") => "-no-project".to_owned(),
        Some(name) => {
            let plain =
                |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
            format!("-{}", name.chars().take(40).map(plain).collect::<String>())
        }
    };
    format!("gatehouse-{}{project}.{format}", statement.month)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(text: &str) -> WallTime {
        let time: Timestamp = text.parse().expect("a time");
        WallTime::from_unix_ms(time.as_millisecond())
    }

    #[test]
    fn a_month_begins_and_ends_at_midnights_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let now = at("2026-11-23T12:00:00Z");
        let (name, from, to) = month_range(Some("2026-10"), &zone, now).expect("a month");
        // Summer time ends on the 25th.
        assert_eq!(
            (name.as_str(), from, to),
            ("2026-10", at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"))
        );
        let (name, ..) = month_range(None, &zone, at("2026-11-30T23:30:00Z")).expect("a month");
        assert_eq!(name, "2026-12", "it is December in Berlin");
    }

    #[test]
    fn an_unknown_cost_is_a_zero_in_no_format_and_the_rows_still_add_up() {
        let row = |model: &str, nanos, requests, unpriced_requests| StatementLine {
            day: "2026-11-02".to_owned(),
            backend: "OpenAI".to_owned(),
            model: model.to_owned(),
            amounts: UsageTotals {
                requests,
                unpriced_requests,
                cost: NanoUsd::new(nanos),
                ..UsageTotals::default()
            },
        };
        // Only attempts were made there, and another backend answered.
        let mut tried = row("tried", 0, 0, 0);
        tried.amounts.unpriced_attempts = 2;
        let (priced, unknown) = (row("priced", 1_500_000_000, 2, 1), row("unknown", 0, 3, 3));
        let rows = vec![priced, unknown, row("free", 0, 1, 0), tried];
        let mut total = UsageTotals::default();
        rows.iter().for_each(|row| total += row.amounts);
        let statement = Statement {
            month: "2026-11".to_owned(),
            month_name: "November 2026".to_owned(),
            project: None,
            time_zone: "UTC".to_owned(),
            made_at: String::new(),
            is_partial: false,
            rows,
            meters: Vec::new(),
            total,
        };
        let json = serde_json::to_value(&statement).expect("JSON");
        let costs = json["rows"].as_array().expect("rows").iter().map(|row| &row["cost_nano_usd"]);
        let known: Vec<_> = costs.map(serde_json::Value::as_i64).collect();
        assert_eq!(known, [Some(1_500_000_000), None, Some(0), None]);
        assert_eq!(json["rows"][1]["unpriced_requests"], 3);
        assert_eq!(json["total"]["cost_nano_usd"], 1_500_000_000_i64);
        let csv = csv::render(&statement).expect("CSV");
        let costs: Vec<_> = csv.lines().map(|line| line.rsplit(',').next().unwrap_or("")).collect();
        assert_eq!(costs, ["cost_usd", "1.500000", "", "0.000000", ""]);
        let page = html::render(&statement);
        assert_eq!(page.matches(r#"<td class="n">not known</td>"#).count(), 2, "{page}");
    }

    #[test]
    fn a_month_that_is_none_names_the_field() {
        let now = at("2026-11-23T12:00:00Z");
        for text in ["", "2026", "2026-13", "2026-1", "2026-11-01", "2026-12", "99999-1"] {
            let error = month_range(Some(text), &TimeZone::UTC, now).expect_err(text);
            assert_eq!(error.field.as_deref(), Some("month"), "{text}");
        }
    }
}
