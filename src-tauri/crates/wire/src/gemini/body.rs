//! Contents and their parts as written, shared by requests and answers.

use serde::Serialize;

use crate::neutral::{Json, Media, MediaSource};

use super::media;
use crate::media_type::{data_url, told_by_bytes};

/// One turn of a request, or the content of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    pub(super) parts: Vec<PartBody>,
}

/// One part: one kind of content, and the fields beside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inline_data: Option<InlineData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<FileData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_response: Option<FunctionResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<String>,
}

/// File contents in base64.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineData {
    pub(super) mime_type: String,
    pub(super) data: String,
}

/// A file by its URI.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<String>,
    pub(super) file_uri: String,
}

/// A complete call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FunctionCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) args: Json,
}

/// A tool's result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FunctionResponse {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) response: Json,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<PartBody>,
}

impl PartBody {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    pub(super) fn thought(text: impl Into<String>) -> Self {
        Self { thought: Some(true), ..Self::text(text) }
    }

    pub(super) fn call(id: String, name: String, args: Json) -> Self {
        let function_call = Some(FunctionCall { id, name, args });
        Self { function_call, ..Self::default() }
    }

    /// Writes media as its bytes, or as the address that the provider fetches.
    pub(super) fn media(medium: &Media) -> Self {
        let said = medium.media_type.clone();
        let bytes = match &medium.source {
            MediaSource::Base64(data) => Some((said.clone(), data.clone())),
            MediaSource::Url(url) => {
                data_url(url).map(|(kind, data)| (kind.or(said.clone()), data))
            }
            MediaSource::File(_) => None,
        };
        match (bytes, &medium.source) {
            (Some((said, data)), _) => {
                let told = told_by_bytes(&data).map(str::to_owned);
                let mime_type = told.or(said).unwrap_or_else(|| fallback(medium).to_owned());
                let inline_data = Some(InlineData { mime_type, data });
                Self { inline_data, ..Self::default() }
            }
            (None, MediaSource::Url(uri) | MediaSource::File(uri)) => {
                let mime_type = said.or_else(|| media::by_ending(uri));
                let file_data = Some(FileData { mime_type, file_uri: uri.clone() });
                Self { file_data, ..Self::default() }
            }
            (None, MediaSource::Base64(_)) => Self::default(),
        }
    }
}

/// Media type assumed for media without one.
const fn fallback(medium: &Media) -> &'static str {
    use crate::neutral::MediaKind;
    match medium.kind {
        MediaKind::Image => "image/png",
        MediaKind::Document => "application/pdf",
        MediaKind::Audio => "audio/wav",
    }
}

/// Converts a call's arguments to the object that Gemini requires. Anything that is not an object
/// is kept under `_raw`, where it can be seen (FAULTS F54).
pub(super) fn arguments(text: &str) -> Json {
    if text.trim().is_empty() {
        return Json::empty_object();
    }
    match Json::parse(text) {
        Some(json) if json.is_object() => json,
        _ => member("_raw", text),
    }
}

/// A JSON object with one text member.
pub(super) fn member(name: &str, text: &str) -> Json {
    Json::from_value(&serde_json::json!({ name: text }))
}
