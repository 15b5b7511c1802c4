//! Puts a checked archive in the place of what is there.
//!
//! The archive is unpacked and checked in a scratch folder, which is then renamed: from that moment
//! the restore will be finished, by this process or by the next start. Both steps can be repeated
//! without harm: records are told apart by their ids, and a settings file that is the restored one
//! already stays.

use std::io;
use std::path::Path;
use std::sync::Arc;

use archive::PartName;
use domain::Clock;
use ledger::{LedgerError, Recovery, RestoreReport};
use private_files::sync_folder;
use settings::{ReplacedFile, SettingsError, SettingsStore};

use crate::Folders;

#[derive(Debug, Clone)]
pub(crate) struct RestoredFiles {
    pub(crate) ledger: RestoreReport,
    /// Name of the copy of the settings before; `None` if there were none, or the same.
    pub(crate) settings_kept: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the restored files could not be read or removed: {0}")]
    File(#[from] io::Error),
}

/// From here on the restore is finished even after a kill.
pub(crate) fn commit(folders: &Folders) -> io::Result<()> {
    std::fs::rename(folders.archive_scratch_folder(), folders.restore_folder())?;
    sync_folder(&folders.data)
}

/// Restores what lies in the folder that [`commit`] made, and removes it. The ledger comes first,
/// since only that may fail for want of space.
pub(crate) async fn finish(
    folders: &Folders,
    settings: &Arc<SettingsStore>,
    recovery: &Recovery,
    clock: &dyn Clock,
) -> Result<RestoredFiles, RestoreError> {
    let folder = folders.restore_folder();
    let ledger = recovery.restore_file(folder.join(PartName::Ledger.word())).await?;
    let text = std::fs::read_to_string(folder.join(PartName::Settings.word()))?;
    let name = format!("settings.before-restore-{}.toml", clock.wall().to_file_stamp());
    let (store, kept) = (Arc::clone(settings), folders.config.join(&name));
    let replaced = tokio::task::spawn_blocking(move || store.replace(&text, &kept));
    let replaced = replaced.await.map_err(io::Error::other)??;
    std::fs::remove_dir_all(&folder)?;
    sync_folder(&folders.data)?;
    let settings_kept = (replaced == ReplacedFile::Kept).then_some(name);
    Ok(RestoredFiles { ledger, settings_kept })
}

/// Finishes a restore that a kill cut off, and removes what it left of any other work. A failure is
/// logged and tried again by the next start: what is there is whole in any case.
pub(crate) async fn finish_at_start(
    folders: &Folders,
    settings: &Arc<SettingsStore>,
    recovery: &Recovery,
    clock: &dyn Clock,
) {
    remove_folder(&folders.archive_scratch_folder());
    if !folders.restore_folder().exists() {
        return;
    }
    match finish(folders, settings, recovery, clock).await {
        Ok(done) => {
            tracing::warn!(
                requests = done.ledger.requests,
                "a restore that was cut off is finished"
            );
        }
        Err(error) => {
            tracing::error!(%error, cause = ?error, "a restore that was cut off cannot be finished");
        }
    }
}

pub(crate) fn remove_folder(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, folder = %folder.display(), "a folder could not be removed");
        }
        _ => {}
    }
}
