//! The mock as a Gemini server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Dialect;
use serde_json::{Value, json};

use super::mock_dialect::{AnswerFrame, MockDialect};
use super::prompt::{MockOutputFormat, MockParallelCalls, MockPrompt, MockTool, MockToolChoice};
use super::script::{AnswerScript, ScriptFinish, ScriptPart};
use super::text;
use super::tools::MockCall;
use crate::dialect::{error_body, error_event};
use crate::{ErrorAnswer, UsageChunk};

/// Behaves like Gemini 3: the first call of a turn is signed.
pub(super) struct GeminiMock;

impl MockDialect for GeminiMock {
    fn read_prompt(&self, body: &Value) -> Option<MockPrompt> {
        // A request to count tokens may contain a whole request.
        let body = member(body, "generateContentRequest").unwrap_or(body);
        let contents = list_member(body, "contents");
        let is_user = |content: &&Value| content.get("role").is_none_or(|role| role != "model");
        let said =
            contents.iter().rev().filter(is_user).map(content_text).find(|text| !text.is_empty());
        let last = contents.last().map(|last| list_member(last, "parts")).unwrap_or_default();
        let system = member(body, "systemInstruction");
        let all = system.into_iter().chain(contents);
        let counted = |content: &Value| {
            let results = list_member(content, "parts").iter().filter_map(tool_result_text);
            results
                .chain([content_text(content)])
                .map(|text| text::count_tokens(&text))
                .sum::<u64>()
        };
        let config = member(body, "generationConfig").unwrap_or(&Value::Null);
        Some(MockPrompt {
            user: said.unwrap_or_default(),
            tool_results: last.iter().filter_map(tool_result_text).collect(),
            images: contents.iter().map(count_images).sum(),
            tokens: all.map(counted).sum(),
            tools: read_tools(body),
            choice: read_choice(body),
            parallel_calls: MockParallelCalls::Parallel,
            format: read_format(config),
            tokens_max: member(config, "maxOutputTokens").and_then(Value::as_u64),
        })
    }

    fn write_answer(&self, script: &AnswerScript) -> Bytes {
        let mut parts = Vec::new();
        for part in &script.parts {
            parts.push(match part {
                ScriptPart::Thinking(tokens) => json!({"text": tokens.concat(), "thought": true}),
                ScriptPart::Text(tokens) => json!({"text": tokens.concat()}),
                ScriptPart::Call(call) => call_part(script, call),
            });
        }
        Bytes::from(answer_fragment(script, &parts, true).to_string())
    }

    fn write_stream(&self, script: &AnswerScript, _usage: UsageChunk) -> Vec<AnswerFrame> {
        let event = |part: Value, is_last| {
            format!("data: {}\r\n\r\n", answer_fragment(script, &[part], is_last))
        };
        let mut beats = Vec::new();
        for part in &script.parts {
            match part {
                ScriptPart::Thinking(tokens) => beats.extend(tokens.iter().map(|token| {
                    AnswerFrame::token(event(json!({"text": token, "thought": true}), false))
                })),
                ScriptPart::Text(tokens) => beats.extend(
                    tokens
                        .iter()
                        .map(|token| AnswerFrame::token(event(json!({"text": token}), false))),
                ),
                ScriptPart::Call(call) => {
                    beats.push(AnswerFrame::token(event(call_part(script, call), false)));
                }
            }
        }
        // Only the finish reason ends a stream of this dialect; no terminator follows.
        beats.push(AnswerFrame::frame(event(json!({"text": ""}), true)));
        beats
    }

    fn error_body(&self, error: &ErrorAnswer<'_>) -> Bytes {
        error_body(Dialect::Gemini, error)
    }

    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes {
        error_event(Dialect::Gemini, error, u64::try_from(events).unwrap_or(u64::MAX), None)
    }
}

/// The member `name`, in camelCase or `snake_case`.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let snake = || {
        let mut snake = String::new();
        for c in name.chars() {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        value.get(&snake)
    };
    value.get(name).or_else(snake)
}

fn list_member<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    member(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn content_text(content: &Value) -> String {
    let said = |part: &&Value| part.get("thought").is_none_or(|thought| thought != true);
    let parts = list_member(content, "parts").iter().filter(said);
    parts.filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
}

/// Text of a tool's result; `None` for other parts.
fn tool_result_text(part: &Value) -> Option<String> {
    let response = member(part, "functionResponse")?.get("response").unwrap_or(&Value::Null);
    let words = ["result", "output", "error", "content"];
    let told = words.iter().find_map(|word| response.get(word)).unwrap_or(response);
    Some(told.as_str().map_or_else(|| told.to_string(), str::to_owned))
}

fn count_images(content: &Value) -> usize {
    let of = |part: &Value| {
        let inside = member(part, "functionResponse").map_or(0, count_images);
        let file = member(part, "inlineData").or_else(|| member(part, "fileData"));
        let kind = file.and_then(|file| member(file, "mimeType")?.as_str());
        inside + usize::from(kind.is_some_and(|kind| kind.starts_with("image/")))
    };
    list_member(content, "parts").iter().map(of).sum()
}

fn read_tools(body: &Value) -> Vec<MockTool> {
    let declarations =
        list_member(body, "tools").iter().flat_map(|t| list_member(t, "functionDeclarations"));
    let read = |declaration: &Value| {
        let own = member(declaration, "parameters").map(lower_case_types);
        let schema = member(declaration, "parametersJsonSchema").cloned().or(own);
        Some(MockTool::function(declaration.get("name")?.as_str()?, schema.as_ref()))
    };
    declarations.filter_map(read).collect()
}

/// Converts types to lower case, as JSON Schema has them.
fn lower_case_types(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let convert = |(key, value): (&String, &Value)| {
                let value = match (key.as_str(), value) {
                    ("type", Value::String(kind)) => Value::from(kind.to_lowercase()),
                    (_, value) => lower_case_types(value),
                };
                (key.clone(), value)
            };
            members.iter().map(convert).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(lower_case_types).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

fn read_choice(body: &Value) -> MockToolChoice {
    let config = member(body, "toolConfig").and_then(|c| member(c, "functionCallingConfig"));
    let Some(config) = config else { return MockToolChoice::Auto };
    match (
        member(config, "mode").and_then(Value::as_str),
        list_member(config, "allowedFunctionNames"),
    ) {
        (Some("NONE"), _) => MockToolChoice::None,
        (Some("ANY"), [Value::String(name)]) => MockToolChoice::Named(name.clone()),
        (Some("ANY"), _) => MockToolChoice::Required,
        _ => MockToolChoice::Auto,
    }
}

fn read_format(config: &Value) -> MockOutputFormat {
    let own = member(config, "responseSchema").map(lower_case_types);
    let schema = member(config, "responseJsonSchema").cloned().or(own);
    match (member(config, "responseMimeType").and_then(Value::as_str), schema) {
        (Some("application/json"), Some(schema)) => MockOutputFormat::Schema(schema),
        (Some("application/json"), None) => MockOutputFormat::AnyJson,
        _ => MockOutputFormat::Text,
    }
}

fn answer_fragment(script: &AnswerScript, parts: &[Value], is_last: bool) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    let mut body = json!({
        "modelVersion": script.model, "responseId": format!("mock-{}", script.id),
    });
    if let (true, Some(members)) = (is_last, candidate.as_object_mut()) {
        members.insert("finishReason".to_owned(), json!(finish_reason(script.finish)));
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("candidates".to_owned(), json!([candidate]));
        if let (true, Some(usage)) = (is_last, script.usage) {
            let usage = json!({
                "promptTokenCount": usage.prompt, "candidatesTokenCount": usage.visible,
                "thoughtsTokenCount": usage.reasoning, "totalTokenCount": usage.total(),
            });
            members.insert("usageMetadata".to_owned(), usage);
        }
    }
    body
}

/// Calls have no ids: many models omit them, and it is the harder case.
fn call_part(script: &AnswerScript, call: &MockCall) -> Value {
    let args: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
    let mut part = json!({"functionCall": {"name": call.name, "args": args}});
    let is_first = script.calls().next().is_some_and(|first| first.id == call.id);
    if let (true, Some(members)) = (is_first, part.as_object_mut()) {
        members.insert(
            "thoughtSignature".to_owned(),
            json!(STANDARD.encode(format!("mock {}", script.id))),
        );
    }
    part
}

const fn finish_reason(finish: ScriptFinish) -> &'static str {
    match finish {
        ScriptFinish::Stop | ScriptFinish::ToolCalls => "STOP",
        ScriptFinish::Length => "MAX_TOKENS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiSurface, ClientRequest, Delivery, mock};

    fn ask(model: &str, delivery: Delivery, body: &Value) -> (u16, String) {
        let surface = ApiSurface::Gemini { model, delivery };
        let request = ClientRequest::parse(surface, Bytes::from(body.to_string()));
        let answer = mock::answer(&request.expect("a request"), 0);
        let bytes: Vec<u8> = answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
        (answer.status, String::from_utf8(bytes).expect("text"))
    }

    fn whole(model: &str, body: &Value) -> Value {
        let (status, text) = ask(model, Delivery::Whole, body);
        assert_eq!(status, 200);
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn it_answers_in_both_spellings() {
        let body = json!({"contents": [{"parts": [{"text": "one two three"}]}],
            "generation_config": {"max_output_tokens": 2}});
        let answer = whole("echo", &body);
        assert_eq!(answer["candidates"][0]["content"]["parts"], json!([{"text": "one two"}]));
        assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
        assert_eq!(answer["usageMetadata"]["totalTokenCount"], 5);
        let schema =
            json!({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]});
        let body = json!({"contents": [{"parts": [{"text": "hi"}]}],
            "generationConfig": {"responseMimeType": "application/json", "responseSchema": schema}});
        let text = whole("chat", &body)["candidates"][0]["content"]["parts"][0]["text"].clone();
        let said: Value = serde_json::from_str(text.as_str().expect("text")).expect("JSON");
        assert!(said["n"].is_i64(), "{said}");
    }

    #[test]
    fn it_counts_the_tokens_of_both_kinds_of_wishes() {
        let contents = json!({"contents": [{"parts": [{"text": "one two"}]}]});
        for body in [contents.clone(), json!({"generateContentRequest": contents})] {
            let answer = mock::answer_token_count(Dialect::Gemini, body.to_string().as_bytes());
            let count: Value = serde_json::from_slice(&answer.body[0].bytes).expect("JSON");
            assert_eq!(count["totalTokens"], 2, "{body}");
        }
    }

    #[test]
    fn it_calls_tools_and_reads_their_results() {
        let tools = json!([{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]);
        let mut body = json!({"contents": [{"parts": [{"text": "call f and g"}]}], "tools": tools});
        let answer = whole("chat", &body);
        let parts = answer["candidates"][0]["content"]["parts"].clone();
        let names = [&parts[0]["functionCall"]["name"], &parts[1]["functionCall"]["name"]];
        assert_eq!(names, ["f", "g"]);
        // Google's SDKs decode the signature; the Python one refuses invalid base64.
        let signature = parts[0]["thoughtSignature"].as_str().expect("a signature");
        assert!(STANDARD.decode(signature).is_ok(), "{signature}");
        assert!(parts[1]["thoughtSignature"].is_null());
        assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
        let results = json!([{"functionResponse": {"name": "f", "response": {"result": "seven"}}}]);
        let contents = body["contents"].as_array_mut().expect("contents");
        contents.extend([
            json!({"role": "model", "parts": parts}),
            json!({"role": "user", "parts": results}),
        ]);
        let said = whole("chat", &body)["candidates"][0]["content"]["parts"][0]["text"].clone();
        assert!(said.as_str().expect("text").contains("seven"), "{said}");
    }

    #[test]
    fn its_stream_ends_with_the_reason_and_its_errors_are_googles() {
        let body = json!({"contents": [{"parts": [{"text": "a b"}]}]});
        let delivery = Delivery::Stream(UsageChunk::Asked);
        let (_, text) = ask("think", delivery, &body);
        let events: Vec<_> = text.split_terminator("\r\n\r\n").collect();
        assert!(events[0].contains("\"thought\":true"));
        assert!(
            events
                .last()
                .is_some_and(|last| last.contains("STOP") && last.contains("thoughtsTokenCount"))
        );
        assert_eq!(ask("fault-no-done", delivery, &body).1.matches("finishReason").count(), 1);
        assert_eq!(ask("fault-cut", delivery, &body).1.matches("finishReason").count(), 0);
        let (status, text) = ask("fault-429", Delivery::Whole, &body);
        assert_eq!(status, 429);
        assert!(text.contains("RESOURCE_EXHAUSTED"), "{text}");
    }
}
