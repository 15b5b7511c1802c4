//! Tests which requests are rejected, with which field name, and which bytes of a body change.

use super::*;
use crate::MODEL_NAME_BYTES_MAX;
use crate::json::JSON_MEMBERS_MAX;

fn parse(body: &str) -> Result<ClientRequest, RequestError> {
    ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::copy_from_slice(body.as_bytes()))
}

fn refused(body: &str) -> RequestError {
    parse(body).expect_err(body)
}

#[test]
fn routing_facts_are_read_wherever_they_stand() {
    let plain =
        parse(r#" {"messages":[],"x":{"model":"no"},"model":"gpt\u002dx"} "#).expect("good");
    assert_eq!((plain.model(), plain.delivery()), ("gpt-x", Delivery::Whole));
    let stream = |extra: &str| {
        parse(&format!(r#"{{"model":"m","messages":[],"stream":true{extra}}}"#))
            .expect("good")
            .delivery()
    };
    assert_eq!(stream(""), Delivery::Stream(UsageChunk::NotAsked));
    let asked = r#","stream_options":{"include_usage":true}"#;
    assert_eq!(stream(asked), Delivery::Stream(UsageChunk::Asked));
    for not in ["null", "{}", r#"{"include_usage":false}"#, r#"{"include_usage":null}"#] {
        let delivery = stream(&format!(r#","stream_options":{not}"#));
        assert_eq!(delivery, Delivery::Stream(UsageChunk::NotAsked), "{not}");
    }
    for whole in ["false", "null"] {
        let body = format!(r#"{{"model":"m","messages":[],"stream":{whole}}}"#);
        assert_eq!(parse(&body).expect("good").delivery(), Delivery::Whole);
    }
}

#[test]
fn refusals_name_the_field() {
    let cases = [
        (r#"{"messages":[]}"#, Some("model"), "missing_required_parameter"),
        (r#"{"model":null,"messages":[]}"#, Some("model"), "missing_required_parameter"),
        (r#"{"model":3,"messages":[]}"#, Some("model"), "invalid_type"),
        (r#"{"model":"","messages":[]}"#, Some("model"), "invalid_value"),
        (r#"{"model":"a\u0000","messages":[]}"#, Some("model"), "invalid_value"),
        (r#"{"model":"\ud800","messages":[]}"#, Some("model"), "invalid_value"),
        (r#"{"model":"m"}"#, Some("messages"), "missing_required_parameter"),
        (r#"{"model":"m","messages":{}}"#, Some("messages"), "invalid_type"),
        (r#"{"model":"m","messages":[],"stream":1}"#, Some("stream"), "invalid_type"),
        (
            r#"{"model":"m","messages":[],"stream_options":3}"#,
            Some("stream_options"),
            "invalid_type",
        ),
        (
            r#"{"model":"m","messages":[],"stream_options":{"include_usage":"yes"}}"#,
            Some("stream_options.include_usage"),
            "invalid_type",
        ),
        (r#"{"model":"m","model":"n","messages":[]}"#, Some("model"), "duplicate_parameter"),
        (r#"{"x":1,"\u0078":2}"#, Some("x"), "duplicate_parameter"),
        (
            r#"{"model":"m","messages":[],"stream_options":{"a":1,"a":1}}"#,
            Some("stream_options.a"),
            "duplicate_parameter",
        ),
        ("[1]", None, "invalid_json"),
        ("", None, "invalid_json"),
        ("\u{feff}{}", None, "invalid_json"),
        (r#"{"a":NaN}"#, None, "invalid_json"),
        (r#"{"a":1} {"#, None, "invalid_json"),
    ];
    for (body, param, code) in cases {
        let error = refused(body);
        assert_eq!((error.param(), error.code()), (param, code), "{body}");
        assert!(param.is_none_or(|param| error.to_string().contains(param)), "{error}");
    }
}

#[test]
fn limits_hold_at_the_limit() {
    let named = |bytes: usize| format!(r#"{{"model":"{}","messages":[]}}"#, "m".repeat(bytes));
    assert!(parse(&named(MODEL_NAME_BYTES_MAX)).is_ok());
    assert_eq!(refused(&named(MODEL_NAME_BYTES_MAX + 1)), RequestError::bad_model_name());
    // The object itself is one level.
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"model":"m","messages":{open}{close}}}"#)
    };
    assert!(parse(&nested(JSON_DEPTH_MAX)).is_ok());
    assert_eq!(refused(&nested(JSON_DEPTH_MAX + 1)), RequestError::TooComplex);
    assert_eq!(refused(&"[".repeat(1_000_000)), RequestError::TooComplex);
    let fields = |count: usize| {
        let more: String = (2..count).map(|n| format!(",\"{n}\":0")).collect();
        format!(r#"{{"model":"m","messages":[]{more}}}"#)
    };
    assert!(parse(&fields(JSON_MEMBERS_MAX)).is_ok());
    assert_eq!(refused(&fields(JSON_MEMBERS_MAX + 1)), RequestError::TooComplex);
    let utf8 = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from_static(b"{\n\"\xff\"}"))
        .expect_err("no UTF-8");
    assert_eq!(utf8, RequestError::NotJson { line: 2, column: 2 });
}

#[test]
fn only_the_model_and_the_usage_option_change() {
    let check = |body: &str, metering, expected: &str| {
        let sent = parse(body).expect("good").upstream_body("up/\"x\"", metering);
        assert_eq!(String::from_utf8_lossy(&sent), expected, "{body}");
    };
    use Metering::{AsClientWrote, AskForUsage};
    check(
        r#"{ "model" : "m" , "messages":[1e400,"\ud800"],"z":0 }"#,
        AskForUsage,
        r#"{ "model" : "up/\"x\"" , "messages":[1e400,"\ud800"],"z":0 }"#,
    );
    check(
        r#"{"stream":true,"messages":[],"model":"m" }"#,
        AskForUsage,
        r#"{"stream":true,"messages":[],"model":"up/\"x\"","stream_options":{"include_usage":true} }"#,
    );
    check(
        r#"{"stream_options":{"a":1},"stream":true,"messages":[],"model":"m"}"#,
        AskForUsage,
        r#"{"stream_options":{"include_usage":true,"a":1},"stream":true,"messages":[],"model":"up/\"x\""}"#,
    );
    check(
        r#"{"model":"m","stream_options":{ },"stream":true,"messages":[]}"#,
        AskForUsage,
        r#"{"model":"up/\"x\"","stream_options":{"include_usage":true },"stream":true,"messages":[]}"#,
    );
    check(
        r#"{"model":"m","stream_options":{"include_usage":false},"stream":true,"messages":[]}"#,
        AskForUsage,
        r#"{"model":"up/\"x\"","stream_options":{"include_usage":true},"stream":true,"messages":[]}"#,
    );
    check(
        r#"{"model":"m","stream_options":null,"stream":true,"messages":[]}"#,
        AskForUsage,
        r#"{"model":"up/\"x\"","stream_options":{"include_usage":true},"stream":true,"messages":[]}"#,
    );
    check(
        r#"{"model":"m","stream":true,"messages":[]}"#,
        AsClientWrote,
        r#"{"model":"up/\"x\"","stream":true,"messages":[]}"#,
    );
}

#[test]
fn the_same_model_leaves_the_very_bytes() {
    let body = r#"{"model":"\u006d","messages":[]}"#;
    let request = parse(body).expect("good");
    let sent = request.upstream_body("m", Metering::AskForUsage);
    assert_eq!(sent.as_ptr(), request.body().as_ptr(), "not even copied");
}
