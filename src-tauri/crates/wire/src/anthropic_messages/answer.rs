//! Reads a backend's complete answer and writes one for a client.

use bytes::Bytes;
use domain::Dialect;
use serde::Serialize;

use super::blocks::Block;
use super::error::in_band_error;
use super::stop::{read_stop, stop_word};
use super::stream::own;
use super::usage::{WrittenUsage, read_usage};
use super::{RAW_ARGUMENTS, writer};
use crate::BadAnswer;
use crate::dialect::Echo;
use crate::json::{Members, items};
use crate::neutral::{Answer, CallKey, CallKind, Json, Part, Piece};
use crate::node::lenient_text;

pub(crate) fn read_answer(text: &str) -> Result<Vec<Piece>, BadAnswer> {
    let members = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    if members.get("error").is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    let content = members.get("content").and_then(items).ok_or(BadAnswer::NoChoices)?;
    let field = |key: &str| members.get(key).and_then(lenient_text);
    let mut pieces = vec![Piece::Begin { id: field("id"), model: field("model") }];
    content.into_iter().for_each(|block| push_block(Block::read(block), &mut pieces));
    if let Some(word) = field("stop_reason") {
        let finish = read_stop(word, field("stop_sequence"));
        pieces.push(Piece::Finish { choice: 0, finish });
    }
    pieces.extend(members.get("usage").and_then(read_usage).map(Piece::Usage));
    pieces.push(Piece::End);
    Ok(pieces)
}

fn push_block(block: Block, pieces: &mut Vec<Piece>) {
    let choice = 0;
    match block {
        Block::Text(text) => pieces.push(Piece::Text { choice, text }),
        Block::Thinking { text, signature } => {
            pieces.push(Piece::Thinking { choice, text });
            if !signature.is_empty() {
                pieces.push(Piece::Signature { choice, signature: own(signature) });
            }
        }
        Block::RedactedThinking(data) => {
            pieces.push(Piece::RedactedThinking { choice, signature: own(data) });
        }
        Block::Call { id, name, input } => {
            let (key, kind) = (CallKey::Whole, CallKind::Function);
            let arguments = input.unwrap_or_default();
            pieces.push(Piece::Call { choice, key, id, name, kind, arguments });
        }
        Block::Other => return,
    }
    pieces.push(Piece::PartDone { choice });
}

/// Writes a complete answer for a client. Only the first choice is written: the dialect has no
/// field for more.
pub(crate) fn write_answer(answer: &Answer, echo: &Echo) -> Bytes {
    let choice = answer.choices.first();
    let parts = choice.map(|choice| choice.parts.as_slice()).unwrap_or_default();
    let content: Vec<_> = parts.iter().filter_map(written).collect();
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let message = WrittenMessage {
        id: writer::message_id(answer.id.as_deref(), echo),
        kind: "message",
        role: "assistant",
        model: answer.model.as_deref().unwrap_or(&echo.request.model),
        content,
        stop_reason: Some(stop_word(finish, has_calls)),
        stop_sequence: finish.and_then(|finish| finish.stop_sequence.as_deref()),
        usage: WrittenUsage::of(answer.usage.as_ref()),
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
    ToolUse { id: &'a str, name: &'a str, input: Json },
}

fn written(part: &Part) -> Option<WrittenBlock<'_>> {
    let for_client =
        |signature: &crate::neutral::Signature| signature.for_client(Dialect::AnthropicMessages);
    Some(match part {
        // Clients send blocks back, and the API refuses empty texts.
        Part::Text { text, .. } | Part::Refusal(text) if text.is_empty() => return None,
        Part::Text { text, .. } | Part::Refusal(text) => WrittenBlock::Text { text: text.into() },
        Part::Media(media) => WrittenBlock::Text { text: writer::media_note(media).into() },
        Part::Thinking { text, signature } if text.is_empty() && signature.is_none() => {
            return None;
        }
        Part::Thinking { text, signature } => WrittenBlock::Thinking {
            thinking: text,
            // The client types require a signature. An empty one proves nothing and is dropped when
            // it comes back.
            signature: signature.as_ref().map(for_client).unwrap_or_default(),
        },
        Part::RedactedThinking(data) => WrittenBlock::RedactedThinking { data: for_client(data) },
        Part::ToolCall(call) => {
            let input = arguments_object(&call.arguments);
            WrittenBlock::ToolUse { id: &call.id, name: &call.name, input }
        }
        Part::ToolResult(_) => return None,
    })
}

/// Converts arguments to the object that the dialect requires. Empty text and `null` become `{}`.
/// Anything else that is not an object is kept under [`RAW_ARGUMENTS`], where the tool or the model
/// can see it (F54).
pub(super) fn arguments_object(arguments: &str) -> Json {
    let text = arguments.trim();
    if text.is_empty() || text == "null" {
        return Json::empty_object();
    }
    Json::parse(text)
        .filter(Json::is_object)
        .unwrap_or_else(|| Json::from_value(&serde_json::json!({ RAW_ARGUMENTS: arguments })))
}

#[cfg(test)]
mod tests;
