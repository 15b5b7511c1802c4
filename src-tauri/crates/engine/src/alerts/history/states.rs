//! Which backends were at fault when, from the logs of health and of breakers.

use std::collections::BTreeMap;

use alerts::{BackendFact, BackendFault, Impact, RouteFact, RouteFault};
use domain::{BackendId, CredentialId, HealthState, RouteId, WallTime};
use ledger::{
    HEALTH_LOG_ENTRIES_MAX, Ledger, LedgerError, TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery,
    TransitionRecord,
};
use resilience::{BlockReason, TransitionState};
use settings::{BackendSettings, Settings};

use super::millis;
use crate::alerts::facts::server_name;
use crate::configured::endpoints_of;
use crate::health::backend_answers::{RATE_LIMIT_TOLERATED, backend_fault, is_tolerated};
use crate::health::backend_states::AvailabilityState;
use crate::health::service_level_watch::kept_time;

pub(super) struct PastStates {
    backends: Vec<PastBackend>,
    /// With the backends of each.
    routes: Vec<(RouteId, Vec<BackendId>)>,
    /// Since when the logs are whole.
    pub(super) known_from: WallTime,
}

struct PastBackend {
    fact: BackendFact,
    /// From when on it was how, oldest first.
    states: Vec<(WallTime, PastState)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct PastState {
    fault: BackendFault,
    can_answer: bool,
}

impl PastState {
    /// Before anything was known of a backend, as live: nothing says that it could not answer.
    const UNKNOWN: Self = Self { fault: BackendFault::Unknown, can_answer: true };
}

enum Change {
    Health(HealthState),
    Endpoint(Option<CredentialId>, TransitionState, String),
    /// As far as it is an outage.
    RateLimitOver(Option<CredentialId>),
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
            known_from: until - kept_time(settings),
        };
        for (id, known) in settings.backends_on() {
            let health = ledger.health_log(id.clone(), HEALTH_LOG_ENTRIES_MAX).await?;
            let (transitions, oldest_change) = transitions(ledger, id, until).await?;
            // Newest first; a full one may lack what was before.
            let oldest_health =
                health.last().filter(|_| health.len() >= HEALTH_LOG_ENTRIES_MAX).map(|it| it.at);
            let oldest = oldest_health.into_iter().chain(oldest_change).max();
            all.known_from = all.known_from.max(oldest.unwrap_or_default());
            let mut changes: Vec<(WallTime, Change)> =
                health.into_iter().rev().map(|it| (it.at, Change::Health(it.to))).collect();
            changes.extend(endpoint_changes(&transitions));
            changes.sort_by_key(|(at, _)| *at);
            let keys: Vec<_> = endpoints_of(settings, mock, id).map(|it| it.credential).collect();
            let states = states(changes, &keys);
            all.backends.push(PastBackend { fact: backend_fact(id, known), states });
        }
        Ok(all)
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = WallTime> {
        self.backends.iter().flat_map(|it| it.states.iter().map(|(at, _)| *at))
    }

    pub(super) fn backends(&self, at: WallTime) -> Vec<BackendFact> {
        let fact = |backend: &PastBackend| {
            let fault = backend.at(at).unwrap_or(PastState::UNKNOWN).fault;
            BackendFact { fault, ..backend.fact.clone() }
        };
        self.backends.iter().map(fact).collect()
    }

    /// The routes of today that no backend could answer for certain.
    pub(super) fn dead_routes(&self, at: WallTime) -> Vec<RouteFact> {
        let state = |id: &BackendId| {
            let known = self.backends.iter().find(|it| it.fact.id == *id)?;
            Some(known.at(at).unwrap_or(PastState::UNKNOWN))
        };
        let fact = |(id, backends): &(RouteId, Vec<BackendId>)| {
            let able = backends.iter().filter_map(state).filter(|it| it.can_answer);
            Some(RouteFact {
                id: id.clone(),
                reason: String::new(),
                backends: backends.clone(),
                fault: RouteFault::of(able.map(|it| it.fault))?,
            })
        };
        self.routes.iter().filter_map(fact).collect()
    }
}

impl PastBackend {
    /// `None` before anything was known of it.
    fn at(&self, at: WallTime) -> Option<PastState> {
        let place = self.states.partition_point(|(since, _)| *since <= at);
        let known = place.checked_sub(1).and_then(|place| self.states.get(place));
        known.map(|(_, state)| *state)
    }
}

/// What happened to the endpoints of a backend, oldest first, and since when that is whole if not
/// always.
pub(super) async fn transitions(
    ledger: &Ledger,
    backend: &BackendId,
    until: WallTime,
) -> Result<(Vec<TransitionRecord>, Option<WallTime>), LedgerError> {
    let query = TransitionQuery {
        backend: Some(backend.clone()),
        from: WallTime::default(),
        to: until,
        limit: TRANSITIONS_PAGE_ROWS_MAX,
    };
    let mut found = ledger.transitions(query).await?;
    let is_full = found.len() >= TRANSITIONS_PAGE_ROWS_MAX;
    let oldest = found.last().filter(|_| is_full).map(|it| it.at);
    found.reverse();
    Ok((found, oldest))
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
        let lasts = one.lasts.map(millis);
        // What is over in a moment is no outage.
        if to == TransitionState::CoolingDown && lasts.is_none_or(is_tolerated) {
            continue;
        }
        changes.push((one.at, Change::Endpoint(key.clone(), to, one.rule.clone())));
        let after = |ms: i64| one.at.plus_ms(ms);
        match (to, lasts) {
            (TransitionState::CoolingDown, Some(lasts)) => {
                let end = after(lasts - millis(RATE_LIMIT_TOLERATED));
                changes.push((end, Change::RateLimitOver(key)));
            }
            (TransitionState::Open, Some(lasts)) => {
                let later = transitions.get(place + 1..).unwrap_or_default();
                let next = later.iter().find(|it| it.endpoint == one.endpoint && is_breaker(it));
                if next.is_none_or(|next| next.at > after(lasts)) {
                    let (to, rule) = (TransitionState::HalfOpen, String::new());
                    changes.push((after(lasts), Change::Endpoint(key, to, rule)));
                }
            }
            _ => {}
        }
    }
    changes
}

fn is_breaker(one: &TransitionRecord) -> bool {
    use TransitionState::{Closed, HalfOpen, Open, Recovering};
    matches!(one.to.parse(), Ok(Closed | Open | HalfOpen | Recovering))
}

#[derive(Clone, Copy)]
struct PastEndpoint {
    /// The breaker's own state.
    breaker: AvailabilityState,
    /// That of a manual setting.
    forced: Option<AvailabilityState>,
    is_cooling_down: bool,
    block: Option<BlockReason>,
}

impl Default for PastEndpoint {
    fn default() -> Self {
        let breaker = AvailabilityState::Ready;
        Self { breaker, forced: None, is_cooling_down: false, block: None }
    }
}

/// The states of a backend with these keys: as [`BackendStates`](crate::BackendStates) judges them live.
fn states(
    changes: Vec<(WallTime, Change)>,
    keys: &[Option<CredentialId>],
) -> Vec<(WallTime, PastState)> {
    let mut health = HealthState::Unknown;
    let mut endpoints: BTreeMap<Option<CredentialId>, PastEndpoint> = BTreeMap::new();
    let mut states: Vec<(WallTime, PastState)> = Vec::new();
    for (at, change) in changes {
        match change {
            Change::Health(state) => health = state,
            Change::Endpoint(key, to, rule) => endpoints.entry(key).or_default().enter(to, &rule),
            Change::RateLimitOver(key) => endpoints.entry(key).or_default().is_cooling_down = false,
        }
        let own: Vec<PastEndpoint> =
            keys.iter().map(|key| endpoints.get(key).copied().unwrap_or_default()).collect();
        let best = own.iter().map(PastEndpoint::availability).min();
        let best = best.unwrap_or(AvailabilityState::Removed);
        let block = own.iter().find_map(|it| it.block);
        let is_rejected = matches!(block, Some(BlockReason::KeyRejected | BlockReason::Forbidden));
        let state = PastState {
            fault: backend_fault(health, is_rejected, best, block),
            can_answer: health != HealthState::Down && best.allows_requests(),
        };
        match states.last_mut() {
            Some((_, last)) if *last == state => {}
            Some((since, last)) if *since == at => *last = state,
            _ => states.push((at, state)),
        }
    }
    states
}

impl PastEndpoint {
    fn enter(&mut self, to: TransitionState, rule: &str) {
        use AvailabilityState as State;
        use TransitionState::{
            Automatic, Blocked, Closed, CoolingDown, Disabled, ForcedClosed, ForcedOpen, HalfOpen,
            MonitorOnly, Open, Ready, Recovering,
        };
        match to {
            Open => self.breaker = State::Open,
            HalfOpen => self.breaker = State::Trial,
            Recovering => self.breaker = State::Recovering,
            Closed => self.breaker = State::Ready,
            Automatic => self.forced = None,
            ForcedOpen => self.forced = Some(State::Held),
            ForcedClosed | MonitorOnly | Disabled => self.forced = Some(State::Ready),
            // The words of causes and of reasons are the same.
            Blocked => self.block = rule.parse().ok(),
            CoolingDown => self.is_cooling_down = true,
            Ready => (self.block, self.is_cooling_down) = (None, false),
        }
    }

    /// The most restrictive of its states, as [`Availability`](crate::Availability) has it.
    fn availability(&self) -> AvailabilityState {
        match (self.block, self.forced) {
            (Some(_), _) => AvailabilityState::Blocked,
            (None, Some(AvailabilityState::Held)) => AvailabilityState::Held,
            _ if self.is_cooling_down => AvailabilityState::CoolingDown,
            (None, forced) => forced.unwrap_or(self.breaker),
        }
    }
}
