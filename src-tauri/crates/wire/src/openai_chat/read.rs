//! Parses a backend's answers, whole and streamed, into pieces. Unknown members are ignored.

use serde_json::value::RawValue;

use super::content::source;
use super::error::in_band_error;
use super::thinking::{google_signature, thinking_pieces};
use super::usage::read_usage;
use crate::json::{Members, items};
use crate::neutral::{CallKey, CallKind, Finish, FinishReason, Media, MediaKind, Piece};
use crate::node::lenient_text;
use crate::{BadAnswer, SseEvent, SsePayload, StreamFault};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    has_begun: bool,
}

impl crate::dialect::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<Piece>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if text == "[DONE]" {
            return Ok(vec![Piece::End]);
        }
        if event.name.as_deref() == Some(b"error") {
            return Ok(vec![Piece::Error(in_band_error(data))]);
        }
        let chunk = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        if chunk.get("error").is_some() {
            return Ok(vec![Piece::Error(in_band_error(data))]);
        }
        let mut pieces = Vec::new();
        if !self.has_begun {
            pieces.extend(begin(&chunk));
            self.has_begun = !pieces.is_empty();
        }
        let choices = chunk.get("choices").and_then(items).unwrap_or_default();
        for choice in choices {
            choice_pieces(choice, 0, CallFrame::Pieces, &mut pieces);
        }
        pieces.extend(chunk.get("usage").and_then(read_usage).map(Piece::Usage));
        Ok(pieces)
    }
}

/// Parses a whole answer.
pub(crate) fn read_answer(text: &str) -> Result<Vec<Piece>, BadAnswer> {
    let answer = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    if answer.get("error").is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    let choices = answer.get("choices").and_then(items).unwrap_or_default();
    if choices.is_empty() {
        return Err(BadAnswer::NoChoices);
    }
    let mut pieces: Vec<Piece> = begin(&answer).into_iter().collect();
    for (place, choice) in (0..).zip(choices) {
        choice_pieces(choice, place, CallFrame::Whole, &mut pieces);
        if !matches!(pieces.last(), Some(Piece::Finish { .. })) {
            // A whole body is complete even if the server gives no finish reason.
            let finish = finish("", None);
            pieces.push(Piece::Finish { choice: index(choice).unwrap_or(place), finish });
        }
    }
    pieces.extend(answer.get("usage").and_then(read_usage).map(Piece::Usage));
    pieces.push(Piece::End);
    Ok(pieces)
}

fn begin(members: &Members<'_>) -> Option<Piece> {
    let (id, model) = (members.string("id"), members.string("model"));
    (id.is_some() || model.is_some()).then_some(Piece::Begin { id, model })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CallFrame {
    Whole,
    Pieces,
}

fn index(choice: &RawValue) -> Option<u32> {
    Members::parse(choice.get()).ok()?.get("index")?.get().parse().ok()
}

fn choice_pieces(raw: &RawValue, place: u32, frame: CallFrame, pieces: &mut Vec<Piece>) {
    let Ok(members) = Members::parse(raw.get()) else { return };
    let index = members.get("index").and_then(|index| index.get().parse().ok());
    let choice = index.unwrap_or(place);
    // Whole answers have `message` where chunks have `delta`; some servers mix them up.
    let key = if members.get("delta").is_some() { "delta" } else { "message" };
    let delta = members.object(key);
    thinking_pieces(choice, &delta, pieces);
    if let Some(content) = delta.get("content") {
        content_pieces(choice, content, pieces);
    }
    let refusal = delta.get("refusal").and_then(lenient_text).filter(|text| !text.is_empty());
    pieces.extend(refusal.map(|text| Piece::Refusal { choice, text }));
    pieces.extend(
        delta
            .get("images")
            .and_then(items)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|image| Some(Piece::Media { choice, media: image_of(image)? })),
    );
    for call in delta.get("tool_calls").and_then(items).unwrap_or_default() {
        call_pieces(choice, call, frame, pieces);
    }
    if let Some(function) = delta.get("function_call") {
        legacy_call(choice, function, frame, pieces);
    }
    let word = members.get("finish_reason").and_then(lenient_text);
    if let Some(word) = word.filter(|word| !word.is_empty()) {
        // vLLM reports the stop sequence that it met.
        let stop = members.get("stop_reason").and_then(lenient_text);
        pieces.push(Piece::Finish { choice, finish: finish(&word, stop) });
    }
}

/// `content` is a string, or from some servers (Mistral) an array of parts.
fn content_pieces(choice: u32, content: &RawValue, pieces: &mut Vec<Piece>) {
    if let Some(text) = lenient_text(content) {
        if !text.is_empty() {
            pieces.push(Piece::Text { choice, text });
        }
        return;
    }
    for part in items(content).unwrap_or_default() {
        let Ok(members) = Members::parse(part.get()) else { continue };
        if let Some(text) = members.get("text").and_then(lenient_text) {
            pieces.push(Piece::Text { choice, text });
        } else if let Some(thinking) = members.get("thinking") {
            let inner = items(thinking).unwrap_or_default();
            let texts = inner
                .into_iter()
                .filter_map(|part| lenient_text(Members::parse(part.get()).ok()?.get("text")?));
            pieces.extend(texts.map(|text| Piece::Thinking { choice, text }));
        }
    }
}

fn image_of(raw: &RawValue) -> Option<Media> {
    let url = Members::parse(raw.get()).ok()?.object("image_url").string("url")?;
    let (source, media_type) = source(url);
    Some(Media { kind: MediaKind::Image, source, media_type, detail: None, title: None })
}

fn call_pieces(choice: u32, raw: &RawValue, frame: CallFrame, pieces: &mut Vec<Piece>) {
    let Ok(call) = Members::parse(raw.get()) else { return };
    if let Some(signature) = google_signature(&call) {
        pieces.push(Piece::Signature { choice, signature });
    }
    let (kind, inner, text) = if call.get("custom").is_some() {
        (CallKind::Custom, call.object("custom"), "input")
    } else {
        (CallKind::Function, call.object("function"), "arguments")
    };
    let key = match frame {
        CallFrame::Whole => CallKey::Whole,
        CallFrame::Pieces => {
            CallKey::Index(call.get("index").and_then(|index| index.get().parse().ok()))
        }
    };
    pieces.push(Piece::Call {
        choice,
        key,
        id: call.string("id"),
        name: inner.string("name"),
        kind,
        arguments: arguments(inner.get(text)),
    });
}

fn legacy_call(choice: u32, raw: &RawValue, frame: CallFrame, pieces: &mut Vec<Piece>) {
    let Ok(function) = Members::parse(raw.get()) else { return };
    let key = match frame {
        CallFrame::Whole => CallKey::Whole,
        CallFrame::Pieces => CallKey::Item("function_call".to_owned()),
    };
    let (name, arguments) = (function.string("name"), arguments(function.get("arguments")));
    pieces.push(Piece::Call { choice, key, id: None, name, kind: CallKind::Function, arguments });
}

/// Arguments are a string, or from some servers the object itself.
fn arguments(raw: Option<&RawValue>) -> String {
    raw.map(|raw| lenient_text(raw).unwrap_or_else(|| raw.get().to_owned())).unwrap_or_default()
}

/// Maps the finish reasons of OpenAI and of similar servers.
fn finish(word: &str, stop: Option<String>) -> Finish {
    let reason = match word {
        "length" | "max_tokens" | "model_length" => FinishReason::MaxTokens,
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolUse,
        "content_filter" | "sensitive" | "safety" | "refusal" => FinishReason::Refusal,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "error" | "network_error" | "insufficient_system_resource" => FinishReason::Fault,
        "stop_sequence" => FinishReason::StopSequence,
        _ if stop.is_some() => FinishReason::StopSequence,
        _ => FinishReason::EndTurn,
    };
    let stop_sequence = stop.filter(|_| reason == FinishReason::StopSequence);
    Finish { reason, word: word.to_owned(), stop_sequence }
}
