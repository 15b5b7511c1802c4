//! What a client may be limited to: names that exist, so that a mistyped one is told.

use control::ErrorCode::NotFound;
use control::view::{BackendRef, ClientAdd, ClientEdit, ClientScopeView, ClientView};

use crate::world::{add_request, lists_models, marked_key, refused, world};

fn scope(backends: &[&str], routes: &[&str]) -> ClientScopeView {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ClientScopeView { models: Vec::new(), backends: list(backends), routes: list(routes) }
}

fn edit(client: &ClientView, scope: ClientScopeView) -> ClientEdit {
    ClientEdit {
        id: client.id.clone(),
        limits: client.limits,
        cache: client.cache,
        priority: client.priority,
        scope,
        mcp: client.mcp,
        project: client.project.clone(),
        expires_at: client.expires_at,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_limited_to_backends_and_routes_that_exist() {
    let world = world().await;
    let core = &world.core;
    let upstream = lists_models().await;
    control::backend_add(core, add_request(&upstream, marked_key())).await.expect("added");
    let add = |scope| ClientAdd { scope, ..ClientAdd::unlimited("editor") };
    let unknown = control::client_add(core, add(scope(&["upp"], &[]))).await;
    let hint = unknown.as_ref().expect_err("refused").hint.clone();
    assert_eq!(hint.as_deref(), Some("Did you mean up?"));
    refused(unknown, NotFound, Some("scope.backends"));
    refused(
        control::client_issue(core, add(scope(&[], &["fast"]))).await,
        NotFound,
        Some("scope.routes"),
    );
    assert_eq!(control::clients(core).await.expect("listed").len(), 0);

    let client = control::client_add(core, add(scope(&["up", "mock"], &[]))).await.expect("added");
    let slip = control::client_edit(core, edit(&client, scope(&["up", "mok"], &[]))).await;
    refused(slip, NotFound, Some("scope.backends"));
    let slip = control::client_edit(core, edit(&client, scope(&[], &["fast"]))).await;
    refused(slip, NotFound, Some("scope.routes"));

    // A removed backend stays in the list, whatever else is edited.
    let remove = BackendRef { id: "up".to_owned() };
    control::backend_remove(core, remove).await.expect("removed");
    let kept = control::client_edit(core, edit(&client, scope(&["up"], &[]))).await;
    assert_eq!(kept.expect("edited").scope.backends, ["up"]);
    let without = control::client_edit(core, edit(&client, scope(&["mock"], &[]))).await;
    let again = edit(&without.expect("edited"), scope(&["up"], &[]));
    refused(control::client_edit(core, again).await, NotFound, Some("scope.backends"));
    world.core.stop().await;
}
