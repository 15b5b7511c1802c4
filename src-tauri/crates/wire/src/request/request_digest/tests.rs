//! Which changes affect digests, which traits are read from a request, and the cost of both.

use bytes::Bytes;

use super::*;
use crate::{ApiSurface, Delivery, EmbeddingSurface, UsageChunk};

fn chat(body: &str) -> ClientRequest {
    ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from(body.to_owned())).expect(body)
}

fn messages(body: &str) -> ClientRequest {
    ClientRequest::parse(ApiSurface::AnthropicMessages, Bytes::from(body.to_owned())).expect(body)
}

fn responses(body: &str) -> ClientRequest {
    ClientRequest::parse(ApiSurface::OpenAiResponses, Bytes::from(body.to_owned())).expect(body)
}

fn gemini(body: &str) -> ClientRequest {
    let surface = ApiSurface::Gemini { model: "g", delivery: Delivery::Stream(UsageChunk::Asked) };
    ClientRequest::parse(surface, Bytes::from(body.to_owned())).expect(body)
}

fn same(read: fn(&str) -> ClientRequest, first: &str, second: &str) {
    assert_eq!(
        read(first).canonical_digest(),
        read(second).canonical_digest(),
        "{first}\n{second}"
    );
}

fn differ(read: fn(&str) -> ClientRequest, first: &str, second: &str) {
    assert_ne!(
        read(first).canonical_digest(),
        read(second).canonical_digest(),
        "{first}\n{second}"
    );
}

const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0}"#;

#[test]
fn spelling_and_labels_do_not_split() {
    for other in [
        r#"{"temperature":0,"messages":[{"content":"hi","role":"user"}],"model":"other"}"#,
        "{ \"model\" : \"m\",\n \"messages\":[ {\"role\":\"\\u0075ser\", \"content\":\"h\\u0069\"} ],\"temperature\":0 }",
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"user":"u","metadata":{"a":"b"},"prompt_cache_key":"k","store":false,"safety_identifier":"s"}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi","cache_control":{"type":"ephemeral"}}],"temperature":0,"stop":null}"#,
    ] {
        same(chat, PLAIN, other);
    }
}

#[test]
fn all_that_can_change_the_answer_splits() {
    for other in [
        r#"{"model":"m","messages":[{"role":"user","content":"hi "}],"temperature":0}"#,
        r#"{"model":"m","messages":[{"role":"system","content":"hi"}],"temperature":0}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.0}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"max_tokens":5}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"seed":1}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"n":2}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"response_format":{"type":"json_object"}}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"unknown_option":1}"#,
        r#"{"model":"m","messages":[{"role":"user","content":["hi"]}],"temperature":0}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"user","content":"hi"}],"temperature":0}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"tools":[]}"#,
    ] {
        differ(chat, PLAIN, other);
    }
}

#[test]
fn numbers_and_odd_texts_stay_as_they_are_written() {
    let with = |seed: &str| format!(r#"{{"model":"m","messages":[],"seed":{seed}}}"#);
    differ(chat, &with("9007199254740993"), &with("9007199254740992"));
    differ(chat, &with("1"), &with("\"1\""));
    differ(chat, &with("null"), &with("1"));
    // A lone surrogate is not text; it differs from the text that spells its escape.
    differ(chat, &with(r#"["\ud800"]"#), &with(r#"["\\ud800"]"#));
    differ(chat, &with(r#"["\ud800"]"#), &with(r#"["\ud801"]"#));
    same(chat, &with(r#"["\ud83d\ude00"]"#), &with("[\"\u{1f600}\"]"));
    // Boundaries between leaves are part of the digest.
    differ(chat, &with(r#"["ab","c"]"#), &with(r#"["a","bc"]"#));
    differ(chat, &with(r#"[[],[]]"#), &with(r#"[[[]]]"#));
    differ(chat, &with(r#"{"a":{"b":1}}"#), &with(r#"{"a":{},"b":1}"#));
}

#[test]
fn marks_go_where_they_are_marks_and_stay_where_they_are_data() {
    let with = |mark: &str, data: &str| {
        format!(
            r#"{{"model":"m","max_tokens":1,"system":[{{"type":"text","text":"s"{mark}}}],"tools":[{{"name":"t","input_schema":{{"properties":{{"x":1{data}}}}}{mark}}}],"messages":[{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"1","content":[{{"type":"text","text":"r"{mark}}}]}}]}},{{"role":"assistant","content":[{{"type":"tool_use","id":"1","name":"t","input":{{"y":1{data}}}}}]}}]}}"#
        )
    };
    let mark = r#","cache_control":{"type":"ephemeral"}"#;
    same(messages, &with("", ""), &with(mark, ""));
    differ(messages, &with("", ""), &with("", mark));
}

#[test]
fn the_attribution_block_of_claude_code_is_left_out() {
    let with = |system: &str| {
        format!(
            r#"{{"model":"m","max_tokens":1,"metadata":{{"user_id":"u"}},"system":{system},"messages":[{{"role":"user","content":"hi"}}]}}"#
        )
    };
    let version = |tail: &str| {
        with(&format!(
            r#"[{{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.329.{tail}; cc_entrypoint=cli;"}},{{"type":"text","text":"You are Claude Code."}}]"#
        ))
    };
    same(messages, &version("651"), &version("3c4"));
    same(messages, &version("651"), &with(r#"[{"type":"text","text":"You are Claude Code."}]"#));
    differ(messages, &version("651"), &with(r#"[{"type":"text","text":"You are someone else."}]"#));
    let thread = |body: &str| messages(body).conversation_fingerprint();
    assert_eq!(thread(&version("651")), thread(&version("3c4")));
    // A user who quotes the attribution has asked something.
    let quoted = |tail: &str| {
        format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":[{{"type":"text","text":"x-anthropic-billing-header: {tail}"}}]}}]}}"#
        )
    };
    differ(messages, &quoted("a"), &quoted("b"));
}

#[test]
fn temperature_zero_is_deterministic_in_every_dialect() {
    let says =
        |request: ClientRequest| request.cache_traits().determinism == Determinism::Deterministic;
    for zero in ["0", "0.0", "0e3", "-0"] {
        assert!(says(chat(&format!(r#"{{"model":"m","messages":[],"temperature":{zero}}}"#))));
        let config = format!(r#"{{"contents":[],"generationConfig":{{"temperature":{zero}}}}}"#);
        assert!(says(gemini(&config)));
        assert!(says(gemini(&config.replace("generationConfig", "generation_config"))));
    }
    assert!(says(messages(r#"{"model":"m","messages":[],"temperature":0}"#)));
    assert!(says(responses(r#"{"model":"m","input":"hi","temperature":0}"#)));
    for other in ["0.0001", "1", "null", "\"0\""] {
        assert!(!says(chat(&format!(r#"{{"model":"m","messages":[],"temperature":{other}}}"#))));
    }
    assert!(!says(chat(r#"{"model":"m","messages":[],"seed":7}"#)));
    assert!(!says(gemini(r#"{"contents":[],"temperature_x":0}"#)));
}

#[test]
fn tools_and_state_are_seen() {
    let tools = |request: ClientRequest| request.cache_traits().has_tools;
    assert!(tools(chat(r#"{"model":"m","messages":[],"tools":[{"type":"function"}]}"#)));
    assert!(tools(chat(r#"{"model":"m","messages":[],"functions":[{"name":"f"}]}"#)));
    assert!(tools(chat(r#"{"model":"m","messages":[],"web_search_options":{"a":1}}"#)));
    assert!(tools(messages(r#"{"model":"m","messages":[],"mcp_servers":[{"url":"u"}]}"#)));
    assert!(tools(gemini(r#"{"contents":[],"tools":[{"googleSearch":{}}]}"#)));
    assert!(!tools(chat(r#"{"model":"m","messages":[],"tools":[ ]}"#)));
    assert!(!tools(chat(r#"{"model":"m","messages":[],"tools":null}"#)));
    let state = |request: ClientRequest| request.cache_traits().has_state;
    assert!(state(responses(r#"{"model":"m","input":"hi","previous_response_id":"r"}"#)));
    assert!(state(responses(r#"{"model":"m","input":"hi","store":true}"#)));
    assert!(state(responses(r#"{"model":"m","input":"hi","conversation":"c"}"#)));
    assert!(state(responses(r#"{"model":"m","input":"hi","background":true}"#)));
    assert!(state(messages(r#"{"model":"m","messages":[],"container":"c"}"#)));
    assert!(state(gemini(r#"{"contents":[],"cachedContent":"c"}"#)));
    assert!(!state(responses(
        r#"{"model":"m","input":"hi","store":false,"previous_response_id":null}"#
    )));
}

#[test]
fn a_conversation_keeps_its_thread_while_it_grows() {
    let turn = |role: &str, text: &str| format!(r#"{{"role":"{role}","content":"{text}"}}"#);
    let talk = |turns: &[String]| {
        chat(&format!(r#"{{"model":"m","messages":[{}]}}"#, turns.join(",")))
            .conversation_fingerprint()
    };
    let start = [turn("system", "s"), turn("user", "one")];
    let mut grown = start.to_vec();
    grown.extend([turn("assistant", "a"), turn("user", "two")]);
    assert_eq!(talk(&start), talk(&grown));
    assert_ne!(talk(&start), talk(&[turn("system", "s"), turn("user", "other")]));
    assert_ne!(talk(&start), talk(&[turn("system", "t"), turn("user", "one")]));
    let long = |middle: &str| {
        talk(&[turn("user", &format!("{}{middle}{}", "x".repeat(9_000), "y".repeat(9_000)))])
    };
    assert_eq!(long("a"), long("b"), "only a sample is looked at");
    assert_ne!(long("a"), long("ab"));
    let named = |key: &str, text: &str| {
        responses(&format!(r#"{{"model":"m","input":"{text}","prompt_cache_key":"{key}"}}"#))
            .conversation_fingerprint()
    };
    assert_eq!(named("k", "one").conversation, named("k", "two").conversation);
    assert_ne!(named("k", "one").prefix, named("k", "two").prefix);
    assert_ne!(named("k", "one").conversation, named("l", "one").conversation);
    let of_gemini = |rest: &str| {
        gemini(&format!(r#"{{"contents":[{{"parts":[{{"text":"hi"}}]}}{rest}]}}"#))
            .conversation_fingerprint()
    };
    assert_eq!(of_gemini(""), of_gemini(r#",{"role":"model","parts":[]}"#));
}

#[test]
fn vectors_split_by_text_and_options_but_not_by_encoding_or_company() {
    let openai = |body: &str, place| {
        let body = Bytes::from(body.to_owned());
        let request = EmbeddingRequest::parse(EmbeddingSurface::OpenAi, body).expect("a request");
        request.input_digest(place)
    };
    let one = openai(r#"{"model":"m","input":"a"}"#, 0);
    assert!(one.is_some());
    assert_eq!(
        one,
        openai(r#"{"model":"n","input":["b","a"],"encoding_format":"base64","user":"u"}"#, 1)
    );
    assert_ne!(one, openai(r#"{"model":"m","input":"b"}"#, 0));
    assert_ne!(one, openai(r#"{"model":"m","input":"a","dimensions":8}"#, 0));
    assert_ne!(one, openai(r#"{"model":"m","input":"a","input_type":"query"}"#, 0));
    assert_ne!(one, openai(r#"{"model":"m","input":[[97]]}"#, 0));
    assert_eq!(openai(r#"{"model":"m","input":"a"}"#, 1), None);
    let gemini = |body: &str, place| {
        let surface = EmbeddingSurface::GeminiBatch { model: "m" };
        EmbeddingRequest::parse(surface, Bytes::from(body.to_owned()))
            .expect("a request")
            .input_digest(place)
    };
    let query = r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY"}]}"#;
    let named = query.replace("models/m", "models/n");
    assert_eq!(gemini(query, 0), gemini(&named, 0));
    assert_ne!(gemini(query, 0), gemini(&query.replace("QUERY", "DOCUMENT"), 0));
}

#[test]
fn a_walk_ends_whatever_it_is_given() {
    for text in
        ["", "{", "[", "\"", "{\"a\"", "{\"a\":", "[1,", "[,]", "{,}", "]", "\"\\", "{\"a\" \"b\"}"]
    {
        let _any = digest_json(text, &DigestExclusions::default());
        let _end = json_digest::first_item_end(text);
        let _turns = opening_turns(text);
    }
}
