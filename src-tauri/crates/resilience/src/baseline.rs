//! The usual time to the first token of an endpoint: the learned 95th percentile.
//!
//! A histogram on a logarithmic scale with steps of a quarter octave (19 %), halved at
//! [`SAMPLES_MAX`] samples. Older calls lose weight, a week of a developer's use still counts, and
//! for a model that is always slow, slow becomes the usual after about fifty calls.

use std::time::Duration;

/// Minimum number of samples for a percentile.
pub const SAMPLES_MIN: u32 = 20;
/// Number of samples at which all counts are halved.
pub(crate) const SAMPLES_MAX: u32 = 1_000;

const STEPS: usize = 64;
const STEPS_PER_OCTAVE: f64 = 4.0;
const SMALLEST_MS: f64 = 16.0;
const PERCENTILE: u32 = 95;

#[derive(Debug, Clone)]
pub(crate) struct LatencyBaseline {
    counts: [u16; STEPS],
}

impl Default for LatencyBaseline {
    fn default() -> Self {
        Self { counts: [0; STEPS] }
    }
}

impl LatencyBaseline {
    pub(crate) fn from_counts(saved: &[u16]) -> Self {
        let mut baseline = Self::default();
        for (count, saved) in baseline.counts.iter_mut().zip(saved) {
            *count = *saved;
        }
        baseline.halve_if_full();
        baseline
    }

    /// The counts without the zeros at the end.
    pub(crate) fn to_counts(&self) -> Vec<u16> {
        let used = self.counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        self.counts.iter().take(used).copied().collect()
    }

    pub(crate) fn learn(&mut self, first_token: Duration) {
        if let Some(count) = self.counts.get_mut(histogram_step(first_token)) {
            *count = count.saturating_add(1);
        }
        self.halve_if_full();
    }

    /// The 95th percentile, rounded up to its step; `None` below [`SAMPLES_MIN`].
    pub(crate) fn p95(&self) -> Option<Duration> {
        let total = self.total();
        if total < SAMPLES_MIN {
            return None;
        }
        let rank = (total * PERCENTILE).div_ceil(100);
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += u32::from(*count);
            seen >= rank
        })?;
        let octaves = f64::from(u32::try_from(place + 1).ok()?) / STEPS_PER_OCTAVE;
        Some(Duration::from_secs_f64(SMALLEST_MS * octaves.exp2() / 1_000.0))
    }

    fn total(&self) -> u32 {
        self.counts.iter().map(|count| u32::from(*count)).sum()
    }

    fn halve_if_full(&mut self) {
        while self.total() > SAMPLES_MAX {
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the number of steps before"
)]
fn histogram_step(first_token: Duration) -> usize {
    let octaves = (first_token.as_secs_f64() * 1_000.0 / SMALLEST_MS).max(1.0).log2();
    (octaves * STEPS_PER_OCTAVE).floor().clamp(0.0, STEPS as f64 - 1.0) as usize
}
