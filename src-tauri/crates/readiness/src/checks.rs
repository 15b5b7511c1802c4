//! The list of built-in checks and their dependencies.

mod backend;
mod chat_stream;
mod gateway;
mod guidance;
mod local;

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, CheckSet, CredentialId};

use crate::check::{CheckBody, CheckCategory, CheckId, CheckSeverity, ReadinessCheck};
use crate::environment::ReadinessEnvironment;

pub use local::FREE_BYTES_MIN;

/// Time limit of a check that calls a provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// What [`built_in_checks`] covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckInputs {
    /// A model of the built-in mock that answers immediately, as a client names it.
    pub mock_model: String,
    /// Enabled backends except the mock. Only [`CheckSet::Full`] checks them.
    pub backends: Vec<BackendTarget>,
    /// Number of clients with a local token.
    pub clients: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendTarget {
    pub backend: BackendId,
    pub label: String,
    pub credential: Option<CredentialId>,
    pub need: BackendNeed,
}

/// Whether requests can be served without the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendNeed {
    /// Requests fail without it, because there is no other backend.
    Required,
    Optional,
}

/// Returns the built-in checks of a set in display order.
#[must_use]
pub fn built_in_checks(
    environment: &Arc<dyn ReadinessEnvironment>,
    set: CheckSet,
    scope: &CheckInputs,
) -> Vec<ReadinessCheck> {
    let mut checks = local_checks(environment);
    checks.extend(gateway_checks(environment, &scope.mock_model));
    if set == CheckSet::Full {
        checks
            .extend(scope.backends.iter().flat_map(|subject| backend_checks(environment, subject)));
    }
    checks.extend(guidance_checks(scope));
    checks
}

fn guidance_checks(scope: &CheckInputs) -> Vec<ReadinessCheck> {
    let backends: Arc<dyn CheckBody> = Arc::new(guidance::BackendsCheck(scope.backends.len()));
    let clients: Arc<dyn CheckBody> = Arc::new(guidance::ClientsCheck(scope.clients));
    let check = |id, title, severity, run| {
        ReadinessCheck::new(CheckId::new(id), title, CheckCategory::Guidance, severity, run)
    };
    vec![
        check("R-09", "A real backend is configured", CheckSeverity::Major, backends),
        check("R-25", "A client is connected", CheckSeverity::Info, clients),
    ]
}

fn local_checks(environment: &Arc<dyn ReadinessEnvironment>) -> Vec<ReadinessCheck> {
    use CheckCategory::{Reliability, Security};
    let check = |id, title, category, run: Arc<dyn CheckBody>| {
        ReadinessCheck::new(CheckId::new(id), title, category, CheckSeverity::Blocker, run)
    };
    let (g, h, i, j) = (
        Arc::clone(environment),
        Arc::clone(environment),
        Arc::clone(environment),
        Arc::clone(environment),
    );
    vec![
        check(
            "R-02",
            "Data folder is writable and has free space",
            Reliability,
            Arc::new(local::DataFolderCheck(g)),
        ),
        check("R-03", "Settings are valid", Reliability, Arc::new(local::SettingsCheck(h)))
            .with_dependencies([CheckId::new("R-02")]),
        check(
            "R-04",
            "Ledger is intact and up to date",
            Reliability,
            Arc::new(local::LedgerCheck(i)),
        )
        .with_dependencies([CheckId::new("R-02")]),
        check(
            "R-05",
            "Vault stores, returns and deletes a value",
            Security,
            Arc::new(local::VaultCheck(j)),
        ),
    ]
}

fn gateway_checks(
    environment: &Arc<dyn ReadinessEnvironment>,
    mock_model: &str,
) -> Vec<ReadinessCheck> {
    use CheckCategory::{Reliability, Security};
    let check = |id, title, category, run: Arc<dyn CheckBody>| {
        ReadinessCheck::new(CheckId::new(id), title, category, CheckSeverity::Blocker, run)
    };
    let model = || mock_model.to_owned();
    vec![
        check(
            "R-13",
            "Gateway refuses the network, unknown programs and web pages",
            Security,
            Arc::new(gateway::GatewayGuardCheck(Arc::clone(environment))),
        )
        .with_dependencies([CheckId::new("R-03")]),
        check(
            "R-14a",
            "Request through the gateway to the mock",
            Reliability,
            Arc::new(gateway::RequestCheck {
                environment: Arc::clone(environment),
                model: model(),
            }),
        )
        .with_dependencies([CheckId::new("R-13")]),
        check(
            "R-14b",
            "Stream through the gateway to the mock",
            Reliability,
            Arc::new(gateway::StreamCheck { environment: Arc::clone(environment), model: model() }),
        )
        .with_dependencies([CheckId::new("R-14a")]),
    ]
}

fn backend_checks(
    environment: &Arc<dyn ReadinessEnvironment>,
    subject: &BackendTarget,
) -> [ReadinessCheck; 2] {
    let key_id = CheckId::for_backend("R-10", &subject.backend);
    let severity = match subject.need {
        BackendNeed::Required => CheckSeverity::Blocker,
        BackendNeed::Optional => CheckSeverity::Major,
    };
    let key = ReadinessCheck::new(
        key_id.clone(),
        format!("Key accepted by {}", subject.label),
        CheckCategory::Security,
        severity,
        Arc::new(backend::KeyCheck {
            environment: Arc::clone(environment),
            subject: subject.clone(),
        }),
    );
    let vault = subject.credential.as_ref().map(|_| CheckId::new("R-05"));
    let models = ReadinessCheck::new(
        CheckId::for_backend("R-12", &subject.backend),
        format!("Models available on {}", subject.label),
        CheckCategory::Reliability,
        CheckSeverity::Major,
        Arc::new(backend::ModelsCheck {
            environment: Arc::clone(environment),
            subject: subject.clone(),
        }),
    );
    [
        key.with_dependencies([CheckId::new("R-03")])
            .with_dependencies(vault)
            .with_network_timeout(PROVIDER_TIMEOUT),
        models.with_dependencies([key_id]).with_network_timeout(PROVIDER_TIMEOUT),
    ]
}

#[cfg(test)]
mod tests;
