//! Breaker, cooldown and retry settings. The `resilience` crate uses these numbers; this module
//! defines their ranges and meanings.
//!
//! A preset names a whole set, because few people want to choose over twenty numbers. The user's
//! own numbers are kept while a preset is in use.

use std::ops::RangeInclusive;

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
        /// Trips early and for longer, and retries little: for metered keys.
        Careful = "careful",
        /// Fits most users.
        #[default]
        Balanced = "balanced",
        /// Tolerates more failures and recovers sooner: for one backend without a fallback.
        Eager = "eager",
        /// The user's own numbers.
        Custom = "custom",
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

/// Definition of a number, for the file and for forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberField {
    /// Name in the file, with the unit last.
    pub name: &'static str,
    pub range: RangeInclusive<u32>,
    pub default: u32,
    /// One sentence.
    pub meaning: &'static str,
}

impl NumberField {
    /// The unit in the name: `ms`, `s`, `%`; empty for counts.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        let mut units = self.name.split('_').filter_map(|word| match word {
            "ms" => Some("ms"),
            "secs" => Some("s"),
            "percent" => Some("%"),
            _ => None,
        });
        units.next().unwrap_or_default()
    }
}

/// Declares a struct of integers that the file, forms and the command line access by name.
macro_rules! numbers {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($field:ident = $default:literal in $low:literal..=$high:literal as $range:ident, $meaning:literal;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $(#[doc = $meaning] pub $field: u32,)+
        }

        impl $name {
            $(
                #[doc = concat!("What `", stringify!($field), "` may be: ", $meaning)]
                pub const $range: RangeInclusive<u32> = $low..=$high;
            )+

            /// The definition of each number, in display order.
            pub const FIELDS: &'static [NumberField] = &[
                $(NumberField {
                    name: stringify!($field),
                    range: Self::$range,
                    default: $default,
                    meaning: $meaning,
                },)+
            ];

            /// Builds the numbers from the results of `number`.
            pub fn read(mut number: impl FnMut(&NumberField) -> u32) -> Self {
                let mut numbers = Self::default();
                for field in Self::FIELDS {
                    numbers.set(field.name, number(field));
                }
                numbers
            }

            /// The number with that name, if it exists.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u32> {
                match name {
                    $(stringify!($field) => Some(self.$field),)+
                    _ => None,
                }
            }

            /// Sets the number with that name, even out of its range; `None` if it does not exist.
            pub fn set(&mut self, name: &str, value: u32) -> Option<()> {
                match name {
                    $(stringify!($field) => self.$field = value,)+
                    _ => return None,
                }
                Some(())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    };
}

numbers! {
    /// All breaker and retry numbers. The defaults suit one developer's traffic: a server's usual
    /// minimum of a hundred calls would never be reached, and consecutive failures alone would miss
    /// a backend that fails one call in three.
    ResilienceNumbers {
        failures_in_a_row = 3 in 1..=20 as FAILURES_IN_A_ROW_RANGE,
            "Failures in a row that trip the breaker.";
        failure_percent = 50 in 5..=100 as FAILURE_PERCENT_RANGE,
            "Percentage of failed calls in the window that trips the breaker.";
        slow_percent = 80 in 10..=100 as SLOW_PERCENT_RANGE,
            "Percentage of slow calls in the window that trips the breaker.";
        calls_min = 10 in 2..=1_000 as CALLS_MIN_RANGE,
            "Calls needed in the window before percentages count.";
        window_secs = 60 in 12..=600 as WINDOW_SECS_RANGE,
            "Length of the sliding window, in seconds.";
        slow_factor = 3 in 2..=20 as SLOW_FACTOR_RANGE,
            "A call is slow if its first token takes this many times longer than usual.";
        slow_ms_min = 10_000 in 500..=600_000 as SLOW_MS_MIN_RANGE,
            "A call whose first token arrives within this many milliseconds is never slow.";
        bad_probes = 3 in 1..=20 as BAD_PROBES_RANGE,
            "Failed probes in a row, with no successful request in between, that trip the breaker.";
        open_ms_first = 5_000 in 500..=600_000 as OPEN_MS_FIRST_RANGE,
            "Milliseconds the breaker stays tripped the first time; doubles each further time.";
        open_ms_max = 60_000 in 1_000..=3_600_000 as OPEN_MS_MAX_RANGE,
            "Longest time the breaker stays tripped, in milliseconds.";
        open_jitter_percent = 20 in 0..=50 as OPEN_JITTER_PERCENT_RANGE,
            "Random variation of the tripped time, in percent.";
        calm_secs = 600 in 10..=86_400 as CALM_SECS_RANGE,
            "Healthy seconds after which the tripped time starts from its first value again.";
        trial_successes = 3 in 1..=20 as TRIAL_SUCCESSES_RANGE,
            "Successful trial requests in a row that start the recovery.";
        trial_silence_secs = 30 in 5..=600 as TRIAL_SILENCE_SECS_RANGE,
            "Seconds without a trial request after which a probe is sent instead.";
        trial_lease_secs = 600 in 60..=3_600 as TRIAL_LEASE_SECS_RANGE,
            "Seconds after which a trial request without a result counts as lost.";
        ramp_successes = 5 in 1..=100 as RAMP_SUCCESSES_RANGE,
            "Successes after which a recovering backend gets a larger share of its traffic.";
        ramp_step_secs = 10 in 1..=600 as RAMP_STEP_SECS_RANGE,
            "Seconds after which it gets a larger share even with fewer calls.";
        ramp_failure_percent = 20 in 1..=100 as RAMP_FAILURE_PERCENT_RANGE,
            "Percentage of failed calls during recovery that trips the breaker again.";
        forced_closed_secs = 900 in 60..=86_400 as FORCED_CLOSED_SECS_RANGE,
            "Seconds for which \"Allow traffic\" lasts.";
        cooldown_ms_first = 5_000 in 500..=600_000 as COOLDOWN_MS_FIRST_RANGE,
            "Milliseconds of cooldown after a rate limit without a wait time; doubles each further \
             time.";
        cooldown_ms_max = 60_000 in 1_000..=3_600_000 as COOLDOWN_MS_MAX_RANGE,
            "Longest such cooldown, in milliseconds.";
        quota_secs_first = 3_600 in 60..=86_400 as QUOTA_SECS_FIRST_RANGE,
            "Seconds of cooldown after a daily quota without a reset time is used up; doubles each \
             further time.";
        quota_secs_max = 86_400 in 60..=604_800 as QUOTA_SECS_MAX_RANGE,
            "Longest such cooldown, in seconds.";
        attempts_max = 3 in 1..=3 as ATTEMPTS_MAX_RANGE,
            "Most attempts for one request, the first included.";
        retry_ms_first = 500 in 10..=10_000 as RETRY_MS_FIRST_RANGE,
            "Longest wait before the first retry, in milliseconds; doubles before each further \
             one.";
        retry_ms_max = 30_000 in 100..=120_000 as RETRY_MS_MAX_RANGE,
            "Longest wait before any retry, in milliseconds.";
        retry_connect_ms = 50 in 1..=10_000 as RETRY_CONNECT_MS_RANGE,
            "Longest wait before a refused connection is retried, in milliseconds; doubles before \
             each further one.";
        retry_after_ms_max = 5_000 in 0..=60_000 as RETRY_AFTER_MS_MAX_RANGE,
            "Longest wait that a backend may ask for, in milliseconds; for a longer one another \
             backend is tried.";
        retry_budget_percent = 20 in 0..=50 as RETRY_BUDGET_PERCENT_RANGE,
            "Retries allowed per minute, as a percentage of requests.";
        retry_reserve = 3 in 0..=20 as RETRY_RESERVE_RANGE,
            "Retries always allowed per minute, whatever the traffic.";
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
}
