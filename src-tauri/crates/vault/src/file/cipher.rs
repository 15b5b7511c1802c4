//! Converts between keys in memory and age's format. Does no IO.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::iter;

use age::{DecryptError, Decryptor, Encryptor, scrypt};
use domain::CredentialId;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::envelope::Envelope;
use crate::{Damage, ENVELOPE_BYTES_MAX, LockReason, Passphrase, VaultError};

/// Logarithm of scrypt's N for the file's key: 2^17, the minimum in OWASP's Password Storage Cheat
/// Sheet (128 MiB, about half a second).
pub const WORK_FACTOR_LOG2: u8 = 17;

/// Largest work factor accepted from a file: 2^20 takes 1 GiB. A file with a larger one is not
/// ours.
pub const WORK_FACTOR_LOG2_MAX: u8 = 20;

/// The version of the content, and the only one read.
const VERSION: u32 = 1;

/// Bytes around one item: quotes, colon, comma, and the longest id.
const ITEM_OVERHEAD_BYTES: usize = domain::SLUG_CHARS_MAX + 8;

#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct VaultContents {
    /// Number of writes. A file from before this was counted has 0.
    pub(super) revision: u64,
    pub(super) items: BTreeMap<CredentialId, Envelope>,
}

pub(super) fn encrypt(
    contents: &VaultContents,
    passphrase: &Passphrase,
    work_factor_log2: u8,
) -> Result<Vec<u8>, VaultError> {
    let mut recipient = scrypt::Recipient::new(passphrase.as_age_secret().clone());
    recipient.set_work_factor(work_factor_log2);
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as _));
    let plain = encode(contents);
    let mut encrypted = Vec::new();
    let mut writer = encryptor
        .map_err(VaultError::file)?
        .wrap_output(&mut encrypted)
        .map_err(VaultError::file)?;
    writer.write_all(&plain).map_err(VaultError::file)?;
    writer.finish().map_err(VaultError::file)?;
    Ok(encrypted)
}

pub(super) fn decrypt(bytes: &[u8], passphrase: &Passphrase) -> Result<VaultContents, VaultError> {
    let damaged = || VaultError::Damaged(Damage::File);
    let decryptor = Decryptor::new_buffered(bytes).map_err(|_| damaged())?;
    let mut identity = scrypt::Identity::new(passphrase.as_age_secret().clone());
    identity.set_max_work_factor(WORK_FACTOR_LOG2_MAX);
    let mut reader =
        decryptor.decrypt(iter::once(&identity as _)).map_err(|error| decrypt_error(&error))?;
    // The plain text is shorter than the encrypted, so the buffer is never reallocated.
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut plain).map_err(|_| damaged())?;
    decode(&plain)
}

/// Checks that `bytes` start like a vault that a passphrase may open.
pub(super) fn check_header(bytes: &[u8]) -> Result<(), VaultError> {
    match Decryptor::new_buffered(bytes) {
        Ok(decryptor) if decryptor.is_scrypt() => Ok(()),
        _ => Err(VaultError::Damaged(Damage::File)),
    }
}

/// The file's key is itself encrypted with the passphrase, so a wrong passphrase and damage to
/// those 32 bytes look alike; any other damage is told apart.
const fn decrypt_error(error: &DecryptError) -> VaultError {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            VaultError::Locked(LockReason::PassphraseWrong)
        }
        _ => VaultError::Damaged(Damage::File),
    }
}

/// `{"v":1,"revision":7,"items":{"openai":{…},…}}`, built by hand because each value is an
/// envelope, which is JSON already, and because a serializer's growing buffer would leave copies
/// behind.
fn encode(contents: &VaultContents) -> Zeroizing<Vec<u8>> {
    let VaultContents { revision, items } = contents;
    let bytes_max = 96 + items.len() * (ENVELOPE_BYTES_MAX + ITEM_OVERHEAD_BYTES);
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes_max));
    plain.extend_from_slice(
        format!(r#"{{"v":{VERSION},"revision":{revision},"items":{{"#).as_bytes(),
    );
    for (number, (id, envelope)) in items.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        plain.extend_from_slice(format!(r#"{comma}"{id}":"#).as_bytes());
        plain.extend_from_slice(envelope);
    }
    plain.extend_from_slice(b"}}");
    plain
}

#[derive(Deserialize)]
struct ContentsVersion {
    v: u32,
}

#[derive(Deserialize)]
struct ContentsBody<'a> {
    #[serde(default)]
    revision: u64,
    #[serde(borrow)]
    items: BTreeMap<CredentialId, &'a RawValue>,
}

/// The parser's error is dropped because it may quote the content.
fn decode(plain: &[u8]) -> Result<VaultContents, VaultError> {
    let damaged = |_| VaultError::Damaged(Damage::File);
    let version: ContentsVersion = serde_json::from_slice(plain).map_err(damaged)?;
    if version.v != VERSION {
        return Err(VaultError::Damaged(Damage::Newer));
    }
    let stored: ContentsBody<'_> = serde_json::from_slice(plain).map_err(damaged)?;
    let sealed = |raw: &RawValue| Envelope::new(raw.get().as_bytes().to_vec());
    let items = stored.items.into_iter().map(|(id, raw)| (id, sealed(raw))).collect();
    Ok(VaultContents { revision: stored.revision, items })
}
