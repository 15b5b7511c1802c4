//! The model capabilities that a request requires, read from the top level of its body. They only
//! exclude backends that lack them and are never a reason to reject a request.

use domain::Dialect;
use serde_json::value::RawValue;

use crate::json::Members;

/// The model capabilities that a request requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestNeeds {
    pub tools: bool,
    pub images: bool,
    /// The answer must follow a JSON schema.
    pub json_schema: bool,
    /// The client's limit on output tokens, if it gave one.
    pub output_tokens: Option<u64>,
    /// Answers asked for at once, if the request says how many; each has the limit above.
    pub answers: Option<u64>,
}

impl RequestNeeds {
    /// Reads `members`, the top level of `text`.
    pub(crate) fn read(dialect: Dialect, text: &str, members: &Members<'_>) -> Self {
        let says = |key: &str, words: &[&str]| {
            let value = members.get(key).map(RawValue::get).unwrap_or_default();
            words.iter().any(|word| value.contains(word))
        };
        let tools = members.get("tools").is_some_and(|tools| tools.get() != "[]");
        let json_schema = match dialect {
            Dialect::OpenAiChat => says("response_format", &["\"json_schema\""]),
            Dialect::OpenAiResponses => says("text", &["\"json_schema\""]),
            Dialect::AnthropicMessages => says("output_config", &["\"json_schema\""]),
            Dialect::Gemini => {
                let words = ["\"responseSchema\"", "\"responseJsonSchema\"", "\"response_schema\""];
                says("generationConfig", &words) || says("generation_config", &words)
            }
            Dialect::OllamaChat => says("format", &["{"]),
        };
        Self {
            tools,
            images: image_markers(dialect).iter().any(|word| text.contains(word)),
            json_schema,
            output_tokens: output_token_limit(dialect, members),
            answers: answers(dialect, members),
        }
    }
}

/// Strings that occur in bodies with images. Inside a text their quotation marks would be escaped,
/// so text about images does not match.
const fn image_markers(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAiChat => &["\"image_url\""],
        Dialect::OpenAiResponses => &["\"input_image\""],
        Dialect::AnthropicMessages => &["\"image\""],
        Dialect::Gemini => &["\"inlineData\"", "\"inline_data\"", "\"fileData\"", "\"file_data\""],
        Dialect::OllamaChat => &["\"images\""],
    }
}

fn answers(dialect: Dialect, members: &Members<'_>) -> Option<u64> {
    match dialect {
        Dialect::OpenAiChat => number(members, "n"),
        Dialect::Gemini => {
            let config = members.object("generationConfig");
            number(&config, "candidateCount")
                .or_else(|| number(&members.object("generation_config"), "candidate_count"))
        }
        Dialect::OpenAiResponses | Dialect::AnthropicMessages | Dialect::OllamaChat => None,
    }
}

fn number(members: &Members<'_>, key: &str) -> Option<u64> {
    members.get(key)?.get().parse().ok()
}

fn output_token_limit(dialect: Dialect, members: &Members<'_>) -> Option<u64> {
    match dialect {
        Dialect::OpenAiChat => {
            number(members, "max_completion_tokens").or_else(|| number(members, "max_tokens"))
        }
        Dialect::OpenAiResponses => number(members, "max_output_tokens"),
        Dialect::AnthropicMessages => number(members, "max_tokens"),
        Dialect::Gemini => {
            let config = members.object("generationConfig");
            number(&config, "maxOutputTokens")
                .or_else(|| number(&members.object("generation_config"), "max_output_tokens"))
        }
        Dialect::OllamaChat => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(dialect: Dialect, text: &str) -> RequestNeeds {
        RequestNeeds::read(dialect, text, &Members::parse(text).expect("an object"))
    }

    #[test]
    fn each_dialect_says_what_it_needs_in_its_own_words() {
        let all = RequestNeeds {
            tools: true,
            images: true,
            json_schema: true,
            output_tokens: Some(7),
            answers: None,
        };
        for (dialect, text) in [
            (
                Dialect::OpenAiChat,
                r#"{"messages":[{"content":[{"type":"image_url"}]}],"tools":[{}],"max_tokens":9,
                    "max_completion_tokens":7,"response_format":{"type":"json_schema"}}"#,
            ),
            (
                Dialect::OpenAiResponses,
                r#"{"input":[{"content":[{"type":"input_image"}]}],"tools":[{}],
                    "max_output_tokens":7,"text":{"format":{"type":"json_schema"}}}"#,
            ),
            (
                Dialect::AnthropicMessages,
                r#"{"messages":[{"content":[{"type":"image"}]}],"tools":[{}],"max_tokens":7,
                    "output_config":{"format":{"type":"json_schema"}}}"#,
            ),
            (
                Dialect::Gemini,
                r#"{"contents":[{"parts":[{"inlineData":{}}]}],"tools":[{}],
                    "generationConfig":{"maxOutputTokens":7,"responseSchema":{}}}"#,
            ),
        ] {
            assert_eq!(wants(dialect, text), all, "{dialect}");
        }
    }

    #[test]
    fn several_answers_are_counted_where_a_dialect_has_them() {
        let answers = |dialect, text| wants(dialect, text).answers;
        assert_eq!(answers(Dialect::OpenAiChat, r#"{"n":3}"#), Some(3));
        let gemini = r#"{"generationConfig":{"candidateCount":4}}"#;
        assert_eq!(answers(Dialect::Gemini, gemini), Some(4));
        assert_eq!(answers(Dialect::AnthropicMessages, r#"{"n":3}"#), None);
    }

    #[test]
    fn a_plain_request_needs_nothing() {
        let text = r#"{"messages":[{"content":"draw \"image_url\""}],"tools":[],
            "response_format":{"type":"text"},"max_tokens":null}"#;
        assert_eq!(wants(Dialect::OpenAiChat, text), RequestNeeds::default());
    }
}
