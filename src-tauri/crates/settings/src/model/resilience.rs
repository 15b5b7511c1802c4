//! Breaker, cooldown and retry settings. The `resilience` crate uses these numbers; this module
//! defines their ranges and meanings.
//!
//! A preset names a whole set, because few people want to choose over twenty numbers. The user's
//! own numbers are kept while a preset is in use.

use crate::setting::{Rows, Setting, settings};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResilienceSettings {
    pub preset: ResiliencePreset,
    /// Used only with [`ResiliencePreset::Custom`].
    pub custom: ResilienceNumbers,
}

impl ResilienceSettings {
    /// The effective numbers.
    #[must_use]
    pub fn numbers(&self) -> ResilienceNumbers {
        self.preset.numbers().unwrap_or_else(|| self.custom.clone())
    }
}

domain::words! {
    /// A named set of numbers.
    #[derive(Default)]
    ResiliencePreset {
        /// Trips early and retries little. For metered keys.
        Careful = "careful",
        /// Right for most setups.
        #[default]
        Balanced = "balanced",
        /// Tolerates more failures and recovers sooner. For a single backend.
        Eager = "eager",
        /// Your own thresholds.
        Custom = "custom",
    }
}

crate::setting::word_types!(ResiliencePreset);

settings! {
    /// Defines the preset, which [`ResilienceSettings`] reads together with the numbers.
    pub(crate) PresetRow in "resilience", keys "resilience." {
        /// A set of numbers: `careful` trips early and retries little, `balanced` fits most setups,
        /// `eager` tolerates more failures, `custom` uses the numbers below.
        preset: ResiliencePreset, panel Resilience "When a backend fails";
    }
}

impl ResiliencePreset {
    /// The preset's numbers; `None` for [`Custom`](Self::Custom), whose numbers are the user's.
    #[must_use]
    pub fn numbers(self) -> Option<ResilienceNumbers> {
        match self {
            Self::Careful => Some(careful()),
            Self::Balanced => Some(ResilienceNumbers::default()),
            Self::Eager => Some(eager()),
            Self::Custom => None,
        }
    }
}

fn careful() -> ResilienceNumbers {
    ResilienceNumbers {
        failures_in_a_row: 2,
        failure_percent: 30,
        slow_percent: 60,
        open_ms_first: 10_000,
        open_ms_max: 300_000,
        trial_successes: 5,
        ramp_step_secs: 20,
        ramp_failure_percent: 10,
        attempts_max: 2,
        retry_budget_percent: 10,
        ..ResilienceNumbers::default()
    }
}

fn eager() -> ResilienceNumbers {
    ResilienceNumbers {
        failures_in_a_row: 5,
        failure_percent: 70,
        slow_percent: 95,
        open_ms_first: 2_000,
        open_ms_max: 20_000,
        trial_successes: 2,
        ramp_step_secs: 5,
        ramp_failure_percent: 40,
        retry_budget_percent: 30,
        ..ResilienceNumbers::default()
    }
}

settings! {
    /// All breaker and retry numbers. The defaults suit one developer's traffic: a server's usual
    /// minimum of a hundred calls would never be reached, and consecutive failures alone would miss
    /// a backend that fails one call in three.
    pub ResilienceNumbers in "resilience", keys "resilience.custom." {
        /// Failures in a row that trip the breaker.
        failures_in_a_row: u32 = 3, in 1..=20, panel Resilience "Failures in a row";
        /// Percentage of failed calls in the window that trips the breaker.
        failure_percent: u32 = 50, in 5..=100, panel Resilience "Failure rate";
        /// Percentage of slow calls in the window that trips the breaker.
        slow_percent: u32 = 80, in 10..=100, panel Resilience "Slow call rate";
        /// Calls needed in the window before percentages count.
        calls_min: u32 = 10, in 2..=1_000, panel Resilience "Minimum calls";
        /// Length of the sliding window, in seconds.
        window_secs: u32 = 60, in 12..=600, panel Resilience "Window";
        /// A call is slow if its first token takes this many times longer than usual.
        slow_factor: u32 = 3, in 2..=20, panel Resilience "Slow factor";
        /// A call whose first token arrives within this many milliseconds is never slow.
        slow_ms_min: u32 = 10_000, in 500..=600_000, panel Resilience "Never slow below";
        /// Failed probes in a row, with no successful request in between, that trip the breaker.
        bad_probes: u32 = 3, in 1..=20, panel Resilience "Failed probes in a row";
        /// Milliseconds the breaker stays tripped the first time; doubles each further time.
        open_ms_first: u32 = 5_000, in 500..=600_000, panel Resilience "First trip";
        /// Longest time the breaker stays tripped, in milliseconds.
        open_ms_max: u32 = 60_000, in 1_000..=3_600_000, panel Resilience "Longest trip";
        /// Random variation of the tripped time, in percent.
        open_jitter_percent: u32 = 20, in 0..=50, panel Resilience "Trip jitter";
        /// Healthy seconds after which the tripped time starts from its first value again.
        calm_secs: u32 = 600, in 10..=86_400, panel Resilience "Trip reset";
        /// Successful trial requests in a row that start the recovery.
        trial_successes: u32 = 3, in 1..=20, panel Resilience "Successful trials";
        /// Seconds without a trial request after which a probe is sent instead.
        trial_silence_secs: u32 = 30, in 5..=600, panel Resilience "Probe without trials";
        /// Seconds after which a trial request without a result counts as lost.
        trial_lease_secs: u32 = 600, in 60..=3_600, panel Resilience "Trial timeout";
        /// Successes after which a recovering backend gets a larger share of its traffic.
        ramp_successes: u32 = 5, in 1..=100, panel Resilience "Recovery step, successes";
        /// Seconds after which it gets a larger share even with fewer calls.
        ramp_step_secs: u32 = 10, in 1..=600, panel Resilience "Recovery step, time";
        /// Percentage of failed calls during recovery that trips the breaker again.
        ramp_failure_percent: u32 = 20, in 1..=100, panel Resilience "Failure rate in recovery";
        /// Seconds for which "Allow traffic" lasts.
        forced_closed_secs: u32 = 900, in 60..=86_400, panel Resilience "Allow traffic";
        /// Milliseconds of cooldown after a rate limit without a wait time; doubles each further
        /// time.
        cooldown_ms_first: u32 = 5_000, in 500..=600_000, panel Resilience "First cooldown";
        /// Longest such cooldown, in milliseconds.
        cooldown_ms_max: u32 = 60_000, in 1_000..=3_600_000, panel Resilience "Longest cooldown";
        /// Seconds of cooldown after a daily quota without a reset time is used up; doubles each
        /// further time.
        quota_secs_first: u32 = 3_600, in 60..=86_400, panel Resilience "First quota cooldown";
        /// Longest such cooldown, in seconds.
        quota_secs_max: u32 = 86_400, in 60..=604_800, panel Resilience "Longest quota cooldown";
        /// Most attempts for one request, the first included.
        attempts_max: u32 = 3, in 1..=3, panel Resilience "Attempts";
        /// Longest wait before the first retry, in milliseconds; doubles before each further one.
        retry_ms_first: u32 = 500, in 10..=10_000, panel Resilience "First retry wait";
        /// Longest wait before any retry, in milliseconds.
        retry_ms_max: u32 = 30_000, in 100..=120_000, panel Resilience "Longest retry wait";
        /// Longest wait before a refused connection is retried, in milliseconds; doubles before
        /// each further one.
        retry_connect_ms: u32 = 50, in 1..=10_000, panel Resilience "Connection retry wait";
        /// Longest wait that a backend may ask for, in milliseconds; for a longer one another
        /// backend is tried.
        retry_after_ms_max: u32 = 5_000, in 0..=60_000, panel Resilience "Longest Retry-After";
        /// Retries allowed per minute, as a percentage of requests.
        retry_budget_percent: u32 = 20, in 0..=50, panel Resilience "Retry budget";
        /// Retries always allowed per minute, whatever the traffic.
        retry_reserve: u32 = 3, in 0..=20, panel Resilience "Retry reserve";
    }
}

impl ResilienceNumbers {
    /// Pairs of names; the first number must not exceed the second.
    pub const ORDERED_PAIRS: &'static [(&'static str, &'static str)] = &[
        ("open_ms_first", "open_ms_max"),
        ("cooldown_ms_first", "cooldown_ms_max"),
        ("quota_secs_first", "quota_secs_max"),
        ("retry_ms_first", "retry_ms_max"),
    ];

    /// The definition of each number, in display order.
    pub fn fields() -> impl Iterator<Item = &'static Setting> {
        Self::settings()
    }

    /// Each number by its name.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.write_rows()
            .into_iter()
            .filter_map(|(name, value)| Some((name, u32::try_from(value.as_integer()?).ok()?)))
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        self.values().find(|(known, _)| *known == name).map(|(_, number)| number)
    }
}
