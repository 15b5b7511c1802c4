//! What the mock reads of a request.

use serde_json::Value;

use super::text;
use crate::ClientRequest;

/// A request as the mock understands it.
#[derive(Debug)]
pub(super) struct Prompt {
    /// The text of the last user message.
    pub(super) user: String,
    /// The results of tools, if the conversation ends with them.
    pub(super) tool_results: Vec<String>,
    /// Tokens of all messages' texts.
    pub(super) tokens: u64,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: ToolChoice,
    pub(super) calls: Calls,
    pub(super) format: Format,
    /// `max_completion_tokens`, or the older `max_tokens`.
    pub(super) tokens_max: Option<u64>,
}

/// One function offered to the model.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) parameters: Value,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ToolChoice {
    Auto,
    None,
    Required,
    Named(String),
}

/// `parallel_tool_calls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    OneAtATime,
    Parallel,
}

/// `response_format`.
#[derive(Debug)]
pub(super) enum Format {
    Text,
    AnyJson,
    Schema(Value),
}

impl Prompt {
    /// `None` if a part of the body cannot be held as a value (a lone surrogate, `1e999`).
    pub(super) fn read(request: &ClientRequest) -> Option<Self> {
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        let messages = body.get("messages")?.as_array()?;
        let role = |message: &Value, role: &str| message.get("role").is_some_and(|r| r == role);
        let user = messages.iter().rev().find(|message| role(message, "user"));
        let results = messages.iter().rev().take_while(|message| role(message, "tool"));
        let mut tool_results: Vec<_> = results.map(content).collect();
        tool_results.reverse();
        let max = body.get("max_completion_tokens").or_else(|| body.get("max_tokens"));
        let serial = body.get("parallel_tool_calls").is_some_and(|flag| flag == false);
        Some(Self {
            user: user.map(content).unwrap_or_default(),
            tool_results,
            tokens: messages.iter().map(|message| text::count(&content(message))).sum(),
            tools: read_tools(&body),
            choice: read_choice(&body),
            calls: if serial { Calls::OneAtATime } else { Calls::Parallel },
            format: read_format(&body),
            tokens_max: max.and_then(Value::as_u64),
        })
    }
}

/// The text of a message: its content, or the text parts of it.
fn content(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn read_tools(body: &Value) -> Vec<Tool> {
    let list = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |tool: &Value| {
        let function = tool.get("function")?;
        let name = function.get("name")?.as_str()?.to_owned();
        let parameters = function.get("parameters").cloned();
        let parameters = parameters.unwrap_or_else(|| serde_json::json!({"type": "object"}));
        Some(Tool { name, parameters })
    };
    list.iter().filter_map(read).collect()
}

fn read_choice(body: &Value) -> ToolChoice {
    let choice = body.get("tool_choice");
    let name = choice.and_then(|choice| choice.pointer("/function/name")?.as_str());
    match (choice.and_then(Value::as_str), name) {
        (_, Some(name)) => ToolChoice::Named(name.to_owned()),
        (Some("none"), _) => ToolChoice::None,
        (Some("required"), _) => ToolChoice::Required,
        _ => ToolChoice::Auto,
    }
}

fn read_format(body: &Value) -> Format {
    let format = body.get("response_format");
    let kind = format.and_then(|format| format.get("type")?.as_str());
    let schema = format.and_then(|format| format.pointer("/json_schema/schema"));
    match (kind, schema) {
        (Some("json_schema"), Some(schema)) => Format::Schema(schema.clone()),
        (Some("json_schema" | "json_object"), _) => Format::AnyJson,
        _ => Format::Text,
    }
}
