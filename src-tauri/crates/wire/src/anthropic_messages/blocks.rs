//! One content block of a backend's answer, read leniently.

use serde_json::value::RawValue;

use crate::json::Members;
use crate::node::lenient_text;

/// A content block, as far as it crosses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Text(String),
    Thinking {
        text: String,
        signature: String,
    },
    RedactedThinking(String),
    Call {
        id: Option<String>,
        name: Option<String>,
        /// Arguments that stand in the block itself; in streams they come later.
        input: Option<String>,
    },
    /// What the provider did itself (web search, code execution), or something new. No other
    /// dialect has a word for it.
    Other,
}

impl Block {
    pub(super) fn read(raw: &RawValue) -> Self {
        let Ok(members) = Members::parse(raw.get()) else { return Self::Other };
        let text = |key: &str| members.get(key).and_then(lenient_text);
        match text("type").as_deref() {
            Some("text") => Self::Text(text("text").unwrap_or_default()),
            Some("thinking") => Self::Thinking {
                text: text("thinking").unwrap_or_default(),
                signature: text("signature").unwrap_or_default(),
            },
            Some("redacted_thinking") => Self::RedactedThinking(text("data").unwrap_or_default()),
            Some("tool_use") => Self::Call {
                id: text("id"),
                name: text("name"),
                input: members.get("input").map(|input| input.get().to_owned()),
            },
            _ => Self::Other,
        }
    }
}
