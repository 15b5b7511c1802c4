//! The error of every operation, as the panel and the command line show it.

use serde::{Deserialize, Serialize};
use specta::Type;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// For callers that branch on the error.
    pub code: ErrorCode,
    /// What happened and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The wrong field of the request, for a form to mark.
    pub field: Option<String>,
}

domain::words! {
    /// Codes that some caller branches on. Every other error is `failed`.
    ErrorCode {
        /// A field of the request is wrong. The form marks it; the command line exits with 2.
        InvalidInput = "invalid_input",
        /// Something does not exist. The panel leaves the page; the command line exits with 1.
        NotFound = "not_found",
        /// The vault does not work. The panel shows its state and what to do.
        VaultUnavailable = "vault_unavailable",
        /// The settings file is broken. The panel shows its problems; the command line exits with 2.
        SettingsInvalid = "settings_invalid",
        /// The core cannot be reached. The panel shows that it is offline.
        Offline = "offline",
        /// The core took too long. The command line exits with 4.
        TimedOut = "timed_out",
        /// Any other error.
        Failed = "failed",
    }
}

impl ApiError {
    /// Error for a wrong field of the request.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::InvalidInput,
            message: message.into(),
            hint: None,
            field: Some(field.to_owned()),
        }
    }

    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::NotFound, message: message.into(), hint: None, field: None }
    }

    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::Failed, message: message.into(), hint: None, field: None }
    }

    /// Names the field of the request that is wrong.
    #[must_use]
    pub(crate) fn at_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Adds what to do about the error.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
