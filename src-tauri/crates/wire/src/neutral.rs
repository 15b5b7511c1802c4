//! The neutral form of requests and answers, independent of any provider.
//!
//! Each dialect is read into it and written from it, so five dialects need five readers and writers
//! instead of twenty translators. It covers what at least two dialects can express. The rest
//! becomes an [`Extra`], and the table in `crossing` decides about it. Values that must stay exact
//! (tool arguments, schemas, sampling numbers) remain JSON text.

mod answer;
mod event;
mod request;

pub use answer::{Answer, AnswerChoice, Finish, FinishReason};
pub use event::{CallKey, Event, PartDelta, PartHead, Piece};
pub use request::{
    CacheMark, CallKind, Effort, Extra, Json, Media, MediaKind, MediaSource, Message, OutputFormat,
    ParallelCalls, Part, Reasoning, Request, Role, Signature, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult,
};
