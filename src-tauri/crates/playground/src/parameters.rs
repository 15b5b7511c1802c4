//! The parameters of a playground run and the request built from them.

use std::time::Duration;

use domain::ClientId;
use serde::Serialize;

/// Maximum size of prompt and system prompt together, in bytes: some 60,000 tokens, and far below
/// what the control API accepts.
pub const PLAYGROUND_PROMPT_BYTES_MAX: usize = 262_144;

#[derive(Debug, Clone, PartialEq)]
pub struct PlaygroundParameters {
    /// Model name as clients write it: `backend/model`, or a name that a route matches.
    pub model: String,
    pub system: Option<String>,
    pub prompt: String,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// Maximum tokens of the response.
    pub tokens_max: Option<u32>,
    pub effort: Option<ReasoningEffort>,
    pub sender: PromptSender,
    /// The client whose scope, limits and budgets hold, and whose request it is; None for the playground's
    /// own, which has none.
    pub client: Option<ClientId>,
    /// Longest time to the end of the response, if it is shorter than the gateway's.
    pub time_limit: Option<Duration>,
}

/// Who sends a prompt. Decides about what it is recorded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PromptSender {
    User,
    /// An agent: the request is recorded under [`AGENT_PROJECT`].
    Agent,
    /// A check of a backend's model: no budget counts it, and its run is neither listed nor published.
    HealthCheck,
}

impl PromptSender {
    /// True if its runs are listed and published.
    pub(crate) const fn is_listed(self) -> bool {
        !matches!(self, Self::HealthCheck)
    }
}

/// Project of the prompts that agents send, so that usage and budgets can tell them apart.
pub const AGENT_PROJECT: &str = "agents";

domain::words! {
    /// How much reasoning the model is asked for.
    ReasoningEffort {
        Minimal = "minimal",
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

/// Name of the request field that limits the response length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenLimitField {
    MaxTokens,
    MaxCompletionTokens,
}

impl PlaygroundParameters {
    /// Bytes of the prompt and the system prompt.
    #[must_use]
    pub fn prompt_bytes(&self) -> usize {
        self.prompt.len() + self.system.as_ref().map_or(0, String::len)
    }

    /// The request in the Chat Completions dialect, indented, because it is displayed exactly as
    /// sent.
    #[must_use]
    pub fn request_body(&self, field: TokenLimitField) -> String {
        let system = self
            .system
            .as_deref()
            .map(|content| ChatCompletionsMessage { role: "system", content });
        let user = ChatCompletionsMessage { role: "user", content: &self.prompt };
        let (older, newer) = match field {
            TokenLimitField::MaxTokens => (self.tokens_max, None),
            TokenLimitField::MaxCompletionTokens => (None, self.tokens_max),
        };
        let request = ChatCompletionsRequest {
            model: &self.model,
            messages: system.into_iter().chain([user]).collect(),
            temperature: self.temperature,
            max_tokens: older,
            max_completion_tokens: newer,
            reasoning_effort: self.effort,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        };
        // Only non-text map keys could fail, and there are none.
        serde_json::to_string_pretty(&request).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct ChatCompletionsRequest<'a> {
    model: &'a str,
    messages: Vec<ChatCompletionsMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<ReasoningEffort>,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct ChatCompletionsMessage<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> PlaygroundParameters {
        PlaygroundParameters {
            model: "mock/chat".to_owned(),
            system: None,
            prompt: "say \"hi\"".to_owned(),
            temperature: None,
            tokens_max: None,
            effort: None,
            sender: PromptSender::User,
            client: None,
            time_limit: None,
        }
    }

    fn json(order: &PlaygroundParameters, field: TokenLimitField) -> serde_json::Value {
        serde_json::from_str(&order.request_body(field)).expect("JSON")
    }

    #[test]
    fn what_was_not_chosen_is_not_sent() {
        let expected = serde_json::json!({
            "model": "mock/chat",
            "messages": [{"role": "user", "content": "say \"hi\""}],
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        assert_eq!(json(&order(), TokenLimitField::MaxTokens), expected);
    }

    #[test]
    fn the_limit_has_the_name_that_the_backend_knows() {
        let full = PlaygroundParameters {
            system: Some("be brief".to_owned()),
            temperature: Some(0.5),
            tokens_max: Some(64),
            effort: Some(ReasoningEffort::Low),
            ..order()
        };
        let older = json(&full, TokenLimitField::MaxTokens);
        assert_eq!((&older["max_tokens"], &older["reasoning_effort"]), (&64.into(), &"low".into()));
        assert_eq!(older["messages"][0]["role"], "system");
        let newer = json(&full, TokenLimitField::MaxCompletionTokens);
        assert_eq!(newer["max_completion_tokens"], 64);
        assert!(newer.get("max_tokens").is_none());
        assert_eq!(full.prompt_bytes(), "be brief".len() + "say \"hi\"".len());
    }
}
