//! The entry of our MCP server in the files of programs with agents. It starts `gatehouse mcp`, so no
//! file holds a secret, and what the agent may do stays in our own settings.
//!
//! Places by each vendor's documentation, read in 2026-11: Claude Code keeps the servers of the user
//! in `.claude.json`, beside what it remembers; a server of the same name in a project wins.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    ClientToolDefinition, LayerFile, McpServerTarget, ToolFile, ToolPointer, codex, command_at,
    gemini_cli, program_arguments,
};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

/// Name of the server in the programs' files.
const SERVER: &str = "gatehouse";

pub(super) const CLAUDE_CODE: ClientToolDefinition<McpServerTarget> = ClientToolDefinition {
    rung: WiringRung::Command,
    restart: true,
    program: "claude",
    folder: |environment| environment.folder("CLAUDE_CONFIG_DIR", ".claude"),
    files: |environment| {
        let path = environment.folder("CLAUDE_CONFIG_DIR", "").join(".claude.json");
        vec![ToolFile { path, format: Format::Json, edits: typed_entry }]
    },
    layers: claude_code_layers,
    variables: &[],
    config_variable: None,
    pointer: plain_pointer,
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

pub(super) const CODEX: ClientToolDefinition<McpServerTarget> = ClientToolDefinition {
    rung: WiringRung::Command,
    restart: true,
    program: codex::DEFINITION.program,
    folder: codex::DEFINITION.folder,
    files: |environment| {
        let path = (codex::DEFINITION.folder)(environment).join("config.toml");
        vec![ToolFile { path, format: Format::Toml, edits: codex_entry }]
    },
    layers: codex::layer_files,
    variables: &[],
    config_variable: None,
    pointer: |config| program_pointer(config, &["mcp_servers", SERVER]),
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

pub(super) const CLAUDE_DESKTOP: ClientToolDefinition<McpServerTarget> = ClientToolDefinition {
    rung: WiringRung::Command,
    restart: true,
    program: "claude-desktop",
    folder: claude_desktop_folder,
    files: |environment| {
        let path = claude_desktop_folder(environment).join("claude_desktop_config.json");
        vec![ToolFile { path, format: Format::Json, edits: plain_entry }]
    },
    layers: |_| Vec::new(),
    variables: &[],
    config_variable: None,
    pointer: plain_pointer,
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

pub(super) const GEMINI_CLI: ClientToolDefinition<McpServerTarget> = ClientToolDefinition {
    rung: WiringRung::Command,
    restart: true,
    program: gemini_cli::DEFINITION.program,
    folder: gemini_cli::DEFINITION.folder,
    files: |environment| {
        let path = (gemini_cli::DEFINITION.folder)(environment).join("settings.json");
        vec![ToolFile { path, format: Format::Json, edits: plain_entry }]
    },
    layers: gemini_cli::layer_files,
    variables: &[],
    config_variable: None,
    pointer: plain_pointer,
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

fn claude_desktop_folder(environment: &ToolEnvironment) -> PathBuf {
    match () {
        () if cfg!(target_os = "macos") => {
            environment.home.join("Library/Application Support/Claude")
        }
        () if cfg!(windows) => environment.folder("APPDATA", "AppData/Roaming").join("Claude"),
        () => environment.folder("XDG_CONFIG_HOME", ".config").join("Claude"),
    }
}

fn command(target: &McpServerTarget) -> Value {
    json!({"command": target.program.to_string_lossy(), "args": arguments(target)})
}

fn arguments(target: &McpServerTarget) -> Vec<String> {
    program_arguments(target.home.as_deref(), &["mcp"])
}

fn plain_pointer(config: &Value) -> ToolPointer {
    program_pointer(config, &["mcpServers", SERVER])
}

fn program_pointer(config: &Value, path: &[&str]) -> ToolPointer {
    ToolPointer { base_url: None, command: command_at(config, path) }
}

fn plain_entry(target: &McpServerTarget) -> Vec<ValueEdit> {
    vec![ValueEdit::set(&["mcpServers", SERVER], command(target))]
}

/// Claude Code writes the kind of each server.
fn typed_entry(target: &McpServerTarget) -> Vec<ValueEdit> {
    let program = target.program.to_string_lossy();
    let entry = json!({"type": "stdio", "command": program, "args": arguments(target)});
    vec![ValueEdit::set(&["mcpServers", SERVER], entry)]
}

fn codex_entry(target: &McpServerTarget) -> Vec<ValueEdit> {
    vec![ValueEdit::set(&["mcp_servers", SERVER], command(target))]
}

fn claude_code_layers(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let project = environment.project.iter();
    let file = |folder: &PathBuf| LayerFile {
        layer: ConflictLayer::Project,
        path: folder.join(".mcp.json"),
        format: Format::Json,
    };
    project.map(file).collect()
}
