//! The states of a breaker and the transitions that time alone causes.

use domain::Moment;

use crate::rules::{BreakerRules, RAMP_PERCENTS, TRIALS_OUT_MAX};
use crate::transition::{TransitionCause, TransitionState};
use crate::window::CallCounts;

/// The visible state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// All calls pass.
    Closed,
    /// No call passes.
    Open,
    /// Single calls pass as trials.
    HalfOpen,
    /// A growing share of calls passes.
    Recovering {
        /// The share, in percent.
        percent: u8,
    },
}

/// The same states with their internal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Closed {
        backoff_reset_at: Moment,
    },
    Open {
        until: Moment,
        /// From here on a trial may be admitted if no other endpoint can answer…
        trial_at: Moment,
        /// …but not before the wait asked for by the server is over.
        server_wait_until: Moment,
    },
    HalfOpen {
        out: u8,
        successes: u32,
        probe_at: Moment,
        lease_ends: Moment,
    },
    Recovering {
        stage: u8,
        ends: Moment,
        successes: u32,
        tally: CallCounts,
    },
}

/// A transition caused by time.
pub(crate) struct DueTransition {
    pub(crate) state: State,
    pub(crate) at: Moment,
    pub(crate) rule: Option<TransitionCause>,
}

impl State {
    pub(crate) fn visible_state(&self) -> EndpointState {
        match self {
            Self::Closed { .. } => EndpointState::Closed,
            Self::Open { .. } => EndpointState::Open,
            Self::HalfOpen { .. } => EndpointState::HalfOpen,
            Self::Recovering { stage, .. } => {
                EndpointState::Recovering { percent: percent(*stage) }
            }
        }
    }

    pub(crate) fn transition_state(&self) -> TransitionState {
        match self {
            Self::Closed { .. } => TransitionState::Closed,
            Self::Open { .. } => TransitionState::Open,
            Self::HalfOpen { .. } => TransitionState::HalfOpen,
            Self::Recovering { .. } => TransitionState::Recovering,
        }
    }

    /// True if half-open admits one more trial.
    pub(crate) fn has_trial_slot(out: u8, successes: u32) -> bool {
        let place = usize::try_from(successes).unwrap_or(usize::MAX).min(TRIALS_OUT_MAX.len() - 1);
        TRIALS_OUT_MAX.get(place).is_some_and(|max| out < *max)
    }

    /// The next transition due by `now`.
    pub(crate) fn next_due(&self, now: Moment, rules: &BreakerRules) -> Option<DueTransition> {
        match *self {
            Self::Open { until, .. } if until <= now => Some(DueTransition {
                state: Self::half_open(until, rules),
                at: until,
                rule: Some(TransitionCause::OpenTimeOver),
            }),
            Self::HalfOpen { out, successes, probe_at, lease_ends }
                if out > 0 && lease_ends <= now =>
            {
                let state = Self::HalfOpen { out: 0, successes, probe_at, lease_ends };
                Some(DueTransition { state, at: lease_ends, rule: None })
            }
            Self::Recovering { stage, ends, tally, .. } if ends <= now => {
                let state = Self::after_stage(stage, ends, tally, rules);
                let closed = matches!(state, Self::Closed { .. });
                Some(DueTransition {
                    state,
                    at: ends,
                    rule: closed.then_some(TransitionCause::RampPassed),
                })
            }
            _ => None,
        }
    }

    pub(crate) fn half_open(at: Moment, rules: &BreakerRules) -> Self {
        Self::HalfOpen {
            out: 0,
            successes: 0,
            probe_at: at + rules.trial_silence,
            lease_ends: at + rules.trial_lease,
        }
    }

    /// The state after a step of the ramp.
    pub(crate) fn after_stage(
        stage: u8,
        at: Moment,
        tally: CallCounts,
        rules: &BreakerRules,
    ) -> Self {
        let stage = stage.saturating_add(1);
        if usize::from(stage) < RAMP_PERCENTS.len() {
            Self::Recovering { stage, ends: at + rules.ramp_step, successes: 0, tally }
        } else {
            Self::Closed { backoff_reset_at: at + rules.calm }
        }
    }
}

fn percent(stage: u8) -> u8 {
    RAMP_PERCENTS.get(usize::from(stage)).copied().unwrap_or(100)
}
