//! Tests of reading requests of Gemini clients.

use domain::Dialect;

use crate::dialect::field_filter::FieldKind;
use crate::dialect::gemini::read_request;
use crate::neutral::{
    CallKind, ContentPart, MediaKind, MediaSource, ModelRequest, OutputFormat, Reasoning, Role,
    ThinkingEffort, ThoughtSignature, ToolCall, ToolChoice, ToolKind,
};
use crate::{Delivery, RequestError};

fn read(text: &str) -> ModelRequest {
    read_request(text, "gemini-3-flash", Delivery::Whole).expect("a request")
}

fn refused(text: &str) -> RequestError {
    read_request(text, "m", Delivery::Whole).expect_err("a refusal")
}

/// One line for each part, so that one assertion covers a conversation.
fn shown(request: &ModelRequest) -> Vec<String> {
    let show = |part: &ContentPart| match part {
        ContentPart::Text { text, .. } => text.clone(),
        ContentPart::ToolCall(call) => format!("call {} {} {}", call.id, call.name, call.arguments),
        ContentPart::ToolResult(result) => {
            let text = match result.content.as_slice() {
                [] => String::new(),
                [ContentPart::Text { text, .. }] => text.clone(),
                other => format!("{} parts", other.len()),
            };
            let error = if result.is_error { " error" } else { "" };
            format!("result {}={text}{error}", result.call_id)
        }
        ContentPart::Thinking { text, signature } => {
            let signature = signature.as_ref().map(|s| format!("{}:{}", s.origin, s.data));
            format!("thinking {text:?} {signature:?}")
        }
        other => format!("{other:?}"),
    };
    let role = |role| match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "model",
    };
    let turns = request.messages.iter();
    turns
        .flat_map(|m| m.parts.iter().map(move |p| format!("{}: {}", role(m.role), show(p))))
        .collect()
}

/// Shortened request of Gemini CLI 0.61 in the second turn of a tool call.
const GEMINI_CLI: &str = r#"{"contents":[
  {"parts":[{"text":"Read a.txt"}],"role":"user"},
  {"parts":[{"thought":true,"text":"I shall "},{"thought":true,"text":"read it."},
    {"functionCall":{"id":"read_file-1","name":"read_file","args":{"path":"a.txt","n":12345678901234567890}},"thoughtSignature":"CiQB+/=="}],"role":"model"},
  {"parts":[{"functionResponse":{"id":"read_file-1","name":"read_file","response":{"output":"hello"}}}],"role":"user"}],
 "systemInstruction":{"role":"user","parts":[{"text":"You are a CLI."}]},
 "tools":[{"functionDeclarations":[{"name":"read_file","description":"Reads.","parametersJsonSchema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}]}],
 "generationConfig":{"temperature":0,"topP":0.95,"topK":64,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":8192}}}"#;

#[test]
fn class_9_gemini_cli_is_read_with_its_signature_before_the_call() {
    let request = read(GEMINI_CLI);
    assert_eq!(
        shown(&request),
        [
            "system: You are a CLI.",
            "user: Read a.txt",
            "model: thinking \"I shall read it.\" None",
            "model: thinking \"\" Some(\"gemini:CiQB+/==\")",
            "model: call read_file-1 read_file {\"path\":\"a.txt\",\"n\":12345678901234567890}",
            "user: result read_file-1=hello",
        ]
    );
    assert_eq!(request.reasoning, Reasoning::Budget { tokens_max: 8_192, visible: true });
    let number =
        |json: &Option<crate::neutral::JsonText>| json.as_ref().map(|j| j.get().to_owned());
    assert_eq!(number(&request.top_p).as_deref(), Some("0.95"));
    assert_eq!(number(&request.top_k).as_deref(), Some("64"));
    assert_eq!(request.extras, []);
    let ToolKind::Function { schema: Some(schema), .. } = &request.tools[0].kind else {
        panic!("a function: {:?}", request.tools)
    };
    assert_eq!(
        schema.get(),
        r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#
    );
}

/// LiteLLM 1.106 sends `snake_case`.
#[test]
fn snake_case_says_the_same() {
    let request = read(
        r#"{"contents":[{"role":"user","parts":[{"text":"hi"},{"inline_data":{"mime_type":"image/jpeg","data":"iVBORw0KGgoAAA"}}]}],
        "system_instruction":{"parts":[{"text":"be brief"}]},
        "tools":[{"function_declarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"max_items":{"type":"INTEGER"}}}}]}],
        "tool_config":{"function_calling_config":{"mode":"ANY","allowed_function_names":["f"]}},
        "generationConfig":{"max_output_tokens":50,"stop_sequences":["a","b"],"response_mime_type":"application/json","response_schema":{"type":"STRING"},"candidate_count":2,
          "thinking_config":{"thinking_level":"LOW"}}}"#,
    );
    assert_eq!(request.output_tokens_max, Some(50));
    assert_eq!(request.stop, ["a", "b"]);
    assert_eq!(request.choices, Some(2));
    assert_eq!(
        request.reasoning,
        Reasoning::Effort { effort: ThinkingEffort::Low, visible: false }
    );
    let named = ToolChoice::Named { name: "f".to_owned(), namespace: None };
    assert_eq!(request.tool_choice, Some(named));
    let OutputFormat::Schema { schema, .. } = &request.output else { panic!("a schema") };
    assert_eq!(schema.get(), r#"{"type":"string"}"#);
    let ToolKind::Function { schema: Some(schema), .. } = &request.tools[0].kind else {
        panic!("a function")
    };
    assert_eq!(schema.get(), r#"{"type":"object","properties":{"max_items":{"type":"integer"}}}"#);
    let ContentPart::Media(image) = &request.messages[1].parts[1] else { panic!("an image") };
    assert_eq!((image.kind, image.media_type.as_deref()), (MediaKind::Image, Some("image/png")));
    assert_eq!(image.source, MediaSource::Base64("iVBORw0KGgoAAA".to_owned()));
}

/// opencode sends no ids, neither of calls nor of results (openai/openai-agents-python#2331).
#[test]
fn class_13_results_without_ids_join_their_calls_by_name_and_order() {
    let text = r#"{"contents":[{"role":"user","parts":[{"text":"go"}]},
      {"role":"model","parts":[{"functionCall":{"name":"a","args":{"n":1}}},{"functionCall":{"name":"b"}},{"functionCall":{"name":"a","args":{"n":2}}}]},
      {"role":"user","parts":[{"functionResponse":{"name":"b","response":{"content":"B"}}},{"functionResponse":{"name":"a","response":{"name":"a","content":"A1"}}},{"functionResponse":{"name":"a","response":{"error":"A2"}}}]}]}"#;
    let first = read(text);
    assert_eq!(
        shown(&first)[1..],
        [
            "model: call gemini_call_1_0 a {\"n\":1}",
            "model: call gemini_call_1_1 b {}",
            "model: call gemini_call_1_2 a {\"n\":2}",
            "user: result gemini_call_1_1=B",
            "user: result gemini_call_1_0=A1",
            "user: result gemini_call_1_2=A2 error",
        ]
    );
    // The ids are the same in every later request, so prompt prefixes stay cached.
    assert_eq!(first, read(text));
}

/// `@ai-sdk/google` 4.0 repeats the function's name; a result with a different name keeps it.
#[test]
fn a_result_that_repeats_its_functions_name_is_its_content() {
    let text = r#"{"contents":[{"role":"user","parts":[{"text":"go"}]},
      {"role":"model","parts":[{"functionCall":{"name":"read","args":{}}},{"functionCall":{"name":"read","args":{}}}]},
      {"role":"user","parts":[{"functionResponse":{"name":"read","response":{"name":"read","content":"A"}}},{"functionResponse":{"name":"read","response":{"name":"a.txt","content":"B"}}}]}]}"#;
    assert_eq!(
        shown(&read(text))[3..],
        [
            "user: result gemini_call_1_0=A",
            "user: result gemini_call_1_1={\"name\":\"a.txt\",\"content\":\"B\"}",
        ]
    );
}

#[test]
fn a_result_may_have_an_id_that_its_call_had_not_and_media() {
    let request = read(
        r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"look","args":{}}}]},
        {"role":"function","parts":[{"functionResponse":{"id":"x","name":"look","response":{"output":"see"},
          "parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}}]}]}"#,
    );
    assert_eq!(shown(&request)[1], "user: result gemini_call_0_0=2 parts");
}

#[test]
fn class_14_an_empty_result_is_still_a_result() {
    let request = read(
        r#"{"contents":[{"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{}}}]},
        {"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{}}},{"functionResponse":{"id":"2","name":"g","response":{"output":""}}}]}]}"#,
    );
    assert_eq!(shown(&request)[1..], ["user: result 1=", "user: result 2="]);
}

/// A Gemini client sends an Anthropic signature back in fragments.
#[test]
fn class_10_crossed_signatures_come_back_to_their_thoughts() {
    let signature =
        ThoughtSignature { origin: Dialect::AnthropicMessages, data: "Er/A==".to_owned() };
    let shown_to_client = crate::dialect::gemini::signature::encode_for_client(&signature);
    let request = read(&format!(
        r#"{{"contents":[{{"role":"model","parts":[{{"thought":true,"text":"a"}},{{"thought":true,"text":"b"}},
        {{"thought":true,"text":"","thoughtSignature":"{shown_to_client}"}},{{"text":"done"}}]}}]}}"#
    ));
    let thinking = ContentPart::Thinking { text: "ab".to_owned(), signature: Some(signature) };
    assert_eq!(request.messages[0].parts, [thinking, ContentPart::text("done")]);
}

#[test]
fn what_the_neutral_form_cannot_say_is_an_extra_with_its_path() {
    let request = read(
        r#"{"contents":[{"parts":[{"text":"hi","videoMetadata":{"fps":2}},{"executableCode":{"code":"1"}},
          {"fileData":{"fileUri":"https://youtu.be/x"}},{"fileData":{"fileUri":"https://example.com/a.pdf?x=1"}}]}],
        "safety_settings":[{"category":"C","threshold":"BLOCK_NONE"}],"cachedContent":"cachedContents/1","labels":{},"newThing":1,
        "tools":[{"googleSearch":{}},{"functionDeclarations":[]}],
        "toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}},
        "generationConfig":{"seed":7,"presencePenalty":0.5,"responseLogprobs":true,"logprobs":3,"responseModalities":["TEXT","AUDIO"],"routing":1}}"#,
    );
    let extras: Vec<_> = request.extras.iter().map(|e| (e.field, e.path.as_str())).collect();
    assert_eq!(
        extras,
        [
            (FieldKind::Unknown, "contents[0].parts[0].videoMetadata"),
            (FieldKind::ServerTool, "contents[0].parts[1].executableCode"),
            (FieldKind::ProviderFile, "contents[0].parts[2].fileData"),
            (FieldKind::Presentation, "toolConfig.functionCallingConfig.mode"),
            (FieldKind::Seed, "generationConfig.seed"),
            (FieldKind::Penalties, "generationConfig.presencePenalty"),
            (FieldKind::Logprobs, "generationConfig.logprobs"),
            (FieldKind::Logprobs, "generationConfig.responseLogprobs"),
            (FieldKind::AudioOutput, "generationConfig.responseModalities"),
            (FieldKind::Unknown, "generationConfig.routing"),
            (FieldKind::SafetyOff, "safety_settings"),
            (FieldKind::StoredPrompt, "cachedContent"),
            (FieldKind::Unknown, "newThing"),
        ]
    );
    assert!(matches!(
        &request.tools[0].kind,
        ToolKind::Server { origin: Dialect::Gemini, declaration } if declaration.get() == r#"{"googleSearch":{}}"#
    ));
    let ContentPart::Media(document) = &request.messages[0].parts[1] else { panic!("a document") };
    assert_eq!(document.kind, MediaKind::Document);
    assert_eq!(request.tool_choice, Some(ToolChoice::Auto));
}

#[test]
fn a_list_of_allowed_functions_leaves_the_others_out() {
    let request = read(
        r#"{"contents":[],"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"},{"name":"c"}]}],
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","c"]}}}"#,
    );
    let names: Vec<_> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(
        (names.as_slice(), request.tool_choice),
        (["a", "c"].as_slice(), Some(ToolChoice::Required))
    );
}

#[test]
fn thinking_is_read_in_all_its_spellings() {
    let reasoning = |config: &str| {
        read(&format!(r#"{{"contents":[],"generationConfig":{{"thinkingConfig":{config}}}}}"#))
            .reasoning
    };
    assert_eq!(reasoning(r#"{"thinkingBudget":0}"#), Reasoning::Off);
    let adaptive = |visible| Reasoning::Adaptive { visible, effort: None };
    assert_eq!(reasoning(r#"{"thinkingBudget":-1,"includeThoughts":false}"#), adaptive(false));
    assert_eq!(reasoning(r#"{"includeThoughts":true}"#), adaptive(true));
    assert_eq!(reasoning("{}"), Reasoning::Unset);
    let level = Reasoning::Effort { effort: ThinkingEffort::Minimal, visible: true };
    assert_eq!(reasoning(r#"{"thinkingLevel":"MINIMAL","includeThoughts":true}"#), level);
}

#[test]
fn refusals_name_their_place() {
    let cases = [
        (r#"{"contents":[{"role":"assistant","parts":[]}]}"#, "contents[0].role"),
        (
            r#"{"contents":[{"parts":[{"functionCall":{"args":{}}}]}]}"#,
            "contents[0].parts[0].functionCall.name",
        ),
        (
            r#"{"contents":[{"parts":[{"functionCall":{"name":"f","args":[1]}}]}]}"#,
            "contents[0].parts[0].functionCall.args",
        ),
        (r#"{"contents":[{"parts":[{"text":3}]}]}"#, "contents[0].parts[0].text"),
        (
            r#"{"contents":[],"generationConfig":{"max_output_tokens":1,"maxOutputTokens":2}}"#,
            "generationConfig.maxOutputTokens",
        ),
        (
            r#"{"contents":[],"generationConfig":{"responseMimeType":"text/x.enum"}}"#,
            "generationConfig.responseMimeType",
        ),
        (
            r#"{"contents":[],"toolConfig":{"functionCallingConfig":{"mode":"SOME"}}}"#,
            "toolConfig.functionCallingConfig.mode",
        ),
        ("{}", "contents"),
    ];
    for (text, path) in cases {
        assert_eq!(refused(text).param(), Some(path), "{text}");
    }
}

#[test]
fn f54_arguments_stay_as_the_client_wrote_them() {
    let request = read(
        r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"z":1.10,"a":[ ]}}}]}]}"#,
    );
    let ContentPart::ToolCall(ToolCall { arguments, kind, .. }) = &request.messages[0].parts[0]
    else {
        panic!("a call")
    };
    assert_eq!((arguments.as_str(), *kind), (r#"{"z":1.10,"a":[ ]}"#, CallKind::Function));
}

#[test]
fn only_a_filter_that_is_requested_counts() {
    let field = |settings: &str| {
        let body = format!(
            r#"{{"contents":[{{"parts":[{{"text":"hi"}}]}}],"safetySettings":{settings}}}"#
        );
        read(&body).extras.first().map(|extra| extra.field)
    };
    let off = r#"{"category":"A","threshold":"OFF"}"#;
    let none = r#"{"category":"B","threshold":"BLOCK_NONE"}"#;
    let some = r#"{"category":"C","threshold":"BLOCK_ONLY_HIGH"}"#;
    assert_eq!(field("[]"), None);
    assert_eq!(field(&format!("[{off},{none}]")), Some(FieldKind::SafetyOff));
    assert_eq!(field(&format!("[{off},{some}]")), Some(FieldKind::SafetySettings));
    assert_eq!(field(r#"[{"category":"C"}]"#), Some(FieldKind::SafetySettings));
}
