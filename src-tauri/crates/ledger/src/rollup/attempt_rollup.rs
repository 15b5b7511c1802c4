//! What roll-ups of attempts share: which requests' attempts they count, and when.

use domain::RequestId;
use rusqlite::Connection;

use crate::rollup::{Counting, id_list};
use crate::{AttemptRecord, Settlement};

/// A roll-up whose rows are sums over attempts.
pub(crate) struct AttemptRollup {
    /// The statement that counts the attempts of requests that match a condition on `a.request_id`.
    pub(crate) count_sql: fn(&str, Counting) -> String,
    /// True for an attempt that has a part in the sums.
    pub(crate) is_counted: fn(&AttemptRecord) -> bool,
}

impl AttemptRollup {
    /// Counts the attempts of just settled requests, in the same transaction.
    pub(crate) fn count_settled(
        &self,
        connection: &Connection,
        settled: &[&Settlement],
    ) -> rusqlite::Result<()> {
        let counted = settled.iter().filter(|ended| ended.attempts.iter().any(self.is_counted));
        let ids: Vec<RequestId> = counted.map(|ended| ended.request.id).collect();
        if ids.is_empty() { Ok(()) } else { self.count(connection, &ids, Counting::Add) }
    }

    /// Counts the attempts of requests, or takes them out of the sums.
    pub(crate) fn count(
        &self,
        connection: &Connection,
        ids: &[RequestId],
        counting: Counting,
    ) -> rusqlite::Result<()> {
        let condition = "a.request_id IN (SELECT value FROM json_each(?1))";
        let sql = (self.count_sql)(condition, counting);
        connection.prepare_cached(&sql)?.execute([id_list(ids)]).map(drop)
    }

    /// Counts the attempts of the requests in the temporary table `added`, or takes them out of the sums.
    pub(crate) fn count_listed(
        &self,
        connection: &Connection,
        counting: Counting,
    ) -> rusqlite::Result<()> {
        let sql = (self.count_sql)("a.request_id IN (SELECT id FROM temp.added)", counting);
        connection.execute(&sql, []).map(drop)
    }
}
