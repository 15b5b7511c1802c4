//! What routing asks of this moment, answered from the live state without changing it.

use std::borrow::Cow;

use domain::{BackendId, Endpoint, Moment, TokenUsage};
use parking_lot::MutexGuard;
use resilience::{Availability, BlockReason, ClosedReason, Endpoints, LimitKind};
use routing::{CandidateAvailability, Needs, RoutingSignals};

use super::EndpointRegistry;
use crate::backend_load::BackendLoad;
use crate::snapshot::Snapshot;

/// Most output tokens that a comparison of prices counts with. Tools ask for their model's maximum and
/// take a few hundred.
const OUTPUT_TOKENS_EXPECTED_MAX: u64 = 1_000;

/// The conditions of one moment.
pub struct RoutingInputs<'a> {
    pub(super) live: &'a EndpointRegistry,
    pub(super) accesses: MutexGuard<'a, Endpoints>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Moment,
}

impl RoutingSignals for RoutingInputs<'_> {
    fn availability(&self, access: &Endpoint, model: &str) -> CandidateAvailability {
        match self.accesses.availability(access, model, self.now) {
            Availability::Ready => CandidateAvailability::Ready,
            Availability::Ramp { percent } => CandidateAvailability::Ramp(percent),
            Availability::Trial => CandidateAvailability::Trial,
            Availability::Closed { reason: why, .. } => {
                CandidateAvailability::Closed { reason: Cow::Borrowed(closed_in_words(why)) }
            }
        }
    }

    fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32> {
        self.live.speeds.lock().first_token_ms(backend, model)
    }

    fn cost_micros(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64> {
        let tokens = TokenUsage {
            input_uncached: needs.input_tokens,
            output_visible: needs.output_tokens.clamp(1, OUTPUT_TOKENS_EXPECTED_MAX),
            ..TokenUsage::default()
        };
        self.price(backend, model, &tokens)
    }

    fn warm_cost_micros(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64> {
        let tokens = TokenUsage {
            cache_read: needs.input_tokens,
            output_visible: needs.output_tokens.clamp(1, OUTPUT_TOKENS_EXPECTED_MAX),
            ..TokenUsage::default()
        };
        self.price(backend, model, &tokens)
    }

    fn in_flight(&self, backend: &BackendId) -> u32 {
        self.live.loads.lock().get(backend).map_or(0, BackendLoad::in_flight)
    }

    fn headroom_percent(&self, access: &Endpoint) -> Option<u8> {
        self.live.loads.lock().get(&access.backend)?.headroom_percent(self.now)
    }

    fn last_answered_by(&self, conversation: u64) -> Option<(BackendId, String)> {
        let conversations = self.live.conversations.lock();
        let stay = conversations.get(&conversation).filter(|stay| stay.until > self.now)?;
        Some((stay.backend.clone(), stay.model.clone()))
    }
}

impl RoutingInputs<'_> {
    fn price(&self, backend: &BackendId, model: &str, tokens: &TokenUsage) -> Option<u64> {
        let provider = self.snapshot.backends.get(backend)?.provider();
        if provider == Some(ledger::Provider::Mock) {
            return Some(0);
        }
        let at = self.live.clock.wall();
        let price = self.snapshot.prices.find(backend, provider, model, at)?;
        u64::try_from(price.cost(tokens)?.micros()).ok()
    }
}

/// Completes "it is passed by because …".
const fn closed_in_words(why: ClosedReason) -> &'static str {
    match why {
        ClosedReason::BreakerOpen => "its breaker is tripped",
        ClosedReason::HalfOpenBusy => "another request is testing whether it has recovered",
        ClosedReason::CoolingDown(LimitKind::Rate) => "its rate limit is reached",
        ClosedReason::CoolingDown(LimitKind::DailyQuota) => "its daily quota is used up",
        ClosedReason::Blocked(BlockReason::KeyRejected) => "it rejected the key",
        ClosedReason::Blocked(BlockReason::Forbidden) => "its key has no permission for this",
        ClosedReason::Blocked(BlockReason::Unpaid) => "its account is out of credit",
        ClosedReason::Blocked(BlockReason::QuotaExhausted) => "its spend limit is reached",
        ClosedReason::ForcedOpen => "its traffic is blocked manually",
    }
}
