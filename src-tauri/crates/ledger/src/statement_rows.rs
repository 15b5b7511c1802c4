//! What a statement of a period lists: sums by quarter hour, backend and model, of one project or of all.

use domain::WallTime;
use rusqlite::{Connection, Row, params};

use crate::rollup_sums::{read_totals, rollup_sums};
use crate::text_columns::WordColumn;
use crate::usage::{slot_end, slot_start};
use crate::{Purpose, UsageTotals};

/// The user's requests of one quarter hour to one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// Start of the quarter hour; the days of every time zone are whole numbers of those.
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
    let sums = rollup_sums();
    let sql = format!(
        "SELECT slot_ms, backend, model, {sums} FROM rollup_quarter
         WHERE slot_ms >= ?1 AND slot_ms < ?2 AND purpose = ?3 AND (?4 IS NULL OR project = ?4)
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    let (from, to) = (slot_start(from).unix_ms(), slot_end(to).unix_ms());
    let mut statement = connection.prepare_cached(&sql)?;
    let asked = params![from, to, WordColumn(Purpose::User), project];
    statement.query_map(asked, read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<StatementRow> {
    Ok(StatementRow {
        start: WallTime::from_unix_ms(row.get("slot_ms")?),
        backend: row.get("backend")?,
        model: row.get("model")?,
        totals: read_totals(row)?,
    })
}
