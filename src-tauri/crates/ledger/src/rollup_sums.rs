//! The sum columns that all roll-ups of requests share.

use domain::NanoUsd;
use rusqlite::Row;

use crate::integer_columns::get_count;
use crate::token_columns::{read_tokens, token_columns};
use crate::{CacheTotals, UsageTotals};

/// Sum columns of both roll-up tables besides the tokens, and each one as a sum over requests.
const SUMS: &[(&str, &str)] = &[
    ("requests", "count(*)"),
    ("complete", "sum(state = 'complete')"),
    ("failed", "sum(state = 'failed')"),
    ("cost_nano_usd", "sum(coalesce(cost_nano_usd, 0))"),
    ("unpriced_requests", "sum(cost_nano_usd IS NULL)"),
    ("first_token_us_sum", "sum(coalesce(first_token_us, 0))"),
    ("first_token_count", "sum(first_token_us IS NOT NULL)"),
    ("duration_us_sum", "sum(coalesce(total_us, 0))"),
    ("retries", "sum(max(attempts - 1, 0))"),
    ("wasted_nano_usd", "sum(wasted_nano_usd)"),
    ("unpriced_attempts", "sum(unpriced_attempts)"),
    ("cache_hits", "sum(cache = 'hit')"),
    ("cache_shared", "sum(cache = 'coalesced')"),
    ("cache_misses", "sum(cache = 'miss')"),
    ("saved_nano_usd", "sum(coalesce(saved_nano_usd, 0))"),
    ("saved_us", "sum(coalesce(saved_us, 0))"),
];

/// The sum columns, tokens included, each as `term` writes it.
pub(crate) fn list_sums(term: impl Fn(&str) -> String) -> String {
    let columns = SUMS.iter().map(|(column, _)| *column).chain(token_columns());
    columns.map(term).collect::<Vec<_>>().join(", ")
}

pub(crate) fn sum_columns() -> String {
    list_sums(str::to_owned)
}

/// Sums over the rows of either roll-up table, named as its columns.
pub(crate) fn rollup_sums() -> String {
    list_sums(|column| format!("sum({column}) AS {column}"))
}

/// Sums over request rows, named as the roll-up columns.
pub(crate) fn request_sums() -> String {
    list_sums(|column| match SUMS.iter().find(|(name, _)| *name == column) {
        Some((_, sum)) => format!("{sum} AS {column}"),
        None => format!("sum(coalesce({column}, 0)) AS {column}"),
    })
}

/// Reads the sum columns of a roll-up row.
pub(crate) fn read_totals(row: &Row<'_>) -> rusqlite::Result<UsageTotals> {
    Ok(UsageTotals {
        requests: get_count(row, "requests")?,
        complete: get_count(row, "complete")?,
        failed: get_count(row, "failed")?,
        tokens: read_tokens(row)?,
        cost: NanoUsd::new(row.get("cost_nano_usd")?),
        unpriced_requests: get_count(row, "unpriced_requests")?,
        first_token_us_sum: get_count(row, "first_token_us_sum")?,
        first_token_count: get_count(row, "first_token_count")?,
        duration_us_sum: get_count(row, "duration_us_sum")?,
        retries: get_count(row, "retries")?,
        wasted: NanoUsd::new(row.get("wasted_nano_usd")?),
        unpriced_attempts: get_count(row, "unpriced_attempts")?,
        cache: CacheTotals {
            hits: get_count(row, "cache_hits")?,
            shared: get_count(row, "cache_shared")?,
            misses: get_count(row, "cache_misses")?,
            saved: NanoUsd::new(row.get("saved_nano_usd")?),
            saved_us: get_count(row, "saved_us")?,
        },
    })
}
