//! Tests of whole exchanges against the strict provider of `test-support`: other clients at a Gemini
//! backend, and Gemini clients at other backends.

use bytes::{Bytes, BytesMut};
use domain::TranslationMode;
use serde_json::{Value, json};

use crate::test_provider::provider_answer;
use crate::{
    ApiSurface, BackendExchange, ClientRequest, Delivery, StreamEnd, Target, TargetKind, UsageChunk,
};

const STREAMED: Delivery = Delivery::Stream(UsageChunk::Asked);

/// A model whose calls the provider signs.
const SIGNING: &str = "gemini-3-pro";

fn exchange(
    surface: ApiSurface<'_>,
    body: &Value,
    kind: TargetKind,
    model: &str,
) -> BackendExchange {
    let request = ClientRequest::parse(surface, Bytes::from(body.to_string())).expect("a request");
    let (model, crossing) = (model.to_owned(), TranslationMode::Strict);
    let target = Target { kind, model, crossing, output_tokens_max: None };
    BackendExchange::new(&request, &target, "made1", 7).expect("an exchange")
}

fn whole(exchange: &BackendExchange) -> Value {
    let answer = provider_answer(exchange);
    assert_eq!(answer.status, 200, "{:?}", answer.pieces);
    let (body, facts) = exchange.translate_answer(&answer.pieces[0]).expect("an answer");
    assert!(facts.usage.is_some());
    serde_json::from_slice(&body).expect("JSON")
}

fn streamed(exchange: &BackendExchange) -> String {
    let mut stream = exchange.answer_stream();
    let mut out = BytesMut::new();
    for piece in provider_answer(exchange).pieces {
        out.extend_from_slice(&stream.feed(&piece).relay);
    }
    let StreamEnd::Complete { append } = stream.finish() else { panic!("a whole stream") };
    out.extend_from_slice(&append);
    String::from_utf8(out.to_vec()).expect("text")
}

fn chat_request(stream: bool) -> Value {
    let tool = |name| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}});
    json!({"model": "m", "stream": stream, "messages": [
        {"role": "system", "content": "s"}, {"role": "user", "content": "call f and g"}],
        "tools": [tool("f"), tool("g")]})
}

/// BerriAI/litellm#21331, #17425, #15307: Gemini's parallel calls at a Chat client.
#[test]
fn class_4_parallel_calls_of_gemini_have_ids_and_indexes_of_their_own() {
    let body = chat_request(true);
    let whole_body = chat_request(false);
    let exchange_of =
        |body| exchange(ApiSurface::OpenAiChat, body, TargetKind::Gemini, "text-and-tool");
    let answer = whole(&exchange_of(&whole_body));
    let calls = answer["choices"][0]["message"]["tool_calls"].as_array().expect("calls");
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    let stream = streamed(&exchange_of(&body));
    let chunks: Vec<Value> = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .map(|rest| serde_json::from_str(&format!("{{{rest}")).expect("JSON"))
        .collect();
    let begun: Vec<_> = chunks
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0"))
        .filter(|call| call.get("id").is_some())
        .map(|call| (call["index"].clone(), call["function"]["name"].clone()))
        .collect();
    assert_eq!(begun, [(json!(0), json!("f")), (json!(1), json!("g"))]);
    assert!(stream.ends_with("data: [DONE]\n\n"));
}

#[test]
fn class_12_and_13_the_next_turn_answers_every_call() {
    let first = chat_request(false);
    let answer = whole(&exchange(ApiSurface::OpenAiChat, &first, TargetKind::Gemini, "chat"));
    let message = answer["choices"][0]["message"].clone();
    let mut next = first;
    let result = |place: usize, text: &str| json!({"role": "tool", "tool_call_id": message["tool_calls"][place]["id"], "content": text});
    let messages = next["messages"].as_array_mut().expect("messages");
    messages.extend([message.clone(), result(1, "from g"), result(0, "from f")]);
    let second = exchange(ApiSurface::OpenAiChat, &next, TargetKind::Gemini, "chat");
    let sent: Value = serde_json::from_slice(&second.outgoing().body).expect("JSON");
    let results = sent["contents"][2]["parts"].as_array().expect("results");
    let told: Vec<_> =
        results.iter().map(|r| r["functionResponse"]["response"]["result"].clone()).collect();
    assert_eq!(told, ["from f", "from g"]);
    let said = whole(&second)["choices"][0]["message"]["content"].clone();
    assert!(said.as_str().expect("text").contains("from f; from g"), "{said}");
}

/// A Gemini client (opencode, without ids) at OpenAI-compatible, OpenAI and Gemini backends.
#[test]
fn a_gemini_client_gets_the_same_from_every_backend() {
    let compatible = || TargetKind::OpenAiCompatible {
        lacks: std::collections::BTreeSet::new(),
        offers: std::collections::BTreeSet::new(),
    };
    let body = json!({
        "contents": [
            {"role": "user", "parts": [{"text": "call f"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"n": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "seven"}}}]},
            {"role": "model", "parts": [{"text": "seven it is"}]},
            {"role": "user", "parts": [{"text": "now f again with the tool"}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}}]}]});
    for kind in [compatible(), TargetKind::OpenAi, TargetKind::Gemini] {
        let surface = |delivery| ApiSurface::Gemini { model: "text-and-tool", delivery };
        let asked = exchange(surface(Delivery::Whole), &body, kind.clone(), "text-and-tool");
        let answer = whole(&asked);
        let parts = answer["candidates"][0]["content"]["parts"].as_array().expect("parts");
        assert!(parts[0]["text"].is_string(), "{kind:?}: {answer}");
        assert_eq!(parts[1]["functionCall"]["name"], "f", "{kind:?}: {answer}");
        assert!(parts[1]["functionCall"]["args"]["n"].is_i64(), "{kind:?}: {answer}");
        assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
        let asked = exchange(surface(STREAMED), &body, kind.clone(), "text-and-tool");
        let stream = streamed(&asked);
        assert_eq!(stream.matches("\"functionCall\"").count(), 1, "{kind:?}");
        assert_eq!(stream.matches("\"finishReason\":\"STOP\"").count(), 1, "{kind:?}");
        let asked = exchange(surface(Delivery::StreamArray), &body, kind.clone(), "text-and-tool");
        let items: Vec<Value> = serde_json::from_str(&streamed(&asked)).expect("one array");
        assert!(items.len() > 2, "{kind:?}");
    }
}

#[test]
fn thoughts_of_gemini_reach_a_chat_client() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "reasoning_effort": "low"});
    let asked = exchange(ApiSurface::OpenAiChat, &body, TargetKind::Gemini, "think");
    let sent: Value = serde_json::from_slice(&asked.outgoing().body).expect("JSON");
    assert_eq!(sent["generationConfig"]["thinkingConfig"]["thinkingLevel"], "LOW");
    let answer = whole(&asked);
    assert_eq!(answer["choices"][0]["message"]["content"], "hi");
}

/// litellm#25322: a Claude Code conversation at Gemini 3, which signs its calls.
#[test]
fn class_9_a_signature_comes_back_through_an_anthropic_client() {
    let tools = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    let mut body = json!({"model": "m", "max_tokens": 100, "tools": tools,
        "messages": [{"role": "user", "content": "call f"}]});
    let surface = ApiSurface::AnthropicMessages;
    let asked = exchange(surface, &body, TargetKind::Gemini, SIGNING);
    let answer: Value = whole(&asked);
    let raw: Value = serde_json::from_slice(&provider_answer(&asked).pieces[0]).expect("JSON");
    let signature = raw["candidates"][0]["content"]["parts"][0]["thoughtSignature"].clone();
    assert!(signature.is_string(), "{raw}");
    let content = answer["content"].clone();
    let id = content.as_array().expect("blocks").last().expect("a call")["id"].clone();
    let messages = body["messages"].as_array_mut().expect("messages");
    messages.push(json!({"role": "assistant", "content": content}));
    messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]}));
    let again = exchange(surface, &body, TargetKind::Gemini, SIGNING);
    let sent: Value = serde_json::from_slice(&again.outgoing().body).expect("JSON");
    assert_eq!(sent["contents"][1]["parts"][0]["thoughtSignature"], signature, "{sent}");
    assert_eq!(sent["contents"][1]["parts"].as_array().map(Vec::len), Some(1));
    assert_eq!(sent["contents"][2]["parts"][0]["functionResponse"]["name"], "f");
}

/// The same through Responses, as Codex sends items back.
#[test]
fn class_9_a_signature_comes_back_through_a_responses_client() {
    let tools = json!([{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]);
    let mut body = json!({"model": "m", "tools": tools, "store": false,
        "include": ["reasoning.encrypted_content"],
        "input": [{"role": "user", "content": "call f"}]});
    let surface = ApiSurface::OpenAiResponses;
    let asked = exchange(surface, &body, TargetKind::Gemini, SIGNING);
    let answer = whole(&asked);
    let raw: Value = serde_json::from_slice(&provider_answer(&asked).pieces[0]).expect("JSON");
    let signature = raw["candidates"][0]["content"]["parts"][0]["thoughtSignature"].clone();
    let items = answer["output"].as_array().expect("items").clone();
    let id = items.last().expect("a call")["call_id"].clone();
    let input = body["input"].as_array_mut().expect("input");
    input.extend(items);
    input.push(json!({"type": "function_call_output", "call_id": id, "output": "x"}));
    let again = exchange(surface, &body, TargetKind::Gemini, SIGNING);
    let sent: Value = serde_json::from_slice(&again.outgoing().body).expect("JSON");
    assert_eq!(sent["contents"][1]["parts"][0]["thoughtSignature"], signature, "{sent}");
}
