//! A call that generates an answer: Chat Completions, Responses, Messages and Gemini.

use std::sync::Arc;

use bytes::Bytes;
use cache::{BypassReason, CacheEntry};
use domain::Dialect;
use futures_util::{StreamExt, stream};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use routing::{Decision, Needs};
use wire::{BackendExchange, ClientRequest, ConversationFingerprint, Delivery, RequestError};

use crate::handle::accounting::{RequestRecord, estimate};
use crate::handle::attempts;
use crate::handle::attempts::open::{self, Content, Opened};
use crate::handle::attempts::send::{BackendCall, send};
use crate::handle::budget_guard::{CallSize, OutputLimit};
use crate::handle::cache_step::answer_slot::AnswerSlot;
use crate::handle::call::{
    AttemptTarget, Call, CallFacts, CallOptions, PendingRequest, RoutedCall,
};
use crate::handle::context::RequestContext;
use crate::handle::failure::{Failure, bad_request};
use crate::handle::relay::{self, Relay, RelayContext};
use crate::handle::response::{self, CACHE, JSON, Refusal, ResponseBody};
use crate::handle::response_items::{ResponseItemStore, ResponseItemWriter};
use crate::handle::surface::GenerateSurface;
use crate::headers::{Media, copy_to_client, media};
use crate::limits::RUNAWAY_BODY_BYTES_MIN;
use crate::outbound::Outbound;
use crate::outbound::quota_headers::read_quotas;
use crate::snapshot::Backend;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Upper bound of bytes per token: a body that is too long for a model by this figure is too long for
/// certain. Prose has 4.5 bytes per token; the JSON around it adds bytes but no tokens.
const BYTES_PER_TOKEN_MAX: u64 = 8;

/// A parsed generation request.
pub(crate) struct Generation {
    pub(crate) request: ClientRequest,
    options: CallOptions,
    bytes_in: usize,
    conversation: Option<u64>,
    prefix: Option<u64>,
    items: Arc<ResponseItemStore>,
}

impl Generation {
    /// Parses a body. References to stored items are replaced by the items.
    pub(crate) fn parse(
        surface: &GenerateSurface,
        context: &RequestContext,
        body: Bytes,
        items: &Arc<ResponseItemStore>,
    ) -> Result<Self, Refusal> {
        let options = CallOptions::read(context)?;
        let bytes_in = body.len();
        let body = match context.arrival.dialect {
            Dialect::OpenAiResponses => items.resolve(&context.client.id, body),
            _ => body,
        };
        let request =
            ClientRequest::parse(surface.for_wire(), body).map_err(|error| bad_request(&error))?;
        let follows = context.snapshot.routes.follows_conversations();
        let is_watched = bytes_in >= RUNAWAY_BODY_BYTES_MIN;
        let fingerprint: Option<ConversationFingerprint> =
            (follows || is_watched).then(|| request.conversation_fingerprint());
        Ok(Self {
            conversation: fingerprint.filter(|_| follows).map(|print| print.conversation),
            prefix: fingerprint.filter(|_| is_watched).map(|print| print.prefix),
            request,
            options,
            bytes_in,
            items: Arc::clone(items),
        })
    }

    /// The writer that stores the answer's items, if the client may refer to them later.
    fn keeper(&self, context: &RequestContext) -> Option<ResponseItemWriter> {
        self.request.is_stored().then(|| self.items.keeper(&context.client.id))
    }
}

impl Call for Generation {
    type Slot = AnswerSlot;
    type Opened = Opened;

    fn size(&self) -> CallSize {
        let wants = self.request.needs();
        let input_tokens = match wants.images {
            true => estimate::input_with_images(self.request.body()),
            false => estimate::tokens_of_bytes(self.request.body().len()),
        };
        let output = wants.output_tokens.map_or(OutputLimit::Model, OutputLimit::Stated);
        let answers = wants.answers.unwrap_or(1).max(1);
        CallSize { input_tokens, output, answers, terms: self.request.billing_terms() }
    }

    fn facts(&self) -> CallFacts<'_> {
        CallFacts {
            model: self.request.model(),
            protocol: self.request.dialect().word(),
            is_streamed: self.request.delivery().is_streamed(),
            bytes_in: self.bytes_in,
            needs: needs(&self.request),
            conversation: self.conversation,
            prefix: self.prefix,
            priority: self.options.priority,
        }
    }

    fn restrict(&self, _decision: &mut Decision) {}

    fn cache_slot(
        &self,
        context: &RequestContext,
        decision: &Decision,
    ) -> Result<AnswerSlot, BypassReason> {
        AnswerSlot::of(context, &self.request, self.options.cache, decision)
    }

    async fn attempt(
        routed: &RoutedCall<Self>,
        outbound: &Outbound,
        target: AttemptTarget<'_>,
        record: &mut RequestRecord,
    ) -> Result<Opened, Failure> {
        let AttemptTarget { backend, candidate, share } = target;
        let RoutedCall { context, call, .. } = routed;
        let exchange = exchange(routed, backend, &candidate.model)
            .map_err(|error| Failure::bad_request(&error))?;
        let key = attempts::begin(outbound, context, target, record).await?;
        let is_streamed = call.request.delivery().is_streamed();
        let limits = &context.snapshot.limits;
        let timeout = open::attempt_timeout(outbound, limits, is_streamed, record, share);
        let request = BackendCall {
            backend,
            key,
            outgoing: exchange.outgoing(),
            headers: &context.headers,
            client: exchange.client(),
            timeout,
        };
        let response = send(outbound, request).await?;
        record.first_byte(response.status.as_u16());
        let quotas = read_quotas(&response.headers, outbound.clock.wall());
        outbound.registry.record_quotas(&candidate.endpoint, quotas);
        let request_body = call.request.body();
        let opening = open::Opening { outbound, limits, backend, request_body, share };
        opening.open(exchange, response, record).await
    }

    async fn deliver(
        routed: RoutedCall<Self>,
        outbound: &Outbound,
        opened: Opened,
        mut record: RequestRecord,
    ) -> Response<ResponseBody> {
        let RoutedCall { context, call, .. } = routed;
        record.set_status(200);
        let Opened { backend, headers: backend_headers, content, exchange } = opened;
        // The provider stores the items of an answer that passes through.
        let keeper = call.keeper(&context).filter(|_| !exchange.passes_through());
        let mut response = match content {
            Content::Whole(body) | Content::Replayed(body) => {
                if let Some(keeper) = keeper {
                    keeper.keep(&body);
                }
                relay::whole(body, record).await
            }
            Content::Stream(streaming) => {
                let relay_context = RelayContext {
                    backend,
                    limits: context.snapshot.limits,
                    client: exchange.client(),
                    request_body: call.request.body().clone(),
                    keeper,
                    stopped: context.arrival.stopped,
                };
                let registry = Arc::clone(&outbound.registry);
                let relay = Relay::new(*streaming, record, relay_context, registry);
                response::streamed(relay.into_stream())
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type(&exchange, &backend_headers));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CACHE, HeaderValue::from_static("bypass"));
        copy_to_client(&backend_headers, exchange.client(), exchange.outgoing().dialect, headers);
        response::mark_dropped(&mut response, &exchange.outgoing().dropped);
        response
    }

    async fn replay(
        pending: PendingRequest<Self>,
        entry: Arc<CacheEntry>,
    ) -> Response<ResponseBody> {
        let PendingRequest { routed, mut record } = pending;
        let RoutedCall { context, call, decision, .. } = routed;
        if let Some(keeper) = call.keeper(&context) {
            keeper.keep(entry.answer.bytes());
        }
        record.complete_from_cache(&entry).await;
        let mut response = if call.request.delivery().is_streamed() {
            let chunks: Vec<_> =
                entry.answer.chunks().map(|chunk| Ok(Frame::data(chunk))).collect();
            response::streamed(stream::iter(chunks).boxed())
        } else {
            response::whole(entry.answer.bytes().clone())
        };
        if let Ok(value) = HeaderValue::try_from(&entry.content_type) {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        response::mark_replayed(&mut response, &decision.route, Some(&entry.backend));
        response::mark_dropped(&mut response, entry.dropped.as_slice());
        response
    }
}

/// The request as sent to `backend`, and the translation of its answer.
fn exchange(
    routed: &RoutedCall<Generation>,
    backend: &Backend,
    model: &str,
) -> Result<BackendExchange, RequestError> {
    let RoutedCall { context, call, decision, .. } = routed;
    let mut id = context.arrival.id.to_string();
    id.retain(|c| c.is_ascii_alphanumeric());
    let created_unix_s = context.arrival.started.unix_ms() / 1_000;
    let mut target = backend.target(model);
    target.crossing = decision.crossing.unwrap_or(target.crossing);
    BackendExchange::new(&call.request, &target, &id, created_unix_s)
}

/// What the request needs from a model. With images, input tokens are not counted: an image's size says
/// nothing about its tokens.
fn needs(request: &ClientRequest) -> Needs {
    let wants = request.needs();
    let bytes = u64::try_from(request.body().len()).unwrap_or(u64::MAX);
    Needs {
        tools: wants.tools,
        vision: wants.images,
        json_schema: wants.json_schema,
        input_tokens: if wants.images { 0 } else { bytes / BYTES_PER_TOKEN_MAX },
        output_tokens: wants.output_tokens.unwrap_or_default(),
        embeddings: false,
        dialect: Some(request.dialect()),
    }
}

/// The content type of the response: the backend's own if its bytes pass through and the type is the
/// expected one.
fn content_type(exchange: &BackendExchange, backend_headers: &HeaderMap) -> HeaderValue {
    let (ours, expected) = match exchange.delivery() {
        Delivery::Stream(_) => (EVENT_STREAM, Media::EventStream),
        Delivery::Whole | Delivery::StreamArray => (JSON, Media::Json),
    };
    let own = backend_headers.get(CONTENT_TYPE).filter(|_| media(backend_headers) == expected);
    own.filter(|_| exchange.passes_through()).cloned().unwrap_or(ours)
}
