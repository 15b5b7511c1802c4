//! Editing and showing routes, pools and limits.

use control::view::*;
use control::{Core, ErrorCode};
use test_support::ScriptedUpstream;

use crate::world::{World, edit_request, lists_models, marked_key, refused, secret, world};

pub(crate) fn to(backend: &str, model: Option<&str>, weight: u16) -> RouteCandidateEdit {
    RouteCandidateEdit { backend: backend.to_owned(), model: model.map(str::to_owned), weight }
}

pub(crate) fn route(id: &str, candidates: Vec<RouteCandidateEdit>) -> RouteEdit {
    RouteEdit {
        replaces: None,
        id: id.to_owned(),
        models: Vec::new(),
        clients: Vec::new(),
        projects: Vec::new(),
        policy: RoutePolicy::Ordered,
        weights: BalanceWeightsView { latency: 50, cost: 30, headroom: 20 },
        sticky_secs: Some(600),
        crossing: None,
        cache: None,
        enabled: true,
        candidates,
    }
}

/// Changes the pool of the backend `up`.
fn edit(upstream: &ScriptedUpstream, pool: Option<KeyPoolView>) -> BackendEdit {
    BackendEdit { credential: Some("up".to_owned()), pool, ..edit_request(upstream) }
}

async fn with_backend() -> (World, ScriptedUpstream) {
    let (world, upstream) = (world().await, lists_models().await);
    world.add_up(&upstream, marked_key()).await;
    (world, upstream)
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn names(core: &Core) -> Vec<String> {
    let view = control::routes(core).await.expect("routes");
    view.routes.into_iter().map(|route| route.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_made_changed_renamed_put_in_order_and_removed() {
    let (world, _upstream) = with_backend().await;
    let core = &world.core;
    let none = control::routes(core).await.expect("routes");
    assert_eq!(none.sentence, "No routes yet. Requests go by model name.");

    let made = control::route_set(core, route("fast", vec![to("up", Some("m-1"), 1)])).await;
    let made = made.expect("made");
    assert_eq!((made.models, made.sticky_secs), (vec!["fast".to_owned()], Some(600)));
    assert_eq!(made.sentence, "Its requests go to Upstream.");
    assert_eq!(made.candidates[0].availability.state, AvailabilityState::Ready);
    assert_eq!(made.candidates[0].accesses[0].credential.as_deref(), Some("up"));
    for id in ["smart", "rest"] {
        let candidates = vec![to("up", Some("m-2"), 3), to("mock", Some("mock"), 1)];
        control::route_set(core, route(id, candidates)).await.expect("made");
    }
    let smart = control::routes(core).await.expect("routes").routes.swap_remove(1);
    let other = smart.clone().into_edit().with_first("mock", Some("mock")).expect("a candidate");
    let changed = control::route_set(core, other).await.expect("changed");
    let order = |route: &RouteView| -> Vec<String> {
        route.candidates.iter().map(|candidate| candidate.backend.clone()).collect()
    };
    assert_eq!(
        (order(&smart), order(&changed)),
        (strings(&["up", "mock"]), strings(&["mock", "up"]))
    );
    assert_eq!(changed.candidates[1].weight, 3, "nothing but the order changed");
    assert!(smart.into_edit().with_first("mock", None).is_none(), "another model");

    let renamed = RouteEdit {
        replaces: Some("smart".to_owned()),
        policy: RoutePolicy::Split,
        models: vec![" smart-* ".to_owned(), String::new()],
        sticky_secs: None,
        ..route("clever", vec![to("up", Some("m-2"), 3), to("mock", Some("mock"), 1)])
    };
    let renamed = control::route_set(core, renamed).await.expect("renamed");
    assert_eq!((renamed.models, renamed.sticky_secs), (vec!["smart-*".to_owned()], None));
    let shared = "Its conversations are split between Upstream (75 %) and Mock (25 %).";
    assert_eq!(renamed.sentence, shared);
    assert_eq!(names(core).await, ["fast", "clever", "rest"], "it keeps its place");

    let order = RoutesOrder { ids: vec!["rest".to_owned(), "fast".to_owned()] };
    let ordered = control::routes_order(core, order).await.expect("ordered");
    assert_eq!(ordered.sentence, "3 routes use 2 backends.");
    assert_eq!(names(core).await, ["rest", "fast", "clever"]);
    let path = control::settings(core).await.expect("settings").path;
    let file = std::fs::read_to_string(path).expect("a file");
    let place = |id: &str| file.find(&format!("[routes.{id}]")).expect("in the file");
    assert!(place("rest") < place("fast") && place("fast") < place("clever"), "{file}");

    control::route_remove(core, RouteRef { id: "fast".to_owned() }).await.expect("removed");
    assert_eq!(names(core).await, ["rest", "clever"]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_cannot_work_is_refused_at_its_field() {
    use ErrorCode::{InvalidInput, NotFound};
    let (world, _upstream) = with_backend().await;
    let core = &world.core;
    let good = || route("fast", vec![to("up", None, 1)]);
    control::route_set(core, good()).await.expect("made");
    let other = || route("other", vec![to("up", None, 1)]);
    let rows = [
        (good(), InvalidInput, Some("id")),
        (route("No Name", vec![to("up", None, 1)]), InvalidInput, Some("id")),
        (route("other", Vec::new()), InvalidInput, Some("candidates")),
        (route("other", vec![to("nowhere", None, 1)]), InvalidInput, Some("candidates")),
        (
            route("other", vec![to("up", None, 1), to("up", None, 2)]),
            InvalidInput,
            Some("candidates"),
        ),
        (route("other", vec![to("up", None, 1_001)]), InvalidInput, Some("candidates")),
        (RouteEdit { clients: vec!["ghost".to_owned()], ..other() }, InvalidInput, Some("clients")),
        (RouteEdit { sticky_secs: Some(86_401), ..other() }, InvalidInput, Some("sticky_secs")),
        (RouteEdit { replaces: Some("ghost".to_owned()), ..other() }, NotFound, None),
    ];
    for (req, code, field) in rows {
        refused(control::route_set(core, req).await, code, field);
    }
    let ghost = RouteRef { id: "ghost".to_owned() };
    refused(control::route_remove(core, ghost).await, NotFound, None);
    let twice = RoutesOrder { ids: vec!["fast".to_owned(), "fast".to_owned()] };
    refused(control::routes_order(core, twice).await, InvalidInput, Some("ids"));
    assert_eq!(names(core).await, ["fast"], "nothing of it was saved");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_says_where_it_goes_when_its_first_candidate_is_off_or_gone() {
    let (world, _upstream) = with_backend().await;
    let core = &world.core;
    let candidates = vec![to("up", Some("m-1"), 1), to("mock", Some("mock"), 1)];
    control::route_set(core, route("fast", candidates)).await.expect("made");
    let off = BackendSwitch { id: "up".to_owned(), enabled: false };
    control::backend_switch(core, off).await.expect("switched off");
    let view = control::routes(core).await.expect("routes");
    let detour = "1 route uses 2 backends; Upstream is off, so fast goes to Mock.";
    assert_eq!(view.sentence, detour);
    assert_eq!(view.routes[0].sentence, "Upstream is off, so its requests go to Mock.");

    let gone = BackendRef { id: "up".to_owned() };
    control::backend_remove(core, gone).await.expect("removed");
    let view = control::routes(core).await.expect("routes");
    let first = &view.routes[0].candidates[0];
    assert_eq!((first.backend.as_str(), first.accesses.len()), ("up", 0), "it is kept and told");
    assert_eq!(first.availability.why, "This backend no longer exists.");
    assert_eq!(first.availability.state, AvailabilityState::Removed);
    let detour = "1 route uses 1 backend; up no longer exists, so fast goes to Mock.";
    assert_eq!(view.sentence, detour);
    // An existing candidate may stay, so the rest of the route can be changed before it is
    // repaired.
    let kept = RouteEdit {
        replaces: Some("fast".to_owned()),
        enabled: false,
        ..route("fast", vec![to("up", Some("m-1"), 1), to("mock", Some("mock"), 1)])
    };
    let kept = control::route_set(core, kept).await.expect("changed");
    assert_eq!(kept.sentence, "Switched off.");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_without_a_usable_candidate_is_a_problem() {
    let (world, _upstream) = with_backend().await;
    let core = &world.core;
    let routes_need = async || {
        let verdict = control::status(core).await.expect("a status").verdict;
        (verdict.level, verdict.needs.into_iter().find(|need| need.id == "routes"))
    };
    control::route_set(core, route("slow", vec![to("up", Some("m-1"), 1)])).await.expect("made");
    control::route_set(core, route("fine", vec![to("mock", Some("echo"), 1)])).await.expect("made");
    let view = control::routes(core).await.expect("routes");
    assert_eq!(view.routes.iter().filter_map(|route| route.broken.as_ref()).count(), 0);
    assert!(routes_need().await.1.is_none());

    let switch = |enabled| BackendSwitch { id: "up".to_owned(), enabled };
    control::backend_switch(core, switch(false)).await.expect("switched off");
    let (level, need) = routes_need().await;
    let need = need.expect("a need");
    assert_eq!((level, need.level), (VerdictLevel::Problem, VerdictLevel::Problem));
    assert_eq!(need.title, "The route slow is broken");
    assert_eq!(need.impact, "Its requests fail: its only backend, Upstream, is off.");
    assert_eq!(need.action, PanelActionView::OpenRoute { id: "slow".to_owned() });

    control::backend_switch(core, switch(true)).await.expect("switched on");
    assert!(routes_need().await.1.is_none(), "it is over");
    control::route_set(core, route("fast", vec![to("up", None, 1)])).await.expect("made");
    control::backend_remove(core, BackendRef { id: "up".to_owned() }).await.expect("removed");
    let view = control::routes(core).await.expect("routes");
    let headline = "2 routes are broken: slow and fast. 3 routes use 1 backend.";
    assert_eq!(view.sentence, headline);
    let gone = "its only backend, up, no longer exists";
    assert_eq!(view.routes[0].broken.as_deref(), Some(gone));
    assert_eq!(view.routes[0].sentence, format!("Broken: {gone}."));
    let (level, need) = routes_need().await;
    let need = need.expect("a need");
    assert_eq!((level, need.title.as_str()), (VerdictLevel::Problem, "2 routes are broken"));
    assert_eq!(need.impact, "Their requests fail: slow and fast.");

    let off = RouteEdit {
        replaces: Some("fast".to_owned()),
        enabled: false,
        ..route("fast", vec![to("up", None, 1)])
    };
    control::route_set(core, off).await.expect("switched off");
    let view = control::routes(core).await.expect("routes");
    assert_eq!(view.sentence, format!("slow is broken: {gone}. 2 routes use 1 backend."));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_a_pool_is_tried_shown_and_detached() {
    let (world, upstream) = with_backend().await;
    let core = &world.core;
    let second = KeyAdd {
        id: "second".to_owned(),
        label: String::new(),
        secret: secret("sk-second-0123456789"),
        url: None,
        billing: None,
    };
    control::key_add(core, second).await.expect("put in");
    let member =
        |credential: &str, weight| PoolKeyView { credential: credential.to_owned(), weight };
    let pool = KeyPoolView {
        order: PoolOrder::Weighted,
        members: vec![member("up", 3), member("second", 1)],
    };
    let edited = control::backend_edit(core, edit(&upstream, Some(pool.clone()))).await;
    let edited = edited.expect("edited");
    assert_eq!((&edited.pool, edited.credential.as_deref()), (&pool, Some("up")));

    let tested = control::backend_test(core, BackendRef { id: "up".to_owned() }).await;
    let tested = tested.expect("tested");
    assert!(tested.passed, "{tested:?}");
    let titles: Vec<&str> = tested.steps.iter().map(|step| step.title.as_str()).collect();
    assert!(titles.contains(&"Key accepted: up") && titles.contains(&"Key accepted: second"));
    for key in control::keys(core).await.expect("keys") {
        assert_eq!((key.state, key.used_by), (KeyState::Valid, vec!["up".to_owned()]));
    }

    // A form that knows only one key does not remove the others.
    let same = control::backend_edit(core, edit(&upstream, None)).await.expect("edited");
    assert_eq!(same.pool, pool);
    let twice = KeyPoolView { members: vec![member("up", 1), member("up", 2)], ..pool.clone() };
    let twice = control::backend_edit(core, edit(&upstream, Some(twice))).await;
    refused(twice, ErrorCode::InvalidInput, Some("pool"));

    control::key_remove(core, KeyRef { id: "up".to_owned() }).await.expect("removed");
    let left = control::backends(core).await.expect("backends");
    let left = left.into_iter().find(|backend| backend.id == "up").expect("up");
    assert_eq!(left.pool.members, [member("second", 1)]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_host_cannot_join_a_pool() {
    let (world, upstream) = with_backend().await;
    let core = &world.core;
    let elsewhere = KeyAdd {
        id: "elsewhere".to_owned(),
        label: String::new(),
        secret: secret("sk-else-0123456789"),
        url: Some("https://other.test/v1".to_owned()),
        billing: None,
    };
    control::key_add(core, elsewhere).await.expect("put in");
    let member = |credential: &str| PoolKeyView { credential: credential.to_owned(), weight: 1 };
    let pool =
        KeyPoolView { order: PoolOrder::Ordered, members: vec![member("up"), member("elsewhere")] };
    let joined = control::backend_edit(core, edit(&upstream, Some(pool))).await;
    refused(joined, ErrorCode::InvalidInput, Some("key"));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_kept_shown_and_refused_past_their_range() {
    let (world, upstream) = with_backend().await;
    let core = &world.core;
    let limits = TrafficLimitsView {
        requests_per_minute: Some(60),
        tokens_per_minute: None,
        in_flight_max: Some(8),
    };
    let limited = BackendEdit { limits: Some(limits), ..edit(&upstream, None) };
    assert_eq!(control::backend_edit(core, limited).await.expect("edited").limits, limits);
    let kept = control::backend_edit(core, edit(&upstream, None)).await.expect("edited");
    assert_eq!(kept.limits, limits, "not named, so it stays");

    let client = ClientAdd::unlimited("codex");
    let added = control::client_add(core, client).await.expect("added");
    assert_eq!((added.limits, added.cache), (TrafficLimitsView::default(), None));
    let edit = |limits| ClientEdit {
        id: "codex".to_owned(),
        limits,
        cache: Some(CacheMode::On),
        priority: ClientPriority::Background,
        mcp: true,
        project: Some(" website ".to_owned()),
        expires_at: None,
        scope: ClientScopeView {
            models: vec!["gpt-*".to_owned()],
            backends: vec!["up".to_owned()],
            routes: Vec::new(),
        },
    };
    let edited = control::client_edit(core, edit(limits)).await.expect("edited");
    assert_eq!((edited.limits, edited.cache), (limits, Some(CacheMode::On)));
    assert_eq!(edited.priority, ClientPriority::Background);
    assert_eq!(edited.project.as_deref(), Some("website"));
    assert_eq!(edited.scope, edit(limits).scope);
    assert!(edited.mcp);
    let mistyped = ClientEdit {
        scope: ClientScopeView { backends: vec!["Not An Id".to_owned()], ..edited.scope },
        ..edit(limits)
    };
    let mistyped = control::client_edit(core, mistyped).await;
    refused(mistyped, ErrorCode::InvalidInput, Some("scope.backends"));
    let past = TrafficLimitsView { in_flight_max: Some(301), ..limits };
    let past = control::client_edit(core, edit(past)).await;
    refused(past, ErrorCode::InvalidInput, Some("in_flight_max"));
    world.core.stop().await;
}
