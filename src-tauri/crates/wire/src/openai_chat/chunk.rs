//! One chunk of a stream, read by slices.
//!
//! Content is never decoded: a lone surrogate or a huge number in it is the client's business.

use serde_json::value::RawValue;

use crate::json::{Members, items};
use crate::{CHOICES_MAX, StreamFault};

/// What a tap needs of one chunk.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    pub(super) error: Option<&'a RawValue>,
    pub(super) model: Option<String>,
    pub(super) usage: Option<&'a RawValue>,
    /// The `choices` value as it stands, for cutting it out.
    pub(super) choices_at: Option<&'a RawValue>,
    pub(super) choices: Vec<Choice>,
}

/// What one choice of a chunk adds.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u64,
    pub(super) finish_reason: Option<String>,
    pub(super) adds: Adds,
    /// The raw length of its text, thinking and arguments, in bytes.
    pub(super) content_bytes: usize,
}

/// What a delta adds for the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adds {
    /// A role, an empty text, or nothing at all.
    Nothing,
    /// Text, reasoning, a refusal, audio.
    Text,
    /// A piece of a tool call, with or without text.
    ToolCall,
}

const TEXT_FIELDS: [&str; 5] = ["content", "reasoning_content", "reasoning", "refusal", "audio"];
const TOOL_FIELDS: [&str; 2] = ["tool_calls", "function_call"];

impl<'a> Chunk<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, StreamFault> {
        let members = Members::parse(text).map_err(|_| StreamFault::NotJson)?;
        let choices_at = members.get("choices");
        let raw = match choices_at {
            Some(value) => items(value).ok_or(StreamFault::NotJson)?,
            None => Vec::new(),
        };
        if raw.len() > CHOICES_MAX {
            return Err(StreamFault::TooManyChoices);
        }
        let choices = raw.into_iter().map(Choice::read).collect::<Result<_, _>>()?;
        Ok(Self {
            error: members.get("error"),
            model: members.string("model"),
            usage: members.get("usage"),
            choices_at,
            choices,
        })
    }

    /// Whether the chunk carries usage and nothing else.
    pub(super) fn is_usage_only(&self) -> bool {
        self.choices.is_empty() && self.usage.is_some()
    }
}

impl Choice {
    pub(super) fn read(value: &RawValue) -> Result<Self, StreamFault> {
        let members = Members::parse(value.get()).map_err(|_| StreamFault::NotJson)?;
        // Whole answers have `message` where chunks have `delta`; some servers mix them up.
        let delta =
            members.object(if members.get("delta").is_some() { "delta" } else { "message" });
        let has = |fields: &[&str]| fields.iter().any(|field| is_filled(delta.get(field)));
        let adds = if has(&TOOL_FIELDS) {
            Adds::ToolCall
        } else if has(&TEXT_FIELDS) {
            Adds::Text
        } else {
            Adds::Nothing
        };
        let index = members.get("index").and_then(|index| index.get().parse().ok());
        let finish_reason = members.string("finish_reason").filter(|reason| !reason.is_empty());
        let content_bytes = content_bytes(&delta, adds);
        Ok(Self { index: index.unwrap_or_default(), finish_reason, adds, content_bytes })
    }
}

/// Lengths as they stand in the text: nothing is decoded, and thinking under two names counts once.
fn content_bytes(delta: &Members<'_>, adds: Adds) -> usize {
    let length =
        |raw: Option<&RawValue>| raw.map_or(0, |raw| raw.get().len().saturating_sub("\"\"".len()));
    let thinking = delta.get("reasoning_content").or_else(|| delta.get("reasoning"));
    let words = match adds {
        Adds::Nothing => return 0,
        Adds::Text | Adds::ToolCall => {
            length(delta.get("content")) + length(delta.get("refusal")) + length(thinking)
        }
    };
    if adds == Adds::Text {
        return words;
    }
    let arguments = |call: &RawValue| {
        let function = Members::parse(call.get()).ok()?.object("function");
        Some(length(function.get("arguments")))
    };
    let calls = delta.get("tool_calls").and_then(items).unwrap_or_default();
    words + calls.into_iter().filter_map(arguments).sum::<usize>()
}

/// An event of this JSON. Line breaks between its tokens become spaces; in strings JSON has none.
pub(super) fn data_event(json: &str) -> String {
    format!("data: {}\n\n", json.replace(['\r', '\n'], " "))
}

fn is_filled(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| !matches!(value.get(), "\"\"" | "[]" | "{}"))
}
