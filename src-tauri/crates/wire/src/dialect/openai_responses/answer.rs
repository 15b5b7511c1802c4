//! Parses a backend's whole answer, and what its stream shares with it: items, statuses, errors.

use domain::Dialect;
use serde_json::value::RawValue;

use super::reasoning::SUMMARY_BREAK;
use super::usage::{ToolCalls, read_answer_usage};
use crate::dialect::openai_chat;
use crate::json::json_node::decode_string_lossy;
use crate::json::{Members, array_items};
use crate::media_type::parse_data_url;
use crate::neutral::{
    CallKey, CallKind, Finish, FinishReason, MediaContent, MediaKind, MediaSource, ProviderEvent,
    ThoughtSignature,
};
use crate::{BadAnswer, UpstreamError};

pub(crate) fn read_answer(text: &str) -> Result<Vec<ProviderEvent>, BadAnswer> {
    let members = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    let status = string_member(&members, "status");
    if members.get("error").is_some() || status.as_deref() == Some("failed") {
        return Err(BadAnswer::UpstreamError(read_failure(&members)));
    }
    if matches!(status.as_deref(), Some("cancelled" | "in_progress" | "queued")) {
        return Err(BadAnswer::Truncated);
    }
    let output = members.get("output").ok_or(BadAnswer::NoChoices)?;
    let output = array_items(output).ok_or(BadAnswer::NotJson)?;
    let mut pieces = vec![begin_event(&members)];
    let mut said = ContentKinds::default();
    for item in output.into_iter().filter_map(|item| Members::parse(item.get()).ok()) {
        read_item(&item, &mut said, &mut pieces);
    }
    pieces.extend(end_events(&members, said, ToolCalls::default()));
    Ok(pieces)
}

/// The kinds of content seen; the finish reason depends on them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ContentKinds {
    pub(super) calls: bool,
    pub(super) refusal: bool,
}

/// The id and the model of a `response` object.
pub(super) fn begin_event(response: &Members<'_>) -> ProviderEvent {
    ProviderEvent::Begin {
        id: string_member(response, "id"),
        model: string_member(response, "model"),
    }
}

/// The last pieces of a finished `response` object: usage, finish reason, end. `streamed` are the
/// tool calls that came before it.
pub(super) fn end_events(
    response: &Members<'_>,
    said: ContentKinds,
    streamed: ToolCalls,
) -> Vec<ProviderEvent> {
    let usage = read_answer_usage(response, streamed);
    let finish = ProviderEvent::Finish { choice: 0, finish: read_finish(response, said) };
    vec![usage, finish, ProviderEvent::End]
}

/// The error in a `response` object or in an `error` event.
pub(super) fn read_failure(members: &Members<'_>) -> UpstreamError {
    let error = members.get("error").map_or("{}", RawValue::get);
    openai_chat::in_band_error(format!("{{\"error\":{error}}}").as_bytes())
}

/// A string member, decoded leniently.
pub(super) fn string_member(members: &Members<'_>, key: &str) -> Option<String> {
    members.get(key).and_then(decode_string_lossy)
}

pub(super) fn call_kind(item_type: &str) -> Option<CallKind> {
    match item_type {
        "function_call" => Some(CallKind::Function),
        "custom_tool_call" => Some(CallKind::Custom),
        _ => None,
    }
}

/// A call's arguments, or its free-text input.
pub(super) fn call_input(item: &Members<'_>) -> String {
    let input = string_member(item, "arguments").or_else(|| string_member(item, "input"));
    // Some servers send an object instead of its JSON text.
    let object = || item.get("arguments").map(|raw| raw.get().to_owned());
    input.or_else(object).unwrap_or_default()
}

/// The thinking in a reasoning item: its summary, else its full content.
pub(super) fn thinking_text(item: &Members<'_>) -> String {
    let texts = |key: &str| -> Vec<String> {
        let list = item.get(key).and_then(array_items).unwrap_or_default();
        let parts = list.into_iter().filter_map(|part| Members::parse(part.get()).ok());
        parts.filter_map(|part| string_member(&part, "text")).collect()
    };
    let summary = texts("summary");
    let kept = if summary.is_empty() { texts("content") } else { summary };
    kept.join(SUMMARY_BREAK)
}

pub(super) fn read_signature(item: &Members<'_>) -> Option<ThoughtSignature> {
    let data = string_member(item, "encrypted_content").filter(|data| !data.is_empty())?;
    Some(ThoughtSignature { origin: Dialect::OpenAiResponses, data })
}

/// The text and refusals of a message.
pub(super) fn read_message(
    item: &Members<'_>,
    said: &mut ContentKinds,
    pieces: &mut Vec<ProviderEvent>,
) {
    let list = item.get("content").and_then(array_items).unwrap_or_default();
    for part in list.into_iter().filter_map(|part| Members::parse(part.get()).ok()) {
        if let Some(text) = string_member(&part, "text") {
            pieces.push(ProviderEvent::Text { choice: 0, text });
        } else if let Some(text) = string_member(&part, "refusal") {
            said.refusal = true;
            pieces.push(ProviderEvent::Refusal { choice: 0, text });
        }
        pieces.push(ProviderEvent::PartDone { choice: 0 });
    }
}

/// The image of an image generation call.
pub(super) fn read_image(item: &Members<'_>) -> Option<ProviderEvent> {
    let result = string_member(item, "result").filter(|result| !result.is_empty())?;
    let (declared, data) = parse_data_url(&result).unwrap_or((None, result));
    let format = string_member(item, "output_format").map(|format| format!("image/{format}"));
    Some(ProviderEvent::Media {
        choice: 0,
        media: MediaContent {
            kind: MediaKind::Image,
            source: MediaSource::Base64(data),
            media_type: format.or(declared).or_else(|| Some("image/png".to_owned())),
            detail: None,
            title: None,
        },
    })
}

fn read_item(item: &Members<'_>, said: &mut ContentKinds, pieces: &mut Vec<ProviderEvent>) {
    let kind = string_member(item, "type").unwrap_or_default();
    if let Some(kind) = call_kind(&kind) {
        said.calls = true;
        pieces.push(ProviderEvent::Call {
            choice: 0,
            key: CallKey::Whole,
            id: string_member(item, "call_id").or_else(|| string_member(item, "id")),
            name: string_member(item, "name"),
            kind,
            arguments: call_input(item),
        });
        return;
    }
    match kind.as_str() {
        "message" => read_message(item, said, pieces),
        "reasoning" => {
            let text = thinking_text(item);
            let has_text = !text.is_empty();
            if has_text {
                pieces.push(ProviderEvent::Thinking { choice: 0, text });
            }
            pieces
                .extend(read_signature(item).map(|signature| signature_event(signature, has_text)));
            pieces.push(ProviderEvent::PartDone { choice: 0 });
        }
        "image_generation_call" => pieces.extend(read_image(item)),
        // Calls of OpenAI's own tools: their results are in the text.
        _ => {}
    }
}

/// A signature after its thinking, or in place of it.
pub(super) fn signature_event(signature: ThoughtSignature, has_text: bool) -> ProviderEvent {
    if has_text {
        ProviderEvent::Signature { choice: 0, signature }
    } else {
        ProviderEvent::RedactedThinking { choice: 0, signature }
    }
}

fn read_finish(response: &Members<'_>, said: ContentKinds) -> Finish {
    let status = string_member(response, "status").unwrap_or_else(|| "completed".to_owned());
    let why = string_member(&response.object("incomplete_details"), "reason");
    let (reason, word) = match (status.as_str(), why) {
        ("incomplete", Some(why)) if why == "content_filter" => (FinishReason::Refusal, why),
        // Truncated, for any other reason.
        ("incomplete", why) => (FinishReason::MaxTokens, why.unwrap_or(status)),
        _ if said.calls => (FinishReason::ToolUse, status),
        _ if said.refusal => (FinishReason::Refusal, status),
        _ => (FinishReason::EndTurn, status),
    };
    Finish { reason, word, stop_sequence: None }
}

#[cfg(test)]
mod tests;
