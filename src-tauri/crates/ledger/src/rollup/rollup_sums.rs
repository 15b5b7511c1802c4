//! The sum columns that all roll-ups of requests share.

use std::collections::HashMap;

use domain::{CostBasis, NanoUsd, TokenClass, TokenUsage};
use rusqlite::Row;

use crate::columns::token_columns::token_columns;
use crate::costs::cost_bases::{BASES, column_on, request_sum};
use crate::rollup::rollup_range::SlotWidth;
use crate::{CacheTotals, GroupBy, UsageTotals};

macro_rules! partly_unpriced {
    () => {
        "(cost_nano_usd IS NULL OR unpriced_attempts > 0)"
    };
}

/// True for a request whose cost is not known, or only a part of it: a failed attempt may have cost
/// something too.
pub(crate) const PARTLY_UNPRICED: &str = partly_unpriced!();

/// Sum columns of the roll-ups besides the tokens and those of the bases, and each one as a sum over
/// requests.
const SUMS: &[(&str, &str)] = &[
    ("requests", "count(*)"),
    ("complete", "sum(state = 'complete')"),
    ("failed", "sum(state = 'failed')"),
    ("cost_nano_usd", "sum(coalesce(cost_nano_usd, wasted_nano_usd))"),
    ("unpriced_requests", concat!("sum(", partly_unpriced!(), ")")),
    ("unbilled_requests", "sum(cost_basis = 'not_billed')"),
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

/// The sum columns, those of tokens and of each basis included, each as `term` writes it.
pub(crate) fn list_sums(term: impl Fn(&str) -> String) -> String {
    let bases = BASES.iter().flat_map(|own| own.columns());
    read_columns().chain(bases).map(term).collect::<Vec<_>>().join(", ")
}

/// The columns that a total consists of, where it sums up all known costs.
fn read_columns() -> impl Iterator<Item = &'static str> {
    SUMS.iter().map(|(column, _)| *column).chain(token_columns())
}

/// The sum columns as a query on `basis` reads them, in the order of [`SumValues`].
pub(crate) fn columns_on(basis: CostBasis) -> String {
    read_columns().map(|column| column_on(basis, column)).collect::<Vec<_>>().join(", ")
}

pub(crate) fn sum_columns() -> String {
    list_sums(str::to_owned)
}

/// Sums over the rows of either roll-up table, named as its columns.
pub(crate) fn rollup_sums() -> String {
    list_sums(|column| format!("sum({column}) AS {column}"))
}

/// The statement for the hours or days of one dimension, without a filter: `columns` and the sums
/// of each name on `basis`.
pub(crate) fn dimension_rows_sql(
    width: SlotWidth,
    dimension: GroupBy,
    columns: &str,
    basis: CostBasis,
) -> String {
    let table = if width == SlotWidth::Day { "rollup_day" } else { "rollup_hour" };
    let (dimension, sums) = (dimension.word(), columns_on(basis));
    format!(
        "SELECT {columns}, {sums} FROM {table} WHERE dimension = '{dimension}'
          AND slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3"
    )
}

/// Sums over request rows, named as the roll-up columns.
pub(crate) fn request_sums() -> String {
    list_sums(|column| {
        let known = SUMS.iter().find(|(name, _)| *name == column).map(|(_, sum)| (*sum).to_owned());
        let sum = known.or_else(|| request_sum(column));
        let sum = sum.unwrap_or_else(|| format!("sum(coalesce({column}, 0))"));
        format!("{sum} AS {column}")
    })
}

const SUM_COLUMNS: usize = SUMS.len() + TokenClass::ALL.len();

/// The values of the sum columns, in the order of [`columns_on`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SumValues([i64; SUM_COLUMNS]);

impl SumValues {
    /// Reads the sum columns of a roll-up row, which begin at the place `first`. Not by name: to
    /// look the columns up takes longer than to sum them.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut values = Self::default();
        for (value, place) in values.0.iter_mut().zip(first..) {
            *value = row.get(place)?;
        }
        Ok(values)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, value)| *sum += value);
    }

    /// Takes out what was added.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, value)| *sum -= value);
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn totals(&self) -> UsageTotals {
        let mut values = self.0.iter().copied();
        let mut next = || values.next().unwrap_or_default();
        let [requests, complete, failed] = [(); 3].map(|()| next().unsigned_abs());
        let cost = NanoUsd::new(next());
        let [unpriced_requests, unbilled_requests] = [(); 2].map(|()| next().unsigned_abs());
        let [first_token_us_sum, first_token_count, duration_us_sum, retries] =
            [(); 4].map(|()| next().unsigned_abs());
        let wasted = NanoUsd::new(next());
        let [unpriced_attempts, hits, shared, misses] = [(); 4].map(|()| next().unsigned_abs());
        let saved = NanoUsd::new(next());
        let saved_us = next().unsigned_abs();
        UsageTotals {
            requests,
            complete,
            failed,
            tokens: TokenUsage::from_fn(|_| next().unsigned_abs()),
            cost,
            unpriced_requests,
            unbilled_requests,
            first_token_us_sum,
            first_token_count,
            duration_us_sum,
            retries,
            wasted,
            unpriced_attempts,
            cache: CacheTotals { hits, shared, misses, saved, saved_us },
        }
    }
}

/// [`SumValues::read`], as totals.
pub(crate) fn read_totals(row: &Row<'_>, first: usize) -> rusqlite::Result<UsageTotals> {
    SumValues::read(row, first).map(|values| values.totals())
}

/// Numbers for the names in the rows of a query, so that sums are kept by number.
#[derive(Debug, Default)]
pub(crate) struct NameNumbers(HashMap<String, usize>);

impl NameNumbers {
    pub(crate) fn number(&mut self, name: &str) -> usize {
        match self.0.get(name) {
            Some(number) => *number,
            None => {
                let number = self.0.len();
                self.0.insert(name.to_owned(), number);
                number
            }
        }
    }

    /// The names by number.
    pub(crate) fn into_names(self) -> Vec<String> {
        let mut numbered: Vec<_> = self.0.into_iter().collect();
        numbered.sort_unstable_by_key(|(_, number)| *number);
        numbered.into_iter().map(|(name, _)| name).collect()
    }
}
