//! Aider: `.aider.conf.yml` in the home folder.
//!
//! It has no place for a command or a variable with the token, so `gatehouse run` starts it. Aider
//! reads the same file in the root of the repository and in the current folder, which win
//! (<https://aider.chat/docs/config/aider_conf.html>, read in 2026-11).

use serde_json::Value;

use super::{ClientToolDefinition, LayerFile, ToolFile, ToolPointer, WiringTarget};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

const FILE_NAME: &str = ".aider.conf.yml";

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Environment,
    restart: true,
    program: "aider",
    folder: |environment| environment.home.join(".aider"),
    files: tool_files,
    layers: layer_files,
    variables: &["AIDER_MODEL", "AIDER_OPENAI_API_BASE"],
    config_variable: None,
    // Nothing in the file says whose address it is, and `gatehouse run` passes the present one.
    pointer: |_| ToolPointer::default(),
    own_conflict: |_| None,
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let path = environment.home.join(FILE_NAME);
    vec![ToolFile { path, format: Format::Yaml, edits: key_edits }]
}

/// Aider asks the provider that stands before a model's name, so a model of the gateway goes with
/// the address.
fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    let address = format!("{}/v1", target.address);
    let mut edits = vec![ValueEdit::set(&["openai-api-base"], Value::from(address))];
    if let Some(model) = target.models.first() {
        let model = Value::from(format!("openai/{}", model.name));
        edits.push(ValueEdit::set(&["model"], model));
    }
    edits
}

fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let project = environment.project.iter().map(|project| project.join(FILE_NAME));
    let layer = |path| LayerFile { layer: ConflictLayer::Project, path, format: Format::Yaml };
    project.map(layer).collect()
}
