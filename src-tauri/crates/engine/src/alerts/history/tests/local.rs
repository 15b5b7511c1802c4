//! Back-tests of rules about this program, its machine and services.

use domain::{ClockReading, ServiceId, ServiceKind};
use ledger::{ServiceHealthRow, WatchSpan, WatchStart};
use monitor::{HealthFinding, Observation, ObservationSource};
use settings::{AllowedNetwork, HttpExpectation, OwnObjective, ServiceAddress, ServiceSettings};

use super::*;
use crate::process::local_resources::LocalSample;
use crate::process::start_trace::{StageTime, StartStage, StartTrace};
use crate::test_parts::folders;

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_the_past_is_judged_by_the_samples_and_not_while_the_machine_slept() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let rule = AlertRule::AppMemory;
    let saved = || vec![rule_tunings(&engine.settings().alerts)];
    let none = engine.alert_history().back_test(rule, saved(), 7).await.expect("read");
    assert_eq!(none, None, "nothing was sampled yet");
    // Each half minute of two hours; asleep from 50 to 30 minutes ago, with much memory in use.
    let sample = |secs_ago: i64| LocalSample {
        at: ago(secs_ago),
        app_memory_bytes: Some(match secs_ago / MINUTE {
            71..=100 | 29..=55 => 300_000_000,
            _ => 100_000_000,
        }),
        ..LocalSample::default()
    };
    let awake = |secs_ago: &i64| !(30 * MINUTE + 1..50 * MINUTE).contains(secs_ago);
    let all = (0..=240).rev().map(|place| place * 30).filter(awake).map(sample);
    engine.parts.local.keep_samples(all.collect());
    let higher = tuned(&engine, rule, |it| it.threshold = 400);
    let longer = tuned(&engine, rule, |it| it.hold = Duration::from_secs(20 * 60));
    let found = tested(&engine, rule, vec![saved().remove(0), higher, longer]).await;
    assert_eq!((found.from, found.until), (ago(2 * HOUR), NOW), "so long is known");
    assert_eq!(found.unseen, Duration::from_secs(19 * 60));
    // It must hold for five minutes, and be over for five. Samples of the minutes 100 and 70 say when.
    let [first, second] = &minutes(&found.firings[0])[..] else { panic!("{found:?}") };
    assert_eq!(*first, (95, Some(65)));
    assert_eq!(*second, (50, Some(23)));
    assert_eq!(found.firings[1], []);
    assert_eq!(minutes(&found.firings[2])[0], (80, Some(65)));
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_slow_starts_in_a_row_fire_until_a_fast_one() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let start = |days_ago: i64, ms: f64| StartTrace {
        at: ago(days_ago * DAY),
        version: "1".to_owned(),
        stages: vec![StageTime { stage: StartStage::Ledger, ms }],
        first_probe_ms: None,
        panel_ms: None,
    };
    let starts = [start(2, 300.0), start(3, 1_800.0), start(4, 1_200.0), start(5, 60_000.0)];
    let text = serde_json::to_vec(&starts).expect("JSON");
    private_files::write_atomic(&folders(&home).starts_file(), &text).expect("written");
    let rule = AlertRule::SlowStart;
    let at_ms = |ms| tuned(&engine, rule, |it| it.threshold = ms);
    let found = tested(&engine, rule, vec![at_ms(1_000), at_ms(1_201)]).await;
    assert_eq!(found.from, ago(5 * DAY - MINUTE), "when the first of them served clients");
    let [only] = &found.firings[0][..] else { panic!("{found:?}") };
    assert_eq!(only.fired, WallTime::from_unix_ms(ago(3 * DAY).unix_ms() + 1_800));
    assert_eq!(only.ended, Some(WallTime::from_unix_ms(ago(2 * DAY).unix_ms() + 300)));
    assert_eq!(found.firings[1], []);
    engine.stop().await;
}

/// Watched at this address.
async fn with_service(engine: &Engine, name: &'static str, address: &'static str) {
    let added = engine.settings_editor().edit(move |draft| {
        let service = ServiceSettings {
            label: name.to_owned(),
            kind: ServiceKind::Tcp,
            address: ServiceAddress::parse(ServiceKind::Tcp, address, 1).expect("an address"),
            credential: None,
            required: true,
            enabled: true,
            network: AllowedNetwork::Public,
            http: HttpExpectation::default(),
            scopes: Vec::new(),
            objective: OwnObjective::default(),
        };
        draft.services.insert(ServiceId::new(name).expect("a name"), service);
    });
    added.await.expect("added");
}

async fn service_health(
    engine: &Engine,
    (name, address): (&str, &str),
    secs_ago: i64,
    state: HealthState,
) {
    let row = ServiceHealthRow {
        service: ServiceId::new(name).expect("a name"),
        address: address.to_owned(),
        state,
        since: ago(secs_ago),
        reason: String::new(),
    };
    engine.ledger().record_service_health(row).await.expect("recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_was_down_by_its_log_and_not_while_this_machine_was_offline() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let rule = AlertRule::ServiceDown;
    let saved = || vec![rule_tunings(&engine.settings().alerts)];
    let (store, moved) = (("store", "tcp://db.test:5432"), ("moved", "tcp://new.test:80"));
    with_service(&engine, store.0, store.1).await;
    with_service(&engine, moved.0, moved.1).await;
    let none = engine.alert_history().back_test(rule, saved(), 7).await.expect("read");
    assert_eq!(none, None, "nothing is in the log");
    service_health(&engine, store, 5 * DAY, HealthState::Up).await;
    // At an address that it has no more.
    service_health(&engine, ("moved", "tcp://old.test:80"), 4 * DAY, HealthState::Down).await;
    service_health(&engine, store, 50 * HOUR, HealthState::Down).await;
    service_health(&engine, store, 49 * HOUR, HealthState::Up).await;
    service_health(&engine, store, 30 * HOUR, HealthState::Down).await;
    service_health(&engine, store, 28 * HOUR, HealthState::Up).await;
    let span = |from: i64, until: i64, is_online| WatchSpan {
        from: ago(from),
        until: ago(until),
        begun_by: WatchStart::Changed,
        is_online,
        is_listening: true,
    };
    let spans = vec![
        span(6 * DAY, 30 * HOUR, true),
        span(30 * HOUR, 29 * HOUR, false),
        span(29 * HOUR, 10 * HOUR, true),
        span(9 * HOUR, MINUTE, true),
    ];
    engine.ledger().add_observed_time(Vec::new(), spans).await.expect("added");
    let found = tested(&engine, rule, saved()).await;
    assert_eq!(found.from, ago(5 * DAY), "the log begins then");
    assert_eq!(found.unseen, Duration::from_secs(3_600));
    let outage = (50 * 60, Some(49 * 60 - 2));
    // The network was back an hour later, and the service was not.
    assert_eq!(minutes(&found.firings[0]), [outage, (29 * 60, Some(28 * 60 - 2))]);
    assert!(found.firings[0].iter().all(|it| it.title == "store is down"), "{found:?}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_service_ends_when_it_is_not_watched_any_more() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let (name, address) = ("store", "tcp://db.test:5432");
    with_service(&engine, name, address).await;
    let id = || ServiceId::new(name).expect("a name");
    let fails = || {
        for _ in 0..3 {
            let (source, finding) = (ObservationSource::Probe, HealthFinding::Failed);
            let (reason, duration) = ("refused".to_owned(), Duration::ZERO);
            let observation = Observation { source, finding, reason, duration };
            let reading = ClockReading::read(&*engine.parts.base.clock);
            engine.parts.services.monitor.observe(&id(), observation, reading);
        }
    };
    let states = async || -> Vec<HealthState> {
        // What was queued before it is written.
        engine.ledger().change_alerts(Vec::new()).await.expect("written");
        let log = engine.ledger().service_health_log(id()).await.expect("read");
        log.into_iter().rev().map(|row| row.state).collect()
    };
    let edit = async |change: fn(&mut ServiceSettings)| {
        let edited = engine.settings_editor().edit(move |draft| {
            draft.services.values_mut().for_each(change);
        });
        edited.await.expect("edited");
    };
    // Unknown before any check: there is nothing to end.
    edit(|service| service.enabled = false).await;
    assert_eq!(states().await, []);
    edit(|service| service.enabled = true).await;
    fails();
    service_health(&engine, (name, address), MINUTE, HealthState::Down).await;
    edit(|service| service.label = "The store".to_owned()).await;
    assert_eq!(states().await, [HealthState::Down], "its name says nothing of it");
    edit(|service| service.enabled = false).await;
    assert_eq!(states().await, [HealthState::Down, HealthState::Unknown]);
    // Removed while it is down.
    edit(|service| service.enabled = true).await;
    fails();
    let removed = engine.settings_editor().edit(|draft| draft.services.clear());
    removed.await.expect("removed");
    let ended = states().await;
    assert_eq!(ended, [HealthState::Down, HealthState::Unknown, HealthState::Unknown]);
    engine.stop().await;
}
