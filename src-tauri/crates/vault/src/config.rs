//! The user's choice of vault, as the shell hands it in.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{EnvStore, FileStore, Keychain, MemoryStore, SecretStore, VaultKind, WORK_FACTOR_LOG2};

/// Which vault to open. There is no value for "whatever works".
pub enum VaultConfig {
    /// The keychain, with items under this service name.
    Keychain {
        /// [`crate::KEYCHAIN_SERVICE`] but in tests.
        service: String,
    },
    /// The encrypted file at this path. Nothing is created before a passphrase is given.
    File {
        /// Where the file lies or will lie.
        path: PathBuf,
        /// Where its highest revision is remembered.
        revision_path: PathBuf,
    },
    /// What was read of the variables of the process, which only the shell may do.
    Env(Arc<EnvStore>),
    /// Nothing on disk.
    Memory,
}

impl VaultConfig {
    /// The kind it names.
    #[must_use]
    pub const fn kind(&self) -> VaultKind {
        match self {
            Self::Keychain { .. } => VaultKind::Keychain,
            Self::File { .. } => VaultKind::File,
            Self::Env(_) => VaultKind::Env,
            Self::Memory => VaultKind::Memory,
        }
    }

    pub(crate) fn into_store(self) -> Arc<dyn SecretStore> {
        match self {
            Self::Keychain { service } => Arc::new(Keychain::new(service)),
            Self::File { path, revision_path } => {
                Arc::new(FileStore::new(path, revision_path, WORK_FACTOR_LOG2))
            }
            Self::Env(store) => store,
            Self::Memory => Arc::new(MemoryStore::new()),
        }
    }
}
