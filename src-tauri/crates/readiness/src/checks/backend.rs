//! Checks of one backend. None of its calls is billed.

use std::sync::Arc;

use async_trait::async_trait;

use super::BackendSubject;
use crate::check::{Action, Outcome, Run};
use crate::ground::{CredentialFacts, Ground};

/// Missing model names listed in a message; further names are left out.
const MODELS_TOLD_MAX: usize = 5;

pub(super) struct KeyCheck {
    pub(super) ground: Arc<dyn Ground>,
    pub(super) subject: BackendSubject,
}

#[async_trait]
impl Run for KeyCheck {
    async fn run(&self) -> Outcome {
        let BackendSubject { backend, label, credential, .. } = &self.subject;
        let at_backend = Action::OpenBackend { id: backend.clone() };
        let at_key = match credential {
            Some(id) => Action::OpenKey { id: id.clone() },
            None => at_backend.clone(),
        };
        match self.ground.credential(backend).await {
            CredentialFacts::Accepted(evidence) => Outcome::pass().saw(evidence),
            CredentialFacts::Partly { accepted, keys, credential, reason } => {
                let what = format!("{label} accepts {accepted} of its {keys} keys");
                let fix = format!("Replace the key {credential}, or detach it from the backend.");
                Outcome::warn(what, fix).saw(reason).at(Action::OpenKey { id: credential })
            }
            CredentialFacts::NotNeeded => Outcome::not_applicable("no key needed"),
            CredentialFacts::Missing => {
                Outcome::fail(format!("{label} has no key"), "Add its key.").at(at_backend)
            }
            CredentialFacts::Rejected(reason) => {
                let fix = "Replace the key with one that this provider accepts.";
                Outcome::fail(format!("{label} rejected its key"), fix).saw(reason).at(at_key)
            }
            CredentialFacts::Limited(reason) => {
                let fix = "Wait, or raise the limit or the credit at the provider.";
                Outcome::warn(format!("the key of {label} has reached its limit"), fix)
                    .saw(reason)
                    .at(at_key)
            }
            CredentialFacts::Unreachable(reason) => {
                let fix = "Check its address and your network.";
                Outcome::fail(format!("{label} cannot be reached"), fix).saw(reason).at(at_backend)
            }
        }
    }
}

pub(super) struct ModelsCheck {
    pub(super) ground: Arc<dyn Ground>,
    pub(super) subject: BackendSubject,
}

#[async_trait]
impl Run for ModelsCheck {
    async fn run(&self) -> Outcome {
        let BackendSubject { backend, label, .. } = &self.subject;
        let action = Action::OpenBackend { id: backend.clone() };
        let models = match self.ground.models(backend).await {
            Ok(models) => models,
            Err(reason) => {
                let fix = "Check its address and your network.";
                return Outcome::fail(format!("{label} does not list its models"), fix)
                    .saw(reason)
                    .at(action);
            }
        };
        let seen = format!("{} models listed, {} needed", models.listed.len(), models.wanted.len());
        let missing: Vec<&str> = models
            .wanted
            .iter()
            .filter(|model| !models.listed.contains(model))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let names =
                missing.iter().take(MODELS_TOLD_MAX).copied().collect::<Vec<_>>().join(", ");
            let fix = "Choose models from its list.";
            return Outcome::fail(format!("{label} does not have {names}"), fix)
                .saw(seen)
                .at(action);
        }
        if models.listed.is_empty() {
            let fix = "Install a model there, or enter its models in the backend's settings.";
            return Outcome::warn(format!("{label} lists no models"), fix).saw(seen).at(action);
        }
        Outcome::pass().saw(seen)
    }
}
