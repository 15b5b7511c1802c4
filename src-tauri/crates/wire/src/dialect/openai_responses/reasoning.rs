//! Reasoning items: thinking and its signature.
//!
//! Clients return what they received, so another provider's signature is carried in
//! `encrypted_content`. Codex drops the items' ids, so that field contains everything that must
//! come back.

use domain::Dialect;

use crate::RequestError;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{ContentPart, ThoughtSignature};

/// Prefix of `encrypted_content` if another provider encrypted the whole thinking rather than
/// signing it: that provider has both forms (`redacted_thinking`, `signature`).
const REDACTED_PREFIX: &str = "ghr.";

/// Separator between the parts of a summary in one text.
pub(super) const SUMMARY_BREAK: &str = "\n\n";

/// `encrypted_content` for a client.
pub(super) fn encrypted_content(signature: &ThoughtSignature) -> String {
    signature.encode_for_client(Dialect::OpenAiResponses)
}

/// `encrypted_content` for a client, for thinking without text.
pub(super) fn redacted_content(signature: &ThoughtSignature) -> String {
    let spelled = signature.encode_for_client(Dialect::OpenAiResponses);
    if signature.origin == Dialect::OpenAiResponses {
        spelled
    } else {
        format!("{REDACTED_PREFIX}{spelled}")
    }
}

/// True if this `encrypted_content` contains another provider's signature.
pub(super) fn is_foreign(content: &str) -> bool {
    content
        .strip_prefix(REDACTED_PREFIX)
        .unwrap_or(content)
        .starts_with(ThoughtSignature::FOREIGN_PREFIX)
}

/// The thinking in a client's item; `None` if it has none.
pub(super) fn read_reasoning_item(
    item: &JsonObject<'_>,
) -> Result<Option<ContentPart>, RequestError> {
    let summary = read_texts(item.get("summary"))?;
    let text = if summary.is_empty() { read_texts(item.get("content"))? } else { summary };
    Ok(thinking_part(text, item.text("encrypted_content")?.as_deref()))
}

fn read_texts(node: Option<JsonNode<'_>>) -> Result<String, RequestError> {
    let Some(node) = node else { return Ok(String::new()) };
    let texts: Result<Vec<_>, _> =
        node.array()?.iter().map(|part| part.object()?.required_text("text")).collect();
    Ok(texts?.join(SUMMARY_BREAK))
}

fn thinking_part(text: String, encrypted: Option<&str>) -> Option<ContentPart> {
    let Some(encrypted) = encrypted.filter(|encrypted| !encrypted.is_empty()) else {
        return (!text.is_empty()).then_some(ContentPart::Thinking { text, signature: None });
    };
    if let Some(whole) = encrypted.strip_prefix(REDACTED_PREFIX) {
        return Some(ContentPart::RedactedThinking(ThoughtSignature::from_client(
            whole,
            Dialect::OpenAiResponses,
        )));
    }
    let signature = ThoughtSignature::from_client(encrypted, Dialect::OpenAiResponses);
    if text.is_empty() && signature.origin == Dialect::OpenAiResponses {
        return Some(ContentPart::RedactedThinking(signature));
    }
    Some(ContentPart::Thinking { text, signature: Some(signature) })
}
