//! Reads a backend's complete answer and writes one for a client.

use bytes::Bytes;
use domain::Dialect;
use serde::Serialize;

use super::content_block::ContentBlock;
use super::error::in_band_error;
use super::stop_reason::{read_stop_reason, write_stop_reason};
use super::stream_reader::own_signature;
use super::stream_writer;
use super::usage::{WrittenUsage, read_usage};
use crate::BadAnswer;
use crate::dialect::tool_names::arguments_object;
use crate::dialect::translation::RequestEcho;
use crate::json::json_node::decode_string_lossy;
use crate::json::{Members, array_items};
use crate::neutral::{CallKey, CallKind, ContentPart, JsonText, ModelAnswer, ProviderEvent};

pub(crate) fn read_answer(text: &str) -> Result<Vec<ProviderEvent>, BadAnswer> {
    let members = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    if members.get("error").is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    let content = members.get("content").and_then(array_items).ok_or(BadAnswer::NoChoices)?;
    let field = |key: &str| members.get(key).and_then(decode_string_lossy);
    let mut pieces = vec![ProviderEvent::Begin { id: field("id"), model: field("model") }];
    content.into_iter().for_each(|block| push_block(ContentBlock::read(block), &mut pieces));
    if let Some(word) = field("stop_reason") {
        let finish = read_stop_reason(word, field("stop_sequence"));
        pieces.push(ProviderEvent::Finish { choice: 0, finish });
    }
    pieces.extend(members.get("usage").and_then(read_usage).map(ProviderEvent::Usage));
    pieces.push(ProviderEvent::End);
    Ok(pieces)
}

fn push_block(block: ContentBlock, pieces: &mut Vec<ProviderEvent>) {
    let choice = 0;
    match block {
        ContentBlock::Text(text) => pieces.push(ProviderEvent::Text { choice, text }),
        ContentBlock::Thinking { text, signature } => {
            pieces.push(ProviderEvent::Thinking { choice, text });
            if !signature.is_empty() {
                pieces
                    .push(ProviderEvent::Signature { choice, signature: own_signature(signature) });
            }
        }
        ContentBlock::RedactedThinking(data) => {
            pieces.push(ProviderEvent::RedactedThinking { choice, signature: own_signature(data) });
        }
        ContentBlock::Call { id, name, input } => {
            let (key, kind) = (CallKey::Whole, CallKind::Function);
            let arguments = input.unwrap_or_default();
            pieces.push(ProviderEvent::Call { choice, key, id, name, kind, arguments });
        }
        ContentBlock::ServerTool { .. } | ContentBlock::Other => return,
    }
    pieces.push(ProviderEvent::PartDone { choice });
}

/// Writes a complete answer for a client. Only the first choice is written: the dialect has no
/// field for more.
pub(crate) fn write_answer(answer: &ModelAnswer, echo: &RequestEcho) -> Bytes {
    let choice = answer.choices.first();
    let parts = choice.map(|choice| choice.parts.as_slice()).unwrap_or_default();
    let content: Vec<_> = parts.iter().filter_map(write_block).collect();
    let has_calls = parts.iter().any(|part| matches!(part, ContentPart::ToolCall(_)));
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let message = WrittenMessage {
        id: stream_writer::message_id(answer.id.as_deref(), echo),
        kind: "message",
        role: "assistant",
        model: answer.model.as_deref().unwrap_or(&echo.request.model),
        content,
        stop_reason: Some(write_stop_reason(finish, has_calls)),
        stop_sequence: finish.and_then(|finish| finish.stop_sequence.as_deref()),
        usage: WrittenUsage::from_report(answer.usage.as_ref()),
    };
    Bytes::from(serde_json::to_vec(&message).unwrap_or_default())
}

/// A complete message, or the empty one that starts a stream.
#[derive(Debug, Serialize)]
pub(super) struct WrittenMessage<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<WrittenBlock<'a>>,
    pub(super) stop_reason: Option<&'static str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: WrittenUsage,
}

/// A content block for a client.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WrittenBlock<'a> {
    Text { text: std::borrow::Cow<'a, str> },
    Thinking { thinking: &'a str, signature: String },
    RedactedThinking { data: String },
    ToolUse { id: &'a str, name: &'a str, input: JsonText },
}

fn write_block(part: &ContentPart) -> Option<WrittenBlock<'_>> {
    let for_client = |signature: &crate::neutral::ThoughtSignature| {
        signature.encode_for_client(Dialect::AnthropicMessages)
    };
    Some(match part {
        // Clients send blocks back, and the API refuses empty texts.
        ContentPart::Text { text, .. } | ContentPart::Refusal(text) if text.is_empty() => {
            return None;
        }
        ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
            WrittenBlock::Text { text: text.into() }
        }
        ContentPart::Media(media) => {
            WrittenBlock::Text { text: stream_writer::media_note(media).into() }
        }
        ContentPart::Thinking { text, signature } if text.is_empty() && signature.is_none() => {
            return None;
        }
        ContentPart::Thinking { text, signature } => WrittenBlock::Thinking {
            thinking: text,
            // The client types require a signature. An empty one proves nothing and is dropped when
            // it comes back.
            signature: signature.as_ref().map(for_client).unwrap_or_default(),
        },
        ContentPart::RedactedThinking(data) => {
            WrittenBlock::RedactedThinking { data: for_client(data) }
        }
        ContentPart::ToolCall(call) => WrittenBlock::ToolUse {
            id: &call.id,
            name: &call.name,
            input: arguments_object(&call.arguments),
        },
        ContentPart::ToolResult(_) => return None,
    })
}

#[cfg(test)]
mod tests;
