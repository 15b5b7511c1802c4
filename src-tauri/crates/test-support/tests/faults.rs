//! Tests that the scripted upstream really does what its replies say; otherwise fault tests prove
//! nothing.

use std::io::Read;
use std::time::Duration;

use domain::{Clock, SystemClock};
use test_support::{
    BodyEnd, ChatText, MARKED_KEY, RawAnswer, RawClient, Reply, ReplyEnding, ScriptedUpstream,
};

const TEXT: ChatText<'_> = ChatText { model: "m", deltas: &["Hel", "lo"], usage: Some((3, 2)) };

/// Sends one request to a new upstream.
async fn ask(reply: Reply) -> std::io::Result<RawAnswer> {
    let upstream = ScriptedUpstream::start([reply]).await?;
    let mut client = RawClient::connect(upstream.addr()).await?;
    client.send_request("POST /v1/chat/completions HTTP/1.1", &["host: x"], b"{}").await?;
    client.read_answer().await
}

#[tokio::test]
async fn requests_are_recorded_as_they_came_and_the_connection_is_kept() {
    let replies = [Reply::models(&["a", "b"]), Reply::chat(&TEXT)];
    let upstream = ScriptedUpstream::start(replies).await.expect("an upstream");
    let mut client = RawClient::connect(upstream.addr()).await.expect("connected");
    client.send(b"GET /v1/models?x=1 HTTP/1.1\r\nHost: a\r\nX-B: 2\r\n\r\n").await.expect("sent");
    assert_eq!(client.read_answer().await.expect("an answer").json()["data"][1]["id"], "b");
    let auth = format!("Authorization: Bearer {MARKED_KEY}");
    client
        .send_request("POST /v1/chat/completions HTTP/1.1", &[&auth], b"{\"n\":1}")
        .await
        .expect("sent");
    let answer = client.read_answer().await.expect("an answer");
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello");
    assert_eq!(answer.json()["usage"]["total_tokens"], 5);
    let seen = upstream.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/v1/models?x=1"));
    let names: Vec<_> = seen[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Host", "X-B"]);
    assert_eq!(seen[0].authorization(), None);
    assert_eq!(seen[1].authorization(), Some(format!("Bearer {MARKED_KEY}").as_str()));
    assert_eq!((seen[1].json()["n"].as_u64(), seen[1].connection), (Some(1), 0));
    assert!(upstream.base_url().ends_with("/v1"));
}

#[tokio::test]
async fn a_chunked_request_is_read_whole() {
    let upstream = ScriptedUpstream::start([Reply::html(200)]).await.expect("an upstream");
    let request = b"POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\n\r\n";
    let answer = RawClient::exchange(upstream.addr(), request).await.expect("an answer");
    assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(answer.text().starts_with("<!DOCTYPE"));
    assert_eq!(&upstream.requests()[0].body[..], b"abcde");
}

#[tokio::test]
async fn streams_end_as_they_are_told() -> std::io::Result<()> {
    let whole: String = TEXT.events().concat();
    let cases = [
        (ReplyEnding::Complete, BodyEnd::Complete),
        (ReplyEnding::Close, BodyEnd::Cut),
        (ReplyEnding::Reset, BodyEnd::Reset),
    ];
    for (ending, end) in cases {
        let answer = ask(Reply::chat_stream(&TEXT).ending(ending)).await?;
        assert_eq!(answer.end, end, "{ending:?}");
        if end != BodyEnd::Reset {
            assert_eq!(answer.text(), whole, "{ending:?}");
        }
    }
    let cut = ask(Reply::sse(TEXT.events().into_iter().take(2))).await?;
    assert_eq!(cut.end, BodyEnd::Complete);
    assert!(!cut.text().contains("[DONE]"), "a clean end without its terminator");
    let trickled = ask(Reply::chat_stream(&TEXT).trickled()).await?;
    assert_eq!(trickled.text(), whole);
    Ok(())
}

#[tokio::test]
async fn whole_bodies_can_be_torn_packed_and_redirected() -> std::io::Result<()> {
    assert!(
        serde_json::from_slice::<serde_json::Value>(&ask(Reply::truncated_json()).await?.body)
            .is_err()
    );
    let short = ask(Reply::chat(&TEXT).claiming_length(10_000).ending(ReplyEnding::Close)).await?;
    assert_eq!(short.end, BodyEnd::Cut);
    let limited = ask(Reply::rate_limited(7)).await?;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    let packed = ask(Reply::gzip("application/json", b"{\"a\":1}")).await?;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).expect("gzip");
    assert_eq!(text, "{\"a\":1}");
    let moved = ask(Reply::redirect("127.0.0.1:9".parse().expect("an address"))).await?;
    let target = moved.header("location");
    assert_eq!((moved.status, target), (302, Some("http://127.0.0.1:9/v1/chat/completions")));
    let custom =
        ask(Reply::error(418, "t", "m").status(503).header("x-should-retry", "false")).await?;
    assert_eq!((custom.status, custom.header("x-should-retry")), (503, Some("false")));
    assert_eq!(custom.json()["error"]["message"], "m");
    let huge = ask(Reply::huge_line(200_000)).await?;
    assert_eq!(huge.body.len(), 200_006);
    assert!(!huge.body.contains(&b'\n'));
    let raw = ask(Reply::raw("HTTP/1.1 200 OK\r\n\r\nuntil the close")).await?;
    assert_eq!((raw.text().as_str(), raw.end), ("until the close", BodyEnd::Complete));
    Ok(())
}

#[tokio::test]
async fn a_reset_before_the_head_gives_no_answer() {
    let error = ask(Reply::reset_before_head()).await.expect_err("no answer");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn the_key_is_echoed_and_a_responder_sees_the_request() {
    let upstream = ScriptedUpstream::start_with(|received| Some(Reply::echo_key(received)))
        .await
        .expect("an upstream");
    let mut client = RawClient::connect(upstream.addr()).await.expect("connected");
    let auth = format!("authorization: Bearer {MARKED_KEY}");
    client.send_request("POST / HTTP/1.1", &[&auth], b"").await.expect("sent");
    let answer = client.read_answer().await.expect("an answer");
    assert!(answer.status == 401 && answer.text().contains(MARKED_KEY));
}

#[tokio::test]
async fn a_stall_is_left_by_the_peer_and_counted() {
    for reply in [Reply::silence(), Reply::chat_stream(&TEXT).ending(ReplyEnding::Stall)] {
        let upstream = ScriptedUpstream::start([reply]).await.expect("an upstream");
        let mut client = RawClient::connect(upstream.addr()).await.expect("connected");
        client.send_request("POST / HTTP/1.1", &[], b"").await.expect("sent");
        upstream.wait_for_requests(1).await;
        client.reset().expect("reset");
        upstream.wait_for_broken_off(1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn waits_are_on_the_tests_clock() -> std::io::Result<()> {
    let clock = SystemClock::new();
    let begun = clock.now();
    let hour = Duration::from_secs(3_600);
    let reply = Reply::chat_stream(&TEXT).delay_first(hour).delay_each(hour);
    assert_eq!(ask(reply).await?.end, BodyEnd::Complete);
    // Six pieces: role, two deltas, finish, usage, `[DONE]`.
    assert!(clock.now().since(begun) >= hour * 7);
    Ok(())
}

#[tokio::test]
async fn a_client_can_stop_half_way() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let mut client = RawClient::connect(upstream.addr()).await.expect("connected");
    client.send(b"POST / HTTP/1.1\r\nHos").await.expect("sent");
    client.close_sending().await.expect("closed");
    assert!(client.read_some().await.expect("the end").is_empty());
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
#[should_panic(expected = "calls that nobody scripted: GET /secret")]
async fn a_call_nobody_scripted_fails_by_name() {
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let request = b"GET /secret HTTP/1.1\r\n\r\n";
    let answer = RawClient::exchange(upstream.addr(), request).await.expect("an answer");
    assert_eq!(answer.status, 501);
}
