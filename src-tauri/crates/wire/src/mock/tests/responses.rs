//! Tests of the mock's Responses answers against the published schema and the crate's reader.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::dialect::openai_responses;
use crate::mock::{MockEnd, answer};
use crate::neutral::ProviderEvent;
use crate::test_schema::PublishedSchema;
use crate::{ApiSurface, ClientRequest, SseDecoder};

fn ask(body: &Value) -> Vec<u8> {
    let request = ClientRequest::parse(ApiSurface::OpenAiResponses, Bytes::from(body.to_string()));
    let answer = answer(&request.expect("a request"), 1);
    assert_eq!((answer.status, answer.end), (200, MockEnd::Done));
    answer.body.iter().flat_map(|piece| piece.bytes.to_vec()).collect()
}

fn body(model: &str, delivery: bool) -> Value {
    json!({"model": model, "stream": delivery, "input": [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "input_text", "text": "call spawn and patch Paris"}]}],
        "tools": [{"type": "namespace", "name": "agents", "description": "x", "tools": [
            {"type": "function", "name": "spawn", "parameters": {"type": "object"}}]},
            {"type": "custom", "name": "patch"}]})
}

fn pieces(stream: &[u8]) -> Vec<ProviderEvent> {
    use crate::dialect::translation::StreamReader as _;
    let mut reader = openai_responses::StreamReader::default();
    let mut decoder = SseDecoder::new();
    decoder.push(stream);
    let mut pieces = Vec::new();
    while let Some(event) = decoder.next_event().expect("small") {
        pieces.extend(reader.read(&event).expect("read"));
    }
    pieces
}

#[test]
fn every_answer_fits_the_published_schema() {
    let published = PublishedSchema::find();
    for model in ["echo", "think", "text-and-tool"] {
        let whole: Value = serde_json::from_slice(&ask(&body(model, false))).expect("JSON");
        let stream = ask(&body(model, true));
        let text = std::str::from_utf8(&stream).expect("text");
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events: Vec<Value> =
            data.map(|data| serde_json::from_str(data).expect("JSON")).collect();
        assert_eq!(events.last().map(|event| &event["response"]), Some(&whole));
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], number);
            if let Some(published) = &published {
                published.check_event(event);
            }
        }
    }
}

#[test]
fn namespaces_and_free_text_are_called_by_name() {
    let whole: Value = serde_json::from_slice(&ask(&body("echo", false))).expect("JSON");
    let [spawn, patch] = whole["output"].as_array().expect("items").as_slice() else {
        panic!("two calls: {whole}")
    };
    assert_eq!((&spawn["namespace"], &spawn["name"]), (&json!("agents"), &json!("spawn")));
    assert_eq!((&patch["type"], &patch["input"]), (&json!("custom_tool_call"), &json!("Paris")));
}

#[test]
fn what_it_says_is_read_back_whole_and_streamed() {
    let mut body = json!({"model": "think", "input": "Hello, you", "instructions": "a b"});
    let whole = ask(&body);
    let whole = openai_responses::read_answer(std::str::from_utf8(&whole).expect("text"));
    body["stream"] = json!(true);
    let streamed = pieces(&ask(&body));
    let text = |pieces: &[ProviderEvent]| {
        let text = pieces.iter().filter_map(|piece| match piece {
            ProviderEvent::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        text.collect::<String>()
    };
    let whole = whole.expect("an answer");
    assert_eq!((text(&whole).as_str(), text(&streamed).as_str()), ("Hello, you", "Hello, you"));
    assert_eq!(
        (whole.last(), streamed.last()),
        (Some(&ProviderEvent::End), Some(&ProviderEvent::End))
    );
    let usage = streamed.iter().find_map(|piece| match piece {
        ProviderEvent::Usage(report) => Some(report.tokens()),
        _ => None,
    });
    let usage = usage.expect("usage");
    assert_eq!((usage.input(), usage.output_visible), (5, 3));
    assert!(usage.reasoning > 0);
}
