//! What the gateway knows of its backends at this moment: which accesses may be asked, how fast they
//! answer, how busy they are, and where a conversation has been so far.
//!
//! Routing reads it, each try changes it, and the engine keeps it over a restart and shows it. Every
//! lock is held for a few lines and never across an `await`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, BackendId, Clock, CredentialId, Entropy, Moment, RequestId, SeededEntropy, TokenUsage,
};
use parking_lot::{Mutex, MutexGuard};
use resilience::{
    Accesses, Availability, BlockReason, ClosedWhy, Forced, Happened, LimitKind, ModelCooldown,
    Permit, ProbeOutcome, RatesTaken, RetryBudget, SavedAccess, Standing, Transition,
};
use routing::{Available, Candidate, Conditions, Needs};
use wire::TargetKind;

use crate::event::{EventSink, GatewayEvent};
use crate::load::{Busy, Load};
use crate::snapshot::{Backend, ResilienceRules, Snapshot};
use crate::speeds::Speeds;

/// Conversations whose place is remembered; each is 64 bytes or so.
pub const CONVERSATIONS_MAX: usize = 4_096;
/// Most output tokens that a comparison of prices counts with. Tools ask for their model's maximum and
/// take a few hundred.
const OUTPUT_TOKENS_EXPECTED_MAX: u64 = 1_000;

/// What the gateway knows of its backends at this moment.
pub struct Live {
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    chance: SeededEntropy,
    accesses: Mutex<Accesses>,
    budget: Mutex<RetryBudget>,
    speeds: Mutex<Speeds>,
    loads: Mutex<HashMap<BackendId, Load>>,
    conversations: Mutex<HashMap<u64, Stay>>,
}

/// Where a conversation was answered last, and until when the provider's prompt cache is taken for warm.
struct Stay {
    backend: BackendId,
    model: String,
    until: Moment,
}

impl Live {
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

    /// What a restart must not forget.
    #[must_use]
    pub fn save(&self) -> Vec<SavedAccess> {
        self.accesses.lock().save(self.clock.now())
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
    pub fn now<'a>(&'a self, snapshot: &'a Snapshot) -> LiveConditions<'a> {
        LiveConditions {
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

    /// Lets a try begin, or says why not.
    pub(crate) fn admit(
        self: &Arc<Self>,
        candidate: &Candidate,
        to: &Backend,
        work: Work,
    ) -> Result<Trial, Refused> {
        let now = self.clock.now();
        let mut accesses = self.accesses.lock();
        let admitted = accesses.admit(&candidate.access, &candidate.model, now);
        let permit = admitted.map_err(Refused::Closed)?;
        self.begin(&mut accesses, permit, candidate, to, work).map_err(Refused::Busy)
    }

    /// With all candidates closed: the one that opens first, if it may be tried once.
    pub(crate) fn admit_nearest(
        self: &Arc<Self>,
        candidates: &[(&Candidate, &Backend)],
        work: Work,
    ) -> Option<(usize, Trial)> {
        let asked: Vec<_> = candidates.iter().map(|(c, _)| (&c.access, c.model.as_str())).collect();
        let mut accesses = self.accesses.lock();
        let (place, permit) = accesses.admit_nearest(&asked, self.clock.now())?;
        let Some((candidate, to)) = candidates.get(place) else {
            accesses.release(permit, self.clock.now());
            return None;
        };
        let trial = self.begin(&mut accesses, permit, candidate, to, work).ok()?;
        Some((place, trial))
    }

    /// What an access lets in begins, if the backend's own limits have room.
    fn begin(
        self: &Arc<Self>,
        accesses: &mut Accesses,
        permit: Permit,
        candidate: &Candidate,
        to: &Backend,
        work: Work,
    ) -> Result<Trial, Busy> {
        let now = self.clock.now();
        let backend = candidate.access.backend.clone();
        let entered = self.loads.lock().entry(backend.clone()).or_default().enter(
            &to.rules,
            work.tokens,
            now,
        );
        match entered {
            Ok(taken) => Ok(Trial {
                live: Arc::clone(self),
                permit: Some(permit),
                request: work.request,
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
pub(crate) struct Trial {
    live: Arc<Live>,
    permit: Option<Permit>,
    request: RequestId,
    backend: BackendId,
    model: String,
    taken: Option<RatesTaken>,
    tokens: u64,
    /// The built-in mock fails because it was asked to; that must not stand in the way of the next.
    is_mock: bool,
}

/// What a try is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) request: RequestId,
    /// Tokens that it is estimated to need.
    pub(crate) tokens: u32,
}

/// Why a try may not begin.
pub(crate) enum Refused {
    Closed(Availability),
    Busy(Busy),
}

impl Trial {
    /// Reports how it went, and how many tokens it used.
    pub(crate) fn ended(mut self, happened: Happened, tokens: u64) {
        self.tokens = tokens;
        if let Happened::Success { first_token: Some(first_token) } = &happened {
            self.live.speeds.lock().learn(&self.backend, &self.model, *first_token);
        }
        self.report(happened);
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
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

impl Drop for Trial {
    fn drop(&mut self) {
        self.report(Happened::Nothing);
        let mut loads = self.live.loads.lock();
        if let (Some(load), Some(taken)) = (loads.get_mut(&self.backend), self.taken.take()) {
            load.leave(taken, self.tokens, self.live.clock.now());
        }
    }
}

/// The conditions of one moment.
pub struct LiveConditions<'a> {
    live: &'a Live,
    accesses: MutexGuard<'a, Accesses>,
    snapshot: &'a Snapshot,
    now: Moment,
}

impl Conditions for LiveConditions<'_> {
    fn availability(&self, access: &Access, model: &str) -> Available {
        match self.accesses.availability(access, model, self.now) {
            Availability::Ready => Available::Ready,
            Availability::Ramp { percent } => Available::Ramp(percent),
            Availability::Trial => Available::Trial,
            Availability::Closed { why, until } => Available::Closed {
                why: Cow::Borrowed(closed_in_words(why)),
                secs_left: until.map(|until| until.since(self.now).as_secs()),
            },
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
        self.live.loads.lock().get(backend).map_or(0, Load::in_flight)
    }

    fn headroom_percent(&self, access: &Access) -> Option<u8> {
        self.live.loads.lock().get(&access.backend)?.headroom_percent(self.now)
    }

    fn stays_with(&self, conversation: u64) -> Option<(BackendId, String)> {
        let conversations = self.live.conversations.lock();
        let stay = conversations.get(&conversation).filter(|stay| stay.until > self.now)?;
        Some((stay.backend.clone(), stay.model.clone()))
    }
}

impl LiveConditions<'_> {
    fn price(&self, backend: &BackendId, model: &str, tokens: &TokenUsage) -> Option<u64> {
        let provider = self.snapshot.backends.get(backend)?.provider();
        let at = self.live.clock.wall();
        let price = self.snapshot.prices.find(backend, provider, model, at)?;
        u64::try_from(price.cost(tokens)?.micros()).ok()
    }
}

/// Completes "it is passed by because …".
const fn closed_in_words(why: ClosedWhy) -> &'static str {
    match why {
        ClosedWhy::BreakerOpen => "its breaker is open",
        ClosedWhy::HalfOpenBusy => "another request is trying whether it answers again",
        ClosedWhy::CoolingDown(LimitKind::Rate) => "it asked for fewer requests",
        ClosedWhy::CoolingDown(LimitKind::DailyQuota) => "its quota is used up",
        ClosedWhy::Blocked(BlockReason::KeyRejected) => "it rejected the key",
        ClosedWhy::Blocked(BlockReason::Forbidden) => "the key may not do this there",
        ClosedWhy::Blocked(BlockReason::Unpaid) => "its account has no money",
        ClosedWhy::Blocked(BlockReason::QuotaExhausted) => "its spend limit is reached",
        ClosedWhy::ForcedOpen => "it is held open by hand",
    }
}
