//! Whole answers: what they say, and which bodies are none although the status was 200.

use super::chunk::Chunk;
use super::error::in_band_error;
use super::tap::is_model_name;
use super::usage::{UsageReport, read_usage};
use crate::UpstreamError;

/// What an answer, whole or streamed, says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerFacts {
    /// Tokens as the backend counted them; `None` if it did not say, and then they are unknown,
    /// never zero.
    pub usage: Option<UsageReport>,
    /// The model the backend says it used.
    pub model: Option<String>,
    /// The first finish reason.
    pub finish_reason: Option<String>,
}

/// Why a body with status 200 is no answer. Never relay it: clients take it for success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// No bytes.
    #[error("the backend answered 200 with an empty body")]
    Empty,
    /// A web page: a captive portal, a proxy's login, a wrong base URL.
    #[error(
        "the backend answered with a web page instead of JSON; check its base URL and the network"
    )]
    Html,
    /// Broken off or never JSON.
    #[error("the backend's answer is not complete JSON")]
    NotJson,
    /// JSON without a choice.
    #[error("the backend's answer has no choices")]
    NoChoices,
    /// An error object in a body with status 200.
    #[error("the backend answered 200 with an error: {}", .0.message)]
    UpstreamError(UpstreamError),
}

/// Reads a whole answer.
pub fn read_chat_answer(body: &[u8]) -> Result<AnswerFacts, BadAnswer> {
    let text = std::str::from_utf8(body).map_err(|_| BadAnswer::NotJson)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(BadAnswer::Empty);
    }
    if text.starts_with('<') {
        return Err(BadAnswer::Html);
    }
    let chunk = Chunk::read(text).map_err(|_| BadAnswer::NotJson)?;
    if chunk.error.is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    let finish_reason = chunk.choices.into_iter().next().ok_or(BadAnswer::NoChoices)?.finish_reason;
    let usage = chunk.usage.and_then(read_usage);
    let model = chunk.model.filter(|model| is_model_name(model));
    Ok(AnswerFacts { usage, model, finish_reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UpstreamClass;

    #[test]
    fn an_answer_gives_its_facts() {
        let body =
            br#"{"id":"x","model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant",
            "content":"\ud800"},"finish_reason":"length"}],
            "usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#;
        let facts = read_chat_answer(body).expect("an answer");
        assert_eq!(facts.model.as_deref(), Some("gpt-x"));
        assert_eq!(facts.finish_reason.as_deref(), Some("length"));
        assert_eq!(facts.usage.expect("usage").tokens.total(), 10);
        let silent = read_chat_answer(br#"{"choices":[{"message":{}}],"usage":null}"#);
        assert_eq!(silent, Ok(AnswerFacts::default()));
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let bad = |body: &[u8]| read_chat_answer(body).expect_err("no answer");
        assert_eq!(bad(b""), BadAnswer::Empty);
        assert_eq!(bad(b" \r\n"), BadAnswer::Empty);
        assert_eq!(bad(b"\n<!DOCTYPE html><p>sign in</p>"), BadAnswer::Html);
        assert_eq!(bad(br#"{"choices":[{"message":{"content":"Hel"#), BadAnswer::NotJson);
        assert_eq!(bad(b"\xff\xfe"), BadAnswer::NotJson);
        assert_eq!(bad(br#"{"choices":3}"#), BadAnswer::NotJson);
        assert_eq!(bad(br#"{"choices":[]}"#), BadAnswer::NoChoices);
        assert_eq!(bad(br#"{"object":"list"}"#), BadAnswer::NoChoices);
        assert_eq!(bad(br#"{"choices":[NaN]}"#), BadAnswer::NotJson);
        let BadAnswer::UpstreamError(error) =
            bad(br#"{"error":{"message":"slow down","type":"rate_limit_error","code":429}}"#)
        else {
            panic!("an error object is an error")
        };
        assert_eq!((error.status, error.class), (429, UpstreamClass::RateLimited));
        assert_eq!(error.message, "slow down");
    }
}
