//! Thinking, for which Chat Completions has no fields. Uses those of DeepSeek
//! (`reasoning_content`), OpenRouter (`reasoning`, `reasoning_details`) and Google
//! (`extra_content`).

use serde_json::value::RawValue;

use super::request::DIALECT;
use crate::RequestError;
use crate::json::{Members, items};
use crate::neutral::{Part, Piece, Signature};
use crate::node::{Object, lenient_text};
use crate::object_text::ObjectText;

/// Parses the thinking that a client returns in an assistant message. `reasoning_details` carry the
/// signatures, so they take precedence over the plain text.
pub(super) fn read_thinking(message: &Object<'_>) -> Result<Vec<Part>, RequestError> {
    let mut parts = Vec::new();
    if let Some(details) = message.get("reasoning_details").filter(|node| node.is_array()) {
        for node in details.array()? {
            let detail = node.object()?;
            let signed = |text: String| Signature::from_client(&text, DIALECT);
            match detail.text("type")?.as_deref() {
                Some("reasoning.encrypted") => {
                    parts.push(Part::RedactedThinking(signed(detail.required_text("data")?)));
                }
                Some("reasoning.summary") => {
                    let text = detail.text("summary")?.unwrap_or_default();
                    parts.push(Part::Thinking { text, signature: None });
                }
                _ => parts.push(Part::Thinking {
                    text: detail.text("text")?.unwrap_or_default(),
                    signature: detail.text("signature")?.map(signed),
                }),
            }
        }
    }
    let says_text =
        parts.iter().any(|part| matches!(part, Part::Thinking { text, .. } if !text.is_empty()));
    let bare = message.any(&["reasoning_content", "reasoning"]).filter(|node| node.is_text());
    if let Some(bare) = bare.filter(|_| !says_text) {
        let text = bare.text()?;
        if !text.is_empty() {
            parts.insert(0, Part::Thinking { text, signature: None });
        }
    }
    Ok(parts)
}

/// Parses the thinking in a backend's message or delta.
pub(super) fn thinking_pieces(choice: u32, delta: &Members<'_>, pieces: &mut Vec<Piece>) {
    let text = |key: &str| delta.get(key).and_then(lenient_text).filter(|text| !text.is_empty());
    let bare = text("reasoning_content").or_else(|| text("reasoning"));
    let has_text = bare.is_some();
    pieces.extend(bare.map(|text| Piece::Thinking { choice, text }));
    for detail in delta.get("reasoning_details").and_then(items).unwrap_or_default() {
        let Ok(members) = Members::parse(detail.get()) else { continue };
        let text = |key: &str| members.get(key).and_then(lenient_text);
        if text("type").as_deref() == Some("reasoning.encrypted") {
            let signature = Signature { origin: DIALECT, data: detail.get().to_owned() };
            pieces.push(Piece::RedactedThinking { choice, signature });
            continue;
        }
        if !has_text && let Some(text) = text("text").or_else(|| text("summary")) {
            pieces.push(Piece::Thinking { choice, text });
        }
        if text("signature").is_some_and(|signature| !signature.is_empty()) {
            let signature = Signature { origin: DIALECT, data: without_text(&members) };
            pieces.push(Piece::Signature { choice, signature });
        }
    }
}

/// A detail without its text; keeps the format and the id that OpenRouter expects back.
fn without_text(members: &Members<'_>) -> String {
    let kept = members.entries().filter(|(key, _)| *key != "text");
    kept.fold(ObjectText::new(), |object, (key, value)| object.raw(key, value.get())).finish()
}

/// The signature that Google attaches to a call or a message.
pub(super) fn google_signature(owner: &Members<'_>) -> Option<Signature> {
    let google = owner.object("extra_content").object("google");
    let data = google.get("thought_signature").and_then(lenient_text)?;
    (!data.is_empty()).then_some(Signature { origin: DIALECT, data })
}

/// A detail for the backend that issued the signature.
pub(super) fn detail_for_backend(text: &str, signature: &Signature) -> String {
    match serde_json::from_str::<&RawValue>(&signature.data).ok().map(RawValue::get) {
        Some(kept) if kept.starts_with('{') => {
            let rest = kept.get(1..).unwrap_or_default();
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!("{{\"text\":{}{comma}{rest}", crate::json::quote(text))
        }
        _ => detail(text, &signature.data, 0),
    }
}

/// A detail in OpenRouter's format.
pub(super) fn detail(text: &str, signature: &str, index: usize) -> String {
    ObjectText::new()
        .text("type", "reasoning.text")
        .text("text", text)
        .text("signature", signature)
        .raw("index", &index.to_string())
        .finish()
}

/// Encrypted thinking in OpenRouter's format.
pub(super) fn encrypted_detail(data: &str, index: usize) -> String {
    ObjectText::new()
        .text("type", "reasoning.encrypted")
        .text("data", data)
        .raw("index", &index.to_string())
        .finish()
}

/// A signature in the field where Google attaches it to a call.
pub(super) fn extra_content(signature: &str) -> String {
    let google = ObjectText::new().text("thought_signature", signature).finish();
    ObjectText::new().raw("google", &google).finish()
}
