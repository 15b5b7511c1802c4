//! Keys that were replaced, so that one can ask whether their provider still accepts them.
//!
//! A leaked key is harmless only once the provider rejects it, and only the old key can prove that.
//! In memory alone and for a day.

use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, CredentialId, WallTime};

use crate::short_lived::ShortLived;

/// Time for which a replaced key is kept.
pub(crate) const RETIRED_KEY_AGE_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A key that another one replaced.
#[derive(Clone)]
pub struct RetiredKey {
    pub key: Arc<BoundSecret>,
    pub replaced_at: WallTime,
}

pub type RetiredKeys = ShortLived<CredentialId, RetiredKey>;

#[cfg(test)]
mod tests {
    use domain::{Clock as _, ManualClock, Secret};

    use super::*;

    #[test]
    fn a_replaced_key_is_kept_for_a_day_and_no_longer() {
        let clock = ManualClock::starting_at(WallTime::from_unix_ms(0));
        let id = CredentialId::new("openai").expect("an id");
        let kept = RetiredKeys::new(RETIRED_KEY_AGE_MAX);
        let key = Arc::new(BoundSecret::new(
            Secret::parse("sk-old-0001".to_owned()).expect("a key"),
            None,
        ));
        let retired = RetiredKey { key: Arc::clone(&key), replaced_at: clock.wall() };
        kept.keep(id.clone(), retired, clock.now());
        clock.advance(RETIRED_KEY_AGE_MAX - Duration::from_millis(1));
        kept.drop_expired(clock.now());
        assert!(kept.get(&id, clock.now()).is_some());
        clock.advance(Duration::from_millis(1));
        kept.drop_expired(clock.now());
        assert!(kept.get(&id, clock.now()).is_none());
        assert_eq!(Arc::strong_count(&key), 1, "no copy is left");
    }
}
