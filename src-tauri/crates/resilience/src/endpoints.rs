//! The state of all endpoints: whether each may be used now, and the results of its calls.
//!
//! Three independent mechanisms: the breaker handles failures of the endpoint, the cooldown rate
//! limits, and the block errors that only the user can fix. Each event counts in one of them only.

mod relief;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Endpoint, Moment, RequestId};

use crate::availability::{Availability, ClosedReason};
use crate::block::BlockReason;
use crate::breaker::{AdmitDecision, BreakerEvent, CountedOutcome, TrialKind};
use crate::cooldown::{LimitKind, LimitScope, RateLimitSignal};
use crate::manual_override::{ActiveOverride, BreakerOverride};
use crate::probe_outcome::ProbeOutcome;
use crate::rules::BreakerRules;
use crate::status::{EndpointStatus, ModelCooldown};
use crate::tracked_endpoint::TrackedEndpoint;
use crate::transition::EndpointTransition;

/// Maximum number of endpoints with state. At the limit, one without anything to remember is
/// dropped; if there is none, any further endpoint is always ready.
pub const ENDPOINTS_MAX: usize = 512;

/// Maximum number of transitions kept until they are returned. The oldest are dropped first.
pub const TRANSITIONS_QUEUED_MAX: usize = 1_024;

/// Suggested wait while a half-open trial is in flight, which has no known end.
pub const TRIAL_RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    pub(crate) rules: BreakerRules,
    pub(crate) entries: BTreeMap<Endpoint, TrackedEndpoint>,
    transitions: Vec<EndpointTransition>,
}

/// Permission for one call. Always return it through [`Endpoints::report`] or [`Endpoints::release`]:
/// a half-open breaker lets no other call through until then.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not given back keeps a half-open breaker busy"]
pub struct Permit {
    endpoint: Endpoint,
    model: String,
    /// Breaker generation at admission; `None` if the breaker does not count this call.
    generation: Option<u32>,
    key_generation: u32,
    trial: TrialKind,
}

/// The result of a call, as far as the endpoint's state is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    Success {
        /// Time to the first token; `None` for answers without one (embeddings, lists).
        first_token: Option<Duration>,
    },
    Failure {
        weight: FailureWeight,
        /// The wait the server asks for. It replaces the open time if it is longer.
        retry_after: Option<Duration>,
    },
    /// The server answered 429.
    RateLimited {
        scope: LimitScope,
        /// The wait the server asks for; `None` if it names none.
        wait: Option<Duration>,
        kind: LimitKind,
    },
    /// An error that only the user can fix.
    Blocked(BlockReason),
    /// The caller's fault (400, 404, 413, 422), a cancelled call or a local fault: no information
    /// about the endpoint.
    Neutral,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureWeight {
    Full,
    /// Half: overload (529) and non-conforming answers.
    Half,
}

impl Permit {
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl Endpoints {
    /// All endpoints start as ready.
    #[must_use]
    pub fn new(rules: BreakerRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Replaces the rules. Waits that are already running keep their end.
    pub fn set_rules(&mut self, rules: BreakerRules) {
        if rules.bucket_length() != self.rules.bucket_length() {
            self.entries.values_mut().for_each(|entry| entry.breaker.clear_window());
        }
        self.rules = rules;
    }

    #[must_use]
    pub const fn rules(&self) -> &BreakerRules {
        &self.rules
    }

    /// Availability of `model` through `endpoint` at `now`. Read-only and as cheap as a map lookup:
    /// it is called for every candidate of every request.
    #[must_use]
    pub fn availability(&self, endpoint: &Endpoint, model: &str, now: Moment) -> Availability {
        self.entries
            .get(endpoint)
            .map_or(Availability::Ready, |entry| entry.availability(model, now, &self.rules))
    }

    /// The full state of `endpoint`, for the panel. Read-only.
    #[must_use]
    pub fn status(&self, endpoint: &Endpoint, now: Moment) -> EndpointStatus {
        self.entries.get(endpoint).map_or_else(
            || TrackedEndpoint::new(now).status(now, &self.rules),
            |entry| entry.status(now, &self.rules),
        )
    }

    /// The cooldowns at `now` that apply to single models of `endpoint`.
    #[must_use]
    pub fn model_cooldowns(&self, endpoint: &Endpoint, now: Moment) -> Vec<ModelCooldown> {
        self.entries.get(endpoint).map_or_else(Vec::new, |entry| entry.model_cooldowns(now))
    }

    /// Admits a call. The error is always [`Availability::Closed`].
    pub fn admit(
        &mut self,
        endpoint: &Endpoint,
        model: &str,
        now: Moment,
    ) -> Result<Permit, Availability> {
        if !self.entries.contains_key(endpoint) && !self.make_room(now) {
            return Ok(Permit::new(endpoint, model, None, 0));
        }
        let mut log = Vec::new();
        let entry =
            self.entries.entry(endpoint.clone()).or_insert_with(|| TrackedEndpoint::new(now));
        entry.apply_due(endpoint, now, &self.rules, &mut log);
        let availability = entry.availability(model, now, &self.rules);
        let admitted = match availability {
            Availability::Closed { .. } => Err(availability),
            _ => Ok(entry.breaker.admit(now, &self.rules)),
        };
        // A breaker that only monitors or is disabled also lets calls through that it does not
        // count.
        let permit = admitted.map(|admitted| {
            let generation = (admitted == AdmitDecision::Counted && entry.counts_calls(now))
                .then_some(entry.breaker.generation);
            Permit::new(endpoint, model, generation, entry.key_generation)
        });
        self.queue_transitions(log);
        permit
    }

    /// Like [`Self::admit`], for a request that `others` could answer too. If all of them are
    /// closed, a successful trial closes the breaker at once: a ramp would protect nobody.
    pub fn admit_with_alternatives<'a>(
        &mut self,
        endpoint: &Endpoint,
        model: &str,
        others: impl IntoIterator<Item = (&'a Endpoint, &'a str)>,
        now: Moment,
    ) -> Result<Permit, Availability> {
        let permit = self.admit(endpoint, model, now)?;
        let is_trial =
            self.entries.get(endpoint).is_some_and(|entry| entry.is_half_open(now, &self.rules));
        let is_closed = |(other, model): (&Endpoint, &str)| {
            other == endpoint
                || matches!(self.availability(other, model, now), Availability::Closed { .. })
        };
        let is_sole = is_trial && others.into_iter().all(is_closed);
        Ok(if is_sole { Permit { trial: TrialKind::Sole, ..permit } } else { permit })
    }

    /// If all of `endpoints` are closed, admits a single trial on the one whose breaker reopens
    /// first. Returns its position and the permit. A success closes the breaker at once.
    ///
    /// Skips endpoints that are blocked, cool down, are forced open or asked for a wait. Returns
    /// `None` while a trial of any of them is in flight, or until each open one has been open for
    /// [`crate::SOLE_TRIAL_AFTER`], so that not every request calls a dead group.
    pub fn admit_sole_trial(
        &mut self,
        endpoints: &[(&Endpoint, &str)],
        now: Moment,
    ) -> Option<(usize, Permit)> {
        let mut nearest: Option<(Moment, usize, &Endpoint, &str)> = None;
        for (place, (endpoint, model)) in endpoints.iter().enumerate() {
            match self.availability(endpoint, model, now) {
                Availability::Closed { reason: ClosedReason::HalfOpenBusy, .. } => return None,
                Availability::Closed { .. } => {}
                _ => return None,
            }
            let entry = self.entries.get(*endpoint)?;
            if entry.sole_trial_at(now, &self.rules).is_some_and(|trial_at| trial_at > now) {
                return None;
            }
            if let Some((until, told_until)) = entry.breaker_only_wait(model, now, &self.rules)
                && told_until <= now
                && nearest.is_none_or(|(earliest, ..)| until < earliest)
            {
                nearest = Some((until, place, endpoint, model));
            }
        }
        let (_, place, endpoint, model) = nearest?;
        let entry = self.entries.get_mut(endpoint)?;
        let mut log = Vec::new();
        entry.end_open_early(endpoint, now, &self.rules, &mut log);
        self.queue_transitions(log);
        let permit = self.admit(endpoint, model, now).ok()?;
        Some((place, Permit { trial: TrialKind::Sole, ..permit }))
    }

    /// Time until a request that only `endpoints` can answer may be sent to one of them; `None` if
    /// time alone opens none of them.
    #[must_use]
    pub fn time_until_reopen<'a>(
        &self,
        endpoints: impl Iterator<Item = (&'a Endpoint, &'a str)>,
        now: Moment,
    ) -> Option<Duration> {
        let (mut reopens, mut told_until, mut trial_at) = (None, None, now);
        for (endpoint, model) in endpoints {
            let wait = match self.availability(endpoint, model, now) {
                Availability::Closed { reason: ClosedReason::HalfOpenBusy, .. } => {
                    Some(TRIAL_RETRY_AFTER)
                }
                Availability::Closed { until, .. } => until.map(|until| until.since(now)),
                _ => return Some(Duration::ZERO),
            };
            reopens = min_option(reopens, wait);
            let Some(entry) = self.entries.get(endpoint) else { continue };
            trial_at = trial_at.max(entry.sole_trial_at(now, &self.rules).unwrap_or(now));
            let open = entry.breaker_only_wait(model, now, &self.rules);
            told_until = min_option(told_until, open.map(|(_, told_until)| told_until));
        }
        let trial = told_until.map(|told_until| trial_at.max(told_until).since(now));
        min_option(reopens, trial)
    }

    /// Records that the call of `permit` has begun to answer. A sole trial closes the breaker here,
    /// because the end of an answer may be minutes away. The call's result still counts.
    pub fn answer_started(
        &mut self,
        permit: &Permit,
        evidence: RequestId,
        now: Moment,
    ) -> Vec<EndpointTransition> {
        let Permit { endpoint, generation, trial, .. } = permit;
        let rules = self.rules;
        let mut log = Vec::new();
        let (TrialKind::Sole, Some(entry)) = (trial, self.entries.get_mut(endpoint)) else {
            return log;
        };
        entry.apply_due(endpoint, now, &rules, &mut log);
        if *generation == Some(entry.breaker.generation) && entry.counts_calls(now) {
            entry.close_on_answer(endpoint, evidence, now, &rules, &mut log);
        }
        self.take_transitions_with(log)
    }

    /// Returns a permit with the result of its call. `chance` (0 to 1) sets the jitter of the open
    /// time.
    pub fn report(
        &mut self,
        permit: Permit,
        happened: CallOutcome,
        evidence: RequestId,
        now: Moment,
        chance: f64,
    ) -> Vec<EndpointTransition> {
        let Permit { endpoint, model, generation, key_generation, trial } = permit;
        let rules = self.rules;
        if !self.entries.contains_key(&endpoint) && !self.make_room(now) {
            return self.take_transitions();
        }
        let mut log = Vec::new();
        let entry =
            self.entries.entry(endpoint.clone()).or_insert_with(|| TrackedEndpoint::new(now));
        entry.apply_due(&endpoint, now, &rules, &mut log);
        let at = BreakerEvent { now, chance, rules: &rules };
        let counted = generation == Some(entry.breaker.generation) && entry.counts_calls(now);
        let outcome = match happened {
            CallOutcome::Success { first_token } => {
                entry.cooldowns.record_success(&model, now);
                Some(entry.judge_first_token(first_token, &rules))
            }
            CallOutcome::Failure { weight, retry_after } => {
                Some(CountedOutcome::Failed { halves: weight.halves(), retry_after })
            }
            CallOutcome::RateLimited { scope, wait, kind } => {
                let model = (scope == LimitScope::Model).then_some(model.as_str());
                let told = RateLimitSignal { wait, kind };
                if let Some(begun) = entry.cooldowns.apply_limit(model, told, now, &rules) {
                    log.push(begun.transition(&endpoint, model, evidence, now));
                }
                None
            }
            CallOutcome::Blocked(reason) if key_generation == entry.key_generation => {
                entry.block(&endpoint, reason, evidence, now, &mut log);
                None
            }
            CallOutcome::Blocked(_) | CallOutcome::Neutral => None,
        };
        match outcome {
            Some(outcome) if counted => {
                entry.record_outcome(&endpoint, (outcome, trial), evidence, at, &mut log);
            }
            None if counted => entry.breaker.return_trial(),
            _ => {}
        }
        self.take_transitions_with(log)
    }

    /// Returns the permit of a call that was never sent or was dropped.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is given back once")]
    pub fn release(&mut self, permit: Permit, now: Moment) {
        let mut log = Vec::new();
        if let Some(entry) = self.entries.get_mut(&permit.endpoint) {
            entry.apply_due(&permit.endpoint, now, &self.rules, &mut log);
            if permit.generation == Some(entry.breaker.generation) {
                entry.breaker.return_trial();
            }
        }
        self.queue_transitions(log);
    }

    /// Records the result of a light probe.
    pub fn report_probe(
        &mut self,
        endpoint: &Endpoint,
        outcome: ProbeOutcome,
        now: Moment,
        chance: f64,
    ) -> Vec<EndpointTransition> {
        let rules = self.rules;
        self.update_endpoint(endpoint, now, |entry, endpoint, log| {
            entry.record_probe(endpoint, outcome, BreakerEvent { now, chance, rules: &rules }, log);
        })
    }

    /// Endpoints that had no call for [`BreakerRules::trial_silence`] in half-open and need a light
    /// probe instead. Silence alone never closes a breaker. Read-only.
    #[must_use]
    pub fn endpoints_due_for_probe(&self, now: Moment) -> Vec<Endpoint> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.needs_probe(now, &self.rules))
            .map(|(endpoint, _)| endpoint.clone())
            .collect()
    }

    /// Sets the breaker manually. Without `until` the setting holds until [`Self::reset`].
    pub fn force(
        &mut self,
        endpoint: &Endpoint,
        forced: BreakerOverride,
        until: Option<Moment>,
        now: Moment,
    ) -> Vec<EndpointTransition> {
        self.update_endpoint(endpoint, now, |entry, endpoint, log| {
            entry.force(endpoint, ActiveOverride { forced, until }, now, log);
        })
    }

    /// Resets to the initial state: closed, no cooldown, no block, no manual setting.
    pub fn reset(&mut self, endpoint: &Endpoint, now: Moment) -> Vec<EndpointTransition> {
        self.update_endpoint(endpoint, now, |entry, endpoint, log| entry.reset(endpoint, now, log))
    }

    /// Returns the transitions caused by time alone, for the log. States are correct without this
    /// call.
    pub fn apply_elapsed_time(&mut self, now: Moment) -> Vec<EndpointTransition> {
        let mut log = Vec::new();
        for (endpoint, entry) in &mut self.entries {
            entry.apply_due(endpoint, now, &self.rules, &mut log);
        }
        self.take_transitions_with(log)
    }

    /// Drops endpoints that are no longer configured.
    pub fn retain(&mut self, known: impl Fn(&Endpoint) -> bool) {
        self.entries.retain(|endpoint, _| known(endpoint));
    }

    /// Brings the entry of `endpoint` up to date, creating it if needed, and applies `change`.
    fn update_endpoint(
        &mut self,
        endpoint: &Endpoint,
        now: Moment,
        change: impl FnOnce(&mut TrackedEndpoint, &Endpoint, &mut Vec<EndpointTransition>),
    ) -> Vec<EndpointTransition> {
        if !self.entries.contains_key(endpoint) && !self.make_room(now) {
            return self.take_transitions();
        }
        let mut log = Vec::new();
        let entry =
            self.entries.entry(endpoint.clone()).or_insert_with(|| TrackedEndpoint::new(now));
        entry.apply_due(endpoint, now, &self.rules, &mut log);
        change(entry, endpoint, &mut log);
        self.take_transitions_with(log)
    }

    /// Makes room for one more entry. False if that is not possible.
    pub(crate) fn make_room(&mut self, now: Moment) -> bool {
        if self.entries.len() < ENDPOINTS_MAX {
            return true;
        }
        let at_rest = |entry: &TrackedEndpoint| entry.is_idle(now, &self.rules);
        let idle = self.entries.iter().find(|(_, entry)| at_rest(entry));
        let Some(idle) = idle.map(|(endpoint, _)| endpoint.clone()) else { return false };
        self.entries.remove(&idle);
        true
    }

    fn queue_transitions(&mut self, log: Vec<EndpointTransition>) {
        self.transitions.extend(log);
        let excess = self.transitions.len().saturating_sub(TRANSITIONS_QUEUED_MAX);
        self.transitions.drain(..excess);
    }

    fn take_transitions(&mut self) -> Vec<EndpointTransition> {
        std::mem::take(&mut self.transitions)
    }

    fn take_transitions_with(&mut self, log: Vec<EndpointTransition>) -> Vec<EndpointTransition> {
        let mut all = self.take_transitions();
        all.extend(log);
        all
    }
}

impl FailureWeight {
    const fn halves(self) -> u32 {
        match self {
            Self::Full => 2,
            Self::Half => 1,
        }
    }
}

impl Permit {
    fn new(endpoint: &Endpoint, model: &str, generation: Option<u32>, key_generation: u32) -> Self {
        let (endpoint, model) = (endpoint.clone(), model.to_owned());
        Self { endpoint, model, generation, key_generation, trial: TrialKind::OneOfSeveral }
    }
}

/// The smaller of two optional values; `None` only if both are missing.
fn min_option<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}
