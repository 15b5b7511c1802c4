//! Counts of failed attempts by endpoint.
//!
//! The request roll-ups cannot show them: a request counts for the backend that answered it, while
//! its failed attempts happened elsewhere. Failures are few, so quarter hours suffice for any
//! range.

use domain::{Endpoint, NanoUsd, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{get_count, row_count};
use crate::columns::text_columns::WordColumn;
use crate::health::endpoint_states::read_endpoint;
use crate::rollup::Counting;
use crate::rollup::attempt_rollup::AttemptRollup;
use crate::rollup::usage::{SLOT_MS, slot_end, slot_start};
use crate::{AttemptRecord, Purpose};

/// Most groups in one result.
pub(crate) const FAILURE_GROUPS_MAX: usize = 500;

/// Failed attempts of one class at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempts {
    pub endpoint: Endpoint,
    /// [`crate::AttemptRecord::class`], or [`crate::AttemptRecord::error_class`] if that is unknown.
    pub class: String,
    pub attempts: u64,
    /// The sum of the known costs.
    pub cost: NanoUsd,
    /// Attempts with an unknown cost.
    pub unpriced_attempts: u64,
}

pub(crate) const FAILURES: AttemptRollup =
    AttemptRollup { count_sql, is_counted: AttemptRecord::has_failed };

/// The statement that counts the failures of requests that match a condition on `a.request_id`.
fn count_sql(condition: &str, counting: Counting) -> String {
    let updates = ["attempts", "cost_nano_usd", "unpriced_attempts"].map(|it| counting.update(it));
    let updates = updates.join(", ");
    format!(
        "INSERT INTO rollup_failures
        SELECT r.started_ms - r.started_ms % {SLOT_MS}, r.purpose, a.backend, coalesce(a.credential, ''),
         coalesce(a.class, a.error_class), count(*), sum(coalesce(a.cost_nano_usd, 0)),
         sum(a.cost_nano_usd IS NULL)
        FROM attempts a JOIN requests r ON r.id = a.request_id
        WHERE {condition} AND a.error_class IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5 ON CONFLICT DO UPDATE SET {updates}"
    )
}

/// Failures over whole quarter hours, highest cost first, then most frequent.
pub(crate) fn sum_between(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    purpose: Purpose,
) -> rusqlite::Result<Vec<FailedAttempts>> {
    let sql = "SELECT backend, credential, class, sum(attempts) AS attempts,
         sum(cost_nano_usd) AS cost_nano_usd, sum(unpriced_attempts) AS unpriced_attempts
        FROM rollup_failures WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3
        GROUP BY 1, 2, 3 ORDER BY 5 DESC, 4 DESC, 1, 2, 3 LIMIT ?4";
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let range = params![from, to, WordColumn(purpose), row_count(FAILURE_GROUPS_MAX)];
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<FailedAttempts> {
    Ok(FailedAttempts {
        endpoint: read_endpoint(row)?,
        class: row.get("class")?,
        attempts: get_count(row, "attempts")?,
        cost: NanoUsd::new(row.get("cost_nano_usd")?),
        unpriced_attempts: get_count(row, "unpriced_attempts")?,
    })
}
