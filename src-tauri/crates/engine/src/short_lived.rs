//! What is kept for a while after it ended, so that it can be asked about or brought back.
//!
//! In memory alone: a secret that is not in the vault must not outlive this process.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use domain::Moment;
use parking_lot::Mutex;

/// The last value of each name.
pub struct ShortLived<Name, Value> {
    age_max: Duration,
    values: Mutex<HashMap<Name, (Moment, Value)>>,
}

impl<Name: Eq + Hash, Value: Clone> ShortLived<Name, Value> {
    pub(crate) fn new(age_max: Duration) -> Self {
        Self { age_max, values: Mutex::default() }
    }

    /// Keeps a value instead of the one before it.
    pub fn keep(&self, name: Name, value: Value, now: Moment) {
        self.values.lock().insert(name, (now, value));
    }

    #[must_use]
    pub fn get(&self, name: &Name, now: Moment) -> Option<Value> {
        self.drop_expired(now);
        self.values.lock().get(name).map(|(_, value)| value.clone())
    }

    pub fn forget(&self, name: &Name) {
        self.values.lock().remove(name);
    }

    pub(crate) fn drop_expired(&self, now: Moment) {
        self.values.lock().retain(|_, (since, _)| now.since(*since) < self.age_max);
    }
}
