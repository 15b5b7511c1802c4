//! Mid-stream errors: `response.failed`, then `error`.
//!
//! With `response.failed` alone, four of eight clients take a truncated answer for success: the raw
//! streams of openai for Python 3.52 and for Node 7.55, `finalResponse()` of the latter, and
//! pydantic-ai 2.31. Both SDKs raise an error on any event whose data has a member `error`, so the
//! `error` event of the published schema gets one: then all eight raise an error with its message
//! (measured 2026-11-22). Codex shows the message of `response.failed`.

use bytes::Bytes;
use serde_json::json;

use super::response_object::ResponseError;
use crate::dialect::openai_chat;
use crate::{ErrorAnswer, ErrorKind};

/// Codes missing from the published list of `response.error.code` that OpenAI sends and clients act
/// on: Codex stops retrying only on these.
const UNLISTED_CODES: [&str; 2] = ["context_length_exceeded", "insufficient_quota"];

/// The events that report an incomplete answer in mid-stream, when only the number of earlier
/// events and the answer's id are known.
pub(crate) fn error_event(error: &ErrorAnswer<'_>, sequence: u64, id: Option<&str>) -> Bytes {
    let kind = "response.failed";
    let event = json!({
        "type": kind,
        "sequence_number": sequence,
        "response": {
            "id": id.unwrap_or("resp_failed"), "object": "response", "created_at": 0, "status": "failed",
            "error": response_error(error), "incomplete_details": null, "instructions": null,
            "metadata": {}, "model": "", "output": [], "parallel_tool_calls": true,
            "temperature": null, "tool_choice": "auto", "tools": [], "top_p": null,
        },
    });
    let failed = event_text(kind, &event.to_string());
    Bytes::from(failed + &error_event_text(error, sequence.saturating_add(1)))
}

/// The `error` event after `response.failed`, with the member that makes SDKs raise an error.
pub(super) fn error_event_text(error: &ErrorAnswer<'_>, sequence: u64) -> String {
    let body = openai_chat::error_object(error);
    let event = json!({
        "type": "error",
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "sequence_number": sequence,
        "error": body,
    });
    event_text("error", &event.to_string())
}

/// The HTTP status of an error. Codex 0.169 sends six requests on 403, 30 on 502, and one on 400.
pub(crate) const fn error_status(error: &ErrorAnswer<'_>) -> u16 {
    match error.kind {
        ErrorKind::BackendKey => 400,
        _ => error.status,
    }
}

/// The `error` of a `response`, with a code that clients know.
pub(super) fn response_error<'a>(error: &ErrorAnswer<'a>) -> ResponseError<'a> {
    let unlisted = error.code.filter(|code| UNLISTED_CODES.contains(code));
    let code = unlisted.unwrap_or(match error.kind {
        ErrorKind::RateLimit => "rate_limit_exceeded",
        ErrorKind::Billing => "insufficient_quota",
        ErrorKind::InvalidRequest | ErrorKind::TooLarge => "invalid_prompt",
        ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::Timeout
        | ErrorKind::Overloaded
        | ErrorKind::BackendKey
        | ErrorKind::Api => "server_error",
    });
    ResponseError { code, message: error.message }
}

/// One event of a stream.
pub(super) fn event_text(kind: &str, data: &str) -> String {
    format!("event: {kind}\ndata: {data}\n\n")
}
