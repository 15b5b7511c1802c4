//! Why a client's request is rejected: in neutral terms, naming the field at fault.

use domain::Dialect;

use crate::MODEL_NAME_BYTES_MAX;
use crate::json::{JSON_DEPTH_MAX, JSON_MEMBERS_MAX};

/// Why a request was rejected. `Display` is the message for the client, [`RequestError::param`] the
/// field it names and [`RequestError::code`] its `code`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON in UTF-8.
    #[error(
        "The request body is not valid JSON (line {line}, column {column}). Send one JSON object in UTF-8."
    )]
    NotJson {
        /// Counts from one.
        line: usize,
        /// Counts from one.
        column: usize,
    },
    #[error("The request body is not a JSON object. Send one object with the request's fields.")]
    NotAnObject,
    /// More than `JSON_DEPTH_MAX`, `JSON_MEMBERS_MAX` or `JSON_ITEMS_MAX`.
    #[error(
        "The request body is nested deeper than {JSON_DEPTH_MAX} levels or has more than \
         {JSON_MEMBERS_MAX} fields in one object. Flatten it."
    )]
    TooComplex,
    #[error("Duplicate field: '{0}'. Send it once.")]
    DuplicateKey(String),
    #[error("Missing required parameter: '{0}'.")]
    Missing(String),
    #[error("Invalid type for '{param}': expected {expected}.")]
    WrongType {
        param: String,
        /// The expected type with its article, such as "a string".
        expected: &'static str,
    },
    #[error("Invalid value for '{param}': {why}.")]
    BadValue {
        param: String,
        /// What is wrong with the value and what would be valid.
        why: &'static str,
    },
    /// A field that the backend's dialect does not support.
    #[error(
        "'{param}' cannot be sent to a backend that speaks {dialect}. Leave it out, choose another \
         backend, or set Unsupported fields to Lenient in Gatehouse to drop it."
    )]
    Untranslatable { param: String, dialect: Dialect },
}

impl RequestError {
    /// The field at fault.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::NotJson { .. } | Self::NotAnObject | Self::TooComplex => None,
            Self::DuplicateKey(param)
            | Self::Missing(param)
            | Self::WrongType { param, .. }
            | Self::BadValue { param, .. }
            | Self::Untranslatable { param, .. } => Some(param),
        }
    }

    /// OpenAI's error code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } | Self::NotAnObject => "invalid_json",
            Self::TooComplex => "json_too_complex",
            Self::DuplicateKey(_) => "duplicate_parameter",
            Self::Missing(_) => "missing_required_parameter",
            Self::WrongType { .. } => "invalid_type",
            Self::BadValue { .. } => "invalid_value",
            Self::Untranslatable { .. } => "unsupported_parameter",
        }
    }

    /// Returns the error with its field renamed by `name`.
    pub(crate) fn map_param(mut self, name: impl FnOnce(String) -> String) -> Self {
        match &mut self {
            Self::NotJson { .. } | Self::NotAnObject | Self::TooComplex => {}
            Self::DuplicateKey(param)
            | Self::Missing(param)
            | Self::WrongType { param, .. }
            | Self::BadValue { param, .. }
            | Self::Untranslatable { param, .. } => *param = name(std::mem::take(param)),
        }
        self
    }

    pub(crate) fn bad_model_name() -> Self {
        Self::BadValue {
            param: "model".to_owned(),
            why: "use 1 to 256 bytes without control characters",
        }
    }
}

const _: () = assert!(MODEL_NAME_BYTES_MAX == 256, "the text of bad_model says so");
