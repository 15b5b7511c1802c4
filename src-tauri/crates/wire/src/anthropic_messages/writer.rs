//! Writes a client's stream.
//!
//! Blocks have a numbering of their own, not that of the answer's parts. A part without content (an
//! empty text before a call) becomes no block: clients send blocks back, and the API refuses empty
//! ones.

use bytes::{Bytes, BytesMut};
use domain::Dialect;
use serde::Serialize;

use super::answer::{WrittenMessage, arguments_object};
use super::error;
use super::stop::stop_word;
use super::usage::WrittenUsage;
use crate::ErrorAnswer;
use crate::dialect::Echo;
use crate::neutral::{Event, Finish, Media, MediaKind, PartDelta, PartHead};

#[derive(Debug)]
pub(crate) struct StreamWriter {
    echo: Echo,
    next_block: u32,
    open: Option<Open>,
    has_calls: bool,
    finish: Option<Finish>,
}

/// The current part.
#[derive(Debug)]
enum Open {
    /// Text or thinking. Its block starts with the first character.
    Words {
        is_thinking: bool,
        has_begun: bool,
    },
    Call(Arguments),
    /// Already written completely.
    Done,
}

/// What has been written of a call's arguments.
#[derive(Debug)]
enum Arguments {
    Nothing,
    /// Text that starts like an object; written as it arrives.
    Object,
    /// Other text; held until it is complete.
    Kept(String),
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
    ToolUse { id: &'a str, name: &'a str, input: Empty },
}

#[derive(Serialize)]
struct Empty {}

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

impl crate::dialect::StreamWriter for StreamWriter {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Begin { id, model, usage } => {
                let message = WrittenMessage {
                    id: message_id(id.as_deref(), &self.echo),
                    kind: "message",
                    role: "assistant",
                    model: model.as_deref().unwrap_or(&self.echo.request.model),
                    content: Vec::new(),
                    stop_reason: None,
                    stop_sequence: None,
                    usage: WrittenUsage::of(usage.as_ref()),
                };
                WrittenEvent::MessageStart { message }.append(out);
            }
            // This dialect has one answer per prompt.
            Event::Start { choice: 1.., .. }
            | Event::Delta { choice: 1.., .. }
            | Event::Stop { choice: 1.., .. }
            | Event::Finish { choice: 1.., .. } => {}
            Event::Start { head, .. } => self.start(head, out),
            Event::Delta { delta, .. } => self.delta(delta, out),
            Event::Stop { .. } => self.stop(out),
            Event::Finish { finish, .. } => self.finish = Some(finish.clone()),
            Event::End { usage } => {
                let finish = self.finish.as_ref();
                let delta = MessageDelta {
                    stop_reason: stop_word(finish, self.has_calls),
                    stop_sequence: finish.and_then(|finish| finish.stop_sequence.as_deref()),
                };
                let usage = WrittenUsage::of(usage.as_ref());
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
    pub(crate) const fn new(echo: Echo) -> Self {
        Self { echo, next_block: 0, open: None, has_calls: false, finish: None }
    }

    fn start(&mut self, head: &PartHead, out: &mut BytesMut) {
        self.open = Some(match head {
            PartHead::Text | PartHead::Refusal => {
                Open::Words { is_thinking: false, has_begun: false }
            }
            PartHead::Thinking => Open::Words { is_thinking: true, has_begun: false },
            PartHead::RedactedThinking(signature) => {
                let data = signature.for_client(Dialect::AnthropicMessages);
                self.block(BlockStart::RedactedThinking { data }, out);
                WrittenEvent::ContentBlockStop { index: self.index() }.append(out);
                Open::Done
            }
            PartHead::Call { id, name, .. } => {
                self.has_calls = true;
                self.block(BlockStart::ToolUse { id, name, input: Empty {} }, out);
                Open::Call(Arguments::Nothing)
            }
            PartHead::Media(media) => {
                self.block(BlockStart::Text { text: "" }, out);
                self.block_delta(BlockDelta::Text { text: &media_note(media) }, out);
                WrittenEvent::ContentBlockStop { index: self.index() }.append(out);
                Open::Done
            }
        });
    }

    fn delta(&mut self, delta: &PartDelta, out: &mut BytesMut) {
        match (self.open.take(), delta) {
            (Some(Open::Words { is_thinking, has_begun }), PartDelta::Text(text)) => {
                let has_begun = has_begun || !text.is_empty() && self.words(is_thinking, out);
                if !text.is_empty() {
                    let delta = if is_thinking {
                        BlockDelta::Thinking { thinking: text }
                    } else {
                        BlockDelta::Text { text }
                    };
                    self.block_delta(delta, out);
                }
                self.open = Some(Open::Words { is_thinking, has_begun });
            }
            (
                Some(Open::Words { is_thinking: true, has_begun }),
                PartDelta::Signature(signature),
            ) => {
                let has_begun = has_begun || self.words(true, out);
                let signature = signature.for_client(Dialect::AnthropicMessages);
                self.block_delta(BlockDelta::Signature { signature }, out);
                self.open = Some(Open::Words { is_thinking: true, has_begun });
            }
            (Some(Open::Call(arguments)), PartDelta::Arguments(more)) => {
                let arguments = self.arguments(arguments, more, out);
                self.open = Some(Open::Call(arguments));
            }
            // The assembler sends no other combination.
            (open, _) => self.open = open,
        }
    }

    fn arguments(&self, before: Arguments, more: &str, out: &mut BytesMut) -> Arguments {
        match before {
            Arguments::Kept(mut kept) => {
                kept.push_str(more);
                Arguments::Kept(kept)
            }
            Arguments::Nothing if !more.trim_start().starts_with('{') => {
                Arguments::Kept(more.to_owned())
            }
            Arguments::Nothing | Arguments::Object => {
                self.block_delta(BlockDelta::InputJson { partial_json: more }, out);
                Arguments::Object
            }
        }
    }

    fn stop(&mut self, out: &mut BytesMut) {
        match self.open.take() {
            Some(Open::Call(Arguments::Object) | Open::Words { has_begun: true, .. }) => {}
            Some(Open::Call(arguments)) => {
                let kept = match arguments {
                    Arguments::Kept(kept) => kept,
                    Arguments::Nothing | Arguments::Object => String::new(),
                };
                let object = arguments_object(&kept);
                self.block_delta(BlockDelta::InputJson { partial_json: object.get() }, out);
            }
            Some(Open::Words { has_begun: false, .. } | Open::Done) | None => return,
        }
        WrittenEvent::ContentBlockStop { index: self.index() }.append(out);
    }

    /// Starts a text or thinking block; always returns `true`.
    fn words(&mut self, is_thinking: bool, out: &mut BytesMut) -> bool {
        let start = if is_thinking {
            BlockStart::Thinking { thinking: "", signature: "" }
        } else {
            BlockStart::Text { text: "" }
        };
        self.block(start, out);
        true
    }

    fn block(&mut self, content_block: BlockStart<'_>, out: &mut BytesMut) {
        WrittenEvent::ContentBlockStart { index: self.next_block, content_block }.append(out);
        self.next_block = self.next_block.saturating_add(1);
    }

    fn block_delta(&self, delta: BlockDelta<'_>, out: &mut BytesMut) {
        WrittenEvent::ContentBlockDelta { index: self.index(), delta }.append(out);
    }

    /// Index of the block that started last.
    const fn index(&self) -> u32 {
        self.next_block.saturating_sub(1)
    }
}

/// The answer's id: the provider's own if there is one, so that it can be found there.
pub(super) fn message_id(id: Option<&str>, echo: &Echo) -> String {
    id.filter(|id| !id.is_empty()).map_or_else(|| format!("msg_{}", echo.id), str::to_owned)
}

/// Text that replaces an image or audio made by the model. The dialect's answers have no block for
/// it, and dropping it silently would hide it.
pub(super) fn media_note(media: &Media) -> String {
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
