//! Opens vaults: which kind the shell forces, and what each kind needs.

use std::sync::Arc;

use domain::Clock;
use settings::VaultKind;
use tokio::sync::RwLock;
use vault::{EnvStore, KEYCHAIN_SERVICE, Vault, VaultConfig};

use crate::Folders;

pub(crate) struct VaultOpener {
    /// The kind set by the shell, which overrides the settings.
    pub(crate) forced: Option<VaultKind>,
    environment: Arc<EnvStore>,
    /// Held for reading while a key and its description are written, for writing while the vault
    /// changes.
    pub(crate) change_lock: RwLock<()>,
}

impl VaultOpener {
    pub(crate) fn new(forced: Option<VaultKind>, variables: Vec<(String, String)>) -> Self {
        let environment = Arc::new(EnvStore::new(variables));
        Self { forced, environment, change_lock: RwLock::default() }
    }

    /// Creates a vault handle of this kind. The store is not accessed before the first call.
    pub(crate) fn open(&self, kind: VaultKind, folders: &Folders, clock: &Arc<dyn Clock>) -> Vault {
        let config = match kind {
            VaultKind::Keychain => VaultConfig::Keychain { service: KEYCHAIN_SERVICE.to_owned() },
            VaultKind::File => VaultConfig::File {
                path: folders.vault_file(),
                revision_path: folders.vault_revision_file(),
            },
            VaultKind::Env => VaultConfig::Env(Arc::clone(&self.environment)),
            VaultKind::Memory => VaultConfig::Memory,
        };
        Vault::open(config, Arc::clone(clock))
    }
}
