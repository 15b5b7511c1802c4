//! Reads the fields around the conversation of a client's request.
//!
//! Both API versions are read the same way: the newer one only has fewer fields, so the version
//! header is not needed.

use domain::Dialect;

use super::read_tools::{ToolChoiceSettings, read_tool_choice, read_tools};
use super::read_turns::{read_system, read_turns};
use super::thinking::read_reasoning;
use crate::dialect::field_filter::{FieldKind, field_named};
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{ConversationTurn, ExtraField, ModelRequest, OutputFormat};
use crate::{Delivery, RequestError};

/// Fields that the neutral form has, or that were read when the request was parsed.
const KNOWN_FIELDS: [&str; 15] = [
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
) -> Result<ModelRequest, RequestError> {
    let root = &JsonObject::root(text)?;
    let tokens_max = root.required("max_tokens")?.whole_number()?;
    let mut extras = Vec::new();
    let messages = read_messages(root, &mut extras)?;
    let tools = read_tools(root, &mut extras)?;
    let ToolChoiceSettings { tool_choice, parallel_calls } = read_tool_choice(root, &mut extras)?;
    let output = read_output(root, &mut extras)?;
    let reasoning = read_reasoning(root, &mut extras)?;
    let user = read_user(root, &mut extras)?;
    let others = root.entries().filter(|(key, _)| !KNOWN_FIELDS.contains(key));
    let named = |key| field_named(Dialect::AnthropicMessages, key);
    extras.extend(others.map(|(key, node)| node.extra(named(key))));
    let number = |key: &str| root.get(key).map(|node| node.number()).transpose();
    Ok(ModelRequest {
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

/// Reads the instructions and turns alone: a request to count tokens has no `max_tokens`.
pub(crate) fn read_conversation(text: &str) -> Result<Vec<ConversationTurn>, RequestError> {
    read_messages(&JsonObject::root(text)?, &mut Vec::new())
}

fn read_messages(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ConversationTurn>, RequestError> {
    let mut messages: Vec<ConversationTurn> = read_system(root, extras)?.into_iter().collect();
    messages.extend(read_turns(&root.required("messages")?, extras)?);
    Ok(messages)
}

fn read_stop(root: &JsonObject<'_>) -> Result<Vec<String>, RequestError> {
    let Some(list) = root.get("stop_sequences") else { return Ok(Vec::new()) };
    list.array()?.iter().map(JsonNode::text).collect()
}

/// Reads `output_config.format`, or the beta's `output_format`.
fn read_output(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<OutputFormat, RequestError> {
    let config = root.get("output_config").map(|node| node.object()).transpose()?;
    let inside = config.as_ref().and_then(|config| config.get("format"));
    if let Some(config) = &config {
        let others = config.entries().filter(|(key, _)| !matches!(*key, "format" | "effort"));
        extras.extend(others.map(|(_, node)| node.extra(FieldKind::Unknown)));
    }
    let Some(format) = inside.or_else(|| root.get("output_format")) else {
        return Ok(OutputFormat::Text);
    };
    let object = format.object()?;
    let kind = object.required("type")?;
    if kind.text()? != "json_schema" {
        return Err(kind.bad_value("the only format is json_schema"));
    }
    let schema = object.required("schema")?;
    schema.object()?;
    // OpenAI's `strict` demands that every property is required. Anthropic's schemas need not
    // comply, so `strict` stays unset.
    Ok(OutputFormat::Schema { name: None, description: None, schema: schema.json(), strict: None })
}

/// Reads `metadata.user_id`. Other members become metadata extras.
fn read_user(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<String>, RequestError> {
    let Some(metadata) = root.get("metadata") else { return Ok(None) };
    let metadata = metadata.object()?;
    let others = metadata.entries().filter(|(key, _)| *key != "user_id");
    extras.extend(others.map(|(_, node)| node.extra(FieldKind::Metadata)));
    metadata.text("user_id")
}

#[cfg(test)]
mod tests;
