//! What answers of session logs would have cost, where that was not known when they were imported.

use domain::{Meter, MeteredUsage, NanoUsd, PriceTier, SessionTool, Usage, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{
    clamp_cost, clamp_time, collect_known, get_count, row_count,
};
use crate::columns::text_columns::WordColumn;
use crate::columns::token_columns::read_tokens;
use crate::costs::price_table;

/// An answer without a known value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpricedAnswer {
    /// Of its row.
    pub number: i64,
    pub tool: SessionTool,
    pub provider: Option<String>,
    pub model: String,
    pub time: WallTime,
    pub usage: Usage,
}

/// The value of an answer and the id of its price; `None` for an unknown one.
pub type AnswerValue = (i64, Option<(NanoUsd, String)>);

/// Answers without a value in rows after `after`, in the order of their numbers.
pub(crate) fn list_unpriced(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<UnpricedAnswer>> {
    let sql = "SELECT * FROM session_usage WHERE number > ?1 AND value_nano_usd IS NULL
        AND model <> '' ORDER BY number LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    collect_known(statement.query_map(params![after, row_count(limit)], read)?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<UnpricedAnswer> {
    let mut quantities = MeteredUsage::from(read_tokens(row)?);
    quantities.count(Meter::WebSearch, get_count(row, "web_searches")?);
    let tier: Option<WordColumn<PriceTier>> = row.get("service_tier")?;
    let tier = tier.map_or(PriceTier::Standard, |tier| tier.0);
    Ok(UnpricedAnswer {
        number: row.get("number")?,
        tool: row.get::<_, WordColumn<_>>("tool")?.0,
        provider: row.get("provider")?,
        model: row.get("model")?,
        time: WallTime::from_unix_ms(row.get("time_ms")?),
        usage: Usage {
            quantities,
            tier,
            region: row.get("region")?,
            unread: row.get("unread")?,
            ..Usage::default()
        },
    })
}

/// Numbers of the answers whose value is by a price of a change.
pub(crate) fn list_priced_by(connection: &Connection, change: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT number FROM session_usage
        WHERE price_id IN (SELECT id FROM prices WHERE change_id = ?1)";
    connection.prepare_cached(sql)?.query_map([change], |row| row.get(0))?.collect()
}

pub(crate) fn set(
    connection: &Connection,
    values: &[AnswerValue],
    at: WallTime,
) -> rusqlite::Result<usize> {
    let used = values.iter().filter_map(|(_, value)| Some(value.as_ref()?.1.as_str()));
    price_table::keep_bundled(connection, used)?;
    let sql = "UPDATE session_usage SET value_nano_usd = ?1, price_id = ?2,
         priced_ms = max(coalesce(priced_ms, 0) + 1, ?3) WHERE number = ?4";
    let mut update = connection.prepare_cached(sql)?;
    let mut changed = 0;
    for (number, value) in values {
        let amount = value.as_ref().map(|(amount, _)| clamp_cost(*amount));
        let price = value.as_ref().map(|(_, price)| price.as_str());
        changed += update.execute(params![amount, price, clamp_time(at), number])?;
    }
    Ok(changed)
}
