//! Alerts that fired, what the user wrote about them, and the saved state of the book of alerts.
//!
//! Rules, severities and endings are stored by their words, since what they mean is decided elsewhere.

use std::collections::BTreeSet;

use domain::WallTime;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::SENTENCE_CHARS_MAX;
use crate::columns::integer_columns::{clamp_count, clamp_time, get_count, row_count};
use crate::columns::text_columns::bound_text;

/// Alerts kept; the oldest that have ended are deleted first.
pub const ALERTS_KEPT_MAX: usize = 2_000;

/// Notes kept per alert; more are refused.
pub const ALERT_NOTES_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    pub number: u64,
    pub rule: String,
    pub severity: String,
    /// Names of the backends, routes, budgets or keys it is about.
    pub scopes: Vec<String>,
    pub title: String,
    pub detail: String,
    /// Path of the panel.
    pub path: String,
    /// When its condition began.
    pub since: WallTime,
    pub fired: WallTime,
    pub ended: Option<WallTime>,
    pub ending: Option<String>,
    pub acknowledged: Option<WallTime>,
    pub notified: Option<WallTime>,
    pub is_read: bool,
}

/// What the user wrote about an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNote {
    pub at: WallTime,
    pub note: String,
}

/// A change of what is stored of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// The saved state of the book of alerts.
    State(String),
    /// A new alert, or one that says something else; its end, its reading and its notes stay.
    Put(Box<AlertRow>),
    End {
        number: u64,
        at: WallTime,
        ending: String,
    },
    Acknowledge {
        number: u64,
        at: WallTime,
    },
    /// The user has seen it; all of them without a number.
    Read {
        number: Option<u64>,
    },
    Note {
        number: u64,
        note: AlertNote,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertQuery {
    /// Only alerts with a smaller number: the next page.
    pub before: Option<u64>,
    pub unread_only: bool,
    pub limit: usize,
}

pub(crate) fn apply(connection: &Connection, changes: &[AlertChange]) -> rusqlite::Result<usize> {
    let mut rows = 0;
    for change in changes {
        rows += apply_one(connection, change)?;
    }
    Ok(rows)
}

fn apply_one(connection: &Connection, change: &AlertChange) -> rusqlite::Result<usize> {
    match change {
        AlertChange::State(json) => {
            let sql = "INSERT INTO alert_state VALUES (1, ?1)
                ON CONFLICT (id) DO UPDATE SET json = excluded.json";
            connection.prepare_cached(sql)?.execute([json])
        }
        AlertChange::Put(row) => put(connection, row),
        AlertChange::End { number, at, ending } => {
            let sql = "UPDATE alerts SET ended_ms = ?2, ending = ?3
                WHERE number = ?1 AND ended_ms IS NULL";
            let row = params![clamp_count(*number), clamp_time(*at), ending];
            connection.prepare_cached(sql)?.execute(row)
        }
        AlertChange::Acknowledge { number, at } => {
            let sql = "UPDATE alerts SET acknowledged_ms = ?2, is_read = 1
                WHERE number = ?1 AND acknowledged_ms IS NULL";
            connection.prepare_cached(sql)?.execute(params![clamp_count(*number), clamp_time(*at)])
        }
        AlertChange::Read { number } => {
            let sql = "UPDATE alerts SET is_read = 1
                WHERE NOT is_read AND (?1 IS NULL OR number = ?1)";
            connection.prepare_cached(sql)?.execute([number.map(clamp_count)])
        }
        AlertChange::Note { number, note } => {
            let sql = "INSERT INTO alert_notes (alert, at_ms, note) SELECT ?1, ?2, ?3
                WHERE EXISTS (SELECT 1 FROM alerts WHERE number = ?1)
                AND (SELECT count(*) FROM alert_notes WHERE alert = ?1) < ?4";
            let text = bound_text(&note.note, SENTENCE_CHARS_MAX);
            let most = row_count(ALERT_NOTES_MAX);
            let row = params![clamp_count(*number), clamp_time(note.at), text, most];
            connection.prepare_cached(sql)?.execute(row)
        }
    }
}

fn put(connection: &Connection, row: &AlertRow) -> rusqlite::Result<usize> {
    let sql =
        "INSERT INTO alerts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        ON CONFLICT (number) DO UPDATE SET severity = excluded.severity, title = excluded.title,
         scopes = excluded.scopes, detail = excluded.detail, path = excluded.path,
         notified_ms = coalesce(excluded.notified_ms, notified_ms)";
    let added = connection.prepare_cached(sql)?.execute(params![
        clamp_count(row.number),
        row.rule,
        row.severity,
        row.scopes.join(","),
        bound_text(&row.title, SENTENCE_CHARS_MAX),
        bound_text(&row.detail, SENTENCE_CHARS_MAX),
        row.path,
        clamp_time(row.since),
        clamp_time(row.fired),
        row.ended.map(clamp_time),
        row.ending,
        row.acknowledged.map(clamp_time),
        row.notified.map(clamp_time),
        row.is_read,
    ])?;
    let rest = "DELETE FROM alert_notes WHERE alert IN (SELECT number FROM alerts
        WHERE ended_ms IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?1)";
    connection.prepare_cached(rest)?.execute([row_count(ALERTS_KEPT_MAX)])?;
    let rest = "DELETE FROM alerts WHERE number IN (SELECT number FROM alerts
        WHERE ended_ms IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?1)";
    connection.prepare_cached(rest)?.execute([row_count(ALERTS_KEPT_MAX)])?;
    Ok(added)
}

pub(crate) fn load_state(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT json FROM alert_state")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// Newest first.
pub(crate) fn list(connection: &Connection, query: &AlertQuery) -> rusqlite::Result<Vec<AlertRow>> {
    let sql = "SELECT * FROM alerts WHERE (?1 IS NULL OR number < ?1) AND (NOT ?2 OR NOT is_read)
        ORDER BY number DESC LIMIT ?3";
    let before = query.before.map(clamp_count);
    let limit = row_count(query.limit.min(ALERTS_KEPT_MAX));
    let range = params![before, query.unread_only, limit];
    connection.prepare_cached(sql)?.query_map(range, read_row)?.collect()
}

fn find(connection: &Connection, number: u64) -> rusqlite::Result<Option<AlertRow>> {
    let sql = "SELECT * FROM alerts WHERE number = ?1";
    connection.prepare_cached(sql)?.query_row([clamp_count(number)], read_row).optional()
}

/// An alert and its notes, oldest first.
pub(crate) fn find_with_notes(
    connection: &Connection,
    number: u64,
) -> rusqlite::Result<Option<(AlertRow, Vec<AlertNote>)>> {
    let Some(row) = find(connection, number)? else { return Ok(None) };
    Ok(Some((row, notes(connection, number)?)))
}

fn notes(connection: &Connection, number: u64) -> rusqlite::Result<Vec<AlertNote>> {
    let sql = "SELECT at_ms, note FROM alert_notes WHERE alert = ?1 ORDER BY number";
    let read = |row: &Row<'_>| {
        Ok(AlertNote { at: WallTime::from_unix_ms(row.get("at_ms")?), note: row.get("note")? })
    };
    connection.prepare_cached(sql)?.query_map([clamp_count(number)], read)?.collect()
}

/// The alerts with notes, by number.
pub(crate) fn noted(connection: &Connection) -> rusqlite::Result<BTreeSet<u64>> {
    let sql = "SELECT DISTINCT alert FROM alert_notes";
    connection.prepare_cached(sql)?.query_map([], |row| get_count(row, "alert"))?.collect()
}

pub(crate) fn count_unread(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) AS unread FROM alerts WHERE NOT is_read";
    connection.prepare_cached(sql)?.query_row([], |row| get_count(row, "unread"))
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    let time = |column| {
        let ms: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(ms.map(WallTime::from_unix_ms))
    };
    let scopes: String = row.get("scopes")?;
    Ok(AlertRow {
        number: get_count(row, "number")?,
        rule: row.get("rule")?,
        severity: row.get("severity")?,
        scopes: scopes.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        title: row.get("title")?,
        detail: row.get("detail")?,
        path: row.get("path")?,
        since: WallTime::from_unix_ms(row.get("since_ms")?),
        fired: WallTime::from_unix_ms(row.get("fired_ms")?),
        ended: time("ended_ms")?,
        ending: row.get("ending")?,
        acknowledged: time("acknowledged_ms")?,
        notified: time("notified_ms")?,
        is_read: row.get("is_read")?,
    })
}
