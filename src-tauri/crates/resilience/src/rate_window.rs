//! Requests and tokens per minute, for clients and for backends.
//!
//! A sliding window in steps of a second instead of a token bucket. Providers count any 60 seconds,
//! and a bucket that allows its full size at the end of one minute and again at the start of the
//! next would cause a 429. Tokens are estimated when a request begins and corrected when its usage
//! is known.

use std::time::Duration;

use domain::Moment;

use crate::minute_counter::{MinuteCounter, SPAN};

/// Sixty steps of one second, and the one that is partly outside the minute.
const STEPS: usize = 61;

/// An amount taken from a window, for a later correction or return.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "without it the amount cannot be put right"]
pub struct RateReservation {
    at: Moment,
    amount: u64,
}

/// A limit per minute that holds over any 60 seconds.
#[derive(Debug, Clone)]
pub struct RateWindow {
    per_minute: u32,
    recent: MinuteCounter<STEPS>,
}

impl RateWindow {
    /// Starts empty. A limit of 0 admits nothing.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, recent: MinuteCounter::default() }
    }

    /// Changes the limit. Amounts already taken stay.
    pub(crate) const fn set_per_minute(&mut self, per_minute: u32) {
        self.per_minute = per_minute;
    }

    /// Takes `amount`, or returns the wait until it would fit if nobody else took any. An amount
    /// larger than the limit waits for an empty window and takes all of it, since it could never
    /// run otherwise. With a limit of 0 nothing fits.
    pub fn try_take(&mut self, amount: u32, now: Moment) -> Result<RateReservation, Duration> {
        if self.per_minute == 0 {
            return Err(SPAN);
        }
        let amount = u64::from(amount.min(self.per_minute));
        let room_for = u64::from(self.per_minute) - amount;
        if self.recent.count_at_most(now) > room_for {
            return Err(self.recent.time_until_at_most(room_for, now));
        }
        self.recent.add(amount, now);
        Ok(RateReservation { at: now, amount })
    }

    /// Corrects a taken amount once the true one is known. An excess is returned to the second it
    /// was taken in. A shortfall counts from `now`, when it was used, and may exceed the limit;
    /// then nothing fits until it leaves the window.
    #[expect(clippy::needless_pass_by_value, reason = "what was taken is settled once")]
    pub fn settle(&mut self, taken: RateReservation, used: u64, now: Moment) {
        let RateReservation { at, amount } = taken;
        if used < amount {
            self.recent.subtract(amount - used, at);
        } else if used > amount {
            self.recent.add(used - amount, now);
        }
    }

    /// Unused part of the limit, in percent, rounded down.
    #[must_use]
    pub fn headroom_percent(&self, now: Moment) -> u8 {
        let limit = u64::from(self.per_minute);
        let free = limit.saturating_sub(self.recent.count_at_most(now));
        u8::try_from((free * 100).checked_div(limit).unwrap_or(0)).unwrap_or(100)
    }
}

/// Limits per minute for one client or backend. `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateRules {
    pub requests_per_minute: Option<u32>,
    /// Input plus output tokens per minute.
    pub tokens_per_minute: Option<u32>,
}

domain::words! {
    RateKind {
        Requests = "requests",
        Tokens = "tokens",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {kind} per minute is reached; try again in {} s", .wait.as_secs_f64().ceil())]
pub struct RateExceeded {
    pub kind: RateKind,
    /// Time until the request would fit, if nobody else took any.
    pub wait: Duration,
}

/// What a request has taken from both limits.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "without it the tokens cannot be put right"]
pub struct RatesReservation {
    requests: Option<RateReservation>,
    tokens: Option<RateReservation>,
}

/// Both limits of one client or backend. A request takes from both or from neither.
#[derive(Debug, Clone, Default)]
pub struct RateLimits {
    requests: Option<RateWindow>,
    tokens: Option<RateWindow>,
}

impl RateLimits {
    /// Starts with nothing taken.
    #[must_use]
    pub fn new(rules: RateRules) -> Self {
        let mut limits = Self::default();
        limits.set_rules(rules);
        limits
    }

    /// Changes the limits. Amounts already taken stay.
    pub fn set_rules(&mut self, rules: RateRules) {
        set_window(&mut self.requests, rules.requests_per_minute);
        set_window(&mut self.tokens, rules.tokens_per_minute);
    }

    /// Takes one request and its estimated tokens, or neither.
    pub fn try_take(&mut self, tokens: u32, now: Moment) -> Result<RatesReservation, RateExceeded> {
        let requests = reserve(&mut self.requests, 1, RateKind::Requests, now)?;
        match reserve(&mut self.tokens, tokens, RateKind::Tokens, now) {
            Ok(tokens) => Ok(RatesReservation { requests, tokens }),
            Err(exceeded) => {
                refund_window(&mut self.requests, requests, now);
                Err(exceeded)
            }
        }
    }

    /// Corrects the tokens when a request ends.
    pub fn settle(&mut self, taken: RatesReservation, tokens_used: u64, now: Moment) {
        if let (Some(window), Some(taken)) = (&mut self.tokens, taken.tokens) {
            window.settle(taken, tokens_used, now);
        }
    }

    /// Unused part of the tighter limit, in percent. `None` without a limit.
    #[must_use]
    pub fn headroom_percent(&self, now: Moment) -> Option<u8> {
        [&self.requests, &self.tokens]
            .into_iter()
            .flatten()
            .map(|window| window.headroom_percent(now))
            .min()
    }
}

fn set_window(window: &mut Option<RateWindow>, per_minute: Option<u32>) {
    match (window.as_mut(), per_minute) {
        (Some(window), Some(per_minute)) => window.set_per_minute(per_minute),
        (_, per_minute) => *window = per_minute.map(RateWindow::new),
    }
}

fn reserve(
    window: &mut Option<RateWindow>,
    amount: u32,
    kind: RateKind,
    now: Moment,
) -> Result<Option<RateReservation>, RateExceeded> {
    let taken = window.as_mut().map(|window| window.try_take(amount, now)).transpose();
    taken.map_err(|wait| RateExceeded { kind, wait })
}

fn refund_window(window: &mut Option<RateWindow>, taken: Option<RateReservation>, now: Moment) {
    if let (Some(window), Some(taken)) = (window, taken) {
        window.settle(taken, 0, now);
    }
}

#[cfg(test)]
mod tests;
