//! Sums by meter of one project, from the line items of its requests: no roll-up has them.

use domain::WallTime;
use rusqlite::{Connection, params};

use crate::MeterTotals;
use crate::columns::integer_columns::collect_known;
use crate::requests::oldest_id_at;
use crate::rollup::meter_rollup::{self, line_sums};
use crate::rollup::usage::{slot_end, slot_start};

/// Most requests whose lines are read.
pub(crate) const PROJECT_METER_REQUESTS_MAX: u64 = 100_000;

/// Over whole quarter hours of the user's own traffic. `None` if the project has more requests than
/// that, or if some of them were deleted.
pub(crate) fn sum_between(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    project: &str,
) -> rusqlite::Result<Option<Vec<MeterTotals>>> {
    let transaction = connection.unchecked_transaction()?;
    let (from, to) = (slot_start(from), slot_end(to));
    let counted = "SELECT coalesce(sum(requests), 0) FROM rollup_quarter
        WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = 'user' AND project = ?3";
    let counted: i64 = transaction
        .prepare_cached(counted)?
        .query_row(params![from.unix_ms(), to.unix_ms(), project], |row| row.get(0))?;
    if counted.unsigned_abs() > PROJECT_METER_REQUESTS_MAX {
        return Ok(None);
    }
    let [since, before] = [from, to].map(oldest_id_at);
    let wanted = "r.id >= ?1 AND r.id < ?2 AND r.purpose = 'user' AND r.state <> 'reserved'
        AND coalesce(r.project, '') = ?3";
    let count = format!("SELECT count(*) FROM requests r WHERE {wanted}");
    let kept: i64 = transaction
        .prepare_cached(&count)?
        .query_row(params![since, before, project], |row| row.get(0))?;
    if kept != counted {
        return Ok(None);
    }
    let sums = line_sums();
    let sql = format!(
        "SELECT line.value ->> 0 AS meter, {sums}
         FROM requests r CROSS JOIN attempts a ON a.request_id = r.id JOIN json_each(a.lines) line
         WHERE {wanted} AND a.lines IS NOT NULL GROUP BY 1"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let rows = statement.query_map(params![since, before, project], meter_rollup::read)?;
    let mut totals = collect_known(rows)?;
    totals.sort_by_key(|total| total.meter);
    Ok(Some(totals))
}
