//! OpenCode: `opencode.json` or `opencode.jsonc` in its folder.
//!
//! Its providers stand in its files alone, and a key in them may name a variable, which `gatehouse
//! run` sets; a file with the token would be readable by every program of this user. The files of
//! all layers are merged, key by key (<https://opencode.ai/docs/config>, read in 2026-11).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{
    ClientToolDefinition, LayerFile, TOKEN_VARIABLE, TOOL_MODELS_MAX, ToolFile, ToolModel,
    ToolPointer, WiringTarget, text_at,
};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;
use crate::opencode_variable::{CONFIG_VARIABLE, PROVIDER};

/// The second is read after the first.
const FILE_NAMES: [&str; 2] = ["opencode.json", "opencode.jsonc"];

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Reference,
    restart: true,
    program: "opencode",
    folder: |environment| environment.folder("XDG_CONFIG_HOME", ".config").join("opencode"),
    files: tool_files,
    layers: layer_files,
    variables: &[],
    config_variable: Some(CONFIG_VARIABLE),
    pointer: |config| ToolPointer {
        base_url: text_at(config, &["provider", PROVIDER, "options", "baseURL"]),
        command: Vec::new(),
    },
    own_conflict: excluding_key,
    other_conflicts: |_, _| Vec::new(),
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let folder = (DEFINITION.folder)(environment);
    let [json, jsonc] = FILE_NAMES.map(|name| folder.join(name));
    let path = if jsonc.exists() { jsonc } else { json };
    vec![ToolFile { path, format: Format::Json, edits: key_edits }]
}

fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    provider_edits(&target.address, &target.models)
}

/// The provider, key by key, so that what the user adds to it or to one of its models stays.
pub(crate) fn provider_edits(address: &str, models: &[ToolModel]) -> Vec<ValueEdit> {
    let set = |path: &[&str], value: Value| {
        ValueEdit::set(&[&["provider", PROVIDER], path].concat(), value)
    };
    let mut edits = vec![
        set(&["npm"], json!("@ai-sdk/openai-compatible")),
        set(&["name"], json!("Gatehouse")),
        set(&["options", "baseURL"], json!(format!("{address}/v1"))),
        set(&["options", "apiKey"], json!(format!("{{env:{TOKEN_VARIABLE}}}"))),
    ];
    for model in models.iter().take(TOOL_MODELS_MAX) {
        let key = |name| ["models", model.name.as_str(), name];
        edits.push(set(&key("name"), json!(model.name)));
        if let Some(limits) = model.limits {
            let limit =
                json!({"context": limits.input_tokens_max, "output": limits.output_tokens_max});
            edits.push(set(&key("limit"), limit));
        }
    }
    edits
}

/// Those that are read last win: an administrator's, those that variables name, the project's.
fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let managed = match () {
        () if cfg!(target_os = "macos") => "Library/Application Support/opencode",
        () if cfg!(windows) => "ProgramData/opencode",
        () => "etc/opencode",
    };
    let mut layers = in_folder(ConflictLayer::Managed, &environment.system_root.join(managed));
    if let Some(folder) = environment.path("OPENCODE_CONFIG_DIR") {
        layers.extend(in_folder(ConflictLayer::NamedFile, &folder));
    }
    for folder in environment.project_folders() {
        layers.extend(in_folder(ConflictLayer::Project, &folder.join(".opencode")));
        layers.extend(in_folder(ConflictLayer::Project, folder));
    }
    let named = environment.path("OPENCODE_CONFIG");
    layers.extend(named.map(|path| layer_file(ConflictLayer::NamedFile, path)));
    layers
}

fn in_folder(layer: ConflictLayer, folder: &Path) -> Vec<LayerFile> {
    FILE_NAMES.iter().rev().map(|name| layer_file(layer, folder.join(name))).collect()
}

fn layer_file(layer: ConflictLayer, path: PathBuf) -> LayerFile {
    LayerFile { layer, path, format: Format::Json }
}

/// A list of providers that are left out, or of those alone that are used.
fn excluding_key(config: &Value) -> Option<(ConflictLayer, String)> {
    let names = |key: &str| config.get(key).and_then(Value::as_array);
    let has_ours = |list: &Vec<Value>| list.iter().any(|name| name == PROVIDER);
    let key = if names("disabled_providers").is_some_and(has_ours) {
        "disabled_providers"
    } else if names("enabled_providers").is_some_and(|list| !has_ours(list)) {
        "enabled_providers"
    } else {
        return None;
    };
    Some((ConflictLayer::Excluded, key.to_owned()))
}
