//! Health and service levels through the API: what was observed, what failed, what is left.

use std::time::Duration;

use control::view::*;
use domain::{BackendId, Endpoint, RequestId, WallTime};
use ledger::{
    AttemptRecord, ObservedSubject, ObservedTimeRow, RequestOutcome, Settlement, Timings,
};

use crate::world::{World, lists_models, marked_key, world};

/// Requests whose only attempt met an error of the server.
async fn settle_failed(world: &World, count: u32) {
    for _ in 0..count {
        let answered = world.answered("editor");
        let endpoint =
            Endpoint { backend: BackendId::new("up").expect("a name"), credential: None };
        let attempt = AttemptRecord {
            error_class: Some("server_error".to_owned()),
            class: Some("server".to_owned()),
            ..AttemptRecord::started(endpoint, "m", answered.request.started)
        };
        let attempts = vec![attempt];
        world.settle(Settlement { outcome: RequestOutcome::Failed, attempts, ..answered }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_has_the_availability_that_was_observed() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    let id = world.add_up(&upstream, marked_key()).await.id;
    let before = control::health(core).await.expect("health");
    assert_eq!(before.backends.len(), 1);
    assert!(before.backends[0].score.points.is_none(), "nothing observed, no score");
    assert_eq!(before.backends[0].availability[2].sentence, "not observed");

    let engine = world.engine();
    // An hour and 54 minutes of the two hours before the present one.
    let now = engine.clock().wall();
    let row = |hours: i64, good: u64, bad: u64| ObservedTimeRow {
        subject: ObservedSubject::Backend(BackendId::new(&id).expect("a name")),
        slot: now.minus_ms(hours * 3_600_000),
        width: Duration::from_secs(3_600),
        good: Duration::from_secs(good),
        bad: Duration::from_secs(bad),
    };
    let rows = vec![row(1, 3_600, 0), row(2, 3_240, 360)];
    engine.ledger().add_observed_time(rows, Vec::new()).await.expect("stored");
    let after = control::health(core).await.expect("health");
    let own = &after.backends[0];
    assert_eq!(own.availability[0].sentence, "95.00 % of 2 h observed");
    assert_eq!(own.strip.len(), 90);
    let seen: u32 = own.strip.iter().map(|day| day.observed_minutes).sum();
    assert_eq!(seen, 120);
    assert!(own.score.points.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn objectives_need_twenty_requests_and_count_only_valid_ones() {
    let world = world().await;
    let core = &world.core;
    let gateway = async || {
        let all = control::service_levels(core).await.expect("levels").levels;
        all.into_iter().find(|level| level.kind == ServiceLevelKind::Gateway).expect("the gateway")
    };
    let none = gateway().await;
    assert_eq!(none.state, ServiceLevelState::NotEnoughData);
    assert_eq!((none.good_percent, none.budget_left_percent), (None, None));
    assert_eq!(none.objective, "99.95 % in 30 days");

    for _ in 0..19 {
        world.settle(world.answered("editor")).await;
    }
    let refused = world.answered("editor");
    let error_class = Some("invalid_value".to_owned());
    let outcome = RequestOutcome::Failed;
    let attempts = Vec::new();
    world.settle(Settlement { outcome, error_class, attempts, ..refused }).await;
    let few = gateway().await;
    assert_eq!((few.valid.0, few.bad.0), (19, 0), "the caller's own error does not count");
    assert_eq!(few.state, ServiceLevelState::NotEnoughData);

    world.settle(world.answered("editor")).await;
    let enough = gateway().await;
    assert_eq!(enough.state, ServiceLevelState::Kept);
    assert_eq!(enough.budget_left_percent, Some(100.0));

    settle_failed(&world, 5).await;
    let missed = gateway().await;
    assert_eq!((missed.valid.0, missed.bad.0), (25, 5));
    assert_eq!((missed.state, missed.good_percent), (ServiceLevelState::Missed, Some(80.0)));
    assert_eq!(missed.budget_left_percent, Some(0.0));
    let hour = missed.burn.iter().find(|it| it.window == BurnWindow::Hour).expect("an hour");
    // A fifth failed, a two-thousandth is allowed.
    assert!((hour.rate.expect("enough") - 400.0).abs() < 1e-6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_and_the_time_line_have_every_backend_and_say_only_what_was_watched() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    let id = world.add_up(&upstream, marked_key()).await.id;
    let name = format!("backend/{id}");
    let tree = control::health_tree(core).await.expect("the tree");
    let backend = tree.nodes.iter().find(|node| node.id == name).expect("the backend");
    // Its address is on this machine, so it is under that, below its host.
    assert_eq!((backend.depth, backend.kind), (2, Backend));
    let host = tree.nodes.iter().find(|node| Some(&node.id) == backend.parent.as_ref());
    assert_eq!(host.and_then(|host| host.parent.as_deref()), Some("machine"));
    assert_ne!(backend.state, DependencyState::NotObserved);

    let asked = async |hours| control::health_timeline(core, HealthTimelineQuery { hours }).await;
    for hours in [0, HEALTH_TIMELINE_HOURS_MAX + 1] {
        let refused = asked(hours).await.expect_err("out of range");
        assert_eq!(refused.field.as_deref(), Some("hours"));
    }
    let timeline = asked(HEALTH_TIMELINE_HOURS_MAX).await.expect("a time line");
    let kinds: Vec<DependencyKind> = timeline.lanes.iter().map(|lane| lane.kind).collect();
    use DependencyKind::{Backend, Gateway, Network};
    assert_eq!(kinds, [Network, Gateway, Backend]);
    for lane in &timeline.lanes {
        let ends = (lane.spans.first().map(|it| it.from), lane.spans.last().map(|it| it.to));
        assert_eq!(ends, (Some(timeline.from), Some(timeline.to)), "{}", lane.label);
        assert!(lane.spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{}", lane.label);
        assert_eq!(lane.spans[0].state, DependencyState::NotObserved, "{}", lane.label);
    }
    assert!(timeline.markers.iter().any(|it| it.kind == TimelineMarkerKind::Settings));
}

/// So many answers of `up`, whose first tokens come within half a second after `ms`.
async fn answer(world: &World, count: u64, hours_ago: i64, ms: u64) {
    for number in 0..count {
        let mut ended = world.answered("editor");
        let started = ended.request.started.unix_ms() - hours_ago * 3_600_000;
        let started = WallTime::from_unix_ms(started);
        ended.request.id = RequestId::generate(started, world.engine().entropy());
        (ended.request.started, ended.ended) = (started, started);
        let first = Some(Duration::from_millis(ms + number * 500 / count));
        ended.timings = Timings {
            queue: Some(Duration::ZERO),
            first_byte: first,
            first_token: first,
            total: first,
        };
        world.settle(ended).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_tokens_are_called_slower_only_if_that_can_hardly_be_chance() {
    let world = world().await;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let changes = async || {
        let health = control::health(&world.core).await.expect("health");
        let up = health.backends.into_iter().find(|backend| backend.id == "up").expect("there");
        let first = up.first_token.expect("answers");
        first
            .changes
            .into_iter()
            .map(|it| (it.percentile, it.change, it.sentence))
            .collect::<Vec<_>>()
    };
    answer(&world, 140, 48, 1_000).await;
    answer(&world, 99, 2, 1_000).await;
    assert_eq!(changes().await, [], "there are too few of the last day");
    answer(&world, 41, 2, 1_000).await;
    let kinds = |all: &[(u32, LatencyChange, String)]| {
        all.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>()
    };
    let same = changes().await;
    assert_eq!(kinds(&same), [(50, LatencyChange::Unclear), (95, LatencyChange::Unclear)]);
    // An eighth of the answers of the day is slow now: half of them come as before.
    answer(&world, 20, 1, 6_000).await;
    let slower = changes().await;
    assert_eq!(kinds(&slower), [(50, LatencyChange::Unclear), (95, LatencyChange::Slower)]);
    let [_, (.., sentence)] = &slower[..] else { panic!("{slower:?}") };
    assert!(
        sentence.starts_with("The 95th percentile is 4.") && sentence.contains(" later than "),
        "{sentence}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_view_is_a_node_where_there_is_a_window_and_green_only_once_it_draws() {
    let world = world().await;
    let core = &world.core;
    let node = async || {
        let tree = control::health_tree(core).await.expect("the tree");
        tree.nodes.into_iter().find(|node| node.kind == DependencyKind::WebView)
    };
    assert!(node().await.is_none(), "there is no window");
    core.record_window(false);
    let state = async || node().await.map(|node| node.state);
    assert_eq!(state().await, Some(DependencyState::Unknown));
    core.record_page_call();
    assert_eq!(state().await, Some(DependencyState::Unknown), "it may be minimised");
    core.record_drawn_page();
    let up = node().await.expect("a node");
    assert_eq!((up.state, up.parent.as_deref()), (DependencyState::Up, Some("machine")));
    core.record_window(true);
    assert_eq!(state().await, Some(DependencyState::Off), "nobody sees it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objective_is_previewed_without_a_change_and_then_set() {
    let world = world().await;
    let core = &world.core;
    for _ in 0..25 {
        world.settle(world.answered("editor")).await;
    }
    let week = ServiceLevelSet {
        target: ObjectiveTarget::Gateway,
        goal: Some(ServiceGoal::Percent90),
        period: Some(ServicePeriod::Week),
        name: None,
        max_ms: None,
        to_default: false,
    };
    let preview = control::service_level_preview(core, week.clone()).await.expect("a preview");
    assert_eq!(preview.consequence, "90 % in 7 days allows 16.8 h, or 2 of 25 requests");
    assert_eq!(preview.effect, "The gateway with enough requests would keep it.");
    let gateway = |all: &ServiceLevelsView| {
        let promised = &all.objectives[0];
        assert_eq!(promised.target, ObjectiveTarget::Gateway);
        (promised.is_default, all.levels[0].objective.clone())
    };
    let before = control::service_levels(core).await.expect("levels");
    assert_eq!(gateway(&before), (true, "99.95 % in 30 days".to_owned()));
    let after = control::service_level_set(core, week).await.expect("set");
    assert_eq!(gateway(&after), (false, "90 % in 7 days".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_listed_by_kind() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let listed =
        async |kind, limit| control::recent_events(core, RecentEventsQuery { kind, limit }).await;
    for limit in [0, 101] {
        let refused = listed(None, limit).await.expect_err("out of range");
        assert_eq!(refused.field.as_deref(), Some("limit"));
    }
    let settings = listed(Some(RecentEventKind::Settings), 100).await.expect("events");
    assert!(settings.iter().any(|event| event.title == "Backend add: up"), "{settings:?}");
    assert!(listed(Some(RecentEventKind::Checks), 100).await.expect("events").is_empty());
}
