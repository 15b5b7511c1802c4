//! Wrong requests are refused in the client's dialect, with the name of the field, and nothing is
//! sent.

use serde_json::{Value, json};
use test_support::{RawAnswer, RawClient, Reply};

use crate::bench::{Bench, SERVERS, Server, TOOLS, Tool, Want, each, pairs};

/// The error type of a wrong request.
fn word(tool: Tool) -> &'static str {
    match tool {
        Tool::Gemini | Tool::GeminiArray => "INVALID_ARGUMENT",
        _ => "invalid_request_error",
    }
}

fn assert_refused(tool: Tool, answer: &RawAnswer, field: Option<&str>, name: &str) {
    let shown = format!("{name}: {}", answer.text());
    assert_eq!(answer.status, 400, "{shown}");
    let body = answer.json();
    let (kind, message) = tool.error(&body);
    assert_eq!(kind, word(tool), "{shown}");
    if let Some(field) = field {
        assert!(message.contains(&format!("'{field}")), "{shown}");
        if matches!(tool, Tool::Chat | Tool::Responses) {
            let param = body["error"]["param"].as_str().unwrap_or_default();
            assert!(param.starts_with(field), "{shown}");
        }
    }
    assert_eq!(answer.header("x-should-retry"), Some("false"), "{shown}");
}

/// The field that holds the conversation.
const fn conversation(tool: Tool) -> &'static str {
    match tool {
        Tool::Chat | Tool::Messages => "messages",
        Tool::Responses => "input",
        Tool::Gemini | Tool::GeminiArray => "contents",
    }
}

/// A backend of another dialect than `tool`.
fn crossed(tool: Tool) -> Server {
    let other = |server: &Server| !tool.speaks(*server) && *server != Server::Responses;
    SERVERS.into_iter().find(other).expect("one of them")
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_every_dialect() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let model = server.model();
        let path = tool.path(model, Want::Stream);
        let good = tool.body(model, Want::Stream).to_string();
        let field = conversation(tool);
        let twice = good.replacen('{', &format!("{{\"{field}\":[],"), 1);
        let deep = "[".repeat(60_000);
        let nul = good.replace("\"hi\"", "\"h\0i\"");
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"", None),
            (b"{\"model\":", None),
            (b"[]", None),
            (b"\"x\"", None),
            (b"\xff\xfe{}", None),
            (b"\xef\xbb\xbf[", None),
            (deep.as_bytes(), None),
            (nul.as_bytes(), None),
            (twice.as_bytes(), Some(field)),
        ];
        for (body, field) in cases {
            let shown = String::from_utf8_lossy(body);
            let name = format!("{name} {}", shown.get(..shown.len().min(60)).unwrap_or("?"));
            assert_refused(tool, &bench.send(&path, body, []).await, field, &name);
        }
    })
    .await;
    assert!(bench.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_wrong_field_is_named_in_every_dialect() {
    let bench = Bench::new().await;
    each(TOOLS, async |tool, name| {
        let server = crossed(tool);
        let path = tool.path(server.model(), Want::Whole);
        let list = conversation(tool);
        let is_gemini = matches!(tool, Tool::Gemini | Tool::GeminiArray);
        let mut cases = vec![(list, json!(7)), (list, json!([7])), (list, json!({"a": 1}))];
        if is_gemini {
            cases.push(("generationConfig", json!("hot")));
            cases.push(("generationConfig", json!({"temperature": "hot"})));
            cases.push(("generationConfig", json!({"maxOutputTokens": -1})));
            cases.push(("tools", json!(7)));
        } else {
            cases.push(("model", json!(7)));
            cases.push(("model", json!("")));
            cases.push(("model", json!("a\u{0}b")));
            cases.push(("stream", json!("yes")));
            cases.push(("temperature", json!("hot")));
            cases.push(("tools", json!(7)));
            let limit = if tool == Tool::Responses { "max_output_tokens" } else { "max_tokens" };
            cases.push((limit, json!(-1)));
            cases.push((limit, json!("many")));
        }
        for (field, wrong) in cases {
            let mut body = tool.body(server.model(), Want::Whole);
            body[field] = wrong.clone();
            let answer = bench.send(&path, body.to_string().as_bytes(), []).await;
            assert_refused(tool, &answer, Some(field), &format!("{name} {field} {wrong}"));
        }
    })
    .await;
    assert!(bench.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let bench = Bench::new().await;
    for tool in TOOLS {
        let server = crossed(tool);
        let path = tool.path(server.model(), Want::Whole);
        let mut missing = vec![conversation(tool)];
        match tool {
            Tool::Chat | Tool::Responses => missing.push("model"),
            // Anthropic demands the limit, so clients that leave it out are wrong everywhere.
            Tool::Messages => missing.extend(["model", "max_tokens"]),
            Tool::Gemini | Tool::GeminiArray => {}
        }
        for field in missing {
            let mut body = tool.body(server.model(), Want::Whole);
            body.as_object_mut().expect("an object").remove(field);
            let answer = bench.send(&path, body.to_string().as_bytes(), []).await;
            assert_refused(tool, &answer, Some(field), &format!("{tool:?} without {field}"));
        }
    }
    assert!(bench.upstream.requests().is_empty());
}

#[tokio::test]
async fn an_unknown_model_is_not_found_in_every_dialect() {
    let bench = Bench::new().await;
    for tool in TOOLS {
        for want in [Want::Whole, Want::Stream] {
            let body = tool.body("nope", want).to_string();
            let answer = bench.send(&tool.path("nope", want), body.as_bytes(), []).await;
            assert_eq!(answer.status, 404, "{tool:?}: {}", answer.text());
            let (kind, message) = tool.error(&answer.json());
            let expected = match tool {
                Tool::Gemini | Tool::GeminiArray => "NOT_FOUND",
                _ => "not_found_error",
            };
            assert_eq!(kind, expected, "{tool:?}: {}", answer.text());
            assert!(message.contains("nope"), "{tool:?}: {message}");
        }
    }
}

#[tokio::test]
async fn f28_half_surrogates_of_a_client_pass_or_are_refused_by_name() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let body = tool.body(server.model(), Want::Whole).to_string();
        let body = body.replace("\"hi\"", r#""a\ud800""#);
        let path = tool.path(server.model(), Want::Whole);
        let before = bench.upstream.requests().len();
        if tool.speaks(server) {
            let reply = Reply::json(200, &server.answer());
            let answer = bench.send(&path, body.as_bytes(), [reply]).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert_eq!(bench.upstream.requests()[before].body, body.as_bytes(), "{name}");
        } else {
            let answer = bench.send(&path, body.as_bytes(), []).await;
            assert_refused(tool, &answer, Some(conversation(tool)), name);
        }
    })
    .await;
}

#[tokio::test]
async fn an_escaped_nul_of_a_client_crosses() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let body = tool.body(server.model(), Want::Whole).to_string();
        let body = body.replace("\"hi\"", r#""a\u0000b""#);
        let path = tool.path(server.model(), Want::Whole);
        let before = bench.upstream.requests().len();
        let reply = Reply::json(200, &server.answer());
        let answer = bench.send(&path, body.as_bytes(), [reply]).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let sent = &bench.upstream.requests()[before];
        assert!(String::from_utf8_lossy(&sent.body).contains(r"a\u0000b"), "{name}");
        assert_ne!(sent.json(), Value::Null, "{name}");
    })
    .await;
}

#[tokio::test]
async fn what_the_gateway_itself_refuses_is_in_the_clients_words() {
    let bench = Bench::new().await;
    let (host, bearer) = (bench.world.host(), bench.world.bearer());
    let json = "content-type: application/json";
    let large = "x".repeat(70_000);
    each(TOOLS, async |tool, name| {
        let good = tool.body("gpt", Want::Whole).to_string();
        let large = good.replace("\"hi\"", &format!("\"{large}\""));
        let path = tool.path("gpt", Want::Whole);
        let google = matches!(tool, Tool::Gemini | Tool::GeminiArray);
        let word = |openai: &str, anthropic: &str, gemini: &str| match tool {
            Tool::Chat | Tool::Responses => openai.to_owned(),
            Tool::Messages => anthropic.to_owned(),
            Tool::Gemini | Tool::GeminiArray => gemini.to_owned(),
        };
        let wrong = word("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT");
        let forbidden = word("permission_error", "permission_error", "PERMISSION_DENIED");
        let unknown = word("authentication_error", "authentication_error", "UNAUTHENTICATED");
        let too_large = word("invalid_request_error", "request_too_large", "INVALID_ARGUMENT");
        let cases = [
            (vec![&*host, json], &good, 401, 401, unknown),
            (vec![&host, &bearer, json, "origin: https://evil.test"], &good, 403, 403, forbidden),
            (vec![&host, &bearer, "content-type: text/plain"], &good, 415, 400, wrong),
            (vec![&host, &bearer, json], &large, 413, 400, too_large),
        ];
        for (headers, body, status, gemini, word) in cases {
            let mut client = RawClient::connect(bench.world.address).await.expect("connected");
            let line = format!("POST {path} HTTP/1.1");
            client.send_request(&line, &headers, body.as_bytes()).await.expect("sent");
            let answer = client.read_answer().await.expect("an answer");
            let shown = format!("{name} {status}: {}", answer.text());
            assert_eq!(answer.status, if google { gemini } else { status }, "{shown}");
            let (kind, message) = tool.error(&answer.json());
            assert_eq!(kind, word, "{shown}");
            assert!(!message.is_empty(), "{shown}");
        }
    })
    .await;
    assert!(bench.upstream.requests().is_empty());
    assert!(bench.world.rows().await.is_empty());
}
