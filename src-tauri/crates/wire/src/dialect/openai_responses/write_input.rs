//! Writes turns as the items of `input`.

use std::borrow::Cow;

use domain::Dialect;
use serde::Serialize;

use super::output_item::SummaryPart;
use crate::RequestError;
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::{ToolNames, fit_call_id};
use crate::neutral::{
    CallKind, ContentPart, MediaContent, MediaKind, MediaSource, ModelRequest, Role,
    ThoughtSignature, ToolCall, ToolResult,
};

/// Prefix of a failed tool's result.
const ERROR_MARK: &str = "Error:";

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum InputItem<'a> {
    Message {
        role: &'static str,
        content: MessageContent<'a>,
    },
    /// Written without its id: OpenAI has not stored the item, so a look-up of the id would fail.
    Reasoning {
        summary: Vec<SummaryPart>,
        encrypted_content: &'a str,
    },
    FunctionCall {
        call_id: String,
        name: String,
        arguments: &'a str,
    },
    FunctionCallOutput {
        call_id: String,
        output: ToolOutput<'a>,
    },
    CustomToolCall {
        call_id: String,
        name: String,
        input: &'a str,
    },
    CustomToolCallOutput {
        call_id: String,
        output: ToolOutput<'a>,
    },
}

/// The model's messages are text, all others are parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum MessageContent<'a> {
    Text(&'a str),
    Parts(Vec<InputPart<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ToolOutput<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<InputPart<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum InputPart<'a> {
    #[serde(rename = "input_text")]
    Text { text: &'a str },
    #[serde(rename = "input_image")]
    Image {
        detail: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
    },
    #[serde(rename = "input_file")]
    File {
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_data: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_url: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
    },
    #[serde(rename = "input_audio")]
    Audio { input_audio: InputAudio<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct InputAudio<'a> {
    data: &'a str,
    format: &'a str,
}

pub(super) fn write_input<'a>(
    request: &'a ModelRequest,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Vec<InputItem<'a>>, RequestError> {
    let mut items = Vec::new();
    for (turn, message) in request.messages.iter().enumerate() {
        for (place, part) in message.parts.iter().enumerate() {
            let path = format!("messages[{turn}].content[{place}]");
            let writing = PartWriter { role: message.role, names, path: &path };
            writing.write_part(part, place > 0, crossings, &mut items)?;
        }
    }
    Ok(items)
}

/// Context for writing one part.
struct PartWriter<'a> {
    role: Role,
    names: &'a ToolNames,
    path: &'a str,
}

impl PartWriter<'_> {
    fn write_part<'a>(
        &self,
        part: &'a ContentPart,
        continues: bool,
        crossings: &mut FieldFilter,
        items: &mut Vec<InputItem<'a>>,
    ) -> Result<(), RequestError> {
        match part {
            ContentPart::Text { text, .. } if text.is_empty() => {}
            ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
                self.write_text(text, continues, items);
            }
            ContentPart::Media(media) => {
                if let Some(part) = media_part(media, self.path, crossings)? {
                    self.push_part(part, continues, items);
                }
            }
            ContentPart::Thinking { text, signature: Some(signature) }
                if is_same_dialect(signature) =>
            {
                items.push(reasoning_item(text, signature));
            }
            ContentPart::RedactedThinking(signature) if is_same_dialect(signature) => {
                items.push(reasoning_item("", signature));
            }
            // OpenAI cannot verify other providers' thinking and would reject it.
            ContentPart::Thinking { .. } | ContentPart::RedactedThinking(_) => {}
            ContentPart::ToolCall(call) => items.push(self.call_item(call)),
            ContentPart::ToolResult(result) => items.push(self.result_item(result, crossings)?),
        }
        Ok(())
    }

    fn write_text<'a>(&self, text: &'a str, continues: bool, items: &mut Vec<InputItem<'a>>) {
        if self.role == Role::Assistant {
            let content = MessageContent::Text(text);
            items.push(InputItem::Message { role: "assistant", content });
        } else {
            self.push_part(InputPart::Text { text }, continues, items);
        }
    }

    /// Appends to the last message if this part continues it, else starts a new message.
    fn push_part<'a>(&self, part: InputPart<'a>, continues: bool, items: &mut Vec<InputItem<'a>>) {
        // An image that the model made is sent back as the user's.
        let role = if self.role == Role::System { "developer" } else { "user" };
        match items.last_mut() {
            Some(InputItem::Message { role: last, content: MessageContent::Parts(parts) })
                if continues && *last == role =>
            {
                parts.push(part);
            }
            _ => {
                let content = MessageContent::Parts(vec![part]);
                items.push(InputItem::Message { role, content });
            }
        }
    }

    fn call_item<'a>(&self, call: &'a ToolCall) -> InputItem<'a> {
        let call_id = fit_call_id(&call.id, Dialect::OpenAiResponses).into_owned();
        let name = self.names.wire_name(&call.name, call.namespace.as_deref());
        match call.kind {
            CallKind::Function => {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                InputItem::FunctionCall { call_id, name, arguments }
            }
            CallKind::Custom => InputItem::CustomToolCall { call_id, name, input: &call.arguments },
        }
    }

    fn result_item<'a>(
        &self,
        result: &'a ToolResult,
        crossings: &mut FieldFilter,
    ) -> Result<InputItem<'a>, RequestError> {
        let call_id = fit_call_id(&result.call_id, Dialect::OpenAiResponses).into_owned();
        let output = match result.content.as_slice() {
            // An empty result still counts as a result.
            [] => result_output("", result.is_error),
            [ContentPart::Text { text, .. }] => result_output(text, result.is_error),
            parts => ToolOutput::Parts(result_parts(result.is_error, parts, self.path, crossings)?),
        };
        Ok(match result.kind {
            CallKind::Function => InputItem::FunctionCallOutput { call_id, output },
            CallKind::Custom => InputItem::CustomToolCallOutput { call_id, output },
        })
    }
}

/// Marks a failure in the text, because the dialect has no flag for it.
fn result_output(text: &str, is_error: bool) -> ToolOutput<'_> {
    ToolOutput::Text(if is_error { format!("{ERROR_MARK} {text}").into() } else { text.into() })
}

fn result_parts<'a>(
    is_error: bool,
    parts: &'a [ContentPart],
    path: &str,
    crossings: &mut FieldFilter,
) -> Result<Vec<InputPart<'a>>, RequestError> {
    let mut written = Vec::new();
    if is_error {
        written.push(InputPart::Text { text: ERROR_MARK });
    }
    for part in parts {
        match part {
            ContentPart::Text { text, .. } => written.push(InputPart::Text { text }),
            ContentPart::Media(media) => written.extend(media_part(media, path, crossings)?),
            _ => {}
        }
    }
    Ok(written)
}

fn media_part<'a>(
    media: &'a MediaContent,
    path: &str,
    crossings: &mut FieldFilter,
) -> Result<Option<InputPart<'a>>, RequestError> {
    let file = match &media.source {
        MediaSource::File(id) => match crossings.check(FieldKind::ProviderFile, path)? {
            FieldDecision::Keep => Some(id.as_str()),
            FieldDecision::Omit => return Ok(None),
        },
        _ => None,
    };
    let field = match media.kind {
        MediaKind::Image => return Ok(Some(image_part(media, file))),
        MediaKind::Document => FieldKind::Document,
        MediaKind::Audio => FieldKind::AudioInput,
    };
    if crossings.check(field, path)? == FieldDecision::Omit {
        return Ok(None);
    }
    if media.kind == MediaKind::Document {
        return Ok(Some(document_part(media, file)));
    }
    audio_part(media, path).map(Some)
}

fn audio_part<'a>(media: &'a MediaContent, path: &str) -> Result<InputPart<'a>, RequestError> {
    let MediaSource::Base64(data) = &media.source else {
        let why = "audio can only be sent as base64 data";
        return Err(RequestError::BadValue { param: path.to_owned(), why });
    };
    let format = media.media_type.as_deref().and_then(|kind| kind.strip_prefix("audio/"));
    Ok(InputPart::Audio { input_audio: InputAudio { data, format: format.unwrap_or("wav") } })
}

fn image_part<'a>(media: &'a MediaContent, file_id: Option<&'a str>) -> InputPart<'a> {
    let known = |detail: &&str| matches!(*detail, "low" | "high" | "original");
    let detail = media.detail.as_deref().filter(known).unwrap_or("auto");
    InputPart::Image { detail, image_url: media.url("image/png"), file_id }
}

fn document_part<'a>(media: &'a MediaContent, file_id: Option<&'a str>) -> InputPart<'a> {
    let (file_data, file_url) = match &media.source {
        MediaSource::Url(url) => (None, Some(url.as_str())),
        _ => (media.url("application/pdf"), None),
    };
    let named = media.title.as_deref();
    // Data without a file name is rejected.
    let filename = named.or(file_data.is_some().then_some("document.pdf"));
    InputPart::File { filename, file_data, file_url, file_id }
}

fn is_same_dialect(signature: &ThoughtSignature) -> bool {
    signature.origin == Dialect::OpenAiResponses
}

fn reasoning_item<'a>(text: &str, signature: &'a ThoughtSignature) -> InputItem<'a> {
    let summary =
        if text.is_empty() { Vec::new() } else { vec![SummaryPart { text: text.to_owned() }] };
    InputItem::Reasoning { summary, encrypted_content: &signature.data }
}
