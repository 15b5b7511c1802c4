//! Requests while the ledger cannot be written.

use std::time::Duration;

use gateway::Recorded;
use ledger::{BacklogReason, LedgerLimits, LedgerState};
use test_support::{BodyEnd, ChatText, RawClient, Reply, ScriptedUpstream};

use crate::world::{ASK, ASK_STREAM, Limits, World, world_with};

const HELLO: ChatText<'_> =
    ChatText { model: "gpt-2026", deltas: &["Hel", "lo"], usage: Some((7, 2)) };

async fn upstream() -> ScriptedUpstream {
    let replies = |request: &test_support::ReceivedRequest| {
        let is_streamed = request.json()["stream"] == true;
        Some(if is_streamed { Reply::chat_stream(&HELLO) } else { Reply::chat(&HELLO) })
    };
    ScriptedUpstream::start_with(replies).await.expect("an upstream")
}

async fn small_disk(upstream: &ScriptedUpstream) -> World {
    let ledger = LedgerLimits { file_bytes_max: Some(360_448), ..LedgerLimits::default() };
    world_with(upstream, Limits { ledger, ..Limits::default() }).await
}

/// Asks until the disk is full. Every answer until then is whole, and the last is not yet recorded.
async fn fill(world: &World) {
    // A minute: waiting requests are released as soon as the disk is known to be full.
    world.ledger.set_commit_wait(Duration::from_secs(60));
    for asked in 1..2_000 {
        let is_streamed = asked % 2 == 0;
        let answer = world.chat(if is_streamed { ASK_STREAM } else { ASK }).await;
        let text = answer.text();
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{text}");
        assert!(
            text.contains("lo") && (!is_streamed || text.ends_with("data: [DONE]\n\n")),
            "{text}"
        );
        let settled = world.seen.wait_settled(asked).await;
        if settled[asked - 1].recorded == Recorded::NotYet {
            return;
        }
    }
    panic!("the disk never filled up");
}

#[tokio::test]
async fn a_full_disk_keeps_the_answer_and_refuses_the_next_request_in_its_dialect() {
    let upstream = upstream().await;
    let world = small_disk(&upstream).await;
    fill(&world).await;
    let LedgerState::Refusing(backlog) = world.ledger.state() else {
        panic!("{:?}", world.ledger.state())
    };
    assert_eq!((backlog.reason, backlog.records > 0), (BacklogReason::DiskFull, true));
    let sent = upstream.requests().len();
    let refused = world.chat(ASK).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["error"]["code"], "ledger_unavailable");
    assert!(refused.text().contains("The disk is full."), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("5"));
    let messages =
        r#"{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let headers = [host.as_str(), &bearer, "content-type: application/json"];
    client
        .send_request("POST /v1/messages HTTP/1.1", &headers, messages.as_bytes())
        .await
        .expect("sent");
    let refused = client.read_answer().await.expect("an answer");
    assert_eq!((refused.status, refused.json()["type"].as_str()), (503, Some("error")));
    assert!(refused.text().contains("The disk is full."), "{}", refused.text());
    assert_eq!(upstream.requests().len(), sent, "nothing is sent that cannot be written down");
    assert_eq!(world.gateway.in_flight(), 0);
}

#[tokio::test]
async fn a_full_queue_refuses_new_requests_and_says_so() {
    let upstream = upstream().await;
    let ledger = LedgerLimits { queue_bytes_max: 0, ..LedgerLimits::default() };
    let world = world_with(&upstream, Limits { ledger, ..Limits::default() }).await;
    let refused = world.chat(ASK).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("Too many records are waiting"), "{}", refused.text());
    assert!(upstream.requests().is_empty());
}
