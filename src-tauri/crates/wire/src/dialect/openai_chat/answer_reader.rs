//! Parses a backend's answers, whole and streamed, into pieces. Unknown members are ignored.

use serde_json::value::RawValue;

use super::error::in_band_error;
use super::thinking::{push_thinking_events, read_google_signature};
use super::usage::{BESIDE_CHOICES, ChatUsage, ChunkBill, has_citations, server_tool, server_work};
use crate::json::json_node::decode_string_lossy;
use crate::json::{Members, array_items};
use crate::neutral::{
    CallKey, CallKind, Finish, FinishReason, MediaContent, MediaKind, ProviderEvent,
};
use crate::{BadAnswer, SseEvent, SsePayload, StreamFault};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    has_begun: bool,
    usage: ChatUsage,
}

impl crate::dialect::translation::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<ProviderEvent>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if text == "[DONE]" {
            return Ok(vec![ProviderEvent::End]);
        }
        if event.name.as_deref() == Some(b"error") {
            return Ok(vec![ProviderEvent::Error(in_band_error(data))]);
        }
        let chunk = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        if chunk.get("error").is_some() {
            return Ok(vec![ProviderEvent::Error(in_band_error(data))]);
        }
        let mut pieces = Vec::new();
        if !self.has_begun {
            pieces.extend(begin_event(&chunk));
            self.has_begun = !pieces.is_empty();
        }
        let choices = chunk.get("choices").and_then(array_items).unwrap_or_default();
        let mut bill = ChunkBill::default();
        for choice in choices {
            push_choice_events(choice, 0, CallFrame::Pieces, &mut bill, &mut pieces);
        }
        pieces.extend(bill_event(&mut self.usage, bill, &chunk));
        Ok(pieces)
    }
}

/// Parses a whole answer.
pub(crate) fn read_answer(text: &str) -> Result<Vec<ProviderEvent>, BadAnswer> {
    let answer = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    if answer.get("error").is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    let choices = answer.get("choices").and_then(array_items).unwrap_or_default();
    if choices.is_empty() {
        return Err(BadAnswer::NoChoices);
    }
    let mut pieces: Vec<ProviderEvent> = begin_event(&answer).into_iter().collect();
    let mut bill = ChunkBill::default();
    for (place, choice) in (0..).zip(choices) {
        push_choice_events(choice, place, CallFrame::Whole, &mut bill, &mut pieces);
        if !matches!(pieces.last(), Some(ProviderEvent::Finish { .. })) {
            // A whole body is complete even if the server gives no finish reason.
            let finish = finish_from_word("", None);
            pieces.push(ProviderEvent::Finish {
                choice: choice_index(choice).unwrap_or(place),
                finish,
            });
        }
    }
    pieces.extend(bill_event(&mut ChatUsage::default(), bill, &answer));
    pieces.push(ProviderEvent::End);
    Ok(pieces)
}

/// The usage so far, or what is billed beside it, if `chunk` changed it. `bill` is what its choices say.
fn bill_event<'a>(
    usage: &mut ChatUsage,
    bill: ChunkBill<'a>,
    chunk: &Members<'a>,
) -> Option<ProviderEvent> {
    let model = chunk.string("model");
    let bill = ChunkBill {
        usage: ChunkBill::usage_of(chunk.get("usage"), bill.usage, chunk.get("x_groq")),
        service_tier: chunk.get("service_tier"),
        model: model.as_deref(),
        billed_beside: server_work(BESIDE_CHOICES.map(|name| chunk.get(name)))
            .or(bill.billed_beside),
        ..bill
    };
    usage.read(bill)
}

fn begin_event(members: &Members<'_>) -> Option<ProviderEvent> {
    let (id, model) = (members.string("id"), members.string("model"));
    (id.is_some() || model.is_some()).then_some(ProviderEvent::Begin { id, model })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CallFrame {
    Whole,
    Pieces,
}

fn choice_index(choice: &RawValue) -> Option<u32> {
    Members::parse(choice.get()).ok()?.get("index")?.get().parse().ok()
}

fn push_choice_events<'a>(
    raw: &'a RawValue,
    place: u32,
    frame: CallFrame,
    bill: &mut ChunkBill<'a>,
    pieces: &mut Vec<ProviderEvent>,
) {
    let Ok(members) = Members::parse(raw.get()) else { return };
    let index = members.get("index").and_then(|index| index.get().parse().ok());
    let choice = index.unwrap_or(place);
    // Whole answers have `message` where chunks have `delta`; some servers mix them up.
    let key = if members.get("delta").is_some() { "delta" } else { "message" };
    let delta = members.object(key);
    bill.usage = bill.usage.or(members.get("usage"));
    bill.has_citations |= has_citations(delta.get("annotations"));
    let tool = server_tool(delta.get("executed_tools"), delta.get("tool_calls"));
    bill.billed_beside = bill.billed_beside.or(tool);
    push_thinking_events(choice, &delta, pieces);
    if let Some(content) = delta.get("content") {
        push_content_events(choice, content, pieces);
    }
    let refusal =
        delta.get("refusal").and_then(decode_string_lossy).filter(|text| !text.is_empty());
    pieces.extend(refusal.map(|text| ProviderEvent::Refusal { choice, text }));
    pieces.extend(
        delta
            .get("images")
            .and_then(array_items)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|image| Some(ProviderEvent::Media { choice, media: read_image(image)? })),
    );
    for call in delta.get("tool_calls").and_then(array_items).unwrap_or_default() {
        push_call_event(choice, call, frame, pieces);
    }
    if let Some(function) = delta.get("function_call") {
        push_legacy_call_event(choice, function, frame, pieces);
    }
    let word = members.get("finish_reason").and_then(decode_string_lossy);
    if let Some(word) = word.filter(|word| !word.is_empty()) {
        // vLLM reports the stop sequence that it met.
        let stop = members.get("stop_reason").and_then(decode_string_lossy);
        pieces.push(ProviderEvent::Finish { choice, finish: finish_from_word(&word, stop) });
    }
}

/// `content` is a string, or from some servers (Mistral) an array of parts.
fn push_content_events(choice: u32, content: &RawValue, pieces: &mut Vec<ProviderEvent>) {
    if let Some(text) = decode_string_lossy(content) {
        if !text.is_empty() {
            pieces.push(ProviderEvent::Text { choice, text });
        }
        return;
    }
    for part in array_items(content).unwrap_or_default() {
        let Ok(members) = Members::parse(part.get()) else { continue };
        if let Some(text) = members.get("text").and_then(decode_string_lossy) {
            pieces.push(ProviderEvent::Text { choice, text });
        } else if let Some(thinking) = members.get("thinking") {
            let inner = array_items(thinking).unwrap_or_default();
            let texts = inner.into_iter().filter_map(|part| {
                decode_string_lossy(Members::parse(part.get()).ok()?.get("text")?)
            });
            pieces.extend(texts.map(|text| ProviderEvent::Thinking { choice, text }));
        }
    }
}

fn read_image(raw: &RawValue) -> Option<MediaContent> {
    let url = Members::parse(raw.get()).ok()?.object("image_url").string("url")?;
    let (source, media_type) = crate::media_type::media_source(url);
    Some(MediaContent { kind: MediaKind::Image, source, media_type, detail: None, title: None })
}

fn push_call_event(choice: u32, raw: &RawValue, frame: CallFrame, pieces: &mut Vec<ProviderEvent>) {
    let Ok(call) = Members::parse(raw.get()) else { return };
    if let Some(signature) = read_google_signature(&call) {
        pieces.push(ProviderEvent::Signature { choice, signature });
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
    pieces.push(ProviderEvent::Call {
        choice,
        key,
        id: call.string("id"),
        name: inner.string("name"),
        kind,
        arguments: arguments_text(inner.get(text)),
    });
}

fn push_legacy_call_event(
    choice: u32,
    raw: &RawValue,
    frame: CallFrame,
    pieces: &mut Vec<ProviderEvent>,
) {
    let Ok(function) = Members::parse(raw.get()) else { return };
    let key = match frame {
        CallFrame::Whole => CallKey::Whole,
        CallFrame::Pieces => CallKey::Item("function_call".to_owned()),
    };
    let (name, arguments) = (function.string("name"), arguments_text(function.get("arguments")));
    pieces.push(ProviderEvent::Call {
        choice,
        key,
        id: None,
        name,
        kind: CallKind::Function,
        arguments,
    });
}

/// Arguments are a string, or from some servers the object itself.
fn arguments_text(raw: Option<&RawValue>) -> String {
    raw.map(|raw| decode_string_lossy(raw).unwrap_or_else(|| raw.get().to_owned()))
        .unwrap_or_default()
}

/// Maps the finish reasons of OpenAI and of similar servers.
fn finish_from_word(word: &str, stop: Option<String>) -> Finish {
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
