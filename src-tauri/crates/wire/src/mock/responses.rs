//! The mock as an OpenAI Responses server.

mod prompt;

use bytes::Bytes;
use domain::Dialect;
use serde_json::{Value, json};

use super::mock_dialect::{AnswerFrame, AnswerFrameKind, MockDialect, insert};
use super::prompt::MockPrompt;
use super::script::{AnswerScript, ScriptFinish, ScriptPart, ScriptUsage};
use super::text;
use super::tools::MockCall;
use crate::dialect::{error_body, error_event};
use crate::neutral::CallKind;
use crate::{ErrorAnswer, UsageChunk};

/// Stands for encrypted thinking that only the mock can read.
const ENCRYPTED: &str = "bW9jay10aGlua2luZw==";

/// One event carries both the finish reason and the end, so there is no terminator that could be
/// left out.
pub(super) struct ResponsesMock;

impl MockDialect for ResponsesMock {
    fn read_prompt(&self, body: &Value) -> Option<MockPrompt> {
        prompt::read_prompt(body)
    }

    fn write_answer(&self, script: &AnswerScript) -> Bytes {
        let output: Vec<_> =
            script.parts.iter().enumerate().map(|part| output_item(script, part)).collect();
        Bytes::from(response_body(script, status(script.finish), &json!(output)).to_string())
    }

    fn write_stream(&self, script: &AnswerScript, _usage: UsageChunk) -> Vec<AnswerFrame> {
        let mut stream = NumberedEvents::default();
        for kind in ["response.created", "response.in_progress"] {
            let begun = response_body(script, "in_progress", &json!([]));
            stream.frame(json!({"type": kind, "response": begun}));
        }
        let mut output = Vec::new();
        for part in script.parts.iter().enumerate() {
            let whole = output_item(script, part);
            stream.part(part, &whole);
            output.push(whole);
        }
        let status = status(script.finish);
        let last = response_body(script, status, &json!(output));
        stream.frame(json!({"type": format!("response.{status}"), "response": last}));
        stream.frames
    }

    fn error_body(&self, error: &ErrorAnswer<'_>) -> Bytes {
        error_body(Dialect::OpenAiResponses, error)
    }

    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes {
        error_event(
            Dialect::OpenAiResponses,
            error,
            u64::try_from(events).unwrap_or(u64::MAX),
            None,
        )
    }
}

/// Numbers the events of a stream.
#[derive(Default)]
struct NumberedEvents {
    frames: Vec<AnswerFrame>,
}

impl NumberedEvents {
    fn frame(&mut self, event: Value) {
        self.event(AnswerFrameKind::Frame, event);
    }

    fn event(&mut self, kind: AnswerFrameKind, mut event: Value) {
        insert(&mut event, "sequence_number", json!(self.frames.len()));
        let name = event.get("type").and_then(Value::as_str).unwrap_or_default();
        let bytes = Bytes::from(format!("event: {name}\ndata: {event}\n\n"));
        self.frames.push(AnswerFrame { kind, bytes });
    }

    /// Writes one part of the answer as an item: added, its deltas, done.
    fn part(&mut self, (place, part): (usize, &ScriptPart), whole: &Value) {
        let id = whole.get("id").cloned().unwrap_or_default();
        let at = |mut event: Value| {
            insert(&mut event, "item_id", id.clone());
            insert(&mut event, "output_index", json!(place));
            event
        };
        let added = json!({"type": "response.output_item.added", "item": announced_item(whole)});
        self.frame(at(added));
        match part {
            ScriptPart::Thinking(tokens) => self.thinking(tokens, at),
            ScriptPart::Text(tokens) => self.text(tokens, at),
            ScriptPart::Call(call) => self.call(call, at),
        }
        self.frame(at(json!({"type": "response.output_item.done", "item": whole})));
    }

    fn thinking(&mut self, tokens: &[String], at: impl Fn(Value) -> Value) {
        let part = |kind: &str, text: &str| {
            at(json!({"type": format!("response.reasoning_summary_part.{kind}"),
                "summary_index": 0, "part": {"type": "summary_text", "text": text}}))
        };
        self.frame(part("added", ""));
        for token in tokens {
            let delta = json!({"type": "response.reasoning_summary_text.delta",
                "summary_index": 0, "delta": token});
            self.event(AnswerFrameKind::Token, at(delta));
        }
        let text = tokens.concat();
        self.frame(at(json!({"type": "response.reasoning_summary_text.done",
            "summary_index": 0, "text": text})));
        self.frame(part("done", &text));
    }

    fn text(&mut self, tokens: &[String], at: impl Fn(Value) -> Value) {
        let part = |kind: &str, text: &str| {
            at(json!({"type": format!("response.content_part.{kind}"), "content_index": 0,
                "part": text_part(text)}))
        };
        self.frame(part("added", ""));
        for token in tokens {
            let delta = json!({"type": "response.output_text.delta", "content_index": 0,
                "logprobs": [], "delta": token});
            self.event(AnswerFrameKind::Token, at(delta));
        }
        let text = tokens.concat();
        self.frame(at(json!({"type": "response.output_text.done", "content_index": 0,
            "logprobs": [], "text": text})));
        self.frame(part("done", &text));
    }

    fn call(&mut self, call: &MockCall, at: impl Fn(Value) -> Value) {
        let (family, key) = match call.kind {
            CallKind::Function => ("response.function_call_arguments", "arguments"),
            CallKind::Custom => ("response.custom_tool_call_input", "input"),
        };
        for piece in text::split_tokens(&call.arguments) {
            let delta = json!({"type": format!("{family}.delta"), "delta": piece});
            self.event(AnswerFrameKind::Token, at(delta));
        }
        let mut done = json!({"type": format!("{family}.done"), "name": call.name});
        insert(&mut done, key, json!(call.arguments));
        self.frame(at(done));
    }
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn output_item(script: &AnswerScript, (place, part): (usize, &ScriptPart)) -> Value {
    let id = |prefix: &str| format!("{prefix}_mock_{}_{place}", script.id);
    match part {
        ScriptPart::Thinking(tokens) => json!({
            "id": id("rs"), "type": "reasoning", "encrypted_content": ENCRYPTED,
            "summary": [{"type": "summary_text", "text": tokens.concat()}],
        }),
        ScriptPart::Text(tokens) => json!({
            "id": id("msg"), "type": "message", "role": "assistant", "status": status(script.finish),
            "content": [text_part(&tokens.concat())],
        }),
        ScriptPart::Call(call) => {
            let mut item = match call.kind {
                CallKind::Function => json!({"id": id("fc"), "type": "function_call",
                    "status": "completed", "arguments": call.arguments}),
                CallKind::Custom => {
                    json!({"id": id("ctc"), "type": "custom_tool_call", "input": call.arguments})
                }
            };
            insert(&mut item, "call_id", json!(call.id));
            insert(&mut item, "name", json!(call.name));
            if let Some(namespace) = &call.namespace {
                insert(&mut item, "namespace", json!(namespace));
            }
            item
        }
    }
}

/// An item before any of its content.
fn announced_item(whole: &Value) -> Value {
    let mut item = whole.clone();
    for (key, empty) in [
        ("content", json!([])),
        ("summary", json!([])),
        ("arguments", json!("")),
        ("input", json!("")),
        ("status", json!("in_progress")),
        ("encrypted_content", Value::Null),
    ] {
        if item.get(key).is_some() {
            insert(&mut item, key, empty);
        }
    }
    item
}

const fn status(finish: ScriptFinish) -> &'static str {
    match finish {
        ScriptFinish::Stop | ScriptFinish::ToolCalls => "completed",
        ScriptFinish::Length => "incomplete",
    }
}

fn response_body(script: &AnswerScript, status: &str, output: &Value) -> Value {
    let why = json!({"reason": "max_output_tokens"});
    let mut response = json!({
        "id": format!("resp_mock_{}", script.id), "object": "response",
        "created_at": script.created_unix_s, "status": status, "error": null,
        "incomplete_details": if status == "incomplete" { why } else { Value::Null },
        "instructions": null, "metadata": {}, "model": script.model, "output": output,
        "parallel_tool_calls": true, "temperature": 1, "tool_choice": "auto", "tools": [],
        "top_p": 1, "store": false,
    });
    if let Some(usage) = script.usage.filter(|_| status != "in_progress") {
        insert(&mut response, "usage", usage_object(usage));
    }
    response
}

fn usage_object(usage: ScriptUsage) -> Value {
    json!({
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.output(),
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total(),
    })
}

#[cfg(test)]
mod tests;
