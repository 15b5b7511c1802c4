//! The circuit breaker of one endpoint: closed, open, half-open, recovering.
//!
//! Changes by time are stored as the moment they are due, so reading the state needs no write
//! ([`Breaker::state_at`]) and a restart resumes with the remaining time. A result counts only if
//! its call began after the breaker last opened: older calls say nothing about the present.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{Moment, RequestId};

use crate::rules::{BreakerRules, OPEN_RETRY_AFTER_MAX, SOLE_TRIAL_AFTER};
use crate::state::State;
use crate::transition::{EVIDENCE_MAX, TransitionCause, TransitionState};
use crate::window::{CallCounts, SlidingWindow};

/// The result of a counted call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedOutcome {
    Good,
    Slow,
    Failed { halves: u32, retry_after: Option<Duration> },
}

/// Whether the breaker may trip. It may not while it is forced closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TripPolicy {
    Yes,
    No,
}

/// The role of a call while the breaker is half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrialKind {
    /// Another endpoint could have answered: several successes are needed, and a ramp follows.
    OneOfSeveral,
    /// No other endpoint could: one success closes the breaker.
    Sole,
}

/// The time, random number and rules of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BreakerEvent<'a> {
    pub(crate) now: Moment,
    pub(crate) chance: f64,
    pub(crate) rules: &'a BreakerRules,
}

/// A change of state, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BreakerChange {
    pub(crate) from: TransitionState,
    pub(crate) to: TransitionState,
    pub(crate) rule: TransitionCause,
    pub(crate) at: Moment,
    pub(crate) until: Option<Duration>,
    pub(crate) evidence: Vec<RequestId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    pub(crate) state: State,
    /// The rule behind the current state; `None` if the state never changed.
    pub(crate) rule: Option<TransitionCause>,
    pub(crate) changed_at: Moment,
    /// When a closed one opened last.
    tripped_at: Option<Moment>,
    /// Incremented each time the breaker opens or is reset.
    pub(crate) generation: u32,
    /// Exponent of the next open time.
    pub(crate) step: u8,
    pub(crate) failed_probes: u32,
    window: SlidingWindow,
    /// Consecutive failures, in halves.
    pub(crate) run_halves: u32,
    run_calls: usize,
    failed: VecDeque<(Moment, RequestId)>,
    slow: VecDeque<(Moment, RequestId)>,
    passed: VecDeque<(Moment, RequestId)>,
}

impl Breaker {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            state: State::Closed { backoff_reset_at: now },
            rule: None,
            changed_at: now,
            tripped_at: None,
            generation: 0,
            step: 0,
            failed_probes: 0,
            window: SlidingWindow::default(),
            run_halves: 0,
            run_calls: 0,
            failed: VecDeque::new(),
            slow: VecDeque::new(),
            passed: VecDeque::new(),
        }
    }

    /// The state at `now`. Read-only.
    pub(crate) fn state_at(&self, now: Moment, rules: &BreakerRules) -> State {
        let mut state = self.state;
        while let Some(due) = state.next_due(now, rules) {
            state = due.state;
        }
        state
    }

    /// A copy brought up to date at `now`.
    pub(crate) fn advanced_to(&self, now: Moment, rules: &BreakerRules) -> Self {
        let mut copy = self.clone();
        copy.apply_due(now, rules, &mut Vec::new());
        copy
    }

    /// Applies the transitions due by `now`.
    pub(crate) fn apply_due(
        &mut self,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<BreakerChange>,
    ) {
        while let Some(due) = self.state.next_due(now, rules) {
            match due.rule {
                None => {
                    // A lost trial that returns after all belongs to an older round.
                    let lost = matches!(due.state, State::HalfOpen { .. });
                    self.generation = self.generation.wrapping_add(u32::from(lost));
                    self.state = due.state;
                }
                Some(rule) => self.enter(due.state, rule, due.at, Vec::new(), log),
            }
        }
    }

    /// The counts in the window at `now`.
    pub(crate) fn tally(&self, now: Moment, rules: &BreakerRules) -> CallCounts {
        self.window.counts(now, rules.bucket_length())
    }

    /// Admits a call if the state allows it. Call [`Self::apply_due`] first.
    pub(crate) fn admit(&mut self, now: Moment, rules: &BreakerRules) -> AdmitDecision {
        match &mut self.state {
            State::Closed { .. } | State::Recovering { .. } => AdmitDecision::Counted,
            State::Open { .. } => AdmitDecision::No,
            State::HalfOpen { out, successes, probe_at, lease_ends } => {
                if !State::has_trial_slot(*out, *successes) {
                    return AdmitDecision::No;
                }
                *out += 1;
                *probe_at = now + rules.trial_silence;
                *lease_ends = now + rules.trial_lease;
                AdmitDecision::Counted
            }
        }
    }

    /// Ends the open time early, because no other endpoint can answer.
    pub(crate) fn end_open_early(
        &mut self,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<BreakerChange>,
    ) {
        let state = State::half_open(now, rules);
        self.enter(state, TransitionCause::NothingElse, now, Vec::new(), log);
    }

    /// A sole trial has begun to answer: closes the breaker without waiting for its end.
    pub(crate) fn close_on_answer(
        &mut self,
        evidence: RequestId,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<BreakerChange>,
    ) {
        if matches!(self.state, State::HalfOpen { .. }) {
            let closed = State::Closed { backoff_reset_at: now + rules.calm };
            self.enter(closed, TransitionCause::TrialsPassed, now, vec![evidence], log);
        }
    }

    pub(crate) fn clear_window(&mut self) {
        self.window.clear();
    }

    /// Returns a trial without a result.
    pub(crate) fn return_trial(&mut self) {
        if let State::HalfOpen { out, .. } = &mut self.state {
            *out = out.saturating_sub(1);
        }
    }

    /// Counts the result of a call of this generation. Call [`Self::apply_due`] first.
    pub(crate) fn record_outcome(
        &mut self,
        outcome: CountedOutcome,
        evidence: RequestId,
        (trips, trial): (TripPolicy, TrialKind),
        at: BreakerEvent<'_>,
        log: &mut Vec<BreakerChange>,
    ) {
        self.record_call(outcome, evidence, at);
        match self.state {
            // A result of this generation never finds the breaker open.
            State::Open { .. } => {}
            State::HalfOpen { .. } => {
                self.return_trial();
                match (outcome, trial) {
                    (CountedOutcome::Good | CountedOutcome::Slow, TrialKind::Sole) => {
                        self.close_on_answer(evidence, at.now, at.rules, log);
                    }
                    _ => self.record_trial(outcome, at, log),
                }
            }
            State::Closed { .. } => self.trip_if_needed(outcome, trips, at, log),
            State::Recovering { .. } => {
                self.record_ramp(outcome, at, log);
                self.trip_if_needed(outcome, trips, at, log);
            }
        }
    }

    /// Counts a light probe. Call [`Self::apply_due`] first.
    pub(crate) fn record_probe(
        &mut self,
        good: bool,
        trips: TripPolicy,
        at: BreakerEvent<'_>,
        log: &mut Vec<BreakerChange>,
    ) {
        self.failed_probes = if good { 0 } else { self.failed_probes.saturating_add(1) };
        match &mut self.state {
            State::HalfOpen { probe_at, .. } => {
                *probe_at = at.now + at.rules.trial_silence;
                let failed = CountedOutcome::Failed { halves: 2, retry_after: None };
                self.record_trial(if good { CountedOutcome::Good } else { failed }, at, log);
            }
            State::Closed { .. } | State::Recovering { .. }
                if self.failed_probes >= at.rules.bad_probes && trips == TripPolicy::Yes =>
            {
                self.open(TransitionCause::ProbesFailed, None, at, log);
            }
            _ => {}
        }
    }

    /// Closes the breaker and resets everything it has learned.
    pub(crate) fn reset(
        &mut self,
        rule: TransitionCause,
        now: Moment,
        log: &mut Vec<BreakerChange>,
    ) {
        let closed = State::Closed { backoff_reset_at: now };
        if !matches!(self.state, State::Closed { .. }) {
            self.enter(closed, rule, now, Vec::new(), log);
        }
        let (rule, changed) = (self.rule, self.changed_at);
        let generation = self.generation.wrapping_add(1);
        *self = Self { rule, changed_at: changed, generation, ..Self::new(now) };
    }

    /// Forgets what the network may explain of the failures since `doubtful`: an open breaker that was
    /// closed until then is closed again, and a closed one counts anew. Calls that began before do not
    /// count.
    pub(crate) fn forget_failures(
        &mut self,
        doubtful: Moment,
        now: Moment,
        log: &mut Vec<BreakerChange>,
    ) {
        let is_closed = matches!(self.state, State::Closed { .. });
        if is_closed || self.tripped_at.is_some_and(|at| at >= doubtful) {
            self.reset(TransitionCause::NetworkBack, now, log);
        }
    }

    fn record_call(&mut self, outcome: CountedOutcome, evidence: RequestId, at: BreakerEvent<'_>) {
        let (ids, tally) = match outcome {
            CountedOutcome::Failed { halves, .. } => {
                self.run_halves = self.run_halves.saturating_add(halves);
                self.run_calls = self.run_calls.saturating_add(1);
                (&mut self.failed, CallCounts { calls: 1, failure_halves: halves, slow: 0 })
            }
            CountedOutcome::Good | CountedOutcome::Slow => {
                self.run_halves = 0;
                self.run_calls = 0;
                self.failed_probes = 0;
                let slow = u32::from(outcome == CountedOutcome::Slow);
                let ids = if slow == 1 { &mut self.slow } else { &mut self.passed };
                (ids, CallCounts { calls: 1, failure_halves: 0, slow })
            }
        };
        if ids.len() >= EVIDENCE_MAX {
            ids.pop_front();
        }
        ids.push_back((at.now, evidence));
        if !matches!(self.state, State::HalfOpen { .. }) {
            self.window.count(tally, at.now, at.rules.bucket_length());
        }
    }

    fn record_trial(
        &mut self,
        outcome: CountedOutcome,
        at: BreakerEvent<'_>,
        log: &mut Vec<BreakerChange>,
    ) {
        let State::HalfOpen { successes, .. } = &mut self.state else { return };
        if let CountedOutcome::Failed { retry_after, .. } = outcome {
            return self.open(TransitionCause::TrialFailed, retry_after, at, log);
        }
        *successes = successes.saturating_add(1);
        if *successes >= at.rules.trial_successes {
            let ends = at.now + at.rules.ramp_step;
            let state =
                State::Recovering { stage: 0, ends, successes: 0, tally: CallCounts::default() };
            let evidence = request_ids(self.passed.iter().chain(&self.slow).take(EVIDENCE_MAX));
            self.enter(state, TransitionCause::TrialsPassed, at.now, evidence, log);
        }
    }

    fn record_ramp(
        &mut self,
        outcome: CountedOutcome,
        at: BreakerEvent<'_>,
        log: &mut Vec<BreakerChange>,
    ) {
        let State::Recovering { stage, ends, successes, mut tally } = self.state else { return };
        tally.calls = tally.calls.saturating_add(1);
        if let CountedOutcome::Failed { halves, retry_after } = outcome {
            tally.failure_halves = tally.failure_halves.saturating_add(halves);
            self.state = State::Recovering { stage, ends, successes, tally };
            if tally.failed_more_than(at.rules.ramp_failure_percent) {
                self.open(TransitionCause::RampFailed, retry_after, at, log);
            }
            return;
        }
        let successes = successes.saturating_add(1);
        if successes < at.rules.ramp_successes {
            self.state = State::Recovering { stage, ends, successes, tally };
            return;
        }
        self.state = State::after_stage(stage, at.now, tally, at.rules);
        if matches!(self.state, State::Closed { .. }) {
            let next = self.state;
            self.state = State::Recovering { stage, ends, successes, tally };
            self.enter(next, TransitionCause::RampPassed, at.now, Vec::new(), log);
        }
    }

    /// Trips the breaker if the counts require it.
    fn trip_if_needed(
        &mut self,
        outcome: CountedOutcome,
        trips: TripPolicy,
        at: BreakerEvent<'_>,
        log: &mut Vec<BreakerChange>,
    ) {
        if trips == TripPolicy::No || matches!(self.state, State::Open { .. }) {
            return;
        }
        let tally = self.tally(at.now, at.rules);
        let enough = tally.calls >= at.rules.calls_min;
        let rule = if self.run_halves >= at.rules.failures_in_a_row.saturating_mul(2) {
            TransitionCause::FailuresInARow
        } else if enough && tally.failed_at_least(at.rules.failure_percent) {
            TransitionCause::FailureRate
        } else if enough && tally.slow_at_least(at.rules.slow_percent) {
            TransitionCause::SlowRate
        } else {
            return;
        };
        let retry_after = match outcome {
            CountedOutcome::Failed { retry_after, .. } => retry_after,
            CountedOutcome::Good | CountedOutcome::Slow => None,
        };
        self.open(rule, retry_after, at, log);
    }

    fn open(
        &mut self,
        rule: TransitionCause,
        retry_after: Option<Duration>,
        at: BreakerEvent<'_>,
        log: &mut Vec<BreakerChange>,
    ) {
        if matches!(self.state, State::Closed { backoff_reset_at } if backoff_reset_at <= at.now) {
            self.step = 0;
        }
        let told = retry_after.unwrap_or_default().min(OPEN_RETRY_AFTER_MAX);
        let open_time = at.rules.open_time(self.step, at.chance).max(told);
        self.step = self.step.saturating_add(1).min(31);
        if matches!(self.state, State::Closed { .. }) {
            self.tripped_at = Some(at.now);
        }
        let evidence = self.evidence(rule, at);
        let open = State::Open {
            until: at.now + open_time,
            trial_at: at.now + SOLE_TRIAL_AFTER,
            server_wait_until: at.now + told,
        };
        self.enter(open, rule, at.now, evidence, log);
        self.generation = self.generation.wrapping_add(1);
        self.run_halves = 0;
        self.run_calls = 0;
        self.failed_probes = 0;
        self.window.clear();
        self.failed.clear();
        self.slow.clear();
        self.passed.clear();
    }

    /// The calls that made `rule` apply.
    fn evidence(&self, rule: TransitionCause, at: BreakerEvent<'_>) -> Vec<RequestId> {
        let begin = at.now - at.rules.window;
        let recent = |(moment, _): &&(Moment, RequestId)| *moment >= begin;
        match rule {
            TransitionCause::ProbesFailed => Vec::new(),
            TransitionCause::SlowRate => request_ids(self.slow.iter().filter(recent)),
            TransitionCause::FailureRate => request_ids(self.failed.iter().filter(recent)),
            TransitionCause::FailuresInARow => request_ids(
                self.failed.iter().skip(self.failed.len().saturating_sub(self.run_calls)),
            ),
            _ => request_ids(self.failed.iter()),
        }
    }

    fn enter(
        &mut self,
        state: State,
        rule: TransitionCause,
        at: Moment,
        evidence: Vec<RequestId>,
        log: &mut Vec<BreakerChange>,
    ) {
        let until = match state {
            State::Open { until, .. } => Some(until.since(at)),
            State::Recovering { ends, .. } => Some(ends.since(at)),
            _ => None,
        };
        log.push(BreakerChange {
            from: self.state.transition_state(),
            to: state.transition_state(),
            rule,
            at,
            until,
            evidence,
        });
        self.state = state;
        self.rule = Some(rule);
        self.changed_at = at;
    }
}

/// Whether the breaker admits a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdmitDecision {
    Counted,
    No,
}

fn request_ids<'a>(kept: impl Iterator<Item = &'a (Moment, RequestId)>) -> Vec<RequestId> {
    kept.map(|(_, id)| *id).collect()
}
