//! Tests of requests from clients of Messages.

use domain::Dialect;

use super::*;
use crate::dialect::field_filter::FieldKind;
use crate::neutral::{
    ContentPart, MediaKind, MediaSource, ParallelCalls, Reasoning, Role, ThinkingEffort,
    ToolChoice, ToolKind,
};
use crate::{ApiSurface, UsageChunk};

fn read_text(text: &str) -> Result<ModelRequest, RequestError> {
    read_request(text, "m", Delivery::Whole)
}

/// A request with `members` besides the model and the limit.
fn with(members: &str) -> ModelRequest {
    let text = format!(r#"{{"model":"m","max_tokens":9,{members}}}"#);
    read_text(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn blocks(role: &str, blocks: &str) -> ModelRequest {
    with(&format!(r#""messages":[{{"role":"{role}","content":[{blocks}]}}]"#))
}

fn parts(role: &str, list: &str) -> Vec<ContentPart> {
    blocks(role, list).messages.into_iter().flat_map(|message| message.parts).collect()
}

fn extras(request: &ModelRequest) -> Vec<(FieldKind, &str)> {
    request.extras.iter().map(|extra| (extra.field, extra.path.as_str())).collect()
}

/// Shortened request of Claude Code 2.1.329 (WIRE, rule 10).
const CLAUDE_CODE: &str = r#"{
 "model":"claude-sonnet-4-6",
 "messages":[
  {"role":"user","content":[{"type":"text","text":"<system-reminder>x</system-reminder>"},
    {"type":"text","text":"Say pong","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
  {"role":"system","content":[{"type":"text","text":"Tools changed."}]},
  {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"EqQB+/="},
    {"type":"tool_use","id":"toolu_01A","name":"Bash","input":{"command":"ls","n":1e400},"caller":{"type":"direct"}}]},
  {"role":"user","content":[{"tool_use_id":"toolu_01A","type":"tool_result","content":"ok","is_error":false}]}],
 "system":[
  {"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.329.651; cc_entrypoint=cli;"},
  {"type":"text","text":"You are Claude Code.","cache_control":{"type":"ephemeral"}}],
 "tools":[
  {"name":"Bash","description":"Runs","input_schema":{"type":"object","properties":{"command":{"type":"string"}},"additionalProperties":false}},
  {"name":"DeferredToolPlaceholder","description":"","input_schema":{"type":"object"},"defer_loading":true}],
 "metadata":{"user_id":"{\"device_id\":\"d\"}"},
 "max_tokens":128000,
 "thinking":{"type":"adaptive","display":"omitted"},
 "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
 "output_config":{"effort":"high"},
 "stream":true}"#;

#[test]
fn claude_codes_request_is_read_whole() {
    let body = bytes::Bytes::from(CLAUDE_CODE);
    let request = crate::ClientRequest::parse(ApiSurface::AnthropicMessages, body).expect("parsed");
    assert_eq!(request.delivery(), Delivery::Stream(UsageChunk::Asked));
    let request = request.to_neutral().expect("read");
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    let (system, user, model) = (Role::System, Role::User, Role::Assistant);
    assert_eq!(roles, [system, user, system, model, user]);
    assert_eq!(request.tools.len(), 1, "the placeholder is no tool");
    assert_eq!(request.output_tokens_max, Some(128_000));
    let effort = Some(ThinkingEffort::High);
    assert_eq!(request.reasoning, Reasoning::Adaptive { visible: false, effort });
    assert_eq!(request.user.as_deref(), Some(r#"{"device_id":"d"}"#));
    let named = [
        (FieldKind::Presentation, "tools[1]"),
        (FieldKind::ContextManagement, "context_management"),
    ];
    assert_eq!(extras(&request), named);
    let ContentPart::ToolCall(call) = &request.messages[3].parts[1] else { panic!("a call") };
    assert_eq!(call.arguments, r#"{"command":"ls","n":1e400}"#, "to the digit");
}

/// anthropics/claude-code#68900, CLIProxyAPI#1592, claude-code-router#1220: a volatile prefix.
#[test]
fn class_21_the_fingerprint_stays_behind_when_crossing() {
    let body = bytes::Bytes::from(CLAUDE_CODE);
    let request = crate::ClientRequest::parse(ApiSurface::AnthropicMessages, body).expect("parsed");
    assert_eq!(
        request.upstream_body("claude-sonnet-4-6", crate::Metering::AskForUsage),
        CLAUDE_CODE
    );
    let crossed = request.to_neutral().expect("read");
    let [ContentPart::Text { text, cache }] = &crossed.messages[0].parts[..] else {
        panic!("one text")
    };
    assert_eq!(text, "You are Claude Code.");
    assert!(cache.is_some());
    let one_text = with(
        r#""messages":[{"role":"user","content":"x"}],"system":"x-anthropic-billing-header: a\nBe brief.""#,
    );
    assert_eq!(one_text.messages[0].parts, [ContentPart::text("Be brief.")]);
    let alone = with(
        r#""messages":[{"role":"user","content":"x"}],"system":[{"type":"text","text":"x-anthropic-billing-header: a"}]"#,
    );
    assert_eq!(alone.messages[0].role, Role::User);
}

#[test]
fn every_refusal_names_its_field() {
    let turn = r#""messages":[{"role":"user","content":"x"}]"#;
    let cases = [
        (turn.to_owned(), "max_tokens"),
        (r#""max_tokens":1"#.to_owned(), "messages"),
        (r#""max_tokens":1,"messages":[]"#.to_owned(), "messages"),
        (r#""max_tokens":1,"messages":[{"role":"tool","content":"x"}]"#.to_owned(), "messages[0].role"),
        (r#""max_tokens":1,"messages":[{"role":"user"}]"#.to_owned(), "messages[0].content"),
        (r#""max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]"#.to_owned(), "messages[0].content[0].text"),
        (r#""max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"x"}]}]"#.to_owned(), "messages[0].content[0].input"),
        (r#""max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"gif"}}]}]"#.to_owned(), "messages[0].content[0].source.type"),
        (format!(r#""max_tokens":"1",{turn}"#), "max_tokens"),
        (format!(r#""max_tokens":1,{turn},"tool_choice":{{"type":"some"}}"#), "tool_choice.type"),
        (format!(r#""max_tokens":1,{turn},"tools":[{{"name":"f"}}]"#), "tools[0].input_schema"),
        (format!(r#""max_tokens":1,{turn},"output_config":{{"format":{{"type":"xml"}}}}"#), "output_config.format.type"),
        (format!(r#""max_tokens":1,{turn},"stop_sequences":"x""#), "stop_sequences"),
    ];
    for (members, param) in cases {
        let error = read_text(&format!(r#"{{"model":"m",{members}}}"#)).expect_err(&members);
        assert_eq!(error.param(), Some(param), "{members}");
    }
}

#[test]
fn both_versions_and_the_betas_are_read() {
    let turn = r#""messages":[{"role":"user","content":"x"}]"#;
    let request = with(&format!(
        r#"{turn},"temperature":0.70,"top_p":0.9,"top_k":5,"stop_sequences":["END"],
        "service_tier":"auto","container":"c","mcp_servers":[],"betas":["b"],"new":1,
        "metadata":{{"user_id":"u","other":1}},"cache_control":{{"type":"ephemeral"}},
        "output_format":{{"type":"json_schema","schema":{{"type":"object"}}}},
        "output_config":{{"task_budget":5}}"#
    ));
    assert_eq!(request.temperature.as_ref().map(crate::neutral::JsonText::get), Some("0.70"));
    assert_eq!(request.stop, ["END"]);
    let OutputFormat::Schema { schema, .. } = &request.output else { panic!("a schema") };
    assert_eq!(schema.get(), r#"{"type":"object"}"#);
    let mut named = extras(&request);
    named.sort_by_key(|(_, path)| (*path).to_owned());
    let expected = [
        (FieldKind::Unknown, "betas"),
        (FieldKind::PromptCache, "cache_control"),
        (FieldKind::ServerState, "container"),
        (FieldKind::ServerTool, "mcp_servers"),
        (FieldKind::Metadata, "metadata.other"),
        (FieldKind::Unknown, "new"),
        (FieldKind::Unknown, "output_config.task_budget"),
        (FieldKind::ServiceOptions, "service_tier"),
    ];
    assert_eq!(named, expected);
}

/// litellm#37463: results without text must not vanish.
#[test]
fn class_14_results_of_every_kind_are_kept() {
    let cases = [
        (r#""content":"text""#, 1),
        (r#""content":"""#, 0),
        (r#""content":[]"#, 0),
        (r#""is_error":true"#, 0),
        (
            r#""content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"url","url":"https://x/y.png"}}]"#,
            2,
        ),
        (r#""content":[{"type":"tool_reference","tool_name":"Read"}]"#, 1),
        (
            r#""content":[{"type":"search_result","title":"t","source":"s","content":[{"type":"text","text":"a"}]}]"#,
            2,
        ),
    ];
    for (members, count) in cases {
        let block = format!(r#"{{"type":"tool_result","tool_use_id":"t",{members}}}"#);
        let [ContentPart::ToolResult(result)] = &parts("user", &block)[..] else {
            panic!("{members}")
        };
        assert_eq!((result.call_id.as_str(), result.content.len()), ("t", count), "{members}");
        assert_eq!(result.is_error, members.contains("is_error"));
    }
}

/// strands-agents/harness-sdk#2704, litellm#25322: thinking without text keeps its signature.
#[test]
fn class_9_and_11_thinking_keeps_its_signature() {
    let list = r#"{"type":"thinking","thinking":"","signature":"EqQB=="},
        {"type":"redacted_thinking","data":"Emw+"},
        {"type":"thinking","thinking":"hm","signature":""},
        {"type":"thinking","thinking":"","signature":"gh1.gemini.abc"}"#;
    let read = parts("assistant", list);
    let signature =
        |origin, data: &str| crate::neutral::ThoughtSignature { origin, data: data.to_owned() };
    let (own, foreign) = (Dialect::AnthropicMessages, Dialect::Gemini);
    let thinking =
        |text: &str, signature| ContentPart::Thinking { text: text.to_owned(), signature };
    assert_eq!(
        read,
        [
            thinking("", Some(signature(own, "EqQB=="))),
            ContentPart::RedactedThinking(signature(own, "Emw+")),
            thinking("hm", None),
            thinking("", Some(signature(foreign, "abc"))),
        ]
    );
}

/// litellm#4738: more than one image in a conversation.
#[test]
fn class_22_media_are_read_and_typed_by_their_bytes() {
    let image = |data: &str| {
        format!(
            r#"{{"type":"image","source":{{"type":"base64","media_type":"image/jpeg","data":"{data}"}}}}"#
        )
    };
    let list = [
        image("iVBORw0KGgoAAAAN"),
        image("/9j/4AAQ"),
        r#"{"type":"document","title":"T","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"}}"#.to_owned(),
        r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain"},"citations":{"enabled":true}}"#.to_owned(),
        r#"{"type":"document","source":{"type":"file","file_id":"file_1"}}"#.to_owned(),
    ];
    let request = blocks("user", &list.join(","));
    let parts = &request.messages[0].parts;
    let types: Vec<Option<&str>> = parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::Media(media) => Some(media.media_type.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(types, [Some("image/png"), Some("image/jpeg"), Some("application/pdf"), None]);
    assert_eq!(parts[3], ContentPart::text("plain"));
    let ContentPart::Media(file) = &parts[4] else { panic!("a file") };
    assert_eq!(
        (file.kind, &file.source),
        (MediaKind::Document, &MediaSource::File("file_1".into()))
    );
    let citations = (FieldKind::Presentation, "messages[0].content[3].citations.enabled");
    assert_eq!(extras(&request), [citations]);
}

#[test]
fn what_the_provider_ran_itself_is_judged_and_not_lost() {
    let request = blocks(
        "assistant",
        r#"{"type":"text","text":"a","citations":[{"type":"x"}],"cache_control":{"type":"ephemeral"}},
        {"type":"server_tool_use","id":"s","name":"web_search","input":{}},
        {"type":"web_search_tool_result","tool_use_id":"s","content":[]},
        {"type":"container_upload","file_id":"f"}"#,
    );
    let at = |place: usize| format!("messages[0].content[{place}]");
    let paths = [format!("{}.citations", at(0)), at(1), at(2), at(3)];
    let fields = [
        FieldKind::Presentation,
        FieldKind::ServerTool,
        FieldKind::ServerTool,
        FieldKind::ProviderFile,
    ];
    let expected: Vec<(FieldKind, &str)> =
        fields.into_iter().zip(paths.iter().map(String::as_str)).collect();
    assert_eq!(extras(&request), expected);
}

#[test]
fn tools_of_both_kinds_and_choices_are_read() {
    let request = with(
        r#""messages":[{"role":"user","content":"x"}],"tools":[
        {"type":"custom","name":"f","description":"d","input_schema":{"type":"object","x":1e400},
         "strict":true,"eager_input_streaming":true,"cache_control":{"type":"ephemeral"}},
        {"name":"g","input_schema":{"type":"object"},"defer_loading":false},
        {"type":"web_search_20250305","name":"web_search","max_uses":3}],
        "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}"#,
    );
    let ToolKind::Function { schema: Some(schema), strict: Some(true) } = &request.tools[0].kind
    else {
        panic!("a function")
    };
    assert_eq!(schema.get(), r#"{"type":"object","x":1e400}"#);
    assert!(request.tools[0].cache.is_some());
    let ToolKind::Server { origin, .. } = request.tools[2].kind else { panic!("a server tool") };
    assert_eq!(origin, Dialect::AnthropicMessages);
    let choice = ToolChoice::Named { name: "f".to_owned(), namespace: None };
    assert_eq!(request.tool_choice, Some(choice));
    assert_eq!(request.parallel_calls, ParallelCalls::OneAtATime);
    assert_eq!(extras(&request), [(FieldKind::Presentation, "tools[0].eager_input_streaming")]);
    for (word, choice) in
        [("auto", ToolChoice::Auto), ("any", ToolChoice::Required), ("none", ToolChoice::None)]
    {
        let request = with(&format!(
            r#""messages":[{{"role":"user","content":"x"}}],"tool_choice":{{"type":"{word}"}}"#
        ));
        assert_eq!(request.tool_choice, Some(choice));
        assert_eq!(request.parallel_calls, ParallelCalls::Unset);
    }
}

fn lenient_target() -> crate::Target {
    crate::Target {
        kind: crate::TargetKind::Anthropic,
        model: "claude-sonnet-4-5".to_owned(),
        crossing: domain::TranslationMode::Lenient,
        output_tokens_max: None,
    }
}

/// Collects the path of `value` and of every value inside it.
fn paths(value: &serde_json::Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    match value {
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(key, value)| paths(value, &format!("{path}/{key}"), out));
        }
        serde_json::Value::Array(list) => {
            let list = list.iter().enumerate();
            list.for_each(|(place, value)| paths(value, &format!("{path}/{place}"), out));
        }
        _ => {}
    }
}

#[test]
fn any_value_at_any_place_is_read_or_refused_by_name_and_what_is_written_is_json() {
    let whole: serde_json::Value =
        serde_json::from_str(&CLAUDE_CODE.replace("1e400", "1")).expect("JSON");
    let mut all = Vec::new();
    paths(&whole, "", &mut all);
    assert!(all.len() > 80, "{}", all.len());
    let mut read = 0;
    for path in all {
        for odd in ["null", "0", "-1.5", "true", "\"\"", "\"x\"", "[]", "[[]]", "{}", "[{}]"] {
            let mut body = whole.clone();
            *body.pointer_mut(&path).expect("a path") = serde_json::from_str(odd).expect("JSON");
            let Ok(request) = read_text(&body.to_string()) else { continue };
            read += 1;
            if let Ok(written) =
                crate::dialect::anthropic_messages::write_request(&request, &lenient_target())
            {
                let body: serde_json::Value =
                    serde_json::from_slice(&written.body).expect("valid JSON");
                assert!(body["messages"].is_array(), "{path} = {odd}");
            }
        }
    }
    assert!(read > 200, "{read}");
}

#[test]
fn what_is_read_and_written_reads_the_same() {
    let text = r#"{"model":"m","max_tokens":2048,"system":[{"type":"text","text":"Be brief."}],
        "messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},
          {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo"}}]},
         {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"Eq"},
          {"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1,"a":12345678901234567890123}}]},
         {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","is_error":true,
          "content":[{"type":"text","text":"r"}]},{"type":"text","text":"go on"}]}],
        "tools":[{"name":"f","description":"d","input_schema":{"type":"object","z":0,"a":1},"strict":true}],
        "tool_choice":{"type":"auto","disable_parallel_tool_use":true},
        "thinking":{"type":"enabled","budget_tokens":1024},
        "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},
        "stop_sequences":["END"],"metadata":{"user_id":"u"}}"#;
    let request = read_text(text).expect("read");
    let written = crate::dialect::anthropic_messages::write_request(&request, &lenient_target());
    let body = written.expect("written").body;
    let again = read_text(std::str::from_utf8(&body).expect("text")).expect("read again");
    let mut expected = request;
    // The result takes its tool's name from the call; nothing else changes.
    for part in expected.messages.iter_mut().flat_map(|message| &mut message.parts) {
        if let ContentPart::ToolResult(result) = part {
            result.name = None;
        }
    }
    assert_eq!(again, expected);
}
