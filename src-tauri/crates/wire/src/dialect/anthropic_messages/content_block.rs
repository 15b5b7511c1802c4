//! Lenient reader for one content block of a backend's answer.

use serde_json::value::RawValue;

use crate::json::Members;
use crate::json::json_node::decode_string_lossy;

/// A content block, reduced to what can be translated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ContentBlock {
    Text(String),
    Thinking {
        text: String,
        signature: String,
    },
    RedactedThinking(String),
    Call {
        id: Option<String>,
        name: Option<String>,
        /// Arguments inside the block itself; streams send them later.
        input: Option<String>,
    },
    /// A call of a tool that the provider runs (web search, code execution). No other dialect can
    /// express it.
    ServerTool {
        name: String,
    },
    /// The result of such a tool, or an unknown type.
    Other,
}

impl ContentBlock {
    pub(super) fn read(raw: &RawValue) -> Self {
        let Ok(members) = Members::parse(raw.get()) else { return Self::Other };
        let text = |key: &str| members.get(key).and_then(decode_string_lossy);
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
            Some("server_tool_use") => Self::ServerTool { name: text("name").unwrap_or_default() },
            _ => Self::Other,
        }
    }
}
