//! Storage for keys: the keychain, an encrypted file, the environment, or memory.
//!
//! The kind is chosen explicitly ([`VaultKind`]) and never changes silently: a missing, locked or
//! hanging store is a [`VaultState`] with a name and a remedy, never a reason to write elsewhere.
//! Invariant: this crate writes no secret in plain text anywhere, and a frozen keychain costs a
//! caller a bounded wait and the process a bounded number of threads.

mod config;
mod env;
mod envelope;
mod error;
mod file;
mod keychain;
mod limits;
mod memory;
mod passphrase;
mod read_cache;
mod state;
mod store;
mod vault;

pub use config::VaultConfig;
pub use domain::VaultKind;
pub use env::EnvStore;
pub use error::{Damage, VaultError};
pub use file::{FileStore, WORK_FACTOR_LOG2, WORK_FACTOR_LOG2_MAX, export_secrets, import_secrets};
pub use keychain::{KEYCHAIN_SERVICE, Keychain};
pub use limits::{ENVELOPE_BYTES_MAX, FILE_BYTES_MAX};
pub use memory::MemoryStore;
pub use passphrase::{PASSPHRASE_CHARS_MIN, Passphrase, PassphraseError};
pub use state::{LockReason, OUTDATED_HINT, VaultState};
pub use store::SecretStore;
pub use vault::{CALLS_AT_ONCE_MAX, RECHECK_SECS, Vault};
