//! The mock as an Ollama server.

use bytes::Bytes;
use serde_json::{Value, json};

use super::mock_dialect::{AnswerFrame, MockDialect, insert};
use super::prompt::{MockOutputFormat, MockParallelCalls, MockPrompt, MockToolChoice};
use super::script::{AnswerScript, ScriptFinish, ScriptPart};
use super::text;
use super::tools::{MockCall, read_function_tools};
use crate::{ErrorAnswer, UsageChunk};

/// `POST /api/chat`: one JSON object a line, complete calls without ids. Every answer ends with
/// `stop` unless a limit cut it.
pub(super) struct OllamaMock;

impl MockDialect for OllamaMock {
    fn read_prompt(&self, body: &Value) -> Option<MockPrompt> {
        let messages = body.get("messages")?.as_array()?;
        let is_role = |message: &Value, role: &str| message.get("role").is_some_and(|r| r == role);
        let user = messages.iter().rev().find(|message| is_role(message, "user"));
        let results = messages.iter().rev().take_while(|message| is_role(message, "tool"));
        let mut tool_results: Vec<_> = results.map(message_text).collect();
        tool_results.reverse();
        let images =
            |message: &Value| message.get("images").and_then(Value::as_array).map_or(0, Vec::len);
        let most = body.pointer("/options/num_predict").and_then(Value::as_i64);
        Some(MockPrompt {
            user: user.map(message_text).unwrap_or_default(),
            tool_results,
            images: messages.iter().map(images).sum(),
            tokens: messages.iter().map(|message| text::count_tokens(&message_text(message))).sum(),
            tools: read_function_tools(body),
            choice: MockToolChoice::Auto,
            parallel_calls: MockParallelCalls::Parallel,
            format: match body.get("format") {
                Some(Value::String(word)) if word == "json" => MockOutputFormat::AnyJson,
                Some(schema @ Value::Object(_)) => MockOutputFormat::Schema(schema.clone()),
                _ => MockOutputFormat::Text,
            },
            // -1 means no limit.
            tokens_max: most.and_then(|most| u64::try_from(most).ok()),
        })
    }

    fn write_answer(&self, script: &AnswerScript) -> Bytes {
        let mut message = json!({"role": "assistant", "content": script.text()});
        let thinking = script.thinking();
        if !thinking.is_empty() {
            insert(&mut message, "thinking", json!(thinking));
        }
        let calls: Vec<_> = script.calls().map(call_object).collect();
        if !calls.is_empty() {
            insert(&mut message, "tool_calls", json!(calls));
        }
        Bytes::from(last_line(script, &message).to_string())
    }

    fn write_stream(&self, script: &AnswerScript, _usage: UsageChunk) -> Vec<AnswerFrame> {
        let line = |message: Value| {
            AnswerFrame::token(format!("{}\n", answer_line(script, &message, false)))
        };
        let mut beats = Vec::new();
        for part in &script.parts {
            match part {
                ScriptPart::Thinking(tokens) => beats.extend(tokens.iter().map(|token| {
                    line(json!({"role": "assistant", "content": "", "thinking": token}))
                })),
                ScriptPart::Text(tokens) => beats.extend(
                    tokens.iter().map(|token| line(json!({"role": "assistant", "content": token}))),
                ),
                ScriptPart::Call(call) => beats.push(line(json!({"role": "assistant",
                    "content": "", "tool_calls": [call_object(call)]}))),
            }
        }
        let done = last_line(script, &json!({"role": "assistant", "content": ""}));
        beats.push(AnswerFrame::frame(format!("{done}\n")));
        beats
    }

    fn stream_content_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn error_body(&self, error: &ErrorAnswer<'_>) -> Bytes {
        Bytes::from(json!({"error": error.message}).to_string())
    }

    fn error_event(&self, error: &ErrorAnswer<'_>, _events: usize) -> Bytes {
        Bytes::from(format!("{}\n", json!({"error": error.message})))
    }
}

fn answer_line(script: &AnswerScript, message: &Value, is_done: bool) -> Value {
    // A fixed date: nobody reads it.
    json!({"model": script.model, "created_at": "2026-01-01T00:00:00Z", "message": message,
        "done": is_done})
}

/// The last line of the answer. Calls end with `stop`, like every answer that no limit cut.
fn last_line(script: &AnswerScript, message: &Value) -> Value {
    let mut line = answer_line(script, message, true);
    let reason = match script.finish {
        ScriptFinish::Length => "length",
        ScriptFinish::Stop | ScriptFinish::ToolCalls => "stop",
    };
    insert(&mut line, "done_reason", json!(reason));
    insert(&mut line, "total_duration", json!(1_000_000));
    if let Some(usage) = script.usage {
        insert(&mut line, "prompt_eval_count", json!(usage.prompt));
        insert(&mut line, "eval_count", json!(usage.output()));
    }
    line
}

fn call_object(call: &MockCall) -> Value {
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
    json!({"function": {"name": call.name, "arguments": arguments}})
}

fn message_text(message: &Value) -> String {
    message.get("content").and_then(Value::as_str).unwrap_or_default().to_owned()
}
