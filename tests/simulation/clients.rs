//! Simulated clients: the times of their requests, their priority, and their reaction to errors.

use std::time::Duration;

use domain::{ClientId, Moment};
use resilience::Priority;

use super::chance::Chance;

#[derive(Debug, Clone)]
pub(crate) struct SimulatedClient {
    pub(crate) id: ClientId,
    pub(crate) priority: Priority,
    pub(crate) model: &'static str,
    pub(crate) rhythm: RequestRhythm,
    pub(crate) retrying: RetryHabit,
    /// The share of its requests that it cancels.
    pub(crate) cancels: f64,
}

/// When it sends requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RequestRhythm {
    /// At random, with this mean interval; ten times as long at night, from 20 to 8 o'clock.
    Desk { mean: Duration },
    /// A burst of this size at this interval.
    Bursts { size: u32, every: Duration },
    /// One request at exactly this interval.
    Steady { every: Duration },
}

/// Its reaction to an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryHabit {
    Never,
    /// Like the vendors' SDKs: two retries, unless the error advises against it.
    AsSdk,
    /// Like some agents: five retries after any error.
    Stubborn,
}

impl RetryHabit {
    pub(crate) const fn retries_max(self, told_no_use: ClientRetryAdvice) -> u32 {
        match (self, told_no_use) {
            (Self::Never, _) | (Self::AsSdk, ClientRetryAdvice::NoUse) => 0,
            (Self::AsSdk, ClientRetryAdvice::Nothing) => 2,
            (Self::Stubborn, _) => 5,
        }
    }

    /// The wait of the Stainless SDKs: half a second, doubled each time, with jitter.
    pub(crate) fn pause(earlier: u32, chance: &Chance) -> Duration {
        let step = Duration::from_millis(500).saturating_mul(1 << earlier.min(4));
        step.min(Duration::from_secs(8)).mul_f64(0.75 + chance.unit() / 4.0)
    }
}

/// The retry advice of an error (`x-should-retry: false`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientRetryAdvice {
    Nothing,
    NoUse,
}

impl SimulatedClient {
    pub(crate) fn new(id: &str, model: &'static str, rhythm: RequestRhythm) -> Self {
        Self {
            id: ClientId::new(id).expect("a name"),
            priority: Priority::Interactive,
            model,
            rhythm,
            retrying: RetryHabit::Never,
            cancels: 0.0,
        }
    }

    pub(crate) fn retrying(self, retrying: RetryHabit) -> Self {
        Self { retrying, ..self }
    }

    pub(crate) fn in_the_background(self) -> Self {
        Self { priority: Priority::Background, ..self }
    }

    pub(crate) fn cancelling(self, cancels: f64) -> Self {
        Self { cancels, ..self }
    }

    /// The time to its next request or burst, and the number of requests in it.
    pub(crate) fn next(&self, now: Moment, chance: &Chance) -> (Duration, u32) {
        match self.rhythm {
            RequestRhythm::Steady { every } => (every, 1),
            RequestRhythm::Bursts { size, every } => (every, size),
            RequestRhythm::Desk { mean } => {
                let hour = now.as_micros() / 3_600_000_000 % 24;
                let at_night = !(8..20).contains(&hour);
                (chance.pause(if at_night { mean * 10 } else { mean }), 1)
            }
        }
    }
}
