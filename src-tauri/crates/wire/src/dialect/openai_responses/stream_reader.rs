//! Parses a backend's stream.
//!
//! Compatible servers omit events: some send no deltas, some no `…done`, some change the items'
//! ids. So items are identified by their index in the output, and the content of a finished item
//! counts only if it was not received before.

use std::collections::HashMap;

use super::answer::{
    ContentKinds, begin_event, call_input, call_kind, end_events, read_failure, read_image,
    read_message, read_signature, signature_event, string_member, thinking_text,
};
use super::reasoning::SUMMARY_BREAK;
use super::usage::{ToolCalls, read_answer_usage};
use crate::dialect::openai_chat;
use crate::json::Members;
use crate::neutral::{CallKey, CallKind, ProviderEvent};
use crate::{SseEvent, SsePayload, StreamFault};

#[derive(Debug, Default)]
pub(crate) struct StreamReader {
    items: HashMap<CallKey, ItemProgress>,
    seen_kinds: ContentKinds,
    tool_calls: ToolCalls,
}

#[derive(Debug, Default)]
struct ItemProgress {
    call: Option<CallKind>,
    /// True once text or arguments have arrived.
    has_content: bool,
    /// Which of its two thinking texts arrived first; the other one has the same content and is
    /// skipped.
    thinking: Option<ThinkingSource>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ThinkingSource {
    Summary,
    Content,
}

impl crate::dialect::translation::StreamReader for StreamReader {
    fn read(&mut self, event: &SseEvent) -> Result<Vec<ProviderEvent>, StreamFault> {
        let SsePayload::Data(data) = &event.payload else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(data).map_err(|_| StreamFault::InvalidUtf8)?.trim();
        // Some servers end with Chat's terminator, after the actual end.
        if text.is_empty() || text == "[DONE]" {
            return Ok(Vec::new());
        }
        let members = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        let named = || event.name.as_ref().map(|name| String::from_utf8_lossy(name).into_owned());
        let kind = string_member(&members, "type").or_else(named).unwrap_or_default();
        Ok(self.read_event(&kind, &members, text))
    }
}

impl StreamReader {
    fn read_event(&mut self, kind: &str, event: &Members<'_>, text: &str) -> Vec<ProviderEvent> {
        let Some(kind) = kind.strip_prefix("response.") else {
            let is_error = kind == "error" || (kind.is_empty() && event.get("error").is_some());
            let error = || ProviderEvent::Error(openai_chat::in_band_error(text.as_bytes()));
            return is_error.then(error).into_iter().collect();
        };
        match kind {
            "created" | "queued" | "in_progress" => vec![begin_event(&event.object("response"))],
            "completed" | "incomplete" => {
                let tools = std::mem::take(&mut self.tool_calls);
                end_events(&event.object("response"), self.seen_kinds, tools)
            }
            "failed" => {
                // What was used until then is billed.
                let response = event.object("response");
                let usage = read_answer_usage(&response, std::mem::take(&mut self.tool_calls));
                vec![usage, ProviderEvent::Error(read_failure(&response))]
            }
            "output_item.added" => self.begin_item(event),
            "output_item.done" => self.end_item(event),
            "content_part.done" => vec![ProviderEvent::PartDone { choice: 0 }],
            "reasoning_summary_part.added" => self.break_summary(event),
            _ => self.read_delta(kind, event),
        }
    }

    fn read_delta(&mut self, kind: &str, event: &Members<'_>) -> Vec<ProviderEvent> {
        let delta = || string_member(event, "delta").unwrap_or_default();
        match kind {
            "output_text.delta" => {
                self.item_mut(event).has_content = true;
                vec![ProviderEvent::Text { choice: 0, text: delta() }]
            }
            "refusal.delta" => {
                self.seen_kinds.refusal = true;
                self.item_mut(event).has_content = true;
                vec![ProviderEvent::Refusal { choice: 0, text: delta() }]
            }
            "reasoning_summary_text.delta" => {
                self.read_thinking_delta(event, ThinkingSource::Summary, delta())
            }
            "reasoning_text.delta" => {
                self.read_thinking_delta(event, ThinkingSource::Content, delta())
            }
            "function_call_arguments.delta" => {
                self.read_arguments_delta(event, CallKind::Function, delta())
            }
            "custom_tool_call_input.delta" => {
                self.read_arguments_delta(event, CallKind::Custom, delta())
            }
            "function_call_arguments.done" => self.end_call(event, CallKind::Function),
            "custom_tool_call_input.done" => self.end_call(event, CallKind::Custom),
            _ => Vec::new(),
        }
    }

    fn item_mut(&mut self, event: &Members<'_>) -> &mut ItemProgress {
        self.items.entry(item_key(event)).or_default()
    }

    fn begin_item(&mut self, event: &Members<'_>) -> Vec<ProviderEvent> {
        let item = event.object("item");
        let kind = string_member(&item, "type").and_then(|kind| call_kind(&kind));
        let Some(kind) = kind else { return Vec::new() };
        self.seen_kinds.calls = true;
        let arguments = call_input(&item);
        let seen = self.item_mut(event);
        seen.call = Some(kind);
        seen.has_content |= !arguments.is_empty();
        vec![call_event(event, &item, kind, arguments)]
    }

    fn end_item(&mut self, event: &Members<'_>) -> Vec<ProviderEvent> {
        let item = event.object("item");
        let kind = string_member(&item, "type").unwrap_or_default();
        let seen = self.items.remove(&item_key(event)).unwrap_or_default();
        self.tool_calls.count_item(&item);
        let mut pieces = Vec::new();
        if let Some(kind) = call_kind(&kind) {
            self.seen_kinds.calls = true;
            let said = if seen.has_content { String::new() } else { call_input(&item) };
            if seen.call.is_none() || !said.is_empty() {
                pieces.push(call_event(event, &item, kind, said));
            }
            pieces.push(ProviderEvent::CallDone { choice: 0, key: item_key(event) });
            return pieces;
        }
        match kind.as_str() {
            "message" if !seen.has_content => {
                read_message(&item, &mut self.seen_kinds, &mut pieces);
            }
            "reasoning" => {
                let text = if seen.has_content { String::new() } else { thinking_text(&item) };
                let has_text = seen.has_content || !text.is_empty();
                if !text.is_empty() {
                    pieces.push(ProviderEvent::Thinking { choice: 0, text });
                }
                pieces.extend(
                    read_signature(&item).map(|signature| signature_event(signature, has_text)),
                );
            }
            "image_generation_call" => pieces.extend(read_image(&item)),
            _ => {}
        }
        // For a stream that breaks off before its usage.
        pieces.extend(self.tool_calls.billed_beside());
        pieces.push(ProviderEvent::PartDone { choice: 0 });
        pieces
    }

    /// Separates two parts of a summary.
    fn break_summary(&mut self, event: &Members<'_>) -> Vec<ProviderEvent> {
        let seen = self.item_mut(event);
        if !seen.has_content || seen.thinking != Some(ThinkingSource::Summary) {
            return Vec::new();
        }
        vec![ProviderEvent::Thinking { choice: 0, text: SUMMARY_BREAK.to_owned() }]
    }

    fn read_thinking_delta(
        &mut self,
        event: &Members<'_>,
        from: ThinkingSource,
        text: String,
    ) -> Vec<ProviderEvent> {
        let seen = self.item_mut(event);
        if *seen.thinking.get_or_insert(from) != from {
            return Vec::new();
        }
        seen.has_content |= !text.is_empty();
        vec![ProviderEvent::Thinking { choice: 0, text }]
    }

    fn read_arguments_delta(
        &mut self,
        event: &Members<'_>,
        kind: CallKind,
        arguments: String,
    ) -> Vec<ProviderEvent> {
        self.seen_kinds.calls = true;
        let seen = self.item_mut(event);
        seen.call = Some(kind);
        seen.has_content |= !arguments.is_empty();
        let (id, name) = (None, None);
        vec![ProviderEvent::Call { choice: 0, key: item_key(event), id, name, kind, arguments }]
    }

    fn end_call(&mut self, event: &Members<'_>, kind: CallKind) -> Vec<ProviderEvent> {
        let arguments = call_input(event);
        let has_content = self.item_mut(event).has_content;
        let mut pieces = Vec::new();
        if !has_content && !arguments.is_empty() {
            pieces = self.read_arguments_delta(event, kind, arguments);
        }
        pieces.push(ProviderEvent::CallDone { choice: 0, key: item_key(event) });
        pieces
    }
}

/// Identifies an item by its index, because ids change on some servers.
fn item_key(event: &Members<'_>) -> CallKey {
    if let Some(place) = event.get("output_index").and_then(|raw| raw.get().parse().ok()) {
        return CallKey::Index(Some(place));
    }
    let id = string_member(event, "item_id").or_else(|| string_member(&event.object("item"), "id"));
    CallKey::Item(id.unwrap_or_default())
}

fn call_event(
    event: &Members<'_>,
    item: &Members<'_>,
    kind: CallKind,
    arguments: String,
) -> ProviderEvent {
    ProviderEvent::Call {
        choice: 0,
        key: item_key(event),
        id: string_member(item, "call_id").or_else(|| string_member(item, "id")),
        name: string_member(item, "name"),
        kind,
        arguments,
    }
}

#[cfg(test)]
mod tests;
