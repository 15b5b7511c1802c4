//! The attempt plan of a request: which candidate is next, after what wait, or why to stop.
//!
//! It only decides; its owner sends, waits and reports. It is the only retry loop in the product,
//! so retries do not multiply: three attempts are three.
//!
//! Order: after a failure, the next candidate that the failure does not rule out, at once. A
//! backend gets a second attempt only when no fresh candidate is left, after a backoff: first with
//! another model, if the failure allows it, then with the same one. So a client does not wait for a
//! dead server while a healthy one exists, and three attempts reach three backends. A short
//! `retry-after` is also waited for only if no other candidate can answer.
//!
//! Retry budget: each further attempt on a backend that failed within this request costs one. A
//! move to a candidate that no failure rules out is free; otherwise a request would fail with the
//! budget spent although a healthy backend exists. This cannot overload a backend. Free moves reach
//! each backend once per request, except after a fault of a key or a model name; and a fault of a
//! key closes its endpoint, so the next request does not repeat it.

use std::time::Duration;

use domain::{Endpoint, Moment};

use crate::backoff::{clamp_chance, full_jitter};
use crate::{AttemptFailure, FailureClass, FailureScope, RetryBudget, ServerRetryHint};

/// Limits of the attempts and their waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRules {
    /// Maximum attempts per request over all candidates. 3, as in the AWS SDKs' standard mode and
    /// in Google's SRE book.
    pub attempts_max: u8,
    /// First backoff step.
    pub base: Duration,
    /// Longest backoff step.
    pub cap: Duration,
    /// First backoff step after a connection failure: long enough for a listener to restart, too
    /// short to notice. The AWS SDKs' base for transient errors.
    pub base_connect: Duration,
    /// Longest `retry-after` that is waited for within a request.
    pub wait_max: Duration,
}

impl Default for AttemptRules {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            base_connect: Duration::from_millis(50),
            wait_max: Duration::from_secs(5),
        }
    }
}

/// The next action of the plan's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptStep {
    /// Try the candidate at this index now.
    Try(usize),
    /// Wait, then try the candidate at this index.
    TryAfter(usize, Duration),
    /// No candidate was admitted. Ask for the trial that an open breaker grants if nothing else can
    /// answer: with one, call [`AttemptPlan::start_sole_trial`] and try its candidate now; without
    /// one, answer the client.
    TrySoleTrial,
    /// Answer the client with the failure.
    Stop(StopReason),
}

domain::words! {
    /// Why there is no further attempt.
    StopReason {
        /// The maximum number of attempts was made.
        Spent = "attempts-spent",
        /// All candidates were tried, refused or ruled out.
        NoCandidates = "no-candidates",
        /// Neither a retry nor another backend can fix the failure.
        NotRetryable = "not-retryable",
        /// The request's remaining time is too short for another attempt.
        DeadlineNear = "deadline-near",
        /// The gateway's retry budget is used up.
        BudgetSpent = "budget-spent",
    }
}

/// The inputs of a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttemptContext {
    pub now: Moment,
    /// Time left until the request's deadline.
    pub left: Duration,
    /// For jitter, from 0 to 1.
    pub chance: f64,
}

/// The state of one request's attempts.
#[derive(Debug, Clone)]
pub struct AttemptPlan {
    rules: AttemptRules,
    candidates: Vec<PlannedCandidate>,
    attempts_made: u8,
    /// Retries so far: the exponent of the backoff.
    retries: u32,
    /// [`AttemptStep::TrySoleTrial`] was taken; no step but a stop follows.
    is_at_last_resort: bool,
}

/// A candidate. `backend` and `model` hold the index of the first candidate with the same value.
#[derive(Debug, Clone, Copy)]
struct PlannedCandidate {
    backend: usize,
    model: usize,
    state: CandidateState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CandidateState {
    /// Not tried and not ruled out.
    Untried,
    /// In flight, for the `tries`-th time.
    Trying { tries: u8 },
    /// Failed after `tries` attempts, the last one with the failure `with`.
    Failed { tries: u8, with: AttemptFailure },
    /// Not tried, but another model of its backend failed. Better than a retry, worse than a fresh
    /// one.
    Doubtful,
    /// Not admitted, or ruled out by another candidate's failure.
    RuledOut,
}

impl AttemptPlan {
    /// Takes candidates in the order of attempts: an endpoint and the model name there.
    #[must_use]
    pub fn new<'a>(
        rules: AttemptRules,
        candidates: impl IntoIterator<Item = (&'a Endpoint, &'a str)>,
    ) -> Self {
        let candidates: Vec<_> = candidates.into_iter().collect();
        let places = candidates.iter().enumerate().map(|(place, (endpoint, model))| {
            let backend =
                candidates.iter().position(|(other, _)| other.backend == endpoint.backend);
            let model = candidates.iter().position(|(_, other)| other == model);
            let (backend, model) = (backend.unwrap_or(place), model.unwrap_or(place));
            PlannedCandidate { backend, model, state: CandidateState::Untried }
        });
        Self {
            rules,
            candidates: places.collect(),
            attempts_made: 0,
            retries: 0,
            is_at_last_resort: false,
        }
    }

    #[must_use = "the step is the decision"]
    pub fn first_step(&mut self) -> AttemptStep {
        if self.attempts_made >= self.rules.attempts_max {
            return AttemptStep::Stop(StopReason::Spent);
        }
        self.first_in_state(CandidateState::Untried)
            .map_or(AttemptStep::Stop(StopReason::NoCandidates), |place| self.start_attempt(place))
    }

    /// The candidate at `place` was not called, because its breaker, cooldown, block or concurrency
    /// limit refused. Costs no attempt.
    #[must_use = "the step is the decision"]
    pub fn next_after_rejection(
        &mut self,
        place: usize,
        budget: &mut RetryBudget,
        at: AttemptContext,
    ) -> AttemptStep {
        if let Some(CandidateState::Trying { .. }) = self.set_state(place, CandidateState::RuledOut)
        {
            self.attempts_made = self.attempts_made.saturating_sub(1);
        }
        self.next_step(budget, at)
    }

    /// The attempt at `place` failed before any content reached the client. Do not call this after
    /// content was sent: nothing is retried then.
    #[must_use = "the step is the decision"]
    pub fn next_after_failure(
        &mut self,
        place: usize,
        failure: AttemptFailure,
        budget: &mut RetryBudget,
        at: AttemptContext,
    ) -> AttemptStep {
        let tries = match self.candidates.get(place).map(|place| place.state) {
            Some(CandidateState::Trying { tries }) => tries,
            _ => 1,
        };
        self.set_state(place, CandidateState::Failed { tries, with: failure });
        if !failure.class.may_fail_over() {
            return AttemptStep::Stop(StopReason::NotRetryable);
        }
        self.rule_out(place, failure.class.scope());
        self.next_step(budget, at)
    }

    /// The breaker of the candidate at `place` granted the trial of [`AttemptStep::TrySoleTrial`].
    pub fn start_sole_trial(&mut self, place: usize) {
        self.start_attempt(place);
    }

    /// Attempts started so far. After a [`AttemptStep::Try`] this is the number of that attempt, from 1.
    #[must_use]
    pub const fn attempts_made(&self) -> u8 {
        self.attempts_made
    }

    fn next_step(&mut self, budget: &mut RetryBudget, at: AttemptContext) -> AttemptStep {
        if self.attempts_made >= self.rules.attempts_max {
            return AttemptStep::Stop(StopReason::Spent);
        }
        if at.left.is_zero() {
            return AttemptStep::Stop(StopReason::DeadlineNear);
        }
        if self.is_at_last_resort {
            return AttemptStep::Stop(StopReason::NoCandidates);
        }
        if let Some(place) = self.first_in_state(CandidateState::Untried) {
            return self.start_attempt(place);
        }
        let Some((place, delay)) = self.find_retry(at.chance) else {
            return self.last_resort();
        };
        if delay >= at.left {
            return AttemptStep::Stop(StopReason::DeadlineNear);
        }
        if !budget.try_take(at.now) {
            return AttemptStep::Stop(StopReason::BudgetSpent);
        }
        self.retries = self.retries.saturating_add(1);
        self.start_attempt(place);
        if delay.is_zero() { AttemptStep::Try(place) } else { AttemptStep::TryAfter(place, delay) }
    }

    fn last_resort(&mut self) -> AttemptStep {
        if self.attempts_made > 0 {
            return AttemptStep::Stop(StopReason::NoCandidates);
        }
        self.is_at_last_resort = true;
        AttemptStep::TrySoleTrial
    }

    fn first_in_state(&self, state: CandidateState) -> Option<usize> {
        self.candidates.iter().position(|place| place.state == state)
    }

    /// The index to retry at a backend that has failed, and the wait before it: a doubtful
    /// candidate, else the failed one with the shortest wait.
    fn find_retry(&self, chance: f64) -> Option<(usize, Duration)> {
        if let Some(place) = self.first_in_state(CandidateState::Doubtful) {
            let AttemptRules { base, cap, .. } = self.rules;
            return Some((place, full_jitter(base, cap, self.retries, chance)));
        }
        let waits = self.candidates.iter().enumerate().filter_map(|(number, place)| {
            let CandidateState::Failed { tries, with } = place.state else { return None };
            Some((number, self.retry_wait(tries, with, chance)?))
        });
        waits.min_by_key(|(_, wait)| *wait)
    }

    fn retry_wait(&self, tries: u8, failure: AttemptFailure, chance: f64) -> Option<Duration> {
        let repetitions = tries.saturating_sub(1);
        let allowed = repetitions < failure.class.same_backend_retries_max();
        if !allowed || failure.advice == ServerRetryHint::DoNotRetry {
            return None;
        }
        let AttemptRules { base, cap, base_connect, wait_max, .. } = self.rules;
        let base = if failure.class == FailureClass::Connect { base_connect } else { base };
        let backoff = full_jitter(base, cap, self.retries, chance);
        match failure.wait {
            Some(wait) if wait > wait_max => None,
            // Up to a fifth longer, so that clients with the same `retry-after` do not all return
            // at once.
            Some(wait) => Some(backoff.max(wait + (wait / 5).mul_f64(clamp_chance(chance)))),
            None if failure.class == FailureClass::RateLimited => None,
            None => Some(backoff),
        }
    }

    fn rule_out(&mut self, failed: usize, reach: FailureScope) {
        let Some(&PlannedCandidate { backend, model, .. }) = self.candidates.get(failed) else {
            return;
        };
        let open = |place: &&mut PlannedCandidate| {
            matches!(place.state, CandidateState::Untried | CandidateState::Doubtful)
        };
        for place in self.candidates.iter_mut().filter(open) {
            let (same_backend, same_model) = (place.backend == backend, place.model == model);
            place.state = match reach {
                FailureScope::Everything => CandidateState::RuledOut,
                FailureScope::Backend if same_backend => CandidateState::RuledOut,
                FailureScope::Model | FailureScope::BackendPerhaps
                    if same_backend && same_model =>
                {
                    CandidateState::RuledOut
                }
                FailureScope::BackendPerhaps if same_backend => CandidateState::Doubtful,
                _ => continue,
            };
        }
    }

    fn start_attempt(&mut self, place: usize) -> AttemptStep {
        let before = match self.candidates.get(place).map(|place| place.state) {
            Some(CandidateState::Failed { tries, .. } | CandidateState::Trying { tries }) => tries,
            _ => 0,
        };
        self.set_state(place, CandidateState::Trying { tries: before.saturating_add(1) });
        self.attempts_made = self.attempts_made.saturating_add(1);
        AttemptStep::Try(place)
    }

    fn set_state(&mut self, place: usize, state: CandidateState) -> Option<CandidateState> {
        let place = self.candidates.get_mut(place)?;
        Some(std::mem::replace(&mut place.state, state))
    }
}

#[cfg(test)]
mod tests;
