//! The two measured dialects: requests of a client and answers of a backend.
//!
//! Both answers have the same sentence, the same token counts and the same number of writes, so
//! that the backend's own cost does not hide the cost of translation.

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BenchDialect {
    Chat,
    Messages,
}

/// The delivery format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerFormat {
    Whole,
    Streamed,
}

/// The end of a request's body, the same in both dialects.
const QUESTION: &str = concat!(
    r#"{"role":"user","content":"What does a gatehouse keep, open, watch and write down? One "#,
    r#"sentence, please."}],"temperature":0.2,"max_tokens":64"#
);

/// The text of every whole answer.
const SENTENCE: &str = concat!(
    "A gatehouse keeps the keys, opens the gate, keeps watch and writes down the toll. Nothing in ",
    "this sentence matters but its length, which is that of a short answer."
);

impl BenchDialect {
    /// The dialect of a request path; Chat by default.
    pub(crate) fn of_path(path: &str) -> Self {
        if path.ends_with("/messages") { Self::Messages } else { Self::Chat }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
        }
    }

    /// Text that occurs only in a stream's last event.
    pub(crate) const fn stream_end_marker(self) -> &'static str {
        match self {
            Self::Chat => "[DONE]",
            Self::Messages => r#""message_stop""#,
        }
    }

    pub(crate) fn request_body(self, model: &str, answer: AnswerFormat) -> String {
        let (system, stream) = match (self, answer) {
            (Self::Chat, AnswerFormat::Whole) => (CHAT_SYSTEM, ""),
            (Self::Chat, AnswerFormat::Streamed) => {
                (CHAT_SYSTEM, r#","stream":true,"stream_options":{"include_usage":true}"#)
            }
            (Self::Messages, AnswerFormat::Whole) => (MESSAGES_SYSTEM, ""),
            (Self::Messages, AnswerFormat::Streamed) => (MESSAGES_SYSTEM, r#","stream":true"#),
        };
        format!(r#"{{"model":"{model}",{system}{QUESTION}{stream}}}"#)
    }

    /// A whole answer of about 500 bytes. The one of Chat is also a valid empty list of models, for
    /// probes.
    pub(crate) fn whole_answer_body(self) -> String {
        match self {
            Self::Chat => format!(
                concat!(
                    r#"{{"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"#,
                    r#""model":"bench-model","data":[],"choices":[{{"index":0,"message":{{"#,
                    r#""role":"assistant","content":"{}","refusal":null}},"#,
                    r#""finish_reason":"stop"}}],"usage":{{"prompt_tokens":42,"#,
                    r#""completion_tokens":37,"total_tokens":79,"#,
                    r#""prompt_tokens_details":{{"cached_tokens":0}}}}}}"#
                ),
                SENTENCE
            ),
            Self::Messages => format!(
                concat!(
                    r#"{{"id":"msg_bench","type":"message","role":"assistant","#,
                    r#""model":"bench-model","content":[{{"type":"text","text":"{}"}}],"#,
                    r#""stop_reason":"end_turn","stop_sequence":null,"usage":{{"#,
                    r#""input_tokens":42,"cache_creation_input_tokens":0,"#,
                    r#""cache_read_input_tokens":0,"output_tokens":37}}}}"#
                ),
                SENTENCE
            ),
        }
    }

    /// The events before a stream's first piece; empty in Chat.
    pub(crate) const fn stream_opening(self) -> &'static str {
        match self {
            Self::Chat => "",
            Self::Messages => concat!(
                "event: message_start\n",
                r#"data: {"type":"message_start","message":{"id":"msg_bench","type":"message","#,
                r#""role":"assistant","model":"bench-model","content":[],"stop_reason":null,"#,
                r#""stop_sequence":null,"usage":{"input_tokens":42,"output_tokens":1}}}"#,
                "\n\nevent: content_block_start\n",
                r#"data: {"type":"content_block_start","index":0,"content_block":{"#,
                r#""type":"text","text":""}}"#,
                "\n\n"
            ),
        }
    }

    /// The event with one piece of a streamed answer.
    pub(crate) fn stream_piece(self, text: &str) -> String {
        match self {
            Self::Chat => chat_event(&format!(r#"{{"content":"{text}"}}"#), "null"),
            Self::Messages => format!(
                concat!(
                    "event: content_block_delta\n",
                    r#"data: {{"type":"content_block_delta","index":0,"delta":{{"#,
                    r#""type":"text_delta","text":"{}"}}}}"#,
                    "\n\n"
                ),
                text
            ),
        }
    }

    /// The events after a stream's last piece.
    pub(crate) fn stream_ending(self) -> String {
        match self {
            Self::Chat => chat_event("{}", "\"stop\"") + CHAT_END,
            Self::Messages => MESSAGES_END.to_owned(),
        }
    }
}

const CHAT_SYSTEM: &str = r#""messages":[{"role":"system","content":"You answer briefly."},"#;

const MESSAGES_SYSTEM: &str = r#""system":"You answer briefly.","messages":["#;

const CHAT_END: &str = concat!(
    r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,"#,
    r#""model":"bench-model","choices":[],"usage":{"prompt_tokens":42,"completion_tokens":20,"#,
    r#""total_tokens":62}}"#,
    "\n\ndata: [DONE]\n\n",
);

const MESSAGES_END: &str = concat!(
    "event: content_block_stop\n",
    r#"data: {"type":"content_block_stop","index":0}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#,
    r#""usage":{"output_tokens":20}}"#,
    "\n\nevent: message_stop\n",
    r#"data: {"type":"message_stop"}"#,
    "\n\n",
);

fn chat_event(delta: &str, finish: &str) -> String {
    format!(
        concat!(
            r#"data: {{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,"#,
            r#""model":"bench-model","choices":[{{"index":0,"delta":{},"finish_reason":{}}}]}}"#,
            "\n\n"
        ),
        delta, finish
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{AnswerFormat, BenchDialect};

    #[test]
    fn whatever_is_said_is_json() {
        for dialect in [BenchDialect::Chat, BenchDialect::Messages] {
            let mut texts = vec![dialect.whole_answer_body()];
            for answer in [AnswerFormat::Whole, AnswerFormat::Streamed] {
                texts.push(dialect.request_body("bench-model", answer));
            }
            let stream = dialect.stream_opening().to_owned()
                + &dialect.stream_piece("@1@")
                + &dialect.stream_ending();
            let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
            texts.extend(data.filter(|data| *data != "[DONE]").map(str::to_owned));
            for text in texts {
                assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
            }
            assert_eq!(stream.matches(dialect.stream_end_marker()).count(), 1);
            assert_eq!(BenchDialect::of_path(dialect.path()), dialect);
        }
    }
}
