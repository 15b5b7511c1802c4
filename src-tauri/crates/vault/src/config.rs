//! The user's choice of vault, as passed in by the shell.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{EnvStore, FileStore, Keychain, MemoryStore, SecretStore, VaultKind, WORK_FACTOR_LOG2};

/// The vault to open. There is no automatic choice.
pub enum VaultConfig {
    Keychain {
        /// Service name of the items: [`crate::KEYCHAIN_SERVICE`] except in tests.
        service: String,
    },
    /// The encrypted file. It is created once a passphrase is given.
    File {
        path: PathBuf,
        /// File that stores the highest revision seen.
        revision_path: PathBuf,
    },
    /// The process's environment variables, which only the shell may read.
    Env(Arc<EnvStore>),
    /// Not persistent.
    Memory,
}

impl VaultConfig {
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
