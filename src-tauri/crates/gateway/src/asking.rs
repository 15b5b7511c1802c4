//! One question to one backend, as every surface puts it: sent in time, and read whole where the answer
//! has to be whole.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BoundSecret, Dialect};
use hyper::Method;
use hyper::header::HeaderMap;
use wire::Outgoing;

use crate::failure::{Failure, Told};
use crate::gateway::Gateway;
use crate::headers::to_backend;
use crate::opening::read_in_full;
use crate::running_time::within;
use crate::snapshot::Backend;
use crate::upstream::{KeyScrubber, UpstreamFailure, UpstreamRequest, UpstreamResponse};

/// One question to one backend.
pub(crate) struct Question<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) key: Option<Arc<BoundSecret>>,
    pub(crate) outgoing: &'a Outgoing,
    /// As the client sent them; only listed ones go on.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) client: Dialect,
    /// Time until the head of the answer; with [`Gateway::ask`], until its end.
    pub(crate) patience: Duration,
}

/// How much of an answer is read, and how long it may fall silent meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct ReadLimits {
    pub(crate) bytes_max: usize,
    pub(crate) stall: Duration,
}

/// A whole answer with a good status.
pub(crate) struct WholeReply {
    pub(crate) body: Bytes,
    headers: HeaderMap,
    scrubber: KeyScrubber,
}

impl Gateway {
    /// Sends a question and waits for the head of its answer.
    pub(crate) async fn send(&self, question: Question<'_>) -> Result<UpstreamResponse, Failure> {
        let Question { backend, key, outgoing, headers, client, patience } = question;
        let request = UpstreamRequest {
            method: Method::POST,
            url: backend.url(&outgoing.path, outgoing.query),
            network: backend.network,
            headers: to_backend(headers, client, outgoing.dialect),
            key,
            carrier: backend.key_carrier(),
            body: outgoing.body.clone(),
        };
        let sent = self.upstream(&backend.kind).send(request);
        let response = within(&self.live, patience, sent).await;
        let response = response.unwrap_or(Err(UpstreamFailure::Timeout));
        response.map_err(|failure| Failure::upstream(&backend.id, &failure))
    }

    /// Sends a question and reads its whole answer; any status but a good one is a failure.
    pub(crate) async fn ask(
        &self,
        question: Question<'_>,
        limits: ReadLimits,
    ) -> Result<WholeReply, Failure> {
        let (id, dialect) = (&question.backend.id, question.outgoing.dialect);
        let (begun, patience) = (self.clock().now(), question.patience);
        let response = self.send(question).await?;
        if response.status.is_redirection() {
            return Err(Failure::redirected(id, response.status.as_u16()));
        }
        if !response.status.is_success() {
            return Err(self.reported(id, dialect, response).await);
        }
        let UpstreamResponse { headers, body, scrubber, .. } = response;
        let left = patience.saturating_sub(self.clock().now().since(begun));
        let reading = read_in_full(&self.live, body, limits.bytes_max, limits.stall);
        let body = within(&self.live, left, reading).await.unwrap_or(Err(UpstreamFailure::Timeout));
        let body = body.map_err(|failure| Failure::upstream(id, &failure))?;
        Ok(WholeReply { body, headers, scrubber })
    }
}

impl WholeReply {
    /// What the backend said beside its answer.
    pub(crate) fn told(&self, gateway: &Gateway) -> Told<'_> {
        Told { headers: &self.headers, scrubber: &self.scrubber, now: gateway.clock().wall() }
    }
}
