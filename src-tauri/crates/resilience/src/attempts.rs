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

use domain::{Access, Moment};

use crate::backoff::{full_jitter, in_range};
use crate::{Advice, Failure, FailureClass, Reach, RetryBudget};

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
pub enum Step {
    /// Try the candidate at this index now.
    Try(usize),
    /// Wait, then try the candidate at this index.
    TryAfter(usize, Duration),
    /// Answer the client with the failure.
    Stop(Stopped),
}

domain::words! {
    /// Why there is no further attempt.
    Stopped {
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
pub struct Circumstances {
    pub now: Moment,
    /// Time left until the request's deadline.
    pub left: Duration,
    /// For jitter, from 0 to 1.
    pub chance: f64,
}

/// The state of one request's attempts.
#[derive(Debug, Clone)]
pub struct Attempts {
    rules: AttemptRules,
    places: Vec<Place>,
    made: u8,
    /// Retries so far: the exponent of the backoff.
    repeated: u32,
}

/// A candidate. `backend` and `model` hold the index of the first candidate with the same value.
#[derive(Debug, Clone, Copy)]
struct Place {
    backend: usize,
    model: usize,
    state: PlaceState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceState {
    /// Not tried and not ruled out.
    Fresh,
    /// In flight, for the `tries`-th time.
    Trying { tries: u8 },
    /// Failed after `tries` attempts, the last one with the failure `with`.
    Failed { tries: u8, with: Failure },
    /// Not tried, but another model of its backend failed. Better than a retry, worse than a fresh
    /// one.
    Doubtful,
    /// Not admitted, or ruled out by another candidate's failure.
    Out,
}

impl Attempts {
    /// Takes candidates in the order of attempts: an endpoint and the model name there.
    #[must_use]
    pub fn new<'a>(
        rules: AttemptRules,
        candidates: impl IntoIterator<Item = (&'a Access, &'a str)>,
    ) -> Self {
        let candidates: Vec<_> = candidates.into_iter().collect();
        let places = candidates.iter().enumerate().map(|(place, (access, model))| {
            let backend = candidates.iter().position(|(other, _)| other.backend == access.backend);
            let model = candidates.iter().position(|(_, other)| other == model);
            let (backend, model) = (backend.unwrap_or(place), model.unwrap_or(place));
            Place { backend, model, state: PlaceState::Fresh }
        });
        Self { rules, places: places.collect(), made: 0, repeated: 0 }
    }

    #[must_use = "the step is the decision"]
    pub fn begin(&mut self) -> Step {
        if self.made >= self.rules.attempts_max {
            return Step::Stop(Stopped::Spent);
        }
        self.first(PlaceState::Fresh)
            .map_or(Step::Stop(Stopped::NoCandidates), |place| self.start(place))
    }

    /// The candidate at `place` was not called, because its breaker, cooldown, block or concurrency
    /// limit refused. Costs no attempt.
    #[must_use = "the step is the decision"]
    pub fn not_admitted(
        &mut self,
        place: usize,
        budget: &mut RetryBudget,
        at: Circumstances,
    ) -> Step {
        if let Some(PlaceState::Trying { .. }) = self.set(place, PlaceState::Out) {
            self.made = self.made.saturating_sub(1);
        }
        self.next(budget, at)
    }

    /// The attempt at `place` failed before any content reached the client. Do not call this after
    /// content was sent: nothing is retried then.
    #[must_use = "the step is the decision"]
    pub fn failed(
        &mut self,
        place: usize,
        failure: Failure,
        budget: &mut RetryBudget,
        at: Circumstances,
    ) -> Step {
        let tries = match self.places.get(place).map(|place| place.state) {
            Some(PlaceState::Trying { tries }) => tries,
            _ => 1,
        };
        self.set(place, PlaceState::Failed { tries, with: failure });
        if !failure.class.may_fail_over() {
            return Step::Stop(Stopped::NotRetryable);
        }
        self.rule_out(place, failure.class.reach());
        self.next(budget, at)
    }

    /// Uses the single trial that a breaker grants when no candidate was admitted. Only for a
    /// request without any attempt, so that a provider with an open breaker gets at most one call
    /// per request.
    #[must_use = "the step is the decision"]
    pub fn last_chance(&mut self, place: usize) -> Step {
        if self.made > 0 || self.rules.attempts_max == 0 || place >= self.places.len() {
            return Step::Stop(Stopped::NoCandidates);
        }
        self.start(place)
    }

    /// Attempts started so far. After a [`Step::Try`] this is the number of that attempt, from 1.
    #[must_use]
    pub const fn made(&self) -> u8 {
        self.made
    }

    fn next(&mut self, budget: &mut RetryBudget, at: Circumstances) -> Step {
        if self.made >= self.rules.attempts_max {
            return Step::Stop(Stopped::Spent);
        }
        if at.left.is_zero() {
            return Step::Stop(Stopped::DeadlineNear);
        }
        if let Some(place) = self.first(PlaceState::Fresh) {
            return self.start(place);
        }
        let Some((place, delay)) = self.repeatable(at.chance) else {
            return Step::Stop(Stopped::NoCandidates);
        };
        if delay >= at.left {
            return Step::Stop(Stopped::DeadlineNear);
        }
        if !budget.try_take(at.now) {
            return Step::Stop(Stopped::BudgetSpent);
        }
        self.repeated = self.repeated.saturating_add(1);
        self.start(place);
        if delay.is_zero() { Step::Try(place) } else { Step::TryAfter(place, delay) }
    }

    fn first(&self, state: PlaceState) -> Option<usize> {
        self.places.iter().position(|place| place.state == state)
    }

    /// The index to retry at a backend that has failed, and the wait before it: a doubtful
    /// candidate, else the failed one with the shortest wait.
    fn repeatable(&self, chance: f64) -> Option<(usize, Duration)> {
        if let Some(place) = self.first(PlaceState::Doubtful) {
            let AttemptRules { base, cap, .. } = self.rules;
            return Some((place, full_jitter(base, cap, self.repeated, chance)));
        }
        let waits = self.places.iter().enumerate().filter_map(|(number, place)| {
            let PlaceState::Failed { tries, with } = place.state else { return None };
            Some((number, self.wait(tries, with, chance)?))
        });
        waits.min_by_key(|(_, wait)| *wait)
    }

    fn wait(&self, tries: u8, failure: Failure, chance: f64) -> Option<Duration> {
        let repetitions = tries.saturating_sub(1);
        let allowed = repetitions < failure.class.same_backend_retries_max();
        if !allowed || failure.advice == Advice::NotAgain {
            return None;
        }
        let AttemptRules { base, cap, base_connect, wait_max, .. } = self.rules;
        let base = if failure.class == FailureClass::Connect { base_connect } else { base };
        let backoff = full_jitter(base, cap, self.repeated, chance);
        match failure.wait {
            Some(wait) if wait > wait_max => None,
            // Up to a fifth longer, so that clients with the same `retry-after` do not all return
            // at once.
            Some(wait) => Some(backoff.max(wait + (wait / 5).mul_f64(in_range(chance)))),
            None if failure.class == FailureClass::RateLimited => None,
            None => Some(backoff),
        }
    }

    fn rule_out(&mut self, failed: usize, reach: Reach) {
        let Some(&Place { backend, model, .. }) = self.places.get(failed) else { return };
        let open =
            |place: &&mut Place| matches!(place.state, PlaceState::Fresh | PlaceState::Doubtful);
        for place in self.places.iter_mut().filter(open) {
            let (same_backend, same_model) = (place.backend == backend, place.model == model);
            place.state = match reach {
                Reach::Everything => PlaceState::Out,
                Reach::Backend if same_backend => PlaceState::Out,
                Reach::Model | Reach::BackendPerhaps if same_backend && same_model => {
                    PlaceState::Out
                }
                Reach::BackendPerhaps if same_backend => PlaceState::Doubtful,
                _ => continue,
            };
        }
    }

    fn start(&mut self, place: usize) -> Step {
        let before = match self.places.get(place).map(|place| place.state) {
            Some(PlaceState::Failed { tries, .. } | PlaceState::Trying { tries }) => tries,
            _ => 0,
        };
        self.set(place, PlaceState::Trying { tries: before.saturating_add(1) });
        self.made = self.made.saturating_add(1);
        Step::Try(place)
    }

    fn set(&mut self, place: usize, state: PlaceState) -> Option<PlaceState> {
        let place = self.places.get_mut(place)?;
        Some(std::mem::replace(&mut place.state, state))
    }
}

#[cfg(test)]
mod tests;
