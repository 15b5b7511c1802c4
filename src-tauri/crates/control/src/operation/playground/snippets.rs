//! Renders a playground request as code, with one function for each library.
//!
//! The code holds no token: it calls `gatehouse token`, or reads a variable that was set with it.

use std::fmt::Display;

use playground::{PlaygroundParameters, ReasoningEffort, TokenLimitField};

use crate::view::SnippetView;

/// Default for `max_tokens`, which Anthropic's library requires.
pub(in crate::operation) const ANTHROPIC_TOKENS_DEFAULT: u32 = 1_024;

/// Highest temperature of Anthropic's dialect.
const ANTHROPIC_TEMPERATURE_MAX: f64 = 1.0;

/// Returns all snippets. `client` need not exist yet.
pub(in crate::operation) fn render_snippets(
    address: &str,
    client: &str,
    order: &PlaygroundParameters,
    limit: TokenLimitField,
) -> Vec<SnippetView> {
    let from = SnippetInputs { address, client, parameters: order, limit };
    let snippet = |title: &str, code: String| SnippetView { title: title.to_owned(), code };
    vec![
        snippet("curl", render_curl(&from)),
        snippet("Python, openai", render_python_openai(&from)),
        snippet("Node, openai", render_node_openai(&from)),
        snippet("Python, anthropic", render_python_anthropic(&from)),
        snippet("Python, google-genai", render_python_google(&from)),
    ]
}

struct SnippetInputs<'a> {
    address: &'a str,
    client: &'a str,
    parameters: &'a PlaygroundParameters,
    limit: TokenLimitField,
}

impl SnippetInputs<'_> {
    /// The line that must be run first.
    fn token_export_line(&self, comment: &str) -> String {
        format!("{comment} export GATEHOUSE_TOKEN=\"$(gatehouse token {})\"\n", self.client)
    }

    /// Chat messages, one per line.
    fn message_lines(&self, indent: &str, turn: fn(&str, &str) -> String) -> String {
        let system =
            self.parameters.system.as_deref().map(|text| turn("system", &string_literal(text)));
        let user = turn("user", &string_literal(&self.parameters.prompt));
        system.into_iter().chain([user]).map(|line| format!("{indent}{line},\n")).collect()
    }

    const fn token_limit_name(&self) -> &'static str {
        match self.limit {
            TokenLimitField::MaxTokens => "max_tokens",
            TokenLimitField::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

fn render_curl(from: &SnippetInputs<'_>) -> String {
    let body = from.parameters.request_body(from.limit).replace('\'', "'\\''");
    format!(
        "curl -N {}/v1/chat/completions \\\n  -H \"authorization: Bearer $(gatehouse token {})\" \\\n  \
         -H 'content-type: application/json' \\\n  -d '{body}'",
        from.address, from.client
    )
}

fn render_python_openai(from: &SnippetInputs<'_>) -> String {
    let turn = |role: &str, text: &str| format!("{{\"role\": \"{role}\", \"content\": {text}}}");
    let order = from.parameters;
    format!(
        "{}import os\n\nfrom openai import OpenAI\n\nclient = OpenAI(base_url=\"{}/v1\", \
         api_key=os.environ[\"GATEHOUSE_TOKEN\"])\nstream = client.chat.completions.create(\n    \
         model={},\n    messages=[\n{}    ],\n{}{}{}    stream=True,\n)\nfor chunk in stream:\n    \
         if chunk.choices:\n        print(chunk.choices[0].delta.content or \"\", end=\"\", flush=True)",
        from.token_export_line("#"),
        from.address,
        string_literal(&order.model),
        from.message_lines("        ", turn),
        optional_line("    temperature=", order.temperature),
        optional_line(&format!("    {}=", from.token_limit_name()), order.tokens_max),
        optional_line("    reasoning_effort=", order.effort.map(effort_literal)),
    )
}

fn render_node_openai(from: &SnippetInputs<'_>) -> String {
    let turn = |role: &str, text: &str| format!("{{ role: \"{role}\", content: {text} }}");
    let order = from.parameters;
    format!(
        "{}import OpenAI from \"openai\";\n\nconst client = new OpenAI({{ baseURL: \"{}/v1\", \
         apiKey: process.env.GATEHOUSE_TOKEN }});\nconst stream = await \
         client.chat.completions.create({{\n  model: {},\n  messages: [\n{}  ],\n{}{}{}  stream: \
         true,\n}});\nfor await (const chunk of stream) {{\n  \
         process.stdout.write(chunk.choices[0]?.delta?.content ?? \"\");\n}}",
        from.token_export_line("//"),
        from.address,
        string_literal(&order.model),
        from.message_lines("    ", turn),
        optional_line("  temperature: ", order.temperature),
        optional_line(&format!("  {}: ", from.token_limit_name()), order.tokens_max),
        optional_line("  reasoning_effort: ", order.effort.map(effort_literal)),
    )
}

fn render_python_anthropic(from: &SnippetInputs<'_>) -> String {
    let order = from.parameters;
    // The library has had no argument for it since version 2; the API still takes it.
    let temperature = order.temperature.map(|temperature| {
        format!("{{\"temperature\": {}}}", temperature.min(ANTHROPIC_TEMPERATURE_MAX))
    });
    let effort = order
        .effort
        .map(|effort| format!("{{\"effort\": {}}}", effort_literal(at_least_low(effort))));
    format!(
        "{}import os\n\nfrom anthropic import Anthropic\n\nclient = Anthropic(base_url=\"{}\", \
         api_key=os.environ[\"GATEHOUSE_TOKEN\"])\nwith client.messages.stream(\n    model={},\n    \
         max_tokens={},\n{}    messages=[{{\"role\": \"user\", \"content\": {}}}],\n{}{}) as stream:\n    \
         for text in stream.text_stream:\n        print(text, end=\"\", flush=True)",
        from.token_export_line("#"),
        from.address,
        string_literal(&order.model),
        order.tokens_max.unwrap_or(ANTHROPIC_TOKENS_DEFAULT),
        optional_line("    system=", order.system.as_deref().map(string_literal)),
        string_literal(&order.prompt),
        optional_line("    extra_body=", temperature),
        optional_line("    output_config=", effort),
    )
}

fn render_python_google(from: &SnippetInputs<'_>) -> String {
    let order = from.parameters;
    let level = order.effort.map(|effort| {
        format!("types.ThinkingConfig(thinking_level={})", effort_literal(at_least_low(effort)))
    });
    format!(
        "{}import os\n\nfrom google import genai\nfrom google.genai import types\n\nclient = \
         genai.Client(\n    api_key=os.environ[\"GATEHOUSE_TOKEN\"],\n    \
         http_options=types.HttpOptions(base_url=\"{}\"),\n)\nstream = \
         client.models.generate_content_stream(\n    model={},\n    contents={},\n    \
         config=types.GenerateContentConfig(\n{}{}{}{}    ),\n)\nfor chunk in stream:\n    \
         print(chunk.text or \"\", end=\"\", flush=True)",
        from.token_export_line("#"),
        from.address,
        string_literal(&order.model),
        string_literal(&order.prompt),
        optional_line("        system_instruction=", order.system.as_deref().map(string_literal)),
        optional_line("        temperature=", order.temperature),
        optional_line("        max_output_tokens=", order.tokens_max),
        optional_line("        thinking_config=", level),
    )
}

/// A line with a trailing comma, or nothing without a value.
fn optional_line(name: &str, value: Option<impl Display>) -> String {
    value.map(|value| format!("{name}{value},\n")).unwrap_or_default()
}

/// Text as a literal. A JSON string is valid in Python and JavaScript too.
fn string_literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

const fn effort_literal(effort: ReasoningEffort) -> &'static str {
    match effort {
        ReasoningEffort::Minimal => "\"minimal\"",
        ReasoningEffort::Low => "\"low\"",
        ReasoningEffort::Medium => "\"medium\"",
        ReasoningEffort::High => "\"high\"",
    }
}

/// Raises `minimal` to `low`, the lowest level of the other dialects.
const fn at_least_low(effort: ReasoningEffort) -> ReasoningEffort {
    match effort {
        ReasoningEffort::Minimal => ReasoningEffort::Low,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::playground::PromptSender;

    fn order() -> PlaygroundParameters {
        PlaygroundParameters {
            model: "mock/chat".to_owned(),
            system: Some("Be \"brief\".".to_owned()),
            prompt: "What's\nnew?".to_owned(),
            temperature: Some(1.5),
            tokens_max: Some(64),
            effort: Some(ReasoningEffort::Minimal),
            sender: PromptSender::User,
            client: None,
            time_limit: None,
        }
    }

    fn code(title: &str) -> String {
        let all = render_snippets(
            "http://127.0.0.1:4283",
            "aider",
            &order(),
            TokenLimitField::MaxCompletionTokens,
        );
        let found = all.into_iter().find(|snippet| snippet.title == title);
        found.unwrap_or_else(|| panic!("no {title}")).code
    }

    #[track_caller]
    fn check(title: &str, parts: &[&str]) {
        let code = code(title);
        for part in parts {
            assert!(code.contains(part), "{title} lacks {part}:\n{code}");
        }
        assert!(code.contains("$(gatehouse token aider)"), "{code}");
    }

    #[test]
    fn each_library_gets_the_request_in_its_own_words() {
        check("curl", &["'What'\\''s\\nnew?'".trim_matches('\''), "max_completion_tokens\": 64"]);
        check(
            "Python, openai",
            &[
                "base_url=\"http://127.0.0.1:4283/v1\"",
                "{\"role\": \"system\", \"content\": \"Be \\\"brief\\\".\"}",
                "content\": \"What's\\nnew?\"",
                "temperature=1.5",
                "max_completion_tokens=64",
                "reasoning_effort=\"minimal\"",
            ],
        );
        check(
            "Node, openai",
            &["role: \"user\"", "reasoning_effort: \"minimal\"", "  stream: true"],
        );
        check(
            "Python, anthropic",
            &[
                "base_url=\"http://127.0.0.1:4283\"",
                "extra_body={\"temperature\": 1},",
                "{\"effort\": \"low\"}",
            ],
        );
        check(
            "Python, google-genai",
            &["max_output_tokens=64", "thinking_level=\"low\"", "system_instruction=\"Be"],
        );
    }

    #[test]
    fn parameters_that_are_not_set_are_not_written() {
        let bare = PlaygroundParameters {
            system: None,
            temperature: None,
            tokens_max: None,
            effort: None,
            ..order()
        };
        for snippet in
            render_snippets("http://127.0.0.1:4283", "x", &bare, TokenLimitField::MaxTokens)
        {
            let absent = ["temperature", "effort", "thinking", "system"];
            assert!(!absent.iter().any(|word| snippet.code.contains(word)), "{}", snippet.code);
        }
    }
}
