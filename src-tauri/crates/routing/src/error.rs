//! Why no backend may answer, with texts that tell the client's user what to do.

use std::fmt;

use domain::{BackendId, ClientId, ClientTarget};

use crate::exclusion::ExcludedCandidate;

/// Maximum length of a model name, in bytes; a longer one is refused before any comparison.
pub const MODEL_NAME_BYTES_MAX: usize = 512;
/// Maximum number of reasons listed in a refusal.
const REASONS_SHOWN_MAX: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    #[error("the request has no model; use one that GET /v1/models lists")]
    MissingModel,
    /// Longer than [`MODEL_NAME_BYTES_MAX`]. Holds the length in bytes.
    #[error("the model name has {0} bytes; at most {MODEL_NAME_BYTES_MAX} are allowed")]
    NameTooLong(usize),
    /// The pinned backend is disabled or unusable.
    #[error("the backend {backend} {reason}; fix it or use another model")]
    BackendUnusable {
        backend: BackendId,
        /// Completes "the backend …".
        reason: String,
    },
    /// No provider is configured, only the mock.
    #[error(
        "no backend can serve {model:?}; add one, or use a model of the mock such as mock/echo"
    )]
    NoProvider { model: String },
    /// Backends are configured, but none is known to have the model.
    #[error("no backend lists {model:?}; {}", suggest_models(.suggestion.as_deref(), .known))]
    UnknownModel {
        model: String,
        /// The most similar known name.
        suggestion: Option<String>,
        /// Some of the known names, else the backends that can be pinned.
        known: Vec<String>,
    },
    /// No candidate of the route supports what the request needs.
    #[error(
        "no backend of the route {route} can serve this request: {}; use another model or add a \
         backend that can", join_reasons(.excluded)
    )]
    NoCapableCandidate {
        route: String,
        /// Every candidate with the reason.
        excluded: Vec<ExcludedCandidate>,
    },
    /// Every candidate of the route is unusable, for any request.
    #[error(
        "no backend of the route {route} is available: {}; fix one of them", join_reasons(.excluded)
    )]
    RouteUnusable {
        route: String,
        /// Every candidate with the reason; empty if the route has none.
        excluded: Vec<ExcludedCandidate>,
    },
    /// The client is switched to a backend or route that cannot serve the request.
    #[error(
        "the client {client} is switched to {target}, {failure}; `gatehouse clients switch {client} \
         --reset` lets the routing rules decide again"
    )]
    Switched { client: ClientId, target: ClientTarget, failure: SwitchFailure },
}

fn join_reasons(excluded: &[ExcludedCandidate]) -> String {
    let mut shown: Vec<String> =
        excluded.iter().take(REASONS_SHOWN_MAX).map(ToString::to_string).collect();
    match excluded.len().saturating_sub(REASONS_SHOWN_MAX) {
        0 if shown.is_empty() => shown.push("it has none".to_owned()),
        0 => {}
        more => shown.push(format!("and {more} more")),
    }
    shown.join(", ")
}

fn suggest_models(suggestion: Option<&str>, known: &[String]) -> String {
    let known = known.join(", ");
    match suggestion {
        Some(suggestion) => format!("did you mean {suggestion:?}? Available: {known}"),
        None => format!("available: {known}"),
    }
}

/// Why the target of a switched client cannot serve a request. The text of each follows its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchFailure {
    /// The backend does not list the model. Holds the model's name there.
    ModelMissing(String),
    /// The target is switched off, or outside of the profile in use.
    Off,
    Refused(Box<RoutingError>),
}

impl fmt::Display for SwitchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModelMissing(model) => {
                write!(f, "which does not list {model:?}; use a model that it lists")
            }
            Self::Off => f.write_str("which is switched off or not in the profile in use"),
            Self::Refused(error) => write!(f, "but {error}"),
        }
    }
}
