//! The requests table: a row is reserved before the backend is called and settled once.

pub(crate) mod attempt_costs;
pub(crate) mod attempt_outcomes;
pub(crate) mod attempts;
pub(crate) mod cache_bypasses;
pub(crate) mod explanations;
pub(crate) mod failed_attempts;
pub(crate) mod failed_requests;
pub(crate) mod first_uses;
pub(crate) mod loops;
pub(crate) mod outcome_counts;
pub(crate) mod past_calls;
pub(crate) mod recent_minutes;
pub(crate) mod record;
pub(crate) mod request_costs;
pub(crate) mod request_query;
pub(crate) mod route_counts;
pub(crate) mod unpriced_models;

use std::sync::LazyLock;

use domain::{BackendId, HOUR_MS, RequestId, TokenUsage, WallTime};
use pricing::Cost;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use crate::columns::integer_columns::{
    clamp_cost, clamp_count, clamp_micros, clamp_time, get_count, get_interval, get_named,
    get_parsed, row_count,
};
use crate::columns::packed_text::{get_packed, pack};
use crate::columns::statements::insert_into;
use crate::columns::text_columns::{
    USAGE_RAW_BYTES_MAX, WordColumn, bound_json, bound_name, bound_sentence,
};
use crate::columns::token_columns::{execute_with_tokens, read_tokens, with_token_columns};
use crate::{NewRequest, Purpose, RequestRow, RequestState, Settlement, Timings};

/// Inserts a started request. Has no effect if it is known.
pub(crate) fn reserve(connection: &Connection, request: &NewRequest) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO requests
        (id, started_ms, client, project, route, model_asked, dialect, streamed, purpose, state)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'reserved') ON CONFLICT (id) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![
        request.id.to_string(),
        clamp_time(request.started),
        request.client.as_str(),
        request.project.as_deref().map(bound_name),
        bound_name(&request.route),
        bound_name(&request.model_asked),
        bound_name(&request.dialect),
        request.streamed,
        WordColumn(request.purpose),
    ])
}

/// Columns of a reservation; they keep their values when the request is settled.
const RESERVED_COLUMNS: &[&str] = &[
    "id",
    "started_ms",
    "client",
    "project",
    "route",
    "model_asked",
    "dialect",
    "streamed",
    "purpose",
];

/// Columns of a settlement before the token columns, in the order of [`settle`].
const SETTLED_COLUMNS: &[&str] = &[
    "state",
    "ended_ms",
    "backend",
    "credential",
    "model_billed",
    "http_status",
    "finish_reason",
    "error_class",
    "usage_source",
    "cost_nano_usd",
    "cost_basis",
    "price_id",
    "cache",
    "queue_us",
    "first_byte_us",
    "first_token_us",
    "total_us",
    "bytes_in",
    "bytes_out",
    "explanation_id",
    "attempts",
    "usage_basis",
    "usage_packed",
    "cache_reason",
    "saved_nano_usd",
    "saved_us",
    "wasted_nano_usd",
    "unpriced_attempts",
    "error_message",
    "unpriced_reason",
    "unpriced_detail",
];

pub(crate) static SETTLE: LazyLock<String> = LazyLock::new(|| {
    let settled = with_token_columns(SETTLED_COLUMNS);
    let insert = insert_into("requests", &[RESERVED_COLUMNS, &settled].concat());
    let updates: Vec<_> =
        settled.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let updates = updates.join(", ");
    format!("{insert} ON CONFLICT (id) DO UPDATE SET {updates} WHERE state = 'reserved'")
});

/// Settles a request with [`SETTLE`]. Returns 0 if it was settled before. `explanation_id` says
/// why its backend was chosen.
pub(crate) fn settle(
    statement: &mut Statement<'_>,
    ended: &Settlement,
    explanation_id: Option<i64>,
) -> rusqlite::Result<usize> {
    let request = &ended.request;
    let (wasted, unpriced_attempts) = attempts::wasted_cost(&ended.attempts);
    let unpriced = ended.unpriced();
    let values = params![
        request.id.to_string(),
        clamp_time(request.started),
        request.client.as_str(),
        request.project.as_deref().map(bound_name),
        bound_name(&request.route),
        bound_name(&request.model_asked),
        bound_name(&request.dialect),
        request.streamed,
        WordColumn(request.purpose),
        WordColumn(ended.outcome),
        clamp_time(ended.ended),
        ended.backend.as_ref().map(BackendId::as_str),
        ended.credential.as_ref().map(|id| id.as_str()),
        ended.model_billed.as_deref().map(bound_name),
        ended.http_status,
        ended.finish_reason.as_deref().map(bound_name),
        ended.error_class.as_deref().map(bound_name),
        if ended.usage.is_some() { "reported" } else { "unknown" },
        ended.cost.amount().map(clamp_cost),
        ended.cost.basis(),
        ended.cost.price_id(),
        WordColumn(ended.cache),
        ended.timings.queue.map(clamp_micros),
        ended.timings.first_byte.map(clamp_micros),
        ended.timings.first_token.map(clamp_micros),
        ended.timings.total.map(clamp_micros),
        clamp_count(ended.bytes_in),
        clamp_count(ended.bytes_out),
        explanation_id,
        row_count(ended.attempts.len()),
        ended.usage.and(ended.usage_basis).map(WordColumn),
        bound_json(ended.usage_raw.as_deref(), USAGE_RAW_BYTES_MAX).map(|text| pack(&text)),
        ended.cache_reason.as_deref().map(bound_name),
        ended.saved.map(clamp_cost),
        ended.saved_time.map(clamp_micros),
        clamp_cost(wasted),
        row_count(unpriced_attempts),
        bound_sentence(ended.error_message.as_deref()),
        unpriced.map(|why| WordColumn(why.reason)),
        unpriced.and_then(|why| why.detail.as_deref()).map(bound_name),
    ];
    execute_with_tokens(statement, values, ended.usage.as_ref())
}

/// Marks the requests of a dead process as unknown.
pub(crate) fn mark_reserved_unknown(connection: &Connection) -> rusqlite::Result<usize> {
    connection.execute("UPDATE requests SET state = 'unknown' WHERE state = 'reserved'", [])
}

/// The hours in which unsettled requests began, in milliseconds.
pub(crate) fn reserved_hours(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT DISTINCT started_ms - started_ms % ?1 FROM requests WHERE state = 'reserved'";
    connection.prepare_cached(sql)?.query_map([HOUR_MS], |row| row.get(0))?.collect()
}

/// Deletes at most `rows_max` of the oldest settled requests before `before`, with their attempts;
/// with the last of them, what only they had been chosen by. Roll-ups stay, and so does up to where
/// each machine's were deleted.
pub(crate) fn purge(
    connection: &Connection,
    before: WallTime,
    rows_max: usize,
) -> rusqlite::Result<usize> {
    let range = params![oldest_id_at(before), row_count(rows_max)];
    let old = "SELECT id FROM requests WHERE id < ?1 AND state <> 'reserved' ORDER BY id LIMIT ?2";
    let remember = format!(
        "INSERT INTO purged_requests
         SELECT coalesce((SELECT id FROM devices WHERE number = device), (SELECT id FROM identity)),
          max(id) AS last FROM requests WHERE id IN ({old}) GROUP BY 1
         ON CONFLICT (device_id) DO UPDATE SET until_id = max(until_id, excluded.until_id)"
    );
    connection.prepare_cached(&remember)?.execute(range)?;
    let sql = format!("DELETE FROM requests WHERE id IN ({old})");
    let deleted = connection.prepare_cached(&sql)?.execute(range)?;
    if deleted < rows_max {
        explanations::purge(connection, before)?;
    }
    Ok(deleted)
}

pub(crate) fn find(connection: &Connection, id: RequestId) -> rusqlite::Result<Option<RequestRow>> {
    let sql = "SELECT *, (SELECT name FROM devices WHERE number = device) AS device_name,
         coalesce(explanation, (SELECT e.sentence FROM explanations e WHERE e.id = explanation_id))
          AS why
        FROM requests WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([id.to_string()], read).optional()
}

/// Greater than the text of any id, whose digits are hexadecimal.
pub(crate) const NO_ID_MAX: &str = "req_g";

/// Smallest text of an id made at `time`: its first 48 bits are the milliseconds.
pub(crate) fn oldest_id_at(time: WallTime) -> String {
    format!("req_{:012x}", time.unix_ms().max(0))
}

/// Smallest text of an id made after `time`. What is later than now is from before the clock was set
/// back.
pub(crate) fn oldest_id_after(time: WallTime) -> String {
    oldest_id_at(time.plus_ms(1))
}

fn read(row: &Row<'_>) -> rusqlite::Result<RequestRow> {
    Ok(RequestRow {
        request: read_new(row)?,
        state: row.get::<_, WordColumn<RequestState>>("state")?.0,
        ended: row.get::<_, Option<i64>>("ended_ms")?.map(WallTime::from_unix_ms),
        backend: get_parsed(row, "backend")?,
        credential: get_parsed(row, "credential")?,
        model_billed: row.get("model_billed")?,
        http_status: row.get("http_status")?,
        finish_reason: row.get("finish_reason")?,
        error_class: row.get("error_class")?,
        error_message: row.get("error_message")?,
        usage: read_usage(row)?,
        usage_basis: row.get::<_, Option<WordColumn<_>>>("usage_basis")?.map(|basis| basis.0),
        usage_raw: match get_packed(row, "usage_packed")? {
            Some(usage) => Some(usage),
            None => row.get("usage_raw")?,
        },
        cost: read_cost(row)?,
        wasted: domain::NanoUsd::new(row.get("wasted_nano_usd")?),
        unpriced_attempts: row.get("unpriced_attempts")?,
        unpriced: attempts::read_unpriced(row)?,
        cache: row.get::<_, WordColumn<_>>("cache")?.0,
        cache_reason: row.get("cache_reason")?,
        saved: row.get::<_, Option<i64>>("saved_nano_usd")?.map(domain::NanoUsd::new),
        saved_time: get_interval(row, "saved_us")?,
        timings: Timings {
            queue: get_interval(row, "queue_us")?,
            first_byte: get_interval(row, "first_byte_us")?,
            first_token: get_interval(row, "first_token_us")?,
            total: get_interval(row, "total_us")?,
        },
        bytes_in: get_count(row, "bytes_in")?,
        bytes_out: get_count(row, "bytes_out")?,
        explanation: row.get("why")?,
        attempts: row.get("attempts")?,
        device: row.get("device_name")?,
    })
}

fn read_new(row: &Row<'_>) -> rusqlite::Result<NewRequest> {
    Ok(NewRequest {
        id: get_named(row, "id")?,
        started: WallTime::from_unix_ms(row.get("started_ms")?),
        client: get_named(row, "client")?,
        project: row.get("project")?,
        route: row.get("route")?,
        model_asked: row.get("model_asked")?,
        dialect: row.get("dialect")?,
        streamed: row.get("streamed")?,
        purpose: row.get::<_, WordColumn<Purpose>>("purpose")?.0,
    })
}

fn read_usage(row: &Row<'_>) -> rusqlite::Result<Option<TokenUsage>> {
    if row.get::<_, String>("usage_source")? != "reported" {
        return Ok(None);
    }
    read_tokens(row).map(Some)
}

/// Reads the cost columns, named alike in requests and attempts.
pub(crate) fn read_cost(row: &Row<'_>) -> rusqlite::Result<Cost> {
    let amount = || row.get("cost_nano_usd").map(domain::NanoUsd::new);
    Ok(match row.get::<_, String>("cost_basis")?.as_str() {
        "reported" => Cost::Reported(amount()?),
        "computed" => Cost::Computed { amount: amount()?, price_id: row.get("price_id")? },
        "not_billed" => Cost::NotBilled,
        _ => Cost::Unpriced,
    })
}
