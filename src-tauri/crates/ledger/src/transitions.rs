//! The log of how breakers, cooldowns and blocks went from state to state.
//!
//! Kept as long as the requests that are its evidence, and never more than a bounded number for each
//! backend: one that flaps for weeks must not push out what others went through.

use std::time::Duration;

use domain::{Access, BackendId, RequestId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::access_states::{credential_text, read_access};
use crate::number::{get_interval, micros, rows, time};
use crate::text::name;

/// Transitions kept for each backend; the oldest go first.
pub const TRANSITIONS_KEPT_MAX: usize = 5_000;

/// Most transitions in one answer.
pub const TRANSITIONS_PAGE_ROWS_MAX: usize = 2_000;

/// Most request ids kept with one transition.
pub const EVIDENCE_KEPT_MAX: usize = 10;

/// A breaker, cooldown, block or setting by hand has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: WallTime,
    /// Whose.
    pub access: Access,
    /// The model, if only that is concerned.
    pub model: Option<String>,
    /// Resilience's word for the state before.
    pub from: String,
    /// Resilience's word for the state now.
    pub to: String,
    /// Resilience's word for why.
    pub rule: String,
    /// The requests that led to it, oldest first; at most [`EVIDENCE_KEPT_MAX`] are kept.
    pub evidence: Vec<RequestId>,
    /// How long it was to last, if it was to end by itself.
    pub lasts: Option<Duration>,
}

/// Which transitions to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionQuery {
    /// Only of this backend, with whatever key.
    pub backend: Option<BackendId>,
    /// The first moment.
    pub from: WallTime,
    /// The first moment that is too late.
    pub to: WallTime,
    /// How many; [`TRANSITIONS_PAGE_ROWS_MAX`] at most.
    pub limit: usize,
}

/// Keeps `transitions`; forgets the oldest of their backends past [`TRANSITIONS_KEPT_MAX`].
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

/// Deletes what happened before `before`.
pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<()> {
    let sql = "DELETE FROM transitions WHERE at_ms < ?1";
    connection.prepare_cached(sql)?.execute([time(before)]).map(drop)
}

/// What a [`TransitionQuery`] asks for.
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
