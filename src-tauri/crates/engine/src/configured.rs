//! Lists made from the settings and the built-in mock.

use std::collections::HashMap;

use domain::{BackendId, Endpoint};
use endpoints::{EndpointRegistry, QuotaLeft};
use resilience::{BreakerOverride, EndpointState};
use settings::{BackendSettings, Settings};

/// All endpoints in the settings: the mock, then the backends in their order, each with its keys in
/// their order.
#[must_use]
pub fn configured_endpoints(settings: &Settings, mock: &BackendId) -> Vec<Endpoint> {
    let built_in = Endpoint { backend: mock.clone(), credential: None };
    let own = settings.backends.iter().flat_map(|(id, known)| {
        let endpoint = |credential| Endpoint { backend: id.clone(), credential };
        let keyed: Vec<_> =
            known.pool.credentials().map(|key| endpoint(Some(key.clone()))).collect();
        if keyed.is_empty() { vec![endpoint(None)] } else { keyed }
    });
    std::iter::once(built_in).chain(own).collect()
}

/// The endpoints of one backend, in their order; none for one that the settings do not have.
pub fn endpoints_of(
    settings: &Settings,
    mock: &BackendId,
    id: &BackendId,
) -> impl Iterator<Item = Endpoint> {
    configured_endpoints(settings, mock).into_iter().filter(move |it| it.backend == *id)
}

/// Display names of backends by id.
#[must_use]
pub fn backend_labels(settings: &Settings, mock: &BackendId) -> HashMap<String, String> {
    let own = settings.backends.iter().map(|(id, known)| (id.to_string(), known.label.clone()));
    own.chain([(mock.to_string(), "Mock".to_owned())]).collect()
}

/// Why the breakers of a backend let no request through; `None` if one of them does, or is held by
/// the user.
#[must_use]
pub fn open_breaker(
    registry: &EndpointRegistry,
    settings: &Settings,
    mock: &BackendId,
    id: &BackendId,
) -> Option<String> {
    let mut reason = None;
    for endpoint in endpoints_of(settings, mock, id) {
        let status = registry.status(&endpoint);
        let is_forced = status.override_.is_some();
        if is_forced || status.breaker != EndpointState::Open {
            return None;
        }
        reason.get_or_insert(status.reason);
    }
    reason
}

/// What is left of the limits of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendQuota {
    pub backend: BackendId,
    pub label: String,
    pub left: QuotaLeft,
}

/// What is left at each backend in use whose providers told it for every key: of the scarcest limit of the
/// key with most left.
#[must_use]
pub fn backend_quotas(
    registry: &EndpointRegistry,
    settings: &Settings,
    mock: &BackendId,
) -> Vec<BackendQuota> {
    let quota = |(id, known): (&BackendId, &BackendSettings)| {
        let endpoints = endpoints_of(settings, mock, id);
        let left = endpoints.map(|endpoint| registry.scarcest_quota(&endpoint));
        let left = left.collect::<Option<Vec<_>>>()?;
        let left = left.into_iter().max_by(|one, other| one.share().total_cmp(&other.share()))?;
        Some(BackendQuota { backend: id.clone(), label: known.label.clone(), left })
    };
    settings.backends_on().filter_map(quota).collect()
}

/// The backends in use whose state probes can tell now: those that nobody holds, and only local ones
/// while this machine is offline.
pub(crate) fn backends_in_reach<'a>(
    registry: &'a EndpointRegistry,
    settings: &'a Settings,
    mock: &'a BackendId,
    is_offline: bool,
) -> impl Iterator<Item = (&'a BackendId, &'a BackendSettings)> {
    settings.backends_on().filter(move |(id, known)| {
        (!is_offline || known.is_local()) && !is_paused(registry, settings, mock, id)
    })
}

/// True if the user holds all breakers of a backend open.
pub(crate) fn is_paused(
    registry: &EndpointRegistry,
    settings: &Settings,
    mock: &BackendId,
    id: &BackendId,
) -> bool {
    let is_held = |endpoint| {
        let held = registry.status(&endpoint).override_;
        held.is_some_and(|held| held.forced == BreakerOverride::Open)
    };
    let mut own = endpoints_of(settings, mock, id).peekable();
    own.peek().is_some() && own.all(is_held)
}
