//! Facts of this engine for the readiness checks, without judgement.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use async_trait::async_trait;
use domain::BackendId;
use gateway::{LoopbackCall, loopback_call};
use monitor::Finding;
use readiness::{
    Caller, Canary, CredentialFacts, DataFolder, GatewayCall, GatewayReply, Gravity, Ground,
    LedgerFacts, LedgerProblem, ModelFacts, SettingsProblem, VaultFacts,
};
use settings::Severity;
use vault::VaultError;

use crate::engine::Engine;
use crate::ledger_watch::LedgerSeverity;

pub(crate) struct EngineGround(pub(crate) Engine);

#[async_trait]
impl Ground for EngineGround {
    async fn data_folder(&self) -> DataFolder {
        let folder = self.0.folders().data.clone();
        let look = tokio::task::spawn_blocking(move || look_at(&folder));
        look.await.unwrap_or_else(|error| DataFolder {
            path: self.0.folders().data.display().to_string(),
            writable: Err(error.to_string()),
            free_bytes: None,
        })
    }

    async fn settings_problems(&self) -> Vec<SettingsProblem> {
        let problems = self.0.settings_problems().into_iter();
        let fact = |problem: settings::Problem| SettingsProblem {
            gravity: match problem.severity {
                Severity::Error => Gravity::Error,
                Severity::Warning => Gravity::Warning,
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
        let problems = self.0.ledger_problems().into_iter().map(|problem| LedgerProblem {
            title: in_sentence(&problem.title),
            fix: problem.detail,
            gravity: match problem.severity {
                LedgerSeverity::Problem => Gravity::Error,
                LedgerSeverity::Attention => Gravity::Warning,
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
        let canary = match self.0.vault().probe().await {
            Ok(()) => Canary::Kept,
            Err(VaultError::Locked(_)) => Canary::Locked,
            Err(VaultError::NoCollection | VaultError::Unavailable { .. }) => Canary::Missing,
            Err(VaultError::Hung) => Canary::Hung,
            Err(VaultError::Damaged(_)) => Canary::Lost,
            Err(VaultError::ReadOnly) => Canary::ReadOnly,
            Err(error) => Canary::Failed(error.to_string()),
        };
        VaultFacts {
            store: self.0.vault().kind().to_string(),
            needed: self.0.settings().backends.values().any(needs_key),
            canary,
        }
    }

    async fn gateway_listeners(&self) -> Vec<SocketAddr> {
        self.0.gateway_sockets()
    }

    async fn call_gateway(&self, call: GatewayCall) -> Result<GatewayReply, String> {
        let mut request = LoopbackCall::to(self.0.gateway_port(), call.path);
        request = match call.caller {
            Caller::Client => request.with_token(&self.0.parts.check_token.secret),
            Caller::Stranger => request,
            Caller::WebPage => request
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
        let good = report.keys.iter().filter(|key| key.finding == Finding::Answered).count();
        let bad = report.keys.iter().find(|key| key.finding != Finding::Answered);
        if let (1.., Some(bad)) = (good, bad) {
            return CredentialFacts::Partly {
                accepted: good,
                keys: report.keys.len(),
                credential: bad.credential.clone(),
                reason: bad.detail.clone(),
            };
        }
        match (report.key_missing, report.finding) {
            (true, _) => CredentialFacts::Missing,
            (_, Finding::Answered) => CredentialFacts::Accepted(report.detail),
            (_, Finding::KeyRejected) => CredentialFacts::Rejected(report.detail),
            (_, Finding::RateLimited) => CredentialFacts::Limited(report.detail),
            (_, Finding::Failed | Finding::LocalFault) => {
                CredentialFacts::Unreachable(report.detail)
            }
        }
    }

    async fn models(&self, backend: &BackendId) -> Result<ModelFacts, String> {
        let report = self.0.probe(backend).await;
        match report.models {
            Some(listed) => {
                let wanted = self.0.settings().backends.get(backend).map(|b| b.models.clone());
                Ok(ModelFacts { listed, wanted: wanted.unwrap_or_default() })
            }
            None => Err(report.detail),
        }
    }
}

/// Changes the first letter to lower case, for the middle of a sentence.
fn in_sentence(title: &str) -> String {
    let mut characters = title.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

fn needs_key(backend: &settings::BackendSettings) -> bool {
    backend.enabled && backend.credential().is_some()
}

/// Tests the folder by writing a file.
fn look_at(folder: &Path) -> DataFolder {
    let written = tempfile::NamedTempFile::new_in(folder)
        .and_then(|mut file| file.write_all(b"gatehouse").and_then(|()| file.as_file().sync_all()));
    DataFolder {
        path: folder.display().to_string(),
        writable: written.map_err(|error| error.to_string()),
        free_bytes: fs4::available_space(folder).ok(),
    }
}
