//! A good answer as timed pieces, written by the dialect's own writer, and the ways to break it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::Dialect;
use serde_json::Value;

use super::script::AnswerScript;
use super::{MockAnswer, MockChunk, MockEnd};
use crate::dialect::translation::{RequestEcho, StreamWriter};
use crate::dialect::{stream_writer, write_answer};
use crate::neutral::{AnswerEvent, ModelRequest, PartDelta, PartHead};
use crate::stream::fold::fold_events;
use crate::{Delivery, ErrorAnswer};

const JSON: &str = "application/json";

/// A good answer, before delays are applied.
pub(super) struct AnswerFrames {
    pub(super) dialect: Dialect,
    content_type: &'static str,
    /// The writer of a stream, after the last of `frames`.
    writer: Option<Box<dyn StreamWriter>>,
    delay_ms: u64,
    /// A complete answer is one frame.
    frames: Vec<AnswerFrame>,
}

/// One event of a stream, or a complete body.
struct AnswerFrame {
    /// True if the model's delay comes before it: a token of text, thinking or a call.
    is_token: bool,
    bytes: Bytes,
}

impl AnswerFrames {
    /// Writes `script` as `request` wants it. A stream breaks off after `tokens_max` tokens.
    pub(super) fn write(
        script: &AnswerScript,
        dialect: Dialect,
        request: ModelRequest,
        created_unix_s: i64,
        delay_ms: u64,
        tokens_max: usize,
    ) -> Self {
        let delivery = request.delivery;
        let echo =
            RequestEcho { request: Arc::new(request), id: script.id.clone(), created_unix_s };
        let events = script.events(dialect);
        if delivery == Delivery::Whole {
            // Only Ollama's dialect has no writer, and no client speaks it.
            let body = write_answer(dialect, &fold_events(events), &echo).unwrap_or_default();
            return Self::whole(dialect, body, delay_ms.saturating_mul(script.token_count()));
        }
        let mut writer = stream_writer(dialect, echo);
        let mut frames = Vec::new();
        if let Some(writer) = &mut writer {
            write_frames(&events, writer.as_mut(), tokens_max, &mut frames);
        }
        let content_type = match delivery {
            Delivery::Stream(_) => "text/event-stream",
            Delivery::Whole | Delivery::StreamArray => JSON,
        };
        Self { dialect, content_type, writer, delay_ms, frames }
    }

    /// A complete body.
    pub(super) fn whole(dialect: Dialect, bytes: Bytes, delay_ms: u64) -> Self {
        let frames = vec![AnswerFrame { is_token: true, bytes }];
        Self { dialect, content_type: JSON, writer: None, delay_ms, frames }
    }

    pub(super) const fn is_streamed(&self) -> bool {
        self.writer.is_some()
    }

    /// Status 200, then every frame after its delay.
    pub(super) fn into_answer(self, end: MockEnd) -> MockAnswer {
        let content_type = self.content_type;
        let chunk = |frame: AnswerFrame| MockChunk {
            delay_ms: if frame.is_token { self.delay_ms } else { 0 },
            bytes: frame.bytes,
        };
        let body = self.frames.into_iter().map(chunk).collect();
        MockAnswer { status: 200, content_type, retry_after_s: None, body, end }
    }

    /// Removes the second half of the last frame.
    pub(super) fn truncate_last_frame(mut self) -> Self {
        if let Some(last) = self.frames.last_mut() {
            last.bytes.truncate(last.bytes.len() / 2);
        }
        self
    }

    /// Ends a stream with the dialect's error event.
    pub(super) fn with_error_event(mut self, error: &ErrorAnswer<'_>) -> Self {
        let event = self.writer.as_ref().map(|writer| writer.error_event(error));
        self.frames.extend(event.map(|bytes| AnswerFrame { is_token: false, bytes }));
        self
    }

    /// Removes the event after the finish reason, where the dialect has one.
    pub(super) fn without_terminator(mut self) -> Self {
        let has_terminator =
            matches!(self.dialect, Dialect::OpenAiChat | Dialect::AnthropicMessages);
        if has_terminator && self.is_streamed() {
            self.frames.pop();
        }
        self
    }

    /// Removes the usage from all frames.
    pub(super) fn without_usage(mut self) -> Self {
        for frame in &mut self.frames {
            frame.bytes = remove_usage(&frame.bytes);
        }
        self.frames.retain(|frame| !frame.bytes.is_empty());
        self
    }

    pub(super) fn without_frames(mut self) -> Self {
        self.frames.clear();
        self
    }
}

fn write_frames(
    events: &[AnswerEvent],
    writer: &mut dyn StreamWriter,
    tokens_max: usize,
    frames: &mut Vec<AnswerFrame>,
) {
    // A call may be written only once it is complete.
    let mut has_token = false;
    for event in events {
        has_token |= matches!(
            event,
            AnswerEvent::Start { head: PartHead::Call { .. }, .. }
                | AnswerEvent::Delta { delta: PartDelta::Text(_) | PartDelta::Arguments(_), .. }
        );
        let mut out = BytesMut::new();
        writer.write(event, &mut out);
        let mut written = split_events(out.freeze()).peekable();
        while let Some(bytes) = written.next() {
            let is_token = has_token && written.peek().is_none();
            has_token &= !is_token;
            frames.push(AnswerFrame { is_token, bytes });
        }
        if frames.iter().filter(|frame| frame.is_token).count() >= tokens_max {
            return;
        }
    }
}

/// Splits server-sent events at the empty lines between them.
fn split_events(mut events: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let end = events.windows(2).position(|pair| matches!(pair, b"\n\n" | b"\n\r"));
        let mut end = end.unwrap_or(events.len());
        while matches!(events.get(end), Some(b'\r' | b'\n')) {
            end += 1;
        }
        (end > 0).then(|| events.split_to(end))
    })
}

/// Removes the usage from an event or a body; empty if the event reports nothing else.
fn remove_usage(frame: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(frame);
    let Some(start) = text.find('{') else { return frame.clone() };
    let (prefix, rest) = text.split_at(start);
    let json = rest.trim_end();
    let Ok(mut body) = serde_json::from_str::<Value>(json) else { return frame.clone() };
    for within in ["", "/message", "/response"] {
        if let Some(Value::Object(members)) = body.pointer_mut(within) {
            members.retain(|key, _| !matches!(key.as_str(), "usage" | "usageMetadata"));
        }
    }
    if body.get("choices") == Some(&Value::Array(Vec::new())) {
        return Bytes::new();
    }
    let end = rest.get(json.len()..).unwrap_or_default();
    Bytes::from(format!("{prefix}{body}{end}"))
}
