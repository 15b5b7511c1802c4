//! Errors in mid-stream: `response.failed`, which is the only one whose message Codex shows.

use bytes::Bytes;
use serde_json::json;

use super::response::ResponseError;
use super::writer::event_text;
use crate::{ErrorAnswer, ErrorKind};

/// Codes that the published list of `response.error.code` lacks although OpenAI sends them and
/// clients act on them: Codex stops its retries only at these.
const UNLISTED_CODES: [&str; 2] = ["context_length_exceeded", "insufficient_quota"];

/// The event that tells a client in mid-stream that its answer is not whole, when no more is known
/// of it than how many events came before.
pub(crate) fn error_event(error: &ErrorAnswer<'_>, sequence: u64) -> Bytes {
    let kind = "response.failed";
    let event = json!({
        "type": kind,
        "sequence_number": sequence,
        "response": {
            "id": "resp_failed", "object": "response", "created_at": 0, "status": "failed",
            "error": response_error(error), "incomplete_details": null, "instructions": null,
            "metadata": {}, "model": "", "output": [], "parallel_tool_calls": true,
            "temperature": null, "tool_choice": "auto", "tools": [], "top_p": null,
        },
    });
    Bytes::from(event_text(kind, &event.to_string()))
}

/// The `error` of a `response`, in the words that clients know.
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
        | ErrorKind::Api => "server_error",
    });
    ResponseError { code, message: error.message }
}
