//! The log of state transitions of breakers, cooldowns and blocks.
//!
//! Rows are kept as long as the requests that are their evidence, up to a limit per backend: one
//! that flaps for weeks must not displace the history of others.

use std::time::Duration;

use domain::{BackendId, Endpoint, RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_micros, clamp_time, get_interval, row_count};
use crate::columns::text_columns::bound_name;
use crate::health::endpoint_states::{credential_text, read_endpoint};

/// Transitions kept per backend; the oldest are deleted first.
pub const TRANSITIONS_KEPT_MAX: usize = 5_000;

/// Most transitions in one result.
pub const TRANSITIONS_PAGE_ROWS_MAX: usize = 2_000;

/// Most request ids saved per transition.
pub(crate) const EVIDENCE_KEPT_MAX: usize = 10;

/// A state change of a breaker, cooldown, block or manual setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionRecord {
    pub at: WallTime,
    pub endpoint: Endpoint,
    /// The model, if only one is affected.
    pub model: Option<String>,
    /// The state before, as named by `resilience`.
    pub from: String,
    /// The state now, as named by `resilience`.
    pub to: String,
    /// The reason, as named by `resilience`.
    pub rule: String,
    /// The requests that caused it, oldest first; at most `EVIDENCE_KEPT_MAX` are saved.
    pub evidence: Vec<RequestId>,
    /// Planned duration, if the state ends by itself.
    pub lasts: Option<Duration>,
}

/// Filters of a list of transitions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionQuery {
    /// With any credential.
    pub backend: Option<BackendId>,
    /// Inclusive.
    pub from: WallTime,
    /// Exclusive.
    pub to: WallTime,
    /// At most [`TRANSITIONS_PAGE_ROWS_MAX`].
    pub limit: usize,
}

/// Inserts `transitions`; deletes the oldest of their backends past [`TRANSITIONS_KEPT_MAX`].
pub(crate) fn insert(
    connection: &Connection,
    transitions: &[TransitionRecord],
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO transitions
        (at_ms, backend, credential, model, from_state, to_state, rule, evidence, lasts_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut statement = connection.prepare_cached(sql)?;
    for transition in transitions {
        let evidence: Vec<String> =
            transition.evidence.iter().take(EVIDENCE_KEPT_MAX).map(RequestId::to_string).collect();
        statement.execute(params![
            clamp_time(transition.at),
            transition.endpoint.backend.as_str(),
            credential_text(&transition.endpoint),
            transition.model.as_deref().map(bound_name),
            bound_name(&transition.from),
            bound_name(&transition.to),
            bound_name(&transition.rule),
            evidence.join(" "),
            transition.lasts.map(clamp_micros),
        ])?;
    }
    let sql = "DELETE FROM transitions WHERE number IN (SELECT number FROM transitions
        WHERE backend = ?1 ORDER BY at_ms DESC, number DESC LIMIT -1 OFFSET ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut backends: Vec<_> =
        transitions.iter().map(|transition| transition.endpoint.backend.as_str()).collect();
    backends.sort_unstable();
    backends.dedup();
    for backend in backends {
        statement.execute(params![backend, row_count(TRANSITIONS_KEPT_MAX)])?;
    }
    Ok(transitions.len())
}

/// Deletes transitions before `before`.
pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<()> {
    let sql = "DELETE FROM transitions WHERE at_ms < ?1";
    connection.prepare_cached(sql)?.execute([clamp_time(before)]).map(drop)
}

pub(crate) fn list(
    connection: &Connection,
    query: &TransitionQuery,
) -> rusqlite::Result<Vec<TransitionRecord>> {
    let (from, to) = (query.from.unix_ms(), query.to.unix_ms());
    let limit = row_count(query.limit.min(TRANSITIONS_PAGE_ROWS_MAX));
    match &query.backend {
        Some(backend) => {
            let sql = "SELECT * FROM transitions WHERE backend = ?1 AND at_ms >= ?2 AND at_ms < ?3
                ORDER BY at_ms DESC, number DESC LIMIT ?4";
            let range = params![backend.as_str(), from, to, limit];
            connection.prepare_cached(sql)?.query_map(range, read)?.collect()
        }
        None => {
            let sql = "SELECT * FROM transitions WHERE at_ms >= ?1 AND at_ms < ?2
                ORDER BY at_ms DESC, number DESC LIMIT ?3";
            let range = params![from, to, limit];
            connection.prepare_cached(sql)?.query_map(range, read)?.collect()
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<TransitionRecord> {
    let evidence: String = row.get("evidence")?;
    Ok(TransitionRecord {
        at: WallTime::from_unix_ms(row.get("at_ms")?),
        endpoint: read_endpoint(row)?,
        model: row.get("model")?,
        from: row.get("from_state")?,
        to: row.get("to_state")?,
        rule: row.get("rule")?,
        evidence: evidence.split(' ').filter_map(|id| id.parse().ok()).collect(),
        lasts: get_interval(row, "lasts_us")?,
    })
}
