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
    Access, BackendId, Clock, CredentialId, Entropy, Moment, RequestId, SeededEntropy, WallTime,
};
use parking_lot::{Mutex, MutexGuard};
use resilience::{
    Accesses, Availability, Forced, Happened, ModelCooldown, PAUSE_GRACE, Pause, Pauses, Permit,
    ProbeOutcome, RatesTaken, RetryBudget, SavedAccess, Standing, Transition,
};
use routing::Candidate;
use wire::TargetKind;

pub use self::conditions::RoutingInputs;
use crate::event::{EventSink, FailureReason, GatewayEvent, Verdict};
use crate::failure::Failure;
use crate::load::{BackendBusy, Load};
use crate::snapshot::{Backend, ResilienceRules, Snapshot};
use crate::speeds::Speeds;

/// Conversations whose place is remembered; each is 64 bytes or so.
pub const CONVERSATIONS_MAX: usize = 4_096;
/// What the gateway knows of its backends at this moment.
pub struct EndpointRegistry {
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    chance: SeededEntropy,
    accesses: Mutex<Accesses>,
    budget: Mutex<RetryBudget>,
    speeds: Mutex<Speeds>,
    loads: Mutex<HashMap<BackendId, Load>>,
    conversations: Mutex<HashMap<u64, Stay>>,
    pauses: Mutex<Pauses>,
}

/// Where a conversation was answered last, and until when the provider's prompt cache is taken for warm.
struct Stay {
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
            accesses: Mutex::new(Accesses::new(rules.breaker)),
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
    pub fn standing(&self, access: &Access) -> Standing {
        self.accesses.lock().standing(access, self.clock.now())
    }

    /// The models of an access that cool down by themselves. Changes nothing.
    #[must_use]
    pub fn model_cooldowns(&self, access: &Access) -> Vec<ModelCooldown> {
        self.accesses.lock().model_cooldowns(access, self.clock.now())
    }

    /// Whether `access` may be asked for `model`. Changes nothing.
    #[must_use]
    pub fn availability(&self, access: &Access, model: &str) -> Availability {
        self.accesses.lock().availability(access, model, self.clock.now())
    }

    /// Requests on their way to a backend, and how many may be at once by what its answers taught.
    #[must_use]
    pub fn load(&self, backend: &BackendId) -> (u32, Option<u32>) {
        let loads = self.loads.lock();
        let load = loads.get(backend);
        (load.map_or(0, Load::in_flight), load.map(Load::adaptive_limit))
    }

    /// How long a backend took to the first token before this process began. What it was seen to take
    /// since then counts more.
    pub fn recall_speed(&self, backend: &BackendId, model: &str, first_token: Duration) {
        self.speeds.lock().recall(backend, model, first_token);
    }

    /// Holds an access open or closed, by a person's wish.
    pub fn force(&self, access: &Access, forced: Forced, expires: Option<Duration>) {
        let now = self.clock.now();
        let until = expires.map(|expires| now + expires);
        let transitions = self.accesses.lock().force(access, forced, until, now);
        self.tell(transitions);
    }

    /// Forgets what is held against an access, by a person's wish.
    pub fn reset(&self, access: &Access) {
        let transitions = self.accesses.lock().reset(access, self.clock.now());
        self.tell(transitions);
    }

    /// A light probe of an access ended.
    pub fn probed(&self, access: &Access, outcome: ProbeOutcome) {
        let (now, chance) = (self.clock.now(), self.chance());
        let transitions = self.accesses.lock().probed(access, outcome, now, chance);
        self.tell(transitions);
    }

    /// A key was replaced, so that what was held against it holds no more.
    pub fn credential_changed(&self, credential: &CredentialId) {
        let transitions = self.accesses.lock().credential_changed(credential, self.clock.now());
        self.tell(transitions);
    }

    /// A person's check of a blocked access passed.
    pub fn recheck_passed(&self, access: &Access) {
        let transitions = self.accesses.lock().recheck_passed(access, self.clock.now());
        self.tell(transitions);
    }

    /// Accesses that have waited for a call for so long that a probe should tell.
    #[must_use]
    pub fn wants_probe(&self) -> Vec<Access> {
        self.accesses.lock().wants_probe(self.clock.now())
    }

    /// Tells what time alone has changed. The states do not depend on its being called.
    pub fn lapse(&self) {
        let transitions = self.accesses.lock().lapse(self.clock.now());
        self.tell(transitions);
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
        self.pauses.lock().since(since, self.clock.now(), self.clock.wall())
    }

    /// What a call that began `since` then says about its backend: a pause of this machine explains
    /// silence and broken connections, and for a while after it that nothing can be reached.
    #[must_use]
    pub fn judged(&self, verdict: Verdict, since: Moment) -> Verdict {
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
    pub(crate) fn explained(
        &self,
        failure: Failure,
        backend: &BackendId,
        since: Moment,
    ) -> Failure {
        match self.judged(failure.verdict, since) {
            verdict if verdict == failure.verdict => failure,
            _ => failure.paused(backend),
        }
    }

    /// What a restart must not forget.
    #[must_use]
    pub fn save(&self) -> Vec<SavedAccess> {
        self.accesses.lock().save(self.clock.now())
    }

    /// [`Self::save`] of these accesses.
    #[must_use]
    pub fn save_some(&self, accesses: &HashSet<&Access>) -> Vec<SavedAccess> {
        self.accesses.lock().save_some(accesses, self.clock.now())
    }

    /// What was known before a restart, `since_saved` ago.
    pub fn restore(&self, saved: Vec<SavedAccess>, since_saved: Duration) {
        self.accesses.lock().restore(saved, since_saved, self.clock.now());
    }

    /// Forgets accesses that are no longer configured.
    pub fn retain(&self, is_known: impl Fn(&Access) -> bool) {
        self.accesses.lock().retain(is_known);
    }

    /// The conditions of this moment, for one choice. Holds a lock: make the choice and drop it.
    #[must_use]
    pub fn now<'a>(&'a self, snapshot: &'a Snapshot) -> RoutingInputs<'a> {
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
        let admitted = accesses.admit_beside(&candidate.access, &candidate.model, others, now);
        let permit = admitted.map_err(NotAdmitted::Closed)?;
        self.begin(&mut accesses, permit, candidate, to, load).map_err(NotAdmitted::Busy)
    }

    /// With all candidates closed: the one that opens first, if it may be tried once.
    pub(crate) fn admit_nearest(
        self: &Arc<Self>,
        candidates: &[(&Candidate, &Backend)],
        load: RequestLoad,
    ) -> Option<(usize, AdmittedAttempt)> {
        let asked: Vec<_> = candidates.iter().map(|(c, _)| (&c.access, c.model.as_str())).collect();
        let mut accesses = self.accesses.lock();
        let (place, permit) = accesses.admit_nearest(&asked, self.clock.now())?;
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
        accesses: &mut Accesses,
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
                live: Arc::clone(self),
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
    pub(crate) fn nearest_reopen<'a>(
        &self,
        candidates: impl Iterator<Item = (&'a Access, &'a str)>,
    ) -> Option<Duration> {
        self.accesses.lock().nearest_reopen(candidates, self.clock.now())
    }

    /// Remembers where a conversation was answered.
    pub(crate) fn answered(
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
            conversations.insert(conversation, Stay { backend, model, until: now + stay });
        }
    }

    fn tell(&self, transitions: Vec<Transition>) {
        if !transitions.is_empty() {
            self.events.emit(GatewayEvent::AccessesChanged(transitions));
        }
    }
}

/// One admitted try. Whatever becomes of it is reported once; one that is dropped says nothing and gives
/// its permit back.
pub(crate) struct AdmittedAttempt {
    live: Arc<EndpointRegistry>,
    permit: Option<Permit>,
    request: RequestId,
    backend: BackendId,
    model: String,
    taken: Option<RatesTaken>,
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
    pub(crate) fn ended(mut self, happened: Happened, tokens: u64) {
        self.tokens = tokens;
        if let Happened::Success { first_token: Some(first_token) } = &happened {
            self.live.speeds.lock().learn(&self.backend, &self.model, *first_token);
        }
        self.report(happened);
    }

    /// The first content is there.
    pub(crate) fn answering(&self) {
        let Some(permit) = &self.permit else { return };
        let live = &self.live;
        let transitions = live.accesses.lock().answering(permit, self.request, live.clock.now());
        live.tell(transitions);
    }

    /// Keeps the conversation at this backend for `stay`.
    pub(crate) fn keep_conversation(&self, conversation: u64, stay: Duration) {
        self.live.answered(conversation, &self.backend, &self.model, stay);
    }

    fn report(&mut self, happened: Happened) {
        let Some(permit) = self.permit.take() else { return };
        let happened = if self.is_mock { Happened::Nothing } else { happened };
        let live = &self.live;
        let (now, chance) = (live.clock.now(), live.chance());
        let transitions = live.accesses.lock().report(permit, happened, self.request, now, chance);
        if let Some(load) = live.loads.lock().get_mut(&self.backend) {
            load.learn(&happened, now);
        }
        live.tell(transitions);
    }
}

impl Drop for AdmittedAttempt {
    fn drop(&mut self) {
        self.report(Happened::Nothing);
        let mut loads = self.live.loads.lock();
        if let (Some(load), Some(taken)) = (loads.get_mut(&self.backend), self.taken.take()) {
            load.leave(taken, self.tokens, self.live.clock.now());
        }
    }
}
