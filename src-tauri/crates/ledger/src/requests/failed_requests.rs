//! What failed requests cost, and how many others had failed attempts. Roll-ups count both but do
//! not keep them apart. They are few, and have indexes of their own. A filter asks for what was made
//! at its backend, key and model, as in the roll-ups.

use domain::{NanoUsd, WallTime};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Row, params_from_iter};

use crate::columns::integer_columns::get_count;
use crate::requests::attempt_costs::{booked_model, placed_sums_sql};
use crate::requests::oldest_id_at;
use crate::requests::request_costs::request_name;
use crate::rollup::cross_rollup;
use crate::rollup::rollup_sums::PARTLY_UNPRICED;
use crate::rollup::usage::{SLOT_MS, slot_end, slot_start};
use crate::{DimensionFilter, GroupBy, Purpose};

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
    /// Those with a failed attempt of an unknown cost; of a filter, made there.
    pub unpriced_requests: u64,
}

/// The condition of the index `requests_retried`.
pub(crate) const RETRIED: &str = "requests.state <> 'failed' AND (requests.attempts > 1
    OR requests.wasted_nano_usd > 0 OR requests.unpriced_attempts > 0)";

/// Failed requests that cost something, or nobody knows what: the condition of the index
/// `requests_failed_costs`. The parameters `?2` to `?4` are the ids of both ends and the purpose.
const FAILED: &str = "state = 'failed' AND (cost_nano_usd IS NULL OR cost_nano_usd > 0)
    AND id >= ?2 AND id < ?3 AND purpose = ?4";

/// The statement for costs; `?1` is a slot's width, and the values of `filter` are the last. Without a
/// name of attempts in the filter their places do not matter, and the index has all that is summed.
pub(crate) fn sum_sql(filter: &DimensionFilter) -> String {
    if !filter.is_of_attempts() {
        let equal = |((group_by, _), place): (&(GroupBy, String), usize)| {
            format!(" AND {} = ?{place}", request_name(*group_by))
        };
        let filter: String = filter.values().iter().zip(FILTER_FROM..).map(equal).collect();
        return format!(
            "SELECT coalesce(sum(coalesce(cost_nano_usd, wasted_nano_usd)), 0) AS cost_nano_usd,
              coalesce(sum({PARTLY_UNPRICED}), 0) AS unpriced_requests,
              coalesce(sum(wasted_nano_usd), 0) AS wasted_nano_usd,
              coalesce(sum(unpriced_attempts), 0) AS unpriced_attempts
             FROM requests INDEXED BY requests_failed_costs WHERE {FAILED}{filter}"
        );
    }
    let equal = |((group_by, _), place): (&(GroupBy, String), usize)| {
        format!(" AND {} = ?{place}", group_by.word())
    };
    let filter: String = filter.values().iter().zip(FILTER_FROM..).map(equal).collect();
    placed_sums_sql(FAILED, &filter)
}

/// Place of the first parameter of a filter.
const FILTER_FROM: usize = 5;

/// The statement that counts retried requests, with the parameters of [`sum_sql`].
pub(crate) fn retried_sql(filter: &DimensionFilter) -> String {
    let (mut own, mut made) = (String::new(), Vec::new());
    for ((group_by, _), place) in filter.values().iter().zip(FILTER_FROM..) {
        match attempt_name(*group_by) {
            Some(name) => made.push(format!("{name} = ?{place}")),
            None => own.push_str(&format!(" AND {} = ?{place}", request_name(*group_by))),
        }
    }
    let made = if made.is_empty() { "1".to_owned() } else { made.join(" AND ") };
    let any = |of: &str| {
        format!(
            "(SELECT coalesce(max({of}), 0) FROM attempts made
              WHERE made.request_id = requests.id AND made.error_class IS NOT NULL)"
        )
    };
    let (is_there, is_unpriced) =
        (any(&made), any(&format!("{made} AND made.cost_nano_usd IS NULL")));
    format!(
        "SELECT count(*) AS requests, coalesce(sum({is_unpriced}), 0) AS unpriced_requests
         FROM requests INDEXED BY requests_retried
         WHERE {RETRIED} AND id >= ?2 AND id < ?3 AND purpose = ?4{own} AND {is_there}"
    )
}

/// The name of an attempt in a dimension, as the roll-ups have it; `None` where it is its request's.
fn attempt_name(group_by: GroupBy) -> Option<String> {
    Some(match group_by {
        GroupBy::Backend => "made.backend".to_owned(),
        GroupBy::Credential => "coalesce(made.credential, '')".to_owned(),
        GroupBy::Model => booked_model("made"),
        GroupBy::Client | GroupBy::Project | GroupBy::Route => return None,
    })
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
    let range = [from.as_str(), to.as_str(), Purpose::User.word()].map(ToSqlOutput::from);
    let values = std::iter::once(ToSqlOutput::from(SLOT_MS)).chain(range);
    let values = values.chain(cross_rollup::filter_values(filter));
    connection.prepare_cached(sql)?.query_row(params_from_iter(values), read)
}
