//! Parses a client's whole request, strictly.

use domain::Dialect;

use super::messages::read_messages;
use super::tools::{read_choice, read_format, read_legacy_choice, read_tools};
use crate::crossing::Field;
use crate::neutral::{Effort, Extra, ParallelCalls, Reasoning, Request};
use crate::node::{Node, Object};
use crate::{Delivery, RequestError};

pub(super) const DIALECT: Dialect = Dialect::OpenAiChat;

/// Members that the neutral form covers, or that do not concern the writers.
const KNOWN: [&str; 20] = [
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
) -> Result<Request, RequestError> {
    let root = Object::root(text)?;
    let mut extras = Vec::new();
    let messages = read_messages(&root.required("messages")?, &mut extras)?;
    let (tools, tool_choice) = read_tools(&root, &mut extras)?;
    let legacy = root.get("function_call").map(|node| read_legacy_choice(&node)).transpose()?;
    let choice = root.get("tool_choice").map(|node| read_choice(&node, &mut extras)).transpose()?;
    let output = root.get("response_format").map(|node| read_format(&node)).transpose()?;
    let limit = root.any(&["max_completion_tokens", "max_tokens"]);
    read_extras(&root, &mut extras);
    Ok(Request {
        model: model.to_owned(),
        delivery,
        messages,
        tools,
        tool_choice: choice.flatten().or(legacy).or(tool_choice),
        parallel_calls: read_parallel(&root)?,
        output: output.unwrap_or(crate::neutral::OutputFormat::Text),
        reasoning: read_reasoning(&root)?,
        output_tokens_max: limit.map(|node| node.count()).transpose()?,
        temperature: number(&root, "temperature")?,
        top_p: number(&root, "top_p")?,
        top_k: number(&root, "top_k")?,
        stop: read_stop(&root)?,
        choices: root.get("n").map(|node| node.count()).transpose()?.filter(|n| *n != 1),
        user: root.text("user")?,
        extras,
    })
}

fn number(root: &Object<'_>, key: &str) -> Result<Option<crate::neutral::Json>, RequestError> {
    root.get(key).map(|node| node.number()).transpose()
}

fn read_parallel(root: &Object<'_>) -> Result<ParallelCalls, RequestError> {
    Ok(match root.get("parallel_tool_calls").map(|node| node.flag()).transpose()? {
        None => ParallelCalls::Unsaid,
        Some(true) => ParallelCalls::Allowed,
        Some(false) => ParallelCalls::OneAtATime,
    })
}

fn read_stop(root: &Object<'_>) -> Result<Vec<String>, RequestError> {
    match root.get("stop") {
        None => Ok(Vec::new()),
        Some(stop) if stop.is_array() => stop.array()?.iter().map(Node::text).collect(),
        Some(stop) => Ok(vec![stop.text()?]),
    }
}

/// Parses `reasoning_effort`, or OpenRouter's object `reasoning`.
fn read_reasoning(root: &Object<'_>) -> Result<Reasoning, RequestError> {
    if let Some(effort) = root.get("reasoning_effort") {
        return read_effort(&effort, true);
    }
    let Some(reasoning) = root.get("reasoning") else { return Ok(Reasoning::Unsaid) };
    let members = reasoning.object()?;
    let flag = |key: &str| members.get(key).map(|node| node.flag()).transpose();
    let visible = !flag("exclude")?.unwrap_or(false);
    if let Some(effort) = members.get("effort") {
        return read_effort(&effort, visible);
    }
    if let Some(most) = members.get("max_tokens") {
        return Ok(Reasoning::Budget { tokens_max: most.count()?, visible });
    }
    Ok(match flag("enabled")? {
        Some(true) => Reasoning::Adaptive { visible, effort: None },
        Some(false) => Reasoning::Off,
        None => Reasoning::Unsaid,
    })
}

fn read_effort(node: &Node<'_>, visible: bool) -> Result<Reasoning, RequestError> {
    let word = node.text()?;
    if word == "none" {
        return Ok(Reasoning::Off);
    }
    let effort = Effort::from_word(&word)
        .ok_or_else(|| node.bad("use none, minimal, low, medium, high or xhigh"))?;
    Ok(Reasoning::Effort { effort, visible })
}

/// Collects members that are not part of the neutral form. Values equal to the default are skipped.
fn read_extras(root: &Object<'_>, extras: &mut Vec<Extra>) {
    for (key, node) in root.entries() {
        if KNOWN.contains(&key) || is_default(key, node.raw()) {
            continue;
        }
        let field = match key {
            "seed" => Field::Seed,
            "logprobs" | "top_logprobs" => Field::Logprobs,
            "logit_bias" => Field::LogitBias,
            "frequency_penalty" | "presence_penalty" => Field::Penalties,
            "modalities" | "audio" => Field::AudioOutput,
            "prediction" => Field::Prediction,
            "web_search_options" => Field::WebSearch,
            "store" => Field::Store,
            "metadata" | "safety_identifier" => Field::Metadata,
            "service_tier" | "prompt_cache_key" | "prompt_cache_retention" => Field::Serving,
            "verbosity" => Field::Verbosity,
            _ => Field::Unknown,
        };
        extras.push(Extra { field, path: node.path().to_owned(), value: node.json() });
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
