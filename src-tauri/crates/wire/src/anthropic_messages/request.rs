//! Reads the fields around the conversation of a client's request.
//!
//! Both API versions are read the same way: the newer one only has fewer fields, so the version
//! header is not needed.

use super::content::{read_system, read_turns};
use super::thinking::read_reasoning;
use super::tools::{Choice, read_choice, read_tools};
use crate::crossing::Field;
use crate::neutral::{Extra, Message, OutputFormat, Request};
use crate::node::{Node, Object};
use crate::{Delivery, RequestError};

/// Fields that the neutral form has, or that were read when the request was parsed.
const KNOWN: [&str; 15] = [
    "model",
    "stream",
    "messages",
    "system",
    "max_tokens",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "metadata",
];

pub(crate) fn read_request(
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<Request, RequestError> {
    let root = &Object::root(text)?;
    let tokens_max = root.required("max_tokens")?.count()?;
    let mut extras = Vec::new();
    let mut messages: Vec<Message> = read_system(root, &mut extras)?.into_iter().collect();
    messages.extend(read_turns(&root.required("messages")?, &mut extras)?);
    let tools = read_tools(root, &mut extras)?;
    let Choice { tool_choice, parallel_calls } = read_choice(root, &mut extras)?;
    let output = read_output(root, &mut extras)?;
    let reasoning = read_reasoning(root, &mut extras)?;
    let user = read_user(root, &mut extras)?;
    extras.extend(root.entries().filter(|(key, _)| !KNOWN.contains(key)).map(|(key, node)| {
        let field = other_field(key);
        extra(field, &node)
    }));
    let number = |key: &str| root.get(key).map(|node| node.number()).transpose();
    Ok(Request {
        model: model.to_owned(),
        delivery,
        messages,
        tools,
        tool_choice,
        parallel_calls,
        output,
        reasoning,
        output_tokens_max: Some(tokens_max),
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k: number("top_k")?,
        stop: read_stop(root)?,
        choices: None,
        user,
        extras,
    })
}

fn read_stop(root: &Object<'_>) -> Result<Vec<String>, RequestError> {
    let Some(list) = root.get("stop_sequences") else { return Ok(Vec::new()) };
    list.array()?.iter().map(Node::text).collect()
}

/// Reads `output_config.format`, or the beta's `output_format`.
fn read_output(root: &Object<'_>, extras: &mut Vec<Extra>) -> Result<OutputFormat, RequestError> {
    let config = root.get("output_config").map(|node| node.object()).transpose()?;
    let inside = config.as_ref().and_then(|config| config.get("format"));
    if let Some(config) = &config {
        let others = config.entries().filter(|(key, _)| !matches!(*key, "format" | "effort"));
        extras.extend(others.map(|(_, node)| extra(Field::Unknown, &node)));
    }
    let Some(format) = inside.or_else(|| root.get("output_format")) else {
        return Ok(OutputFormat::Text);
    };
    let object = format.object()?;
    let kind = object.required("type")?;
    if kind.text()? != "json_schema" {
        return Err(kind.bad("the only format is json_schema"));
    }
    let schema = object.required("schema")?;
    schema.object()?;
    // OpenAI's `strict` demands that every property is required. Anthropic's schemas need not
    // comply, so `strict` stays unset.
    Ok(OutputFormat::Schema { name: None, description: None, schema: schema.json(), strict: None })
}

/// Reads `metadata.user_id`. Other members become metadata extras.
fn read_user(root: &Object<'_>, extras: &mut Vec<Extra>) -> Result<Option<String>, RequestError> {
    let Some(metadata) = root.get("metadata") else { return Ok(None) };
    let metadata = metadata.object()?;
    let others = metadata.entries().filter(|(key, _)| *key != "user_id");
    extras.extend(others.map(|(_, node)| extra(Field::Metadata, &node)));
    metadata.text("user_id")
}

fn other_field(key: &str) -> Field {
    match key {
        "service_tier" | "inference_geo" | "speed" => Field::Serving,
        "cache_control" => Field::PromptCache,
        "context_management" => Field::ContextManagement,
        "mcp_servers" => Field::ServerTool,
        "container" => Field::ServerState,
        "user_profile_id" | "workspace_id" => Field::Metadata,
        "diagnostics" => Field::Presentation,
        _ => Field::Unknown,
    }
}

/// Wraps a field that the neutral form cannot express.
pub(super) fn extra(field: Field, node: &Node<'_>) -> Extra {
    Extra { field, path: node.path().to_owned(), value: node.json() }
}

#[cfg(test)]
mod tests;
