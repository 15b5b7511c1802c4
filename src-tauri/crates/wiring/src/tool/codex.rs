//! Codex CLI: `config.toml` in its folder. Its provider runs a command that prints the token, and
//! speaks only the Responses API.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    ClientToolDefinition, LayerFile, ToolFile, ToolPointer, WiringTarget, command_at, text_at,
};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::conflict::{Conflict, read_document};
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
    layers: managed_files,
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

/// Of a project's own file, Codex 0.169 ignores the provider and says so.
fn managed_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let path = environment.system_root.join("etc/codex/managed_config.toml");
    vec![LayerFile { layer: ConflictLayer::Managed, path, format: Format::Toml }]
}

/// For keys that a project may set too: the files of its folder and those above it are merged.
pub(super) fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let in_project = |folder: &Path| LayerFile {
        layer: ConflictLayer::Project,
        path: folder.join(".codex/config.toml"),
        format: Format::Toml,
    };
    let projects = environment.project_folders().into_iter().map(in_project);
    managed_files(environment).into_iter().chain(projects).collect()
}

/// What `gatehouse run` cannot outrank with its options: the provider of the profile in use, and the one
/// that an administrator chose. Codex 0.134 and later know no such profile and do not start with one.
pub(super) fn run_conflicts(environment: &ToolEnvironment) -> Vec<Conflict> {
    let mut found = Vec::new();
    let read = |format, path: &Path| read_document(format, path).map(|document| document.value());
    for LayerFile { layer, path, format } in managed_files(environment) {
        let chosen = read(format, &path).and_then(|config| config.get("model_provider").cloned());
        if chosen.is_some_and(|chosen| chosen != PROVIDER) {
            found.push(Conflict::new(layer, path.display().to_string(), "model_provider"));
        }
    }
    for ToolFile { path, format, .. } in tool_files(environment) {
        if let Some((layer, key)) = read(format, &path).as_ref().and_then(outranking_profile_key) {
            found.push(Conflict::new(layer, path.display().to_string(), &key));
        }
    }
    found
}

/// The profile in use may name another provider.
fn outranking_profile_key(config: &Value) -> Option<(ConflictLayer, String)> {
    let name = config.get("profile")?.as_str()?;
    let provider = config.get("profiles")?.get(name)?.get("model_provider")?;
    let key = format!("profiles.{name}.model_provider");
    (provider != PROVIDER).then_some((ConflictLayer::Profile, key))
}
