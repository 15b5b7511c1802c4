//! Requests for OpenAI.

use domain::{Dialect, TranslationMode};
use serde_json::{Value, json};

use super::*;
use crate::TargetKind;
use crate::neutral::{
    CacheBreakpoint, ContentPart, ConversationTurn, ExtraField, MediaContent, MediaKind,
    MediaSource, Role, ThoughtSignature, ToolChoice, ToolDefinition, ToolKind, ToolResult,
};
use crate::test_requests::{call, message, request, result};
use crate::test_schema::PublishedSchema;

fn target(model: &str, crossing: TranslationMode) -> Target {
    let model = model.to_owned();
    Target { kind: TargetKind::OpenAi, model, crossing, output_tokens_max: None }
}

fn written(request: &ModelRequest, model: &str) -> (Value, Vec<String>) {
    let written =
        write_request(request, &target(model, TranslationMode::Lenient)).expect("written");
    (serde_json::from_slice(&written.body).expect("JSON"), written.dropped)
}

fn refused(request: &ModelRequest) -> Option<String> {
    let refused = write_request(request, &target("gpt-5.1", TranslationMode::Strict)).err()?;
    refused.param().map(str::to_owned)
}

fn media(kind: MediaKind, source: MediaSource, media_type: Option<&str>) -> ContentPart {
    let media_type = media_type.map(str::to_owned);
    ContentPart::Media(MediaContent { kind, source, media_type, detail: None, title: None })
}

fn signed(text: &str, origin: Dialect) -> ContentPart {
    let signature = Some(ThoughtSignature { origin, data: "enc".to_owned() });
    ContentPart::Thinking { text: text.to_owned(), signature }
}

/// A conversation like those of Claude Code.
fn conversation() -> ModelRequest {
    let mut request = request("unused");
    let base64 = |data: &str| MediaSource::Base64(data.to_owned());
    request.messages = vec![
        message(
            Role::System,
            vec![
                ContentPart::text("You are helpful."),
                ContentPart::Text {
                    text: "More.".to_owned(),
                    cache: Some(CacheBreakpoint(JsonText::empty_object())),
                },
            ],
        ),
        message(
            Role::User,
            vec![
                ContentPart::text("Look"),
                media(MediaKind::Image, base64("aGk="), Some("image/jpeg")),
                media(MediaKind::Document, base64("cGRm"), Some("application/pdf")),
            ],
        ),
        message(
            Role::Assistant,
            vec![
                signed("foreign", Dialect::AnthropicMessages),
                ContentPart::text("I call."),
                call(&"x".repeat(70), "f", ""),
                call("toolu_2", "f", r#"{"n":12345678901234567890123}"#),
            ],
        ),
        message(
            Role::User,
            vec![result(&"x".repeat(70), ""), result("toolu_2", "two"), ContentPart::text("go on")],
        ),
        message(Role::System, vec![ContentPart::text("late")]),
    ];
    let schema = JsonText::parse(r#"{"type":"object","properties":{"z":{"minimum":1.00},"a":{}}}"#);
    request.tools = vec![ToolDefinition {
        name: "f".to_owned(),
        namespace: None,
        description: Some("does".to_owned()),
        kind: ToolKind::Function { schema, strict: None },
        cache: None,
    }];
    request.tool_choice = Some(ToolChoice::Named { name: "f".to_owned(), namespace: None });
    request.parallel_calls = ParallelCalls::OneAtATime;
    request.output_tokens_max = Some(1);
    request
}

#[test]
fn a_conversation_becomes_items() {
    let (body, dropped) = written(&conversation(), "gpt-5.1");
    let short = body["input"][3]["call_id"].as_str().expect("an id").to_owned();
    assert!(short.len() <= 64);
    assert_eq!(
        body["input"],
        json!([
            {"type": "message", "role": "developer", "content": [
                {"type": "input_text", "text": "You are helpful."},
                {"type": "input_text", "text": "More."}]},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "detail": "auto", "image_url": "data:image/jpeg;base64,aGk="},
                {"type": "input_file", "filename": "document.pdf",
                 "file_data": "data:application/pdf;base64,cGRm"}]},
            {"type": "message", "role": "assistant", "content": "I call."},
            {"type": "function_call", "call_id": short, "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "toolu_2", "name": "f",
             "arguments": "{\"n\":12345678901234567890123}"},
            {"type": "function_call_output", "call_id": short, "output": ""},
            {"type": "function_call_output", "call_id": "toolu_2", "output": "two"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go on"}]},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "late"}]},
        ])
    );
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": "f"}));
    assert_eq!((&body["store"], &body["parallel_tool_calls"]), (&json!(false), &json!(false)));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(
        (&body["max_output_tokens"], &body["tools"][0]["strict"]),
        (&json!(16), &json!(false))
    );
    assert_eq!(dropped, ["cache_control"]);
    let raw = write_request(&conversation(), &target("m", TranslationMode::Strict))
        .expect("written")
        .body;
    let raw = String::from_utf8_lossy(&raw).into_owned();
    assert!(raw.contains(r#""properties":{"z":{"minimum":1.00},"a":{}}"#), "{raw}");
    check_published(body);
}

/// Validates each item against the published schema: its list of items is a `oneOf` that plain
/// messages match twice.
fn check_published(mut body: Value) {
    let Some(published) = PublishedSchema::find() else { return };
    for item in body["input"].as_array().expect("items") {
        let is_message = item["type"] == "message";
        published.check(if is_message { "EasyInputMessage" } else { "Item" }, item);
    }
    body["input"] = json!("said elsewhere");
    published.check("CreateResponse", &body);
}

/// BerriAI/litellm#25322; CommonstackAI/UncommonRoute#19.
#[test]
fn class_9_class_10_own_thinking_goes_back_and_that_of_others_does_not() {
    let mut request = request("hi");
    let own = ThoughtSignature { origin: Dialect::OpenAiResponses, data: "gAAA==".to_owned() };
    request.messages.push(message(
        Role::Assistant,
        vec![
            signed("", Dialect::Gemini),
            ContentPart::RedactedThinking(ThoughtSignature {
                origin: Dialect::AnthropicMessages,
                ..own.clone()
            }),
            ContentPart::Thinking { text: "no proof".to_owned(), signature: None },
            signed("mine", Dialect::OpenAiResponses),
            ContentPart::RedactedThinking(own),
        ],
    ));
    let (body, _) = written(&request, "gpt-5.1");
    assert_eq!(
        body["input"].as_array().expect("items")[1..],
        [
            json!({"type": "reasoning", "encrypted_content": "enc",
                "summary": [{"type": "summary_text", "text": "mine"}]}),
            json!({"type": "reasoning", "encrypted_content": "gAAA==", "summary": []}),
        ]
    );
}

/// BerriAI/litellm#39354, #36363, #38842.
#[test]
fn class_16_effort_is_an_object_and_only_for_models_that_think() {
    let reasoning = |said, model: &str| {
        let mut request = request("hi");
        request.reasoning = said;
        written(&request, model).0["reasoning"].clone()
    };
    let effort = |effort| Reasoning::Effort { effort, visible: true };
    let shown = |word: &str| json!({"effort": word, "summary": "auto"});
    assert_eq!(reasoning(effort(ThinkingEffort::High), "gpt-5.1"), shown("high"));
    assert_eq!(reasoning(effort(ThinkingEffort::Max), "gpt-5"), shown("high"));
    assert_eq!(reasoning(effort(ThinkingEffort::Minimal), "o3"), shown("low"));
    assert_eq!(reasoning(effort(ThinkingEffort::High), "gpt-4.1"), Value::Null);
    assert_eq!(reasoning(effort(ThinkingEffort::High), "ft:gpt-4o:x"), Value::Null);
    let budget = Reasoning::Budget { tokens_max: 8_000, visible: false };
    assert_eq!(reasoning(budget, "gpt-5.1"), json!({"effort": "medium"}));
    assert_eq!(reasoning(Reasoning::Off, "gpt-5.1"), json!({"effort": "none"}));
    assert_eq!(reasoning(Reasoning::Off, "gpt-5-mini"), json!({"effort": "minimal"}));
    assert_eq!(reasoning(Reasoning::Off, "gpt-4.1"), Value::Null);
    assert_eq!(reasoning(Reasoning::Unset, "gpt-5.1"), Value::Null);
    let adaptive = Reasoning::Adaptive { visible: true, effort: None };
    assert_eq!(reasoning(adaptive, "gpt-5.1"), json!({"summary": "auto"}));
}

#[test]
fn what_cannot_cross_is_refused_by_name_or_dropped_by_name() {
    let with = |change: &dyn Fn(&mut ModelRequest)| {
        let mut request = request("hi");
        change(&mut request);
        let dropped = written(&request, "gpt-5.1").1;
        (refused(&request), dropped)
    };
    let both = |path: &str| (Some(path.to_owned()), vec![path.to_owned()]);
    assert_eq!(with(&|r| r.stop = vec!["x".to_owned()]), both("stop"));
    assert_eq!(with(&|r| r.choices = Some(2)), both("n"));
    let file = || media(MediaKind::Image, MediaSource::File("file_1".to_owned()), None);
    assert_eq!(with(&|r| r.messages[0].parts.push(file())), both("messages[0].content[1]"));
    let seed = || ExtraField {
        field: FieldKind::Seed,
        path: "seed".to_owned(),
        value: JsonText::empty_object(),
    };
    assert_eq!(with(&|r| r.extras.push(seed())), both("seed"));
    let server = || ToolDefinition {
        name: "web_search".to_owned(),
        namespace: None,
        description: None,
        kind: ToolKind::Server {
            origin: Dialect::AnthropicMessages,
            declaration: JsonText::empty_object(),
        },
        cache: None,
    };
    // Dropped in both modes.
    let named = |path: &str| (None, vec![path.to_owned()]);
    assert_eq!(with(&|r| r.tools.push(server())), named("tools.web_search"));
    assert_eq!(with(&|r| r.top_k = JsonText::parse("4")), named("top_k"));
    assert_eq!(with(&|r| r.temperature = JsonText::parse("0.2")), named("temperature"));
}

#[test]
fn sampling_reaches_models_that_take_it_and_a_default_is_no_loss() {
    let mut request = request("hi");
    request.temperature = JsonText::parse("1.0");
    request.user = Some("u".repeat(USER_CHARS_MAX + 1));
    let (body, dropped) = written(&request, "gpt-5");
    assert_eq!((&body["temperature"], dropped), (&Value::Null, vec!["user".to_owned()]));
    request.temperature = JsonText::parse("0.30");
    request.user = Some("u".repeat(USER_CHARS_MAX));
    let strict =
        write_request(&request, &target("gpt-4.1", TranslationMode::Strict)).expect("written");
    let text = String::from_utf8_lossy(&strict.body).into_owned();
    assert!(text.contains("\"temperature\":0.30") && text.contains("safety_identifier"), "{text}");
}

/// BerriAI/litellm#37463: a result with an image, or an empty one, is still a result.
#[test]
fn class_14_results_with_pictures_or_nothing_are_sent() {
    let mut request = request("hi");
    let image = media(MediaKind::Image, MediaSource::Url("https://x/y.png".to_owned()), None);
    let result = ToolResult {
        call_id: "c".to_owned(),
        name: None,
        content: vec![ContentPart::text("see"), image],
        is_error: false,
        kind: crate::neutral::CallKind::Function,
    };
    let failed = |content: Vec<ContentPart>| {
        ContentPart::ToolResult(ToolResult { is_error: true, content, ..result.clone() })
    };
    let (worded, shown) =
        (failed(vec![ContentPart::text("no file")]), failed(result.content.clone()));
    let results = vec![ContentPart::ToolResult(result.clone()), worded, shown];
    request.messages = vec![
        ConversationTurn { role: Role::Assistant, parts: vec![call("c", "f", "{}")] },
        ConversationTurn { role: Role::User, parts: results },
    ];
    let (body, _) = written(&request, "gpt-5.1");
    assert_eq!(
        body["input"][1]["output"],
        json!([{"type": "input_text", "text": "see"},
            {"type": "input_image", "detail": "auto", "image_url": "https://x/y.png"}])
    );
    assert_eq!(body["input"][2]["output"], "Error: no file");
    assert_eq!(body["input"][3]["output"][0], json!({"type": "input_text", "text": "Error:"}));
    assert_eq!(body["input"][3]["output"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_schema_and_verbosity_are_written() {
    let mut request = request("hi");
    let schema = JsonText::empty_object();
    request.output =
        OutputFormat::Schema { name: None, description: None, schema, strict: Some(true) };
    request.extras.push(ExtraField {
        field: FieldKind::Verbosity,
        path: "verbosity".to_owned(),
        value: JsonText::parse("\"low\"").expect("JSON"),
    });
    let (body, dropped) = written(&request, "gpt-5.1");
    assert_eq!(
        body["text"],
        json!({"verbosity": "low", "format": {"type": "json_schema", "name": "response",
            "schema": {}, "strict": true}})
    );
    assert_eq!(dropped, [""; 0]);
}
