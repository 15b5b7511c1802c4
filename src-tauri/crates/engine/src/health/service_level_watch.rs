//! How well the gateway, routes, backends and services serve: computed from the ledger, once a minute
//! for the alerts, and when somebody asks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, Clock, RouteId, ServiceId, WallTime};
use ledger::{
    Ledger, LedgerError, ObservedSubject, ObservedTimeRow, OutcomeCount, OutcomeDimension,
    OutcomePrecision, WatchSpan,
};
use parking_lot::Mutex;
use resilience::{FailureClass, FailureOwner};
use service_levels::{Burn, BurnWindow, Objective, RequestCounts, Uptime, judge_burn};
use settings::{Settings, SettingsStore};

use crate::events::EventBus;
use crate::health::objectives::{LevelScope, ObjectiveTarget, objective_of, targets};
use crate::health::time_observer::TimeObserver;
use crate::health::uptime::{period_start, uptime};
use crate::process::tasks::Tasks;
use crate::topic::Topic;

const EVALUATION_SECS: u64 = 60;
/// Windows up to this long are counted to the millisecond.
const EXACT_MAX: Duration = Duration::from_secs(2 * 3_600);
const DAY_SECS: u64 = 86_400;

/// Refusals before any attempt that are nobody's fault but the gateway's and its backends'.
const GATEWAY_REFUSALS: &[&str] = &[
    "backend_limit",
    "backend_misconfigured",
    "backend_unusable",
    "internal",
    "key_missing",
    "no_backend",
    "overloaded",
    "route_unusable",
    "too_many_requests",
];

#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLevel {
    pub scope: LevelScope,
    pub target: ObjectiveTarget,
    pub objective: Objective,
    /// Requests in each time until now.
    pub counts: BTreeMap<BurnWindow, RequestCounts>,
    pub burn: Burn,
    /// How much of the objective's period failed requests are kept for; `None` if for all of it.
    pub kept: Option<Duration>,
}

impl ServiceLevel {
    #[must_use]
    pub fn counts(&self, window: BurnWindow) -> RequestCounts {
        self.counts.get(&window).copied().unwrap_or_default()
    }

    /// The requests of the objective's period.
    #[must_use]
    pub fn period_counts(&self) -> RequestCounts {
        self.counts(BurnWindow::of_period(self.objective.period))
    }

    /// See [`Objective::budget_left`].
    #[must_use]
    pub fn budget_left(&self) -> Option<f64> {
        self.objective.budget_left(self.period_counts())
    }
}

/// The observed time of a service. It has no requests, so it is no [`ServiceLevel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAvailability {
    pub service: ServiceId,
    pub objective: Objective,
    /// Of the objective's period.
    pub uptime: Uptime,
}

pub struct ServiceLevelWatch {
    pub(crate) observer: Arc<TimeObserver>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) latest: Mutex<Vec<ServiceLevel>>,
}

impl ServiceLevelWatch {
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        self.observer.spawn(tasks);
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("service levels", async move {
            while ticks.sleep(Duration::from_secs(EVALUATION_SECS)).await {
                watch.evaluate().await;
            }
        });
    }

    pub(crate) async fn evaluate(&self) {
        match self.levels().await {
            Ok(levels) => {
                *self.latest.lock() = levels;
                self.events.send_changed(&[Topic::Health]);
            }
            Err(error) => tracing::warn!(%error, "service levels could not be computed"),
        }
    }

    /// What was computed last for the alerts.
    pub(crate) fn latest(&self) -> Vec<ServiceLevel> {
        self.latest.lock().clone()
    }

    /// For how long each backend and each service was seen to answer or not, from `from` on.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn observed_since(
        &self,
        from: WallTime,
    ) -> Result<Vec<ObservedTimeRow>, LedgerError> {
        self.observer.observed_since(from).await
    }

    /// When the program watched, from before `from` on, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn watched_since(&self, from: WallTime) -> Result<Vec<WatchSpan>, LedgerError> {
        self.observer.watched_since(from).await
    }

    /// The gateway, the enabled routes and the enabled backends, as they are now.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn levels(&self) -> Result<Vec<ServiceLevel>, LedgerError> {
        let settings = self.settings.current();
        let (now, kept) = (self.clock.wall(), kept_time(&settings));
        let mut windows: BTreeMap<BurnWindow, ValidCounts> = BTreeMap::new();
        for window in BurnWindow::ALL {
            windows.insert(*window, self.valid_counts(*window, now, kept).await?);
        }
        let level = |(scope, target)| {
            let objective = objective_of(&settings, &scope, target);
            level(scope, target, objective, &windows, kept)
        };
        Ok(targets(&settings).into_iter().map(level).collect())
    }

    /// [`Objective::budget_left`] of the backends in the settings. Needs no more than two of the nine
    /// times that [`Self::levels`] counts.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn backend_budgets_left(&self) -> Result<BTreeMap<BackendId, f64>, LedgerError> {
        let settings = self.settings.current();
        let (now, kept) = (self.clock.wall(), kept_time(&settings));
        let mut windows: BTreeMap<BurnWindow, ValidCounts> = BTreeMap::new();
        let mut left = BTreeMap::new();
        for (id, _) in settings.backends_on() {
            let scope = LevelScope::Backend(id.clone());
            let objective = objective_of(&settings, &scope, ObjectiveTarget::Backend);
            let window = BurnWindow::of_period(objective.period);
            if let Entry::Vacant(place) = windows.entry(window) {
                place.insert(self.valid_counts(window, now, kept).await?);
            }
            let counts = windows.get(&window).map(|found| found.of_scope(&scope));
            let budget = objective.budget_left(counts.unwrap_or_default());
            left.extend(budget.map(|budget| (id.clone(), budget)));
        }
        Ok(left)
    }

    /// The enabled services of `settings`, each with the observed time of its objective's period.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn availabilities(
        &self,
        settings: &Settings,
    ) -> Result<Vec<ServiceAvailability>, LedgerError> {
        let own = settings.services.iter().filter(|(_, known)| known.enabled).map(|(id, _)| {
            let scope = LevelScope::Service(id.clone());
            (id, objective_of(settings, &scope, ObjectiveTarget::Service))
        });
        let own: Vec<(&ServiceId, Objective)> = own.collect();
        let Some(longest) = own.iter().map(|(_, objective)| objective.period).max() else {
            return Ok(Vec::new());
        };
        let now = self.clock.wall();
        let rows = self.observed_since(period_start(now, longest)).await?;
        let availability = |(id, objective): (&ServiceId, Objective)| {
            let subject = ObservedSubject::Service(id.clone());
            let own = rows.iter().filter(|row| row.subject == subject);
            let uptime = uptime(own, now, objective.period);
            ServiceAvailability { service: id.clone(), objective, uptime }
        };
        Ok(own.into_iter().map(availability).collect())
    }

    /// Valid requests of the window until `now`, as far back as they are kept.
    async fn valid_counts(
        &self,
        window: BurnWindow,
        now: WallTime,
        kept: Duration,
    ) -> Result<ValidCounts, LedgerError> {
        let length = window.length();
        let back_ms = i64::try_from(length.min(kept).as_millis()).unwrap_or(i64::MAX);
        let from = now.minus_ms(back_ms);
        let precision = match length <= EXACT_MAX {
            true => OutcomePrecision::Exact,
            false => OutcomePrecision::Quarter,
        };
        Ok(ValidCounts::of(&self.ledger.outcome_counts((from, now), precision).await?))
    }
}

/// For how long requests are kept.
pub(crate) fn kept_time(settings: &Settings) -> Duration {
    Duration::from_secs(u64::from(settings.ledger.retention_days) * DAY_SECS)
}

fn level(
    scope: LevelScope,
    target: ObjectiveTarget,
    objective: Objective,
    windows: &BTreeMap<BurnWindow, ValidCounts>,
    kept: Duration,
) -> ServiceLevel {
    let counts: BTreeMap<BurnWindow, RequestCounts> =
        windows.iter().map(|(window, found)| (*window, found.of_scope(&scope))).collect();
    let burn = judge_burn(objective, |window| counts.get(&window).copied().unwrap_or_default());
    let kept = (kept < objective.period).then_some(kept);
    ServiceLevel { scope, target, objective, counts, burn, kept }
}

/// Valid requests of one time until now.
#[derive(Default)]
struct ValidCounts(BTreeMap<LevelScope, RequestCounts>);

impl ValidCounts {
    fn of(outcomes: &[OutcomeCount]) -> Self {
        let mut all = Self::default();
        for (scope, counts) in outcomes.iter().flat_map(scopes_of) {
            *all.0.entry(scope).or_default() += counts;
        }
        all
    }

    fn of_scope(&self, scope: &LevelScope) -> RequestCounts {
        self.0.get(scope).copied().unwrap_or_default()
    }
}

/// What an outcome counts for: the gateway and its route, or its backend. Nothing if it is not valid.
pub(crate) fn scopes_of(outcome: &OutcomeCount) -> Vec<(LevelScope, RequestCounts)> {
    let counts = match is_good(outcome) {
        None => return Vec::new(),
        Some(true) => RequestCounts { good: outcome.count, bad: 0 },
        Some(false) => RequestCounts { good: 0, bad: outcome.count },
    };
    let name = outcome.name.as_str();
    let scopes = match outcome.dimension {
        OutcomeDimension::Route => {
            let route = RouteId::new(name).ok().map(LevelScope::Route);
            std::iter::once(LevelScope::Gateway).chain(route).collect()
        }
        OutcomeDimension::Backend => {
            BackendId::new(name).ok().map(LevelScope::Backend).into_iter().collect::<Vec<_>>()
        }
    };
    scopes.into_iter().map(|scope| (scope, counts)).collect()
}

/// `None` for what says nothing about who answers: the caller's own errors and faults of this
/// machine.
fn is_good(outcome: &OutcomeCount) -> Option<bool> {
    let Some(failure) = &outcome.failure else { return Some(true) };
    let Ok(class) = failure.parse::<FailureClass>() else {
        return GATEWAY_REFUSALS.contains(&failure.as_str()).then_some(false);
    };
    match (class.owner(), outcome.dimension) {
        (FailureOwner::Request | FailureOwner::Client | FailureOwner::Local, _) => None,
        // A wrong model name is no fault of the backend, but the route's requests fail.
        (FailureOwner::Model, OutcomeDimension::Backend) => None,
        (
            FailureOwner::Model
            | FailureOwner::Key
            | FailureOwner::Endpoint
            | FailureOwner::Network,
            _,
        ) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(dimension: OutcomeDimension, failure: Option<&str>, count: u64) -> OutcomeCount {
        let failure = failure.map(str::to_owned);
        OutcomeCount { dimension, name: "fast".to_owned(), failure, count }
    }

    #[test]
    fn only_what_says_something_about_the_service_is_valid() {
        let counts = |dimension| {
            let one = |failure, count| outcome(dimension, failure, count);
            ValidCounts::of(&[
                one(None, 100),
                one(Some("server"), 1),
                one(Some("connect"), 2),
                one(Some("rate-limited"), 4),
                one(Some("model-missing"), 8),
                one(Some("bad-request"), 1_000),
                one(Some("offline"), 1_000),
                one(Some("paused"), 1_000),
                one(Some("cancelled"), 1_000),
                one(Some("model_not_found"), 1_000),
                one(Some("budget_exceeded"), 1_000),
                one(Some("no_backend"), 16),
            ])
        };
        let route = LevelScope::Route(RouteId::new("fast").expect("a name"));
        let found = counts(OutcomeDimension::Route);
        assert_eq!(found.of_scope(&route), RequestCounts { good: 100, bad: 31 });
        let gateway = LevelScope::Gateway;
        assert_eq!(found.of_scope(&gateway), RequestCounts { good: 100, bad: 31 });
        let backend = LevelScope::Backend(BackendId::new("fast").expect("a name"));
        let found = counts(OutcomeDimension::Backend);
        assert_eq!(found.of_scope(&backend), RequestCounts { good: 100, bad: 23 });
        assert_eq!(found.of_scope(&gateway), RequestCounts::default(), "attempts are not requests");
    }
}
