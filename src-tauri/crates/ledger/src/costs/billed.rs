//! What providers say they billed, by UTC day. A report of a day takes the place of an earlier one
//! from the same source.

use domain::{BilledSource, BillingProvider, NanoUsd, WallTime};
use jiff::civil::Date;
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_time, get_named};
use crate::columns::text_columns::{WordColumn, bound_name};

/// A report of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledDay {
    pub provider: BillingProvider,
    /// In UTC.
    pub day: Date,
    pub source: BilledSource,
    pub fetched: WallTime,
    /// Amounts by the provider's name for them; empty if nothing was billed.
    pub lines: Vec<(String, NanoUsd)>,
}

impl BilledDay {
    #[must_use]
    pub fn total(&self) -> NanoUsd {
        self.lines.iter().map(|(_, amount)| *amount).sum()
    }
}

/// Stores the days; each replaces what the same source said of it.
pub(crate) fn replace(connection: &Connection, days: &[BilledDay]) -> rusqlite::Result<usize> {
    let mut delete = connection
        .prepare_cached("DELETE FROM billed WHERE day = ?1 AND provider = ?2 AND source = ?3")?;
    // Two names that are cut to the same one are summed, so that nothing is lost.
    let mut insert = connection.prepare_cached(
        "INSERT INTO billed (day, provider, source, line, amount_nano_usd, fetched_ms)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET amount_nano_usd = amount_nano_usd + excluded.amount_nano_usd",
    )?;
    for report in days {
        let day = report.day.to_string();
        let (provider, source) = (WordColumn(report.provider), WordColumn(report.source));
        delete.execute(params![day, provider, source])?;
        let at = clamp_time(report.fetched);
        if report.lines.is_empty() {
            insert.execute(params![day, provider, source, "", 0, at])?;
        }
        for (line, amount) in &report.lines {
            let line = bound_name(line);
            insert.execute(params![day, provider, source, line, amount.nanos(), at])?;
        }
    }
    Ok(days.len())
}

/// The reports from `from` on, by day and provider. Rows with words of a newer version are left
/// out.
pub(crate) fn list(connection: &Connection, from: Date) -> rusqlite::Result<Vec<BilledDay>> {
    let sql = "SELECT * FROM billed WHERE day >= ?1
        ORDER BY day, provider, source, amount_nano_usd DESC, line";
    let mut days: Vec<BilledDay> = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([from.to_string()], |row| Ok(read_row(row).ok()))?;
    for row in rows {
        let Some((report, line, amount)) = row? else { continue };
        let is_same = |last: &BilledDay| {
            (last.day, last.provider, last.source) == (report.day, report.provider, report.source)
        };
        if !days.last().is_some_and(is_same) {
            days.push(report);
        }
        if let Some(last) = days.last_mut().filter(|_| !line.is_empty()) {
            last.lines.push((line, amount));
        }
    }
    Ok(days)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<(BilledDay, String, NanoUsd)> {
    let WordColumn(provider) = row.get("provider")?;
    let WordColumn(source) = row.get("source")?;
    let report = BilledDay {
        provider,
        day: get_named(row, "day")?,
        source,
        fetched: WallTime::from_unix_ms(row.get("fetched_ms")?),
        lines: Vec::new(),
    };
    Ok((report, row.get("line")?, NanoUsd::new(row.get("amount_nano_usd")?)))
}
