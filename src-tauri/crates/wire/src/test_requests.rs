//! Requests in the neutral form, for tests.

use crate::Delivery;
use crate::neutral::{
    CallKind, ContentPart, ConversationTurn, ModelRequest, Role, ToolCall, ToolResult,
};

/// A conversation of one user turn.
pub(crate) fn request(text: &str) -> ModelRequest {
    let messages = vec![message(Role::User, vec![ContentPart::text(text)])];
    ModelRequest { messages, ..ModelRequest::new("m", Delivery::Whole) }
}

pub(crate) fn message(role: Role, parts: Vec<ContentPart>) -> ConversationTurn {
    ConversationTurn { role, parts }
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> ContentPart {
    ContentPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        namespace: None,
        kind: CallKind::Function,
        arguments: arguments.to_owned(),
    })
}

pub(crate) fn result(call_id: &str, text: &str) -> ContentPart {
    let content = if text.is_empty() { Vec::new() } else { vec![ContentPart::text(text)] };
    ContentPart::ToolResult(ToolResult {
        call_id: call_id.to_owned(),
        name: None,
        content,
        is_error: false,
        kind: CallKind::Function,
    })
}
