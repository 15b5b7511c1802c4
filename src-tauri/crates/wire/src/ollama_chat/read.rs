//! Reads Ollama's answers: calls come complete, without ids, and end with `stop`.

use serde_json::value::RawValue;

use domain::TokenUsage;

use crate::json::{Members, items};
use crate::neutral::{CallKey, CallKind, Finish, FinishReason, Piece};
use crate::node::lenient_text;
use crate::object_text::ObjectText;
use crate::openai_chat::in_band_error;
use crate::usage::Counts;
use crate::{BadAnswer, SseEvent, SsePayload, StreamFault, UsageReport};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    has_begun: bool,
}

impl crate::dialect::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<Piece>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?;
        let line = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        if line.get("error").is_some() {
            return Ok(vec![Piece::Error(in_band_error(data))]);
        }
        let mut pieces = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            pieces.push(Piece::Begin { id: None, model: line.string("model") });
        }
        message_pieces(&line, &mut pieces);
        if line.get("done").is_some_and(|done| done.get() == "true") {
            end_pieces(&line, &mut pieces);
        }
        Ok(pieces)
    }
}

pub(crate) fn read_answer(text: &str) -> Result<Vec<Piece>, BadAnswer> {
    let answer = Members::parse(text).map_err(|_| BadAnswer::NotJson)?;
    if answer.get("error").is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    if answer.get("message").is_none() {
        return Err(BadAnswer::NoChoices);
    }
    let mut pieces = vec![Piece::Begin { id: None, model: answer.string("model") }];
    message_pieces(&answer, &mut pieces);
    end_pieces(&answer, &mut pieces);
    Ok(pieces)
}

fn message_pieces(line: &Members<'_>, pieces: &mut Vec<Piece>) {
    let message = line.object("message");
    let text = |key: &str| message.get(key).and_then(lenient_text).filter(|text| !text.is_empty());
    let choice = 0;
    pieces.extend(text("thinking").map(|text| Piece::Thinking { choice, text }));
    pieces.extend(text("content").map(|text| Piece::Text { choice, text }));
    for call in message.get("tool_calls").and_then(items).unwrap_or_default() {
        let Ok(call) = Members::parse(call.get()) else { continue };
        let function = call.object("function");
        let arguments = function.get("arguments");
        let text = arguments.map(|raw| lenient_text(raw).unwrap_or_else(|| raw.get().to_owned()));
        pieces.push(Piece::Call {
            choice,
            key: CallKey::Whole,
            id: call.string("id"),
            name: function.string("name"),
            kind: CallKind::Function,
            arguments: text.unwrap_or_default(),
        });
    }
}

fn end_pieces(line: &Members<'_>, pieces: &mut Vec<Piece>) {
    let word = line.string("done_reason").unwrap_or_default();
    let reason = match word.as_str() {
        "length" => FinishReason::MaxTokens,
        // `stop`, `load`, `unload`. Calls are recognised by the parts.
        _ => FinishReason::EndTurn,
    };
    pieces.push(Piece::Finish { choice: 0, finish: Finish { reason, word, stop_sequence: None } });
    pieces.extend(usage(line).map(Piece::Usage));
    pieces.push(Piece::End);
}

/// Only the counts are kept as the raw object: the rest of the line is content.
fn usage(line: &Members<'_>) -> Option<UsageReport> {
    let (prompt, output) = (line.get("prompt_eval_count"), line.get("eval_count"));
    if prompt.is_none() && output.is_none() {
        return None;
    }
    let kept =
        ["prompt_eval_count", "eval_count"].into_iter().fold(ObjectText::new(), |object, key| {
            object.raw_if(key, line.get(key).map(RawValue::get))
        });
    let raw = RawValue::from_string(kept.finish()).ok()?;
    let mut counts = Counts::new();
    let tokens = TokenUsage {
        input_uncached: counts.read(prompt),
        output_visible: counts.read(output),
        ..TokenUsage::default()
    };
    Some(counts.report(tokens, &raw))
}
