//! Reads the conversation: `contents` and `systemInstruction`.
//!
//! Calls may come without ids (opencode sends none, Gemini CLI invents some). Such a call gets an
//! id made of its position, which is the same in every later request of the conversation. A result
//! without a known id is matched to the first call of its name that has no result yet.

use super::fields::RemainingMembers;
use super::{media, signature};
use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::JsonNode;
use crate::neutral::{
    CallKind, ContentPart, ConversationTurn, ExtraField, Role, ToolCall, ToolResult,
};

/// Parts of tools that Google runs.
const SERVER_PARTS: [&str; 4] =
    ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];

/// Keys under which a result's text may stand alone in `response`. `output` is Google's, the others
/// are what frameworks send.
const RESULT_KEYS: [&str; 3] = ["output", "result", "content"];

/// Reads `systemInstruction`: a content object or plain text.
pub(super) fn read_instructions(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ConversationTurn>, RequestError> {
    let parts = if node.is_text() {
        vec![ContentPart::text(node.text()?)]
    } else {
        let mut conversation = ConversationReader::new(extras);
        conversation.read_content(node, 0)?.parts
    };
    Ok((!parts.is_empty()).then_some(ConversationTurn { role: Role::System, parts }))
}

/// Reads the turns of one conversation and matches results to calls.
pub(super) struct ConversationReader<'e> {
    extras: &'e mut Vec<ExtraField>,
    open: Vec<OpenCall>,
}

/// A call without a result so far.
struct OpenCall {
    id: String,
    name: String,
    has_generated_id: bool,
}

impl<'e> ConversationReader<'e> {
    pub(super) fn new(extras: &'e mut Vec<ExtraField>) -> Self {
        Self { extras, open: Vec::new() }
    }

    pub(super) fn read(
        &mut self,
        node: &JsonNode<'_>,
    ) -> Result<Vec<ConversationTurn>, RequestError> {
        let contents = node.array()?;
        let turns = contents.iter().enumerate().map(|(turn, node)| self.read_content(node, turn));
        turns.collect()
    }

    fn read_content(
        &mut self,
        node: &JsonNode<'_>,
        turn: usize,
    ) -> Result<ConversationTurn, RequestError> {
        let mut fields = RemainingMembers::from_node(node)?;
        let role = match fields.take("role") {
            None => Role::User,
            Some(role) => match role.text()?.as_str() {
                "" | "user" | "function" | "tool" => Role::User,
                "model" => Role::Assistant,
                "system" => Role::System,
                _ => return Err(role.bad_value("use \"user\" or \"model\"")),
            },
        };
        let mut parts = Vec::new();
        let nodes = fields.take("parts").map(|parts| parts.array()).transpose()?;
        for (place, node) in nodes.unwrap_or_default().iter().enumerate() {
            self.read_part(node, &format!("gemini_call_{turn}_{place}"), &mut parts)?;
        }
        fields.keep_rest(self.extras);
        Ok(ConversationTurn { role, parts })
    }

    /// Reads one part. A signature on a part that is no thought becomes a part of its own before
    /// it.
    fn read_part(
        &mut self,
        node: &JsonNode<'_>,
        call_id: &str,
        parts: &mut Vec<ContentPart>,
    ) -> Result<(), RequestError> {
        let mut fields = RemainingMembers::from_node(node)?;
        let is_thought = fields.take("thought").is_some_and(|flag| flag.raw() == "true");
        let signed = fields.take_text("thoughtSignature")?.filter(|text| !text.is_empty());
        let text = fields.take_text("text")?;
        if is_thought {
            push_thought(parts, text.unwrap_or_default(), signed.as_deref());
        } else {
            parts.extend(signed.map(|signed| signature::from_client(&signed, String::new())));
            parts.extend(text.filter(|text| !text.is_empty()).map(ContentPart::text));
        }
        if let Some(node) = fields.take("functionCall") {
            parts.push(ContentPart::ToolCall(self.read_call(&node, call_id)?));
        }
        if let Some(node) = fields.take("functionResponse") {
            parts.push(ContentPart::ToolResult(self.read_result(&node)?));
        }
        if let Some(node) = fields.take("inlineData") {
            parts.extend(media::read_inline(&node, self.extras)?.filter(|_| !is_thought));
        }
        if let Some(node) = fields.take("fileData") {
            parts.extend(media::read_file(&node, self.extras)?);
        }
        for key in SERVER_PARTS {
            fields.take_extra(key, FieldKind::ServerTool, self.extras);
        }
        fields.take_extra("mediaResolution", FieldKind::Presentation, self.extras);
        fields.keep_rest(self.extras);
        Ok(())
    }

    fn read_call(&mut self, node: &JsonNode<'_>, made_up: &str) -> Result<ToolCall, RequestError> {
        let mut fields = RemainingMembers::from_node(node)?;
        let name = fields.take_required_text("name")?;
        let given = fields.take_text("id")?.filter(|id| !id.is_empty());
        let args = fields.take("args");
        if let Some(args) = args.as_ref().filter(|args| !args.is_object()) {
            return Err(args.wrong_type("an object"));
        }
        fields.keep_rest(self.extras);
        let is_made_up = given.is_none();
        let id = given.unwrap_or_else(|| made_up.to_owned());
        self.open.push(OpenCall {
            id: id.clone(),
            name: name.clone(),
            has_generated_id: is_made_up,
        });
        let arguments = args.map_or("{}", |args| args.raw()).to_owned();
        Ok(ToolCall { id, name, namespace: None, kind: CallKind::Function, arguments })
    }

    fn read_result(&mut self, node: &JsonNode<'_>) -> Result<ToolResult, RequestError> {
        let mut fields = RemainingMembers::from_node(node)?;
        let name = fields.take_required_text("name")?;
        let given = fields.take_text("id")?.filter(|id| !id.is_empty());
        let (mut content, is_error) = match fields.take("response") {
            Some(response) => read_response(&response, &name)?,
            None => (Vec::new(), false),
        };
        let nodes = fields.take("parts").map(|parts| parts.array()).transpose()?;
        for node in nodes.unwrap_or_default() {
            self.read_part(&node, "", &mut content)?;
        }
        fields.keep_rest(self.extras);
        let call_id = self.resolve_call_id(given, &name);
        Ok(ToolResult { call_id, name: Some(name), content, is_error, kind: CallKind::Function })
    }

    /// Removes the open call that a result belongs to and returns its id. If there is none, returns
    /// the given id, or an empty one.
    fn resolve_call_id(&mut self, given: Option<String>, name: &str) -> String {
        let by_id = self.open.iter().position(|call| given.as_ref() == Some(&call.id));
        let by_name = || {
            let is_free = |call: &OpenCall| given.is_none() || call.has_generated_id;
            self.open.iter().position(|call| call.name == name && is_free(call))
        };
        match by_id.or_else(by_name) {
            Some(place) => self.open.remove(place).id,
            None => given.unwrap_or_default(),
        }
    }
}

/// Appends a thought. Fragments are joined until one of them is signed.
fn push_thought(parts: &mut Vec<ContentPart>, text: String, signed: Option<&str>) {
    let text = match parts.last_mut() {
        Some(ContentPart::Thinking { text: before, signature: None }) => {
            let joined = std::mem::take(before) + &text;
            parts.pop();
            joined
        }
        _ => text,
    };
    match signed {
        Some(signed) => match signature::from_client(signed, text.clone()) {
            redacted @ ContentPart::RedactedThinking(_) => {
                if !text.is_empty() {
                    parts.push(ContentPart::Thinking { text, signature: None });
                }
                parts.push(redacted);
            }
            signed => parts.push(signed),
        },
        None if text.is_empty() => {}
        None => parts.push(ContentPart::Thinking { text, signature: None }),
    }
}

/// Reads `response`; the flag is true for an error.
fn read_response(
    node: &JsonNode<'_>,
    name: &str,
) -> Result<(Vec<ContentPart>, bool), RequestError> {
    let object = node.object()?;
    let members: Vec<_> = object.entries().collect();
    let shown = |node: &JsonNode<'_>| {
        let text = if node.is_text() { node.text()? } else { node.raw().to_owned() };
        Ok::<_, RequestError>(if text.is_empty() {
            Vec::new()
        } else {
            vec![ContentPart::text(text)]
        })
    };
    match members.as_slice() {
        [] => Ok((Vec::new(), false)),
        [("error", node)] => Ok((shown(node)?, true)),
        [(word, node)] if RESULT_KEYS.contains(word) => Ok((shown(node)?, false)),
        // Vercel's provider repeats the function's name beside the text.
        [("name", again), ("content", node)] if again.is_text() && again.text()? == name => {
            Ok((shown(node)?, false))
        }
        _ => Ok((vec![ContentPart::text(node.raw())], false)),
    }
}
