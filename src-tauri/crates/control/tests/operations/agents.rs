//! What agents may do, what they may not, and the programs that have our MCP server.

use std::io::Write as _;

use control::view::*;
use control::{AgentPermission, Caller, ErrorCode, PersonAnswer, SettingValue, agent_tools};

use crate::world::{World, add_tools, new_home};

const DESKTOP: AgentProgram = AgentProgram::ClaudeDesktop;

/// An engine of a user with Codex, whose file has a comment.
async fn world() -> World {
    let home = new_home();
    let folder = home.path().join("user/.codex");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut file = std::fs::File::create(folder.join("config.toml")).expect("a file");
    file.write_all(CONFIG.as_bytes()).expect("written");
    World::open(home, add_tools).await
}

const CONFIG: &str = "# mine\nmodel = \"gpt-5\"\n";

fn config_of(world: &World) -> String {
    let path = world.home.path().join("user/.codex/config.toml");
    std::fs::read_to_string(path).expect("the file")
}

async fn program(world: &World, wanted: AgentProgram) -> AgentProgramView {
    let all = control::agent_programs(&world.core, CallerEnvironment::default()).await;
    all.expect("programs").into_iter().find(|one| one.tool == wanted).expect("the program")
}

async fn allow(world: &World, setting: &str) {
    let mut values = control::settings(&world.core).await.expect("settings").values;
    values.set(setting, SettingValue::Switch(true));
    control::settings_edit(&world.core, values).await.expect("set");
}

#[tokio::test]
async fn the_permissions_are_those_of_the_settings_with_every_tool_once() {
    let world = World::open(new_home(), |_| {}).await;
    let access = control::agent_access(&world.core).await.expect("a view");
    let told: Vec<_> = access
        .permissions
        .iter()
        .map(|one| (one.permission, one.setting.as_deref(), one.is_allowed))
        .collect();
    let expected = [
        (AgentPermission::Read, None, true),
        (AgentPermission::Checks, Some("mcp_checks"), true),
        (AgentPermission::Spend, Some("mcp_spend"), false),
        (AgentPermission::Change, Some("mcp_change"), false),
    ];
    assert_eq!(told, expected);
    let tools: usize = access.permissions.iter().map(|one| one.tools.len()).sum();
    assert_eq!(tools, agent_tools().count());
    let spend = access.permissions.get(2).expect("spend");
    assert_eq!(spend.tools.first().map(|tool| tool.name.as_str()), Some("ask"));
    assert!(!access.http.is_served && access.http.address.ends_with("/mcp"));
    allow(&world, "mcp_spend").await;
    let access = control::agent_access(&world.core).await.expect("a view");
    assert!(access.permissions.get(2).is_some_and(|one| one.is_allowed));
}

#[tokio::test]
async fn a_tool_that_is_not_allowed_is_refused_and_written_down() {
    let world = World::open(new_home(), |_| {}).await;
    let agent = world.core.called_by(Caller::agent("codex", "1.2"));
    let authorize = |tool: &str| {
        let tool = AgentToolRef { tool: tool.to_owned() };
        let agent = agent.clone();
        async move { control::agent_authorize(&agent, tool).await }
    };
    authorize("status").await.expect("reading is allowed");
    authorize("run_checks").await.expect("checks are allowed");
    let refused = authorize("switch_backend").await.expect_err("refused");
    assert!(refused.hint.is_some_and(|hint| hint.contains("settings set mcp_change true")));
    authorize("switch_backend").await.expect_err("refused again");
    let unknown = authorize("keys").await.expect_err("unknown");
    assert_eq!(unknown.code, ErrorCode::InvalidInput);
    let query = AuditLogQuery { before: None, caller: None, operation: None, limit: 10 };
    let log = control::audit_log(&world.core, query).await.expect("a page").entries;
    let told: Vec<_> = log
        .iter()
        .map(|it| (it.agent.as_deref(), it.operation.as_str(), it.subject.as_deref(), it.outcome))
        .collect();
    let expected =
        [(Some("codex"), "backend_switch", Some("mcp_change"), AuditOutcome::NotAllowed)];
    assert_eq!(told, expected);
    allow(&world, "mcp_change").await;
    authorize("switch_backend").await.expect("allowed now");
}

#[tokio::test]
async fn without_a_yes_nothing_is_allowed_and_no_answer_is_no_refusal_of_a_person() {
    let world = World::open(new_home(), |_| {}).await;
    allow(&world, "mcp_change").await;
    let mut sentences = Vec::new();
    for (answer, confirmed) in
        [(PersonAnswer::Missing, None), (PersonAnswer::Declined, Some(false))]
    {
        let caller = Caller { answer: Some(answer), ..Caller::agent("codex", "1.2") };
        let tool = AgentToolRef { tool: "switch_backend".to_owned() };
        let refused = control::agent_authorize(&world.core.called_by(caller), tool).await;
        sentences.push(refused.expect_err("refused").message);
        let query = AuditLogQuery { before: None, caller: None, operation: None, limit: 1 };
        let log = control::audit_log(&world.core, query).await.expect("a page").entries;
        let [entry] = &log[..] else { panic!("an entry") };
        assert_eq!((entry.outcome, entry.confirmed), (AuditOutcome::NotAllowed, confirmed));
    }
    assert!(
        sentences[0].contains("no answer") && sentences[1].contains("the user did not confirm")
    );
}

#[tokio::test]
async fn a_program_gets_the_server_and_loses_it_again() {
    let world = world().await;
    assert_eq!(program(&world, DESKTOP).await.state, WiringState::NotInstalled);
    let tool = AgentProgram::Codex;
    assert_eq!(program(&world, tool).await.state, WiringState::NotWired);
    let query = AgentProgramPlanQuery { tool, undo: false, changed_keys: None };
    let plan = control::agent_program_plan(&world.core, query.clone()).await.expect("a plan");
    let diff = plan.files.first().map(|file| file.diff.clone()).expect("a file");
    assert!(diff.contains("+command = \"/opt/gatehouse\""), "{diff}");
    assert_eq!(config_of(&world), CONFIG, "a plan writes nothing");

    let add = AgentProgramAdd { tool, fingerprint: Some(plan.fingerprint) };
    let added = control::agent_program_add(&world.core, add).await.expect("added");
    assert_eq!((added.state, added.name.as_str()), (WiringState::Wired, "Codex CLI"));
    assert!(config_of(&world).contains("[mcp_servers.gatehouse]"), "{}", config_of(&world));
    let undo = AgentProgramPlanQuery { undo: true, ..query };
    let plan = control::agent_program_plan(&world.core, undo).await.expect("a plan");
    assert!(plan.files.first().is_some_and(|file| file.diff.contains("-args = [\"mcp\"]")));

    let remove = AgentProgramRemove { tool, changed_keys: ChangedKeys::Refuse };
    let removed =
        control::agent_program_remove(&world.core, remove.clone()).await.expect("removed");
    assert_eq!(removed.state, WiringState::NotWired);
    assert_eq!(config_of(&world), CONFIG);
    let again = control::agent_program_remove(&world.core, remove).await.expect_err("not there");
    assert_eq!(again.code, ErrorCode::NotFound);
    let missing = AgentProgramAdd { tool: DESKTOP, fingerprint: None };
    let missing = control::agent_program_add(&world.core, missing).await.expect_err("not here");
    assert_eq!(missing.message, "Claude Desktop was not found on this machine");
}
