//! Reads Ollama's answers: calls come complete, without ids, and end with `stop`.

use serde_json::value::RawValue;

use domain::Meter;

use crate::dialect::openai_chat::in_band_error;
use crate::json::json_builder::JsonObjectBuilder;
use crate::json::json_node::decode_string_lossy;
use crate::json::{Members, array_items};
use crate::neutral::{CallKey, CallKind, Finish, FinishReason, ProviderEvent};
use crate::usage::UsageBuilder;
use crate::{BadAnswer, SseEvent, SsePayload, StreamFault, UsageReport};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    has_begun: bool,
}

impl crate::dialect::translation::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<ProviderEvent>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?;
        let line = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        if line.get("error").is_some() {
            return Ok(vec![ProviderEvent::Error(in_band_error(data))]);
        }
        let mut pieces = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            pieces.push(ProviderEvent::Begin { id: None, model: line.string("model") });
        }
        push_message(&line, &mut pieces);
        if line.get("done").is_some_and(|done| done.get() == "true") {
            push_end(&line, &mut pieces);
        }
        Ok(pieces)
    }
}

pub(crate) fn read_answer(text: &str) -> Result<Vec<ProviderEvent>, BadAnswer> {
    let answer = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    if answer.get("error").is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    if answer.get("message").is_none() {
        return Err(BadAnswer::NoChoices);
    }
    let mut pieces = vec![ProviderEvent::Begin { id: None, model: answer.string("model") }];
    push_message(&answer, &mut pieces);
    push_end(&answer, &mut pieces);
    Ok(pieces)
}

fn push_message(line: &Members<'_>, pieces: &mut Vec<ProviderEvent>) {
    let message = line.object("message");
    let text =
        |key: &str| message.get(key).and_then(decode_string_lossy).filter(|text| !text.is_empty());
    let choice = 0;
    pieces.extend(text("thinking").map(|text| ProviderEvent::Thinking { choice, text }));
    pieces.extend(text("content").map(|text| ProviderEvent::Text { choice, text }));
    for call in message.get("tool_calls").and_then(array_items).unwrap_or_default() {
        let Ok(call) = Members::parse(call.get()) else { continue };
        let function = call.object("function");
        let arguments = function.get("arguments");
        let text =
            arguments.map(|raw| decode_string_lossy(raw).unwrap_or_else(|| raw.get().to_owned()));
        pieces.push(ProviderEvent::Call {
            choice,
            key: CallKey::Whole,
            id: call.string("id"),
            name: function.string("name"),
            kind: CallKind::Function,
            arguments: text.unwrap_or_default(),
        });
    }
}

fn push_end(line: &Members<'_>, pieces: &mut Vec<ProviderEvent>) {
    let word = line.string("done_reason").unwrap_or_default();
    let reason = match word.as_str() {
        "length" => FinishReason::MaxTokens,
        // `stop`, `load`, `unload`. Calls are recognised by the parts.
        _ => FinishReason::EndTurn,
    };
    pieces.push(ProviderEvent::Finish {
        choice: 0,
        finish: Finish { reason, word, stop_sequence: None },
    });
    pieces.extend(read_usage(line).map(ProviderEvent::Usage));
    pieces.push(ProviderEvent::End);
}

/// Only the counts are kept as the raw object: the rest of the line is content.
fn read_usage(line: &Members<'_>) -> Option<UsageReport> {
    let (prompt, output) = (line.get("prompt_eval_count"), line.get("eval_count"));
    if prompt.is_none() && output.is_none() {
        return None;
    }
    let kept = ["prompt_eval_count", "eval_count"]
        .into_iter()
        .fold(JsonObjectBuilder::new(), |object, key| {
            object.raw_if(key, line.get(key).map(RawValue::get))
        });
    let raw = RawValue::from_string(kept.finish()).ok()?;
    let mut usage = UsageBuilder::default();
    for (meter, count) in [(Meter::Input, prompt), (Meter::Output, output)] {
        let count = usage.read_count(count);
        usage.count(meter, count);
    }
    Some(usage.into_report(&raw))
}
