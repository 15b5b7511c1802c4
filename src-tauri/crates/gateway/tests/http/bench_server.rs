//! The replies of a backend of each dialect, chunk by chunk.

use serde_json::{Value, json};
use test_support::Reply;

use crate::bench::Server;

impl Server {
    pub(crate) const fn model(self) -> &'static str {
        match self {
            Self::Chat => "gpt",
            Self::Responses => "gpt-r",
            Self::Messages => "claude",
            Self::Gemini => "gemini",
            Self::Ollama => "llama",
        }
    }

    /// One event as it is framed.
    pub(crate) fn event(self, data: &Value) -> String {
        match self {
            Self::Chat => format!("data: {data}\n\n"),
            Self::Responses | Self::Messages => {
                format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
            }
            Self::Gemini => format!("data: {data}\r\n\r\n"),
            Self::Ollama => format!("{data}\n"),
        }
    }

    fn all(self, data: &[Value]) -> Vec<String> {
        data.iter().map(|data| self.event(data)).collect()
    }

    /// The events before the first content.
    pub(crate) fn begin(self) -> Vec<String> {
        match self {
            Self::Chat => self.all(&[chat(&json!({"role": "assistant", "content": ""}), None)]),
            Self::Responses => self.all(&[
                json!({"type": "response.created", "sequence_number": 0,
                    "response": response("in_progress", &json!([]))}),
                json!({"type": "response.output_item.added", "sequence_number": 1,
                    "output_index": 0, "item": item("in_progress", &json!([]))}),
                json!({"type": "response.content_part.added", "sequence_number": 2,
                    "item_id": "msg_1", "output_index": 0, "content_index": 0,
                    "part": {"type": "output_text", "text": "", "annotations": []}}),
            ]),
            Self::Messages => self.all(&[
                json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
                    "role": "assistant", "model": "claude", "content": [], "stop_reason": null,
                    "stop_sequence": null, "usage": {"input_tokens": 7, "output_tokens": 1}}}),
                json!({"type": "content_block_start", "index": 0,
                    "content_block": {"type": "text", "text": ""}}),
                json!({"type": "ping"}),
            ]),
            Self::Gemini | Self::Ollama => Vec::new(),
        }
    }

    pub(crate) fn text(self, text: &str) -> String {
        self.event(&match self {
            Self::Chat => chat(&json!({"content": text}), None),
            Self::Responses => json!({"type": "response.output_text.delta", "sequence_number": 3,
                "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text}),
            Self::Messages => json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": text}}),
            Self::Gemini => json!({"candidates": [{"index": 0,
                "content": {"role": "model", "parts": [{"text": text}]}}],
                "modelVersion": "gemini", "responseId": "r1"}),
            Self::Ollama => json!({"model": "llama", "created_at": "2026-01-01T00:00:00Z",
                "message": {"role": "assistant", "content": text}, "done": false}),
        })
    }

    /// The finish reason and the usage.
    pub(crate) fn finish(self) -> Vec<String> {
        self.finish_with(json!({}))
    }

    /// As [`Self::finish`], with another usage if one is given.
    pub(crate) fn finish_with(self, usage: Value) -> Vec<String> {
        let usage = if usage == json!({}) { self.usage() } else { usage };
        match self {
            Self::Chat => {
                let mut last = chat(&json!({}), None);
                (last["choices"], last["usage"]) = (json!([]), usage);
                self.all(&[chat(&json!({}), Some("stop")), last])
            }
            Self::Responses => {
                let text = json!([{"type": "output_text", "text": "Hello", "annotations": []}]);
                let item = item("completed", &text);
                let mut whole = response("completed", &json!([item]));
                whole["usage"] = usage;
                self.all(&[
                    json!({"type": "response.output_item.done", "sequence_number": 8,
                        "output_index": 0, "item": item}),
                    json!({"type": "response.completed", "sequence_number": 9, "response": whole}),
                ])
            }
            Self::Messages => self.all(&[
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "usage": usage,
                    "delta": {"stop_reason": "end_turn", "stop_sequence": null}}),
            ]),
            Self::Gemini => self.all(&[json!({"candidates": [{"index": 0, "finishReason": "STOP",
                "content": {"role": "model", "parts": [{"text": ""}]}}],
                "usageMetadata": usage, "modelVersion": "gemini", "responseId": "r1"})]),
            Self::Ollama => self.all(&[json!({"model": "llama", "done": true,
                "created_at": "2026-01-01T00:00:00Z", "done_reason": "stop",
                "message": {"role": "assistant", "content": ""},
                "prompt_eval_count": usage["input"], "eval_count": usage["output"]})]),
        }
    }

    /// Seven tokens in, two out.
    pub(crate) fn usage(self) -> Value {
        match self {
            Self::Chat => json!({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}),
            Self::Responses => json!({"input_tokens": 7, "output_tokens": 2, "total_tokens": 9,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0}}),
            Self::Messages => json!({"input_tokens": 7, "output_tokens": 2}),
            Self::Gemini => json!({"promptTokenCount": 7, "candidatesTokenCount": 2,
                "totalTokenCount": 9}),
            Self::Ollama => json!({"input": 7, "output": 2}),
        }
    }

    /// The end marker, in dialects that have one.
    pub(crate) fn terminator(self) -> Option<String> {
        match self {
            Self::Chat => Some("data: [DONE]\n\n".to_owned()),
            Self::Messages => Some(self.event(&json!({"type": "message_stop"}))),
            Self::Responses | Self::Gemini | Self::Ollama => None,
        }
    }

    /// An error event in the stream: overloaded.
    pub(crate) fn busy(self) -> String {
        self.event(&match self {
            Self::Chat => json!({"error": {"message": "busy now", "type": "overloaded_error"}}),
            Self::Responses => json!({"type": "response.failed", "sequence_number": 5, "response":
                {"id": "resp_1", "status": "failed",
                    "error": {"code": "server_is_overloaded", "message": "busy now"}}}),
            Self::Messages => json!({"type": "error",
                "error": {"type": "overloaded_error", "message": "busy now"}}),
            Self::Gemini => json!({"error": {"code": 503, "message": "busy now",
                "status": "UNAVAILABLE"}}),
            Self::Ollama => json!({"error": "busy now"}),
        })
    }

    /// A stream that has begun, with `Hel` sent.
    pub(crate) fn begun(self) -> Vec<String> {
        [self.begin(), vec![self.text("Hel")]].concat()
    }

    /// A stream with all text and its finish reason, without its terminator.
    pub(crate) fn finished(self) -> Vec<String> {
        [self.begun(), vec![self.text("lo")], self.finish()].concat()
    }

    pub(crate) fn whole(self) -> Vec<String> {
        [self.finished(), self.terminator().into_iter().collect()].concat()
    }

    /// A stream of these events.
    pub(crate) fn stream(self, pieces: Vec<String>) -> Reply {
        match self {
            Self::Ollama => Reply::chunked_stream("application/x-ndjson", pieces),
            _ => Reply::sse(pieces),
        }
    }

    /// A whole answer with the text `Hello`.
    pub(crate) fn answer(self) -> Value {
        match self {
            Self::Chat => json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1,
                "model": "gpt", "usage": self.usage(), "choices": [{"index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "Hello"}}]}),
            Self::Responses => {
                let text = json!([{"type": "output_text", "text": "Hello", "annotations": []}]);
                let mut whole = response("completed", &json!([item("completed", &text)]));
                whole["usage"] = self.usage();
                whole
            }
            Self::Messages => json!({"id": "msg_1", "type": "message", "role": "assistant",
                "model": "claude", "content": [{"type": "text", "text": "Hello"}],
                "stop_reason": "end_turn", "stop_sequence": null, "usage": self.usage()}),
            Self::Gemini => json!({"candidates": [{"index": 0, "finishReason": "STOP",
                "content": {"role": "model", "parts": [{"text": "Hello"}]}}],
                "usageMetadata": self.usage(), "modelVersion": "gemini", "responseId": "r1"}),
            Self::Ollama => json!({"model": "llama", "created_at": "2026-01-01T00:00:00Z",
                "message": {"role": "assistant", "content": "Hello"}, "done": true,
                "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 2}),
        }
    }
}

fn chat(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})
}

fn response(status: &str, output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-r",
        "status": status, "output": output, "error": null, "incomplete_details": null,
        "instructions": null, "metadata": {}, "parallel_tool_calls": true, "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0})
}

fn item(status: &str, content: &Value) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "status": status,
        "content": content})
}
