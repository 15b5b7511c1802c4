//! Whether backends can be used now, and how well those that answer do: the one place that screens,
//! commands, metrics and checks ask.

use std::sync::Arc;

use domain::{BackendId, Clock, ClockReading, CredentialId, Endpoint, HealthState, Moment};
use domain::{ShownHealth, WallTime};
use endpoints::EndpointRegistry;
use monitor::ObservedHealth;
use resilience::{BreakerOverride, EndpointState, EndpointStatus};
use service_levels::Degradation;
use settings::{Settings, SettingsStore};

use crate::configured::endpoints_of;
use crate::health::backend_watch::HealthWatch;
use crate::health::quality_watch::QualityWatch;
use crate::keys::statuses::KeyStatuses;

/// Reason of an endpoint that is ready.
pub const HEALTHY_SENTENCE: &str = "Healthy.";

domain::words! {
    /// The most restrictive state of breaker, cooldown, block and override.
    AvailabilityState {
        Ready = "ready",
        /// Gets a growing share of requests after an outage.
        Recovering = "recovering",
        /// Gets single requests that test whether it works again.
        Trial = "trial",
        /// Gets no requests until the pause that the provider asked for is over.
        CoolingDown = "cooling_down",
        /// Gets no requests for a while, because its breaker tripped.
        Open = "open",
        /// Gets no requests until its provider accepts its key and account again.
        Blocked = "blocked",
        /// Blocked by the user.
        Held = "held",
        /// Switched off in the settings.
        Off = "off",
        /// No longer in the settings.
        Removed = "removed",
    }
}

impl AvailabilityState {
    /// True if it gets requests, be it few.
    #[must_use]
    pub const fn allows_requests(self) -> bool {
        matches!(self, Self::Ready | Self::Recovering | Self::Trial)
    }
}

/// Availability of an endpoint, or of a backend by its best endpoint, at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    pub state: AvailabilityState,
    /// Percentage of requests that it gets while it recovers, 1 to 99.
    pub percent: Option<u8>,
    /// One sentence with the cause.
    pub why: String,
    pub since: Option<WallTime>,
    /// When the state ends, if time alone ends it.
    pub until: Option<WallTime>,
}

/// Why a backend that answers is degraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendDegradation {
    pub by: DegradedBy,
    pub since: Option<WallTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DegradedBy {
    /// Measured on requests.
    Answers(Degradation),
    /// Its breaker lets more requests through step by step. The reason is a sentence.
    Recovering(String),
}

/// Whether a backend answers, and how well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendHealth {
    pub observed: ObservedHealth,
    /// Only of one that is up.
    pub degraded: Option<BackendDegradation>,
}

pub struct BackendStates {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) quality: Arc<QualityWatch>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
}

impl BackendStates {
    /// Health of a backend that is on, or of the mock; `None` if it is not watched.
    #[must_use]
    pub fn health(&self, id: &BackendId) -> Option<BackendHealth> {
        let observed = self.health.health(id)?;
        let is_up = observed.state == HealthState::Up;
        let degraded = is_up.then(|| self.degradation(&self.settings.current(), id)).flatten();
        Some(BackendHealth { observed, degraded })
    }

    /// `None` for a backend that answers well, or about which too little is known. Says nothing of
    /// whether it answers at all.
    #[must_use]
    pub fn degradation(&self, settings: &Settings, id: &BackendId) -> Option<BackendDegradation> {
        if let Some(degraded) = self.quality.degraded(id) {
            let by = DegradedBy::Answers(degraded.what);
            return Some(BackendDegradation { by, since: Some(degraded.since) });
        }
        let Availability { state, why, since, .. } = self.availability(settings, id);
        matches!(state, AvailabilityState::Recovering | AvailabilityState::Trial)
            .then(|| BackendDegradation { by: DegradedBy::Recovering(why), since })
    }

    /// That of the backend's best endpoint.
    #[must_use]
    pub fn availability(&self, settings: &Settings, id: &BackendId) -> Availability {
        self.availability_for(settings, id, None)
    }

    /// As [`Self::availability`], for requests that ask for `model`: an endpoint that is rate limited
    /// for that model alone cools down.
    #[must_use]
    pub fn availability_for(
        &self,
        settings: &Settings,
        id: &BackendId,
        model: Option<&str>,
    ) -> Availability {
        let own = endpoints_of(settings, &self.mock, id).map(|endpoint| {
            let own = self.endpoint(settings, &endpoint);
            let limited = model.filter(|_| own.state.allows_requests());
            limited.and_then(|model| self.model_cooldown(&endpoint, model)).unwrap_or(own)
        });
        Availability::best_of(own)
    }

    /// `None` unless the endpoint is rate limited for the model alone and holds its requests back.
    fn model_cooldown(&self, endpoint: &Endpoint, model: &str) -> Option<Availability> {
        let admits = self.registry.availability(endpoint, model);
        if !matches!(admits, resilience::Availability::Closed { .. }) {
            return None;
        }
        let mut limits = self.registry.model_cooldowns(endpoint).into_iter();
        let cooldown = limits.find(|limit| limit.model == model)?.cooldown;
        Some(Availability {
            state: AvailabilityState::CoolingDown,
            percent: None,
            why: cooldown.kind.sentence_for(model),
            since: None,
            until: Some(ClockReading::read(&*self.clock).wall_at(cooldown.at)),
        })
    }

    /// Availability of each endpoint of a backend by its key; empty if the settings do not have it.
    #[must_use]
    pub fn endpoints(
        &self,
        settings: &Settings,
        id: &BackendId,
    ) -> Vec<(Option<CredentialId>, Availability)> {
        endpoints_of(settings, &self.mock, id)
            .map(|endpoint| {
                let own = self.endpoint(settings, &endpoint);
                (endpoint.credential, own)
            })
            .collect()
    }

    #[must_use]
    pub fn endpoint(&self, settings: &Settings, endpoint: &Endpoint) -> Availability {
        let (status, clocks) = (self.registry.status(endpoint), ClockReading::read(&*self.clock));
        Availability::of(settings, endpoint, &status, clocks)
    }
}

/// `None` for the mock, which is not in the settings.
fn why_off(settings: &Settings, endpoint: &Endpoint) -> Option<String> {
    let is_known = settings.backends.contains_key(&endpoint.backend);
    settings.why_backend_is_off(&endpoint.backend).filter(|_| is_known)
}

impl BackendHealth {
    #[must_use]
    pub fn state(&self) -> ShownHealth {
        match self.degraded {
            Some(_) => ShownHealth::Degraded,
            None => self.observed.state.into(),
        }
    }
}

impl BackendDegradation {
    /// Without the backend's name: "first token 4.2 s, usually 0.9 s".
    #[must_use]
    pub fn clause(&self) -> String {
        match &self.by {
            DegradedBy::Answers(what) => what.clause(),
            DegradedBy::Recovering(why) => why.trim_end_matches('.').to_owned(),
        }
    }
}

impl Availability {
    /// The most restrictive state of an endpoint with this status.
    #[must_use]
    pub fn of(
        settings: &Settings,
        endpoint: &Endpoint,
        status: &EndpointStatus,
        clocks: ClockReading,
    ) -> Self {
        let state = |state, why: &str, since, until| Self {
            state,
            percent: None,
            why: why.to_owned(),
            since,
            until,
        };
        if let Some(why) = why_off(settings, endpoint) {
            return state(AvailabilityState::Off, &format!("The backend {why}."), None, None);
        }
        let (why, until) = (status.reason.as_str(), status.until.map(|at| clocks.wall_at(at)));
        if let Some(block) = status.block {
            let since = wall_time_unless_start(block.since, clocks);
            return state(AvailabilityState::Blocked, why, since, None);
        }
        if status.override_.is_some_and(|set| set.forced == BreakerOverride::Open) {
            return state(AvailabilityState::Held, why, None, until);
        }
        if let Some(cooldown) = status.cooldown {
            let until = Some(clocks.wall_at(cooldown.at));
            return state(AvailabilityState::CoolingDown, cooldown.kind.sentence(), None, until);
        }
        if status.override_.is_some() {
            return state(AvailabilityState::Ready, why, None, until);
        }
        let entered = status.since.and_then(|at| wall_time_unless_start(at, clocks));
        match status.breaker {
            EndpointState::Open => state(AvailabilityState::Open, why, entered, until),
            EndpointState::HalfOpen => state(AvailabilityState::Trial, why, entered, until),
            EndpointState::Recovering { percent } => Self {
                percent: Some(percent),
                ..state(AvailabilityState::Recovering, why, entered, None)
            },
            EndpointState::Closed => {
                state(AvailabilityState::Ready, HEALTHY_SENTENCE, entered, None)
            }
        }
    }

    /// Of none: a backend that was removed.
    #[must_use]
    pub fn best_of(endpoints: impl IntoIterator<Item = Self>) -> Self {
        // The states are in this order; of equal ones, the first to end counts.
        endpoints.into_iter().min_by_key(|own| (own.state, own.until)).unwrap_or_else(|| Self {
            state: AvailabilityState::Removed,
            percent: None,
            why: "This backend no longer exists.".to_owned(),
            since: None,
            until: None,
        })
    }
}

/// Converts a time of the monotonic clock. `None` for the start of the program, because the state then
/// began earlier.
#[must_use]
pub fn wall_time_unless_start(at: Moment, clocks: ClockReading) -> Option<WallTime> {
    (at > Moment::default()).then(|| clocks.wall_at(at))
}
