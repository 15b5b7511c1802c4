//! Gemini CLI: `settings.json` in its folder, and its environment.
//!
//! It reads address and key from variables alone, which `gatehouse run` sets. The kind of login
//! chosen in its settings outranks them: one with a Google account leads past the gateway, and
//! without a choice an address in the environment selects a kind that 0.61 refuses without a
//! terminal. Wiring chooses the kind that takes the key from the environment; no secret is written.

use serde_json::Value;

use super::{ClientToolDefinition, LayerFile, ToolFile, ToolPointer, WiringTarget};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Environment,
    restart: true,
    program: "gemini",
    // The variable moves the home folder that the tool sees.
    folder: |environment| environment.folder("GEMINI_CLI_HOME", "").join(".gemini"),
    files: tool_files,
    layers: layer_files,
    // Those that lead past the gateway are removed at the start.
    variables: &[],
    config_variable: None,
    pointer: |_| ToolPointer::default(),
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let path = (DEFINITION.folder)(environment).join("settings.json");
    vec![ToolFile { path, format: Format::Json, edits: key_edits }]
}

fn key_edits(_: &WiringTarget) -> Vec<ValueEdit> {
    vec![ValueEdit::set(&["security", "auth", "selectedType"], Value::from("gemini-api-key"))]
}

/// The system's settings win over all others, then those of a project.
pub(super) fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let managed = match () {
        () if cfg!(target_os = "macos") => "Library/Application Support/GeminiCli",
        () if cfg!(windows) => "ProgramData/gemini-cli",
        () => "etc/gemini-cli",
    };
    let file = |layer, path| LayerFile { layer, path, format: Format::Json };
    let managed = environment.system_root.join(managed).join("settings.json");
    let mut layers = vec![file(ConflictLayer::Managed, managed)];
    if let Some(project) = &environment.project {
        layers.push(file(ConflictLayer::Project, project.join(".gemini/settings.json")));
    }
    layers
}
