//! Gathers what the overview shows: the facts of the verdict, and the figures beside it.

use std::collections::BTreeMap;

use ::ledger::LedgerState;
use domain::{BackendId, CredentialId, Endpoint, ServiceId, count_noun, group_digits};
use engine::{
    BackendAnswers, BackendQuota, DriftedTool, Engine, GatewayFault, GatewayStatus, LedgerProblem,
    LedgerSeverity, Outage, OutageCause, TelemetryStatus, backend_quotas, block_fault,
};
use settings::{ServiceSettings, Settings, SettingsFileState};
use vault::{OUTDATED_HINT, VaultState};

use super::vault_view;
use super::{budgets, ledger};
use crate::ApiError;
use crate::operation::backends::health_view;
use crate::operation::readiness::load_last_run;
use crate::operation::resilience::sentence_from_clause;
use crate::operation::routes::broken_routes;
use crate::operation::usage::period::local_midnight;
use crate::operation::verdict::{
    BackendFacts, Issue, KeyFacts, NO_KEYCHAIN_ISSUE, Readiness, ServiceFacts, VerdictFacts, judge,
};
use crate::view::{
    BackendCountsView, FirstStepsView, GatewayState, GatewayView, PanelActionView, QuotaView,
    ReadinessRunSummaryView, ReadinessVerdict, ShownHealth, SpendView, StatusIssueView, StatusView,
    TelemetryView, VerdictLevel,
};

pub(crate) async fn gateway_pause(engine: &Engine) -> Result<GatewayView, ApiError> {
    match engine.gateway().pause() {
        true => Ok(gateway_view(engine)),
        false => Err(not_started()),
    }
}

pub(crate) async fn gateway_resume(engine: &Engine) -> Result<GatewayView, ApiError> {
    match engine.gateway().resume() {
        true => Ok(gateway_view(engine)),
        false => Err(not_started()),
    }
}

fn not_started() -> ApiError {
    ApiError::failed("the gateway is not running")
        .with_hint("Start it with `gatehouse serve`, or open the window.")
}

pub(crate) async fn status(engine: &Engine) -> Result<StatusView, ApiError> {
    let settings = engine.settings();
    let now = engine.clock().wall();
    let spend = engine.ledger().spend(local_midnight(now), now).await?;
    let last_run = load_last_run(engine).await?;
    let facts = collect_facts(engine, &settings, last_run.as_ref());
    Ok(StatusView {
        version: engine::VERSION.to_owned(),
        now: now.into(),
        started_at: engine.started().into(),
        verdict: judge(facts),
        gateway: gateway_view(engine),
        lowest_quota: lowest_quota(engine, &settings),
        vault: vault_view(engine),
        backends: count_backends(engine, &settings),
        requests_in_flight: engine.gateway().requests_in_flight(),
        spend_today: SpendView {
            cost_nano_usd: spend.cost.into(),
            is_cost_unknown: spend.is_cost_unknown(),
            requests: spend.requests.into(),
            unpriced_requests: spend.unpriced_requests.into(),
        },
        first_steps: FirstStepsView {
            backend_added: !settings.backends.is_empty(),
            client_added: !settings.clients.is_empty(),
            request_seen: engine.clients().any_request_seen().await?,
            checks_run: last_run.is_some(),
        },
        last_run,
        telemetry: engine.telemetry().status().map(telemetry_view),
        data_folder: engine.folders().data.display().to_string(),
    })
}

fn telemetry_view(status: TelemetryStatus) -> TelemetryView {
    let sent = format!("{} sent", count_noun(status.sent, "request"));
    let dropped = match status.dropped {
        0 => String::new(),
        count => format!(", {} dropped", group_digits(count)),
    };
    let failing = status
        .failure
        .as_ref()
        .map(|failure| format!("the collector takes nothing: {}; ", failure.reason));
    TelemetryView {
        sent: status.sent.into(),
        dropped: status.dropped.into(),
        sentence: format!("{}{sent}{dropped}", failing.unwrap_or_default()),
        failing_since: status.failure.map(|failure| failure.at.into()),
    }
}

fn gateway_view(engine: &Engine) -> GatewayView {
    let (state, reason) = match engine.gateway().status() {
        GatewayStatus::Listening => match engine.gateway().silence() {
            None => (GatewayState::Listening, None),
            Some(silence) => (GatewayState::Silent, Some(silence.reason)),
        },
        GatewayStatus::Paused => {
            (GatewayState::Paused, Some("Paused: new requests are refused".to_owned()))
        }
        GatewayStatus::Stopped => {
            (GatewayState::Failed, Some("Gatehouse is not running".to_owned()))
        }
        GatewayStatus::Failed(reason) => (GatewayState::Failed, Some(reason)),
    };
    GatewayView {
        state,
        address: engine.gateway().address(),
        port: engine.gateway().port(),
        reason,
    }
}

fn lowest_quota(engine: &Engine, settings: &Settings) -> Option<QuotaView> {
    let all = backend_quotas(engine.endpoint_registry(), settings, engine.mock_id());
    let least =
        |one: &BackendQuota, other: &BackendQuota| one.left.share().total_cmp(&other.left.share());
    let BackendQuota { backend, label, left } = all.into_iter().min_by(least)?;
    Some(QuotaView {
        backend: backend.to_string(),
        backend_label: label,
        limit: left.kind.word().replace('-', " "),
        left_percent: left.left_percent(),
    })
}

fn count_backends(engine: &Engine, settings: &Settings) -> BackendCountsView {
    let mut counts = BackendCountsView::default();
    let own = settings.backends.keys().map(|id| (id, settings.is_backend_on(id)));
    for (id, enabled) in std::iter::once((engine.mock_id(), true)).chain(own) {
        counts.total += 1;
        match health_view(engine, id).state {
            _ if !enabled => counts.disabled += 1,
            ShownHealth::Up => counts.up += 1,
            ShownHealth::Degraded => counts.degraded += 1,
            ShownHealth::Down => counts.down += 1,
            ShownHealth::Unknown => counts.unknown += 1,
            ShownHealth::Disabled => counts.disabled += 1,
        }
    }
    counts
}

fn collect_facts(
    engine: &Engine,
    settings: &Settings,
    last_run: Option<&ReadinessRunSummaryView>,
) -> VerdictFacts {
    let backends: Vec<BackendFacts> = settings
        .backends_on()
        .map(|(id, known)| BackendFacts {
            id: id.clone(),
            label: known.label.clone(),
            is_local: known.is_local(),
            answers: engine.backend_states().answers(settings, id),
        })
        .collect();
    let is_enabled = |id: &BackendId| id == engine.mock_id() || settings.is_backend_on(id);
    let dead_routes = broken_routes(engine, settings)
        .into_iter()
        .filter(|(id, _)| {
            let route = settings.routes.get(*id);
            !route.is_some_and(|route| route.candidates.iter().any(|to| is_enabled(&to.backend)))
        })
        .map(|(id, broken)| (id.to_string(), broken.why));
    VerdictFacts {
        first_off: settings
            .backends
            .iter()
            .find(|(_, known)| !known.enabled)
            .map(|(id, _)| id.clone()),
        profile: settings
            .profile
            .active
            .clone()
            .filter(|_| settings.backends.keys().any(|id| !settings.is_in_profile(id))),
        mock: engine.mock_id().clone(),
        keys: collect_keys(engine, settings, &backends),
        services: required_services(engine, settings),
        served: engine
            .backend_states()
            .without_limited(settings, engine.snapshots().current().routes.served_models()),
        dead_routes: dead_routes.collect(),
        limited_routes: engine.backend_states().limited_routes(settings),
        is_offline: engine.health_watch().is_offline(),
        others: collect_issues(engine, settings, last_run),
        backends,
    }
}

fn required_services(engine: &Engine, settings: &Settings) -> Vec<ServiceFacts> {
    let required = settings.services.iter().filter(|(_, known)| known.required && known.enabled);
    let fact = |(id, known): (&ServiceId, &ServiceSettings)| {
        let health = engine.services().health(id);
        ServiceFacts {
            id: id.clone(),
            label: known.label.clone(),
            is_local: known.address.is_loopback(),
            is_up: health.as_ref().and_then(|health| health.state.is_up()),
            since: health.as_ref().and_then(|health| health.since),
            reason: sentence_from_clause(&health.map(|it| it.reason).unwrap_or_default()),
        }
    };
    required.map(fact).collect()
}

/// The keys of enabled backends that are rejected or missing, and those whose account lets nothing
/// through while another key of the backend answers: what stops a backend is told of the backend.
fn collect_keys(engine: &Engine, settings: &Settings, backends: &[BackendFacts]) -> Vec<KeyFacts> {
    let mut users: BTreeMap<&CredentialId, Vec<BackendId>> = BTreeMap::new();
    for (backend, known) in settings.backends_on() {
        for key in known.pool.credentials() {
            users.entry(key).or_default().push(backend.clone());
        }
    }
    let blocked = |own: &&BackendFacts| {
        matches!(&own.answers, BackendAnswers::No(Outage { cause: OutageCause::Blocked(_), .. }))
    };
    let is_blocked = |id: &BackendId| backends.iter().filter(blocked).any(|own| own.id == *id);
    let states = engine.backend_states();
    let blocked_at = |id: &CredentialId, at: &BackendId| {
        let what = block_fault(states.key_block(settings, at, id)?).0;
        let endpoint = Endpoint { backend: at.clone(), credential: Some(id.clone()) };
        Some((what, states.endpoint(settings, &endpoint)))
    };
    let fact = |(id, used_by): (&CredentialId, Vec<BackendId>)| {
        let status = engine.keys().status(id);
        let (what, reason, since) = match status.state.fault() {
            Some(what) => (what, status.reason.unwrap_or_default(), status.verified_at),
            None => {
                let mut others = used_by.iter().filter(|backend| !is_blocked(backend));
                let (what, block) = others.find_map(|at| blocked_at(id, at))?;
                (what, block.why, block.since)
            }
        };
        Some(KeyFacts { id: id.clone(), what, reason, since, used_by })
    };
    users.into_iter().filter_map(fact).collect()
}

/// The issues of everything but backends, keys and routes.
fn collect_issues(
    engine: &Engine,
    settings: &Settings,
    last_run: Option<&ReadinessRunSummaryView>,
) -> Vec<Issue> {
    let mut issues = Vec::new();
    issues.extend(settings_issue(engine).map(|view| Issue::new(view, Readiness::Ready)));
    issues.extend(gateway_issue(engine).map(|view| Issue::new(view, Readiness::NotReady)));
    issues.extend(ledger_issues(engine));
    issues.extend(vault_issue(engine, settings).map(|view| {
        let stops = view.level == VerdictLevel::Problem;
        Issue::new(view, if stops { Readiness::NotReady } else { Readiness::Ready })
    }));
    issues.extend(budgets::budget_issues(&engine.budgets().statuses(), engine.clock().wall()));
    issues.extend(
        tools_issue(&engine.tool_watch().drifted()).map(|view| Issue::new(view, Readiness::Ready)),
    );
    issues.extend(readiness_issue(last_run).map(|view| Issue::new(view, Readiness::Ready)));
    issues
}

/// Wired tools that are not as they were wired.
fn tools_issue(drifted: &[DriftedTool]) -> Option<StatusIssueView> {
    let title = match drifted {
        [] => return None,
        [one] => format!("{} possibly bypasses the gateway", one.tool.name()),
        several => {
            let tools = count_noun(several.len() as u64, "tool");
            format!("{tools} possibly bypass the gateway")
        }
    };
    let sentences: Vec<_> = drifted.iter().map(|it| it.sentence.as_str()).collect();
    Some(StatusIssueView {
        id: "tools/drifted".to_owned(),
        level: VerdictLevel::Attention,
        title,
        impact: sentences.join(" "),
        since: None,
        action: PanelActionView::OpenClients,
    })
}

pub(super) fn settings_issue(engine: &Engine) -> Option<StatusIssueView> {
    (engine.settings_editor().state() == SettingsFileState::Invalid).then(|| StatusIssueView {
        id: "settings".to_owned(),
        level: VerdictLevel::Problem,
        title: "The settings file has errors".to_owned(),
        impact: "Defaults or the last valid settings are in use, and settings cannot be \
                 changed."
            .to_owned(),
        since: None,
        action: PanelActionView::OpenSettings,
    })
}

pub(super) fn gateway_issue(engine: &Engine) -> Option<StatusIssueView> {
    if let Some(fault) = engine.gateway().fault() {
        return Some(gateway_fault_issue(&fault));
    }
    let (level, title, impact) = match engine.gateway().status() {
        GatewayStatus::Listening => return None,
        GatewayStatus::Paused => return Some(paused_issue()),
        GatewayStatus::Stopped => {
            let start = "Start it with `gatehouse serve`, or open the window.".to_owned();
            (VerdictLevel::Attention, "The gateway is not running", start)
        }
        GatewayStatus::Failed(reason) => {
            (VerdictLevel::Problem, "The gateway is not listening", reason)
        }
    };
    Some(StatusIssueView {
        id: "gateway".to_owned(),
        level,
        title: title.to_owned(),
        impact,
        since: None,
        action: PanelActionView::OpenSettings,
    })
}

fn gateway_fault_issue(fault: &GatewayFault) -> StatusIssueView {
    StatusIssueView {
        id: "gateway".to_owned(),
        level: VerdictLevel::Problem,
        title: fault.title().to_owned(),
        impact: fault.fix(),
        since: fault.since.map(Into::into),
        action: match fault.is_listening {
            true => PanelActionView::RunChecks,
            false => PanelActionView::OpenSettings,
        },
    }
}

pub(super) fn paused_issue() -> StatusIssueView {
    StatusIssueView {
        id: "gateway".to_owned(),
        level: VerdictLevel::Attention,
        title: "The gateway is paused".to_owned(),
        impact: "It refuses new requests until you resume it.".to_owned(),
        since: None,
        action: PanelActionView::ResumeGateway,
    }
}

/// The ledger's problems. Only one that makes the gateway refuse requests stops them.
pub(super) fn ledger_issues(engine: &Engine) -> Vec<Issue> {
    let is_refusing = matches!(engine.ledger().state(), LedgerState::Refusing(_));
    let issue = |problem: LedgerProblem| {
        let stops = is_refusing && problem.severity == LedgerSeverity::Problem;
        let view = StatusIssueView {
            id: problem.id,
            level: ledger::verdict_level(problem.severity),
            title: problem.title,
            impact: problem.detail,
            since: problem.since.map(Into::into),
            action: PanelActionView::OpenLedger,
        };
        Issue::new(view, if stops { Readiness::NotReady } else { Readiness::Ready })
    };
    engine.ledger_watch().problems().into_iter().map(issue).collect()
}

pub(super) fn vault_issue(engine: &Engine, settings: &Settings) -> Option<StatusIssueView> {
    let state = engine.vault().state();
    if state == VaultState::Ready && engine.vault().is_outdated() {
        return Some(StatusIssueView {
            id: "vault".to_owned(),
            level: VerdictLevel::Attention,
            title: "The vault file is older than the last one seen".to_owned(),
            impact: OUTDATED_HINT.to_owned(),
            since: None,
            action: PanelActionView::OpenSettings,
        });
    }
    let title = match state {
        VaultState::Ready | VaultState::Unchecked => return None,
        VaultState::Locked(_) => "The vault is locked",
        VaultState::NoCollection => "The keychain has no keyring",
        VaultState::Unavailable => "There is no keychain",
        VaultState::FileUnusable => "The vault file cannot be used",
        VaultState::Hung => "The vault is not responding",
        VaultState::Damaged => "The vault file is damaged",
    };
    let needed = settings.backends_on().any(|(_, known)| known.credential().is_some());
    let absent = matches!(state, VaultState::Unavailable | VaultState::NoCollection);
    Some(StatusIssueView {
        id: if absent && !needed { NO_KEYCHAIN_ISSUE } else { "vault" }.to_owned(),
        level: if needed { VerdictLevel::Problem } else { VerdictLevel::Attention },
        title: title.to_owned(),
        impact: state.hint().to_owned(),
        since: None,
        action: PanelActionView::OpenSettings,
    })
}

fn readiness_issue(last_run: Option<&ReadinessRunSummaryView>) -> Option<StatusIssueView> {
    let run = last_run.filter(|run| run.verdict == ReadinessVerdict::NotReady)?;
    Some(StatusIssueView {
        id: "readiness".to_owned(),
        level: VerdictLevel::Attention,
        title: "The last readiness check failed".to_owned(),
        impact: run.sentence.clone(),
        since: Some(run.ended_at),
        action: PanelActionView::OpenReadiness,
    })
}
