//! The neutral form of requests and answers, independent of any provider.
//!
//! Each dialect is read into it and written from it, so five dialects need five readers and writers
//! instead of twenty translators. It covers what at least two dialects can express. The rest
//! becomes an [`ExtraField`], and the table in `crossing` decides about it. Values that must stay exact
//! (tool arguments, schemas, sampling numbers) remain JSON text.

mod answer;
mod event;
mod request;

pub use answer::{AnswerChoice, Finish, FinishReason, ModelAnswer};
pub use event::{AnswerEvent, CallKey, PartDelta, PartHead, ProviderEvent};
pub use request::{
    CacheBreakpoint, CallKind, ContentPart, ConversationTurn, ExtraField, JsonText, MediaContent,
    MediaKind, MediaSource, ModelRequest, OutputFormat, ParallelCalls, Reasoning, Role,
    ThinkingEffort, ThoughtSignature, ToolCall, ToolChoice, ToolDefinition, ToolKind, ToolResult,
};
