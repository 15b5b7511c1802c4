//! What the client receives of a good answer, what the backend receives, and what the ledger
//! records.

use std::time::Duration;

use domain::NanoUsd;
use endpoints::Verdict;
use gateway::Recorded;
use ledger::{RequestOutcome, RequestRow, RequestState};
use pricing::Cost;
use test_support::{
    BodyEnd, ChatText, RawAnswer, RawClient, Reply, ReplyEnding, ScriptedUpstream, search_tree,
};

use crate::world::{ASK, ASK_STREAM, KEY, Limits, PRICED_MODEL, world, world_with};

pub(crate) const HELLO: ChatText<'_> =
    ChatText { model: "gpt-2026", deltas: &["Hel", "lo"], usage: Some((7, 2)) };

async fn upstream(reply: Reply) -> ScriptedUpstream {
    ScriptedUpstream::start([reply]).await.expect("an upstream")
}

fn gatehouse_headers(answer: &RawAnswer) -> [Option<&str>; 4] {
    ["backend", "route", "attempts", "cache"]
        .map(|name| answer.header(&format!("x-gatehouse-{name}")))
}

#[tokio::test]
async fn a_whole_answer_comes_through_byte_for_byte_with_its_headers() {
    let body = br#"{ "id":"x", "choices":[{"message":{"content":"\ud800"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":7,"completion_tokens":2,"cost":0.000142}, "unknown": 1e400 }"#;
    let reply = Reply::body(200, "application/json; charset=utf-8", body.as_slice())
        .header("x-request-id", "req-7")
        .header("set-cookie", "s=1")
        .header("access-control-allow-origin", "*")
        .header("refresh", "0; url=https://evil.test")
        .header("x-ratelimit-limit-requests", "100")
        .header("x-ratelimit-remaining-requests", "9");
    let upstream = upstream(reply).await;
    let world = world(&upstream).await;
    let answer = world.chat(ASK).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &body[..]));
    assert_eq!(gatehouse_headers(&answer), [Some("corp"), Some("gpt"), Some("1"), Some("bypass")]);
    assert_eq!(answer.header("x-gatehouse-cost-usd"), Some("0.000142"));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("x-request-id"), Some("req-7"));
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), Some("9"));
    for name in ["set-cookie", "access-control-allow-origin", "refresh"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    let (row, attempts) = world.row(&answer).await;
    assert_eq!(row.state, RequestState::Complete);
    assert_eq!(row.cost, Cost::Reported(NanoUsd::new(142_000)));
    assert_eq!(row.usage.map(|usage| usage.total()), Some(9));
    assert_eq!((row.http_status, row.bytes_out), (Some(200), body.len() as u64));
    assert!(row.timings.first_byte <= row.timings.total && row.timings.first_byte.is_some());
    assert_eq!((attempts.len(), attempts[0].http_status), (1, Some(200)));
    let (backend, credential) = (attempts[0].backend.clone(), attempts[0].credential.clone());
    let quota = world.registry.scarcest_quota(&domain::Endpoint { backend, credential });
    assert_eq!(quota.map(|quota| (quota.remaining, quota.limit)), Some((9, 100)));
    let settled = world.seen.wait_settled(1).await;
    assert_eq!((settled[0].verdict, settled[0].recorded), (Some(Verdict::Success), Recorded::Yes));
}

#[tokio::test]
async fn the_backend_gets_the_key_the_body_and_no_identity() {
    let upstream = upstream(Reply::chat(&HELLO)).await;
    let world = world(&upstream).await;
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let headers = [
        host.as_str(),
        &bearer,
        "content-type: application/json",
        "cookie: c=1",
        "x-forwarded-for: 10.0.0.1",
        "accept-encoding: gzip, br",
        "x-stainless-lang: python",
        "user-agent: OpenAI/Python",
        "x-gatehouse-project: thesis",
    ];
    let line = "POST /v1/chat/completions?key=ghk_other HTTP/1.1";
    client.send_request(line, &headers, ASK.as_bytes()).await.expect("sent");
    let answer = client.read_answer().await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(world.row(&answer).await.0.request.project.as_deref(), Some("thesis"));
    let sent = &upstream.requests()[0];
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(sent.authorization(), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(sent.body, ASK.as_bytes());
    assert_eq!(sent.header("accept-encoding"), Some("identity"));
    assert_eq!(sent.header("user-agent"), Some("OpenAI/Python"));
    assert_eq!(sent.header("x-stainless-lang"), Some("python"));
    assert_eq!(sent.header("x-gatehouse-hop"), Some("1"));
    for name in ["cookie", "x-forwarded-for", "x-api-key", "x-gatehouse-project", "via"] {
        assert_eq!(sent.header(name), None, "{name}");
    }
    assert!(!sent.headers.iter().any(|(_, value)| value.contains(&world.token)));
}

#[tokio::test]
async fn a_stream_comes_through_byte_for_byte_however_it_was_cut() {
    let asked = ASK_STREAM
        .replace("\"stream\":true", r#""stream":true,"stream_options":{"include_usage":true}"#);
    let events = [
        ": comment\r\n\r\n",
        "data:{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"x\":1e400}}]}\n\n",
        "event: message\nid: 7\ndata: {\"choices\":[{\"delta\":{\"content\":\"ä€\"}}]}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n",
        "data: [DONE]\n\n",
    ];
    let whole = Reply::sse(events);
    for reply in [whole.clone(), whole.trickled()] {
        let upstream = upstream(reply).await;
        let world = world(&upstream).await;
        let answer = world.chat(&asked).await;
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete));
        assert_eq!(answer.text(), events.concat());
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(upstream.requests()[0].body, asked.as_bytes());
    }
}

#[tokio::test]
async fn usage_is_asked_for_and_taken_out_when_the_client_did_not_ask() {
    let upstream = upstream(Reply::chat_stream(&HELLO)).await;
    let world = world(&upstream).await;
    let answer = world.chat(ASK_STREAM).await;
    assert_eq!(upstream.requests()[0].json()["stream_options"]["include_usage"], true);
    let without: Vec<_> =
        HELLO.events().into_iter().filter(|event| !event.contains("usage")).collect();
    assert_eq!(answer.text(), without.concat());
    let (row, _) = world.row(&answer).await;
    assert_eq!(row.usage.map(|usage| (usage.input(), usage.output())), Some((7, 2)));
    assert_eq!(row.model_billed.as_deref(), Some("gpt-2026"));
    assert_eq!(row.finish_reason.as_deref(), Some("stop"));
    assert_eq!(row.cost, Cost::Unpriced);
    assert!(row.timings.first_token.is_some());
}

#[tokio::test]
async fn the_ledger_has_the_row_when_the_client_has_the_end() {
    let replies = (0..20).flat_map(|_| [Reply::chat_stream(&HELLO), Reply::chat(&HELLO)]);
    let upstream = ScriptedUpstream::start(replies).await.expect("an upstream");
    let world = world(&upstream).await;
    for _ in 0..20 {
        for body in [ASK_STREAM, ASK] {
            let answer = world.chat(body).await;
            let (row, _) = world.row(&answer).await;
            assert_eq!(row.state, RequestState::Complete);
        }
    }
}

#[tokio::test]
async fn connections_to_a_backend_are_used_again() {
    let replies = (0..6).map(|turn| match turn % 2 {
        0 => Reply::chat_stream(&HELLO),
        _ => Reply::chat(&HELLO),
    });
    let upstream = ScriptedUpstream::start(replies).await.expect("an upstream");
    let world = world(&upstream).await;
    for turn in 0..6 {
        let body = if turn % 2 == 0 { ASK_STREAM } else { ASK };
        assert_eq!(world.chat(body).await.status, 200);
    }
    let connections: Vec<_> =
        upstream.requests().iter().map(|request| request.connection).collect();
    assert!(connections.iter().all(|number| *number <= 1), "{connections:?}");
}

#[tokio::test]
async fn a_model_pinned_to_a_backend_is_renamed_for_it() {
    let upstream = upstream(Reply::chat(&HELLO)).await;
    let world = world(&upstream).await;
    let answer = world.chat(&ASK.replace("gpt", "corp/org/model")).await;
    assert_eq!((answer.status, answer.header("x-gatehouse-route")), (200, Some("pinned")));
    assert_eq!(upstream.requests()[0].json()["model"], "org/model");
}

#[tokio::test]
async fn a_whole_answer_to_a_stream_request_is_replayed_as_a_stream() {
    let upstream = upstream(Reply::chat(&HELLO)).await;
    let world = world(&upstream).await;
    let answer = world.chat(ASK_STREAM).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert!(answer.text().contains("Hello") && answer.text().ends_with("data: [DONE]\n\n"));
    let (row, _) = world.row(&answer).await;
    assert_eq!((row.state, row.usage.map(|u| u.total())), (RequestState::Complete, Some(9)));
}

#[tokio::test]
async fn an_answer_is_priced_by_the_model_that_it_names() {
    let text = ChatText { model: PRICED_MODEL, ..HELLO };
    let upstream = upstream(Reply::chat(&text)).await;
    let world = world(&upstream).await;
    let answer = world.chat(ASK).await;
    let (row, _) = world.row(&answer).await;
    let tokens = row.usage.expect("usage").total();
    let Cost::Computed { amount, .. } = row.cost else { panic!("computed: {:?}", row.cost) };
    assert_eq!(amount.nanos(), 1_000 * i64::try_from(tokens).expect("few"));
    assert_eq!(answer.header("x-gatehouse-cost-usd"), Some(amount.to_string().as_str()));
}

#[tokio::test]
async fn the_mock_answers_in_process_and_is_free() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let world = world(&upstream).await;
    let ask = ASK.replace("gpt", "mock/echo");
    let answer = world.chat(&ask).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "hi");
    let (row, _) = world.row(&answer).await;
    assert!(row.usage.expect("usage").total() > 0);
    assert_eq!(row.cost, Cost::NotBilled, "even though a price is declared for it");
    let free = NanoUsd::ZERO.to_string();
    assert_eq!(answer.header("x-gatehouse-cost-usd"), Some(free.as_str()));
    let stream = world.chat(&ask.replace("\"model\"", "\"stream\":true,\"model\"")).await;
    assert!(stream.text().ends_with("data: [DONE]\n\n"), "{}", stream.text());
    for (model, status) in [
        ("fault-401", 403),
        ("fault-402", 429),
        ("fault-429", 429),
        ("fault-500", 502),
        ("fault-503", 503),
        ("fault-html", 502),
        ("fault-empty", 502),
        ("fault-truncated-json", 502),
    ] {
        let answer = world.chat(&ASK.replace("gpt", &format!("mock/{model}"))).await;
        assert_eq!(answer.status, status, "{model}: {}", answer.text());
    }
}

#[tokio::test]
async fn models_are_listed_and_found_by_their_id() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let world = world(&upstream).await;
    let list = world.get("/v1/models").await.json();
    let ids: Vec<_> =
        list["data"].as_array().expect("a list").iter().map(|m| m["id"].clone()).collect();
    assert!(ids.contains(&"gpt".into()) && ids.contains(&"corp/gpt".into()), "{ids:?}");
    for path in ["/v1/models/gpt", "/v1/models/corp/gpt", "/v1/models/corp%2Fgpt"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, &answer.json()["object"]), (200, &"model".into()), "{path}");
    }
    let missing = world.get("/v1/models/nope").await;
    assert_eq!(
        (missing.status, &missing.json()["error"]["code"]),
        (404, &"model_not_found".into())
    );
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_call_to_the_backend() {
    let pieces = HELLO.events().into_iter().take(2);
    for reply in [Reply::sse(pieces).ending(ReplyEnding::Stall), Reply::silence()] {
        let waits_for_first =
            matches!(&reply, reply if format!("{reply:?}").contains("head: None"));
        let upstream = upstream(reply).await;
        let world = world(&upstream).await;
        let mut client = world.begin_chat(ASK_STREAM).await;
        if waits_for_first {
            upstream.wait_for_requests(1).await;
        } else {
            let first = client.read_some().await.expect("bytes");
            assert!(first.starts_with(b"HTTP/1.1 200"));
        }
        drop(client);
        tokio::time::timeout(Duration::from_secs(1), upstream.wait_for_broken_off(1))
            .await
            .expect("cancelled");
        let settled = world.seen.wait_settled(1).await;
        assert_eq!(settled[0].outcome, RequestOutcome::Cancelled);
        assert_eq!(settled[0].verdict, Some(Verdict::Cancelled));
        assert_eq!(settled[0].cost, Cost::Unpriced);
        assert_eq!(world.rows().await[0].state, RequestState::Cancelled);
        assert_eq!(world.gateway.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_stop_lets_answers_finish_and_writes_everything_down() {
    let paused = Reply::chat_stream(&HELLO).delay_each(Duration::from_millis(40));
    let upstream = upstream(paused).await;
    let mut world = world(&upstream).await;
    let mut client = world.begin_chat(ASK_STREAM).await;
    upstream.wait_for_requests(1).await;
    world.stop.begun.cancel();
    let answer = client.read_answer().await.expect("an answer");
    assert!(answer.text().ends_with("data: [DONE]\n\n"));
    world.serving.join_next().await.expect("served").expect("no panic");
    assert_eq!(world.rows().await[0].state, RequestState::Complete);
    assert!(RawClient::connect(world.address).await.is_err(), "the port is closed");
}

/// Stops during an answer. The grace period passes, or `hurried` ends it early.
async fn stopped(reply: Reply, body: &str, grace: Duration) -> (RawAnswer, RequestRow, Verdict) {
    let upstream = upstream(reply).await;
    let mut limits = Limits::default();
    limits.listener.stop_grace = grace;
    let mut world = world_with(&upstream, limits).await;
    let mut client = world.begin_chat(body).await;
    upstream.wait_for_requests(1).await;
    world.stop.begun.cancel();
    if grace > Duration::from_secs(1) {
        world.stop.hurried.cancel();
    }
    let answer = client.read_answer().await.expect("an answer");
    world.serving.join_next().await.expect("served").expect("no panic");
    let verdict = world.seen.settled()[0].verdict.expect("a verdict");
    (answer, world.rows().await.swap_remove(0), verdict)
}

#[tokio::test]
async fn a_stop_past_its_grace_ends_answers_with_an_error_and_says_whose_it_was() {
    let begun: Vec<String> = HELLO.events().into_iter().take(2).collect();
    let hour = Duration::from_secs(3_600);
    for grace in [Duration::from_millis(20), hour] {
        let (answer, row, verdict) = stopped(Reply::silence(), ASK, grace).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, error["code"].as_str()), (503, Some("stopped")), "{error}");
        assert_eq!(
            (row.state, row.error_class.as_deref()),
            (RequestState::Failed, Some("stopped"))
        );
        assert_eq!(verdict, Verdict::NotSent, "the backend is not blamed");
        let reply = Reply::sse(begun.clone()).ending(ReplyEnding::Stall);
        let (answer, row, verdict) = stopped(reply, ASK_STREAM, grace).await;
        let text = answer.text();
        assert!(text.contains("\"code\":\"stopped\""), "{text}");
        assert_eq!(
            (row.state, row.error_class.as_deref()),
            (RequestState::Partial, Some("stopped"))
        );
        assert_eq!(verdict, Verdict::NotSent);
    }
}

#[tokio::test]
async fn no_key_and_no_prompt_is_left_in_any_file() {
    let upstream = upstream(Reply::chat(&HELLO)).await;
    let world = world(&upstream).await;
    world.chat(&ASK.replace("hi", "prompt-canary-5521")).await;
    for mark in [KEY, world.token.as_str(), "prompt-canary-5521"] {
        let found = search_tree(world.folder.path(), mark).expect("searched");
        assert!(found.is_empty(), "{found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_until_its_limit() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let mut limits = Limits::default();
    limits.request.stall_timeout = gateway::HEARTBEAT * 2 + Duration::from_secs(5);
    limits.request.total_timeout = Duration::from_secs(600);
    let world = world_with(&upstream, limits).await;
    let answer = world.chat(&ASK_STREAM.replace("gpt", "mock/fault-stall")).await;
    let text = answer.text();
    assert_eq!(text.matches(": waiting for the backend\n\n").count(), 2, "{text}");
    assert!(text.contains("\"code\":\"timeout\""), "{text}");
    assert_eq!(answer.end, BodyEnd::Complete);
}
