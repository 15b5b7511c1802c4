//! Aider: `.aider.conf.yml` in the home folder.
//!
//! It has no place for a command or a variable with the token, so `gatehouse run` starts it. Aider
//! reads the same file in the root of the repository and in the current folder, which win
//! (<https://aider.chat/docs/config/aider_conf.html>, read in 2026-11). Settings of single models lie
//! in files of their own in the same folders, and what they pass to each request wins over the address
//! (<https://aider.chat/docs/config/adv-model-settings.html>, read in 2026-11).

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ClientToolDefinition, ToolFile, ToolPointer, WiringTarget};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::conflict::{Conflict, is_same_value};
use crate::document::{Format, yaml_value};
use crate::environment::{ToolEnvironment, repository_root};
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

/// How names of OpenAI's models begin, which LiteLLM asks there without a prefix; beside `o3` and its
/// kind.
const KNOWN_MODELS: [&str; 3] = ["gpt-", "chatgpt-", "ft:gpt-"];

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Environment,
    restart: true,
    program: "aider",
    folder: |environment| environment.home.join(".aider"),
    files: tool_files,
    layers: |_| Vec::new(),
    variables: &["AIDER_MODEL", "AIDER_OPENAI_API_BASE"],
    config_variable: None,
    // Nothing in the file says whose address it is, and `gatehouse run` passes the present one.
    pointer: |_| ToolPointer::default(),
    own_conflict: |_| None,
    other_conflicts: conflicts,
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

fn conflicts(environment: &ToolEnvironment, edits: &[ValueEdit]) -> Vec<Conflict> {
    let mut found = config_conflicts(environment, edits);
    found.extend(model_settings_conflicts(environment, edits));
    found
}

/// Keys of the wiring that the last file of the project which has them sets to something else. A key
/// without a value sets nothing.
fn config_conflicts(environment: &ToolEnvironment, edits: &[ValueEdit]) -> Vec<Conflict> {
    let mut files = Vec::new();
    for (layer, path) in files_named(environment, FILE_NAME) {
        let own = layer == ConflictLayer::Excluded;
        files.extend(read_yaml(&path).filter(|_| !own).map(|config| (layer, path, config)));
    }
    let outranking = |edit: &ValueEdit| {
        let set = files.iter().rev().find_map(|(layer, path, config)| {
            let found = edit.path.find(config).filter(|found| !found.is_null())?;
            Some((*layer, path, found))
        });
        let (layer, path, found) = set?;
        let place = path.display().to_string();
        let conflict = || Conflict::new(layer, place, &edit.path.to_string());
        (!is_same_value(found, edit.value.as_ref())).then(conflict)
    };
    edits.iter().filter_map(outranking).collect()
}

/// Addresses in settings of models that Aider asks at the address of the wiring. An entry replaces
/// those before it for the same model.
fn model_settings_conflicts(environment: &ToolEnvironment, edits: &[ValueEdit]) -> Vec<Conflict> {
    let address = edits.iter().find(|edit| edit.path.to_string() == ADDRESS_KEY);
    let address = address.and_then(|edit| edit.value.as_ref());
    let mut entries: Vec<(String, ConflictLayer, String, Value)> = Vec::new();
    for (layer, path) in files_named(environment, MODEL_SETTINGS_NAME) {
        let Some(Value::Array(read)) = read_yaml(&path) else { continue };
        for entry in read {
            let Some(name) = entry.get("name").and_then(Value::as_str) else { continue };
            entries.retain(|(known, ..)| known != name);
            entries.push((name.to_owned(), layer, path.display().to_string(), entry));
        }
    }
    let conflict = |(name, layer, place, entry): (String, ConflictLayer, String, Value)| {
        let key = outranking_address(&name, &entry, address)?;
        Some(Conflict::new(layer, place, &key))
    };
    entries.into_iter().filter_map(conflict).collect()
}

/// In the order in which Aider reads them; the last wins.
fn files_named(environment: &ToolEnvironment, name: &str) -> Vec<(ConflictLayer, PathBuf)> {
    let project = environment.project.as_deref();
    let root = project.and_then(repository_root).filter(|root| *root != environment.home);
    let mut folders = vec![(ConflictLayer::Excluded, environment.home.as_path())];
    folders.extend(root.map(|root| (ConflictLayer::Project, root)));
    let inside = project.filter(|project| Some(*project) != root);
    folders.extend(inside.map(|project| (ConflictLayer::Project, project)));
    folders.into_iter().map(|(layer, folder)| (layer, folder.join(name))).collect()
}

/// `None` for a file that cannot be read by us, which is left to Aider, which reports it.
fn read_yaml(path: &Path) -> Option<Value> {
    let text = read_config(path).ok().flatten()?;
    yaml_value(&text).ok()
}

/// The key with another address than ours, if the entry is for a model of the provider or for all.
fn outranking_address(name: &str, entry: &Value, ours: Option<&Value>) -> Option<String> {
    if name != EVERY_MODEL && !is_of_provider(name) {
        return None;
    }
    let passed = entry.get("extra_params")?;
    let outranks = |key: &&str| {
        let found = passed.get(key).filter(|found| !found.is_null());
        found.is_some_and(|found| !is_same_value(found, ours))
    };
    let key = ADDRESS_NAMES.into_iter().find(outranks)?;
    Some(format!("extra_params.{key} of {name}"))
}

/// True for `openai/fast`, and for models that are known as OpenAI's without their provider.
fn is_of_provider(name: &str) -> bool {
    let is_numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    name.starts_with(PROVIDER_PREFIX)
        || KNOWN_MODELS.iter().any(|start| name.starts_with(start))
        || name.strip_prefix('o').is_some_and(is_numbered)
}
