//! Requests to servers, newly written or edited in place.

use super::*;

/// litellm#39354, #36363, #38842: an object where a string is expected; efforts that servers
/// reject.
#[test]
fn class_16_effort_is_one_word_that_servers_know() {
    for (said, word) in [("minimal", "low"), ("medium", "medium"), ("xhigh", "high")] {
        let request = read(&json!({"messages": [], "reasoning": {"effort": said}}));
        assert_eq!(written(&request)["reasoning_effort"], word);
    }
    let budget = read(&json!({"messages": [], "reasoning": {"max_tokens": 8000, "exclude": true}}));
    assert_eq!(budget.reasoning, Reasoning::Budget { tokens_max: 8000, visible: false });
    let lacking = target(&[UnsupportedFeature::ReasoningEffort], TranslationMode::Strict);
    let written = write_request(&budget, &lacking).expect("it crosses");
    assert!(!String::from_utf8_lossy(&written.body).contains("reasoning"));
    assert_eq!(written.dropped, ["reasoning_effort"]);
    assert_eq!(
        read(&json!({"messages": [], "reasoning_effort": "none"})).reasoning,
        Reasoning::Off
    );
}

#[test]
fn signatures_come_back_byte_by_byte() {
    let details = [
        json!({"type": "reasoning.text", "text": "a", "format": "f1", "index": 0}),
        json!({"type": "reasoning.text", "text": "b", "index": 0}),
        json!({"type": "reasoning.text", "signature": "SIG==", "format": "f1", "id": null, "index": 0}),
        json!({"type": "reasoning.encrypted", "data": "ENC", "format": "f2", "index": 1}),
    ];
    let mut chunks: Vec<_> =
        details.iter().map(|detail| delta(&json!({"reasoning_details": [detail]}), None)).collect();
    chunks.push(delta(
        &tool(&json!({"index": 0, "id": "1", "extra_content":
        {"google": {"thought_signature": "G="}}, "function": {"name": "f", "arguments": "{}"}})),
        Some("tool_calls"),
    ));
    let answer = fold_events(events(&stream(&chunks)));
    let mut history = request("go");
    history
        .messages
        .push(ConversationTurn { role: Role::Assistant, parts: answer.choices[0].parts.clone() });
    let body = written(&history);
    let back = &body["messages"][1];
    assert_eq!(
        back["reasoning_details"][0],
        json!({"type": "reasoning.text", "text": "ab",
        "signature": "SIG==", "format": "f1", "id": null, "index": 0})
    );
    assert_eq!(back["reasoning_details"][1], details[3]);
    assert_eq!(back["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "G=");
}

#[test]
fn signatures_of_others_travel_through_a_chat_client() {
    for (origin, text) in [(Dialect::AnthropicMessages, "I think"), (Dialect::Gemini, "")] {
        let thinking = ContentPart::Thinking {
            text: text.to_owned(),
            signature: Some(signature(origin, "S/=")),
        };
        let choice = crate::neutral::AnswerChoice {
            parts: vec![thinking.clone(), call_part()],
            finish: None,
        };
        let answer = crate::neutral::ModelAnswer { choices: vec![choice], ..Default::default() };
        let echo =
            RequestEcho { request: Arc::new(request("x")), id: "e".to_owned(), created_unix_s: 7 };
        let body: Value = serde_json::from_slice(&write_answer(&answer, &echo)).expect("JSON");
        let given = body["choices"][0]["message"].clone();
        let read = read(&json!({"messages": [given]}));
        assert_eq!(read.messages[0].parts, [thinking, call_part()], "{body}");
    }
}

/// litellm#16525, #21464 and similar: servers that require results directly after the calls.
#[test]
fn class_12_results_follow_their_calls_complete_and_in_front_of_words() {
    let mut history = request("go");
    history.messages.push(message(Role::Assistant, vec![call("1", "a", "{}"), call("2", "b", "")]));
    history.messages.push(message(Role::User, vec![ContentPart::text("wait"), result("2", "two")]));
    history.messages.push(message(Role::System, vec![ContentPart::text("note")]));
    history.messages.push(message(Role::Assistant, vec![ContentPart::text("so")]));
    history.messages.push(message(Role::User, vec![result("9", "lost")]));
    let body = written(&history);
    let shown: Vec<_> = body["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| {
            format!(
                "{} {}",
                message["role"].as_str().unwrap_or_default(),
                message["tool_call_id"]
                    .as_str()
                    .or(message["content"].as_str())
                    .unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "user go",
            "assistant ",
            "tool 2",
            "tool 1",
            "user wait",
            "system note",
            "assistant so",
            "user [result of the tool call 9]\nlost"
        ]
    );
    assert_eq!(body["messages"][1]["tool_calls"][1]["function"]["arguments"], "{}");
}

/// litellm#4738: images of results and of several turns all arrive.
#[test]
fn class_22_every_picture_arrives() {
    let picture = |data: &str| {
        ContentPart::Media(crate::neutral::MediaContent {
            kind: crate::neutral::MediaKind::Image,
            source: crate::neutral::MediaSource::Base64(data.to_owned()),
            media_type: Some("image/png".to_owned()),
            detail: None,
            title: None,
        })
    };
    let mut history = request("go");
    history.messages[0].parts.push(picture("AA"));
    history.messages.push(message(Role::Assistant, vec![call_part()]));
    let ContentPart::ToolResult(plain) = result("1", "seen") else { panic!("a result") };
    let content = vec![ContentPart::text("seen"), picture("BB")];
    history.messages.push(message(
        Role::User,
        vec![ContentPart::ToolResult(ToolResult { content, ..plain }), picture("CC")],
    ));
    let body = written(&history).to_string();
    for data in ["AA", "BB", "CC"] {
        assert!(body.contains(&format!("data:image/png;base64,{data}")), "{body}");
    }
    let refused =
        write_request(&history, &target(&[UnsupportedFeature::Images], TranslationMode::Strict));
    assert!(matches!(refused, Err(RequestError::Untranslatable { .. })));
}

#[test]
fn raw_values_survive_to_the_digit() {
    let text = r#"{"messages":[{"role":"user","content":"x"}],"temperature":0.70,
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"z":1,"a":123456789012345678901.50}}},
        "tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":[1e2]}}}]}"#;
    let request = read_request(text, "m", Delivery::Whole).expect("a good request");
    let body =
        write_request(&request, &target(&[], TranslationMode::Strict)).expect("it crosses").body;
    let body = String::from_utf8(body.to_vec()).expect("text");
    for raw in
        [r#""temperature":0.70"#, r#"{"z":1,"a":123456789012345678901.50}"#, r#"{"z":1,"a":[1e2]}"#]
    {
        assert!(body.contains(raw), "{body}");
    }
}

fn adapted(
    text: &'static str,
    lacks: &[UnsupportedFeature],
    crossing: TranslationMode,
) -> (String, Vec<String>) {
    let request = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from_static(text.as_bytes()))
        .expect("a request");
    let exchange =
        BackendExchange::new(&request, &target(lacks, crossing), "e", 0).expect("it passes");
    let body = String::from_utf8(exchange.outgoing().body.to_vec()).expect("text");
    (body, exchange.outgoing().dropped.clone())
}

#[test]
fn a_lacking_server_gets_the_clients_bytes_but_for_what_it_lacks() {
    use UnsupportedFeature::{
        DeveloperRole, JsonSchema, MaxCompletionTokens, ParallelToolCalls, ReasoningEffort,
        StreamUsage, Tools,
    };
    let text = r#"{ "reasoning_effort":"low" , "model":"m","messages":[{"role": "developer","content":"\ud83d\ude00"}], "max_completion_tokens" : 1e1,"parallel_tool_calls":true}"#;
    let (body, dropped) = adapted(
        text,
        &[DeveloperRole, MaxCompletionTokens, ParallelToolCalls, ReasoningEffort],
        TranslationMode::Strict,
    );
    assert_eq!(
        body,
        r#"{ "model":"m2","messages":[{"role": "system","content":"\ud83d\ude00"}], "max_tokens" : 1e1}"#
    );
    assert_eq!(dropped, ["reasoning_effort", "parallel_tool_calls"]);
    let text =
        r#"{"stream_options":{"include_usage":true},"stream":true,"model":"m","messages":[]}"#;
    assert_eq!(
        adapted(text, &[StreamUsage], TranslationMode::Strict).0,
        r#"{"stream":true,"model":"m2","messages":[]}"#
    );
    let text = r#"{"model":"m","messages":[],"tools":[{}],"tool_choice":"auto","response_format":{"type":"json_schema"}}"#;
    let (body, dropped) = adapted(text, &[Tools, JsonSchema], TranslationMode::Lenient);
    assert_eq!(body, r#"{"model":"m2","messages":[],"response_format":{"type":"json_object"}}"#);
    assert_eq!(dropped, ["tools", "response_format"]);
    let request = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from_static(text.as_bytes()))
        .expect("a request");
    let refused =
        BackendExchange::new(&request, &target(&[Tools], TranslationMode::Strict), "e", 0)
            .expect_err("tools");
    assert_eq!(refused.param(), Some("tools"));
    let text = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"a"}]}]}"#;
    let (body, dropped) = adapted(text, &[UnsupportedFeature::Images], TranslationMode::Lenient);
    assert!(
        body.contains(r#"[{"type":"text","text":"[image left out]"},{"type":"text","text":"a"}]"#),
        "{body}"
    );
    assert_eq!(dropped, ["messages[0].content[0]"]);
}

#[test]
fn schemas_without_a_server_that_knows_them_are_refused_or_loosened() {
    let mut request = request("x");
    let schema = JsonText::empty_object();
    request.output =
        OutputFormat::Schema { name: None, description: None, schema, strict: Some(true) };
    assert_eq!(written(&request)["response_format"]["json_schema"]["name"], "answer");
    let lacking =
        |crossing| write_request(&request, &target(&[UnsupportedFeature::JsonSchema], crossing));
    assert!(lacking(TranslationMode::Strict).is_err());
    let loose = lacking(TranslationMode::Lenient).expect("it crosses");
    assert!(String::from_utf8_lossy(&loose.body).contains("json_object"));
}
