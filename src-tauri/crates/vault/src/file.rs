//! A file encrypted with a passphrase, for machines without a keychain (SSH boxes, CI).
//!
//! The format is age's (`age -d` opens it), so the user is never locked in; inside is JSON with one
//! envelope per key. It is decrypted once and kept in memory, zeroed on drop. A write goes to a
//! file beside it, is synced, and then renamed, so a crash leaves the old file or the new one.
//! Invariant: no file is created before a passphrase is given, and a file that cannot be opened is
//! never overwritten.

mod cipher;
mod disk;
mod portable;
mod revision;

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{BoundSecret, CredentialId};
use parking_lot::{Mutex, MutexGuard};

use self::cipher::VaultContents;
use crate::envelope::{self, Envelope};
use crate::{Damage, LockReason, Passphrase, SecretStore, VaultError, VaultKind};

pub use cipher::{WORK_FACTOR_LOG2, WORK_FACTOR_LOG2_MAX};
pub use portable::{export_secrets, import_secrets};

/// The encrypted file, locked until [`SecretStore::unlock`].
pub struct FileStore {
    path: PathBuf,
    revision_path: PathBuf,
    work_factor_log2: u8,
    opened: Mutex<Option<OpenVaultFile>>,
    /// The last failed attempt to open the file.
    refused: Mutex<Option<FailedOpen>>,
}

struct FailedOpen {
    error: VaultError,
    /// The file's content at that time; a changed file is tried again.
    on_disk: Vec<u8>,
}

struct OpenVaultFile {
    passphrase: Passphrase,
    contents: VaultContents,
    /// Content of the file when last read or written, to detect changes by others.
    on_disk: Vec<u8>,
    /// True if a later revision was seen than the one read. Cleared by the next write.
    is_outdated: bool,
}

type VaultItems = BTreeMap<CredentialId, Envelope>;

impl FileStore {
    /// A store for the file at `path`, which need not exist. `revision_path` stores the highest
    /// revision seen. Does no IO. `work_factor_log2` is scrypt's: [`WORK_FACTOR_LOG2`] except in
    /// tests, clamped to 1..=[`WORK_FACTOR_LOG2_MAX`].
    #[must_use]
    pub fn new(path: PathBuf, revision_path: PathBuf, work_factor_log2: u8) -> Self {
        let work_factor_log2 = work_factor_log2.clamp(1, WORK_FACTOR_LOG2_MAX);
        Self {
            path,
            revision_path,
            work_factor_log2,
            opened: Mutex::new(None),
            refused: Mutex::new(None),
        }
    }

    /// The reason why the file is locked. A file that no passphrase can open is reported before
    /// anyone is asked for one.
    fn lock_error(&self) -> VaultError {
        let bytes = match disk::read(&self.path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return VaultError::Locked(LockReason::PassphraseUnset),
            Err(error) => return error,
        };
        match &*self.refused.lock() {
            Some(refused) if refused.on_disk == bytes => refused.error.clone(),
            _ => cipher::check_header(&bytes)
                .err()
                .unwrap_or(VaultError::Locked(LockReason::PassphraseNeeded)),
        }
    }

    fn decrypt_file(
        &self,
        bytes: Vec<u8>,
        passphrase: &Passphrase,
    ) -> Result<OpenVaultFile, VaultError> {
        let contents = match cipher::decrypt(&bytes, passphrase) {
            Ok(contents) => contents,
            Err(error) => {
                *self.refused.lock() = Some(FailedOpen { error: error.clone(), on_disk: bytes });
                return Err(error);
            }
        };
        *self.refused.lock() = None;
        let is_outdated = self.check_revision(&contents);
        Ok(OpenVaultFile { passphrase: passphrase.clone(), contents, on_disk: bytes, is_outdated })
    }

    /// True if a later revision was seen before; otherwise saves this one.
    fn check_revision(&self, contents: &VaultContents) -> bool {
        let seen = revision::load_highest(&self.revision_path);
        if seen < contents.revision {
            revision::save_highest(&self.revision_path, contents.revision);
        }
        seen > contents.revision
    }

    /// Encrypts and writes `items`, and then keeps them in memory.
    fn replace(&self, opened: &mut OpenVaultFile, items: VaultItems) -> Result<(), VaultError> {
        let last = opened.contents.revision.max(revision::load_highest(&self.revision_path));
        let contents = VaultContents { revision: last.saturating_add(1), items };
        let encrypted = cipher::encrypt(&contents, &opened.passphrase, self.work_factor_log2)?;
        disk::replace(&self.path, &encrypted)?;
        revision::save_highest(&self.revision_path, contents.revision);
        opened.contents = contents;
        opened.on_disk = encrypted;
        opened.is_outdated = false;
        Ok(())
    }

    /// Applies a change to the file's current content, which another process may have written.
    fn change(
        &self,
        change: impl FnOnce(&mut VaultItems) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let mut guard = self.opened.lock();
        let opened = guard.as_mut().ok_or_else(|| self.lock_error())?;
        self.refresh(opened)?;
        let mut items = opened.contents.items.clone();
        change(&mut items)?;
        self.replace(opened, items)
    }

    fn refresh(&self, opened: &mut OpenVaultFile) -> Result<(), VaultError> {
        if let Some(bytes) = disk::read(&self.path)?
            && bytes != opened.on_disk
        {
            opened.contents = cipher::decrypt(&bytes, &opened.passphrase)?;
            opened.is_outdated = self.check_revision(&opened.contents);
            opened.on_disk = bytes;
        }
        Ok(())
    }

    /// Creates the empty file. This fixes the passphrase before the first key is entered.
    fn create(
        &self,
        passphrase: &Passphrase,
        mut guard: MutexGuard<'_, Option<OpenVaultFile>>,
    ) -> Result<(), VaultError> {
        let mut opened = OpenVaultFile {
            passphrase: passphrase.clone(),
            contents: VaultContents::default(),
            on_disk: Vec::new(),
            is_outdated: false,
        };
        self.replace(&mut opened, VaultItems::new())?;
        *guard = Some(opened);
        Ok(())
    }
}

impl SecretStore for FileStore {
    fn kind(&self) -> VaultKind {
        VaultKind::File
    }

    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        let sealed = envelope::encode(secret)?;
        self.change(|items| {
            items.insert(id.clone(), sealed);
            Ok(())
        })
    }

    /// Writes all secrets at once and decrypts the file from disk again: a caller that moves keys
    /// here deletes them from their source.
    fn put_all(&self, secrets: &[(CredentialId, BoundSecret)]) -> Result<(), VaultError> {
        let sealed = secrets.iter().map(|(id, secret)| Ok((id.clone(), envelope::encode(secret)?)));
        let sealed: VaultItems = sealed.collect::<Result<_, VaultError>>()?;
        self.change(|items| {
            items.extend(sealed);
            Ok(())
        })?;
        let guard = self.opened.lock();
        let opened = guard.as_ref().ok_or_else(|| self.lock_error())?;
        let kept = disk::read(&self.path)?.unwrap_or_default();
        match cipher::decrypt(&kept, &opened.passphrase)? == opened.contents {
            true => Ok(()),
            false => Err(VaultError::Damaged(Damage::NotStored)),
        }
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        let guard = self.opened.lock();
        let opened = guard.as_ref().ok_or_else(|| self.lock_error())?;
        envelope::decode(
            opened.contents.items.get(id).ok_or_else(|| VaultError::NotFound(id.clone()))?,
        )
    }

    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        self.change(|items| {
            let removed = items.remove(id);
            removed.map(drop).ok_or_else(|| VaultError::NotFound(id.clone()))
        })
    }

    /// Reads the file again and writes its content to a temporary file beside it, without touching
    /// the file itself: encrypting it again would cost a key derivation and prove no more.
    fn probe(&self) -> Result<(), VaultError> {
        let mut guard = self.opened.lock();
        let opened = guard.as_mut().ok_or_else(|| self.lock_error())?;
        self.refresh(opened)?;
        disk::probe_write(&self.path, &opened.on_disk)
    }

    /// Opens the file, or creates it if there is none. A wrong passphrase changes neither the file
    /// nor the state in memory.
    fn unlock(&self, passphrase: &Passphrase) -> Result<(), VaultError> {
        let mut guard = self.opened.lock();
        let Some(bytes) = disk::read(&self.path)? else {
            return self.create(passphrase, guard);
        };
        *guard = Some(self.decrypt_file(bytes, passphrase)?);
        Ok(())
    }

    fn is_outdated(&self) -> bool {
        self.opened.lock().as_ref().is_some_and(|opened| opened.is_outdated)
    }
}

#[cfg(test)]
mod tests;
