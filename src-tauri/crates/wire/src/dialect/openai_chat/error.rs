//! The dialect's errors: written for clients, parsed from backends.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::error::ERROR_FIELD_CHARS_MAX;
use crate::error::ERROR_MESSAGE_CHARS_MAX;
use crate::error::sanitize;
use crate::json::{Members, array_items};
use crate::{ErrorAnswer, ErrorKind, UpstreamClass, UpstreamError};

#[must_use]
pub fn error_body(error: &ErrorAnswer<'_>) -> Bytes {
    Bytes::from(json!({"error": error_object(error)}).to_string())
}

/// The value of `error`, also used in events of Responses.
pub(crate) fn error_object(error: &ErrorAnswer<'_>) -> Value {
    json!({
        "message": error.message,
        "type": error_type(error.kind),
        "param": error.param,
        "code": error.code,
    })
}

/// The event that reports an incomplete answer in mid-stream; every SDK raises an error on it.
#[must_use]
pub fn error_event(error: &ErrorAnswer<'_>) -> Bytes {
    let body = error_body(error);
    Bytes::from([b"data: ".as_slice(), &body, b"\n\n"].concat())
}

/// Parses a backend's error body: OpenAI's format and its common variants. Markup is classified by
/// the status alone and never quoted.
#[must_use]
pub fn upstream_error(status: u16, body: &[u8]) -> UpstreamError {
    let words = ErrorFields::read(body);
    let (kind, code) = (words.kind, words.code);
    let class = UpstreamClass::classify(status, kind.as_deref(), code.as_deref());
    let message = words
        .message
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| format!("the backend answered {status} without a readable reason"));
    UpstreamError { status, class, message, kind, code, param: words.param, retry_after: None }
}

/// Parses an error object in a response with HTTP status 200, and derives the status from its
/// fields.
pub(crate) fn in_band_error(body: &[u8]) -> UpstreamError {
    let words = ErrorFields::read(body);
    let number = words.code.as_deref().and_then(|code| code.parse::<u16>().ok());
    let told = number.filter(|status| (400..=599).contains(status));
    upstream_error(told.unwrap_or_else(|| words.implied_status()), body)
}

const fn error_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::TooLarge => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Permission | ErrorKind::BackendKey => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Billing => "insufficient_quota",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Api => "server_error",
    }
}

#[derive(Default)]
struct ErrorFields {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
}

impl ErrorFields {
    fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            return Self::default();
        }
        // Gemini's compatible endpoint wraps its error in an array.
        let first = serde_json::from_str::<&RawValue>(text).ok().and_then(array_items);
        let object = first.and_then(|list| list.first().copied()).map_or(text, RawValue::get);
        match Members::parse(object) {
            Ok(members) => Self::from_object(&members),
            // Broken JSON is not worth quoting; plain text is.
            Err(_) if text.starts_with(['{', '[']) => Self::default(),
            Err(_) => {
                Self { message: Some(sanitize(text, ERROR_MESSAGE_CHARS_MAX)), ..Self::default() }
            }
        }
    }

    /// Accepts `{"error":{…}}`, `{"error":"…"}` (Ollama), `{"message":…}` (older vLLM) and
    /// `{"detail":…}` (FastAPI).
    fn from_object(members: &Members<'_>) -> Self {
        let error = members.object("error");
        let source = if error.last().is_some() { &error } else { members };
        let message = source
            .string("message")
            .or_else(|| members.string("error"))
            .or_else(|| members.string("detail"))
            .or_else(|| first_detail_message(members));
        let field = |key: &str| {
            let raw = source.get(key)?;
            let text = source.string(key).unwrap_or_else(|| raw.get().to_owned());
            Some(sanitize(&text, ERROR_FIELD_CHARS_MAX))
        };
        Self {
            message: message.map(|text| sanitize(&text, ERROR_MESSAGE_CHARS_MAX)),
            kind: field("type"),
            code: field("code"),
            param: field("param"),
        }
    }

    /// The status that type and code imply, for errors without one.
    fn implied_status(&self) -> u16 {
        let says = |word: &str| {
            [&self.kind, &self.code].into_iter().flatten().any(|text| text.contains(word))
        };
        if says("rate_limit") || says("insufficient_quota") {
            429
        } else if says("authentication") || says("invalid_api_key") {
            401
        } else if says("not_found") {
            404
        } else if says("overloaded") {
            529
        } else if says("invalid_request") || says("context_length") {
            400
        } else {
            500
        }
    }
}

fn first_detail_message(members: &Members<'_>) -> Option<String> {
    let list = array_items(members.get("detail")?)?;
    Members::parse(list.first()?.get()).ok()?.string("msg")
}

#[cfg(test)]
mod tests;
