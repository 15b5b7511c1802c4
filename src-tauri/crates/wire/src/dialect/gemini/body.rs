//! Contents and their parts as written, shared by requests and answers.

use serde::Serialize;

use crate::neutral::{JsonText, MediaContent, MediaSource};

use super::media;
use crate::media_type::{detect_media_type, parse_data_url};

/// One turn of a request, or the content of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct GeminiContentBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    pub(super) parts: Vec<GeminiPart>,
}

/// One part: one kind of content, and the fields beside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GeminiPart {
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

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FunctionCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) args: JsonText,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FunctionResponse {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) response: JsonText,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<GeminiPart>,
}

impl GeminiPart {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    pub(super) fn thought(text: impl Into<String>) -> Self {
        Self { thought: Some(true), ..Self::text(text) }
    }

    pub(super) fn call(id: String, name: String, args: JsonText) -> Self {
        let function_call = Some(FunctionCall { id, name, args });
        Self { function_call, ..Self::default() }
    }

    /// Writes media as its bytes, or as the address that the provider fetches.
    pub(super) fn media(medium: &MediaContent) -> Self {
        let said = medium.media_type.clone();
        let bytes = match &medium.source {
            MediaSource::Base64(data) => Some((said.clone(), data.clone())),
            MediaSource::Url(url) => {
                parse_data_url(url).map(|(kind, data)| (kind.or(said.clone()), data))
            }
            MediaSource::File(_) => None,
        };
        match (bytes, &medium.source) {
            (Some((said, data)), _) => {
                let told = detect_media_type(&data).map(str::to_owned);
                let mime_type =
                    told.or(said).unwrap_or_else(|| default_media_type(medium).to_owned());
                let inline_data = Some(InlineData { mime_type, data });
                Self { inline_data, ..Self::default() }
            }
            (None, MediaSource::Url(uri) | MediaSource::File(uri)) => {
                let mime_type = said.or_else(|| media::media_type_from_extension(uri));
                let file_data = Some(FileData { mime_type, file_uri: uri.clone() });
                Self { file_data, ..Self::default() }
            }
            (None, MediaSource::Base64(_)) => Self::default(),
        }
    }
}

/// Media type assumed for media without one.
const fn default_media_type(medium: &MediaContent) -> &'static str {
    use crate::neutral::MediaKind;
    match medium.kind {
        MediaKind::Image => "image/png",
        MediaKind::Document => "application/pdf",
        MediaKind::Audio => "audio/wav",
    }
}
