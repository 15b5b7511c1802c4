//! Token counts before a request is sent: Anthropic's `count_tokens` and Gemini's `:countTokens`.
//!
//! A backend of the same dialect counts itself. No other dialect has an operation that counts the
//! same, so the gateway answers with an estimate there and says so.

use bytes::Bytes;
use domain::Dialect;
use serde_json::json;

use crate::dialect::{anthropic_messages, gemini};
use crate::json::Members;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::ConversationTurn;
use crate::request::client_request::{ApiSurface, ClientRequest, Metering};
use crate::{BackendRequest, Delivery, RequestError, Target};

/// Where Gemini's body has a whole request, in both spellings.
const WHOLE_REQUEST_KEYS: [&str; 2] = ["generateContentRequest", "generate_content_request"];

/// A request to count tokens, validated as far as routing needs.
#[derive(Debug, Clone)]
pub struct CountRequest(ClientRequest);

impl CountRequest {
    /// Parses a `count_tokens` body.
    pub fn parse_anthropic(body: Bytes) -> Result<Self, RequestError> {
        ClientRequest::parse(ApiSurface::AnthropicMessages, body).map(Self)
    }

    /// Parses a `:countTokens` body for the model in the path. The body has `contents` or a whole
    /// `generateContentRequest`.
    pub fn parse_gemini(model: &str, body: Bytes) -> Result<Self, RequestError> {
        let delivery = Delivery::Whole;
        ClientRequest::parse_with(ApiSurface::Gemini { model, delivery }, body, |members| {
            WHOLE_REQUEST_KEYS.iter().any(|key| members.get(key).is_some())
        })
        .map(Self)
    }

    /// The model the client asked for.
    #[must_use]
    pub fn model(&self) -> &str {
        self.0.model()
    }

    /// The body as received.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        self.0.body()
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    /// Decodes the conversation to count.
    pub(crate) fn read_turns(&self) -> Result<Vec<ConversationTurn>, RequestError> {
        let text = self.0.text();
        if self.dialect() == Dialect::AnthropicMessages {
            return anthropic_messages::read_conversation(text);
        }
        let body = JsonObject::root(text)?;
        let inner = WHOLE_REQUEST_KEYS.iter().find_map(|key| body.get(key));
        let text = inner.as_ref().map_or(text, JsonNode::raw);
        gemini::read_request(text, self.model(), Delivery::Whole).map(|request| request.messages)
    }

    /// True if `target` counts in the client's dialect.
    #[must_use]
    pub fn is_counted_by(&self, target: &Target) -> bool {
        target.dialect_for(self.dialect()) == self.dialect()
    }

    /// The request for a backend of which [`Self::is_counted_by`] is true.
    #[must_use]
    pub fn upstream_request(&self, target: &Target) -> BackendRequest {
        let dialect = self.dialect();
        let path = match dialect {
            Dialect::Gemini => {
                vec![
                    "v1beta".to_owned(),
                    "models".to_owned(),
                    format!("{}:countTokens", target.model),
                ]
            }
            _ => {
                let mut path = target.messages_path();
                path.push("count_tokens".to_owned());
                path
            }
        };
        let body = self.0.upstream_body(&target.model, Metering::AsClientWrote);
        let (body, dropped) = match dialect {
            Dialect::AnthropicMessages => {
                anthropic_messages::remove_foreign_thinking(body, &target.model)
            }
            _ => (body, Vec::new()),
        };
        BackendRequest { dialect, path, query: None, body, dropped }
    }
}

/// Writes a token count in `dialect`.
#[must_use]
pub fn write_count(dialect: Dialect, tokens: u64) -> Bytes {
    let body = match dialect {
        Dialect::Gemini => json!({"totalTokens": tokens}),
        _ => json!({"input_tokens": tokens}),
    };
    Bytes::from(body.to_string())
}

/// Reads the token count in a backend's answer; `None` if it has none.
#[must_use]
pub fn read_count(dialect: Dialect, body: &[u8]) -> Option<u64> {
    let members = Members::parse(std::str::from_utf8(body).ok()?).ok()?;
    let key = match dialect {
        Dialect::Gemini => "totalTokens",
        _ => "input_tokens",
    };
    // Gemini omits a zero.
    match (members.get(key), dialect) {
        (Some(count), _) => count.get().parse().ok(),
        (None, Dialect::Gemini) if members.get("error").is_none() => Some(0),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TargetKind;
    use domain::TranslationMode;

    fn target(kind: TargetKind) -> Target {
        let (model, crossing) = ("m".to_owned(), TranslationMode::Strict);
        Target { kind, model, crossing, output_tokens_max: None }
    }

    #[test]
    fn a_backend_of_the_same_dialect_counts_itself() {
        let body = Bytes::from_static(br#"{"model":"c","messages":[],"x":1}"#);
        let request = CountRequest::parse_anthropic(body).expect("a request");
        let sent = request.upstream_request(&target(TargetKind::Anthropic));
        assert_eq!(sent.path, ["v1", "messages", "count_tokens"]);
        assert_eq!(sent.body.as_ref(), br#"{"model":"m","messages":[],"x":1}"#);
        assert!(request.is_counted_by(&target(TargetKind::Anthropic)));
        assert!(!request.is_counted_by(&target(TargetKind::OpenAi)));

        for body in [r#"{"contents":[]}"#, r#"{"generateContentRequest":{"contents":[]}}"#] {
            let body = Bytes::from_static(body.as_bytes());
            let request = CountRequest::parse_gemini("g", body.clone()).expect("a request");
            assert!(request.is_counted_by(&target(TargetKind::Gemini)));
            let sent = request.upstream_request(&target(TargetKind::Gemini));
            assert_eq!(
                (sent.path.join("/"), sent.body),
                ("v1beta/models/m:countTokens".to_owned(), body)
            );
        }
        let neither = CountRequest::parse_gemini("g", Bytes::from_static(b"{}"));
        assert_eq!(neither.expect_err("neither").param(), Some("contents"));
    }

    #[test]
    fn counts_read_back() {
        for dialect in [Dialect::AnthropicMessages, Dialect::Gemini] {
            assert_eq!(read_count(dialect, &write_count(dialect, 7)), Some(7));
            assert_eq!(read_count(dialect, b"<html>"), None);
            assert_eq!(read_count(dialect, br#"{"error":{}}"#), None);
        }
    }
}
