//! The items of an answer, as sent to a client.

use serde::Serialize;
use serde_json::{Value, json};

use super::reasoning::redacted_content;
use crate::neutral::{
    CallKind, ContentPart, MediaContent, MediaKind, MediaSource, PartHead, ThoughtSignature,
};

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OutputItem {
    Message { id: String, status: ItemStatus, role: &'static str, content: Vec<OutputContent> },
    Reasoning { id: String, summary: Vec<SummaryPart>, encrypted_content: Option<String> },
    FunctionCall(FunctionCallItem),
    CustomToolCall(CustomCallItem),
    ImageGenerationCall { id: String, status: ItemStatus, result: String },
}

/// One part of a message's content.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OutputContent {
    /// Citations and log probabilities are not translated, but the lists are required.
    OutputText {
        text: String,
        annotations: [(); 0],
        logprobs: [(); 0],
    },
    Refusal {
        refusal: String,
    },
}

/// One part of a reasoning summary.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "summary_text")]
pub(super) struct SummaryPart {
    pub(super) text: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct FunctionCallItem {
    pub(super) id: String,
    status: ItemStatus,
    call_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    pub(super) name: String,
    pub(super) arguments: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct CustomCallItem {
    pub(super) id: String,
    call_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    pub(super) input: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ItemStatus {
    InProgress,
    Completed,
    Incomplete,
}

impl OutputContent {
    pub(super) fn text(text: String) -> Self {
        Self::OutputText { text, annotations: [], logprobs: [] }
    }

    pub(super) const fn refusal(refusal: String) -> Self {
        Self::Refusal { refusal }
    }

    pub(super) fn push(&mut self, more: &str) {
        match self {
            Self::OutputText { text, .. } | Self::Refusal { refusal: text } => text.push_str(more),
        }
    }
}

impl OutputItem {
    /// A new item at index `place` in the output of `answer`. `None` for content that has no item
    /// type in the dialect (audio).
    pub(super) fn begin(head: &PartHead, answer: &str, place: usize) -> Option<Self> {
        let id = |prefix: &str| format!("{prefix}_{answer}_{place}");
        let status = ItemStatus::InProgress;
        Some(match head {
            PartHead::Text | PartHead::Refusal => {
                Self::Message { id: id("msg"), status, role: "assistant", content: Vec::new() }
            }
            PartHead::Thinking => {
                Self::Reasoning { id: id("rs"), summary: Vec::new(), encrypted_content: None }
            }
            PartHead::RedactedThinking(signature) => Self::Reasoning {
                id: id("rs"),
                summary: Vec::new(),
                encrypted_content: Some(redacted_content(signature)),
            },
            PartHead::Call { id: call_id, name, namespace, kind: CallKind::Function } => {
                Self::FunctionCall(FunctionCallItem {
                    id: id("fc"),
                    status,
                    call_id: call_id.clone(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                    arguments: String::new(),
                })
            }
            PartHead::Call { id: call_id, name, namespace, kind: CallKind::Custom } => {
                Self::CustomToolCall(CustomCallItem {
                    id: id("ctc"),
                    call_id: call_id.clone(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                    input: String::new(),
                })
            }
            PartHead::Media(media) => {
                let result = image_data(media)?.to_owned();
                Self::ImageGenerationCall { id: id("ig"), status: ItemStatus::Completed, result }
            }
        })
    }

    /// A complete item for a complete part.
    pub(super) fn from_part(part: &ContentPart, answer: &str, place: usize) -> Option<Self> {
        let mut item = Self::begin(&part_head(part)?, answer, place)?;
        match part {
            ContentPart::Text { text, .. } => item.push_content(OutputContent::text(text.clone())),
            ContentPart::Refusal(text) => item.push_content(OutputContent::refusal(text.clone())),
            ContentPart::Thinking { text, signature } => {
                item.push_text(text);
                if let Some(signature) = signature {
                    item.set_signature(signature);
                }
            }
            ContentPart::ToolCall(call) => item.push_text(&call.arguments),
            _ => {}
        }
        item.set_status(ItemStatus::Completed);
        Some(item)
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Message { id, .. }
            | Self::Reasoning { id, .. }
            | Self::ImageGenerationCall { id, .. } => id,
            Self::FunctionCall(call) => &call.id,
            Self::CustomToolCall(call) => &call.id,
        }
    }

    pub(super) fn push_content(&mut self, part: OutputContent) {
        if let Self::Message { content, .. } = self {
            content.push(part);
        }
    }

    /// Appends to the current text: of the last part, the summary, or the arguments.
    pub(super) fn push_text(&mut self, more: &str) {
        match self {
            Self::Message { content, .. } => {
                if let Some(last) = content.last_mut() {
                    last.push(more);
                }
            }
            Self::Reasoning { summary, .. } => match summary.last_mut() {
                _ if more.is_empty() => {}
                Some(last) => last.text.push_str(more),
                None => summary.push(SummaryPart { text: more.to_owned() }),
            },
            Self::FunctionCall(call) => call.arguments.push_str(more),
            Self::CustomToolCall(call) => call.input.push_str(more),
            Self::ImageGenerationCall { .. } => {}
        }
    }

    pub(super) fn set_signature(&mut self, signature: &ThoughtSignature) {
        if let Self::Reasoning { encrypted_content, .. } = self {
            *encrypted_content = Some(super::reasoning::encrypted_content(signature));
        }
    }

    pub(super) fn set_status(&mut self, as_status: ItemStatus) {
        match self {
            Self::Message { status, .. } | Self::FunctionCall(FunctionCallItem { status, .. }) => {
                *status = as_status;
            }
            _ => {}
        }
    }

    /// The item as announced, without its content.
    pub(super) fn announcement(&self) -> Value {
        match self {
            // The schema requires the `result` member.
            Self::ImageGenerationCall { id, .. } => json!({
                "type": "image_generation_call", "id": id, "status": "in_progress", "result": null,
            }),
            _ => json!(self),
        }
    }
}

/// The data of an image given as base64.
fn image_data(media: &MediaContent) -> Option<&str> {
    match (&media.source, media.kind) {
        (MediaSource::Base64(data), MediaKind::Image) => Some(data),
        _ => None,
    }
}

fn part_head(part: &ContentPart) -> Option<PartHead> {
    Some(match part {
        ContentPart::Text { .. } => PartHead::Text,
        ContentPart::Refusal(_) => PartHead::Refusal,
        ContentPart::Media(media) => PartHead::Media(media.clone()),
        ContentPart::Thinking { .. } => PartHead::Thinking,
        ContentPart::RedactedThinking(signature) => PartHead::RedactedThinking(signature.clone()),
        ContentPart::ToolCall(call) => PartHead::Call {
            id: call.id.clone(),
            name: call.name.clone(),
            namespace: call.namespace.clone(),
            kind: call.kind,
        },
        ContentPart::ToolResult(_) => return None,
    })
}
