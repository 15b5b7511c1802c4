//! Secrets, which cannot be printed, serialised, dereferenced or sent to the wrong host.

use std::fmt;

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::Origin;

/// Maximum length of a secret, in bytes. Windows' Credential Manager stores at most 2,560 bytes per
/// blob (`CRED_MAX_CREDENTIAL_BLOB_SIZE`); the rest is for the envelope that binds the origin.
pub const SECRET_BYTES_MAX: usize = 2_048;

/// Prefixes of keys that administer an organisation: Anthropic's Admin API, OpenAI's administration.
const ADMIN_KEY_PREFIXES: [&str; 2] = ["sk-ant-admin", "sk-admin-"];

/// Minimum length for showing the last four characters, which would be too much of a shorter
/// secret.
const TAIL_FROM_CHARS: usize = 12;

const FINGERPRINT_CHARS: usize = 16;

/// Maximum length of an access token, in bytes. It is never stored, so the limit of a stored secret
/// does not hold; Microsoft's tokens with many groups exceed that one.
pub const ACCESS_TOKEN_BYTES_MAX: usize = 16_384;

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
    /// More than [`SECRET_BYTES_MAX`] or, for an access token, [`ACCESS_TOKEN_BYTES_MAX`] bytes.
    #[error("the key has {bytes} bytes; at most {bytes_max} are allowed")]
    TooLong { bytes: usize, bytes_max: usize },
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
    pub fn parse(text: String) -> Result<Self, SecretError> {
        Self::parse_within(text, SECRET_BYTES_MAX)
    }

    /// Parses an access token, of at most [`ACCESS_TOKEN_BYTES_MAX`]. The vault stores none.
    pub fn parse_access_token(text: String) -> Result<Self, SecretError> {
        Self::parse_within(text, ACCESS_TOKEN_BYTES_MAX)
    }

    fn parse_within(mut text: String, bytes_max: usize) -> Result<Self, SecretError> {
        let outcome = Self::check(&text, bytes_max);
        text.zeroize();
        outcome
    }

    fn check(text: &str, bytes_max: usize) -> Result<Self, SecretError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(SecretError::Empty);
        }
        if trimmed.len() > bytes_max {
            return Err(SecretError::TooLong { bytes: trimmed.len(), bytes_max });
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

    /// True for a key that administers an organisation of Anthropic or OpenAI, by its prefix. It asks
    /// no model.
    #[must_use]
    pub fn is_admin_key(&self) -> bool {
        ADMIN_KEY_PREFIXES.iter().any(|prefix| self.0.starts_with(prefix))
    }

    /// Sixteen hexadecimal digits that are the same for the same key. The key cannot be found from
    /// them: it has some 80 random bits, and half of the hash is missing.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = blake3::Hash::from_bytes(*self.derived_key("gatehouse key fingerprint"));
        hash.to_hex().chars().take(FINGERPRINT_CHARS).collect()
    }

    /// A key for a cipher. `context` names its only use, so that no two uses share one.
    #[must_use]
    pub fn derived_key(&self, context: &str) -> Zeroizing<[u8; blake3::OUT_LEN]> {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(self.0.as_bytes());
        let mut key = Zeroizing::new([0; blake3::OUT_LEN]);
        // A secret is no longer than a block, which the hasher and its reader keep as it is.
        let mut reader = hasher.finalize_xof();
        reader.fill(&mut *key);
        reader.zeroize();
        hasher.zeroize();
        key
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
    exchange: Option<Box<TokenExchange>>,
}

/// Where a refresh token or client secret is exchanged for access tokens (OAuth 2.0). The secret
/// itself goes to `endpoint` alone, its access tokens to the origin of the [`BoundSecret`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenExchange {
    /// Origin of the token endpoint.
    pub endpoint: Origin,
    /// Authenticates the client beside a refresh token; `None` for a public client.
    pub client_secret: Option<Secret>,
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
    /// A refresh token or client secret, which no request carries.
    #[error("the stored secret is exchanged for access tokens and is never sent with a request")]
    ExchangedOnly,
    /// A plain key, which no token endpoint gets.
    #[error("the stored key is not one that is exchanged for access tokens; add it again")]
    NotExchanged,
}

impl BoundSecret {
    /// With `None` the secret may be sent nowhere until it is bound.
    #[must_use]
    pub const fn new(secret: Secret, origin: Option<Origin>) -> Self {
        Self { secret, origin, exchange: None }
    }

    /// A refresh token or client secret, whose access tokens may be sent to `origin`.
    #[must_use]
    pub fn exchanged(secret: Secret, origin: Option<Origin>, exchange: TokenExchange) -> Self {
        Self { secret, origin, exchange: Some(Box::new(exchange)) }
    }

    /// Returns the secret if it is bound to `asked`. This is the only way to a provider's header.
    pub fn for_origin(&self, asked: &Origin) -> Result<&Secret, OriginMismatch> {
        match &self.origin {
            _ if self.exchange.is_some() => Err(OriginMismatch::ExchangedOnly),
            Some(bound) => matching(bound, asked, &self.secret),
            None => Err(OriginMismatch::Unbound),
        }
    }

    /// Returns the secret and the client secret beside it, if `asked` is its token endpoint. This is
    /// the only way to a token endpoint.
    pub fn for_token_endpoint(
        &self,
        asked: &Origin,
    ) -> Result<(&Secret, Option<&Secret>), OriginMismatch> {
        let exchange = self.exchange.as_ref().ok_or(OriginMismatch::NotExchanged)?;
        let secret = matching(&exchange.endpoint, asked, &self.secret)?;
        Ok((secret, exchange.client_secret.as_ref()))
    }

    /// An access token got with this secret, bound to the origin that the vault names for it.
    #[must_use]
    pub fn issued(&self, access_token: Secret) -> Self {
        Self::new(access_token, self.origin.clone())
    }

    /// The same with another secret: a replaced key, a rotated refresh token.
    #[must_use]
    pub fn with_secret(&self, secret: Secret) -> Self {
        Self { secret, ..self.clone() }
    }

    /// The same, bound to `origin`.
    #[must_use]
    pub fn with_origin(&self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self.clone() }
    }

    /// Set if the secret is exchanged for access tokens and never sent with a request.
    #[must_use]
    pub fn exchange(&self) -> Option<&TokenExchange> {
        self.exchange.as_deref()
    }

    /// The secret and its origin, for a store that writes both.
    #[must_use]
    pub const fn parts(&self) -> (&Secret, Option<&Origin>) {
        (&self.secret, self.origin.as_ref())
    }
}

fn matching<'a>(
    bound: &Origin,
    asked: &Origin,
    secret: &'a Secret,
) -> Result<&'a Secret, OriginMismatch> {
    let mismatch = || OriginMismatch::OtherOrigin { bound: bound.clone(), asked: asked.clone() };
    (bound == asked).then_some(secret).ok_or_else(mismatch)
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
        let too_long = SecretError::TooLong { bytes: 2_049, bytes_max: SECRET_BYTES_MAX };
        assert_eq!(refused(&"k".repeat(SECRET_BYTES_MAX + 1)), too_long);
        assert_eq!(secret(&"k".repeat(SECRET_BYTES_MAX)).expose().len(), SECRET_BYTES_MAX);
        let token = |bytes: usize| Secret::parse_access_token("k".repeat(bytes));
        assert!(
            token(ACCESS_TOKEN_BYTES_MAX).is_ok() && token(ACCESS_TOKEN_BYTES_MAX + 1).is_err()
        );
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

    #[test]
    fn an_exchanged_secret_goes_to_its_token_endpoint_and_its_tokens_to_the_backend() {
        let origin = |text: &str| text.parse::<Origin>().expect("an origin");
        let (login, api) = (origin("https://login.test"), origin("https://api.test"));
        let exchange =
            TokenExchange { endpoint: login.clone(), client_secret: Some(secret("client-0001")) };
        let stored =
            BoundSecret::exchanged(secret("refresh-0001"), Some(api.clone()), exchange.clone());
        assert_eq!(stored.for_origin(&api), Err(OriginMismatch::ExchangedOnly));
        assert_eq!(stored.for_origin(&login), Err(OriginMismatch::ExchangedOnly));
        assert!(matches!(
            stored.for_token_endpoint(&api),
            Err(OriginMismatch::OtherOrigin { bound, .. }) if bound == login
        ));
        let (refresh, client) = stored.for_token_endpoint(&login).expect("its endpoint");
        assert_eq!((refresh.expose(), client), ("refresh-0001", exchange.client_secret.as_ref()));

        let token = stored.issued(secret("access-0001"));
        assert!(token.for_origin(&api).is_ok() && token.for_origin(&login).is_err());
        assert_eq!(token.for_token_endpoint(&login), Err(OriginMismatch::NotExchanged));
        let rotated = stored.with_secret(secret("refresh-0002")).with_origin(login.clone());
        assert_eq!(rotated.exchange(), Some(&exchange));
        assert_eq!(rotated.parts().1, Some(&login));
    }
}
