//! The monitor with the gate on virtual time: whose fault a failure is.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{BackendId, ClockReading, Endpoint, HealthState, SeededEntropy, SystemClock};
use endpoints::{FailureReason, ResilienceRules, Verdict};
use gateway::{UpstreamFailure, UpstreamRequest, UpstreamResponse};
use monitor::{HealthFinding, Monitor, Observation, ObservationSource, Probe, ProbeReport};
use resilience::{CallOutcome, FailureWeight};
use settings::{BackendKind, BackendSettings};
use tempfile::TempDir;

use super::*;
use crate::health::backend_watch::HealthWatch;
use crate::test_parts::{admitted, backend_settings, ledger_in, upstream_answer};

const INTERVAL: Duration = Duration::from_secs(30);

/// A network whose hosts may be dead: nothing comes back from them, however long one waits.
#[derive(Default)]
struct FakeNetwork {
    dead: Mutex<BTreeSet<String>>,
    /// The hosts that were asked for their first page.
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Upstream for FakeNetwork {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure> {
        assert!(request.key.is_none() && request.url.path() == "/", "nothing is billed");
        let host = request.url.host_str().expect("a host").to_owned();
        self.asked.lock().push(host.clone());
        if self.dead.lock().contains(&host) {
            std::future::pending::<()>().await;
        }
        upstream_answer(200, "")
    }
}

struct Scene {
    network: Arc<FakeNetwork>,
    watch: Arc<HealthWatch>,
    clock: Arc<SystemClock>,
    tasks: Tasks,
    _home: TempDir,
}

fn id(name: &str) -> BackendId {
    BackendId::new(name).expect("a good id")
}

fn backend(base_url: &str) -> BackendSettings {
    backend_settings(BackendKind::OpenAiCompatible, base_url)
}

/// Backends at these addresses, named a, b, c, …
fn scene(addresses: &[&str], has_no_route: fn() -> bool) -> Scene {
    let home = tempfile::tempdir().expect("a folder");
    let settings =
        Arc::new(SettingsStore::open(home.path().join("settings.toml")).expect("settings"));
    let named = ["a", "b", "c", "d"].into_iter().zip(addresses);
    let backends: Vec<_> = named.map(|(name, url)| (id(name), backend(url))).collect();
    let watched = backends.iter().map(|(name, _)| (name.clone(), None)).collect();
    let added = settings.edit(|draft| {
        draft.backends.extend(backends);
        Ok::<_, settings::SettingsError>(())
    });
    added.expect("added");
    let (network, clock) = (Arc::<FakeNetwork>::default(), Arc::new(SystemClock::new()));
    let events = EventBus::default();
    let rules = ResilienceRules::default();
    let registry =
        EndpointRegistry::new(&rules, clock.clone(), &SeededEntropy::new(3), Box::new(|_| {}));
    let gate = Arc::new(NetworkGate {
        has_no_route,
        network: network.clone(),
        settings: Arc::clone(&settings),
        clock: clock.clone(),
        events: events.clone(),
        registry,
        reach: Mutex::default(),
        judged: tokio::sync::Mutex::default(),
    });
    let monitor = Monitor::new(INTERVAL, Box::new(SeededEntropy::new(1)));
    monitor.set_watched(watched, clock.now());
    let (tasks, ledger) = (Tasks::default(), ledger_in(&home));
    let watch = Arc::new(HealthWatch {
        monitor,
        settings,
        ledger,
        clock: clock.clone(),
        events,
        mock: id("mock"),
        gate,
        tasks: tasks.clone(),
        last_use: Mutex::new(clock.now()),
        is_on_battery: std::sync::atomic::AtomicBool::new(false),
    });
    Scene { network, watch, clock, tasks, _home: home }
}

/// Probes as the engine does, over the fake network.
struct FakeProbe<'a>(&'a Scene);

#[async_trait]
impl Probe for FakeProbe<'_> {
    async fn probe(&self, backend: &BackendId) -> ProbeReport {
        let settings = self.0.watch.settings.current();
        let host = settings.backends[backend].base_url.host_str().expect("a host").to_owned();
        let is_dead = self.0.network.dead.lock().contains(&host);
        let finding = if is_dead { HealthFinding::Failed } else { HealthFinding::Answered };
        self.0.watch.record_answer(backend, finding);
        ProbeReport::new(finding, "scripted", Duration::ZERO)
    }

    async fn is_networks_fault(&self, backend: &BackendId) -> bool {
        self.0.watch.is_networks_fault(backend).await
    }
}

impl Scene {
    /// Probes for `secs` of virtual time.
    async fn drive(&self, secs: u64) {
        let stop = tokio::time::sleep(Duration::from_secs(secs));
        self.watch.monitor.drive(&FakeProbe(self), &*self.clock, stop).await;
    }

    fn set_dead(&self, hosts: &[&str]) {
        *self.network.dead.lock() = hosts.iter().map(|host| (*host).to_owned()).collect();
    }

    fn state(&self, name: &str) -> HealthState {
        let reading = ClockReading::read(&*self.clock);
        self.watch.monitor.view(&id(name), reading).expect("watched").state
    }

    #[track_caller]
    fn check(&self, is_offline: bool, states: &[(&str, HealthState)]) {
        assert_eq!(self.watch.is_offline(), is_offline);
        for (name, state) in states {
            assert_eq!(self.state(name), *state, "{name}");
        }
    }
}

const TWO_HOSTS: [&str; 2] = ["https://a.example/v1", "https://b.example/v1"];

#[tokio::test(start_paused = true)]
async fn one_dead_host_of_two_is_down_and_the_network_is_not() {
    let scene = scene(&TWO_HOSTS, || false);
    scene.drive(60).await;
    scene.check(false, &[("a", HealthState::Up), ("b", HealthState::Up)]);
    scene.set_dead(&["a.example"]);
    scene.drive(120).await;
    scene.check(false, &[("a", HealthState::Down), ("b", HealthState::Up)]);
    // Its own fault says nothing about the other's.
    scene.set_dead(&["a.example", "b.example"]);
    scene.drive(120).await;
    scene.check(false, &[("a", HealthState::Down), ("b", HealthState::Down)]);
}

#[tokio::test(start_paused = true)]
async fn when_no_host_can_be_reached_the_network_is_down_and_no_backend_until_it_is_back() {
    let scene = scene(&TWO_HOSTS, || false);
    scene.drive(60).await;
    let mut told = scene.watch.monitor.subscribe();
    scene.set_dead(&["a.example", "b.example"]);
    scene.drive(45).await;
    scene.check(true, &[]);
    scene.drive(600).await;
    scene.check(true, &[("a", HealthState::Unknown), ("b", HealthState::Unknown)]);
    while let Ok(change) = told.try_recv() {
        assert_ne!(change.transition.to, HealthState::Down, "{change:?}");
    }

    scene.watch.gate.spawn(&scene.tasks, || {});
    scene.set_dead(&["a.example"]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    scene.check(false, &[]);
    scene.drive(60).await;
    scene.check(false, &[("a", HealthState::Down), ("b", HealthState::Up)]);
    scene.set_dead(&[]);
    scene.drive(60).await;
    scene.check(false, &[("a", HealthState::Up), ("b", HealthState::Up)]);
}

#[tokio::test(start_paused = true)]
async fn a_start_on_a_dead_network_accuses_no_backend() {
    let scene = scene(&TWO_HOSTS, || false);
    scene.set_dead(&["a.example", "b.example"]);
    scene.drive(120).await;
    scene.check(true, &[("a", HealthState::Unknown), ("b", HealthState::Unknown)]);
}

#[tokio::test(start_paused = true)]
async fn servers_on_this_machine_and_a_single_host_are_never_the_network() {
    let local = scene(&["http://127.0.0.1:1/v1", "http://localhost:2/v1"], || false);
    local.set_dead(&["127.0.0.1", "localhost"]);
    local.drive(120).await;
    local.check(false, &[("a", HealthState::Down), ("b", HealthState::Down)]);
    assert!(local.network.asked.lock().is_empty());

    let single =
        scene(&["https://a.example/v1", "https://a.example:8443/v1", "http://[::1]:3/v1"], || {
            false
        });
    single.set_dead(&["a.example"]);
    single.drive(120).await;
    let states = [("a", HealthState::Down), ("b", HealthState::Down), ("c", HealthState::Up)];
    single.check(false, &states);
}

#[tokio::test(start_paused = true)]
async fn a_server_here_that_fails_is_down_also_while_the_network_is() {
    let scene = scene(&[TWO_HOSTS[0], TWO_HOSTS[1], "http://127.0.0.1:3/v1"], || false);
    scene.set_dead(&["a.example", "b.example", "127.0.0.1"]);
    scene.drive(120).await;
    scene.check(true, &[("a", HealthState::Unknown), ("c", HealthState::Down)]);
}

#[tokio::test(start_paused = true)]
async fn a_server_next_door_that_answers_is_no_sign_of_the_internet() {
    let scene = scene(&[TWO_HOSTS[0], TWO_HOSTS[1], "http://192.168.1.20:11434/v1"], || false);
    scene.set_dead(&["a.example", "b.example"]);
    scene.drive(120).await;
    let states = [("a", HealthState::Unknown), ("b", HealthState::Unknown), ("c", HealthState::Up)];
    scene.check(true, &states);
    scene.set_dead(&["192.168.1.20"]);
    scene.drive(120).await;
    scene.check(false, &[("a", HealthState::Up), ("c", HealthState::Down)]);
}

#[tokio::test(start_paused = true)]
async fn without_a_route_nobody_is_asked() {
    let scene = scene(&TWO_HOSTS, || true);
    scene.set_dead(&["a.example"]);
    scene.drive(120).await;
    scene.check(true, &[("a", HealthState::Unknown)]);
    assert!(scene.network.asked.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn failures_of_traffic_count_unless_the_network_is_to_blame() {
    let fail_thrice = async |scene: &Scene| {
        for _ in 0..3 {
            let failure = Observation {
                source: ObservationSource::Passive,
                finding: HealthFinding::Failed,
                reason: "it could not be reached".to_owned(),
                duration: Duration::ZERO,
            };
            scene.watch.observe_unreached(&id("a"), failure);
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    };
    let cut_off = scene(&TWO_HOSTS, || false);
    cut_off.set_dead(&["a.example", "b.example"]);
    fail_thrice(&cut_off).await;
    cut_off.check(true, &[("a", HealthState::Unknown)]);

    let dead = scene(&TWO_HOSTS, || false);
    dead.set_dead(&["a.example"]);
    fail_thrice(&dead).await;
    dead.check(false, &[("a", HealthState::Down)]);
}

/// A request of real traffic, as the gateway reports it: `None` if the breaker refuses it, and
/// otherwise whether it counts for the backend.
fn request(scene: &Scene, name: &str, failure: Option<FailureReason>) -> Option<bool> {
    let registry = &scene.watch.gate.registry;
    let attempt = admitted(registry, &id(name))?;
    let Some(reason) = failure else {
        attempt.ended(CallOutcome::Success { first_token: None }, 0);
        return Some(true);
    };
    let verdict = Verdict::BackendFailure(reason);
    let counts = !registry.is_networks_fault(verdict, &id(name), scene.clock.now());
    let (weight, retry_after) = (FailureWeight::Full, None);
    attempt.ended(
        if counts { CallOutcome::Failure { weight, retry_after } } else { CallOutcome::Neutral },
        0,
    );
    if counts {
        let observation = Observation {
            source: ObservationSource::Passive,
            finding: HealthFinding::Failed,
            reason: reason.to_string(),
            duration: Duration::ZERO,
        };
        scene.watch.observe_unreached(&id(name), observation);
    }
    Some(counts)
}

#[tokio::test(start_paused = true)]
async fn breakers_that_the_network_opened_are_closed_when_it_is_back() {
    let scene = scene(&TWO_HOSTS, || false);
    scene.watch.gate.spawn(&scene.tasks, || {});
    scene.drive(60).await;
    scene.set_dead(&["a.example", "b.example"]);
    // Before the gate is sure, failures count.
    for _ in 0..3 {
        assert_eq!(request(&scene, "a", Some(FailureReason::Connect)), Some(true));
    }
    assert_eq!(request(&scene, "a", None), None, "its breaker is open");
    assert_eq!(request(&scene, "b", Some(FailureReason::Dns)), Some(true));
    assert_eq!(request(&scene, "b", Some(FailureReason::Connect)), Some(true));
    tokio::time::sleep(Duration::from_secs(10)).await;
    scene.check(true, &[]);
    // From then on they do not, but what came back with an error does.
    for _ in 0..9 {
        assert_eq!(request(&scene, "b", Some(FailureReason::Timeout)), Some(false));
        assert_eq!(request(&scene, "b", Some(FailureReason::Broken)), Some(false));
    }
    assert_eq!(request(&scene, "b", Some(FailureReason::Status)), Some(true));
    tokio::time::sleep(Duration::from_secs(600)).await;
    scene.set_dead(&[]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    scene.check(false, &[]);
    for name in ["a", "b"] {
        assert_eq!(request(&scene, name, None), Some(true), "the first request to {name}");
    }
    // A host that is dead by itself is counted again, from nothing.
    scene.set_dead(&["a.example"]);
    for _ in 0..3 {
        assert_eq!(request(&scene, "a", Some(FailureReason::Connect)), Some(true));
    }
    assert_eq!(request(&scene, "a", None), None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    scene.check(false, &[]);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opened_long_before_the_network_failed_stays_open() {
    let scene = scene(&TWO_HOSTS, || false);
    scene.watch.gate.spawn(&scene.tasks, || {});
    scene.drive(60).await;
    // Its own fault: it answers with errors, for minutes.
    for _ in 0..3 {
        request(&scene, "a", Some(FailureReason::Status));
    }
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        request(&scene, "a", Some(FailureReason::Status));
    }
    scene.set_dead(&["a.example", "b.example"]);
    request(&scene, "b", Some(FailureReason::Connect));
    tokio::time::sleep(Duration::from_secs(10)).await;
    scene.check(true, &[]);
    scene.set_dead(&[]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    scene.check(false, &[]);
    assert_eq!(request(&scene, "a", None), None, "it is still failing");
    assert_eq!(request(&scene, "b", None), Some(true));
}

thread_local! {
    static HAS_NO_ROUTE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[tokio::test(start_paused = true)]
async fn the_return_of_the_route_closes_breakers_too_and_asks_for_probes() {
    let scene = scene(&["https://a.example/v1", "http://127.0.0.1:1/v1"], || HAS_NO_ROUTE.get());
    let back = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let told = Arc::clone(&back);
    scene.watch.gate.spawn(&scene.tasks, move || {
        told.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    for name in ["a", "b"] {
        for _ in 0..3 {
            assert_eq!(request(&scene, name, Some(FailureReason::Connect)), Some(true));
        }
        assert_eq!(request(&scene, name, None), None);
    }
    HAS_NO_ROUTE.set(true);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(back.load(std::sync::atomic::Ordering::Relaxed), 0);
    HAS_NO_ROUTE.set(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(back.load(std::sync::atomic::Ordering::Relaxed), 1);
    let transition = |name: &str| {
        let endpoint = Endpoint { backend: id(name), credential: None };
        scene.watch.gate.registry.status(&endpoint).reason
    };
    assert_eq!(request(&scene, "a", None), Some(true), "{}", transition("a"));
    assert_ne!(transition("b"), transition("a"), "a server here is at fault itself");
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_in_use_backends_are_probed_every_five_minutes() {
    let scene = scene(&TWO_HOSTS, || false);
    scene.drive(60).await;
    let mut told = scene.watch.monitor.subscribe();
    let use_nothing = async |secs: u64| {
        for _ in 0..secs / 15 {
            scene.drive(15).await;
            scene.watch.adapt_interval(false);
        }
    };
    use_nothing(600).await;
    scene.set_dead(&["a.example"]);
    // Not asked for as long as that may take, and then down as fast as ever.
    use_nothing(195).await;
    scene.check(false, &[("a", HealthState::Up)]);
    use_nothing(135).await;
    scene.check(false, &[("a", HealthState::Down), ("b", HealthState::Up)]);
    scene.set_dead(&[]);
    use_nothing(90).await;
    scene.check(false, &[("a", HealthState::Down)]);
    // The first request after it: all are asked at once, and nothing is forgotten meanwhile.
    scene.watch.record_use();
    scene.drive(3).await;
    scene.check(false, &[("a", HealthState::Up), ("b", HealthState::Up)]);
    let mut seen = Vec::new();
    while let Ok(change) = told.try_recv() {
        seen.push((change.id.to_string(), change.transition.to));
    }
    let down_and_up = [HealthState::Down, HealthState::Up].map(|state| ("a".to_owned(), state));
    assert_eq!(seen, down_and_up);
    // And from then on every half a minute.
    scene.set_dead(&["b.example"]);
    scene.drive(40).await;
    scene.check(false, &[("b", HealthState::Down)]);
}

/// Counts the probes, which are all answered.
struct CountingProbe(std::sync::atomic::AtomicU32);

#[async_trait]
impl Probe for CountingProbe {
    async fn probe(&self, _backend: &BackendId) -> ProbeReport {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ProbeReport::new(HealthFinding::Answered, "scripted", Duration::ZERO)
    }
}

#[tokio::test(start_paused = true)]
async fn on_battery_backends_are_probed_half_as_often() {
    use crate::process::platform::PowerSource;

    let scene = scene(&TWO_HOSTS, || false);
    scene.drive(60).await;
    let hourly = async |power: Option<PowerSource>| {
        scene.watch.note_power(power);
        scene.watch.record_use();
        let probe = CountingProbe(std::sync::atomic::AtomicU32::new(0));
        let stop = tokio::time::sleep(Duration::from_secs(3_600));
        scene.watch.monitor.drive(&probe, &*scene.clock, stop).await;
        probe.0.into_inner()
    };
    for power in [None, Some(PowerSource::Mains), Some(PowerSource::NoBattery)] {
        let count = hourly(power).await;
        assert!((220..=260).contains(&count), "{power:?}: {count}");
    }
    let count = hourly(Some(PowerSource::Battery)).await;
    assert!((110..=130).contains(&count), "{count}");
}
