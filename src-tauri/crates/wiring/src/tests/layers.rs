//! Which files of other layers outrank a wiring, and what keeps a tool from the gateway although `gatehouse
//! run` starts it.

use super::world::{World, target};
use crate::{ClientTool, ConflictLayer, WiringState};

const CODEX: ClientTool = ClientTool::Codex;

#[test]
fn a_profile_of_codex_outranks_the_options_of_run_wired_or_not() {
    let world = World::new();
    let config = world.config(CODEX);
    let profile = |provider: &str| {
        format!("profile = \"w\"\n[profiles.w]\nmodel_provider = \"{provider}\"\n")
    };
    for (text, expected) in [
        (profile("relay"), Some("profiles.w.model_provider")),
        (profile("gatehouse"), None),
        ("profile = \"w\"\n[profiles.v]\nmodel_provider = \"relay\"\n".to_owned(), None),
        ("model_provider = \"relay\"\n".to_owned(), None),
        ("broken = [".to_owned(), None),
    ] {
        world.write(&config, &text);
        let status = world.wiring().status(CODEX);
        let found: Vec<_> = status.run_conflicts.iter().map(|it| (it.layer, &*it.key)).collect();
        assert_eq!(
            found,
            Vec::from_iter(expected.map(|key| (ConflictLayer::Profile, key))),
            "{text}"
        );
        let is_led = CODEX.is_run_through_gateway(
            WiringState::NotWired,
            std::iter::empty(),
            !status.run_conflicts.is_empty(),
        );
        assert_eq!(is_led, expected.is_none(), "{text}");
    }
}

#[test]
fn the_provider_that_an_administrator_chose_for_codex_outranks_the_options_of_run() {
    let world = World::new();
    let managed = world.path("root/etc/codex/managed_config.toml");
    for (provider, conflicts) in [("relay", 1), ("gatehouse", 0)] {
        world.write(&managed, &format!("model_provider = \"{provider}\"\n"));
        let found = world.wiring().status(CODEX).run_conflicts;
        assert_eq!(found.len(), conflicts, "{provider}: {found:?}");
        assert!(found.iter().all(|it| it.layer == ConflictLayer::Managed), "{found:?}");
    }
}

/// Each of the files with another address, and who reads it.
#[test]
fn files_of_the_repository_count_for_the_tools_that_look_for_them_above_their_folder() {
    let world = World::new();
    let (root, inside) = (world.path("repository"), world.path("repository/a/b"));
    std::fs::create_dir_all(&inside).expect("folders");
    let elsewhere = r#"{"env": {"ANTHROPIC_BASE_URL": "https://x.example"},
        "provider": {"gatehouse": {"options": {"baseURL": "https://x.example"}}},
        "security": {"auth": {"selectedType": "oauth-personal"}}}"#;
    for name in [".claude/settings.json", ".gemini/settings.json", "opencode.json"] {
        world.write(&root.join(name), elsewhere);
        world.write(&world.path(name), elsewhere);
    }
    let codex = "model_provider = \"relay\"\n[mcp_servers.gatehouse]\ncommand = \"other\"\n";
    world.write(&root.join(".codex/config.toml"), codex);
    let environment = world.environment().in_project(Some(inside));
    let conflicts = |tool| {
        let wiring: crate::Wiring = world.wiring_in(environment.clone());
        let found = wiring.wire(tool, &target(), None).expect("wired").conflicts;
        found.into_iter().map(|it| (it.layer, it.place)).collect::<Vec<_>>()
    };
    let tools =
        [ClientTool::ClaudeCode, ClientTool::GeminiCli, ClientTool::OpenCode, ClientTool::Codex];
    // No folder with a repository: nobody says where the project ends.
    assert!(tools.iter().all(|tool| conflicts(*tool).is_empty()));
    std::fs::create_dir(root.join(".git")).expect("a folder");
    let place = |name: &str| vec![(ConflictLayer::Project, root.join(name).display().to_string())];
    // Claude Code and Gemini CLI read the folder in which they are started, and none above it. Codex takes
    // no provider from a project, but servers.
    let expected = [vec![], vec![], place("opencode.json"), vec![]];
    assert_eq!(tools.map(conflicts), expected);
    let agents: crate::Wiring<crate::AgentProgram> = world.wiring_in(environment.clone());
    let target = crate::McpServerTarget { program: "/usr/bin/gatehouse".into(), home: None };
    let wired = agents.wire(crate::AgentProgram::Codex, &target, None).expect("wired");
    let found: Vec<_> = wired.conflicts.into_iter().map(|it| (it.layer, it.place)).collect();
    assert_eq!(found, place(".codex/config.toml"));
}

#[test]
fn each_file_of_managed_settings_of_claude_code_is_looked_at() {
    let world = World::new();
    let folder = world.path("root/etc/claude-code/managed-settings.d");
    let text = r#"{"env": {"ANTHROPIC_BASE_URL": "https://x.example"}}"#;
    world.write(&folder.join("20-gateway.json"), text);
    world.write(&folder.join("10-none.json"), r#"{"env": {}}"#);
    world.write(&folder.join("30-off.json.bak"), text);
    let status = world.wiring().wire(ClientTool::ClaudeCode, &target(), None).expect("wired");
    let found: Vec<_> =
        status.conflicts.iter().map(|it| (it.layer, it.place.as_str(), it.key.as_str())).collect();
    let place = folder.join("20-gateway.json").display().to_string();
    assert_eq!(found, [(ConflictLayer::Managed, place.as_str(), "env.ANTHROPIC_BASE_URL")]);
}

/// It also holds what Claude Code remembers, and may outgrow what is read.
#[test]
fn a_file_of_claude_codes_servers_that_is_too_large_names_the_way_out() {
    let world = World::new();
    let text = format!("{{\"history\": \"{}\"}}", "x".repeat(4 << 20));
    world.write(&world.home().join(".claude.json"), &text);
    let agents: crate::Wiring<crate::AgentProgram> = world.wiring_of();
    let status = agents.status(crate::AgentProgram::ClaudeCode);
    let problem = status.problem.expect("a problem").to_string();
    assert!(
        problem.contains("larger than 4 MiB; ") && problem.contains("claude mcp add"),
        "{problem}"
    );
}
