//! Why no backend may answer, said so that the client's user can act on it.

use domain::BackendId;

use crate::PassedOver;

/// Longest model name that is looked at, in bytes; longer ones are refused before any comparison.
pub const MODEL_NAME_BYTES_MAX: usize = 512;
/// Reasons listed in a refusal; more would bury the sentence.
const REASONS_SHOWN_MAX: usize = 5;

/// Why no backend may answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// No model was named.
    #[error("the request has no model; use one that GET /v1/models lists")]
    NoName,
    /// The name is longer than [`MODEL_NAME_BYTES_MAX`].
    #[error("the model name has {0} bytes; at most {MODEL_NAME_BYTES_MAX} are allowed")]
    NameTooLong(usize),
    /// The pinned backend may not be asked.
    #[error("the backend {backend} {reason}; fix it or use another model")]
    BackendUnusable {
        /// The pinned backend.
        backend: BackendId,
        /// Completes "the backend …".
        reason: String,
    },
    /// Only the mock is there.
    #[error(
        "no backend can serve {asked:?}; add one, or use a model of the mock such as mock/echo"
    )]
    NoBackend {
        /// The name that was asked for.
        asked: String,
    },
    /// Backends are there, and none of them is known to have the model.
    #[error("no backend lists {asked:?}; {}", what_exists(.suggestion.as_deref(), .known))]
    UnknownModel {
        /// The name that was asked for.
        asked: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
        /// Some of the names that exist, else the backends to pin.
        known: Vec<String>,
    },
    /// No candidate of the route can do what the request needs.
    #[error(
        "no backend of the route {route} can serve this request: {}; use another model or add a \
         backend that can", reasons(.passed_over)
    )]
    Unfit {
        /// The route's id.
        route: String,
        /// Every candidate with the reason.
        passed_over: Vec<PassedOver>,
    },
    /// No candidate of the route may be asked, whatever the request needs.
    #[error(
        "no backend of the route {route} is available: {}; fix one of them", reasons(.passed_over)
    )]
    RouteUnusable {
        /// The route's id.
        route: String,
        /// Every candidate with the reason; empty if the route has none.
        passed_over: Vec<PassedOver>,
    },
}

fn reasons(passed_over: &[PassedOver]) -> String {
    let mut shown: Vec<String> =
        passed_over.iter().take(REASONS_SHOWN_MAX).map(ToString::to_string).collect();
    match passed_over.len().saturating_sub(REASONS_SHOWN_MAX) {
        0 if shown.is_empty() => shown.push("it has none".to_owned()),
        0 => {}
        more => shown.push(format!("and {more} more")),
    }
    shown.join(", ")
}

fn what_exists(suggestion: Option<&str>, known: &[String]) -> String {
    let known = known.join(", ");
    match suggestion {
        Some(suggestion) => format!("did you mean {suggestion:?}? Available: {known}"),
        None => format!("available: {known}"),
    }
}
