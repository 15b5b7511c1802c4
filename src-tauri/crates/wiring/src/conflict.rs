//! Other layers of a tool's configuration that outrank the keys of its wiring.

use std::path::Path;

use serde_json::Value;

use crate::client_tool::ConflictLayer;
use crate::document::{Document, Format};
use crate::environment::ToolEnvironment;
use crate::files::read_config;
use crate::key::ValueEdit;
use crate::tool::{ClientToolDefinition, LayerFile};

/// A value that outranks a wired key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub layer: ConflictLayer,
    /// The file; empty for the environment.
    pub place: String,
    /// The key or variable.
    pub key: String,
}

impl Conflict {
    pub(crate) fn new(layer: ConflictLayer, place: impl Into<String>, key: &str) -> Self {
        Self { layer, place: place.into(), key: key.to_owned() }
    }

    /// What it does and what to do, in one sentence.
    #[must_use]
    pub fn explanation(&self) -> String {
        let Self { layer, place, key } = self;
        match layer {
            ConflictLayer::Environment => {
                format!("{key} is set in the environment and is used instead; unset it")
            }
            ConflictLayer::Project => {
                format!("{key} in the project's {place} is used instead; remove it there")
            }
            ConflictLayer::Managed => format!(
                "{key} is managed by an administrator in {place} and is used instead; only they \
                 can change it"
            ),
            ConflictLayer::Profile => {
                format!("{key} in {place} is used instead; remove it or choose another profile")
            }
            ConflictLayer::NamedFile => format!(
                "{key} in {place}, which the environment names, is used instead; remove it there"
            ),
            ConflictLayer::Excluded => {
                format!("{key} in {place} keeps the gateway out; change it there")
            }
        }
    }
}

/// The values that outrank the keys of `edits`. `own` is the tool's first file, as it is or will be.
pub(crate) fn find_conflicts<G>(
    definition: &ClientToolDefinition<G>,
    environment: &ToolEnvironment,
    edits: &[ValueEdit],
    own: (&Path, &Value),
) -> Vec<Conflict> {
    let variables = definition.variables.iter().filter(|name| environment.is_set(name));
    let mut found: Vec<_> =
        variables.map(|name| Conflict::new(ConflictLayer::Environment, "", name)).collect();
    found.extend(variable_conflict(definition, environment, edits));
    for layer in (definition.layers)(environment) {
        found.extend(layer_conflicts(&layer, edits));
    }
    found.extend((definition.other_conflicts)(environment, edits));
    let (path, config) = own;
    if let Some((layer, key)) = (definition.own_conflict)(config) {
        found.push(Conflict::new(layer, path.display().to_string(), &key));
    }
    found
}

/// True if a tool reads both alike: the slash at the end of an address changes nothing.
pub(crate) fn is_same_value(found: &Value, ours: Option<&Value>) -> bool {
    match (found.as_str(), ours.and_then(Value::as_str)) {
        (Some(found), Some(ours)) if ours.starts_with("http") => {
            found.trim_end_matches('/') == ours.trim_end_matches('/')
        }
        _ => Some(found) == ours,
    }
}

/// The first key that outranks the wiring in the variable that holds a configuration.
fn variable_conflict<G>(
    definition: &ClientToolDefinition<G>,
    environment: &ToolEnvironment,
    edits: &[ValueEdit],
) -> Option<Conflict> {
    let variable = definition.config_variable?;
    let config = environment.config(variable)?;
    let outranks = |edit: &&ValueEdit| {
        let found = edit.path.find(config);
        found.is_some_and(|found| !is_same_value(found, edit.value.as_ref()))
    };
    let outranking = edits.iter().find(outranks).map(|edit| edit.path.to_string());
    let excluding = || (definition.own_conflict)(config).map(|(_, key)| key);
    let key = outranking.or_else(excluding)?;
    Some(Conflict::new(ConflictLayer::Environment, "", &format!("{key} in {variable}")))
}

/// `None` without a file. One that cannot be read by us is left to the tool, which reports it.
pub(crate) fn read_document(format: Format, path: &Path) -> Option<Document> {
    let text = read_config(path).ok().flatten()?;
    Document::parse(format, &text).ok()
}

fn layer_conflicts(layer: &LayerFile, edits: &[ValueEdit]) -> Vec<Conflict> {
    let Some(document) = read_document(layer.format, &layer.path) else { return Vec::new() };
    let place = layer.path.display().to_string();
    let outranking = edits.iter().filter(|edit| {
        document.get(&edit.path).is_some_and(|found| !is_same_value(&found, edit.value.as_ref()))
    });
    outranking
        .map(|edit| Conflict::new(layer.layer, place.clone(), &edit.path.to_string()))
        .collect()
}
