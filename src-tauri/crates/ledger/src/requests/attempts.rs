//! The attempts table: every attempt of a request.

use std::sync::LazyLock;

use domain::{NanoUsd, PriceTier, RequestId, WallTime};
use pricing::{Cost, LineItem, Unpriced};
use rusqlite::{Connection, Row, Statement, params};

use crate::AttemptRecord;
use crate::columns::integer_columns::{
    clamp_cost, clamp_micros, get_interval, get_named, get_parsed,
};
use crate::columns::statements::insert_into;
use crate::columns::text_columns::{WordColumn, bound_name, bound_sentence};
use crate::columns::token_columns::{execute_with_tokens, read_tokens, with_token_columns};
use crate::requests::read_cost;

/// Most attempts saved per request.
pub const ATTEMPTS_MAX: usize = 32;

/// Columns of [`INSERT`] before the token columns, in the order of [`insert`].
const COLUMNS: &[&str] = &[
    "request_id",
    "number",
    "backend",
    "credential",
    "model",
    "started_ms",
    "duration_us",
    "error_class",
    "http_status",
    "message",
    "class",
    "owner",
    "waited_us",
    "cost_nano_usd",
    "price_id",
    "cost_basis",
    "lines",
    "unpriced_reason",
    "unpriced_detail",
    "tier",
    "region",
];

pub(crate) static INSERT: LazyLock<String> =
    LazyLock::new(|| insert_into("attempts", &with_token_columns(COLUMNS)));

/// Inserts the attempts of a settled request with [`INSERT`].
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    request: RequestId,
    attempts: &[AttemptRecord],
) -> rusqlite::Result<()> {
    let request = request.to_string();
    for (attempt, number) in attempts.iter().take(ATTEMPTS_MAX).zip(1_i64..) {
        let values = params![
            request,
            number,
            attempt.backend.as_str(),
            attempt.credential.as_ref().map(|id| id.as_str()),
            bound_name(&attempt.model),
            attempt.started.unix_ms(),
            clamp_micros(attempt.duration),
            attempt.error_class.as_deref().map(bound_name),
            attempt.http_status,
            bound_sentence(attempt.message.as_deref()),
            attempt.class.as_deref().map(bound_name),
            attempt.owner.as_deref().map(bound_name),
            clamp_micros(attempt.waited),
            attempt.cost.amount().map(clamp_cost),
            attempt.cost.price_id(),
            attempt.cost.basis(),
            stored_lines(&attempt.lines),
            attempt.unpriced.as_ref().map(|why| WordColumn(why.reason)),
            attempt.unpriced.as_ref().and_then(|why| why.detail.as_deref()).map(bound_name),
            Some(attempt.tier).filter(|tier| *tier != PriceTier::Standard).map(WordColumn),
            attempt.region.as_deref().map(bound_name),
        ];
        execute_with_tokens(statement, values, attempt.usage.as_ref())?;
    }
    Ok(())
}

pub(crate) fn stored_lines(lines: &[LineItem]) -> Option<String> {
    (!lines.is_empty()).then(|| serde_json::to_string(lines).ok()).flatten()
}

/// Lines on a meter of a newer version are left out.
pub(crate) fn read_lines(row: &Row<'_>) -> rusqlite::Result<Vec<LineItem>> {
    let text: Option<String> = row.get("lines")?;
    let stored: Option<Vec<serde_json::Value>> =
        text.and_then(|text| serde_json::from_str(&text).ok());
    let lines = stored.into_iter().flatten().map(serde_json::from_value);
    Ok(lines.filter_map(Result::ok).collect())
}

pub(crate) fn read_tier(row: &Row<'_>) -> rusqlite::Result<PriceTier> {
    Ok(row.get::<_, Option<WordColumn<_>>>("tier")?.map_or(PriceTier::Standard, |tier| tier.0))
}

/// A reason of a newer version is none.
pub(crate) fn read_unpriced(row: &Row<'_>) -> rusqlite::Result<Option<Unpriced>> {
    let reason: Option<String> = row.get("unpriced_reason")?;
    let Some(reason) = reason.and_then(|word| word.parse().ok()) else { return Ok(None) };
    Ok(Some(Unpriced { reason, detail: row.get("unpriced_detail")? }))
}

/// Known cost of the failed attempts, and the number of failed attempts with an unknown cost.
pub(crate) fn wasted_cost(attempts: &[AttemptRecord]) -> (NanoUsd, usize) {
    let failed = || attempts.iter().filter(|attempt| attempt.has_failed());
    let known = failed().filter_map(|attempt| attempt.cost.amount());
    (known.sum(), failed().filter(|attempt| attempt.cost == Cost::Unpriced).count())
}

/// The attempts of a request, in order.
pub(crate) fn list(
    connection: &Connection,
    request: RequestId,
) -> rusqlite::Result<Vec<AttemptRecord>> {
    let sql = "SELECT * FROM attempts WHERE request_id = ?1 ORDER BY number";
    connection.prepare_cached(sql)?.query_map([request.to_string()], read_attempt)?.collect()
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRecord> {
    let has_usage = row.get::<_, Option<i64>>("input_uncached")?.is_some();
    Ok(AttemptRecord {
        backend: get_named(row, "backend")?,
        credential: get_parsed(row, "credential")?,
        model: row.get("model")?,
        started: WallTime::from_unix_ms(row.get("started_ms")?),
        duration: get_interval(row, "duration_us")?.unwrap_or_default(),
        waited: get_interval(row, "waited_us")?.unwrap_or_default(),
        error_class: row.get("error_class")?,
        class: row.get("class")?,
        owner: row.get("owner")?,
        http_status: row.get("http_status")?,
        message: row.get("message")?,
        usage: if has_usage { Some(read_tokens(row)?) } else { None },
        cost: read_cost(row)?,
        lines: read_lines(row)?,
        unpriced: read_unpriced(row)?,
        tier: read_tier(row)?,
        region: row.get("region")?,
    })
}
