//! Writes turns as messages.
//!
//! A turn's calls must be answered by `tool` messages before any other message, so all results come
//! first and other messages wait (BerriAI/litellm#16525 and similar).

use std::borrow::Cow;

use domain::Lack;

use super::request::DIALECT;
use super::thinking::{detail_for_backend, extra_content};
use crate::crossing::{Crossings, Field, Write};
use crate::json::quote;
use crate::names::{CUSTOM_INPUT, ToolNames, fit_call_id};
use crate::neutral::{
    CallKind, Media, MediaKind, MediaSource, Message, Part, Request, Role, Signature, ToolCall,
    ToolResult,
};
use crate::object_text::{ObjectText, array};
use crate::{RequestError, Target, TargetKind};

pub(super) fn write_messages(
    request: &Request,
    target: &Target,
    names: &ToolNames,
    crossings: &mut Crossings,
) -> Result<Vec<String>, RequestError> {
    let mut writer = MessageWriter {
        target,
        names,
        crossings,
        messages: Vec::new(),
        open: Vec::new(),
        waiting: Vec::new(),
    };
    let says = |message: &Message| {
        let is_said = |part: &Part| !matches!(part, Part::ToolResult(_));
        message.role == Role::User && message.parts.iter().any(is_said)
    };
    let loop_start = request.messages.iter().rposition(says).unwrap_or_default();
    for (place, message) in request.messages.iter().enumerate() {
        match message.role {
            Role::System => writer.words("system", &message.parts, place)?,
            Role::User => writer.user(&message.parts, place)?,
            Role::Assistant => {
                writer.settle();
                let thoughts = if place > loop_start { Thoughts::Wanted } else { Thoughts::Past };
                writer.assistant(&message.parts, thoughts, place);
            }
        }
    }
    writer.settle();
    Ok(writer.messages)
}

/// Unsigned thinking is returned while the model works with tools, as DeepSeek and similar servers
/// require; in finished turns they reject or ignore it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thoughts {
    Wanted,
    Past,
}

struct MessageWriter<'a> {
    target: &'a Target,
    names: &'a ToolNames,
    crossings: &'a mut Crossings,
    messages: Vec<String>,
    /// Calls that have no result yet.
    open: Vec<ToolCall>,
    /// Messages that wait for those results.
    waiting: Vec<String>,
}

impl MessageWriter<'_> {
    fn push(&mut self, message: String) {
        if self.open.is_empty() {
            self.messages.append(&mut self.waiting);
            self.messages.push(message);
        } else {
            self.waiting.push(message);
        }
    }

    /// Answers the calls without a result, then releases the waiting messages.
    fn settle(&mut self) {
        for call in std::mem::take(&mut self.open) {
            self.messages.push(tool_message(&call.id, ""));
        }
        self.messages.append(&mut self.waiting);
    }

    fn words(&mut self, role: &str, parts: &[Part], place: usize) -> Result<(), RequestError> {
        if let Some(content) = self.content(parts, place)? {
            self.push(ObjectText::new().text("role", role).raw("content", &content).finish());
        }
        Ok(())
    }

    fn user(&mut self, parts: &[Part], place: usize) -> Result<(), RequestError> {
        let mut said: Vec<Part> = Vec::new();
        for part in parts {
            match part {
                Part::ToolResult(result) => self.result(result, &mut said),
                other => said.push(other.clone()),
            }
        }
        self.words("user", &said, place)
    }

    /// Writes a result for its call. Its images, which a `tool` message cannot carry, move to the
    /// user message after it. A result without a call becomes text.
    fn result(&mut self, result: &ToolResult, said: &mut Vec<Part>) {
        let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
        let mut text = texts.join("\n\n");
        if result.is_error && !text.to_lowercase().contains("error") {
            text.insert_str(0, "Error: ");
        }
        let media = result.content.iter().filter(|part| matches!(part, Part::Media(_))).cloned();
        match self.take_call(result) {
            Some(call) => self.messages.push(tool_message(&call.id, &text)),
            None => {
                let name = result.name.as_deref().unwrap_or(&result.call_id);
                said.push(Part::text(format!("[result of the tool call {name}]\n{text}")));
            }
        }
        said.extend(media);
    }

    /// Takes the call with the result's id; for a result without one, by name or in order.
    fn take_call(&mut self, result: &ToolResult) -> Option<ToolCall> {
        let place = if result.call_id.is_empty() {
            let named = |call: &ToolCall| result.name.as_deref() == Some(call.name.as_str());
            let first = (result.name.is_none() && !self.open.is_empty()).then_some(0);
            self.open.iter().position(named).or(first)
        } else {
            self.open.iter().position(|call| call.id == result.call_id)
        }?;
        Some(self.open.remove(place))
    }

    fn assistant(&mut self, parts: &[Part], thoughts: Thoughts, place: usize) {
        let mut turn = Turn::default();
        let mut calls = Vec::new();
        let mut signature: Option<&Signature> = None;
        // OpenAI itself has no fields for reasoning in Chat, and rejects those of others.
        let is_openai = self.target.kind == TargetKind::OpenAi;
        for part in parts {
            match part {
                Part::Thinking { .. } | Part::RedactedThinking(_) if is_openai => {}
                Part::Text { text, .. } | Part::Refusal(text) => turn.texts.push(text),
                Part::Thinking { text, signature: None } => turn.thoughts.push_str(text),
                Part::Thinking { text, signature: Some(own) } if own.origin == DIALECT => {
                    if text.is_empty() && !own.data.starts_with('{') {
                        signature = Some(own);
                    } else {
                        turn.thoughts.push_str(text);
                        turn.details.push(detail_for_backend(text, own));
                    }
                }
                Part::RedactedThinking(own) if own.origin == DIALECT => {
                    turn.details.push(own.data.clone());
                }
                // This provider cannot use another one's thinking.
                Part::Thinking { .. } | Part::RedactedThinking(_) | Part::ToolResult(_) => {}
                Part::Media(_) => {
                    self.crossings.dropped(format!("messages[{place}].content"));
                }
                Part::ToolCall(call) => {
                    turn.calls.push(self.call(call, signature.take()));
                    calls.push(call.clone());
                }
            }
        }
        if let Some(message) = turn.message(thoughts) {
            self.push(message);
            self.open = calls;
        }
    }

    fn call(&self, call: &ToolCall, signature: Option<&Signature>) -> String {
        let arguments = match call.kind {
            CallKind::Custom => {
                Cow::Owned(ObjectText::new().text(CUSTOM_INPUT, &call.arguments).finish())
            }
            CallKind::Function if call.arguments.trim().is_empty() => Cow::Borrowed("{}"),
            CallKind::Function => Cow::Borrowed(call.arguments.as_str()),
        };
        let function = ObjectText::new()
            .text("name", &self.names.wire(&call.name, call.namespace.as_deref()))
            .text("arguments", &arguments)
            .finish();
        let extra = signature.map(|signature| extra_content(&signature.data));
        ObjectText::new()
            .text("id", &fit_call_id(&call.id, DIALECT))
            .text("type", "function")
            .raw("function", &function)
            .raw_if("extra_content", extra.as_deref())
            .finish()
    }

    /// A string if all parts are text, which every server reads; else an array of parts.
    fn content(&mut self, parts: &[Part], place: usize) -> Result<Option<String>, RequestError> {
        if !parts.iter().any(|part| matches!(part, Part::Media(_))) {
            let texts: Vec<&str> = parts.iter().filter_map(text_of).collect();
            let text = texts.join("\n\n");
            return Ok((!text.trim().is_empty()).then(|| quote(&text)));
        }
        let mut items = Vec::new();
        for part in parts {
            match part {
                Part::Media(media) => items.extend(self.media(media, place)?),
                other => {
                    items.extend(text_of(other).filter(|text| !text.is_empty()).map(text_part));
                }
            }
        }
        Ok((!items.is_empty()).then(|| array(&items)))
    }

    fn media(&mut self, media: &Media, place: usize) -> Result<Option<String>, RequestError> {
        let path = format!("messages[{place}].content");
        let field = match (media.kind, &media.source) {
            (_, MediaSource::File(_)) => Some(Field::ProviderFile),
            (MediaKind::Audio, _) => Some(Field::AudioInput),
            (MediaKind::Document, _) => Some(Field::Document),
            (MediaKind::Image, _) => None,
        };
        let is_lacking = match (media.kind, &media.source) {
            (MediaKind::Image, _) => self.target.lacks(Lack::Images),
            (_, source) => matches!(source, MediaSource::Url(_)),
        };
        let verdict = match field {
            Some(field) => self.crossings.judge(field, &path)?,
            None => Write::Yes,
        };
        if verdict == Write::No || (is_lacking && self.crossings.lacking(&path)? == Write::No) {
            return Ok(None);
        }
        Ok(Some(media_part(media)))
    }
}

/// A turn of the model, as one message.
#[derive(Default)]
struct Turn<'a> {
    texts: Vec<&'a str>,
    thoughts: String,
    details: Vec<String>,
    calls: Vec<String>,
}

impl Turn<'_> {
    /// `None` if the turn is empty.
    fn message(&self, thoughts: Thoughts) -> Option<String> {
        let text = self.texts.join("\n\n");
        let is_silent = text.trim().is_empty();
        if is_silent && self.calls.is_empty() {
            return None;
        }
        let is_wanted = thoughts == Thoughts::Wanted && !self.calls.is_empty();
        let reasoning = (is_wanted && !self.thoughts.is_empty()).then_some(self.thoughts.as_str());
        let content = if is_silent { "null".to_owned() } else { quote(&text) };
        let message = ObjectText::new()
            .text("role", "assistant")
            .raw("content", &content)
            .text_if("reasoning_content", reasoning)
            .array_if("reasoning_details", &self.details)
            .array_if("tool_calls", &self.calls);
        Some(message.finish())
    }
}

fn tool_message(call_id: &str, text: &str) -> String {
    ObjectText::new()
        .text("role", "tool")
        .text("tool_call_id", &fit_call_id(call_id, DIALECT))
        .text("content", text)
        .finish()
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text, .. } | Part::Refusal(text) => Some(text),
        _ => None,
    }
}

fn text_part(text: &str) -> String {
    ObjectText::new().text("type", "text").text("text", text).finish()
}

fn media_part(media: &Media) -> String {
    let url = |default: &str| match &media.source {
        MediaSource::Base64(data) => {
            let media_type = media.media_type.as_deref().unwrap_or(default);
            format!("data:{media_type};base64,{data}")
        }
        MediaSource::Url(text) | MediaSource::File(text) => text.clone(),
    };
    match media.kind {
        MediaKind::Image => {
            let known = ["auto", "low", "high"];
            let detail = media.detail.as_deref().filter(|detail| known.contains(detail));
            let address = ObjectText::new().text("url", &url("image/png"));
            let address = address.text_if("detail", detail).finish();
            ObjectText::new().text("type", "image_url").raw("image_url", &address).finish()
        }
        MediaKind::Document => {
            let file = ObjectText::new()
                .text("filename", media.title.as_deref().unwrap_or("document.pdf"))
                .text("file_data", &url("application/pdf"))
                .finish();
            ObjectText::new().text("type", "file").raw("file", &file).finish()
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
            let audio = ObjectText::new().text("data", data).text("format", format).finish();
            ObjectText::new().text("type", "input_audio").raw("input_audio", &audio).finish()
        }
    }
}
