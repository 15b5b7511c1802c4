//! Writes the conversation for a backend.
//!
//! Google requires alternating turns and, after N calls, N results in the same order. Signatures
//! must be on the part that they came on. Since Gemini 3, the first call of each turn must have a
//! signature.

use std::collections::HashMap;

use domain::Dialect;

use super::body::{FunctionResponse, GeminiContentBody, GeminiPart};
use super::media::is_own_file;
use super::model_features::ModelGeneration;
use super::signature::PLACEHOLDER_SIGNATURE;
use crate::RequestError;
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::{ToolNames, call_arguments, fit_call_id, single_member_object};
use crate::dialect::turns::{alternate_turns, split_system};
use crate::neutral::{
    ContentPart, ConversationTurn, JsonText, MediaContent, MediaKind, MediaSource, ModelRequest,
    Role, ToolCall, ToolResult,
};

/// Top-level instructions and turns.
pub(super) struct ConversationBody {
    pub(super) system: Option<GeminiContentBody>,
    pub(super) contents: Vec<GeminiContentBody>,
}

impl ConversationBody {
    pub(super) fn from_request(
        request: &ModelRequest,
        generation: ModelGeneration,
        names: &ToolNames,
        crossings: &mut FieldFilter,
    ) -> Result<Self, RequestError> {
        let (instructions, turns) = split_system(&request.messages);
        let mut writer = TurnWriter { names, generation, crossings, calls: HashMap::new() };
        let system = writer.write_user_turn(&instructions)?;
        let mut contents = Vec::new();
        for ConversationTurn { role, parts } in &alternate_turns(turns) {
            let (role, parts) = match role {
                Role::Assistant => ("model", writer.write_model_turn(parts)?),
                Role::User | Role::System => ("user", writer.write_user_turn(parts)?),
            };
            if !parts.is_empty() {
                contents.push(GeminiContentBody { role: Some(role), parts });
            }
        }
        let content = |role| move |parts: Vec<GeminiPart>| GeminiContentBody { role, parts };
        let system = Some(system).filter(|parts| !parts.is_empty());
        if contents.is_empty() {
            // Google requires a turn, so instructions alone become one.
            let contents = system.map(content(Some("user"))).into_iter().collect();
            return Ok(Self { system: None, contents });
        }
        Ok(Self { system: system.map(content(None)), contents })
    }
}

struct TurnWriter<'a> {
    names: &'a ToolNames,
    generation: ModelGeneration,
    crossings: &'a mut FieldFilter,
    /// Wire names by call id, for the calls written so far.
    calls: HashMap<String, String>,
}

impl TurnWriter<'_> {
    fn write_model_turn(&mut self, parts: &[ContentPart]) -> Result<Vec<GeminiPart>, RequestError> {
        let mut written = Vec::new();
        let mut pending: Option<String> = None;
        let mut is_first_call = true;
        for part in parts {
            let mut body = match part {
                ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
                    GeminiPart::text(text.as_str())
                }
                ContentPart::ToolCall(call) => self.write_call(call),
                ContentPart::Media(medium) => match self.write_media(medium)? {
                    Some(body) => body,
                    None => continue,
                },
                ContentPart::Thinking { text, signature } => {
                    // Another provider's thoughts are not valid here and are left out.
                    let own = signature.as_ref().filter(|own| own.origin == Dialect::Gemini);
                    let Some(own) = own else { continue };
                    if text.is_empty() {
                        pending = Some(own.data.clone());
                        continue;
                    }
                    let thought_signature = Some(own.data.clone());
                    written.push(GeminiPart {
                        thought_signature,
                        ..GeminiPart::thought(text.as_str())
                    });
                    continue;
                }
                ContentPart::RedactedThinking(_) | ContentPart::ToolResult(_) => continue,
            };
            body.thought_signature = pending.take();
            if body.function_call.is_some() {
                let needs =
                    std::mem::take(&mut is_first_call) && self.generation.demands_signatures();
                let stand_in = || needs.then(|| PLACEHOLDER_SIGNATURE.to_owned());
                body.thought_signature = body.thought_signature.or_else(stand_in);
            }
            written.push(body);
        }
        let last = pending
            .map(|signed| GeminiPart { thought_signature: Some(signed), ..GeminiPart::text("") });
        written.extend(last);
        Ok(written)
    }

    fn write_user_turn(&mut self, parts: &[ContentPart]) -> Result<Vec<GeminiPart>, RequestError> {
        let (mut written, mut beside) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
                    if !text.trim().is_empty() {
                        beside.push(GeminiPart::text(text.as_str()));
                    }
                }
                ContentPart::Media(medium) => beside.extend(self.write_media(medium)?),
                ContentPart::ToolResult(result) => {
                    let (response, media) = self.write_result(result)?;
                    written.push(response);
                    beside.extend(media);
                }
                ContentPart::Thinking { .. }
                | ContentPart::RedactedThinking(_)
                | ContentPart::ToolCall(_) => {}
            }
        }
        // Results come first and together.
        written.append(&mut beside);
        Ok(written)
    }

    fn write_call(&mut self, call: &ToolCall) -> GeminiPart {
        let name = self.names.wire_name(&call.name, call.namespace.as_deref());
        self.calls.insert(call.id.clone(), name.clone());
        let id = fit_call_id(&call.id, Dialect::Gemini).into_owned();
        GeminiPart::call(id, name, call_arguments(call))
    }

    /// Writes a result, and the media of it that must stand beside it.
    fn write_result(
        &mut self,
        result: &ToolResult,
    ) -> Result<(GeminiPart, Vec<GeminiPart>), RequestError> {
        let known = self.calls.get(&result.call_id).cloned();
        let named = || result.name.as_deref().map(|name| self.names.wire_name(name, None));
        let name = known.or_else(named).unwrap_or_default();
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        for part in &result.content {
            match part {
                ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
                    texts.push(text.as_str());
                }
                ContentPart::Media(medium) => media.extend(self.write_media(medium)?),
                _ => {}
            }
        }
        let response = response_object(&texts.join("\n"), result.is_error);
        let id = fit_call_id(&result.call_id, Dialect::Gemini).into_owned();
        let inside = self.generation.takes_media_in_results();
        let (parts, beside) = if inside { (media, Vec::new()) } else { (Vec::new(), media) };
        let function_response = Some(FunctionResponse { id, name, response, parts });
        Ok((GeminiPart { function_response, ..GeminiPart::default() }, beside))
    }

    fn write_media(&mut self, medium: &MediaContent) -> Result<Option<GeminiPart>, RequestError> {
        let (field, path) = match (&medium.source, medium.kind) {
            (MediaSource::File(uri), _) if !is_own_file(uri) => (FieldKind::ProviderFile, "file"),
            (_, MediaKind::Audio) => (FieldKind::AudioInput, "audio"),
            (_, MediaKind::Document) => (FieldKind::Document, "document"),
            (_, MediaKind::Image) => return Ok(Some(GeminiPart::media(medium))),
        };
        Ok(match self.crossings.check(field, path)? {
            FieldDecision::Keep => Some(GeminiPart::media(medium)),
            FieldDecision::Omit => None,
        })
    }
}

/// Wraps a tool's result in the object that Google requires; a result that is one stays unchanged.
fn response_object(text: &str, is_error: bool) -> JsonText {
    match JsonText::parse(text) {
        Some(json) if json.is_object() && !is_error => json,
        _ => single_member_object(if is_error { "error" } else { "result" }, text),
    }
}
