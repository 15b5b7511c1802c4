//! Serialises requests for the engine that owns the data folder, including those that hold keys.
//!
//! Request types with a key do not implement `Serialize`, so nothing can write them to a log, a
//! file or a response by accident. Their JSON is made only here, when the command line or a second
//! window sends a key to the running engine over loopback. The bytes are zeroed after use.

use domain::Secret;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::view::{
    AccessForce, AccessRef, BackendAdd, BackendEdit, BackendKey, BackendRef, BackendSwitch,
    BacktestQuery, BreakerTimelineQuery, CachePurge, CacheQuery, ClientAdd, ClientEdit, ClientRef,
    IssuedToken, KeyAdd, KeyRef, KeyReplace, LedgerRepair, LedgerRestore, PlaygroundRef,
    PlaygroundSend, ReadinessStart, RequestRef, RequestsQuery, RouteAsk, RouteEdit, RouteRef,
    RouteSimulation, RoutesOrder, SettingsValues, UsageQuery, VaultMove, VaultSet, VaultUnlock,
};

/// A request that can be sent to the owner of the data folder.
pub(crate) trait Inward {
    /// Its JSON, zeroed on drop because it may hold a key.
    fn body(&self) -> Zeroizing<Vec<u8>>;
}

macro_rules! plain {
    ($($Request:ty),* $(,)?) => {
        $(impl Inward for $Request {
            fn body(&self) -> Zeroizing<Vec<u8>> {
                bytes(self)
            }
        })*
    };
}

plain!(
    (),
    BackendEdit,
    BackendSwitch,
    BackendRef,
    KeyRef,
    ClientAdd,
    ClientEdit,
    ClientRef,
    UsageQuery,
    RequestsQuery,
    RouteEdit,
    RouteRef,
    RoutesOrder,
    ReadinessStart,
    PlaygroundSend,
    PlaygroundRef,
    SettingsValues,
    RequestRef,
    AccessForce,
    AccessRef,
    BreakerTimelineQuery,
    BacktestQuery,
    CacheQuery,
    CachePurge,
    LedgerRestore,
    LedgerRepair,
    RouteAsk,
    RouteSimulation,
);

impl Inward for BackendAdd {
    fn body(&self) -> Zeroizing<Vec<u8>> {
        let key = match &self.key {
            BackendKey::None => json!({"kind": "none"}),
            BackendKey::Stored { id } => json!({"kind": "stored", "id": id}),
            BackendKey::New { secret } => json!({"kind": "new", "secret": open(secret)}),
        };
        bytes(&json!({
            "id": self.id, "label": self.label, "kind": self.kind,
            "base_url": self.base_url, "key": key, "models": self.models,
            "lacks": self.lacks, "offers": self.offers, "crossing": self.crossing,
        }))
    }
}

impl Inward for KeyAdd {
    fn body(&self) -> Zeroizing<Vec<u8>> {
        let secret = open(&self.secret);
        bytes(&json!({"id": self.id, "label": self.label, "secret": secret, "url": self.url}))
    }
}

impl Inward for KeyReplace {
    fn body(&self) -> Zeroizing<Vec<u8>> {
        bytes(&json!({"id": self.id, "secret": open(&self.secret)}))
    }
}

impl Inward for VaultUnlock {
    fn body(&self) -> Zeroizing<Vec<u8>> {
        bytes(&json!({"passphrase": self.passphrase.as_str()}))
    }
}

impl Inward for VaultSet {
    fn body(&self) -> Zeroizing<Vec<u8>> {
        let passphrase = self.passphrase.as_ref().map(|text| text.as_str());
        bytes(&json!({"kind": self.kind, "passphrase": passphrase, "move_keys": self.move_keys}))
    }
}

impl Inward for VaultMove {
    fn body(&self) -> Zeroizing<Vec<u8>> {
        let passphrase = self.passphrase.as_ref().map(|text| text.as_str());
        bytes(&json!({"from": self.from, "passphrase": passphrase}))
    }
}

/// JSON of a new client's token, for the command line.
pub(crate) fn issued_answer(issued: &IssuedToken) -> Vec<u8> {
    let IssuedToken { client, token, not_stored } = issued;
    json!({"client": client, "token": open(token), "not_stored": not_stored})
        .to_string()
        .into_bytes()
}

/// JSON of a client's token, for the command line, which prints it for the tool that asked.
pub(crate) fn token_answer(token: &Secret) -> Vec<u8> {
    open(token).to_string().into_bytes()
}

fn open(secret: &Secret) -> Value {
    Value::from(secret.expose())
}

fn bytes(request: &impl Serialize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(request).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{BackendKindView, CrossingView, LackView, OfferView};

    #[test]
    fn a_request_with_a_key_arrives_as_it_was_sent() {
        let secret = || Secret::parse("sk-CANARY-0123456789".to_owned()).expect("a secret");
        let add = BackendAdd {
            id: "up".to_owned(),
            label: String::new(),
            kind: BackendKindView::OpenaiCompatible,
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            key: BackendKey::New { secret: secret() },
            models: vec!["m".to_owned()],
            lacks: vec![LackView::StreamUsage],
            offers: vec![OfferView::Messages],
            crossing: CrossingView::Lenient,
        };
        let arrived: BackendAdd = serde_json::from_slice(&add.body()).expect("readable");
        assert_eq!((arrived.id, arrived.models), (add.id, add.models));
        assert_eq!((arrived.lacks, arrived.offers), (add.lacks, add.offers));
        assert_eq!((arrived.kind, arrived.crossing), (add.kind, add.crossing));
        assert!(matches!(arrived.key, BackendKey::New { secret: key } if key == secret()));

        let replace = KeyReplace { id: "up".to_owned(), secret: secret() };
        let arrived: KeyReplace = serde_json::from_slice(&replace.body()).expect("readable");
        assert_eq!(arrived.secret, secret());
    }
}
