//! Breaker, cooldown and block work across requests: what one request learnt about a backend
//! decides what the next one does. Runs on a manual clock.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::{Clock, CredentialId, ManualClock, SystemClock, WallTime};
use endpoints::EndpointRegistry;
use futures_util::future::join_all;
use gateway::HttpUpstream;
use resilience::{
    AttemptRules, Availability, BreakerOverride, EndpointState, SOLE_TRIAL_AFTER, TransitionState,
};
use test_support::{RawAnswer, Reply, ReplyEnding, ScriptedUpstream};

use crate::pair::{At, Pair, WELL, always, endpoint, healthy, limits};
use crate::world::{ASK, ASK_STREAM, Limits, network};

/// One attempt per request, so that each request is one result.
fn single(clock: &Arc<ManualClock>, network: Arc<HttpUpstream>) -> Limits {
    let mut limits = limits(network);
    limits.resilience.attempts = AttemptRules { attempts_max: 1, ..AttemptRules::default() };
    limits.clock = clock.clone();
    limits
}

fn manual() -> Arc<ManualClock> {
    Arc::new(ManualClock::starting_at(WallTime::from_unix_ms(1_794_902_400_000)))
}

fn failing() -> At {
    At::Replying(Reply::error(500, "x", "oh"))
}

fn said(answer: &RawAnswer) -> (u16, Option<&str>, Option<&str>) {
    (answer.status, answer.header("retry-after"), answer.header("x-should-retry"))
}

impl Pair {
    fn breaker(&self) -> EndpointState {
        self.world.registry.status(&endpoint("one")).breaker
    }

    async fn statuses(&self, count: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.ask(ASK).await.status);
        }
        statuses
    }
}

/// Fails for the first `failures` requests, and then answers after `pause`.
async fn mended_after(failures: usize, pause: Duration) -> (ScriptedUpstream, String) {
    let left = parking_lot::Mutex::new(failures);
    let one = ScriptedUpstream::start_with(move |_| {
        let mut left = left.lock();
        if *left == 0 {
            return Some(Reply::chat(&WELL).delay_first(pause));
        }
        *left -= 1;
        Some(Reply::error(500, "x", "oh"))
    });
    let one = one.await.expect("an upstream");
    let url = one.base_url();
    (one, url)
}

#[tokio::test]
async fn three_failures_open_it_and_the_next_request_is_answered_at_once() {
    let clock = manual();
    let pair = Pair::alone(failing(), single(&clock, network())).await;
    assert_eq!(pair.statuses(3).await, [502, 502, 502]);
    let stopwatch = SystemClock::new();
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let begun = stopwatch.now();
        let answer = pair.ask(ASK).await;
        fastest = fastest.min(stopwatch.now().since(begun));
        assert_eq!(answer.json()["error"]["code"], "overloaded", "{}", answer.text());
        let (status, wait, advice) = said(&answer);
        let wait: u64 = wait.and_then(|wait| wait.parse().ok()).expect("a wait");
        assert_eq!((status, advice), (503, Some("false")));
        assert_eq!(wait, 1, "nothing else can answer, so it is tried again in a second");
        assert_eq!(answer.header("x-gatehouse-attempts"), Some("0"));
    }
    assert!(fastest <= Duration::from_millis(10), "{fastest:?}");
    assert_eq!(pair.calls(), (3, 0), "no call is made");
    let opened = pair.world.seen.transitions();
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert_eq!((opened[0].from, opened[0].to), (TransitionState::Closed, TransitionState::Open));
    let known: Vec<_> = pair.world.rows().await.iter().map(|row| row.request.id).collect();
    assert_eq!(opened[0].evidence.len(), 3);
    assert!(opened[0].evidence.iter().all(|id| known.contains(id)), "requests of the ledger");
}

#[tokio::test]
async fn one_request_with_three_tries_opens_it_too() {
    let pair = Pair::alone(failing(), limits(network())).await;
    assert_eq!(pair.ask(ASK).await.status, 502);
    assert_eq!((pair.calls(), pair.breaker()), ((3, 0), EndpointState::Open));
}

#[tokio::test]
async fn f60_an_open_one_is_passed_by() {
    let clock = manual();
    let pair = Pair::of(failing(), single(&clock, network())).await;
    // One attempt per request: the first three fail, and then the backend is not called any more.
    assert_eq!(pair.statuses(5).await, [502, 502, 502, 200, 200]);
    assert_eq!(pair.calls(), (3, 2));
    let answer = pair.ask(ASK).await;
    assert_eq!(answer.header("x-gatehouse-backend"), Some("two"));
    assert_eq!(answer.header("x-gatehouse-attempts"), Some("1"));
    let stopwatch = SystemClock::new();
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = stopwatch.now();
        assert_eq!(pair.ask(ASK).await.status, 200);
        times.push(stopwatch.now().since(begun));
    }
    times.sort();
    // Slower ones may have waited for a busy machine; the benchmarks measure the slow end.
    assert!(times[4] < Duration::from_millis(50), "with an open breaker: {times:?}");
}

#[tokio::test]
async fn f61_exactly_one_trial_is_out_and_its_success_opens_the_way_for_all() {
    let clock = manual();
    let one = mended_after(3, Duration::from_secs(1)).await;
    let two = healthy().await;
    let pair = Pair::between(one, two, &["one"], single(&clock, network())).await;
    pair.statuses(3).await;
    assert_eq!(pair.statuses(2).await, [503, 503], "not at once");
    clock.advance(SOLE_TRIAL_AFTER);
    assert_eq!(pair.breaker(), EndpointState::Open);
    let answers = join_all((0..6).map(|_| pair.ask(ASK))).await;
    let mut replies: Vec<_> = answers.iter().map(said).collect();
    replies.sort();
    let busy = (503, Some("1"), Some("false"));
    assert_eq!(replies, [(200, None, None), busy, busy, busy, busy, busy]);
    assert_eq!(pair.calls(), (4, 0), "one call for six requests");
    assert_eq!(pair.breaker(), EndpointState::Closed);
    let answers = join_all((0..6).map(|_| pair.ask(ASK))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "a ramp would spare nobody");
    assert_eq!(pair.calls(), (10, 0));
}

#[tokio::test]
async fn f61_nobody_waits_for_the_end_of_a_trial_that_answers() {
    let clock = manual();
    let left = parking_lot::Mutex::new(3);
    let begun: Vec<String> = WELL.events().into_iter().take(2).collect();
    let one = ScriptedUpstream::start_with(move |_| {
        let mut left = left.lock();
        *left -= 1;
        Some(match *left {
            0.. => Reply::error(500, "x", "oh"),
            -1 => Reply::sse(begun.clone()).ending(ReplyEnding::Stall),
            _ => Reply::chat(&WELL),
        })
    });
    let one = one.await.expect("an upstream");
    let url = one.base_url();
    let pair =
        Pair::between((one, url), healthy().await, &["one"], single(&clock, network())).await;
    pair.statuses(3).await;
    clock.advance(SOLE_TRIAL_AFTER);
    let mut trial = pair.world.begin_chat(ASK_STREAM).await;
    let mut seen = String::new();
    while !seen.contains("all") {
        seen += &String::from_utf8_lossy(&trial.read_some().await.expect("bytes"));
    }
    assert_eq!(pair.statuses(3).await, [200, 200, 200], "while its stream still goes on");
}

#[tokio::test]
async fn f61_with_a_stand_in_the_way_back_is_gradual() {
    let clock = manual();
    let one = mended_after(3, Duration::ZERO).await;
    let pair =
        Pair::between(one, healthy().await, &["one", "two"], single(&clock, network())).await;
    assert_eq!(pair.statuses(4).await, [502, 502, 502, 200]);
    clock.advance(Duration::from_secs(6));
    for _ in 0..2_000 {
        assert_eq!(pair.ask(ASK).await.status, 200);
        if pair.breaker() == EndpointState::Closed {
            break;
        }
    }
    let path: Vec<_> = pair.world.seen.transitions().iter().map(|t| t.to).collect();
    use TransitionState::{Closed, HalfOpen, Open, Recovering};
    assert_eq!(path, [Open, HalfOpen, Recovering, Closed]);
}

#[tokio::test]
async fn f61_a_failed_trial_opens_it_for_longer() {
    let clock = manual();
    let pair = Pair::alone(failing(), single(&clock, network())).await;
    pair.statuses(3).await;
    clock.advance(Duration::from_secs(6));
    assert_eq!(pair.statuses(3).await, [502, 503, 503]);
    assert_eq!((pair.calls(), pair.breaker()), ((4, 0), EndpointState::Open));
    let Availability::Closed { until: Some(until), .. } =
        pair.world.registry.availability(&endpoint("one"), "gpt")
    else {
        panic!("not open");
    };
    let open_secs = until.since(clock.now()).as_secs();
    assert!((8..=12).contains(&open_secs), "10 s now, and a fifth more or less: {open_secs}");
    // Nothing else can answer, so it is tried once a second all the same, and not more often.
    clock.advance(Duration::from_millis(900));
    assert_eq!(pair.statuses(1).await, [503]);
    clock.advance(Duration::from_millis(100));
    assert_eq!(pair.statuses(2).await, [502, 503]);
}

#[tokio::test]
async fn a_trial_whose_client_leaves_gives_its_place_back() {
    let clock = manual();
    let one = mended_after(3, Duration::from_secs(60)).await;
    let pair = Pair::between(one, healthy().await, &["one"], single(&clock, network())).await;
    pair.statuses(3).await;
    clock.advance(Duration::from_secs(6));
    let client = pair.world.begin_chat(ASK).await;
    pair.one.wait_for_requests(4).await;
    assert_eq!(pair.statuses(1).await, [503], "its trial is out");
    drop(client);
    pair.world.seen.wait_settled(5).await;
    while pair.world.registry.availability(&endpoint("one"), "gpt") != Availability::Trial {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_429_cools_down_for_exactly_as_long_as_it_says() {
    let clock = manual();
    let first = Reply::rate_limited(7);
    let one = ScriptedUpstream::start([first, Reply::chat(&WELL), Reply::chat(&WELL)]).await;
    let one = one.expect("an upstream");
    let url = one.base_url();
    let pair =
        Pair::between((one, url), healthy().await, &["one"], single(&clock, network())).await;
    assert_eq!(said(&pair.ask(ASK).await), (429, Some("7"), None));
    assert_eq!(said(&pair.ask(ASK).await), (429, Some("7"), Some("false")));
    clock.advance(Duration::from_micros(6_999_999));
    assert_eq!(said(&pair.ask(ASK).await), (429, Some("1"), Some("false")));
    assert_eq!(pair.calls(), (1, 0), "not a moment early");
    assert_eq!(pair.breaker(), EndpointState::Closed, "a rate limit is no failure");
    assert_eq!(pair.ask(&ASK.replace("gpt", "other")).await.status, 200, "of that model alone");
    clock.advance(Duration::from_micros(1));
    assert_eq!(pair.ask(ASK).await.status, 200, "and not a moment late");
}

#[tokio::test]
async fn a_429_that_names_no_usable_wait_hands_on_the_wait_that_follows() {
    let clock = manual();
    for garbled in [None, Some("soon")] {
        let reply = Reply::error(429, "rate_limit_error", "slow down");
        let reply = garbled.map_or(reply.clone(), |wait| reply.header("retry-after", wait));
        let pair = Pair::alone(At::Replying(reply), single(&clock, network())).await;
        assert_eq!(said(&pair.ask(ASK).await), (429, Some("5"), None));
        assert_eq!(said(&pair.ask(ASK).await), (429, Some("5"), Some("false")), "as it is held to");
        assert_eq!(pair.calls(), (1, 0));
    }
}

#[tokio::test]
async fn while_it_cools_down_the_second_answers() {
    let clock = manual();
    let pair = Pair::of(At::Replying(Reply::rate_limited(7)), single(&clock, network())).await;
    assert_eq!(pair.statuses(4).await, [429, 200, 200, 200]);
    assert_eq!(pair.calls(), (1, 3));
    clock.advance(Duration::from_secs(7));
    assert_eq!(pair.statuses(2).await, [429, 200]);
    assert_eq!(pair.calls(), (2, 4));
}

#[tokio::test]
async fn f40_a_daily_quota_is_waited_for_and_not_tried() {
    let clock = manual();
    let quota = r#"{"error":{"code":429,"message":"You exceeded your current quota.",
        "status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure",
         "violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"39600s"}]}}"#;
    let reply = Reply::body(429, "application/json", quota);
    let mut limits = limits(network());
    limits.clock = clock.clone();
    let pair = Pair::of(At::Gemini(reply), limits).await;
    let answer = pair.ask(ASK).await;
    assert_eq!((answer.status, pair.calls()), (200, (1, 1)), "the second answers");
    let cooling = |pair: &Pair| pair.world.registry.availability(&endpoint("one"), "gpt");
    let Availability::Closed { until: Some(until), .. } = cooling(&pair) else {
        panic!("{:?}", cooling(&pair));
    };
    assert_eq!(until.since(clock.now()), Duration::from_secs(39_600));
    clock.advance(Duration::from_secs(39_599));
    assert_eq!(pair.statuses(3).await, [200, 200, 200]);
    assert_eq!(pair.calls(), (1, 4));
    clock.advance(Duration::from_secs(1));
    assert_eq!((pair.ask(ASK).await.status, pair.calls()), (200, (2, 5)));
}

#[tokio::test]
async fn a_rejected_key_is_not_used_again_until_it_is_replaced() {
    let clock = manual();
    let replies = [Reply::error(401, "x", "who"), Reply::chat(&WELL)];
    let one = ScriptedUpstream::start(replies).await.expect("an upstream");
    let url = one.base_url();
    let pair =
        Pair::between((one, url), healthy().await, &["one"], single(&clock, network())).await;
    assert_eq!(said(&pair.ask(ASK).await), (403, None, Some("false")));
    clock.advance(Duration::from_secs(86_400));
    let answer = pair.ask(ASK).await;
    assert_eq!(said(&answer), (403, None, Some("false")));
    assert_eq!(answer.json()["error"]["code"], "backend_key_rejected");
    assert_eq!(pair.calls(), (1, 0));
    pair.world.registry.lift_after_credential_change(&CredentialId::new("one-key").expect("an id"));
    assert_eq!(pair.ask(ASK).await.status, 200);
}

#[tokio::test]
async fn a_limit_of_a_key_that_was_replaced_meanwhile_is_none_of_the_new_one() {
    let clock = manual();
    let registry: Arc<OnceLock<Arc<EndpointRegistry>>> = Arc::default();
    let replacing = Arc::clone(&registry);
    let one = ScriptedUpstream::start_with(move |_| {
        let Some(registry) = replacing.get() else { return Some(Reply::chat(&WELL)) };
        registry.lift_after_credential_change(&CredentialId::new("one-key").expect("an id"));
        Some(Reply::rate_limited(600))
    });
    let one = one.await.expect("an upstream");
    let url = one.base_url();
    let pair =
        Pair::between((one, url), healthy().await, &["one"], single(&clock, network())).await;
    registry.set(Arc::clone(&pair.world.registry)).unwrap_or_else(|_| panic!("set once"));
    assert_eq!(pair.ask(ASK).await.status, 429);
    assert_eq!(pair.world.registry.availability(&endpoint("one"), "gpt"), Availability::Ready);
}

#[tokio::test]
async fn held_open_by_hand_nothing_is_sent_there() {
    let clock = manual();
    let pair = Pair::of(At::Replying(Reply::chat(&WELL)), single(&clock, network())).await;
    pair.world.registry.force(
        &endpoint("one"),
        BreakerOverride::Open,
        Some(Duration::from_secs(900)),
    );
    assert_eq!(pair.statuses(2).await, [200, 200]);
    assert_eq!(pair.calls(), (0, 2));
    pair.world.registry.force(
        &endpoint("two"),
        BreakerOverride::Open,
        Some(Duration::from_secs(60)),
    );
    let answer = pair.ask(ASK).await;
    assert_eq!(said(&answer), (503, Some("60"), Some("false")), "{}", answer.text());
    clock.advance(Duration::from_secs(900));
    assert_eq!(pair.statuses(1).await, [200]);
    assert_eq!(pair.calls(), (1, 2));
}

#[tokio::test]
async fn when_all_are_open_the_first_to_reopen_is_tried_once() {
    let clock = manual();
    let one = mended_after(3, Duration::ZERO).await;
    let two = always(Reply::error(500, "x", "oh")).await;
    let pair = Pair::between(one, two, &["one", "two"], single(&clock, network())).await;
    // One attempt per request: three for the first until it opens, three for the second, and after
    // a second the trial of the first, which has recovered.
    assert_eq!(pair.statuses(7).await, [502, 502, 502, 502, 502, 502, 503]);
    clock.advance(SOLE_TRIAL_AFTER);
    assert_eq!(pair.statuses(2).await, [200, 200]);
    assert_eq!(pair.calls(), (5, 3));
    assert_eq!(pair.breaker(), EndpointState::Closed);
    let rules: Vec<_> = pair.world.seen.transitions().iter().map(|t| t.rule.word()).collect();
    let expected = ["failures-in-a-row", "failures-in-a-row", "nothing-else", "trials-passed"];
    assert_eq!(rules, expected);
}

#[tokio::test]
async fn a_dead_provider_and_a_retrying_client_do_not_multiply() {
    let network = network();
    for candidates in [&["one"][..], &["one", "two"]] {
        let clock = manual();
        let mut limits = limits(Arc::clone(&network));
        limits.clock = clock.clone();
        let dead = || Reply::error(500, "x", "oh");
        let pair = Pair::over(At::Replying(dead()), always(dead()).await, candidates, limits).await;
        // Until each breaker is open.
        pair.statuses(6).await;
        let (one, two) = pair.calls();
        let before = one + two;
        let calls = 100;
        for _ in 0..calls {
            // The client's own three attempts; it ignores our retry advice.
            assert!(pair.statuses(3).await.iter().all(|status| *status >= 500));
            clock.advance(Duration::from_secs(1));
        }
        let (one, two) = pair.calls();
        let more = one + two - before;
        println!("{candidates:?}: {more} upstream calls for {calls} of the client");
        assert!(more * 10 <= calls * 12, "{more} upstream calls for {calls} of the client");
    }
}
