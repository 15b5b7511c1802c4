//! Checks of one backend. None of its calls is billed.

use std::sync::Arc;

use async_trait::async_trait;

use super::BackendTarget;
use crate::check::{CheckBody, CheckOutcome, FixAction};
use crate::environment::{CredentialFacts, ReadinessEnvironment};

/// Missing model names listed in a message; further names are left out.
const MISSING_MODELS_LISTED_MAX: usize = 5;

pub(super) struct KeyCheck {
    pub(super) environment: Arc<dyn ReadinessEnvironment>,
    pub(super) subject: BackendTarget,
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

pub(super) struct ModelsCheck {
    pub(super) environment: Arc<dyn ReadinessEnvironment>,
    pub(super) subject: BackendTarget,
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
