//! A probe learns what it can without being billed, and no more than it may.

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, BoundSecret, Clock as _, Secret, SystemClock};
use endpoints::{FailureReason, Verdict};
use gateway::{Backend, HttpUpstream, MockUpstream, PROBE_TIMEOUT, ProbeFailure, probe};
use test_support::{Reply, ScriptedUpstream};
use wire::TargetKind;

use crate::world::KEY;

fn backend(kind: TargetKind, base_url: &str) -> Backend {
    let id = BackendId::new("corp").expect("an id");
    Backend::new(id, kind, &base_url.parse().expect("a URL"), None).expect("a backend")
}

fn key(home: &str) -> Option<Arc<BoundSecret>> {
    let secret = Secret::parse(KEY.to_owned()).expect("a secret");
    Some(Arc::new(BoundSecret::new(secret, Some(home.parse().expect("an origin")))))
}

async fn probed(
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> (Result<Vec<String>, ProbeFailure>, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start_with(move |_| Some(reply())).await.expect("an upstream");
    let network = HttpUpstream::new(Duration::from_secs(5));
    let base_url = upstream.base_url();
    let backend = backend(
        TargetKind::OpenAiCompatible { lacks: Default::default(), offers: Default::default() },
        &base_url,
    );
    let report = probe(&network, &backend, key(&base_url), &SystemClock::new()).await;
    (report, upstream)
}

#[tokio::test]
async fn a_good_backend_lists_its_models_and_nothing_else_is_asked() {
    let (report, upstream) = probed(|| Reply::models(&["a", "b"])).await;
    assert_eq!(report, Ok(vec!["a".to_owned(), "b".to_owned()]));
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("GET", "/v1/models"));
    assert_eq!(requests[0].authorization(), Some(format!("Bearer {KEY}").as_str()));
}

#[tokio::test]
async fn each_failure_has_its_class() {
    let other = ScriptedUpstream::start([]).await.expect("an upstream");
    let there = other.addr();
    let failed = Verdict::BackendFailure;
    let cases: Vec<(Reply, Option<u16>, Verdict)> = vec![
        (Reply::error(401, "x", &format!("bad key {KEY}")), Some(401), Verdict::KeyRejected),
        (Reply::error(402, "x", "no money"), Some(402), Verdict::KeyUnpaid),
        (Reply::rate_limited(1), Some(429), Verdict::RateLimited),
        (Reply::error(404, "x", "what models"), Some(404), Verdict::ClientFault),
        (Reply::error(500, "x", "oh"), Some(500), failed(FailureReason::Status)),
        (Reply::html(200), Some(200), failed(FailureReason::Unreadable)),
        (Reply::redirect(there), Some(302), failed(FailureReason::Redirected)),
        (Reply::gzip("application/json", b"{}"), Some(200), failed(FailureReason::Unreadable)),
        (Reply::reset_before_head(), None, failed(FailureReason::Broken)),
    ];
    for (reply, status, verdict) in cases {
        let (report, _upstream) = probed(move || reply.clone()).await;
        let failure = report.expect_err("a failure");
        assert_eq!((failure.http_status, failure.verdict), (status, verdict), "{failure}");
        assert!(!failure.message.contains(KEY), "{failure}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_restricted_key_that_may_not_list_models_is_not_rejected() {
    let refusal = |scopes: &str| {
        format!(
            "You have insufficient permissions for this operation. Missing scopes: {scopes}. Check that \
             you have the correct role."
        )
    };
    let cases = [
        (refusal("api.model.read"), Verdict::ClientFault),
        (refusal("model.request"), Verdict::KeyRejected),
        (refusal("api.model.readable"), Verdict::KeyRejected),
        (refusal("api.model.read, model.request"), Verdict::KeyRejected),
        ("Incorrect API key provided".to_owned(), Verdict::KeyRejected),
    ];
    for status in [401, 403] {
        for (message, verdict) in cases.clone() {
            let reply = Reply::error(status, "invalid_request_error", &message);
            let (report, _upstream) = probed(move || reply.clone()).await;
            let failure = report.expect_err("a failure");
            assert_eq!(
                (failure.http_status, failure.verdict),
                (Some(status), verdict),
                "{failure}"
            );
            let is_named = failure.message.contains("lacks the scope api.model.read");
            assert_eq!(is_named, verdict == Verdict::ClientFault, "{failure}");
        }
    }
}

#[tokio::test]
async fn a_key_of_another_host_is_not_sent() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let network = HttpUpstream::new(Duration::from_secs(5));
    let backend = backend(TargetKind::OpenAi, &upstream.base_url());
    let key = key("https://api.openai.com");
    let report = probe(&network, &backend, key, &SystemClock::new()).await;
    assert_eq!(report.expect_err("refused").verdict, Verdict::NotSent);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn the_mock_is_probed_in_process() {
    let mock = MockUpstream::new(Arc::new(SystemClock::new()));
    let backend = backend(TargetKind::Mock, "http://mock.invalid");
    let report = probe(&mock, &backend, None, &SystemClock::new()).await;
    let expected: Vec<_> = wire::mock::MODELS.iter().map(|&model| model.to_owned()).collect();
    assert_eq!(report, Ok(expected));
}

struct Silent;

#[async_trait::async_trait]
impl gateway::Upstream for Silent {
    async fn send(
        &self,
        _request: gateway::UpstreamRequest,
    ) -> Result<gateway::UpstreamResponse, gateway::UpstreamFailure> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_limit() {
    let backend = backend(TargetKind::OpenAi, "https://api.test/v1");
    let clock = SystemClock::new();
    let begun = clock.now();
    let report = probe(&Silent, &backend, None, &clock).await;
    assert_eq!(clock.now().since(begun), PROBE_TIMEOUT);
    let verdict = report.expect_err("late").verdict;
    assert_eq!(verdict, Verdict::BackendFailure(FailureReason::Timeout));
}
