//! What the gateway knows of its backends at this moment: which accesses may be asked, how fast they
//! answer, how busy they are, and where a conversation has been so far.
//!
//! Routing reads it, each try changes it, and the engine keeps it over a restart and shows it. Every
//! lock is held for a few lines and never across an `await`.

mod conditions;

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
use wire::TargetKind;

pub use self::conditions::RoutingInputs;
use crate::backend_load::{BackendBusy, BackendLoad};
use crate::event::{EventSink, FailureReason, GatewayEvent, Verdict};
use crate::failure::Failure;
use crate::latency::FirstTokenLatencies;
use crate::snapshot::{Backend, ResilienceRules, Snapshot};

/// Conversations whose place is remembered; each is 64 bytes or so.
pub const CONVERSATIONS_MAX: usize = 4_096;
/// What the gateway knows of its backends at this moment.
pub struct EndpointRegistry {
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    chance: SeededEntropy,
    accesses: Mutex<Endpoints>,
    budget: Mutex<RetryBudget>,
    speeds: Mutex<FirstTokenLatencies>,
    loads: Mutex<HashMap<BackendId, BackendLoad>>,
    conversations: Mutex<HashMap<u64, StickyTarget>>,
    pauses: Mutex<PauseDetector>,
}

/// Where a conversation was answered last, and until when the provider's prompt cache is taken for warm.
struct StickyTarget {
    backend: BackendId,
    model: String,
    until: Moment,
}

impl EndpointRegistry {
    /// Nothing known yet.
    #[must_use]
    pub fn new(
        rules: &ResilienceRules,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        events: Arc<dyn EventSink>,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock,
            events,
            chance: SeededEntropy::seeded_by(entropy),
            accesses: Mutex::new(Endpoints::new(rules.breaker)),
            budget: Mutex::new(RetryBudget::new(rules.budget)),
            speeds: Mutex::default(),
            loads: Mutex::default(),
            conversations: Mutex::default(),
            pauses: Mutex::default(),
        })
    }

    /// Puts other numbers in force; states stay.
    pub fn configure(&self, rules: &ResilienceRules) {
        self.accesses.lock().set_rules(rules.breaker);
        self.budget.lock().set_rules(rules.budget);
    }

    /// How an access stands, for people. Changes nothing.
    #[must_use]
    pub fn status(&self, access: &Endpoint) -> EndpointStatus {
        self.accesses.lock().status(access, self.clock.now())
    }

    /// The models of an access that cool down by themselves. Changes nothing.
    #[must_use]
    pub fn model_cooldowns(&self, access: &Endpoint) -> Vec<ModelCooldown> {
        self.accesses.lock().model_cooldowns(access, self.clock.now())
    }

    /// Whether `access` may be asked for `model`. Changes nothing.
    #[must_use]
    pub fn availability(&self, access: &Endpoint, model: &str) -> Availability {
        self.accesses.lock().availability(access, model, self.clock.now())
    }

    /// Requests on their way to a backend, and how many may be at once by what its answers taught.
    #[must_use]
    pub fn load(&self, backend: &BackendId) -> (u32, Option<u32>) {
        let loads = self.loads.lock();
        let load = loads.get(backend);
        (load.map_or(0, BackendLoad::in_flight), load.map(BackendLoad::adaptive_limit))
    }

    /// How long a backend took to the first token before this process began. What it was seen to take
    /// since then counts more.
    pub fn load_past_speed(&self, backend: &BackendId, model: &str, first_token: Duration) {
        self.speeds.lock().recall(backend, model, first_token);
    }

    /// Holds an access open or closed, by a person's wish.
    pub fn force(&self, access: &Endpoint, forced: BreakerOverride, expires: Option<Duration>) {
        let now = self.clock.now();
        let until = expires.map(|expires| now + expires);
        let transitions = self.accesses.lock().force(access, forced, until, now);
        self.emit_transitions(transitions);
    }

    /// Forgets what is held against an access, by a person's wish.
    pub fn reset(&self, access: &Endpoint) {
        let transitions = self.accesses.lock().reset(access, self.clock.now());
        self.emit_transitions(transitions);
    }

    /// A light probe of an access ended.
    pub fn report_probe(&self, access: &Endpoint, outcome: ProbeOutcome) {
        let (now, chance) = (self.clock.now(), self.chance());
        let transitions = self.accesses.lock().report_probe(access, outcome, now, chance);
        self.emit_transitions(transitions);
    }

    /// A key was replaced, so that what was held against it holds no more.
    pub fn lift_after_credential_change(&self, credential: &CredentialId) {
        let transitions =
            self.accesses.lock().lift_after_credential_change(credential, self.clock.now());
        self.emit_transitions(transitions);
    }

    /// A person's check of a blocked access passed.
    pub fn lift_block_after_recheck(&self, access: &Endpoint) {
        let transitions = self.accesses.lock().lift_block_after_recheck(access, self.clock.now());
        self.emit_transitions(transitions);
    }

    /// Accesses that have waited for a call for so long that a probe should tell.
    #[must_use]
    pub fn endpoints_due_for_probe(&self) -> Vec<Endpoint> {
        self.accesses.lock().endpoints_due_for_probe(self.clock.now())
    }

    /// Tells what time alone has changed. The states do not depend on its being called.
    pub fn apply_elapsed_time(&self) {
        let transitions = self.accesses.lock().apply_elapsed_time(self.clock.now());
        self.emit_transitions(transitions);
    }

    /// To be called every second: a call that comes late tells of a pause of this machine.
    pub fn tick(&self) -> Option<Pause> {
        self.pauses.lock().tick(self.clock.now(), self.clock.wall())
    }

    pub(crate) fn wall(&self) -> WallTime {
        self.clock.wall()
    }

    pub(crate) fn moment(&self) -> Moment {
        self.clock.now()
    }

    /// How much of the time since then was a pause of this machine; `None` if there was none.
    #[must_use]
    pub fn paused_since(&self, since: Moment) -> Option<Duration> {
        self.pauses.lock().paused_since(since, self.clock.now(), self.clock.wall())
    }

    /// What a call that began `since` then says about its backend: a pause of this machine explains
    /// silence and broken connections, and for a while after it that nothing can be reached.
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

    /// The same for a failure of `backend`.
    pub(crate) fn without_local_pauses(
        &self,
        failure: Failure,
        backend: &BackendId,
        since: Moment,
    ) -> Failure {
        match self.verdict_without_pauses(failure.verdict, since) {
            verdict if verdict == failure.verdict => failure,
            _ => failure.paused(backend),
        }
    }

    /// What a restart must not forget.
    #[must_use]
    pub fn save(&self) -> Vec<SavedEndpoint> {
        self.accesses.lock().save(self.clock.now())
    }

    /// [`Self::save`] of these accesses.
    #[must_use]
    pub fn save_some(&self, accesses: &HashSet<&Endpoint>) -> Vec<SavedEndpoint> {
        self.accesses.lock().save_some(accesses, self.clock.now())
    }

    /// What was known before a restart, `since_saved` ago.
    pub fn restore(&self, saved: Vec<SavedEndpoint>, since_saved: Duration) {
        self.accesses.lock().restore(saved, since_saved, self.clock.now());
    }

    /// Forgets accesses that are no longer configured.
    pub fn retain(&self, is_known: impl Fn(&Endpoint) -> bool) {
        self.accesses.lock().retain(is_known);
    }

    /// The conditions of this moment, for one choice. Holds a lock: make the choice and drop it.
    #[must_use]
    pub fn routing_inputs<'a>(&'a self, snapshot: &'a Snapshot) -> RoutingInputs<'a> {
        RoutingInputs {
            live: self,
            accesses: self.accesses.lock(),
            snapshot,
            now: self.clock.now(),
        }
    }

    /// A number from 0 up to 1.
    pub fn chance(&self) -> f64 {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        // 53 bits are what a mantissa holds.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53, so exact")]
        let above = (u64::from_le_bytes(bytes) >> 11) as f64;
        above / 9_007_199_254_740_992.0
    }

    pub(crate) fn budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.budget.lock()
    }

    /// Lets a try at one of `candidates` begin, or says why not.
    pub(crate) fn admit(
        self: &Arc<Self>,
        candidate: &Candidate,
        candidates: &[Candidate],
        to: &Backend,
        load: RequestLoad,
    ) -> Result<AdmittedAttempt, NotAdmitted> {
        let now = self.clock.now();
        let mut accesses = self.accesses.lock();
        let others = candidates.iter().filter(|other| !std::ptr::eq(*other, candidate));
        let others = others.map(|other| (&other.access, other.model.as_str()));
        let admitted =
            accesses.admit_with_alternatives(&candidate.access, &candidate.model, others, now);
        let permit = admitted.map_err(NotAdmitted::Closed)?;
        self.begin(&mut accesses, permit, candidate, to, load).map_err(NotAdmitted::Busy)
    }

    /// With all candidates closed: the one that opens first, if it may be tried once.
    pub(crate) fn admit_sole_trial(
        self: &Arc<Self>,
        candidates: &[(&Candidate, &Backend)],
        load: RequestLoad,
    ) -> Option<(usize, AdmittedAttempt)> {
        let asked: Vec<_> = candidates.iter().map(|(c, _)| (&c.access, c.model.as_str())).collect();
        let mut accesses = self.accesses.lock();
        let (place, permit) = accesses.admit_sole_trial(&asked, self.clock.now())?;
        let Some((candidate, to)) = candidates.get(place) else {
            accesses.release(permit, self.clock.now());
            return None;
        };
        let trial = self.begin(&mut accesses, permit, candidate, to, load).ok()?;
        Some((place, trial))
    }

    /// What an access lets in begins, if the backend's own limits have room.
    fn begin(
        self: &Arc<Self>,
        accesses: &mut Endpoints,
        permit: Permit,
        candidate: &Candidate,
        to: &Backend,
        load: RequestLoad,
    ) -> Result<AdmittedAttempt, BackendBusy> {
        let now = self.clock.now();
        let backend = candidate.access.backend.clone();
        let entered = self.loads.lock().entry(backend.clone()).or_default().enter(
            &to.rules,
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
                taken: Some(taken),
                tokens: 0,
                is_mock: to.kind == TargetKind::Mock,
            }),
            Err(busy) => {
                accesses.release(permit, now);
                Err(busy)
            }
        }
    }

    /// When the first of them may be asked again.
    pub(crate) fn time_until_reopen<'a>(
        &self,
        candidates: impl Iterator<Item = (&'a Endpoint, &'a str)>,
    ) -> Option<Duration> {
        self.accesses.lock().time_until_reopen(candidates, self.clock.now())
    }

    /// Remembers where a conversation was answered.
    pub(crate) fn keep_conversation(
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
            self.events.emit(GatewayEvent::AccessesChanged(transitions));
        }
    }
}

/// One admitted try. Whatever becomes of it is reported once; one that is dropped says nothing and gives
/// its permit back.
pub(crate) struct AdmittedAttempt {
    registry: Arc<EndpointRegistry>,
    permit: Option<Permit>,
    request: RequestId,
    backend: BackendId,
    model: String,
    taken: Option<RatesReservation>,
    tokens: u64,
    /// The built-in mock fails because it was asked to; that must not stand in the way of the next.
    is_mock: bool,
}

/// What one request asks of a backend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestLoad {
    pub(crate) request: RequestId,
    /// Tokens that it is estimated to need.
    pub(crate) tokens: u32,
}

/// Why a try may not begin.
pub(crate) enum NotAdmitted {
    Closed(Availability),
    Busy(BackendBusy),
}

impl AdmittedAttempt {
    /// Reports how it went, and how many tokens it used.
    pub(crate) fn ended(mut self, happened: CallOutcome, tokens: u64) {
        self.tokens = tokens;
        if let CallOutcome::Success { first_token: Some(first_token) } = &happened {
            self.registry.speeds.lock().learn(&self.backend, &self.model, *first_token);
        }
        self.report(happened);
    }

    /// The first content is there.
    pub(crate) fn answer_started(&self) {
        let Some(permit) = &self.permit else { return };
        let live = &self.registry;
        let transitions =
            live.accesses.lock().answer_started(permit, self.request, live.clock.now());
        live.emit_transitions(transitions);
    }

    /// Keeps the conversation at this backend for `stay`.
    pub(crate) fn keep_conversation(&self, conversation: u64, stay: Duration) {
        self.registry.keep_conversation(conversation, &self.backend, &self.model, stay);
    }

    fn report(&mut self, happened: CallOutcome) {
        let Some(permit) = self.permit.take() else { return };
        let happened = if self.is_mock { CallOutcome::Neutral } else { happened };
        let live = &self.registry;
        let (now, chance) = (live.clock.now(), live.chance());
        let transitions = live.accesses.lock().report(permit, happened, self.request, now, chance);
        if let Some(load) = live.loads.lock().get_mut(&self.backend) {
            load.learn(&happened, now);
        }
        live.emit_transitions(transitions);
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
