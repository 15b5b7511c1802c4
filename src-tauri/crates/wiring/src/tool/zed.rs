//! Zed: `settings.json` in its folder.
//!
//! Its settings have no place for a key: the user enters the token once, and Zed keeps it in the
//! system keychain with the address; a variable named after the provider wins over that
//! (<https://zed.dev/docs/ai/llm-providers>, "OpenAI API Compatible", read in 2026-11). Settings of a
//! project hold no providers.

use serde_json::{Value, json};

use super::{
    ClientToolDefinition, TOOL_MODELS_MAX, ToolFile, ToolModel, ToolPointer, WiringTarget, text_at,
};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

/// Name of the provider in the tool's file, which Zed shows. It makes the variable
/// [`super::TOKEN_VARIABLE`] of it.
const PROVIDER: &str = "Gatehouse";

/// Zed wants a number, by which it shortens a conversation, also for a model whose window is not
/// known.
const INPUT_TOKENS_ASSUMED: u64 = 128_000;

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Keychain,
    restart: false,
    program: "zed",
    folder: |environment| match () {
        () if cfg!(windows) => environment.folder("APPDATA", "AppData/Roaming").join("Zed"),
        () if cfg!(target_os = "macos") => environment.home.join(".config/zed"),
        () => environment.folder("XDG_CONFIG_HOME", ".config").join("zed"),
    },
    files: tool_files,
    layers: |_| Vec::new(),
    variables: &[],
    config_variable: None,
    pointer: |config| ToolPointer {
        base_url: text_at(config, &["language_models", "openai_compatible", PROVIDER, "api_url"]),
        command: Vec::new(),
    },
    own_conflict: switched_off_key,
    other_conflicts: |_, _| Vec::new(),
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let path = (DEFINITION.folder)(environment).join("settings.json");
    vec![ToolFile { path, format: Format::Json, edits: key_edits }]
}

fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    let set = |key: &str, value: Value| {
        ValueEdit::set(&["language_models", "openai_compatible", PROVIDER, key], value)
    };
    let models = target.models.iter().take(TOOL_MODELS_MAX).map(model_entry);
    vec![
        set("api_url", json!(format!("{}/v1", target.address))),
        set("available_models", Value::Array(models.collect())),
    ]
}

/// Without one of the four capabilities, Zed refuses the entry.
fn model_entry(model: &ToolModel) -> Value {
    let input = model.limits.map_or(INPUT_TOKENS_ASSUMED, |limits| limits.input_tokens_max);
    let mut entry = json!({"name": model.name, "display_name": model.name, "max_tokens": input});
    if let (Some(limits), Some(entry)) = (model.limits, entry.as_object_mut()) {
        entry.insert("max_output_tokens".to_owned(), json!(limits.output_tokens_max));
    }
    let capabilities = json!({
        "tools": model.tools, "images": model.images, "parallel_tool_calls": false,
        "prompt_cache_key": false,
    });
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("capabilities".to_owned(), capabilities);
    }
    entry
}

fn switched_off_key(config: &Value) -> Option<(ConflictLayer, String)> {
    let is_off = config.get("disable_ai") == Some(&Value::Bool(true));
    is_off.then(|| (ConflictLayer::Excluded, "disable_ai".to_owned()))
}
