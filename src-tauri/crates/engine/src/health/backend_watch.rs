//! The health of the configured backends: watched by the monitor, stored in the ledger.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{BackendId, Clock, ClockReading, Moment};
use endpoints::EndpointRegistry;
use ledger::{Ledger, LedgerError};
use monitor::{
    HealthFinding, LastKnownHealth, Monitor, Observation, ObservedHealth, Probe, WatchedId,
    WatchedTransition,
};
use parking_lot::Mutex;
use settings::{Settings, SettingsStore, is_on_own_network};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use url::Host;

use crate::events::{EngineEvent, EventBus};
use crate::health::network_gate::NetworkGate;
use crate::process::platform::{Platform, PowerSource};
use crate::process::tasks::Tasks;

/// Interval of the rounds of probes for silent endpoints; longer than a probe takes.
const SILENT_ENDPOINTS_SECS: u64 = 15;

pub struct HealthWatch {
    pub(crate) monitor: Monitor,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) mock: BackendId,
    pub(crate) gate: Arc<NetworkGate>,
    pub(crate) tasks: Tasks,
    /// When the gateway or the window was last in use.
    pub(crate) last_use: Mutex<Moment>,
    /// True while this machine runs on battery, where its system says so.
    pub(crate) is_on_battery: AtomicBool,
}

impl HealthWatch {
    #[must_use]
    pub fn health(&self, id: &BackendId) -> Option<ObservedHealth> {
        self.monitor.view(id, ClockReading::read(&*self.clock))
    }

    /// True while nothing off this machine can be reached, which is no backend's fault.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.gate.is_offline()
    }

    /// Probes a backend as soon as a probe slot is free.
    pub fn request_probe(&self, id: &BackendId) {
        self.monitor.request_probe(id);
    }

    /// Probes all enabled backends as soon as probe slots are free.
    pub fn request_all_probes(&self) {
        self.settings.current().backends_on().for_each(|(id, _)| self.request_probe(id));
    }

    /// True for the mock and the enabled backends.
    pub(crate) fn is_watched(&self, id: &BackendId) -> bool {
        let settings = self.settings.current();
        id == &self.mock || settings.is_backend_on(id)
    }

    /// Forgets the health of a changed backend, so that it is probed again.
    pub(crate) fn forget(&self, id: &BackendId) {
        self.monitor.forget(id, self.clock.now());
    }

    pub(crate) fn observe(&self, id: &BackendId, observation: Observation) {
        self.record_answer(id, observation.finding);
        self.monitor.observe(id, observation, ClockReading::read(&*self.clock));
    }

    /// Tells the network gate what came back from a backend; the monitor records it itself.
    pub(crate) fn record_answer(&self, id: &BackendId, finding: HealthFinding) {
        if is_answer(finding) && self.gate.has_doubts() {
            self.host(id).iter().for_each(|host| self.gate.record_answer(host));
        }
    }

    /// [`Self::observe`] for a failure of real traffic that may be the network's: looks first, in a
    /// task of its own. Of what needs no way out of this network it is none.
    pub(crate) fn observe_unreached(self: &Arc<Self>, id: &BackendId, observation: Observation) {
        let Some(host) = self.host(id).filter(|host| !is_on_own_network(host)) else {
            return self.observe(id, observation);
        };
        let (watch, id) = (Arc::clone(self), id.clone());
        self.tasks.spawn("network fault", async move {
            if !watch.gate.is_to_blame(&host).await {
                watch.observe(&id, observation);
            }
        });
    }

    /// True if the network, and not this backend, is to blame for a failure just now.
    pub(crate) async fn is_networks_fault(&self, id: &BackendId) -> bool {
        match self.host(id) {
            Some(host) => self.gate.is_to_blame(&host).await,
            None => false,
        }
    }

    fn host(&self, id: &BackendId) -> Option<Host<String>> {
        let settings = self.settings.current();
        settings.backends.get(id)?.base_url.host().map(|host| host.to_owned())
    }

    /// Watches the backends of the settings, with the health known before the restart.
    pub(crate) async fn restore(&self) -> Result<(), LedgerError> {
        let rows = self.ledger.health().await?;
        let mut stored: HashMap<BackendId, LastKnownHealth> = HashMap::new();
        for row in rows {
            // The ledger stores changes of state, not single results.
            let (state, reason, since) = (row.state, row.reason, row.since);
            let known = LastKnownHealth { state, reason, since, observed: None };
            stored.insert(row.backend, known);
        }
        self.watch(&self.settings.current(), &stored);
        Ok(())
    }

    /// Watches the backends of `settings` from now on, at the interval they give.
    pub(crate) fn apply(&self, settings: &Settings) {
        self.watch(settings, &HashMap::new());
        self.adapt_interval(false);
    }

    /// Takes in that a request came.
    pub(crate) fn record_use(&self) {
        self.adapt_interval(true);
    }

    /// Takes in what this machine runs on; takes effect with the next [`Self::adapt_interval`].
    pub(crate) fn note_power(&self, power: Option<PowerSource>) {
        self.is_on_battery.store(power == Some(PowerSource::Battery), Ordering::Relaxed);
    }

    /// Probes less often while nothing is in use, and half as often on battery.
    pub(crate) fn adapt_interval(&self, is_in_use: bool) {
        let (now, health) = (self.clock.now(), &self.settings.current().health);
        let unused = {
            let mut last_use = self.last_use.lock();
            if is_in_use {
                *last_use = now;
            }
            now.since(*last_use)
        };
        let is_idle = unused >= Duration::from_secs(health.idle_after_secs);
        let secs = match is_idle {
            true => health.idle_interval_secs.max(health.interval_secs),
            false => health.interval_secs,
        };
        let secs = if self.is_on_battery.load(Ordering::Relaxed) { secs * 2 } else { secs };
        self.monitor.set_interval(Duration::from_secs(secs));
    }

    fn watch(&self, settings: &Settings, stored: &HashMap<BackendId, LastKnownHealth>) {
        let watched = std::iter::once(&self.mock).chain(settings.backends_on().map(|(id, _)| id));
        let watched = watched.map(|id| (id.clone(), stored.get(id).cloned())).collect();
        self.monitor.set_watched(watched, self.clock.now());
    }

    /// Spawns the probes by schedule, those of silent endpoints, and the log of changes.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        probe: Arc<dyn Probe>,
        registry: Arc<EndpointRegistry>,
        (is_window_in_use, platform): (impl Fn() -> bool + Send + 'static, Arc<Platform>),
        tasks: &Tasks,
    ) {
        let (watch, stop) = (Arc::clone(self), tasks.stop_token());
        let probed = Arc::clone(self);
        self.gate.spawn(tasks, move || probed.request_all_probes());
        tasks.spawn("monitor", async move {
            watch.monitor.drive(&*probe, &*watch.clock, stop.cancelled_owned()).await;
        });
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("silent endpoints", async move {
            while ticks.sleep(Duration::from_secs(SILENT_ENDPOINTS_SECS)).await {
                let due = registry.endpoints_due_for_probe().into_iter();
                let silent: HashSet<_> = due.map(|endpoint| endpoint.backend).collect();
                silent.iter().for_each(|backend| watch.request_probe(backend));
                // Read every five minutes only.
                watch.note_power(platform.reading().await.and_then(|reading| reading.power));
                watch.adapt_interval(is_window_in_use());
            }
        });
        let (watch, stop) = (Arc::clone(self), tasks.stop_token());
        let mut changes = self.monitor.subscribe();
        tasks.spawn("health log", async move {
            while let Some(change) = next_change(&mut changes, &stop).await {
                watch.record_change(change).await;
            }
        });
    }

    /// Stores a health change in the ledger and publishes it as an event.
    pub(crate) async fn record_change(
        &self,
        WatchedTransition { id: backend, transition }: WatchedTransition,
    ) {
        let change = ledger::HealthChange {
            backend: backend.clone(),
            from: Some(transition.from),
            to: transition.to,
            at: transition.wall,
            reason: transition.reason.clone(),
        };
        if let Err(error) = self.ledger.record_health(change).await {
            tracing::warn!(%error, "a health change could not be saved");
        }
        self.events.send(EngineEvent::Health { backend, transition: Arc::new(transition) });
    }
}

/// True if something came back over the network.
pub(crate) const fn is_answer(finding: HealthFinding) -> bool {
    matches!(
        finding,
        HealthFinding::Answered | HealthFinding::KeyRejected | HealthFinding::RateLimited
    )
}

/// The next change of a monitor's states; `None` at the stop.
pub(crate) async fn next_change<Id: WatchedId>(
    changes: &mut Receiver<WatchedTransition<Id>>,
    stop: &CancellationToken,
) -> Option<WatchedTransition<Id>> {
    loop {
        match stop.run_until_cancelled(changes.recv()).await? {
            Ok(change) => return Some(change),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "changes of health were missed");
            }
            Err(RecvError::Closed) => return None,
        }
    }
}
