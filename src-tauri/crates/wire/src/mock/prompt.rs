//! What the mock sees of a request.

use super::text;
use crate::neutral::{
    ContentPart, ConversationTurn, MediaKind, ModelRequest, Role, ToolDefinition, ToolKind,
};

#[derive(Debug)]
pub(super) struct MockPrompt<'a> {
    pub(super) request: &'a ModelRequest,
    /// Text of the last user turn that has some.
    pub(super) user: String,
    /// Tool results, if the conversation ends with them.
    pub(super) tool_results: Vec<String>,
    /// Images in all turns.
    pub(super) images: usize,
    /// Tokens in the texts of all turns.
    pub(super) tokens: u64,
}

impl<'a> MockPrompt<'a> {
    pub(super) fn new(request: &'a ModelRequest) -> Self {
        let turns = &request.messages;
        let users = turns.iter().rev().filter(|turn| turn.role == Role::User);
        let mut user = users.clone().map(|turn| join_texts(&turn.parts));
        let parts = turns.iter().rev().take_while(|turn| turn.role == Role::User);
        let mut tool_results: Vec<_> =
            parts.flat_map(|turn| turn.parts.iter().rev()).map_while(result_text).collect();
        tool_results.reverse();
        Self {
            request,
            user: user.find(|text| !text.is_empty()).unwrap_or_default(),
            tool_results,
            images: turns.iter().map(|turn| count_images(&turn.parts)).sum(),
            tokens: count_turn_tokens(turns),
        }
    }

    /// The tools that the mock may call: the provider's own have no schema.
    pub(super) fn tools(&self) -> impl Iterator<Item = &'a ToolDefinition> {
        let is_callable = |tool: &&ToolDefinition| !matches!(tool.kind, ToolKind::Server { .. });
        self.request.tools.iter().filter(is_callable)
    }
}

/// Tokens in the texts and tool results of all turns.
pub(super) fn count_turn_tokens(turns: &[ConversationTurn]) -> u64 {
    let count = |part: &ContentPart| match result_text(part) {
        Some(result) => text::count_tokens(&result),
        None => text_of(part).map_or(0, text::count_tokens),
    };
    turns.iter().flat_map(|turn| &turn.parts).map(count).sum()
}

fn text_of(part: &ContentPart) -> Option<&str> {
    match part {
        ContentPart::Text { text, .. } => Some(text),
        _ => None,
    }
}

fn join_texts(parts: &[ContentPart]) -> String {
    parts.iter().filter_map(text_of).collect::<Vec<_>>().join("\n")
}

/// Text of a tool's result; `None` for other parts.
fn result_text(part: &ContentPart) -> Option<String> {
    match part {
        ContentPart::ToolResult(result) => Some(join_texts(&result.content)),
        _ => None,
    }
}

fn count_images(parts: &[ContentPart]) -> usize {
    let count = |part: &ContentPart| match part {
        ContentPart::Media(media) => usize::from(media.kind == MediaKind::Image),
        ContentPart::ToolResult(result) => count_images(&result.content),
        _ => 0,
    };
    parts.iter().map(count).sum()
}
