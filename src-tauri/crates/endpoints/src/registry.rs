//! The live state of all endpoints. Attempts change it, routing reads it, and the engine saves it over a
//! restart and shows it. Every lock is held for a few lines and never across an `await`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{
    BackendId, Clock, CredentialId, Endpoint, Entropy, Moment, RequestId, SeededEntropy, WallTime,
};
use parking_lot::{Mutex, MutexGuard};
use resilience::{
    Availability, BreakerOverride, CallOutcome, EndpointStatus, EndpointTransition, Endpoints,
    ModelCooldown, PAUSE_GRACE, Pause, PauseDetector, Permit, ProbeOutcome, RatesReservation,
    RetryBudget, SavedEndpoint,
};
use routing::Candidate;

use crate::backend_load::{BackendBusy, BackendLoad, BackendTraffic};
use crate::cut_off::CutOff;
use crate::latency::FirstTokenLatencies;
use crate::quotas::{QuotaLeft, Quotas};
use crate::routing_inputs::{PriceFn, RoutingInputs};
use crate::rules::ResilienceRules;
use crate::verdict::{FailureReason, Verdict};

/// Receives transitions of endpoints. Called while a request is handled, so it must not block.
pub type TransitionSink = Box<dyn Fn(Vec<EndpointTransition>) + Send + Sync>;

/// Conversations whose backend is remembered; each takes some 64 bytes.
pub const CONVERSATIONS_MAX: usize = 4_096;

/// The live state of all endpoints.
pub struct EndpointRegistry {
    clock: Arc<dyn Clock>,
    transitions: TransitionSink,
    chance: SeededEntropy,
    pub(crate) endpoints: Mutex<Endpoints>,
    budget: Mutex<RetryBudget>,
    pub(crate) latencies: Mutex<FirstTokenLatencies>,
    pub(crate) loads: Mutex<HashMap<BackendId, BackendLoad>>,
    pub(crate) conversations: Mutex<HashMap<u64, StickyTarget>>,
    pauses: Mutex<PauseDetector>,
    cut_off: Mutex<CutOff>,
    quotas: Mutex<Quotas>,
    /// Keys that never were replaced are missing.
    key_generations: Mutex<HashMap<CredentialId, KeyGeneration>>,
}

/// Which secret of a key is meant: how often it was replaced since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyGeneration(u64);

/// The backend that answered a conversation last, until its prompt cache is assumed to be cold.
pub(crate) struct StickyTarget {
    pub(crate) backend: BackendId,
    pub(crate) model: String,
    pub(crate) until: Moment,
}

impl EndpointRegistry {
    /// A registry that knows nothing yet.
    #[must_use]
    pub fn new(
        rules: &ResilienceRules,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        transitions: TransitionSink,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock,
            transitions,
            chance: SeededEntropy::seeded_by(entropy),
            endpoints: Mutex::new(Endpoints::new(rules.breaker)),
            budget: Mutex::new(RetryBudget::new(rules.budget)),
            latencies: Mutex::default(),
            loads: Mutex::default(),
            conversations: Mutex::default(),
            pauses: Mutex::default(),
            cut_off: Mutex::default(),
            quotas: Mutex::default(),
            key_generations: Mutex::default(),
        })
    }

    /// Changes the rules; states stay.
    pub fn configure(&self, rules: &ResilienceRules) {
        self.endpoints.lock().set_rules(rules.breaker);
        self.budget.lock().set_rules(rules.budget);
    }

    /// The status of an endpoint, for people. Changes nothing.
    #[must_use]
    pub fn status(&self, endpoint: &Endpoint) -> EndpointStatus {
        self.endpoints.lock().status(endpoint, self.clock.now())
    }

    /// The models of an endpoint that cool down by themselves. Changes nothing.
    #[must_use]
    pub fn model_cooldowns(&self, endpoint: &Endpoint) -> Vec<ModelCooldown> {
        self.endpoints.lock().model_cooldowns(endpoint, self.clock.now())
    }

    /// The availability of `model` at an endpoint. Changes nothing.
    #[must_use]
    pub fn availability(&self, endpoint: &Endpoint, model: &str) -> Availability {
        self.endpoints.lock().availability(endpoint, model, self.clock.now())
    }

    /// Takes in what an answer said of the account's limits.
    pub fn record_quotas(&self, endpoint: &Endpoint, quotas: Vec<QuotaLeft>) {
        if !quotas.is_empty() {
            self.quotas.lock().record(endpoint, quotas, self.clock.now());
        }
    }

    /// The limit of which the smallest share is left; `None` if its provider said nothing, or not
    /// since it renewed.
    #[must_use]
    pub fn scarcest_quota(&self, endpoint: &Endpoint) -> Option<QuotaLeft> {
        self.quotas.lock().scarcest(endpoint, self.clock.now())
    }

    /// Requests in flight to a backend, and the adaptive limit on them.
    #[must_use]
    pub fn load(&self, backend: &BackendId) -> (u32, Option<u32>) {
        let loads = self.loads.lock();
        let load = loads.get(backend);
        (load.map_or(0, BackendLoad::in_flight), load.map(BackendLoad::adaptive_limit))
    }

    /// Sets the time to the first token as measured before this process began. Later measurements take
    /// precedence.
    pub fn load_past_speed(&self, backend: &BackendId, model: &str, first_token: Duration) {
        self.latencies.lock().recall(backend, model, first_token);
    }

    /// Sets a manual override of an endpoint.
    pub fn force(&self, endpoint: &Endpoint, forced: BreakerOverride, expires: Option<Duration>) {
        let now = self.clock.now();
        let until = expires.map(|expires| now + expires);
        let transitions = self.endpoints.lock().force(endpoint, forced, until, now);
        self.emit_transitions(transitions);
    }

    /// Clears all restrictions of an endpoint, on a user's request.
    pub fn reset(&self, endpoint: &Endpoint) {
        let transitions = self.endpoints.lock().reset(endpoint, self.clock.now());
        self.emit_transitions(transitions);
    }

    /// Reports the end of an unbilled probe.
    pub fn report_probe(&self, endpoint: &Endpoint, outcome: ProbeOutcome) {
        let (now, chance) = (self.clock.now(), self.chance());
        let transitions = self.endpoints.lock().report_probe(endpoint, outcome, now, chance);
        self.emit_transitions(transitions);
    }

    /// The generation of a key's secret. Ask before the secret is read: what a call with an earlier
    /// one met says nothing of the present one.
    #[must_use]
    pub fn key_generation(&self, credential: &CredentialId) -> KeyGeneration {
        self.key_generations.lock().get(credential).copied().unwrap_or_default()
    }

    /// Begins the next generation of a key that was replaced, and lifts its restrictions.
    pub fn lift_after_credential_change(&self, credential: &CredentialId) {
        self.key_generations.lock().entry(credential.clone()).or_default().0 += 1;
        let transitions =
            self.endpoints.lock().lift_after_credential_change(credential, self.clock.now());
        self.emit_transitions(transitions);
    }

    /// Lifts the block of an endpoint whose recheck passed.
    pub fn lift_block_after_recheck(&self, endpoint: &Endpoint) {
        let transitions =
            self.endpoints.lock().lift_block_after_recheck(endpoint, self.clock.now());
        self.emit_transitions(transitions);
    }

    /// Endpoints that have waited for a call so long that a probe should decide.
    #[must_use]
    pub fn endpoints_due_for_probe(&self) -> Vec<Endpoint> {
        self.endpoints.lock().endpoints_due_for_probe(self.clock.now())
    }

    /// Emits transitions that time alone has caused. The states do not depend on this call.
    pub fn apply_elapsed_time(&self) {
        let transitions = self.endpoints.lock().apply_elapsed_time(self.clock.now());
        self.emit_transitions(transitions);
    }

    /// Call it every second: a late call reveals a pause of this machine.
    pub fn tick(&self) -> Option<Pause> {
        self.pauses.lock().tick(self.clock.now(), self.clock.wall())
    }

    pub fn wall(&self) -> WallTime {
        self.clock.wall()
    }

    pub fn moment(&self) -> Moment {
        self.clock.now()
    }

    /// The part of the time since `since` in which this machine was paused; `None` if it was not.
    #[must_use]
    pub fn paused_since(&self, since: Moment) -> Option<Duration> {
        self.pauses.lock().paused_since(since, self.clock.now(), self.clock.wall())
    }

    /// True for [`PAUSE_GRACE`] after this machine slept or the program was suspended: the network may
    /// not be back, and what is known is from before.
    #[must_use]
    pub fn is_resuming(&self) -> bool {
        self.paused_since(self.clock.now() - PAUSE_GRACE).is_some()
    }

    /// True if a pause of this machine explains the failure of a probe that began at `since`: one
    /// since then, or so shortly before that the network may not have been back.
    #[must_use]
    pub fn pause_explains(&self, since: Moment) -> bool {
        self.paused_since(since - PAUSE_GRACE).is_some()
    }

    /// Corrects the verdict of a call that began at `since`: a pause of this machine explains silence and
    /// broken connections, and for a while afterwards failures to connect.
    #[must_use]
    pub fn verdict_without_pauses(&self, verdict: Verdict, since: Moment) -> Verdict {
        let since = match verdict {
            Verdict::BackendFailure(FailureReason::Timeout) => since,
            Verdict::BackendFailure(
                FailureReason::Dns
                | FailureReason::Connect
                | FailureReason::Tls
                | FailureReason::Broken,
            ) => since - PAUSE_GRACE,
            _ => return verdict,
        };
        if self.paused_since(since).is_some() { Verdict::NotSent } else { verdict }
    }

    /// Takes in which backends the network keeps from being reached; `None` while it works. When it
    /// is back, breakers that it may have opened are closed, so that no request is refused for it.
    pub fn set_cut_off(&self, backends: Option<HashSet<BackendId>>) {
        let now = self.clock.now();
        let Some(over) = self.cut_off.lock().set(backends, now) else { return };
        let is_behind = |endpoint: &Endpoint| over.backends.contains(&endpoint.backend);
        let transitions = self.endpoints.lock().forget_failures(over.doubtful, is_behind, now);
        self.emit_transitions(transitions);
    }

    /// True if the network explains the failure of a call to `backend` that began at `since`.
    #[must_use]
    pub fn is_networks_fault(&self, verdict: Verdict, backend: &BackendId, since: Moment) -> bool {
        let is_broken = verdict == Verdict::BackendFailure(FailureReason::Broken);
        (verdict.is_unreached() || is_broken) && self.cut_off.lock().has_cut_off(backend, since)
    }

    /// The state that a restart must not lose.
    #[must_use]
    pub fn save(&self) -> Vec<SavedEndpoint> {
        self.endpoints.lock().save(self.clock.now())
    }

    /// [`Self::save`] for these endpoints.
    #[must_use]
    pub fn save_some(&self, endpoints: &HashSet<&Endpoint>) -> Vec<SavedEndpoint> {
        self.endpoints.lock().save_some(endpoints, self.clock.now())
    }

    /// Restores a state that was saved `since_saved` ago.
    pub fn restore(&self, saved: Vec<SavedEndpoint>, since_saved: Duration) {
        self.endpoints.lock().restore(saved, since_saved, self.clock.now());
    }

    /// Drops endpoints that are no longer configured.
    pub fn retain(&self, is_known: impl Fn(&Endpoint) -> bool) {
        self.endpoints.lock().retain(is_known);
    }

    /// What routing needs to know now. Holds a lock: choose and drop it. `price` prices tokens.
    #[must_use]
    pub fn routing_inputs<'a>(&'a self, price: &'a PriceFn<'a>) -> RoutingInputs<'a> {
        RoutingInputs {
            registry: self,
            endpoints: self.endpoints.lock(),
            price,
            now: self.clock.now(),
            wall: self.clock.wall(),
        }
    }

    /// A random number from 0 up to, not including, 1.
    pub fn chance(&self) -> f64 {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        // 53 bits are what a mantissa holds.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53, so exact")]
        let above = (u64::from_le_bytes(bytes) >> 11) as f64;
        above / 9_007_199_254_740_992.0
    }

    pub fn budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.budget.lock()
    }

    /// Admits an attempt at one of `candidates`.
    pub fn admit(
        self: &Arc<Self>,
        candidate: &Candidate,
        candidates: &[Candidate],
        traffic: BackendTraffic,
        load: RequestLoad,
    ) -> Result<AdmittedAttempt, NotAdmitted> {
        let now = self.clock.now();
        let mut endpoints = self.endpoints.lock();
        let others = candidates.iter().filter(|other| !std::ptr::eq(*other, candidate));
        let others = others.map(|other| (&other.endpoint, other.model.as_str()));
        let admitted =
            endpoints.admit_with_alternatives(&candidate.endpoint, &candidate.model, others, now);
        let permit = admitted.map_err(NotAdmitted::Closed)?;
        self.begin(&mut endpoints, permit, candidate, traffic, load).map_err(NotAdmitted::Busy)
    }

    /// With all candidates closed, admits a trial of the one that opens first, if one may begin.
    pub fn admit_sole_trial(
        self: &Arc<Self>,
        candidates: &[(&Candidate, BackendTraffic)],
        load: RequestLoad,
    ) -> Option<(usize, AdmittedAttempt)> {
        let asked: Vec<_> =
            candidates.iter().map(|(c, _)| (&c.endpoint, c.model.as_str())).collect();
        let mut endpoints = self.endpoints.lock();
        let (index, permit) = endpoints.admit_sole_trial(&asked, self.clock.now())?;
        let Some(&(candidate, traffic)) = candidates.get(index) else {
            endpoints.release(permit, self.clock.now());
            return None;
        };
        let attempt = self.begin(&mut endpoints, permit, candidate, traffic, load).ok()?;
        Some((index, attempt))
    }

    /// Starts an admitted attempt if the backend's limits have room.
    fn begin(
        self: &Arc<Self>,
        endpoints: &mut Endpoints,
        permit: Permit,
        candidate: &Candidate,
        traffic: BackendTraffic,
        load: RequestLoad,
    ) -> Result<AdmittedAttempt, BackendBusy> {
        let now = self.clock.now();
        let backend = candidate.endpoint.backend.clone();
        let credential = candidate.endpoint.credential.as_ref();
        let key_generation = credential.map(|it| self.key_generation(it)).unwrap_or_default();
        let entered = self.loads.lock().entry(backend.clone()).or_default().enter(
            &traffic.rules,
            load.tokens,
            now,
        );
        match entered {
            Ok(taken) => Ok(AdmittedAttempt {
                registry: Arc::clone(self),
                permit: Some(permit),
                request: load.request,
                backend,
                model: candidate.model.clone(),
                key_generation,
                taken: Some(taken),
                tokens: 0,
                is_mock: traffic.is_mock,
            }),
            Err(busy) => {
                endpoints.release(permit, now);
                Err(busy)
            }
        }
    }

    /// Time until the first of the candidates may be called again.
    pub fn time_until_reopen<'a>(
        &self,
        candidates: impl Iterator<Item = (&'a Endpoint, &'a str)>,
    ) -> Option<Duration> {
        self.endpoints.lock().time_until_reopen(candidates, self.clock.now())
    }

    /// Remembers the backend that answered a conversation.
    pub fn keep_conversation(
        &self,
        conversation: u64,
        backend: &BackendId,
        model: &str,
        stay: Duration,
    ) {
        let now = self.clock.now();
        let mut conversations = self.conversations.lock();
        if conversations.len() >= CONVERSATIONS_MAX && !conversations.contains_key(&conversation) {
            conversations.retain(|_, stay| stay.until > now);
        }
        if conversations.len() < CONVERSATIONS_MAX || conversations.contains_key(&conversation) {
            let (backend, model) = (backend.clone(), model.to_owned());
            conversations.insert(conversation, StickyTarget { backend, model, until: now + stay });
        }
    }

    fn emit_transitions(&self, transitions: Vec<EndpointTransition>) {
        if !transitions.is_empty() {
            (self.transitions)(transitions);
        }
    }
}

/// An admitted attempt. Its outcome is reported once; dropping it returns the permit and reports nothing.
pub struct AdmittedAttempt {
    registry: Arc<EndpointRegistry>,
    permit: Option<Permit>,
    request: RequestId,
    backend: BackendId,
    model: String,
    key_generation: KeyGeneration,
    taken: Option<RatesReservation>,
    tokens: u64,
    /// The built-in mock fails on request, which must not open its breaker.
    is_mock: bool,
}

/// What one request asks of a backend.
#[derive(Debug, Clone, Copy)]
pub struct RequestLoad {
    pub request: RequestId,
    /// Estimated.
    pub tokens: u32,
}

/// Why an attempt may not begin.
pub enum NotAdmitted {
    Closed(Availability),
    Busy(BackendBusy),
}

impl AdmittedAttempt {
    /// The generation of the key that it is sent with, which is read later.
    #[must_use]
    pub const fn key_generation(&self) -> KeyGeneration {
        self.key_generation
    }

    /// Reports the outcome and the tokens used.
    pub fn ended(mut self, outcome: CallOutcome, tokens: u64) {
        self.tokens = tokens;
        if let CallOutcome::Success { first_token: Some(first_token) } = &outcome {
            self.registry.latencies.lock().learn(&self.backend, &self.model, *first_token);
        }
        self.report(outcome);
    }

    /// Reports the first content.
    pub fn answer_started(&self) {
        let Some(permit) = &self.permit else { return };
        let registry = &self.registry;
        let transitions =
            registry.endpoints.lock().answer_started(permit, self.request, registry.clock.now());
        registry.emit_transitions(transitions);
    }

    /// Keeps the conversation at this backend for `stay`.
    pub fn keep_conversation(&self, conversation: u64, stay: Duration) {
        self.registry.keep_conversation(conversation, &self.backend, &self.model, stay);
    }

    fn report(&mut self, outcome: CallOutcome) {
        let Some(permit) = self.permit.take() else { return };
        let registry = &self.registry;
        let credential = permit.endpoint().credential.as_ref();
        let is_replaced =
            credential.is_some_and(|it| registry.key_generation(it) != self.key_generation);
        let outcome = match outcome {
            _ if self.is_mock => CallOutcome::Neutral,
            // The limits of an earlier secret are not those of the present one.
            CallOutcome::RateLimited { .. } if is_replaced => CallOutcome::Neutral,
            outcome => outcome,
        };
        let (now, chance) = (registry.clock.now(), registry.chance());
        let transitions =
            registry.endpoints.lock().report(permit, outcome, self.request, now, chance);
        if let Some(load) = registry.loads.lock().get_mut(&self.backend) {
            load.learn(&outcome, now);
        }
        registry.emit_transitions(transitions);
    }
}

impl Drop for AdmittedAttempt {
    fn drop(&mut self) {
        self.report(CallOutcome::Neutral);
        let mut loads = self.registry.loads.lock();
        if let (Some(load), Some(taken)) = (loads.get_mut(&self.backend), self.taken.take()) {
            load.leave(taken, self.tokens, self.registry.clock.now());
        }
    }
}
