//! The part of the cache in a request's record.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cache::{Bypass, Entry};
use domain::{BackendId, MicroUsd, TokenUsage};
use ledger::{CacheOutcome, Outcome};

use super::Record;
use crate::caching::vectors::Worth;

/// How an answer that others may share ended.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// Whole; this is known of it.
    Whole(Arc<Made>),
    /// Not at all, or not whole.
    Broken { outcome: Outcome, code: &'static str },
}

/// What is known of a whole answer.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) backend: BackendId,
    /// As it was named to the backend.
    pub(crate) model: String,
    pub(crate) model_billed: Option<String>,
    pub(crate) usage: Option<TokenUsage>,
    pub(crate) cost: Option<MicroUsd>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) took: Duration,
}

/// Where a record tells how its answer ended, before the answer's last bytes go out.
pub(crate) type Told = Arc<OnceLock<Ending>>;

impl Record {
    /// Nothing was looked up.
    pub(crate) fn bypassed(&mut self, why: Bypass) {
        self.cache(CacheOutcome::Bypass, Some(why.word()));
    }

    /// Nothing was found, or `why` nothing was to be found; `told` hears how the answer ends.
    pub(crate) fn missed(&mut self, why: Option<&'static str>, told: Told) {
        self.cache(CacheOutcome::Miss, why);
        self.heard_by(told);
    }

    /// A kept answer was found and goes to the client: writes it down.
    pub(crate) async fn replayed(&mut self, entry: &Entry) {
        self.cache(CacheOutcome::Hit, None);
        let elapsed = self.elapsed();
        self.status(200);
        self.sent(entry.answer.bytes().len());
        if let Some(settlement) = &mut self.settlement {
            settlement.backend = Some(entry.backend.clone());
            settlement.model_billed.clone_from(&entry.model_billed);
            settlement.finish_reason.clone_from(&entry.finish_reason);
            settlement.saved = entry.cost;
            settlement.saved_time = Some(entry.took.saturating_sub(elapsed));
        }
        self.settle(Outcome::Complete, None).await;
    }

    /// Vectors of which none had to be asked for go to the client: writes it down.
    pub(crate) async fn replayed_vectors(
        &mut self,
        entry: Option<&Entry>,
        saved: Option<MicroUsd>,
        bytes: usize,
    ) {
        self.cache(CacheOutcome::Hit, None);
        self.status(200);
        self.sent(bytes);
        if let (Some(settlement), Some(entry)) = (&mut self.settlement, entry) {
            settlement.backend = Some(entry.backend.clone());
            settlement.model_billed.clone_from(&entry.model_billed);
        }
        self.saved(saved);
        self.settle(Outcome::Complete, None).await;
    }

    /// Some vectors, or all, have to be asked for; the others save this much.
    pub(crate) fn missed_vectors(&mut self, why: Option<&'static str>, saved: Option<MicroUsd>) {
        self.cache(CacheOutcome::Miss, why);
        self.saved(saved);
    }

    /// `told` hears how the answer ends.
    pub(crate) fn heard_by(&mut self, told: Told) {
        self.told = Some(told);
    }

    fn saved(&mut self, saved: Option<MicroUsd>) {
        if let Some(settlement) = &mut self.settlement {
            settlement.saved = saved;
        }
    }

    /// What the vectors that were asked for are worth.
    pub(crate) fn worth(&self) -> Option<Worth> {
        let Made { backend, model, model_billed, usage, cost, took, .. } = self.made()?;
        let tokens = usage.map_or(0, |usage| usage.input());
        Some(Worth { backend, model, model_billed, tokens, cost, took })
    }

    /// It shares another's answer, which begins now.
    pub(crate) fn joins(&mut self, status: u16) {
        self.cache(CacheOutcome::Coalesced, None);
        self.status(status);
        self.first_byte(status);
    }

    /// The shared answer has ended: writes it down.
    pub(crate) async fn shared(&mut self, ending: &Ending) {
        match ending {
            Ending::Whole(made) => {
                if let Some(settlement) = &mut self.settlement {
                    settlement.backend = Some(made.backend.clone());
                    settlement.model_billed.clone_from(&made.model_billed);
                    settlement.finish_reason.clone_from(&made.finish_reason);
                    settlement.saved = made.cost;
                }
                self.settle(Outcome::Complete, None).await;
            }
            Ending::Broken { outcome, code } => self.settle(*outcome, Some(code)).await,
        }
    }

    /// Tells whoever shares or keeps the answer how it ended.
    pub(super) fn tell(&mut self, outcome: Outcome, code: Option<&'static str>) {
        let Some(told) = self.told.take() else { return };
        let ending = match code {
            None => self.made().map(|made| Ending::Whole(Arc::new(made))),
            Some(code) => Some(Ending::Broken { outcome, code }),
        };
        if let Some(ending) = ending {
            // Only this record tells, and only once.
            let _told_before = told.set(ending);
        }
    }

    fn made(&self) -> Option<Made> {
        let settlement = self.settlement.as_ref()?;
        let attempt = settlement.attempts.last()?;
        Some(Made {
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
