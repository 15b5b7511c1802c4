//! What the mock reads of a request, whatever its dialect.

use serde_json::Value;

use crate::neutral::CallKind;

/// A request as the mock understands it.
#[derive(Debug)]
pub(super) struct Prompt {
    /// The text of the last user message.
    pub(super) user: String,
    /// The results of tools, if the conversation ends with them.
    pub(super) tool_results: Vec<String>,
    /// Pictures in all messages.
    pub(super) images: usize,
    /// Tokens of all messages' texts.
    pub(super) tokens: u64,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: ToolChoice,
    pub(super) calls: Calls,
    pub(super) format: Format,
    /// Most tokens of the answer.
    pub(super) tokens_max: Option<u64>,
}

/// One function offered to the model.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    /// The namespace around it, where the dialect has such.
    pub(super) namespace: Option<String>,
    pub(super) kind: CallKind,
    /// The JSON schema of the arguments.
    pub(super) parameters: Value,
}

impl Tool {
    /// A function; without `parameters` it takes none.
    pub(super) fn function(name: &str, parameters: Option<&Value>) -> Self {
        let parameters = parameters.cloned();
        let parameters = parameters.unwrap_or_else(|| serde_json::json!({"type": "object"}));
        Self { name: name.to_owned(), namespace: None, kind: CallKind::Function, parameters }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ToolChoice {
    Auto,
    None,
    Required,
    Named(String),
}

/// Whether several calls may come in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    OneAtATime,
    Parallel,
}

/// The shape of the answer's text.
#[derive(Debug)]
pub(super) enum Format {
    Text,
    AnyJson,
    Schema(Value),
}
