//! The probe schedule: one [`Health`] per backend, at most three probes at once. Another schedule of
//! the same kind watches services.
//!
//! The limit keeps probe durations comparable, because more probes at once would measure this
//! machine instead of what is probed. The loop is a future instead of a task, so that the engine's
//! task supervisor runs it too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, Clock, ClockReading, Entropy, Moment};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, broadcast};

use crate::health::{
    Health, HealthFinding, HealthTransition, LastKnownHealth, Observation, ObservedHealth,
};
use crate::probe_report::ProbeReport;

/// Maximum number of concurrent probes.
pub(crate) const PROBES_AT_ONCE_MAX: usize = 3;
/// Time limit of a probe, including the connection; exceeding it counts as a failure.
pub(crate) const PROBE_LIMIT: Duration = Duration::from_secs(10);
/// Queue length per subscriber. A slow one loses the oldest transitions and gets a lag error.
pub const TRANSITIONS_KEPT_MAX: usize = 64;

/// The name of something that is watched.
pub trait WatchedId: Clone + Ord + fmt::Display + Send + Sync {}

impl<Id: Clone + Ord + fmt::Display + Send + Sync> WatchedId for Id {}

/// Tests whether a backend or a service works, without a billed call.
#[async_trait]
pub trait Probe<Id: WatchedId = BackendId>: Send + Sync {
    /// Probes `id`. Dropping the future cancels the probe; it is dropped after `PROBE_LIMIT`.
    async fn probe(&self, id: &Id) -> ProbeReport;

    /// True if this machine slept or the program was suspended after `_since`, or so shortly before
    /// that the network may not be back. A probe that fails then says nothing about what it asked.
    fn was_paused_since(&self, _since: Moment) -> bool {
        false
    }

    /// True if the network, and not `_id`, is to blame for a probe that failed just now.
    async fn is_networks_fault(&self, _id: &Id) -> bool {
        false
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedTransition<Id = BackendId> {
    pub id: Id,
    pub transition: HealthTransition,
}

/// Schedules probes and holds the health of all that is watched.
pub struct Monitor<Id = BackendId> {
    entropy: Box<dyn Entropy>,
    state: Mutex<ScheduleState<Id>>,
    changed: Notify,
    transitions: broadcast::Sender<WatchedTransition<Id>>,
}

struct ScheduleState<Id> {
    interval: Duration,
    health: BTreeMap<Id, Health>,
    requested: BTreeSet<Id>,
    in_flight: BTreeSet<Id>,
    /// Those whose running probe uses an old address or key, or that are no longer watched. Its
    /// result is dropped.
    outdated: BTreeSet<Id>,
}

impl<Id: WatchedId> Monitor<Id> {
    /// Creates a monitor that watches nothing. `interval` is the time between two probes of the same
    /// name; `entropy` adds jitter.
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

    /// Replaces the set that is watched. Those that stay keep their health; new ones start from their
    /// stored state, if any.
    pub fn set_watched(&self, all: Vec<(Id, Option<LastKnownHealth>)>, now: Moment) {
        let mut watched = self.lock();
        let interval = watched.interval;
        let mut before = std::mem::take(&mut watched.health);
        watched.health = all
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

    /// Resets the health of one after its address or key has changed.
    pub fn forget(&self, id: &Id, now: Moment) {
        let mut watched = self.lock();
        let interval = watched.interval;
        if let Some(health) = watched.health.get_mut(id) {
            *health = Health::new(interval, now);
        }
        watched.outdated.insert(id.clone());
        watched.drop_stale_marks();
        drop(watched);
        self.changed.notify_one();
    }

    /// Sets the time between two probes of the same name.
    pub fn set_interval(&self, interval: Duration) {
        let mut watched = self.lock();
        if watched.interval == interval {
            return;
        }
        watched.interval = interval;
        for health in watched.health.values_mut() {
            health.set_interval(interval);
        }
        drop(watched);
        self.changed.notify_one();
    }

    /// Subscribes to all later transitions, in order, from probes and real traffic.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<WatchedTransition<Id>> {
        self.transitions.subscribe()
    }

    /// Applies a result of real traffic. Ignores what is not watched.
    pub fn observe(&self, id: &Id, observation: Observation, at: ClockReading) {
        // A success only postpones the next probe, which the loop notices when it wakes. It comes
        // with every request, so it does not wake the loop.
        if self.apply_observation(id, observation, at) {
            self.changed.notify_one();
        }
    }

    /// Probes as soon as a probe slot is free, however recent the last result. Ignores what is not
    /// watched.
    pub fn request_probe(&self, id: &Id) {
        let mut watched = self.lock();
        watched.requested.insert(id.clone());
        watched.drop_stale_marks();
        drop(watched);
        self.changed.notify_one();
    }

    /// Returns the health of one without changing it; `None` if it is not watched.
    #[must_use]
    pub fn view(&self, id: &Id, at: ClockReading) -> Option<ObservedHealth> {
        self.lock().health.get(id).map(|health| health.view(at))
    }

    /// Every last settled state, for storage.
    #[must_use]
    pub fn last_known(&self) -> Vec<(Id, LastKnownHealth)> {
        let watched = self.lock();
        let known = watched.health.iter().filter_map(|(id, health)| {
            health.last_known().map(|known| (id.clone(), known.clone()))
        });
        known.collect()
    }

    /// What to probe now: due or requested, longest overdue first, without duplicates, at most as
    /// many as there are free slots.
    #[must_use]
    pub fn due(&self, now: Moment) -> Vec<Id> {
        self.lock().due(now)
    }

    /// When [`Monitor::due`] can next be non-empty; `None` if nothing is watched or no slot is
    /// free.
    #[must_use]
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        self.lock().next_wake()
    }

    /// Runs due probes until `stop` is ready, then drops those in flight.
    pub async fn drive(
        &self,
        probe: &dyn Probe<Id>,
        clock: &dyn Clock,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = std::pin::pin!(stop);
        let mut running = FuturesUnordered::new();
        let _cleared = InFlightCleanup(self);
        loop {
            self.expire_stale_states(ClockReading::read(clock));
            for id in self.start_due_probes(clock.now()) {
                running.push(self.probe_one(probe, clock, id));
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

    async fn probe_one(&self, probe: &dyn Probe<Id>, clock: &dyn Clock, id: Id) {
        let begun = clock.now();
        let result = tokio::time::timeout(PROBE_LIMIT, probe.probe(&id)).await;
        let mut report = result.unwrap_or_else(|_elapsed| {
            let detail = format!("no answer within {} s", PROBE_LIMIT.as_secs());
            ProbeReport::new(HealthFinding::Failed, detail, PROBE_LIMIT)
        });
        if report.finding == HealthFinding::Failed
            && (probe.was_paused_since(begun) || probe.is_networks_fault(&id).await)
        {
            report.finding = HealthFinding::LocalFault;
        }
        tracing::debug!(%id, class = ?report.finding, ms = report.duration.as_millis(), "probed");
        let is_outdated = self.lock().outdated.remove(&id);
        if !is_outdated {
            self.apply_observation(&id, report.observation(), ClockReading::read(clock));
        }
        self.lock().in_flight.remove(&id);
    }

    fn start_due_probes(&self, now: Moment) -> Vec<Id> {
        let mut watched = self.lock();
        let due = watched.due(now);
        for id in &due {
            watched.requested.remove(id);
            watched.in_flight.insert(id.clone());
        }
        due
    }

    /// Applies a result. Returns `true` if it makes the next probe earlier.
    fn apply_observation(&self, id: &Id, observation: Observation, at: ClockReading) -> bool {
        let mut watched = self.lock();
        let Some(health) = watched.health.get_mut(id) else { return false };
        let before = health.next_probe_at();
        let transition = health.observe(observation, at, &*self.entropy);
        let is_earlier = health.next_probe_at() < before;
        self.publish_transition(id, transition);
        is_earlier
    }

    fn expire_stale_states(&self, at: ClockReading) {
        let mut watched = self.lock();
        for (id, health) in &mut watched.health {
            self.publish_transition(id, health.expire_if_stale(at));
        }
    }

    /// Publishes a transition. Called with the lock held, so that transitions are sent in the order
    /// they happened; sending does not block.
    fn publish_transition(&self, id: &Id, transition: Option<HealthTransition>) {
        let Some(transition) = transition else { return };
        tracing::info!(
            %id,
            from = transition.from.word(),
            to = transition.to.word(),
            reason = transition.reason,
            "health changed"
        );
        // An error means that there is no subscriber, which is fine.
        let _unheard = self.transitions.send(WatchedTransition { id: id.clone(), transition });
    }

    fn lock(&self) -> MutexGuard<'_, ScheduleState<Id>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Id: WatchedId> ScheduleState<Id> {
    /// Drops marks of those that are no longer watched or no longer in flight.
    fn drop_stale_marks(&mut self) {
        let Self { health, requested: asked_for, in_flight, outdated, .. } = self;
        asked_for.retain(|id| health.contains_key(id));
        outdated.retain(|id| in_flight.contains(id));
    }

    fn due(&self, now: Moment) -> Vec<Id> {
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

    fn pending_probes(&self) -> impl Iterator<Item = (Moment, &Id)> {
        self.health.iter().filter(|(id, _)| !self.in_flight.contains(*id)).map(|(id, health)| {
            let asked = self.requested.contains(id);
            (if asked { Moment::default() } else { health.next_probe_at() }, id)
        })
    }
}

/// Frees the slots of probes that were dropped with the loop, so that [`Monitor::drive`] can run
/// again.
struct InFlightCleanup<'a, Id: WatchedId>(&'a Monitor<Id>);

impl<Id: WatchedId> Drop for InFlightCleanup<'_, Id> {
    fn drop(&mut self) {
        let mut watched = self.0.lock();
        watched.in_flight.clear();
        watched.outdated.clear();
    }
}

impl<Id> fmt::Debug for Monitor<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
