//! Keys in a file of their own, encrypted with a passphrase, for another machine. It is the format
//! of the vault file, so that `age -d` opens it.

use std::io::ErrorKind;
use std::path::Path;

use domain::{BoundSecret, CredentialId};

use super::cipher::{self, VaultContents};
use super::disk;
use crate::{Damage, Passphrase, VaultError, WORK_FACTOR_LOG2, envelope};

/// Encrypts the secrets into the new file at `path`, for this user only. Blocks for the key
/// derivation, half a second here.
///
/// # Errors
/// There is such a file; disk errors. Then nothing was written.
pub fn export_secrets(
    path: &Path,
    secrets: &[(CredentialId, BoundSecret)],
    passphrase: &Passphrase,
) -> Result<(), VaultError> {
    let sealed = secrets.iter().map(|(id, secret)| Ok((id.clone(), envelope::encode(secret)?)));
    let items = sealed.collect::<Result<_, VaultError>>()?;
    let contents = VaultContents { revision: 0, items };
    let bytes = cipher::encrypt(&contents, passphrase, WORK_FACTOR_LOG2)?;
    disk::create(path, &bytes)
}

/// Decrypts such a file. Blocks for the key derivation.
///
/// # Errors
/// [`VaultError::Locked`] for a wrong passphrase, [`VaultError::Damaged`] for any other file.
pub fn import_secrets(
    path: &Path,
    passphrase: &Passphrase,
) -> Result<Vec<(CredentialId, BoundSecret)>, VaultError> {
    let missing = || VaultError::file(std::io::Error::from(ErrorKind::NotFound));
    let bytes = disk::read(path)?.ok_or_else(missing)?;
    cipher::check_header(&bytes).map_err(|_| VaultError::Damaged(Damage::File))?;
    let contents = cipher::decrypt(&bytes, passphrase)?;
    contents.items.into_iter().map(|(id, sealed)| Ok((id, envelope::decode(&sealed)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LockReason;
    use domain::Secret;
    use test_support::{MARKED_KEY, leak_encodings};

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::parse(text.to_owned()).expect("long enough")
    }

    #[test]
    fn keys_come_back_with_their_hosts_and_never_stand_in_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.age");
        let key = Secret::parse(MARKED_KEY.to_owned()).expect("a key");
        let origin = "https://api.openai.com".parse().expect("an origin");
        let id = CredentialId::new("openai").expect("a name");
        let secrets = vec![(id, BoundSecret::new(key, Some(origin)))];
        export_secrets(&path, &secrets, &passphrase("correct-horse")).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        assert!(bytes.starts_with(b"age-encryption.org/v1"));
        for mark in leak_encodings(MARKED_KEY) {
            assert!(!bytes.windows(mark.len()).any(|part| part == mark));
        }
        let back = import_secrets(&path, &passphrase("correct-horse")).expect("read");
        assert_eq!(back, secrets);
        let wrong = import_secrets(&path, &passphrase("wrong-horse"));
        assert!(matches!(wrong, Err(VaultError::Locked(LockReason::PassphraseWrong))), "{wrong:?}");
        let again = export_secrets(&path, &[], &passphrase("correct-horse"));
        assert!(again.is_err(), "a file that is there is never replaced");
        assert_eq!(std::fs::read(&path).expect("read"), bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().expect("stat").permissions().mode() & 0o777, 0o600);
        }
    }
}
