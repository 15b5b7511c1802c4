//! The state of the independent checker: what can be known of an access and a request from outside.

use std::collections::{BTreeSet, VecDeque};

use domain::{Endpoint, Moment, RequestId};
use resilience::{CallOutcome, TransitionState};

use super::gateway::CallId;

/// Failed or slow calls kept, as many as the evidence of a transition may name.
const COUNTED_MAX: usize = 500;
/// Concurrent calls in half-open after 0, 1, and 2 or more successes.
const TRIALS: [usize; 3] = [1, 2, 4];

#[derive(Debug)]
pub(crate) struct ObservedRequest {
    pub(crate) began: Moment,
    pub(crate) routed: Moment,
    pub(crate) sent: Vec<ObservedAttempt>,
    /// Candidates that were available when it was routed.
    pub(crate) available: Vec<Endpoint>,
    pub(crate) candidates: Vec<Endpoint>,
    pub(crate) all_open: bool,
    /// The access whose open breaker was the only obstacle, if a trial was possible.
    pub(crate) trial: Option<Endpoint>,
    /// Candidates whose backend had no room for it.
    pub(crate) busy: Vec<Endpoint>,
}

#[derive(Debug)]
pub(crate) struct ObservedAttempt {
    pub(crate) endpoint: Endpoint,
    /// The number of the key in use, counted from the first.
    pub(crate) key: u32,
    pub(crate) outcome: Option<CallOutcome>,
    /// Set for a trial without an alternative: how often its access had opened by then.
    pub(crate) sole: Option<u32>,
}

/// The observed state of an access.
#[derive(Debug)]
pub(crate) struct ObservedEndpoint {
    /// The breaker's state, as announced.
    pub(crate) state: TransitionState,
    pub(crate) trials: BTreeSet<CallId>,
    pub(crate) successes: usize,
    /// The time when its open period was last cut short because there was no alternative.
    pub(crate) cut_short: Option<Moment>,
    /// The time of the last opening, and the number of openings.
    pub(crate) opened: Moment,
    pub(crate) openings: u32,
    /// The time when it last became unavailable.
    pub(crate) unavailable: Option<Moment>,
    pub(crate) key: u32,
    blocked: bool,
    /// A rate limit was announced, and its end was not.
    cooling: bool,
    /// True if calls from before a restart, which the checker has forgotten, may count towards the
    /// next opening.
    pub(crate) forgotten: bool,
    cools_until: Moment,
    asked_to_wait_until: Moment,
    /// Calls that count against it.
    pub(crate) counted: VecDeque<RequestId>,
}

impl ObservedRequest {
    pub(crate) const fn new(began: Moment) -> Self {
        Self {
            began,
            routed: began,
            sent: Vec::new(),
            available: Vec::new(),
            candidates: Vec::new(),
            all_open: false,
            trial: None,
            busy: Vec::new(),
        }
    }

    /// True if a call of `endpoint` repeats a failed one: the same endpoint, or a backend whose
    /// endpoint failed. Another key after a failure of a key is no repetition.
    pub(crate) fn repeats_failure(&self, endpoint: &Endpoint) -> bool {
        self.sent.iter().any(|sent| {
            let failed = matches!(sent.outcome, Some(CallOutcome::Failure { .. }));
            sent.endpoint == *endpoint || (sent.endpoint.backend == endpoint.backend && failed)
        })
    }
}

impl Default for ObservedEndpoint {
    fn default() -> Self {
        Self {
            state: TransitionState::Closed,
            trials: BTreeSet::new(),
            successes: 0,
            cut_short: None,
            opened: Moment::default(),
            openings: 0,
            unavailable: None,
            key: 0,
            blocked: false,
            cooling: false,
            forgotten: false,
            cools_until: Moment::default(),
            asked_to_wait_until: Moment::default(),
            counted: VecDeque::new(),
        }
    }
}

impl ObservedEndpoint {
    pub(crate) fn available(&self, now: Moment) -> bool {
        let lets_through =
            matches!(self.state, TransitionState::Closed | TransitionState::Recovering);
        lets_through && !self.blocked && !self.cooling && now >= self.cools_until
    }

    /// True if it is open at `now`, or its open period was cut short at this very moment.
    pub(crate) fn is_open(&self, now: Moment) -> bool {
        self.state == TransitionState::Open || self.cut_short == Some(now)
    }

    /// True if it admits no call, for any reason.
    pub(crate) fn admits_nothing(&self, now: Moment) -> bool {
        let full = self.trials.len() >= TRIALS[self.successes.min(2)];
        let by_breaker = match self.state {
            TransitionState::Open => true,
            TransitionState::HalfOpen => full,
            _ => false,
        };
        by_breaker || self.blocked || self.cooling || now < self.cools_until
    }

    /// True if an open breaker is the only obstacle.
    pub(crate) fn is_only_open(&self, now: Moment) -> bool {
        let held = self.blocked || self.cooling || now < self.cools_until;
        self.state == TransitionState::Open && !held && now >= self.asked_to_wait_until
    }

    /// Records a call. Fails if the call is not allowed.
    pub(crate) fn record_send(&mut self, call: CallId, now: Moment) -> Result<(), String> {
        if self.blocked {
            return Err("its key is blocked".to_owned());
        }
        if now < self.cools_until {
            return Err(format!("it cools down for {:?} more", self.cools_until.since(now)));
        }
        match self.state {
            TransitionState::Open => Err("its breaker is open".to_owned()),
            TransitionState::HalfOpen => {
                self.trials.insert(call);
                let (out, most) = (self.trials.len(), TRIALS[self.successes.min(2)]);
                let within = out <= most;
                within.then_some(()).ok_or_else(|| format!("{out} trials out, {most} allowed"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn record_outcome(
        &mut self,
        call: CallId,
        request: RequestId,
        happened: CallOutcome,
        key: u32,
        now: Moment,
    ) {
        let was_trial = self.trials.remove(&call);
        match happened {
            CallOutcome::Success { .. } => {
                self.successes += usize::from(was_trial);
            }
            CallOutcome::Failure { retry_after, .. } => {
                let told = now + retry_after.unwrap_or_default();
                self.asked_to_wait_until = self.asked_to_wait_until.max(told);
            }
            // The limits of an earlier key are not those of the present one.
            CallOutcome::RateLimited { .. } if key != self.key => {}
            CallOutcome::RateLimited { wait, .. } => {
                self.cools_until = self.cools_until.max(now + wait.unwrap_or_default());
            }
            CallOutcome::Blocked(_) => self.blocked |= key == self.key,
            CallOutcome::Neutral => return,
        }
        if self.counted.len() >= COUNTED_MAX {
            self.counted.pop_front();
        }
        self.counted.push_back(request);
    }

    /// Records an announced transition. Fails if it does not start from the last state.
    pub(crate) fn record_transition(
        &mut self,
        from: TransitionState,
        to: TransitionState,
        at: Moment,
    ) -> Result<(), String> {
        if matches!(to, TransitionState::CoolingDown | TransitionState::Blocked) {
            self.unavailable = Some(at);
        }
        match (from, to) {
            (_, TransitionState::CoolingDown) => self.cooling = true,
            (TransitionState::CoolingDown, TransitionState::Ready) => self.cooling = false,
            _ => {}
        }
        if !is_of_the_breaker(to) {
            return Ok(());
        }
        if from != self.state {
            return Err(format!(
                "it was {} and is announced to go from {from} to {to}",
                self.state
            ));
        }
        self.state = to;
        if to == TransitionState::Open {
            self.opened = at;
            self.openings += 1;
        }
        if matches!(to, TransitionState::Open | TransitionState::HalfOpen) {
            self.unavailable = Some(at);
            self.trials.clear();
            self.successes = 0;
        }
        Ok(())
    }

    pub(crate) fn key_replaced(&mut self, now: Moment) {
        self.key += 1;
        self.blocked = false;
        self.cools_until = now;
    }
}

const fn is_of_the_breaker(state: TransitionState) -> bool {
    use TransitionState::{Closed, HalfOpen, Open, Recovering};
    matches!(state, Closed | Open | HalfOpen | Recovering)
}
