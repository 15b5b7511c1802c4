//! Reads a Responses request for the mock.

use serde_json::Value;

use super::super::prompt::{
    MockOutputFormat, MockParallelCalls, MockPrompt, MockTool, MockToolChoice,
};
use super::super::text;
use crate::neutral::CallKind;

pub(super) fn read_prompt(body: &Value) -> Option<MockPrompt> {
    let input = body.get("input")?;
    let items = input.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_user = |item: &&Value| item.get("role").is_some_and(|role| role == "user");
    let user = input.as_str().map(str::to_owned);
    let user = user.or_else(|| items.iter().rev().find(is_user).map(item_text));
    let mut tool_results: Vec<_> =
        items.iter().rev().map_while(|item| Some(content_text(item.get("output")?))).collect();
    tool_results.reverse();
    let instructions = body.get("instructions").and_then(Value::as_str).unwrap_or_default();
    let said = input.as_str().unwrap_or_default();
    let tokens: u64 = items.iter().map(|item| text::count_tokens(&item_text(item))).sum();
    let serial = body.get("parallel_tool_calls").is_some_and(|flag| flag == false);
    Some(MockPrompt {
        user: user.unwrap_or_default(),
        tool_results,
        images: items.iter().map(count_images).sum(),
        tokens: tokens + text::count_tokens(instructions) + text::count_tokens(said),
        tools: list(body.get("tools")).iter().flat_map(read_tools).collect(),
        choice: read_choice(body),
        parallel_calls: if serial {
            MockParallelCalls::OneAtATime
        } else {
            MockParallelCalls::Parallel
        },
        format: read_format(body),
        tokens_max: body.get("max_output_tokens").and_then(Value::as_u64),
    })
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Text of a message or of a tool's result.
fn item_text(item: &Value) -> String {
    item.get("content").or_else(|| item.get("output")).map(content_text).unwrap_or_default()
}

fn content_text(content: &Value) -> String {
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let texts = list(Some(content)).iter().filter_map(|part| part.get("text")?.as_str());
    texts.collect::<Vec<_>>().join("\n")
}

fn count_images(item: &Value) -> usize {
    let parts = list(item.get("content")).iter().chain(list(item.get("output")));
    parts.filter(|part| part.get("type").is_some_and(|kind| kind == "input_image")).count()
}

/// Reads a tool, or all tools of a namespace.
fn read_tools(tool: &Value) -> Vec<MockTool> {
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(name) = tool.get("name").and_then(Value::as_str) else { return Vec::new() };
    let mut found =
        MockTool::function(name, tool.get("parameters").filter(|value| !value.is_null()));
    match kind {
        "function" => vec![found],
        "custom" => {
            found.kind = CallKind::Custom;
            vec![found]
        }
        "namespace" => {
            let nested = list(tool.get("tools")).iter().flat_map(read_tools);
            nested.map(|tool| MockTool { namespace: Some(name.to_owned()), ..tool }).collect()
        }
        _ => Vec::new(),
    }
}

fn read_choice(body: &Value) -> MockToolChoice {
    let choice = body.get("tool_choice");
    let name = choice.and_then(|choice| choice.get("name")?.as_str());
    match (choice.and_then(Value::as_str), name) {
        (_, Some(name)) => MockToolChoice::Named(name.to_owned()),
        (Some("none"), _) => MockToolChoice::None,
        (Some("required"), _) => MockToolChoice::Required,
        _ => MockToolChoice::Auto,
    }
}

fn read_format(body: &Value) -> MockOutputFormat {
    let format = body.pointer("/text/format");
    let kind = format.and_then(|format| format.get("type")?.as_str());
    let schema = format.and_then(|format| format.get("schema"));
    match (kind, schema) {
        (Some("json_schema"), Some(schema)) => MockOutputFormat::Schema(schema.clone()),
        (Some("json_schema" | "json_object"), _) => MockOutputFormat::AnyJson,
        _ => MockOutputFormat::Text,
    }
}
