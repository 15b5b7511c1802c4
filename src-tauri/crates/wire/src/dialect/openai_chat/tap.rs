//! Reads a stream's facts while its bytes pass through.
//!
//! The gateway must never end a broken stream as if it were complete: most clients take a clean end
//! for success. So the tap alone decides how a stream ended. It withholds what must not be relayed
//! (usage that nobody asked for, in-band errors in a backend's words, anything after the end) and
//! buffers at most one event.

use bytes::{Bytes, BytesMut};

use super::DONE_EVENT;
use super::chunk::{ChatChunk, ChunkChoice, DeltaKind, data_event};
use super::error::in_band_error;
use super::usage::ChatUsage;
use crate::answer::CHOICES_MAX;
use crate::answer::is_model_name;
use crate::json::range_in;
use crate::neutral::ProviderEvent;
use crate::{
    AnswerFacts, Flow, SseDecoder, SseEvent, SsePayload, StreamEnd, StreamFault, TapOutput,
    UsageChunk,
};

/// Longest finish reason kept, in characters; the longest defined one is `content_filter`.
const FINISH_REASON_CHARS_MAX: usize = 64;

/// Reads one upstream stream while it passes through.
#[derive(Debug)]
pub(crate) struct ChatTap {
    usage_chunk: UsageChunk,
    decoder: SseDecoder,
    facts: AnswerFacts,
    usage: ChatUsage,
    choices: Vec<ChoiceFinish>,
    content_seen: bool,
    late_chunks: u32,
    end: Option<StreamEnd>,
}

#[derive(Debug)]
struct ChoiceFinish {
    index: u64,
    finish_reason: Option<String>,
}

enum EventAction {
    Relay,
    /// Relay with `choices` emptied: only the usage is wanted.
    RelayUsage,
    Drop,
    End(StreamEnd),
}

impl ChatTap {
    #[must_use]
    pub(crate) fn new(usage_chunk: UsageChunk) -> Self {
        Self {
            usage_chunk,
            decoder: SseDecoder::new(),
            facts: AnswerFacts::default(),
            usage: ChatUsage::default(),
            choices: Vec::new(),
            content_seen: false,
            late_chunks: 0,
            end: None,
        }
    }

    /// Feeds bytes from the backend and returns the bytes for the client.
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
        let flow = Flow::until(self.end.as_ref());
        TapOutput { relay: relay.freeze(), flow }
    }

    #[must_use]
    pub(crate) const fn facts(&self) -> &AnswerFacts {
        &self.facts
    }

    /// True once text, reasoning or a tool call has arrived. Before that, another backend may still
    /// be tried if nothing was relayed.
    #[must_use]
    pub(crate) const fn content_seen(&self) -> bool {
        self.content_seen
    }

    /// Number of chunks dropped because they arrived after their choice finished; worth a warning.
    #[must_use]
    pub(crate) const fn late_chunks(&self) -> u32 {
        self.late_chunks
    }

    /// How the stream ended, once the backend's bytes have ended or [`Flow::Stop`] was returned.
    /// Also valid after a broken connection: what had arrived by then counts.
    #[must_use]
    pub(crate) fn finish(&mut self) -> StreamEnd {
        let rest = std::mem::take(&mut self.decoder).finish();
        let mut append = BytesMut::new();
        if let (None, Some(event)) = (&self.end, rest)
            && !matches!(event.payload, SsePayload::Comment | SsePayload::Nothing)
        {
            self.process_unfinished_sse_event(&event, &mut append);
        }
        match self.end.take() {
            Some(end) => end,
            None if self.all_finished() => {
                append.extend_from_slice(DONE_EVENT);
                StreamEnd::Complete { append: append.freeze() }
            }
            None => StreamEnd::Truncated,
        }
    }

    fn all_finished(&self) -> bool {
        !self.choices.is_empty() && self.choices.iter().all(|seen| seen.finish_reason.is_some())
    }

    fn process_sse_event(&mut self, event: &SseEvent, relay: &mut BytesMut) {
        match self.classify_event(event) {
            EventAction::Relay => relay.extend_from_slice(&event.raw),
            EventAction::RelayUsage => relay_usage(event, relay),
            EventAction::Drop => {}
            EventAction::End(end) => {
                if matches!(end, StreamEnd::Complete { .. }) {
                    relay.extend_from_slice(&event.raw);
                }
                self.end = Some(end);
            }
        }
    }

    /// Handles a last event without its blank line: complete JSON counts, a torn event is a
    /// truncation.
    fn process_unfinished_sse_event(&mut self, event: &SseEvent, append: &mut BytesMut) {
        match self.classify_event(event) {
            EventAction::Relay => {
                append.extend_from_slice(&event.raw);
                append.extend_from_slice(b"\n\n");
            }
            EventAction::RelayUsage => relay_usage(event, append),
            // `[DONE]`, which is written again, or a torn event, which is not a fault of the
            // dialect.
            EventAction::Drop
            | EventAction::End(StreamEnd::Complete { .. } | StreamEnd::Broken(_)) => {}
            EventAction::End(end) => self.end = Some(end),
        }
    }

    fn classify_event(&mut self, event: &SseEvent) -> EventAction {
        let Ok(raw) = std::str::from_utf8(&event.raw) else {
            return EventAction::End(StreamEnd::Broken(StreamFault::InvalidUtf8));
        };
        let data = match &event.payload {
            // Some servers send these as heartbeats; SDKs that parse them as JSON would raise an
            // error.
            SsePayload::Data(data) if data.trim_ascii().is_empty() => return EventAction::Drop,
            SsePayload::Data(data) => data,
            SsePayload::Comment => return EventAction::Relay,
            SsePayload::Nothing if raw.trim().is_empty() => return EventAction::Relay,
            SsePayload::Nothing => return EventAction::Drop,
        };
        let text = std::str::from_utf8(data).unwrap_or_default().trim();
        if text == "[DONE]" {
            return EventAction::End(self.end_at_done());
        }
        if event.name.as_deref() == Some(b"error") {
            return EventAction::End(StreamEnd::UpstreamError(in_band_error(data)));
        }
        match ChatChunk::read(text) {
            Ok(chunk) if chunk.error.is_some() => {
                EventAction::End(StreamEnd::UpstreamError(in_band_error(data)))
            }
            Ok(chunk) => self.classify_chunk(chunk),
            Err(fault) => EventAction::End(StreamEnd::Broken(fault)),
        }
    }

    fn end_at_done(&self) -> StreamEnd {
        if self.all_finished() {
            StreamEnd::Complete { append: Bytes::new() }
        } else {
            StreamEnd::Truncated
        }
    }

    fn classify_chunk(&mut self, chunk: ChatChunk<'_>) -> EventAction {
        match self.usage.read(chunk.bill()) {
            Some(ProviderEvent::Usage(report)) => self.facts.usage = Some(report),
            Some(ProviderEvent::BilledBeside(usage)) => self.facts.billed_beside = usage,
            _ => {}
        }
        let usage_only = chunk.is_usage_only();
        let has_usage = chunk.usage.is_some();
        if let Some(model) = chunk.model.filter(|model| is_model_name(model)) {
            self.facts.model = Some(model);
        }
        if usage_only {
            return match self.usage_chunk {
                UsageChunk::Asked => EventAction::Relay,
                UsageChunk::NotAsked => EventAction::Drop,
            };
        }
        let mut late = 0;
        let count = chunk.choices.len();
        for choice in chunk.choices {
            match self.record_choice(choice) {
                Ok(ChoiceTiming::InTime) => {}
                Ok(ChoiceTiming::Late) => late += 1,
                Err(fault) => return EventAction::End(StreamEnd::Broken(fault)),
            }
        }
        if late == 0 || late < count {
            return EventAction::Relay;
        }
        self.late_chunks = self.late_chunks.saturating_add(1);
        match self.usage_chunk {
            UsageChunk::Asked if has_usage => EventAction::RelayUsage,
            _ => EventAction::Drop,
        }
    }

    /// The first finish reason of a choice counts; anything after it is late.
    fn record_choice(&mut self, choice: ChunkChoice<'_>) -> Result<ChoiceTiming, StreamFault> {
        let known = self.choices.iter().position(|seen| seen.index == choice.index);
        if known.is_none() && self.choices.len() == CHOICES_MAX {
            return Err(StreamFault::TooManyChoices);
        }
        let index = choice.index;
        let place = known.unwrap_or_else(|| {
            self.choices.push(ChoiceFinish { index, finish_reason: None });
            self.choices.len() - 1
        });
        let delta = &choice.delta;
        let adds = delta.kind();
        let Some(seen) = self.choices.get_mut(place) else { return Ok(ChoiceTiming::InTime) };
        if let Some(first) = &seen.finish_reason {
            return match adds {
                DeltaKind::ToolCall => Err(StreamFault::LateToolCall),
                DeltaKind::Text => Ok(ChoiceTiming::Late),
                DeltaKind::Nothing if choice.finish_reason.is_none_or(|again| again == *first) => {
                    Ok(ChoiceTiming::InTime)
                }
                DeltaKind::Nothing => Ok(ChoiceTiming::Late),
            };
        }
        self.content_seen |= adds != DeltaKind::Nothing;
        self.facts.content_bytes = self.facts.content_bytes.saturating_add(delta.content_bytes());
        if let Some(reason) = choice.finish_reason {
            let kept = crate::error::sanitize(&reason, FINISH_REASON_CHARS_MAX);
            self.facts.finish_reason.get_or_insert(kept);
            seen.finish_reason = Some(reason);
        }
        Ok(ChoiceTiming::InTime)
    }
}

enum ChoiceTiming {
    InTime,
    Late,
}

/// Relays a late chunk without its choices, so that its usage still reaches the client.
fn relay_usage(event: &SseEvent, relay: &mut BytesMut) {
    let SsePayload::Data(data) = &event.payload else { return };
    let text = std::str::from_utf8(data).unwrap_or_default();
    let Some(choices) = ChatChunk::read(text).ok().and_then(|chunk| chunk.choices_raw) else {
        return;
    };
    let at = range_in(text, choices.get());
    let (before, after) = (text.get(..at.start), text.get(at.end..));
    let emptied = format!("{}[]{}", before.unwrap_or_default(), after.unwrap_or_default());
    relay.extend_from_slice(data_event(&emptied).as_bytes());
}

#[cfg(test)]
mod tests;
