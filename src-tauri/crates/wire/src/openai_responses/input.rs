//! Parses the items of `input` into turns.
//!
//! Items are a flat list. Everything the model said and called between two user turns becomes one
//! assistant turn, and consecutive tool results become one user turn.

use domain::Dialect;

use super::content::{read_content, read_output};
use super::reasoning::read_reasoning_item;
use super::references::may_be_lost;
use super::request::keep;
use super::tools::read_tools;
use crate::RequestError;
use crate::crossing::Field;
use crate::neutral::{CallKind, Message, Part, Request, Role, ToolCall, ToolResult};
use crate::node::{Node, Object};

pub(super) const DIALECT: Dialect = Dialect::OpenAiResponses;

/// Parses `input`: text, or items.
pub(super) fn read_input(node: &Node<'_>, request: &mut Request) -> Result<(), RequestError> {
    if node.is_text() {
        let parts = vec![Part::text(node.text()?)];
        request.messages.push(Message { role: Role::User, parts });
        return Ok(());
    }
    if !node.is_array() {
        return Err(node.wrong("a string or an array"));
    }
    node.array()?.iter().try_for_each(|item| read_item(item, request))
}

fn read_item(node: &Node<'_>, request: &mut Request) -> Result<(), RequestError> {
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
                push_said(request, part);
            }
        }
        Some("additional_tools") => read_tools(&item.required("tools")?, request)?,
        Some("item_reference") => keep(request, reference_field(&item)?, node),
        None => keep(request, Field::ServerState, node),
        // A summary of earlier turns that only its provider can read.
        Some("compaction") => keep(request, Field::StoredPrompt, node),
        Some(kind) if is_built_in(kind) => keep(request, Field::ServerTool, node),
        Some(_) => keep(request, Field::Unknown, node),
    }
    Ok(())
}

/// The field for a reference that was not resolved when the request arrived.
fn reference_field(item: &Object<'_>) -> Result<Field, RequestError> {
    let is_lost = may_be_lost(&item.required_text("id")?);
    Ok(if is_lost { Field::LostItem } else { Field::ServerState })
}

/// True for calls of OpenAI's own tools and for their outputs.
fn is_built_in(kind: &str) -> bool {
    kind.starts_with("mcp_")
        || kind.ends_with("_call")
        || kind.ends_with("_call_output")
        || kind.starts_with("tool_search")
}

fn read_message(item: &Object<'_>, request: &mut Request) -> Result<(), RequestError> {
    let role = item.required("role")?;
    let role = match role.text()?.as_str() {
        "user" => Role::User,
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        _ => return Err(role.bad("use 'user', 'assistant', 'system' or 'developer'")),
    };
    let parts = read_content(&item.required("content")?)?;
    match role {
        Role::Assistant => parts.into_iter().for_each(|part| push_said(request, part)),
        _ => request.messages.push(Message { role, parts }),
    }
    Ok(())
}

fn push_call(
    item: &Object<'_>,
    kind: CallKind,
    arguments: String,
    request: &mut Request,
) -> Result<(), RequestError> {
    let call = ToolCall {
        id: read_call_id(item)?,
        name: item.required_text("name")?,
        namespace: item.text("namespace")?,
        kind,
        arguments,
    };
    push_said(request, Part::ToolCall(call));
    Ok(())
}

fn push_result(
    item: &Object<'_>,
    kind: CallKind,
    request: &mut Request,
) -> Result<(), RequestError> {
    let result = Part::ToolResult(ToolResult {
        call_id: read_call_id(item)?,
        name: item.text("name")?,
        content: item.get("output").map(|node| read_output(&node)).transpose()?.unwrap_or_default(),
        is_error: false,
        kind,
    });
    let is_result = |part: &Part| matches!(part, Part::ToolResult(_));
    match request.messages.last_mut() {
        Some(last) if last.role == Role::User && last.parts.iter().all(is_result) => {
            last.parts.push(result);
        }
        _ => request.messages.push(Message { role: Role::User, parts: vec![result] }),
    }
    Ok(())
}

fn read_call_id(item: &Object<'_>) -> Result<String, RequestError> {
    let node = item.required("call_id")?;
    let id = node.text()?;
    if id.is_empty() { Err(node.bad("it must not be empty")) } else { Ok(id) }
}

/// Adds a part to the last turn if it is the model's, else starts a new one.
fn push_said(request: &mut Request, part: Part) {
    match request.messages.last_mut() {
        Some(last) if last.role == Role::Assistant => last.parts.push(part),
        _ => request.messages.push(Message { role: Role::Assistant, parts: vec![part] }),
    }
}
