//! Errors, `{"error": {"code", "message", "status", "details"}}`: written for clients, read from
//! backends.

use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::dialect::openai_chat;
use crate::error::ERROR_FIELD_CHARS_MAX;
use crate::error::sanitize;
use crate::json::{Members, array_items};
use crate::{ErrorAnswer, ErrorKind, UpstreamClass, UpstreamError};

/// Longest retry delay accepted from a backend, in seconds: one day, after which a daily quota
/// renews.
const RETRY_AFTER_S_MAX: u64 = 86_400;

pub(crate) fn error_body(error: &ErrorAnswer<'_>) -> Bytes {
    let status = error_status(error);
    let mut body = json!({"code": status, "message": error.message, "status": status_name(status)});
    let details = write_details(error);
    if let (Some(members), false) = (body.as_object_mut(), details.is_empty()) {
        members.insert("details".to_owned(), Value::Array(details));
    }
    Bytes::from(json!({ "error": body }).to_string())
}

/// Event that tells a client in mid-stream that its answer is incomplete, and the bytes after it
/// that end the stream cleanly.
///
/// `@google/genai` 1.x, which Gemini CLI 0.61 and pi 0.73 include, reads the event as a chunk
/// without text. After a tool's result, both then take what they have for the complete answer. The
/// SDK raises an error that arrives in a read of its own, or if anything but an event is left at
/// the end. So the error is repeated there, bare and without a line end. SSE readers must discard
/// such a remainder, and other SDKs have raised the event by then. An end without the final chunk
/// would make Gemini CLI give up at once.
pub(crate) fn error_event(error: &ErrorAnswer<'_>) -> Bytes {
    let body = error_body(error);
    Bytes::from([b"data: ".as_slice(), &body, b"\r\n\r\n", &body].concat())
}

/// HTTP status of an error for a client, from the set that Google documents.
pub(crate) const fn error_status(error: &ErrorAnswer<'_>) -> u16 {
    match (error.status, error.kind) {
        (400 | 401 | 403 | 404 | 429 | 500 | 501 | 503 | 504, _) => error.status,
        (402, _) | (_, ErrorKind::Billing) => 429,
        (408, _) => 504,
        (405 | 410, _) => 404,
        (529, _) => 503,
        (400..=499, _) => 400,
        _ => 500,
    }
}

/// Reads a backend's error. A refused key is a 400 that only the reason in `details` identifies. A
/// used-up daily quota (`QuotaFailure` of a quota per day) concerns the account, and waiting does
/// not help. `RetryInfo` holds the retry delay.
pub(crate) fn upstream_error(status: u16, body: &[u8]) -> UpstreamError {
    let mut error = openai_chat::upstream_error(status, body);
    let text = String::from_utf8_lossy(body);
    let Some(details) = ErrorDetails::read(text.trim_start_matches('\u{feff}').trim()) else {
        return error;
    };
    error.class = match (status, details.reason.as_deref(), details.status.as_deref()) {
        (_, Some("API_KEY_INVALID" | "API_KEY_SERVICE_BLOCKED"), _) => UpstreamClass::KeyRejected,
        (400, _, Some("FAILED_PRECONDITION")) => UpstreamClass::Unpaid,
        (429, ..) if details.is_daily => UpstreamClass::QuotaSpent,
        _ => error.class,
    };
    error.retry_after = details.retry_after;
    error.code = details.reason.or(error.code);
    error.kind = details.status.or(error.kind);
    error
}

/// Reads an error object sent with HTTP status 200.
pub(crate) fn in_band_error(body: &[u8]) -> UpstreamError {
    let text = String::from_utf8_lossy(body);
    let status = Members::parse(text.trim()).ok().and_then(|members| {
        let error = members.object("error");
        let code = error.get("code").and_then(|code| code.get().parse::<u16>().ok());
        let named = || error.string("status").map(|status| status_code(&status));
        code.filter(|code| (400..=599).contains(code)).or_else(named)
    });
    upstream_error(status.unwrap_or(500), body)
}

/// Fields of an error beyond its message.
#[derive(Debug, Default)]
struct ErrorDetails {
    status: Option<String>,
    reason: Option<String>,
    retry_after: Option<Duration>,
    is_daily: bool,
}

impl ErrorDetails {
    fn read(text: &str) -> Option<Self> {
        // The SDKs' servers wrap a stream's error in an array of one.
        let first = serde_json::from_str::<&RawValue>(text).ok().and_then(array_items);
        let text = first.and_then(|list| list.first().copied()).map_or(text, RawValue::get);
        let error = Members::parse(text).ok()?.object("error");
        let status = error.string("status").map(|word| sanitize(&word, ERROR_FIELD_CHARS_MAX));
        let mut details = Self { status, ..Self::default() };
        for entry in error.get("details").and_then(array_items).unwrap_or_default() {
            if let Ok(entry) = Members::parse(entry.get()) {
                details.add_detail(&entry);
            }
        }
        Some(details)
    }

    fn add_detail(&mut self, entry: &Members<'_>) {
        let reason = entry.string("reason").map(|word| sanitize(&word, ERROR_FIELD_CHARS_MAX));
        self.reason = self.reason.take().or(reason);
        let delay = entry.string("retryDelay").and_then(|delay| parse_retry_delay(&delay));
        self.retry_after = self.retry_after.or(delay);
        for violation in entry.get("violations").and_then(array_items).unwrap_or_default() {
            let Ok(violation) = Members::parse(violation.get()) else { continue };
            let names = ["quotaId", "quotaMetric"].map(|key| violation.string(key));
            self.is_daily |= names.iter().flatten().any(|name| name.contains("PerDay"));
        }
    }
}

/// Parses `"37s"` or `"37.5s"`, rounded up to whole seconds, at most [`RETRY_AFTER_S_MAX`].
fn parse_retry_delay(delay: &str) -> Option<Duration> {
    let number = delay.strip_suffix('s')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_part = !part.is_empty() && part.bytes().any(|digit| digit != b'0');
    let whole = whole.parse::<u64>().ok()?.saturating_add(u64::from(is_part));
    Some(Duration::from_secs(whole.min(RETRY_AFTER_S_MAX)))
}

const fn status_name(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

fn status_code(word: &str) -> u16 {
    match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "RESOURCE_EXHAUSTED" => 429,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => 500,
    }
}

/// The error code and the invalid field, in Google's own detail types.
fn write_details(error: &ErrorAnswer<'_>) -> Vec<Value> {
    let info = error.code.map(|code| {
        json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": code.to_ascii_uppercase(), "domain": "gatehouse"})
    });
    let field = error.param.map(|param| {
        json!({"@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": param, "description": error.message}]})
    });
    info.into_iter().chain(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: &str = r#"{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED",
        "details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":"QUOTA_ID","quotaValue":"20"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37.2s"}]}}"#;

    #[test]
    fn a_quota_per_minute_waits_and_one_per_day_is_the_accounts() {
        let read = |quota: &str| upstream_error(429, QUOTA.replace("QUOTA_ID", quota).as_bytes());
        let minute = read("GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
        assert_eq!(minute.class, UpstreamClass::RateLimited);
        assert_eq!(minute.retry_after, Some(Duration::from_secs(38)));
        assert_eq!(minute.kind.as_deref(), Some("RESOURCE_EXHAUSTED"));
        assert_eq!(minute.message, "You exceeded your current quota.");
        let day = read("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
        assert_eq!(day.class, UpstreamClass::QuotaSpent);
    }

    #[test]
    fn a_refused_key_is_reported_with_its_reason() {
        let body = br#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]"#;
        let error = upstream_error(400, body);
        assert_eq!(error.class, UpstreamClass::KeyRejected);
        assert_eq!(error.code.as_deref(), Some("API_KEY_INVALID"));
        assert_eq!(upstream_error(503, b"<html>").class, UpstreamClass::Overloaded);
    }

    #[test]
    fn waits_are_read_and_bounded() {
        let read = |delay| parse_retry_delay(delay).map(|delay| delay.as_secs());
        assert_eq!([read("37s"), read("0.5s"), read("2.000s")], [Some(37), Some(1), Some(2)]);
        assert_eq!([read("86401s"), read("37"), read("-1s")], [Some(86_400), None, None]);
    }

    #[test]
    fn clients_get_googles_statuses() {
        let answer = |status, kind| {
            let error = ErrorAnswer {
                status,
                kind,
                code: Some("model_not_found"),
                message: "no \"such\" model",
                param: Some("model"),
            };
            (error_status(&error), error_body(&error))
        };
        let (status, body) = answer(404, ErrorKind::NotFound);
        assert_eq!(status, 404);
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["error"]["code"], 404);
        assert_eq!(body["error"]["status"], "NOT_FOUND");
        assert_eq!(body["error"]["message"], "no \"such\" model");
        assert_eq!(body["error"]["details"][0]["reason"], "MODEL_NOT_FOUND");
        assert_eq!(body["error"]["details"][1]["fieldViolations"][0]["field"], "model");
        let statuses = [(529, 503), (402, 429), (413, 400), (408, 504), (502, 500), (422, 400)];
        for (neutral, own) in statuses {
            assert_eq!(answer(neutral, ErrorKind::Api).0, own);
        }
    }
}
