//! Parses a client's request into the neutral form.
//!
//! Every field of the API is either parsed or kept as an extra, which the crossing table decides
//! on. Unknown fields are kept too, so that nothing is dropped without being named.

use domain::Dialect;

use super::read_input::read_input;
use super::read_tools::{ParsedToolChoice, read_choice, read_tools};
use crate::dialect::field_filter::{FieldKind, field_named};
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{
    ContentPart, ConversationTurn, ModelRequest, OutputFormat, ParallelCalls, Reasoning, Role,
    ThinkingEffort,
};
use crate::{Delivery, RequestError};

pub(crate) fn read_request(
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<ModelRequest, RequestError> {
    let root = JsonObject::root(text)?;
    let mut request = ModelRequest::new(model, delivery);
    let mut choice = None;
    for (key, node) in root.entries() {
        match key {
            "tool_choice" => choice = read_choice(&node, &mut request)?,
            _ => read_field(key, &node, &mut request)?,
        }
    }
    let continues = ["previous_response_id", "conversation", "prompt"];
    if root.get("input").is_none() && root.first_of(&continues).is_none() {
        return Err(RequestError::Missing("input".to_owned()));
    }
    // All tools are known only now.
    if let Some(choice) = choice {
        ParsedToolChoice::apply(choice, &mut request);
    }
    Ok(request)
}

fn read_field(
    key: &str,
    node: &JsonNode<'_>,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    match key {
        // Read earlier, when the request arrived.
        "model" | "stream" => {}
        "input" => read_input(node, request)?,
        "instructions" => {
            let parts = vec![ContentPart::text(node.text()?)];
            request.messages.insert(0, ConversationTurn { role: Role::System, parts });
        }
        "tools" => read_tools(node, request)?,
        "parallel_tool_calls" => {
            let allowed = node.flag()?;
            request.parallel_calls =
                if allowed { ParallelCalls::Allowed } else { ParallelCalls::OneAtATime };
        }
        "text" => read_text(&node.object()?, request)?,
        "reasoning" => read_reasoning(&node.object()?, request)?,
        "max_output_tokens" => request.output_tokens_max = Some(node.whole_number()?),
        "temperature" => request.temperature = Some(node.number()?),
        "top_p" => request.top_p = Some(node.number()?),
        "user" => request.user = Some(node.text()?),
        "include" => read_include(node, request)?,
        _ => read_extra(key, node, request),
    }
    Ok(())
}

fn read_extra(key: &str, node: &JsonNode<'_>, request: &mut ModelRequest) {
    let is_default = matches!(
        (key, node.raw()),
        ("store" | "background", "false") | ("truncation", "\"disabled\"") | ("top_logprobs", "0")
    );
    if !is_default {
        request.extras.push(node.extra(field_named(Dialect::OpenAiResponses, key)));
    }
}

/// Parses `include`, the optional parts of the answer. Encrypted thinking is always included.
fn read_include(node: &JsonNode<'_>, request: &mut ModelRequest) -> Result<(), RequestError> {
    for item in node.array()? {
        match item.text()?.as_str() {
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => request.extras.push(item.extra(FieldKind::Logprobs)),
            _ => request.extras.push(item.extra(FieldKind::Presentation)),
        }
    }
    Ok(())
}

fn read_text(text: &JsonObject<'_>, request: &mut ModelRequest) -> Result<(), RequestError> {
    for (key, node) in text.entries() {
        match key {
            "format" => request.output = read_format(&node.object()?)?,
            // Equal to the default.
            "verbosity" if node.raw() == "\"medium\"" => {}
            "verbosity" => request.extras.push(node.extra(FieldKind::Verbosity)),
            _ => request.extras.push(node.extra(FieldKind::Unknown)),
        }
    }
    Ok(())
}

fn read_format(format: &JsonObject<'_>) -> Result<OutputFormat, RequestError> {
    let kind = format.required("type")?;
    match kind.text()?.as_str() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::AnyJson),
        "json_schema" => {
            let schema = format.required("schema")?;
            schema.object()?;
            Ok(OutputFormat::Schema {
                name: format.text("name")?,
                description: format.text("description")?,
                schema: schema.json(),
                strict: format.get("strict").map(|strict| strict.flag()).transpose()?,
            })
        }
        _ => Err(kind.bad_value("use 'text', 'json_object' or 'json_schema'")),
    }
}

/// Parses `reasoning`. A summary alone must not enable thinking: clients request it from models
/// without thinking, too (Codex always sends it).
fn read_reasoning(
    reasoning: &JsonObject<'_>,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    let effort = reasoning.get("effort").map(|node| read_effort(&node)).transpose()?;
    let summary = reasoning.first_of(&["summary", "generate_summary"]);
    let visible = summary.is_some();
    request.reasoning = match effort {
        None => Reasoning::Unset,
        Some(None) => Reasoning::Off,
        Some(Some(effort)) => Reasoning::Effort { effort, visible },
    };
    for (key, node) in reasoning.entries() {
        match key {
            "effort" => {}
            "summary" | "generate_summary" if effort.is_some() => {}
            "summary" | "generate_summary" => {
                request.extras.push(node.extra(FieldKind::Presentation));
            }
            _ => request.extras.push(node.extra(FieldKind::Unknown)),
        }
    }
    Ok(())
}

fn read_effort(node: &JsonNode<'_>) -> Result<Option<ThinkingEffort>, RequestError> {
    let word = node.text()?;
    if word == "none" {
        return Ok(None);
    }
    let why = "use 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";
    ThinkingEffort::from_word(&word).map(Some).ok_or_else(|| node.bad_value(why))
}

#[cfg(test)]
pub(super) mod tests;
