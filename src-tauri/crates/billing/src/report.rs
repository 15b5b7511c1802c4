//! Cost reports by API: the path of a page, and what its body says.
//!
//! Sources: OpenAI "Costs" (`/v1/organization/costs`), Anthropic "Get cost report"
//! (`/v1/organizations/cost_report`, amounts in cents), OpenRouter "Get user activity"
//! (`/api/v1/activity`, the last 30 completed days). All days are UTC.

use domain::BillingProvider;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::amount::{Cents, Dollars};
use crate::{BilledDays, UNNAMED_LINE, add};

/// Most days that are asked for at once. Every provider reports the last 30 days.
pub const REPORT_DAYS_MAX: i64 = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPage {
    pub days: BilledDays,
    /// `None` on the last page.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("unexpected response; {field}: {problem}")]
    Malformed { field: String, problem: String },
    #[error("the response is incomplete: it announces another page without naming it")]
    NoNextPage,
    #[error("{field}: {currency:?} is billed, and only US dollars are compared")]
    Currency { field: String, currency: String },
}

/// The path and query of a page of a report from `from` to before `until`.
#[must_use]
pub fn report_path(
    provider: BillingProvider,
    from: Date,
    until: Date,
    page: Option<&str>,
) -> String {
    let mut query = match provider {
        BillingProvider::OpenAi => format!(
            "/v1/organization/costs?start_time={}&end_time={}&bucket_width=1d\
             &group_by=line_item&limit={REPORT_DAYS_MAX}",
            unix_seconds(from),
            unix_seconds(until)
        ),
        BillingProvider::Anthropic => format!(
            "/v1/organizations/cost_report?starting_at={from}T00:00:00Z\
             &ending_at={until}T00:00:00Z&bucket_width=1d&group_by%5B%5D=description\
             &limit={REPORT_DAYS_MAX}"
        ),
        BillingProvider::OpenRouter => "/api/v1/activity".to_owned(),
    };
    if let Some(page) = page {
        let encoded: String = page.bytes().map(encode_byte).collect();
        query.push_str(&format!("&page={encoded}"));
    }
    query
}

fn encode_byte(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

fn unix_seconds(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(0, |start| start.timestamp().as_second())
}

/// Reads a page of the report from `from` to before `until`. Other days are left out.
///
/// # Errors
/// If the body is not what the provider documents; names the field.
pub fn read_report(
    provider: BillingProvider,
    body: &str,
    from: Date,
    until: Date,
) -> Result<ReportPage, ReportError> {
    let mut page = match provider {
        BillingProvider::OpenAi => read_openai(parse(body)?)?,
        BillingProvider::Anthropic => read_anthropic(parse(body)?)?,
        BillingProvider::OpenRouter => read_openrouter(parse(body)?, from, until)?,
    };
    page.days.retain(|day, _| (from..until).contains(day));
    Ok(page)
}

pub(crate) fn parse<T: DeserializeOwned>(body: &str) -> Result<T, ReportError> {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| ReportError::Malformed {
        field: error.path().to_string(),
        problem: error.inner().to_string(),
    })
}

pub(crate) fn malformed(field: String, problem: &str) -> ReportError {
    ReportError::Malformed { field, problem: problem.to_owned() }
}

fn require_dollars(currency: &str, field: impl FnOnce() -> String) -> Result<(), ReportError> {
    match currency.eq_ignore_ascii_case("usd") {
        true => Ok(()),
        false => Err(ReportError::Currency { field: field(), currency: currency.to_owned() }),
    }
}

fn next_page(has_more: bool, next: Option<String>) -> Result<Option<String>, ReportError> {
    match (has_more, next.filter(|next| !next.is_empty())) {
        (false, _) => Ok(None),
        (true, Some(next)) => Ok(Some(next)),
        (true, None) => Err(ReportError::NoNextPage),
    }
}

#[derive(Deserialize)]
struct Page<Bucket> {
    data: Vec<Bucket>,
    has_more: bool,
    next_page: Option<String>,
}

#[derive(Deserialize)]
struct OpenAiBucket {
    start_time: i64,
    results: Vec<OpenAiResult>,
}

#[derive(Deserialize)]
struct OpenAiResult {
    amount: OpenAiAmount,
    line_item: Option<String>,
}

#[derive(Deserialize)]
struct OpenAiAmount {
    value: Dollars,
    currency: String,
}

fn read_openai(page: Page<OpenAiBucket>) -> Result<ReportPage, ReportError> {
    let mut days = BilledDays::new();
    for (bucket_at, bucket) in page.data.into_iter().enumerate() {
        let start = Timestamp::from_second(bucket.start_time)
            .map_err(|_| malformed(format!("data[{bucket_at}].start_time"), "this is no time"))?;
        let day = start.to_zoned(TimeZone::UTC).date();
        days.entry(day).or_default();
        for (at, result) in bucket.results.into_iter().enumerate() {
            require_dollars(&result.amount.currency, || {
                format!("data[{bucket_at}].results[{at}].amount.currency")
            })?;
            let line = result.line_item.unwrap_or_else(|| UNNAMED_LINE.to_owned());
            add(&mut days, day, line, result.amount.value.0);
        }
    }
    Ok(ReportPage { days, next: next_page(page.has_more, page.next_page)? })
}

#[derive(Deserialize)]
struct AnthropicBucket {
    starting_at: UtcDay,
    results: Vec<AnthropicResult>,
}

#[derive(Deserialize)]
struct AnthropicResult {
    amount: Cents,
    currency: String,
    description: Option<String>,
}

fn read_anthropic(page: Page<AnthropicBucket>) -> Result<ReportPage, ReportError> {
    let mut days = BilledDays::new();
    for (bucket_at, bucket) in page.data.into_iter().enumerate() {
        let day = bucket.starting_at.0;
        days.entry(day).or_default();
        for (at, result) in bucket.results.into_iter().enumerate() {
            require_dollars(&result.currency, || {
                format!("data[{bucket_at}].results[{at}].currency")
            })?;
            let line = result.description.unwrap_or_else(|| UNNAMED_LINE.to_owned());
            add(&mut days, day, line, result.amount.0);
        }
    }
    Ok(ReportPage { days, next: next_page(page.has_more, page.next_page)? })
}

#[derive(Deserialize)]
struct Activity {
    data: Vec<ActivityItem>,
}

#[derive(Deserialize)]
struct ActivityItem {
    date: String,
    model: String,
    usage: Dollars,
    byok_usage_inference: Option<Dollars>,
}

/// Only days with activity are named; the other completed days had none. What keys of one's own
/// cost at their providers is a line of its own, since the gateway's cost has both.
fn read_openrouter(activity: Activity, from: Date, until: Date) -> Result<ReportPage, ReportError> {
    let mut days: BilledDays = from
        .series(1.day())
        .take_while(|day| *day < until)
        .map(|day| (day, Default::default()))
        .collect();
    for (at, item) in activity.data.into_iter().enumerate() {
        let day = read_day(&item.date)
            .ok_or_else(|| malformed(format!("data[{at}].date"), "this is no day"))?;
        if let Some(own) = item.byok_usage_inference.filter(|own| own.0 != domain::NanoUsd::ZERO) {
            add(&mut days, day, format!("{} (own key)", item.model), own.0);
        }
        add(&mut days, day, item.model, item.usage.0);
    }
    Ok(ReportPage { days, next: None })
}

/// The UTC day of a time: `2026-11-20`, `2026-11-20 10:00:00`, `2026-11-20T10:00:00Z`. One of
/// another offset is none.
pub(crate) fn read_day(text: &str) -> Option<Date> {
    let text = text.trim();
    let (day, time) = text.split_at_checked(10)?;
    let is_utc = time.is_empty()
        || (time.starts_with(['T', ' '])
            && (time.ends_with('Z') || time.ends_with("+00:00") || !time.contains(['+', '-'])));
    is_utc.then(|| day.parse().ok())?
}

/// The UTC day that a time begins.
struct UtcDay(Date);

impl<'de> Deserialize<'de> for UtcDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read_day(&text).map(Self).ok_or_else(|| serde::de::Error::custom("this is no day"))
    }
}
