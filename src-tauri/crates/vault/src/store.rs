//! What every place for keys can do. Calls block: [`crate::Vault`] runs them off the async threads.

use domain::{BoundSecret, CredentialId};

use crate::{Passphrase, VaultError, VaultKind};

/// One place for keys. Every call may block and may come from several threads at once.
pub trait SecretStore: Send + Sync {
    /// Which kind this is.
    fn kind(&self) -> VaultKind;

    /// Stores the secret under `id`, in place of what was there, reads it back and compares.
    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError>;

    /// Stores several secrets as [`SecretStore::put`] does, and stops at the first that fails.
    fn put_all(&self, secrets: &[(CredentialId, BoundSecret)]) -> Result<(), VaultError> {
        secrets.iter().try_for_each(|(id, secret)| self.put(id, secret))
    }

    /// The secret under `id`; [`VaultError::NotFound`] if there is none.
    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError>;

    /// Removes the secret under `id`; [`VaultError::NotFound`] if there is none.
    fn remove(&self, id: &CredentialId) -> Result<(), VaultError>;

    /// Proves that the store works by writing, reading, comparing and removing something that is not
    /// a key: a Secret Service without a collection answers reads as if all were well.
    fn probe(&self) -> Result<(), VaultError>;

    /// Opens the store with a passphrase. A store that has none is open already.
    fn unlock(&self, _passphrase: &Passphrase) -> Result<(), VaultError> {
        Ok(())
    }

    /// Whether an older copy stands in the place of what was last written here. Asks nothing.
    fn is_outdated(&self) -> bool {
        false
    }
}
