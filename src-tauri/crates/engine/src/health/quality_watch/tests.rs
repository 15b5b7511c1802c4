//! What is said of a backend while it answers slowly, fails often and recovers.

use domain::{Endpoint, ManualClock};
use ledger::{AttemptRecord, RequestOutcome, Settlement};
use monitor::{HealthFinding, Observation, ObservationSource};
use pricing::Cost;
use service_levels::Degradation;

use super::*;
use crate::Engine;
use crate::alerts::measurements::tests::{answered, settle, with_backend_and_keys};
use crate::gateway::response_cache::tests::opened_at;
use crate::test_parts::NOW;

struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    number: u64,
    _home: tempfile::TempDir,
}

fn up() -> BackendId {
    BackendId::new("up").expect("a name")
}

impl World {
    /// A backend that is up for longer than five minutes, and a week of answers within 900 ms.
    async fn new() -> Self {
        Self::with_week(|world, secs| world.answer(secs, 900)).await
    }

    /// The same with another week of answers, so many seconds from now.
    async fn with_week(answer: impl Fn(&mut Self, i64) -> Settlement) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let engine = opened_at(&home, clock.clone()).await;
        with_backend_and_keys(&engine).await;
        let mut world = Self { engine, clock, number: 0, _home: home };
        world.observe(HealthFinding::Answered, 2);
        let week: Vec<Settlement> =
            (0..60).map(|hour| answer(&mut world, -7_200 * hour - 7_200)).collect();
        settle(&world.engine, week).await;
        world.engine.parts.measured.evaluate().await;
        for _ in 0..6 {
            world.pass(60).await;
        }
        world
    }

    fn observe(&self, finding: HealthFinding, times: usize) {
        for _ in 0..times {
            let (source, duration) = (ObservationSource::Probe, Duration::ZERO);
            let observation = Observation { source, finding, reason: String::new(), duration };
            self.engine.health_watch().observe(&up(), observation);
        }
    }

    /// An answer so many seconds from now.
    fn answer(&mut self, secs: i64, first_token_ms: u64) -> Settlement {
        self.number += 1;
        let passed = (self.clock.wall().unix_ms() - NOW.unix_ms()) / 1_000;
        answered(self.number, -(passed + secs), Cost::Unpriced, first_token_ms)
    }

    /// A request that failed just now, by a class of the ledger.
    fn failure(&mut self, class: &str) -> Settlement {
        let settled = self.answer(0, 100);
        let endpoint = Endpoint { backend: up(), credential: None };
        let mut attempt = AttemptRecord::started(endpoint, "llama", settled.request.started);
        attempt.error_class = Some(class.to_owned());
        attempt.class = Some(class.to_owned());
        Settlement {
            outcome: RequestOutcome::Failed,
            error_class: Some(class.to_owned()),
            attempts: vec![attempt],
            ..settled
        }
    }

    /// The same after another backend failed for three seconds.
    fn answer_after_failover(&mut self, secs: i64, first_token_ms: u64) -> Settlement {
        let mut settled = self.answer(secs, first_token_ms + 3_000);
        let started = settled.request.started;
        let other = BackendId::new("other").expect("a name");
        let endpoint = Endpoint { backend: other, credential: None };
        let mut failed = AttemptRecord::started(endpoint, "llama", started);
        failed.error_class = Some("connect".to_owned());
        failed.class = Some("connect".to_owned());
        for answering in &mut settled.attempts {
            answering.started = started.plus_ms(3_000);
        }
        settled.attempts.insert(0, failed);
        settled
    }

    async fn settle(&mut self, count: usize, mut one: impl FnMut(&mut Self) -> Settlement) {
        let all: Vec<Settlement> = (0..count).map(|_| one(self)).collect();
        settle(&self.engine, all).await;
    }

    async fn pass(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        self.observe(HealthFinding::Answered, 1);
        self.evaluate().await;
    }

    async fn evaluate(&self) {
        self.engine.parts.service_levels.evaluate().await;
        self.engine.parts.quality.evaluate().await;
    }

    /// Where the times in which it was degraded begin and end, in seconds from now.
    async fn degraded_secs(&self) -> Vec<(i64, i64)> {
        let spans = self.engine.quality().degraded_since(NOW.minus_ms(86_400_000)).await;
        let now = self.clock.wall().unix_ms();
        let secs = |at: WallTime| (at.unix_ms() - now) / 1_000;
        spans.expect("read").iter().map(|it| (secs(it.from), secs(it.until))).collect()
    }

    fn title(&self) -> Option<String> {
        let degraded = self.engine.quality().degraded(&up())?;
        Some(degraded.what.title("OpenAI"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answers_are_told_until_five_minutes_after_they_are_over() {
    let mut world = World::new().await;
    assert_eq!(world.title(), None);
    world.settle(7, |world| world.answer(0, 900)).await;
    world.settle(2, |world| world.answer(0, 4_200)).await;
    world.evaluate().await;
    assert_eq!(world.title(), None, "nine calls");

    world.settle(1, |world| world.answer(0, 4_200)).await;
    world.evaluate().await;
    let said = "OpenAI is slow: first token 4.2 s, usually 0.9 s";
    assert_eq!(world.title().as_deref(), Some(said));
    let since = world.engine.quality().degraded(&up()).expect("degraded").since;
    assert_eq!(since, world.clock.wall());
    let facts = world.engine.parts.alerts.sources.facts(Vec::new());
    let measured = facts.measurements.iter().find_map(|it| match it {
        Measurement::Latency { requests, recent, .. } => Some((*requests, *recent)),
        _ => None,
    });
    assert_eq!(measured, Some((10, Duration::from_millis(4_200))), "the alert judges the same");

    for _ in 0..9 {
        world.pass(60).await;
        assert_eq!(world.title().as_deref(), Some(said));
    }
    world.pass(60).await;
    assert_eq!(world.title(), None);
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_says_degraded_and_the_time_of_it_is_kept() {
    let mut world = World::new().await;
    let prometheus_on = |draft: &mut settings::Settings| draft.metrics.prometheus = true;
    world.engine.settings_editor().edit(prometheus_on).await.expect("edited");
    let stated = |world: &World, state: &str| {
        let line = format!("gatehouse_backend_state{{backend=\"up\",state=\"{state}\"}} 1");
        world.engine.metrics().text().expect("on").lines().any(|own| own == line)
    };
    assert!(stated(&world, "up"));
    assert_eq!(world.degraded_secs().await, []);

    world.settle(10, |world| world.answer(0, 4_200)).await;
    world.evaluate().await;
    assert!(stated(&world, "degraded"));
    assert!(!stated(&world, "up"));
    let health = world.engine.backend_states().health(&up()).expect("watched");
    assert_eq!(health.state(), domain::ShownHealth::Degraded);
    assert_eq!(health.observed.state, HealthState::Up, "it is available all the same");
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(world.degraded_secs().await, [(-30, 0)], "it goes on, though it is not saved yet");
    world.pass(30).await;

    // A kill: only what was saved is left, and it ends where it was seen last.
    world.clock.advance(Duration::from_secs(20));
    *world.engine.quality().spans.lock() = DegradedSpans::default();
    assert_eq!(world.degraded_secs().await, [(-80, -20)]);
    world.evaluate().await;
    world.observe(HealthFinding::Failed, 3);
    assert!(stated(&world, "down"));
    world.evaluate().await;
    world.clock.advance(Duration::from_secs(100));
    world.evaluate().await;
    assert_eq!(world.degraded_secs().await, [(-180, -100)], "it ended with the outage");
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_degraded_time_ends_when_this_machine_goes_to_sleep() {
    const NIGHT: i64 = 9 * 3_600;
    let mut world = World::new().await;
    world.settle(10, |world| world.answer(0, 4_200)).await;
    world.evaluate().await;
    world.pass(60).await;
    assert_eq!(world.degraded_secs().await, [(-60, 0)]);
    // The monotonic clock stands still meanwhile.
    world.clock.set_wall(world.clock.wall().plus_ms(NIGHT * 1_000));
    let before_it = (-60 - NIGHT, -NIGHT);
    assert_eq!(world.degraded_secs().await, [before_it], "nothing was judged since");
    // It is as slow as before.
    world.settle(10, |world| world.answer(0, 4_200)).await;
    world.pass(0).await;
    assert_eq!(world.degraded_secs().await, [before_it, (0, 0)]);
    world.pass(60).await;
    assert_eq!(world.degraded_secs().await, [(-120 - NIGHT, -60 - NIGHT), (-60, 0)]);
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_steps_in_for_another_is_slow_by_its_own_time() {
    let mut world = World::with_week(|world, secs| world.answer_after_failover(secs, 900)).await;
    world.settle(10, |world| world.answer_after_failover(0, 2_500)).await;
    world.evaluate().await;
    let said = "OpenAI is slow: first token 2.5 s, usually 0.9 s";
    assert_eq!(world.title().as_deref(), Some(said), "4 s beside 5.5 s would not be slow");
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_the_backend_are_told_and_no_others() {
    let mut world = World::new().await;
    for class in ["bad-request", "cancelled", "offline", "paused", "model-missing"] {
        world.settle(10, |world| world.failure(class)).await;
    }
    world.settle(10, |world| world.answer(0, 900)).await;
    world.evaluate().await;
    assert_eq!(world.title(), None);

    world.settle(3, |world| world.failure("server")).await;
    world.evaluate().await;
    assert_eq!(world.title().as_deref(), Some("OpenAI fails 3 of 13 requests"));
    assert_eq!(
        world.engine.quality().degraded(&up()).map(|it| it.what),
        Some(Degradation::Failing { failed: 3, requests: 13 })
    );
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_in_an_outage_is_not_told_after_it() {
    let mut world = World::new().await;
    world.settle(20, |world| world.failure("connect")).await;
    world.evaluate().await;
    assert!(world.title().is_some());
    world.observe(HealthFinding::Failed, 3);
    world.evaluate().await;
    assert_eq!(world.title(), None, "it is down, which says it all");
    world.observe(HealthFinding::Answered, 2);
    for _ in 0..12 {
        world.pass(60).await;
        assert_eq!(world.title(), None);
    }
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_degraded_before_the_clock_was_set_back_is_over_five_minutes_later() {
    const BACK_SECS: i64 = 2 * 3_600;
    let mut world = World::new().await;
    world.settle(3, |world| world.failure("server")).await;
    world.settle(7, |world| world.answer(0, 4_200)).await;
    world.evaluate().await;
    assert_eq!(world.title().as_deref(), Some("OpenAI fails 3 of 10 requests"));
    world.pass(60).await;

    world.clock.set_wall(world.clock.wall().minus_ms(BACK_SECS * 1_000));
    for _ in 0..4 {
        world.pass(60).await;
        assert!(world.title().is_some(), "nothing shows yet that it is over");
    }
    // Two minutes at once would be too long without a result.
    world.pass(60).await;
    world.pass(60).await;
    assert_eq!(world.title(), None, "those requests are of no time until now");
    // Since when it is up is in the future too; it is judged all the same.
    world.settle(10, |world| world.failure("server")).await;
    world.evaluate().await;
    assert_eq!(world.title().as_deref(), Some("OpenAI fails 10 of 11 requests"));
    let spans = world.engine.quality().degraded_since(NOW.minus_ms(86_400_000)).await;
    for span in spans.expect("read") {
        assert!(span.from <= span.until, "{span:?}");
    }
    world.engine.stop().await;
}
