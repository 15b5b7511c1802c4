//! Changes of prices by the user: the rows they added, the attempts they priced, and their undo.
//!
//! Only attempts without a price are ever priced later, and only those are unpriced by an undo: a
//! cost that was known when its request ended never changes.

use std::collections::BTreeSet;

use domain::{BackendId, Meter, RequestId, Usage, WallTime};
use pricing::{AttemptCost, Cost, LineItem, Price, bundled_price};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::columns::integer_columns::{clamp_cost, clamp_time, get_named, row_count};
use crate::columns::text_columns::{WordColumn, bound_name, bound_sentence};
use crate::costs::price_table;
use crate::requests::attempts;
use crate::requests::attempts::{read_lines, read_tier, stored_lines};
use crate::requests::failed_attempts::FAILURES;
use crate::rollup;
use crate::rollup::Counting;
use crate::rollup::hourly_rollup;
use crate::rollup::meter_rollup::METERS;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    pub id: i64,
    pub at: WallTime,
    /// In a few words: "Set the price of llama-3 at home".
    pub what: String,
    /// Rows that it added.
    pub prices: u64,
    /// Requests that it priced.
    pub repriced: u64,
}

/// An attempt that has no price because none was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpricedAttempt {
    pub request: RequestId,
    pub number: i64,
    pub backend: BackendId,
    pub model: String,
    /// Known for the last attempt, also if its answer broke off.
    pub model_billed: Option<String>,
    pub started: WallTime,
    pub usage: Usage,
}

/// The cost of an attempt that had none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepricedAttempt {
    pub request: RequestId,
    pub number: i64,
    pub priced: AttemptCost,
}

/// Adds a change with its rows; returns their number.
pub(crate) fn add(
    connection: &Connection,
    at: WallTime,
    what: &str,
    prices: &[Price],
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO price_changes (at_ms, what) VALUES (?1, ?2)";
    let what = bound_sentence(Some(what));
    connection.prepare_cached(sql)?.execute(params![clamp_time(at), what])?;
    let id = connection.last_insert_rowid();
    for price in prices {
        price_table::insert(connection, price)?;
        let sql = "UPDATE prices SET change_id = ?1 WHERE id = ?2";
        connection.prepare_cached(sql)?.execute(params![id, price.id])?;
    }
    Ok(prices.len())
}

/// The fingerprint of the bundled prices by which requests were priced last.
pub(crate) fn read_bundled(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT fingerprint FROM bundled_prices";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
}

pub(crate) fn save_bundled(connection: &Connection, fingerprint: &str) -> rusqlite::Result<usize> {
    let sql = "INSERT OR REPLACE INTO bundled_prices VALUES (1, ?1)";
    connection.prepare_cached(sql)?.execute([fingerprint])
}

/// The newest change that was not taken back.
pub(crate) fn find_last(connection: &Connection) -> rusqlite::Result<Option<PriceChange>> {
    let sql = "SELECT c.id, c.at_ms, c.what,
         (SELECT count(*) FROM prices p WHERE p.change_id = c.id) AS prices,
         (SELECT count(DISTINCT request_id) FROM repriced_attempts a WHERE a.change_id = c.id)
          AS repriced
        FROM price_changes c WHERE c.undone_ms IS NULL ORDER BY c.id DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row([], read_change).optional()
}

fn read_change(row: &Row<'_>) -> rusqlite::Result<PriceChange> {
    Ok(PriceChange {
        id: row.get("id")?,
        at: WallTime::from_unix_ms(row.get("at_ms")?),
        what: row.get("what")?,
        prices: row.get::<_, i64>("prices")?.unsigned_abs(),
        repriced: row.get::<_, i64>("repriced")?.unsigned_abs(),
    })
}

/// Attempts without a price after one of them, in the order of their requests.
pub(crate) fn list_unpriced(
    connection: &Connection,
    after: Option<(RequestId, i64)>,
    limit: usize,
) -> rusqlite::Result<Vec<UnpricedAttempt>> {
    // The condition is that of the index.
    let sql = "SELECT a.request_id, a.number, a.backend, a.model, a.started_ms, a.lines, a.tier,
         a.region, iif(a.number = r.attempts, r.model_billed, NULL) AS model_billed
        FROM attempts a JOIN requests r ON r.id = a.request_id
        WHERE (a.unpriced_reason = 'no_price' OR a.unpriced_reason = 'no_rate'
          OR a.unpriced_reason = 'unknown_tier' OR a.unpriced_reason = 'unknown_region'
          OR a.unpriced_reason = 'not_counted')
         AND (a.request_id, a.number) > (?1, ?2) ORDER BY a.request_id, a.number LIMIT ?3";
    let (request, number) =
        after.map_or((String::new(), 0), |(id, number)| (id.to_string(), number));
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .query_map(params![request, number, row_count(limit)], read_unpriced_attempt)?
        .collect()
}

fn read_unpriced_attempt(row: &Row<'_>) -> rusqlite::Result<UnpricedAttempt> {
    let lines = without_prices(read_lines(row)?);
    Ok(UnpricedAttempt {
        request: get_named(row, "request_id")?,
        number: row.get("number")?,
        backend: get_named(row, "backend")?,
        model: row.get("model")?,
        model_billed: row.get("model_billed")?,
        started: WallTime::from_unix_ms(row.get("started_ms")?),
        usage: Usage {
            tier: read_tier(row)?,
            region: row.get("region")?,
            ..LineItem::usage_of(&lines)
        },
    })
}

/// Prices attempts that have no price, as part of a change. Returns the number of requests.
pub(crate) fn reprice(
    connection: &Connection,
    change: i64,
    attempts: &[RepricedAttempt],
) -> rusqlite::Result<usize> {
    let remember = "INSERT INTO repriced_attempts
         SELECT ?1, request_id, number, unpriced_reason, unpriced_detail FROM attempts
         WHERE request_id = ?2 AND number = ?3 AND cost_basis = 'unpriced'";
    let update = "UPDATE attempts SET cost_nano_usd = ?1, price_id = ?2, cost_basis = ?3,
         lines = ?4, unpriced_reason = NULL, unpriced_detail = NULL
        WHERE request_id = ?5 AND number = ?6";
    let ids: BTreeSet<RequestId> = attempts.iter().map(|attempt| attempt.request).collect();
    let at = "SELECT at_ms FROM price_changes WHERE id = ?1";
    let at = connection.query_row(at, [change], |row| row.get(0)).optional()?.unwrap_or_default();
    recount(connection, &ids, WallTime::from_unix_ms(at), || {
        let computed = attempts.iter().filter_map(|attempt| attempt.priced.cost.price_id());
        price_table::keep_bundled(connection, computed)?;
        for RepricedAttempt { request, number, priced } in attempts {
            let request = request.to_string();
            let known =
                connection.prepare_cached(remember)?.execute(params![change, request, number])?;
            if known == 0 {
                continue;
            }
            if let Some(price) = priced.cost.price_id().and_then(bundled_price) {
                price_table::insert(connection, price)?;
            }
            connection.prepare_cached(update)?.execute(params![
                priced.cost.amount().map(clamp_cost),
                priced.cost.price_id(),
                priced.cost.basis(),
                stored_lines(&priced.lines),
                request,
                number,
            ])?;
        }
        Ok(())
    })?;
    Ok(ids.len())
}

/// Takes a change back: its rows are no longer loaded, and what it priced has no price again.
pub(crate) fn undo(connection: &Connection, change: i64, at: WallTime) -> rusqlite::Result<usize> {
    let sql = "SELECT request_id, number, reason, detail FROM repriced_attempts
        WHERE change_id = ?1 ORDER BY request_id, number";
    let priced: Vec<(RequestId, i64, String, Option<String>)> = connection
        .prepare_cached(sql)?
        .query_map([change], |row| {
            Ok((get_named(row, "request_id")?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let ids: BTreeSet<RequestId> = priced.iter().map(|(id, ..)| *id).collect();
    let select = "SELECT lines FROM attempts WHERE request_id = ?1 AND number = ?2";
    let update = "UPDATE attempts SET cost_nano_usd = NULL, price_id = NULL,
         cost_basis = 'unpriced', lines = ?1, unpriced_reason = ?2, unpriced_detail = ?3
        WHERE request_id = ?4 AND number = ?5";
    recount(connection, &ids, at, || {
        for (request, number, reason, detail) in &priced {
            let request = request.to_string();
            let mut statement = connection.prepare_cached(select)?;
            let lines = statement.query_row(params![request, number], read_lines).optional()?;
            let Some(lines) = lines else { continue };
            let lines = without_prices(lines);
            connection.prepare_cached(update)?.execute(params![
                stored_lines(&lines),
                reason,
                detail,
                request,
                number
            ])?;
        }
        Ok(())
    })?;
    connection.execute("DELETE FROM repriced_attempts WHERE change_id = ?1", [change])?;
    let sql = "UPDATE price_changes SET undone_ms = ?1 WHERE id = ?2";
    connection.execute(sql, params![clamp_time(at), change])
}

/// What was counted. A line for the answer itself comes from a price with a rate for requests and is
/// none without it.
fn without_prices(lines: Vec<LineItem>) -> Vec<LineItem> {
    let counted = lines.into_iter().filter(|line| line.meter != Meter::Request);
    counted.map(LineItem::without_rate).collect()
}

/// Takes requests out of the roll-ups, changes the costs of their attempts, sums them up again, and
/// counts the requests as they are then.
fn recount(
    connection: &Connection,
    ids: &BTreeSet<RequestId>,
    at: WallTime,
    change: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<RequestId> = ids.iter().copied().collect();
    let earliest = "SELECT min(started_ms) FROM requests
        WHERE id IN (SELECT value FROM json_each(?1))";
    let earliest: Option<i64> =
        connection.query_row(earliest, [rollup::id_list(&ids)], |row| row.get(0))?;
    if let Some(earliest) = earliest {
        hourly_rollup::unfold(connection, WallTime::from_unix_ms(earliest))?;
    }
    count(connection, &ids, Counting::Subtract)?;
    change()?;
    for id in &ids {
        sum_up(connection, *id, at)?;
    }
    count(connection, &ids, Counting::Add)
}

fn count(connection: &Connection, ids: &[RequestId], counting: Counting) -> rusqlite::Result<()> {
    rollup::count(connection, ids, counting)?;
    METERS.count(connection, ids, counting)?;
    FAILURES.count(connection, ids, counting)
}

/// Computes the cost of a request from its attempts again. The version is later than the one before
/// also where the clock was set back.
fn sum_up(connection: &Connection, id: RequestId, at: WallTime) -> rusqlite::Result<()> {
    let made = attempts::list(connection, id)?;
    let cost = Cost::total(made.iter().map(|attempt| &attempt.cost));
    let (wasted, unpriced_attempts) = attempts::wasted_cost(&made);
    let unpriced = made.iter().rev().find_map(|attempt| attempt.unpriced.as_ref());
    let sql = "UPDATE requests SET cost_nano_usd = ?1, cost_basis = ?2, price_id = ?3,
         wasted_nano_usd = ?4, unpriced_attempts = ?5, unpriced_reason = ?6, unpriced_detail = ?7,
         priced_ms = max(coalesce(priced_ms, 0) + 1, ?8)
        WHERE id = ?9";
    connection.prepare_cached(sql)?.execute(params![
        cost.amount().map(clamp_cost),
        cost.basis(),
        cost.price_id(),
        clamp_cost(wasted),
        row_count(unpriced_attempts),
        unpriced.map(|why| WordColumn(why.reason)),
        unpriced.and_then(|why| why.detail.as_deref()).map(bound_name),
        clamp_time(at),
        id.to_string(),
    ])?;
    Ok(())
}
