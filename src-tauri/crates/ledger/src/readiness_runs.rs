//! The readiness runs table: the latest ones, each with its whole report.

use domain::{CheckSet, ReadinessVerdict, RunId, WallTime};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::integer_columns::{collect_known, get_named, row_count};

/// Runs kept; the oldest are deleted first.
pub const RUNS_KEPT_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadinessRunSummary {
    /// Generated at the start, so ids are ordered by time.
    pub id: RunId,
    pub started: WallTime,
    pub ended: WallTime,
    pub set: CheckSet,
    /// 0 to 100.
    pub score: u8,
    pub verdict: ReadinessVerdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadinessRunRecord {
    pub summary: ReadinessRunSummary,
    /// JSON text that `readiness` writes and reads.
    pub report: String,
}

/// Inserts a run and deletes the oldest past [`RUNS_KEPT_MAX`], but never the last one of a set.
pub(crate) fn insert(connection: &Connection, run: &ReadinessRunRecord) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
    let summary = &run.summary;
    let added = connection.prepare_cached(sql)?.execute(params![
        summary.id.to_string(),
        summary.started.unix_ms(),
        summary.ended.unix_ms(),
        summary.set.word(),
        summary.score,
        summary.verdict.word(),
        run.report,
    ])?;
    let sql = "DELETE FROM runs WHERE id IN
        (SELECT id FROM runs ORDER BY id DESC LIMIT -1 OFFSET ?1)
        AND id NOT IN (SELECT max(id) FROM runs GROUP BY set_name)";
    connection.prepare_cached(sql)?.execute([row_count(RUNS_KEPT_MAX)])?;
    Ok(added)
}

pub(crate) fn list_newest(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<ReadinessRunSummary>> {
    let sql = "SELECT id, started_ms, ended_ms, set_name, score, verdict FROM runs
        ORDER BY id DESC LIMIT ?1";
    let limit = row_count(limit.min(RUNS_KEPT_MAX));
    collect_known(connection.prepare_cached(sql)?.query_map([limit], read)?)
}

pub(crate) fn find_newest(
    connection: &Connection,
    set: CheckSet,
) -> rusqlite::Result<Option<ReadinessRunSummary>> {
    let sql = "SELECT id, started_ms, ended_ms, set_name, score, verdict FROM runs
        WHERE set_name = ?1 ORDER BY id DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row([set.word()], read).optional()
}

pub(crate) fn find(
    connection: &Connection,
    id: RunId,
) -> rusqlite::Result<Option<ReadinessRunRecord>> {
    let mut statement = connection.prepare_cached("SELECT * FROM runs WHERE id = ?1")?;
    statement
        .query_row([id.to_string()], |row| {
            Ok(ReadinessRunRecord { summary: read(row)?, report: row.get("report")? })
        })
        .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<ReadinessRunSummary> {
    Ok(ReadinessRunSummary {
        id: get_named(row, "id")?,
        started: WallTime::from_unix_ms(row.get("started_ms")?),
        ended: WallTime::from_unix_ms(row.get("ended_ms")?),
        set: get_named(row, "set_name")?,
        score: row.get("score")?,
        verdict: get_named(row, "verdict")?,
    })
}
