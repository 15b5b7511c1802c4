//! The log of state transitions of breakers, cooldowns and blocks.
//!
//! Rows are kept as long as the requests that are their evidence, up to a limit per backend: one
//! that flaps for weeks must not displace the history of others.

use std::time::Duration;

use domain::{Access, BackendId, RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::access_states::{credential_text, read_access};
use crate::number::{get_interval, micros, rows, time};
use crate::text::name;

/// Transitions kept per backend; the oldest are deleted first.
pub const TRANSITIONS_KEPT_MAX: usize = 5_000;

/// Most transitions in one result.
pub const TRANSITIONS_PAGE_ROWS_MAX: usize = 2_000;

/// Most request ids saved per transition.
pub const EVIDENCE_KEPT_MAX: usize = 10;

/// A state change of a breaker, cooldown, block or manual setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    pub at: WallTime,
    pub access: Access,
    /// The model, if only one is affected.
    pub model: Option<String>,
    /// The state before, as named by `resilience`.
    pub from: String,
    /// The state now, as named by `resilience`.
    pub to: String,
    /// The reason, as named by `resilience`.
    pub rule: String,
    /// The requests that caused it, oldest first; at most [`EVIDENCE_KEPT_MAX`] are saved.
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
    transitions: &[Transition],
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO transitions
        (at_ms, backend, credential, model, from_state, to_state, rule, evidence, lasts_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let mut statement = connection.prepare_cached(sql)?;
    for transition in transitions {
        let evidence: Vec<String> =
            transition.evidence.iter().take(EVIDENCE_KEPT_MAX).map(RequestId::to_string).collect();
        statement.execute(params![
            time(transition.at),
            transition.access.backend.as_str(),
            credential_text(&transition.access),
            transition.model.as_deref().map(name),
            name(&transition.from),
            name(&transition.to),
            name(&transition.rule),
            evidence.join(" "),
            transition.lasts.map(micros),
        ])?;
    }
    let sql = "DELETE FROM transitions WHERE number IN (SELECT number FROM transitions
        WHERE backend = ?1 ORDER BY at_ms DESC, number DESC LIMIT -1 OFFSET ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut backends: Vec<_> =
        transitions.iter().map(|transition| transition.access.backend.as_str()).collect();
    backends.sort_unstable();
    backends.dedup();
    for backend in backends {
        statement.execute(params![backend, rows(TRANSITIONS_KEPT_MAX)])?;
    }
    Ok(transitions.len())
}

/// Deletes transitions before `before`.
pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<()> {
    let sql = "DELETE FROM transitions WHERE at_ms < ?1";
    connection.prepare_cached(sql)?.execute([time(before)]).map(drop)
}

pub(crate) fn list(
    connection: &Connection,
    query: &TransitionQuery,
) -> rusqlite::Result<Vec<Transition>> {
    let (from, to) = (query.from.unix_ms(), query.to.unix_ms());
    let limit = rows(query.limit.min(TRANSITIONS_PAGE_ROWS_MAX));
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

fn read(row: &Row<'_>) -> rusqlite::Result<Transition> {
    let evidence: String = row.get("evidence")?;
    Ok(Transition {
        at: WallTime::from_unix_ms(row.get("at_ms")?),
        access: read_access(row)?,
        model: row.get("model")?,
        from: row.get("from_state")?,
        to: row.get("to_state")?,
        rule: row.get("rule")?,
        evidence: evidence.split(' ').filter_map(|id| id.parse().ok()).collect(),
        lasts: get_interval(row, "lasts_us")?,
    })
}
