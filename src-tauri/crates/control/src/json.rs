//! Reads and writes the JSON of operations, with errors that name the field.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ApiError, ErrorCode};

/// Parses a request. An empty body counts as `null`, a request without content.
pub fn parse_request<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"null".as_slice() } else { body };
    // serde would read a list as the fields of a request in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError {
            code: ErrorCode::InvalidInput,
            message: "the request is a list, not an object".to_owned(),
            hint: None,
            field: None,
        });
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        // serde_json's message may quote a value, which may be a key, so only the kind of error is
        // shown.
        let message = match error.inner().classify() {
            serde_json::error::Category::Data => describe(&field, error.inner()),
            _ => "the request is not JSON".to_owned(),
        };
        ApiError {
            code: ErrorCode::InvalidInput,
            message,
            hint: None,
            field: (field != ".").then_some(field),
        }
    })
}

/// A missing field has no path of its own; serde's message names it, and no value.
fn describe(field: &str, error: &serde_json::Error) -> String {
    let said = error.to_string();
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    match missing {
        Some((name, _)) if field == "." => format!("{name} is missing"),
        Some((name, _)) => format!("{field}.{name} is missing"),
        None => format!("{field} is missing, of the wrong type, or not allowed"),
    }
}

pub(crate) fn serialize_view(view: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(view)
        .map_err(|error| ApiError::failed(format!("the response could not be written: {error}")))
}
