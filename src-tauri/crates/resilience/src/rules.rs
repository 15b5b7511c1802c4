//! All numbers of breaker and cooldown in one place, so that the settings can name each of them.
//!
//! The defaults fit one developer. Libraries for servers wait for 100 calls before they judge,
//! which is never reached here, and a plain count of consecutive failures misses a backend that
//! fails every third time.

use std::time::Duration;

/// Buckets of the sliding window. A call leaves the counts at most a twelfth of the window late.
pub(crate) const WINDOW_BUCKETS: usize = 12;

/// Longest open time that a server's `retry-after` can set. A longer one is a mistake or an attack.
pub const OPEN_RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// Longest cooldown: a monthly quota. A longer one is a mistake in a header.
pub const COOLDOWN_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// Shares of the traffic that a recovering endpoint gets, in sequence, in percent. After the last
/// one the breaker is closed.
pub(crate) const RAMP_PERCENTS: [u8; 3] = [10, 25, 50];

/// How long a breaker stays open before it admits a sole trial because no other endpoint can
/// answer: short enough to use a recovered backend at once, and long enough that a dead one gets at
/// most one call a second.
pub const SOLE_TRIAL_AFTER: Duration = Duration::from_secs(1);

/// Maximum trials in flight in half-open after 0, 1, and 2 or more successes.
pub(crate) const TRIALS_OUT_MAX: [u8; 3] = [1, 2, 4];

/// When a breaker trips, how long it stays open and how it recovers; and how long a rate limit
/// lasts if the server names no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// Consecutive failures that trip it. A half failure counts half.
    pub failures_in_a_row: u32,
    /// Share of failed calls in the window that trips it, in percent.
    pub failure_percent: u8,
    /// Share of slow calls in the window that trips it, in percent.
    pub slow_percent: u8,
    /// Minimum number of calls in the window before a share is judged.
    pub calls_min: u32,
    /// Length of the sliding window, in `WINDOW_BUCKETS` buckets.
    pub window: Duration,
    /// A call is slow if its first token takes longer than this many times the endpoint's baseline…
    pub slow_factor: u32,
    /// …and longer than this.
    pub slow_floor: Duration,
    /// Consecutive failed light probes, without a success between, that trip it.
    pub bad_probes: u32,
    /// The first open time. Each further one is twice as long.
    pub open_first: Duration,
    pub open_max: Duration,
    /// Maximum jitter of an open time in either direction, in percent.
    pub open_jitter_percent: u8,
    /// How long a breaker must be closed before the next open time is the first one again.
    pub calm: Duration,
    /// Successes that end half-open.
    pub trial_successes: u32,
    /// Time in half-open without a call before a light probe is requested.
    pub trial_silence: Duration,
    /// Time after which a trial without a result counts as lost: longer than any request may take.
    pub trial_lease: Duration,
    /// Successes before the next share of `RAMP_PERCENTS`.
    pub ramp_successes: u32,
    /// Time after which the next share begins in any case.
    pub ramp_step: Duration,
    /// Tolerated share of failed calls since the ramp began, in percent.
    pub ramp_failure_percent: u8,
    /// The first cooldown after a rate limit without a time. Each further one is twice as long.
    pub cooldown_first: Duration,
    /// The longest cooldown after a rate limit without a time.
    pub cooldown_longest: Duration,
    /// The first cooldown after a daily quota without a reset time. It doubles likewise…
    pub quota_first: Duration,
    /// …up to this.
    pub quota_longest: Duration,
}

impl Default for BreakerRules {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            failures_in_a_row: 3,
            failure_percent: 50,
            slow_percent: 80,
            calls_min: 10,
            window: secs(60),
            slow_factor: 3,
            slow_floor: secs(10),
            bad_probes: 3,
            open_first: secs(5),
            open_max: secs(60),
            open_jitter_percent: 20,
            calm: secs(600),
            trial_successes: 3,
            trial_silence: secs(30),
            trial_lease: secs(600),
            ramp_successes: 5,
            ramp_step: secs(10),
            ramp_failure_percent: 20,
            cooldown_first: secs(5),
            cooldown_longest: secs(60),
            quota_first: secs(3600),
            quota_longest: secs(24 * 3600),
        }
    }
}

impl BreakerRules {
    /// The open time for `step` (0 is the first), with `chance` (0 to 1) as jitter.
    pub(crate) fn open_time(&self, step: u8, chance: f64) -> Duration {
        let spread = f64::from(self.open_jitter_percent.min(100)) / 100.0;
        let factor = 1.0 + spread * (2.0 * chance.clamp(0.0, 1.0) - 1.0);
        double_capped(self.open_first, step, self.open_max).mul_f64(factor)
    }

    pub(crate) fn bucket_length(&self) -> Duration {
        (self.window / 12).max(Duration::from_millis(1))
    }
}

/// `first` doubled `step` times, at most `longest`.
pub(crate) fn double_capped(first: Duration, step: u8, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(u32::from(step)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}
