//! Converts the numbers of the settings to the rules of the state machines. Settings know names and
//! ranges, the state machines durations; neither depends on the other.

use std::time::Duration;

use resilience::{AttemptRules, BreakerRules, RetryBudgetRules};
use settings::ResilienceNumbers;

/// When a breaker opens and how it recovers.
#[must_use]
pub(crate) fn breaker_rules(numbers: &ResilienceNumbers) -> BreakerRules {
    BreakerRules {
        failures_in_a_row: numbers.failures_in_a_row,
        failure_percent: saturating_u8(numbers.failure_percent),
        slow_percent: saturating_u8(numbers.slow_percent),
        calls_min: numbers.calls_min,
        window: secs(numbers.window_secs),
        slow_factor: numbers.slow_factor,
        slow_floor: millis(numbers.slow_ms_min),
        bad_probes: numbers.bad_probes,
        open_first: millis(numbers.open_ms_first),
        open_max: millis(numbers.open_ms_max),
        open_jitter_percent: saturating_u8(numbers.open_jitter_percent),
        calm: secs(numbers.calm_secs),
        trial_successes: numbers.trial_successes,
        trial_silence: secs(numbers.trial_silence_secs),
        trial_lease: secs(numbers.trial_lease_secs),
        ramp_successes: numbers.ramp_successes,
        ramp_step: secs(numbers.ramp_step_secs),
        ramp_failure_percent: saturating_u8(numbers.ramp_failure_percent),
        cooldown_first: millis(numbers.cooldown_ms_first),
        cooldown_longest: millis(numbers.cooldown_ms_max),
        quota_first: secs(numbers.quota_secs_first),
        quota_longest: secs(numbers.quota_secs_max),
    }
}

/// How often and how fast a request is retried.
#[must_use]
pub fn attempt_rules(numbers: &ResilienceNumbers) -> AttemptRules {
    AttemptRules {
        attempts_max: saturating_u8(numbers.attempts_max),
        base: millis(numbers.retry_ms_first),
        cap: millis(numbers.retry_ms_max),
        base_connect: millis(numbers.retry_connect_ms),
        wait_max: millis(numbers.retry_after_ms_max),
    }
}

/// Share of all traffic that may be retries.
#[must_use]
pub(crate) fn retry_budget_rules(numbers: &ResilienceNumbers) -> RetryBudgetRules {
    RetryBudgetRules {
        percent: saturating_u8(numbers.retry_budget_percent),
        reserve: numbers.retry_reserve,
    }
}

/// How long a breaker forced closed by hand stays so by default.
#[must_use]
pub fn forced_closed_time(numbers: &ResilienceNumbers) -> Duration {
    secs(numbers.forced_closed_secs)
}

/// Converts a number whose range ends below 256.
fn saturating_u8(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn secs(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

fn millis(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

#[cfg(test)]
mod tests {
    use settings::{Setting, SettingValue, Settings};

    use super::*;

    /// The defaults of the settings must equal the defaults the state machines are tested with.
    #[test]
    fn the_usual_numbers_are_the_machines_own() {
        let numbers = ResilienceNumbers::default();
        assert_eq!(breaker_rules(&numbers), BreakerRules::default());
        assert_eq!(attempt_rules(&numbers), AttemptRules::default());
        assert_eq!(retry_budget_rules(&numbers), RetryBudgetRules::default());
    }

    /// A number without effect on any rule would be a dead setting.
    #[test]
    fn each_number_moves_a_rule() {
        let rules = |numbers: &ResilienceNumbers| {
            let forced = forced_closed_time(numbers);
            (breaker_rules(numbers), attempt_rules(numbers), retry_budget_rules(numbers), forced)
        };
        // Each at an end of its range, with the numbers that bound others at their most.
        let bounds = ["open_ms_max", "cooldown_ms_max", "quota_secs_max", "retry_ms_max"];
        let end = |field: &Setting| {
            let (low, high) = field.range.clone().expect("a range").into_inner();
            let is_default = field.default_value() == SettingValue::Number(high);
            SettingValue::Number(if is_default { low } else { high })
        };
        for field in ResilienceNumbers::fields() {
            let wide = ResilienceNumbers::fields()
                .filter(|other| bounds.contains(&other.name) && other.name != field.name);
            let wide: Vec<_> = wide.map(|other| (other.path.to_owned(), end(other))).collect();
            let moved = [wide.clone(), vec![(field.path.to_owned(), end(field))]].concat();
            let numbers = |changes: &[_]| {
                let settings = Settings::default().with_values(changes).expect("valid numbers");
                settings.resilience.custom
            };
            assert!(rules(&numbers(&moved)) != rules(&numbers(&wide)), "{}", field.name);
        }
    }
}
