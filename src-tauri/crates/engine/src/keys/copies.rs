//! Takes keys that the vault holds out of the files in which they lie in plain text, and puts them back
//! on request. Files are changed on a thread that may wait.
//!
//! Invariant: a copy is removed only after its key was read from the store itself, not from memory, and
//! was equal to it, and only if that store keeps keys by itself: one that reads the environment may have
//! its keys from the very file.

use std::path::PathBuf;
use std::sync::Arc;

use domain::{Clock, VaultKind};
use settings::SettingsStore;
use vault::{Vault, VaultError};
use wiring::{
    CopyPlace, CopyRemovalOutcome, CopyRemovalPlan, PlainCopies, RemovedCopy, StoredKey,
    WiringError,
};

use crate::alerts::measurements::MeasurementWatch;
use crate::keys::scanner::{KeyScanError, KeyScanPlaces, KeyScanner};

/// Removes plain copies of keys.
pub struct KeyCopies {
    pub(crate) scanner: Arc<KeyScanner>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) measured: Arc<MeasurementWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) state_folder: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyCopiesError {
    #[error(transparent)]
    Scan(#[from] KeyScanError),
    #[error("a key is in none of the files any more")]
    Gone,
    #[error("a key is not in the vault, so its only copy would be lost; import it first")]
    NotStored,
    #[error("the vault in use does not keep keys itself, so a copy may be the only one")]
    NotKept,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    File(#[from] WiringError),
    #[error("the files could not be changed: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// The keys whose copies are to go, as the vault gave them back, and where these are.
struct FoundCopies {
    keys: Vec<StoredKey>,
    places: Vec<CopyPlace>,
}

impl KeyCopies {
    /// What [`Self::remove`] would change. `fingerprints` are those of the keys.
    pub async fn plan(
        &self,
        places: KeyScanPlaces,
        fingerprints: &[String],
    ) -> Result<CopyRemovalPlan, KeyCopiesError> {
        let FoundCopies { keys, places } = self.find(places, fingerprints).await?;
        let copies = self.copies()?;
        Ok(tokio::task::spawn_blocking(move || copies.plan(&keys, &places)).await??)
    }

    /// Carries out the plan with this fingerprint. The caller holds [`crate::VaultSwitch::lock_changes`].
    pub async fn remove(
        &self,
        places: KeyScanPlaces,
        fingerprints: &[String],
        plan: String,
    ) -> Result<Vec<CopyRemovalOutcome>, KeyCopiesError> {
        let FoundCopies { keys, places } = self.find(places, fingerprints).await?;
        let (copies, now) = (self.copies()?, self.clock.wall());
        let remove = move || copies.remove(&keys, &places, &plan, now);
        let outcomes = tokio::task::spawn_blocking(remove).await??;
        self.measured.look_for_plain_keys().await;
        Ok(outcomes)
    }

    /// The removals, the newest first.
    pub async fn removed(&self) -> Result<Vec<RemovedCopy>, KeyCopiesError> {
        let copies = self.copies()?;
        Ok(tokio::task::spawn_blocking(move || copies.removed()).await??)
    }

    /// Puts the keys back that a removal took out.
    pub async fn restore(&self, id: String) -> Result<RemovedCopy, KeyCopiesError> {
        // Says why if the vault cannot be read.
        self.vault.probe().await?;
        let ids: Vec<_> = self.settings.current().credentials.keys().cloned().collect();
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            let Ok(bound) = self.vault.get(&id).await else { continue };
            keys.push(StoredKey { id, secret: bound.parts().0.clone() });
        }
        let copies = self.copies()?;
        let restored = tokio::task::spawn_blocking(move || copies.restore(&id, &keys)).await??;
        self.measured.look_for_plain_keys().await;
        Ok(restored)
    }

    /// The user has looked and may have changed the files: what the alert says is brought up to date.
    pub async fn look_again(&self) {
        self.measured.look_for_plain_keys().await;
    }

    async fn find(
        &self,
        places: KeyScanPlaces,
        fingerprints: &[String],
    ) -> Result<FoundCopies, KeyCopiesError> {
        if !matches!(self.vault.kind(), VaultKind::Keychain | VaultKind::File) {
            return Err(KeyCopiesError::NotKept);
        }
        let scan = self.scanner.scan(places).await?;
        if !scan.vault_was_read {
            self.vault.probe().await?;
        }
        let mut found = FoundCopies { keys: Vec::new(), places: Vec::new() };
        for fingerprint in fingerprints {
            let key = scan.keys.iter().find(|key| key.key.secret.fingerprint() == *fingerprint);
            let key = key.ok_or(KeyCopiesError::Gone)?;
            let id = key.stored_as.clone().ok_or(KeyCopiesError::NotStored)?;
            let stored = self.vault.get_from_store(&id).await?;
            if *stored.parts().0 != key.key.secret {
                return Err(KeyCopiesError::NotStored);
            }
            found.keys.push(StoredKey { id, secret: key.key.secret.clone() });
            let places = key.key.places.iter();
            found.places.extend(
                places.map(|place| CopyPlace { path: place.path.clone(), line: place.line }),
            );
        }
        found.places.sort();
        Ok(found)
    }

    fn copies(&self) -> Result<PlainCopies, KeyScanError> {
        let home = self.scanner.home.as_deref().ok_or(KeyScanError::NoHome)?;
        Ok(PlainCopies::new(home, &self.state_folder))
    }
}

#[cfg(test)]
mod tests;
