//! Writes turns as messages.
//!
//! A turn's calls must be answered by `tool` messages before any other message, so all results come
//! first and other messages wait (BerriAI/litellm#16525 and similar).

use std::borrow::Cow;

use domain::{Dialect, UnsupportedFeature};

use super::thinking::{detail_for_backend, extra_content};
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::{CUSTOM_INPUT, ToolNames, fit_call_id};
use crate::json::json_builder::{JsonObjectBuilder, join_array};
use crate::json::quote;
use crate::neutral::{
    CallKind, ContentPart, ConversationTurn, MediaContent, MediaKind, MediaSource, ModelRequest,
    Role, ThoughtSignature, ToolCall, ToolResult,
};
use crate::{RequestError, Target, TargetKind};

pub(super) fn write_messages(
    request: &ModelRequest,
    target: &Target,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Vec<String>, RequestError> {
    let mut writer = MessageWriter {
        target,
        names,
        crossings,
        messages: Vec::new(),
        open_calls: Vec::new(),
        deferred: Vec::new(),
    };
    let says = |message: &ConversationTurn| {
        let is_said = |part: &ContentPart| !matches!(part, ContentPart::ToolResult(_));
        message.role == Role::User && message.parts.iter().any(is_said)
    };
    let loop_start = request.messages.iter().rposition(says).unwrap_or_default();
    for (place, message) in request.messages.iter().enumerate() {
        match message.role {
            Role::System => writer.push_content("system", &message.parts, place)?,
            Role::User => writer.write_user(&message.parts, place)?,
            Role::Assistant => {
                writer.close_open_calls();
                let thoughts =
                    if place > loop_start { ThinkingReplay::Include } else { ThinkingReplay::Omit };
                writer.write_assistant(&message.parts, thoughts, place);
            }
        }
    }
    writer.close_open_calls();
    Ok(writer.messages)
}

/// Unsigned thinking is returned while the model works with tools, as DeepSeek and similar servers
/// require; in finished turns they reject or ignore it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ThinkingReplay {
    Include,
    Omit,
}

struct MessageWriter<'a> {
    target: &'a Target,
    names: &'a ToolNames,
    crossings: &'a mut FieldFilter,
    messages: Vec<String>,
    /// Calls that have no result yet.
    open_calls: Vec<ToolCall>,
    /// Messages that wait for those results.
    deferred: Vec<String>,
}

impl MessageWriter<'_> {
    fn push(&mut self, message: String) {
        if self.open_calls.is_empty() {
            self.messages.append(&mut self.deferred);
            self.messages.push(message);
        } else {
            self.deferred.push(message);
        }
    }

    /// Answers the calls without a result, then releases the waiting messages.
    fn close_open_calls(&mut self) {
        for call in std::mem::take(&mut self.open_calls) {
            self.messages.push(tool_message(&call.id, ""));
        }
        self.messages.append(&mut self.deferred);
    }

    fn push_content(
        &mut self,
        role: &str,
        parts: &[ContentPart],
        place: usize,
    ) -> Result<(), RequestError> {
        if let Some(content) = self.write_content(parts, place)? {
            self.push(
                JsonObjectBuilder::new().text("role", role).raw("content", &content).finish(),
            );
        }
        Ok(())
    }

    fn write_user(&mut self, parts: &[ContentPart], place: usize) -> Result<(), RequestError> {
        let mut said: Vec<ContentPart> = Vec::new();
        for part in parts {
            match part {
                ContentPart::ToolResult(result) => self.write_result(result, &mut said),
                other => said.push(other.clone()),
            }
        }
        self.push_content("user", &said, place)
    }

    /// Writes a result for its call. Its images, which a `tool` message cannot carry, move to the
    /// user message after it. A result without a call becomes text.
    fn write_result(&mut self, result: &ToolResult, said: &mut Vec<ContentPart>) {
        let texts: Vec<&str> = result.content.iter().filter_map(ContentPart::as_text).collect();
        let mut text = texts.join("\n\n");
        if result.is_error && !text.to_lowercase().contains("error") {
            text.insert_str(0, "Error: ");
        }
        let media =
            result.content.iter().filter(|part| matches!(part, ContentPart::Media(_))).cloned();
        match self.take_call(result) {
            Some(call) => self.messages.push(tool_message(&call.id, &text)),
            None => {
                let name = result.name.as_deref().unwrap_or(&result.call_id);
                said.push(ContentPart::text(format!("[result of the tool call {name}]\n{text}")));
            }
        }
        said.extend(media);
    }

    /// Takes the call with the result's id; for a result without one, by name or in order.
    fn take_call(&mut self, result: &ToolResult) -> Option<ToolCall> {
        let place = if result.call_id.is_empty() {
            let named = |call: &ToolCall| result.name.as_deref() == Some(call.name.as_str());
            let first = (result.name.is_none() && !self.open_calls.is_empty()).then_some(0);
            self.open_calls.iter().position(named).or(first)
        } else {
            self.open_calls.iter().position(|call| call.id == result.call_id)
        }?;
        Some(self.open_calls.remove(place))
    }

    fn write_assistant(&mut self, parts: &[ContentPart], thoughts: ThinkingReplay, place: usize) {
        let mut turn = AssistantTurn::default();
        let mut calls = Vec::new();
        let mut signature: Option<&ThoughtSignature> = None;
        // OpenAI itself has no fields for reasoning in Chat, and rejects those of others.
        let is_openai = self.target.kind == TargetKind::OpenAi;
        for part in parts {
            match part {
                ContentPart::Thinking { .. } | ContentPart::RedactedThinking(_) if is_openai => {}
                ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
                    turn.texts.push(text);
                }
                ContentPart::Thinking { text, signature: None } => turn.thoughts.push_str(text),
                ContentPart::Thinking { text, signature: Some(own) }
                    if own.origin == Dialect::OpenAiChat =>
                {
                    if text.is_empty() && !own.data.starts_with('{') {
                        signature = Some(own);
                    } else {
                        turn.thoughts.push_str(text);
                        turn.details.push(detail_for_backend(text, own));
                    }
                }
                ContentPart::RedactedThinking(own) if own.origin == Dialect::OpenAiChat => {
                    turn.details.push(own.data.clone());
                }
                // This provider cannot use another one's thinking.
                ContentPart::Thinking { .. }
                | ContentPart::RedactedThinking(_)
                | ContentPart::ToolResult(_) => {}
                ContentPart::Media(_) => {
                    self.crossings.record_dropped(format!("messages[{place}].content"));
                }
                ContentPart::ToolCall(call) => {
                    turn.calls.push(self.write_call(call, signature.take()));
                    calls.push(call.clone());
                }
            }
        }
        if let Some(message) = turn.to_message(thoughts) {
            self.push(message);
            self.open_calls = calls;
        }
    }

    fn write_call(&self, call: &ToolCall, signature: Option<&ThoughtSignature>) -> String {
        let arguments = match call.kind {
            CallKind::Custom => {
                Cow::Owned(JsonObjectBuilder::new().text(CUSTOM_INPUT, &call.arguments).finish())
            }
            CallKind::Function if call.arguments.trim().is_empty() => Cow::Borrowed("{}"),
            CallKind::Function => Cow::Borrowed(call.arguments.as_str()),
        };
        let function = JsonObjectBuilder::new()
            .text("name", &self.names.wire_name(&call.name, call.namespace.as_deref()))
            .text("arguments", &arguments)
            .finish();
        let extra = signature.map(|signature| extra_content(&signature.data));
        JsonObjectBuilder::new()
            .text("id", &fit_call_id(&call.id, Dialect::OpenAiChat))
            .text("type", "function")
            .raw("function", &function)
            .raw_if("extra_content", extra.as_deref())
            .finish()
    }

    /// A string if all parts are text, which every server reads; else an array of parts.
    fn write_content(
        &mut self,
        parts: &[ContentPart],
        place: usize,
    ) -> Result<Option<String>, RequestError> {
        if !parts.iter().any(|part| matches!(part, ContentPart::Media(_))) {
            let texts: Vec<&str> = parts.iter().filter_map(ContentPart::as_text).collect();
            let text = texts.join("\n\n");
            return Ok((!text.trim().is_empty()).then(|| quote(&text)));
        }
        let mut items = Vec::new();
        for part in parts {
            match part {
                ContentPart::Media(media) => items.extend(self.write_media(media, place)?),
                other => {
                    items.extend(other.as_text().filter(|text| !text.is_empty()).map(text_part));
                }
            }
        }
        Ok((!items.is_empty()).then(|| join_array(&items)))
    }

    fn write_media(
        &mut self,
        media: &MediaContent,
        place: usize,
    ) -> Result<Option<String>, RequestError> {
        let path = format!("messages[{place}].content");
        let field = match (media.kind, &media.source) {
            (_, MediaSource::File(_)) => Some(FieldKind::ProviderFile),
            (MediaKind::Audio, _) => Some(FieldKind::AudioInput),
            (MediaKind::Document, _) => Some(FieldKind::Document),
            (MediaKind::Image, _) => None,
        };
        let is_lacking = match (media.kind, &media.source) {
            (MediaKind::Image, _) => self.target.lacks(UnsupportedFeature::Images),
            (_, source) => matches!(source, MediaSource::Url(_)),
        };
        let verdict = match field {
            Some(field) => self.crossings.check(field, &path)?,
            None => FieldDecision::Keep,
        };
        if verdict == FieldDecision::Omit
            || (is_lacking && self.crossings.check_unsupported(&path)? == FieldDecision::Omit)
        {
            return Ok(None);
        }
        Ok(Some(media_part(media)))
    }
}

/// A turn of the model, as one message.
#[derive(Default)]
struct AssistantTurn<'a> {
    texts: Vec<&'a str>,
    thoughts: String,
    details: Vec<String>,
    calls: Vec<String>,
}

impl AssistantTurn<'_> {
    /// `None` if the turn is empty.
    fn to_message(&self, thoughts: ThinkingReplay) -> Option<String> {
        let text = self.texts.join("\n\n");
        let is_silent = text.trim().is_empty();
        if is_silent && self.calls.is_empty() {
            return None;
        }
        let is_wanted = thoughts == ThinkingReplay::Include && !self.calls.is_empty();
        let reasoning = (is_wanted && !self.thoughts.is_empty()).then_some(self.thoughts.as_str());
        let content = if is_silent { "null".to_owned() } else { quote(&text) };
        let message = JsonObjectBuilder::new()
            .text("role", "assistant")
            .raw("content", &content)
            .text_if("reasoning_content", reasoning)
            .array_if("reasoning_details", &self.details)
            .array_if("tool_calls", &self.calls);
        Some(message.finish())
    }
}

fn tool_message(call_id: &str, text: &str) -> String {
    JsonObjectBuilder::new()
        .text("role", "tool")
        .text("tool_call_id", &fit_call_id(call_id, Dialect::OpenAiChat))
        .text("content", text)
        .finish()
}

fn text_part(text: &str) -> String {
    JsonObjectBuilder::new().text("type", "text").text("text", text).finish()
}

fn media_part(media: &MediaContent) -> String {
    // A file at another provider does not get here.
    let url = |usual: &str| media.url(usual).unwrap_or_default();
    match media.kind {
        MediaKind::Image => {
            let known = ["auto", "low", "high"];
            let detail = media.detail.as_deref().filter(|detail| known.contains(detail));
            let address = JsonObjectBuilder::new().text("url", &url("image/png"));
            let address = address.text_if("detail", detail).finish();
            JsonObjectBuilder::new().text("type", "image_url").raw("image_url", &address).finish()
        }
        MediaKind::Document => {
            let file = JsonObjectBuilder::new()
                .text("filename", media.title.as_deref().unwrap_or("document.pdf"))
                .text("file_data", &url("application/pdf"))
                .finish();
            JsonObjectBuilder::new().text("type", "file").raw("file", &file).finish()
        }
        MediaKind::Audio => {
            let data = match &media.source {
                MediaSource::Base64(text) | MediaSource::Url(text) | MediaSource::File(text) => {
                    text
                }
            };
            let format = match media.media_type.as_deref() {
                Some("audio/mpeg" | "audio/mp3") => "mp3",
                Some(other) => other.strip_prefix("audio/").unwrap_or("wav"),
                None => "wav",
            };
            let audio = JsonObjectBuilder::new().text("data", data).text("format", format).finish();
            JsonObjectBuilder::new().text("type", "input_audio").raw("input_audio", &audio).finish()
        }
    }
}
