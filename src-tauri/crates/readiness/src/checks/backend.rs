//! Checks of one backend. None of its calls is billed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{BackendNeed, BackendTarget};
use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};
use crate::environment::{CredentialFacts, ReadinessEnvironment};

/// Time limit of a check that calls a provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// Missing model names listed in a message; further names are left out.
const MISSING_MODELS_LISTED_MAX: usize = 5;

/// The panel folds the checks of several backends into one row, titled by the words before "by",
/// "on", "of" or "at".
pub(super) fn checks(
    environment: &Arc<dyn ReadinessEnvironment>,
    target: &BackendTarget,
) -> [ReadinessCheck; 2] {
    let environment = || Arc::clone(environment);
    let key_id = CheckId::for_backend("R-10", &target.backend);
    let severity = match target.need {
        BackendNeed::Required => CheckSeverity::Blocker,
        BackendNeed::Optional => CheckSeverity::Major,
    };
    let vault = target.credential.as_ref().map(|_| CheckId::new("R-05"));
    let key = ReadinessCheck::new(
        key_id.clone(),
        format!("Key accepted by {}", target.label),
        CheckCategory::Security,
        severity,
        Arc::new(KeyCheck { environment: environment(), subject: target.clone() }),
    );
    let models = ReadinessCheck::new(
        CheckId::for_backend("R-12", &target.backend),
        format!("Models available on {}", target.label),
        CheckCategory::Reliability,
        CheckSeverity::Major,
        Arc::new(ModelsCheck { environment: environment(), subject: target.clone() }),
    );
    [
        key.with_dependencies([CheckId::new("R-03")])
            .with_dependencies(vault)
            .with_network_timeout(PROVIDER_TIMEOUT),
        models.with_dependencies([key_id]).with_network_timeout(PROVIDER_TIMEOUT),
    ]
}

struct KeyCheck {
    environment: Arc<dyn ReadinessEnvironment>,
    subject: BackendTarget,
}

#[async_trait]
impl CheckBody for KeyCheck {
    async fn run(&self) -> CheckOutcome {
        let BackendTarget { backend, label, credential, .. } = &self.subject;
        let at_backend = FixAction::OpenBackend { id: backend.clone() };
        let at_key = match credential {
            Some(id) => FixAction::OpenKey { id: id.clone() },
            None => at_backend.clone(),
        };
        match self.environment.credential(backend).await {
            CredentialFacts::Accepted(evidence) => CheckOutcome::pass().with_evidence(evidence),
            CredentialFacts::PartlyAccepted { accepted, keys, credential, reason } => {
                let what = format!("{label} accepts {accepted} of its {keys} keys");
                let fix = format!("Replace the key {credential}, or detach it from the backend.");
                CheckOutcome::warn(what, fix)
                    .with_evidence(reason)
                    .with_action(FixAction::OpenKey { id: credential })
            }
            CredentialFacts::NotNeeded => CheckOutcome::not_applicable("no key needed"),
            CredentialFacts::Missing => {
                CheckOutcome::fail(format!("{label} has no key"), "Add its key.")
                    .with_action(at_backend)
            }
            CredentialFacts::Rejected(reason) => {
                let fix = "Replace the key with one that this provider accepts.";
                CheckOutcome::fail(format!("{label} rejected its key"), fix)
                    .with_evidence(reason)
                    .with_action(at_key)
            }
            CredentialFacts::Limited(reason) => {
                let fix = "Wait, or raise the limit or the credit at the provider.";
                CheckOutcome::warn(format!("the key of {label} has reached its limit"), fix)
                    .with_evidence(reason)
                    .with_action(at_key)
            }
            CredentialFacts::Unreachable(reason) => {
                let fix = "Check its address and your network.";
                CheckOutcome::fail(format!("{label} cannot be reached"), fix)
                    .with_evidence(reason)
                    .with_action(at_backend)
            }
        }
    }
}

struct ModelsCheck {
    environment: Arc<dyn ReadinessEnvironment>,
    subject: BackendTarget,
}

#[async_trait]
impl CheckBody for ModelsCheck {
    async fn run(&self) -> CheckOutcome {
        let BackendTarget { backend, label, .. } = &self.subject;
        let action = FixAction::OpenBackend { id: backend.clone() };
        let models = match self.environment.models(backend).await {
            Ok(models) => models,
            Err(reason) => {
                let fix = "Check its address and your network.";
                return CheckOutcome::fail(format!("{label} does not list its models"), fix)
                    .with_evidence(reason)
                    .with_action(action);
            }
        };
        let seen =
            format!("{} models listed, {} needed", models.listed.len(), models.declared.len());
        let missing: Vec<&str> = models
            .declared
            .iter()
            .filter(|model| !models.listed.contains(model))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let names = missing
                .iter()
                .take(MISSING_MODELS_LISTED_MAX)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            let fix = "Choose models from its list.";
            return CheckOutcome::fail(format!("{label} does not have {names}"), fix)
                .with_evidence(seen)
                .with_action(action);
        }
        if models.listed.is_empty() {
            let fix = "Install a model there, or enter its models in the backend's settings.";
            return CheckOutcome::warn(format!("{label} lists no models"), fix)
                .with_evidence(seen)
                .with_action(action);
        }
        CheckOutcome::pass().with_evidence(seen)
    }
}
