//! Builds the overview: the verdict, and the needs behind it. Each rule adds its own needs.

use domain::{HealthState, WallTime};
use engine::{Engine, GatewayStatus, KeyState, LedgerProblem};
use settings::{Settings, SettingsFileState};
use vault::{OUTDATED_HINT, VaultState};

use super::ledger;
use super::readiness::load_last_run;
use super::resilience::sentence_from_clause;
use super::routes::{broken_routes, join_names};
use super::usage::count_noun;
use super::usage_period::local_midnight;
use super::vault_view;
use crate::ApiError;
use crate::view::{
    BackendCountsView, FirstStepsView, GatewayState, GatewayView, PanelActionView,
    ReadinessRunSummaryView, ReadinessVerdict, SpendView, StatusIssueView, StatusView,
    VerdictLevel, VerdictView,
};

/// Id of the need for a missing keychain while nothing in use needs one.
const NO_KEYCHAIN_ISSUE: &str = "vault/missing";

const ISSUES_MAX: usize = 5;

pub(crate) async fn status(engine: &Engine) -> Result<StatusView, ApiError> {
    let settings = engine.settings();
    let now = engine.clock().wall();
    let spend = engine.ledger().spend(local_midnight(now), now).await?;
    let last_run = load_last_run(engine).await?;
    let needs = collect_issues(engine, &settings, last_run.as_ref());
    Ok(StatusView {
        version: engine::VERSION.to_owned(),
        now: now.into(),
        started_at: engine.started().into(),
        verdict: build_verdict(needs, count_unconfirmed_backends(engine, &settings)),
        gateway: gateway_view(engine),
        vault: vault_view(engine),
        backends: count_backends(engine, &settings),
        requests_in_flight: engine.gateway().requests_in_flight(),
        spend_today: SpendView {
            cost_nano_usd: spend.cost.into(),
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
        data_folder: engine.folders().data.display().to_string(),
    })
}

fn gateway_view(engine: &Engine) -> GatewayView {
    let (state, reason) = match engine.gateway().status() {
        GatewayStatus::Listening => (GatewayState::Listening, None),
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

fn count_backends(engine: &Engine, settings: &Settings) -> BackendCountsView {
    let mut counts = BackendCountsView::default();
    let own = settings.backends.iter().map(|(id, known)| (id, known.enabled));
    for (id, enabled) in std::iter::once((engine.mock_id(), true)).chain(own) {
        counts.total += 1;
        match engine.health_watch().health(id).map(|health| health.state) {
            _ if !enabled => counts.disabled += 1,
            Some(HealthState::Up) => counts.up += 1,
            Some(HealthState::Down) => counts.down += 1,
            Some(HealthState::Unknown) | None => counts.unknown += 1,
        }
    }
    counts
}

/// Number of the user's enabled backends, and how many of them have no confirmed state.
#[derive(Clone, Copy, Default)]
struct UnconfirmedBackends {
    backends: u64,
    unconfirmed: u64,
    /// Of these, backends that were up when last seen.
    last_up: u64,
}

fn count_unconfirmed_backends(engine: &Engine, settings: &Settings) -> UnconfirmedBackends {
    let mut all = UnconfirmedBackends::default();
    for (id, _) in settings.backends.iter().filter(|(_, known)| known.enabled) {
        all.backends += 1;
        let health = engine.health_watch().health(id);
        if health.as_ref().is_none_or(|health| health.state == HealthState::Unknown) {
            all.unconfirmed += 1;
            let last = health.and_then(|health| health.last_known);
            all.last_up += u64::from(last.is_some_and(|last| last.state == HealthState::Up));
        }
    }
    all
}

impl UnconfirmedBackends {
    /// What to say while some states are unknown; `None` if all are known.
    fn sentence(&self) -> Option<String> {
        let Self { backends, unconfirmed, last_up } = *self;
        let which = match (unconfirmed, backends) {
            (0, _) => return None,
            (1, 1) => "your backend".to_owned(),
            (some, all) if some < all => format!("{some} of {}", count_noun(all, "backend")),
            (_, all) => count_noun(all, "backend"),
        };
        let last = if last_up == unconfirmed { " (last known: up)" } else { "" };
        Some(format!("Checking {which}{last}"))
    }
}

fn build_verdict(needs: Vec<StatusIssueView>, unconfirmed: UnconfirmedBackends) -> VerdictView {
    let level = needs.iter().map(|need| need.level).max();
    let (level, sentence) = match (needs.as_slice(), unconfirmed.sentence()) {
        ([], Some(sentence)) => (VerdictLevel::Unknown, sentence),
        ([], None) => (VerdictLevel::Ok, "Everything works".to_owned()),
        ([one], _) if one.id == NO_KEYCHAIN_ISSUE => {
            (one.level, "Everything works; keys can't be stored yet".to_owned())
        }
        ([one], _) => (one.level, one.title.clone()),
        (many, _) => {
            (level.unwrap_or(VerdictLevel::Attention), count_noun(many.len() as u64, "issue"))
        }
    };
    let mut needs = needs;
    needs.sort_by_key(|need| std::cmp::Reverse(need.level));
    needs.truncate(ISSUES_MAX);
    VerdictView { level, sentence, needs }
}

fn collect_issues(
    engine: &Engine,
    settings: &Settings,
    last_run: Option<&ReadinessRunSummaryView>,
) -> Vec<StatusIssueView> {
    let mut needs = Vec::new();
    needs.extend(settings_issue(engine));
    needs.extend(gateway_issue(engine));
    needs.extend(ledger_issues(engine));
    needs.extend(vault_issue(engine, settings));
    needs.extend(route_issue(engine, settings));
    needs.extend(backend_issues(engine, settings));
    needs.extend(key_issues(engine, settings));
    needs.extend(readiness_issue(last_run));
    needs
}

fn settings_issue(engine: &Engine) -> Option<StatusIssueView> {
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

fn gateway_issue(engine: &Engine) -> Option<StatusIssueView> {
    let (level, title, impact) = match engine.gateway().status() {
        GatewayStatus::Listening => return None,
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

fn ledger_issues(engine: &Engine) -> Vec<StatusIssueView> {
    let need = |problem: LedgerProblem| StatusIssueView {
        id: problem.id,
        level: ledger::verdict_level(problem.severity),
        title: problem.title,
        impact: problem.detail,
        since: problem.since.map(Into::into),
        action: PanelActionView::OpenLedger,
    };
    engine.ledger_watch().problems().into_iter().map(need).collect()
}

fn vault_issue(engine: &Engine, settings: &Settings) -> Option<StatusIssueView> {
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
    let needed = settings.backends.values().any(|b| b.enabled && b.credential().is_some());
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

/// Combines all broken routes into one need. They mostly share a cause, which has a need of its
/// own.
fn route_issue(engine: &Engine, settings: &Settings) -> Option<StatusIssueView> {
    let all = broken_routes(engine, settings);
    let level = match all.iter().all(|(_, broken)| broken.is_rate_limited) {
        true => VerdictLevel::Attention,
        false => VerdictLevel::Problem,
    };
    let named: Vec<(&str, &str)> =
        all.iter().map(|(id, broken)| (id.as_str(), broken.why.as_str())).collect();
    let (title, impact, action) = match named.as_slice() {
        [] => return None,
        [(id, why)] => (
            format!("The route {id} is broken"),
            format!("Its requests fail: {why}."),
            PanelActionView::OpenRoute { id: (*id).to_owned() },
        ),
        several => (
            format!("{} routes are broken", several.len()),
            format!(
                "Their requests fail: {}.",
                join_names(several.iter().map(|(id, _)| (*id).to_owned()))
            ),
            PanelActionView::OpenRouting,
        ),
    };
    Some(StatusIssueView { id: "routes".to_owned(), level, title, impact, since: None, action })
}

fn backend_issues(engine: &Engine, settings: &Settings) -> Vec<StatusIssueView> {
    let need = |id: &domain::BackendId, label: &str| {
        let health = engine.health_watch().health(id)?;
        let was_down = health.last_known.as_ref().filter(|last| last.state == HealthState::Down);
        let (level, title, impact, since) = match (health.state, was_down) {
            (HealthState::Down, _) => {
                let why = sentence_from_clause(&health.reason);
                (VerdictLevel::Problem, format!("{label} is down"), why, health.since)
            }
            (HealthState::Unknown, Some(last)) => (
                VerdictLevel::Attention,
                format!("{label} was down when last checked"),
                format!("{} Checking again now.", sentence_from_clause(&last.reason)),
                Some(last.since),
            ),
            _ => return None,
        };
        Some(StatusIssueView {
            id: format!("backend/{id}"),
            level,
            title,
            impact,
            since: since.map(Into::into),
            action: PanelActionView::OpenBackend { id: id.to_string() },
        })
    };
    let enabled = settings.backends.iter().filter(|(_, known)| known.enabled);
    enabled.filter_map(|(id, known)| need(id, &known.label)).collect()
}

fn key_issues(engine: &Engine, settings: &Settings) -> Vec<StatusIssueView> {
    let need = |id: &domain::CredentialId| {
        let standing = engine.keys().status(id);
        let title = match standing.state {
            KeyState::Rejected => format!("The key {id} was rejected"),
            KeyState::Missing => format!("The key {id} is not in the vault"),
            KeyState::Valid | KeyState::Unverified => return None,
        };
        Some(StatusIssueView {
            id: format!("key/{id}"),
            level: VerdictLevel::Problem,
            title,
            impact: standing.reason.unwrap_or_default(),
            since: standing.verified_at.map(|at: WallTime| at.into()),
            action: PanelActionView::OpenKey { id: id.to_string() },
        })
    };
    let used = settings.backends.values().filter(|known| known.enabled);
    let mut keys: Vec<_> = used.flat_map(|known| known.pool.credentials()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter_map(need).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(level: VerdictLevel, title: &str) -> StatusIssueView {
        StatusIssueView {
            id: title.to_owned(),
            level,
            title: title.to_owned(),
            impact: String::new(),
            since: None,
            action: PanelActionView::RunChecks,
        }
    }

    #[test]
    fn the_worst_issue_decides_and_the_list_is_capped() {
        let verdict = |needs| build_verdict(needs, UnconfirmedBackends::default());
        assert_eq!(verdict(vec![]).sentence, "Everything works");
        let one = verdict(vec![issue(VerdictLevel::Attention, "a")]);
        assert_eq!((one.level, one.sentence.as_str()), (VerdictLevel::Attention, "a"));
        let mut needs = vec![issue(VerdictLevel::Attention, "a"); ISSUES_MAX];
        needs.push(issue(VerdictLevel::Problem, "b"));
        let many = verdict(needs);
        assert_eq!(many.sentence, "6 issues");
        assert_eq!((many.needs.len(), many.needs[0].title.as_str()), (ISSUES_MAX, "b"));
    }

    #[test]
    fn what_is_not_confirmed_is_never_said_to_work() {
        let check = |backends, unconfirmed, last_up, level, sentence: &str| {
            let found =
                build_verdict(vec![], UnconfirmedBackends { backends, unconfirmed, last_up });
            assert_eq!((found.level, found.sentence.as_str()), (level, sentence));
        };
        check(7, 0, 0, VerdictLevel::Ok, "Everything works");
        check(7, 2, 2, VerdictLevel::Unknown, "Checking 2 of 7 backends (last known: up)");
        check(7, 2, 1, VerdictLevel::Unknown, "Checking 2 of 7 backends");
        check(3, 3, 0, VerdictLevel::Unknown, "Checking 3 backends");
        check(1, 1, 1, VerdictLevel::Unknown, "Checking your backend (last known: up)");
        let problem = vec![issue(VerdictLevel::Problem, "a")];
        let found =
            build_verdict(problem, UnconfirmedBackends { backends: 2, unconfirmed: 1, last_up: 0 });
        assert_eq!((found.level, found.sentence.as_str()), (VerdictLevel::Problem, "a"));
    }
}
