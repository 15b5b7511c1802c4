//! The mock as a Chat Completions server.

use bytes::Bytes;
use serde_json::{Value, json};

use super::mock_dialect::{AnswerFrame, MockDialect, insert};
use super::prompt::{MockOutputFormat, MockParallelCalls, MockPrompt, MockToolChoice};
use super::script::{AnswerScript, ScriptFinish, ScriptPart, ScriptUsage};
use super::text;
use super::tools::{MockCall, read_function_tools};
use crate::openai_chat::{DONE_EVENT, error_body, error_event};
use crate::{ErrorAnswer, UsageChunk};

/// Thinking goes into `reasoning_content`, as at DeepSeek.
pub(super) struct ChatMock;

impl MockDialect for ChatMock {
    fn read_prompt(&self, body: &Value) -> Option<MockPrompt> {
        let messages = body.get("messages")?.as_array()?;
        let role = |message: &Value, role: &str| message.get("role").is_some_and(|r| r == role);
        let user = messages.iter().rev().find(|message| role(message, "user"));
        let results = messages.iter().rev().take_while(|message| role(message, "tool"));
        let mut tool_results: Vec<_> = results.map(message_text).collect();
        tool_results.reverse();
        let max = body.get("max_completion_tokens").or_else(|| body.get("max_tokens"));
        let serial = body.get("parallel_tool_calls").is_some_and(|flag| flag == false);
        Some(MockPrompt {
            user: user.map(message_text).unwrap_or_default(),
            tool_results,
            images: messages.iter().map(count_images).sum(),
            tokens: messages.iter().map(|message| text::count_tokens(&message_text(message))).sum(),
            tools: read_function_tools(body),
            choice: read_choice(body),
            parallel_calls: if serial {
                MockParallelCalls::OneAtATime
            } else {
                MockParallelCalls::Parallel
            },
            format: read_format(body),
            tokens_max: max.and_then(Value::as_u64),
        })
    }

    fn write_answer(&self, script: &AnswerScript) -> Bytes {
        let calls: Vec<_> = script.calls().map(call_object).collect();
        let says_text = script.parts.iter().any(|part| matches!(part, ScriptPart::Text(_)));
        let content = says_text.then(|| script.text());
        let mut message = json!({"role": "assistant", "content": content, "refusal": null});
        let thinking = script.thinking();
        if !thinking.is_empty() {
            insert(&mut message, "reasoning_content", json!(thinking));
        }
        if !calls.is_empty() {
            insert(&mut message, "tool_calls", json!(calls));
        }
        let choices = json!([{
            "index": 0, "message": message, "logprobs": null,
            "finish_reason": finish_reason(script.finish),
        }]);
        let mut answer = answer_envelope(script, "chat.completion", choices);
        if let Some(usage) = script.usage {
            insert(&mut answer, "usage", usage_object(usage));
        }
        Bytes::from(answer.to_string())
    }

    fn write_stream(&self, script: &AnswerScript, usage: UsageChunk) -> Vec<AnswerFrame> {
        let reported = script.usage.filter(|_| usage == UsageChunk::Asked);
        let event = |choices: Value, usage: Value| {
            let mut chunk = answer_envelope(script, "chat.completion.chunk", choices);
            if reported.is_some() {
                insert(&mut chunk, "usage", usage);
            }
            format!("data: {chunk}\n\n")
        };
        let choice = |delta: &Value, finish_reason: Option<&str>| {
            let choice = json!([{"index": 0, "delta": delta, "logprobs": null,
                "finish_reason": finish_reason}]);
            event(choice, Value::Null)
        };
        let opening = json!({"role": "assistant", "content": ""});
        let mut beats = vec![AnswerFrame::frame(choice(&opening, None))];
        beats.extend(
            answer_deltas(script).iter().map(|delta| AnswerFrame::token(choice(delta, None))),
        );
        beats.push(AnswerFrame::frame(choice(&json!({}), Some(finish_reason(script.finish)))));
        if let Some(usage) = reported {
            beats.push(AnswerFrame::frame(event(json!([]), usage_object(usage))));
        }
        beats.push(AnswerFrame::terminator(DONE_EVENT));
        beats
    }

    fn error_body(&self, error: &ErrorAnswer<'_>) -> Bytes {
        error_body(error)
    }

    fn error_event(&self, error: &ErrorAnswer<'_>, _events: usize) -> Bytes {
        error_event(error)
    }
}

fn answer_envelope(script: &AnswerScript, object: &str, choices: Value) -> Value {
    let mut frame = json!({
        "id": format!("chatcmpl-mock-{}", script.id), "object": object,
        "created": script.created_unix_s, "model": script.model, "system_fingerprint": "fp_mock",
    });
    insert(&mut frame, "choices", choices);
    frame
}

fn usage_object(usage: ScriptUsage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output(),
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    })
}

const fn finish_reason(finish: ScriptFinish) -> &'static str {
    match finish {
        ScriptFinish::Stop => "stop",
        ScriptFinish::Length => "length",
        ScriptFinish::ToolCalls => "tool_calls",
    }
}

/// One delta for each token. A call starts with its name; its arguments follow in pieces.
fn answer_deltas(script: &AnswerScript) -> Vec<Value> {
    let mut deltas = Vec::new();
    let mut index = 0_usize;
    for part in &script.parts {
        match part {
            ScriptPart::Thinking(tokens) => {
                deltas.extend(tokens.iter().map(|token| json!({"reasoning_content": token})));
            }
            ScriptPart::Text(tokens) => {
                deltas.extend(tokens.iter().map(|token| json!({"content": token})));
            }
            ScriptPart::Call(call) => {
                deltas.extend(call_deltas(call, index));
                index += 1;
            }
        }
    }
    deltas
}

fn call_deltas(call: &MockCall, index: usize) -> Vec<Value> {
    let mut deltas = vec![json!({"tool_calls": [{"index": index, "id": call.id,
        "type": "function", "function": {"name": call.name, "arguments": ""}}]})];
    for piece in text::split_tokens(&call.arguments) {
        deltas.push(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}));
    }
    deltas
}

fn call_object(call: &MockCall) -> Value {
    json!({"id": call.id, "type": "function",
        "function": {"name": call.name, "arguments": call.arguments}})
}

/// Text of a message: its content, or the joined text parts.
fn message_text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn count_images(message: &Value) -> usize {
    let parts = message.get("content").and_then(Value::as_array);
    parts.map_or(0, |parts| parts.iter().filter(|part| part.get("image_url").is_some()).count())
}

fn read_choice(body: &Value) -> MockToolChoice {
    let choice = body.get("tool_choice");
    let name = choice.and_then(|choice| choice.pointer("/function/name")?.as_str());
    match (choice.and_then(Value::as_str), name) {
        (_, Some(name)) => MockToolChoice::Named(name.to_owned()),
        (Some("none"), _) => MockToolChoice::None,
        (Some("required"), _) => MockToolChoice::Required,
        _ => MockToolChoice::Auto,
    }
}

fn read_format(body: &Value) -> MockOutputFormat {
    let format = body.get("response_format");
    let kind = format.and_then(|format| format.get("type")?.as_str());
    let schema = format.and_then(|format| format.pointer("/json_schema/schema"));
    match (kind, schema) {
        (Some("json_schema"), Some(schema)) => MockOutputFormat::Schema(schema.clone()),
        (Some("json_schema" | "json_object"), _) => MockOutputFormat::AnyJson,
        _ => MockOutputFormat::Text,
    }
}
