//! The table of attempts: every try at a backend, under its request.

use domain::{RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::Attempt;
use crate::number::{get_interval, get_named, get_parsed, micros};
use crate::text::{name, sentence};

/// Most tries of one request kept.
pub const ATTEMPTS_MAX: usize = 32;

/// Writes down the tries of a request just settled.
pub(crate) fn insert(
    connection: &Connection,
    request: RequestId,
    attempts: &[Attempt],
) -> rusqlite::Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO attempts (request_id, number, backend, credential, model, started_ms,
        duration_us, error_class, http_status, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let mut statement = connection.prepare_cached(sql)?;
    let request = request.to_string();
    for (attempt, number) in attempts.iter().take(ATTEMPTS_MAX).zip(1_i64..) {
        statement.execute(params![
            request,
            number,
            attempt.backend.as_str(),
            attempt.credential.as_ref().map(|id| id.as_str()),
            name(&attempt.model),
            attempt.started.unix_ms(),
            micros(attempt.duration),
            attempt.error_class.as_deref().map(name),
            attempt.http_status,
            sentence(attempt.message.as_deref()),
        ])?;
    }
    Ok(())
}

/// The tries of one request in their order.
pub(crate) fn of(connection: &Connection, request: RequestId) -> rusqlite::Result<Vec<Attempt>> {
    let sql = "SELECT * FROM attempts WHERE request_id = ?1 ORDER BY number";
    connection.prepare_cached(sql)?.query_map([request.to_string()], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        backend: get_named(row, "backend")?,
        credential: get_parsed(row, "credential")?,
        model: row.get("model")?,
        started: WallTime::from_unix_ms(row.get("started_ms")?),
        duration: get_interval(row, "duration_us")?.unwrap_or_default(),
        error_class: row.get("error_class")?,
        http_status: row.get("http_status")?,
        message: row.get("message")?,
    })
}
