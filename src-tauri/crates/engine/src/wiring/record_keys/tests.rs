//! The search for a key in vaults that are not in use.

use std::sync::atomic::{AtomicUsize, Ordering};

use domain::SeededEntropy;
use parking_lot::Mutex;
use tempfile::TempDir;
use vault::{EnvStore, LockReason, MemoryStore, SecretStore};

use super::*;
use crate::test_parts::{clock, folders};

/// A keychain that counts how often it is read.
#[derive(Default)]
struct CountedKeychain {
    items: MemoryStore,
    reads: AtomicUsize,
    /// What every read ends with.
    error: Mutex<Option<VaultError>>,
}

impl SecretStore for CountedKeychain {
    fn kind(&self) -> VaultKind {
        VaultKind::Keychain
    }

    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        self.items.put(id, secret)
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &*self.error.lock() {
            Some(error) => Err(error.clone()),
            None => self.items.get(id),
        }
    }

    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        self.items.remove(id)
    }

    fn probe(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

fn passphrase() -> Passphrase {
    Passphrase::parse("correct-horse".to_owned()).expect("a passphrase")
}

fn key(text: &str) -> Secret {
    Secret::parse(text.to_owned()).expect("a key")
}

/// A memory vault in use, and beside it a vault file with the key "in-file" and this keychain.
async fn record_keys(home: &TempDir, keychain: &Arc<CountedKeychain>) -> VaultRecordKeys {
    let folders = folders(home);
    folders.create().expect("created");
    let opener = VaultOpener {
        environment: Arc::new(EnvStore::new(Vec::new())),
        folders,
        clock: clock(),
        keychain_service: "gatehouse-test".to_owned(),
    };
    let file = opener.open(VaultKind::File);
    file.unlock(passphrase()).await.expect("unlocked");
    let id = key_id("codex").expect("a name");
    file.put(&id, BoundSecret::new(key("in-file"), None)).await.expect("stored");
    let keychain = Vault::new(Arc::<CountedKeychain>::clone(keychain), clock());
    let (vault, entropy) = (opener.open(VaultKind::Memory), Arc::new(SeededEntropy::new(5)));
    VaultRecordKeys { vault, opener, keychain, entropy, passphrase: Some(passphrase()) }
}

/// The key elsewhere that is `wanted`.
async fn find(keys: &Arc<VaultRecordKeys>, wanted: &str) -> Result<Option<Secret>, String> {
    let (keys, wanted) = (Arc::clone(keys), key(wanted));
    let found =
        tokio::task::spawn_blocking(move || keys.find_elsewhere("codex", &|it| *it == wanted))
            .await;
    found.expect("no panic").map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_file_is_asked_first_and_the_keychain_only_where_that_has_no_key_that_opens() {
    let (home, keychain) = (tempfile::tempdir().expect("a folder"), Arc::default());
    let keys = Arc::new(record_keys(&home, &keychain).await);
    assert_eq!(find(&keys, "in-file").await, Ok(Some(key("in-file"))));
    assert_eq!(keychain.reads.load(Ordering::Relaxed), 0);
    assert_eq!(find(&keys, "in-keychain").await, Ok(None));
    assert_eq!(keychain.reads.load(Ordering::Relaxed), 1);
    let id = key_id("codex").expect("a name");
    keychain.put(&id, &BoundSecret::new(key("in-keychain"), None)).expect("stored");
    assert_eq!(find(&keys, "in-keychain").await, Ok(Some(key("in-keychain"))));
}

#[tokio::test]
async fn a_vault_that_was_not_searched_is_named_unless_another_one_has_the_key() {
    let (home, keychain) = (tempfile::tempdir().expect("a folder"), Arc::default());
    let mut keys = record_keys(&home, &keychain).await;
    keys.passphrase = None;
    let keys = Arc::new(keys);
    let told = find(&keys, "in-keychain").await.expect_err("the file is locked");
    assert!(told.contains("the file vault may hold the key"), "{told}");
    assert!(told.contains("`gatehouse vault set file`"), "{told}");
    let id = key_id("codex").expect("a name");
    keychain.put(&id, &BoundSecret::new(key("in-keychain"), None)).expect("stored");
    assert_eq!(find(&keys, "in-keychain").await, Ok(Some(key("in-keychain"))));
}

#[tokio::test]
async fn a_locked_keychain_may_have_the_key_and_one_that_is_not_there_has_not() {
    let (home, keychain) = (tempfile::tempdir().expect("a folder"), Arc::default());
    let keys = Arc::new(record_keys(&home, &keychain).await);
    let source = Arc::new(std::io::Error::other("no service"));
    *keychain.error.lock() = Some(VaultError::Unavailable { source });
    assert_eq!(find(&keys, "in-keychain").await, Ok(None));
    // The last, since a vault that hung is not asked again for a while.
    for error in [VaultError::Locked(LockReason::Keychain), VaultError::Hung] {
        *keychain.error.lock() = Some(error);
        let told = find(&keys, "in-keychain").await.expect_err("not searched");
        assert!(told.contains("the keychain vault may hold the key"), "{told}");
        assert_eq!(find(&keys, "in-file").await, Ok(Some(key("in-file"))));
    }
}
