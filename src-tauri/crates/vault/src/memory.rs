//! Keys that live as long as the process, for tests and the demonstration.

use std::collections::HashMap;

use domain::{BoundSecret, CredentialId};
use parking_lot::Mutex;

use crate::envelope::{self, Envelope};
use crate::{SecretStore, VaultError, VaultKind};

/// A store in memory. Uses the same envelopes as the others, so it refuses what they refuse.
#[derive(Default)]
pub struct MemoryStore {
    items: Mutex<HashMap<CredentialId, Envelope>>,
}

impl MemoryStore {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl SecretStore for MemoryStore {
    fn kind(&self) -> VaultKind {
        VaultKind::Memory
    }

    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        self.items.lock().insert(id.clone(), envelope::encode(secret)?);
        Ok(())
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        let items = self.items.lock();
        envelope::decode(items.get(id).ok_or_else(|| VaultError::NotFound(id.clone()))?)
    }

    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        let removed = self.items.lock().remove(id);
        removed.map(drop).ok_or_else(|| VaultError::NotFound(id.clone()))
    }

    fn probe(&self) -> Result<(), VaultError> {
        Ok(())
    }
}
