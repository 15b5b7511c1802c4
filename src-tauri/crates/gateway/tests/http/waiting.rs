//! Silence, disconnects and lingering bodies: what happens while nothing arrives, for each client.

use std::time::Duration;

use endpoints::{FailureReason, Verdict};
use gateway::HEARTBEAT;
use ledger::{RequestOutcome, RequestState};
use test_support::{RawClient, Reply, ReplyEnding};

use crate::bench::{Bench, SAME, Server, TOOLS, Tool, Want, each, pairs};
use crate::world::Limits;

/// A Gemini backend's first bytes: a comment, since the dialect has no opening event.
const THINKING: &str = ": thinking\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn f14_a_silent_stream_is_kept_alive_in_its_dialect() {
    let mut limits = Limits::default();
    limits.request.first_token_timeout = HEARTBEAT * 2 + Duration::from_secs(5);
    limits.request.total_timeout = Duration::from_secs(600);
    let bench = Bench::with(limits).await;
    each(pairs(), async |(tool, server), name| {
        let begin = match server {
            Server::Ollama => vec![server.text("")],
            Server::Gemini => vec![THINKING.to_owned()],
            _ => server.begin(),
        };
        let reply = server.stream(begin).ending(ReplyEnding::Stall);
        let answer = bench.ask(tool, Want::Stream, server, reply).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let text = answer.text();
        let beat = match tool {
            Tool::Messages => "event: ping\ndata: {\"type\": \"ping\"}\n\n",
            // Google's SDKs read no comments.
            Tool::Gemini => "\r\n",
            Tool::GeminiArray => "\n",
            Tool::Chat | Tool::Responses => ": waiting for the backend\n\n",
        };
        let error = match tool {
            Tool::Chat => "data: {\"error\"",
            Tool::Responses => "event: response.failed",
            Tool::Messages => "event: error",
            Tool::Gemini => "data: {\"error\"",
            Tool::GeminiArray => "[{\"error\"",
        };
        let before = text.split_once(error).map(|(before, _)| before).expect(name);
        let begun = before.strip_prefix(THINKING).unwrap_or(before);
        let beats = begun.matches(beat).count();
        assert!(beats >= 2, "{name}: {beats} in {text}");
        assert!(tool != Tool::Gemini || begun.trim().is_empty(), "{name}: {text}");
        let message = tool.assert_broken(&answer, name);
        assert!(message.contains("time"), "{name}: {message}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn f14_before_the_first_byte_nothing_is_promised() {
    let mut limits = Limits::default();
    limits.request.first_token_timeout = HEARTBEAT * 2;
    limits.request.total_timeout = Duration::from_secs(600);
    let bench = Bench::with(limits).await;
    each(TOOLS, async |tool, name| {
        let reply = Server::Chat.stream(Vec::new()).ending(ReplyEnding::Stall);
        let answer = bench.ask(tool, Want::Stream, Server::Chat, reply).await;
        assert_eq!(answer.status, 504, "{name}: {}", answer.text());
    })
    .await;
}

#[tokio::test]
async fn f56_a_client_that_leaves_ends_the_call() {
    let bench = Bench::new().await;
    let mut left = 0;
    for (tool, server) in pairs() {
        let name = format!("{tool:?} of {server:?}");
        bench.script(server.stream(server.begun()).ending(ReplyEnding::Stall));
        let path = tool.path(server.model(), Want::Stream);
        let body = tool.body(server.model(), Want::Stream).to_string();
        let mut client = bench.begin(&path, &[], body.as_bytes()).await;
        let mut seen = String::new();
        while !seen.contains("Hel") {
            seen += &String::from_utf8_lossy(&client.read_some().await.expect("bytes"));
        }
        drop(client);
        left += 1;
        tokio::time::timeout(Duration::from_secs(1), bench.upstream.wait_for_broken_off(left))
            .await
            .expect(&name);
        let settled = bench.world.seen.wait_settled(left).await;
        let last = settled.last().expect("one");
        assert_eq!(
            (last.outcome, last.verdict),
            (RequestOutcome::Cancelled, Some(Verdict::Cancelled))
        );
        let row = bench.world.rows().await.swap_remove(0);
        assert_eq!(row.state, RequestState::Cancelled, "{name}");
        let usage = row.usage.expect(&name);
        assert!(usage.input() > 0 && usage.output() > 0, "{name}: {usage:?}");
    }
    assert_eq!(bench.world.gateway.in_flight(), 0);
}

#[tokio::test]
async fn f57_a_client_that_stops_reading_is_cut_off() {
    let mut limits = Limits::default();
    limits.listener.write_timeout = Duration::from_millis(200);
    let bench = Bench::with(limits).await;
    for (count, (tool, server)) in [
        (Tool::Responses, Server::Responses),
        (Tool::Messages, Server::Messages),
        (Tool::GeminiArray, Server::Gemini),
        (Tool::Messages, Server::Chat),
    ]
    .into_iter()
    .enumerate()
    {
        let mut pieces = server.begin();
        pieces.extend(vec![server.text(&"x".repeat(200_000)); 200]);
        bench.script(server.stream(pieces));
        let path = tool.path(server.model(), Want::Stream);
        let body = tool.body(server.model(), Want::Stream).to_string();
        let _client = bench.begin(&path, &[], body.as_bytes()).await;
        let settled = bench.world.seen.wait_settled(count + 1).await;
        assert_eq!(settled[count].outcome, RequestOutcome::Cancelled, "{tool:?} of {server:?}");
        bench.upstream.wait_for_broken_off(count + 1).await;
    }
}

#[tokio::test]
async fn f58_a_connection_is_used_again_after_a_stream_that_failed() {
    let bench = Bench::new().await;
    for (tool, server) in SAME {
        bench.script(server.stream(server.begun()));
        let body = tool.body(server.model(), Want::Stream).to_string();
        let path = tool.path(server.model(), Want::Stream);
        let mut client = bench.begin(&path, &[], body.as_bytes()).await;
        let broken = client.read_answer().await.expect("an answer");
        tool.assert_broken(&broken, &format!("{tool:?}"));
        let line = format!("POST {path} HTTP/1.1");
        let (host, bearer) = (bench.world.host(), bench.world.bearer());
        let headers = [host.as_str(), &bearer, "content-type: application/json"];
        let before = bench.upstream.requests().len();
        bench.script(server.stream(server.whole()));
        client.send_request(&line, &headers, body.as_bytes()).await.expect("sent");
        let next = client.read_answer().await.expect("an answer");
        tool.assert_whole(&next, &format!("{tool:?}"));
        assert_eq!(bench.upstream.requests().len(), before + 1, "{tool:?}");
    }
}

#[tokio::test]
async fn f57_a_client_that_half_closes_leaves_nothing_behind() {
    let bench = Bench::new().await;
    bench.script(Server::Messages.stream(Server::Messages.whole()));
    let body = Tool::Messages.body("claude", Want::Stream).to_string();
    let mut client: RawClient = bench.begin("/v1/messages", &[], body.as_bytes()).await;
    client.close_sending().await.expect("closed");
    let settled = bench.world.seen.wait_settled(1).await;
    assert!(matches!(settled[0].outcome, RequestOutcome::Complete | RequestOutcome::Cancelled));
    assert_eq!(bench.world.gateway.in_flight(), 0);
}

#[tokio::test]
async fn f18_an_answer_without_end_is_cut_at_its_limit() {
    let bench = Bench::new().await;
    let mebibyte = "x".repeat(1_048_576);
    let pieces = vec![mebibyte; gateway::ANSWER_BYTES_MAX / 1_048_576 + 1];
    let reply = Reply::chunked_stream("application/json", pieces);
    let answer = bench.ask(Tool::Messages, Want::Whole, Server::Messages, reply).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("too large"), "{}", answer.text());
    let verdict = bench.world.seen.wait_settled(1).await[0].verdict;
    assert_eq!(verdict, Some(Verdict::BackendFailure(FailureReason::Unreadable)));
}

#[tokio::test]
async fn f18_a_stream_without_end_is_cut_at_its_limit() {
    let mut limits = Limits::default();
    limits.request.stream_bytes_max = 100_000;
    let bench = Bench::with(limits).await;
    each(pairs(), async |(tool, server), name| {
        let pieces =
            |texts| [server.begun(), vec![server.text(&"x".repeat(9_000)); texts]].concat();
        // The limit counts from the first content.
        for (texts, is_cut) in [(10, false), (12, true)] {
            let mut pieces = pieces(texts);
            pieces.extend(server.finish());
            pieces.extend(server.terminator());
            let reply = server.stream(pieces).delay_each(Duration::from_millis(2));
            let answer = bench.ask(tool, Want::Stream, server, reply).await;
            let (row, _) = bench.world.row(&answer).await;
            if is_cut {
                tool.assert_broken(&answer, name);
                assert_eq!(row.state, RequestState::Partial, "{name}");
            } else {
                tool.assert_whole(&answer, name);
                assert_eq!(row.state, RequestState::Complete, "{name}");
            }
        }
    })
    .await;
}
