//! The one small error that every door shows.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What a program branches on.
    pub code: ErrorCode,
    /// What happened and why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The field of the request that is wrong, for a form to mark.
    pub field: Option<String>,
}

/// Exists for those who branch on it; everything else is `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A field of the request is wrong: the form marks it, the command line exits with 2.
    InvalidInput,
    /// No such thing: the panel leaves the page, the command line exits with 1.
    NotFound,
    /// The vault does not work: the panel shows its state and what to do.
    VaultUnavailable,
    /// The settings file is broken: the panel shows its problems.
    SettingsInvalid,
    /// The core cannot be reached: the panel shows that it is offline.
    Offline,
    /// The core took too long: the command line exits with 4.
    TimedOut,
    /// Anything else.
    Failed,
}

impl ApiError {
    /// A field of the request is wrong.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::InvalidInput,
            message: message.into(),
            hint: None,
            field: Some(field.to_owned()),
        }
    }

    /// No such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::NotFound, message: message.into(), hint: None, field: None }
    }

    /// Something that no program branches on.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::Failed, message: message.into(), hint: None, field: None }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
