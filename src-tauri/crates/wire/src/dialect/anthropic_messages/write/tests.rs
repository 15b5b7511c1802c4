//! Tests of requests for backends.

use domain::TranslationMode;
use serde_json::{Value, json};

use super::*;
use crate::neutral::{
    CacheBreakpoint, CallKind, ContentPart, ConversationTurn, ExtraField, MediaContent, MediaKind,
    MediaSource, ParallelCalls, Reasoning, Role, ThinkingEffort, ThoughtSignature, ToolCall,
    ToolChoice, ToolDefinition, ToolKind, ToolResult,
};
use crate::test_requests::{call, message, request, result};
use crate::{Delivery, TargetKind, UsageChunk};

fn target(model: &str, crossing: TranslationMode) -> Target {
    let kind = TargetKind::Anthropic;
    Target { kind, model: model.to_owned(), crossing, output_tokens_max: None }
}

fn sent_to(model: &str, request: &ModelRequest) -> (Value, Vec<String>) {
    let written = write_request(request, &target(model, TranslationMode::Strict)).expect("written");
    (serde_json::from_slice(&written.body).expect("JSON"), written.dropped)
}

fn sent(request: &ModelRequest) -> Value {
    sent_to("claude-sonnet-4-5", request).0
}

fn refused(request: &ModelRequest) -> Option<String> {
    let refused = write_request(request, &target("claude-sonnet-4-5", TranslationMode::Strict));
    refused.expect_err("refused").param().map(str::to_owned)
}

fn talk(turns: Vec<(Role, Vec<ContentPart>)>) -> ModelRequest {
    let messages = turns.into_iter().map(|(role, parts)| message(role, parts)).collect();
    ModelRequest { messages, ..request("") }
}

fn tool(name: &str, kind: ToolKind) -> ToolDefinition {
    ToolDefinition { name: name.to_owned(), namespace: None, description: None, kind, cache: None }
}

fn function(schema: &str) -> ToolKind {
    ToolKind::Function { schema: JsonText::parse(schema), strict: None }
}

#[test]
fn the_smallest_request_is_whole() {
    let body = sent(&request("hi"));
    let expected = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 32_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    });
    assert_eq!(body, expected);
    let most = |wanted, most| {
        let request = ModelRequest { output_tokens_max: wanted, ..request("hi") };
        output_tokens_limit(
            &request,
            &Target { output_tokens_max: most, ..target("m", TranslationMode::Strict) },
        )
    };
    assert_eq!(most(Some(5), None), 5);
    assert_eq!(most(None, Some(64_000)), 64_000);
    assert_eq!(most(Some(100_000), Some(64_000)), 64_000);
    let streamed =
        ModelRequest { delivery: Delivery::Stream(UsageChunk::NotAsked), ..request("hi") };
    assert_eq!(sent(&streamed)["stream"], true);
}

/// litellm#16525, opencodex#620, Zoo-Code#1705, OpenHands#7512.
#[test]
fn class_12_results_come_first_and_late_instructions_keep_their_place() {
    let body = sent(&talk(vec![
        (Role::System, vec![ContentPart::text("top")]),
        (Role::User, vec![ContentPart::text("go")]),
        (Role::Assistant, vec![ContentPart::text(" "), call("a", "f", "{}"), call("b.1", "f", "")]),
        (Role::System, vec![ContentPart::text("late")]),
        (Role::User, vec![ContentPart::text("wait"), result("b.1", "B")]),
        (Role::User, vec![result("a", "A")]),
    ]));
    assert_eq!(body["system"], json!([{"type": "text", "text": "top"}]));
    let turns = body["messages"].as_array().expect("turns");
    let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str().expect("role")).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let ids: Vec<&Value> =
        turns[1]["content"].as_array().expect("calls").iter().map(|call| &call["id"]).collect();
    let last = turns[2]["content"].as_array().expect("blocks");
    let results: Vec<&Value> = last.iter().take(2).map(|block| &block["tool_use_id"]).collect();
    assert_eq!(ids, results, "in the order of the calls, ids bent alike");
    assert_eq!(last[0]["content"], json!([{"type": "text", "text": "A"}]));
    let texts: Vec<&Value> = last.iter().skip(2).map(|block| &block["text"]).collect();
    assert_eq!(texts, ["<system>\nlate\n</system>", "wait"]);
}

#[test]
fn class_14_an_empty_result_is_sent() {
    let failed = ContentPart::ToolResult(ToolResult {
        call_id: "a".to_owned(),
        name: None,
        content: Vec::new(),
        is_error: true,
        kind: CallKind::Function,
    });
    let body = sent(&talk(vec![
        (Role::User, vec![ContentPart::text("go")]),
        (Role::Assistant, vec![call("a", "f", "{}")]),
        (Role::User, vec![failed]),
    ]));
    let expected = json!([{"type": "tool_result", "tool_use_id": "a", "is_error": true}]);
    assert_eq!(body["messages"][2]["content"], expected);
    // A history with calls is refused without a tool list.
    assert_eq!(body["tools"][0]["name"], "f");
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
}

/// UncommonRoute#19, Antigravity-Manager#3342; litellm#25322.
#[test]
fn class_10_foreign_thinking_is_left_out_and_own_thinking_goes_back_as_it_came() {
    let signature = |origin, data: &str| ThoughtSignature { origin, data: data.to_owned() };
    let own = |data: &str| signature(Dialect::AnthropicMessages, data);
    let foreign = || signature(Dialect::Gemini, "abc");
    let thinking =
        |text: &str, signature| ContentPart::Thinking { text: text.to_owned(), signature };
    let body = sent(&talk(vec![
        (Role::User, vec![ContentPart::text("go")]),
        (
            Role::Assistant,
            vec![
                thinking("gemini's", Some(foreign())),
                thinking("", Some(own("EqQB+/=="))),
                ContentPart::RedactedThinking(own("Emw")),
                ContentPart::RedactedThinking(foreign()),
                thinking("unsigned", None),
                ContentPart::text("hm"),
            ],
        ),
        (Role::User, vec![ContentPart::text("more")]),
        (Role::Assistant, vec![thinking("only this", Some(foreign()))]),
        (Role::User, vec![ContentPart::text("and more")]),
    ]));
    let expected = json!([
        {"type": "thinking", "thinking": "", "signature": "EqQB+/=="},
        {"type": "redacted_thinking", "data": "Emw"},
        {"type": "text", "text": "hm"},
    ]);
    assert_eq!(body["messages"][1]["content"], expected);
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(3), "no empty turn is left");
}

/// litellm#4738.
#[test]
fn class_22_images_are_typed_by_their_bytes_and_results_may_hold_them() {
    let image = |source, media_type: Option<&str>| {
        ContentPart::Media(MediaContent {
            kind: MediaKind::Image,
            source,
            media_type: media_type.map(str::to_owned),
            detail: None,
            title: None,
        })
    };
    let base64 = |data: &str| MediaSource::Base64(data.to_owned());
    let url = |url: &str| MediaSource::Url(url.to_owned());
    let body = sent(&talk(vec![(
        Role::User,
        vec![
            image(base64("iVBORw0KGgoAAAAN"), Some("image/jpeg")),
            image(base64("AAAA"), Some("image/heic")),
            image(url("data:image/png;base64,/9j/4AAQ"), None),
            image(url("https://example.com/a.png"), None),
        ],
    )]));
    let sources: Vec<&Value> = body["messages"][0]["content"]
        .as_array()
        .expect("blocks")
        .iter()
        .map(|block| &block["source"])
        .collect();
    assert_eq!(sources[0]["media_type"], "image/png");
    assert_eq!(sources[1]["media_type"], "image/heic");
    let jpeg = json!({"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"});
    assert_eq!(*sources[2], jpeg);
    assert_eq!(*sources[3], json!({"type": "url", "url": "https://example.com/a.png"}));
    let document = MediaContent {
        kind: MediaKind::Document,
        source: base64("aGVsbG8="),
        media_type: Some("text/markdown".to_owned()),
        detail: None,
        title: Some("T".to_owned()),
    };
    let body = sent(&talk(vec![(Role::User, vec![ContentPart::Media(document)])]));
    let text = json!({"type": "text", "media_type": "text/plain", "data": "hello"});
    let expected = json!([{"type": "document", "title": "T", "source": text}]);
    assert_eq!(body["messages"][0]["content"], expected);
    let file = talk(vec![(Role::User, vec![image(MediaSource::File("f".to_owned()), None)])]);
    assert_eq!(refused(&file).as_deref(), Some("messages.file"));
}

/// maximhq/bifrost#3511: every request with tools failed because of its shape.
#[test]
fn class_19_tools_have_the_dialects_shape() {
    let mut wanted = request("hi");
    let custom = ToolKind::Custom { format: JsonText::parse(r#"{"type":"grammar"}"#) };
    wanted.tools = vec![
        tool("plain", function(r#"{"type":"object","z":1e400,"a":1}"#)),
        tool("untyped", function(r#"{"properties":{}}"#)),
        tool("none", ToolKind::Function { schema: None, strict: Some(true) }),
        tool("apply_patch", custom),
    ];
    wanted.tools[0].cache = JsonText::parse(r#"{"type":"ephemeral"}"#).map(CacheBreakpoint);
    wanted.tool_choice = Some(ToolChoice::Named { name: "plain".to_owned(), namespace: None });
    wanted.parallel_calls = ParallelCalls::OneAtATime;
    let written = write_request(&wanted, &target("m", TranslationMode::Strict)).expect("written");
    let text = String::from_utf8(written.body.to_vec()).expect("text");
    assert!(text.contains(r#""input_schema":{"type":"object","z":1e400,"a":1}"#), "{text}");
    let body = text.replace("1e400", "1");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let tools = &body["tools"];
    assert_eq!(tools[0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(tools[1]["input_schema"], json!({"type": "object", "properties": {}}));
    assert_eq!(tools[2]["input_schema"], json!({"type": "object", "properties": {}}));
    assert_eq!((&tools[2]["strict"], &tools[0]["strict"]), (&json!(true), &Value::Null));
    assert_eq!(tools[3]["input_schema"]["required"], json!(["input"]));
    let choice = json!({"type": "tool", "name": "plain", "disable_parallel_tool_use": true});
    assert_eq!(body["tool_choice"], choice);
    for (choice, word) in
        [(ToolChoice::Auto, "auto"), (ToolChoice::Required, "any"), (ToolChoice::None, "none")]
    {
        wanted.tool_choice = Some(choice);
        let body =
            write_request(&wanted, &target("m", TranslationMode::Strict)).expect("written").body;
        let text = String::from_utf8_lossy(&body).replace("1e400", "1");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(body["tool_choice"]["type"], word);
    }
    let patch = ToolCall {
        id: "a".to_owned(),
        name: "apply_patch".to_owned(),
        namespace: None,
        kind: CallKind::Custom,
        arguments: "*** Begin".to_owned(),
    };
    wanted.messages.push(message(Role::Assistant, vec![ContentPart::ToolCall(patch)]));
    wanted.tools.truncate(0);
    let body = sent(&wanted);
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({"input": "*** Begin"}));
}

#[test]
fn sampling_is_sent_where_the_model_takes_it() {
    let sampled = |temperature: &str, reasoning| ModelRequest {
        temperature: JsonText::parse(temperature),
        top_p: JsonText::parse("1.0"),
        reasoning,
        ..request("hi")
    };
    let (off, high) =
        (Reasoning::Unset, Reasoning::Effort { effort: ThinkingEffort::High, visible: true });
    assert_eq!(sent(&sampled("0.70", off))["temperature"], json!(0.7));
    assert_eq!(sent(&sampled("1", high))["temperature"], Value::Null, "the default says nothing");
    assert_eq!(sent(&sampled("0.7", off))["top_p"], Value::Null);
    let written = |model: &str, request: &ModelRequest| {
        let (body, dropped) = sent_to(model, request);
        (body["temperature"].clone(), dropped)
    };
    let named = || vec!["temperature".to_owned()];
    let (older, newer) = ("claude-sonnet-4-5", "claude-opus-4-7");
    assert_eq!(written(older, &sampled("0.7", high)), (Value::Null, named()));
    assert_eq!(written(older, &sampled("1.5", off)), (json!(1), named()));
    assert_eq!(written(newer, &sampled("0.5", off)), (Value::Null, named()));
    let top_k = ModelRequest { top_k: JsonText::parse("5"), ..request("hi") };
    assert_eq!(sent(&top_k)["top_k"], 5);
}

#[test]
fn output_stop_and_user_are_written_or_judged() {
    let schema = JsonText::parse(r#"{"type":"object","b":1,"a":2}"#).expect("JSON");
    let structured = OutputFormat::Schema {
        name: Some("n".to_owned()),
        description: None,
        schema,
        strict: Some(true),
    };
    let wanted = ModelRequest {
        output: structured,
        stop: vec!["END".to_owned()],
        user: Some("u".to_owned()),
        reasoning: Reasoning::Effort { effort: ThinkingEffort::Low, visible: true },
        ..request("hi")
    };
    let (body, dropped) = sent_to("claude-opus-4-6", &wanted);
    let config = json!({"effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object", "b": 1, "a": 2}}});
    assert_eq!(body["output_config"], config);
    assert_eq!(body["thinking"], json!({"type": "adaptive", "display": "summarized"}));
    assert_eq!(body["stop_sequences"], json!(["END"]));
    assert_eq!(body["metadata"], json!({"user_id": "u"}));
    assert_eq!(dropped, Vec::<String>::new());
    let any = ModelRequest { output: OutputFormat::AnyJson, ..request("hi") };
    // The prompt asks for JSON too, so the model still knows.
    assert_eq!(sent_to("m", &any).1, ["response_format"]);
    let blank = ModelRequest { stop: vec!["\n".to_owned()], ..request("hi") };
    assert_eq!(refused(&blank).as_deref(), Some("stop"));
    let many = ModelRequest { choices: Some(2), ..request("hi") };
    assert_eq!(refused(&many).as_deref(), Some("n"));
    assert!(sent(&ModelRequest { choices: Some(1), ..request("hi") }).is_object());
    let long = |chars| {
        let user = Some("ä".repeat(chars));
        sent_to("m", &ModelRequest { user, ..request("hi") }).1
    };
    assert_eq!(long(USER_ID_CHARS_MAX), Vec::<String>::new());
    assert_eq!(long(USER_ID_CHARS_MAX + 1), ["user"]);
    let (field, value) = (FieldKind::Seed, JsonText::empty_object());
    let seeded = ExtraField { field, path: "seed".to_owned(), value };
    assert_eq!(
        refused(&ModelRequest { extras: vec![seeded], ..request("hi") }).as_deref(),
        Some("seed")
    );
}

#[test]
fn thinking_is_left_out_where_a_turn_of_tools_began_without_it() {
    let mut wanted = talk(vec![
        (Role::User, vec![ContentPart::text("go")]),
        (Role::Assistant, vec![call("a", "f", "{}")]),
        (Role::User, vec![result("a", "A")]),
    ]);
    wanted.reasoning = Reasoning::Budget { tokens_max: 2_000, visible: true };
    let (body, dropped) = sent_to("claude-sonnet-4-5", &wanted);
    assert_eq!(
        (&body["thinking"], dropped.as_slice()),
        (&Value::Null, &["reasoning".to_owned()][..])
    );
    let (body, dropped) = sent_to("claude-opus-4-6", &wanted);
    assert_eq!((&body["thinking"]["type"], dropped.len()), (&json!("adaptive"), 0));
    wanted.messages.truncate(1);
    let budget = json!({"type": "enabled", "budget_tokens": 2_000});
    assert_eq!(sent_to("claude-sonnet-4-5", &wanted).0["thinking"], budget);
}

#[test]
fn a_turn_to_be_continued_does_not_end_in_white_space_and_a_conversation_is_demanded() {
    let body = sent(&talk(vec![
        (Role::User, vec![ContentPart::text("go")]),
        (Role::Assistant, vec![ContentPart::text("The answer is \n")]),
    ]));
    assert_eq!(body["messages"][1]["content"][0]["text"], "The answer is");
    let silent = talk(vec![(Role::System, vec![ContentPart::text("Be brief.")])]);
    assert_eq!(refused(&silent).as_deref(), Some("messages"));
    let none: Vec<ConversationTurn> = Vec::new();
    assert_eq!(
        refused(&ModelRequest { messages: none, ..request("") }).as_deref(),
        Some("messages")
    );
}
