//! What is measured of a ledger with a known history.

use domain::{BilledSource, ClientId, Endpoint, Origin, RequestId, SeededEntropy};
use ledger::{AttemptRecord, BilledDay, NewRequest, Purpose, RequestOutcome, Settlement, Timings};
use pricing::Cost;
use settings::CredentialSettings;

use super::*;
use crate::Engine;
use crate::gateway::response_cache::tests::opened;
use crate::test_parts::NOW;
use crate::test_parts::backend_settings;

const CENT: i64 = 10_000_000;

/// A request of `editor` that `up` answered so long before now.
pub(crate) fn answered(number: u64, secs_ago: i64, cost: Cost, first_token_ms: u64) -> Settlement {
    let started = NOW.minus_ms(secs_ago * 1_000);
    let request = NewRequest {
        id: RequestId::generate(started, &SeededEntropy::new(number)),
        started,
        client: ClientId::new("editor").expect("a name"),
        project: None,
        route: "fast".to_owned(),
        model_asked: "llama".to_owned(),
        dialect: "openai-chat".to_owned(),
        streamed: true,
        purpose: Purpose::User,
    };
    let up = BackendId::new("up").expect("a name");
    let used = CredentialId::new("used").expect("a name");
    let endpoint = Endpoint { backend: up.clone(), credential: Some(used.clone()) };
    let mut attempt = AttemptRecord::started(endpoint, "llama", started);
    attempt.cost = cost.clone();
    let first_token = Duration::from_millis(first_token_ms);
    Settlement {
        ended: started,
        outcome: RequestOutcome::Complete,
        backend: Some(up),
        credential: Some(used),
        cost,
        timings: Timings {
            queue: Some(Duration::ZERO),
            first_byte: Some(first_token),
            first_token: Some(first_token),
            total: Some(first_token),
        },
        attempts: vec![attempt],
        ..Settlement::unfinished(request)
    }
}

pub(crate) async fn settle(engine: &Engine, all: impl IntoIterator<Item = Settlement>) {
    for one in all {
        engine.ledger().settle(Box::new(one)).await.expect("settled");
    }
}

/// A backend at OpenAI, and three keys: one that is used, one that is not, and a new one.
pub(crate) async fn with_backend_and_keys(engine: &Engine) {
    let origin: Origin = "https://api.openai.com".parse().expect("an address");
    let key = |days_ago: i64| CredentialSettings {
        label: "Key".to_owned(),
        origin: Some(origin.clone()),
        tail: None,
        created: NOW.minus_ms(days_ago * DAY_MS),
        replaced: None,
        expires: None,
        note: None,
        billing: None,
        oauth: None,
    };
    let keys = [("used", key(40)), ("idle", key(40)), ("new", key(1))];
    let add = move |draft: &mut Settings| {
        for (name, key) in keys {
            draft.credentials.insert(CredentialId::new(name).expect("a name"), key);
        }
        let openai = "https://api.openai.com/v1";
        let backend = backend_settings(settings::BackendKind::OpenAi, openai);
        draft.backends.insert(BackendId::new("up").expect("a name"), backend);
    };
    engine.settings_editor().edit(add).await.expect("added");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_finds_its_numbers_in_the_ledger() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let watch = &engine.parts.measured;
    assert_eq!(watch.latest().unmeasured, BTreeSet::from(RULES), "nothing was read yet");

    let cents = |cents: i64| Cost::Reported(NanoUsd::new(cents * CENT));
    settle(&engine, [answered(1, 31 * 86_400, cents(1), 1_000)]).await;
    // Eleven hours of six requests each, and an hour of eighty.
    let usual = (2..=12).flat_map(|hour| (0..6).map(move |place| (hour, place)));
    let usual = usual.map(|(hour, place)| {
        let number = 100 + u64::try_from(hour * 10 + place).expect("small");
        answered(number, hour * 3_600 - place * 60, cents(1), 1_000)
    });
    settle(&engine, usual).await;
    settle(&engine, (0..78).map(|place| answered(1_000 + place, 1_200, cents(10), 5_000))).await;
    settle(&engine, (0..2).map(|place| answered(2_000 + place, 600, Cost::Unpriced, 5_000))).await;
    let mut new_client = answered(3_000, 20 * 3_600, cents(0), 1_000);
    new_client.request.client = ClientId::new("cursor").expect("a name");
    settle(&engine, [new_client]).await;
    let yesterday = engine.cost_reports().today().yesterday().expect("a day");
    let bill = BilledDay {
        provider: domain::BillingProvider::OpenAi,
        day: yesterday,
        source: BilledSource::Csv,
        fetched: NOW,
        lines: vec![("llama".to_owned(), NanoUsd::new(900 * CENT))],
    };
    engine.ledger().replace_billed(vec![bill]).await.expect("stored");

    for (number, minutes_ago) in [(3_001, 29), (3_002, 5), (3_003, 31)] {
        let client = if number == 3_003 { "earlier" } else { "agent" };
        let stopped = ledger::StoppedLoop {
            request: answered(number, 0, Cost::NotBilled, 0).request.id,
            client: ClientId::new(client).expect("a name"),
            at: NOW.minus_ms(minutes_ago * 60_000),
        };
        engine.ledger().record_loop(stopped).expect("queued");
    }

    watch.evaluate().await;
    let found = watch.latest();
    // Without a home folder there are no known files.
    assert_eq!(found.unmeasured, BTreeSet::from([AlertRule::PlainKey]));
    assert_eq!(found.first_uses, [FirstUse::Client("cursor".to_owned())]);
    assert_eq!(found.stopped_clients, [ClientId::new("agent").expect("a name")]);
    assert_eq!(found.unused_keys, [CredentialId::new("idle").expect("a name")]);
    let of = |rule: AlertRule| {
        let own = found.measurements.iter().filter(|it| it.rule() == rule);
        own.collect::<Vec<_>>()
    };
    let up = BackendId::new("up").expect("a name");
    let usual = found.usual_first_tokens.get(&up).expect("enough requests");
    assert!((980..1_020).contains(&usual.as_millis()), "{usual:?}");
    let [Measurement::Spend(Some(spend))] = of(AlertRule::SpendAnomaly)[..] else {
        panic!("{found:?}");
    };
    assert_eq!((spend.actual.as_str(), spend.usual.as_str()), ("$7.80", "$0.06"));
    assert_eq!(spend.client.as_deref(), Some("editor"));
    let [Measurement::Requests(Some(requests))] = of(AlertRule::UnusualUse)[..] else {
        panic!("{found:?}");
    };
    assert_eq!((requests.actual, requests.usual), (80, 6));
    let unpriced = Measurement::Unpriced { requests: 2, models: vec!["up/llama".to_owned()] };
    assert_eq!(of(AlertRule::UnpricedModel), [&unpriced]);
    assert_eq!(of(AlertRule::CacheHits), [&Measurement::Cache { answered: 0, eligible: 0 }]);
    let [Measurement::Bill { provider, difference_percent, billed, computed }] =
        of(AlertRule::BillDrift)[..]
    else {
        panic!("{found:?}");
    };
    assert_eq!((provider.as_str(), billed.as_str()), ("openai", "$9.00"));
    assert_eq!(computed, "$0.24");
    assert!((*difference_percent - 97.333).abs() < 0.01, "{difference_percent}");
    assert!(matches!(of(AlertRule::DiskSpace)[..], [Measurement::Disk { .. }]));
    engine.stop().await;
}

/// The run began before the two hours that the alert looks at.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_hours_that_was_called_fine_is_news_if_it_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    let hour = NOW.hour_start();
    let secs_ago = |hours: i64, minute: i64| {
        (NOW.unix_ms() - hour.unix_ms()) / 1_000 + hours * 3_600 - minute * 60
    };
    let cents = |cents: i64| Cost::Reported(NanoUsd::new(cents * CENT));
    let usual =
        (5_i64..=20).map(|hours| answered(hours.unsigned_abs(), secs_ago(hours, 5), cents(6), 9));
    settle(&engine, usual).await;
    let runaway = (1_i64..=4)
        .map(|hours| answered(100 + hours.unsigned_abs(), secs_ago(hours, 5), cents(2_000), 9));
    settle(&engine, runaway).await;
    let watch = &engine.parts.measured;
    let is_told = async || {
        watch.evaluate().await;
        let found = watch.latest();
        found.measurements.iter().any(|it| matches!(it, Measurement::Spend(Some(_))))
    };
    assert!(is_told().await);
    let id = UsageAnomalyRule::Cost.id(hour.minus_ms(4 * HOUR_MS), None);
    for (said, expected) in
        [(NOW.minus_ms(4 * HOUR_MS), true), (NOW, false), (analytics::FINE_FOR_GOOD, false)]
    {
        engine.ledger().dismiss_anomaly(id.clone(), said).await.expect("remembered");
        assert_eq!(is_told().await, expected, "{said:?}");
    }
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_ledger_calls_no_key_unused_and_nothing_unusual() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    with_backend_and_keys(&engine).await;
    settle(&engine, (0..80).map(|place| answered(place, 600, Cost::Unpriced, 5_000))).await;
    let watch = &engine.parts.measured;
    watch.evaluate().await;
    let found = watch.latest();
    assert_eq!(found.unused_keys, []);
    assert_eq!(found.first_uses, [], "everything is new in a young ledger");
    assert!(found.measurements.contains(&Measurement::Spend(None)));
    assert!(found.measurements.contains(&Measurement::Requests(None)));
    assert_eq!(found.usual_first_tokens, BTreeMap::new());
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_runs_of_the_checks_are_told_by_their_age_and_quick_ones_are_none() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let watch = &engine.parts.measured;
    let age = async || {
        watch.evaluate().await;
        let found = watch.latest().measurements;
        found.iter().find_map(|it| match it {
            Measurement::ChecksAge { days } => Some(*days),
            _ => None,
        })
    };
    assert_eq!(age().await, None, "they were never run");
    for (days_ago, set) in [(40, CheckSet::Full), (31, CheckSet::Full), (1, CheckSet::Quick)] {
        let ended = NOW.minus_ms(days_ago * DAY_MS);
        let summary = ledger::ReadinessRunSummary {
            id: domain::RunId::generate(ended, engine.entropy()),
            started: ended,
            ended,
            set,
            score: 90,
            verdict: domain::ReadinessVerdict::Ready,
        };
        let run = ledger::ReadinessRunRecord { summary, report: "{}".to_owned() };
        engine.ledger().record_run(run).await.expect("recorded");
    }
    assert_eq!(age().await, Some(31));
    engine.stop().await;
}
