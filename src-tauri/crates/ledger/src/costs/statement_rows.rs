//! What a statement of a period lists: sums by hour, backend and model, of one project or of all.

use std::collections::HashMap;

use domain::{CostBasis, HOUR_MS, WallTime};
use rusqlite::{Connection, params_from_iter};

use crate::rollup::cross_rollup;
use crate::rollup::rollup_range::{self, split_range};
use crate::rollup::rollup_sums::{NameNumbers, read_totals};
use crate::rollup::usage::{slot_end, slot_start};
use crate::{DimensionFilter, GroupBy, Purpose, UsageTotals};

/// The user's requests of a quarter hour or an hour to one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// Start of the quarter hour, of which the days of every time zone are whole numbers; of the hour
    /// in a range of whole hours.
    pub start: WallTime,
    /// Empty for requests that no backend got.
    pub backend: String,
    /// The billed model, or the requested one if none was billed.
    pub model: String,
    pub totals: UsageTotals,
}

/// Rows of `from..to` in the order of time; `Some("")` selects the requests without a project.
pub(crate) fn list(
    connection: &Connection,
    from: WallTime,
    to: WallTime,
    project: Option<&str>,
) -> rusqlite::Result<Vec<StatementRow>> {
    let transaction = connection.unchecked_transaction()?;
    let (from, to) = (slot_start(from), slot_end(to));
    // Where days begin within an hour, only quarter hours tell them apart.
    let is_of_hours = [from, to].iter().all(|edge| edge.unix_ms().rem_euclid(HOUR_MS) == 0);
    let folded = if is_of_hours { rollup_range::folded_until(&transaction)? } else { from };
    let filter = project.map(|name| (GroupBy::Project, name.to_owned()));
    let filter: DimensionFilter = filter.into_iter().collect();
    let (mut names, mut sums) = (NameNumbers::default(), HashMap::new());
    for piece in split_range(from, to, folded) {
        let sql =
            cross_rollup::rows_sql(&piece, "slot_ms, backend, model", &filter, CostBasis::Known);
        let mut statement = transaction.prepare_cached(&sql)?;
        let values = cross_rollup::parameters(piece.range(Purpose::User), &filter);
        let mut found = statement.query(params_from_iter(values))?;
        while let Some(row) = found.next()? {
            let backend = names.number(row.get_ref(1)?.as_str()?);
            let model = names.number(row.get_ref(2)?.as_str()?);
            let sum: &mut UsageTotals = sums.entry((row.get(0)?, backend, model)).or_default();
            *sum += read_totals(row, 3)?;
        }
    }
    let names = names.into_names();
    let row = |((start_ms, backend, model), totals): ((i64, usize, usize), UsageTotals)| {
        let (backend, model) = (names.get(backend)?.clone(), names.get(model)?.clone());
        Some(StatementRow { start: WallTime::from_unix_ms(start_ms), backend, model, totals })
    };
    // A name may have nothing but what counts on another basis.
    let in_use = sums.into_iter().filter(|(_, totals)| *totals != UsageTotals::default());
    let mut rows: Vec<StatementRow> = in_use.filter_map(row).collect();
    let key = |row: &StatementRow| (row.start, row.backend.clone(), row.model.clone());
    rows.sort_by_cached_key(key);
    Ok(rows)
}
