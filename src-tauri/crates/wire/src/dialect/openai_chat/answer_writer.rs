//! Writes whole answers for clients, in the format that OpenAI's SDKs expect.

use bytes::Bytes;
use domain::Dialect;

use super::thinking::{encrypted_detail, extra_content, reasoning_detail};
use crate::UsageReport;
use crate::dialect::translation::RequestEcho;
use crate::json::json_builder::{JsonObjectBuilder, join_array};
use crate::neutral::{
    AnswerChoice, CallKind, ContentPart, FinishReason, MediaContent, ModelAnswer, ThoughtSignature,
    ToolCall,
};

pub(crate) fn write_answer(answer: &ModelAnswer, echo: &RequestEcho) -> Bytes {
    let id = answer.id.clone().unwrap_or_else(|| generated_id(echo));
    let model = answer.model.as_deref().unwrap_or(&echo.request.model);
    let choices: Vec<_> =
        (0..).zip(&answer.choices).map(|(place, c)| write_choice(place, c)).collect();
    let usage = answer.usage.as_ref().map(write_usage);
    let body = JsonObjectBuilder::new()
        .text("id", &id)
        .text("object", "chat.completion")
        .raw("created", &echo.created_unix_s.to_string())
        .text("model", model)
        .raw("choices", &join_array(&choices))
        .raw_if("usage", usage.as_deref());
    Bytes::from(body.finish())
}

pub(super) fn generated_id(echo: &RequestEcho) -> String {
    format!("chatcmpl-{}", echo.id)
}

fn write_choice(index: u32, choice: &AnswerChoice) -> String {
    let mut message = ChatMessage::default();
    choice.parts.iter().for_each(|part| message.add_part(part));
    message.flush_signature();
    let reason = choice.finish.as_ref().map(|finish| finish_reason(finish.reason));
    JsonObjectBuilder::new()
        .raw("index", &index.to_string())
        .raw("message", &message.finish())
        .raw("logprobs", "null")
        .raw("finish_reason", &reason.map_or("null".to_owned(), crate::json::quote))
        .finish()
}

#[derive(Default)]
struct ChatMessage {
    text: Option<String>,
    refusal: Option<String>,
    thinking: String,
    details: Vec<String>,
    images: Vec<String>,
    calls: Vec<String>,
    /// A signature that may belong to the next call.
    signature: Option<ThoughtSignature>,
}

impl ChatMessage {
    fn add_part(&mut self, part: &ContentPart) {
        if !matches!(part, ContentPart::ToolCall(_)) {
            self.flush_signature();
        }
        match part {
            ContentPart::Text { text, .. } => self.text.get_or_insert_default().push_str(text),
            ContentPart::Refusal(text) => self.refusal.get_or_insert_default().push_str(text),
            ContentPart::Thinking { text, signature } => {
                self.add_thinking(text, signature.as_ref());
            }
            ContentPart::RedactedThinking(signature) => {
                let data = signature.encode_for_client(Dialect::OpenAiChat);
                self.details.push(encrypted_detail(&data, self.details.len()));
            }
            ContentPart::Media(media) => self.images.extend(write_image(media)),
            ContentPart::ToolCall(call) => {
                let signature = self.signature.take();
                let signature =
                    signature.map(|signature| signature.encode_for_client(Dialect::OpenAiChat));
                self.calls.push(write_call(call, signature.as_deref()));
            }
            ContentPart::ToolResult(_) => {}
        }
    }

    fn add_thinking(&mut self, text: &str, signature: Option<&ThoughtSignature>) {
        self.thinking.push_str(text);
        let Some(signature) = signature else { return };
        if belongs_to_call(text, signature) {
            self.signature = Some(signature.clone());
        } else {
            self.push_detail(text, signature);
        }
    }

    fn push_detail(&mut self, text: &str, signature: &ThoughtSignature) {
        self.details.push(reasoning_detail(
            text,
            &signature.encode_for_client(Dialect::OpenAiChat),
            self.details.len(),
        ));
    }

    /// Adds the pending signature as a detail, because it belongs to no call.
    fn flush_signature(&mut self) {
        if let Some(signature) = self.signature.take() {
            self.push_detail("", &signature);
        }
    }

    fn finish(&self) -> String {
        let null =
            |text: Option<&String>| text.map_or("null".to_owned(), |t| crate::json::quote(t));
        let empty = String::new();
        // An empty answer still gets a `content` string, for clients that read it unchecked.
        let is_silent = self.calls.is_empty() && self.refusal.is_none();
        let text = self.text.as_ref().or(is_silent.then_some(&empty));
        let thinking = (!self.thinking.is_empty()).then_some(self.thinking.as_str());
        JsonObjectBuilder::new()
            .text("role", "assistant")
            .raw("content", &null(text))
            .raw("refusal", &null(self.refusal.as_ref()))
            .text_if("reasoning_content", thinking)
            .array_if("reasoning_details", &self.details)
            .array_if("images", &self.images)
            .array_if("tool_calls", &self.calls)
            .finish()
    }
}

/// True if a signature without thinking belongs to the call after it (Gemini).
pub(super) fn belongs_to_call(text: &str, signature: &ThoughtSignature) -> bool {
    text.is_empty() && matches!(signature.origin, Dialect::Gemini)
}

fn write_call(call: &ToolCall, signature: Option<&str>) -> String {
    let (kind, inner) = match call.kind {
        CallKind::Function => ("function", "arguments"),
        CallKind::Custom => ("custom", "input"),
    };
    let body =
        JsonObjectBuilder::new().text("name", &call.name).text(inner, &call.arguments).finish();
    let extra = signature.map(extra_content);
    JsonObjectBuilder::new()
        .text("id", &call.id)
        .text("type", kind)
        .raw(kind, &body)
        .raw_if("extra_content", extra.as_deref())
        .finish()
}

/// An image in OpenRouter's format, which has none for audio and files.
pub(super) fn write_image(media: &MediaContent) -> Option<String> {
    let url = media.url("image/png")?;
    let address = JsonObjectBuilder::new().text("url", &url).finish();
    Some(JsonObjectBuilder::new().text("type", "image_url").raw("image_url", &address).finish())
}

/// Maps to OpenAI's finish reason. None of its five values means a fault of the model;
/// `content_filter` is the one that no client treats as success.
pub(super) const fn finish_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::EndTurn | FinishReason::StopSequence | FinishReason::Pause => "stop",
        FinishReason::MaxTokens | FinishReason::ContextWindow => "length",
        FinishReason::ToolUse => "tool_calls",
        FinishReason::Refusal | FinishReason::Fault => "content_filter",
    }
}

pub(super) fn write_usage(report: &UsageReport) -> String {
    let tokens = &report.tokens();
    let (input, output) = (tokens.input(), tokens.output_visible.saturating_add(tokens.reasoning));
    let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
    let prompt = JsonObjectBuilder::new()
        .raw("cached_tokens", &tokens.cache_read.to_string())
        .raw("cache_write_tokens", &written.to_string())
        .finish();
    let completion =
        JsonObjectBuilder::new().raw("reasoning_tokens", &tokens.reasoning.to_string()).finish();
    JsonObjectBuilder::new()
        .raw("prompt_tokens", &input.to_string())
        .raw("completion_tokens", &output.to_string())
        .raw("total_tokens", &input.saturating_add(output).to_string())
        .raw("prompt_tokens_details", &prompt)
        .raw("completion_tokens_details", &completion)
        .finish()
}
