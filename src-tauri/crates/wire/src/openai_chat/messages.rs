//! Parses a client's messages into turns.

use std::collections::HashMap;

use super::content::read_content;
use super::request::DIALECT;
use super::thinking::read_thinking;
use crate::RequestError;
use crate::crossing::Field;
use crate::neutral::{CallKind, Extra, Message, Part, Role, Signature, ToolCall, ToolResult};
use crate::node::{Node, Object};

pub(super) fn read_messages(
    list: &Node<'_>,
    extras: &mut Vec<Extra>,
) -> Result<Vec<Message>, RequestError> {
    let mut reader = Reader { messages: Vec::new(), calls: HashMap::new(), last: None, extras };
    for node in list.array()? {
        reader.read(&node)?;
    }
    Ok(reader.messages)
}

struct Reader<'e> {
    messages: Vec<Message>,
    /// Name and kind of each call, by id.
    calls: HashMap<String, (String, CallKind)>,
    /// The generated id of the last `function_call`, which has none of its own.
    last: Option<String>,
    extras: &'e mut Vec<Extra>,
}

impl Reader<'_> {
    fn read(&mut self, node: &Node<'_>) -> Result<(), RequestError> {
        let message = node.object()?;
        let role = message.required("role")?;
        let (role, parts) = match role.text()?.as_str() {
            "system" | "developer" => (Role::System, self.content(&message)?),
            "user" => (Role::User, self.content(&message)?),
            "assistant" => (Role::Assistant, self.said(&message)?),
            "tool" => return self.result(&message),
            "function" => return self.legacy_result(&message),
            _ => {
                return Err(role.bad("use developer, system, user, assistant, tool or function"));
            }
        };
        self.messages.push(Message { role, parts });
        Ok(())
    }

    fn content(&mut self, message: &Object<'_>) -> Result<Vec<Part>, RequestError> {
        match message.get("content") {
            Some(content) => read_content(&content, self.extras),
            None => Ok(Vec::new()),
        }
    }

    fn said(&mut self, message: &Object<'_>) -> Result<Vec<Part>, RequestError> {
        let mut parts = read_thinking(message)?;
        parts.extend(self.content(message)?);
        parts.extend(message.text("refusal")?.map(Part::Refusal));
        if let Some(audio) = message.get("audio") {
            let (path, value) = (audio.path().to_owned(), audio.json());
            self.extras.push(Extra { field: Field::ProviderFile, path, value });
        }
        if let Some(calls) = message.get("tool_calls") {
            for call in calls.array()? {
                self.call(&call.object()?, &mut parts)?;
            }
        }
        if let Some(call) = message.get("function_call") {
            let function = call.object()?;
            let id = format!("call_{}", self.messages.len());
            self.last = Some(id.clone());
            let (name, arguments) = (function.required_text("name")?, arguments(&function)?);
            self.push_call(id, name, CallKind::Function, arguments, &mut parts);
        }
        Ok(parts)
    }

    fn call(&mut self, call: &Object<'_>, parts: &mut Vec<Part>) -> Result<(), RequestError> {
        parts.extend(thought_signature(call)?);
        let id = call.required("id")?;
        let text = id.text()?;
        if text.is_empty() {
            return Err(id.bad("a call needs an id that its result can refer to"));
        }
        if let Some(custom) = call.get("custom") {
            let custom = custom.object()?;
            let (name, input) = (custom.required_text("name")?, custom.text("input")?);
            self.push_call(text, name, CallKind::Custom, input.unwrap_or_default(), parts);
            return Ok(());
        }
        let function = call.required("function")?.object()?;
        let (name, arguments) = (function.required_text("name")?, arguments(&function)?);
        self.push_call(text, name, CallKind::Function, arguments, parts);
        Ok(())
    }

    fn push_call(
        &mut self,
        id: String,
        name: String,
        kind: CallKind,
        arguments: String,
        parts: &mut Vec<Part>,
    ) {
        self.calls.insert(id.clone(), (name.clone(), kind));
        parts.push(Part::ToolCall(ToolCall { id, name, namespace: None, kind, arguments }));
    }

    fn result(&mut self, message: &Object<'_>) -> Result<(), RequestError> {
        let call_id = message.required_text("tool_call_id")?;
        let known = self.calls.get(&call_id).cloned();
        let named = message.text("name")?;
        let (name, kind) = match known {
            Some((name, kind)) => (Some(name), kind),
            None => (named, CallKind::Function),
        };
        let content = self.content(message)?;
        self.push_result(ToolResult { call_id, name, content, is_error: false, kind });
        Ok(())
    }

    fn legacy_result(&mut self, message: &Object<'_>) -> Result<(), RequestError> {
        let name = Some(message.required_text("name")?);
        let call_id = self.last.take().unwrap_or_default();
        let (content, kind) = (self.content(message)?, CallKind::Function);
        self.push_result(ToolResult { call_id, name, content, is_error: false, kind });
        Ok(())
    }

    /// Adds a result; consecutive results form one turn.
    fn push_result(&mut self, result: ToolResult) {
        let is_results = |message: &&mut Message| {
            message.role == Role::User
                && !message.parts.is_empty()
                && message.parts.iter().all(|part| matches!(part, Part::ToolResult(_)))
        };
        let part = Part::ToolResult(result);
        match self.messages.last_mut().filter(is_results) {
            Some(turn) => turn.parts.push(part),
            None => self.messages.push(Message { role: Role::User, parts: vec![part] }),
        }
    }
}

/// Arguments are a string; some clients send the object itself.
fn arguments(function: &Object<'_>) -> Result<String, RequestError> {
    match function.get("arguments") {
        Some(arguments) if arguments.is_object() => Ok(arguments.raw().to_owned()),
        Some(arguments) => arguments.text(),
        None => Ok(String::new()),
    }
}

/// Google's `extra_content.google.thought_signature`, as a part that precedes its call.
fn thought_signature(call: &Object<'_>) -> Result<Option<Part>, RequestError> {
    let Some(google) = call.get("extra_content").map(|extra| extra.object()).transpose()? else {
        return Ok(None);
    };
    let google = google.get("google").map(|google| google.object()).transpose()?;
    let text = google.map(|google| google.text("thought_signature")).transpose()?.flatten();
    Ok(text.map(|text| Part::Thinking {
        text: String::new(),
        signature: Some(Signature::from_client(&text, DIALECT)),
    }))
}
