//! IO of the vault file: bounded reads and crash-safe replacement.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use private_files::folder_of;
use tempfile::NamedTempFile;

use crate::limits::FILE_BYTES_MAX;
use crate::{Damage, VaultError};

/// The whole file; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    // Opening a pipe would wait for a writer.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let what = "the vault's path is a folder, a pipe or a device";
        return Err(VaultError::file(std::io::Error::new(ErrorKind::InvalidInput, what)));
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(VaultError::file(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(VaultError::file)?;
    if too_large(&bytes) {
        return Err(VaultError::Damaged(Damage::File));
    }
    Ok(Some(bytes))
}

/// Replaces the file: writes a temporary one, syncs, renames, syncs the folder, reads it back.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    if too_large(bytes) {
        return Err(VaultError::file(std::io::Error::from(ErrorKind::FileTooLarge)));
    }
    let beside = write_temporary(path, bytes).map_err(VaultError::file)?;
    beside.persist(path).map_err(|error| VaultError::file(error.error))?;
    private_files::sync_folder(folder_of(path)).map_err(VaultError::file)?;
    if read(path)?.as_deref() == Some(bytes) {
        Ok(())
    } else {
        Err(VaultError::Damaged(Damage::NotStored))
    }
}

/// Writes a new file. One that is there stays.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    if too_large(bytes) {
        return Err(VaultError::file(std::io::Error::from(ErrorKind::FileTooLarge)));
    }
    let beside = write_temporary(path, bytes).map_err(VaultError::file)?;
    beside.persist_noclobber(path).map_err(|error| VaultError::file(error.error))?;
    private_files::sync_folder(folder_of(path)).map_err(VaultError::file)
}

/// Proves that [`replace_range`] could write. Leaves nothing behind.
pub(super) fn probe_write(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let beside = write_temporary(path, bytes).map_err(VaultError::file)?;
    beside.close().map_err(VaultError::file)
}

fn too_large(bytes: &[u8]) -> bool {
    u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX)
}

/// A synced temporary file beside `path`, in a folder that is created if there is none.
fn write_temporary(path: &Path, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
    private_files::create_folder(folder_of(path))?;
    private_files::write_temporary(path, bytes)
}
