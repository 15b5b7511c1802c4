//! Which vault is in use: the one that the shell forces, or the one that the settings name.

use std::sync::Arc;

use domain::{Clock, CredentialId, WallTime};
use settings::{Settings, SettingsStore, VaultKind};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use vault::{EnvStore, Passphrase, Vault, VaultConfig};

use crate::Folders;
use crate::events::EventBus;
use crate::health::backend_watch::HealthWatch;
use crate::keys::statuses::KeyStatuses;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

#[derive(Clone)]
pub(crate) struct VaultOpener {
    pub(crate) environment: Arc<EnvStore>,
    pub(crate) folders: Folders,
    pub(crate) clock: Arc<dyn Clock>,
    /// Under which the keychain keeps our items.
    pub(crate) keychain_service: String,
}

impl VaultOpener {
    /// Creates a vault handle of this kind. The store is not accessed before the first call.
    pub(crate) fn open(&self, kind: VaultKind) -> Vault {
        let config = match kind {
            VaultKind::Keychain => VaultConfig::Keychain { service: self.keychain_service.clone() },
            VaultKind::File => VaultConfig::File {
                path: self.folders.vault_file(),
                revision_path: self.folders.vault_revision_file(),
            },
            VaultKind::Env => VaultConfig::Env(Arc::clone(&self.environment)),
            VaultKind::Memory => VaultConfig::Memory,
        };
        Vault::open(config, Arc::clone(&self.clock))
    }
}

/// Switches the vault in use while the engine runs.
pub struct VaultSwitch {
    pub(crate) vault: Vault,
    pub(crate) opener: VaultOpener,
    /// The kind set by the shell, which overrides the settings.
    pub(crate) forced: Option<VaultKind>,
    /// Held for reading while a key and its description are written, for writing while the vault
    /// changes.
    pub(crate) change_lock: RwLock<()>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
}

impl VaultSwitch {
    /// The kind of vault set by the shell, which overrides the settings.
    #[must_use]
    pub const fn forced(&self) -> Option<VaultKind> {
        self.forced
    }

    /// Prevents a vault change while a key and its description are written.
    pub async fn lock_changes(&self) -> RwLockReadGuard<'_, ()> {
        self.change_lock.read().await
    }

    /// Waits for those who hold [`Self::lock_changes`], and keeps others out.
    pub(crate) async fn begin_change(&self) -> RwLockWriteGuard<'_, ()> {
        self.change_lock.write().await
    }

    /// Switches to the vault named in the settings if it is another one, and then awaits what
    /// `describe` does with the vault before. A file vault stays locked until it gets its passphrase.
    pub(crate) fn apply<F>(
        self: &Arc<Self>,
        settings: &Settings,
        describe: impl FnOnce(Vault) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let wanted = self.forced.unwrap_or(settings.vault.kind);
        if wanted != self.vault.kind() {
            let (switch, old) = (Arc::clone(self), self.detached());
            self.vault.switch_to(&self.opener.open(wanted));
            // What the former vault's keys met says nothing, also while the new one does not answer.
            settings.credentials.keys().for_each(|id| self.keys.forget(id));
            self.tasks.spawn("vault check", async move {
                switch.vault.recheck().await;
                describe(old).await;
            });
        }
    }

    /// Unlocks the file vault in the background. Every request for a key waits for that.
    pub(crate) fn unlock(&self, passphrase: Passphrase) {
        if self.vault.kind() != VaultKind::File {
            return;
        }
        let unlocking = self.vault.unlock(passphrase);
        let events = self.events.clone();
        self.tasks.spawn("vault unlock", async move {
            if let Err(error) = unlocking.await {
                tracing::warn!(%error, "the file vault was not unlocked");
            }
            events.send_changed(&[Topic::Keys, Topic::Status]);
        });
    }

    /// Checks the vault in the background after the start.
    pub(crate) fn spawn_check(&self) {
        let (vault, events) = (self.vault.clone(), self.events.clone());
        self.tasks.spawn("vault check", async move {
            let state = vault.recheck().await;
            tracing::info!(?state, kind = %vault.kind(), "the vault was checked");
            events.send_changed(&[Topic::Keys, Topic::Status, Topic::Settings]);
        });
    }

    /// A separate handle to the store in use, which does not follow a change.
    pub(crate) fn detached(&self) -> Vault {
        let vault = self.opener.open(VaultKind::Memory);
        vault.switch_to(&self.vault);
        vault
    }

    /// Keys whose secret in this vault is another one than before.
    pub(crate) fn begin_anew(&self, ids: &[CredentialId], at: WallTime) {
        for id in ids {
            self.keys.forget_secret(id, at);
        }
    }

    /// [`Self::announce_change`] of all keys but `known`, of which [`Self::begin_anew`] was told: another
    /// vault may lack them or have what was missing.
    pub(crate) fn announce_other_vault(&self, known: &[CredentialId]) {
        let settings = self.settings.current();
        self.announce_change(settings.credentials.keys().filter(|id| !known.contains(id)));
    }

    /// Forgets what was known of the keys that may be other ones, and tries all again. What is under
    /// way with a key that stayed the same still counts.
    pub fn announce_change<'a>(&self, changed: impl IntoIterator<Item = &'a CredentialId>) {
        changed.into_iter().for_each(|id| self.keys.forget(id));
        self.health.request_all_probes();
        self.events.send_changed(&[
            Topic::Keys,
            Topic::Backends,
            Topic::Clients,
            Topic::Status,
            Topic::Settings,
        ]);
    }
}
