//! Those who ask: when, how urgently, and what they do after an error.

use std::time::Duration;

use domain::{ClientId, Moment};
use resilience::Priority;

use super::chance::Chance;

/// One program on the desk.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: ClientId,
    pub(crate) priority: Priority,
    pub(crate) model: &'static str,
    pub(crate) rhythm: Rhythm,
    pub(crate) retrying: Retrying,
    /// Share of its requests that it breaks off.
    pub(crate) cancels: f64,
}

/// When it asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rhythm {
    /// By itself, this far apart on average; at night, from 20 to 8 o'clock, ten times as far.
    Desk { mean: Duration },
    /// So many at once, and again after a time.
    Bursts { size: u32, every: Duration },
    /// One after the other, exactly this far apart.
    Steady { every: Duration },
}

/// What it does after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retrying {
    /// Nothing.
    Never,
    /// As the vendors' SDKs: twice, unless the error says that it is no use.
    AsSdk,
    /// As some agents: five times, whatever the error says.
    Stubborn,
}

impl Retrying {
    pub(crate) const fn times_max(self, told_no_use: Told) -> u32 {
        match (self, told_no_use) {
            (Self::Never, _) | (Self::AsSdk, Told::NoUse) => 0,
            (Self::AsSdk, Told::Nothing) => 2,
            (Self::Stubborn, _) => 5,
        }
    }

    /// Half a second doubled, with jitter, as the SDKs of Stainless wait.
    pub(crate) fn pause(earlier: u32, chance: &Chance) -> Duration {
        let step = Duration::from_millis(500).saturating_mul(1 << earlier.min(4));
        step.min(Duration::from_secs(8)).mul_f64(0.75 + chance.unit() / 4.0)
    }
}

/// Whether an error says that trying again is no use (`x-should-retry: false`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    NoUse,
}

impl Client {
    pub(crate) fn new(id: &str, model: &'static str, rhythm: Rhythm) -> Self {
        Self {
            id: ClientId::new(id).expect("a name"),
            priority: Priority::Interactive,
            model,
            rhythm,
            retrying: Retrying::Never,
            cancels: 0.0,
        }
    }

    pub(crate) fn retrying(self, retrying: Retrying) -> Self {
        Self { retrying, ..self }
    }

    pub(crate) fn in_the_background(self) -> Self {
        Self { priority: Priority::Background, ..self }
    }

    pub(crate) fn cancelling(self, cancels: f64) -> Self {
        Self { cancels, ..self }
    }

    /// The time to its next request or burst, and how many that are.
    pub(crate) fn next(&self, now: Moment, chance: &Chance) -> (Duration, u32) {
        match self.rhythm {
            Rhythm::Steady { every } => (every, 1),
            Rhythm::Bursts { size, every } => (every, size),
            Rhythm::Desk { mean } => {
                let hour = now.as_micros() / 3_600_000_000 % 24;
                let at_night = !(8..20).contains(&hour);
                (chance.pause(if at_night { mean * 10 } else { mean }), 1)
            }
        }
    }
}
