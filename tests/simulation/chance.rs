//! All randomness of a simulated world, from one seed: the same seed gives the same world, down to
//! the last event.

use std::time::Duration;

use domain::{Entropy, RequestId, SeededEntropy, WallTime};

#[derive(Debug)]
pub(crate) struct Chance(SeededEntropy);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// A number from 0 to below 1.
    pub(crate) fn unit(&self) -> f64 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }

    /// True with this probability.
    pub(crate) fn happens(&self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A uniformly distributed duration.
    pub(crate) fn between(&self, shortest: Duration, longest: Duration) -> Duration {
        shortest + (longest - shortest).mul_f64(self.unit())
    }

    /// The time to the next event of a Poisson process with this mean.
    pub(crate) fn pause(&self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.unit()).ln())
    }

    pub(crate) fn pick<T: Copy>(&self, from: &[T]) -> T {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        let place = u64::from_le_bytes(bytes) % from.len() as u64;
        from[usize::try_from(place).expect("a place in a list")]
    }

    pub(crate) fn request_id(&self) -> RequestId {
        RequestId::generate(WallTime::default(), &self.0)
    }
}
