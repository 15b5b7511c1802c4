//! A Responses client that refers to items of earlier answers, as the AI SDK's default OpenAI
//! provider does after an answer with reasoning. It finds what the gateway made for it.

use serde_json::{Value, json};
use test_support::Reply;

use crate::bench::{Bench, Server};

/// Anthropic's answer in the first step: thinking with its signature, text and a call.
fn thinking() -> Reply {
    Reply::json(
        200,
        &json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
            "content": [{"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}],
            "stop_reason": "tool_use", "usage": {"input_tokens": 7, "output_tokens": 2}}),
    )
}

fn well() -> Reply {
    Reply::json(
        200,
        &json!({"id": "msg_2", "type": "message", "role": "assistant", "model": "claude",
            "content": [{"type": "text", "text": "done"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 7, "output_tokens": 2}}),
    )
}

fn body(input: &Value, more: &Value) -> Vec<u8> {
    let mut body = json!({"model": Server::Messages.model(), "input": input, "tools": [
        {"type": "function", "name": "look", "parameters": {"type": "object"}}]});
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body.to_string().into_bytes()
}

/// Runs the first step with the fields of `more`; returns the input of the second.
async fn second_input(bench: &Bench, more: &Value) -> Value {
    let question = json!({"role": "user", "content": "go"});
    let asked = body(&json!([question]), more);
    let answer = bench.send("/v1/responses", &asked, [thinking()]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let output = match more.get("stream") {
        Some(_) => {
            let text = answer.text();
            let last = text.lines().rev().find_map(|line| line.strip_prefix("data: "));
            let last: Value = serde_json::from_str(last.expect("an event")).expect("JSON");
            last["response"]["output"].clone()
        }
        None => answer.json()["output"].clone(),
    };
    let [reasoning, text, call] = output.as_array().expect("items").as_slice() else {
        panic!("three items: {output}")
    };
    let reference = |item: &Value| json!({"type": "item_reference", "id": item["id"]});
    json!([question, reference(reasoning), reference(text), call,
        {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}])
}

/// The content of the assistant's turn in the backend's last request.
fn said(bench: &Bench) -> Value {
    bench.upstream.requests().last().expect("one").json()["messages"][1]["content"].clone()
}

#[tokio::test]
async fn a_reference_brings_reasoning_and_text_home() {
    let bench = Bench::new().await;
    for more in [json!({}), json!({"stream": true})] {
        let input = second_input(&bench, &more).await;
        let answer = bench.send("/v1/responses", &body(&input, &json!({})), [well()]).await;
        assert_eq!(answer.status, 200, "{more}: {}", answer.text());
        assert_eq!(answer.header("x-gatehouse-dropped"), None, "{more}");
        let said = said(&bench);
        let thinking = json!({"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"});
        assert_eq!(said[0], thinking, "{more}: {said}");
        assert_eq!(said[1], json!({"type": "text", "text": "I look."}), "{more}: {said}");
        assert_eq!(said[2]["type"], "tool_use", "{more}: {said}");
    }
}

/// Another gateway stands for this one after a restart.
#[tokio::test]
async fn what_is_not_kept_is_left_out_and_named() {
    let (bench, restarted) = (Bench::new().await, Bench::new().await);
    let lost = second_input(&bench, &json!({})).await;
    let unkept = second_input(&bench, &json!({"store": false})).await;
    for (bench, input) in [(&restarted, lost), (&bench, unkept)] {
        let answer = bench.send("/v1/responses", &body(&input, &json!({})), [well()]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-gatehouse-dropped"), Some("input[1], input[2]"));
        assert_eq!(said(bench)[0]["type"], "tool_use", "{}", said(bench));
    }
}
