//! Why a client's request is refused: in neutral words, each naming the field at fault.

use domain::Dialect;

use crate::MODEL_NAME_BYTES_MAX;
use crate::json::{JSON_DEPTH_MAX, JSON_MEMBERS_MAX};

/// Why a request was refused. The text is the message for the client, [`RequestError::param`] the
/// field it names and [`RequestError::code`] its `code`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON in UTF-8.
    #[error(
        "The request body is not valid JSON (line {line}, column {column}). Send one JSON object in UTF-8."
    )]
    NotJson {
        /// Line from one.
        line: usize,
        /// Column from one.
        column: usize,
    },
    /// JSON, but no object.
    #[error("The request body is not a JSON object. Send one object with the request's fields.")]
    NotAnObject,
    /// Over [`JSON_DEPTH_MAX`], [`JSON_MEMBERS_MAX`] or `JSON_ITEMS_MAX`.
    #[error(
        "The request body is nested deeper than {JSON_DEPTH_MAX} levels or has more than \
         {JSON_MEMBERS_MAX} fields in one object. Flatten it."
    )]
    TooComplex,
    /// A key that stands twice.
    #[error("Duplicate field: '{0}'. Send it once.")]
    DuplicateKey(String),
    /// A field that has to be there.
    #[error("Missing required parameter: '{0}'.")]
    Missing(String),
    /// A field of the wrong type.
    #[error("Invalid type for '{param}': expected {expected}.")]
    WrongType {
        /// The field.
        param: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A field whose value cannot be.
    #[error("Invalid value for '{param}': {why}.")]
    BadValue {
        /// The field.
        param: String,
        /// What is wrong with it and what would be right.
        why: &'static str,
    },
    /// A field that the backend's dialect has no word for.
    #[error(
        "'{param}' cannot be sent to a backend that speaks {dialect}. Leave it out, choose another \
         backend, or set Unsupported fields to Lenient in Gatehouse to drop it."
    )]
    CannotCross {
        /// The field.
        param: String,
        /// What the backend speaks.
        dialect: Dialect,
    },
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
            | Self::CannotCross { param, .. } => Some(param),
        }
    }

    /// OpenAI's word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } | Self::NotAnObject => "invalid_json",
            Self::TooComplex => "json_too_complex",
            Self::DuplicateKey(_) => "duplicate_parameter",
            Self::Missing(_) => "missing_required_parameter",
            Self::WrongType { .. } => "invalid_type",
            Self::BadValue { .. } => "invalid_value",
            Self::CannotCross { .. } => "unsupported_parameter",
        }
    }

    /// The same with its field renamed by `name`.
    pub(crate) fn renamed(mut self, name: impl FnOnce(String) -> String) -> Self {
        match &mut self {
            Self::NotJson { .. } | Self::NotAnObject | Self::TooComplex => {}
            Self::DuplicateKey(param)
            | Self::Missing(param)
            | Self::WrongType { param, .. }
            | Self::BadValue { param, .. }
            | Self::CannotCross { param, .. } => *param = name(std::mem::take(param)),
        }
        self
    }

    pub(crate) fn bad_model() -> Self {
        Self::BadValue {
            param: "model".to_owned(),
            why: "use 1 to 256 bytes without control characters",
        }
    }
}

const _: () = assert!(MODEL_NAME_BYTES_MAX == 256, "the text of bad_model says so");
