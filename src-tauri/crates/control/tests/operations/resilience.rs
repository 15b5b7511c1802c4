//! Breakers, cooldowns and blocks with a whole engine: shown, forced, kept and recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use control::view::*;
use control::{ChangeTag, Core, CoreEvents, ErrorCode, PanelEvent};
use test_support::{MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream};

use crate::world::{World, add_request, marked_key, secret, world};

/// An engine with one backend that answers chats with a status chosen by the test.
struct BreakerFixture {
    world: World,
    /// Answers for as long as the fixture lives.
    _upstream: ScriptedUpstream,
    status: Arc<AtomicU16>,
}

async fn breaker_fixture() -> BreakerFixture {
    let status = Arc::new(AtomicU16::new(500));
    let told = Arc::clone(&status);
    let upstream = ScriptedUpstream::start_with(move |received: &ReceivedRequest| {
        let is_list = received.path.ends_with("/models");
        let failing = Reply::error(told.load(Ordering::Relaxed), "api_error", "as the test wishes");
        Some(if is_list { Reply::models(&["m-1"]) } else { failing })
    });
    let upstream = upstream.await.expect("an upstream");
    let world = world().await;
    let models = vec!["m-1".to_owned()];
    let add = BackendAdd { models, ..add_request(&upstream, marked_key()) };
    control::backend_add(&world.core, add).await.expect("added");
    BreakerFixture { world, _upstream: upstream, status }
}

fn up() -> EndpointRef {
    EndpointRef { backend: "up".to_owned(), credential: Some("up".to_owned()) }
}

impl BreakerFixture {
    async fn endpoint(&self) -> EndpointView {
        endpoint(&self.world.core).await
    }

    async fn ask(&self) -> String {
        ask(&self.world.core).await
    }
}

/// Sends one request, waits until it is in the ledger, and returns its id.
pub(crate) async fn ask(core: &Core) -> String {
    ask_for(core, "up/m-1").await
}

/// The same for a model by its name.
pub(crate) async fn ask_for(core: &Core, model: &str) -> String {
    let mut events = CoreEvents::subscribe(core).await.expect("events");
    let ask = PlaygroundSend {
        model: model.to_owned(),
        system: None,
        prompt: "Does it answer?".to_owned(),
        temperature: None,
        max_tokens: Some(5),
        effort: None,
        by_agent: false,
        client: None,
    };
    let sent = control::playground_send(core, ask).await.expect("sent");
    loop {
        match events.next().await.expect("an event") {
            PanelEvent::PlaygroundRun { run } if run.id == sent.id && !run.is_running => break,
            _ => {}
        }
    }
    let query = RequestsQuery { limit: 1, ..RequestsQuery::default() };
    let newest = control::requests(core, query).await.expect("requests");
    newest.requests.into_iter().next().expect("a request").id
}

async fn endpoint(core: &Core) -> EndpointView {
    let accesses = control::accesses(core).await.expect("accesses");
    accesses.into_iter().find(|endpoint| endpoint.backend == "up").expect("there")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_backend_is_skipped_and_its_timeline_says_why() {
    let bench = breaker_fixture().await;
    assert_eq!(bench.endpoint().await.availability.state, AvailabilityState::Ready);
    let mut asked = bench.ask().await;
    for _more in 0..6 {
        if bench.endpoint().await.availability.state == AvailabilityState::Open {
            break;
        }
        asked = bench.ask().await;
    }
    let open = bench.endpoint().await;
    assert_eq!(open.availability.state, AvailabilityState::Open, "{:?}", open.breaker);
    assert_eq!(open.breaker.state, BreakerState::Open);
    assert!(open.availability.until.is_some() && open.availability.since.is_some());
    assert_eq!(open.availability.why, "Tripped: several requests in a row failed.");

    // There were more attempts than requests: each retry is an attempt of its own.
    let path = control::request_path(&bench.world.core, RequestRef { id: asked.clone() });
    let path = path.await.expect("a path");
    let attempt = path.attempts.first().expect("an attempt");
    assert_eq!((attempt.backend.as_str(), attempt.http_status), ("up", Some(500)));
    assert_eq!(attempt.class.as_deref(), Some("server"));
    assert_eq!(attempt.owner.map(|owner| owner.word()), Some("endpoint"));
    assert_eq!(path.cache.outcome, CacheOutcome::Bypass);

    let query = BreakerTimelineQuery { backend: "up".to_owned(), hours: 1 };
    let timeline = loop {
        let timeline = control::breaker_timeline(&bench.world.core, query.clone()).await;
        let timeline = timeline.expect("a timeline");
        if !timeline.transitions.is_empty() {
            break timeline;
        }
        tokio::task::yield_now().await;
    };
    let opened = timeline.transitions.last().expect("a change");
    assert_eq!((opened.from, opened.to), (AvailabilityState::Ready, AvailabilityState::Open));
    assert!(opened.evidence.len() >= 2 && opened.evidence.iter().all(|id| id.starts_with("req_")));
    assert!(timeline.finding.starts_with("Tripped once, "), "{}", timeline.finding);
    let strip = timeline.strips.first().expect("a strip");
    assert_eq!(strip.spans.first().map(|span| span.from), Some(timeline.from));
    assert_eq!(strip.spans.last().map(|span| span.to), Some(timeline.to));

    let backtest = |failures| BacktestQuery {
        backend: Some("up".to_owned()),
        days: 1,
        consecutive_failures: failures,
        failure_percent: None,
        window_calls_min: None,
        open_secs: None,
    };
    let found = control::breaker_backtest(&bench.world.core, backtest(None)).await.expect("tested");
    assert_eq!((found.opened, found.opened_really), (1, 1), "{}", found.sentence);
    let bearing = control::breaker_backtest(&bench.world.core, backtest(Some(99))).await;
    let bearing = bearing.expect("tested");
    assert_eq!(bearing.opened, 0);
    let sentence = "With these thresholds, the breaker would have tripped 0 times in the last day.";
    assert_eq!(bearing.sentence, sentence);
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_requests_are_found_and_a_refused_one_says_why() {
    let bench = breaker_fixture().await;
    let failed = bench.ask().await;
    let held = EndpointForce {
        backend: "up".to_owned(),
        credential: Some("up".to_owned()),
        forced: BreakerOverride::Open,
        minutes: None,
    };
    control::access_force(&bench.world.core, held).await.expect("blocked");
    let refused = bench.ask().await;
    let free = ask_for(&bench.world.core, "mock/echo").await;
    let all = RequestsQuery { limit: 9, ..RequestsQuery::default() };
    let check = async |query: RequestsQuery, expected: &[&String]| {
        let found = control::requests(&bench.world.core, query.clone()).await.expect("requests");
        let found: Vec<&String> = found.requests.iter().map(|request| &request.id).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    let text = |text: &str| Some(text.to_owned());
    let state = Some(RequestState::Failed);
    check(RequestsQuery { state, ..all.clone() }, &[&refused, &failed]).await;
    check(RequestsQuery { http_status: text("5xx"), ..all.clone() }, &[&refused, &failed]).await;
    check(RequestsQuery { http_status: text("503"), ..all.clone() }, &[&refused]).await;
    check(RequestsQuery { backend: text("up"), ..all.clone() }, &[&refused, &failed]).await;
    check(RequestsQuery { model: text("mock/*"), ..all.clone() }, &[&free]).await;
    check(RequestsQuery { client: text("nobody"), ..all.clone() }, &[]).await;
    check(RequestsQuery { failure: text("server"), ..all.clone() }, &[&failed]).await;
    check(RequestsQuery { failure: text("overloaded"), ..all.clone() }, &[&refused]).await;
    check(RequestsQuery { slower_than: text("1h"), ..all.clone() }, &[]).await;
    check(RequestsQuery { within: text("1h"), min_cost: text("0.01"), ..all.clone() }, &[]).await;
    let wrong = RequestsQuery { http_status: text("failed"), ..all.clone() };
    let error = control::requests(&bench.world.core, wrong).await.expect_err("refused");
    assert_eq!(error.field.as_deref(), Some("http_status"));

    let why = async |id: &String| {
        let path = control::request_path(&bench.world.core, RequestRef { id: id.clone() }).await;
        path.expect("a path").failure.map(|failure| (failure.cause, failure.next_step))
    };
    let (cause, next_step) = why(&failed).await.expect("a cause");
    assert!(cause.starts_with("up: "), "{cause}");
    assert_eq!(next_step, "Send it again later, or add another backend to the route.");
    let (cause, _) = why(&refused).await.expect("a cause");
    assert_eq!(cause, "The backend up (up) is blocked manually in Gatehouse.");
    assert_eq!(why(&free).await, None);
    let code = control::request_code(&bench.world.core, RequestRef { id: free.clone() }).await;
    let code = code.expect("code").snippets;
    assert!(code[0].code.contains("\"model\": \"mock/echo\""), "{}", code[0].code);
    assert!(code.iter().all(|one| one.code.contains("$(gatehouse token ")), "{code:?}");

    let rows = control::requests(&bench.world.core, all).await.expect("requests").requests;
    let row = |id: &String| rows.iter().find(|row| row.id == *id).expect("a row");
    let said = row(&refused).error.as_deref().expect("a reason");
    assert_eq!(said, "The backend up (up) is blocked manually in Gatehouse.");
    assert_eq!(row(&refused).error_class.as_deref(), Some("overloaded"));
    assert_eq!((row(&refused).backend.as_deref(), row(&refused).attempts), (Some("up"), 0));
    assert_eq!(row(&refused).cost_basis, CostBasisView::NotBilled, "it reached nothing");
    assert_eq!(row(&free).cost_basis, CostBasisView::NotBilled, "the mock bills nothing");
    let spent = control::status(&bench.world.core).await.expect("a status").spend_today;
    assert_eq!((spent.cost_nano_usd, spent.requests.0), (NanoDollars(0), 3));
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_blocks_until_it_is_replaced_or_accepted() {
    let bench = breaker_fixture().await;
    bench.status.store(401, Ordering::Relaxed);
    bench.ask().await;
    let blocked = bench.endpoint().await;
    assert_eq!(blocked.availability.state, AvailabilityState::Blocked);
    let block = blocked.block.expect("a block");
    assert_eq!((block.reason, block.fix.as_str()), (BlockReason::KeyRejected, "Replace the key."));
    let replace = KeyReplace { id: "up".to_owned(), secret: secret(MARKED_KEY), untested: false };
    control::key_replace(&bench.world.core, replace).await.expect("replaced");
    assert_eq!(bench.endpoint().await.availability.state, AvailabilityState::Ready);

    bench.ask().await;
    assert_eq!(bench.endpoint().await.availability.state, AvailabilityState::Blocked);
    let key = KeyRef { id: "up".to_owned() };
    let verified = control::key_verify(&bench.world.core, key).await.expect("verified");
    assert_eq!(verified.state, KeyState::Valid);
    assert_eq!(bench.endpoint().await.availability.state, AvailabilityState::Ready);
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_is_shown_announced_and_kept_over_a_restart() {
    let BreakerFixture { world, _upstream, .. } = breaker_fixture().await;
    let core = &world.core;
    let mut events = CoreEvents::subscribe(core).await.expect("events");
    let force = EndpointForce {
        backend: "up".to_owned(),
        credential: None,
        forced: BreakerOverride::Open,
        minutes: Some(30),
    };
    let held = control::access_force(core, force.clone()).await.expect("held");
    assert_eq!(held.availability.state, AvailabilityState::Held);
    let set = held.forced.expect("set by hand");
    assert_eq!(set.forced, BreakerOverride::Open);
    let until = set.until.expect("it ends");
    loop {
        if let PanelEvent::Changed { tags } = events.next().await.expect("an event")
            && tags.contains(&ChangeTag::Endpoints)
        {
            assert!(tags.contains(&ChangeTag::Routes));
            break;
        }
    }
    let home = world.stop().await;

    let world = World::open(home, |_| {}).await.serving().await;
    let core = &world.core;
    let kept = endpoint(core).await;
    assert_eq!(kept.availability.state, AvailabilityState::Held);
    let again = kept.forced.and_then(|set| set.until).expect("it ends");
    assert!(
        (again.0 - until.0).abs() < 2_000,
        "the time that is left is kept: {until:?} {again:?}"
    );
    let calm = control::access_reset(core, up()).await.expect("reset");
    assert_eq!((calm.availability.state, calm.forced.is_none()), (AvailabilityState::Ready, true));

    for (wrong, code) in [
        (EndpointForce { minutes: Some(0), ..force.clone() }, ErrorCode::InvalidInput),
        (
            EndpointForce { minutes: Some(FORCE_MINUTES_MAX + 1), ..force.clone() },
            ErrorCode::InvalidInput,
        ),
        (EndpointForce { backend: "gone".to_owned(), ..force.clone() }, ErrorCode::NotFound),
        (EndpointForce { credential: Some("other".to_owned()), ..force }, ErrorCode::NotFound),
    ] {
        let refused = control::access_force(core, wrong).await.expect_err("refused");
        assert_eq!(refused.code, code, "{}", refused.message);
    }
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_closed_ends_by_itself_after_the_time_in_the_settings() {
    let BreakerFixture { world, _upstream, .. } = breaker_fixture().await;
    let (core, engine) = (&world.core, world.engine());
    let force = |forced, minutes| {
        let EndpointRef { backend, credential } = up();
        control::access_force(core, EndpointForce { backend, credential, forced, minutes })
    };
    let secs_left = |endpoint: EndpointView| {
        let until = endpoint.forced.expect("set by hand").until?;
        assert_eq!(endpoint.availability.until, Some(until));
        Some((until.0 - engine.clock().wall().unix_ms() + 500) / 1_000)
    };
    let usual = secs_left(force(BreakerOverride::Closed, None).await.expect("held"));
    assert!(usual.is_some_and(|secs| (890..=900).contains(&secs)), "{usual:?}");
    let set = |draft: &mut settings::Settings| {
        draft.resilience.preset = ResiliencePreset::Custom;
        draft.resilience.custom.forced_closed_secs = 7_200;
    };
    engine.settings_editor().edit(set).await.expect("saved");
    let longer = secs_left(force(BreakerOverride::Closed, None).await.expect("held"));
    assert!(longer.is_some_and(|secs| (7_190..=7_200).contains(&secs)), "{longer:?}");
    let named = secs_left(force(BreakerOverride::Closed, Some(1)).await.expect("held"));
    assert!(named.is_some_and(|secs| secs <= 60), "{named:?}");
    assert_eq!(secs_left(force(BreakerOverride::MonitorOnly, None).await.expect("held")), None);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_is_shown_and_purged() {
    let world = world().await;
    let core = &world.core;
    // A purge waits until the disk tier is open.
    let purge = |what| control::cache_purge(core, CachePurge { what });
    let purged = purge(CachePurgeSelector::Everything).await.expect("purged");
    assert_eq!(purged.sentence, "Purged everything: 0 responses.");
    let query = CacheQuery { range: UsageRange::LastDay, zone: TimeZoneChoice::Utc };
    let shown = control::cache(core, query).await.expect("shown");
    assert!(shown.enabled, "{shown:?}");
    let on: Vec<_> = shown.tiers.iter().map(|tier| (tier.tier, tier.state)).collect();
    let expected = [
        (CacheTier::Memory, CacheTierState::On),
        (CacheTier::Disk, CacheTierState::On),
        (CacheTier::Shared, CacheTierState::Off),
    ];
    assert_eq!(on, expected);
    assert_eq!((shown.eligible.0, shown.hit_percent), (0, None));
    let wrong =
        purge(CachePurgeSelector::Key { key: "nothing".to_owned() }).await.expect_err("wrong");
    assert_eq!((wrong.code, wrong.field.as_deref()), (ErrorCode::InvalidInput, Some("key")));
    core.stop().await;
}
