//! Transitions, endpoint states across restarts, and the history of single attempts.

use std::time::Duration;

use domain::{CredentialId, Endpoint, RequestId, TokenUsage, WallTime};

use super::{LedgerFixture, NOW_MS, at, attempt, backend, request, settlement};
use crate::health::endpoint_states::{ENDPOINT_STATE_BYTES_MAX, ENDPOINT_STATES_MAX};
use crate::health::transitions::EVIDENCE_KEPT_MAX;
use crate::{
    AttemptEnd, AttemptOutcome, AttemptRecord, BypassCount, CacheOutcome, CommitStatus, GroupBy,
    LatencyGroupBy, LatencyPart, Ledger, ModelLatency, Purpose, RecentFirstToken, RequestOutcome,
    Settlement, StoredEndpointState, TRANSITIONS_KEPT_MAX, TRANSITIONS_PAGE_ROWS_MAX,
    TransitionQuery, TransitionRecord, UsageQuery,
};

fn endpoint(name: &str, key: Option<&str>) -> Endpoint {
    let credential = key.map(|key| CredentialId::new(key).expect("a name"));
    Endpoint { backend: backend(name), credential }
}

fn transition(name: &str, ms: i64) -> TransitionRecord {
    TransitionRecord {
        at: at(ms),
        endpoint: endpoint(name, Some("key")),
        model: None,
        from: "closed".to_owned(),
        to: "open".to_owned(),
        rule: "failures-in-a-row".to_owned(),
        evidence: vec![request(1).id, request(2).id],
        lasts: Some(Duration::from_secs(5)),
    }
}

fn note(ledger: &Ledger, transitions: Vec<TransitionRecord>) {
    ledger.record_endpoint_changes(transitions, Vec::new()).expect("kept");
}

fn query(name: Option<&str>, from: i64, to: i64) -> TransitionQuery {
    TransitionQuery { backend: name.map(backend), from: at(from), to: at(to), limit: 100 }
}

#[tokio::test]
async fn transitions_are_read_back_by_backend_and_time_newest_first() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let bare = TransitionRecord {
        endpoint: endpoint("home", None),
        model: Some("big".to_owned()),
        evidence: Vec::new(),
        lasts: None,
        ..transition("home", 30)
    };
    let (first, second) = (transition("home", 10), transition("away", 20));
    note(&ledger, vec![first.clone(), second.clone()]);
    note(&ledger, vec![bare.clone()]);
    drop(ledger);
    let ledger = place.open();
    let list = async |query| ledger.transitions(query).await.expect("read");
    assert_eq!(list(query(None, 0, 100)).await, [bare.clone(), second, first.clone()]);
    assert_eq!(list(query(Some("home"), 0, 100)).await, [bare.clone(), first.clone()]);
    // The end of a period is exclusive.
    assert_eq!(list(query(Some("home"), 10, 30)).await, [first]);
    assert_eq!(list(TransitionQuery { limit: 1, ..query(None, 0, 100) }).await, [bare]);
}

#[tokio::test]
async fn transitions_are_limited_by_backend_and_go_with_the_requests_of_their_time() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let kept = i64::try_from(TRANSITIONS_KEPT_MAX).expect("small");
    note(&ledger, vec![transition("away", 0)]);
    let flapping = (0..=kept).map(|ms| transition("home", ms)).collect();
    note(&ledger, flapping);
    let all = || ledger.transitions(query(None, 0, 1));
    all().await.expect("committed");
    let count = || -> i64 {
        let count = "SELECT count(*) FROM transitions WHERE backend = 'home'";
        place.raw().query_row(count, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(count(), kept);
    let page = TransitionQuery { limit: usize::MAX, ..query(None, 0, 1) };
    let others = ledger.transitions(page.clone()).await.expect("read");
    assert_eq!(others, [transition("away", 0)], "the oldest of the other went");
    let all = ledger.transitions(TransitionQuery { to: at(kept + 1), ..page }).await;
    assert_eq!(all.expect("read").len(), TRANSITIONS_PAGE_ROWS_MAX);
    ledger.purge_before(at(kept)).await.expect("purged");
    assert_eq!(count(), 1);
}

#[tokio::test]
async fn evidence_is_kept_up_to_its_limit_and_words_from_outside_are_cut() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let ids: Vec<RequestId> =
        (0..=u32::try_from(EVIDENCE_KEPT_MAX).expect("small")).map(|n| request(n).id).collect();
    let long = TransitionRecord {
        model: Some("m".repeat(crate::NAME_CHARS_MAX + 1)),
        evidence: ids.clone(),
        ..transition("home", 0)
    };
    note(&ledger, vec![long]);
    let read = ledger.transitions(query(None, 0, 1)).await.expect("read");
    assert_eq!(read[0].evidence, ids[..EVIDENCE_KEPT_MAX]);
    assert_eq!(read[0].model.as_ref().map(String::len), Some(crate::NAME_CHARS_MAX));
}

#[tokio::test]
async fn states_are_replaced_whole_and_survive_a_restart() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    assert_eq!(ledger.endpoint_states().await.expect("read"), []);
    let state = |name: &str, key: Option<&str>, bytes: usize| StoredEndpointState {
        endpoint: endpoint(name, key),
        saved: at(2),
        json: "7".repeat(bytes),
    };
    let first = StoredEndpointState { saved: at(1), ..state("gone", None, 3) };
    ledger.save_endpoint_states(vec![first]).await.expect("kept");
    let longest = state("home", None, ENDPOINT_STATE_BYTES_MAX);
    let second = state("home", Some("key"), 9);
    let too_long = state("home", Some("other"), ENDPOINT_STATE_BYTES_MAX + 1);
    let states = vec![longest.clone(), second.clone(), too_long];
    ledger.save_endpoint_states(states).await.expect("kept");
    drop(ledger);
    let ledger = place.open();
    assert_eq!(ledger.endpoint_states().await.expect("read"), [longest, second]);
    let many = (0..=ENDPOINT_STATES_MAX).map(|number| state(&format!("b{number}"), None, 2));
    ledger.save_endpoint_states(many.collect()).await.expect("kept");
    let kept = ledger.endpoint_states().await.expect("read");
    assert_eq!(kept.len(), ENDPOINT_STATES_MAX);
}

/// R16: a cooldown that began less than a second before a kill was forgotten.
#[tokio::test]
async fn a_change_is_in_the_file_before_the_settlement_after_it() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let state = |ms: i64, json: &str| StoredEndpointState {
        endpoint: endpoint("home", Some("key")),
        saved: at(ms),
        json: json.to_owned(),
    };
    let other = StoredEndpointState { endpoint: endpoint("away", None), ..state(1, "calm") };
    ledger.save_endpoint_states(vec![other.clone(), state(1, "closed")]).await.expect("kept");
    let changes = vec![transition("home", 2)];
    ledger.record_endpoint_changes(changes.clone(), vec![state(2, "open")]).expect("queued");
    assert_eq!(ledger.settle(settlement(1)).await.expect("settled"), CommitStatus::Committed);
    let killed = place.as_if_killed();
    let restarted = killed.open();
    let kept = restarted.endpoint_states().await.expect("read");
    assert_eq!(kept, [other.clone(), state(2, "open")]);
    assert_eq!(restarted.transitions(query(None, 0, 9)).await.expect("read"), changes);
    // A write that waited for a lock does not overwrite newer states.
    ledger.record_endpoint_changes(Vec::new(), vec![state(1, "older")]).expect("queued");
    assert_eq!(ledger.endpoint_states().await.expect("read"), [other, state(2, "open")]);
}

#[tokio::test]
async fn attempts_of_the_past_come_in_the_order_in_which_they_ended() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let tried = |name: &str, error: Option<&str>, ms: i64, took: u64| AttemptRecord {
        started: at(ms),
        duration: Duration::from_millis(took),
        ..attempt(name, error)
    };
    // The first request ends after the second; the third was cancelled.
    let mut first = settlement(1);
    first.attempts = vec![tried("away", Some("cut"), 1_000, 100), tried("home", None, 1_200, 900)];
    let mut second = settlement(2);
    second.attempts = vec![tried("home", None, 2_000, 50)];
    second.timings.first_token = None;
    let mut third = Settlement { outcome: RequestOutcome::Cancelled, ..settlement(3) };
    third.attempts = vec![tried("home", None, 3_000, 10)];
    for settlement in [&second, &third, &first] {
        ledger.settle(settlement.clone()).await.expect("settled");
    }
    ledger.reserve(request(4)).expect("room");
    let outcome = |name: &str, number, ms, end| AttemptOutcome {
        ended: at(ms),
        endpoint: endpoint(name, None),
        model: "gpt-4.1".to_owned(),
        request: request(number).id,
        end,
        class: (end == AttemptEnd::Failed).then(|| "first-token-timeout".to_owned()),
        http_status: (end != AttemptEnd::Failed).then_some(200),
        first_token: None,
    };
    let answered = AttemptOutcome {
        // 310 ms after the request arrived, 200 of them before this attempt started.
        first_token: Some(Duration::from_millis(110)),
        ..outcome("home", 1, 2_100, AttemptEnd::Answered)
    };
    let given_up = AttemptOutcome {
        first_token: Some(Duration::from_millis(310)),
        ..outcome("home", 3, 3_010, AttemptEnd::GivenUp)
    };
    let failed = outcome("away", 1, 1_100, AttemptEnd::Failed);
    let quick = outcome("home", 2, 2_050, AttemptEnd::Answered);
    let all = ledger.attempt_outcomes((at(0), at(100_000_000)), None).await.expect("read");
    assert_eq!(all, [failed.clone(), quick.clone(), answered.clone(), given_up.clone()]);
    let home = ledger
        .attempt_outcomes((at(0), at(100_000_000)), Some(backend("home")))
        .await
        .expect("read");
    assert_eq!(home, [quick.clone(), answered, given_up.clone()]);
    assert_eq!(
        ledger.attempt_outcomes((at(1_500), at(100_000_000)), None).await.expect("read"),
        [quick, given_up]
    );
    assert_eq!(
        ledger.attempt_outcomes((at(9_000), at(100_000_000)), None).await.expect("read"),
        []
    );
}

#[tokio::test]
async fn a_backends_time_begins_at_its_attempt_and_a_requests_at_its_arrival() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut settlement = settlement(1);
    let arrived = settlement.request.started;
    let attempted = arrived.plus_ms(3_000);
    let failed = AttemptRecord { started: arrived, ..attempt("away", Some("connect")) };
    let answering = AttemptRecord { started: attempted, ..attempt("home", None) };
    settlement.attempts = vec![failed, answering];
    settlement.backend = Some(backend("home"));
    settlement.timings.queue = Some(Duration::from_millis(100));
    settlement.timings.first_byte = Some(Duration::from_millis(3_200));
    settlement.timings.first_token = Some(Duration::from_millis(3_400));
    ledger.settle(settlement).await.expect("settled");
    let measured = async |group_by| {
        let query = UsageQuery::whole(at(0), at(100_000_000), GroupBy::Backend).expect("a range");
        let found = ledger.latencies(query, group_by, None).await.expect("read");
        let parts = match group_by {
            LatencyGroupBy::All => found.all,
            _ => found.groups[0].1.clone(),
        };
        // In tenths of a second, since a histogram is up to one percent off.
        [LatencyPart::Connect, LatencyPart::FirstToken]
            .map(|part| (parts[&part].max().as_millis() + 50) / 100)
    };
    for state in ["of the newest hour", "folded"] {
        assert_eq!(measured(LatencyGroupBy::All).await, [31, 34], "{state}");
        assert_eq!(measured(LatencyGroupBy::Route).await, [31, 34], "{state}");
        assert_eq!(measured(LatencyGroupBy::Backend).await, [2, 4], "{state}");
        assert_eq!(measured(LatencyGroupBy::Model).await, [2, 4], "{state}");
        ledger.wait_until_folded().await;
    }
}

#[tokio::test]
async fn how_fast_backends_are_is_reckoned_from_what_the_user_was_answered() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    assert_eq!(ledger.model_latencies((at(0), at(100_000_000))).await.expect("read"), []);
    for number in 1..=20 {
        let mut settlement = settlement(number);
        settlement.attempts =
            vec![AttemptRecord { started: settlement.request.started, ..attempt("home", None) }];
        settlement.timings.first_token = Some(Duration::from_millis(u64::from(number) * 10));
        let output_visible = u64::from(number);
        settlement.usage =
            Some(TokenUsage { output_visible, reasoning: 1, ..TokenUsage::default() });
        ledger.settle(settlement).await.expect("settled");
    }
    // None of these counts towards the speed.
    let mut others = [settlement(21), settlement(22), settlement(23)];
    others[0].outcome = RequestOutcome::Failed;
    others[1].request.purpose = Purpose::Check;
    (others[2].usage, others[2].usage_basis, others[2].timings.first_token) = (None, None, None);
    for settlement in others {
        ledger.settle(settlement).await.expect("settled");
    }
    let _written = ledger.spend(at(0), at(1)).await.expect("read");
    let pace = |ms| ModelLatency {
        backend: backend("home"),
        model: "gpt-4.1".to_owned(),
        first_token_p50: Duration::from_millis(ms),
    };
    assert_eq!(ledger.model_latencies((at(0), at(100_000_000))).await.expect("read"), [pace(100)]);
    assert_eq!(
        ledger.model_latencies((at(20_000), at(100_000_000))).await.expect("read"),
        [pace(200)]
    );
    let newest = RecentFirstToken {
        backend: backend("home"),
        model: "gpt-4.1".to_owned(),
        started: at(20_000),
        first_token: Duration::from_millis(200),
    };
    assert_eq!(
        ledger.recent_first_tokens((at(20_000), at(100_000_000))).await.expect("read"),
        [newest]
    );
    assert_eq!(ledger.recent_first_tokens((at(0), at(100_000_000))).await.expect("read").len(), 20);
    // What is later than now is from before the clock was set back.
    let until_now = (at(0), at(10_000));
    assert_eq!(ledger.recent_first_tokens(until_now).await.expect("read").len(), 10);
    assert_eq!(ledger.model_latencies(until_now).await.expect("read"), [pace(50)]);
    assert_eq!(ledger.attempt_outcomes(until_now, None).await.expect("read").len(), 10);
}

#[test]
fn the_past_is_read_over_keys_that_are_in_the_order_of_time() {
    let place = LedgerFixture::new();
    drop(place.open());
    let since = crate::requests::oldest_id_at(WallTime::from_unix_ms(NOW_MS));
    let end = crate::requests::oldest_id_after(WallTime::from_unix_ms(NOW_MS + 1_000));
    for (sql, parameters) in [
        (
            crate::requests::attempt_outcomes::OUTCOMES,
            rusqlite::params![since, None::<String>, 9, end],
        ),
        (crate::requests::attempt_outcomes::RECENT, rusqlite::params![since, 9, end]),
    ] {
        let plan = place.query_plan(sql, parameters);
        // `SCAN r` reads the result of the subquery, which its limit bounds.
        let scans = plan.matches("SCAN").count() - plan.matches("SCAN r").count();
        assert!(scans == 0 && !plan.contains("TEMP B-TREE"), "{plan}");
        assert!(plan.contains("USING PRIMARY KEY"), "{plan}");
    }
}

#[tokio::test]
async fn reasons_for_passing_the_cache_by_are_counted_once_each() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let bypass = |number, reason: Option<&str>| Settlement {
        cache: CacheOutcome::Bypass,
        cache_reason: reason.map(str::to_owned),
        ..settlement(number)
    };
    for settlement in [
        bypass(1, Some("not-deterministic")),
        bypass(1, Some("not-deterministic")),
        bypass(2, None),
        bypass(3, Some("not-deterministic")),
        settlement(4),
    ] {
        ledger.settle(settlement).await.expect("settled");
    }
    let bypasses = ledger.cache_bypasses(at(0), at(1)).await.expect("read");
    let counted = |reason: &str, requests| BypassCount { reason: reason.to_owned(), requests };
    assert_eq!(bypasses, [counted("not-deterministic", 2), counted("", 1)]);
    let later = ledger.cache_bypasses(at(3_600_000), at(7_200_000)).await.expect("read");
    assert_eq!(later, []);
}
