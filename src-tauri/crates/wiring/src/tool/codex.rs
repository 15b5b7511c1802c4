//! Codex CLI: `config.toml` in its folder. Its provider runs a command that prints the token, and
//! speaks only the Responses API.

use serde_json::{Value, json};

use super::{
    ClientToolDefinition, LayerFile, ToolFile, ToolPointer, WiringTarget, command_at, text_at,
};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

/// Name of the provider in the tool's file.
const PROVIDER: &str = "gatehouse";

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Command,
    restart: true,
    program: "codex",
    folder: |environment| environment.folder("CODEX_HOME", ".codex"),
    files: tool_files,
    layers: layer_files,
    variables: &[],
    config_variable: None,
    pointer: |config| ToolPointer {
        base_url: text_at(config, &["model_providers", PROVIDER, "base_url"]),
        command: command_at(config, &["model_providers", PROVIDER, "auth"]),
    },
    own_conflict: outranking_profile_key,
    other_conflicts: |_, _| Vec::new(),
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let path = (DEFINITION.folder)(environment).join("config.toml");
    vec![ToolFile { path, format: Format::Toml, edits: key_edits }]
}

fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    let provider = json!({
        "name": "Gatehouse",
        "base_url": format!("{}/v1", target.address),
        "wire_api": "responses",
        "auth": {
            "command": target.program.to_string_lossy(),
            "args": target.token_arguments(),
        },
    });
    vec![
        ValueEdit::set(&["model_provider"], Value::from(PROVIDER)),
        ValueEdit::set(&["model_providers", PROVIDER], provider),
    ]
}

pub(super) fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let file = |layer, path| LayerFile { layer, path, format: Format::Toml };
    let managed = environment.system_root.join("etc/codex/managed_config.toml");
    let mut layers = vec![file(ConflictLayer::Managed, managed)];
    if let Some(project) = &environment.project {
        layers.push(file(ConflictLayer::Project, project.join(".codex/config.toml")));
    }
    layers
}

/// The profile in use may name another provider.
fn outranking_profile_key(config: &Value) -> Option<(ConflictLayer, String)> {
    let name = config.get("profile")?.as_str()?;
    let provider = config.get("profiles")?.get(name)?.get("model_provider")?;
    let key = format!("profiles.{name}.model_provider");
    (provider != PROVIDER).then_some((ConflictLayer::Profile, key))
}
