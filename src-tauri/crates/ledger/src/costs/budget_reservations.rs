//! What budgets reserved for requests that are not settled.
//!
//! A row is committed before its request is sent anywhere and goes with the settlement. So what a
//! killed process leaves is what its requests may have cost, and budgets count it.

use domain::{BudgetId, NanoUsd, RequestId, WallTime};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::NewRequest;
use crate::columns::integer_columns::{clamp_cost, clamp_time};

/// What a budget reserved for a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedAmount {
    pub budget: BudgetId,
    pub amount: NanoUsd,
}

/// What a budget reserved for requests whose process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InterruptedReservations {
    pub requests: u64,
    pub amount: NanoUsd,
}

pub(crate) fn insert(
    connection: &Connection,
    request: &NewRequest,
    reservations: &[ReservedAmount],
) -> rusqlite::Result<()> {
    if reservations.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO budget_reservations (request_id, budget, started_ms, nano_usd)
        SELECT ?1, ?2, ?3, ?4 WHERE EXISTS
            (SELECT 1 FROM requests WHERE id = ?1 AND state = 'reserved')
        ON CONFLICT (request_id, budget) DO NOTHING";
    let mut statement = connection.prepare_cached(sql)?;
    let (id, started) = (request.id.to_string(), clamp_time(request.started));
    for ReservedAmount { budget, amount } in reservations {
        statement.execute(params![id, budget.as_str(), started, clamp_cost(*amount)])?;
    }
    Ok(())
}

pub(crate) fn remove(connection: &Connection, settled: &[RequestId]) -> rusqlite::Result<()> {
    let sql = "DELETE FROM budget_reservations WHERE request_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    for id in settled {
        statement.execute([id.to_string()])?;
    }
    Ok(())
}

/// Removes reservations of requests before `before`, which no period counts any more.
pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM budget_reservations WHERE started_ms < ?1
        AND request_id NOT IN (SELECT id FROM requests WHERE state = 'reserved')";
    connection.prepare_cached(sql)?.execute([clamp_time(before)])
}

/// What `budget` reserved for the requests of `from..to` that a kill cut off.
pub(crate) fn sum_interrupted(
    connection: &Connection,
    budget: &BudgetId,
    from: WallTime,
    to: WallTime,
) -> rusqlite::Result<InterruptedReservations> {
    let sql = "SELECT count(*), coalesce(sum(nano_usd), 0)
        FROM budget_reservations JOIN requests ON id = request_id
        WHERE budget = ?1 AND budget_reservations.started_ms >= ?2
            AND budget_reservations.started_ms < ?3 AND state = 'unknown'";
    let range = params![budget.as_str(), clamp_time(from), clamp_time(to)];
    connection.prepare_cached(sql)?.query_row(range, |row| {
        let requests = u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
        Ok(InterruptedReservations { requests, amount: NanoUsd::new(row.get(1)?) })
    })
}
