//! One chunk of a stream, read as slices.
//!
//! Content is not decoded, so a lone surrogate or a huge number in it reaches the client as is.

use serde_json::value::RawValue;

use super::usage::{BESIDE_CHOICES, ChunkBill, has_citations, is_filled, server_tool, server_work};
use crate::StreamFault;
use crate::answer::CHOICES_MAX;
use crate::json::{PickedValues, array_items, decode_string, pick, pick_each};

/// The members of a chunk that a tap needs.
#[derive(Debug)]
pub(super) struct ChatChunk<'a> {
    pub(super) error: Option<&'a RawValue>,
    pub(super) model: Option<String>,
    pub(super) usage: Option<&'a RawValue>,
    choice_usage: Option<&'a RawValue>,
    x_groq: Option<&'a RawValue>,
    service_tier: Option<&'a RawValue>,
    /// By [`BESIDE_CHOICES`].
    beside: [Option<&'a RawValue>; 2],
    /// The raw `choices` value, for cutting it out.
    pub(super) choices_raw: Option<&'a RawValue>,
    pub(super) choices: Vec<ChunkChoice<'a>>,
}

#[derive(Debug)]
pub(super) struct ChunkChoice<'a> {
    pub(super) index: u64,
    pub(super) finish_reason: Option<String>,
    pub(super) delta: ChunkDelta<'a>,
}

/// The kind of content that a delta adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeltaKind {
    /// A role, an empty text, or nothing.
    Nothing,
    /// Text, reasoning, a refusal or audio.
    Text,
    /// A piece of a tool call, with or without text.
    ToolCall,
}

impl<'a> ChatChunk<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, StreamFault> {
        let [searched, breakdown] = BESIDE_CHOICES;
        let keys =
            ["error", "model", "usage", "choices", "service_tier", "x_groq", searched, breakdown];
        let [error, model, usage, choices_at, service_tier, x_groq, searched, breakdown] =
            pick(text, keys).ok_or(StreamFault::NotJson)?;
        let keys = ["index", "delta", "message", "finish_reason", "usage"];
        let raw = match choices_at {
            Some(value) => pick_each(value, keys, CHOICES_MAX).ok_or(StreamFault::NotJson)?,
            None => Vec::new(),
        };
        if raw.len() > CHOICES_MAX {
            return Err(StreamFault::TooManyChoices);
        }
        let choice_usage = raw.iter().find_map(|[.., usage]| *usage);
        let choices = raw.into_iter().map(ChunkChoice::of).collect();
        Ok(Self {
            error,
            model: model.and_then(decode_string),
            usage,
            choice_usage,
            x_groq,
            service_tier,
            beside: [searched, breakdown],
            choices_raw: choices_at,
            choices,
        })
    }

    /// True if the chunk has usage and no choices.
    pub(super) fn is_usage_only(&self) -> bool {
        self.choices.is_empty() && self.usage.is_some()
    }

    pub(super) fn bill(&self) -> ChunkBill<'_> {
        ChunkBill {
            usage: ChunkBill::usage_of(self.usage, self.choice_usage, self.x_groq),
            service_tier: self.service_tier,
            model: self.model.as_deref(),
            has_citations: self.choices.iter().any(|choice| choice.delta.has_citations()),
            billed_beside: server_work(self.beside)
                .or_else(|| self.choices.iter().find_map(|choice| choice.delta.server_tool())),
        }
    }
}

impl<'a> ChunkChoice<'a> {
    fn of([index, delta, message, finish_reason, _]: PickedValues<'a, 5>) -> Self {
        let finish_reason =
            finish_reason.and_then(decode_string).filter(|reason| !reason.is_empty());
        let index = index.and_then(|index| index.get().parse().ok()).unwrap_or_default();
        // Whole answers have `message` where chunks have `delta`; some servers mix them up.
        let delta = delta.or(message).and_then(ChunkDelta::read).unwrap_or_default();
        Self { index, finish_reason, delta }
    }
}

/// The members of a delta or message that hold content.
#[derive(Debug, Default)]
pub(super) struct ChunkDelta<'a> {
    content: Option<&'a RawValue>,
    refusal: Option<&'a RawValue>,
    audio: Option<&'a RawValue>,
    /// `reasoning_content` and `reasoning`; some servers send both.
    thinking: [Option<&'a RawValue>; 2],
    tool_calls: Option<&'a RawValue>,
    function_call: Option<&'a RawValue>,
    annotations: Option<&'a RawValue>,
    executed_tools: Option<&'a RawValue>,
}

impl<'a> ChunkDelta<'a> {
    fn read(value: &'a RawValue) -> Option<Self> {
        let keys = [
            "content",
            "refusal",
            "audio",
            "reasoning_content",
            "reasoning",
            "tool_calls",
            "function_call",
            "annotations",
            "executed_tools",
        ];
        let [
            content,
            refusal,
            audio,
            thinking,
            reasoning,
            tool_calls,
            function_call,
            annotations,
            executed_tools,
        ] = pick(value.get(), keys)?;
        let thinking = [thinking, reasoning];
        Some(Self {
            content,
            refusal,
            audio,
            thinking,
            tool_calls,
            function_call,
            annotations,
            executed_tools,
        })
    }

    pub(super) fn kind(&self) -> DeltaKind {
        let [thinking, reasoning] = self.thinking;
        if [self.tool_calls, self.function_call].into_iter().any(is_filled) {
            DeltaKind::ToolCall
        } else if [self.content, thinking, reasoning, self.refusal, self.audio]
            .into_iter()
            .any(is_filled)
        {
            DeltaKind::Text
        } else {
            DeltaKind::Nothing
        }
    }

    pub(super) fn has_citations(&self) -> bool {
        has_citations(self.annotations)
    }

    fn server_tool(&self) -> Option<&'static str> {
        server_tool(self.executed_tools, self.tool_calls)
    }

    /// Raw length of text, thinking and arguments, in bytes. Nothing is decoded, and thinking sent
    /// under both names counts once.
    pub(super) fn content_bytes(&self) -> u64 {
        let [thinking, reasoning] = self.thinking;
        let words = string_length(self.content)
            + string_length(self.refusal)
            + string_length(thinking.or(reasoning));
        let calls = self.tool_calls.and_then(array_items).unwrap_or_default();
        let bytes = words + calls.into_iter().filter_map(arguments_length).sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

fn string_length(raw: Option<&RawValue>) -> usize {
    raw.map_or(0, |raw| raw.get().len().saturating_sub("\"\"".len()))
}

/// Length of a call's arguments.
fn arguments_length(call: &RawValue) -> Option<usize> {
    let [function] = pick(call.get(), ["function"])?;
    let [arguments] = pick(function?.get(), ["arguments"])?;
    Some(string_length(arguments))
}

/// An SSE event with this JSON. Line breaks between its tokens become spaces; JSON strings contain
/// none.
pub(super) fn data_event(json: &str) -> String {
    format!("data: {}\n\n", json.replace(['\r', '\n'], " "))
}
