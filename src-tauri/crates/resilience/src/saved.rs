//! State that survives a restart. Times are stored as remaining durations, never as points on a
//! clock that ends with the process.
//!
//! The calls of the last minute are not saved: a closed breaker restarts with an empty window, but
//! keeps its consecutive failures. A trial in flight is lost and its slot is free again.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Endpoint, Moment};
use serde::{Deserialize, Serialize};

use crate::baseline::LatencyBaseline;
use crate::block::{BlockReason, EndpointBlock};
use crate::breaker::Breaker;
use crate::cooldown::{Cooldown, Cooldowns, LimitKind, MODEL_COOLDOWNS_MAX};
use crate::endpoints::Endpoints;
use crate::manual_override::{ActiveOverride, BreakerOverride};
use crate::rules::{BreakerRules, COOLDOWN_MAX};
use crate::state::State;
use crate::tracked_endpoint::TrackedEndpoint;
use crate::transition::TransitionCause;
use crate::window::CallCounts;

/// An endpoint's state when it was saved. All times are remaining durations in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedEndpoint {
    #[serde(rename = "access")]
    endpoint: Endpoint,
    breaker: SavedBreaker,
    /// Histogram of times to the first token, for the baseline.
    #[serde(default)]
    first_tokens: Vec<u16>,
    #[serde(default)]
    cooldown: Option<SavedCooldown>,
    #[serde(default)]
    model_cooldowns: Vec<(String, SavedCooldown)>,
    #[serde(default)]
    block: Option<BlockReason>,
    #[serde(default)]
    forced: Option<SavedForced>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedBreaker {
    state: SavedState,
    rule: Option<TransitionCause>,
    step: u8,
    run_halves: u32,
    bad_probes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SavedState {
    Closed {
        calm_us: u64,
    },
    Open {
        left_us: u64,
        #[serde(default)]
        trial_us: u64,
        #[serde(default)]
        told_us: u64,
    },
    HalfOpen {
        successes: u32,
        probe_us: u64,
    },
    Recovering {
        stage: u8,
        left_us: u64,
        successes: u32,
        calls: u32,
        failure_halves: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct SavedCooldown {
    left_us: u64,
    forgotten_us: u64,
    kind: LimitKind,
    guessed: bool,
    step: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct SavedForced {
    forced: BreakerOverride,
    left_us: Option<u64>,
}

impl SavedEndpoint {
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl Endpoints {
    /// All state worth keeping over a restart. Read-only.
    #[must_use]
    pub fn save(&self, now: Moment) -> Vec<SavedEndpoint> {
        self.entries
            .iter()
            .map(|(endpoint, entry)| entry.save(endpoint, now, &self.rules))
            .collect()
    }

    /// Like [`Self::save`], for those of `endpoints` that have any state.
    #[must_use]
    pub fn save_some(&self, endpoints: &HashSet<&Endpoint>, now: Moment) -> Vec<SavedEndpoint> {
        let known = endpoints.iter().filter_map(|endpoint| self.entries.get_key_value(*endpoint));
        known.map(|(endpoint, entry)| entry.save(endpoint, now, &self.rules)).collect()
    }

    /// Restores state saved `since_saved` ago by wall clock, as if the program had run without
    /// calls since.
    pub fn restore(&mut self, saved: Vec<SavedEndpoint>, since_saved: Duration, now: Moment) {
        let rules = self.rules;
        for saved in saved {
            if self.entries.contains_key(&saved.endpoint) || self.make_room(now) {
                let endpoint = saved.endpoint.clone();
                self.entries
                    .insert(endpoint, TrackedEndpoint::restored(saved, since_saved, now, &rules));
            }
        }
    }
}

impl TrackedEndpoint {
    fn save(&self, endpoint: &Endpoint, now: Moment, rules: &BreakerRules) -> SavedEndpoint {
        let models = self.cooldowns.models.iter();
        let breaker = self.breaker.advanced_to(now, rules);
        SavedEndpoint {
            endpoint: endpoint.clone(),
            breaker: SavedBreaker {
                state: SavedState::of(breaker.state, now),
                rule: breaker.rule,
                step: breaker.step,
                run_halves: breaker.run_halves,
                bad_probes: breaker.failed_probes,
            },
            first_tokens: self.baseline.to_counts(),
            cooldown: self.cooldowns.endpoint.map(|own| SavedCooldown::of(own, now)),
            model_cooldowns: models
                .map(|(model, own)| (model.clone(), SavedCooldown::of(*own, now)))
                .collect(),
            block: self.block.map(|block| block.reason),
            forced: self.forced_at(now).map(|set| SavedForced {
                forced: set.forced,
                left_us: set.until.map(|until| micros_until(until, now)),
            }),
        }
    }

    fn restored(saved: SavedEndpoint, since: Duration, now: Moment, rules: &BreakerRules) -> Self {
        let models = saved.model_cooldowns.into_iter().take(MODEL_COOLDOWNS_MAX);
        let forced = saved.forced.map(|set| ActiveOverride {
            forced: set.forced,
            until: set.left_us.map(|left| due_at(left, since, now)),
        });
        Self {
            breaker: saved.breaker.restored(since, now, rules),
            baseline: LatencyBaseline::from_counts(&saved.first_tokens),
            cooldowns: Cooldowns {
                endpoint: saved.cooldown.map(|own| own.restored(since, now)),
                models: models.map(|(model, own)| (model, own.restored(since, now))).collect(),
            },
            block: saved.block.map(|reason| EndpointBlock { reason, since: now }),
            forced: forced.filter(|set| set.is_active(now)),
            ..Self::new(now)
        }
    }
}

impl SavedBreaker {
    fn restored(self, since_saved: Duration, now: Moment, rules: &BreakerRules) -> Breaker {
        // Replays the time on a clock that was zero when the state was saved.
        let resumed = Moment::default() + since_saved;
        let mut breaker = Breaker::new(Moment::default());
        breaker.state = self.state.relative_to_zero();
        breaker.rule = self.rule;
        breaker.step = self.step.min(31);
        breaker.run_halves = self.run_halves;
        breaker.failed_probes = self.bad_probes;
        breaker.apply_due(resumed, rules, &mut Vec::new());
        breaker.state = breaker.state.shift_clock(resumed, now);
        breaker.changed_at = now;
        breaker
    }
}

impl SavedState {
    fn of(state: State, now: Moment) -> Self {
        match state {
            State::Closed { backoff_reset_at: calm_at } => {
                Self::Closed { calm_us: micros_until(calm_at, now) }
            }
            State::Open { until, trial_at, server_wait_until: told_until } => Self::Open {
                left_us: micros_until(until, now),
                trial_us: micros_until(trial_at, now),
                told_us: micros_until(told_until, now),
            },
            State::HalfOpen { successes, probe_at, .. } => {
                Self::HalfOpen { successes, probe_us: micros_until(probe_at, now) }
            }
            State::Recovering { stage, ends, successes, tally } => Self::Recovering {
                stage,
                left_us: micros_until(ends, now),
                successes,
                calls: tally.calls,
                failure_halves: tally.failure_halves,
            },
        }
    }

    const fn relative_to_zero(self) -> State {
        let at = Moment::from_micros;
        match self {
            Self::Closed { calm_us } => State::Closed { backoff_reset_at: at(calm_us) },
            Self::Open { left_us, trial_us, told_us } => State::Open {
                until: at(left_us),
                trial_at: at(trial_us),
                server_wait_until: at(told_us),
            },
            Self::HalfOpen { successes, probe_us } => {
                let (probe_at, lease_ends) = (at(probe_us), at(0));
                State::HalfOpen { out: 0, successes, probe_at, lease_ends }
            }
            Self::Recovering { stage, left_us, successes, calls, failure_halves } => {
                let tally = CallCounts { calls, failure_halves, slow: 0 };
                State::Recovering { stage, ends: at(left_us), successes, tally }
            }
        }
    }
}

impl State {
    /// Shifts the times to a clock that shows `to` when the old one shows `from`.
    fn shift_clock(self, from: Moment, to: Moment) -> Self {
        let on = |at: Moment| to + at.since(from);
        match self {
            Self::Closed { backoff_reset_at: calm_at } => {
                Self::Closed { backoff_reset_at: on(calm_at) }
            }
            Self::Open { until, trial_at, server_wait_until: told_until } => Self::Open {
                until: on(until),
                trial_at: on(trial_at),
                server_wait_until: on(told_until),
            },
            Self::HalfOpen { out, successes, probe_at, lease_ends } => {
                let (probe_at, lease_ends) = (on(probe_at), on(lease_ends));
                Self::HalfOpen { out, successes, probe_at, lease_ends }
            }
            Self::Recovering { stage, ends, successes, tally } => {
                Self::Recovering { stage, ends: on(ends), successes, tally }
            }
        }
    }
}

impl SavedCooldown {
    fn of(own: Cooldown, now: Moment) -> Self {
        Self {
            left_us: micros_until(own.until, now),
            forgotten_us: micros_until(own.growth_reset_at, now),
            kind: own.kind,
            guessed: own.guessed,
            step: own.step,
        }
    }

    fn restored(self, since_saved: Duration, now: Moment) -> Cooldown {
        let until = due_at(self.left_us, since_saved, now).min(now + COOLDOWN_MAX);
        Cooldown {
            until,
            growth_reset_at: due_at(self.forgotten_us, since_saved, now),
            kind: self.kind,
            guessed: self.guessed,
            step: self.step,
            end_logged: until <= now,
        }
    }
}

fn micros_until(at: Moment, now: Moment) -> u64 {
    at.as_micros().saturating_sub(now.as_micros())
}

/// The end of a wait that had `left_us` left `since_saved` ago.
fn due_at(left_us: u64, since_saved: Duration, now: Moment) -> Moment {
    now + Duration::from_micros(left_us).saturating_sub(since_saved)
}
