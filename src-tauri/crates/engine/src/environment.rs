//! Facts of this engine for the readiness checks, without judgement, and the start of a run on them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::BackendId;
use gateway::{LoopbackCall, loopback_call};
use monitor::HealthFinding;
use readiness::{
    BackendModelFacts, BackendNeed, BackendTarget, CheckInputs, CheckSet, CredentialFacts,
    DataFolderFacts, GatewayCall, GatewayReply, LedgerFacts, LedgerProblemFacts, ProblemSeverity,
    ReadinessEnvironment, RunSnapshot, SettingsProblem, SimulatedCaller, VaultFacts,
    VaultTestResult,
};
use settings::Severity;
use vault::VaultError;

use crate::engine::Engine;
use crate::ledger_problem::LedgerSeverity;
use crate::readiness_runs::{ReadinessRuns, RunError};

/// A model of the mock that answers immediately.
const MOCK_MODEL: &str = "mock/echo";

impl Engine {
    #[must_use]
    pub fn readiness_runs(&self) -> &ReadinessRuns {
        &self.parts.runs
    }

    /// Starts a readiness run of this engine and returns its first snapshot.
    pub async fn start_run(&self, set: CheckSet) -> Result<RunSnapshot, RunError> {
        let environment: Arc<dyn ReadinessEnvironment> = Arc::new(EngineEnvironment(self.clone()));
        self.parts.runs.start(set, &environment, &self.check_inputs()).await
    }

    fn check_inputs(&self) -> CheckInputs {
        let settings = self.settings();
        let enabled = settings.backends.iter().filter(|(_, known)| known.enabled);
        let only = enabled.clone().count() == 1;
        let backends = enabled
            .map(|(id, known)| BackendTarget {
                backend: id.clone(),
                label: known.label.clone(),
                credential: known.credential().cloned(),
                need: if only { BackendNeed::Required } else { BackendNeed::Optional },
            })
            .collect();
        CheckInputs { mock_model: MOCK_MODEL.to_owned(), backends, clients: settings.clients.len() }
    }
}

struct EngineEnvironment(Engine);

#[async_trait]
impl ReadinessEnvironment for EngineEnvironment {
    async fn data_folder(&self) -> DataFolderFacts {
        let folder = self.0.folders().data.clone();
        let look = tokio::task::spawn_blocking(move || test_data_folder(&folder));
        look.await.unwrap_or_else(|error| DataFolderFacts {
            path: self.0.folders().data.display().to_string(),
            writable: Err(error.to_string()),
            free_bytes: None,
        })
    }

    async fn settings_problems(&self) -> Vec<SettingsProblem> {
        let problems = self.0.settings_problems().into_iter();
        let fact = |problem: settings::FileProblem| SettingsProblem {
            severity: match problem.severity {
                Severity::Error => ProblemSeverity::Error,
                Severity::Warning => ProblemSeverity::Warning,
            },
            message: match problem.path.as_str() {
                "" => problem.what,
                path => format!("{path}: {}", problem.what),
            },
            fix: problem.hint,
        };
        problems.map(fact).collect()
    }

    async fn ledger(&self) -> LedgerFacts {
        let integrity = match self.0.ledger().check_integrity().await {
            Ok(report) if report.is_sound() => Ok(()),
            Ok(report) => Err(report.problems.join("; ")),
            Err(error) => Err(error.to_string()),
        };
        // Opening upgrades an older file and refuses a newer one.
        let version = ledger::schema_version();
        let problems = self.0.ledger_problems().into_iter().map(|problem| LedgerProblemFacts {
            title: lowercase_first_letter(&problem.title),
            fix: problem.detail,
            severity: match problem.severity {
                LedgerSeverity::Problem => ProblemSeverity::Error,
                LedgerSeverity::Attention => ProblemSeverity::Warning,
            },
        });
        LedgerFacts {
            integrity,
            problems: problems.collect(),
            schema_found: version,
            schema_expected: version,
        }
    }

    async fn vault(&self) -> VaultFacts {
        let test_result = match self.0.vault().probe().await {
            Ok(()) => VaultTestResult::Kept,
            Err(VaultError::Locked(_)) => VaultTestResult::Locked,
            Err(VaultError::NoCollection | VaultError::Unavailable { .. }) => {
                VaultTestResult::Missing
            }
            Err(VaultError::Hung) => VaultTestResult::Hung,
            Err(VaultError::Damaged(_)) => VaultTestResult::Lost,
            Err(VaultError::ReadOnly) => VaultTestResult::ReadOnly,
            Err(error) => VaultTestResult::Failed(error.to_string()),
        };
        VaultFacts {
            store: self.0.vault().kind().to_string(),
            needed: self.0.settings().backends.values().any(needs_key),
            test_result,
        }
    }

    async fn gateway_listeners(&self) -> Vec<SocketAddr> {
        self.0.gateway_sockets()
    }

    async fn call_gateway(&self, call: GatewayCall) -> Result<GatewayReply, String> {
        let mut request = LoopbackCall::to(self.0.gateway_port(), call.path);
        request = match call.caller {
            SimulatedCaller::Client => request.with_token(&self.0.parts.check_token.secret),
            SimulatedCaller::NoToken => request,
            SimulatedCaller::WebPage => request
                .with_token(&self.0.parts.check_token.secret)
                .with_header("origin", "https://page.example"),
        };
        if let Some(body) = call.body {
            request = request.with_json(body.into_bytes().into());
        }
        let reply = loopback_call(request).await.map_err(|error| error.to_string())?;
        Ok(GatewayReply { status: reply.status, body: reply.body.to_vec() })
    }

    async fn credential(&self, backend: &BackendId) -> CredentialFacts {
        let settings = self.0.settings();
        if settings.backends.get(backend).is_none_or(|known| known.credential().is_none()) {
            return CredentialFacts::NotNeeded;
        }
        let report = self.0.probe(backend).await;
        let good = report.keys.iter().filter(|key| key.finding == HealthFinding::Answered).count();
        let bad = report.keys.iter().find(|key| key.finding != HealthFinding::Answered);
        if let (1.., Some(bad)) = (good, bad) {
            return CredentialFacts::PartlyAccepted {
                accepted: good,
                keys: report.keys.len(),
                credential: bad.credential.clone(),
                reason: bad.detail.clone(),
            };
        }
        match (report.key_missing, report.finding) {
            (true, _) => CredentialFacts::Missing,
            (_, HealthFinding::Answered) => CredentialFacts::Accepted(report.detail),
            (_, HealthFinding::KeyRejected) => CredentialFacts::Rejected(report.detail),
            (_, HealthFinding::RateLimited) => CredentialFacts::Limited(report.detail),
            (_, HealthFinding::Failed | HealthFinding::LocalFault) => {
                CredentialFacts::Unreachable(report.detail)
            }
        }
    }

    async fn models(&self, backend: &BackendId) -> Result<BackendModelFacts, String> {
        let report = self.0.probe(backend).await;
        match report.models {
            Some(listed) => {
                let wanted = self.0.settings().backends.get(backend).map(|b| b.models.clone());
                Ok(BackendModelFacts { listed, declared: wanted.unwrap_or_default() })
            }
            None => Err(report.detail),
        }
    }
}

/// Changes the first letter to lower case, for the middle of a sentence.
fn lowercase_first_letter(title: &str) -> String {
    let mut characters = title.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

fn needs_key(backend: &settings::BackendSettings) -> bool {
    backend.enabled && backend.credential().is_some()
}

/// Tests the folder by writing a file.
fn test_data_folder(folder: &Path) -> DataFolderFacts {
    let written = tempfile::NamedTempFile::new_in(folder)
        .and_then(|mut file| file.write_all(b"gatehouse").and_then(|()| file.as_file().sync_all()));
    DataFolderFacts {
        path: folder.display().to_string(),
        writable: written.map_err(|error| error.to_string()),
        free_bytes: fs4::available_space(folder).ok(),
    }
}
