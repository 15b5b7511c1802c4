//! Presets of providers and local servers, so that nobody types an address.
//!
//! Base URLs are from each provider's documentation (`docs_url`). A row is all that a preset needs:
//! the masking of keys in texts ([`crate::redact`]), the vault of the environment and the panel's
//! lists read this table.

use crate::{BackendKind, ExtraDialect, Origin, UnsupportedFeature};

mod hosted;
mod local;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PresetLocation {
    /// A provider on the internet; requires a key.
    Hosted,
    /// A server on this machine; requires no key.
    Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    pub id: &'static str,
    /// The provider's own spelling of its name.
    pub label: &'static str,
    pub kind: BackendKind,
    /// As `settings::api_root` accepts it.
    pub base_url: &'static str,
    /// Prefix of its keys, if they have one.
    pub key_prefix: Option<&'static str>,
    /// Documentation of its API.
    pub docs_url: &'static str,
    /// Page that creates its keys, if known.
    pub keys_url: Option<&'static str>,
    /// The usual environment variable of its key.
    pub variable: Option<&'static str>,
    /// Name of the key that the variable holds, if it is not `id`.
    pub credential: Option<&'static str>,
    pub location: PresetLocation,
    /// Chat Completions features that it is known to lack.
    pub lacks: &'static [UnsupportedFeature],
    /// APIs that it is known to support beside Chat Completions at the same base URL.
    pub offers: &'static [ExtraDialect],
}

/// All presets: hosted ones first, then local servers.
pub fn presets() -> impl Iterator<Item = &'static Preset> {
    hosted::PRESETS.iter().chain(local::PRESETS)
}

/// The first preset of an API at `origin`.
#[must_use]
pub fn preset_at(origin: &Origin) -> Option<&'static Preset> {
    presets().find(|preset| preset.base_url.parse::<Origin>().is_ok_and(|known| known == *origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_found_by_its_origin_and_not_by_how_its_address_begins() {
        let found = |origin: &str| Some(preset_at(&origin.parse().ok()?)?.id);
        assert_eq!(found("https://api.openai.com:443"), Some("openai"));
        for other in ["https://api.openai.co", "http://api.openai.com", "https://example.com"] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
