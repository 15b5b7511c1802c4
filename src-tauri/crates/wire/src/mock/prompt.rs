//! What the mock reads from a request, in any dialect.

use serde_json::Value;

use crate::neutral::CallKind;

/// A request, reduced to what the mock needs.
#[derive(Debug)]
pub(super) struct MockPrompt {
    /// Text of the last user message.
    pub(super) user: String,
    /// Tool results, if the conversation ends with them.
    pub(super) tool_results: Vec<String>,
    /// Images in all messages.
    pub(super) images: usize,
    /// Tokens in the texts of all messages.
    pub(super) tokens: u64,
    pub(super) tools: Vec<MockTool>,
    pub(super) choice: MockToolChoice,
    pub(super) parallel_calls: MockParallelCalls,
    pub(super) format: MockOutputFormat,
    /// Limit of the answer.
    pub(super) tokens_max: Option<u64>,
}

/// A function offered to the model.
#[derive(Debug)]
pub(super) struct MockTool {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: CallKind,
    /// JSON schema of the arguments.
    pub(super) parameters: Value,
}

impl MockTool {
    /// Without `parameters`, the function takes none.
    pub(super) fn function(name: &str, parameters: Option<&Value>) -> Self {
        let parameters = parameters.cloned();
        let parameters = parameters.unwrap_or_else(|| serde_json::json!({"type": "object"}));
        Self { name: name.to_owned(), namespace: None, kind: CallKind::Function, parameters }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum MockToolChoice {
    Auto,
    None,
    Required,
    Named(String),
}

/// Whether the model may make several calls in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MockParallelCalls {
    OneAtATime,
    Parallel,
}

/// Format of the answer's text.
#[derive(Debug)]
pub(super) enum MockOutputFormat {
    Text,
    AnyJson,
    Schema(Value),
}
