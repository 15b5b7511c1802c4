//! Writes a client's stream: chunks in the format that OpenAI's SDKs expect.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::DONE_EVENT;
use super::reply::{finish_word, image, is_of_a_call, made_id, usage_object};
use super::request::DIALECT;
use super::thinking::{detail, encrypted_detail, extra_content};
use crate::dialect::Echo;
use crate::neutral::{CallKind, Event, PartDelta, PartHead, Signature};
use crate::object_text::{ObjectText, array};
use crate::{Delivery, ErrorAnswer, UsageChunk, UsageReport};

#[derive(Debug)]
pub(crate) struct StreamWriter {
    echo: Echo,
    /// The beginning of every chunk, up to its choices.
    head: String,
    choices: BTreeMap<u32, Choice>,
}

/// State of one choice.
#[derive(Debug, Default)]
struct Choice {
    has_role: bool,
    calls: usize,
    details: usize,
    open: Open,
    /// Thinking text of the open part; a signature is sent together with all of it.
    thoughts: String,
    /// A signature that may belong to the next call.
    signature: Option<Signature>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    #[default]
    Text,
    Refusal,
    Thinking,
    Call(CallKind),
}

impl StreamWriter {
    pub(crate) fn new(echo: Echo) -> Self {
        Self { echo, head: String::new(), choices: BTreeMap::new() }
    }

    fn begin(&mut self, id: Option<&str>, model: Option<&str>) {
        let made = made_id(&self.echo);
        let head = ObjectText::new()
            .text("id", id.unwrap_or(&made))
            .text("object", "chat.completion.chunk")
            .raw("created", &self.echo.created_unix_s.to_string())
            .text("model", model.unwrap_or(&self.echo.request.model))
            .finish();
        self.head = head.strip_suffix('}').unwrap_or_default().to_owned();
    }

    fn is_usage_asked(&self) -> bool {
        self.echo.request.delivery == Delivery::Stream(UsageChunk::Asked)
    }

    fn chunk(&self, choices: &str, usage: &str, out: &mut BytesMut) {
        let head = &self.head;
        let usage =
            if self.is_usage_asked() { format!(",\"usage\":{usage}") } else { String::new() };
        let text = format!("data: {head},\"choices\":[{choices}]{usage}}}\n\n");
        out.extend_from_slice(text.as_bytes());
    }

    fn delta(&mut self, index: u32, delta: ObjectText, out: &mut BytesMut) {
        self.role(index, out);
        self.choice_chunk(index, &delta.finish(), "null", out);
    }

    /// Writes the first chunk of a choice, once.
    fn role(&mut self, index: u32, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        if !std::mem::replace(&mut choice.has_role, true) {
            let role = ObjectText::new().text("role", "assistant").text("content", "").finish();
            self.choice_chunk(index, &role, "null", out);
        }
    }

    fn choice_chunk(&self, index: u32, delta: &str, reason: &str, out: &mut BytesMut) {
        let choice = ObjectText::new()
            .raw("index", &index.to_string())
            .raw("delta", delta)
            .raw("logprobs", "null")
            .raw("finish_reason", reason)
            .finish();
        self.chunk(&choice, "null", out);
    }

    fn start(&mut self, index: u32, head: &PartHead, out: &mut BytesMut) {
        let is_call = matches!(head, PartHead::Call { .. });
        if !is_call {
            self.flush_signature(index, out);
        }
        let choice = self.choices.entry(index).or_default();
        choice.thoughts.clear();
        match head {
            PartHead::Text => choice.open = Open::Text,
            PartHead::Refusal => choice.open = Open::Refusal,
            PartHead::Thinking => choice.open = Open::Thinking,
            PartHead::RedactedThinking(signature) => {
                let detail = encrypted_detail(&signature.for_client(DIALECT), choice.details);
                choice.details += 1;
                self.delta(index, ObjectText::new().array_if("reasoning_details", &[detail]), out);
            }
            PartHead::Media(media) => {
                if let Some(image) = image(media) {
                    self.delta(index, ObjectText::new().array_if("images", &[image]), out);
                }
            }
            PartHead::Call { id, name, kind, .. } => self.start_call(index, id, name, *kind, out),
        }
    }

    fn start_call(&mut self, index: u32, id: &str, name: &str, kind: CallKind, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        choice.open = Open::Call(kind);
        choice.calls += 1;
        let signature = choice.signature.take().map(|signature| signature.for_client(DIALECT));
        let extra = signature.as_deref().map(extra_content);
        let (kind, inner) = words(kind);
        let body = ObjectText::new().text("name", name).text(inner, "").finish();
        let call = ObjectText::new()
            .raw("index", &(choice.calls - 1).to_string())
            .text("id", id)
            .text("type", kind)
            .raw(kind, &body)
            .raw_if("extra_content", extra.as_deref())
            .finish();
        self.delta(index, ObjectText::new().raw("tool_calls", &array(&[call])), out);
    }

    fn more(&mut self, index: u32, delta: &PartDelta, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        let written = match (delta, choice.open) {
            (PartDelta::Text(text), Open::Refusal) => ObjectText::new().text("refusal", text),
            (PartDelta::Text(text), Open::Thinking) => {
                choice.thoughts.push_str(text);
                ObjectText::new().text("reasoning_content", text)
            }
            (PartDelta::Text(text), _) => ObjectText::new().text("content", text),
            (PartDelta::Signature(signature), _) if is_of_a_call(&choice.thoughts, signature) => {
                choice.signature = Some(signature.clone());
                return;
            }
            (PartDelta::Signature(signature), _) => {
                let signature = signature.for_client(DIALECT);
                let detail = detail(&choice.thoughts, &signature, choice.details);
                choice.details += 1;
                ObjectText::new().array_if("reasoning_details", &[detail])
            }
            (PartDelta::Arguments(text), open) => {
                let kind = if let Open::Call(kind) = open { kind } else { CallKind::Function };
                let (kind, inner) = words(kind);
                let body = ObjectText::new().text(inner, text).finish();
                let place = choice.calls.saturating_sub(1).to_string();
                let call = ObjectText::new().raw("index", &place).raw(kind, &body).finish();
                ObjectText::new().raw("tool_calls", &array(&[call]))
            }
        };
        self.delta(index, written, out);
    }

    /// Writes the pending signature as a detail, because it belongs to no call.
    fn flush_signature(&mut self, index: u32, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        let Some(signature) = choice.signature.take() else { return };
        let detail = detail("", &signature.for_client(DIALECT), choice.details);
        choice.details += 1;
        self.delta(index, ObjectText::new().array_if("reasoning_details", &[detail]), out);
    }

    fn end(&self, usage: Option<&UsageReport>, out: &mut BytesMut) {
        if let Some(usage) = usage.filter(|_| self.is_usage_asked()) {
            self.chunk("", &usage_object(usage), out);
        }
        out.extend_from_slice(DONE_EVENT);
    }
}

const fn words(kind: CallKind) -> (&'static str, &'static str) {
    match kind {
        CallKind::Function => ("function", "arguments"),
        CallKind::Custom => ("custom", "input"),
    }
}

impl crate::dialect::StreamWriter for StreamWriter {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Begin { id, model, .. } => {
                self.begin(id.as_deref(), model.as_deref());
                self.role(0, out);
            }
            Event::Start { choice, head, .. } => self.start(*choice, head, out),
            Event::Delta { choice, delta, .. } => self.more(*choice, delta, out),
            Event::Stop { .. } => {}
            Event::Finish { choice, finish } => {
                self.flush_signature(*choice, out);
                self.role(*choice, out);
                let word = crate::json::quote(finish_word(finish.reason));
                self.choice_chunk(*choice, "{}", &word, out);
            }
            Event::End { usage } => self.end(usage.as_ref(), out),
        }
    }

    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        super::error_event(error)
    }
}
