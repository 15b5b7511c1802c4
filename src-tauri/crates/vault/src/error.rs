//! Vault errors: few enough that each one has its own remedy.

use std::sync::Arc;

use domain::{CredentialId, SecretError};

use crate::limits::{ENVELOPE_BYTES_MAX, FILE_BYTES_MAX};
use crate::state::{LockReason, VaultState};

/// An error of a vault call. Contains no part of a secret; cheap to clone for several readers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    #[error("no key is stored under {0}; add it with `gatehouse keys add {0}`")]
    NotFound(CredentialId),
    /// The store exists but is locked.
    #[error("{}", .0.describe())]
    Locked(LockReason),
    /// The Secret Service has no collection.
    #[error("the keychain has no keyring for storing keys")]
    NoCollection,
    /// No keychain can be reached.
    #[error("there is no keychain on this machine, or it cannot be reached")]
    Unavailable {
        /// Error of the store or the operating system.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system refuses to read or write the vault file.
    #[error("the vault file cannot be read or written: {source}")]
    File {
        /// The operating system's error.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// No answer within the time limit. A write may still have happened.
    #[error("the vault is not responding")]
    Hung,
    /// A write to the `env` vault.
    #[error("the env vault is read-only: it shows variables such as OPENAI_API_KEY")]
    ReadOnly,
    /// The envelope is larger than every supported store allows.
    #[error(
        "the key takes {bytes} bytes with its host; at most {ENVELOPE_BYTES_MAX} can be stored; use a shorter key"
    )]
    TooLarge {
        /// Size of the envelope.
        bytes: usize,
    },
    /// The stored data is not what Gatehouse writes.
    #[error("{0}")]
    Damaged(Damage),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The stored item is not an envelope.
    #[error("the stored key cannot be read; enter it again")]
    Item,
    /// The item or file has an unknown version.
    #[error("the stored keys were written by a newer Gatehouse; update Gatehouse")]
    Newer,
    /// Reading back after a write gave something else.
    #[error("the vault did not keep the key; enter it again or choose another vault")]
    NotStored,
    /// Several items have the same name.
    #[error("the keychain holds several keys under this name; delete all but one in it")]
    Ambiguous,
    /// The value of a known variable is not a possible key.
    #[error("the variable {variable} does not contain a usable key: {reason}")]
    Variable {
        variable: &'static str,
        /// The problem with the value.
        reason: SecretError,
    },
    /// The file is truncated, altered, over [`FILE_BYTES_MAX`], or not an encrypted vault at all.
    #[error(
        "the vault file is damaged, not a vault, or over {FILE_BYTES_MAX} bytes; it was left as it is"
    )]
    File,
}

impl VaultError {
    pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable { source: Arc::new(source) }
    }

    pub(crate) fn file(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::File { source: Arc::new(source) }
    }

    /// The remedy in one or two sentences that name the command.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::ReadOnly => Some(
                "Change the variable where you set it, or choose another vault: \
                 `gatehouse vault set keychain` or `gatehouse vault set file`.",
            ),
            other => other.state().map(VaultState::hint).filter(|hint| !hint.is_empty()),
        }
    }

    /// The state of the whole vault that this error implies; `None` if it concerns a single key.
    #[must_use]
    pub const fn state(&self) -> Option<VaultState> {
        match self {
            Self::Locked(lock) => Some(VaultState::Locked(*lock)),
            Self::NoCollection => Some(VaultState::NoCollection),
            Self::Unavailable { .. } => Some(VaultState::Unavailable),
            Self::File { .. } => Some(VaultState::FileUnusable),
            Self::Hung => Some(VaultState::Hung),
            Self::Damaged(Damage::File) => Some(VaultState::Damaged),
            Self::NotFound(_) | Self::ReadOnly | Self::TooLarge { .. } | Self::Damaged(_) => None,
        }
    }
}
