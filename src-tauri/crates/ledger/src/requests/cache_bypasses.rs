//! Counts of requests that bypassed the response cache, by reason.
//!
//! Kept apart from the other roll-ups: one more dimension would multiply their rows by the number
//! of reasons.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::WallTime;
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_time, get_count, row_count};
use crate::columns::text_columns::{WordColumn, bound_name};
use crate::rollup::Counting;
use crate::rollup::usage::{SLOT_MS, slot_end, slot_start};
use crate::{CacheOutcome, Purpose, Settlement};

/// Most reasons in one result.
pub(crate) const BYPASS_REASONS_MAX: usize = 100;

/// Number of requests that bypassed the cache for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BypassCount {
    /// [`Settlement::cache_reason`]; empty if none was given.
    pub reason: String,
    pub requests: u64,
}

/// Counts the bypasses among just settled requests, in the same transaction.
pub(crate) fn count_settled(
    connection: &Connection,
    settled: &[&Settlement],
) -> rusqlite::Result<()> {
    let mut counts: BTreeMap<(i64, &str, Cow<'_, str>), i64> = BTreeMap::new();
    for ended in settled.iter().filter(|ended| ended.cache == CacheOutcome::Bypass) {
        let request = &ended.request;
        let slot = slot_start(WallTime::from_unix_ms(clamp_time(request.started))).unix_ms();
        let reason = ended.cache_reason.as_deref().map(bound_name).unwrap_or_default();
        *counts.entry((slot, request.purpose.word(), reason)).or_default() += 1;
    }
    let sql = "INSERT INTO rollup_bypasses VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET requests = requests + excluded.requests";
    let mut statement = connection.prepare_cached(sql)?;
    for ((slot, purpose, reason), requests) in counts {
        statement.execute(params![slot, purpose, reason, requests])?;
    }
    Ok(())
}

/// Counts the requests in the temporary table `added`, or takes them out of the sums.
pub(crate) fn count_listed(connection: &Connection, counting: Counting) -> rusqlite::Result<()> {
    let update = counting.update("requests");
    let sql = format!(
        "INSERT INTO rollup_bypasses
         SELECT started_ms - started_ms % ?1, purpose, coalesce(cache_reason, ''), count(*)
         FROM requests WHERE id IN (SELECT id FROM temp.added) AND cache = 'bypass'
          AND state NOT IN ('reserved', 'unknown') GROUP BY 1, 2, 3
         ON CONFLICT DO UPDATE SET {update}"
    );
    connection.execute(&sql, [SLOT_MS]).map(drop)
}

/// Bypass counts over whole quarter hours, most frequent reason first.
pub(crate) fn count_between(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    purpose: Purpose,
) -> rusqlite::Result<Vec<BypassCount>> {
    let sql = "SELECT reason, sum(requests) AS requests FROM rollup_bypasses
        WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?4";
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let range = params![from, to, WordColumn(purpose), row_count(BYPASS_REASONS_MAX)];
    let read = |row: &Row<'_>| {
        Ok(BypassCount { reason: row.get("reason")?, requests: get_count(row, "requests")? })
    };
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}
