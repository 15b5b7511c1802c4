//! Parses a client's request into the neutral form.
//!
//! Every field of the API is either parsed or kept as an extra, which the crossing table decides
//! on. Unknown fields are kept too, so that nothing is dropped without being named.

use super::input::read_input;
use super::tools::{Choice, read_choice, read_tools};
use crate::crossing::Field;
use crate::neutral::{
    Effort, Extra, Message, OutputFormat, ParallelCalls, Part, Reasoning, Request, Role,
};
use crate::node::{Node, Object};
use crate::{Delivery, RequestError};

pub(crate) fn read_request(
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<Request, RequestError> {
    let root = Object::root(text)?;
    let mut request = Request::new(model, delivery);
    let mut choice = None;
    for (key, node) in root.entries() {
        match key {
            "tool_choice" => choice = read_choice(&node, &mut request)?,
            _ => read_field(key, &node, &mut request)?,
        }
    }
    let continues = ["previous_response_id", "conversation", "prompt"];
    if root.get("input").is_none() && root.any(&continues).is_none() {
        return Err(RequestError::Missing("input".to_owned()));
    }
    // All tools are known only now.
    if let Some(choice) = choice {
        Choice::apply(choice, &mut request);
    }
    Ok(request)
}

/// Keeps a field that is not part of the neutral form.
pub(super) fn keep(request: &mut Request, field: Field, node: &Node<'_>) {
    request.extras.push(Extra { field, path: node.path().to_owned(), value: node.json() });
}

fn read_field(key: &str, node: &Node<'_>, request: &mut Request) -> Result<(), RequestError> {
    match key {
        // Read earlier, when the request arrived.
        "model" | "stream" => {}
        "input" => read_input(node, request)?,
        "instructions" => {
            let parts = vec![Part::text(node.text()?)];
            request.messages.insert(0, Message { role: Role::System, parts });
        }
        "tools" => read_tools(node, request)?,
        "parallel_tool_calls" => {
            let allowed = node.flag()?;
            request.parallel_calls =
                if allowed { ParallelCalls::Allowed } else { ParallelCalls::OneAtATime };
        }
        "text" => read_text(&node.object()?, request)?,
        "reasoning" => read_reasoning(&node.object()?, request)?,
        "max_output_tokens" => request.output_tokens_max = Some(node.count()?),
        "temperature" => request.temperature = Some(node.number()?),
        "top_p" => request.top_p = Some(node.number()?),
        "user" => request.user = Some(node.text()?),
        "include" => read_include(node, request)?,
        _ => read_extra(key, node, request),
    }
    Ok(())
}

fn read_extra(key: &str, node: &Node<'_>, request: &mut Request) {
    let field = match (key, node.raw()) {
        // Equal to the default.
        ("store" | "background", "false")
        | ("truncation", "\"disabled\"")
        | ("top_logprobs", "0") => return,
        ("store", _) => Field::Store,
        ("background" | "previous_response_id" | "conversation" | "prompt", _) => {
            Field::ServerState
        }
        ("metadata" | "safety_identifier" | "client_metadata", _) => Field::Metadata,
        (
            "service_tier" | "prompt_cache_key" | "prompt_cache_retention" | "prompt_cache_options",
            _,
        ) => Field::Serving,
        ("truncation" | "context_management", _) => Field::ContextManagement,
        ("stream_options", _) => Field::Presentation,
        ("top_logprobs", _) => Field::Logprobs,
        _ => Field::Unknown,
    };
    keep(request, field, node);
}

/// Parses `include`, the optional parts of the answer. Encrypted thinking is always included.
fn read_include(node: &Node<'_>, request: &mut Request) -> Result<(), RequestError> {
    for item in node.array()? {
        match item.text()?.as_str() {
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => keep(request, Field::Logprobs, &item),
            _ => keep(request, Field::Presentation, &item),
        }
    }
    Ok(())
}

fn read_text(text: &Object<'_>, request: &mut Request) -> Result<(), RequestError> {
    for (key, node) in text.entries() {
        match key {
            "format" => request.output = read_format(&node.object()?)?,
            // Equal to the default.
            "verbosity" if node.raw() == "\"medium\"" => {}
            "verbosity" => keep(request, Field::Verbosity, &node),
            _ => keep(request, Field::Unknown, &node),
        }
    }
    Ok(())
}

fn read_format(format: &Object<'_>) -> Result<OutputFormat, RequestError> {
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
        _ => Err(kind.bad("use 'text', 'json_object' or 'json_schema'")),
    }
}

/// Parses `reasoning`. A summary alone must not enable thinking: clients request it from models
/// without thinking, too (Codex always sends it).
fn read_reasoning(reasoning: &Object<'_>, request: &mut Request) -> Result<(), RequestError> {
    let effort = reasoning.get("effort").map(|node| read_effort(&node)).transpose()?;
    let summary = reasoning.any(&["summary", "generate_summary"]);
    let visible = summary.is_some();
    request.reasoning = match effort {
        None => Reasoning::Unsaid,
        Some(None) => Reasoning::Off,
        Some(Some(effort)) => Reasoning::Effort { effort, visible },
    };
    for (key, node) in reasoning.entries() {
        match key {
            "effort" => {}
            "summary" | "generate_summary" if effort.is_some() => {}
            "summary" | "generate_summary" => keep(request, Field::Presentation, &node),
            _ => keep(request, Field::Unknown, &node),
        }
    }
    Ok(())
}

fn read_effort(node: &Node<'_>) -> Result<Option<Effort>, RequestError> {
    let word = node.text()?;
    if word == "none" {
        return Ok(None);
    }
    let why = "use 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'";
    Effort::from_word(&word).map(Some).ok_or_else(|| node.bad(why))
}

#[cfg(test)]
pub(super) mod tests;
