//! Content encrypted and authenticated (XChaCha20-Poly1305), for files of ours that may hold a key or
//! an answer.
//!
//! The nonce is derived from the key and the content (as in SIV modes), so no nonce is used for two
//! contents, and the same content is sealed identically. It stands before the ciphertext.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

pub const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;

/// `associated` is not kept and must be the same to unseal: where the content belongs. None if the
/// content is longer than the cipher takes (256 GiB).
#[must_use]
pub fn seal(key: &[u8; KEY_BYTES], associated: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let hash = blake3::keyed_hash(key, plain);
    let nonce = hash.as_bytes().get(..NONCE_BYTES)?;
    let payload = Payload { msg: plain, aad: associated };
    let sealed = cipher(key).encrypt(XNonce::from_slice(nonce), payload).ok()?;
    Some([nonce, &sealed].concat())
}

/// None if it was sealed with another key or belongs elsewhere, or is damaged.
#[must_use]
pub fn unseal(key: &[u8; KEY_BYTES], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    let payload = Payload { msg: sealed, aad: associated };
    cipher(key).decrypt(XNonce::from_slice(nonce), payload).ok()
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(Key::from_slice(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_with_its_key_where_it_belongs_alone() {
        let key = [7; KEY_BYTES];
        let sealed = seal(&key, b"here", b"CANARY").expect("sealed");
        assert_eq!(unseal(&key, b"here", &sealed).as_deref(), Some(&b"CANARY"[..]));
        assert_eq!(unseal(&[8; KEY_BYTES], b"here", &sealed), None);
        assert_eq!(unseal(&key, b"there", &sealed), None);
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert_eq!(unseal(&key, b"here", &damaged), None, "byte {place}");
            assert_eq!(unseal(&key, b"here", &sealed[..place]), None, "{place} bytes");
        }
        assert!(!sealed.windows(6).any(|part| part == b"CANARY"));
    }

    #[test]
    fn only_the_same_content_is_sealed_alike() {
        let key = [7; KEY_BYTES];
        let nonce =
            |plain: &[u8]| seal(&key, b"here", plain).expect("sealed")[..NONCE_BYTES].to_vec();
        assert_eq!(seal(&key, b"here", b"one"), seal(&key, b"here", b"one"));
        assert_ne!(nonce(b"one"), nonce(b"two"));
    }
}
