//! Writes errors for clients and reads errors from backends.

use bytes::Bytes;
use serde_json::json;

use crate::dialect::openai_chat;
use crate::{ErrorAnswer, ErrorKind, UpstreamClass, UpstreamError};

/// Error body for a client. `request_id` is `null`, which the official types allow: the id is sent
/// in a header.
pub(crate) fn error_body(error: &ErrorAnswer<'_>) -> Bytes {
    let body = json!({
        "type": "error",
        "error": {"type": error_type(error.kind), "message": error.message},
        "request_id": null,
    });
    Bytes::from(body.to_string())
}

/// HTTP status of an error for a client. Anthropic uses 529 for overload, 400 for every invalid
/// request and 504 for every timeout.
///
/// If the backend rejects the gateway's key, the status is 424 (failed dependency). It is the only
/// status at which Claude Code 2.1 sends one request and blames nobody else: at 401 and 403 it says
/// "Please run /login", at 400 it sends six requests.
pub(crate) const fn error_status(error: &ErrorAnswer<'_>) -> u16 {
    match (error.kind, error.status) {
        (ErrorKind::Overloaded, _) => 529,
        (ErrorKind::BackendKey, _) => 424,
        (ErrorKind::Timeout, 408 | 409) => 504,
        (_, 409 | 422) => 400,
        (_, status) => status,
    }
}

/// Event that tells a client in mid-stream that its answer is incomplete.
pub(crate) fn error_event(error: &ErrorAnswer<'_>) -> Bytes {
    let body = error_body(error);
    Bytes::from([b"event: error\ndata: ".as_slice(), &body, b"\n\n"].concat())
}

/// Reads a backend's error. Messages such as "prompt is too long" are kept verbatim, because
/// clients read them.
pub(crate) fn upstream_error(status: u16, body: &[u8]) -> UpstreamError {
    let error = openai_chat::upstream_error(status, body);
    let class = match error.kind.as_deref() {
        Some("billing_error") => UpstreamClass::Unpaid,
        Some("overloaded_error") => UpstreamClass::Overloaded,
        Some("request_too_large") => UpstreamClass::TooLarge,
        _ => error.class,
    };
    UpstreamError { class, ..error }
}

/// Reads an error sent with HTTP status 200. Its status is derived from its type.
pub(super) fn in_band_error(body: &[u8]) -> UpstreamError {
    let kind = openai_chat::upstream_error(500, body).kind;
    upstream_error(kind.as_deref().map_or(500, status_of_error_type), body)
}

const fn error_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Billing => "billing_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::BackendKey | ErrorKind::Api => "api_error",
    }
}

fn status_of_error_type(kind: &str) -> u16 {
    match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn errors_have_the_shape_of_the_sdk() {
        let kinds = [
            (ErrorKind::InvalidRequest, 422, "invalid_request_error", 400),
            (ErrorKind::Authentication, 401, "authentication_error", 401),
            (ErrorKind::Permission, 403, "permission_error", 403),
            (ErrorKind::NotFound, 404, "not_found_error", 404),
            (ErrorKind::TooLarge, 413, "request_too_large", 413),
            (ErrorKind::RateLimit, 429, "rate_limit_error", 429),
            (ErrorKind::Billing, 402, "billing_error", 402),
            (ErrorKind::Timeout, 408, "timeout_error", 504),
            (ErrorKind::Overloaded, 503, "overloaded_error", 529),
            (ErrorKind::Api, 502, "api_error", 502),
        ];
        for (kind, status, word, written) in kinds {
            let error = ErrorAnswer { status, kind, code: None, message: "m \"q\"", param: None };
            let body: Value = serde_json::from_slice(&error_body(&error)).expect("JSON");
            let expected = json!({"type": "error", "request_id": null,
                "error": {"type": word, "message": "m \"q\""}});
            assert_eq!(body, expected);
            assert_eq!(error_status(&error), written, "{word}");
            // Errors written here can be read back.
            assert_eq!(in_band_error(&error_body(&error)).kind.as_deref(), Some(word));
        }
    }

    #[test]
    fn a_backends_words_are_kept_and_classed() {
        let body = br#"{"type":"error","error":{"type":"invalid_request_error",
            "message":"prompt is too long: 208310 tokens > 200000 maximum"},"request_id":"req_1"}"#;
        let error = upstream_error(400, body);
        assert_eq!(error.message, "prompt is too long: 208310 tokens > 200000 maximum");
        assert_eq!(error.class, UpstreamClass::InvalidRequest);
        let class = |status, kind: &str| {
            let body = json!({"type": "error", "error": {"type": kind, "message": "m"}});
            upstream_error(status, body.to_string().as_bytes()).class
        };
        assert_eq!(class(529, "overloaded_error"), UpstreamClass::Overloaded);
        assert_eq!(class(500, "overloaded_error"), UpstreamClass::Overloaded);
        assert_eq!(class(400, "billing_error"), UpstreamClass::Unpaid);
        assert_eq!(class(413, "request_too_large"), UpstreamClass::TooLarge);
        assert_eq!(class(429, "rate_limit_error"), UpstreamClass::RateLimited);
        let in_band = in_band_error(br#"{"type":"error","error":{"type":"overloaded_error"}}"#);
        assert_eq!((in_band.status, in_band.class), (529, UpstreamClass::Overloaded));
    }
}
