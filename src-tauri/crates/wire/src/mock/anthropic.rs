//! The mock as an Anthropic Messages server.
//!
//! As strict as the original where translators fail: the next turn must begin with the results of
//! all calls.

use bytes::Bytes;
use domain::Dialect;
use serde_json::{Value, json};

use super::mock_dialect::{AnswerFrame, MockDialect, insert};
use super::prompt::{MockOutputFormat, MockParallelCalls, MockPrompt, MockTool, MockToolChoice};
use super::script::{AnswerScript, ScriptFinish, ScriptPart};
use super::text;
use super::tools::MockCall;
use crate::dialect::{error_body, error_event};
use crate::{ErrorAnswer, UsageChunk};

pub(super) struct AnthropicMock;

impl MockDialect for AnthropicMock {
    fn read_prompt(&self, body: &Value) -> Option<MockPrompt> {
        let messages = body.get("messages")?.as_array()?;
        if !calls_are_answered(messages) {
            return None;
        }
        let users = || messages.iter().rev().filter(|message| has_role(message, "user"));
        let user = users().map(message_text).find(|words| !words.is_empty());
        let max = body.get("max_tokens").and_then(Value::as_u64);
        let serial = body.pointer("/tool_choice/disable_parallel_tool_use");
        let system = body.get("system").map(content_text).unwrap_or_default();
        let spoken = messages
            .iter()
            .filter_map(|message| message.get("content"))
            .map(content_text_with_results);
        Some(MockPrompt {
            user: user.unwrap_or_default(),
            tool_results: trailing_tool_results(messages),
            images: messages
                .iter()
                .filter_map(|message| message.get("content"))
                .map(count_images)
                .sum(),
            tokens: text::count_tokens(&system)
                + spoken.map(|spoken| text::count_tokens(&spoken)).sum::<u64>(),
            tools: read_tools(body),
            choice: read_choice(body),
            parallel_calls: if serial == Some(&Value::Bool(true)) {
                MockParallelCalls::OneAtATime
            } else {
                MockParallelCalls::Parallel
            },
            format: read_format(body),
            tokens_max: max,
        })
    }

    fn write_answer(&self, script: &AnswerScript) -> Bytes {
        let mut message = message_body(script);
        let content: Vec<Value> =
            script.parts.iter().map(|part| content_block(part, script)).collect();
        insert(&mut message, "content", json!(content));
        insert(&mut message, "stop_reason", json!(stop_reason(script.finish)));
        match script.usage {
            Some(_) => insert(&mut message, "usage", usage_body(script)),
            None => insert(&mut message, "usage", Value::Null),
        }
        Bytes::from(message.to_string())
    }

    fn write_stream(&self, script: &AnswerScript, _usage: UsageChunk) -> Vec<AnswerFrame> {
        let mut start = message_body(script);
        if script.usage.is_some() {
            let mut usage = usage_body(script);
            insert(&mut usage, "output_tokens", json!(1));
            insert(&mut start, "usage", usage);
        }
        let mut beats = vec![
            AnswerFrame::frame(sse_event(&json!({"type": "message_start", "message": start}))),
            AnswerFrame::frame(sse_event(&json!({"type": "ping"}))),
        ];
        for (index, part) in script.parts.iter().enumerate() {
            write_block(part, index, script, &mut beats);
        }
        let delta = json!({"stop_reason": stop_reason(script.finish), "stop_sequence": null});
        let mut end = json!({"type": "message_delta", "delta": delta});
        if script.usage.is_some() {
            insert(&mut end, "usage", usage_body(script));
        }
        beats.push(AnswerFrame::frame(sse_event(&end)));
        beats.push(AnswerFrame::terminator(sse_event(&json!({"type": "message_stop"}))));
        beats
    }

    fn error_body(&self, error: &ErrorAnswer<'_>) -> Bytes {
        error_body(Dialect::AnthropicMessages, error)
    }

    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes {
        error_event(
            Dialect::AnthropicMessages,
            error,
            u64::try_from(events).unwrap_or(u64::MAX),
            None,
        )
    }
}

fn message_body(script: &AnswerScript) -> Value {
    json!({
        "id": format!("msg_mock_{}", script.id), "type": "message", "role": "assistant",
        "model": script.model, "content": [], "stop_reason": null, "stop_sequence": null,
    })
}

fn usage_body(script: &AnswerScript) -> Value {
    let tokens = |count: fn(super::script::ScriptUsage) -> u64| script.usage.map_or(0, count);
    json!({
        "input_tokens": tokens(|usage| usage.prompt),
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": tokens(super::script::ScriptUsage::output),
        "output_tokens_details": {"thinking_tokens": tokens(|usage| usage.reasoning)},
        "service_tier": "standard",
    })
}

const fn stop_reason(finish: ScriptFinish) -> &'static str {
    match finish {
        ScriptFinish::Stop => "end_turn",
        ScriptFinish::Length => "max_tokens",
        ScriptFinish::ToolCalls => "tool_use",
    }
}

fn signature(script: &AnswerScript) -> String {
    format!("mock+{}/==", script.id)
}

fn content_block(part: &ScriptPart, script: &AnswerScript) -> Value {
    match part {
        ScriptPart::Thinking(tokens) => json!({
            "type": "thinking", "thinking": tokens.concat(), "signature": signature(script),
        }),
        ScriptPart::Text(tokens) => json!({"type": "text", "text": tokens.concat()}),
        ScriptPart::Call(call) => {
            let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
        }
    }
}

fn sse_event(data: &Value) -> String {
    let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n")
}

/// Writes one block: its start, its tokens, its stop.
fn write_block(
    part: &ScriptPart,
    index: usize,
    script: &AnswerScript,
    beats: &mut Vec<AnswerFrame>,
) {
    let start = |block: Value| {
        sse_event(&json!({"type": "content_block_start", "index": index, "content_block": block}))
    };
    let delta = |delta: Value| {
        sse_event(&json!({"type": "content_block_delta", "index": index, "delta": delta}))
    };
    match part {
        ScriptPart::Thinking(tokens) => {
            let empty = json!({"type": "thinking", "thinking": "", "signature": ""});
            beats.push(AnswerFrame::frame(start(empty)));
            let token = |token| delta(json!({"type": "thinking_delta", "thinking": token}));
            beats.extend(tokens.iter().map(|text| AnswerFrame::token(token(text))));
            let signature = json!({"type": "signature_delta", "signature": signature(script)});
            beats.push(AnswerFrame::frame(delta(signature)));
        }
        ScriptPart::Text(tokens) => {
            beats.push(AnswerFrame::frame(start(json!({"type": "text", "text": ""}))));
            let token = |token| delta(json!({"type": "text_delta", "text": token}));
            beats.extend(tokens.iter().map(|text| AnswerFrame::token(token(text))));
        }
        ScriptPart::Call(MockCall { id, name, arguments, .. }) => {
            let empty = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            beats.push(AnswerFrame::token(start(empty)));
            let piece = |piece| delta(json!({"type": "input_json_delta", "partial_json": piece}));
            beats.push(AnswerFrame::frame(piece("")));
            beats.extend(
                text::split_tokens(arguments)
                    .into_iter()
                    .map(|text| AnswerFrame::token(piece(text))),
            );
        }
    }
    let stop = json!({"type": "content_block_stop", "index": index});
    beats.push(AnswerFrame::frame(sse_event(&stop)));
}

fn has_role(message: &Value, role: &str) -> bool {
    message.get("role").is_some_and(|said| said == role)
}

fn blocks(content: &Value) -> &[Value] {
    content.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_kind(block: &Value, kind: &str) -> bool {
    block.get("type").is_some_and(|said| said == kind)
}

/// Joins the plain texts of a content.
fn content_text(content: &Value) -> String {
    let text = |block: &Value| Some(block.get("text")?.as_str()?.to_owned());
    match content {
        Value::String(text) => text.clone(),
        _ => blocks(content).iter().filter_map(text).collect::<Vec<_>>().join("\n"),
    }
}

/// Joins the plain texts of a message, without tool results.
fn message_text(message: &Value) -> String {
    message.get("content").map(content_text).unwrap_or_default()
}

/// Joins the texts of a content, tool results included.
fn content_text_with_results(content: &Value) -> String {
    let results: Vec<String> = blocks(content).iter().filter_map(result_text).collect();
    format!("{}\n{}", content_text(content), results.join("\n"))
}

fn result_text(block: &Value) -> Option<String> {
    is_kind(block, "tool_result")
        .then(|| block.get("content").map(content_text).unwrap_or_default())
}

/// Tool results at the end of the conversation.
fn trailing_tool_results(messages: &[Value]) -> Vec<String> {
    let content = messages.last().and_then(|message| message.get("content"));
    let blocks = content.map(blocks).unwrap_or_default();
    if blocks.last().is_some_and(|block| is_kind(block, "tool_result")) {
        return blocks.iter().filter_map(result_text).collect();
    }
    Vec::new()
}

fn count_images(content: &Value) -> usize {
    let inside = |block: &Value| block.get("content").map_or(0, count_images);
    blocks(content)
        .iter()
        .map(|block| if is_kind(block, "image") { 1 } else { inside(block) })
        .sum()
}

fn calls_are_answered(messages: &[Value]) -> bool {
    let content = |message: Option<&Value>| -> Vec<Value> {
        message.and_then(|message| message.get("content")).map(blocks).unwrap_or_default().to_vec()
    };
    messages.iter().enumerate().filter(|(_, message)| has_role(message, "assistant")).all(
        |(place, message)| {
            let next = content(messages.get(place + 1));
            let results: Vec<&Value> =
                next.iter().take_while(|block| is_kind(block, "tool_result")).collect();
            let is_answered = |call: &Value| {
                results.iter().any(|result| result.get("tool_use_id") == call.get("id"))
            };
            content(Some(message))
                .iter()
                .filter(|block| is_kind(block, "tool_use"))
                .all(is_answered)
        },
    )
}

fn read_tools(body: &Value) -> Vec<MockTool> {
    let list = body.get("tools").map(blocks).unwrap_or_default();
    let is_function = |tool: &&Value| tool.get("type").is_none_or(|kind| kind == "custom");
    let read = |tool: &Value| {
        Some(MockTool::function(tool.get("name")?.as_str()?, tool.get("input_schema")))
    };
    list.iter().filter(is_function).filter_map(read).collect()
}

fn read_choice(body: &Value) -> MockToolChoice {
    let choice = |key: &str| body.get("tool_choice")?.get(key)?.as_str();
    match (choice("type"), choice("name")) {
        (Some("tool"), Some(name)) => MockToolChoice::Named(name.to_owned()),
        (Some("any"), _) => MockToolChoice::Required,
        (Some("none"), _) => MockToolChoice::None,
        _ => MockToolChoice::Auto,
    }
}

fn read_format(body: &Value) -> MockOutputFormat {
    let schema = body.pointer("/output_config/format/schema");
    let schema = schema.or_else(|| body.pointer("/output_format/schema"));
    schema.map_or(MockOutputFormat::Text, |schema| MockOutputFormat::Schema(schema.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiSurface, ClientRequest, mock};

    /// Vercel's `@ai-sdk/anthropic` reads the usage details at the end of the answer, where the
    /// real service sends them.
    #[test]
    fn a_stream_tells_the_thinking_in_its_last_usage() {
        let body = json!({"model": "think", "max_tokens": 64, "stream": true,
            "messages": [{"role": "user", "content": "Is it warm"}]});
        let body = Bytes::from(body.to_string());
        let request = ClientRequest::parse(ApiSurface::AnthropicMessages, body).expect("a request");
        let answer = mock::answer(&request, 0);
        let bytes: Vec<u8> = answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
        let text = String::from_utf8(bytes).expect("text");
        let end = text.lines().find(|line| line.contains("\"message_delta\"")).expect("an end");
        let end: Value = serde_json::from_str(end.trim_start_matches("data: ")).expect("JSON");
        assert_eq!(end["usage"]["output_tokens_details"]["thinking_tokens"], 12);
        assert_eq!(end["usage"]["output_tokens"], 15);
    }
}
