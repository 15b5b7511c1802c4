//! Maps tool names between the client and the backend.
//!
//! Codex's namespaces are flattened into names that other dialects allow (`^[a-zA-Z0-9_-]{1,64}$`
//! is the strictest rule) and restored in the answer; free-text tools become functions with the
//! single argument `input` and are unwrapped again. The map depends on the request alone, so no
//! state is kept between requests: a tool always gets the same name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use domain::Dialect;

use crate::neutral::{CallKind, Part, Request, ToolKind};

/// The single argument of a free-text tool that is sent as a function.
pub(crate) const CUSTOM_INPUT: &str = "input";

/// Longest tool name that every dialect accepts, in characters (OpenAI, Anthropic and Gemini: 64).
const NAME_CHARS_MAX: usize = 64;

/// Longest call id, in characters (OpenAI's `call_id`).
const CALL_ID_CHARS_MAX: usize = 64;

/// Maps the client's tools to names on the wire, and back.
#[derive(Debug, Default)]
pub(crate) struct ToolNames {
    wire: HashMap<(Option<String>, String), String>,
    client: HashMap<String, Restored>,
}

/// A tool as it appears in the client's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    /// [`CallKind::Custom`] if the arguments must be unwrapped from [`CUSTOM_INPUT`].
    pub(crate) kind: CallKind,
}

impl ToolNames {
    /// Names for the tools of `request`, sent in `dialect`, and for calls in its history whose
    /// tools are no longer listed.
    pub(crate) fn of(request: &Request, dialect: Dialect) -> Self {
        let mut names = Self::default();
        if dialect == Dialect::OpenAiResponses {
            // Responses has namespaces and free-text tools itself.
            return names;
        }
        for tool in &request.tools {
            let kind = match tool.kind {
                ToolKind::Custom { .. } => CallKind::Custom,
                ToolKind::Function { .. } => CallKind::Function,
                ToolKind::Server { .. } => continue,
            };
            names.add(&tool.name, tool.namespace.as_deref(), kind);
        }
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            if let Part::ToolCall(call) = part {
                names.add(&call.name, call.namespace.as_deref(), call.kind);
            }
        }
        names
    }

    pub(crate) fn wire(&self, name: &str, namespace: Option<&str>) -> String {
        let key = (namespace.map(str::to_owned), name.to_owned());
        self.wire.get(&key).cloned().unwrap_or(key.1)
    }

    /// The client's tool for a name that a backend sent; unknown names are returned unchanged.
    pub(crate) fn restore(&self, wire_name: &str) -> Restored {
        self.client.get(wire_name).cloned().unwrap_or_else(|| Restored {
            name: wire_name.to_owned(),
            namespace: None,
            kind: CallKind::Function,
        })
    }

    fn add(&mut self, name: &str, namespace: Option<&str>, kind: CallKind) {
        let key = (namespace.map(str::to_owned), name.to_owned());
        if self.wire.contains_key(&key) {
            return;
        }
        let full = match namespace {
            Some(namespace) => format!("{namespace}__{name}"),
            None => name.to_owned(),
        };
        let plain = allowed(&full);
        let fits = plain.len() <= NAME_CHARS_MAX && plain == full;
        let wire =
            if fits && !self.client.contains_key(&plain) { plain } else { marked(&plain, &key) };
        let (namespace, name) = key.clone();
        self.client.insert(wire.clone(), Restored { name, namespace, kind });
        self.wire.insert(key, wire);
    }
}

/// A call id that `dialect` allows: unchanged if it fits (OpenAI: at most 64 characters; Anthropic:
/// `^[a-zA-Z0-9_-]+$`), else replaced by a hash of it, which is the same for the call and its
/// result.
pub(crate) fn fit_call_id(id: &str, dialect: Dialect) -> Cow<'_, str> {
    let fits = match dialect {
        Dialect::AnthropicMessages => is_allowed(id),
        _ => id.len() <= CALL_ID_CHARS_MAX,
    };
    if fits && !id.is_empty() {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("call_{}", hash(&id)))
}

fn is_allowed(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn allowed(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    text.chars().map(keep).collect()
}

/// Shortens a name that was changed or is too long, and appends a hash of the original to keep it
/// unique.
fn marked(plain: &str, key: &(Option<String>, String)) -> String {
    let mark = hash(key);
    let room = NAME_CHARS_MAX.saturating_sub(mark.len() + 1);
    let start: String = plain.chars().take(room).collect();
    format!("{start}_{mark}")
}

/// Sixteen hexadecimal digits, equal in every process: `DefaultHasher::new` has fixed keys.
fn hash(value: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neutral::{Json, Tool};
    use crate::test_requests::request;

    fn tool(namespace: Option<&str>, name: &str, kind: ToolKind) -> Tool {
        let (namespace, name) = (namespace.map(str::to_owned), name.to_owned());
        Tool { name, namespace, description: None, kind, cache: None }
    }

    fn function() -> ToolKind {
        ToolKind::Function { schema: Some(Json::empty_object()), strict: None }
    }

    /// openai/codex sends `namespace` tools; BerriAI/litellm#35878 and #31571 dropped them.
    #[test]
    fn class_15_namespaces_and_free_text_tools_are_flattened_and_restored() {
        let mut request = request("hi");
        let long = "x".repeat(80);
        request.tools = vec![
            tool(None, "spawn", function()),
            tool(Some("agents"), "spawn", function()),
            tool(Some("agents.v1"), "spawn", function()),
            tool(None, "agents__spawn", function()),
            tool(None, "apply_patch", ToolKind::Custom { format: None }),
            tool(Some("agents"), &long, function()),
        ];
        let names = ToolNames::of(&request, Dialect::AnthropicMessages);
        let mut seen = std::collections::HashSet::new();
        for tool in &request.tools {
            let wire = names.wire(&tool.name, tool.namespace.as_deref());
            assert!(is_allowed(&wire) && (1..=64).contains(&wire.len()), "{wire}");
            assert!(seen.insert(wire.clone()), "{wire} twice");
            let back = names.restore(&wire);
            assert_eq!((&back.name, &back.namespace), (&tool.name, &tool.namespace));
        }
        assert_eq!(names.wire("spawn", Some("agents")), "agents__spawn");
        assert_eq!(names.restore("apply_patch").kind, CallKind::Custom);
        assert_eq!(names.restore("made_up").name, "made_up");
        let native = ToolNames::of(&request, Dialect::OpenAiResponses);
        assert_eq!(native.wire(&long, None), long);
    }

    #[test]
    fn ids_fit_and_stay_the_same_for_call_and_result() {
        assert_eq!(fit_call_id("toolu_1-a", Dialect::AnthropicMessages), "toolu_1-a");
        let bent = fit_call_id("call.1|é", Dialect::AnthropicMessages);
        assert!(is_allowed(&bent));
        assert_eq!(bent, fit_call_id("call.1|é", Dialect::AnthropicMessages));
        let long = "c".repeat(CALL_ID_CHARS_MAX + 1);
        assert_eq!(fit_call_id(&long[1..], Dialect::OpenAiChat), &long[1..]);
        assert!(fit_call_id(&long, Dialect::OpenAiChat).len() <= CALL_ID_CHARS_MAX);
        assert!(!fit_call_id("", Dialect::OpenAiChat).is_empty());
    }
}
