//! Which backend is probed when: one [`Health`] for each, at most three probes at once.
//!
//! Three, because a probe's duration is shown to people and compared: more at once would measure
//! this machine instead of the backend. The loop is a future and not a task, so that the one place
//! that supervises tasks also supervises this one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, Clock, Entropy, Moment};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, broadcast};

use crate::health::{
    Finding, Health, HealthView, LastKnown, Observation, Reading, Source, Transition,
};

/// Most probes that run at once.
pub const PROBES_AT_ONCE_MAX: usize = 3;
/// Longest a probe may take, connecting included; a longer one has failed.
pub const PROBE_LIMIT: Duration = Duration::from_secs(10);
/// Most transitions kept for a subscriber that is busy; the oldest go first, and it is told so.
pub const TRANSITIONS_KEPT_MAX: usize = 64;

/// Asks a backend whether it works, without causing a cost.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Asks `backend`. Dropping the future stops it; it is dropped after [`PROBE_LIMIT`].
    async fn probe(&self, backend: &BackendId) -> ProbeResult;

    /// Whether this machine slept, or the program was stopped, at some time since then: a probe that was
    /// out says nothing about its backend.
    fn was_paused_since(&self, _since: Moment) -> bool {
        false
    }
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeResult {
    /// What it says about the backend.
    pub class: Finding,
    /// How long it took.
    pub duration: Duration,
    /// The failure in a sentence, free of secrets; empty when it answered.
    pub reason: String,
}

/// A change of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendTransition {
    /// Which.
    pub backend: BackendId,
    /// What changed.
    pub transition: Transition,
}

/// The health of all backends.
pub struct Monitor {
    entropy: Box<dyn Entropy>,
    watched: Mutex<Watched>,
    changed: Notify,
    transitions: broadcast::Sender<BackendTransition>,
}

struct Watched {
    interval: Duration,
    health: BTreeMap<BackendId, Health>,
    asked_for: BTreeSet<BackendId>,
    in_flight: BTreeSet<BackendId>,
    /// Probes in flight that ask what is no longer asked: the address or the key has changed.
    outdated: BTreeSet<BackendId>,
}

impl Monitor {
    /// Watches nothing yet. `interval` lies between two probes of a backend; `entropy` spreads them.
    #[must_use]
    pub fn new(interval: Duration, entropy: Box<dyn Entropy>) -> Self {
        let watched = Watched {
            interval,
            health: BTreeMap::new(),
            asked_for: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            outdated: BTreeSet::new(),
        };
        Self {
            entropy,
            watched: Mutex::new(watched),
            changed: Notify::new(),
            transitions: broadcast::channel(TRANSITIONS_KEPT_MAX).0,
        }
    }

    /// Watches exactly these from now on. What is known of those that stay is kept; one that is new
    /// starts from its stored state, if there is one.
    pub fn watch(&self, backends: Vec<(BackendId, Option<LastKnown>)>, now: Moment) {
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
        watched.drop_traces();
        drop(watched);
        self.changed.notify_one();
    }

    /// Forgets what is known of a backend, since its address or key was changed.
    pub fn forget(&self, backend: &BackendId, now: Moment) {
        let mut watched = self.lock();
        let interval = watched.interval;
        if let Some(health) = watched.health.get_mut(backend) {
            *health = Health::new(interval, now);
        }
        watched.outdated.insert(backend.clone());
        watched.drop_traces();
        drop(watched);
        self.changed.notify_one();
    }

    /// Changes the time between two probes of a backend.
    pub fn set_interval(&self, interval: Duration) {
        let mut watched = self.lock();
        watched.interval = interval;
        for health in watched.health.values_mut() {
            health.set_interval(interval);
        }
        drop(watched);
        self.changed.notify_one();
    }

    /// Every transition from now on, in order, of probes and of real traffic alike.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<BackendTransition> {
        self.transitions.subscribe()
    }

    /// Takes a result of real traffic into account. A backend that is not watched is ignored.
    pub fn observe(&self, backend: &BackendId, observation: Observation, at: Reading) {
        // A success puts the next probe off, and the loop finds that out when it wakes; there is one
        // with every request, so it is not woken for it.
        if self.take(backend, observation, at) {
            self.changed.notify_one();
        }
    }

    /// Probes a backend as soon as a place is free, however fresh its last result. A backend that is
    /// not watched is ignored.
    pub fn check_now(&self, backend: &BackendId) {
        let mut watched = self.lock();
        watched.asked_for.insert(backend.clone());
        watched.drop_traces();
        drop(watched);
        self.changed.notify_one();
    }

    /// What is known of one backend; `None` if it is not watched. Asking changes nothing.
    #[must_use]
    pub fn view(&self, backend: &BackendId, at: Reading) -> Option<HealthView> {
        self.lock().health.get(backend).map(|health| health.view(at))
    }

    /// The last settled state of every backend that has one, to be stored.
    #[must_use]
    pub fn last_known(&self) -> Vec<(BackendId, LastKnown)> {
        let watched = self.lock();
        let known = watched.health.iter().filter_map(|(id, health)| {
            health.last_known().map(|known| (id.clone(), known.clone()))
        });
        known.collect()
    }

    /// The backends to probe now: due or asked for, longest overdue first, none twice, and no more
    /// than there are free places.
    #[must_use]
    pub fn due(&self, now: Moment) -> Vec<BackendId> {
        self.lock().due(now)
    }

    /// When [`Monitor::due`] can next be non-empty; `None` if nothing is watched or every place is
    /// taken.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        self.lock().next_wake()
    }

    /// Probes what is due until `stop` is ready; probes that run then are dropped.
    pub async fn drive(
        &self,
        probe: &dyn Probe,
        clock: &dyn Clock,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = std::pin::pin!(stop);
        let mut running = FuturesUnordered::new();
        let _cleared = PlacesFreed(self);
        loop {
            self.lapse(Reading::of(clock));
            for backend in self.begin_due(clock.now()) {
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
        let mut result = result.unwrap_or_else(|_elapsed| ProbeResult {
            class: Finding::Failed,
            duration: PROBE_LIMIT,
            reason: format!("no answer within {} s", PROBE_LIMIT.as_secs()),
        });
        if result.class == Finding::Failed && probe.was_paused_since(begun) {
            result.class = Finding::LocalFault;
        }
        tracing::debug!(%backend, class = ?result.class, ms = result.duration.as_millis(), "probed");
        let observation = Observation {
            source: Source::Probe,
            finding: result.class,
            reason: result.reason,
            duration: result.duration,
        };
        let is_outdated = self.lock().outdated.remove(&backend);
        if !is_outdated {
            self.take(&backend, observation, Reading::of(clock));
        }
        self.lock().in_flight.remove(&backend);
    }

    fn begin_due(&self, now: Moment) -> Vec<BackendId> {
        let mut watched = self.lock();
        let due = watched.due(now);
        for backend in &due {
            watched.asked_for.remove(backend);
            watched.in_flight.insert(backend.clone());
        }
        due
    }

    /// `true` if the backend's next probe is due earlier by it.
    fn take(&self, backend: &BackendId, observation: Observation, at: Reading) -> bool {
        let mut watched = self.lock();
        let Some(health) = watched.health.get_mut(backend) else { return false };
        let before = health.next_probe_at();
        let transition = health.observe(observation, at, &*self.entropy);
        let is_earlier = health.next_probe_at() < before;
        self.tell(backend, transition);
        is_earlier
    }

    fn lapse(&self, at: Reading) {
        let mut watched = self.lock();
        for (backend, health) in &mut watched.health {
            self.tell(backend, health.lapse(at));
        }
    }

    /// Called with the lock held: transitions must be told in the order they happened. Sending
    /// never waits.
    fn tell(&self, backend: &BackendId, transition: Option<Transition>) {
        let Some(transition) = transition else { return };
        tracing::info!(
            %backend,
            from = transition.from.word(),
            to = transition.to.word(),
            reason = transition.reason,
            "backend health changed"
        );
        // An error says that nobody has subscribed, which is allowed.
        let _unheard =
            self.transitions.send(BackendTransition { backend: backend.clone(), transition });
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Keeps the notes about backends from outliving what they are about.
    fn drop_traces(&mut self) {
        let Self { health, asked_for, in_flight, outdated, .. } = self;
        asked_for.retain(|id| health.contains_key(id));
        outdated.retain(|id| in_flight.contains(id));
    }

    fn due(&self, now: Moment) -> Vec<BackendId> {
        let free = PROBES_AT_ONCE_MAX.saturating_sub(self.in_flight.len());
        let mut due: Vec<_> = self.waiting().filter(|(at, _)| *at <= now).collect();
        due.sort();
        due.into_iter().take(free).map(|(_, id)| id.clone()).collect()
    }

    fn next_wake(&self) -> Option<Moment> {
        if self.in_flight.len() >= PROBES_AT_ONCE_MAX {
            return None;
        }
        self.waiting().map(|(at, _)| at).min()
    }

    fn waiting(&self) -> impl Iterator<Item = (Moment, &BackendId)> {
        self.health.iter().filter(|(id, _)| !self.in_flight.contains(*id)).map(|(id, health)| {
            let asked = self.asked_for.contains(id);
            (if asked { Moment::default() } else { health.next_probe_at() }, id)
        })
    }
}

/// Frees the places of probes that were dropped with the loop, so that it can be driven again.
struct PlacesFreed<'a>(&'a Monitor);

impl Drop for PlacesFreed<'_> {
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
