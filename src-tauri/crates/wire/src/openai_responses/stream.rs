//! Parses a backend's stream.
//!
//! Compatible servers omit events: some send no deltas, some no `…done`, some change the items'
//! ids. So items are identified by their index in the output, and the content of a finished item
//! counts only if it was not received before.

use std::collections::HashMap;

use super::answer::{
    Said, begin, call_input, call_kind, failure, last_pieces, read_message, read_picture,
    signature_of, signed, text_of, thinking_text,
};
use super::reasoning::SUMMARY_BREAK;
use crate::json::Members;
use crate::neutral::{CallKey, CallKind, Piece};
use crate::{SseEvent, SsePayload, StreamFault, openai_chat};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    items: HashMap<CallKey, Item>,
    said: Said,
}

/// What was received of one item.
#[derive(Debug, Default)]
struct Item {
    call: Option<CallKind>,
    /// True once text or arguments have arrived.
    has_content: bool,
    /// Which of its two thinking texts arrived first; the other one has the same content and is
    /// skipped.
    thinking: Option<ThinkingText>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ThinkingText {
    Summary,
    Whole,
}

impl crate::dialect::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<Piece>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?.trim();
        // Some servers end with Chat's terminator, after the actual end.
        if text.is_empty() || text == "[DONE]" {
            return Ok(Vec::new());
        }
        let members = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        let named = || event.name.as_ref().map(|name| String::from_utf8_lossy(name).into_owned());
        let kind = text_of(&members, "type").or_else(named).unwrap_or_default();
        Ok(self.read_event(&kind, &members, text))
    }
}

impl StreamReader {
    fn read_event(&mut self, kind: &str, event: &Members<'_>, text: &str) -> Vec<Piece> {
        let Some(kind) = kind.strip_prefix("response.") else {
            let is_error = kind == "error" || (kind.is_empty() && event.get("error").is_some());
            let error = || Piece::Error(openai_chat::in_band_error(text.as_bytes()));
            return is_error.then(error).into_iter().collect();
        };
        match kind {
            "created" | "queued" | "in_progress" => vec![begin(&event.object("response"))],
            "completed" | "incomplete" => last_pieces(&event.object("response"), self.said),
            "failed" => vec![Piece::Error(failure(&event.object("response")))],
            "output_item.added" => self.begin_item(event),
            "output_item.done" => self.end_item(event),
            "content_part.done" => vec![Piece::PartDone { choice: 0 }],
            "reasoning_summary_part.added" => self.break_summary(event),
            _ => self.read_delta(kind, event),
        }
    }

    fn read_delta(&mut self, kind: &str, event: &Members<'_>) -> Vec<Piece> {
        let delta = || text_of(event, "delta").unwrap_or_default();
        match kind {
            "output_text.delta" => {
                self.item(event).has_content = true;
                vec![Piece::Text { choice: 0, text: delta() }]
            }
            "refusal.delta" => {
                self.said.refusal = true;
                self.item(event).has_content = true;
                vec![Piece::Refusal { choice: 0, text: delta() }]
            }
            "reasoning_summary_text.delta" => self.think(event, ThinkingText::Summary, delta()),
            "reasoning_text.delta" => self.think(event, ThinkingText::Whole, delta()),
            "function_call_arguments.delta" => self.argue(event, CallKind::Function, delta()),
            "custom_tool_call_input.delta" => self.argue(event, CallKind::Custom, delta()),
            "function_call_arguments.done" => self.end_call(event, CallKind::Function),
            "custom_tool_call_input.done" => self.end_call(event, CallKind::Custom),
            _ => Vec::new(),
        }
    }

    fn item(&mut self, event: &Members<'_>) -> &mut Item {
        self.items.entry(key(event)).or_default()
    }

    fn begin_item(&mut self, event: &Members<'_>) -> Vec<Piece> {
        let item = event.object("item");
        let kind = text_of(&item, "type").and_then(|kind| call_kind(&kind));
        let Some(kind) = kind else { return Vec::new() };
        self.said.calls = true;
        let arguments = call_input(&item);
        let seen = self.item(event);
        seen.call = Some(kind);
        seen.has_content |= !arguments.is_empty();
        vec![call(event, &item, kind, arguments)]
    }

    fn end_item(&mut self, event: &Members<'_>) -> Vec<Piece> {
        let item = event.object("item");
        let kind = text_of(&item, "type").unwrap_or_default();
        let seen = self.items.remove(&key(event)).unwrap_or_default();
        let mut pieces = Vec::new();
        if let Some(kind) = call_kind(&kind) {
            self.said.calls = true;
            let said = if seen.has_content { String::new() } else { call_input(&item) };
            if seen.call.is_none() || !said.is_empty() {
                pieces.push(call(event, &item, kind, said));
            }
            pieces.push(Piece::CallDone { choice: 0, key: key(event) });
            return pieces;
        }
        match kind.as_str() {
            "message" if !seen.has_content => read_message(&item, &mut self.said, &mut pieces),
            "reasoning" => {
                let text = if seen.has_content { String::new() } else { thinking_text(&item) };
                let has_text = seen.has_content || !text.is_empty();
                if !text.is_empty() {
                    pieces.push(Piece::Thinking { choice: 0, text });
                }
                pieces.extend(signature_of(&item).map(|signature| signed(signature, has_text)));
            }
            "image_generation_call" => pieces.extend(read_picture(&item)),
            _ => {}
        }
        pieces.push(Piece::PartDone { choice: 0 });
        pieces
    }

    /// Separates two parts of a summary.
    fn break_summary(&mut self, event: &Members<'_>) -> Vec<Piece> {
        let seen = self.item(event);
        if !seen.has_content || seen.thinking != Some(ThinkingText::Summary) {
            return Vec::new();
        }
        vec![Piece::Thinking { choice: 0, text: SUMMARY_BREAK.to_owned() }]
    }

    fn think(&mut self, event: &Members<'_>, from: ThinkingText, text: String) -> Vec<Piece> {
        let seen = self.item(event);
        if *seen.thinking.get_or_insert(from) != from {
            return Vec::new();
        }
        seen.has_content |= !text.is_empty();
        vec![Piece::Thinking { choice: 0, text }]
    }

    fn argue(&mut self, event: &Members<'_>, kind: CallKind, arguments: String) -> Vec<Piece> {
        self.said.calls = true;
        let seen = self.item(event);
        seen.call = Some(kind);
        seen.has_content |= !arguments.is_empty();
        let (id, name) = (None, None);
        vec![Piece::Call { choice: 0, key: key(event), id, name, kind, arguments }]
    }

    fn end_call(&mut self, event: &Members<'_>, kind: CallKind) -> Vec<Piece> {
        let arguments = call_input(event);
        let has_content = self.item(event).has_content;
        let mut pieces = Vec::new();
        if !has_content && !arguments.is_empty() {
            pieces = self.argue(event, kind, arguments);
        }
        pieces.push(Piece::CallDone { choice: 0, key: key(event) });
        pieces
    }
}

/// Identifies an item by its index, because ids change on some servers.
fn key(event: &Members<'_>) -> CallKey {
    if let Some(place) = event.get("output_index").and_then(|raw| raw.get().parse().ok()) {
        return CallKey::Index(Some(place));
    }
    let id = text_of(event, "item_id").or_else(|| text_of(&event.object("item"), "id"));
    CallKey::Item(id.unwrap_or_default())
}

fn call(event: &Members<'_>, item: &Members<'_>, kind: CallKind, arguments: String) -> Piece {
    Piece::Call {
        choice: 0,
        key: key(event),
        id: text_of(item, "call_id").or_else(|| text_of(item, "id")),
        name: text_of(item, "name"),
        kind,
        arguments,
    }
}

#[cfg(test)]
mod tests;
