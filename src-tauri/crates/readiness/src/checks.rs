//! The built-in checks: which there are, and what each waits for.

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

/// A provider that is asked over the network may take this long.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// What the checks are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckScope {
    /// A model of the built-in mock that answers at once, as a client names it.
    pub mock_model: String,
    /// The enabled backends but the mock; asked by [`CheckSet::Full`].
    pub backends: Vec<BackendSubject>,
    /// How many clients have a local token.
    pub clients: usize,
}

/// A backend to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSubject {
    /// Which.
    pub backend: BackendId,
    /// Its name for people.
    pub label: String,
    /// Its key, if it has one.
    pub credential: Option<CredentialId>,
    /// Whether work can go on without it.
    pub need: Need,
}

/// Whether work can go on without a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// No: a route has no other.
    Required,
    /// Yes.
    Optional,
}

/// The built-in checks of a set, in the order they are shown.
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
