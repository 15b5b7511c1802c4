//! The one plan of attempts for a request: which candidate next, after which wait, or why no more.
//!
//! It decides and does nothing else; its owner sends, waits and reports. There is no other loop in the
//! product, so that three attempts are three, and not three times the client's own three.
//!
//! In which order: after a failure the next candidate that the failure does not speak against, at
//! once. Only when none is left untried does a backend get a second attempt, after a backoff: first by
//! another model of it, if the failure leaves that a chance, then by the same. A
//! client then waits for no dead server while a healthy one is there, and three attempts reach three
//! backends. The same holds for a short `retry-after`: it is waited for only if nobody else can
//! answer, since a client gains nothing from waiting.
//!
//! What costs retry budget: every further attempt on a backend that has failed within this request. A
//! move to a candidate that no failure speaks against costs nothing: with the budget spent, a request
//! would otherwise fail although a healthy backend is there. A storm on one backend is impossible all
//! the same. By free moves a request reaches each backend once; only after a fault of a key or of a
//! model's name does it reach the same backend again, and a fault of a key has closed the access it
//! came by, so that the next request does not repeat it. Everything else is within the budget.

use std::time::Duration;

use domain::{Access, Moment};

use crate::backoff::{full_jitter, in_range};
use crate::{Advice, Failure, FailureClass, Reach, RetryBudget};

/// How often, how soon, how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRules {
    /// Most attempts per request over all candidates. 3, as in the AWS SDKs' standard mode and in
    /// Google's SRE book.
    pub attempts_max: u8,
    /// First step of the backoff before a repetition.
    pub base: Duration,
    /// Longest step of the backoff.
    pub cap: Duration,
    /// First step before repeating a connection that was refused: long enough for a listener that is
    /// being restarted, short enough not to be noticed. The AWS SDKs' base for transient faults.
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

/// What the owner of the plan does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Try the candidate at this place now.
    Try(usize),
    /// Wait, then try the candidate at this place.
    TryAfter(usize, Duration),
    /// Answer the client with the failure.
    Stop(Stopped),
}

domain::words! {
    /// Why there is no further attempt.
    Stopped {
        /// All attempts of one request are made.
        Spent = "attempts-spent",
        /// No candidate is left that was not tried, refused or spoken against.
        NoCandidates = "no-candidates",
        /// The failure is not one that a repetition or another backend mends.
        NotRetryable = "not-retryable",
        /// The time left for the request does not reach for another attempt.
        DeadlineNear = "deadline-near",
        /// The retry budget of the gateway is used up.
        BudgetSpent = "budget-spent",
    }
}

/// The moment of a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// The time.
    pub now: Moment,
    /// What is left until the deadline of the request.
    pub left: Duration,
    /// From 0 to 1, for jitter.
    pub chance: f64,
}

/// The plan of one request.
#[derive(Debug, Clone)]
pub struct Attempts {
    rules: AttemptRules,
    places: Vec<Place>,
    made: u8,
    /// Repetitions so far: the exponent of the backoff.
    repeated: u32,
}

/// A candidate. Who shares its backend or model is known by the first place that has the same.
#[derive(Debug, Clone, Copy)]
struct Place {
    backend: usize,
    model: usize,
    state: PlaceState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceState {
    /// Not tried, and nothing speaks against it.
    Fresh,
    /// Being tried, for the time that `tries` says.
    Trying { tries: u8 },
    /// Failed.
    Failed { tries: u8, with: Failure },
    /// Not tried, and another model of its backend has failed: better than a repetition, no more.
    Doubtful,
    /// Not admitted, or another place's failure speaks against it.
    Out,
}

impl Attempts {
    /// A plan over candidates in the order of their trial: an access each, and the model there.
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

    /// The first step.
    #[must_use = "the step is the decision"]
    pub fn begin(&mut self) -> Step {
        if self.made >= self.rules.attempts_max {
            return Step::Stop(Stopped::Spent);
        }
        self.first(PlaceState::Fresh)
            .map_or(Step::Stop(Stopped::NoCandidates), |place| self.start(place))
    }

    /// The candidate at `place` was not sent to: its breaker, cooldown, block or place limit said no.
    /// This costs no attempt.
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

    /// The attempt at `place` failed before any content reached the client. (After content there is
    /// no further step, so do not ask.)
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

    /// When no candidate was admitted: the one trial that a breaker gives to the candidate that would
    /// reopen first. Only for a request that has made no attempt, so that a dead provider gets at most
    /// one call per request once its breaker is open.
    #[must_use = "the step is the decision"]
    pub fn last_chance(&mut self, place: usize) -> Step {
        if self.made > 0 || self.rules.attempts_max == 0 || place >= self.places.len() {
            return Step::Stop(Stopped::NoCandidates);
        }
        self.start(place)
    }

    /// Attempts begun so far. After a [`Step::Try`] this is the number of that attempt, from 1.
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

    /// The place to go on with at a backend that has failed, and after which wait: a doubtful one, or
    /// the failed one with the shortest wait.
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
            // A fifth more at most, so that all who were told the same second do not return in it.
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
