//! Tools pointed at the gateway: with a client of their own, undone, and told when they no longer fit.

use std::io::Write;
use std::path::PathBuf;

use control::view::*;
use control::{Core, CoreEvents, ErrorCode, PanelEvent};

use crate::world::{World, add_tools, install_program, new_home};

const SETTINGS: &str = "{\n  // mine\n  \"model\": \"opus\"\n}\n";

/// An engine of a user with Claude Code. Its files are below the folder `user`.
async fn world() -> World {
    let home = new_home();
    let folder = home.path().join("user/.claude");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut file = std::fs::File::create(folder.join("settings.json")).expect("a file");
    file.write_all(SETTINGS.as_bytes()).expect("written");
    World::open(home, add_tools).await
}

fn settings_of(world: &World) -> (PathBuf, String) {
    let path = world.home.path().join("user/.claude/settings.json");
    let text = std::fs::read_to_string(&path).expect("the file");
    (path, text)
}

async fn claude(world: &World) -> ToolWiringView {
    let tools = control::clients_wiring(&world.core, CallerEnvironment::default()).await;
    let mut tools = tools.expect("tools").into_iter();
    tools.find(|tool| tool.tool == ClientTool::ClaudeCode).expect("Claude Code")
}

fn plan_query() -> WiringPlanQuery {
    let tool = ClientTool::ClaudeCode;
    let environment = CallerEnvironment::default();
    WiringPlanQuery { tool, undo: false, client: None, changed_keys: None, environment }
}

fn wire_request() -> ClientWire {
    let environment = CallerEnvironment::default();
    ClientWire { tool: ClientTool::ClaudeCode, client: None, fingerprint: None, environment }
}

fn unwire_request(changed_keys: ChangedKeys) -> ClientUnwire {
    ClientUnwire { tool: ClientTool::ClaudeCode, changed_keys }
}

#[tokio::test]
async fn the_other_tools_are_found_and_told_how_to_reach_the_gateway() {
    let world = world().await;
    std::fs::create_dir_all(world.home.path().join("user/.cline")).expect("a folder");
    let address = control::status(&world.core).await.expect("status").gateway.address;
    let guides = control::client_guides(&world.core).await.expect("guides");
    let found: Vec<_> = guides.iter().filter(|it| it.found).map(|it| it.name.as_str()).collect();
    assert_eq!(found, ["Cline"]);
    let of = |tool| guides.iter().find(|guide| guide.tool == tool).expect("listed");
    let steps = of(GuidedTool::Cline).steps.iter().filter_map(|step| step.code.clone());
    let code = steps.collect::<Vec<_>>();
    let url = format!("{address}/v1");
    assert_eq!(code, [url.as_str(), "gatehouse clients add cline", "mock/echo"], "no route yet");
    let cursor = of(GuidedTool::Cursor);
    assert_eq!((cursor.kind, cursor.steps.len()), (GuideKind::Impossible, 0));
    assert!(control::clients(&world.core).await.expect("clients").is_empty(), "nothing is made");
}

#[tokio::test]
async fn a_tool_is_planned_wired_with_a_client_of_its_own_and_restored() {
    let world = world().await;
    assert_eq!(claude(&world).await.state, WiringState::NotWired);
    let plan = control::client_wiring_plan(&world.core, plan_query()).await.expect("a plan");
    let diff = &plan.files[0].diff;
    assert!(diff.contains("+  \"apiKeyHelper\": \"/opt/gatehouse token claude-code\""), "{diff}");
    assert_eq!(settings_of(&world).1, SETTINGS, "a plan changes nothing");
    assert!(control::clients(&world.core).await.expect("clients").is_empty());

    let request = ClientWire { fingerprint: Some(plan.fingerprint), ..wire_request() };
    let wired = control::client_wire(&world.core, request).await.expect("wired");
    assert_eq!((wired.state, wired.client.as_deref()), (WiringState::Wired, Some("claude-code")));
    assert_eq!(wired.sentence, "Claude Code uses the gateway.");
    let clients = control::clients(&world.core).await.expect("clients");
    assert_eq!(
        clients.iter().map(|client| client.id.as_str()).collect::<Vec<_>>(),
        ["claude-code"]
    );
    let token = control::client_token(&world.core, ClientRef { id: "claude-code".to_owned() });
    let token = token.await.expect("the helper gets a token");
    let (_, text) = settings_of(&world);
    assert!(text.contains("// mine") && !text.contains(token.expose()), "{text}");

    let undone = control::client_unwire(&world.core, unwire_request(ChangedKeys::Refuse)).await;
    assert_eq!(undone.expect("undone").state, WiringState::NotWired);
    assert_eq!(settings_of(&world).1, SETTINGS);
    assert_eq!(control::clients(&world.core).await.expect("clients").len(), 1, "the client stays");
}

#[tokio::test]
async fn an_outdated_plan_is_refused_and_leaves_no_client_behind() {
    let world = world().await;
    let request = ClientWire { fingerprint: Some("of another plan".to_owned()), ..wire_request() };
    let error = control::client_wire(&world.core, request).await.expect_err("refused");
    assert!(error.message.ends_with("look at the plan again"), "{}", error.message);
    assert!(control::clients(&world.core).await.expect("clients").is_empty());
    let missing = ClientWire { tool: ClientTool::Codex, ..wire_request() };
    let error = control::client_wire(&world.core, missing).await.expect_err("refused");
    assert_eq!(error.message, "Codex CLI was not found on this machine");
}

#[tokio::test]
async fn a_tool_whose_client_is_gone_or_whose_keys_changed_says_so() {
    let world = world().await;
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    let revoked = ClientRef { id: "claude-code".to_owned() };
    control::client_revoke(&world.core, revoked).await.expect("revoked");
    let found = claude(&world).await;
    assert_eq!(found.state, WiringState::Drifted);
    assert!(found.sentence.contains("which is not on this machine any more"), "{}", found.sentence);
    let again = control::client_wire(&world.core, wire_request()).await.expect("wired again");
    assert_eq!(again.state, WiringState::Wired);

    let (path, text) = settings_of(&world);
    let changed = text.replace("http://127.0.0.1", "http://elsewhere");
    std::fs::File::create(path).expect("a file").write_all(changed.as_bytes()).expect("written");
    let found = claude(&world).await;
    assert_eq!(found.state, WiringState::Drifted);
    assert_eq!(found.drift[0].key, "env.ANTHROPIC_BASE_URL");
    let refused = control::client_unwire(&world.core, unwire_request(ChangedKeys::Refuse)).await;
    assert_eq!(refused.expect_err("refused").field.as_deref(), Some("changed_keys"));
    let all = ClientsUnwireAll { changed_keys: ChangedKeys::Restore };
    let outcomes = control::clients_unwire_all(&world.core, all).await.expect("outcomes");
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].error, None);
    assert_eq!(settings_of(&world).1, SETTINGS);
}

/// The readiness check of connected tools, in a run of its own.
async fn check_of_tools(core: &Core) -> CheckView {
    let mut events = CoreEvents::subscribe(core).await.expect("events");
    let quick = ReadinessStart { set: CheckSet::Quick };
    control::readiness_start(core, quick).await.expect("started");
    loop {
        match events.next().await.expect("an event") {
            PanelEvent::RunProgress { run } if run.state == ReadinessRunStateView::Finished => {
                let mut checks = run.checks.into_iter();
                return checks.find(|check| check.id == "R-30").expect("the check");
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_would_fail_says_why_and_so_does_the_readiness_check() {
    let world = world().await;
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    let check = || check_of_tools(&world.core);
    assert_eq!(check().await.state, CheckStatus::Pass);
    let program = world.home.path().join("system/opt/gatehouse");
    std::fs::remove_file(program).expect("removed");
    let found = claude(&world).await;
    assert_eq!((found.state, found.cause), (WiringState::Drifted, Some(DriftCause::ProgramGone)));
    let sentence = "Claude Code starts /opt/gatehouse, which is gone. Connect it again.";
    assert_eq!(found.sentence, sentence);
    let row = check().await;
    assert_eq!(row.state, CheckStatus::Warn);
    assert_eq!(row.evidence, [sentence]);
    assert_eq!(row.fix.as_deref(), Some("Connect again: `gatehouse clients wire claude-code`."));
    install_program(world.home.path());
    assert_eq!(claude(&world).await.state, WiringState::Wired);

    let revoked = ClientRef { id: "claude-code".to_owned() };
    control::client_revoke(&world.core, revoked).await.expect("revoked");
    assert_eq!(claude(&world).await.cause, Some(DriftCause::ClientGone));
    assert_eq!(check().await.state, CheckStatus::Warn);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_a_tool_whose_client_is_not_in_it_says_so_and_what_helps() {
    let world = world().await;
    let path = world.home.path().join("before.backup").display().to_string();
    let made = control::backup(&world.core, BackupCreate { path: Some(path.clone()) }).await;
    made.expect("a backup");
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    control::restore(&world.core, BackupRef { path }).await.expect("restored");
    let found = claude(&world).await;
    assert_eq!((found.state, found.cause), (WiringState::Drifted, Some(DriftCause::ClientGone)));
    let sentence = "Claude Code is connected as the client claude-code, which is not on this machine \
                    any more: it was revoked, or what was restored does not have it. Connect it \
                    again, which makes the client anew.";
    assert_eq!(found.sentence, sentence);
    control::client_wire(&world.core, wire_request()).await.expect("wired again");
    assert_eq!(claude(&world).await.state, WiringState::Wired);
}

#[tokio::test]
async fn a_tool_of_another_gatehouse_is_not_shown_as_one_that_nobody_connected() {
    let world = world().await;
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    let records = world.home.path().join("state/wiring");
    std::fs::remove_dir_all(records).expect("removed");
    let found = claude(&world).await;
    assert_eq!((found.state, found.cause), (WiringState::NotWired, Some(DriftCause::OtherHome)));
    assert!(found.sentence.contains("a Gatehouse with its data elsewhere"), "{}", found.sentence);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_tool_does_is_tried_and_the_step_that_fails_is_named() {
    let world = world().await.serving().await;
    let unknown = control::client_check(&world.core, ClientCheck { tool: ClientTool::Codex }).await;
    assert_eq!(unknown.expect_err("refused").message, "Codex CLI is not connected");
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    let check = || async {
        let tried = ClientCheck { tool: ClientTool::ClaudeCode };
        control::client_check(&world.core, tried).await.expect("tried")
    };
    // The program of this test stands below another root, so that the real start fails.
    let tried = check().await;
    assert_eq!(tried.outcome, ToolCheckOutcome::Fails);
    let states: Vec<_> = tried.steps.iter().map(|step| (step.title.as_str(), step.state)).collect();
    let (pass, fail) = (BackendTestStepState::Pass, BackendTestStepState::Fail);
    assert_eq!(states, [("Files", pass), ("Token", fail)]);
    assert_eq!(tried.sentence, "Claude Code would fail.");
    let reason = |tried: &ToolCheckView| tried.steps.last().expect("a step").detail.clone();
    assert!(reason(&tried).contains("/opt/gatehouse cannot be started"), "{}", reason(&tried));

    control::gateway_pause(&world.core).await.expect("paused");
    let tried = check().await;
    assert_eq!(tried.steps.last().map(|step| step.title.as_str()), Some("Gateway"));

    let revoked = ClientRef { id: "claude-code".to_owned() };
    control::client_revoke(&world.core, revoked).await.expect("revoked");
    let tried = check().await;
    assert_eq!(tried.steps.len(), 1);
    assert!(reason(&tried).contains("which is not on this machine any more"), "{}", reason(&tried));
}

#[tokio::test]
async fn a_tool_that_rewrites_its_own_file_needs_the_user_at_the_next_look() {
    let world = world().await;
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    let watch = world.engine().tool_watch();
    let need = async || {
        watch.look().await;
        let needs = control::status(&world.core).await.expect("status").verdict.needs;
        needs.into_iter().find(|need| need.id == "tools/drifted")
    };
    assert!(need().await.is_none(), "as it was wired");
    let (path, wired) = settings_of(&world);
    let address = control::status(&world.core).await.expect("status").gateway.address;
    let rewritten = wired.replace(&address, "https://other.example");
    assert_ne!(rewritten, wired, "the text has what is changed");
    private_files::write_atomic(&path, rewritten.as_bytes()).expect("written");
    let found = need().await.expect("a need");
    assert_eq!(found.title, "Claude Code possibly bypasses the gateway");
    assert!(found.impact.contains("env.ANTHROPIC_BASE_URL in "), "{}", found.impact);
    assert_eq!(found.action, PanelActionView::OpenClients);
    private_files::write_atomic(&path, wired.as_bytes()).expect("written");
    assert!(need().await.is_none(), "it is as it was wired again");

    // What should be in the file may change, too.
    let id = claude(&world).await.client.expect("a client");
    control::client_revoke(&world.core, ClientRef { id }).await.expect("revoked");
    assert!(need().await.expect("a need").impact.contains("was revoked"));
    control::client_unwire(&world.core, unwire_request(ChangedKeys::Restore))
        .await
        .expect("undone");
    assert!(need().await.is_none(), "it is not wired");
}

#[tokio::test]
async fn a_tool_that_is_mended_here_needs_the_user_no_more_without_another_look() {
    let world = world().await;
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    let needs = async || {
        let needs = control::status(&world.core).await.expect("status").verdict.needs;
        needs.iter().any(|need| need.id == "tools/drifted")
    };
    let break_wiring = async || {
        let (path, wired) = settings_of(&world);
        let address = control::status(&world.core).await.expect("status").gateway.address;
        let rewritten = wired.replace(&address, "https://other.example");
        assert_ne!(rewritten, wired, "the text has what is changed");
        private_files::write_atomic(&path, rewritten.as_bytes()).expect("written");
        world.engine().tool_watch().look().await;
        assert!(needs().await, "it was rewritten");
    };
    break_wiring().await;
    let undo = unwire_request(ChangedKeys::Restore);
    control::client_unwire(&world.core, undo).await.expect("undone");
    assert!(!needs().await, "undone");
    control::client_wire(&world.core, wire_request()).await.expect("wired");
    break_wiring().await;
    let undo = ClientsUnwireAll { changed_keys: ChangedKeys::Restore };
    control::clients_unwire_all(&world.core, undo).await.expect("undone");
    assert!(!needs().await, "all undone");
}

#[tokio::test]
async fn variables_of_the_caller_are_conflicts_and_others_are_left_out() {
    let world = world().await;
    let environment = CallerEnvironment {
        project: None,
        variables: ["ANTHROPIC_API_KEY", "PATH", "sk-CANARY"].map(str::to_owned).to_vec(),
    };
    let wire = ClientWire { environment: environment.clone(), ..wire_request() };
    let wired = control::client_wire(&world.core, wire).await.expect("wired");
    let keys: Vec<_> = wired.conflicts.iter().map(|it| it.key.as_str()).collect();
    assert_eq!((wired.state, &keys[..]), (WiringState::Conflict, &["ANTHROPIC_API_KEY"][..]));
    assert!(!wired.sentence.contains("CANARY"), "{}", wired.sentence);
    assert_eq!(claude(&world).await.state, WiringState::Wired, "for the window nothing is set");
}

#[tokio::test]
async fn a_conflict_names_the_key_as_the_file_writes_it() {
    let world = world().await;
    let project = world.home.path().join("project");
    std::fs::create_dir_all(project.join(".claude")).expect("a folder");
    let mut file = std::fs::File::create(project.join(".claude/settings.json")).expect("a file");
    file.write_all(br#"{"env": {"ANTHROPIC_BASE_URL": "http://other"}}"#).expect("written");
    let environment =
        CallerEnvironment { project: Some(project.display().to_string()), variables: Vec::new() };
    let wire = ClientWire { environment, ..wire_request() };
    let wired = control::client_wire(&world.core, wire).await.expect("wired");
    assert_eq!(wired.state, WiringState::Conflict);
    assert!(wired.sentence.starts_with("env.ANTHROPIC_BASE_URL in "), "{}", wired.sentence);
}

#[tokio::test]
async fn a_mistake_in_the_tools_own_file_is_the_users_to_mend() {
    let world = world().await;
    let path = settings_of(&world).0;
    let mut file = std::fs::File::create(&path).expect("a file");
    file.write_all(b"{\n  \"model\": opus\n}\n").expect("written");
    let error = control::client_wiring_plan(&world.core, plan_query()).await.expect_err("refused");
    assert_eq!((error.code, error.field), (ErrorCode::InvalidInput, None), "{}", error.message);
    assert!(error.message.contains(", line 2, column "), "{}", error.message);
    assert!(error.hint.expect("what to do").contains("Correct the file there"));
}
