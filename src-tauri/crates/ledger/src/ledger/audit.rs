//! The audit log, which nothing else in the ledger refers to.

use super::Ledger;
use crate::LedgerError;
use crate::audit::{self, AuditQuery, AuditRecord, AuditRow};
use crate::write::writes::LedgerWrite;

impl Ledger {
    /// Queues an entry of the audit log at once. The returned future waits for the commit; it need
    /// not be awaited.
    ///
    /// # Errors
    /// The queue is full or closed, or the file cannot be written.
    pub fn add_audit_record(
        &self,
        record: AuditRecord,
    ) -> impl Future<Output = Result<(), LedgerError>> + use<> {
        let committed = self.inner.queue.write(LedgerWrite::Audit(record));
        async { committed.await.map(drop) }
    }

    /// Entries of the audit log, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn audit_log(&self, query: AuditQuery) -> Result<Vec<AuditRow>, LedgerError> {
        self.read(move |connection| audit::list(connection, &query)).await
    }
}
