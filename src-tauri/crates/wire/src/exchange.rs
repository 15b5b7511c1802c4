//! One attempt at one backend: the request in its dialect, and the translation of its answer.
//!
//! Only this module decides whether the dialects match. If they do, bytes pass through unchanged;
//! if not, everything goes through the neutral form. Callers see one interface for both.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::{Dialect, UnsupportedFeature};

use crate::answer::answer_text;
use crate::dialect;
use crate::dialect::client_spelling;
use crate::dialect::tool_names::ToolNames;
use crate::dialect::translation::{AnswerTranslation, RequestEcho};
use crate::dialect::{anthropic_messages, openai_chat, openai_responses};
use crate::neutral::{AnswerEvent, ProviderEvent};
use crate::request::client_request::{ClientRequest, Metering};
use crate::stream::answer_stream::AnswerStream;
use crate::stream::assemble::Assembler;
use crate::stream::fold::fold_events;
use crate::stream::provider_event_reader::ProviderEventReader;
use crate::{AnswerFacts, BadAnswer, Delivery, RequestError, Target};

/// A request prepared for one backend.
#[derive(Debug, Clone)]
pub struct BackendExchange {
    client: Dialect,
    backend: Dialect,
    delivery: Delivery,
    request: ClientRequest,
    id: String,
    created_unix_s: i64,
    translation: Option<AnswerTranslation>,
    outgoing: BackendRequest,
}

/// A request in a backend's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendRequest {
    pub dialect: Dialect,
    /// Path segments under the backend's root (which includes `/v1` for OpenAI and compatible
    /// servers, and no version for the others), not yet percent-encoded.
    pub path: Vec<String>,
    /// The part after `?`, if any.
    pub query: Option<&'static str>,
    pub body: Bytes,
    /// Dropped fields of the client's request, in its own spelling.
    pub dropped: Vec<String>,
}

impl BackendExchange {
    /// Writes `request` for `target`. `id` (letters and digits) and `created_unix_s` go into
    /// answers whose dialect requires them and whose backend gave none.
    pub fn new(
        request: &ClientRequest,
        target: &Target,
        id: &str,
        created_unix_s: i64,
    ) -> Result<Self, RequestError> {
        let client = request.dialect();
        let mut backend = target.dialect_for(client);
        let (body, dropped, crossing) = if client == backend {
            let metering = if target.lacks(UnsupportedFeature::StreamUsage) {
                Metering::AsClientWrote
            } else {
                Metering::AskForUsage
            };
            let body = request.upstream_body(&target.model, metering);
            let (body, dropped) = match client {
                Dialect::OpenAiChat => openai_chat::adapt_body(body, target)?,
                Dialect::OpenAiResponses => openai_responses::remove_foreign_items(body),
                Dialect::AnthropicMessages => {
                    anthropic_messages::remove_foreign_thinking(body, &target.model)
                }
                _ => (body, Vec::new()),
            };
            (body, dropped, None)
        } else {
            let neutral = Arc::new(request.to_neutral()?);
            backend = target.dialect_for_request(&neutral, backend);
            let named = |path| client_spelling::client_spelling_of(client, request.text(), path);
            let mut written = dialect::write_request(backend, &neutral, target)
                .map_err(|error| error.map_param(named))?;
            written.dropped = written.dropped.into_iter().map(named).collect();
            let names = Arc::new(ToolNames::for_request(&neutral, backend));
            let echo = RequestEcho { request: neutral, id: id.to_owned(), created_unix_s };
            (written.body, written.dropped, Some(AnswerTranslation { echo, names }))
        };
        let delivery = request.delivery();
        let (path, query) = request_path(backend, target, delivery);
        let outgoing = BackendRequest { dialect: backend, path, query, body, dropped };
        let (request, id) = (request.clone(), id.to_owned());
        Ok(Self {
            client,
            backend,
            delivery,
            request,
            id,
            created_unix_s,
            translation: crossing,
            outgoing,
        })
    }

    #[must_use]
    pub const fn outgoing(&self) -> &BackendRequest {
        &self.outgoing
    }

    #[must_use]
    pub const fn client(&self) -> Dialect {
        self.client
    }

    /// True if bytes pass through unchanged.
    #[must_use]
    pub const fn passes_through(&self) -> bool {
        self.translation.is_none()
    }

    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Starts the translation of a streamed answer.
    #[must_use]
    pub fn answer_stream(&self) -> AnswerStream {
        AnswerStream::new(self.client, self.backend, self.delivery, self.translation.as_ref())
    }

    /// Translates a backend's whole answer into the client's body.
    pub fn translate_answer(&self, body: &Bytes) -> Result<(Bytes, AnswerFacts), BadAnswer> {
        match &self.translation {
            None if self.backend == Dialect::OpenAiChat => {
                Ok((body.clone(), openai_chat::read_chat_answer(body)?))
            }
            None => Ok((body.clone(), self.read_events(body)?.1)),
            Some(crossing) => {
                let (events, facts) = self.read_events(body)?;
                Ok((self.write_events(events, &crossing.echo)?, facts))
            }
        }
    }

    /// The client's stream, made from the whole answer of a backend that ignored the request for a
    /// stream.
    pub fn stream_from_answer(&self, body: &Bytes) -> Result<(Bytes, AnswerFacts), BadAnswer> {
        if let (Dialect::OpenAiChat, None, Delivery::Stream(usage)) =
            (self.backend, &self.translation, self.delivery)
        {
            return openai_chat::stream_from_answer(body, usage);
        }
        let (events, facts) = self.read_events(body)?;
        if !matches!(events.last(), Some(AnswerEvent::End { .. })) {
            return Err(BadAnswer::Truncated);
        }
        let mut out = BytesMut::new();
        let mut writer =
            dialect::stream_writer(self.client, self.echo()?).ok_or(BadAnswer::NotJson)?;
        events.iter().for_each(|event| writer.write(event, &mut out));
        Ok((out.freeze(), facts))
    }

    /// The client's whole answer, made from the stream of a backend that was not asked for one.
    pub fn answer_from_stream(&self, body: &[u8]) -> Result<(Bytes, AnswerFacts), BadAnswer> {
        let mut reader = ProviderEventReader::new(self.backend);
        let mut assembler = self.assembler();
        let mut events = Vec::new();
        let (mut pieces, fault) = reader.feed(body);
        if let Some(fault) = fault {
            return Err(BadAnswer::Broken(fault));
        }
        pieces.extend(reader.finish());
        for piece in pieces {
            assemble_event(piece, &mut assembler, &mut events)?;
        }
        if assembler.is_finished() && !matches!(events.last(), Some(AnswerEvent::End { .. })) {
            // Gemini has no terminator and others omit theirs; every choice has a finish reason.
            assemble_event(ProviderEvent::End, &mut assembler, &mut events)?;
        }
        if !matches!(events.last(), Some(AnswerEvent::End { .. })) {
            return Err(BadAnswer::Truncated);
        }
        Ok((self.write_events(events, &self.echo()?)?, assembler.into_facts()))
    }

    fn assembler(&self) -> Assembler {
        let names = self.translation.as_ref().map(|crossing| Arc::clone(&crossing.names));
        Assembler::new(names.unwrap_or_default(), &self.id)
    }

    fn read_events(&self, body: &[u8]) -> Result<(Vec<AnswerEvent>, AnswerFacts), BadAnswer> {
        let pieces = dialect::read_answer(self.backend, answer_text(body)?)?;
        let mut assembler = self.assembler();
        let mut events = Vec::new();
        for piece in pieces {
            assemble_event(piece, &mut assembler, &mut events)?;
        }
        Ok((events, assembler.into_facts()))
    }

    fn write_events(
        &self,
        events: Vec<AnswerEvent>,
        echo: &RequestEcho,
    ) -> Result<Bytes, BadAnswer> {
        let answer = fold_events(events);
        if answer.choices.is_empty() {
            return Err(BadAnswer::NoChoices);
        }
        dialect::write_answer(self.client, &answer, echo).ok_or(BadAnswer::NotJson)
    }

    /// What an answer written by the gateway repeats from its request.
    fn echo(&self) -> Result<RequestEcho, BadAnswer> {
        if let Some(crossing) = &self.translation {
            return Ok(crossing.echo.clone());
        }
        let request = self.request.to_neutral().map_err(|_| BadAnswer::NotJson)?;
        let (id, created_unix_s) = (self.id.clone(), self.created_unix_s);
        Ok(RequestEcho { request: Arc::new(request), id, created_unix_s })
    }
}

fn assemble_event(
    piece: ProviderEvent,
    assembler: &mut Assembler,
    events: &mut Vec<AnswerEvent>,
) -> Result<(), BadAnswer> {
    if let ProviderEvent::Error(error) = piece {
        return Err(BadAnswer::UpstreamError(error));
    }
    events.extend(assembler.push_event(piece).map_err(BadAnswer::Broken)?);
    Ok(())
}

/// Path and query of a request in this dialect, under the backend's root.
fn request_path(
    dialect: Dialect,
    target: &Target,
    delivery: Delivery,
) -> (Vec<String>, Option<&'static str>) {
    let model = &target.model;
    let path = |segments: &[&str]| segments.iter().map(|s| (*s).to_owned()).collect();
    match dialect {
        Dialect::OpenAiChat => (path(&["chat", "completions"]), None),
        Dialect::OpenAiResponses => (path(&["responses"]), None),
        Dialect::AnthropicMessages => (target.messages_path(), None),
        Dialect::Gemini if delivery.is_streamed() => {
            let method = format!("{model}:streamGenerateContent");
            (path(&["v1beta", "models", &method]), Some("alt=sse"))
        }
        Dialect::Gemini => {
            let method = format!("{model}:generateContent");
            (path(&["v1beta", "models", &method]), None)
        }
        Dialect::OllamaChat => (path(&["api", "chat"]), None),
    }
}

#[cfg(test)]
mod tests;
