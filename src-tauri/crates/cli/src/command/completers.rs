//! Completes the names of backends, keys, clients, routes, presets, settings and models by asking the
//! core.

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use control::{Core, EngineConfig, Settings};
use serde_json::Value;
use tokio::runtime::Builder;

use crate::variables::unicode_variables;

/// Completes an argument with the names that `names` returns at that moment.
pub(crate) fn candidates_from(names: fn() -> Vec<String>) -> ArgValueCandidates {
    ArgValueCandidates::new(move || names().into_iter().map(CompletionCandidate::new).collect())
}

pub(crate) fn backend_names() -> Vec<String> {
    query_names("backends", |view| read_ids(&view))
}

pub(crate) fn key_names() -> Vec<String> {
    query_names("keys", |view| read_ids(&view))
}

pub(crate) fn client_names() -> Vec<String> {
    query_names("clients", |view| read_ids(&view))
}

pub(crate) fn route_names() -> Vec<String> {
    query_names("routes", |view| read_ids(view.get("routes").unwrap_or(&Value::Null)))
}

pub(crate) fn profile_names() -> Vec<String> {
    query_names("profiles", |view| {
        let profiles = view.get("profiles").and_then(Value::as_array).into_iter().flatten();
        let names = profiles.filter_map(|profile| profile.get("name").and_then(Value::as_str));
        names.map(str::to_owned).collect()
    })
}

pub(crate) fn service_names() -> Vec<String> {
    query_names("services", |view| read_ids(view.get("services").unwrap_or(&Value::Null)))
}

pub(crate) fn preset_names() -> Vec<String> {
    query_names("presets", |view| read_ids(&view))
}

pub(crate) fn setting_names() -> Vec<String> {
    Settings::table().into_iter().map(|setting| setting.key.to_owned()).collect()
}

/// All model names that a request can use.
pub(crate) fn model_names() -> Vec<String> {
    let of_backend = |backend: &Value| {
        let id = text_field(backend, "id");
        let models = backend.get("models").and_then(Value::as_array).cloned().unwrap_or_default();
        models
            .iter()
            .map(move |model| format!("{id}/{}", text_field(model, "id")))
            .collect::<Vec<_>>()
    };
    let mut names = route_names();
    names.extend(query_names("backends", |view| {
        view.as_array().into_iter().flatten().flat_map(of_backend).collect()
    }));
    names
}

fn read_ids(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|entry| text_field(entry, "id")).collect()
}

fn text_field(entry: &Value, field: &str) -> String {
    entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Asks the core for completions. Returns none on any error.
fn query_names(operation: &str, names: impl FnOnce(Value) -> Vec<String>) -> Vec<String> {
    let Ok(config) = EngineConfig::from_variables(unicode_variables(std::env::vars_os())) else {
        return Vec::new();
    };
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let answer = runtime.block_on(async {
        let core = Core::open(config).await.ok()?;
        let answer = control::call(&core, operation, b"null").await.ok();
        core.stop().await;
        answer
    });
    runtime.shutdown_background();
    let view = answer.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    view.map_or_else(Vec::new, names)
}
