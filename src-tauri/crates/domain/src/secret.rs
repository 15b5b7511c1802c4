//! Secrets, which cannot be printed, serialised, dereferenced or sent to the wrong host.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroize;

use crate::Origin;

/// Maximum length of a secret, in bytes. Windows' Credential Manager stores at most 2,560 bytes per
/// blob (`CRED_MAX_CREDENTIAL_BLOB_SIZE`); the rest is for the envelope that binds the origin.
pub const SECRET_BYTES_MAX: usize = 2_048;

/// Minimum length for showing the last four characters, which would be too much of a shorter
/// secret.
const TAIL_FROM_CHARS: usize = 12;

const FINGERPRINT_CHARS: usize = 16;

/// A key or token. Zeroed when dropped. `Debug` prints none of it, and it has no `Serialize`.
#[derive(Clone, PartialEq, Eq, Zeroize, Deserialize)]
#[zeroize(drop)]
#[serde(try_from = "String")]
pub struct Secret(String);

/// Why a secret was rejected. Contains no part of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Empty, or only white space.
    #[error("the key is empty; paste it again")]
    Empty,
    /// More than [`SECRET_BYTES_MAX`] bytes.
    #[error("the key has {0} bytes; at most {SECRET_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// White space, a line break or a character that is not allowed in an HTTP header. Holds its
    /// position, from 1.
    #[error(
        "the key contains a space, a line break or a non-ASCII character at position {0}; copy it \
         again without it"
    )]
    Character(usize),
}

impl Secret {
    /// Parses a pasted key: trims surrounding white space, then allows visible ASCII only, because
    /// the key is sent in an HTTP header (RFC 9110 section 5.5).
    pub fn parse(mut text: String) -> Result<Self, SecretError> {
        let outcome = Self::check(&text);
        text.zeroize();
        outcome
    }

    fn check(text: &str) -> Result<Self, SecretError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(SecretError::Empty);
        }
        if trimmed.len() > SECRET_BYTES_MAX {
            return Err(SecretError::TooLong(trimmed.len()));
        }
        match trimmed.chars().position(|c| !c.is_ascii_graphic()) {
            Some(position) => Err(SecretError::Character(position + 1)),
            None => Ok(Self(trimmed.to_owned())),
        }
    }

    /// The secret itself. Call this only where the vault stores it and where the outgoing header is
    /// built.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, so that a user can tell keys apart. `None` for a secret of fewer
    /// than 12 characters.
    #[must_use]
    pub fn tail(&self) -> Option<String> {
        let length = self.0.len();
        (length >= TAIL_FROM_CHARS).then(|| self.0.get(length - 4..).unwrap_or_default().to_owned())
    }

    /// Sixteen hexadecimal digits that are the same for the same key. The key cannot be found from
    /// them: it has some 80 random bits, and half of the hash is missing.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("gatehouse key fingerprint");
        hasher.update(self.0.as_bytes());
        // A key is no longer than a block, which the hasher and its reader keep as it is.
        let mut reader = hasher.finalize_xof();
        let mut hash = [0; blake3::OUT_LEN];
        reader.fill(&mut hash);
        reader.zeroize();
        hasher.zeroize();
        blake3::Hash::from_bytes(hash).to_hex().chars().take(FINGERPRINT_CHARS).collect()
    }
}

impl TryFrom<String> for Secret {
    type Error = SecretError;
    fn try_from(text: String) -> Result<Self, SecretError> {
        Self::parse(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret with the only origin it may be sent to.
///
/// The vault stores the origin with the secret, so editing a configuration file cannot redirect a
/// key (as in LiteLLM's CVE-2024-6587 and cc-switch's overwritten keys).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundSecret {
    secret: Secret,
    origin: Option<Origin>,
}

/// The secret may not be sent to the requested origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginMismatch {
    #[error(
        "the key is locked to {bound} and cannot be sent to {asked}; enter the key again for \
         {asked}"
    )]
    OtherOrigin {
        /// The origin that the key is bound to.
        bound: Origin,
        asked: Origin,
    },
    #[error("the key has no allowed host yet; use it for a backend first")]
    Unbound,
}

impl BoundSecret {
    /// With `None` the secret may be sent nowhere until it is bound.
    #[must_use]
    pub const fn new(secret: Secret, origin: Option<Origin>) -> Self {
        Self { secret, origin }
    }

    /// Returns the secret if it is bound to `asked`. This is the only way to a provider's header.
    pub fn for_origin(&self, asked: &Origin) -> Result<&Secret, OriginMismatch> {
        match &self.origin {
            Some(bound) if bound == asked => Ok(&self.secret),
            Some(bound) => {
                Err(OriginMismatch::OtherOrigin { bound: bound.clone(), asked: asked.clone() })
            }
            None => Err(OriginMismatch::Unbound),
        }
    }

    /// The secret and its origin, for a store that writes both.
    #[must_use]
    pub const fn parts(&self) -> (&Secret, Option<&Origin>) {
        (&self.secret, self.origin.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(text.to_owned()).expect("a good secret")
    }

    #[test]
    fn pasted_white_space_goes_and_inner_white_space_is_named_by_position() {
        assert_eq!(secret("  sk-abc\n").expose(), "sk-abc");
        let refused = |text: &str| Secret::parse(text.to_owned()).expect_err("refused");
        assert_eq!(refused("sk abc"), SecretError::Character(3));
        assert_eq!(refused("sk-ä"), SecretError::Character(4));
        assert_eq!(refused(" \n"), SecretError::Empty);
        assert_eq!(refused(&"k".repeat(SECRET_BYTES_MAX + 1)), SecretError::TooLong(2_049));
        assert_eq!(secret(&"k".repeat(SECRET_BYTES_MAX)).expose().len(), SECRET_BYTES_MAX);
    }

    #[test]
    fn debug_prints_nothing_and_a_short_secret_has_no_tail() {
        assert_eq!(
            format!("{:?}", BoundSecret::new(secret("sk-123456789"), None)).find("123"),
            None
        );
        assert_eq!(secret("sk-123456789").tail().as_deref(), Some("6789"));
        assert_eq!(secret("sk-12345678").tail(), None);
    }

    #[test]
    fn a_bound_secret_is_given_to_its_own_origin_only() {
        let home: Origin = "https://api.openai.com".parse().expect("an origin");
        let away: Origin = "https://evil.test".parse().expect("an origin");
        let bound = BoundSecret::new(secret("sk-123456789"), Some(home.clone()));
        assert!(bound.for_origin(&home).is_ok());
        assert!(matches!(bound.for_origin(&away), Err(OriginMismatch::OtherOrigin { .. })));
        let unbound = BoundSecret::new(secret("sk-123456789"), None);
        assert_eq!(unbound.for_origin(&home), Err(OriginMismatch::Unbound));
    }
}
