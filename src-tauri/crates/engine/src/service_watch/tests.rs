//! How often services are checked.

use domain::{ManualClock, ServiceKind};
use futures_util::FutureExt as _;
use monitor::{Observation, ObservationSource};
use settings::{AllowedNetwork, HttpExpectation, OwnObjective, ServiceAddress};

use super::*;
use crate::response_cache::tests::opened_at;
use crate::test_parts::NOW;

fn store(settings: &Settings) -> ServiceSettings {
    let (kind, port) = (ServiceKind::Tcp, settings.gateway.port);
    ServiceSettings {
        label: "Store".to_owned(),
        kind,
        address: ServiceAddress::parse(kind, "tcp://127.0.0.1:9", port).expect("an address"),
        credential: None,
        required: true,
        enabled: true,
        network: AllowedNetwork::Public,
        http: HttpExpectation::default(),
        scopes: Vec::new(),
        objective: OwnObjective::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_is_in_use_services_are_checked_as_rarely_as_backends() {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, clock.clone()).await;
    let id = ServiceId::new("store").expect("a name");
    let add = |draft: &mut Settings| {
        let service = store(draft);
        draft.services.insert(ServiceId::new("store").expect("a name"), service);
    };
    engine.settings_editor().edit(add).await.expect("added");
    let (services, health) = (&engine.parts.services, &engine.parts.backends.health);
    // Of a service that works; the time has a tenth of jitter.
    let check = |secs: u64| {
        assert!(services.follow_interval().now_or_never().is_none(), "it goes on");
        let (source, finding) = (ObservationSource::Probe, HealthFinding::Answered);
        for _ in 0..2 {
            let duration = Duration::ZERO;
            let observation = Observation { source, finding, reason: String::new(), duration };
            services.monitor.observe(&id, observation, ClockReading::read(&*clock));
        }
        let wait = services.monitor.next_wake().expect("watched").since(clock.now()).as_millis();
        let expected = u128::from(secs) * 900..=u128::from(secs) * 1_100;
        assert!(expected.contains(&wait), "{wait} ms instead of {secs} s");
    };
    health.record_use();
    check(30);
    clock.advance(Duration::from_secs(599));
    health.adapt_interval(false);
    check(30);
    clock.advance(Duration::from_secs(1));
    health.adapt_interval(false);
    check(300);
    health.record_use();
    check(30);
    let slower = |draft: &mut Settings| draft.health.interval_secs = 90;
    engine.settings_editor().edit(slower).await.expect("edited");
    check(90);
    engine.stop().await;
}
