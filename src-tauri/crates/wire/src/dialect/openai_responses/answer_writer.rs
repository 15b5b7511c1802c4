//! Writes answers for a client, whole and streamed.
//!
//! A stream contains the complete set of events, because clients build their state from each of
//! them: items are announced, filled, ended, and repeated in the last event; `sequence_number` has
//! no gaps.

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{error_event_text, event_text, response_error};
use super::output_item::{ItemStatus, OutputContent, OutputItem};
use super::response_object::{ResponseObject, ResponseState};
use crate::dialect::translation::RequestEcho;
use crate::neutral::{AnswerEvent, ContentPart, FinishReason, ModelAnswer, PartDelta, PartHead};
use crate::{ErrorAnswer, UsageReport};

pub(crate) fn write_answer(answer: &ModelAnswer, echo: &RequestEcho) -> Bytes {
    let choice = answer.choices.first();
    let mut output: Vec<OutputItem> = Vec::new();
    let mut refused = false;
    for part in choice.map(|choice| choice.parts.as_slice()).unwrap_or_default() {
        refused |= matches!(part, ContentPart::Refusal(_));
        match (part, output.last_mut()) {
            (ContentPart::Text { text, .. }, Some(last @ OutputItem::Message { .. })) => {
                last.push_content(OutputContent::text(text.clone()));
            }
            (ContentPart::Refusal(text), Some(last @ OutputItem::Message { .. })) => {
                last.push_content(OutputContent::refusal(text.clone()));
            }
            _ => output.extend(OutputItem::from_part(part, &echo.id, output.len())),
        }
    }
    let reason = choice.and_then(|choice| choice.finish.as_ref()).map(|finish| finish.reason);
    let state = ResponseState::from_finish(reason.unwrap_or(FinishReason::EndTurn), refused);
    if let (ResponseState::Incomplete(_), Some(last)) = (state, output.last_mut()) {
        last.set_status(ItemStatus::Incomplete);
    }
    let model = answer.model.as_deref();
    let response = ResponseObject::new(echo, model, &output, state, answer.usage.as_ref());
    Bytes::from(to_json(&response))
}

#[derive(Debug)]
pub(crate) struct StreamWriter {
    echo: RequestEcho,
    model: Option<String>,
    sequence: u64,
    /// The items so far; the last one may be open.
    output: Vec<OutputItem>,
    open: Option<OpenItemPart>,
    has_refusal: bool,
    reason: Option<FinishReason>,
}

/// The open part of the last item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenItemPart {
    /// A message, between two parts of its content.
    Message,
    /// A part of a message.
    Content,
    /// Thinking without text so far.
    Thinking,
    /// Thinking with text.
    Summary,
    Other,
}

impl StreamWriter {
    pub(crate) fn new(echo: RequestEcho) -> Self {
        Self {
            echo,
            model: None,
            sequence: 0,
            output: Vec::new(),
            open: None,
            has_refusal: false,
            reason: None,
        }
    }

    fn write_begin(&mut self, model: Option<&String>, out: &mut BytesMut) {
        self.model = model.cloned();
        for kind in ["response.created", "response.in_progress"] {
            let bytes = self.response_event(kind, ResponseState::InProgress, None);
            out.extend_from_slice(&bytes);
            self.sequence += 1;
        }
    }

    fn start_part(&mut self, head: &PartHead, out: &mut BytesMut) {
        let is_content = matches!(head, PartHead::Text | PartHead::Refusal);
        if !(is_content && self.open == Some(OpenItemPart::Message)) {
            self.end_item(ItemStatus::Completed, out);
            let Some(item) = OutputItem::begin(head, &self.echo.id, self.output.len()) else {
                return;
            };
            self.output.push(item);
            self.write_item_event(
                "output_item.added",
                |writer, item| json!({"output_index": writer.last_index(), "item": item.announcement()}),
                out,
            );
        }
        self.open = Some(match head {
            PartHead::Text | PartHead::Refusal => OpenItemPart::Content,
            PartHead::Thinking => OpenItemPart::Thinking,
            _ => OpenItemPart::Other,
        });
        let content = match head {
            PartHead::Text => OutputContent::text(String::new()),
            PartHead::Refusal => OutputContent::refusal(String::new()),
            _ => return,
        };
        self.has_refusal |= matches!(head, PartHead::Refusal);
        self.update_last_item(|item| item.push_content(content));
        self.write_item_event(
            "content_part.added",
            |writer, item| writer.content_part_fields(item),
            out,
        );
    }

    fn write_delta(&mut self, delta: &PartDelta, out: &mut BytesMut) {
        let more = match delta {
            PartDelta::Signature(signature) => {
                self.update_last_item(|item| item.set_signature(signature));
                return;
            }
            PartDelta::Text(more) | PartDelta::Arguments(more) => more.as_str(),
        };
        if more.is_empty() || self.open.is_none() {
            return;
        }
        if self.open == Some(OpenItemPart::Thinking) {
            self.open = Some(OpenItemPart::Summary);
            self.write_item_event(
                "reasoning_summary_part.added",
                |writer, item| {
                    writer.with_summary_fields(
                        item,
                        "part",
                        json!({"type": "summary_text", "text": ""}),
                    )
                },
                out,
            );
        }
        self.update_last_item(|item| item.push_text(more));
        if let Some((kind, fields)) = self.delta_event(more) {
            self.write_event(kind, fields, out);
        }
    }

    /// The delta event for the last item, by its type.
    fn delta_event(&self, more: &str) -> Option<(&'static str, Value)> {
        let item = self.output.last()?;
        let refuses = |content: &[OutputContent]| {
            matches!(content.last(), Some(OutputContent::Refusal { .. }))
        };
        Some(match item {
            OutputItem::Message { content, .. } if refuses(content) => {
                ("refusal.delta", self.with_content_fields(item, json!({"delta": more})))
            }
            OutputItem::Message { .. } => {
                let fields = json!({"delta": more, "logprobs": []});
                ("output_text.delta", self.with_content_fields(item, fields))
            }
            OutputItem::Reasoning { .. } => (
                "reasoning_summary_text.delta",
                self.with_summary_fields(item, "delta", json!(more)),
            ),
            OutputItem::FunctionCall(_) => (
                "function_call_arguments.delta",
                self.with_item_fields(item, json!({"delta": more})),
            ),
            OutputItem::CustomToolCall(_) => (
                "custom_tool_call_input.delta",
                self.with_item_fields(item, json!({"delta": more})),
            ),
            OutputItem::ImageGenerationCall { .. } => return None,
        })
    }

    fn stop_part(&mut self, out: &mut BytesMut) {
        match self.open {
            Some(OpenItemPart::Content) => {
                self.end_content(out);
                // Another part may follow.
                self.open = Some(OpenItemPart::Message);
            }
            Some(OpenItemPart::Summary) => {
                self.end_summary(out);
                self.end_item(ItemStatus::Completed, out);
            }
            Some(OpenItemPart::Other) => {
                self.end_call(out);
                self.end_item(ItemStatus::Completed, out);
            }
            Some(OpenItemPart::Thinking) => self.end_item(ItemStatus::Completed, out),
            Some(OpenItemPart::Message) | None => {}
        }
    }

    fn end_content(&mut self, out: &mut BytesMut) {
        let Some(item) = self.output.last() else { return };
        let OutputItem::Message { content, .. } = item else { return };
        let (kind, fields) = match content.last() {
            Some(OutputContent::OutputText { text, .. }) => {
                ("output_text.done", json!({"text": text, "logprobs": []}))
            }
            Some(OutputContent::Refusal { refusal }) => {
                ("refusal.done", json!({"refusal": refusal}))
            }
            None => return,
        };
        let fields = self.with_content_fields(item, fields);
        self.write_event(kind, fields, out);
        self.write_item_event(
            "content_part.done",
            |writer, item| writer.content_part_fields(item),
            out,
        );
    }

    fn end_summary(&mut self, out: &mut BytesMut) {
        let Some(OutputItem::Reasoning { summary, .. }) = self.output.last() else { return };
        let Some(last) = summary.last() else { return };
        let (text, part) = (json!(last.text), json!(last));
        let done =
            |writer: &Self, item: &OutputItem| writer.with_summary_fields(item, "text", text);
        self.write_item_event("reasoning_summary_text.done", done, out);
        let done =
            |writer: &Self, item: &OutputItem| writer.with_summary_fields(item, "part", part);
        self.write_item_event("reasoning_summary_part.done", done, out);
    }

    fn end_call(&mut self, out: &mut BytesMut) {
        let Some(item) = self.output.last() else { return };
        let (kind, fields) = match item {
            OutputItem::FunctionCall(call) => {
                let fields = json!({"name": call.name, "arguments": call.arguments});
                ("function_call_arguments.done", fields)
            }
            OutputItem::CustomToolCall(call) => {
                ("custom_tool_call_input.done", json!({"input": call.input}))
            }
            _ => return,
        };
        let fields = self.with_item_fields(item, fields);
        self.write_event(kind, fields, out);
    }

    /// Ends the last item if it is open.
    fn end_item(&mut self, status: ItemStatus, out: &mut BytesMut) {
        self.update_last_item(|item| item.set_status(status));
        if self.open.take().is_none() {
            return;
        }
        self.write_item_event(
            "output_item.done",
            |writer, item| json!({"output_index": writer.last_index(), "item": item}),
            out,
        );
    }

    fn write_end(&mut self, usage: Option<&UsageReport>, out: &mut BytesMut) {
        let reason = self.reason.unwrap_or(FinishReason::EndTurn);
        let state = ResponseState::from_finish(reason, self.has_refusal);
        let kind = format!("response.{}", state.word());
        out.extend_from_slice(&self.response_event(&kind, state, usage));
        self.sequence += 1;
    }

    fn finish_output(&mut self, reason: FinishReason, out: &mut BytesMut) {
        let is_cut = matches!(
            ResponseState::from_finish(reason, self.has_refusal),
            ResponseState::Incomplete(_)
        );
        self.end_item(if is_cut { ItemStatus::Incomplete } else { ItemStatus::Completed }, out);
        self.reason = Some(reason);
    }

    /// Index of the last item.
    fn last_index(&self) -> usize {
        self.output.len().saturating_sub(1)
    }

    fn update_last_item(&mut self, change: impl FnOnce(&mut OutputItem)) {
        if let (Some(_), Some(item)) = (self.open, self.output.last_mut()) {
            change(item);
        }
    }

    fn with_item_fields(&self, item: &OutputItem, mut fields: Value) -> Value {
        if let Some(members) = fields.as_object_mut() {
            members.insert("item_id".to_owned(), json!(item.id()));
            members.insert("output_index".to_owned(), json!(self.last_index()));
        }
        fields
    }

    fn with_content_fields(&self, item: &OutputItem, fields: Value) -> Value {
        let mut fields = self.with_item_fields(item, fields);
        let parts = if let OutputItem::Message { content, .. } = item { content.len() } else { 0 };
        if let Some(members) = fields.as_object_mut() {
            members.insert("content_index".to_owned(), json!(parts.saturating_sub(1)));
        }
        fields
    }

    fn content_part_fields(&self, item: &OutputItem) -> Value {
        let OutputItem::Message { content, .. } = item else { return Value::Null };
        self.with_content_fields(item, json!({"part": content.last()}))
    }

    fn with_summary_fields(&self, item: &OutputItem, key: &str, value: Value) -> Value {
        let mut fields = self.with_item_fields(item, json!({"summary_index": 0}));
        if let Some(members) = fields.as_object_mut() {
            members.insert(key.to_owned(), value);
        }
        fields
    }

    /// Writes an event about the last item.
    fn write_item_event(
        &mut self,
        kind: &str,
        fields: impl FnOnce(&Self, &OutputItem) -> Value,
        out: &mut BytesMut,
    ) {
        if let Some(item) = self.output.last() {
            let fields = fields(self, item);
            self.write_event(kind, fields, out);
        }
    }

    fn write_event(&mut self, kind: &str, mut fields: Value, out: &mut BytesMut) {
        let kind = format!("response.{kind}");
        if let Some(members) = fields.as_object_mut() {
            members.insert("type".to_owned(), json!(kind));
            members.insert("sequence_number".to_owned(), json!(self.sequence));
        }
        out.extend_from_slice(event_text(&kind, &fields.to_string()).as_bytes());
        self.sequence += 1;
    }

    /// An event with the whole `response`, with the next sequence number.
    fn response_event(
        &self,
        kind: &str,
        state: ResponseState<'_>,
        usage: Option<&UsageReport>,
    ) -> Bytes {
        let model = self.model.as_deref();
        let response = ResponseObject::new(&self.echo, model, &self.output, state, usage);
        let event = ResponseEvent { kind, sequence_number: self.sequence, response };
        Bytes::from(event_text(kind, &to_json(&event)))
    }
}

impl crate::dialect::translation::StreamWriter for StreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut BytesMut) {
        match event {
            AnswerEvent::Begin { model, .. } => self.write_begin(model.as_ref(), out),
            AnswerEvent::End { usage } => self.write_end(usage.as_ref(), out),
            // The dialect has a single choice.
            AnswerEvent::Start { choice: 0, head, .. } => self.start_part(head, out),
            AnswerEvent::Delta { choice: 0, delta, .. } => self.write_delta(delta, out),
            AnswerEvent::Stop { choice: 0, .. } => self.stop_part(out),
            AnswerEvent::Finish { choice: 0, finish } => self.finish_output(finish.reason, out),
            AnswerEvent::Start { .. }
            | AnswerEvent::Delta { .. }
            | AnswerEvent::Stop { .. }
            | AnswerEvent::Finish { .. } => {}
        }
    }

    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        let state = ResponseState::Failed(response_error(error));
        let mut events = self.response_event("response.failed", state, None).to_vec();
        events.extend_from_slice(error_event_text(error, self.sequence + 1).as_bytes());
        Bytes::from(events)
    }
}

#[derive(Debug, Serialize)]
struct ResponseEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    response: ResponseObject<'a>,
}

/// Cannot fail: all JSON text in these values was parsed before.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
