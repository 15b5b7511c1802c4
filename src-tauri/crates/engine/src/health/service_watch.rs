//! Services beside the backends: watched by a monitor of their own, with the same states.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BoundSecret, Clock, ClockReading, CredentialId, HealthState, Moment, ServiceId};
use endpoints::{EndpointRegistry, KeyGeneration};
use gateway::Upstream;
use indexmap::IndexMap;
use ledger::{KeyVerdictSource, Ledger, LedgerError, ServiceHealthRow};
use monitor::{
    HealthFinding, HealthTransition, LastKnownHealth, Monitor, ObservedHealth, Probe, ProbeReport,
    WatchedTransition,
};
use parking_lot::Mutex;
use service_checks::{ServiceAccount, ServiceCheck, check_service, unreadable_key_report};
use settings::{ServiceSettings, Settings, SettingsStore};

use crate::events::{EngineEvent, EventBus};
use crate::health::backend_watch::{is_answer, next_change};
use crate::health::network_gate::NetworkGate;
use crate::health::probe::{KeyTrial, REPLACED_MEANWHILE};
use crate::keys::statuses::{KeyResult, KeyState, KeyStatuses, NOT_IN_VAULT};
use crate::process::tasks::Tasks;
use crate::topic::Topic;

pub struct ServiceWatch {
    pub(crate) monitor: Monitor<ServiceId>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) gate: Arc<NetworkGate>,
    /// What each service said of its token at its last check.
    pub(crate) accounts: Mutex<BTreeMap<ServiceId, ServiceAccount>>,
    /// The services that are watched now, by which changes are noticed.
    pub(crate) applied: Mutex<IndexMap<ServiceId, ServiceSettings>>,
}

/// By the monitor's schedule, which records the result itself.
#[async_trait]
impl Probe<ServiceId> for ServiceWatch {
    async fn probe(&self, id: &ServiceId) -> ProbeReport {
        self.check(id).await
    }

    fn was_paused_since(&self, since: Moment) -> bool {
        self.registry.pause_explains(since)
    }

    async fn is_networks_fault(&self, id: &ServiceId) -> bool {
        let settings = self.settings.current();
        match settings.services.get(id) {
            Some(service) => self.gate.is_to_blame(service.address.host()).await,
            None => false,
        }
    }
}

impl ServiceWatch {
    /// `None` for a service that is switched off.
    #[must_use]
    pub fn health(&self, id: &ServiceId) -> Option<ObservedHealth> {
        self.monitor.view(id, ClockReading::read(&*self.clock))
    }

    /// What the service said of its token at its last check.
    #[must_use]
    pub fn account(&self, id: &ServiceId) -> Option<ServiceAccount> {
        self.accounts.lock().get(id).cloned()
    }

    /// Checks a service now and reports the result to the monitor. Nothing is billed.
    pub async fn check_now(&self, id: &ServiceId) -> ProbeReport {
        let report = self.check(id).await;
        self.monitor.observe(id, report.observation(), ClockReading::read(&*self.clock));
        self.events.send_changed(&[Topic::Health]);
        report
    }

    /// Asks a service with a key that may not be the one in use. Nothing is billed, and no other part
    /// learns of it.
    pub async fn try_key(&self, id: &ServiceId, key: Arc<BoundSecret>) -> KeyTrial {
        let settings = self.settings.current();
        let Some(service) = settings.services.get(id) else {
            return KeyTrial::Unknown(format!("{id} is not watched"));
        };
        let checking = check_service(service, Some(key), &*self.network, &*self.clock);
        let ServiceCheck { report, .. } = checking.await;
        match report.finding {
            HealthFinding::Answered => KeyTrial::Accepted,
            HealthFinding::KeyRejected => KeyTrial::Rejected(report.detail),
            _ => KeyTrial::Unknown(report.detail),
        }
    }

    /// Checks all services that use a key, as soon as slots are free.
    pub fn request_checks_with(&self, key: &CredentialId) {
        let settings = self.settings.current();
        settings.services_with(key).for_each(|id| self.monitor.request_probe(id));
    }

    pub(crate) fn request_all_checks(&self) {
        self.settings.current().services.keys().for_each(|id| self.monitor.request_probe(id));
    }

    /// Whether each service works, where that is known.
    pub(crate) fn answers(&self) -> Vec<(ServiceId, bool)> {
        let (settings, is_offline) = (self.settings.current(), self.gate.is_offline());
        let seen = |(id, known): (&ServiceId, &ServiceSettings)| {
            let is_within_reach = !is_offline || known.address.is_loopback();
            let is_up = self.health(id).filter(|_| is_within_reach)?.state.is_up()?;
            Some((id.clone(), is_up))
        };
        settings.services.iter().filter_map(seen).collect()
    }

    /// Watches the services of the settings, with the health known before the restart of those that
    /// have the same address.
    pub(crate) async fn restore(&self) -> Result<(), LedgerError> {
        let settings = self.settings.current();
        let mut stored = HashMap::new();
        for row in self.ledger.service_health().await? {
            let known = settings.services.get(&row.service).filter(|known| known.enabled);
            if known.is_none_or(|known| known.address.to_string() != row.address) {
                // It was switched off, changed or removed while nothing ran.
                if row.state != HealthState::Unknown {
                    self.record_end(&row.service, row.address);
                }
                continue;
            }
            let ServiceHealthRow { service, state, since, reason, .. } = row;
            // The ledger stores changes of state, not single results.
            stored.insert(service, LastKnownHealth { state, reason, since, observed: None });
        }
        self.watch(&settings, &stored);
        Ok(())
    }

    fn watch(&self, settings: &Settings, stored: &HashMap<ServiceId, LastKnownHealth>) {
        let enabled = settings.services.iter().filter(|(_, service)| service.enabled);
        let watched = enabled.map(|(id, _)| (id.clone(), stored.get(id).cloned())).collect();
        self.monitor.set_watched(watched, self.clock.now());
    }

    /// Watches the services of `settings` from now on, at the interval they give.
    pub(crate) fn apply(&self, settings: &Settings) {
        let is_settled = |id: &ServiceId| {
            self.health(id).is_some_and(|known| known.state != HealthState::Unknown)
        };
        let settled: BTreeSet<ServiceId> =
            self.applied.lock().keys().filter(|id| is_settled(id)).cloned().collect();
        self.watch(settings, &HashMap::new());
        self.monitor.set_interval(Duration::from_secs(settings.health.interval_secs));
        let before = std::mem::replace(&mut *self.applied.lock(), settings.services.clone());
        for (id, service) in &before {
            if settings.services.get(id).is_none_or(|now| !is_checked_alike(service, now)) {
                self.accounts.lock().remove(id);
                self.monitor.forget(id, self.clock.now());
                if settled.contains(id) {
                    self.record_end(id, service.address.to_string());
                }
            }
        }
    }

    /// Spawns the checks by schedule, and tells of changes.
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, stop) = (Arc::clone(self), tasks.stop_token());
        tasks.spawn("services", async move {
            watch.monitor.drive(&*watch, &*watch.clock, stop.cancelled_owned()).await;
        });
        let (watch, stop) = (Arc::clone(self), tasks.stop_token());
        let mut changes = self.monitor.subscribe();
        tasks.spawn("service changes", async move {
            while let Some(WatchedTransition { id, transition }) =
                next_change(&mut changes, &stop).await
            {
                watch.record_change(&id, &transition).await;
                let transition = Arc::new(transition);
                watch.events.send(EngineEvent::Service { service: id, transition });
            }
        });
    }

    /// Writes down that nobody knows from now on whether it works, so that a past in which it was down
    /// has an end. It is queued at once, in the order of the states.
    fn record_end(&self, id: &ServiceId, address: String) {
        drop(self.ledger.record_service_health(ServiceHealthRow {
            service: id.clone(),
            address,
            state: HealthState::Unknown,
            since: self.clock.wall(),
            reason: "it is not watched any more".to_owned(),
        }));
    }

    /// Stores a settled state in the ledger, unless it was forgotten meanwhile.
    async fn record_change(&self, id: &ServiceId, transition: &HealthTransition) {
        let settings = self.settings.current();
        let Some(known) = settings.services.get(id) else { return };
        let is_forgotten = self.health(id).is_none_or(|health| health.state != transition.to);
        if is_forgotten || transition.to == HealthState::Unknown {
            return;
        }
        let row = ServiceHealthRow {
            service: id.clone(),
            address: known.address.to_string(),
            state: transition.to,
            since: transition.wall,
            reason: transition.reason.clone(),
        };
        if let Err(error) = self.ledger.record_service_health(row).await {
            tracing::warn!(%error, "the health of a service could not be saved");
        }
    }

    async fn check(&self, id: &ServiceId) -> ProbeReport {
        let settings = self.settings.current();
        let Some(service) = settings.services.get(id) else {
            let detail = format!("there is no service named {id}");
            return ProbeReport::new(HealthFinding::Failed, detail, Duration::ZERO);
        };
        let generation = |key: &CredentialId| self.keys.generation(key);
        let sent = service.credential.as_ref().map(|key| (key, generation(key)));
        let key = match self.read_key(id, sent).await {
            Ok(key) => key,
            Err(report) => return report,
        };
        let ServiceCheck { mut report, account } =
            check_service(service, key, &*self.network, &*self.clock).await;
        if sent.is_some_and(|(key, sent)| sent != generation(key)) {
            let detail = REPLACED_MEANWHILE.to_owned();
            return ProbeReport::new(HealthFinding::LocalFault, detail, report.duration);
        }
        let host = service.address.host();
        if report.finding == HealthFinding::Failed && self.gate.is_to_blame(host).await {
            report.finding = HealthFinding::LocalFault;
        }
        if is_answer(report.finding) {
            self.gate.record_answer(host);
        }
        if let Some(sent) = sent {
            self.record_key(id, sent, &report);
        }
        match account {
            Some(account) => drop(self.accounts.lock().insert(id.clone(), account)),
            None if report.finding == HealthFinding::LocalFault => {}
            None => drop(self.accounts.lock().remove(id)),
        }
        report
    }

    async fn read_key(
        &self,
        service_id: &ServiceId,
        sent: Option<(&CredentialId, KeyGeneration)>,
    ) -> Result<Option<Arc<BoundSecret>>, ProbeReport> {
        let Some((id, generation)) = sent else { return Ok(None) };
        let error = match self.keys.access_tokens().key(id).await {
            Ok(key) => return Ok(Some(key)),
            Err(error) => error,
        };
        if error.is_missing() {
            let reason = Some(NOT_IN_VAULT.to_owned());
            self.set_key_state(service_id, (id, generation), KeyState::Missing, reason);
        }
        Err(unreadable_key_report(&error))
    }

    fn record_key(
        &self,
        service: &ServiceId,
        sent: (&CredentialId, KeyGeneration),
        report: &ProbeReport,
    ) {
        match report.finding {
            HealthFinding::Answered => self.set_key_state(service, sent, KeyState::Valid, None),
            HealthFinding::KeyRejected => {
                let reason = Some(report.detail.clone());
                self.set_key_state(service, sent, KeyState::Rejected, reason);
            }
            HealthFinding::Failed | HealthFinding::RateLimited | HealthFinding::LocalFault => {}
        }
    }

    fn set_key_state(
        &self,
        service: &ServiceId,
        (key, generation): (&CredentialId, KeyGeneration),
        state: KeyState,
        reason: Option<String>,
    ) {
        let (place, source, at) = (service.as_str(), KeyVerdictSource::Check, self.clock.wall());
        let result = KeyResult { key, generation, place, source, state, reason, at };
        if self.keys.record_result(result) {
            self.events.send_changed(&[Topic::Keys, Topic::Status]);
        }
    }
}

/// True if what is known of one holds for the other.
fn is_checked_alike(before: &ServiceSettings, now: &ServiceSettings) -> bool {
    let ServiceSettings { label, required, objective, .. } = now.clone();
    ServiceSettings { label, required, objective, ..before.clone() } == *now
}
