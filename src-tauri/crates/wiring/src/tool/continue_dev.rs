//! Continue: a file of our own among those with models in its folder, so that `config.yaml` stays as it
//! is.
//!
//! Continue joins the files of `models` in its folder to each configuration, and fills in secrets
//! from `.env` there or in the project, else from its environment
//! (<https://docs.continue.dev/reference>, read in 2026-11). Its command line wants the file by name:
//! `cn --config`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    ClientToolDefinition, TOKEN_VARIABLE, TOOL_MODELS_MAX, ToolFile, ToolModel, ToolPointer,
    WiringTarget,
};
use crate::client_tool::WiringRung;
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

/// The file with models of the gateway, in its folder.
pub(crate) const MODELS_FILE: &str = "models/gatehouse.yaml";

pub(crate) const FOLDER_VARIABLE: &str = "CONTINUE_GLOBAL_DIR";

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Token,
    restart: false,
    program: "cn",
    folder: |environment| environment.folder(FOLDER_VARIABLE, ".continue"),
    files: tool_files,
    layers: |_| Vec::new(),
    variables: &[],
    config_variable: None,
    pointer: |config| {
        let model = config.get("models").and_then(|models| models.get(0));
        let base_url = model.and_then(|model| model.get("apiBase")).and_then(Value::as_str);
        ToolPointer { base_url: base_url.map(str::to_owned), command: Vec::new() }
    },
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

/// The file with models of the gateway.
pub(crate) fn models_file(environment: &ToolEnvironment) -> PathBuf {
    (DEFINITION.folder)(environment).join(MODELS_FILE)
}

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    vec![ToolFile { path: models_file(environment), format: Format::Yaml, edits: key_edits }]
}

fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    let url = format!("{}/v1", target.address);
    let models = target.models.iter().take(TOOL_MODELS_MAX);
    vec![
        ValueEdit::set(&["name"], json!("Gatehouse")),
        ValueEdit::set(&["version"], json!("0.0.1")),
        ValueEdit::set(&["schema"], json!("v1")),
        ValueEdit::set(&["models"], models.map(|model| model_entry(model, &url)).collect()),
    ]
}

fn model_entry(model: &ToolModel, url: &str) -> Value {
    let abilities = [(model.tools, "tool_use"), (model.images, "image_input")];
    let abilities = abilities.into_iter().filter(|(is_known, _)| *is_known);
    let mut entry = json!({
        "name": format!("{} (Gatehouse)", model.name),
        "provider": "openai",
        "model": model.name,
        "apiBase": url,
        "apiKey": format!("${{{{ secrets.{TOKEN_VARIABLE} }}}}"),
        "capabilities": abilities.map(|(_, name)| name).collect::<Vec<_>>(),
    });
    if let (Some(limits), Some(entry)) = (model.limits, entry.as_object_mut()) {
        let options = json!({"contextLength": limits.input_tokens_max, "maxTokens": limits.output_tokens_max});
        entry.insert("defaultCompletionOptions".to_owned(), options);
    }
    entry
}
