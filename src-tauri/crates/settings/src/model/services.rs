//! Services beside the backends that work depends on: how each is checked.

mod address;

use domain::{CredentialId, ServiceId, ServiceKind, ServiceMethod};

pub use address::{GITHUB_API, ServiceAddress, ServiceAddressError};

use super::{AllowedNetwork, OwnObjective, Settings};

/// Most services. Three are checked at once, each in at most ten seconds, so that all of them have
/// their turn within a few intervals even if none answers.
pub const SERVICES_MAX: usize = 50;
/// Longest text that an answer must contain, in characters.
pub const SERVICE_TEXT_CHARS_MAX: usize = 200;
/// Longest name of the header that carries a key, in characters.
pub const KEY_HEADER_CHARS_MAX: usize = 64;
/// Most scopes that a token must have.
pub const SERVICE_SCOPES_MAX: usize = 20;
/// Longest name of a scope, in characters.
pub const SCOPE_CHARS_MAX: usize = 64;

/// A service that is watched. Nothing is ever routed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Display name; at most [`LABEL_CHARS_MAX`](crate::LABEL_CHARS_MAX) characters.
    pub label: String,
    pub kind: ServiceKind,
    pub address: ServiceAddress,
    /// The key that it is checked with. The vault binds it to the address.
    pub credential: Option<CredentialId>,
    /// True if work stops without it.
    pub required: bool,
    pub enabled: bool,
    /// Allows its public name to resolve to a private address (`private_network`).
    pub network: AllowedNetwork,
    /// Used only for [`ServiceKind::Http`].
    pub http: HttpExpectation,
    /// Scopes that a token must have; used only for [`ServiceKind::Github`].
    pub scopes: Vec<String>,
    pub objective: OwnObjective,
}

/// What an HTTP check asks and expects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpExpectation {
    pub method: ServiceMethod,
    /// `None` for any status from 200 to 299.
    pub status: Option<u16>,
    /// Text that the answer must contain; at most [`SERVICE_TEXT_CHARS_MAX`] characters.
    pub contains: Option<String>,
    /// Name of the header that carries the key; `None` for `Authorization: Bearer`.
    pub key_header: Option<String>,
}

/// Headers that describe the connection or the request itself, so that no key is put into them.
const RESERVED_HEADERS: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl ServiceSettings {
    /// The first field that this kind of service has no use for, with the reason; `None` if all fit.
    #[must_use]
    pub fn misplaced_field(&self) -> Option<(&'static str, String)> {
        let HttpExpectation { method, status, contains, key_header } = &self.http;
        let is_http = self.kind == ServiceKind::Http;
        let unused = [
            ("method", !is_http && *method != ServiceMethod::default()),
            ("status", !is_http && status.is_some()),
            ("contains", !is_http && contains.is_some()),
            ("key_header", !is_http && key_header.is_some()),
            ("scopes", self.kind != ServiceKind::Github && !self.scopes.is_empty()),
            ("credential", self.kind == ServiceKind::Tcp && self.credential.is_some()),
        ];
        if let Some((field, _)) = unused.into_iter().find(|(_, is_unused)| *is_unused) {
            return Some((field, format!("a service of kind {} has no use for this", self.kind)));
        }
        let is_textless = *method == ServiceMethod::Head && contains.is_some();
        is_textless.then(|| ("contains", "the answer to HEAD has no text; ask with GET".to_owned()))
    }
}

impl Settings {
    /// The services that are checked with a key, in the order of the file.
    pub fn services_with(&self, key: &CredentialId) -> impl Iterator<Item = &ServiceId> {
        let own =
            self.services.iter().filter(move |(_, known)| known.credential.as_ref() == Some(key));
        own.map(|(id, _)| id)
    }

    /// True for the key of a service, of the cache server or of the collector. What they do with it is
    /// no request, so that its use is not recorded.
    #[must_use]
    pub fn is_key_beside_backends(&self, key: &CredentialId) -> bool {
        let others = [&self.cache.redis_credential, &self.telemetry.credential];
        others.iter().any(|it| it.as_ref() == Some(key)) || self.services_with(key).next().is_some()
    }
}

/// The name of a header that may carry a key, in lower case; `None` if none may have that name.
#[must_use]
pub fn parse_key_header(text: &str) -> Option<String> {
    let name = text.trim().to_ascii_lowercase();
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name =
        !name.is_empty() && name.len() <= KEY_HEADER_CHARS_MAX && name.chars().all(is_token);
    (is_name && !RESERVED_HEADERS.contains(&name.as_str())).then_some(name)
}
