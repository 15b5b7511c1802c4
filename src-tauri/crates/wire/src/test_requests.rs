//! Requests in the neutral form, for tests.

use crate::Delivery;
use crate::neutral::{CallKind, Message, Part, Request, Role, ToolCall, ToolResult};

/// A conversation of one user turn.
pub(crate) fn request(text: &str) -> Request {
    let messages = vec![message(Role::User, vec![Part::text(text)])];
    Request { messages, ..Request::new("m", Delivery::Whole) }
}

pub(crate) fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        namespace: None,
        kind: CallKind::Function,
        arguments: arguments.to_owned(),
    })
}

pub(crate) fn result(call_id: &str, text: &str) -> Part {
    let content = if text.is_empty() { Vec::new() } else { vec![Part::text(text)] };
    Part::ToolResult(ToolResult {
        call_id: call_id.to_owned(),
        name: None,
        content,
        is_error: false,
        kind: CallKind::Function,
    })
}
