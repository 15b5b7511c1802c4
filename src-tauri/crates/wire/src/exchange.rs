//! One attempt at one backend: the request in its dialect, and the translation of its answer.
//!
//! Only this module decides whether the dialects match. If they do, bytes pass through unchanged;
//! if not, everything goes through the neutral form. Callers see one interface for both.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::{Dialect, Lack};

use crate::answer::answer_text;
use crate::assemble::Assembler;
use crate::client_request::{ClientRequest, Metering};
use crate::client_words;
use crate::dialect::{self, Echo};
use crate::fold::fold;
use crate::names::ToolNames;
use crate::neutral::{Event, Piece};
use crate::stream::{AnswerStream, PieceReader};
use crate::{
    AnswerFacts, BadAnswer, Delivery, RequestError, Target, openai_chat, openai_responses,
};

/// A request prepared for one backend.
#[derive(Debug, Clone)]
pub struct Exchange {
    client: Dialect,
    backend: Dialect,
    delivery: Delivery,
    request: ClientRequest,
    id: String,
    created_unix_s: i64,
    crossing: Option<CrossingAnswer>,
    outgoing: Outgoing,
}

/// What translating an answer back needs.
#[derive(Debug, Clone)]
pub(crate) struct CrossingAnswer {
    pub(crate) echo: Echo,
    pub(crate) names: Arc<ToolNames>,
}

/// A request in a backend's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
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

impl Exchange {
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
            let metering = if target.lacks(Lack::StreamUsage) {
                Metering::AsClientWrote
            } else {
                Metering::AskForUsage
            };
            let body = request.for_upstream(&target.model, metering);
            let (body, dropped) = match client {
                Dialect::OpenAiChat => openai_chat::adapt(body, target)?,
                Dialect::OpenAiResponses => openai_responses::without_foreign_items(body),
                _ => (body, Vec::new()),
            };
            (body, dropped, None)
        } else {
            let neutral = Arc::new(request.read()?);
            backend = target.dialect_of(&neutral, backend);
            let named = |path| client_words::spelled(client, request.text(), path);
            let mut written = dialect::write_request(backend, &neutral, target)
                .map_err(|error| error.renamed(named))?;
            written.dropped = written.dropped.into_iter().map(named).collect();
            let names = Arc::new(ToolNames::of(&neutral, backend));
            let echo = Echo { request: neutral, id: id.to_owned(), created_unix_s };
            (written.body, written.dropped, Some(CrossingAnswer { echo, names }))
        };
        let delivery = request.delivery();
        let (path, query) = place(backend, target, delivery);
        let outgoing = Outgoing { dialect: backend, path, query, body, dropped };
        let (request, id) = (request.clone(), id.to_owned());
        Ok(Self { client, backend, delivery, request, id, created_unix_s, crossing, outgoing })
    }

    #[must_use]
    pub const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// The client's dialect.
    #[must_use]
    pub const fn client(&self) -> Dialect {
        self.client
    }

    /// True if bytes pass through unchanged.
    #[must_use]
    pub const fn passes_through(&self) -> bool {
        self.crossing.is_none()
    }

    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Starts the translation of a streamed answer.
    #[must_use]
    pub fn stream(&self) -> AnswerStream {
        AnswerStream::new(self.client, self.backend, self.delivery, self.crossing.as_ref())
    }

    /// Translates a backend's whole answer into the client's body.
    pub fn answer(&self, body: &Bytes) -> Result<(Bytes, AnswerFacts), BadAnswer> {
        match &self.crossing {
            None if self.backend == Dialect::OpenAiChat => {
                Ok((body.clone(), openai_chat::read_chat_answer(body)?))
            }
            None => Ok((body.clone(), self.read(body)?.1)),
            Some(crossing) => {
                let (events, facts) = self.read(body)?;
                Ok((self.write(events, &crossing.echo)?, facts))
            }
        }
    }

    /// The client's stream, made from the whole answer of a backend that ignored the request for a
    /// stream.
    pub fn stream_of_answer(&self, body: &Bytes) -> Result<(Bytes, AnswerFacts), BadAnswer> {
        if let (Dialect::OpenAiChat, None, Delivery::Stream(usage)) =
            (self.backend, &self.crossing, self.delivery)
        {
            return openai_chat::stream_of_answer(body, usage);
        }
        let (events, facts) = self.read(body)?;
        if !matches!(events.last(), Some(Event::End { .. })) {
            return Err(BadAnswer::Truncated);
        }
        let mut out = BytesMut::new();
        let mut writer =
            dialect::stream_writer(self.client, self.echo()?).ok_or(BadAnswer::NotJson)?;
        events.iter().for_each(|event| writer.write(event, &mut out));
        Ok((out.freeze(), facts))
    }

    /// The client's whole answer, made from the stream of a backend that was not asked for one.
    pub fn answer_of_stream(&self, body: &[u8]) -> Result<(Bytes, AnswerFacts), BadAnswer> {
        let mut reader = PieceReader::new(self.backend);
        let mut assembler = self.assembler();
        let mut events = Vec::new();
        let (mut pieces, fault) = reader.feed(body);
        if let Some(fault) = fault {
            return Err(BadAnswer::Broken(fault));
        }
        pieces.extend(reader.finish());
        for piece in pieces {
            assemble(piece, &mut assembler, &mut events)?;
        }
        if assembler.is_finished() && !matches!(events.last(), Some(Event::End { .. })) {
            // Gemini has no terminator and others omit theirs; every choice has a finish reason.
            assemble(Piece::End, &mut assembler, &mut events)?;
        }
        if !matches!(events.last(), Some(Event::End { .. })) {
            return Err(BadAnswer::Truncated);
        }
        Ok((self.write(events, &self.echo()?)?, assembler.into_facts()))
    }

    fn assembler(&self) -> Assembler {
        let names = self.crossing.as_ref().map(|crossing| Arc::clone(&crossing.names));
        Assembler::new(names.unwrap_or_default(), &self.id)
    }

    fn read(&self, body: &[u8]) -> Result<(Vec<Event>, AnswerFacts), BadAnswer> {
        let pieces = dialect::read_answer(self.backend, answer_text(body)?)?;
        let mut assembler = self.assembler();
        let mut events = Vec::new();
        for piece in pieces {
            assemble(piece, &mut assembler, &mut events)?;
        }
        Ok((events, assembler.into_facts()))
    }

    fn write(&self, events: Vec<Event>, echo: &Echo) -> Result<Bytes, BadAnswer> {
        let answer = fold(events);
        if answer.choices.is_empty() {
            return Err(BadAnswer::NoChoices);
        }
        dialect::write_answer(self.client, &answer, echo).ok_or(BadAnswer::NotJson)
    }

    /// What an answer written by the gateway repeats from its request.
    fn echo(&self) -> Result<Echo, BadAnswer> {
        if let Some(crossing) = &self.crossing {
            return Ok(crossing.echo.clone());
        }
        let request = self.request.read().map_err(|_| BadAnswer::NotJson)?;
        let (id, created_unix_s) = (self.id.clone(), self.created_unix_s);
        Ok(Echo { request: Arc::new(request), id, created_unix_s })
    }
}

fn assemble(
    piece: Piece,
    assembler: &mut Assembler,
    events: &mut Vec<Event>,
) -> Result<(), BadAnswer> {
    if let Piece::Error(error) = piece {
        return Err(BadAnswer::UpstreamError(error));
    }
    events.extend(assembler.take(piece).map_err(BadAnswer::Broken)?);
    Ok(())
}

/// Path and query of a request in this dialect, under the backend's root.
fn place(
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
