//! Seals what wiring took out of a user's file and what may be a key. The key of each record lies in the
//! vault, so that no file of ours holds a key in plain text and the undo is still exact.
//!
//! The nonce is derived from the content (as in SIV modes), so no nonce is used for two contents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use domain::Secret;

const NONCE_BYTES: usize = 24;

const CONTEXT: &str = "gatehouse wiring record";

/// Why the keys of records cannot be read or kept, and what to do, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordKeysError(pub String);

/// The keys that records are sealed with, each under the name of its record. The calls may wait.
pub trait RecordKeys: Send + Sync {
    /// None if there is no such key.
    fn find(&self, record: &str) -> Result<Option<Secret>, RecordKeysError>;

    /// Keeps a new key, which a later process finds.
    fn create(&self, record: &str) -> Result<Secret, RecordKeysError>;

    /// Called once the record is gone. A key that stays opens nothing.
    fn remove(&self, record: &str);
}

/// `record` is the name of the record, which cannot be exchanged for another.
pub(crate) fn seal(key: &Secret, record: &str, plain: &[u8]) -> Option<String> {
    let key = key.derived_key(CONTEXT);
    let hash = blake3::keyed_hash(&key, plain);
    let nonce = hash.as_bytes().get(..NONCE_BYTES)?;
    let cipher = XChaCha20Poly1305::new(Key::from_slice(&*key));
    let payload = Payload { msg: plain, aad: record.as_bytes() };
    let sealed = cipher.encrypt(XNonce::from_slice(nonce), payload).ok()?;
    Some(BASE64.encode([nonce, &sealed].concat()))
}

/// None if it was sealed with another key or for another record, or is damaged.
pub(crate) fn unseal(key: &Secret, record: &str, sealed: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(sealed).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
    let key = key.derived_key(CONTEXT);
    let cipher = XChaCha20Poly1305::new(Key::from_slice(&*key));
    let payload = Payload { msg: sealed, aad: record.as_bytes() };
    cipher.decrypt(XNonce::from_slice(nonce), payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_with_its_key_for_its_record_alone() {
        let secret = |text: &str| Secret::parse(text.to_owned()).expect("a secret");
        let sealed = seal(&secret("one"), "codex", b"CANARY").expect("sealed");
        assert_eq!(unseal(&secret("one"), "codex", &sealed).as_deref(), Some(&b"CANARY"[..]));
        assert_eq!(unseal(&secret("two"), "codex", &sealed), None);
        assert_eq!(unseal(&secret("one"), "zed", &sealed), None);
        for damaged in ["", "AAAA", "no base64", &sealed[4..]] {
            assert_eq!(unseal(&secret("one"), "codex", damaged), None);
        }
        assert!(!sealed.contains("CANARY"));
    }
}
