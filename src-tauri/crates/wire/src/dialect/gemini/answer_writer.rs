//! Writes answers for Gemini clients: complete, or a stream of small complete answers.
//!
//! Text and thoughts are written as they arrive, calls when they are complete. The finish reason
//! waits for the usage, since clients read both from the last event.

use bytes::{Bytes, BytesMut};
use domain::Dialect;
use serde::Serialize;

use super::body::{GeminiContentBody, GeminiPart};
use super::error::{error_body, error_event};
use super::usage::UsageMetadata;
use super::{JsonArrayFramer, signature};
use crate::dialect::tool_names::call_arguments;
use crate::dialect::translation::RequestEcho;
use crate::neutral::{
    AnswerEvent, ContentPart, Finish, FinishReason, ModelAnswer, PartDelta, PartHead,
    ThoughtSignature, ToolCall,
};
use crate::{Delivery, ErrorAnswer, UsageReport};

/// An answer or a fragment of one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiAnswerBody<'a> {
    candidates: Vec<GeminiCandidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<UsageMetadata>,
    model_version: &'a str,
    response_id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiCandidate {
    content: GeminiContentBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u32,
}

pub(crate) fn write_answer(answer: &ModelAnswer, echo: &RequestEcho) -> Bytes {
    let candidates =
        answer.choices.iter().zip(0_u32..).map(|(choice, index)| {
            let mut pending = None;
            let mut parts = Vec::new();
            for part in &choice.parts {
                write_part(part, &mut pending, &mut parts);
            }
            parts.extend(pending.map(|signed| GeminiPart {
                thought_signature: Some(signed),
                ..GeminiPart::text("")
            }));
            let finish_reason = choice.finish.as_ref().map(finish_reason);
            GeminiCandidate { content: model_content(parts), finish_reason, index }
        });
    let body = GeminiAnswerBody {
        candidates: candidates.collect(),
        usage_metadata: answer.usage.as_ref().map(UsageMetadata::from),
        model_version: answer.model.as_deref().unwrap_or(&echo.request.model),
        response_id: answer.id.as_deref().unwrap_or(&echo.id),
    };
    Bytes::from(to_json_bytes(&body))
}

#[derive(Debug)]
pub(crate) struct StreamWriter {
    id: String,
    model: String,
    array: Option<JsonArrayFramer>,
    choices: Vec<ChoiceState>,
}

/// What one choice has not written yet.
#[derive(Debug, Default)]
struct ChoiceState {
    is_thinking: bool,
    has_thought_text: bool,
    signature: Option<String>,
    call: Option<ToolCall>,
    finish: Option<&'static str>,
}

impl StreamWriter {
    pub(crate) fn new(echo: RequestEcho) -> Self {
        let is_array = echo.request.delivery == Delivery::StreamArray;
        let RequestEcho { request, id, .. } = echo;
        let model = request.model.clone();
        let array = is_array.then(JsonArrayFramer::default);
        Self { id, model, array, choices: Vec::new() }
    }

    fn choice_state(&mut self, choice: u32) -> &mut ChoiceState {
        let place = usize::try_from(choice).unwrap_or(0).min(crate::answer::CHOICES_MAX);
        if self.choices.len() <= place {
            self.choices.resize_with(place + 1, ChoiceState::default);
        }
        #[expect(clippy::indexing_slicing, reason = "the vector was just made that long")]
        &mut self.choices[place]
    }

    fn start(&mut self, choice: u32, head: &PartHead, out: &mut BytesMut) {
        let state = self.choice_state(choice);
        state.is_thinking = *head == PartHead::Thinking;
        state.has_thought_text = false;
        match head {
            PartHead::Text | PartHead::Refusal | PartHead::Thinking => {}
            PartHead::RedactedThinking(signature) => {
                let signed = Some(signature::encode_redacted_for_client(signature));
                let part = GeminiPart { thought_signature: signed, ..GeminiPart::thought("") };
                self.push_part(choice, part, out);
            }
            PartHead::Call { id, name, namespace, kind } => {
                state.call = Some(ToolCall {
                    id: id.clone(),
                    name: name.clone(),
                    namespace: namespace.clone(),
                    kind: *kind,
                    arguments: String::new(),
                });
            }
            PartHead::Media(medium) => {
                let part = GeminiPart {
                    thought_signature: state.signature.take(),
                    ..GeminiPart::media(medium)
                };
                self.push_part(choice, part, out);
            }
        }
    }

    fn delta(&mut self, choice: u32, delta: &PartDelta, out: &mut BytesMut) {
        let state = self.choice_state(choice);
        match delta {
            PartDelta::Text(text) if state.is_thinking => {
                state.has_thought_text = true;
                self.push_part(choice, GeminiPart::thought(text.as_str()), out);
            }
            PartDelta::Text(text) => {
                let thought_signature = state.signature.take();
                let part = GeminiPart { thought_signature, ..GeminiPart::text(text.as_str()) };
                self.push_part(choice, part, out);
            }
            PartDelta::Signature(signed) => self.write_signature(choice, signed, out),
            PartDelta::Arguments(more) => {
                if let Some(call) = &mut state.call {
                    call.arguments.push_str(more);
                }
            }
        }
    }

    /// Writes a signature on a thought if the thoughts have text or it is another provider's. Else
    /// it waits for the next part.
    fn write_signature(&mut self, choice: u32, signed: &ThoughtSignature, out: &mut BytesMut) {
        let state = self.choice_state(choice);
        let text = signature::encode_for_client(signed);
        if state.has_thought_text || signed.origin != Dialect::Gemini {
            let part = GeminiPart { thought_signature: Some(text), ..GeminiPart::thought("") };
            self.push_part(choice, part, out);
        } else if let Some(before) = state.signature.replace(text) {
            let part = GeminiPart { thought_signature: Some(before), ..GeminiPart::text("") };
            self.push_part(choice, part, out);
        }
    }

    fn stop(&mut self, choice: u32, out: &mut BytesMut) {
        let state = self.choice_state(choice);
        state.is_thinking = false;
        if let Some(call) = state.call.take() {
            let part = GeminiPart { thought_signature: state.signature.take(), ..call_part(&call) };
            self.push_part(choice, part, out);
        }
    }

    fn end(&mut self, usage: Option<&UsageReport>, out: &mut BytesMut) {
        let states = std::mem::take(&mut self.choices);
        let candidates = states.into_iter().zip(0_u32..).map(|(state, index)| {
            let thought_signature = state.signature;
            let last = GeminiPart { thought_signature, ..GeminiPart::text("") };
            GeminiCandidate {
                content: model_content(vec![last]),
                finish_reason: state.finish,
                index,
            }
        });
        let candidates = candidates.collect();
        self.write_event(candidates, usage.map(UsageMetadata::from), out);
        if let Some(array) = &self.array {
            out.extend_from_slice(&array.close());
        }
    }

    fn push_part(&mut self, choice: u32, part: GeminiPart, out: &mut BytesMut) {
        let content = model_content(vec![part]);
        self.write_event(
            vec![GeminiCandidate { content, finish_reason: None, index: choice }],
            None,
            out,
        );
    }

    fn write_event(
        &mut self,
        candidates: Vec<GeminiCandidate>,
        usage_metadata: Option<UsageMetadata>,
        out: &mut BytesMut,
    ) {
        let body = to_json_bytes(&GeminiAnswerBody {
            candidates,
            usage_metadata,
            model_version: &self.model,
            response_id: &self.id,
        });
        match &mut self.array {
            Some(array) => array.push_item(&body, out),
            None => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&body);
                out.extend_from_slice(b"\r\n\r\n");
            }
        }
    }
}

impl crate::dialect::translation::StreamWriter for StreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut BytesMut) {
        match event {
            AnswerEvent::Begin { id, model, .. } => {
                self.id = id.clone().unwrap_or_else(|| std::mem::take(&mut self.id));
                self.model = model.clone().unwrap_or_else(|| std::mem::take(&mut self.model));
            }
            AnswerEvent::Start { choice, head, .. } => self.start(*choice, head, out),
            AnswerEvent::Delta { choice, delta, .. } => self.delta(*choice, delta, out),
            AnswerEvent::Stop { choice, .. } => self.stop(*choice, out),
            AnswerEvent::Finish { choice, finish } => {
                self.choice_state(*choice).finish = Some(finish_reason(finish));
            }
            AnswerEvent::End { usage } => self.end(usage.as_ref(), out),
        }
    }

    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        match &self.array {
            Some(array) => array.close_with_error(&error_body(error)),
            None => error_event(error),
        }
    }
}

const fn model_content(parts: Vec<GeminiPart>) -> GeminiContentBody {
    GeminiContentBody { role: Some("model"), parts }
}

fn to_json_bytes(body: &GeminiAnswerBody<'_>) -> Vec<u8> {
    // Every key is text and every raw value was parsed before, so this cannot fail.
    serde_json::to_vec(body).unwrap_or_default()
}

/// Writes one part of a complete answer. `pending` is a signature for the next part.
fn write_part(part: &ContentPart, pending: &mut Option<String>, parts: &mut Vec<GeminiPart>) {
    let body = match part {
        ContentPart::Text { text, .. } | ContentPart::Refusal(text) => {
            GeminiPart::text(text.as_str())
        }
        ContentPart::Media(medium) => GeminiPart::media(medium),
        ContentPart::Thinking { text, signature } => {
            let signed = signature.as_ref().map(signature::encode_for_client);
            let is_own = signature.as_ref().is_some_and(|s| s.origin == Dialect::Gemini);
            if text.is_empty() && is_own {
                *pending = signed;
                return;
            }
            parts.push(GeminiPart {
                thought_signature: signed,
                ..GeminiPart::thought(text.as_str())
            });
            return;
        }
        ContentPart::RedactedThinking(signature) => {
            let thought_signature = Some(signature::encode_redacted_for_client(signature));
            parts.push(GeminiPart { thought_signature, ..GeminiPart::thought("") });
            return;
        }
        ContentPart::ToolCall(call) => call_part(call),
        ContentPart::ToolResult(_) => return,
    };
    parts.push(GeminiPart { thought_signature: pending.take(), ..body });
}

fn call_part(call: &ToolCall) -> GeminiPart {
    GeminiPart::call(call.id.clone(), call.name.clone(), call_arguments(call))
}

const fn finish_reason(finish: &Finish) -> &'static str {
    match finish.reason {
        FinishReason::EndTurn
        | FinishReason::StopSequence
        | FinishReason::ToolUse
        | FinishReason::Pause => "STOP",
        FinishReason::MaxTokens | FinishReason::ContextWindow => "MAX_TOKENS",
        FinishReason::Refusal => "SAFETY",
        FinishReason::Fault => "OTHER",
    }
}
