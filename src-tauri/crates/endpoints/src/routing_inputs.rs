//! Answers what routing asks about endpoints, without changing anything.

use std::borrow::Cow;

use domain::{BackendId, Endpoint, Moment, NanoUsd, TokenUsage, WallTime};
use parking_lot::MutexGuard;
use resilience::{Availability, BlockReason, ClosedReason, Endpoints, LimitKind};
use routing::{CandidateAvailability, Needs, RoutingSignals};

use crate::backend_load::BackendLoad;
use crate::registry::EndpointRegistry;

/// Most output tokens that a price comparison assumes. Tools ask for their model's maximum and use a few
/// hundred.
const OUTPUT_TOKENS_EXPECTED_MAX: u64 = 1_000;

/// Prices tokens of a model at a backend; `None` if the price is unknown.
pub type PriceFn<'a> =
    dyn Fn(&BackendId, &str, &TokenUsage, WallTime) -> Option<NanoUsd> + Sync + 'a;

/// What routing needs to know at one moment.
pub struct RoutingInputs<'a> {
    pub(crate) registry: &'a EndpointRegistry,
    pub(crate) endpoints: MutexGuard<'a, Endpoints>,
    pub(crate) price: &'a PriceFn<'a>,
    pub(crate) now: Moment,
    pub(crate) wall: WallTime,
}

impl RoutingSignals for RoutingInputs<'_> {
    fn availability(&self, endpoint: &Endpoint, model: &str) -> CandidateAvailability {
        match self.endpoints.availability(endpoint, model, self.now) {
            Availability::Ready => CandidateAvailability::Ready,
            Availability::Ramp { percent } => CandidateAvailability::Ramp(percent),
            Availability::Trial => CandidateAvailability::Trial,
            Availability::Closed { reason, .. } => {
                CandidateAvailability::Closed { reason: Cow::Borrowed(closed_clause(reason)) }
            }
        }
    }

    fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32> {
        self.registry.latencies.lock().first_token_ms(backend, model)
    }

    fn cost_nanos(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64> {
        let tokens = TokenUsage {
            input_uncached: needs.input_tokens,
            output_visible: needs.output_tokens.clamp(1, OUTPUT_TOKENS_EXPECTED_MAX),
            ..TokenUsage::default()
        };
        self.price(backend, model, &tokens)
    }

    fn warm_cost_nanos(&self, backend: &BackendId, model: &str, needs: &Needs) -> Option<u64> {
        let tokens = TokenUsage {
            cache_read: needs.input_tokens,
            output_visible: needs.output_tokens.clamp(1, OUTPUT_TOKENS_EXPECTED_MAX),
            ..TokenUsage::default()
        };
        self.price(backend, model, &tokens)
    }

    fn in_flight(&self, backend: &BackendId) -> u32 {
        self.registry.loads.lock().get(backend).map_or(0, BackendLoad::in_flight)
    }

    fn headroom_percent(&self, endpoint: &Endpoint) -> Option<u8> {
        self.registry.loads.lock().get(&endpoint.backend)?.headroom_percent(self.now)
    }

    fn last_answered_by(&self, conversation: u64) -> Option<(BackendId, String)> {
        let conversations = self.registry.conversations.lock();
        let stay = conversations.get(&conversation).filter(|stay| stay.until > self.now)?;
        Some((stay.backend.clone(), stay.model.clone()))
    }
}

impl RoutingInputs<'_> {
    fn price(&self, backend: &BackendId, model: &str, tokens: &TokenUsage) -> Option<u64> {
        let cost = (self.price)(backend, model, tokens, self.wall)?;
        u64::try_from(cost.nanos()).ok()
    }
}

/// Completes "it is skipped because …".
const fn closed_clause(reason: ClosedReason) -> &'static str {
    match reason {
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
