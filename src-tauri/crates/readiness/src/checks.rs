//! The built-in checks. Each file here holds checks of one subject, and their rows: id, title,
//! severity and dependencies.

mod backend;
mod chat_stream;
mod connected_tools;
mod gateway;
mod guidance;
mod local;
mod monitoring;
mod plain_keys;
mod served;

use std::sync::Arc;

use domain::{BackendId, CheckSet, CredentialId};

use crate::check::ReadinessCheck;
use crate::environment::ReadinessEnvironment;

pub use local::FREE_BYTES_MIN;

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
    /// Nothing else answers some of what clients can ask for.
    Required,
    Optional,
}

/// Returns the built-in checks of a set in display order.
#[must_use]
pub fn built_in_checks(
    environment: &Arc<dyn ReadinessEnvironment>,
    set: CheckSet,
    inputs: &CheckInputs,
) -> Vec<ReadinessCheck> {
    let mut checks = Vec::from(local::checks(environment));
    checks.push(plain_keys::check(environment));
    checks.push(connected_tools::check(environment));
    checks.extend(gateway::checks(environment, &inputs.mock_model));
    if set == CheckSet::Full {
        let backends = inputs.backends.iter();
        checks.extend(backends.flat_map(|target| backend::checks(environment, target)));
        checks.push(served::check(environment));
    }
    checks.extend(monitoring::checks(environment));
    checks.extend(guidance::checks(inputs.backends.len(), inputs.clients));
    checks
}

#[cfg(test)]
mod tests;
