//! Faults of this machine that are not a backend's: a pause, no network, no time left.

use std::sync::Arc;
use std::time::Duration;

use endpoints::Verdict;
use resilience::{Availability, EndpointState};
use test_support::{ClosedPort, RawClient, Reply, ReplyEnding, ScriptedUpstream};

use crate::pair::{At, Pair, WELL, endpoint, healthy, limits};
use crate::secure::{Authority, HOST, ScriptedLookup, ScriptedResolver, amid};
use crate::world::{ASK, ASK_STREAM, network};

/// Longer than the limits on silence and on a whole request in these tests.
const PAUSE: Duration = Duration::from_secs(35);

impl Pair {
    fn assert_unblamed(&self) {
        assert_eq!(self.world.registry.status(&endpoint("one")).breaker, EndpointState::Closed);
        assert_eq!(self.world.registry.availability(&endpoint("one"), "gpt"), Availability::Ready);
    }

    /// Simulates a pause of the machine for [`PAUSE`].
    async fn pause(&self) {
        self.world.registry.tick();
        tokio::time::advance(PAUSE).await;
    }

    /// Ticks as the engine does.
    async fn tick(&self) -> std::convert::Infallible {
        loop {
            self.world.registry.tick();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn read_until(client: &mut RawClient, mark: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(mark) {
        let bytes = client.read_some().await.expect("bytes");
        assert!(!bytes.is_empty(), "it ended without {mark}: {seen}");
        seen += &String::from_utf8_lossy(&bytes);
    }
    seen
}

/// Four streams whose first text has arrived.
async fn four_begun(pair: &Pair) -> Vec<RawClient> {
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = pair.world.begin_chat(ASK_STREAM).await;
        read_until(&mut client, "all").await;
        clients.push(client);
    }
    clients
}

#[tokio::test(start_paused = true)]
async fn f68_streams_go_on_after_a_pause() {
    let reply = Reply::chat_stream(&WELL).delay_each(Duration::from_secs(1));
    let pair = Pair::alone(At::Replying(reply), limits(network())).await;
    let mut clients = four_begun(&pair).await;
    pair.pause().await;
    for client in &mut clients {
        let rest = read_until(client, "[DONE]").await;
        assert!(rest.contains("well") && !rest.contains("error"), "{rest}");
    }
    pair.assert_unblamed();
    let settled = pair.world.seen.wait_settled(4).await;
    assert!(settled.iter().all(|summary| summary.verdict == Some(Verdict::Success)));
}

#[tokio::test(start_paused = true)]
async fn f68_what_dies_in_a_pause_is_no_backends_fault() {
    let begun: Vec<String> = WELL.events().into_iter().take(2).collect();
    let reply = Reply::sse(begun).ending(ReplyEnding::Stall);
    let pair = Pair::alone(At::Replying(reply), limits(network())).await;
    let mut clients = four_begun(&pair).await;
    pair.pause().await;
    let ends = async {
        for client in &mut clients {
            read_until(client, "\"code\":\"paused\"").await;
        }
        pair.world.seen.wait_settled(4).await
    };
    let settled = tokio::select! {
        settled = ends => settled,
        never = pair.tick() => match never {},
    };
    assert!(settled.iter().all(|summary| summary.verdict == Some(Verdict::NotSent)));
    pair.assert_unblamed();
    // Without a pause, silence is the backend's.
    let answer = tokio::select! {
        answer = pair.ask(ASK_STREAM) => answer,
        never = pair.tick() => match never {},
    };
    assert!(answer.text().contains("\"code\":\"timeout\""), "{}", answer.text());
}

#[tokio::test(start_paused = true)]
async fn f68_a_request_without_content_is_tried_again_after_a_pause() {
    let one = ScriptedUpstream::start([Reply::silence(), Reply::chat(&WELL)]).await;
    let one = one.expect("an upstream");
    let url = one.base_url();
    let pair = Pair::between((one, url), healthy().await, &["one"], limits(network())).await;
    let mut client = pair.world.begin_chat(ASK).await;
    // A plain wait would let the paused time run on.
    while pair.calls() != (1, 0) {
        tokio::task::yield_now().await;
    }
    pair.pause().await;
    let answer = tokio::select! {
        answer = client.read_answer() => answer.expect("an answer"),
        never = pair.tick() => match never {},
    };
    assert!(
        answer.status == 200 || answer.json()["error"]["code"] == "paused",
        "{}",
        answer.text()
    );
    pair.assert_unblamed();
}

#[tokio::test]
async fn offline_is_no_backends_fault_and_ends_with_the_network() {
    let names = ScriptedResolver::new(ScriptedLookup::Offline);
    let network = amid(Arc::clone(&names), &Authority::new(), Duration::from_secs(5));
    let one =
        ScriptedUpstream::start_with(|_| Some(Reply::chat(&WELL))).await.expect("an upstream");
    let url = format!("http://{HOST}:{}/v1", one.addr().port());
    let pair = Pair::between((one, url), healthy().await, &["one"], limits(network)).await;
    for _ in 0..10 {
        let answer = pair.ask(ASK).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, error["code"].as_str()), (503, Some("offline")), "{error}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(pair.world.row(&answer).await.1[0].class.as_deref(), Some("offline"));
    }
    pair.assert_unblamed();
    names.say(ScriptedLookup::Here);
    assert_eq!((pair.ask(ASK).await.status, pair.calls()), (200, (1, 0)));
}

#[tokio::test]
async fn offline_a_backend_on_this_machine_still_answers() {
    let names = ScriptedResolver::new(ScriptedLookup::Offline);
    let network = amid(names, &Authority::new(), Duration::from_secs(5));
    let pair = Pair::of(At::Url(format!("http://{HOST}:1/v1")), limits(network)).await;
    assert_eq!((pair.ask(ASK).await.status, pair.calls()), (200, (0, 1)));
}

#[tokio::test(start_paused = true)]
async fn the_total_time_holds_for_a_whole_answer_that_trickles() {
    let trickling = || Reply::chat(&WELL).trickled().delay_each(Duration::from_secs(1));
    let mut short = limits(network());
    short.request.total_timeout = Duration::from_secs(10);
    short.resilience.attempts.attempts_max = 1;
    let pair = Pair::alone(At::Replying(trickling()), short.clone()).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (504, (1, 0)), "{}", answer.text());
    let took = pair.world.row(&answer).await.1[0].duration;
    assert!((10..12).contains(&took.as_secs()), "{took:?}");
    // Half of it is kept for another attempt.
    short.resilience.attempts.attempts_max = 3;
    let pair = Pair::of(At::Replying(trickling()), short).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (200, (1, 1)), "{}", answer.text());
    let took = pair.world.row(&answer).await.1[0].duration;
    assert!((5..7).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn what_fails_while_the_network_is_down_is_offline_and_opens_no_breaker() {
    let port = ClosedPort::bind().expect("a port");
    let url = format!("http://{}/v1", port.addr());
    let pair = Pair::alone(At::Url(url), limits(network())).await;
    let registry = &pair.world.registry;
    registry.set_cut_off(Some([endpoint("one").backend].into()));
    for _ in 0..4 {
        let answer = pair.ask(ASK).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_str()),
            (503, Some("offline"))
        );
    }
    pair.assert_unblamed();
    let settled = pair.world.seen.wait_settled(4).await;
    assert!(settled.iter().all(|it| it.verdict == Some(Verdict::NotSent)));
    // It is its own fault when the network is back.
    registry.set_cut_off(None);
    // Two attempts each.
    for _ in 0..2 {
        assert_eq!(pair.ask(ASK).await.json()["error"]["code"].as_str(), Some("connect"));
    }
    assert_eq!(registry.status(&endpoint("one")).breaker, EndpointState::Open);
}
