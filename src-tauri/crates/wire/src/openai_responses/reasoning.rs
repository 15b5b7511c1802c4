//! Reasoning items: thinking, and what proves it.
//!
//! A client gives back what it was given, so a signature of another provider travels in
//! `encrypted_content`. Codex drops the items' ids, so everything that must come back is in there.

use domain::Dialect;

use super::input::DIALECT;
use crate::RequestError;
use crate::neutral::{Part, Signature};
use crate::node::{Node, Object};

/// How `encrypted_content` begins when the whole thinking is encrypted by another provider, and is
/// not just signed: there the two are different things (`redacted_thinking`, `signature`).
const REDACTED_PREFIX: &str = "ghr.";

/// Between the parts of a summary when they become one text.
pub(super) const SUMMARY_BREAK: &str = "\n\n";

/// `encrypted_content` for a client.
pub(super) fn encrypted(signature: &Signature) -> String {
    signature.for_client(DIALECT)
}

/// `encrypted_content` for a client, of thinking without text.
pub(super) fn encrypted_whole(signature: &Signature) -> String {
    let spelled = signature.for_client(DIALECT);
    if signature.origin == DIALECT { spelled } else { format!("{REDACTED_PREFIX}{spelled}") }
}

/// Whether this `encrypted_content` was made of another provider's signature.
pub(super) fn is_foreign(content: &str) -> bool {
    content.strip_prefix(REDACTED_PREFIX).unwrap_or(content).starts_with(Signature::CROSSED_PREFIX)
}

/// The thinking in a client's item; `None` if there is none in it.
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
