//! The attempts table: every attempt of a request.

use domain::{MicroUsd, RequestId, TokenUsage, WallTime};
use rusqlite::{Connection, Row, Statement, params};

use crate::integer_columns::{
    clamp_cost, clamp_count, clamp_micros, get_interval, get_named, get_parsed,
};
use crate::requests::{read_cost, token_columns};
use crate::text_columns::{bound_name, bound_sentence};
use crate::{AttemptRecord, Cost};

/// Most attempts saved per request.
pub const ATTEMPTS_MAX: usize = 32;

pub(crate) const INSERT: &str =
    "INSERT INTO attempts (request_id, number, backend, credential, model,
    started_ms, duration_us, error_class, http_status, message, class, owner, waited_us,
    input_uncached, cache_read, cache_write_5m, cache_write_1h, output_visible, reasoning,
    cost_micro_usd, price_id, cost_basis)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
    ?20, ?21, ?22)";

/// Inserts the attempts of a settled request with [`INSERT`].
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    request: RequestId,
    attempts: &[AttemptRecord],
) -> rusqlite::Result<()> {
    let request = request.to_string();
    for (attempt, number) in attempts.iter().take(ATTEMPTS_MAX).zip(1_i64..) {
        let token = |class: fn(&TokenUsage) -> u64| {
            attempt.usage.as_ref().map(|usage| clamp_count(class(usage)))
        };
        statement.execute(params![
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
            token(|usage| usage.input_uncached),
            token(|usage| usage.cache_read),
            token(|usage| usage.cache_write_5m),
            token(|usage| usage.cache_write_1h),
            token(|usage| usage.output_visible),
            token(|usage| usage.reasoning),
            attempt.cost.amount().map(clamp_cost),
            attempt.cost.price_id(),
            attempt.cost.basis(),
        ])?;
    }
    Ok(())
}

/// Known cost of the failed attempts, and the number of failed attempts with an unknown cost.
pub(crate) fn wasted_cost(attempts: &[AttemptRecord]) -> (MicroUsd, usize) {
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
        usage: if has_usage { Some(token_columns(row)?) } else { None },
        cost: read_cost(row)?,
    })
}
