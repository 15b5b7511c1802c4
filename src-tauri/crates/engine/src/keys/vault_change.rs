//! Changes the vault while the engine runs. The change takes effect immediately and is saved in the
//! settings.
//!
//! Keys move on request only. All are written to the new vault, read back and compared before the
//! settings name it, and only then removed from the old one. A failure before that leaves the old
//! vault and the settings unchanged.
//!
//! The keys of the records of wired tools always move, since no user knows of them. A kill leaves them
//! where they were, or in both vaults.

use std::path::Path;

use domain::{BoundSecret, CredentialId};
use settings::{Settings, VaultKind};
use vault::{Passphrase, Vault, VaultError};

use crate::keys::replaced::{ReplacedKeys, note_replaced, replaced_keys};
use crate::keys::vault_switch::VaultSwitch;
use crate::settings_editor::{EngineEditError, SettingsEditor};
use crate::wiring::record_keys::{is_record_key, opens_record, record_key_ids};

/// Target or source of a vault change.
#[derive(Debug)]
pub struct VaultChangeRequest {
    pub kind: VaultKind,
    /// Unlocks the file vault, or creates it if there is none.
    pub passphrase: Option<Passphrase>,
    /// Keys to move, beside those of the records of wired tools. Keys that are not moved stay usable only
    /// if the other vault already has them.
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

/// Switches to another vault, now and after a restart.
pub async fn change_vault(
    switch: &VaultSwitch,
    settings: &SettingsEditor,
    change: VaultChangeRequest,
) -> Result<VaultChangeResult, VaultChangeError> {
    let VaultChangeRequest { kind, passphrase, moving } = change;
    if let Some(forced) = switch.forced().filter(|forced| *forced != kind) {
        return Err(VaultChangeError::Forced(forced));
    }
    if !moving.is_empty() && matches!(kind, VaultKind::Env | VaultKind::Memory) {
        return Err(VaultChangeError::NotPersistent(kind));
    }
    let _alone = switch.begin_change().await;
    let (old, new) = (switch.detached(), switch.opener.open(kind));
    if let Some(passphrase) = passphrase {
        new.unlock(passphrase).await.map_err(VaultChangeError::Vault)?;
    }
    new.probe().await.map_err(VaultChangeError::Vault)?;
    let moved = copy_keys(&old, &new, moving, &switch.opener.folders.state).await?;
    let replaced = replaced_keys(&old, &new, &switch.settings.current()).await;
    let at = switch.opener.clock.wall();
    let ids: Vec<CredentialId> = replaced.keys().cloned().collect();
    // From here on, the settings and all readers see the new vault, or all see the old one.
    switch.vault.switch_to(&new);
    let edit = move |draft: &mut Settings| {
        draft.vault.kind = kind;
        note_replaced(draft, &replaced, at);
    };
    if let Err(error) = settings.edit(edit).await {
        switch.vault.switch_to(&old);
        return Err(error.into());
    }
    switch.begin_anew(&ids, at);
    switch.announce_other_vault(&ids);
    Ok(remove_moved_keys(&old, moved).await)
}

/// Takes in that the vault in use is another one than `before`, since the settings name it.
pub(crate) async fn take_in_other_vault(
    switch: &VaultSwitch,
    settings: &SettingsEditor,
    before: &Vault,
) {
    let known = describe_keys(switch, settings, before).await;
    switch.announce_other_vault(&known);
}

/// Describes the keys of a vault that was locked until now. The descriptions alone tell which are other
/// ones, since what was in use before is not known any more.
pub async fn describe_unlocked_keys(switch: &VaultSwitch, settings: &SettingsEditor) {
    describe_keys(switch, settings, &switch.opener.open(VaultKind::Memory)).await;
}

/// Describes the keys anew that are other ones in the vault in use than in `before`, or than described
/// where that one cannot be read; they begin anew. Returns them.
async fn describe_keys(
    switch: &VaultSwitch,
    settings: &SettingsEditor,
    before: &Vault,
) -> Vec<CredentialId> {
    let _alone = switch.begin_change().await;
    let replaced = replaced_keys(before, &switch.vault, &switch.settings.current()).await;
    let (ids, noted) = begin_anew(switch, settings, replaced).await;
    if let Err(error) = noted {
        tracing::warn!(%error, "the keys of another vault could not be described");
    }
    ids
}

/// Describes keys that were replaced; they begin anew even if that could not be saved, since their
/// secrets are in use.
async fn begin_anew(
    switch: &VaultSwitch,
    settings: &SettingsEditor,
    replaced: ReplacedKeys,
) -> (Vec<CredentialId>, Result<(), EngineEditError>) {
    let (at, ids) = (switch.opener.clock.wall(), replaced.keys().cloned().collect::<Vec<_>>());
    let noted = match ids.is_empty() {
        true => Ok(()),
        false => settings.edit(move |draft| note_replaced(draft, &replaced, at)).await.map(drop),
    };
    switch.begin_anew(&ids, at);
    (ids, noted)
}

/// Moves keys from another vault into the one in use.
pub async fn move_keys_from(
    switch: &VaultSwitch,
    settings: &SettingsEditor,
    from: VaultChangeRequest,
) -> Result<VaultChangeResult, VaultChangeError> {
    let VaultChangeRequest { kind, passphrase, moving } = from;
    let to = switch.vault.kind();
    if matches!(to, VaultKind::Env | VaultKind::Memory) {
        return Err(VaultChangeError::NotPersistent(to));
    }
    let _alone = switch.begin_change().await;
    let old = switch.opener.open(kind);
    if let Some(passphrase) = passphrase {
        old.unlock(passphrase).await.map_err(VaultChangeError::Vault)?;
    }
    let mut replaced = replaced_keys(&switch.vault, &old, &switch.settings.current()).await;
    let moved = copy_keys(&old, &switch.vault, moving, &switch.opener.folders.state).await?;
    replaced.retain(|id, _| moved.contains(id));
    let (ids, noted) = begin_anew(switch, settings, replaced).await;
    switch.announce_change(moved.iter().filter(|id| !ids.contains(id)));
    noted?;
    Ok(remove_moved_keys(&old, moved).await)
}

/// Copies those of `ids` that `from` has, and the keys of records, reads them back and compares. On
/// failure it restores `to`.
async fn copy_keys(
    from: &Vault,
    to: &Vault,
    mut ids: Vec<CredentialId>,
    state_folder: &Path,
) -> Result<Vec<CredentialId>, VaultChangeError> {
    let is_asked = !ids.is_empty();
    if !matches!(to.kind(), VaultKind::Env | VaultKind::Memory) {
        ids.extend(record_key_ids());
    }
    let (mut secrets, mut replaced) = (Vec::new(), Vec::new());
    for id in ids {
        let key = |source| VaultChangeError::Key { id: id.clone(), source };
        let secret = match from.get(&id).await {
            Ok(secret) => BoundSecret::clone(&secret),
            // Nothing to move: the key is missing in the old vault too.
            Err(VaultError::NotFound(_)) => continue,
            // Another vault is chosen because this one does not work. It is asked again when the record
            // is opened.
            Err(error) if is_record_key(&id) && !is_asked => {
                tracing::warn!(credential = %id, %error, "the key of a record is not moved");
                continue;
            }
            Err(error) => return Err(key(error)),
        };
        let before = match to.get(&id).await {
            Ok(kept) => Some(BoundSecret::clone(&kept)),
            Err(VaultError::NotFound(_)) => None,
            Err(error) => return Err(key(error)),
        };
        let opens = |key: &BoundSecret| opens_record(state_folder, &id, key);
        // The one of them that opens no record is of a record that is gone.
        let is_kept = |kept: &BoundSecret| is_record_key(&id) && (opens(kept) || !opens(&secret));
        if !before.as_ref().is_some_and(is_kept) {
            replaced.push((id.clone(), before));
            secrets.push((id, secret));
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
            Ok(()) | Err(VaultError::NotFound(_)) if is_record_key(&id) => {}
            Ok(()) | Err(VaultError::NotFound(_)) => changed.moved.push(id),
            Err(error) => {
                tracing::warn!(credential = %id, %error, "a moved key remains in the old vault");
                if !is_record_key(&id) {
                    changed.not_removed.push(id);
                }
            }
        }
    }
    changed
}
