//! The content of the mock's answers, before a dialect formats it.

use serde_json::json;

use super::prompt::{MockOutputFormat, MockPrompt};
use super::tools::{MockCall, choose_calls, choose_calls_eagerly, last_word};
use super::{ANSWER_TOKENS_MAX, schema, text};

/// How the mock makes an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerStyle {
    /// Repeats the last user text.
    Echo,
    /// Writes a paragraph.
    Chat,
    /// Thinks, then does as [`AnswerStyle::RequestEcho`].
    Think,
    /// Writes a paragraph and calls tools in one turn.
    TextAndTool,
}

/// Whether an answer reports its usage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum UsageReporting {
    Reported,
    Omitted,
}

/// Content of one answer.
#[derive(Debug)]
pub(super) struct AnswerScript {
    /// Sixteen hexadecimal digits that depend on the prompt alone. Dialects add their prefix.
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created_unix_s: i64,
    /// Thinking, text and calls, in this order. An empty answer has one empty text.
    pub(super) parts: Vec<ScriptPart>,
    pub(super) finish: ScriptFinish,
    /// `None` if the answer reports no usage.
    pub(super) usage: Option<ScriptUsage>,
}

#[derive(Debug)]
pub(super) enum ScriptPart {
    /// Tokens; joined they are the thinking.
    Thinking(Vec<String>),
    /// Tokens; joined they are the text.
    Text(Vec<String>),
    Call(MockCall),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScriptFinish {
    Stop,
    Length,
    ToolCalls,
}

/// Token counts by the mock's rule. No token is counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScriptUsage {
    pub(super) prompt: u64,
    /// Text and calls.
    pub(super) visible: u64,
    pub(super) reasoning: u64,
}

impl ScriptUsage {
    /// Text, calls and thinking.
    pub(super) const fn output(self) -> u64 {
        self.visible.saturating_add(self.reasoning)
    }

    pub(super) const fn total(self) -> u64 {
        self.prompt.saturating_add(self.output())
    }
}

impl AnswerScript {
    pub(super) fn new(
        model: &str,
        prompt: &MockPrompt,
        manner: AnswerStyle,
        usage: UsageReporting,
        created_unix_s: i64,
    ) -> Self {
        let (parts, finish) = make_parts(prompt, manner);
        let count = |is_counted: fn(&ScriptPart) -> bool| {
            parts.iter().filter(|part| is_counted(part)).map(ScriptPart::token_count).sum()
        };
        let usage = (usage == UsageReporting::Reported).then(|| ScriptUsage {
            prompt: prompt.tokens,
            visible: count(|part| !matches!(part, ScriptPart::Thinking(_))),
            reasoning: count(|part| matches!(part, ScriptPart::Thinking(_))),
        });
        let id = format!("{:016x}", text::hash_text(&prompt.user));
        Self { id, model: model.to_owned(), created_unix_s, parts, finish, usage }
    }

    /// Tokens of all parts. The model's delay applies to each.
    pub(super) fn token_count(&self) -> u64 {
        self.parts.iter().map(ScriptPart::token_count).sum()
    }

    /// Joins the text parts.
    pub(super) fn text(&self) -> String {
        let text = |part: &ScriptPart| match part {
            ScriptPart::Text(tokens) => tokens.concat(),
            ScriptPart::Thinking(_) | ScriptPart::Call(_) => String::new(),
        };
        self.parts.iter().map(text).collect()
    }

    /// Joins the thinking parts.
    pub(super) fn thinking(&self) -> String {
        let text = |part: &ScriptPart| match part {
            ScriptPart::Thinking(tokens) => tokens.concat(),
            ScriptPart::Text(_) | ScriptPart::Call(_) => String::new(),
        };
        self.parts.iter().map(text).collect()
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &MockCall> {
        self.parts.iter().filter_map(|part| match part {
            ScriptPart::Call(call) => Some(call),
            ScriptPart::Thinking(_) | ScriptPart::Text(_) => None,
        })
    }
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

fn make_parts(prompt: &MockPrompt, manner: AnswerStyle) -> (Vec<ScriptPart>, ScriptFinish) {
    let calls = match manner {
        AnswerStyle::TextAndTool => choose_calls_eagerly(prompt),
        AnswerStyle::Echo | AnswerStyle::Chat | AnswerStyle::Think => choose_calls(prompt),
    };
    let mut parts = Vec::new();
    let most = prompt.tokens_max.and_then(|most| usize::try_from(most).ok());
    let mut room = most.unwrap_or(usize::MAX).min(ANSWER_TOKENS_MAX);
    let mut is_cut = false;
    let mut cut = |full: &str| {
        let all = text::split_tokens(full);
        is_cut |= all.len() > room;
        let kept: Vec<_> = all.into_iter().take(room).map(str::to_owned).collect();
        room -= kept.len();
        kept
    };
    if manner == AnswerStyle::Think {
        parts.push(ScriptPart::Thinking(cut(&thinking_text(prompt))));
    }
    if calls.is_empty() || manner == AnswerStyle::TextAndTool {
        parts.push(ScriptPart::Text(cut(&answer_text(prompt, manner))));
    }
    let finish = match (is_cut, calls.is_empty()) {
        (true, _) => ScriptFinish::Length,
        (false, true) => ScriptFinish::Stop,
        (false, false) => ScriptFinish::ToolCalls,
    };
    if finish == ScriptFinish::ToolCalls {
        parts.extend(calls.into_iter().map(ScriptPart::Call));
    }
    (parts, finish)
}

fn thinking_text(prompt: &MockPrompt) -> String {
    format!("The user says: {}. I repeat it.", text::quote_start(&prompt.user))
}

fn answer_text(prompt: &MockPrompt, manner: AnswerStyle) -> String {
    match &prompt.format {
        MockOutputFormat::Schema(schema) => {
            schema::make_instance(schema, &last_word(&prompt.user)).to_string()
        }
        MockOutputFormat::AnyJson => json!({"answer": free_text(prompt, manner)}).to_string(),
        MockOutputFormat::Text => free_text(prompt, manner),
    }
}

fn free_text(prompt: &MockPrompt, manner: AnswerStyle) -> String {
    let paragraph = || match prompt.images {
        0 => text::write_paragraph(&prompt.user),
        count => format!("I see {count} pictures. {}", text::write_paragraph(&prompt.user)),
    };
    match manner {
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
