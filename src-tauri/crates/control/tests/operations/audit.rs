//! The audit log: what is written down of calls, from which callers, and what never is.

use control::view::*;
use control::{Caller, Core, ErrorCode};
use domain::Secret;
use test_support::{MARKED_KEY, search_tree};

use crate::world::{World, config, new_home, world};

fn query() -> AuditLogQuery {
    AuditLogQuery { before: None, caller: None, operation: None, limit: 50 }
}

async fn entries(core: &Core, query: AuditLogQuery) -> Vec<AuditEntryView> {
    control::audit_log(core, query).await.expect("a page").entries
}

async fn switch(core: &Core, id: &str) -> Option<ErrorCode> {
    let switched =
        control::backend_switch(core, BackendSwitch { id: id.to_owned(), enabled: false }).await;
    switched.err().map(|error| error.code)
}

/// Its first entry.
async fn add_home(core: &Core) {
    let add = BackendAdd {
        id: "home".to_owned(),
        label: String::new(),
        kind: BackendKind::OpenAiCompatible,
        base_url: "http://127.0.0.1:9/v1".to_owned(),
        key: BackendKey::None,
        models: vec!["m".to_owned()],
        lacks: Vec::new(),
        offers: Vec::new(),
        crossing: TranslationMode::Lenient,
    };
    control::backend_add(core, add).await.expect("added");
}

#[tokio::test]
async fn changes_are_written_down_with_their_caller_and_reading_is_not() {
    let world = World::open(new_home(), |_| {}).await;
    let agent = world.core.called_by(Caller::agent("Claude Code", "2.1.0"));
    let window = world.core.called_by(Caller::new(CallerKind::Window));
    add_home(&window).await;
    control::status(&agent).await.expect("a status");
    assert_eq!(switch(&agent, "home").await, None);
    assert_eq!(switch(&window, "nobody").await, Some(ErrorCode::NotFound));
    control::settings_fix(&world.core).await.expect_err("nothing to fix");
    let told: Vec<_> = entries(&world.core, query())
        .await
        .into_iter()
        .map(|it| (it.caller, it.agent, it.agent_version, it.operation, it.subject, it.outcome))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    let of = |name: &str| name.to_owned();
    let expected = [
        (CallerKind::CommandLine, None, None, of("settings_fix"), None, AuditOutcome::Failed),
        (CallerKind::Window, None, None, of("backend_switch"), None, AuditOutcome::Refused),
        (
            CallerKind::Mcp,
            text("Claude Code"),
            text("2.1.0"),
            of("backend_switch"),
            text("home"),
            AuditOutcome::Done,
        ),
        (CallerKind::Window, None, None, of("backend_add"), text("home"), AuditOutcome::Done),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn pages_and_filters_find_each_entry_once() {
    let world = World::open(new_home(), |_| {}).await;
    let agent = world.core.called_by(Caller::agent("codex", "1"));
    add_home(&world.core).await;
    for core in [&world.core, &agent, &world.core, &agent, &world.core] {
        assert_eq!(switch(core, "home").await, None);
    }
    let (mut before, mut numbers) = (None, Vec::new());
    loop {
        let page = control::audit_log(&world.core, AuditLogQuery { before, limit: 2, ..query() });
        let page = page.await.expect("a page");
        numbers.extend(page.entries.iter().map(|entry| entry.number));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
    let agents = AuditLogQuery { caller: Some(CallerKind::Mcp), ..query() };
    assert_eq!(entries(&world.core, agents).await.len(), 2);
    let other = AuditLogQuery { operation: Some("key_add".to_owned()), ..query() };
    assert!(entries(&world.core, other).await.is_empty());
    for (wrong, field) in [
        (AuditLogQuery { limit: 0, ..query() }, "limit"),
        (AuditLogQuery { limit: 201, ..query() }, "limit"),
        (AuditLogQuery { operation: Some("drop".to_owned()), ..query() }, "operation"),
    ] {
        let error = control::audit_log(&world.core, wrong).await.expect_err("refused");
        assert_eq!(error.field.as_deref(), Some(field));
    }
}

#[tokio::test]
async fn a_caller_of_another_process_is_known_by_what_it_says() {
    let world = world().await;
    let remote = Core::open(config(&world.home)).await.expect("the owner is found");
    let agent = remote.called_by(Caller::agent("Zed", "0.9"));
    add_home(&agent).await;
    assert_eq!(switch(&agent, "home").await, None);
    assert_eq!(switch(&remote, "home").await, None);
    let client = ClientAdd::unlimited("tool");
    let issued = control::client_issue(&remote, client).await.expect("issued");
    let told = entries(&remote, query()).await;
    let brief: Vec<_> =
        told.iter().map(|it| (it.caller, it.agent.as_deref(), it.operation.as_str())).collect();
    let expected = [
        (CallerKind::CommandLine, None, "client_issue"),
        (CallerKind::CommandLine, None, "backend_switch"),
        (CallerKind::Mcp, Some("Zed"), "backend_switch"),
        (CallerKind::Mcp, Some("Zed"), "backend_add"),
    ];
    assert_eq!(brief, expected);
    let shown = serde_json::to_string(&told).expect("JSON");
    assert!(!shown.contains(issued.token.expose()), "{shown}");
}

/// Wherever a user pastes a key, and whatever an agent calls itself, the log holds none of it.
#[tokio::test]
async fn the_log_holds_no_key_wherever_one_is_pasted() {
    let world = World::open(new_home(), |_| {}).await;
    // Without a prefix, so that nothing knows it by its form.
    let odd_key = "7f3a9c51e2b84d06aa17";
    for key in [MARKED_KEY, odd_key] {
        let core = world.core.called_by(Caller::agent(MARKED_KEY, MARKED_KEY));
        let id = || key.to_owned();
        assert!(switch(&core, key).await.is_some());
        control::key_remove(&core, KeyRef { id: id() }).await.expect_err("no such key");
        control::client_revoke(&core, ClientRef { id: id() }).await.expect_err("no such client");
        control::route_remove(&core, RouteRef { id: id() }).await.expect_err("no such route");
        let secret = Secret::parse(id()).expect("a secret");
        control::key_replace(&core, KeyReplace { id: id(), secret, untested: false })
            .await
            .expect_err("none");
    }
    let told = entries(&world.core, query()).await;
    assert_eq!(told.len(), 10);
    assert!(told.iter().all(|entry| entry.subject.is_none()), "{told:?}");
    let home = world.stop().await;
    for mark in ["7f3a9c51e2b84d06", odd_key] {
        let found = search_tree(home.path(), mark).expect("searched");
        assert!(found.is_empty(), "{mark}: {found:?}");
    }
}
