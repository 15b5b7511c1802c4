//! The circuit breaker of one endpoint: closed, open, half-open, recovering.
//!
//! Changes by time are stored as the moment they are due, so reading the state needs no write
//! ([`Breaker::state_at`]) and a restart resumes with the remaining time. A result counts only if
//! its call began after the breaker last opened: older calls say nothing about the present.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{Moment, RequestId};

use crate::rules::{BreakerRules, OPEN_TOLD_MAX, SOLE_TRIAL_AFTER};
use crate::state::State;
use crate::transition::{EVIDENCE_MAX, TransitionRule, TransitionState};
use crate::window::{Tally, Window};

/// The result of a counted call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Slow,
    Failed { halves: u32, retry_after: Option<Duration> },
}

/// Whether the breaker may trip. It may not while it is forced closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trips {
    Yes,
    No,
}

/// The role of a call while the breaker is half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trial {
    /// Another endpoint could have answered: several successes are needed, and a ramp follows.
    OneOfSeveral,
    /// No other endpoint could: one success closes the breaker.
    Sole,
}

/// The time, random number and rules of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) now: Moment,
    pub(crate) chance: f64,
    pub(crate) rules: &'a BreakerRules,
}

/// A change of state, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: TransitionState,
    pub(crate) to: TransitionState,
    pub(crate) rule: TransitionRule,
    pub(crate) at: Moment,
    pub(crate) until: Option<Duration>,
    pub(crate) evidence: Vec<RequestId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    pub(crate) state: State,
    /// The rule behind the current state; `None` if the state never changed.
    pub(crate) rule: Option<TransitionRule>,
    pub(crate) changed: Moment,
    /// Incremented each time the breaker opens or is reset.
    pub(crate) generation: u32,
    /// Exponent of the next open time.
    pub(crate) step: u8,
    pub(crate) bad_probes: u32,
    window: Window,
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
            state: State::Closed { calm_at: now },
            rule: None,
            changed: now,
            generation: 0,
            step: 0,
            bad_probes: 0,
            window: Window::default(),
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
        while let Some(due) = state.due(now, rules) {
            state = due.state;
        }
        state
    }

    /// A copy brought up to date at `now`.
    pub(crate) fn settled(&self, now: Moment, rules: &BreakerRules) -> Self {
        let mut copy = self.clone();
        copy.settle(now, rules, &mut Vec::new());
        copy
    }

    /// Applies the transitions due by `now`.
    pub(crate) fn settle(&mut self, now: Moment, rules: &BreakerRules, log: &mut Vec<Change>) {
        while let Some(due) = self.state.due(now, rules) {
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
    pub(crate) fn tally(&self, now: Moment, rules: &BreakerRules) -> Tally {
        self.window.tally(now, rules.bucket())
    }

    /// Admits a call if the state allows it. Call [`Self::settle`] first.
    pub(crate) fn admit(&mut self, now: Moment, rules: &BreakerRules) -> Admitted {
        match &mut self.state {
            State::Closed { .. } | State::Recovering { .. } => Admitted::Counted,
            State::Open { .. } => Admitted::No,
            State::HalfOpen { out, successes, probe_at, lease_ends } => {
                if !State::trial_free(*out, *successes) {
                    return Admitted::No;
                }
                *out += 1;
                *probe_at = now + rules.trial_silence;
                *lease_ends = now + rules.trial_lease;
                Admitted::Counted
            }
        }
    }

    /// Ends the open time early, because no other endpoint can answer.
    pub(crate) fn cut_short(&mut self, now: Moment, rules: &BreakerRules, log: &mut Vec<Change>) {
        let state = State::half_open(now, rules);
        self.enter(state, TransitionRule::NothingElse, now, Vec::new(), log);
    }

    /// A sole trial has begun to answer: closes the breaker without waiting for its end.
    pub(crate) fn answering(
        &mut self,
        evidence: RequestId,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<Change>,
    ) {
        if matches!(self.state, State::HalfOpen { .. }) {
            let closed = State::Closed { calm_at: now + rules.calm };
            self.enter(closed, TransitionRule::TrialsPassed, now, vec![evidence], log);
        }
    }

    pub(crate) fn forget_calls(&mut self) {
        self.window.clear();
    }

    /// Returns a trial without a result.
    pub(crate) fn give_back(&mut self) {
        if let State::HalfOpen { out, .. } = &mut self.state {
            *out = out.saturating_sub(1);
        }
    }

    /// Counts the result of a call of this generation. Call [`Self::settle`] first.
    pub(crate) fn count(
        &mut self,
        outcome: Outcome,
        evidence: RequestId,
        (trips, trial): (Trips, Trial),
        at: Setting<'_>,
        log: &mut Vec<Change>,
    ) {
        self.remember(outcome, evidence, at);
        match self.state {
            // A result of this generation never finds the breaker open.
            State::Open { .. } => {}
            State::HalfOpen { .. } => {
                self.give_back();
                match (outcome, trial) {
                    (Outcome::Good | Outcome::Slow, Trial::Sole) => {
                        self.answering(evidence, at.now, at.rules, log);
                    }
                    _ => self.tried(outcome, at, log),
                }
            }
            State::Closed { .. } => self.judge(outcome, trips, at, log),
            State::Recovering { .. } => {
                self.ramped(outcome, at, log);
                self.judge(outcome, trips, at, log);
            }
        }
    }

    /// Counts a light probe. Call [`Self::settle`] first.
    pub(crate) fn probed(
        &mut self,
        good: bool,
        trips: Trips,
        at: Setting<'_>,
        log: &mut Vec<Change>,
    ) {
        self.bad_probes = if good { 0 } else { self.bad_probes.saturating_add(1) };
        match &mut self.state {
            State::HalfOpen { probe_at, .. } => {
                *probe_at = at.now + at.rules.trial_silence;
                let failed = Outcome::Failed { halves: 2, retry_after: None };
                self.tried(if good { Outcome::Good } else { failed }, at, log);
            }
            State::Closed { .. } | State::Recovering { .. }
                if self.bad_probes >= at.rules.bad_probes && trips == Trips::Yes =>
            {
                self.open(TransitionRule::ProbesFailed, None, at, log);
            }
            _ => {}
        }
    }

    /// Closes the breaker and resets everything it has learned.
    pub(crate) fn start_afresh(
        &mut self,
        rule: TransitionRule,
        now: Moment,
        log: &mut Vec<Change>,
    ) {
        let closed = State::Closed { calm_at: now };
        if !matches!(self.state, State::Closed { .. }) {
            self.enter(closed, rule, now, Vec::new(), log);
        }
        let (rule, changed) = (self.rule, self.changed);
        let generation = self.generation.wrapping_add(1);
        *self = Self { rule, changed, generation, ..Self::new(now) };
    }

    fn remember(&mut self, outcome: Outcome, evidence: RequestId, at: Setting<'_>) {
        let (ids, tally) = match outcome {
            Outcome::Failed { halves, .. } => {
                self.run_halves = self.run_halves.saturating_add(halves);
                self.run_calls = self.run_calls.saturating_add(1);
                (&mut self.failed, Tally { calls: 1, failure_halves: halves, slow: 0 })
            }
            Outcome::Good | Outcome::Slow => {
                self.run_halves = 0;
                self.run_calls = 0;
                self.bad_probes = 0;
                let slow = u32::from(outcome == Outcome::Slow);
                let ids = if slow == 1 { &mut self.slow } else { &mut self.passed };
                (ids, Tally { calls: 1, failure_halves: 0, slow })
            }
        };
        if ids.len() >= EVIDENCE_MAX {
            ids.pop_front();
        }
        ids.push_back((at.now, evidence));
        if !matches!(self.state, State::HalfOpen { .. }) {
            self.window.count(tally, at.now, at.rules.bucket());
        }
    }

    fn tried(&mut self, outcome: Outcome, at: Setting<'_>, log: &mut Vec<Change>) {
        let State::HalfOpen { successes, .. } = &mut self.state else { return };
        if let Outcome::Failed { retry_after, .. } = outcome {
            return self.open(TransitionRule::TrialFailed, retry_after, at, log);
        }
        *successes = successes.saturating_add(1);
        if *successes >= at.rules.trial_successes {
            let ends = at.now + at.rules.ramp_step;
            let state = State::Recovering { stage: 0, ends, successes: 0, tally: Tally::default() };
            let evidence = ids(self.passed.iter().chain(&self.slow).take(EVIDENCE_MAX));
            self.enter(state, TransitionRule::TrialsPassed, at.now, evidence, log);
        }
    }

    fn ramped(&mut self, outcome: Outcome, at: Setting<'_>, log: &mut Vec<Change>) {
        let State::Recovering { stage, ends, successes, mut tally } = self.state else { return };
        tally.calls = tally.calls.saturating_add(1);
        if let Outcome::Failed { halves, retry_after } = outcome {
            tally.failure_halves = tally.failure_halves.saturating_add(halves);
            self.state = State::Recovering { stage, ends, successes, tally };
            if tally.failed_more_than(at.rules.ramp_failure_percent) {
                self.open(TransitionRule::RampFailed, retry_after, at, log);
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
            self.enter(next, TransitionRule::RampPassed, at.now, Vec::new(), log);
        }
    }

    /// Trips the breaker if the counts require it.
    fn judge(&mut self, outcome: Outcome, trips: Trips, at: Setting<'_>, log: &mut Vec<Change>) {
        if trips == Trips::No || matches!(self.state, State::Open { .. }) {
            return;
        }
        let tally = self.tally(at.now, at.rules);
        let enough = tally.calls >= at.rules.calls_min;
        let rule = if self.run_halves >= at.rules.failures_in_a_row.saturating_mul(2) {
            TransitionRule::FailuresInARow
        } else if enough && tally.failed_at_least(at.rules.failure_percent) {
            TransitionRule::FailureRate
        } else if enough && tally.slow_at_least(at.rules.slow_percent) {
            TransitionRule::SlowRate
        } else {
            return;
        };
        let retry_after = match outcome {
            Outcome::Failed { retry_after, .. } => retry_after,
            Outcome::Good | Outcome::Slow => None,
        };
        self.open(rule, retry_after, at, log);
    }

    fn open(
        &mut self,
        rule: TransitionRule,
        retry_after: Option<Duration>,
        at: Setting<'_>,
        log: &mut Vec<Change>,
    ) {
        if matches!(self.state, State::Closed { calm_at } if calm_at <= at.now) {
            self.step = 0;
        }
        let told = retry_after.unwrap_or_default().min(OPEN_TOLD_MAX);
        let open_time = at.rules.open_time(self.step, at.chance).max(told);
        self.step = self.step.saturating_add(1).min(31);
        let evidence = self.evidence(rule, at);
        let open = State::Open {
            until: at.now + open_time,
            trial_at: at.now + SOLE_TRIAL_AFTER,
            told_until: at.now + told,
        };
        self.enter(open, rule, at.now, evidence, log);
        self.generation = self.generation.wrapping_add(1);
        self.run_halves = 0;
        self.run_calls = 0;
        self.bad_probes = 0;
        self.window.clear();
        self.failed.clear();
        self.slow.clear();
        self.passed.clear();
    }

    /// The calls that made `rule` apply.
    fn evidence(&self, rule: TransitionRule, at: Setting<'_>) -> Vec<RequestId> {
        let begin = at.now - at.rules.window;
        let recent = |(moment, _): &&(Moment, RequestId)| *moment >= begin;
        match rule {
            TransitionRule::ProbesFailed => Vec::new(),
            TransitionRule::SlowRate => ids(self.slow.iter().filter(recent)),
            TransitionRule::FailureRate => ids(self.failed.iter().filter(recent)),
            TransitionRule::FailuresInARow => {
                ids(self.failed.iter().skip(self.failed.len().saturating_sub(self.run_calls)))
            }
            _ => ids(self.failed.iter()),
        }
    }

    fn enter(
        &mut self,
        state: State,
        rule: TransitionRule,
        at: Moment,
        evidence: Vec<RequestId>,
        log: &mut Vec<Change>,
    ) {
        let until = match state {
            State::Open { until, .. } => Some(until.since(at)),
            State::Recovering { ends, .. } => Some(ends.since(at)),
            _ => None,
        };
        log.push(Change {
            from: self.state.logged(),
            to: state.logged(),
            rule,
            at,
            until,
            evidence,
        });
        self.state = state;
        self.rule = Some(rule);
        self.changed = at;
    }
}

/// Whether the breaker admits a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    Counted,
    No,
}

fn ids<'a>(kept: impl Iterator<Item = &'a (Moment, RequestId)>) -> Vec<RequestId> {
    kept.map(|(_, id)| *id).collect()
}
