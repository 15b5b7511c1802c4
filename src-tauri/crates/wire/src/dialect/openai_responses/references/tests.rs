//! The references in the second step of a tool loop resolve to the items of the first step's
//! answer.

use bytes::Bytes;
use domain::TranslationMode;
use serde_json::{Value, json};

use super::*;
use crate::{
    ApiSurface, BackendExchange, ClientRequest, RequestError, StreamEnd, Target, TargetKind,
};

const REQUEST_ID: &str = "req0190a1b2c3d4";

fn target(kind: TargetKind) -> Target {
    let crossing = TranslationMode::Strict;
    Target { kind, model: "m".to_owned(), crossing, output_tokens_max: Some(64) }
}

fn request(input: &Value, is_streamed: bool) -> Value {
    json!({"model": "m", "input": input, "stream": is_streamed, "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]})
}

fn exchange(body: &Value, kind: TargetKind) -> Result<BackendExchange, RequestError> {
    let body = Bytes::from(body.to_string());
    let request = ClientRequest::parse(ApiSurface::OpenAiResponses, body).expect("a request");
    BackendExchange::new(&request, &target(kind), REQUEST_ID, 7)
}

fn compatible() -> TargetKind {
    TargetKind::OpenAiCompatible { lacks: [].into(), offers: [].into() }
}

/// Backends that answered with thinking, text and a call, whole and as a stream.
fn answers() -> Vec<(TargetKind, Value, String)> {
    let anthropic = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}],
        "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}});
    let gemini = json!({"candidates": [{"index": 0, "finishReason": "STOP", "content":
        {"role": "model", "parts": [{"text": "I look."},
            {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}]}}]});
    let chat = json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant",
            "reasoning_content": "hm", "content": "I look.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}]});
    let delta = json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [
        {"index": 0, "finish_reason": "tool_calls", "delta": {"role": "assistant",
            "reasoning_content": "hm", "content": "I look.", "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function",
                    "function": {"name": "f", "arguments": "{}"}}]}}]});
    let event = |value: &Value| {
        format!("event: {}\ndata: {value}\n\n", value["type"].as_str().expect("text"))
    };
    let part = |index: u32, block: Value, deltas: Vec<Value>| {
        let start = json!({"type": "content_block_start", "index": index, "content_block": block});
        let more = deltas
            .into_iter()
            .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta}));
        let stop = json!({"type": "content_block_stop", "index": index});
        [start].into_iter().chain(more).chain([stop]).map(|value| event(&value)).collect::<String>()
    };
    let messages = [
        event(&json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
            "role": "assistant", "model": "m", "content": [], "stop_reason": null,
            "usage": {"input_tokens": 1, "output_tokens": 1}}})),
        part(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
            vec![
                json!({"type": "thinking_delta", "thinking": "hm"}),
                json!({"type": "signature_delta", "signature": "c2ln"}),
            ],
        ),
        part(
            1,
            json!({"type": "text", "text": ""}),
            vec![json!({"type": "text_delta", "text": "I look."})],
        ),
        part(
            2,
            json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}),
            vec![json!({"type": "input_json_delta", "partial_json": "{}"})],
        ),
        event(&json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 1}})),
        event(&json!({"type": "message_stop"})),
    ];
    vec![
        (TargetKind::Anthropic, anthropic, messages.concat()),
        (TargetKind::Gemini, gemini.clone(), format!("data: {gemini}\r\n\r\n")),
        (compatible(), chat, format!("data: {delta}\n\ndata: [DONE]\n\n")),
    ]
}

/// The items of a first step, and the answer they come from.
fn first_step(
    kind: &TargetKind,
    whole: &Value,
    stream: &str,
    is_streamed: bool,
) -> Vec<ResponseItem> {
    let exchange = exchange(&request(&json!("go"), is_streamed), kind.clone()).expect("crosses");
    if !is_streamed {
        let (body, _) =
            exchange.translate_answer(&Bytes::from(whole.to_string())).expect("an answer");
        return response_items(&body);
    }
    let mut tap = exchange.answer_stream();
    let mut relay = tap.feed(stream.as_bytes()).relay.to_vec();
    let StreamEnd::Complete { append } = tap.finish() else { panic!("whole") };
    relay.extend_from_slice(&append);
    response_items(&relay)
}

/// The second step: the items of the first, each converted by `sent`, and the result of the call.
fn second_step(items: &[ResponseItem], sent: impl Fn(&ResponseItem) -> Value) -> Value {
    let call = items.last().expect("a call");
    let call_id = serde_json::from_str::<Value>(&call.json).expect("JSON")["call_id"].clone();
    let mut input = vec![json!({"role": "user", "content": "go"})];
    input.extend(items.iter().map(sent));
    input.push(json!({"type": "function_call_output", "call_id": call_id, "output": "done"}));
    request(&json!(input), false)
}

fn as_item(item: &ResponseItem) -> Value {
    serde_json::from_str(&item.json).expect("JSON")
}

fn as_reference(item: &ResponseItem) -> Value {
    json!({"type": "item_reference", "id": item.id})
}

fn found(items: &[ResponseItem]) -> impl FnMut(&str) -> Option<Arc<str>> {
    |id| items.iter().find(|item| item.id == id).map(|item| Arc::clone(&item.json))
}

#[test]
fn a_reference_says_what_the_whole_item_says_and_signatures_come_home() {
    for (kind, whole, stream) in answers() {
        for is_streamed in [false, true] {
            let case = format!("{kind:?}, streamed: {is_streamed}");
            let items = first_step(&kind, &whole, &stream, is_streamed);
            let kinds: Vec<_> = items.iter().map(|item| as_item(item)["type"].clone()).collect();
            assert!(kinds.contains(&json!("reasoning")), "{case}: {kinds:?}");
            assert!(kinds.ends_with(&[json!("function_call")]), "{case}: {kinds:?}");
            let referred = Bytes::from(second_step(&items, as_reference).to_string());
            let resolved = resolve_items(referred, found(&items));
            let resolved = serde_json::from_slice(&resolved).expect("JSON");
            let written =
                |body: &Value| exchange(body, kind.clone()).expect("crosses").outgoing().clone();
            let outgoing = written(&resolved);
            assert_eq!(outgoing, written(&second_step(&items, as_item)), "{case}");
            assert_eq!(outgoing.dropped, Vec::<String>::new(), "{case}");
            let body = String::from_utf8_lossy(&outgoing.body).into_owned();
            assert!(body.contains("I look."), "{case}: {body}");
            let signed = !matches!(kind, TargetKind::OpenAiCompatible { .. });
            assert_eq!(body.contains("\"c2ln\""), signed, "{case}: {body}");
        }
    }
}

#[test]
fn what_is_not_kept_any_more_is_left_out_and_named() {
    for (kind, whole, stream) in answers() {
        let items = first_step(&kind, &whole, &stream, false);
        let call = |item: &ResponseItem| item.id.starts_with("fc_");
        let body = second_step(&items, |item| match call(item) {
            true => as_item(item),
            false => as_reference(item),
        });
        let lost: Vec<String> = (0..items.len())
            .filter(|place| !call(&items[*place]))
            .map(|place| format!("input[{}]", place + 1))
            .collect();
        assert!(!lost.is_empty());
        for target in [kind.clone(), TargetKind::OpenAi] {
            let exchange = exchange(&body, target.clone()).expect("goes on without them");
            let outgoing = exchange.outgoing();
            assert_eq!(outgoing.dropped, lost, "{kind:?} to {target:?}");
            assert!(!String::from_utf8_lossy(&outgoing.body).contains("item_reference"));
        }
    }
}

#[test]
fn items_of_others_are_theirs() {
    let input = json!([{"role": "user", "content": "go"},
        {"type": "item_reference", "id": "rs_68af01"}, {"type": "item_reference", "id": "msg_68af01"}]);
    let body = request(&input, false);
    let passed = exchange(&body, TargetKind::OpenAi).expect("passes");
    assert_eq!(passed.outgoing().body, Bytes::from(body.to_string()), "OpenAI has its own");
    let refused = exchange(&body, TargetKind::Gemini).expect_err("words cannot be left out");
    assert_eq!(refused.param(), Some("input[2]"));
    let reasoning = request(&json!([input[0], input[1]]), false);
    let dropped = exchange(&reasoning, TargetKind::Gemini).expect("crosses");
    assert_eq!(dropped.outgoing().dropped, ["input[1]"], "reasoning is no use elsewhere");
}

/// After a switch to OpenAI: CommonstackAI/UncommonRoute#19, lbjlaq/Antigravity-Manager#3342.
#[test]
fn class_10_reasoning_of_another_provider_does_not_pass_to_openai() {
    for (kind, whole, stream) in answers() {
        let items = first_step(&kind, &whole, &stream, false);
        let body = second_step(&items, as_item);
        let exchange = exchange(&body, TargetKind::OpenAi).expect("passes");
        let sent: Value = serde_json::from_slice(&exchange.outgoing().body).expect("JSON");
        let kinds = |body: &Value| -> Vec<String> {
            let input = body["input"].as_array().expect("a list");
            input.iter().map(|item| item["type"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let mut left = kinds(&body);
        left.retain(|kind| kind != "reasoning");
        assert_eq!(kinds(&sent), left, "{kind:?}");
        assert_eq!(exchange.outgoing().dropped.len(), items.len() + 2 - left.len(), "{kind:?}");
    }
    let own = json!([{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"role": "user", "content": "gh1. and rs_req1_0"}]);
    let body = request(&own, false);
    let passed = exchange(&body, TargetKind::OpenAi).expect("passes");
    assert_eq!(passed.outgoing().body, Bytes::from(body.to_string()));
}

#[test]
fn an_item_is_put_in_once_and_only_where_it_is_referred_to() {
    let item = || Some(Arc::from(r#"{"type":"message","id":"msg_req1_0"}"#));
    let body = |input: &str| Bytes::from(format!(r#"{{"model":"m","input":{input}}}"#));
    let one = r#"{"type":"item_reference","id":"msg_req1_0"}"#;
    assert_eq!(
        resolve_items(body(&format!("[{one}, {one}]")), |_| item()),
        body(&format!(r#"[{{"type":"message","id":"msg_req1_0"}}, {one}]"#))
    );
    for same in [
        r#"[{"role":"user","content":"item_reference"}]"#,
        r#"[{"type":"item_reference"}, 7, "item_reference"]"#,
        r#""item_reference""#,
        r#"[{"type":"item_reference","id":7}"#,
    ] {
        assert_eq!(resolve_items(body(same), |_| item()), body(same));
    }
    let unknown = body(&format!("[{one}]"));
    assert_eq!(resolve_items(unknown.clone(), |_| None), unknown);
}

#[test]
fn only_what_was_made_here_is_an_item_of_ours() {
    for ours in ["rs_req01_0", "msg_req0190a1b2c3d4_12", "fc_reqA_1", "ctc_req1_2", "ig_req1_3"] {
        assert!(is_gateway_item(ours), "{ours}");
    }
    for other in [
        "",
        "rs_68af01",
        "rs_req01",
        "rs_req01_",
        "rs_req01_x",
        "rs_req-1_0",
        "rs_req1_0_0",
        "xx_req1_0",
    ] {
        assert!(!is_gateway_item(other), "{other}");
    }
    for nothing in ["", "{}", "[]", "data: 7\n\n", r#"{"output":[{"id":"msg_1"}, 7]}"#] {
        assert_eq!(response_items(nothing.as_bytes()), [], "{nothing}");
    }
}
