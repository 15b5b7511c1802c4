//! Why a backend was chosen: the sentence and the routing decision, stored once for all requests
//! with the same ones. Most requests of a route have, so this is a sixth of the file.

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::{DAY_MS, RequestId, WallTime};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use crate::Settlement;
use crate::columns::integer_columns::clamp_time;
use crate::columns::packed_text::{get_packed, pack};
use crate::columns::text_columns::{DECISION_BYTES_MAX, bound_json, bound_sentence};

pub(crate) const INSERT: &str = "INSERT INTO explanations (id, last_day, sentence, decision)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET last_day = excluded.last_day
     WHERE last_day < excluded.last_day";

/// Saves the explanation and the decision of a settled request with [`INSERT`], unless they are
/// known. Returns their id; `None` without either. A decision past its size limit is not saved.
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    ended: &Settlement,
) -> rusqlite::Result<Option<i64>> {
    let explanation = bound_sentence(ended.explanation.as_deref());
    let decision = bound_json(ended.decision.as_deref(), DECISION_BYTES_MAX);
    if explanation.is_none() && decision.is_none() {
        return Ok(None);
    }
    let mut hasher = DefaultHasher::new();
    (&explanation, &decision).hash(&mut hasher);
    let id = hasher.finish().cast_signed();
    let packed = decision.map(|decision| pack(&decision));
    statement.execute(params![id, day_of(ended.request.started), explanation, packed])?;
    Ok(Some(id))
}

/// The routing decision of a request as JSON.
pub(crate) fn find_decision(
    connection: &Connection,
    request: RequestId,
) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT '' AS decision, decision AS packed FROM explanations
         WHERE id = (SELECT explanation_id FROM requests WHERE id = ?1) AND decision IS NOT NULL
        UNION ALL SELECT decision, packed FROM decisions WHERE request_id = ?1";
    let read = |row: &Row<'_>| match get_packed(row, "packed")? {
        Some(decision) => Ok(decision),
        None => row.get("decision"),
    };
    connection.prepare_cached(sql)?.query_row([request.to_string()], read).optional()
}

/// Deletes those that no request from `before` on has.
pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM explanations WHERE last_day < ?1", [day_of(before)])
}

fn day_of(time: WallTime) -> i64 {
    clamp_time(time) / DAY_MS
}
