//! Writes a client's stream: chunks in the format that OpenAI's SDKs expect.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use super::DONE_EVENT;
use super::answer_writer::{
    belongs_to_call, finish_reason, generated_id, write_image, write_usage,
};
use super::thinking::{encrypted_detail, extra_content, reasoning_detail};
use crate::dialect::translation::RequestEcho;
use crate::json::json_builder::{JsonObjectBuilder, join_array};
use crate::neutral::{AnswerEvent, CallKind, PartDelta, PartHead, ThoughtSignature};
use crate::{Delivery, ErrorAnswer, UsageChunk, UsageReport};

#[derive(Debug)]
pub(crate) struct StreamWriter {
    echo: RequestEcho,
    /// The beginning of every chunk, up to its choices.
    head: String,
    choices: BTreeMap<u32, ChoiceProgress>,
}

#[derive(Debug, Default)]
struct ChoiceProgress {
    has_role: bool,
    calls: usize,
    details: usize,
    open: StreamedPartKind,
    /// Thinking text of the open part; a signature is sent together with all of it.
    thoughts: String,
    /// A signature that may belong to the next call.
    signature: Option<ThoughtSignature>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum StreamedPartKind {
    #[default]
    Text,
    Refusal,
    Thinking,
    Call(CallKind),
}

impl StreamWriter {
    pub(crate) fn new(echo: RequestEcho) -> Self {
        Self { echo, head: String::new(), choices: BTreeMap::new() }
    }

    fn write_head(&mut self, id: Option<&str>, model: Option<&str>) {
        let made = generated_id(&self.echo);
        let head = JsonObjectBuilder::new()
            .text("id", id.unwrap_or(&made))
            .text("object", "chat.completion.chunk")
            .raw("created", &self.echo.created_unix_s.to_string())
            .text("model", model.unwrap_or(&self.echo.request.model))
            .finish();
        self.head = head.strip_suffix('}').unwrap_or_default().to_owned();
    }

    fn is_usage_requested(&self) -> bool {
        self.echo.request.delivery == Delivery::Stream(UsageChunk::Asked)
    }

    fn write_chunk(&self, choices: &str, usage: &str, out: &mut BytesMut) {
        let head = &self.head;
        let usage =
            if self.is_usage_requested() { format!(",\"usage\":{usage}") } else { String::new() };
        let text = format!("data: {head},\"choices\":[{choices}]{usage}}}\n\n");
        out.extend_from_slice(text.as_bytes());
    }

    fn write_choice_delta(&mut self, index: u32, delta: JsonObjectBuilder, out: &mut BytesMut) {
        self.ensure_role(index, out);
        self.write_choice_chunk(index, &delta.finish(), "null", out);
    }

    /// Writes the first chunk of a choice, once.
    fn ensure_role(&mut self, index: u32, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        if !std::mem::replace(&mut choice.has_role, true) {
            let role =
                JsonObjectBuilder::new().text("role", "assistant").text("content", "").finish();
            self.write_choice_chunk(index, &role, "null", out);
        }
    }

    fn write_choice_chunk(&self, index: u32, delta: &str, reason: &str, out: &mut BytesMut) {
        let choice = JsonObjectBuilder::new()
            .raw("index", &index.to_string())
            .raw("delta", delta)
            .raw("logprobs", "null")
            .raw("finish_reason", reason)
            .finish();
        self.write_chunk(&choice, "null", out);
    }

    fn start_part(&mut self, index: u32, head: &PartHead, out: &mut BytesMut) {
        let is_call = matches!(head, PartHead::Call { .. });
        if !is_call {
            self.flush_signature(index, out);
        }
        let choice = self.choices.entry(index).or_default();
        choice.thoughts.clear();
        match head {
            PartHead::Text => choice.open = StreamedPartKind::Text,
            PartHead::Refusal => choice.open = StreamedPartKind::Refusal,
            PartHead::Thinking => choice.open = StreamedPartKind::Thinking,
            PartHead::RedactedThinking(signature) => {
                let detail = encrypted_detail(
                    &signature.encode_for_client(Dialect::OpenAiChat),
                    choice.details,
                );
                choice.details += 1;
                self.write_choice_delta(
                    index,
                    JsonObjectBuilder::new().array_if("reasoning_details", &[detail]),
                    out,
                );
            }
            PartHead::Media(media) => {
                if let Some(image) = write_image(media) {
                    self.write_choice_delta(
                        index,
                        JsonObjectBuilder::new().array_if("images", &[image]),
                        out,
                    );
                }
            }
            PartHead::Call { id, name, kind, .. } => self.start_call(index, id, name, *kind, out),
        }
    }

    fn start_call(&mut self, index: u32, id: &str, name: &str, kind: CallKind, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        choice.open = StreamedPartKind::Call(kind);
        choice.calls += 1;
        let signature = choice
            .signature
            .take()
            .map(|signature| signature.encode_for_client(Dialect::OpenAiChat));
        let extra = signature.as_deref().map(extra_content);
        let (kind, inner) = call_member_names(kind);
        let body = JsonObjectBuilder::new().text("name", name).text(inner, "").finish();
        let call = JsonObjectBuilder::new()
            .raw("index", &(choice.calls - 1).to_string())
            .text("id", id)
            .text("type", kind)
            .raw(kind, &body)
            .raw_if("extra_content", extra.as_deref())
            .finish();
        self.write_choice_delta(
            index,
            JsonObjectBuilder::new().raw("tool_calls", &join_array(&[call])),
            out,
        );
    }

    fn write_part_delta(&mut self, index: u32, delta: &PartDelta, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        let written = match (delta, choice.open) {
            (PartDelta::Text(text), StreamedPartKind::Refusal) => {
                JsonObjectBuilder::new().text("refusal", text)
            }
            (PartDelta::Text(text), StreamedPartKind::Thinking) => {
                choice.thoughts.push_str(text);
                JsonObjectBuilder::new().text("reasoning_content", text)
            }
            (PartDelta::Text(text), _) => JsonObjectBuilder::new().text("content", text),
            (PartDelta::Signature(signature), _)
                if belongs_to_call(&choice.thoughts, signature) =>
            {
                choice.signature = Some(signature.clone());
                return;
            }
            (PartDelta::Signature(signature), _) => {
                let signature = signature.encode_for_client(Dialect::OpenAiChat);
                let detail = reasoning_detail(&choice.thoughts, &signature, choice.details);
                choice.details += 1;
                JsonObjectBuilder::new().array_if("reasoning_details", &[detail])
            }
            (PartDelta::Arguments(text), open) => {
                let kind =
                    if let StreamedPartKind::Call(kind) = open { kind } else { CallKind::Function };
                let (kind, inner) = call_member_names(kind);
                let body = JsonObjectBuilder::new().text(inner, text).finish();
                let place = choice.calls.saturating_sub(1).to_string();
                let call = JsonObjectBuilder::new().raw("index", &place).raw(kind, &body).finish();
                JsonObjectBuilder::new().raw("tool_calls", &join_array(&[call]))
            }
        };
        self.write_choice_delta(index, written, out);
    }

    /// Writes the pending signature as a detail, because it belongs to no call.
    fn flush_signature(&mut self, index: u32, out: &mut BytesMut) {
        let choice = self.choices.entry(index).or_default();
        let Some(signature) = choice.signature.take() else { return };
        let detail =
            reasoning_detail("", &signature.encode_for_client(Dialect::OpenAiChat), choice.details);
        choice.details += 1;
        self.write_choice_delta(
            index,
            JsonObjectBuilder::new().array_if("reasoning_details", &[detail]),
            out,
        );
    }

    fn write_end(&self, usage: Option<&UsageReport>, out: &mut BytesMut) {
        if let Some(usage) = usage.filter(|_| self.is_usage_requested()) {
            self.write_chunk("", &write_usage(usage), out);
        }
        out.extend_from_slice(DONE_EVENT);
    }
}

const fn call_member_names(kind: CallKind) -> (&'static str, &'static str) {
    match kind {
        CallKind::Function => ("function", "arguments"),
        CallKind::Custom => ("custom", "input"),
    }
}

impl crate::dialect::translation::StreamWriter for StreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut BytesMut) {
        match event {
            AnswerEvent::Begin { id, model, .. } => {
                self.write_head(id.as_deref(), model.as_deref());
                self.ensure_role(0, out);
            }
            AnswerEvent::Start { choice, head, .. } => self.start_part(*choice, head, out),
            AnswerEvent::Delta { choice, delta, .. } => self.write_part_delta(*choice, delta, out),
            AnswerEvent::Stop { .. } => {}
            AnswerEvent::Finish { choice, finish } => {
                self.flush_signature(*choice, out);
                self.ensure_role(*choice, out);
                let word = crate::json::quote(finish_reason(finish.reason));
                self.write_choice_chunk(*choice, "{}", &word, out);
            }
            AnswerEvent::End { usage } => self.write_end(usage.as_ref(), out),
        }
    }

    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        super::error_event(error)
    }
}
