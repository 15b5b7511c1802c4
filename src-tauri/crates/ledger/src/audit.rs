//! The audit log: operations that changed something, in the order in which they ended.

use domain::{AuditOutcome, CallerKind, DAY_MS, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{
    clamp_count, clamp_time, collect_known, get_count, get_named, row_count,
};
use crate::columns::text_columns::bound_name;

/// Entries kept; the oldest are deleted first.
pub(crate) const AUDIT_ENTRIES_KEPT_MAX: usize = 10_000;

/// Days for which entries are kept.
pub(crate) const AUDIT_DAYS_KEPT_MAX: i64 = 365;

/// Calls of agents that the settings did not allow: most that are kept of one hour, among the newest
/// 200 entries. An agent in a loop must not drive out what was changed.
pub(crate) const AUDIT_NOT_ALLOWED_MAX: usize = 20;
const NOT_ALLOWED_SPAN_MS: i64 = 3_600_000;
const NOT_ALLOWED_ENTRIES: usize = 200;

/// In milliseconds; the same call of the same agent is written down once in it.
const NOT_ALLOWED_REPEAT_MS: i64 = 600_000;

/// An operation that changed something, or was to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When it began. Entries stand in the order in which they ended.
    pub at: WallTime,
    pub caller: CallerKind,
    /// What an agent calls itself.
    pub agent: Option<String>,
    pub agent_version: Option<String>,
    /// The id of the client whose token an agent has, which was checked.
    pub client: Option<String>,
    /// True if a person confirmed the call, false if one declined or dismissed it; None where nobody was asked
    /// or no answer came.
    pub confirmed: Option<bool>,
    pub operation: String,
    /// The id of what it was about.
    pub subject: Option<String>,
    pub outcome: AuditOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub number: u64,
    pub record: AuditRecord,
}

/// Which entries are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Only entries with a smaller number: the next page.
    pub before: Option<u64>,
    pub caller: Option<CallerKind>,
    pub operation: Option<String>,
    /// The id of what it was about.
    pub subject: Option<String>,
    /// Only entries that began until then.
    pub until: Option<WallTime>,
    pub limit: usize,
}

/// Adds an entry; deletes those past [`AUDIT_ENTRIES_KEPT_MAX`] and [`AUDIT_DAYS_KEPT_MAX`]. One too
/// many that was not allowed is left out.
pub(crate) fn insert(connection: &Connection, record: &AuditRecord) -> rusqlite::Result<usize> {
    if record.outcome == AuditOutcome::NotAllowed && is_surplus(connection, record)? {
        return Ok(0);
    }
    let sql = "INSERT INTO audit_log
        (at_ms, caller, agent, agent_version, operation, subject, outcome, client, confirmed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let added = connection.prepare_cached(sql)?.execute(params![
        clamp_time(record.at),
        record.caller.word(),
        record.agent.as_deref().map(bound_name),
        record.agent_version.as_deref().map(bound_name),
        bound_name(&record.operation),
        record.subject.as_deref().map(bound_name),
        record.outcome.word(),
        record.client.as_deref().map(bound_name),
        record.confirmed,
    ])?;
    let newest = connection.last_insert_rowid();
    let oldest_ms = record.at.unix_ms().saturating_sub(AUDIT_DAYS_KEPT_MAX * DAY_MS);
    let rest = "DELETE FROM audit_log WHERE number <= ?1 OR at_ms < ?2";
    let last_out = newest.saturating_sub(row_count(AUDIT_ENTRIES_KEPT_MAX));
    connection.prepare_cached(rest)?.execute([last_out, oldest_ms])?;
    Ok(added)
}

fn is_surplus(connection: &Connection, record: &AuditRecord) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*), coalesce(max(at_ms > ?4 AND operation = ?5 AND agent IS ?6
            AND client IS ?7 AND confirmed IS ?8), 0)
        FROM audit_log WHERE outcome = ?1 AND at_ms > ?2
        AND number > (SELECT coalesce(max(number), 0) FROM audit_log) - ?3";
    let range = params![
        AuditOutcome::NotAllowed.word(),
        record.at.unix_ms().saturating_sub(NOT_ALLOWED_SPAN_MS),
        row_count(NOT_ALLOWED_ENTRIES),
        record.at.unix_ms().saturating_sub(NOT_ALLOWED_REPEAT_MS),
        bound_name(&record.operation),
        record.agent.as_deref().map(bound_name),
        record.client.as_deref().map(bound_name),
        record.confirmed,
    ];
    connection.prepare_cached(sql)?.query_row(range, |row| {
        let (kept, is_repeated): (i64, bool) = (row.get(0)?, row.get(1)?);
        Ok(is_repeated || kept >= row_count(AUDIT_NOT_ALLOWED_MAX))
    })
}

/// Newest first.
pub(crate) fn list(connection: &Connection, query: &AuditQuery) -> rusqlite::Result<Vec<AuditRow>> {
    let sql = "SELECT * FROM audit_log WHERE (?1 IS NULL OR number < ?1)
        AND (?2 IS NULL OR caller = ?2) AND (?3 IS NULL OR operation = ?3)
        AND (?4 IS NULL OR subject = ?4) AND (?6 IS NULL OR at_ms <= ?6)
        ORDER BY number DESC LIMIT ?5";
    let range = params![
        query.before.map(clamp_count),
        query.caller.map(CallerKind::word),
        query.operation,
        query.subject,
        row_count(query.limit.min(AUDIT_ENTRIES_KEPT_MAX)),
        query.until.map(clamp_time),
    ];
    collect_known(connection.prepare_cached(sql)?.query_map(range, read_row)?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        number: get_count(row, "number")?,
        record: AuditRecord {
            at: WallTime::from_unix_ms(row.get("at_ms")?),
            caller: get_named(row, "caller")?,
            agent: row.get("agent")?,
            agent_version: row.get("agent_version")?,
            client: row.get("client")?,
            confirmed: row.get("confirmed")?,
            operation: row.get("operation")?,
            subject: row.get("subject")?,
            outcome: get_named(row, "outcome")?,
        },
    })
}
