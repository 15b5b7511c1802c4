//! Status of keys and clients learnt from traffic and probes: accepted, rejected, last used, last
//! seen.
//!
//! In memory only, because an unbilled probe tests every enabled key within seconds of the start.

use std::collections::HashMap;

use domain::{ClientId, CredentialId, WallTime};
use parking_lot::Mutex;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyStatus {
    pub state: KeyState,
    /// Why, and what to do.
    pub reason: Option<String>,
    /// When a provider last accepted or rejected the key.
    pub verified_at: Option<WallTime>,
    /// When a request last used the key.
    pub used_at: Option<WallTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyState {
    /// Not tried yet.
    #[default]
    Unverified,
    /// Accepted at the last call.
    Valid,
    /// Rejected at the last call.
    Rejected,
    /// In the settings but not in the vault.
    Missing,
}

#[derive(Debug, Default)]
pub(crate) struct KeyAndClientStatuses {
    keys: Mutex<HashMap<CredentialId, KeyStatus>>,
    clients: Mutex<HashMap<ClientId, WallTime>>,
}

impl KeyAndClientStatuses {
    /// Status of a key; the default if nothing is known.
    #[must_use]
    pub(crate) fn key_status(&self, id: &CredentialId) -> KeyStatus {
        self.keys.lock().get(id).cloned().unwrap_or_default()
    }

    /// Records the result for a key. Returns `true` if its state changed.
    pub(crate) fn record_key_result(
        &self,
        id: &CredentialId,
        state: KeyState,
        reason: Option<String>,
        at: WallTime,
    ) -> bool {
        let mut keys = self.keys.lock();
        let key = keys.entry(id.clone()).or_default();
        let changed = key.state != state;
        (key.state, key.reason, key.verified_at) = (state, reason, Some(at));
        changed
    }

    pub(crate) fn record_key_use(&self, id: &CredentialId, at: WallTime) {
        self.keys.lock().entry(id.clone()).or_default().used_at = Some(at);
    }

    /// Forgets the status of a replaced key.
    pub(crate) fn forget_key(&self, id: &CredentialId) {
        self.keys.lock().remove(id);
    }

    /// Records a request of a client.
    pub(crate) fn record_client_request(&self, id: &ClientId, at: WallTime) {
        self.clients.lock().insert(id.clone(), at);
    }

    /// Last request of a client since the start.
    #[must_use]
    pub(crate) fn client_last_seen(&self, id: &ClientId) -> Option<WallTime> {
        self.clients.lock().get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_key_starts_anew_and_keeps_nothing_of_the_old_one() {
        let standings = KeyAndClientStatuses::default();
        let id = CredentialId::new("up").expect("an id");
        let at = WallTime::from_unix_ms(1);
        assert!(standings.record_key_result(&id, KeyState::Rejected, Some("no".to_owned()), at));
        assert!(!standings.record_key_result(
            &id,
            KeyState::Rejected,
            Some("still".to_owned()),
            at
        ));
        standings.record_key_use(&id, at);
        assert_eq!(standings.key_status(&id).used_at, Some(at));
        standings.forget_key(&id);
        assert_eq!(standings.key_status(&id), KeyStatus::default());
    }
}
