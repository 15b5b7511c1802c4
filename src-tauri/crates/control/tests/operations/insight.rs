//! What was unusual, what was wasted and what to change, from requests in the ledger.

use control::ErrorCode;
use control::view::*;
use domain::{BackendId, ClientId, Endpoint, HOUR_MS, NanoUsd, RequestId, TokenUsage, WallTime};
use ledger::{AttemptRecord, CacheOutcome, Purpose, RequestOutcome, Settlement};
use pricing::Cost;

use crate::world::{World, new_home, refused, world};

fn dollars(cents: i64) -> NanoUsd {
    NanoUsd::new(cents * 10_000_000)
}

/// A request `hours` ago that cost `cents`.
fn ago(world: &World, client: &str, hours: i64, cents: i64) -> Settlement {
    let mut ended = world.answered(client);
    let now = ended.request.started.unix_ms();
    let started = WallTime::from_unix_ms(now - now.rem_euclid(HOUR_MS) - hours * HOUR_MS + 1);
    ended.request.id = RequestId::generate(started, world.engine().entropy());
    ended.request.started = started;
    ended.ended = started;
    ended.cost = Cost::Reported(dollars(cents));
    ended.usage = Some(TokenUsage { input_uncached: 1_000, ..TokenUsage::default() });
    ended
}

#[tokio::test]
async fn a_runaway_is_found_with_what_it_cost_more_and_by_whom() {
    let world = world().await;
    for hours in (6..40 * 24).rev().step_by(4) {
        world.settle(ago(&world, "editor", hours, 50)).await;
    }
    let mut runaway = ago(&world, "agent", 3, 3_000);
    runaway.request.model_asked = "big".to_owned();
    world.settle(runaway).await;
    let query = UsageAnomaliesQuery { zone: TimeZoneChoice::Utc, days: 7 };
    let found = control::usage_anomalies(&world.core, query.clone()).await.expect("anomalies");
    assert!(!found.learning);
    let costs: Vec<_> =
        found.anomalies.iter().filter(|one| one.rule == UsageAnomalyRule::Cost).collect();
    let [cost] = costs.as_slice() else { panic!("{found:#?}") };
    assert_eq!(cost.actual, 30e9);
    assert!(cost.finding.starts_with("$30.00 on "), "{}", cost.finding);
    let split = cost.split.expect("a split");
    let sum = split.volume_nano_usd.0 + split.mix_nano_usd.0 + split.price_nano_usd.0;
    assert_eq!(sum as f64, cost.actual - cost.expected);
    let by = |one: &UsageContributorView| (one.dimension, one.key.clone(), one.excess_nano_usd.0);
    let by: Vec<_> = cost.contributors.iter().map(by).collect();
    let agent = (GroupBy::Client, "agent".to_owned(), 30_000_000_000);
    assert!(by.contains(&agent), "{by:?}");
    let new: Vec<_> = found
        .anomalies
        .iter()
        .filter(|one| one.rule == UsageAnomalyRule::FirstSeen)
        .filter_map(|one| Some(one.subject.as_ref()?.key.as_str()))
        .collect();
    assert_eq!(new, ["agent", "big"]);

    // What is fine is gone from the list, still there to be shown again, and remembered.
    let fine = UsageAnomalyRef { id: cost.id.clone() };
    let say = UsageAnomalyFine { id: cost.id.clone(), always: false };
    control::usage_anomaly_dismiss(&world.core, say).await.expect("dismissed");
    let is_cost = |one: &UsageAnomalyView| one.rule == UsageAnomalyRule::Cost;
    let after = control::usage_anomalies(&world.core, query.clone()).await.expect("anomalies");
    assert!(!after.anomalies.iter().any(is_cost), "{:?}", after.anomalies);
    let dismissed: Vec<_> = after.dismissed.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(dismissed, [fine.id.as_str()]);
    control::usage_anomaly_restore(&world.core, fine).await.expect("restored");
    let again = control::usage_anomalies(&world.core, query).await.expect("anomalies");
    assert_eq!(again.anomalies.len(), found.anomalies.len());
    assert!(again.dismissed.is_empty());
    for id in ["", "cost", "weather@2026-11-21T14:00:00.000Z"] {
        let wrong = UsageAnomalyFine { id: id.to_owned(), always: true };
        let refusal = control::usage_anomaly_dismiss(&world.core, wrong).await;
        refused(refusal, ErrorCode::InvalidInput, Some("id"));
    }
}

#[tokio::test]
async fn a_conversation_that_the_runaway_guard_stopped_is_found() {
    let world = world().await;
    let request = ago(&world, "agent", 3, 0).request;
    let stopped =
        ledger::StoppedLoop { request: request.id, client: request.client, at: request.started };
    world.engine().ledger().record_loop(stopped).expect("queued");
    let query = UsageAnomaliesQuery { zone: TimeZoneChoice::Utc, days: 7 };
    let found = control::usage_anomalies(&world.core, query).await.expect("anomalies");
    let [one] = found.anomalies.as_slice() else { panic!("{found:#?}") };
    assert_eq!(one.rule, UsageAnomalyRule::Loop);
    let sentence = "agent sent one conversation 20 times in 10 seconds and was stopped on ";
    assert!(one.finding.starts_with(sentence), "{}", one.finding);
    let subject = one.subject.as_ref().map(|subject| subject.key.as_str());
    assert_eq!(subject, Some("agent"));
    assert!(one.start < request.started.into() && one.end > request.started.into());
}

#[tokio::test]
async fn savings_and_waste_are_those_of_the_requests() {
    let world = World::open(new_home(), |_| {}).await;
    let mut hit = ago(&world, "editor", 2, 0);
    (hit.cache, hit.cost) = (CacheOutcome::Hit, Cost::NotBilled);
    hit.saved = Some(dollars(40));
    world.settle(hit).await;
    let mut failed = ago(&world, "agent", 2, 30);
    failed.outcome = RequestOutcome::Failed;
    world.settle(failed).await;
    let query = UsagePeriodQuery {
        range: UsageRange::LastWeek,
        zone: TimeZoneChoice::Utc,
        from: None,
        to: None,
        filter: UsageFilter::default(),
    };
    let found = control::usage_efficiency(&world.core, query.clone()).await.expect("sums");
    assert_eq!(found.finding, "The cache saved $0.40; $0.30 was wasted");
    assert_eq!(found.without_cache_nano_usd.0 - found.cost_nano_usd.0, dollars(40).nanos());
    let clients: Vec<_> =
        found.cache_savings_by_client.iter().map(|one| (one.key.as_str(), one.hits.0)).collect();
    assert_eq!(clients, [("editor", 1)]);
    let waste = |found: &UsageEfficiencyView| -> Vec<(u64, i64)> {
        found.waste.iter().map(|row| (row.requests.0, row.cost_nano_usd.0)).collect()
    };
    assert_eq!(waste(&found), [(1, dollars(30).nanos()), (0, 0), (0, 0), (0, 0)]);
    let client = ClientId::new("editor").expect("a name").to_string();
    let filter = UsageFilter { client: Some(client), ..UsageFilter::default() };
    let own = control::usage_efficiency(&world.core, UsagePeriodQuery { filter, ..query }).await;
    assert_eq!(waste(&own.expect("sums")), [(0, 0); 4]);
}

/// A request whose first attempt failed.
fn retried(world: &World, client: &str, outcome: RequestOutcome) -> Settlement {
    let mut ended = ago(world, client, 2, 10);
    ended.outcome = outcome;
    let endpoint = Endpoint { backend: BackendId::new("up").expect("a name"), credential: None };
    let attempt = AttemptRecord::started(endpoint, "m", ended.request.started);
    let error_class = Some("server".to_owned());
    ended.attempts = vec![AttemptRecord { error_class, ..attempt.clone() }, attempt];
    ended
}

#[tokio::test]
async fn every_kind_of_waste_finds_as_many_requests_as_it_counts() {
    let world = World::open(new_home(), |_| {}).await;
    let own = |client: &str, purpose| {
        let mut ended = ago(&world, client, 2, 1);
        ended.request.purpose = purpose;
        ended
    };
    for ended in [
        ago(&world, "editor", 2, 5),
        retried(&world, "editor", RequestOutcome::Complete),
        retried(&world, "editor", RequestOutcome::Cancelled),
        retried(&world, "agent", RequestOutcome::Complete),
        retried(&world, "agent", RequestOutcome::Failed),
        own("gatehouse", Purpose::Health),
        own("gatehouse", Purpose::Check),
        own("gatehouse", Purpose::Check),
    ] {
        world.settle(ended).await;
    }
    let found = async |client: Option<&str>| {
        let client = client.map(str::to_owned);
        let filter = UsageFilter { client: client.clone(), ..UsageFilter::default() };
        let (range, zone) = (UsageRange::LastWeek, TimeZoneChoice::Utc);
        let query = UsagePeriodQuery { range, zone, from: None, to: None, filter };
        let sums = control::usage_efficiency(&world.core, query).await.expect("sums");
        let mut counts = Vec::new();
        for row in sums.waste {
            let waste = Some(row.kind);
            let query =
                RequestsQuery { limit: 500, client: client.clone(), waste, ..Default::default() };
            let behind = control::requests(&world.core, query).await.expect("requests");
            assert_eq!(
                usize::try_from(row.requests.0),
                Ok(behind.requests.len()),
                "{:?}",
                row.kind
            );
            counts.push((row.requests.0, row.unpriced.0));
        }
        counts
    };
    // What is known of the failed one is not all: its first attempt may have cost something too.
    assert_eq!(found(None).await, [(1, 1), (3, 3), (1, 0), (2, 0)]);
    assert_eq!(found(Some("editor")).await, [(0, 0), (2, 2), (0, 0), (0, 0)]);
    // The filters of both must match.
    let complete = RequestsQuery {
        limit: 500,
        state: Some(RequestState::Complete),
        waste: Some(WasteKind::Retries),
        ..Default::default()
    };
    let complete = control::requests(&world.core, complete).await.expect("requests");
    assert_eq!(complete.requests.len(), 2);
    let refused = RequestsQuery { waste: Some(WasteKind::Failed), ..RequestsQuery::default() };
    let both = RequestsQuery { limit: 500, state: Some(RequestState::Complete), ..refused };
    assert_eq!(control::requests(&world.core, both).await.expect("requests").requests.len(), 0);
}

#[tokio::test]
async fn without_evidence_nothing_is_suggested_or_unusual() {
    let world = World::open(new_home(), |_| {}).await;
    world.settle(ago(&world, "editor", 2, 500)).await;
    let zone = TimeZoneChoice::Utc;
    let advice = control::usage_advice(&world.core, UsageAdviceQuery { zone }).await;
    let advice = advice.expect("advice");
    assert_eq!((advice.finding.as_str(), advice.advice.len()), ("Nothing to suggest", 0));
    let query = UsageAnomaliesQuery { zone, days: 28 };
    let found = control::usage_anomalies(&world.core, query).await.expect("anomalies");
    assert_eq!(
        (found.finding.as_str(), found.learning),
        ("Nothing unusual in the last 28 days", true)
    );
    assert_eq!(found.unavailable_rules.len(), 2);
}

#[tokio::test]
async fn a_period_that_begins_before_the_kept_requests_says_so_however_it_is_written() {
    let world = World::open(new_home(), |_| {}).await;
    let days = world.engine().settings().ledger.retention_days;
    let sentence = format!("Requests older than {days} days are no longer kept; sums stay.");
    let told = async |query: RequestsQuery| {
        let page = control::requests(&world.core, RequestsQuery { limit: 5, ..query }).await;
        page.expect("requests").no_longer_kept
    };
    let within =
        |text: &str| RequestsQuery { within: Some(text.to_owned()), ..RequestsQuery::default() };
    let older = format!("{}d", days + 1);
    for text in [older.as_str(), "2020-01-01..2020-01-02"] {
        assert_eq!(told(within(text)).await, Some(sentence.clone()), "{text}");
    }
    let since = RequestsQuery { since: Some(UnixMs(1)), ..RequestsQuery::default() };
    assert_eq!(told(since).await, Some(sentence));
    assert_eq!(told(within("1d")).await, None);
    assert_eq!(told(RequestsQuery::default()).await, None);
}
