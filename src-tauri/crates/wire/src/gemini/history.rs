//! Writes the conversation for a backend.
//!
//! Google requires alternating turns and, after N calls, N results in the same order. Signatures
//! must be on the part that they came on. Since Gemini 3, the first call of each turn must have a
//! signature.

use std::collections::HashMap;

use domain::Dialect;

use super::body::{Content, FunctionResponse, PartBody, arguments, member};
use super::media::is_own_file;
use super::model::Generation;
use super::signature::STAND_IN;
use crate::RequestError;
use crate::crossing::{Crossings, Field, Write};
use crate::names::{CUSTOM_INPUT, ToolNames, fit_call_id};
use crate::neutral::{
    CallKind, Json, Media, MediaKind, MediaSource, Message, Part, Request, Role, ToolCall,
    ToolResult,
};
use crate::turns::{alternate, split_system};

/// Top-level instructions and turns.
pub(super) struct History {
    pub(super) system: Option<Content>,
    pub(super) contents: Vec<Content>,
}

impl History {
    pub(super) fn of(
        request: &Request,
        generation: Generation,
        names: &ToolNames,
        crossings: &mut Crossings,
    ) -> Result<Self, RequestError> {
        let (instructions, turns) = split_system(&request.messages);
        let mut writer = TurnWriter { names, generation, crossings, calls: HashMap::new() };
        let system = writer.user(&instructions)?;
        let mut contents = Vec::new();
        for Message { role, parts } in &alternate(turns) {
            let (role, parts) = match role {
                Role::Assistant => ("model", writer.model(parts)?),
                Role::User | Role::System => ("user", writer.user(parts)?),
            };
            if !parts.is_empty() {
                contents.push(Content { role: Some(role), parts });
            }
        }
        let content = |role| move |parts: Vec<PartBody>| Content { role, parts };
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
    generation: Generation,
    crossings: &'a mut Crossings,
    /// Wire names by call id, for the calls written so far.
    calls: HashMap<String, String>,
}

impl TurnWriter<'_> {
    fn model(&mut self, parts: &[Part]) -> Result<Vec<PartBody>, RequestError> {
        let mut written = Vec::new();
        let mut pending: Option<String> = None;
        let mut is_first_call = true;
        for part in parts {
            let mut body = match part {
                Part::Text { text, .. } | Part::Refusal(text) => PartBody::text(text.as_str()),
                Part::ToolCall(call) => self.call(call),
                Part::Media(medium) => match self.media(medium)? {
                    Some(body) => body,
                    None => continue,
                },
                Part::Thinking { text, signature } => {
                    // Another provider's thoughts are not valid here and are left out.
                    let own = signature.as_ref().filter(|own| own.origin == Dialect::Gemini);
                    let Some(own) = own else { continue };
                    if text.is_empty() {
                        pending = Some(own.data.clone());
                        continue;
                    }
                    let thought_signature = Some(own.data.clone());
                    written
                        .push(PartBody { thought_signature, ..PartBody::thought(text.as_str()) });
                    continue;
                }
                Part::RedactedThinking(_) | Part::ToolResult(_) => continue,
            };
            body.thought_signature = pending.take();
            if body.function_call.is_some() {
                let needs =
                    std::mem::take(&mut is_first_call) && self.generation.demands_signatures();
                let stand_in = || needs.then(|| STAND_IN.to_owned());
                body.thought_signature = body.thought_signature.or_else(stand_in);
            }
            written.push(body);
        }
        let last = pending
            .map(|signed| PartBody { thought_signature: Some(signed), ..PartBody::text("") });
        written.extend(last);
        Ok(written)
    }

    fn user(&mut self, parts: &[Part]) -> Result<Vec<PartBody>, RequestError> {
        let (mut written, mut beside) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::Text { text, .. } | Part::Refusal(text) => {
                    if !text.trim().is_empty() {
                        beside.push(PartBody::text(text.as_str()));
                    }
                }
                Part::Media(medium) => beside.extend(self.media(medium)?),
                Part::ToolResult(result) => {
                    let (response, media) = self.result(result)?;
                    written.push(response);
                    beside.extend(media);
                }
                Part::Thinking { .. } | Part::RedactedThinking(_) | Part::ToolCall(_) => {}
            }
        }
        // Results come first and together.
        written.append(&mut beside);
        Ok(written)
    }

    fn call(&mut self, call: &ToolCall) -> PartBody {
        let name = self.names.wire(&call.name, call.namespace.as_deref());
        self.calls.insert(call.id.clone(), name.clone());
        let args = match call.kind {
            CallKind::Function => arguments(&call.arguments),
            CallKind::Custom => member(CUSTOM_INPUT, &call.arguments),
        };
        PartBody::call(fit_call_id(&call.id, Dialect::Gemini).into_owned(), name, args)
    }

    /// Writes a result, and the media of it that must stand beside it.
    fn result(&mut self, result: &ToolResult) -> Result<(PartBody, Vec<PartBody>), RequestError> {
        let known = self.calls.get(&result.call_id).cloned();
        let named = || result.name.as_deref().map(|name| self.names.wire(name, None));
        let name = known.or_else(named).unwrap_or_default();
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        for part in &result.content {
            match part {
                Part::Text { text, .. } | Part::Refusal(text) => texts.push(text.as_str()),
                Part::Media(medium) => media.extend(self.media(medium)?),
                _ => {}
            }
        }
        let response = response(&texts.join("\n"), result.is_error);
        let id = fit_call_id(&result.call_id, Dialect::Gemini).into_owned();
        let inside = self.generation.takes_media_in_results();
        let (parts, beside) = if inside { (media, Vec::new()) } else { (Vec::new(), media) };
        let function_response = Some(FunctionResponse { id, name, response, parts });
        Ok((PartBody { function_response, ..PartBody::default() }, beside))
    }

    fn media(&mut self, medium: &Media) -> Result<Option<PartBody>, RequestError> {
        let (field, path) = match (&medium.source, medium.kind) {
            (MediaSource::File(uri), _) if !is_own_file(uri) => (Field::ProviderFile, "file"),
            (_, MediaKind::Audio) => (Field::AudioInput, "audio"),
            (_, MediaKind::Document) => (Field::Document, "document"),
            (_, MediaKind::Image) => return Ok(Some(PartBody::media(medium))),
        };
        Ok(match self.crossings.judge(field, path)? {
            Write::Yes => Some(PartBody::media(medium)),
            Write::No => None,
        })
    }
}

/// Wraps a tool's result in the object that Google requires; a result that is one stays unchanged.
fn response(text: &str, is_error: bool) -> Json {
    match Json::parse(text) {
        Some(json) if json.is_object() && !is_error => json,
        _ => member(if is_error { "error" } else { "result" }, text),
    }
}
