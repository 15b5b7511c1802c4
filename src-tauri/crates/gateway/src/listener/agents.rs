//! MCP over HTTP, at `/mcp`. The gateway checks the head, the token and that the client may; what
//! answers is passed in by the layers above, of which it knows nothing.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{ClientId, Dialect};
use futures_util::StreamExt;
use http_body_util::BodyStream;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use hyper::{Method, Request, Response};
use parking_lot::RwLock;
use wire::ErrorKind;

use crate::handle::response::{self, Refusal, ResponseBody, RetryAdvice};
use crate::handle::{body, guard};
use crate::limits::{CONTROL_BODY_BYTES_MAX, ListenerLimits};
use crate::snapshot::{GatewayClient, Snapshot};

/// The body of an answer; a stream of events may have no end.
pub type AgentBody = BoxBody<Bytes, Infallible>;

/// Serves agents over MCP's streamable HTTP.
#[async_trait]
pub trait AgentEndpoint: Send + Sync {
    /// Answers a request of `client`, whose token was checked. A session is that client's alone.
    async fn answer(&self, client: &ClientId, request: Request<Bytes>) -> Response<AgentBody>;

    /// Ends all sessions and their streams of events.
    fn stop(&self);
}

/// Where [`AgentEndpoint`] is set once there is one.
#[derive(Default)]
pub(crate) struct AgentSlot(RwLock<Option<Arc<dyn AgentEndpoint>>>);

impl AgentSlot {
    pub(crate) fn set(&self, endpoint: Arc<dyn AgentEndpoint>) {
        *self.0.write() = Some(endpoint);
    }

    /// Stops the endpoint and lets it go: it may hold what holds the gateway.
    pub(crate) fn clear(&self) {
        let endpoint = self.0.write().take();
        if let Some(endpoint) = endpoint {
            endpoint.stop();
        }
    }

    /// Answers a request whose token was checked.
    pub(crate) async fn answer(
        &self,
        client: &GatewayClient,
        snapshot: &Snapshot,
        limits: &ListenerLimits,
        request: Request<Incoming>,
    ) -> Response<ResponseBody> {
        match self.serve(client, snapshot, limits, request).await {
            Ok(answer) => answer,
            Err(refusal) => {
                let mut answer = refusal.answer(Dialect::OpenAiChat);
                response::close(&mut answer);
                answer
            }
        }
    }

    async fn serve(
        &self,
        client: &GatewayClient,
        snapshot: &Snapshot,
        limits: &ListenerLimits,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let endpoint = self.0.read().clone();
        let endpoint = endpoint.filter(|_| snapshot.serves_agents).ok_or_else(switched_off)?;
        if !client.may_use_mcp {
            return Err(not_allowed(&client.id));
        }
        if request.method() == Method::POST {
            guard::check_json(request.headers())?;
        }
        let (head, incoming) = request.into_parts();
        let body = body::read(incoming, CONTROL_BODY_BYTES_MAX, limits).await?;
        let answer = endpoint.answer(&client.id, Request::from_parts(head, body)).await;
        let (head, body) = answer.into_parts();
        let frames = BodyStream::new(body).map(|frame| frame.map_err(|never| match never {}));
        let (mut own, body) = response::streamed(frames.boxed()).into_parts();
        own.status = head.status;
        own.headers.extend(head.headers);
        own.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(Response::from_parts(own, body))
    }
}

fn switched_off() -> Refusal {
    let message = "MCP over HTTP is off. Switch it on in Settings, Agents, or with \
                   `gatehouse settings set mcp_http true`.";
    Refusal::new(404, ErrorKind::NotFound, "mcp_off", message).retry(RetryAdvice::Never)
}

fn not_allowed(client: &ClientId) -> Refusal {
    let message = format!(
        "The client {client} may not use MCP. Allow it on the Clients screen, or with \
         `gatehouse clients edit {client} --mcp true`."
    );
    Refusal::new(403, ErrorKind::Permission, "mcp_not_allowed", message).retry(RetryAdvice::Never)
}
