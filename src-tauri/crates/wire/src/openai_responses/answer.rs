//! Parses a backend's whole answer, and what its stream shares with it: items, statuses, errors.

use serde_json::value::RawValue;

use super::content::split_data_url;
use super::input::DIALECT;
use super::reasoning::SUMMARY_BREAK;
use super::usage::read_usage;
use crate::json::{Members, items};
use crate::neutral::{
    CallKey, CallKind, Finish, FinishReason, Media, MediaKind, MediaSource, Piece, Signature,
};
use crate::node::lenient_text;
use crate::{BadAnswer, UpstreamError, openai_chat};

pub(crate) fn read_answer(text: &str) -> Result<Vec<Piece>, BadAnswer> {
    let members = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    let status = text_of(&members, "status");
    if members.get("error").is_some() || status.as_deref() == Some("failed") {
        return Err(BadAnswer::UpstreamError(failure(&members)));
    }
    if matches!(status.as_deref(), Some("cancelled" | "in_progress" | "queued")) {
        return Err(BadAnswer::Truncated);
    }
    let output = members.get("output").ok_or(BadAnswer::NoChoices)?;
    let output = items(output).ok_or(BadAnswer::NotJson)?;
    let mut pieces = vec![begin(&members)];
    let mut said = Said::default();
    for item in output.into_iter().filter_map(|item| Members::parse(item.get()).ok()) {
        read_item(&item, &mut said, &mut pieces);
    }
    pieces.extend(last_pieces(&members, said));
    Ok(pieces)
}

/// The kinds of content seen; the finish reason depends on them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    pub(super) calls: bool,
    pub(super) refusal: bool,
}

/// The id and the model of a `response` object.
pub(super) fn begin(response: &Members<'_>) -> Piece {
    Piece::Begin { id: text_of(response, "id"), model: text_of(response, "model") }
}

/// The last pieces of a finished `response` object: usage, finish reason, end.
pub(super) fn last_pieces(response: &Members<'_>, said: Said) -> Vec<Piece> {
    let usage = response.get("usage").and_then(read_usage).map(Piece::Usage);
    let finish = Piece::Finish { choice: 0, finish: finish(response, said) };
    usage.into_iter().chain([finish, Piece::End]).collect()
}

/// The error in a `response` object or in an `error` event.
pub(super) fn failure(members: &Members<'_>) -> UpstreamError {
    let error = members.get("error").map_or("{}", RawValue::get);
    openai_chat::in_band_error(format!("{{\"error\":{error}}}").as_bytes())
}

/// A string member, decoded leniently.
pub(super) fn text_of(members: &Members<'_>, key: &str) -> Option<String> {
    members.get(key).and_then(lenient_text)
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
    let input = text_of(item, "arguments").or_else(|| text_of(item, "input"));
    // Some servers send an object instead of its JSON text.
    let object = || item.get("arguments").map(|raw| raw.get().to_owned());
    input.or_else(object).unwrap_or_default()
}

/// The thinking in a reasoning item: its summary, else its full content.
pub(super) fn thinking_text(item: &Members<'_>) -> String {
    let texts = |key: &str| -> Vec<String> {
        let list = item.get(key).and_then(items).unwrap_or_default();
        let parts = list.into_iter().filter_map(|part| Members::parse(part.get()).ok());
        parts.filter_map(|part| text_of(&part, "text")).collect()
    };
    let summary = texts("summary");
    let kept = if summary.is_empty() { texts("content") } else { summary };
    kept.join(SUMMARY_BREAK)
}

pub(super) fn signature_of(item: &Members<'_>) -> Option<Signature> {
    let data = text_of(item, "encrypted_content").filter(|data| !data.is_empty())?;
    Some(Signature { origin: DIALECT, data })
}

/// The text and refusals of a message.
pub(super) fn read_message(item: &Members<'_>, said: &mut Said, pieces: &mut Vec<Piece>) {
    let list = item.get("content").and_then(items).unwrap_or_default();
    for part in list.into_iter().filter_map(|part| Members::parse(part.get()).ok()) {
        if let Some(text) = text_of(&part, "text") {
            pieces.push(Piece::Text { choice: 0, text });
        } else if let Some(text) = text_of(&part, "refusal") {
            said.refusal = true;
            pieces.push(Piece::Refusal { choice: 0, text });
        }
        pieces.push(Piece::PartDone { choice: 0 });
    }
}

/// The image of an image generation call.
pub(super) fn read_picture(item: &Members<'_>) -> Option<Piece> {
    let result = text_of(item, "result").filter(|result| !result.is_empty())?;
    let (media_type, data) = split_data_url(&result).unwrap_or(("image/png", &result));
    let format = text_of(item, "output_format").map(|format| format!("image/{format}"));
    Some(Piece::Media {
        choice: 0,
        media: Media {
            kind: MediaKind::Image,
            source: MediaSource::Base64(data.to_owned()),
            media_type: Some(format.unwrap_or_else(|| media_type.to_owned())),
            detail: None,
            title: None,
        },
    })
}

fn read_item(item: &Members<'_>, said: &mut Said, pieces: &mut Vec<Piece>) {
    let kind = text_of(item, "type").unwrap_or_default();
    if let Some(kind) = call_kind(&kind) {
        said.calls = true;
        pieces.push(Piece::Call {
            choice: 0,
            key: CallKey::Whole,
            id: text_of(item, "call_id").or_else(|| text_of(item, "id")),
            name: text_of(item, "name"),
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
                pieces.push(Piece::Thinking { choice: 0, text });
            }
            pieces.extend(signature_of(item).map(|signature| signed(signature, has_text)));
            pieces.push(Piece::PartDone { choice: 0 });
        }
        "image_generation_call" => pieces.extend(read_picture(item)),
        // Calls of OpenAI's own tools: their results are in the text.
        _ => {}
    }
}

/// A signature after its thinking, or in place of it.
pub(super) fn signed(signature: Signature, has_text: bool) -> Piece {
    if has_text {
        Piece::Signature { choice: 0, signature }
    } else {
        Piece::RedactedThinking { choice: 0, signature }
    }
}

fn finish(response: &Members<'_>, said: Said) -> Finish {
    let status = text_of(response, "status").unwrap_or_else(|| "completed".to_owned());
    let why = text_of(&response.object("incomplete_details"), "reason");
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
