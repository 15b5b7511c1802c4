//! Renders a playground request as code, with one function for each library.
//!
//! The code holds no token: it calls `gatehouse token`, or reads a variable that was set with it.

use std::fmt::Display;

use engine::{Effort, PlaygroundOrder, TokenLimitField};

use crate::view::SnippetView;

/// Default for `max_tokens`, which Anthropic's library requires.
const ANTHROPIC_TOKENS_DEFAULT: u32 = 1_024;

/// Highest temperature of Anthropic's dialect.
const ANTHROPIC_TEMPERATURE_MAX: f64 = 1.0;

/// Returns all snippets. `client` need not exist yet.
pub(super) fn of(
    address: &str,
    client: &str,
    order: &PlaygroundOrder,
    limit: TokenLimitField,
) -> Vec<SnippetView> {
    let from = From { address, client, order, limit };
    let snippet = |title: &str, code: String| SnippetView { title: title.to_owned(), code };
    vec![
        snippet("curl", curl(&from)),
        snippet("Python, openai", python_openai(&from)),
        snippet("Node, openai", node_openai(&from)),
        snippet("Python, anthropic", python_anthropic(&from)),
        snippet("Python, google-genai", python_google(&from)),
    ]
}

/// Input of every snippet.
struct From<'a> {
    address: &'a str,
    client: &'a str,
    order: &'a PlaygroundOrder,
    limit: TokenLimitField,
}

impl From<'_> {
    /// The line that must be run first.
    fn export(&self, comment: &str) -> String {
        format!("{comment} export GATEHOUSE_TOKEN=\"$(gatehouse token {})\"\n", self.client)
    }

    /// Chat messages, one per line.
    fn messages(&self, indent: &str, turn: fn(&str, &str) -> String) -> String {
        let system = self.order.system.as_deref().map(|text| turn("system", &literal(text)));
        let user = turn("user", &literal(&self.order.prompt));
        system.into_iter().chain([user]).map(|line| format!("{indent}{line},\n")).collect()
    }

    const fn limit_name(&self) -> &'static str {
        match self.limit {
            TokenLimitField::Older => "max_tokens",
            TokenLimitField::Newer => "max_completion_tokens",
        }
    }
}

fn curl(from: &From<'_>) -> String {
    let body = from.order.body(from.limit).replace('\'', "'\\''");
    format!(
        "curl -N {}/v1/chat/completions \\\n  -H \"authorization: Bearer $(gatehouse token {})\" \\\n  \
         -H 'content-type: application/json' \\\n  -d '{body}'",
        from.address, from.client
    )
}

fn python_openai(from: &From<'_>) -> String {
    let turn = |role: &str, text: &str| format!("{{\"role\": \"{role}\", \"content\": {text}}}");
    let order = from.order;
    format!(
        "{}import os\n\nfrom openai import OpenAI\n\nclient = OpenAI(base_url=\"{}/v1\", \
         api_key=os.environ[\"GATEHOUSE_TOKEN\"])\nstream = client.chat.completions.create(\n    \
         model={},\n    messages=[\n{}    ],\n{}{}{}    stream=True,\n)\nfor chunk in stream:\n    \
         if chunk.choices:\n        print(chunk.choices[0].delta.content or \"\", end=\"\", flush=True)",
        from.export("#"),
        from.address,
        literal(&order.model),
        from.messages("        ", turn),
        line("    temperature=", order.temperature),
        line(&format!("    {}=", from.limit_name()), order.tokens_max),
        line("    reasoning_effort=", order.effort.map(word)),
    )
}

fn node_openai(from: &From<'_>) -> String {
    let turn = |role: &str, text: &str| format!("{{ role: \"{role}\", content: {text} }}");
    let order = from.order;
    format!(
        "{}import OpenAI from \"openai\";\n\nconst client = new OpenAI({{ baseURL: \"{}/v1\", \
         apiKey: process.env.GATEHOUSE_TOKEN }});\nconst stream = await \
         client.chat.completions.create({{\n  model: {},\n  messages: [\n{}  ],\n{}{}{}  stream: \
         true,\n}});\nfor await (const chunk of stream) {{\n  \
         process.stdout.write(chunk.choices[0]?.delta?.content ?? \"\");\n}}",
        from.export("//"),
        from.address,
        literal(&order.model),
        from.messages("    ", turn),
        line("  temperature: ", order.temperature),
        line(&format!("  {}: ", from.limit_name()), order.tokens_max),
        line("  reasoning_effort: ", order.effort.map(word)),
    )
}

fn python_anthropic(from: &From<'_>) -> String {
    let order = from.order;
    let effort =
        order.effort.map(|effort| format!("{{\"effort\": {}}}", word(at_least_low(effort))));
    format!(
        "{}import os\n\nfrom anthropic import Anthropic\n\nclient = Anthropic(base_url=\"{}\", \
         api_key=os.environ[\"GATEHOUSE_TOKEN\"])\nwith client.messages.stream(\n    model={},\n    \
         max_tokens={},\n{}    messages=[{{\"role\": \"user\", \"content\": {}}}],\n{}{}) as stream:\n    \
         for text in stream.text_stream:\n        print(text, end=\"\", flush=True)",
        from.export("#"),
        from.address,
        literal(&order.model),
        order.tokens_max.unwrap_or(ANTHROPIC_TOKENS_DEFAULT),
        line("    system=", order.system.as_deref().map(literal)),
        literal(&order.prompt),
        line("    temperature=", order.temperature.map(|t| t.min(ANTHROPIC_TEMPERATURE_MAX))),
        line("    output_config=", effort),
    )
}

fn python_google(from: &From<'_>) -> String {
    let order = from.order;
    let level = order.effort.map(|effort| {
        format!("types.ThinkingConfig(thinking_level={})", word(at_least_low(effort)))
    });
    format!(
        "{}import os\n\nfrom google import genai\nfrom google.genai import types\n\nclient = \
         genai.Client(\n    api_key=os.environ[\"GATEHOUSE_TOKEN\"],\n    \
         http_options=types.HttpOptions(base_url=\"{}\"),\n)\nstream = \
         client.models.generate_content_stream(\n    model={},\n    contents={},\n    \
         config=types.GenerateContentConfig(\n{}{}{}{}    ),\n)\nfor chunk in stream:\n    \
         print(chunk.text or \"\", end=\"\", flush=True)",
        from.export("#"),
        from.address,
        literal(&order.model),
        literal(&order.prompt),
        line("        system_instruction=", order.system.as_deref().map(literal)),
        line("        temperature=", order.temperature),
        line("        max_output_tokens=", order.tokens_max),
        line("        thinking_config=", level),
    )
}

/// A line with a trailing comma, or nothing without a value.
fn line(name: &str, value: Option<impl Display>) -> String {
    value.map(|value| format!("{name}{value},\n")).unwrap_or_default()
}

/// Text as a literal. A JSON string is valid in Python and JavaScript too.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

const fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "\"minimal\"",
        Effort::Low => "\"low\"",
        Effort::Medium => "\"medium\"",
        Effort::High => "\"high\"",
    }
}

/// Raises `minimal` to `low`, the lowest level of the other dialects.
const fn at_least_low(effort: Effort) -> Effort {
    match effort {
        Effort::Minimal => Effort::Low,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> PlaygroundOrder {
        PlaygroundOrder {
            model: "mock/chat".to_owned(),
            system: Some("Be \"brief\".".to_owned()),
            prompt: "What's\nnew?".to_owned(),
            temperature: Some(1.5),
            tokens_max: Some(64),
            effort: Some(Effort::Minimal),
        }
    }

    fn code(title: &str) -> String {
        let all = of("http://127.0.0.1:4283", "aider", &order(), TokenLimitField::Newer);
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
            &["base_url=\"http://127.0.0.1:4283\"", "temperature=1,", "{\"effort\": \"low\"}"],
        );
        check(
            "Python, google-genai",
            &["max_output_tokens=64", "thinking_level=\"low\"", "system_instruction=\"Be"],
        );
    }

    #[test]
    fn what_was_not_chosen_is_not_written() {
        let bare = PlaygroundOrder {
            system: None,
            temperature: None,
            tokens_max: None,
            effort: None,
            ..order()
        };
        for snippet in of("http://127.0.0.1:4283", "x", &bare, TokenLimitField::Older) {
            let absent = ["temperature", "effort", "thinking", "system"];
            assert!(!absent.iter().any(|word| snippet.code.contains(word)), "{}", snippet.code);
        }
    }
}
