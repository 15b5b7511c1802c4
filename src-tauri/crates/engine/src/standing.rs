//! What is known of keys and clients from the traffic: accepted, rejected, last used, last seen.
//!
//! In memory on purpose: every enabled key is tried by an unbilled probe within seconds of the
//! start, so there is nothing here worth a file.

use std::collections::HashMap;

use domain::{ClientId, CredentialId, WallTime};
use parking_lot::Mutex;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyStanding {
    /// Whether it is good.
    pub state: KeyState,
    /// Why, and what to do.
    pub reason: Option<String>,
    /// When a provider last accepted or rejected it.
    pub verified_at: Option<WallTime>,
    /// When a request last used it.
    pub used_at: Option<WallTime>,
}

/// Whether a key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyState {
    /// Nobody has tried it yet.
    #[default]
    Unverified,
    /// Accepted at the last call.
    Valid,
    /// Rejected at the last call.
    Rejected,
    /// Described in the settings and not in the vault.
    Missing,
}

/// What is known of all keys and clients.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    keys: Mutex<HashMap<CredentialId, KeyStanding>>,
    clients: Mutex<HashMap<ClientId, WallTime>>,
}

impl Standings {
    /// What is known of a key.
    #[must_use]
    pub(crate) fn key(&self, id: &CredentialId) -> KeyStanding {
        self.keys.lock().get(id).cloned().unwrap_or_default()
    }

    /// Notes what a provider said of a key; `true` when its state changed by it.
    pub(crate) fn note_key(
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

    /// Notes that a request used a key.
    pub(crate) fn note_use(&self, id: &CredentialId, at: WallTime) {
        self.keys.lock().entry(id.clone()).or_default().used_at = Some(at);
    }

    /// Forgets what was said of a key, since it is another one now.
    pub(crate) fn forget_key(&self, id: &CredentialId) {
        self.keys.lock().remove(id);
    }

    /// Notes that a client was heard of.
    pub(crate) fn note_client(&self, id: &ClientId, at: WallTime) {
        self.clients.lock().insert(id.clone(), at);
    }

    /// When a client was last heard of since the start.
    #[must_use]
    pub(crate) fn client_seen(&self, id: &ClientId) -> Option<WallTime> {
        self.clients.lock().get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_key_starts_anew_and_keeps_nothing_of_the_old_one() {
        let standings = Standings::default();
        let id = CredentialId::new("up").expect("an id");
        let at = WallTime::from_unix_ms(1);
        assert!(standings.note_key(&id, KeyState::Rejected, Some("no".to_owned()), at));
        assert!(!standings.note_key(&id, KeyState::Rejected, Some("still".to_owned()), at));
        standings.note_use(&id, at);
        assert_eq!(standings.key(&id).used_at, Some(at));
        standings.forget_key(&id);
        assert_eq!(standings.key(&id), KeyStanding::default());
    }
}
