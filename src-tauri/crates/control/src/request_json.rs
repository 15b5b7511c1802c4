//! Serialises requests for the engine that owns the data folder, including those that hold keys.
//!
//! Request types with a key do not implement `Serialize`, so nothing can write them to a log, a
//! file or a response by accident. Their JSON is made only here, when the command line or a second
//! window sends a key to the running engine over loopback. The bytes are zeroed after use.

use domain::Secret;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::view::*;

/// A request that can be sent to the owner of the data folder.
pub(crate) trait RequestJson {
    /// Its JSON, zeroed on drop because it may hold a key.
    fn to_json(&self) -> Zeroizing<Vec<u8>>;
}

macro_rules! plain {
    ($($Request:ty),* $(,)?) => {
        $(impl RequestJson for $Request {
            fn to_json(&self) -> Zeroizing<Vec<u8>> {
                to_zeroizing_json(self)
            }
        })*
    };
}

plain!(
    (),
    AgentProgramAdd,
    AgentProgramPlanQuery,
    AgentProgramRemove,
    AgentToolRef,
    AlertChannelRef,
    AlertTestAnswer,
    AlertRef,
    AlertLadderSet,
    AlertRuleBacktest,
    AlertRuleSet,
    AlertSilence,
    AuditLogQuery,
    InboxQuery,
    InboxRead,
    HealthTimelineQuery,
    IncidentNote,
    RecentEventsQuery,
    ServiceLevelSet,
    SilenceRef,
    BackendEdit,
    BackendSwitch,
    BackendRef,
    BudgetAllow,
    BillingFetch,
    BillingImport,
    DriftQuery,
    BudgetSet,
    BudgetBacktest,
    BudgetRef,
    KeyEdit,
    KeyRef,
    ClientAdd,
    ClientEdit,
    ClientRef,
    ClientSwitch,
    CallerEnvironment,
    WiringPlanQuery,
    ClientWire,
    ClientUnwire,
    ClientCheck,
    ClientsUnwireAll,
    UsageReportQuery,
    UsageAdviceQuery,
    UsageAnomaliesQuery,
    UsageAnomalyFine,
    UsageAnomalyRef,
    UsageCrossQuery,
    UsageForecastQuery,
    UsagePeriodQuery,
    UsageLatencyQuery,
    PricesQuery,
    PriceSet,
    PriceImport,
    PriceImportRef,
    RequestsExport,
    RequestsQuery,
    PinsQuery,
    PinSave,
    PinRef,
    ProfileRef,
    ProfileSet,
    ProfileSwitch,
    RemovedKeyCopyRef,
    RouteEdit,
    RouteRef,
    RoutesOrder,
    SessionLogsQuery,
    StatementQuery,
    ReadinessStart,
    PlaygroundSend,
    PlaygroundRef,
    SettingsValues,
    RequestRef,
    RequestQueryText,
    EndpointForce,
    EndpointRef,
    BreakerTimelineQuery,
    BacktestQuery,
    CacheQuery,
    CachePurge,
    BackupCreate,
    BackupRef,
    ConfigExport,
    ConfigImport,
    LedgerExport,
    LedgerMerge,
    LedgerRestore,
    LedgerRepair,
    HypotheticalRequest,
    RouteSimulation,
    SavedView,
    SavedViewRef,
    ServiceRef,
    BackendAskQuery,
    BackendAsk,
);

impl RequestJson for BackendAdd {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let key = match &self.key {
            BackendKey::None => json!({"kind": "none"}),
            BackendKey::Stored { id } => json!({"kind": "stored", "id": id}),
            BackendKey::New { secret } => json!({"kind": "new", "secret": expose_as_json(secret)}),
        };
        to_zeroizing_json(&json!({
            "id": self.id, "label": self.label, "kind": self.kind,
            "base_url": self.base_url, "key": key, "models": self.models,
            "lacks": self.lacks, "offers": self.offers, "crossing": self.crossing,
        }))
    }
}

impl RequestJson for ServiceSet {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let key = match &self.key {
            ServiceKey::Keep => json!({"kind": "keep"}),
            ServiceKey::None => json!({"kind": "none"}),
            ServiceKey::Stored { id } => json!({"kind": "stored", "id": id}),
            ServiceKey::New { secret } => json!({"kind": "new", "secret": expose_as_json(secret)}),
        };
        to_zeroizing_json(&json!({
            "id": self.id, "label": self.label, "kind": self.kind, "address": self.address,
            "key": key, "required": self.required, "enabled": self.enabled,
            "private_network": self.private_network, "expects": self.expects,
        }))
    }
}

impl RequestJson for KeyAdd {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let secret = expose_as_json(&self.secret);
        to_zeroizing_json(
            &json!({"id": self.id, "label": self.label, "secret": secret, "url": self.url,
                "billing": self.billing}),
        )
    }
}

impl RequestJson for KeysScan {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        to_zeroizing_json(&scan_json(self))
    }
}

impl RequestJson for KeysImport {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        to_zeroizing_json(&json!({"scan": scan_json(&self.scan), "keys": self.keys}))
    }
}

impl RequestJson for KeyCopiesQuery {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let scan = scan_json(&self.scan);
        to_zeroizing_json(&json!({"scan": scan, "fingerprints": self.fingerprints}))
    }
}

impl RequestJson for KeyCopiesRemove {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let (scan, fingerprints) = (scan_json(&self.scan), &self.fingerprints);
        let plan = &self.plan;
        to_zeroizing_json(&json!({"scan": scan, "fingerprints": fingerprints, "plan": plan}))
    }
}

fn scan_json(KeysScan { known_files, paths, environment }: &KeysScan) -> Value {
    let variable = |VariableKey { variable, secret }: &VariableKey| json!({"variable": variable, "secret": expose_as_json(secret)});
    let environment: Option<Vec<_>> =
        environment.as_ref().map(|given| given.iter().map(variable).collect());
    json!({"known_files": known_files, "paths": paths, "environment": environment})
}

impl RequestJson for KeyOAuthAdd {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let secret = expose_as_json(&self.secret);
        let client_secret = self.client_secret.as_ref().map(expose_as_json);
        to_zeroizing_json(&json!({
            "id": self.id, "label": self.label, "secret": secret, "url": self.url,
            "token_url": self.token_url, "client_id": self.client_id, "grant": self.grant,
            "scope": self.scope, "client_secret": client_secret,
        }))
    }
}

impl RequestJson for KeyReplace {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let secret = expose_as_json(&self.secret);
        to_zeroizing_json(&json!({"id": self.id, "secret": secret, "untested": self.untested}))
    }
}

impl RequestJson for AlertChannelSecret {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let secret = expose_as_json(&self.secret);
        to_zeroizing_json(&json!({"channel": self.channel, "secret": secret}))
    }
}

impl RequestJson for VaultUnlock {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        to_zeroizing_json(&json!({"passphrase": self.passphrase.as_str()}))
    }
}

impl RequestJson for SecretsExport {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        to_zeroizing_json(&json!({"path": self.path, "passphrase": self.passphrase.as_str()}))
    }
}

impl RequestJson for SecretsImport {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        to_zeroizing_json(&json!({"path": self.path, "passphrase": self.passphrase.as_str(),
            "on_conflict": self.on_conflict}))
    }
}

impl RequestJson for VaultSet {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let passphrase = self.passphrase.as_ref().map(|text| text.as_str());
        to_zeroizing_json(
            &json!({"kind": self.kind, "passphrase": passphrase, "move_keys": self.move_keys}),
        )
    }
}

impl RequestJson for VaultMove {
    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let passphrase = self.passphrase.as_ref().map(|text| text.as_str());
        to_zeroizing_json(&json!({"from": self.from, "passphrase": passphrase}))
    }
}

/// JSON of a new client's token, for the command line.
pub(crate) fn issued_token_json(issued: &IssuedToken) -> Vec<u8> {
    let IssuedToken { client, token, not_stored } = issued;
    json!({"client": client, "token": expose_as_json(token), "not_stored": not_stored})
        .to_string()
        .into_bytes()
}

/// JSON of a client's token, for the command line, which prints it for the tool that asked.
pub(crate) fn token_json(token: &Secret) -> Vec<u8> {
    expose_as_json(token).to_string().into_bytes()
}

fn expose_as_json(secret: &Secret) -> Value {
    Value::from(secret.expose())
}

fn to_zeroizing_json(request: &impl Serialize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(request).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{BackendKind, ExtraDialect, TranslationMode, UnsupportedFeature};

    #[test]
    fn a_request_with_a_key_survives_serialisation() {
        let secret = || Secret::parse("sk-CANARY-0123456789".to_owned()).expect("a secret");
        let add = BackendAdd {
            id: "up".to_owned(),
            label: String::new(),
            kind: BackendKind::OpenAiCompatible,
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            key: BackendKey::New { secret: secret() },
            models: vec!["m".to_owned()],
            lacks: vec![UnsupportedFeature::StreamUsage],
            offers: vec![ExtraDialect::Messages],
            crossing: TranslationMode::Lenient,
        };
        let arrived: BackendAdd = serde_json::from_slice(&add.to_json()).expect("readable");
        assert_eq!((arrived.id, arrived.models), (add.id, add.models));
        assert_eq!((arrived.lacks, arrived.offers), (add.lacks, add.offers));
        assert_eq!((arrived.kind, arrived.crossing), (add.kind, add.crossing));
        assert!(matches!(arrived.key, BackendKey::New { secret: key } if key == secret()));

        let set = ServiceSet {
            id: "store".to_owned(),
            label: String::new(),
            kind: ServiceKind::Http,
            address: "https://store.test/health".to_owned(),
            key: ServiceKey::New { secret: secret() },
            required: true,
            enabled: true,
            private_network: false,
            expects: ServiceExpectationView { status: Some(204), ..Default::default() },
        };
        let arrived: ServiceSet = serde_json::from_slice(&set.to_json()).expect("readable");
        assert_eq!((arrived.id, arrived.kind, arrived.address), (set.id, set.kind, set.address));
        assert_eq!((arrived.required, arrived.enabled), (true, true));
        assert_eq!((arrived.private_network, arrived.expects), (false, set.expects));
        assert!(matches!(arrived.key, ServiceKey::New { secret: key } if key == secret()));

        let variable = "OPENAI_API_KEY".to_owned();
        let environment = Some(vec![VariableKey { variable, secret: secret() }]);
        let scan = KeysScan { known_files: true, paths: vec!["/a".to_owned()], environment };
        let wanted = PlainKeyImport {
            fingerprint: secret().fingerprint(),
            name: "openai".to_owned(),
            add_backend: true,
        };
        let import = KeysImport { scan, keys: vec![wanted] };
        let arrived: KeysImport = serde_json::from_slice(&import.to_json()).expect("readable");
        assert_eq!((arrived.scan.known_files, arrived.scan.paths), (true, import.scan.paths));
        let sent = arrived.scan.environment.expect("an environment");
        assert!(matches!(&sent[..], [key] if key.secret == secret()
            && key.variable == "OPENAI_API_KEY"));
        assert_eq!(arrived.keys[0].fingerprint, import.keys[0].fingerprint);

        let replace = KeyReplace { id: "up".to_owned(), secret: secret(), untested: true };
        let arrived: KeyReplace = serde_json::from_slice(&replace.to_json()).expect("readable");
        assert_eq!((arrived.secret, arrived.untested), (secret(), true));
    }
}
