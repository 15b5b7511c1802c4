//! Parses a client's whole request, strictly.

use domain::Dialect;

use super::read_messages::read_messages;
use super::read_tools::{read_choice, read_format, read_legacy_choice, read_tools};
use crate::dialect::field_filter::field_named;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{ExtraField, ModelRequest, ParallelCalls, Reasoning, ThinkingEffort};
use crate::{Delivery, RequestError};

/// Members that the neutral form covers, or that do not concern the writers.
const KNOWN_MEMBERS: [&str; 20] = [
    "model",
    "stream",
    "stream_options",
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
    "reasoning",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "n",
    "user",
];

pub(crate) fn read_request(
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<ModelRequest, RequestError> {
    let root = JsonObject::root(text)?;
    let mut extras = Vec::new();
    let messages = read_messages(&root.required("messages")?, &mut extras)?;
    let (tools, tool_choice) = read_tools(&root, &mut extras)?;
    let legacy = root.get("function_call").map(|node| read_legacy_choice(&node)).transpose()?;
    let choice = root.get("tool_choice").map(|node| read_choice(&node, &mut extras)).transpose()?;
    let output = root.get("response_format").map(|node| read_format(&node)).transpose()?;
    let limit = root.first_of(&["max_completion_tokens", "max_tokens"]);
    read_extras(&root, &mut extras);
    Ok(ModelRequest {
        model: model.to_owned(),
        delivery,
        messages,
        tools,
        tool_choice: choice.flatten().or(legacy).or(tool_choice),
        parallel_calls: read_parallel(&root)?,
        output: output.unwrap_or(crate::neutral::OutputFormat::Text),
        reasoning: read_reasoning(&root)?,
        output_tokens_max: limit.map(|node| node.whole_number()).transpose()?,
        temperature: read_number(&root, "temperature")?,
        top_p: read_number(&root, "top_p")?,
        top_k: read_number(&root, "top_k")?,
        stop: read_stop(&root)?,
        choices: root.get("n").map(|node| node.whole_number()).transpose()?.filter(|n| *n != 1),
        user: root.text("user")?,
        extras,
    })
}

fn read_number(
    root: &JsonObject<'_>,
    key: &str,
) -> Result<Option<crate::neutral::JsonText>, RequestError> {
    root.get(key).map(|node| node.number()).transpose()
}

fn read_parallel(root: &JsonObject<'_>) -> Result<ParallelCalls, RequestError> {
    Ok(match root.get("parallel_tool_calls").map(|node| node.flag()).transpose()? {
        None => ParallelCalls::Unset,
        Some(true) => ParallelCalls::Allowed,
        Some(false) => ParallelCalls::OneAtATime,
    })
}

fn read_stop(root: &JsonObject<'_>) -> Result<Vec<String>, RequestError> {
    match root.get("stop") {
        None => Ok(Vec::new()),
        Some(stop) if stop.is_array() => stop.array()?.iter().map(JsonNode::text).collect(),
        Some(stop) => Ok(vec![stop.text()?]),
    }
}

/// Parses `reasoning_effort`, or OpenRouter's object `reasoning`.
fn read_reasoning(root: &JsonObject<'_>) -> Result<Reasoning, RequestError> {
    if let Some(effort) = root.get("reasoning_effort") {
        return read_effort(&effort, true);
    }
    let Some(reasoning) = root.get("reasoning") else { return Ok(Reasoning::Unset) };
    let members = reasoning.object()?;
    let flag = |key: &str| members.get(key).map(|node| node.flag()).transpose();
    let visible = !flag("exclude")?.unwrap_or(false);
    if let Some(effort) = members.get("effort") {
        return read_effort(&effort, visible);
    }
    if let Some(most) = members.get("max_tokens") {
        return Ok(Reasoning::Budget { tokens_max: most.whole_number()?, visible });
    }
    Ok(match flag("enabled")? {
        Some(true) => Reasoning::Adaptive { visible, effort: None },
        Some(false) => Reasoning::Off,
        None => Reasoning::Unset,
    })
}

fn read_effort(node: &JsonNode<'_>, visible: bool) -> Result<Reasoning, RequestError> {
    let word = node.text()?;
    if word == "none" {
        return Ok(Reasoning::Off);
    }
    let effort = ThinkingEffort::from_word(&word)
        .ok_or_else(|| node.bad_value("use none, minimal, low, medium, high or xhigh"))?;
    Ok(Reasoning::Effort { effort, visible })
}

/// Collects members that are not part of the neutral form. Values equal to the default are skipped.
fn read_extras(root: &JsonObject<'_>, extras: &mut Vec<ExtraField>) {
    for (key, node) in root.entries() {
        if KNOWN_MEMBERS.contains(&key) || is_default(key, node.raw()) {
            continue;
        }
        extras.push(node.extra(field_named(Dialect::OpenAiChat, key)));
    }
}

fn is_default(key: &str, raw: &str) -> bool {
    match key {
        "logprobs" => raw == "false",
        "logit_bias" => raw == "{}",
        "frequency_penalty" | "presence_penalty" => raw.parse::<f64>().is_ok_and(|n| n == 0.0),
        "modalities" => raw.replace(char::is_whitespace, "") == "[\"text\"]",
        _ => false,
    }
}
