//! Decides when the mock calls tools, and with what arguments.

use serde_json::Value;

use super::prompt::{MockParallelCalls, MockPrompt, MockTool, MockToolChoice};
use super::{schema, text};
use crate::neutral::CallKind;

#[derive(Debug)]
pub(super) struct MockCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: CallKind,
    /// JSON text, or the free text of a custom tool.
    pub(super) arguments: String,
}

/// Calls that `prompt` asks for; none if it wants text.
///
/// `tool_choice` can force calls. Else the last message must be the user's and contain a tool's
/// name, "tool" or "call". All named tools are called; if none is named, the first. "parallel" with
/// one tool calls it twice.
pub(super) fn choose_calls(prompt: &MockPrompt) -> Vec<MockCall> {
    let says = |word: &str| prompt.user.to_lowercase().contains(&word.to_lowercase());
    let named: Vec<&MockTool> = prompt.tools.iter().filter(|tool| says(&tool.name)).collect();
    let asked = || !named.is_empty() || says("tool") || says("call");
    let mut chosen = match &prompt.choice {
        MockToolChoice::Named(name) => {
            prompt.tools.iter().filter(|tool| tool.name == *name).collect()
        }
        MockToolChoice::Required => named_or_first(named, prompt),
        MockToolChoice::Auto if prompt.tool_results.is_empty() && asked() => {
            named_or_first(named, prompt)
        }
        MockToolChoice::Auto | MockToolChoice::None => Vec::new(),
    };
    match (prompt.parallel_calls, chosen.as_slice()) {
        (MockParallelCalls::Parallel, [one]) if says("parallel") => chosen.push(one),
        (MockParallelCalls::Parallel, _) => {}
        (MockParallelCalls::OneAtATime, _) => chosen.truncate(1),
    }
    let seed = text::hash_text(&prompt.user);
    chosen
        .into_iter()
        .enumerate()
        .map(|(place, tool)| make_call(prompt, tool, seed, place))
        .collect()
}

/// Calls of a model that calls a tool whenever it may: the named tools, else the first.
pub(super) fn choose_calls_eagerly(prompt: &MockPrompt) -> Vec<MockCall> {
    let asked = choose_calls(prompt);
    let may = prompt.choice != MockToolChoice::None && prompt.tool_results.is_empty();
    match prompt.tools.first() {
        Some(tool) if asked.is_empty() && may => {
            vec![make_call(prompt, tool, text::hash_text(&prompt.user), 0)]
        }
        _ => asked,
    }
}

fn named_or_first<'a>(named: Vec<&'a MockTool>, prompt: &'a MockPrompt) -> Vec<&'a MockTool> {
    if named.is_empty() { prompt.tools.first().into_iter().collect() } else { named }
}

fn make_call(prompt: &MockPrompt, tool: &MockTool, seed: u64, place: usize) -> MockCall {
    let arguments =
        match (tool.kind, schema::make_instance(&tool.parameters, &last_word(&prompt.user))) {
            (CallKind::Custom, _) => last_word(&prompt.user),
            (CallKind::Function, Value::Object(members)) => Value::Object(members).to_string(),
            (CallKind::Function, _) => "{}".to_owned(),
        };
    MockCall {
        id: format!("call_mock_{seed:016x}_{place}"),
        name: tool.name.clone(),
        namespace: tool.namespace.clone(),
        kind: tool.kind,
        arguments,
    }
}

/// The last word of the prompt: "weather in Paris?" gives "Paris".
pub(super) fn last_word(prompt: &str) -> String {
    let mut words = prompt.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.next_back().unwrap_or("text").to_owned()
}

/// Tools of a body that lists functions like Chat Completions and Ollama.
pub(super) fn read_function_tools(body: &Value) -> Vec<MockTool> {
    let list = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |tool: &Value| {
        let function = tool.get("function")?;
        Some(MockTool::function(function.get("name")?.as_str()?, function.get("parameters")))
    };
    list.iter().filter_map(read).collect()
}
