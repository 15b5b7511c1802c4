//! What failed requests cost, and how many others had failed attempts. Roll-ups count both but do
//! not keep them apart. They are few, and have indexes of their own.

use domain::{NanoUsd, WallTime};
use rusqlite::{Connection, Row, params_from_iter};

use crate::integer_columns::get_count;
use crate::request_costs::request_name;
use crate::requests::oldest_id_at;
use crate::rollup_sums::PARTLY_UNPRICED;
use crate::usage::{slot_end, slot_start};
use crate::{DimensionFilter, GroupBy, Purpose, cross_rollup};

/// Sums over requests that failed and cost something, or nobody knows what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FailedCosts {
    /// The sum of the known costs.
    pub cost: NanoUsd,
    /// Requests with an unknown cost, or only a part of it known; that part is in `cost`.
    pub unpriced_requests: u64,
    /// Known cost of their failed attempts.
    pub wasted: NanoUsd,
    /// Failed attempts with an unknown cost.
    pub unpriced_attempts: u64,
}

/// Requests with failed attempts that did not fail themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetriedRequests {
    pub requests: u64,
    /// Those with a failed attempt of an unknown cost.
    pub unpriced_requests: u64,
}

/// The condition of the index `requests_retried`.
pub(crate) const RETRIED: &str = "requests.state <> 'failed' AND (requests.attempts > 1
    OR requests.wasted_nano_usd > 0 OR requests.unpriced_attempts > 0)";

/// The statement for costs; its parameters are the ids of both ends, the purpose and the values of
/// `filter`.
pub(crate) fn sum_sql(filter: &DimensionFilter) -> String {
    let conditions = conditions(filter);
    format!(
        "SELECT coalesce(sum(coalesce(cost_nano_usd, wasted_nano_usd)), 0) AS cost_nano_usd,
          coalesce(sum({PARTLY_UNPRICED}), 0) AS unpriced_requests,
          coalesce(sum(wasted_nano_usd), 0) AS wasted_nano_usd,
          coalesce(sum(unpriced_attempts), 0) AS unpriced_attempts
         FROM requests INDEXED BY requests_failed_costs
         WHERE state = 'failed' AND (cost_nano_usd IS NULL OR cost_nano_usd > 0)
          AND id >= ?1 AND id < ?2 AND purpose = ?3{conditions}"
    )
}

/// The statement that counts retried requests, as [`sum_sql`].
pub(crate) fn retried_sql(filter: &DimensionFilter) -> String {
    let conditions = conditions(filter);
    format!(
        "SELECT count(*) AS requests, coalesce(sum(unpriced_attempts > 0), 0) AS unpriced_requests
         FROM requests INDEXED BY requests_retried
         WHERE {RETRIED} AND id >= ?1 AND id < ?2 AND purpose = ?3{conditions}"
    )
}

fn conditions(filter: &DimensionFilter) -> String {
    let equal = |((group_by, _), place): (&(GroupBy, String), usize)| {
        format!(" AND {} = ?{place}", request_name(*group_by))
    };
    filter.values().iter().zip(4..).map(equal).collect()
}

/// The user's own failed requests over whole quarter hours.
pub(crate) fn sum_between(
    connection: &Connection,
    range: (WallTime, WallTime),
    filter: &DimensionFilter,
) -> rusqlite::Result<FailedCosts> {
    query_users(connection, &sum_sql(filter), range, filter, |row| {
        Ok(FailedCosts {
            cost: NanoUsd::new(row.get("cost_nano_usd")?),
            unpriced_requests: get_count(row, "unpriced_requests")?,
            wasted: NanoUsd::new(row.get("wasted_nano_usd")?),
            unpriced_attempts: get_count(row, "unpriced_attempts")?,
        })
    })
}

/// The user's own retried requests over whole quarter hours.
pub(crate) fn count_retried(
    connection: &Connection,
    range: (WallTime, WallTime),
    filter: &DimensionFilter,
) -> rusqlite::Result<RetriedRequests> {
    query_users(connection, &retried_sql(filter), range, filter, |row| {
        Ok(RetriedRequests {
            requests: get_count(row, "requests")?,
            unpriced_requests: get_count(row, "unpriced_requests")?,
        })
    })
}

fn query_users<T>(
    connection: &Connection,
    sql: &str,
    (from, to): (WallTime, WallTime),
    filter: &DimensionFilter,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let [from, to] = [slot_start(from), slot_end(to)].map(oldest_id_at);
    let range = [from.as_str(), to.as_str(), Purpose::User.word()].map(Into::into);
    let values = range.into_iter().chain(cross_rollup::filter_values(filter));
    connection.prepare_cached(sql)?.query_row(params_from_iter(values), read)
}
