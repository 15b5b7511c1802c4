//! Changes the vault while the engine runs. The change takes effect immediately and is saved in the
//! settings.
//!
//! Keys move on request only. All are written to the new vault, read back and compared before the
//! settings name it, and only then removed from the old one. A failure before that leaves the old
//! vault and the settings unchanged.

use domain::{BoundSecret, CredentialId};
use settings::{Settings, VaultKind};
use tokio::sync::RwLockReadGuard;
use vault::{Passphrase, Vault, VaultError};

use crate::engine::Engine;
use crate::{EngineEditError, Topic};

/// Target or source of a vault change.
#[derive(Debug)]
pub struct VaultChangeRequest {
    pub kind: VaultKind,
    /// Unlocks the file vault, or creates it if there is none.
    pub passphrase: Option<Passphrase>,
    /// Keys to move. Keys that are not moved stay usable only if the other vault already has them.
    pub moving: Vec<CredentialId>,
}

#[derive(Debug, Default)]
pub struct VaultChangeResult {
    /// Keys that are now in the new vault and no longer in the old one.
    pub moved: Vec<CredentialId>,
    /// Keys that were copied but could not be removed from the old vault.
    pub not_removed: Vec<CredentialId>,
}

/// Why the vault was not changed. Nothing was lost, and the old vault is still in use.
#[derive(Debug, thiserror::Error)]
pub enum VaultChangeError {
    /// The shell sets the vault.
    #[error("GATEHOUSE_VAULT={0} was set when Gatehouse started, so the vault cannot be changed")]
    Forced(VaultKind),
    /// Keys cannot be moved there, because that vault does not store them permanently.
    #[error("keys cannot be moved to the {0} vault: it does not store keys permanently")]
    NotPersistent(VaultKind),
    /// The new vault cannot be used.
    #[error("{0}")]
    Vault(VaultError),
    /// A key could not be copied.
    #[error("the key {id} could not be moved: {source}")]
    Key {
        /// The key that failed.
        id: CredentialId,
        source: VaultError,
    },
    #[error(transparent)]
    Settings(#[from] EngineEditError),
}

impl Engine {
    /// The kind of vault set by the shell, which overrides the settings.
    #[must_use]
    pub fn vault_forced(&self) -> Option<VaultKind> {
        self.parts.vaults.forced
    }

    /// Prevents a vault change while a key and its description are written.
    pub async fn lock_vault_changes(&self) -> RwLockReadGuard<'_, ()> {
        self.parts.vaults.change_lock.read().await
    }

    /// Switches to another vault, now and after a restart.
    pub async fn change_vault(
        &self,
        change: VaultChangeRequest,
    ) -> Result<VaultChangeResult, VaultChangeError> {
        let VaultChangeRequest { kind, passphrase, moving } = change;
        if let Some(forced) = self.parts.vaults.forced.filter(|forced| *forced != kind) {
            return Err(VaultChangeError::Forced(forced));
        }
        if !moving.is_empty() && matches!(kind, VaultKind::Env | VaultKind::Memory) {
            return Err(VaultChangeError::NotPersistent(kind));
        }
        let _alone = self.parts.vaults.change_lock.write().await;
        let (old, new) = (self.detached_vault(), self.open_vault(kind));
        if let Some(passphrase) = passphrase {
            new.unlock(passphrase).await.map_err(VaultChangeError::Vault)?;
        }
        new.probe().await.map_err(VaultChangeError::Vault)?;
        let moved = copy_keys(&old, &new, moving).await?;
        // From here on, the settings and all readers see the new vault, or all see the old one.
        self.parts.vault.switch_to(&new);
        if let Err(error) = self.edit(move |draft| draft.vault.kind = kind).await {
            self.parts.vault.switch_to(&old);
            return Err(error.into());
        }
        self.refresh_after_vault_change();
        Ok(remove_moved_keys(&old, moved).await)
    }

    /// Moves keys from another vault into the one in use.
    pub async fn move_keys_from(
        &self,
        from: VaultChangeRequest,
    ) -> Result<VaultChangeResult, VaultChangeError> {
        let VaultChangeRequest { kind, passphrase, moving } = from;
        let to = self.parts.vault.kind();
        if matches!(to, VaultKind::Env | VaultKind::Memory) {
            return Err(VaultChangeError::NotPersistent(to));
        }
        let _alone = self.parts.vaults.change_lock.write().await;
        let old = self.open_vault(kind);
        if let Some(passphrase) = passphrase {
            old.unlock(passphrase).await.map_err(VaultChangeError::Vault)?;
        }
        let moved = copy_keys(&old, &self.parts.vault, moving).await?;
        self.refresh_after_vault_change();
        Ok(remove_moved_keys(&old, moved).await)
    }

    /// Switches to the vault named in the settings if it is another one. A file vault stays locked
    /// until it gets its passphrase.
    pub(crate) fn apply_vault_kind(&self, settings: &Settings) {
        let wanted = self.parts.vaults.forced.unwrap_or(settings.vault.kind);
        if wanted != self.parts.vault.kind() {
            self.parts.vault.switch_to(&self.open_vault(wanted));
            let engine = self.clone();
            self.parts.tasks.spawn("vault check", async move {
                engine.parts.vault.recheck().await;
                engine.refresh_after_vault_change();
            });
        }
    }

    fn open_vault(&self, kind: VaultKind) -> Vault {
        self.parts.vaults.open(kind, &self.parts.folders, &self.parts.clock)
    }

    /// A separate handle to the store in use, which does not follow a change.
    fn detached_vault(&self) -> Vault {
        let vault = self.open_vault(VaultKind::Memory);
        vault.switch_to(&self.parts.vault);
        vault
    }

    fn refresh_after_vault_change(&self) {
        for id in self.settings().credentials.keys() {
            self.forget_key_status(id);
        }
        self.request_all_probes();
        self.parts.events.send_changed(&[
            Topic::Keys,
            Topic::Backends,
            Topic::Clients,
            Topic::Status,
            Topic::Settings,
        ]);
    }
}

/// Copies those of `ids` that `from` has, reads them back and compares. On failure it restores
/// `to`.
async fn copy_keys(
    from: &Vault,
    to: &Vault,
    ids: Vec<CredentialId>,
) -> Result<Vec<CredentialId>, VaultChangeError> {
    let (mut secrets, mut replaced) = (Vec::new(), Vec::new());
    for id in ids {
        let key = |source| VaultChangeError::Key { id: id.clone(), source };
        match from.get(&id).await {
            Ok(secret) => secrets.push((id.clone(), BoundSecret::clone(&secret))),
            // Nothing to move: the key is missing in the old vault too.
            Err(VaultError::NotFound(_)) => continue,
            Err(error) => return Err(key(error)),
        }
        match to.get(&id).await {
            Ok(secret) => replaced.push((id.clone(), Some(BoundSecret::clone(&secret)))),
            Err(VaultError::NotFound(_)) => replaced.push((id.clone(), None)),
            Err(error) => return Err(key(error)),
        }
    }
    match write_and_compare(to, &secrets).await {
        Ok(()) => Ok(secrets.into_iter().map(|(id, _)| id).collect()),
        Err(error) => {
            restore_keys(to, replaced).await;
            Err(error)
        }
    }
}

async fn write_and_compare(
    to: &Vault,
    secrets: &[(CredentialId, BoundSecret)],
) -> Result<(), VaultChangeError> {
    to.put_all(secrets.to_vec()).await.map_err(VaultChangeError::Vault)?;
    for (id, secret) in secrets {
        let key = |source| VaultChangeError::Key { id: id.clone(), source };
        let kept = to.get(id).await.map_err(key)?;
        if *kept != *secret {
            return Err(key(VaultError::Damaged(vault::Damage::NotStored)));
        }
    }
    Ok(())
}

/// Restores the new vault after a failed copy.
async fn restore_keys(vault: &Vault, replaced: Vec<(CredentialId, Option<BoundSecret>)>) {
    for (id, before) in replaced {
        let outcome = match before {
            Some(secret) => vault.put(&id, secret).await,
            None => vault.remove(&id).await,
        };
        match outcome {
            Ok(()) | Err(VaultError::NotFound(_)) => {}
            Err(error) => {
                tracing::warn!(
                    credential = %id, %error,
                    "a copy of a key remains in the new vault"
                );
            }
        }
    }
}

async fn remove_moved_keys(from: &Vault, moved: Vec<CredentialId>) -> VaultChangeResult {
    let mut changed = VaultChangeResult::default();
    for id in moved {
        match from.remove(&id).await {
            Ok(()) | Err(VaultError::NotFound(_)) => changed.moved.push(id),
            Err(error) => {
                tracing::warn!(credential = %id, %error, "a moved key remains in the old vault");
                changed.not_removed.push(id);
            }
        }
    }
    changed
}
