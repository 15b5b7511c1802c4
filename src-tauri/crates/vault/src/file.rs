//! One file, encrypted with a passphrase, for machines that have no keychain (SSH boxes, CI).
//!
//! The format is age's (`age -d` opens it), so a user is never locked in; inside is JSON, one
//! envelope per key. It is decrypted once and kept in memory, zeroed on drop. Every write goes beside
//! the file, is synced, and then takes its place, so a crash leaves the old one or the new one.
//! Invariant: no file appears before a passphrase was given, and a file that cannot be opened is
//! never written over.

mod cipher;
mod disk;
mod revision;

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{BoundSecret, CredentialId};
use parking_lot::{Mutex, MutexGuard};

use self::cipher::Contents;
use crate::envelope::{self, Envelope};
use crate::{Damage, Lock, Passphrase, SecretStore, VaultError, VaultKind};

pub use cipher::{WORK_FACTOR_LOG2, WORK_FACTOR_LOG2_MAX};
pub use disk::FILE_BYTES_MAX;

/// The encrypted file, locked until [`SecretStore::unlock`].
pub struct FileStore {
    path: PathBuf,
    revision_path: PathBuf,
    work_factor_log2: u8,
    opened: Mutex<Option<Opened>>,
    /// Why the file was not opened when that was last tried.
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    error: VaultError,
    /// The file then; another one may be opened.
    on_disk: Vec<u8>,
}

struct Opened {
    passphrase: Passphrase,
    contents: Contents,
    /// The file as it was last read or written, to notice when someone else wrote it.
    on_disk: Vec<u8>,
    /// Whether a later revision was seen than the one that was read; over with the next write.
    is_outdated: bool,
}

type Items = BTreeMap<CredentialId, Envelope>;

impl FileStore {
    /// The file at `path`, which need not exist, whose highest revision is remembered at
    /// `revision_path`. Touches nothing. `work_factor_log2` is scrypt's, [`WORK_FACTOR_LOG2`] but in
    /// tests, held to 1..=[`WORK_FACTOR_LOG2_MAX`].
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

    /// The reason for which the file is closed. A file that no passphrase can open is told so before
    /// anyone is asked for one.
    fn locked(&self) -> VaultError {
        let bytes = match disk::read(&self.path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return VaultError::Locked(Lock::PassphraseUnset),
            Err(error) => return error,
        };
        match &*self.refused.lock() {
            Some(refused) if refused.on_disk == bytes => refused.error.clone(),
            _ => cipher::check_header(&bytes)
                .err()
                .unwrap_or(VaultError::Locked(Lock::PassphraseNeeded)),
        }
    }

    fn opened(&self, bytes: Vec<u8>, passphrase: &Passphrase) -> Result<Opened, VaultError> {
        let contents = match cipher::decrypt(&bytes, passphrase) {
            Ok(contents) => contents,
            Err(error) => {
                *self.refused.lock() = Some(Refused { error: error.clone(), on_disk: bytes });
                return Err(error);
            }
        };
        *self.refused.lock() = None;
        let is_outdated = self.is_older(&contents);
        Ok(Opened { passphrase: passphrase.clone(), contents, on_disk: bytes, is_outdated })
    }

    /// Whether a later revision was seen before. One that was not is remembered.
    fn is_older(&self, contents: &Contents) -> bool {
        let seen = revision::seen(&self.revision_path);
        if seen < contents.revision {
            revision::note(&self.revision_path, contents.revision);
        }
        seen > contents.revision
    }

    /// Encrypts and writes `items`, and only then makes them the ones in memory.
    fn replace(&self, opened: &mut Opened, items: Items) -> Result<(), VaultError> {
        let last = opened.contents.revision.max(revision::seen(&self.revision_path));
        let contents = Contents { revision: last.saturating_add(1), items };
        let encrypted = cipher::encrypt(&contents, &opened.passphrase, self.work_factor_log2)?;
        disk::replace(&self.path, &encrypted)?;
        revision::note(&self.revision_path, contents.revision);
        opened.contents = contents;
        opened.on_disk = encrypted;
        opened.is_outdated = false;
        Ok(())
    }

    /// Applies one change to what is in the file now, which another process may have written since.
    fn change(
        &self,
        change: impl FnOnce(&mut Items) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let mut guard = self.opened.lock();
        let opened = guard.as_mut().ok_or_else(|| self.locked())?;
        self.refresh(opened)?;
        let mut items = opened.contents.items.clone();
        change(&mut items)?;
        self.replace(opened, items)
    }

    fn refresh(&self, opened: &mut Opened) -> Result<(), VaultError> {
        if let Some(bytes) = disk::read(&self.path)?
            && bytes != opened.on_disk
        {
            opened.contents = cipher::decrypt(&bytes, &opened.passphrase)?;
            opened.is_outdated = self.is_older(&opened.contents);
            opened.on_disk = bytes;
        }
        Ok(())
    }

    /// Makes the empty file. Its being there fixes the passphrase before the first key is entered.
    fn create(
        &self,
        passphrase: &Passphrase,
        mut guard: MutexGuard<'_, Option<Opened>>,
    ) -> Result<(), VaultError> {
        let mut opened = Opened {
            passphrase: passphrase.clone(),
            contents: Contents::default(),
            on_disk: Vec::new(),
            is_outdated: false,
        };
        self.replace(&mut opened, Items::new())?;
        *guard = Some(opened);
        Ok(())
    }
}

impl SecretStore for FileStore {
    fn kind(&self) -> VaultKind {
        VaultKind::File
    }

    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        let sealed = envelope::seal(secret)?;
        self.change(|items| {
            items.insert(id.clone(), sealed);
            Ok(())
        })
    }

    /// One write for all, and then the file is opened again from the disk: who moves keys here removes
    /// them from where they were.
    fn put_all(&self, secrets: &[(CredentialId, BoundSecret)]) -> Result<(), VaultError> {
        let sealed = secrets.iter().map(|(id, secret)| Ok((id.clone(), envelope::seal(secret)?)));
        let sealed: Items = sealed.collect::<Result<_, VaultError>>()?;
        self.change(|items| {
            items.extend(sealed);
            Ok(())
        })?;
        let guard = self.opened.lock();
        let opened = guard.as_ref().ok_or_else(|| self.locked())?;
        let kept = disk::read(&self.path)?.unwrap_or_default();
        match cipher::decrypt(&kept, &opened.passphrase)? == opened.contents {
            true => Ok(()),
            false => Err(VaultError::Damaged(Damage::NotKept)),
        }
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        let guard = self.opened.lock();
        let opened = guard.as_ref().ok_or_else(|| self.locked())?;
        envelope::open(
            opened.contents.items.get(id).ok_or_else(|| VaultError::NotFound(id.clone()))?,
        )
    }

    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        self.change(|items| {
            let removed = items.remove(id);
            removed.map(drop).ok_or_else(|| VaultError::NotFound(id.clone()))
        })
    }

    /// Re-reads the file and writes what is in memory beside it, without touching the file itself:
    /// encrypting it anew would cost a key derivation and prove no more.
    fn probe(&self) -> Result<(), VaultError> {
        let mut guard = self.opened.lock();
        let opened = guard.as_mut().ok_or_else(|| self.locked())?;
        self.refresh(opened)?;
        disk::try_beside(&self.path, &opened.on_disk)
    }

    /// Opens the file, or makes it if there is none. A passphrase that does not open it leaves both
    /// the file and what is in memory as they were.
    fn unlock(&self, passphrase: &Passphrase) -> Result<(), VaultError> {
        let mut guard = self.opened.lock();
        let Some(bytes) = disk::read(&self.path)? else {
            return self.create(passphrase, guard);
        };
        *guard = Some(self.opened(bytes, passphrase)?);
        Ok(())
    }

    fn is_outdated(&self) -> bool {
        self.opened.lock().as_ref().is_some_and(|opened| opened.is_outdated)
    }
}

#[cfg(test)]
mod tests;
