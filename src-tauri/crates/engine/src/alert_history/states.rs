//! Which backends were at fault when, from the logs of health and of breakers.

use std::collections::BTreeMap;

use alerts::{BackendFact, BackendFault, Impact, RouteFact};
use domain::{BackendId, CredentialId, HealthState, RouteId, WallTime};
use ledger::{
    HEALTH_LOG_ENTRIES_MAX, Ledger, LedgerError, TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery,
    TransitionRecord,
};
use resilience::{TransitionCause, TransitionState};
use settings::{BackendSettings, Settings};

use super::millis;
use crate::alert_facts::server_name;
use crate::configured::endpoints_of;

pub(super) struct PastStates {
    backends: Vec<PastBackend>,
    /// With the backends of each.
    routes: Vec<(RouteId, Vec<BackendId>)>,
    /// Since when the logs are whole.
    pub(super) known_from: WallTime,
}

struct PastBackend {
    fact: BackendFact,
    /// From when on it had which fault, oldest first.
    faults: Vec<(WallTime, BackendFault)>,
}

enum Change {
    Health(HealthState),
    Endpoint(Option<CredentialId>, TransitionState, String),
}

impl PastStates {
    pub(super) async fn read(
        ledger: &Ledger,
        settings: &Settings,
        mock: &BackendId,
        until: WallTime,
    ) -> Result<Self, LedgerError> {
        let mut all = Self {
            backends: Vec::new(),
            routes: routes(settings),
            known_from: WallTime::default(),
        };
        for (id, known) in settings.backends_on() {
            let health = ledger.health_log(id.clone(), HEALTH_LOG_ENTRIES_MAX).await?;
            let query = TransitionQuery {
                backend: Some(id.clone()),
                from: WallTime::default(),
                to: until,
                limit: TRANSITIONS_PAGE_ROWS_MAX,
            };
            let mut transitions = ledger.transitions(query).await?;
            // Both are newest first; a full one may lack what was before.
            let oldest_health =
                health.last().filter(|_| health.len() >= HEALTH_LOG_ENTRIES_MAX).map(|it| it.at);
            let is_full = transitions.len() >= TRANSITIONS_PAGE_ROWS_MAX;
            let oldest_change = transitions.last().filter(|_| is_full).map(|it| it.at);
            let oldest = oldest_health.into_iter().chain(oldest_change).max();
            all.known_from = all.known_from.max(oldest.unwrap_or_default());
            transitions.reverse();
            let mut changes: Vec<(WallTime, Change)> =
                health.into_iter().rev().map(|it| (it.at, Change::Health(it.to))).collect();
            changes.extend(endpoint_changes(&transitions));
            changes.sort_by_key(|(at, _)| *at);
            let keys: Vec<_> = endpoints_of(settings, mock, id).map(|it| it.credential).collect();
            let faults = faults(changes, &keys);
            all.backends.push(PastBackend { fact: backend_fact(id, known), faults });
        }
        Ok(all)
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = WallTime> {
        self.backends.iter().flat_map(|it| it.faults.iter().map(|(at, _)| *at))
    }

    pub(super) fn backends(&self, at: WallTime) -> Vec<BackendFact> {
        let fact = |backend: &PastBackend| {
            let place = backend.faults.partition_point(|(since, _)| *since <= at);
            let known = place.checked_sub(1).and_then(|place| backend.faults.get(place));
            let fault = known.map_or(BackendFault::Unknown, |(_, fault)| *fault);
            BackendFact { fault, ..backend.fact.clone() }
        };
        self.backends.iter().map(fact).collect()
    }

    /// The routes of today that none of these backends could answer.
    pub(super) fn dead_routes(&self, backends: &[BackendFact]) -> Vec<RouteFact> {
        let can_answer = |id: &BackendId| {
            let known = backends.iter().find(|it| it.id == *id);
            known.is_some_and(|it| matches!(it.fault, BackendFault::None | BackendFault::Unknown))
        };
        let dead = self.routes.iter().filter(|(_, backends)| !backends.iter().any(can_answer));
        let fact = |(id, backends): &(RouteId, Vec<BackendId>)| RouteFact {
            id: id.clone(),
            reason: String::new(),
            backends: backends.clone(),
        };
        dead.map(fact).collect()
    }
}

fn routes(settings: &Settings) -> Vec<(RouteId, Vec<BackendId>)> {
    let routes = settings.routes.iter().filter(|(_, route)| settings.is_route_on(route));
    routes
        .map(|(id, route)| {
            let backends = route.candidates.iter().map(|candidate| candidate.backend.clone());
            (id.clone(), backends.collect())
        })
        .collect()
}

/// What only the severity and the words follow from is that of a backend without a stand-in.
fn backend_fact(id: &BackendId, known: &BackendSettings) -> BackendFact {
    BackendFact {
        id: id.clone(),
        label: known.label.clone(),
        server: server_name(id, known),
        is_local: known.is_local(),
        fault: BackendFault::Unknown,
        reason: String::new(),
        impact: Impact::default(),
    }
}

/// The transitions, oldest first, and the ends of open times that nothing wrote down.
fn endpoint_changes(transitions: &[TransitionRecord]) -> Vec<(WallTime, Change)> {
    let mut changes = Vec::new();
    for (place, one) in transitions.iter().enumerate() {
        // What cools down for one model alone is no state of the endpoint.
        let (None, Ok(to)) = (&one.model, one.to.parse::<TransitionState>()) else { continue };
        let key = one.endpoint.credential.clone();
        changes.push((one.at, Change::Endpoint(key.clone(), to, one.rule.clone())));
        let Some(lasts) = one.lasts.filter(|_| to == TransitionState::Open) else { continue };
        let end = WallTime::from_unix_ms(one.at.unix_ms().saturating_add(millis(lasts)));
        let later = transitions.get(place + 1..).unwrap_or_default();
        let next = later.iter().find(|next| next.endpoint == one.endpoint && is_breaker(next));
        if next.is_none_or(|next| next.at > end) {
            changes.push((end, Change::Endpoint(key, TransitionState::HalfOpen, String::new())));
        }
    }
    changes
}

fn is_breaker(one: &TransitionRecord) -> bool {
    use TransitionState::{Closed, HalfOpen, Open, Recovering};
    matches!(one.to.parse(), Ok(Closed | Open | HalfOpen | Recovering))
}

#[derive(Clone, Copy, Default)]
struct EndpointFlags {
    is_open: bool,
    is_forced: bool,
    is_rejected: bool,
}

/// The faults of a backend with these keys: as `alert_facts` judges them live.
fn faults(
    changes: Vec<(WallTime, Change)>,
    keys: &[Option<CredentialId>],
) -> Vec<(WallTime, BackendFault)> {
    let mut health = HealthState::Unknown;
    let mut flags: BTreeMap<Option<CredentialId>, EndpointFlags> = BTreeMap::new();
    let mut faults: Vec<(WallTime, BackendFault)> = Vec::new();
    for (at, change) in changes {
        match change {
            Change::Health(state) => health = state,
            Change::Endpoint(key, to, rule) => flags.entry(key).or_default().enter(to, &rule),
        }
        let of = |key: &Option<CredentialId>| flags.get(key).copied().unwrap_or_default();
        let is_open = keys.iter().map(of).all(|it| it.is_open && !it.is_forced);
        let is_rejected = keys.iter().map(of).any(|it| it.is_rejected);
        let fault = match health {
            HealthState::Down if is_rejected => BackendFault::KeyRejected,
            HealthState::Down => BackendFault::Down,
            _ if is_open => BackendFault::BreakerOpen,
            HealthState::Up => BackendFault::None,
            HealthState::Unknown => BackendFault::Unknown,
        };
        match faults.last_mut() {
            Some((_, last)) if *last == fault => {}
            Some((since, last)) if *since == at => *last = fault,
            _ => faults.push((at, fault)),
        }
    }
    faults
}

impl EndpointFlags {
    fn enter(&mut self, to: TransitionState, rule: &str) {
        use TransitionState::{
            Automatic, Blocked, Closed, CoolingDown, Disabled, ForcedClosed, ForcedOpen, HalfOpen,
            MonitorOnly, Open, Ready, Recovering,
        };
        match to {
            Open => self.is_open = true,
            Closed | HalfOpen | Recovering => self.is_open = false,
            Automatic => self.is_forced = false,
            ForcedOpen | ForcedClosed | MonitorOnly | Disabled => self.is_forced = true,
            Blocked => {
                let causes = [TransitionCause::KeyRejected, TransitionCause::Forbidden];
                self.is_rejected = causes.iter().any(|cause| cause.word() == rule);
            }
            Ready => self.is_rejected = false,
            CoolingDown => {}
        }
    }
}
