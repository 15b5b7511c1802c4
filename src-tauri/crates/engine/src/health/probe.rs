//! Unbilled test of a backend: key from the vault, connection, list of models.
//!
//! The monitor, the Test button, Verify and the readiness checks all use it, so they cannot
//! disagree, and each shares its result with the others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, BoundSecret, Clock, CredentialId, Endpoint, Moment};
use endpoints::{EndpointRegistry, KeyGeneration, Verdict};
use gateway::{Backend, KeyError, ProbeFailure, Upstream};
use ledger::KeyVerdictSource;
use monitor::{HealthFinding, Probe, ProbeReport, ProbeStep};
use resilience::ProbeOutcome;
use settings::SettingsStore;

use crate::events::EventBus;
use crate::gateway::model_catalogue::ModelCatalogue;
use crate::gateway::snapshot::SnapshotStore;
use crate::health::backend_watch::HealthWatch;
use crate::health::endpoint_saver::EndpointSaver;
use crate::keys::statuses::{KeyResult, KeyState, KeyStatuses, NOT_IN_VAULT};
use crate::process::start_trace::StartTraces;
use crate::topic::Topic;

const READ_KEY: &str = "Read the key from the vault";
const REFRESHED: &str = "Get an access token";
const ANSWERS: &str = "Reach the backend";
const ACCEPTED: &str = "Key accepted";
const LISTED: &str = "Models listed";
/// What a probe says of a backend that the network keeps from being reached.
const NETWORK_DOWN: &str = "this machine reaches none of its backends' hosts; check its network.";
/// What a check says that began with another secret than the present one.
pub(crate) const REPLACED_MEANWHILE: &str =
    "the key was replaced while it was checked; check it again";

/// What a provider made of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyTrial {
    Accepted,
    /// With the provider's reason.
    Rejected(String),
    /// The answer says nothing about the key, or there was none; with the reason.
    Unknown(String),
}

/// Probes backends, and passes what it learns to the parts that keep it.
pub struct BackendProber {
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) models: Arc<ModelCatalogue>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) mock_upstream: Arc<dyn Upstream>,
    pub(crate) mock: BackendId,
    pub(crate) saver: Arc<EndpointSaver>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) starts: Arc<StartTraces>,
}

/// By the monitor's schedule, which records the result itself.
#[async_trait]
impl Probe for BackendProber {
    async fn probe(&self, backend: &BackendId) -> ProbeReport {
        let report = self.probe_with_all_keys(backend).await;
        if *backend != self.mock {
            self.starts.first_probe();
        }
        self.health.record_answer(backend, report.finding);
        report
    }

    fn was_paused_since(&self, since: Moment) -> bool {
        self.registry.pause_explains(since)
    }

    async fn is_networks_fault(&self, backend: &BackendId) -> bool {
        self.health.is_networks_fault(backend).await
    }
}

impl BackendProber {
    /// Probes a backend now and reports the result to the monitor and the breakers. Nothing is
    /// billed.
    pub async fn probe_now(&self, id: &BackendId) -> ProbeReport {
        let report = self.probe_with_all_keys(id).await;
        self.health.observe(id, report.observation());
        self.lift_blocks(id, &report);
        report
    }

    /// Asks a backend for its models with a key that may not be the one in use. Nothing is billed,
    /// and no other part learns of it.
    pub async fn try_key(&self, id: &BackendId, key: Arc<BoundSecret>) -> KeyTrial {
        let snapshot = self.snapshots.current();
        let Some(backend) = snapshot.backends.get(id) else {
            return KeyTrial::Unknown(format!("{id} is switched off"));
        };
        match self.list_models(id, backend, Some(key), self.clock.now()).await {
            Ok(_) => KeyTrial::Accepted,
            Err(failure) if failure.verdict == Verdict::KeyRejected => {
                KeyTrial::Rejected(failure.message)
            }
            Err(failure) => KeyTrial::Unknown(failure.message),
        }
    }

    /// Forgets what probes learnt of a changed backend, so that it is probed again.
    pub fn forget(&self, id: &BackendId) {
        self.models.forget(id);
        self.health.forget(id);
    }

    /// Unblocks the endpoints of keys that were accepted, or the one without a key that answered.
    fn lift_blocks(&self, backend: &BackendId, report: &ProbeReport) {
        let accepted = report.keys.iter().filter(|key| key.has_models);
        let mut passed: Vec<_> = accepted.map(|key| Some(key.credential.clone())).collect();
        if report.keys.is_empty() && report.models.is_some() {
            passed.push(None);
        }
        for credential in passed {
            let endpoint = Endpoint { backend: backend.clone(), credential };
            self.registry.lift_block_after_recheck(&endpoint);
        }
    }

    /// Probes with each key in turn, so that keys not in use yet also get a status.
    async fn probe_with_all_keys(&self, id: &BackendId) -> ProbeReport {
        let snapshot = self.snapshots.current();
        let Some(backend) = snapshot.backends.get(id) else {
            let detail = format!("there is no backend named {id}");
            return ProbeReport::new(HealthFinding::Failed, detail, Duration::ZERO);
        };
        let settings = self.settings.current();
        let keys: Vec<CredentialId> = match settings.backends.get(id) {
            Some(known) => known.pool.credentials().cloned().collect(),
            None => Vec::new(),
        };
        let report = if keys.is_empty() {
            self.probe_with_key(id, backend, None).await
        } else {
            let mut reports = Vec::with_capacity(keys.len());
            for key in keys {
                let report = self.probe_with_key(id, backend, Some(key.clone())).await;
                reports.push((key, report));
            }
            ProbeReport::merge(reports)
        };
        self.update_listed_models(id, report.models.as_ref());
        report
    }

    async fn probe_with_key(
        &self,
        id: &BackendId,
        backend: &Backend,
        credential: Option<CredentialId>,
    ) -> ProbeReport {
        let generation = credential.as_ref().map(|key| self.keys.generation(key));
        let key = match self.key_to_send(credential.as_ref()).await {
            Ok(key) => key,
            Err(error) => {
                let sent = credential.as_ref().zip(generation);
                return self.unreadable_key_report(id, sent, &error);
            }
        };
        let begun = self.clock.now();
        let mut outcome = self.list_models(id, backend, key, begun).await;
        if generation != credential.as_ref().map(|key| self.keys.generation(key)) {
            let message = REPLACED_MEANWHILE.to_owned();
            outcome = Err(ProbeFailure { verdict: Verdict::NotSent, http_status: None, message });
        }
        let duration = self.clock.now().since(begun);
        let endpoint = Endpoint { backend: id.clone(), credential };
        self.report_to_breaker(&endpoint, &outcome);
        if let Some(sent) = endpoint.credential.as_ref().zip(generation) {
            self.update_key_status(id, sent, &outcome);
        }
        let is_keyed = endpoint.credential.is_some();
        match outcome {
            Ok(models) => answered_report(models, is_keyed, duration),
            Err(failure) => failed_report(&failure, is_keyed, duration),
        }
    }

    async fn key_to_send(
        &self,
        credential: Option<&CredentialId>,
    ) -> Result<Option<Arc<BoundSecret>>, KeyError> {
        match credential {
            Some(credential) => self.keys.access_tokens().key(credential).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list_models(
        &self,
        id: &BackendId,
        backend: &Backend,
        key: Option<Arc<BoundSecret>>,
        begun: Moment,
    ) -> Result<Vec<String>, ProbeFailure> {
        let clock = &*self.clock;
        if id == &self.mock {
            return gateway::probe(&*self.mock_upstream, backend, key, clock).await;
        }
        let mut outcome = gateway::probe(&*self.network, backend, key, clock).await;
        if let Err(failure) = &mut outcome {
            failure.verdict = self.registry.verdict_without_pauses(failure.verdict, begun);
            if failure.verdict.is_unreached() && self.health.is_networks_fault(id).await {
                failure.verdict = Verdict::NotSent;
                failure.message = NETWORK_DOWN.to_owned();
            }
        }
        outcome
    }

    /// Reports a probe to the endpoint's breaker, unless the result says nothing about the
    /// endpoint.
    fn report_to_breaker(&self, endpoint: &Endpoint, outcome: &Result<Vec<String>, ProbeFailure>) {
        let outcome = match outcome {
            Ok(_) => ProbeOutcome::Passed,
            Err(failure) => match failure.verdict {
                Verdict::NotSent | Verdict::Cancelled => return,
                Verdict::BackendFailure(_) => ProbeOutcome::Failed,
                // The backend answers, whatever it says about the key.
                _ => ProbeOutcome::Passed,
            },
        };
        self.registry.report_probe(endpoint, outcome);
        self.saver.mark_unsaved();
    }

    fn unreadable_key_report(
        &self,
        backend: &BackendId,
        sent: Option<(&CredentialId, KeyGeneration)>,
        error: &KeyError,
    ) -> ProbeReport {
        let missing = error.is_missing();
        if let (true, Some(sent)) = (missing, sent) {
            let reason = Some(NOT_IN_VAULT.to_owned());
            self.set_key_state(backend, sent, KeyState::Missing, reason);
        }
        let finding = match error {
            KeyError::Rejected(_) => HealthFinding::KeyRejected,
            // A vault that is locked or out of reach says nothing about the backend.
            KeyError::Vault(_) if !missing => HealthFinding::LocalFault,
            KeyError::Vault(_) | KeyError::Expired(_) => HealthFinding::Failed,
        };
        let (detail, fix) = (error.to_string(), error.hint().map(str::to_owned));
        let read = ProbeStep::Failed {
            title: if matches!(error, KeyError::Vault(_)) { READ_KEY } else { REFRESHED }
                .to_owned(),
            detail: detail.clone(),
            fix: fix.clone(),
        };
        let steps = vec![read, skipped_step(ANSWERS), skipped_step(ACCEPTED), skipped_step(LISTED)];
        let report = ProbeReport::new(finding, detail, Duration::ZERO);
        ProbeReport { fix, key_missing: missing, steps, ..report }
    }

    fn update_listed_models(&self, id: &BackendId, listed: Option<&Vec<String>>) {
        let Some(models) = listed else { return };
        if self.models.set_listed(id, models) {
            self.snapshots.rebuild();
            self.events.send_changed(&[Topic::Backends]);
        }
    }

    fn set_key_state(
        &self,
        backend: &BackendId,
        (key, generation): (&CredentialId, KeyGeneration),
        state: KeyState,
        reason: Option<String>,
    ) {
        let (place, source, at) = (backend.as_str(), KeyVerdictSource::Check, self.clock.wall());
        let result = KeyResult { key, generation, place, source, state, reason, at };
        if self.keys.record_result(result) {
            self.events.send_changed(&[Topic::Keys, Topic::Status]);
        }
    }

    fn update_key_status(
        &self,
        backend: &BackendId,
        sent: (&CredentialId, KeyGeneration),
        outcome: &Result<Vec<String>, ProbeFailure>,
    ) {
        match outcome {
            Ok(_) => self.set_key_state(backend, sent, KeyState::Valid, None),
            Err(failure) if failure.verdict == Verdict::KeyRejected => {
                let reason = Some(failure.message.clone());
                self.set_key_state(backend, sent, KeyState::Rejected, reason);
            }
            Err(_) => {}
        }
    }
}

/// The first steps of a probe that got past the vault.
fn first_steps(is_keyed: bool) -> Vec<ProbeStep> {
    let read = || passed_step(READ_KEY, "found and bound to this host", None);
    is_keyed.then(read).into_iter().collect()
}

fn answered_report(models: Vec<String>, is_keyed: bool, duration: Duration) -> ProbeReport {
    let mut steps = first_steps(is_keyed);
    steps.push(passed_step(ANSWERS, "it answers", Some(duration)));
    if is_keyed {
        steps.push(passed_step(ACCEPTED, "a free call succeeded", None));
    }
    let listed = format!("{} models", models.len());
    steps.push(passed_step(LISTED, &listed, None));
    let detail = format!("it answers and lists {listed}");
    let report = ProbeReport::new(HealthFinding::Answered, detail, duration);
    ProbeReport { models: Some(models), steps, ..report }
}

fn failed_report(failure: &ProbeFailure, is_keyed: bool, duration: Duration) -> ProbeReport {
    let mut steps = first_steps(is_keyed);
    let detail = failure.message.clone();
    let fail = |title: &str, fix: Option<&str>| ProbeStep::Failed {
        title: title.to_owned(),
        detail: detail.clone(),
        fix: fix.map(str::to_owned),
    };
    let (finding, fix) = match failure.verdict {
        Verdict::KeyRejected => {
            let fix = "Replace the key with one the provider accepts.";
            steps.push(passed_step(ANSWERS, "it answers", Some(duration)));
            steps.extend([fail(ACCEPTED, Some(fix)), skipped_step(LISTED)]);
            (HealthFinding::KeyRejected, Some(fix))
        }
        Verdict::RateLimited | Verdict::KeyUnpaid => {
            steps.push(passed_step(ANSWERS, "it answers", Some(duration)));
            steps.extend([fail(ACCEPTED, None), skipped_step(LISTED)]);
            (HealthFinding::RateLimited, None)
        }
        Verdict::NotSent => {
            steps.extend([fail(ANSWERS, None), skipped_step(LISTED)]);
            (HealthFinding::LocalFault, None)
        }
        // The backend answers but has no model list, so its models must be declared.
        Verdict::ClientFault => {
            let fix = "Enter the models of this backend; it does not list them.";
            steps.push(passed_step(ANSWERS, "it answers", Some(duration)));
            steps.push(fail(LISTED, Some(fix)));
            (HealthFinding::Answered, Some(fix))
        }
        _ => {
            steps.push(fail(ANSWERS, None));
            if is_keyed {
                steps.push(skipped_step(ACCEPTED));
            }
            steps.push(skipped_step(LISTED));
            (HealthFinding::Failed, None)
        }
    };
    let report = ProbeReport::new(finding, detail, duration);
    ProbeReport { fix: fix.map(str::to_owned), steps, ..report }
}

fn passed_step(title: &str, detail: &str, duration: Option<Duration>) -> ProbeStep {
    ProbeStep::Passed { title: title.to_owned(), detail: detail.to_owned(), duration }
}

fn skipped_step(title: &str) -> ProbeStep {
    ProbeStep::Skipped { title: title.to_owned() }
}
