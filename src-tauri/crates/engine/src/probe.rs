//! Unbilled test of a backend: key from the vault, connection, list of models.
//!
//! The monitor, the Test button, Verify and the readiness checks all use it, so they cannot
//! disagree, and each shares its result with the others.

mod merge;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, BoundSecret, CredentialId, Moment};
use endpoints::Verdict;
use gateway::{Backend, ProbeFailure, Upstream};
use monitor::{ClockReading, HealthFinding, Observation, ObservationSource, Probe, ProbeResult};
use vault::VaultError;

use crate::engine::Engine;
use crate::statuses::KeyState;
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

/// The engine's [`Probe`] implementation for the monitor.
pub(crate) struct BackendProbe(pub(crate) Engine);

#[async_trait]
impl Probe for BackendProbe {
    async fn probe(&self, backend: &BackendId) -> ProbeResult {
        let report = self.0.probe_with_all_keys(backend).await;
        let reason = match report.finding {
            HealthFinding::Answered => String::new(),
            _ => report.detail,
        };
        ProbeResult { finding: report.finding, duration: report.duration, reason }
    }

    fn was_paused_since(&self, since: Moment) -> bool {
        self.0.parts.endpoint_registry.paused_since(since).is_some()
    }
}

impl Engine {
    /// Probes a backend now and reports the result to the monitor and the breakers. Nothing is
    /// billed.
    pub async fn probe(&self, id: &BackendId) -> BackendProbeReport {
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
        self.parts.monitor.observe(id, observation, ClockReading::read(&*self.parts.clock));
        self.lift_blocks_after_recheck(id, &report);
        report
    }

    /// Probes with each key in turn, so that keys not in use yet also get a status.
    async fn probe_with_all_keys(&self, id: &BackendId) -> BackendProbeReport {
        let snapshot = self.parts.snapshot.load_full();
        let Some(backend) = snapshot.backends.get(id) else {
            return unknown_backend_report(id);
        };
        let settings = self.settings();
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
        self.report_probe(id, credential.as_ref(), &report);
        let found = KeyProbe { credential, report };
        self.update_key_status(&found);
        found.into_report()
    }

    async fn read_key(
        &self,
        credential: Option<&CredentialId>,
    ) -> Result<Option<Arc<BoundSecret>>, VaultError> {
        match credential {
            Some(credential) => self.parts.vault.get(credential).await.map(Some),
            None => Ok(None),
        }
    }

    async fn probe_upstream(
        &self,
        id: &BackendId,
        backend: &Backend,
        key: Option<Arc<BoundSecret>>,
    ) -> gateway::UpstreamProbe {
        let clock = &*self.parts.clock;
        if id == &self.parts.mock {
            let mock = gateway::MockUpstream::new(Arc::clone(&self.parts.clock));
            return gateway::probe(&mock, backend, key, clock).await;
        }
        let network: &dyn Upstream = &*self.parts.upstream;
        let begun = clock.now();
        let mut report = gateway::probe(network, backend, key, clock).await;
        if let Err(failure) = &mut report.outcome {
            failure.verdict =
                self.parts.endpoint_registry.verdict_without_pauses(failure.verdict, begun);
        }
        report
    }

    fn unreadable_key_report(
        &self,
        credential: Option<&CredentialId>,
        error: &VaultError,
    ) -> BackendProbeReport {
        let missing = matches!(error, VaultError::NotFound(_));
        if let (true, Some(credential)) = (missing, credential) {
            let reason = Some("it is not in this vault; replace it to enter it again".to_owned());
            let now = self.parts.clock.wall();
            if self.parts.statuses.record_key_result(credential, KeyState::Missing, reason, now) {
                self.parts.events.send_changed(&[Topic::Keys, Topic::Status]);
            }
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
        let before = self.parts.listed_models.lock().insert(id.clone(), models.clone());
        if before.as_ref() != Some(models) {
            self.rebuild_snapshot();
            self.parts.events.send_changed(&[Topic::Backends]);
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
            let now = self.parts.clock.wall();
            if self.parts.statuses.record_key_result(credential, state, reason, now) {
                self.parts.events.send_changed(&[Topic::Keys, Topic::Status]);
            }
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
