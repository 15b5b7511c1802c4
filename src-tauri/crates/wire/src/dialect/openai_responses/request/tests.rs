//! Requests as clients send them, Codex in particular.

use domain::Dialect;
use serde_json::json;

use super::*;
use crate::UsageChunk;
use crate::neutral::{CallKind, MediaSource, ThoughtSignature, ToolChoice, ToolKind};

/// A recorded turn of Codex 0.169, with shortened texts.
pub(crate) const CODEX: &str = r##"{"model":"gpt-x","input":[
  {"type":"message","role":"developer","content":[{"type":"input_text","text":"<permissions>"}]},
  {"type":"message","role":"developer","content":[{"type":"input_text","text":"<apps>"}]},
  {"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>"}]},
  {"type":"message","role":"user","content":[{"type":"input_text","text":"Say pong"}]},
  {"type":"reasoning","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],
   "content":null,"encrypted_content":"gAAAA=="},
  {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look."}]},
  {"type":"function_call","name":"spawn_agent","namespace":"multi_agent_v1",
   "arguments":"{\"n\":12345678901234567890123}","call_id":"call_1"},
  {"type":"custom_tool_call","status":"completed","call_id":"call_2","name":"apply_patch","input":"*** Begin"},
  {"type":"function_call_output","call_id":"call_1","output":"done"},
  {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"ok"},
   {"type":"input_image","image_url":"data:image/png;base64,aGk=","detail":"high"}]}],
 "tools":[
  {"type":"function","name":"exec_command","description":"Runs","strict":false,
   "parameters":{"type":"object","properties":{"z":{"type":"string"},"a":{"minimum":1.00}}}},
  {"type":"namespace","name":"multi_agent_v1","description":"Agents.","tools":[
    {"type":"function","name":"spawn_agent","description":"Spawns","strict":false,"parameters":{}},
    {"type":"function","name":"wait","description":"Waits","parameters":{}}]},
  {"type":"custom","name":"apply_patch","description":"Patches",
   "format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
  {"type":"web_search","external_web_access":true}],
 "tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"summary":"auto"},"store":false,
 "stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"019a",
 "client_metadata":{"x-codex-turn-metadata":"{}"}}"##;

fn read(text: &str) -> Result<ModelRequest, RequestError> {
    read_request(text, "gpt-x", Delivery::Stream(UsageChunk::Asked))
}

fn kept(request: &ModelRequest) -> Vec<(FieldKind, &str)> {
    request.extras.iter().map(|extra| (extra.field, extra.path.as_str())).collect()
}

#[test]
fn codex_is_read_without_loss() {
    let request = read(CODEX).expect("a request");
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, System, User};
    assert_eq!(roles, [System, System, User, User, Assistant, User]);
    let [thinking, text, spawn, patch] = request.messages[4].parts.as_slice() else {
        panic!("what was said is one turn: {:?}", request.messages[4])
    };
    let signature =
        ThoughtSignature { origin: Dialect::OpenAiResponses, data: "gAAAA==".to_owned() };
    assert_eq!(
        *thinking,
        ContentPart::Thinking { text: "a\n\nb".to_owned(), signature: Some(signature) }
    );
    assert_eq!(*text, ContentPart::text("I look."));
    let (ContentPart::ToolCall(spawn), ContentPart::ToolCall(patch)) = (spawn, patch) else {
        panic!("calls")
    };
    assert_eq!(spawn.namespace.as_deref(), Some("multi_agent_v1"));
    assert_eq!(spawn.arguments, r#"{"n":12345678901234567890123}"#);
    assert_eq!((patch.kind, patch.arguments.as_str()), (CallKind::Custom, "*** Begin"));
    let [ContentPart::ToolResult(done), ContentPart::ToolResult(ok)] =
        request.messages[5].parts.as_slice()
    else {
        panic!("two results in one turn")
    };
    assert_eq!((done.call_id.as_str(), ok.content.len()), ("call_1", 2));
    let ContentPart::Media(image) = &ok.content[1] else { panic!("an image") };
    assert_eq!(image.source, MediaSource::Base64("aGk=".to_owned()));
    assert_eq!(request.parallel_calls, ParallelCalls::Allowed);
    assert_eq!(
        kept(&request),
        [
            (FieldKind::Presentation, "reasoning.summary"),
            (FieldKind::ServiceOptions, "prompt_cache_key"),
            (FieldKind::Metadata, "client_metadata"),
        ]
    );
}

/// BerriAI/litellm#35878, #31571.
#[test]
fn class_15_namespace_and_custom_tools_are_read() {
    let request = read(CODEX).expect("a request");
    let names: Vec<_> =
        request.tools.iter().map(|tool| (tool.namespace.as_deref(), tool.name.as_str())).collect();
    let space = Some("multi_agent_v1");
    assert_eq!(
        names,
        [
            (None, "exec_command"),
            (space, "spawn_agent"),
            (space, "wait"),
            (None, "apply_patch"),
            (None, "web_search"),
        ]
    );
    let ToolKind::Function { schema: Some(schema), strict } = &request.tools[0].kind else {
        panic!("a function")
    };
    assert!(schema.get().contains("1.00") && schema.get().find('z') < schema.get().find("\"a\""));
    assert_eq!(*strict, Some(false));
    let about = request.tools[1].description.as_deref();
    assert_eq!(about, Some("(multi_agent_v1: Agents.)\n\nSpawns"));
    assert!(matches!(request.tools[3].kind, ToolKind::Custom { format: Some(_) }));
    assert!(matches!(request.tools[4].kind, ToolKind::Server { .. }));
}

/// BerriAI/litellm#39354, #36363, #38842.
#[test]
fn class_16_reasoning_is_an_object_and_a_summary_alone_switches_nothing_on() {
    let reasoning = |json: &str| {
        read(&format!(r#"{{"input":"x","reasoning":{json}}}"#)).expect("a request").reasoning
    };
    assert_eq!(reasoning(r#"{"summary":"auto"}"#), Reasoning::Unset);
    assert_eq!(reasoning(r#"{"effort":null,"summary":null}"#), Reasoning::Unset);
    assert_eq!(reasoning(r#"{"effort":"none"}"#), Reasoning::Off);
    let high = Reasoning::Effort { effort: ThinkingEffort::High, visible: false };
    assert_eq!(reasoning(r#"{"effort":"high"}"#), high);
    let shown = Reasoning::Effort { effort: ThinkingEffort::ExtraHigh, visible: true };
    assert_eq!(reasoning(r#"{"effort":"xhigh","summary":"detailed"}"#), shown);
    let refused = |json: &str| read(json).expect_err("refused").param().map(str::to_owned);
    let word = refused(r#"{"input":"x","reasoning":"high"}"#);
    assert_eq!(word.as_deref(), Some("reasoning"));
    let level = refused(r#"{"input":"x","reasoning":{"effort":"huge"}}"#);
    assert_eq!(level.as_deref(), Some("reasoning.effort"));
}

/// BerriAI/litellm#31551.
#[test]
fn class_20_every_valid_body_is_read() {
    for body in [
        json!({"input": "hi"}),
        json!({"input": []}),
        json!({"input": [{"role": "user", "content": "hi"}], "instructions": null}),
        json!({"input": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]}),
        json!({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
            {"type": "function_call_output", "call_id": "c", "output": ""}]}),
        json!({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}),
        json!({"input": [{"type": "additional_tools", "role": "developer",
            "tools": [{"type": "function", "name": "f", "parameters": null, "strict": null}]}]}),
        json!({"input": [{"type": "some_future_item", "x": 1}], "some_future_field": {}}),
        json!({"input": "hi", "text": {"format": {"type": "text"}, "verbosity": "low"}}),
    ] {
        read(&body.to_string()).unwrap_or_else(|error| panic!("{body}: {error}"));
    }
    let turns = read(r#"{"input":"hi","instructions":"Be brief."}"#).expect("a request").messages;
    assert_eq!(
        (turns[0].role, turns[0].parts[0].clone()),
        (Role::System, ContentPart::text("Be brief."))
    );
}

#[test]
fn what_has_no_neutral_form_is_kept_by_name() {
    let request = read(
        r#"{"input":[{"type":"item_reference","id":"msg_1"},{"id":"msg_2"},
        {"type":"compaction","encrypted_content":"x"},{"type":"web_search_call","id":"ws_1"},
        {"type":"odd"}],"store":true,"background":false,"previous_response_id":"resp_1",
        "truncation":"auto","top_logprobs":3,"metadata":{"a":"b"},"safety_identifier":"u",
        "service_tier":"flex","stream_options":{},"moderation":{},"top_p":0.50,
        "include":["message.output_text.logprobs","web_search_call.results"],
        "text":{"verbosity":"high"},"reasoning":{"effort":"low","context":"auto"},
        "tools":[{"type":"function","name":"f","defer_loading":true,"parameters":null}],
        "tool_choice":{"type":"mcp","server_label":"x"},"max_output_tokens":1,"user":"u"}"#,
    );
    let request = request.expect("a request");
    assert_eq!(
        kept(&request),
        [
            (FieldKind::ServerState, "input[0]"),
            (FieldKind::ServerState, "input[1]"),
            (FieldKind::StoredPrompt, "input[2]"),
            (FieldKind::ServerTool, "input[3]"),
            (FieldKind::Unknown, "input[4]"),
            (FieldKind::Store, "store"),
            (FieldKind::ServerState, "previous_response_id"),
            (FieldKind::ContextManagement, "truncation"),
            (FieldKind::Logprobs, "top_logprobs"),
            (FieldKind::Metadata, "metadata"),
            (FieldKind::Metadata, "safety_identifier"),
            (FieldKind::ServiceOptions, "service_tier"),
            (FieldKind::Presentation, "stream_options"),
            (FieldKind::Unknown, "moderation"),
            (FieldKind::Logprobs, "include[0]"),
            (FieldKind::Presentation, "include[1]"),
            (FieldKind::Verbosity, "text.verbosity"),
            (FieldKind::Unknown, "reasoning.context"),
            (FieldKind::Unknown, "tools[0].defer_loading"),
            (FieldKind::ServerTool, "tool_choice"),
        ]
    );
    assert_eq!(request.top_p.as_ref().map(crate::neutral::JsonText::get), Some("0.50"));
    assert_eq!((request.output_tokens_max, request.user.as_deref()), (Some(1), Some("u")));
}

#[test]
fn refusals_name_their_place() {
    let refused = |json: &str| read(json).expect_err("refused").param().map(str::to_owned);
    let cases = [
        (r#"{"model":"x"}"#, "input"),
        (r#"{"input":3}"#, "input"),
        (r#"{"input":[{"role":"robot","content":"x"}]}"#, "input[0].role"),
        (r#"{"input":[{"role":"user","content":[{"type":"video"}]}]}"#, "input[0].content[0].type"),
        (r#"{"input":[{"type":"function_call","name":"f"}]}"#, "input[0].call_id"),
        (r#"{"input":[{"role":"user","content":"\ud800"}]}"#, "input[0].content"),
        (r#"{"input":"x","tools":[{"type":"function"}]}"#, "tools[0].name"),
        (r#"{"input":"x","tool_choice":"maybe"}"#, "tool_choice"),
        (r#"{"input":"x","text":{"format":{"type":"json_schema"}}}"#, "text.format.schema"),
        (r#"{"input":"x","max_output_tokens":-1}"#, "max_output_tokens"),
    ];
    for (json, param) in cases {
        assert_eq!(refused(json).as_deref(), Some(param), "{json}");
    }
}

#[test]
fn tool_choices_are_read_in_all_forms() {
    let tools =
        r#"[{"type":"function","name":"f"},{"type":"custom","name":"g"},{"type":"web_search"}]"#;
    let read = |choice: &str| {
        read(&format!(r#"{{"input":"x","tool_choice":{choice},"tools":{tools}}}"#)).expect("read")
    };
    let named = |name: &str| ToolChoice::Named { name: name.to_owned(), namespace: None };
    assert_eq!(read(r#""none""#).tool_choice, Some(ToolChoice::None));
    assert_eq!(read(r#""required""#).tool_choice, Some(ToolChoice::Required));
    assert_eq!(read(r#"{"type":"function","name":"f"}"#).tool_choice, Some(named("f")));
    assert_eq!(read(r#"{"type":"custom","name":"g"}"#).tool_choice, Some(named("g")));
    let some = read(
        r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"g"},{"type":"web_search"}]}"#,
    );
    assert_eq!(some.tool_choice, Some(ToolChoice::Required));
    let left: Vec<_> = some.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(left, ["g", "web_search"]);
}

/// CommonstackAI/UncommonRoute#19; strands-agents/harness-sdk#2704.
#[test]
fn class_11_signatures_of_others_come_back_as_what_they_were() {
    let item = |encrypted: &str| {
        let text = json!({"input": [{"type": "reasoning", "summary": [], "encrypted_content": encrypted}]});
        read(&text.to_string()).expect("a request").messages[0].parts[0].clone()
    };
    let signature = |origin| ThoughtSignature { origin, data: "c2ln".to_owned() };
    let anthropic = signature(Dialect::AnthropicMessages);
    let signed = item(&super::super::reasoning::encrypted_content(&anthropic));
    let omitted = ContentPart::Thinking { text: String::new(), signature: Some(anthropic.clone()) };
    assert_eq!(signed, omitted);
    let whole = item(&super::super::reasoning::redacted_content(&anthropic));
    assert_eq!(whole, ContentPart::RedactedThinking(anthropic));
    assert_eq!(item("c2ln"), ContentPart::RedactedThinking(signature(Dialect::OpenAiResponses)));
}
