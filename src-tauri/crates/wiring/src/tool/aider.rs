//! Aider: `.aider.conf.yml` in the home folder.
//!
//! It has no place for a command or a variable with the token, so `gatehouse run` starts it. Aider
//! reads the same file in the root of the repository and in the current folder, which win
//! (<https://aider.chat/docs/config/aider_conf.html>, read in 2026-11). Settings of single models lie
//! in files of their own in the same folders, and what they pass to each request wins over the address
//! (<https://aider.chat/docs/config/adv-model-settings.html>, read in 2026-11).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ClientToolDefinition, LayerFile, ToolFile, ToolPointer, WiringTarget};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::conflict::Conflict;
use crate::document::{Format, yaml_value};
use crate::environment::ToolEnvironment;
use crate::files::read_config;
use crate::key::ValueEdit;

const FILE_NAME: &str = ".aider.conf.yml";
const MODEL_SETTINGS_NAME: &str = ".aider.model.settings.yml";

/// The entry of a file with settings of models that is for all of them.
const EVERY_MODEL: &str = "aider/extra_params";

/// Names of an address among what is passed to each request.
const ADDRESS_NAMES: [&str; 2] = ["api_base", "base_url"];

const ADDRESS_KEY: &str = "openai-api-base";
const PROVIDER_PREFIX: &str = "openai/";

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
    other_conflicts: model_settings_conflicts,
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let path = environment.home.join(FILE_NAME);
    vec![ToolFile { path, format: Format::Yaml, edits: key_edits }]
}

/// Aider asks the provider that stands before a model's name, so a model of the gateway goes with
/// the address.
fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    let address = format!("{}/v1", target.address);
    let mut edits = vec![ValueEdit::set(&[ADDRESS_KEY], Value::from(address))];
    if let Some(model) = target.models.first() {
        let model = Value::from(format!("{PROVIDER_PREFIX}{}", model.name));
        edits.push(ValueEdit::set(&["model"], model));
    }
    edits
}

fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let project = environment.project.iter().map(|project| project.join(FILE_NAME));
    let layer = |path| LayerFile { layer: ConflictLayer::Project, path, format: Format::Yaml };
    project.map(layer).collect()
}

/// Addresses in settings of models of the provider that wiring points at the gateway. A file that
/// cannot be read by us is left to Aider, which reports it.
fn model_settings_conflicts(environment: &ToolEnvironment, edits: &[ValueEdit]) -> Vec<Conflict> {
    let address = edits.iter().find(|edit| edit.path.to_string() == ADDRESS_KEY);
    let address = address.and_then(|edit| edit.value.as_ref());
    let mut found = Vec::new();
    for (layer, path) in model_settings_files(environment) {
        let text = read_config(&path).ok().flatten();
        let Some(Value::Array(entries)) = text.and_then(|text| yaml_value(&text).ok()) else {
            continue;
        };
        let place = path.display().to_string();
        let keys = entries.iter().filter_map(|entry| outranking_address(entry, address));
        found.extend(keys.map(|key| Conflict::new(layer, place.clone(), &key)));
    }
    found
}

/// In the order in which Aider reads them; the last wins.
fn model_settings_files(environment: &ToolEnvironment) -> Vec<(ConflictLayer, PathBuf)> {
    let project = environment.project.as_deref();
    let root = project.and_then(repository_root).filter(|root| *root != environment.home);
    let mut folders = vec![(ConflictLayer::Excluded, environment.home.as_path())];
    folders.extend(root.map(|root| (ConflictLayer::Project, root)));
    let inside = project.filter(|project| Some(*project) != root);
    folders.extend(inside.map(|project| (ConflictLayer::Project, project)));
    folders.into_iter().map(|(layer, folder)| (layer, folder.join(MODEL_SETTINGS_NAME))).collect()
}

fn repository_root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

/// The key with another address than ours, if the entry is for a model of the provider or for all.
fn outranking_address(entry: &Value, ours: Option<&Value>) -> Option<String> {
    let name = entry.get("name")?.as_str()?;
    if name != EVERY_MODEL && !name.starts_with(PROVIDER_PREFIX) {
        return None;
    }
    let passed = entry.get("extra_params")?;
    let outranks = |key: &&str| passed.get(key).is_some_and(|found| Some(found) != ours);
    let key = ADDRESS_NAMES.into_iter().find(outranks)?;
    Some(format!("extra_params.{key} of {name}"))
}
