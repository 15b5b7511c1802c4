//! The interface of key stores. Calls block: [`crate::Vault`] runs them off the async threads.

use domain::{BoundSecret, CredentialId};

use crate::{Passphrase, VaultError, VaultKind};

/// A key store. Every call may block and may come from several threads at once.
pub trait SecretStore: Send + Sync {
    fn kind(&self) -> VaultKind;

    /// Stores the secret under `id`, replaces an existing one, reads it back and compares.
    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError>;

    /// Stores several secrets as [`SecretStore::put`] does; stops at the first error.
    fn put_all(&self, secrets: &[(CredentialId, BoundSecret)]) -> Result<(), VaultError> {
        secrets.iter().try_for_each(|(id, secret)| self.put(id, secret))
    }

    /// The secret under `id`; [`VaultError::NotFound`] if there is none.
    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError>;

    /// Deletes the secret under `id`; [`VaultError::NotFound`] if there is none.
    fn remove(&self, id: &CredentialId) -> Result<(), VaultError>;

    /// Proves that the store works: writes, reads, compares and deletes a value that is not a key.
    /// A Secret Service without a collection answers reads as if all were well.
    fn probe(&self) -> Result<(), VaultError>;

    /// Opens the store with a passphrase. Does nothing for stores without one.
    fn unlock(&self, _passphrase: &Passphrase) -> Result<(), VaultError> {
        Ok(())
    }

    /// True if the storage holds an older copy than the last one written here. Does no IO.
    fn is_outdated(&self) -> bool {
        false
    }
}
