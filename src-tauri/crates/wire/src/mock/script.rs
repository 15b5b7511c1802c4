//! The content of the mock's answers, before a dialect's writer formats it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Dialect, TokenUsage};
use serde_json::json;

use super::prompt::MockPrompt;
use super::tools::{choose_calls, choose_calls_eagerly, last_word};
use super::{ANSWER_TOKENS_MAX, schema, text};
use crate::neutral::{
    AnswerEvent, Finish, FinishReason, OutputFormat, PartDelta, PartHead, ThoughtSignature,
    ToolCall,
};
use crate::{UsageReading, UsageReport};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerStyle {
    /// Repeats the last user text.
    Echo,
    /// Writes a paragraph.
    Chat,
    /// Thinks, then does as [`AnswerStyle::Echo`].
    Think,
    /// Writes a paragraph and calls tools in one turn.
    TextAndTool,
}

#[derive(Debug)]
pub(super) struct AnswerScript {
    /// Letters and digits that depend on the prompt alone.
    pub(super) id: String,
    /// Thinking, text and calls, in this order. An empty answer has one empty text.
    parts: Vec<ScriptPart>,
    finish: FinishReason,
    /// Counted by the mock's rule.
    usage: TokenUsage,
}

#[derive(Debug)]
enum ScriptPart {
    /// Tokens; joined they are the thinking.
    Thinking(Vec<String>),
    /// Tokens; joined they are the text.
    Text(Vec<String>),
    Call(ToolCall),
}

impl AnswerScript {
    pub(super) fn new(prompt: &MockPrompt<'_>, style: AnswerStyle) -> Self {
        let (parts, finish) = make_parts(prompt, style);
        let mut usage = TokenUsage { input_uncached: prompt.tokens, ..TokenUsage::default() };
        for part in &parts {
            match part {
                ScriptPart::Thinking(_) => usage.reasoning += part.token_count(),
                ScriptPart::Text(_) | ScriptPart::Call(_) => {
                    usage.output_visible += part.token_count();
                }
            }
        }
        let id = format!("mock{:016x}", text::hash_text(&prompt.user));
        Self { id, parts, finish, usage }
    }

    /// Tokens of all parts. The model's delay applies to each.
    pub(super) fn token_count(&self) -> u64 {
        self.usage.output()
    }

    /// The events of the answer for a client of `dialect`, whose signatures it has.
    pub(super) fn events(&self, dialect: Dialect) -> Vec<AnswerEvent> {
        let input = TokenUsage { input_uncached: self.usage.input(), ..TokenUsage::default() };
        let usage = |tokens| Some(UsageReport::of_text(tokens, UsageReading::AsReported));
        let mut events = vec![AnswerEvent::Begin { id: None, model: None, usage: usage(input) }];
        let mut index = 0;
        let mut push_part = |head: PartHead, deltas: Vec<PartDelta>| {
            let choice = 0;
            events.push(AnswerEvent::Start { choice, index, head });
            let deltas = deltas.into_iter();
            events.extend(deltas.map(|delta| AnswerEvent::Delta { choice, index, delta }));
            events.push(AnswerEvent::Stop { choice, index });
            index += 1;
        };
        let texts = |tokens: &[String]| tokens.iter().cloned().map(PartDelta::Text).collect();
        let mut signature = self.signature(dialect);
        for part in &self.parts {
            match part {
                ScriptPart::Thinking(tokens) => {
                    let mut deltas: Vec<_> = texts(tokens);
                    let signature = signature.take_if(|_| dialect != Dialect::Gemini);
                    deltas.extend(signature.map(PartDelta::Signature));
                    push_part(PartHead::Thinking, deltas);
                }
                ScriptPart::Text(tokens) => push_part(PartHead::Text, texts(tokens)),
                ScriptPart::Call(call) => {
                    // Like Gemini 3, which signs the first call of a turn.
                    if let Some(signature) = signature.take_if(|_| dialect == Dialect::Gemini) {
                        push_part(PartHead::Thinking, vec![PartDelta::Signature(signature)]);
                    }
                    let pieces = text::split_tokens(&call.arguments).into_iter();
                    let pieces = pieces.map(|piece| PartDelta::Arguments(piece.to_owned()));
                    push_part(call_head(call), pieces.collect());
                }
            }
        }
        let finish = Finish { reason: self.finish, word: String::new(), stop_sequence: None };
        events.push(AnswerEvent::Finish { choice: 0, finish });
        events.push(AnswerEvent::End { usage: usage(self.usage) });
        events
    }

    /// Base64, as Google's SDKs demand. Chat Completions has no signatures.
    fn signature(&self, dialect: Dialect) -> Option<ThoughtSignature> {
        let data = STANDARD.encode(format!("signed by {}", self.id));
        (dialect != Dialect::OpenAiChat).then_some(ThoughtSignature { origin: dialect, data })
    }
}

fn call_head(call: &ToolCall) -> PartHead {
    let ToolCall { id, name, namespace, kind, .. } = call.clone();
    PartHead::Call { id, name, namespace, kind }
}

impl ScriptPart {
    fn token_count(&self) -> u64 {
        match self {
            Self::Thinking(tokens) | Self::Text(tokens) => text::count_tokens(&tokens.concat()),
            Self::Call(call) => {
                text::count_tokens(&call.name) + text::count_tokens(&call.arguments)
            }
        }
    }
}

fn make_parts(prompt: &MockPrompt<'_>, style: AnswerStyle) -> (Vec<ScriptPart>, FinishReason) {
    let calls = match style {
        AnswerStyle::TextAndTool => choose_calls_eagerly(prompt),
        AnswerStyle::Echo | AnswerStyle::Chat | AnswerStyle::Think => choose_calls(prompt),
    };
    let mut parts = Vec::new();
    let most = prompt.request.output_tokens_max.and_then(|most| usize::try_from(most).ok());
    let mut room = most.unwrap_or(usize::MAX).min(ANSWER_TOKENS_MAX);
    let mut is_cut = false;
    let mut cut = |full: &str| {
        let all = text::split_tokens(full);
        is_cut |= all.len() > room;
        let kept: Vec<_> = all.into_iter().take(room).map(str::to_owned).collect();
        room -= kept.len();
        kept
    };
    if style == AnswerStyle::Think {
        parts.push(ScriptPart::Thinking(cut(&thinking_text(prompt))));
    }
    if calls.is_empty() || style == AnswerStyle::TextAndTool {
        parts.push(ScriptPart::Text(cut(&answer_text(prompt, style))));
    }
    let finish = match (is_cut, calls.is_empty()) {
        (true, _) => FinishReason::MaxTokens,
        (false, true) => FinishReason::EndTurn,
        (false, false) => FinishReason::ToolUse,
    };
    if finish == FinishReason::ToolUse {
        parts.extend(calls.into_iter().map(ScriptPart::Call));
    }
    (parts, finish)
}

fn thinking_text(prompt: &MockPrompt<'_>) -> String {
    format!("The user says: {}. I repeat it.", text::quote_start(&prompt.user))
}

fn answer_text(prompt: &MockPrompt<'_>, style: AnswerStyle) -> String {
    match &prompt.request.output {
        OutputFormat::Schema { schema, .. } => {
            schema::make_instance(schema, &last_word(&prompt.user)).to_string()
        }
        OutputFormat::AnyJson => json!({"answer": free_text(prompt, style)}).to_string(),
        OutputFormat::Text => free_text(prompt, style),
    }
}

fn free_text(prompt: &MockPrompt<'_>, style: AnswerStyle) -> String {
    let paragraph = || match prompt.images {
        0 => text::write_paragraph(&prompt.user),
        count => format!("I see {count} pictures. {}", text::write_paragraph(&prompt.user)),
    };
    match style {
        AnswerStyle::Echo | AnswerStyle::Think => prompt.user.clone(),
        AnswerStyle::Chat | AnswerStyle::TextAndTool if prompt.tool_results.is_empty() => {
            paragraph()
        }
        AnswerStyle::Chat | AnswerStyle::TextAndTool => {
            let results = text::quote_start(&prompt.tool_results.join("; "));
            format!("The tool says: {results}. {}", paragraph())
        }
    }
}
