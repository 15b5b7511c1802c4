//! What a request works with: one immutable value, swapped whole when the settings change.
//!
//! A request keeps the snapshot it began with, so it never waits for a settings dialog and never
//! sees half a change.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{BackendId, ClientId, CredentialId, Origin, OriginError, WallTime};
use ledger::{PriceBook, Provider, Purpose};
use routing::RouteTable;
use settings::BackendKind;
use subtle::ConstantTimeEq;
use url::Url;

use crate::limits::RequestLimits;
use crate::token::TokenHash;

/// Everything the way of a request reads. Made by the engine, never changed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Where requests may go, by id. [`Snapshot::routes`] decides among them.
    pub backends: HashMap<BackendId, Backend>,
    /// From a model's name to backends.
    pub routes: RouteTable,
    /// Who may call.
    pub clients: Clients,
    /// What tokens cost.
    pub prices: Arc<PriceBook>,
    /// Limits of one request.
    pub limits: RequestLimits,
    /// Since when these models are offered; the `created` of our list of models.
    pub since: WallTime,
}

/// One place requests can go.
#[derive(Debug, Clone)]
pub struct Backend {
    pub(crate) id: BackendId,
    pub(crate) kind: BackendKind,
    pub(crate) origin: Origin,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) chat_url: Url,
    pub(crate) models_url: Url,
}

impl Backend {
    /// A backend at `base_url`, to which `/chat/completions` and `/models` are appended. The mock
    /// may have any `http` address: nothing is sent there.
    pub fn new(
        id: BackendId,
        kind: BackendKind,
        base_url: &Url,
        credential: Option<CredentialId>,
    ) -> Result<Self, OriginError> {
        Ok(Self {
            id,
            kind,
            origin: Origin::of(base_url)?,
            credential,
            chat_url: below(base_url, &["chat", "completions"]),
            models_url: below(base_url, &["models"]),
        })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &BackendId {
        &self.id
    }

    /// Where it lies.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whose list prices hold there.
    /// The key it is called with.
    #[must_use]
    pub const fn credential(&self) -> Option<&CredentialId> {
        self.credential.as_ref()
    }

    pub(crate) fn provider(&self) -> Option<Provider> {
        match self.kind {
            BackendKind::Mock => Some(Provider::Mock),
            _ => Provider::at(&self.origin),
        }
    }

    /// Whether it is the gateway itself, listening on `port`: a request would go round for ever.
    pub(crate) fn is_own_door(&self, port: u16) -> bool {
        self.kind != BackendKind::Mock
            && self.origin.is_loopback()
            && self.chat_url.port_or_known_default() == Some(port)
    }
}

fn below(base_url: &Url, segments: &[&str]) -> Url {
    let mut url = base_url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url.set_fragment(None);
    url
}

/// A tool that may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What it is written down as: a person's tool, or our own checks.
    pub purpose: Purpose,
    /// Whether its token still holds.
    pub standing: ClientStanding,
}

/// Whether a client's token still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientStanding {
    /// It does; if a time is given, until then.
    Valid(Option<WallTime>),
    /// The user took it back. Kept to say so.
    Revoked,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRefused {
    Unknown,
    Expired,
    Revoked,
}

/// All clients by the hash of their token.
#[derive(Debug, Clone, Default)]
pub struct Clients(HashMap<TokenHash, Arc<Client>>);

impl Clients {
    /// The client with this token, if it may call at `now`.
    pub(crate) fn admit(
        &self,
        hash: &TokenHash,
        now: WallTime,
    ) -> Result<Arc<Client>, TokenRefused> {
        // The map compares hashes, of which a caller cannot choose the bytes; the second comparison
        // is in constant time all the same, so that no later change of the map matters.
        let found = self.0.get_key_value(hash);
        let (known, client) = found.ok_or(TokenRefused::Unknown)?;
        if !bool::from(known.bytes().ct_eq(hash.bytes())) {
            return Err(TokenRefused::Unknown);
        }
        match client.standing {
            ClientStanding::Revoked => Err(TokenRefused::Revoked),
            ClientStanding::Valid(Some(until)) if until <= now => Err(TokenRefused::Expired),
            ClientStanding::Valid(_) => Ok(Arc::clone(client)),
        }
    }
}

impl FromIterator<(TokenHash, Client)> for Clients {
    fn from_iter<I: IntoIterator<Item = (TokenHash, Client)>>(clients: I) -> Self {
        Self(clients.into_iter().map(|(hash, client)| (hash, Arc::new(client))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::hash_token;

    #[test]
    fn paths_are_appended_whatever_the_base_ends_with() {
        let urls = |base: &str| {
            let url = base.parse().expect("a URL");
            let id = BackendId::new("b").expect("an id");
            let backend = Backend::new(id, BackendKind::OpenAi, &url, None).expect("a backend");
            (backend.chat_url.to_string(), backend.models_url.to_string())
        };
        let both = |root: &str| (format!("{root}/chat/completions"), format!("{root}/models"));
        assert_eq!(urls("https://api.test/v1"), both("https://api.test/v1"));
        assert_eq!(urls("https://api.test/v1/"), both("https://api.test/v1"));
        assert_eq!(urls("https://api.test"), both("https://api.test"));
        assert_eq!(urls("https://api.test/v1?v=2#x").1, "https://api.test/v1/models?v=2");
    }

    #[test]
    fn a_token_holds_until_its_time_and_not_after() {
        let standing = |standing| {
            let id = ClientId::new("c").expect("an id");
            let client = Client { id, purpose: Purpose::User, standing };
            let clients: Clients = [(hash_token("ghk_a"), client)].into_iter().collect();
            let now = WallTime::from_unix_ms(1_000);
            assert_eq!(clients.admit(&hash_token("ghk_b"), now), Err(TokenRefused::Unknown));
            clients.admit(&hash_token("ghk_a"), now).map(|client| client.id.to_string())
        };
        let until = |ms| ClientStanding::Valid(Some(WallTime::from_unix_ms(ms)));
        assert_eq!(standing(ClientStanding::Valid(None)), Ok("c".to_owned()));
        assert_eq!(standing(until(1_001)), Ok("c".to_owned()));
        assert_eq!(standing(until(1_000)), Err(TokenRefused::Expired));
        assert_eq!(standing(ClientStanding::Revoked), Err(TokenRefused::Revoked));
    }
}
