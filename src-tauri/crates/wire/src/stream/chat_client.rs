//! Reads Chat Completions answers as a client displays them: text, reasoning, the end, errors.
//!
//! For answers of Gatehouse's own gateway. Answers of backends are read by the dialects' readers,
//! which keep everything that another dialect may need.

use serde::Deserialize;

use crate::stream::sse::{SseDecoder, SseEventTooLarge, SsePayload};

/// What one event of a streamed answer adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatDelta {
    /// Text, or the text of a refusal.
    pub text: String,
    pub reasoning: String,
    pub finish_reason: Option<String>,
    pub error: Option<ChatError>,
    /// The stream is complete: `[DONE]`.
    pub is_end: bool,
}

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatError {
    pub message: String,
    pub code: Option<String>,
}

#[derive(Debug, Default)]
pub struct ChatStreamReader(SseDecoder);

impl ChatStreamReader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// The next event; `None` until more bytes are pushed. Skips what is not a chunk.
    pub fn next_delta(&mut self) -> Result<Option<ChatDelta>, SseEventTooLarge> {
        while let Some(event) = self.0.next_event()? {
            let SsePayload::Data(data) = event.payload else { continue };
            if data.as_ref() == b"[DONE]" {
                return Ok(Some(ChatDelta { is_end: true, ..ChatDelta::default() }));
            }
            if let Ok(chunk) = serde_json::from_slice::<Chunk>(&data) {
                return Ok(Some(chunk.into()));
            }
        }
        Ok(None)
    }
}

/// Reads the body of an answer with an error status; `None` if it holds no error object.
#[must_use]
pub fn read_chat_error(body: &[u8]) -> Option<ChatError> {
    serde_json::from_slice::<ErrorAnswer>(body).ok().map(|answer| answer.error)
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ChatError,
}

#[derive(Deserialize)]
struct Chunk {
    error: Option<ChatError>,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<ChoiceDelta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct ChoiceDelta {
    content: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

impl From<Chunk> for ChatDelta {
    fn from(chunk: Chunk) -> Self {
        let mut whole = Self { error: chunk.error, ..Self::default() };
        for choice in chunk.choices {
            let delta = choice.delta.unwrap_or_default();
            whole.text.push_str(&delta.content.or(delta.refusal).unwrap_or_default());
            let reasoning = delta.reasoning_content.or(delta.reasoning);
            whole.reasoning.push_str(&reasoning.unwrap_or_default());
            whole.finish_reason = choice.finish_reason.or(whole.finish_reason);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str) -> Vec<ChatDelta> {
        let mut reader = ChatStreamReader::default();
        reader.push(stream.as_bytes());
        std::iter::from_fn(|| reader.next_delta().expect("small events")).collect()
    }

    #[test]
    fn text_reasoning_and_the_end_are_read_and_the_rest_is_skipped() {
        let stream = concat!(
            ": heartbeat\n\n",
            "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"so\"}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n",
            "data: not JSON\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n",
            "data: [DONE]\n\n",
        );
        let told = read(stream);
        let expected = [
            ChatDelta { reasoning: "so".to_owned(), ..ChatDelta::default() },
            ChatDelta {
                text: "hi".to_owned(),
                finish_reason: Some("stop".to_owned()),
                ..ChatDelta::default()
            },
            ChatDelta::default(),
            ChatDelta { is_end: true, ..ChatDelta::default() },
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_error_has_its_message_and_code() {
        let expected = ChatError { message: "no".to_owned(), code: Some("full".to_owned()) };
        let body = "{\"error\":{\"message\":\"no\",\"code\":\"full\",\"type\":\"x\"}}";
        assert_eq!(read_chat_error(body.as_bytes()), Some(expected.clone()));
        assert_eq!(read(&format!("data: {body}\n\n"))[0].error, Some(expected));
        assert_eq!(read_chat_error(b"<html>"), None);
    }
}
