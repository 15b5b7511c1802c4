//! Parses a client's messages into turns.

use std::collections::HashMap;

use domain::Dialect;

use super::content::read_content;
use super::thinking::read_thinking;
use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{
    CallKind, ContentPart, ConversationTurn, ExtraField, Role, ThoughtSignature, ToolCall,
    ToolResult,
};

pub(super) fn read_messages(
    list: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ConversationTurn>, RequestError> {
    let mut reader = MessageReader {
        messages: Vec::new(),
        calls: HashMap::new(),
        last_legacy_call_id: None,
        extras,
    };
    for node in list.array()? {
        reader.read_message(&node)?;
    }
    Ok(reader.messages)
}

struct MessageReader<'e> {
    messages: Vec<ConversationTurn>,
    /// Name and kind of each call, by id.
    calls: HashMap<String, (String, CallKind)>,
    /// The generated id of the last `function_call`, which has none of its own.
    last_legacy_call_id: Option<String>,
    extras: &'e mut Vec<ExtraField>,
}

impl MessageReader<'_> {
    fn read_message(&mut self, node: &JsonNode<'_>) -> Result<(), RequestError> {
        let message = node.object()?;
        let role = message.required("role")?;
        let (role, parts) = match role.text()?.as_str() {
            "system" | "developer" => (Role::System, self.content_parts(&message)?),
            "user" => (Role::User, self.content_parts(&message)?),
            "assistant" => (Role::Assistant, self.assistant_parts(&message)?),
            "tool" => return self.read_result(&message),
            "function" => return self.read_legacy_result(&message),
            _ => {
                return Err(
                    role.bad_value("use developer, system, user, assistant, tool or function")
                );
            }
        };
        self.messages.push(ConversationTurn { role, parts });
        Ok(())
    }

    fn content_parts(
        &mut self,
        message: &JsonObject<'_>,
    ) -> Result<Vec<ContentPart>, RequestError> {
        match message.get("content") {
            Some(content) => read_content(&content, self.extras),
            None => Ok(Vec::new()),
        }
    }

    fn assistant_parts(
        &mut self,
        message: &JsonObject<'_>,
    ) -> Result<Vec<ContentPart>, RequestError> {
        let mut parts = read_thinking(message)?;
        parts.extend(self.content_parts(message)?);
        parts.extend(message.text("refusal")?.map(ContentPart::Refusal));
        if let Some(audio) = message.get("audio") {
            self.extras.push(audio.extra(FieldKind::ProviderFile));
        }
        if let Some(calls) = message.get("tool_calls") {
            for call in calls.array()? {
                self.read_call(&call.object()?, &mut parts)?;
            }
        }
        if let Some(call) = message.get("function_call") {
            let function = call.object()?;
            let id = format!("call_{}", self.messages.len());
            self.last_legacy_call_id = Some(id.clone());
            let (name, arguments) = (function.required_text("name")?, read_arguments(&function)?);
            self.push_call(id, name, CallKind::Function, arguments, &mut parts);
        }
        Ok(parts)
    }

    fn read_call(
        &mut self,
        call: &JsonObject<'_>,
        parts: &mut Vec<ContentPart>,
    ) -> Result<(), RequestError> {
        parts.extend(read_thought_signature(call)?);
        let id = call.required("id")?;
        let text = id.text()?;
        if text.is_empty() {
            return Err(id.bad_value("a call needs an id that its result can refer to"));
        }
        if let Some(custom) = call.get("custom") {
            let custom = custom.object()?;
            let (name, input) = (custom.required_text("name")?, custom.text("input")?);
            self.push_call(text, name, CallKind::Custom, input.unwrap_or_default(), parts);
            return Ok(());
        }
        let function = call.required("function")?.object()?;
        let (name, arguments) = (function.required_text("name")?, read_arguments(&function)?);
        self.push_call(text, name, CallKind::Function, arguments, parts);
        Ok(())
    }

    fn push_call(
        &mut self,
        id: String,
        name: String,
        kind: CallKind,
        arguments: String,
        parts: &mut Vec<ContentPart>,
    ) {
        self.calls.insert(id.clone(), (name.clone(), kind));
        parts.push(ContentPart::ToolCall(ToolCall { id, name, namespace: None, kind, arguments }));
    }

    fn read_result(&mut self, message: &JsonObject<'_>) -> Result<(), RequestError> {
        let call_id = message.required_text("tool_call_id")?;
        let known = self.calls.get(&call_id).cloned();
        let named = message.text("name")?;
        let (name, kind) = match known {
            Some((name, kind)) => (Some(name), kind),
            None => (named, CallKind::Function),
        };
        let content = self.content_parts(message)?;
        self.push_result(ToolResult { call_id, name, content, is_error: false, kind });
        Ok(())
    }

    fn read_legacy_result(&mut self, message: &JsonObject<'_>) -> Result<(), RequestError> {
        let name = Some(message.required_text("name")?);
        let call_id = self.last_legacy_call_id.take().unwrap_or_default();
        let (content, kind) = (self.content_parts(message)?, CallKind::Function);
        self.push_result(ToolResult { call_id, name, content, is_error: false, kind });
        Ok(())
    }

    /// Adds a result; consecutive results form one turn.
    fn push_result(&mut self, result: ToolResult) {
        let is_results = |message: &&mut ConversationTurn| {
            message.role == Role::User
                && !message.parts.is_empty()
                && message.parts.iter().all(|part| matches!(part, ContentPart::ToolResult(_)))
        };
        let part = ContentPart::ToolResult(result);
        match self.messages.last_mut().filter(is_results) {
            Some(turn) => turn.parts.push(part),
            None => self.messages.push(ConversationTurn { role: Role::User, parts: vec![part] }),
        }
    }
}

/// Arguments are a string; some clients send the object itself.
fn read_arguments(function: &JsonObject<'_>) -> Result<String, RequestError> {
    match function.get("arguments") {
        Some(arguments) if arguments.is_object() => Ok(arguments.raw().to_owned()),
        Some(arguments) => arguments.text(),
        None => Ok(String::new()),
    }
}

/// Google's `extra_content.google.thought_signature`, as a part that precedes its call.
fn read_thought_signature(call: &JsonObject<'_>) -> Result<Option<ContentPart>, RequestError> {
    let Some(google) = call.get("extra_content").map(|extra| extra.object()).transpose()? else {
        return Ok(None);
    };
    let google = google.get("google").map(|google| google.object()).transpose()?;
    let text = google.map(|google| google.text("thought_signature")).transpose()?.flatten();
    Ok(text.map(|text| ContentPart::Thinking {
        text: String::new(),
        signature: Some(ThoughtSignature::from_client(&text, Dialect::OpenAiChat)),
    }))
}
