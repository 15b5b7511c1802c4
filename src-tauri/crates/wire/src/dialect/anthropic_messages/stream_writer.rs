//! Writes a client's stream.
//!
//! Blocks have a numbering of their own, not that of the answer's parts. A part without content (an
//! empty text before a call) becomes no block: clients send blocks back, and the API refuses empty
//! ones.

use bytes::{Bytes, BytesMut};
use domain::Dialect;
use serde::Serialize;

use super::answer::WrittenMessage;
use super::error;
use super::stop_reason::write_stop_reason;
use super::usage::WrittenUsage;
use crate::ErrorAnswer;
use crate::dialect::tool_names::arguments_object;
use crate::dialect::translation::RequestEcho;
use crate::neutral::{AnswerEvent, Finish, MediaContent, MediaKind, PartDelta, PartHead};

#[derive(Debug)]
pub(crate) struct StreamWriter {
    echo: RequestEcho,
    next_block: u32,
    open: Option<OpenPart>,
    has_calls: bool,
    finish: Option<Finish>,
}

#[derive(Debug)]
enum OpenPart {
    /// Text or thinking. Its block starts with the first character.
    TextOrThinking {
        is_thinking: bool,
        has_begun: bool,
    },
    Call(ArgumentsState),
    /// Already written completely.
    Done,
}

/// What has been written of a call's arguments.
#[derive(Debug)]
enum ArgumentsState {
    Nothing,
    /// Text that starts like an object; written as it arrives.
    Object,
    /// Other text; held until it is complete.
    Buffered(String),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WrittenEvent<'a> {
    MessageStart { message: WrittenMessage<'a> },
    ContentBlockStart { index: u32, content_block: BlockStart<'a> },
    ContentBlockDelta { index: u32, delta: BlockDelta<'a> },
    ContentBlockStop { index: u32 },
    MessageDelta { delta: MessageDelta<'a>, usage: WrittenUsage },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockStart<'a> {
    Text { text: &'a str },
    Thinking { thinking: &'a str, signature: &'a str },
    RedactedThinking { data: String },
    ToolUse { id: &'a str, name: &'a str, input: EmptyObject },
}

#[derive(Serialize)]
struct EmptyObject {}

#[derive(Serialize)]
#[serde(tag = "type")]
enum BlockDelta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

#[derive(Serialize)]
struct MessageDelta<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
}

impl WrittenEvent<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }

    fn append(&self, out: &mut BytesMut) {
        let data = serde_json::to_vec(self).unwrap_or_default();
        for bytes in [b"event: ".as_slice(), self.name().as_bytes(), b"\ndata: ", &data, b"\n\n"] {
            out.extend_from_slice(bytes);
        }
    }
}

impl crate::dialect::translation::StreamWriter for StreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut BytesMut) {
        match event {
            AnswerEvent::Begin { id, model, usage } => {
                let message = WrittenMessage {
                    id: message_id(id.as_deref(), &self.echo),
                    kind: "message",
                    role: "assistant",
                    model: model.as_deref().unwrap_or(&self.echo.request.model),
                    content: Vec::new(),
                    stop_reason: None,
                    stop_sequence: None,
                    usage: WrittenUsage::from_report(usage.as_ref()),
                };
                WrittenEvent::MessageStart { message }.append(out);
            }
            // This dialect has one answer per prompt.
            AnswerEvent::Start { choice: 1.., .. }
            | AnswerEvent::Delta { choice: 1.., .. }
            | AnswerEvent::Stop { choice: 1.., .. }
            | AnswerEvent::Finish { choice: 1.., .. } => {}
            AnswerEvent::Start { head, .. } => self.start(head, out),
            AnswerEvent::Delta { delta, .. } => self.delta(delta, out),
            AnswerEvent::Stop { .. } => self.stop(out),
            AnswerEvent::Finish { finish, .. } => self.finish = Some(finish.clone()),
            AnswerEvent::End { usage } => {
                let finish = self.finish.as_ref();
                let delta = MessageDelta {
                    stop_reason: write_stop_reason(finish, self.has_calls),
                    stop_sequence: finish.and_then(|finish| finish.stop_sequence.as_deref()),
                };
                let usage = WrittenUsage::from_report(usage.as_ref());
                WrittenEvent::MessageDelta { delta, usage }.append(out);
                WrittenEvent::MessageStop.append(out);
            }
        }
    }

    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        error::error_event(error)
    }
}

impl StreamWriter {
    pub(crate) const fn new(echo: RequestEcho) -> Self {
        Self { echo, next_block: 0, open: None, has_calls: false, finish: None }
    }

    fn start(&mut self, head: &PartHead, out: &mut BytesMut) {
        self.open = Some(match head {
            PartHead::Text | PartHead::Refusal => {
                OpenPart::TextOrThinking { is_thinking: false, has_begun: false }
            }
            PartHead::Thinking => OpenPart::TextOrThinking { is_thinking: true, has_begun: false },
            PartHead::RedactedThinking(signature) => {
                let data = signature.encode_for_client(Dialect::AnthropicMessages);
                self.start_block(BlockStart::RedactedThinking { data }, out);
                WrittenEvent::ContentBlockStop { index: self.current_block_index() }.append(out);
                OpenPart::Done
            }
            PartHead::Call { id, name, .. } => {
                self.has_calls = true;
                self.start_block(BlockStart::ToolUse { id, name, input: EmptyObject {} }, out);
                OpenPart::Call(ArgumentsState::Nothing)
            }
            PartHead::Media(media) => {
                self.start_block(BlockStart::Text { text: "" }, out);
                self.write_block_delta(BlockDelta::Text { text: &media_note(media) }, out);
                WrittenEvent::ContentBlockStop { index: self.current_block_index() }.append(out);
                OpenPart::Done
            }
        });
    }

    fn delta(&mut self, delta: &PartDelta, out: &mut BytesMut) {
        match (self.open.take(), delta) {
            (Some(OpenPart::TextOrThinking { is_thinking, has_begun }), PartDelta::Text(text)) => {
                let has_begun =
                    has_begun || !text.is_empty() && self.start_text_block(is_thinking, out);
                if !text.is_empty() {
                    let delta = if is_thinking {
                        BlockDelta::Thinking { thinking: text }
                    } else {
                        BlockDelta::Text { text }
                    };
                    self.write_block_delta(delta, out);
                }
                self.open = Some(OpenPart::TextOrThinking { is_thinking, has_begun });
            }
            (
                Some(OpenPart::TextOrThinking { is_thinking: true, has_begun }),
                PartDelta::Signature(signature),
            ) => {
                let has_begun = has_begun || self.start_text_block(true, out);
                let signature = signature.encode_for_client(Dialect::AnthropicMessages);
                self.write_block_delta(BlockDelta::Signature { signature }, out);
                self.open = Some(OpenPart::TextOrThinking { is_thinking: true, has_begun });
            }
            (Some(OpenPart::Call(arguments)), PartDelta::Arguments(more)) => {
                let arguments = self.write_arguments(arguments, more, out);
                self.open = Some(OpenPart::Call(arguments));
            }
            // The assembler sends no other combination.
            (open, _) => self.open = open,
        }
    }

    fn write_arguments(
        &self,
        before: ArgumentsState,
        more: &str,
        out: &mut BytesMut,
    ) -> ArgumentsState {
        match before {
            ArgumentsState::Buffered(mut kept) => {
                kept.push_str(more);
                ArgumentsState::Buffered(kept)
            }
            ArgumentsState::Nothing if !more.trim_start().starts_with('{') => {
                ArgumentsState::Buffered(more.to_owned())
            }
            ArgumentsState::Nothing | ArgumentsState::Object => {
                self.write_block_delta(BlockDelta::InputJson { partial_json: more }, out);
                ArgumentsState::Object
            }
        }
    }

    fn stop(&mut self, out: &mut BytesMut) {
        match self.open.take() {
            Some(
                OpenPart::Call(ArgumentsState::Object)
                | OpenPart::TextOrThinking { has_begun: true, .. },
            ) => {}
            Some(OpenPart::Call(arguments)) => {
                let kept = match arguments {
                    ArgumentsState::Buffered(kept) => kept,
                    ArgumentsState::Nothing | ArgumentsState::Object => String::new(),
                };
                let object = arguments_object(&kept);
                self.write_block_delta(BlockDelta::InputJson { partial_json: object.get() }, out);
            }
            Some(OpenPart::TextOrThinking { has_begun: false, .. } | OpenPart::Done) | None => {
                return;
            }
        }
        WrittenEvent::ContentBlockStop { index: self.current_block_index() }.append(out);
    }

    /// Starts a text or thinking block; always returns `true`.
    fn start_text_block(&mut self, is_thinking: bool, out: &mut BytesMut) -> bool {
        let start = if is_thinking {
            BlockStart::Thinking { thinking: "", signature: "" }
        } else {
            BlockStart::Text { text: "" }
        };
        self.start_block(start, out);
        true
    }

    fn start_block(&mut self, content_block: BlockStart<'_>, out: &mut BytesMut) {
        WrittenEvent::ContentBlockStart { index: self.next_block, content_block }.append(out);
        self.next_block = self.next_block.saturating_add(1);
    }

    fn write_block_delta(&self, delta: BlockDelta<'_>, out: &mut BytesMut) {
        WrittenEvent::ContentBlockDelta { index: self.current_block_index(), delta }.append(out);
    }

    /// Index of the block that started last.
    const fn current_block_index(&self) -> u32 {
        self.next_block.saturating_sub(1)
    }
}

/// The answer's id: the provider's own if there is one, so that it can be found there.
pub(super) fn message_id(id: Option<&str>, echo: &RequestEcho) -> String {
    id.filter(|id| !id.is_empty()).map_or_else(|| format!("msg_{}", echo.id), str::to_owned)
}

/// Text that replaces an image or audio made by the model. The dialect's answers have no block for
/// it, and dropping it silently would hide it.
pub(super) fn media_note(media: &MediaContent) -> String {
    let kind = match media.kind {
        MediaKind::Image => "an image",
        MediaKind::Document => "a document",
        MediaKind::Audio => "audio",
    };
    let media_type = media.media_type.as_deref().unwrap_or("unknown type");
    format!(
        "[The model returned {kind} ({media_type}), which Anthropic Messages does not support.]"
    )
}

#[cfg(test)]
mod tests;
