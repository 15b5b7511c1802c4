//! Parses the items of `input` into turns.
//!
//! Items are a flat list. Everything the model said and called between two user turns becomes one
//! assistant turn, and consecutive tool results become one user turn.

use super::content::{read_content, read_output};
use super::read_tools::read_tools;
use super::reasoning::read_reasoning_item;
use super::references::is_droppable_reference;
use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{
    CallKind, ContentPart, ConversationTurn, ModelRequest, Role, ToolCall, ToolResult,
};

/// Parses `input`: text, or items.
pub(super) fn read_input(
    node: &JsonNode<'_>,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    if node.is_text() {
        let parts = vec![ContentPart::text(node.text()?)];
        request.messages.push(ConversationTurn { role: Role::User, parts });
        return Ok(());
    }
    if !node.is_array() {
        return Err(node.wrong_type("a string or an array"));
    }
    node.array()?.iter().try_for_each(|item| read_item(item, request))
}

fn read_item(node: &JsonNode<'_>, request: &mut ModelRequest) -> Result<(), RequestError> {
    let item = node.object()?;
    let kind = item.text("type")?;
    match kind.as_deref() {
        Some("message") => read_message(&item, request)?,
        None if item.get("role").is_some() => read_message(&item, request)?,
        Some("function_call") => {
            let arguments = item.text("arguments")?.unwrap_or_default();
            push_call(&item, CallKind::Function, arguments, request)?;
        }
        Some("custom_tool_call") => {
            let input = item.required_text("input")?;
            push_call(&item, CallKind::Custom, input, request)?;
        }
        Some("function_call_output") => push_result(&item, CallKind::Function, request)?,
        Some("custom_tool_call_output") => push_result(&item, CallKind::Custom, request)?,
        Some("reasoning") => {
            if let Some(part) = read_reasoning_item(&item)? {
                push_assistant_part(request, part);
            }
        }
        Some("additional_tools") => read_tools(&item.required("tools")?, request)?,
        Some("item_reference") => request.extras.push(node.extra(reference_field(&item)?)),
        None => request.extras.push(node.extra(FieldKind::ServerState)),
        // A summary of earlier turns that only its provider can read.
        Some("compaction") => request.extras.push(node.extra(FieldKind::StoredPrompt)),
        Some(kind) if is_built_in(kind) => request.extras.push(node.extra(FieldKind::ServerTool)),
        Some(_) => request.extras.push(node.extra(FieldKind::Unknown)),
    }
    Ok(())
}

/// The field for a reference that was not resolved when the request arrived.
fn reference_field(item: &JsonObject<'_>) -> Result<FieldKind, RequestError> {
    let is_lost = is_droppable_reference(&item.required_text("id")?);
    Ok(if is_lost { FieldKind::UnavailableItem } else { FieldKind::ServerState })
}

/// True for calls of OpenAI's own tools and for their outputs.
fn is_built_in(kind: &str) -> bool {
    kind.starts_with("mcp_")
        || kind.ends_with("_call")
        || kind.ends_with("_call_output")
        || kind.starts_with("tool_search")
}

fn read_message(item: &JsonObject<'_>, request: &mut ModelRequest) -> Result<(), RequestError> {
    let role = item.required("role")?;
    let role = match role.text()?.as_str() {
        "user" => Role::User,
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        _ => return Err(role.bad_value("use 'user', 'assistant', 'system' or 'developer'")),
    };
    let parts = read_content(&item.required("content")?)?;
    match role {
        Role::Assistant => parts.into_iter().for_each(|part| push_assistant_part(request, part)),
        _ => request.messages.push(ConversationTurn { role, parts }),
    }
    Ok(())
}

fn push_call(
    item: &JsonObject<'_>,
    kind: CallKind,
    arguments: String,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    let call = ToolCall {
        id: read_call_id(item)?,
        name: item.required_text("name")?,
        namespace: item.text("namespace")?,
        kind,
        arguments,
    };
    push_assistant_part(request, ContentPart::ToolCall(call));
    Ok(())
}

fn push_result(
    item: &JsonObject<'_>,
    kind: CallKind,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    let result = ContentPart::ToolResult(ToolResult {
        call_id: read_call_id(item)?,
        name: item.text("name")?,
        content: item.get("output").map(|node| read_output(&node)).transpose()?.unwrap_or_default(),
        is_error: false,
        kind,
    });
    let is_result = |part: &ContentPart| matches!(part, ContentPart::ToolResult(_));
    match request.messages.last_mut() {
        Some(last) if last.role == Role::User && last.parts.iter().all(is_result) => {
            last.parts.push(result);
        }
        _ => request.messages.push(ConversationTurn { role: Role::User, parts: vec![result] }),
    }
    Ok(())
}

fn read_call_id(item: &JsonObject<'_>) -> Result<String, RequestError> {
    let node = item.required("call_id")?;
    let id = node.text()?;
    if id.is_empty() { Err(node.bad_value("it must not be empty")) } else { Ok(id) }
}

/// Adds a part to the last turn if it is the model's, else starts a new one.
fn push_assistant_part(request: &mut ModelRequest, part: ContentPart) {
    match request.messages.last_mut() {
        Some(last) if last.role == Role::Assistant => last.parts.push(part),
        _ => request.messages.push(ConversationTurn { role: Role::Assistant, parts: vec![part] }),
    }
}
