//! Objectives of single routes, backends and services through the API.

use std::time::Duration;

use control::view::*;
use control::{Core, ErrorCode};
use domain::{BackendId, Endpoint, HOUR_MS, ServiceId, WallTime};
use engine::LevelScope;
use ledger::{AttemptRecord, ObservedSubject, ObservedTimeRow, RequestOutcome, Settlement};
use service_levels::{Burn, BurnSpeed};

use crate::routes::{route, to};
use crate::world::{World, lists_models, marked_key, new_home, refused, world};

fn objective(target: ObjectiveTarget, name: Option<&str>) -> ServiceLevelSet {
    let name = name.map(str::to_owned);
    ServiceLevelSet { target, name, goal: None, period: None, max_ms: None, to_default: false }
}

/// Requests of the route `r` with one attempt at the backend `up` each.
async fn settle(world: &World, count: u32, class: Option<&str>) {
    for _ in 0..count {
        let answered = world.answered("editor");
        let endpoint =
            Endpoint { backend: BackendId::new("up").expect("a name"), credential: None };
        let attempt = AttemptRecord {
            error_class: class.map(str::to_owned),
            class: class.map(str::to_owned),
            ..AttemptRecord::started(endpoint, "m", answered.request.started)
        };
        let outcome = class.map_or(RequestOutcome::Complete, |_| RequestOutcome::Failed);
        let attempts = vec![attempt];
        world.settle(Settlement { outcome, attempts, ..answered }).await;
    }
}

async fn level(core: &Core, kind: ServiceLevelKind) -> ServiceLevelView {
    let all = control::service_levels(core).await.expect("levels").levels;
    all.into_iter().find(|level| level.kind == kind).expect("one")
}

/// What the alerts judge the backend `up` by.
async fn burn(world: &World) -> Burn {
    let levels = world.engine().service_levels().levels().await.expect("levels");
    let up = LevelScope::Backend(BackendId::new("up").expect("a name"));
    levels.into_iter().find(|level| level.scope == up).expect("the backend").burn
}

async fn budget_points(core: &Core) -> f64 {
    let report = control::health(core).await.expect("health");
    let parts = &report.backends[0].score.parts;
    let budget = parts.iter().find(|part| part.part == ScorePart::ErrorBudget).expect("a part");
    budget.points.expect("measured")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backends_own_objective_counts_for_its_state_its_alerts_and_its_score() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    settle(&world, 94, None).await;
    settle(&world, 6, Some("server")).await;
    let before = level(core, ServiceLevelKind::Backend).await;
    assert_eq!((before.valid.0, before.bad.0), (100, 6));
    assert_eq!((before.state, before.terms.is_own), (ServiceLevelState::Missed, false));
    // 6 % failed and 0.5 % may: twelve times as fast as allowed.
    assert!(matches!(burn(&world).await, Burn::Burning { rule, rate }
        if rule.speed == BurnSpeed::Fast && (rate - 12.0).abs() < 1e-9));
    assert_eq!(budget_points(core).await, 0.0);

    let goal = Some(ServiceGoal::Percent90);
    let own = ServiceLevelSet { goal, ..objective(ObjectiveTarget::Backend, Some("up")) };
    let preview = control::service_level_preview(core, own.clone()).await.expect("a preview");
    assert_eq!(preview.consequence, "90 % in 7 days allows 16.8 h, or 10 of 100 requests");
    assert_eq!(preview.effect, "It would be kept, with 40 % left.");
    control::service_level_set(core, own).await.expect("set");
    let after = level(core, ServiceLevelKind::Backend).await;
    assert_eq!(after.objective, "90 % in 7 days", "the period is the default's");
    assert_eq!(after.terms.default_objective, "99.5 % in 7 days");
    assert_eq!((after.state, after.terms.is_own), (ServiceLevelState::Tight, true));
    assert_eq!(burn(&world).await, Burn::Within);
    // 40 % of 15 points.
    assert!((budget_points(core).await - 6.0).abs() < 1e-9);
    let gateway = level(core, ServiceLevelKind::Gateway).await;
    assert_eq!(gateway.objective, "99.95 % in 30 days", "nobody else's objective changed");

    // The default leaves out who does not follow it.
    let all = ServiceLevelSet { goal, ..objective(ObjectiveTarget::Backend, None) };
    let preview = control::service_level_preview(core, all).await.expect("a preview");
    assert_eq!(preview.effect, "There are too few requests to tell who would keep it.");

    let back = objective(ObjectiveTarget::Backend, Some("up"));
    let back = ServiceLevelSet { to_default: true, ..back };
    control::service_level_set(core, back).await.expect("set");
    let again = level(core, ServiceLevelKind::Backend).await;
    assert_eq!((again.state, again.terms.is_own), (ServiceLevelState::Missed, false));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_routes_own_objective_outlives_its_form_and_its_new_name() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let one = |id: &str| route(id, vec![to("up", Some("m"), 1)]);
    control::route_set(core, one("r")).await.expect("written");
    let shown = async || level(core, ServiceLevelKind::Route).await.objective;
    assert_eq!(shown().await, "99.5 % in 7 days", "with one backend, that of a backend");
    let (goal, period) = (Some(ServiceGoal::Percent99_99), Some(ServicePeriod::Month));
    let own = ServiceLevelSet { goal, period, ..objective(ObjectiveTarget::Route, Some("r")) };
    control::service_level_set(core, own).await.expect("set");
    assert_eq!(shown().await, "99.99 % in 30 days");
    let renamed = RouteEdit { replaces: Some("r".to_owned()), ..one("fast") };
    control::route_set(core, renamed).await.expect("written");
    assert_eq!(shown().await, "99.99 % in 30 days");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_has_a_longest_time_to_its_first_token_of_its_own() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let slow = objective(ObjectiveTarget::FirstToken, Some("up"));
    let slow = ServiceLevelSet { max_ms: Some(8_000), ..slow };
    let preview = control::service_level_preview(core, slow.clone()).await.expect("a preview");
    assert!(preview.consequence.starts_with("95 % within 8 s in 7 days"), "{preview:?}");
    control::service_level_set(core, slow).await.expect("set");
    let settings = world.engine().settings();
    let up = BackendId::new("up").expect("a name");
    assert_eq!(engine::first_token_max(&settings, &up), Duration::from_secs(8));
    let other = BackendId::new("other").expect("a name");
    assert_eq!(engine::first_token_max(&settings, &other), Duration::from_secs(2));
    world.core.stop().await;
}

/// The service `store`, which nothing checks, observed for an hour each.
async fn observe(world: &World, hours: std::ops::Range<i64>, down_secs: u64) {
    let now = world.engine().clock().wall().unix_ms();
    let row = |hour: i64| ObservedTimeRow {
        subject: ObservedSubject::Service(ServiceId::new("store").expect("a name")),
        slot: WallTime::from_unix_ms(now - now.rem_euclid(HOUR_MS) - hour * HOUR_MS),
        width: Duration::from_secs(3_600),
        good: Duration::from_secs(3_600 - down_secs),
        bad: Duration::from_secs(down_secs),
    };
    let rows = hours.map(row).collect();
    world.engine().ledger().add_observed_time(rows, Vec::new()).await.expect("stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_level_is_its_observed_time_and_equals_what_is_computed_by_hand() {
    let world = World::open(new_home(), |_| {}).await;
    let core = &world.core;
    let none = control::service_levels(core).await.expect("levels");
    assert!(none.levels.iter().all(|level| level.kind != ServiceLevelKind::Service));
    let store = |required| ServiceSet {
        id: "store".to_owned(),
        label: "Store".to_owned(),
        kind: ServiceKind::Tcp,
        address: "127.0.0.1:9".to_owned(),
        key: ServiceKey::None,
        required,
        enabled: true,
        private_network: false,
        expects: ServiceExpectationView::default(),
    };
    control::service_set(core, store(false)).await.expect("added");
    let service = async || level(core, ServiceLevelKind::Service).await;
    observe(&world, 1..24, 0).await;
    let few = service().await;
    let time = few.time.clone().expect("observed");
    assert_eq!((few.valid.0, time.observed_secs.0, time.needed_secs.0), (0, 82_800, 86_400));
    assert_eq!((few.state, few.budget_left_percent), (ServiceLevelState::NotEnoughData, None));
    assert_eq!(few.good_percent, Some(100.0), "what was observed is told all the same");

    // 30 h allow 9 min at 99.5 %; six times one minute leave a third.
    observe(&world, 24..30, 60).await;
    observe(&world, 30..31, 0).await;
    let tight = service().await;
    let time = tight.time.clone().expect("observed");
    let secs = (time.observed_secs.0, time.down_secs.0, time.allowed_secs.0, time.left_secs.0);
    assert_eq!(secs, (108_000, 360, 540, 180));
    assert_eq!(
        (tight.state, tight.objective.as_str()),
        (ServiceLevelState::Tight, "99.5 % in 7 days")
    );
    assert!((tight.budget_left_percent.expect("enough") - 100.0 / 3.0).abs() < 1e-6);
    assert!(tight.burn.is_empty() && tight.pace.is_none() && tight.exhausted_at.is_none());

    let goal = Some(ServiceGoal::Percent99);
    let own = ServiceLevelSet { goal, ..objective(ObjectiveTarget::Service, Some("store")) };
    let preview = control::service_level_preview(core, own.clone()).await.expect("a preview");
    let words = "99 % in 7 days allows 101 min of downtime, or 18 min of the 30 h observed";
    assert_eq!(preview.consequence, words);
    assert_eq!(preview.effect, "It would be kept, with 67 % left.");
    control::service_level_set(core, own).await.expect("set");
    assert_eq!(service().await.state, ServiceLevelState::Kept);
    // A form of the service, which does not have the objective, keeps it.
    control::service_set(core, store(true)).await.expect("changed");
    assert!(service().await.terms.is_own);

    // An outage before the seven days counts for thirty.
    observe(&world, 8 * 24..8 * 24 + 1, 1_800).await;
    assert_eq!(service().await.state, ServiceLevelState::Kept);
    let month = objective(ObjectiveTarget::Service, Some("store"));
    let month = ServiceLevelSet { period: Some(ServicePeriod::Month), ..month };
    control::service_level_set(core, month).await.expect("set");
    assert_eq!(service().await.state, ServiceLevelState::Missed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objective_of_what_is_not_there_is_refused() {
    let world = World::open(new_home(), |_| {}).await;
    for target in [ObjectiveTarget::Route, ObjectiveTarget::Service] {
        let set = control::service_level_set(&world.core, objective(target, Some("x"))).await;
        refused(set, ErrorCode::NotFound, None);
    }
    let named = objective(ObjectiveTarget::Gateway, Some("x"));
    let set = control::service_level_set(&world.core, named).await;
    refused(set, ErrorCode::InvalidInput, Some("name"));
    let misnamed = objective(ObjectiveTarget::Route, Some("no name"));
    let preview = control::service_level_preview(&world.core, misnamed).await;
    refused(preview, ErrorCode::InvalidInput, Some("name"));
}
