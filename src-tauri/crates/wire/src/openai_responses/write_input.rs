//! Writes turns as the items of `input`.

use std::borrow::Cow;

use serde::Serialize;

use super::input::DIALECT;
use super::item::Summary;
use crate::RequestError;
use crate::crossing::{Crossings, Field, Write};
use crate::names::{ToolNames, fit_call_id};
use crate::neutral::{
    CallKind, Media, MediaKind, MediaSource, Part, Request, Role, Signature, ToolCall, ToolResult,
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
        summary: Vec<Summary>,
        encrypted_content: &'a str,
    },
    FunctionCall {
        call_id: String,
        name: String,
        arguments: &'a str,
    },
    FunctionCallOutput {
        call_id: String,
        output: Output<'a>,
    },
    CustomToolCall {
        call_id: String,
        name: String,
        input: &'a str,
    },
    CustomToolCallOutput {
        call_id: String,
        output: Output<'a>,
    },
}

/// The model's messages are text, all others are parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum MessageContent<'a> {
    Said(&'a str),
    Parts(Vec<InputPart<'a>>),
}

/// The output of a tool.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Output<'a> {
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
    Audio { input_audio: Audio<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct Audio<'a> {
    data: &'a str,
    format: &'a str,
}

pub(super) fn write_input<'a>(
    request: &'a Request,
    names: &ToolNames,
    crossings: &mut Crossings,
) -> Result<Vec<InputItem<'a>>, RequestError> {
    let mut items = Vec::new();
    for (turn, message) in request.messages.iter().enumerate() {
        for (place, part) in message.parts.iter().enumerate() {
            let path = format!("messages[{turn}].content[{place}]");
            let writing = Writing { role: message.role, names, path: &path };
            writing.part(part, place > 0, crossings, &mut items)?;
        }
    }
    Ok(items)
}

/// Context for writing one part.
struct Writing<'a> {
    role: Role,
    names: &'a ToolNames,
    path: &'a str,
}

impl Writing<'_> {
    fn part<'a>(
        &self,
        part: &'a Part,
        continues: bool,
        crossings: &mut Crossings,
        items: &mut Vec<InputItem<'a>>,
    ) -> Result<(), RequestError> {
        match part {
            Part::Text { text, .. } if text.is_empty() => {}
            Part::Text { text, .. } | Part::Refusal(text) => self.text(text, continues, items),
            Part::Media(media) => {
                if let Some(part) = media_part(media, self.path, crossings)? {
                    self.push(part, continues, items);
                }
            }
            Part::Thinking { text, signature: Some(signature) } if is_own(signature) => {
                items.push(reasoning(text, signature));
            }
            Part::RedactedThinking(signature) if is_own(signature) => {
                items.push(reasoning("", signature));
            }
            // OpenAI cannot verify other providers' thinking and would reject it.
            Part::Thinking { .. } | Part::RedactedThinking(_) => {}
            Part::ToolCall(call) => items.push(self.call(call)),
            Part::ToolResult(result) => items.push(self.result(result, crossings)?),
        }
        Ok(())
    }

    fn text<'a>(&self, text: &'a str, continues: bool, items: &mut Vec<InputItem<'a>>) {
        if self.role == Role::Assistant {
            let content = MessageContent::Said(text);
            items.push(InputItem::Message { role: "assistant", content });
        } else {
            self.push(InputPart::Text { text }, continues, items);
        }
    }

    /// Appends to the last message if this part continues it, else starts a new message.
    fn push<'a>(&self, part: InputPart<'a>, continues: bool, items: &mut Vec<InputItem<'a>>) {
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

    fn call<'a>(&self, call: &'a ToolCall) -> InputItem<'a> {
        let call_id = fit_call_id(&call.id, DIALECT).into_owned();
        let name = self.names.wire(&call.name, call.namespace.as_deref());
        match call.kind {
            CallKind::Function => {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                InputItem::FunctionCall { call_id, name, arguments }
            }
            CallKind::Custom => InputItem::CustomToolCall { call_id, name, input: &call.arguments },
        }
    }

    fn result<'a>(
        &self,
        result: &'a ToolResult,
        crossings: &mut Crossings,
    ) -> Result<InputItem<'a>, RequestError> {
        let call_id = fit_call_id(&result.call_id, DIALECT).into_owned();
        let output = match result.content.as_slice() {
            // An empty result still counts as a result.
            [] => marked("", result.is_error),
            [Part::Text { text, .. }] => marked(text, result.is_error),
            parts => Output::Parts(result_parts(result.is_error, parts, self.path, crossings)?),
        };
        Ok(match result.kind {
            CallKind::Function => InputItem::FunctionCallOutput { call_id, output },
            CallKind::Custom => InputItem::CustomToolCallOutput { call_id, output },
        })
    }
}

/// Marks a failure in the text, because the dialect has no flag for it.
fn marked(text: &str, is_error: bool) -> Output<'_> {
    Output::Text(if is_error { format!("{ERROR_MARK} {text}").into() } else { text.into() })
}

fn result_parts<'a>(
    is_error: bool,
    parts: &'a [Part],
    path: &str,
    crossings: &mut Crossings,
) -> Result<Vec<InputPart<'a>>, RequestError> {
    let mut written = Vec::new();
    if is_error {
        written.push(InputPart::Text { text: ERROR_MARK });
    }
    for part in parts {
        match part {
            Part::Text { text, .. } => written.push(InputPart::Text { text }),
            Part::Media(media) => written.extend(media_part(media, path, crossings)?),
            _ => {}
        }
    }
    Ok(written)
}

fn media_part<'a>(
    media: &'a Media,
    path: &str,
    crossings: &mut Crossings,
) -> Result<Option<InputPart<'a>>, RequestError> {
    let file = match &media.source {
        MediaSource::File(id) => match crossings.judge(Field::ProviderFile, path)? {
            Write::Yes => Some(id.as_str()),
            Write::No => return Ok(None),
        },
        _ => None,
    };
    let field = match media.kind {
        MediaKind::Image => return Ok(Some(image(media, file))),
        MediaKind::Document => Field::Document,
        MediaKind::Audio => Field::AudioInput,
    };
    if crossings.judge(field, path)? == Write::No {
        return Ok(None);
    }
    if media.kind == MediaKind::Document {
        return Ok(Some(document(media, file)));
    }
    sound(media, path).map(Some)
}

fn sound<'a>(media: &'a Media, path: &str) -> Result<InputPart<'a>, RequestError> {
    let MediaSource::Base64(data) = &media.source else {
        let why = "audio can only be sent as base64 data";
        return Err(RequestError::BadValue { param: path.to_owned(), why });
    };
    let format = media.media_type.as_deref().and_then(|kind| kind.strip_prefix("audio/"));
    Ok(InputPart::Audio { input_audio: Audio { data, format: format.unwrap_or("wav") } })
}

fn image<'a>(media: &'a Media, file_id: Option<&'a str>) -> InputPart<'a> {
    let known = |detail: &&str| matches!(*detail, "low" | "high" | "original");
    let detail = media.detail.as_deref().filter(known).unwrap_or("auto");
    InputPart::Image { detail, image_url: address(media, "image/png"), file_id }
}

fn document<'a>(media: &'a Media, file_id: Option<&'a str>) -> InputPart<'a> {
    let (file_data, file_url) = match &media.source {
        MediaSource::Url(url) => (None, Some(url.as_str())),
        _ => (address(media, "application/pdf"), None),
    };
    let named = media.title.as_deref();
    // Data without a file name is rejected.
    let filename = named.or(file_data.is_some().then_some("document.pdf"));
    InputPart::File { filename, file_data, file_url, file_id }
}

/// The URL of a medium: its own, or a data URL.
fn address(media: &Media, media_type: &str) -> Option<String> {
    match &media.source {
        MediaSource::Url(url) => Some(url.clone()),
        MediaSource::Base64(data) => {
            let media_type = media.media_type.as_deref().unwrap_or(media_type);
            Some(format!("data:{media_type};base64,{data}"))
        }
        MediaSource::File(_) => None,
    }
}

fn is_own(signature: &Signature) -> bool {
    signature.origin == DIALECT
}

fn reasoning<'a>(text: &str, signature: &'a Signature) -> InputItem<'a> {
    let summary =
        if text.is_empty() { Vec::new() } else { vec![Summary { text: text.to_owned() }] };
    InputItem::Reasoning { summary, encrypted_content: &signature.data }
}
