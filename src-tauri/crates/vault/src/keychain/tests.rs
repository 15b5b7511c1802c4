//! The keychain on `keyring-core`'s mock store, with injected errors.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;

use domain::Secret;
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::mock::{Cred, Store};
use keyring_core::{Credential, Error};

use super::*;

thread_local! {
    /// The store that the opener returns: one mock per test, since each test has its own thread.
    static MOCK: Arc<Store> = Store::new().expect("a mock");
    static OPENED: RefCell<usize> = const { RefCell::new(0) };
}

type Modifiers<'a> = HashMap<&'a str, &'a str>;

const SERVICE: &str = "gatehouse-test";

fn keychain() -> Keychain {
    let opener: StoreOpener = || {
        OPENED.with_borrow_mut(|opened| *opened += 1);
        Ok(MOCK.with(Arc::clone))
    };
    Keychain { service: SERVICE.to_owned(), opener, store: Mutex::new(None) }
}

/// The item in the mock, read directly.
fn item(user: &str) -> Entry {
    MOCK.with(|mock| mock.build(SERVICE, user, None)).expect("an entry")
}

fn fail_next(user: &str, error: Error) {
    let entry = item(user);
    entry.as_any().downcast_ref::<Cred>().expect("a mock's entry").set_error(error);
}

fn broken() -> Error {
    Error::PlatformFailure(Box::new(std::io::Error::other("lost session")))
}

fn refused() -> Error {
    Error::NoStorageAccess(Box::new(std::io::Error::other("refused")))
}

fn opened() -> usize {
    OPENED.with_borrow(|opened| *opened)
}

fn id(text: &str) -> CredentialId {
    CredentialId::new(text).expect("an id")
}

fn secret(text: &str) -> BoundSecret {
    let origin = "https://api.openai.com".parse().expect("an origin");
    BoundSecret::new(Secret::parse(text.to_owned()).expect("a good secret"), Some(origin))
}

#[test]
fn a_key_is_kept_as_bytes_under_its_id_replaced_and_removed() {
    let keychain = keychain();
    keychain.put(&id("openai"), &secret("sk-1")).expect("kept");
    assert_eq!(
        item("openai").get_secret().expect("there"),
        br#"{"v":1,"secret":"sk-1","origin":"https://api.openai.com:443"}"#
    );
    keychain.put(&id("openai"), &secret("sk-2")).expect("kept");
    assert_eq!(keychain.get(&id("openai")).expect("there"), secret("sk-2"));
    keychain.remove(&id("openai")).expect("removed");
    assert!(
        matches!(keychain.get(&id("openai")), Err(VaultError::NotFound(name)) if name == id("openai"))
    );
    assert!(matches!(keychain.remove(&id("openai")), Err(VaultError::NotFound(_))));
    assert_eq!(opened(), 1, "the store is opened once");
}

#[test]
fn a_platform_failure_opens_the_store_anew_and_tries_once_more() {
    let keychain = keychain();
    keychain.put(&id("openai"), &secret("sk-1")).expect("kept");
    fail_next("openai", broken());
    assert_eq!(keychain.get(&id("openai")).expect("the second try"), secret("sk-1"));
    assert_eq!(opened(), 2);
}

#[test]
fn a_store_that_cannot_be_opened_is_tried_twice_and_reported() {
    let opener: StoreOpener = || {
        OPENED.with_borrow_mut(|opened| *opened += 1);
        Err(broken())
    };
    let keychain = Keychain { service: SERVICE.to_owned(), opener, store: Mutex::new(None) };
    assert!(matches!(keychain.probe(), Err(VaultError::Unavailable { .. })));
    assert_eq!(opened(), 2);
}

#[test]
fn a_refusal_is_not_tried_again() {
    let keychain = keychain();
    for outcome in [
        (|keychain: &Keychain| keychain.put(&id("a"), &secret("sk-1"))) as fn(&Keychain) -> _,
        |keychain| keychain.get(&id("a")).map(drop),
        |keychain| keychain.remove(&id("a")),
    ] {
        fail_next("a", refused());
        let error = outcome(&keychain).expect_err("refused");
        let known = matches!(error, VaultError::Locked(_) | VaultError::Unavailable { .. });
        assert!(known, "{error:?}");
    }
    fail_next(PROBE_USER, refused());
    assert!(keychain.probe().is_err());
    assert_eq!(opened(), 1);
}

#[test]
fn a_probe_leaves_nothing_behind() {
    let keychain = keychain();
    keychain.probe().expect("works");
    assert!(matches!(item(PROBE_USER).get_secret(), Err(Error::NoEntry)));
    assert!(CredentialId::new(PROBE_USER).is_err(), "a key could have the probe's name");
}

#[test]
fn what_someone_else_stored_under_the_name_is_damaged_and_not_quoted() {
    let keychain = keychain();
    item("openai").set_secret(b"sk-RAWKEY").expect("set");
    let error = keychain.get(&id("openai")).expect_err("damaged");
    assert!(matches!(error, VaultError::Damaged(Damage::Item)), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("RAWKEY"));
}

/// A store that keeps only the first bytes of a value and reports success, as `secret-tool` did at
/// 8,192 bytes.
#[derive(Debug)]
struct TruncatingStore {
    bytes_max: usize,
    kept: Arc<Mutex<Option<Vec<u8>>>>,
}

impl CredentialStoreApi for TruncatingStore {
    fn vendor(&self) -> String {
        "test".to_owned()
    }
    fn id(&self) -> String {
        "truncating".to_owned()
    }
    fn build(&self, _: &str, _: &str, _: Option<&Modifiers<'_>>) -> keyring_core::Result<Entry> {
        let credential = Self { bytes_max: self.bytes_max, kept: Arc::clone(&self.kept) };
        Ok(Entry::new_with_credential(Arc::new(credential)))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl CredentialApi for TruncatingStore {
    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        *self.kept.lock() = Some(secret[..secret.len().min(self.bytes_max)].to_vec());
        Ok(())
    }
    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.kept.lock().clone().ok_or(Error::NoEntry)
    }
    fn delete_credential(&self) -> keyring_core::Result<()> {
        self.kept.lock().take().map(drop).ok_or(Error::NoEntry)
    }
    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        Ok(None)
    }
    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn truncating<const BYTES_MAX: usize>() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(Arc::new(TruncatingStore { bytes_max: BYTES_MAX, kept: Arc::default() }))
}

#[test]
fn s5_a_store_that_cuts_what_it_keeps_is_found_out() {
    let keychain =
        |opener| Keychain { service: SERVICE.to_owned(), opener, store: Mutex::new(None) };
    let cut = keychain(truncating::<50>).put(&id("openai"), &secret("sk-123456789"));
    assert!(matches!(cut, Err(VaultError::Damaged(Damage::NotStored))), "{cut:?}");
    keychain(truncating::<100>).put(&id("openai"), &secret("sk-123456789")).expect("fits");
    let probe = keychain(truncating::<5>).probe();
    assert!(matches!(probe, Err(VaultError::Damaged(Damage::NotStored))), "{probe:?}");
}
