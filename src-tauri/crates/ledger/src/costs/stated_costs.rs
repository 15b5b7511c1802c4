//! What backends stated that their answers cost, beside what the price list computes for the same
//! ones: sums by UTC day, backend and model.
//!
//! Both are in an attempt: its cost is what was stated, and its lines are what was computed. An
//! answer is compared if each of its lines has a rate.

use domain::{DAY_MS, NanoUsd, WallTime};
use pricing::Cost;
use rusqlite::{Connection, Row, params};

use crate::Purpose;
use crate::columns::integer_columns::{get_count, row_count};
use crate::columns::text_columns::WordColumn;
use crate::costs::cost_bases::computed_beside;
use crate::rollup::Counting;
use crate::rollup::attempt_rollup::AttemptRollup;

/// Most groups in one result.
pub(crate) const STATED_GROUPS_MAX: usize = 500;

/// Answers of a model whose backend stated what they cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedCosts {
    pub backend: String,
    /// The name that was sent to the backend.
    pub model: String,
    pub answers: u64,
    /// Answers that the price list computes too.
    pub compared: u64,
    /// What was stated for the compared answers.
    pub stated: NanoUsd,
    /// What is computed for them.
    pub computed: NanoUsd,
}

/// The statement that counts the attempts of requests that match a condition on `a.request_id`.
fn count_sql(condition: &str, counting: Counting) -> String {
    let computed = computed_beside("a");
    let updates = ["answers", "compared", "stated_nano_usd", "computed_nano_usd"];
    let updates = updates.map(|column| counting.update(column)).join(", ");
    format!(
        "INSERT INTO rollup_stated (day_ms, purpose, backend, model, answers, compared,
          stated_nano_usd, computed_nano_usd)
         SELECT day_ms, purpose, backend, model, count(*), count(computed),
          sum(iif(computed IS NULL, 0, stated)), sum(coalesce(computed, 0))
         FROM (SELECT r.started_ms - r.started_ms % {DAY_MS} AS day_ms, r.purpose, a.backend,
           a.model, a.cost_nano_usd AS stated,
           {computed} AS computed
          FROM attempts a JOIN requests r ON r.id = a.request_id
          WHERE {condition} AND a.cost_basis = 'reported')
         WHERE true GROUP BY 1, 2, 3, 4
         ON CONFLICT DO UPDATE SET {updates}"
    )
}

pub(crate) const STATED: AttemptRollup =
    AttemptRollup { count_sql, is_counted: |attempt| matches!(attempt.cost, Cost::Reported(_)) };

/// Sums over whole UTC days, the largest difference first.
pub(crate) fn sum_between(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    purpose: Purpose,
) -> rusqlite::Result<Vec<StatedCosts>> {
    let sql = "SELECT backend, model, sum(answers) AS answers, sum(compared) AS compared,
         sum(stated_nano_usd) AS stated, sum(computed_nano_usd) AS computed
        FROM rollup_stated WHERE day_ms >= ?1 AND day_ms < ?2 AND purpose = ?3
        GROUP BY 1, 2 ORDER BY abs(sum(stated_nano_usd) - sum(computed_nano_usd)) DESC, 3 DESC, 1, 2
        LIMIT ?4";
    let from = from.unix_ms() - from.unix_ms().rem_euclid(DAY_MS);
    let range = params![from, to.unix_ms(), WordColumn(purpose), row_count(STATED_GROUPS_MAX)];
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<StatedCosts> {
    Ok(StatedCosts {
        backend: row.get("backend")?,
        model: row.get("model")?,
        answers: get_count(row, "answers")?,
        compared: get_count(row, "compared")?,
        stated: NanoUsd::new(row.get("stated")?),
        computed: NanoUsd::new(row.get("computed")?),
    })
}
