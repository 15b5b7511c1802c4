//! The probe schedule: one [`Health`] per backend, at most three probes at once.
//!
//! The limit keeps probe durations comparable, because more probes at once would measure this
//! machine instead of the backend. The loop is a future instead of a task, so that the engine's
//! task supervisor runs it too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, Clock, ClockReading, Entropy, Moment};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, broadcast};

use crate::health::{
    BackendHealth, Health, HealthFinding, HealthTransition, LastKnownHealth, Observation,
};
use crate::probe_report::ProbeReport;

/// Maximum number of concurrent probes.
pub const PROBES_AT_ONCE_MAX: usize = 3;
/// Time limit of a probe, including the connection; exceeding it counts as a failure.
pub const PROBE_LIMIT: Duration = Duration::from_secs(10);
/// Queue length per subscriber. A slow one loses the oldest transitions and gets a lag error.
pub const TRANSITIONS_KEPT_MAX: usize = 64;

/// Tests whether a backend works, without a billed call.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Probes `backend`. Dropping the future cancels the probe; it is dropped after
    /// [`PROBE_LIMIT`].
    async fn probe(&self, backend: &BackendId) -> ProbeReport;

    /// True if this machine slept or the program was suspended after `_since`. A probe that fails
    /// across such a pause says nothing about its backend.
    fn was_paused_since(&self, _since: Moment) -> bool {
        false
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendTransition {
    pub backend: BackendId,
    pub transition: HealthTransition,
}

/// Schedules probes and holds the health of all backends.
pub struct Monitor {
    entropy: Box<dyn Entropy>,
    state: Mutex<ScheduleState>,
    changed: Notify,
    transitions: broadcast::Sender<BackendTransition>,
}

struct ScheduleState {
    interval: Duration,
    health: BTreeMap<BackendId, Health>,
    requested: BTreeSet<BackendId>,
    in_flight: BTreeSet<BackendId>,
    /// Backends whose running probe uses an old address or key, or that are no longer watched. Its
    /// result is dropped.
    outdated: BTreeSet<BackendId>,
}

impl Monitor {
    /// Creates a monitor without backends. `interval` is the time between two probes of a backend;
    /// `entropy` adds jitter.
    #[must_use]
    pub fn new(interval: Duration, entropy: Box<dyn Entropy>) -> Self {
        let watched = ScheduleState {
            interval,
            health: BTreeMap::new(),
            requested: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            outdated: BTreeSet::new(),
        };
        Self {
            entropy,
            state: Mutex::new(watched),
            changed: Notify::new(),
            transitions: broadcast::channel(TRANSITIONS_KEPT_MAX).0,
        }
    }

    /// Replaces the set of watched backends. Backends that stay keep their health; new ones start
    /// from their stored state, if any.
    pub fn set_backends(&self, backends: Vec<(BackendId, Option<LastKnownHealth>)>, now: Moment) {
        let mut watched = self.lock();
        let interval = watched.interval;
        let mut before = std::mem::take(&mut watched.health);
        watched.health = backends
            .into_iter()
            .map(|(id, stored)| {
                let health = before.remove(&id).unwrap_or_else(|| match stored {
                    Some(stored) => Health::restored(stored, interval, now),
                    None => Health::new(interval, now),
                });
                (id, health)
            })
            .collect();
        watched.outdated.extend(before.into_keys());
        watched.drop_stale_marks();
        drop(watched);
        self.changed.notify_one();
    }

    /// Resets a backend's health after its address or key has changed.
    pub fn forget(&self, backend: &BackendId, now: Moment) {
        let mut watched = self.lock();
        let interval = watched.interval;
        if let Some(health) = watched.health.get_mut(backend) {
            *health = Health::new(interval, now);
        }
        watched.outdated.insert(backend.clone());
        watched.drop_stale_marks();
        drop(watched);
        self.changed.notify_one();
    }

    /// Sets the time between two probes of a backend.
    pub fn set_interval(&self, interval: Duration) {
        let mut watched = self.lock();
        watched.interval = interval;
        for health in watched.health.values_mut() {
            health.set_interval(interval);
        }
        drop(watched);
        self.changed.notify_one();
    }

    /// Subscribes to all later transitions, in order, from probes and real traffic.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<BackendTransition> {
        self.transitions.subscribe()
    }

    /// Applies a result of real traffic. Ignores a backend that is not watched.
    pub fn observe(&self, backend: &BackendId, observation: Observation, at: ClockReading) {
        // A success only postpones the next probe, which the loop notices when it wakes. It comes
        // with every request, so it does not wake the loop.
        if self.apply_observation(backend, observation, at) {
            self.changed.notify_one();
        }
    }

    /// Probes a backend as soon as a probe slot is free, however recent its last result. Ignores a
    /// backend that is not watched.
    pub fn request_probe(&self, backend: &BackendId) {
        let mut watched = self.lock();
        watched.requested.insert(backend.clone());
        watched.drop_stale_marks();
        drop(watched);
        self.changed.notify_one();
    }

    /// Returns a backend's health without changing it; `None` if it is not watched.
    #[must_use]
    pub fn view(&self, backend: &BackendId, at: ClockReading) -> Option<BackendHealth> {
        self.lock().health.get(backend).map(|health| health.view(at))
    }

    /// Last settled state of every backend that has one, for storage.
    #[must_use]
    pub fn last_known(&self) -> Vec<(BackendId, LastKnownHealth)> {
        let watched = self.lock();
        let known = watched.health.iter().filter_map(|(id, health)| {
            health.last_known().map(|known| (id.clone(), known.clone()))
        });
        known.collect()
    }

    /// Backends to probe now: due or requested, longest overdue first, without duplicates, at most
    /// as many as there are free slots.
    #[must_use]
    pub fn due_backends(&self, now: Moment) -> Vec<BackendId> {
        self.lock().due_backends(now)
    }

    /// When [`Monitor::due_backends`] can next be non-empty; `None` if nothing is watched or no slot is
    /// free.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        self.lock().next_wake()
    }

    /// Runs due probes until `stop` is ready, then drops those in flight.
    pub async fn drive(
        &self,
        probe: &dyn Probe,
        clock: &dyn Clock,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = std::pin::pin!(stop);
        let mut running = FuturesUnordered::new();
        let _cleared = InFlightCleanup(self);
        loop {
            self.expire_stale_states(ClockReading::read(clock));
            for backend in self.start_due_probes(clock.now()) {
                running.push(self.probe_one(probe, clock, backend));
            }
            let pause = self.next_wake().map(|wake| wake.since(clock.now()));
            let wait = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut stop => return,
                Some(()) = running.next(), if !running.is_empty() => {}
                () = self.changed.notified() => {}
                () = wait => {}
            }
        }
    }

    async fn probe_one(&self, probe: &dyn Probe, clock: &dyn Clock, backend: BackendId) {
        let begun = clock.now();
        let result = tokio::time::timeout(PROBE_LIMIT, probe.probe(&backend)).await;
        let mut report = result.unwrap_or_else(|_elapsed| {
            let detail = format!("no answer within {} s", PROBE_LIMIT.as_secs());
            ProbeReport::new(HealthFinding::Failed, detail, PROBE_LIMIT)
        });
        if report.finding == HealthFinding::Failed && probe.was_paused_since(begun) {
            report.finding = HealthFinding::LocalFault;
        }
        tracing::debug!(%backend, class = ?report.finding, ms = report.duration.as_millis(), "probed");
        let is_outdated = self.lock().outdated.remove(&backend);
        if !is_outdated {
            self.apply_observation(&backend, report.observation(), ClockReading::read(clock));
        }
        self.lock().in_flight.remove(&backend);
    }

    fn start_due_probes(&self, now: Moment) -> Vec<BackendId> {
        let mut watched = self.lock();
        let due = watched.due_backends(now);
        for backend in &due {
            watched.requested.remove(backend);
            watched.in_flight.insert(backend.clone());
        }
        due
    }

    /// Applies a result. Returns `true` if it makes the backend's next probe earlier.
    fn apply_observation(
        &self,
        backend: &BackendId,
        observation: Observation,
        at: ClockReading,
    ) -> bool {
        let mut watched = self.lock();
        let Some(health) = watched.health.get_mut(backend) else { return false };
        let before = health.next_probe_at();
        let transition = health.observe(observation, at, &*self.entropy);
        let is_earlier = health.next_probe_at() < before;
        self.publish_transition(backend, transition);
        is_earlier
    }

    fn expire_stale_states(&self, at: ClockReading) {
        let mut watched = self.lock();
        for (backend, health) in &mut watched.health {
            self.publish_transition(backend, health.expire_if_stale(at));
        }
    }

    /// Publishes a transition. Called with the lock held, so that transitions are sent in the order
    /// they happened; sending does not block.
    fn publish_transition(&self, backend: &BackendId, transition: Option<HealthTransition>) {
        let Some(transition) = transition else { return };
        tracing::info!(
            %backend,
            from = transition.from.word(),
            to = transition.to.word(),
            reason = transition.reason,
            "backend health changed"
        );
        // An error means that there is no subscriber, which is fine.
        let _unheard =
            self.transitions.send(BackendTransition { backend: backend.clone(), transition });
    }

    fn lock(&self) -> MutexGuard<'_, ScheduleState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScheduleState {
    /// Drops marks of backends that are no longer watched or no longer in flight.
    fn drop_stale_marks(&mut self) {
        let Self { health, requested: asked_for, in_flight, outdated, .. } = self;
        asked_for.retain(|id| health.contains_key(id));
        outdated.retain(|id| in_flight.contains(id));
    }

    fn due_backends(&self, now: Moment) -> Vec<BackendId> {
        let free = PROBES_AT_ONCE_MAX.saturating_sub(self.in_flight.len());
        let mut due: Vec<_> = self.pending_probes().filter(|(at, _)| *at <= now).collect();
        due.sort();
        due.into_iter().take(free).map(|(_, id)| id.clone()).collect()
    }

    fn next_wake(&self) -> Option<Moment> {
        if self.in_flight.len() >= PROBES_AT_ONCE_MAX {
            return None;
        }
        self.pending_probes().map(|(at, _)| at).min()
    }

    fn pending_probes(&self) -> impl Iterator<Item = (Moment, &BackendId)> {
        self.health.iter().filter(|(id, _)| !self.in_flight.contains(*id)).map(|(id, health)| {
            let asked = self.requested.contains(id);
            (if asked { Moment::default() } else { health.next_probe_at() }, id)
        })
    }
}

/// Frees the slots of probes that were dropped with the loop, so that [`Monitor::drive`] can run
/// again.
struct InFlightCleanup<'a>(&'a Monitor);

impl Drop for InFlightCleanup<'_> {
    fn drop(&mut self) {
        let mut watched = self.0.lock();
        watched.in_flight.clear();
        watched.outdated.clear();
    }
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
