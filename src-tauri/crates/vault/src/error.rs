//! Why the vault refused, in few enough words that each one has its own remedy.

use std::sync::Arc;

use domain::{CredentialId, SecretRejected};

use crate::state::{Lock, VaultState};
use crate::{ENVELOPE_BYTES_MAX, FILE_BYTES_MAX};

/// Why a call on the vault failed. Holds nothing of any secret, and can be shared by several readers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// The store answered that it has nothing under this name.
    #[error("no key is stored under {0}; add it with `gatehouse keys add {0}`")]
    NotFound(CredentialId),
    /// The store is there and closed.
    #[error("{}", .0.what())]
    Locked(Lock),
    /// A Secret Service without a collection.
    #[error("the keychain has no keyring for storing keys")]
    NoCollection,
    /// No keychain can be reached.
    #[error("there is no keychain on this machine, or it cannot be reached")]
    Unavailable {
        /// What the store or the operating system said.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system refuses to read or write the vault file.
    #[error("the vault file cannot be read or written: {source}")]
    File {
        /// What the operating system said.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// No answer within the time limit. A write that ends so may still have happened.
    #[error("the vault is not responding")]
    Hung,
    /// The `env` vault was asked to change.
    #[error("the env vault is read-only: it shows variables such as OPENAI_API_KEY")]
    ReadOnly,
    /// The key and what is stored with it are too large for every store we support.
    #[error(
        "the key takes {bytes} bytes with its host; at most {ENVELOPE_BYTES_MAX} can be stored; use a shorter key"
    )]
    TooLarge {
        /// Size of what would have been written, in bytes.
        bytes: usize,
    },
    /// What was read is not what Gatehouse writes.
    #[error("{0}")]
    Damaged(Damage),
}

/// What exactly is not as Gatehouse wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The stored item is not an envelope.
    #[error("the stored key cannot be read; enter it again")]
    Item,
    /// The item or file says a version this program does not know.
    #[error("the stored keys were written by a newer Gatehouse; update Gatehouse")]
    Newer,
    /// Reading back after a write gave something else.
    #[error("the vault did not keep the key; enter it again or choose another vault")]
    NotKept,
    /// Several items answer to the one name.
    #[error("the keychain holds several keys under this name; delete all but one in it")]
    Ambiguous,
    /// A known variable whose value no key can have.
    #[error("the variable {variable} does not contain a usable key: {reason}")]
    Variable {
        /// Name of the variable.
        variable: &'static str,
        /// What is wrong with its value.
        reason: SecretRejected,
    },
    /// The file is cut short, altered, over [`FILE_BYTES_MAX`], or not an encrypted vault at all.
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

    /// What to do about it, as one or two sentences that name the command.
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

    /// What this failure says about the vault as a whole; `None` when it says something of one key
    /// only.
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
