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

use crate::neutral::{CallKind, ContentPart, JsonText, ModelRequest, ToolCall, ToolKind};

/// The single argument of a free-text tool that is sent as a function.
pub(crate) const CUSTOM_INPUT: &str = "input";

/// Key of arguments that are no JSON object, in dialects that take objects only: the tool or the
/// model can see the text there (F54).
pub(crate) const RAW_ARGUMENTS_KEY: &str = "_raw";

/// Longest tool name that every dialect accepts, in characters (OpenAI, Anthropic and Gemini: 64).
const NAME_CHARS_MAX: usize = 64;

/// Longest call id, in characters (OpenAI's `call_id`).
const CALL_ID_CHARS_MAX: usize = 64;

/// Maps the client's tools to names on the wire, and back.
#[derive(Debug, Default)]
pub(crate) struct ToolNames {
    wire_names: HashMap<(Option<String>, String), String>,
    client_tools: HashMap<String, RestoredTool>,
}

/// A tool as it appears in the client's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestoredTool {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    /// [`CallKind::Custom`] if the arguments must be unwrapped from [`CUSTOM_INPUT`].
    pub(crate) kind: CallKind,
}

impl ToolNames {
    /// Names for the tools of `request`, sent in `dialect`, and for calls in its history whose
    /// tools are no longer listed.
    pub(crate) fn for_request(request: &ModelRequest, dialect: Dialect) -> Self {
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
            if let ContentPart::ToolCall(call) = part {
                names.add(&call.name, call.namespace.as_deref(), call.kind);
            }
        }
        names
    }

    pub(crate) fn wire_name(&self, name: &str, namespace: Option<&str>) -> String {
        let key = (namespace.map(str::to_owned), name.to_owned());
        self.wire_names.get(&key).cloned().unwrap_or(key.1)
    }

    /// The client's tool for a name that a backend sent; unknown names are returned unchanged.
    pub(crate) fn restore(&self, wire_name: &str) -> RestoredTool {
        self.client_tools.get(wire_name).cloned().unwrap_or_else(|| RestoredTool {
            name: wire_name.to_owned(),
            namespace: None,
            kind: CallKind::Function,
        })
    }

    fn add(&mut self, name: &str, namespace: Option<&str>, kind: CallKind) {
        let key = (namespace.map(str::to_owned), name.to_owned());
        if self.wire_names.contains_key(&key) {
            return;
        }
        let full = match namespace {
            Some(namespace) => format!("{namespace}__{name}"),
            None => name.to_owned(),
        };
        let plain = replace_disallowed_chars(&full);
        let fits = plain.len() <= NAME_CHARS_MAX && plain == full;
        let wire = if fits && !self.client_tools.contains_key(&plain) {
            plain
        } else {
            name_with_hash(&plain, &key)
        };
        let (namespace, name) = key.clone();
        self.client_tools.insert(wire.clone(), RestoredTool { name, namespace, kind });
        self.wire_names.insert(key, wire);
    }
}

/// The arguments of a call as an object, as Anthropic, Gemini and Ollama require.
pub(crate) fn call_arguments(call: &ToolCall) -> JsonText {
    match call.kind {
        CallKind::Function => arguments_object(&call.arguments),
        CallKind::Custom => single_member_object(CUSTOM_INPUT, &call.arguments),
    }
}

/// Converts a function's arguments to an object. Empty text and `null` become `{}`; other text that
/// is no object is kept under [`RAW_ARGUMENTS_KEY`].
pub(crate) fn arguments_object(arguments: &str) -> JsonText {
    if matches!(arguments.trim(), "" | "null") {
        return JsonText::empty_object();
    }
    let object = JsonText::parse(arguments).filter(JsonText::is_object);
    object.unwrap_or_else(|| single_member_object(RAW_ARGUMENTS_KEY, arguments))
}

/// A JSON object with one text member.
pub(crate) fn single_member_object(name: &str, text: &str) -> JsonText {
    JsonText::from_value(&serde_json::json!({ name: text }))
}

/// A call id that `dialect` allows: unchanged if it fits (OpenAI: at most 64 characters; Anthropic:
/// `^[a-zA-Z0-9_-]+$`), else replaced by a hash of it, which is the same for the call and its
/// result.
pub(crate) fn fit_call_id(id: &str, dialect: Dialect) -> Cow<'_, str> {
    let fits = match dialect {
        Dialect::AnthropicMessages => has_allowed_chars(id),
        _ => id.len() <= CALL_ID_CHARS_MAX,
    };
    if fits && !id.is_empty() {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("call_{}", stable_hash(&id)))
}

fn has_allowed_chars(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn replace_disallowed_chars(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    text.chars().map(keep).collect()
}

/// Shortens a name that was changed or is too long, and appends a hash of the original to keep it
/// unique.
fn name_with_hash(plain: &str, key: &(Option<String>, String)) -> String {
    let mark = stable_hash(key);
    let room = NAME_CHARS_MAX.saturating_sub(mark.len() + 1);
    let start: String = plain.chars().take(room).collect();
    format!("{start}_{mark}")
}

/// Sixteen hexadecimal digits, equal in every process: `DefaultHasher::new` has fixed keys.
fn stable_hash(value: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neutral::{JsonText, ToolDefinition};
    use crate::test_requests::request;

    fn tool(namespace: Option<&str>, name: &str, kind: ToolKind) -> ToolDefinition {
        let (namespace, name) = (namespace.map(str::to_owned), name.to_owned());
        ToolDefinition { name, namespace, description: None, kind, cache: None }
    }

    fn function() -> ToolKind {
        ToolKind::Function { schema: Some(JsonText::empty_object()), strict: None }
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
        let names = ToolNames::for_request(&request, Dialect::AnthropicMessages);
        let mut seen = std::collections::HashSet::new();
        for tool in &request.tools {
            let wire = names.wire_name(&tool.name, tool.namespace.as_deref());
            assert!(has_allowed_chars(&wire) && (1..=64).contains(&wire.len()), "{wire}");
            assert!(seen.insert(wire.clone()), "{wire} twice");
            let back = names.restore(&wire);
            assert_eq!((&back.name, &back.namespace), (&tool.name, &tool.namespace));
        }
        assert_eq!(names.wire_name("spawn", Some("agents")), "agents__spawn");
        assert_eq!(names.restore("apply_patch").kind, CallKind::Custom);
        assert_eq!(names.restore("made_up").name, "made_up");
        let native = ToolNames::for_request(&request, Dialect::OpenAiResponses);
        assert_eq!(native.wire_name(&long, None), long);
    }

    #[test]
    fn ids_fit_and_stay_the_same_for_call_and_result() {
        assert_eq!(fit_call_id("toolu_1-a", Dialect::AnthropicMessages), "toolu_1-a");
        let bent = fit_call_id("call.1|é", Dialect::AnthropicMessages);
        assert!(has_allowed_chars(&bent));
        assert_eq!(bent, fit_call_id("call.1|é", Dialect::AnthropicMessages));
        let long = "c".repeat(CALL_ID_CHARS_MAX + 1);
        assert_eq!(fit_call_id(&long[1..], Dialect::OpenAiChat), &long[1..]);
        assert!(fit_call_id(&long, Dialect::OpenAiChat).len() <= CALL_ID_CHARS_MAX);
        assert!(!fit_call_id("", Dialect::OpenAiChat).is_empty());
    }
}
