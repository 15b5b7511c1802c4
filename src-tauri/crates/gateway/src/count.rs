//! Counting tokens before a request is sent. Asked of the backend if it speaks the client's dialect,
//! else estimated and said so. Nothing is billed, so nothing is written down.

use bytes::Bytes;
use cache::Bypass;
use domain::Access;
use hyper::Response;
use hyper::header::HeaderValue;
use routing::{Asking, Candidate, Needs};
use wire::{CountRequest, Outgoing, count_answer, read_count};

use crate::answer::{self, AnswerBody, BACKEND, CACHE, ESTIMATED};
use crate::asking::{Question, ReadLimits};
use crate::entrance::{TrafficRules, Visitor};
use crate::estimate;
use crate::failure::{Failure, Work, bad_request};
use crate::gateway::Gateway;
use crate::limits::COUNT_ANSWER_BYTES_MAX;
use crate::pipeline::{Call, mark};
use crate::route::Counted;
use crate::snapshot::Backend;

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
        let visitor = Visitor {
            client: &call.client.id,
            priority: call.client.priority,
            rules: TrafficRules {
                in_flight_max: call.client.rules.in_flight_max,
                ..Default::default()
            },
            tokens: 0,
            conversation: None,
        };
        let _place = match self.entrance.enter(visitor, &call.snapshot.limits).await {
            Ok(place) => place,
            Err(refusal) => return refusal.answer(dialect),
        };
        if let Some(used) = &call.snapshot.cache {
            used.cache.bypassed(Bypass::Surface);
        }
        let mut answer = match self.count(&request, &call).await {
            Ok(answer) => answer,
            Err(failure) => failure.refusal.answer(dialect),
        };
        answer.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
        answer
    }

    async fn count(
        &self,
        request: &CountRequest,
        call: &Call<'_>,
    ) -> Result<Response<AnswerBody>, Failure> {
        let dialect = call.arrival.dialect;
        let candidate = self.counter(request, call)?;
        let backend = self.reachable(&call.snapshot, &candidate)?;
        let outgoing = request.for_upstream(&backend.target(&candidate.model));
        let mut answer = match outgoing {
            Some(outgoing) => {
                let access = &candidate.access;
                answer::json(200, self.ask_for_count(backend, access, outgoing, call).await?)
            }
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

    /// The candidate that would answer, and so the one that counts.
    fn counter(&self, request: &CountRequest, call: &Call<'_>) -> Result<Candidate, Failure> {
        let Call { arrival, client, snapshot, .. } = call;
        let asking = Asking {
            model: request.model(),
            client: &client.id,
            project: arrival.project.as_deref(),
            needs: Needs { dialect: Some(arrival.dialect), ..Needs::default() },
            conversation: None,
        };
        // There is always one.
        Ok(self.choose_for(client, &asking, snapshot)?.candidates.swap_remove(0))
    }

    async fn ask_for_count(
        &self,
        backend: &Backend,
        access: &Access,
        outgoing: Outgoing,
        call: &Call<'_>,
    ) -> Result<Bytes, Failure> {
        let limits = &call.snapshot.limits;
        let question = Question {
            backend,
            key: self.key(access).await?,
            outgoing: &outgoing,
            headers: &call.headers,
            client: outgoing.dialect,
            patience: limits.first_token_timeout,
        };
        let limits = ReadLimits { bytes_max: COUNT_ANSWER_BYTES_MAX, stall: limits.stall_timeout };
        let body = self.ask(question, limits).await?.body;
        match read_count(outgoing.dialect, &body) {
            Some(_) => Ok(body),
            None => Err(Failure::unreadable(&backend.id, "sent no token count.", Work::None)),
        }
    }
}
