//! Responses to clients: bodies, headers, and errors in the client's dialect.

use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, Dialect, GENERATED_ID_BYTES, RequestId};
use futures_util::stream::BoxStream;
use http_body_util::{Either, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Response, StatusCode};
use wire::{ErrorAnswer, ErrorKind, error_body, error_status};

use crate::limits::DROPPED_HEADER_BYTES_MAX;

/// Body of a response: whole, or a stream that may be aborted on purpose.
pub(crate) type ResponseBody = Either<Full<Bytes>, StreamBody<BoxStream<'static, StreamItem>>>;

/// One frame of a streamed body, or the abort.
pub(crate) type StreamItem = Result<Frame<Bytes>, Cut>;

/// Ends a body without its final chunk, so that every client sees that the answer is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response was ended on purpose after its error event")]
pub(crate) struct Cut;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-gatehouse-request-id");
pub(crate) const BACKEND: HeaderName = HeaderName::from_static("x-gatehouse-backend");
pub(crate) const ROUTE: HeaderName = HeaderName::from_static("x-gatehouse-route");
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("x-gatehouse-attempts");
pub(crate) const CACHE: HeaderName = HeaderName::from_static("x-gatehouse-cache");
/// Identifies a cached answer, so that a client can purge it.
pub(crate) const CACHE_KEY: HeaderName = HeaderName::from_static("x-gatehouse-cache-key");
pub(crate) const DROPPED: HeaderName = HeaderName::from_static("x-gatehouse-dropped");
pub(crate) const ESTIMATED: HeaderName = HeaderName::from_static("x-gatehouse-estimated");
pub(crate) const COST_USD: HeaderName = HeaderName::from_static("x-gatehouse-cost-usd");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Header slots reserved for a typical response.
const USUAL_HEADERS: usize = 12;

/// What a client should do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAdvice {
    /// No advice: the client decides by the status.
    AsStatusSays,
    /// Do not retry: the same request fails again.
    Never,
    After(Duration),
    /// The wait is too long for an automatic retry. Retry by hand, after this time at the earliest.
    NotBefore(Duration),
}

/// An error before it is written in a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: ErrorKind,
    /// Stable error code; also the error class in the ledger.
    pub(crate) code: &'static str,
    /// The backend's own error code, if it sent one; some clients read it.
    pub(crate) relayed_code: Option<Box<str>>,
    pub(crate) message: Box<str>,
    pub(crate) param: Option<Box<str>>,
    pub(crate) retry: RetryAdvice,
}

impl Refusal {
    pub(crate) fn new(
        status: u16,
        kind: ErrorKind,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            code,
            relayed_code: None,
            message: message.into().into_boxed_str(),
            param: None,
            retry: RetryAdvice::AsStatusSays,
        }
    }

    pub(crate) fn retry(mut self, advice: RetryAdvice) -> Self {
        self.retry = advice;
        self
    }

    pub(crate) fn param(mut self, param: Option<String>) -> Self {
        self.param = param.map(String::into_boxed_str);
        self
    }

    /// The error in the neutral form of `wire`.
    pub(crate) fn spelled(&self) -> ErrorAnswer<'_> {
        ErrorAnswer {
            status: self.status,
            kind: self.kind,
            code: Some(self.relayed_code.as_deref().unwrap_or(self.code)),
            message: &self.message,
            param: self.param.as_deref(),
        }
    }

    /// The whole response in `dialect`.
    pub(crate) fn answer(&self, dialect: Dialect) -> Response<ResponseBody> {
        let error = self.spelled();
        let status = error_status(dialect, &error);
        let mut answer = json(status, error_body(dialect, &ErrorAnswer { status, ..error }));
        let headers = answer.headers_mut();
        let never = HeaderValue::from_static("false");
        match self.retry {
            RetryAdvice::AsStatusSays => {}
            RetryAdvice::Never => drop(headers.insert(SHOULD_RETRY, never)),
            RetryAdvice::After(wait) => drop(headers.insert(RETRY_AFTER, seconds(wait))),
            RetryAdvice::NotBefore(wait) => {
                headers.insert(SHOULD_RETRY, never);
                headers.insert(RETRY_AFTER, seconds(wait));
            }
        }
        answer
    }
}

/// Whole seconds, rounded up, at least one.
fn seconds(wait: Duration) -> HeaderValue {
    let rounded = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(rounded.max(1))
}

pub(crate) fn json(status: u16, body: Bytes) -> Response<ResponseBody> {
    let mut answer = whole(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

/// A whole body with status 200 and no header.
pub(crate) fn whole(body: Bytes) -> Response<ResponseBody> {
    let mut answer = Response::new(Either::Left(Full::new(body)));
    answer.headers_mut().reserve(USUAL_HEADERS);
    answer
}

/// A streamed body with status 200 and no header.
pub(crate) fn streamed(items: BoxStream<'static, StreamItem>) -> Response<ResponseBody> {
    Response::new(Either::Right(StreamBody::new(items)))
}

/// Adds the request's id to its response, also in the header that the SDKs of `dialect` read,
/// unless the backend has set that one. A response that has an id keeps it.
pub(crate) fn stamp(answer: &mut Response<ResponseBody>, id: RequestId, dialect: Dialect) {
    let Ok(value) = HeaderValue::from_str(id.encode(&mut [0; GENERATED_ID_BYTES])) else { return };
    let headers = answer.headers_mut();
    let name = match dialect {
        Dialect::AnthropicMessages => HeaderName::from_static("request-id"),
        _ => HeaderName::from_static("x-request-id"),
    };
    headers.entry(name).or_insert_with(|| value.clone());
    headers.entry(REQUEST_ID).or_insert(value);
}

/// Adds a header. Text that a header cannot carry is omitted (a route may be a model name as the
/// client wrote it).
pub(crate) fn mark(response: &mut Response<ResponseBody>, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(name, value);
    }
}

/// Marks a response that comes from the cache.
pub(crate) fn mark_replayed(
    response: &mut Response<ResponseBody>,
    route: &str,
    backend: Option<&BackendId>,
) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE, HeaderValue::from_static("hit"));
    headers.insert(ATTEMPTS, HeaderValue::from(0));
    mark(response, ROUTE, route);
    if let Some(backend) = backend {
        mark(response, BACKEND, backend.as_str());
    }
}

/// Lists the request fields that no backend could be sent, as far as a header can carry them.
pub(crate) fn mark_dropped(response: &mut Response<ResponseBody>, dropped: &[String]) {
    let mut text = dropped.join(", ");
    text.retain(|c| c.is_ascii_graphic() || c == ' ');
    text.truncate(DROPPED_HEADER_BYTES_MAX);
    if !text.is_empty() {
        mark(response, DROPPED, &text);
    }
}

/// Makes this the last response on its connection.
pub(crate) fn close(answer: &mut Response<ResponseBody>) {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_whole_seconds_and_never_zero() {
        let text = |wait| seconds(wait).to_str().map(str::to_owned).expect("text");
        assert_eq!(text(Duration::ZERO), "1");
        assert_eq!(text(Duration::from_millis(150)), "1");
        assert_eq!(text(Duration::from_secs(7)), "7");
        assert_eq!(text(Duration::from_millis(7_001)), "8");
    }

    #[test]
    fn advice_becomes_headers() {
        let headers = |advice| {
            let refusal = Refusal::new(429, ErrorKind::RateLimit, "x", "y").retry(advice);
            let answer = refusal.answer(Dialect::OpenAiChat);
            let get =
                |name| answer.headers().get(name).and_then(|v| v.to_str().ok().map(str::to_owned));
            (get(SHOULD_RETRY), get(RETRY_AFTER))
        };
        assert_eq!(headers(RetryAdvice::AsStatusSays), (None, None));
        assert_eq!(headers(RetryAdvice::Never), (Some("false".into()), None));
        let wait = Duration::from_secs(9);
        assert_eq!(headers(RetryAdvice::After(wait)), (None, Some("9".into())));
        assert_eq!(headers(RetryAdvice::NotBefore(wait)), (Some("false".into()), Some("9".into())));
    }
}
