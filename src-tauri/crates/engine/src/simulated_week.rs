//! A week on virtual time, in which monitor, observed time, service levels, facts and alerts run
//! together: what is listed fires and ends, nothing else does, and the observed time is as computed by
//! hand.
//!
//! Traffic has a week of its own (`traffic`), since outages of this one would be seen by requests too.
//!
//! Probes are exactly 30 s apart, since the jitter of this test is none, and take no time. So an outage
//! that begins at a probe's second `s` is down at `s + 2`, after the third failure, and a backend that
//! is well again is up a second after its first good probe. All times are seconds of the week.

mod traffic;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use alerts::{AlertRule, DesktopScreen, Notification, PastFiring, ShownNotification, Urgency};
use async_trait::async_trait;
use domain::{
    BackendId, Clock, Entropy, HealthState, Moment, RouteId, SeededEntropy, SystemClock, WallTime,
};
use ledger::{AttemptRecord, ObservedSubject, RequestOutcome, Settlement};
use monitor::{
    ChannelError, DeliveryOutcome, HealthFinding, NotificationChannel, NotificationProgram, Probe,
    ProbeReport, ScreenHandler,
};
use parking_lot::Mutex;
use pricing::Cost;
use resilience::{CallOutcome, FailureWeight};
use service_levels::{BurnWindow, ObservedTime, RequestCounts};
use settings::{BackendKind, RouteCandidateSettings, RouteSettings};
use tempfile::TempDir;

use crate::alerts::measurements::tests::{answered, settle};
use crate::alerts::notifications::WindowFocus;
use crate::alerts::rule_tunings::rule_tunings;
use crate::alerts::watch::is_cause;
use crate::events::EngineEvent;
use crate::health::objectives::LevelScope;
use crate::health::uptime::row_time;
use crate::test_parts::{NOW, admitted, backend_settings, engine_config};
use crate::{Engine, EngineConfig, upkeep};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Seconds between two evaluations, as the engine's while nothing happens.
const STEP: u64 = 15;
/// The longest step of observed time, in quiet times: nothing fires or ends in them, and alerts are
/// evaluated each hour and at each change.
const QUIET_STEP: u64 = 60;

/// The wall clock can be set; the monotonic one is that of the paused runtime.
struct WeekClock {
    monotonic: SystemClock,
    set_ms: AtomicI64,
}

impl Clock for WeekClock {
    fn now(&self) -> Moment {
        self.monotonic.now()
    }

    fn wall(&self) -> WallTime {
        let ran = self.now().since(Moment::default()).as_millis();
        let ran = i64::try_from(ran).expect("a week");
        WallTime::from_unix_ms(NOW.unix_ms() + ran + self.set_ms.load(Ordering::Relaxed))
    }
}

/// Random, but for the eight bytes that the jitter of a probe is made of.
struct NoJitter(SeededEntropy);

impl Entropy for NoJitter {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
        if bytes.len() == 8 {
            bytes.copy_from_slice(&100_u64.to_le_bytes());
        }
    }
}

thread_local! {
    static IS_OFFLINE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Answers for the backends that are well, as the engine's prober would report it.
struct ScriptedProbe {
    engine: Engine,
    faulty: Mutex<BTreeSet<&'static str>>,
}

#[async_trait]
impl Probe for ScriptedProbe {
    async fn probe(&self, backend: &BackendId) -> ProbeReport {
        let is_cut_off = IS_OFFLINE.get() && is_remote(backend);
        let is_bad = is_cut_off || self.faulty.lock().contains(backend.as_str());
        let finding = if is_bad { HealthFinding::Failed } else { HealthFinding::Answered };
        ProbeReport::new(finding, "connection refused", Duration::ZERO)
    }

    fn was_paused_since(&self, since: Moment) -> bool {
        self.engine.prober().was_paused_since(since)
    }

    async fn is_networks_fault(&self, backend: &BackendId) -> bool {
        IS_OFFLINE.get() && is_remote(backend)
    }
}

/// A desktop that shows everything it is given until it is withdrawn.
#[derive(Default)]
struct WeekDesktop {
    /// Titles of what asks for a look, by notification key. Good news goes by itself.
    shown: Mutex<BTreeMap<String, String>>,
    /// Calls since the last look: "shows …", "tells …" for good news, "withdraws …".
    calls: Mutex<Vec<String>>,
}

impl NotificationChannel for WeekDesktop {
    fn deliver(&self, told: &Notification) -> Result<DeliveryOutcome, ChannelError> {
        let (mut shown, title) = (self.shown.lock(), told.title.clone());
        let verb = if told.urgency == Urgency::Low { "tells" } else { "shows" };
        self.calls.lock().push(format!("{verb} {title}"));
        match told.urgency {
            Urgency::Low => shown.remove(&told.key),
            _ => shown.insert(told.key.clone(), title),
        };
        Ok(DeliveryOutcome::ShownOnly)
    }

    fn withdraw(&self, key: &str) -> Result<(), ChannelError> {
        let gone = self.shown.lock().remove(key);
        self.calls.lock().push(format!("withdraws {}", gone.unwrap_or_default()));
        Ok(())
    }

    fn restore(&self, _: BTreeMap<String, ShownNotification>) -> Result<(), ChannelError> {
        Ok(())
    }

    fn describe(&self) -> Result<Option<NotificationProgram>, ChannelError> {
        Ok(None)
    }

    fn take_screen(&self) -> DesktopScreen {
        DesktopScreen::default()
    }

    fn watch_screen(&self, _: ScreenHandler) {}
}

fn is_remote(backend: &BackendId) -> bool {
    matches!(backend.as_str(), "a" | "b" | "c")
}

fn id(name: &str) -> BackendId {
    BackendId::new(name).expect("a good id")
}

struct Week {
    engine: Engine,
    clock: Arc<WeekClock>,
    probe: ScriptedProbe,
    begun: Moment,
    firing: BTreeSet<u64>,
    log: Vec<String>,
    desktop: Arc<WeekDesktop>,
    /// What the desktop was told, and when.
    screen_log: Vec<String>,
    _home: TempDir,
}

impl Week {
    /// Backends a and c at one server, b at another, and one on this machine; a and b are the
    /// candidates of a route.
    async fn begin() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let clock =
            Arc::new(WeekClock { monotonic: SystemClock::new(), set_ms: AtomicI64::new(0) });
        let desktop = Arc::<WeekDesktop>::default();
        let config = EngineConfig {
            entropy: Arc::new(NoJitter(SeededEntropy::new(5))),
            is_offline: || IS_OFFLINE.get(),
            channel: Some(Arc::<WeekDesktop>::clone(&desktop)),
            ..engine_config(&home, clock.clone())
        };
        let engine = still(Engine::open(config)).await.expect("an engine");
        let added = engine.settings_editor().edit(|draft| {
            // Its own numbers are no part of what is listed.
            draft.alerts.digest_period = domain::DigestPeriod::Off;
            for (name, url) in [
                ("a", "https://a.example/v1"),
                ("b", "https://b.example/v1"),
                ("c", "https://a.example/v2"),
                ("home", "http://127.0.0.1:1/v1"),
            ] {
                let backend = backend_settings(BackendKind::OpenAiCompatible, url);
                draft.backends.insert(id(name), backend);
            }
            let candidates = ["a", "b"].map(|name| RouteCandidateSettings {
                backend: id(name),
                model: None,
                weight: 100,
            });
            let route = RouteSettings::new(vec!["fast".to_owned()], candidates.into());
            draft.routes.insert(RouteId::new("fast").expect("a good id"), route);
        });
        still(added).await.expect("added");
        let (registry, tasks) = (&engine.parts.backends.registry, &engine.parts.base.tasks);
        upkeep::spawn_pause_watch(Arc::clone(registry), engine.probing_all(), tasks);
        let (begun, faulty) = (clock.now(), Mutex::default());
        let probe = ScriptedProbe { engine: engine.clone(), faulty };
        let firing = BTreeSet::new();
        let (log, screen_log) = (Vec::new(), Vec::new());
        let mut week =
            Self { engine, clock, probe, begun, firing, log, desktop, screen_log, _home: home };
        week.look(STEP, true).await;
        week
    }

    fn secs(&self) -> u64 {
        self.clock.now().since(self.begun).as_secs()
    }

    /// Probes by the schedule for so long, and evaluates at each step and at each change of health.
    async fn pass(&mut self, secs: u64, step: u64) {
        let end = self.secs() + secs;
        let mut changes = self.engine.health_watch().monitor.subscribe();
        while self.secs() < end {
            let next = (self.secs() / step + 1) * step;
            let wait = (self.begun + Duration::from_secs(next.min(end))).since(self.clock.now());
            let mut change = None;
            let stop = async {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    changed = changes.recv() => {
                        change = changed.ok();
                        // The other probes of this moment.
                        for _ in 0..50 {
                            tokio::task::yield_now().await;
                        }
                    }
                }
            };
            let health = self.engine.health_watch();
            health.monitor.drive(&self.probe, &*self.clock, stop).await;
            let is_changed = change.is_some();
            if let Some(change) = change {
                still(self.engine.health_watch().record_change(change)).await;
            }
            self.look(step, is_changed).await;
        }
    }

    /// What the engine's tasks do at a step.
    async fn look(&mut self, step: u64, is_changed: bool) {
        let parts = &self.engine.parts;
        parts.service_levels.observer.observe();
        let is_quiet = step == QUIET_STEP && !is_changed;
        if is_quiet && !self.secs().is_multiple_of(HOUR) {
            return;
        }
        if self.secs().is_multiple_of(60) {
            still(parts.service_levels.evaluate()).await;
        }
        still(parts.alerts.evaluate()).await;
        let alerts = parts.alerts.alerts();
        let firing: BTreeSet<u64> = alerts.iter().filter_map(|it| it.number).collect();
        let now = self.secs();
        let calls = std::mem::take(&mut *self.desktop.calls.lock());
        self.screen_log.extend(calls.into_iter().map(|call| format!("{now} {call}")));
        for alert in &alerts {
            if alert.number.is_some_and(|number| !self.firing.contains(&number)) {
                self.log.push(format!("{now} fires {}", alert.condition.fingerprint));
            }
        }
        for number in self.firing.difference(&firing) {
            self.log.push(format!("{now} ends {number}"));
        }
        self.firing = firing;
    }

    /// Quiet days, until this second of the week.
    async fn rest_until(&mut self, until: u64) {
        let before = self.log.len();
        self.pass(until - self.secs(), QUIET_STEP).await;
        assert_eq!(self.log[before..], [] as [String; 0], "a quiet time");
    }

    fn set_faulty(&self, names: &[&'static str]) {
        *self.probe.faulty.lock() = names.iter().copied().collect();
    }

    /// The wall clock goes on or back and the monotonic one does not: sleep, or somebody set it. It does
    /// so after what this moment has to do, so that the second after it is the first to see it.
    async fn jump(&self, secs: i64) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        self.clock.set_ms.fetch_add(secs * 1_000, Ordering::Relaxed);
    }

    fn state(&self, name: &str) -> HealthState {
        self.engine.health_watch().health(&id(name)).expect("watched").state
    }

    /// Seconds for which a backend was seen to answer, and not to.
    async fn observed(&self, name: &str) -> (u64, u64) {
        let subject = ObservedSubject::Backend(id(name));
        let all = self.engine.service_levels().observed_since(WallTime::default());
        let rows = still(all).await.expect("read");
        let own = rows.iter().filter(|row| row.subject == subject).map(row_time);
        let time: ObservedTime = own.sum();
        (time.good.as_secs(), time.bad.as_secs())
    }
}

/// Lets work end for which other threads are waited for, in no virtual time: the runtime's clock does
/// not go on by itself while something blocks.
async fn still<T>(work: impl Future<Output = T>) -> T {
    let (done, wait) = mpsc::channel::<()>();
    let blocked = tokio::task::spawn_blocking(move || wait.recv());
    let result = work.await;
    drop(done);
    let _ended = blocked.await;
    result
}

/// A request to a that failed just now.
fn failed_request(number: u64, at: WallTime) -> Settlement {
    let mut settled = answered(number, 0, Cost::Unpriced, 100);
    settled.request.started = at;
    settled.request.id = domain::RequestId::generate(at, &SeededEntropy::new(number));
    let endpoint = domain::Endpoint { backend: id("a"), credential: None };
    let mut attempt = AttemptRecord::started(endpoint, "llama", at);
    attempt.error_class = Some("server".to_owned());
    attempt.class = Some("server".to_owned());
    Settlement {
        ended: at,
        outcome: RequestOutcome::Failed,
        error_class: Some("server".to_owned()),
        backend: Some(id("a")),
        credential: None,
        attempts: vec![attempt],
        ..settled
    }
}

#[tokio::test(start_paused = true)]
async fn a_week_fires_ends_and_adds_up_as_computed_by_hand() {
    let mut week = Week::begin().await;
    week.rest_until(DAY).await;

    // Day 1: the server of a and c is dead for an hour. Probed at 1 s past half a minute: down at
    // 86,403; and from there on every 30 s: the first good one is at 90,003, so up at 90,004.
    week.set_faulty(&["a", "c"]);
    week.pass(HOUR, STEP).await;
    assert_eq!(week.engine.alerts().suppressed().len(), 1, "c is part of the alert about a");
    week.set_faulty(&[]);
    week.pass(600, STEP).await;
    week.rest_until(2 * DAY).await;

    // Day 2: offline for six hours. The states of a, b and c are not known; the one here goes on.
    IS_OFFLINE.set(true);
    week.pass(600, STEP).await;
    week.rest_until(2 * DAY + 6 * HOUR).await;
    assert_eq!(week.state("a"), HealthState::Unknown);
    assert_eq!(week.state("home"), HealthState::Up);
    IS_OFFLINE.set(false);
    week.pass(600, STEP).await;
    week.rest_until(3 * DAY).await;

    // Day 3: b is probed at 2 s past half a minute. It is down at 259,204; this machine sleeps for nine
    // hours from 259,260 on. The next second tells that, and 16 s later, when failures count again, all
    // are probed, at 17 s past half a minute from then on. Five minutes after the sleep b is well: up at
    // 259,578.
    week.set_faulty(&["b"]);
    week.pass(60, STEP).await;
    week.jump(9 * 3_600).await;
    // The network is not back yet, which is nobody's fault.
    week.set_faulty(&["a", "b", "c"]);
    week.pass(15, STEP).await;
    week.set_faulty(&["b"]);
    week.pass(285, STEP).await;
    assert_eq!(week.state("a"), HealthState::Up);
    week.set_faulty(&[]);
    week.pass(600, STEP).await;
    week.rest_until(4 * DAY).await;

    // Day 4: the clock is set two hours forward, which looks like sleep, and ten minutes later back.
    week.jump(7_200).await;
    week.pass(600, STEP).await;
    week.jump(-7_200).await;
    week.pass(600, STEP).await;
    week.rest_until(5 * DAY).await;

    // Day 5: a flaps: four times bad for 90 s and well for 90 s, each seen for 91 s. Its last recovery
    // is at 432,659.
    for _ in 0..4 {
        week.set_faulty(&["a"]);
        week.pass(90, STEP).await;
        week.set_faulty(&[]);
        week.pass(90, STEP).await;
    }
    week.pass(600, STEP).await;
    week.rest_until(6 * DAY).await;

    // Day 6: four requests, and all of them fail: too few to say anything.
    let at = week.clock.wall();
    still(settle(&week.engine, (0..4).map(|number| failed_request(number, at)))).await;
    week.pass(900, STEP).await;
    week.rest_until(7 * DAY).await;

    // An alert ends at the first evaluation after the two minutes that it is kept for.
    let fired = [(86_403, "a", 90_135), (259_204, "b", 259_710), (432_019, "a", 432_780)];
    let listed = fired.iter().zip(1..).flat_map(|((from, name, until), number)| {
        [format!("{from} fires backend-down/{name}"), format!("{until} ends {number}")]
    });
    assert_eq!(week.log, listed.collect::<Vec<_>>());
    // Shown at the first evaluation half a minute after it fired, in which others may join; gone at the
    // moment of the recovery; told to be over when the alert ends. The flapping backend is down again at
    // 432,202, for less than the two minutes after which that is news, and at 432,385, which is the fifth
    // change: then it is told once that it flaps.
    let screen = [
        "86445 shows 2 backends are down",
        "90004 withdraws 2 backends are down",
        "90135 tells 2 backends work again",
        "259245 shows Upstream is down",
        "259578 withdraws Upstream is down",
        "259710 tells Upstream works again",
        "432060 shows Upstream is down",
        "432110 withdraws Upstream is down",
        "432385 shows Upstream is down",
        "432476 withdraws Upstream is down",
    ];
    assert_eq!(week.screen_log, screen);
    assert_eq!(*week.desktop.shown.lock(), BTreeMap::new(), "all of it is over");

    // Each of the three times that the clock was set, one step of 15 s counts for nothing; and from the
    // first look after the network was lost until a backend is up again it is not observed.
    let all = 7 * DAY - 1 - 3 * STEP;
    let lost = |up_again: u64| up_again - (2 * DAY + STEP);
    let (hour, flapping) = (90_004 - 86_403, 4 * 91);
    let a = all - lost(194_405) - hour - flapping;
    assert_eq!(week.observed("home").await, (all, 0));
    assert_eq!(week.observed("a").await, (a, hour + flapping));
    let c = all - lost(194_405) - hour;
    assert_eq!(week.observed("c").await, (c, hour));
    let night = 259_578 - 259_204 - STEP;
    assert_eq!(week.observed("b").await, (all - lost(194_402) - night, night));

    // The four requests are in the service levels, and too few to burn.
    let levels = still(week.engine.service_levels().levels()).await.expect("read");
    let level = levels.iter().find(|it| it.scope == LevelScope::Backend(id("a"))).expect("a level");
    let counts = level.counts(BurnWindow::of_period(Duration::from_secs(7 * DAY)));
    assert_eq!(counts, RequestCounts { good: 0, bad: 4 });

    check_back_test(&week, &fired).await;
    week.engine.stop().await;
}

/// The back-test of the week finds what fired live, to the second, and ends it within one evaluation.
async fn check_back_test(week: &Week, fired: &[(u64, &str, u64)]) {
    let tunings = vec![rule_tunings(&week.engine.settings().alerts)];
    let history = week.engine.alert_history();
    let found = still(history.back_test(AlertRule::BackendDown, tunings, 9)).await;
    let found = found.expect("read").expect("a history");
    // Nine hours of sleep lie after the first moments of day 3.
    let asleep_after = |secs: u64| if secs > 259_260 { 9 * HOUR } else { 0 };
    let begun =
        week.clock.wall().unix_ms() - i64::try_from((week.secs() + 9 * HOUR) * 1_000).unwrap_or(0);
    let secs = |at: WallTime| u64::try_from((at.unix_ms() - begun) / 1_000).expect("later");
    let firings: Vec<&PastFiring> = found.firings[0].iter().collect();
    assert_eq!(firings.len(), fired.len(), "{firings:?}");
    for (firing, (from, name, until)) in firings.into_iter().zip(fired) {
        assert_eq!(firing.fingerprint.to_string(), format!("backend-down/{name}"));
        assert_eq!(secs(firing.fired), from + asleep_after(*from), "{firing:?}");
        let ended = secs(firing.ended.expect("it ended"));
        let live = until + asleep_after(*until);
        assert!((live - STEP..=live).contains(&ended), "{ended} and {live}: {firing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_desktop_is_told_what_happens_while_the_window_has_no_focus() {
    let mut week = Week::begin().await;
    week.pass(120, STEP).await;
    let window = Arc::clone(&week.engine.parts.notifications);
    // The user looks at the window, which shows that b is down. So it is no news once the window is
    // hidden, and neither is its end.
    window.set_focused(WindowFocus::Focused);
    let mut events = week.engine.parts.base.events.subscribe_except_changed();
    week.set_faulty(&["b"]);
    week.pass(300, STEP).await;
    assert_eq!(week.state("b"), HealthState::Down);
    window.set_focused(WindowFocus::Elsewhere);
    week.pass(300, STEP).await;
    week.set_faulty(&[]);
    week.pass(600, STEP).await;
    assert_eq!(week.log.len(), 2, "it fired and ended: {:?}", week.log);
    assert_eq!(week.screen_log, [] as [String; 0]);
    let shown = std::iter::from_fn(|| events.try_recv().ok()).filter_map(|event| match event {
        EngineEvent::AlertShown(shown) => Some(shown.title.clone()),
        _ => None,
    });
    assert_eq!(shown.collect::<Vec<_>>(), ["Upstream is down"], "the window was told once");

    // What happens while the window is hidden is told once. It goes as soon as it is over, also while the
    // user looks at the window again, which then says that it is over.
    week.set_faulty(&["home"]);
    week.pass(300, STEP).await;
    window.set_focused(WindowFocus::Focused);
    week.pass(300, STEP).await;
    let told = |week: &Week| -> Vec<String> {
        let untimed = |call: &String| call.split_once(' ').map(|(_, call)| call.to_owned());
        week.screen_log.iter().filter_map(untimed).collect()
    };
    assert_eq!(told(&week), ["shows Upstream is down"]);
    week.set_faulty(&[]);
    week.pass(60, STEP).await;
    let both = ["shows Upstream is down", "withdraws Upstream is down"];
    assert_eq!(told(&week), both);
    week.pass(600, STEP).await;
    window.set_focused(WindowFocus::Elsewhere);
    week.pass(600, STEP).await;
    assert_eq!(told(&week), both);
    week.engine.stop().await;
}

/// From the failed request that opened the last breaker until the notification.
const CRITICAL_TOLD_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test(start_paused = true)]
async fn a_route_that_loses_its_backends_while_their_probes_pass_is_told_within_fifteen_seconds() {
    let mut week = Week::begin().await;
    week.pass(120, STEP).await;
    let (parts, clock) = (Arc::clone(&week.engine.parts), Arc::clone(&week.clock));
    let mut events = parts.base.events.subscribe_except_changed();
    let request_fails = || {
        for name in ["a", "b"] {
            assert_eq!(week.state(name), HealthState::Up);
            let attempt = admitted(&parts.backends.registry, &id(name));
            let failed = CallOutcome::Failure { weight: FailureWeight::Full, retry_after: None };
            attempt.into_iter().for_each(|attempt| attempt.ended(failed, 0));
        }
    };
    (0..3).for_each(|_| request_fails());
    let begun = clock.now();
    let is_told = || parts.alerts.alerts().iter().any(|alert| alert.notified_at.is_some());
    while !is_told() {
        // As the engine's task: at once after what may be a cause, otherwise after a pause.
        let is_caused = std::iter::from_fn(|| events.try_recv().ok()).any(|it| is_cause(&it));
        if !is_caused {
            tokio::time::advance(parts.alerts.pause()).await;
            request_fails();
        }
        still(parts.alerts.evaluate()).await;
        let passed = clock.now().since(begun);
        assert!(passed <= CRITICAL_TOLD_WITHIN, "{passed:?}: {:?}", parts.alerts.alerts());
    }
    let told = parts.alerts.alerts();
    let causes: Vec<String> = told.iter().map(|it| it.condition.fingerprint.to_string()).collect();
    assert_eq!(causes, ["route-dead/fast"]);
    week.engine.stop().await;
}
