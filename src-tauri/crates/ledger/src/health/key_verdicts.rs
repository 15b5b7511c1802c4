//! The log of what providers made of keys, with a row only where that changed.
//!
//! A key is checked every few minutes, also by a program that has just started and knows nothing of
//! the last check. So the row before decides if there is a change, not the caller.

use domain::{CredentialId, WallTime};
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::{clamp_time, collect_known, get_named, row_count};
use crate::columns::text_columns::bound_name;

/// Verdicts kept per key; the oldest are deleted first.
pub const KEY_VERDICTS_KEPT_MAX: usize = 200;

domain::words! {
    KeyVerdict {
        Accepted = "accepted",
        Rejected = "rejected",
        /// Another secret has the name, of which nothing is known yet.
        Unknown = "unknown",
    }
}

domain::words! {
    KeyVerdictSource {
        /// An unbilled check.
        Check = "check",
        /// A request of a client.
        Request = "request",
        /// A change of the key.
        Change = "change",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVerdictRecord {
    pub at: WallTime,
    pub credential: CredentialId,
    /// The backend or service; `None` for all.
    pub place: Option<String>,
    pub verdict: KeyVerdict,
    pub source: KeyVerdictSource,
}

/// Inserts a verdict that differs from the last one at its place. A key counts as accepted until it
/// is rejected, so it can only be accepted after that.
pub(crate) fn insert(
    connection: &Connection,
    record: &KeyVerdictRecord,
) -> rusqlite::Result<usize> {
    let sql = "WITH last AS (SELECT coalesce((SELECT verdict FROM key_verdicts
             WHERE credential = ?2 AND (place = ?3 OR place IS NULL OR ?3 IS NULL)
             ORDER BY number DESC LIMIT 1), 'unknown') AS verdict)
        INSERT INTO key_verdicts (at_ms, credential, place, verdict, source)
        SELECT ?1, ?2, ?3, ?4, ?5 FROM last
        WHERE iif(?4 = 'accepted', verdict = 'rejected', verdict <> ?4)";
    let inserted = connection.prepare_cached(sql)?.execute(params![
        clamp_time(record.at),
        record.credential.as_str(),
        record.place.as_deref().map(bound_name),
        record.verdict.word(),
        record.source.word(),
    ])?;
    if inserted > 0 {
        let sql = "DELETE FROM key_verdicts WHERE number IN (SELECT number FROM key_verdicts
            WHERE credential = ?1 ORDER BY number DESC LIMIT -1 OFFSET ?2)";
        let kept = row_count(KEY_VERDICTS_KEPT_MAX);
        connection.prepare_cached(sql)?.execute(params![record.credential.as_str(), kept])?;
    }
    Ok(inserted)
}

/// All of a key, oldest first.
pub(crate) fn list(
    connection: &Connection,
    credential: &CredentialId,
) -> rusqlite::Result<Vec<KeyVerdictRecord>> {
    let read = |row: &Row<'_>| {
        Ok(KeyVerdictRecord {
            at: WallTime::from_unix_ms(row.get("at_ms")?),
            credential: get_named(row, "credential")?,
            place: row.get("place")?,
            verdict: get_named(row, "verdict")?,
            source: get_named(row, "source")?,
        })
    };
    let sql = "SELECT * FROM key_verdicts WHERE credential = ?1 ORDER BY number";
    collect_known(connection.prepare_cached(sql)?.query_map([credential.as_str()], read)?)
}

/// Deletes verdicts before `before`, but for the last of each place, with which the next is compared.
pub(crate) fn purge(connection: &Connection, before: WallTime) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM key_verdicts WHERE at_ms < ?1
        AND number NOT IN (SELECT max(number) FROM key_verdicts GROUP BY credential, place)";
    connection.prepare_cached(sql)?.execute([clamp_time(before)])
}
