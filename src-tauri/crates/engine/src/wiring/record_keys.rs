//! Keys in the vault that records of wired tools are sealed with, one for each record, so that a key
//! that was found in another vault opens no record but its own.

use std::path::Path;
use std::sync::Arc;

use domain::{BoundSecret, CredentialId, Entropy, Secret};
use settings::VaultKind;
use tokio::runtime::Handle;
use vault::{Damage, Passphrase, Vault, VaultError};
use wiring::{
    AgentProgram, ClientTool, RecordKeys, RecordKeysError, is_sealed_with, record_keys_of,
};

use crate::keys::vault_switch::VaultOpener;

/// What stands before a record's name in the vault.
pub const RECORD_KEY_PREFIX: &str = "wiring.";

const KEY_BYTES: usize = 32;

/// The vaults that are asked while they are not in use, in this order: the file answers in a time that is
/// known, a keychain may hang or ask the user.
const OTHER_VAULTS: [VaultKind; 2] = [VaultKind::File, VaultKind::Keychain];

/// The vault as the keeper of these keys. Its calls block, so they belong on a thread that may wait.
pub(crate) struct VaultRecordKeys {
    vault: Vault,
    opener: VaultOpener,
    /// Asked while another vault is in use. Kept, since it remembers that a call hung and then refuses at
    /// once. The file vault is opened for each search: its handle would keep all keys in memory.
    keychain: Vault,
    entropy: Arc<dyn Entropy>,
    /// Unlocks the file vault where no engine does that.
    passphrase: Option<Passphrase>,
}

impl VaultRecordKeys {
    pub(crate) fn new(
        vault: Vault,
        opener: VaultOpener,
        entropy: Arc<dyn Entropy>,
        passphrase: Option<Passphrase>,
    ) -> Self {
        let keychain = opener.open(VaultKind::Keychain);
        Self { vault, opener, keychain, entropy, passphrase }
    }

    /// None if a vault that is not in use has no such key, or is not there.
    async fn find_in_other(
        &self,
        kind: VaultKind,
        id: &CredentialId,
    ) -> Result<Option<Secret>, VaultError> {
        match kind {
            VaultKind::File if self.opener.folders.vault_file().exists() => {
                find_in(&self.opener.open(kind), id, self.passphrase.as_ref()).await
            }
            VaultKind::Keychain => match found(self.keychain.get_from_store(id).await) {
                // On a machine without one there would be no way out: it cannot be unlocked.
                Err(error @ (VaultError::Unavailable { .. } | VaultError::NoCollection)) => {
                    tracing::info!(%error, credential = %id, "the keychain was not searched");
                    Ok(None)
                }
                found => found,
            },
            VaultKind::File | VaultKind::Env | VaultKind::Memory => Ok(None),
        }
    }
}

/// Stands in until the vault is open.
pub(crate) struct NoVault;

impl RecordKeys for NoVault {
    fn find(&self, _: &str) -> Result<Option<Secret>, RecordKeysError> {
        Err(RecordKeysError("the vault is not open yet".to_owned()))
    }

    fn find_elsewhere(
        &self,
        _: &str,
        _: &dyn Fn(&Secret) -> bool,
    ) -> Result<Option<Secret>, RecordKeysError> {
        Ok(None)
    }

    fn create(&self, _: &str) -> Result<Secret, RecordKeysError> {
        Err(RecordKeysError("the vault is not open yet".to_owned()))
    }

    fn remove(&self, _: &str) {}
}

/// The names of all these keys, whether the vault holds them or not.
pub(crate) fn record_key_ids() -> impl Iterator<Item = CredentialId> {
    let names = record_keys_of::<ClientTool>().chain(record_keys_of::<AgentProgram>());
    names.filter_map(|record| key_id(&record).ok())
}

/// True for the key of a record, which no user knows of.
pub(crate) fn is_record_key(id: &CredentialId) -> bool {
    id.as_str().starts_with(RECORD_KEY_PREFIX)
}

fn key_id(record: &str) -> Result<CredentialId, RecordKeysError> {
    CredentialId::new(format!("{RECORD_KEY_PREFIX}{record}"))
        .map_err(|error| RecordKeysError(error.to_string()))
}

/// True if `key` is the one that the record is sealed with whose key has this name.
pub(crate) fn opens_record(state_folder: &Path, id: &CredentialId, key: &BoundSecret) -> bool {
    let record = id.as_str().strip_prefix(RECORD_KEY_PREFIX);
    record.is_some_and(|record| is_sealed_with(state_folder, record, key.parts().0))
}

fn wait<T>(call: impl Future<Output = Result<T, VaultError>>) -> Result<T, RecordKeysError> {
    wait_or(call, described)
}

fn wait_or<T>(
    call: impl Future<Output = Result<T, VaultError>>,
    describe: impl FnOnce(&VaultError) -> RecordKeysError,
) -> Result<T, RecordKeysError> {
    let runtime = Handle::try_current().map_err(|error| RecordKeysError(error.to_string()))?;
    runtime.block_on(call).map_err(|error| describe(&error))
}

fn described(error: &VaultError) -> RecordKeysError {
    RecordKeysError(match error.hint() {
        Some(hint) => format!("{error}. {}", hint.trim_end_matches('.')),
        None => error.to_string(),
    })
}

async fn find_in(
    vault: &Vault,
    id: &CredentialId,
    passphrase: Option<&Passphrase>,
) -> Result<Option<Secret>, VaultError> {
    found(match (vault.get(id).await, passphrase) {
        (Err(VaultError::Locked(_)), Some(passphrase)) => {
            vault.unlock(passphrase.clone()).await?;
            vault.get(id).await
        }
        (found, _) => found,
    })
}

fn found(key: Result<Arc<BoundSecret>, VaultError>) -> Result<Option<Secret>, VaultError> {
    match key {
        Ok(key) => Ok(Some(key.parts().0.clone())),
        Err(VaultError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl RecordKeys for VaultRecordKeys {
    fn find(&self, record: &str) -> Result<Option<Secret>, RecordKeysError> {
        let id = key_id(record)?;
        wait(find_in(&self.vault, &id, self.passphrase.as_ref()))
    }

    fn find_elsewhere(
        &self,
        record: &str,
        opens: &dyn Fn(&Secret) -> bool,
    ) -> Result<Option<Secret>, RecordKeysError> {
        let (id, mut not_searched) = (key_id(record)?, None);
        for kind in OTHER_VAULTS.into_iter().filter(|kind| *kind != self.vault.kind()) {
            let describe = |error: &VaultError| {
                let reason = "may hold the key of this record and was not searched";
                let what_to_do = "Unlock it, or choose it with";
                RecordKeysError(format!(
                    "the {kind} vault {reason}: {error}. {what_to_do} `gatehouse vault set {kind}`"
                ))
            };
            match wait_or(self.find_in_other(kind, &id), describe) {
                Ok(found) => {
                    if let Some(key) = found.filter(opens) {
                        return Ok(Some(key));
                    }
                }
                Err(error) => not_searched = not_searched.or(Some(error)),
            }
        }
        not_searched.map_or(Ok(None), Err)
    }

    fn create(&self, record: &str) -> Result<Secret, RecordKeysError> {
        if self.vault.kind() == VaultKind::Memory {
            let reason = "the memory vault keeps nothing beyond this process. Choose another one: \
                          `gatehouse vault set keychain` or `gatehouse vault set file`";
            return Err(RecordKeysError(reason.to_owned()));
        }
        let mut bytes = [0; KEY_BYTES];
        self.entropy.fill(&mut bytes);
        let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = Secret::parse(text).map_err(|error| RecordKeysError(error.to_string()))?;
        let id = key_id(record)?;
        let stored = async {
            self.vault.put(&id, BoundSecret::new(key.clone(), None)).await?;
            self.vault.get_from_store(&id).await
        };
        // Nothing is taken out of a file that a vault has not been seen to keep the key of.
        if *wait(stored)?.parts().0 != key {
            return Err(described(&VaultError::Damaged(Damage::NotStored)));
        }
        Ok(key)
    }

    fn remove(&self, record: &str) {
        let Ok(id) = key_id(record) else { return };
        if let Err(error) = wait(self.vault.remove(&id)) {
            tracing::warn!(%error, record, "the key of a record that is gone remains in the vault");
        }
    }
}

#[cfg(test)]
mod tests;
