//! Sums of the requests that the response cache was not asked about, by the reason.
//!
//! Not a part of the other sums: each of those would be told apart by one more word, and be that many
//! times as long.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::WallTime;
use rusqlite::{Connection, Row, params};

use crate::number::{get_count, rows, time};
use crate::text::{Stored, name};
use crate::usage::{slot_end, slot_start};
use crate::{CacheOutcome, Purpose, Settlement};

/// Most reasons in one answer.
pub const BYPASS_REASONS_MAX: usize = 100;

/// How often the cache was not asked for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bypasses {
    /// [`Settlement::cache_reason`]; empty where none was given.
    pub reason: String,
    /// How many requests.
    pub requests: u64,
}

/// Counts the requests settled just now that went past the cache, in the same transaction.
pub(crate) fn add(connection: &Connection, settled: &[&Settlement]) -> rusqlite::Result<()> {
    let mut counts: BTreeMap<(i64, &str, Cow<'_, str>), i64> = BTreeMap::new();
    for ended in settled.iter().filter(|ended| ended.cache == CacheOutcome::Bypass) {
        let request = &ended.request;
        let slot = slot_start(WallTime::from_unix_ms(time(request.started))).unix_ms();
        let reason = ended.cache_reason.as_deref().map(name).unwrap_or_default();
        *counts.entry((slot, request.purpose.as_str(), reason)).or_default() += 1;
    }
    let sql = "INSERT INTO rollup_bypasses VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET requests = requests + excluded.requests";
    let mut statement = connection.prepare_cached(sql)?;
    for ((slot, purpose, reason), requests) in counts {
        statement.execute(params![slot, purpose, reason, requests])?;
    }
    Ok(())
}

/// Why the cache was not asked in whole quarter hours, the most frequent reason first.
pub(crate) fn between(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    purpose: Purpose,
) -> rusqlite::Result<Vec<Bypasses>> {
    let sql = "SELECT reason, sum(requests) AS requests FROM rollup_bypasses
        WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?4";
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let range = params![from, to, Stored(purpose), rows(BYPASS_REASONS_MAX)];
    let read = |row: &Row<'_>| {
        Ok(Bypasses { reason: row.get("reason")?, requests: get_count(row, "requests")? })
    };
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}
