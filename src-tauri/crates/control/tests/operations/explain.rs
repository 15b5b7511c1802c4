//! Explains and simulates routes with a whole engine. Nobody listens at the addresses of the two
//! backends, because nothing here may call them.

use control::Core;
use control::view::*;

use crate::routes::{route, to};
use crate::world::{World, new_home};

async fn two_backends() -> World {
    let world = World::open(new_home(), |_| {}).await;
    for (id, port, lacks) in [("a", 9, vec![UnsupportedFeature::Tools]), ("b", 19, Vec::new())] {
        let add = BackendAdd {
            id: id.to_owned(),
            label: format!("Backend {id}"),
            kind: BackendKind::OpenAiCompatible,
            base_url: format!("http://127.0.0.1:{port}/v1"),
            key: BackendKey::None,
            models: vec!["m".to_owned()],
            lacks,
            offers: Vec::new(),
            crossing: TranslationMode::Strict,
        };
        control::backend_add(&world.core, add).await.expect("added");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project_of_a_clients_token_wins_over_the_one_asked_for() {
    let World { core, home: _home, .. } = two_backends().await;
    let of_project = |backend: &str, project: &str| RouteEdit {
        models: vec!["fast".to_owned()],
        projects: vec![project.to_owned()],
        ..edit(&format!("for-{project}"), RoutePolicy::Ordered, &[(backend, 1)])
    };
    control::route_set(&core, of_project("a", "website")).await.expect("written");
    control::route_set(&core, of_project("b", "thesis")).await.expect("written");
    let client = ClientAdd {
        id: "tool".to_owned(),
        expires_in_days: None,
        scope: ClientScopeView::default(),
        reads_metrics: false,
        monthly_limit_usd: None,
        project: Some("website".to_owned()),
    };
    control::client_add(&core, client).await.expect("added");
    let asked = |client: Option<&str>| HypotheticalRequest {
        client: client.map(str::to_owned),
        project: Some("thesis".to_owned()),
        ..ask("fast")
    };
    for (client, route, backend) in [(Some("tool"), "for-website", "a"), (None, "for-thesis", "b")]
    {
        let found = control::route_explain(&core, asked(client)).await.expect("explained");
        assert_eq!((found.route.as_deref(), order(&found)), (Some(route), vec![backend]));
        let simulation = RouteSimulation { ask: asked(client), draws: 10, closed: Vec::new() };
        let drawn = control::route_simulate(&core, simulation).await.expect("drawn");
        assert_eq!((drawn.shares[0].backend.as_str(), drawn.shares[0].draws), (backend, 10));
    }
    core.stop().await;
}

/// A route over backends with these weights, each with the model `m`.
fn edit(id: &str, policy: RoutePolicy, candidates: &[(&str, u16)]) -> RouteEdit {
    let candidates = candidates.iter().map(|(backend, weight)| to(backend, Some("m"), *weight));
    RouteEdit { policy, ..route(id, candidates.collect()) }
}

fn ask(model: &str) -> HypotheticalRequest {
    HypotheticalRequest {
        model: model.to_owned(),
        client: None,
        project: None,
        tools: false,
        vision: false,
        json_schema: false,
        input_tokens: 0,
    }
}

fn order(decision: &RouteDecisionView) -> Vec<&str> {
    decision.candidates.iter().map(|candidate| candidate.backend.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_says_who_would_serve_and_why_and_changes_nothing() {
    let World { core, home: _home, .. } = two_backends().await;
    let fast = edit("fast", RoutePolicy::Ordered, &[("a", 1), ("b", 1)]);
    control::route_set(&core, fast).await.expect("written");
    let explain = |ask: HypotheticalRequest| control::route_explain(&core, ask);

    let decision = explain(ask("fast")).await.expect("explained");
    assert_eq!((decision.route.as_deref(), decision.served), (Some("fast"), true));
    assert_eq!(decision.sentence, "a (m) is the first of 2 in the route fast.");
    assert_eq!(order(&decision), ["a", "b"]);
    assert_eq!(decision.candidates[1].why, "Position 2.");

    let tools =
        explain(HypotheticalRequest { tools: true, ..ask("fast") }).await.expect("explained");
    assert_eq!(
        (order(&tools), tools.passed_over[0].reason.as_str()),
        (vec!["b"], "It does not support tools.")
    );

    let pinned = explain(ask("b/anything")).await.expect("explained");
    assert_eq!((pinned.route.as_deref(), order(&pinned)), (None, vec!["b"]));
    let listed = explain(ask("m")).await.expect("explained");
    assert_eq!((listed.route.as_deref(), order(&listed)), (None, vec!["a", "b"]));
    let nobody = explain(ask("nobody")).await.expect("explained");
    assert!(!nobody.served && nobody.sentence.starts_with("No backend lists \"nobody\""));
    let client =
        explain(HypotheticalRequest { client: Some("No name".to_owned()), ..ask("m") }).await;
    assert_eq!(client.expect_err("no name").field.as_deref(), Some("client"));

    let open = EndpointForce {
        backend: "a".to_owned(),
        credential: None,
        forced: BreakerOverride::Open,
        minutes: Some(15),
    };
    control::access_force(&core, open).await.expect("forced");
    let held = explain(ask("fast")).await.expect("explained");
    assert_eq!(order(&held), ["b", "a"]);
    assert!(
        held.sentence.starts_with("b (m) is the first of 2 in the route fast; a is not ready: ")
    );
    assert_eq!(held.candidates[1].availability.state, AvailabilityState::Held);
    assert_eq!(explain(ask("fast")).await.expect("explained").sentence, held.sentence);
    let routes = control::routes(&core).await.expect("routes");
    assert!(routes.sentence.ends_with("so fast goes to Backend b."), "{}", routes.sentence);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_draws_by_the_weights_and_takes_backends_to_be_closed() {
    let World { core, home: _home, .. } = two_backends().await;
    let shared = edit("shared", RoutePolicy::Weighted, &[("a", 3), ("b", 1)]);
    control::route_set(&core, shared).await.expect("written");
    let simulate = |draws, closed: &[&str]| {
        let closed = closed.iter().map(|id| (*id).to_owned()).collect();
        control::route_simulate(&core, RouteSimulation { ask: ask("shared"), draws, closed })
    };
    let drawn = simulate(1_000, &[]).await.expect("drawn");
    let [a, b] = drawn.shares.as_slice() else { panic!("{:?}", drawn.shares) };
    assert_eq!((a.backend.as_str(), a.expected_percent), ("a", Some(75.0)));
    assert!((a.percent - 75.0).abs() <= 5.0 && a.draws + b.draws == 1_000, "{a:?} {b:?}");
    assert_eq!((drawn.failures, drawn.failure), (0, None));

    let without = simulate(1_000, &["a"]).await.expect("drawn");
    assert_eq!((without.shares[0].backend.as_str(), without.shares[0].draws), ("b", 1_000));
    assert_eq!(without.sentence, "Of 1,000 requests for shared, 100 % would go to b.");
    let nobody = simulate(10, &["a", "b"]).await.expect("drawn");
    assert_eq!(nobody.failures, 10);
    assert!(nobody.failure.expect("a reason").contains("it is assumed to be down"));
    for draws in [0, SIMULATION_DRAWS_MAX + 1] {
        let refused = simulate(draws, &[]).await.expect_err("too few or too many");
        assert_eq!(refused.field.as_deref(), Some("draws"));
    }
    core.stop().await;
}

/// Changes what the client `tool` may use.
async fn restrict(core: &Core, scope: ClientScopeView) {
    let edit = ClientEdit {
        id: "tool".to_owned(),
        limits: TrafficLimitsView::default(),
        cache: None,
        priority: ClientPriority::Interactive,
        scope,
        mcp: false,
        project: None,
        expires_at: None,
    };
    control::client_edit(core, edit).await.expect("edited");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_for_a_client_stays_within_what_it_may_use() {
    let World { core, home: _home, .. } = two_backends().await;
    let fast = edit("fast", RoutePolicy::Weighted, &[("a", 3), ("b", 1)]);
    control::route_set(&core, fast).await.expect("written");
    let everything = ClientScopeView::default();
    let client = ClientAdd {
        id: "tool".to_owned(),
        expires_in_days: None,
        scope: everything.clone(),
        reads_metrics: false,
        monthly_limit_usd: None,
        project: None,
    };
    control::client_add(&core, client).await.expect("added");
    let tool = |model: &str| HypotheticalRequest { client: Some("tool".to_owned()), ..ask(model) };
    let explain = |ask: HypotheticalRequest| control::route_explain(&core, ask);
    let simulate = |ask: HypotheticalRequest| {
        control::route_simulate(&core, RouteSimulation { ask, draws: 100, closed: Vec::new() })
    };
    assert_eq!(order(&explain(tool("fast")).await.expect("explained")), ["a", "b"]);

    let backends = ClientScopeView { backends: vec!["b".to_owned()], ..everything.clone() };
    restrict(&core, backends).await;
    let found = explain(tool("fast")).await.expect("explained");
    assert_eq!((order(&found), found.served), (vec!["b"], true));
    assert_eq!(
        found.sentence,
        "b (m) is the first that the client tool may use; skipped: a is not allowed for this client."
    );
    assert_eq!(found.passed_over[0].reason, "It is not allowed for this client.");
    assert_eq!(simulate(tool("fast")).await.expect("drawn").shares[0].draws, 100, "all go to b");
    let pinned = explain(tool("a/m")).await.expect("explained");
    let refused = "The client tool may not use any backend that serves a/m. Change its limits in \
                   Gatehouse, under Clients.";
    assert_eq!((pinned.served, pinned.sentence.as_str()), (false, refused));
    // Without a client nothing is left out.
    assert_eq!(order(&explain(ask("fast")).await.expect("explained")), ["a", "b"]);

    let models = ClientScopeView { models: vec!["fast".to_owned()], ..everything.clone() };
    restrict(&core, models).await;
    assert!(explain(tool("fast")).await.expect("explained").served);
    let sentence = explain(tool("b/m")).await.expect("explained").sentence;
    assert!(sentence.starts_with("The client tool may not use the model b/m."), "{sentence}");

    let other = edit("other", RoutePolicy::Ordered, &[("b", 1)]);
    control::route_set(&core, other).await.expect("written");
    restrict(&core, ClientScopeView { routes: vec!["other".to_owned()], ..everything }).await;
    let sentence = explain(tool("fast")).await.expect("explained").sentence;
    assert!(sentence.starts_with("The client tool may not use the route that serves fast."));
    let nothing = simulate(tool("fast")).await.expect("drawn");
    assert_eq!((nothing.failures, nothing.shares.len()), (100, 0));
    assert!(nothing.failure.expect("a reason").contains("may not use the route"));
    core.stop().await;
}
