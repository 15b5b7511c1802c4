//! Request and view types of services: what work depends on beside the backends.

use domain::{Secret, ServiceKind, ServiceMethod};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AvailabilityShareView, BackendTestStepView, HealthView, StripDayView, UnixMs};

/// All services.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServicesView {
    /// "All 3 services work", "1 of 3 services is down"
    pub finding: String,
    /// In the order of the settings.
    pub services: Vec<ServiceView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceView {
    pub id: String,
    pub label: String,
    pub kind: ServiceKind,
    pub address: String,
    /// Id of the key that it is checked with.
    pub credential: Option<String>,
    /// True if work stops without it.
    pub required: bool,
    pub enabled: bool,
    /// True if its public name may resolve to a private address.
    pub private_network: bool,
    pub expects: ServiceExpectationView,
    pub health: HealthView,
    /// The last 24 hours, 7 days and 90 days.
    pub availability: Vec<AvailabilityShareView>,
    /// One cell per day of UTC, the oldest first; 90 of them.
    pub strip: Vec<StripDayView>,
    /// What it says of its token.
    pub account: Option<ServiceAccountView>,
}

/// What a check expects; only what fits the kind of the service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
pub struct ServiceExpectationView {
    /// Of an HTTP check.
    pub method: ServiceMethod,
    /// Status of an HTTP check; None for any from 200 to 299.
    pub status: Option<u16>,
    /// Text that the answer to an HTTP check must contain; empty for any.
    pub contains: String,
    /// Header that carries the key of an HTTP check; empty for `Authorization: Bearer`.
    pub key_header: String,
    /// Scopes that a GitHub token must have.
    pub scopes: Vec<String>,
}

/// Whose token it is, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ServiceAccountView {
    pub login: String,
    /// None if the service does not list the scopes of such tokens.
    pub scopes: Option<Vec<String>>,
    /// Scopes that are wanted and that it does not have.
    pub missing: Vec<String>,
    /// None if it never ends or the service does not say.
    pub expires_at: Option<UnixMs>,
}

/// Adds a service, or changes one.
#[derive(Debug, Deserialize, Type)]
pub struct ServiceSet {
    pub id: String,
    /// Display name; the id if empty.
    pub label: String,
    pub kind: ServiceKind,
    /// A URL, or host and port; GitHub's own API if empty.
    pub address: String,
    pub key: ServiceKey,
    pub required: bool,
    pub enabled: bool,
    pub private_network: bool,
    pub expects: ServiceExpectationView,
}

#[derive(Debug, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ServiceKey {
    /// The key that it has, if any.
    Keep,
    /// It needs no key.
    None,
    /// A key that is already in the vault.
    Stored {
        /// Id of the key.
        id: String,
    },
    /// A new key, stored in the vault under the name of the service.
    New {
        /// Write-only.
        #[specta(type = String)]
        secret: Secret,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceRef {
    pub id: String,
}

/// The result of a check, step by step. Nothing is billed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ServiceTestView {
    pub id: String,
    pub passed: bool,
    /// What was found, as a sentence.
    pub sentence: String,
    /// In the order they were run.
    pub steps: Vec<BackendTestStepView>,
}
