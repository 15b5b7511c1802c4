//! Where clients go: the switch, what it offers, and what becomes of it when its target goes.

use control::ErrorCode;
use control::view::*;

use crate::world::*;

const BACKEND: Option<&str> = Some("up");

fn to(backend: Option<&str>, route: Option<&str>) -> ClientSwitch {
    let [backend, route] = [backend, route].map(|id| id.map(str::to_owned));
    ClientSwitch { id: "editor".to_owned(), backend, route }
}

fn add(id: &str, scope: ClientScopeView, reads_metrics: bool) -> ClientAdd {
    ClientAdd {
        id: id.to_owned(),
        expires_in_days: None,
        scope,
        reads_metrics,
        monthly_limit_usd: None,
        project: None,
    }
}

fn route(id: &str, replaces: Option<&str>, clients: &[&str]) -> RouteEdit {
    let candidate =
        RouteCandidateEdit { backend: "up".to_owned(), model: Some("good".to_owned()), weight: 1 };
    RouteEdit {
        replaces: replaces.map(str::to_owned),
        clients: clients.iter().map(|id| (*id).to_owned()).collect(),
        ..crate::routes::route(id, vec![candidate])
    }
}

/// The labels of what a client can be switched to, the current one in brackets.
fn labels(client: &ClientView) -> Vec<String> {
    let label = |target: &ClientTargetView| {
        let note = target.unavailable.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
        if target.current { format!("[{}{note}]", target.label) } else { target.label.clone() }
    };
    client.targets.iter().map(label).collect()
}

async fn view(world: &World, id: &str) -> ClientView {
    let clients = control::clients(&world.core).await.expect("clients");
    clients.into_iter().find(|client| client.id == id).expect("listed")
}

async fn explain(world: &World, model: &str) -> RouteDecisionView {
    let ask = HypotheticalRequest {
        model: model.to_owned(),
        client: Some("editor".to_owned()),
        project: None,
        tools: false,
        vision: false,
        json_schema: false,
        input_tokens: 0,
    };
    control::route_explain(&world.core, ask).await.expect("explained")
}

async fn with_editor() -> World {
    let world = world().await;
    let upstream = lists_models().await;
    let declared =
        BackendAdd { models: vec!["good".to_owned()], ..add_request(&upstream, marked_key()) };
    control::backend_add(&world.core, declared).await.expect("added");
    control::route_set(&world.core, route("fast", None, &[])).await.expect("made");
    let everything = ClientScopeView::default();
    control::client_add(&world.core, add("editor", everything, false)).await.expect("added");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_in_force_at_once_and_explained() {
    let world = with_editor().await;
    let core = &world.core;
    let client = view(&world, "editor").await;
    assert_eq!(labels(&client), ["[Routing rules]", "Upstream", "Mock", "Route fast"]);
    assert!(
        explain(&world, "mock/echo")
            .await
            .sentence
            .starts_with("The request pins the backend mock")
    );

    let client = control::client_switch(core, to(BACKEND, None)).await.expect("switched");
    assert_eq!(labels(&client), ["Routing rules", "[Upstream]", "Mock", "Route fast"]);
    let said = explain(&world, "mock/echo").await;
    assert!(!said.served && said.sentence.contains("does not list \"echo\""), "{said:?}");
    assert!(said.sentence.contains("`gatehouse clients switch editor --reset`"), "{said:?}");
    let said = explain(&world, "fast").await;
    assert_eq!((said.route, said.candidates[0].model.as_str()), (None, "good"));
    assert!(said.sentence.starts_with("The client editor is switched to the backend up"));

    control::client_switch(core, to(None, Some("fast"))).await.expect("switched");
    let said = explain(&world, "whatever").await;
    assert_eq!(said.route.as_deref(), Some("fast"));
    assert!(said.sentence.starts_with("The client editor is switched to the route fast: "));

    let edit = ClientEdit {
        id: "editor".to_owned(),
        limits: client.limits,
        cache: None,
        priority: client.priority,
        scope: ClientScopeView::default(),
        mcp: false,
        project: None,
        expires_at: None,
    };
    let client = control::client_edit(core, edit).await.expect("edited");
    assert!(labels(&client).contains(&"[Route fast]".to_owned()), "an edit keeps it: {client:?}");
    let client = control::client_switch(core, to(None, None)).await.expect("reset");
    assert_eq!(labels(&client)[0], "[Routing rules]");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_client_may_use_is_offered_and_taken() {
    use ErrorCode::{InvalidInput, NotFound};
    let world = with_editor().await;
    let core = &world.core;
    control::route_set(core, route("theirs", None, &["editor"])).await.expect("made");
    let scope = |backends: &[&str], routes: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ClientScopeView { models: Vec::new(), backends: list(backends), routes: list(routes) }
    };
    for (id, allowed, metrics, expected) in [
        ("mocks", scope(&["mock"], &[]), false, &["[Routing rules]", "Mock"][..]),
        ("routed", scope(&[], &["fast"]), false, &["[Routing rules]", "Route fast"]),
        ("other", scope(&[], &[]), false, &["[Routing rules]", "Upstream", "Mock", "Route fast"]),
        ("metrics", scope(&[], &[]), true, &[]),
    ] {
        let client = control::client_add(core, add(id, allowed, metrics)).await.expect("added");
        assert_eq!(labels(&client), expected, "{id}");
    }
    let named = |id: &str, switch: ClientSwitch| ClientSwitch { id: id.to_owned(), ..switch };
    for (switch, code, field) in [
        (to(BACKEND, Some("fast")), InvalidInput, Some("route")),
        (to(Some("upp"), None), NotFound, Some("backend")),
        (to(None, Some("fsat")), NotFound, Some("route")),
        (named("ghost", to(BACKEND, None)), NotFound, None),
        (named("mocks", to(BACKEND, None)), InvalidInput, Some("backend")),
        (named("routed", to(BACKEND, None)), InvalidInput, Some("backend")),
        (named("other", to(None, Some("theirs"))), InvalidInput, Some("route")),
        (named("metrics", to(BACKEND, None)), InvalidInput, Some("backend")),
    ] {
        refused(control::client_switch(core, switch).await, code, field);
    }
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_follows_a_renamed_route_and_ends_with_its_target() {
    let world = with_editor().await;
    let core = &world.core;
    control::client_switch(core, to(None, Some("fast"))).await.expect("switched");
    control::route_set(core, route("quick", Some("fast"), &[])).await.expect("renamed");
    assert!(labels(&view(&world, "editor").await).contains(&"[Route quick]".to_owned()));
    control::route_remove(core, RouteRef { id: "quick".to_owned() }).await.expect("removed");
    assert_eq!(labels(&view(&world, "editor").await)[0], "[Routing rules]");

    control::client_switch(core, to(BACKEND, None)).await.expect("switched");
    let off = BackendSwitch { id: "up".to_owned(), enabled: false };
    control::backend_switch(core, off).await.expect("off");
    let told = labels(&view(&world, "editor").await);
    assert_eq!(told, ["Routing rules", "[Upstream, is switched off]", "Mock"]);
    let said = explain(&world, "good").await.sentence;
    assert!(said.contains("but the backend up is switched off"), "{said}");
    control::backend_remove(core, BackendRef { id: "up".to_owned() }).await.expect("removed");
    assert_eq!(labels(&view(&world, "editor").await), ["[Routing rules]", "Mock"]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_names_the_clients_that_are_switched_to_it() {
    let world = with_editor().await;
    let core = &world.core;
    control::client_switch(core, to(BACKEND, None)).await.expect("switched");
    let dependents = |id: &str, all: Vec<BackendView>| {
        all.into_iter().find(|one| one.id == id).expect("listed").dependents.clients
    };
    let backends = control::backends(core).await.expect("backends");
    assert_eq!(dependents("up", backends.clone()), ["editor"]);
    assert_eq!(dependents("mock", backends), [""; 0]);
    let key = control::keys(core).await.expect("keys").remove(0);
    assert_eq!(key.dependents.clients, ["editor"], "its only key, so its requests are refused");

    control::client_switch(core, to(None, Some("fast"))).await.expect("switched");
    let routes = control::routes(core).await.expect("routes").routes;
    assert_eq!(routes[0].switched_clients, ["editor"]);
    assert_eq!(dependents("up", control::backends(core).await.expect("backends")), [""; 0]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_switches_to_a_route_follows_its_new_name() {
    let world = with_editor().await;
    let core = &world.core;
    let switching = BudgetSet {
        action: Some(BudgetAction::Switch),
        switch_to: Some("fast".to_owned()),
        ..budget_request("all", "5", None)
    };
    control::budget_set(core, switching).await.expect("set");
    control::route_set(core, route("quick", Some("fast"), &[])).await.expect("renamed");
    let budget = control::budgets(core).await.expect("budgets").remove(0);
    assert_eq!(budget.switch_to.as_deref(), Some("quick"));
    world.core.stop().await;
}
