//! The time to the first token of each model at each backend: a moving mean, so that one slow answer does
//! not make a backend slow.

use std::collections::HashMap;
use std::time::Duration;

use domain::BackendId;

/// Pairs of backend and model that are remembered; more than one person uses in a day.
pub(crate) const SPEEDS_MAX: usize = 512;
/// Share of the newest time in the moving mean of the time to the first token, as RFC 6298 has it for
/// round trips.
const NEWEST_SHARE: f64 = 0.125;

/// Milliseconds to the first token, by backend and model.
#[derive(Debug, Default)]
pub(crate) struct FirstTokenLatencies(HashMap<(BackendId, String), f64>);

impl FirstTokenLatencies {
    pub(crate) fn learn(&mut self, backend: &BackendId, model: &str, first_token: Duration) {
        let newest = millis(first_token);
        let key = (backend.clone(), model.to_owned());
        if let Some(mean) = self.0.get_mut(&key) {
            *mean += (newest - *mean) * NEWEST_SHARE;
        } else {
            if self.0.len() >= SPEEDS_MAX {
                self.0.clear();
            }
            self.0.insert(key, newest);
        }
    }

    /// Sets a time measured before this process began, unless one was measured since.
    pub(crate) fn recall(&mut self, backend: &BackendId, model: &str, first_token: Duration) {
        if self.0.len() < SPEEDS_MAX {
            let key = (backend.clone(), model.to_owned());
            self.0.entry(key).or_insert_with(|| millis(first_token));
        }
    }

    pub(crate) fn first_token_ms(&self, backend: &BackendId, model: &str) -> Option<u32> {
        let mean = self.0.get(&(backend.clone(), model.to_owned()))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a duration in milliseconds, cut at the largest number"
        )]
        Some(mean.min(f64::from(u32::MAX)) as u32)
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn what_is_learnt_counts_more_than_what_is_recalled() {
        let backend = BackendId::new("home").expect("a name");
        let mut speeds = FirstTokenLatencies::default();
        speeds.recall(&backend, "before", MS(800));
        assert_eq!(speeds.first_token_ms(&backend, "before"), Some(800));
        speeds.learn(&backend, "before", MS(0));
        assert_eq!(speeds.first_token_ms(&backend, "before"), Some(700));
        speeds.recall(&backend, "before", MS(5));
        assert_eq!(speeds.first_token_ms(&backend, "before"), Some(700));
        assert_eq!(speeds.first_token_ms(&backend, "other"), None);
    }

    #[test]
    fn at_the_limit_the_newest_is_learnt_and_nothing_is_recalled() {
        let backend = BackendId::new("home").expect("a name");
        let mut speeds = FirstTokenLatencies::default();
        for number in 0..SPEEDS_MAX {
            speeds.learn(&backend, &number.to_string(), MS(1));
        }
        speeds.recall(&backend, "before", MS(1));
        assert_eq!(speeds.first_token_ms(&backend, "before"), None);
        speeds.learn(&backend, "newest", MS(1));
        assert_eq!(speeds.first_token_ms(&backend, "newest"), Some(1));
        assert!(speeds.0.len() <= SPEEDS_MAX);
    }
}
