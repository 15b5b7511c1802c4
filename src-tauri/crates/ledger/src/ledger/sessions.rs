//! Usage from session logs: stored in parts, matched with what the gateway measured, valued, summed.

use std::collections::HashMap;

use domain::WallTime;
use session_logs::FileProgress;

use super::Ledger;
use crate::sessions::{session_imports, session_matches, session_usage, session_values};
use crate::write::writes::LedgerWrite;
use crate::{AnswerValue, LedgerError, SessionPart, SessionQuery, SessionSummary, UnpricedAnswer};

/// Rows marked in one transaction by [`Ledger::match_sessions`].
const SESSION_MATCHES: usize = 1_000;

impl Ledger {
    /// How far every session log was read, by its path.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn session_progress(&self) -> Result<HashMap<String, FileProgress>, LedgerError> {
        self.read(session_imports::read_progress).await
    }

    /// Number of answers that session logs have brought, and a little more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn session_rows(&self) -> Result<u64, LedgerError> {
        self.read(session_imports::count_rows).await
    }

    /// Stores parts of session logs in one transaction. The file is locked for as long as that
    /// takes, so a call should bring some thousand records at most. Returns how many rows are new or
    /// replaced.
    ///
    /// # Errors
    /// The file cannot be written; nothing is stored then.
    pub async fn store_session_parts(&self, parts: Vec<SessionPart>) -> Result<usize, LedgerError> {
        self.inner.queue.write(LedgerWrite::SessionParts(parts)).await
    }

    /// Marks usage from session logs that the gateway has measured too, so that it is not counted
    /// twice: of all that was stored since this was last done to its end. Returns how many rows were
    /// marked. Nothing may be stored meanwhile.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub async fn match_sessions(&self) -> Result<usize, LedgerError> {
        let since = self.read_current(session_matches::unmatched_since).await?;
        let Some(since) = since else { return Ok(0) };
        let found =
            self.read_current(move |connection| session_matches::find(connection, since)).await?;
        let mut marked = 0;
        for matches in found.chunks(SESSION_MATCHES) {
            let job = LedgerWrite::SessionMatches(matches.to_vec());
            marked += self.inner.queue.write(job).await?;
        }
        self.inner.queue.write(LedgerWrite::SessionsMatched(since)).await?;
        Ok(marked)
    }

    /// Finds out anew which usage from session logs the gateway has measured too, as after a merge.
    pub(crate) async fn match_all_sessions(&self) -> Result<usize, LedgerError> {
        let found = self.read_current(session_matches::find_anew).await?;
        self.inner.queue.write(LedgerWrite::AllSessionMatches(found)).await
    }

    /// Answers of session logs without a known value, in rows after `after`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn unpriced_answers(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<UnpricedAnswer>, LedgerError> {
        self.read(move |connection| session_values::list_unpriced(connection, after, limit)).await
    }

    /// Rows of the answers of session logs whose value is by a price of a change.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn answers_priced_by(&self, change: i64) -> Result<Vec<i64>, LedgerError> {
        self.read(move |connection| session_values::list_priced_by(connection, change)).await
    }

    /// Sets the values of answers of session logs. Returns their number.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn set_answer_values(
        &self,
        values: Vec<AnswerValue>,
        at: WallTime,
    ) -> Result<usize, LedgerError> {
        self.inner.queue.write(LedgerWrite::SessionValues { values, at }).await
    }

    /// Sums over the usage from session logs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn session_usage(&self, query: SessionQuery) -> Result<SessionSummary, LedgerError> {
        self.read(move |connection| session_usage::summarize(connection, &query)).await
    }
}
