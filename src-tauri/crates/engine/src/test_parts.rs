//! Parts from which tests build other parts, without a whole engine.

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    BackendId, Clock, Endpoint, ManualClock, Origin, RequestId, SeededEntropy, VaultKind, WallTime,
};
use endpoints::{
    AdmittedAttempt, BackendTraffic, EndpointRegistry, RequestLoad, ResilienceRules, TrafficRules,
};
use futures_util::StreamExt as _;
use gateway::{AccessTokens, KeyScrubber, MockUpstream, UpstreamFailure, UpstreamResponse};
use ledger::Ledger;
use routing::{Candidate, CandidateAvailability, Ranking, RankingFactor};
use settings::{
    BackendKind, BackendSettings, ClientPriority, ClientScope, ClientSettings, CredentialSettings,
    KeyPoolSettings, SettingsStore, TrafficLimits,
};
use tempfile::TempDir;
use vault::{MemoryStore, Vault};

use crate::{EngineConfig, Folders};

/// 2026-11-21, when the bundled prices are in force.
pub(crate) const NOW: WallTime = WallTime::from_unix_ms(1_795_248_000_000);

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::starting_at(NOW))
}

pub(crate) fn folders(home: &TempDir) -> Folders {
    Folders::resolve(Some(home.path())).expect("folders")
}

/// Keys in memory, a free port, no desktop, and online.
pub(crate) fn engine_config(home: &TempDir, clock: Arc<dyn Clock>) -> EngineConfig {
    EngineConfig {
        folders: folders(home),
        clock,
        entropy: Arc::new(SeededEntropy::new(5)),
        port: Some(0),
        vault: Some(VaultKind::Memory),
        keychain_service: "gatehouse-test".to_owned(),
        passphrase: None,
        variables: Vec::new(),
        channel: None,
        log_roots: Vec::new(),
        tools: None,
        command_line: None,
        home: None,
        is_offline: || false,
    }
}

/// What a made-up provider answers; status 0 is one that cannot be reached.
pub(crate) fn upstream_answer(
    status: u16,
    body: impl Into<Bytes>,
) -> Result<UpstreamResponse, UpstreamFailure> {
    if status == 0 {
        return Err(UpstreamFailure::Connect);
    }
    let body = futures_util::stream::iter([Ok(body.into())]).boxed();
    let status = status.try_into().expect("a status");
    let (headers, scrubber) = (Default::default(), KeyScrubber::default());
    Ok(UpstreamResponse { status, headers, body, scrubber })
}

/// A client that may ask for everything.
pub(crate) fn client_settings(created: WallTime) -> ClientSettings {
    ClientSettings {
        token_sha256: "0".repeat(64).parse().expect("a hash"),
        created,
        expires: None,
        limits: TrafficLimits::default(),
        cache: None,
        priority: ClientPriority::default(),
        scope: ClientScope::default(),
        switched_to: None,
        blocked: false,
        mcp: false,
        reads_metrics: false,
        project: None,
    }
}

/// A backend with nothing but its address.
pub(crate) fn backend_settings(kind: BackendKind, base_url: &str) -> BackendSettings {
    BackendSettings {
        label: "Upstream".to_owned(),
        kind,
        base_url: base_url.parse().expect("an address"),
        pool: KeyPoolSettings::default(),
        enabled: true,
        models: Vec::new(),
        lacks: Default::default(),
        offers: Default::default(),
        crossing: Default::default(),
        network: Default::default(),
        limits: TrafficLimits::default(),
        objective: Default::default(),
    }
}

/// A key of requests, stored at `created`.
pub(crate) fn credential_settings(origin: Option<Origin>, created: WallTime) -> CredentialSettings {
    CredentialSettings {
        label: "Key".to_owned(),
        origin,
        tail: None,
        created,
        replaced: None,
        expires: None,
        note: None,
        billing: None,
        oauth: None,
    }
}

pub(crate) fn ledger_in(home: &TempDir) -> Ledger {
    Ledger::open(&home.path().join("ledger.sqlite")).expect("a ledger")
}

pub(crate) fn registry() -> Arc<EndpointRegistry> {
    let entropy = SeededEntropy::new(5);
    EndpointRegistry::new(&ResilienceRules::default(), clock(), &entropy, Box::new(|_| {}))
}

/// A call to a backend without a key, unless its breaker refuses it.
pub(crate) fn admitted(
    registry: &Arc<EndpointRegistry>,
    backend: &BackendId,
) -> Option<AdmittedAttempt> {
    admitted_at(registry, Endpoint { backend: backend.clone(), credential: None })
}

/// The same with a key.
pub(crate) fn admitted_at(
    registry: &Arc<EndpointRegistry>,
    endpoint: Endpoint,
) -> Option<AdmittedAttempt> {
    let ranking = Ranking {
        factor: RankingFactor::Pinned,
        available: CandidateAvailability::Ready,
        is_sticky: false,
    };
    let candidate = Candidate { endpoint, model: "m".to_owned(), ranking };
    let request = RequestId::generate(registry.wall(), &SeededEntropy::new(9));
    let traffic = BackendTraffic { rules: TrafficRules::default(), is_mock: false };
    let load = RequestLoad { request, tokens: 10 };
    registry.admit(&candidate, std::slice::from_ref(&candidate), traffic, load).ok()
}

/// Access tokens of no key.
pub(crate) fn access_tokens(home: &TempDir) -> Arc<AccessTokens> {
    let vault = Vault::new(Arc::new(MemoryStore::new()), clock());
    let settings = SettingsStore::open(home.path().join("settings.toml")).expect("settings");
    let network = Arc::new(MockUpstream::new(clock()));
    Arc::new(AccessTokens::new(vault, network, clock(), Arc::new(settings), registry()))
}
