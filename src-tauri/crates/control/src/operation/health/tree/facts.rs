//! What the engine knows of each node.

use domain::{BackendId, CredentialId, HealthState, ServiceId, WallTime};
use engine::{BackendAnswers, Engine, KeyState, Outage, OutageCause, WebViewState, endpoints_of};
use monitor::{HealthCause, ObservedHealth};
use settings::{BackendSettings, ServiceSettings, Settings};
use vault::VaultState;

use super::{BackendFacts, NodeFacts, ProviderFacts, ServiceFacts, TreeFacts};
use crate::operation::resilience::sentence_from_clause;
use crate::operation::status::{gateway_issue, ledger_issues, settings_issue, vault_issue};
use crate::view::{
    DependencyKind, DependencyState, PanelActionView, StatusIssueView, UnixMs, VerdictLevel,
};

pub(super) fn collect(engine: &Engine) -> TreeFacts {
    let settings = engine.settings();
    let mut providers: Vec<ProviderFacts> = Vec::new();
    for (id, known) in &settings.backends {
        let host = known.base_url.host_str().unwrap_or_default();
        let host = match known.base_url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let facts = backend_facts(engine, &settings, id, known);
        match providers.iter_mut().find(|it| it.host == host) {
            Some(provider) => provider.backends.push(facts),
            None => providers.push(ProviderFacts {
                host,
                is_local: known.is_local(),
                backends: vec![facts],
            }),
        }
    }
    let is_offline = engine.health_watch().is_offline();
    TreeFacts {
        is_offline,
        parts: parts(engine, &settings),
        providers,
        services: settings.services.iter().map(|it| service_facts(engine, it)).collect(),
    }
}

/// What the program itself needs on this machine.
fn parts(engine: &Engine, settings: &Settings) -> Vec<NodeFacts> {
    use DependencyKind as Kind;
    use PanelActionView::{OpenLedger, OpenSettings};
    let gateway = format!("Gateway, port {}", engine.gateway().port());
    let ledger = ledger_issues(engine).into_iter().next().map(|issue| issue.view);
    let mut vault = part(Kind::Vault, "Key storage", OpenSettings, vault_issue(engine, settings));
    if engine.vault().state() == VaultState::Unchecked {
        vault.state = DependencyState::Unknown;
        "Not checked yet.".clone_into(&mut vault.reason);
    }
    let mut parts = vec![
        part(Kind::Gateway, &gateway, OpenSettings, gateway_issue(engine)),
        part(Kind::Ledger, "Ledger", OpenLedger, ledger),
        vault,
        part(Kind::Settings, "Settings file", OpenSettings, settings_issue(engine)),
    ];
    parts.extend(engine.web_view().state().map(web_view));
    parts
}

/// Where a page does not load, a web view that is damaged or lost its process shows an empty window.
const NOT_LOADED: &str = "Its page has not loaded since the window was opened. Quit Gatehouse and start \
                          it again. If that does not help: `gatehouse serve`, then `gatehouse panel` \
                          shows the panel in a browser.";

/// Of a process with a window.
fn web_view(known: WebViewState) -> NodeFacts {
    let (state, reason, since) = match known {
        WebViewState::Drawing => (DependencyState::Up, "", None),
        WebViewState::Starting => (DependencyState::Unknown, "Its page has not drawn yet.", None),
        WebViewState::NotLoaded(at) => (DependencyState::Down, NOT_LOADED, Some(at.into())),
        WebViewState::Silent(at) => {
            (DependencyState::Unknown, "Its page does not answer.", Some(at.into()))
        }
        WebViewState::Hidden => (DependencyState::Off, "The window is hidden.", None),
    };
    NodeFacts {
        kind: DependencyKind::WebView,
        name: String::new(),
        label: "Web view".to_owned(),
        required: None,
        state,
        reason: reason.to_owned(),
        since,
        action: None,
    }
}

fn part(
    kind: DependencyKind,
    label: &str,
    action: PanelActionView,
    issue: Option<StatusIssueView>,
) -> NodeFacts {
    let state = match issue.as_ref().map(|it| it.level) {
        None => DependencyState::Up,
        Some(VerdictLevel::Problem) => DependencyState::Down,
        Some(_) => DependencyState::Degraded,
    };
    NodeFacts {
        kind,
        name: String::new(),
        label: label.to_owned(),
        required: None,
        state,
        since: issue.as_ref().and_then(|it| it.since),
        reason: issue.map(|it| sentence_from_clause(&it.title)).unwrap_or_default(),
        action: Some(action),
    }
}

fn backend_facts(
    engine: &Engine,
    settings: &Settings,
    id: &BackendId,
    known: &BackendSettings,
) -> BackendFacts {
    let answers = engine.backend_states().answers(settings, id);
    let (state, reason, since) = match settings.is_backend_on(id) {
        true => backend_state(engine, id, &answers),
        false => (DependencyState::Off, String::new(), None),
    };
    BackendFacts {
        id: id.clone(),
        node: NodeFacts {
            kind: DependencyKind::Backend,
            name: id.to_string(),
            label: known.label.clone(),
            required: None,
            state,
            reason,
            since,
            action: Some(PanelActionView::OpenBackend { id: id.to_string() }),
        },
        lost_key: match answers {
            BackendAnswers::No(Outage { cause: OutageCause::Key(key), .. }) => Some(key),
            _ => None,
        },
        keys: known.pool.credentials().map(|key| key_facts(engine, settings, id, key)).collect(),
        models: engine.model_catalogue().models(id).len(),
        held_models: held_models(engine, settings, id),
    }
}

/// State, reason and since when.
fn backend_state(
    engine: &Engine,
    id: &BackendId,
    answers: &BackendAnswers,
) -> (DependencyState, String, Option<UnixMs>) {
    match answers {
        BackendAnswers::Yes => {
            let health = engine.health_watch().health(id);
            let since = health.and_then(|it| it.since).map(UnixMs::from);
            (DependencyState::Up, String::new(), since)
        }
        BackendAnswers::Badly(degraded) => {
            let reason = sentence_from_clause(&degraded.clause());
            (DependencyState::Degraded, reason, degraded.since.map(UnixMs::from))
        }
        BackendAnswers::Unconfirmed(last) => {
            unconfirmed(last.as_ref().map(|last| (last.state, last.since)))
        }
        BackendAnswers::No(outage) => {
            let since = outage.since.map(UnixMs::from);
            let state = match &outage.cause {
                OutageCause::Key(key) => {
                    let reason = format!("The key {key} is not accepted.");
                    return (DependencyState::Blocked, reason, since);
                }
                OutageCause::Down | OutageCause::Failing => DependencyState::Down,
                OutageCause::Blocked(_) | OutageCause::Held => DependencyState::Blocked,
                OutageCause::RateLimited => DependencyState::Degraded,
            };
            (state, sentence_from_clause(&outage.reason), since)
        }
    }
}

/// What was known before, while nothing confirms it.
fn unconfirmed(last: Option<(HealthState, WallTime)>) -> (DependencyState, String, Option<UnixMs>) {
    match last {
        None => (DependencyState::Unknown, "Not checked yet.".to_owned(), None),
        Some((state, since)) => {
            (DependencyState::Unknown, format!("Last known: {state}."), Some(since.into()))
        }
    }
}

fn service_facts(engine: &Engine, (id, known): (&ServiceId, &ServiceSettings)) -> ServiceFacts {
    let (state, reason, since) = match known.enabled {
        true => service_state(engine.services().health(id)),
        false => (DependencyState::Off, String::new(), None),
    };
    let node = NodeFacts {
        kind: DependencyKind::Service,
        name: id.to_string(),
        label: known.label.clone(),
        required: Some(known.required),
        state,
        reason,
        since,
        action: Some(PanelActionView::OpenHealth),
    };
    ServiceFacts { is_local: known.address.is_loopback(), node }
}

fn service_state(health: Option<ObservedHealth>) -> (DependencyState, String, Option<UnixMs>) {
    let Some(health) = health else { return unconfirmed(None) };
    let reason = sentence_from_clause(&health.reason);
    let since = health.since.map(UnixMs::from);
    match (health.state, health.cause) {
        (HealthState::Up, _) => (DependencyState::Up, String::new(), since),
        (HealthState::Down, HealthCause::KeyRejected) => (DependencyState::Blocked, reason, since),
        (HealthState::Down, _) => (DependencyState::Down, reason, since),
        (HealthState::Unknown, _) => {
            unconfirmed(health.last_known.map(|last| (last.state, last.since)))
        }
    }
}

/// Named after its backend too, since several may use it.
fn key_facts(
    engine: &Engine,
    settings: &Settings,
    backend: &BackendId,
    id: &CredentialId,
) -> NodeFacts {
    let status = engine.keys().status(id);
    let (state, otherwise) = match status.state {
        KeyState::Valid => (DependencyState::Up, ""),
        KeyState::Unverified => (DependencyState::Unknown, "Not tried yet."),
        KeyState::Rejected => (DependencyState::Blocked, "The provider rejects it."),
        KeyState::Expired => (DependencyState::Blocked, "Its access token ended."),
        KeyState::Missing => (DependencyState::Down, "It is not in the vault."),
    };
    let label = settings.credentials.get(id).map(|key| key.label.clone());
    let label = label.filter(|label| !label.is_empty()).unwrap_or_else(|| id.to_string());
    NodeFacts {
        kind: DependencyKind::Key,
        name: format!("{backend}/{id}"),
        label: format!("Key {label}"),
        required: None,
        state,
        reason: status
            .reason
            .filter(|_| state != DependencyState::Up)
            .unwrap_or_else(|| otherwise.to_owned()),
        since: status.verified_at.map(Into::into),
        action: Some(PanelActionView::OpenKey { id: id.to_string() }),
    }
}

/// Models that every key of the backend holds back.
fn held_models(engine: &Engine, settings: &Settings, id: &BackendId) -> Vec<NodeFacts> {
    let registry = engine.endpoint_registry();
    let mut endpoints = endpoints_of(settings, engine.mock_id(), id);
    let Some(first) = endpoints.next() else { return Vec::new() };
    let rest: Vec<_> = endpoints.map(|it| registry.model_cooldowns(&it)).collect();
    let is_held = |model: &str| rest.iter().all(|own| own.iter().any(|it| it.model == model));
    let own = registry.model_cooldowns(&first).into_iter();
    own.filter(|held| is_held(&held.model))
        .map(|held| NodeFacts {
            kind: DependencyKind::Model,
            name: format!("{id}/{}", held.model),
            label: held.model,
            required: None,
            state: DependencyState::Degraded,
            reason: "Rate limited: only this model is held back.".to_owned(),
            since: None,
            action: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_that_never_loaded_is_called_lost_and_it_is_said_what_to_do() {
        let at = WallTime::from_unix_ms(7);
        let states = [
            (WebViewState::Drawing, DependencyState::Up),
            (WebViewState::Starting, DependencyState::Unknown),
            (WebViewState::Silent(at), DependencyState::Unknown),
            (WebViewState::Hidden, DependencyState::Off),
            (WebViewState::NotLoaded(at), DependencyState::Down),
        ];
        for (known, state) in states {
            assert_eq!(web_view(known).state, state, "{known:?}");
        }
        let lost = web_view(WebViewState::NotLoaded(at));
        assert_eq!(lost.since, Some(at.into()));
        assert!(
            lost.reason.contains("`gatehouse serve`, then `gatehouse panel`"),
            "{}",
            lost.reason
        );
    }
}
