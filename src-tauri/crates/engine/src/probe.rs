//! Unbilled test of a backend: key from the vault, connection, list of models.
//!
//! The monitor, the Test button, Verify and the readiness checks all use it, so they cannot
//! disagree, and each shares its result with the others.

mod merge;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, BoundSecret, Clock, CredentialId, Endpoint, Moment};
use endpoints::{EndpointRegistry, Verdict};
use gateway::{Backend, ProbeFailure, Upstream};
use monitor::{HealthFinding, Observation, ObservationSource, Probe, ProbeResult};
use resilience::ProbeOutcome;
use settings::SettingsStore;
use vault::{Vault, VaultError};

use crate::endpoint_saver::EndpointSaver;
use crate::events::EventBus;
use crate::health_watch::HealthWatch;
use crate::key_statuses::{KeyState, KeyStatuses};
use crate::model_catalogue::ModelCatalogue;
use crate::snapshot::SnapshotStore;
use crate::topic::Topic;

#[derive(Debug, Clone)]
pub struct BackendProbeReport {
    pub finding: HealthFinding,
    /// The result in words.
    pub detail: String,
    /// What to do.
    pub fix: Option<String>,
    /// Models the backend lists; `None` if it did not list any.
    pub models: Option<Vec<String>>,
    /// True if the backend's key is not in the vault.
    pub key_missing: bool,
    pub steps: Vec<ProbeStep>,
    /// Results per key, in the order of the pool; empty for a backend without keys.
    pub keys: Vec<KeyProbeReport>,
    duration: Duration,
}

/// Result of probing with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProbeReport {
    pub credential: CredentialId,
    pub finding: HealthFinding,
    /// True if the key is not in the vault.
    pub missing: bool,
    /// The result in words.
    pub detail: String,
    /// What to do.
    pub fix: Option<String>,
}

#[derive(Debug, Clone)]
pub enum ProbeStep {
    Passed {
        title: String,
        detail: String,
        /// `None` where a duration means nothing.
        duration: Option<Duration>,
    },
    Failed {
        title: String,
        detail: String,
        /// What to do.
        fix: Option<String>,
    },
    /// Not tried, because an earlier step failed.
    Skipped {
        /// Title of the step.
        title: String,
    },
}

const READ_KEY: &str = "Read the key from the vault";
const ANSWERS: &str = "Reach the backend";
const ACCEPTED: &str = "Key accepted";
const LISTED: &str = "Models listed";

/// Probes backends, and passes what it learns to the parts that keep it.
pub struct BackendProber {
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) models: Arc<ModelCatalogue>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) mock_upstream: Arc<dyn Upstream>,
    pub(crate) mock: BackendId,
    pub(crate) saver: Arc<EndpointSaver>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
}

/// By the monitor's schedule, which records the result itself.
#[async_trait]
impl Probe for BackendProber {
    async fn probe(&self, backend: &BackendId) -> ProbeResult {
        let report = self.probe_with_all_keys(backend).await;
        let reason = match report.finding {
            HealthFinding::Answered => String::new(),
            _ => report.detail,
        };
        ProbeResult { finding: report.finding, duration: report.duration, reason }
    }

    fn was_paused_since(&self, since: Moment) -> bool {
        self.registry.paused_since(since).is_some()
    }
}

impl BackendProber {
    /// Probes a backend now and reports the result to the monitor and the breakers. Nothing is
    /// billed.
    pub async fn probe_now(&self, id: &BackendId) -> BackendProbeReport {
        let report = self.probe_with_all_keys(id).await;
        let observation = Observation {
            source: ObservationSource::Probe,
            finding: report.finding,
            reason: match report.finding {
                HealthFinding::Answered => String::new(),
                _ => report.detail.clone(),
            },
            duration: report.duration,
        };
        self.health.observe(id, observation);
        self.lift_blocks(id, &report);
        report
    }

    /// Forgets what probes learnt of a changed backend, so that it is probed again.
    pub fn forget(&self, id: &BackendId) {
        self.models.forget(id);
        self.health.forget(id);
    }

    /// Unblocks the endpoints of keys that were accepted.
    fn lift_blocks(&self, backend: &BackendId, report: &BackendProbeReport) {
        let passed = report.keys.iter().filter(|key| key.finding == HealthFinding::Answered);
        for key in passed {
            let credential = Some(key.credential.clone());
            let endpoint = Endpoint { backend: backend.clone(), credential };
            self.registry.lift_block_after_recheck(&endpoint);
        }
    }

    /// Probes with each key in turn, so that keys not in use yet also get a status.
    async fn probe_with_all_keys(&self, id: &BackendId) -> BackendProbeReport {
        let snapshot = self.snapshots.current();
        let Some(backend) = snapshot.backends.get(id) else {
            return unknown_backend_report(id);
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
            merge::merge_reports(reports)
        };
        self.update_listed_models(id, report.models.as_ref());
        report
    }

    async fn probe_with_key(
        &self,
        id: &BackendId,
        backend: &Backend,
        credential: Option<CredentialId>,
    ) -> BackendProbeReport {
        let key = match self.read_key(credential.as_ref()).await {
            Ok(key) => key,
            Err(error) => return self.unreadable_key_report(credential.as_ref(), &error),
        };
        let report = self.probe_upstream(id, backend, key).await;
        let endpoint = Endpoint { backend: id.clone(), credential: credential.clone() };
        self.report_to_breaker(&endpoint, &report);
        let found = KeyProbe { credential, report };
        self.update_key_status(&found);
        found.into_report()
    }

    async fn read_key(
        &self,
        credential: Option<&CredentialId>,
    ) -> Result<Option<Arc<BoundSecret>>, VaultError> {
        match credential {
            Some(credential) => self.vault.get(credential).await.map(Some),
            None => Ok(None),
        }
    }

    async fn probe_upstream(
        &self,
        id: &BackendId,
        backend: &Backend,
        key: Option<Arc<BoundSecret>>,
    ) -> gateway::UpstreamProbe {
        let clock = &*self.clock;
        if id == &self.mock {
            return gateway::probe(&*self.mock_upstream, backend, key, clock).await;
        }
        let begun = clock.now();
        let mut report = gateway::probe(&*self.network, backend, key, clock).await;
        if let Err(failure) = &mut report.outcome {
            failure.verdict = self.registry.verdict_without_pauses(failure.verdict, begun);
        }
        report
    }

    /// Reports a probe to the endpoint's breaker, unless the result says nothing about the
    /// endpoint.
    fn report_to_breaker(&self, endpoint: &Endpoint, report: &gateway::UpstreamProbe) {
        let outcome = match &report.outcome {
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
        credential: Option<&CredentialId>,
        error: &VaultError,
    ) -> BackendProbeReport {
        let missing = matches!(error, VaultError::NotFound(_));
        if let (true, Some(credential)) = (missing, credential) {
            let reason = Some("it is not in this vault; replace it to enter it again".to_owned());
            self.set_key_state(credential, KeyState::Missing, reason);
        }
        let (detail, fix) = (error.to_string(), error.hint().map(str::to_owned));
        BackendProbeReport {
            finding: HealthFinding::Failed,
            steps: vec![
                ProbeStep::Failed {
                    title: READ_KEY.to_owned(),
                    detail: detail.clone(),
                    fix: fix.clone(),
                },
                skipped_step(ANSWERS),
                skipped_step(ACCEPTED),
                skipped_step(LISTED),
            ],
            detail,
            fix,
            models: None,
            key_missing: missing,
            keys: Vec::new(),
            duration: Duration::ZERO,
        }
    }

    fn update_listed_models(&self, id: &BackendId, listed: Option<&Vec<String>>) {
        let Some(models) = listed else { return };
        if self.models.set_listed(id, models) {
            self.snapshots.rebuild();
            self.events.send_changed(&[Topic::Backends]);
        }
    }

    fn set_key_state(&self, id: &CredentialId, state: KeyState, reason: Option<String>) {
        if self.keys.record_result(id, state, reason, self.clock.wall()) {
            self.events.send_changed(&[Topic::Keys, Topic::Status]);
        }
    }

    fn update_key_status(&self, found: &KeyProbe) {
        let state = match &found.report.outcome {
            Ok(_) => Some((KeyState::Valid, None)),
            Err(failure) if failure.verdict == Verdict::KeyRejected => {
                Some((KeyState::Rejected, Some(failure.message.clone())))
            }
            Err(_) => None,
        };
        if let (Some(credential), Some((state, reason))) = (&found.credential, state) {
            self.set_key_state(credential, state, reason);
        }
    }
}

struct KeyProbe {
    credential: Option<CredentialId>,
    report: gateway::UpstreamProbe,
}

impl KeyProbe {
    fn into_report(self) -> BackendProbeReport {
        let keyed = self.credential.is_some();
        let duration = self.report.duration;
        let mut steps = Vec::new();
        if keyed {
            steps.push(passed_step(READ_KEY, "found and bound to this host", None));
        }
        match self.report.outcome {
            Ok(models) => {
                steps.push(passed_step(ANSWERS, "it answers", Some(duration)));
                if keyed {
                    steps.push(passed_step(ACCEPTED, "a free call succeeded", None));
                }
                let detail = format!("{} models", models.len());
                steps.push(passed_step(LISTED, &detail, None));
                BackendProbeReport {
                    finding: HealthFinding::Answered,
                    detail: format!("it answers and lists {detail}"),
                    fix: None,
                    models: Some(models),
                    key_missing: false,
                    keys: Vec::new(),
                    steps,
                    duration,
                }
            }
            Err(failure) => failed_probe_report(&failure, steps, keyed, duration),
        }
    }
}

fn failed_probe_report(
    failure: &ProbeFailure,
    mut steps: Vec<ProbeStep>,
    keyed: bool,
    duration: Duration,
) -> BackendProbeReport {
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
            if keyed {
                steps.push(skipped_step(ACCEPTED));
            }
            steps.push(skipped_step(LISTED));
            (HealthFinding::Failed, None)
        }
    };
    BackendProbeReport {
        finding,
        detail,
        fix: fix.map(str::to_owned),
        models: None,
        key_missing: false,
        keys: Vec::new(),
        steps,
        duration,
    }
}

fn unknown_backend_report(id: &BackendId) -> BackendProbeReport {
    let detail = format!("there is no backend named {id}");
    BackendProbeReport {
        finding: HealthFinding::Failed,
        detail,
        fix: None,
        models: None,
        key_missing: false,
        keys: Vec::new(),
        steps: Vec::new(),
        duration: Duration::ZERO,
    }
}

fn passed_step(title: &str, detail: &str, duration: Option<Duration>) -> ProbeStep {
    ProbeStep::Passed { title: title.to_owned(), detail: detail.to_owned(), duration }
}

fn skipped_step(title: &str) -> ProbeStep {
    ProbeStep::Skipped { title: title.to_owned() }
}
