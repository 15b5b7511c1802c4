//! Translates field paths in errors and drop notices into the client's own spelling.
//!
//! Writers name fields in the neutral form's vocabulary, which is that of Chat Completions. Clients
//! get the path as it is written in their own request.

use domain::Dialect;

use crate::gemini::camel;
use crate::json::Members;

/// A neutral field and its paths in one client dialect.
struct Word {
    neutral: &'static str,
    client: Dialect,
    /// Possible paths in the client's request; the first one present is reported.
    paths: &'static [&'static str],
}

const fn word(neutral: &'static str, client: Dialect, paths: &'static [&'static str]) -> Word {
    Word { neutral, client, paths }
}

const WORDS: &[Word] = {
    use Dialect::OpenAiResponses as Responses;
    use Dialect::{AnthropicMessages as Messages, Gemini, OpenAiChat as Chat};
    &[
        word("stop", Messages, &["stop_sequences"]),
        word("stop", Gemini, &["generationConfig.stopSequences"]),
        word("response_format", Responses, &["text.format"]),
        word("response_format", Messages, &["output_config.format", "output_format"]),
        word(
            "response_format",
            Gemini,
            &[
                "generationConfig.responseJsonSchema",
                "generationConfig._responseJsonSchema",
                "generationConfig.responseSchema",
                "generationConfig.responseMimeType",
            ],
        ),
        word("n", Gemini, &["generationConfig.candidateCount"]),
        word("temperature", Gemini, &["generationConfig.temperature"]),
        word("top_p", Gemini, &["generationConfig.topP"]),
        word("top_k", Gemini, &["generationConfig.topK"]),
        word("user", Messages, &["metadata.user_id"]),
        word("parallel_tool_calls", Messages, &["tool_choice.disable_parallel_tool_use"]),
        word("tool_choice", Gemini, &["toolConfig.functionCallingConfig"]),
        word("reasoning", Chat, &["reasoning_effort", "reasoning"]),
        word("reasoning", Messages, &["thinking", "output_config.effort"]),
        word("reasoning", Gemini, &["generationConfig.thinkingConfig"]),
        word("reasoning_effort", Chat, &["reasoning_effort", "reasoning"]),
        word("reasoning_effort", Responses, &["reasoning"]),
        word("reasoning_effort", Messages, &["output_config.effort", "thinking"]),
        word("reasoning_effort", Gemini, &["generationConfig.thinkingConfig"]),
        word("system", Responses, &["instructions", "input"]),
        word("system", Chat, &["messages"]),
        word("system", Gemini, &["systemInstruction"]),
        // Turns are numbered differently in these dialects, so only the list is named.
        word("messages", Responses, &["input"]),
        word("messages", Gemini, &["contents"]),
    ]
};

/// Returns `path`, in neutral vocabulary, as the client spelled it in `request`.
pub(crate) fn spelled(client: Dialect, request: &str, path: String) -> String {
    let head = path.split(['.', '[']).next().unwrap_or_default();
    let named = if head == "messages" { head } else { &path };
    let known = WORDS.iter().find(|word| word.client == client && word.neutral == named);
    let Some(word) = known else { return path };
    let mut said = word.paths.iter().filter_map(|path| written(request, path));
    let usual = || word.paths.first().copied().unwrap_or(named).to_owned();
    said.next().unwrap_or_else(usual)
}

/// Returns `path` (camelCase in dialects that use it) as `object` spells it, or `None` if absent.
fn written(object: &str, path: &str) -> Option<String> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let members = Members::parse(object).ok()?;
    let is_it = |name: &str| name == key || camel(name) == key;
    let (name, value) =
        members.entries().find(|(name, value)| is_it(name) && value.get() != "null")?;
    match rest {
        None => Some(name.to_owned()),
        Some(rest) => Some(format!("{name}.{}", written(value.get(), rest)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_as_its_client_wrote_it() {
        let named = |client, request, path: &str| spelled(client, request, path.to_owned());
        use Dialect::{AnthropicMessages, Gemini, OpenAiChat, OpenAiResponses};
        assert_eq!(
            named(AnthropicMessages, r#"{"stop_sequences":["X"]}"#, "stop"),
            "stop_sequences"
        );
        for (request, path) in [
            (r#"{"generationConfig":{"stopSequences":["X"]}}"#, "generationConfig.stopSequences"),
            (r#"{"generation_config":{"stop_sequences":[]}}"#, "generation_config.stop_sequences"),
            (r#"{"generationConfig":{"stop_sequences":[]}}"#, "generationConfig.stop_sequences"),
        ] {
            assert_eq!(named(Gemini, request, "stop"), path);
        }
        let format = r#"{"text":{"format":{"type":"json_object"}}}"#;
        assert_eq!(named(OpenAiResponses, format, "response_format"), "text.format");
        let beta = r#"{"output_config":{"format":null},"output_format":{}}"#;
        assert_eq!(named(AnthropicMessages, beta, "response_format"), "output_format");
        let mime = r#"{"generationConfig":{"responseMimeType":"application/json"}}"#;
        let expected = "generationConfig.responseMimeType";
        assert_eq!(named(Gemini, mime, "response_format"), expected);
        assert_eq!(named(OpenAiChat, r#"{"stop":"X"}"#, "stop"), "stop");
        assert_eq!(named(OpenAiResponses, "{}", "messages[3].content[0]"), "input");
        assert_eq!(named(OpenAiChat, "{}", "messages[3].content[0]"), "messages[3].content[0]");
        assert_eq!(
            named(Gemini, "{}", "contents[0].parts[1].fileData"),
            "contents[0].parts[1].fileData"
        );
    }
}
