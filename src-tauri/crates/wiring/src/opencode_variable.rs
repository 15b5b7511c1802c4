//! The configuration that OpenCode reads from a variable, as far as it decides about our provider.

use serde_json::{Value, json};

use crate::document::{Document, Format};
use crate::key::{KeyPath, ValueEdit};

/// Holds a configuration that is read after the files of the user and of the project.
pub(crate) const CONFIG_VARIABLE: &str = "OPENCODE_CONFIG_CONTENT";

/// Name of our provider in OpenCode's configuration.
pub(crate) const PROVIDER: &str = "gatehouse";

/// Only the keys that can lead past the gateway: the rest of the text may hold secrets. Of an API key
/// that is no reference it is only kept that it is set.
pub(crate) fn deciding_part(text: &str) -> Value {
    let config = Document::parse(Format::Json, text).map(|config| config.value());
    let config = config.unwrap_or_default();
    let kept: [&[&str]; 6] = [
        &["provider", PROVIDER, "npm"],
        &["provider", PROVIDER, "name"],
        &["provider", PROVIDER, "options", "baseURL"],
        &["provider", PROVIDER, "options", "apiKey"],
        &["disabled_providers"],
        &["enabled_providers"],
    ];
    let mut part = json!({});
    for path in kept {
        let Some(found) = KeyPath::new(path).find(&config) else { continue };
        let is_reference = found.as_str().is_some_and(|text| text.starts_with("{env:"));
        let is_key = path.ends_with(&["apiKey"]) && !is_reference;
        let value = if is_key { json!("set") } else { found.clone() };
        ValueEdit::set(path, value).apply_to(&mut part);
    }
    part
}
