//! Stores parts of session logs: usage rows, how far the file was read, and its problems.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::{NanoUsd, PriceTier};
use rusqlite::{Connection, Row, params};
use session_logs::{FilePart, FileProgress, LogProblem, UsageRecord};

use crate::SENTENCE_CHARS_MAX;
use crate::integer_columns::{clamp_cost, clamp_count, clamp_time, get_count, row_count};
use crate::statements::insert_into;
use crate::text_columns::{bound_name, bound_text};
use crate::token_columns::{execute_with_tokens, token_columns, with_token_columns};
use crate::{price_table, session_matches};

/// Most rows of usage from session logs. An import that begins beyond it is refused.
pub const SESSION_ROWS_MAX: u64 = 5_000_000;

/// Most problems of one [`crate::SessionSummary`] that are listed.
pub(crate) const SESSION_PROBLEMS_MAX: usize = 200;

/// A part of a session log, to be stored in one transaction with others.
#[derive(Debug, Clone)]
pub struct SessionPart {
    pub path: String,
    pub tool: domain::SessionTool,
    pub part: FilePart,
    /// Of each record what it would have cost at the provider's prices, with the id of the price;
    /// `None` if that is unknown.
    pub values: Vec<Option<(NanoUsd, String)>>,
}

/// A problem and the file that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionProblem {
    pub path: String,
    pub problem: LogProblem,
}

/// Why an answer of several calls of the model gets no value later.
const UNREAD_CALLS: &str = "message.usage.iterations";

const COLUMNS: &[&str] = &[
    "key",
    "tool",
    "session",
    "message_id",
    "request_id",
    "time_ms",
    "model",
    "provider",
    "project",
    "web_searches",
    "service_tier",
    "region",
    "unread",
    "stated_nano_usd",
    "value_nano_usd",
    "price_id",
];

/// Replaces a row of the same key as [`UsageRecord::replaces`] does.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = with_token_columns(COLUMNS);
    let updates: Vec<_> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "{} ON CONFLICT (key) DO UPDATE SET {}, measured_by = NULL WHERE {}",
        insert_into("session_usage", &columns),
        updates.join(", "),
        replaces_sql("false"),
    )
});

/// Whether the inserted row replaces the one of the same key, as [`UsageRecord::replaces`] says;
/// `else_sql` decides between two that are equal in that.
pub(crate) fn replaces_sql(else_sql: &str) -> String {
    let rank = |table: &str| {
        let sum: Vec<_> = token_columns().map(|column| format!("{table}.{column}")).collect();
        format!("({table}.output_visible + {table}.reasoning, {})", sum.join(" + "))
    };
    let origin =
        |table: &str| format!("({table}.time_ms, {table}.session, {table}.model, {table}.project)");
    let (new, old) = ("excluded", "session_usage");
    let (new_rank, old_rank) = (rank(new), rank(old));
    let (new_origin, old_origin) = (origin(new), origin(old));
    format!(
        "{new_rank} > {old_rank} OR ({new_rank} = {old_rank} AND ({new_origin} < {old_origin}
          OR ({new_origin} = {old_origin} AND {else_sql})))"
    )
}

/// Stores the parts; returns the number of new or replaced rows.
pub(crate) fn store(connection: &Connection, parts: &[SessionPart]) -> rusqlite::Result<usize> {
    let mut upsert = connection.prepare_cached(&UPSERT)?;
    let mut stored = 0;
    for part in parts {
        for (record, value) in part.part.records.iter().zip(&part.values) {
            stored += upsert_record(&mut upsert, part, record, value.as_ref())?;
        }
        let used = part.values.iter().flatten().map(|(_, price)| price.as_str());
        price_table::keep_bundled(connection, used)?;
        store_problems(connection, part)?;
        if let Some(progress) = &part.part.progress {
            store_progress(connection, part, progress)?;
        }
    }
    let times = parts.iter().flat_map(|part| &part.part.records).map(|record| record.time);
    if let Some(earliest) = times.min() {
        session_matches::note_unmatched(connection, earliest)?;
    }
    Ok(stored)
}

fn upsert_record(
    upsert: &mut rusqlite::Statement<'_>,
    part: &SessionPart,
    record: &UsageRecord,
    value: Option<&(NanoUsd, String)>,
) -> rusqlite::Result<usize> {
    let text = |text: &Option<String>| bound_name(text.as_deref().unwrap_or_default()).into_owned();
    let id = |id: &Option<String>| id.as_deref().map(|id| bound_name(id).into_owned());
    let tier =
        Some(record.service_tier.word()).filter(|_| record.service_tier != PriceTier::Standard);
    // The calls are not stored, so that a price that is known later cannot be applied to each of them.
    let calls = (!record.inner_calls.is_empty()).then_some(UNREAD_CALLS);
    let values = params![
        record.key.as_bytes(),
        part.tool.word(),
        text(&record.session),
        id(&record.message_id),
        id(&record.request_id),
        clamp_time(record.time),
        text(&record.model),
        id(&record.provider),
        text(&record.project),
        clamp_count(record.web_searches),
        tier,
        id(&record.region),
        record.unread.as_deref().or(calls),
        record.stated_cost.map(clamp_cost),
        value.map(|(amount, _)| clamp_cost(*amount)),
        value.map(|(_, price)| price.as_str()),
    ];
    execute_with_tokens(upsert, values, Some(&record.usage))
}

fn store_problems(connection: &Connection, part: &SessionPart) -> rusqlite::Result<()> {
    let from = clamp_count(part.part.from_line);
    let sql = "DELETE FROM session_problems WHERE path = ?1 AND (line >= ?2 OR line = 0)";
    connection.prepare_cached(sql)?.execute(params![part.path, from])?;
    let sql = "INSERT OR REPLACE INTO session_problems VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = connection.prepare_cached(sql)?;
    let listed = part.part.problems.len();
    let unlisted = part.part.problems_total.saturating_sub(u64::try_from(listed).unwrap_or(0));
    for (number, problem) in part.part.problems.iter().enumerate() {
        let more = if number + 1 == listed { unlisted } else { 0 };
        insert.execute(params![
            part.path,
            clamp_count(problem.line),
            row_count(number),
            bound_name(&problem.field),
            bound_text(&problem.what, SENTENCE_CHARS_MAX),
            clamp_count(more + 1),
        ])?;
    }
    Ok(())
}

fn store_progress(
    connection: &Connection,
    part: &SessionPart,
    progress: &FileProgress,
) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR REPLACE INTO session_files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    connection.prepare_cached(sql)?.execute(params![
        part.path,
        part.tool.word(),
        as_integer(progress.bytes),
        progress.modified_ns,
        as_integer(progress.position),
        as_integer(progress.lines),
        progress.head.cast_signed(),
        as_integer(progress.head_bytes),
        progress.state,
        progress.is_complete,
    ])?;
    Ok(())
}

fn as_integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The highest row number, which is read in no time.
pub(crate) fn count_rows(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(number), 0) AS answers FROM session_usage";
    connection.query_row(sql, [], |row| get_count(row, "answers"))
}

/// How far every known file was read, by its path.
pub(crate) fn read_progress(
    connection: &Connection,
) -> rusqlite::Result<HashMap<String, FileProgress>> {
    let read = |row: &Row<'_>| {
        let progress = FileProgress {
            bytes: get_count(row, "bytes")?,
            modified_ns: row.get("modified_ns")?,
            position: get_count(row, "position")?,
            lines: get_count(row, "lines")?,
            head: row.get::<_, i64>("head")?.cast_unsigned(),
            head_bytes: get_count(row, "head_bytes")?,
            state: row.get("state")?,
            is_complete: row.get("is_complete")?,
        };
        Ok((row.get("path")?, progress))
    };
    let mut statement = connection.prepare_cached("SELECT * FROM session_files")?;
    statement.query_map([], read)?.collect()
}

/// The problems of all files, newest files last, and how many there are.
pub(crate) fn list_problems(
    connection: &Connection,
) -> rusqlite::Result<(Vec<SessionProblem>, u64)> {
    let total = "SELECT coalesce(sum(problems), 0) AS problems FROM session_problems";
    let total = connection.query_row(total, [], |row| get_count(row, "problems"))?;
    let read = |row: &Row<'_>| {
        let problem = LogProblem {
            line: get_count(row, "line")?,
            field: row.get("field")?,
            what: row.get("what")?,
        };
        Ok(SessionProblem { path: row.get("path")?, problem })
    };
    let sql = "SELECT * FROM session_problems ORDER BY path, line, number LIMIT ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([row_count(SESSION_PROBLEMS_MAX)], read)?;
    Ok((rows.collect::<rusqlite::Result<_>>()?, total))
}
