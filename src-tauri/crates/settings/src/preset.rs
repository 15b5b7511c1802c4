//! Providers and local servers, so that nobody types an address.
//!
//! Base URLs are those of each provider's own documentation (`docs_url`).

use domain::{KeyPrefix, Lack, Offer};

use crate::BackendKind;

mod hosted;
mod local;

/// Where a preset's server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PresetPlace {
    /// A provider on the internet; wants a key.
    Hosted,
    /// A server on this machine; wants none.
    Local,
}

/// A backend that is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Proposed backend id.
    pub id: &'static str,
    /// The provider's name as it writes it.
    pub label: &'static str,
    /// The protocol it speaks.
    pub kind: BackendKind,
    /// Its address, as [`crate::api_root`] understands it.
    pub base_url: &'static str,
    /// What its keys begin with, if they have a prefix of their own.
    pub key_prefix: Option<KeyPrefix>,
    /// Where its API is described.
    pub docs_url: &'static str,
    /// The page where its keys are made, where one is known.
    pub keys_url: Option<&'static str>,
    /// The environment variable in which its key customarily stands.
    pub variable: Option<&'static str>,
    /// Hosted or on this machine.
    pub place: PresetPlace,
    /// What it is known to lack of Chat Completions.
    pub lacks: &'static [Lack],
    /// What it is known to speak beside Chat Completions at the same base URL.
    pub offers: &'static [Offer],
}

/// All presets: hosted ones first, then local servers.
pub fn presets() -> impl Iterator<Item = &'static Preset> {
    hosted::PRESETS.iter().chain(local::PRESETS)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use domain::BackendId;
    use url::Url;

    use super::*;
    use crate::{LABEL_CHARS_MAX, MOCK_BACKEND_ID, api_root, parse_base_url};

    #[test]
    fn every_preset_is_a_valid_backend_without_a_caution() {
        let mut ids = HashSet::new();
        for preset in presets() {
            assert!(BackendId::new(preset.id).is_ok(), "{}", preset.id);
            assert!(ids.insert(preset.id) && preset.id != MOCK_BACKEND_ID, "{}", preset.id);
            let base_url = parse_base_url(preset.base_url, 4_283).expect(preset.id);
            assert_eq!(base_url.caution, None, "{}", preset.id);
            assert!(preset.docs_url.starts_with("https://"), "{}", preset.id);
            assert!(preset.keys_url.is_none_or(|url| url.starts_with("https://")), "{}", preset.id);
            assert!(!preset.label.is_empty() && preset.label.len() <= LABEL_CHARS_MAX);
            assert_ne!(preset.kind, BackendKind::Mock, "{}", preset.id);
            let hosted = preset.place == PresetPlace::Hosted;
            assert_eq!(hosted, preset.base_url.starts_with("https://"), "{}", preset.id);
            assert_eq!(hosted, preset.variable.is_some(), "{}", preset.id);
        }
    }

    #[test]
    fn the_keys_of_every_preset_are_masked_in_texts() {
        for prefix in presets().filter_map(|preset| preset.key_prefix) {
            let (prefix, rest) = (prefix.as_str(), "c4n4ryC4N4RYc4n4ry");
            let masked = domain::redact(&format!("bad key {prefix}{rest}!")).into_owned();
            assert!(!masked.contains(rest) && masked.contains('…'), "{masked}");
        }
    }

    #[test]
    fn only_compatible_servers_lack_or_offer_and_none_says_so_twice() {
        for preset in presets() {
            let lacks: BTreeSet<Lack> = preset.lacks.iter().copied().collect();
            let offers: BTreeSet<Offer> = preset.offers.iter().copied().collect();
            assert_eq!((lacks.len(), offers.len()), (preset.lacks.len(), preset.offers.len()));
            if preset.kind != BackendKind::OpenAiCompatible {
                assert!(lacks.is_empty() && offers.is_empty(), "{}", preset.id);
            }
        }
    }

    #[test]
    fn an_address_says_what_its_kind_appends_to_and_no_more() {
        for preset in presets() {
            let typed: Url = preset.base_url.parse().expect(preset.id);
            assert_eq!(api_root(preset.kind, &typed), typed, "{}", preset.id);
        }
    }

    #[test]
    fn there_are_at_least_twenty_five_hosted_and_five_local_ones() {
        let count = |place| presets().filter(|preset| preset.place == place).count();
        assert!(count(PresetPlace::Hosted) >= 25, "{}", count(PresetPlace::Hosted));
        assert!(count(PresetPlace::Local) >= 5, "{}", count(PresetPlace::Local));
        let speaks = |kind| presets().filter(move |preset| preset.kind == kind).count();
        let native = [BackendKind::OpenAi, BackendKind::Anthropic, BackendKind::Gemini];
        assert!(native.into_iter().all(|kind| speaks(kind) > 0) && speaks(BackendKind::Ollama) > 1);
    }
}
