//! Names that are in use for the first time.

use domain::{HOUR_MS, WallTime};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rollup::rollup_range;
use crate::{GroupBy, Purpose};

/// The hour of the first request of the user's own traffic.
pub(crate) fn first_hour(connection: &Connection) -> rusqlite::Result<Option<WallTime>> {
    let sql = "SELECT slot_ms FROM rollup_quarter WHERE purpose = ?1 ORDER BY slot_ms LIMIT 1";
    let first = connection.prepare_cached(sql)?.query_row([Purpose::User.word()], |row| row.get(0));
    Ok(first.optional()?.map(hour_of))
}

/// Names in a dimension that were not in use before `since`, with the hour of their first request,
/// the oldest first. Reads little of a name that is old: one of its combinations is found soon.
pub(crate) fn list_since(
    connection: &Connection,
    group_by: GroupBy,
    since: WallTime,
) -> rusqlite::Result<Vec<(String, WallTime)>> {
    let transaction = connection.unchecked_transaction()?;
    let folded = rollup_range::folded_until(&transaction)?.unix_ms();
    let (name, user) = (group_by.word(), Purpose::User.word());
    let names = format!(
        "SELECT DISTINCT {name} FROM rollup_keys WHERE purpose = ?1
         UNION SELECT {name} FROM rollup_quarter WHERE slot_ms >= ?2 AND purpose = ?1"
    );
    let was_used = format!(
        "SELECT EXISTS (SELECT 1 FROM rollup_keys CROSS JOIN rollup_cross ON key_id = id
          WHERE hours = 1 AND purpose = ?1 AND {name} = ?2 AND slot_ms < ?3)"
    );
    let first = format!(
        "SELECT min(first_ms) FROM (
          SELECT (SELECT min(slot_ms) FROM rollup_cross WHERE hours = 1 AND key_id = id) AS first_ms
          FROM rollup_keys WHERE purpose = ?1 AND {name} = ?2
          UNION ALL SELECT slot_ms FROM rollup_quarter
          WHERE slot_ms >= ?3 AND purpose = ?1 AND {name} = ?2)"
    );
    let mut names = transaction.prepare_cached(&names)?;
    let names = names.query_map(params![user, folded], |row| row.get::<_, String>(0))?;
    let (mut was_used, mut first) =
        (transaction.prepare_cached(&was_used)?, transaction.prepare_cached(&first)?);
    let mut found = Vec::new();
    for name in names {
        let name = name?;
        let is_old: bool =
            was_used.query_row(params![user, name, since.unix_ms()], |row| row.get(0))?;
        if name.is_empty() || is_old {
            continue;
        }
        let hour: Option<i64> = first.query_row(params![user, name, folded], |row| row.get(0))?;
        found.extend(hour.map(hour_of).filter(|hour| *hour >= since).map(|hour| (name, hour)));
    }
    found.sort_by(|(name, hour), (other, later)| (hour, name).cmp(&(later, other)));
    Ok(found)
}

fn hour_of(slot_ms: i64) -> WallTime {
    WallTime::from_unix_ms(slot_ms - slot_ms.rem_euclid(HOUR_MS))
}
