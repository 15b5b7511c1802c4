//! Translates field paths in errors and drop notices into the client's own spelling.
//!
//! Writers name fields in the neutral form's vocabulary, which is that of Chat Completions. Clients
//! get the path as it is written in their own request.

use domain::Dialect;

use crate::dialect::gemini::to_camel_case;
use crate::json::Members;

/// A neutral field and its paths in one client dialect.
struct FieldAlias {
    neutral: &'static str,
    dialect: Dialect,
    /// Possible paths in the client's request; the first one present is reported.
    paths: &'static [&'static str],
}

const fn alias(
    neutral: &'static str,
    client: Dialect,
    paths: &'static [&'static str],
) -> FieldAlias {
    FieldAlias { neutral, dialect: client, paths }
}

const FIELD_ALIASES: &[FieldAlias] = {
    use Dialect::OpenAiResponses as Responses;
    use Dialect::{AnthropicMessages as Messages, Gemini, OpenAiChat as Chat};
    &[
        alias("stop", Messages, &["stop_sequences"]),
        alias("stop", Gemini, &["generationConfig.stopSequences"]),
        alias("response_format", Responses, &["text.format"]),
        alias("response_format", Messages, &["output_config.format", "output_format"]),
        alias(
            "response_format",
            Gemini,
            &[
                "generationConfig.responseJsonSchema",
                "generationConfig._responseJsonSchema",
                "generationConfig.responseSchema",
                "generationConfig.responseMimeType",
            ],
        ),
        alias("n", Gemini, &["generationConfig.candidateCount"]),
        alias("temperature", Gemini, &["generationConfig.temperature"]),
        alias("top_p", Gemini, &["generationConfig.topP"]),
        alias("top_k", Gemini, &["generationConfig.topK"]),
        alias("user", Messages, &["metadata.user_id"]),
        alias("parallel_tool_calls", Messages, &["tool_choice.disable_parallel_tool_use"]),
        alias("tool_choice", Gemini, &["toolConfig.functionCallingConfig"]),
        alias("reasoning", Chat, &["reasoning_effort", "reasoning"]),
        alias("reasoning", Messages, &["thinking", "output_config.effort"]),
        alias("reasoning", Gemini, &["generationConfig.thinkingConfig"]),
        alias("reasoning_effort", Chat, &["reasoning_effort", "reasoning"]),
        alias("reasoning_effort", Responses, &["reasoning"]),
        alias("reasoning_effort", Messages, &["output_config.effort", "thinking"]),
        alias("reasoning_effort", Gemini, &["generationConfig.thinkingConfig"]),
        alias("system", Responses, &["instructions", "input"]),
        alias("system", Chat, &["messages"]),
        alias("system", Gemini, &["systemInstruction"]),
        // Turns are numbered differently in these dialects, so only the list is named.
        alias("messages", Responses, &["input"]),
        alias("messages", Gemini, &["contents"]),
    ]
};

/// Returns `path`, in neutral vocabulary, as the client spelled it in `request`.
pub(crate) fn client_spelling_of(client: Dialect, request: &str, path: String) -> String {
    let head = path.split(['.', '[']).next().unwrap_or_default();
    let named = if head == "messages" { head } else { &path };
    let known = FIELD_ALIASES.iter().find(|word| word.dialect == client && word.neutral == named);
    let Some(word) = known else { return path };
    let mut said = word.paths.iter().filter_map(|path| find_spelling(request, path));
    let usual = || word.paths.first().copied().unwrap_or(named).to_owned();
    said.next().unwrap_or_else(usual)
}

/// Returns `path` (camelCase in dialects that use it) as `object` spells it, or `None` if absent.
fn find_spelling(object: &str, path: &str) -> Option<String> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let members = Members::parse(object).ok()?;
    let is_it = |name: &str| name == key || to_camel_case(name) == key;
    let (name, value) =
        members.entries().find(|(name, value)| is_it(name) && value.get() != "null")?;
    match rest {
        None => Some(name.to_owned()),
        Some(rest) => Some(format!("{name}.{}", find_spelling(value.get(), rest)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_as_its_client_wrote_it() {
        let named =
            |client, request, path: &str| client_spelling_of(client, request, path.to_owned());
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
