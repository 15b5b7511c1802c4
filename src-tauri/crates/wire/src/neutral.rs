//! The neutral form: what a request and an answer mean, in no provider's words.
//!
//! Each dialect is read into it and written out of it, so that five dialects need five readers and
//! writers and not twenty translators. It holds what at least two dialects can say; what only one can
//! say travels as an [`Extra`] and is judged by the table in `crossing`. Values that must survive to
//! the digit (tool arguments, schemas, sampling numbers) stay JSON text.

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
