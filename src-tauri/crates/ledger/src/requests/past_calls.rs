//! Calls of the user's own requests with what they cost, as history on which another budget can be
//! tried.
//!
//! Reads a bounded number of rows by primary key, which is ordered by time.

use domain::{BackendId, ClientId, CredentialId, NanoUsd, RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{get_named, get_parsed, row_count};
use crate::requests::attempt_costs::booked_model;
use crate::requests::oldest_id_at;

/// Most calls in one result, the newest.
pub const PAST_CALLS_MAX: usize = 100_000;

/// A call of a backend, and whose request it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCallRow {
    pub request: RequestId,
    pub client: ClientId,
    pub project: Option<String>,
    /// When the request began and ended.
    pub started: WallTime,
    pub ended: WallTime,
    pub backend: BackendId,
    pub credential: Option<CredentialId>,
    /// What the client asked for, what was sent to the backend, and what it is booked as.
    pub models: [String; 3],
    /// `None` if it is not known.
    pub cost: Option<NanoUsd>,
}

/// The newest [`PAST_CALLS_MAX`] calls of requests since `since`, oldest first.
pub(crate) fn list_since(
    connection: &Connection,
    since: WallTime,
) -> rusqlite::Result<Vec<PastCallRow>> {
    let range = params![oldest_id_at(since), row_count(PAST_CALLS_MAX)];
    let booked = booked_model("a");
    let sql = format!(
        "SELECT a.request_id, a.backend, a.credential, a.model, a.cost_nano_usd, model_asked,
          {booked} AS booked,
          client, project, requests.started_ms,
          coalesce(ended_ms, requests.started_ms) AS ended_ms
         FROM attempts a JOIN requests ON requests.id = a.request_id
         WHERE a.request_id >= ?1 AND purpose = 'user'
         ORDER BY a.request_id DESC, a.number DESC LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut calls: Vec<PastCallRow> =
        statement.query_map(range, read)?.collect::<Result<_, _>>()?;
    calls.reverse();
    Ok(calls)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PastCallRow> {
    Ok(PastCallRow {
        request: get_named(row, "request_id")?,
        client: get_named(row, "client")?,
        project: row.get("project")?,
        started: WallTime::from_unix_ms(row.get("started_ms")?),
        ended: WallTime::from_unix_ms(row.get("ended_ms")?),
        backend: get_named(row, "backend")?,
        credential: get_parsed(row, "credential")?,
        models: [row.get("model_asked")?, row.get("model")?, row.get("booked")?],
        cost: row.get::<_, Option<i64>>("cost_nano_usd")?.map(NanoUsd::new),
    })
}
