//! How the access tokens of a key are got (OAuth 2.0).

use domain::OAuthGrant;
use url::Url;

/// Longest client id or scope, in characters.
pub const OAUTH_TEXT_CHARS_MAX: usize = 500;

/// How access tokens are got. The secret for it, and what they are bound to, are in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthSettings {
    /// The token endpoint; follows the rules for base URLs. The vault's record of its origin is
    /// binding.
    pub token_url: Url,
    /// At most [`OAUTH_TEXT_CHARS_MAX`] characters, as the scope.
    pub client_id: String,
    pub grant: OAuthGrant,
    /// Scopes separated by spaces; `None` for what the server gives.
    pub scope: Option<String>,
}
