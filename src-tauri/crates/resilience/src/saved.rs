//! State that survives a restart. Times are stored as remaining durations, never as points on a
//! clock that ends with the process.
//!
//! The calls of the last minute are not saved: a closed breaker restarts with an empty window, but
//! keeps its consecutive failures. A trial in flight is lost and its slot is free again.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Access, Moment};
use serde::{Deserialize, Serialize};

use crate::accesses::Accesses;
use crate::baseline::Baseline;
use crate::block::{Block, BlockReason};
use crate::breaker::Breaker;
use crate::cooldown::{Cooldown, Cooldowns, LimitKind, MODEL_COOLDOWNS_MAX};
use crate::entry::Entry;
use crate::forced::{Forced, Override};
use crate::rules::{BreakerRules, COOLDOWN_MAX};
use crate::state::State;
use crate::transition::TransitionRule;
use crate::window::Tally;

/// An endpoint's state when it was saved. All times are remaining durations in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAccess {
    access: Access,
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
    rule: Option<TransitionRule>,
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
    forced: Forced,
    left_us: Option<u64>,
}

impl SavedAccess {
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }
}

impl Accesses {
    /// All state worth keeping over a restart. Read-only.
    #[must_use]
    pub fn save(&self, now: Moment) -> Vec<SavedAccess> {
        self.entries.iter().map(|(access, entry)| entry.save(access, now, &self.rules)).collect()
    }

    /// Like [`Self::save`], for those of `accesses` that have any state.
    #[must_use]
    pub fn save_some(&self, accesses: &HashSet<&Access>, now: Moment) -> Vec<SavedAccess> {
        let known = accesses.iter().filter_map(|access| self.entries.get_key_value(*access));
        known.map(|(access, entry)| entry.save(access, now, &self.rules)).collect()
    }

    /// Restores state saved `since_saved` ago by wall clock, as if the program had run without
    /// calls since.
    pub fn restore(&mut self, saved: Vec<SavedAccess>, since_saved: Duration, now: Moment) {
        let rules = self.rules;
        for saved in saved {
            if self.entries.contains_key(&saved.access) || self.make_room(now) {
                let access = saved.access.clone();
                self.entries.insert(access, Entry::restored(saved, since_saved, now, &rules));
            }
        }
    }
}

impl Entry {
    fn save(&self, access: &Access, now: Moment, rules: &BreakerRules) -> SavedAccess {
        let models = self.cooldowns.models.iter();
        let breaker = self.breaker.settled(now, rules);
        SavedAccess {
            access: access.clone(),
            breaker: SavedBreaker {
                state: SavedState::of(breaker.state, now),
                rule: breaker.rule,
                step: breaker.step,
                run_halves: breaker.run_halves,
                bad_probes: breaker.bad_probes,
            },
            first_tokens: self.baseline.to_counts(),
            cooldown: self.cooldowns.access.map(|own| SavedCooldown::of(own, now)),
            model_cooldowns: models
                .map(|(model, own)| (model.clone(), SavedCooldown::of(*own, now)))
                .collect(),
            block: self.block.map(|block| block.reason),
            forced: self.forced_at(now).map(|set| SavedForced {
                forced: set.forced,
                left_us: set.until.map(|until| left(until, now)),
            }),
        }
    }

    fn restored(saved: SavedAccess, since: Duration, now: Moment, rules: &BreakerRules) -> Self {
        let models = saved.model_cooldowns.into_iter().take(MODEL_COOLDOWNS_MAX);
        let forced = saved.forced.map(|set| Override {
            forced: set.forced,
            until: set.left_us.map(|left| due(left, since, now)),
        });
        Self {
            breaker: saved.breaker.restored(since, now, rules),
            baseline: Baseline::from_counts(&saved.first_tokens),
            cooldowns: Cooldowns {
                access: saved.cooldown.map(|own| own.restored(since, now)),
                models: models.map(|(model, own)| (model, own.restored(since, now))).collect(),
            },
            block: saved.block.map(|reason| Block { reason, since: now }),
            forced: forced.filter(|set| set.holds(now)),
            ..Self::new(now)
        }
    }
}

impl SavedBreaker {
    fn restored(self, since_saved: Duration, now: Moment, rules: &BreakerRules) -> Breaker {
        // Replays the time on a clock that was zero when the state was saved.
        let resumed = Moment::default() + since_saved;
        let mut breaker = Breaker::new(Moment::default());
        breaker.state = self.state.on_own_clock();
        breaker.rule = self.rule;
        breaker.step = self.step.min(31);
        breaker.run_halves = self.run_halves;
        breaker.bad_probes = self.bad_probes;
        breaker.settle(resumed, rules, &mut Vec::new());
        breaker.state = breaker.state.moved(resumed, now);
        breaker.changed = now;
        breaker
    }
}

impl SavedState {
    fn of(state: State, now: Moment) -> Self {
        match state {
            State::Closed { calm_at } => Self::Closed { calm_us: left(calm_at, now) },
            State::Open { until, trial_at, told_until } => Self::Open {
                left_us: left(until, now),
                trial_us: left(trial_at, now),
                told_us: left(told_until, now),
            },
            State::HalfOpen { successes, probe_at, .. } => {
                Self::HalfOpen { successes, probe_us: left(probe_at, now) }
            }
            State::Recovering { stage, ends, successes, tally } => Self::Recovering {
                stage,
                left_us: left(ends, now),
                successes,
                calls: tally.calls,
                failure_halves: tally.failure_halves,
            },
        }
    }

    const fn on_own_clock(self) -> State {
        let at = Moment::from_micros;
        match self {
            Self::Closed { calm_us } => State::Closed { calm_at: at(calm_us) },
            Self::Open { left_us, trial_us, told_us } => {
                State::Open { until: at(left_us), trial_at: at(trial_us), told_until: at(told_us) }
            }
            Self::HalfOpen { successes, probe_us } => {
                let (probe_at, lease_ends) = (at(probe_us), at(0));
                State::HalfOpen { out: 0, successes, probe_at, lease_ends }
            }
            Self::Recovering { stage, left_us, successes, calls, failure_halves } => {
                let tally = Tally { calls, failure_halves, slow: 0 };
                State::Recovering { stage, ends: at(left_us), successes, tally }
            }
        }
    }
}

impl State {
    /// Shifts the times to a clock that shows `to` when the old one shows `from`.
    fn moved(self, from: Moment, to: Moment) -> Self {
        let on = |at: Moment| to + at.since(from);
        match self {
            Self::Closed { calm_at } => Self::Closed { calm_at: on(calm_at) },
            Self::Open { until, trial_at, told_until } => {
                Self::Open { until: on(until), trial_at: on(trial_at), told_until: on(told_until) }
            }
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
            left_us: left(own.until, now),
            forgotten_us: left(own.forgotten_at, now),
            kind: own.kind,
            guessed: own.guessed,
            step: own.step,
        }
    }

    fn restored(self, since_saved: Duration, now: Moment) -> Cooldown {
        let until = due(self.left_us, since_saved, now).min(now + COOLDOWN_MAX);
        Cooldown {
            until,
            forgotten_at: due(self.forgotten_us, since_saved, now),
            kind: self.kind,
            guessed: self.guessed,
            step: self.step,
            over: until <= now,
        }
    }
}

fn left(at: Moment, now: Moment) -> u64 {
    at.as_micros().saturating_sub(now.as_micros())
}

/// The end of a wait that had `left_us` left `since_saved` ago.
fn due(left_us: u64, since_saved: Duration, now: Moment) -> Moment {
    now + Duration::from_micros(left_us).saturating_sub(since_saved)
}
