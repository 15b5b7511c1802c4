//! Unusual use that the user said is fine.

use std::collections::BTreeMap;

use domain::WallTime;
use rusqlite::{Connection, params};

use crate::columns::integer_columns::{TIME_MS_MAX, clamp_time, row_count};

/// Most that are remembered of those that are fine for good, and of the others. Past it the oldest are
/// forgotten.
const DISMISSED_ANOMALIES_MAX: usize = 1_000;

/// Longest id, in bytes; a longer one is not remembered.
pub const ANOMALY_ID_BYTES_MAX: usize = 400;

/// Their ids, and when that was last said of each.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<BTreeMap<String, WallTime>> {
    let mut statement = connection.prepare_cached("SELECT id, at_ms FROM dismissed_anomalies")?;
    let said =
        statement.query_map([], |row| Ok((row.get(0)?, WallTime::from_unix_ms(row.get(1)?))))?;
    said.collect()
}

/// `at` is past the calendar for what is fine for good. Of that it does not tell which is the oldest,
/// but the id has the start of the anomaly behind its `@`.
pub(crate) fn dismiss(connection: &Connection, id: &str, at: WallTime) -> rusqlite::Result<usize> {
    if id.len() > ANOMALY_ID_BYTES_MAX {
        return Ok(0);
    }
    let sql = "INSERT OR REPLACE INTO dismissed_anomalies VALUES (?1, ?2)";
    let added = connection.prepare_cached(sql)?.execute(params![id, clamp_time(at)])?;
    let sql = "DELETE FROM dismissed_anomalies WHERE id IN (SELECT id FROM (
         SELECT id, row_number() OVER (PARTITION BY at_ms = ?2
          ORDER BY at_ms DESC, substr(id, instr(id, '@')) DESC, id) AS place
         FROM dismissed_anomalies) WHERE place > ?1)";
    let limits = params![row_count(DISMISSED_ANOMALIES_MAX), TIME_MS_MAX];
    connection.prepare_cached(sql)?.execute(limits)?;
    Ok(added)
}

pub(crate) fn restore(connection: &Connection, id: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM dismissed_anomalies WHERE id = ?1")?.execute([id])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_GOOD: WallTime = WallTime::from_unix_ms(i64::MAX);

    fn id(number: usize) -> String {
        format!("{}@2026-{number:04}", if number.is_multiple_of(2) { "cost" } else { "loop" })
    }

    #[test]
    fn what_is_fine_for_good_and_what_is_fine_for_now_do_not_crowd_each_other_out() {
        let connection = Connection::open_in_memory().expect("opened");
        connection.execute_batch(include_str!("../schema/v31.sql")).expect("created");
        let say = |id: &str, at| dismiss(&connection, id, at).expect("written");
        let for_now = |number: usize| WallTime::from_unix_ms(i64::try_from(number).expect("small"));
        for number in 0..=DISMISSED_ANOMALIES_MAX {
            say(&id(number), FOR_GOOD);
        }
        say("first_seen@2026-0001", for_now(0));
        let found = list(&connection).expect("read");
        assert_eq!(found.len(), DISMISSED_ANOMALIES_MAX + 1);
        assert!(found.contains_key("first_seen@2026-0001"), "a thousand others are fine for good");
        assert!(!found.contains_key(&id(0)), "the oldest");
        assert!(found.contains_key(&id(DISMISSED_ANOMALIES_MAX)), "the newest");
        for number in 1..=DISMISSED_ANOMALIES_MAX {
            say(&format!("now@{number}"), for_now(number));
        }
        let found = list(&connection).expect("read");
        assert_eq!(found.len(), 2 * DISMISSED_ANOMALIES_MAX);
        assert!(!found.contains_key("first_seen@2026-0001"), "the oldest of those for now");
    }
}
