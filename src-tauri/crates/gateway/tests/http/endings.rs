//! How an incomplete stream ends, for each client with each backend (WIRE rule 1).

use std::time::Duration;

use ledger::{RequestState, UsageBasis};
use test_support::{BodyEnd, Reply, ReplyEnding};

use crate::bench::{Bench, SAME, Server, Tool, Want, each, pairs};
use crate::world::Limits;

/// Long enough for the bytes before a fault to be sent.
const PAUSE: Duration = Duration::from_millis(8);

/// Asks with each client of each backend; the answer must break as its dialect defines, with this
/// message.
async fn check_broken(bench: &Bench, name: &str, says: &str, reply: impl Fn(Server) -> Reply) {
    each(pairs(), async |(tool, server), pair| {
        let reply = reply(server).delay_each(PAUSE);
        let answer = bench.ask(tool, Want::Stream, server, reply).await;
        let name = format!("{name}, {pair}");
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let message = tool.assert_broken(&answer, &name);
        assert!(message.contains(says), "{name}: {message}");
        assert_eq!(tool.text(&answer), "Hel", "{name}: {}", answer.text());
        let (row, attempts) = bench.world.row(&answer).await;
        assert_eq!((row.state, attempts.len()), (RequestState::Partial, 1), "{name}");
        let usage = row.usage.expect(&name);
        assert!(usage.input() > 0 && usage.output() > 0, "{name}: {usage:?}");
        assert!(row.usage_basis.is_some(), "{name}");
    })
    .await;
}

#[tokio::test]
async fn f8_f9_a_cut_stream_is_reported_as_broken() {
    let bench = Bench::new().await;
    for ending in [ReplyEnding::Complete, ReplyEnding::Close, ReplyEnding::Reset] {
        let name = format!("{ending:?}");
        check_broken(&bench, &name, "failed", |server| {
            server.stream(server.begun()).ending(ending)
        })
        .await;
    }
}

#[tokio::test]
async fn f11_a_terminator_before_the_finish_is_a_cut() {
    let bench = Bench::new().await;
    check_broken(&bench, "early terminator", "failed", |server| {
        let mut pieces = server.begun();
        pieces.extend(server.terminator());
        server.stream(pieces)
    })
    .await;
}

#[tokio::test]
async fn f15_a_stalled_stream_ends_at_its_limit() {
    // The first use of a network client takes longer than this limit.
    let warm = Limits::default();
    let bench = Bench::with(warm.clone()).await;
    let first =
        bench.ask(Tool::Chat, Want::Whole, Server::Chat, Reply::json(200, &Server::Chat.answer()));
    assert_eq!(first.await.status, 200);
    let mut short = warm;
    short.request.stall_timeout = Duration::from_millis(60);
    let bench = Bench::with(short).await;
    check_broken(&bench, "stall", "time", |server| {
        server.stream(server.begun()).ending(ReplyEnding::Stall)
    })
    .await;
}

#[tokio::test]
async fn f17_a_huge_event_is_not_relayed() {
    let bench = Bench::new().await;
    check_broken(&bench, "huge event", "more than", |server| {
        let mut pieces = server.begun();
        let huge = "x".repeat(wire::SSE_EVENT_BYTES_MAX + 65_536);
        pieces.push("data: ".to_owned());
        pieces.extend(huge.as_bytes().chunks(524_288).map(|part| "x".repeat(part.len())));
        server.stream(pieces)
    })
    .await;
}

#[tokio::test]
async fn f27_broken_utf8_is_not_relayed() {
    let bench = Bench::new().await;
    check_broken(&bench, "broken UTF-8", "UTF-8", |server| {
        let mut pieces: Vec<Vec<u8>> = server.begun().into_iter().map(String::into_bytes).collect();
        let mut broken = server.text("X").into_bytes();
        let at = broken.iter().rposition(|byte| *byte == b'X').expect("the text");
        broken[at] = 0xff;
        pieces.push(broken);
        Reply::sse(pieces)
    })
    .await;
}

#[tokio::test]
async fn f46_an_error_in_the_stream_is_reported_in_the_clients_words() {
    let bench = Bench::new().await;
    check_broken(&bench, "in-band error", "busy now", |server| {
        let mut pieces = server.begun();
        pieces.push(server.busy());
        server.stream(pieces)
    })
    .await;
}

#[tokio::test]
async fn f10_a_missing_terminator_is_added() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        for ending in [ReplyEnding::Complete, ReplyEnding::Close] {
            let reply = server.stream(server.finished()).ending(ending).delay_each(PAUSE);
            let answer = bench.ask(tool, Want::Stream, server, reply).await;
            tool.assert_whole(&answer, name);
            assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());
            let (row, _) = bench.world.row(&answer).await;
            let tokens = row.usage.map(|usage| (usage.input(), usage.output()));
            assert_eq!((row.state, tokens), (RequestState::Complete, Some((7, 2))), "{name}");
            assert_eq!(row.usage_basis, Some(UsageBasis::Reported), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn f12_what_comes_after_the_end_is_left_out() {
    let bench = Bench::new().await;
    let marked = pairs().filter(|(_, server)| *server != Server::Gemini);
    each(marked, async |(tool, server), name| {
        let mut pieces = server.whole();
        pieces.extend(server.terminator());
        pieces.push(server.text("late"));
        // A body that stays open is not waited for.
        let reply = server.stream(pieces).ending(ReplyEnding::Stall);
        let answer = bench.ask(tool, Want::Stream, server, reply).await;
        tool.assert_whole(&answer, name);
        assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());
    })
    .await;
}

#[tokio::test]
async fn a_whole_stream_is_whole_for_everybody() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        for reply in [server.stream(server.whole()), server.stream(server.whole()).trickled()] {
            let answer = bench.ask(tool, Want::Stream, server, reply).await;
            tool.assert_whole(&answer, name);
            assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());
        }
    })
    .await;
}

#[tokio::test]
async fn f16_a_trickle_passes_byte_for_byte() {
    let bench = Bench::new().await;
    for (tool, server) in SAME.into_iter().take(4) {
        let mut pieces = server.whole();
        let text = server.text("ä€🦀 \r\n");
        pieces.insert(server.begin().len(), text);
        let whole = pieces.concat();
        let mut body = tool.body(server.model(), Want::Stream);
        if tool == Tool::Chat {
            body["stream_options"] = serde_json::json!({"include_usage": true});
        }
        let path = tool.path(server.model(), Want::Stream);
        for reply in [server.stream(pieces.clone()), server.stream(pieces.clone()).trickled()] {
            let answer = bench.send(&path, body.to_string().as_bytes(), [reply]).await;
            assert_eq!(answer.text(), whole, "{tool:?}");
            assert_eq!(answer.end, BodyEnd::Complete, "{tool:?}");
            assert_eq!(bench.upstream.requests().last().expect("one").json(), body, "{tool:?}");
        }
    }
}
