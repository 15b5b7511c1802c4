//! The list of built-in checks and their dependencies.

mod backend;
mod gateway;
mod guidance;
mod local;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, CredentialId};

use crate::check::{Category, Check, CheckId, Run, Severity};
use crate::ground::Ground;
use crate::report::CheckSet;

pub use local::FREE_BYTES_MIN;

/// Time limit of a check that calls a provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// What [`built_in_checks`] covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckScope {
    /// A model of the built-in mock that answers immediately, as a client names it.
    pub mock_model: String,
    /// Enabled backends except the mock. Only [`CheckSet::Full`] checks them.
    pub backends: Vec<BackendSubject>,
    /// Number of clients with a local token.
    pub clients: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSubject {
    pub backend: BackendId,
    /// Display name.
    pub label: String,
    pub credential: Option<CredentialId>,
    pub need: Need,
}

/// Whether requests can be served without the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// Requests fail without it, because there is no other backend.
    Required,
    Optional,
}

/// Returns the built-in checks of a set in display order.
#[must_use]
pub fn built_in_checks(ground: &Arc<dyn Ground>, set: CheckSet, scope: &CheckScope) -> Vec<Check> {
    let mut checks = local_checks(ground);
    checks.extend(gateway_checks(ground, &scope.mock_model));
    if set == CheckSet::Full {
        checks.extend(scope.backends.iter().flat_map(|subject| backend_checks(ground, subject)));
    }
    checks.extend(guidance_checks(scope));
    checks
}

fn guidance_checks(scope: &CheckScope) -> Vec<Check> {
    let backends: Arc<dyn Run> = Arc::new(guidance::BackendsCheck(scope.backends.len()));
    let clients: Arc<dyn Run> = Arc::new(guidance::ClientsCheck(scope.clients));
    let check = |id, title, severity, run| {
        Check::new(CheckId::new(id), title, Category::Guidance, severity, run)
    };
    vec![
        check("R-09", "A real backend is configured", Severity::Major, backends),
        check("R-25", "A client is connected", Severity::Info, clients),
    ]
}

fn local_checks(ground: &Arc<dyn Ground>) -> Vec<Check> {
    use Category::{Reliability, Security};
    let check = |id, title, category, run: Arc<dyn Run>| {
        Check::new(CheckId::new(id), title, category, Severity::Blocker, run)
    };
    let (g, h, i, j) =
        (Arc::clone(ground), Arc::clone(ground), Arc::clone(ground), Arc::clone(ground));
    vec![
        check(
            "R-02",
            "Data folder is writable and has free space",
            Reliability,
            Arc::new(local::DataFolderCheck(g)),
        ),
        check("R-03", "Settings are valid", Reliability, Arc::new(local::SettingsCheck(h)))
            .after([CheckId::new("R-02")]),
        check(
            "R-04",
            "Ledger is intact and up to date",
            Reliability,
            Arc::new(local::LedgerCheck(i)),
        )
        .after([CheckId::new("R-02")]),
        check(
            "R-05",
            "Vault stores, returns and deletes a value",
            Security,
            Arc::new(local::VaultCheck(j)),
        ),
    ]
}

fn gateway_checks(ground: &Arc<dyn Ground>, mock_model: &str) -> Vec<Check> {
    use Category::{Reliability, Security};
    let check = |id, title, category, run: Arc<dyn Run>| {
        Check::new(CheckId::new(id), title, category, Severity::Blocker, run)
    };
    let model = || mock_model.to_owned();
    vec![
        check(
            "R-13",
            "Gateway refuses the network, unknown programs and web pages",
            Security,
            Arc::new(gateway::DoorCheck(Arc::clone(ground))),
        )
        .after([CheckId::new("R-03")]),
        check(
            "R-14a",
            "Request through the gateway to the mock",
            Reliability,
            Arc::new(gateway::RequestCheck { ground: Arc::clone(ground), model: model() }),
        )
        .after([CheckId::new("R-13")]),
        check(
            "R-14b",
            "Stream through the gateway to the mock",
            Reliability,
            Arc::new(gateway::StreamCheck { ground: Arc::clone(ground), model: model() }),
        )
        .after([CheckId::new("R-14a")]),
    ]
}

fn backend_checks(ground: &Arc<dyn Ground>, subject: &BackendSubject) -> [Check; 2] {
    let key_id = CheckId::of_backend("R-10", &subject.backend);
    let severity = match subject.need {
        Need::Required => Severity::Blocker,
        Need::Optional => Severity::Major,
    };
    let key = Check::new(
        key_id.clone(),
        format!("Key accepted by {}", subject.label),
        Category::Security,
        severity,
        Arc::new(backend::KeyCheck { ground: Arc::clone(ground), subject: subject.clone() }),
    );
    let vault = subject.credential.as_ref().map(|_| CheckId::new("R-05"));
    let models = Check::new(
        CheckId::of_backend("R-12", &subject.backend),
        format!("Models available on {}", subject.label),
        Category::Reliability,
        Severity::Major,
        Arc::new(backend::ModelsCheck { ground: Arc::clone(ground), subject: subject.clone() }),
    );
    [
        key.after([CheckId::new("R-03")]).after(vault).over_network(PROVIDER_TIMEOUT),
        models.after([key_id]).over_network(PROVIDER_TIMEOUT),
    ]
}

#[cfg(test)]
mod tests;
