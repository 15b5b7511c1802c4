//! Tools pointed at the gateway: with a client of their own, undone, and told when they no longer fit.

use std::io::Write;
use std::path::PathBuf;

use ::wiring::ToolEnvironment;
use control::view::*;

use crate::world::{World, new_home};

const SETTINGS: &str = "{\n  // mine\n  \"model\": \"opus\"\n}\n";

/// An engine of a user with Claude Code. Its files are below the folder `user`.
async fn world() -> World {
    let home = new_home();
    let folder = home.path().join("user/.claude");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut file = std::fs::File::create(folder.join("settings.json")).expect("a file");
    file.write_all(SETTINGS.as_bytes()).expect("written");
    World::open(home, |config| {
        let root = config.folders.data.parent().expect("a folder").to_owned();
        let mut tools = ToolEnvironment::new(root.join("user"), []);
        tools.system_root = root.join("system");
        config.tools = Some(tools);
        config.command_line = Some("/opt/gatehouse".into());
    })
    .await
}

fn settings_of(world: &World) -> (PathBuf, String) {
    let path = world.home.path().join("user/.claude/settings.json");
    let text = std::fs::read_to_string(&path).expect("the file");
    (path, text)
}

async fn claude(world: &World) -> ToolWiringView {
    let tools = control::clients_wiring(&world.core, ClientsWiringQuery::default()).await;
    let mut tools = tools.expect("tools").into_iter();
    tools.find(|tool| tool.tool == ClientTool::ClaudeCode).expect("Claude Code")
}

fn plan_query() -> WiringPlanQuery {
    let tool = ClientTool::ClaudeCode;
    WiringPlanQuery { tool, undo: false, client: None, changed_keys: None }
}

fn wire_request() -> ClientWire {
    ClientWire { tool: ClientTool::ClaudeCode, client: None, fingerprint: None }
}

fn unwire_request(changed_keys: ChangedKeys) -> ClientUnwire {
    ClientUnwire { tool: ClientTool::ClaudeCode, changed_keys }
}

#[tokio::test]
async fn the_other_tools_are_found_and_told_how_to_reach_the_gateway() {
    let world = world().await;
    std::fs::create_dir_all(world.home.path().join("user/.continue")).expect("a folder");
    let address = control::status(&world.core).await.expect("status").gateway.address;
    let guides = control::client_guides(&world.core).await.expect("guides");
    let found: Vec<_> = guides.iter().filter(|it| it.found).map(|it| it.name.as_str()).collect();
    assert_eq!(found, ["Continue"]);
    let of = |tool| guides.iter().find(|guide| guide.tool == tool).expect("listed");
    let code = |tool| {
        let steps = of(tool).steps.iter().filter_map(|step| step.code.clone());
        steps.collect::<Vec<_>>().join("\n")
    };
    for tool in [GuidedTool::Continue, GuidedTool::Cline] {
        assert!(code(tool).contains(&format!("{address}/v1")), "{}", code(tool));
        assert!(code(tool).contains(&format!("gatehouse clients add {tool}")), "{}", code(tool));
    }
    assert!(code(GuidedTool::Continue).contains("model: mock/echo"), "no route is set up yet");
    assert!(code(GuidedTool::Aider).starts_with("gatehouse run aider"));
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
    assert!(found.sentence.contains("which was revoked"), "{}", found.sentence);
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
