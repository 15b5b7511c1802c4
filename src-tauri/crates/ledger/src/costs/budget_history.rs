//! What became of budgets: the marks they reached, and what the user allowed more.
//!
//! The newest rows of each budget are kept, however long ago they were.

use domain::{BudgetAllowance, BudgetCrossing, BudgetId, NanoUsd, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{
    clamp_cost, clamp_time, collect_known, get_named, row_count,
};

/// Marks kept per budget; the oldest are deleted first.
pub const BUDGET_CROSSINGS_KEPT_MAX: usize = 500;

/// Allowances kept per budget; the oldest are deleted first.
pub(crate) const BUDGET_ALLOWANCES_KEPT_MAX: usize = 100;

pub(crate) fn add_crossings(
    connection: &Connection,
    crossings: &[BudgetCrossing],
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO budget_crossings
        (budget, mark, period_from_ms, at_ms, spent_nano_usd, limit_nano_usd, is_told)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
    let mut statement = connection.prepare_cached(sql)?;
    for crossing in crossings {
        statement.execute(params![
            crossing.budget.as_str(),
            crossing.mark.to_string(),
            clamp_time(crossing.period_from),
            clamp_time(crossing.at),
            clamp_cost(crossing.spent),
            clamp_cost(crossing.limit),
        ])?;
        let rest = "DELETE FROM budget_crossings WHERE number IN (SELECT number
            FROM budget_crossings WHERE budget = ?1 ORDER BY at_ms DESC, number DESC
            LIMIT -1 OFFSET ?2)";
        let kept = row_count(BUDGET_CROSSINGS_KEPT_MAX);
        connection.prepare_cached(rest)?.execute(params![crossing.budget.as_str(), kept])?;
    }
    Ok(crossings.len())
}

/// The newest marks of a budget, newest first.
pub(crate) fn list_crossings(
    connection: &Connection,
    budget: &BudgetId,
    limit: usize,
) -> rusqlite::Result<Vec<BudgetCrossing>> {
    let sql = "SELECT * FROM budget_crossings WHERE budget = ?1
        ORDER BY at_ms DESC, number DESC LIMIT ?2";
    let range = params![budget.as_str(), row_count(limit)];
    collect_known(connection.prepare_cached(sql)?.query_map(range, read_crossing)?)
}

/// The marks that the user was not told of, oldest first.
pub(crate) fn list_untold(connection: &Connection) -> rusqlite::Result<Vec<BudgetCrossing>> {
    let sql = "SELECT * FROM budget_crossings WHERE NOT is_told ORDER BY at_ms, number";
    collect_known(connection.prepare_cached(sql)?.query_map([], read_crossing)?)
}

/// Notes that the user was told of every mark of a budget.
pub(crate) fn mark_told(connection: &Connection, budget: &BudgetId) -> rusqlite::Result<usize> {
    let sql = "UPDATE budget_crossings SET is_told = 1 WHERE budget = ?1 AND NOT is_told";
    connection.prepare_cached(sql)?.execute([budget.as_str()])
}

fn read_crossing(row: &Row<'_>) -> rusqlite::Result<BudgetCrossing> {
    Ok(BudgetCrossing {
        budget: get_named(row, "budget")?,
        mark: get_named(row, "mark")?,
        period_from: WallTime::from_unix_ms(row.get("period_from_ms")?),
        at: WallTime::from_unix_ms(row.get("at_ms")?),
        spent: NanoUsd::new(row.get("spent_nano_usd")?),
        limit: NanoUsd::new(row.get("limit_nano_usd")?),
    })
}

pub(crate) fn add_allowance(
    connection: &Connection,
    budget: &BudgetId,
    allowance: &BudgetAllowance,
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO budget_allowances (budget, nano_usd, at_ms, until_ms)
        VALUES (?1, ?2, ?3, ?4)";
    let BudgetAllowance { amount, at, until } = *allowance;
    let row = params![budget.as_str(), clamp_cost(amount), clamp_time(at), clamp_time(until)];
    connection.prepare_cached(sql)?.execute(row)?;
    let rest = "DELETE FROM budget_allowances WHERE number IN (SELECT number
        FROM budget_allowances WHERE budget = ?1 ORDER BY at_ms DESC, number DESC
        LIMIT -1 OFFSET ?2)";
    let kept = row_count(BUDGET_ALLOWANCES_KEPT_MAX);
    connection.prepare_cached(rest)?.execute(params![budget.as_str(), kept])
}

/// What is allowed more at `at`, oldest first.
pub(crate) fn list_allowances(
    connection: &Connection,
    budget: &BudgetId,
    at: WallTime,
) -> rusqlite::Result<Vec<BudgetAllowance>> {
    let sql = "SELECT nano_usd, at_ms, until_ms FROM budget_allowances
        WHERE budget = ?1 AND until_ms > ?2 ORDER BY at_ms, number";
    let read = |row: &Row<'_>| {
        Ok(BudgetAllowance {
            amount: NanoUsd::new(row.get("nano_usd")?),
            at: WallTime::from_unix_ms(row.get("at_ms")?),
            until: WallTime::from_unix_ms(row.get("until_ms")?),
        })
    };
    let range = params![budget.as_str(), clamp_time(at)];
    connection.prepare_cached(sql)?.query_map(range, read)?.collect()
}

/// Ends what is allowed more at `at`.
pub(crate) fn end_allowances(
    connection: &Connection,
    budget: &BudgetId,
    at: WallTime,
) -> rusqlite::Result<usize> {
    let sql = "UPDATE budget_allowances SET until_ms = ?2 WHERE budget = ?1 AND until_ms > ?2";
    connection.prepare_cached(sql)?.execute(params![budget.as_str(), clamp_time(at)])
}
