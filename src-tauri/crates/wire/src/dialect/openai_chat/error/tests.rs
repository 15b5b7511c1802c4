//! The dialect's error format, written and parsed.

use serde_json::{Value, json};

use super::*;

#[test]
fn our_errors_have_all_four_fields() {
    let error = ErrorAnswer {
        status: 404,
        kind: ErrorKind::NotFound,
        code: Some("model_not_found"),
        message: "no route \"x\"",
        param: None,
    };
    let shape = json!({"error": {
        "message": "no route \"x\"",
        "type": "not_found_error",
        "param": null,
        "code": "model_not_found",
    }});
    let body: Value = serde_json::from_slice(&error_body(&error)).expect("JSON");
    assert_eq!(body, shape);
    let event = error_event(&error);
    let data = event.strip_prefix(b"data: ").and_then(|rest| rest.strip_suffix(b"\n\n"));
    let data: Value = serde_json::from_slice(data.expect("one event")).expect("JSON");
    assert_eq!(data, shape);
}

fn check(status: u16, body: &str, class: UpstreamClass, message: &str) {
    let error = upstream_error(status, body.as_bytes());
    assert_eq!((error.class, error.message.as_str()), (class, message), "{body}");
    assert_eq!(error.status, status);
}

#[test]
fn every_shape_in_use_gives_its_message() {
    use UpstreamClass::{Failed, InvalidRequest, NotFound, Overloaded, RateLimited, Unpaid};
    check(400, r#"{"error":{"message":"bad x"}}"#, InvalidRequest, "bad x");
    check(404, r#"{"error":"model 'x' not found"}"#, NotFound, "model 'x' not found");
    check(400, r#"{"object":"error","message":"m","code":400}"#, InvalidRequest, "m");
    check(
        422,
        r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
        InvalidRequest,
        "field required",
    );
    check(503, r#"{"detail":"loading"}"#, Overloaded, "loading");
    check(429, r#"[{"error":{"code":429,"message":"quota","status":"X"}}]"#, RateLimited, "quota");
    check(429, r#"{"error":{"message":"pay","code":"insufficient_quota"}}"#, Unpaid, "pay");
    check(500, "upstream\r\nconnect error", Failed, "upstream  connect error");
}

#[test]
fn what_cannot_be_quoted_is_only_classed() {
    use UpstreamClass::{Failed, Overloaded};
    let unread = "the backend answered 502 without a readable reason";
    for body in [
        "",
        "  ",
        "<html>secret</html>",
        "\u{feff}<!DOCTYPE html>",
        "{\"error\":",
        "{}",
        "[]",
        "null",
    ] {
        let error = upstream_error(502, body.as_bytes());
        let expected = if body == "null" { "null" } else { unread };
        assert_eq!((error.class, error.message.as_str()), (Failed, expected), "{body}");
    }
    check(503, "<h1>x", Overloaded, "the backend answered 503 without a readable reason");
    assert!(upstream_error(500, b"\xff\xfe").message.contains('\u{fffd}'));
}

#[test]
fn fields_are_kept_bounded_and_without_keys() {
    let key = "sk-CANARY-7f3a9c51e2b84d06a1c9f05d";
    let body = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {key}. \u001b[31m{}","type":"{}","code":null,"param":"{key}"}}}}"#,
        "m ".repeat(5_000),
        "t".repeat(500),
    );
    let error = upstream_error(401, body.as_bytes());
    assert_eq!(error.class, UpstreamClass::KeyRejected);
    assert_eq!(error.message.chars().count(), ERROR_MESSAGE_CHARS_MAX);
    assert!(error.message.contains("m m m"));
    assert_eq!(error.kind.as_ref().map(|kind| kind.chars().count()), Some(ERROR_FIELD_CHARS_MAX));
    assert_eq!(error.code, None);
    assert!(!format!("{error:?}").contains("7f3a9c51"));
    assert!(!error.message.contains('\u{1b}'));
}

#[test]
fn an_in_band_error_takes_its_status_from_its_words() {
    let status = |body: &str| in_band_error(body.as_bytes()).status;
    assert_eq!(status(r#"{"error":{"code":529,"message":"x"}}"#), 529);
    assert_eq!(status(r#"{"error":{"code":7,"message":"x"}}"#), 500);
    assert_eq!(status(r#"{"error":{"type":"rate_limit_error"}}"#), 429);
    assert_eq!(status(r#"{"error":{"code":"insufficient_quota"}}"#), 429);
    assert_eq!(status(r#"{"error":{"type":"overloaded_error"}}"#), 529);
    assert_eq!(status(r#"{"error":{"code":"invalid_api_key"}}"#), 401);
    assert_eq!(status(r#"{"error":{"code":"model_not_found"}}"#), 404);
    assert_eq!(status(r#"{"error":{"type":"invalid_request_error"}}"#), 400);
    assert_eq!(status(r#"{"error":"out of memory"}"#), 500);
}
