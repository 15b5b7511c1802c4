//! Sums of every combination of names per hour and per UTC day, folded from the quarter hours: for
//! two dimensions crossed, and for one with the others as filter. One dimension alone is answered
//! by [`crate::rollup::hourly_rollup`], which has fewer rows.
//!
//! Combinations are numbered once (`rollup_keys`), and the sums are ordered by them, so that a
//! filter reads only the hours of its own combinations.

use std::collections::{BTreeMap, HashMap};

use domain::{CostBasis, DAY_MS, HOUR_MS, WallTime};
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, params};

use crate::columns::text_columns::WordColumn;
use crate::rollup::rollup_range::{
    self, RangePiece, SlotWidth, day_start_ms, split_days, split_range,
};
use crate::rollup::rollup_sums::{
    NameNumbers, columns_on, dimension_rows_sql, read_totals, rollup_sums, sum_columns,
};
use crate::rollup::usage::{
    USAGE_CROSS_COLUMNS_MAX, USAGE_CROSS_ROWS_MAX, rank_groups, slot_end, slot_start,
};
use crate::{CrossQuery, CrossSummary, DimensionFilter, GroupBy, Purpose, UsageKey, UsageTotals};

const KEY_COLUMNS: &str = "purpose, backend, model, client, credential, project, route";

/// Folds the hours `from..until`, and the UTC days that end by `until` and were not whole at
/// `folded`, all in milliseconds.
pub(crate) fn fold(
    connection: &Connection,
    folded: i64,
    from: i64,
    until: i64,
) -> rusqlite::Result<()> {
    let (columns, sums) = (sum_columns(), rollup_sums());
    let new_keys = format!(
        "INSERT OR IGNORE INTO rollup_keys ({KEY_COLUMNS})
         SELECT DISTINCT {KEY_COLUMNS} FROM rollup_quarter WHERE slot_ms >= ?1 AND slot_ms < ?2"
    );
    connection.prepare_cached(&new_keys)?.execute([from, until])?;
    let hours = format!(
        "INSERT INTO rollup_cross (hours, key_id, slot_ms, {columns})
         SELECT 1, id, slot_ms - slot_ms % ?3, {sums}
         FROM rollup_quarter JOIN rollup_keys USING ({KEY_COLUMNS})
         WHERE slot_ms >= ?1 AND slot_ms < ?2 GROUP BY 2, 3"
    );
    connection.prepare_cached(&hours)?.execute(params![from, until, HOUR_MS])?;
    let (first_day, days_end) = (day_start_ms(folded), day_start_ms(until));
    if first_day == days_end {
        return Ok(());
    }
    let days = format!(
        "INSERT INTO rollup_cross (hours, key_id, slot_ms, {columns})
         SELECT 24, key_id, slot_ms - slot_ms % ?3, {sums}
         FROM rollup_keys CROSS JOIN rollup_cross ON key_id = id
         WHERE hours = 1 AND slot_ms >= ?1 AND slot_ms < ?2 GROUP BY 2, 3"
    );
    connection.prepare_cached(&days)?.execute(params![first_day, days_end, DAY_MS]).map(drop)
}

/// Removes the hours from `from` on, and the days that they belong to.
pub(crate) fn unfold(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    let hours = "DELETE FROM rollup_cross INDEXED BY rollup_cross_slots
        WHERE hours = 1 AND slot_ms >= ?1";
    connection.prepare_cached(hours)?.execute([from])?;
    let days = "DELETE FROM rollup_cross
        WHERE hours = 24 AND key_id IN (SELECT id FROM rollup_keys) AND slot_ms >= ?1";
    connection.prepare_cached(days)?.execute([day_start_ms(from)]).map(drop)
}

/// The statement for the rows of a piece of a range: `columns` and the sums of each on `basis`. To
/// sum them here is faster than to let SQLite sort them first. Its parameters are start, end, purpose
/// and the values of `filter`.
pub(crate) fn rows_sql(
    piece: &RangePiece,
    columns: &str,
    filter: &DimensionFilter,
    basis: CostBasis,
) -> String {
    format!("SELECT {columns}, {} FROM {}", columns_on(basis), rows_of(piece, filter))
}

/// The statement that counts requests without a cost by model and backend, as [`rows_sql`]. A failed
/// attempt may be all that a model has of them.
pub(crate) fn unpriced_sql(piece: &RangePiece, filter: &DimensionFilter) -> String {
    format!(
        "SELECT model, backend,
          max(sum(unpriced_requests), sum(unpriced_attempts) > 0) AS unpriced_requests FROM {}
          AND (unpriced_requests > 0 OR unpriced_attempts > 0) GROUP BY 1, 2",
        rows_of(piece, filter)
    )
}

/// The rows of a piece with all names that match.
fn rows_of(piece: &RangePiece, filter: &DimensionFilter) -> String {
    let conditions = conditions(filter, 4);
    let rows = match piece.width {
        SlotWidth::Quarter => "rollup_quarter WHERE",
        // To look for a few hours in every combination would take longer.
        SlotWidth::Hour if piece.end_ms - piece.start_ms < DAY_MS => {
            "rollup_cross INDEXED BY rollup_cross_slots CROSS JOIN rollup_keys ON key_id = id
              WHERE hours = 1 AND"
        }
        SlotWidth::Hour => "rollup_keys CROSS JOIN rollup_cross ON key_id = id WHERE hours = 1 AND",
        SlotWidth::Day => "rollup_keys CROSS JOIN rollup_cross ON key_id = id WHERE hours = 24 AND",
    };
    format!("{rows} slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3{conditions}")
}

fn conditions(filter: &DimensionFilter, first: usize) -> String {
    let equal = |((group_by, _), place): (&(GroupBy, String), usize)| {
        format!(" AND {} = ?{place}", group_by.word())
    };
    filter.values().iter().zip(first..).map(equal).collect()
}

/// True if no combination in the folded hours is excluded by `filter`.
pub(crate) fn is_everything(
    connection: &Connection,
    purpose: Purpose,
    filter: &DimensionFilter,
) -> rusqlite::Result<bool> {
    let excluded = |((group_by, _), place): (&(GroupBy, String), usize)| {
        format!("{} <> ?{place}", group_by.word())
    };
    let excluded: Vec<String> = filter.values().iter().zip(2..).map(excluded).collect();
    if excluded.is_empty() {
        return Ok(true);
    }
    let sql = format!(
        "SELECT NOT EXISTS (SELECT 1 FROM rollup_keys WHERE purpose = ?1 AND ({}))",
        excluded.join(" OR ")
    );
    let values = std::iter::once(ToSqlOutput::from(purpose.word())).chain(filter_values(filter));
    connection.prepare_cached(&sql)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))
}

/// For each number of a combination, true if it is of `purpose` and matches `filter`.
pub(crate) fn matching_keys(
    connection: &Connection,
    purpose: Purpose,
    filter: &DimensionFilter,
) -> rusqlite::Result<Vec<bool>> {
    let sql = format!("SELECT id FROM rollup_keys WHERE purpose = ?1{}", conditions(filter, 2));
    let values = std::iter::once(ToSqlOutput::from(purpose.word())).chain(filter_values(filter));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let key = usize::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
        if keys.len() <= key {
            keys.resize(key + 1, false);
        }
        if let Some(matches) = keys.get_mut(key) {
            *matches = true;
        }
    }
    Ok(keys)
}

pub(crate) fn filter_values(filter: &DimensionFilter) -> impl Iterator<Item = ToSqlOutput<'_>> {
    filter.values().iter().map(|(_, value)| ToSqlOutput::from(value.as_str()))
}

/// The parameters of [`group_sql`].
pub(crate) fn parameters(
    (start_ms, end_ms, purpose): (i64, i64, WordColumn<Purpose>),
    filter: &DimensionFilter,
) -> Vec<ToSqlOutput<'_>> {
    let range = [start_ms, end_ms].map(|ms| ToSqlOutput::Owned(Value::Integer(ms)));
    let purpose = ToSqlOutput::from(purpose.0.word());
    range.into_iter().chain([purpose]).chain(filter_values(filter)).collect()
}

type Cells = HashMap<(UsageKey, UsageKey), UsageTotals>;

pub(crate) fn cross(connection: &Connection, query: &CrossQuery) -> rusqlite::Result<CrossSummary> {
    cells(connection, query).map(|cells| pivot(&cells))
}

/// Every pair of names in use with its sums.
pub(crate) fn cells(connection: &Connection, query: &CrossQuery) -> rusqlite::Result<Cells> {
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?;
    let columns = format!("{}, {}", query.rows.word(), query.columns.word());
    let (mut names, mut sums) = (NameNumbers::default(), HashMap::new());
    for piece in split_days(query.from, query.to, folded) {
        let sql = rows_sql(&piece, &columns, &query.filter, query.basis);
        let mut statement = transaction.prepare_cached(&sql)?;
        let values = parameters(piece.range(query.purpose), &query.filter);
        let mut found = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = found.next()? {
            let line = names.number(row.get_ref(0)?.as_str()?);
            let column = names.number(row.get_ref(1)?.as_str()?);
            let sum: &mut UsageTotals = sums.entry((line, column)).or_default();
            *sum += read_totals(row, 2)?;
        }
    }
    let names: Vec<UsageKey> = names.into_names().into_iter().map(UsageKey::named).collect();
    let cell = |((line, column), sum): ((usize, usize), UsageTotals)| {
        Some(((names.get(line)?.clone(), names.get(column)?.clone()), sum))
    };
    // A name may have nothing but what counts on another basis.
    let in_use = sums.into_iter().filter(|(_, sum)| *sum != UsageTotals::default());
    Ok(in_use.filter_map(cell).collect())
}

/// The sums of each hour with requests, in the order of time. Hours are those of UTC.
pub(crate) fn by_hour(
    connection: &Connection,
    (from, to): (WallTime, WallTime),
    filter: &DimensionFilter,
) -> rusqlite::Result<Vec<(WallTime, UsageTotals)>> {
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?;
    let mut hours: BTreeMap<i64, UsageTotals> = BTreeMap::new();
    for piece in split_range(slot_start(from), slot_end(to), folded) {
        let sql = match piece.width {
            SlotWidth::Hour if filter.is_empty() => {
                dimension_rows_sql(piece.width, GroupBy::Backend, "slot_ms", CostBasis::Known)
            }
            _ => rows_sql(&piece, "slot_ms", filter, CostBasis::Known),
        };
        let mut statement = transaction.prepare_cached(&sql)?;
        let values = parameters(piece.range(Purpose::User), filter);
        let mut found = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = found.next()? {
            let slot: i64 = row.get(0)?;
            *hours.entry(slot - slot.rem_euclid(HOUR_MS)).or_default() += read_totals(row, 1)?;
        }
    }
    hours.retain(|_, sum| *sum != UsageTotals::default());
    Ok(hours.into_iter().map(|(ms, sum)| (WallTime::from_unix_ms(ms), sum)).collect())
}

/// Ranks rows and columns by cost and merges those past the limits.
fn pivot(cells: &Cells) -> CrossSummary {
    let rows = rank(cells.iter().map(|((row, _), sum)| (row, sum)), USAGE_CROSS_ROWS_MAX);
    let columns =
        rank(cells.iter().map(|((_, column), sum)| (column, sum)), USAGE_CROSS_COLUMNS_MAX);
    let place = |groups: &[(UsageKey, UsageTotals)], key: &UsageKey| {
        let last = groups.len().saturating_sub(1);
        groups.iter().position(|(known, _)| known == key).unwrap_or(last)
    };
    let mut table = vec![vec![UsageTotals::default(); columns.len()]; rows.len()];
    let mut totals = UsageTotals::default();
    for ((row, column), sum) in cells {
        let cell = table.get_mut(place(&rows, row));
        if let Some(cell) = cell.and_then(|cells| cells.get_mut(place(&columns, column))) {
            *cell += *sum;
        }
        totals += *sum;
    }
    CrossSummary { rows, columns, cells: table, totals }
}

fn rank<'a>(
    sums: impl Iterator<Item = (&'a UsageKey, &'a UsageTotals)>,
    shown_max: usize,
) -> Vec<(UsageKey, UsageTotals)> {
    let mut groups: HashMap<UsageKey, UsageTotals> = HashMap::new();
    sums.for_each(|(key, sum)| *groups.entry(key.clone()).or_default() += *sum);
    rank_groups(groups, shown_max)
}
