//! Keys that were replaced, so that one can ask whether their provider still accepts them.
//!
//! A leaked key is harmless only once the provider rejects it, and only the old key can prove that.
//! In memory alone and for a day: what is not in the vault must not outlive this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, CredentialId, Moment, WallTime};
use parking_lot::Mutex;

/// Time for which a replaced key is kept.
pub const RETIRED_KEY_AGE_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A key that another one replaced.
#[derive(Clone)]
pub struct RetiredKey {
    pub key: Arc<BoundSecret>,
    pub replaced_at: WallTime,
    kept_since: Moment,
}

/// The last replaced key of each name.
#[derive(Default)]
pub struct RetiredKeys {
    keys: Mutex<HashMap<CredentialId, RetiredKey>>,
}

impl RetiredKeys {
    /// Keeps a key instead of the one that was replaced before it.
    pub fn keep(
        &self,
        id: CredentialId,
        key: Arc<BoundSecret>,
        now: Moment,
        replaced_at: WallTime,
    ) {
        self.keys.lock().insert(id, RetiredKey { key, replaced_at, kept_since: now });
    }

    #[must_use]
    pub fn get(&self, id: &CredentialId) -> Option<RetiredKey> {
        self.keys.lock().get(id).cloned()
    }

    pub fn forget(&self, id: &CredentialId) {
        self.keys.lock().remove(id);
    }

    pub(crate) fn drop_expired(&self, now: Moment) {
        self.keys.lock().retain(|_, kept| now.since(kept.kept_since) < RETIRED_KEY_AGE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use domain::{Clock as _, ManualClock, Secret};

    use super::*;

    #[test]
    fn a_replaced_key_is_kept_for_a_day_and_no_longer() {
        let clock = ManualClock::starting_at(WallTime::from_unix_ms(0));
        let id = CredentialId::new("openai").expect("an id");
        let kept = RetiredKeys::default();
        let key = Arc::new(BoundSecret::new(
            Secret::parse("sk-old-0001".to_owned()).expect("a key"),
            None,
        ));
        kept.keep(id.clone(), Arc::clone(&key), clock.now(), clock.wall());
        clock.advance(RETIRED_KEY_AGE_MAX - Duration::from_millis(1));
        kept.drop_expired(clock.now());
        assert!(kept.get(&id).is_some());
        clock.advance(Duration::from_millis(1));
        kept.drop_expired(clock.now());
        assert!(kept.get(&id).is_none());
        assert_eq!(Arc::strong_count(&key), 1, "no copy is left");
    }
}
