//! Validates a finished OpenAI chat stream.
//!
//! It shares no code with the gateway's own reader on purpose, because a shared reader would share
//! its mistakes. A valid stream contains, in this order: text chunks of one response, a finish
//! reason, the usage, `[DONE]`, and nothing after it.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChatStreamSummary {
    pub(super) chunks: usize,
    pub(super) finish_reason: String,
    /// `total_tokens` of the usage.
    pub(super) tokens: u64,
}

/// What is wrong with a stream. The message is a clause that can follow a colon; numbers count the
/// events before the faulty one, without `[DONE]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChatStreamFault {
    /// The event is not a JSON object with an id.
    #[error("chunk {0} of the stream is not readable")]
    Unreadable(usize),
    /// An error event from the gateway or the backend.
    #[error("the stream ended with an error at chunk {0}")]
    ErrorEvent(usize),
    /// A chunk of another response, text after the finish reason, or anything after the usage or
    /// `[DONE]`.
    #[error("chunk {0} of the stream is out of order")]
    OutOfOrder(usize),
    #[error("the stream has no text")]
    NoText,
    #[error("the stream has no finish reason")]
    NoFinish,
    #[error("the stream reports no tokens")]
    NoUsage,
    /// There is no `[DONE]`.
    #[error("the stream has no end marker")]
    NoEnd,
}

/// Parses and validates the body of a stream.
pub(super) fn validate_stream(body: &[u8]) -> Result<ChatStreamSummary, ChatStreamFault> {
    let text = String::from_utf8_lossy(body);
    let mut events = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let mut reading = ChatStreamReader::default();
    for (place, event) in events.by_ref().enumerate() {
        if event == "[DONE]" {
            reading.done = true;
            break;
        }
        reading.read_event(place, event)?;
    }
    match events.next() {
        Some(_) => Err(ChatStreamFault::OutOfOrder(reading.events)),
        None => reading.finish(),
    }
}

#[derive(Default)]
struct ChatStreamReader {
    events: usize,
    answer: Option<String>,
    chunks: usize,
    finish_reason: Option<String>,
    tokens: Option<u64>,
    done: bool,
}

impl ChatStreamReader {
    fn read_event(&mut self, place: usize, event: &str) -> Result<(), ChatStreamFault> {
        self.events = place + 1;
        let event: Value =
            serde_json::from_str(event).map_err(|_| ChatStreamFault::Unreadable(place))?;
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(ChatStreamFault::ErrorEvent(place));
        }
        let id = event.get("id").and_then(Value::as_str);
        let id = id.ok_or(ChatStreamFault::Unreadable(place))?;
        if self.answer.get_or_insert_with(|| id.to_owned()) != id || self.tokens.is_some() {
            return Err(ChatStreamFault::OutOfOrder(place));
        }
        let piece = event.pointer("/choices/0/delta/content").and_then(Value::as_str);
        if piece.is_some_and(|piece| !piece.is_empty()) {
            if self.finish_reason.is_some() {
                return Err(ChatStreamFault::OutOfOrder(place));
            }
            self.chunks += 1;
        }
        if let Some(reason) = event.pointer("/choices/0/finish_reason").and_then(Value::as_str) {
            self.finish_reason = Some(reason.to_owned());
        }
        self.tokens = event.pointer("/usage/total_tokens").and_then(Value::as_u64);
        Ok(())
    }

    fn finish(self) -> Result<ChatStreamSummary, ChatStreamFault> {
        if self.chunks == 0 {
            return Err(ChatStreamFault::NoText);
        }
        let finish_reason = self.finish_reason.ok_or(ChatStreamFault::NoFinish)?;
        let tokens = self.tokens.filter(|tokens| *tokens > 0).ok_or(ChatStreamFault::NoUsage)?;
        if !self.done {
            return Err(ChatStreamFault::NoEnd);
        }
        Ok(ChatStreamSummary { chunks: self.chunks, finish_reason, tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: &str = r#"{"id":"c","choices":[{"delta":{"content":"hi"}}],"usage":null}"#;
    const FINISH: &str = r#"{"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    const USAGE: &str = r#"{"id":"c","choices":[],"usage":{"total_tokens":7}}"#;
    const END: &str = "[DONE]";

    #[track_caller]
    fn check(events: &[&str], wanted: &Result<usize, ChatStreamFault>) {
        let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        assert_eq!(validate_stream(body.as_bytes()).map(|seen| seen.chunks), *wanted);
    }

    #[test]
    fn a_good_stream_is_counted_and_every_missing_or_misplaced_part_is_named() {
        check(&[PIECE, PIECE, FINISH, USAGE, END], &Ok(2));
        check(&[PIECE, FINISH, USAGE], &Err(ChatStreamFault::NoEnd));
        check(&[PIECE, FINISH, END], &Err(ChatStreamFault::NoUsage));
        check(&[PIECE, USAGE, END], &Err(ChatStreamFault::NoFinish));
        check(&[FINISH, USAGE, END], &Err(ChatStreamFault::NoText));
        check(&[], &Err(ChatStreamFault::NoText));
        check(&[PIECE, FINISH, PIECE, USAGE, END], &Err(ChatStreamFault::OutOfOrder(2)));
        check(&[PIECE, FINISH, USAGE, END, PIECE], &Err(ChatStreamFault::OutOfOrder(3)));
        check(&[PIECE, FINISH, USAGE, FINISH, END], &Err(ChatStreamFault::OutOfOrder(3)));
        check(&[PIECE, r#"{"id":"other","choices":[]}"#], &Err(ChatStreamFault::OutOfOrder(1)));
        check(&[PIECE, r#"{"error":{"message":"gone"}}"#], &Err(ChatStreamFault::ErrorEvent(1)));
        check(&[PIECE, "{"], &Err(ChatStreamFault::Unreadable(1)));
    }
}
