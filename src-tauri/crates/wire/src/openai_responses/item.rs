//! The items of an answer, as sent to a client.

use serde::Serialize;
use serde_json::{Value, json};

use super::reasoning::{encrypted, encrypted_whole};
use crate::neutral::{CallKind, Media, MediaKind, MediaSource, Part, PartHead, Signature};

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    Message { id: String, status: Status, role: &'static str, content: Vec<Content> },
    Reasoning { id: String, summary: Vec<Summary>, encrypted_content: Option<String> },
    FunctionCall(Call),
    CustomToolCall(CustomCall),
    ImageGenerationCall { id: String, status: Status, result: String },
}

/// One part of a message's content.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content {
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
pub(super) struct Summary {
    pub(super) text: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Call {
    pub(super) id: String,
    status: Status,
    call_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    pub(super) name: String,
    pub(super) arguments: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct CustomCall {
    pub(super) id: String,
    call_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    pub(super) input: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

impl Content {
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

impl Item {
    /// A new item at index `place` in the output of `answer`. `None` for content that has no item
    /// type in the dialect (audio).
    pub(super) fn begin(head: &PartHead, answer: &str, place: usize) -> Option<Self> {
        let id = |prefix: &str| format!("{prefix}_{answer}_{place}");
        let status = Status::InProgress;
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
                encrypted_content: Some(encrypted_whole(signature)),
            },
            PartHead::Call { id: call_id, name, namespace, kind: CallKind::Function } => {
                Self::FunctionCall(Call {
                    id: id("fc"),
                    status,
                    call_id: call_id.clone(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                    arguments: String::new(),
                })
            }
            PartHead::Call { id: call_id, name, namespace, kind: CallKind::Custom } => {
                Self::CustomToolCall(CustomCall {
                    id: id("ctc"),
                    call_id: call_id.clone(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                    input: String::new(),
                })
            }
            PartHead::Media(media) => {
                let result = picture(media)?.to_owned();
                Self::ImageGenerationCall { id: id("ig"), status: Status::Completed, result }
            }
        })
    }

    /// A complete item for a complete part.
    pub(super) fn of(part: &Part, answer: &str, place: usize) -> Option<Self> {
        let mut item = Self::begin(&head(part)?, answer, place)?;
        match part {
            Part::Text { text, .. } => item.push_content(Content::text(text.clone())),
            Part::Refusal(text) => item.push_content(Content::refusal(text.clone())),
            Part::Thinking { text, signature } => {
                item.push_text(text);
                if let Some(signature) = signature {
                    item.sign(signature);
                }
            }
            Part::ToolCall(call) => item.push_text(&call.arguments),
            _ => {}
        }
        item.end(Status::Completed);
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

    pub(super) fn push_content(&mut self, part: Content) {
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
                None => summary.push(Summary { text: more.to_owned() }),
            },
            Self::FunctionCall(call) => call.arguments.push_str(more),
            Self::CustomToolCall(call) => call.input.push_str(more),
            Self::ImageGenerationCall { .. } => {}
        }
    }

    pub(super) fn sign(&mut self, signature: &Signature) {
        if let Self::Reasoning { encrypted_content, .. } = self {
            *encrypted_content = Some(encrypted(signature));
        }
    }

    pub(super) fn end(&mut self, as_status: Status) {
        match self {
            Self::Message { status, .. } | Self::FunctionCall(Call { status, .. }) => {
                *status = as_status;
            }
            _ => {}
        }
    }

    /// The item as announced, without its content.
    pub(super) fn announced(&self) -> Value {
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
fn picture(media: &Media) -> Option<&str> {
    match (&media.source, media.kind) {
        (MediaSource::Base64(data), MediaKind::Image) => Some(data),
        _ => None,
    }
}

fn head(part: &Part) -> Option<PartHead> {
    Some(match part {
        Part::Text { .. } => PartHead::Text,
        Part::Refusal(_) => PartHead::Refusal,
        Part::Media(media) => PartHead::Media(media.clone()),
        Part::Thinking { .. } => PartHead::Thinking,
        Part::RedactedThinking(signature) => PartHead::RedactedThinking(signature.clone()),
        Part::ToolCall(call) => PartHead::Call {
            id: call.id.clone(),
            name: call.name.clone(),
            namespace: call.namespace.clone(),
            kind: call.kind,
        },
        Part::ToolResult(_) => return None,
    })
}
