//! The way back of a stream, whether it passes through or crosses.
//!
//! The gateway must never end a broken stream as if it were whole: most clients take a clean end for
//! success. So what is here alone judges how a stream ended, and holds back what must not be relayed:
//! usage nobody asked for, in-band errors with a backend's words, anything after the end, and the
//! beginning of an answer until its first content, so that a backend that fails before it can still
//! be replaced by another one.

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use crate::cross::CrossTap;
use crate::dialect::{StreamReader, error_event, stream_reader};
use crate::exchange::CrossingAnswer;
use crate::neutral::Piece;
use crate::openai_chat::ChatTap;
use crate::pass::PassTap;
use crate::{
    AnswerFacts, Delivery, ErrorAnswer, Flow, SseDecoder, StreamEnd, StreamFault, Tapped,
    UsageChunk,
};

/// Most bytes of an answer's beginning that are held back until its first content.
pub const HELD_BYTES_MAX: usize = 65_536;

/// One backend's stream on its way to a client.
pub struct AnswerStream {
    client: Dialect,
    tap: Tap,
    held: BytesMut,
    is_released: bool,
}

enum Tap {
    Chat(Box<ChatTap>),
    Pass(Box<PassTap>),
    Cross(Box<CrossTap>),
}

impl AnswerStream {
    pub(crate) fn new(
        client: Dialect,
        backend: Dialect,
        delivery: Delivery,
        crossing: Option<&CrossingAnswer>,
    ) -> Self {
        let tap = match crossing {
            Some(crossing) => Tap::Cross(Box::new(CrossTap::new(client, backend, crossing))),
            None if backend == Dialect::OpenAiChat => {
                let usage = match delivery {
                    Delivery::Stream(usage) => usage,
                    _ => UsageChunk::Asked,
                };
                Tap::Chat(Box::new(ChatTap::new(usage)))
            }
            None => Tap::Pass(Box::new(PassTap::new(backend, delivery))),
        };
        Self { client, tap, held: BytesMut::new(), is_released: false }
    }

    /// Takes the next bytes from the backend; gives the bytes for the client.
    pub fn feed(&mut self, chunk: &[u8]) -> Tapped {
        let tapped = match &mut self.tap {
            Tap::Chat(tap) => tap.feed(chunk),
            Tap::Pass(tap) => tap.feed(chunk),
            Tap::Cross(tap) => tap.feed(chunk),
        };
        if self.is_released {
            return tapped;
        }
        self.held.extend_from_slice(&tapped.relay);
        let relay = if self.content_seen() || self.held.len() > HELD_BYTES_MAX {
            self.let_go()
        } else {
            Bytes::new()
        };
        Tapped { relay, flow: tapped.flow }
    }

    /// What was held back of the beginning; from now on nothing is. For a backend that has begun and
    /// then thinks in silence for so long that the client must hear something.
    pub fn release(&mut self) -> Bytes {
        let held = self.let_go();
        match &mut self.tap {
            Tap::Cross(tap) if held.is_empty() => tap.begin(),
            _ => held,
        }
    }

    fn let_go(&mut self) -> Bytes {
        self.is_released = true;
        self.held.split().freeze()
    }

    /// What was learned so far.
    #[must_use]
    pub fn facts(&self) -> &AnswerFacts {
        match &self.tap {
            Tap::Chat(tap) => tap.facts(),
            Tap::Pass(tap) => tap.facts(),
            Tap::Cross(tap) => tap.facts(),
        }
    }

    /// Whether text, thinking or a call has come. Before that, another backend may still be tried if
    /// nothing was relayed.
    #[must_use]
    pub fn content_seen(&self) -> bool {
        match &self.tap {
            Tap::Chat(tap) => tap.content_seen(),
            Tap::Pass(tap) => tap.content_seen(),
            Tap::Cross(tap) => tap.content_seen(),
        }
    }

    /// Pieces that came after the end of their choice and were dropped; worth a warning.
    #[must_use]
    pub fn late_chunks(&self) -> u32 {
        match &self.tap {
            Tap::Chat(tap) => tap.late_chunks(),
            Tap::Pass(_) => 0,
            Tap::Cross(tap) => tap.late_chunks(),
        }
    }

    /// The backend's bytes are at their end (or [`Flow::Stop`] was given): how it ended. Also right
    /// after a broken connection: what counts is what had come by then. What was held back comes
    /// first in [`StreamEnd::Complete`].
    pub fn finish(&mut self) -> StreamEnd {
        let end = match &mut self.tap {
            Tap::Chat(tap) => tap.finish(),
            Tap::Pass(tap) => tap.finish(),
            Tap::Cross(tap) => tap.finish(),
        };
        match end {
            StreamEnd::Complete { append } if !self.held.is_empty() => {
                self.held.extend_from_slice(&append);
                StreamEnd::Complete { append: self.let_go() }
            }
            other => other,
        }
    }

    /// The event that tells the client in mid-stream that its answer is not whole; end the stream
    /// cleanly after it. Only if something was relayed before.
    #[must_use]
    pub fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        match &self.tap {
            Tap::Chat(_) => error_event(self.client, error, 0, None),
            Tap::Pass(tap) => tap.error_event(error),
            Tap::Cross(tap) => tap.error_event(error),
        }
    }
}

/// From a backend's bytes to pieces.
pub(crate) struct PieceReader {
    decoder: Decoder,
    reader: Box<dyn StreamReader>,
}

enum Decoder {
    Events(SseDecoder),
    /// Ollama sends one JSON value a line.
    Lines(crate::ollama_chat::LineDecoder),
}

impl PieceReader {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let decoder = match dialect {
            Dialect::OllamaChat => Decoder::Lines(crate::ollama_chat::LineDecoder::default()),
            _ => Decoder::Events(SseDecoder::new()),
        };
        Self { decoder, reader: stream_reader(dialect) }
    }

    /// What these bytes say, as far as they are in the dialect, and the fault that ends it.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> (Vec<Piece>, Option<StreamFault>) {
        match &mut self.decoder {
            Decoder::Events(decoder) => decoder.push(chunk),
            Decoder::Lines(decoder) => decoder.push(chunk),
        }
        let mut pieces = Vec::new();
        loop {
            let next = match &mut self.decoder {
                Decoder::Events(decoder) => decoder.next_event(),
                Decoder::Lines(decoder) => decoder.next_event(),
            };
            match next.map_err(|_| StreamFault::EventTooLarge) {
                Ok(None) => return (pieces, None),
                Ok(Some(event)) => match self.reader.read(&event) {
                    Ok(read) => pieces.extend(read),
                    Err(fault) => return (pieces, Some(fault)),
                },
                Err(fault) => return (pieces, Some(fault)),
            }
        }
    }

    /// What lies unfinished at the end. A torn event is a cut, not a fault of the dialect.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let rest = match &mut self.decoder {
            Decoder::Events(decoder) => std::mem::take(decoder).finish(),
            Decoder::Lines(decoder) => std::mem::take(decoder).finish(),
        };
        rest.and_then(|event| self.reader.read(&event).ok()).unwrap_or_default()
    }
}

/// Whether to go on after `end`.
pub(crate) const fn flow(end: Option<&StreamEnd>) -> Flow {
    if end.is_some() { Flow::Stop } else { Flow::More }
}
