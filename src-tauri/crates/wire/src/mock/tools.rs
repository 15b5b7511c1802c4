//! Decides when the mock calls tools, and with what arguments.

use super::prompt::MockPrompt;
use super::{schema, text};
use crate::neutral::{CallKind, ParallelCalls, ToolCall, ToolChoice, ToolDefinition, ToolKind};

/// Calls that `prompt` asks for; none if it wants text.
///
/// `tool_choice` can force calls. Else the last message must be the user's and contain a tool's
/// name, "tool" or "call". All named tools are called; if none is named, the first. "parallel" with
/// one tool calls it twice.
pub(super) fn choose_calls(prompt: &MockPrompt<'_>) -> Vec<ToolCall> {
    let says = |word: &str| prompt.user.to_lowercase().contains(&word.to_lowercase());
    let named: Vec<&ToolDefinition> = prompt.tools().filter(|tool| says(&tool.name)).collect();
    let asked = || !named.is_empty() || says("tool") || says("call");
    let mut chosen = match &prompt.request.tool_choice {
        Some(ToolChoice::Named { name, .. }) => {
            prompt.tools().filter(|tool| tool.name == *name).collect()
        }
        Some(ToolChoice::Required) => named_or_first(named, prompt),
        None | Some(ToolChoice::Auto) if prompt.tool_results.is_empty() && asked() => {
            named_or_first(named, prompt)
        }
        None | Some(ToolChoice::Auto | ToolChoice::None) => Vec::new(),
    };
    match (prompt.request.parallel_calls, chosen.as_slice()) {
        (ParallelCalls::OneAtATime, _) => chosen.truncate(1),
        (_, [one]) if says("parallel") => chosen.push(one),
        _ => {}
    }
    let calls = chosen.into_iter().enumerate();
    calls.map(|(place, tool)| make_call(prompt, tool, place)).collect()
}

/// Calls of a model that calls a tool whenever it may: the named tools, else the first.
pub(super) fn choose_calls_eagerly(prompt: &MockPrompt<'_>) -> Vec<ToolCall> {
    let asked = choose_calls(prompt);
    let may =
        prompt.request.tool_choice != Some(ToolChoice::None) && prompt.tool_results.is_empty();
    match prompt.tools().next() {
        Some(tool) if asked.is_empty() && may => vec![make_call(prompt, tool, 0)],
        _ => asked,
    }
}

fn named_or_first<'a>(
    named: Vec<&'a ToolDefinition>,
    prompt: &MockPrompt<'a>,
) -> Vec<&'a ToolDefinition> {
    if named.is_empty() { prompt.tools().take(1).collect() } else { named }
}

fn make_call(prompt: &MockPrompt<'_>, tool: &ToolDefinition, place: usize) -> ToolCall {
    let word = last_word(&prompt.user);
    let (kind, arguments) = match &tool.kind {
        ToolKind::Custom { .. } => (CallKind::Custom, word),
        ToolKind::Function { schema: Some(schema), .. } => {
            let made = schema::make_instance(schema, &word);
            let arguments = if made.is_object() { made.to_string() } else { "{}".to_owned() };
            (CallKind::Function, arguments)
        }
        ToolKind::Function { schema: None, .. } | ToolKind::Server { .. } => {
            (CallKind::Function, "{}".to_owned())
        }
    };
    ToolCall {
        id: format!("call_mock_{:016x}_{place}", text::hash_text(&prompt.user)),
        name: tool.name.clone(),
        namespace: tool.namespace.clone(),
        kind,
        arguments,
    }
}

/// The last word of the prompt: "weather in Paris?" gives "Paris".
pub(super) fn last_word(prompt: &str) -> String {
    let mut words = prompt.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.next_back().unwrap_or("text").to_owned()
}
