//! Operations with a whole engine: what a caller may request, and what it gets.

use control::view::*;
use control::{ChangeTag, CoreEvents, ErrorCode, PanelEvent};
use test_support::MARKED_KEY;

use crate::world::{
    World, add_request, edit_request, lists_models, marked_key, new_home, refused, secret, world,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_with_its_key_becomes_healthy_and_its_models_are_known() {
    let (world, upstream) = (world().await, lists_models().await);
    let added = world.add_up(&upstream, marked_key()).await;
    assert_eq!(added.credential.as_deref(), Some("up"));

    let up = BackendRef { id: "up".to_owned() };
    let test = control::backend_test(&world.core, up.clone()).await.expect("tested");
    assert!(test.passed, "{:?}", test.steps);
    control::backend_test(&world.core, up).await.expect("tested again");
    let backends = control::backends(&world.core).await.expect("backends");
    let backend = backends.iter().find(|backend| backend.id == "up").expect("there");
    assert_eq!(backend.health.state, ShownHealth::Up, "{}", backend.health.reason);
    let models: Vec<_> = backend.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(models, ["m-1", "m-2"]);

    let keys = control::keys(&world.core).await.expect("keys");
    assert_eq!(keys[0].state, KeyState::Valid);
    assert_eq!(keys[0].used_by, ["up"]);
    let sent = upstream.requests();
    assert!(sent.iter().all(|r| r.authorization() == Some(&format!("Bearer {MARKED_KEY}"))));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_never_follows_its_backend_to_another_host() {
    let (world, home, away) = (world().await, lists_models().await, lists_models().await);
    world.add_up(&home, marked_key()).await;
    let moved = |credential: Option<&str>| BackendEdit {
        credential: credential.map(str::to_owned),
        ..edit_request(&away)
    };
    let kept = control::backend_edit(&world.core, moved(Some("up"))).await;
    refused(kept, ErrorCode::InvalidInput, Some("key"));
    control::backend_edit(&world.core, moved(None)).await.expect("moved without the key");
    control::backend_test(&world.core, BackendRef { id: "up".to_owned() }).await.expect("tested");
    assert!(away.requests().iter().all(|request| request.authorization().is_none()));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dialect_differences_are_kept_edited_and_shown() {
    let (world, upstream) = (world().await, lists_models().await);
    let mut request = add_request(&upstream, BackendKey::None);
    request.lacks = vec![
        UnsupportedFeature::Images,
        UnsupportedFeature::StreamUsage,
        UnsupportedFeature::Images,
    ];
    request.offers = vec![ExtraDialect::Responses];
    request.crossing = TranslationMode::Lenient;
    let added = control::backend_add(&world.core, request).await.expect("added");
    assert_eq!(added.lacks, [UnsupportedFeature::StreamUsage, UnsupportedFeature::Images]);
    assert_eq!(
        (added.offers.as_slice(), added.crossing),
        (&[ExtraDialect::Responses][..], TranslationMode::Lenient)
    );
    let edit = |kind, lacks: &[UnsupportedFeature]| BackendEdit {
        kind,
        lacks: lacks.to_vec(),
        ..edit_request(&upstream)
    };
    // Values in the file for another kind stay until somebody changes them.
    let kept = edit(BackendKind::Ollama, &added.lacks);
    let edited = control::backend_edit(&world.core, kept).await.expect("edited");
    assert_eq!((edited.kind, &edited.lacks), (BackendKind::Ollama, &added.lacks));
    assert_eq!((edited.offers.len(), edited.crossing), (0, TranslationMode::Strict));
    let more = edit(BackendKind::Ollama, &[UnsupportedFeature::Tools]);
    let answer = control::backend_edit(&world.core, more).await;
    refused(answer, ErrorCode::InvalidInput, Some("lacks"));
    let cleared = edit(BackendKind::Gemini, &[]);
    let edited = control::backend_edit(&world.core, cleared).await.expect("edited");
    assert_eq!((edited.kind, edited.lacks.len()), (BackendKind::Gemini, 0));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_named_and_nothing_is_left_behind() {
    let (world, upstream) = (world().await, lists_models().await);
    let with = |change: fn(&mut BackendAdd)| {
        let mut request = add_request(&upstream, marked_key());
        change(&mut request);
        request
    };
    let cases: [(BackendAdd, &str); 6] = [
        (with(|r| r.id = "Not a name".to_owned()), "id"),
        (with(|r| r.id = "mock".to_owned()), "id"),
        (with(|r| r.base_url = "http://metadata.google.internal/".to_owned()), "base_url"),
        (with(|r| r.kind = BackendKind::Mock), "kind"),
        (
            with(|r| {
                r.kind = BackendKind::Anthropic;
                r.lacks = vec![UnsupportedFeature::Tools];
            }),
            "lacks",
        ),
        (
            with(|r| {
                r.kind = BackendKind::OpenAi;
                r.offers = vec![ExtraDialect::Responses];
            }),
            "offers",
        ),
    ];
    for (request, field) in cases {
        let answer = control::backend_add(&world.core, request).await;
        refused(answer, ErrorCode::InvalidInput, Some(field));
    }
    // The settings refuse the models after the key was stored, so the key must be removed again.
    let endless = with(|r| r.models = vec!["m".repeat(1_000)]);
    let answer = control::backend_add(&world.core, endless).await;
    assert_eq!(answer.expect_err("refused").code, ErrorCode::InvalidInput);
    assert!(control::keys(&world.core).await.expect("keys").is_empty());

    let settings = control::settings(&world.core).await.expect("settings");
    let mut port = settings.values;
    port.set("gateway_port", control::SettingValue::Number(0));
    let answer = control::settings_edit(&world.core, port).await;
    refused(answer, ErrorCode::InvalidInput, Some("gateway_port"));
    let gone = BackendRef { id: "gone".to_owned() };
    refused(control::backend_remove(&world.core, gone).await, ErrorCode::NotFound, None);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_token_goes_to_the_command_line_and_to_no_panel() {
    let world = world().await;
    let demo = || ClientAdd {
        id: "demo".to_owned(),
        expires_in_days: Some(1),
        scope: ClientScopeView::default(),
        reads_metrics: false,
        monthly_limit_usd: None,
        project: None,
    };
    let issued = control::client_issue(&world.core, demo()).await.expect("a token");
    assert!(issued.not_stored.is_none(), "{issued:?}");
    let token = issued.token;
    let again = ClientRef { id: "demo".to_owned() };
    let stored = control::client_token(&world.core, again.clone()).await.expect("the token");
    assert_eq!(token, stored);
    refused(control::client_add(&world.core, demo()).await, ErrorCode::InvalidInput, Some("id"));

    let clients = control::call(&world.core, "clients", b"null").await.expect("clients");
    let clients = String::from_utf8(clients).expect("text");
    assert!(clients.contains("$(gatehouse token demo)") && !clients.contains(token.expose()));
    for name in ["client_token", "client_issue"] {
        let answer = control::call(&world.core, name, br#"{"id":"demo"}"#).await;
        refused(answer, ErrorCode::NotFound, None);
    }
    control::client_revoke(&world.core, again.clone()).await.expect("revoked");
    refused(control::client_token(&world.core, again).await, ErrorCode::NotFound, None);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_names_its_field_and_repeats_nothing() {
    let world = world().await;
    let body = format!(r#"{{"id":"up","label":"","secret":["{MARKED_KEY}"],"url":null}}"#);
    let answer = control::call(&world.core, "key_add", body.as_bytes()).await;
    refused(answer, ErrorCode::InvalidInput, Some("secret"));
    let answer = control::call(&world.core, "key_add", MARKED_KEY.as_bytes()).await;
    refused(answer, ErrorCode::InvalidInput, None);
    refused(control::call(&world.core, "no_such", b"").await, ErrorCode::NotFound, None);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_sends_progress_events_and_a_desktop_notification() {
    let (mut world, upstream) = (world().await, lists_models().await);
    world.add_up(&upstream, BackendKey::None).await;
    let mut events = CoreEvents::subscribe(&world.core).await.expect("events");
    let quick = ReadinessStart { set: CheckSet::Quick };
    let started = control::readiness_start(&world.core, quick).await.expect("started");
    let ended = loop {
        match events.next().await.expect("an event") {
            PanelEvent::RunProgress { run } if run.state == ReadinessRunStateView::Finished => {
                break run;
            }
            _ => {}
        }
    };
    assert_eq!(ended.id, started.id);
    assert_eq!(ended.verdict, Some(ReadinessVerdict::Ready), "{}", ended.sentence);
    let kept = control::readiness(&world.core).await.expect("the run");
    assert_eq!(kept.run.expect("kept").score_tenths, ended.score_tenths);
    let shown = world.shown.recv().await.expect("a notification");
    assert!(shown.body.contains("of 10"), "{}", shown.body);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_panels_are_told_what_an_operation_changes() {
    let (world, upstream) = (world().await, lists_models().await);
    let mut events = CoreEvents::subscribe(&world.core).await.expect("events");
    world.add_up(&upstream, BackendKey::None).await;
    let mut told = Vec::new();
    while !(told.contains(&ChangeTag::Backends) && told.contains(&ChangeTag::Settings)) {
        if let PanelEvent::Changed { tags } = events.next().await.expect("an event") {
            told.extend(tags);
        }
    }
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_moves_when_its_port_changes_and_the_settings_file_may_be_edited_by_hand() {
    let home = new_home();
    let free = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (first, second) = (free(), free());
    let port = |held: &std::net::TcpListener| held.local_addr().expect("an address").port();
    let (from, to) = (port(&first), port(&second));
    drop((first, second));
    let folder = home.path().join("config");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("settings.toml");
    let text = |port: u16| format!("version = 1\n\n[gateway]\nport = {port} # mine\n");
    #[expect(clippy::disallowed_methods, reason = "a person's editor")]
    let write = |port: u16| std::fs::write(&file, text(port)).expect("written");
    write(from);
    let world = World::open(home, |config| config.port = None).await;
    let (core, engine) = (&world.core, world.engine());
    let served = control::serve(engine, |_| None).await.expect("serving");
    assert_eq!(served.gateway, format!("http://127.0.0.1:{from}"));

    write(to);
    let mut events = CoreEvents::subscribe(core).await.expect("events");
    control::settings(core).await.expect("read again");
    while engine.gateway().port() != to {
        events.next().await.expect("an event");
    }
    let status = control::status(core).await.expect("a status");
    assert_eq!(status.gateway.state, GatewayState::Listening);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_gateway_says_so_until_it_is_resumed() {
    let world = World::open(new_home(), |_| ()).await;
    let core = &world.core;
    refused(control::gateway_pause(core).await, ErrorCode::Failed, None);
    let world = world.serving().await;
    let core = &world.core;
    assert_eq!(control::gateway_pause(core).await.expect("paused").state, GatewayState::Paused);
    let status = control::status(core).await.expect("a status");
    assert_eq!(status.gateway.state, GatewayState::Paused);
    let need = status.verdict.needs.iter().find(|need| need.id == "gateway").expect("an issue");
    assert_eq!(need.title, "The gateway is paused");
    assert_eq!(need.action, PanelActionView::ResumeGateway);
    let resumed = control::gateway_resume(core).await.expect("resumed");
    assert_eq!((resumed.state, resumed.reason), (GatewayState::Listening, None));
    let status = control::status(core).await.expect("a status");
    assert!(!status.verdict.needs.iter().any(|need| need.id == "gateway"));
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_that_is_shown_for_a_key_is_the_vaults_and_not_the_files() {
    let World { core, home, .. } = world().await;
    let key = KeyAdd {
        id: "up".to_owned(),
        label: String::new(),
        secret: secret("sk-0123456789abcdef"),
        url: Some("https://api.example.com/v1".to_owned()),
        billing: None,
    };
    control::key_add(&core, key).await.expect("added");
    let file = home.path().join("config").join("settings.toml");
    let text = std::fs::read_to_string(&file).expect("settings");
    let edited = text.replace("api.example.com", "evil.example.com");
    assert_ne!(text, edited);
    #[expect(clippy::disallowed_methods, reason = "somebody's editor")]
    std::fs::write(&file, edited).expect("written");
    control::settings(&core).await.expect("read again");
    let keys = control::keys(&core).await.expect("keys");
    assert_eq!(keys[0].origin.as_deref(), Some("https://api.example.com:443"));
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_notification_says_what_became_of_it() {
    let mut world = world().await;
    assert!(control::notification_test(&world.core).await.expect("sent").delivered);
    let shown = world.shown.recv().await.expect("a notification");
    assert_eq!(shown.path, "/settings");
    world.core.stop().await;
}
