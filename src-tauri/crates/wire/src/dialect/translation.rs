//! The interface that every dialect module implements.
//!
//! Readers and writers know their own dialect and the neutral form, never another dialect.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::answer::StreamFault;
use crate::dialect::tool_names::ToolNames;
use crate::error::ErrorAnswer;
use crate::neutral::{AnswerEvent, ModelRequest, ProviderEvent};
use crate::stream::sse::SseEvent;

/// A request in a backend's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TranslatedRequest {
    pub(crate) body: Bytes,
    /// Dropped fields of the client's request, in the client's spelling, for the header
    /// `x-gatehouse-dropped`.
    pub(crate) dropped: Vec<String>,
}

/// What a written answer repeats from its request, and what the gateway adds.
#[derive(Debug, Clone)]
pub(crate) struct RequestEcho {
    pub(crate) request: Arc<ModelRequest>,
    /// For answers whose provider gave no id: unique, letters and digits only.
    pub(crate) id: String,
    /// Unix time in seconds, for dialects that put a date into answers.
    pub(crate) created_unix_s: i64,
}

/// What translating an answer back needs.
#[derive(Debug, Clone)]
pub(crate) struct AnswerTranslation {
    pub(crate) echo: RequestEcho,
    pub(crate) names: Arc<ToolNames>,
}

/// Parses a backend's stream in one dialect.
pub(crate) trait StreamReader: Send {
    /// Returns the pieces in one event. Unknown events give none; the reader fails only on events
    /// that contradict the dialect.
    fn read(&mut self, event: &SseEvent) -> Result<Vec<ProviderEvent>, StreamFault>;
}

/// Writes a client's stream in one dialect.
pub(crate) trait StreamWriter: Send {
    /// Appends `event` in this dialect; may append nothing.
    fn write(&mut self, event: &AnswerEvent, out: &mut BytesMut);

    /// The event that reports an incomplete answer, consistent with what was written so far.
    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes;
}
