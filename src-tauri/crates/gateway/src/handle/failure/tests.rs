//! Tests the mapping of failures, one row of the table at a time.

use super::*;
use crate::TlsFault;
use crate::outbound::upstream::KeyScrubber;
use wire::openai_chat::upstream_error;

fn backend() -> BackendId {
    BackendId::new("corp").expect("an id")
}

fn reported(status: u16, body: &str, headers: &[(&'static str, &str)]) -> Failure {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (hyper::header::HeaderName::from_static(name), value.parse().expect("a value"))
        })
        .collect();
    // 2026-11-21T08:00:00Z
    let now = WallTime::from_unix_ms(1_795_248_000_000);
    let context = ErrorContext { headers: &headers, scrubber: &KeyScrubber::default(), now };
    Failure::reported(&backend(), &upstream_error(status, body.as_bytes()), &context)
}

#[test]
fn each_status_is_mapped_as_the_table_says() {
    let error = r#"{"error":{"message":"prompt is too long","type":"t","code":"c","param":"p"}}"#;
    let cases = [
        (400, 400, Verdict::ClientFault),
        (422, 400, Verdict::ClientFault),
        (401, 403, Verdict::KeyRejected),
        (403, 403, Verdict::KeyRejected),
        (402, 429, Verdict::KeyUnpaid),
        (404, 404, Verdict::ClientFault),
        (408, 504, Verdict::BackendFailure(FailureReason::Timeout)),
        (413, 413, Verdict::ClientFault),
        (429, 429, Verdict::RateLimited),
        (500, 502, Verdict::BackendFailure(FailureReason::Status)),
        (502, 502, Verdict::BackendFailure(FailureReason::Status)),
        (503, 503, Verdict::BackendFailure(FailureReason::Overloaded)),
        (504, 504, Verdict::BackendFailure(FailureReason::Timeout)),
        (529, 503, Verdict::BackendFailure(FailureReason::Overloaded)),
    ];
    for (theirs, ours, verdict) in cases {
        let failure = reported(theirs, error, &[]);
        assert_eq!(failure.refusal.status, ours, "{theirs}");
        assert_eq!(failure.verdict, verdict, "{theirs}");
        assert_eq!(failure.upstream_status, Some(theirs));
        let named = failure.refusal.message.contains("corp");
        let verbatim = &*failure.refusal.message == "prompt is too long";
        assert!(named != verbatim, "{theirs}: {}", failure.refusal.message);
    }
}

#[test]
fn a_rejected_key_is_never_retried_and_clears_the_local_token() {
    let failure = reported(401, r#"{"error":{"message":"bad key"}}"#, &[]);
    assert_eq!(failure.refusal.retry, RetryAdvice::Never);
    assert!(failure.refusal.message.contains("your local token is fine"));
}

#[test]
fn waits_are_read_in_three_spellings_and_clamped() {
    let advice = |headers: &[(&'static str, &str)]| reported(429, "{}", headers).refusal.retry;
    let after = |ms| RetryAdvice::After(Duration::from_millis(ms));
    assert_eq!(advice(&[]), RetryAdvice::AsStatusSays);
    assert_eq!(advice(&[("retry-after", "1")]), after(1_000));
    assert_eq!(advice(&[("retry-after", "60")]), after(60_000));
    assert_eq!(advice(&[("retry-after", "5"), ("retry-after-ms", "150")]), after(150));
    let date = advice(&[("retry-after", "Sat, 21 Nov 2026 08:00:30 GMT")]);
    assert_eq!(date, after(30_000));
    assert_eq!(advice(&[("retry-after", "Sat, 21 Nov 2026 07:00:00 GMT")]), after(0));
    let longest = RetryAdvice::NotBefore(Duration::from_secs(RETRY_AFTER_SECS_MAX));
    assert_eq!(advice(&[("retry-after", "61")]), longest);
    assert_eq!(advice(&[("retry-after", "4294967")]), longest);
    for nonsense in ["soon", "-1", "NaN", "inf", "1e999"] {
        assert_eq!(advice(&[("retry-after", nonsense)]), RetryAdvice::AsStatusSays, "{nonsense}");
    }
    let forbidden = reported(503, "{}", &[("x-should-retry", "false")]);
    assert_eq!(forbidden.refusal.retry, RetryAdvice::Never);
}

#[test]
fn what_was_never_sent_says_nothing_about_the_backend() {
    let failure =
        Failure::upstream(&backend(), &UpstreamFailure::Key(domain::OriginMismatch::Unbound));
    assert_eq!((failure.refusal.status, failure.verdict), (502, Verdict::NotSent));
    assert_eq!(failure.refusal.retry, RetryAdvice::Never);
    let failure = Failure::upstream(&backend(), &UpstreamFailure::Timeout);
    assert_eq!((failure.refusal.status, failure.work), (504, BackendWork::Unknown));
    let failure = Failure::upstream(&backend(), &UpstreamFailure::Connect);
    assert_eq!((failure.refusal.status, failure.work), (502, BackendWork::None));
}

/// Whoever was not reached, or answered with an error, bills nothing. Whoever was silent or reports
/// a timeout may have worked.
#[test]
fn only_who_may_have_worked_may_bill() {
    let work = |failure: &UpstreamFailure| Failure::upstream(&backend(), failure).work;
    for unreached in [
        UpstreamFailure::Key(domain::OriginMismatch::Unbound),
        UpstreamFailure::Dns,
        UpstreamFailure::DnsTimeout,
        UpstreamFailure::Connect,
        UpstreamFailure::Tls(TlsFault::Expired),
        UpstreamFailure::Tls(TlsFault::Handshake),
        UpstreamFailure::OutOfDescriptors,
        UpstreamFailure::Offline,
        UpstreamFailure::Local,
    ] {
        assert_eq!(work(&unreached), BackendWork::None, "{unreached}");
    }
    for reached in [UpstreamFailure::Timeout, UpstreamFailure::Broken] {
        assert_eq!(work(&reached), BackendWork::Unknown, "{reached}");
    }
    for status in [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529] {
        assert_eq!(reported(status, "{}", &[]).work, BackendWork::None, "{status}");
    }
    for status in [408, 504] {
        assert_eq!(reported(status, "{}", &[]).work, BackendWork::Unknown, "{status}");
    }
}

#[test]
fn refusals_of_the_router_are_sentences_with_their_status() {
    let failure = Failure::no_route(&RoutingError::MissingModel);
    assert_eq!(failure.refusal.status, 400);
    assert!(failure.refusal.message.starts_with("The request has no model"));
    let unknown =
        RoutingError::UnknownModel { model: "x".into(), suggestion: None, known: vec!["y".into()] };
    let failure = Failure::no_route(&unknown);
    assert_eq!((failure.refusal.status, failure.refusal.code), (404, "model_not_found"));
    assert_eq!(failure.refusal.param.as_deref(), Some("model"));
}
