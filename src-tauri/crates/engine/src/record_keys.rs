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

use crate::vault_switch::VaultOpener;

/// What stands before a record's name in the vault.
pub const RECORD_KEY_PREFIX: &str = "wiring.";

const KEY_BYTES: usize = 32;

/// The vault as the keeper of these keys. Its calls block, so they belong on a thread that may wait.
pub(crate) struct VaultRecordKeys {
    pub(crate) vault: Vault,
    pub(crate) opener: VaultOpener,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Unlocks the file vault where no engine does that.
    pub(crate) passphrase: Option<Passphrase>,
}

/// Stands in until the vault is open.
pub(crate) struct NoVault;

impl RecordKeys for NoVault {
    fn find(&self, _: &str) -> Result<Option<Secret>, RecordKeysError> {
        Err(RecordKeysError("the vault is not open yet".to_owned()))
    }

    fn find_elsewhere(&self, _: &str) -> Vec<Secret> {
        Vec::new()
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
    let runtime = Handle::try_current().map_err(|error| RecordKeysError(error.to_string()))?;
    runtime.block_on(call).map_err(|error| described(&error))
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
    let found = match (vault.get(id).await, passphrase) {
        (Err(VaultError::Locked(_)), Some(passphrase)) => {
            vault.unlock(passphrase.clone()).await?;
            vault.get(id).await
        }
        (found, _) => found,
    };
    match found {
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

    fn find_elsewhere(&self, record: &str) -> Vec<Secret> {
        let Ok(id) = key_id(record) else { return Vec::new() };
        let is_there = |kind: &VaultKind| match kind {
            VaultKind::Keychain => true,
            VaultKind::File => self.opener.folders.vault_file().exists(),
            VaultKind::Env | VaultKind::Memory => false,
        };
        let others = VaultKind::ALL.iter().filter(|kind| **kind != self.vault.kind());
        let find = |kind: &VaultKind| {
            let found = wait(find_in(&self.opener.open(*kind), &id, self.passphrase.as_ref()));
            found.unwrap_or_else(|error| {
                tracing::info!(%kind, %error, record, "another vault was not searched for the key");
                None
            })
        };
        others.filter(|kind| is_there(kind)).filter_map(find).collect()
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
