//! Sums by meter, per quarter hour: what the classes of tokens in the other roll-ups do not tell
//! apart, such as audio and calls of server tools.

use domain::{Meter, NanoUsd, WallTime};
use rusqlite::{Connection, Row, params};

use crate::Purpose;
use crate::columns::integer_columns::{COST_MAX, COUNT_MAX, collect_known, get_count};
use crate::columns::text_columns::WordColumn;
use crate::rollup::Counting;
use crate::rollup::attempt_rollup::AttemptRollup;
use crate::rollup::usage::{SLOT_MS, slot_end, slot_start};

/// What one meter counted and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterTotals {
    pub meter: Meter,
    pub quantity: u64,
    /// The sum of the lines that have a rate, also where the backend stated another cost. Lines of an
    /// attempt of unknown cost are not in it, as that attempt is in no total.
    pub cost: NanoUsd,
    /// The part of `quantity` without a rate, or of an attempt of unknown cost.
    pub unpriced_quantity: u64,
}

impl MeterTotals {
    /// `None` if nothing of it has a known cost: that is not zero.
    #[must_use]
    pub const fn known_cost(&self) -> Option<NanoUsd> {
        if self.quantity > self.unpriced_quantity { Some(self.cost) } else { None }
    }
}

/// The sums of [`MeterTotals`] over `line`, an item of the lines of the attempt `a`. Numbers are
/// bounded, so that a sum stays an integer.
pub(crate) fn line_sums() -> String {
    let (count_max, cost_max) = (COUNT_MAX, COST_MAX.nanos());
    let amount = "iif(a.cost_basis = 'unpriced', NULL, line.value ->> 3)";
    format!(
        "sum(min(line.value ->> 1, {count_max})) AS quantity,
          sum(min(coalesce({amount}, 0), {cost_max})) AS cost_nano_usd,
          sum(iif({amount} IS NULL, min(line.value ->> 1, {count_max}), 0)) AS unpriced_quantity"
    )
}

/// The statement that counts the lines of requests that match a fixed condition on `a.request_id`.
fn count_sql(condition: &str, counting: Counting) -> String {
    let sums = line_sums();
    let updates = ["quantity", "cost_nano_usd", "unpriced_quantity"].map(|it| counting.update(it));
    let updates = updates.join(", ");
    format!(
        "INSERT INTO rollup_meters
         SELECT r.started_ms - r.started_ms % {SLOT_MS}, r.purpose, line.value ->> 0, {sums}
         FROM attempts a JOIN requests r ON r.id = a.request_id JOIN json_each(a.lines) line
         WHERE {condition} AND a.lines IS NOT NULL GROUP BY 1, 2, 3
         ON CONFLICT DO UPDATE SET {updates}"
    )
}

pub(crate) const METERS: AttemptRollup =
    AttemptRollup { count_sql, is_counted: |attempt| !attempt.lines.is_empty() };

/// Sums over whole quarter hours, in the order of the meters.
pub(crate) fn sum_between(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    purpose: Purpose,
) -> rusqlite::Result<Vec<MeterTotals>> {
    let sql = "SELECT meter, sum(quantity) AS quantity, sum(cost_nano_usd) AS cost_nano_usd,
         sum(unpriced_quantity) AS unpriced_quantity
        FROM rollup_meters WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3 GROUP BY 1";
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![from, to, WordColumn(purpose)], read)?;
    let mut totals = collect_known(rows)?;
    totals.sort_by_key(|total| total.meter);
    Ok(totals)
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<MeterTotals> {
    Ok(MeterTotals {
        meter: row.get::<_, WordColumn<_>>("meter")?.0,
        quantity: get_count(row, "quantity")?,
        cost: NanoUsd::new(row.get("cost_nano_usd")?),
        unpriced_quantity: get_count(row, "unpriced_quantity")?,
    })
}
