//! Pass-through streams: relays bytes unchanged, and reads them for metering and for an honest end.
//!
//! Chat Completions has its own tap (`openai_chat::ChatTap`), because its usage chunk may have to
//! be removed and servers do not agree on how it ends.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use crate::dialect::gemini::JsonArrayFramer;
use crate::dialect::translation::StreamReader;
use crate::dialect::{error_body, error_event, stream_reader};
use crate::neutral::{FinishReason, ProviderEvent};
use crate::{
    AnswerFacts, Delivery, ErrorAnswer, Flow, SseDecoder, SseEvent, SsePayload, StreamEnd,
    StreamFault, TapOutput,
};

/// Reads one upstream stream while it passes through.
pub(crate) struct PassthroughTap {
    dialect: Dialect,
    decoder: SseDecoder,
    reader: Box<dyn StreamReader>,
    array: Option<JsonArrayFramer>,
    facts: AnswerFacts,
    /// The answer's id as the backend sent it.
    id: Option<String>,
    content_seen: bool,
    /// Choices with content, and choices with a finish reason.
    choices_begun: BTreeSet<u32>,
    choices_finished: BTreeSet<u32>,
    events_relayed: u64,
    end: Option<StreamEnd>,
}

impl PassthroughTap {
    pub(crate) fn new(dialect: Dialect, delivery: Delivery) -> Self {
        Self {
            dialect,
            decoder: SseDecoder::new(),
            reader: stream_reader(dialect),
            array: (delivery == Delivery::StreamArray).then(JsonArrayFramer::default),
            facts: AnswerFacts::default(),
            id: None,
            content_seen: false,
            choices_begun: BTreeSet::new(),
            choices_finished: BTreeSet::new(),
            events_relayed: 0,
            end: None,
        }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) -> TapOutput {
        let mut relay = BytesMut::new();
        if self.end.is_none() {
            self.decoder.push(chunk);
        }
        while self.end.is_none() {
            match self.decoder.next_event() {
                Ok(Some(event)) => self.process_sse_event(&event, &mut relay),
                Ok(None) => break,
                Err(_) => self.end = Some(StreamEnd::Broken(StreamFault::EventTooLarge)),
            }
        }
        TapOutput { relay: relay.freeze(), flow: Flow::until(self.end.as_ref()) }
    }

    pub(crate) const fn facts(&self) -> &AnswerFacts {
        &self.facts
    }

    pub(crate) const fn content_seen(&self) -> bool {
        self.content_seen
    }

    pub(crate) fn finish(&mut self) -> StreamEnd {
        let rest = std::mem::take(&mut self.decoder).finish();
        let mut append = BytesMut::new();
        if let (None, Some(event)) = (&self.end, rest)
            && matches!(event.payload, SsePayload::Data(_))
        {
            self.process_unfinished_sse_event(&event, &mut append);
        }
        match self.end.take() {
            Some(StreamEnd::Complete { append: last }) => {
                append.extend_from_slice(&last);
                StreamEnd::Complete { append: append.freeze() }
            }
            Some(end) => end,
            None if self.is_finished() => {
                append.extend_from_slice(&self.terminator());
                StreamEnd::Complete { append: append.freeze() }
            }
            None => StreamEnd::Truncated,
        }
    }

    pub(crate) fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        match &self.array {
            Some(array) => array.close_with_error(&error_body(self.dialect, error)),
            None => error_event(self.dialect, error, self.events_relayed, self.id.as_deref()),
        }
    }

    /// The terminator that the backend omitted after its finish reason.
    fn terminator(&self) -> Bytes {
        match (self.dialect, &self.array) {
            (Dialect::AnthropicMessages, _) => {
                Bytes::from_static(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
            }
            (_, Some(array)) => array.close(),
            _ => Bytes::new(),
        }
    }

    /// Handles a last event without its blank line: complete JSON counts, a torn event is a
    /// truncation.
    fn process_unfinished_sse_event(&mut self, event: &SseEvent, append: &mut BytesMut) {
        let mut relay = BytesMut::new();
        self.process_sse_event(event, &mut relay);
        match self.end.take() {
            Some(StreamEnd::Broken(_)) => {}
            end => {
                self.end = end;
                append.extend_from_slice(&relay);
                if self.array.is_none() && !relay.is_empty() {
                    append.extend_from_slice(b"\n\n");
                }
            }
        }
    }

    fn process_sse_event(&mut self, event: &SseEvent, relay: &mut BytesMut) {
        let Ok(raw) = std::str::from_utf8(&event.raw) else {
            self.end = Some(StreamEnd::Broken(StreamFault::InvalidUtf8));
            return;
        };
        match &event.payload {
            SsePayload::Data(data) if data.trim_ascii().is_empty() => {}
            SsePayload::Data(data) => match self.reader.read(event) {
                Ok(pieces) => self.process_events(pieces, event, data, relay),
                Err(fault) => self.end = Some(StreamEnd::Broken(fault)),
            },
            SsePayload::Comment => self.relay_event(event, None, relay),
            SsePayload::Nothing if raw.trim().is_empty() => self.relay_event(event, None, relay),
            SsePayload::Nothing => {}
        }
    }

    fn relay_event(&mut self, event: &SseEvent, data: Option<&Bytes>, relay: &mut BytesMut) {
        self.events_relayed += u64::from(data.is_some());
        match (&mut self.array, data) {
            (None, _) => relay.extend_from_slice(&event.raw),
            (Some(array), Some(data)) => array.push_item(data, relay),
            // Comments cannot appear between the items of an array.
            (Some(_), None) => {}
        }
    }

    fn process_events(
        &mut self,
        pieces: Vec<ProviderEvent>,
        event: &SseEvent,
        data: &Bytes,
        relay: &mut BytesMut,
    ) {
        let mut is_end = false;
        for piece in pieces {
            match piece {
                ProviderEvent::Error(error) => {
                    self.end = Some(StreamEnd::UpstreamError(error));
                    return;
                }
                ProviderEvent::End => is_end = true,
                other => self.record_event(other),
            }
        }
        if is_end && !self.is_finished() {
            // A terminator signals success to clients, so the error must replace it.
            self.end = Some(StreamEnd::Truncated);
            return;
        }
        self.relay_event(event, Some(data), relay);
        if is_end {
            self.end = Some(StreamEnd::Complete { append: Bytes::new() });
        }
    }

    fn record_event(&mut self, piece: ProviderEvent) {
        match piece {
            ProviderEvent::Begin { id, model } => {
                self.id = self.id.take().or(id);
                if let Some(model) = model.filter(|model| crate::answer::is_model_name(model)) {
                    self.facts.model = Some(model);
                }
            }
            ProviderEvent::Usage(report) => self.facts.usage = Some(report),
            ProviderEvent::BilledBeside(usage) => self.facts.billed_beside = usage,
            ProviderEvent::Finish { choice, finish } => {
                if finish.reason != FinishReason::Fault || !finish.word.is_empty() {
                    self.choices_finished.insert(choice);
                }
                self.facts.finish_reason.get_or_insert(finish.word);
            }
            ProviderEvent::Text { choice, text }
            | ProviderEvent::Refusal { choice, text }
            | ProviderEvent::Thinking { choice, text } => self.count_content(choice, text.len()),
            ProviderEvent::Call { choice, arguments, .. } => {
                self.count_content(choice, arguments.len().max(1));
            }
            ProviderEvent::Media { choice, .. }
            | ProviderEvent::RedactedThinking { choice, .. } => {
                self.choices_begun.insert(choice);
                self.content_seen = true;
            }
            ProviderEvent::Signature { .. }
            | ProviderEvent::CallDone { .. }
            | ProviderEvent::PartDone { .. }
            | ProviderEvent::Error(_)
            | ProviderEvent::End => {}
        }
    }

    /// True if at least one choice has a finish reason and every choice that began has one.
    fn is_finished(&self) -> bool {
        !self.choices_finished.is_empty() && self.choices_begun.is_subset(&self.choices_finished)
    }

    fn count_content(&mut self, choice: u32, bytes: usize) {
        self.choices_begun.insert(choice);
        self.content_seen |= bytes > 0;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.facts.content_bytes = self.facts.content_bytes.saturating_add(bytes);
    }
}
