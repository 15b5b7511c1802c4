//! Writes the conversation of a request for a backend.

use std::borrow::Cow;

use base64::Engine;
use domain::Dialect;
use serde::Serialize;

use super::stream_writer::media_note;
use crate::RequestError;
use crate::dialect::field_filter::{FieldFilter, FieldKind};
use crate::dialect::tool_names::{ToolNames, call_arguments, fit_call_id};
use crate::media_type::{detect_media_type, parse_data_url};
use crate::neutral::{
    ContentPart, ConversationTurn, JsonText, MediaContent, MediaKind, MediaSource, Role,
    ThoughtSignature, ToolCall, ToolResult,
};

#[derive(Debug, Serialize)]
pub(super) struct WrittenTurn<'a> {
    role: &'static str,
    content: Vec<WrittenPart<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WrittenPart<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a JsonText>,
    },
    Image {
        source: MediaSourceBody<'a>,
    },
    Document {
        source: MediaSourceBody<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: String,
        input: JsonText,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<WrittenPart<'a>>,
        #[serde(skip_serializing_if = "is_fine")]
        is_error: bool,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_fine(is_error: &bool) -> bool {
    !*is_error
}

/// Bytes or address of an image or document.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum MediaSourceBody<'a> {
    Base64 {
        media_type: Cow<'a, str>,
        data: Cow<'a, str>,
    },
    Url {
        url: &'a str,
    },
    /// A plain text document; base64 is for PDF only.
    Text {
        media_type: &'static str,
        data: String,
    },
}

/// Writes the top-level instructions. The dialect allows only texts there.
pub(super) fn write_system<'a>(
    parts: &'a [ContentPart],
    crossings: &mut FieldFilter,
) -> Vec<WrittenPart<'a>> {
    let mut written = Vec::new();
    for part in parts {
        match part {
            ContentPart::Text { text, .. } if text.trim().is_empty() => {}
            ContentPart::Text { text, cache } => written.push(WrittenPart::Text {
                text: text.into(),
                cache_control: cache.as_ref().map(|mark| &mark.0),
            }),
            _ => crossings.record_dropped("system"),
        }
    }
    written
}

/// Writes turns that already alternate between user and assistant.
pub(super) fn write_turns<'a>(
    turns: &'a [ConversationTurn],
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Vec<WrittenTurn<'a>>, RequestError> {
    let mut written: Vec<WrittenTurn<'a>> = Vec::with_capacity(turns.len());
    for turn in turns {
        let role = if turn.role == Role::Assistant { "assistant" } else { "user" };
        let mut content = Vec::with_capacity(turn.parts.len());
        for part in &turn.parts {
            content.extend(write_part(part, turn.role, names, crossings)?);
        }
        match written.last_mut() {
            // The turn between these two held only another provider's thinking.
            Some(last) if last.role == role => last.content.append(&mut content),
            _ if content.is_empty() => {}
            _ => written.push(WrittenTurn { role, content }),
        }
    }
    if let Some(WrittenTurn { role: "assistant", content }) = written.last_mut()
        && let Some(WrittenPart::Text { text, .. }) = content.last_mut()
    {
        // A final assistant text is the start of the next answer and must not end in white space.
        *text = text.trim_end().to_owned().into();
    }
    Ok(written)
}

/// True if the next turn continues calls that were made without thinking.
pub(super) fn continues_without_thinking(turns: &[WrittenTurn<'_>]) -> bool {
    let last = turns.iter().rev().find(|turn| turn.role == "assistant");
    let is_thought = |part: &WrittenPart<'_>| {
        matches!(part, WrittenPart::Thinking { .. } | WrittenPart::RedactedThinking { .. })
    };
    let has_calls = |turn: &WrittenTurn<'_>| {
        turn.content.iter().any(|part| matches!(part, WrittenPart::ToolUse { .. }))
    };
    last.is_some_and(|turn| has_calls(turn) && !turn.content.first().is_some_and(is_thought))
}

fn write_part<'a>(
    part: &'a ContentPart,
    role: Role,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Option<WrittenPart<'a>>, RequestError> {
    let plain = |text: Cow<'a, str>| WrittenPart::Text { text, cache_control: None };
    Ok(match part {
        ContentPart::Text { text, .. } | ContentPart::Refusal(text) if text.trim().is_empty() => {
            None
        }
        ContentPart::Text { text, cache } => Some(WrittenPart::Text {
            text: text.into(),
            cache_control: cache.as_ref().map(|mark| &mark.0),
        }),
        ContentPart::Refusal(text) => Some(plain(text.into())),
        // Assistant turns have no images in this dialect.
        ContentPart::Media(media) if role == Role::Assistant => {
            crossings.record_dropped("messages.image");
            Some(plain(media_note(media).into()))
        }
        ContentPart::Media(media) => write_media(media, crossings)?,
        // Another provider's thinking is a 400 here (UncommonRoute#19). Own thinking goes back
        // unchanged, even if its text is empty.
        ContentPart::Thinking { text, signature } => own_signature_data(signature.as_ref())
            .map(|signature| WrittenPart::Thinking { thinking: text, signature }),
        ContentPart::RedactedThinking(signature) => {
            own_signature_data(Some(signature)).map(|data| WrittenPart::RedactedThinking { data })
        }
        ContentPart::ToolCall(call) => Some(write_call(call, names)),
        ContentPart::ToolResult(result) => Some(write_result(result, names, crossings)?),
    })
}

fn own_signature_data(signature: Option<&ThoughtSignature>) -> Option<&str> {
    let signature = signature.filter(|it| it.origin == Dialect::AnthropicMessages)?;
    Some(&signature.data)
}

fn write_call<'a>(call: &'a ToolCall, names: &ToolNames) -> WrittenPart<'a> {
    WrittenPart::ToolUse {
        id: fit_call_id(&call.id, Dialect::AnthropicMessages),
        name: names.wire_name(&call.name, call.namespace.as_deref()),
        input: call_arguments(call),
    }
}

fn write_result<'a>(
    result: &'a ToolResult,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<WrittenPart<'a>, RequestError> {
    let mut content = Vec::new();
    for part in &result.content {
        content.extend(write_part(part, Role::User, names, crossings)?);
    }
    Ok(WrittenPart::ToolResult {
        tool_use_id: fit_call_id(&result.call_id, Dialect::AnthropicMessages),
        content,
        is_error: result.is_error,
    })
}

fn write_media<'a>(
    media: &'a MediaContent,
    crossings: &mut FieldFilter,
) -> Result<Option<WrittenPart<'a>>, RequestError> {
    if media.kind == MediaKind::Audio {
        crossings.check(FieldKind::AudioInput, "messages.audio")?;
        return Ok(None);
    }
    let source = match &media.source {
        MediaSource::Base64(data) => inline_source(media, data.into()),
        MediaSource::Url(url) => match parse_data_url(url) {
            Some((_, data)) => inline_source(media, data.into()),
            None => MediaSourceBody::Url { url },
        },
        MediaSource::File(_) => {
            crossings.check(FieldKind::ProviderFile, "messages.file")?;
            return Ok(None);
        }
    };
    Ok(Some(match media.kind {
        MediaKind::Document => WrittenPart::Document { source, title: media.title.as_deref() },
        MediaKind::Image | MediaKind::Audio => WrittenPart::Image { source },
    }))
}

/// The bytes determine the media type, since a declared type that contradicts them is refused.
fn inline_source<'a>(media: &'a MediaContent, data: Cow<'a, str>) -> MediaSourceBody<'a> {
    let declared = match &media.source {
        MediaSource::Url(url) => parse_data_url(url).and_then(|(declared, _)| declared),
        _ => media.media_type.clone(),
    };
    let told = detect_media_type(&data);
    let is_text = declared.as_deref().is_some_and(|said| said.starts_with("text/"));
    if let (MediaKind::Document, true, None) = (media.kind, is_text, told)
        && let Some(data) = decode_plain_text(&data)
    {
        return MediaSourceBody::Text { media_type: "text/plain", data };
    }
    let usual = if media.kind == MediaKind::Document { "application/pdf" } else { "image/png" };
    let media_type = told.map(Cow::Borrowed).or_else(|| declared.map(Cow::Owned));
    MediaSourceBody::Base64 { media_type: media_type.unwrap_or(Cow::Borrowed(usual)), data }
}

fn decode_plain_text(data: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).ok()?;
    String::from_utf8(bytes).ok()
}
