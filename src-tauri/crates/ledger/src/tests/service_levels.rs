//! Observed time: added, folded to days and bounded. Outcomes: the same short and long.

use std::time::Duration;

use domain::{HealthState, ServiceId, WallTime};

use super::{LedgerFixture, at, back_to_version_36, backend, settlement};
use crate::health::degraded_spans::DEGRADED_SPANS_KEPT_MAX;
use crate::health::observed_time::OBSERVED_DAYS_KEPT;
use crate::health::service_health::SERVICE_HEALTH_LOG_DAYS_KEPT;
use crate::health::watch_spans::WATCH_DAYS_KEPT;
use crate::requests::outcome_counts;
use crate::{
    DegradedSpan, Ledger, ObservedSubject, ObservedTimeRow, OutcomeDimension, OutcomePrecision,
    Purpose, RequestOutcome, SERVICE_HEALTH_LOG_ENTRIES_MAX, ServiceHealthRow, Settlement,
    WATCH_SPANS_KEPT_MAX, WatchSpan, WatchStart,
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn row(name: &str, slot: i64, good: u64, bad: u64) -> ObservedTimeRow {
    ObservedTimeRow {
        subject: ObservedSubject::Backend(backend(name)),
        slot: WallTime::from_unix_ms(slot),
        width: Duration::from_secs(3_600),
        good: Duration::from_secs(good),
        bad: Duration::from_secs(bad),
    }
}

#[tokio::test]
async fn a_service_with_the_name_of_a_backend_has_hours_of_its_own() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let service = |mut row: ObservedTimeRow| {
        row.subject = ObservedSubject::Service(ServiceId::new("home").expect("a name"));
        row
    };
    let start = 1_000 * DAY;
    let add = async |rows| ledger.add_observed_time(rows, Vec::new()).await.expect("written");
    add(vec![service(row("home", start, 60, 0)), row("home", start, 0, 30)]).await;
    add(vec![service(row("home", start, 10, 5))]).await;
    drop(ledger);
    let all = place.open().observed_time(WallTime::from_unix_ms(0)).await.expect("read");
    assert_eq!(all, [row("home", start, 0, 30), service(row("home", start, 70, 5))]);
}

#[tokio::test]
async fn the_latest_health_of_a_service_is_kept_and_what_was_before_it_is_in_the_log() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let row = |state, ms| ServiceHealthRow {
        service: ServiceId::new("store").expect("a name"),
        address: "tcp://db.test:5432".to_owned(),
        state,
        since: at(ms),
        reason: "it cannot be reached".to_owned(),
    };
    ledger.record_service_health(row(HealthState::Up, 0)).await.expect("kept");
    ledger.record_service_health(row(HealthState::Down, 7)).await.expect("kept");
    drop(ledger);
    let ledger = place.open();
    let kept = ledger.service_health().await.expect("read");
    assert_eq!(kept, [row(HealthState::Down, 7)]);
    let log = async || {
        let name = ServiceId::new("store").expect("a name");
        ledger.service_health_log(name).await.expect("read")
    };
    assert_eq!(log().await, [row(HealthState::Down, 7), row(HealthState::Up, 0)]);
    for ms in 0..i64::try_from(SERVICE_HEALTH_LOG_ENTRIES_MAX).expect("small") {
        ledger.record_service_health(row(HealthState::Up, 8 + ms)).await.expect("kept");
    }
    let full = log().await;
    assert_eq!(full.len(), SERVICE_HEALTH_LOG_ENTRIES_MAX);
    assert_eq!(full.last(), Some(&row(HealthState::Up, 8)), "the oldest are gone");
    // Long after, only what is not too old and the latest of another one is left, be it removed or not.
    let other = ServiceId::new("cache").expect("a name");
    let at_limit = full[1].since.unix_ms() + SERVICE_HEALTH_LOG_DAYS_KEPT * 86_400_000;
    for (ms, left) in [(at_limit, 2), (at_limit + 1, 1)] {
        let since = WallTime::from_unix_ms(ms);
        let later = ServiceHealthRow { service: other.clone(), since, ..row(HealthState::Up, 0) };
        ledger.record_service_health(later).await.expect("kept");
        let kept = log().await;
        assert_eq!(kept.first(), full.first());
        assert_eq!(kept.len(), left);
    }
}

#[tokio::test]
async fn the_log_of_a_service_of_version_36_begins_with_its_latest_health() {
    let place = LedgerFixture::new();
    let name = ServiceId::new("store").expect("a name");
    let row = ServiceHealthRow {
        service: name.clone(),
        address: "tcp://db.test:5432".to_owned(),
        state: HealthState::Up,
        since: at(7),
        reason: String::new(),
    };
    place.open().record_service_health(row.clone()).await.expect("kept");
    let older = format!("{} PRAGMA user_version = 36", back_to_version_36());
    place.raw().execute_batch(&older).expect("version 36");
    assert_eq!(place.open().service_health_log(name).await.expect("read"), [row]);
}

#[tokio::test]
async fn observed_time_is_added_by_hour_and_folded_to_days() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let start = 1_000 * DAY;
    let add = async |rows| ledger.add_observed_time(rows, Vec::new()).await.expect("written");
    let all = async || ledger.observed_time(WallTime::from_unix_ms(0)).await.expect("read");
    add(vec![row("home", start + 5, 60, 0), row("away", start, 0, 30)]).await;
    add(vec![row("home", start, 10, 20), row("home", start + 2 * HOUR, 40, 0)]).await;
    assert_eq!(
        all().await,
        [
            row("away", start, 0, 30),
            row("home", start, 70, 20),
            row("home", start + 2 * HOUR, 40, 0)
        ]
    );
    add(vec![row("home", start + 9 * DAY, 1, 0)]).await;
    let day = |mut row: ObservedTimeRow| {
        row.width = Duration::from_secs(86_400);
        row
    };
    assert_eq!(
        all().await,
        [
            day(row("away", start, 0, 30)),
            day(row("home", start, 110, 20)),
            row("home", start + 9 * DAY, 1, 0)
        ]
    );
    let last = start + OBSERVED_DAYS_KEPT * DAY;
    add(vec![row("home", last, 2, 0)]).await;
    assert_eq!(all().await, [day(row("home", start + 9 * DAY, 1, 0)), row("home", last, 2, 0)]);
    drop(ledger);
    let again = place.open();
    assert_eq!(again.observed_time(WallTime::from_unix_ms(last)).await.expect("read").len(), 1);
}

fn span(from: i64, until: i64, begun_by: WatchStart) -> WatchSpan {
    let [from, until] = [from, until].map(WallTime::from_unix_ms);
    WatchSpan { from, until, begun_by, is_online: true, is_listening: false }
}

#[tokio::test]
async fn a_watch_span_that_goes_on_is_one_row_and_old_ones_go() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let put = async |spans| ledger.add_observed_time(Vec::new(), spans).await.expect("written");
    let since = async |from| ledger.watch_spans(WallTime::from_unix_ms(from)).await.expect("read");
    let start = 1_000 * DAY;
    put(vec![span(start, start + 10, WatchStart::Started)]).await;
    put(vec![
        span(start, start + 60, WatchStart::Started),
        span(start + 90, start + 95, WatchStart::Resumed),
    ])
    .await;
    let both = [
        span(start, start + 60, WatchStart::Started),
        span(start + 90, start + 95, WatchStart::Resumed),
    ];
    assert_eq!(since(start + 59).await, both);
    assert_eq!(since(start + 60).await, both[1..], "what ended is not asked for");
    put(vec![span(start, start + 20, WatchStart::Started)]).await;
    assert_eq!(since(0).await, both, "an end never moves back");

    let later = start + 95 + WATCH_DAYS_KEPT * DAY;
    put(vec![span(later, later, WatchStart::Changed)]).await;
    assert_eq!(since(0).await.len(), 2, "the second is just young enough");
    put(vec![span(later, later + 1, WatchStart::Changed)]).await;
    assert_eq!(since(0).await, [span(later, later + 1, WatchStart::Changed)]);

    let most = i64::try_from(WATCH_SPANS_KEPT_MAX).expect("small");
    let many = (0..most).map(|number| later + 10 + number * 2);
    put(many.map(|from| span(from, from + 1, WatchStart::Changed)).collect()).await;
    let kept = since(0).await;
    assert_eq!(kept.len(), WATCH_SPANS_KEPT_MAX);
    assert_eq!(kept.first().map(|it| it.from.unix_ms()), Some(later + 10), "the oldest went");
}

#[tokio::test]
async fn a_degraded_time_that_goes_on_is_one_row_and_old_ones_go() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let span = |name: &str, from: i64, until: i64, reason: &str| DegradedSpan {
        backend: backend(name),
        from: WallTime::from_unix_ms(from),
        until: WallTime::from_unix_ms(until),
        reason: reason.to_owned(),
    };
    let put = async |spans| ledger.put_degraded_spans(spans).await.expect("written");
    let since =
        async |from| ledger.degraded_spans(WallTime::from_unix_ms(from)).await.expect("read");
    let start = 1_000 * DAY;
    put(vec![span("home", start, start + 10, "first"), span("away", start, start + 5, "far")])
        .await;
    put(vec![span("home", start, start + 60, "latest")]).await;
    put(vec![span("home", start, start + 20, "older")]).await;
    let both = [span("home", start, start + 60, "latest"), span("away", start, start + 5, "far")];
    assert_eq!(since(0).await, both, "an end never moves back");
    assert_eq!(since(start + 5).await, both[..1], "what ended is not asked for");
    drop(ledger);
    let ledger = place.open();
    let put = async |spans| ledger.put_degraded_spans(spans).await.expect("written");
    let since =
        async |from| ledger.degraded_spans(WallTime::from_unix_ms(from)).await.expect("read");

    let later = start + 60 + WATCH_DAYS_KEPT * DAY;
    put(vec![span("home", later, later, "new")]).await;
    let young = [both[0].clone(), span("home", later, later, "new")];
    assert_eq!(
        since(0).await,
        young,
        "old ones of all backends go, and the other is just young enough"
    );
    put(vec![span("home", later, later + 1, "new")]).await;
    assert_eq!(since(0).await, [span("home", later, later + 1, "new")]);
    put(vec![span("away", later + 5, later + 6, "far")]).await;

    let most = i64::try_from(DEGRADED_SPANS_KEPT_MAX).expect("small");
    let many = (0..most).map(|number| later + 10 + number * 2);
    put(many.map(|from| span("home", from, from + 1, "new")).collect()).await;
    let kept = since(0).await;
    assert_eq!(kept.len(), DEGRADED_SPANS_KEPT_MAX + 1);
    assert!(kept.iter().all(|it| it.from.unix_ms() != later), "the oldest of its own went");
}

/// Later than anything.
const NEVER: WallTime = WallTime::from_unix_ms(i64::MAX);

/// Counts by dimension, name and failure.
async fn outcomes(ledger: &Ledger, precision: OutcomePrecision) -> Vec<(String, String, u64)> {
    let from = WallTime::from_unix_ms(at(0).unix_ms() - 3_600_000);
    let found = ledger.outcome_counts((from, NEVER), precision).await.expect("read");
    let mut found: Vec<_> = found
        .into_iter()
        .map(|one| (one.name, one.failure.unwrap_or_else(|| "good".to_owned()), one.count))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn outcomes_are_the_same_from_requests_and_from_roll_ups() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let settle = async |settlement: Settlement| {
        ledger.settle(settlement).await.expect("settled");
    };
    // Answered by home after away timed out.
    settle(settlement(1)).await;
    settle(settlement(2)).await;
    let mut failed = settlement(3);
    failed.outcome = RequestOutcome::Failed;
    failed.backend = Some(backend("away"));
    failed.attempts.truncate(1);
    settle(failed).await;
    let mut refused = settlement(4);
    refused.outcome = RequestOutcome::Failed;
    refused.error_class = Some("model_not_found".to_owned());
    (refused.backend, refused.attempts) = (None, Vec::new());
    settle(refused).await;
    let mut given_up = settlement(5);
    given_up.outcome = RequestOutcome::Cancelled;
    settle(given_up).await;
    let mut drill = settlement(6);
    drill.request.purpose = Purpose::Check;
    settle(drill).await;
    let row = |name: &str, failure: &str, count| (name.to_owned(), failure.to_owned(), count);
    let expected = [
        row("away", "first-token-timeout", 4),
        row("fast", "first-token-timeout", 1),
        row("fast", "good", 2),
        row("fast", "model_not_found", 1),
        row("home", "good", 2),
    ];
    assert_eq!(outcomes(&ledger, OutcomePrecision::Exact).await, expected);
    assert_eq!(outcomes(&ledger, OutcomePrecision::Quarter).await, expected);
    let minutes = ledger.outcome_minutes(at(0)).await.expect("read");
    assert_eq!(minutes.from, at(0), "all of them were read");
    let mut by_minute: Vec<_> = minutes
        .counts
        .into_iter()
        .map(|(minute, one)| {
            assert_eq!(minute.unix_ms(), at(0).unix_ms() / 60_000 * 60_000);
            row(&one.name, one.failure.as_deref().unwrap_or("good"), one.count)
        })
        .collect();
    by_minute.sort();
    assert_eq!(by_minute, expected);
    let cut = |requests_max| {
        ledger.read_current(move |connection| {
            outcome_counts::minutes_since(connection, at(0), requests_max)
        })
    };
    // Five requests of the user's, all of one minute: without one of them the minute is not whole.
    assert_eq!(cut(5).await.expect("read").from, at(0));
    let part = cut(4).await.expect("read");
    assert_eq!(part.from.unix_ms(), at(0).unix_ms() / 60_000 * 60_000 + 60_000);
    assert_eq!(part.counts, []);
    let later = WallTime::from_unix_ms(at(0).unix_ms() + 3_500);
    let recent =
        ledger.outcome_counts((later, NEVER), OutcomePrecision::Exact).await.expect("read");
    let routes: u64 = recent
        .iter()
        .filter(|one| one.dimension == OutcomeDimension::Route)
        .map(|one| one.count)
        .sum();
    assert_eq!(routes, 1, "one refused, one given up after that");
}

#[tokio::test]
async fn what_is_in_the_future_is_not_counted_after_the_clock_was_set_back() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let mut failed = settlement(1);
    failed.outcome = RequestOutcome::Failed;
    failed.backend = Some(backend("away"));
    failed.attempts.truncate(1);
    let began = failed.request.started;
    ledger.settle(failed).await.expect("settled");
    ledger.settle(settlement(2)).await.expect("settled");
    let from = began.minus_ms(3_600_000);
    let counted = async |until, precision| {
        let found = ledger.outcome_counts((from, until), precision).await.expect("read");
        found.iter().map(|one| one.count).sum::<u64>()
    };
    let before = began.minus_ms(1);
    let exact = OutcomePrecision::Exact;
    assert_eq!(counted(before, exact).await, 0);
    assert_eq!(counted(began, exact).await, 2, "the request, and its attempt");
    assert_eq!(counted(NEVER, exact).await, 5, "the second failed over");
    // By whole quarters of an hour, and failed requests exactly.
    let an_hour_ago = began.minus_ms(3_600_000);
    assert_eq!(counted(an_hour_ago, OutcomePrecision::Quarter).await, 0);
    assert_eq!(counted(NEVER, OutcomePrecision::Quarter).await, 5);
}
