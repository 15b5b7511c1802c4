//! Every path in every dialect: which callers pass, what errors look like, which headers are
//! relayed.

use serde_json::{Value, json};
use test_support::{RawAnswer, RawClient, Reply};

use crate::bench::{Bench, Server, TOOLS, Tool, Want, each};
use crate::world::{KEY, World};

/// Sends a raw request and returns the answer.
async fn send(world: &World, line: &str, headers: &[&str], body: &str) -> RawAnswer {
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let host = world.host();
    let mut all = vec![host.as_str()];
    all.extend(headers);
    client.send_request(&format!("{line} HTTP/1.1"), &all, body.as_bytes()).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

/// The status line and headers of the response, read to the end of the connection.
async fn head(world: &World, line: &str) -> String {
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let bytes = format!("{line} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n", world.host());
    client.send(bytes.as_bytes()).await.expect("sent");
    let mut all = String::new();
    loop {
        let some = client.read_some().await.expect("an answer");
        if some.is_empty() {
            return all;
        }
        all += &String::from_utf8_lossy(&some);
    }
}

#[tokio::test]
async fn f59_knocking_is_answered_without_a_token_and_without_a_backend() {
    let bench = Bench::new().await;
    for line in ["HEAD /", "HEAD /api/hello", "GET /", "GET /api/hello"] {
        let answer = head(&bench.world, line).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{line}: {answer}");
        assert_eq!(answer.ends_with("\r\n\r\n"), line.starts_with("HEAD"), "{line}: {answer}");
    }
    assert!(bench.upstream.requests().is_empty());
    assert!(bench.world.rows().await.is_empty());
}

#[tokio::test]
async fn a_websocket_is_told_to_come_by_post() {
    let bench = Bench::new().await;
    let bearer = bench.world.bearer();
    let upgrade = [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "openai-beta: responses_websockets=2026-02-06",
    ];
    for token in [None, Some(bearer.as_str())] {
        let headers: Vec<_> = upgrade.into_iter().chain(token).collect();
        let answer = send(&bench.world, "GET /v1/responses", &headers, "").await;
        assert_eq!(answer.status, 426, "{}", answer.text());
        assert!(answer.header("upgrade").is_some());
    }
    assert!(bench.upstream.requests().is_empty());
}

#[tokio::test]
async fn every_path_takes_the_token_from_every_carrier() {
    let bench = Bench::new().await;
    let world = &bench.world;
    let token = world.token.clone();
    // No model of that name: checked after the token, and no backend is called.
    let embed = ("POST /v1/embeddings".to_owned(), json!({"model": "nope", "input": "x"}));
    let messages = Tool::Messages.body("nope", Want::Whole);
    let mut paths = vec![
        embed,
        ("POST /v1/messages/count_tokens".to_owned(), messages),
        ("POST /v1beta/models/nope:countTokens".to_owned(), Tool::Gemini.body("", Want::Whole)),
        ("GET /v1/models/nope".to_owned(), Value::Null),
        ("GET /v1beta/models/nope".to_owned(), Value::Null),
    ];
    paths.extend(TOOLS.map(|tool| {
        (format!("POST {}", tool.path("nope", Want::Stream)), tool.body("nope", Want::Stream))
    }));
    for (line, body) in &paths {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let json = "content-type: application/json";
        for header in ["authorization: Bearer ", "x-api-key: ", "x-goog-api-key: "] {
            let header = format!("{header}{token}");
            let answer = send(world, line, &[&header, json], &body).await;
            assert_eq!(answer.status, 404, "{line} {header}: {}", answer.text());
        }
        let separator = if line.contains('?') { '&' } else { '?' };
        let asked = format!("{line}{separator}key={token}");
        assert_eq!(send(world, &asked, &[json], &body).await.status, 404, "{asked}");
        for none in [&[json][..], &[json, "x-api-key: ghk_no"]] {
            let answer = send(world, line, none, &body).await;
            assert_eq!(answer.status, 401, "{line}: {}", answer.text());
            assert_eq!(answer.header("x-should-retry"), Some("false"), "{line}");
        }
    }
    assert!(bench.upstream.requests().is_empty());
}

#[tokio::test]
async fn the_list_of_models_has_the_shape_its_headers_ask_for() {
    let bench = Bench::new().await;
    let bearer = bench.world.bearer();
    for (path, header, list, name) in [
        ("/v1/models", "accept: */*", "data", "gpt"),
        ("/v1/models", "anthropic-version: 2023-06-01", "data", "gpt"),
        ("/v1/models", "x-goog-api-client: google-genai-sdk/1.30.0", "models", "models/gpt"),
        ("/v1beta/models", "accept: */*", "models", "models/gpt"),
    ] {
        let line = format!("GET {path}");
        let body = send(&bench.world, &line, &[&bearer, header], "").await.json();
        let entries = body[list].as_array().expect("a list");
        let id = if list == "models" { "name" } else { "id" };
        assert!(entries.iter().any(|entry| entry[id] == name), "{header}: {body}");
        assert_eq!(body["has_more"].is_boolean(), header.starts_with("anthropic"), "{body}");
        assert_eq!(body["object"] == "list", header.starts_with("accept") && list == "data");
        let one = format!("GET {path}/gpt");
        let one = send(&bench.world, &one, &[&bearer, header], "").await.json();
        assert!(entries.contains(&one), "{header}: {one}");
    }
}

/// The error for clients when the backend answers this status: status and type in each dialect.
const STATUSES: [(u16, [(u16, &str); 4]); 9] = {
    /// In Chat, Responses, Messages and Gemini.
    type Words = [(u16, &'static str); 4];
    const INVALID: (u16, &str) = (400, "invalid_request_error");
    const BAD: Words = [INVALID, INVALID, INVALID, (400, "INVALID_ARGUMENT")];
    const FAILED: Words =
        [(502, "server_error"), (502, "server_error"), (502, "api_error"), (500, "INTERNAL")];
    const BUSY: Words = [
        (503, "overloaded_error"),
        (503, "overloaded_error"),
        (529, "overloaded_error"),
        (503, "UNAVAILABLE"),
    ];
    // The status that stops each dialect's tools soonest without blaming the user's login.
    const KEY: Words = [
        (403, "permission_error"),
        (400, "permission_error"),
        (424, "api_error"),
        (403, "PERMISSION_DENIED"),
    ];
    const MISSING: (u16, &str) = (404, "not_found_error");
    const LIMITED: (u16, &str) = (429, "rate_limit_error");
    [
        (400, BAD),
        (422, BAD),
        (401, KEY),
        (403, KEY),
        (404, [MISSING, MISSING, MISSING, (404, "NOT_FOUND")]),
        (429, [LIMITED, LIMITED, LIMITED, (429, "RESOURCE_EXHAUSTED")]),
        (500, FAILED),
        (503, BUSY),
        (529, BUSY),
    ]
};

#[tokio::test]
async fn a_backends_status_is_reported_in_the_clients_words() {
    let bench = Bench::new().await;
    let cases = TOOLS.into_iter().flat_map(|tool| {
        [Server::Chat, Server::Messages, Server::Gemini].map(|server| (tool, server))
    });
    each(cases, async |(tool, server), name| {
        for (said, told) in STATUSES {
            let dialect = match tool {
                Tool::Chat => 0,
                Tool::Responses => 1,
                Tool::Messages => 2,
                Tool::Gemini | Tool::GeminiArray => 3,
            };
            let error = json!({"type": "error", "error": {"message": "the backend's words",
                "type": "some_error"}});
            let answer = bench.ask(tool, Want::Stream, server, Reply::json(said, &error)).await;
            let (word, message) = tool.error(&answer.json());
            let got = (answer.status, word.as_str());
            assert_eq!(got, told[dialect], "{name} {said}: {}", answer.text());
            assert!(message.contains("the backend's words"), "{name} {said}: {message}");
            // The gateway has used its attempts; clients built on the SDKs would each make two
            // more.
            let never = matches!(said, 401 | 403 | 408 | 409 | 500..).then_some("false");
            assert_eq!(answer.header("x-should-retry"), never, "{name} {said}");
        }
    })
    .await;
}

#[tokio::test]
async fn waits_are_clamped_in_every_dialect() {
    let bench = Bench::new().await;
    each(TOOLS, async |tool, name| {
        for (header, value, wait, retry) in [
            ("retry-after", "7", "7", None),
            ("retry-after-ms", "1500", "2", None),
            ("retry-after", "60", "60", None),
            ("retry-after", "61", "60", Some("false")),
            ("retry-after", "4294967", "60", Some("false")),
        ] {
            let reply = Reply::error(429, "rate_limit_error", "slow down").header(header, value);
            let answer = bench.ask(tool, Want::Whole, Server::Chat, reply).await;
            let got = (answer.header("retry-after"), answer.header("x-should-retry"));
            assert_eq!(got, (Some(wait), retry), "{name} {header}: {value}");
        }
    })
    .await;
}

#[tokio::test]
async fn counts_are_asked_of_the_same_dialect_and_estimated_of_others() {
    let bench = Bench::new().await;
    let messages = |model| Tool::Messages.body(model, Want::Whole).to_string();
    let gemini = Tool::Gemini.body("", Want::Whole).to_string();
    let path = "/v1/messages/count_tokens";
    let counted = Reply::json(200, &json!({"input_tokens": 41}));
    let answer = bench.send(path, messages("claude").as_bytes(), [counted]).await;
    let estimated = answer.header("x-gatehouse-estimated");
    assert_eq!((answer.json()["input_tokens"].as_u64(), estimated), (Some(41), None));
    assert_eq!(bench.upstream.requests()[0].path, "/v1/messages/count_tokens");

    let path = "/v1beta/models/gemini:countTokens";
    let counted = Reply::json(200, &json!({"totalTokens": 42}));
    let answer = bench.send(path, gemini.as_bytes(), [counted]).await;
    assert_eq!(answer.json()["totalTokens"], 42);
    assert_eq!(bench.upstream.requests()[1].path, "/v1beta/models/gemini:countTokens");

    for model in ["gpt", "gpt-r", "gemini"] {
        let path = "/v1/messages/count_tokens";
        let answer = bench.send(path, messages(model).as_bytes(), []).await;
        assert_eq!(answer.header("x-gatehouse-estimated"), Some("tokens"), "{model}");
        assert!(answer.json()["input_tokens"].as_u64() > Some(0), "{model}: {}", answer.text());
    }
    let path = "/v1beta/models/claude:countTokens";
    let answer = bench.send(path, gemini.as_bytes(), []).await;
    assert_eq!(answer.header("x-gatehouse-estimated"), Some("tokens"));
    assert!(answer.json()["totalTokens"].as_u64() > Some(0), "{}", answer.text());
    assert_eq!(bench.upstream.requests().len(), 2, "estimates ask nobody");
    assert!(bench.world.rows().await.is_empty(), "counting costs nothing");
}

#[tokio::test]
async fn what_cannot_cross_is_refused_by_name_or_dropped_and_named() {
    let bench = Bench::new().await;
    let mut body = Tool::Chat.body("claude", Want::Whole);
    (body["seed"], body["logit_bias"], body["user"]) = (7.into(), json!({"1": 2}), "me".into());
    let path = "/v1/chat/completions";
    let refused = bench.send(path, body.to_string().as_bytes(), []).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let param = refused.json()["error"]["param"].clone();
    assert!(param == "seed" || param == "logit_bias", "{param}");
    assert!(bench.upstream.requests().is_empty());

    body["model"] = "claude-lenient".into();
    let reply = Reply::json(200, &Server::Messages.answer());
    let answer = bench.send(path, body.to_string().as_bytes(), [reply]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let dropped = answer.header("x-gatehouse-dropped").expect("named").to_owned();
    for name in ["seed", "logit_bias"] {
        assert!(dropped.split(", ").any(|field| field == name), "{dropped}");
    }
    let sent = bench.upstream.requests()[0].json();
    assert!(sent["seed"].is_null() && sent["logit_bias"].is_null(), "{sent}");
}

#[tokio::test]
async fn a_request_without_a_limit_is_sent_to_anthropic_with_the_models_own() {
    let bench = Bench::new().await;
    for (model, expected) in [
        ("claude-haiku-4-5-20251001", 64_000),
        ("claude-opus-5", 128_000),
        ("claude", wire::OUTPUT_TOKENS_UNKNOWN_MODEL),
    ] {
        for tool in [Tool::Chat, Tool::Responses, Tool::Gemini] {
            let pinned = format!("anthropic/{model}");
            let body = tool.body(&pinned, Want::Whole).to_string();
            let reply = Reply::json(200, &Server::Messages.answer());
            let path = tool.path(&pinned, Want::Whole);
            let answer = bench.send(&path, body.as_bytes(), [reply]).await;
            assert_eq!(answer.status, 200, "{tool:?} {model}: {}", answer.text());
            let sent = bench.upstream.requests().pop().expect("a request").json();
            assert_eq!((&sent["model"], &sent["max_tokens"]), (&model.into(), &expected.into()));
        }
    }
}

/// The headers that every client sends here, beside those of its dialect.
const SENT: [&str; 22] = [
    "user-agent: tool/1",
    "accept: */*",
    "accept-encoding: gzip, br",
    "cookie: c=1",
    "x-forwarded-for: 10.0.0.1",
    "forwarded: for=10.0.0.1",
    "x-real-ip: 10.0.0.1",
    "referer: http://x.test/",
    "x-gatehouse-project: thesis",
    "x-stainless-lang: js",
    "anthropic-version: 2023-06-01",
    "anthropic-beta: b",
    "x-app: cli",
    "anthropic-dangerous-direct-browser-access: true",
    "x-claude-code-session-id: s",
    "openai-beta: o",
    "openai-organization: org",
    "originator: codex_exec",
    "session-id: s",
    "x-goog-user-project: p",
    "x-codex-turn-metadata: {}",
    "proxy-authorization: Basic eA==",
];

#[tokio::test]
async fn s33_only_listed_headers_reach_a_backend() {
    let bench = Bench::new().await;
    let ours = ["host", "content-type", "content-length", "accept-encoding", "x-gatehouse-hop"];
    for (tool, server, key, listed) in [
        (
            Tool::Chat,
            Server::Chat,
            "authorization",
            vec!["user-agent", "accept", "x-stainless-lang", "openai-beta"],
        ),
        (
            Tool::Responses,
            Server::Responses,
            "authorization",
            vec![
                "user-agent",
                "accept",
                "x-stainless-lang",
                "openai-beta",
                "originator",
                "session-id",
            ],
        ),
        (
            Tool::Messages,
            Server::Messages,
            "x-api-key",
            vec![
                "user-agent",
                "accept",
                "x-stainless-lang",
                "anthropic-version",
                "anthropic-beta",
                "x-app",
            ],
        ),
        (
            Tool::Gemini,
            Server::Gemini,
            "x-goog-api-key",
            vec!["user-agent", "accept", "x-stainless-lang"],
        ),
        // Translated: only the tool's own name is sent, and what the backend requires.
        (Tool::Chat, Server::Messages, "x-api-key", vec!["user-agent", "anthropic-version"]),
        (Tool::Messages, Server::Chat, "authorization", vec!["user-agent"]),
        (Tool::Messages, Server::Gemini, "x-goog-api-key", vec!["user-agent"]),
    ] {
        bench.script(Reply::json(200, &server.answer()));
        let path = tool.path(server.model(), Want::Whole);
        let body = tool.body(server.model(), Want::Whole).to_string();
        let answer = bench.begin(&path, &SENT, body.as_bytes()).await.read_answer().await;
        assert_eq!(answer.expect("an answer").status, 200, "{tool:?} of {server:?}");
        let sent = bench.upstream.requests().pop().expect("a request");
        let accept = ["accept"].into_iter().filter(|_| !listed.contains(&"accept"));
        let mut expected: Vec<_> = ours.into_iter().chain(listed.clone()).chain([key]).collect();
        let mut names: Vec<_> =
            sent.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        // The network client's own `accept: */*`, since none is relayed.
        names.retain(|name| !accept.clone().any(|own| own == name));
        expected.sort_unstable();
        names.sort_unstable();
        assert_eq!(names, expected, "{tool:?} of {server:?}");
        assert!(sent.header(key).expect("a key").ends_with(KEY), "{tool:?} of {server:?}");
        assert!(!sent.headers.iter().any(|(_, value)| value.contains(&bench.world.token)));
    }
}

#[tokio::test]
async fn s34_only_listed_headers_reach_a_client() {
    let bench = Bench::new().await;
    for (tool, server, passing) in [
        (Tool::Chat, Server::Chat, &["x-request-id", "x-ratelimit-remaining-tokens"][..]),
        (Tool::Responses, Server::Responses, &["x-request-id", "x-ratelimit-remaining-tokens"]),
        (Tool::Messages, Server::Messages, &["request-id"]),
        (Tool::Gemini, Server::Gemini, &[]),
        (Tool::Messages, Server::Chat, &[]),
        (Tool::Chat, Server::Messages, &[]),
    ] {
        for want in [Want::Whole, Want::Stream] {
            let mut reply = match want {
                Want::Whole => Reply::json(200, &server.answer()),
                Want::Stream => server.stream(server.whole()),
            };
            let said = [
                "set-cookie",
                "access-control-allow-origin",
                "refresh",
                "location",
                "server",
                "x-request-id",
                "request-id",
                "x-ratelimit-remaining-tokens",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-organization-id",
                "content-security-policy",
                "strict-transport-security",
                "x-frame-options",
            ];
            for name in said {
                reply = reply.header(name, "from-the-backend");
            }
            let answer = bench.ask(tool, want, server, reply).await;
            let name = format!("{tool:?} of {server:?} {want:?}");
            for header in said {
                let expected = passing.contains(&header).then_some("from-the-backend");
                let got = answer.header(header).filter(|value| *value == "from-the-backend");
                assert_eq!(got, expected, "{name} {header}");
            }
        }
    }
}
