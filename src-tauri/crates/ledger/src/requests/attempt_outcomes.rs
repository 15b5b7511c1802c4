//! Results of single attempts, ordered by their end: for recent backend speeds, and as history on
//! which other breaker settings can be simulated.
//!
//! Reads a bounded number of rows by primary key, which is ordered by time.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{BackendId, Endpoint, RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{get_interval, get_named, get_parsed, row_count};
use crate::requests::{oldest_id_after, oldest_id_at};

/// Most attempts in one result of [`crate::Ledger::attempt_outcomes`].
pub(crate) const OUTCOMES_MAX: usize = 50_000;

/// Most requests, the newest, that [`ModelLatency`] is computed from.
pub(crate) const RECENT_REQUESTS_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    pub ended: WallTime,
    pub endpoint: Endpoint,
    /// The model name sent to the backend.
    pub model: String,
    pub request: RequestId,
    pub end: AttemptEnd,
    /// [`crate::AttemptRecord::class`]: unknown for attempts of versions that did not record it.
    pub class: Option<String>,
    /// The backend's status, if it answered.
    pub http_status: Option<u16>,
    /// Time from the start of the attempt; `None` without a token.
    pub first_token: Option<Duration>,
}

/// Recent speed of a backend's model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelLatency {
    pub backend: BackendId,
    /// The model name sent to the backend.
    pub model: String,
    /// Median time to the first token.
    pub first_token_p50: Duration,
}

/// How fast a backend began one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentFirstToken {
    pub backend: BackendId,
    /// The model name sent to the backend.
    pub model: String,
    /// When its request came.
    pub started: WallTime,
    /// Time from the start of the attempt.
    pub first_token: Duration,
}

domain::words! {
    AttemptEnd {
        Answered = "answered",
        Failed = "failed",
        /// The client disconnected; this says nothing about the backend.
        GivenUp = "given-up",
    }
}

pub(crate) const OUTCOMES: &str =
    "SELECT a.request_id, a.backend, a.credential, a.model, a.started_ms,
     a.duration_us, a.class, a.error_class, a.http_status, r.state,
     a.number = r.attempts AS is_last,
     r.first_token_us - (a.started_ms - r.started_ms) * 1000 AS first_token_us
    FROM attempts a JOIN requests r ON r.id = a.request_id
    WHERE a.request_id >= ?1 AND a.request_id < ?4 AND (?2 IS NULL OR a.backend = ?2)
    ORDER BY a.request_id DESC, a.number DESC LIMIT ?3";

/// The newest [`OUTCOMES_MAX`] attempts of requests from `from` until `until`, ordered by their end.
pub(crate) fn list_between(
    connection: &Connection,
    (from, until): (WallTime, WallTime),
    backend: Option<&BackendId>,
) -> rusqlite::Result<Vec<AttemptOutcome>> {
    let (first, end) = (oldest_id_at(from), oldest_id_after(until));
    let range = params![first, backend.map(BackendId::as_str), row_count(OUTCOMES_MAX), end];
    let mut statement = connection.prepare_cached(OUTCOMES)?;
    let mut outcomes: Vec<AttemptOutcome> =
        statement.query_map(range, read)?.collect::<Result<_, _>>()?;
    outcomes.reverse();
    outcomes.sort_by_key(|outcome| outcome.ended);
    Ok(outcomes)
}

fn read(row: &Row<'_>) -> rusqlite::Result<AttemptOutcome> {
    let is_last: bool = row.get("is_last")?;
    let duration = get_interval(row, "duration_us")?.unwrap_or_default();
    let duration_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let end = if row.get_ref("error_class")? != rusqlite::types::ValueRef::Null {
        AttemptEnd::Failed
    } else if is_last && row.get::<_, String>("state")? == "cancelled" {
        AttemptEnd::GivenUp
    } else {
        AttemptEnd::Answered
    };
    Ok(AttemptOutcome {
        ended: WallTime::from_unix_ms(row.get::<_, i64>("started_ms")?.saturating_add(duration_ms)),
        endpoint: Endpoint {
            backend: get_named(row, "backend")?,
            credential: get_parsed(row, "credential")?,
        },
        model: row.get("model")?,
        request: get_named(row, "request_id")?,
        end,
        class: row.get("class")?,
        http_status: row.get("http_status")?,
        first_token: if is_last { first_token(row)? } else { None },
    })
}

/// Negative values become zero: the wall clock may have been set back meanwhile.
fn first_token(row: &Row<'_>) -> rusqlite::Result<Option<Duration>> {
    let micros: Option<i64> = row.get("first_token_us")?;
    Ok(micros.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0))))
}

pub(crate) const RECENT: &str = "SELECT a.backend, a.model, r.started_ms,
     r.first_token_us - (a.started_ms - r.started_ms) * 1000 AS first_token_us
    FROM (SELECT * FROM requests WHERE id >= ?1 AND id < ?3 AND state = 'complete' AND purpose = 'user'
      ORDER BY id DESC LIMIT ?2) r
    JOIN attempts a ON a.request_id = r.id AND a.number = r.attempts";

/// Speeds by [`first_tokens`].
pub(crate) fn model_latencies(
    connection: &Connection,
    range: (WallTime, WallTime),
) -> rusqlite::Result<Vec<ModelLatency>> {
    let mut times: BTreeMap<(BackendId, String), Vec<Duration>> = BTreeMap::new();
    for RecentFirstToken { backend, model, first_token, .. } in first_tokens(connection, range)? {
        times.entry((backend, model)).or_default().push(first_token);
    }
    let pace = |((backend, model), mut took): ((BackendId, String), Vec<Duration>)| {
        took.sort_unstable();
        // The lower median.
        let middle = took.get(took.len().div_ceil(2).saturating_sub(1)).copied();
        ModelLatency { backend, model, first_token_p50: middle.unwrap_or_default() }
    };
    Ok(times.into_iter().map(pace).collect())
}

/// First tokens of the newest [`RECENT_REQUESTS_MAX`] complete requests from `from` until `until`, in no order.
/// Neither the queue nor earlier attempts are in them. Only the user's own traffic counts: probes and
/// drills send other prompts.
pub(crate) fn first_tokens(
    connection: &Connection,
    (from, until): (WallTime, WallTime),
) -> rusqlite::Result<Vec<RecentFirstToken>> {
    let mut statement = connection.prepare_cached(RECENT)?;
    let (first, end) = (oldest_id_at(from), oldest_id_after(until));
    let mut rows = statement.query(params![first, row_count(RECENT_REQUESTS_MAX), end])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(first_token) = first_token(row)? {
            let started = WallTime::from_unix_ms(row.get("started_ms")?);
            found.push(RecentFirstToken {
                backend: get_named(row, "backend")?,
                model: row.get("model")?,
                started,
                first_token,
            });
        }
    }
    Ok(found)
}
