//! What a request asks for, read once: as it is placed, limited, routed and written down.

use domain::RequestId;
use hyper::header::HeaderMap;
use ledger::NewRequest;
use resilience::Priority;
use routing::Needs;
use wire::{ClientRequest, ErrorKind};

use crate::answer::{Refusal, RetryAdvice};
use crate::caching::Wishes;
use crate::entrance::Visitor;
use crate::estimate::BYTES_PER_TOKEN;
use crate::headers::PRIORITY;
use crate::live::Work;
use crate::pipeline::{Arrival, Call};
use crate::snapshot::Client;

/// Bytes of a body to a token at the most: what is known to be too long by this is too long. Prose has
/// 4.5 and JSON around it counts for nothing; pictures are not counted, as their bytes say nothing.
const BYTES_PER_TOKEN_MAX: u64 = 8;

/// What a request asks for, as it is written down.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) model: &'a str,
    /// As the ledger spells it.
    pub(crate) protocol: &'static str,
    pub(crate) is_streamed: bool,
    pub(crate) bytes_in: usize,
    /// What it needs of a model.
    pub(crate) needs: Needs,
    /// Which conversation it belongs to, where a route asks for that.
    pub(crate) conversation: Option<u64>,
    /// The fingerprint of its beginning, by which a client that spins is known.
    pub(crate) prefix: Option<u64>,
    pub(crate) priority: Priority,
}

impl Asked<'_> {
    pub(crate) fn work(&self, request: RequestId) -> Work {
        Work { request, tokens: self.tokens() }
    }

    pub(crate) fn visitor<'a>(&self, client: &'a Client) -> Visitor<'a> {
        Visitor {
            client: &client.id,
            priority: self.priority,
            rules: client.rules,
            tokens: self.tokens_at_most(),
            conversation: self.prefix,
        }
    }

    pub(crate) fn written(self, arrival: Arrival, client: &Client, route: &str) -> NewRequest {
        NewRequest {
            id: arrival.id,
            started: arrival.started,
            client: client.id.clone(),
            project: arrival.project,
            route: route.to_owned(),
            model_asked: self.model.to_owned(),
            dialect: self.protocol.to_owned(),
            streamed: self.is_streamed,
            purpose: client.purpose,
        }
    }

    /// Tokens of its body as they are estimated, for the limits of backends; put right when it is over.
    fn tokens(&self) -> u32 {
        let bytes = u64::try_from(self.bytes_in).unwrap_or(u64::MAX);
        u32::try_from(bytes / BYTES_PER_TOKEN).unwrap_or(u32::MAX)
    }

    /// Those and the most that it allows for the answer, for the limit of its client: requests that run
    /// at the same time must not exceed it together. Without a stated maximum the answer counts only
    /// when it is there.
    fn tokens_at_most(&self) -> u32 {
        let output = u32::try_from(self.needs.output_tokens).unwrap_or(u32::MAX);
        self.tokens().saturating_add(output)
    }
}

impl Call<'_> {
    /// Whose turn it is and what it wishes of the cache, as its headers and its client's settings say.
    /// Refused: a header with another word.
    pub(crate) fn wishes(&self) -> Result<(Priority, Wishes), Refusal> {
        let priority = priority(&self.headers, self.client)?;
        let wishes = Wishes::of(&self.headers, self.client, self.arrival.project.as_deref())?;
        Ok((priority, wishes))
    }
}

fn priority(headers: &HeaderMap, client: &Client) -> Result<Priority, Refusal> {
    let Some(value) = headers.get(PRIORITY) else { return Ok(client.priority) };
    let word = value.to_str().unwrap_or_default().trim();
    [Priority::Interactive, Priority::Background]
        .into_iter()
        .find(|priority| priority.word() == word)
        .ok_or_else(|| {
            let message = "The header x-gatehouse-priority must be 'interactive' or 'background'.";
            Refusal::new(400, ErrorKind::InvalidRequest, "invalid_value", message)
                .param(Some(PRIORITY.as_str().to_owned()))
                .retry(RetryAdvice::Never)
        })
}

/// What a request for an answer needs of a model.
pub(crate) fn needs(request: &ClientRequest) -> Needs {
    let wants = request.wants();
    let bytes = u64::try_from(request.body().len()).unwrap_or(u64::MAX);
    Needs {
        tools: wants.tools,
        vision: wants.images,
        json_schema: wants.json_schema,
        input_tokens: if wants.images { 0 } else { bytes / BYTES_PER_TOKEN_MAX },
        output_tokens: wants.output_tokens.unwrap_or_default(),
        vectors: false,
        dialect: Some(request.dialect()),
    }
}
