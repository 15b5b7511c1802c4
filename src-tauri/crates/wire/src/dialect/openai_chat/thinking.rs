//! Thinking, for which Chat Completions has no fields. Uses those of DeepSeek
//! (`reasoning_content`), OpenRouter (`reasoning`, `reasoning_details`) and Google
//! (`extra_content`).

use domain::Dialect;
use serde_json::value::RawValue;

use crate::RequestError;
use crate::json::json_builder::JsonObjectBuilder;
use crate::json::json_node::{JsonObject, decode_string_lossy};
use crate::json::{Members, array_items};
use crate::neutral::{ContentPart, ProviderEvent, ThoughtSignature};

/// Parses the thinking that a client returns in an assistant message. `reasoning_details` carry the
/// signatures, so they take precedence over the plain text.
pub(super) fn read_thinking(message: &JsonObject<'_>) -> Result<Vec<ContentPart>, RequestError> {
    let mut parts = Vec::new();
    if let Some(details) = message.get("reasoning_details").filter(|node| node.is_array()) {
        for node in details.array()? {
            let detail = node.object()?;
            let signed = |text: String| ThoughtSignature::from_client(&text, Dialect::OpenAiChat);
            match detail.text("type")?.as_deref() {
                Some("reasoning.encrypted") => {
                    parts
                        .push(ContentPart::RedactedThinking(signed(detail.required_text("data")?)));
                }
                Some("reasoning.summary") => {
                    let text = detail.text("summary")?.unwrap_or_default();
                    parts.push(ContentPart::Thinking { text, signature: None });
                }
                _ => parts.push(ContentPart::Thinking {
                    text: detail.text("text")?.unwrap_or_default(),
                    signature: detail.text("signature")?.map(signed),
                }),
            }
        }
    }
    let says_text = parts
        .iter()
        .any(|part| matches!(part, ContentPart::Thinking { text, .. } if !text.is_empty()));
    let bare = message.first_of(&["reasoning_content", "reasoning"]).filter(|node| node.is_text());
    if let Some(bare) = bare.filter(|_| !says_text) {
        let text = bare.text()?;
        if !text.is_empty() {
            parts.insert(0, ContentPart::Thinking { text, signature: None });
        }
    }
    Ok(parts)
}

/// Parses the thinking in a backend's message or delta.
pub(super) fn push_thinking_events(
    choice: u32,
    delta: &Members<'_>,
    pieces: &mut Vec<ProviderEvent>,
) {
    let text =
        |key: &str| delta.get(key).and_then(decode_string_lossy).filter(|text| !text.is_empty());
    let bare = text("reasoning_content").or_else(|| text("reasoning"));
    let has_text = bare.is_some();
    pieces.extend(bare.map(|text| ProviderEvent::Thinking { choice, text }));
    for detail in delta.get("reasoning_details").and_then(array_items).unwrap_or_default() {
        let Ok(members) = Members::parse(detail.get()) else { continue };
        let text = |key: &str| members.get(key).and_then(decode_string_lossy);
        if text("type").as_deref() == Some("reasoning.encrypted") {
            let signature =
                ThoughtSignature { origin: Dialect::OpenAiChat, data: detail.get().to_owned() };
            pieces.push(ProviderEvent::RedactedThinking { choice, signature });
            continue;
        }
        if !has_text && let Some(text) = text("text").or_else(|| text("summary")) {
            pieces.push(ProviderEvent::Thinking { choice, text });
        }
        if text("signature").is_some_and(|signature| !signature.is_empty()) {
            let signature = ThoughtSignature {
                origin: Dialect::OpenAiChat,
                data: detail_without_text(&members),
            };
            pieces.push(ProviderEvent::Signature { choice, signature });
        }
    }
}

/// A detail without its text; keeps the format and the id that OpenRouter expects back.
fn detail_without_text(members: &Members<'_>) -> String {
    let kept = members.entries().filter(|(key, _)| *key != "text");
    kept.fold(JsonObjectBuilder::new(), |object, (key, value)| object.raw(key, value.get()))
        .finish()
}

/// The signature that Google attaches to a call or a message.
pub(super) fn read_google_signature(owner: &Members<'_>) -> Option<ThoughtSignature> {
    let google = owner.object("extra_content").object("google");
    let data = google.get("thought_signature").and_then(decode_string_lossy)?;
    (!data.is_empty()).then_some(ThoughtSignature { origin: Dialect::OpenAiChat, data })
}

/// A detail for the backend that issued the signature.
pub(super) fn detail_for_backend(text: &str, signature: &ThoughtSignature) -> String {
    match serde_json::from_str::<&RawValue>(&signature.data).ok().map(RawValue::get) {
        Some(kept) if kept.starts_with('{') => {
            let rest = kept.get(1..).unwrap_or_default();
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!("{{\"text\":{}{comma}{rest}", crate::json::quote(text))
        }
        _ => reasoning_detail(text, &signature.data, 0),
    }
}

/// A detail in OpenRouter's format.
pub(super) fn reasoning_detail(text: &str, signature: &str, index: usize) -> String {
    JsonObjectBuilder::new()
        .text("type", "reasoning.text")
        .text("text", text)
        .text("signature", signature)
        .raw("index", &index.to_string())
        .finish()
}

/// Encrypted thinking in OpenRouter's format.
pub(super) fn encrypted_detail(data: &str, index: usize) -> String {
    JsonObjectBuilder::new()
        .text("type", "reasoning.encrypted")
        .text("data", data)
        .raw("index", &index.to_string())
        .finish()
}

/// A signature in the field where Google attaches it to a call.
pub(super) fn extra_content(signature: &str) -> String {
    let google = JsonObjectBuilder::new().text("thought_signature", signature).finish();
    JsonObjectBuilder::new().raw("google", &google).finish()
}
