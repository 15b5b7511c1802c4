//! Round trips: requests, attempts, runs, health, prices.

use std::time::Duration;

use domain::{
    CheckSet, ClientId, CredentialId, HealthState, Meter, NanoUsd, ReadinessVerdict, RequestId,
    RunId, SeededEntropy,
};
use pricing::{Cost, Price, PriceConfidence, PriceTerms, Rate, Rates};

use super::{LedgerFixture, at, attempt, backend, request, settlement};
use crate::requests::request_query::REQUESTS_EXAMINED_MAX;
use crate::{
    ATTEMPTS_MAX, CacheOutcome, GroupBy, HEALTH_LOG_ENTRIES_MAX, HealthChange, NAME_CHARS_MAX,
    Purpose, REQUESTS_PAGE_ROWS_MAX, RUNS_KEPT_MAX, ReadinessRunRecord, ReadinessRunSummary,
    RequestOutcome, RequestQuery, RequestState, SENTENCE_CHARS_MAX, Settlement, Timings,
    USAGE_RAW_BYTES_MAX, UsageBasis,
};

#[tokio::test]
async fn a_settled_request_is_read_back_as_it_was_written() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let settlement = settlement(1);
    ledger.reserve(settlement.request.clone()).expect("room");
    ledger.settle(settlement.clone()).await.expect("settled");
    let (row, attempts) =
        ledger.request(settlement.request.id).await.expect("read").expect("a row");
    assert_eq!(attempts, settlement.attempts);
    assert_eq!((row.request, row.state), (settlement.request, RequestState::Complete));
    assert_eq!((row.usage, row.cost), (settlement.usage, settlement.cost));
    assert_eq!(row.usage_basis, settlement.usage_basis);
    assert_eq!(row.usage_raw, settlement.usage_raw);
    assert_eq!((row.timings, row.cache), (settlement.timings, settlement.cache));
    assert_eq!((row.cache_reason, row.saved), (settlement.cache_reason, None));
    assert_eq!((row.wasted, row.unpriced_attempts), (NanoUsd::new(234_000), 0));
    let decision = ledger.routing_decision(request(1).id).await.expect("read");
    assert_eq!(decision, settlement.decision);
    assert_eq!((row.backend, row.credential), (settlement.backend, settlement.credential));
    assert_eq!((row.http_status, row.attempts), (Some(200), 2));
    assert_eq!((row.bytes_in, row.bytes_out), (700, 1_900));
    assert_eq!(row.model_billed, settlement.model_billed);
    assert_eq!(row.finish_reason, settlement.finish_reason);
    assert_eq!((row.error_class, row.ended), (None, Some(settlement.ended)));
    assert_eq!(row.error_message, None);
    assert_eq!(row.explanation, settlement.explanation);
}

#[tokio::test]
async fn what_is_not_known_stays_unknown() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut settlement = settlement(1);
    settlement.usage = None;
    settlement.cost = Cost::Unpriced;
    settlement.backend = None;
    settlement.credential = None;
    settlement.timings = Timings::default();
    settlement.attempts.clear();
    for (number, cost) in
        [(1, Cost::Unpriced), (2, Cost::NotBilled), (3, Cost::Reported(NanoUsd::new(5)))]
    {
        settlement.request = request(number);
        settlement.cost = cost.clone();
        ledger.settle(settlement.clone()).await.expect("settled");
        let row = ledger.request(settlement.request.id).await.expect("read").expect("a row").0;
        assert_eq!((row.usage, row.cost, row.backend), (None, cost, None));
        assert_eq!(row.timings, Timings::default());
    }
    assert_eq!(ledger.request(request(9).id).await.expect("read"), None);
}

#[tokio::test]
async fn how_counts_are_known_is_kept_beside_them() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let raw = |bytes: usize| Some("7".repeat(bytes));
    let check = async |number, usage, basis, said: Option<String>, kept, kept_raw| {
        let mut settlement =
            Settlement { usage, usage_basis: basis, usage_raw: said, ..settlement(1) };
        settlement.request = request(number);
        settlement.cost = Cost::Unpriced;
        ledger.settle(settlement).await.expect("settled");
        let row = ledger.request(request(number).id).await.expect("read").expect("a row").0;
        assert_eq!((row.usage, row.usage_basis, row.usage_raw), (usage, kept, kept_raw));
    };
    let usage = settlement(1).usage;
    let (adjusted, estimated) = (Some(UsageBasis::Adjusted), Some(UsageBasis::Estimated));
    let most = raw(USAGE_RAW_BYTES_MAX);
    check(1, usage, adjusted, most.clone(), adjusted, most.clone()).await;
    check(2, usage, estimated, None, estimated, None).await;
    check(3, usage, adjusted, raw(USAGE_RAW_BYTES_MAX + 1), adjusted, None).await;
    // The backend's usage object is kept even if no count could be read from it.
    check(4, None, adjusted, most.clone(), None, most).await;
    check(5, usage, None, None, None, None).await;
}

#[tokio::test]
async fn pages_go_from_new_to_old_without_gap_and_filters_hold() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 1..=9 {
        let mut settlement = settlement(number);
        if number % 2 == 0 {
            settlement.request.client = ClientId::new("shell").expect("a name");
        }
        if number % 3 == 0 {
            settlement.outcome = RequestOutcome::Failed;
            settlement.backend = Some(backend("away"));
        }
        if number == 5 {
            settlement.request.purpose = Purpose::Check;
        }
        ledger.settle(settlement).await.expect("settled");
    }
    ledger.reserve(request(10)).expect("room");
    ledger.settle(settlement(11)).await.expect("settled");
    let check = async |query: RequestQuery, expected: &[u32]| {
        let rows = ledger.requests(query.clone()).await.expect("read");
        let found: Vec<_> = rows.iter().map(|row| row.request.id).collect();
        let expected: Vec<RequestId> = expected.iter().map(|number| request(*number).id).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    let newest = RequestQuery::newest(4);
    check(newest.clone(), &[11, 10, 9, 8]).await;
    let before = |number| RequestQuery { before: Some(request(number).id), ..newest.clone() };
    check(before(8), &[7, 6, 4, 3]).await;
    check(before(3), &[2, 1]).await;
    let shell = ClientId::new("shell").ok();
    check(RequestQuery { client: shell.clone(), ..newest.clone() }, &[8, 6, 4, 2]).await;
    let away = Some(backend("away"));
    check(RequestQuery { backend: away, ..newest.clone() }, &[9, 6, 3]).await;
    let state = |state| RequestQuery { state: Some(state), ..newest.clone() };
    check(state(RequestState::Failed), &[9, 6, 3]).await;
    check(state(RequestState::Running), &[10]).await;
    check(state(RequestState::Complete), &[11, 8, 7, 4]).await;
    check(RequestQuery { client: shell, ..state(RequestState::Failed) }, &[6]).await;
    check(RequestQuery { purpose: Some(Purpose::Check), ..newest }, &[5]).await;
}

#[tokio::test]
async fn requests_are_found_by_route_model_status_and_time() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 1..=8 {
        let mut settlement = settlement(number);
        if number % 2 == 0 {
            (settlement.outcome, settlement.http_status) = (RequestOutcome::Failed, Some(503));
            settlement.model_billed = None;
        }
        if number % 4 == 0 {
            settlement.http_status = Some(404);
            settlement.request.route = "slow".to_owned();
            settlement.request.model_asked = "gpt-4.1".to_owned();
        }
        ledger.settle(settlement).await.expect("settled");
    }
    let check = async |query: RequestQuery, expected: &[u32]| {
        let query = RequestQuery { limit: 9, ..query };
        let rows = ledger.requests(query.clone()).await.expect("read");
        let found: Vec<_> = rows.iter().map(|row| row.request.id).collect();
        let expected: Vec<RequestId> = expected.iter().map(|number| request(*number).id).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    let all = RequestQuery::newest(9);
    let status = |range| RequestQuery { http_status: Some(range), ..all.clone() };
    check(status(503..=503), &[6, 2]).await;
    check(status(400..=599), &[8, 6, 4, 2]).await;
    check(status(200..=299), &[7, 5, 3, 1]).await;
    check(RequestQuery { state: Some(RequestState::Failed), ..status(404..=404) }, &[8, 4]).await;
    let route = Some("slow".to_owned());
    check(RequestQuery { route: route.clone(), ..all.clone() }, &[8, 4]).await;
    let model = |name: &str| RequestQuery { model: Some(name.to_owned()), ..all.clone() };
    check(model("gpt-4.1"), &[8, 4]).await;
    check(model("gpt-4.1-2025-04-14"), &[7, 5, 3, 1]).await;
    check(model("fast"), &[7, 6, 5, 3, 2, 1]).await;
    check(RequestQuery { before: Some(request(6).id), ..model("fast") }, &[5, 3, 2, 1]).await;
    check(RequestQuery { route, ..model("fast") }, &[]).await;
    check(model("gpt"), &[]).await;
    check(model("gpt*"), &[8, 7, 5, 4, 3, 1]).await;
    check(model("*4.1"), &[8, 4]).await;
    check(model("f?st*"), &[]).await;
    check(model("[f]ast*"), &[]).await;
    let since = |ms| RequestQuery { since: Some(at(ms)), ..all.clone() };
    check(since(7_000), &[8, 7]).await;
    check(RequestQuery { until: Some(at(8_000)), ..since(6_001) }, &[7]).await;
    let until = RequestQuery { until: Some(at(3_000)), ..all.clone() };
    check(until.clone(), &[2, 1]).await;
    check(RequestQuery { before: Some(request(2).id), ..until }, &[1]).await;
}

#[tokio::test]
async fn requests_are_found_by_failure_project_key_cache_cost_and_time_taken() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 1..=6 {
        let mut settlement = settlement(number);
        settlement.timings.total = Some(Duration::from_secs(number.into()));
        settlement.cost = Cost::Reported(NanoUsd::new(100 * i64::from(number)));
        match number {
            2 => settlement.request.project = None,
            3 => settlement.credential = CredentialId::new("other-key").ok(),
            4 => {
                (settlement.outcome, settlement.cache) =
                    (RequestOutcome::Failed, CacheOutcome::Bypass);
                settlement.error_class = Some("overloaded".to_owned());
                for attempt in &mut settlement.attempts {
                    attempt.class = Some("rate-limited".to_owned());
                }
            }
            5 => settlement.cost = Cost::Unpriced,
            6 => (settlement.backend, settlement.credential) = (None, None),
            _ => {}
        }
        ledger.settle(settlement).await.expect("settled");
    }
    ledger.reserve(request(7)).expect("room");
    ledger.settle(settlement(8)).await.expect("settled");
    let check = async |query: RequestQuery, expected: &[u32]| {
        let rows = ledger.requests(query.clone()).await.expect("read");
        let found: Vec<_> = rows.iter().map(|row| row.request.id).collect();
        let expected: Vec<RequestId> = expected.iter().map(|number| request(*number).id).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    let all = RequestQuery { until: Some(at(7_500)), ..RequestQuery::newest(9) };
    let text = |text: &str| Some(text.to_owned());
    let failure = |word| RequestQuery { failure: text(word), ..all.clone() };
    check(failure("rate-limited"), &[4]).await;
    check(failure("overloaded"), &[4]).await;
    check(failure("first-token-timeout"), &[6, 5, 3, 2, 1]).await;
    let second = RequestQuery { limit: 2, ..failure("first-token-timeout") };
    check(RequestQuery { before: Some(request(5).id), ..second }, &[3, 2]).await;
    check(failure("dns"), &[]).await;
    let project = text("website");
    check(RequestQuery { project: project.clone(), ..all.clone() }, &[7, 6, 5, 4, 3, 1]).await;
    check(RequestQuery { project, ..failure("overloaded") }, &[4]).await;
    let credential = CredentialId::new("other-key").ok();
    check(RequestQuery { credential, ..all.clone() }, &[3]).await;
    let without = |dimension| RequestQuery { without: vec![dimension], ..all.clone() };
    let ended = |query| RequestQuery { ended_since: Some(at(0)), ..query };
    check(without(GroupBy::Project), &[2]).await;
    check(ended(without(GroupBy::Backend)), &[6]).await;
    check(ended(without(GroupBy::Credential)), &[6]).await;
    check(without(GroupBy::Route), &[]).await;
    check(RequestQuery { project: text("website"), ..without(GroupBy::Backend) }, &[7, 6]).await;
    // What is asked about attempts is answered by those: none was made without a backend.
    check(RequestQuery { is_unpriced: true, ..ended(without(GroupBy::Backend)) }, &[]).await;
    check(RequestQuery { cache: Some(CacheOutcome::Miss), ..all.clone() }, &[6, 5, 3, 2, 1]).await;
    let cost = |min, max| RequestQuery {
        cost_min: Some(NanoUsd::new(min)),
        cost_max: Some(NanoUsd::new(max)),
        ..all.clone()
    };
    check(cost(200, 400), &[4, 3, 2]).await;
    check(cost(0, 10_000), &[6, 4, 3, 2, 1]).await;
    let settled = Some(RequestState::Complete);
    check(RequestQuery { is_unpriced: true, state: settled, ..all.clone() }, &[5]).await;
    let took = |min, max| RequestQuery {
        took_min: Some(Duration::from_secs(min)),
        took_max: Some(Duration::from_secs(max)),
        ..all.clone()
    };
    check(took(2, 3), &[3, 2]).await;
    check(RequestQuery { ended_since: Some(at(5_900)), ..all.clone() }, &[6, 5]).await;
}

#[tokio::test]
async fn a_filter_that_matches_rarely_returns_a_cursor_and_goes_on_from_it() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let dear = Settlement { cost: Cost::Reported(NanoUsd::new(7_000_000)), ..settlement(1) };
    ledger.settle(dear).await.expect("settled");
    let count = u32::try_from(REQUESTS_EXAMINED_MAX).expect("small") + 1;
    for number in 2..=count {
        ledger.reserve(request(number)).expect("room");
    }
    let query = RequestQuery { cost_min: Some(NanoUsd::new(7_000_000)), ..RequestQuery::newest(9) };
    let first = ledger.request_page(query.clone()).await.expect("read");
    assert!(first.rows.is_empty() && first.is_cut);
    assert_eq!(first.next, Some(request(2).id), "the oldest one that was looked at");
    let second = ledger.request_page(RequestQuery { before: first.next, ..query }).await;
    let second = second.expect("read");
    assert_eq!((second.rows.len(), second.next, second.is_cut), (1, None, false));
}

#[tokio::test]
async fn a_page_has_at_most_its_limit() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let count = u32::try_from(REQUESTS_PAGE_ROWS_MAX).expect("small") + 1;
    for number in 1..=count {
        ledger.reserve(request(number)).expect("room");
    }
    ledger.settle(settlement(count)).await.expect("settled");
    let rows = ledger.requests(RequestQuery::newest(usize::MAX)).await.expect("read");
    assert_eq!(rows.len(), REQUESTS_PAGE_ROWS_MAX);
}

#[tokio::test]
async fn hostile_and_endless_text_is_only_text() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut settlement = settlement(1);
    let hostile = "'); DROP TABLE requests; --";
    settlement.request.model_asked = hostile.to_owned();
    settlement.request.project = Some(hostile.to_owned());
    settlement.model_billed = Some(format!("{hostile}\0{}", "x".repeat(NAME_CHARS_MAX)));
    settlement.explanation = Some("y".repeat(SENTENCE_CHARS_MAX + 1));
    settlement.error_message = Some("e".repeat(SENTENCE_CHARS_MAX + 1));
    settlement.attempts = vec![attempt("home", Some(hostile)); ATTEMPTS_MAX + 1];
    ledger.settle(settlement.clone()).await.expect("settled");
    let (row, attempts) =
        ledger.request(settlement.request.id).await.expect("read").expect("a row");
    assert_eq!(row.request.model_asked, hostile);
    let billed = row.model_billed.expect("a model");
    assert!(billed.starts_with("'); DROP TABLE requests; --\u{fffd}x"));
    assert_eq!(billed.chars().count(), NAME_CHARS_MAX);
    assert_eq!(row.explanation.map(|text| text.len()), Some(SENTENCE_CHARS_MAX));
    assert_eq!(row.error_message.map(|text| text.len()), Some(SENTENCE_CHARS_MAX));
    assert_eq!(attempts.len(), ATTEMPTS_MAX);
    assert_eq!(attempts[0].error_class.as_deref(), Some(hostile));
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

#[tokio::test]
async fn why_a_backend_was_chosen_is_stored_once_and_goes_with_the_last_request() {
    const DAY_S: u32 = 24 * 3_600;
    let place = LedgerFixture::new();
    let ledger = place.open();
    let other = |number| Settlement { decision: None, ..settlement(number) };
    let neither = Settlement { explanation: None, ..other(3) };
    for ended in [settlement(1), settlement(DAY_S), other(2), neither] {
        ledger.settle(ended).await.expect("settled");
    }
    let count = || -> i64 {
        let sql = "SELECT count(*) FROM explanations";
        place.raw().query_row(sql, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(count(), 2);
    for (number, has_explanation, has_decision) in
        [(1, true, true), (2, true, false), (3, false, false), (DAY_S, true, true)]
    {
        let id = request(number).id;
        let row = ledger.request(id).await.expect("read").expect("a row").0;
        assert_eq!(row.explanation, settlement(number).explanation.filter(|_| has_explanation));
        let decision = ledger.routing_decision(id).await.expect("read");
        assert_eq!(decision, settlement(number).decision.filter(|_| has_decision));
    }
    let next_day = at(i64::from(DAY_S) * 1_000 - 9_000);
    assert_eq!(ledger.purge_before(next_day).await.expect("purged"), 3);
    assert_eq!(count(), 1);
    let sql = "SELECT requests FROM request_count";
    let left: i64 = place.raw().query_row(sql, [], |row| row.get(0)).expect("a count");
    assert_eq!(left, 1);
    let decision = ledger.routing_decision(request(DAY_S).id).await.expect("read");
    assert_eq!(decision, settlement(DAY_S).decision);
}

#[tokio::test]
async fn old_requests_go_with_their_attempts_and_their_sums_stay() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 0..1_200 {
        let mut settlement = settlement(number);
        settlement.attempts.truncate(1);
        if number % 100 == 99 {
            ledger.settle(settlement).await.expect("settled");
        } else {
            drop(tokio::join!(ledger.settle(settlement), async {}));
        }
    }
    ledger.reserve(request(1_200)).expect("room");
    let spent = ledger.spend(at(0), at(3_600_000)).await.expect("read");
    assert_eq!(ledger.purge_before(at(1_100_000)).await.expect("purged"), 1_100);
    assert_eq!(ledger.purge_before(at(9_999_000)).await.expect("purged"), 100);
    let rest = ledger.requests(RequestQuery::newest(9)).await.expect("read");
    assert_eq!(rest.len(), 1, "a running request is never deleted");
    let attempts: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM attempts", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(attempts, 0);
    assert_eq!(ledger.spend(at(0), at(3_600_000)).await.expect("read"), spent);
    assert_eq!(spent.requests, 1_200);
}

#[tokio::test]
async fn the_last_runs_are_kept() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let entropy = SeededEntropy::new(3);
    let kept = i64::try_from(RUNS_KEPT_MAX).expect("small");
    let mut ids = Vec::new();
    for number in 0..=kept + 1 {
        let started = at(number * 1_000);
        let summary = ReadinessRunSummary {
            id: RunId::generate(started, &entropy),
            started,
            ended: at(number * 1_000 + 500),
            set: if number == 1 { CheckSet::Full } else { CheckSet::Quick },
            score: 93,
            verdict: ReadinessVerdict::Ready,
        };
        ids.push(summary.id);
        ledger
            .record_run(ReadinessRunRecord { summary, report: "{\"checks\":[]}".to_owned() })
            .await
            .expect("kept");
    }
    let runs = ledger.runs(usize::MAX).await.expect("read");
    assert_eq!(runs.len(), RUNS_KEPT_MAX);
    assert_eq!((runs[0].id, runs[0].score), (ids[RUNS_KEPT_MAX + 1], 93));
    assert_eq!(ledger.run(ids[0]).await.expect("read"), None);
    let full = ledger.last_run(CheckSet::Full).await.expect("read").expect("it is kept");
    assert_eq!(full.id, ids[1], "the last full run, though 200 others came after it");
    let quick = ledger.last_run(CheckSet::Quick).await.expect("read").expect("a run");
    assert_eq!(quick.id, ids[RUNS_KEPT_MAX + 1]);
    let run = ledger.run(ids[2]).await.expect("read").expect("a run");
    assert_eq!(
        (run.report.as_str(), run.summary.verdict),
        ("{\"checks\":[]}", ReadinessVerdict::Ready)
    );
}

#[tokio::test]
async fn health_survives_a_restart_and_its_log_is_limited() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let change = |name: &str, from: Option<HealthState>, to, ms| HealthChange {
        backend: backend(name),
        from,
        to,
        at: at(ms),
        reason: format!("seen at {ms}"),
    };
    let other = change("other", None, HealthState::Up, 0);
    ledger.record_health(other.clone()).await.expect("kept");
    let limit = i64::try_from(HEALTH_LOG_ENTRIES_MAX).expect("small");
    for ms in 0..=limit {
        ledger
            .record_health(change("home", Some(HealthState::Up), HealthState::Down, ms))
            .await
            .expect("kept");
    }
    drop(ledger);
    let ledger = place.open();
    let rows = ledger.health().await.expect("read");
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].backend.as_str(), rows[0].state), ("home", HealthState::Down));
    assert_eq!((rows[0].since, rows[0].reason.as_str()), (at(limit), "seen at 1000"));
    let log = ledger.health_log(backend("home"), usize::MAX).await.expect("read");
    assert_eq!(log.len(), HEALTH_LOG_ENTRIES_MAX);
    assert_eq!((log[0].at, log[log.len() - 1].at), (at(limit), at(1)));
    assert_eq!(ledger.health_log(backend("other"), 5).await.expect("read"), [other]);
    // Those of a time, however many came after it.
    let range = (at(3), at(5));
    let past = ledger.health_log_between(backend("home"), range, 2).await.expect("read");
    assert_eq!(past.iter().map(|it| it.at).collect::<Vec<_>>(), [at(5), at(4)]);
}

#[tokio::test]
async fn rows_with_words_of_a_newer_version_are_left_out() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let change = |name: &str| HealthChange {
        backend: backend(name),
        from: None,
        to: HealthState::Up,
        at: at(0),
        reason: String::new(),
    };
    ledger.record_health(change("known")).await.expect("kept");
    ledger.record_health(change("newer")).await.expect("kept");
    let sql = "UPDATE health SET state = 'sideways' WHERE backend = 'newer';
        UPDATE health_log SET to_state = 'sideways' WHERE backend = 'newer';
        INSERT INTO health_log (backend, from_state, to_state, at_ms, reason)
            VALUES ('newer', 'sideways', 'up', 1, ''), ('newer', 'down', 'up', 2, '');";
    place.raw().execute_batch(sql).expect("written");
    let rows = ledger.health().await.expect("read");
    assert_eq!(rows.iter().map(|row| row.backend.as_str()).collect::<Vec<_>>(), ["known"]);
    let log = ledger.health_log(backend("newer"), 9).await.expect("read");
    assert_eq!(
        log.iter().map(|change| change.at).collect::<Vec<_>>(),
        [domain::WallTime::from_unix_ms(2)]
    );
}

#[tokio::test]
async fn prices_are_kept_and_never_edited() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let terms = |nanos| PriceTerms::flat(Rates::from_iter([(Meter::Input, Rate::new(nanos))]));
    let price = Price::declared(&backend("home"), "llama", terms(7_000), at(0));
    ledger.add_prices(at(0), "a".to_owned(), vec![price.clone()]).await.expect("kept");
    let changed = Price { terms: terms(9_000), ..price.clone() };
    ledger.add_prices(at(1), "b".to_owned(), vec![changed]).await.expect("accepted");
    drop(ledger);
    let ledger = place.open();
    assert_eq!(ledger.price(price.id.clone()).await.expect("read"), Some(price.clone()));
    let book = ledger.price_book().await.expect("read");
    assert_eq!(book.find(&backend("home"), None, "llama", at(0)).as_deref(), Some(&price));
    assert_eq!(book.find(&backend("home"), None, "llama", at(-1)), None);
    for bundled in book.iter().filter(|price| price.confidence != PriceConfidence::Declared) {
        let kept = ledger.price(bundled.id.clone()).await.expect("read");
        assert_eq!(kept.as_ref(), Some(bundled));
    }
}
