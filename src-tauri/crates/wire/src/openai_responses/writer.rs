//! Writes answers for a client, whole and streamed.
//!
//! A stream contains the complete set of events, because clients build their state from each of
//! them: items are announced, filled, ended, and repeated in the last event; `sequence_number` has
//! no gaps.

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{last_event, response_error};
use super::item::{Content, Item, Status};
use super::response::{Response, State};
use crate::dialect::Echo;
use crate::neutral::{Answer, Event, FinishReason, Part, PartDelta, PartHead};
use crate::{ErrorAnswer, UsageReport};

pub(crate) fn write_answer(answer: &Answer, echo: &Echo) -> Bytes {
    let choice = answer.choices.first();
    let mut output: Vec<Item> = Vec::new();
    let mut refused = false;
    for part in choice.map(|choice| choice.parts.as_slice()).unwrap_or_default() {
        refused |= matches!(part, Part::Refusal(_));
        match (part, output.last_mut()) {
            (Part::Text { text, .. }, Some(last @ Item::Message { .. })) => {
                last.push_content(Content::text(text.clone()));
            }
            (Part::Refusal(text), Some(last @ Item::Message { .. })) => {
                last.push_content(Content::refusal(text.clone()));
            }
            _ => output.extend(Item::of(part, &echo.id, output.len())),
        }
    }
    let reason = choice.and_then(|choice| choice.finish.as_ref()).map(|finish| finish.reason);
    let state = State::of(reason.unwrap_or(FinishReason::EndTurn), refused);
    if let (State::Incomplete(_), Some(last)) = (state, output.last_mut()) {
        last.end(Status::Incomplete);
    }
    let model = answer.model.as_deref();
    let response = Response::new(echo, model, &output, state, answer.usage.as_ref());
    Bytes::from(json_text(&response))
}

#[derive(Debug)]
pub(crate) struct StreamWriter {
    echo: Echo,
    model: Option<String>,
    sequence: u64,
    /// The items so far; the last one may be open.
    output: Vec<Item>,
    open: Option<Open>,
    refused: bool,
    reason: Option<FinishReason>,
}

/// The open part of the last item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
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
    pub(crate) fn new(echo: Echo) -> Self {
        Self {
            echo,
            model: None,
            sequence: 0,
            output: Vec::new(),
            open: None,
            refused: false,
            reason: None,
        }
    }

    fn begin(&mut self, model: Option<&String>, out: &mut BytesMut) {
        self.model = model.cloned();
        for kind in ["response.created", "response.in_progress"] {
            let bytes = self.response_event(kind, State::InProgress, None);
            out.extend_from_slice(&bytes);
            self.sequence += 1;
        }
    }

    fn start(&mut self, head: &PartHead, out: &mut BytesMut) {
        let is_content = matches!(head, PartHead::Text | PartHead::Refusal);
        if !(is_content && self.open == Some(Open::Message)) {
            self.end_item(Status::Completed, out);
            let Some(item) = Item::begin(head, &self.echo.id, self.output.len()) else { return };
            self.output.push(item);
            self.emit(
                "output_item.added",
                |writer, item| json!({"output_index": writer.place(), "item": item.announced()}),
                out,
            );
        }
        self.open = Some(match head {
            PartHead::Text | PartHead::Refusal => Open::Content,
            PartHead::Thinking => Open::Thinking,
            _ => Open::Other,
        });
        let content = match head {
            PartHead::Text => Content::text(String::new()),
            PartHead::Refusal => Content::refusal(String::new()),
            _ => return,
        };
        self.refused |= matches!(head, PartHead::Refusal);
        self.update(|item| item.push_content(content));
        self.emit("content_part.added", |writer, item| writer.content_part(item), out);
    }

    fn delta(&mut self, delta: &PartDelta, out: &mut BytesMut) {
        let more = match delta {
            PartDelta::Signature(signature) => {
                self.update(|item| item.sign(signature));
                return;
            }
            PartDelta::Text(more) | PartDelta::Arguments(more) => more.as_str(),
        };
        if more.is_empty() || self.open.is_none() {
            return;
        }
        if self.open == Some(Open::Thinking) {
            self.open = Some(Open::Summary);
            self.emit(
                "reasoning_summary_part.added",
                |writer, item| {
                    writer.in_summary(item, "part", json!({"type": "summary_text", "text": ""}))
                },
                out,
            );
        }
        self.update(|item| item.push_text(more));
        if let Some((kind, fields)) = self.delta_of_item(more) {
            self.event(kind, fields, out);
        }
    }

    /// The delta event for the last item, by its type.
    fn delta_of_item(&self, more: &str) -> Option<(&'static str, Value)> {
        let item = self.output.last()?;
        let refuses = |content: &[Content]| matches!(content.last(), Some(Content::Refusal { .. }));
        Some(match item {
            Item::Message { content, .. } if refuses(content) => {
                ("refusal.delta", self.in_content(item, json!({"delta": more})))
            }
            Item::Message { .. } => {
                let fields = json!({"delta": more, "logprobs": []});
                ("output_text.delta", self.in_content(item, fields))
            }
            Item::Reasoning { .. } => {
                ("reasoning_summary_text.delta", self.in_summary(item, "delta", json!(more)))
            }
            Item::FunctionCall(_) => {
                ("function_call_arguments.delta", self.in_item(item, json!({"delta": more})))
            }
            Item::CustomToolCall(_) => {
                ("custom_tool_call_input.delta", self.in_item(item, json!({"delta": more})))
            }
            Item::ImageGenerationCall { .. } => return None,
        })
    }

    fn stop(&mut self, out: &mut BytesMut) {
        match self.open {
            Some(Open::Content) => {
                self.end_content(out);
                // Another part may follow.
                self.open = Some(Open::Message);
            }
            Some(Open::Summary) => {
                self.end_summary(out);
                self.end_item(Status::Completed, out);
            }
            Some(Open::Other) => {
                self.end_call(out);
                self.end_item(Status::Completed, out);
            }
            Some(Open::Thinking) => self.end_item(Status::Completed, out),
            Some(Open::Message) | None => {}
        }
    }

    fn end_content(&mut self, out: &mut BytesMut) {
        let Some(item) = self.output.last() else { return };
        let Item::Message { content, .. } = item else { return };
        let (kind, fields) = match content.last() {
            Some(Content::OutputText { text, .. }) => {
                ("output_text.done", json!({"text": text, "logprobs": []}))
            }
            Some(Content::Refusal { refusal }) => ("refusal.done", json!({"refusal": refusal})),
            None => return,
        };
        let fields = self.in_content(item, fields);
        self.event(kind, fields, out);
        self.emit("content_part.done", |writer, item| writer.content_part(item), out);
    }

    fn end_summary(&mut self, out: &mut BytesMut) {
        let Some(Item::Reasoning { summary, .. }) = self.output.last() else { return };
        let Some(last) = summary.last() else { return };
        let (text, part) = (json!(last.text), json!(last));
        let done = |writer: &Self, item: &Item| writer.in_summary(item, "text", text);
        self.emit("reasoning_summary_text.done", done, out);
        let done = |writer: &Self, item: &Item| writer.in_summary(item, "part", part);
        self.emit("reasoning_summary_part.done", done, out);
    }

    fn end_call(&mut self, out: &mut BytesMut) {
        let Some(item) = self.output.last() else { return };
        let (kind, fields) = match item {
            Item::FunctionCall(call) => {
                let fields = json!({"name": call.name, "arguments": call.arguments});
                ("function_call_arguments.done", fields)
            }
            Item::CustomToolCall(call) => {
                ("custom_tool_call_input.done", json!({"input": call.input}))
            }
            _ => return,
        };
        let fields = self.in_item(item, fields);
        self.event(kind, fields, out);
    }

    /// Ends the last item if it is open.
    fn end_item(&mut self, status: Status, out: &mut BytesMut) {
        self.update(|item| item.end(status));
        if self.open.take().is_none() {
            return;
        }
        self.emit(
            "output_item.done",
            |writer, item| json!({"output_index": writer.place(), "item": item}),
            out,
        );
    }

    fn end(&mut self, usage: Option<&UsageReport>, out: &mut BytesMut) {
        let reason = self.reason.unwrap_or(FinishReason::EndTurn);
        let state = State::of(reason, self.refused);
        let kind = format!("response.{}", state.word());
        out.extend_from_slice(&self.response_event(&kind, state, usage));
        self.sequence += 1;
    }

    fn finish(&mut self, reason: FinishReason, out: &mut BytesMut) {
        let is_cut = matches!(State::of(reason, self.refused), State::Incomplete(_));
        self.end_item(if is_cut { Status::Incomplete } else { Status::Completed }, out);
        self.reason = Some(reason);
    }

    /// Index of the last item.
    fn place(&self) -> usize {
        self.output.len().saturating_sub(1)
    }

    fn update(&mut self, change: impl FnOnce(&mut Item)) {
        if let (Some(_), Some(item)) = (self.open, self.output.last_mut()) {
            change(item);
        }
    }

    fn in_item(&self, item: &Item, mut fields: Value) -> Value {
        if let Some(members) = fields.as_object_mut() {
            members.insert("item_id".to_owned(), json!(item.id()));
            members.insert("output_index".to_owned(), json!(self.place()));
        }
        fields
    }

    fn in_content(&self, item: &Item, fields: Value) -> Value {
        let mut fields = self.in_item(item, fields);
        let parts = if let Item::Message { content, .. } = item { content.len() } else { 0 };
        if let Some(members) = fields.as_object_mut() {
            members.insert("content_index".to_owned(), json!(parts.saturating_sub(1)));
        }
        fields
    }

    fn content_part(&self, item: &Item) -> Value {
        let Item::Message { content, .. } = item else { return Value::Null };
        self.in_content(item, json!({"part": content.last()}))
    }

    fn in_summary(&self, item: &Item, key: &str, value: Value) -> Value {
        let mut fields = self.in_item(item, json!({"summary_index": 0}));
        if let Some(members) = fields.as_object_mut() {
            members.insert(key.to_owned(), value);
        }
        fields
    }

    /// Writes an event about the last item.
    fn emit(&mut self, kind: &str, fields: impl FnOnce(&Self, &Item) -> Value, out: &mut BytesMut) {
        if let Some(item) = self.output.last() {
            let fields = fields(self, item);
            self.event(kind, fields, out);
        }
    }

    fn event(&mut self, kind: &str, mut fields: Value, out: &mut BytesMut) {
        let kind = format!("response.{kind}");
        if let Some(members) = fields.as_object_mut() {
            members.insert("type".to_owned(), json!(kind));
            members.insert("sequence_number".to_owned(), json!(self.sequence));
        }
        out.extend_from_slice(event_text(&kind, &fields.to_string()).as_bytes());
        self.sequence += 1;
    }

    /// An event with the whole `response`, with the next sequence number.
    fn response_event(&self, kind: &str, state: State<'_>, usage: Option<&UsageReport>) -> Bytes {
        let model = self.model.as_deref();
        let response = Response::new(&self.echo, model, &self.output, state, usage);
        let event = ResponseEvent { kind, sequence_number: self.sequence, response };
        Bytes::from(event_text(kind, &json_text(&event)))
    }
}

impl crate::dialect::StreamWriter for StreamWriter {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Begin { model, .. } => self.begin(model.as_ref(), out),
            Event::End { usage } => self.end(usage.as_ref(), out),
            // The dialect has a single choice.
            Event::Start { choice: 0, head, .. } => self.start(head, out),
            Event::Delta { choice: 0, delta, .. } => self.delta(delta, out),
            Event::Stop { choice: 0, .. } => self.stop(out),
            Event::Finish { choice: 0, finish } => self.finish(finish.reason, out),
            Event::Start { .. }
            | Event::Delta { .. }
            | Event::Stop { .. }
            | Event::Finish { .. } => {}
        }
    }

    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        let state = State::Failed(response_error(error));
        let mut events = self.response_event("response.failed", state, None).to_vec();
        events.extend_from_slice(last_event(error, self.sequence + 1).as_bytes());
        Bytes::from(events)
    }
}

#[derive(Debug, Serialize)]
struct ResponseEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    response: Response<'a>,
}

/// One event of a stream.
pub(super) fn event_text(kind: &str, data: &str) -> String {
    format!("event: {kind}\ndata: {data}\n\n")
}

/// Cannot fail: all JSON text in these values was parsed before.
fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
