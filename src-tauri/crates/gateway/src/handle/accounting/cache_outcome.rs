//! Records what the cache did for a request.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cache::{BypassReason, CacheEntry};
use domain::{BackendId, NanoUsd, TokenUsage};
use ledger::{CacheOutcome, RequestOutcome};

use super::RequestRecord;

/// The end of an answer that several requests may share.
#[derive(Debug, Clone)]
pub(crate) enum AnswerEnd {
    Complete(Arc<AnswerRecord>),
    /// Failed before or after its first byte.
    Failed {
        outcome: RequestOutcome,
        code: &'static str,
    },
}

/// The facts of a complete answer.
#[derive(Debug)]
pub(crate) struct AnswerRecord {
    pub(crate) backend: BackendId,
    /// The name sent to the backend.
    pub(crate) model: String,
    pub(crate) model_billed: Option<String>,
    pub(crate) usage: Option<TokenUsage>,
    pub(crate) cost: Option<NanoUsd>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) took: Duration,
}

/// Set by a record before the last bytes of its answer are sent.
pub(crate) type AnswerEndCell = Arc<OnceLock<AnswerEnd>>;

impl RequestRecord {
    pub(crate) fn bypassed(&mut self, why: BypassReason) {
        self.cache(CacheOutcome::Bypass, Some(why.word()));
    }

    /// Records a miss; `why` is given if nothing was looked up. `saved` is the cost of the parts that were
    /// found. `end_cell` is set when the answer ends.
    pub(crate) fn missed(
        &mut self,
        why: Option<&'static str>,
        saved: Option<NanoUsd>,
        end_cell: AnswerEndCell,
    ) {
        self.cache(CacheOutcome::Miss, why);
        self.set_saved(saved);
        self.end_cell = Some(end_cell);
    }

    /// Settles a request that is answered from the cache.
    pub(crate) async fn complete_from_cache(&mut self, entry: &CacheEntry) {
        self.cache(CacheOutcome::Hit, None);
        let elapsed = self.elapsed();
        self.set_status(200);
        self.add_bytes_out(entry.answer.bytes().len());
        if let Some(settlement) = &mut self.settlement {
            settlement.backend = Some(entry.backend.clone());
            settlement.model_billed.clone_from(&entry.model_billed);
            settlement.finish_reason.clone_from(&entry.finish_reason);
            settlement.saved = entry.cost;
            settlement.saved_time = Some(entry.took.saturating_sub(elapsed));
        }
        self.settle(RequestOutcome::Complete, None).await;
    }

    /// Settles a request whose vectors all come from the cache.
    pub(crate) async fn complete_vectors_from_cache(
        &mut self,
        entry: Option<&CacheEntry>,
        saved: Option<NanoUsd>,
        bytes: usize,
    ) {
        self.cache(CacheOutcome::Hit, None);
        self.set_status(200);
        self.add_bytes_out(bytes);
        if let (Some(settlement), Some(entry)) = (&mut self.settlement, entry) {
            settlement.backend = Some(entry.backend.clone());
            settlement.model_billed.clone_from(&entry.model_billed);
        }
        self.set_saved(saved);
        self.settle(RequestOutcome::Complete, None).await;
    }

    fn set_saved(&mut self, saved: Option<NanoUsd>) {
        if let Some(settlement) = &mut self.settlement {
            settlement.saved = saved;
        }
    }

    /// Records the start of the answer that this request shares with another.
    pub(crate) fn follow_started(&mut self, status: u16) {
        self.cache(CacheOutcome::Coalesced, None);
        self.set_status(status);
        self.first_byte(status);
    }

    /// Settles a request whose shared answer has ended.
    pub(crate) async fn follow_ended(&mut self, end: &AnswerEnd) {
        match end {
            AnswerEnd::Complete(answer) => {
                if let Some(settlement) = &mut self.settlement {
                    settlement.backend = Some(answer.backend.clone());
                    settlement.model_billed.clone_from(&answer.model_billed);
                    settlement.finish_reason.clone_from(&answer.finish_reason);
                    settlement.saved = answer.cost;
                }
                self.settle(RequestOutcome::Complete, None).await;
            }
            AnswerEnd::Failed { outcome, code } => self.settle(*outcome, Some(code)).await,
        }
    }

    /// Tells the requests that share the answer how it ended.
    pub(super) fn announce_end(&mut self, outcome: RequestOutcome, code: Option<&'static str>) {
        let Some(end_cell) = self.end_cell.take() else { return };
        let end = match code {
            None => self.answer_record().map(|answer| AnswerEnd::Complete(Arc::new(answer))),
            Some(code) => Some(AnswerEnd::Failed { outcome, code }),
        };
        if let Some(end) = end {
            // Only this record sets it, and only once.
            let _was_set = end_cell.set(end);
        }
    }

    /// The facts of the answer so far; `None` before any attempt and after the settlement.
    pub(crate) fn answer_record(&self) -> Option<AnswerRecord> {
        let settlement = self.settlement.as_ref()?;
        let attempt = settlement.attempts.last()?;
        Some(AnswerRecord {
            backend: settlement.backend.clone()?,
            model: attempt.model.clone(),
            model_billed: settlement.model_billed.clone(),
            usage: settlement.usage,
            cost: self.cost(),
            finish_reason: settlement.finish_reason.clone(),
            took: self.elapsed(),
        })
    }

    fn cache(&mut self, outcome: CacheOutcome, why: Option<&'static str>) {
        if let Some(settlement) = &mut self.settlement {
            settlement.cache = outcome;
            settlement.cache_reason = why.map(str::to_owned);
        }
    }
}
