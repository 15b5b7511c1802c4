//! Tests of writing requests for Gemini backends.

use domain::{Dialect, TranslationMode};
use serde_json::{Value, json};

use crate::dialect::field_filter::FieldKind;
use crate::dialect::gemini::write_request;
use crate::dialect::translation::TranslatedRequest;
use crate::neutral::{
    CacheBreakpoint, ContentPart, ExtraField, JsonText, MediaContent, MediaKind, MediaSource,
    ModelRequest, OutputFormat, ParallelCalls, Reasoning, Role, ThoughtSignature, ToolChoice,
    ToolDefinition, ToolKind, ToolResult,
};
use crate::test_requests::{call, message, request, result};
use crate::{RequestError, Target, TargetKind};

fn target(model: &str, crossing: TranslationMode) -> Target {
    let kind = TargetKind::Gemini;
    Target { kind, model: model.to_owned(), crossing, output_tokens_max: None }
}

fn write(request: &ModelRequest, model: &str) -> (Value, TranslatedRequest) {
    let written =
        write_request(request, &target(model, TranslationMode::Strict)).expect("a request");
    (serde_json::from_slice(&written.body).expect("JSON"), written)
}

fn function(name: &str, schema: Option<&str>) -> ToolDefinition {
    let schema = schema.map(|schema| JsonText::parse(schema).expect("JSON"));
    let kind = ToolKind::Function { schema, strict: None };
    ToolDefinition { name: name.to_owned(), namespace: None, description: None, kind, cache: None }
}

fn signed(origin: Dialect, text: &str, data: &str) -> ContentPart {
    let signature = Some(ThoughtSignature { origin, data: data.to_owned() });
    ContentPart::Thinking { text: text.to_owned(), signature }
}

/// openai/openai-agents-python#2331, litellm#37463.
#[test]
fn class_13_gemini_results_match_calls_in_number_and_order() {
    let mut asked = request("go");
    asked.messages.extend([
        message(
            Role::Assistant,
            vec![
                ContentPart::text("so"),
                call("1", "a", r#"{"n":12345678901234567890}"#),
                call("2", "b", ""),
            ],
        ),
        message(Role::User, vec![ContentPart::text("meanwhile"), result("2", r#"{"ok":true}"#)]),
        message(Role::User, vec![result("1", "")]),
    ]);
    let (body, written) = write(&asked, "gemini-2.5-flash");
    assert_eq!(
        body["contents"],
        json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [{"text": "so"},
                {"functionCall": {"id": "1", "name": "a", "args": {"n": 12_345_678_901_234_567_890_u64}}},
                {"functionCall": {"id": "2", "name": "b", "args": {}}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "1", "name": "a", "response": {"result": ""}}},
                {"functionResponse": {"id": "2", "name": "b", "response": {"ok": true}}},
                {"text": "meanwhile"}]},
        ])
    );
    let text = String::from_utf8(written.body.to_vec()).expect("text");
    assert!(text.contains(r#""args":{"n":12345678901234567890}"#), "{text}");
}

/// litellm#25322: a signature goes back on the part it came on, byte for byte.
#[test]
fn class_9_own_signatures_return_to_their_part() {
    let own = Dialect::Gemini;
    let mut asked = request("go");
    asked.messages.extend([
        message(
            Role::Assistant,
            vec![
                signed(own, "thought", "T+/="),
                ContentPart::text("text"),
                signed(own, "", "C1=="),
                call("1", "a", "{}"),
                call("2", "a", "{}"),
            ],
        ),
        message(Role::User, vec![result("1", "x"), result("2", "y")]),
        message(Role::Assistant, vec![ContentPart::text("done"), signed(own, "", "END=")]),
    ]);
    let (body, _) = write(&asked, "gemini-3-flash-preview");
    assert_eq!(
        body["contents"][1]["parts"],
        json!([
            {"thought": true, "text": "thought", "thoughtSignature": "T+/="},
            {"text": "text"},
            {"functionCall": {"id": "1", "name": "a", "args": {}}, "thoughtSignature": "C1=="},
            {"functionCall": {"id": "2", "name": "a", "args": {}}},
        ])
    );
    let last = json!([{"text": "done"}, {"text": "", "thoughtSignature": "END="}]);
    assert_eq!(body["contents"][3]["parts"], last);
}

/// UncommonRoute#19, Antigravity-Manager#3342: after a switch of models.
#[test]
fn class_10_foreign_thinking_is_left_out_and_calls_get_the_stand_in() {
    let mut asked = request("go");
    asked.messages.extend([
        message(
            Role::Assistant,
            vec![
                signed(Dialect::AnthropicMessages, "deep", "Er=="),
                ContentPart::RedactedThinking(ThoughtSignature {
                    origin: Dialect::AnthropicMessages,
                    data: "R".to_owned(),
                }),
                call("1", "a", "{}"),
                call("2", "b", "{}"),
            ],
        ),
        message(Role::User, vec![result("1", "x"), result("2", "y")]),
    ]);
    let stand_in = json!([
        {"functionCall": {"id": "1", "name": "a", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"},
        {"functionCall": {"id": "2", "name": "b", "args": {}}},
    ]);
    assert_eq!(write(&asked, "gemini-3-pro-preview").0["contents"][1]["parts"], stand_in);
    let older = write(&asked, "gemini-2.5-pro").0;
    assert_eq!(older["contents"][1]["parts"][0].get("thoughtSignature"), None);
}

#[test]
fn instructions_tools_and_options_have_their_places() {
    let mut asked = request("hi");
    asked.messages.insert(0, message(Role::System, vec![ContentPart::text("top")]));
    asked.messages.push(message(Role::System, vec![ContentPart::text("late")]));
    asked.tools = vec![
        function(
            "f",
            Some(
                r#"{"type":"object","properties":{"n":{"const":1e2}},"additionalProperties":false}"#,
            ),
        ),
        ToolDefinition { kind: ToolKind::Custom { format: None }, ..function("patch", None) },
        function("none", None),
    ];
    asked.tool_choice = Some(ToolChoice::Named { name: "f".to_owned(), namespace: None });
    asked.reasoning = Reasoning::Budget { tokens_max: 2_000, visible: true };
    asked.output_tokens_max = Some(100);
    asked.temperature = JsonText::parse("0.70");
    asked.stop = vec!["END".to_owned()];
    asked.choices = Some(2);
    asked.extras =
        [("seed", FieldKind::Seed, "7"), ("presence_penalty", FieldKind::Penalties, "0.10")]
            .map(|(path, field, value)| ExtraField {
                field,
                path: path.to_owned(),
                value: JsonText::parse(value).expect("JSON"),
            })
            .to_vec();
    let (_, written) = write(&asked, "gemini-2.5-flash");
    assert_eq!(
        String::from_utf8_lossy(&written.body),
        concat!(
            r#"{"systemInstruction":{"parts":[{"text":"top"}]},"#,
            r#""tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","properties":{"n":{"const":1e2}},"additionalProperties":false}},"#,
            r#"{"name":"patch","parametersJsonSchema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}},{"name":"none"}]}],"#,
            r#""toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"#,
            r#""contents":[{"role":"user","parts":[{"text":"hi"},{"text":"<system>\nlate\n</system>"}]}],"#,
            r#""generationConfig":{"maxOutputTokens":100,"temperature":0.70,"stopSequences":["END"],"candidateCount":2,"seed":7,"presencePenalty":0.10,"#,
            r#""thinkingConfig":{"includeThoughts":true,"thinkingBudget":2000}}}"#
        )
    );
    assert_eq!(written.dropped, Vec::<String>::new());
}

/// litellm#18621: JSON answers beside functions.
#[test]
fn class_18_json_beside_functions_is_native_or_refused_by_name() {
    let schema = JsonText::parse(r#"{"type":"object"}"#).expect("JSON");
    let mut asked = request("hi");
    asked.output = OutputFormat::Schema { name: None, description: None, schema, strict: None };
    let plain =
        json!({"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}});
    assert_eq!(write(&asked, "gemini-2.5-flash").0["generationConfig"], plain);
    asked.tools = vec![function("f", None)];
    assert_eq!(write(&asked, "gemini-3-flash-preview").0["generationConfig"], plain);
    let refused = write_request(&asked, &target("gemini-2.5-flash", TranslationMode::Strict));
    let named = RequestError::Untranslatable {
        param: "response_format".to_owned(),
        dialect: Dialect::Gemini,
    };
    assert_eq!(refused, Err(named));
    let lenient =
        write_request(&asked, &target("gemini-2.5-flash", TranslationMode::Lenient)).expect("sent");
    assert_eq!(lenient.dropped, ["response_format"]);
    assert!(!String::from_utf8_lossy(&lenient.body).contains("responseMimeType"));
    // No function may be called, so nothing is lost without them.
    asked.tool_choice = Some(ToolChoice::None);
    let (body, _) = write(&asked, "gemini-2.5-flash");
    assert_eq!((body.get("tools"), &body["generationConfig"]), (None, &plain));
    assert_eq!(body.get("toolConfig"), None);
}

/// litellm#4738: several images, in messages and in results.
#[test]
fn class_22_images_are_sent_with_the_type_of_their_bytes() {
    let image = |source| {
        let media_type = Some("image/jpeg".to_owned());
        ContentPart::Media(MediaContent {
            kind: MediaKind::Image,
            source,
            media_type,
            detail: None,
            title: None,
        })
    };
    let png = || MediaSource::Base64("iVBORw0KGgoAAAA=".to_owned());
    let mut asked = request("look");
    asked.messages[0].parts.extend([
        image(png()),
        image(MediaSource::Url("data:image/webp;base64,iVBORw0KGgo=".to_owned())),
        image(MediaSource::Url("https://example.com/a.jpg".to_owned())),
    ]);
    let ContentPart::ToolResult(mut shot) = result("1", "taken") else { unreachable!() };
    shot.content.push(image(png()));
    asked
        .messages
        .push(message(Role::Assistant, vec![call("1", "shot", "{}"), call("2", "f", "{}")]));
    asked.messages.push(message(
        Role::User,
        vec![ContentPart::ToolResult(ToolResult { is_error: true, ..shot }), result("2", "x")],
    ));
    let (newer, _) = write(&asked, "gemini-3-flash-preview");
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAAA="}});
    assert_eq!(newer["contents"][0]["parts"][1], inline);
    assert_eq!(newer["contents"][0]["parts"][2]["inlineData"]["mimeType"], "image/png");
    let file =
        json!({"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/a.jpg"}});
    assert_eq!(newer["contents"][0]["parts"][3], file);
    let response = &newer["contents"][2]["parts"][0]["functionResponse"];
    assert_eq!(response["response"], json!({"error": "taken"}));
    assert_eq!(response["parts"], json!([inline]));
    let (older, _) = write(&asked, "gemini-2.5-flash");
    assert_eq!(older["contents"][2]["parts"][2], inline, "beside, after all results");
}

#[test]
fn what_cannot_cross_is_refused_or_named() {
    let refused = |request: &ModelRequest| {
        let error = write_request(request, &target("gemini-3-flash", TranslationMode::Strict));
        error.expect_err("refused").param().map(str::to_owned)
    };
    let mut asked = request("hi");
    asked.stop = (0..6).map(|n| n.to_string()).collect();
    assert_eq!(refused(&asked).as_deref(), Some("stop"));
    asked.stop.truncate(5);
    let declaration = JsonText::parse(r#"{"type":"web_search"}"#).expect("JSON");
    asked.tools = vec![ToolDefinition {
        kind: ToolKind::Server { origin: Dialect::OpenAiResponses, declaration },
        ..function("web_search", None)
    }];
    let named = write(&asked, "gemini-3-flash").1.dropped;
    assert_eq!(named, ["tools.web_search"], "left out, strict or not");
    asked.tools.clear();
    let file = MediaContent {
        kind: MediaKind::Image,
        source: MediaSource::File("file-1".to_owned()),
        media_type: None,
        detail: None,
        title: None,
    };
    asked.messages[0].parts.push(ContentPart::Media(file));
    assert_eq!(refused(&asked).as_deref(), Some("file"));
    asked.messages[0].parts.pop();
    asked.parallel_calls = ParallelCalls::OneAtATime;
    asked.user = Some("u".to_owned());
    let cache = Some(CacheBreakpoint(JsonText::empty_object()));
    asked.messages[0].parts.push(ContentPart::Text { text: "x".to_owned(), cache });
    let (body, written) = write(&asked, "gemini-3-flash");
    assert_eq!(written.dropped, ["cache_control", "user", "parallel_tool_calls"]);
    assert_eq!(body["generationConfig"]["stopSequences"].as_array().map(Vec::len), Some(5));
}

#[test]
fn f54_arguments_that_are_no_object_stay_visible() {
    let mut asked = request("go");
    let calls = vec![call("1", "a", "{\"x\":"), call("2", "a", "[1]")];
    asked.messages.push(message(Role::Assistant, calls));
    let (body, _) = write(&asked, "gemini-2.5-flash");
    let args = |place: usize| body["contents"][1]["parts"][place]["functionCall"]["args"].clone();
    assert_eq!([args(0), args(1)], [json!({"_raw": "{\"x\":"}), json!({"_raw": "[1]"})]);
}

#[test]
fn instructions_alone_are_a_turn() {
    let mut asked = request("x");
    asked.messages = vec![message(Role::System, vec![ContentPart::text("only")])];
    let (body, _) = write(&asked, "gemini-3-flash");
    assert_eq!(body, json!({"contents": [{"role": "user", "parts": [{"text": "only"}]}]}));
}
