//! The verdict: can I work, what needs me. Each need is one row of a short list of rules.

use domain::WallTime;
use engine::{Engine, GatewayStanding, KeyState};
use monitor::State;
use settings::{Settings, StoreState};
use vault::VaultState;

use super::keys::kind_view;
use super::readiness::last_run;
use super::usage::{count, local_midnight};
use crate::ApiError;
use crate::view::{
    ActionView, BackendCountsView, FirstStepsView, GatewayState, GatewayView, NeedView,
    RunSummaryView, RunVerdictView, SpendView, StatusView, VaultStateView, VaultView, VerdictLevel,
    VerdictView,
};

/// Most needs shown.
const NEEDS_MAX: usize = 5;

pub(crate) async fn status(engine: &Engine) -> Result<StatusView, ApiError> {
    let settings = engine.settings();
    let now = engine.wall();
    let spend = engine.ledger().spend(local_midnight(now), now).await?;
    let last_run = last_run(engine).await?;
    let needs = needs(engine, &settings, last_run.as_ref());
    Ok(StatusView {
        version: engine::VERSION.to_owned(),
        now: now.into(),
        started_at: engine.started().into(),
        verdict: verdict(needs),
        gateway: gateway_view(engine),
        vault: vault_view(engine),
        backends: counts(engine, &settings),
        requests_in_flight: engine.requests_in_flight(),
        spend_today: SpendView {
            cost: spend.cost.into(),
            requests: spend.requests.into(),
            unpriced_requests: spend.unpriced_requests.into(),
        },
        first_steps: FirstStepsView {
            backend_added: !settings.backends.is_empty(),
            client_added: !settings.clients.is_empty(),
            request_seen: engine.request_seen().await?,
            checks_run: last_run.is_some(),
        },
        last_run,
        data_folder: engine.folders().data.display().to_string(),
    })
}

/// The vault as the last call found it.
pub(crate) fn vault_view(engine: &Engine) -> VaultView {
    let state = engine.vault().state();
    let hint = match state {
        VaultState::Ready | VaultState::Unchecked => None,
        other => Some(other.hint().to_owned()),
    };
    VaultView { kind: kind_view(engine.vault_kind()), state: vault_state(state), hint }
}

const fn vault_state(state: VaultState) -> VaultStateView {
    match state {
        VaultState::Unchecked => VaultStateView::Unknown,
        VaultState::Ready => VaultStateView::Ready,
        VaultState::Locked(_) => VaultStateView::Locked,
        VaultState::NoCollection => VaultStateView::NoCollection,
        VaultState::Unavailable => VaultStateView::Unavailable,
        VaultState::Hung => VaultStateView::Hung,
        VaultState::Damaged => VaultStateView::Damaged,
    }
}

fn gateway_view(engine: &Engine) -> GatewayView {
    let (state, reason) = match engine.gateway_standing() {
        GatewayStanding::Listening => (GatewayState::Listening, None),
        GatewayStanding::Stopped => {
            (GatewayState::Failed, Some("no engine serves requests right now".to_owned()))
        }
        GatewayStanding::Failed(reason) => (GatewayState::Failed, Some(reason)),
    };
    GatewayView { state, address: engine.gateway_address(), port: engine.gateway_port(), reason }
}

fn counts(engine: &Engine, settings: &Settings) -> BackendCountsView {
    let mut counts = BackendCountsView::default();
    let own = settings.backends.iter().map(|(id, known)| (id, known.enabled));
    for (id, enabled) in std::iter::once((engine.mock_id(), true)).chain(own) {
        counts.total += 1;
        match engine.health(id).map(|health| health.state) {
            _ if !enabled => counts.disabled += 1,
            Some(State::Up) => counts.up += 1,
            Some(State::Down) => counts.down += 1,
            Some(State::Unknown) | None => counts.unknown += 1,
        }
    }
    counts
}

fn verdict(needs: Vec<NeedView>) -> VerdictView {
    let level = needs.iter().map(|need| need.level).max().unwrap_or(VerdictLevel::Ok);
    let sentence = match needs.as_slice() {
        [] => "Everything works".to_owned(),
        [one] => one.title.clone(),
        many => format!("{} need you", count(many.len() as u64, "thing")),
    };
    let mut needs = needs;
    needs.sort_by_key(|need| std::cmp::Reverse(need.level));
    needs.truncate(NEEDS_MAX);
    VerdictView { level, sentence, needs }
}

fn needs(engine: &Engine, settings: &Settings, last_run: Option<&RunSummaryView>) -> Vec<NeedView> {
    let mut needs = Vec::new();
    needs.extend(settings_need(engine));
    needs.extend(gateway_need(engine));
    needs.extend(vault_need(engine, settings));
    needs.extend(backend_needs(engine, settings));
    needs.extend(key_needs(engine, settings));
    needs.extend(run_need(last_run));
    needs
}

fn settings_need(engine: &Engine) -> Option<NeedView> {
    (engine.settings_state() == StoreState::Invalid).then(|| NeedView {
        id: "settings".to_owned(),
        level: VerdictLevel::Problem,
        title: "The settings file has errors".to_owned(),
        impact: "Defaults or the last good settings are in force; edits are refused.".to_owned(),
        since: None,
        action: ActionView::OpenSettings,
    })
}

fn gateway_need(engine: &Engine) -> Option<NeedView> {
    let (level, title, impact) = match engine.gateway_standing() {
        GatewayStanding::Listening => return None,
        GatewayStanding::Stopped => {
            let start = "Start it with `gatehouse serve`, or open the window.".to_owned();
            (VerdictLevel::Attention, "The gateway is not running", start)
        }
        GatewayStanding::Failed(reason) => {
            (VerdictLevel::Problem, "The gateway is not listening", reason)
        }
    };
    Some(NeedView {
        id: "gateway".to_owned(),
        level,
        title: title.to_owned(),
        impact,
        since: None,
        action: ActionView::OpenSettings,
    })
}

fn vault_need(engine: &Engine, settings: &Settings) -> Option<NeedView> {
    let state = engine.vault().state();
    let title = match state {
        VaultState::Ready | VaultState::Unchecked => return None,
        VaultState::Locked(_) => "The vault is locked",
        VaultState::NoCollection => "The keychain has no keyring",
        VaultState::Unavailable => "The vault cannot be reached",
        VaultState::Hung => "The vault does not answer",
        VaultState::Damaged => "The vault file is damaged",
    };
    let needed = settings.backends.values().any(|b| b.enabled && b.credential().is_some());
    Some(NeedView {
        id: "vault".to_owned(),
        level: if needed { VerdictLevel::Problem } else { VerdictLevel::Attention },
        title: title.to_owned(),
        impact: state.hint().to_owned(),
        since: None,
        action: ActionView::OpenSettings,
    })
}

fn backend_needs(engine: &Engine, settings: &Settings) -> Vec<NeedView> {
    let need = |id: &domain::BackendId, label: &str| {
        let health = engine.health(id).filter(|health| health.state == State::Down)?;
        Some(NeedView {
            id: format!("backend/{id}"),
            level: VerdictLevel::Problem,
            title: format!("{label} is down"),
            impact: health.reason,
            since: health.since.map(Into::into),
            action: ActionView::OpenBackend { id: id.to_string() },
        })
    };
    let enabled = settings.backends.iter().filter(|(_, known)| known.enabled);
    enabled.filter_map(|(id, known)| need(id, &known.label)).collect()
}

fn key_needs(engine: &Engine, settings: &Settings) -> Vec<NeedView> {
    let need = |id: &domain::CredentialId| {
        let standing = engine.key_standing(id);
        let title = match standing.state {
            KeyState::Rejected => format!("The key {id} was rejected"),
            KeyState::Missing => format!("The key {id} is not in the vault"),
            KeyState::Valid | KeyState::Unverified => return None,
        };
        Some(NeedView {
            id: format!("key/{id}"),
            level: VerdictLevel::Problem,
            title,
            impact: standing.reason.unwrap_or_default(),
            since: standing.verified_at.map(|at: WallTime| at.into()),
            action: ActionView::OpenKey { id: id.to_string() },
        })
    };
    let used = settings.backends.values().filter(|known| known.enabled);
    let mut keys: Vec<_> = used.flat_map(|known| known.pool.credentials()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter_map(need).collect()
}

fn run_need(last_run: Option<&RunSummaryView>) -> Option<NeedView> {
    let run = last_run.filter(|run| run.verdict == RunVerdictView::NotReady)?;
    Some(NeedView {
        id: "readiness".to_owned(),
        level: VerdictLevel::Attention,
        title: "The last checks said not ready".to_owned(),
        impact: run.sentence.clone(),
        since: Some(run.ended_at),
        action: ActionView::OpenReadiness,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(level: VerdictLevel, title: &str) -> NeedView {
        NeedView {
            id: title.to_owned(),
            level,
            title: title.to_owned(),
            impact: String::new(),
            since: None,
            action: ActionView::RunChecks,
        }
    }

    #[test]
    fn the_worst_need_decides_and_the_list_is_short() {
        assert_eq!(verdict(vec![]).sentence, "Everything works");
        let one = verdict(vec![need(VerdictLevel::Attention, "a")]);
        assert_eq!((one.level, one.sentence.as_str()), (VerdictLevel::Attention, "a"));
        let mut needs = vec![need(VerdictLevel::Attention, "a"); NEEDS_MAX];
        needs.push(need(VerdictLevel::Problem, "b"));
        let many = verdict(needs);
        assert_eq!(many.sentence, "6 things need you");
        assert_eq!((many.needs.len(), many.needs[0].title.as_str()), (NEEDS_MAX, "b"));
    }
}
