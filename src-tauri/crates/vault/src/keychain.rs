//! The operating system's keychain, with one item per key.
//!
//! The Linux store caches its session, and every call fails for ever after the service restarts; a
//! platform failure therefore reopens the store and retries once (measured: works again after 83
//! ms). An item is updated in place, since deleting it would drop its access list on macOS.

mod store_errors;

use std::sync::Arc;

use domain::{BoundSecret, CredentialId};
use keyring_core::{CredentialStore, Entry};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::envelope;
use crate::{Damage, SecretStore, VaultError, VaultKind};

/// Service name of Gatehouse's items.
pub const KEYCHAIN_SERVICE: &str = "gatehouse";

/// User name of the probe's item. No credential can have it: an id begins with a letter or digit.
const PROBE_USER: &str = ".probe";

/// Value written by the probe: not a secret.
const PROBE_VALUE: &[u8] = br#"{"v":1,"probe":true}"#;

type StoreOpener = fn() -> keyring_core::Result<Arc<CredentialStore>>;

/// The keychain of the current user.
pub struct Keychain {
    service: String,
    opener: StoreOpener,
    store: Mutex<Option<Arc<CredentialStore>>>,
}

impl Keychain {
    /// A store for items under `service` ([`KEYCHAIN_SERVICE`] except in tests). Does nothing until
    /// the first call.
    #[must_use]
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into(), opener: open_platform, store: Mutex::new(None) }
    }

    fn store(&self) -> keyring_core::Result<Arc<CredentialStore>> {
        // Opened outside the lock: a service that hangs here must not delay the errors of other
        // calls.
        if let Some(store) = self.store.lock().clone() {
            return Ok(store);
        }
        let store = (self.opener)()?;
        *self.store.lock() = Some(Arc::clone(&store));
        Ok(store)
    }

    fn with_entry_once<T>(
        &self,
        user: &str,
        action: impl FnOnce(&Entry) -> keyring_core::Result<T>,
    ) -> keyring_core::Result<T> {
        action(&self.store()?.build(&self.service, user, None)?)
    }

    /// Runs `action`, and once more on a reopened store if the session may be lost.
    fn with_entry<T>(
        &self,
        user: &str,
        action: impl Fn(&Entry) -> keyring_core::Result<T>,
    ) -> keyring_core::Result<T> {
        match self.with_entry_once(user, &action) {
            Err(error) if store_errors::may_be_a_lost_session(&error) => {
                *self.store.lock() = None;
                self.with_entry_once(user, action)
            }
            outcome => outcome,
        }
    }
}

impl SecretStore for Keychain {
    fn kind(&self) -> VaultKind {
        VaultKind::Keychain
    }

    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        let sealed = envelope::encode(secret)?;
        let kept = self.with_entry(id.as_str(), |entry| {
            entry.set_secret(&sealed)?;
            entry.get_secret().map(Zeroizing::new)
        });
        let kept = kept.map_err(|error| store_errors::classify(error, not_stored_error))?;
        if kept == sealed { Ok(()) } else { Err(not_stored_error()) }
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        let read = self.with_entry(id.as_str(), |entry| entry.get_secret().map(Zeroizing::new));
        let read = read
            .map_err(|error| store_errors::classify(error, || VaultError::NotFound(id.clone())))?;
        envelope::decode(&read)
    }

    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        let removed = self.with_entry(id.as_str(), Entry::delete_credential);
        removed.map_err(|error| store_errors::classify(error, || VaultError::NotFound(id.clone())))
    }

    fn probe(&self) -> Result<(), VaultError> {
        let kept = self.with_entry(PROBE_USER, |entry| {
            entry.set_secret(PROBE_VALUE)?;
            let kept = entry.get_secret()?;
            entry.delete_credential()?;
            Ok(kept)
        });
        let kept = kept.map_err(|error| store_errors::classify(error, not_stored_error))?;
        if kept == PROBE_VALUE { Ok(()) } else { Err(not_stored_error()) }
    }
}

const fn not_stored_error() -> VaultError {
    VaultError::Damaged(Damage::NotStored)
}

#[cfg(target_os = "linux")]
fn open_platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(dbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn open_platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn open_platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
fn open_platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(keyring_core::Error::NotSupportedByStore(
        "this system has no keychain that Gatehouse supports".to_owned(),
    ))
}

#[cfg(test)]
mod tests;
