//! Local tokens, by which clients authenticate. Only their SHA-256 is stored.
//!
//! A token has 256 random bits, so a plain hash is enough: there is nothing to guess. The timing of
//! a look-up by hash does not reveal how much of a token was right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Entropy, Secret};
use hyper::Request;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

pub use settings::TokenSha256 as TokenHash;

/// Prefix of local tokens, for people and secret scanners.
pub const TOKEN_PREFIX: &str = "ghk_";

pub(crate) const CONTROL_TOKEN_PREFIX: &str = "ghc_";

/// Random bytes of a token: 256 bits, 43 characters of base64url.
const TOKEN_RANDOM_BYTES: usize = 32;

/// Longest value that is hashed as a token, in bytes; a caller must not make hashing expensive.
const TOKEN_BYTES_MAX: usize = 256;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// A new token, the only time that its text and its hash are both known.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Given to the client and not stored.
    pub secret: Secret,
    /// Stored.
    pub hash: TokenHash,
}

/// A new local token: `ghk_` and 43 characters of base64url.
#[must_use]
pub fn new_token(entropy: &dyn Entropy) -> NewToken {
    let (text, hash) = random_token(TOKEN_PREFIX, entropy);
    match Secret::parse(text) {
        Ok(secret) => NewToken { secret, hash },
        // Base64url is visible ASCII and far below the limit. If it ever failed, another is drawn.
        Err(_refused) => new_token(entropy),
    }
}

/// The hash that identifies the token `text`.
#[must_use]
pub fn hash_token(text: &str) -> TokenHash {
    TokenHash::new(Sha256::digest(text.as_bytes()).into())
}

pub(crate) fn random_token(prefix: &str, entropy: &dyn Entropy) -> (String, TokenHash) {
    let mut random = [0_u8; TOKEN_RANDOM_BYTES];
    entropy.fill(&mut random);
    let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
    let hash = hash_token(&text);
    (text, hash)
}

/// The hash of the token that a request carries in any of the four ways; `None` if it carries none.
///
/// The first carrier present counts, even if another holds a valid token: a client that sends two
/// different tokens gets one answer, not a second try.
pub(crate) fn presented<B>(request: &Request<B>) -> Option<TokenHash> {
    let headers = request.headers();
    if let Some(hash) = bearer(headers) {
        return Some(hash);
    }
    for name in [X_API_KEY, X_GOOG_API_KEY] {
        if let Some(value) = headers.get(name) {
            return hash_bytes(value.as_bytes());
        }
    }
    let query = request.uri().query()?.as_bytes();
    let (_, key) = url::form_urlencoded::parse(query).find(|(name, _)| name == "key")?;
    hash_bytes(key.as_bytes())
}

/// The hash of the token after `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<TokenHash> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| hash_bytes(token.trim_ascii()))?
}

fn hash_bytes(token: &[u8]) -> Option<TokenHash> {
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len());
    fits.then(|| TokenHash::new(Sha256::digest(token).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SeededEntropy;

    #[test]
    fn a_token_has_its_form_and_is_found_by_its_hash() {
        let token = new_token(&SeededEntropy::new(3));
        let text = token.secret.expose();
        assert!(text.starts_with(TOKEN_PREFIX));
        assert_eq!(text.len(), TOKEN_PREFIX.len() + 43);
        assert_eq!(hash_token(text), token.hash);
        assert_ne!(new_token(&SeededEntropy::new(4)).hash, token.hash);
    }

    #[test]
    fn four_carriers_are_read_and_nothing_else() {
        let found = |uri: &str, name: &str, value: &str| {
            let request = Request::get(uri).header(name, value).body(()).expect("a request");
            presented(&request) == Some(hash_token("ghk_x"))
        };
        assert!(found("/", "authorization", "Bearer ghk_x"));
        assert!(found("/", "authorization", "bearer   ghk_x "));
        assert!(found("/", "x-api-key", "ghk_x"));
        assert!(found("/", "x-goog-api-key", "ghk_x"));
        assert!(found("/v1/models?a=b&key=ghk%5Fx", "accept", "*/*"));
        assert!(!found("/", "authorization", "Basic ghk_x"));
        assert!(!found("/", "authorization", "Bearer"));
        assert!(!found("/", "authorization", "Bearerghk_x"));
        assert!(!found("/", "cookie", "key=ghk_x"));
        assert!(!found("/?apikey=ghk_x", "accept", "*/*"));
    }

    #[test]
    fn an_endless_token_is_not_hashed() {
        let with = |length: usize| {
            let request = Request::get("/").header("x-api-key", "k".repeat(length));
            presented(&request.body(()).expect("a request")).is_some()
        };
        assert!(with(TOKEN_BYTES_MAX));
        assert!(!with(TOKEN_BYTES_MAX + 1));
    }
}
