//! The entry of our MCP server in each program's file, in five shapes: absent, minimal, full with
//! comments, with a foreign entry of our name, and broken.

use std::path::{Path, PathBuf};

use super::world::{World, read, target};
use crate::{
    AgentProgram, ChangedKeys, ClientTool, DriftCause, McpServerTarget, Wiring, WiringError,
    WiringState,
};

/// The file before and after.
struct Golden {
    program: AgentProgram,
    name: &'static str,
    before: Option<&'static str>,
    after: &'static str,
}

macro_rules! golden {
    ($program:ident, $folder:literal, $end:literal) => {
        [
            golden!(@one $program, $folder, "absent", $end, None),
            golden!(@file $program, $folder, "minimal", $end),
            golden!(@file $program, $folder, "full", $end),
            golden!(@file $program, $folder, "foreign", $end),
        ]
    };
    (@file $program:ident, $folder:literal, $name:literal, $end:literal) => {
        golden!(@one $program, $folder, $name, $end,
            Some(include_str!(concat!("golden/agents/", $folder, "/", $name, ".", $end))))
    };
    (@one $program:ident, $folder:literal, $name:literal, $end:literal, $before:expr) => {
        Golden {
            program: AgentProgram::$program,
            name: concat!($folder, "/", $name, ".wired.", $end),
            before: $before,
            after: include_str!(concat!("golden/agents/", $folder, "/", $name, ".wired.", $end)),
        }
    };
}

const GOLDEN: [[Golden; 4]; 4] = [
    golden!(ClaudeCode, "claude-code", "json"),
    golden!(Codex, "codex", "toml"),
    golden!(ClaudeDesktop, "claude-desktop", "json"),
    golden!(GeminiCli, "gemini-cli", "json"),
];

fn desktop_folder() -> &'static str {
    match () {
        () if cfg!(target_os = "macos") => "Library/Application Support/Claude",
        () if cfg!(windows) => "AppData/Roaming/Claude",
        () => ".config/Claude",
    }
}

/// A home in which every program's folder exists.
pub(super) fn world() -> World {
    let world = World::new();
    std::fs::create_dir_all(world.home().join(desktop_folder())).expect("a folder");
    world
}

pub(super) fn config(world: &World, program: AgentProgram) -> PathBuf {
    let home = world.home();
    match program {
        AgentProgram::ClaudeCode => home.join(".claude.json"),
        AgentProgram::Codex => home.join(".codex/config.toml"),
        AgentProgram::ClaudeDesktop => {
            home.join(desktop_folder()).join("claude_desktop_config.json")
        }
        AgentProgram::GeminiCli => home.join(".gemini/settings.json"),
    }
}

fn agents(world: &World) -> Wiring<AgentProgram> {
    world.wiring_of()
}

pub(super) fn server() -> McpServerTarget {
    McpServerTarget { program: "/usr/bin/gatehouse".into(), home: None }
}

/// Compares with a golden file. `GOLDEN_UPDATE=1` writes it; look at the change.
#[expect(clippy::disallowed_methods, reason = "only to renew the golden files")]
fn check_golden(golden: &Golden, found: &str) {
    if std::env::var_os("GOLDEN_UPDATE").is_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden/agents");
        std::fs::write(root.join(golden.name), found).expect("written");
    } else {
        assert_eq!(found, golden.after, "{}", golden.name);
    }
}

#[test]
fn an_entry_is_written_as_expected_and_taken_out_byte_for_byte() {
    for golden in GOLDEN.iter().flatten() {
        let world = world();
        let (agents, config) = (agents(&world), config(&world, golden.program));
        if let Some(before) = golden.before {
            world.write(&config, before);
        }
        assert_eq!(agents.status(golden.program).state, WiringState::NotWired, "{}", golden.name);
        let plan = agents.plan(golden.program, &server()).expect("a plan");
        let shown = format!("{plan:?}");
        assert!(!shown.contains("CANARY"), "{}: {shown}", golden.name);
        agents.wire(golden.program, &server(), Some(&plan.fingerprint)).expect("written");
        check_golden(golden, &read(&config).expect("a file"));
        assert_eq!(agents.status(golden.program).state, WiringState::Wired, "{}", golden.name);
        agents.unwire(golden.program, ChangedKeys::Refuse).expect("undone");
        assert_eq!(read(&config).as_deref(), golden.before, "{}", golden.name);
        assert_eq!(world.names(&world.path("state/wiring")), ["lock"], "{}", golden.name);
    }
}

#[test]
fn what_the_program_writes_in_between_is_kept() {
    for golden in GOLDEN.iter().flatten().filter(|golden| golden.name.contains("/full.")) {
        let world = world();
        let (agents, config) = (agents(&world), config(&world, golden.program));
        world.write(&config, golden.before.unwrap_or_default());
        agents.wire(golden.program, &server(), None).expect("written");
        let edit = |text: &str| {
            let text = text.replace("41", "42").replace("opus", "haiku");
            text.replace("Ctrl+Space", "Alt+Space").replace("true", "false")
        };
        let edited = edit(&read(&config).expect("a file"));
        assert_ne!(edited, golden.after, "the fixture has what is edited");
        world.write(&config, &edited);
        agents.unwire(golden.program, ChangedKeys::Refuse).expect("undone");
        let expected = edit(golden.before.unwrap_or_default());
        assert_eq!(read(&config), Some(expected), "{}", golden.name);
    }
}

#[test]
fn a_broken_file_is_left_alone() {
    for (program, broken) in [
        (AgentProgram::ClaudeCode, include_str!("golden/agents/claude-code/broken.json")),
        (AgentProgram::Codex, include_str!("golden/agents/codex/broken.toml")),
        (AgentProgram::ClaudeDesktop, include_str!("golden/agents/claude-desktop/broken.json")),
        (AgentProgram::GeminiCli, include_str!("golden/agents/gemini-cli/broken.json")),
    ] {
        let world = world();
        let (agents, config) = (agents(&world), config(&world, program));
        world.write(&config, broken);
        let error = agents.wire(program, &server(), None).expect_err("refused");
        assert!(matches!(error, WiringError::File(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(&*config.to_string_lossy()) && text.contains("line "), "{text}");
        assert_eq!(read(&config).as_deref(), Some(broken));
        assert_eq!(agents.status(program).state, WiringState::Broken);
    }
}

/// Both purposes change Codex's one file, each with a record of its own.
#[test]
fn a_tool_may_be_wired_and_have_the_entry_and_either_goes_first() {
    let before = "model = \"gpt-5\" # mine\n";
    for entry_first in [false, true] {
        let world = world();
        let (wiring, agents) = (world.wiring(), agents(&world));
        let config = world.config(ClientTool::Codex);
        world.write(&config, before);
        wiring.wire(ClientTool::Codex, &target(), None).expect("wired");
        agents.wire(AgentProgram::Codex, &server(), None).expect("written");
        assert_eq!(wiring.status(ClientTool::Codex).state, WiringState::Wired);
        assert_eq!(agents.status(AgentProgram::Codex).state, WiringState::Wired);
        if entry_first {
            agents.unwire(AgentProgram::Codex, ChangedKeys::Refuse).expect("undone");
            assert_eq!(wiring.status(ClientTool::Codex).state, WiringState::Wired);
            wiring.unwire(ClientTool::Codex, ChangedKeys::Refuse).expect("undone");
        } else {
            wiring.unwire(ClientTool::Codex, ChangedKeys::Refuse).expect("undone");
            assert_eq!(agents.status(AgentProgram::Codex).state, WiringState::Wired);
            agents.unwire(AgentProgram::Codex, ChangedKeys::Refuse).expect("undone");
        }
        let after = read(&config).expect("the file");
        assert_eq!(after.trim_end(), before.trim_end(), "entry first: {entry_first}");
        assert_eq!(world.names(&world.path("state/wiring")), ["lock"]);
    }
}

#[test]
fn an_entry_that_is_gone_or_another_one_is_drift() {
    let world = world();
    let (agents, config) = (agents(&world), config(&world, AgentProgram::ClaudeDesktop));
    agents.wire(AgentProgram::ClaudeDesktop, &server(), None).expect("written");
    let other = read(&config).expect("a file").replace("/usr/bin", "/opt");
    world.write(&config, &other);
    let status = agents.status(AgentProgram::ClaudeDesktop);
    assert_eq!(status.state, WiringState::Drifted);
    assert_eq!(
        status.drift.first().map(|change| change.key.as_str()),
        Some("mcpServers.gatehouse")
    );
    let error = agents.unwire(AgentProgram::ClaudeDesktop, ChangedKeys::Refuse).expect_err("asked");
    let text = error.to_string();
    assert_eq!(text, "mcpServers.gatehouse changed since Claude Desktop was set up for agents");
    assert_eq!(read(&config), Some(other));
    agents.unwire(AgentProgram::ClaudeDesktop, ChangedKeys::Restore).expect("restored");
    assert_eq!(read(&config), None);
}

#[test]
fn an_entry_whose_program_is_gone_has_drifted_until_it_names_the_present_one() {
    let world = world();
    let agents = agents(&world);
    for program in [AgentProgram::ClaudeCode, AgentProgram::Codex, AgentProgram::GeminiCli] {
        agents.wire(program, &server(), None).expect("written");
    }
    std::fs::remove_file(world.path("root/usr/bin/gatehouse")).expect("removed");
    world.write_program("root/opt/gatehouse");
    let home = Some("/srv/gatehouse".into());
    let present = McpServerTarget { program: "/opt/gatehouse".into(), home };
    for program in [AgentProgram::ClaudeCode, AgentProgram::Codex, AgentProgram::GeminiCli] {
        let status = agents.status(program);
        let found = (status.state, status.cause);
        assert_eq!(found, (WiringState::Drifted, Some(DriftCause::ProgramGone)), "{program}");
        let status = agents.wire(program, &present, None).expect("written again");
        assert_eq!((status.state, status.cause), (WiringState::Wired, None), "{program}");
        assert_eq!(status.pointer.home(), Some(Path::new("/srv/gatehouse")), "{program}");
        agents.unwire(program, ChangedKeys::Refuse).expect("undone");
        assert_eq!(read(&config(&world, program)), None, "{program}");
    }
}

#[test]
fn a_program_that_is_not_here_and_one_without_the_entry_are_named() {
    let world = World::without_tools();
    let agents = agents(&world);
    let missing = agents.wire(AgentProgram::ClaudeDesktop, &server(), None).expect_err("refused");
    assert_eq!(missing.to_string(), "Claude Desktop was not found on this machine");
    let none = agents.unwire(AgentProgram::Codex, ChangedKeys::Refuse).expect_err("refused");
    assert_eq!(none.to_string(), "Codex CLI is not set up for agents");
}
