//! Reasoning items: thinking and its signature.
//!
//! Clients return what they received, so another provider's signature is carried in
//! `encrypted_content`. Codex drops the items' ids, so that field contains everything that must
//! come back.

use domain::Dialect;

use super::input::DIALECT;
use crate::RequestError;
use crate::neutral::{Part, Signature};
use crate::node::{Node, Object};

/// Prefix of `encrypted_content` if another provider encrypted the whole thinking rather than
/// signing it: that provider has both forms (`redacted_thinking`, `signature`).
const REDACTED_PREFIX: &str = "ghr.";

/// Separator between the parts of a summary in one text.
pub(super) const SUMMARY_BREAK: &str = "\n\n";

/// `encrypted_content` for a client.
pub(super) fn encrypted(signature: &Signature) -> String {
    signature.for_client(DIALECT)
}

/// `encrypted_content` for a client, for thinking without text.
pub(super) fn encrypted_whole(signature: &Signature) -> String {
    let spelled = signature.for_client(DIALECT);
    if signature.origin == DIALECT { spelled } else { format!("{REDACTED_PREFIX}{spelled}") }
}

/// True if this `encrypted_content` contains another provider's signature.
pub(super) fn is_foreign(content: &str) -> bool {
    content.strip_prefix(REDACTED_PREFIX).unwrap_or(content).starts_with(Signature::CROSSED_PREFIX)
}

/// The thinking in a client's item; `None` if it has none.
pub(super) fn read_reasoning_item(item: &Object<'_>) -> Result<Option<Part>, RequestError> {
    let summary = read_texts(item.get("summary"))?;
    let text = if summary.is_empty() { read_texts(item.get("content"))? } else { summary };
    Ok(thinking(text, item.text("encrypted_content")?.as_deref()))
}

fn read_texts(node: Option<Node<'_>>) -> Result<String, RequestError> {
    let Some(node) = node else { return Ok(String::new()) };
    let texts: Result<Vec<_>, _> =
        node.array()?.iter().map(|part| part.object()?.required_text("text")).collect();
    Ok(texts?.join(SUMMARY_BREAK))
}

fn thinking(text: String, encrypted: Option<&str>) -> Option<Part> {
    let Some(encrypted) = encrypted.filter(|encrypted| !encrypted.is_empty()) else {
        return (!text.is_empty()).then_some(Part::Thinking { text, signature: None });
    };
    if let Some(whole) = encrypted.strip_prefix(REDACTED_PREFIX) {
        return Some(Part::RedactedThinking(Signature::from_client(whole, DIALECT)));
    }
    let signature = Signature::from_client(encrypted, DIALECT);
    if text.is_empty() && signature.origin == Dialect::OpenAiResponses {
        return Some(Part::RedactedThinking(signature));
    }
    Some(Part::Thinking { text, signature: Some(signature) })
}
