//! The built-in mock as a backend: plays the scripts of `wire::mock` on tokio's clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Clock;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, StatusCode};
use wire::mock::{self, MockAnswer, MockChunk, MockEnd};
use wire::{ClientRequest, CountRequest, EmbeddingRequest};

use super::{KeyScrubber, Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse};
use crate::handle::response::JSON;
use crate::handle::surface::{CallSurface, CountTokensSurface, Surface};

/// Answers in process; no socket is opened.
pub struct MockUpstream {
    clock: Arc<dyn Clock>,
}

impl MockUpstream {
    /// A mock whose answers are dated by `clock`.
    #[must_use]
    pub const fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Upstream for MockUpstream {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure> {
        let now = self.clock.wall().unix_ms() / 1_000;
        if request.method == Method::GET {
            return Ok(whole(mock::model_list(now)));
        }
        let (path, query) = (request.url.path(), request.url.query());
        let route = Surface::of(path, query, &request.headers).ok_or(UpstreamFailure::Local)?;
        let Surface::Call(call) = route else { return Err(UpstreamFailure::Local) };
        answer(&call, request.body, now).map(played).ok_or(UpstreamFailure::Local)
    }
}

/// `None` for a request that the mock does not support.
fn answer(call: &CallSurface, body: Bytes, now_unix_s: i64) -> Option<MockAnswer> {
    Some(match call {
        CallSurface::Generate(surface) => {
            let request = ClientRequest::parse(surface.for_wire(), body).ok()?;
            mock::answer(&request, now_unix_s)
        }
        CallSurface::CountTokens(CountTokensSurface::Messages) => {
            mock::answer_token_count(&CountRequest::parse_anthropic(body).ok()?)
        }
        CallSurface::CountTokens(CountTokensSurface::Gemini { model }) => {
            mock::answer_token_count(&CountRequest::parse_gemini(model, body).ok()?)
        }
        CallSurface::Embeddings(embedded) => {
            mock::answer_embeddings(&EmbeddingRequest::parse(embedded.for_wire(), body).ok()?)
        }
    })
}

fn whole(body: Bytes) -> UpstreamResponse {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON)]);
    let body = stream::iter([Ok(body)]).boxed();
    UpstreamResponse { status: StatusCode::OK, headers, body, scrubber: KeyScrubber::default() }
}

fn played(answer: MockAnswer) -> UpstreamResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(seconds) = answer.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    UpstreamResponse {
        status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY),
        headers,
        body: pieces(answer.body, answer.end),
        scrubber: KeyScrubber::default(),
    }
}

fn pieces(
    body: Vec<MockChunk>,
    end: MockEnd,
) -> BoxStream<'static, Result<Bytes, UpstreamFailure>> {
    let pieces = stream::iter(body).then(|piece| async move {
        if piece.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(piece.delay_ms)).await;
        }
        Ok(piece.bytes)
    });
    match end {
        MockEnd::Done => pieces.boxed(),
        MockEnd::Cut => pieces.chain(stream::iter([Err(UpstreamFailure::Broken)])).boxed(),
        MockEnd::Stall => pieces.chain(stream::pending()).boxed(),
    }
}
