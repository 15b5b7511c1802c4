//! Counting tokens before a request is sent. Asked of the backend if it speaks the client's dialect,
//! else estimated and said so. Nothing is billed, so nothing is written down.

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{Method, Response};
use wire::{CountRequest, Outgoing, count_answer, read_count, upstream_error};

use crate::answer::{self, AnswerBody, BACKEND, ESTIMATED};
use crate::estimate;
use crate::failure::{Failure, Told, Work, bad_request};
use crate::gateway::Gateway;
use crate::headers::to_backend;
use crate::limits::COUNT_ANSWER_BYTES_MAX;
use crate::opening::read_in_full;
use crate::pipeline::{Call, crowded, mark};
use crate::route::Counted;
use crate::snapshot::Backend;
use crate::upstream::{UpstreamFailure, UpstreamRequest};

impl Gateway {
    pub(crate) async fn count_tokens(
        &self,
        counted: Counted,
        call: Call<'_>,
    ) -> Response<AnswerBody> {
        let dialect = call.arrival.dialect;
        let parsed = match &counted {
            Counted::Messages => CountRequest::parse_anthropic(call.body.clone()),
            Counted::Gemini { model } => CountRequest::parse_gemini(model, call.body.clone()),
        };
        let request = match parsed {
            Ok(request) => request,
            Err(error) => return bad_request(&error).answer(dialect),
        };
        let in_flight_max = call.snapshot.limits.in_flight_max;
        let Some(_place) = self.in_flight.enter(in_flight_max) else {
            return crowded(in_flight_max).answer(dialect);
        };
        match self.count(&request, &call).await {
            Ok(answer) => answer,
            Err(failure) => failure.refusal.answer(dialect),
        }
    }

    async fn count(
        &self,
        request: &CountRequest,
        call: &Call<'_>,
    ) -> Result<Response<AnswerBody>, Failure> {
        let dialect = call.arrival.dialect;
        let decision =
            call.snapshot.routes.choose(request.model()).map_err(|e| Failure::no_route(&e))?;
        let backend = self.reachable(&call.snapshot, &decision.first)?;
        let outgoing = request.for_upstream(&backend.target(&decision.first.model));
        let mut answer = match outgoing {
            Some(outgoing) => answer::json(200, self.ask_for_count(backend, outgoing, call).await?),
            None => {
                let tokens = estimate::input_tokens(request.body());
                let mut answer = answer::json(200, count_answer(dialect, tokens));
                answer.headers_mut().insert(ESTIMATED, HeaderValue::from_static("tokens"));
                answer
            }
        };
        mark(&mut answer, BACKEND, backend.id.as_str());
        Ok(answer)
    }

    async fn ask_for_count(
        &self,
        backend: &Backend,
        outgoing: Outgoing,
        call: &Call<'_>,
    ) -> Result<Bytes, Failure> {
        let Outgoing { dialect, path, query, body, .. } = outgoing;
        let request = UpstreamRequest {
            method: Method::POST,
            url: backend.url(&path, query),
            headers: to_backend(&call.headers, dialect, dialect),
            key: self.key(backend).await?,
            carrier: backend.key_carrier(),
            body,
        };
        let limits = &call.snapshot.limits;
        let sent = self.upstream(&backend.kind).send(request);
        let response = tokio::time::timeout(limits.first_token_timeout, sent).await;
        let response = response.unwrap_or(Err(UpstreamFailure::Timeout));
        let failed = |failure| Failure::upstream(&backend.id, &failure);
        let response = response.map_err(failed)?;
        let (status, headers) = (response.status, response.headers);
        let read = read_in_full(response.body, COUNT_ANSWER_BYTES_MAX, limits.stall_timeout).await;
        if !status.is_success() {
            let body = response.scrubber.scrub_body(&read.unwrap_or_default());
            let error = upstream_error(dialect, status.as_u16(), &body);
            let scrubber = &response.scrubber;
            let told = Told { headers: &headers, scrubber, now: self.clock().wall() };
            return Err(Failure::reported(&backend.id, &error, &told));
        }
        let body = read.map_err(failed)?;
        match read_count(dialect, &body) {
            Some(_) => Ok(body),
            None => Err(Failure::unreadable(&backend.id, "sent no count of tokens.", Work::None)),
        }
    }
}
